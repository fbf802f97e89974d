//! The NULL backend: asynchronous, keeps a record of everything, computes nothing.
//!
//! Plans, sessions, policies and traces are tested with it on any machine. Its memory keeps what is uploaded, so that a
//! download after a copy can be checked; a launch leaves its results as they are.

use crate::attrs::Attrs;
use crate::backend::{
    Args, Backend, BackendDescriptor, Buffer, Compute, KernelEntry, Memory, Profile, Synchronize, gather,
};
use crate::device::DeviceKind;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Math;
use crate::registry::Registry;
use crate::tensor::{TensorMut, TensorRef};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What the backend was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Memory of so many bytes.
    Allocate(usize),
    /// Bytes copied in.
    Upload(usize),
    /// A kernel's name.
    Launch(&'static str),
    /// A wait that found so many launches outstanding.
    Synchronize(u64),
    /// Bytes copied out.
    Download(usize),
}

/// A device that records.
pub struct NullBackend {
    descriptor: BackendDescriptor,
    kernels: &'static [KernelEntry],
    log: Mutex<Vec<Action>>,
    outstanding: AtomicU64,
    in_use: Arc<AtomicU64>,
    fail: AtomicBool,
}

/// Memory of the NULL backend.
struct NullBuffer {
    data: Mutex<Vec<u8>>,
    in_use: Arc<AtomicU64>,
}

impl Drop for NullBuffer {
    fn drop(&mut self) {
        let bytes = self.data.get_mut().unwrap_or_else(|e| e.into_inner()).len();
        self.in_use.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

impl NullBackend {
    /// A backend with a kernel for every op of the registry.
    pub fn new(registry: &Registry) -> Arc<NullBackend> {
        NullBackend::with_kind(DeviceKind::Null, registry)
    }

    /// A backend that says it is a device of another kind, to test routing.
    pub fn with_kind(kind: DeviceKind, registry: &Registry) -> Arc<NullBackend> {
        let kernel = |op: &&'static crate::registry::OpDef| KernelEntry {
            op,
            name: "null",
            dtypes: &[DType::F32],
            math: Math::IeeeF32,
            accepts: |_, _| true,
            unproven: false,
            code: 0,
        };
        Arc::new(NullBackend {
            descriptor: BackendDescriptor {
                kind,
                name: "null".into(),
                host_memory: false,
                asynchronous: true,
                software: true,
                device_timestamps: false,
            },
            // One small table for each backend that a test makes.
            kernels: registry.ops().iter().map(kernel).collect::<Vec<_>>().leak(),
            log: Mutex::default(),
            outstanding: AtomicU64::new(0),
            in_use: Arc::default(),
            fail: AtomicBool::new(false),
        })
    }

    /// The record so far; starts a new one.
    pub fn take_log(&self) -> Vec<Action> {
        std::mem::take(&mut self.log.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// Makes the next launch fail as a driver would.
    pub fn fail_next_launch(&self) {
        self.fail.store(true, Ordering::Relaxed);
    }

    fn note(&self, action: Action) {
        self.log.lock().unwrap_or_else(|e| e.into_inner()).push(action);
    }
}

fn bytes_of(buffer: &Buffer) -> Result<&Mutex<Vec<u8>>> {
    let own = buffer.inner::<NullBuffer>();
    own.map(|b| &b.data).ok_or_else(|| Error::new(ErrorKind::Unknown, "null").got("another backend's buffer"))
}

impl Memory for NullBackend {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        self.note(Action::Allocate(bytes));
        self.in_use.fetch_add(bytes as u64, Ordering::Relaxed);
        let inner = NullBuffer { data: Mutex::new(vec![0; bytes]), in_use: self.in_use.clone() };
        Ok(Buffer::new(bytes, Box::new(inner)))
    }

    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        self.note(Action::Upload(source.spec().bytes()));
        let mut data = bytes_of(target)?.lock().unwrap_or_else(|e| e.into_inner());
        let room = data.get_mut(offset..).unwrap_or_default();
        gather(source, room)
    }

    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        let bytes = target.spec().bytes();
        self.note(Action::Download(bytes));
        let data = bytes_of(source)?.lock().unwrap_or_else(|e| e.into_inner());
        let Some(from) = data.get(offset..offset + bytes) else {
            let expected = format!("{bytes} bytes at {offset}");
            return Err(Error::invalid("null", "download", expected, format!("{} bytes", data.len())));
        };
        // SAFETY: `target` can be written for `bytes` bytes, and the buffer is no part of it.
        unsafe { std::ptr::copy_nonoverlapping(from.as_ptr(), target.ptr(), bytes) };
        Ok(())
    }

    fn bytes_in_use(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }
}

impl Compute for NullBackend {
    fn launch(&self, kernel: &KernelEntry, _: &Attrs, args: Args<'_>) -> Result<()> {
        if self.fail.swap(false, Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::DriverError, kernel.op.name).got("a failure that a test asked for"));
        }
        if matches!(args, Args::Host { .. }) {
            return Err(Error::new(ErrorKind::Unknown, "null").expected("device memory").got("host memory"));
        }
        self.note(Action::Launch(kernel.op.name));
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

impl Synchronize for NullBackend {
    fn synchronize(&self) -> Result<()> {
        self.note(Action::Synchronize(self.outstanding.swap(0, Ordering::Relaxed)));
        Ok(())
    }
}

impl Profile for NullBackend {}

impl Backend for NullBackend {
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
