//! Resolved work: what runs where, what is copied, and when the caller waits.
//!
//! A [`Plan`] is a list of steps over slots. A slot is a tensor with a place: an argument of the caller, a result, or an
//! offset into memory that the plan owns on some device. The plan of a single op on a device that reads host memory is
//! one launch, and that is the path of every eager CPU call.

mod build;
mod call;
mod run;

pub use build::PlanBuilder;
pub use call::ResolvedCall;
pub(crate) use call::template;

use crate::backend::{Args, Backend, Buffer};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{EffectivePolicy, SyncMode};
use crate::receipt::Receipt;
use crate::shape::Strides;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace;
use run::{Run, check_io, run_without_download};
use std::sync::Arc;

/// A slot's number in its plan.
pub type SlotId = usize;

/// Where a slot's data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An argument of the plan, in host memory, by position.
    Input(usize),
    /// A result of the plan, in host memory, by position. Steps after the one that writes it may read it, so that a
    /// result that is also an operand needs no second copy.
    Output(usize),
    /// At a byte offset in the memory that the plan owns on a device, which is given by its position in
    /// [`Plan::devices`].
    Arena {
        /// Position in [`Plan::devices`].
        device: usize,
        /// Bytes from the start of the arena; a multiple of [`ARENA_ALIGN`].
        offset: usize,
    },
    /// A value that is the same in every run, by position in [`Plan::constants`].
    Constant(usize),
}

/// Alignment of slots in an arena: a cache line, and what GPUs want of a binding.
pub const ARENA_ALIGN: usize = 256;

/// A tensor of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// Type and extents.
    pub spec: TensorSpec,
    /// Where it is.
    pub place: Place,
}

/// A way to read a slot: any strides, from any element on, inside the slot.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The slot.
    pub slot: SlotId,
    /// Element at which the view starts.
    pub offset: usize,
    /// Type and extents of the view.
    pub spec: TensorSpec,
    /// Strides in elements. A dense view of a whole argument of the plan takes the strides that the argument brings.
    pub strides: Strides,
}

/// One step of a plan.
#[derive(Debug)]
pub enum Step {
    /// Copies an argument or a slot of a host-memory device to another device.
    Upload {
        /// From.
        from: SlotId,
        /// To.
        to: SlotId,
    },
    /// Launches a kernel.
    Launch {
        /// Which, where and why.
        call: Arc<ResolvedCall>,
        /// What it reads; `None` where an optional input is absent.
        inputs: Vec<Option<View>>,
        /// What it writes.
        outputs: Vec<SlotId>,
        /// By input, the form that [`Memory::prepare`](crate::backend::Memory::prepare) made of a constant; empty if none
        /// was made.
        prepared: Vec<Option<Buffer>>,
    },
    /// Waits for a device, by its position in [`Plan::devices`].
    Wait {
        /// Position in [`Plan::devices`].
        device: usize,
    },
    /// Marks on the trace that a sync policy was applied here. Waits for nothing: a wait is a step of its own.
    Boundary {
        /// The mode that put the boundary here.
        mode: SyncMode,
    },
    /// Copies from a device to a result or to a slot of a host-memory device.
    Download {
        /// From.
        from: SlotId,
        /// To.
        to: SlotId,
    },
}

/// Resolved work: one op or a whole graph.
#[derive(Debug)]
pub struct Plan {
    /// The devices it uses.
    pub devices: Vec<PlanDevice>,
    /// Its tensors.
    pub slots: Vec<Slot>,
    /// What it does, in order.
    pub steps: Vec<Step>,
    /// Memory of its constants, dense, each on the device whose launches read it.
    pub constants: Vec<Arc<Buffer>>,
    /// Slots of its arguments, by position; `None` where an optional one is absent.
    pub inputs: Vec<Option<SlotId>>,
    /// Slots of its results, by position.
    pub outputs: Vec<SlotId>,
    /// The call, if the plan is a single launch on host memory.
    direct: Option<Arc<ResolvedCall>>,
}

/// A device of a plan, and how much of its memory the plan owns.
pub struct PlanDevice {
    /// The device.
    pub backend: Arc<dyn Backend>,
    /// Bytes.
    pub arena_bytes: usize,
}

impl std::fmt::Debug for PlanDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} bytes", self.backend.descriptor().kind, self.arena_bytes)
    }
}

/// The memory that a running plan owns. Keep it to run the plan again without allocating.
#[derive(Debug, Default)]
pub struct Workspace {
    arenas: Vec<Option<Buffer>>,
}

impl Workspace {
    /// Memory for the plan's arenas.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(plan: &Plan) -> Result<Workspace> {
        let allocate = |device: &PlanDevice| match device.arena_bytes {
            0 => Ok(None),
            bytes => device.backend.memory().allocate(bytes).map(Some),
        };
        Ok(Workspace { arenas: plan.devices.iter().map(allocate).collect::<Result<_>>()? })
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.arenas.iter().flatten().map(Buffer::bytes).sum()
    }

    fn arena(&self, device: usize) -> Result<&Buffer> {
        self.arenas.get(device).and_then(|a| a.as_ref()).ok_or_else(|| {
            Error::new(ErrorKind::Unknown, "plan").expected("an arena").got(format!("none for device {device}"))
        })
    }
}

/// What a run of a plan did: a receipt for each launch, and the sums.
#[derive(Clone, Debug, Default)]
pub struct PlanReceipt {
    /// One receipt a launch, in order. Bytes and waits of copies count on the launch before them.
    pub launches: Vec<Receipt>,
}

impl Plan {
    /// The plan of one call: on a host-memory device one launch; otherwise uploads, a launch, a wait and downloads.
    pub fn of_call(call: Arc<ResolvedCall>) -> Plan {
        let mut builder = PlanBuilder::new();
        let inputs: Vec<_> = call.inputs.iter().map(|spec| spec.map(|spec| builder.input(spec))).collect();
        let outputs: Vec<_> = call.outputs.iter().map(|spec| builder.output(*spec)).collect();
        let on_host = call.on_host();
        let device = builder.device(&call.backend);
        let mut arena = 0;
        let mut place = |builder: &mut PlanBuilder, spec: TensorSpec| {
            let offset = arena;
            arena += spec.bytes().next_multiple_of(ARENA_ALIGN);
            builder.slot(Slot { spec, place: Place::Arena { device, offset } })
        };
        let mut read = Vec::with_capacity(inputs.len());
        for (slot, spec) in inputs.iter().zip(&call.inputs) {
            read.push(match (slot, spec) {
                (Some(slot), Some(spec)) if !on_host => {
                    let to = place(&mut builder, *spec);
                    builder.push(Step::Upload { from: *slot, to });
                    Some(builder.dense(to))
                }
                (Some(slot), _) => Some(builder.dense(*slot)),
                _ => None,
            });
        }
        let written: Vec<_> = match on_host {
            true => outputs.clone(),
            false => call.outputs.iter().map(|spec| place(&mut builder, *spec)).collect(),
        };
        let (inputs_read, outputs_written) = (read, written.clone());
        let step =
            Step::Launch { call: call.clone(), inputs: inputs_read, outputs: outputs_written, prepared: Vec::new() };
        builder.push(step);
        if !on_host {
            builder.push(Step::Wait { device });
            for (from, to) in written.iter().zip(&outputs) {
                builder.push(Step::Download { from: *from, to: *to });
            }
        }
        builder.arena_bytes(device, arena);
        let mut plan = builder.finish(inputs, outputs);
        plan.direct = on_host.then_some(call);
        plan
    }

    /// The call, if the plan is a single launch on host memory.
    pub fn direct(&self) -> Option<&ResolvedCall> {
        self.direct.as_deref()
    }

    /// The calls of its launches, in order.
    pub fn calls(&self) -> impl Iterator<Item = &Arc<ResolvedCall>> {
        self.steps.iter().filter_map(|step| match step {
            Step::Launch { call, .. } => Some(call),
            _ => None,
        })
    }

    /// Runs a plan of one call and returns its receipt. Allocates device memory if the plan owns any; a session keeps
    /// it instead.
    ///
    /// # Errors
    /// Tensors that differ from the plan's; results that overlap inputs or each other; what the policy forbids to copy
    /// but only a session could hold; a failure of the device.
    pub fn run_one(
        &self,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
    ) -> Result<Receipt> {
        let mut receipt = self.calls().next().map(|call| call.template).ok_or_else(|| broken("no launch"))?;
        self.run_one_into(inputs, outputs, policy, &mut receipt)?;
        Ok(receipt)
    }

    /// [`Plan::run_one`] with the receipt written in place: moving one through a `Result` costs as much as a look-up.
    #[inline(always)]
    pub(crate) fn run_one_into(
        &self,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let Some(call) = &self.direct else {
            return self.run_copied(inputs, outputs, policy, receipt);
        };
        call.check_outputs(inputs, outputs)?;
        if !policy.copies_everything() {
            check_io(call, policy)?;
            *receipt = run_without_download(call, inputs, outputs, policy)?;
            return Ok(());
        }
        let start = if trace::enabled() { Some(trace::now_ns()) } else { None };
        call.launch(Args::Host { inputs, prepared: &[], outputs })?;
        *receipt = call.template;
        receipt.warn = call.claim_warning();
        receipt.launches = 1;
        if let Some(start) = start {
            receipt.duration_ns = Some(trace::now_ns().saturating_sub(start));
        }
        Ok(())
    }

    /// A one-shot run on a device with memory of its own.
    #[cold]
    fn run_copied(
        &self,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let workspace = Workspace::new(self)?;
        let receipts = self.run(&workspace, inputs, outputs, policy)?;
        *receipt = *receipts.launches.first().ok_or_else(|| broken("no launch"))?;
        for more in &receipts.launches[1..] {
            receipt.launches += more.launches;
            receipt.waits += more.waits;
            receipt.bytes_uploaded += more.bytes_uploaded;
            receipt.bytes_downloaded += more.bytes_downloaded;
        }
        Ok(())
    }

    /// Runs the steps in order.
    ///
    /// # Errors
    /// As [`Plan::run_one`].
    pub fn run(
        &self,
        workspace: &Workspace,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
    ) -> Result<PlanReceipt> {
        self.steps(workspace, inputs, outputs, policy, false)
    }

    /// [`Plan::run`] with a time in the receipt of every launch: it waits after each, so that the sum is no shorter than
    /// a run's own time.
    ///
    /// # Errors
    /// As [`Plan::run_one`].
    pub fn run_timed(
        &self,
        workspace: &Workspace,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
    ) -> Result<PlanReceipt> {
        self.steps(workspace, inputs, outputs, policy, true)
    }

    fn steps(
        &self,
        workspace: &Workspace,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
        timed: bool,
    ) -> Result<PlanReceipt> {
        self.check(inputs, outputs)?;
        let start = (!timed && trace::enabled()).then(trace::now_ns);
        let mut run = Run { plan: self, workspace, receipts: Vec::new(), pending: None, timed };
        for step in &self.steps {
            run.step(step, inputs, outputs, policy)?;
        }
        if let (Some(start), Some(last)) = (start, run.receipts.last_mut()) {
            last.duration_ns = Some(trace::now_ns().saturating_sub(start));
        }
        Ok(PlanReceipt { launches: run.receipts })
    }

    fn check(&self, inputs: &[Option<TensorRef<'_>>], outputs: &[TensorMut<'_>]) -> Result<()> {
        let text = |s: &TensorSpec| format!("{} {}", s.dtype, s.shape);
        if inputs.len() != self.inputs.len() || outputs.len() != self.outputs.len() {
            let expected = format!("{} inputs and {} results", self.inputs.len(), self.outputs.len());
            return Err(Error::invalid("plan", "inputs", expected, format!("{} and {}", inputs.len(), outputs.len())));
        }
        for (i, (slot, tensor)) in self.inputs.iter().zip(inputs).enumerate() {
            let want = slot.map(|slot| &self.slots[slot].spec);
            let got = tensor.as_ref().map(TensorRef::spec);
            if want != got {
                let or_none = |s: Option<&TensorSpec>| s.map_or("none".into(), text);
                return Err(Error::invalid("plan", format!("input {i}"), or_none(want), or_none(got)));
            }
        }
        for (i, (slot, tensor)) in self.outputs.iter().zip(outputs).enumerate() {
            let want = &self.slots[*slot].spec;
            if want != tensor.spec() {
                return Err(Error::invalid("plan", format!("result {i}"), text(want), text(tensor.spec())));
            }
            let shared = inputs.iter().flatten().any(|input| tensor.overlaps(input))
                || outputs[..i].iter().any(|other| tensor.overlaps(&other.as_ref()));
            if shared {
                return Err(Error::invalid("plan", format!("result {i}"), "memory of its own", "overlapping memory"));
            }
        }
        Ok(())
    }
}

#[cold]
fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::Unknown, "plan").expected("a well-formed plan").got(what)
}
