//! Private operands: a call's tensors in memory of the device, so that measuring touches nothing of the caller's.

use crate::attrs::Attrs;
use crate::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry, Memory};
use crate::dtype::{DType, Element};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::{InputSpecs, MAX_INPUTS, MAX_OUTPUTS, OutputSpecs, RefTensor};
use crate::shape::{Shape, Strides};
use crate::tensor::{TensorMut, TensorRef, TensorSpec, walk};
use std::time::Instant;

/// Operands larger than this together are not copied to be measured.
const MAX_BYTES: usize = 1 << 30;
/// Values before they repeat. A prime, so that rows of usual lengths differ.
const PERIOD: usize = 65_521;

/// How inputs lie in memory. Results are always dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One element behind the other.
    Dense,
    /// The last two dimensions swapped.
    Transposed,
    /// A gap before the first row and after each; between the elements of a vector too.
    Apart,
}

impl Layout {
    pub(super) const ALL: [Layout; 3] = [Layout::Dense, Layout::Transposed, Layout::Apart];

    /// What a comparison says that it was made on.
    pub(super) fn text(self) -> &'static str {
        match self {
            Layout::Dense => "",
            Layout::Transposed => " on transposed operands",
            Layout::Apart => " on operands with gaps",
        }
    }

    /// The first element's place, the strides, and how many elements the memory holds.
    fn of(self, shape: &Shape) -> Result<(usize, Strides, usize)> {
        // An odd number, so that no row begins at a multiple of a vector.
        const GAP: usize = 3;
        let dims = shape.dims();
        let (rows, cols) = match *dims {
            [.., rows, cols] => (rows, cols),
            [cols] if self == Layout::Apart => return Ok((GAP, Strides::new(&[2])?, GAP + 2 * cols)),
            _ => return Ok((0, shape.contiguous_strides(), shape.numel())),
        };
        let (first, down, across, matrix) = match self {
            Layout::Dense => return Ok((0, shape.contiguous_strides(), shape.numel())),
            Layout::Transposed => (0, 1, rows, rows * cols),
            Layout::Apart => (GAP, cols + GAP, 1, rows * (cols + GAP)),
        };
        let mut steps = vec![0; dims.len()];
        let mut step = matrix;
        for (axis, extent) in dims[..dims.len() - 2].iter().enumerate().rev() {
            steps[axis] = step as isize;
            step *= extent;
        }
        steps[dims.len() - 2] = down as isize;
        steps[dims.len() - 1] = across as isize;
        Ok((first, Strides::new(&steps)?, first + step))
    }
}

/// A tensor in memory of the device.
struct Placed {
    spec: TensorSpec,
    buffer: Buffer,
    first: usize,
    strides: Strides,
}

impl Placed {
    fn offset(&self) -> usize {
        self.first * self.spec.dtype.size()
    }

    fn on_device(&self) -> DeviceTensor<'_> {
        DeviceTensor { buffer: &self.buffer, offset: self.offset(), spec: self.spec, strides: self.strides }
    }
}

/// Inputs and results of one call.
pub(super) struct Operands<'a> {
    backend: &'a dyn Backend,
    inputs: Vec<Option<Placed>>,
    outputs: Vec<Placed>,
}

/// Values of both signs with magnitudes from 0.1 to 1: no quotient and no logarithm is an outlier. SplitMix64 (Steele,
/// Lea and Flood, 2014). All are exact in `f32`, so that a reference in `f64` sees what the kernels see.
fn values(count: usize, stream: usize) -> Vec<f64> {
    let mut state = (stream as u64 + 1).wrapping_mul(0xd134_2543_de82_ef95);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let value = |bits: u64| {
        let size = 0.1 + 0.9 * (bits >> 11) as f64 / (1u64 << 53) as f64;
        f64::from(if bits & 1 == 0 { size as f32 } else { -size as f32 })
    };
    (0..count.min(PERIOD)).map(|_| value(next())).collect()
}

/// The inputs of [`Operands`] with the same specs, for a reference.
pub(super) fn reference_inputs(inputs: InputSpecs) -> Vec<Option<RefTensor>> {
    let wide = |(i, spec): (usize, &Option<TensorSpec>)| {
        spec.map(|spec| {
            let count = spec.shape.numel();
            let data = values(count, i).into_iter().cycle().take(count).collect();
            RefTensor { shape: spec.shape, data }
        })
    };
    inputs.iter().enumerate().map(wide).collect()
}

/// Calls `f` with the dense elements of a tensor that repeats `block`.
fn with_elements<R>(spec: &TensorSpec, block: &[f64], f: impl FnOnce(*const u8) -> R) -> Result<R> {
    fn fill<T: Element>(count: usize, block: &[f64]) -> Result<Vec<T>> {
        let mut data = Vec::new();
        let failed = |_| Error::new(ErrorKind::OutOfMemory, "tune").got(format!("{count} elements"));
        data.try_reserve_exact(count).map_err(failed)?;
        data.extend(block.iter().take(count).map(|x| T::from_f64(*x)));
        while data.len() < count {
            let more = block.len().min(count - data.len());
            data.extend_from_within(..more);
        }
        Ok(data)
    }
    let count = spec.shape.numel();
    Ok(match spec.dtype {
        DType::F32 => f(fill::<f32>(count, block)?.as_ptr().cast()),
        DType::F64 => f(fill::<f64>(count, block)?.as_ptr().cast()),
        DType::F16 => f(fill::<half::f16>(count, block)?.as_ptr().cast()),
    })
}

impl<'a> Operands<'a> {
    /// Operands of these specs, inputs filled.
    pub(super) fn new(
        backend: &'a dyn Backend,
        inputs: InputSpecs,
        outputs: &OutputSpecs,
        layout: Layout,
    ) -> Result<Operands<'a>> {
        let bytes = inputs.iter().flatten().chain(outputs.iter()).map(TensorSpec::bytes);
        let total = bytes.fold(0usize, usize::saturating_add);
        if total > MAX_BYTES {
            return Err(Error::unsupported("tune", "at most 1 GiB of operands", format!("{total} bytes")));
        }
        let memory = backend.memory();
        let filled = |(i, spec): (usize, &Option<TensorSpec>)| {
            spec.map(|spec| {
                let (first, strides, count) = layout.of(&spec.shape)?;
                let block = values(spec.shape.numel(), i);
                let buffer = memory.allocate(count * spec.dtype.size())?;
                if layout == Layout::Dense {
                    upload(backend, &spec, &block, &buffer)?;
                } else {
                    // Whoever reads what lies between spoils the result.
                    let mut spread = vec![f64::NAN; count];
                    let mut next = block.iter().cycle();
                    walk(&spec.shape, &strides, |at| {
                        spread[first + at.unsigned_abs()] = next.next().copied().unwrap_or(f64::NAN);
                    });
                    upload(backend, &TensorSpec::new(spec.dtype, Shape::new(&[count])?), &spread, &buffer)?;
                }
                Ok(Placed { spec, buffer, first, strides })
            })
            .transpose()
        };
        let dense = |spec: &TensorSpec| {
            let buffer = memory.allocate(spec.bytes())?;
            Ok(Placed { spec: *spec, buffer, first: 0, strides: spec.shape.contiguous_strides() })
        };
        let inputs = inputs.iter().enumerate().map(filled).collect::<Result<_>>()?;
        let outputs = outputs.iter().map(dense).collect::<Result<_>>()?;
        Ok(Operands { backend, inputs, outputs })
    }

    /// Fills the results with NaN, so that a kernel that writes nothing is not taken for the one before it.
    pub(super) fn poison(&self) -> Result<()> {
        self.outputs.iter().try_for_each(|out| upload(self.backend, &out.spec, &[f64::NAN], &out.buffer))
    }

    /// Launches a kernel.
    pub(super) fn launch(&self, kernel: &KernelEntry, attrs: &Attrs) -> Result<()> {
        if !self.backend.descriptor().host_memory {
            let inputs: Vec<_> = self.inputs.iter().map(|input| input.as_ref().map(Placed::on_device)).collect();
            let outputs: Vec<_> = self.outputs.iter().map(Placed::on_device).collect();
            return self.backend.compute().launch(kernel, attrs, Args::Device { inputs: &inputs, outputs: &outputs });
        }
        let host = |buffer: &Buffer| {
            buffer.host().ok_or_else(|| Error::new(ErrorKind::Unknown, "tune").got("host memory without an address"))
        };
        let mut inputs = [None; MAX_INPUTS];
        for (view, input) in inputs.iter_mut().zip(&self.inputs) {
            if let Some(input) = input {
                let start = host(&input.buffer)?.cast_const().wrapping_add(input.offset());
                // SAFETY: the buffer holds a tensor of this spec with these strides and outlives the launch, which only
                // reads it.
                *view = Some(unsafe { TensorRef::from_raw(start, input.spec, input.strides) });
            }
        }
        let mut outputs = Vec::with_capacity(MAX_OUTPUTS);
        for out in &self.outputs {
            // SAFETY: as above, and dense; nothing else reads or writes the buffer meanwhile.
            outputs.push(unsafe { TensorMut::from_raw(host(&out.buffer)?, out.spec) });
        }
        let inputs = &inputs[..self.inputs.len()];
        self.backend.compute().launch(kernel, attrs, Args::Host { inputs, prepared: &[], outputs: &outputs })
    }

    /// Launches `times` times, waits, and gives the nanoseconds of one launch.
    pub(super) fn time(&self, kernel: &KernelEntry, attrs: &Attrs, times: u32) -> Result<u64> {
        let start = Instant::now();
        for _ in 0..times {
            self.launch(kernel, attrs)?;
        }
        self.backend.sync().synchronize()?;
        Ok((start.elapsed().as_nanos() as u64 / u64::from(times.max(1))).max(1))
    }

    /// The results, widened.
    pub(super) fn results(&self) -> Result<Vec<Vec<f64>>> {
        fn get<T: Element>(memory: &dyn Memory, spec: &TensorSpec, buffer: &Buffer) -> Result<Vec<f64>> {
            let mut data = vec![T::default(); spec.shape.numel()];
            memory.download(buffer, 0, &mut TensorMut::new(&mut data, spec.shape.dims())?)?;
            Ok(data.into_iter().map(Element::to_f64).collect())
        }
        let memory = self.backend.memory();
        let read = |Placed { spec, buffer, .. }: &Placed| match spec.dtype {
            DType::F32 => get::<f32>(memory, spec, buffer),
            DType::F64 => get::<f64>(memory, spec, buffer),
            DType::F16 => get::<half::f16>(memory, spec, buffer),
        };
        self.outputs.iter().map(read).collect()
    }
}

fn upload(backend: &dyn Backend, spec: &TensorSpec, block: &[f64], buffer: &Buffer) -> Result<()> {
    with_elements(spec, block, |elements| {
        // SAFETY: these are the dense elements of a tensor of this spec, and they live until the upload returns.
        let view = unsafe { TensorRef::from_raw(elements, *spec, spec.shape.contiguous_strides()) };
        backend.memory().upload(&view, buffer, 0)
    })?
}
