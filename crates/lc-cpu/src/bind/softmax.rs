//! softmax along any dimension.

use super::{Binding, Call, Real, by_dtype, dense_copy, with_rows};
use crate::ops::softmax::{softmax, softmax_axis};
use lc_core::{Result, TensorRef};
use lc_ops::SoftmaxAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::SOFTMAX,
    names: ["cpu.softmax.scalar", "cpu.softmax.avx2", "cpu.softmax.avx512", "cpu.softmax.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let x = call.input(0);
    let rank = x.shape().rank();
    let axis = SoftmaxAttrs::from_attrs(call.attrs).axis_of(rank);
    if axis + 1 == rank {
        with_rows::<T, _>(x, |x| {
            // SAFETY: rows and strides are those of a readable view; the result is dense and apart from it.
            unsafe {
                softmax::<T>(call.isa, call.threads, x.rows, x.cols, x.ptr, x.row_stride, x.col_stride, call.out());
            }
        });
        return Ok(());
    }
    let dims = x.shape().dims();
    let outer: usize = dims[..axis].iter().product();
    let inner: usize = dims[axis + 1..].iter().product();
    if let Some(strides) = collapsed(x, axis) {
        // SAFETY: extents and strides are those of a readable view; the result is dense and apart from it.
        unsafe {
            let ptr = x.ptr().cast();
            softmax_axis::<T>(call.isa, call.threads, [outer, dims[axis], inner], ptr, strides, call.out());
        }
        return Ok(());
    }
    let copied = dense_copy::<T>(x);
    let strides = [(dims[axis] * inner) as isize, inner as isize, 1];
    // SAFETY: the copy is dense with these extents; the result is dense and apart from it.
    unsafe {
        let ptr = copied.as_ptr();
        softmax_axis::<T>(call.isa, call.threads, [outer, dims[axis], inner], ptr, strides, call.out());
    }
    Ok(())
}

/// Strides of the dimensions before `axis`, of `axis`, and of those after it, if each group has one.
fn collapsed(x: &TensorRef<'_>, axis: usize) -> Option<[isize; 3]> {
    let group = |range: std::ops::Range<usize>| {
        let mut stride = None;
        let mut next = 0;
        for i in range.rev().filter(|&i| x.shape()[i] != 1) {
            if stride.is_some() && x.strides()[i] != next {
                return None;
            }
            stride = stride.or(Some(x.strides()[i]));
            next = x.strides()[i] * x.shape()[i] as isize;
        }
        Some(stride.unwrap_or(0))
    };
    Some([group(0..axis)?, x.strides()[axis], group(axis + 1..x.shape().rank())?])
}
