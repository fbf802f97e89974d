//! Device and kernel of each call.
//!
//! The router's choice stands while nothing was measured. Where `lc tune` has measured the processor and a device with
//! memory of its own, copies included, the calls of that device may go to the processor: the split is the one with the
//! least predicted time of launches, work and every copy that crosses between the two, each value counted once. With two
//! sides that is a minimum cut (Stone, "Multiprocessor scheduling with the aid of network flow algorithms", 1977).

use crate::plan::PlanOptions;
use crate::program::{Call, CallId, Program, ValueId};
use lc_core::policy::{Fallback, TuneMode};
use lc_core::tune::{CostModel, Source};
use lc_core::{DType, DeviceKind, DeviceRequest, ResolvedCall, Result, Runtime, TensorSpec};
use std::collections::VecDeque;
use std::sync::Arc;

/// The split must be this much faster than the router's choice, by the model: a fit is not exact.
const MARGIN: f64 = 0.8;

/// What the model says of the ways to place a program on a device and the processor: nanoseconds, copies included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighed {
    /// The device beside the processor.
    pub device: DeviceKind,
    /// Everything where the router puts it.
    pub routed_ns: f64,
    /// The best split.
    pub split_ns: f64,
    /// Calls that the split moves to the processor.
    pub moved: usize,
    /// Whether it is enough faster to be taken.
    pub taken: bool,
}

/// A program's calls with their devices and kernels.
#[derive(Debug)]
pub struct Placed {
    /// Device and kernel of each call, by number.
    pub calls: Vec<Option<Arc<ResolvedCall>>>,
    /// What a split between devices would cost, if it could be told.
    pub weighed: Option<Weighed>,
}

/// Chooses a device and a kernel for every call. Only with `may_move` may calls leave the router's device.
///
/// # Errors
/// No kernel anywhere, or only on a device that the policy forbids.
pub fn place(runtime: &Runtime, program: &Program, options: &PlanOptions, may_move: bool) -> Result<Placed> {
    let mut calls = vec![None; program.calls.len()];
    for (id, call) in program.iter() {
        let policy = options.policy(call.device);
        calls[id] = Some(runtime.resolve(call.op, &call.attrs, &call.input_specs(), policy)?);
    }
    let mut placed = Placed { calls, weighed: None };
    let policy = options.policy(None);
    let kept = policy.device() != DeviceRequest::Auto && policy.fallback() == Fallback::Deny;
    if !may_move || policy.tune() == TuneMode::Off || kept {
        return Ok(placed);
    }
    let other = placed.calls.iter().flatten().find(|call| !call.on_host()).map(|call| call.receipt().selected);
    let (Some(device), Some(_)) = (other, runtime.backend(DeviceKind::Cpu)) else { return Ok(placed) };
    let model = runtime.cost_model();
    if model.is_empty() {
        return Ok(placed);
    }
    let Some((weighed, moved)) = split(runtime, program, options, &placed.calls, &model, device) else {
        return Ok(placed);
    };
    placed.weighed = Some(weighed);
    if weighed.taken {
        for (id, resolved) in moved {
            placed.calls[id] = Some(resolved);
        }
    }
    Ok(placed)
}

/// A call that leaves its device, and what it becomes.
type Moved = (CallId, Arc<ResolvedCall>);

/// What a call would cost on either side.
struct Choice {
    cpu: f64,
    device: f64,
    there: Arc<ResolvedCall>,
}

/// The best split, and the calls that it moves; `None` if copies or every call's cost on one side were never measured.
fn split(
    runtime: &Runtime,
    program: &Program,
    options: &PlanOptions,
    placed: &[Option<Arc<ResolvedCall>>],
    model: &CostModel,
    device: DeviceKind,
) -> Option<(Weighed, Vec<Moved>)> {
    model.copies(device, 1, 1).filter(|copies| copies.source == Source::Measured)?;
    let upload = |spec: &TensorSpec| model.copies(device, spec.bytes() as u64, 0).map_or(0.0, |copies| copies.ns);
    let download = |spec: &TensorSpec| model.copies(device, 0, spec.bytes() as u64).map_or(0.0, |copies| copies.ns);
    let choice = |call: &Call, resolved: &ResolvedCall| {
        let movable = call.device.is_none() && resolved.receipt().selected == device;
        if !movable || resolved.receipt().dtype != DType::F32 {
            return None;
        }
        let policy = options.policy(None);
        let there = runtime.resolve_on(DeviceKind::Cpu, call.op, &call.attrs, &call.input_specs(), policy).ok()?;
        let cpu = model.measured(DeviceKind::Cpu, call.op.name, &there.cost, 0, 0)?;
        Some(Choice { cpu, device: model.measured(device, call.op.name, &resolved.cost, 0, 0)?, there })
    };
    let mut choices: Vec<Option<Choice>> = Vec::new();
    choices.resize_with(program.calls.len(), || None);
    for (id, call) in program.iter() {
        choices[id] = choice(call, placed[id].as_ref()?);
    }
    if choices.iter().all(Option::is_none) {
        return None;
    }
    // Vertices: the processor, the device, the calls, and for each value the copy up and the copy down.
    const CPU: usize = 0;
    const DEVICE: usize = 1;
    let call_at = |id: CallId| 2 + id;
    let up_at = |value: ValueId| 2 + program.calls.len() + 2 * value;
    let mut net = Network::new(2 + program.calls.len() + 2 * program.values.len());
    let on_device = |id: CallId| placed[id].as_ref().is_some_and(|call| call.receipt().selected == device);
    let mut before = 0.0;
    for (id, _) in program.iter() {
        match &choices[id] {
            Some(choice) => {
                net.edge(call_at(id), DEVICE, choice.cpu);
                net.edge(CPU, call_at(id), choice.device);
                before += choice.device;
            }
            None if on_device(id) => net.edge(call_at(id), DEVICE, f64::INFINITY),
            None => net.edge(CPU, call_at(id), f64::INFINITY),
        }
    }
    let writers = program.writers();
    let wanted: Vec<bool> = program.uses().into_iter().map(|(_, wanted)| wanted).collect();
    let mut readers: Vec<Vec<CallId>> = vec![Vec::new(); program.values.len()];
    for (id, call) in program.iter() {
        for operand in call.inputs.iter().flatten() {
            if !readers[operand.value].contains(&id) {
                readers[operand.value].push(id);
            }
        }
    }
    for (id, value) in program.values.iter().enumerate() {
        // A constant is copied when the plan is made.
        if value.constant.is_some() || (writers[id].is_none() && value.fed.is_none()) {
            continue;
        }
        let (up, down) = (up_at(id), up_at(id) + 1);
        let from = writers[id].map_or(CPU, call_at);
        net.edge(from, up, upload(&value.spec));
        for reader in &readers[id] {
            net.edge(up, call_at(*reader), f64::INFINITY);
        }
        let written_there = writers[id].is_some_and(on_device);
        if !written_there && readers[id].iter().any(|reader| on_device(*reader)) {
            before += upload(&value.spec);
        }
        let Some(writer) = writers[id] else { continue };
        net.edge(down, call_at(writer), download(&value.spec));
        for reader in &readers[id] {
            net.edge(call_at(*reader), down, f64::INFINITY);
        }
        if wanted[id] {
            net.edge(CPU, down, f64::INFINITY);
        }
        if written_there && (wanted[id] || readers[id].iter().any(|reader| !on_device(*reader))) {
            before += download(&value.spec);
        }
    }
    let (cut, on_cpu) = net.minimum_cut(CPU, DEVICE);
    let moved: Vec<_> = choices
        .into_iter()
        .enumerate()
        .filter_map(|(id, choice)| choice.filter(|_| on_cpu[call_at(id)]).map(|choice| (id, choice.there)))
        .collect();
    let taken = !moved.is_empty() && cut < MARGIN * before;
    Some((Weighed { device, routed_ns: before, split_ns: cut, moved: moved.len(), taken }, moved))
}

/// Vertices and what their edges carry.
struct Network {
    /// Edges of each vertex, by number.
    from: Vec<Vec<usize>>,
    /// Head and what is left of the capacity; edge `e ^ 1` is the reverse of `e`.
    edges: Vec<(usize, f64)>,
}

/// What is less than a millionth of a nanosecond carries nothing: sums of floats do not cancel exactly.
const NOTHING: f64 = 1e-6;

impl Network {
    fn new(vertices: usize) -> Network {
        Network { from: vec![Vec::new(); vertices], edges: Vec::new() }
    }

    fn edge(&mut self, from: usize, to: usize, capacity: f64) {
        for (at, head, left) in [(from, to, capacity), (to, from, 0.0)] {
            self.from[at].push(self.edges.len());
            self.edges.push((head, left));
        }
    }

    /// The capacity of the smallest cut, and which vertices are on the side of `source`: by shortest augmenting paths
    /// (Edmonds and Karp, 1972).
    fn minimum_cut(mut self, source: usize, sink: usize) -> (f64, Vec<bool>) {
        let mut flow = 0.0;
        loop {
            let mut reached: Vec<Option<usize>> = vec![None; self.from.len()];
            let mut queue = VecDeque::from([source]);
            while let Some(at) = queue.pop_front() {
                for edge in &self.from[at] {
                    let (head, left) = self.edges[*edge];
                    if left > NOTHING && head != source && reached[head].is_none() {
                        reached[head] = Some(*edge);
                        queue.push_back(head);
                    }
                }
            }
            let Some(_) = reached[sink] else {
                let side = (0..self.from.len()).map(|v| v == source || reached[v].is_some()).collect();
                return (flow, side);
            };
            let mut path = Vec::new();
            let mut at = sink;
            while let Some(edge) = reached[at] {
                path.push(edge);
                at = self.edges[edge ^ 1].0;
            }
            let least = path.iter().map(|edge| self.edges[*edge].1).fold(f64::INFINITY, f64::min);
            if !least.is_finite() {
                // A call that must be on both sides: there is no split.
                return (f64::INFINITY, vec![false; self.from.len()]);
            }
            for edge in path {
                self.edges[edge].1 -= least;
                self.edges[edge ^ 1].1 += least;
            }
            flow += least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_the_smallest_of_all() {
        // Every assignment of four vertices, tried one by one.
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 33) % 20) as f64
        };
        for _ in 0..200 {
            let mut edges = Vec::new();
            for from in 0..6 {
                for to in (0..6).filter(|to| *to != from) {
                    edges.push((from, to, random()));
                }
            }
            let mut net = Network::new(6);
            edges.iter().for_each(|(from, to, capacity)| net.edge(*from, *to, *capacity));
            let cost = |side: &dyn Fn(usize) -> bool| -> f64 {
                edges.iter().filter(|(from, to, _)| side(*from) && !side(*to)).map(|(.., c)| c).sum()
            };
            let best = (0..16u32)
                .map(|set| cost(&|v| v == 0 || (v > 1 && set & (1 << (v - 2)) != 0)))
                .fold(f64::INFINITY, f64::min);
            let (flow, side) = net.minimum_cut(0, 1);
            assert_eq!(flow, best);
            assert_eq!(cost(&|v| side[v]), best);
        }
    }
}
