"""Resident sessions: one meaning on every device, checked sizes, buffers of their own."""

from __future__ import annotations

import threading

import lightning_core as lc
import numpy as np
import pytest


def rand(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_matmul_start_run_finish() -> None:
    a = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    b = np.array([[7, 8], [9, 10], [11, 12]], np.float32)
    session = lc.MatMulMetalResidentSession(2, 3, 2)
    out = np.zeros((2, 2), np.float32)
    session.start_into(a, b, out)
    session.run_into(a, b, out)
    session.finish_into(a, b, out)
    assert out.tolist() == [[58, 64], [139, 154]]


def test_B14_lists_hold_the_values_and_into_writes_only_at_the_end() -> None:
    a, b = rand(4, 5, seed=1), rand(5, 3, seed=2)
    want = (a @ b).ravel()
    session = lc.matmul2d_resident_session(a, b)
    np.testing.assert_allclose(session.start(a, b, 12), want, rtol=1e-5)
    np.testing.assert_allclose(session.run(a, b, 12), want, rtol=1e-5)
    np.testing.assert_allclose(session.sync(a, b, 12), want, rtol=1e-5)
    np.testing.assert_allclose(session.finish(a, b, 12), want, rtol=1e-5)
    out = np.full((4, 3), 7.0, np.float32)
    session.start_into(a, b, out)
    session.run_into(a, b, out)
    session.sync_into(a, b, out)
    session.run_batch_sync_no_download_into(a, b, out, 4)
    session.run_batch_sync_cached_no_download(3)
    assert (out == 7.0).all()
    session.finish_into(a, b, out)
    np.testing.assert_allclose(out.ravel(), want, rtol=1e-5)
    elementwise = lc.MatrixElemwiseMetalResidentSession(3, 4)
    x, y = rand(3, 4, seed=3), rand(3, 4, seed=4)
    np.testing.assert_array_equal(elementwise.sub(x, y, 12), (x - y).ravel())
    np.testing.assert_array_equal(elementwise.div(x, y, 12), (x / y).ravel())
    np.testing.assert_array_equal(lc.VectorAddMetalResidentSession(12).add(x, y, 12), (x + y).ravel())


def test_D4_batches_download_where_they_have_an_out_in_float32() -> None:
    a, b = rand(300, 260, seed=5) * 3, rand(260, 270, seed=6)
    out = np.empty((300, 270), np.float32)
    session = lc.matmul2d_resident_session(a, b)
    session.start_into(a, b, out)
    session.run_batch_sync_into(a, b, out, 8)
    np.testing.assert_allclose(out, a.astype(np.float64) @ b, atol=2e-4)


def test_run_uses_what_is_resident_and_not_the_arguments() -> None:
    a, b = rand(3, 3, seed=7), rand(3, 3, seed=8)
    session = lc.matmul2d_resident_session(a, b)
    session.start_into(a, b, np.empty((3, 3), np.float32))
    want = a @ b
    a[:] = 0
    out = np.empty((3, 3), np.float32)
    session.run_into(a, b, out)
    session.finish_into(a, b, out)
    np.testing.assert_allclose(out, want, rtol=1e-5)


def test_run_before_start_is_not_initialized() -> None:
    session = lc.MatMulMetalResidentSession(2, 2, 2)
    a = rand(2, 2)
    with pytest.raises(lc.NotInitializedError, match="^not initialized"):
        session.run_into(a, a, np.empty((2, 2), np.float32))
    with pytest.raises(lc.NotInitializedError):
        session.finish_into(a, a, np.empty((2, 2), np.float32))


def test_B4_every_array_is_checked_against_the_session() -> None:
    session = lc.MatMulMetalResidentSession(4, 4, 4)
    good, short = rand(4, 4), rand(4, 3)
    out = np.full((4, 4), 5.0, np.float32)
    for a, b in [(short, good), (good, short)]:
        with pytest.raises(ValueError):
            session.start_into(a, b, out)
        with pytest.raises(ValueError):
            session.start(a, b, 16)
    for size in (0, 1, 15, 17, 1 << 40):
        with pytest.raises(ValueError):
            session.start(good, good, size)
    for bad in (np.empty((4, 3), np.float32), np.empty(15, np.float32)):
        with pytest.raises(ValueError):
            session.start_into(good, good, bad)
    with pytest.raises(TypeError):
        session.start_into(good, good, np.empty((4, 4), np.float64))
    assert (out == 5.0).all()
    attention = lc.AttentionSession(4, 4)
    for call in (lambda: attention.forward(short, short, short), lambda: attention.forward_into(good, good, good, short)):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(ValueError):
        attention.train_step(good, good, good, short, 0.1)


def test_B7_sessions_coexist() -> None:
    pairs = [(rand(n, n, seed=n), rand(n, n, seed=n + 1)) for n in (5, 64, 33)]
    sessions = [lc.matmul2d_resident_session(a, b) for a, b in pairs]
    for session, (a, b) in zip(sessions, pairs):
        session.start_into(a, b, np.empty_like(a))
    lc.matmul2d(*pairs[1])
    for session, (a, b) in zip(sessions, pairs):
        out = np.empty_like(a)
        session.run_into(a, b, out)
        session.finish_into(a, b, out)
        np.testing.assert_allclose(out, a @ b, atol=1e-4)


def test_B15_repeat_counts_and_phases_are_bounded_and_strict() -> None:
    a = rand(2, 2)
    session = lc.MatMulMetalResidentSession(2, 2, 2)
    session.start_into(a, a, np.empty((2, 2), np.float32))
    for count in (0, 1 << 40, (1 << 64) - 1):
        with pytest.raises(ValueError):
            session.run_batch_sync_cached_no_download(count)
    with pytest.raises((ValueError, TypeError, OverflowError)):
        session.run_batch_sync_cached_no_download(-1)
    x, w, b = rand(1, 2, 5, 5), rand(3, 2, 3, 3), rand(3)
    out = np.empty((1, 3, 5, 5), np.float32)
    for phase in ("run_batch_sync:-1", "run_batch_sync:0", "run_batch_sync:x", "run_batch_sync:2x", "go", "start "):
        with pytest.raises(ValueError):
            lc.conv2d_nchw_metal_resident(x, w, b, out, 1, 1, 1, 1, phase)


def test_conv_phases_and_D6_no_bias_means_no_bias() -> None:
    x, w, b = rand(2, 3, 9, 7, seed=9), rand(4, 3, 3, 3, seed=10), rand(4, seed=11)
    out = np.empty((2, 4, 9, 7), np.float32)
    for bias in (b, None):
        want = lc.api.conv_relu_nchw(x, w, bias, pad_h=1, pad_w=1)
        session = lc.Conv2dMetalResidentSession(2, 3, 9, 7, 4, 3, 3, 1, 1, 1, 1)
        session.start_into(x, w, bias, out)
        session.run_into(x, w, bias, out)
        session.sync_into(x, w, bias, out)
        session.finish_into(x, w, bias, out)
        np.testing.assert_allclose(out, want, atol=1e-5)
        session.run_batch_sync_into(x, w, bias, out, 3)
        np.testing.assert_allclose(out, want, atol=1e-5)
    plain = lc.conv2d_nchw(x, w, b, 1, 1, 1, 1)
    for phase in ("start", "run", "run_batch_sync:2", "run_batch_sync", "sync", "finish"):
        lc.conv2d_nchw_metal_resident(x, w, b, out, 1, 1, 1, 1, phase)
    np.testing.assert_allclose(out, plain, atol=1e-5)


def test_session_policies_are_below_scopes() -> None:
    session = lc.MatMulMetalResidentSession(2, 2, 2, device="cpu")
    assert session.device == "cpu"
    with pytest.raises(lc.NotSupportedError):
        lc.MatMulMetalResidentSession(2, 2, 2, device="metal", policy=lc.Policy(fallback="deny"))
    with lc.policy(fallback="deny"), pytest.raises(lc.NotSupportedError):
        lc.VectorAddMetalResidentSession(4, device="cuda")


def test_shared_session_from_several_threads() -> None:
    a, b = rand(24, 24, seed=12), rand(24, 24, seed=13)
    session = lc.matmul2d_resident_session(a, b)
    session.start_into(a, b, np.empty_like(a))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(200):
                out = np.empty_like(a)
                session.run_into(a, b, out)
                session.finish_into(a, b, out)
                np.testing.assert_allclose(out, a @ b, atol=1e-4)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
