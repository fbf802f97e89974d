//! `act(A·B + bias + residual)`, batched.

use crate::launch::{Inputs, Kernel, Launch, Outputs};
use crate::ops::dense::{optional, required};
use crate::ops::product::{Batch, Kernels, MATRIX, Matrix, Product, Variant, encode, reported};
use lc_core::backend::DeviceTensor;
use lc_core::{Attrs, DType, Error, Math, Result};
use lc_ops::MatmulAttrs;
use wgpu::Features;

type Encode = fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>;

const fn kernel(name: &'static str, dtypes: &'static [DType], math: Math, needs: Features, launch: Encode) -> Kernel {
    Kernel { op: &lc_ops::MATMUL, name, dtypes, math, needs, accepts: |_, _| true, launch }
}

const fn tiled(name: &'static str, launch: Encode) -> Kernel {
    kernel(name, &[DType::F32], Math::IeeeF32, Features::empty(), launch)
}

/// The product with the kernels that suit its extents.
pub static MATMUL: Kernel = tiled("matmul", |l, a, i, o| launch(l, a, i, o, Kernels::Portable));
/// The product of float16 tensors, on matrix units where they have proven themselves.
pub static HALF: Kernel = kernel("matmul.half", &[DType::F16], Math::IeeeF32, Features::SHADER_F16, on_matrix_units);
/// The product of operands rounded to float16, on matrix units where they have proven themselves.
pub static ROUNDED: Kernel = kernel("matmul.f16", &[DType::F32], Math::F16, MATRIX, on_matrix_units);

/// The same product with one kernel each: candidates for tuning, and rows of benchmarks.
pub static VARIANTS: [&Kernel; 14] = [
    &tiled("gemm.128", |l, a, i, o| launch(l, a, i, o, Kernels::Only(Variant::Wide128))),
    &tiled("gemm.64", |l, a, i, o| launch(l, a, i, o, Kernels::Only(Variant::Wide64))),
    &tiled("gemm.64.narrow", |l, a, i, o| launch(l, a, i, o, Kernels::Only(Variant::Narrow64))),
    &tiled("gemm.32", |l, a, i, o| launch(l, a, i, o, Kernels::Only(Variant::Narrow32))),
    &tiled("gemm.128.large", |l, a, i, o| launch(l, a, i, o, Kernels::Only(Variant::Large128))),
    &rounded("gemm.matrix16", |l, a, i, o| forced(l, a, i, o, Variant::Matrix16)),
    &rounded("gemm.matrix16.half", |l, a, i, o| forced(l, a, i, o, Variant::Matrix16Half)),
    &rounded("gemm.matrix16.whole", |l, a, i, o| forced(l, a, i, o, Variant::Matrix16Whole)),
    &rounded("gemm.matrix8", |l, a, i, o| forced(l, a, i, o, Variant::Matrix8)),
    &kernel("gemm.128", &[DType::F16], Math::IeeeF32, Features::SHADER_F16, |l, a, i, o| {
        launch(l, a, i, o, Kernels::Only(Variant::Wide128))
    }),
    &half("gemm.matrix16", |l, a, i, o| forced(l, a, i, o, Variant::Matrix16)),
    &half("gemm.matrix16.half", |l, a, i, o| forced(l, a, i, o, Variant::Matrix16Half)),
    &half("gemm.matrix16.whole", |l, a, i, o| forced(l, a, i, o, Variant::Matrix16Whole)),
    &half("gemm.matrix8", |l, a, i, o| forced(l, a, i, o, Variant::Matrix8)),
];

const fn rounded(name: &'static str, launch: Encode) -> Kernel {
    kernel(name, &[DType::F32], Math::F16, MATRIX, launch)
}

const fn half(name: &'static str, launch: Encode) -> Kernel {
    kernel(name, &[DType::F16], Math::IeeeF32, MATRIX, launch)
}

fn on_matrix_units(l: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    launch(l, attrs, inputs, outputs, Kernels::MatrixUnits)
}

/// One kernel on matrix units, proven or not: whoever forces it compares.
fn forced(l: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>, variant: Variant) -> Result<()> {
    match reported(l.backend().adapter()) {
        Some(own) if own.of_16() == variant.of_16() => launch(l, attrs, inputs, outputs, Kernels::Only(variant)),
        _ => {
            let size = if variant.of_16() { 16 } else { 8 };
            Err(Error::unsupported("gpu", format!("matrix units of {size}"), "other ones"))
        }
    }
}

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    kernels: Kernels,
) -> Result<()> {
    let (a, b) = (required(inputs, 0)?, required(inputs, 1)?);
    let (bias, residual) = (optional(inputs, 2), optional(inputs, 3));
    let out = &outputs[0];
    let dims = out.spec.shape.dims();
    let (batch, matrix) = dims.split_at(dims.len() - 2);
    let product = Product {
        dtype: out.spec.dtype,
        m: matrix[0],
        n: matrix[1],
        k: a.spec.shape[a.spec.shape.rank() - 1],
        a: Matrix::of(launch.bind(a)?, a),
        b: Matrix::of(launch.bind(b)?, b),
        out: launch.bind(out)?,
        bias: bias.map(|t| Ok((launch.bind(t)?, t.strides[0].unsigned_abs()))).transpose()?,
        residual: residual.map(|t| Ok(Matrix::of(launch.bind(t)?, t))).transpose()?,
        activation: MatmulAttrs::from_attrs(attrs).activation,
        batch: (0..batch.len())
            .map(|d| {
                let stride = |t: &DeviceTensor<'_>| batch_stride(t, batch.len() - d);
                let strides = [stride(a), stride(b), residual.map_or(0, stride)];
                Batch { extent: batch[d], strides }
            })
            .collect(),
        turned: false,
    };
    encode(launch, product, kernels)
}

/// The stride of the batch dimension that many places before the matrix; 0 where the tensor repeats itself along it.
fn batch_stride(tensor: &DeviceTensor<'_>, before: usize) -> usize {
    let at = tensor.spec.shape.rank().checked_sub(2 + before);
    at.filter(|d| tensor.spec.shape[*d] != 1).map_or(0, |d| tensor.strides[d].unsigned_abs())
}
