//! What a device is to the runtime: four surfaces and a table of kernels.

use crate::attrs::Attrs;
use crate::device::DeviceKind;
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Math;
use crate::registry::{InputSpecs, OpDef};
use crate::shape::Strides;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use std::any::Any;

/// What a backend is and can do.
#[derive(Clone, Debug)]
pub struct BackendDescriptor {
    /// Kind of device.
    pub kind: DeviceKind,
    /// Name of the adapter or processor.
    pub name: String,
    /// Whether kernels read and write host memory directly, so that a one-shot call copies nothing.
    pub host_memory: bool,
    /// Whether a launch returns before its work is done.
    pub asynchronous: bool,
    /// Whether the device is a software emulation of another, which "auto" never takes.
    pub software: bool,
    /// Whether launches are timed by the device itself.
    pub device_timestamps: bool,
}

/// Memory of a device. Dropping it frees it.
#[derive(Debug)]
pub struct Buffer {
    bytes: usize,
    host: Option<HostPtr>,
    inner: Box<dyn Any + Send + Sync>,
}

#[derive(Clone, Copy, Debug)]
struct HostPtr(*mut u8);
// SAFETY: an address; whoever reads or writes through it answers for that.
unsafe impl Send for HostPtr {}
// SAFETY: as above.
unsafe impl Sync for HostPtr {}

impl Buffer {
    /// A buffer of `bytes` bytes that the backend keeps as `inner`.
    pub fn new(bytes: usize, inner: Box<dyn Any + Send + Sync>) -> Buffer {
        Buffer { bytes, host: None, inner }
    }

    /// A buffer that the host can address.
    ///
    /// # Safety
    /// `host` points to `bytes` bytes, aligned to 64, that live as long as `inner`.
    pub unsafe fn with_host(bytes: usize, host: *mut u8, inner: Box<dyn Any + Send + Sync>) -> Buffer {
        Buffer { bytes, host: Some(HostPtr(host)), inner }
    }

    /// Size.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where the host sees it, if it does.
    pub fn host(&self) -> Option<*mut u8> {
        self.host.map(|p| p.0)
    }

    /// The backend's own form of it.
    pub fn inner<T: 'static>(&self) -> Option<&T> {
        self.inner.downcast_ref()
    }
}

/// A tensor in a device's memory.
#[derive(Clone, Copy, Debug)]
pub struct DeviceTensor<'a> {
    /// The memory.
    pub buffer: &'a Buffer,
    /// Byte offset of element `[0, 0, …]`.
    pub offset: usize,
    /// Type and extents.
    pub spec: TensorSpec,
    /// Strides in elements.
    pub strides: Strides,
}

/// The operands of a launch.
#[derive(Clone, Copy, Debug)]
pub enum Args<'a> {
    /// In host memory, for a backend whose descriptor says `host_memory`.
    Host {
        /// Inputs; `None` where an optional one is absent.
        inputs: &'a [Option<TensorRef<'a>>],
        /// By input, the form that [`Memory::prepare`] made of it; empty if none was made.
        prepared: &'a [Option<&'a Buffer>],
        /// Results.
        outputs: &'a [TensorMut<'a>],
    },
    /// In device memory.
    Device {
        /// Inputs; `None` where an optional one is absent.
        inputs: &'a [Option<DeviceTensor<'a>>],
        /// Results.
        outputs: &'a [DeviceTensor<'a>],
    },
}

/// One kernel of a backend.
#[derive(Debug)]
pub struct KernelEntry {
    /// The op that it computes.
    pub op: &'static OpDef,
    /// Name on receipts and traces, such as `cpu.gemm.avx512`.
    pub name: &'static str,
    /// Element types that it takes.
    pub dtypes: &'static [DType],
    /// Its arithmetic.
    pub math: Math,
    /// Whether it takes this call; dtype and op are already right.
    pub accepts: fn(&Attrs, InputSpecs) -> bool,
    /// Whether only the machine that it is for can prove it, since nobody could run it where it was written. Such a kernel
    /// runs only where the tuner compared it on this machine and measured it to be the fastest, and never in place of a
    /// kernel that is not there: an op without a proven kernel is an op that the device lacks.
    pub unproven: bool,
    /// The backend's own number for it.
    pub code: u32,
}

/// Allocation and copies.
pub trait Memory {
    /// Zero-filled memory of at least one byte.
    ///
    /// # Errors
    /// Out of memory.
    fn allocate(&self, bytes: usize) -> Result<Buffer>;

    /// Copies a host view, of any strides, into dense device memory. The host view may be reused when this returns.
    ///
    /// # Errors
    /// A buffer that is too small; a failure of the device.
    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()>;

    /// Waits for the work that writes the buffer, then copies dense device memory to the host.
    ///
    /// # Errors
    /// A buffer that is too small; a failure of the device.
    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()>;

    /// Makes of a resident input whatever form a kernel reads fastest, such as packed panels; `None` if the dense form
    /// is best. A session calls this once for each upload.
    ///
    /// # Errors
    /// Out of memory.
    fn prepare(
        &self,
        kernel: &KernelEntry,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        index: usize,
    ) -> Result<Option<Buffer>> {
        let _ = (kernel, attrs, inputs, index);
        Ok(None)
    }

    /// Bytes that are allocated now.
    fn bytes_in_use(&self) -> u64;
}

/// Launches.
pub trait Compute {
    /// Starts a kernel. On an asynchronous backend it runs after everything launched before.
    ///
    /// # Errors
    /// A failure of the device. Operands are already checked against the op's rule.
    fn launch(&self, kernel: &KernelEntry, attrs: &Attrs, args: Args<'_>) -> Result<()>;
}

/// Waiting.
pub trait Synchronize {
    /// Returns when everything launched so far is done.
    ///
    /// # Errors
    /// A failure of the device, which may be that of an earlier launch.
    fn synchronize(&self) -> Result<()>;
}

/// Device-side times.
pub trait Profile {
    /// Nanoseconds that the launches since the last call took on the device, oldest first; empty where the device
    /// keeps none.
    fn take_durations(&self) -> Vec<u64> {
        Vec::new()
    }
}

/// A device. Its four surfaces may be one type.
pub trait Backend: Send + Sync {
    /// What it is.
    fn descriptor(&self) -> &BackendDescriptor;
    /// Allocation and copies.
    fn memory(&self) -> &dyn Memory;
    /// Launches.
    fn compute(&self) -> &dyn Compute;
    /// Waiting.
    fn sync(&self) -> &dyn Synchronize;
    /// Device-side times.
    fn profile(&self) -> &dyn Profile;
    /// Whether it is gone for good: a runtime that can opens it again.
    fn lost(&self) -> bool {
        false
    }
    /// What to do to use it under fallback "deny", if it is a software stand-in for the device that its kind names and
    /// nobody asked for it by its own name; `None` for the real thing.
    fn stand_in(&self) -> Option<&'static str> {
        None
    }
    /// What times of its kernels depend on beside the adapter: the driver's version, or the processor's model and the
    /// number of threads. Part of the key of everything that is measured.
    fn driver(&self) -> String {
        String::new()
    }
    /// Its kernels, best first among those of one op, the most portable last, whatever place those have that are unproven.
    /// The table lives as long as the process, so that a plan can hold on to an entry.
    fn kernels(&self) -> &'static [KernelEntry];
}

/// Copies a host view of any strides into a dense run of bytes.
///
/// # Errors
/// When `target` is shorter than the view.
pub fn gather(source: &TensorRef<'_>, target: &mut [u8]) -> Result<()> {
    let bytes = source.spec().bytes();
    if target.len() < bytes {
        let got = format!("{} bytes", target.len());
        return Err(Error::new(ErrorKind::InvalidValue, "upload").expected(format!("{bytes} bytes")).got(got));
    }
    if source.is_contiguous() {
        // SAFETY: the view can be read, and a fresh `&mut` cannot overlap it.
        unsafe { std::ptr::copy_nonoverlapping(source.ptr(), target.as_mut_ptr(), bytes) };
        return Ok(());
    }
    let size = source.dtype().size();
    let mut at = target.as_mut_ptr();
    crate::tensor::walk(source.shape(), source.strides(), |offset| {
        // SAFETY: the offset is an element of the view; `at` advances by one element for each of `numel`, which fit.
        unsafe {
            std::ptr::copy_nonoverlapping(source.ptr().wrapping_offset(offset * size as isize), at, size);
            at = at.add(size);
        }
    });
    Ok(())
}
