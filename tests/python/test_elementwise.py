"""Element-wise arithmetic."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

OPS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}


@settings(deadline=None, max_examples=150)
@given(
    shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=5, min_side=1, max_side=5),
    op=st.sampled_from(sorted(OPS)),
    dtype=st.sampled_from([np.float32, np.float64]),
    flips=st.lists(st.booleans(), min_size=10, max_size=10),
    seed=st.integers(0, 99),
)
def test_broadcasting_is_numpys(shapes, op, dtype, flips, seed):
    rng = np.random.default_rng(seed)

    def make(shape, flips):
        x = np.asarray(rng.standard_normal(shape), dtype)
        return x[tuple(slice(None, None, -1 if f else 1) for f, _ in zip(flips, shape))] if shape else x

    a, b = make(shapes.input_shapes[0], flips[:5]), make(shapes.input_shapes[1], flips[5:])
    with np.errstate(all="ignore"):
        want = OPS[op](a, b)
    got = getattr(lc.api, op)(a, b)
    assert got.dtype == dtype and got.shape == shapes.result_shape
    np.testing.assert_array_equal(got, want)
    out = np.full(shapes.result_shape, 7, dtype)
    assert getattr(lc.api, op)(a, b, out=out) is out
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 15, 16, 17, 31, 33, 257, 100_003])
def test_vector_add_on_odd_sizes(rng, n):
    a, b = rng.standard_normal(n, np.float32), rng.standard_normal(n, np.float32)
    np.testing.assert_array_equal(lc.vector_add(a, b), a + b)
    np.testing.assert_array_equal(lc.api.vector_add(a, b), a + b)


def test_names_of_the_matrix_functions():
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), np.array([[5.0, 6.0], [7.0, 8.0]], np.float32)
    for name, op in [("add", np.add), ("sub", np.subtract), ("div", np.divide)]:
        flat = getattr(lc, f"matrix_{name}")
        np.testing.assert_array_equal(flat(a, b, 2, 2), op(a, b).ravel())
        np.testing.assert_array_equal(flat(a.ravel(), b, 4, 1, "cpu"), op(a, b).ravel())
        assert flat(a.ravel().tolist(), b.ravel().tolist(), 2, 2) == op(a, b).ravel().tolist()
        np.testing.assert_array_equal(getattr(lc.api, f"matrix_{name}")(a, b), op(a, b))
    np.testing.assert_array_equal(lc.api.matrix_mul(a, b), a * b)


def test_D8_api_results_keep_their_shape_and_legacy_ones_are_flat():
    x = np.ones((2, 3, 4), np.float32)
    assert lc.vector_add(x, x).shape == (24,)
    assert lc.api.vector_add(x, x).shape == (2, 3, 4)
    assert lc.vector_add(x, x.reshape(24)).shape == (24,)
    assert lc.vector_add([1, 2], (3, 4)) == [4.0, 6.0]
    assert lc.vector_add(1.5, 2).tolist() == [3.5]


def test_legacy_functions_read_strides_in_row_major_order():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(lc.vector_add(x.T, np.zeros(12, np.float32)), x.T.ravel())
    np.testing.assert_array_equal(lc.vector_add(x[::-1], x[:, ::-1]), (x[::-1] + x[:, ::-1]).ravel())


def test_B12_division_is_ieee():
    a, b = np.array([1, -1, 0, np.inf], np.float32), np.array([0, 0, 0, np.inf], np.float32)
    got = lc.api.div(a, b)
    assert got[0] == np.inf and got[1] == -np.inf and np.isnan(got[2]) and np.isnan(got[3])


def test_numbers_and_sequences_take_the_other_operands_type():
    for dtype in [np.float32, np.float64]:
        x = np.array([1, 2, 3], dtype)
        for y in [2, 2.5, True, [1, 2, 3], (1.5,)]:
            for got, want in [(lc.api.mul(x, y), x * np.asarray(y, dtype)), (lc.api.sub(y, x), np.asarray(y, dtype) - x)]:
                assert got.dtype == dtype
                np.testing.assert_array_equal(got, want)
    assert lc.api.add([1, 2], 3).dtype == np.float32
    assert lc.api.add(1, 2).shape == ()


def test_sizes_and_shapes_are_checked():
    a = np.ones(6, np.float32)
    for bad in [lambda: lc.vector_add(a, a[:5]), lambda: lc.vector_add([], []), lambda: lc.api.add(a, a[:5])]:
        with pytest.raises(lc.InvalidValueError):
            bad()
    for rows, cols in [(2, 2), (0, 6), (6, -1), (2**40, 2**40), (2**100, 1)]:
        for function in [lc.matrix_add, lc.matrix_sub, lc.matrix_div]:
            with pytest.raises(lc.InvalidValueError) as error:
                function(a, a, rows, cols)
            assert error.value.op == function.__name__
    with pytest.raises(TypeError):
        lc.matrix_sub(a, a, 2.0, 3)
    with pytest.raises(lc.InvalidTypeError):
        lc.api.add(a, a.astype(np.float64))
