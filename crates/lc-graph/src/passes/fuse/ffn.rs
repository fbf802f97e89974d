//! Two products with an activation between them: one feed-forward block.

use super::{Checked, Fusion, Outcome, as_linear, has_activation};
use crate::program::CallId;
use lc_core::Activation;
use lc_ops::{FFN, FfnAttrs, LINEAR, LinearAttrs, MATMUL, MatmulAttrs};

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let products = [&LINEAR, &MATMUL];
    let Some(second) = fusion.call(last, &products) else { return Ok(Outcome::NoMatch) };
    let Some((id, first)) = fusion.producer(second.input(0), &products) else { return Ok(Outcome::NoMatch) };
    let activation = match first.op == &LINEAR {
        true => LinearAttrs::from_attrs(&first.attrs).activation,
        false => MatmulAttrs::from_attrs(&first.attrs).activation,
    };
    if activation == Activation::Identity {
        // Two bare products may be the ends of an attention, or better multiplied in another order.
        return Ok(Outcome::NoMatch);
    }
    if has_activation(&second) {
        return Err("the second product has an activation, which the fused op lacks");
    }
    let (Some((x, w1, b1)), Some((_, w2, b2))) = (as_linear(&first), as_linear(&second)) else {
        return Err("a product is batched over its right operand, or adds a residual");
    };
    fusion.absorbable(id, 1, last)?;
    let inputs = vec![Some(x), Some(w1), Some(w2), b1, b2];
    fusion.replace(last, &[id], &FFN, FfnAttrs { activation }.into(), inputs)
}
