//! The backend: four surfaces over one stream.

use crate::adapter::{Adapter, Options};
use crate::failure::Failure;
use crate::launch::{Kernel, Launch, entries};
use crate::ops;
use crate::pool::{GpuBuffer, Pool};
use crate::stream::Stream;
use lc_core::backend::{Args, Backend, BackendDescriptor, Compute, KernelEntry, Memory, Profile, Synchronize};
use lc_core::registry::OutputSpecs;
use lc_core::{Attrs, Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard};
use wgpu::BufferUsages;

/// A GPU.
#[derive(Debug)]
pub struct WgpuBackend {
    descriptor: BackendDescriptor,
    adapter: Adapter,
    kernels: &'static [&'static Kernel],
    entries: &'static [KernelEntry],
    pool: Arc<Pool>,
    staging: Arc<Pool>,
    nothing: GpuBuffer,
    stream: Mutex<Stream>,
    failure: Arc<Failure>,
}

impl WgpuBackend {
    /// Opens the adapter that the options name, else the best.
    ///
    /// # Errors
    /// As [`Adapter::open`].
    pub fn open(options: &Options) -> Result<Arc<WgpuBackend>> {
        let adapter = Adapter::open(options)?;
        let failure = Failure::watch(&adapter.device);
        let descriptor = BackendDescriptor {
            kind: Adapter::KIND,
            name: adapter.info.name.clone(),
            host_memory: false,
            asynchronous: true,
            software: adapter.software(),
            device_timestamps: false,
        };
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let mappable = BufferUsages::MAP_READ | BufferUsages::MAP_WRITE;
        let pool = Pool::new(&adapter, if adapter.unified() { usage | mappable } else { usage }, options.pool_bytes);
        let staging = Pool::new(&adapter, BufferUsages::MAP_READ | BufferUsages::COPY_DST, options.pool_bytes / 4);
        let fits = |kernel: &&&'static Kernel| adapter.features.contains(kernel.needs);
        let kernels: &'static [&'static Kernel] = ops::ALL.iter().filter(fits).copied().collect::<Vec<_>>().leak();
        Ok(Arc::new(WgpuBackend {
            entries: entries(kernels, Adapter::KIND.name()),
            kernels,
            nothing: pool.take(256)?,
            stream: Mutex::new(Stream::new(&adapter, options, failure.clone())),
            failure,
            pool,
            staging,
            descriptor,
            adapter,
        }))
    }

    /// The adapter.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Buffers that kernels use.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    pub(crate) fn staging(&self) -> &Arc<Pool> {
        &self.staging
    }

    pub(crate) fn nothing(&self) -> &GpuBuffer {
        &self.nothing
    }

    /// What is encoded and submitted.
    pub fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Compute for WgpuBackend {
    fn launch(&self, kernel: &KernelEntry, attrs: &Attrs, args: Args<'_>) -> Result<()> {
        let Args::Device { inputs, outputs } = args else {
            return Err(Error::new(ErrorKind::Unknown, "gpu").expected("device memory").got("host memory"));
        };
        // What the work of a submission is measured in: whichever of arithmetic and traffic is more.
        let mut specs = [None; lc_core::registry::MAX_INPUTS];
        for (spec, tensor) in specs.iter_mut().zip(inputs) {
            *spec = tensor.map(|t| t.spec);
        }
        let results = match outputs {
            [a] => OutputSpecs::one(a.spec),
            [a, b] => OutputSpecs::two(a.spec, b.spec),
            [a, b, c] => OutputSpecs::three(a.spec, b.spec, c.spec),
            _ => return Err(Error::new(ErrorKind::Unknown, "gpu").expected("one to three results")),
        };
        let cost = (kernel.op.cost)(attrs, &specs[..inputs.len()], &results);
        let work = cost.flops.max(cost.bytes_read + cost.bytes_written);
        let own = self.kernels[kernel.code as usize];
        (own.launch)(&mut Launch::new(self, self.stream(), work), attrs, inputs, outputs)
            .map_err(|error| error.in_op(kernel.op.name))
    }
}

impl Synchronize for WgpuBackend {
    fn synchronize(&self) -> Result<()> {
        self.stream().wait()
    }
}

impl Profile for WgpuBackend {}

impl Backend for WgpuBackend {
    fn descriptor(&self) -> &BackendDescriptor {
        &self.descriptor
    }
    fn memory(&self) -> &dyn Memory {
        self
    }
    fn compute(&self) -> &dyn Compute {
        self
    }
    fn sync(&self) -> &dyn Synchronize {
        self
    }
    fn profile(&self) -> &dyn Profile {
        self
    }
    fn lost(&self) -> bool {
        self.failure.lost()
    }
    fn stand_in(&self) -> Option<&'static str> {
        let stand_in = self.adapter.software() && !self.adapter.named;
        stand_in.then_some("set LC_VULKAN_ADAPTER to a part of its name to use it all the same")
    }
    fn kernels(&self) -> &'static [KernelEntry] {
        self.entries
    }
}
