//! Matrix products: the original's nine functions.

use crate::args::{Int, product};
use crate::array::{self, Inputs, TO_F32};
use crate::call::{self, OutShape, Site, level};
use crate::error::raise;
use lc_core::{Attrs, Error, Shape};
use lc_ops::{MATMUL, MatmulAttrs};
use pyo3::prelude::*;

const fn site(name: &'static str) -> Site {
    Site { op: &MATMUL, name }
}

/// Sizes of a product, each at least 1, and the shapes they make.
fn shapes(name: &'static str, m: Int, k: Int, n: Int) -> PyResult<[Shape; 3]> {
    let (m, k, n) = (m.size(name, "m", 1)?, k.size(name, "k", 1)?, n.size(name, "n", 1)?);
    for (argument, sizes) in [("k", [m, k]), ("n", [k, n]), ("n", [m, n])] {
        product(name, argument, &sizes)?;
    }
    Ok([call::shape(name, &[m, k])?, call::shape(name, &[k, n])?, call::shape(name, &[m, n])?])
}

#[inline]
fn attrs() -> Attrs {
    MatmulAttrs::default().into()
}

/// A product of inputs given by their number of elements, into a new flat array.
fn flat<'py>(
    name: &'static str,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    (m, k, n): (Int, Int, Int),
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let level = level(name, device, policy)?;
    let [sa, sb, sc] = shapes(name, m, k, n)?;
    let mut given = Inputs::<2>::new();
    given.read_as(0, name, "a", a, TO_F32, sa)?;
    given.read_as(1, name, "b", b, TO_F32, sb)?;
    call::fresh_flat(a.py(), site(name), &attrs(), given.tensors(), level, sc.numel())
}

/// The same into the caller's array of any shape with as many elements.
fn flat_into(
    name: &'static str,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    (m, k, n): (Int, Int, Int),
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let level = level(name, device, policy)?;
    let [sa, sb, _] = shapes(name, m, k, n)?;
    let mut given = Inputs::<2>::new();
    given.read_as(0, name, "a", a, TO_F32, sa)?;
    given.read_as(1, name, "b", b, TO_F32, sb)?;
    call::into(a.py(), site(name), &attrs(), given.tensors(), out, OutShape::Any, level)
}

/// The same as a list if both inputs are flat lists.
fn flat_or_list<'py>(
    name: &'static str,
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    sizes: (Int, Int, Int),
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let result = flat(name, a, b, sizes, device, policy)?;
    match array::returns_list(&[a, b]) {
        true => result.call_method0("tolist"),
        false => Ok(result),
    }
}

/// Product of an m×k and a k×n matrix in float32, flat.
///
/// Parameters
/// ----------
/// a, b : array_like
///     m·k and k·n elements in row-major order, whatever their shape; converted to float32.
/// m, k, n : int
///     Extents, at least 1.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy or MatMulIoPolicy, optional
///     How to run this call.
///
/// Returns
/// -------
/// list of float, or ndarray
///     m·n elements; a list if `a` and `b` are flat lists.
///
/// Raises
/// ------
/// InvalidValueError
///     For sizes that do not fit the inputs, sizes below 1, or an unknown device.
#[pyfunction]
#[pyo3(signature = (a, b, m, k, n, device="auto", *, policy=None))]
fn matmul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    m: Int,
    k: Int,
    n: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat_or_list("matmul", a, b, (m, k, n), device, policy)
}

/// Product of an m×k and a k×n matrix in float32 as a flat ndarray; see `matmul`.
#[pyfunction]
#[pyo3(signature = (a, b, m, k, n, device="auto", *, policy=None))]
fn matmul_np<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    m: Int,
    k: Int,
    n: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat("matmul_np", a, b, (m, k, n), device, policy)
}

/// Product of an m×k and a k×n matrix into `out`; see `matmul`.
///
/// Parameters
/// ----------
/// out : ndarray
///     Writable, C-contiguous float32 array of m·n elements that shares no memory with `a` or `b`. Never a temporary: what
///     cannot be written in place raises TypeError or ValueError and stays as it is.
#[pyfunction]
#[pyo3(signature = (a, b, out, m, k, n, device="auto", *, policy=None))]
fn matmul_np_into(
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    m: Int,
    k: Int,
    n: Int,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    flat_into("matmul_np_into", a, b, out, (m, k, n), device, policy)
}

/// As `matmul`, under a policy.
///
/// Parameters
/// ----------
/// policy : Policy or MatMulIoPolicy, optional
///     With downloads off, the returned values are zeros. With an upload off, a one-shot call, which holds nothing on the
///     device, raises NotInitializedError.
#[pyfunction]
#[pyo3(signature = (a, b, m, k, n, device="auto", policy=None))]
fn matmul_with_policy<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    m: Int,
    k: Int,
    n: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat_or_list("matmul_with_policy", a, b, (m, k, n), device, policy)
}

/// As `matmul_np`, under a policy; see `matmul_with_policy`.
#[pyfunction]
#[pyo3(signature = (a, b, m, k, n, device="auto", policy=None))]
fn matmul_np_with_policy<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    m: Int,
    k: Int,
    n: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat("matmul_np_with_policy", a, b, (m, k, n), device, policy)
}

/// As `matmul_np_into`, under a policy. With downloads off, `out` stays as it is.
#[pyfunction]
#[pyo3(signature = (a, b, out, m, k, n, device="auto", policy=None))]
fn matmul_np_into_with_policy(
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    m: Int,
    k: Int,
    n: Int,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    flat_into("matmul_np_into_with_policy", a, b, out, (m, k, n), device, policy)
}

/// Both inputs of a two-dimensional product, with two dimensions each.
#[inline]
fn matrices<'a, 'py>(
    name: &'static str,
    a: &'a Bound<'py, PyAny>,
    b: &'a Bound<'py, PyAny>,
    given: &mut Inputs<'a, 'py, 2>,
) -> PyResult<()> {
    given.read(0, name, "a", a, TO_F32)?;
    given.read(1, name, "b", b, TO_F32)?;
    given.rank(0, name, "a", 2)?;
    given.rank(1, name, "b", 2)
}

/// Matrix product in float32.
///
/// Parameters
/// ----------
/// a : array_like, shape (M, K)
/// b : array_like, shape (K, N)
///     Converted to float32; float32 arrays are read in place, whatever their strides.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of float32, shape (M, N)
///
/// Raises
/// ------
/// InvalidValueError
///     For inputs without two dimensions, inner extents that differ, an extent of zero, or an unknown device.
#[pyfunction]
#[pyo3(signature = (a, b, device="auto", *, policy=None))]
fn matmul2d<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let level = level("matmul2d", device, policy)?;
    let mut given = Inputs::new();
    matrices("matmul2d", a, b, &mut given)?;
    call::fresh(a.py(), site("matmul2d"), &attrs(), given.tensors(), level)
}

/// Matrix product in float32 into `out`; see `matmul2d`.
///
/// Parameters
/// ----------
/// out : ndarray, shape (M, N) or (M·N,)
///     Writable, C-contiguous float32 array that shares no memory with `a` or `b`.
#[pyfunction]
#[pyo3(signature = (a, b, out, device="auto", *, policy=None))]
fn matmul2d_into(
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    let level = level("matmul2d_into", device, policy)?;
    let mut given = Inputs::new();
    matrices("matmul2d_into", a, b, &mut given)?;
    call::into(a.py(), site("matmul2d_into"), &attrs(), given.tensors(), out, OutShape::OrFlat, level)
}

/// A resident session for products of matrices with the shapes of `a` (M, K) and `b` (K, N). Uploads nothing.
#[pyfunction]
#[pyo3(signature = (a, b, *, device="auto", policy=None))]
fn matmul2d_resident_session<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "matmul2d_resident_session";
    let mut given = Inputs::new();
    matrices(NAME, a, b, &mut given)?;
    let (left, right) = (given.shape(0), given.shape(1));
    let (m, k, n) = (left[0], left[1], right[1]);
    if right[0] != k {
        let expected = format!("shape [{k}, n]");
        return Err(raise(Error::invalid(NAME, "b", expected, format!("{right}"))));
    }
    call::session(a.py(), "MatMulMetalResidentSession", (m, k, n), device, policy)
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(matmul, m)?)?;
    m.add_function(wrap_pyfunction!(matmul_np, m)?)?;
    m.add_function(wrap_pyfunction!(matmul_np_into, m)?)?;
    m.add_function(wrap_pyfunction!(matmul_with_policy, m)?)?;
    m.add_function(wrap_pyfunction!(matmul_np_with_policy, m)?)?;
    m.add_function(wrap_pyfunction!(matmul_np_into_with_policy, m)?)?;
    m.add_function(wrap_pyfunction!(matmul2d, m)?)?;
    m.add_function(wrap_pyfunction!(matmul2d_into, m)?)?;
    m.add_function(wrap_pyfunction!(matmul2d_resident_session, m)?)
}
