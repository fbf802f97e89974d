//! A device whose kernels are right, slow, wrong, idle or failing, as a test says, and what tests of tuning do with it.
#![allow(dead_code, missing_docs, reason = "every test binary uses another part")]

use lc_cpu::{CpuBackend, Isa};
use lightning_core::backend::{
    Args, Backend, BackendDescriptor, Buffer, Compute, KernelEntry, Memory, Profile, Synchronize,
};
use lightning_core::registry::OpDef;
use lightning_core::tune::{Book, Entry, Key, Store};
use lightning_core::{
    Attrs, DType, DeviceKind, Error, ErrorKind, Math, PackedPolicy, Policy, Reason, Result, Runtime, Shape, TensorMut,
    TensorRef, TensorSpec, TuneMode,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Behaviours of the kernels of [`Bench`], by code.
pub const PLAIN: u32 = 0;
pub const SLOW: u32 = 1;
pub const WRONG: u32 = 2;
pub const FAILING: u32 = 3;
pub const IDLE: u32 = 4;
/// Takes every operand to be dense.
pub const BLIND: u32 = 5;

/// A kernel that behaves as a test says.
#[derive(Clone, Copy)]
pub struct Behaviour {
    pub name: &'static str,
    pub code: u32,
    pub unproven: bool,
}

pub const fn proven(name: &'static str, code: u32) -> Behaviour {
    Behaviour { name, code, unproven: false }
}

pub const fn unproven(name: &'static str, code: u32) -> Behaviour {
    Behaviour { name, code, unproven: true }
}

/// The CPU under such kernels, perhaps under the name of another device.
pub struct Bench {
    cpu: Arc<CpuBackend>,
    descriptor: BackendDescriptor,
    kernels: &'static [KernelEntry],
    launches: AtomicU64,
}

impl Bench {
    /// With kernels of these names that are proven.
    pub fn new(op: &'static OpDef, behaviours: &[(&'static str, u32)]) -> Arc<Bench> {
        let behaviours: Vec<_> = behaviours.iter().map(|(name, code)| proven(name, *code)).collect();
        Bench::with_kind(DeviceKind::Cpu, op, &behaviours)
    }

    /// With these kernels, under the name of a device.
    pub fn with_kind(kind: DeviceKind, op: &'static OpDef, behaviours: &[Behaviour]) -> Arc<Bench> {
        let entry = |behaviour: &Behaviour| KernelEntry {
            op,
            name: behaviour.name,
            dtypes: &[DType::F32],
            math: Math::IeeeF32,
            accepts: |_, inputs| inputs[0].is_none_or(|x| x.shape.dims()[0] != 13),
            unproven: behaviour.unproven,
            code: behaviour.code,
        };
        let kernels = behaviours.iter().map(entry).collect::<Vec<_>>().leak();
        let cpu = CpuBackend::new(Isa::active());
        let descriptor = BackendDescriptor { kind, ..cpu.descriptor().clone() };
        Arc::new(Bench { cpu, descriptor, kernels, launches: AtomicU64::new(0) })
    }

    /// Launches since this was last asked.
    pub fn launches(&self) -> u64 {
        self.launches.swap(0, Ordering::Relaxed)
    }
}

impl Compute for Bench {
    fn launch(&self, kernel: &KernelEntry, attrs: &Attrs, args: Args<'_>) -> Result<()> {
        self.launches.fetch_add(1, Ordering::Relaxed);
        match kernel.code {
            IDLE => return Ok(()),
            FAILING => return Err(Error::new(ErrorKind::DriverError, "bench").got("a failure that a test asked for")),
            SLOW => std::thread::sleep(Duration::from_micros(300)),
            _ => {}
        }
        let real = self.cpu.kernels().iter().find(|k| k.op == kernel.op).expect("the CPU has every op");
        if let (BLIND, Args::Host { inputs, prepared, outputs }) = (kernel.code, args) {
            // SAFETY: a view reaches at least as far as its dense form in the layouts that tests use.
            let dense = |view: TensorRef<'_>| unsafe {
                TensorRef::from_raw(view.ptr(), *view.spec(), view.shape().contiguous_strides())
            };
            let inputs: Vec<_> = inputs.iter().map(|input| input.map(dense)).collect();
            return self.cpu.compute().launch(real, attrs, Args::Host { inputs: &inputs, prepared, outputs });
        }
        self.cpu.compute().launch(real, attrs, args)?;
        if let (WRONG, Args::Host { outputs, .. }) = (kernel.code, args) {
            // SAFETY: results are dense float32 with an element at least.
            unsafe { *outputs[0].ptr().cast::<f32>() += 0.01 };
        }
        Ok(())
    }
}

impl Synchronize for Bench {
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
}
impl Profile for Bench {}
impl Memory for Bench {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        self.cpu.memory().allocate(bytes)
    }
    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        self.cpu.memory().upload(source, target, offset)
    }
    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        self.cpu.memory().download(source, offset, target)
    }
    fn bytes_in_use(&self) -> u64 {
        self.cpu.memory().bytes_in_use()
    }
}
impl Backend for Bench {
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

pub fn runtime_of(backend: Arc<dyn Backend>, store: &Arc<Store>) -> Runtime {
    Runtime::new(lc_ops::REGISTRY, vec![backend]).with_store(store.clone())
}

pub fn empty() -> Arc<Store> {
    Arc::new(Store::in_memory(Book::default()))
}

pub fn tuned(mode: TuneMode) -> PackedPolicy {
    Policy { tune: Some(mode), tune_ms: Some(20), ..Policy::default() }.pack()
}

pub fn spec(dims: &[usize]) -> Option<TensorSpec> {
    Some(TensorSpec::new(DType::F32, Shape::new(dims).unwrap()))
}

/// Adds `n` numbers, checks the sum and gives the kernel and the reason.
pub fn add(runtime: &Runtime, n: usize, mode: TuneMode) -> (&'static str, Reason) {
    let a: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let mut out = vec![0.0f32; n];
    let x = Some(TensorRef::new(&a, &[n]).unwrap());
    let mut results = [TensorMut::new(&mut out, &[n]).unwrap()];
    let receipt = runtime.call(&lc_ops::ADD, &Attrs::NONE, &[x, x], &mut results, tuned(mode)).unwrap();
    assert!(out.iter().zip(&a).all(|(got, x)| *got == 2.0 * x), "{} computed something else", receipt.kernel);
    (receipt.kernel, receipt.reason)
}

pub fn why<'a>(entry: &'a Entry, kernel: &str) -> &'a str {
    &entry.candidates.iter().find(|c| c.kernel == kernel).unwrap().why
}

/// A choice of a kernel that nobody measured.
pub fn forced(runtime: &Runtime, op: &OpDef, attrs: &Attrs, inputs: &[Option<TensorSpec>], winner: &str) -> Entry {
    let key = Key::new(runtime.device_id(0), op, attrs, inputs, DType::F32, Math::IeeeF32);
    let candidate = lightning_core::tune::Candidate {
        kernel: winner.into(),
        median_ns: Some(1000),
        p10_ns: Some(900),
        p90_ns: Some(1100),
        samples: 9,
        max_error: Some(1e-7),
        rejected: false,
        won: true,
        why: "fastest".into(),
    };
    Entry { key, measured: 1, samples: 9, budget_ms: 50, candidates: vec![candidate] }
}
