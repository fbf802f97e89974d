//! The ops that the device runs, one file each.

mod activation;
mod dense;
mod elementwise;
mod ffn;
mod layer_norm;
mod layer_norm_projection;
mod linear;
mod matmul;
mod norm;
mod pack;
mod product;
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
    &matmul::MATMUL,
    &matmul::VARIANTS[0],
    &matmul::VARIANTS[1],
    &matmul::VARIANTS[2],
    &matmul::VARIANTS[3],
    &linear::LINEAR,
    &ffn::FFN,
    &layer_norm_projection::LAYER_NORM_PROJECTION,
    &pack::PACK,
];

/// Sets of constants that a shader is used with.
pub type Variants = &'static [&'static [(&'static str, f64)]];

/// Every shader with the sets of constants that it is used with: what tests translate to MSL and compare with what was
/// reviewed.
pub static SHADERS: &[(&Shader, Variants)] = &[
    (&elementwise::SHADER, elementwise::VARIANTS),
    (&elementwise::DENSE, elementwise::VARIANTS),
    (&dense::COPY, dense::COPY_VARIANTS),
    (&activation::SHADER, activation::VARIANTS),
    (&softmax::ROWS_1, softmax::ROWS_VARIANTS),
    (&softmax::ROWS_4, softmax::ROWS_VARIANTS),
    (&softmax::LANES, softmax::LANES_VARIANTS),
    (&norm::NORM_1, norm::VARIANTS),
    (&norm::NORM_4, norm::VARIANTS),
    product::SHADERS[0],
    product::SHADERS[1],
    product::SHADERS[2],
    product::SHADERS[3],
    product::SHADERS[4],
    (&layer_norm_projection::SHADER, &[&[]]),
    (&pack::SHADER, &[&[]]),
];
