"""Exceptions: their classes, fields and texts, and what they leave unchanged."""

from __future__ import annotations

import pickle

import lightning_core as lc
import numpy as np
import pytest

A = np.ones((2, 3), np.float32)
CLASSES = [
    lc.InvalidValueError,
    lc.InvalidTypeError,
    lc.NotInitializedError,
    lc.OutOfMemoryError,
    lc.NotSupportedError,
    lc.DriverError,
]


def test_classes():
    assert issubclass(lc.LightningError, RuntimeError)
    assert all(issubclass(c, lc.LightningError) for c in CLASSES)
    assert issubclass(lc.InvalidValueError, ValueError) and issubclass(lc.InvalidTypeError, TypeError)
    assert issubclass(lc.OutOfMemoryError, MemoryError)
    assert not issubclass(lc.FallbackWarning, lc.LightningError)


def test_fields_and_text():
    with pytest.raises(lc.LightningError) as caught:
        lc.matmul2d(A, A)
    error = caught.value
    assert (error.kind, error.op, error.argument) == ("invalid value", "matmul2d", "b")
    assert str(error).startswith("invalid value: matmul2d: argument `b`: expected ")
    assert error.expected in str(error) and error.got in str(error) and error.hint in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error) and str(copy) == str(error) and vars(copy) == vars(error)


def test_status_tokens():
    tokens = {
        "invalid value": lambda: lc.matmul2d(A, A.T, "tpu"),
        "not initialized": lambda: lc.matmul2d(A, A.T, policy=lc.Policy(upload=False)),
        "out of memory": lambda: lc.api.matmul(np.broadcast_to(np.float32(1), (2**29, 1)), np.broadcast_to(np.float32(1), (1, 2**29))),
    }
    if not lc.cuda_available():
        tokens["not supported"] = lambda: lc.matmul2d(A, A.T, "cuda", policy=lc.Policy(fallback="deny"))
    for token, call in tokens.items():
        with pytest.raises(lc.LightningError) as caught:
            call()
        assert caught.value.kind == token and str(caught.value).startswith(token)
        assert caught.value.op in {"matmul2d", "matmul"}


def test_causes_stay_visible():
    with pytest.raises(lc.InvalidValueError) as caught:
        lc.matmul2d([["x"]], A)
    assert isinstance(caught.value.__cause__, ValueError)


def test_arity_and_types_are_type_errors():
    for call in [
        lambda: lc.matmul2d(A),
        lambda: lc.matmul2d(A, A.T, "cpu", "cpu"),
        lambda: lc.matmul2d(A, A.T, devices="cpu"),
        lambda: lc.matmul2d(A, A.T, 3),
        lambda: lc.matmul2d(A, A.T, None),
        lambda: lc.matmul2d(A, A.T, policy="cpu"),
        lambda: lc.matmul2d(A, A.T, policy={"device": "cpu"}),
        lambda: lc.attention2d(A, A, A, "yes"),
        lambda: lc.api.gelu(A, 3),
        lambda: lc.api.layer_norm(A, eps="small"),
        lambda: lc.runtime_sync_policy_set(3),
        lambda: lc.policy("cpu"),
        lambda: lc.set_default_policy("cpu"),
    ]:
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("device", ["CPU", "", " cpu", "gpu", "null", "mps", "cpu\0"])
def test_unknown_devices(device):
    for call in [
        lambda: lc.matmul2d(A, A.T, device),
        lambda: lc.vector_add(A, A, device),
        lambda: lc.attention2d(A, A, A, False, device),
        lambda: lc.conv2d_nchw(A[None, None], A[None, None], device=device),
        lambda: lc.api.relu(A, device=device),
        lambda: lc.api.conv_attention_torchstrong_nchw(A[None, None], A[None, None], None, 2, 2, device=device),
    ]:
        with pytest.raises(lc.InvalidValueError) as error:
            call()
        assert error.value.argument == "device"


def test_errors_leave_inputs_and_outputs_unchanged():
    a, out = A.copy(), np.full((2, 2), 7, np.float32)
    for call in [
        lambda: lc.matmul2d_into(a, a, out),
        lambda: lc.matmul2d_into(a, a.T, out, "tpu"),
        lambda: lc.matmul2d_into(a, a.T, out[:1]),
        lambda: lc.matmul_np_into(a, a, out, 2, 3, 3),
        lambda: lc.api.matmul(a, a.T, bias=np.ones(3, np.float32), out=out),
    ]:
        with pytest.raises(lc.LightningError):
            call()
        np.testing.assert_array_equal(a, A)
        np.testing.assert_array_equal(out, 7)


def test_an_interrupting_input_is_not_swallowed():
    class Interrupts:
        def __array__(self, dtype=None, copy=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lc.matmul2d(Interrupts(), A)
