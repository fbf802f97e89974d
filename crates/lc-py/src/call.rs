//! One call of an op: its policy, its plan, its result, its receipt.

use crate::array;
use crate::error::raise;
use crate::policy;
use lc_core::runtime::run_plan;
use lc_core::{
    Attrs, DeviceRequest, Error, OpDef, PackedPolicy, Plan, Receipt, ResolvedCall, Shape, TensorMut, TensorRef,
    TensorSpec,
};
use lightning_core::runtime;
use pyo3::ffi::c_str;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use std::ffi::CString;

/// Work of less than this many nanoseconds keeps the interpreter lock: to release it and take it back can cost as much.
const RELEASE_ABOVE_NS: u64 = 5_000;

/// The op that a function runs, and the name under which errors speak of it.
#[derive(Clone, Copy)]
pub struct Site {
    /// The op.
    pub op: &'static OpDef,
    /// The Python function's name.
    pub name: &'static str,
}

/// Which shapes besides the result's own an `out` array may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutShape {
    /// None.
    Exact,
    /// One dimension with as many elements.
    OrFlat,
    /// Any with as many elements.
    Any,
}

/// The level of a call: its `device` string, unless that is "auto", over its `policy` object.
///
/// # Errors
/// `ValueError` for an unknown device, `TypeError` for what is no policy.
#[inline(always)]
pub fn level(name: &'static str, device: &str, policy: Option<&Bound<'_, PyAny>>) -> PyResult<PackedPolicy> {
    match device == "auto" && policy.is_none() {
        true => Ok(PackedPolicy::UNSET),
        false => given_level(name, device, policy),
    }
}

#[inline(never)]
fn given_level(name: &'static str, device: &str, policy: Option<&Bound<'_, PyAny>>) -> PyResult<PackedPolicy> {
    let request = DeviceRequest::from_name(device).map_err(|e| raise(e.in_op(name)))?;
    let device = match request {
        DeviceRequest::Auto => PackedPolicy::UNSET,
        DeviceRequest::Is(_) => PackedPolicy::device(request),
    };
    match policy {
        None => Ok(device),
        Some(policy) => Ok(device.over(policy::packed(name, policy)?)),
    }
}

/// Whether a plan's work is worth releasing the interpreter lock for. The rates are low for a kernel, so that the guess
/// errs on the side of releasing; a device with memory of its own always makes the caller wait.
#[inline]
fn is_long(plan: &Plan) -> bool {
    let Some(call) = plan.direct() else { return true };
    let cost = &call.cost;
    (cost.flops / 16).saturating_add(cost.bytes_read.saturating_add(cost.bytes_written) / 16) > RELEASE_ABOVE_NS
}

#[cold]
fn no_launch(site: Site) -> Error {
    Error::new(lc_core::ErrorKind::Unknown, site.name).got("a plan without a launch")
}

/// The call whose results a plan's are.
#[inline]
fn call_of(plan: &Plan) -> Option<&ResolvedCall> {
    plan.direct().or_else(|| plan.calls().next().map(|call| &**call))
}

/// Finds the plan of a call, takes the result's memory from `target`, and runs it.
///
/// `target` gets the result's type and extents, and whether something will be written there. It runs while this thread's
/// memo of plans is borrowed, so a call that Python code makes meanwhile is not memoised.
#[inline(always)]
fn run<'out, R>(
    py: Python<'_>,
    site: Site,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    level: PackedPolicy,
    target: impl FnOnce(&TensorSpec, bool) -> PyResult<(R, TensorMut<'out>)>,
) -> PyResult<R> {
    // These go around the runtime and not through it, so that what it returns fits in registers.
    let (mut refused, mut fallback) = (None, false);
    let done = runtime().with_plan(site.op, attrs, inputs, level, |planned| {
        let call = call_of(planned.plan).ok_or_else(|| no_launch(site))?;
        let (result, out) = match target(call.outputs.first(), planned.policy.download(0)) {
            Ok(both) => both,
            Err(error) => {
                refused = Some(error);
                return Ok(None);
            }
        };
        let mut outputs = [out];
        match is_long(planned.plan) {
            false => planned.run(inputs, &mut outputs)?,
            true => {
                let (plan, policy) = (planned.plan, planned.policy);
                py.detach(|| run_plan(plan, inputs, &mut outputs, policy))?;
            }
        }
        fallback = call.is_fallback();
        Ok(Some(result))
    });
    match done {
        Ok(Some(result)) if !fallback => Ok(result),
        Ok(Some(result)) => warn_once(py).map(|()| result),
        Ok(None) => Err(refused.unwrap_or_else(|| raise(no_launch(site)))),
        Err(error) => Err(raise(error.in_op(site.name))),
    }
}

#[cold]
fn warn_once(py: Python<'_>) -> PyResult<()> {
    match lc_core::last_receipt() {
        Some(receipt) if receipt.warn => warn(py, &receipt),
        _ => Ok(()),
    }
}

/// Tells the user once that an op runs elsewhere than asked.
///
/// # Errors
/// The warning itself, when warnings are errors.
#[cold]
pub fn warn(py: Python<'_>, receipt: &Receipt) -> PyResult<()> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLASS.get_or_try_init(py, || {
        let class = py.import("lightning_core.errors")?.getattr("FallbackWarning")?;
        PyResult::Ok(class.cast_into::<PyType>()?.unbind())
    })?;
    let mut reason = receipt.reason.text().to_string();
    if let lc_core::DeviceRequest::Is(kind) = receipt.requested
        && let Some(failure) = runtime().open_failure(kind)
    {
        reason = format!("{reason} ({failure})");
    }
    let text = format!(
        "{} ran on \"{}\" and not on \"{}\": {reason}. This is said once for each op and device; \
         lightning_core.Policy(fallback=\"allow\") silences it, fallback=\"deny\" makes it an error.",
        receipt.op, receipt.selected, receipt.requested,
    );
    let text = CString::new(text).unwrap_or_else(|_| c_str!("an op ran on another device than asked").into());
    PyErr::warn(py, class.bind(py), &text, 1)
}

/// Runs an op with one result into a new array of the result's shape.
///
/// # Errors
/// What the op's rule refuses; what the policy forbids; out of memory; a failure of the device.
pub fn fresh<'py>(
    py: Python<'py>,
    site: Site,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    level: PackedPolicy,
) -> PyResult<Bound<'py, PyAny>> {
    run(py, site, attrs, inputs, level, |spec, written| {
        let (array, out) = array::new_array(py, site.name, spec)?;
        if !written {
            clear(&out);
        }
        Ok((array, out))
    })
}

/// As [`fresh`], but the new array has one dimension of `len` elements, which are as many as the result has.
///
/// # Errors
/// As [`fresh`].
pub fn fresh_flat<'py>(
    py: Python<'py>,
    site: Site,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    level: PackedPolicy,
    len: usize,
) -> PyResult<Bound<'py, PyAny>> {
    run(py, site, attrs, inputs, level, |spec, written| {
        let (array, out) = array::new_array_as(py, site.name, spec, &[len])?;
        if !written {
            clear(&out);
        }
        Ok((array, out))
    })
}

/// Zeroes a new result that nothing will be written to: what was in its memory before is nobody's business.
#[cold]
fn clear(out: &TensorMut<'_>) {
    // SAFETY: a result can be written, and has this many bytes.
    unsafe { out.ptr().write_bytes(0, out.spec().bytes()) };
}

/// Runs an op with one result into the caller's array.
///
/// # Errors
/// As [`fresh`]; an `out` that cannot be written in place, has another dtype or shape, or overlaps an input. Nothing is
/// written then.
pub fn into(
    py: Python<'_>,
    site: Site,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    out: &Bound<'_, PyAny>,
    shapes: OutShape,
    level: PackedPolicy,
) -> PyResult<()> {
    let mut target = None;
    run(py, site, attrs, inputs, level, |spec, _| {
        if let Some(fitting) = array::fitting_output(out, spec) {
            return Ok(((), fitting));
        }
        let target = target.insert(array::output(site.name, "out", out)?);
        if target.spec() != spec {
            adopt(site, target, spec, shapes)?;
        }
        Ok(((), target.tensor_mut()))
    })
}

/// Gives an `out` of another, allowed shape the result's shape.
#[cold]
pub fn adopt(site: Site, target: &mut array::Output<'_, '_>, spec: &TensorSpec, shapes: OutShape) -> PyResult<()> {
    let got = *target.spec();
    if got.dtype != spec.dtype {
        return Err(raise(Error::wrong_type(site.name, "out", spec.dtype.name(), got.dtype.name())));
    }
    let same_size = got.shape.numel() == spec.shape.numel();
    let allowed = match shapes {
        OutShape::Exact => false,
        OutShape::OrFlat => same_size && got.shape.rank() == 1,
        OutShape::Any => same_size,
    };
    if !allowed {
        let expected = match shapes {
            OutShape::Exact => format!("shape {}", spec.shape),
            OutShape::OrFlat => format!("shape {} or [{}]", spec.shape, spec.shape.numel()),
            OutShape::Any => format!("{} elements", spec.shape.numel()),
        };
        return Err(raise(Error::invalid(site.name, "out", expected, format!("shape {}", got.shape))));
    }
    target.reshape(site.name, "out", spec.shape)
}

/// Runs an op with one result, into `out` if there is one, else into a new array; returns whichever it is.
///
/// # Errors
/// As [`fresh`] and [`into`].
#[inline]
pub fn result<'py>(
    py: Python<'py>,
    site: Site,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    out: Option<&Bound<'py, PyAny>>,
    level: PackedPolicy,
) -> PyResult<Bound<'py, PyAny>> {
    match out {
        None => fresh(py, site, attrs, inputs, level),
        Some(out) => {
            into(py, site, attrs, inputs, out, OutShape::Exact, level)?;
            Ok(out.clone())
        }
    }
}

/// A shape of sizes that came from Python.
///
/// # Errors
/// `ValueError` if it does not fit in memory.
pub fn shape(name: &'static str, dims: &[usize]) -> PyResult<Shape> {
    Shape::new(dims).map_err(|e| raise(e.in_op(name)))
}

/// A session object of the named class.
///
/// # Errors
/// Those of its constructor.
pub fn session<'py>(
    py: Python<'py>,
    class: &str,
    args: impl pyo3::call::PyCallArgs<'py>,
    device: &str,
    policy: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let kwargs = PyDict::new(py);
    kwargs.set_item("device", device)?;
    kwargs.set_item("policy", policy)?;
    py.import("lightning_core._native")?.getattr(class)?.call(args, Some(&kwargs))
}
