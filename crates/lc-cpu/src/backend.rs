//! The CPU as a backend: its kernels in a table, its memory the host's.

use crate::bind;
use crate::isa::Isa;
use crate::memory;
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
    bindings: Vec<bind::Binding>,
    in_use: Arc<AtomicU64>,
}

impl CpuBackend {
    /// A backend that runs the kernels of one instruction set.
    pub fn new(isa: Isa) -> Arc<CpuBackend> {
        let mut kernels = Vec::new();
        let mut bindings = Vec::new();
        for (code, binding) in bind::all().into_iter().enumerate() {
            kernels.push(KernelEntry {
                op: binding.op,
                name: binding.names[isa as usize - 1],
                dtypes: &[lc_core::DType::F32, lc_core::DType::F64],
                math: lc_core::Math::IeeeF32,
                accepts: |_, _| true,
                code: code as u32,
            });
            bindings.push(binding);
        }
        let descriptor = BackendDescriptor {
            kind: DeviceKind::Cpu,
            name: format!("{} ({})", std::env::consts::ARCH, isa.name()),
            host_memory: true,
            asynchronous: false,
            software: false,
            device_timestamps: false,
        };
        Arc::new(CpuBackend { isa, descriptor, kernels: kernels.leak(), bindings, in_use: Arc::default() })
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
        match self.bindings[kernel.code as usize].prepare {
            Some(prepare) => prepare(self.isa, attrs, inputs, index),
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
        let call = bind::Call { isa: self.isa, attrs, inputs, prepared, outputs };
        let binding = &self.bindings[kernel.code as usize];
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
    fn kernels(&self) -> &'static [KernelEntry] {
        self.kernels
    }
}
