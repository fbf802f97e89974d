"""``lc.graph``: a Python function over ``lightning_core.api`` as one planned graph."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import api
from ._native import GraphIR, GraphPlan, last_receipt

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
_ndarray = np.ndarray
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
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
        self._constants: dict[int, tuple[Any, int]] = {}

    def tensor(self, value: Any) -> int | None:
        """The number of a tensor of this trace, or of a constant."""
        if value is None:
            return None
        if isinstance(value, GraphTensor):
            if value._trace is not self:
                raise ValueError("a tensor of another traced function")
            return value._number
        known = self._constants.get(id(value))
        if known is None:
            number = self.ir.add_constant(np.array(value, dtype=self.dtype, ndmin=1))
            # The object is kept, so that its identity stays its own until the recording is over.
            known = self._constants[id(value)] = (value, number)
        return known[1]

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


class _Plan(NamedTuple):
    """One recording, planned."""

    native: GraphPlan
    several: bool
    #: The arguments that became constants: an object's identity is its own only while the object lives.
    held: tuple[Any, ...]


class _Ready(NamedTuple):
    """The last call without ``out=``: what its arguments were like, and its plan."""

    device: str
    policy: Any
    dtype: np.dtype[Any]
    #: By position; None for a constant.
    shapes: tuple[tuple[int, ...] | None, ...]
    #: Position and object of each constant.
    held: tuple[tuple[int, Any], ...]
    plan: _Plan


#: Recordings that a graph keeps; the oldest goes first.
_MAX_PLANS = 64


class Graph:
    """A function over ``lightning_core.api``, recorded once for each set of shapes and run as one plan.

    Arrays that the function uses beside its arguments become constants: their values at the time of recording stay, and
    what kernels make of them is made once. The arguments that ``constants`` names are constants, too: another object in
    their place is a new recording, and a change inside the same object is not seen.
    """

    def __init__(
        self, function: Callable[..., Any], constants: Sequence[int] = (), without: Sequence[str] = ()
    ) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._constants = frozenset(int(position) for position in constants)
        self._without = list(without)
        self._plans: dict[Any, _Plan] = {}
        self._last: _Plan | None = None
        self._ready: _Ready | None = None
        self._receipt: Any = None

    def _record(self, arrays: Sequence[Any]) -> tuple[_Trace, list[int], list[int], bool]:
        """Runs the function on stand-ins; gives the recording, its argument and result tensors, and whether there are
        several results."""
        dtype = arrays[0].dtype if arrays else np.dtype(np.float32)
        trace = _Trace(dtype)
        feeds: list[int] = []
        given = []
        for i, array in enumerate(arrays):
            if i in self._constants:
                number = trace.ir.add_constant(np.array(array, dtype=dtype, ndmin=1), f"argument {i}")
            else:
                number = trace.ir.add_tensor(array.shape, str(dtype), "strided", f"argument {i}")
                feeds.append(number)
            given.append(GraphTensor(trace, number))
        with _tracing:
            natives = {name: getattr(api, name) for name in _OPS}
            try:
                for name, native in natives.items():
                    setattr(api, name, _stand_in(name, native, trace))
                result = self._function(*given)
            finally:
                for name, native in natives.items():
                    setattr(api, name, native)
        several = isinstance(result, (tuple, list))
        results = list(result) if several else [result]
        if not results or not all(isinstance(r, GraphTensor) and r._trace is trace for r in results):
            raise TypeError("a traced function returns one or several tensors that it computed")
        trace.ir.validate()
        return trace, feeds, [r._number for r in results], several

    def _arrays(self, args: Sequence[Any]) -> list[Any]:
        arrays = [a if isinstance(a, np.ndarray) else np.asarray(a) for a in args]
        arrays = [a if a.dtype in _FLOATS else a.astype(np.float32) for a in arrays]
        if any(a.dtype != arrays[0].dtype for a in arrays):
            raise TypeError("the arguments of a graph have one dtype, float32 or float64")
        return arrays

    def _planned(self, args: Sequence[Any], arrays: Sequence[Any], device: str, policy: Any) -> _Plan:
        key = (
            device,
            policy,
            *((id(args[i]) if i in self._constants else None, a.shape, a.dtype) for i, a in enumerate(arrays)),
        )
        plan = self._plans.get(key)
        if plan is None:
            trace, feeds, wanted, several = self._record(arrays)
            native = trace.ir.compile(feeds, wanted, device, policy=policy, without=self._without)
            held = tuple(args[i] for i in sorted(self._constants) if i < len(args))
            plan = self._plans.setdefault(key, _Plan(native, several, held))
            while len(self._plans) > _MAX_PLANS:
                self._plans.pop(next(iter(self._plans)), None)
        return plan

    @staticmethod
    def _repeats(ready: _Ready, args: tuple[Any, ...], device: str, policy: Any) -> bool:
        """Whether a call is like the last one, told without making its key."""
        if device != ready.device or policy is not ready.policy or len(args) != len(ready.shapes):
            return False
        for position, value in ready.held:
            if args[position] is not value:
                return False
        dtype = ready.dtype
        for a, shape in zip(args, ready.shapes):
            if shape is not None and (type(a) is not _ndarray or a.dtype is not dtype or a.shape != shape):
                return False
        return True

    def __call__(self, *args: Any, device: str = "auto", policy: Any = None, out: Any = None) -> Any:
        """Runs the plan for these shapes, which the first call with them records.

        ``out`` is an array, or for several results a sequence of them, that the plan writes to and the call returns.
        """
        ready = self._ready
        if ready is not None and out is None and self._repeats(ready, args, device, policy):
            plan = ready.plan
            feeds = args if not ready.held else [a for a, shape in zip(args, ready.shapes) if shape is not None]
            results = plan.native.run(*feeds)
            self._last, self._receipt = plan, last_receipt()
            return tuple(results) if plan.several else results[0]
        arrays = self._arrays(args)
        plan = self._planned(args, arrays, device, policy)
        if all(a is given for a, given in zip(arrays, args)) and arrays:
            shapes = tuple(None if i in self._constants else a.shape for i, a in enumerate(arrays))
            held = tuple((i, args[i]) for i in sorted(self._constants) if i < len(args))
            self._ready = _Ready(device, policy, arrays[0].dtype, shapes, held, plan)
        if self._constants:
            arrays = [a for i, a in enumerate(arrays) if i not in self._constants]
        if out is not None and not plan.several:
            out = [out]
        results = plan.native.run(*arrays, out=out)
        self._last, self._receipt = plan, last_receipt()
        return tuple(results) if plan.several else results[0]

    def _recorded(self) -> GraphPlan:
        if self._last is None:
            raise RuntimeError("not initialized: call the graph once, so that it knows its shapes")
        return self._last.native

    def explain(self, format: str = "text", measure: bool = False) -> str:
        """What the last plan does and why, as "text", "json", "svg" or "html".

        For every launch: device, kernel, bytes, the time that the cost model predicted, and what the machine's limits
        allow at least; for every node: the rule that fused it, or why none did. With ``measure``, the plan runs a few
        times on random data of its own, and the report has the time of each launch.
        """
        return self._recorded().explain(format, measure)

    def plan(self) -> list[dict[str, Any]]:
        """The launches of the last plan in order: op, device, kernel, reason, nodes, operations and bytes."""
        calls: list[dict[str, Any]] = json.loads(self.explain("json"))["calls"]
        return calls

    def receipt(self) -> Any:
        """The receipt of the last call: the sum over its launches."""
        self._recorded()
        return self._receipt

    def receipts(self) -> list[Any]:
        """The receipts of the last call, one for each launch in order."""
        return self._recorded().receipts()


def graph(
    function: Callable[..., Any] | None = None, *, constants: Sequence[int] = (), without: Sequence[str] = ()
) -> Any:
    """Makes a function over ``lightning_core.api`` a graph: recorded at its first call, fused, run as one plan.

    Parameters
    ----------
    function
        Takes arrays and returns one or several results of ``lightning_core.api`` calls or operators. Without it, a
        decorator.
    constants
        Positions of arguments that stay the same from call to call, such as weights. Arrays that the function uses
        without being passed are constants anyway.
    without
        Passes and fusion rules that are left out: "canonicalise", "fuse", "place", "schedule", "lower", or the name of
        a rule that ``explain`` shows.

    >>> import numpy as np, lightning_core as lc
    >>> w = np.eye(4, dtype=np.float32)
    >>> layer = lc.graph(lambda x: lc.api.relu(x @ w + 1))
    >>> layer(np.full((2, 4), -3, np.float32)).sum()
    np.float32(0.0)
    >>> [call["op"] for call in layer.plan()]
    ['matmul', 'elementwise_chain']
    """
    if function is None:
        return functools.partial(graph, constants=constants, without=without)
    return Graph(function, constants, without)


def ab_report(
    target: Callable[..., Any] | Graph | GraphIR,
    *inputs: Any,
    outputs: Sequence[int] | None = None,
    device: str = "auto",
    policy: Any = None,
    warmup: int = 3,
    repeat: int = 20,
    atol: float = 1e-4,
    rtol: float = 1e-4,
    seed: int = 0,
) -> dict[str, Any]:
    """Runs a graph call by call and as one plan, in turns, and compares results and times.

    Eager is every operation of the recording by itself, each result in a new array, as the functions of
    ``lightning_core.api`` compute it; what Python adds to their calls is left out on both sides. Which goes first
    changes from turn to turn.

    Parameters
    ----------
    target
        A function over ``lightning_core.api``, a ``Graph``, or a ``GraphIR``.
    *inputs
        The arguments: arrays, or shapes (tuples of ints), which stand for random numbers in [-1, 1). For a ``GraphIR``
        one dict of feeds, by tensor number or name.
    outputs
        For a ``GraphIR``: the tensors to compare.
    device, policy
        Where both ways run.
    warmup, repeat
        Untimed and timed calls of each way.
    atol, rtol
        Results are close where ``|eager - graph| <= atol + rtol * |eager|``.
    seed
        Of the random numbers.

    Returns
    -------
    dict
        ``allclose``, ``max_abs_diff``, ``mean_abs_diff``, ``max_rel_diff``; for ``eager`` and ``graph`` each the median
        ``_ms`` with ``_p10_ms``, ``_p90_ms`` and ``_mean_ms``, ``_launches``, ``_bytes`` (what the launches must read
        and write), ``_copied_bytes`` (to a device and back) and ``_waits``; ``graph_over_eager``, ``eager_over_graph``,
        and ``winner`` by the medians: "graph", "eager", or "tie" within one in a hundred.
    """
    options = {"policy": policy, "warmup": warmup, "repeat": repeat, "atol": atol, "rtol": rtol}
    if isinstance(target, GraphIR):
        if len(inputs) != 1 or not isinstance(inputs[0], dict) or outputs is None:
            raise TypeError("ab_report: a GraphIR takes one dict of feeds, and outputs=[...]")
        return target.ab_report(inputs[0], outputs, device, **options)
    if outputs is not None:
        raise TypeError("ab_report: outputs= is for a GraphIR; a function returns its results")
    traced = target if isinstance(target, Graph) else Graph(target)
    rng = np.random.default_rng(seed)
    shapes = [isinstance(x, tuple) and all(isinstance(d, int) for d in x) for x in inputs]
    dtypes = [x.dtype for x in inputs if isinstance(x, np.ndarray) and x.dtype in _FLOATS]
    dtype = dtypes[0] if dtypes else np.dtype(np.float32)
    args = [rng.uniform(-1, 1, x).astype(dtype) if shape else x for x, shape in zip(inputs, shapes)]
    arrays = traced._arrays(args)
    trace, feeds, wanted, _ = traced._record(arrays)
    passed = [a for i, a in enumerate(arrays) if i not in traced._constants]
    return trace.ir.ab_report(dict(zip(feeds, passed)), wanted, device, without=traced._without, **options)
