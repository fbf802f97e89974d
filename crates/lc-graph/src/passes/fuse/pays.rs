//! Whether a fusion pays.
//!
//! While nothing was measured every fusion is taken: it saves launches and passes over memory. What was measured decides
//! otherwise where it must: first a race of the two forms, kept in the tuning store; else the fitted costs of their calls,
//! where the difference is more than the fits are wrong by. With [`TuneMode::On`] a race that is missing is run.

use super::{Place, Rule, fuse};
use crate::plan::PlanOptions;
use crate::program::{Call, CallId, Operand, Program, Value, ValueId};
use crate::race::{self, APART, FUSED};
use lc_core::policy::TuneMode;
use lc_core::runtime::forget_plans;
use lc_core::tune::{CostModel, DeviceId, Entry, Estimate, Key, Record, Source, bucket, warn_once};
use lc_core::{DType, Runtime};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// What is known of the times of both forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Unknown,
    /// The fused form is no slower; both times, in words.
    Pays(String),
    /// The fused form is slower or wrong; why, in words.
    Loses(String),
}

/// What decides about the fusions of one plan.
pub struct Judge<'a> {
    runtime: &'a Runtime,
    options: &'a PlanOptions,
    off: &'a [&'static str],
    place: Place<'a>,
    mode: TuneMode,
    /// `None` while it has measured nothing.
    model: Option<Arc<CostModel>>,
    /// Verdicts of this plan: rules are tried again and again.
    known: RefCell<HashMap<Key, Verdict>>,
}

impl<'a> Judge<'a> {
    /// A judge for plans with these options and without these rules.
    pub fn new(runtime: &'a Runtime, options: &'a PlanOptions, off: &'a [&'static str], place: Place<'a>) -> Judge<'a> {
        let mode = options.policy(None).tune();
        let model = (mode != TuneMode::Off).then(|| runtime.cost_model()).filter(|model| !model.is_empty());
        Judge { runtime, options, off, place, mode, model, known: RefCell::default() }
    }

    /// What is known of a rule's fusion of the calls `parts` of a program into `fused`.
    pub fn judge(&self, rule: &Rule, program: &Program, parts: &[CallId], fused: &Call) -> Verdict {
        let nothing = self.model.is_none() && self.runtime.store().is_empty();
        if self.mode == TuneMode::Off || (nothing && self.mode != TuneMode::On) {
            return Verdict::Unknown;
        }
        let Some(on) = self.device(fused) else { return Verdict::Unknown };
        let key = self.key(on, rule, program, parts, fused);
        if let Some(verdict) = self.known.borrow().get(&key) {
            return verdict.clone();
        }
        let verdict = self.look_up(&key, rule, program, parts, fused);
        self.known.borrow_mut().insert(key, verdict.clone());
        verdict
    }

    fn device(&self, call: &Call) -> Option<DeviceId> {
        let kind = (self.place)(call)?;
        let backends = self.runtime.backends();
        backends.iter().find(|backend| backend.descriptor().kind == kind).map(|backend| DeviceId::of(&**backend))
    }

    /// The op of the key is the rule; the bucket has the fused call, which of its operands are constants, and the parts.
    fn key(&self, on: DeviceId, rule: &Rule, program: &Program, parts: &[CallId], fused: &Call) -> Key {
        let describe =
            |call: &Call| format!("{} {}", call.op.name, bucket(call.op.attrs, &call.attrs, &call.input_specs()));
        let mut text = describe(fused);
        for (index, operand) in fused.inputs.iter().enumerate() {
            if operand.is_some_and(|operand| program.values[operand.value].constant.is_some()) {
                let _ = write!(text, ";constant={index}");
            }
        }
        for (i, part) in parts.iter().filter_map(|id| program.calls[*id].as_ref()).enumerate() {
            let _ = write!(text, "{}{}", if i == 0 { " of " } else { " + " }, describe(part));
        }
        let dtype = fused.input(0).map_or(DType::F32, |operand| operand.spec.dtype);
        let math = self.options.policy(None).math();
        Key {
            on,
            op: format!("fuse.{}", rule.name),
            bucket: text,
            dtype: dtype.name().into(),
            math: math.name().into(),
        }
    }

    fn look_up(&self, key: &Key, rule: &Rule, program: &Program, parts: &[CallId], fused: &Call) -> Verdict {
        let store = self.runtime.store();
        let wrong = || Verdict::Loses("its numbers were measured to be wrong on this device".into());
        if store.is_rejected(key, FUSED) {
            return wrong();
        }
        let mut entry = store.choice(key);
        let two = || self.two_forms(rule, program, parts, fused);
        if entry.is_none() && self.mode == TuneMode::On {
            // What cannot be measured is decided as if nobody had asked.
            entry = two().and_then(|forms| race::race(self.runtime, self.options, key, forms).ok());
            if let Some(entry) = &entry {
                if let Err(error) = store.put([Record::Choice(entry.clone())]) {
                    warn_once(|| format!("{error}; what is tuned is lost when the process ends"));
                }
                forget_plans();
            }
        }
        if entry.as_ref().is_some_and(|entry| entry.candidates.iter().any(|c| c.kernel == FUSED && c.rejected)) {
            return wrong();
        }
        match entry.as_ref().and_then(raced) {
            Some(verdict) => verdict,
            None if self.model.is_none() => Verdict::Unknown,
            None => two().map_or(Verdict::Unknown, |[apart, fused]| self.predicted(&apart, &fused)),
        }
    }

    /// The calls as a program of their own, with every other rule applied, and the fused call as another on the same
    /// values.
    fn two_forms(&self, rule: &Rule, program: &Program, parts: &[CallId], fused: &Call) -> Option<[Program; 2]> {
        let parts: Vec<&Call> = parts.iter().filter_map(|id| program.calls[*id].as_ref()).collect();
        let [mut apart, fused] = extract(program, &parts, fused)?;
        let mut without = self.off.to_vec();
        without.push(rule.name);
        fuse(&mut apart, &without, self.place, &|_, _, _, _| Verdict::Unknown);
        Some([apart, fused])
    }

    /// By the fitted costs of both forms' calls, if all of them were measured.
    fn predicted(&self, apart: &Program, fused: &Program) -> Verdict {
        let (Some(apart), Some(fused)) = (self.estimate(apart), self.estimate(fused)) else { return Verdict::Unknown };
        let text = format!(
            "predicted {:.2} us fused, {:.2} us apart, from fits with errors of {:.0} and {:.0} %",
            fused.ns / 1e3,
            apart.ns / 1e3,
            100.0 * fused.error,
            100.0 * apart.error
        );
        if fused.ns * (1.0 - fused.error) > apart.ns * (1.0 + apart.error) {
            Verdict::Loses(text)
        } else {
            Verdict::Pays(text)
        }
    }

    fn estimate(&self, program: &Program) -> Option<Estimate> {
        let model = self.model.as_ref()?;
        let mut sum = Estimate { ns: 0.0, error: 0.0, source: Source::Measured };
        for (_, call) in program.iter() {
            let specs = call.input_specs();
            let outputs = call.op.check(&call.attrs, &specs).ok()?;
            let cost = (call.op.cost)(&call.attrs, &specs, &outputs);
            sum = sum.then(model.estimate((self.place)(call)?, call.op.name, &cost)?);
        }
        // Fits are of float32.
        let dtype = program.wanted.first()?.1.spec.dtype;
        (sum.source == Source::Measured && dtype == DType::F32).then_some(sum)
    }
}

/// What a kept race says; `None` if it came to no end.
fn raced(entry: &Entry) -> Option<Verdict> {
    let candidate = |name: &str| entry.candidates.iter().find(|candidate| candidate.kernel == name);
    let (fused, apart) = (candidate(FUSED)?, candidate(APART)?);
    let us = |ns: Option<u64>| ns.map_or("-".to_owned(), |ns| format!("{:.2} us", ns as f64 / 1e3));
    let text = format!("measured {} fused, {} apart", us(fused.median_ns), us(apart.median_ns));
    match entry.winner()? {
        FUSED => Some(Verdict::Pays(text)),
        APART => Some(Verdict::Loses(text)),
        _ => None,
    }
}

/// Calls of a program as a program of their own, and another with the fused call alone. What they read and do not write is
/// fed, or a constant; what the last one writes is wanted.
fn extract(program: &Program, parts: &[&Call], fused: &Call) -> Option<[Program; 2]> {
    let mut values: Vec<Value> = Vec::new();
    let mut numbers: HashMap<ValueId, ValueId> = HashMap::new();
    let mut own = |call: &Call| {
        let mut number = |value: ValueId, written: bool| {
            *numbers.entry(value).or_insert_with(|| {
                let Value { spec, constant, .. } = program.values[value].clone();
                values.push(Value { spec, constant, fed: (!written).then_some(values.len()) });
                values.len() - 1
            })
        };
        let outputs = call.outputs.iter().map(|value| number(*value, true)).collect();
        let read = |operand: &Option<Operand>| operand.map(|o| Operand { value: number(o.value, false), ..o });
        let inputs = call.inputs.iter().map(read).collect();
        Some(Call { inputs, outputs, after: Vec::new(), ..call.clone() })
    };
    let apart: Vec<Option<Call>> = parts.iter().map(|call| own(call)).collect();
    let fused = vec![own(fused)];
    let last = *apart.last()?.as_ref()?.outputs.first()?;
    let wanted = vec![(last, Operand::whole(last, values[last].spec))];
    Some([apart, fused].map(|calls| Program { values: values.clone(), calls, wanted: wanted.clone() }))
}
