"""Intel MKL through ctypes: ``cblas_sgemm``, and ``cblas_sgemm_compute`` on a packed B. Products only.

On processors of other makers MKL chooses its AVX2 kernels; that is its own doing and is left as it is.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from lightning_core.bench.cases import Case
from lightning_core.bench.peers import Peer
from lightning_core.bench.peers.native_library import open_wheel_library
from lightning_core.bench.timing import Candidate

_ROW_MAJOR, _PLAIN, _PACKED, _B_MATRIX = 101, 111, 151, 162


def load(threads: int) -> Peer:
    """The peer."""
    mkl = open_wheel_library("mkl", "mkl_rt")
    i, f, p = ctypes.c_int, ctypes.c_float, ctypes.c_void_p
    mkl.MKL_Set_Num_Threads(i(threads))
    mkl.cblas_sgemm.argtypes = [i, i, i, i, i, i, f, p, i, p, i, f, p, i]
    mkl.cblas_sgemm_pack_get_size.argtypes = [i, i, i, i]
    mkl.cblas_sgemm_pack_get_size.restype = ctypes.c_size_t
    mkl.cblas_sgemm_pack.argtypes = [i, i, i, i, i, i, f, p, i, p]
    mkl.cblas_sgemm_compute.argtypes = [i, i, i, i, i, i, p, i, p, i, f, p, i]
    text = ctypes.create_string_buffer(256)
    mkl.mkl_get_version_string(text, i(256))

    def candidates(case: Case, resident: bool) -> list[Candidate]:
        if case.op != "matmul":
            return []
        m, k, n = case.p["m"], case.p["k"], case.p["n"]
        a, b, out = case.arrays["a"], case.arrays["b"], np.empty(case.out_shape, np.float32)

        def into(form: str, stmt: str, names: dict[str, Any]) -> Candidate:
            return Candidate("mkl", form, stmt, names, read=lambda _: out, poison=lambda: out.fill(np.nan))

        names: dict[str, Any] = {"a": p(a.ctypes.data), "b": p(b.ctypes.data), "c": p(out.ctypes.data)}
        names |= {"m": m, "k": k, "n": n, "keep": (a, b, out)}
        plain = names | {"f": mkl.cblas_sgemm}
        stmt = f"f({_ROW_MAJOR}, {_PLAIN}, {_PLAIN}, m, n, k, 1.0, a, k, b, n, 0.0, c, n)"
        made = [into("cblas_sgemm", stmt, plain)]
        if resident:
            size = mkl.cblas_sgemm_pack_get_size(_B_MATRIX, m, n, k)
            memory = np.empty(size + 64, np.uint8)
            packed = p(memory.ctypes.data + (-memory.ctypes.data) % 64)
            mkl.cblas_sgemm_pack(_ROW_MAJOR, _B_MATRIX, _PLAIN, m, n, k, 1.0, names["b"], n, packed)
            names |= {"f": mkl.cblas_sgemm_compute, "b": packed, "memory": memory}
            stmt = f"f({_ROW_MAJOR}, {_PLAIN}, {_PACKED}, m, n, k, a, k, b, n, 0.0, c, n)"
            made.append(into("packed B", stmt, names))
        return made

    return Peer("mkl", ("mkl",), candidates, " ".join(text.value.decode().split()) + f", {threads} threads")
