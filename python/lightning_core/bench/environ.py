"""The environment that a fair run needs, and what is known of the machine.

Variables that limit a peer (a BLAS told to use an older instruction set, a thread count left over from another
program) are removed before any peer is loaded, by starting the interpreter again; the report says which. Libraries
read them once, when they are loaded: removing them later would not help.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata

#: Prefixes of the variables by which the peers can be limited or changed.
PEER_PREFIXES = (
    "OPENBLAS_", "GOTO_", "BLIS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "NPY_DISABLE_", "NUMEXPR_",
    "ATEN_", "TORCH_", "TORCHINDUCTOR_", "PYTORCH_", "XLA_", "JAX_", "ORT_", "ONNXRUNTIME_", "OV_", "OPENVINO_",
    "TBB_", "VECLIB_", "GLIBC_TUNABLES", "MALLOC_",
)  # fmt: skip
#: Variables with such a prefix that say where files are, not how fast code runs.
HARMLESS = {"TORCHINDUCTOR_CACHE_DIR", "TORCH_HOME", "JAX_COMPILATION_CACHE_DIR"}
#: Variables that change our own side. They stay, since a user may want to measure their effect, and are printed.
OWN_PREFIX = "LC_"
_MARK = "LC_BENCH_STARTED_WITHOUT"
PACKAGES = ("numpy", "torch", "onnxruntime", "onnx", "openvino", "jax", "mkl", "onednn-cpu-gomp", "matplotlib")


def handicaps(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables in ``environ`` that may limit a peer."""
    return {
        name: value
        for name, value in sorted(environ.items())
        if name.startswith(PEER_PREFIXES) and name not in HARMLESS
    }


def thread_settings(threads: int) -> dict[str, str]:
    """What gives every peer the same number of threads; read when the libraries are loaded."""
    return {name: str(threads) for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")} | {
        # The GNU runtime's threads park within milliseconds; Intel's spin for 200 ms and would slow whoever is next.
        "MKL_THREADING_LAYER": "GNU",
        "JAX_PLATFORMS": "cpu",
    }


def clean_restart(arguments: list[str], threads: int) -> dict[str, str]:
    """Starts the interpreter again without the variables that limit a peer; returns, in the new one, what was removed.

    Does not return in the process that it replaces.
    """
    mark = os.environ.get(_MARK)
    if mark is not None:
        removed = json.loads(mark)
        return {str(name): str(value) for name, value in removed.items()}
    removed = handicaps(os.environ)
    environ = {name: value for name, value in os.environ.items() if name not in removed}
    environ.update(thread_settings(threads))
    environ[_MARK] = json.dumps(removed)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "lightning_core.bench", *arguments], environ)
    raise AssertionError("execve returned")


def versions() -> dict[str, str]:
    """Versions of the installed peers, and of Lightning Core."""
    found: dict[str, str] = {}
    for package in ("lightning-core", *PACKAGES):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """The processor's name."""
    try:
        if sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return platform.processor() or platform.machine()


def cpus() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def own_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that change our own side."""
    return {n: v for n, v in sorted(environ.items()) if n.startswith(OWN_PREFIX) and n != _MARK}


class Disturbance:
    """How much processor time others took while a run lasted: other programs, and the hypervisor."""

    def __init__(self) -> None:
        self._before = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float] | None:
        # Busy and stolen seconds of the machine, and the seconds of this process; None where there is no /proc.
        try:
            with open("/proc/stat", encoding="ascii") as file:
                ticks = [int(field) for field in file.readline().split()[1:9]]
        except (OSError, ValueError):
            return None
        own = os.times()
        second = os.sysconf("SC_CLK_TCK")
        busy = sum(ticks) - ticks[3] - ticks[4] - ticks[7]
        return busy / second, ticks[7] / second, own.user + own.system

    def text(self, seconds: float) -> str | None:
        """One line about the ``seconds`` since this was made, or None where it is not known."""
        after = self._read()
        if self._before is None or after is None:
            return None
        busy, stolen, own = (b - a for a, b in zip(self._before, after, strict=True))
        others = max(busy - own, 0.0) / seconds
        return f"others used {others:.2f} processors during the run, the hypervisor took {stolen / seconds:.2f}"
