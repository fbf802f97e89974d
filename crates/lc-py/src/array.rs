//! Arrays in and out: what a Python object is as a tensor.
//!
//! An exact `ndarray` of native float32 or float64 is read by its fields, without a copy and whatever its strides. All
//! else takes the general path: DLPack and the buffer protocol through NumPy, also without a copy where the type is
//! already right, then a conversion where the function allows one. Results are never converted: what cannot be written
//! in place is refused.

mod convert;
mod output;

pub use convert::is_weak;
pub use output::{Output, fitting_output, new_array, new_array_as, output};

use crate::error::raise;
use crate::numpy::{self, Array};
use convert::{dense_copy, general_input};
use lc_core::{DType, Error, Shape, Strides, TensorRef, TensorSpec};
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyList, PyTuple};
use std::ffi::c_int;

/// What becomes of an input that is not an array of float32 or float64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Everything becomes this type, as NumPy casts.
    To(DType),
    /// Arrays keep float32 or float64 and must have one of them; Python numbers and sequences become this type.
    Keep(DType),
}

/// The original interface's rule: everything becomes float32.
pub const TO_F32: Cast = Cast::To(DType::F32);
/// The rule of `lightning_core.api`.
pub const KEEP: Cast = Cast::Keep(DType::F32);

/// An input, borrowed or converted; the tensor lives as long as this.
pub struct Input<'a, 'py> {
    tensor: TensorRef<'a>,
    // Keeps a converted array alive; `None` when the tensor borrows the caller's object.
    _owner: Option<Bound<'py, PyAny>>,
}

impl Input<'_, '_> {
    /// The input as a tensor.
    #[inline]
    pub fn tensor(&self) -> TensorRef<'_> {
        self.tensor
    }
}

#[inline]
fn dtype_of(array: &Array) -> Option<DType> {
    // SAFETY: an array's descriptor is never null.
    let descr = unsafe { &*array.descr };
    let native = if cfg!(target_endian = "little") { b'<' } else { b'>' };
    let order = descr.byteorder as u8;
    if order != b'=' && order != native {
        return None;
    }
    match descr.type_num {
        numpy::FLOAT32 => Some(DType::F32),
        numpy::FLOAT64 => Some(DType::F64),
        numpy::FLOAT16 => Some(DType::F16),
        _ => None,
    }
}

#[inline]
fn extents(array: &Array) -> (&[usize], &[isize]) {
    let rank = array.nd as usize;
    if rank == 0 {
        return (&[], &[]);
    }
    // SAFETY: `dimensions` and `strides` hold `nd` values each; extents are not negative, so they read as `usize`.
    unsafe {
        (
            std::slice::from_raw_parts(array.dimensions.cast::<usize>(), rank),
            std::slice::from_raw_parts(array.strides, rank),
        )
    }
}

/// How many elements an exact array of a native type has; `None` for any other object.
#[inline]
pub fn elements(obj: &Bound<'_, PyAny>, dtype: DType) -> Option<usize> {
    let array = numpy::exact(obj)?;
    (dtype_of(array) == Some(dtype)).then(|| extents(array).0.iter().product())
}

/// The flags of an aligned array in row-major order.
const DENSE: c_int = numpy::C_CONTIGUOUS | numpy::ALIGNED;

/// Sets `slot` to the tensor that an array is, if it is native, aligned, and has strides in whole elements, else to `None`.
#[inline(always)]
fn put_view<'a>(slot: &mut Option<TensorRef<'a>>, array: &'a Array) {
    match dtype_of(array) {
        Some(dtype) if array.flags & DENSE == DENSE => {
            // SAFETY: NumPy's flags say that the elements lie aligned and densely in row-major order from `data`; the array
            // is alive.
            unsafe { TensorRef::put_dense(slot, array.data, dtype, extents(array).0) }
        }
        Some(dtype) if array.flags & numpy::ALIGNED != 0 => *slot = strided(array, dtype),
        _ => *slot = None,
    }
}

/// [`put_view`] by value.
fn view<'a>(array: &'a Array) -> Option<TensorRef<'a>> {
    let mut view = None;
    put_view(&mut view, array);
    view
}

/// Extents as a shape. Known lengths let the compiler copy them without a call.
#[inline]
fn shape_of(dims: &[usize]) -> Option<Shape> {
    match *dims {
        [n] => Shape::new(&[n]),
        [m, n] => Shape::new(&[m, n]),
        [h, m, n] => Shape::new(&[h, m, n]),
        [b, h, m, n] => Shape::new(&[b, h, m, n]),
        _ => Shape::new(dims),
    }
    .ok()
}

#[inline(never)]
fn strided<'a>(array: &'a Array, dtype: DType) -> Option<TensorRef<'a>> {
    let (dims, byte_strides) = extents(array);
    let shape = shape_of(dims)?;
    let size = dtype.size() as isize;
    let mut steps = [0isize; lc_core::shape::MAX_RANK];
    for (step, bytes) in steps.iter_mut().zip(byte_strides) {
        if bytes % size != 0 {
            return None;
        }
        *step = bytes / size;
    }
    let strides = Strides::new(&steps[..dims.len()]).ok()?;
    // SAFETY: NumPy's invariant: every index within `dims` lies at its strides inside the array's memory.
    Some(unsafe { TensorRef::from_raw(array.data, TensorSpec::new(dtype, shape), strides) })
}

/// The inputs of a call. Tensors are built where the call reads them: one is 160 bytes, and to move it about costs more
/// than to read an array's fields.
pub struct Inputs<'a, 'py, const N: usize> {
    tensors: [Option<TensorRef<'a>>; N],
    // Keep converted arrays alive; `None` where a tensor borrows the caller's object.
    owners: [Option<Bound<'py, PyAny>>; N],
}

impl<'a, 'py, const N: usize> Inputs<'a, 'py, N> {
    /// No inputs yet.
    #[inline]
    pub fn new() -> Self {
        // One by one: `[None; N]` fills all bytes.
        Inputs { tensors: std::array::from_fn(|_| None), owners: [const { None }; N] }
    }

    /// The tensors; `None` where an optional input is absent.
    #[inline]
    pub fn tensors(&self) -> &[Option<TensorRef<'_>>; N] {
        &self.tensors
    }

    /// Sets input `i` from a Python object.
    ///
    /// # Errors
    /// As [`input`].
    #[inline(always)]
    pub fn read(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
    ) -> PyResult<()> {
        match self.read_exact(i, obj, cast) {
            true => Ok(()),
            false => self.read_general(i, op, name, obj, cast),
        }
    }

    /// Sets input `i` from an exact array of a type that `cast` takes; false for anything else.
    #[inline(always)]
    fn read_exact(&mut self, i: usize, obj: &'a Bound<'py, PyAny>, cast: Cast) -> bool {
        let Some(array) = numpy::exact(obj) else { return false };
        put_view(&mut self.tensors[i], array);
        match (&self.tensors[i], cast) {
            (Some(tensor), Cast::To(wanted)) => tensor.dtype() == wanted,
            (Some(_), Cast::Keep(_)) => true,
            (None, _) => false,
        }
    }

    #[cold]
    #[inline(never)]
    fn read_general(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
    ) -> PyResult<()> {
        let Input { tensor, _owner } = general_input(op, name, obj, cast)?;
        (self.tensors[i], self.owners[i]) = (Some(tensor), _owner);
        Ok(())
    }

    /// Sets all inputs of a call of `lightning_core.api`. Arrays keep float32 or float64; numbers and sequences take the type
    /// of the first array, or float32 if there is none.
    ///
    /// # Errors
    /// As [`input`].
    #[inline(always)]
    pub fn read_all(
        &mut self,
        op: &'static str,
        names: [&'static str; N],
        objects: [Option<&'a Bound<'py, PyAny>>; N],
    ) -> PyResult<()> {
        let mut exact = true;
        for (i, obj) in objects.into_iter().enumerate() {
            if let Some(obj) = obj {
                exact &= self.read_exact(i, obj, KEEP);
            }
        }
        match exact {
            true => Ok(()),
            false => self.read_rest(op, names, objects),
        }
    }

    /// The inputs that [`Inputs::read_exact`] left out.
    #[cold]
    #[inline(never)]
    fn read_rest(
        &mut self,
        op: &'static str,
        names: [&'static str; N],
        objects: [Option<&'a Bound<'py, PyAny>>; N],
    ) -> PyResult<()> {
        for i in 0..N {
            if let (None, Some(obj)) = (&self.tensors[i], objects[i])
                && !is_weak(obj)
            {
                self.read_general(i, op, names[i], obj, KEEP)?;
            }
        }
        let strong = self.tensors.iter().flatten().next().map_or(DType::F32, TensorRef::dtype);
        for i in 0..N {
            if let (None, Some(obj)) = (&self.tensors[i], objects[i]) {
                self.read_general(i, op, names[i], obj, Cast::Keep(strong))?;
            }
        }
        Ok(())
    }

    /// Sets input `i` to a dense tensor of `shape`; of the object's own shape only the number of elements matters.
    ///
    /// # Errors
    /// As [`shaped`].
    #[inline]
    pub fn read_as(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
        shape: Shape,
    ) -> PyResult<()> {
        self.read(i, op, name, obj, cast)?;
        if self.tensors[i].as_ref().is_some_and(|t| *t.shape() == shape && t.is_contiguous()) {
            return Ok(());
        }
        let Input { tensor, _owner } = shaped(op, name, obj, cast, shape)?;
        (self.tensors[i], self.owners[i]) = (Some(tensor), _owner);
        Ok(())
    }

    /// Sets input `i` to a dense tensor of one dimension.
    ///
    /// # Errors
    /// As [`input`].
    #[inline]
    pub fn read_flat(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
    ) -> PyResult<()> {
        self.read(i, op, name, obj, cast)?;
        if self.tensors[i].as_ref().is_some_and(|t| t.shape().rank() == 1 && t.is_contiguous()) {
            return Ok(());
        }
        let Input { tensor, _owner } = flat(op, name, obj, cast)?;
        (self.tensors[i], self.owners[i]) = (Some(tensor), _owner);
        Ok(())
    }

    /// The shape of input `i`, which was read.
    #[inline]
    pub fn shape(&self, i: usize) -> Shape {
        self.tensors[i].as_ref().map_or_else(Shape::default, |t| *t.shape())
    }

    /// Checks the number of dimensions of input `i`.
    ///
    /// # Errors
    /// `ValueError` for another number.
    #[inline]
    pub fn rank(&self, i: usize, op: &'static str, name: &'static str, rank: usize) -> PyResult<()> {
        match &self.tensors[i] {
            Some(tensor) if tensor.shape().rank() != rank => Err(wrong_rank(op, name, tensor.shape(), rank)),
            _ => Ok(()),
        }
    }
}

#[cold]
fn wrong_rank(op: &'static str, name: &'static str, shape: &Shape, rank: usize) -> PyErr {
    let got = format!("{} (shape {shape})", shape.rank());
    raise(Error::invalid(op, name, format!("{rank} dimensions"), got))
}

/// The input `name` of `op` as a tensor.
///
/// # Errors
/// `TypeError` for what is no array or has a dtype that `cast` does not take; `ValueError` for ragged or non-numeric
/// data; both name op and argument.
#[inline]
pub fn input<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
) -> PyResult<Input<'a, 'py>> {
    if let Some(tensor) = numpy::exact(obj).and_then(view) {
        let fits = match cast {
            Cast::To(dtype) => tensor.dtype() == dtype,
            Cast::Keep(_) => true,
        };
        if fits {
            return Ok(Input { tensor, _owner: None });
        }
    }
    general_input(op, name, obj, cast)
}

/// The optional input `name` of `op`: `None` gives `None`.
///
/// # Errors
/// As [`input`].
pub fn optional_input<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: Option<&'a Bound<'py, PyAny>>,
    cast: Cast,
) -> PyResult<Option<Input<'a, 'py>>> {
    obj.map(|obj| input(op, name, obj, cast)).transpose()
}

/// The input `name` of `op` as a dense tensor of `shape`; of the input's own shape only the number of elements matters.
///
/// # Errors
/// As [`input`]; `ValueError` for another number of elements.
#[inline]
pub fn shaped<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
    shape: Shape,
) -> PyResult<Input<'a, 'py>> {
    let mut given = input(op, name, obj, cast)?;
    if given.tensor.shape().numel() != shape.numel() {
        let expected = format!("{} elements (shape {shape})", shape.numel());
        let got = format!("{} elements (shape {})", given.tensor.shape().numel(), given.tensor.shape());
        return Err(raise(Error::invalid(op, name, expected, got)));
    }
    if !given.tensor.is_contiguous() {
        given = dense_copy(op, name, obj, given.tensor.dtype())?;
    }
    let spec = TensorSpec::new(given.tensor.dtype(), shape);
    // SAFETY: the view is dense and has as many elements as `shape`.
    given.tensor = unsafe { TensorRef::from_raw(given.tensor.ptr(), spec, shape.contiguous_strides()) };
    Ok(given)
}

/// The input `name` of `op` as a dense tensor of one dimension.
///
/// # Errors
/// As [`input`].
#[inline]
pub fn flat<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
) -> PyResult<Input<'a, 'py>> {
    let given = input(op, name, obj, cast)?;
    if given.tensor.shape().rank() == 1 && given.tensor.is_contiguous() {
        return Ok(given);
    }
    let len = given.tensor.shape().numel();
    drop(given);
    shaped(op, name, obj, cast, Shape::new(&[len]).map_err(|e| raise(e.in_op(op)))?)
}

/// Whether a call of the original interface that returns flat results returns a list: all of its inputs are flat lists
/// or tuples.
pub fn returns_list(objects: &[&Bound<'_, PyAny>]) -> bool {
    objects.iter().all(|obj| {
        let first = match (obj.cast::<PyList>(), obj.cast::<PyTuple>()) {
            (Ok(list), _) => list.get_item(0),
            (_, Ok(tuple)) => tuple.get_item(0),
            _ => return false,
        };
        first.map_or(true, |x| x.is_instance_of::<PyFloat>() || x.is_instance_of::<PyInt>())
    })
}
