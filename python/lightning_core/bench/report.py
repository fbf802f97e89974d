"""Results as text, CSV and JSON."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_core.bench.runner import Result, Timed, row_dict


def duration(seconds: float | None) -> str:
    """A time with three significant digits and its unit."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    for factor, unit in ((1e9, "ns"), (1e6, "us"), (1e3, "ms")):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def rate(result: Result) -> str:
    """What limits the row, as a rate: GFLOP/s or GB/s."""
    mine = result.ours
    if mine is None or mine.stats is None:
        return "-"
    if result.bound_by == "memory" or result.case.op in ("add", "sub"):
        return f"{result.case.traffic / mine.stats.median / 1e9:.3g} GB/s"
    return f"{result.case.flops / mine.stats.median / 1e9:.3g} GFLOP/s"


def line(result: Result) -> tuple[str, ...]:
    """The cells of one row of the table on the terminal."""
    mine, peer = result.ours, result.fastest()
    mine_stats = mine.stats if mine is not None and mine.counts else None
    spread = f"{duration(mine_stats.p10)} .. {duration(mine_stats.p90)}" if mine_stats else "-"
    share, speedup = result.roofline_share, result.speedup
    return (
        f"{result.row.bench} {result.row.shape}",
        f"{result.row.residency}, {result.row.form}",
        f"{result.receipt['device'] or '-'} {result.receipt['kernel']}".strip(),
        duration(mine_stats.median) if mine_stats else "-",
        spread,
        f"{duration(peer.stats.median)} {peer.peer} {peer.form}" if peer is not None and peer.stats else "-",
        f"{speedup:.2f}x" if speedup is not None else "-",
        rate(result),
        f"{share:.0%}" if share is not None else "-",
    )


HEAD = ("row", "residency, form", "device kernel", "median", "p10 .. p90", "fastest peer", "ratio", "rate", "of limit")


def table(results: Sequence[Result]) -> str:
    """All rows, one line each, with failures and notes below."""
    lines = [HEAD, *(line(result) for result in results)]
    widths = [max(len(cells[i]) for cells in lines) for i in range(len(HEAD))]
    text = ["  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip() for cells in lines]
    text.insert(1, "-" * min(sum(widths) + 2 * len(widths), 200))
    for result in results:
        if result.launches:
            text.append(f"launches: {result.row.label}: " + ", ".join(f"{n} {c}" for c, n in result.launches.items()))
    text += [f"FAILED: {result.row.label}: {failure}" for result in results for failure in result.failures]
    text += [f"note: {result.row.label}: {note}" for result in results for note in result.notes]
    return "\n".join(text)


def write_csv(path: Path, results: Sequence[Result], columns: Sequence[str]) -> None:
    """One line a row; a blank cell where a peer is missing or has no such operation."""
    rows = [row_dict(result, columns) for result in results]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["suite", "bench", "shape"])
        writer.writeheader()
        for row in rows:
            writer.writerow({name: "" if value is None else value for name, value in row.items()})


def timed_dict(timed: Timed) -> dict[str, Any]:
    """One candidate, for the JSON report."""
    s = timed.stats
    return {
        "peer": timed.peer,
        "form": timed.form,
        "median_ms": s.median * 1e3 if s else None,
        "p10_ms": s.p10 * 1e3 if s else None,
        "p90_ms": s.p90 * 1e3 if s else None,
        "n": s.n if s else 0,
        "max_error": timed.max_error if timed.max_error is not None and math.isfinite(timed.max_error) else None,
        "counts": timed.counts,
        "problem": timed.problem,
    }


def document(results: Sequence[Result], columns: Sequence[str], about: dict[str, Any]) -> dict[str, Any]:
    """The whole run as plain values that JSON can hold (no NaN)."""
    rows = []
    for result in results:
        row = row_dict(result, columns)
        if row["max_error"] is not None and not math.isfinite(row["max_error"]):
            row["max_error"] = None
        row["candidates"] = [timed_dict(timed) for timed in result.timed]
        rows.append(row)
    speedups = sorted(r["speedup_fastest_peer_over_lc"] for r in rows if r["speedup_fastest_peer_over_lc"] is not None)
    summary = {
        "rows": len(rows),
        "rows_with_peer": len(speedups),
        "rows_slower_than_a_peer": sum(s < 1 for s in speedups),
        "failures": sum(bool(r["failures"]) for r in rows),
        "speedup_min": speedups[0] if speedups else None,
        "speedup_median": speedups[len(speedups) // 2] if speedups else None,
        "speedup_max": speedups[-1] if speedups else None,
    }
    return {**about, "summary": summary, "rows": rows}


def write_json(path: Path, results: Sequence[Result], columns: Sequence[str], about: dict[str, Any]) -> None:
    """The whole run with every candidate."""
    text = json.dumps(document(results, columns, about), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
