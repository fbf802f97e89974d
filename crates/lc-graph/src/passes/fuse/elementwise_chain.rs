//! Element-wise calls one after the other: one pass over memory.

use super::{Checked, Fusion, Outcome};
use crate::program::{Call, CallId, Operand};
use lc_core::Activation;
use lc_ops::{
    ACTIVATION, ADD, ActivationAttrs, CHAIN_OPERANDS, CHAIN_STEPS, ChainAttrs, ChainOp, ChainStep, DIV,
    ELEMENTWISE_CHAIN, MUL, SUB,
};

const OPS: [&lc_core::OpDef; 6] = [&ELEMENTWISE_CHAIN, &ADD, &SUB, &MUL, &DIV, &ACTIVATION];

pub fn apply(fusion: &mut Fusion<'_>, last: CallId) -> Checked {
    let Some(call) = fusion.call(last, &OPS) else { return Ok(Outcome::NoMatch) };
    let own = fusion.nodes.clone();
    let mut why = None;
    for position in 0..call.inputs.len() {
        fusion.nodes.clone_from(&own);
        let Some((id, producer)) = fusion.producer(call.input(position), &OPS) else { continue };
        match join(fusion, last, &call, id, &producer) {
            Ok(outcome) => return Ok(outcome),
            Err(reason) => why = why.or_else(|| Some((reason, fusion.nodes.clone()))),
        }
    }
    match why {
        None => Ok(Outcome::NoMatch),
        Some((reason, nodes)) => {
            fusion.nodes = nodes;
            Err(reason)
        }
    }
}

/// Puts the steps of `producer` before those of `call`.
fn join(fusion: &mut Fusion<'_>, last: CallId, call: &Call, id: CallId, producer: &Call) -> Checked {
    let made = producer.outputs[0];
    let (Some(first), Some(second)) = (chain_of(producer), chain_of(call)) else {
        return Err("an activation does nothing");
    };
    if fusion.program.values[made].spec != fusion.program.values[call.outputs[0]].spec {
        // Its steps would run again for every row that it broadcasts to.
        return Err("the intermediate result is smaller than what is made of it");
    }
    // A read of another shape or order is one that a chain cannot serve: it counts as a reader elsewhere.
    let whole = Operand::whole(made, fusion.program.values[made].spec);
    let reads = call.inputs.iter().flatten().filter(|operand| **operand == whole).count();
    fusion.absorbable(id, reads, last)?;
    if first.len() + second.len() > CHAIN_STEPS {
        return Err("the chain would have too many steps");
    }
    let mut operands: Vec<Operand> = Vec::new();
    let mut number = |operand: &Operand| {
        let known = operands.iter().position(|seen| seen == operand);
        known.unwrap_or_else(|| {
            operands.push(*operand);
            operands.len() - 1
        })
    };
    let mut steps = Vec::with_capacity(first.len() + second.len());
    for (chain, inputs, before) in [(&first, &producer.inputs, 0), (&second, &call.inputs, first.len())] {
        for step in chain {
            let mut place = |operand: u8| match (operand as usize).checked_sub(CHAIN_OPERANDS) {
                Some(earlier) => CHAIN_OPERANDS + before + earlier,
                None => match inputs.get(operand as usize).and_then(Option::as_ref) {
                    Some(read) if before > 0 && read.value == made => CHAIN_OPERANDS + before - 1,
                    Some(read) => number(read),
                    None => CHAIN_OPERANDS,
                },
            };
            let a = place(step.a);
            let b = if step.op.is_binary() { place(step.b) } else { 0 };
            steps.push((step.op, a, b));
        }
    }
    if operands.len() > CHAIN_OPERANDS {
        return Err("the chain would have too many operands");
    }
    let steps: Vec<_> = steps.iter().map(|(op, a, b)| ChainStep { op: *op, a: *a as u8, b: *b as u8 }).collect();
    let Some(chain) = ChainAttrs::new(&steps) else { return Err("the chain would have too many steps") };
    let inputs = operands.into_iter().map(Some).collect();
    fusion.replace(last, &[id], &ELEMENTWISE_CHAIN, chain.into(), inputs)
}

/// The steps of an element-wise call; `None` for an activation that is the identity, which chains lack.
fn chain_of(call: &Call) -> Option<Vec<ChainStep>> {
    if call.op == &ELEMENTWISE_CHAIN {
        return Some(ChainAttrs::from_attrs(&call.attrs)?.steps().to_vec());
    }
    let binary = [(&ADD, ChainOp::Add), (&SUB, ChainOp::Sub), (&MUL, ChainOp::Mul), (&DIV, ChainOp::Div)];
    if let Some((_, op)) = binary.into_iter().find(|(def, _)| call.op == *def) {
        return Some(vec![ChainStep { op, a: 0, b: 1 }]);
    }
    match ActivationAttrs::from_attrs(&call.attrs).kind {
        Activation::Identity => None,
        kind => Some(vec![ChainStep { op: ChainOp::Activate(kind), a: 0, b: 0 }]),
    }
}
