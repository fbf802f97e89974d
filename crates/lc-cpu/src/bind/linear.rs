//! linear: `x · weightᵀ + bias`.

use super::{Binding, Call, Real, Rows, by_dtype, matmul, matrix, with_rows};
use crate::gemm::{Bias, Epilogue, GemmFloat, PackedB, gemm, gemm_packed};
use crate::isa::Isa;
use crate::view::{Mat, MatMut};
use lc_core::backend::Buffer;
use lc_core::{Activation, Attrs, Result, TensorRef};
use lc_ops::LinearAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::LINEAR,
    names: ["cpu.linear.scalar", "cpu.linear.avx2", "cpu.linear.avx512", "cpu.linear.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: Some(|isa, attrs, inputs, index| prepare(isa, attrs, inputs, index, &[WEIGHT])),
};

const WEIGHT: usize = 1;

fn run<T: Real + GemmFloat>(call: &Call<'_>) -> Result<()> {
    let activation = LinearAttrs::from_attrs(call.attrs).activation;
    let weight: Mat<T> = matrix(call.input(WEIGHT), 0);
    with_rows::<T, _>(call.input(0), |x| {
        // SAFETY: extents are checked by the op's rule, and the result is dense and apart from the inputs.
        unsafe { project(call, x, weight, WEIGHT, call.vector(2), activation, call.out()) };
    });
    Ok(())
}

/// `out = act(x · weightᵀ + bias)`, from the session's packed weight if there is one.
///
/// # Safety
/// `weight` has a column for each of `x`'s; `out` holds a dense `[x.rows, weight.rows]` and overlaps nothing.
pub unsafe fn project<T: Real + GemmFloat>(
    call: &Call<'_>,
    x: Rows<T>,
    weight: Mat<T>,
    index: usize,
    bias: Option<(*const T, isize)>,
    activation: Activation,
    out: *mut T,
) {
    let n = weight.rows;
    let c = MatMut { ptr: out, rows: x.rows, cols: n, row_stride: n as isize, col_stride: 1 };
    let bias = bias.map(|(ptr, stride)| Bias::PerColumn { ptr, stride });
    let epilogue = Epilogue { scale: T::ONE, bias, residual: None, activation };
    // SAFETY: the caller's contract.
    unsafe {
        match call.packed::<PackedB<T>>(index) {
            Some(packed) => gemm_packed(call.isa, call.threads, x.matrix(), packed, c, &epilogue),
            None => gemm(call.isa, call.threads, x.matrix(), weight.t(), c, &epilogue),
        }
    }
}

/// Packs the weights at the given positions, which are `[out, in]`.
pub fn prepare(
    isa: Isa,
    _: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    index: usize,
    weights: &[usize],
) -> Result<Option<Buffer>> {
    match inputs.get(index).and_then(Option::as_ref) {
        Some(weight) if weights.contains(&index) => Ok(matmul::pack(isa, weight, true)),
        _ => Ok(None),
    }
}
