//! What `GraphIR`'s methods take, from Python to Rust.

use crate::args::{Int, attr};
use crate::error::raise;
use lc_core::{AttrValue, DType, DeviceRequest, Error, SyncMode};
use lc_graph::{Passes, PlanOptions, schema};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(super) const NAME: &str = "GraphIR";

pub(super) fn dtype(name: &str) -> PyResult<DType> {
    DType::from_name(name).ok_or_else(|| {
        let expected = "\"float32\" or \"float64\"";
        raise(Error::invalid(NAME, "dtype", expected, format!("{name:?}")))
    })
}

pub(super) fn device(name: Option<&str>) -> PyResult<Option<DeviceRequest>> {
    name.map(|name| DeviceRequest::from_name(name).map_err(|e| raise(e.in_op(NAME)))).transpose()
}

pub(super) fn options(
    preferred_device: &str,
    sync_mode: &str,
    trace_sync_boundary: bool,
    separate_fallback_segments: bool,
    insert_sync_on_device_change: bool,
) -> PyResult<PlanOptions> {
    let preferred = match device(Some(preferred_device))? {
        Some(DeviceRequest::Auto) => None,
        preferred => preferred,
    };
    let sync = SyncMode::from_name(sync_mode).map_err(|e| raise(e.in_op(NAME).argument("sync_mode")))?;
    Ok(PlanOptions {
        preferred,
        sync,
        trace_sync_boundary,
        separate_fallback_segments,
        insert_sync_on_device_change,
        ..PlanOptions::default()
    })
}

/// The attributes of a node of `op`, by name.
pub(super) fn attributes(op: &str, attrs: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(&'static str, AttrValue)>> {
    let schema = schema::find(runtime().registry(), op).map_err(|e| raise(e.in_op(NAME)))?;
    let mut found = Vec::new();
    for (key, value) in attrs.into_iter().flatten() {
        let key: String = key.extract()?;
        let Some(spec) = schema.attrs().iter().find(|spec| spec.name == key) else {
            let names: Vec<_> = schema.attrs().iter().map(|spec| spec.name).collect();
            return Err(raise(Error::invalid(
                schema.name,
                "attrs",
                format!("names among {names:?}"),
                format!("{key:?}"),
            )));
        };
        found.push((spec.name, attr(schema.name, spec, &value)?));
    }
    Ok(found)
}

/// The numbers of a list of tensors or nodes.
pub(super) fn ids(name: &'static str, list: &[Int]) -> PyResult<Vec<usize>> {
    list.iter().map(|id| id.size(NAME, name, 0)).collect()
}

pub(super) fn optional_ids(name: &'static str, list: &[Option<Int>]) -> PyResult<Vec<Option<usize>>> {
    list.iter().map(|id| id.map(|id| id.size(NAME, name, 0)).transpose()).collect()
}

/// Every pass and fusion rule but these.
///
/// # Errors
/// A name that is none.
pub(super) fn passes(without: &[String]) -> PyResult<Passes> {
    let mut passes = Passes::all();
    for name in without {
        passes = passes.without(name).map_err(|e| raise(e.in_op(NAME)))?;
    }
    Ok(passes)
}
