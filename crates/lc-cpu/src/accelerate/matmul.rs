//! matmul, batched and not.

use super::cblas::{BlasFloat, Library, product};
use crate::bind::{Binding, Call, by_dtype, collapsed_rows, matmul::batch_offset, matrix};
use crate::gemm::{Bias, Epilogue};
use crate::view::MatMut;
use lc_core::Result;
use lc_ops::MatmulAttrs;

/// The product by a library.
pub fn binding<L: Library>() -> Binding {
    let names = ["cpu.gemm.accelerate"; 4];
    let run = |call: &Call<'_>| by_dtype(call, run::<L, f32>, run::<L, f64>);
    Binding { op: &lc_ops::MATMUL, names, run, run_op: None, prepare: None }
}

fn run<L: Library, T: BlasFloat>(call: &Call<'_>) -> Result<()> {
    let (a, b, residual) = (call.input(0), call.input(1), call.optional(3));
    let shape = call.outputs[0].spec().shape;
    let (batch, [m, n]) = match shape.dims() {
        [batch @ .., m, n] => (batch.iter().product::<usize>(), [*m, *n]),
        _ => return Ok(()),
    };
    let c = |index: usize, rows: usize| MatMut {
        ptr: call.out::<T>().wrapping_add(index * m * n),
        rows,
        cols: n,
        row_stride: n as isize,
        col_stride: 1,
    };
    let bias = call.vector::<T>(2).map(|(ptr, stride)| Bias::PerColumn { ptr, stride });
    let activation = MatmulAttrs::from_attrs(call.attrs).activation;
    let plain = Epilogue { scale: T::ONE, bias, residual: None, activation };
    // One B for every A is one product, where the rows of all of them lie at one stride.
    if b.shape().rank() == 2
        && let Some(rows) = collapsed_rows::<T>(a)
        && let Some(residual) = residual.map_or(Some(None), |r| collapsed_rows::<T>(r).map(|r| Some(r.matrix())))
    {
        let epilogue = Epilogue { residual, ..plain };
        // SAFETY: as below; the batch dimensions of A are those of the result, since B has none.
        return unsafe {
            product::<L, T>(call.isa, call.threads, rows.matrix(), matrix(b, 0), c(0, batch * m), &epilogue)
        };
    }
    for index in 0..batch {
        let residual = residual.map(|r| matrix(r, batch_offset(r, &shape, index)));
        let (a, b) = (matrix(a, batch_offset(a, &shape, index)), matrix(b, batch_offset(b, &shape, index)));
        let epilogue = Epilogue { residual, ..plain };
        // SAFETY: `matrix` gives the strides of readable views whose extents the op's rule checked; the result is dense and
        // overlaps none of them.
        unsafe { product::<L, T>(call.isa, call.threads, a, b, c(index, m), &epilogue)? };
    }
    Ok(())
}
