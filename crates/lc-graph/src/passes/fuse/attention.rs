//! matmul, softmax, matmul: one attention, whose scores never reach memory.

use super::{Checked, Fusion, Outcome, has_activation, swapped};
use crate::program::CallId;
use lc_ops::{ATTENTION, AttentionAttrs, MATMUL, SOFTMAX, SoftmaxAttrs};

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let Some(second) = fusion.call(last, &[&MATMUL]) else { return Ok(Outcome::NoMatch) };
    let Some((middle, softmax)) = fusion.producer(second.input(0), &[&SOFTMAX]) else { return Ok(Outcome::NoMatch) };
    let Some((first, scores)) = fusion.producer(softmax.input(0), &[&MATMUL]) else { return Ok(Outcome::NoMatch) };
    let plain = |call: &crate::program::Call| call.inputs.iter().skip(2).all(Option::is_none) && !has_activation(call);
    if !plain(&scores) || !plain(&second) {
        // An added mask may hide a whole row, of which softmax makes NaN and attention makes zeros.
        return Err("a product adds or activates something");
    }
    let (Some(q), Some(right), Some(v)) = (scores.input(0), scores.input(1), second.input(1)) else {
        return Ok(Outcome::NoMatch);
    };
    let rank = q.spec.shape.rank();
    if SoftmaxAttrs::from_attrs(&softmax.attrs).axis_of(rank) + 1 != rank {
        return Err("the softmax is not along the last dimension");
    }
    let Some(k) = swapped(right) else { return Ok(Outcome::NoMatch) };
    if k.strides.steps()[rank.min(k.spec.shape.rank()) - 1] != 1 && k.spec.shape.dims().last() != Some(&1) {
        return Err("the keys are not rows in memory: the left product's right operand is not a transposed tensor");
    }
    fusion.absorbable(middle, 1, last)?;
    fusion.absorbable(first, 1, last)?;
    let attrs = AttentionAttrs { scale: 1.0, ..AttentionAttrs::default() };
    let inputs = vec![Some(*q), Some(k), Some(*v)];
    fusion.replace(last, &[middle, first], &ATTENTION, attrs.into(), inputs)
}
