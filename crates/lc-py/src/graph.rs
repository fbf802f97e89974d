//! Graphs: `GraphIR` in its original form, the schemas of its ops, and conv → attention through a planned graph.

mod ab;
mod convert;
mod explain;
mod ir;
mod plan;
mod run;
mod schema;

use crate::error::raise;
use lc_core::runtime::set_last_receipt;
use lc_core::{PackedPolicy, Receipt, TensorMut, TensorRef};
use lc_graph::PlanOptions;
use lc_ops::ConvAttentionAttrs;
use lightning_core::runtime;
use pyo3::prelude::*;

/// Runs conv → attention through a planned graph into `out`, whose shape is `[seq_len · head_dim]`.
///
/// # Errors
/// Shapes that do not fit, and whatever planning and running fail with.
pub fn conv_attention_graph(
    py: Python<'_>,
    name: &'static str,
    attrs: ConvAttentionAttrs,
    inputs: &[Option<TensorRef<'_>>],
    out: &mut TensorMut<'_>,
    level: PackedPolicy,
) -> PyResult<()> {
    let [Some(x), Some(w), bias] = inputs else {
        return Err(raise(lc_core::Error::invalid(name, "inputs", "`x`, `w` and `bias` or None", "fewer")));
    };
    let options = PlanOptions { level, ..PlanOptions::default() };
    let run = || lc_graph::conv_attention::conv_attention(runtime(), x, w, bias.as_ref(), &attrs, out, &options);
    let receipt = py.detach(run).map_err(|e| raise(e.in_op(name)))?;
    keep_receipt(py, &receipt.launches)
}

/// Makes the sum of a graph's receipts this thread's last one, and shows the warnings of its nodes.
fn keep_receipt(py: Python<'_>, launches: &[Receipt]) -> PyResult<()> {
    let Some(mut sum) = launches.first().copied() else { return Ok(()) };
    for receipt in &launches[1..] {
        sum.launches += receipt.launches;
        sum.waits += receipt.waits;
        sum.bytes_uploaded += receipt.bytes_uploaded;
        sum.bytes_downloaded += receipt.bytes_downloaded;
        sum.duration_ns = receipt.duration_ns.or(sum.duration_ns);
        (sum.op, sum.kernel) = ("graph", "plan");
    }
    sum.warn = false;
    set_last_receipt(sum);
    for receipt in launches.iter().filter(|receipt| receipt.warn) {
        crate::call::warn(py, receipt)?;
    }
    Ok(())
}

/// Adds this file's names to the module and to its submodule `api`.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    ir::register(m)?;
    plan::register(m)?;
    schema::register(m)?;
    ab::register(m)
}
