"""JAX: jitted functions of arrays on its CPU device, each call waited for."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from lightning_core.bench.cases import LN_EPS, Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.timing import Candidate


def _function(jax: Any, case: Case) -> Any:
    jnp, p = jax.numpy, case.p

    def attend(q: Any, k: Any, v: Any, causal: bool) -> Any:
        scores = q @ k.T / p["head_dim"] ** 0.5
        if causal:
            scores = jnp.where(jnp.tri(p["seq"], dtype=bool), scores, -jnp.inf)
        return jax.nn.softmax(scores) @ v

    def conv(x: Any, w: Any, b: Any) -> Any:
        y = jax.lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        return jax.nn.relu(y + b[:, None, None])

    def conv_attend(x: Any, w: Any, b: Any) -> Any:
        q, k, v = jnp.resize(conv(x, w, b), (3, p["seq"], p["head_dim"]))
        return attend(q, k, v, False)

    def act(x: Any) -> Any:
        return jax.nn.relu(x) if p["activation"] == "relu" else jax.nn.gelu(x, approximate=False)

    def norm(x: Any, g: Any, s: Any) -> Any:
        centred = x - x.mean(1, keepdims=True)
        return centred * jax.lax.rsqrt((centred**2).mean(1, keepdims=True) + LN_EPS) * g + s

    functions: dict[str, Any] = {
        "matmul": lambda a, b: a @ b,
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "attention": lambda q, k, v: attend(q, k, v, p["causal"]),
        "conv_relu": conv,
        "conv_attention": conv_attend,
        "linear": lambda x, w, b: x @ w.T + b,
        "ffn": lambda x, w1, w2, b1, b2: act(x @ w1.T + b1) @ w2.T + b2,
        "ln_proj": lambda x, w, g, s, b: norm(x, g, s) @ w.T + b,
    }
    return functions[case.op]


def load(threads: int) -> Peer:
    """The peer. Its pool has as many threads as the process may use processors when its client is made."""
    everywhere = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if everywhere is not None and threads < len(everywhere):
        os.sched_setaffinity(0, set(sorted(everywhere)[:threads]))
    try:
        jax: Any = import_module("jax")
        jax.config.update("jax_default_matmul_precision", "highest")
        device = jax.devices("cpu")[0]
        jax.block_until_ready(jax.numpy.zeros(8) + 1)
    finally:
        if everywhere is not None:
            os.sched_setaffinity(0, everywhere)

    def candidates(case: Case, resident: bool) -> list[Candidate]:
        if resident and not case.weights:
            return []
        function = _function(jax, case)
        arrays = {n: jax.device_put(a, device) for n, a in case.arrays.items()}
        if resident:
            weights = {n: arrays.pop(n) for n in case.weights}
            order = list(case.arrays)
            jitted = jax.jit(lambda *rest: function(*_merge(order, weights, rest)))
        else:
            jitted = jax.jit(function)
        stmt = f"f({', '.join(arrays)}).block_until_ready()"
        return [Candidate("jax", "jit", stmt, {"f": jitted, **arrays})]

    return Peer("jax", ("jax",), candidates, f"jax {jax.__version__}, {threads} threads")


def _merge(order: list[str], weights: dict[str, Any], rest: tuple[Any, ...]) -> list[Any]:
    remaining = iter(rest)
    return [weights[name] if name in weights else next(remaining) for name in order]
