"""Runs the rows: builds every candidate, times them together, checks outputs and limits."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lightning_core.bench import fusion, ours, scaling
from lightning_core.bench.cases import Case
from lightning_core.bench.machine import Limits
from lightning_core.bench.peers import Peer
from lightning_core.bench.suites import RESIDENT, Row
from lightning_core.bench.timing import Candidate, Stats, failure, interleave, stats


@dataclass
class Timed:
    """One candidate after the run."""

    peer: str
    form: str
    stats: Stats | None
    max_error: float | None
    #: Empty if it counts; else why it does not.
    problem: str = ""

    @property
    def counts(self) -> bool:
        """Whether it ran and its output was right."""
        return self.stats is not None and not self.problem


@dataclass
class Result:
    """One row after the run."""

    row: Row
    case: Case
    threads: int
    receipt: dict[str, str]
    timed: list[Timed]
    bound_s: float
    bound_by: str
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    #: Kernels that a call launches, by column; only of rows that compare plans.
    launches: dict[str, int] = field(default_factory=dict)

    @property
    def ours(self) -> Timed | None:
        """Our candidate, if there is one."""
        return next((t for t in self.timed if t.peer == ours.COLUMN), None)

    def fastest(self, peer: str | None = None) -> Timed | None:
        """The fastest peer's candidate with a right output, of one peer or of all."""
        right = [t for t in self.timed if t.peer != ours.COLUMN and t.counts and peer in (None, t.peer)]
        return min(right, key=lambda t: t.stats.median if t.stats else math.inf, default=None)

    @property
    def speedup(self) -> float | None:
        """Median of the fastest peer over our median; above 1 we are faster."""
        mine, peer = self.ours, self.fastest()
        if mine is None or not mine.counts or mine.stats is None or peer is None or peer.stats is None:
            return None
        return peer.stats.median / mine.stats.median

    @property
    def roofline_share(self) -> float | None:
        """Least possible time over our median."""
        mine = self.ours
        return self.bound_s / mine.stats.median if mine is not None and mine.stats is not None else None


def check(result: Result, limits: Limits) -> None:
    """Notes what is wrong with a row: a wrong output of ours, a time above the machine's limits on any side."""
    for timed in result.timed:
        if timed.max_error is not None and timed.max_error > result.case.tolerance:
            timed.problem = f"wrong output: error {timed.max_error:.2g}, tolerance {result.case.tolerance:.2g}"
            if timed.peer == ours.COLUMN:
                result.failures.append(timed.problem)
            else:
                result.notes.append(f"{timed.peer} {timed.form}: {timed.problem}; left out")
        elif timed.problem:
            result.notes.append(f"{timed.peer} {timed.form}: {timed.problem}")
            if timed.peer == ours.COLUMN:
                result.failures.append(timed.problem)
        if timed.stats is not None and result.bound_s / timed.stats.median > limits.slack:
            result.failures.append(
                f"{timed.peer} {timed.form}: {timed.stats.median * 1e6:.2f} us is above the {result.bound_by} limit "
                f"of this machine ({result.bound_s * 1e6:.2f} us)"
            )


def compared(row: Row) -> tuple[str, ...] | None:
    """The columns of a row whose other sides are our own, without a plan or with one thread; None if they are peers."""
    if row.form in fusion.FORMS:
        return fusion.COLUMNS
    return scaling.COLUMNS if row.form in scaling.FORMS else None


def _build(
    row: Row, case: Case, peers: Sequence[Peer], device: str, threads: int
) -> tuple[list[Candidate], list[str]]:
    candidates: list[Candidate] = []
    notes: list[str] = []
    if row.form in fusion.FORMS:
        return fusion.candidates(case, row.form, device), notes
    if row.form in scaling.FORMS:
        return scaling.candidates(case, threads, device), notes
    try:
        mine = ours.candidate(case, row.form, device)
        if mine is None:
            notes.append(f"{ours.COLUMN} has no form {row.form!r} of this row")
    except AttributeError as error:
        mine = None
        notes.append(f"{ours.COLUMN}: {error}")
    if mine is not None:
        candidates.append(mine)
    for peer in peers:
        try:
            candidates += peer.candidates(case, row.residency == RESIDENT)
        except BaseException as error:  # noqa: BLE001 - a peer that lacks an operation is a blank cell
            notes.append(f"{peer.name}: {failure(error)}")
    return candidates, notes


def run_row(
    row: Row, peers: Sequence[Peer], limits: Limits, seconds: float, device: str,
    on_step: Callable[[], None] = lambda: None,
) -> Result:  # fmt: skip
    """Times one row on every side and checks it."""
    case = row.case()
    candidates, notes = _build(row, case, peers, device, limits.threads)
    for candidate in candidates:
        if candidate.poison is not None:
            candidate.poison()
        try:
            if candidate.prepare is not None:
                candidate.prepare()
        except BaseException as error:  # noqa: BLE001
            candidate.error = failure(error)
    live = [c for c in candidates if c.error is None]
    gc.collect()
    gc.disable()
    try:
        interleave(live, seconds, on_step)
    finally:
        gc.enable()
    mine = next((c for c in candidates if c.peer == ours.COLUMN), None)
    receipt = {"device": "", "kernel": "", "math": "", "reason": ""}
    if mine is not None and mine.error is None:
        receipt = ours.receipt()
    launches = fusion.launches(candidates) if row.form in fusion.FORMS and mine is not None else {}
    timed = [_timed(candidate, case) for candidate in candidates]
    bound_s, bound_by = limits.bound(case)
    least = min((t.stats.median for t in timed if t.stats is not None), default=math.inf)
    if bound_by == "memory" and bound_s > least * limits.slack:
        before, (bound_s, bound_by) = bound_s, limits.remeasured(case.traffic).bound(case)
        if bound_s < before:
            notes.append(
                f"memory was faster than at the start of the run: measured again after the row, the least time is "
                f"{bound_s * 1e6:.2f} us, not {before * 1e6:.2f} us"
            )
    result = Result(row, case, limits.threads, receipt, timed, bound_s, bound_by, notes=notes, launches=launches)
    check(result, limits)
    # Inputs of the large rows are tens of megabytes: let go of them before the next.
    case.arrays = {}
    case.__dict__.pop("reference", None)
    return result


def _timed(candidate: Candidate, case: Case) -> Timed:
    try:
        return _checked(candidate, case)
    finally:
        if candidate.close is not None:
            candidate.close()
        candidate.last = None


def _checked(candidate: Candidate, case: Case) -> Timed:
    if candidate.error is not None or not candidate.samples:
        return Timed(candidate.peer, candidate.form, None, None, candidate.error or "no samples")
    try:
        worst = case.error_of(candidate.read(candidate.last))
    except BaseException as error:  # noqa: BLE001
        return Timed(candidate.peer, candidate.form, stats(candidate.samples), None, f"no output: {failure(error)}")
    return Timed(candidate.peer, candidate.form, stats(candidate.samples), worst)


def row_dict(result: Result, columns: Sequence[str]) -> dict[str, Any]:
    """The cells of a row by column name; None is a blank."""
    mine = result.ours
    right = mine.stats if mine is not None and mine.counts else None
    fastest = result.fastest()
    cells: dict[str, Any] = {
        "suite": result.row.suite,
        "bench": result.row.bench,
        "shape": result.row.shape,
        "residency": result.row.residency,
        "form": result.row.form,
        "device": result.receipt["device"],
        "kernel": result.receipt["kernel"],
        "math": result.receipt["math"],
        "reason": result.receipt["reason"],
        "threads": result.threads,
        "lightning_core_ms": right.median * 1e3 if right else None,
        "lightning_core_p10_ms": right.p10 * 1e3 if right else None,
        "lightning_core_p90_ms": right.p90 * 1e3 if right else None,
        "lightning_core_n": right.n if right else None,
    }
    for column in columns:
        best = result.fastest(column)
        cells[f"{column}_ms"] = best.stats.median * 1e3 if best and best.stats else None
        cells[f"{column}_form"] = best.form if best else None
        cells[f"speedup_{column}_over_lc"] = (
            best.stats.median / right.median if best and best.stats and right else None
        )
    seconds = right.median if right else None
    cells |= {f"{column}_launches": count for column, count in result.launches.items()}
    cells |= {
        "fastest_peer": f"{fastest.peer} {fastest.form}" if fastest else None,
        "fastest_peer_ms": fastest.stats.median * 1e3 if fastest and fastest.stats else None,
        "speedup_fastest_peer_over_lc": result.speedup if right else None,
        "gflops": result.case.flops / seconds / 1e9 if seconds else None,
        "gbytes_per_s": result.case.traffic / seconds / 1e9 if seconds else None,
        "roofline_bound": result.bound_by,
        "roofline_ms": result.bound_s * 1e3,
        "roofline_share": result.roofline_share if right else None,
        "max_error": mine.max_error if mine else None,
        "tolerance": result.case.tolerance,
        "verified": bool(mine is not None and mine.counts),
        "failures": "; ".join(result.failures),
        "notes": "; ".join(result.notes),
    }
    return cells

