//! The kernels of matrix products, by element type.

use super::shader;
use crate::ops::Variants;
use crate::shader::Shader;
use lc_core::DType;
use wgpu::Features;

/// Whole files of `kernels/`, one after the other.
macro_rules! source {
    ($($file:literal),*) => { concat!($(include_str!(concat!("../../kernels/", $file, ".wgsl"))),*) };
}

macro_rules! family {
    ($name:ident, $element:literal, $suffix:literal, $needs:expr) => {
        /// The kernels for one type of elements.
        pub(super) static $name: Family = Family {
            vec8: &shader(
                concat!("gemm_8x8_vec4", $suffix),
                source!($element, "product", "activation", "load_vec4", "gemm_tile", "gemm_8x8"),
                6,
                $needs,
            ),
            scalar8: &shader(
                concat!("gemm_8x8_scalar", $suffix),
                source!($element, "product", "activation", "load_scalar", "gemm_tile", "gemm_8x8"),
                6,
                $needs,
            ),
            vec4: &shader(
                concat!("gemm_4x4_vec4", $suffix),
                source!($element, "product", "activation", "load_vec4", "gemm_tile", "gemm_4x4"),
                6,
                $needs,
            ),
            scalar4: &shader(
                concat!("gemm_4x4_scalar", $suffix),
                source!($element, "product", "activation", "load_scalar", "gemm_tile", "gemm_4x4"),
                6,
                $needs,
            ),
            reduce: &shader(
                concat!("gemm_reduce", $suffix),
                source!($element, "product", "activation", "gemm_reduce"),
                4,
                $needs,
            ),
        };
    };
}

/// The kernels for one type of elements.
#[derive(Debug)]
pub(super) struct Family {
    /// Eight by eight results a thread, operands in vectors.
    pub vec8: &'static Shader,
    /// Eight by eight results a thread, any strides.
    pub scalar8: &'static Shader,
    /// Four by four results a thread, operands in vectors.
    pub vec4: &'static Shader,
    /// Four by four results a thread, any strides.
    pub scalar4: &'static Shader,
    /// Partial sums to results.
    pub reduce: &'static Shader,
}

family!(F32, "element_f32", "", Features::empty());

impl Family {
    /// The kernels for a type of elements.
    pub fn of(_: DType) -> &'static Family {
        &F32
    }
}

// Each mode and each order of the operands once for each tile; the other combinations differ in nothing else.
const WIDE: Variants = &[
    &[("T", 128.0), ("TK", 16.0), ("LANES", 8.0), ("MODE", 0.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 0.0)],
    &[("T", 128.0), ("TK", 16.0), ("LANES", 8.0), ("MODE", 1.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 1.0)],
    &[("T", 64.0), ("TK", 8.0), ("LANES", 8.0), ("MODE", 2.0), ("A_ALONG_K", 0.0), ("B_ALONG_K", 0.0)],
];
const NARROW: Variants = &[
    &[("T", 32.0), ("TK", 16.0), ("LANES", 8.0), ("MODE", 0.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 0.0)],
    &[("T", 32.0), ("TK", 16.0), ("LANES", 8.0), ("MODE", 1.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 1.0)],
    &[("T", 64.0), ("TK", 32.0), ("LANES", 8.0), ("MODE", 2.0), ("A_ALONG_K", 0.0), ("B_ALONG_K", 0.0)],
];

/// The shaders with constants that they are used with.
pub static SHADERS: &[(&Shader, Variants)] =
    &[(F32.vec8, WIDE), (F32.scalar8, WIDE), (F32.vec4, NARROW), (F32.scalar4, NARROW), (F32.reduce, &[&[]])];
