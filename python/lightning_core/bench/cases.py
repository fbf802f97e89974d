"""What is computed: inputs, float64 reference, tolerance, and the least work and traffic that it takes.

Inputs are uniform in [-1, 1) from a fixed seed. Errors are measured against the largest magnitude of the reference;
each tolerance is a small multiple of what float32 products and sums of that length give, far below what bfloat16,
TF32 or float16 products would.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
EPS = float(np.finfo(np.float32).eps)


@dataclass
class Case:
    """One computation on one set of shapes."""

    #: Which operation; the peers look their calls up by it.
    op: str
    #: Sizes and attributes.
    p: dict[str, Any]
    #: Inputs by name, all float32 and C-contiguous. Names in ``weights`` may be prepared in resident rows.
    arrays: dict[str, F32]
    weights: tuple[str, ...]
    out_shape: tuple[int, ...]
    compute: Callable[[dict[str, F64]], F64] = field(repr=False)
    #: Largest error accepted, relative to the largest magnitude of the reference.
    tolerance: float
    #: Fewest floating-point operations (a multiply-add is two; exponentials and such are not counted).
    flops: float

    #: Fewest bytes moved: each input read once, the output written once.
    traffic: float = field(init=False)

    def __post_init__(self) -> None:
        self.traffic = float(sum(a.nbytes for a in self.arrays.values()) + 4 * math.prod(self.out_shape))

    @cached_property
    def reference(self) -> F64:
        """The result in float64."""
        return self.compute({name: array.astype(np.float64) for name, array in self.arrays.items()})

    def error_of(self, result: Any) -> float:
        """Largest error relative to the largest magnitude of the reference; infinite for a wrong shape or NaN."""
        got = np.asarray(result)
        if got.dtype != np.float32 or got.size != self.reference.size:
            return math.inf
        difference = np.abs(got.reshape(self.reference.shape).astype(np.float64) - self.reference)
        worst = float(difference.max(initial=0.0))
        scale = float(np.abs(self.reference).max(initial=0.0))
        return math.inf if math.isnan(worst) else worst / (scale or 1.0)


def _rand(seed: int, **shapes: tuple[int, ...]) -> dict[str, F32]:
    rng = np.random.default_rng(seed)
    return {name: rng.random(shape, dtype=np.float32) * 2 - 1 for name, shape in shapes.items()}


def _sum_tolerance(length: int) -> float:
    # Rounding errors of a sum of n products walk randomly: about eps * sqrt(n) of the terms' size, as the sum itself.
    return 8 * EPS * math.sqrt(max(length, 16))


def _softmax(scores: F64) -> F64:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def attend(q: F64, k: F64, v: F64, causal: bool) -> F64:
    """softmax(q kᵀ / √d) v, later keys hidden where ``causal``."""
    scores = q @ k.T / math.sqrt(q.shape[1])
    if causal:
        scores = np.where(np.tri(len(q), dtype=bool), scores, -np.inf)
    return _softmax(scores) @ v


def conv3x3(x: F64, w: F64) -> F64:
    """Cross-correlation with 3×3 kernels, stride 1, padding 1, NCHW."""
    n, _, h, width = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.zeros((n, w.shape[0], h, width))
    for i in range(3):
        for j in range(3):
            y += np.einsum("oc,nchw->nohw", w[:, :, i, j], padded[:, :, i : i + h, j : j + width])
    return y


_ERF = np.frompyfunc(math.erf, 1, 1)


def activate(x: F64, activation: str) -> F64:
    """ReLU, or GELU through the error function."""
    if activation == "relu":
        return np.maximum(x, 0)
    return np.asarray(0.5 * x * (1 + np.asarray(_ERF(x / math.sqrt(2)), dtype=np.float64)))


def matmul(m: int, k: int, n: int) -> Case:
    """C = A B."""
    return Case(
        "matmul", {"m": m, "k": k, "n": n}, _rand(m + k + n, a=(m, k), b=(k, n)), ("b",), (m, n),
        lambda t: t["a"] @ t["b"], _sum_tolerance(k), 2.0 * m * k * n,
    )  # fmt: skip


def attention(s: int, d: int, causal: bool = False) -> Case:
    """Attention of one head, forward."""
    pairs = s * (s + 1) / 2 if causal else s * s
    return Case(
        "attention", {"seq": s, "head_dim": d, "causal": causal}, _rand(s + d, q=(s, d), k=(s, d), v=(s, d)), (),
        (s, d), lambda t: attend(t["q"], t["k"], t["v"], causal), _sum_tolerance(s + d), 4.0 * pairs * d,
    )  # fmt: skip


def _conv_flops(n: int, c: int, h: int, w: int, o: int) -> float:
    # Taps on the padding need no work.
    return 2.0 * n * o * c * (3 * h - 2) * (3 * w - 2)


def conv_relu(n: int, c: int, h: int, w: int, o: int) -> Case:
    """ReLU(conv3×3(x) + bias), stride 1, padding 1."""
    return Case(
        "conv_relu", {"batch": n, "in_ch": c, "h": h, "w": w, "out_ch": o, "k": 3},
        _rand(n + c + h + o, x=(n, c, h, w), w=(o, c, 3, 3), b=(o,)), ("w", "b"), (n, o, h, w),
        lambda t: np.maximum(conv3x3(t["x"], t["w"]) + t["b"][:, None, None], 0), _sum_tolerance(9 * c),
        _conv_flops(n, c, h, w, o),
    )  # fmt: skip


def conv_attention(s: int, d: int, h: int = 8, w: int = 8) -> Case:
    """ReLU(conv3×3) of 3→16 channels, flattened, repeated to 3·s·d values, cut into q, k and v, attention.

    Where the map repeats, so do rows of q, k and v, and the fewest operations are those of the rows that differ.
    """
    length = 16 * h * w
    distinct = min(s, length // math.gcd(length, d))

    def compute(t: dict[str, F64]) -> F64:
        features = np.maximum(conv3x3(t["x"], t["w"]) + t["b"][:, None, None], 0).ravel()
        q, k, v = np.resize(features, (3, s, d))
        return attend(q, k, v, False)

    case = Case(
        "conv_attention", {"seq": s, "head_dim": d}, _rand(s + d, x=(1, 3, h, w), w=(16, 3, 3, 3), b=(16,)), ("w", "b"),
        (s, d), compute, _sum_tolerance(s + d + 27), _conv_flops(1, 3, h, w, 16) + 4.0 * distinct * distinct * d,
    )  # fmt: skip
    case.p["repeats"] = math.ceil(3 * s * d / length)
    return case


def linear(batch: int, inputs: int, outputs: int) -> Case:
    """x wᵀ + bias, w stored (outputs, inputs)."""
    return Case(
        "linear", {"batch": batch, "in": inputs, "out": outputs},
        _rand(batch + inputs + outputs, x=(batch, inputs), w=(outputs, inputs), b=(outputs,)), ("w", "b"),
        (batch, outputs), lambda t: t["x"] @ t["w"].T + t["b"], _sum_tolerance(inputs),
        2.0 * batch * inputs * outputs,
    )  # fmt: skip


def ffn(batch: int, d_model: int, d_ff: int, activation: str) -> Case:
    """activation(x w1ᵀ + b1) w2ᵀ + b2; weights stored (outputs, inputs) and scaled as a trained layer's are."""
    arrays = _rand(batch + d_ff, x=(batch, d_model), w1=(d_ff, d_model), w2=(d_model, d_ff), b1=(d_ff,), b2=(d_model,))
    for name in ("w1", "w2"):
        arrays[name] *= np.float32(math.sqrt(3 / arrays[name].shape[1]))
    return Case(
        "ffn", {"batch": batch, "d_model": d_model, "d_ff": d_ff, "activation": activation}, arrays,
        ("w1", "w2", "b1", "b2"), (batch, d_model),
        lambda t: activate(t["x"] @ t["w1"].T + t["b1"], activation) @ t["w2"].T + t["b2"],
        _sum_tolerance(d_model + d_ff), 4.0 * batch * d_model * d_ff,
    )  # fmt: skip


LN_EPS = 1e-5


def ln_proj(batch: int, d_model: int, outputs: int) -> Case:
    """LayerNorm(x) · wᵀ + bias, w stored (outputs, inputs)."""

    def compute(t: dict[str, F64]) -> F64:
        x = t["x"] - t["x"].mean(axis=1, keepdims=True)
        normed = x / np.sqrt((x * x).mean(axis=1, keepdims=True) + LN_EPS) * t["g"] + t["s"]
        return np.asarray(normed @ t["w"].T + t["b"])

    return Case(
        "ln_proj", {"batch": batch, "d_model": d_model, "out": outputs},
        _rand(batch + d_model, x=(batch, d_model), w=(outputs, d_model), g=(d_model,), s=(d_model,), b=(outputs,)),
        ("w", "g", "s", "b"), (batch, outputs), compute, _sum_tolerance(d_model), 2.0 * batch * d_model * outputs,
    )  # fmt: skip


def sub(rows: int, cols: int) -> Case:
    """a − b, element by element."""
    return Case(
        "sub", {"rows": rows, "cols": cols}, _rand(rows, a=(rows, cols), b=(rows, cols)), (), (rows, cols),
        lambda t: t["a"] - t["b"], EPS, float(rows * cols),
    )  # fmt: skip


def add(n: int) -> Case:
    """a + b, element by element."""
    return Case("add", {"n": n}, _rand(n, a=(n,), b=(n,)), (), (n,), lambda t: t["a"] + t["b"], EPS, float(n))


def chain(rows: int, cols: int) -> Case:
    """relu(x · s + t), with one s and one t for each column: batch norm at inference."""
    return Case(
        "chain", {"rows": rows, "cols": cols}, _rand(rows, x=(rows, cols), s=(cols,), t=(cols,)), ("s", "t"),
        (rows, cols), lambda t: np.maximum(t["x"] * t["s"] + t["t"], 0), 4 * EPS, 3.0 * rows * cols,
    )  # fmt: skip


def gate(rows: int, cols: int) -> Case:
    """silu(g) · x + r: a gated residual."""
    shape = (rows, cols)
    return Case(
        "gate", {"rows": rows, "cols": cols}, _rand(rows, x=shape, g=shape, r=shape), (), shape,
        lambda t: t["g"] / (1 + np.exp(-t["g"])) * t["x"] + t["r"], 8 * EPS, 3.0 * rows * cols,
    )  # fmt: skip


def long_chain(rows: int, cols: int) -> Case:
    """relu((x − m) / d · s + t + r): six steps over one large tensor, four rows and a residual."""
    shape = (rows, cols)
    arrays = _rand(rows, x=shape, m=(cols,), d=(cols,), s=(cols,), t=(cols,), r=shape)
    # Away from zero, as a standard deviation is.
    arrays["d"] = np.abs(arrays["d"]) + np.float32(0.5)
    return Case(
        "long_chain", {"rows": rows, "cols": cols}, arrays, ("m", "d", "s", "t"), shape,
        lambda t: np.maximum((t["x"] - t["m"]) / t["d"] * t["s"] + t["t"] + t["r"], 0), 16 * EPS, 6.0 * rows * cols,
    )  # fmt: skip


def conv_bias_relu(n: int, c: int, h: int, w: int, o: int) -> Case:
    """ReLU(conv3×3(x) + bias), the bias as a tensor that broadcasts."""
    case = conv_relu(n, c, h, w, o)
    arrays = case.arrays | {"b": case.arrays["b"].reshape(o, 1, 1)}
    return Case(
        "conv_bias_relu", case.p, arrays, case.weights, case.out_shape,
        lambda t: np.maximum(conv3x3(t["x"], t["w"]) + t["b"], 0), case.tolerance, case.flops,
    )  # fmt: skip


def masked_attention(s: int, d: int) -> Case:
    """softmax(q kᵀ / √d + mask) v, with kᵀ as it lies in memory and a mask that hides a quarter of the keys."""
    arrays = _rand(s + d, q=(s, d), kt=(d, s), v=(s, d), mask=(s, s))
    # Never a whole row: key i stays for query i.
    arrays["mask"] = np.where((arrays["mask"] < -0.5) & ~np.eye(s, dtype=bool), np.float32(-np.inf), arrays["mask"])
    return Case(
        "masked_attention", {"seq": s, "head_dim": d}, arrays, (), (s, d),
        lambda t: _softmax(t["q"] @ t["kt"] / math.sqrt(d) + t["mask"]) @ t["v"], _sum_tolerance(s + d),
        4.0 * s * s * d,
    )  # fmt: skip


def matmul_bias_gelu(m: int, k: int, n: int) -> Case:
    """gelu(a w + b), w stored (inputs, outputs) and scaled as a trained layer's is."""
    arrays = _rand(m + k + n, a=(m, k), w=(k, n), b=(n,))
    arrays["w"] *= np.float32(math.sqrt(3 / k))
    return Case(
        "matmul_bias_gelu", {"m": m, "k": k, "n": n}, arrays, ("w", "b"), (m, n),
        lambda t: activate(t["a"] @ t["w"] + t["b"], "gelu"), _sum_tolerance(k), 2.0 * m * k * n,
    )  # fmt: skip
