//! Element-wise arithmetic: the original's flat functions, and those of `lightning_core.api` with broadcasting.

use crate::args::{Int, product};
use crate::array::{self, Inputs, TO_F32};
use crate::call::{self, Site, level};
use lc_core::{Attrs, OpDef, Shape};
use lc_ops::{ADD, DIV, MUL, SUB};
use pyo3::prelude::*;

/// A flat result of two inputs with `len` elements each; a list if both are flat lists.
#[inline]
fn flat<'py>(
    site: Site,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    shape: Option<Shape>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let level = level(site.name, device, policy)?;
    let mut given = Inputs::<2>::new();
    match shape {
        Some(shape) => given.read_as(0, site.name, "a", a, TO_F32, shape)?,
        None => given.read_flat(0, site.name, "a", a, TO_F32)?,
    }
    given.read_as(1, site.name, "b", b, TO_F32, given.shape(0))?;
    let result = call::fresh(a.py(), site, &Attrs::NONE, given.tensors(), level)?;
    match array::returns_list(&[a, b]) {
        true => result.call_method0("tolist"),
        false => Ok(result),
    }
}

fn matrix<'py>(
    site: Site,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    (rows, cols): (Int, Int),
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, cols) = (rows.size(site.name, "rows", 1)?, cols.size(site.name, "cols", 1)?);
    let shape = call::shape(site.name, &[product(site.name, "cols", &[rows, cols])?])?;
    flat(site, a, b, Some(shape), device, policy)
}

/// A result with broadcasting, into `out` if there is one.
#[inline]
fn broadcast<'py>(
    op: &'static OpDef,
    name: &'static str,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let level = level(name, device, policy)?;
    let mut given = Inputs::new();
    given.read_all(name, ["a", "b"], [Some(a), Some(b)])?;
    call::result(a.py(), Site { op, name }, &Attrs::NONE, given.tensors(), out, level)
}

/// Sum of two float32 arrays with as many elements each, flat.
///
/// Parameters
/// ----------
/// a, b : array_like
///     Arrays, lists or numbers with as many elements each, whatever their shape; converted to float32.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// list of float, or ndarray
///     One dimension; a list if `a` and `b` are flat lists.
///
/// Raises
/// ------
/// InvalidValueError
///     For numbers of elements that differ, or an unknown device.
#[pyfunction]
#[pyo3(signature = (a, b, device="auto", *, policy=None))]
fn vector_add<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat(Site { op: &ADD, name: "vector_add" }, a, b, None, device, policy)
}

/// Sum of two float32 arrays with as many elements each, flat.
///
/// Parameters
/// ----------
/// a, b : array_like
///     rows·cols elements in row-major order, whatever their shape; converted to float32.
/// rows, cols : int
///     Extents, at least 1.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// list of float, or ndarray
///     One dimension; a list if `a` and `b` are flat lists.
///
/// Raises
/// ------
/// InvalidValueError
///     For numbers of elements that differ, or an unknown device.
#[pyfunction]
#[pyo3(signature = (a, b, rows, cols, device="auto", *, policy=None))]
fn matrix_add<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    rows: Int,
    cols: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    matrix(Site { op: &ADD, name: "matrix_add" }, a, b, (rows, cols), device, policy)
}

/// Difference of two float32 arrays with as many elements each, flat.
///
/// Parameters
/// ----------
/// a, b : array_like
///     rows·cols elements in row-major order, whatever their shape; converted to float32.
/// rows, cols : int
///     Extents, at least 1.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// list of float, or ndarray
///     One dimension; a list if `a` and `b` are flat lists.
///
/// Raises
/// ------
/// InvalidValueError
///     For numbers of elements that differ, or an unknown device.
#[pyfunction]
#[pyo3(signature = (a, b, rows, cols, device="auto", *, policy=None))]
fn matrix_sub<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    rows: Int,
    cols: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    matrix(Site { op: &SUB, name: "matrix_sub" }, a, b, (rows, cols), device, policy)
}

/// Quotient of two float32 arrays with as many elements each, flat; IEEE: x/0 is ±inf, 0/0 is nan.
///
/// Parameters
/// ----------
/// a, b : array_like
///     rows·cols elements in row-major order, whatever their shape; converted to float32.
/// rows, cols : int
///     Extents, at least 1.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// list of float, or ndarray
///     One dimension; a list if `a` and `b` are flat lists.
///
/// Raises
/// ------
/// InvalidValueError
///     For numbers of elements that differ, or an unknown device.
#[pyfunction]
#[pyo3(signature = (a, b, rows, cols, device="auto", *, policy=None))]
fn matrix_div<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    rows: Int,
    cols: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    matrix(Site { op: &DIV, name: "matrix_div" }, a, b, (rows, cols), device, policy)
}

/// Sum `a + b`, element by element, broadcast as NumPy does.
///
/// Parameters
/// ----------
/// a, b : array_like
///     float32 or float64, both of one type; Python numbers and sequences take the type of the other operand.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with `a` or `b`.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray
///     `out`, or a new array of the shape that `a` and `b` broadcast to.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not broadcast, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or operands of two.
#[pyfunction]
#[pyo3(name = "add", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_add<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&ADD, "add", a, b, out, device, policy)
}

/// Sum `a + b` of arrays of any shape, broadcast as NumPy does; the same as `add`.
#[pyfunction]
#[pyo3(name = "matrix_add", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_matrix_add<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&ADD, "matrix_add", a, b, out, device, policy)
}

/// Sum `a + b` of arrays of any shape, broadcast as NumPy does; the same as `add`.
#[pyfunction]
#[pyo3(name = "vector_add", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_vector_add<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&ADD, "vector_add", a, b, out, device, policy)
}

/// Difference `a - b`, element by element, broadcast as NumPy does.
///
/// Parameters
/// ----------
/// a, b : array_like
///     float32 or float64, both of one type; Python numbers and sequences take the type of the other operand.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with `a` or `b`.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray
///     `out`, or a new array of the shape that `a` and `b` broadcast to.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not broadcast, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or operands of two.
#[pyfunction]
#[pyo3(name = "sub", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_sub<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&SUB, "sub", a, b, out, device, policy)
}

/// Difference `a - b` of arrays of any shape, broadcast as NumPy does; the same as `sub`.
#[pyfunction]
#[pyo3(name = "matrix_sub", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_matrix_sub<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&SUB, "matrix_sub", a, b, out, device, policy)
}

/// Product `a * b`, element by element, broadcast as NumPy does.
///
/// Parameters
/// ----------
/// a, b : array_like
///     float32 or float64, both of one type; Python numbers and sequences take the type of the other operand.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with `a` or `b`.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray
///     `out`, or a new array of the shape that `a` and `b` broadcast to.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not broadcast, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or operands of two.
#[pyfunction]
#[pyo3(name = "mul", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_mul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&MUL, "mul", a, b, out, device, policy)
}

/// Product `a * b` of arrays of any shape, broadcast as NumPy does; the same as `mul`.
#[pyfunction]
#[pyo3(name = "matrix_mul", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_matrix_mul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&MUL, "matrix_mul", a, b, out, device, policy)
}

/// Quotient `a / b`, element by element, broadcast as NumPy does. IEEE: x/0 is ±inf, 0/0 is nan.
///
/// Parameters
/// ----------
/// a, b : array_like
///     float32 or float64, both of one type; Python numbers and sequences take the type of the other operand.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with `a` or `b`.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray
///     `out`, or a new array of the shape that `a` and `b` broadcast to.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not broadcast, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or operands of two.
#[pyfunction]
#[pyo3(name = "div", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_div<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&DIV, "div", a, b, out, device, policy)
}

/// Quotient `a / b` of arrays of any shape, broadcast as NumPy does; the same as `div`.
#[pyfunction]
#[pyo3(name = "matrix_div", signature = (a, b, device="auto", *, out=None, policy=None))]
fn api_matrix_div<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    out: Option<&Bound<'py, PyAny>>,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    broadcast(&DIV, "matrix_div", a, b, out, device, policy)
}

/// Adds this file's names to the module and to its submodule `api`.
pub fn register(m: &Bound<'_, PyModule>, api: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(vector_add, m)?)?;
    m.add_function(wrap_pyfunction!(matrix_add, m)?)?;
    m.add_function(wrap_pyfunction!(matrix_sub, m)?)?;
    m.add_function(wrap_pyfunction!(matrix_div, m)?)?;
    api.add_function(wrap_pyfunction!(api_add, api)?)?;
    api.add_function(wrap_pyfunction!(api_matrix_add, api)?)?;
    api.add_function(wrap_pyfunction!(api_vector_add, api)?)?;
    api.add_function(wrap_pyfunction!(api_sub, api)?)?;
    api.add_function(wrap_pyfunction!(api_matrix_sub, api)?)?;
    api.add_function(wrap_pyfunction!(api_mul, api)?)?;
    api.add_function(wrap_pyfunction!(api_matrix_mul, api)?)?;
    api.add_function(wrap_pyfunction!(api_div, api)?)?;
    api.add_function(wrap_pyfunction!(api_matrix_div, api)?)?;
    Ok(())
}
