"""Owned tensors, their views, and how others read their memory."""

from __future__ import annotations

import gc
import sys

import lightning_core as lc
import numpy as np
import pytest

CLASSES = [(lc.Tensor, np.float32, lc.TensorView), (lc.Tensor64, np.float64, lc.Tensor64View)]
both = pytest.mark.parametrize(("cls", "dtype", "view_cls"), CLASSES, ids=["float32", "float64"])


def filled(cls=lc.Tensor, shape=(2, 2)):
    return cls.from_numpy_array(np.arange(1, 1 + np.prod(shape)), list(shape))


@both
def test_contract(cls, dtype, view_cls):
    t = filled(cls, (2, 3))
    assert (t.shape(), t.strides(), t.rank(), t.numel(), t.storage_numel()) == ([2, 3], [3, 1], 2, 6, 6)
    assert t.is_contiguous() and t.layout() == "contiguous" and t.device() == "cpu"
    assert t.dtype() == np.dtype(dtype).name
    assert list(t.contract()) == [
        "shape", "strides", "rank", "numel", "storage_numel", "is_contiguous", "layout", "dtype", "device",
    ]  # fmt: skip
    t.validate_contract()
    assert len(t) == 2 and "[2, 3]" in repr(t) and cls.__name__ in repr(t)


@both
def test_values(cls, dtype, view_cls):
    t = cls([2, 2])
    t.from_list([1, 2, 3, 4])
    assert t.to_list() == [1, 2, 3, 4] and t.tolist() == [[1, 2], [3, 4]]
    t.from_numpy(np.arange(8).reshape(2, 4)[:, ::2])
    flat = t.to_numpy()
    assert flat.shape == (4,) and flat.dtype == dtype and flat.tolist() == [0, 2, 4, 6]
    flat[0] = 99
    assert t.to_list()[0] == 0, "to_numpy copies"
    for wrong in ([1, 2, 3], np.zeros(5), [[1, 2], [3]]):
        with pytest.raises(ValueError):
            t.from_list(wrong)
        assert t.to_list() == [0, 2, 4, 6]


@both
def test_add(cls, dtype, view_cls):
    a = cls.from_numpy_array([1, 2, 3, 4], [2, 2])
    b = cls.from_numpy_array([10, 20, 30, 40], [4])
    total = a.add(b)
    assert type(total) is cls and total.shape() == [2, 2] and total.to_list() == [11, 22, 33, 44]
    assert a.add(a).to_list() == [2, 4, 6, 8]
    with pytest.raises(ValueError, match="other"):
        a.add(cls([3]))
    other = lc.Tensor64 if cls is lc.Tensor else lc.Tensor
    for wrong in (other([2, 2]), 3, None, np.zeros(4)):
        with pytest.raises(TypeError):
            a.add(wrong)


@both
def test_reshape_is_in_place_and_infers_one_extent(cls, dtype, view_cls):
    t = filled(cls, (2, 3))
    assert t.reshape([6]) is None and t.shape() == [6]
    t.reshape([3, -1])
    assert t.shape() == [3, 2]
    for wrong in ([3], [4, -1], [-1, -1], [0, -1], [], [2**70], [2**40, 2**40]):
        with pytest.raises(ValueError, match="shape"):
            t.reshape(wrong)
        assert t.shape() == [3, 2]
    with pytest.raises(TypeError):
        t.reshape("ab")
    with pytest.raises(TypeError):
        t.reshape([1.5, 4])


@both
def test_views_and_slices(cls, dtype, view_cls):
    t = filled(cls)
    view = t.view([4])
    assert type(view) is view_cls and view.is_contiguous() and view.layout() == "contiguous"
    view.validate_contract()
    view.validate_contract_for_storage(4)
    for small in (0, 2, 3):
        with pytest.raises(ValueError):
            view.validate_contract_for_storage(small)
    row = t.slice(0, 0, 1)
    assert (row.shape(), row.offset_elements(), row.layout()) == ([1, 2], 0, "strided")
    assert not t.slice(0, 0, 2).is_contiguous(), "a full slice is a slice"
    assert t.to_host_view(row) == [1, 2]
    assert t.slice_copy(1, 0, 1) == [1, 3] and t.slice_copy_numpy(1, 1, 2).tolist() == [2, 4]
    column = t.to_host_view_numpy(t.slice(1, 1, 2))
    assert column.shape == (2,) and column.dtype == dtype
    assert list(view.contract()) == [
        "shape", "strides", "rank", "numel", "is_contiguous", "layout", "dtype", "offset_elements", "device",
    ]  # fmt: skip
    for axis, start, end in [(2, 0, 1), (0, 1, 3), (0, 1, 1), (0, 1, 0), (-1, 0, 1), (0, -1, 1), (2**70, 0, 1)]:
        with pytest.raises(ValueError):
            t.slice(axis, start, end)
    assert t.read_strided([2], [2], 0) == [1, 3] and t.read_strided(out_shape=[2], source_strides=[1]) == [1, 2]
    for shape, strides, offset in [
        ([2], [2], 3), ([2], [0], 0), ([2], [-1], 1), ([2, 2], [1], 0), ([0], [1], 0), ([1], [1], -1),
        ([2], [2**62], 2**62), ([2**40], [1], 0),
    ]:  # fmt: skip
        with pytest.raises(ValueError):
            t.read_strided(shape, strides, offset)


def test_slices_agree_with_numpy():
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    t = lc.Tensor.from_numpy_array(array, [3, 4, 5])
    for axis in range(3):
        for start in range(array.shape[axis]):
            for end in range(start + 1, array.shape[axis] + 1):
                want = array.take(range(start, end), axis=axis).ravel()
                np.testing.assert_array_equal(t.slice_copy_numpy(axis, start, end), want)


def test_a_view_is_metadata_and_is_checked_where_it_is_applied():
    t = filled(shape=(4, 4))
    view = t.slice(0, 2, 4)
    t.reshape([16])
    del t
    other = filled(shape=(16,))
    assert other.to_host_view(view)[0] == 9
    other.validate_view_contract(view)
    small = filled(shape=(15,))
    with pytest.raises(ValueError):
        small.to_host_view(view)
    with pytest.raises(TypeError):
        lc.Tensor64([16]).to_host_view(view)
    for wrong in (None, 1, small):
        with pytest.raises(TypeError):
            other.validate_view_contract(wrong)
    for cls in (lc.TensorView, lc.Tensor64View):
        with pytest.raises(TypeError):
            cls()


@both
def test_b9_storage_is_zero_filled(cls, dtype, view_cls):
    for make in (cls, cls.zeros):
        for device in ("cpu", "auto"):
            t = make([257, 129], device)
            assert not t.numpy().any()
            t.from_numpy(np.full((257, 129), 7.0))  # what a later tensor in this memory must not show


@both
@pytest.mark.parametrize("shape", [[], [0], [2, 0], [-1], [2**63], [2**62, 4], [1] * 9, [-(2**70)]])
def test_d10_a_tensor_that_cannot_be_is_refused_when_made(cls, dtype, view_cls, shape):
    for make in (cls, cls.zeros):
        with pytest.raises(ValueError) as caught:
            make(shape)
        assert isinstance(caught.value, lc.LightningError)
    with pytest.raises(ValueError):
        cls.from_numpy_array([1.0], shape)


def test_d10_too_large_is_out_of_memory_and_not_a_crash():
    with pytest.raises(MemoryError):
        lc.Tensor([2**46])


def test_d10_a_device_that_is_not_there_is_refused_or_named_truly():
    if lc.metal_available():
        pytest.skip("needs a machine without Metal")
    with lc.policy(fallback="deny"), pytest.raises(lc.NotSupportedError, match="metal"):
        lc.Tensor([2], "metal")
    with pytest.raises(lc.NotSupportedError):
        lc.Tensor([2], "metal", policy=lc.Policy(fallback="deny"))
    with lc.policy(fallback="allow"):
        t = lc.Tensor([2], "metal")
    assert t.device() == lc.backend_name() and t.device() != "metal"
    for wrong in ("gpu", "CPU", ""):
        with pytest.raises(ValueError):
            lc.Tensor([2], wrong)


def test_numpy_is_the_tensor_s_own_memory():
    t = filled(shape=(2, 3))
    array = t.numpy()
    assert array.shape == (2, 3) and array.flags.writeable and array.flags.c_contiguous
    array[1, 2] = 42
    assert t.to_list()[-1] == 42
    t.from_list(range(6))
    assert array[1, 2] == 5
    t.reshape([6])
    assert array.shape == (2, 3) and t.numpy().shape == (6,)
    del t
    gc.collect()
    assert array.sum() == 15, "the array keeps the memory alive"
    assert np.asarray(filled()).tolist() == [[1, 2], [3, 4]]


def test_array_and_dlpack_protocols():
    t = filled()
    copy = t.__array__(copy=True)
    copy[:] = 0
    assert t.to_list() == [1, 2, 3, 4]
    assert t.__array__(np.float64).dtype == np.float64 and np.array(t, dtype=np.int32).tolist() == [[1, 2], [3, 4]]
    assert t.__dlpack_device__() == (1, 0)
    shared = np.from_dlpack(t)
    t.from_list([9, 9, 9, 9])
    assert shared.tolist() == [[9, 9], [9, 9]]
    del t
    gc.collect()
    assert shared.sum() == 36


def test_tensors_are_inputs_and_outputs_of_ops():
    a, out = filled(), lc.Tensor([2, 2])
    np.testing.assert_array_equal(lc.matmul2d(a, a), np.array([[7, 10], [15, 22]], np.float32))
    lc.matmul2d_into(a, a, out.numpy())
    assert out.to_list() == [7, 10, 15, 22]


def test_tensors_are_not_leaked():
    before = sys.getrefcount(lc.Tensor)
    for _ in range(2000):
        t = lc.Tensor([3])
        t.numpy()
        t.view([3])
    del t
    gc.collect()
    assert sys.getrefcount(lc.Tensor) - before < 100
