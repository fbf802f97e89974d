//! Results: the caller's array, or a new one.

use super::convert::{describe, has_buffer, not_an_array, to_ndarray};
use super::{DENSE, dtype_of, extents, shape_of};
use crate::error::{raise, raise_from};
use crate::numpy;
use lc_core::{Error, Shape, TensorMut, TensorSpec};
use pyo3::intern;
use pyo3::prelude::*;
use std::ffi::c_int;

/// A result that the caller provided.
pub struct Output<'a, 'py> {
    ptr: *mut u8,
    spec: TensorSpec,
    _owner: Option<Bound<'py, PyAny>>,
    life: std::marker::PhantomData<&'a ()>,
}

impl Output<'_, '_> {
    /// Type and extents.
    #[inline]
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// The result as a tensor.
    #[inline]
    pub fn tensor_mut(&mut self) -> TensorMut<'_> {
        // SAFETY: `output` checked that the memory is writable, aligned and dense; the caller's object or `_owner` keeps it
        // alive. What else Python code may hold of it is under the lock or, as with NumPy, its own affair.
        unsafe { TensorMut::from_raw(self.ptr, self.spec) }
    }

    /// The result under another shape with as many elements.
    ///
    /// # Errors
    /// Another number of elements.
    pub fn reshape(&mut self, op: &'static str, name: &'static str, shape: Shape) -> PyResult<()> {
        if shape.numel() != self.spec.shape.numel() {
            let expected = format!("{} elements (shape {shape})", shape.numel());
            let got = format!("shape {}", self.spec.shape);
            return Err(raise(Error::invalid(op, name, expected, got)));
        }
        self.spec.shape = shape;
        Ok(())
    }
}

/// What [`output`] needs of an array besides its type.
const WRITABLE: c_int = DENSE | numpy::WRITEABLE;

/// The result that an exact array of just this type and shape is, if it can be written in place: the usual case, without
/// describing the array first.
#[inline(always)]
pub fn fitting_output<'a>(obj: &'a Bound<'_, PyAny>, spec: &TensorSpec) -> Option<TensorMut<'a>> {
    let array = numpy::exact(obj)?;
    let fits = array.flags & WRITABLE == WRITABLE
        && dtype_of(array) == Some(spec.dtype)
        && extents(array).0.iter().eq(spec.shape.dims());
    // SAFETY: the flags say that the memory is writable, aligned and dense, and type and extents are those of `spec`. The
    // array is alive.
    fits.then(|| unsafe { TensorMut::from_raw(array.data, *spec) })
}

/// The result `name` of `op`, into which the call writes.
///
/// # Errors
/// `TypeError` for what is no writable array in host memory or has another dtype than float32 or float64; `ValueError`
/// for an array that is read-only, not C-contiguous, misaligned or of foreign byte order.
#[inline]
pub fn output<'a, 'py>(op: &'static str, name: &'static str, obj: &'a Bound<'py, PyAny>) -> PyResult<Output<'a, 'py>> {
    if let Some(array) = numpy::exact(obj)
        && array.flags & WRITABLE == WRITABLE
        && let Some(dtype) = dtype_of(array)
        && let Some(shape) = shape_of(extents(array).0)
    {
        let spec = TensorSpec::new(dtype, shape);
        return Ok(Output { ptr: array.data, spec, _owner: None, life: std::marker::PhantomData });
    }
    general_output(op, name, obj)
}

#[cold]
fn general_output<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
) -> PyResult<Output<'a, 'py>> {
    let py = obj.py();
    let shares = numpy::any(obj).is_some() || has_buffer(obj) || obj.hasattr(intern!(py, "__dlpack_device__"))?;
    if !shares {
        let hint = "pass an array that the result can be written into; lists and numbers cannot be";
        return Err(raise(Error::wrong_type(op, name, "a writable array", describe(obj)).hint(hint)));
    }
    let array = to_ndarray(op, name, obj, None)?;
    let Some(fields) = numpy::any(&array) else { return Err(not_an_array(op, name, obj)) };
    // SAFETY: an array's descriptor is never null.
    if !matches!(unsafe { (*fields.descr).type_num }, numpy::FLOAT32 | numpy::FLOAT64 | numpy::FLOAT16) {
        return Err(raise(Error::wrong_type(op, name, "float32, float64 or float16", describe(&array))));
    }
    let refuse = |expected: &'static str, got: &'static str| Err(raise(Error::invalid(op, name, expected, got)));
    let Some(dtype) = dtype_of(fields) else { return refuse("native byte order", "foreign byte order") };
    if fields.flags & numpy::WRITEABLE == 0 {
        return refuse("a writable array", "a read-only one");
    }
    if fields.flags & numpy::C_CONTIGUOUS == 0 {
        return refuse("a C-contiguous array", "a strided one");
    }
    if fields.flags & numpy::ALIGNED == 0 {
        return refuse("an aligned array", "a misaligned one");
    }
    let shape = Shape::new(extents(fields).0).map_err(|e| raise(e.in_op(op)))?;
    let ptr = fields.data;
    Ok(Output { ptr, spec: TensorSpec::new(dtype, shape), _owner: Some(array), life: std::marker::PhantomData })
}

/// A new array for a result, and the tensor to write it through.
///
/// # Errors
/// `OutOfMemoryError`.
#[inline]
pub fn new_array<'py>(
    py: Python<'py>,
    op: &'static str,
    spec: &TensorSpec,
) -> PyResult<(Bound<'py, PyAny>, TensorMut<'py>)> {
    let array = new_shaped(py, op, spec, spec.shape.dims())?;
    let ptr = numpy::data(&array);
    // SAFETY: the array is new, dense and of this type and size; nobody else has it yet.
    Ok((array, unsafe { TensorMut::from_raw(ptr, *spec) }))
}

/// As [`new_array`], but the array has the extents `dims`, with as many elements as `spec`.
///
/// # Errors
/// `OutOfMemoryError`.
#[inline]
pub fn new_array_as<'py>(
    py: Python<'py>,
    op: &'static str,
    spec: &TensorSpec,
    dims: &[usize],
) -> PyResult<(Bound<'py, PyAny>, TensorMut<'py>)> {
    debug_assert_eq!(dims.iter().product::<usize>(), spec.shape.numel());
    let array = new_shaped(py, op, spec, dims)?;
    let ptr = numpy::data(&array);
    // SAFETY: as in `new_array`; the number of elements is the same.
    Ok((array, unsafe { TensorMut::from_raw(ptr, *spec) }))
}

#[inline]
fn new_shaped<'py>(
    py: Python<'py>,
    op: &'static str,
    spec: &TensorSpec,
    dims: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    numpy::empty(py, spec.dtype, dims).map_err(|cause| {
        let error = Error::new(lc_core::ErrorKind::OutOfMemory, op).got(format!("{} bytes to allocate", spec.bytes()));
        raise_from(py, error, cause)
    })
}
