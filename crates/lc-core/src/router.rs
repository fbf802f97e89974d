//! Chooses a device and a kernel for a call, and says why.

use crate::attrs::Attrs;
use crate::backend::{Backend, KernelEntry};
use crate::device::{DeviceKind, DeviceRequest};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::policy::{EffectivePolicy, Fallback, Math, TuneMode};
use crate::receipt::Reason;
use crate::registry::{Cost, InputSpecs, OpDef};
use crate::tune::{self, CostModel, DeviceId, Entry, Key, Proven, Record, Store};
use std::sync::Arc;
use std::time::Duration;

/// The order in which "auto" and fallbacks try devices. Vulkan is never a silent choice: on a machine without a GPU it
/// is a software rasteriser.
const PREFERENCE: [DeviceKind; 4] = [DeviceKind::Metal, DeviceKind::Cuda, DeviceKind::Cpu, DeviceKind::Null];

/// A device and a kernel, and why.
pub(crate) struct Choice {
    /// Position in the runtime's list of backends.
    pub backend: usize,
    /// Position in that backend's list of kernels.
    pub kernel: usize,
    pub reason: Reason,
    pub fallback: bool,
}

/// Whether a kernel may serve a policy's math: its own arithmetic is what was asked for, or stricter.
fn serves(kernel: Math, asked: Math) -> bool {
    kernel == asked || kernel == Math::IeeeF32
}

/// The positions of a backend's kernels that may run a call, in the table's order.
pub(crate) fn candidates(
    backend: &dyn Backend,
    op: &'static OpDef,
    attrs: &Attrs,
    inputs: InputSpecs,
    dtype: DType,
    math: Math,
) -> impl Iterator<Item = usize> {
    let fits = move |kernel: &KernelEntry| {
        kernel.op == op
            && kernel.dtypes.contains(&dtype)
            && serves(kernel.math, math)
            && (kernel.accepts)(attrs, inputs)
    };
    backend.kernels().iter().enumerate().filter(move |(_, kernel)| fits(kernel)).map(|(index, _)| index)
}

/// The CPU must be this much faster, by the model, to take work from a GPU: a fit is not exact.
const CROSSOVER_MARGIN: f64 = 0.8;

/// What to do about kernels that were rejected, to go on after another hint.
const FORGET: &str = "; `lc tune --clear` forgets what was measured, and tune \"off\" ignores it";

/// What the router chooses among and what it knows about it.
pub(crate) struct Router<'a> {
    pub backends: &'a [Arc<dyn Backend>],
    pub store: &'a Store,
    pub model: &'a dyn Fn() -> Arc<CostModel>,
    /// What unproven kernels showed to this process.
    pub proven_here: &'a Proven,
}

/// A call to route; its op's rule accepted it.
#[derive(Clone, Copy)]
pub(crate) struct Routed<'a> {
    pub op: &'static OpDef,
    pub attrs: &'a Attrs,
    pub inputs: InputSpecs<'a>,
    pub dtype: DType,
    pub cost: Cost,
    pub policy: EffectivePolicy,
    /// Whether operands come from the host and results go there.
    pub one_shot: bool,
}

impl Router<'_> {
    /// A device and a kernel for a call.
    pub fn choose(&self, call: &Routed<'_>) -> Result<Choice> {
        loop {
            let mut choice = self.device(call)?;
            if call.policy.tune() == TuneMode::Off {
                return Ok(choice);
            }
            if let Some((backend, kernel)) = self.crossover(call, choice.backend) {
                let fallback = call.policy.device() != DeviceRequest::Auto;
                choice = Choice { backend, kernel, reason: Reason::Crossover, fallback };
            }
            // What was measured just now may have left the device without a kernel: then it is no longer the one.
            let Some((kernel, tuned)) = self.kernel(call, choice.backend) else { continue };
            choice.kernel = kernel;
            if tuned && matches!(choice.reason, Reason::Requested | Reason::Best) {
                choice.reason = Reason::Tuned;
            }
            return Ok(choice);
        }
    }

    fn candidates(&self, call: &Routed<'_>, backend: usize) -> impl Iterator<Item = usize> {
        candidates(&*self.backends[backend], call.op, call.attrs, call.inputs, call.dtype, call.policy.math())
    }

    /// The kernels that were proven where they were written.
    fn proven(&self, call: &Routed<'_>, backend: usize) -> impl Iterator<Item = usize> {
        let kernels = self.backends[backend].kernels();
        self.candidates(call, backend).filter(|index| !kernels[*index].unproven)
    }

    fn key(&self, call: &Routed<'_>, backend: usize) -> Key {
        let Routed { op, attrs, inputs, dtype, policy, .. } = *call;
        Key::new(DeviceId::of(&*self.backends[backend]), op, attrs, inputs, dtype, policy.math())
    }

    /// The kernel that a device runs where nothing was measured: the first proven one whose numbers are not known to be
    /// wrong here.
    fn first(&self, call: &Routed<'_>, backend: usize) -> Option<usize> {
        let mut proven = self.proven(call, backend);
        if call.policy.tune() == TuneMode::Off || !self.store.rejects() {
            return proven.next();
        }
        let (key, kernels) = (self.key(call, backend), self.backends[backend].kernels());
        proven.find(|index| !self.store.is_rejected(&key, kernels[*index].name))
    }

    /// The device that the policy allows, and its first kernel.
    pub fn device(&self, call: &Routed<'_>) -> Result<Choice> {
        let policy = call.policy;
        let backends = self.backends;
        let position = |kind: DeviceKind| backends.iter().position(|b| b.descriptor().kind == kind);
        let on = |kind: DeviceKind| {
            let backend = position(kind)?;
            Some((backend, self.first(call, backend)?))
        };
        let best = || PREFERENCE.into_iter().find_map(&on);
        let DeviceRequest::Is(kind) = policy.device() else {
            let (backend, kernel) = best().ok_or_else(|| self.nowhere(call))?;
            return Ok(Choice { backend, kernel, reason: Reason::Best, fallback: false });
        };
        if let Some((backend, kernel)) = on(kind) {
            return Ok(Choice { backend, kernel, reason: Reason::Requested, fallback: false });
        }
        let reason = match position(kind) {
            None => Reason::Unavailable,
            Some(backend) if self.proven(call, backend).next().is_some() => Reason::Rejected,
            Some(_) => Reason::NoKernel,
        };
        if policy.fallback() == Fallback::Deny {
            let got = format!("{} ({}), fallback \"deny\"", reason.text(), call.dtype);
            let other = best().map_or("cpu", |(b, _)| backends[b].descriptor().kind.name());
            let forget = if reason == Reason::Rejected { FORGET } else { "" };
            return Err(Error::unsupported(call.op.name, format!("device \"{kind}\""), got)
                .hint(format!("use device \"{other}\", or a policy with fallback \"warn\" or \"allow\"{forget}")));
        }
        let (backend, kernel) = best().ok_or_else(|| self.nowhere(call))?;
        Ok(Choice { backend, kernel, reason, fallback: true })
    }

    fn nowhere(&self, call: &Routed<'_>) -> Error {
        let Routed { op, dtype, .. } = call;
        let expected = "a device with a kernel for it";
        match (0..self.backends.len()).any(|backend| self.proven(call, backend).next().is_some()) {
            false => Error::unsupported(op.name, expected, format!("none for {dtype} with these attributes")),
            true => {
                let got = format!("only kernels for {dtype} that were measured to be wrong here");
                Error::unsupported(op.name, expected, got).hint(format!("report it{FORGET}"))
            }
        }
    }

    /// The CPU and its first kernel, if measured times say that it is done before the chosen device has the operands. A
    /// device that was named under [`Fallback::Deny`] keeps its work, and so does every device while nothing was measured.
    fn crossover(&self, call: &Routed<'_>, chosen: usize) -> Option<(usize, usize)> {
        let Routed { op, cost, policy, .. } = call;
        let named = policy.device() != DeviceRequest::Auto;
        let device = self.backends[chosen].descriptor();
        if !call.one_shot || device.host_memory || device.kind == DeviceKind::Cpu || call.dtype != DType::F32 {
            return None;
        }
        if named && policy.fallback() == Fallback::Deny {
            return None;
        }
        let cpu = self.backends.iter().position(|b| b.descriptor().kind == DeviceKind::Cpu)?;
        let kernel = self.first(call, cpu)?;
        let model = (self.model)();
        let bytes_in = call.inputs.iter().flatten().map(|spec| spec.bytes() as u64).sum();
        let time = |kind| model.measured(kind, op.name, cost, bytes_in, cost.bytes_written);
        (time(DeviceKind::Cpu)? < CROSSOVER_MARGIN * time(device.kind)?).then_some((cpu, kernel))
    }

    /// The measured choice among a backend's kernels, or its first; and whether it was measured. `None` if the numbers of
    /// all of them are wrong.
    fn kernel(&self, call: &Routed<'_>, backend: usize) -> Option<(usize, bool)> {
        let measure = call.policy.tune() == TuneMode::On;
        if !measure && self.store.is_empty() {
            return self.first(call, backend).map(|first| (first, false));
        }
        let kernels = self.backends[backend].kernels();
        let key = self.key(call, backend);
        let mut entry = self.store.choice(&key);
        if entry.is_none() && measure && self.candidates(call, backend).nth(1).is_some() {
            entry = self.measure(call, backend, &key);
        }
        // The store is a file that anything may have written: its word counts only for kernels that take this call.
        let named = |name: &str| self.candidates(call, backend).find(|index| kernels[*index].name == name);
        let winner = entry.as_ref().and_then(|entry| named(entry.winner()?));
        let right = |index: &usize| !self.store.is_rejected(&key, kernels[*index].name);
        match winner.filter(right).filter(|index| entry.is_some_and(|e| self.holds(call, backend, *index, e))) {
            Some(index) => Some((index, true)),
            None => self.first(call, backend).map(|first| (first, false)),
        }
    }

    /// Whether a kernel that the store calls the fastest may run: an unproven one only if this process has seen it give
    /// right numbers. One that does not is rejected for good.
    fn holds(&self, call: &Routed<'_>, backend: usize, index: usize, mut entry: Entry) -> bool {
        let kernel = &self.backends[backend].kernels()[index];
        if !kernel.unproven {
            return true;
        }
        if let Some(known) = self.proven_here.get(&entry.key, kernel.name) {
            return known;
        }
        let wrong = match tune::search::check(&self.request(call, backend, &entry.key, &|_| false), kernel) {
            // What cannot be compared does not run. The next plan tries again.
            Err(_) => return false,
            Ok(wrong) => wrong,
        };
        self.proven_here.set(&entry.key, kernel.name, wrong.is_none());
        let Some(why) = wrong else { return true };
        for candidate in entry.candidates.iter_mut().filter(|c| c.kernel == kernel.name) {
            (candidate.won, candidate.rejected, candidate.why) = (false, true, why.clone());
        }
        self.keep(entry);
        false
    }

    /// Puts what was measured into the store.
    fn keep(&self, entry: Entry) {
        if let Err(error) = self.store.put([Record::Choice(entry)]) {
            tune::warn_once(|| format!("{error}; what is tuned is lost when the process ends"));
        }
        // Plans that were made while nothing was known see it too.
        crate::runtime::forget_plans();
    }

    fn measure(&self, call: &Routed<'_>, backend: usize, key: &Key) -> Option<Entry> {
        // What cannot be measured or kept runs untuned.
        let entry = self.search(call, backend, key).ok()?;
        self.keep(entry.clone());
        Some(entry)
    }

    /// Measures the kernels of a backend.
    pub fn search(&self, call: &Routed<'_>, backend: usize, key: &Key) -> Result<Entry> {
        let entry = tune::search::tune(&self.request(call, backend, key, &|name| self.store.is_rejected(key, name)))?;
        let kernels = self.backends[backend].kernels();
        for kernel in self.candidates(call, backend).map(|index| &kernels[index]).filter(|kernel| kernel.unproven) {
            // It was compared just now.
            if entry.winner() == Some(kernel.name) {
                self.proven_here.set(key, kernel.name, true);
            }
        }
        Ok(entry)
    }

    fn request<'r>(
        &'r self,
        call: &Routed<'r>,
        backend: usize,
        key: &Key,
        rejected: &'r dyn Fn(&str) -> bool,
    ) -> tune::search::Request<'r> {
        tune::search::Request {
            backend: &*self.backends[backend],
            on: key.on.clone(),
            op: call.op,
            attrs: call.attrs,
            inputs: call.inputs,
            dtype: call.dtype,
            math: call.policy.math(),
            budget: Duration::from_millis(call.policy.tune_ms().into()),
            rejected,
        }
    }
}
