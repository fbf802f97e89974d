"""The cases as ONNX models, for ONNX Runtime and OpenVINO."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

import numpy as np

from lightning_core.bench.cases import LN_EPS, Case

OPSET = 20


def model(case: Case, constant_weights: bool, contrib_attention: bool = False) -> Any:
    """An ONNX model of ``case``.

    Its inputs are the arrays of the case, or, with ``constant_weights``, those that are no weights.
    ``contrib_attention`` uses ONNX Runtime's own MultiHeadAttention instead of matrix products and softmax.
    """
    onnx: Any = import_module("onnx")
    helper, numpy_helper, float32 = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def attend(q: str, k: str, v: str, causal: bool) -> None:
        s, d = case.p["seq"], case.p["head_dim"]
        if contrib_attention:
            batched = [node("Unsqueeze", [n, constant(n + "_axis", np.array([0]))], n + "_b") for n in (q, k, v)]
            node("MultiHeadAttention", batched, "y3", num_heads=1, unidirectional=int(causal), domain="com.microsoft")
            node("Reshape", ["y3", constant("y_shape", np.array([s, d]))], "y")
            return
        # A scale of q costs s·d products; one of the scores would cost s·s.
        scaled = node("Mul", [q, constant("scale", np.float32(1 / math.sqrt(d)))], "q_scaled")
        scores = node("MatMul", [scaled, node("Transpose", [k], "k_t", perm=[1, 0])], "scores")
        if causal:
            mask = np.where(np.tri(s, dtype=bool), np.float32(0), np.float32(-np.inf))
            scores = node("Add", [scores, constant("mask", mask)], "masked")
        node("MatMul", [node("Softmax", [scores], "weights", axis=-1), v], "y")

    def conv() -> str:
        return node("Relu", [node("Conv", ["x", "w", "b"], "conv", pads=[1, 1, 1, 1])], "features")

    p = case.p
    if case.op == "matmul":
        node("MatMul", ["a", "b"], "y")
    elif case.op in ("add", "sub"):
        node(case.op.capitalize(), ["a", "b"], "y")
    elif case.op == "attention":
        attend("q", "k", "v", p["causal"])
    elif case.op == "conv_relu":
        node("Identity", [conv()], "y")
    elif case.op == "conv_attention":
        need = p["seq"] * p["head_dim"]
        flat = node("Reshape", [conv(), constant("flat", np.array([-1]))], "flattened")
        if p["repeats"] > 1:
            flat = node("Tile", [flat, constant("repeats", np.array([p["repeats"]]))], "tiled")
        shape = constant("shape", np.array([p["seq"], p["head_dim"]]))
        for i, name in enumerate(("q", "k", "v")):
            ends = [constant(f"{name}_{e}", np.array([(i + j) * need])) for j, e in enumerate(("from", "to"))]
            node("Reshape", [node("Slice", [flat, *ends], name + "_flat"), shape], name)
        attend("q", "k", "v", False)
    elif case.op == "linear":
        node("Gemm", ["x", "w", "b"], "y", transB=1)
    elif case.op == "ffn":
        hidden = node("Gemm", ["x", "w1", "b1"], "hidden", transB=1)
        node("Gemm", [node(p["activation"].capitalize(), [hidden], "active"), "w2", "b2"], "y", transB=1)
    elif case.op == "ln_proj":
        node("Gemm", [node("LayerNormalization", ["x", "g", "s"], "normed", epsilon=LN_EPS), "w", "b"], "y", transB=1)
    else:
        raise ValueError(f"no ONNX model of {case.op}")

    inputs = []
    for name, array in case.arrays.items():
        if constant_weights and name in case.weights:
            constant(name, array)
        else:
            inputs.append(helper.make_tensor_value_info(name, float32, array.shape))
    outputs = [helper.make_tensor_value_info("y", float32, case.out_shape)]
    graph = helper.make_graph(nodes, case.op, inputs, outputs, constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.checker.check_model(made)
    return made
