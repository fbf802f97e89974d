//! Graphs.

use crate::error::raise;
use lc_core::{PackedPolicy, TensorMut, TensorRef};
use lc_ops::{CONV_ATTENTION, ConvAttentionAttrs};
use pyo3::prelude::*;

/// Runs conv → attention through a planned graph into `out`, whose shape is `[seq_len · head_dim]`. Until graphs land it
/// is the eager op.
pub fn conv_attention_graph(
    py: Python<'_>,
    name: &'static str,
    attrs: ConvAttentionAttrs,
    inputs: &[Option<TensorRef<'_>>],
    out: &mut TensorMut<'_>,
    level: PackedPolicy,
) -> PyResult<()> {
    let spec = lc_core::TensorSpec::new(
        out.spec().dtype,
        lc_core::Shape::new(&[attrs.seq_len, attrs.head_dim]).map_err(raise)?,
    );
    // SAFETY: the same memory with as many elements; `out` is not used meanwhile.
    let target = unsafe { TensorMut::from_raw(out.ptr(), spec) };
    py.detach(|| lightning_core::runtime().call(&CONV_ATTENTION, &attrs.into(), inputs, &mut [target], level))
        .map_err(|e| raise(e.in_op(name)))?;
    Ok(())
}

/// Adds this file's names to the module.
pub fn register(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
