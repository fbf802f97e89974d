//! The trace: events, the timeline, and the export to Perfetto.

use crate::args::{Int, Switch};
use crate::error::raise;
use lc_core::trace::timeline::{EventRow, GroupRow, NOTES, TimelineOptions, timeline};
use lc_core::trace::{self, CAPACITY, Event, chrome};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::PathBuf;

/// Switches the recording of events on or off. Recorded events stay.
#[pyfunction]
fn runtime_trace_enable(enabled: &Bound<'_, PyAny>) -> PyResult<()> {
    trace::enable(enabled.is_truthy()?);
    Ok(())
}

/// Whether events are recorded.
#[pyfunction]
fn runtime_trace_enabled() -> bool {
    trace::enabled()
}

/// Forgets every recorded event.
#[pyfunction]
fn runtime_trace_clear() {
    trace::clear();
}

/// How many events the trace holds; when it is full, the oldest are overwritten.
#[pyfunction]
fn runtime_trace_capacity() -> usize {
    CAPACITY
}

/// Events in order of their start: threads store theirs when they end.
fn recorded() -> Vec<Event> {
    let mut events = trace::events();
    events.sort_by_key(|event| event.start_ns);
    events
}

/// What both kinds of rows have at their end.
fn set_additions(row: &Bound<'_, PyDict>, event: &Event) -> PyResult<()> {
    row.set_item("duration_ns", event.duration_ns)?;
    row.set_item("kernel", event.kernel.text())?;
    row.set_item("reason", event.reason.map_or("", |r| r.text()))?;
    row.set_item("thread", event.thread)
}

fn event_dict<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyDict>> {
    let row = PyDict::new(py);
    row.set_item("type", event.kind.name())?;
    row.set_item("status", event.status_text())?;
    row.set_item("timestamp_ns", event.start_ns)?;
    row.set_item("size_bytes", event.bytes)?;
    row.set_item("detail0", event.detail0)?;
    row.set_item("detail1", event.detail1)?;
    row.set_item("op", event.op.text())?;
    row.set_item("requested_device", event.requested.map_or("", |r| r.name()))?;
    row.set_item("selected_device", event.selected.map_or("", |d| d.name()))?;
    row.set_item("fallback", event.fallback)?;
    set_additions(&row, event)?;
    Ok(row)
}

/// The recorded events, oldest first.
///
/// Returns
/// -------
/// list of dict
///     Keys: type, status, timestamp_ns (start, monotonic), size_bytes (read, written or moved), detail0, detail1 (see
///     below), op, requested_device, selected_device, fallback, duration_ns, kernel, reason, thread.
///
/// Notes
/// -----
/// An `op_dispatch` event is one launch: size_bytes is what it must read and write, and detail0 its work in multiply-adds
/// or elements. For `upload` and `download` detail0 is the operand's position. On a device that computes while the caller
/// waits, duration_ns is the kernel's time; on an asynchronous one it is the time to launch.
#[pyfunction]
fn runtime_trace_events(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let rows = recorded().iter().map(|event| event_dict(py, event)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, rows)
}

fn row_dict<'py>(py: Python<'py>, row: &EventRow) -> PyResult<Bound<'py, PyDict>> {
    let event = &row.event;
    let dict = PyDict::new(py);
    dict.set_item("index", row.index)?;
    dict.set_item("type", event.kind.name())?;
    dict.set_item("status", event.status_text())?;
    dict.set_item("op", event.op.text())?;
    dict.set_item("requested_device", event.requested.map_or("", |r| r.name()))?;
    dict.set_item("selected_device", event.selected.map_or("", |d| d.name()))?;
    dict.set_item("fallback", event.fallback)?;
    dict.set_item("timestamp_ns", event.start_ns)?;
    dict.set_item("offset_ns", row.offset_ns)?;
    dict.set_item("delta_prev_ns", row.delta_prev_ns)?;
    dict.set_item("delta_next_ns", row.delta_next_ns)?;
    dict.set_item("size_bytes", event.bytes)?;
    dict.set_item("detail0", event.detail0)?;
    dict.set_item("detail1", event.detail1)?;
    set_additions(&dict, event)?;
    Ok(dict)
}

fn group_dict<'py>(py: Python<'py>, group: &GroupRow, window_ns: u64) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("key", &group.key)?;
    dict.set_item("count", group.count)?;
    dict.set_item("total_delta_next_ns", group.total_delta_next_ns)?;
    dict.set_item("avg_delta_next_ns", group.avg_delta_next_ns())?;
    dict.set_item("max_delta_next_ns", group.max_delta_next_ns)?;
    dict.set_item("total_size_bytes", group.total_size_bytes)?;
    dict.set_item("first_timestamp_ns", group.first_timestamp_ns)?;
    dict.set_item("last_timestamp_ns", group.last_timestamp_ns)?;
    dict.set_item("window_share_pct", group.window_share_pct(window_ns))?;
    dict.set_item("total_duration_ns", group.total_duration_ns)?;
    dict.set_item("avg_duration_ns", group.avg_duration_ns())?;
    dict.set_item("max_duration_ns", group.max_duration_ns)?;
    Ok(dict)
}

/// The recorded events laid out in time, grouped and ranked.
///
/// Parameters
/// ----------
/// event_sort_by : str
///     "index", "timestamp_ns", "offset_ns", "delta_prev_ns", "delta_next_ns", "size_bytes" or "duration_ns".
/// event_descending : bool
///     Largest first.
/// group_by : str
///     "type", "status", "type_status", "op", "op_selected_device", "op_path", "kernel" or "device".
/// group_sort_by : str
///     "key", "count", "total_size_bytes", or "total_", "avg_" or "max_" with "delta_next_ns" or "duration_ns".
/// group_descending : bool
///     Largest first.
/// hotspot_top_k : int
///     How many of the longest gaps to list; 0 is all.
///
/// Returns
/// -------
/// dict
///     event_count, the six arguments, notes, window_ns, events, groups, hotspots. `duration_ns` is an event's own time;
///     `delta_next_ns` is the time until the next event, which also holds the caller's own work.
///
/// Raises
/// ------
/// InvalidValueError
///     For an unknown key or a negative `hotspot_top_k`, however many events there are.
#[pyfunction]
#[pyo3(signature = (event_sort_by="timestamp_ns", event_descending=Switch(false), group_by="type",
    group_sort_by="total_delta_next_ns", group_descending=Switch(true), hotspot_top_k=Int::Fits(8)),
    text_signature = "(event_sort_by='timestamp_ns', event_descending=False, group_by='type', \
    group_sort_by='total_delta_next_ns', group_descending=True, hotspot_top_k=8)")]
fn runtime_trace_timeline<'py>(
    py: Python<'py>,
    event_sort_by: &str,
    event_descending: Switch,
    group_by: &str,
    group_sort_by: &str,
    group_descending: Switch,
    hotspot_top_k: Int,
) -> PyResult<Bound<'py, PyDict>> {
    const NAME: &str = "runtime_trace_timeline";
    let hotspot_top_k = hotspot_top_k.size(NAME, "hotspot_top_k", 0)?;
    let options = TimelineOptions { hotspot_top_k, ..TimelineOptions::default() }
        .sort_events(event_sort_by, event_descending.0)
        .and_then(|options| options.group(group_by, group_sort_by, group_descending.0))
        .map_err(|e| raise(e.in_op(NAME)))?;
    let it = timeline(&trace::events(), options);
    let rows = |rows: &[EventRow]| rows.iter().map(|row| row_dict(py, row)).collect::<PyResult<Vec<_>>>();
    let groups = it.groups.iter().map(|group| group_dict(py, group, it.window_ns)).collect::<PyResult<Vec<_>>>()?;
    let dict = PyDict::new(py);
    dict.set_item("event_count", it.events.len())?;
    dict.set_item("event_sort_by", options.event_sort_name())?;
    dict.set_item("event_descending", options.event_descending)?;
    dict.set_item("group_by", options.group_name())?;
    dict.set_item("group_sort_by", options.group_sort_name())?;
    dict.set_item("group_descending", options.group_descending)?;
    dict.set_item("hotspot_top_k", options.hotspot_top_k)?;
    dict.set_item("notes", NOTES)?;
    dict.set_item("window_ns", it.window_ns)?;
    dict.set_item("events", rows(&it.events)?)?;
    dict.set_item("groups", groups)?;
    dict.set_item("hotspots", rows(&it.hotspots)?)?;
    Ok(dict)
}

/// The recorded events as Chrome trace-event JSON, which Perfetto (ui.perfetto.dev) and chrome://tracing open.
///
/// Parameters
/// ----------
/// path : str or path-like, optional
///     A file to write; it is replaced whole or, on failure, left as it was.
///
/// Returns
/// -------
/// str or None
///     The JSON text if there is no `path`.
///
/// Raises
/// ------
/// LightningError
///     If the file cannot be written.
#[pyfunction]
#[pyo3(signature = (path=None))]
fn runtime_trace_chrome(py: Python<'_>, path: Option<PathBuf>) -> PyResult<Option<String>> {
    let events = recorded();
    match path {
        None => Ok(Some(chrome::to_json(&events))),
        Some(path) => py.detach(|| chrome::save(&path, &events)).map(|()| None).map_err(raise),
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(runtime_trace_enable, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_trace_enabled, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_trace_clear, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_trace_capacity, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_trace_events, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_trace_timeline, m)?)?;
    m.add_function(wrap_pyfunction!(runtime_trace_chrome, m)?)
}
