//! Two linear layers with an activation between them: a product each, the hidden rows in scratch memory.

use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, whole};
use crate::ops::dense::{optional, required};
use crate::ops::linear::Rows;
use crate::ops::product::encode;
use lc_core::{Activation, Attrs, DType, Math, Result};
use lc_ops::FfnAttrs;
use wgpu::Features;

/// The block.
pub static FFN: Kernel = Kernel {
    op: &lc_ops::FFN,
    name: "ffn",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let (x, w1, w2) = (required(inputs, 0)?, required(inputs, 1)?, required(inputs, 2)?);
    let (b1, b2) = (optional(inputs, 3), optional(inputs, 4));
    let (dtype, width) = (x.spec.dtype, w1.spec.shape[0]);
    let rows: usize = x.spec.shape.dims().split_last().map_or(1, |(_, outer)| outer.iter().product());
    let scratch = launch.scratch(rows * width * dtype.size())?;
    let hidden = Bound { binding: whole(&scratch), first: 0 };
    let activation = FfnAttrs::from_attrs(attrs).activation;
    let first = Rows::of(launch, x)?.project(launch, w1, b1, hidden, activation)?;
    encode(launch, first, None)?;
    let out = launch.bind(&outputs[0])?;
    let second = Rows::dense(dtype, hidden, rows, width).project(launch, w2, b2, out, Activation::Identity)?;
    encode(launch, second, None)
}
