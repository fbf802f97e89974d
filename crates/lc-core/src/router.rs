//! Chooses a device and a kernel for a call, and says why.

use crate::attrs::Attrs;
use crate::backend::{Backend, KernelEntry};
use crate::device::{DeviceKind, DeviceRequest};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::policy::{EffectivePolicy, Fallback, Math, TuneMode};
use crate::receipt::Reason;
use crate::registry::{Cost, InputSpecs, OpDef};
use crate::tune::{self, CostModel, DeviceId, Entry, Key, Record, Store};
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

/// What the router chooses among and what it knows about it.
pub(crate) struct Router<'a> {
    pub backends: &'a [Arc<dyn Backend>],
    pub store: &'a Store,
    pub model: &'a dyn Fn() -> Arc<CostModel>,
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
        let mut choice = self.device(call)?;
        if call.policy.tune() == TuneMode::Off {
            return Ok(choice);
        }
        if let Some(backend) = self.crossover(call, choice.backend) {
            let fallback = call.policy.device() != DeviceRequest::Auto;
            choice = Choice { backend, kernel: choice.kernel, reason: Reason::Crossover, fallback };
        }
        let (kernel, tuned) = self.kernel(call, choice.backend);
        choice.kernel = kernel.unwrap_or(choice.kernel);
        if tuned && matches!(choice.reason, Reason::Requested | Reason::Best) {
            choice.reason = Reason::Tuned;
        }
        Ok(choice)
    }

    fn candidates(&self, call: &Routed<'_>, backend: usize) -> impl Iterator<Item = usize> {
        candidates(&*self.backends[backend], call.op, call.attrs, call.inputs, call.dtype, call.policy.math())
    }

    /// The device that the policy allows, and its first kernel.
    pub fn device(&self, call: &Routed<'_>) -> Result<Choice> {
        let Routed { op, dtype, policy, .. } = *call;
        let backends = self.backends;
        let on = |kind: DeviceKind| {
            let backend = backends.iter().position(|b| b.descriptor().kind == kind)?;
            Some((backend, self.candidates(call, backend).next()?))
        };
        let best = || PREFERENCE.into_iter().find_map(&on);
        let DeviceRequest::Is(kind) = policy.device() else {
            let (backend, kernel) = best().ok_or_else(|| nowhere(op, dtype))?;
            return Ok(Choice { backend, kernel, reason: Reason::Best, fallback: false });
        };
        if let Some((backend, kernel)) = on(kind) {
            return Ok(Choice { backend, kernel, reason: Reason::Requested, fallback: false });
        }
        let present = backends.iter().any(|b| b.descriptor().kind == kind);
        let reason = if present { Reason::NoKernel } else { Reason::Unavailable };
        if policy.fallback() == Fallback::Deny {
            let got = format!("{} ({dtype}), fallback \"deny\"", reason.text());
            let other = best().map_or("cpu", |(b, _)| backends[b].descriptor().kind.name());
            return Err(Error::unsupported(op.name, format!("device \"{kind}\""), got)
                .hint(format!("use device \"{other}\", or a policy with fallback \"warn\" or \"allow\"")));
        }
        let (backend, kernel) = best().ok_or_else(|| nowhere(op, dtype))?;
        Ok(Choice { backend, kernel, reason, fallback: true })
    }

    /// The CPU, if measured times say that it is done before the chosen device has the operands. A device that was named
    /// under [`Fallback::Deny`] keeps its work, and so does every device while nothing was measured.
    fn crossover(&self, call: &Routed<'_>, chosen: usize) -> Option<usize> {
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
        self.candidates(call, cpu).next()?;
        let model = (self.model)();
        let bytes_in = call.inputs.iter().flatten().map(|spec| spec.bytes() as u64).sum();
        let time = |kind| model.measured(kind, op.name, cost, bytes_in, cost.bytes_written);
        (time(DeviceKind::Cpu)? < CROSSOVER_MARGIN * time(device.kind)?).then_some(cpu)
    }

    /// The measured choice among a backend's kernels, or the first whose numbers are not known to be wrong; and whether
    /// it was measured.
    fn kernel(&self, call: &Routed<'_>, backend: usize) -> (Option<usize>, bool) {
        let Routed { op, attrs, inputs, dtype, policy, .. } = *call;
        let measure = policy.tune() == TuneMode::On;
        let first = || self.candidates(call, backend).next();
        if !measure && self.store.is_empty() {
            return (first(), false);
        }
        let device = &*self.backends[backend];
        let on = DeviceId::of(device);
        let key = Key::new(on, op, attrs, inputs, dtype, policy.math());
        let rejected = |index: usize| self.store.is_rejected(&key, device.kernels()[index].name);
        let mut entry = self.store.choice(&key);
        if entry.is_none() && measure && self.candidates(call, backend).nth(1).is_some() {
            entry = self.measure(call, backend, &key);
        }
        // The store is a file that anything may have written: its word counts only for kernels that take this call.
        let named = |name: &str| self.candidates(call, backend).find(|index| device.kernels()[*index].name == name);
        let winner = entry.as_ref().and_then(|entry| entry.winner()).and_then(named);
        match winner.filter(|index| !rejected(*index)) {
            Some(index) => (Some(index), true),
            None => (self.candidates(call, backend).find(|index| !rejected(*index)).or_else(first), false),
        }
    }

    fn measure(&self, call: &Routed<'_>, backend: usize, key: &Key) -> Option<Entry> {
        // What cannot be measured or kept runs untuned.
        let entry = self.search(call, backend, key).ok()?;
        if let Err(error) = self.store.put([Record::Choice(entry.clone())]) {
            tune::warn_once(|| format!("{error}; what is tuned is lost when the process ends"));
        }
        // Plans that were made while nothing was known see it too.
        crate::runtime::forget_plans();
        Some(entry)
    }

    /// Measures the kernels of a backend.
    pub fn search(&self, call: &Routed<'_>, backend: usize, key: &Key) -> Result<Entry> {
        tune::search::tune(&tune::search::Request {
            backend: &*self.backends[backend],
            on: key.on.clone(),
            op: call.op,
            attrs: call.attrs,
            inputs: call.inputs,
            dtype: call.dtype,
            math: call.policy.math(),
            budget: Duration::from_millis(call.policy.tune_ms().into()),
            rejected: &|name| self.store.is_rejected(key, name),
        })
    }
}

fn nowhere(op: &'static OpDef, dtype: DType) -> Error {
    Error::unsupported(op.name, "a device with a kernel for it", format!("none for {dtype} with these attributes"))
}
