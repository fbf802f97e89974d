//! Resolved work: what runs where, what is copied, and when the caller waits.
//!
//! A [`Plan`] is a list of steps over slots. A slot is a tensor with a place: an argument of the caller, a result, or an
//! offset into memory that the plan owns on some device. The plan of a single op on a device that reads host memory is
//! one launch, and that is the path of every eager CPU call.

use crate::attrs::Attrs;
use crate::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry};
use crate::device::DeviceKind;
use crate::error::{Error, ErrorKind, Result};
use crate::intern::Name;
use crate::policy::{EffectivePolicy, SyncMode};
use crate::receipt::{Reason, Receipt};
use crate::registry::{Cost, MAX_INPUTS, OpDef, OutputSpecs};
use crate::shape::Strides;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace::{self, Event, EventType};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One op call with its device and kernel chosen.
pub struct ResolvedCall {
    /// The op.
    pub op: &'static OpDef,
    /// Its attributes.
    pub attrs: Attrs,
    /// Type and extents of its inputs.
    pub inputs: Vec<Option<TensorSpec>>,
    /// Type and extents of its results.
    pub outputs: OutputSpecs,
    /// What it costs.
    pub cost: Cost,
    /// The device.
    pub backend: Arc<dyn Backend>,
    /// The kernel.
    pub(crate) kernel: &'static KernelEntry,
    /// A receipt with everything that does not change from call to call.
    pub(crate) template: Receipt,
    pub(crate) op_name: Name,
    pub(crate) kernel_name: Name,
    /// Set while nobody has been told about this fallback.
    pub(crate) unwarned: AtomicBool,
}

impl std::fmt::Debug for ResolvedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} by {}", self.op.name, self.template.selected, self.template.kernel)
    }
}

impl ResolvedCall {
    /// The kernel.
    #[inline]
    pub fn kernel(&self) -> &'static KernelEntry {
        self.kernel
    }

    /// The receipt of a call that has not run.
    pub fn receipt(&self) -> Receipt {
        self.template
    }

    /// Whether the kernel works on host memory.
    pub fn on_host(&self) -> bool {
        self.backend.descriptor().host_memory
    }

    /// A receipt to fill in; claims the one-time warning.
    #[inline]
    pub(crate) fn open_receipt(&self) -> Receipt {
        let mut receipt = self.template;
        if receipt.fallback && self.unwarned.load(Ordering::Relaxed) {
            receipt.warn = self.unwarned.swap(false, Ordering::Relaxed);
        }
        receipt
    }

    pub(crate) fn event(&self, kind: EventType, start_ns: u64, bytes: u64) -> Event {
        Event {
            start_ns,
            duration_ns: trace::now_ns().saturating_sub(start_ns),
            bytes,
            op: self.op_name,
            kernel: self.kernel_name,
            requested: Some(self.template.requested),
            selected: Some(self.template.selected),
            fallback: self.template.fallback,
            reason: Some(self.template.reason),
            ..Event::new(kind)
        }
    }

    /// Launches, and records it when the trace is on.
    #[inline]
    pub(crate) fn launch(&self, args: Args<'_>) -> Result<()> {
        if !trace::enabled() {
            return self.backend.compute().launch(self.kernel(), &self.attrs, args);
        }
        let start = trace::now_ns();
        let result = self.backend.compute().launch(self.kernel(), &self.attrs, args);
        trace::record(&Event {
            status: result.as_ref().err().map(Error::kind),
            detail0: self.cost.work,
            ..self.event(EventType::OpDispatch, start, self.cost.bytes_read + self.cost.bytes_written)
        });
        result
    }

    /// Waits for everything launched on the call's device.
    pub(crate) fn wait(&self, receipt: &mut Receipt) -> Result<()> {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.sync().synchronize();
        receipt.waits += 1;
        if trace::enabled() {
            trace::record(&Event {
                status: result.as_ref().err().map(Error::kind),
                ..self.event(EventType::Sync, start, 0)
            });
        }
        result
    }

    pub(crate) fn upload(
        &self,
        index: usize,
        source: &TensorRef<'_>,
        target: &Buffer,
        offset: usize,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.memory().upload(source, target, offset);
        let bytes = source.spec().bytes() as u64;
        receipt.bytes_uploaded += bytes;
        if trace::enabled() {
            trace::record(&Event {
                status: result.as_ref().err().map(Error::kind),
                detail0: index as u64,
                ..self.event(EventType::Upload, start, bytes)
            });
        }
        result
    }

    pub(crate) fn download(
        &self,
        index: usize,
        source: &Buffer,
        offset: usize,
        target: &mut TensorMut<'_>,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.memory().download(source, offset, target);
        let bytes = target.spec().bytes() as u64;
        receipt.bytes_downloaded += bytes;
        if trace::enabled() {
            trace::record(&Event {
                status: result.as_ref().err().map(Error::kind),
                detail0: index as u64,
                ..self.event(EventType::Download, start, bytes)
            });
        }
        result
    }

    /// Checks that the caller's tensors are those that the call was resolved for.
    pub(crate) fn check_inputs(&self, inputs: &[Option<TensorRef<'_>>]) -> Result<()> {
        for i in 0..self.inputs.len().max(inputs.len()) {
            let got = inputs.get(i).and_then(|t| t.as_ref()).map(|t| *t.spec());
            let want = self.inputs.get(i).copied().flatten();
            if got != want {
                return Err(self.other_input(i, got));
            }
        }
        Ok(())
    }

    /// The error for input `i` being other than what the call was resolved for.
    pub(crate) fn other_input(&self, i: usize, got: Option<TensorSpec>) -> Error {
        let text = |s: Option<TensorSpec>| s.map_or("none".into(), |s| format!("{} {}", s.dtype, s.shape));
        let name = self.op.inputs.get(i).map_or("inputs", |input| input.name);
        Error::invalid(self.op.name, name, text(self.inputs.get(i).copied().flatten()), text(got))
    }

    /// The same call with other attributes, which its op and kernel take and which leave its results' types and extents.
    pub(crate) fn with_attrs(&self, attrs: &Attrs) -> ResolvedCall {
        ResolvedCall {
            op: self.op,
            attrs: *attrs,
            inputs: self.inputs.clone(),
            outputs: self.outputs,
            cost: (self.op.cost)(attrs, &self.inputs, &self.outputs),
            backend: self.backend.clone(),
            kernel: self.kernel,
            template: self.template,
            op_name: self.op_name,
            kernel_name: self.kernel_name,
            unwarned: AtomicBool::new(self.unwarned.swap(false, Ordering::Relaxed)),
        }
    }

    /// Checks that the caller's results have the right type and extents and share no memory with an input.
    #[inline]
    pub(crate) fn check_outputs(&self, inputs: &[Option<TensorRef<'_>>], outputs: &[TensorMut<'_>]) -> Result<()> {
        if outputs.len() != self.outputs.len() {
            let expected = format!("{} results", self.outputs.len());
            return Err(Error::invalid(self.op.name, "outputs", expected, format!("{}", outputs.len())));
        }
        for (i, (out, spec)) in outputs.iter().zip(self.outputs.iter()).enumerate() {
            if out.spec() != spec {
                let text = |s: &TensorSpec| format!("{} {}", s.dtype, s.shape);
                return Err(Error::invalid(self.op.name, self.op.outputs[i], text(spec), text(out.spec())));
            }
            for (input, decl) in inputs.iter().zip(self.op.inputs) {
                if let Some(input) = input
                    && out.overlaps(input)
                {
                    return Err(overlap(self.op, i, decl.name));
                }
            }
            for (j, other) in outputs[..i].iter().enumerate() {
                if out.overlaps(&other.as_ref()) {
                    return Err(overlap(self.op, i, self.op.outputs[j]));
                }
            }
        }
        Ok(())
    }
}

#[cold]
fn overlap(op: &'static OpDef, output: usize, other: &'static str) -> Error {
    Error::invalid(op.name, op.outputs[output], "memory of its own", format!("memory that overlaps `{other}`"))
        .hint("pass a separate array, or copy the input first")
}

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
        builder.push(Step::Launch { call: call.clone(), inputs: read, outputs: written.clone() });
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
    #[inline]
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
        let args = Args::Host { inputs, prepared: &[], outputs };
        if trace::enabled() {
            let start = trace::now_ns();
            call.launch(args)?;
            *receipt = call.open_receipt();
            receipt.duration_ns = Some(trace::now_ns().saturating_sub(start));
        } else {
            call.launch(args)?;
            *receipt = call.open_receipt();
        }
        receipt.launches = 1;
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
        self.check(inputs, outputs)?;
        let start = trace::enabled().then(trace::now_ns);
        let mut run = Run { plan: self, workspace, receipts: Vec::new(), pending: None };
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

/// Runs a one-shot host call some of whose results the policy leaves on the device: they go to scratch memory, and the
/// caller's stay as they are, as on a device with memory of its own.
#[cold]
fn run_without_download(
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
fn check_io(call: &ResolvedCall, policy: EffectivePolicy) -> Result<()> {
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
struct Run<'a> {
    plan: &'a Plan,
    workspace: &'a Workspace,
    receipts: Vec<Receipt>,
    /// Bytes uploaded before the launch that needs them.
    pending: Option<u64>,
}

impl Run<'_> {
    fn step(
        &mut self,
        step: &Step,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
    ) -> Result<()> {
        match step {
            Step::Launch { call, inputs: read, outputs: written } => {
                let mut receipt = call.open_receipt();
                receipt.launches = 1;
                receipt.bytes_uploaded = self.pending.take().unwrap_or(0);
                self.launch(call, read, written, inputs, outputs)?;
                if policy.sync() == SyncMode::Always && call.backend.descriptor().asynchronous {
                    call.wait(&mut receipt)?;
                }
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
                    Place::Input(_) => return Err(broken("a download into an argument")),
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
        read: &[Option<View>],
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
            return call.launch(Args::Host { inputs: &tensors[..read.len()], prepared: &[], outputs: &results });
        }
        let device_tensor = |slot: SlotId, offset: usize, spec: TensorSpec, strides: Strides| {
            let (device, base) = self.arena_of(slot)?;
            let offset = base + offset * spec.dtype.size();
            Ok(DeviceTensor { buffer: self.workspace.arena(device)?, offset, spec, strides })
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
            _ => self.host_slot(view.slot)?.0,
        };
        let ptr = base.wrapping_add(view.offset * view.spec.dtype.size());
        // SAFETY: the planner keeps views inside their slot. The slot lies in an arena of this workspace, or is a result
        // whose one writer is an earlier step.
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

#[cold]
fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::Unknown, "plan").expected("a well-formed plan").got(what)
}

/// Puts a plan together, step by step.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    devices: Vec<PlanDevice>,
    slots: Vec<Slot>,
    steps: Vec<Step>,
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
        Plan { devices: self.devices, slots: self.slots, steps: self.steps, inputs, outputs, direct: None }
    }
}

/// Everything of a receipt that is known when a call is resolved.
pub(crate) fn template(
    op: &'static OpDef,
    requested: crate::device::DeviceRequest,
    selected: DeviceKind,
    kernel: &KernelEntry,
    dtype: crate::dtype::DType,
    fallback: bool,
    reason: Reason,
) -> Receipt {
    Receipt {
        op: op.name,
        requested,
        selected,
        kernel: kernel.name,
        dtype,
        math: kernel.math,
        fallback,
        reason,
        launches: 0,
        waits: 0,
        bytes_uploaded: 0,
        bytes_downloaded: 0,
        duration_ns: None,
        warn: false,
    }
}
