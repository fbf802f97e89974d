//! Owned tensors and their views.

use pyo3::prelude::*;

/// Adds this file's names to the module.
pub fn register(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
