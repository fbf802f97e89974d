"""The libraries that we are compared with, each optional: one that is not installed is a blank column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lightning_core.bench.cases import Case
from lightning_core.bench.timing import Candidate


@dataclass(frozen=True)
class Peer:
    """One library: its columns, and its calls for a case."""

    #: What ``--peers`` calls it.
    name: str
    #: Columns of the report that it may fill.
    columns: tuple[str, ...]
    #: Its calls for a case; ``resident`` rows may prepare weights beforehand, others may not. Empty if it has none.
    candidates: Callable[[Case, bool], list[Candidate]]
    #: One line about the version and build that ran.
    about: str


NAMES = ("numpy", "torch", "onnxruntime", "openvino", "jax", "mkl", "onednn")
#: Columns in the order of the tables.
COLUMNS = ("numpy", "torch_cpu", "torch_mps", "onnxruntime", "openvino", "jax", "mkl", "onednn")


def load(names: Sequence[str], threads: int, compile_torch: bool) -> tuple[list[Peer], dict[str, str]]:
    """Loads the named peers; returns those that are there, and why the others are not."""
    from importlib import import_module

    found: list[Peer] = []
    missing: dict[str, str] = {}
    for name in names:
        try:
            module = import_module(f"lightning_core.bench.peers.{name}_peer")
            found.append(module.load(threads, compile_torch) if name == "torch" else module.load(threads))
        except (ImportError, OSError, AttributeError) as error:
            missing[name] = f"{type(error).__name__}: {error}".splitlines()[0][:160]
    return found, missing
