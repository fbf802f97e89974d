"""`lightning_core.api`: normalisation, activations, layers and fused pipelines; names and signatures of the package."""

from __future__ import annotations

import inspect
import math

import lightning_core as lc
import numpy as np
import pytest

TYPES = [np.float32, np.float64]


def tolerance(dtype):
    return {"rtol": 3e-5, "atol": 3e-5} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-11}


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def layer_norm(x, weight, bias, eps):
    y = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps)
    return y * (1 if weight is None else weight) + (0 if bias is None else bias)


def check(call, want, dtype):
    """The call without `out`, and with it."""
    got = call()
    assert got.dtype == dtype and got.shape == want.shape
    np.testing.assert_allclose(got, want, **tolerance(dtype))
    out = np.full(want.shape, 7, dtype)
    assert call(out=out) is out
    np.testing.assert_array_equal(out, got)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (2, 3, 33), (4, 257)])
def test_norms_and_softmax(rng, dtype, shape):
    x = rng.standard_normal(shape).astype(dtype)
    weight, bias = rng.standard_normal((2, shape[-1])).astype(dtype)
    wide = np.float64
    for w, b in [(None, None), (weight, None), (weight, bias)]:
        want = layer_norm(x.astype(wide), w, b, 1e-3)
        check(lambda out=None: lc.api.layer_norm(x, w, b, 1e-3, out=out), want, dtype)
    rms = x.astype(wide) / np.sqrt((x.astype(wide) ** 2).mean(-1, keepdims=True) + 1e-6)
    check(lambda out=None: lc.api.rms_norm(x, out=out), rms, dtype)
    check(lambda out=None: lc.api.rms_norm(x, weight, out=out), rms * weight, dtype)
    for axis in range(-len(shape), len(shape)):
        e = np.exp(x.astype(wide) - x.max(axis, keepdims=True))
        check(lambda out=None: lc.api.softmax(x, axis, out=out), e / e.sum(axis, keepdims=True), dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_activations(rng, dtype):
    x = np.concatenate([rng.standard_normal(1001) * 4, [0, -0.0, 30, -30]]).astype(dtype)
    wide = x.astype(np.float64)
    check(lambda out=None: lc.api.relu(x, out=out), np.maximum(wide, 0), dtype)
    check(lambda out=None: lc.api.silu(x, out=out), ACTIVATIONS["silu"](wide), dtype)
    check(lambda out=None: lc.api.gelu(x, out=out), gelu(wide), dtype)
    check(lambda out=None: lc.api.gelu(x, "tanh", out=out), gelu_tanh(wide), dtype)
    assert np.isnan(lc.api.relu(np.array([np.nan], dtype))[0])
    with pytest.raises(lc.InvalidValueError):
        lc.api.gelu(x, approximate="erf")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_layers(rng, dtype, activation):
    x = rng.standard_normal((2, 3, 9)).astype(dtype)
    w1, w2 = rng.standard_normal((17, 9)).astype(dtype), rng.standard_normal((5, 17)).astype(dtype)
    b1, b2 = rng.standard_normal(17).astype(dtype), rng.standard_normal(5).astype(dtype)
    act = ACTIVATIONS[activation]
    hidden = act(x.astype(np.float64) @ w1.T + b1)
    check(lambda out=None: lc.api.linear(x, w1, b1, activation=activation, out=out), hidden, dtype)
    check(lambda out=None: lc.api.ffn(x, w1, w2, b1, b2, activation=activation, out=out), hidden @ w2.T + b2, dtype)
    plain = act(x.astype(np.float64) @ w1.T) @ w2.T
    check(lambda out=None: lc.api.ffn(x, w1, w2, activation=activation, out=out), plain, dtype)


@pytest.mark.parametrize("dtype", TYPES)
def test_layer_norm_projection(rng, dtype):
    x, w = rng.standard_normal((4, 9)).astype(dtype), rng.standard_normal((6, 9)).astype(dtype)
    g, h, b = rng.standard_normal(9).astype(dtype), rng.standard_normal(9).astype(dtype), rng.standard_normal(6).astype(dtype)
    want = layer_norm(x.astype(np.float64), g, h, 1e-5) @ w.T + b
    check(lambda out=None: lc.api.layer_norm_projection(x, w, g, h, b, out=out), want, dtype)
    want = layer_norm(x.astype(np.float64), None, None, 1e-5) @ w.T
    check(lambda out=None: lc.api.layer_norm_projection(x, w, out=out), want, dtype)


def test_shapes_are_checked():
    x, w = np.ones((3, 4), np.float32), np.ones((5, 4), np.float32)
    bad = [
        lambda: lc.api.softmax(x, 2),
        lambda: lc.api.softmax(x, -3),
        lambda: lc.api.softmax(x, 2**70),
        lambda: lc.api.layer_norm(x, w),
        lambda: lc.api.layer_norm(x, eps=float("nan")),
        lambda: lc.api.layer_norm(np.float32(1)),
        lambda: lc.api.rms_norm(x, np.ones(3, np.float32)),
        lambda: lc.api.linear(x, w.T),
        lambda: lc.api.linear(x, w, np.ones(4, np.float32)),
        lambda: lc.api.ffn(x, w, w),
        lambda: lc.api.ffn(x, w, w.T, activation="mish"),
        lambda: lc.api.layer_norm_projection(x, w[:, :3]),
        lambda: lc.api.relu(x, out=np.empty((4, 3), np.float32)),
        lambda: lc.api.relu(x[:0]),
    ]
    for call in bad:
        with pytest.raises(lc.InvalidValueError) as error:
            call()
        assert error.value.op and error.value.argument and error.value.expected and error.value.got


ORIGINAL = """
cuda_available metal_available backend_name memory_model_name runtime_sync_policy_set runtime_sync_policy_get
runtime_sync_apply runtime_sync_apply_default runtime_backend_capabilities runtime_active_backend_capabilities
runtime_trace_enable runtime_trace_enabled runtime_trace_clear runtime_trace_capacity runtime_trace_events
runtime_trace_timeline matmul_reset_tuning
Tensor Tensor64 TensorView Tensor64View
MatMulIoPolicy MatrixElementwiseIoPolicy VectorAddIoPolicy AttentionIoPolicy
MatMulMetalResidentSession Conv2dMetalResidentSession MatrixElemwiseMetalResidentSession VectorAddMetalResidentSession
matmul matmul_np matmul_np_into matmul_with_policy matmul_np_with_policy matmul_np_into_with_policy matmul2d
matmul2d_into matmul2d_resident_session
vector_add matrix_sub conv2d_nchw conv2d_nchw_into conv2d_nchw_metal_resident
AttentionSession attention_forward attention_forward_with_policy attention2d attention2d_into attention2d_session
clear_attention2d_session_cache
GraphIR graph_validation_passes graph_registry_size graph_registry_schemas graph_registry_schema
lightning_conv_relu_nchw lightning_conv_relu_nchw_into lightning_attention lightning_attention_into
lightning_conv_attention_torchstrong_nchw lightning_conv_attention_torchstrong_nchw_into
lightning_conv_attention_torchstrong_nchw_ab_report clear_integrated_attention_session_cache
""".split()

ORIGINAL_API = """
conv_relu_nchw conv_relu_nchw_into attention attention_into conv_attention_torchstrong_nchw
conv_attention_torchstrong_nchw_into conv_attention_torchstrong_nchw_ab_report clear_attention_session_cache
""".split()

SIGNATURES = {
    "matmul": "a, b, m, k, n, device",
    "matmul_np": "a, b, m, k, n, device",
    "matmul_np_into": "a, b, out, m, k, n, device",
    "matmul_with_policy": "a, b, m, k, n, device, policy",
    "matmul_np_with_policy": "a, b, m, k, n, device, policy",
    "matmul_np_into_with_policy": "a, b, out, m, k, n, device, policy",
    "matmul2d": "a, b, device",
    "matmul2d_into": "a, b, out, device",
    "vector_add": "a, b, device",
    "matrix_sub": "a, b, rows, cols, device",
    "conv2d_nchw": "x, w, bias, stride_h, stride_w, pad_h, pad_w, device",
    "conv2d_nchw_into": "x, w, bias, out, stride_h, stride_w, pad_h, pad_w, device",
    "attention_forward": "q, k, v, seq_len, head_dim, causal, device",
    "attention_forward_with_policy": "q, k, v, seq_len, head_dim, causal, device, policy",
    "attention2d": "q, k, v, causal, device",
    "attention2d_into": "q, k, v, out, causal, device",
    "attention2d_session": "q, causal, device",
    "lightning_attention": "q, k, v, seq_len, head_dim, causal, device",
    "lightning_attention_into": "q, k, v, out, seq_len, head_dim, causal, device",
    "lightning_conv_relu_nchw": "x, w, bias, stride_h, stride_w, pad_h, pad_w, device",
    "lightning_conv_relu_nchw_into": "x, w, bias, out, stride_h, stride_w, pad_h, pad_w, device",
    "lightning_conv_attention_torchstrong_nchw": "x, w, bias, seq_len, head_dim, stride_h, stride_w, pad_h, pad_w, "
    "device, execution_mode",
    "lightning_conv_attention_torchstrong_nchw_into": "x, w, bias, out, seq_len, head_dim, stride_h, stride_w, pad_h, "
    "pad_w, device, execution_mode",
    "runtime_sync_policy_set": "mode, trace_sync_boundary",
    "runtime_sync_apply": "mode, trace_sync_boundary",
}
DEFAULTS = {"stride_h": 1, "stride_w": 1, "pad_h": 0, "pad_w": 0, "device": "auto", "causal": False, "mode": "auto"}


def test_every_name_of_the_original_is_here():
    assert len(ORIGINAL) == 63 and len(ORIGINAL_API) == 8
    missing = [name for name in ORIGINAL if not hasattr(lc, name)]
    missing += [f"api.{name}" for name in ORIGINAL_API if not hasattr(lc.api, name)]
    assert missing == []
    for name in ORIGINAL_API:
        legacy = "clear_integrated_attention_session_cache" if name.startswith("clear") else f"lightning_{name}"
        assert getattr(lc.api, name) is getattr(lc, legacy)


@pytest.mark.parametrize("name", sorted(SIGNATURES))
def test_positional_order_is_the_originals(name):
    parameters = inspect.signature(getattr(lc, name)).parameters.values()
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert ", ".join(p.name for p in positional) == SIGNATURES[name]
    for p in positional:
        if p.default is not p.empty and p.name in DEFAULTS:
            assert p.default == DEFAULTS[p.name] and type(p.default) is type(DEFAULTS[p.name])


def test_everything_public_is_documented():
    for module in (lc, lc.api):
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                assert value.__doc__, name
                if not inspect.isclass(value):
                    inspect.signature(value)


def test_D14_names_that_the_original_only_advertised():
    assert callable(lc.matrix_add) and callable(lc.matrix_div) and lc.__version__
