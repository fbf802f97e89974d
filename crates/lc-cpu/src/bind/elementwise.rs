//! add, sub, mul, div.

use super::{Binding, Call, Real, by_dtype};
use crate::ops::elementwise::{BinaryOp, binary};
use lc_core::Result;
use lc_core::shape::MAX_RANK;

/// One binding an op.
pub const BINDINGS: [Binding; 4] = [
    Binding {
        op: &lc_ops::ADD,
        names: ["cpu.add.scalar", "cpu.add.avx2", "cpu.add.avx512", "cpu.add.neon"],
        run: |call| by_dtype(call, run::<f32, ADD>, run::<f64, ADD>),
        run_op: None,
        prepare: None,
    },
    Binding {
        op: &lc_ops::SUB,
        names: ["cpu.sub.scalar", "cpu.sub.avx2", "cpu.sub.avx512", "cpu.sub.neon"],
        run: |call| by_dtype(call, run::<f32, SUB>, run::<f64, SUB>),
        run_op: None,
        prepare: None,
    },
    Binding {
        op: &lc_ops::MUL,
        names: ["cpu.mul.scalar", "cpu.mul.avx2", "cpu.mul.avx512", "cpu.mul.neon"],
        run: |call| by_dtype(call, run::<f32, MUL>, run::<f64, MUL>),
        run_op: None,
        prepare: None,
    },
    Binding {
        op: &lc_ops::DIV,
        names: ["cpu.div.scalar", "cpu.div.avx2", "cpu.div.avx512", "cpu.div.neon"],
        run: |call| by_dtype(call, run::<f32, DIV>, run::<f64, DIV>),
        run_op: None,
        prepare: None,
    },
];

const OPS: [BinaryOp; 4] = [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div];
const ADD: usize = 0;
const SUB: usize = 1;
const MUL: usize = 2;
const DIV: usize = 3;

#[inline]
fn run<T: Real, const OP: usize>(call: &Call<'_>) -> Result<()> {
    let (a, b) = (call.input(0), call.input(1));
    let shape = &call.outputs[0].spec().shape;
    // The usual case first: nothing to broadcast.
    if a.shape() == shape && b.shape() == shape {
        // SAFETY: the views are of `shape`; the result is dense, of `shape`, and overlaps neither.
        unsafe {
            binary::<T>(
                call.isa,
                call.threads,
                OPS[OP],
                shape.dims(),
                a.ptr().cast(),
                a.strides().steps(),
                b.ptr().cast(),
                b.strides().steps(),
                call.out(),
            );
        }
        return Ok(());
    }
    // Broadcasting is a stride of zero: align at the right, and stand still along stretched dimensions.
    let aligned = |tensor: &lc_core::TensorRef<'_>| {
        let mut steps = [0isize; MAX_RANK];
        let (from, to) = (tensor.shape().rank(), shape.rank());
        for i in 0..from {
            let axis = to - from + i;
            steps[axis] = if tensor.shape()[i] == shape[axis] { tensor.strides()[i] } else { 0 };
        }
        steps
    };
    let (sa, sb) = (aligned(a), aligned(b));
    let rank = shape.rank();
    // SAFETY: the op's rule broadcasts `a` and `b` to `shape`, so every offset of these strides is an element of theirs;
    // the result is dense, of `shape`, and overlaps neither.
    unsafe {
        binary::<T>(
            call.isa,
            call.threads,
            OPS[OP],
            shape.dims(),
            a.ptr().cast(),
            &sa[..rank],
            b.ptr().cast(),
            &sb[..rank],
            call.out(),
        );
    }
    Ok(())
}
