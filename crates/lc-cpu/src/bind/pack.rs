//! pack: a gather of the input, then copies of what is there already.

use super::{Binding, Call, Real, by_dtype};
use lc_core::Result;
use lc_core::tensor::walk;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::PACK,
    names: ["cpu.pack.scalar", "cpu.pack.avx2", "cpu.pack.avx512", "cpu.pack.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let x = call.input(0);
    let (period, length) = (x.shape().numel(), call.outputs[0].spec().shape.numel());
    let (from, out) = (x.ptr().cast::<T>(), call.out::<T>());
    let mut filled = period.min(length);
    if x.is_contiguous() {
        // SAFETY: a dense view holds `period` elements, the result `length`, and they do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(from, out, filled) };
    } else {
        let mut at = 0;
        walk(x.shape(), x.strides(), |offset| {
            if at < filled {
                // SAFETY: the offset is that of an element of the view, and `at` is below the result's length.
                unsafe { *out.add(at) = *from.wrapping_offset(offset) };
                at += 1;
            }
        });
    }
    while filled < length {
        // What is filled is a whole number of periods, so its start continues it.
        let count = filled.min(length - filled);
        // SAFETY: `count` elements at the start are written, `count` more end at most at `length`; they do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(out, out.add(filled), count) };
        filled += count;
    }
    Ok(())
}
