"""What more threads bring: one call of ours with every thread of the run, and the same with one thread, in turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lightning_core.bench import ours
from lightning_core.bench.cases import Case
from lightning_core.bench.timing import Candidate

FORM = "out=, all threads"
FORMS = (FORM,)
ONE_THREAD = "lc_one_thread"
#: The column of the other side.
COLUMNS = (ONE_THREAD,)


def _with(threads: int) -> Callable[[], None]:
    return lambda: ours.set_threads(threads)


def candidates(case: Case, threads: int, device: str) -> list[Candidate]:
    """The call with all threads and with one; the number is set before each slice, untimed."""
    made = [ours.candidate(case, ours.INTO, device) for _ in range(2)]
    every, one = (candidate for candidate in made if candidate is not None)
    return [
        replace(every, form=FORM, wake=_with(threads), close=_with(threads)),
        replace(one, peer=ONE_THREAD, form="out=, one thread", wake=_with(1), close=_with(threads)),
    ]
