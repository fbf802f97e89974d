//! Private operands: a call's tensors in memory of the device, so that measuring touches nothing of the caller's.

use crate::attrs::Attrs;
use crate::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry, Memory};
use crate::dtype::{DType, Element};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::{InputSpecs, MAX_INPUTS, MAX_OUTPUTS, OutputSpecs, RefTensor};
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use std::time::Instant;

/// Operands larger than this together are not copied to be measured.
const MAX_BYTES: usize = 1 << 30;
/// Values before they repeat. A prime, so that rows of usual lengths differ.
const PERIOD: usize = 65_521;

/// Inputs and results of one call.
pub(super) struct Operands<'a> {
    backend: &'a dyn Backend,
    inputs: Vec<Option<(TensorSpec, Buffer)>>,
    outputs: Vec<(TensorSpec, Buffer)>,
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

fn on_device((spec, buffer): &(TensorSpec, Buffer)) -> DeviceTensor<'_> {
    DeviceTensor { buffer, offset: 0, spec: *spec, strides: spec.shape.contiguous_strides() }
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
    pub(super) fn new(backend: &'a dyn Backend, inputs: InputSpecs, outputs: &OutputSpecs) -> Result<Operands<'a>> {
        let bytes = inputs.iter().flatten().chain(outputs.iter()).map(TensorSpec::bytes);
        let total = bytes.fold(0usize, usize::saturating_add);
        if total > MAX_BYTES {
            return Err(Error::unsupported("tune", "at most 1 GiB of operands", format!("{total} bytes")));
        }
        let memory = backend.memory();
        let filled = |(i, spec): (usize, &Option<TensorSpec>)| {
            spec.map(|spec| {
                let buffer = memory.allocate(spec.bytes())?;
                upload(backend, &spec, &values(spec.shape.numel(), i), &buffer)?;
                Ok((spec, buffer))
            })
            .transpose()
        };
        let inputs = inputs.iter().enumerate().map(filled).collect::<Result<_>>()?;
        let outputs = outputs.iter().map(|spec| Ok((*spec, memory.allocate(spec.bytes())?))).collect::<Result<_>>()?;
        Ok(Operands { backend, inputs, outputs })
    }

    /// Fills the results with NaN, so that a kernel that writes nothing is not taken for the one before it.
    pub(super) fn poison(&self) -> Result<()> {
        self.outputs.iter().try_for_each(|(spec, buffer)| upload(self.backend, spec, &[f64::NAN], buffer))
    }

    /// Launches a kernel.
    pub(super) fn launch(&self, kernel: &KernelEntry, attrs: &Attrs) -> Result<()> {
        if !self.backend.descriptor().host_memory {
            let inputs: Vec<_> = self.inputs.iter().map(|input| input.as_ref().map(on_device)).collect();
            let outputs: Vec<_> = self.outputs.iter().map(on_device).collect();
            return self.backend.compute().launch(kernel, attrs, Args::Device { inputs: &inputs, outputs: &outputs });
        }
        let host = |buffer: &Buffer| {
            buffer.host().ok_or_else(|| Error::new(ErrorKind::Unknown, "tune").got("host memory without an address"))
        };
        let mut inputs = [None; MAX_INPUTS];
        for (view, input) in inputs.iter_mut().zip(&self.inputs) {
            if let Some((spec, buffer)) = input {
                // SAFETY: the buffer holds a dense tensor of this spec and outlives the launch, which only reads it.
                *view = Some(unsafe {
                    TensorRef::from_raw(host(buffer)?.cast_const(), *spec, spec.shape.contiguous_strides())
                });
            }
        }
        let mut outputs = Vec::with_capacity(MAX_OUTPUTS);
        for (spec, buffer) in &self.outputs {
            // SAFETY: as above; nothing else reads or writes the buffer meanwhile.
            outputs.push(unsafe { TensorMut::from_raw(host(buffer)?, *spec) });
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
        let read = |(spec, buffer): &(TensorSpec, Buffer)| match spec.dtype {
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
