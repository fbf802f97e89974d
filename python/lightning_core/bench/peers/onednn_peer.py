"""oneDNN through ctypes: ``dnnl_sgemm``, which is row-major. Products only; its other kernels run inside PyTorch."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from lightning_core.bench.cases import Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.peers.native_library import open_wheel_library
from lightning_core.bench.timing import Candidate


class _Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int)]


def load(threads: int) -> Peer:
    """The peer. Its OpenMP runtime reads the number of threads from the environment."""
    dnnl = open_wheel_library("onednn-cpu-gomp", "dnnl")
    i, f, p, char = ctypes.c_int64, ctypes.c_float, ctypes.c_void_p, ctypes.c_char
    dnnl.dnnl_sgemm.argtypes = [char, char, i, i, i, f, p, i, p, i, f, p, i]
    dnnl.dnnl_version.restype = ctypes.POINTER(_Version)
    version = dnnl.dnnl_version().contents

    def candidates(case: Case, resident: bool) -> list[Candidate]:
        if case.op != "matmul":
            return []
        m, k, n = case.p["m"], case.p["k"], case.p["n"]
        a, b, out = case.arrays["a"], case.arrays["b"], np.empty(case.out_shape, np.float32)
        names: dict[str, Any] = {
            "f": dnnl.dnnl_sgemm, "a": p(a.ctypes.data), "b": p(b.ctypes.data), "c": p(out.ctypes.data),
            "m": m, "k": k, "n": n, "keep": (a, b, out),
        }  # fmt: skip
        stmt = "f(b'N', b'N', m, n, k, 1.0, a, k, b, n, 0.0, c, n)"
        return [Candidate("onednn", "dnnl_sgemm", stmt, names, read=lambda _: out, poison=lambda: out.fill(np.nan))]

    return Peer("onednn", ("onednn",), candidates,
                f"oneDNN {version.major}.{version.minor}.{version.patch}, {threads} threads")  # fmt: skip
