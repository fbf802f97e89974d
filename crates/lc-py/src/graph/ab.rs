//! Graph against eager: for any graph, and for conv → attention with the dictionary of the first release.

use super::ir::GraphIr;
use crate::args::{Int, product};
use crate::array::{TO_F32, input, optional_input};
use crate::call::level;
use crate::error::raise;
use lc_core::{DType, Error, PackedPolicy, TensorMut, TensorRef};
use lc_graph::ab::{AbOptions, AbReport, compare};
use lc_graph::{Passes, PlanOptions, TensorId};
use lc_ops::{CONV_ATTENTION, ConvAttentionAttrs};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::PyDict;

const NAME: &str = "conv_attention_torchstrong_nchw_ab_report";
/// Calls that one report may time: more is taken for a mistake.
const MAX_CALLS: usize = 1 << 20;

/// How often each way runs, and how close the results must be.
///
/// # Errors
/// More calls than one report may time.
pub(super) fn options(name: &'static str, warmup: Int, repeat: Int, atol: f64, rtol: f64) -> PyResult<AbOptions> {
    let calls = |count: Int, argument, least| {
        let count = count.size(name, argument, least)?;
        if count > MAX_CALLS {
            return Err(raise(Error::invalid(name, argument, format!("at most {MAX_CALLS}"), count.to_string())));
        }
        Ok(count)
    };
    Ok(AbOptions { warmup: calls(warmup, "warmup", 0)?, repeat: calls(repeat, "repeat", 1)?, atol, rtol })
}

/// The report of `lc.ab_report` for a graph and its feeds.
///
/// # Errors
/// Feeds that do not fit, and whatever either way fails with.
pub(super) fn of_graph<'py>(
    graph: &GraphIr,
    feeds: &Bound<'py, PyDict>,
    wanted: &[TensorId],
    plan: &PlanOptions,
    passes: &Passes,
    options: &AbOptions,
) -> PyResult<Bound<'py, PyDict>> {
    const NAME: &str = "ab_report";
    let py = feeds.py();
    let ir = graph.graph();
    let element = match wanted.first() {
        Some(id) => ir.tensors.get(*id).map_or(DType::F32, |tensor| tensor.spec.dtype),
        None => return Err(raise(Error::invalid(NAME, "outputs", "at least one tensor", "none"))),
    };
    let objects = feeds.iter().map(|(key, value)| Ok((graph.feed_id(&key)?, value))).collect::<PyResult<Vec<_>>>()?;
    let mut fed = Vec::with_capacity(objects.len());
    for (id, object) in &objects {
        fed.push((*id, graph.feed(*id, object, element)?));
    }
    let feeds: Vec<_> = fed.iter().map(|(id, feed)| (*id, feed.tensor())).collect();
    let run = || lc_graph::ab::ab_report(&ir, runtime(), &feeds, wanted, plan, passes, options);
    let found = py.detach(run).map_err(|e| raise(e.in_op(NAME)))?;
    super::keep_receipt(py, &found.receipts)?;
    let report = &found.report;
    let dict = PyDict::new(py);
    dict.set_item("warmup", options.warmup)?;
    dict.set_item("repeat", options.repeat)?;
    dict.set_item("device", found.receipts.first().map(|receipt| receipt.selected.name()))?;
    dict.set_item("allclose", report.allclose)?;
    dict.set_item("max_abs_diff", report.max_abs_diff)?;
    dict.set_item("mean_abs_diff", report.mean_abs_diff)?;
    dict.set_item("max_rel_diff", report.max_rel_diff)?;
    dict.set_item("atol", options.atol)?;
    dict.set_item("rtol", options.rtol)?;
    for (way, spread, work) in [("eager", &report.eager, &found.eager), ("graph", &report.graph, &found.graph)] {
        dict.set_item(format!("{way}_ms"), spread.median)?;
        dict.set_item(format!("{way}_p10_ms"), spread.p10)?;
        dict.set_item(format!("{way}_p90_ms"), spread.p90)?;
        dict.set_item(format!("{way}_mean_ms"), spread.mean)?;
        dict.set_item(format!("{way}_launches"), work.launches)?;
        dict.set_item(format!("{way}_bytes"), work.bytes)?;
        dict.set_item(format!("{way}_copied_bytes"), work.copied)?;
        dict.set_item(format!("{way}_waits"), work.waits)?;
    }
    dict.set_item("graph_over_eager", report.graph.median / report.eager.median)?;
    dict.set_item("eager_over_graph", report.eager.median / report.graph.median)?;
    dict.set_item("winner", report.winner_by_median())?;
    Ok(dict)
}

/// Runs both ways in turns.
fn measure(
    inputs: [Option<TensorRef<'_>>; 3],
    attrs: &ConvAttentionAttrs,
    level: PackedPolicy,
    options: &AbOptions,
) -> lc_core::Result<AbReport> {
    let dims = [attrs.seq_len, attrs.head_dim];
    let eager = |out: &mut [f32]| {
        let target = TensorMut::new(out, &dims)?;
        runtime().call(&CONV_ATTENTION, &(*attrs).into(), &inputs, &mut [target], level).map(drop)
    };
    let plan = PlanOptions { level, ..PlanOptions::default() };
    let graph = |out: &mut [f32]| {
        let [Some(x), Some(w), bias] = &inputs else { return Err(Error::invalid(NAME, "x", "an array", "none")) };
        let mut target = TensorMut::new(out, &dims)?;
        let run = lc_graph::conv_attention::conv_attention;
        run(runtime(), x, w, bias.as_ref(), attrs, &mut target, &plan).map(drop)
    };
    compare(dims[0] * dims[1], options, eager, graph)
}

/// Runs conv → attention eagerly and as a planned graph, compares the results, and times both.
///
/// The two ways take turns, so that neither has the warmer caches. The times are means over `repeat` calls after `warmup`
/// untimed ones.
///
/// Parameters
/// ----------
/// x, w, bias, seq_len, head_dim, stride_h, stride_w, pad_h, pad_w, device
///     As for `conv_attention_torchstrong_nchw`.
/// warmup, repeat : int
///     Untimed and timed calls of each way; `repeat` is at least 1.
/// atol, rtol : float
///     The results are close where |eager − graph| ≤ atol + rtol·|eager|.
///
/// Returns
/// -------
/// dict
///     `seq_len`, `head_dim`, `warmup`, `repeat`, `device`, `allclose`, `max_abs_diff`, `mean_abs_diff`,
///     `max_rel_diff`, `atol`, `rtol`, `eager_ms`, `graph_ms`, `graph_over_eager`, `eager_over_graph` and `winner`:
///     "graph", "eager", or "tie" where the means differ by less than one in a hundred.
///
/// Raises
/// ------
/// InvalidValueError
///     For a repeat count of zero, a negative tolerance, or what either way refuses.
#[pyfunction]
#[pyo3(signature = (x, w, bias, seq_len, head_dim, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), device="auto", warmup=Int::Fits(1), repeat=Int::Fits(5), atol=1e-4, rtol=1e-4),
    text_signature = "(x, w, bias, seq_len, head_dim, stride_h=1, stride_w=1, pad_h=0, pad_w=0, device='auto', \
warmup=1, repeat=5, atol=0.0001, rtol=0.0001)")]
fn conv_attention_torchstrong_nchw_ab_report<'py>(
    x: &Bound<'py, PyAny>,
    w: &Bound<'py, PyAny>,
    bias: Option<&Bound<'py, PyAny>>,
    seq_len: Int,
    head_dim: Int,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    device: &str,
    warmup: Int,
    repeat: Int,
    atol: f64,
    rtol: f64,
) -> PyResult<Bound<'py, PyDict>> {
    let py = x.py();
    let level = level(NAME, device, None)?;
    let attrs = ConvAttentionAttrs {
        seq_len: seq_len.size(NAME, "seq_len", 1)?,
        head_dim: head_dim.size(NAME, "head_dim", 1)?,
        stride_h: stride_h.size(NAME, "stride_h", 1)?,
        stride_w: stride_w.size(NAME, "stride_w", 1)?,
        pad_h: pad_h.size(NAME, "pad_h", 0)?,
        pad_w: pad_w.size(NAME, "pad_w", 0)?,
    };
    product(NAME, "head_dim", &[3, attrs.seq_len, attrs.head_dim])?;
    let options = options(NAME, warmup, repeat, atol, rtol)?;
    let given =
        (input(NAME, "x", x, TO_F32)?, input(NAME, "w", w, TO_F32)?, optional_input(NAME, "bias", bias, TO_F32)?);
    // As everywhere, the bias may have any shape.
    let bias = given.2.as_ref().map(|bias| {
        let bias = bias.tensor();
        bias.reshape(&[bias.shape().numel()]).unwrap_or(bias)
    });
    let inputs = [Some(given.0.tensor()), Some(given.1.tensor()), bias];
    let report = py.detach(|| measure(inputs, &attrs, level, &options)).map_err(|e| raise(e.in_op(NAME)))?;
    let dict = PyDict::new(py);
    dict.set_item("seq_len", attrs.seq_len)?;
    dict.set_item("head_dim", attrs.head_dim)?;
    dict.set_item("warmup", options.warmup)?;
    dict.set_item("repeat", options.repeat)?;
    dict.set_item("device", device)?;
    dict.set_item("allclose", report.allclose)?;
    dict.set_item("max_abs_diff", report.max_abs_diff)?;
    dict.set_item("mean_abs_diff", report.mean_abs_diff)?;
    dict.set_item("max_rel_diff", report.max_rel_diff)?;
    dict.set_item("atol", atol)?;
    dict.set_item("rtol", rtol)?;
    dict.set_item("eager_ms", report.eager.mean)?;
    dict.set_item("graph_ms", report.graph.mean)?;
    dict.set_item("graph_over_eager", report.graph.mean / report.eager.mean)?;
    dict.set_item("eager_over_graph", report.eager.mean / report.graph.mean)?;
    dict.set_item("winner", report.winner())?;
    Ok(dict)
}

/// Adds this file's names to the module, and its clean name to `api`.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    let function = wrap_pyfunction!(conv_attention_torchstrong_nchw_ab_report, m)?;
    m.add("lightning_conv_attention_torchstrong_nchw_ab_report", &function)?;
    m.getattr("_api")?.cast_into::<PyModule>()?.add_function(function)
}
