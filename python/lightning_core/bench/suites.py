"""The rows of each suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lightning_core.bench import cases, fusion, ours, scaling
from lightning_core.bench.cases import Case

ONE_SHOT, RESIDENT = "one-shot", "resident"


@dataclass(frozen=True)
class Row:
    """One line of a report."""

    suite: str
    bench: str
    shape: str
    #: One-shot: every operand is a host array at each call. Resident: weights, or all operands of a session, were
    #: prepared before; on both sides.
    residency: str
    #: Which form of ours is timed.
    form: str
    case: Callable[[], Case]

    @property
    def label(self) -> str:
        """What tells the row from the others of its suite."""
        return f"{self.bench} {self.shape} {self.residency} {self.form}"


def _row(suite: str, bench: str, shape: str, form: str, case: Callable[[], Case]) -> Row:
    resident = form in (ours.SESSION, fusion.CONSTANTS)
    return Row(suite, bench, shape, RESIDENT if resident else ONE_SHOT, form, case)


def _matmul(suite: str, m: int, k: int, n: int, form: str) -> Row:
    return _row(suite, "matmul", f"m={m},k={k},n={n}", form, lambda: cases.matmul(m, k, n))


def _attention(suite: str, s: int, d: int, form: str = ours.INTO, causal: bool = False) -> Row:
    shape = f"seq={s},head_dim={d}" + (",causal" if causal else "")
    return _row(suite, "attention2d", shape, form, lambda: cases.attention(s, d, causal))


def _conv(suite: str, n: int, side: int, form: str) -> Row:
    shape = f"batch={n},in_ch=3,h={side},w={side},out_ch=16,k=3"
    return _row(suite, "conv2d_relu", shape, form, lambda: cases.conv_relu(n, 3, side, side, 16))


def _conv_attention(suite: str, s: int, d: int, form: str = ours.INTO) -> Row:
    return _row(suite, "conv_attention", f"seq={s},head_dim={d}", form, lambda: cases.conv_attention(s, d))


def _add(suite: str, bench: str, n: int, form: str) -> Row:
    return _row(suite, bench, f"n={n}", form, lambda: cases.add(n))


def _quick() -> Iterator[Row]:
    suite = "quick_bench"
    for s, d in ((8, 16), (96, 48), (256, 64)):
        yield _attention(suite, s, d)
    for n, side in ((1, 16), (1, 32), (2, 32)):
        yield _conv(suite, n, side, ours.INTO)
    for size in (256, 1024, 2048):
        yield _matmul(suite, size, size, size, ours.INTO)


def _kernel() -> Iterator[Row]:
    suite = "kernel_bench"
    for s, d in ((8, 16), (8, 32), (12, 12)):
        yield _attention(suite, s, d)
    for s in (256, 512, 1024):
        for causal in (False, True):
            yield _attention(suite, s, 64, causal=causal)
    for form in (ours.INTO, ours.SESSION):
        for n, side in ((1, 16), (1, 24), (2, 16), (1, 28)):
            yield _conv(suite, n, side, form)
        for size in (256, 896, 1024):
            yield _matmul(suite, size, size, size, form)


def _pipeline() -> Iterator[Row]:
    suite = "pipeline_bench"

    def ffn(batch: int, activation: str, form: str) -> Row:
        shape = f"batch={batch},d_model=768,d_ff=3072,{activation}"
        return _row(suite, "ffn", shape, form, lambda: cases.ffn(batch, 768, 3072, activation))

    def ln_proj(batch: int, form: str) -> Row:
        shape = f"batch={batch},d_model=1024,out=1024"
        return _row(suite, "ln_proj", shape, form, lambda: cases.ln_proj(batch, 1024, 1024))

    for form in (ours.INTO, ours.SESSION):
        for batch in (512, 1024):
            for activation in ("gelu", "relu"):
                yield ffn(batch, activation, form)
        for batch in (1024, 2048):
            yield ln_proj(batch, form)
    for s, d in ((48, 48), (192, 48), (192, 8), (96, 48)):
        yield _conv_attention(suite, s, d)
    # Maps that fill q, k and v without repeating.
    for s, d, h, w in ((96, 48, 27, 32), (192, 48, 36, 48)):
        shape = f"seq={s},head_dim={d},h={h},w={w}"
        yield _row(
            suite, "conv_attention", shape, ours.INTO,
            lambda s=s, d=d, h=h, w=w: cases.conv_attention(s, d, h, w),  # type: ignore[misc]
        )  # fmt: skip


def _ml() -> Iterator[Row]:
    suite = "ml_all_bench"

    def linear(batch: int, inputs: int, outputs: int, form: str) -> Row:
        shape = f"batch={batch},in={inputs},out={outputs}"
        return _row(suite, "linear_classifier_inference", shape, form, lambda: cases.linear(batch, inputs, outputs))

    def sub(rows: int, cols: int) -> Row:
        shape = f"rows={rows},cols={cols}"
        return _row(suite, "matrix_preprocessing_sub", shape, ours.INTO, lambda: cases.sub(rows, cols))

    for form in (ours.INTO, ours.SESSION):
        for sizes in ((1024, 1024, 512), (2048, 1024, 512), (4096, 1024, 1024)):
            yield linear(*sizes, form)
    for rows, cols in ((512, 512), (1024, 1024), (2048, 1024)):
        yield sub(rows, cols)
    for n in (65536, 262144, 1048576, 4194304):
        yield _add(suite, "feature_scaling_vector_add", n, ours.INTO)


def _gemm() -> Iterator[Row]:
    suite = "large_gemm"
    shapes = [(s, s, s) for s in (512, 1024, 1536, 2048, 3072)] + [(4096, 1024, 4096)]
    for form in (ours.INTO, ours.SESSION):
        for m, k, n in shapes:
            yield _matmul(suite, m, k, n, form)


def _overhead() -> Iterator[Row]:
    suite = "api_overhead_bench"
    for form in (ours.NEW, ours.INTO):
        yield _add(suite, "vector_add", 8, form)
        yield _attention(suite, 8, 16, form)
        for s in (256, 512):
            yield _attention(suite, s, 64, form)
        for n in (1, 2):
            yield _conv(suite, n, 32, form)
        for s in (48, 96):
            yield _conv_attention(suite, s, 48, form)


def _scaling() -> Iterator[Row]:
    for size in (256, 512, 1024, 2048, 3072):
        yield _matmul("scaling", size, size, size, scaling.FORM)


def _fusion() -> Iterator[Row]:
    suite = "fusion"

    def row(bench: str, form: str, shape: str, case: Callable[[], Case]) -> Row:
        return _row(suite, bench, shape, form, case)

    def elements(bench: str, make: Callable[[int, int], Case]) -> Iterator[Row]:
        for rows, cols in ((256, 256), (2048, 2048)):
            yield row(bench, fusion.GRAPH, f"rows={rows},cols={cols}", lambda r=rows, c=cols: make(r, c))  # type: ignore[misc]

    yield from elements("chain", cases.chain)
    yield from elements("gate", cases.gate)
    yield from elements("long_chain", cases.long_chain)
    for n, side in ((1, 32), (8, 64)):
        shape = f"batch={n},in_ch=3,h={side},w={side},out_ch=16,k=3"
        yield row("conv_bias_relu", fusion.GRAPH, shape, lambda n=n, s=side: cases.conv_bias_relu(n, 3, s, s, 16))  # type: ignore[misc]
    for s in (256, 512, 1024):
        yield row("attention", fusion.GRAPH, f"seq={s},head_dim=64,mask", lambda s=s: cases.masked_attention(s, 64))  # type: ignore[misc]
    for form in fusion.FORMS:
        for m, k, n in ((64, 64, 1024), (512, 768, 768)):
            shape = f"m={m},k={k},n={n}"
            yield row("matmul_bias_gelu", form, shape, lambda m=m, k=k, n=n: cases.matmul_bias_gelu(m, k, n))  # type: ignore[misc]
        # The pipelines.
        for batch in (512, 1024):
            shape = f"batch={batch},d_model=768,d_ff=3072,gelu"
            yield row("ffn", form, shape, lambda b=batch: cases.ffn(b, 768, 3072, "gelu"))  # type: ignore[misc]
        for batch in (1024, 2048):
            shape = f"batch={batch},d_model=1024,out=1024"
            yield row("ln_proj", form, shape, lambda b=batch: cases.ln_proj(b, 1024, 1024))  # type: ignore[misc]
    for s, d in ((48, 48), (192, 48), (192, 8), (96, 48)):
        shape = f"seq={s},head_dim={d}"
        yield row("conv_attention", fusion.GRAPH, shape, lambda s=s, d=d: cases.conv_attention(s, d))  # type: ignore[misc]


_SUITES: dict[str, Callable[[], Iterator[Row]]] = {
    "quick": _quick,
    "kernel": _kernel,
    "pipeline": _pipeline,
    "ml": _ml,
    "gemm": _gemm,
    "overhead": _overhead,
    "scaling": _scaling,
    "fusion": _fusion,
}
NAMES = (*_SUITES, "all")


def rows(name: str) -> list[Row]:
    """The rows of a suite; of ``all``, those of every suite but ``quick``, whose rows the others hold already."""
    if name == "all":
        return [row for suite, make in _SUITES.items() if suite != "quick" for row in make()]
    return list(_SUITES[name]())
