"""Attention sessions: forward, training, cadence of the loss, and what stays resident."""

from __future__ import annotations

import threading

import lightning_core as lc
import numpy as np
import pytest

on_devices = pytest.mark.parametrize("device", ["cpu", "auto", "metal"])

pytestmark = pytest.mark.filterwarnings("ignore::lightning_core.FallbackWarning")


def weights(q, k, causal):
    score = q.astype(np.float64) @ k.astype(np.float64).T / np.sqrt(q.shape[1])
    if causal:
        score[np.triu_indices(len(q), 1)] = -np.inf
    p = np.exp(score - score.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def train_reference(q, k, v, target, rate, causal=False):
    p = weights(q, k, causal)
    out = p @ v.astype(np.float64)
    error = out - target
    return out, v - rate * (p.T @ (2 * error / error.size)), np.mean(error**2)


def close(got, want, tol=1e-4):
    want = np.asarray(want)
    np.testing.assert_allclose(np.asarray(got).reshape(want.shape), want, rtol=tol, atol=tol)


@pytest.fixture
def data(rng):
    return [rng.standard_normal((9, 6), np.float32) for _ in range(4)]


@on_devices
@pytest.mark.parametrize("causal", [False, True])
def test_forward(device, causal, data):
    q, k, v, _ = data
    session = lc.AttentionSession(9, 6, causal, device)
    want = weights(q, k, causal) @ v
    got = session.forward(q, k, v)
    assert type(got) is list and len(got) == 54
    close(got, want)
    close(session.forward(q.ravel().tolist(), k.tolist(), v.astype(np.float64)), want)
    out = np.empty(54, np.float32)
    session.forward_into(q, k, v, out)
    close(out.reshape(9, 6), want)
    policy = lc.AttentionIoPolicy(output_scale=0.5, output_bias=-0.25, output_relu=True)
    post = np.maximum(want * 0.5 - 0.25, 0)
    close(session.forward_with_policy(q, k, v, policy), post)
    session.forward_with_policy_into(q, k, v, out, policy)
    close(out.reshape(9, 6), post)
    close(session.forward(q, k, v), want)
    session.set_default_policy(policy)
    policy.output_scale = 9.0
    close(session.forward(q, k, v), post)


@on_devices
def test_the_original_s_example(device):
    eye, v = np.eye(2, dtype=np.float32), np.array([[10, 0], [0, 20]], np.float32)
    session = lc.AttentionSession(2, 2, device=device)
    close(session.forward(eye, eye, v), [[6.6976, 6.6048], [3.3024, 13.3952]], 1e-4)


@on_devices
@pytest.mark.parametrize("causal", [False, True])
def test_train_step(device, causal, data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, causal, device)
    before = v.copy()
    out, new_v, loss = session.train_step(q, k, v, target, 0.5)
    want_out, want_v, want_loss = train_reference(q, k, v, target, 0.5, causal)
    assert type(out) is list and type(new_v) is list and type(loss) is float
    close(out, want_out)
    close(new_v, want_v)
    assert loss == pytest.approx(want_loss, rel=1e-4)
    np.testing.assert_array_equal(v, before)
    # Other learning rates and post-processing, which is no part of training.
    policy = lc.AttentionIoPolicy(output_scale=3.0, output_relu=True)
    _, new_v, loss = session.train_step_with_policy(q, k, v, target, 2.0, policy)
    _, want_v, want_loss = train_reference(q, k, v, target, 2.0, causal)
    close(new_v, want_v)
    assert loss == pytest.approx(want_loss, rel=1e-4)


@on_devices
def test_training_lowers_the_loss(device, data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, device=device)
    losses = []
    for _ in range(20):
        _, v, loss = session.train_step(q, k, v, target, 1.0)
        losses.append(loss)
    assert losses == sorted(losses, reverse=True) and 0 < losses[-1] < losses[0]


@on_devices
def test_resident_training_goes_on_from_its_own_values(device, data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, device=device)
    quiet = {"download_out": False, "download_v": False}
    start = lc.AttentionIoPolicy(**quiet)
    run = lc.AttentionIoPolicy(upload_q=False, upload_k=False, upload_v=False, upload_target=False, **quiet)
    finish = lc.AttentionIoPolicy(upload_q=False, upload_k=False, upload_v=False, upload_target=False)
    want = v.astype(np.float64)
    out, new_v, loss = session.train_step_with_policy(q, k, v, target, 0.7, start)
    assert out == [0.0] * 54, "not downloaded"
    close(new_v, v)
    for _ in range(3):
        _, want, _ = train_reference(q, k, want, target, 0.7)
        out, new_v, _ = session.train_step_with_policy(None, None, None, None, 0.7, run)
        assert out == [0.0] * 54 and new_v == [0.0] * 54
    _, want, _ = train_reference(q, k, want, target, 0.7)
    want_out, want, want_loss = train_reference(q, k, want, target, 0.7)
    out, new_v, loss = session.train_step_with_policy(None, None, None, None, 0.7, finish)
    close(out, want_out)
    close(new_v, want)
    assert loss == pytest.approx(want_loss, rel=1e-4)


@on_devices
@pytest.mark.parametrize("name", ["q", "k", "v", "target"])
def test_d2_uploads_are_honoured(device, name, data):
    session = lc.AttentionSession(9, 6, device=device)
    policy = lc.AttentionIoPolicy(**{f"upload_{name}": False})
    with pytest.raises(lc.NotInitializedError) as caught:
        session.train_step_with_policy(*data, 0.1, policy)
    assert caught.value.argument == name
    assert session.steps == 0
    session.train_step(*data, 0.1)
    changed = list(data)
    index = ["q", "k", "v", "target"].index(name)
    changed[index] = np.full((9, 6), np.nan, np.float32)
    out, new_v, _ = session.train_step_with_policy(*changed, 0.1, policy)
    assert np.isfinite(out).all() and np.isfinite(new_v).all(), "the resident operand was used"
    if name != "target":
        with pytest.raises(lc.NotInitializedError):
            session.forward_with_policy(*data[:3], policy)
        session.forward(*data[:3])
        assert np.isfinite(session.forward_with_policy(*changed[:3], policy)).all()


@on_devices
def test_d2_downloads_are_honoured(device, data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, device=device)
    silent = lc.AttentionIoPolicy(download_out=False)
    out = np.full((9, 6), 7, np.float32)
    session.forward_with_policy_into(q, k, v, out, silent)
    assert (out == 7).all()
    assert session.forward_with_policy(q, k, v, silent) == [0.0] * 54
    got, new_v, loss = session.train_step_with_policy(q, k, v, target, 0.1, silent)
    _, want_v, want_loss = train_reference(q, k, v, target, 0.1)
    assert got == [0.0] * 54 and loss == pytest.approx(want_loss, rel=1e-4)
    close(new_v, want_v)


@on_devices
def test_d13_every_loss_is_fresh_unless_asked(device, data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, device=device)
    assert (session.steps, session.last_loss_step) == (0, 0)
    for step in range(1, 6):
        want = train_reference(q, k, v, target, 1.0)[2]
        _, v, loss = session.train_step(q, k, v, target, 1.0)
        v = np.asarray(v, np.float32).reshape(9, 6)
        assert loss == pytest.approx(want, rel=1e-4) and session.last_loss_step == step


@pytest.mark.parametrize(
    ("every", "shape", "period"),
    [(3, (9, 6), 3), (1, (9, 6), 1), (-5, (9, 6), 1), (0, (9, 6), 4), (0, (256, 64), 32), (0, (512, 64), 8)],
)
def test_d13_a_stale_loss_says_of_which_step_it_is(every, shape, period, rng):
    q, k, target = (rng.standard_normal(shape, np.float32) for _ in range(3))
    v = rng.standard_normal(shape, np.float32)
    session = lc.AttentionSession(*shape, device="cpu")
    policy = lc.AttentionIoPolicy(loss_every=every, upload_v=False, download_out=False, download_v=False)
    first = lc.AttentionIoPolicy(loss_every=every, download_out=False, download_v=False)
    losses, sources = [], []
    for step in range(period + 2):
        *_, loss = session.train_step_with_policy(q, k, v, target, 5.0, first if step == 0 else policy)
        losses.append(loss)
        sources.append(session.last_loss_step)
    assert sources == [1 + period * (step // period) for step in range(period + 2)]
    assert len(set(losses[:period])) == 1 and losses[period] < losses[0]


def test_b4_operands_and_rates(data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, device="cpu")
    short = np.zeros(53, np.float32)
    out = np.full(54, 7, np.float32)
    for i, name in enumerate("qkv"):
        given = [q, k, v]
        given[i] = short
        with pytest.raises(ValueError, match=f"`{name}`"):
            session.forward(*given)
        with pytest.raises(ValueError, match=f"`{name}`"):
            session.forward_into(*given, out)
        with pytest.raises(ValueError, match=f"`{name}`"):
            session.train_step(*given, target, 0.1)
    with pytest.raises(ValueError):
        session.forward(short, short, short)  # of one length, but not the session's
    with pytest.raises(ValueError, match="target"):
        session.train_step(q, k, v, short, 0.1)
    with pytest.raises(ValueError, match="`out`"):
        session.forward_into(q, k, v, short)
    for wrong in (np.zeros(54), [0.0] * 54):
        with pytest.raises(TypeError, match="`out`"):
            session.forward_into(q, k, v, wrong)
    with pytest.raises(TypeError):
        session.forward(None, k, v)
    for rate in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="learning_rate"):
            session.train_step(q, k, v, target, rate)
    for wrong in (None, 1, "cpu"):
        with pytest.raises(TypeError):
            session.forward_with_policy(q, k, v, wrong)
        with pytest.raises(TypeError):
            session.set_default_policy(wrong)
    assert (out == 7).all() and session.steps == 0
    for sizes in ((0, 1), (1, 0), (-1, 2), (2**40, 2**40)):
        with pytest.raises(ValueError):
            lc.AttentionSession(*sizes)
    session.train_step(q, k, v, target, 0.1)  # and it still works


def test_an_out_that_overlaps_an_input_is_refused(data):
    q, k, v, _ = data
    before = q.copy()
    with pytest.raises(ValueError, match="overlap"):
        lc.AttentionSession(9, 6, device="cpu").forward_into(q, k, v, q)
    np.testing.assert_array_equal(q, before)


def test_sessions_from_functions(data):
    q, k, v, _ = data
    session = lc.attention2d_session(q, True, "cpu")
    assert (session.seq_len, session.head_dim, session.device) == (9, 6, "cpu")
    assert session is not lc.attention2d_session(q, True, "cpu")
    close(session.forward(q, k, v), weights(q, k, True) @ v)
    assert lc.clear_attention2d_session_cache() is None
    assert "seq_len=9" in repr(session) and session.resident_bytes >= 4 * q.nbytes


def test_two_sessions_coexist(rng):
    sessions, wants = [], []
    for _ in range(2):
        q, k, v, target = (rng.standard_normal((5, 4), np.float32) for _ in range(4))
        session = lc.AttentionSession(5, 4, device="cpu")
        session.train_step(q, k, v, target, 0.3)
        _, v1, _ = train_reference(q, k, v, target, 0.3)
        sessions.append(session)
        wants.append(train_reference(q, k, v1, target, 0.3)[1])
    again = lc.AttentionIoPolicy(upload_q=False, upload_k=False, upload_v=False, upload_target=False)
    for session, want in zip(sessions, wants, strict=True):
        _, new_v, _ = session.train_step_with_policy(None, None, None, None, 0.3, again)
        close(new_v, want)


@on_devices
def test_d13_threads_share_a_session(device, data):
    q, k, v, target = data
    session = lc.AttentionSession(9, 6, device=device)
    policy = lc.AttentionIoPolicy(loss_every=2)
    losses, failures = [], []

    def work():
        try:
            for _ in range(16):
                out, new_v, loss = session.train_step_with_policy(q, k, v, target, 0.01, policy)
                assert np.isfinite(out).all() and np.isfinite(new_v).all()
                losses.append(loss)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures and len(losses) == 64
    want = train_reference(q, k, v, target, 0.01)[2]
    np.testing.assert_allclose(losses, want, rtol=1e-4)
    assert session.steps == 64 and session.last_loss_step == 63
