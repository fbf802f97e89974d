//! Graph against eager: the same result, and how long each takes.

use lc_core::{Error, Result};
use std::time::Instant;

/// How two ways to the same result are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AbOptions {
    /// Calls of each before the timing.
    pub warmup: usize,
    /// Timed calls of each.
    pub repeat: usize,
    /// Absolute part of the tolerance.
    pub atol: f64,
    /// Relative part of the tolerance.
    pub rtol: f64,
}

impl Default for AbOptions {
    fn default() -> AbOptions {
        AbOptions { warmup: 1, repeat: 5, atol: 1e-4, rtol: 1e-4 }
    }
}

/// What a comparison found. The reference is the eager result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AbReport {
    /// Whether `|e − g| ≤ atol + rtol·|e|` everywhere. A NaN is close to a NaN only.
    pub allclose: bool,
    /// The largest `|e − g|`.
    pub max_abs_diff: f64,
    /// The mean of `|e − g|`.
    pub mean_abs_diff: f64,
    /// The largest `|e − g| / (|e| + 1e-12)`.
    pub max_rel_diff: f64,
    /// Mean milliseconds of an eager call.
    pub eager_ms: f64,
    /// Mean milliseconds of a graph call.
    pub graph_ms: f64,
}

impl AbReport {
    /// "graph", "eager", or "tie" where the means differ by less than one in a hundred: a single run cannot tell less
    /// apart.
    pub fn winner(&self) -> &'static str {
        let (graph, eager) = (self.graph_ms, self.eager_ms);
        if (graph - eager).abs() <= 0.01 * graph.max(eager) {
            "tie"
        } else if graph < eager {
            "graph"
        } else {
            "eager"
        }
    }
}

/// Compares two ways to fill `len` floats. They take turns, and the one that goes first changes from turn to turn, so
/// that neither has the warmer caches or the cooler clock.
///
/// # Errors
/// A repeat count of zero, a tolerance that is negative or NaN, and whatever either way fails with.
pub fn compare(
    len: usize,
    options: &AbOptions,
    mut eager: impl FnMut(&mut [f32]) -> Result<()>,
    mut graph: impl FnMut(&mut [f32]) -> Result<()>,
) -> Result<AbReport> {
    if options.repeat == 0 {
        return Err(Error::invalid("ab_report", "repeat", "at least 1", "0"));
    }
    for (name, tolerance) in [("atol", options.atol), ("rtol", options.rtol)] {
        if tolerance.is_nan() || tolerance < 0.0 {
            return Err(Error::invalid("ab_report", name, "a number of at least 0", tolerance.to_string()));
        }
    }
    let (mut e, mut g) = (vec![0f32; len], vec![0f32; len]);
    for _ in 0..options.warmup {
        eager(&mut e)?;
        graph(&mut g)?;
    }
    let mut seconds = [0f64; 2];
    for turn in 0..options.repeat {
        for which in [turn % 2, 1 - turn % 2] {
            let start = Instant::now();
            match which {
                0 => eager(&mut e)?,
                _ => graph(&mut g)?,
            }
            seconds[which] += start.elapsed().as_secs_f64();
        }
    }
    let ms = |total: f64| total * 1e3 / options.repeat as f64;
    let mut report = AbReport {
        allclose: true,
        max_abs_diff: 0.0,
        mean_abs_diff: 0.0,
        max_rel_diff: 0.0,
        eager_ms: ms(seconds[0]),
        graph_ms: ms(seconds[1]),
    };
    for (e, g) in e.iter().map(|x| f64::from(*x)).zip(g.iter().map(|x| f64::from(*x))) {
        // Equal covers infinities of one sign, whose difference is NaN.
        let diff = if e == g || (e.is_nan() && g.is_nan()) { 0.0 } else { (e - g).abs() };
        report.allclose &= diff <= options.atol + options.rtol * e.abs() || diff == 0.0;
        let larger = |x: f64, y: f64| if x.is_nan() || y.is_nan() { f64::NAN } else { x.max(y) };
        report.max_abs_diff = larger(report.max_abs_diff, diff);
        report.max_rel_diff = larger(report.max_rel_diff, if diff == 0.0 { 0.0 } else { diff / (e.abs() + 1e-12) });
        report.mean_abs_diff += diff / len as f64;
    }
    Ok(report)
}
