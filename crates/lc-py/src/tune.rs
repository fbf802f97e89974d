//! Tuning: measuring kernels, and the store of what was measured.

use crate::args::Int;
use crate::args::attr;
use crate::error::raise;
use lc_core::tune::{Entry, Record};
use lc_core::{Attrs, DType, DeviceKind, DeviceRequest, Error, Shape, TensorSpec};
use lightning_core::tuning::{self, Sample};
use pyo3::exceptions::PyDeprecationWarning;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::ffi::CString;
use std::path::PathBuf;

/// Extents of one input; `None` where an optional one is absent.
fn spec(dtype: DType, shape: &Bound<'_, PyAny>) -> PyResult<Option<TensorSpec>> {
    if shape.is_none() {
        return Ok(None);
    }
    let sizes: Vec<Int> = match shape.extract::<Int>() {
        Ok(size) => vec![size],
        Err(_) => shape.extract().map_err(|_| {
            let got = shape.get_type().to_string();
            raise(Error::wrong_type("tune", "shapes", "a tuple of extents, or None for an absent input", got))
        })?,
    };
    let dims = sizes.into_iter().map(|size| size.size("tune", "shapes", 1)).collect::<PyResult<Vec<_>>>()?;
    Ok(Some(TensorSpec::new(dtype, Shape::new(&dims).map_err(|e| raise(e.in_op("tune")))?)))
}

fn entry_dict<'py>(py: Python<'py>, entry: &Entry) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let key = &entry.key;
    dict.set_item("op", &key.op)?;
    dict.set_item("bucket", &key.bucket)?;
    dict.set_item("dtype", &key.dtype)?;
    dict.set_item("math", &key.math)?;
    dict.set_item("device", &key.on.device)?;
    dict.set_item("adapter", &key.on.adapter)?;
    dict.set_item("driver", &key.on.driver)?;
    dict.set_item("kernels", &key.on.kernels)?;
    dict.set_item("measured", entry.measured)?;
    dict.set_item("budget_ms", entry.budget_ms)?;
    dict.set_item("winner", entry.winner())?;
    let candidates = PyList::empty(py);
    for it in &entry.candidates {
        let row = PyDict::new(py);
        row.set_item("kernel", &it.kernel)?;
        row.set_item("median_ns", it.median_ns)?;
        row.set_item("p10_ns", it.p10_ns)?;
        row.set_item("p90_ns", it.p90_ns)?;
        row.set_item("samples", it.samples)?;
        row.set_item("max_error", it.max_error)?;
        row.set_item("rejected", it.rejected)?;
        row.set_item("won", it.won)?;
        row.set_item("why", &it.why)?;
        candidates.append(row)?;
    }
    dict.set_item("candidates", candidates)?;
    Ok(dict)
}

/// Measures the kernels that a device has for a call, on operands of its own, and keeps the choice for every later
/// process. Calls of such shapes then run the fastest kernel whose numbers are right, unless their policy says tune="off".
///
/// Parameters
/// ----------
/// op : str
///     An op of the registry, such as "matmul".
/// *shapes : tuple of int, int or None
///     Extents of each input; None where an optional one is absent.
/// device : str
///     "cpu", "metal", "cuda" or "vulkan", or "auto" for the preferred one.
/// budget_ms : int
///     The most milliseconds that the measurement may begin something new in.
/// dtype : str
///     "float32" or "float64".
/// **attrs
///     Attributes of the op, such as causal=True.
///
/// Returns
/// -------
/// dict
///     The key, the winner's name, and for each candidate its times in nanoseconds, its error and why it won or lost.
#[pyfunction]
#[pyo3(signature = (op, *shapes, device="auto", budget_ms=Int::Fits(50), dtype="float32", **attrs),
    text_signature = "(op, *shapes, device='auto', budget_ms=50, dtype='float32', **attrs)")]
fn tune<'py>(
    py: Python<'py>,
    op: &str,
    shapes: &Bound<'py, PyTuple>,
    device: &str,
    budget_ms: Int,
    dtype: &str,
    attrs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let fail = |e: Error| raise(e.in_op("tune"));
    let op = tuning::registry().find(op).map_err(fail)?;
    let dtype = DType::from_name(dtype)
        .ok_or_else(|| raise(Error::invalid("tune", "dtype", "\"float32\" or \"float64\"", format!("{dtype:?}"))))?;
    let (kind, budget) = (kind(device)?, milliseconds(budget_ms)?);
    let mut values = Attrs::defaults(op.attrs);
    for (name, value) in attrs.into_iter().flatten() {
        let name = name.extract::<String>()?;
        // The op's own error lists the names that it has.
        let value = match op.attrs.iter().find(|spec| spec.name == name) {
            Some(spec) => attr(op.name, spec, &value)?,
            None => lc_core::AttrValue::Bool(false),
        };
        values = values.with(op.name, op.attrs, &name, value).map_err(fail)?;
    }
    let inputs = shapes.iter().map(|shape| spec(dtype, &shape)).collect::<PyResult<Vec<_>>>()?;
    let sample = Sample { attrs: values, inputs };
    let entry = py.detach(|| tuning::tune(op, &sample, kind, budget)).map_err(raise)?;
    entry_dict(py, &entry)
}

/// Measures what an op costs on a device, and copies to and from it if it has memory of its own, and keeps both for the cost
/// model: predictions of plans, whether fusions pay, and what runs on the processor rest on it.
///
/// Parameters
/// ----------
/// op : str
///     An op of the registry, such as "matmul".
/// device : str
///     "cpu", "metal", "cuda" or "vulkan", or "auto" for the preferred one.
/// budget_ms : int
///     The milliseconds for all sizes of the op together.
///
/// Returns
/// -------
/// dict or None
///     launch_ns, ns_per_flop, ns_per_byte, the relative error of the fit at the sizes that were measured, and their number;
///     None if the device lacks the op.
#[pyfunction]
#[pyo3(signature = (op, device="auto", budget_ms=Int::Fits(50)), text_signature = "(op, device='auto', budget_ms=50)")]
fn _tuning_fit<'py>(py: Python<'py>, op: &str, device: &str, budget_ms: Int) -> PyResult<Option<Bound<'py, PyDict>>> {
    let fail = |e: Error| raise(e.in_op("tune"));
    let op = tuning::registry().find(op).map_err(fail)?;
    let (kind, budget) = (kind(device)?, milliseconds(budget_ms)?);
    let fitted = py.detach(|| {
        tuning::fit_transfer(kind)?;
        tuning::fit(op, kind, budget)
    });
    let Some(fit) = fitted.map_err(raise)? else { return Ok(None) };
    let dict = PyDict::new(py);
    dict.set_item("op", &fit.op)?;
    dict.set_item("device", &fit.on.device)?;
    dict.set_item("launch_ns", fit.launch_ns)?;
    dict.set_item("ns_per_flop", fit.ns_per_flop)?;
    dict.set_item("ns_per_byte", fit.ns_per_byte)?;
    dict.set_item("error", fit.error)?;
    dict.set_item("samples", fit.samples)?;
    Ok(Some(dict))
}

/// The device of that name; "auto" is the preferred one.
fn kind(device: &str) -> PyResult<DeviceKind> {
    Ok(match DeviceRequest::from_name(device).map_err(|e| raise(e.in_op("tune")))? {
        DeviceRequest::Is(kind) => kind,
        DeviceRequest::Auto => lightning_core::runtime().preferred(),
    })
}

fn milliseconds(budget: Int) -> PyResult<u16> {
    let most = usize::from(u16::MAX) - 1;
    Ok(budget.size("tune", "budget_ms", 0)?.min(most) as u16)
}

/// The file of the tuning store, or None where there is no cache directory.
#[pyfunction]
fn _tuning_path() -> Option<PathBuf> {
    tuning::store().path().map(PathBuf::from)
}

/// Writes everything in the tuning store to a file of the same format.
#[pyfunction]
fn _tuning_export(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    py.detach(|| tuning::store().export(&path)).map_err(raise)
}

/// Adds the records of such a file to the tuning store: the newer of two for one key stays. Returns how many records were
/// read and how many lines were ignored.
#[pyfunction]
fn _tuning_merge(py: Python<'_>, path: PathBuf) -> PyResult<(usize, usize)> {
    py.detach(|| {
        let result = tuning::store().merge(&path);
        lc_core::runtime::forget_plans();
        result
    })
    .map_err(raise)
}

/// Forgets everything that was measured, and which kernels had wrong numbers, and removes the file.
#[pyfunction]
fn _tuning_clear(py: Python<'_>) -> PyResult<()> {
    py.detach(tuning::clear).map_err(raise)
}

/// The choices in the tuning store, as dicts like those of `lightning_core.tune`.
#[pyfunction]
fn _tuning_entries(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let book = py.detach(|| {
        tuning::store().reload();
        tuning::store().book()
    });
    let entries = PyList::empty(py);
    for record in book.records() {
        if let Record::Choice(entry) = record {
            entries.append(entry_dict(py, &entry)?)?;
        }
    }
    Ok(entries)
}

/// Warns of variables of the original that are set. Must come before anything makes the runtime, which would print what
/// nobody has shown.
pub fn warn_of_old_variables(py: Python<'_>) -> PyResult<()> {
    for warning in lightning_core::legacy_warnings() {
        let text = CString::new(warning).unwrap_or_default();
        PyErr::warn(py, &py.get_type::<PyDeprecationWarning>(), &text, 1)?;
    }
    Ok(())
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(tune, m)?)?;
    m.add_function(wrap_pyfunction!(_tuning_fit, m)?)?;
    m.add_function(wrap_pyfunction!(_tuning_path, m)?)?;
    m.add_function(wrap_pyfunction!(_tuning_export, m)?)?;
    m.add_function(wrap_pyfunction!(_tuning_merge, m)?)?;
    m.add_function(wrap_pyfunction!(_tuning_clear, m)?)?;
    m.add_function(wrap_pyfunction!(_tuning_entries, m)?)
}
