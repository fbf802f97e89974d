//! A session: one op call with its own resident buffers, to be run many times.
//!
//! Every call means the same on every device. [`start`](Session::start) uploads and launches;
//! [`run`](Session::run) launches on what is resident; [`run_batch`](Session::run_batch) launches n times and waits once;
//! [`sync`](Session::sync) waits; [`finish`](Session::finish) waits and downloads the last result, and launches nothing.
//! Two sessions share nothing. On the CPU a session keeps copies of its operands, packed where a kernel has a packed
//! form, so what the caller does to its arrays between calls changes nothing.

use crate::attrs::Attrs;
use crate::backend::{Args, Buffer, DeviceTensor};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::ResolvedCall;
use crate::policy::{EffectivePolicy, PackedPolicy, SyncMode};
use crate::receipt::Receipt;
use crate::registry::MAX_INPUTS;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace;
use std::sync::Arc;

/// Launches that may be outstanding before a session waits, so that a loop without a wait cannot pile up work.
pub const MAX_IN_FLIGHT: u32 = 256;
/// The most launches of one batch: more is taken for a mistake, such as a negative count read as unsigned.
pub const MAX_BATCH: u64 = 1 << 20;

/// One resident input.
#[derive(Debug)]
struct Resident {
    spec: TensorSpec,
    buffer: Buffer,
    prepared: Option<Buffer>,
    filled: bool,
}

/// One op call with resident buffers of its own.
#[derive(Debug)]
pub struct Session {
    call: Arc<ResolvedCall>,
    policy: PackedPolicy,
    inputs: Vec<Option<Resident>>,
    outputs: Vec<(TensorSpec, Buffer)>,
    in_flight: u32,
    launched: bool,
    /// Set by a failure of the device: what is resident is no longer known.
    poisoned: bool,
}

impl Session {
    /// A session that has uploaded nothing.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(call: Arc<ResolvedCall>, policy: PackedPolicy) -> Result<Session> {
        let memory = call.backend.memory();
        let resident = |spec: &Option<TensorSpec>| {
            spec.map(|spec| {
                let buffer = memory.allocate(spec.bytes())?;
                Ok(Resident { spec, buffer, prepared: None, filled: false })
            })
            .transpose()
        };
        let inputs = call.inputs.iter().map(resident).collect::<Result<_>>()?;
        let outputs =
            call.outputs.iter().map(|spec| Ok((*spec, memory.allocate(spec.bytes())?))).collect::<Result<_>>()?;
        Ok(Session { call, policy, inputs, outputs, in_flight: 0, launched: false, poisoned: false })
    }

    /// Device, kernel, types and extents.
    pub fn call(&self) -> &ResolvedCall {
        &self.call
    }

    /// Bytes that the session holds on its device.
    pub fn bytes(&self) -> usize {
        let inputs = self.inputs.iter().flatten();
        inputs.map(|r| r.buffer.bytes() + r.prepared.as_ref().map_or(0, Buffer::bytes)).sum::<usize>()
            + self.outputs.iter().map(|(_, b)| b.bytes()).sum::<usize>()
    }

    fn effective(&self, call: PackedPolicy) -> EffectivePolicy {
        EffectivePolicy::of(call, self.policy)
    }

    /// Does what a policy says, in order: uploads the inputs whose upload is on, launches once, downloads the results
    /// whose download is on, waits if anything was downloaded or the policy says so.
    ///
    /// Every check is made before anything happens.
    ///
    /// # Errors
    /// Tensors of other types or extents; an input that is not uploaded and never was; results that overlap inputs; a
    /// failure of the device, which poisons the session.
    pub fn step(
        &mut self,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        call: PackedPolicy,
    ) -> Result<Receipt> {
        let policy = self.effective(call);
        self.step_with(inputs, outputs, policy, |i| policy.upload(i))
    }

    /// [`Session::step`] that uploads the inputs that are given, where the policy's upload is on, and leaves the others as
    /// they are: for steps that change some operands.
    ///
    /// # Errors
    /// As [`Session::step`].
    pub fn update(
        &mut self,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        call: PackedPolicy,
    ) -> Result<Receipt> {
        let policy = self.effective(call);
        let given = |i: usize| inputs.get(i).is_some_and(Option::is_some);
        self.step_with(inputs, outputs, policy, |i| policy.upload(i) && given(i))
    }

    fn step_with(
        &mut self,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
        upload: impl Fn(usize) -> bool,
    ) -> Result<Receipt> {
        self.check_alive()?;
        self.check_uploads(inputs, &upload)?;
        let download = |i: usize| policy.download(i) && i < outputs.len();
        let downloads = (0..self.outputs.len()).any(download);
        if downloads {
            self.call.check_outputs(inputs, outputs)?;
        }
        let mut receipt = self.call.open_receipt();
        let start = trace::enabled().then(trace::now_ns);
        self.upload(inputs, &upload, &mut receipt)?;
        self.launch(1, policy, &mut receipt)?;
        if downloads || policy.synchronize() {
            self.wait(&mut receipt)?;
        }
        for (i, out) in outputs.iter_mut().enumerate() {
            if policy.download(i) {
                self.call.download(i, &self.outputs[i].1, 0, out, &mut receipt)?;
            }
        }
        receipt.duration_ns = start.map(|t| trace::now_ns().saturating_sub(t));
        Ok(receipt)
    }

    /// Uploads every input and launches once. Does not wait, unless the policy's sync mode is "always".
    ///
    /// # Errors
    /// As [`Session::step`].
    pub fn start(&mut self, inputs: &[Option<TensorRef<'_>>]) -> Result<Receipt> {
        let policy = self.effective(PackedPolicy::UNSET);
        self.check_alive()?;
        self.check_uploads(inputs, |_| true)?;
        let mut receipt = self.call.open_receipt();
        self.upload(inputs, |_| true, &mut receipt)?;
        self.launch(1, policy, &mut receipt)?;
        Ok(receipt)
    }

    /// Launches once on what is resident.
    ///
    /// # Errors
    /// Not started; a failure of the device.
    pub fn run(&mut self) -> Result<Receipt> {
        self.check_resident()?;
        let mut receipt = self.call.open_receipt();
        self.launch(1, self.effective(PackedPolicy::UNSET), &mut receipt)?;
        Ok(receipt)
    }

    /// Launches `count` times on what is resident, then waits once.
    ///
    /// # Errors
    /// A count of zero or above [`MAX_BATCH`]; not started; a failure of the device.
    pub fn run_batch(&mut self, count: u64) -> Result<Receipt> {
        if count == 0 || count > MAX_BATCH {
            let expected = format!("1 to {MAX_BATCH} launches");
            return Err(Error::invalid(self.call.op.name, "repeat_count", expected, count.to_string()));
        }
        self.check_resident()?;
        let mut receipt = self.call.open_receipt();
        self.launch(count as u32, self.effective(PackedPolicy::UNSET), &mut receipt)?;
        self.wait(&mut receipt)?;
        Ok(receipt)
    }

    /// Waits for every launch of this session.
    ///
    /// # Errors
    /// Not started; a failure of the device.
    pub fn sync(&mut self) -> Result<Receipt> {
        self.check_launched()?;
        let mut receipt = self.call.open_receipt();
        self.wait(&mut receipt)?;
        Ok(receipt)
    }

    /// Waits, and downloads the results of the last launch. Launches nothing.
    ///
    /// # Errors
    /// Not started; results of other types or extents; a failure of the device.
    pub fn finish(&mut self, outputs: &mut [TensorMut<'_>]) -> Result<Receipt> {
        self.check_launched()?;
        self.call.check_outputs(&[], outputs)?;
        let mut receipt = self.call.open_receipt();
        self.wait(&mut receipt)?;
        for (i, out) in outputs.iter_mut().enumerate() {
            self.call.download(i, &self.outputs[i].1, 0, out, &mut receipt)?;
        }
        Ok(receipt)
    }

    /// Sets the attributes of the launches from now on. Types and extents stay as they are.
    ///
    /// # Errors
    /// What the op's rule refuses; attributes that change the results' extents or that the session's kernel does not take.
    pub fn set_attrs(&mut self, attrs: &Attrs) -> Result<()> {
        let call = &self.call;
        if *attrs == call.attrs {
            return Ok(());
        }
        let outputs = call.op.check(attrs, &call.inputs)?;
        if outputs != call.outputs || !(call.kernel().accepts)(attrs, &call.inputs) {
            let expected = "attributes that keep extents and kernel";
            return Err(Error::invalid(call.op.name, "attributes", expected, "others").hint("make a new session"));
        }
        self.set_call(Arc::new(call.with_attrs(attrs)))
    }

    /// Sets the call of the launches from now on: another op or other attributes on the same resident operands.
    ///
    /// # Errors
    /// A call on another device, or with inputs or results of other types or extents.
    pub fn set_call(&mut self, call: Arc<ResolvedCall>) -> Result<()> {
        let now = &self.call;
        let fits = Arc::ptr_eq(&call.backend, &now.backend) && call.inputs == now.inputs && call.outputs == now.outputs;
        if !fits {
            let expected = "a call on the session's device, with its inputs and results";
            return Err(Error::invalid(call.op.name, "call", expected, format!("{call:?}")).hint("make a new session"));
        }
        // The prepared form depends on kernel and attributes; the dense one always serves.
        if call.op != now.op || !std::ptr::eq(call.kernel(), now.kernel()) || call.attrs != now.attrs {
            for resident in self.inputs.iter_mut().flatten() {
                resident.prepared = None;
            }
        }
        self.call = call;
        Ok(())
    }

    /// Makes the last launch's result `output` the resident input `input`, without a copy: the two change places. For
    /// steps that update an operand.
    ///
    /// # Errors
    /// No such result or input, or they differ in type or extents; nothing launched yet.
    pub fn feed_back(&mut self, output: usize, input: usize) -> Result<()> {
        self.check_launched()?;
        match (self.outputs.get_mut(output), self.inputs.get_mut(input).and_then(Option::as_mut)) {
            (Some((spec, result)), Some(resident)) if *spec == resident.spec => {
                std::mem::swap(result, &mut resident.buffer);
                resident.prepared = None;
                resident.filled = true;
                Ok(())
            }
            _ => {
                let got = format!("result {output} and input {input}");
                Err(Error::invalid(self.call.op.name, "feed_back", "a result and an input of one type and shape", got))
            }
        }
    }

    /// Whether every input is resident.
    pub fn is_started(&self) -> bool {
        self.inputs.iter().flatten().all(|r| r.filled)
    }

    fn check_alive(&self) -> Result<()> {
        if self.poisoned {
            return Err(Error::new(ErrorKind::DriverError, self.call.op.name)
                .expected("a working session")
                .got("one whose device failed in an earlier call")
                .hint("make a new session"));
        }
        Ok(())
    }

    fn check_resident(&self) -> Result<()> {
        self.check_alive()?;
        let missing = self.inputs.iter().position(|r| r.as_ref().is_some_and(|r| !r.filled));
        match missing {
            None => Ok(()),
            Some(i) => Err(self.not_resident(i)),
        }
    }

    fn check_launched(&self) -> Result<()> {
        self.check_alive()?;
        if !self.launched {
            return Err(Error::new(ErrorKind::NotInitialized, self.call.op.name)
                .expected("a started session")
                .got("one that has launched nothing")
                .hint("call start first"));
        }
        Ok(())
    }

    fn not_resident(&self, index: usize) -> Error {
        Error::new(ErrorKind::NotInitialized, self.call.op.name)
            .argument(self.call.op.inputs[index].name)
            .expected("a resident operand")
            .got("one that was never uploaded")
            .hint("call start first, or leave its upload on in the first call")
    }

    /// Checks what will be uploaded against the session, and that everything else is resident.
    fn check_uploads(&self, inputs: &[Option<TensorRef<'_>>], upload: impl Fn(usize) -> bool) -> Result<()> {
        if inputs.len() > self.inputs.len() {
            return self.call.check_inputs(inputs);
        }
        for (i, resident) in self.inputs.iter().enumerate() {
            let given = inputs.get(i).and_then(|t| t.as_ref()).map(|t| *t.spec());
            match resident {
                Some(r) if upload(i) && given != Some(r.spec) => return Err(self.call.other_input(i, given)),
                Some(r) if !r.filled && !upload(i) => return Err(self.not_resident(i)),
                None if given.is_some() => return Err(self.call.other_input(i, given)),
                _ => {}
            }
        }
        Ok(())
    }

    fn upload(
        &mut self,
        inputs: &[Option<TensorRef<'_>>],
        upload: impl Fn(usize) -> bool,
        receipt: &mut Receipt,
    ) -> Result<()> {
        // Launches that are still running read the buffers that are about to change.
        let uploads = |i: usize| upload(i) && inputs.get(i).is_some_and(Option::is_some);
        if self.in_flight > 0 && (0..self.inputs.len()).any(uploads) {
            self.wait(receipt)?;
        }
        let call = &self.call;
        for i in 0..self.inputs.len() {
            let (Some(resident), Some(tensor), true) =
                (&mut self.inputs[i], inputs.get(i).and_then(|t| t.as_ref()), upload(i))
            else {
                continue;
            };
            resident.filled = true;
            if let Err(error) = call.upload(i, tensor, &resident.buffer, 0, receipt) {
                self.poisoned = true;
                return Err(error);
            }
        }
        // A second round: a packed form may depend on the extents of every operand, of which this call may bring few.
        let views = self.views(inputs);
        let mut packed = [const { None }; MAX_INPUTS];
        for i in (0..self.inputs.len()).filter(|i| uploads(*i)) {
            match call.backend.memory().prepare(call.kernel(), &call.attrs, &views[..self.inputs.len()], i) {
                Ok(prepared) => packed[i] = prepared,
                Err(error) => {
                    self.poisoned = true;
                    return Err(error);
                }
            }
        }
        for (i, prepared) in packed.into_iter().enumerate().take(self.inputs.len()) {
            if let (Some(resident), true) = (&mut self.inputs[i], uploads(i)) {
                resident.prepared = prepared;
            }
        }
        Ok(())
    }

    /// What is resident, as far as the host can read it; else what the caller brought.
    fn views<'a>(&'a self, inputs: &[Option<TensorRef<'a>>]) -> [Option<TensorRef<'a>>; MAX_INPUTS] {
        let mut views = [None; MAX_INPUTS];
        for (i, resident) in self.inputs.iter().enumerate() {
            let resident = resident.as_ref().filter(|r| r.filled);
            views[i] = match resident.and_then(|r| Some((r.buffer.host()?, r.spec))) {
                // SAFETY: the buffer holds a dense tensor of this spec and lives as long as the session.
                Some((host, spec)) => Some(unsafe { TensorRef::from_raw(host, spec, spec.shape.contiguous_strides()) }),
                None => inputs.get(i).copied().flatten(),
            };
        }
        views
    }

    fn launch(&mut self, count: u32, policy: EffectivePolicy, receipt: &mut Receipt) -> Result<()> {
        let asynchronous = self.call.backend.descriptor().asynchronous;
        for _ in 0..count {
            if asynchronous && self.in_flight >= MAX_IN_FLIGHT {
                self.wait(receipt)?;
            }
            if let Err(error) = self.launch_once() {
                self.poisoned = true;
                return Err(error);
            }
            receipt.launches += 1;
            self.launched = true;
            if asynchronous {
                self.in_flight += 1;
                if policy.sync() == SyncMode::Always {
                    self.wait(receipt)?;
                }
            }
        }
        Ok(())
    }

    fn launch_once(&self) -> Result<()> {
        if !self.call.on_host() {
            let dense = |spec: TensorSpec| spec.shape.contiguous_strides();
            let inputs: Vec<_> = self
                .inputs
                .iter()
                .map(|r| {
                    let r = r.as_ref()?;
                    Some(DeviceTensor { buffer: &r.buffer, offset: 0, spec: r.spec, strides: dense(r.spec) })
                })
                .collect();
            let outputs: Vec<_> = self
                .outputs
                .iter()
                .map(|(spec, buffer)| DeviceTensor { buffer, offset: 0, spec: *spec, strides: dense(*spec) })
                .collect();
            return self.call.launch(Args::Device { inputs: &inputs, outputs: &outputs });
        }
        let host = |buffer: &Buffer| {
            buffer
                .host()
                .ok_or_else(|| Error::new(ErrorKind::Unknown, "session").expected("host memory").got("device memory"))
        };
        // One by one: `[None; N]` fills all bytes, 160 for each tensor.
        let mut inputs: [Option<TensorRef<'_>>; MAX_INPUTS] = std::array::from_fn(|_| None);
        let mut prepared = [None; MAX_INPUTS];
        for (i, resident) in self.inputs.iter().enumerate() {
            if let Some(r) = resident {
                // SAFETY: the buffer holds a dense tensor of this spec and lives as long as the session.
                let tensor =
                    unsafe { TensorRef::from_raw(host(&r.buffer)?, r.spec, r.spec.shape.contiguous_strides()) };
                inputs[i] = Some(tensor);
                prepared[i] = r.prepared.as_ref();
            }
        }
        let count = self.inputs.len();
        let (inputs, prepared) = (&inputs[..count], &prepared[..count]);
        let output = |(spec, buffer): &(TensorSpec, Buffer)| {
            // SAFETY: the buffer is this session's own result of this spec; nothing reads it while a launch runs.
            Ok(unsafe { TensorMut::from_raw(host(buffer)?, *spec) })
        };
        // Most ops have one result, which needs no list on the heap.
        if let [only] = &self.outputs[..] {
            return self.call.launch(Args::Host { inputs, prepared, outputs: &[output(only)?] });
        }
        let outputs: Vec<_> = self.outputs.iter().map(output).collect::<Result<_>>()?;
        self.call.launch(Args::Host { inputs, prepared, outputs: &outputs })
    }

    fn wait(&mut self, receipt: &mut Receipt) -> Result<()> {
        if !self.call.backend.descriptor().asynchronous {
            return Ok(());
        }
        let result = self.call.wait(receipt);
        match result {
            Ok(()) => self.in_flight = 0,
            Err(_) => self.poisoned = true,
        }
        result
    }
}
