"""Attention: the original's functions, and scaled_dot_product_attention."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def reference(q, k, v, causal=False, mask=None, scale=None):
    q, k, v = (np.asarray(t, np.float64) for t in (q, k, v))
    s = q @ np.swapaxes(k, -1, -2) * (scale or 1 / np.sqrt(q.shape[-1]))
    if mask is not None:
        s = s + mask
    if causal:
        s = np.where(np.tril(np.ones(s.shape[-2:])) > 0, s, -np.inf)
    top = s.max(axis=-1, keepdims=True)
    p = np.exp(s - np.where(np.isfinite(top), top, 0))
    total = p.sum(axis=-1, keepdims=True)
    return (p / np.where(total == 0, 1, total)) @ v


@settings(deadline=None, max_examples=60)
@given(rows=st.integers(1, 70), cols=st.integers(1, 40), causal=st.booleans(), seed=st.integers(0, 9))
def test_attention2d_against_float64(rows, cols, causal, seed):
    rng = np.random.default_rng(seed)
    q, k, v = (rng.standard_normal((rows, cols), np.float32) for _ in range(3))
    want = reference(q, k, v, causal)
    got = lc.attention2d(q, k, v, causal)
    assert got.shape == (rows, cols) and got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)
    out = np.full_like(q, 7)
    assert lc.attention2d_into(q, k, v, out, causal) is None
    np.testing.assert_array_equal(out, got)
    flat = lc.attention_forward(q, k.ravel(), v, rows, cols, causal)
    assert flat.shape == (rows * cols,)
    np.testing.assert_array_equal(flat, got.ravel())
    np.testing.assert_array_equal(lc.api.attention(q, k, v, rows, cols, causal), flat)
    out = np.zeros((cols, rows), np.float32)
    lc.lightning_attention_into(q, k, v, out, rows, cols, causal)
    np.testing.assert_array_equal(out.ravel(), flat)


def test_lists_give_lists():
    q = [1.0, 0.0, 0.0, 1.0]
    v = [10.0, 0.0, 0.0, 20.0]
    got = lc.attention_forward(q, q, v, 2, 2)
    assert isinstance(got, list)
    np.testing.assert_allclose(got, [6.6976, 6.6048, 3.3024, 13.3952], atol=1e-3)
    assert lc.attention_forward_with_policy(q, q, v, 2, 2, False, "cpu", lc.Policy()) == got


def test_inputs_of_every_layout(rng):
    q = rng.standard_normal((6, 5)).astype(np.float32)
    wide = np.zeros((12, 15), np.float32)
    wide[::2, ::3] = q
    want = lc.attention2d(q, q, q)
    for other in [np.asfortranarray(q), wide[::2, ::3], q[::-1][::-1], q.astype(np.float64), q.tolist()]:
        np.testing.assert_allclose(lc.attention2d(other, q, other), want, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(lc.attention2d(q, other, q), want, rtol=1e-6, atol=1e-6)


def test_B12_very_negative_scores_are_not_the_mask():
    q = np.full((4, 1), 1e16, np.float32)
    k = np.full((4, 1), -1e16, np.float32)
    v = np.arange(4, dtype=np.float32)[:, None]
    got = lc.attention2d(q, k, v, True)
    np.testing.assert_allclose(got[:, 0], [0, 0.5, 1, 1.5], rtol=1e-6)


def test_rows_that_see_nothing_are_zeros(rng):
    q = rng.standard_normal((3, 4)).astype(np.float32)
    mask = np.zeros((3, 3), np.float32)
    mask[1] = -np.inf
    got = lc.api.scaled_dot_product_attention(q, q, q, mask)
    np.testing.assert_array_equal(got[1], 0)
    np.testing.assert_allclose(got, reference(q, q, q, mask=mask), rtol=1e-5, atol=1e-5)


def test_nan_propagates(rng):
    q = rng.standard_normal((5, 4)).astype(np.float32)
    v = q.copy()
    v[2, 1] = np.nan
    assert np.isnan(lc.attention2d(q, q, v)[:, 1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("causal", [False, True])
def test_batches_heads_and_groups(rng, dtype, causal):
    q = rng.standard_normal((2, 4, 9, 8)).astype(dtype)
    k, v = rng.standard_normal((2, 2, 2, 9, 8)).astype(dtype)
    full = lambda t: np.repeat(t, 2, axis=1)
    got = lc.api.scaled_dot_product_attention(q, k, v, causal=causal)
    assert got.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got, reference(q, full(k), full(v), causal), rtol=tolerance, atol=tolerance)


def test_mask_scale_and_post_processing(rng):
    q, k, v = rng.standard_normal((3, 7, 6))
    allowed = rng.random((7, 7)) > 0.4
    allowed[:, 0] = True
    additive = np.where(allowed, 0.0, -np.inf)
    want = reference(q, k, v, mask=additive, scale=0.3)
    for mask in [allowed, additive, allowed.tolist() and additive.tolist()]:
        got = lc.api.scaled_dot_product_attention(q, k, v, mask, scale=0.3)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
    out = np.empty_like(q)
    post = dict(output_scale=0.5, output_bias=-0.1, output_relu=True)
    assert lc.api.scaled_dot_product_attention(q, k, v, additive, scale=0.3, out=out, **post) is out
    np.testing.assert_allclose(out, np.maximum(want * 0.5 - 0.1, 0), rtol=1e-12, atol=1e-12)


def test_D2_an_attention_io_policy_post_processes(rng):
    q = rng.standard_normal((4, 4)).astype(np.float32)
    policy = lc.AttentionIoPolicy()
    policy.output_scale, policy.output_bias, policy.output_relu = 0.5, -0.25, True
    want = np.maximum(reference(q, q, q) * 0.5 - 0.25, 0)
    got = lc.attention_forward_with_policy(q, q, q, 4, 4, False, "cpu", policy)
    np.testing.assert_allclose(np.reshape(got, (4, 4)), want, rtol=1e-5, atol=1e-5)
    policy.download_out = False
    np.testing.assert_array_equal(lc.attention_forward_with_policy(q, q, q, 4, 4, policy=policy), 0)


def test_arguments_are_checked():
    q = np.ones((4, 8), np.float32)
    bad = [
        lambda: lc.attention2d(q, q[:3], q),
        lambda: lc.attention2d(q, q, q.T),
        lambda: lc.attention2d(q[0], q[0], q[0]),
        lambda: lc.attention2d(q[None], q[None], q[None]),
        lambda: lc.attention2d(q[:0], q[:0], q[:0]),
        lambda: lc.attention2d(q, q, q, False, "tpu"),
        lambda: lc.attention2d_into(q, q, q, np.zeros(32, np.float32)),
        lambda: lc.attention_forward(q, q, q, 4, 7),
        lambda: lc.attention_forward(q, q, q, -4, -8),
        lambda: lc.attention_forward(q, q, q, 2**40, 2**40),
        lambda: lc.api.attention_into(q, q, q, np.zeros(31, np.float32), 4, 8),
        lambda: lc.api.scaled_dot_product_attention(q, q, q, scale=float("nan")),
        lambda: lc.api.scaled_dot_product_attention(q, q, q, scale=-1.0),
        lambda: lc.api.scaled_dot_product_attention(q, q, q, np.zeros((3, 4), np.float32)),
        lambda: lc.api.scaled_dot_product_attention(q, q, q, output_scale=float("nan")),
    ]
    for call in bad:
        with pytest.raises(lc.InvalidValueError):
            call()


def test_session_has_the_shape_of_q():
    q = np.ones((4, 8), np.float32)
    first, second = lc.attention2d_session(q), lc.attention2d_session(q, True, "cpu")
    assert isinstance(first, lc.AttentionSession) and first is not second
    with pytest.raises(ValueError):
        lc.attention2d_session(q[0])
