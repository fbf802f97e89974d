"""Types of `lightning_core.api`; the documentation is on the functions themselves."""

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from ._native import _Array, _Out, _Pair, _PolicyLike

__all__ = [
    "add",
    "attention",
    "attention_into",
    "clear_attention_session_cache",
    "conv2d",
    "conv_attention_torchstrong_nchw",
    "conv_attention_torchstrong_nchw_ab_report",
    "conv_attention_torchstrong_nchw_into",
    "conv_relu_nchw",
    "conv_relu_nchw_into",
    "div",
    "ffn",
    "gelu",
    "layer_norm",
    "layer_norm_projection",
    "linear",
    "matmul",
    "matrix_add",
    "matrix_div",
    "matrix_mul",
    "matrix_sub",
    "mul",
    "relu",
    "rms_norm",
    "scaled_dot_product_attention",
    "silu",
    "softmax",
    "sub",
    "vector_add",
]

def add(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def attention(
    q: _Array,
    k: _Array,
    v: _Array,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = "auto",
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def attention_into(
    q: _Array,
    k: _Array,
    v: _Array,
    out: _Out,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = "auto",
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def clear_attention_session_cache() -> None: ...
def conv2d(
    x: _Array,
    w: _Array,
    bias: _Array | None = None,
    *,
    stride: _Pair = 1,
    padding: _Pair = 0,
    dilation: _Pair = 1,
    groups: SupportsIndex = 1,
    activation: str = "none",
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def conv_attention_torchstrong_nchw(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = "auto",
    execution_mode: str = "eager",
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def conv_attention_torchstrong_nchw_ab_report(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = "auto",
    warmup: SupportsIndex = 1,
    repeat: SupportsIndex = 5,
    atol: float = 0.0001,
    rtol: float = 0.0001,
) -> dict[str, Any]: ...
def conv_attention_torchstrong_nchw_into(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    out: _Out,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = "auto",
    execution_mode: str = "eager",
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def conv_relu_nchw(
    x: _Array,
    w: _Array,
    bias: _Array | None = None,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = "auto",
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def conv_relu_nchw_into(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    out: _Out,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = "auto",
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def div(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def ffn(
    x: _Array,
    w1: _Array,
    w2: _Array,
    b1: _Array | None = None,
    b2: _Array | None = None,
    *,
    activation: str = "gelu",
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def gelu(
    x: _Array,
    approximate: str = "none",
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def layer_norm(
    x: _Array,
    weight: _Array | None = None,
    bias: _Array | None = None,
    eps: float = 1e-05,
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def layer_norm_projection(
    x: _Array,
    weight: _Array,
    norm_weight: _Array | None = None,
    norm_bias: _Array | None = None,
    bias: _Array | None = None,
    eps: float = 1e-05,
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def linear(
    x: _Array,
    weight: _Array,
    bias: _Array | None = None,
    *,
    activation: str = "none",
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def matmul(
    a: _Array,
    b: _Array,
    *,
    bias: _Array | None = None,
    residual: _Array | None = None,
    activation: str = "none",
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def matrix_add(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def matrix_div(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def matrix_mul(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def matrix_sub(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def mul(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def relu(
    x: _Array,
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def rms_norm(
    x: _Array,
    weight: _Array | None = None,
    eps: float = 1e-06,
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def scaled_dot_product_attention(
    q: _Array,
    k: _Array,
    v: _Array,
    mask: _Array | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    output_scale: float = 1.0,
    output_bias: float = 0.0,
    output_relu: bool = False,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def silu(
    x: _Array,
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def softmax(
    x: _Array,
    axis: SupportsIndex = -1,
    *,
    out: _Out | None = None,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def sub(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
def vector_add(
    a: _Array,
    b: _Array,
    device: str = "auto",
    *,
    out: _Out | None = None,
    policy: _PolicyLike | None = None,
) -> NDArray[Any]: ...
