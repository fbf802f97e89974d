"""Convolution and the conv → attention pipeline."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def reference(x, w, bias=None, stride=(1, 1), pad=(0, 0), dilation=(1, 1), groups=1):
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    n, c, _, _ = x.shape
    o, cg, kh, kw = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])))
    oh = (x.shape[2] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (x.shape[3] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, o, oh, ow))
    for g in range(groups):
        outs, ins = slice(g * o // groups, (g + 1) * o // groups), slice(g * cg, (g + 1) * cg)
        for i in range(kh):
            for j in range(kw):
                top, left = i * dilation[0], j * dilation[1]
                patch = x[:, ins, top : top + (oh - 1) * stride[0] + 1 : stride[0], left : left + (ow - 1) * stride[1] + 1 : stride[1]]
                y[:, outs] += np.einsum("nchw,oc->nohw", patch, w[outs, :, i, j])
    return y if bias is None else y + np.asarray(bias, np.float64).reshape(1, -1, 1, 1)


def attention(q, k, v, causal=False):
    q, k, v = (np.asarray(t, np.float64) for t in (q, k, v))
    s = q @ k.T / np.sqrt(q.shape[1])
    if causal:
        s = np.where(np.tril(np.ones_like(s)) > 0, s, -np.inf)
    p = np.exp(s - s.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) @ v


def pipeline(x, w, bias, seq_len, head_dim, **window):
    c = np.maximum(reference(x, w, bias, **window), 0).ravel()
    q, k, v = np.resize(c, (3, seq_len, head_dim))
    return attention(q, k, v).ravel()


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 3),
    c=st.integers(1, 5),
    o=st.integers(1, 6),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    pad=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    has_bias=st.booleans(),
    seed=st.integers(0, 9),
)
def test_conv_against_float64(n, c, o, size, kernel, stride, pad, has_bias, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, c, *size), np.float32)
    w = rng.standard_normal((o, c, *kernel), np.float32)
    bias = rng.standard_normal(o, np.float32) if has_bias else None
    if any(s + 2 * p < k for s, p, k in zip(size, pad, kernel)):
        with pytest.raises(lc.InvalidValueError):
            lc.conv2d_nchw(x, w, bias, *stride, *pad)
        return
    want = reference(x, w, bias, stride, pad)
    got = lc.conv2d_nchw(x, w, bias, *stride, *pad)
    assert got.shape == want.shape and got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    relu = lc.api.conv_relu_nchw(x, w, bias, *stride, *pad)
    np.testing.assert_allclose(relu, np.maximum(want, 0), rtol=1e-4, atol=1e-4)
    for function, expected in [(lc.conv2d_nchw_into, got), (lc.lightning_conv_relu_nchw_into, relu)]:
        out = np.full(want.shape, 7, np.float32)
        assert function(x, w, bias, out, *stride, *pad) is None
        np.testing.assert_array_equal(out, expected)


def test_api_conv2d_has_dilation_groups_activation_and_float64(rng):
    x, w, bias = rng.standard_normal((2, 4, 9, 8)), rng.standard_normal((6, 2, 3, 2)), rng.standard_normal(6)
    want = reference(x, w, bias, (2, 1), (1, 2), (2, 1), 2)
    got = lc.api.conv2d(x, w, bias, stride=(2, 1), padding=(1, 2), dilation=(2, 1), groups=2, activation="relu")
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, np.maximum(want, 0), rtol=1e-12, atol=1e-12)
    out = np.empty_like(got)
    assert lc.api.conv2d(x, w, bias, stride=(2, 1), padding=(1, 2), dilation=(2, 1), groups=2, out=out) is out
    np.testing.assert_allclose(out, want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(lc.api.conv2d(x, w[:, :2], stride=2, padding=1, groups=2), reference(x, w, None, (2, 2), (1, 1), groups=2))


def test_B1_weights_are_read_on_every_call(rng):
    x = rng.standard_normal((1, 5, 9, 9)).astype(np.float32)
    w = rng.standard_normal((7, 5, 5, 5)).astype(np.float32)
    base = lc.conv2d_nchw(x, w)
    for factor in [3, 5]:
        # Temporaries may take the same address one after the other.
        np.testing.assert_allclose(lc.conv2d_nchw(x, w * np.float32(factor)), factor * base, rtol=1e-4, atol=1e-3)
    changed = w.copy()
    first = lc.conv2d_nchw(x, changed)
    changed *= 2
    np.testing.assert_allclose(lc.conv2d_nchw(x, changed), 2 * first, rtol=1e-5, atol=1e-4)
    args = (rng.standard_normal((1, 3, 6, 6)).astype(np.float32),)
    w = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    for mode in ["eager", "graph"]:
        for factor in [1, 3]:
            got = lc.api.conv_attention_torchstrong_nchw(
                *args, w * np.float32(factor), None, 6, 4, 1, 1, 1, 1, execution_mode=mode
            )
            want = pipeline(*args, w * factor, None, 6, 4, pad=(1, 1))
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("seq_len,head_dim", [(4, 4), (6, 8), (48, 32), (1, 1)])
def test_B2_both_modes_apply_the_relu(rng, mode, seq_len, head_dim):
    x = rng.standard_normal((2, 3, 7, 6)).astype(np.float32)
    w = rng.standard_normal((5, 3, 3, 3)).astype(np.float32)
    bias = rng.standard_normal(5).astype(np.float32)
    want = pipeline(x, w, bias, seq_len, head_dim, pad=(1, 1))
    got = lc.lightning_conv_attention_torchstrong_nchw(
        x, w, bias, seq_len, head_dim, pad_h=1, pad_w=1, execution_mode=mode
    )
    assert got.shape == (seq_len * head_dim,) and got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    for shape in [(seq_len * head_dim,), (seq_len, head_dim)]:
        out = np.zeros(shape, np.float32)
        lc.api.conv_attention_torchstrong_nchw_into(
            x, w, bias, out, seq_len, head_dim, 1, 1, 1, 1, execution_mode=mode
        )
        np.testing.assert_array_equal(out.ravel(), got)


@pytest.mark.parametrize("mode", ["eager", "graph"])
@pytest.mark.parametrize("window", [(1, 1, 0, 0), (2, 1, 1, 0), (1, 3, 2, 2)])
def test_D7_the_default_window_and_any_other_work_in_both_modes(rng, mode, window):
    x = rng.standard_normal((1, 2, 8, 9)).astype(np.float32)
    w = rng.standard_normal((3, 2, 2, 3)).astype(np.float32)
    got = lc.api.conv_attention_torchstrong_nchw(x, w, None, 5, 4, *window, device="cpu", execution_mode=mode)
    np.testing.assert_allclose(got, pipeline(x, w, None, 5, 4, stride=window[:2], pad=window[2:]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("pad", [2**62, 2**63 - 1, 2**64, 2**31])
def test_B13_huge_pads_do_not_wrap(pad):
    x, w = np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 3, 3), np.float32)
    for call in [
        lambda: lc.conv2d_nchw(x, w, pad_h=pad, pad_w=pad),
        lambda: lc.conv2d_nchw(x, w, stride_h=pad + 1, pad_h=pad, pad_w=pad),
        lambda: lc.api.conv2d(x, w, padding=pad),
        lambda: lc.api.conv2d(x, w, dilation=pad),
        lambda: lc.api.conv_attention_torchstrong_nchw(x, w, None, pad, pad),
    ]:
        with pytest.raises((lc.InvalidValueError, lc.OutOfMemoryError)):
            call()


def test_arguments_are_checked():
    x, w = np.ones((1, 2, 5, 5), np.float32), np.ones((3, 2, 3, 3), np.float32)
    bad = [
        lambda: lc.conv2d_nchw(x[0], w),
        lambda: lc.conv2d_nchw(x, w[0]),
        lambda: lc.conv2d_nchw(x, w[:, :1]),
        lambda: lc.conv2d_nchw(x, w, np.ones(2, np.float32)),
        lambda: lc.conv2d_nchw(x, w, stride_h=0),
        lambda: lc.conv2d_nchw(x, w, stride_w=-1),
        lambda: lc.conv2d_nchw(x, w, pad_h=-1),
        lambda: lc.conv2d_nchw(x[:0], w),
        lambda: lc.conv2d_nchw(x[:, :, :2], w),
        lambda: lc.conv2d_nchw_into(x, w, None, np.zeros((1, 3, 3, 4), np.float32)),
        lambda: lc.conv2d_nchw_into(x, w, None, np.zeros(27, np.float32)),
        lambda: lc.api.conv2d(x, w, groups=2),
        lambda: lc.api.conv2d(x, w, stride=(1, 0)),
        lambda: lc.api.conv_attention_torchstrong_nchw(x, w, None, 0, 4),
        lambda: lc.api.conv_attention_torchstrong_nchw(x, w, None, 4, 4, execution_mode="lazy"),
    ]
    for call in bad:
        with pytest.raises(lc.InvalidValueError):
            call()
    for call in [lambda: lc.conv2d_nchw(x, w, stride_h=1.5), lambda: lc.api.conv2d(x, w, stride=(1, 2, 3))]:
        with pytest.raises((TypeError, ValueError)):
            call()


def test_bias_is_counted_not_shaped():
    x, w = np.ones((1, 2, 5, 5), np.float32), np.ones((3, 2, 3, 3), np.float32)
    want = lc.conv2d_nchw(x, w, np.array([1, 2, 3], np.float32))
    for bias in [[1, 2, 3], np.array([[1], [2], [3]]), (1.0, 2.0, 3.0), np.array([1, 9, 2, 9, 3], np.float32)[::2]]:
        np.testing.assert_array_equal(lc.conv2d_nchw(x, w, bias), want)
