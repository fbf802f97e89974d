//! Several calls as one: a rule a file.
//!
//! A rule looks at one call as the last of its pattern. It may take calls away whose results nobody else reads, wants or
//! waits for; the fused call stands where the last one stood, so every other need is met as before. Where a precondition
//! fails, the rule says why and the calls stay as they are.

use crate::program::{CallId, Operand, Program, ValueId};
use lc_core::OpDef;

/// What became of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call is not the end of the rule's pattern.
    NoMatch,
    /// It is, but a precondition fails.
    Refused(&'static str),
    /// The calls are one now.
    Fused,
}

/// A fusion rule.
pub struct Rule {
    /// Name, as reports and [`Passes::without`](crate::Passes::without) have it.
    pub name: &'static str,
    /// Tries to fuse the pattern that ends in a call.
    pub apply: fn(&mut Fusion<'_>, CallId) -> Outcome,
}

/// Every rule, in the order of trying.
pub const RULES: &[Rule] = &[];

/// One attempt that found a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The rule.
    pub rule: &'static str,
    /// The nodes of the pattern.
    pub nodes: Vec<usize>,
    /// Why it was left as it was; `None` if it was fused.
    pub refused: Option<&'static str>,
}

/// A program under fusion.
pub struct Fusion<'a> {
    /// The program.
    pub program: &'a mut Program,
    writers: Vec<Option<CallId>>,
    uses: Vec<(usize, bool)>,
    /// Calls that others wait for by control dependencies.
    awaited: Vec<bool>,
    /// Calls of the pattern that is looked at.
    looked_at: Vec<CallId>,
}

impl Fusion<'_> {
    fn new(program: &mut Program) -> Fusion<'_> {
        let (writers, uses) = (program.writers(), program.uses());
        let mut awaited = vec![false; program.calls.len()];
        for (_, call) in program.iter() {
            for before in &call.after {
                awaited[*before] = true;
            }
        }
        Fusion { program, writers, uses, awaited, looked_at: Vec::new() }
    }

    /// The call that writes what an operand reads, if it is a call of `op`.
    pub fn writer(&mut self, operand: &Operand, op: &'static OpDef) -> Option<CallId> {
        let id = self.writers[operand.value]?;
        let call = self.program.calls[id].as_ref()?;
        if call.op != op {
            return None;
        }
        self.looked_at.push(id);
        Some(id)
    }

    /// Whether a call can go into a later one: one reader, not wanted, no control dependency, the same device asked for.
    pub fn absorbable(&self, id: CallId, into: CallId) -> Result<(), &'static str> {
        let (Some(call), Some(target)) = (&self.program.calls[id], &self.program.calls[into]) else {
            return Err("the call is gone");
        };
        if call.outputs.len() != 1 {
            return Err("it has several results");
        }
        match self.uses[call.outputs[0]] {
            (_, true) => return Err("its result is wanted"),
            (1, _) => {}
            _ => return Err("its result is read more than once"),
        }
        if self.awaited[id] || !call.after.is_empty() {
            return Err("a control dependency holds it apart");
        }
        if call.device != target.device {
            return Err("it asks for another device");
        }
        Ok(())
    }

    /// The spec of a value, as its writer has it.
    pub fn value(&self, value: ValueId) -> lc_core::TensorSpec {
        self.program.values[value].spec
    }
}

/// Applies the rules until none fits, and says what each attempt came to.
pub fn fuse(program: &mut Program, off: &[&'static str]) -> Vec<Attempt> {
    let _ = (program, off);
    Vec::new()
}
