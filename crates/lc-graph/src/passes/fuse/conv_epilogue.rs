//! conv2d, then a bias for each channel or an activation: the convolution applies them before it stores its tile.

use super::{Checked, Fusion, Outcome, has_activation, with_activation};
use crate::program::{CallId, Operand};
use lc_core::{Shape, Strides, TensorSpec};
use lc_ops::{ACTIVATION, ADD, ActivationAttrs, CONV2D};

const BIAS: usize = 2;

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let Some(call) = fusion.call(last, &[&ACTIVATION, &ADD]) else { return Ok(Outcome::NoMatch) };
    if call.op == &ACTIVATION {
        let Some((id, conv)) = fusion.producer(call.input(0), &[&CONV2D]) else { return Ok(Outcome::NoMatch) };
        if has_activation(&conv) {
            return Err("the convolution has an activation already");
        }
        fusion.absorbable(id, 1, last)?;
        let attrs = with_activation(&conv, ActivationAttrs::from_attrs(&call.attrs).kind)?;
        return fusion.replace(last, &[id], &CONV2D, attrs, conv.inputs);
    }
    let mut why = None;
    for (side, other) in [(0, 1), (1, 0)] {
        let Some((id, conv)) = fusion.producer(call.input(side), &[&CONV2D]) else { continue };
        let Some(addend) = call.input(other) else { continue };
        let mut inputs = conv.inputs.clone();
        inputs.resize(CONV2D.inputs.len(), None);
        if has_activation(&conv) || inputs[BIAS].is_some() {
            why = Some("the convolution has a bias or an activation before the addition");
            continue;
        }
        let channels = fusion.program.values[conv.outputs[0]].spec.shape[1];
        let Some(bias) = as_channels(addend, channels) else {
            why = Some("the addend is not one number for each channel");
            continue;
        };
        inputs[BIAS] = Some(bias);
        match fusion.absorbable(id, 1, last) {
            Ok(()) => return fusion.replace(last, &[id], &CONV2D, conv.attrs, inputs),
            Err(reason) => why = Some(reason),
        }
    }
    why.map_or(Ok(Outcome::NoMatch), Err)
}

/// An operand of shape `[channels, 1, 1]`, or with more ones before, as a vector.
fn as_channels(operand: &Operand, channels: usize) -> Option<Operand> {
    let (dims, steps) = (operand.spec.shape.dims(), operand.strides.steps());
    let axis = dims.len().checked_sub(3)?;
    let fits = dims.len() <= 4 && dims.iter().enumerate().all(|(i, d)| *d == if i == axis { channels } else { 1 });
    if !fits {
        return None;
    }
    let spec = TensorSpec::new(operand.spec.dtype, Shape::new(&[channels]).ok()?);
    Some(Operand { spec, strides: Strides::new(&[steps[axis]]).ok()?, ..*operand })
}
