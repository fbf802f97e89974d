//! Program to plan: slots, copies between devices, waits, and offsets in the arenas.

use crate::memory::{Memory, Tenant, assign};
use crate::plan::{Group, PlanOptions, Unit};
use crate::program::{Call, CallId, Operand, Program, ValueId};
use lc_core::backend::{Backend, Buffer};
use lc_core::plan::{Place, Plan, PlanBuilder, Slot, SlotId, Step, View};
use lc_core::shape::MAX_RANK;
use lc_core::{DeviceKind, Error, ErrorKind, ResolvedCall, Result, Runtime, Strides, SyncMode, TensorRef, TensorSpec};
use std::sync::Arc;

/// A plan, and what its arguments and results are.
#[derive(Debug)]
pub struct Lowered {
    /// The plan.
    pub plan: Plan,
    /// The fed value of each argument, and whether it must be dense because it is read in parts or in another order.
    pub feeds: Vec<(ValueId, bool)>,
    /// The value of each result.
    pub outputs: Vec<ValueId>,
    /// What its arenas take.
    pub memory: Memory,
    /// Constants that kernels read in a form of their own: how many, and their bytes.
    pub packed: (usize, usize),
}

/// Where the data of a value is so far.
#[derive(Clone, Debug, Default)]
struct Home {
    /// In host memory.
    host: Option<SlotId>,
    /// In devices' own memory.
    devices: Vec<(usize, SlotId)>,
    /// The result of the plan that it is.
    output: Option<SlotId>,
}

struct Lowering<'a> {
    runtime: &'a Runtime,
    program: &'a Program,
    placed: &'a [Option<Arc<ResolvedCall>>],
    options: &'a PlanOptions,
    builder: PlanBuilder,
    steps: usize,
    homes: Vec<Home>,
    tenants: Vec<Tenant>,
    /// Slot to tenant.
    tenant_of: Vec<Option<usize>>,
    /// Whether work was launched on a device since the plan last waited for it.
    outstanding: Vec<bool>,
    packed: (usize, usize),
}

/// Makes the plan. Without `share_memory` every value has bytes of its own.
///
/// # Errors
/// Values that would have to go from device to device on a machine without a CPU backend.
pub fn lower(
    runtime: &Runtime,
    program: &Program,
    placed: &[Option<Arc<ResolvedCall>>],
    units: &[Unit],
    groups: &[Group],
    options: &PlanOptions,
    share_memory: bool,
) -> Result<Lowered> {
    let builder = PlanBuilder::new();
    let homes = vec![Home::default(); program.values.len()];
    let (tenants, tenant_of, outstanding) = (Vec::new(), Vec::new(), Vec::new());
    let (steps, packed) = (0, (0, 0));
    let mut l =
        Lowering { runtime, program, placed, options, builder, steps, homes, tenants, tenant_of, outstanding, packed };
    let feeds = l.arguments();
    let outputs = l.results();
    for group in groups {
        if group.sync_before || group.id.checked_sub(1).is_some_and(|before| groups[before].sync_after) {
            l.boundary(groups[group.id - 1].device);
        }
        for unit in &units[group.units.clone()] {
            if let Some(call) = unit.call {
                l.call(call)?;
            }
        }
    }
    if let Some(last) = groups.last().filter(|group| group.sync_after) {
        l.boundary(last.device);
    }
    l.read_back(&outputs)?;
    if !share_memory {
        for tenant in &mut l.tenants {
            (tenant.first, tenant.last) = (0, l.steps);
        }
    }
    let (offsets, memory) = assign(&l.tenants, l.outstanding.len());
    for (tenant, offset) in l.tenants.iter().zip(offsets) {
        l.builder.place(tenant.slot, Place::Arena { device: tenant.device, offset });
    }
    for (device, bytes) in memory.arenas.iter().enumerate() {
        l.builder.arena_bytes(device, *bytes);
    }
    let inputs = feeds.iter().map(|(value, _)| l.homes[*value].host).collect();
    let results = outputs.iter().filter_map(|value| l.homes[*value].output).collect();
    Ok(Lowered { packed: l.packed, plan: l.builder.finish(inputs, results), feeds, outputs, memory })
}

impl Lowering<'_> {
    /// Every fed value that a call reads becomes an argument.
    fn arguments(&mut self) -> Vec<(ValueId, bool)> {
        let mut read = vec![None; self.program.values.len()];
        for (_, call) in self.program.iter() {
            for operand in call.inputs.iter().flatten() {
                let whole = *operand == Operand::whole(operand.value, self.program.values[operand.value].spec);
                *read[operand.value].get_or_insert(false) |= !whole;
            }
        }
        let mut feeds = Vec::new();
        for (id, value) in self.program.values.iter().enumerate() {
            if let (Some(_), Some(_), Some(constant)) = (value.fed, read[id], &value.constant) {
                self.homes[id].host = Some(self.builder.constant(value.spec, constant.memory().clone()));
            } else if let (Some(_), Some(dense)) = (value.fed, read[id]) {
                self.homes[id].host = Some(self.builder.input(value.spec));
                feeds.push((id, dense));
            }
        }
        feeds
    }

    /// Every computed value that the caller wants becomes a result.
    fn results(&mut self) -> Vec<ValueId> {
        let mut outputs = Vec::new();
        for (_, operand) in &self.program.wanted {
            let value = operand.value;
            if self.program.values[value].fed.is_none() && self.homes[value].output.is_none() {
                self.homes[value].output = Some(self.builder.output(self.program.values[value].spec));
                outputs.push(value);
            }
        }
        outputs
    }

    fn push(&mut self, step: Step) {
        self.builder.push(step);
        self.steps += 1;
    }

    /// Notes that the step to come touches a slot.
    fn touch(&mut self, slot: SlotId) {
        if let Some(Some(tenant)) = self.tenant_of.get(slot).copied() {
            self.tenants[tenant].last = self.steps;
        }
    }

    /// A new slot in a device's arena. `early`: its bytes may serve nothing else before, because the copy that fills it
    /// need not wait for launches that were made earlier.
    fn arena_slot(&mut self, device: usize, spec: TensorSpec, early: bool) -> SlotId {
        let slot = self.builder.slot(Slot { spec, place: Place::Arena { device, offset: 0 } });
        self.tenant_of.resize(slot + 1, None);
        self.tenant_of[slot] = Some(self.tenants.len());
        let first = if early { 0 } else { self.steps };
        self.tenants.push(Tenant { slot, device, bytes: spec.bytes(), first, last: self.steps });
        slot
    }

    fn device(&mut self, backend: &Arc<dyn lc_core::backend::Backend>) -> usize {
        let device = self.builder.device(backend);
        self.outstanding.resize(self.outstanding.len().max(device + 1), false);
        device
    }

    /// Waits for a device if it has work outstanding.
    fn wait(&mut self, device: usize) {
        if std::mem::replace(&mut self.outstanding[device], false) {
            self.push(Step::Wait { device });
        }
    }

    fn boundary(&mut self, kind: DeviceKind) {
        if self.options.trace_sync_boundary {
            self.push(Step::Boundary { mode: self.options.sync });
        }
        if let Some(backend) = self.runtime.backend(kind).cloned() {
            let device = self.device(&backend);
            self.wait(device);
        }
    }

    /// A slot in host memory with the value's data.
    fn on_host(&mut self, value: ValueId) -> Result<SlotId> {
        if let Some(slot) = self.homes[value].host {
            return Ok(slot);
        }
        let Some((device, from)) = self.homes[value].devices.first().copied() else { return Err(broken()) };
        let to = match self.homes[value].output {
            Some(output) => output,
            None => {
                let cpu = self.runtime.backend(DeviceKind::Cpu).cloned().ok_or_else(|| {
                    Error::unsupported("graph", "a CPU backend to pass values through", "none in this runtime")
                })?;
                let host = self.device(&cpu);
                self.arena_slot(host, self.program.values[value].spec, false)
            }
        };
        // The download itself waits for what writes its source; with sync mode "never" that is the only wait.
        if self.options.sync != SyncMode::Never && self.options.insert_sync_on_device_change {
            self.wait(device);
        }
        self.touch(from);
        self.touch(to);
        self.push(Step::Download { from, to });
        self.homes[value].host = Some(to);
        Ok(to)
    }

    /// A slot in a device's own memory with the value's data.
    fn on_device(&mut self, value: ValueId, device: usize, backend: &Arc<dyn Backend>) -> Result<SlotId> {
        if let Some((_, slot)) = self.homes[value].devices.iter().find(|(at, _)| *at == device) {
            return Ok(*slot);
        }
        let spec = self.program.values[value].spec;
        if let Some(constant) = &self.program.values[value].constant {
            let memory = backend.memory();
            let buffer = memory.allocate(spec.bytes())?;
            memory.upload(&constant.tensor(), &buffer, 0)?;
            let slot = self.builder.constant(spec, Arc::new(buffer));
            self.homes[value].devices.push((device, slot));
            return Ok(slot);
        }
        let from = self.on_host(value)?;
        let to = self.arena_slot(device, spec, true);
        self.touch(from);
        self.touch(to);
        self.push(Step::Upload { from, to });
        self.homes[value].devices.push((device, to));
        Ok(to)
    }

    fn call(&mut self, id: CallId) -> Result<()> {
        let (Some(call), Some(resolved)) = (&self.program.calls[id], &self.placed[id]) else { return Err(broken()) };
        let (on_host, device) = (resolved.on_host(), self.device(&resolved.backend));
        for before in &call.after {
            if let Some(other) = &self.placed[*before] {
                let other = self.device(&other.backend);
                if other != device {
                    self.wait(other);
                }
            }
        }
        let mut inputs = Vec::with_capacity(call.inputs.len());
        for operand in &call.inputs {
            inputs.push(match operand {
                None => None,
                Some(operand) => {
                    let slot = match on_host {
                        true => self.on_host(operand.value)?,
                        false => self.on_device(operand.value, device, &resolved.backend)?,
                    };
                    let Operand { offset, spec, strides, .. } = *operand;
                    Some(View { slot, offset, spec, strides })
                }
            });
        }
        let mut outputs = Vec::with_capacity(call.outputs.len());
        for value in &call.outputs {
            let spec = self.program.values[*value].spec;
            let slot = match (on_host, self.homes[*value].output) {
                (true, Some(output)) => output,
                _ => self.arena_slot(device, spec, false),
            };
            match on_host {
                true => self.homes[*value].host = Some(slot),
                false => self.homes[*value].devices.push((device, slot)),
            }
            outputs.push(slot);
        }
        for slot in inputs.iter().flatten().map(|view| view.slot).chain(outputs.iter().copied()) {
            self.touch(slot);
        }
        let prepared = if on_host { self.prepared(call, resolved)? } else { Vec::new() };
        self.push(Step::Launch { call: resolved.clone(), inputs, outputs, prepared });
        // On a device that computes on the caller's thread a wait has nothing to wait for; "always" waits all the same.
        self.outstanding[device] = resolved.backend.descriptor().asynchronous || self.options.sync == SyncMode::Always;
        Ok(())
    }

    /// What the kernel of a call makes of the constants that it reads, once for all runs; empty if it makes nothing.
    fn prepared(&mut self, call: &Call, resolved: &ResolvedCall) -> Result<Vec<Option<Buffer>>> {
        // One element for every other operand: only the extents of those count.
        static ZERO: [u64; 1] = [0];
        let constant = |operand: &Operand| self.program.values[operand.value].constant.as_ref();
        if !call.inputs.iter().flatten().any(|operand| constant(operand).is_some()) {
            return Ok(Vec::new());
        }
        let mut views = Vec::with_capacity(call.inputs.len());
        for operand in &call.inputs {
            views.push(match operand {
                None => None,
                Some(operand) => {
                    let Operand { offset, spec, strides, .. } = *operand;
                    let still = Strides::new(&[0; MAX_RANK][..spec.shape.rank()])?;
                    Some(match constant(operand) {
                        Some(constant) => {
                            let start = constant.tensor().ptr().wrapping_add(offset * spec.dtype.size());
                            // SAFETY: operands lie inside their value, which the constant holds as long as the program.
                            unsafe { TensorRef::from_raw(start, spec, strides) }
                        }
                        // SAFETY: all elements are one, which lives for ever.
                        None => unsafe { TensorRef::from_raw(ZERO.as_ptr().cast(), spec, still) },
                    })
                }
            });
        }
        let memory = resolved.backend.memory();
        let mut made = Vec::with_capacity(call.inputs.len());
        for (index, operand) in call.inputs.iter().enumerate() {
            made.push(match operand.as_ref().and_then(constant) {
                None => None,
                Some(_) => memory.prepare(resolved.kernel(), &call.attrs, &views, index)?,
            });
        }
        let bytes: usize = made.iter().flatten().map(Buffer::bytes).sum();
        self.packed.0 += made.iter().flatten().count();
        self.packed.1 += bytes;
        Ok(if made.iter().all(Option::is_none) { Vec::new() } else { made })
    }

    /// Waits once for every device that holds a result, then copies the results out.
    fn read_back(&mut self, outputs: &[ValueId]) -> Result<()> {
        let missing: Vec<ValueId> = outputs.iter().copied().filter(|v| self.homes[*v].host.is_none()).collect();
        for value in &missing {
            if let Some((device, _)) = self.homes[*value].devices.first() {
                self.wait(*device);
            }
        }
        for value in missing {
            let Some((_, from)) = self.homes[value].devices.first().copied() else { return Err(broken()) };
            let Some(to) = self.homes[value].output else { return Err(broken()) };
            self.touch(from);
            self.push(Step::Download { from, to });
            self.homes[value].host = Some(to);
        }
        Ok(())
    }
}

#[cold]
fn broken() -> Error {
    Error::new(ErrorKind::Unknown, "graph")
        .expected("calls in an order that meets every need")
        .got("a value of no call")
}
