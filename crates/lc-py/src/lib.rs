//! The Python module `lightning_core._native`.
//!
//! Everything that knows Python is in this crate: arrays become [`TensorRef`](lc_core::TensorRef)s without a copy
//! where they can, policies and receipts become frozen objects, and an [`Error`](lc_core::Error) becomes an exception
//! that is a `LightningError` and a `ValueError` or a `TypeError` too. The Python side of the package re-exports what is
//! registered here and adds no logic to a call.

mod array;
mod attention_session;
mod error;
mod graph;
mod io_policy;
mod numpy;
mod session;
mod tensor;
mod trace;

use pyo3::prelude::*;

/// The native part of `lightning_core`.
#[pymodule(gil_used = false)]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    numpy::init(m.py())?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    for register in [
        tensor::register,
        io_policy::register,
        session::register,
        attention_session::register,
        trace::register,
        graph::register,
    ] {
        register(m)?;
    }
    Ok(())
}
