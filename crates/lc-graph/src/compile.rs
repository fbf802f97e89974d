//! A graph, planned for the devices of a runtime.

use crate::ir::{Graph, Layout, NodeId, TensorId};
use crate::lower::{Lowered, lower};
use crate::memory::Memory;
use crate::passes::Passes;
use crate::passes::canonicalise::canonicalise;
use crate::passes::fuse::pays::Judge;
use crate::passes::fuse::{self, Attempt};
use crate::passes::place::{Placed, Weighed, place};
use crate::passes::schedule::schedule;
use crate::plan::{Group, PlanOptions, Unit, groups, units};
use crate::program::{Call, Operand, Program};
use crate::validate::validate;
use lc_core::backend::gather;
use lc_core::plan::{Plan, PlanReceipt, Step, Workspace};
use lc_core::policy::Fallback;
use lc_core::tune::{CostModel, Estimate};
use lc_core::{
    DeviceKind, EffectivePolicy, Error, Policy, ResolvedCall, Result, Runtime, TensorMut, TensorRef, TensorSpec,
};
use std::sync::{Arc, Mutex};

/// Where a wanted tensor is after a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// In that feed, read so.
    Feed(TensorId, Operand),
    /// In that result of the plan, read so.
    Output(usize, Operand),
}

/// A fed tensor of a plan.
#[derive(Clone, Debug)]
pub struct Feed {
    /// Its number in the graph.
    pub tensor: TensorId,
    /// Type and extents.
    pub spec: TensorSpec,
    /// For messages.
    pub label: String,
    /// Whether a strided feed is gathered into a dense copy first.
    dense: bool,
}

/// A graph with every choice made, ready to run any number of times, from any number of threads.
#[derive(Debug)]
pub struct Compiled {
    plan: Plan,
    feeds: Vec<Feed>,
    outputs: Vec<TensorSpec>,
    wanted: Vec<(TensorId, Source)>,
    units: Vec<Unit>,
    groups: Vec<Group>,
    program: Program,
    placed: Vec<Option<Arc<ResolvedCall>>>,
    attempts: Vec<Attempt>,
    dead: usize,
    /// Launches before fusion, and the bytes that they would move.
    unfused: (usize, u64),
    labels: Vec<String>,
    edges: Vec<(NodeId, NodeId)>,
    memory: Memory,
    packed: (usize, usize),
    intermediates: usize,
    policy: EffectivePolicy,
    predicted: Predicted,
    weighed: Option<Weighed>,
    /// Memory of runs that are over.
    idle: Mutex<Vec<Workspace>>,
}

/// What the cost model said of a plan when it was made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predicted {
    /// Each launch, in order; `None` on a device that computes nothing.
    pub launches: Vec<Option<Estimate>>,
    /// All copies between the host and devices; `None` if there are none.
    pub copies: Option<Estimate>,
}

impl Predicted {
    fn of(plan: &Plan, model: &CostModel) -> Predicted {
        let mut predicted = Predicted::default();
        let device = |slot: usize| match plan.slots[slot].place {
            lc_core::plan::Place::Arena { device, .. } => Some(plan.devices[device].backend.descriptor().kind),
            _ => None,
        };
        let bytes = |slot: usize| plan.slots[slot].spec.bytes() as u64;
        for step in &plan.steps {
            let copy = match step {
                Step::Launch { call, .. } => {
                    let kind = call.receipt().selected;
                    predicted.launches.push(model.estimate(kind, call.op.name, &call.cost));
                    None
                }
                Step::Upload { to, .. } => device(*to).and_then(|kind| model.copies(kind, bytes(*to), 0)),
                Step::Download { from, .. } => device(*from).and_then(|kind| model.copies(kind, 0, bytes(*from))),
                _ => None,
            };
            predicted.copies = match (predicted.copies, copy) {
                (Some(sum), Some(next)) => Some(sum.then(next)),
                (sum, next) => sum.or(next),
            };
        }
        predicted
    }

    /// Everything, one after the other; `None` if a launch has no prediction.
    pub fn total(&self) -> Option<Estimate> {
        let mut parts = self.launches.iter().copied().chain(self.copies.map(Some));
        let first = parts.next()??;
        parts.try_fold(first, |sum, next| Some(sum.then(next?)))
    }
}

/// Memory of finished runs that is kept for later ones: as many as may run at once without allocating.
const MAX_IDLE: usize = 4;

/// Plans a graph. `wanted` are the tensors that a run gives back; `None` means every tensor that a node makes.
///
/// # Errors
/// The first issue of [`validate`]; a view that no strides can express; no kernel anywhere, or only on devices that the
/// policy forbids.
pub fn compile(
    graph: &Graph,
    runtime: &Runtime,
    wanted: Option<&[TensorId]>,
    options: &PlanOptions,
    passes: &Passes,
) -> Result<Compiled> {
    validate(graph, runtime).into_result()?;
    let all: Vec<TensorId>;
    let wanted = match wanted {
        Some(wanted) => wanted,
        None => {
            let producers = graph.producers();
            all = (0..producers.len()).filter(|id| producers[*id].is_some()).collect();
            &all
        }
    };
    let mut program = canonicalise(graph, wanted)?;
    let dead = if passes.canonicalise { program.remove_dead() } else { 0 };
    let unfused = program.iter().fold((0, 0u64), |(calls, bytes), (_, call)| {
        let specs = call.input_specs();
        let moved = call.op.check(&call.attrs, &specs).map_or(0, |outputs| {
            let cost = (call.op.cost)(&call.attrs, &specs, &outputs);
            cost.bytes_read.saturating_add(cost.bytes_written)
        });
        (calls + 1, bytes.saturating_add(moved))
    });
    let intermediates = intermediates(&program);
    let attempts = match passes.fuse {
        true => {
            let place = |call: &Call| would_run_on(runtime, call, options);
            let judge = Judge::new(runtime, options, &passes.rules_off, &place);
            fuse::fuse(&mut program, &passes.rules_off, &place, &|rule, program, parts, fused| {
                judge.judge(rule, program, parts, fused)
            })
        }
        false => Vec::new(),
    };
    let Placed { calls: placed, weighed } = place(runtime, &program, options, passes.place)?;
    let order = schedule(&program, &placed, passes.schedule);
    let units = units(graph, &order, &program, &placed);
    let groups = groups(&units, options);
    let Lowered { plan, feeds, outputs, memory, packed } =
        lower(runtime, &program, &placed, &units, &groups, options, passes.lower)?;
    let feeds = feeds
        .into_iter()
        .filter_map(|(value, parts)| {
            let tensor = program.values[value].fed?;
            let dense = parts || graph.tensors[tensor].layout == Layout::Contiguous;
            Some(Feed { tensor, spec: program.values[value].spec, label: graph.tensor_label(tensor), dense })
        })
        .collect();
    let source = |(tensor, operand): &(TensorId, Operand)| {
        let source = match program.values[operand.value].fed {
            Some(fed) => Source::Feed(fed, *operand),
            None => Source::Output(outputs.iter().position(|v| *v == operand.value).unwrap_or(0), *operand),
        };
        (*tensor, source)
    };
    Ok(Compiled {
        predicted: Predicted::of(&plan, &runtime.cost_model()),
        weighed,
        plan,
        feeds,
        wanted: program.wanted.iter().map(source).collect(),
        outputs: outputs.iter().map(|value| program.values[*value].spec).collect(),
        units,
        groups,
        program,
        placed,
        attempts,
        dead,
        unfused,
        labels: (0..graph.nodes.len()).map(|id| graph.node_label(id)).collect(),
        edges: edges(graph),
        memory,
        packed,
        intermediates,
        policy: options.policy(None),
        idle: Mutex::new(Vec::new()),
    })
}

/// The pairs of nodes of which the second reads what the first makes.
fn edges(graph: &Graph) -> Vec<(NodeId, NodeId)> {
    let producers = graph.producers();
    let mut edges = Vec::new();
    for (id, node) in graph.nodes.iter().enumerate() {
        for from in node.inputs.iter().flatten().filter_map(|tensor| producers[*tensor]) {
            if !edges.contains(&(from, id)) {
                edges.push((from, id));
            }
        }
    }
    edges
}

/// How many results of calls only other calls read.
fn intermediates(program: &Program) -> usize {
    let wanted = |value| program.wanted.iter().any(|(_, operand)| operand.value == value);
    program.iter().flat_map(|(_, call)| &call.outputs).filter(|value| !wanted(**value)).count()
}

/// The device that a call would get. It may fall back without a warning: nothing runs yet.
fn would_run_on(runtime: &Runtime, call: &Call, options: &PlanOptions) -> Option<DeviceKind> {
    let allow = Policy { fallback: Some(Fallback::Allow), ..Policy::default() };
    let options = PlanOptions { level: allow.pack().over(options.level), ..*options };
    let resolved = runtime.resolve(call.op, &call.attrs, &call.input_specs(), options.policy(call.device));
    resolved.ok().map(|resolved| resolved.receipt().selected)
}

impl Compiled {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the cost model says of it.
    pub fn predicted(&self) -> &Predicted {
        &self.predicted
    }

    /// What moving calls between a device and the processor would bring, if the model can tell.
    pub fn weighed(&self) -> Option<&Weighed> {
        self.weighed.as_ref()
    }

    /// What it runs under.
    pub fn policy(&self) -> EffectivePolicy {
        self.policy
    }

    /// The tensors that a run reads, in the order of its arguments.
    pub fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// Type and extents of the results of a run, in order.
    pub fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    /// The wanted tensors, and where each is after a run.
    pub fn wanted(&self) -> &[(TensorId, Source)] {
        &self.wanted
    }

    /// What runs, in order.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Units between boundaries.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The calls.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Device and kernel of each call.
    pub fn placed(&self) -> &[Option<Arc<ResolvedCall>>] {
        &self.placed
    }

    /// Every pattern that a fusion rule found, and what came of it.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Calls that were taken out because nothing wanted needs them.
    pub fn dead_calls(&self) -> usize {
        self.dead
    }

    /// How many launches there were before fusion, and the bytes that they would read and write at least once.
    pub fn unfused(&self) -> (usize, u64) {
        self.unfused
    }

    /// The graph's nodes, for reports.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The pairs of the graph's nodes of which the second reads what the first makes, in the order of the second.
    pub fn edges(&self) -> &[(NodeId, NodeId)] {
        &self.edges
    }

    /// What the plan's own memory takes.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Constants that the plan holds in the form of their kernels, packed once: how many, and their bytes.
    pub fn packed(&self) -> (usize, usize) {
        self.packed
    }

    /// Results that only other calls read, before fusion. Call by call each would go back to the caller and come in again;
    /// a plan keeps what is left of them in its own memory.
    pub fn round_trips_saved(&self) -> usize {
        self.intermediates
    }

    /// Runs the plan: `feeds` in the order of [`Compiled::feeds`], results in the order of [`Compiled::outputs`].
    ///
    /// # Errors
    /// Feeds or results of other number, type or extents, results that overlap; a failure of a device.
    pub fn run(&self, feeds: &[TensorRef<'_>], outputs: &mut [TensorMut<'_>]) -> Result<PlanReceipt> {
        if feeds.len() != self.feeds.len() {
            let expected = format!("{} tensors", self.feeds.len());
            return Err(Error::invalid("graph", "feeds", expected, format!("{}", feeds.len())));
        }
        let mut copies: Vec<Vec<u64>> = Vec::new();
        let mut arguments = Vec::with_capacity(feeds.len());
        for (feed, tensor) in self.feeds.iter().zip(feeds) {
            if *tensor.spec() != feed.spec {
                let text = |spec: &TensorSpec| format!("{} {}", spec.dtype, spec.shape);
                let expected = text(&feed.spec);
                return Err(Error::invalid("graph", feed.label.clone(), expected, text(tensor.spec())));
            }
            if !feed.dense || tensor.is_contiguous() {
                arguments.push(Some(*tensor));
                continue;
            }
            // Words of 64 bits: aligned for either element type.
            let mut words = vec![0u64; feed.spec.bytes().div_ceil(8)];
            let bytes = words.as_mut_ptr().cast::<u8>();
            // SAFETY: the words hold `spec.bytes()` bytes, which nothing else refers to yet.
            gather(tensor, unsafe { std::slice::from_raw_parts_mut(bytes, feed.spec.bytes()) })?;
            copies.push(words);
            // SAFETY: `copies` keeps the words, which are not written again and do not move with their vector, until the
            // run is over.
            arguments
                .push(Some(unsafe { TensorRef::from_raw(bytes, feed.spec, feed.spec.shape.contiguous_strides()) }));
        }
        let idle = self.idle.lock().unwrap_or_else(|e| e.into_inner()).pop();
        let workspace = match idle {
            Some(workspace) => workspace,
            None => Workspace::new(&self.plan)?,
        };
        let receipt = self.plan.run(&workspace, &arguments, outputs, self.policy);
        if receipt.is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(|e| e.into_inner());
            if idle.len() < MAX_IDLE {
                idle.push(workspace);
            }
        }
        receipt
    }
}
