"""Our own calls: the only file of the harness that names functions of Lightning Core.

Each row times one form of ours, which is fixed in advance: writing into the caller's array, or, in rows named so,
returning a new one, or a session on resident operands; the session of a layer keeps its weights and takes the
activation with each call, as the peers' layers do. No row takes the better of several.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from lightning_core.bench.cases import LN_EPS, Case
from lightning_core.bench.timing import Candidate

#: Column of the report.
COLUMN = "lightning_core"
INTO, NEW, SESSION = "out=", "new array", "session run"

# Expressions by operation: into `o`, and returning a new array. `{kw}` becomes the device argument, if any.
_CALLS: dict[str, tuple[str, str]] = {
    "matmul": ("lc.api.matmul", "f(a, b, out=o{kw})"),
    "attention": ("lc.attention2d_into", "f(q, k, v, o, causal{kw})"),
    "conv_relu": ("lc.api.conv_relu_nchw_into", "f(x, w, b, o, 1, 1, 1, 1{kw})"),
    "conv_attention": ("lc.api.conv_attention_torchstrong_nchw_into", "f(x, w, b, o, seq, head_dim, 1, 1, 1, 1{kw})"),
    "linear": ("lc.api.linear", "f(x, w, b, out=o{kw})"),
    "ffn": ("lc.api.ffn", "f(x, w1, w2, b1, b2, activation=activation, out=o{kw})"),
    "ln_proj": ("lc.api.layer_norm_projection", "f(x, w, g, s, b, eps=eps, out=o{kw})"),
    "sub": ("lc.api.matrix_sub", "f(a, b, out=o{kw})"),
    "add": ("lc.api.vector_add", "f(a, b, out=o{kw})"),
}
_NEW_CALLS: dict[str, tuple[str, str]] = {
    "attention": ("lc.attention2d", "f(q, k, v, causal{kw})"),
    "conv_relu": ("lc.api.conv_relu_nchw", "f(x, w, b, 1, 1, 1, 1{kw})"),
    "conv_attention": ("lc.api.conv_attention_torchstrong_nchw", "f(x, w, b, seq, head_dim, 1, 1, 1, 1{kw})"),
}


def _package() -> Any:
    return import_module("lightning_core")


def _find(path: str) -> Any:
    value = _package()
    for name in path.split(".")[1:]:
        value = getattr(value, name)
    return value


def set_threads(threads: int) -> None:
    """Sets how many threads our kernels use."""
    _package().set_num_threads(threads)


def receipt() -> dict[str, str]:
    """Device, kernel, arithmetic and reason of the last call."""
    last = _package().last_receipt()
    fields = {"device": "selected_device", "kernel": "kernel", "math": "math", "reason": "reason"}
    return {name: str(getattr(last, attribute, "")) for name, attribute in fields.items()}


def candidate(case: Case, form: str, device: str) -> Candidate | None:
    """Our call for a case in one form, or None where we have none."""
    if form == SESSION:
        return _session(case, device)
    out = np.empty(case.out_shape, np.float32)
    path, stmt = _CALLS[case.op]
    if form == NEW:
        path, stmt = _NEW_CALLS.get(case.op, (path, stmt.replace(", out=o", "")))
    names: dict[str, Any] = {"f": _find(path), **case.arrays, "o": out}
    names |= {n: case.p[n] for n in ("causal", "activation", "seq", "head_dim") if n in case.p} | {"eps": LN_EPS}
    if device == "auto":
        stmt = stmt.format(kw="")
    else:
        stmt = stmt.format(kw=", device=device")
        names["device"] = device
    if form == NEW:
        return Candidate(COLUMN, form, stmt, names)
    return Candidate(COLUMN, form, stmt, names, read=lambda _: out, poison=lambda: out.fill(np.nan))


# Layers on resident weights, by operation: what makes the layer, to which the activation comes with each call.
_LAYERS: dict[str, str] = {
    "linear": "lc.resident.linear(w, b, device=device)",
    "ffn": "lc.resident.ffn(w1, w2, b1, b2, activation=activation, device=device)",
    "ln_proj": "lc.resident.layer_norm_projection(w, g, s, b, eps, device=device)",
}


def _session(case: Case, device: str) -> Candidate | None:
    if case.op in _LAYERS:
        return _layer(case, device)
    lc = _package()
    out = np.empty(case.out_shape, np.float32)
    t, p = case.arrays, case.p
    if case.op == "matmul":
        session = lc.MatMulMetalResidentSession(p["m"], p["k"], p["n"], device=device)
        args: tuple[Any, ...] = (t["a"], t["b"], out)
    elif case.op == "conv_relu":
        session = lc.Conv2dMetalResidentSession(
            p["batch"], p["in_ch"], p["h"], p["w"], p["out_ch"], 3, 3, 1, 1, 1, 1, True, device=device
        )
        args = (t["x"], t["w"], t["b"], out)
    else:
        return None
    names = {"run": session.run_into, **{f"v{i}": value for i, value in enumerate(args)}}

    def read(_: Any) -> Any:
        session.finish_into(*args)
        return out

    return Candidate(
        COLUMN, SESSION, f"run({', '.join(f'v{i}' for i in range(len(args)))})", names,
        read=read, poison=lambda: out.fill(np.nan), prepare=lambda: session.start_into(*args),
    )  # fmt: skip


def _layer(case: Case, device: str) -> Candidate:
    """A layer with resident weights: each call reads the activation from the caller's array and writes the result."""
    out = np.empty(case.out_shape, np.float32)
    names: dict[str, Any] = {**case.arrays, **case.p, "eps": LN_EPS, "device": device, "lc": _package()}
    layer = eval(_LAYERS[case.op], {}, names)
    return Candidate(
        COLUMN, SESSION, "f(x, o)", {"f": layer, "x": case.arrays["x"], "o": out}, read=lambda _: out,
        poison=lambda: out.fill(np.nan),
    )  # fmt: skip
