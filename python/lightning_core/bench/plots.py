"""The result as pictures, for documents: every row of every suite of a run. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

from lightning_core.bench.runner import Result, compared

_AHEAD, _BEHIND, _SHARE, _EMPTY = "#0b6bcb", "#b3261e", "#3d8361", "#e6e9ec"
#: Inches: of a bar, of a suite's heading, above and below the bars.
_BAR, _HEADING, _ABOVE, _BELOW = 0.19, 0.34, 0.35, 0.6
#: Inches for the names of the rows, at the left.
_NAMES = 4.7

#: Draws one column of bars: axes, rows, and where their bars are.
_Column = Callable[[Any, Sequence[Result], Sequence[float]], None]


def write(path: Path, results: Sequence[Result], about: dict[str, Any]) -> Path:
    """Writes the picture: by suite, each row's ratio to the fastest peer and its share of the machine's limit.

    Raises ImportError if matplotlib is not installed.
    """
    return _draw(path, results, about, [(_ratios, 3), (_shares, 2)])


def write_readme(folder: Path, results: Sequence[Result], about: dict[str, Any]) -> list[Path]:
    """Writes the two pictures that the README shows, under the names that it knows them by: the ratios of the rows
    that peers take part in, and their shares of the machine's limit.

    Raises ImportError if matplotlib is not installed.
    """
    rows = [result for result in results if compared(result.row) is None]
    named: dict[str, _Column] = {"speedup": _ratios, "roofline": _shares}
    return [_draw(folder / f"{name}.png", rows, about, [(column, 1)]) for name, column in named.items()]


def _draw(
    path: Path, results: Sequence[Result], about: dict[str, Any], columns: Sequence[tuple[_Column, int]]
) -> Path:
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("Agg")
    plt: Any = import_module("matplotlib.pyplot")
    headings, places, bottom = _places(results)
    height, width = _ABOVE + bottom + _BELOW, _NAMES + (8.3 if len(columns) > 1 else 5)
    figure, grid = plt.subplots(
        1, len(columns), sharey=True, squeeze=False, figsize=(width, height),
        gridspec_kw={
            "width_ratios": [part for _, part in columns], "left": _NAMES / width, "right": 0.99,
            "top": 1 - _ABOVE / height, "bottom": _BELOW / height, "wspace": 0.04,
        },
    )  # fmt: skip
    left = grid[0][0]
    for axes, (column, _) in zip(grid[0], columns, strict=True):
        column(axes, results, places)
        axes.tick_params(labelsize=7, length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    left.set_yticks(places, [_label(r) for r in results])
    left.set_ylim(bottom, 0)
    for name, y in headings:
        left.annotate(name, (0, y), xycoords=("figure fraction", "data"), xytext=(6, 0), textcoords="offset points",
                      fontsize=10, fontweight="bold", va="center")  # fmt: skip
    threads = "1 thread" if about["threads"] == 1 else f"{about['threads']} threads"
    title = f"{about['processor']}, {threads}, float32, {about['date']}"
    figure.text(0.5, 1 - 0.1 / height, title, fontsize=9, ha="center", va="top")
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return path


def _places(results: Sequence[Result]) -> tuple[list[tuple[str, float]], list[float], float]:
    """Where the suites' headings and the rows' bars are, from the top, and where they end."""
    headings, places, y = [], [], 0.0
    for suite, group in groupby(results, key=lambda r: r.row.suite):
        headings.append((suite, y + _HEADING / 2))
        y += _HEADING
        for _ in group:
            places.append(y + _BAR / 2)
            y += _BAR
    return headings, places, y


def _ratios(axes: Any, results: Sequence[Result], places: Sequence[float]) -> None:
    """Bars from one: to the right where we are faster than the fastest peer, to the left where it is."""
    axes.set_xscale("log")
    values = [r.speedup for r in results if r.speedup is not None]
    lowest, highest = min([0.5, *values]) * 0.8, max([2.0, *values]) * 6
    axes.set_xlim(lowest, highest)
    ticks = [tick for tick in (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64) if lowest <= tick <= highest]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    for result, y in zip(results, places, strict=True):
        ratio, peer = result.speedup, result.fastest()
        if ratio is None or peer is None:
            mine = result.ours
            text = "no peer has it" if mine is not None and mine.counts else "not measured"
            axes.text(1.03, y, text, va="center", fontsize=6, color="gray")
            continue
        axes.barh(y, ratio - 1, left=1, height=0.75 * _BAR, color=_AHEAD if ratio >= 1 else _BEHIND)
        axes.text(max(ratio, 1), y, f" {ratio:.2f}  {peer.peer} {peer.form}", va="center", fontsize=6)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("fastest peer's median / ours (above 1 we are faster; logarithmic)", fontsize=8)


def _shares(axes: Any, results: Sequence[Result], places: Sequence[float]) -> None:
    """Our share of what the machine was measured to do at most."""
    axes.set_xlim(0, 125)
    for result, y in zip(results, places, strict=True):
        share = result.roofline_share
        if share is None:
            continue
        axes.barh(y, 100, height=0.75 * _BAR, color=_EMPTY)
        axes.barh(y, 100 * share, height=0.75 * _BAR, color=_SHARE)
        axes.text(101, y, f"{share:.0%} {result.bound_by}", va="center", fontsize=6)
    axes.axvline(100, color="black", linewidth=0.8)
    axes.set_xlabel("share of the machine's measured limit, %", fontsize=8)


def _label(result: Result) -> str:
    return f"{result.row.bench} {result.row.shape} [{result.row.residency}, {result.row.form}]"
