//! The backend: four surfaces over one stream.

use crate::adapter::{Adapter, Options};
use crate::failure::Failure;
use crate::launch::{Kernel, Launch, entries};
use crate::ops;
use crate::pool::{GpuBuffer, Pool};
use crate::stream::{Stream, Ticket, wait_for};
use crate::timing::Label;
use lc_core::backend::{Args, Backend, BackendDescriptor, Compute, KernelEntry, Memory, Profile, Synchronize};
use lc_core::intern::Name;
use lc_core::registry::OutputSpecs;
use lc_core::{Attrs, Error, ErrorKind, Result};
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard};
use wgpu::{BufferUsages, Features};

/// A GPU.
#[derive(Debug)]
pub struct WgpuBackend {
    descriptor: BackendDescriptor,
    // What holds on to wgpu, which must not be dropped on any thread: see `drop`.
    adapter: ManuallyDrop<Adapter>,
    kernels: &'static [&'static Kernel],
    entries: &'static [KernelEntry],
    pool: ManuallyDrop<Arc<Pool>>,
    staging: ManuallyDrop<Arc<Pool>>,
    nothing: ManuallyDrop<GpuBuffer>,
    stream: ManuallyDrop<Mutex<Stream>>,
    failure: Arc<Failure>,
    proofs: Mutex<ops::Proofs>,
    #[cfg(target_vendor = "apple")]
    mps: ManuallyDrop<crate::mps::Scratch>,
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
            device_timestamps: adapter.features.contains(Features::TIMESTAMP_QUERY),
        };
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let mappable = BufferUsages::MAP_READ | BufferUsages::MAP_WRITE;
        let pool = Pool::new(&adapter, if adapter.unified() { usage | mappable } else { usage }, options.pool_bytes);
        let staging = Pool::new(&adapter, BufferUsages::MAP_READ | BufferUsages::COPY_DST, options.pool_bytes / 4);
        let fits = |kernel: &&'static Kernel| adapter.features.contains(kernel.needs);
        let all = ops::kernels().chain(ops::libraries().iter().copied());
        let kernels: &'static [&'static Kernel] = all.filter(fits).collect::<Vec<_>>().leak();
        // Where a subgroup may have any size, nothing here has shown that its kernels are right and fast.
        let any_size = adapter.subgroup_size().is_none();
        let unproven =
            |kernel: &'static Kernel| ops::unproven(kernel) || (any_size && kernel.needs.contains(Features::SUBGROUP));
        Ok(Arc::new(WgpuBackend {
            entries: entries(kernels, Adapter::KIND.name(), unproven),
            kernels,
            nothing: ManuallyDrop::new(pool.take(256)?),
            stream: ManuallyDrop::new(Mutex::new(Stream::new(&adapter, options, failure.clone()))),
            failure,
            proofs: Mutex::default(),
            #[cfg(target_vendor = "apple")]
            mps: ManuallyDrop::default(),
            pool: ManuallyDrop::new(pool),
            staging: ManuallyDrop::new(staging),
            descriptor,
            adapter: ManuallyDrop::new(adapter),
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

    /// Which kernels on matrix units have proven themselves here.
    pub(crate) fn proofs(&self) -> MutexGuard<'_, ops::Proofs> {
        self.proofs.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Memory that Metal Performance Shaders and dispatches share.
    #[cfg(target_vendor = "apple")]
    pub(crate) fn mps(&self) -> &crate::mps::Scratch {
        &self.mps
    }

    /// The error that is waiting, if any.
    pub(crate) fn check(&self) -> Result<()> {
        self.failure.check()
    }

    /// Delivers the answers that are ready.
    pub(crate) fn poll(&self) -> Result<()> {
        match self.adapter.device.poll(wgpu::PollType::Poll) {
            Ok(_) => self.check(),
            Err(cause) => {
                self.check()?;
                Err(Error::new(ErrorKind::DriverError, "device").got(cause.to_string()))
            }
        }
    }

    /// Waits for a submission, without holding the stream.
    pub(crate) fn wait_for(&self, ticket: &Ticket) -> Result<()> {
        let result = wait_for(&self.adapter.device, &self.failure, ticket);
        self.stream().retire(ticket.number);
        result
    }

    /// What is encoded and submitted.
    pub fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Drop for WgpuBackend {
    /// On a thread of its own: the last plan of a device may be dropped with a thread's memo of plans, when that thread's
    /// other locals are gone already, and wgpu uses some.
    fn drop(&mut self) {
        // SAFETY: each is taken once, and nothing uses the backend after this.
        let parts = unsafe {
            (
                ManuallyDrop::take(&mut self.stream),
                ManuallyDrop::take(&mut self.nothing),
                ManuallyDrop::take(&mut self.staging),
                ManuallyDrop::take(&mut self.pool),
                ManuallyDrop::take(&mut self.adapter),
            )
        };
        #[cfg(target_vendor = "apple")]
        // SAFETY: as above.
        let parts = (parts, unsafe { ManuallyDrop::take(&mut self.mps) });
        if let Ok(thread) = std::thread::Builder::new().spawn(move || drop(parts)) {
            // A panic in there has been reported, and this may be the end of a thread: nothing more to do about it.
            let _ = thread.join();
        }
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
        let mut stream = self.stream();
        stream.begin_launch(|| Label { op: Name::of(kernel.op.trace_name), kernel: Name::of(kernel.name) });
        (own.launch)(&mut Launch::new(self, stream, work), attrs, inputs, outputs)
            .map_err(|error| error.in_op(kernel.op.name))
    }
}

impl Synchronize for WgpuBackend {
    fn synchronize(&self) -> Result<()> {
        let mut stream = self.stream();
        stream.flush()?;
        let last = stream.last();
        // Other threads go on encoding while this one waits.
        drop(stream);
        last.map_or_else(|| self.check(), |ticket| self.wait_for(&ticket))
    }
}

impl Profile for WgpuBackend {
    fn take_durations(&self) -> Vec<u64> {
        self.stream().take_durations()
    }
}

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
    fn driver(&self) -> String {
        let info = &self.adapter.info;
        format!("{} {}", info.driver, info.driver_info)
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
