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

/// One shader of this family. Tiled ones have six bindings.
macro_rules! kernel {
    ($name:expr, $needs:expr, $bindings:literal, $($file:literal),*) => {
        &shader($name, source!($($file),*), $bindings, $needs)
    };
}

macro_rules! family {
    ($name:ident, $element:literal, $coop:literal, $wide:literal, $suffix:literal, $needs:expr) => {
        /// The kernels for one type of elements.
        pub(super) static $name: Family = Family {
            vec8: kernel!(
                concat!("gemm_8x8_vec4", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "bind_vec4",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "gemm_tile",
                "gemm_8x8"
            ),
            vec8_read: kernel!(
                concat!("gemm_8x8_vec4_read", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "bind_vec4_read",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "gemm_tile",
                "gemm_8x8"
            ),
            scalar8: kernel!(
                concat!("gemm_8x8_scalar", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "load_scalar",
                "gemm_grid",
                "gemm_tile",
                "gemm_8x8"
            ),
            vec16x8: kernel!(
                concat!("gemm_16x8_vec4", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "bind_vec4",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "gemm_tile",
                "gemm_16x8"
            ),
            vec16x8_read: kernel!(
                concat!("gemm_16x8_vec4_read", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "bind_vec4_read",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "gemm_tile",
                "gemm_16x8"
            ),
            scalar16x8: kernel!(
                concat!("gemm_16x8_scalar", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "load_scalar",
                "gemm_grid",
                "gemm_tile",
                "gemm_16x8"
            ),
            vec4: kernel!(
                concat!("gemm_4x4_vec4", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "bind_vec4",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "gemm_tile",
                "gemm_4x4"
            ),
            scalar4: kernel!(
                concat!("gemm_4x4_scalar", $suffix),
                $needs,
                6,
                $element,
                "work_f32",
                "product",
                "activation",
                "load_scalar",
                "gemm_grid",
                "gemm_tile",
                "gemm_4x4"
            ),
            reduce: kernel!(
                concat!("gemm_reduce", $suffix),
                $needs,
                4,
                $element,
                "product",
                "activation",
                "gemm_reduce"
            ),
            across_vec4: kernel!(
                concat!("thin_across_vec4", $suffix),
                $needs,
                6,
                $element,
                "product",
                "activation",
                "thin_vec4",
                "thin",
                "thin_across"
            ),
            across_scalar: kernel!(
                concat!("thin_across_scalar", $suffix),
                $needs,
                6,
                $element,
                "product",
                "activation",
                "thin_scalar",
                "thin",
                "thin_across"
            ),
            down_vec4: kernel!(
                concat!("thin_down_vec4", $suffix),
                $needs,
                6,
                $element,
                "product",
                "activation",
                "thin_vec4",
                "thin",
                "thin_down"
            ),
            down_scalar: kernel!(
                concat!("thin_down_scalar", $suffix),
                $needs,
                6,
                $element,
                "product",
                "activation",
                "thin_scalar",
                "thin",
                "thin_down"
            ),
            coop16: kernel!(
                concat!("gemm_coop_16_4x4", $suffix),
                MATRIX,
                6,
                $coop,
                "coop_16",
                "product",
                "activation",
                "bind_vec4",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "coop_tiles",
                "gemm_coop",
                "gemm_coop_4x4"
            ),
            coop16_half: kernel!(
                concat!("gemm_coop_16_4x2", $suffix),
                MATRIX,
                6,
                $coop,
                "coop_16",
                "product",
                "activation",
                "bind_vec4",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "coop_tiles",
                "gemm_coop",
                "gemm_coop_4x2"
            ),
            coop16_whole: kernel!(
                concat!("gemm_coop_16_whole", $suffix),
                MATRIX,
                6,
                $coop,
                "coop_16",
                "product",
                "activation",
                $wide,
                "store_vec4",
                "gemm_grid",
                "coop_tiles",
                "gemm_coop_whole"
            ),
            coop8: kernel!(
                concat!("gemm_coop_8_4x4", $suffix),
                MATRIX,
                6,
                $coop,
                "coop_8",
                "product",
                "activation",
                "bind_vec4",
                "store_vec4",
                "load_vec4",
                "gemm_grid",
                "coop_tiles",
                "gemm_coop",
                "gemm_coop_4x4"
            ),
        };
    };
}

/// What kernels on matrix units need.
pub(super) const MATRIX: Features = Features::SHADER_F16.union(Features::EXPERIMENTAL_COOPERATIVE_MATRIX);

/// The kernels for one type of elements.
#[derive(Debug)]
pub(super) struct Family {
    /// Eight by eight results a thread, operands in vectors.
    pub vec8: &'static Shader,
    /// The same, where A and B share no buffer with what is written.
    pub vec8_read: &'static Shader,
    /// Eight by eight results a thread, any strides.
    pub scalar8: &'static Shader,
    /// Sixteen by eight results a thread, operands in vectors.
    pub vec16x8: &'static Shader,
    /// The same, where A and B share no buffer with what is written.
    pub vec16x8_read: &'static Shader,
    /// Sixteen by eight results a thread, any strides.
    pub scalar16x8: &'static Shader,
    /// Four by four results a thread, operands in vectors.
    pub vec4: &'static Shader,
    /// Four by four results a thread, any strides.
    pub scalar4: &'static Shader,
    /// Partial sums to results.
    pub reduce: &'static Shader,
    /// A few rows, B in vectors along k.
    pub across_vec4: &'static Shader,
    /// A few rows, B element by element along k.
    pub across_scalar: &'static Shader,
    /// A few rows, B in vectors along n.
    pub down_vec4: &'static Shader,
    /// A few rows, B element by element along n.
    pub down_scalar: &'static Shader,
    /// Matrix units of 16, four by four of them a subgroup.
    pub coop16: &'static Shader,
    /// Matrix units of 16, four by two of them a subgroup.
    pub coop16_half: &'static Shader,
    /// Matrix units of 16, four by four of them a subgroup, whole tiles only.
    pub coop16_whole: &'static Shader,
    /// Matrix units of 8, four by four of them a subgroup.
    pub coop8: &'static Shader,
}

family!(F32, "element_f32", "coop_f32", "wide_f32", "", Features::empty());
family!(F16, "element_f16", "coop_f16", "wide_f16", "_f16", Features::SHADER_F16);

impl Family {
    /// The kernels for a type of elements.
    pub fn of(dtype: DType) -> &'static Family {
        if dtype == DType::F16 { &F16 } else { &F32 }
    }
}

// Each mode and each order of the operands once for each tile; the other combinations differ in nothing else.
const WIDE: Variants = &[
    &[("MODE", 0.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 0.0), ("T", 128.0), ("TK", 16.0)],
    &[("MODE", 1.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 1.0), ("T", 128.0), ("TK", 16.0)],
    &[("MODE", 2.0), ("A_ALONG_K", 0.0), ("B_ALONG_K", 0.0), ("T", 64.0), ("TK", 8.0)],
];
const NARROW: Variants = &[
    &[("MODE", 0.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 0.0), ("T", 32.0), ("TK", 16.0)],
    &[("MODE", 1.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 1.0), ("T", 32.0), ("TK", 16.0)],
    &[("MODE", 2.0), ("A_ALONG_K", 0.0), ("B_ALONG_K", 0.0), ("T", 64.0), ("TK", 32.0)],
];
const LARGE: Variants = &[
    &[("MODE", 0.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 0.0), ("T", 128.0), ("TK", 8.0)],
    &[("MODE", 1.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 1.0), ("T", 128.0), ("TK", 8.0)],
    &[("MODE", 2.0), ("A_ALONG_K", 0.0), ("B_ALONG_K", 0.0), ("T", 128.0), ("TK", 8.0)],
];
const MATRICES: Variants = &[
    &[("MODE", 0.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 0.0)],
    &[("MODE", 1.0), ("A_ALONG_K", 1.0), ("B_ALONG_K", 1.0)],
    &[("MODE", 2.0), ("A_ALONG_K", 0.0), ("B_ALONG_K", 0.0)],
];
const THIN: Variants = &[&[("M", 1.0)], &[("M", 4.0)]];

const fn first(variants: Variants) -> Variants {
    variants.split_at(1).0
}

/// The shaders with constants that they are used with.
pub static SHADERS: &[(&Shader, Variants)] = &[
    (F32.vec8, WIDE),
    (F32.vec8_read, first(WIDE)),
    (F32.scalar8, WIDE),
    (F32.vec4, NARROW),
    (F32.scalar4, NARROW),
    (F32.reduce, &[&[]]),
    (F32.coop16, MATRICES),
    (F32.coop16_half, first(MATRICES)),
    (F32.coop16_whole, MATRICES),
    (F32.coop8, MATRICES),
    (F16.vec8, first(WIDE)),
    (F16.vec8_read, first(WIDE)),
    (F16.scalar8, first(WIDE)),
    (F16.vec4, first(NARROW)),
    (F16.scalar4, first(NARROW)),
    (F16.reduce, &[&[]]),
    (F16.coop16, first(MATRICES)),
    (F16.coop16_half, first(MATRICES)),
    (F16.coop16_whole, first(MATRICES)),
    (F16.coop8, first(MATRICES)),
    (F32.across_vec4, THIN),
    (F32.across_scalar, THIN),
    (F32.down_vec4, THIN),
    (F32.down_scalar, THIN),
    (F16.across_vec4, first(THIN)),
    (F16.across_scalar, first(THIN)),
    (F16.down_vec4, first(THIN)),
    (F16.down_scalar, first(THIN)),
    (F32.vec16x8, LARGE),
    (F32.vec16x8_read, LARGE),
    (F32.scalar16x8, first(LARGE)),
    (F16.vec16x8, first(LARGE)),
    (F16.vec16x8_read, first(LARGE)),
    (F16.scalar16x8, first(LARGE)),
];
