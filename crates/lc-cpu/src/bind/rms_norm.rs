//! rms_norm.

use super::{Binding, Call, Real, by_dtype, with_rows};
use crate::ops::rms_norm::rms_norm;
use lc_core::Result;
use lc_ops::RmsNormAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::RMS_NORM,
    names: ["cpu.rms_norm.scalar", "cpu.rms_norm.avx2", "cpu.rms_norm.avx512", "cpu.rms_norm.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let eps = T::of(RmsNormAttrs::from_attrs(call.attrs).eps);
    with_rows::<T, _>(call.input(0), |x| {
        // SAFETY: rows and strides are those of a readable view, the weight has one element a column, and the result is
        // dense and apart from them.
        unsafe {
            rms_norm::<T>(
                call.isa,
                call.threads,
                x.rows,
                x.cols,
                x.ptr,
                x.row_stride,
                x.col_stride,
                call.vector(1),
                eps,
                call.out(),
            );
        }
    });
    Ok(())
}
