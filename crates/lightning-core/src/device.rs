//! What devices there are, and waiting for them.

use crate::runtime;
use lc_core::trace::{self, Event, EventType};
use lc_core::{DeviceKind, EffectivePolicy, PackedPolicy, Result, SyncMode};

/// What a backend offers, as a table of switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The device.
    pub device: DeviceKind,
    /// Whether this build has the backend.
    pub built: bool,
    /// Whether a device was found.
    pub available: bool,
    /// Whether it runs kernels.
    pub compute_surface: bool,
    /// Whether it has memory of its own to allocate and copy to.
    pub memory_surface: bool,
    /// Whether launches return early, so that waiting means something.
    pub sync_surface: bool,
    /// Whether the device times its own work.
    pub profiling_surface: bool,
    /// Whether its work appears on the trace.
    pub runtime_trace_surface: bool,
    /// Whether it honours sync policies.
    pub sync_policy_surface: bool,
    /// See [`memory_model_name`].
    pub memory_model: &'static str,
    /// Name of the adapter or processor; empty if there is none.
    pub name: String,
    /// Whether it is a program that stands in for the device.
    pub software: bool,
    /// Why the device is not available; empty if it is.
    pub reason: String,
}

fn available(kind: DeviceKind) -> bool {
    let found = runtime().backend(kind).is_some();
    match kind {
        DeviceKind::Cuda => trace::mark(EventType::IsCudaAvailable, 0, found.into(), 0),
        DeviceKind::Metal => trace::mark(EventType::IsMetalAvailable, 0, found.into(), 0),
        _ => {}
    }
    found
}

/// Whether an NVIDIA GPU can be used through CUDA.
pub fn cuda_available() -> bool {
    available(DeviceKind::Cuda)
}

/// Whether an Apple GPU can be used.
pub fn metal_available() -> bool {
    available(DeviceKind::Metal)
}

/// Metal, else CUDA, else CPU.
fn preferred_quietly() -> DeviceKind {
    match (metal_available(), || cuda_available()) {
        (true, _) => DeviceKind::Metal,
        (false, cuda) if cuda() => DeviceKind::Cuda,
        _ => DeviceKind::Cpu,
    }
}

/// The kind of work that a device is preferred for. The answer is the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Workload {
    /// Training.
    Training = 0,
    /// Inference.
    Inference = 1,
}

/// The device that "auto" takes for ops that every device has.
pub fn preferred(workload: Workload) -> DeviceKind {
    let kind = preferred_quietly();
    trace::mark(EventType::PreferredDeviceFor, 0, workload as u64, kind as u64);
    kind
}

/// The name of the preferred device: "metal", "cuda" or "cpu".
pub fn backend_name() -> &'static str {
    let name = preferred_quietly().name();
    trace::mark(EventType::BackendName, 0, 0, 0);
    name
}

/// "native-device" when a CUDA device is there, whose memory only the device addresses; else "host-managed-compat".
pub fn memory_model_name() -> &'static str {
    memory_model(if runtime().backend(DeviceKind::Cuda).is_some() { DeviceKind::Cuda } else { DeviceKind::Cpu })
}

fn memory_model(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Cuda | DeviceKind::Vulkan => "native-device",
        _ => "host-managed-compat",
    }
}

/// What a device offers, which opens it; all "no" but `runtime_trace_surface` and `sync_policy_surface` if this build lacks it.
pub fn capabilities(kind: DeviceKind) -> Capabilities {
    available(kind);
    let descriptor = runtime().backend(kind).map(|b| b.descriptor());
    let own_memory = descriptor.is_some_and(|d| !d.host_memory);
    Capabilities {
        device: kind,
        built: descriptor.is_some() || runtime().open_failure(kind).is_some(),
        available: descriptor.is_some(),
        compute_surface: descriptor.is_some(),
        memory_surface: own_memory,
        sync_surface: descriptor.is_some_and(|d| d.asynchronous),
        profiling_surface: descriptor.is_some_and(|d| d.device_timestamps),
        runtime_trace_surface: true,
        sync_policy_surface: true,
        memory_model: memory_model(kind),
        name: descriptor.map_or_else(String::new, |d| d.name.clone()),
        software: descriptor.is_some_and(|d| d.software),
        reason: match (descriptor, runtime().open_failure(kind)) {
            (Some(_), _) => String::new(),
            (None, Some(error)) => error.to_string(),
            (None, None) => "this build has no backend for it on this system".into(),
        },
    }
}

/// What the preferred device offers.
pub fn active_capabilities() -> Capabilities {
    capabilities(preferred(Workload::Inference))
}

/// Applies a sync policy now: "always" waits for every open device, "auto" for those that run asynchronously, "never" for
/// none. On a machine with only a CPU there is nothing to wait for, and every mode succeeds.
///
/// # Errors
/// A failure of a device, which may be that of an earlier launch.
pub fn apply_sync(mode: SyncMode, trace_sync_boundary: bool) -> Result<()> {
    let start = if trace::enabled() { trace::now_ns() } else { 0 };
    let waits = |asynchronous: bool| match mode {
        SyncMode::Always => true,
        SyncMode::Auto => asynchronous,
        SyncMode::Never => false,
    };
    let mut result = Ok(());
    for backend in runtime().backends() {
        if waits(backend.descriptor().asynchronous) {
            result = result.and(backend.sync().synchronize());
        }
    }
    if trace::enabled() {
        let code = match mode {
            SyncMode::Auto => 0,
            SyncMode::Always => 1,
            SyncMode::Never => 2,
        };
        trace::record(&Event {
            status: result.as_ref().err().map(|e| e.kind()),
            start_ns: start,
            duration_ns: trace::now_ns().saturating_sub(start),
            detail0: code,
            detail1: trace_sync_boundary.into(),
            ..Event::new(EventType::ApplySyncPolicy)
        });
    }
    result
}

/// Applies the sync policy in force: scope over process.
///
/// # Errors
/// As [`apply_sync`].
pub fn apply_default_sync() -> Result<()> {
    let policy = EffectivePolicy::of(PackedPolicy::UNSET, PackedPolicy::UNSET);
    apply_sync(policy.sync(), policy.trace_sync_boundary())
}
