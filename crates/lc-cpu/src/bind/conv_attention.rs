//! conv → attention: the feature map is Q, K and V in three slabs, repeated from its start where it is too short.

use super::conv2d::{convolve, extents};
use super::{Binding, Call, Real, by_dtype};
use crate::ops::attention::{Attention, Heads, HeadsMut, attention};
use lc_core::{Activation, Result};
use lc_ops::{Conv2dAttrs, ConvAttentionAttrs};

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::CONV_ATTENTION,
    names: [
        "cpu.conv_attention.scalar",
        "cpu.conv_attention.avx2",
        "cpu.conv_attention.avx512",
        "cpu.conv_attention.neon",
    ],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let how = ConvAttentionAttrs::from_attrs(call.attrs);
    let conv = Conv2dAttrs {
        stride_h: how.stride_h,
        stride_w: how.stride_w,
        pad_h: how.pad_h,
        pad_w: how.pad_w,
        ..Conv2dAttrs::default()
    };
    let p = extents(&conv, call.input(0), call.input(1));
    let length = p.batch * p.out_channels * p.out_h * p.out_w;
    let (rows, dim) = (how.seq_len, how.head_dim);
    let slab = rows * dim;
    let needed = 3 * slab;
    // One buffer for the map and its repetitions: attention then reads the slabs in place.
    let mut packed = vec![T::ZERO; length.max(needed)];
    // SAFETY: the buffer holds the whole map.
    unsafe { convolve::<T>(call, &conv, Activation::Relu, packed.as_mut_ptr()) };
    let mut filled = length;
    while filled < needed {
        let count = filled.min(needed - filled);
        // What is filled is a whole number of maps, so its start continues it.
        packed.copy_within(0..count, filled);
        filled += count;
    }
    let head = |index: usize| Heads {
        ptr: packed.as_ptr().wrapping_add(index * slab),
        shape: [1, 1, rows, dim],
        strides: [0, 0, dim as isize, 1],
    };
    let out = HeadsMut { ptr: call.out::<T>(), shape: [1, 1, rows, dim], strides: [0, 0, dim as isize, 1] };
    let params = Attention {
        scale: T::of(1.0 / (dim as f64).sqrt()),
        causal: false,
        mask: None,
        output_scale: T::ONE,
        output_bias: T::ZERO,
        output_relu: false,
    };
    // SAFETY: the three slabs lie in `packed`; the result is dense, [rows, dim], and apart from it.
    unsafe { attention::<T>(call.isa, call.threads, head(0), head(1), head(2), out, &params) };
    Ok(())
}
