//! What the code of an op says to the device.
//!
//! An op's file in `ops/` lists its [`Kernel`]s, best first. Each has a function that turns a call into dispatches: it
//! binds the operands, works out parameters and grid, takes scratch memory if it needs any, and dispatches.

use crate::backend::WgpuBackend;
use crate::memory::gpu;
use crate::pipeline::Constants;
use crate::pool::Pooled;
use crate::shader::Shader;
use crate::stream::{Binding, Stream};
use lc_core::backend::{DeviceTensor, KernelEntry};
use lc_core::registry::InputSpecs;
use lc_core::{Attrs, DType, Error, ErrorKind, Math, OpDef, Result};
use std::sync::MutexGuard;
use wgpu::Features;

/// One way to compute an op.
#[derive(Debug)]
pub struct Kernel {
    /// The op.
    pub op: &'static OpDef,
    /// Name without the device: the receipt of `gemm.tiled` says `vulkan.gemm.tiled`.
    pub name: &'static str,
    /// Element types.
    pub dtypes: &'static [DType],
    /// Its arithmetic.
    pub math: Math,
    /// Features without which an adapter does not get it.
    pub needs: Features,
    /// Whether it takes this call; dtype and op are already right.
    pub accepts: fn(&Attrs, InputSpecs) -> bool,
    /// Encodes a call.
    pub launch: fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>,
}

/// Operands; `None` where an optional one is absent.
pub type Inputs<'a> = &'a [Option<DeviceTensor<'a>>];
/// Results.
pub type Outputs<'a> = &'a [DeviceTensor<'a>];

/// A tensor as a kernel reads it: bound from an aligned byte on, with the elements that are left to skip.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The range.
    pub binding: Binding<'a>,
    /// Elements from the start of the range to element `[0, 0, …]`.
    pub first: u32,
}

/// One call on its way to the device.
pub struct Launch<'a> {
    backend: &'a WgpuBackend,
    stream: MutexGuard<'a, Stream>,
    work: u64,
}

impl<'a> Launch<'a> {
    pub(crate) fn new(backend: &'a WgpuBackend, stream: MutexGuard<'a, Stream>, work: u64) -> Launch<'a> {
        Launch { backend, stream, work }
    }

    /// The device.
    pub fn backend(&self) -> &'a WgpuBackend {
        self.backend
    }

    /// What is encoded and submitted.
    pub(crate) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Binds a tensor. Every element that its extents and strides reach is inside the range.
    ///
    /// # Errors
    /// A buffer of another backend; negative strides, which plans make dense first; more elements than 32 bits count.
    pub fn bind<'t>(&self, tensor: &DeviceTensor<'t>) -> Result<Bound<'t>> {
        let buffer = gpu(tensor.buffer)?;
        let size = tensor.spec.dtype.size();
        let dims = tensor.spec.shape.dims();
        let strides = tensor.strides.steps();
        let mut last = 0usize;
        for (extent, stride) in dims.iter().zip(strides) {
            if *stride < 0 {
                return Err(Error::unsupported("gpu", "strides of at least 0", format!("{stride}")));
            }
            last += (extent - 1) * stride.unsigned_abs();
        }
        let align = u64::from(self.backend.adapter().limits.min_storage_buffer_offset_alignment).max(256);
        let offset = tensor.offset as u64 / align * align;
        let end = (tensor.offset + (last + 1) * size) as u64;
        // Whole vectors of four: buffers are multiples of 256 bytes long.
        let bytes = (end - offset).next_multiple_of(16).min(buffer.size - offset);
        let first = (tensor.offset as u64 - offset) / size as u64;
        let limit = self.backend.adapter().limits.max_storage_buffer_binding_size;
        if bytes > limit {
            return Err(Error::unsupported("gpu", format!("at most {limit} bytes of a tensor"), bytes.to_string())
                .hint("use device \"cpu\", or smaller tensors"));
        }
        if end > buffer.size || bytes / size as u64 > u64::from(u32::MAX) {
            let got = format!("bytes {offset} to {end} of {}", buffer.size);
            return Err(Error::new(ErrorKind::Unknown, "gpu").expected("a tensor inside its buffer").got(got));
        }
        Ok(Bound { binding: Binding { buffer, offset, size: bytes }, first: first as u32 })
    }

    /// What a kernel binds in place of an absent operand. It must not read it.
    pub fn absent(&self) -> Bound<'a> {
        let buffer = self.backend.nothing();
        Bound { binding: Binding { buffer, offset: 0, size: buffer.size }, first: 0 }
    }

    /// [`Launch::bind`] of an operand that may be absent.
    ///
    /// # Errors
    /// As [`Launch::bind`].
    pub fn bind_optional<'t>(&self, tensor: Option<&DeviceTensor<'t>>) -> Result<Bound<'t>>
    where
        'a: 't,
    {
        tensor.map_or_else(|| Ok(self.absent()), |tensor| self.bind(tensor))
    }

    /// Memory for this call alone. Bind it with [`whole`]. Dropping it is fine once the dispatches are encoded.
    ///
    /// # Errors
    /// Out of memory.
    pub fn scratch(&self, bytes: usize) -> Result<Pooled> {
        Pooled::take(self.backend.pool(), bytes as u64)
    }

    /// Encodes a dispatch of `groups` workgroups.
    ///
    /// # Errors
    /// As [`Stream::dispatch`].
    pub fn dispatch(
        &mut self,
        shader: &'static Shader,
        constants: Constants<'_>,
        bindings: &[Binding<'_>],
        params: &[u32],
        groups: [u32; 3],
    ) -> Result<()> {
        let work = std::mem::take(&mut self.work);
        self.stream.dispatch(shader, constants, bindings, params, groups, work)
    }
}

/// A scratch buffer as a whole.
pub fn whole(scratch: &Pooled) -> Binding<'_> {
    let buffer = scratch.get();
    Binding { buffer, offset: 0, size: buffer.size }
}

/// A grid of at least `groups` workgroups in two dimensions, for kernels that number them
/// `workgroup_id.y * num_workgroups.x + workgroup_id.x`: one dimension holds only 65535.
pub fn folded(groups: u64) -> [u32; 3] {
    const WIDE: u64 = 32_768;
    match groups {
        0..=65_535 => [groups.max(1) as u32, 1, 1],
        _ => [WIDE as u32, groups.div_ceil(WIDE).min(u64::from(u32::MAX)) as u32, 1],
    }
}

/// The table of the runtime for a list of kernels, with the device's name before each kernel's.
pub(crate) fn entries(
    kernels: &'static [&'static Kernel],
    device: &str,
    unproven: impl Fn(&'static Kernel) -> bool,
) -> &'static [KernelEntry] {
    let entry = |(code, kernel): (usize, &&'static Kernel)| KernelEntry {
        op: kernel.op,
        name: format!("{device}.{}", kernel.name).leak(),
        dtypes: kernel.dtypes,
        math: kernel.math,
        accepts: kernel.accepts,
        unproven: unproven(*kernel),
        code: code as u32,
    };
    // One table for each device that the process opens.
    kernels.iter().enumerate().map(entry).collect::<Vec<_>>().leak()
}
