"""Types of the native module; the documentation is on the objects themselves."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol, SupportsIndex, TypeAlias, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import Buffer, Self

class _DLPack(Protocol):
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self) -> Any: ...

_Array: TypeAlias = ArrayLike | _DLPack
_Out: TypeAlias = NDArray[Any] | Buffer | _DLPack
_Floats: TypeAlias = list[int] | list[float] | tuple[float, ...]
_Pair: TypeAlias = SupportsIndex | tuple[SupportsIndex, SupportsIndex]
_PolicyLike: TypeAlias = Policy | MatMulIoPolicy | MatrixElementwiseIoPolicy | VectorAddIoPolicy | AttentionIoPolicy

__all__ = [
    "_api",
    "_resident",
    "_measure_peak_flops",
    "_measure_bandwidth",
    "__version__",
    "vector_add",
    "matrix_add",
    "matrix_sub",
    "matrix_div",
    "conv2d_nchw",
    "conv2d_nchw_into",
    "lightning_conv_relu_nchw",
    "lightning_conv_relu_nchw_into",
    "lightning_conv_attention_torchstrong_nchw",
    "lightning_conv_attention_torchstrong_nchw_into",
    "attention_forward",
    "attention_forward_with_policy",
    "attention2d",
    "attention2d_into",
    "attention2d_session",
    "clear_attention2d_session_cache",
    "lightning_attention",
    "lightning_attention_into",
    "clear_integrated_attention_session_cache",
    "cuda_available",
    "metal_available",
    "backend_name",
    "memory_model_name",
    "runtime_sync_policy_set",
    "runtime_sync_policy_get",
    "runtime_sync_apply",
    "runtime_sync_apply_default",
    "runtime_backend_capabilities",
    "runtime_active_backend_capabilities",
    "capabilities",
    "matmul_reset_tuning",
    "set_num_threads",
    "get_num_threads",
    "cpu_isa",
    "Policy",
    "PolicyScope",
    "policy",
    "set_default_policy",
    "default_policy",
    "effective_policy",
    "Receipt",
    "last_receipt",
    "matmul",
    "matmul_np",
    "matmul_np_into",
    "matmul_with_policy",
    "matmul_np_with_policy",
    "matmul_np_into_with_policy",
    "matmul2d",
    "matmul2d_into",
    "matmul2d_resident_session",
    "Tensor",
    "Tensor64",
    "TensorView",
    "Tensor64View",
    "MatMulIoPolicy",
    "MatrixElementwiseIoPolicy",
    "VectorAddIoPolicy",
    "AttentionIoPolicy",
    "MatMulMetalResidentSession",
    "VectorAddMetalResidentSession",
    "MatrixElemwiseMetalResidentSession",
    "Conv2dMetalResidentSession",
    "conv2d_nchw_metal_resident",
    "AttentionSession",
    "Session",
    "runtime_trace_enable",
    "runtime_trace_enabled",
    "runtime_trace_clear",
    "runtime_trace_capacity",
    "runtime_trace_events",
    "runtime_trace_timeline",
    "runtime_trace_chrome",
    "GraphIR",
    "GraphPlan",
    "graph_validation_passes",
    "graph_registry_size",
    "graph_registry_schemas",
    "graph_registry_schema",
    "lightning_conv_attention_torchstrong_nchw_ab_report",
    "tune",
    "_tuning_fit",
    "_tuning_path",
    "_tuning_export",
    "_tuning_merge",
    "_tuning_clear",
    "_tuning_entries",
]

__version__: str
_api: ModuleType
_resident: ModuleType

@final
class Policy:
    def __new__(
        cls,
        device: str | None = None,
        fallback: str | None = None,
        math: str | None = None,
        upload: bool | Sequence[bool | None] | None = None,
        download: bool | Sequence[bool | None] | None = None,
        synchronize: bool | None = None,
        sync: str | None = None,
        trace_sync_boundary: bool | None = None,
        tune: str | bool | None = None,
        tune_ms: int | None = None,
    ) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[Any, ...]: ...
    def __repr__(self, /) -> str: ...
    @property
    def device(self) -> str | None: ...
    @property
    def download(self) -> bool | tuple[bool | None, ...] | None: ...
    @property
    def fallback(self) -> str | None: ...
    @property
    def math(self) -> str | None: ...
    def replace(self, /, **fields: Any) -> Policy: ...
    @property
    def sync(self) -> str | None: ...
    @property
    def synchronize(self) -> bool | None: ...
    @property
    def trace_sync_boundary(self) -> bool | None: ...
    @property
    def tune(self) -> str | None: ...
    @property
    def tune_ms(self) -> int | None: ...
    @property
    def upload(self) -> bool | tuple[bool | None, ...] | None: ...

@final
class PolicyScope:
    def __enter__(self) -> Policy: ...
    def __exit__(self, *_error: object) -> None: ...
    def __repr__(self, /) -> str: ...

@final
class Receipt:
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __repr__(self, /) -> str: ...
    @property
    def bytes_downloaded(self) -> int: ...
    @property
    def bytes_uploaded(self) -> int: ...
    @property
    def dtype(self) -> str: ...
    @property
    def duration_ns(self) -> int | None: ...
    @property
    def fallback(self) -> bool: ...
    @property
    def kernel(self) -> str: ...
    @property
    def launches(self) -> int: ...
    @property
    def math(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def requested_device(self) -> str: ...
    @property
    def selected_device(self) -> str: ...
    def to_dict(self, /) -> dict[str, Any]: ...
    @property
    def waits(self) -> int: ...

@final
class Tensor:
    def __new__(
        cls,
        shape: Sequence[SupportsIndex],
        device: str = 'cpu',
        *,
        policy: _PolicyLike | None = None,
    ) -> Self: ...
    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> NDArray[Any]: ...
    @property
    def __array_interface__(self) -> Any: ...
    def __dlpack__(self, /, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self, /) -> tuple[int, int]: ...
    def __len__(self, /) -> int: ...
    def add(self, other: Tensor, /) -> Self: ...
    def contract(self, /) -> dict[str, Any]: ...
    def device(self, /) -> str: ...
    def dtype(self, /) -> str: ...
    def from_list(self, values: _Array, /) -> None: ...
    def from_numpy(self, values: _Array, /) -> None: ...
    @staticmethod
    def from_numpy_array(values: _Array, shape: Sequence[SupportsIndex], device: str = 'cpu') -> Tensor: ...
    def is_contiguous(self, /) -> bool: ...
    def layout(self, /) -> str: ...
    def numel(self, /) -> int: ...
    def numpy(self, /) -> NDArray[Any]: ...
    def rank(self, /) -> int: ...
    def read_strided(
        self,
        /,
        out_shape: Sequence[SupportsIndex],
        source_strides: Sequence[SupportsIndex],
        offset_elements: SupportsIndex = 0,
    ) -> list[float]: ...
    def reshape(self, shape: Sequence[SupportsIndex], /) -> None: ...
    def shape(self, /) -> list[int]: ...
    def slice(self, axis: SupportsIndex, start: SupportsIndex, end: SupportsIndex, /) -> TensorView: ...
    def slice_copy(self, axis: SupportsIndex, start: SupportsIndex, end: SupportsIndex, /) -> list[float]: ...
    def slice_copy_numpy(
        self,
        axis: SupportsIndex,
        start: SupportsIndex,
        end: SupportsIndex,
        /,
    ) -> NDArray[np.float32]: ...
    def storage_numel(self, /) -> int: ...
    def strides(self, /) -> list[int]: ...
    def to_host_view(self, view: TensorView, /) -> list[float]: ...
    def to_host_view_numpy(self, view: TensorView, /) -> NDArray[np.float32]: ...
    def to_list(self, /) -> list[float]: ...
    def to_numpy(self, /) -> NDArray[np.float32]: ...
    def tolist(self, /) -> list[Any]: ...
    def validate_contract(self, /) -> None: ...
    def validate_view_contract(self, view: TensorView, /) -> None: ...
    def view(self, shape: Sequence[SupportsIndex], /) -> TensorView: ...
    @staticmethod
    def zeros(shape: Sequence[SupportsIndex], device: str = 'cpu') -> Tensor: ...

@final
class Tensor64:
    def __new__(
        cls,
        shape: Sequence[SupportsIndex],
        device: str = 'cpu',
        *,
        policy: _PolicyLike | None = None,
    ) -> Self: ...
    def __array__(self, dtype: Any = None, *, copy: bool | None = None) -> NDArray[Any]: ...
    @property
    def __array_interface__(self) -> Any: ...
    def __dlpack__(self, /, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self, /) -> tuple[int, int]: ...
    def __len__(self, /) -> int: ...
    def add(self, other: Tensor64, /) -> Self: ...
    def contract(self, /) -> dict[str, Any]: ...
    def device(self, /) -> str: ...
    def dtype(self, /) -> str: ...
    def from_list(self, values: _Array, /) -> None: ...
    def from_numpy(self, values: _Array, /) -> None: ...
    @staticmethod
    def from_numpy_array(values: _Array, shape: Sequence[SupportsIndex], device: str = 'cpu') -> Tensor64: ...
    def is_contiguous(self, /) -> bool: ...
    def layout(self, /) -> str: ...
    def numel(self, /) -> int: ...
    def numpy(self, /) -> NDArray[Any]: ...
    def rank(self, /) -> int: ...
    def read_strided(
        self,
        /,
        out_shape: Sequence[SupportsIndex],
        source_strides: Sequence[SupportsIndex],
        offset_elements: SupportsIndex = 0,
    ) -> list[float]: ...
    def reshape(self, shape: Sequence[SupportsIndex], /) -> None: ...
    def shape(self, /) -> list[int]: ...
    def slice(self, axis: SupportsIndex, start: SupportsIndex, end: SupportsIndex, /) -> Tensor64View: ...
    def slice_copy(self, axis: SupportsIndex, start: SupportsIndex, end: SupportsIndex, /) -> list[float]: ...
    def slice_copy_numpy(
        self,
        axis: SupportsIndex,
        start: SupportsIndex,
        end: SupportsIndex,
        /,
    ) -> NDArray[np.float64]: ...
    def storage_numel(self, /) -> int: ...
    def strides(self, /) -> list[int]: ...
    def to_host_view(self, view: Tensor64View, /) -> list[float]: ...
    def to_host_view_numpy(self, view: Tensor64View, /) -> NDArray[np.float64]: ...
    def to_list(self, /) -> list[float]: ...
    def to_numpy(self, /) -> NDArray[np.float64]: ...
    def tolist(self, /) -> list[Any]: ...
    def validate_contract(self, /) -> None: ...
    def validate_view_contract(self, view: Tensor64View, /) -> None: ...
    def view(self, shape: Sequence[SupportsIndex], /) -> Tensor64View: ...
    @staticmethod
    def zeros(shape: Sequence[SupportsIndex], device: str = 'cpu') -> Tensor64: ...

@final
class TensorView:
    def contract(self, /) -> dict[str, Any]: ...
    def device(self, /) -> str: ...
    def dtype(self, /) -> str: ...
    def is_contiguous(self, /) -> bool: ...
    def layout(self, /) -> str: ...
    def numel(self, /) -> int: ...
    def offset_elements(self, /) -> int: ...
    def rank(self, /) -> int: ...
    def shape(self, /) -> list[int]: ...
    def strides(self, /) -> list[int]: ...
    def validate_contract(self, /) -> None: ...
    def validate_contract_for_storage(self, storage_numel: SupportsIndex, /) -> None: ...

@final
class Tensor64View:
    def contract(self, /) -> dict[str, Any]: ...
    def device(self, /) -> str: ...
    def dtype(self, /) -> str: ...
    def is_contiguous(self, /) -> bool: ...
    def layout(self, /) -> str: ...
    def numel(self, /) -> int: ...
    def offset_elements(self, /) -> int: ...
    def rank(self, /) -> int: ...
    def shape(self, /) -> list[int]: ...
    def strides(self, /) -> list[int]: ...
    def validate_contract(self, /) -> None: ...
    def validate_contract_for_storage(self, storage_numel: SupportsIndex, /) -> None: ...

@final
class MatMulIoPolicy:
    def __new__(cls, **_fields: Any) -> Self: ...
    download_out: bool
    synchronize: bool
    upload_a: bool
    upload_b: bool

@final
class MatrixElementwiseIoPolicy:
    def __new__(cls, **_fields: Any) -> Self: ...
    download_out: bool
    synchronize: bool
    upload_a: bool
    upload_b: bool

@final
class VectorAddIoPolicy:
    def __new__(cls, **_fields: Any) -> Self: ...
    download_out: bool
    synchronize: bool
    upload_a: bool
    upload_b: bool

@final
class AttentionIoPolicy:
    def __new__(cls, **_fields: Any) -> Self: ...
    def __eq__(self, other: object, /) -> bool: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __repr__(self, /) -> str: ...
    download_out: bool
    download_v: bool
    loss_every: int
    output_bias: float
    output_relu: bool
    output_scale: float
    synchronize: bool
    upload_k: bool
    upload_q: bool
    upload_target: bool
    upload_v: bool

@final
class Session:
    def __new__(
        cls,
        op: str,
        *inputs: _Array | None,
        device: str = 'auto',
        policy: _PolicyLike | None = None,
        **attrs: Any,
    ) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_exception: object) -> bool: ...
    def __repr__(self, /) -> str: ...
    def close(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    @property
    def device(self) -> str: ...
    def finish(self, out: _Out | tuple[_Out, ...] | None = None) -> Any: ...
    @property
    def op(self) -> str: ...
    @property
    def receipt(self) -> Receipt | None: ...
    @property
    def resident_bytes(self) -> int: ...
    def run(self) -> None: ...
    def run_batch(self, count: SupportsIndex, /) -> None: ...
    def start(self, *inputs: _Array | None) -> None: ...
    def step(
        self,
        *inputs: _Array | None,
        out: _Out | tuple[_Out, ...] | None = None,
        policy: _PolicyLike | None = None,
        **named: _Array,
    ) -> Any: ...
    def sync(self) -> None: ...

@final
class MatMulMetalResidentSession:
    def __new__(
        cls,
        m: SupportsIndex,
        k: _Array,
        n: SupportsIndex,
        *,
        device: str = 'auto',
        policy: _PolicyLike | None = None,
    ) -> Self: ...
    @property
    def device(self) -> str: ...
    def finish(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def finish_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    @property
    def resident_bytes(self) -> int: ...
    def run(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def run_batch_sync(
        self,
        a: _Array,
        b: _Array,
        out_size: SupportsIndex,
        repeat_count: SupportsIndex,
        /,
    ) -> list[float]: ...
    def run_batch_sync_cached_no_download(self, repeat_count: SupportsIndex, /) -> None: ...
    def run_batch_sync_into(self, a: _Array, b: _Array, out: _Out, repeat_count: SupportsIndex, /) -> None: ...
    def run_batch_sync_no_download_into(
        self,
        a: _Array,
        b: _Array,
        out: _Out,
        repeat_count: SupportsIndex,
        /,
    ) -> None: ...
    def run_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def start(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def start_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def sync(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def sync_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...

@final
class VectorAddMetalResidentSession:
    def __new__(cls, n: SupportsIndex, *, device: str = 'auto', policy: _PolicyLike | None = None) -> Self: ...
    def add(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    @property
    def device(self) -> str: ...
    def finish(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def finish_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    @property
    def resident_bytes(self) -> int: ...
    def run(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def run_batch_sync(
        self,
        a: _Array,
        b: _Array,
        out_size: SupportsIndex,
        repeat_count: SupportsIndex,
        /,
    ) -> list[float]: ...
    def run_batch_sync_cached_no_download(self, repeat_count: SupportsIndex, /) -> None: ...
    def run_batch_sync_into(self, a: _Array, b: _Array, out: _Out, repeat_count: SupportsIndex, /) -> None: ...
    def run_batch_sync_no_download_into(
        self,
        a: _Array,
        b: _Array,
        out: _Out,
        repeat_count: SupportsIndex,
        /,
    ) -> None: ...
    def run_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def start(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def start_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def sync(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def sync_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...

@final
class MatrixElemwiseMetalResidentSession:
    def __new__(
        cls,
        rows: SupportsIndex,
        cols: SupportsIndex,
        *,
        device: str = 'auto',
        policy: _PolicyLike | None = None,
    ) -> Self: ...
    @property
    def device(self) -> str: ...
    def div(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def div_finish(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def div_finish_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def div_run(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def div_run_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def div_start(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def div_start_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    @property
    def resident_bytes(self) -> int: ...
    def sub(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def sub_finish(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def sub_finish_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def sub_run(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def sub_run_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...
    def sub_start(self, a: _Array, b: _Array, out_size: SupportsIndex, /) -> list[float]: ...
    def sub_start_into(self, a: _Array, b: _Array, out: _Out, /) -> None: ...

@final
class Conv2dMetalResidentSession:
    def __new__(
        cls,
        batch: SupportsIndex,
        in_channels: SupportsIndex,
        in_h: SupportsIndex,
        in_w: SupportsIndex,
        out_channels: SupportsIndex,
        kernel_h: SupportsIndex,
        kernel_w: SupportsIndex,
        stride_h: SupportsIndex = 1,
        stride_w: SupportsIndex = 1,
        pad_h: SupportsIndex = 0,
        pad_w: SupportsIndex = 0,
        apply_relu: bool = True,
        *,
        device: str = 'auto',
        policy: _PolicyLike | None = None,
    ) -> Self: ...
    @property
    def device(self) -> str: ...
    def finish_into(self, x: _Array, w: _Array, bias: _Array | None, out: _Out, /) -> None: ...
    @property
    def resident_bytes(self) -> int: ...
    def run_batch_sync_into(
        self,
        x: _Array,
        w: _Array,
        bias: _Array | None,
        out: _Out,
        repeat_count: SupportsIndex,
        /,
    ) -> None: ...
    def run_into(self, x: _Array, w: _Array, bias: _Array | None, out: _Out, /) -> None: ...
    def start_into(self, x: _Array, w: _Array, bias: _Array | None, out: _Out, /) -> None: ...
    def sync_into(self, x: _Array, w: _Array, bias: _Array | None, out: _Out, /) -> None: ...

@final
class AttentionSession:
    def __new__(
        cls,
        seq_len: SupportsIndex,
        head_dim: SupportsIndex,
        causal: bool = False,
        device: str = 'auto',
        *,
        policy: _PolicyLike | None = None,
    ) -> Self: ...
    def __repr__(self, /) -> str: ...
    @property
    def device(self) -> str: ...
    def forward(self, q: _Array | None, k: _Array | None, v: _Array | None, /) -> list[float]: ...
    def forward_into(self, q: _Array | None, k: _Array | None, v: _Array | None, out: _Out, /) -> None: ...
    def forward_with_policy(self, q: _Array | None, k: _Array | None, v: _Array | None, policy: _PolicyLike, /) -> list[float]: ...
    def forward_with_policy_into(
        self,
        q: _Array | None,
        k: _Array | None,
        v: _Array | None,
        out: _Out,
        policy: _PolicyLike,
        /,
    ) -> None: ...
    @property
    def head_dim(self) -> int: ...
    @property
    def last_loss_step(self) -> int: ...
    @property
    def resident_bytes(self) -> int: ...
    @property
    def seq_len(self) -> int: ...
    def set_default_policy(self, policy: _PolicyLike, /) -> None: ...
    @property
    def steps(self) -> int: ...
    def train_step(
        self,
        q: _Array | None,
        k: _Array | None,
        v: _Array | None,
        target: _Array | None,
        learning_rate: float,
        /,
    ) -> tuple[list[float], list[float], float]: ...
    def train_step_with_policy(
        self,
        q: _Array | None,
        k: _Array | None,
        v: _Array | None,
        target: _Array | None,
        learning_rate: float,
        policy: _PolicyLike,
        /,
    ) -> tuple[list[float], list[float], float]: ...

@final
class GraphIR:
    def __new__(cls) -> Self: ...
    def __repr__(self, /) -> str: ...
    def ab_report(
        self,
        feeds: Mapping[int, _Array],
        outputs: Sequence[int],
        device: str = 'auto',
        *,
        policy: _PolicyLike | None = None,
        without: Sequence[str] = [],
        warmup: SupportsIndex = 3,
        repeat: SupportsIndex = 20,
        atol: float = 0.0001,
        rtol: float = 0.0001,
    ) -> dict[str, Any]: ...
    def add_constant(self, /, value: _Array, name: str = '') -> int: ...
    def compile(
        self,
        inputs: Sequence[int],
        outputs: Sequence[int],
        device: str = 'auto',
        *,
        policy: _PolicyLike | None = None,
        without: Sequence[str] = [],
    ) -> GraphPlan: ...
    def receipts(self, /) -> list[Receipt]: ...
    def add(
        self,
        op: str,
        inputs: Sequence[int | None],
        control_deps: Sequence[int] = [],
        name: str = '',
        *,
        attrs: Mapping[str, Any] | None = None,
        device: str | None = None,
    ) -> int | list[int]: ...
    def add_node(
        self,
        op: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        control_deps: Sequence[int] = [],
        name: str = '',
        *,
        attrs: Mapping[str, Any] | None = None,
        device: str | None = None,
    ) -> None: ...
    def add_tensor(
        self,
        /,
        shape: Sequence[SupportsIndex],
        dtype: str = 'float32',
        layout: str = 'contiguous',
        name: str = '',
        constant: bool = False,
    ) -> int: ...
    def execute_f32(
        self,
        /,
        feeds: Mapping[int, _Array],
        preferred_device: str = 'auto',
        sync_mode: str = 'auto',
        trace_sync_boundary: bool = False,
        separate_fallback_segments: bool = True,
        insert_sync_on_device_change: bool = True,
        *,
        outputs: Sequence[int] | None = None,
        optimize: bool = False,
    ) -> dict[str, Any]: ...
    def execute_f64(
        self,
        /,
        feeds: Mapping[int, _Array],
        preferred_device: str = 'auto',
        sync_mode: str = 'auto',
        trace_sync_boundary: bool = False,
        separate_fallback_segments: bool = True,
        insert_sync_on_device_change: bool = True,
        *,
        outputs: Sequence[int] | None = None,
        optimize: bool = False,
    ) -> dict[str, Any]: ...
    def explain(
        self,
        outputs: Sequence[int] | None = None,
        format: str = 'text',
        preferred_device: str = 'auto',
        without: Sequence[str] = [],
        *,
        measure: bool = False,
    ) -> str: ...
    def nodes(self, /) -> list[dict[str, Any]]: ...
    def num_nodes(self, /) -> int: ...
    def num_tensors(self, /) -> int: ...
    def plan(self, /, preferred_device: str = 'auto') -> list[dict[str, Any]]: ...
    def plan_groups(
        self,
        /,
        preferred_device: str = 'auto',
        sync_mode: str = 'auto',
        trace_sync_boundary: bool = False,
        separate_fallback_segments: bool = True,
        insert_sync_on_device_change: bool = True,
    ) -> dict[str, Any]: ...
    def tensors(self, /) -> list[dict[str, Any]]: ...
    def validate(self, /) -> None: ...
    def validate_report(self, /) -> dict[str, Any]: ...
    def view(self, /, x: SupportsIndex, offset: SupportsIndex, shape: Sequence[SupportsIndex]) -> Any: ...

@final
class GraphPlan:
    def __repr__(self, /) -> str: ...
    def explain(self, /, format: str = 'text', measure: bool = False) -> str: ...
    def receipts(self, /) -> list[Receipt]: ...
    def run(self, /, *arguments: _Array, out: Sequence[NDArray[Any]] | None = None) -> list[NDArray[Any]]: ...

@overload
def vector_add(a: _Floats, b: _Floats, device: str = 'auto', *, policy: _PolicyLike | None = None) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def vector_add(
    a: _Array,
    b: _Array,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
@overload
def matrix_add(  # type: ignore[overload-overlap]
    a: _Floats,
    b: _Floats,
    rows: SupportsIndex,
    cols: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def matrix_add(
    a: _Array,
    b: _Array,
    rows: SupportsIndex,
    cols: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
@overload
def matrix_sub(  # type: ignore[overload-overlap]
    a: _Floats,
    b: _Floats,
    rows: SupportsIndex,
    cols: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def matrix_sub(
    a: _Array,
    b: _Array,
    rows: SupportsIndex,
    cols: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
@overload
def matrix_div(  # type: ignore[overload-overlap]
    a: _Floats,
    b: _Floats,
    rows: SupportsIndex,
    cols: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def matrix_div(
    a: _Array,
    b: _Array,
    rows: SupportsIndex,
    cols: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def conv2d_nchw(
    x: _Array,
    w: _Array,
    bias: _Array | None = None,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def conv2d_nchw_into(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    out: _Out,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def lightning_conv_relu_nchw(
    x: _Array,
    w: _Array,
    bias: _Array | None = None,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def lightning_conv_relu_nchw_into(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    out: _Out,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def lightning_conv_attention_torchstrong_nchw(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    execution_mode: str = 'eager',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def lightning_conv_attention_torchstrong_nchw_into(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    out: _Out,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    execution_mode: str = 'eager',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
@overload
def attention_forward(  # type: ignore[overload-overlap]
    q: _Floats,
    k: _Floats,
    v: _Floats,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def attention_forward(
    q: _Array,
    k: _Array,
    v: _Array,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
@overload
def attention_forward_with_policy(  # type: ignore[overload-overlap]
    q: _Floats,
    k: _Floats,
    v: _Floats,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def attention_forward_with_policy(
    q: _Array,
    k: _Array,
    v: _Array,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def attention2d(
    q: _Array,
    k: _Array,
    v: _Array,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def attention2d_into(
    q: _Array,
    k: _Array,
    v: _Array,
    out: _Out,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def attention2d_session(
    q: _Array,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> AttentionSession: ...
def clear_attention2d_session_cache() -> None: ...
def lightning_attention(
    q: _Array,
    k: _Array,
    v: _Array,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def lightning_attention_into(
    q: _Array,
    k: _Array,
    v: _Array,
    out: _Out,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    causal: bool = False,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def clear_integrated_attention_session_cache() -> None: ...
def cuda_available() -> bool: ...
def metal_available() -> bool: ...
def backend_name() -> str: ...
def memory_model_name() -> str: ...
def runtime_sync_policy_set(mode: str = 'auto', trace_sync_boundary: bool = False) -> None: ...
def runtime_sync_policy_get() -> dict[str, Any]: ...
def runtime_sync_apply(mode: str = 'auto', trace_sync_boundary: bool = False) -> None: ...
def runtime_sync_apply_default() -> None: ...
def runtime_backend_capabilities(device: str) -> dict[str, Any]: ...
def runtime_active_backend_capabilities() -> dict[str, Any]: ...
def capabilities() -> dict[str, dict[str, tuple[str, ...]]]: ...
def matmul_reset_tuning() -> None: ...
def set_num_threads(threads: SupportsIndex) -> None: ...
def get_num_threads() -> int: ...
def cpu_isa() -> str: ...
def policy(policy: Policy | None = None, /, **fields: Any) -> PolicyScope: ...
def set_default_policy(policy: Policy) -> None: ...
def default_policy() -> Policy: ...
def effective_policy() -> Policy: ...
def last_receipt() -> Receipt | None: ...
@overload
def matmul(  # type: ignore[overload-overlap]
    a: _Floats,
    b: _Floats,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def matmul(
    a: _Array,
    b: _Array,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def matmul_np(
    a: _Array,
    b: _Array,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def matmul_np_into(
    a: _Array,
    b: _Array,
    out: _Out,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
@overload
def matmul_with_policy(  # type: ignore[overload-overlap]
    a: _Floats,
    b: _Floats,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> list[float]: ...
@overload
def matmul_with_policy(
    a: _Array,
    b: _Array,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def matmul_np_with_policy(
    a: _Array,
    b: _Array,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def matmul_np_into_with_policy(
    a: _Array,
    b: _Array,
    out: _Out,
    m: SupportsIndex,
    k: SupportsIndex,
    n: SupportsIndex,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> None: ...
def matmul2d(
    a: _Array,
    b: _Array,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> NDArray[np.float32]: ...
def matmul2d_into(
    a: _Array,
    b: _Array,
    out: _Out,
    device: str = 'auto',
    *,
    policy: _PolicyLike | None = None,
) -> None: ...
def matmul2d_resident_session(
    a: _Array,
    b: _Array,
    *,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> MatMulMetalResidentSession: ...
def conv2d_nchw_metal_resident(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    out: _Out,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    phase: str = 'run',
    apply_relu: bool = False,
    *,
    device: str = 'auto',
    policy: _PolicyLike | None = None,
) -> None: ...
def runtime_trace_enable(enabled: bool) -> None: ...
def runtime_trace_enabled() -> bool: ...
def runtime_trace_clear() -> None: ...
def runtime_trace_capacity() -> int: ...
def runtime_trace_events() -> list[dict[str, Any]]: ...
def runtime_trace_timeline(
    event_sort_by: str = 'timestamp_ns',
    event_descending: bool = False,
    group_by: str = 'type',
    group_sort_by: str = 'total_delta_next_ns',
    group_descending: bool = True,
    hotspot_top_k: SupportsIndex = 8,
) -> dict[str, Any]: ...
def runtime_trace_chrome(path: str | PathLike[str] | None = None) -> str | None: ...
def graph_validation_passes() -> list[str]: ...
def graph_registry_size() -> int: ...
def graph_registry_schemas() -> list[dict[str, Any]]: ...
def graph_registry_schema(op: str, /) -> dict[str, Any]: ...
def lightning_conv_attention_torchstrong_nchw_ab_report(
    x: _Array,
    w: _Array,
    bias: _Array | None,
    seq_len: SupportsIndex,
    head_dim: SupportsIndex,
    stride_h: SupportsIndex = 1,
    stride_w: SupportsIndex = 1,
    pad_h: SupportsIndex = 0,
    pad_w: SupportsIndex = 0,
    device: str = 'auto',
    warmup: SupportsIndex = 1,
    repeat: SupportsIndex = 5,
    atol: float = 0.0001,
    rtol: float = 0.0001,
) -> dict[str, Any]: ...
def _measure_peak_flops(threads: SupportsIndex) -> float: ...
def _measure_bandwidth(nbytes: SupportsIndex, threads: SupportsIndex) -> float: ...
def tune(
    op: str,
    *shapes: SupportsIndex | Sequence[SupportsIndex] | None,
    device: str = 'auto',
    budget_ms: SupportsIndex = 50,
    dtype: str = 'float32',
    **attrs: Any,
) -> dict[str, Any]: ...
def _tuning_fit(op: str, device: str = 'auto', budget_ms: int = 50) -> dict[str, Any] | None: ...
def _tuning_path() -> Path | None: ...
def _tuning_export(path: str | PathLike[str]) -> None: ...
def _tuning_merge(path: str | PathLike[str]) -> tuple[int, int]: ...
def _tuning_clear() -> None: ...
def _tuning_entries() -> list[dict[str, Any]]: ...
