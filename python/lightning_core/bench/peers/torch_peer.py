"""PyTorch: eager with and without ``out=``, compiled with frozen weights, and oneDNN's prepacked linear layer.

On a machine with Metal, the same eager calls also run on ``mps`` in a column of their own: tensors stay on the device,
as the device requires, and every call waits for its result.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from lightning_core.bench.cases import LN_EPS, Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.timing import Candidate


def _numpy(tensor: Any) -> Any:
    return tensor.numpy()


def _eager(torch: Any, case: Case) -> Any:
    """The case as a function of its tensors, in the order of ``case.arrays``."""
    functional = torch.nn.functional
    p = case.p
    if case.op == "attention":
        causal = p["causal"]
        return lambda q, k, v: functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
    if case.op == "conv_relu":
        return lambda x, w, b: functional.conv2d(x, w, b, padding=1).relu_()
    if case.op == "conv_attention":
        s, d, repeats = p["seq"], p["head_dim"], p["repeats"]

        def run(x: Any, w: Any, b: Any) -> Any:
            flat = functional.conv2d(x, w, b, padding=1).relu_().view(-1)
            q, k, v = flat.repeat(repeats)[: 3 * s * d].view(3, 1, 1, s, d)
            return functional.scaled_dot_product_attention(q, k, v)

        return run
    if case.op == "linear":
        return functional.linear
    if case.op == "ffn":
        if p["activation"] == "relu":
            return lambda x, w1, w2, b1, b2: functional.linear(functional.linear(x, w1, b1).relu_(), w2, b2)
        return lambda x, w1, w2, b1, b2: functional.linear(functional.gelu(functional.linear(x, w1, b1)), w2, b2)
    if case.op == "ln_proj":
        width = (p["d_model"],)
        return lambda x, w, g, s, b: functional.linear(functional.layer_norm(x, width, g, s, LN_EPS), w, b)
    return {"matmul": torch.matmul, "add": torch.add, "sub": torch.sub}[case.op]


def _frozen(torch: Any, case: Case, tensors: dict[str, Any]) -> Any:
    """The case compiled, its weights constants that the compiler may repack."""
    run = _eager(torch, case)
    order, weights = list(case.arrays), set(case.weights)

    class Block(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            for name in case.weights:
                self.register_parameter(name + "_", torch.nn.Parameter(tensors[name], requires_grad=False))

        def forward(self, *inputs: Any) -> Any:
            rest = iter(inputs)
            return run(*[getattr(self, name + "_") if name in weights else next(rest) for name in order])

    return torch.compile(Block().eval(), dynamic=False)


def _onednn_linear(torch: Any, tensors: dict[str, Any], case: Case) -> Candidate | None:
    """oneDNN's linear layers on weights that it has packed for this batch size, activation fused."""
    ops = torch.ops.mkldnn
    batch = case.p["m"] if case.op == "matmul" else case.p["batch"]

    def pack(weight: Any) -> Any:
        return ops._reorder_linear_weight(weight, batch)

    t = tensors
    names: dict[str, Any] = {"f": ops._linear_pointwise, **t, "none": []}
    if case.op == "matmul":
        names["b"] = pack(t["b"].T.contiguous())
        return Candidate("torch_cpu", "oneDNN packed", "f(a, b, None, 'none', none, '')", names, read=_numpy)
    if case.op == "linear":
        names["w"] = pack(t["w"])
        return Candidate("torch_cpu", "oneDNN packed", "f(x, w, b, 'none', none, '')", names, read=_numpy)
    if case.op == "ln_proj":
        names |= {"w": pack(t["w"]), "norm": torch.nn.functional.layer_norm, "width": (case.p["d_model"],)}
        stmt = f"f(norm(x, width, g, s, {LN_EPS}), w, b, 'none', none, '')"
        return Candidate("torch_cpu", "oneDNN packed", stmt, names, read=_numpy)
    if case.op == "ffn":
        names |= {"w1": pack(t["w1"]), "w2": pack(t["w2"]), "act": case.p["activation"]}
        names["how"] = "none" if names["act"] == "gelu" else ""
        stmt = "f(f(x, w1, b1, act, none, how), w2, b2, 'none', none, '')"
        return Candidate("torch_cpu", "oneDNN packed", stmt, names, read=_numpy)
    return None


def load(threads: int, compile_too: bool) -> Peer:
    """The peer, with ``compile_too`` also compiled (some seconds a row, the first time)."""
    torch: Any = import_module("torch")
    torch.set_num_threads(threads)
    # The guard objects of grad mode cost nothing a call when set once for the process.
    torch.set_grad_enabled(False)
    mps = torch.backends.mps.is_available()

    def on_mps(case: Case) -> list[Candidate]:
        tensors = {n: torch.from_numpy(a).to("mps") for n, a in case.arrays.items()}
        if case.op == "attention":
            tensors = {n: v[None, None] for n, v in tensors.items()}
        names = {"f": _eager(torch, case), "wait": torch.mps.synchronize, **tensors}
        stmt = f"(f({', '.join(tensors)}), wait())[0]"
        return [Candidate("torch_mps", "eager + synchronize", stmt, names, read=lambda r: r.cpu().numpy())]

    def candidates(case: Case, resident: bool) -> list[Candidate]:
        tensors = {n: torch.from_numpy(a) for n, a in case.arrays.items()}
        views = {n: v[None, None] for n, v in tensors.items()} if case.op == "attention" else tensors
        order = ", ".join(views)
        made: list[Candidate] = []
        names = {"f": _eager(torch, case), **views}
        made.append(Candidate("torch_cpu", "eager", f"f({order})", names, read=_numpy))
        if case.op in ("matmul", "add", "sub"):
            out = torch.empty(case.out_shape)
            made.append(
                Candidate("torch_cpu", "out=", f"f({order}, out=o)", names | {"o": out},
                          read=lambda _: out.numpy(), poison=lambda: out.fill_(math.nan))
            )  # fmt: skip
        if case.op == "linear":
            out = torch.empty(case.out_shape)
            made.append(
                Candidate("torch_cpu", "addmm out=", "f(b, x, wt, out=o)",
                          {"f": torch.addmm, "b": tensors["b"], "x": tensors["x"], "wt": tensors["w"].T, "o": out},
                          read=lambda _: out.numpy(), poison=lambda: out.fill_(math.nan))
            )  # fmt: skip
        if case.op == "conv_relu":
            last = torch.channels_last
            x, w = tensors["x"].contiguous(memory_format=last), tensors["w"].contiguous(memory_format=last)
            made.append(
                Candidate("torch_cpu", "eager channels-last", f"f({order})", names | {"x": x, "w": w},
                          read=lambda r: r.contiguous().numpy())
            )  # fmt: skip
        if mps and not resident:
            made += on_mps(case)
        if resident and case.weights:
            packed = None
            if torch.backends.mkldnn.is_available() and case.op in ("matmul", "linear", "ln_proj", "ffn"):
                packed = _onednn_linear(torch, tensors, case)
            if packed is not None:
                made.append(packed)
            if compile_too:
                import_module("torch._inductor.config").freezing = True  # type: ignore[attr-defined]
                inputs = {n: v for n, v in tensors.items() if n not in case.weights}
                names = {"f": _frozen(torch, case, tensors), **inputs}
                made.append(
                    Candidate("torch_cpu", "compiled, frozen", f"f({', '.join(inputs)})", names,
                              read=_numpy)
                )  # fmt: skip
        if compile_too and not resident and case.op not in ("matmul",):
            names = {"f": torch.compile(_eager(torch, case), dynamic=False), **views}
            made.append(Candidate("torch_cpu", "compiled", f"f({order})", names, read=_numpy))
        return made

    columns = ("torch_cpu", "torch_mps") if mps else ("torch_cpu",)
    about = f"torch {torch.__version__}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    return Peer("torch", columns, candidates, about)
