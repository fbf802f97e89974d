//! What ops a graph may have.

use crate::error::raise;
use lc_core::{AttrKind, AttrSpec, AttrValue, DeviceKind};
use lc_graph::schema::{Schema, find, schemas};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

/// Whether a device that is here has a kernel for nodes of a schema. A view launches nothing, so any device will do.
fn supported(schema: &Schema, kind: DeviceKind) -> bool {
    runtime()
        .backend(kind)
        .is_some_and(|backend| schema.op().is_none_or(|op| backend.kernels().iter().any(|kernel| kernel.op == op)))
}

/// The value of an attribute as Python has it.
pub fn attr_object<'py>(py: Python<'py>, spec: &AttrSpec, value: AttrValue) -> PyResult<Bound<'py, PyAny>> {
    Ok(match (value, spec.kind) {
        (AttrValue::Int(x), _) => x.into_pyobject(py)?.into_any(),
        (AttrValue::Float(x), _) => x.into_pyobject(py)?.into_any(),
        (AttrValue::Bool(x), _) => x.into_pyobject(py)?.to_owned().into_any(),
        (AttrValue::Choice(x), AttrKind::Choice(names)) => {
            names.get(x as usize).copied().unwrap_or("").into_pyobject(py)?.into_any()
        }
        (AttrValue::Choice(x), _) => x.into_pyobject(py)?.into_any(),
    })
}

fn row<'py>(py: Python<'py>, schema: &Schema) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("op", schema.name)?;
    dict.set_item("name", schema.name)?;
    dict.set_item("min_inputs", schema.min_inputs)?;
    dict.set_item("max_inputs", schema.max_inputs)?;
    dict.set_item("min_outputs", schema.outputs)?;
    dict.set_item("max_outputs", schema.outputs)?;
    dict.set_item("supports_cpu", supported(schema, DeviceKind::Cpu))?;
    dict.set_item("supports_cuda", supported(schema, DeviceKind::Cuda))?;
    dict.set_item("supports_metal", supported(schema, DeviceKind::Metal))?;
    dict.set_item("supports_vulkan", supported(schema, DeviceKind::Vulkan))?;
    let attrs = PyDict::new(py);
    for spec in schema.attrs() {
        attrs.set_item(spec.name, attr_object(py, spec, spec.default)?)?;
    }
    dict.set_item("attributes", attrs)?;
    Ok(dict)
}

/// The passes of `GraphIR.validate_report`, in order.
#[pyfunction]
fn graph_validation_passes() -> Vec<&'static str> {
    lc_graph::validate::PASSES.to_vec()
}

/// How many ops a graph may have: the six of the first release, every other op of the registry, and two views.
#[pyfunction]
fn graph_registry_size() -> usize {
    schemas(runtime().registry()).len()
}

/// The schemas of all graph ops, as `graph_registry_schema` gives them; those of the first release come first.
#[pyfunction]
fn graph_registry_schemas(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = schemas(runtime().registry()).iter().map(|schema| row(py, schema)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, rows)
}

/// The schema of a graph op: counts of inputs and outputs, the devices here that have a kernel for it, and its
/// attributes with their defaults.
///
/// Raises
/// ------
/// InvalidValueError
///     For an unknown op.
#[pyfunction]
#[pyo3(signature = (op, /))]
fn graph_registry_schema<'py>(py: Python<'py>, op: &str) -> PyResult<Bound<'py, PyDict>> {
    row(py, &find(runtime().registry(), op).map_err(|e| raise(e.in_op("graph_registry_schema")))?)
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(graph_validation_passes, m)?)?;
    m.add_function(wrap_pyfunction!(graph_registry_size, m)?)?;
    m.add_function(wrap_pyfunction!(graph_registry_schemas, m)?)?;
    m.add_function(wrap_pyfunction!(graph_registry_schema, m)?)
}
