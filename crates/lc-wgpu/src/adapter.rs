//! Which GPU, with which features and limits.

use lc_core::{DeviceKind, Error, ErrorKind, Result};
use std::path::PathBuf;
use std::sync::OnceLock;
use wgpu::{DeviceType, Features};

/// How the backend is to behave. [`Options::from_env`] is what the runtime uses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Part of the name of the adapter to use, in any case, or its position. Only an adapter named so may be a software
    /// one when there is a GPU.
    pub adapter: Option<String>,
    /// The longest that one submission should keep the device busy, in milliseconds, so that no watchdog ends it.
    pub max_ms_per_submit: u32,
    /// Bytes of free buffers that are kept for the next allocation.
    pub pool_bytes: u64,
    /// Submissions that may be outstanding.
    pub in_flight: usize,
    /// Whether the driver's validation layers are on and kernels check their bounds.
    pub validation: bool,
    /// Where compiled kernels are kept from one process to the next, if anywhere.
    pub cache_dir: Option<PathBuf>,
    /// Whether memory that host and device share is read and written in place. Off, copies are staged as on other devices.
    pub in_place: bool,
    /// Whether kernels may use subgroups, where the adapter has them.
    pub subgroups: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            adapter: None,
            max_ms_per_submit: 500,
            pool_bytes: 1 << 30,
            in_flight: 8,
            validation: cfg!(debug_assertions),
            cache_dir: None,
            in_place: true,
            subgroups: true,
        }
    }
}

impl Options {
    /// The defaults, and what the environment says: `LC_VULKAN_ADAPTER`, `LC_MAX_MS_PER_SUBMIT`, `LC_GPU_VALIDATION`,
    /// `LC_CACHE_DIR`. Read once, when the device is first used.
    pub fn from_env() -> Options {
        let text = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let mut options =
            Options { adapter: text("LC_VULKAN_ADAPTER"), cache_dir: lc_core::tune::cache_dir(), ..Options::default() };
        if let Some(ms) = text("LC_MAX_MS_PER_SUBMIT").and_then(|v| v.parse().ok()) {
            options.max_ms_per_submit = u32::max(1, ms);
        }
        if let Some(on) = text("LC_GPU_VALIDATION") {
            options.validation = on != "0";
        }
        options
    }
}

/// An adapter that was chosen and opened.
#[derive(Debug)]
pub struct Adapter {
    /// Name, driver and kind.
    pub info: wgpu::AdapterInfo,
    /// The device.
    pub device: wgpu::Device,
    /// Its queue.
    pub queue: wgpu::Queue,
    /// Features that are on.
    pub features: Features,
    /// Limits.
    pub limits: wgpu::Limits,
    /// Shapes and types of its matrix units; empty where the adapter has none or the feature is off.
    pub cooperative: Vec<wgpu::CooperativeMatrixProperties>,
    /// Whether it was asked for by name.
    pub named: bool,
    in_place: bool,
}

/// What kernels use where an adapter has it.
const WANTED: Features = Features::SHADER_F16
    .union(Features::SUBGROUP)
    .union(Features::TIMESTAMP_QUERY)
    .union(Features::TIMESTAMP_QUERY_INSIDE_PASSES)
    .union(Features::TIMESTAMP_QUERY_INSIDE_ENCODERS)
    .union(Features::MAPPABLE_PRIMARY_BUFFERS)
    .union(Features::PIPELINE_CACHE)
    .union(Features::EXPERIMENTAL_COOPERATIVE_MATRIX);

impl Adapter {
    /// The kind of device that this machine's GPUs are: Metal on Apple machines, Vulkan elsewhere.
    pub const KIND: DeviceKind = if cfg!(target_vendor = "apple") { DeviceKind::Metal } else { DeviceKind::Vulkan };

    /// Opens the adapter that the options name, else the best: discrete, integrated, virtual, software.
    ///
    /// # Errors
    /// No adapter; none of that name; one without what every kernel needs (parameters as immediates).
    pub fn open(options: &Options) -> Result<Adapter> {
        let instance = instance(options.validation);
        let adapters = pollster::block_on(instance.enumerate_adapters(BACKENDS));
        let adapter = pick(adapters, options.adapter.as_deref())?;
        let info = adapter.get_info();
        let fail = |what: String| {
            Error::new(ErrorKind::DriverError, Adapter::KIND.name()).argument(info.name.clone()).got(what)
        };
        if !adapter.features().contains(Features::IMMEDIATES) {
            return Err(fail("an adapter without immediates".into()).hint("use device \"cpu\""));
        }
        let mut features = (adapter.features() & WANTED) | Features::IMMEDIATES;
        features.set(Features::SUBGROUP, features.contains(Features::SUBGROUP) && options.subgroups);
        let mut limits = adapter.limits();
        limits.max_immediate_size = limits.max_immediate_size.min(128);
        // SAFETY: cooperative matrices are the one experimental feature in use. Their kernels are checked against the
        // portable one on this very adapter before they may be chosen, and a device that misbehaves is lost, not ours.
        let experimental_features = unsafe { wgpu::ExperimentalFeatures::enabled() };
        let request = wgpu::DeviceDescriptor {
            label: Some("lightning-core"),
            required_features: features,
            required_limits: limits.clone(),
            experimental_features,
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&request)).map_err(|cause| fail(cause.to_string()))?;
        let cooperative = match features.contains(Features::EXPERIMENTAL_COOPERATIVE_MATRIX) {
            true => adapter.cooperative_matrix_properties(),
            false => Vec::new(),
        };
        Ok(Adapter {
            info,
            device,
            queue,
            features,
            limits,
            cooperative,
            named: options.adapter.is_some(),
            in_place: options.in_place,
        })
    }

    /// Whether it is a program that stands in for a GPU.
    pub fn software(&self) -> bool {
        self.info.device_type == DeviceType::Cpu
    }

    /// Threads of a subgroup, where it has subgroups of one size.
    pub fn subgroup_size(&self) -> Option<u32> {
        let (least, most) = (self.info.subgroup_min_size, self.info.subgroup_max_size);
        (self.features.contains(Features::SUBGROUP) && least == most).then_some(least)
    }

    /// Threads that a workgroup may have, whatever its kernel needs. Metal's limit falls with the registers of a kernel.
    pub fn workgroup(&self) -> u32 {
        let limits = &self.limits;
        let most = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        // The largest of ours.
        let wanted = if Adapter::KIND == DeviceKind::Metal { 256 } else { 1024 };
        // Teams are powers of two.
        1 << most.min(wanted).ilog2()
    }

    /// Whether the host and the device share one memory, so that buffers can be mapped in place.
    pub fn unified(&self) -> bool {
        self.in_place
            && self.features.contains(Features::MAPPABLE_PRIMARY_BUFFERS)
            && matches!(self.info.device_type, DeviceType::IntegratedGpu | DeviceType::Cpu)
    }
}

const BACKENDS: wgpu::Backends =
    if cfg!(target_vendor = "apple") { wgpu::Backends::METAL } else { wgpu::Backends::VULKAN };

/// The process's instance, with or without validation layers, made at first use and never destroyed: the end of the last
/// instance unloads the driver, and NVIDIA's leaves destructors behind for each thread that used it, which crash when that
/// thread ends.
fn instance(validation: bool) -> wgpu::Instance {
    static INSTANCES: [OnceLock<wgpu::Instance>; 2] = [const { OnceLock::new() }; 2];
    let make = || {
        let flags = match validation {
            // Without the debug flag, whose source language in SPIR-V is newer than some layers.
            true => wgpu::InstanceFlags::VALIDATION,
            false => wgpu::InstanceFlags::empty(),
        };
        let empty = wgpu::InstanceDescriptor::new_without_display_handle();
        wgpu::Instance::new(wgpu::InstanceDescriptor { backends: BACKENDS, flags, ..empty })
    };
    INSTANCES[usize::from(validation)].get_or_init(make).clone()
}

fn pick(adapters: Vec<wgpu::Adapter>, name: Option<&str>) -> Result<wgpu::Adapter> {
    let names: Vec<_> = adapters.iter().map(|a| a.get_info().name).collect();
    let none = |expected: String| {
        let got = if names.is_empty() { "none".into() } else { format!("{names:?}") };
        Error::unsupported(Adapter::KIND.name(), expected, got)
    };
    if let Some(name) = name {
        let wanted = name.to_lowercase();
        let position = wanted.parse::<usize>().ok();
        return adapters
            .into_iter()
            .enumerate()
            .find(|(i, a)| position.map_or_else(|| a.get_info().name.to_lowercase().contains(&wanted), |p| p == *i))
            .map(|(_, adapter)| adapter)
            .ok_or_else(|| none(format!("an adapter called {name:?}")).hint("LC_VULKAN_ADAPTER names the adapter"));
    }
    let rank = |adapter: &wgpu::Adapter| match adapter.get_info().device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    };
    adapters.into_iter().min_by_key(rank).ok_or_else(|| none("a GPU with a driver".into()).hint("use device \"cpu\""))
}
