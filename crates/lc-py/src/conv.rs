//! Convolution, with and without ReLU, and the conv → attention pipeline.

use crate::args::{Int, Pair, activation, product};
use crate::array::{self, Inputs, TO_F32};
use crate::call::{self, OutShape, Site, level};
use crate::error::raise;
use lc_core::{Activation, Error, PackedPolicy};
use lc_ops::{CONV_ATTENTION, CONV2D, Conv2dAttrs, ConvAttentionAttrs};
use pyo3::prelude::*;

/// Stride and padding as Python gives them.
#[derive(Clone, Copy)]
struct Window {
    stride: Pair,
    pad: Pair,
}

impl Window {
    fn new(stride_h: Int, stride_w: Int, pad_h: Int, pad_w: Int) -> Window {
        Window { stride: Pair::of(stride_h, stride_w), pad: Pair::of(pad_h, pad_w) }
    }

    fn attrs(self, name: &'static str, activation: Activation) -> PyResult<Conv2dAttrs> {
        let (stride_h, stride_w) = self.stride.sizes(name, "stride", 1)?;
        let (pad_h, pad_w) = self.pad.sizes(name, "pad", 0)?;
        Ok(Conv2dAttrs { stride_h, stride_w, pad_h, pad_w, activation, ..Conv2dAttrs::default() })
    }
}

/// The inputs of a convolution: an image batch, weights, and a bias of which only the number of elements matters.
#[inline]
fn operands<'a, 'py>(
    name: &'static str,
    x: &'a Bound<'py, PyAny>,
    w: &'a Bound<'py, PyAny>,
    bias: Option<&'a Bound<'py, PyAny>>,
    given: &mut Inputs<'a, 'py, 3>,
) -> PyResult<()> {
    given.read(0, name, "x", x, TO_F32)?;
    given.read(1, name, "w", w, TO_F32)?;
    given.rank(0, name, "x", 4)?;
    given.rank(1, name, "w", 4)?;
    if let Some(bias) = bias {
        given.read_flat(2, name, "bias", bias, TO_F32)?;
    }
    Ok(())
}

const fn site(name: &'static str) -> Site {
    Site { op: &CONV2D, name }
}

#[inline]
fn fresh<'py>(
    name: &'static str,
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    window: Window,
    activation: Activation,
    level: PackedPolicy,
) -> PyResult<Bound<'py, PyAny>> {
    let mut given = Inputs::new();
    operands(name, x, w, bias, &mut given)?;
    call::fresh(x.py(), site(name), &window.attrs(name, activation)?.into(), given.tensors(), level)
}

#[inline]
fn into(
    name: &'static str,
    (x, w, bias): (&Bound<'_, PyAny>, &Bound<'_, PyAny>, Option<&Bound<'_, PyAny>>),
    out: &Bound<'_, PyAny>,
    window: Window,
    activation: Activation,
    level: PackedPolicy,
) -> PyResult<()> {
    let mut given = Inputs::new();
    operands(name, x, w, bias, &mut given)?;
    let attrs = window.attrs(name, activation)?.into();
    call::into(x.py(), site(name), &attrs, given.tensors(), out, OutShape::Exact, level)
}

/// Convolution (cross-correlation) of a batch of images in NCHW order, in float32.
///
/// Parameters
/// ----------
/// x : array_like, shape (N, C, H, W)
/// w : array_like, shape (O, C, KH, KW)
/// bias : array_like of O elements, optional
///     All three are converted to float32; float32 arrays are read in place.
/// stride_h, stride_w : int
///     Steps, at least 1.
/// pad_h, pad_w : int
///     Zeros on both sides.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of float32, shape (N, O, OH, OW)
///     With OH = (H + 2·pad_h − KH) // stride_h + 1 and OW in the same way.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, a kernel larger than the padded input, a stride below 1, or an unknown device.
#[pyfunction]
#[pyo3(signature = (x, w, bias=None, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), device="auto", *, policy=None),
    text_signature = "(x, w, bias=None, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', *, policy=None)")]
fn conv2d_nchw<'py>(
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "conv2d_nchw";
    let window = Window::new(stride_h, stride_w, pad_h, pad_w);
    fresh(NAME, x, w, bias, window, Activation::Identity, level(NAME, device, policy)?)
}

/// Convolution into `out`; see `conv2d_nchw`.
///
/// Parameters
/// ----------
/// out : ndarray, shape (N, O, OH, OW)
///     Writable, C-contiguous float32 array that shares no memory with an input.
#[pyfunction]
#[pyo3(signature = (x, w, bias, out, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), device="auto", *, policy=None),
    text_signature = "(x, w, bias, out, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', *, policy=None)")]
fn conv2d_nchw_into(
    x: &Bound<'_, PyAny>,
    w: &Bound<'_, PyAny>,
    bias: Option<&Bound<'_, PyAny>>,
    out: &Bound<'_, PyAny>,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    const NAME: &str = "conv2d_nchw_into";
    let window = Window::new(stride_h, stride_w, pad_h, pad_w);
    into(NAME, (x, w, bias), out, window, Activation::Identity, level(NAME, device, policy)?)
}

/// Convolution, bias and ReLU in one pass; arguments as `conv2d_nchw`.
#[pyfunction]
#[pyo3(signature = (x, w, bias=None, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), device="auto", *, policy=None),
    text_signature = "(x, w, bias=None, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', *, policy=None)")]
fn conv_relu_nchw<'py>(
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "conv_relu_nchw";
    let window = Window::new(stride_h, stride_w, pad_h, pad_w);
    fresh(NAME, x, w, bias, window, Activation::Relu, level(NAME, device, policy)?)
}

/// Convolution, bias and ReLU into `out`; arguments as `conv2d_nchw_into`.
#[pyfunction]
#[pyo3(signature = (x, w, bias, out, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), device="auto", *, policy=None),
    text_signature = "(x, w, bias, out, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', *, policy=None)")]
fn conv_relu_nchw_into(
    x: &Bound<'_, PyAny>,
    w: &Bound<'_, PyAny>,
    bias: Option<&Bound<'_, PyAny>>,
    out: &Bound<'_, PyAny>,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    const NAME: &str = "conv_relu_nchw_into";
    let window = Window::new(stride_h, stride_w, pad_h, pad_w);
    into(NAME, (x, w, bias), out, window, Activation::Relu, level(NAME, device, policy)?)
}

/// Convolution (cross-correlation) of a batch of images in NCHW order.
///
/// Parameters
/// ----------
/// x : array_like, shape (N, C, H, W)
/// w : array_like, shape (O, C/groups, KH, KW)
/// bias : array_like, shape (O,), optional
///     float32 or float64, all of one type.
/// stride, padding, dilation : int or (int, int)
///     For height and width. Padding is zeros on both sides.
/// groups : int
///     Channels are split into this many groups that do not see each other.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu", applied to the result.
/// out : ndarray, optional
///     Writable, C-contiguous array of the result's type and shape that shares no memory with an input.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray, shape (N, O, OH, OW)
///     With OH = (H + 2·padding − dilation·(KH − 1) − 1) // stride + 1 and OW in the same way.
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, a kernel larger than the padded input, an unsuitable `out`, or an unknown device.
/// InvalidTypeError
///     For another dtype, or inputs of two.
#[pyfunction]
#[pyo3(name = "conv2d", signature = (x, w, bias=None, *, stride=Pair::both(1), padding=Pair::both(0),
    dilation=Pair::both(1), groups=Int::Fits(1), activation="none", out=None, device="auto", policy=None),
    text_signature = "(x, w, bias=None, *, stride=1, padding=0, dilation=1, groups=1, activation='none', out=None, \
device='auto', policy=None)")]
fn api_conv2d<'py>(
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: Int,
    activation: &str,
    out: Option<&Bound<'py, PyAny>>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "conv2d";
    let level = level(NAME, device, policy)?;
    let (dilation_h, dilation_w) = dilation.sizes(NAME, "dilation", 1)?;
    let attrs = Conv2dAttrs {
        dilation_h,
        dilation_w,
        groups: groups.size(NAME, "groups", 1)?,
        ..Window { stride, pad: padding }.attrs(NAME, self::activation(NAME, activation)?)?
    };
    let mut given = Inputs::new();
    given.read_all(NAME, ["x", "w", "bias"], [Some(x), Some(w), bias])?;
    call::result(x.py(), site(NAME), &attrs.into(), given.tensors(), out, level)
}

/// The attributes of conv → attention, and how many elements its result has.
fn pipeline(name: &'static str, seq_len: Int, head_dim: Int, window: Window) -> PyResult<(ConvAttentionAttrs, usize)> {
    let (seq_len, head_dim) = (seq_len.size(name, "seq_len", 1)?, head_dim.size(name, "head_dim", 1)?);
    // Q, K and V together.
    product(name, "head_dim", &[3, seq_len, head_dim])?;
    let Conv2dAttrs { stride_h, stride_w, pad_h, pad_w, .. } = window.attrs(name, Activation::Relu)?;
    Ok((ConvAttentionAttrs { seq_len, head_dim, stride_h, stride_w, pad_h, pad_w }, seq_len * head_dim))
}

/// How conv → attention is executed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Eager,
    Graph,
}

fn mode(name: &'static str, text: &str) -> PyResult<Mode> {
    match text {
        "eager" => Ok(Mode::Eager),
        "graph" => Ok(Mode::Graph),
        _ => {
            let expected = "\"eager\" or \"graph\"";
            Err(raise(Error::invalid(name, "execution_mode", expected, format!("{text:?}"))))
        }
    }
}

/// Convolution with bias and ReLU, then one attention head on its map.
///
/// The map c = relu(conv2d(x, w, bias)), flat in NCHW order and repeated cyclically if it is too short, is read as Q, K
/// and V, each seq_len·head_dim elements, one after the other; the result is softmax(Q·Kᵀ/√head_dim)·V.
///
/// Parameters
/// ----------
/// x : array_like, shape (N, C, H, W)
/// w : array_like, shape (O, C, KH, KW)
/// bias : array_like of O elements, or None
///     All three are converted to float32.
/// seq_len, head_dim : int
///     Rows and columns of Q, K and V, at least 1.
/// stride_h, stride_w, pad_h, pad_w : int
///     Of the convolution.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// execution_mode : str
///     "eager", or "graph" for the same through a planned graph.
/// policy : Policy, optional
///     How to run this call.
///
/// Returns
/// -------
/// ndarray of float32, shape (seq_len·head_dim,)
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, sizes below 1, or an unknown device or mode.
#[pyfunction]
#[pyo3(signature = (x, w, bias, seq_len, head_dim, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), device="auto", execution_mode="eager", *, policy=None),
    text_signature = "(x, w, bias, seq_len, head_dim, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', \
execution_mode='eager', *, policy=None)")]
fn conv_attention_torchstrong_nchw<'py>(
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    seq_len: Int,
    head_dim: Int,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    execution_mode: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    const NAME: &str = "conv_attention_torchstrong_nchw";
    let (level, mode) = (level(NAME, device, policy)?, mode(NAME, execution_mode)?);
    let window = Window::new(stride_h, stride_w, pad_h, pad_w);
    let (attrs, len) = pipeline(NAME, seq_len, head_dim, window)?;
    let mut given = Inputs::new();
    operands(NAME, x, w, bias, &mut given)?;
    let site = Site { op: &CONV_ATTENTION, name: NAME };
    match mode {
        Mode::Eager => call::fresh_flat(x.py(), site, &attrs.into(), given.tensors(), level, len),
        Mode::Graph => {
            let spec = lc_core::TensorSpec::new(lc_core::DType::F32, call::shape(NAME, &[len])?);
            let (array, mut out) = array::new_array(x.py(), NAME, &spec)?;
            crate::graph::conv_attention_graph(x.py(), NAME, attrs, given.tensors(), &mut out, level)?;
            Ok(array)
        }
    }
}

/// Convolution, ReLU and attention into `out`; arguments as `conv_attention_torchstrong_nchw`.
///
/// Parameters
/// ----------
/// out : ndarray
///     Writable, C-contiguous float32 array of seq_len·head_dim elements that shares no memory with an input.
#[pyfunction]
#[pyo3(signature = (x, w, bias, out, seq_len, head_dim, stride_h=Int::Fits(1), stride_w=Int::Fits(1),
    pad_h=Int::Fits(0), pad_w=Int::Fits(0), device="auto", execution_mode="eager", *, policy=None),
    text_signature = "(x, w, bias, out, seq_len, head_dim, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', \
execution_mode='eager', *, policy=None)")]
fn conv_attention_torchstrong_nchw_into(
    x: &Bound<'_, PyAny>,
    w: &Bound<'_, PyAny>,
    bias: Option<&Bound<'_, PyAny>>,
    out: &Bound<'_, PyAny>,
    seq_len: Int,
    head_dim: Int,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    execution_mode: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    const NAME: &str = "conv_attention_torchstrong_nchw_into";
    let (level, mode) = (level(NAME, device, policy)?, mode(NAME, execution_mode)?);
    let window = Window::new(stride_h, stride_w, pad_h, pad_w);
    let (attrs, len) = pipeline(NAME, seq_len, head_dim, window)?;
    let mut given = Inputs::new();
    operands(NAME, x, w, bias, &mut given)?;
    let site = Site { op: &CONV_ATTENTION, name: NAME };
    match mode {
        Mode::Eager => call::into(x.py(), site, &attrs.into(), given.tensors(), out, OutShape::Any, level),
        Mode::Graph => {
            let spec = lc_core::TensorSpec::new(lc_core::DType::F32, call::shape(NAME, &[len])?);
            let mut target = array::output(NAME, "out", out)?;
            call::adopt(site, &mut target, &spec, OutShape::Any)?;
            crate::graph::conv_attention_graph(x.py(), NAME, attrs, given.tensors(), &mut target.tensor_mut(), level)
        }
    }
}

/// Adds this file's names to the module and to its submodule `api`.
pub fn register(m: &Bound<'_, PyModule>, api: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(conv2d_nchw, m)?)?;
    m.add_function(wrap_pyfunction!(conv2d_nchw_into, m)?)?;
    api.add_function(wrap_pyfunction!(api_conv2d, api)?)?;
    api.add_function(wrap_pyfunction!(conv_relu_nchw, api)?)?;
    api.add_function(wrap_pyfunction!(conv_relu_nchw_into, api)?)?;
    api.add_function(wrap_pyfunction!(conv_attention_torchstrong_nchw, api)?)?;
    api.add_function(wrap_pyfunction!(conv_attention_torchstrong_nchw_into, api)?)?;
    for name in [
        "conv_relu_nchw",
        "conv_relu_nchw_into",
        "conv_attention_torchstrong_nchw",
        "conv_attention_torchstrong_nchw_into",
    ] {
        m.add(format!("lightning_{name}"), api.getattr(name)?)?;
    }
    Ok(())
}
