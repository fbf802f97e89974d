//! `act(A·B + bias + residual)`, batched.

use crate::launch::{Inputs, Kernel, Launch, Outputs};
use crate::ops::product::{Batch, Matrix, Product, Variant, encode, optional, required};
use lc_core::backend::DeviceTensor;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::MatmulAttrs;
use wgpu::Features;

const fn kernel(
    name: &'static str,
    launch: fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>,
) -> Kernel {
    Kernel {
        op: &lc_ops::MATMUL,
        name,
        dtypes: &[DType::F32],
        math: Math::IeeeF32,
        needs: Features::empty(),
        accepts: |_, _| true,
        launch,
    }
}

/// The product with the kernels that suit its extents.
pub static MATMUL: Kernel = kernel("matmul", |l, a, i, o| launch(l, a, i, o, None));
/// The same product with one kernel each: candidates for tuning.
pub static VARIANTS: [Kernel; 4] = [
    kernel("gemm.128", |l, a, i, o| launch(l, a, i, o, Some(Variant::Wide128))),
    kernel("gemm.64", |l, a, i, o| launch(l, a, i, o, Some(Variant::Wide64))),
    kernel("gemm.64.narrow", |l, a, i, o| launch(l, a, i, o, Some(Variant::Narrow64))),
    kernel("gemm.32", |l, a, i, o| launch(l, a, i, o, Some(Variant::Narrow32))),
];

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    variant: Option<Variant>,
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
    };
    encode(launch, product, variant)
}

/// The stride of the batch dimension that many places before the matrix; 0 where the tensor repeats itself along it.
fn batch_stride(tensor: &DeviceTensor<'_>, before: usize) -> usize {
    let at = tensor.spec.shape.rank().checked_sub(2 + before);
    at.filter(|d| tensor.spec.shape[*d] != 1).map_or(0, |d| tensor.strides[d].unsigned_abs())
}
