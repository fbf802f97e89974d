//! Runs kernels against each other.
//!
//! Every kernel first shows that it computes the right thing: against the op's float64 reference, on the call itself or,
//! where that would take too long, on one with the same attributes and smaller extents, and then at full size against
//! the most portable kernel. One that is unproven shows it on operands with other strides too, and wins nothing where
//! there is no proven kernel to compare with. Those that pass are timed in turns, so that whatever else the machine does meets all of
//! them. The caller's tensors are never touched.

use super::key::{DeviceId, Key};
use super::operands::{Layout, Operands, reference_inputs};
use super::record::{Candidate, Entry};
use super::verify::{Verdict, compare, tolerance};
use crate::attrs::Attrs;
use crate::backend::{Backend, KernelEntry};
use crate::dtype::DType;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Math;
use crate::registry::{Cost, InputSpecs, OpDef};
use crate::router;
use crate::tensor::TensorSpec;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A call whose kernels are to be measured.
pub struct Request<'a> {
    /// Where.
    pub backend: &'a dyn Backend,
    /// Its identity.
    pub on: DeviceId,
    /// The op.
    pub op: &'static OpDef,
    /// Attributes that the op's rule accepts.
    pub attrs: &'a Attrs,
    /// Inputs that the op's rule accepts.
    pub inputs: InputSpecs<'a>,
    /// Element type of the first input.
    pub dtype: DType,
    /// The arithmetic that is asked for.
    pub math: Math,
    /// How long the measurement may take. A launch that was begun is not interrupted.
    pub budget: Duration,
    /// Kernels whose numbers are known to be wrong.
    pub rejected: &'a dyn Fn(&str) -> bool,
}

/// A sample lasts at least this long: the clock's own cost is then below a hundredth of it.
const SAMPLE_NS: u64 = 10_000;
/// Launches of one sample at most.
const MAX_REPEATS: u64 = 1000;
/// Rounds after which more of them change nothing.
const MAX_ROUNDS: usize = 101;
/// Rounds after which a kernel that is [`HOPELESS`] times slower than the best drops out.
const FIRST_ROUNDS: usize = 3;
const HOPELESS: f64 = 3.0;
/// A kernel must beat the one that would run untuned by this much: less is noise.
const MARGIN: f64 = 0.03;
/// Samples without which a kernel takes no other's place.
const ENOUGH: usize = 3;
/// What the float64 references are taken to do, in operations a millisecond, to keep them inside a tenth of the budget.
const REFERENCE_FLOPS_PER_MS: f64 = 5e4;

/// What a call may weigh that an unproven kernel is compared on once a process: a few milliseconds of its reference.
const CHECKED_FLOPS: f64 = 2e5;

/// One search at a time: two would measure each other.
static ONE: Mutex<()> = Mutex::new(());

struct Runner {
    kernel: &'static KernelEntry,
    samples: Vec<u64>,
    repeats: u32,
    error: Option<f64>,
    out: Option<Out>,
}

/// Why a kernel does not compete.
enum Out {
    Rejected(String),
    Failed(String),
    OverBudget,
    Slow,
}

impl Runner {
    fn new(kernel: &'static KernelEntry) -> Runner {
        Runner { kernel, samples: Vec::new(), repeats: 1, error: None, out: None }
    }

    /// Whether it may still win.
    fn alive(&self) -> bool {
        self.out.is_none()
    }

    fn judge(&mut self, verdict: Verdict, tolerance: f64, against: &str) {
        self.error = Some(self.error.unwrap_or(0.0).max(verdict.error));
        if !verdict.ok {
            let error = verdict.error;
            let text = format!("numbers differ: max error {error:.2e} against {against}, {tolerance:.2e} allowed");
            self.out = Some(Out::Rejected(text));
        }
    }

    fn median(&self) -> Option<u64> {
        percentile(&self.samples, 0.5)
    }
}

fn percentile(samples: &[u64], share: f64) -> Option<u64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().checked_sub(1)?;
    sorted.get((last as f64 * share).round() as usize).copied()
}

/// Operations of a call, memory traffic counted as operations where it is all there is.
fn weight(cost: &Cost) -> f64 {
    cost.flops.max((cost.bytes_read + cost.bytes_written) / 4).max(1) as f64
}

/// A call with the same attributes and extents halved until it weighs at most `limit`; the call itself if it does. An
/// extent is halved wherever it occurs, so that extents that must agree still do.
pub(super) fn shrunk(op: &OpDef, attrs: &Attrs, inputs: InputSpecs, limit: f64) -> Option<Vec<Option<TensorSpec>>> {
    let weigh = |inputs: InputSpecs| {
        let outputs = op.check(attrs, inputs).ok()?;
        Some(weight(&(op.cost)(attrs, inputs, &outputs)))
    };
    let mut now = inputs.to_vec();
    let mut heavy = weigh(&now)?;
    while heavy > limit {
        let mut extents: Vec<usize> = now.iter().flatten().flat_map(|s| s.shape.dims().to_vec()).collect();
        extents.sort_unstable();
        extents.dedup();
        let smaller = extents.into_iter().rev().filter(|extent| *extent > 1).find_map(|extent| {
            let halve = |d: &usize| if *d == extent { extent.div_ceil(2) } else { *d };
            let mut next = now.clone();
            for spec in next.iter_mut().flatten() {
                let dims: Vec<usize> = spec.shape.dims().iter().map(halve).collect();
                spec.shape = crate::shape::Shape::new(&dims).ok()?;
            }
            weigh(&next).filter(|w| *w < heavy).map(|w| (next, w))
        });
        (now, heavy) = smaller?;
    }
    Some(now)
}

/// Measures every kernel that takes the call and gives what the store keeps.
///
/// # Errors
/// No kernel takes the call; operands that are too large to copy; out of memory.
pub fn tune(request: &Request<'_>) -> Result<Entry> {
    let _one = alone();
    let Request { backend, op, attrs, inputs, dtype, math, .. } = *request;
    let start = Instant::now();
    let deadline = start + request.budget;
    let mut runners = runners(request);
    if runners.is_empty() {
        return Err(Error::unsupported(op.name, "a kernel that takes the call", "none"));
    }
    let outputs = op.check(attrs, inputs)?;
    let cost = (op.cost)(attrs, inputs, &outputs);
    let limit = REFERENCE_FLOPS_PER_MS * request.budget.as_secs_f64() * 1e3;
    let small = shrunk(op, attrs, inputs, limit);
    let exact = small.as_deref().is_some_and(|small| small == inputs);
    let allowed = tolerance(dtype, math, depth(op, attrs, inputs)?);

    if let Some(small) = &small {
        against_reference(request, small, &mut runners, allowed)?;
    }
    let operands = Operands::new(backend, inputs, &outputs, Layout::Dense)?;
    if !exact {
        // What the small call took says about how long the large one will.
        let ratio = small.as_deref().map(|small| {
            let outputs = op.check(attrs, small).map(|outputs| weight(&(op.cost)(attrs, small, &outputs)));
            weight(&cost) / outputs.unwrap_or(1.0)
        });
        against_portable(request, &operands, &mut runners, ratio, deadline, 2.0 * allowed)?;
    }
    race(attrs, &operands, &mut runners, deadline);
    let key = Key::new(request.on.clone(), op, attrs, inputs, dtype, math);
    let samples = runners.iter().map(|r| r.samples.len() as u64).sum();
    let budget_ms = request.budget.as_millis() as u64;
    Ok(Entry { key, measured: now_ms(), samples, budget_ms, candidates: candidates(&runners) })
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

fn runners(request: &Request<'_>) -> Vec<Runner> {
    let Request { backend, op, attrs, inputs, dtype, math, .. } = *request;
    let mut runners: Vec<Runner> = Vec::new();
    for index in router::candidates(backend, op, attrs, inputs, dtype, math) {
        let kernel = &backend.kernels()[index];
        if runners.iter().any(|r| r.kernel.name == kernel.name) {
            continue;
        }
        let known = (request.rejected)(kernel.name);
        let out = known.then(|| Out::Rejected("numbers differ: found in an earlier measurement".into()));
        runners.push(Runner { out, ..Runner::new(kernel) });
    }
    runners
}

/// Runs each kernel once on a call that the float64 reference can follow, then once more for its time.
fn against_reference(
    request: &Request<'_>,
    small: &[Option<TensorSpec>],
    runners: &mut [Runner],
    allowed: f64,
) -> Result<()> {
    let Request { backend, op, attrs, .. } = *request;
    let outputs = op.check(attrs, small)?;
    let want: Vec<Vec<f64>> = (op.reference)(attrs, &reference_inputs(small)).into_iter().map(|t| t.data).collect();
    for layout in Layout::ALL {
        // That a proven kernel takes any strides was shown where it was written.
        let concerns = |r: &Runner| r.alive() && (layout == Layout::Dense || r.kernel.unproven);
        if !runners.iter().any(concerns) {
            continue;
        }
        let operands = Operands::new(backend, small, &outputs, layout)?;
        let against = format!("float64{}", layout.text());
        for runner in runners.iter_mut().filter(|r| concerns(r)) {
            operands.poison()?;
            match operands.time(runner.kernel, attrs, 1).and_then(|_| operands.results()) {
                Ok(got) => runner.judge(compare(&got, &want, allowed), allowed, &against),
                Err(error) => runner.out = Some(Out::Failed(error.to_string())),
            }
            if runner.alive() && layout == Layout::Dense {
                match operands.time(runner.kernel, attrs, 1) {
                    Ok(ns) => runner.repeats = repeats(ns),
                    Err(error) => runner.out = Some(Out::Failed(error.to_string())),
                }
            }
        }
    }
    Ok(())
}

/// Compares one kernel with the float64 reference, on a call with the same attributes and small extents, and says what is
/// wrong with its numbers, if anything is.
///
/// # Errors
/// It cannot be compared: there is no small call, or the launch fails.
pub(crate) fn check(request: &Request<'_>, kernel: &'static KernelEntry) -> Result<Option<String>> {
    let _one = alone();
    let Request { op, attrs, inputs, dtype, math, .. } = *request;
    let small = shrunk(op, attrs, inputs, CHECKED_FLOPS).ok_or_else(|| {
        Error::unsupported(op.name, "a call that can be made small to compare its kernels", "another")
    })?;
    let mut runners = [Runner::new(kernel)];
    against_reference(request, &small, &mut runners, tolerance(dtype, math, depth(op, attrs, &small)?))?;
    let [runner] = runners;
    match runner.out {
        None => Ok(None),
        Some(Out::Rejected(text)) => Ok(Some(text)),
        Some(Out::Failed(text)) => Err(Error::new(ErrorKind::DriverError, op.name).argument(kernel.name).got(text)),
        Some(Out::OverBudget | Out::Slow) => Err(Error::new(ErrorKind::Unknown, op.name).got("no comparison")),
    }
}

/// Operations behind a result of a call.
fn depth(op: &OpDef, attrs: &Attrs, inputs: InputSpecs) -> Result<f64> {
    let outputs = op.check(attrs, inputs)?;
    let results = outputs.iter().map(|s| s.shape.numel()).max().unwrap_or(1);
    Ok(weight(&(op.cost)(attrs, inputs, &outputs)) / results.max(1) as f64)
}

/// The kernel that runs where nothing was measured.
fn untuned(runners: &[Runner]) -> Option<usize> {
    runners.iter().position(|runner| !runner.kernel.unproven)
}

fn repeats(ns: u64) -> u32 {
    (SAMPLE_NS / ns.max(1)).clamp(1, MAX_REPEATS) as u32
}

/// Runs each kernel that may fit into the budget at full size and compares it with the most portable one of them.
fn against_portable(
    request: &Request<'_>,
    operands: &Operands<'_>,
    runners: &mut [Runner],
    ratio: Option<f64>,
    deadline: Instant,
    allowed: f64,
) -> Result<()> {
    let attrs = request.attrs;
    let estimate = |runner: &Runner| ratio.map(|ratio| ratio * SAMPLE_NS as f64 / f64::from(runner.repeats));
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now()).as_nanos() as f64;
    let proven = |runner: &Runner| runner.alive() && !runner.kernel.unproven;
    let fits = |runner: &Runner| estimate(runner).is_none_or(|ns| ns < left(deadline) / 4.0);
    let untuned = untuned(runners);
    let portable = runners.iter().rposition(|r| proven(r) && fits(r)).or_else(|| runners.iter().position(proven));
    let run = |runner: &mut Runner| {
        let result = operands.poison().and_then(|()| operands.time(runner.kernel, attrs, 1));
        match result.and_then(|ns| Ok((ns, operands.results()?))) {
            Ok((ns, got)) => {
                runner.repeats = repeats(ns);
                Some(got)
            }
            Err(error) => {
                runner.out = Some(Out::Failed(error.to_string()));
                None
            }
        }
    };
    let want = portable.and_then(|portable| Some((portable, run(&mut runners[portable])?)));
    let Some((portable, want)) = want else {
        for runner in runners.iter_mut().filter(|r| r.alive() && r.kernel.unproven) {
            runner.out = Some(Out::Failed("no proven kernel ran to compare with".into()));
        }
        return Ok(());
    };
    let name = runners[portable].kernel.name;
    for (index, runner) in runners.iter_mut().enumerate().filter(|(index, _)| *index != portable) {
        if runner.out.is_some() {
            continue;
        }
        // The kernel that would run untuned always competes.
        if Some(index) != untuned && estimate(runner).is_some_and(|ns| ns > left(deadline) / 2.0) {
            runner.out = Some(Out::OverBudget);
        } else if let Some(got) = run(runner) {
            runner.judge(compare(&got, &want, allowed), allowed, name);
        }
    }
    Ok(())
}

/// Times the kernels in turns until the budget is spent.
fn race(attrs: &Attrs, operands: &Operands<'_>, runners: &mut [Runner], deadline: Instant) {
    let count = runners.len();
    for round in 0..MAX_ROUNDS {
        for turn in 0..count {
            // Each round starts with another kernel: none is always the one after a slow one.
            let runner = &mut runners[(round + turn) % count];
            if runner.out.is_some() {
                continue;
            }
            if round > 0 && Instant::now() >= deadline {
                return;
            }
            match operands.time(runner.kernel, attrs, runner.repeats) {
                // The first round only warms up, unless nothing more comes.
                Ok(ns) => {
                    if round == 1 {
                        runner.samples.clear();
                    }
                    runner.samples.push(ns);
                }
                Err(error) => runner.out = Some(Out::Failed(error.to_string())),
            }
        }
        if round == FIRST_ROUNDS {
            let best = runners.iter().filter(|r| r.out.is_none()).filter_map(Runner::median).min().unwrap_or(0);
            for runner in runners.iter_mut().filter(|r| r.out.is_none()) {
                if runner.median().is_some_and(|ns| ns as f64 > HOPELESS * best as f64) {
                    runner.out = Some(Out::Slow);
                }
            }
        }
    }
}

/// What the store keeps of the runners: the winner, and why the others lost.
fn candidates(runners: &[Runner]) -> Vec<Candidate> {
    let competes = |r: &Runner| matches!(r.out, None | Some(Out::Slow)) && !r.samples.is_empty();
    // The kernel that runs untuned keeps its place, if it is in the race, until others are clearly better.
    let keeper = untuned(runners);
    let untuned = keeper.map(|index| &runners[index]).filter(|r| competes(r)).and_then(Runner::median);
    let may_win = |index: usize, r: &Runner| {
        Some(index) == keeper || (untuned.is_none() && !r.kernel.unproven) || r.samples.len() >= ENOUGH
    };
    let racing = runners.iter().enumerate().filter(|(index, r)| competes(r) && may_win(*index, r));
    let fastest = racing.min_by_key(|(_, r)| r.median());
    let winner = fastest.map(|(index, runner)| match (untuned, runner.median()) {
        (Some(untuned), Some(best)) if best as f64 > (1.0 - MARGIN) * untuned as f64 => keeper.unwrap_or(index),
        _ => index,
    });
    let best = winner.and_then(|w| runners[w].median());
    let describe = |(index, runner): (usize, &Runner)| {
        let median = runner.median();
        let why = match (&runner.out, median, best) {
            (Some(Out::Rejected(text)), ..) => text.clone(),
            (Some(Out::Failed(text)), ..) => format!("failed: {text}"),
            (Some(Out::OverBudget), ..) | (_, None, _) => "over budget".into(),
            _ if winner == Some(index) => "fastest".into(),
            (_, Some(ns), Some(best)) if ns < best && runner.samples.len() < ENOUGH => {
                format!("over budget: {} samples are too few to win", runner.samples.len())
            }
            (_, Some(ns), Some(best)) if ns < best => {
                let gain = 100.0 * (1.0 - ns as f64 / best as f64);
                format!("faster by {gain:.1} %, less than the margin of {:.0} %", 100.0 * MARGIN)
            }
            (_, Some(ns), best) => format!("slower by {:.2}x", ns as f64 / best.unwrap_or(ns) as f64),
        };
        Candidate {
            kernel: runner.kernel.name.into(),
            median_ns: median,
            p10_ns: percentile(&runner.samples, 0.1),
            p90_ns: percentile(&runner.samples, 0.9),
            samples: runner.samples.len() as u32,
            max_error: runner.error.filter(|e| e.is_finite()),
            rejected: matches!(runner.out, Some(Out::Rejected(_))),
            won: winner == Some(index),
            why,
        }
    };
    runners.iter().enumerate().map(describe).collect()
}

/// Launches that share one wait on an asynchronous device: in a plan, too, many launches come before a wait.
const LAUNCHES_A_WAIT: u32 = 8;

/// Keeps other measurements of this process out while it lives.
pub fn alone() -> MutexGuard<'static, ()> {
    ONE.lock().unwrap_or_else(|e| e.into_inner())
}

/// The median time of one kernel on a call, in nanoseconds, within a budget; at least three samples.
///
/// # Errors
/// Operands that are too large to copy; a failure of the device.
pub fn time(
    backend: &dyn Backend,
    kernel: &KernelEntry,
    attrs: &Attrs,
    inputs: InputSpecs,
    budget: Duration,
) -> Result<u64> {
    let _one = alone();
    let operands = Operands::new(backend, inputs, &kernel.op.check(attrs, inputs)?, Layout::Dense)?;
    operands.time(kernel, attrs, 1)?;
    let deadline = Instant::now() + budget;
    let fewest = if backend.descriptor().asynchronous { LAUNCHES_A_WAIT } else { 1 };
    let repeats = repeats(operands.time(kernel, attrs, 1)?).max(fewest);
    let mut samples = Vec::new();
    while samples.len() < 3 || (samples.len() < MAX_ROUNDS && Instant::now() < deadline) {
        samples.push(operands.time(kernel, attrs, repeats)?);
    }
    Ok(percentile(&samples, 0.5).unwrap_or(0))
}
