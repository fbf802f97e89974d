"""Attention sessions: forward, policies, training."""

from __future__ import annotations

import threading

import lightning_core as lc
import numpy as np
import pytest


def rand(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def reference(q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool = False) -> np.ndarray:
    scores = q.astype(np.float64) @ k.T / np.sqrt(q.shape[1])
    if causal:
        scores[np.triu_indices(len(q), 1)] = -np.inf
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) @ v


def test_forward_of_two_rows() -> None:
    eye = np.eye(2, dtype=np.float32)
    v = np.array([[10, 0], [0, 20]], np.float32)
    got = lc.AttentionSession(2, 2).forward(eye, eye, v)
    np.testing.assert_allclose(got, [6.6976, 6.6048, 3.3024, 13.3952], atol=1e-3)


@pytest.mark.parametrize("causal", [False, True])
def test_forward_into_and_lists(causal: bool) -> None:
    q, k, v = (rand(9, 5, seed=s) for s in (1, 2, 3))
    session = lc.AttentionSession(9, 5, causal)
    out = np.empty((9, 5), np.float32)
    session.forward_into(q, k, v, out)
    np.testing.assert_allclose(out, reference(q, k, v, causal), atol=1e-5)
    np.testing.assert_allclose(session.forward(q.tolist(), k, v), out.ravel(), atol=1e-6)


def test_post_processing_is_scale_then_bias_then_relu() -> None:
    q, k, v = (rand(6, 4, seed=s) for s in (4, 5, 6))
    policy = lc.AttentionIoPolicy()
    policy.output_scale, policy.output_bias, policy.output_relu = 0.5, -0.2, True
    got = lc.AttentionSession(6, 4).forward_with_policy(q, k, v, policy)
    np.testing.assert_allclose(got, np.maximum(reference(q, k, v) * 0.5 - 0.2, 0).ravel(), atol=1e-5)
    session = lc.AttentionSession(6, 4)
    session.set_default_policy(policy)
    np.testing.assert_allclose(session.forward(q, k, v), got, atol=1e-6)


def test_D2_transfer_flags_are_honoured_on_the_cpu() -> None:
    q, k, v = (rand(7, 3, seed=s) for s in (7, 8, 9))
    session = lc.AttentionSession(7, 3, device="cpu")
    resident = lc.AttentionIoPolicy()
    resident.upload_q = resident.upload_k = resident.upload_v = False
    with pytest.raises(lc.NotInitializedError, match="`q`"):
        session.forward_with_policy(q, k, v, resident)
    want = session.forward(q, k, v)
    np.testing.assert_array_equal(session.forward_with_policy(q * 0, k * 0, v * 0, resident), want)
    silent = lc.AttentionIoPolicy()
    silent.download_out = False
    assert session.forward_with_policy(q, k, v, silent) == [0.0] * 21
    out = np.full((7, 3), 9.0, np.float32)
    session.forward_with_policy_into(q, k, v, out, silent)
    assert (out == 9.0).all()


def test_training_step_follows_the_gradient() -> None:
    q, k, v, target = (rand(8, 4, seed=s) for s in (10, 11, 12, 13))
    session = lc.AttentionSession(8, 4)
    kept = v.copy()
    out, new_v, loss = session.train_step(q, k, v, target, 0.01)
    np.testing.assert_array_equal(v, kept)
    want = reference(q, k, v)
    np.testing.assert_allclose(out, want.ravel(), atol=1e-5)
    assert loss == pytest.approx(((want - target) ** 2).mean(), rel=1e-4)
    weights = reference(q, k, np.eye(8, dtype=np.float32))
    gradient = weights.T @ (2 * (want - target) / want.size)
    np.testing.assert_allclose(new_v, (v - 0.01 * gradient).ravel(), atol=1e-5)
    losses = []
    for _ in range(20):
        _, new_v, loss = session.train_step(q, k, v, target, 1.0)
        v = np.array(new_v, np.float32).reshape(8, 4)
        losses.append(loss)
    assert all(b < a for a, b in zip(losses, losses[1:]))


def test_D13_losses_are_fresh_unless_asked_otherwise() -> None:
    q, k, v, target = (rand(8, 4, seed=s) for s in (14, 15, 16, 17))
    session = lc.AttentionSession(8, 4, device="auto")
    for step in range(1, 4):
        session.train_step(q, k, v * step, target, 0.1)
        assert session.last_loss_step == step
    policy = lc.AttentionIoPolicy()
    policy.loss_every = 2
    sparse = lc.AttentionSession(8, 4)
    seen = [sparse.train_step_with_policy(q, k, v * step, target, 0.1, policy)[2] for step in range(4)]
    assert seen[0] == seen[1] and seen[2] == seen[3] and seen[0] != seen[2]
    assert sparse.last_loss_step == 3


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_bad_learning_rates(rate: float) -> None:
    a = rand(3, 3)
    with pytest.raises(ValueError):
        lc.AttentionSession(3, 3).train_step(a, a, a, a, rate)


@pytest.mark.parametrize("sizes", [(0, 4), (4, 0), (1 << 40, 1 << 40)])
def test_bad_sizes(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError):
        lc.AttentionSession(*sizes)


def test_four_threads_train_on_one_session() -> None:
    q, k, v, target = (rand(16, 8, seed=s) for s in (18, 19, 20, 21))
    session = lc.AttentionSession(16, 8)
    policy = lc.AttentionIoPolicy()
    policy.loss_every = 2
    losses: list[float] = []

    def work() -> None:
        for _ in range(16):
            losses.append(session.train_step_with_policy(q, k, v, target, 0.01, policy)[2])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(losses) == 64 and all(np.isfinite(x) and x >= 0 for x in losses)
