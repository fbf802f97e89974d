//! Running the steps of a plan.

use super::{Place, Plan, ResolvedCall, SlotId, Step, View, Workspace, broken};
use crate::backend::{Args, Buffer, DeviceTensor};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{EffectivePolicy, SyncMode};
use crate::receipt::Receipt;
use crate::registry::MAX_INPUTS;
use crate::shape::Strides;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace::{self, EventType};
use std::sync::Arc;

/// Runs a one-shot host call some of whose results the policy leaves on the device: they go to scratch memory, and the
/// caller's stay as they are, as on a device with memory of its own.
#[cold]
pub(super) fn run_without_download(
    call: &ResolvedCall,
    inputs: &[Option<TensorRef<'_>>],
    outputs: &[TensorMut<'_>],
    policy: EffectivePolicy,
) -> Result<Receipt> {
    let mut scratch = Vec::new();
    let mut targets = Vec::with_capacity(outputs.len());
    for (i, out) in outputs.iter().enumerate() {
        let mut ptr = out.ptr();
        if !policy.download(i) {
            let buffer = call.backend.memory().allocate(out.spec().bytes())?;
            ptr = buffer.host().ok_or_else(|| broken("a host backend without host memory"))?;
            scratch.push(buffer);
        }
        // SAFETY: either the caller's own result, whose view is not used meanwhile, or fresh scratch of its size.
        targets.push(unsafe { TensorMut::from_raw(ptr, *out.spec()) });
    }
    let mut receipt = call.open_receipt();
    receipt.launches = 1;
    call.launch(Args::Host { inputs, prepared: &[], outputs: &targets })?;
    Ok(receipt)
}

/// A one-shot call owns no resident memory: it can leave out no copy.
#[cold]
pub(super) fn check_io(call: &ResolvedCall, policy: EffectivePolicy) -> Result<()> {
    for (i, input) in call.op.inputs.iter().enumerate() {
        if call.inputs.get(i).is_some_and(Option::is_some) && !policy.upload(i) {
            return Err(Error::new(ErrorKind::NotInitialized, call.op.name)
                .argument(input.name)
                .expected("a resident operand")
                .got("a one-shot call, which holds none")
                .hint("leave its upload on, or use a session, which keeps operands between calls"));
        }
    }
    Ok(())
}

/// The state of one run.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) workspace: &'a Workspace,
    pub(super) receipts: Vec<Receipt>,
    /// Bytes uploaded before the launch that needs them.
    pub(super) pending: Option<u64>,
    /// Whether every launch is waited for and timed.
    pub(super) timed: bool,
}

impl Run<'_> {
    pub(super) fn step(
        &mut self,
        step: &Step,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
    ) -> Result<()> {
        match step {
            Step::Launch { call, inputs: read, outputs: written, prepared } => {
                let mut receipt = call.open_receipt();
                receipt.launches = 1;
                receipt.bytes_uploaded = self.pending.take().unwrap_or(0);
                let start = self.timed.then(trace::now_ns);
                self.launch(call, (read, prepared), written, inputs, outputs)?;
                let asynchronous = call.backend.descriptor().asynchronous;
                if (self.timed || policy.sync() == SyncMode::Always) && asynchronous {
                    call.wait(&mut receipt)?;
                }
                receipt.duration_ns = start.map(|start| trace::now_ns().saturating_sub(start));
                self.receipts.push(receipt);
            }
            Step::Upload { from, to } => {
                let call = self.call_near(*to)?;
                if !matches!(self.plan.slots[*from].place, Place::Input(i) if !policy.upload(i)) {
                    let (device, offset) = self.arena_of(*to)?;
                    let mut receipt = call.template;
                    receipt.bytes_uploaded = 0;
                    let source = self.host_view(*from, inputs, outputs)?;
                    let index = match self.plan.slots[*from].place {
                        Place::Input(i) => i,
                        _ => 0,
                    };
                    call.upload(index, &source, self.workspace.arena(device)?, offset, &mut receipt)?;
                    *self.pending.get_or_insert(0) += receipt.bytes_uploaded;
                } else {
                    check_io(&call, policy)?;
                }
            }
            Step::Wait { device } => {
                let backend = &self.plan.devices[*device].backend;
                match self.plan.calls().find(|call| Arc::ptr_eq(&call.backend, backend)) {
                    Some(call) => {
                        let mut receipt = call.template;
                        receipt.waits = 0;
                        call.wait(&mut receipt)?;
                        if let Some(last) = self.receipts.last_mut() {
                            last.waits += receipt.waits;
                        }
                    }
                    None => backend.sync().synchronize()?,
                }
            }
            Step::Boundary { mode } => trace::mark(EventType::ApplySyncPolicy, 0, *mode as u64, 1),
            Step::Download { from, to } => {
                let (device, offset) = self.arena_of(*from)?;
                let call = self.call_near(*from)?;
                let mut receipt = call.template;
                match self.plan.slots[*to].place {
                    Place::Output(i) if !policy.download(i) => return Ok(()),
                    Place::Output(i) => {
                        call.download(i, self.workspace.arena(device)?, offset, &mut outputs[i], &mut receipt)?
                    }
                    Place::Arena { .. } => {
                        let (ptr, spec) = self.host_slot(*to)?;
                        // SAFETY: the slot lies in an arena of this workspace, which nobody else reads while it runs.
                        let mut target = unsafe { TensorMut::from_raw(ptr, spec) };
                        call.download(0, self.workspace.arena(device)?, offset, &mut target, &mut receipt)?;
                    }
                    Place::Input(_) | Place::Constant(_) => return Err(broken("a download into an argument")),
                }
                if let Some(last) = self.receipts.last_mut() {
                    last.bytes_downloaded += receipt.bytes_downloaded;
                }
            }
        }
        Ok(())
    }

    fn launch(
        &self,
        call: &ResolvedCall,
        (read, prepared): (&[Option<View>], &[Option<Buffer>]),
        written: &[SlotId],
        inputs: &[Option<TensorRef<'_>>],
        outputs: &[TensorMut<'_>],
    ) -> Result<()> {
        if call.on_host() {
            let mut tensors = [None; MAX_INPUTS];
            for (tensor, view) in tensors.iter_mut().zip(read) {
                *tensor = view.as_ref().map(|view| self.host_input(view, inputs, outputs)).transpose()?;
            }
            let mut results = Vec::with_capacity(written.len());
            for slot in written {
                results.push(match self.plan.slots[*slot].place {
                    // SAFETY: the step writes a result of the plan, which `check` found to overlap no input; the
                    // caller's view is not used while this one lives.
                    Place::Output(i) => unsafe { TensorMut::from_raw(outputs[i].ptr(), *outputs[i].spec()) },
                    _ => {
                        let (ptr, spec) = self.host_slot(*slot)?;
                        // SAFETY: the slot lies in an arena of this workspace; the planner gives slots that are alive
                        // together disjoint ranges.
                        unsafe { TensorMut::from_raw(ptr, spec) }
                    }
                });
            }
            let mut packed = [None; MAX_INPUTS];
            for (packed, buffer) in packed.iter_mut().zip(prepared) {
                *packed = buffer.as_ref();
            }
            let (inputs, prepared) = (&tensors[..read.len()], &packed[..prepared.len()]);
            return call.launch(Args::Host { inputs, prepared, outputs: &results });
        }
        let device_tensor = |slot: SlotId, offset: usize, spec: TensorSpec, strides: Strides| {
            let (buffer, base) = match self.plan.slots[slot].place {
                Place::Constant(i) => (&*self.plan.constants[i], 0),
                _ => {
                    let (device, base) = self.arena_of(slot)?;
                    (self.workspace.arena(device)?, base)
                }
            };
            Ok(DeviceTensor { buffer, offset: base + offset * spec.dtype.size(), spec, strides })
        };
        let tensors = read
            .iter()
            .map(|view| view.as_ref().map(|v| device_tensor(v.slot, v.offset, v.spec, v.strides)).transpose())
            .collect::<Result<Vec<_>>>()?;
        let results = written
            .iter()
            .map(|slot| {
                let spec = self.plan.slots[*slot].spec;
                device_tensor(*slot, 0, spec, spec.shape.contiguous_strides())
            })
            .collect::<Result<Vec<_>>>()?;
        call.launch(Args::Device { inputs: &tensors, outputs: &results })
    }

    /// A view of an argument, of a result that an earlier step wrote, or of a slot in host-addressable memory.
    fn host_input<'t>(
        &'t self,
        view: &View,
        inputs: &[Option<TensorRef<'t>>],
        outputs: &'t [TensorMut<'_>],
    ) -> Result<TensorRef<'t>> {
        if let Place::Input(i) = self.plan.slots[view.slot].place {
            let argument = inputs[i].ok_or_else(|| broken("a launch that reads an absent argument"))?;
            let whole = view.strides == view.spec.shape.contiguous_strides();
            if whole && view.spec == *argument.spec() && view.offset == 0 {
                return Ok(argument);
            }
            // A view other than the whole argument is defined on its dense form.
            if !argument.is_contiguous() {
                return Err(broken("a partial view of a strided argument"));
            }
            let ptr = argument.ptr().wrapping_add(view.offset * view.spec.dtype.size());
            // SAFETY: the planner keeps views inside their slot, and a dense argument is laid out as the slot.
            return Ok(unsafe { TensorRef::from_raw(ptr, view.spec, view.strides) });
        }
        let base = match self.plan.slots[view.slot].place {
            Place::Output(i) => outputs[i].ptr(),
            Place::Constant(i) => {
                self.plan.constants[i].host().ok_or_else(|| broken("host access to device memory"))?
            }
            _ => self.host_slot(view.slot)?.0,
        };
        let ptr = base.wrapping_add(view.offset * view.spec.dtype.size());
        // SAFETY: the planner keeps views inside their slot. The slot lies in an arena of this workspace, or is a result
        // whose one writer is an earlier step, or a constant, which nobody writes and which lives as long as the plan.
        Ok(unsafe { TensorRef::from_raw(ptr, view.spec, view.strides) })
    }

    fn host_view<'t>(
        &'t self,
        slot: SlotId,
        inputs: &[Option<TensorRef<'t>>],
        outputs: &'t [TensorMut<'_>],
    ) -> Result<TensorRef<'t>> {
        let spec = self.plan.slots[slot].spec;
        self.host_input(&View { slot, offset: 0, spec, strides: spec.shape.contiguous_strides() }, inputs, outputs)
    }

    fn host_slot(&self, slot: SlotId) -> Result<(*mut u8, TensorSpec)> {
        let (device, offset) = self.arena_of(slot)?;
        let base = self.workspace.arena(device)?.host().ok_or_else(|| broken("host access to device memory"))?;
        Ok((base.wrapping_add(offset), self.plan.slots[slot].spec))
    }

    fn arena_of(&self, slot: SlotId) -> Result<(usize, usize)> {
        match self.plan.slots[slot].place {
            Place::Arena { device, offset } => Ok((device, offset)),
            _ => Err(broken("device access to host memory")),
        }
    }

    /// A call on the device of a slot, whose names copies carry on the trace.
    fn call_near(&self, slot: SlotId) -> Result<Arc<ResolvedCall>> {
        let (device, _) = self.arena_of(slot)?;
        let backend = &self.plan.devices[device].backend;
        self.plan
            .calls()
            .find(|call| Arc::ptr_eq(&call.backend, backend))
            .cloned()
            .ok_or_else(|| broken("a copy to a device without a launch"))
    }
}
