//! Binds kernels to ops: one file an op, from checked tensors to the pointers and strides that a kernel takes.
//!
//! By the time a binding runs, the op's rule has checked ranks, extents and dtypes, and the plan has checked that results
//! are dense and overlap nothing. A binding only unpacks.

mod activation;
mod attention;
mod attention_train;
mod conv2d;
mod conv_attention;
mod elementwise;
mod elementwise_chain;
mod ffn;
mod layer_norm;
mod layer_norm_projection;
mod linear;
pub(crate) mod matmul;
mod pack;
mod reference;
mod rms_norm;
mod softmax;

use crate::isa::Isa;
use crate::math::MathFloat;
use crate::view::Mat;
use lc_core::attrs::Attrs;
use lc_core::backend::Buffer;
use lc_core::registry::OpDef;
use lc_core::{DType, Element, Result, TensorMut, TensorRef};

/// Makes the resident form of one input of a call; `None` if the dense form is best.
pub type Prepare = fn(Isa, &Attrs, &[Option<TensorRef<'_>>], usize) -> Result<Option<Buffer>>;

/// A kernel and how to call it.
#[derive(Clone, Copy)]
pub struct Binding {
    /// The op that it computes.
    pub op: &'static OpDef,
    /// Its name by instruction set, in the order of [`Isa`]'s values.
    pub names: [&'static str; 4],
    /// Runs it.
    pub run: fn(&Call<'_>) -> Result<()>,
    /// Runs it, told which op it is, if one function serves several.
    pub run_op: Option<fn(&'static OpDef, &Call<'_>) -> Result<()>>,
    /// Packs an input for a session.
    pub prepare: Option<Prepare>,
}

/// Every binding.
pub fn all() -> Vec<Binding> {
    let mut all = vec![
        matmul::BINDING,
        linear::BINDING,
        conv2d::BINDING,
        attention::BINDING,
        attention_train::BINDING,
        softmax::BINDING,
        conv_attention::BINDING,
        pack::BINDING,
        layer_norm::BINDING,
        rms_norm::BINDING,
        activation::BINDING,
        ffn::BINDING,
        layer_norm_projection::BINDING,
        elementwise_chain::BINDING,
    ];
    all.extend(elementwise::BINDINGS);
    for op in lc_ops::ALL {
        if all.iter().all(|binding| binding.op != op) {
            all.push(reference::binding(op));
        }
    }
    all
}

/// An element that every kernel is compiled for.
pub trait Real: MathFloat + Element {}
impl Real for f32 {}
impl Real for f64 {}

/// A checked call.
pub struct Call<'a> {
    /// The instruction set to use.
    pub isa: Isa,
    /// Threads to use at most, the caller's own included.
    pub threads: usize,
    /// Attributes.
    pub attrs: &'a Attrs,
    /// Inputs.
    pub inputs: &'a [Option<TensorRef<'a>>],
    /// Packed forms of inputs, if a session made any.
    pub prepared: &'a [Option<&'a Buffer>],
    /// Results.
    pub outputs: &'a [TensorMut<'a>],
}

impl<'a> Call<'a> {
    /// A required input.
    #[inline]
    pub fn input(&self, index: usize) -> &TensorRef<'a> {
        self.inputs[index].as_ref().expect("the op's rule requires this input")
    }

    /// An optional input.
    #[inline]
    pub fn optional(&self, index: usize) -> Option<&TensorRef<'a>> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// A vector input as a pointer and a stride.
    #[inline]
    pub fn vector<T>(&self, index: usize) -> Option<(*const T, isize)> {
        self.optional(index).map(|t| (t.ptr().cast(), t.strides().steps().last().copied().unwrap_or(0)))
    }

    /// The resident form of an input.
    #[inline]
    pub fn packed<P: 'static>(&self, index: usize) -> Option<&'a P> {
        self.prepared.get(index).copied().flatten().and_then(Buffer::inner)
    }

    /// The first result.
    #[inline]
    pub fn out<T>(&self) -> *mut T {
        self.outputs[0].ptr().cast()
    }

    /// The element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.input(0).dtype()
    }
}

/// The last two dimensions of a tensor as a matrix, at an element offset.
#[inline]
pub fn matrix<T>(tensor: &TensorRef<'_>, offset: isize) -> Mat<T> {
    let rank = tensor.shape().rank();
    let (shape, strides) = (tensor.shape(), tensor.strides());
    Mat {
        ptr: tensor.ptr().cast::<T>().wrapping_offset(offset),
        rows: shape[rank - 2],
        cols: shape[rank - 1],
        row_stride: strides[rank - 2],
        col_stride: strides[rank - 1],
    }
}

/// A tensor as rows of its last dimension. The other dimensions become one where their strides allow it.
pub struct Rows<T> {
    /// Row 0, column 0.
    pub ptr: *const T,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Elements from row to row.
    pub row_stride: isize,
    /// Elements from column to column.
    pub col_stride: isize,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Rows<T> {}

impl<T> Rows<T> {
    /// As a matrix.
    pub fn matrix(&self) -> Mat<T> {
        Mat {
            ptr: self.ptr,
            rows: self.rows,
            cols: self.cols,
            row_stride: self.row_stride,
            col_stride: self.col_stride,
        }
    }
}

/// The rows of `tensor`, if one row stride reaches them all.
#[inline]
pub fn collapsed_rows<T: Real>(tensor: &TensorRef<'_>) -> Option<Rows<T>> {
    let (dims, steps) = (tensor.shape().dims(), tensor.strides().steps());
    let ptr = tensor.ptr().cast();
    let Some((&cols, outer)) = dims.split_last() else {
        return Some(Rows { ptr, rows: 1, cols: 1, row_stride: 1, col_stride: 1 });
    };
    // Outer dimensions collapse if each step is the extent times the step of the next one that is longer than 1.
    let mut row_stride = None;
    let mut next = 0isize;
    for (&dim, &step) in outer.iter().zip(steps).rev().filter(|(dim, _)| **dim != 1) {
        if row_stride.is_some() && step != next {
            return None;
        }
        row_stride = row_stride.or(Some(step));
        next = step * dim as isize;
    }
    let rows = outer.iter().product();
    Some(Rows { ptr, rows, cols, row_stride: row_stride.unwrap_or(0), col_stride: steps[outer.len()] })
}

/// Calls `run` with the rows of `tensor`; gathers them into a dense copy first if no single row stride reaches them all.
#[inline]
pub fn with_rows<T: Real, R>(tensor: &TensorRef<'_>, run: impl FnOnce(Rows<T>) -> R) -> R {
    if let Some(rows) = collapsed_rows(tensor) {
        return run(rows);
    }
    let dims = tensor.shape().dims();
    let cols = dims.last().copied().unwrap_or(1);
    let rows = dims[..dims.len() - 1].iter().product();
    let dense = dense_copy::<T>(tensor);
    run(Rows { ptr: dense.as_ptr(), rows, cols, row_stride: cols as isize, col_stride: 1 })
}

/// The height of blocks when `rows` are cut into as few of about `most` as it takes, all alike; no block is planned lower
/// than 64 rows.
pub fn even_blocks(rows: usize, most: usize) -> usize {
    let blocks = rows.div_ceil(most.max(64)).max(1);
    rows.div_ceil(blocks).max(1)
}

/// The elements of a view in row-major order.
pub fn dense_copy<T: Real>(tensor: &TensorRef<'_>) -> Vec<T> {
    let mut dense = Vec::with_capacity(tensor.shape().numel());
    let ptr = tensor.ptr().cast::<T>();
    lc_core::tensor::walk(tensor.shape(), tensor.strides(), |offset| {
        // SAFETY: the offset is that of an element of the view, which can be read.
        dense.push(unsafe { *ptr.wrapping_offset(offset) });
    });
    dense
}

/// Runs the `f32` or the `f64` form of a binding.
#[inline]
pub fn by_dtype(
    call: &Call<'_>,
    single: fn(&Call<'_>) -> Result<()>,
    double: fn(&Call<'_>) -> Result<()>,
) -> Result<()> {
    match call.dtype() {
        DType::F32 => single(call),
        DType::F64 => double(call),
        // No entry of the kernel table has it.
        DType::F16 => Err(lc_core::Error::unsupported("cpu", "float32 or float64", "float16")),
    }
}

/// A buffer that holds a packed operand.
pub fn packed_buffer<P: Send + Sync + 'static>(bytes: usize, packed: P) -> Buffer {
    Buffer::new(bytes, Box::new(packed))
}
