//! Graph against eager: the same result, and how long each takes.

use crate::compile::compile;
use crate::eager::Eager;
use crate::ir::{Graph, TensorId};
use crate::passes::Passes;
use crate::plan::PlanOptions;
use lc_core::{DType, Error, Receipt, Result, Runtime, TensorMut, TensorRef, TensorSpec};
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

/// Milliseconds of a way's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The middle.
    pub median: f64,
    /// A tenth of the calls took no longer.
    pub p10: f64,
    /// Nine tenths of the calls took no longer.
    pub p90: f64,
}

impl Spread {
    /// Of samples in seconds; percentiles between two samples are interpolated.
    pub fn of(seconds: &[f64]) -> Spread {
        let mut sorted: Vec<f64> = seconds.iter().map(|s| s * 1e3).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return Spread::default() };
        let at = |share: f64| {
            let place = share * last as f64;
            let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            low + (high - low) * place.fract()
        };
        Spread { mean: sorted.iter().sum::<f64>() / sorted.len() as f64, median: at(0.5), p10: at(0.1), p90: at(0.9) }
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
    /// An eager call.
    pub eager: Spread,
    /// A graph call.
    pub graph: Spread,
}

/// "graph", "eager", or "tie" where the times differ by less than one in a hundred: a single run cannot tell less apart.
fn winner(eager: f64, graph: f64) -> &'static str {
    if (graph - eager).abs() <= 0.01 * graph.max(eager) {
        "tie"
    } else if graph < eager {
        "graph"
    } else {
        "eager"
    }
}

impl AbReport {
    /// Whose mean is shorter: "graph", "eager", or "tie" where they differ by less than one in a hundred.
    pub fn winner(&self) -> &'static str {
        winner(self.eager.mean, self.graph.mean)
    }

    /// As [`AbReport::winner`], by the medians.
    pub fn winner_by_median(&self) -> &'static str {
        winner(self.eager.median, self.graph.median)
    }
}

/// Differences between two results.
struct Parity<'a> {
    options: &'a AbOptions,
    allclose: bool,
    max_abs: f64,
    max_rel: f64,
    sum: f64,
    count: usize,
}

impl Parity<'_> {
    fn new(options: &AbOptions) -> Parity<'_> {
        Parity { options, allclose: true, max_abs: 0.0, max_rel: 0.0, sum: 0.0, count: 0 }
    }

    fn add(&mut self, e: f64, g: f64) {
        // Equal covers infinities of one sign, whose difference is NaN.
        let diff = if e == g || (e.is_nan() && g.is_nan()) { 0.0 } else { (e - g).abs() };
        self.allclose &= diff <= self.options.atol + self.options.rtol * e.abs() || diff == 0.0;
        let larger = |x: f64, y: f64| if x.is_nan() || y.is_nan() { f64::NAN } else { x.max(y) };
        self.max_abs = larger(self.max_abs, diff);
        self.max_rel = larger(self.max_rel, if diff == 0.0 { 0.0 } else { diff / (e.abs() + 1e-12) });
        self.sum += diff;
        self.count += 1;
    }

    fn report(self, [eager, graph]: [Spread; 2]) -> AbReport {
        AbReport {
            allclose: self.allclose,
            max_abs_diff: self.max_abs,
            mean_abs_diff: self.sum / self.count.max(1) as f64,
            max_rel_diff: self.max_rel,
            eager,
            graph,
        }
    }
}

/// Times two ways. They take turns, and the one that goes first changes from turn to turn, so that neither has the warmer
/// caches or the cooler clock.
fn take_turns(
    options: &AbOptions,
    eager: &mut dyn FnMut() -> Result<()>,
    graph: &mut dyn FnMut() -> Result<()>,
) -> Result<[Spread; 2]> {
    if options.repeat == 0 {
        return Err(Error::invalid("ab_report", "repeat", "at least 1", "0"));
    }
    for (name, tolerance) in [("atol", options.atol), ("rtol", options.rtol)] {
        if tolerance.is_nan() || tolerance < 0.0 {
            return Err(Error::invalid("ab_report", name, "a number of at least 0", tolerance.to_string()));
        }
    }
    for _ in 0..options.warmup {
        eager()?;
        graph()?;
    }
    let mut samples = [Vec::with_capacity(options.repeat), Vec::with_capacity(options.repeat)];
    for turn in 0..options.repeat {
        for which in [turn % 2, 1 - turn % 2] {
            let start = Instant::now();
            match which {
                0 => eager()?,
                _ => graph()?,
            }
            samples[which].push(start.elapsed().as_secs_f64());
        }
    }
    Ok(samples.map(|seconds| Spread::of(&seconds)))
}

/// Compares two ways to fill `len` floats, which take turns.
///
/// # Errors
/// A repeat count of zero, a tolerance that is negative or NaN, and whatever either way fails with.
pub fn compare(
    len: usize,
    options: &AbOptions,
    mut eager: impl FnMut(&mut [f32]) -> Result<()>,
    mut graph: impl FnMut(&mut [f32]) -> Result<()>,
) -> Result<AbReport> {
    let (mut e, mut g) = (vec![0f32; len], vec![0f32; len]);
    let times = take_turns(options, &mut || eager(&mut e), &mut || graph(&mut g))?;
    let mut parity = Parity::new(options);
    e.iter().zip(&g).for_each(|(e, g)| parity.add(f64::from(*e), f64::from(*g)));
    Ok(parity.report(times))
}

/// What one way does in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Kernels launched.
    pub launches: usize,
    /// Bytes that those must read and write at least once.
    pub bytes: u64,
    /// Bytes copied to a device and back.
    pub copied: u64,
    /// Waits for a device.
    pub waits: u32,
}

impl Work {
    fn of(receipts: &[Receipt], bytes: u64) -> Work {
        Work {
            launches: receipts.iter().map(|receipt| receipt.launches as usize).sum(),
            bytes,
            copied: receipts.iter().map(|receipt| receipt.bytes_uploaded + receipt.bytes_downloaded).sum(),
            waits: receipts.iter().map(|receipt| receipt.waits).sum(),
        }
    }
}

/// A comparison of any graph.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphAb {
    /// Parity and times.
    pub report: AbReport,
    /// What a call by call run does.
    pub eager: Work,
    /// What a run of the plan does.
    pub graph: Work,
    /// A receipt for each launch of the plan's last run.
    pub receipts: Vec<Receipt>,
}

/// Runs a graph call by call and as one plan, in turns, on the same feeds; compares the wanted tensors and the times.
///
/// # Errors
/// As [`compile`]; a tensor that is not fed; a repeat count of zero, a tolerance that is negative or NaN.
pub fn ab_report(
    graph: &Graph,
    runtime: &Runtime,
    feeds: &[(TensorId, TensorRef<'_>)],
    wanted: &[TensorId],
    plan: &PlanOptions,
    passes: &Passes,
    options: &AbOptions,
) -> Result<GraphAb> {
    let compiled = compile(graph, runtime, Some(wanted), plan, passes)?;
    let eager = Eager::new(graph, wanted, plan)?;
    let fed = |tensor: TensorId| feeds.iter().rev().find(|(id, _)| *id == tensor).map(|(_, feed)| *feed);
    let eager_feeds: Vec<_> = eager.feeds().iter().map(|tensor| fed(*tensor)).collect();
    let mut plan_feeds = Vec::with_capacity(compiled.feeds().len());
    for feed in compiled.feeds() {
        plan_feeds.push(fed(feed.tensor).ok_or_else(|| {
            let expected = format!("a value for {}, {} {}", feed.label, feed.spec.dtype, feed.spec.shape);
            Error::invalid("ab_report", "feeds", expected, "none")
        })?);
    }
    let specs = compiled.outputs().to_vec();
    let blank = |specs: &[TensorSpec]| -> Vec<Vec<u64>> {
        specs.iter().map(|spec| vec![0; spec.bytes().div_ceil(8)]).collect()
    };
    let (mut e, mut g) = (blank(&specs), blank(&specs));
    let targets = |words: &mut [Vec<u64>]| -> Vec<TensorMut<'static>> {
        let each = words.iter_mut().zip(&specs);
        // SAFETY: the words hold the elements of the spec; they outlive the runs, whose views are made anew each time.
        each.map(|(words, spec)| unsafe { TensorMut::from_raw(words.as_mut_ptr().cast(), *spec) }).collect()
    };
    let (mut eager_receipts, mut graph_receipts) = (Vec::new(), Vec::new());
    let times = take_turns(
        options,
        &mut || {
            eager_receipts = eager.run(runtime, &eager_feeds, &mut targets(&mut e))?;
            Ok(())
        },
        &mut || {
            graph_receipts = compiled.run(&plan_feeds, &mut targets(&mut g))?.launches;
            Ok(())
        },
    )?;
    let mut parity = Parity::new(options);
    for ((e, g), spec) in e.iter().zip(&g).zip(&specs) {
        for i in 0..spec.shape.numel() {
            let at = |words: &[u64]| {
                let start = words.as_ptr().cast::<u8>().wrapping_add(i * spec.dtype.size());
                // SAFETY: element `i` of the words, which hold `numel`, aligned for either type.
                unsafe {
                    match spec.dtype {
                        DType::F32 => f64::from(start.cast::<f32>().read()),
                        DType::F64 => start.cast::<f64>().read(),
                        DType::F16 => start.cast::<half::f16>().read().to_f64(),
                    }
                }
            };
            parity.add(at(e), at(g));
        }
    }
    let calls = compiled.program().iter().filter_map(|(id, _)| compiled.placed()[id].as_ref());
    let bytes =
        calls.fold(0u64, |sum, call| sum.saturating_add(call.cost.bytes_read).saturating_add(call.cost.bytes_written));
    Ok(GraphAb {
        report: parity.report(times),
        eager: Work::of(&eager_receipts, compiled.unfused().1),
        graph: Work::of(&graph_receipts, bytes),
        receipts: graph_receipts,
    })
}
