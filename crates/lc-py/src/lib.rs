//! The Python module `lightning_core._native`.
//!
//! Everything that knows Python is in this crate: arrays become [`TensorRef`](lc_core::TensorRef)s without a copy
//! where they can, policies and receipts become frozen objects, and an [`Error`](lc_core::Error) becomes an exception
//! that is a `LightningError` and a `ValueError` or a `TypeError` too. The Python side of the package re-exports what is
//! registered here and adds no logic to a call.

mod args;
mod array;
mod attention;
mod attention_session;
mod call;
mod conv;
mod conv_session;
mod elementwise;
mod error;
mod graph;
mod io_policy;
mod matmul;
mod nn;
mod numpy;
mod op_session;
mod policy;
mod receipt;
mod resident;
mod runtime;
mod session;
mod tensor;
mod trace;
mod tune;

use pyo3::prelude::*;

/// The native part of `lightning_core`.
#[pymodule(gil_used = false)]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    tune::warn_of_old_variables(m.py())?;
    numpy::init(m.py())?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    let api = PyModule::new(m.py(), "lightning_core.api")?;
    elementwise::register(m, &api)?;
    conv::register(m, &api)?;
    attention::register(m, &api)?;
    nn::register(&api)?;
    m.add("_api", &api)?;
    for register in [
        runtime::register,
        policy::register,
        receipt::register,
        matmul::register,
        tensor::register,
        io_policy::register,
        session::register,
        conv_session::register,
        attention_session::register,
        op_session::register,
        resident::register,
        trace::register,
        graph::register,
        tune::register,
    ] {
        register(m)?;
    }
    Ok(())
}
