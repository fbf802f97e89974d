//! Putting a plan together.

use super::{Place, Plan, PlanDevice, Slot, SlotId, Step, View};
use crate::backend::{Backend, Buffer};
use crate::tensor::TensorSpec;
use std::sync::Arc;

/// Puts a plan together, step by step.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    devices: Vec<PlanDevice>,
    slots: Vec<Slot>,
    steps: Vec<Step>,
    constants: Vec<Arc<Buffer>>,
    inputs: usize,
    outputs: usize,
}

impl PlanBuilder {
    /// An empty plan.
    pub fn new() -> PlanBuilder {
        PlanBuilder::default()
    }

    /// The device's position in the plan, which it joins if it is new.
    pub fn device(&mut self, backend: &Arc<dyn Backend>) -> usize {
        let known = self.devices.iter().position(|d| Arc::ptr_eq(&d.backend, backend));
        known.unwrap_or_else(|| {
            self.devices.push(PlanDevice { backend: backend.clone(), arena_bytes: 0 });
            self.devices.len() - 1
        })
    }

    /// Sets the bytes of the arena on a device.
    pub fn arena_bytes(&mut self, device: usize, bytes: usize) {
        self.devices[device].arena_bytes = bytes;
    }

    /// A new argument.
    pub fn input(&mut self, spec: TensorSpec) -> SlotId {
        self.inputs += 1;
        self.slot(Slot { spec, place: Place::Input(self.inputs - 1) })
    }

    /// A new result.
    pub fn output(&mut self, spec: TensorSpec) -> SlotId {
        self.outputs += 1;
        self.slot(Slot { spec, place: Place::Output(self.outputs - 1) })
    }

    /// A new constant, whose dense data is in `memory`: of the host, or of the device whose launches read it.
    pub fn constant(&mut self, spec: TensorSpec, memory: Arc<Buffer>) -> SlotId {
        self.constants.push(memory);
        self.slot(Slot { spec, place: Place::Constant(self.constants.len() - 1) })
    }

    /// A new slot.
    pub fn slot(&mut self, slot: Slot) -> SlotId {
        self.slots.push(slot);
        self.slots.len() - 1
    }

    /// Moves a slot.
    pub fn place(&mut self, slot: SlotId, place: Place) {
        self.slots[slot].place = place;
    }

    /// The whole of a slot, dense.
    pub fn dense(&self, slot: SlotId) -> View {
        let spec = self.slots[slot].spec;
        View { slot, offset: 0, spec, strides: spec.shape.contiguous_strides() }
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The plan. `inputs` has one entry for each argument that callers pass, in their order; those that are `None` were
    /// never made with [`PlanBuilder::input`], so places are renumbered to the callers' positions.
    pub fn finish(mut self, inputs: Vec<Option<SlotId>>, outputs: Vec<SlotId>) -> Plan {
        for (position, slot) in inputs.iter().enumerate() {
            if let Some(slot) = slot {
                self.slots[*slot].place = Place::Input(position);
            }
        }
        for (position, slot) in outputs.iter().enumerate() {
            if matches!(self.slots[*slot].place, Place::Output(_)) {
                self.slots[*slot].place = Place::Output(position);
            }
        }
        Plan {
            devices: self.devices,
            slots: self.slots,
            steps: self.steps,
            constants: self.constants,
            inputs,
            outputs,
            direct: None,
        }
    }
}
