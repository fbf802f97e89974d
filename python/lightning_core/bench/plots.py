"""The result as pictures, for documents. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from lightning_core.bench.runner import Result


def write(folder: Path, results: Sequence[Result]) -> list[Path]:
    """Writes ``speedup.png`` and ``roofline.png``.

    Raises ImportError if matplotlib is not installed.
    """
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    plt: Any = import_module("matplotlib.pyplot")
    written = []
    ratios = [(_label(r), r.speedup, r.fastest()) for r in results if r.speedup is not None]
    shares = [(_label(r), r.roofline_share) for r in results if r.roofline_share is not None]
    if ratios:
        figure, axes = plt.subplots(figsize=(11, 0.8 + 0.24 * len(ratios)))
        labels = [label for label, _, _ in ratios]
        values = [float(value or 0) for _, value, _ in ratios]
        axes.barh(labels, values, color=["#0b6bcb" if v >= 1 else "#b3261e" for v in values], height=0.7)
        for index, (_, value, peer) in enumerate(ratios):
            name = f"{peer.peer} {peer.form}" if peer else ""
            axes.text(float(value or 0), index, f" {value:.2f}  {name}", va="center", fontsize=7)
        axes.axvline(1, color="black", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xlim(min(0.3, min(values) * 0.8), max(values) * 4)
        axes.set_xlabel("fastest peer's median / ours (log scale; above 1 we are faster)")
        written.append(_save(figure, axes, folder / "speedup.png"))
    if shares:
        figure, axes = plt.subplots(figsize=(11, 0.8 + 0.24 * len(shares)))
        percent = [100 * (share or 0) for _, share in shares]
        axes.barh([label for label, _ in shares], percent, color="#0b6bcb", height=0.7)
        axes.axvline(100, color="black", linewidth=0.8)
        axes.set_xlabel("share of the machine's measured limit, %")
        written.append(_save(figure, axes, folder / "roofline.png"))
    return written


def _label(result: Result) -> str:
    return f"{result.row.bench} {result.row.shape} [{result.row.residency}, {result.row.form}]"


def _save(figure: Any, axes: Any, path: Path) -> Path:
    axes.invert_yaxis()
    axes.tick_params(labelsize=7)
    axes.margins(y=0.01)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=130)
    return path
