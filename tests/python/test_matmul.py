"""Matrix products."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def reference(a, b):
    return np.asarray(a, np.float64) @ np.asarray(b, np.float64)


def close(got, want, k):
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=3e-7 * max(k, 1))


@settings(deadline=None, max_examples=60)
@given(m=st.integers(1, 70), k=st.integers(1, 70), n=st.integers(1, 70), seed=st.integers(0, 9))
def test_matmul2d_against_float64(m, k, n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((m, k), np.float32), rng.standard_normal((k, n), np.float32)
    got = lc.matmul2d(a, b)
    assert got.shape == (m, n) and got.dtype == np.float32 and got.flags.c_contiguous and got.flags.owndata
    np.testing.assert_allclose(got, reference(a, b), rtol=1e-4, atol=1e-4)
    out = np.empty((m, n), np.float32)
    assert lc.matmul2d_into(a, b, out) is None
    np.testing.assert_array_equal(out, got)


def layouts(x):
    """The same matrix in eight layouts."""
    rows, cols = x.shape
    wide = np.zeros((rows * 2, cols * 3), x.dtype)
    wide[::2, ::3] = x
    padded = np.zeros((rows + 2, cols + 3), x.dtype)
    padded[1:-1, 2:-1] = x
    broadcast = np.broadcast_to(x[:1], x.shape)
    yield "contiguous", x, x
    yield "fortran", np.asfortranarray(x), x
    yield "transposed", np.ascontiguousarray(x.T).T, x
    yield "sliced", wide[::2, ::3], x
    yield "offset", padded[1:-1, 2:-1], x
    yield "reversed", np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1], x
    yield "zero stride", broadcast, np.ascontiguousarray(broadcast)
    yield "float64", x.astype(np.float64), x


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 33), (64, 65)])
def test_matmul2d_reads_every_layout(rng, shape):
    a = rng.standard_normal(shape).astype(np.float32)
    b = rng.standard_normal(shape[::-1]).astype(np.float32)
    for name, left, plain in layouts(a):
        close(lc.matmul2d(left, b), reference(plain, b), shape[1])
    for name, right, plain in layouts(b):
        close(lc.matmul2d(a, right), reference(a, plain), shape[1])
        out = np.empty(shape[0] * shape[0], np.float32)
        lc.matmul2d_into(a, right, out)
        close(out.reshape(shape[0], -1), reference(a, plain), shape[1])


def test_flat_functions_know_sizes_only():
    a, b = list(range(6)), [7, 8, 9, 10, 11, 12]
    want = reference(np.reshape(a, (2, 3)), np.reshape(b, (3, 2))).ravel().tolist()
    assert lc.matmul(a, b, 2, 3, 2) == want
    assert lc.matmul(tuple(a), b, m=2, k=3, n=2, device="cpu") == want
    x, y = np.array(a, np.float32), np.array(b, np.float32)
    for left in [x, x.reshape(3, 2), x.reshape(1, 6), x.astype(np.int64), x.astype(np.float64)]:
        got = lc.matmul(left, y, 2, 3, 2)
        assert isinstance(got, np.ndarray) and got.shape == (4,) and got.dtype == np.float32
        assert got.tolist() == want
    assert lc.matmul_np(a, b, 2, 3, 2).tolist() == want
    assert lc.matmul_with_policy(a, b, 2, 3, 2, "cpu", lc.Policy()) == want
    assert lc.matmul_np_with_policy(a, b, 2, 3, 2, policy=lc.Policy(device="cpu")).tolist() == want
    for shape in [(4,), (2, 2), (1, 4, 1)]:
        out = np.zeros(shape, np.float32)
        assert lc.matmul_np_into(a, b, out, 2, 3, 2) is None
        assert out.ravel().tolist() == want
        out[:] = 0
        lc.matmul_np_into_with_policy(a, b, out, 2, 3, 2, "cpu", lc.Policy())
        assert out.ravel().tolist() == want


def test_flat_functions_read_strided_inputs_in_row_major_order():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    b = np.ones(4, np.float32)
    np.testing.assert_array_equal(lc.matmul_np(x.T, b[:3], 4, 3, 1), x.T.sum(axis=1))
    np.testing.assert_array_equal(lc.matmul_np(x[:, ::2], b[:2], 3, 2, 1), x[:, ::2].sum(axis=1))


def test_D8_the_return_type_depends_on_the_kind_of_the_inputs_only():
    data = np.arange(4)
    for dtype in [np.float32, np.float64, np.int32]:
        for x in [data.astype(dtype), data.astype(dtype)[::-1][::-1], np.repeat(data.astype(dtype), 2)[::2]]:
            assert isinstance(lc.matmul(x, x, 2, 2, 2), np.ndarray)
            assert isinstance(lc.vector_add(x, x), np.ndarray)
    assert isinstance(lc.matmul([0, 1, 2, 3], [0.0, 1, 2, 3], 2, 2, 2), list)
    assert isinstance(lc.matmul([0, 1, 2, 3], data, 2, 2, 2), np.ndarray)


@pytest.mark.parametrize("sizes", [(0, 3, 2), (2, 0, 2), (2, 3, 0), (-1, 3, 2), (2**31, 2**31, 2**31), (2**63, 1, 1), (2**200, 3, 2)])
def test_B13_sizes_are_checked(sizes):
    for function in [lc.matmul, lc.matmul_np, lc.matmul_with_policy, lc.matmul_np_with_policy]:
        with pytest.raises(lc.InvalidValueError) as error:
            function([1.0] * 6, [1.0] * 6, *sizes)
        assert error.value.op == function.__name__ and error.value.argument in {"a", "b", "m", "k", "n"}
    out = np.full(4, 7, np.float32)
    with pytest.raises(ValueError):
        lc.matmul_np_into([1.0] * 6, [1.0] * 6, out, *sizes)
    np.testing.assert_array_equal(out, 7)


def test_sizes_are_integers():
    for bad in [2.0, "2", None]:
        with pytest.raises(TypeError):
            lc.matmul([1.0] * 6, [1.0] * 6, bad, 3, 2)
    assert lc.matmul([1.0] * 6, [1.0] * 6, np.int64(2), np.uint8(3), 2) == [3.0] * 4


def test_shapes_are_checked():
    a = np.ones((2, 3), np.float32)
    for left, right in [(a, a), (a[0], a.T), (a, a[0]), (a[None], a.T), (a[:0], a.T), (a[:, :0], a.T[:0])]:
        with pytest.raises(lc.InvalidValueError):
            lc.matmul2d(left, right)
    with pytest.raises(lc.InvalidValueError) as error:
        lc.matmul2d(a, a)
    assert (error.value.op, error.value.argument) == ("matmul2d", "b")
    assert "3" in error.value.expected and "[2, 3]" in error.value.got


def test_nan_and_infinity_follow_ieee():
    a = np.array([[np.nan, 1], [np.inf, 1]], np.float32)
    got = lc.matmul2d(a, np.ones((2, 2), np.float32))
    assert np.isnan(got[0]).all() and np.isposinf(got[1]).all()
    zero_times_inf = lc.matmul2d(np.array([[0, 1]], np.float32), np.array([[np.inf], [1]], np.float32))
    assert np.isnan(zero_times_inf).all()


def test_api_matmul_has_batches_epilogues_and_float64(rng):
    a, b = rng.standard_normal((2, 1, 3, 4)), rng.standard_normal((5, 4, 6))
    got = lc.api.matmul(a, b)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, a @ b, rtol=1e-13, atol=1e-13)
    bias, residual = rng.standard_normal(6), rng.standard_normal((2, 5, 3, 6))
    out = np.empty_like(residual)
    assert lc.api.matmul(a, b, bias=bias, residual=residual, activation="relu", out=out) is out
    np.testing.assert_allclose(out, np.maximum(a @ b + bias + residual, 0), rtol=1e-13, atol=1e-13)
    with pytest.raises(lc.InvalidValueError, match="activation"):
        lc.api.matmul(a, b, activation="mish")


def test_resident_session_has_the_shapes_of_the_inputs():
    a, b = np.ones((2, 3), np.float32), np.ones((3, 4), np.float32)
    session = lc.matmul2d_resident_session(a, b)
    assert isinstance(session, lc.MatMulMetalResidentSession)
    with pytest.raises(ValueError):
        lc.matmul2d_resident_session(a, a)
    with pytest.raises(ValueError):
        lc.matmul2d_resident_session(a[0], b)
