//! Devices, sync policy, threads, and what this build can do.

use crate::args::{Int, Switch};
use crate::error::raise;
use lc_core::{DType, DeviceRequest, Policy, SyncMode, policy};
use lightning_core::device::{self, Capabilities};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// Whether an NVIDIA GPU can be used through CUDA.
#[pyfunction]
fn cuda_available() -> bool {
    device::cuda_available()
}

/// Whether an Apple GPU can be used.
#[pyfunction]
fn metal_available() -> bool {
    device::metal_available()
}

/// The device that "auto" prefers: "metal", "cuda" or "cpu".
#[pyfunction]
fn backend_name() -> &'static str {
    device::backend_name()
}

/// "native-device" when a CUDA device is there, whose memory only the device addresses; else "host-managed-compat".
#[pyfunction]
fn memory_model_name() -> &'static str {
    device::memory_model_name()
}

fn sync_mode(op: &'static str, mode: &str) -> PyResult<SyncMode> {
    SyncMode::from_name(mode).map_err(|e| raise(e.in_op(op)))
}

/// Sets the process default of when calls wait for the device.
///
/// Parameters
/// ----------
/// mode : str
///     "auto", "always" or "never"; anything else is a ValueError.
/// trace_sync_boundary : bool
///     Whether sync boundaries appear on the trace.
#[pyfunction]
#[pyo3(signature = (mode="auto", trace_sync_boundary=Switch(false)),
    text_signature = "(mode='auto', trace_sync_boundary=False)")]
fn runtime_sync_policy_set(mode: &str, trace_sync_boundary: Switch) -> PyResult<()> {
    let sync = Some(sync_mode("runtime_sync_policy_set", mode)?);
    policy::set_process(&Policy { sync, trace_sync_boundary: Some(trace_sync_boundary.0), ..Policy::default() });
    Ok(())
}

/// The process default of when calls wait: a dict with "mode" and "trace_sync_boundary".
#[pyfunction]
fn runtime_sync_policy_get(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let process = policy::process();
    let dict = PyDict::new(py);
    dict.set_item("mode", process.sync.unwrap_or(SyncMode::Auto).name())?;
    dict.set_item("trace_sync_boundary", process.trace_sync_boundary.unwrap_or(false))?;
    Ok(dict)
}

/// Applies a sync policy now: "always" waits for every device, "auto" for those that run asynchronously, "never" for none.
/// With only a CPU there is nothing to wait for, and every mode succeeds.
#[pyfunction]
#[pyo3(signature = (mode="auto", trace_sync_boundary=Switch(false)),
    text_signature = "(mode='auto', trace_sync_boundary=False)")]
fn runtime_sync_apply(py: Python<'_>, mode: &str, trace_sync_boundary: Switch) -> PyResult<()> {
    let mode = sync_mode("runtime_sync_apply", mode)?;
    py.detach(|| device::apply_sync(mode, trace_sync_boundary.0)).map_err(raise)
}

/// Applies the sync policy in force: that of the scope, over the process default.
#[pyfunction]
fn runtime_sync_apply_default(py: Python<'_>) -> PyResult<()> {
    py.detach(device::apply_default_sync).map_err(raise)
}

fn capability_dict<'py>(py: Python<'py>, it: &Capabilities) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("device", it.device.name())?;
    let switches = [
        ("built", it.built),
        ("available", it.available),
        ("compute_surface", it.compute_surface),
        ("memory_surface", it.memory_surface),
        ("sync_surface", it.sync_surface),
        ("profiling_surface", it.profiling_surface),
        ("runtime_trace_surface", it.runtime_trace_surface),
        ("sync_policy_surface", it.sync_policy_surface),
    ];
    for (name, on) in switches {
        dict.set_item(name, on)?;
    }
    dict.set_item("memory_model", it.memory_model)?;
    dict.set_item("name", &it.name)?;
    dict.set_item("software", it.software)?;
    dict.set_item("reason", &it.reason)?;
    Ok(dict)
}

/// What a device offers, as a dict of switches, its memory model, the adapter's `name`, whether it is a `software` one, and
/// the `reason` why it is not available. Opens the device.
///
/// Parameters
/// ----------
/// device : str
///     "cpu", "metal", "cuda" or "vulkan", or "auto" for the preferred one; anything else is a ValueError.
#[pyfunction]
fn runtime_backend_capabilities<'py>(py: Python<'py>, device: &str) -> PyResult<Bound<'py, PyDict>> {
    let request = DeviceRequest::from_name(device).map_err(|e| raise(e.in_op("runtime_backend_capabilities")))?;
    let capabilities = match request {
        DeviceRequest::Auto => device::active_capabilities(),
        DeviceRequest::Is(kind) => device::capabilities(kind),
    };
    capability_dict(py, &capabilities)
}

/// What the preferred device offers; see `runtime_backend_capabilities`.
#[pyfunction]
fn runtime_active_backend_capabilities(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    capability_dict(py, &device::active_capabilities())
}

/// Which op runs on which device in which dtype: `capabilities()["matmul"]["cpu"]` is `("float32", "float64")`. Opens every
/// device that is here.
#[pyfunction]
fn capabilities(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let runtime = lightning_core::runtime();
    let table = PyDict::new(py);
    let backends = py.detach(|| runtime.every_backend());
    for op in runtime.registry().ops() {
        let devices = PyDict::new(py);
        for backend in &backends {
            let has = |dtype: &DType| backend.kernels().iter().any(|k| k.op == *op && k.dtypes.contains(dtype));
            let dtypes: Vec<_> =
                [DType::F32, DType::F64, DType::F16].into_iter().filter(has).map(DType::name).collect();
            devices.set_item(backend.descriptor().kind.name(), PyTuple::new(py, dtypes)?)?;
        }
        table.set_item(op.name, devices)?;
    }
    Ok(table)
}

/// Forgets which kernels were chosen for calls, so that the next calls choose anew.
#[pyfunction]
fn matmul_reset_tuning() {
    lc_core::runtime::forget_plans();
}

/// Sets how many threads CPU kernels use, the caller's own included, from the next call on. Zero is a ValueError.
#[pyfunction]
fn set_num_threads(threads: Int) -> PyResult<()> {
    let threads = threads.size("set_num_threads", "threads", 1)?;
    lightning_core::set_num_threads(threads).map_err(raise)
}

/// How many threads CPU kernels use, the caller's own included.
#[pyfunction]
fn get_num_threads() -> usize {
    lightning_core::num_threads()
}

/// The instruction set of the CPU kernels in use: "avx512", "avx2", "neon" or "scalar".
#[pyfunction]
fn cpu_isa() -> &'static str {
    lightning_core::cpu_isa()
}

/// float32 operations a second that `threads` cores do at most; one multiply-add is two. Takes some milliseconds.
#[pyfunction]
fn _measure_peak_flops(py: Python<'_>, threads: Int) -> PyResult<f64> {
    let threads = threads.size("_measure_peak_flops", "threads", 1)?;
    Ok(py.detach(|| lightning_core::measure_peak_flops(threads)))
}

/// Bytes a second at which `threads` cores together add float32 arrays, `nbytes` bytes in all three; at most 1 GiB.
#[pyfunction]
fn _measure_bandwidth(py: Python<'_>, nbytes: Int, threads: Int) -> PyResult<f64> {
    let nbytes = nbytes.size("_measure_bandwidth", "nbytes", 1)?;
    let threads = threads.size("_measure_bandwidth", "threads", 1)?;
    py.detach(|| lightning_core::measure_bandwidth(nbytes, threads)).map_err(raise)
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(cuda_available, m)?)?;
    m.add_function(wrap_pyfunction!(metal_available, m)?)?;
    m.add_function(wrap_pyfunction!(backend_name, m)?)?;
    m.add_function(wrap_pyfunction!(memory_model_name, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_sync_policy_set, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_sync_policy_get, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_sync_apply, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_sync_apply_default, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_backend_capabilities, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_active_backend_capabilities, m)?)?;
    m.add_function(wrap_pyfunction!(capabilities, m)?)?;
    m.add_function(wrap_pyfunction!(matmul_reset_tuning, m)?)?;
    m.add_function(wrap_pyfunction!(set_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(get_num_threads, m)?)?;
    m.add_function(wrap_pyfunction!(_measure_peak_flops, m)?)?;
    m.add_function(wrap_pyfunction!(_measure_bandwidth, m)?)?;
    m.add_function(wrap_pyfunction!(cpu_isa, m)?)
}
