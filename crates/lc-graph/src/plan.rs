//! What runs in which order, and where the plan waits: units and groups.

use crate::ir::{Graph, NodeId};
use crate::program::{CallId, Program};
use lc_core::{DeviceKind, DeviceRequest, EffectivePolicy, Io, PackedPolicy, Policy, ResolvedCall, SyncMode};
use std::sync::Arc;

/// How a graph is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanOptions {
    /// The device to run on where it has a kernel; `None` leaves it to the policy.
    pub preferred: Option<DeviceRequest>,
    /// The call's policy; what it leaves unset comes from the levels below. What is copied and when the plan waits is
    /// the plan's own business.
    pub level: PackedPolicy,
    /// When to wait. "always": after every node. "never": only where a result is read.
    pub sync: SyncMode,
    /// Whether every boundary between groups waits and is marked on the trace.
    pub trace_sync_boundary: bool,
    /// Whether nodes that run where they did not ask to form groups of their own. A node that asks for a device by
    /// itself can run beside a fallback on the same device.
    pub separate_fallback_segments: bool,
    /// Whether the plan waits where the device changes.
    pub insert_sync_on_device_change: bool,
}

impl Default for PlanOptions {
    fn default() -> PlanOptions {
        PlanOptions {
            preferred: None,
            level: PackedPolicy::UNSET,
            sync: SyncMode::Auto,
            trace_sync_boundary: false,
            separate_fallback_segments: true,
            insert_sync_on_device_change: true,
        }
    }
}

impl PlanOptions {
    /// The policy of a node that asks for `device`, if for any.
    pub fn policy(&self, device: Option<DeviceRequest>) -> EffectivePolicy {
        let all = Io { upload: [Some(true); 4], download: [Some(true); 2], synchronize: Some(true) };
        let device = device.or(self.preferred);
        let call = Policy { device, io: all, sync: Some(SyncMode::Auto), ..Policy::default() };
        EffectivePolicy::of(call.pack().over(self.level), PackedPolicy::UNSET)
    }
}

/// What runs as one: a call, or a view, which launches nothing.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The nodes that it computes.
    pub nodes: Vec<NodeId>,
    /// The call; `None` for a view.
    pub call: Option<CallId>,
    /// Where it runs. A view is where its neighbour is.
    pub device: DeviceKind,
    /// Whether that is another device than the one it asked for.
    pub fallback: bool,
}

/// Units that run one after the other on one device without a boundary between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Position.
    pub id: usize,
    /// The device.
    pub device: DeviceKind,
    /// Whether a unit of it asked for another device.
    pub fallback: bool,
    /// Whether the plan waits before it.
    pub sync_before: bool,
    /// Whether the plan waits after it.
    pub sync_after: bool,
    /// Its units, by position.
    pub units: std::ops::Range<usize>,
    /// Its nodes.
    pub nodes: Vec<NodeId>,
}

/// The units of a program's calls, in an order.
pub fn call_units(order: &[CallId], program: &Program, placed: &[Option<Arc<ResolvedCall>>]) -> Vec<Unit> {
    let unit = |id: &CallId| {
        let (call, receipt) = (program.calls[*id].as_ref()?, placed[*id].as_ref()?.receipt());
        let (nodes, device, fallback) = (call.nodes.clone(), receipt.selected, receipt.fallback);
        Some(Unit { nodes, call: Some(*id), device, fallback })
    };
    order.iter().filter_map(unit).collect()
}

/// The units of a program in the order of its calls, with the views of the graph in the places that they were added at.
pub fn units(graph: &Graph, order: &[CallId], program: &Program, placed: &[Option<Arc<ResolvedCall>>]) -> Vec<Unit> {
    let mut units = call_units(order, program, placed);
    let mut covered = vec![false; graph.nodes.len()];
    for node in units.iter().flat_map(|unit| &unit.nodes) {
        covered[*node] = true;
    }
    for node in (0..graph.nodes.len()).filter(|node| !covered[*node] && graph.nodes[*node].schema.op().is_none()) {
        let at = units.iter().position(|unit| unit.nodes.last() > Some(&node)).unwrap_or(units.len());
        let neighbour = at.checked_sub(1).map_or(units.first(), |before| units.get(before));
        let (device, fallback) = neighbour.map_or((DeviceKind::Cpu, false), |unit| (unit.device, unit.fallback));
        units.insert(at, Unit { nodes: vec![node], call: None, device, fallback });
    }
    units
}

/// Splits units into groups and sets their boundaries.
pub fn groups(units: &[Unit], options: &PlanOptions) -> Vec<Group> {
    let always = options.sync == SyncMode::Always;
    let mut groups: Vec<Group> = Vec::new();
    let mut last_fallback = false;
    for (position, unit) in units.iter().enumerate() {
        let device_changes = groups.last().is_none_or(|group| group.device != unit.device);
        let segment_changes = options.separate_fallback_segments && last_fallback != unit.fallback;
        last_fallback = unit.fallback;
        if !always
            && !device_changes
            && !segment_changes
            && let Some(group) = groups.last_mut()
        {
            group.fallback |= unit.fallback;
            group.units.end = position + 1;
            group.nodes.extend(&unit.nodes);
            continue;
        }
        let change = options.insert_sync_on_device_change && device_changes;
        let before = !groups.is_empty() && (always || options.trace_sync_boundary || change);
        if before && let Some(previous) = groups.last_mut() {
            previous.sync_after = true;
        }
        groups.push(Group {
            id: groups.len(),
            device: unit.device,
            fallback: unit.fallback,
            sync_before: before,
            sync_after: false,
            units: position..position + 1,
            nodes: unit.nodes.clone(),
        });
    }
    match options.sync {
        SyncMode::Never => groups.iter_mut().for_each(|group| (group.sync_before, group.sync_after) = (false, false)),
        SyncMode::Always => groups.iter_mut().for_each(|group| group.sync_after = true),
        SyncMode::Auto => {
            if let Some(last) = groups.last_mut() {
                last.sync_after |= options.trace_sync_boundary;
            }
        }
    }
    groups
}
