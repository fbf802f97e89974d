//! layer norm, then a product: rows are normalised right before they are multiplied.

use super::{Checked, Fusion, Outcome, as_linear, has_activation};
use crate::program::CallId;
use lc_ops::{LAYER_NORM, LAYER_NORM_PROJECTION, LINEAR, LayerNormAttrs, LayerNormProjectionAttrs, MATMUL};

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let Some(product) = fusion.call(last, &[&LINEAR, &MATMUL]) else { return Ok(Outcome::NoMatch) };
    let Some((id, norm)) = fusion.producer(product.input(0), &[&LAYER_NORM]) else { return Ok(Outcome::NoMatch) };
    if has_activation(&product) {
        return Err("the product has an activation, which the fused op lacks");
    }
    let Some((_, weight, bias)) = as_linear(&product) else {
        return Err("the product is batched over its right operand, or adds a residual");
    };
    fusion.absorbable(id, 1, last)?;
    let attrs = LayerNormProjectionAttrs { eps: LayerNormAttrs::from_attrs(&norm.attrs).eps };
    let part = |index| norm.input(index).copied();
    let inputs = vec![part(0), Some(weight), part(1), part(2), bias];
    fusion.replace(last, &[id], &LAYER_NORM_PROJECTION, attrs.into(), inputs)
}
