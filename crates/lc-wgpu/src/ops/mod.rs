//! The ops that the device runs, one file each.

mod activation;
mod dense;
mod elementwise;
mod layer_norm;
mod norm;
mod rms_norm;
mod softmax;

use crate::launch::Kernel;
use crate::shader::Shader;

/// Every kernel, best first among those of one op.
pub static ALL: &[&Kernel] = &[
    &elementwise::ADD,
    &elementwise::SUB,
    &elementwise::MUL,
    &elementwise::DIV,
    &activation::ACTIVATION,
    &softmax::SOFTMAX,
    &layer_norm::LAYER_NORM,
    &rms_norm::RMS_NORM,
];

/// A shader, and the sets of constants that it is used with.
pub type Variants = (&'static Shader, &'static [&'static [(&'static str, f64)]]);

/// Every shader with the sets of constants that it is used with: what tests translate to MSL and compare with what was
/// reviewed.
pub static SHADERS: &[Variants] = &[
    (&elementwise::SHADER, elementwise::VARIANTS),
    (&elementwise::DENSE, elementwise::VARIANTS),
    (&dense::COPY, dense::COPY_VARIANTS),
    (&activation::SHADER, activation::VARIANTS),
    (&softmax::ROWS_1, softmax::ROWS_VARIANTS),
    (&softmax::ROWS_4, softmax::ROWS_VARIANTS),
    (&softmax::LANES, softmax::LANES_VARIANTS),
    (&norm::NORM_1, norm::VARIANTS),
    (&norm::NORM_4, norm::VARIANTS),
];
