"""``lc.graph``: a Python function over ``lightning_core.api`` as one planned graph."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from . import api
from ._native import GraphIR, last_receipt

# For each function of the API: its op, its tensors in the op's order, its attributes, and their fixed values.
_OPS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], dict[str, Any]]] = {
    "matmul": ("matmul", ("a", "b", "bias", "residual"), ("activation",), {}),
    "linear": ("linear", ("x", "weight", "bias"), ("activation",), {}),
    "softmax": ("softmax", ("x",), ("axis",), {}),
    "layer_norm": ("layer_norm", ("x", "weight", "bias"), ("eps",), {}),
    "rms_norm": ("rms_norm", ("x", "weight"), ("eps",), {}),
    "relu": ("activation", ("x",), (), {"kind": "relu"}),
    "silu": ("activation", ("x",), (), {"kind": "silu"}),
    "gelu": ("activation", ("x",), (), {"kind": "gelu"}),
    "ffn": ("ffn", ("x", "w1", "w2", "b1", "b2"), ("activation",), {}),
    "layer_norm_projection": (
        "layer_norm_projection",
        ("x", "weight", "norm_weight", "norm_bias", "bias"),
        ("eps",),
        {},
    ),
    "scaled_dot_product_attention": (
        "attention",
        ("q", "k", "v", "mask"),
        ("causal", "scale", "output_scale", "output_bias", "output_relu"),
        {},
    ),
    "conv2d": ("conv2d", ("x", "w", "bias"), ("stride", "padding", "dilation", "groups", "activation"), {}),
    "add": ("add", ("a", "b"), (), {}),
    "sub": ("sub", ("a", "b"), (), {}),
    "mul": ("mul", ("a", "b"), (), {}),
    "div": ("div", ("a", "b"), (), {}),
}
# The arguments that may be passed by position, in the order of the API, for functions that take more than tensors so.
_POSITIONAL: dict[str, tuple[str, ...]] = {
    "softmax": ("x", "axis"),
    "layer_norm": ("x", "weight", "bias", "eps"),
    "rms_norm": ("x", "weight", "eps"),
    "gelu": ("x", "approximate"),
    "layer_norm_projection": ("x", "weight", "norm_weight", "norm_bias", "bias", "eps"),
    "matmul": ("a", "b"),
}
_PAIRS = {"stride": "stride", "padding": "pad", "dilation": "dilation"}

# One trace at a time: a trace stands in for the functions of the API while it lasts.
_tracing = threading.Lock()


class GraphTensor:
    """A tensor of a graph under construction: what the traced function sees in place of an array."""

    __array_ufunc__ = None  # so that NumPy arrays leave operators with a GraphTensor to it

    def __init__(self, trace: _Trace, number: int) -> None:
        self._trace = trace
        self._number = number
        spec = trace.ir.tensors()[number]
        self.shape: tuple[int, ...] = tuple(spec["shape"])
        self.dtype = np.dtype(spec["dtype"])

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def T(self) -> GraphTensor:  # noqa: N802
        """The last two dimensions exchanged; copies nothing."""
        return self._trace.node("transpose", [self], {})

    def reshape(self, *shape: Any) -> GraphTensor:
        """The same elements under another shape; copies nothing. One extent may be -1."""
        dims = list(shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)
        if dims.count(-1) == 1:
            rest = int(np.prod([d for d in dims if d != -1]))
            dims[dims.index(-1)] = int(np.prod(self.shape)) // max(rest, 1)
        if int(np.prod(dims)) != int(np.prod(self.shape)):
            raise ValueError(f"reshape: {self.shape} has other elements than {tuple(dims)}")
        return GraphTensor(self._trace, self._trace.ir.view(self._number, 0, dims))

    def __matmul__(self, other: Any) -> GraphTensor:
        return self._trace.node("matmul", [self, other], {})

    def __rmatmul__(self, other: Any) -> GraphTensor:
        return self._trace.node("matmul", [other, self], {})

    def __add__(self, other: Any) -> GraphTensor:
        return self._trace.node("add", [self, other], {})

    def __radd__(self, other: Any) -> GraphTensor:
        return self._trace.node("add", [other, self], {})

    def __sub__(self, other: Any) -> GraphTensor:
        return self._trace.node("sub", [self, other], {})

    def __rsub__(self, other: Any) -> GraphTensor:
        return self._trace.node("sub", [other, self], {})

    def __mul__(self, other: Any) -> GraphTensor:
        return self._trace.node("mul", [self, other], {})

    def __rmul__(self, other: Any) -> GraphTensor:
        return self._trace.node("mul", [other, self], {})

    def __truediv__(self, other: Any) -> GraphTensor:
        return self._trace.node("div", [self, other], {})

    def __rtruediv__(self, other: Any) -> GraphTensor:
        return self._trace.node("div", [other, self], {})

    def __bool__(self) -> bool:
        raise TypeError("a traced function cannot branch on values: they are not known while it is recorded")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "this is a tensor of a graph, not an array: call operations as lightning_core.api.NAME inside a "
            "traced function"
        )

    def __repr__(self) -> str:
        return f"GraphTensor(shape={self.shape}, dtype={self.dtype})"


class _Trace:
    """One recording."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.ir = GraphIR()
        self.dtype = dtype
        self.constants: dict[int, Any] = {}

    def tensor(self, value: Any) -> int | None:
        """The number of a tensor of this trace, or of a new constant."""
        if value is None:
            return None
        if isinstance(value, GraphTensor):
            if value._trace is not self:
                raise ValueError("a tensor of another traced function")
            return value._number
        array = np.array(value, dtype=self.dtype, ndmin=1)
        number = self.ir.add_tensor(array.shape, str(self.dtype), constant=True)
        self.constants[number] = array
        return number

    def node(self, op: str, inputs: list[Any], attrs: dict[str, Any]) -> GraphTensor:
        numbers = [self.tensor(value) for value in inputs]
        while numbers and numbers[-1] is None:
            numbers.pop()
        made = self.ir.add(op, numbers, attrs=attrs)
        return GraphTensor(self, made if isinstance(made, int) else made[0])

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> GraphTensor:
        op, tensors, names, fixed = _OPS[name]
        positional = _POSITIONAL.get(name, tensors)
        if len(args) > len(positional):
            raise TypeError(f"{name}: at most {len(positional)} positional arguments, got {len(args)}")
        given = dict(zip(positional, args)) | kwargs
        for refused in ("out", "policy", "device"):
            value = given.pop(refused, None)
            if value is not None and not (isinstance(value, str) and value == "auto"):
                raise TypeError(f"{name}: a traced call takes no {refused}=; give it to the graph's own call")
        attrs = dict(fixed)
        if name == "gelu" and given.pop("approximate", "none") == "tanh":
            attrs["kind"] = "gelu_tanh"
        for key in [key for key in given if key not in tensors]:
            if key not in names:
                raise TypeError(f"{name}: unknown argument {key!r}")
            value = given.pop(key)
            if key in _PAIRS:
                height, width = value if isinstance(value, (tuple, list)) else (value, value)
                attrs |= {f"{_PAIRS[key]}_h": height, f"{_PAIRS[key]}_w": width}
            elif value is not None:
                attrs[key] = value
        return self.node(op, [given.get(key) for key in tensors], attrs)


def _stand_in(name: str, native: Callable[..., Any], trace: _Trace) -> Callable[..., Any]:
    @functools.wraps(native)
    def call(*args: Any, **kwargs: Any) -> Any:
        # Other threads go on calling the API while one records.
        if any(isinstance(v, GraphTensor) for v in (*args, *kwargs.values())):
            return trace.call(name, args, kwargs)
        return native(*args, **kwargs)

    return call


class Graph:
    """A function over ``lightning_core.api``, recorded once for each set of shapes and run as one plan.

    Arrays that the function uses beside its arguments become constants: their values at the time of recording stay.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._plans: dict[Any, tuple[GraphIR, list[int], list[int], dict[int, tuple[int, ...]], bool]] = {}
        self._last: Any = None
        self._receipt: Any = None

    def _record(self, arrays: list[Any]) -> tuple[GraphIR, list[int], list[int], dict[int, tuple[int, ...]], bool]:
        dtype = arrays[0].dtype if arrays else np.dtype(np.float32)
        trace = _Trace(dtype)
        feeds = [trace.ir.add_tensor(a.shape, str(dtype), "strided", f"argument {i}") for i, a in enumerate(arrays)]
        with _tracing:
            natives = {name: getattr(api, name) for name in _OPS}
            try:
                for name, native in natives.items():
                    setattr(api, name, _stand_in(name, native, trace))
                result = self._function(*(GraphTensor(trace, feed) for feed in feeds))
            finally:
                for name, native in natives.items():
                    setattr(api, name, native)
        several = isinstance(result, (tuple, list))
        results = list(result) if several else [result]
        if not results or not all(isinstance(r, GraphTensor) and r._trace is trace for r in results):
            raise TypeError("a traced function returns one or several tensors that it computed")
        wanted = [r._number for r in results]
        shapes = {r._number: r.shape for r in results}
        trace.ir.validate()
        self._constants(trace, arrays, feeds)
        return trace.ir, feeds, wanted, shapes, several

    @staticmethod
    def _constants(trace: _Trace, arrays: list[Any], feeds: list[int]) -> None:
        """Gives the constants to the graph, which keeps them."""
        if trace.constants:
            run = trace.ir.execute_f32 if trace.dtype == np.float32 else trace.ir.execute_f64
            run(dict(zip(feeds, arrays)) | trace.constants, outputs=[], optimize=True)

    def __call__(self, *args: Any, device: str = "auto") -> Any:
        arrays = [a if isinstance(a, np.ndarray) else np.asarray(a) for a in args]
        arrays = [a if a.dtype in (np.float32, np.float64) else a.astype(np.float32) for a in arrays]
        if any(a.dtype != arrays[0].dtype for a in arrays):
            raise TypeError("the arguments of a graph have one dtype, float32 or float64")
        key = tuple((a.shape, a.dtype) for a in arrays)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans.setdefault(key, self._record(arrays))
        ir, feeds, wanted, shapes, several = plan
        double = bool(arrays) and arrays[0].dtype == np.float64
        run = ir.execute_f64 if double else ir.execute_f32
        values = run(dict(zip(feeds, arrays)), device, outputs=wanted, optimize=True)["values"]
        self._last, self._receipt = plan, last_receipt()
        results = [values[number].reshape(shapes[number]) for number in wanted]
        return tuple(results) if several else results[0]

    def _recorded(self) -> tuple[GraphIR, list[int]]:
        if self._last is None:
            raise RuntimeError("not initialized: call the graph once, so that it knows its shapes")
        return self._last[0], self._last[2]

    def explain(self, format: str = "text") -> str:
        """What the last plan does and why, as "text", "json" or "svg"."""
        ir, wanted = self._recorded()
        return ir.explain(wanted, format)

    def plan(self) -> list[dict[str, Any]]:
        """The launches of the last plan in order: op, device, kernel, reason, nodes, operations and bytes."""
        calls: list[dict[str, Any]] = json.loads(self.explain("json"))["calls"]
        return calls

    def receipt(self) -> Any:
        """The receipt of the last call: the sum over its launches."""
        self._recorded()
        return self._receipt


def graph(function: Callable[..., Any]) -> Graph:
    """Makes a function over ``lightning_core.api`` a graph: recorded at its first call, fused, run as one plan.

    >>> import numpy as np, lightning_core as lc
    >>> w = np.eye(4, dtype=np.float32)
    >>> layer = lc.graph(lambda x: lc.api.relu(x @ w + 1))
    >>> layer(np.full((2, 4), -3, np.float32)).sum()
    np.float32(0.0)
    >>> [call["op"] for call in layer.plan()]
    ['matmul', 'add', 'activation']
    """
    return Graph(function)
