//! Two linear layers with an activation between them: a product each, the hidden rows in scratch memory.

use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, whole};
use crate::ops::dense::{optional, required};
use crate::ops::linear::Rows;
use crate::ops::product::{Kernels, MATRIX, encode};
use lc_core::{Activation, Attrs, DType, Math, Result};
use lc_ops::FfnAttrs;
use wgpu::Features;

const fn kernel(
    name: &'static str,
    dtypes: &'static [DType],
    math: Math,
    needs: Features,
    launch: fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>,
) -> Kernel {
    Kernel { op: &lc_ops::FFN, name, dtypes, math, needs, accepts: |_, _| true, launch }
}

/// The block.
pub static FFN: Kernel =
    kernel("ffn", &[DType::F32], Math::IeeeF32, Features::empty(), |l, a, i, o| launch(l, a, i, o, Kernels::Portable));
/// The same of float16 tensors, on matrix units where they have proven themselves.
pub static HALF: Kernel = kernel("ffn.half", &[DType::F16], Math::IeeeF32, Features::SHADER_F16, |l, a, i, o| {
    launch(l, a, i, o, Kernels::MatrixUnits)
});
/// The same with operands rounded to float16, on matrix units where they have proven themselves.
pub static ROUNDED: Kernel =
    kernel("ffn.f16", &[DType::F32], Math::F16, MATRIX, |l, a, i, o| launch(l, a, i, o, Kernels::MatrixUnits));

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    kernels: Kernels,
) -> Result<()> {
    let (x, w1, w2) = (required(inputs, 0)?, required(inputs, 1)?, required(inputs, 2)?);
    let (b1, b2) = (optional(inputs, 3), optional(inputs, 4));
    let (dtype, width) = (x.spec.dtype, w1.spec.shape[0]);
    let rows: usize = x.spec.shape.dims().split_last().map_or(1, |(_, outer)| outer.iter().product());
    let scratch = launch.scratch(rows * width * dtype.size())?;
    let hidden = Bound { binding: whole(&scratch), first: 0 };
    let activation = FfnAttrs::from_attrs(attrs).activation;
    let first = Rows::of(launch, x)?.project(launch, w1, b1, hidden, activation)?;
    encode(launch, first, kernels)?;
    let out = launch.bind(&outputs[0])?;
    let second = Rows::dense(dtype, hidden, rows, width).project(launch, w2, b2, out, Activation::Identity)?;
    encode(launch, second, kernels)
}
