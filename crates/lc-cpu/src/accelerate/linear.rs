//! linear: `x · weightᵀ + bias`.

use super::cblas::{BlasFloat, Library, product};
use crate::bind::{Binding, Call, by_dtype, matrix, with_rows};
use crate::gemm::{Bias, Epilogue};
use crate::view::{Mat, MatMut};
use lc_core::Result;
use lc_ops::LinearAttrs;

/// The layer by a library.
pub fn binding<L: Library>() -> Binding {
    let names = ["cpu.linear.accelerate"; 4];
    let run = |call: &Call<'_>| by_dtype(call, run::<L, f32>, run::<L, f64>);
    Binding { op: &lc_ops::LINEAR, names, run, run_op: None, prepare: None }
}

fn run<L: Library, T: BlasFloat>(call: &Call<'_>) -> Result<()> {
    let weight: Mat<T> = matrix(call.input(1), 0);
    let bias = call.vector::<T>(2).map(|(ptr, stride)| Bias::PerColumn { ptr, stride });
    let activation = LinearAttrs::from_attrs(call.attrs).activation;
    let epilogue = Epilogue { scale: T::ONE, bias, residual: None, activation };
    with_rows::<T, _>(call.input(0), |x| {
        let n = weight.rows;
        let c = MatMut { ptr: call.out::<T>(), rows: x.rows, cols: n, row_stride: n as isize, col_stride: 1 };
        // SAFETY: extents are checked by the op's rule, and the result is dense and apart from the inputs.
        unsafe { product::<L, T>(call.isa, call.threads, x.matrix(), weight.t(), c, &epilogue) }
    })
}
