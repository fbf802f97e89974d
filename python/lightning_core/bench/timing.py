"""How calls are timed: interleaved in rounds, several calls in one sample, order statistics.

A candidate is a statement and the names that it uses, compiled into a loop of its own, as :mod:`timeit` does: the loop
costs about 10 ns a call, where a closure would cost 50 ns more. Nothing is subtracted, on any side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np

#: A sample holds at least this much work, so that reading the clock (about 50 ns) is below 0.1 % of it.
MIN_SAMPLE_S = 60e-6
#: Every candidate is timed in at least this many separate slices of the run, so that a disturbance of the machine
#: that lasts for one slice cannot hit one candidate alone.
MIN_ROUNDS = 5
#: Longest rest before a slice. Thread pools spin after their last work, some for 40 ms; without a rest the pool of one
#: candidate would take a core from the next. The rest ends as soon as no thread of the process is busy.
REST_S = 0.1
#: A slice begins with untimed calls for this long, which wake the candidate's own threads and refill the caches.
WAKE_S = 0.4e-3

_LOOP = """
def loop(iterations, clock, {names}):
    result = None
    start = clock()
    for _ in iterations:
        result = None
        result = {stmt}
    return clock() - start, result
"""


@dataclass
class Candidate:
    """One way to compute a case: whose it is, in which form, and the statement that does it."""

    #: Column of the report, such as ``lightning_core`` or ``torch_cpu``.
    peer: str
    #: How the library is used, such as ``out=`` or ``iobinding``.
    form: str
    #: An expression; its value is the result, unless ``read`` says where the result lies.
    stmt: str
    #: The names that ``stmt`` uses.
    names: dict[str, Any]
    #: Turns the value of the last timed call into an array.
    read: Callable[[Any], Any] = np.asarray
    #: Overwrites the result's memory before timing, so that the check reads what the timed calls wrote.
    poison: Callable[[], None] | None = None
    #: Untimed preparation that the residency of the row allows: uploads, packing, compilation.
    prepare: Callable[[], None] | None = None
    #: Runs untimed before each slice of the run, for what the other candidates change.
    wake: Callable[[], None] | None = None
    #: Ends what ``prepare`` started.
    close: Callable[[], None] | None = None
    samples: list[float] = field(default_factory=list)
    #: Median of each round, in seconds: how far the machine drifted.
    rounds: list[float] = field(default_factory=list)
    calls: int = 1
    last: Any = None
    error: str | None = None
    max_error: float | None = None
    _loop: Callable[[Iterator[None]], tuple[float, Any]] | None = None

    @property
    def label(self) -> str:
        """Peer and form."""
        return f"{self.peer} {self.form}"

    def compiled(self) -> Callable[[Iterator[None]], tuple[float, Any]]:
        """The statement in its loop: takes an iterator of as many items as there are calls."""
        if self._loop is None:
            scope: dict[str, Any] = {}
            names = list(self.names)
            exec(_LOOP.format(names=", ".join(names), stmt=self.stmt), scope)
            inner, values, clock = scope["loop"], tuple(self.names.values()), time.perf_counter
            def timed(iterations: Iterator[None]) -> tuple[float, Any]:
                elapsed, result = inner(iterations, clock, *values)
                return elapsed, result

            self._loop = timed
        return self._loop

    def sample(self, calls: int) -> float:
        """Seconds a call, over ``calls`` calls; keeps the last result."""
        elapsed, self.last = self.compiled()(repeat(None, calls))
        return float(elapsed) / calls


@dataclass(frozen=True)
class Stats:
    """Order statistics of the samples of one candidate, in seconds a call."""

    median: float
    p10: float
    p90: float
    n: int


def stats(samples: Sequence[float]) -> Stats:
    """Median, 10th and 90th percentile (linear interpolation) and count."""
    if not samples:
        raise ValueError("stats: no samples")
    p10, median, p90 = (float(v) for v in np.percentile(np.asarray(samples, dtype=np.float64), [10, 50, 90]))
    return Stats(median, p10, p90, len(samples))


def failure(error: BaseException) -> str:
    """One line about an error of a candidate; a panic of native code is no ``Exception``, but a result all the same.

    Raises the error again if it asks the program to end.
    """
    if isinstance(error, KeyboardInterrupt | SystemExit):
        raise error
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def estimate(candidate: Candidate) -> float:
    """Warms a candidate up and returns about how many seconds a call takes."""
    if candidate.wake is not None:
        candidate.wake()
    first = candidate.sample(1)
    if first > 0.05:
        return min(first, candidate.sample(1))
    calls, once = 1, first
    deadline = time.perf_counter() + 0.03
    while time.perf_counter() < deadline:
        once = candidate.sample(calls)
        if once * calls < MIN_SAMPLE_S:
            calls = min(calls * 4, 1 << 16)
    return once


def rest_until_quiet(longest: float) -> None:
    """Sleeps until the threads of this process use hardly any processor time, at most ``longest`` seconds.

    Some pools sleep and spin by turns, so that quiet means quiet three times in a row.
    """
    step, quiet = 2e-3, 0
    end = time.perf_counter() + longest
    while quiet < 3 and time.perf_counter() < end:
        used, start = time.process_time(), time.perf_counter()
        time.sleep(step)
        busy = (time.process_time() - used) / (time.perf_counter() - start)
        quiet = quiet + 1 if busy < 0.15 else 0


def interleave(
    candidates: Sequence[Candidate],
    seconds: float,
    on_step: Callable[[], None] = lambda: None,
    rest: float = REST_S,
) -> None:
    """Times all candidates A B A B ... in rounds: about ``seconds`` seconds of work where calls are that short, and the
    rests between.

    A candidate that raises is marked and left out of the later rounds. The order within a round rotates, so that no
    candidate always follows the same other one.
    """
    live: list[tuple[Candidate, int, float]] = []
    for candidate in candidates:
        try:
            once = estimate(candidate)
        except BaseException as error:  # noqa: BLE001 - a failing candidate is a result, not the end of the run
            candidate.error = failure(error)
            continue
        candidate.calls = max(1, round(MIN_SAMPLE_S / max(once, 1e-9)))
        live.append((candidate, candidate.calls, once))
    if not live:
        return
    share = seconds / len(live)
    rounds = int(min(15, max(MIN_ROUNDS, share / 0.02)))
    for number in range(rounds):
        turn = number % len(live)
        for candidate, calls, once in live[turn:] + live[:turn]:
            if candidate.error:
                continue
            rest_until_quiet(rest)
            per_sample = calls * once
            count = int(min(400, max(1, share / rounds / per_sample)))
            try:
                if candidate.wake is not None:
                    candidate.wake()
                if once < 2e-3:
                    candidate.sample(max(1, int(WAKE_S / once)))
                taken = [candidate.sample(calls) for _ in range(count)]
            except BaseException as error:  # noqa: BLE001
                candidate.error = failure(error)
                continue
            candidate.samples += taken
            candidate.rounds.append(float(np.median(taken)))
            on_step()
