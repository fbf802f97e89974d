//! The ops that the device runs, one file each.

mod elementwise;
mod ffn;
mod layer_norm_projection;
mod linear;
mod matmul;
mod pack;
mod product;

use crate::launch::Kernel;
use crate::shader::Shader;

/// Every kernel, best first among those of one op.
pub static ALL: &[&Kernel] = &[
    &elementwise::ADD,
    &elementwise::SUB,
    &elementwise::MUL,
    &elementwise::DIV,
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
    product::SHADERS[0],
    product::SHADERS[1],
    product::SHADERS[2],
    product::SHADERS[3],
    product::SHADERS[4],
    (&layer_norm_projection::SHADER, &[&[]]),
    (&pack::SHADER, &[&[]]),
];
