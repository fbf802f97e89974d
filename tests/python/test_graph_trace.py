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
    # One receipt for each launch; the sum is the call's.
    receipts = traced.receipts()
    assert [r.op for r in receipts] == ["layer_norm_projection", "ffn"]
    assert all((r.launches, r.selected_device, r.waits) == (1, "cpu", 0) for r in receipts)
    assert [r.kernel for r in receipts] == [call["kernel"] for call in traced.plan()]
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
    assert report["nodes"][0]["why"] == "fused by matmul_epilogue" and report["nodes"][0]["launch"] == 0
    assert report["host_round_trips_saved"] == 1 and report["packed_constants"] == 1
    call = report["calls"][0]
    assert call["predicted_us"] > 0 and call["floor_us"] > 0 and call["measured_us"] is None
    assert call["predicted_from"] in ("measured", "prior") and report["copies_us"] is None
    assert report["predicted_us"] >= call["predicted_us"] and report["placement"] is None
    measured = json.loads(traced.explain("json", measure=True))
    assert measured["calls"][0]["measured_us"] > 0 and measured["measured_us"] > 0
    page = traced.explain("html")
    assert page.startswith("<!DOCTYPE html>") and "prefers-color-scheme: dark" in page
    assert "Before" in page and "After" in page and "<script" not in page and "src=" not in page
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


def chain(x, y):
    return lc.api.silu(lc.api.div(lc.api.sub(lc.api.mul(x, y), 0.25), y + 3)) + x


def test_elementwise_calls_are_one_launch_with_the_same_bits():
    x, y = values((33, 65), 1), values((65,), 2)
    traced, apart = lc.graph(chain), lc.graph(chain, without=["fuse"])
    got = traced(x, y)
    # y + 3 is computed once for all rows.
    assert [call["op"] for call in traced.plan()] == ["add", "elementwise_chain"]
    assert len(apart.plan() if apart(x, y) is not None else []) == 6
    np.testing.assert_array_equal(got, apart(x, y))
    t = (x * y - 0.25) / (y + 3)
    np.testing.assert_allclose(got, t / (1 + np.exp(-t)) + x, rtol=1e-5, atol=1e-6)
    receipts = traced.receipts()
    assert [r.op for r in receipts] == ["add", "elementwise_chain"]


def masked(q, kt, v, mask):
    scores = lc.api.mul(lc.api.matmul(q, kt), 0.125)
    return lc.api.matmul(lc.api.softmax(lc.api.add(scores, mask)), v)


def test_attention_with_scale_and_mask_is_one_launch():
    q, kt, v, mask = values((70, 64), 1), values((64, 50), 2), values((50, 32), 3), values((70, 50), 4)
    mask[mask < -0.6] = -np.inf
    mask[:, 0] = 0
    traced = lc.graph(masked)
    got = traced(q, kt, v, mask)
    assert [call["op"] for call in traced.plan()] == ["attention"]
    np.testing.assert_allclose(got, lc.graph(masked, without=["attention"])(q, kt, v, mask), rtol=1e-4, atol=1e-5)
    # A row that the mask hides whole is zeros in attention; the softmax alone makes NaN of it.
    mask[3] = -np.inf
    assert not traced(q, kt, v, mask)[3].any()
    assert np.isnan(lc.graph(masked, without=["attention"])(q, kt, v, mask)[3]).all()


def test_constants_by_closure_and_by_position():
    x, w, b = values((5, 8), 1), values((8, 6), 2), values(6, 3)
    want = np.maximum(x @ w + b, 0)
    fed = lc.graph(lambda x, w, b: lc.api.relu(x @ w + b))
    named = lc.graph(constants=(1, 2))(lambda x, w, b: lc.api.relu(x @ w + b))
    closed = lc.graph(lambda x: lc.api.relu(x @ w + b))
    for call, packed in ((fed, 0), (named, 1), (closed, 1)):
        got = call(x) if call is closed else call(x, w, b)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
        assert json.loads(call.explain("json"))["packed_constants"] == packed
        again = call(x) if call is closed else call(x, w, b)
        np.testing.assert_array_equal(again, got)
    # The same objects are the same constants, whatever is in them; other objects are others.
    kept, other = named(x, w, b), w * 2
    w *= 0
    np.testing.assert_array_equal(named(x, w, b), kept)
    np.testing.assert_allclose(named(x, other, b), np.maximum(x @ other + b, 0), rtol=1e-5, atol=1e-6)


def test_out_policy_and_device():
    x, w = values((4, 3)), values((3, 5), 1)
    traced = lc.graph(lambda x: (x @ w, lc.api.relu(x)))
    first, second = np.full((4, 5), np.nan, np.float32), np.full((4, 3), np.nan, np.float32)
    got = traced(x, out=[first, second])
    assert got[0] is first and got[1] is second
    np.testing.assert_allclose(first, x @ w, rtol=1e-5)
    np.testing.assert_array_equal(second, np.maximum(x, 0))
    for bad in ([first], [first, second.T], [first, first], [first, x], 3):
        with pytest.raises((ValueError, TypeError)):
            traced(x, out=bad)
    one = lc.graph(lambda x: (x @ w).T)
    target = np.empty((5, 4), np.float32)
    assert one(x, out=target) is target
    np.testing.assert_allclose(target, (x @ w).T, rtol=1e-5)
    assert one(x, device="cpu", policy=lc.Policy(fallback="deny")).shape == (5, 4)
    assert one.receipts()[0].requested_device == "cpu"
    with pytest.raises(ValueError):
        one(x, device="abacus")
    with pytest.raises(ValueError):
        lc.graph(lambda x: x + x, without=["magic"])(x)


AB_KEYS = {"allclose", "max_abs_diff", "max_rel_diff", "eager_ms", "graph_ms", "eager_p10_ms", "graph_p90_ms", "winner"}


def test_ab_report_of_functions_and_graphs():
    report = lc.ab_report(chain, (40, 65), (65,), repeat=5)
    assert AB_KEYS <= set(report)
    assert report["allclose"] and report["max_abs_diff"] == 0.0
    assert (report["eager_launches"], report["graph_launches"]) == (6, 2)
    assert report["graph_bytes"] < report["eager_bytes"] and report["device"] == "cpu"
    # A name of the first release by hand, in float64, and a policy.
    report = lc.ab_report(lc.graph(masked), *(values(s).astype(np.float64) for s in ((7, 8), (8, 9), (9, 3), (7, 9))))
    assert report["allclose"] and (report["eager_launches"], report["graph_launches"]) == (5, 1)
    g = lc.GraphIR()
    x = g.add_tensor([6, 4], name="x")
    y = g.add("activation", [g.add("add", [x, g.add_constant(0.5)])])
    report = lc.ab_report(g, {"x": values((6, 4))}, outputs=[y], repeat=3, policy=lc.Policy(device="cpu"))
    assert report["allclose"] and report["graph_launches"] == 1
    for call in (
        lambda: lc.ab_report(g, values((6, 4))),
        lambda: lc.ab_report(chain, (40, 65), (65,), outputs=[1]),
    ):
        with pytest.raises(TypeError):
            call()
    for kwargs in ({"repeat": 0}, {"atol": -1.0}, {"repeat": 1 << 40}, {"device": "abacus"}):
        with pytest.raises(ValueError):
            lc.ab_report(chain, (4, 5), (5,), **kwargs)


def test_constants_of_a_graph_ir():
    g = lc.GraphIR()
    x = g.add_tensor([3, 4])
    w = g.add_constant(values((4, 2), 1), "w")
    y = g.add("matmul", [x, w])
    data = values((3, 4))
    want = data @ values((4, 2), 1)
    got = g.execute_f32({x: data}, outputs=[y, w])["values"]
    np.testing.assert_allclose(got[y].reshape(3, 2), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(got[w].reshape(4, 2), values((4, 2), 1))
    assert [r.op for r in g.receipts()] == ["matmul"]
    with pytest.raises(ValueError):
        g.execute_f32({x: data, w: values((4, 2))})
    plan = g.compile([x], [y, w])
    np.testing.assert_allclose(plan.run(data)[0], want, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(plan.run(data)[1], values((4, 2), 1))
    assert "GraphPlan(1 launches, 1 arguments, 2 results)" == repr(plan)
    for call in (
        lambda: plan.run(),
        lambda: plan.run(data.T),
        lambda: g.compile([], [y]),
        lambda: g.compile([x], [99]),
        lambda: g.compile([x], []),
        lambda: g.add_constant(np.zeros((0, 2), np.float32)),
    ):
        with pytest.raises(ValueError):
            call()


def test_repeated_calls_notice_what_changed():
    traced = lc.graph(lambda x, w: lc.api.relu(x @ w), constants=(1,))
    w, other = values((4, 3), 1), values((4, 3), 2)
    wide = w.astype(np.float64)
    for _ in range(3):
        for rows, weight in [(2, w), (2, other), (5, w), (2, wide), (2, w)]:
            x = values((rows, 4), rows).astype(weight.dtype)
            for given in (x, x, x[::-1]):
                got = traced(given, weight)
                np.testing.assert_allclose(got, np.maximum(given @ weight, 0), rtol=1e-5, atol=1e-6)
                assert got.dtype == weight.dtype
            out = np.empty((rows, 3), weight.dtype)
            assert traced(x, weight, out=out) is out
    np.testing.assert_allclose(traced(x.tolist(), wide), np.maximum(x @ wide, 0), rtol=1e-5, atol=1e-6)
    x = values((2, 4), 2)
    for _ in range(2):
        with lc.policy(tune="off"):
            traced(x, w)
        traced(x, w, policy=lc.Policy(device="cpu", fallback="deny"))
        assert traced.receipt().requested_device == "cpu" and len(traced.receipts()) == 1
        traced(x, w)
        assert traced.receipt().requested_device == "auto"
    with pytest.raises(ValueError):
        traced(values((2, 5)), w)
