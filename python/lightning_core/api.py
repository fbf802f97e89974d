"""Operations under clean names: results keep their shape, float64 stays float64, and ``out=`` reuses memory.

The eight names of the original's ``api`` module are here too; those convert everything to float32.
"""

from __future__ import annotations

from ._native import _api

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

# The native functions are taken over as they are: a wrapper would cost more than a small call.
for _name in __all__:
    globals()[_name] = getattr(_api, _name)
del _name
