//! Attention sessions: forward and training steps on resident data.

use pyo3::prelude::*;

/// Adds this file's names to the module.
pub fn register(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
