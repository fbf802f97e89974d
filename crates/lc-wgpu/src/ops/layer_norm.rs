//! Layer normalisation over the last dimension.

use super::dense::{optional, required};
use super::norm::{How, normalise};
use crate::launch::{Inputs, Kernel, Launch, Outputs};
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::LayerNormAttrs;
use wgpu::Features;

/// `(x − mean) / sqrt(var + eps) · weight + bias`.
pub static LAYER_NORM: Kernel = Kernel {
    op: &lc_ops::LAYER_NORM,
    name: "layer_norm",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let x = required(inputs, 0)?;
    let eps = LayerNormAttrs::from_attrs(attrs).eps;
    let how = How { centred: true, eps, weight: optional(inputs, 1), bias: optional(inputs, 2) };
    normalise(launch, &how, x, outputs)
}
