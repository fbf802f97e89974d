//! The CPU as a backend: its kernels in a table, its memory the host's.

use crate::bind;
use crate::isa::Isa;
use crate::{machine, memory, pool};
use lc_core::attrs::Attrs;
use lc_core::backend::{Args, Backend, BackendDescriptor, Buffer, Compute, KernelEntry, Memory, Profile, Synchronize};
use lc_core::device::DeviceKind;
use lc_core::error::{Error, ErrorKind, Result};
use lc_core::tensor::{TensorMut, TensorRef};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The host's processor.
pub struct CpuBackend {
    isa: Isa,
    descriptor: BackendDescriptor,
    kernels: &'static [KernelEntry],
    /// What each entry runs, in the order of the table.
    variants: Vec<Variant>,
    in_use: Arc<AtomicU64>,
}

/// One way to run a binding.
struct Variant {
    binding: bind::Binding,
    isa: Isa,
    serial: bool,
}

impl CpuBackend {
    /// A backend that runs the kernels of one instruction set.
    ///
    /// Each op's first entry is that set's kernel on all threads, and what runs untuned. After it come candidates that may
    /// be measured to be faster: the same on the caller's thread alone, which saves waking others for work that is
    /// smaller than the kernel thinks, and those of narrower sets, which spare wide units their lower clock. The last is
    /// plain Rust, but for a library of the system, which is unproven.
    pub fn new(isa: Isa) -> Arc<CpuBackend> {
        #[cfg(target_os = "macos")]
        return CpuBackend::with_libraries(isa, &crate::accelerate::bindings());
        #[cfg(not(target_os = "macos"))]
        CpuBackend::with_libraries(isa, &[])
    }

    /// [`CpuBackend::new`] with these unproven kernels.
    pub(crate) fn with_libraries(isa: Isa, libraries: &[bind::Binding]) -> Arc<CpuBackend> {
        let mut kernels = Vec::new();
        let mut variants = Vec::new();
        for binding in bind::all() {
            let mut add = |binding: bind::Binding, isa: Isa, serial: bool, unproven: bool| {
                let name = binding.names[isa as usize - 1];
                kernels.push(KernelEntry {
                    op: binding.op,
                    // Lives as long as the table.
                    name: if serial { format!("{name}.serial").leak() } else { name },
                    dtypes: &[lc_core::DType::F32, lc_core::DType::F64],
                    math: lc_core::Math::IeeeF32,
                    // On one thread it would be the first entry again.
                    accepts: if serial { |_, _| pool::threads() > 1 } else { |_, _| true },
                    unproven,
                    code: variants.len() as u32,
                });
                variants.push(Variant { binding, isa, serial });
            };
            add(binding, isa, false, false);
            // The reference is one piece of code for all.
            if binding.run_op.is_none() {
                add(binding, isa, true, false);
                let mut narrower: Vec<Isa> = Isa::available().filter(|other| *other < isa).collect();
                narrower.reverse();
                narrower.into_iter().for_each(|isa| add(binding, isa, false, false));
            }
            for library in libraries.iter().filter(|library| library.op == binding.op) {
                add(*library, isa, false, true);
            }
        }
        let descriptor = BackendDescriptor {
            kind: DeviceKind::Cpu,
            name: format!("{} ({})", std::env::consts::ARCH, isa.name()),
            host_memory: true,
            asynchronous: false,
            software: false,
            device_timestamps: false,
        };
        Arc::new(CpuBackend { isa, descriptor, kernels: kernels.leak(), variants, in_use: Arc::default() })
    }

    /// The instruction set whose kernels it runs.
    pub fn isa(&self) -> Isa {
        self.isa
    }
}

impl Memory for CpuBackend {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        memory::allocate(bytes, &self.in_use)
    }

    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        memory::upload(source, target, offset)
    }

    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        memory::download(source, offset, target)
    }

    fn prepare(
        &self,
        kernel: &KernelEntry,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        index: usize,
    ) -> Result<Option<Buffer>> {
        let variant = &self.variants[kernel.code as usize];
        match variant.binding.prepare {
            Some(prepare) => prepare(variant.isa, attrs, inputs, index),
            None => Ok(None),
        }
    }

    fn bytes_in_use(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }
}

impl Compute for CpuBackend {
    #[inline]
    fn launch(&self, kernel: &KernelEntry, attrs: &Attrs, args: Args<'_>) -> Result<()> {
        let Args::Host { inputs, prepared, outputs } = args else {
            return Err(Error::new(ErrorKind::Unknown, "cpu").expected("host memory").got("device memory"));
        };
        let Variant { binding, isa, serial } = &self.variants[kernel.code as usize];
        let threads = if *serial { 1 } else { pool::threads() };
        let call = bind::Call { isa: *isa, threads, attrs, inputs, prepared, outputs };
        match binding.run_op {
            None => (binding.run)(&call),
            Some(run) => run(binding.op, &call),
        }
    }
}

impl Synchronize for CpuBackend {
    fn synchronize(&self) -> Result<()> {
        // A launch returns when its work is done.
        Ok(())
    }
}

impl Profile for CpuBackend {}

impl Backend for CpuBackend {
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
        format!("{}, {}, {} threads", machine::model(), std::env::consts::OS, pool::threads())
    }
    fn kernels(&self) -> &'static [KernelEntry] {
        self.kernels
    }
}
