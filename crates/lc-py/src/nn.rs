//! `lightning_core.api`: products with epilogues, normalisation, activations and fused pipelines.

use crate::args::{Int, activation as named};
use crate::array::Inputs;
use crate::call::{self, Site, level};
use crate::error::raise;
use lc_core::{Activation, Error};
use lc_ops::{
    ACTIVATION, ActivationAttrs, FFN, FfnAttrs, LAYER_NORM, LAYER_NORM_PROJECTION, LINEAR, LayerNormAttrs,
    LayerNormProjectionAttrs, LinearAttrs, MATMUL, MatmulAttrs, RMS_NORM, RmsNormAttrs, SOFTMAX, SoftmaxAttrs,
};
use pyo3::prelude::*;

/// Matrix product over leading dimensions: activation(a·b + bias + residual).
///
/// Parameters
/// ----------
/// a : array_like, shape (..., M, K)
/// b : array_like, shape (..., K, N)
///     float32 or float64, both of one type; leading dimensions broadcast.
/// bias : array_like, shape (N,), optional
/// residual : array_like of the result's shape, optional
///     Added before the activation.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu".
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray, shape (..., M, N)
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (a, b, *, bias=None, residual=None, activation="none", out=None, device="auto", policy=None),
    text_signature = "(a, b, *, bias=None, residual=None, activation='none', out=None, device='auto', policy=None)")]
fn matmul<'py>(
    a: &Bound<'py, PyAny>,
    b: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    residual: Option<&Bound<'py, PyAny>>,
    activation: &str,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "matmul";
    let level = level(NAME, device, policy)?;
    let attrs = MatmulAttrs { activation: named(NAME, activation)? };
    let mut given = Inputs::new();
    given.read_all(NAME, ["a", "b", "bias", "residual"], [Some(a), Some(b), bias, residual])?;
    let site = Site { op: &MATMUL, name: NAME };
    call::result(a.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// Linear layer: activation(x·weightᵀ + bias).
///
/// Parameters
/// ----------
/// x : array_like, shape (..., I)
/// weight : array_like, shape (O, I)
/// bias : array_like, shape (O,), optional
///     float32 or float64, all of one type.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu".
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray, shape (..., O)
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, weight, bias=None, *, activation="none", out=None, device="auto", policy=None),
    text_signature = "(x, weight, bias=None, *, activation='none', out=None, device='auto', policy=None)")]
fn linear<'py>(
    x: &Bound<'py, PyAny>,
    weight: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    activation: &str,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "linear";
    let level = level(NAME, device, policy)?;
    let attrs = LinearAttrs { activation: named(NAME, activation)? };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x", "weight", "bias"], [Some(x), Some(weight), bias])?;
    let site = Site { op: &LINEAR, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// Softmax along a dimension; the largest element is subtracted first, so that no exponential overflows.
///
/// Parameters
/// ----------
/// x : array_like
///     float32 or float64, of at least one dimension.
/// axis : int
///     The dimension; negative ones count from the last.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of the shape of `x`
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, axis=Int::Fits(-1), *, out=None, device="auto", policy=None),
    text_signature = "(x, axis=-1, *, out=None, device='auto', policy=None)")]
fn softmax<'py>(
    x: &Bound<'py, PyAny>,
    axis: Int,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "softmax";
    let level = level(NAME, device, policy)?;
    let attrs = SoftmaxAttrs { axis: axis.value(NAME, "axis")? };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x"], [Some(x)])?;
    let site = Site { op: &SOFTMAX, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// Layer norm over the last dimension: (x − mean)/√(variance + eps)·weight + bias, with the population variance.
///
/// Parameters
/// ----------
/// x : array_like, shape (..., D)
/// weight, bias : array_like, shape (D,), optional
///     float32 or float64, all of one type.
/// eps : float
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of the shape of `x`
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, weight=None, bias=None, eps=1e-5, *, out=None, device="auto", policy=None),
    text_signature = "(x, weight=None, bias=None, eps=1e-05, *, out=None, device='auto', policy=None)")]
fn layer_norm<'py>(
    x: &Bound<'py, PyAny>,
    weight: Option<&Bound<'py, PyAny>>,
    bias: Option<&Bound<'py, PyAny>>,
    eps: f64,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "layer_norm";
    let level = level(NAME, device, policy)?;
    let attrs = LayerNormAttrs { eps };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x", "weight", "bias"], [Some(x), weight, bias])?;
    let site = Site { op: &LAYER_NORM, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// RMS norm over the last dimension: x/√(mean(x²) + eps)·weight.
///
/// Parameters
/// ----------
/// x : array_like, shape (..., D)
/// weight : array_like, shape (D,), optional
///     float32 or float64, both of one type.
/// eps : float
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of the shape of `x`
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, weight=None, eps=1e-6, *, out=None, device="auto", policy=None),
    text_signature = "(x, weight=None, eps=1e-06, *, out=None, device='auto', policy=None)")]
fn rms_norm<'py>(
    x: &Bound<'py, PyAny>,
    weight: Option<&Bound<'py, PyAny>>,
    eps: f64,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "rms_norm";
    let level = level(NAME, device, policy)?;
    let attrs = RmsNormAttrs { eps };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x", "weight"], [Some(x), weight])?;
    let site = Site { op: &RMS_NORM, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// max(x, 0), element by element.
///
/// Parameters
/// ----------
/// x : array_like
///     float32 or float64.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of the shape of `x`
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, *, out=None, device="auto", policy=None),
    text_signature = "(x, *, out=None, device='auto', policy=None)")]
fn relu<'py>(
    x: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "relu";
    let level = level(NAME, device, policy)?;
    let attrs = ActivationAttrs { kind: Activation::Relu };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x"], [Some(x)])?;
    let site = Site { op: &ACTIVATION, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// x·sigmoid(x), element by element.
///
/// Parameters
/// ----------
/// x : array_like
///     float32 or float64.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of the shape of `x`
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, *, out=None, device="auto", policy=None),
    text_signature = "(x, *, out=None, device='auto', policy=None)")]
fn silu<'py>(
    x: &Bound<'py, PyAny>,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "silu";
    let level = level(NAME, device, policy)?;
    let attrs = ActivationAttrs { kind: Activation::Silu };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x"], [Some(x)])?;
    let site = Site { op: &ACTIVATION, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// x·Φ(x), element by element, with Φ the normal distribution function.
///
/// Parameters
/// ----------
/// x : array_like
///     float32 or float64.
/// approximate : str
///     "none" for the error function, "tanh" for the usual approximation.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of the shape of `x`
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, approximate="none", *, out=None, device="auto", policy=None),
    text_signature = "(x, approximate='none', *, out=None, device='auto', policy=None)")]
fn gelu<'py>(
    x: &Bound<'py, PyAny>,
    approximate: &str,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "gelu";
    let level = level(NAME, device, policy)?;
    let kind = match approximate {
        "none" => Activation::Gelu,
        "tanh" => Activation::GeluTanh,
        other => {
            let expected = "\"none\" or \"tanh\"";
            return Err(raise(Error::invalid(NAME, "approximate", expected, format!("{other:?}"))));
        }
    };
    let attrs = ActivationAttrs { kind };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x"], [Some(x)])?;
    let site = Site { op: &ACTIVATION, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// Feed-forward block: activation(x·w1ᵀ + b1)·w2ᵀ + b2, as one plan.
///
/// Parameters
/// ----------
/// x : array_like, shape (..., D)
/// w1 : array_like, shape (F, D)
/// w2 : array_like, shape (O, F)
/// b1 : array_like, shape (F,), optional
/// b2 : array_like, shape (O,), optional
///     float32 or float64, all of one type.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu".
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray, shape (..., O)
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, w1, w2, b1=None, b2=None, *, activation="gelu", out=None, device="auto", policy=None),
    text_signature = "(x, w1, w2, b1=None, b2=None, *, activation='gelu', out=None, device='auto', policy=None)")]
fn ffn<'py>(
    x: &Bound<'py, PyAny>,
    w1: &Bound<'py, PyAny>,
    w2: &Bound<'py, PyAny>,
    b1: Option<&Bound<'py, PyAny>>,
    b2: Option<&Bound<'py, PyAny>>,
    activation: &str,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "ffn";
    let level = level(NAME, device, policy)?;
    let attrs = FfnAttrs { activation: named(NAME, activation)? };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x", "w1", "w2", "b1", "b2"], [Some(x), Some(w1), Some(w2), b1, b2])?;
    let site = Site { op: &FFN, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// Layer norm, then a linear layer, as one plan: layer_norm(x)·weightᵀ + bias.
///
/// Parameters
/// ----------
/// x : array_like, shape (..., D)
/// weight : array_like, shape (O, D)
/// norm_weight, norm_bias : array_like, shape (D,), optional
///     Weight and bias of the norm.
/// bias : array_like, shape (O,), optional
///     float32 or float64, all of one type.
/// eps : float
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray, shape (..., O)
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(signature = (x, weight, norm_weight=None, norm_bias=None, bias=None, eps=1e-5, *, out=None, device="auto", policy=None),
    text_signature = "(x, weight, norm_weight=None, norm_bias=None, bias=None, eps=1e-05, *, out=None, device='auto', policy=None)")]
fn layer_norm_projection<'py>(
    x: &Bound<'py, PyAny>,
    weight: &Bound<'py, PyAny>,
    norm_weight: Option<&Bound<'py, PyAny>>,
    norm_bias: Option<&Bound<'py, PyAny>>,
    bias: Option<&Bound<'py, PyAny>>,
    eps: f64,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "layer_norm_projection";
    let level = level(NAME, device, policy)?;
    let attrs = LayerNormProjectionAttrs { eps };
    let mut given = Inputs::new();
    given.read_all(
        NAME,
        ["x", "weight", "norm_weight", "norm_bias", "bias"],
        [Some(x), Some(weight), norm_weight, norm_bias, bias],
    )?;
    let site = Site { op: &LAYER_NORM_PROJECTION, name: NAME };
    call::result(x.py(), site, &attrs.into(), given.tensors(), out, level)
}

/// Adds this file's names to the submodule `api`.
pub fn register(api: &Bound<'_, PyModule>) -> PyResult<()> {
    api.add_function(wrap_pyfunction!(matmul, api)?)?;
    api.add_function(wrap_pyfunction!(linear, api)?)?;
    api.add_function(wrap_pyfunction!(softmax, api)?)?;
    api.add_function(wrap_pyfunction!(layer_norm, api)?)?;
    api.add_function(wrap_pyfunction!(rms_norm, api)?)?;
    api.add_function(wrap_pyfunction!(relu, api)?)?;
    api.add_function(wrap_pyfunction!(silu, api)?)?;
    api.add_function(wrap_pyfunction!(gelu, api)?)?;
    api.add_function(wrap_pyfunction!(ffn, api)?)?;
    api.add_function(wrap_pyfunction!(layer_norm_projection, api)?)?;
    Ok(())
}
