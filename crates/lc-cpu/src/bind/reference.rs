//! Runs an op by its float64 reference: slow, and right. An op without a kernel of its own runs this way.

use super::{Binding, Call};
use lc_core::registry::OpDef;
use lc_core::{DType, Error, ErrorKind, RefTensor, Result};

/// A binding for an op that has no kernel.
pub fn binding(op: &'static OpDef) -> Binding {
    Binding { op, names: ["cpu.reference"; 4], run: |_| Err(unbound()), run_op: Some(run), prepare: None }
}

fn unbound() -> Error {
    Error::new(ErrorKind::Unknown, "cpu").expected("a kernel").got("none")
}

fn run(op: &'static OpDef, call: &Call<'_>) -> Result<()> {
    let mut inputs = Vec::with_capacity(call.inputs.len());
    for input in call.inputs {
        inputs.push(input.as_ref().map(|tensor| {
            let mut data = Vec::with_capacity(tensor.shape().numel());
            tensor.for_each(|x| data.push(x));
            RefTensor { shape: *tensor.shape(), data }
        }));
    }
    for (result, out) in (op.reference)(call.attrs, &inputs).iter().zip(call.outputs) {
        for (i, x) in result.data.iter().enumerate().take(out.spec().shape.numel()) {
            // SAFETY: `i` is below the number of elements of the result, which is dense.
            unsafe {
                match out.spec().dtype {
                    DType::F32 => out.ptr().cast::<f32>().add(i).write(*x as f32),
                    DType::F64 => out.ptr().cast::<f64>().add(i).write(*x),
                    DType::F16 => out.ptr().cast::<half::f16>().add(i).write(half::f16::from_f64(*x)),
                }
            }
        }
    }
    Ok(())
}
