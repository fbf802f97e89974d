//! layer_norm → projection: normalised rows go to the product block by block, while they are in a cache.

use super::{Binding, Call, Real, Rows, by_dtype, even_blocks, linear, matrix, with_rows};
use crate::gemm::GemmFloat;
use crate::ops::layer_norm::layer_norm;
use crate::scratch;
use crate::view::Mat;
use lc_core::{Activation, Result};
use lc_ops::LayerNormProjectionAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::LAYER_NORM_PROJECTION,
    names: [
        "cpu.layer_norm_projection.scalar",
        "cpu.layer_norm_projection.avx2",
        "cpu.layer_norm_projection.avx512",
        "cpu.layer_norm_projection.neon",
    ],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: Some(|isa, attrs, inputs, index| linear::prepare(isa, attrs, inputs, index, &[WEIGHT])),
};

const WEIGHT: usize = 1;

fn run<T: Real + GemmFloat>(call: &Call<'_>) -> Result<()> {
    let eps = T::of(LayerNormProjectionAttrs::from_attrs(call.attrs).eps);
    let weight: Mat<T> = matrix(call.input(WEIGHT), 0);
    let resident = call.prepared.get(WEIGHT).is_some_and(Option::is_some);
    with_rows::<T, _>(call.input(0), |x| {
        let fitting = scratch::block_bytes() / (x.cols * size_of::<T>()).max(1);
        // Without a resident weight every block would pack it again, so there is one block.
        let block = if resident { even_blocks(x.rows, fitting) } else { x.rows };
        scratch::with(block * x.cols, |normal: *mut T| {
            for first in (0..x.rows).step_by(block) {
                let rows = block.min(x.rows - first);
                let out = call.out::<T>().wrapping_add(first * weight.rows);
                let row_stride = x.cols as isize;
                let part = Rows { ptr: normal.cast_const(), rows, cols: x.cols, row_stride, col_stride: 1 };
                // SAFETY: extents are checked by the op's rule; `normal` has room for `block` rows, of which the norm writes
                // all that the product reads; the result is dense and apart from everything read.
                unsafe {
                    layer_norm::<T>(
                        call.isa,
                        call.threads,
                        rows,
                        x.cols,
                        x.ptr.wrapping_offset(first as isize * x.row_stride),
                        x.row_stride,
                        x.col_stride,
                        call.vector(2),
                        call.vector(3),
                        eps,
                        normal,
                    );
                    linear::project(call, part, weight, WEIGHT, call.vector(4), Activation::Identity, out);
                }
            }
        });
    });
    Ok(())
}
