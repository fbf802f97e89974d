"""What the machine can do: multiply-adds a second, and bytes a second by the size of the data.

The native extension measures both with loops of its own. Without that, the best rate of an installed BLAS stands in
for the peak, and NumPy's copy, add and dot for the memory: lower bounds, and marked so. Memory limits are then left out
for small data, where the cost of NumPy's calls would hide them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lightning_core.bench.cases import Case

#: Data of one measurement, over all threads: from the first level of the cache to memory.
FOOTPRINTS = (24 << 10, 96 << 10, 384 << 10, 1 << 20, 3 << 20, 8 << 20, 24 << 20, 96 << 20, 192 << 20)
#: A row may be this much above a measured limit before it counts as impossible: limits are measured too, and the
#: clock of a shared machine drifts.
SLACK_MEASURED = 1.08
#: The same where the limit is only a lower bound.
SLACK_BOUND = 1.6


@dataclass(frozen=True)
class Limits:
    """Measured limits of the machine, for the number of threads that the run uses."""

    threads: int
    #: float32 operations a second; a multiply-add is two.
    flops: float
    flops_source: str
    #: (bytes of data, bytes a second), by size; each byte counted once for each time it is read or written.
    bandwidth: tuple[tuple[int, float], ...]
    bandwidth_source: str
    #: How far a row may be above before it counts as impossible.
    slack: float
    #: Measures the rate for data of some size anew; None where that is no loop of its own.
    again: Callable[[int], float] | None = field(default=None, compare=False, repr=False)

    def bandwidth_for(self, footprint: float) -> float | None:
        """The rate for data of that size: that of the largest measured size that is no larger, so that a level of the
        cache that just fits counts as one that fits. None below the smallest."""
        rate = None
        for size, value in self.bandwidth:
            if size <= footprint * 1.1:
                rate = value
        if rate is None and self.bandwidth and footprint >= self.bandwidth[0][0] / 64 and self.slack < SLACK_BOUND:
            rate = self.bandwidth[0][1]
        return rate

    def remeasured(self, footprint: float) -> Limits:
        """These limits with the rate for data of that size as it is now, if it is higher than it was. The caches of a
        shared machine have other users, who come and go within minutes."""
        places = [i for i, (size, _) in enumerate(self.bandwidth) if size <= footprint * 1.1]
        if self.again is None or not places:
            return self
        curve = list(self.bandwidth)
        size, before = curve[places[-1]]
        curve[places[-1]] = (size, max(before, self.again(size)))
        return replace(self, bandwidth=_falling(tuple(curve)))

    def bound(self, case: Case) -> tuple[float, str]:
        """Least seconds that the case can take, and what limits it: ``compute`` or ``memory``."""
        compute = case.flops / self.flops
        rate = self.bandwidth_for(case.traffic)
        memory = case.traffic / rate if rate else 0.0
        return (memory, "memory") if memory > compute else (compute, "compute")

    def as_dict(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "threads": self.threads,
            "gflops": self.flops / 1e9,
            "gflops_source": self.flops_source,
            "bandwidth": [{"bytes": size, "gbytes_per_s": rate / 1e9} for size, rate in self.bandwidth],
            "bandwidth_source": self.bandwidth_source,
            "slack": self.slack,
        }


def measure(threads: int) -> Limits:
    """Measures the limits; takes about two seconds."""
    import lightning_core

    native = getattr(lightning_core, "_native", None)
    peak = getattr(native, "_measure_peak_flops", None)
    stream = getattr(native, "_measure_bandwidth", None)
    if peak is not None:
        flops, flops_source = max(float(peak(threads)) for _ in range(20)), "multiply-add loop"
    else:
        flops, flops_source = _blas_rate(), "best BLAS rate, a lower bound"
    again: Callable[[int], float] | None = None
    if stream is not None:
        again = lambda size: float(stream(size, threads))  # noqa: E731
        curve = tuple((size, float(stream(size, threads))) for size in FOOTPRINTS)
        source = "add loop, plain or streaming stores"
    else:
        curve = tuple((size, _numpy_rate(size, threads)) for size in FOOTPRINTS if size >= 384 << 10)
        source = "NumPy copy, add and dot, a lower bound"
    slack = SLACK_MEASURED if peak is not None and stream is not None else SLACK_BOUND
    return Limits(threads, flops, flops_source, _falling(curve), source, slack, again)


def _falling(curve: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    # A larger size can do no better than a smaller one has to: noise that says otherwise lifts the smaller.
    lifted: list[tuple[int, float]] = []
    best = 0.0
    for size, rate in reversed(curve):
        best = max(best, rate)
        lifted.append((size, best))
    return tuple(reversed(lifted))


def _best_rate(work: Callable[[], Any], amount: float, seconds: float = 0.12) -> float:
    work()
    best, end = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = max(best, amount / (time.perf_counter() - start))
    return best


def _blas_rate() -> float:
    n = 768
    a, b, c = (np.ones((n, n), np.float32) for _ in range(3))
    return _best_rate(lambda: np.matmul(a, b, out=c), 2.0 * n**3, 0.5)


def _numpy_rate(footprint: int, threads: int) -> float:
    """Best bytes a second of copy, add and dot, each thread on data of its own."""
    best = 0.0
    for arrays, run in (
        (2, lambda t: np.copyto(t[1], t[0])),
        (3, lambda t: np.add(t[0], t[1], out=t[2])),
        (2, lambda t: np.dot(t[0], t[1])),
    ):
        length = footprint // (4 * arrays * threads)
        parts = [[np.ones(length, np.float32) for _ in range(arrays)] for _ in range(threads)]
        amount = 4.0 * arrays * length
        calls = max(1, int(2e-3 * 20e9 / amount))
        barrier = threading.Barrier(threads)

        def work(
            part: list[Any], run: Callable[[list[Any]], Any] = run, calls: int = calls, barrier: Any = barrier
        ) -> tuple[float, float]:
            barrier.wait()
            start = time.perf_counter()
            for _ in range(calls):
                run(part)
            return start, time.perf_counter()

        with ThreadPoolExecutor(threads) as pool:
            for _ in range(6):
                spans = list(pool.map(work, parts))
                wall = max(end for _, end in spans) - min(start for start, _ in spans)
                best = max(best, amount * calls * threads / wall)
    return best
