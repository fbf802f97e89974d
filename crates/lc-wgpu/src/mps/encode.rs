//! The product itself, by `MPSMatrixMultiplication`, and memory that it and wgpu both have a name for.

use super::matmul::{Engine, Products, accepts, launch};
use crate::backend::WgpuBackend;
use crate::launch::{Inputs, Kernel, Launch, Outputs};
use crate::pool::GpuBuffer;
use lc_core::{Attrs, DType, Error, ErrorKind, Math, Result};
use objc2::rc::{Retained, autoreleasepool};
use objc2::runtime::ProtocolObject;
use objc2::{AnyThread, msg_send};
use objc2_metal::{MTLBuffer, MTLDevice, MTLResourceOptions};
use objc2_metal_performance_shaders::{
    MPSDataType, MPSMatrix, MPSMatrixDescriptor, MPSMatrixMultiplication, MPSSupportsMTLDevice,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use wgpu::hal::api::Metal;
use wgpu::{BufferUsages, Features};

const fn kernel(name: &'static str, dtypes: &'static [DType], math: Math, needs: Features) -> Kernel {
    let launch = |l: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>| {
        launch(&Mps, l, attrs, inputs, outputs)
    };
    Kernel { op: &lc_ops::MATMUL, name, dtypes, math, needs, accepts, launch }
}

/// The product of float32 matrices.
pub static MATMUL: Kernel = kernel("gemm.mps", &[DType::F32], Math::IeeeF32, Features::empty());
/// The product of float16 matrices. What its sums are rounded to is not documented, so it serves only who asked for
/// float16 arithmetic.
pub static MATMUL_F16: Kernel = kernel("gemm.mps.f16", &[DType::F16], Math::F16, Features::SHADER_F16);

/// Free memory that is kept: as much as a few products of usual sizes use.
const KEPT: u64 = 512 << 20;

/// Free scratch memory of a device.
#[derive(Debug, Default)]
pub struct Scratch(Mutex<Vec<Shared>>);

/// Memory under Metal's name and under wgpu's.
#[derive(Debug)]
pub struct Shared {
    raw: Retained<ProtocolObject<dyn MTLBuffer>>,
    buffer: GpuBuffer,
}

// SAFETY: Metal's buffers may be used from any thread.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

fn missing(what: &'static str) -> Error {
    Error::new(ErrorKind::DriverError, "mps").expected(what).got("nothing")
}

impl Scratch {
    /// The smallest free piece that is not much larger than needed.
    fn find(&self, bytes: u64) -> Option<Shared> {
        let mut free = self.0.lock().unwrap_or_else(|e| e.into_inner());
        let fits = |size: u64| size >= bytes && size / 2 <= bytes;
        let at = (0..free.len()).filter(|i| fits(free[*i].buffer.size)).min_by_key(|i| free[*i].buffer.size)?;
        Some(free.swap_remove(at))
    }

    fn keep(&self, memory: Shared) {
        let mut free = self.0.lock().unwrap_or_else(|e| e.into_inner());
        free.push(memory);
        while free.iter().map(|kept| kept.buffer.size).sum::<u64>() > KEPT {
            // The oldest. Command buffers that still use it hold on to it.
            free.remove(0);
        }
    }
}

fn make(backend: &WgpuBackend, bytes: u64) -> Result<Shared> {
    /// Apart from those of the pool, whose numbers begin at one.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 63);
    let adapter = backend.adapter();
    let size = bytes.next_multiple_of(256);
    let limit = adapter.limits.max_buffer_size.min(adapter.limits.max_storage_buffer_binding_size);
    let full = || {
        let got = format!("a device that takes {limit} in one buffer");
        Error::new(ErrorKind::OutOfMemory, "mps").expected(format!("{size} bytes of device memory")).got(got)
    };
    if size > limit {
        return Err(full());
    }
    autoreleasepool(|_| {
        // SAFETY: the device is not destroyed through this.
        let hal = unsafe { adapter.device.as_hal::<Metal>() }.ok_or_else(|| missing("a Metal device"))?;
        let options = MTLResourceOptions::StorageModePrivate;
        let raw = hal.raw_device().newBufferWithLength_options(size as usize, options).ok_or_else(full)?;
        drop(hal);
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        // SAFETY: the buffer has this size.
        let lent = unsafe { wgpu::hal::metal::Device::buffer_from_raw(raw.clone(), size) };
        // SAFETY: made by this device and as the descriptor says; not empty; whatever part of it is read was written
        // before, by a copy or by the product.
        let raw_buffer = unsafe { adapter.device.create_buffer_from_hal::<Metal>(lent, &descriptor) };
        let buffer = GpuBuffer { id: NEXT.fetch_add(1, Ordering::Relaxed), raw: raw_buffer, size };
        Ok(Shared { raw, buffer })
    })
}

/// Metal Performance Shaders.
struct Mps;

impl Engine for Mps {
    type Memory = Shared;

    fn take(&self, launch: &Launch<'_>, bytes: usize) -> Result<Shared> {
        let backend = launch.backend();
        backend.mps().find(bytes as u64).map_or_else(|| make(backend, bytes as u64), Ok)
    }

    fn buffer(memory: &Shared) -> &GpuBuffer {
        &memory.buffer
    }

    fn give(&self, launch: &Launch<'_>, memory: Shared) {
        launch.backend().mps().keep(memory);
    }

    fn multiply(&self, launch: &mut Launch<'_>, products: &Products, operands: [&Shared; 3]) -> Result<()> {
        let Products { batch, m, n, k, .. } = *products;
        let adapter = launch.backend().adapter();
        let work = (batch * m) as u64 * n as u64 * k as u64;
        launch.stream().apart(work, |encoder| {
            autoreleasepool(|_| {
                // SAFETY: the device is not destroyed through this.
                let hal = unsafe { adapter.device.as_hal::<Metal>() }.ok_or_else(|| missing("a Metal device"))?;
                let device = hal.raw_device().clone();
                drop(hal);
                // SAFETY: a live device.
                if !unsafe { MPSSupportsMTLDevice(Some(&device)) } {
                    let expected = "a device that Metal Performance Shaders support";
                    return Err(Error::unsupported("mps", expected, device.name().to_string()));
                }
                let [a, b, c] = operands;
                let a = matrices(a, products, m, k)?;
                let b = matrices(b, products, k, n)?;
                let c = matrices(c, products, m, n)?;
                // SAFETY: the initialiser's own types.
                let kernel: Option<Retained<MPSMatrixMultiplication>> = unsafe {
                    msg_send![
                        MPSMatrixMultiplication::alloc(),
                        initWithDevice: &*device,
                        transposeLeft: false,
                        transposeRight: false,
                        resultRows: m,
                        resultColumns: n,
                        interiorColumns: k,
                        alpha: 1.0f64,
                        beta: 0.0f64
                    ]
                };
                let kernel = kernel.ok_or_else(|| missing("a matrix multiplication"))?;
                let encode = |hal: Option<&mut wgpu::hal::metal::CommandEncoder>| {
                    let hal = hal.as_deref().and_then(|hal| hal.raw_command_buffer());
                    let commands = hal.ok_or_else(|| missing("a command buffer"))?;
                    // SAFETY: the matrices are as large as the kernel was told, of one type and of this device. The command
                    // buffer has no open encoder, as it was made for this, and keeps what it uses alive until it is done.
                    // Metal orders it by the use of these buffers: they are tracked, as buffers are unless asked otherwise.
                    unsafe {
                        kernel.encodeToCommandBuffer_leftMatrix_rightMatrix_resultMatrix(commands, &a, &b, &c);
                    }
                    Ok(())
                };
                // SAFETY: nothing else is encoded here, and the command buffer is not ended.
                unsafe { encoder.as_hal_mut::<Metal, _, _>(encode) }
            })
        })
    }
}

/// The memory as matrices of so many rows and columns.
fn matrices(memory: &Shared, products: &Products, rows: usize, columns: usize) -> Result<Retained<MPSMatrix>> {
    let data_type = match products.dtype {
        DType::F32 => MPSDataType::Float32,
        DType::F16 => MPSDataType::Float16,
        DType::F64 => return Err(Error::unsupported("mps", "float32 or float16", "float64")),
    };
    // Dense: a multiple of the element's size, which is what Metal asks for.
    let row_bytes = columns * products.dtype.size();
    let matrix_bytes = rows * row_bytes;
    if (products.batch * matrix_bytes) as u64 > memory.buffer.size {
        return Err(Error::new(ErrorKind::Unknown, "mps").expected("matrices inside their buffer").got("larger ones"));
    }
    // SAFETY: extents of at least one, and strides as Metal asks for.
    let descriptor = unsafe {
        MPSMatrixDescriptor::matrixDescriptorWithRows_columns_matrices_rowBytes_matrixBytes_dataType(
            rows,
            columns,
            products.batch,
            row_bytes,
            matrix_bytes,
            data_type,
        )
    };
    // SAFETY: the initialiser's own types; the buffer holds what the descriptor says.
    let matrix: Option<Retained<MPSMatrix>> =
        unsafe { msg_send![MPSMatrix::alloc(), initWithBuffer: &*memory.raw, descriptor: &*descriptor] };
    matrix.ok_or_else(|| missing("a matrix"))
}
