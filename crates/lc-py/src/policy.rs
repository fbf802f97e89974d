//! `Policy`, scopes and the process default.

use crate::args::{Int, Switch};
use crate::error::raise;
use crate::io_policy;
use lc_core::policy::{self as core, MAX_IO_INPUTS, MAX_IO_OUTPUTS};
use lc_core::{DeviceRequest, EffectivePolicy, Error, Fallback, Math, PackedPolicy, SyncMode, TuneMode};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

/// How calls are to be executed, as a value: frozen, hashable, comparable. A field that is `None` leaves the choice to the
/// level below: call over scope over session over process default.
///
/// Parameters
/// ----------
/// device : str, optional
///     "auto", "cpu", "metal", "cuda" or "vulkan".
/// fallback : str, optional
///     What happens when the device is absent or lacks the op: "warn" (run on the best device there is and warn once for
///     each op and device), "allow" (the same, silently) or "deny" (raise `NotSupportedError`).
/// math : str, optional
///     The arithmetic that kernels may use: "ieee_f32", "f32x3", "tf32", "bf16" or "f16".
/// upload, download : bool or sequence of bool, optional
///     Whether inputs are copied to the device and results back; one value for all, or one for each operand.
/// synchronize : bool, optional
///     Whether a session step waits for its end even if nothing is copied back.
/// sync : str, optional
///     When calls wait for the device: "auto", "always" or "never".
/// trace_sync_boundary : bool, optional
///     Whether sync boundaries appear on the trace.
/// tune : str, optional
///     "off", "read-only" or "on".
/// tune_ms : int, optional
///     The most milliseconds that tuning may take for one key.
///
/// Raises
/// ------
/// InvalidValueError
///     For a value that a field does not have.
#[pyclass(frozen, eq, hash, module = "lightning_core", name = "Policy")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PyPolicy(core::Policy);

/// The packed form of a call's `policy` argument, which may also be one of the I/O policy classes.
///
/// # Errors
/// `TypeError` for anything else.
pub fn packed(op: &'static str, obj: &Bound<'_, PyAny>) -> PyResult<PackedPolicy> {
    if let Ok(policy) = obj.cast::<PyPolicy>() {
        return Ok(policy.get().0.pack());
    }
    match io_policy::of(obj) {
        Some((policy, _)) => Ok(policy.pack()),
        None => {
            let got = obj.get_type().fully_qualified_name()?.to_string();
            Err(raise(Error::wrong_type(op, "policy", "a lightning_core.Policy", got)))
        }
    }
}

/// One switch for every operand, or one for each.
fn switches<const N: usize>(name: &'static str, obj: &Bound<'_, PyAny>) -> PyResult<[Option<bool>; N]> {
    if obj.is_none() {
        return Ok([None; N]);
    }
    if let Ok(Switch(all)) = obj.extract::<Switch>() {
        return Ok([Some(all); N]);
    }
    let wrong = || {
        let got = obj.repr().map_or_else(|_| "something else".into(), |r| r.to_string());
        raise(Error::wrong_type("Policy", name, "a bool or a sequence of bool or None", got))
    };
    let each: Vec<Option<bool>> = obj.extract().map_err(|_| wrong())?;
    if each.len() > N {
        let expected = format!("at most {N} operands");
        return Err(raise(Error::invalid("Policy", name, expected, format!("{}", each.len()))));
    }
    let mut values = [None; N];
    values[..each.len()].copy_from_slice(&each);
    Ok(values)
}

fn switches_object<'py>(py: Python<'py>, values: &[Option<bool>]) -> PyResult<Bound<'py, PyAny>> {
    match values.iter().all(|v| *v == values[0]) {
        true => Ok(values[0].into_pyobject(py)?),
        false => Ok(PyTuple::new(py, values)?.into_any()),
    }
}

/// The field of `Policy` called `name`, set from a Python value.
fn set(policy: &mut core::Policy, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let text = || value.extract::<Option<String>>();
    fn named<T>(text: Option<String>, parse: fn(&str) -> lc_core::Result<T>) -> PyResult<Option<T>> {
        text.map(|t| parse(&t).map_err(|e| raise(e.in_op("Policy")))).transpose()
    }
    let flag = || Ok::<_, PyErr>(value.extract::<Option<Switch>>()?.map(|Switch(on)| on));
    match name {
        "device" => policy.device = named(text()?, DeviceRequest::from_name)?,
        "fallback" => policy.fallback = named(text()?, Fallback::from_name)?,
        "math" => policy.math = named(text()?, Math::from_name)?,
        "upload" => policy.io.upload = switches::<MAX_IO_INPUTS>("upload", value)?,
        "download" => policy.io.download = switches::<MAX_IO_OUTPUTS>("download", value)?,
        "synchronize" => policy.io.synchronize = flag()?,
        "sync" => policy.sync = named(text()?, SyncMode::from_name)?,
        "trace_sync_boundary" => policy.trace_sync_boundary = flag()?,
        "tune" => {
            policy.tune = match value.cast::<PyBool>() {
                Ok(on) => Some(if on.is_true() { TuneMode::On } else { TuneMode::Off }),
                Err(_) => named(text()?, TuneMode::from_name)?,
            }
        }
        "tune_ms" => {
            let most = usize::from(u16::MAX) - 1;
            policy.tune_ms = match value.extract::<Option<Int>>()? {
                None => None,
                Some(ms) => match ms.size("Policy", "tune_ms", 0) {
                    Ok(ms) if ms <= most => Some(ms as u16),
                    _ => {
                        let got = value.str()?.to_string();
                        let expected = format!("an integer from 0 to {most}");
                        return Err(raise(Error::invalid("Policy", "tune_ms", expected, got)));
                    }
                },
            };
        }
        _ => return Err(PyTypeError::new_err(format!("Policy has no field '{name}'"))),
    }
    Ok(())
}

fn apply(mut policy: core::Policy, fields: Option<&Bound<'_, PyDict>>) -> PyResult<core::Policy> {
    for (name, value) in fields.into_iter().flatten() {
        set(&mut policy, name.cast::<PyString>()?.to_str()?, &value)?;
    }
    Ok(policy)
}

/// Names of the fields, in the order of the constructor.
const FIELDS: [&str; 10] = [
    "device",
    "fallback",
    "math",
    "upload",
    "download",
    "synchronize",
    "sync",
    "trace_sync_boundary",
    "tune",
    "tune_ms",
];

#[pymethods]
impl PyPolicy {
    #[new]
    #[pyo3(signature = (device=None, fallback=None, math=None, upload=None, download=None, synchronize=None, sync=None,
        trace_sync_boundary=None, tune=None, tune_ms=None))]
    fn new(
        device: Option<&Bound<'_, PyAny>>,
        fallback: Option<&Bound<'_, PyAny>>,
        math: Option<&Bound<'_, PyAny>>,
        upload: Option<&Bound<'_, PyAny>>,
        download: Option<&Bound<'_, PyAny>>,
        synchronize: Option<&Bound<'_, PyAny>>,
        sync: Option<&Bound<'_, PyAny>>,
        trace_sync_boundary: Option<&Bound<'_, PyAny>>,
        tune: Option<&Bound<'_, PyAny>>,
        tune_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyPolicy> {
        let values = [device, fallback, math, upload, download, synchronize, sync, trace_sync_boundary, tune, tune_ms];
        let mut policy = core::Policy::default();
        for (name, value) in FIELDS.into_iter().zip(values) {
            if let Some(value) = value {
                set(&mut policy, name, value)?;
            }
        }
        Ok(PyPolicy(policy))
    }

    /// The device, or None.
    #[getter]
    fn device(&self) -> Option<&'static str> {
        self.0.device.map(DeviceRequest::name)
    }

    /// What happens when the device is absent or lacks the op, or None.
    #[getter]
    fn fallback(&self) -> Option<&'static str> {
        self.0.fallback.map(Fallback::name)
    }

    /// The arithmetic that kernels may use, or None.
    #[getter]
    fn math(&self) -> Option<&'static str> {
        self.0.math.map(Math::name)
    }

    /// Whether inputs are copied to the device: a bool for all, a tuple for each, or None.
    #[getter]
    fn upload<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        switches_object(py, &self.0.io.upload)
    }

    /// Whether results are copied back: a bool for all, a tuple for each, or None.
    #[getter]
    fn download<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        switches_object(py, &self.0.io.download)
    }

    /// Whether a session step waits for its end, or None.
    #[getter]
    fn synchronize(&self) -> Option<bool> {
        self.0.io.synchronize
    }

    /// When calls wait for the device, or None.
    #[getter]
    fn sync(&self) -> Option<&'static str> {
        self.0.sync.map(SyncMode::name)
    }

    /// Whether sync boundaries appear on the trace, or None.
    #[getter]
    fn trace_sync_boundary(&self) -> Option<bool> {
        self.0.trace_sync_boundary
    }

    /// The tuning mode, or None.
    #[getter]
    fn tune(&self) -> Option<&'static str> {
        self.0.tune.map(TuneMode::name)
    }

    /// The tuning budget in milliseconds for one key, or None.
    #[getter]
    fn tune_ms(&self) -> Option<u16> {
        self.0.tune_ms
    }

    /// The same policy with other values in the given fields.
    #[pyo3(signature = (**fields))]
    fn replace(&self, fields: Option<&Bound<'_, PyDict>>) -> PyResult<PyPolicy> {
        apply(self.0, fields).map(PyPolicy)
    }

    fn __repr__(slf: &Bound<'_, PyPolicy>) -> PyResult<String> {
        let mut parts = Vec::new();
        for name in FIELDS {
            let value = slf.getattr(name)?;
            if !value.is_none() {
                parts.push(format!("{name}={}", value.repr()?));
            }
        }
        Ok(format!("Policy({})", parts.join(", ")))
    }

    fn __reduce__<'py>(slf: &Bound<'py, PyPolicy>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let values = FIELDS.iter().map(|name| slf.getattr(*name)).collect::<PyResult<Vec<_>>>()?;
        Ok((slf.get_type().into_any(), PyTuple::new(slf.py(), values)?))
    }
}

/// A policy in force for the calls of one thread between `__enter__` and `__exit__`.
#[pyclass(frozen, module = "lightning_core", name = "PolicyScope")]
pub struct PolicyScope {
    policy: core::Policy,
    /// What was in force before each `__enter__` that has no `__exit__` yet. Scopes belong to threads, and one object may
    /// be entered by several.
    before: Mutex<Vec<(ThreadId, PackedPolicy)>>,
}

#[pymethods]
impl PolicyScope {
    fn __enter__(&self) -> PyPolicy {
        let mut stack = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        stack.push((std::thread::current().id(), core::enter_scope(&self.policy)));
        PyPolicy(self.policy)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) -> PyResult<()> {
        let mut stack = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let here = std::thread::current().id();
        let Some(index) = stack.iter().rposition(|(thread, _)| *thread == here) else {
            let error = Error::new(lc_core::ErrorKind::NotInitialized, "policy");
            return Err(raise(error.expected("a scope that this thread entered").got("none")));
        };
        core::restore_scope(stack.remove(index).1);
        Ok(())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<scope of {}>", Bound::new(py, PyPolicy(self.policy))?.repr()?))
    }
}

/// A scope in which every call of this thread runs under a policy: `with lightning_core.policy(device="cpu"):`.
///
/// Scopes nest, an inner one's fields over the outer one's, and end also with an exception. The object can be used again.
///
/// Parameters
/// ----------
/// policy : Policy, optional
///     The policy.
/// **fields
///     Fields of `Policy`, over those of `policy`.
#[pyfunction]
#[pyo3(signature = (policy=None, /, **fields))]
fn policy(policy: Option<&Bound<'_, PyPolicy>>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<PolicyScope> {
    let base = policy.map_or_else(core::Policy::default, |p| p.get().0);
    Ok(PolicyScope { policy: apply(base, fields)?, before: Mutex::new(Vec::new()) })
}

/// Lays a policy over the process default, for all threads: fields that are None keep their value.
#[pyfunction]
fn set_default_policy(policy: &Bound<'_, PyPolicy>) {
    core::set_process(&policy.get().0);
}

/// The process default, with a value in every field.
#[pyfunction]
fn default_policy() -> PyPolicy {
    PyPolicy(core::process())
}

/// What a call of this thread would run under now: scope over process default, with a value in every field.
#[pyfunction]
fn effective_policy() -> PyPolicy {
    PyPolicy(EffectivePolicy::of(PackedPolicy::UNSET, PackedPolicy::UNSET).policy())
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    // The process level gets its values when the runtime is made.
    lightning_core::runtime();
    m.add_class::<PyPolicy>()?;
    m.add_class::<PolicyScope>()?;
    m.add_function(wrap_pyfunction!(policy, m)?)?;
    m.add_function(wrap_pyfunction!(set_default_policy, m)?)?;
    m.add_function(wrap_pyfunction!(default_policy, m)?)?;
    m.add_function(wrap_pyfunction!(effective_policy, m)?)
}
