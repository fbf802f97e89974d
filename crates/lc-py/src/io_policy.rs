//! The four I/O policy classes of the original interface.

use lc_core::Policy;
use pyo3::prelude::*;

/// What an `AttentionIoPolicy` says beyond copies: the post-processing of the result.
#[derive(Clone, Copy, Debug)]
pub struct PostProcess {
    /// Factor of the result.
    pub scale: f64,
    /// Added after scaling.
    pub bias: f64,
    /// Whether negative results become zero at the end.
    pub relu: bool,
}

/// The policy that one of the I/O policy objects stands for, and its post-processing if it is an `AttentionIoPolicy`;
/// `None` if `obj` is none of the four.
pub fn of(_obj: &Bound<'_, PyAny>) -> Option<(Policy, Option<PostProcess>)> {
    None
}

/// Adds this file's names to the module.
pub fn register(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
