//! Chooses a device and a kernel for a call, and says why.

use crate::attrs::Attrs;
use crate::backend::{Backend, KernelEntry};
use crate::device::{DeviceKind, DeviceRequest};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::policy::{EffectivePolicy, Fallback, Math};
use crate::receipt::Reason;
use crate::registry::{InputSpecs, OpDef};
use std::sync::Arc;

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

pub(crate) fn choose(
    backends: &[Arc<dyn Backend>],
    op: &'static OpDef,
    attrs: &Attrs,
    inputs: InputSpecs,
    dtype: DType,
    policy: EffectivePolicy,
) -> Result<Choice> {
    let requested = policy.device();
    let on = |kind: DeviceKind| {
        let backend = backends.iter().position(|b| b.descriptor().kind == kind)?;
        let kernel = candidates(&*backends[backend], op, attrs, inputs, dtype, policy.math()).next()?;
        Some((backend, kernel))
    };
    let best = || PREFERENCE.into_iter().find_map(&on);
    let DeviceRequest::Is(kind) = requested else {
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

fn nowhere(op: &'static OpDef, dtype: DType) -> Error {
    Error::unsupported(op.name, "a device with a kernel for it", format!("none for {dtype} with these attributes"))
}
