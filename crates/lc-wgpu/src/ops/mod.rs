//! The ops that the device runs, one file each.

mod activation;
mod attention;
mod attention_train;
mod conv2d;
mod conv_attention;
pub(crate) mod dense;
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
mod rows;
mod softmax;

pub(crate) use product::Proofs;

use crate::launch::Kernel;
use crate::shader::Shader;

/// The kernels that calls take by default, best first among those of one op.
static DEFAULTS: &[&Kernel] = &[
    &elementwise::ADD,
    &elementwise::SUB,
    &elementwise::MUL,
    &elementwise::DIV,
    &activation::ACTIVATION,
    &elementwise::ADD_F16,
    &elementwise::SUB_F16,
    &elementwise::MUL_F16,
    &elementwise::DIV_F16,
    &activation::ACTIVATION_F16,
    &softmax::SOFTMAX_SUBGROUP,
    &softmax::SOFTMAX,
    &softmax::HALF_SUBGROUP,
    &softmax::HALF,
    &layer_norm::LAYER_NORM_SUBGROUP,
    &layer_norm::LAYER_NORM,
    &layer_norm::HALF_SUBGROUP,
    &layer_norm::HALF,
    &rms_norm::RMS_NORM_SUBGROUP,
    &rms_norm::RMS_NORM,
    &rms_norm::HALF_SUBGROUP,
    &rms_norm::HALF,
    &matmul::ROUNDED,
    &attention::ATTENTION,
    &attention_train::ATTENTION_TRAIN,
    &attention::ATTENTION_F16,
    &conv2d::CONV2D,
    &conv2d::CONV2D_F16,
    &conv_attention::CONV_ATTENTION,
    &matmul::MATMUL,
    &matmul::HALF,
    &linear::ROUNDED,
    &linear::LINEAR,
    &linear::HALF,
    &ffn::ROUNDED,
    &ffn::FFN,
    &ffn::HALF,
    &layer_norm_projection::ROUNDED,
    &layer_norm_projection::LAYER_NORM_PROJECTION,
    &layer_norm_projection::HALF,
    &pack::PACK,
    &pack::HALF,
];

/// Sets of constants that a shader is used with.
pub type Variants = &'static [&'static [(&'static str, f64)]];

/// The shaders of every op but products, with the constants that they are used with.
static OTHER_SHADERS: &[(&Shader, Variants)] = &[
    (&elementwise::SHADER, elementwise::VARIANTS),
    (&elementwise::DENSE, elementwise::VARIANTS),
    (&elementwise::SHADER_F16, elementwise::VARIANTS),
    (&elementwise::DENSE_F16, elementwise::VARIANTS),
    (&dense::COPY_F16, dense::COPY_VARIANTS),
    (&activation::SHADER_F16, activation::VARIANTS),
    (&dense::COPY, dense::COPY_VARIANTS),
    (&activation::SHADER, activation::VARIANTS),
    (&attention::TILES.any[0], attention::VARIANTS),
    (&attention::TILES.any[1], attention::VARIANTS),
    (&attention::TILES.by_4[0], attention::VARIANTS),
    (&attention::TILES.by_4[1], attention::VARIANTS),
    (&attention::WIDE.any[0], attention::WIDE_VARIANTS),
    (&attention::WIDE.any[1], attention::WIDE_VARIANTS),
    (&attention::WIDE.by_4[0], attention::WIDE_VARIANTS),
    (&attention::WIDE.by_4[1], attention::WIDE_VARIANTS),
    (&attention::FEW.any[0], attention::FEW_VARIANTS),
    (&attention::FEW.any[1], attention::FEW_VARIANTS),
    (&attention::FEW.by_4[0], attention::FEW_VARIANTS),
    (&attention::FEW.by_4[1], attention::FEW_VARIANTS),
    (&attention::MERGE[0], &[&[]]),
    (&attention::MERGE[1], &[&[]]),
    (&attention_train::RESIDUAL, &[&[]]),
    (&attention_train::SUM, &[&[]]),
    (&conv2d::TILES, conv2d::TILES_VARIANTS),
    (&conv2d::TILES_F16, conv2d::TILES_VARIANTS),
    (&conv2d::DIRECT_F16, conv2d::DIRECT_VARIANTS),
    (&conv2d::DIRECT, conv2d::DIRECT_VARIANTS),
    (&layer_norm_projection::SHADER, &[&[]]),
    (&layer_norm_projection::SHADER_F16, &[&[]]),
    (&pack::SHADER, &[&[]]),
    (&pack::SHADER_F16, &[&[]]),
];

/// Every kernel, best first among those of one op.
pub fn kernels() -> impl Iterator<Item = &'static Kernel> {
    DEFAULTS.iter().chain(&matmul::VARIANTS).copied()
}

/// Kernels of rows, with the constants that their shaders are used with.
static ROWS: &[(&rows::Family, &rows::Variants)] = &[
    (&softmax::PORTABLE, &softmax::VARIANTS),
    (&softmax::PORTABLE_F16, &softmax::VARIANTS),
    (&softmax::SUBGROUP, &softmax::VARIANTS),
    (&softmax::SUBGROUP_F16, &softmax::VARIANTS),
    (&norm::PORTABLE, &norm::VARIANTS),
    (&norm::PORTABLE_F16, &norm::VARIANTS),
    (&norm::SUBGROUP, &norm::VARIANTS),
    (&norm::SUBGROUP_F16, &norm::VARIANTS),
];

/// Kernels of other libraries, which only the machine they are for can prove.
pub fn libraries() -> &'static [&'static Kernel] {
    #[cfg(any(test, target_vendor = "apple"))]
    return crate::mps::KERNELS;
    #[cfg(not(any(test, target_vendor = "apple")))]
    &[]
}

/// Whether a kernel runs only where it won a measurement: see
/// [`KernelEntry::unproven`](lc_core::backend::KernelEntry::unproven). Kernels that force matrix units are such too, since
/// they leave out the proof that the default ones ask of them.
pub fn unproven(kernel: &'static Kernel) -> bool {
    let among = |list: &[&'static Kernel]| list.iter().any(|other| std::ptr::eq(*other, kernel));
    among(libraries()) || (among(&matmul::VARIANTS) && kernel.needs.contains(product::MATRIX))
}

/// Every shader with the sets of constants that it is used with: what tests translate to MSL and compare with what was
/// reviewed.
pub fn shaders() -> impl Iterator<Item = (&'static Shader, Variants)> {
    let rows = ROWS.iter().flat_map(|(family, variants)| family.shaders(variants));
    OTHER_SHADERS.iter().chain(product::SHADERS).copied().chain(rows)
}
