"""NumPy: what a user writes without another library. Its BLAS runs the products."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lightning_core.bench.cases import LN_EPS, Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.timing import Candidate


def attend(q: Any, k: Any, v: Any, scale: Any, mask: Any) -> Any:
    """Attention of one head, `scale` and `mask` prepared."""
    scores = q @ k.T
    scores *= scale
    if mask is not None:
        scores += mask
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    return scores @ v


def conv_relu(x: Any, w: Any, b: Any) -> Any:
    """ReLU(conv3×3 + bias) through windows and one product."""
    n, c, h, width = x.shape
    padded = np.zeros((n, c, h + 2, width + 2), np.float32)
    padded[:, :, 1:-1, 1:-1] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    columns = windows.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * 9, h * width)
    y = np.matmul(w.reshape(w.shape[0], -1), columns)
    y += b[:, None]
    np.maximum(y, 0, out=y)
    return y.reshape(n, w.shape[0], h, width)


def conv_attention(x: Any, w: Any, b: Any, seq: int, head_dim: int, scale: Any) -> Any:
    """Convolution, features repeated into q, k and v, attention."""
    q, k, v = np.resize(conv_relu(x, w, b), (3, seq, head_dim))
    return attend(q, k, v, scale, None)


def ffn(x: Any, w1: Any, w2: Any, b1: Any, b2: Any) -> Any:
    """Feed-forward block with ReLU."""
    hidden = x @ w1.T
    hidden += b1
    np.maximum(hidden, 0, out=hidden)
    y = hidden @ w2.T
    y += b2
    return y


def ln_proj(x: Any, w: Any, g: Any, s: Any, b: Any) -> Any:
    """Layer norm, then a linear layer."""
    centred = x - x.mean(axis=1, keepdims=True)
    centred /= np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(LN_EPS))
    centred *= g
    centred += s
    y = centred @ w.T
    y += b
    return y


def _candidates(case: Case, resident: bool) -> list[Candidate]:
    t, p = case.arrays, case.p
    out = np.empty(case.out_shape, np.float32)

    def into(stmt: str, names: dict[str, Any]) -> Candidate:
        return Candidate(
            "numpy", "out=", stmt, names | {"o": out}, read=lambda _: out, poison=lambda: out.fill(np.nan)
        )

    def new(stmt: str, **names: Any) -> Candidate:
        return Candidate("numpy", "array", stmt, {**t, **names})

    if case.op == "matmul":
        return [new("f(a, b)", f=np.matmul), into("f(a, b, out=o)", {**t, "f": np.matmul})]
    if case.op == "add":
        return [new("f(a, b)", f=np.add), into("f(a, b, o)", {**t, "f": np.add})]
    if case.op == "sub":
        return [new("f(a, b)", f=np.subtract), into("f(a, b, o)", {**t, "f": np.subtract})]
    if case.op == "linear":
        return [new("x @ wt + b", wt=t["w"].T)]
    if case.op == "ffn":
        return [new("f(x, w1, w2, b1, b2)", f=ffn)] if p["activation"] == "relu" else []
    if case.op == "ln_proj":
        return [new("f(x, w, g, s, b)", f=ln_proj)]
    if case.op == "conv_relu":
        return [new("f(x, w, b)", f=conv_relu)]
    scale = np.float32(1 / math.sqrt(p["head_dim"]))
    if case.op == "conv_attention":
        return [new("f(x, w, b, s, d, scale)", f=conv_attention, s=p["seq"], d=p["head_dim"], scale=scale)]
    if case.op == "attention":
        mask = None
        if p["causal"]:
            mask = np.where(np.tri(p["seq"], dtype=bool), np.float32(0), np.float32(-np.inf))
        return [new("f(q, k, v, scale, mask)", f=attend, scale=scale, mask=mask)]
    return []


def load(threads: int) -> Peer:
    """The peer. Its BLAS reads the number of threads from the environment when it is loaded."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    return Peer("numpy", ("numpy",), _candidates, f"numpy {np.__version__} with {blas.get('name', 'unknown BLAS')}")
