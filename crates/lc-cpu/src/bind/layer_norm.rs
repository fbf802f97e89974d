//! layer_norm.

use super::{Binding, Call, Real, by_dtype, with_rows};
use crate::ops::layer_norm::layer_norm;
use lc_core::Result;
use lc_ops::LayerNormAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::LAYER_NORM,
    names: ["cpu.layer_norm.scalar", "cpu.layer_norm.avx2", "cpu.layer_norm.avx512", "cpu.layer_norm.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let eps = T::of(LayerNormAttrs::from_attrs(call.attrs).eps);
    with_rows::<T, _>(call.input(0), |x| {
        // SAFETY: rows and strides are those of a readable view, weight and bias have one element a column, and the
        // result is dense and apart from them.
        unsafe {
            layer_norm::<T>(
                call.isa,
                call.threads,
                x.rows,
                x.cols,
                x.ptr,
                x.row_stride,
                x.col_stride,
                call.vector(1),
                call.vector(2),
                eps,
                call.out(),
            );
        }
    });
    Ok(())
}
