"""Graphs from Python: the original's GraphIR, what it silently ignored, and conv → attention in both modes."""

import threading

import lightning_core as lc
import numpy as np
import pytest

FIRST = ["matmul", "vector_add", "matrix_sub", "matrix_div", "attention_forward", "conv2d_nchw3x3s1p1"]


def rng(seed=0):
    return np.random.default_rng(seed)


def values(shape, seed=0):
    return rng(seed).uniform(-1, 1, shape).astype(np.float32)


def chain():
    g = lc.GraphIR()
    ids = [g.add_tensor([2, 2]) for _ in range(5)]
    g.add_node("matmul", [ids[0], ids[1]], [ids[2]])
    g.add_node("vector_add", [ids[2], ids[3]], [ids[4]])
    return g


FEEDS = {0: [[1, 2], [3, 4]], 1: [[5, 6], [7, 8]], 3: [[1, 2], [3, 4]]}


def test_registry():
    schemas = lc.graph_registry_schemas()
    assert [s["op"] for s in schemas[:6]] == FIRST
    assert lc.graph_registry_size() == len(schemas) >= 6
    for schema in schemas:
        assert schema["op"] == schema["name"] and schema["supports_cpu"]
        assert lc.graph_registry_schema(schema["op"]) == schema
    assert list(schemas[0])[:9] == [
        "op", "name", "min_inputs", "max_inputs", "min_outputs", "max_outputs",
        "supports_cpu", "supports_cuda", "supports_metal",
    ]  # fmt: skip
    assert lc.graph_registry_schema("conv2d")["attributes"]["stride_h"] == 1
    with pytest.raises(ValueError):
        lc.graph_registry_schema("conv3d")
    with pytest.raises(TypeError):
        lc.graph_registry_schema(op="matmul")


def test_validation_passes_start_with_the_originals():
    passes = lc.graph_validation_passes()
    assert passes[:5] == [
        "tensor_spec", "schema_arity", "tensor_reference", "control_dependency", "backend_capability",
    ]  # fmt: skip
    assert {"shape_inference", "data_flow", "aliasing", "dead_tensor"} <= set(passes)


def test_chain_of_the_original():
    g = chain()
    assert (g.num_tensors(), g.num_nodes()) == (5, 2)
    assert g.validate() is None
    assert g.validate_report() == {"ok": True, "status": "success", "issues": []}
    done = g.execute_f32(FEEDS, "cpu")
    assert sorted(done) == ["groups", "steps", "values"]
    np.testing.assert_array_equal(done["values"][4], [20, 24, 46, 54])
    assert sorted(done["values"]) == [0, 1, 2, 3, 4]
    assert all(v.ndim == 1 and v.dtype == np.float32 for v in done["values"].values())
    assert [s["assigned_device"] for s in done["steps"]] == ["cpu", "cpu"]
    assert done["groups"] == [
        {
            "group_id": 0, "assigned_device": "cpu", "fallback": False, "sync_boundary_before": False,
            "sync_boundary_after": False, "node_ids": [0, 1],
        }
    ]  # fmt: skip
    receipt = lc.last_receipt()
    assert (receipt.op, receipt.launches, receipt.selected_device) == ("graph", 2, "cpu")


def test_values_do_not_share_memory_with_feeds_or_each_other():
    g = lc.GraphIR()
    x = g.add_tensor([4])
    y = g.add("activation", [x])
    a, b = g.view(y, 0, [2, 2]), g.view(y, 0, [4])
    feed = np.array([1, -1, 2, -2], np.float32)
    got = g.execute_f32({x: feed})["values"]
    for i in (x, y, a, b):
        for j in (x, y, a, b):
            assert i == j or not np.shares_memory(got[i], got[j])
        assert not np.shares_memory(got[i], feed)
    np.testing.assert_array_equal(got[a], [1, 0, 2, 0])


def test_describes_itself():
    g = lc.GraphIR()
    x = g.add_tensor((2, 3), "float64", "strided", "x", True)
    y = g.add_tensor([2, 3], dtype="float64")
    assert g.add_node("activation", [x], [y], name="act", attrs={"kind": "silu"}) is None
    assert g.tensors()[0] == {
        "name": "x", "constant": True, "shape": [2, 3], "dtype": "float64", "layout": "strided",
    }  # fmt: skip
    assert g.nodes() == [
        {
            "id": 0, "op": "activation", "name": "act", "inputs": [x], "outputs": [y], "control_deps": [],
            "attributes": {"kind": "silu"}, "device": None,
        }
    ]  # fmt: skip
    assert repr(g) == "GraphIR(2 tensors, 1 nodes)"


def test_building_refuses_bad_input():
    g = lc.GraphIR()
    for shape in ([], [0], [-1, 2], [2**62, 4]):
        with pytest.raises(ValueError):
            g.add_tensor(shape)
    with pytest.raises(TypeError):
        g.add_tensor([1.5])
    for kwargs in ({"dtype": "int8"}, {"layout": "blocked"}):
        with pytest.raises(ValueError):
            g.add_tensor([1], **kwargs)
    a = g.add_tensor([2, 2])
    bad = [
        ("conv3d", [a], [a], {}),
        ("matmul", [a], [a], {}),
        ("matmul", [a] * 5, [a], {}),
        ("matmul", [a, a], [], {}),
        ("matmul", [a, 9], [a], {}),
        ("matmul", [a, -1], [a], {}),
        ("matmul", [a, a], [a], {"control_deps": [0]}),
        ("matmul", [a, a], [a], {"attrs": {"activaton": "relu"}}),
        ("matmul", [a, a], [a], {"attrs": {"activation": "relu7"}}),
        ("matmul", [a, a], [a], {"device": "tpu"}),
        ("conv2d", [a, a], [a], {"attrs": {"stride_h": 0}}),
    ]
    for op, inputs, outputs, kwargs in bad:
        with pytest.raises(ValueError):
            g.add_node(op, inputs, outputs, **kwargs)
    with pytest.raises(TypeError):
        g.add_node("conv2d", [a, a], [a], attrs={"stride_h": True})
    with pytest.raises(ValueError):
        g.view(a, 3, [2])
    assert (g.num_tensors(), g.num_nodes()) == (1, 0)


def test_d1_shapes_are_checked_before_execution():
    g = lc.GraphIR()
    a, b, c = g.add_tensor([2, 3]), g.add_tensor([2, 3]), g.add_tensor([2, 2])
    g.add_node("matmul", [a, b], [c])
    report = g.validate_report()
    issue = report["issues"][0]
    assert not report["ok"] and report["status"] == "invalid value"
    assert (issue["pass"], issue["node_id"]) == ("shape_inference", 0) and issue["hint"]
    for call in (g.validate, g.plan, lambda: g.execute_f32({a: np.ones(6), b: np.ones(6)})):
        with pytest.raises(ValueError):
            call()


def test_d1_constants_names_and_layouts():
    g = lc.GraphIR()
    x = g.add_tensor([2, 3], name="x", layout="strided")
    w = g.add_tensor([3, 2], name="w", constant=True)
    y = g.add("matmul", [x, w])
    data, weight = values((3, 2), 1).T, values((3, 2), 2)
    with pytest.raises(ValueError, match='"w"'):
        g.execute_f32({x: data})
    want = data @ weight
    first = g.execute_f32({"x": data, "w": weight})["values"][y]
    weight[:] = 0
    second = g.execute_f32({x: data})["values"][y]
    np.testing.assert_allclose(first, want.ravel(), rtol=1e-6)
    np.testing.assert_array_equal(second, first)
    with pytest.raises(ValueError):
        g.execute_f32({"nobody": data})
    made = lc.GraphIR()
    a, b = made.add_tensor([2]), made.add_tensor([2], constant=True)
    made.add_node("activation", [a], [b])
    assert made.validate_report()["issues"][0]["pass"] == "data_flow"


def test_d1_fallback_segments_and_boundaries():
    g = lc.GraphIR()
    ids = [g.add_tensor([4]) for _ in range(3)]
    g.add_node("add", [ids[0], ids[0]], [ids[1]])
    g.add_node("add", [ids[1], ids[1]], [ids[2]], device="cpu")
    missing = "cuda" if not lc.cuda_available() else None
    if missing is None:
        pytest.skip("every device is here")
    with lc.policy(fallback="allow"):
        groups = g.plan_groups(missing)["groups"]
        assert [x["fallback"] for x in groups] == [True, False]
        joined = g.plan_groups(missing, separate_fallback_segments=False)["groups"]
        assert [x["node_ids"] for x in joined] == [[0, 1]]
        always = g.plan_groups(missing, "always")["groups"]
        assert all(x["sync_boundary_after"] for x in always) and len(always) == 2
        assert g.plan(missing)[0] == {"node_id": 0, "op": "add", "assigned_device": "cpu", "fallback": True}
    with lc.policy(fallback="deny"), pytest.raises(lc.LightningError):
        g.plan(missing)
    with pytest.raises(ValueError):
        g.plan_groups("cpu", "sometimes")


def test_d3_boundaries_are_on_the_trace():
    g = chain()
    lc.runtime_trace_clear()
    lc.runtime_trace_enable(True)
    try:
        g.execute_f32(FEEDS, "cpu", "always", True)
    finally:
        lc.runtime_trace_enable(False)
    kinds = [e["type"] for e in lc.runtime_trace_events()]
    lc.runtime_trace_clear()
    assert kinds.count("op_dispatch") == 2
    assert kinds.count("apply_sync_policy") == 2
    assert kinds.count("sync") == 2
    done = g.execute_f32(FEEDS, "cpu", "always")
    np.testing.assert_array_equal(done["values"][4], [20, 24, 46, 54])


def test_feeds():
    g = chain()
    ok = np.ones((2, 2), np.float32)
    with pytest.raises(ValueError, match="tensor 3"):
        g.execute_f32({0: ok, 1: ok})
    with pytest.raises(ValueError):
        g.execute_f32({0: ok, 1: ok, 3: np.ones(5)})
    with pytest.raises(ValueError):
        g.execute_f32({0: ok, 1: ok, 3: ok, 9: ok})
    with pytest.raises(TypeError):
        g.execute_f32({0: ok, 1: ok, 3.0: ok})
    with pytest.raises(ValueError):
        g.execute_f64({0: ok, 1: ok, 3: ok})
    # Another shape, type or layout of as many elements; a fed intermediate is made anew.
    same = g.execute_f32({0: ok.T, 1: np.ones(4, np.int64), 2: ok * 9, 3: ok[::-1]})["values"]
    np.testing.assert_array_equal(same[4], [3, 3, 3, 3])
    picked = g.execute_f32({0: ok, 1: ok, 3: ok}, outputs=[4], optimize=True)["values"]
    assert sorted(picked) == [0, 1, 3, 4]
    with pytest.raises(ValueError):
        g.execute_f32({0: ok, 1: ok, 3: ok}, outputs=[17])


def test_every_legacy_op_in_both_types():
    for dtype in ("float32", "float64"):
        g = lc.GraphIR()
        a, b = (g.add_tensor([3, 4], dtype) for _ in range(2))
        flat = g.add_tensor([12], dtype)
        outs = [g.add_tensor([3, 4], dtype) for _ in range(4)]
        g.add_node("vector_add", [a, flat], [outs[0]])
        g.add_node("matrix_sub", [a, b], [outs[1]])
        g.add_node("matrix_div", [a, b], [outs[2]])
        g.add_node("attention_forward", [a, b, a], [outs[3]])
        x, w, c = g.add_tensor([1, 2, 5, 4], dtype), g.add_tensor([3, 2, 3, 3], dtype), g.add_tensor([1, 3, 5, 4], dtype)
        g.add_node("conv2d_nchw3x3s1p1", [x, w], [c])
        data = {i: rng(i).uniform(0.5, 1, g.tensors()[i]["shape"]).astype(dtype) for i in (a, b, flat, x, w)}
        run = g.execute_f32 if dtype == "float32" else g.execute_f64
        got = run(data)["values"]
        np.testing.assert_allclose(got[outs[0]], data[a].ravel() + data[flat], rtol=1e-6)
        np.testing.assert_allclose(got[outs[1]], (data[a] - data[b]).ravel(), rtol=1e-6)
        np.testing.assert_allclose(got[outs[2]], (data[a] / data[b]).ravel(), rtol=1e-6)
        scores = data[a] @ data[b].T / 2
        p = np.exp(scores - scores.max(1, keepdims=True))
        np.testing.assert_allclose(got[outs[3]], (p / p.sum(1, keepdims=True) @ data[a]).ravel(), rtol=1e-5)
        padded = np.pad(data[x][0], ((0, 0), (1, 1), (1, 1)))
        want = [
            [[(padded[:, i : i + 3, j : j + 3] * data[w][o]).sum() for j in range(4)] for i in range(5)]
            for o in range(3)
        ]
        np.testing.assert_allclose(got[c], np.ravel(want), rtol=1e-5)


CASES = [
    # x, w, S, D, stride, pad, bias
    ((1, 3, 8, 8), (16, 3, 3, 3), 48, 48, 1, 1, True),
    ((1, 3, 8, 8), (16, 3, 3, 3), 5, 7, 1, 1, True),
    ((1, 3, 8, 8), (16, 3, 3, 3), 10, 6, 1, 0, False),
    ((2, 2, 9, 7), (3, 2, 5, 2), 6, 4, 2, 2, True),
]


@pytest.mark.parametrize("case", CASES)
def test_b2_d7_graph_mode_equals_eager_on_signed_data(case):
    xs, ws, s, d, stride, pad, with_bias = case
    x, w, bias = values(xs, 1), values(ws, 2), values(ws[0], 3) if with_bias else None
    args = (x, w, bias, s, d, stride, stride, pad, pad)
    for device in ("auto", "cpu"):
        eager = lc.api.conv_attention_torchstrong_nchw(*args, device=device)
        graph = lc.api.conv_attention_torchstrong_nchw(*args, device=device, execution_mode="graph")
        np.testing.assert_allclose(graph, eager, rtol=1e-5, atol=1e-6)
    out = np.empty((s, d), np.float32)
    lc.lightning_conv_attention_torchstrong_nchw_into(
        x, w, bias, out, s, d, stride, stride, pad, pad, execution_mode="graph"
    )
    np.testing.assert_allclose(out.ravel(), eager, rtol=1e-5, atol=1e-6)
    # New weights in place give new results.
    w *= -2
    np.testing.assert_allclose(
        lc.api.conv_attention_torchstrong_nchw(*args, execution_mode="graph"),
        lc.api.conv_attention_torchstrong_nchw(*args),
        rtol=1e-5,
        atol=1e-6,
    )
    lc.api.clear_attention_session_cache()


def test_graph_mode_errors_say_what_to_do():
    x, w = values((1, 3, 8, 8)), values((4, 2, 3, 3))
    with pytest.raises(ValueError, match="conv"):
        lc.api.conv_attention_torchstrong_nchw(x, w, None, 4, 4, execution_mode="graph")
    out = np.zeros(5, np.float32)
    with pytest.raises(ValueError):
        lc.api.conv_attention_torchstrong_nchw_into(
            x, values((4, 3, 3, 3)), None, out, 4, 4, execution_mode="graph"
        )
    assert not out.any()


def test_ab_report():
    x, w, bias = values((1, 3, 8, 8), 1), values((16, 3, 3, 3), 2), values(16, 3)
    report = lc.api.conv_attention_torchstrong_nchw_ab_report(x, w, bias, 12, 8, device="cpu", repeat=2)
    assert list(report) == [
        "seq_len", "head_dim", "warmup", "repeat", "device", "allclose", "max_abs_diff", "mean_abs_diff",
        "max_rel_diff", "atol", "rtol", "eager_ms", "graph_ms", "graph_over_eager", "eager_over_graph", "winner",
    ]  # fmt: skip
    assert report["allclose"] and report["winner"] in ("graph", "eager", "tie") and report["device"] == "cpu"
    assert report["eager_ms"] > 0 and report["graph_ms"] > 0
    same = lc.lightning_conv_attention_torchstrong_nchw_ab_report
    for kwargs in ({"repeat": 0}, {"atol": -1.0}, {"rtol": float("nan")}, {"repeat": -1}, {"repeat": 2**40}):
        with pytest.raises(ValueError):
            same(x, w, bias, 12, 8, **kwargs)


def test_threads_share_a_graph():
    g = lc.GraphIR()
    x = g.add_tensor([32, 32])
    y = g.add("matmul", [x, x])
    z = g.add("softmax", [y])
    failed = []

    def work(seed):
        data = values((32, 32), seed)
        want = data @ data
        want = np.exp(want - want.max(1, keepdims=True))
        want /= want.sum(1, keepdims=True)
        for _ in range(20):
            got = g.execute_f32({x: data}, outputs=[z])["values"][z]
            if not np.allclose(got, want.ravel(), rtol=1e-4, atol=1e-6):
                failed.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
