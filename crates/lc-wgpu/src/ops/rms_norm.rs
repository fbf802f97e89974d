//! Root-mean-square normalisation over the last dimension.

use super::dense::{optional, required};
use super::norm::{How, PORTABLE, PORTABLE_F16, SUBGROUP, SUBGROUP_F16, normalise};
use super::rows::{Family, needs};
use crate::launch::{Inputs, Kernel, Launch, Outputs};
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::RmsNormAttrs;

type Encode = fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>;

const fn kernel(name: &'static str, dtypes: &'static [DType], subgroups: bool, half: bool, launch: Encode) -> Kernel {
    let needs = needs(subgroups, half);
    Kernel { op: &lc_ops::RMS_NORM, name, dtypes, math: Math::IeeeF32, needs, accepts: |_, _| true, launch }
}

/// `x / sqrt(mean(x²) + eps) · weight`.
pub static RMS_NORM: Kernel =
    kernel("rms_norm", &[DType::F32], false, false, |l, a, i, o| launch(l, a, i, o, &PORTABLE));
/// The same of float16 tensors, in float32.
pub static HALF: Kernel =
    kernel("rms_norm.half", &[DType::F16], false, true, |l, a, i, o| launch(l, a, i, o, &PORTABLE_F16));
/// The same by subgroups.
pub static RMS_NORM_SUBGROUP: Kernel =
    kernel("rms_norm.subgroup", &[DType::F32], true, false, |l, a, i, o| launch(l, a, i, o, &SUBGROUP));
/// The same of float16 tensors by subgroups.
pub static HALF_SUBGROUP: Kernel =
    kernel("rms_norm.subgroup_half", &[DType::F16], true, true, |l, a, i, o| launch(l, a, i, o, &SUBGROUP_F16));

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    family: &Family,
) -> Result<()> {
    let x = required(inputs, 0)?;
    let eps = RmsNormAttrs::from_attrs(attrs).eps;
    let how = How { centred: false, eps, weight: optional(inputs, 1), bias: None };
    normalise(launch, family, &how, x, outputs)
}
