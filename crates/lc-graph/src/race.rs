//! A fused form and its parts against each other, on data of its own, for the tuning store.
//!
//! The rules are those of the search among kernels (`lc_core::tune::search`): numbers first, then times in turns, inside
//! the policy's budget.

use crate::lower::{Lowered, lower};
use crate::measure::{Random, blank};
use crate::passes::place::place;
use crate::plan::{PlanOptions, call_units, groups};
use crate::program::{Call, Program, ValueId};
use lc_core::plan::Workspace;
use lc_core::tune::search::{alone, now_ms};
use lc_core::tune::verify::{compare, tolerance};
use lc_core::tune::{Candidate, Entry, Key};
use lc_core::{Result, Runtime, TensorMut, TensorRef, TensorSpec};
use std::time::{Duration, Instant};

/// The names of the two forms in the store.
pub const FUSED: &str = "fused";
/// See [`FUSED`].
pub const APART: &str = "apart";

/// A sample lasts at least this long.
const SAMPLE_NS: u128 = 10_000;
/// Rounds after which more of them change nothing.
const MAX_ROUNDS: usize = 101;
/// Samples of either form without which nobody wins.
const ENOUGH: usize = 3;
/// The parts must be this much faster to win: less is noise.
const MARGIN: f64 = 0.03;

/// One form, ready to run.
struct Form {
    lowered: Lowered,
    workspace: Workspace,
    spec: TensorSpec,
    result: Vec<u64>,
    repeats: u32,
    samples: Vec<u64>,
}

impl Form {
    fn new(runtime: &Runtime, program: &Program, options: &PlanOptions) -> Result<Form> {
        let placed = place(runtime, program, options, false)?.calls;
        let order: Vec<_> = program.iter().map(|(id, _)| id).collect();
        let units = call_units(&order, program, &placed);
        let lowered = lower(runtime, program, &placed, &units, &groups(&units, options), options, true)?;
        let workspace = Workspace::new(&lowered.plan)?;
        let spec = program.wanted[0].1.spec;
        let (repeats, samples) = (1, Vec::new());
        Ok(Form { lowered, workspace, spec, result: blank(&spec), repeats, samples })
    }

    /// Runs so many times on feeds by value and gives the time of one run.
    fn run(&mut self, feeds: &[(TensorSpec, Vec<u64>)], options: &PlanOptions, times: u32) -> Result<u128> {
        let view = |(value, _): &(ValueId, bool)| {
            let (spec, words) = &feeds[*value];
            // SAFETY: the words hold the elements of the spec, dense, and outlive the run.
            Some(unsafe { TensorRef::from_raw(words.as_ptr().cast(), *spec, spec.shape.contiguous_strides()) })
        };
        let arguments: Vec<_> = self.lowered.feeds.iter().map(view).collect();
        // SAFETY: the words hold the elements of the spec, and nothing else refers to them meanwhile.
        let mut target = [unsafe { TensorMut::from_raw(self.result.as_mut_ptr().cast(), self.spec) }];
        let start = Instant::now();
        for _ in 0..times {
            self.lowered.plan.run(&self.workspace, &arguments, &mut target, options.policy(None))?;
        }
        Ok(start.elapsed().as_nanos() / u128::from(times.max(1)))
    }

    fn values(&self) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.spec.shape.numel());
        let strides = self.spec.shape.contiguous_strides();
        // SAFETY: as in `run`.
        unsafe { TensorRef::from_raw(self.result.as_ptr().cast(), self.spec, strides) }.for_each(|x| values.push(x));
        values
    }

    fn percentile(&self, share: f64) -> Option<u64> {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last as f64 * share).round() as usize).copied()
    }
}

/// Operations of a call.
fn flops(call: &Call) -> u64 {
    let specs = call.input_specs();
    call.op.check(&call.attrs, &specs).map_or(0, |outputs| (call.op.cost)(&call.attrs, &specs, &outputs).flops)
}

/// Races the parts, first, against the fused form, second, within the policy's `tune_ms`.
///
/// # Errors
/// As [`lower`]; out of memory; a failure of the device.
pub fn race(runtime: &Runtime, options: &PlanOptions, key: &Key, [apart, fused]: [Program; 2]) -> Result<Entry> {
    let policy = options.policy(None);
    let (budget, start) = (Duration::from_millis(policy.tune_ms().into()), Instant::now());
    let deadline = start + budget;
    // Plans first: kernels may be measured for them, which waits for the same lock.
    let mut forms = [Form::new(runtime, &fused, options)?, Form::new(runtime, &apart, options)?];
    let _alone = alone();
    // Both read the same values by the same numbers.
    let mut random = Random::default();
    let feeds: Vec<_> = apart
        .values
        .iter()
        .map(|value| match (value.fed, &value.constant) {
            (Some(_), None) => (value.spec, random.elements(&value.spec)),
            _ => (value.spec, Vec::new()),
        })
        .collect();
    for form in &mut forms {
        // All bits set is a NaN in every type: a form that writes nothing does not pass.
        form.result.fill(u64::MAX);
        form.run(&feeds, options, 1)?;
    }
    let work: u64 = apart.iter().map(|(_, call)| flops(call)).sum();
    let depth = work as f64 / forms[0].spec.shape.numel().max(1) as f64;
    let dtype = forms[0].spec.dtype;
    // Either form may be off by as much.
    let allowed = 2.0 * tolerance(dtype, policy.math(), depth);
    let verdict = compare(&[forms[0].values()], &[forms[1].values()], allowed);
    if verdict.ok {
        for form in &mut forms {
            let ns = form.run(&feeds, options, 1)?;
            form.repeats = (SAMPLE_NS / ns.max(1)).clamp(1, 1000) as u32;
        }
        'rounds: for round in 0..MAX_ROUNDS {
            for turn in 0..2 {
                let which = (round + turn) % 2;
                if Instant::now() >= deadline {
                    break 'rounds;
                }
                let repeats = forms[which].repeats;
                let ns = forms[which].run(&feeds, options, repeats)?;
                forms[which].samples.push(ns.max(1) as u64);
            }
        }
    }
    let [fused, apart] = &forms;
    let medians = (fused.percentile(0.5), apart.percentile(0.5));
    let enough = forms.iter().all(|form| form.samples.len() >= ENOUGH);
    let apart_wins = matches!(medians, (Some(f), Some(a)) if (a as f64) < (1.0 - MARGIN) * f as f64);
    let why = |this: Option<u64>, other: Option<u64>, wins: bool| match (this, other) {
        _ if !verdict.ok => {
            format!("numbers differ: max error {:.2e} against the parts, {allowed:.2e} allowed", verdict.error)
        }
        _ if !enough => "over budget".to_owned(),
        _ if wins => "fastest".to_owned(),
        (Some(this), Some(other)) if this <= other => "faster, but by less than the margin of 3 %".to_owned(),
        (Some(this), Some(other)) => format!("slower by {:.2}x", this as f64 / other as f64),
        _ => String::new(),
    };
    let candidate = |name: &str, form: &Form, rejected: bool, won: bool, why: String| Candidate {
        kernel: name.into(),
        median_ns: form.percentile(0.5),
        p10_ns: form.percentile(0.1),
        p90_ns: form.percentile(0.9),
        samples: form.samples.len() as u32,
        max_error: Some(verdict.error).filter(|error| error.is_finite()),
        rejected,
        won,
        why,
    };
    let (fused_wins, apart_wins) = (verdict.ok && enough && !apart_wins, verdict.ok && enough && apart_wins);
    let candidates = vec![
        candidate(FUSED, fused, !verdict.ok, fused_wins, why(medians.0, medians.1, fused_wins)),
        candidate(APART, apart, false, apart_wins, why(medians.1, medians.0, apart_wins)),
    ];
    let samples = forms.iter().map(|form| form.samples.len() as u64).sum();
    Ok(Entry { key: key.clone(), measured: now_ms(), samples, budget_ms: budget.as_millis() as u64, candidates })
}
