"""The result as one HTML page that needs nothing else: tables, and bars drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from lightning_core.bench import ours
from lightning_core.bench.report import HEAD, duration, line, rate
from lightning_core.bench.runner import Result, Timed

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2327; --soft: #5b6670; --ours: #0b6bcb; --peer: #b9c2ca; --bad: #b3261e;
  --share: #3d8361; --line: #dde3e8; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaee; --soft: #9aa7b2; --ours: #5aa9f5; --peer: #48545e;
  --bad: #ff8a80; --share: #6fbf95; --line: #2c353c; --paper: #14181b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
p, li { max-width: 60rem; } .soft { color: var(--soft); } .bad { color: var(--bad); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
.wide { overflow-x: auto; } td, th { padding: .25rem .7rem .25rem 0; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
svg { display: block; width: 100%; max-width: 60rem; height: auto; } svg text { font: 12px system-ui, sans-serif;
  fill: var(--ink); } .o { fill: var(--ours); } .p { fill: var(--peer); } .w { fill: var(--soft); }
.b { fill: var(--bad); } .s { fill: var(--share); } svg text .t { fill: var(--soft); } .a { stroke: var(--ink); }
"""
_LABEL, _WIDTH, _HEIGHT = 210, 900, 18


def _bars(result: Result) -> str:
    """Time of every candidate of a row, fastest first; the spread as a thin line."""
    timed = sorted((t for t in result.timed if t.counts and t.stats), key=lambda t: t.stats.median if t.stats else 0)
    if not timed:
        return ""
    # A very slow candidate would squeeze the others: bars end at five times the fastest, their numbers do not.
    fastest = timed[0].stats.median if timed[0].stats else 1.0
    top = min(max(t.stats.median for t in timed if t.stats), 5 * fastest)
    room = _WIDTH - _LABEL - 130

    def length(seconds: float) -> float:
        return room * min(seconds, top) / top

    def bar(index: int, t: Timed) -> str:
        assert t.stats is not None
        y, s = index * _HEIGHT, t.stats
        end = _LABEL + length(s.median)
        kind = "o" if t.peer == ours.COLUMN else "p"
        cut = " ▸" if s.median > top else ""
        return (
            f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(t.peer)} {escape(t.form)}</text>'
            f'<rect class="{kind}" x="{_LABEL}" y="{y + 3}" width="{end - _LABEL:.1f}" height="{_HEIGHT - 6}"/>'
            f'<rect class="w" x="{_LABEL + length(s.p10):.1f}" y="{y + 8}" '
            f'width="{max(length(s.p90) - length(s.p10), 1):.1f}" height="2"/>'
            f'<text x="{end + 6:.1f}" y="{y + 13}">{escape(duration(s.median))}{cut}</text>'
        )

    height = len(timed) * _HEIGHT
    drawn = "".join(bar(i, t) for i, t in enumerate(timed))
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="median times">{drawn}</svg>'


def _overview(results: Sequence[Result]) -> str:
    """Every row of a suite on one line: ratio to the fastest peer, and share of the machine's limit."""
    label, ratio_room, share_at, share_room = 400, 190, 690, 130
    top = max([2.0, *(r.speedup for r in results if r.speedup is not None)])

    def ratio_end(ratio: float) -> float:
        # Logarithmic, one in the middle of the left third.
        return ratio_room * (0.3 + 0.7 * max(min(math.log(ratio) / math.log(top), 1.0), -0.42))

    def bar(index: int, r: Result) -> str:
        y, one = index * _HEIGHT, ratio_end(1.0)
        drawn = f'<text x="{label - 8}" y="{y + 13}" text-anchor="end">{escape(_name(r))}</text>'
        if r.speedup is not None and r.speedup > 0:
            end, peer = ratio_end(r.speedup), r.fastest()
            kind = "o" if r.speedup >= 1 else "b"
            drawn += (
                f'<rect class="{kind}" x="{label + min(one, end):.1f}" y="{y + 3}" width="{abs(end - one):.1f}" '
                f'height="{_HEIGHT - 6}"/>'
                f'<text x="{label + max(one, end) + 6:.1f}" y="{y + 13}">{r.speedup:.2f} '
                f'<tspan class="t">{escape(peer.peer if peer else "")}</tspan></text>'
            )
        if r.roofline_share is not None:
            width = share_room * min(r.roofline_share, 1.1)
            drawn += (
                f'<rect class="p" x="{share_at}" y="{y + 3}" width="{share_room}" height="{_HEIGHT - 6}" '
                'opacity=".35"/>'
                f'<rect class="s" x="{share_at}" y="{y + 3}" width="{width:.1f}" height="{_HEIGHT - 6}"/>'
                f'<text x="{share_at + share_room + 8}" y="{y + 13}">{r.roofline_share:.0%} {escape(rate(r))}</text>'
            )
        return drawn

    height = len(results) * _HEIGHT
    line_at = label + ratio_end(1.0)
    axis = f'<line class="a" x1="{line_at:.1f}" x2="{line_at:.1f}" y1="0" y2="{height}"/>'
    drawn = "".join(bar(i, r) for i, r in enumerate(results))
    return (
        f'<svg viewBox="0 0 {_WIDTH + 60} {height}" role="img" aria-label="ratios and shares of the limit">'
        f"{drawn}{axis}</svg>"
    )


def _name(result: Result) -> str:
    return f"{result.row.bench} {result.row.shape} ({result.row.residency})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def cells(tag: str, values: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(v)}</{tag}>" for v in values) + "</tr>"

    body = "".join(cells("td", row) for row in rows)
    return f'<div class="wide"><table><thead>{cells("th", head)}</thead><tbody>{body}</tbody></table></div>'


def html(results: Sequence[Result], about: dict[str, Any]) -> str:
    """The page."""
    limits = about["limits"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Lightning Core benchmarks</title>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style><h1>Lightning Core benchmarks</h1>",
        f"<p>{escape(about['processor'])}, {about['threads']} of {about['cpus']} processors, "
        f"{escape(about['system'])}, {escape(about['date'])}. "
        f"Limits measured at the start: {limits['gflops']:.0f} GFLOP/s ({escape(limits['gflops_source'])}); memory: "
        + ", ".join(
            f"{b['gbytes_per_s']:.0f} GB/s at {b['bytes'] / 1024:.0f} KiB" for b in limits["bandwidth"]
        )
        + f" ({escape(limits['bandwidth_source'])}).</p>",
        "<p>Every candidate of a row runs in one process, in turns; bars are medians, the thin line in a bar goes from "
        "the 10th to the 90th percentile. Bars longer than five times the shortest are cut (▸). The ratio is the "
        "fastest peer's median over ours.</p>",
    ]
    peers = [f"<li>{escape(text)}</li>" for text in about["peers"].values()]
    missing = [f"<li class=soft>{escape(n)}: not here ({escape(why)})</li>" for n, why in about["missing"].items()]
    parts.append("<h2>Peers</h2><ul>" + "".join(peers + missing) + "</ul>")
    if about["removed_variables"]:
        named = ", ".join(f"{n}={v}" for n, v in about["removed_variables"].items())
        parts.append(f"<p class=soft>Removed from the environment, since they limit a peer: {escape(named)}.</p>")
    if about.get("disturbance"):
        parts.append(f"<p class=soft>{escape(about['disturbance'])}.</p>")
    for result in results:
        parts += [f'<p class=bad>Failed: {escape(result.row.label)}: {escape(f)}</p>' for f in result.failures]
    parts.append(
        "<h2>All rows</h2><p>Left: the fastest peer's median over ours, logarithmic; blue where we are faster. Right: "
        "the share of the machine's measured limit.</p>"
    )
    for suite, group in groupby(results, key=lambda r: r.row.suite):
        parts.append(f"<h3>{escape(suite)}</h3>" + _overview(list(group)))
    for suite, group in groupby(results, key=lambda r: r.row.suite):
        members = list(group)
        parts.append(f"<h2>{escape(suite)}</h2>")
        parts.append(_table(HEAD, [line(r) for r in members]))
        for r in members:
            parts.append(f"<h3>{escape(_name(r))}</h3>" + _bars(r))
            parts += [f"<p class=soft>{escape(note)}</p>" for note in r.notes]
    return "\n".join(parts) + "\n"
