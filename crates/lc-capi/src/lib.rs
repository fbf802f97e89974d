//! The C ABI: runtime, memory, sync policy and the three main ops.
//!
//! Names, enum values and struct layouts are those of the original's C interface; `include/lightning_core.h` is made from
//! this file by cbindgen and checked for drift by the tests. No panic crosses the border: every function turns one into
//! [`lcError_t::LC_UNKNOWN`].
#![allow(non_camel_case_types, non_snake_case)]

mod ops;

pub use ops::{lcAttention, lcConv2d, lcMatmul};

use lightning_core::device::{self, Capabilities, Workload};
use lightning_core::memory::{self, Direction};
use lightning_core::{DeviceKind, Error, ErrorKind, Policy, Result, SyncMode, policy};
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int, c_void};

/// The status of a call.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lcError_t {
    /// It worked.
    LC_SUCCESS = 0,
    /// Something was used before it held data.
    LC_NOT_INITIALIZED = 1,
    /// An argument is null, out of bounds or of the wrong size.
    LC_INVALID_VALUE = 2,
    /// Memory could not be had.
    LC_OUT_OF_MEMORY = 3,
    /// Nothing here can do it.
    LC_NOT_SUPPORTED = 4,
    /// A device or its driver failed.
    LC_DRIVER_ERROR = 5,
    /// Anything else.
    LC_UNKNOWN = 6,
}

/// The direction of a copy.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lcMemcpyKind {
    /// Host to host.
    LC_MEMCPY_HOST_TO_HOST = 0,
    /// Host to device.
    LC_MEMCPY_HOST_TO_DEVICE = 1,
    /// Device to host.
    LC_MEMCPY_DEVICE_TO_HOST = 2,
    /// Device to device.
    LC_MEMCPY_DEVICE_TO_DEVICE = 3,
}

/// A kind of device.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lcDeviceKind {
    /// The host's processor.
    LC_DEVICE_CPU = 0,
    /// An NVIDIA GPU.
    LC_DEVICE_CUDA = 1,
    /// An Apple GPU.
    LC_DEVICE_METAL = 2,
}

/// Who addresses device memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lcMemoryModel {
    /// Only the device.
    LC_MEMORY_NATIVE_DEVICE = 0,
    /// The host too.
    LC_MEMORY_HOST_MANAGED_COMPAT = 1,
}

/// When a call waits for the device.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum lcSyncMode {
    /// Where a result is read.
    LC_SYNC_AUTO = 0,
    /// After every launch.
    LC_SYNC_ALWAYS = 1,
    /// Only where a result is read.
    LC_SYNC_NEVER = 2,
}

/// A sync policy. `mode` is a value of `lcSyncMode`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct lcSyncPolicy {
    /// A value of `lcSyncMode`.
    pub mode: c_int,
    /// Whether boundaries appear on the trace.
    pub trace_sync_boundary: c_int,
}

/// What a device offers; each switch is 0 or 1.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct lcBackendCapabilities {
    /// The device.
    pub device: lcDeviceKind,
    /// This build has the backend.
    pub built: c_int,
    /// A device was found.
    pub available: c_int,
    /// It runs kernels.
    pub compute_surface: c_int,
    /// It has memory of its own.
    pub memory_surface: c_int,
    /// Waiting for it means something.
    pub sync_surface: c_int,
    /// It times its own work.
    pub profiling_surface: c_int,
    /// Its work appears on the trace.
    pub runtime_trace_surface: c_int,
    /// It honours sync policies.
    pub sync_policy_surface: c_int,
    /// Who addresses its memory.
    pub memory_model: lcMemoryModel,
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::new(CString::default());
}

fn status_of(error: &Error) -> lcError_t {
    match error.kind() {
        ErrorKind::NotInitialized => lcError_t::LC_NOT_INITIALIZED,
        ErrorKind::InvalidValue => lcError_t::LC_INVALID_VALUE,
        ErrorKind::OutOfMemory => lcError_t::LC_OUT_OF_MEMORY,
        ErrorKind::NotSupported => lcError_t::LC_NOT_SUPPORTED,
        ErrorKind::DriverError => lcError_t::LC_DRIVER_ERROR,
        ErrorKind::Unknown => lcError_t::LC_UNKNOWN,
    }
}

/// Runs the body of a C function: keeps its error's text for this thread, and lets no panic out.
pub(crate) fn guard(body: impl FnOnce() -> Result<()>) -> lcError_t {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
    let error = match outcome {
        Ok(Ok(())) => return lcError_t::LC_SUCCESS,
        Ok(Err(error)) => error,
        Err(_) => Error::new(ErrorKind::Unknown, "lightning_core").got("a panic, which is a bug; please report it"),
    };
    let text = error.to_string().replace('\0', " ");
    LAST_ERROR.with_borrow_mut(|last| *last = CString::new(text).unwrap_or_default());
    status_of(&error)
}

fn null(op: &'static str, argument: &'static str) -> Error {
    Error::invalid(op, argument, "a pointer", "null")
}

/// Writes through an out-parameter.
///
/// # Safety
/// `target` is null or valid for a write.
unsafe fn put<T>(op: &'static str, argument: &'static str, target: *mut T, value: T) -> Result<()> {
    if target.is_null() {
        return Err(null(op, argument));
    }
    // SAFETY: not null, and valid by the caller's contract.
    unsafe { target.write(value) };
    Ok(())
}

/// Allocates `bytes` zero-filled bytes of device memory that the host can address and stores the address in `*out`,
/// which is set to null on failure.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcMalloc(out: *mut *mut c_void, bytes: usize) -> lcError_t {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe { put("lcMalloc", "out", out, std::ptr::null_mut())? };
        let address = memory::malloc(bytes)?;
        // SAFETY: as above.
        unsafe { put("lcMalloc", "out", out, address.cast()) }
    })
}

/// Frees memory of `lcMalloc`. Null is fine; any other address that is not a live allocation's is an invalid value.
#[unsafe(no_mangle)]
pub extern "C" fn lcFree(address: *mut c_void) -> lcError_t {
    guard(|| memory::free(address.cast()))
}

/// Copies `bytes` bytes. A side that `kind` calls a device's must lie inside an allocation of `lcMalloc`. An unknown
/// `kind` (a value of `lcMemcpyKind`) counts as host to host.
///
/// # Safety
/// A host side must be valid for `bytes` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcMemcpy(target: *mut c_void, source: *const c_void, bytes: usize, kind: c_int) -> lcError_t {
    let direction = match kind {
        1 => Direction::HostToDevice,
        2 => Direction::DeviceToHost,
        3 => Direction::DeviceToDevice,
        _ => Direction::HostToHost,
    };
    // SAFETY: host sides are the caller's promise; device sides are checked inside.
    guard(|| unsafe { memory::memcpy(target.cast(), source.cast(), bytes, direction) })
}

/// Waits for everything launched on every device.
#[unsafe(no_mangle)]
pub extern "C" fn lcDeviceSynchronize() -> lcError_t {
    guard(|| device::apply_sync(SyncMode::Always, false))
}

/// Stores the number of GPUs in `*count`.
///
/// # Safety
/// `count` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcGetDeviceCount(count: *mut c_int) -> lcError_t {
    guard(|| {
        let gpus = c_int::from(device::cuda_available()) + c_int::from(device::metal_available());
        // SAFETY: the caller's contract.
        unsafe { put("lcGetDeviceCount", "count", count, gpus) }
    })
}

fn kind_of(kind: DeviceKind) -> lcDeviceKind {
    match kind {
        DeviceKind::Metal => lcDeviceKind::LC_DEVICE_METAL,
        DeviceKind::Cuda => lcDeviceKind::LC_DEVICE_CUDA,
        _ => lcDeviceKind::LC_DEVICE_CPU,
    }
}

/// Stores the device that inference runs on by default in `*out`.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcGetPreferredDeviceForInference(out: *mut lcDeviceKind) -> lcError_t {
    // SAFETY: the caller's contract.
    guard(|| unsafe { put("lcGetPreferredDevice", "out", out, kind_of(device::preferred(Workload::Inference))) })
}

/// Stores the device that training runs on by default in `*out`.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcGetPreferredDeviceForTraining(out: *mut lcDeviceKind) -> lcError_t {
    // SAFETY: the caller's contract.
    guard(|| unsafe { put("lcGetPreferredDevice", "out", out, kind_of(device::preferred(Workload::Training))) })
}

/// 1 if an NVIDIA GPU can be used.
#[unsafe(no_mangle)]
pub extern "C" fn lcIsCudaAvailable() -> c_int {
    device::cuda_available().into()
}

/// 1 if an Apple GPU can be used.
#[unsafe(no_mangle)]
pub extern "C" fn lcIsMetalAvailable() -> c_int {
    device::metal_available().into()
}

/// Who addresses device memory in this process.
#[unsafe(no_mangle)]
pub extern "C" fn lcGetMemoryModel() -> lcMemoryModel {
    model_of(device::memory_model_name())
}

fn model_of(name: &str) -> lcMemoryModel {
    match name {
        "native-device" => lcMemoryModel::LC_MEMORY_NATIVE_DEVICE,
        _ => lcMemoryModel::LC_MEMORY_HOST_MANAGED_COMPAT,
    }
}

/// The name of a value of `lcMemoryModel`; lives as long as the process.
#[unsafe(no_mangle)]
pub extern "C" fn lcGetMemoryModelName(model: c_int) -> *const c_char {
    match model {
        0 => c"native-device".as_ptr(),
        1 => c"host-managed-compat".as_ptr(),
        _ => c"unknown".as_ptr(),
    }
}

fn mode_from(op: &'static str, mode: c_int) -> Result<SyncMode> {
    match mode {
        0 => Ok(SyncMode::Auto),
        1 => Ok(SyncMode::Always),
        2 => Ok(SyncMode::Never),
        _ => Err(Error::invalid(op, "mode", "a value of lcSyncMode", mode.to_string())),
    }
}

/// Sets the process's sync policy.
#[unsafe(no_mangle)]
pub extern "C" fn lcSetDefaultSyncPolicy(value: lcSyncPolicy) -> lcError_t {
    guard(|| {
        let sync = Some(mode_from("lcSetDefaultSyncPolicy", value.mode)?);
        let trace_sync_boundary = Some(value.trace_sync_boundary != 0);
        policy::set_process(&Policy { sync, trace_sync_boundary, ..Policy::default() });
        Ok(())
    })
}

/// The process's sync policy.
#[unsafe(no_mangle)]
pub extern "C" fn lcGetDefaultSyncPolicy() -> lcSyncPolicy {
    policy::init_process();
    let process = policy::process();
    let mode = match process.sync {
        Some(SyncMode::Always) => lcSyncMode::LC_SYNC_ALWAYS,
        Some(SyncMode::Never) => lcSyncMode::LC_SYNC_NEVER,
        _ => lcSyncMode::LC_SYNC_AUTO,
    };
    lcSyncPolicy { mode: mode as c_int, trace_sync_boundary: process.trace_sync_boundary.unwrap_or(false).into() }
}

/// Applies a sync policy once.
#[unsafe(no_mangle)]
pub extern "C" fn lcApplySyncPolicy(value: lcSyncPolicy) -> lcError_t {
    guard(|| device::apply_sync(mode_from("lcApplySyncPolicy", value.mode)?, value.trace_sync_boundary != 0))
}

/// Applies the process's sync policy once.
#[unsafe(no_mangle)]
pub extern "C" fn lcApplyDefaultSyncPolicy() -> lcError_t {
    guard(device::apply_default_sync)
}

fn c_capabilities(caps: Capabilities) -> lcBackendCapabilities {
    lcBackendCapabilities {
        device: kind_of(caps.device),
        built: caps.built.into(),
        available: caps.available.into(),
        compute_surface: caps.compute_surface.into(),
        memory_surface: caps.memory_surface.into(),
        sync_surface: caps.sync_surface.into(),
        profiling_surface: caps.profiling_surface.into(),
        runtime_trace_surface: caps.runtime_trace_surface.into(),
        sync_policy_surface: caps.sync_policy_surface.into(),
        memory_model: model_of(caps.memory_model),
    }
}

/// Stores what a device offers in `*out`. `kind` is a value of `lcDeviceKind`.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcGetBackendCapabilities(kind: c_int, out: *mut lcBackendCapabilities) -> lcError_t {
    guard(|| {
        let device = device_from("lcGetBackendCapabilities", kind)?;
        if out.is_null() {
            return Err(null("lcGetBackendCapabilities", "out"));
        }
        // SAFETY: the caller's contract.
        unsafe { put("lcGetBackendCapabilities", "out", out, c_capabilities(device::capabilities(device))) }
    })
}

/// Stores what the preferred device offers in `*out`.
///
/// # Safety
/// `out` is null or valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcGetActiveBackendCapabilities(out: *mut lcBackendCapabilities) -> lcError_t {
    guard(|| {
        let caps = c_capabilities(device::active_capabilities());
        // SAFETY: the caller's contract.
        unsafe { put("lcGetActiveBackendCapabilities", "out", out, caps) }
    })
}

pub(crate) fn device_from(op: &'static str, kind: c_int) -> Result<DeviceKind> {
    match kind {
        0 => Ok(DeviceKind::Cpu),
        1 => Ok(DeviceKind::Cuda),
        2 => Ok(DeviceKind::Metal),
        _ => Err(Error::invalid(op, "device", "a value of lcDeviceKind", kind.to_string())),
    }
}

/// The name of the preferred device: "metal", "cuda" or "cpu". Lives as long as the process; safe from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lcBackendName() -> *const c_char {
    match device::backend_name() {
        "metal" => c"metal".as_ptr(),
        "cuda" => c"cuda".as_ptr(),
        _ => c"cpu".as_ptr(),
    }
}

/// The token of a value of `lcError_t`; lives as long as the process.
#[unsafe(no_mangle)]
pub extern "C" fn lcGetErrorString(error: c_int) -> *const c_char {
    match error {
        0 => c"success".as_ptr(),
        1 => c"not initialized".as_ptr(),
        2 => c"invalid value".as_ptr(),
        3 => c"out of memory".as_ptr(),
        4 => c"not supported".as_ptr(),
        5 => c"driver error".as_ptr(),
        _ => c"unknown error".as_ptr(),
    }
}

/// What was wrong with this thread's last failed call; valid until the thread's next one fails.
#[unsafe(no_mangle)]
pub extern "C" fn lcGetLastErrorMessage() -> *const c_char {
    LAST_ERROR.with_borrow(|last| last.as_ptr())
}
