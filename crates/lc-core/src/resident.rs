//! Weights that stay on a device in the form its kernels read fastest, for calls that bring everything else.
//!
//! A [`Session`](crate::Session) owns all operands of one call of fixed extents. A [`Resident`] owns some: the others come
//! with each call, of any extents that the op takes. On a device that reads host memory they are read where they are, and
//! results are written where they go: such a call copies nothing. Any number of threads may call at once.

use crate::attrs::Attrs;
use crate::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{ARENA_ALIGN, ResolvedCall};
use crate::policy::{EffectivePolicy, PackedPolicy};
use crate::receipt::Receipt;
use crate::registry::{MAX_INPUTS, OpDef};
use crate::runtime::{Runtime, plan_epoch};
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Extents of other operands whose device and kernel are remembered.
const RECENT: usize = 16;

/// The operands that a call brings, as a key.
type Given = [Option<TensorSpec>; MAX_INPUTS];

/// Operands of an op that stay on a device.
pub struct Resident {
    op: &'static OpDef,
    attrs: Attrs,
    level: PackedPolicy,
    /// What device and kernel are chosen under: fixed, so that a scope opened later moves no weights.
    policy: EffectivePolicy,
    weights: Given,
    /// One for each kernel that was chosen so far. The first is made with the object.
    forms: Mutex<Vec<Arc<Form>>>,
    /// The most recently resolved last.
    recent: Mutex<Vec<(Given, Arc<Ready>)>>,
    /// Memory of the last call on a device with memory of its own, for the next one.
    scratch: Mutex<Option<Buffer>>,
}

/// The weights as one kernel of one device reads them.
struct Form {
    backend: Arc<dyn Backend>,
    kernel: &'static KernelEntry,
    weights: [Option<Weight>; MAX_INPUTS],
}

struct Weight {
    spec: TensorSpec,
    /// Dense.
    buffer: Buffer,
    prepared: Option<Buffer>,
}

/// A call on resident weights with device and kernel chosen, for other operands of certain extents.
pub struct Ready {
    call: Arc<ResolvedCall>,
    form: Arc<Form>,
    epoch: u64,
}

impl Ready {
    /// Device, kernel, types and extents.
    #[inline]
    pub fn call(&self) -> &ResolvedCall {
        &self.call
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Resident {
    /// Copies `weights`, given by position, to the device that the policies in force choose, and packs them there.
    ///
    /// `example` has type and extents of operands that calls may bring; where it is `None` and there is no weight, calls
    /// leave the operand out.
    ///
    /// # Errors
    /// A position that is both, or past the op's inputs; what the op's rule refuses; a device that the policy names and
    /// does not let be replaced; out of memory.
    pub fn new(
        runtime: &Runtime,
        op: &'static OpDef,
        attrs: &Attrs,
        weights: &[Option<TensorRef<'_>>],
        example: &[Option<TensorSpec>],
        level: PackedPolicy,
    ) -> Result<Resident> {
        let count = op.inputs.len();
        if weights.len().max(example.len()) > count {
            let got = format!("{}", weights.len().max(example.len()));
            return Err(Error::invalid(op.name, "inputs", format!("at most {count} inputs"), got));
        }
        let mut specs = [None; MAX_INPUTS];
        let mut given = [None; MAX_INPUTS];
        for (to, weight) in specs.iter_mut().zip(weights) {
            *to = weight.as_ref().map(|w| *w.spec());
        }
        for (i, spec) in example.iter().enumerate() {
            if spec.is_some() && specs[i].is_some() {
                let expected = "a weight or an operand of the calls";
                return Err(Error::invalid(op.name, op.inputs[i].name, expected, "both"));
            }
            given[i] = *spec;
        }
        let resident = Resident {
            op,
            attrs: *attrs,
            level,
            policy: EffectivePolicy::of(PackedPolicy::UNSET, level),
            weights: specs,
            forms: Mutex::default(),
            recent: Mutex::default(),
            scratch: Mutex::default(),
        };
        let call = resident.resolve(runtime, &given)?;
        let form = Form::new(&call, weights)?;
        lock(&resident.forms).push(Arc::new(form));
        Ok(resident)
    }

    /// The op.
    pub fn op(&self) -> &'static OpDef {
        self.op
    }

    /// The policy level that it was made with, which lies below that of a call.
    pub fn level(&self) -> PackedPolicy {
        self.level
    }

    /// Type and extents of the weight at a position.
    pub fn weight(&self, index: usize) -> Option<TensorSpec> {
        self.weights.get(index).copied().flatten()
    }

    /// The device that the weights were first copied to.
    pub fn backend(&self) -> Arc<dyn Backend> {
        lock(&self.forms)[0].backend.clone()
    }

    /// Bytes of the weights on their devices, dense and packed.
    pub fn bytes(&self) -> usize {
        let forms = lock(&self.forms);
        let weights = forms.iter().flat_map(|form| form.weights.iter().flatten());
        weights.map(|w| w.buffer.bytes() + w.prepared.as_ref().map_or(0, Buffer::bytes)).sum()
    }

    /// Chooses device and kernel for operands of these types and extents, and has the weights ready there.
    ///
    /// # Errors
    /// What the op's rule refuses; an operand in a weight's place; out of memory; a failure of the device.
    pub fn ready(&self, runtime: &Runtime, operands: &[Option<TensorRef<'_>>]) -> Result<Arc<Ready>> {
        let mut given = [None; MAX_INPUTS];
        for (i, operand) in operands.iter().enumerate() {
            let Some(operand) = operand else { continue };
            if i >= self.op.inputs.len() || self.weights[i].is_some() {
                let name = self.op.inputs.get(i).map_or("inputs", |input| input.name);
                return Err(Error::invalid(self.op.name, name, "no operand here", "one in a weight's place"));
            }
            given[i] = Some(*operand.spec());
        }
        let epoch = plan_epoch();
        let known = |(specs, ready): &&(Given, Arc<Ready>)| *specs == given && ready.epoch == epoch;
        if let Some((_, ready)) = lock(&self.recent).iter().rev().find(known) {
            return Ok(ready.clone());
        }
        let call = self.resolve(runtime, &given)?;
        let form = self.form(&call)?;
        let ready = Arc::new(Ready { call, form, epoch });
        let mut recent = lock(&self.recent);
        recent.retain(|(specs, ready)| *specs != given && ready.epoch == epoch);
        if recent.len() == RECENT {
            recent.remove(0);
        }
        recent.push((given, ready.clone()));
        Ok(ready)
    }

    /// Runs a call that [`Resident::ready`] returned for operands of these extents.
    ///
    /// # Errors
    /// Tensors of other types or extents; results that overlap operands; an operand whose upload the policy forbids, since
    /// nothing but weights is resident; a failure of the device.
    pub fn run(
        &self,
        ready: &Ready,
        operands: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        call: PackedPolicy,
    ) -> Result<Receipt> {
        let policy = EffectivePolicy::of(call, self.level);
        let (call, form) = (&*ready.call, &*ready.form);
        for i in 0..call.inputs.len().max(operands.len()) {
            let got = operands.get(i).and_then(|t| t.as_ref()).map(|t| *t.spec());
            let want =
                if form.weights.get(i).is_some_and(Option::is_some) { None } else { call.inputs.get(i).copied() };
            if got != want.flatten() {
                return Err(call.other_input(i, got));
            }
            if got.is_some() && !policy.upload(i) {
                return Err(Error::new(ErrorKind::NotInitialized, self.op.name)
                    .argument(self.op.inputs[i].name)
                    .expected("a resident operand")
                    .got("one that comes with each call")
                    .hint("leave its upload on, or use a session, which keeps every operand"));
            }
        }
        call.check_outputs(operands, outputs)?;
        let start = trace::enabled().then(trace::now_ns);
        let mut receipt = call.open_receipt();
        receipt.launches = 1;
        if call.on_host() {
            self.run_on_host(call, form, operands, outputs, policy)?;
        } else {
            self.run_on_device(call, form, operands, outputs, policy, &mut receipt)?;
        }
        receipt.duration_ns = start.map(|t| trace::now_ns().saturating_sub(t));
        Ok(receipt)
    }

    fn resolve(&self, runtime: &Runtime, given: &Given) -> Result<Arc<ResolvedCall>> {
        let mut inputs = *given;
        for (input, weight) in inputs.iter_mut().zip(&self.weights) {
            *input = input.or(*weight);
        }
        runtime.resolve(self.op, &self.attrs, &inputs[..self.op.inputs.len()], self.policy)
    }

    /// The weights for the kernel of a call, made of those for another one if need be.
    fn form(&self, call: &ResolvedCall) -> Result<Arc<Form>> {
        // Held throughout: two threads must not pack the same weights.
        let mut forms = lock(&self.forms);
        let fits =
            |form: &&Arc<Form>| std::ptr::eq(form.kernel, call.kernel()) && Arc::ptr_eq(&form.backend, &call.backend);
        if let Some(form) = forms.iter().find(fits) {
            return Ok(form.clone());
        }
        let first = forms[0].clone();
        let mut copies = [const { None }; MAX_INPUTS];
        for (copy, weight) in copies.iter_mut().zip(&first.weights) {
            if let Some(weight) = weight {
                *copy = Some(weight.on_host(&*first.backend)?);
            }
        }
        let mut views = [None; MAX_INPUTS];
        for ((view, copy), weight) in views.iter_mut().zip(&copies).zip(&first.weights) {
            if let (Some(copy), Some(weight)) = (copy, weight) {
                let ptr = copy.as_ref().map_or_else(|| weight.buffer.host(), |words| Some(words.as_ptr() as *mut u8));
                // SAFETY: the copy, or the buffer, holds the weight dense and outlives the view.
                *view = ptr.map(|ptr| unsafe { weight.view(ptr) });
            }
        }
        let form = Arc::new(Form::new(call, &views[..self.op.inputs.len()])?);
        forms.push(form.clone());
        Ok(form)
    }

    #[inline]
    fn run_on_host(
        &self,
        call: &ResolvedCall,
        form: &Form,
        operands: &[Option<TensorRef<'_>>],
        outputs: &[TensorMut<'_>],
        policy: EffectivePolicy,
    ) -> Result<()> {
        let mut inputs = [None; MAX_INPUTS];
        let mut prepared = [None; MAX_INPUTS];
        for (i, weight) in form.weights.iter().enumerate() {
            if let Some(weight) = weight {
                let ptr = weight.buffer.host().ok_or_else(no_host_memory)?;
                // SAFETY: the buffer holds the weight dense, and nobody writes to it.
                inputs[i] = Some(unsafe { weight.view(ptr) });
                prepared[i] = weight.prepared.as_ref();
            } else if let Some(operand) = operands.get(i) {
                inputs[i] = *operand;
            }
        }
        let count = call.inputs.len();
        let (inputs, prepared) = (&inputs[..count], &prepared[..count]);
        if (0..outputs.len()).all(|i| policy.download(i)) {
            return call.launch(Args::Host { inputs, prepared, outputs });
        }
        // Results that stay on the device go to scratch memory, and the caller's arrays stay as they are.
        let mut scratch = Vec::with_capacity(outputs.len());
        let mut targets = Vec::with_capacity(outputs.len());
        for (i, out) in outputs.iter().enumerate() {
            let mut ptr = out.ptr();
            if !policy.download(i) {
                let buffer = call.backend.memory().allocate(out.spec().bytes())?;
                ptr = buffer.host().ok_or_else(no_host_memory)?;
                scratch.push(buffer);
            }
            // SAFETY: the caller's own result, whose view is not used meanwhile, or fresh scratch of its size.
            targets.push(unsafe { TensorMut::from_raw(ptr, *out.spec()) });
        }
        call.launch(Args::Host { inputs, prepared, outputs: &targets })
    }

    #[cold]
    fn run_on_device(
        &self,
        call: &ResolvedCall,
        form: &Form,
        operands: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        policy: EffectivePolicy,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let mut bytes = 0;
        let mut place = |spec: &TensorSpec| {
            let offset = bytes;
            bytes += spec.bytes().next_multiple_of(ARENA_ALIGN);
            offset
        };
        let read: Vec<_> = operands.iter().map(|t| t.as_ref().map(|t| place(t.spec()))).collect();
        let written: Vec<_> = call.outputs.iter().map(&mut place).collect();
        let kept = lock(&self.scratch).take();
        let scratch = match kept {
            Some(kept) if kept.bytes() >= bytes => kept,
            _ => call.backend.memory().allocate(bytes)?,
        };
        for (i, operand) in operands.iter().enumerate() {
            if let (Some(operand), Some(offset)) = (operand, read[i]) {
                call.upload(i, operand, &scratch, offset, receipt)?;
            }
        }
        let dense = |buffer, offset, spec: TensorSpec| DeviceTensor {
            buffer,
            offset,
            spec,
            strides: spec.shape.contiguous_strides(),
        };
        let input = |i: usize| {
            let spec = call.inputs[i]?;
            Some(match &form.weights[i] {
                Some(weight) => dense(&weight.buffer, 0, spec),
                None => dense(&scratch, read.get(i).copied().flatten()?, spec),
            })
        };
        let inputs: Vec<_> = (0..call.inputs.len()).map(input).collect();
        let results: Vec<_> =
            call.outputs.iter().zip(&written).map(|(spec, offset)| dense(&scratch, *offset, *spec)).collect();
        call.launch(Args::Device { inputs: &inputs, outputs: &results })?;
        // Also without a download: the scratch memory serves the next call, which other threads may make.
        call.wait(receipt)?;
        for (i, out) in outputs.iter_mut().enumerate() {
            if policy.download(i) {
                call.download(i, &scratch, written[i], out, receipt)?;
            }
        }
        *lock(&self.scratch) = Some(scratch);
        Ok(())
    }
}

impl std::fmt::Debug for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} resident bytes", self.op.name, self.bytes())
    }
}

#[cold]
fn no_host_memory() -> Error {
    Error::new(ErrorKind::Unknown, "resident").expected("host memory").got("device memory")
}

impl Form {
    fn new(call: &ResolvedCall, weights: &[Option<TensorRef<'_>>]) -> Result<Form> {
        let memory = call.backend.memory();
        let mut receipt = call.receipt();
        let mut kept = [const { None }; MAX_INPUTS];
        for (i, weight) in weights.iter().enumerate() {
            let Some(weight) = weight else { continue };
            let spec = *weight.spec();
            let buffer = memory.allocate(spec.bytes())?;
            call.upload(i, weight, &buffer, 0, &mut receipt)?;
            let prepared = memory.prepare(call.kernel(), &call.attrs, weights, i)?;
            kept[i] = Some(Weight { spec, buffer, prepared });
        }
        Ok(Form { backend: call.backend.clone(), kernel: call.kernel(), weights: kept })
    }
}

impl Weight {
    /// The weight as a view of `ptr`.
    ///
    /// # Safety
    /// `ptr` holds the weight dense, and is not written, as long as the view lives.
    unsafe fn view<'a>(&self, ptr: *mut u8) -> TensorRef<'a> {
        // SAFETY: by contract.
        unsafe { TensorRef::from_raw(ptr, self.spec, self.spec.shape.contiguous_strides()) }
    }

    /// A copy in host memory, unless the buffer is there already.
    fn on_host(&self, backend: &dyn Backend) -> Result<Option<Vec<u64>>> {
        if self.buffer.host().is_some() {
            return Ok(None);
        }
        let mut words = vec![0u64; self.spec.bytes().div_ceil(8)];
        // SAFETY: the words are aligned for every element type and hold the tensor's bytes.
        let mut target = unsafe { TensorMut::from_raw(words.as_mut_ptr().cast(), self.spec) };
        backend.memory().download(&self.buffer, 0, &mut target)?;
        Ok(Some(words))
    }
}
