//! The general path of inputs: what is no exact array of the right type, through DLPack, the buffer protocol and NumPy.

use super::{Cast, Input, view};
use crate::error::{raise, raise_from};
use crate::numpy;
use lc_core::{DType, Error, TensorRef};
use pyo3::exceptions::{PyBufferError, PyMemoryError, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyTuple};

/// A dense copy of an input, in its row-major order.
#[cold]
pub(super) fn dense_copy<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &Bound<'py, PyAny>,
    dtype: DType,
) -> PyResult<Input<'a, 'py>> {
    let py = obj.py();
    let kwargs = PyDict::new(py);
    kwargs.set_item(intern!(py, "dtype"), dtype.name())?;
    kwargs.set_item(intern!(py, "order"), "C")?;
    let array = to_ndarray(op, name, obj, Some(dtype))?;
    let array = import_numpy(py)?
        .call_method(intern!(py, "array"), (array,), Some(&kwargs))
        .map_err(|cause| conversion_error(py, op, name, obj, cause))?;
    owned(array).ok_or_else(|| not_an_array(op, name, obj))
}

/// The input that a converted array is, if it is usable as one.
fn owned<'a, 'py>(array: Bound<'py, PyAny>) -> Option<Input<'a, 'py>> {
    let view = numpy::any(&array).and_then(view)?;
    // SAFETY: the parts are those of a view of `array`, which `_owner` keeps alive.
    let tensor = unsafe { TensorRef::from_raw(view.ptr(), *view.spec(), *view.strides()) };
    Some(Input { tensor, _owner: Some(array) })
}

pub(super) fn describe(obj: &Bound<'_, PyAny>) -> String {
    let name = obj.get_type().fully_qualified_name().map_or_else(|_| "an object".into(), |n| n.to_string());
    match numpy::any(obj) {
        Some(_) => {
            let dtype = obj.getattr("dtype").and_then(|d| d.str().map(|s| s.to_string())).unwrap_or_default();
            format!("{name} of {dtype}")
        }
        None => name,
    }
}

/// Whether Python has no fixed element type for the object, so that it takes the type of the call.
pub fn is_weak(obj: &Bound<'_, PyAny>) -> bool {
    obj.is_exact_instance_of::<PyFloat>()
        || obj.is_exact_instance_of::<PyInt>()
        || obj.is_exact_instance_of::<PyBool>()
        || obj.is_instance_of::<PyList>()
        || obj.is_instance_of::<PyTuple>()
}

fn import_numpy<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || py.import("numpy").map(Bound::unbind)).map(|m| m.bind(py))
}

/// Whether the object has the buffer protocol, which the stable ABI of Python 3.10 tells only through a memoryview.
pub(super) fn has_buffer(obj: &Bound<'_, PyAny>) -> bool {
    PyMemoryView::from(obj).is_ok()
}

/// DLPack's numbers of devices whose memory the host reads: `kDLCPU` and `kDLCUDAHost`.
const HOST_DEVICES: [i64; 2] = [1, 3];

/// The object as an `ndarray`, sharing memory where the object allows it; weak objects become `dtype` at once.
pub(super) fn to_ndarray<'py>(
    op: &'static str,
    name: &'static str,
    obj: &Bound<'py, PyAny>,
    dtype: Option<DType>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = obj.py();
    let np = import_numpy(py)?;
    let wrap = |cause: PyErr| conversion_error(py, op, name, obj, cause);
    if numpy::any(obj).is_some() {
        return Ok(obj.clone());
    }
    if !has_buffer(obj)
        && let Ok(method) = obj.getattr(intern!(py, "__dlpack_device__"))
    {
        let (device, _): (i64, i64) = method.call0().and_then(|d| d.extract()).map_err(wrap)?;
        if !HOST_DEVICES.contains(&device) {
            let got = format!("{} on DLPack device {device}", describe(obj));
            let hint = "copy it to the host first, for instance with `.cpu()` or `numpy.asarray`";
            return Err(raise(Error::wrong_type(op, name, "an array in host memory", got).hint(hint)));
        }
        // What DLPack cannot express, such as a tensor that requires a gradient, gets NumPy's own conversion below, whose
        // error says what to do.
        if let Ok(array) = np.call_method1(intern!(py, "from_dlpack"), (obj,)) {
            return Ok(array);
        }
    }
    let kwargs = PyDict::new(py);
    if let Some(dtype) = dtype {
        kwargs.set_item(intern!(py, "dtype"), dtype.name())?;
    }
    np.call_method(intern!(py, "asarray"), (obj,), Some(&kwargs)).map_err(wrap)
}

/// An exception of NumPy's conversion as one of ours. Warnings that were turned into errors, interrupts and what else
/// is not about the argument pass unchanged.
fn conversion_error(
    py: Python<'_>,
    op: &'static str,
    name: &'static str,
    obj: &Bound<'_, PyAny>,
    cause: PyErr,
) -> PyErr {
    let expected = "an array of real numbers";
    let got = format!("{} ({})", describe(obj), cause.value(py));
    let refused = cause.is_instance_of::<PyRuntimeError>(py) || cause.is_instance_of::<PyBufferError>(py);
    if refused || cause.is_instance_of::<PyTypeError>(py) {
        raise_from(py, Error::wrong_type(op, name, expected, got), cause)
    } else if cause.is_instance_of::<PyValueError>(py) || cause.is_instance_of::<PyOverflowError>(py) {
        raise_from(py, Error::invalid(op, name, expected, got), cause)
    } else if cause.is_instance_of::<PyMemoryError>(py) {
        raise_from(py, Error::new(lc_core::ErrorKind::OutOfMemory, op).argument(name).got(got), cause)
    } else {
        cause
    }
}

#[cold]
pub(super) fn general_input<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
) -> PyResult<Input<'a, 'py>> {
    let py = obj.py();
    let (Cast::To(dtype) | Cast::Keep(dtype)) = cast;
    let weak = is_weak(obj);
    if obj.is_none() {
        return Err(raise(Error::wrong_type(op, name, "an array", "None")));
    }
    let mut array = to_ndarray(op, name, obj, (weak || matches!(cast, Cast::To(_))).then_some(dtype))?;
    let target = match cast {
        Cast::To(dtype) => dtype,
        Cast::Keep(_) => {
            let fields = numpy::any(&array).ok_or_else(|| not_an_array(op, name, obj))?;
            // SAFETY: an array's descriptor is never null.
            match unsafe { (*fields.descr).type_num } {
                numpy::FLOAT32 => DType::F32,
                numpy::FLOAT64 => DType::F64,
                numpy::FLOAT16 => DType::F16,
                _ => {
                    let hint = "convert it first, for instance with `.astype(numpy.float32)`";
                    let got = describe(&array);
                    return Err(raise(Error::wrong_type(op, name, "float32, float64 or float16", got).hint(hint)));
                }
            }
        }
    };
    if numpy::any(&array).and_then(view).is_none_or(|t| t.dtype() != target) {
        let kwargs = PyDict::new(py);
        kwargs.set_item(intern!(py, "dtype"), target.name())?;
        kwargs.set_item(intern!(py, "order"), "C")?;
        // A copy through `array` is native and aligned; `asarray` would keep misaligned data.
        array = import_numpy(py)?
            .call_method(intern!(py, "array"), (&array,), Some(&kwargs))
            .map_err(|cause| conversion_error(py, op, name, obj, cause))?;
    }
    owned(array).ok_or_else(|| not_an_array(op, name, obj))
}

#[cold]
pub(super) fn not_an_array(op: &'static str, name: &'static str, obj: &Bound<'_, PyAny>) -> PyErr {
    let got = match numpy::any(obj) {
        Some(fields) if fields.nd as usize > lc_core::shape::MAX_RANK => format!("{} dimensions", fields.nd),
        _ => describe(obj),
    };
    let expected = format!("an array of at most {} dimensions", lc_core::shape::MAX_RANK);
    raise(Error::invalid(op, name, expected, got))
}
