//! relu, gelu, silu.

use super::{Binding, Call, Real, by_dtype};
use crate::ops::activation::activation;
use lc_core::Result;
use lc_ops::ActivationAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::ACTIVATION,
    names: ["cpu.activation.scalar", "cpu.activation.avx2", "cpu.activation.avx512", "cpu.activation.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let x = call.input(0);
    let how = ActivationAttrs::from_attrs(call.attrs);
    // SAFETY: shape and strides are those of a readable view; the result is dense, of that shape, and apart from it.
    unsafe {
        activation::<T>(
            call.isa,
            call.threads,
            how.kind,
            x.shape().dims(),
            x.ptr().cast(),
            x.strides().steps(),
            call.out(),
        );
    }
    Ok(())
}
