//! conv2d with ReLU whose feature map, repeated or not, is read as queries, keys and values: one call, no packing copy.

use super::{Checked, Fusion, Outcome};
use crate::program::CallId;
use lc_core::{Activation, Attrs};
use lc_ops::{ATTENTION, AttentionAttrs, CONV_ATTENTION, CONV2D, Conv2dAttrs, ConvAttentionAttrs, PACK};

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let Some(attention) = fusion.call(last, &[&ATTENTION]) else { return Ok(Outcome::NoMatch) };
    let (Some(q), Some(k), Some(v)) = (attention.input(0), attention.input(1), attention.input(2)) else {
        return Ok(Outcome::NoMatch);
    };
    if q.value != k.value || q.value != v.value {
        return Ok(Outcome::NoMatch);
    }
    let mut absorbed = Vec::new();
    let Some((source, mut conv)) = fusion.writer(q, &[&CONV2D, &PACK]) else { return Ok(Outcome::NoMatch) };
    absorbed.push(source);
    if conv.op == &PACK {
        let map = conv.input(0).copied();
        let Some((id, found)) = map.and_then(|map| fusion.writer(&map, &[&CONV2D])) else {
            return Ok(Outcome::NoMatch);
        };
        let whole = map.is_some_and(|map| map.covers(&fusion.program.values[map.value].spec));
        if !whole {
            return Err("only a part of the feature map is packed");
        }
        absorbed.push(id);
        conv = found;
    }
    let slab = q.spec.shape.numel();
    let [seq_len, head_dim] = *q.spec.shape.dims() else { return Err("the attention is batched") };
    let slabs = [q, k, v].into_iter().enumerate();
    if !slabs.into_iter().all(|(i, part)| part.spec == q.spec && part.is_dense() && part.offset == i * slab) {
        return Err("queries, keys and values are not three slabs one after the other");
    }
    if attention.attrs != Attrs::from(AttentionAttrs::default()) || attention.input(3).is_some() {
        return Err("the attention has a mask or attributes of its own");
    }
    let how = Conv2dAttrs::from_attrs(&conv.attrs);
    if how.activation != Activation::Relu || (how.groups, how.dilation_h, how.dilation_w) != (1, 1, 1) {
        return Err("the convolution has no ReLU, or has groups or dilation");
    }
    for (i, id) in absorbed.iter().enumerate() {
        fusion.absorbable(*id, if i == 0 { 3 } else { 1 }, last)?;
    }
    let Conv2dAttrs { stride_h, stride_w, pad_h, pad_w, .. } = how;
    let attrs = ConvAttentionAttrs { seq_len, head_dim, stride_h, stride_w, pad_h, pad_w };
    fusion.replace(last, &absorbed, &CONV_ATTENTION, attrs.into(), conv.inputs)
}
