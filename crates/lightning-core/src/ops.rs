//! The ops as functions on owned tensors, and [`run`] for views, attributes and policies of any kind.
//!
//! Every function has the errors of [`run`]. Shapes are written with `m`, `k`, `n` for matrices, `[.., d]` for any number
//! of leading dimensions, `N, C, H, W` for images, `S, D` for the rows and columns of an attention head.

use crate::{Tensor, runtime};
use lc_core::{Attrs, Element, Error, OpDef, PackedPolicy, Policy, Receipt, RefTensor, Result, TensorMut, TensorRef};
use lc_ops::{
    ACTIVATION, ADD, ATTENTION, ActivationAttrs, AttentionAttrs, CONV_ATTENTION, CONV2D, Conv2dAttrs,
    ConvAttentionAttrs, DIV, FFN, FfnAttrs, LAYER_NORM, LAYER_NORM_PROJECTION, LINEAR, LayerNormAttrs,
    LayerNormProjectionAttrs, LinearAttrs, MATMUL, MUL, MatmulAttrs, RMS_NORM, RmsNormAttrs, SOFTMAX, SUB,
    SoftmaxAttrs,
};

pub use lc_ops as registry;

/// Runs an op on views, under a policy laid over the scope's.
///
/// # Errors
/// Attributes, shapes or dtypes that the op's rule refuses; results of the wrong type or extents, or that overlap an input
/// or each other; a device that the policy does not let be replaced; a failure of the device. Nothing is written then.
pub fn run(
    op: &'static OpDef,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    outputs: &mut [TensorMut<'_>],
    policy: &Policy,
) -> Result<Receipt> {
    runtime().call(op, attrs, inputs, outputs, policy.pack())
}

/// Runs an op with one result into a new tensor.
fn fresh<T: Element>(op: &'static OpDef, attrs: Attrs, inputs: &[Option<TensorRef<'_>>]) -> Result<Tensor<T>> {
    let specs: Vec<_> = inputs.iter().map(|t| t.as_ref().map(|t| *t.spec())).collect();
    let spec = *op.check(&attrs, &specs)?.first();
    let mut out = Tensor::zeros(spec.shape.dims())?;
    runtime().call(op, &attrs, inputs, &mut [out.view_mut()], PackedPolicy::UNSET)?;
    Ok(out)
}

fn view<T: Element>(tensor: Option<&Tensor<T>>) -> Option<TensorRef<'_>> {
    tensor.map(Tensor::view)
}

/// `a[.., m, k] · b[.., k, n]`; leading dimensions broadcast.
pub fn matmul<T: Element>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    fresh(&MATMUL, MatmulAttrs::default().into(), &[Some(a.view()), Some(b.view())])
}

/// `x[.., in] · weight[out, in]ᵀ + bias[out]`, then the activation.
pub fn linear<T: Element>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    attrs: LinearAttrs,
) -> Result<Tensor<T>> {
    fresh(&LINEAR, attrs.into(), &[Some(x.view()), Some(weight.view()), view(bias)])
}

/// `a + b`, broadcast as NumPy does.
pub fn add<T: Element>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    fresh(&ADD, Attrs::NONE, &[Some(a.view()), Some(b.view())])
}

/// `a - b`, broadcast as NumPy does.
pub fn sub<T: Element>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    fresh(&SUB, Attrs::NONE, &[Some(a.view()), Some(b.view())])
}

/// `a * b`, broadcast as NumPy does.
pub fn mul<T: Element>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    fresh(&MUL, Attrs::NONE, &[Some(a.view()), Some(b.view())])
}

/// `a / b`, broadcast as NumPy does; IEEE, so `x/0` is ±∞ and `0/0` is NaN.
pub fn div<T: Element>(a: &Tensor<T>, b: &Tensor<T>) -> Result<Tensor<T>> {
    fresh(&DIV, Attrs::NONE, &[Some(a.view()), Some(b.view())])
}

/// Cross-correlation of `x[N, C, H, W]` with `weight[O, C/groups, KH, KW]`, then bias and activation.
pub fn conv2d<T: Element>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    attrs: Conv2dAttrs,
) -> Result<Tensor<T>> {
    fresh(&CONV2D, attrs.into(), &[Some(x.view()), Some(weight.view()), view(bias)])
}

/// `softmax(scale · q·kᵀ + mask) · v` for `[S, D]`, `[H, S, D]` or `[B, H, S, D]`; rows that see nothing give zeros.
pub fn attention<T: Element>(
    q: &Tensor<T>,
    k: &Tensor<T>,
    v: &Tensor<T>,
    mask: Option<&Tensor<T>>,
    attrs: AttentionAttrs,
) -> Result<Tensor<T>> {
    fresh(&ATTENTION, attrs.into(), &[Some(q.view()), Some(k.view()), Some(v.view()), view(mask)])
}

/// Softmax along a dimension.
pub fn softmax<T: Element>(x: &Tensor<T>, attrs: SoftmaxAttrs) -> Result<Tensor<T>> {
    fresh(&SOFTMAX, attrs.into(), &[Some(x.view())])
}

/// Layer norm over the last dimension, with the population variance.
pub fn layer_norm<T: Element>(
    x: &Tensor<T>,
    weight: Option<&Tensor<T>>,
    bias: Option<&Tensor<T>>,
    attrs: LayerNormAttrs,
) -> Result<Tensor<T>> {
    fresh(&LAYER_NORM, attrs.into(), &[Some(x.view()), view(weight), view(bias)])
}

/// RMS norm over the last dimension.
pub fn rms_norm<T: Element>(x: &Tensor<T>, weight: Option<&Tensor<T>>, attrs: RmsNormAttrs) -> Result<Tensor<T>> {
    fresh(&RMS_NORM, attrs.into(), &[Some(x.view()), view(weight)])
}

/// An activation, element by element.
pub fn activation<T: Element>(x: &Tensor<T>, attrs: ActivationAttrs) -> Result<Tensor<T>> {
    fresh(&ACTIVATION, attrs.into(), &[Some(x.view())])
}

/// `act(x[.., d] · w1[f, d]ᵀ + b1[f]) · w2[o, f]ᵀ + b2[o]`.
pub fn ffn<T: Element>(
    x: &Tensor<T>,
    w1: &Tensor<T>,
    w2: &Tensor<T>,
    b1: Option<&Tensor<T>>,
    b2: Option<&Tensor<T>>,
    attrs: FfnAttrs,
) -> Result<Tensor<T>> {
    fresh(&FFN, attrs.into(), &[Some(x.view()), Some(w1.view()), Some(w2.view()), view(b1), view(b2)])
}

/// `layer_norm(x[.., d]) · weight[o, d]ᵀ + bias[o]`.
pub fn layer_norm_projection<T: Element>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    norm_weight: Option<&Tensor<T>>,
    norm_bias: Option<&Tensor<T>>,
    bias: Option<&Tensor<T>>,
    attrs: LayerNormProjectionAttrs,
) -> Result<Tensor<T>> {
    let inputs = [Some(x.view()), Some(weight.view()), view(norm_weight), view(norm_bias), view(bias)];
    fresh(&LAYER_NORM_PROJECTION, attrs.into(), &inputs)
}

/// Convolution with bias and ReLU whose map, in row-major order and repeated if too short, is Q, K and V of one attention
/// head; gives `[seq_len, head_dim]`.
pub fn conv_attention<T: Element>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    attrs: ConvAttentionAttrs,
) -> Result<Tensor<T>> {
    fresh(&CONV_ATTENTION, attrs.into(), &[Some(x.view()), Some(weight.view()), view(bias)])
}

/// The op's result in float64 by its plainest code: what every kernel is tested against.
///
/// # Errors
/// As [`run`].
pub fn reference(op: &'static OpDef, attrs: &Attrs, inputs: &[Option<TensorRef<'_>>]) -> Result<Vec<RefTensor>> {
    let specs: Vec<_> = inputs.iter().map(|t| t.as_ref().map(|t| *t.spec())).collect();
    op.check(attrs, &specs)?;
    if op.inputs.is_empty() {
        return Err(Error::invalid(op.name, "inputs", "at least one", "none"));
    }
    let mut wide = Vec::new();
    for input in inputs {
        wide.push(input.as_ref().map(|t| {
            let mut data = Vec::with_capacity(t.shape().numel());
            t.for_each(|x| data.push(x));
            RefTensor { shape: *t.shape(), data }
        }));
    }
    Ok((op.reference)(attrs, &wide))
}
