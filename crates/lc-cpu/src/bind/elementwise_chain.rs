//! Chains of element-wise steps.

use super::{Binding, Call, Real, by_dtype};
use crate::ops::elementwise::BinaryOp;
use crate::ops::elementwise_chain::{OPERANDS, Operand, Program, Step, elementwise_chain};
use crate::pool;
use lc_core::shape::MAX_RANK;
use lc_core::{Error, Result};
use lc_ops::{CHAIN_OPERANDS, ChainAttrs, ChainOp, ChainStep};

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::ELEMENTWISE_CHAIN,
    names: [
        "cpu.elementwise_chain.scalar",
        "cpu.elementwise_chain.avx2",
        "cpu.elementwise_chain.avx512",
        "cpu.elementwise_chain.neon",
    ],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: None,
};

const _: () = assert!(CHAIN_OPERANDS == OPERANDS && lc_ops::CHAIN_STEPS == crate::ops::elementwise_chain::STEPS);

fn step(step: &ChainStep) -> Step {
    let operand = |number: u8| match (number as usize).checked_sub(CHAIN_OPERANDS) {
        None => Operand::Input(number as usize),
        Some(earlier) => Operand::Step(earlier),
    };
    let (a, b) = (operand(step.a), operand(step.b));
    match step.op {
        ChainOp::Add => Step::Binary(BinaryOp::Add, a, b),
        ChainOp::Sub => Step::Binary(BinaryOp::Sub, a, b),
        ChainOp::Mul => Step::Binary(BinaryOp::Mul, a, b),
        ChainOp::Div => Step::Binary(BinaryOp::Div, a, b),
        ChainOp::Activate(kind) => Step::Activate(kind, a),
    }
}

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let Some(chain) = ChainAttrs::from_attrs(call.attrs) else {
        return Err(Error::invalid("elementwise_chain", "step0", "a program", "none"));
    };
    let mut steps = [Step::Activate(lc_core::Activation::Identity, Operand::Input(0)); lc_ops::CHAIN_STEPS];
    for (to, from) in steps.iter_mut().zip(chain.steps()) {
        *to = step(from);
    }
    let program = Program::new(&steps[..chain.steps().len()]);
    let shape = call.outputs[0].spec().shape;
    let rank = shape.rank();
    // Broadcasting is a stride of zero: align at the right, and stand still along stretched dimensions.
    let mut strides = [[0isize; MAX_RANK]; OPERANDS];
    let mut inputs = [std::ptr::null::<T>(); OPERANDS];
    for k in 0..OPERANDS {
        let Some(tensor) = call.optional(k) else { continue };
        inputs[k] = tensor.ptr().cast();
        let from = tensor.shape().rank();
        for i in 0..from {
            let axis = rank - from + i;
            let moves = tensor.shape()[i] == shape[axis] && shape[axis] > 1;
            strides[k][axis] = if moves { tensor.strides()[i] } else { 0 };
        }
    }
    // SAFETY: the op's rule broadcasts the inputs to `shape`, so every offset of these strides is an element of theirs; the
    // result is dense, of `shape`, and overlaps none of them.
    unsafe {
        elementwise_chain::<T>(
            call.isa,
            pool::threads(),
            &program,
            shape.dims(),
            std::array::from_fn(|k| (inputs[k], &strides[k][..rank])),
            call.out(),
        );
    }
    Ok(())
}
