//! Attention: the original's functions on one head, and `scaled_dot_product_attention`.

use crate::args::{Int, Switch, product};
use crate::array::{self, Inputs, TO_F32};
use crate::call::{self, OutShape, Site, level};
use crate::error::raise;
use crate::io_policy;
use lc_core::{Attrs, Error, Shape};
use lc_ops::{ATTENTION, AttentionAttrs};
use pyo3::prelude::*;

const fn site(name: &'static str) -> Site {
    Site { op: &ATTENTION, name }
}

/// The attributes of a call: an `AttentionIoPolicy` also says how the result is post-processed.
#[inline]
fn attrs(causal: Switch, policy: Option<&Bound<'_, PyAny>>) -> PyResult<Attrs> {
    let mut attrs = AttentionAttrs { causal: causal.0, ..AttentionAttrs::default() };
    if let Some(policy) = policy
        && let Some((_, Some(post))) = io_policy::of(policy)
    {
        attrs.output_scale = post.scale;
        attrs.output_bias = post.bias;
        attrs.output_relu = post.relu;
    }
    Ok(attrs.into())
}

/// Q, K and V given by their number of elements.
fn flat_inputs<'a, 'py>(
    name: &'static str,
    [q, k, v]: [&'a Bound<'py, PyAny>; 3],
    seq_len: Int,
    head_dim: Int,
) -> PyResult<Inputs<'a, 'py, 3>> {
    let (rows, cols) = (seq_len.size(name, "seq_len", 1)?, head_dim.size(name, "head_dim", 1)?);
    product(name, "head_dim", &[rows, cols])?;
    let shape: Shape = call::shape(name, &[rows, cols])?;
    let mut given = Inputs::new();
    given.read_as(0, name, "q", q, TO_F32, shape)?;
    given.read_as(1, name, "k", k, TO_F32, shape)?;
    given.read_as(2, name, "v", v, TO_F32, shape)?;
    Ok(given)
}

/// Q, K and V as they are: two dimensions and one shape.
#[inline]
fn head<'a, 'py>(
    name: &'static str,
    [q, k, v]: [&'a Bound<'py, PyAny>; 3],
    given: &mut Inputs<'a, 'py, 3>,
) -> PyResult<()> {
    given.read(0, name, "q", q, TO_F32)?;
    given.read(1, name, "k", k, TO_F32)?;
    given.read(2, name, "v", v, TO_F32)?;
    given.rank(0, name, "q", 2)?;
    let shape = given.shape(0);
    for (i, argument) in [(1, "k"), (2, "v")] {
        if given.shape(i) != shape {
            let got = format!("shape {}", given.shape(i));
            return Err(raise(Error::invalid(name, argument, format!("shape {shape}, as `q`"), got)));
        }
    }
    Ok(())
}

fn flat<'py>(
    name: &'static str,
    qkv: [&Bound<'py, PyAny>; 3],
    (seq_len, head_dim): (Int, Int),
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let level = level(name, device, policy)?;
    let given = flat_inputs(name, qkv, seq_len, head_dim)?;
    let len = given.shape(0).numel();
    call::fresh_flat(qkv[0].py(), site(name), &attrs(causal, policy)?, given.tensors(), level, len)
}

fn flat_or_list<'py>(
    name: &'static str,
    qkv: [&Bound<'py, PyAny>; 3],
    sizes: (Int, Int),
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let result = flat(name, qkv, sizes, causal, device, policy)?;
    match array::returns_list(&qkv) {
        true => result.call_method0("tolist"),
        false => Ok(result),
    }
}

/// One head of attention in float32, softmax(q·kᵀ/√head_dim)·v, flat.
///
/// Parameters
/// ----------
/// q, k, v : array_like
///     seq_len·head_dim elements each in row-major order, whatever their shape; converted to float32.
/// seq_len, head_dim : int
///     Extents, at least 1.
/// causal : bool
///     Whether row i sees only rows 0 to i of k and v.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy or AttentionIoPolicy, optional
///     How to run this call, and how to post-process its result.
///
/// Returns
/// -------
/// list of float, or ndarray
///     seq_len·head_dim elements; a list if all inputs are flat lists.
///
/// Raises
/// ------
/// InvalidValueError
///     For sizes that do not fit the inputs, sizes below 1, or an unknown device.
#[pyfunction]
#[pyo3(signature = (q, k, v, seq_len, head_dim, causal=Switch(false), device="auto", *, policy=None),
    text_signature = "(q, k, v, seq_len, head_dim, causal=False, device='auto', *, policy=None)")]
fn attention_forward<'py>(
    q: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    v: &Bound<'py, PyAny>,
    seq_len: Int,
    head_dim: Int,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat_or_list("attention_forward", [q, k, v], (seq_len, head_dim), causal, device, policy)
}

/// As `attention_forward`, under a policy.
///
/// Parameters
/// ----------
/// policy : AttentionIoPolicy or Policy, optional
///     An `AttentionIoPolicy` post-processes the result: scale, then bias, then ReLU. With downloads off, the returned
///     values are zeros.
#[pyfunction]
#[pyo3(signature = (q, k, v, seq_len, head_dim, causal=Switch(false), device="auto", policy=None),
    text_signature = "(q, k, v, seq_len, head_dim, causal=False, device='auto', policy=None)")]
fn attention_forward_with_policy<'py>(
    q: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    v: &Bound<'py, PyAny>,
    seq_len: Int,
    head_dim: Int,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat_or_list("attention_forward_with_policy", [q, k, v], (seq_len, head_dim), causal, device, policy)
}

/// One head of attention in float32: softmax(q·kᵀ/√D)·v.
///
/// Parameters
/// ----------
/// q, k, v : array_like, shape (S, D)
///     Converted to float32; float32 arrays are read in place, whatever their strides.
/// causal : bool
///     Whether row i sees only rows 0 to i of k and v.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy or AttentionIoPolicy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of float32, shape (S, D)
///
/// Raises
/// ------
/// InvalidValueError
///     For inputs without two dimensions or of different shapes, an extent of zero, or an unknown device.
#[pyfunction]
#[pyo3(signature = (q, k, v, causal=Switch(false), device="auto", *, policy=None),
    text_signature = "(q, k, v, causal=False, device='auto', *, policy=None)")]
fn attention2d<'py>(
    q: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    v: &Bound<'py, PyAny>,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "attention2d";
    let level = level(NAME, device, policy)?;
    let mut given = Inputs::new();
    head(NAME, [q, k, v], &mut given)?;
    call::fresh(q.py(), site(NAME), &attrs(causal, policy)?, given.tensors(), level)
}

/// One head of attention in float32 into `out`; see `attention2d`.
///
/// Parameters
/// ----------
/// out : ndarray, shape (S, D)
///     Writable, C-contiguous float32 array that shares no memory with an input.
#[pyfunction]
#[pyo3(signature = (q, k, v, out, causal=Switch(false), device="auto", *, policy=None),
    text_signature = "(q, k, v, out, causal=False, device='auto', *, policy=None)")]
fn attention2d_into(
    q: &Bound<'_, PyAny>,
    k: &Bound<'_, PyAny>,
    v: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    const NAME: &str = "attention2d_into";
    let level = level(NAME, device, policy)?;
    let mut given = Inputs::new();
    head(NAME, [q, k, v], &mut given)?;
    call::into(q.py(), site(NAME), &attrs(causal, policy)?, given.tensors(), out, OutShape::Exact, level)
}

/// A new `AttentionSession` for the shape (S, D) of `q`. Uploads nothing.
#[pyfunction]
#[pyo3(signature = (q, causal=Switch(false), device="auto", *, policy=None),
    text_signature = "(q, causal=False, device='auto', *, policy=None)")]
fn attention2d_session<'py>(
    q: &Bound<'py, PyAny>,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "attention2d_session";
    let mut given = Inputs::<1>::new();
    given.read(0, NAME, "q", q, TO_F32)?;
    given.rank(0, NAME, "q", 2)?;
    let (rows, cols) = (given.shape(0)[0], given.shape(0)[1]);
    call::session(q.py(), "AttentionSession", (rows, cols, causal.0), device, policy)
}

/// Forgets which kernels were chosen for calls. Results never depend on it.
#[pyfunction]
fn clear_attention2d_session_cache() {
    lc_core::runtime::forget_plans();
}

/// Forgets which kernels were chosen for calls. Results never depend on it.
#[pyfunction]
fn clear_attention_session_cache() {
    lc_core::runtime::forget_plans();
}

/// One head of attention in float32, flat: softmax(q·kᵀ/√head_dim)·v.
///
/// Parameters
/// ----------
/// q, k, v : array_like
///     seq_len·head_dim elements each in row-major order, whatever their shape; converted to float32.
/// seq_len, head_dim : int
///     Extents, at least 1.
/// causal : bool
///     Whether row i sees only rows 0 to i of k and v.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy or AttentionIoPolicy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of float32, shape (seq_len·head_dim,)
///
/// Raises
/// ------
/// InvalidValueError
///     For sizes that do not fit the inputs, sizes below 1, or an unknown device.
#[pyfunction]
#[pyo3(signature = (q, k, v, seq_len, head_dim, causal=Switch(false), device="auto", *, policy=None),
    text_signature = "(q, k, v, seq_len, head_dim, causal=False, device='auto', *, policy=None)")]
fn attention<'py>(
    q: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    v: &Bound<'py, PyAny>,
    seq_len: Int,
    head_dim: Int,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    flat("attention", [q, k, v], (seq_len, head_dim), causal, device, policy)
}

/// One head of attention in float32 into `out`; arguments as `attention`.
///
/// Parameters
/// ----------
/// out : ndarray
///     Writable, C-contiguous float32 array of seq_len·head_dim elements that shares no memory with an input.
#[pyfunction]
#[pyo3(signature = (q, k, v, out, seq_len, head_dim, causal=Switch(false), device="auto", *, policy=None),
    text_signature = "(q, k, v, out, seq_len, head_dim, causal=False, device='auto', *, policy=None)")]
fn attention_into(
    q: &Bound<'_, PyAny>,
    k: &Bound<'_, PyAny>,
    v: &Bound<'_, PyAny>,
    out: &Bound<'_, PyAny>,
    seq_len: Int,
    head_dim: Int,
    causal: Switch,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    const NAME: &str = "attention_into";
    let level = level(NAME, device, policy)?;
    let given = flat_inputs(NAME, [q, k, v], seq_len, head_dim)?;
    call::into(q.py(), site(NAME), &attrs(causal, policy)?, given.tensors(), out, OutShape::Any, level)
}

/// A mask as numbers to add to the scores: a boolean one, true where a score counts, becomes 0 and −∞ in q's dtype.
fn additive<'py>(q: &Bound<'py, PyAny>, mask: Option<&Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(mask) = mask else { return Ok(None) };
    let py = mask.py();
    let is_bool = mask.getattr("dtype").and_then(|d| d.getattr("kind")).is_ok_and(|k| k.eq("b").unwrap_or(false));
    if !is_bool {
        return Ok(Some(mask.clone()));
    }
    let np = py.import("numpy")?;
    let dtype = match q.getattr("dtype") {
        Ok(dtype) if dtype.eq("float64").unwrap_or(false) => "float64",
        _ => "float32",
    };
    let scalar = np.getattr(dtype)?;
    np.call_method1("where", (mask, scalar.call1((0.0,))?, scalar.call1((f64::NEG_INFINITY,))?)).map(Some)
}

/// Attention: softmax(scale·q·kᵀ + mask)·v over batches and heads.
///
/// Parameters
/// ----------
/// q : array_like, shape (S, D), (H, S, D) or (B, H, S, D)
/// k : array_like, shape (..., T, D)
/// v : array_like, shape (..., T, DV)
///     float32 or float64, all of one type. The heads of q may be a multiple of those of k and v (grouped queries).
/// mask : array_like, optional
///     Added to the scores, so it broadcasts to (..., S, T); a boolean mask is true where a score counts.
/// causal : bool
///     Whether row i sees only rows 0 to i of k and v.
/// scale : float, optional
///     Factor of the scores; 1/√D if None.
/// output_scale, output_bias : float
/// output_relu : bool
///     The result becomes result·output_scale + output_bias, then max(0, result) if `output_relu`.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray, shape (..., S, DV)
///     Rows that see nothing are zeros.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, a scale that is not positive, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (q, k, v, mask=None, *, causal=Switch(false), scale=None, output_scale=1.0, output_bias=0.0,
    output_relu=Switch(false), out=None, device="auto", policy=None),
    text_signature = "(q, k, v, mask=None, *, causal=False, scale=None, output_scale=1.0, output_bias=0.0, \
output_relu=False, out=None, device='auto', policy=None)")]
fn scaled_dot_product_attention<'py>(
    q: &Bound<'py, PyAny>,
    k: &Bound<'py, PyAny>,
    v: &Bound<'py, PyAny>,
    mask: Option<&Bound<'py, PyAny>>,
    causal: Switch,
    scale: Option<f64>,
    output_scale: f64,
    output_bias: f64,
    output_relu: Switch,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "scaled_dot_product_attention";
    let level = level(NAME, device, policy)?;
    if let Some(scale) = scale
        && !(scale > 0.0 && scale.is_finite())
    {
        return Err(raise(Error::invalid(NAME, "scale", "a positive number, or None", scale.to_string())));
    }
    let attrs = AttentionAttrs {
        causal: causal.0,
        scale: scale.unwrap_or(AttentionAttrs::default().scale),
        output_scale,
        output_bias,
        output_relu: output_relu.0,
    };
    let mask = additive(q, mask)?;
    let mut given = Inputs::new();
    given.read_all(NAME, ["q", "k", "v", "mask"], [Some(q), Some(k), Some(v), mask.as_ref()])?;
    call::result(q.py(), site(NAME), &attrs.into(), given.tensors(), out, level)
}

/// Adds this file's names to the module and to its submodule `api`.
pub fn register(m: &Bound<'_, PyModule>, api: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(attention_forward, m)?)?;
    m.add_function(wrap_pyfunction!(attention_forward_with_policy, m)?)?;
    m.add_function(wrap_pyfunction!(attention2d, m)?)?;
    m.add_function(wrap_pyfunction!(attention2d_into, m)?)?;
    m.add_function(wrap_pyfunction!(attention2d_session, m)?)?;
    m.add_function(wrap_pyfunction!(clear_attention2d_session_cache, m)?)?;
    api.add_function(wrap_pyfunction!(attention, api)?)?;
    api.add_function(wrap_pyfunction!(attention_into, api)?)?;
    api.add_function(wrap_pyfunction!(clear_attention_session_cache, api)?)?;
    api.add_function(wrap_pyfunction!(scaled_dot_product_attention, api)?)?;
    m.add("lightning_attention", api.getattr("attention")?)?;
    m.add("lightning_attention_into", api.getattr("attention_into")?)?;
    m.add("clear_integrated_attention_session_cache", api.getattr("clear_attention_session_cache")?)
}
