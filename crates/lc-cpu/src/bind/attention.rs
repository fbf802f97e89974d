//! attention.

use super::{Binding, Call, Real, by_dtype};
use crate::ops::activation::activation;
use crate::ops::attention::{Attention, Heads, HeadsMut, Mask, attention};
use lc_core::{Activation, Result, TensorRef};
use lc_ops::AttentionAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::ATTENTION,
    names: ["cpu.attention.scalar", "cpu.attention.avx2", "cpu.attention.avx512", "cpu.attention.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

/// Extents or steps of rank 2 to 4 as four, filled at the left.
#[inline]
fn four<V: Copy>(values: &[V], fill: V) -> [V; 4] {
    let mut out = [fill; 4];
    out[4 - values.len()..].copy_from_slice(values);
    out
}

/// A tensor of rank 2 to 4 as batch, heads, rows, columns.
#[inline]
pub fn heads<T>(tensor: &TensorRef<'_>) -> Heads<T> {
    Heads {
        ptr: tensor.ptr().cast(),
        shape: four(tensor.shape().dims(), 1),
        strides: four(tensor.strides().steps(), 0),
    }
}

/// Queries from which keys or values without unit columns are made dense first: fewer are one block, which gathers what it
/// reads once, but every further block would gather all of it again.
const DENSE_ABOVE: usize = 64;

/// A tensor as [`heads`], through a dense copy in `memory` if its columns have no unit stride and many queries read it.
fn unit_heads<T: Real>(call: &Call<'_>, tensor: &TensorRef<'_>, queries: usize, memory: &mut Vec<T>) -> Heads<T> {
    let unit = tensor.strides().steps().last() == Some(&1) || tensor.shape().dims().last() == Some(&1);
    if unit || queries <= DENSE_ABOVE {
        return heads(tensor);
    }
    let (dims, steps) = (tensor.shape().dims(), tensor.strides().steps());
    memory.reserve_exact(tensor.shape().numel());
    // SAFETY: shape and strides are those of a readable view; the memory is new and has room for its elements.
    unsafe {
        let (from, to) = (tensor.ptr().cast(), memory.as_mut_ptr());
        activation::<T>(call.isa, call.threads, Activation::Identity, dims, from, steps, to);
    }
    let strides = tensor.shape().contiguous_strides();
    Heads { ptr: memory.as_ptr(), shape: four(dims, 1), strides: four(strides.steps(), 0) }
}

#[inline]
fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let how = AttentionAttrs::from_attrs(call.attrs);
    let (q, k, v) = (call.input(0), call.input(1), call.input(2));
    let out = &call.outputs[0];
    let shape = four(out.spec().shape.dims(), 1);
    let strides = four(out.spec().shape.contiguous_strides().steps(), 0);
    let mask = call.optional(3).map(|mask| {
        let extents = four(mask.shape().dims(), 1);
        let mut steps = four(mask.strides().steps(), 0);
        for (step, extent) in steps.iter_mut().zip(extents) {
            // Broadcasting stands still along stretched dimensions.
            if extent == 1 {
                *step = 0;
            }
        }
        Mask { ptr: mask.ptr().cast::<T>(), strides: steps }
    });
    let dim = *q.shape().dims().last().unwrap_or(&1);
    let scale = if how.scale == 0.0 { 1.0 / (dim as f64).sqrt() } else { how.scale };
    let params = Attention {
        scale: T::of(scale),
        causal: how.causal,
        mask,
        output_scale: T::of(how.output_scale),
        output_bias: T::of(how.output_bias),
        output_relu: how.output_relu,
    };
    let target = HeadsMut { ptr: out.ptr().cast::<T>(), shape, strides };
    let (mut dense_k, mut dense_v) = (Vec::new(), Vec::new());
    let (k, v) = (unit_heads(call, k, shape[2], &mut dense_k), unit_heads(call, v, shape[2], &mut dense_v));
    // SAFETY: the views are readable, or copies that live until the end of this function; their extents fit by the op's
    // rule, and the result overlaps none of them.
    unsafe { attention::<T>(call.isa, call.threads, heads(q), k, v, target, &params) };
    Ok(())
}
