"""What planning a graph brings: the plan, the same plan without fusion, and the functions called one by one.

All three compute the same from the same arrays, in one process and in turns, and each returns a new array. In rows of
the form ``graph, constants`` the weights are constants of both plans, packed once; the functions get them at every
call, as they always do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import lightning_core as lc
from lightning_core.bench.cases import LN_EPS, Case
from lightning_core.bench.ours import COLUMN
from lightning_core.bench.timing import Candidate

GRAPH, CONSTANTS = "graph", "graph, constants"
FORMS = (GRAPH, CONSTANTS)
UNFUSED, EAGER = "lc_unfused", "lc_eager"
#: The columns of the two other ways.
COLUMNS = (UNFUSED, EAGER)


def _chain(x: Any, s: Any, t: Any, **kw: Any) -> Any:
    return lc.api.relu(lc.api.add(lc.api.mul(x, s, **kw), t, **kw), **kw)


def _gate(x: Any, g: Any, r: Any, **kw: Any) -> Any:
    return lc.api.add(lc.api.mul(lc.api.silu(g, **kw), x, **kw), r, **kw)


def _long_chain(x: Any, m: Any, d: Any, s: Any, t: Any, r: Any, **kw: Any) -> Any:
    normal = lc.api.div(lc.api.sub(x, m, **kw), d, **kw)
    moved = lc.api.add(lc.api.mul(normal, s, **kw), t, **kw)
    return lc.api.relu(lc.api.add(moved, r, **kw), **kw)


def _conv(x: Any, w: Any, b: Any, **kw: Any) -> Any:
    return lc.api.relu(lc.api.add(lc.api.conv2d(x, w, stride=1, padding=1, **kw), b, **kw), **kw)


def _attention(q: Any, kt: Any, v: Any, mask: Any, **kw: Any) -> Any:
    scale = np.float32(1 / math.sqrt(kt.shape[0]))
    scores = lc.api.add(lc.api.mul(lc.api.matmul(q, kt, **kw), scale, **kw), mask, **kw)
    return lc.api.matmul(lc.api.softmax(scores, **kw), v, **kw)


def _matmul(a: Any, w: Any, b: Any, **kw: Any) -> Any:
    return lc.api.gelu(lc.api.add(lc.api.matmul(a, w, **kw), b, **kw), **kw)


def _ln_proj(x: Any, w: Any, g: Any, s: Any, b: Any, **kw: Any) -> Any:
    return lc.api.linear(lc.api.layer_norm(x, g, s, eps=LN_EPS, **kw), w, b, **kw)


def _ffn(activation: str) -> Callable[..., Any]:
    def ffn(x: Any, w1: Any, w2: Any, b1: Any, b2: Any, **kw: Any) -> Any:
        act = lc.api.gelu if activation == "gelu" else lc.api.relu
        return lc.api.linear(act(lc.api.linear(x, w1, b1, **kw), **kw), w2, b2, **kw)

    return ffn


def _conv_attention(seq: int, head_dim: int) -> Callable[..., Any]:
    def conv_attention(x: Any, w: Any, b: Any, **kw: Any) -> Any:
        features = lc.api.relu(lc.api.conv2d(x, w, b, stride=1, padding=1, **kw), **kw)
        q, k, v = np.resize(features, (3, seq, head_dim))
        return lc.api.scaled_dot_product_attention(q, k, v, **kw)

    return conv_attention


_FUNCTIONS: dict[str, Callable[[Case], Callable[..., Any]]] = {
    "chain": lambda case: _chain,
    "gate": lambda case: _gate,
    "long_chain": lambda case: _long_chain,
    "conv_bias_relu": lambda case: _conv,
    "masked_attention": lambda case: _attention,
    "matmul_bias_gelu": lambda case: _matmul,
    "ln_proj": lambda case: _ln_proj,
    "ffn": lambda case: _ffn(case.p["activation"]),
    "conv_attention": lambda case: _conv_attention(case.p["seq"], case.p["head_dim"]),
}


class _ConvAttention:
    """The plan of conv → attention, whose packing has no function that a recording could see."""

    def __init__(self, case: Case, constants: Sequence[int], without: Sequence[str], device: str) -> None:
        ir: Any = lc.GraphIR()
        seq, head_dim = case.p["seq"], case.p["head_dim"]
        tensors, fed = [], []
        for i, array in enumerate(case.arrays.values()):
            tensors.append(ir.add_constant(array) if i in constants else ir.add_tensor(array.shape))
            if i not in constants:
                fed.append(tensors[-1])
        features = ir.add("conv2d", tensors, attrs={"pad_h": 1, "pad_w": 1})
        packed = ir.add("pack", [ir.add("activation", [features])], attrs={"length": 3 * seq * head_dim})
        parts = [ir.view(packed, i * seq * head_dim, [seq, head_dim]) for i in range(3)]
        self._plan = ir.compile(fed, [ir.add("attention", parts)], device, without=without)
        self._constants = frozenset(constants)

    def __call__(self, *arrays: Any) -> Any:
        return self._plan.run(*(a for i, a in enumerate(arrays) if i not in self._constants))[0]


def _planned(case: Case, form: str, without: Sequence[str], device: str) -> Callable[..., Any]:
    names = list(case.arrays)
    constants = [names.index(name) for name in case.weights] if form == CONSTANTS else []
    if case.op == "conv_attention":
        return _ConvAttention(case, constants, without, device)
    traced = lc.graph(_FUNCTIONS[case.op](case), constants=constants, without=without)
    return traced if device == "auto" else lambda *arrays: traced(*arrays, device=device)


def candidates(case: Case, form: str, device: str) -> list[Candidate]:
    """The plan, the plan without fusion, and the functions."""
    values = {f"v{i}": array for i, array in enumerate(case.arrays.values())}
    call = f"f({', '.join(values)})"
    function = _FUNCTIONS[case.op](case)
    eager = function if device == "auto" else lambda *arrays: function(*arrays, device=device)
    return [
        Candidate(COLUMN, form, call, {**values, "f": _planned(case, form, [], device)}),
        Candidate(UNFUSED, f"{form} without fusion", call, {**values, "f": _planned(case, form, ["fuse"], device)}),
        Candidate(EAGER, "functions", call, {**values, "f": eager}),
    ]


def launches(made: Sequence[Candidate]) -> dict[str, int]:
    """How many kernels a call of each candidate launches, counted on the trace of one call."""
    counts = {}
    before = lc.runtime_trace_enabled()
    try:
        for candidate in made:
            lc.runtime_trace_enable(True)
            lc.runtime_trace_clear()
            candidate.sample(1)
            events = lc.runtime_trace_events()
            counts[candidate.peer] = sum(event["type"] == "op_dispatch" for event in events)
            lc.runtime_trace_clear()
            lc.runtime_trace_enable(False)
    finally:
        lc.runtime_trace_enable(before)
    return counts
