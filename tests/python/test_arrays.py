"""What is accepted as an array, and what is done with `out`."""

from __future__ import annotations

import array
import ctypes
import warnings

import lightning_core as lc
import numpy as np
import pytest

X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Subclass(np.ndarray):
    pass


class ArrayProtocol:
    def __array__(self, dtype=None, copy=None):
        return X.astype(dtype or np.float32)


class HostDLPack:
    """Exports through DLPack and nothing else; `legacy` speaks the protocol of before versions."""

    def __init__(self, data, legacy=False, device=(1, 0)):
        self.data, self.legacy, self.device = data, legacy, device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **kwargs):
        if self.legacy:
            if kwargs:
                raise TypeError("unexpected keyword argument")
            return self.data.__dlpack__()
        return self.data.__dlpack__(**kwargs)


def unaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    assert not view.flags.aligned
    return view


def fields(x):
    """A view whose strides are no multiple of the element."""
    records = np.zeros(x.shape, np.dtype([("a", "u1"), ("x", x.dtype)], align=False))
    records["x"] = x
    return records["x"]


READABLE = {
    "ndarray": X,
    "fortran": np.asfortranarray(X),
    "reversed": X[::-1, ::-1][::-1, ::-1],
    "read-only": np.broadcast_to(X, X.shape),
    "subclass": X.view(Subclass),
    "memmap-like subclass of float64": X.astype(np.float64).view(Subclass),
    "big-endian": X.astype(">f4"),
    "little-endian": X.astype("<f4"),
    "unaligned": unaligned(X),
    "odd strides": fields(X),
    "float64": X.astype(np.float64),
    "float16": X.astype(np.float16),
    "int8": X.astype(np.int8),
    "uint64": X.astype(np.uint64),
    "object": X.astype(object),
    "nested list": X.tolist(),
    "tuple of arrays": tuple(X),
    "list of scalars": [list(row) for row in X],
    "memoryview": memoryview(X),
    "ctypes": (ctypes.c_float * 3 * 2)(*[(ctypes.c_float * 3)(*row) for row in X]),
    "__array__": ArrayProtocol(),
    "DLPack": HostDLPack(X),
    "legacy DLPack": HostDLPack(X, legacy=True),
    "DLPack of float64": HostDLPack(X.astype(np.float64)),
    "strided DLPack": HostDLPack(np.repeat(X, 2, axis=1)[:, ::2]),
    "pinned host DLPack": HostDLPack(X, device=(3, 0)),
}


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_original_functions_read(kind):
    got = lc.matmul2d(READABLE[kind], np.eye(3, dtype=np.float32))
    np.testing.assert_array_equal(got, X)
    np.testing.assert_array_equal(lc.vector_add(READABLE[kind], X), (X + X).ravel())


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_api_functions_keep_floats_and_refuse_the_rest(kind):
    x = READABLE[kind]
    if kind == "float16":
        # Kept as it is; the CPU has no kernel for it.
        with lc.policy(device="cpu"), pytest.raises(lc.NotSupportedError, match="float16"):
            lc.api.relu(x)
        return
    if kind in {"int8", "uint64", "object"}:
        with pytest.raises(lc.InvalidTypeError) as error:
            lc.api.relu(x)
        assert kind in error.value.got and "astype" in error.value.hint
        return
    got = lc.api.relu(x)
    assert got.dtype == (np.float64 if "float64" in kind else np.float32)
    np.testing.assert_array_equal(got, X)


def test_flat_buffers():
    for x in [array.array("f", range(6)), bytearray(X.tobytes()), memoryview(X.tobytes()).cast("f")]:
        if isinstance(x, bytearray):
            np.testing.assert_array_equal(lc.vector_add(memoryview(x).cast("f"), X), 2 * X.ravel())
        else:
            np.testing.assert_array_equal(lc.vector_add(x, X), 2 * X.ravel())
            np.testing.assert_array_equal(lc.api.add(x, X.ravel()), 2 * X.ravel())
    np.testing.assert_array_equal(lc.api.add(array.array("d", [1, 2]), array.array("d", [3, 4])), [4, 6])


def test_complex_input_warns_as_numpy_does():
    with pytest.warns(np.exceptions.ComplexWarning if hasattr(np, "exceptions") else np.ComplexWarning):
        np.testing.assert_array_equal(lc.vector_add(X.astype(np.complex64), X), 2 * X.ravel())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Warning):
            lc.vector_add(X.astype(np.complex64), X)
    with pytest.raises(TypeError):
        lc.api.relu(X.astype(np.complex64))


@pytest.mark.parametrize("bad", ["text", [[1, 2], [3]], [1, "x"], {"a": 1}, object(), None, [10**400], b"1234"])
def test_what_is_no_array_of_numbers(bad):
    for call in [lambda: lc.matmul2d(bad, X), lambda: lc.api.relu(bad), lambda: lc.attention2d(X, bad, X)]:
        with pytest.raises((lc.InvalidTypeError, lc.InvalidValueError)) as error:
            call()
        assert error.value.op and error.value.argument in {"a", "x", "k"}


def test_too_many_dimensions():
    deep = np.ones((1,) * 12, np.float32)
    with pytest.raises(lc.InvalidValueError, match="8 dimensions"):
        lc.api.relu(deep)
    with pytest.raises(lc.InvalidValueError, match="8 dimensions"):
        lc.api.relu(np.ones(3, np.float32), out=deep)


def test_a_tensor_on_another_device_says_what_to_do():
    for call in [
        lambda: lc.matmul2d(HostDLPack(X, device=(2, 0)), X.T),
        lambda: lc.api.relu(X, out=HostDLPack(X, device=(2, 0))),
    ]:
        with pytest.raises(lc.InvalidTypeError) as error:
            call()
        assert "host" in error.value.expected and error.value.hint


def test_results_own_their_memory():
    got = lc.matmul2d(X, X.T)
    assert got.flags.owndata and got.flags.writeable and got.flags.c_contiguous and got.flags.aligned
    assert type(got) is np.ndarray and got.base is None
    assert type(lc.matmul2d(X.view(Subclass), X.T)) is np.ndarray


WRITERS = {
    "matmul2d_into": (lambda out: lc.matmul2d_into(X, X.T, out), (2, 2)),
    "matmul_np_into": (lambda out: lc.matmul_np_into(X, X.T, out, 2, 3, 2), (2, 2)),
    "matmul_np_into_with_policy": (lambda out: lc.matmul_np_into_with_policy(X, X.T, out, 2, 3, 2), (2, 2)),
    "attention2d_into": (lambda out: lc.attention2d_into(X, X, X, out), (2, 3)),
    "lightning_attention_into": (lambda out: lc.lightning_attention_into(X, X, X, out, 2, 3), (2, 3)),
    "conv2d_nchw_into": (lambda out: lc.conv2d_nchw_into(X.reshape(1, 1, 2, 3), X[:1, :1, None, None], None, out), (1, 1, 2, 3)),
    "conv_relu_nchw_into": (
        lambda out: lc.api.conv_relu_nchw_into(X.reshape(1, 1, 2, 3), X[:1, :1, None, None], None, out),
        (1, 1, 2, 3),
    ),
    "conv_attention_into": (
        lambda out: lc.api.conv_attention_torchstrong_nchw_into(
            X.reshape(1, 1, 2, 3), X[:1, 1:2, None, None], None, out, 2, 2
        ),
        (4,),
    ),
    "conv_attention_into, graph": (
        lambda out: lc.api.conv_attention_torchstrong_nchw_into(
            X.reshape(1, 1, 2, 3), X[:1, 1:2, None, None], None, out, 2, 2, execution_mode="graph"
        ),
        (4,),
    ),
    "api.add": (lambda out: lc.api.add(X, X, out=out), (2, 3)),
    "api.matmul": (lambda out: lc.api.matmul(X, X.T, out=out), (2, 2)),
    "api.softmax": (lambda out: lc.api.softmax(X, out=out), (2, 3)),
    "api.ffn": (lambda out: lc.api.ffn(X, X, X.T, out=out), (2, 3)),
    "api.scaled_dot_product_attention": (lambda out: lc.api.scaled_dot_product_attention(X, X, X, out=out), (2, 3)),
}


def wanted(name):
    call, shape = WRITERS[name]
    out = np.full(shape, 7, np.float32)
    call(out)
    return out


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_B3_out_is_never_a_temporary(name):
    call, shape = WRITERS[name]
    big = np.full((*shape[:-1], shape[-1] * 2), 7, np.float32)
    refused_values = {
        "strided": big[..., ::2],
        "reversed": np.full(shape, 7, np.float32)[..., ::-1],
        "read-only": np.full(shape, 7, np.float32),
        "wrong shape": np.full((*shape, 2), 7, np.float32),
        "wrong size": np.full(3, 7, np.float32),
        "empty": np.full(0, 7, np.float32),
        "big-endian": np.full(shape, 7, ">f4"),
        "unaligned": unaligned(np.full(shape, 7, np.float32)),
    }
    refused_values["read-only"].flags.writeable = False
    if len(shape) > 1 and min(shape[-2:]) > 1:
        refused_values["fortran"] = np.asfortranarray(np.full(shape, 7, np.float32))
    for kind, out in refused_values.items():
        with pytest.raises(lc.InvalidValueError) as error:
            call(out)
        assert error.value.argument == "out", kind
        np.testing.assert_array_equal(out, 7, err_msg=kind)
    refused_types = {
        "float64": np.full(shape, 7, np.float64),
        "int32": np.full(shape, 7, np.int32),
        "list": np.full(shape, 7).tolist(),
        "tuple": (7,) * 4,
        "number": 7.0,
    }
    for kind, out in refused_types.items():
        with pytest.raises(lc.InvalidTypeError) as error:
            call(out)
        assert error.value.argument == "out", kind
        np.testing.assert_array_equal(out, 7, err_msg=kind)
    if "api." not in name or "conv" in name:
        with pytest.raises(TypeError):
            call(None)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_outputs_of_other_kinds_are_written_in_place(name):
    call, shape = WRITERS[name]
    want = wanted(name)
    plain = np.zeros(shape, np.float32)
    for out in [plain.view(Subclass), memoryview(plain), HostDLPack(plain)]:
        plain[...] = 0
        call(out)
        np.testing.assert_array_equal(plain, want)
    store = array.array("f", [0] * plain.size)
    call(memoryview(store).cast("B").cast("f", shape))
    np.testing.assert_array_equal(np.asarray(store).reshape(shape), want)
    with pytest.raises(ValueError):
        call(memoryview(plain.tobytes()).cast("f", shape))


def test_B11_out_may_not_overlap_an_input():
    buffer = np.arange(12, dtype=np.float32)
    a, b = buffer[:6].reshape(2, 3), np.ones((3, 2), np.float32)
    before = buffer.copy()
    cases = [
        lambda: lc.matmul2d_into(a, b, buffer[5:9].reshape(2, 2)),
        lambda: lc.matmul2d_into(a, b, b[:2]),
        lambda: lc.attention2d_into(a, a, a, a),
        lambda: lc.api.add(a, a, out=a),
        lambda: lc.api.add(a, 1.0, out=buffer[3:9].reshape(2, 3)),
        lambda: lc.api.relu(a[::-1], out=a),
        lambda: lc.conv2d_nchw_into(a.reshape(1, 1, 2, 3), np.ones((1, 1, 1, 1), np.float32), None, a.reshape(1, 1, 2, 3)),
        lambda: lc.api.conv_attention_torchstrong_nchw_into(
            a.reshape(1, 1, 2, 3), np.ones((1, 1, 1, 1), np.float32), None, buffer[:4], 2, 2, execution_mode="graph"
        ),
    ]
    for call in cases:
        with pytest.raises(lc.InvalidValueError) as error:
            call()
        assert "overlap" in str(error.value)
        np.testing.assert_array_equal(buffer, before)
        np.testing.assert_array_equal(b, 1)
    lc.api.add(a, a, out=buffer[6:].reshape(2, 3))
    np.testing.assert_array_equal(buffer[6:], 2 * buffer[:6])


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    x = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    np.testing.assert_array_equal(lc.matmul2d(x, x.T), X @ X.T)
    np.testing.assert_array_equal(lc.api.relu(x.double()), X)
    out = torch.zeros(2, 2)
    lc.matmul2d_into(x, x.T, out)
    np.testing.assert_array_equal(out.numpy(), X @ X.T)
    with pytest.raises(lc.InvalidTypeError, match="detach"):
        lc.api.relu(x.clone().requires_grad_())


def test_jax_arrays():
    jnp = pytest.importorskip("jax.numpy")
    x = jnp.arange(6, dtype=jnp.float32).reshape(2, 3)
    np.testing.assert_array_equal(lc.matmul2d(x, x.T), X @ X.T)
    before = np.asarray(x).copy()
    with pytest.raises((lc.InvalidValueError, lc.InvalidTypeError)):
        lc.api.add(X, X, out=x)
    np.testing.assert_array_equal(np.asarray(x), before)
