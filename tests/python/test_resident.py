"""Resident weights and the session of any op: parity with one-shot calls, checks, independence, threads."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import lightning_core as lc
import numpy as np
import pytest
from lightning_core import resident

pytestmark = pytest.mark.filterwarnings("ignore::lightning_core.FallbackWarning")

D, F, OUT = 37, 65, 19


def weights(dtype=np.float32, seed=4):
    rng = np.random.default_rng(seed)
    shapes = {"w": (OUT, D), "w1": (F, D), "w2": (OUT, F), "b": (OUT,), "b1": (F,), "g": (D,), "s": (D,), "m": (D, OUT)}
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


# Name of the op, the layer of these weights, and the one-shot call on `x` and the same weights.
LAYERS = {
    "linear": (
        lambda t, **kw: resident.linear(t["w"], t["b"], activation="silu", **kw),
        lambda x, t: lc.api.linear(x, t["w"], t["b"], activation="silu"),
    ),
    "linear without bias": (lambda t, **kw: resident.linear(t["w"], **kw), lambda x, t: lc.api.linear(x, t["w"])),
    "matmul": (
        lambda t, **kw: resident.matmul(t["m"], t["b"], activation="relu", **kw),
        lambda x, t: lc.api.matmul(x, t["m"], bias=t["b"], activation="relu"),
    ),
    "ffn": (
        lambda t, **kw: resident.ffn(t["w1"], t["w2"], t["b1"], t["b"], activation="gelu", **kw),
        lambda x, t: lc.api.ffn(x, t["w1"], t["w2"], t["b1"], t["b"], activation="gelu"),
    ),
    "layer_norm_projection": (
        lambda t, **kw: resident.layer_norm_projection(t["w"], t["g"], t["s"], t["b"], 1e-3, **kw),
        lambda x, t: lc.api.layer_norm_projection(x, t["w"], t["g"], t["s"], t["b"], 1e-3),
    ),
    "layer_norm_projection of weights alone": (
        lambda t, **kw: resident.layer_norm_projection(t["w"], **kw),
        lambda x, t: lc.api.layer_norm_projection(x, t["w"]),
    ),
}
each_layer = pytest.mark.parametrize("name", LAYERS)


def close(got, want):
    tolerance = 1e-12 if want.dtype == np.float64 else 1e-5
    assert got.dtype == want.dtype and got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * max(1, np.abs(want).max()))


@each_layer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("device", ["auto", "cpu", "metal"])
def test_any_batch_extents_give_what_one_shot_gives(name, dtype, device, rng):
    make, one_shot = LAYERS[name]
    t = weights(dtype)
    layer = make(t, device=device)
    assert layer.op == name.split()[0] and layer.dtype == np.dtype(dtype).name
    for batch in [(1,), (2,), (7,), (131,), (3, 5), (2, 3, 4), (1, 1, 6)]:
        x = rng.standard_normal((*batch, D)).astype(dtype)
        want = one_shot(x, t)
        close(layer(x), want)
        out = np.full(want.shape, np.nan, dtype)
        assert layer(x, out) is out
        close(out, want)
        receipt = lc.last_receipt()
        assert receipt.op == layer.op and receipt.launches == 1
        if receipt.selected_device == "cpu":
            assert receipt.bytes_uploaded == receipt.bytes_downloaded == 0


@each_layer
def test_activations_of_any_strides_are_read_in_place(name, rng):
    make, one_shot = LAYERS[name]
    t = weights()
    layer = make(t)
    base = rng.standard_normal((6, 8, 2 * D)).astype(np.float32)
    for x in [
        base[:, :, :D],
        base[:, :, ::2],
        base[:, ::-1, D:],
        base[::2, 1:6, D - 1 :: -1],
        np.asfortranarray(base[0, :, :D]),
        base[:, :, :D].transpose(1, 0, 2),
        np.broadcast_to(base[0, :1, :D], (5, D)),
    ]:
        close(layer(x), one_shot(np.ascontiguousarray(x), t))


def test_a_vector_is_one_row():
    t = weights()
    x = np.ones(D, np.float32)
    close(resident.linear(t["w"])(x), lc.api.linear(x, t["w"]))
    with pytest.raises(lc.InvalidValueError, match="rows, 37"):
        resident.matmul(t["m"])(x)


@each_layer
def test_changing_the_callers_weights_changes_nothing(name, rng):
    make, _ = LAYERS[name]
    t = weights()
    layer = make(t)
    x = rng.standard_normal((9, D)).astype(np.float32)
    before = layer(x)
    for array in t.values():
        array.fill(np.nan)
    t.clear()
    gc.collect()
    np.testing.assert_array_equal(layer(x), before)


def test_strided_weights_are_packed_as_they_look(rng):
    base = rng.standard_normal((2 * OUT, 3 * D)).astype(np.float32)
    x = rng.standard_normal((4, D)).astype(np.float32)
    for w in [base[::2, ::3], base[OUT:, :D][::-1], base.T[:D, :OUT].T, np.broadcast_to(base[0, :D], (OUT, D))]:
        close(resident.linear(w)(x), lc.api.linear(x, np.ascontiguousarray(w)))


def test_wrong_weights():
    t = weights()
    bad = [
        (lambda: resident.linear(t["w"], t["b1"]), lc.InvalidValueError, "bias"),
        (lambda: resident.linear(t["b"]), lc.InvalidValueError, "weight"),
        (lambda: resident.linear(t["w"][None]), lc.InvalidValueError, "weight"),
        (lambda: resident.linear(t["w"][:0]), lc.InvalidValueError, "weight"),
        (lambda: resident.linear(t["w"], t["b"].astype(np.float64)), lc.InvalidTypeError, "bias"),
        (lambda: resident.linear(t["w"], activation="tanh"), lc.InvalidValueError, "activation"),
        (lambda: resident.linear(t["w"], device="abacus"), lc.InvalidValueError, "device"),
        (lambda: resident.linear(None), lc.InvalidTypeError, "weight"),
        (lambda: resident.linear("x"), lc.InvalidTypeError, "weight"),
        (lambda: resident.ffn(t["w1"], t["w"]), lc.InvalidValueError, "w2"),
        (lambda: resident.ffn(t["w1"], t["w2"], t["b"]), lc.InvalidValueError, "b1"),
        (lambda: resident.layer_norm_projection(t["w"], t["b"]), lc.InvalidValueError, "norm_weight"),
        (lambda: resident.layer_norm_projection(t["w"], eps=float("nan")), lc.InvalidValueError, "eps"),
        (lambda: resident.matmul(t["m"], t["g"]), lc.InvalidValueError, "bias"),
        (lambda: resident.linear(t["w"], policy=3), lc.InvalidTypeError, "policy"),
        (
            lambda: resident.linear(t["w"], policy=lc.Policy(device="cuda", fallback="deny")),
            lc.NotSupportedError,
            "cuda",
        ),
    ]
    for call, kind, named in bad:
        with pytest.raises(kind, match=named):
            call()


@each_layer
def test_wrong_activations_and_results_change_nothing(name, rng):
    make, one_shot = LAYERS[name]
    t = weights()
    layer = make(t)
    x = rng.standard_normal((4, D)).astype(np.float32)
    out = np.full((4, OUT), 7, np.float32)
    with pytest.raises(lc.InvalidValueError, match="`x`.*37"):
        layer(x[:, 1:], out)
    with pytest.raises(lc.InvalidTypeError, match="`x`.*float32"):
        layer(x.astype(np.float64), out)
    for wrong in [None, "x", object()]:
        with pytest.raises(lc.InvalidTypeError):
            layer(wrong, out)
    with pytest.raises(lc.InvalidValueError):
        layer(x[:0], out)
    with pytest.raises(lc.InvalidValueError):
        layer(np.ones((2,) * 7 + (1, D), np.float32), out)
    bad_outs = [out[:2], out.T, out[:, ::-1], np.full((4, OUT), 7, np.float64), [0.0] * 4 * OUT]
    frozen = out.copy()
    frozen.flags.writeable = False
    for bad in [*bad_outs, frozen]:
        with pytest.raises(lc.LightningError):
            layer(x, bad)
    shared = np.zeros(4 * D + 4 * OUT, np.float32)
    with pytest.raises(lc.InvalidValueError, match="overlap"):
        layer(shared[: 4 * D].reshape(4, D), shared[D : D + 4 * OUT].reshape(4, OUT))
    with pytest.raises(TypeError):
        layer(x, out, 3)
    assert (out == 7).all() and not shared.any()
    close(layer(x, out), one_shot(x, t))


def test_policies_of_a_call_and_scopes(rng):
    t = weights()
    layer = resident.linear(t["w"], t["b"])
    x = rng.standard_normal((4, D)).astype(np.float32)
    out = np.full((4, OUT), 7, np.float32)
    layer(x, out, policy=lc.Policy(download=False))
    assert (out == 7).all()
    with pytest.raises(lc.NotInitializedError, match="`x`"):
        layer(x, out, policy=lc.Policy(upload=[False]))
    with lc.policy(upload=[None, False, False]):
        close(layer(x, out), lc.api.linear(x, t["w"], t["b"], policy=lc.Policy(upload=True)))
    with pytest.raises(lc.InvalidTypeError, match="policy"):
        layer(x, policy="cpu")


def test_bytes_and_names():
    t = weights()
    layer = resident.ffn(t["w1"], t["w2"])
    assert layer.device == lc.resident.linear(t["w"]).device
    assert layer.resident_bytes >= t["w1"].nbytes + t["w2"].nbytes
    assert repr(layer).startswith("<lightning_core.resident.ffn of float32 on ")
    assert not hasattr(layer, "__dict__")


def test_numbers_take_the_type_of_the_weights():
    t = weights(np.float64)
    layer = resident.linear(t["w"])
    got = layer([[1.0] * D] * 2)
    assert got.dtype == np.float64
    close(got, lc.api.linear(np.ones((2, D)), t["w"]))


def test_one_layer_from_many_threads(rng):
    t = weights()
    layers = {name: make(t) for name, (make, _) in LAYERS.items()}
    inputs = [rng.standard_normal((rows, D)).astype(np.float32) for rows in range(1, 25)]
    want = {name: [layer(x) for x in inputs] for name, layer in layers.items()}

    def work(seed):
        order = np.random.default_rng(seed).permutation(len(inputs))
        for name, layer in layers.items():
            for i in order:
                np.testing.assert_array_equal(layer(inputs[i]), want[name][i])
                assert lc.last_receipt().op == layer.op

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, seed) for seed in range(8)]:
            future.result()


# The session of any op.

IMAGE = (2, 3, 9, 8)


def session_cases():
    rng = np.random.default_rng(6)
    f = lambda *shape: rng.standard_normal(shape).astype(np.float32)  # noqa: E731
    x, w, b = f(*IMAGE), f(4, 3, 3, 3), f(4)
    q, k, v = f(12, 16), f(12, 16), f(12, 16)
    a, m = f(5, 7), f(7, 3)
    return {
        "add": ([a, f(5, 7)], {}, lambda p, r: lc.api.add(p, r)),
        "div": ([a, f(5, 7) ** 2 + 1], {}, lambda p, r: lc.api.div(p, r)),
        "matmul": ([a, m, f(3)], {"activation": "relu"}, lambda p, r, s: lc.api.matmul(p, r, bias=s, activation="relu")),
        "linear": ([a, f(6, 7)], {}, lambda p, r: lc.api.linear(p, r)),
        "conv2d": (
            [x, w, b],
            {"stride_h": 2, "pad_h": 1, "pad_w": 1},
            lambda *t: lc.api.conv2d(*t, stride=(2, 1), padding=1),
        ),
        "softmax": ([a], {"axis": 0}, lambda p: lc.api.softmax(p, 0)),
        "attention": (
            [q, k, v],
            {"causal": True},
            lambda *t: lc.api.scaled_dot_product_attention(*t, causal=True),
        ),
        "layer_norm": ([a, f(7), f(7)], {"eps": 1e-3}, lambda *t: lc.api.layer_norm(*t, 1e-3)),
        "ffn": ([a, f(9, 7), f(7, 9)], {}, lambda *t: lc.api.ffn(*t)),
    }


CASES = session_cases()
each_op = pytest.mark.parametrize("op", CASES)


@each_op
@pytest.mark.parametrize("device", ["auto", "metal"])
def test_sessions_give_what_one_shot_gives(op, device):
    inputs, attrs, one_shot = CASES[op]
    want = one_shot(*inputs)
    with lc.Session(op, *inputs, device=device, **attrs) as session:
        assert session.op == op and session.receipt is None and not session.closed
        session.start()
        assert session.receipt.launches == 1 and session.receipt.bytes_uploaded == sum(x.nbytes for x in inputs)
        close(session.finish(), want)
        session.run()
        session.run_batch(3)
        assert session.receipt.launches == 3
        session.sync()
        out = np.full(want.shape, np.nan, np.float32)
        assert session.finish(out) is out
        close(out, want)
        assert session.receipt.launches == 0 and session.receipt.bytes_downloaded == out.nbytes
        assert lc.last_receipt() == session.receipt
        assert session.resident_bytes >= sum(x.nbytes for x in inputs)
    assert session.closed and session.resident_bytes == 0


@each_op
def test_a_step_uploads_what_it_is_given(op):
    inputs, attrs, one_shot = CASES[op]
    rng = np.random.default_rng(8)
    session = lc.Session(op, *inputs, **attrs)
    now = [x.copy() for x in inputs]
    session.start(*now)
    names = {"conv2d": ("x", "w", "bias"), "matmul": ("a", "b", "bias")}.get(op)
    for turn in range(2 * len(inputs)):
        i = turn % len(inputs)
        now[i] = rng.random(inputs[i].shape, np.float32) + np.float32(0.5)
        if names and turn >= len(inputs):
            got = session.step(**{names[i]: now[i]})
        else:
            got = session.step(*[now[j] if j == i else None for j in range(len(inputs))])
        assert session.receipt.bytes_uploaded == now[i].nbytes
        now[i] = now[i].copy()
        close(got, one_shot(*now))
    got = session.step(policy=lc.Policy(download=False))
    assert not got.any() and session.receipt.bytes_uploaded == 0
    close(session.finish(), one_shot(*now))


def test_the_first_step_uploads_the_constructors_arrays():
    (a, b, c), attrs, one_shot = CASES["matmul"]
    session = lc.Session("matmul", a, b, c, **attrs)
    close(session.step(a + 1), one_shot(a + 1, b, c))
    close(session.step(), one_shot(a + 1, b, c))
    with pytest.raises(lc.NotInitializedError):
        session.start()


def test_uploads_are_copies():
    a, b = np.ones((4, 4), np.float32), np.ones((4, 4), np.float32)
    session = lc.Session("matmul", a, b)
    session.start()
    a.fill(9)
    b.fill(9)
    session.run()
    assert (session.finish() == 4).all()


def test_several_results():
    rng = np.random.default_rng(2)
    q, k, v, target = (rng.standard_normal((6, 8)).astype(np.float32) for _ in range(4))
    session = lc.Session("attention_train", q, k, v, target, learning_rate=0.1)
    session.start()
    results = session.finish()
    assert isinstance(results, tuple) and len(results) >= 2
    outs = tuple(np.empty_like(r) for r in results)
    assert session.finish(outs) is outs
    for got, want in zip(outs, results):
        np.testing.assert_array_equal(got, want)
    for wrong in [outs[0], outs[:1], list(outs)]:
        with pytest.raises(lc.LightningError, match="out"):
            session.finish(wrong)


def test_float64_sessions():
    a = np.linspace(-1, 1, 12).reshape(3, 4)
    session = lc.Session("matmul", a, a.T)
    session.start()
    np.testing.assert_allclose(session.finish(), a @ a.T, rtol=1e-14)


def test_session_errors():
    a = np.ones((3, 4), np.float32)
    bad = [
        (lambda: lc.Session("mat_mul", a, a.T), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a, a), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a, a.T.astype(np.float64)), lc.InvalidTypeError),
        (lambda: lc.Session("matmul", a, a.T, None, None, None), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a, a.T, colour=3), lc.InvalidTypeError),
        (lambda: lc.Session("matmul", a, a.T, activation="tanh"), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a, a.T, activation=3), lc.InvalidTypeError),
        (lambda: lc.Session("softmax", a, axis=5), lc.InvalidValueError),
        (lambda: lc.Session("softmax", a, axis=10**30), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a, a.T, device="abacus"), lc.InvalidValueError),
        (lambda: lc.Session("matmul", a, a.T, policy=lc.Policy(device="cuda", fallback="deny")), lc.NotSupportedError),
        (lambda: lc.Session("matmul", a, "x"), lc.InvalidTypeError),
    ]
    for call, kind in bad:
        with pytest.raises(kind):
            call()
    session = lc.Session("matmul", a, a.T)
    for call in (session.run, session.sync, session.finish, lambda: session.run_batch(2)):
        with pytest.raises(lc.NotInitializedError):
            call()
    session.start()
    out = np.full((3, 3), 7, np.float32)
    for wrong in [
        lambda: session.start(a, a),
        lambda: session.start(a),
        lambda: session.start(a, a.T, a),
        lambda: session.step(a.T, out=out),
        lambda: session.step(a.astype(np.float64), out=out),
        lambda: session.step(a, a=a, out=out),
        lambda: session.step(c=a, out=out),
        lambda: session.step(a, out=out[:2]),
        lambda: session.step(a, out=out.astype(np.float64)),
        lambda: session.step(a, policy=3, out=out),
        lambda: session.run_batch(0),
        lambda: session.run_batch(-1),
        lambda: session.run_batch(10**30),
    ]:
        with pytest.raises(lc.LightningError):
            wrong()
    assert (out == 7).all()
    assert (session.step(out=out) == 4).all()
    session.close()
    session.close()
    for call in (session.run, session.finish, session.step, session.sync, lambda: session.start(a, a.T)):
        with pytest.raises(lc.NotInitializedError):
            call()


def test_one_session_from_many_threads():
    (a, b, c), attrs, one_shot = CASES["matmul"]
    session = lc.Session("matmul", a, b, c, **attrs)
    session.start()
    want = {scale: one_shot(a * np.float32(scale), b, c) for scale in range(8)}

    def work(scale):
        x = a * np.float32(scale)
        for _ in range(100):
            close(session.step(x), want[scale])

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, scale) for scale in range(8)]:
            future.result()
