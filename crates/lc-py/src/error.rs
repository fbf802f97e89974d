//! From a core error to a Python exception.

use lc_core::{Blame, Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// The exception class of `lightning_core.errors` for an error.
fn class_name(error: &Error) -> &'static str {
    match (error.kind(), error.blame()) {
        (_, Blame::Type) => "InvalidTypeError",
        (_, Blame::Value) | (ErrorKind::InvalidValue, _) => "InvalidValueError",
        (ErrorKind::NotInitialized, _) => "NotInitializedError",
        (ErrorKind::OutOfMemory, _) => "OutOfMemoryError",
        (ErrorKind::NotSupported, _) => "NotSupportedError",
        (ErrorKind::DriverError, _) => "DriverError",
        (ErrorKind::Unknown, _) => "LightningError",
    }
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("lightning_core.errors").map(Bound::unbind))?;
    let class = module.bind(py).getattr(class_name(error))?.cast_into::<PyType>()?;
    let fields = PyDict::new(py);
    fields.set_item("kind", error.kind().token())?;
    fields.set_item("op", error.op())?;
    fields.set_item("argument", error.argument_name())?;
    fields.set_item("expected", error.expected_text())?;
    fields.set_item("got", error.got_text())?;
    fields.set_item("hint", error.hint_text())?;
    Ok(PyErr::from_value(class.call((error.to_string(),), Some(&fields))?))
}

/// The exception for an error. Use as `.map_err(raise)`.
#[cold]
pub fn raise(error: Error) -> PyErr {
    Python::attach(|py| build(py, &error).unwrap_or_else(|failure| failure))
}

/// The exception for an error that another exception led to, which stays visible as its `__cause__`.
#[cold]
pub fn raise_from(py: Python<'_>, error: Error, cause: PyErr) -> PyErr {
    let raised = raise(error);
    raised.set_cause(py, Some(cause));
    raised
}
