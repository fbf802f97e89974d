//! Reports about plans.

use super::convert::NAME;
use crate::error::raise;
use lc_core::{Cost, DeviceKind, Error, OpDef};
use lc_graph::Compiled;
use lc_graph::report::{self, Notes, Roofline};
use pyo3::prelude::*;
use std::sync::OnceLock;

/// Runs that a measurement takes.
const MEASURED_RUNS: usize = 9;
/// Bytes of the arrays on which the bandwidth is measured: more than most caches, so that the floor is one for data that
/// comes from memory.
const BANDWIDTH_BYTES: usize = 64 << 20;

/// The limits of this machine's processor, measured once: about 50 ms.
fn roofline() -> Roofline {
    static LIMITS: OnceLock<Roofline> = OnceLock::new();
    *LIMITS.get_or_init(|| {
        let threads = lightning_core::num_threads();
        let bandwidth = lightning_core::measure_bandwidth(BANDWIDTH_BYTES, threads).unwrap_or(f64::INFINITY);
        Roofline { flops: lightning_core::measure_peak_flops(threads), bandwidth }
    })
}

/// The least seconds of a call; only for the device whose limits are known.
fn floor(device: DeviceKind, _: &'static OpDef, cost: &Cost) -> Option<f64> {
    (device == DeviceKind::Cpu).then(|| roofline().seconds(cost))
}

/// A report in one of the formats.
///
/// # Errors
/// Another format; a failure of a device, if it measures.
pub fn explain(py: Python<'_>, plan: &Compiled, format: &str, measure: bool) -> PyResult<String> {
    let write = match format {
        "text" => report::text,
        "json" => report::json,
        "html" => report::html,
        "svg" => return Ok(report::svg(plan)),
        _ => {
            let expected = "\"text\", \"json\", \"svg\" or \"html\"";
            return Err(raise(Error::invalid(NAME, "format", expected, format!("{format:?}"))));
        }
    };
    py.detach(|| {
        let measured = measure.then(|| plan.measure(MEASURED_RUNS)).transpose()?;
        Ok(write(plan, &Notes { floor: Some(&floor), measured: measured.as_deref() }))
    })
    .map_err(|e: Error| raise(e.in_op(NAME)))
}
