//! attention_train: one step that moves V against the gradient of the mean squared error.

use super::{Binding, Call, Real, by_dtype, matrix};
use crate::ops::attention::attention_train_step;
use lc_core::Result;
use lc_ops::AttentionTrainAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::ATTENTION_TRAIN,
    names: [
        "cpu.attention_train.scalar",
        "cpu.attention_train.avx2",
        "cpu.attention_train.avx512",
        "cpu.attention_train.neon",
    ],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let how = AttentionTrainAttrs::from_attrs(call.attrs);
    let dim = call.input(0).shape()[1];
    let scale = T::of(1.0 / (dim as f64).sqrt());
    // SAFETY: the views are readable and all [S, D] by the op's rule; the results are dense, of that shape, and overlap
    // nothing.
    let loss = unsafe {
        attention_train_step::<T>(
            call.isa,
            call.threads,
            matrix(call.input(0), 0),
            matrix(call.input(1), 0),
            matrix(call.input(2), 0),
            matrix(call.input(3), 0),
            T::of(how.learning_rate),
            how.causal,
            scale,
            call.outputs[0].ptr().cast(),
            call.outputs[1].ptr().cast(),
            how.compute_loss,
        )
    };
    // SAFETY: the third result is a scalar.
    unsafe { call.outputs[2].ptr().cast::<T>().write(loss.unwrap_or(T::ZERO)) };
    Ok(())
}
