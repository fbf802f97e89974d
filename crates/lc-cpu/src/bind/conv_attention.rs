//! conv → attention.

use super::conv2d::{extents, four};
use super::{Binding, Call, Real, by_dtype};
use crate::ops::conv_attention::conv_attention;
use lc_core::Result;
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
    let (x, w) = (call.input(0), call.input(1));
    // SAFETY: strides are those of readable views whose extents the rule checked; the result is dense, [seq_len, head_dim],
    // and apart from them.
    unsafe {
        conv_attention::<T>(
            call.isa,
            call.threads,
            &p,
            x.ptr().cast(),
            four(x),
            w.ptr().cast(),
            four(w),
            call.vector::<T>(2),
            how.seq_len,
            how.head_dim,
            call.out(),
        );
    }
    Ok(())
}
