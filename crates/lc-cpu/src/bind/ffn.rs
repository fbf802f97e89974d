//! ffn: two projections with an activation between them, block by block of rows.

use super::{Binding, Call, Real, Rows, by_dtype, even_blocks, linear, matrix, with_rows};
use crate::gemm::GemmFloat;
use crate::scratch;
use crate::view::Mat;
use lc_core::{Activation, Result};
use lc_ops::FfnAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::FFN,
    names: ["cpu.ffn.scalar", "cpu.ffn.avx2", "cpu.ffn.avx512", "cpu.ffn.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: Some(|isa, attrs, inputs, index| linear::prepare(isa, attrs, inputs, index, &[W1, W2])),
};

const W1: usize = 1;
const W2: usize = 2;

fn run<T: Real + GemmFloat>(call: &Call<'_>) -> Result<()> {
    let activation = FfnAttrs::from_attrs(call.attrs).activation;
    let w1: Mat<T> = matrix(call.input(W1), 0);
    let w2: Mat<T> = matrix(call.input(W2), 0);
    let resident = call.prepared.get(W1).is_some_and(Option::is_some);
    with_rows::<T, _>(call.input(0), |x| {
        let hidden_columns = w1.rows;
        let fitting = scratch::block_bytes() / (hidden_columns * size_of::<T>()).max(1);
        // Without resident weights every block would pack them again, so there is one block.
        let block = if resident { even_blocks(x.rows, fitting) } else { x.rows };
        scratch::with(block * hidden_columns, |hidden: *mut T| {
            for first in (0..x.rows).step_by(block) {
                let rows = block.min(x.rows - first);
                let part = Rows { ptr: x.ptr.wrapping_offset(first as isize * x.row_stride), rows, ..x };
                let out = call.out::<T>().wrapping_add(first * w2.rows);
                let row_stride = hidden_columns as isize;
                let middle = Rows { ptr: hidden.cast_const(), rows, cols: hidden_columns, row_stride, col_stride: 1 };
                // SAFETY: extents are checked by the op's rule; `hidden` has room for `block` rows, of which the first
                // product writes all that the second reads; the result is dense and apart from everything read.
                unsafe {
                    linear::project(call, part, w1, W1, call.vector(3), activation, hidden);
                    linear::project(call, middle, w2, W2, call.vector(4), Activation::Identity, out);
                }
            }
        });
    });
    Ok(())
}
