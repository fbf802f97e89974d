//! Several calls as one: a rule a file.
//!
//! A rule looks at one call as the last of its pattern. It may take calls away whose results nobody else reads, wants or
//! waits for; the fused call stands where the last one stood, so every other need is met as before. Where a precondition
//! fails, the rule says why and the calls stay as they are.

mod attention;
mod conv_attention;
mod conv_epilogue;
mod elementwise_chain;
mod ffn;
mod layer_norm_projection;
mod matmul_epilogue;
pub mod pays;

use crate::ir::NodeId;
use crate::program::{Call, CallId, Operand, Program};
use lc_core::shape::MAX_RANK;
use lc_core::{Activation, AttrValue, Attrs, DeviceKind, OpDef, Shape, Strides, TensorSpec};
use pays::Verdict;
use std::borrow::Cow;

/// What became of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call is not the end of the rule's pattern.
    NoMatch,
    /// It is, but a precondition fails.
    Refused(Cow<'static, str>),
    /// The calls are one now.
    Fused {
        /// What is known of the times of both forms.
        times: Option<String>,
    },
}

/// Lets rules leave with `?` where a precondition fails.
type Checked = Result<Outcome, &'static str>;

/// A fusion rule.
pub struct Rule {
    /// Name, as reports and [`Passes::without`](crate::Passes::without) have it.
    pub name: &'static str,
    /// Tries to fuse the pattern that ends in a call.
    apply: fn(&mut Fusion<'_>, CallId) -> Checked,
}

/// Every rule, in the order of trying.
pub const RULES: &[Rule] = &[
    // Before the epilogues, which would take a mask for a bias.
    Rule { name: "attention", apply: attention::apply },
    Rule { name: "matmul_epilogue", apply: matmul_epilogue::apply },
    Rule { name: "conv_epilogue", apply: conv_epilogue::apply },
    Rule { name: "conv_attention", apply: conv_attention::apply },
    Rule { name: "layer_norm_projection", apply: layer_norm_projection::apply },
    Rule { name: "ffn", apply: ffn::apply },
    // Last: what the others can store with their results needs no pass of its own.
    Rule { name: "elementwise_chain", apply: elementwise_chain::apply },
];

/// One attempt that found a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The rule.
    pub rule: &'static str,
    /// The nodes of the pattern.
    pub nodes: Vec<NodeId>,
    /// Why it was left as it was; `None` if it was fused.
    pub refused: Option<Cow<'static, str>>,
    /// What is known of the times of both forms, if it was fused.
    pub times: Option<String>,
}

/// Where a call would run; `None` if nowhere.
pub type Place<'a> = &'a dyn Fn(&Call) -> Option<DeviceKind>;

/// Whether a fusion pays: of a rule, for a program, whose calls of these numbers would become this one.
pub type Judge<'a> = &'a dyn Fn(&Rule, &Program, &[CallId], &Call) -> Verdict;

/// A program under fusion.
struct Fusion<'a> {
    program: &'a mut Program,
    place: Place<'a>,
    judge: Judge<'a>,
    /// The rule that is tried.
    rule: &'static Rule,
    writers: Vec<Option<CallId>>,
    uses: Vec<(usize, bool)>,
    /// Calls that others wait for by control dependencies.
    awaited: Vec<bool>,
    /// Nodes of the pattern that is looked at.
    nodes: Vec<NodeId>,
}

impl Fusion<'_> {
    fn new<'a>(program: &'a mut Program, place: Place<'a>, judge: Judge<'a>) -> Fusion<'a> {
        let (writers, uses, awaited, nodes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let rule = &RULES[0];
        let mut fusion = Fusion { program, place, judge, rule, writers, uses, awaited, nodes };
        fusion.look_up();
        fusion
    }

    fn look_up(&mut self) {
        (self.writers, self.uses) = (self.program.writers(), self.program.uses());
        self.awaited = vec![false; self.program.calls.len()];
        for (_, call) in self.program.iter() {
            for before in &call.after {
                self.awaited[*before] = true;
            }
        }
    }

    /// A copy of a call, if it is one of these ops.
    fn call(&self, id: CallId, ops: &[&'static OpDef]) -> Option<Call> {
        self.program.calls[id].clone().filter(|call| ops.contains(&call.op))
    }

    /// The call of one of these ops whose only result an operand reads as it is: whole, and under its own extents.
    fn producer(&mut self, operand: Option<&Operand>, ops: &[&'static OpDef]) -> Option<(CallId, Call)> {
        let operand = operand?;
        let whole = Operand::whole(operand.value, self.program.values[operand.value].spec);
        if *operand != whole {
            return None;
        }
        self.writer(operand, ops)
    }

    /// The call of one of these ops whose only result an operand reads, in whatever way.
    fn writer(&mut self, operand: &Operand, ops: &[&'static OpDef]) -> Option<(CallId, Call)> {
        let id = self.writers[operand.value]?;
        let call = self.call(id, ops).filter(|call| call.outputs.len() == 1)?;
        self.nodes.extend(&call.nodes);
        Some((id, call))
    }

    /// The value of an operand that is one number, known before a run.
    fn scalar(&self, operand: &Operand) -> Option<f64> {
        let constant = self.program.values[operand.value].constant.as_ref()?;
        if operand.spec.shape.numel() != 1 {
            return None;
        }
        constant.element(operand.offset)
    }

    /// Whether `id` can go into the later call `into`, whose pattern reads its result so many times: nobody else reads it
    /// or wants it, no control dependency touches it, and both ask for the same device.
    fn absorbable(&self, id: CallId, reads: usize, into: CallId) -> Result<(), &'static str> {
        let (Some(call), Some(target)) = (&self.program.calls[id], &self.program.calls[into]) else {
            return Err("the call is gone");
        };
        match self.uses[call.outputs[0]] {
            (_, true) => return Err("an intermediate result is wanted"),
            (count, _) if count != reads => return Err("an intermediate result is read elsewhere, too"),
            _ => {}
        }
        if self.awaited[id] || !call.after.is_empty() {
            return Err("a control dependency holds the calls apart");
        }
        if call.device != target.device {
            return Err("the calls ask for different devices");
        }
        Ok(())
    }

    /// Puts one call in the place of the pattern's last, if the op's rule takes it and makes of it what the last call made.
    fn replace(
        &mut self,
        last: CallId,
        absorbed: &[CallId],
        op: &'static OpDef,
        attrs: Attrs,
        inputs: Vec<Option<Operand>>,
    ) -> Checked {
        let Some(old) = self.program.calls[last].clone() else { return Ok(Outcome::NoMatch) };
        let fused = Call { op, attrs, inputs, ..old.clone() };
        let made = op.check(&attrs, &fused.input_specs()).map_err(|_| "the fused op does not take these shapes")?;
        let same = made.len() == 1 && *made.first() == self.program.values[fused.outputs[0]].spec;
        if !same {
            return Err("the fused op makes another shape");
        }
        if (self.place)(&fused) != (self.place)(&old) {
            return Err("the device of these calls has no kernel for the fused op");
        }
        let mut parts = absorbed.to_vec();
        parts.push(last);
        parts.sort_unstable();
        let times = match (self.judge)(self.rule, self.program, &parts, &fused) {
            Verdict::Loses(why) => return Ok(Outcome::Refused(why.into())),
            Verdict::Pays(times) => Some(times),
            Verdict::Unknown => None,
        };
        let mut nodes = fused.nodes.clone();
        for id in absorbed {
            nodes.extend(self.program.calls[*id].take().map(|call| call.nodes).unwrap_or_default());
        }
        nodes.sort_unstable();
        self.nodes.clone_from(&nodes);
        self.program.calls[last] = Some(Call { nodes, ..fused });
        self.look_up();
        Ok(Outcome::Fused { times })
    }
}

/// Whether a call ends in an activation of its own.
fn has_activation(call: &Call) -> bool {
    let none = AttrValue::Choice(Activation::Identity as u8);
    call.attrs.entries(call.op.attrs).any(|(name, value)| name == "activation" && value != none)
}

/// The attributes of a call with another activation.
fn with_activation(call: &Call, activation: Activation) -> Result<Attrs, &'static str> {
    let value = AttrValue::Choice(activation as u8);
    call.attrs.with(call.op.name, call.op.attrs, "activation", value).map_err(|_| "the op takes no activation")
}

/// The same elements with the last two dimensions exchanged.
fn swapped(operand: &Operand) -> Option<Operand> {
    let rank = operand.spec.shape.rank();
    if rank < 2 {
        return None;
    }
    let (mut dims, mut steps) = ([0; MAX_RANK], [0; MAX_RANK]);
    dims[..rank].copy_from_slice(operand.spec.shape.dims());
    steps[..rank].copy_from_slice(operand.strides.steps());
    dims.swap(rank - 2, rank - 1);
    steps.swap(rank - 2, rank - 1);
    let spec = TensorSpec::new(operand.spec.dtype, Shape::new(&dims[..rank]).ok()?);
    Some(Operand { spec, strides: Strides::new(&steps[..rank]).ok()?, ..*operand })
}

/// A product as a linear layer: its input, its weight `[out, in]`, its bias. `None` if it is batched over its right operand
/// or adds a residual.
fn as_linear(call: &Call) -> Option<(Operand, Operand, Option<Operand>)> {
    let (x, weight) = (*call.input(0)?, *call.input(1)?);
    if call.op == &lc_ops::LINEAR {
        return Some((x, weight, call.input(2).copied()));
    }
    let plain = call.op == &lc_ops::MATMUL && weight.spec.shape.rank() == 2 && call.input(3).is_none();
    if !plain {
        return None;
    }
    Some((x, swapped(&weight)?, call.input(2).copied()))
}

/// Applies the rules until none fits, and says what became of each pattern that was found.
/// A rule fuses only calls that `place` puts where it puts the fused one, and only where `judge` does not know better.
pub fn fuse(program: &mut Program, off: &[&'static str], place: Place<'_>, judge: Judge<'_>) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut fusion = Fusion::new(program, place, judge);
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for rule in RULES.iter().filter(|rule| !off.contains(&rule.name)) {
            for id in 0..fusion.program.calls.len() {
                let Some(call) = &fusion.program.calls[id] else { continue };
                fusion.nodes = call.nodes.clone();
                fusion.rule = rule;
                let outcome = (rule.apply)(&mut fusion, id).unwrap_or_else(|why| Outcome::Refused(why.into()));
                let mut nodes = std::mem::take(&mut fusion.nodes);
                nodes.sort_unstable();
                nodes.dedup();
                let (refused, times) = match outcome {
                    Outcome::NoMatch => continue,
                    Outcome::Refused(why) => (Some(why), None),
                    Outcome::Fused { times } => {
                        changed = true;
                        (None, times)
                    }
                };
                let attempt = Attempt { rule: rule.name, nodes, refused, times };
                if !attempts.contains(&attempt) {
                    attempts.push(attempt);
                }
            }
        }
    }
    // What was refused at first and fused later, as more calls became one, is no refusal.
    let fused: Vec<Vec<NodeId>> = attempts.iter().filter(|a| a.refused.is_none()).map(|a| a.nodes.clone()).collect();
    attempts.retain(|a| a.refused.is_none() || !fused.iter().any(|f| a.nodes.iter().all(|node| f.contains(node))));
    attempts
}
