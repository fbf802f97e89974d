//! matmul or linear, then a bias, a residual or an activation: the product applies them before it stores its tile.

use super::{Checked, Fusion, Outcome, has_activation, with_activation};
use crate::program::{CallId, Operand};
use lc_core::{Shape, Strides, TensorSpec};
use lc_ops::{ACTIVATION, ADD, ActivationAttrs, LINEAR, MATMUL};

const BIAS: usize = 2;
const RESIDUAL: usize = 3;

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let products = [&MATMUL, &LINEAR];
    let Some(call) = fusion.call(last, &[&ACTIVATION, &ADD]) else { return Ok(Outcome::NoMatch) };
    if call.op == &ACTIVATION {
        let Some((id, product)) = fusion.producer(call.input(0), &products) else { return Ok(Outcome::NoMatch) };
        if has_activation(&product) {
            return Err("the product has an activation already");
        }
        fusion.absorbable(id, 1, last)?;
        let attrs = with_activation(&product, ActivationAttrs::from_attrs(&call.attrs).kind)?;
        return fusion.replace(last, &[id], product.op, attrs, product.inputs);
    }
    let mut why = None;
    for (side, other) in [(0, 1), (1, 0)] {
        let Some((id, product)) = fusion.producer(call.input(side), &products) else { continue };
        let Some(addend) = call.input(other) else { continue };
        if has_activation(&product) {
            why = Some("the product has an activation before the addition");
            continue;
        }
        let mut inputs = product.inputs.clone();
        inputs.resize(product.op.inputs.len(), None);
        let out = fusion.program.values[product.outputs[0]].spec;
        match as_row(addend, &out) {
            Some(bias) if inputs[BIAS].is_none() => inputs[BIAS] = Some(bias),
            _ if product.op == &MATMUL && addend.spec == out && inputs[RESIDUAL].is_none() => {
                inputs[RESIDUAL] = Some(*addend);
            }
            _ => {
                why = Some("the addend is neither one row nor of the product's shape, or there is one already");
                continue;
            }
        }
        match fusion.absorbable(id, 1, last) {
            Ok(()) => return fusion.replace(last, &[id], product.op, product.attrs, inputs),
            Err(reason) => why = Some(reason),
        }
    }
    why.map_or(Ok(Outcome::NoMatch), Err)
}

/// An operand that is one row, as a vector.
fn as_row(operand: &Operand, out: &TensorSpec) -> Option<Operand> {
    let (dims, n) = (operand.spec.shape.dims(), *out.shape.dims().last()?);
    let (last, outer) = dims.split_last()?;
    if *last != n || outer.iter().any(|dim| *dim != 1) || dims.len() > out.shape.rank() {
        return None;
    }
    let spec = TensorSpec::new(operand.spec.dtype, Shape::new(&[n]).ok()?);
    let step = *operand.strides.steps().last()?;
    Some(Operand { spec, strides: Strides::new(&[step]).ok()?, ..*operand })
}
