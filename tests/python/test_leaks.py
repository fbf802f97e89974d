"""Memory stays bounded over many calls, failed ones included."""

from __future__ import annotations

import gc
import resource
import sys

import lightning_core as lc
import numpy as np
import pytest

A = np.ones((8, 16), np.float32)
OUT = np.empty((8, 8), np.float32)
LIST = [1.0] * 8
WIDE = A.astype(np.float64)
X, W = np.ones((1, 2, 4, 4), np.float32), np.ones((2, 2, 3, 3), np.float32)


def resident_kib() -> int:
    gc.collect()
    if sys.platform == "linux":
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize() // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def fails(call):
    def wrapped():
        with pytest.raises(lc.LightningError):
            call()

    return wrapped


CALLS = {
    "new array": (100_000, lambda: lc.matmul2d(A, A.T)),
    "into": (100_000, lambda: lc.matmul2d_into(A, A.T, OUT)),
    "api out": (100_000, lambda: lc.api.matmul(A, A.T, out=OUT)),
    "converted": (20_000, lambda: lc.matmul2d(WIDE, WIDE.T)),
    "lists": (20_000, lambda: lc.vector_add(LIST, LIST)),
    "memoryview": (10_000, lambda: lc.matmul2d_into(memoryview(A), A.T, memoryview(OUT))),
    "attention": (20_000, lambda: lc.attention2d(A, A, A)),
    "pipeline": (10_000, lambda: lc.api.conv_attention_torchstrong_nchw(X, W, None, 4, 4, 1, 1, 1, 1)),
    "graph": (3_000, lambda: lc.api.conv_attention_torchstrong_nchw(X, W, None, 4, 4, 1, 1, 1, 1, execution_mode="graph")),
    "policies": (20_000, lambda: lc.Policy(device="cpu").replace(math="tf32")),
    "receipts": (20_000, lambda: lc.last_receipt()),
    "wrong shape": (5_000, fails(lambda: lc.matmul2d(A, A))),
    "wrong out": (5_000, fails(lambda: lc.matmul2d_into(A, A.T, WIDE))),
    "not an array": (5_000, fails(lambda: lc.matmul2d("x", A))),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_many_calls_do_not_grow(name):
    count, call = CALLS[name]
    for _ in range(max(count // 10, 300)):
        call()
    before = resident_kib()
    for _ in range(count):
        call()
    # A leak of one 64-byte object in each call would be 6 MiB in 100 000 calls.
    assert resident_kib() - before < 2048, f"grew by {resident_kib() - before} KiB"


def test_shapes_without_end_do_not_grow():
    """The memo of plans is bounded, whatever is called."""
    row = np.ones((1, 3000), np.float32)

    def round_():
        for n in range(1, 3000):
            lc.api.relu(row[:, :n])

    round_()
    before = resident_kib()
    for _ in range(5):
        round_()
    assert resident_kib() - before < 2048


def test_references_balance():
    a, out, policy = A.copy(), np.empty((8, 8), np.float32), lc.Policy(device="cpu")
    counts = [sys.getrefcount(o) for o in (a, out, policy)]
    for _ in range(1000):
        lc.matmul2d(a, a.T, policy=policy)
        lc.matmul2d_into(a, a.T, out)
        lc.api.matmul(a, a.T, out=out, policy=policy)
        with pytest.raises(lc.LightningError):
            lc.matmul2d(a, a, policy=policy)
    assert [sys.getrefcount(o) for o in (a, out, policy)] == counts
