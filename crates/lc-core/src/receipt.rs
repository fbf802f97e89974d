//! What happened in a call, and why.

use crate::device::{DeviceKind, DeviceRequest};
use crate::dtype::DType;
use crate::policy::Math;

/// Why a device was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The policy named the device and it has a kernel.
    Requested = 0,
    /// The policy left the choice open and this is the best device with a kernel.
    Best = 1,
    /// The device that the policy named is not there.
    Unavailable = 2,
    /// The device that the policy named has no kernel for this op, dtype or shape.
    NoKernel = 3,
    /// The measured model of both devices says that this one is faster end to end.
    Crossover = 4,
    /// The policy named the device, and a program that stands in for it is all there is.
    Software = 5,
    /// The device is as in [`Reason::Requested`] or [`Reason::Best`], and its kernel is the one that was measured to be the
    /// fastest for such calls.
    Tuned = 6,
    /// The device that the policy named has kernels for the call, and all of them were measured to give wrong numbers here.
    Rejected = 7,
}

impl Reason {
    /// Every reason, in the order of its discriminant.
    pub const ALL: [Reason; 8] = [
        Reason::Requested,
        Reason::Best,
        Reason::Unavailable,
        Reason::NoKernel,
        Reason::Crossover,
        Reason::Software,
        Reason::Tuned,
        Reason::Rejected,
    ];

    /// A short text for receipts, traces and reports.
    pub const fn text(self) -> &'static str {
        match self {
            Reason::Requested => "requested device",
            Reason::Best => "best available device",
            Reason::Unavailable => "requested device is not available",
            Reason::NoKernel => "requested device has no kernel for this call",
            Reason::Crossover => "measured to be faster here",
            Reason::Software => "requested device, emulated in software",
            Reason::Tuned => "kernel measured to be the fastest",
            Reason::Rejected => "requested device's kernels were measured to be wrong",
        }
    }
}

/// What one call, or one session step, did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Name of the op.
    pub op: &'static str,
    /// What the policy asked for.
    pub requested: DeviceRequest,
    /// Where it ran.
    pub selected: DeviceKind,
    /// The kernel that ran.
    pub kernel: &'static str,
    /// Element type.
    pub dtype: DType,
    /// The arithmetic of the kernel that ran, which may be stricter than the policy's.
    pub math: Math,
    /// Whether the device is another than the one that was named, by necessity or by [`Reason::Crossover`].
    pub fallback: bool,
    /// Why it ran there.
    pub reason: Reason,
    /// Kernel launches.
    pub launches: u32,
    /// Times that the caller waited for the device. A CPU call computes on the caller's thread and never waits.
    pub waits: u32,
    /// Bytes copied to the device.
    pub bytes_uploaded: u64,
    /// Bytes copied back.
    pub bytes_downloaded: u64,
    /// Wall time from start to return; measured only while the trace is on, since reading the clock twice costs more
    /// than a small kernel.
    pub duration_ns: Option<u64>,
    /// Whether this is the first fallback of the op from the requested device under [`Fallback::Warn`]: a front end
    /// shows it once.
    ///
    /// [`Fallback::Warn`]: crate::policy::Fallback::Warn
    pub warn: bool,
}
