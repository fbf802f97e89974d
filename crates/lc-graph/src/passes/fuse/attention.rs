//! matmul, softmax, matmul, perhaps with a scale and a mask between: one attention, whose scores never reach memory.
//!
//! A row that the mask hides whole becomes zeros, as attention is defined here; the softmax of such a row alone is NaN.

use super::{Checked, Fusion, Outcome, has_activation, swapped};
use crate::program::{Call, CallId, Operand};
use lc_ops::{ADD, ATTENTION, AttentionAttrs, DIV, MATMUL, MUL, SOFTMAX, SoftmaxAttrs};

/// The position of a product's residual.
const RESIDUAL: usize = 3;

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let Some(second) = fusion.call(last, &[&MATMUL]) else { return Ok(Outcome::NoMatch) };
    let Some((middle, softmax)) = fusion.producer(second.input(0), &[&SOFTMAX]) else { return Ok(Outcome::NoMatch) };
    let mut absorbed = vec![middle];
    let Some(mut read) = softmax.input(0).copied() else { return Ok(Outcome::NoMatch) };
    let mut mask = None;
    if let Some((id, sum)) = fusion.producer(Some(&read), &[&ADD]) {
        // The scores are on the side that a product or its scaling makes.
        let scores = (0..2).find(|side| leads_to_product(fusion, sum.input(*side)));
        let Some(side) = scores else { return Ok(Outcome::NoMatch) };
        let (Some(scores), Some(other)) = (sum.input(side), sum.input(1 - side)) else { return Ok(Outcome::NoMatch) };
        (read, mask) = (*scores, Some(*other));
        absorbed.push(id);
    }
    let mut scale = 1.0;
    if let Some((id, operand, factor)) = scaled(fusion, &read)? {
        (read, scale) = (operand, factor);
        absorbed.push(id);
    }
    let Some((first, scores)) = fusion.producer(Some(&read), &[&MATMUL]) else { return Ok(Outcome::NoMatch) };
    absorbed.push(first);
    let bare = |call: &Call| call.inputs.iter().skip(2).all(Option::is_none) && !has_activation(call);
    if !bare(&second) || has_activation(&scores) || scores.input(2).is_some() {
        return Err("a product adds a bias or activates something");
    }
    if let Some(residual) = scores.input(RESIDUAL) {
        if scale != 1.0 || mask.is_some() {
            return Err("the product adds a residual before the scale or the mask");
        }
        mask = Some(*residual);
    }
    let (Some(q), Some(right), Some(v)) = (scores.input(0), scores.input(1), second.input(1)) else {
        return Ok(Outcome::NoMatch);
    };
    let mut q = *q;
    let rank = q.spec.shape.rank();
    if SoftmaxAttrs::from_attrs(&softmax.attrs).axis_of(rank) + 1 != rank {
        return Err("the softmax is not along the last dimension");
    }
    if mask.is_some_and(|mask| mask.spec.shape.rank() > rank) {
        return Err("the mask has more dimensions than the scores");
    }
    // Queries may be scaled before the product, too.
    if let Some((id, operand, factor)) = scaled(fusion, &q)?
        && fusion.absorbable(id, 1, last).is_ok()
    {
        (q, scale) = (operand, scale * factor);
        absorbed.push(id);
    }
    if !scale.is_finite() || scale == 0.0 {
        return Err("the scale is zero or not finite");
    }
    let Some(k) = swapped(right) else { return Ok(Outcome::NoMatch) };
    for id in &absorbed {
        fusion.absorbable(*id, 1, last)?;
    }
    let attrs = AttentionAttrs { scale, ..AttentionAttrs::default() };
    let mut inputs = vec![Some(q), Some(k), Some(*v)];
    inputs.extend(mask.map(Some));
    fusion.replace(last, &absorbed, &ATTENTION, attrs.into(), inputs)
}

/// Whether an operand is a product, or a product that is scaled.
fn leads_to_product(fusion: &mut Fusion<'_>, operand: Option<&Operand>) -> bool {
    let Some((_, call)) = fusion.producer(operand, &[&MATMUL, &MUL, &DIV]) else { return false };
    call.op == &MATMUL || (0..2).any(|side| fusion.producer(call.input(side), &[&MATMUL]).is_some())
}

/// The call that multiplies or divides by a constant to make an operand: its number, what it scales, and the factor.
///
/// # Errors
/// A factor whose value is not known before a run, or one for each row or column.
fn scaled(fusion: &mut Fusion<'_>, operand: &Operand) -> Result<Option<(CallId, Operand, f64)>, &'static str> {
    let nodes = fusion.nodes.clone();
    let Some((id, call)) = fusion.producer(Some(operand), &[&MUL, &DIV]) else { return Ok(None) };
    let divides = call.op == &DIV;
    let sides = if divides { &[0][..] } else { &[0, 1][..] };
    for side in sides {
        let (Some(data), Some(factor)) = (call.input(*side), call.input(1 - *side)) else { continue };
        if data.spec == operand.spec
            && let Some(factor) = fusion.scalar(factor)
        {
            return Ok(Some((id, *data, if divides { 1.0 / factor } else { factor })));
        }
    }
    // Only a product of matrices makes this the middle of an attention: anything else is none of this rule's business.
    let product = sides.iter().any(|side| fusion.producer(call.input(*side), &[&MATMUL]).is_some());
    if product {
        return Err("the scale is not one number that is known when the graph is planned");
    }
    fusion.nodes = nodes;
    Ok(None)
}
