//! matmul, batched and not.

use super::{Binding, Call, Real, by_dtype, collapsed_rows, matrix, packed_buffer};
use crate::gemm::{Bias, Epilogue, GemmFloat, PackedB, gemm, gemm_batched, gemm_packed};
use crate::isa::Isa;
use crate::view::{Mat, MatMut};
use lc_core::backend::Buffer;
use lc_core::shape::MAX_RANK;
use lc_core::{Attrs, DType, Result, Shape, TensorRef};
use lc_ops::MatmulAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::MATMUL,
    names: ["cpu.gemm.scalar", "cpu.gemm.avx2", "cpu.gemm.avx512", "cpu.gemm.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: Some(prepare),
};

const B: usize = 1;

fn run<T: Real + GemmFloat>(call: &Call<'_>) -> Result<()> {
    let (a, b) = (call.input(0), call.input(B));
    let shape = call.outputs[0].spec().shape;
    let rank = shape.rank();
    let (m, n) = (shape[rank - 2], shape[rank - 1]);
    let batch: usize = shape.dims()[..rank - 2].iter().product();
    let c = |index: usize| MatMut {
        ptr: call.out::<T>().wrapping_add(index * m * n),
        rows: m,
        cols: n,
        row_stride: n as isize,
        col_stride: 1,
    };
    let bias = call.vector::<T>(2).map(|(ptr, stride)| Bias::PerColumn { ptr, stride });
    let residual = call.optional(3);
    let activation = MatmulAttrs::from_attrs(call.attrs).activation;
    let epilogue = |index: usize| Epilogue {
        scale: T::ONE,
        bias,
        residual: residual.map(|r| matrix(r, batch_offset(r, &shape, index))),
        activation,
    };
    let threads = call.threads;
    // One B for every A: when the rows of all of them lie at one stride, as they do in dense tensors, that is one product.
    if batch > 1
        && b.shape().rank() == 2
        && let Some(a) = collapsed_rows::<T>(a)
        && let Some(residual) = residual.map_or(Some(None), |r| collapsed_rows::<T>(r).map(|r| Some(r.matrix())))
    {
        let c = MatMut { rows: batch * m, ..c(0) };
        let epilogue = Epilogue { residual, ..epilogue(0) };
        // SAFETY: as below; the batch dimensions of A are those of the result, since B has none.
        unsafe {
            match call.packed::<PackedB<T>>(B) {
                Some(packed) => gemm_packed(call.isa, threads, a.matrix(), packed, c, &epilogue),
                None => gemm(call.isa, threads, a.matrix(), matrix(b, 0), c, &epilogue),
            }
        }
        return Ok(());
    }
    // SAFETY: `matrix` gives the strides of readable views whose extents the op's rule checked; the result is dense and
    // overlaps none of them.
    unsafe {
        if batch == 1 {
            let (a, b): (Mat<T>, Mat<T>) = (matrix(a, 0), matrix(b, 0));
            match call.packed::<PackedB<T>>(B) {
                Some(packed) => gemm_packed(call.isa, threads, a, packed, c(0), &epilogue(0)),
                None => gemm(call.isa, threads, a, b, c(0), &epilogue(0)),
            }
        } else if let Some(packed) = call.packed::<PackedB<T>>(B) {
            for index in 0..batch {
                let a = matrix(a, batch_offset(a, &shape, index));
                gemm_packed(call.isa, threads, a, packed, c(index), &epilogue(index));
            }
        } else if residual.is_some() {
            for index in 0..batch {
                let (a, b) = (matrix(a, batch_offset(a, &shape, index)), matrix(b, batch_offset(b, &shape, index)));
                gemm(call.isa, threads, a, b, c(index), &epilogue(index));
            }
        } else {
            gemm_batched(
                call.isa,
                threads,
                batch,
                |index| matrix(a, batch_offset(a, &shape, index)),
                |index| matrix(b, batch_offset(b, &shape, index)),
                c,
                &epilogue(0),
            );
        }
    }
    Ok(())
}

/// The element offset of the matrix that a batch index reads, where batch dimensions broadcast to those of `out`.
pub fn batch_offset(tensor: &TensorRef<'_>, out: &Shape, index: usize) -> isize {
    let (from, to) = (tensor.shape().rank() - 2, out.rank() - 2);
    let mut position = [0usize; MAX_RANK];
    let mut rest = index;
    for axis in (0..to).rev() {
        position[axis] = rest % out[axis];
        rest /= out[axis];
    }
    (0..from)
        .map(|axis| match tensor.shape()[axis] {
            1 => 0,
            _ => position[to - from + axis] as isize * tensor.strides()[axis],
        })
        .sum()
}

fn prepare(isa: Isa, _: &Attrs, inputs: &[Option<TensorRef<'_>>], index: usize) -> Result<Option<Buffer>> {
    match inputs.get(index).and_then(Option::as_ref) {
        Some(b) if index == B && b.shape().rank() == 2 => Ok(pack(isa, b, false)),
        _ => Ok(None),
    }
}

/// Packs a matrix, or its transpose, as the right operand of a product; `None` for a type that no product here takes.
pub fn pack(isa: Isa, tensor: &TensorRef<'_>, transposed: bool) -> Option<Buffer> {
    fn of<T: Real + GemmFloat>(isa: Isa, tensor: &TensorRef<'_>, transposed: bool) -> Buffer {
        let view: Mat<T> = matrix(tensor, 0);
        // SAFETY: the strides are those of a readable view.
        let packed = unsafe { PackedB::<T>::new(isa, if transposed { view.t() } else { view }) };
        packed_buffer(packed.bytes(), packed)
    }
    Some(match tensor.dtype() {
        DType::F32 => of::<f32>(isa, tensor, transposed),
        DType::F64 => of::<f64>(isa, tensor, transposed),
        DType::F16 => return None,
    })
}
