"""``lc.graph``: functions recorded, fused and run as one plan."""

import json
import xml.etree.ElementTree as ET

import lightning_core as lc
import numpy as np
import pytest


def values(shape, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def block(x, w1, b1, w2, b2, gamma, beta, wp):
    normal = lc.api.layer_norm(x, gamma, beta)
    projected = lc.api.linear(normal, wp)
    hidden = lc.api.gelu(lc.api.linear(projected, w1, b1))
    return lc.api.linear(hidden, w2, b2)


def test_a_block_is_two_launches_and_equals_eager():
    d, h = 16, 32
    weights = [values((h, d), 1), values(h, 2), values((d, h), 3), values(d, 4)]
    weights += [values(d, 5), values(d, 6), values((d, d), 7)]
    x = values((5, d))
    traced = lc.graph(lambda x: block(x, *weights))
    with pytest.raises(RuntimeError):
        traced.plan()
    np.testing.assert_allclose(traced(x), block(x, *weights), rtol=1e-4, atol=1e-5)
    assert [call["op"] for call in traced.plan()] == ["layer_norm_projection", "ffn"]
    assert traced.receipt().launches == 2
    # Another shape is another plan, and constants stay what they were.
    y = values((2, d), 9)
    want = block(y, *weights)
    weights[0] *= 0
    first = traced(x)
    np.testing.assert_allclose(traced(y).shape, want.shape)
    np.testing.assert_allclose(traced(x), first)


def test_operators_views_and_several_results():
    w = values((6, 4), 1)

    def fn(x, y):
        z = x @ w
        scores = lc.api.softmax(z @ z.T)
        return lc.api.relu(1 - z.reshape(2, -1)), scores @ y, 2 * y / (y + 3)

    x, y = values((3, 6), 2), values((3, 5), 3)
    got = lc.graph(fn)(x, y)
    z = x @ w
    p = np.exp(z @ z.T - (z @ z.T).max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    for a, b in zip(got, (np.maximum(1 - z.reshape(2, -1), 0), p @ y, 2 * y / (y + 3)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    double = lc.graph(fn)(x.astype(np.float64), y.astype(np.float64))
    assert double[1].dtype == np.float64
    np.testing.assert_allclose(double[1], p @ y, rtol=1e-5)


def test_convolution_and_attention():
    w, b = values((4, 3, 3, 3), 1), values(4, 2)

    def fn(x):
        c = lc.api.conv2d(x, w, b, padding=1, stride=(2, 1), activation="relu")
        q = c.reshape(8, -1)
        return lc.api.scaled_dot_product_attention(q, q, q, causal=True)

    x = values((1, 3, 6, 4), 3)
    c = lc.api.conv2d(x, w, b, padding=1, stride=(2, 1), activation="relu").reshape(8, -1)
    want = lc.api.scaled_dot_product_attention(c, c, c, causal=True)
    np.testing.assert_allclose(lc.graph(fn)(x), want, rtol=1e-5, atol=1e-6)


def test_explain():
    w = values((6, 4), 1)
    traced = lc.graph(lambda x: lc.api.relu(x @ w))
    traced(values((3, 6)))
    assert "1 launches of 2 calls" in traced.explain()
    report = json.loads(traced.explain("json"))
    assert report["launches"] == 1 and report["fusions"][0]["rule"] == "matmul_epilogue"
    assert report["bytes"] < report["unfused_bytes"]
    assert ET.fromstring(traced.explain("svg")).tag.endswith("svg")
    with pytest.raises(ValueError):
        traced.explain("pdf")


def test_misuse_is_refused():
    x = values((2, 2))
    for fn, error in [
        (lambda t: t if t else t, TypeError),
        (lambda t: np.asarray(t), TypeError),
        (lambda t: 3, TypeError),
        (lambda t: lc.api.matmul(t, values((3, 3))), ValueError),
        (lambda t: lc.api.relu(t, out=x), TypeError),
        (lambda t: t.reshape(3), ValueError),
    ]:
        with pytest.raises(error):
            lc.graph(fn)(x)
    # The functions are themselves again.
    np.testing.assert_array_equal(lc.api.relu(-x - 1), 0 * x)
    with pytest.raises(TypeError):
        lc.graph(lambda a, b: a + b)(x, x.astype(np.float64))
