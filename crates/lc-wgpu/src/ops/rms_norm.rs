//! Root-mean-square normalisation over the last dimension.

use super::dense::{optional, required};
use super::norm::{How, normalise};
use crate::launch::{Inputs, Kernel, Launch, Outputs};
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::RmsNormAttrs;
use wgpu::Features;

/// `x / sqrt(mean(x²) + eps) · weight`.
pub static RMS_NORM: Kernel = Kernel {
    op: &lc_ops::RMS_NORM,
    name: "rms_norm",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let x = required(inputs, 0)?;
    let eps = RmsNormAttrs::from_attrs(attrs).eps;
    normalise(launch, &How { centred: false, eps, weight: optional(inputs, 1), bias: None }, x, outputs)
}
