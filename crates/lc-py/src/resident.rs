//! `lightning_core.resident`: weights that are packed once, called with an activation each time.

use crate::args::activation as named;
use crate::array::{self, Cast, Inputs};
use crate::call::{self, OutShape, Site, level};
use crate::error::raise;
use crate::session::{is_short, keep};
use lc_core::{Attrs, DType, Error, OpDef, PackedPolicy, Resident, Shape, TensorMut, TensorRef, TensorSpec};
use lc_ops::{
    FFN, FfnAttrs, LAYER_NORM_PROJECTION, LINEAR, LayerNormProjectionAttrs, LinearAttrs, MATMUL, MatmulAttrs,
};
use lightning_core::runtime;
use pyo3::prelude::*;

/// An op whose weights stay on the device, packed for its kernel, to be called with one activation after another.
///
/// The functions of `lightning_core.resident` make it. `layer(x)` gives what the function of that name in
/// `lightning_core.api` gives for the same operands, bit for bit the same for every number of rows that both multiply by
/// the packed kernel. On the CPU `x` is read where it is, whatever its strides, and the result is written straight into
/// `out`. Several threads may call one object at once. What happens to the arrays that it was made of changes nothing.
#[pyclass(frozen, module = "lightning_core.resident", name = "Resident")]
pub struct PyResident {
    name: &'static str,
    resident: Resident,
    dtype: DType,
    /// The last extent of `x`.
    width: usize,
    /// The fewest dimensions of `x`.
    rank: usize,
}

#[pymethods]
impl PyResident {
    /// The op on the resident weights and `x`.
    ///
    /// Parameters
    /// ----------
    /// x : array_like, shape (..., D)
    ///     Of the weights' type; Python numbers and sequences become it.
    /// out : ndarray, optional
    ///     Writable, C-contiguous array of the result's type and shape that shares no memory with `x`.
    /// policy : Policy, optional
    ///     What is copied and when to wait. Device and arithmetic stay those that the object was made with.
    ///
    /// Returns
    /// -------
    /// ndarray
    ///     `out` if it was given, else a new array.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     For shapes that do not fit or an unsuitable `out`.
    /// InvalidTypeError
    ///     For another dtype than the weights'.
    #[pyo3(signature = (x, out=None, *, policy=None))]
    fn __call__<'py>(
        &self,
        x: &Bound<'py, PyAny>,
        out: Option<&Bound<'py, PyAny>>,
        policy: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = x.py();
        let level = level(self.name, "auto", policy)?;
        let given = array::input(self.name, "x", x, Cast::Keep(self.dtype))?;
        let operands = [Some(given.tensor())];
        self.check(operands[0].as_ref())?;
        let ready = self.resident.ready(runtime(), &operands).map_err(|e| raise(e.in_op(self.name)))?;
        let call = ready.call();
        let spec = call.outputs.first();
        let run = |target: TensorMut<'_>| {
            let mut outputs = [target];
            let mut run = || self.resident.run(&ready, &operands, &mut outputs, level);
            keep(py, self.name, if is_short(call) { run() } else { py.detach(run) })
        };
        let Some(out) = out else {
            let (array, target) = array::new_array(py, self.name, spec)?;
            if policy.is_some() {
                // A policy may leave the result on the device, and what was in this memory before is nobody's business.
                // SAFETY: the array is new and has this many bytes.
                unsafe { target.ptr().write_bytes(0, spec.bytes()) };
            }
            return run(target).map(|()| array);
        };
        if let Some(fitting) = array::fitting_output(out, spec) {
            run(fitting)?;
        } else {
            let mut target = array::output(self.name, "out", out)?;
            if target.spec() != spec {
                let site = Site { op: self.resident.op(), name: self.name };
                call::adopt(site, &mut target, spec, OutShape::Exact)?;
            }
            run(target.tensor_mut())?;
        }
        Ok(out.clone())
    }

    /// The op.
    #[getter]
    fn op(&self) -> &'static str {
        self.resident.op().name
    }

    /// The device that the weights are on.
    #[getter]
    fn device(&self) -> &'static str {
        self.resident.backend().descriptor().kind.name()
    }

    /// The type of the weights, and so of `x` and of the result.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.dtype.name()
    }

    /// Bytes of the weights there, dense and packed.
    #[getter]
    fn resident_bytes(&self) -> usize {
        self.resident.bytes()
    }

    fn __repr__(&self) -> String {
        format!("<lightning_core.resident.{} of {} on {}>", self.name, self.dtype.name(), self.device())
    }
}

impl PyResident {
    /// Checks `x` against the weights, so that errors blame the argument that the caller gave.
    #[inline]
    fn check(&self, x: Option<&TensorRef<'_>>) -> PyResult<()> {
        let Some(x) = x else { return Ok(()) };
        let dims = x.shape().dims();
        if x.dtype() == self.dtype && dims.len() >= self.rank && dims.last() == Some(&self.width) {
            return Ok(());
        }
        Err(self.misfit(x))
    }

    #[cold]
    fn misfit(&self, x: &TensorRef<'_>) -> PyErr {
        if x.dtype() != self.dtype {
            let expected = format!("{}, as the weights", self.dtype);
            return raise(Error::wrong_type(self.name, "x", expected, x.dtype().name()));
        }
        let rows = if self.rank > 1 { "..., rows" } else { "..." };
        let expected = format!("shape ({rows}, {}), as the weights say", self.width);
        raise(Error::invalid(self.name, "x", expected, format!("shape {}", x.shape())))
    }
}

/// Makes the object: reads the weights, which are inputs 1 and on of `op`, and packs them.
fn make<const N: usize>(
    (name, op): (&'static str, &'static OpDef),
    attrs: &Attrs,
    names: [&'static str; N],
    weights: [Option<&Bound<'_, PyAny>>; N],
    // The extent of the first weight that is also the last of `x`, and the fewest dimensions of `x`.
    (axis, rank): (usize, usize),
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyResident> {
    let level: PackedPolicy = level(name, device, policy)?;
    let mut given = Inputs::new();
    given.read_all(name, names, weights)?;
    let mut tensors = vec![None];
    tensors.extend(given.tensors());
    let first = tensors[1].as_ref().ok_or_else(|| raise(Error::invalid(name, names[0], "an array", "none")))?;
    let dtype = first.dtype();
    if first.shape().rank() != 2 {
        let got = format!("{} (shape {})", first.shape().rank(), first.shape());
        return Err(raise(Error::invalid(name, names[0], "2 dimensions", got)));
    }
    let width = first.shape()[axis];
    let example = TensorSpec::new(dtype, Shape::new(&[1, width]).map_err(|e| raise(e.in_op(name)))?);
    for (tensor, argument) in tensors[1..].iter().zip(names) {
        if let Some(tensor) = tensor
            && tensor.dtype() != dtype
        {
            let expected = format!("{dtype}, as `{}`", names[0]);
            return Err(raise(Error::wrong_type(name, argument, expected, tensor.dtype().name())));
        }
    }
    let resident = Resident::new(runtime(), op, attrs, &tensors, &[Some(example)], level);
    let resident = resident.map_err(|e| raise(e.in_op(name)))?;
    Ok(PyResident { name, resident, dtype, width, rank })
}

/// A linear layer with resident weights: activation(x·weightᵀ + bias).
///
/// Parameters
/// ----------
/// weight : array_like, shape (O, I)
/// bias : array_like, shape (O,), optional
///     float32 or float64, both of one type.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu".
/// device : str
///     Where the weights live and the calls run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The level of all calls: below scopes, above the process default.
///
/// Returns
/// -------
/// Resident
///     Takes `x` of shape (..., I) and gives (..., O).
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, or an unknown device or activation.
/// InvalidTypeError
///     For another dtype, or weights of two.
#[pyfunction]
#[pyo3(signature = (weight, bias=None, *, activation="none", device="auto", policy=None))]
fn linear(
    weight: &Bound<'_, PyAny>,
    bias: Option<&Bound<'_, PyAny>>,
    activation: &str,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyResident> {
    const NAME: &str = "linear";
    let attrs = LinearAttrs { activation: named(NAME, activation)? };
    make((NAME, &LINEAR), &attrs.into(), ["weight", "bias"], [Some(weight), bias], (1, 1), device, policy)
}

/// A product with a resident right operand: activation(x·b + bias).
///
/// Parameters
/// ----------
/// b : array_like, shape (K, N)
/// bias : array_like, shape (N,), optional
///     float32 or float64, both of one type.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu".
/// device : str
///     Where `b` lives and the calls run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The level of all calls: below scopes, above the process default.
///
/// Returns
/// -------
/// Resident
///     Takes `x` of shape (..., M, K) and gives (..., M, N).
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, or an unknown device or activation.
/// InvalidTypeError
///     For another dtype, or weights of two.
#[pyfunction]
#[pyo3(signature = (b, bias=None, *, activation="none", device="auto", policy=None))]
fn matmul(
    b: &Bound<'_, PyAny>,
    bias: Option<&Bound<'_, PyAny>>,
    activation: &str,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyResident> {
    const NAME: &str = "matmul";
    let attrs = MatmulAttrs { activation: named(NAME, activation)? };
    make((NAME, &MATMUL), &attrs.into(), ["b", "bias"], [Some(b), bias], (0, 2), device, policy)
}

/// A feed-forward block with resident weights: activation(x·w1ᵀ + b1)·w2ᵀ + b2.
///
/// Parameters
/// ----------
/// w1 : array_like, shape (F, D)
/// w2 : array_like, shape (O, F)
/// b1 : array_like, shape (F,), optional
/// b2 : array_like, shape (O,), optional
///     float32 or float64, all of one type.
/// activation : str
///     "none", "relu", "gelu", "gelu_tanh" or "silu".
/// device : str
///     Where the weights live and the calls run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The level of all calls: below scopes, above the process default.
///
/// Returns
/// -------
/// Resident
///     Takes `x` of shape (..., D) and gives (..., O).
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, or an unknown device or activation.
/// InvalidTypeError
///     For another dtype, or weights of two.
#[pyfunction]
#[pyo3(signature = (w1, w2, b1=None, b2=None, *, activation="gelu", device="auto", policy=None))]
fn ffn(
    w1: &Bound<'_, PyAny>,
    w2: &Bound<'_, PyAny>,
    b1: Option<&Bound<'_, PyAny>>,
    b2: Option<&Bound<'_, PyAny>>,
    activation: &str,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyResident> {
    const NAME: &str = "ffn";
    let attrs = FfnAttrs { activation: named(NAME, activation)? };
    let weights = [Some(w1), Some(w2), b1, b2];
    make((NAME, &FFN), &attrs.into(), ["w1", "w2", "b1", "b2"], weights, (1, 1), device, policy)
}

/// Layer norm and projection with resident weights: layer_norm(x)·weightᵀ + bias.
///
/// Parameters
/// ----------
/// weight : array_like, shape (O, D)
/// norm_weight, norm_bias : array_like, shape (D,), optional
///     Weight and bias of the norm.
/// bias : array_like, shape (O,), optional
///     float32 or float64, all of one type.
/// eps : float
/// device : str
///     Where the weights live and the calls run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The level of all calls: below scopes, above the process default.
///
/// Returns
/// -------
/// Resident
///     Takes `x` of shape (..., D) and gives (..., O).
///
/// Raises
/// ------
/// InvalidValueError
///     For shapes that do not fit, or an unknown device.
/// InvalidTypeError
///     For another dtype, or weights of two.
#[pyfunction]
#[pyo3(signature = (weight, norm_weight=None, norm_bias=None, bias=None, eps=1e-5, *, device="auto", policy=None),
    text_signature = "(weight, norm_weight=None, norm_bias=None, bias=None, eps=1e-05, *, device='auto', policy=None)")]
fn layer_norm_projection(
    weight: &Bound<'_, PyAny>,
    norm_weight: Option<&Bound<'_, PyAny>>,
    norm_bias: Option<&Bound<'_, PyAny>>,
    bias: Option<&Bound<'_, PyAny>>,
    eps: f64,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyResident> {
    const NAME: &str = "layer_norm_projection";
    let attrs = LayerNormProjectionAttrs { eps };
    let names = ["weight", "norm_weight", "norm_bias", "bias"];
    let weights = [Some(weight), norm_weight, norm_bias, bias];
    make((NAME, &LAYER_NORM_PROJECTION), &attrs.into(), names, weights, (1, 1), device, policy)
}

/// Adds this file's names to the submodule `resident`.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let resident = PyModule::new(m.py(), "lightning_core.resident")?;
    resident.add_class::<PyResident>()?;
    resident.add_function(wrap_pyfunction!(linear, &resident)?)?;
    resident.add_function(wrap_pyfunction!(matmul, &resident)?)?;
    resident.add_function(wrap_pyfunction!(ffn, &resident)?)?;
    resident.add_function(wrap_pyfunction!(layer_norm_projection, &resident)?)?;
    m.add("_resident", resident)
}
