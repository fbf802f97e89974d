"""Types of `lightning_core.resident`; the documentation is on the objects themselves."""

from typing import Any, final

from numpy.typing import NDArray

from ._native import _Array, _Out, _PolicyLike

__all__ = ["Resident", "ffn", "layer_norm_projection", "linear", "matmul"]

@final
class Resident:
    def __call__(
        self,
        x: _Array,
        out: _Out | None = None,
        *,
        policy: _PolicyLike | None = None,
    ) -> NDArray[Any]: ...
    def __repr__(self, /) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def resident_bytes(self) -> int: ...

def ffn(
    w1: _Array,
    w2: _Array,
    b1: _Array | None = None,
    b2: _Array | None = None,
    *,
    activation: str = "gelu",
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> Resident: ...
def layer_norm_projection(
    weight: _Array,
    norm_weight: _Array | None = None,
    norm_bias: _Array | None = None,
    bias: _Array | None = None,
    eps: float = 1e-05,
    *,
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> Resident: ...
def linear(
    weight: _Array,
    bias: _Array | None = None,
    *,
    activation: str = "none",
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> Resident: ...
def matmul(
    b: _Array,
    bias: _Array | None = None,
    *,
    activation: str = "none",
    device: str = "auto",
    policy: _PolicyLike | None = None,
) -> Resident: ...
