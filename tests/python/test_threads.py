"""Many Python threads on the same functions."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import lightning_core as lc
import numpy as np


def test_shared_functions_from_many_threads(rng):
    a = rng.standard_normal((33, 47)).astype(np.float32)
    q = rng.standard_normal((24, 16)).astype(np.float32)
    x, w = rng.standard_normal((1, 3, 9, 9)).astype(np.float32), rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    want = (lc.matmul2d(a, a.T), lc.attention2d(q, q, q, True), lc.api.conv_relu_nchw(x, w), lc.api.softmax(a))

    def work(seed):
        for step in range(50):
            device = ["auto", "cpu"][(seed + step) % 2]
            with lc.policy(device=device, fallback="deny"):
                got = (lc.matmul2d(a, a.T), lc.attention2d(q, q, q, True), lc.api.conv_relu_nchw(x, w), lc.api.softmax(a))
                assert lc.last_receipt().op == "softmax" and lc.last_receipt().requested_device == device
            for mine, reference in zip(got, want):
                np.testing.assert_array_equal(mine, reference)

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, seed) for seed in range(8)]:
            future.result()


def test_process_defaults_change_while_others_call():
    a = np.ones((8, 8), np.float32)
    stop = threading.Event()

    def flip():
        while not stop.is_set():
            lc.set_default_policy(lc.Policy(device="cpu", tune="off"))
            lc.runtime_sync_policy_set("never", True)
            lc.set_default_policy(lc.Policy(device="auto", tune="read-only"))
            lc.matmul_reset_tuning()

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        for _ in range(2000):
            assert lc.matmul2d(a, a)[0, 0] == 8
            assert lc.default_policy().tune in {"off", "read-only"}
    finally:
        stop.set()
        thread.join()


def test_D12_long_calls_release_the_interpreter_lock():
    """While one thread computes, another one gets to run Python code many times."""
    n = 1024
    a = np.ones((n, n), np.float32)
    lc.set_num_threads(1)
    ticks, inside, done = 0, threading.Event(), threading.Event()

    def compute():
        inside.set()
        for _ in range(3):
            lc.matmul2d(a, a)
        done.set()

    before = sys.getswitchinterval()
    # A lock that is only handed over on request would be kept for this long.
    sys.setswitchinterval(60)
    try:
        thread = threading.Thread(target=compute)
        thread.start()
        inside.wait()
        while not done.is_set():
            ticks += 1
            time.sleep(0)
        thread.join()
    finally:
        sys.setswitchinterval(before)
    assert ticks > 3


def test_one_output_for_each_thread(rng):
    a, b = rng.standard_normal((2, 256, 256)).astype(np.float32)
    want = lc.matmul2d(a, b)
    outs = [np.empty_like(a) for _ in range(4)]
    threads = [threading.Thread(target=lambda o=o: [lc.matmul2d_into(a, b, o) for _ in range(20)]) for o in outs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for out in outs:
        np.testing.assert_array_equal(out, want)
