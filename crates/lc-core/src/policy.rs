//! Execution policy as a value.
//!
//! A [`Policy`] says where work runs, what happens if it cannot run there, which arithmetic is allowed, what is copied,
//! when the caller waits, and how much time tuning may take. Every field may be unset. Four levels lie over each other,
//! call > scope > session > process, and an unset field takes the value of the level below; the process level has a
//! value for every field. [`Policy::pack`] puts all fields into 64 bits, so that laying levels over each other, hashing
//! and comparing are integer operations on the path of every call.

mod legacy;

pub use legacy::from_legacy_environment;

use crate::device::{DeviceKind, DeviceRequest};
use crate::error::{Error, Result};
use crate::memo::Local;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens when the requested device is absent or lacks the op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// Run on the best device there is; warn once for each op and device.
    Warn,
    /// Run on the best device there is, and say so only on the receipt.
    Allow,
    /// Fail with a typed error.
    Deny,
}

/// The arithmetic that a kernel may use: the math contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Math {
    /// Products and sums in the tensors' own type, at least float32; no reduced precision anywhere.
    IeeeF32,
    /// Split operands on tensor cores, with the error of a float32 product or less.
    F32x3,
    /// Operands rounded to 10 bits of fraction, sums in float32.
    Tf32,
    /// Operands rounded to bfloat16, sums in float32.
    Bf16,
    /// Operands rounded to float16, sums in float32.
    F16,
}

/// When a call waits for the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncMode {
    /// Where a result is read, and at boundaries between devices.
    Auto,
    /// After every launch.
    Always,
    /// Only where a result is read.
    Never,
}

/// Whether kernels may be measured against each other to choose among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TuneMode {
    /// Neither measure nor read stored choices.
    Off,
    /// Read stored choices; never measure.
    ReadOnly,
    /// Read stored choices and measure what is missing, within the budget.
    On,
}

/// The most operands whose upload a policy can steer one by one.
pub const MAX_IO_INPUTS: usize = 4;
/// The most results whose download a policy can steer one by one.
pub const MAX_IO_OUTPUTS: usize = 2;

/// What is copied, operand by operand, and whether the call waits at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Io {
    /// Copy input `i` to the device, or use what a session holds there.
    pub upload: [Option<bool>; MAX_IO_INPUTS],
    /// Copy result `i` back.
    pub download: [Option<bool>; MAX_IO_OUTPUTS],
    /// Wait for completion even if nothing is copied back.
    pub synchronize: Option<bool>,
}

/// How a call is to be executed; unset fields take the value of the level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Policy {
    /// Where.
    pub device: Option<DeviceRequest>,
    /// What if not there.
    pub fallback: Option<Fallback>,
    /// With which arithmetic.
    pub math: Option<Math>,
    /// What is copied.
    pub io: Io,
    /// When to wait.
    pub sync: Option<SyncMode>,
    /// Whether sync boundaries appear on the trace.
    pub trace_sync_boundary: Option<bool>,
    /// Whether to tune.
    pub tune: Option<TuneMode>,
    /// The most milliseconds that tuning may take for one key, up to 65 534.
    pub tune_ms: Option<u16>,
}

/// Gives an enum its names, in the order of its values.
trait Named: Sized + Copy + PartialEq + 'static {
    const FIELD: &'static str;
    const NAMES: &'static [(&'static str, Self)];
}

fn by_name<T: Named>(name: &str) -> Result<T> {
    T::NAMES.iter().find(|(n, _)| *n == name).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = T::NAMES.iter().map(|(n, _)| *n).collect();
        Error::invalid("policy", T::FIELD, format!("one of {names:?}"), format!("{name:?}"))
    })
}

fn name_of<T: Named>(value: T) -> &'static str {
    T::NAMES.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}

impl Named for Fallback {
    const FIELD: &'static str = "fallback";
    const NAMES: &'static [(&'static str, Self)] =
        &[("warn", Fallback::Warn), ("allow", Fallback::Allow), ("deny", Fallback::Deny)];
}
impl Named for Math {
    const FIELD: &'static str = "math";
    const NAMES: &'static [(&'static str, Self)] = &[
        ("ieee_f32", Math::IeeeF32),
        ("f32x3", Math::F32x3),
        ("tf32", Math::Tf32),
        ("bf16", Math::Bf16),
        ("f16", Math::F16),
    ];
}
impl Named for SyncMode {
    const FIELD: &'static str = "mode";
    const NAMES: &'static [(&'static str, Self)] =
        &[("auto", SyncMode::Auto), ("always", SyncMode::Always), ("never", SyncMode::Never)];
}
impl Named for TuneMode {
    const FIELD: &'static str = "tune";
    const NAMES: &'static [(&'static str, Self)] =
        &[("off", TuneMode::Off), ("read-only", TuneMode::ReadOnly), ("on", TuneMode::On)];
}

impl Fallback {
    /// The name in Python.
    pub fn name(self) -> &'static str {
        name_of(self)
    }
    /// The value of that name.
    ///
    /// # Errors
    /// Any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        by_name(name)
    }
}
impl Math {
    /// The name in Python and on receipts.
    pub fn name(self) -> &'static str {
        name_of(self)
    }
    /// The value of that name.
    ///
    /// # Errors
    /// Any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        by_name(name)
    }
}
impl SyncMode {
    /// The name in Python.
    pub fn name(self) -> &'static str {
        name_of(self)
    }
    /// The value of that name.
    ///
    /// # Errors
    /// Any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        by_name(name)
    }
}
impl TuneMode {
    /// The name in Python.
    pub fn name(self) -> &'static str {
        name_of(self)
    }
    /// The value of that name.
    ///
    /// # Errors
    /// Any other name.
    pub fn from_name(name: &str) -> Result<Self> {
        by_name(name)
    }
}

/// A field of [`PackedPolicy`]: where its bits are. Zero means unset; a value `v` is stored as `v + 1`.
#[derive(Clone, Copy)]
struct Field {
    shift: u32,
    bits: u32,
}

const DEVICE: Field = Field { shift: 0, bits: 3 };
const FALLBACK: Field = Field { shift: 3, bits: 2 };
const MATH: Field = Field { shift: 5, bits: 3 };
const SYNC: Field = Field { shift: 8, bits: 2 };
const BOUNDARY: Field = Field { shift: 10, bits: 2 };
const TUNE: Field = Field { shift: 12, bits: 2 };
const TUNE_MS: Field = Field { shift: 14, bits: 16 };
const SYNCHRONIZE: Field = Field { shift: 30, bits: 2 };
const UPLOAD: [Field; MAX_IO_INPUTS] = [
    Field { shift: 32, bits: 2 },
    Field { shift: 34, bits: 2 },
    Field { shift: 36, bits: 2 },
    Field { shift: 38, bits: 2 },
];
const DOWNLOAD: [Field; MAX_IO_OUTPUTS] = [Field { shift: 40, bits: 2 }, Field { shift: 42, bits: 2 }];

const FIELDS: [Field; 14] = [
    DEVICE,
    FALLBACK,
    MATH,
    SYNC,
    BOUNDARY,
    TUNE,
    TUNE_MS,
    SYNCHRONIZE,
    UPLOAD[0],
    UPLOAD[1],
    UPLOAD[2],
    UPLOAD[3],
    DOWNLOAD[0],
    DOWNLOAD[1],
];

/// A [`Policy`] in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct PackedPolicy(u64);

impl PackedPolicy {
    /// Every field unset.
    pub const UNSET: PackedPolicy = PackedPolicy(0);

    #[inline]
    const fn get(self, field: Field) -> Option<u64> {
        let value = (self.0 >> field.shift) & ((1 << field.bits) - 1);
        value.checked_sub(1)
    }

    const fn put(self, field: Field, value: Option<u64>) -> PackedPolicy {
        match value {
            None => self,
            Some(v) => PackedPolicy(self.0 | ((v + 1) << field.shift)),
        }
    }

    /// This policy's set fields, and those of `below` where unset.
    #[inline(always)]
    pub const fn over(self, below: PackedPolicy) -> PackedPolicy {
        match self.0 {
            0 => below,
            _ => self.laid_over(below),
        }
    }

    const fn laid_over(self, below: PackedPolicy) -> PackedPolicy {
        let mut mask = 0u64;
        let mut i = 0;
        while i < FIELDS.len() {
            let bits = ((1u64 << FIELDS[i].bits) - 1) << FIELDS[i].shift;
            if self.0 & bits != 0 {
                mask |= bits;
            }
            i += 1;
        }
        PackedPolicy(self.0 | (below.0 & !mask))
    }

    /// A policy that sets only the device.
    #[inline]
    pub const fn device(request: DeviceRequest) -> PackedPolicy {
        PackedPolicy::UNSET.put(DEVICE, Some(device_code(request)))
    }
}

#[inline]
const fn device_code(request: DeviceRequest) -> u64 {
    match request {
        DeviceRequest::Auto => 0,
        DeviceRequest::Is(kind) => kind as u64 + 1,
    }
}

#[inline]
fn device_from(code: u64) -> DeviceRequest {
    match code.checked_sub(1) {
        Some(kind) if (kind as usize) < DeviceKind::ALL.len() => DeviceRequest::Is(DeviceKind::ALL[kind as usize]),
        _ => DeviceRequest::Auto,
    }
}

fn code<T: Named>(value: T) -> u64 {
    T::NAMES.iter().position(|(_, v)| *v == value).unwrap_or(0) as u64
}

fn decode<T: Named>(code: u64) -> T {
    T::NAMES[(code as usize).min(T::NAMES.len() - 1)].1
}

impl Policy {
    /// All fields in 64 bits.
    pub fn pack(&self) -> PackedPolicy {
        let flag = |x: bool| x as u64;
        let mut packed = PackedPolicy::UNSET
            .put(DEVICE, self.device.map(device_code))
            .put(FALLBACK, self.fallback.map(code))
            .put(MATH, self.math.map(code))
            .put(SYNC, self.sync.map(code))
            .put(BOUNDARY, self.trace_sync_boundary.map(flag))
            .put(TUNE, self.tune.map(code))
            .put(TUNE_MS, self.tune_ms.map(|ms| u64::from(ms.min(u16::MAX - 1))))
            .put(SYNCHRONIZE, self.io.synchronize.map(flag));
        for (field, value) in UPLOAD.into_iter().zip(self.io.upload) {
            packed = packed.put(field, value.map(flag));
        }
        for (field, value) in DOWNLOAD.into_iter().zip(self.io.download) {
            packed = packed.put(field, value.map(flag));
        }
        packed
    }

    /// The inverse of [`Policy::pack`].
    pub fn unpack(packed: PackedPolicy) -> Policy {
        let flag = |field| packed.get(field).map(|v| v != 0);
        Policy {
            device: packed.get(DEVICE).map(device_from),
            fallback: packed.get(FALLBACK).map(decode),
            math: packed.get(MATH).map(decode),
            io: Io { upload: UPLOAD.map(flag), download: DOWNLOAD.map(flag), synchronize: flag(SYNCHRONIZE) },
            sync: packed.get(SYNC).map(decode),
            trace_sync_boundary: flag(BOUNDARY),
            tune: packed.get(TUNE).map(decode),
            tune_ms: packed.get(TUNE_MS).map(|ms| ms as u16),
        }
    }

    /// The process level before anyone changes it: device auto, fallback warn, math ieee_f32, everything copied, sync
    /// auto without boundaries on the trace, tuning read-only with 50 ms a key for when it is switched on.
    pub const fn process_default() -> Policy {
        Policy {
            device: Some(DeviceRequest::Auto),
            fallback: Some(Fallback::Warn),
            math: Some(Math::IeeeF32),
            io: Io { upload: [Some(true); 4], download: [Some(true); 2], synchronize: Some(true) },
            sync: Some(SyncMode::Auto),
            trace_sync_boundary: Some(false),
            tune: Some(TuneMode::ReadOnly),
            tune_ms: Some(50),
        }
    }
}

/// A policy with a value in every field: what a call is executed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EffectivePolicy(PackedPolicy);

impl EffectivePolicy {
    /// Lays the levels over each other: call > scope (this thread's) > session > process.
    #[inline]
    pub fn of(call: PackedPolicy, session: PackedPolicy) -> EffectivePolicy {
        EffectivePolicy::within(Local::with(|local| local.scope.get()), call, session)
    }

    /// [`EffectivePolicy::of`] on a thread whose scope is known.
    #[inline(always)]
    pub(crate) fn within(scope: PackedPolicy, call: PackedPolicy, session: PackedPolicy) -> EffectivePolicy {
        let process = PackedPolicy(PROCESS.load(Ordering::Relaxed));
        EffectivePolicy(call.over(scope.over(session.over(process))))
    }

    /// A call's policy over the process level alone, whatever scopes are open.
    pub fn of_process(call: PackedPolicy) -> EffectivePolicy {
        EffectivePolicy(call.over(PackedPolicy(PROCESS.load(Ordering::Relaxed))))
    }

    /// The same policy for another device.
    pub fn on(self, kind: DeviceKind) -> EffectivePolicy {
        EffectivePolicy(PackedPolicy::device(DeviceRequest::Is(kind)).over(self.0))
    }

    /// The 64 bits, for keys.
    #[inline]
    pub fn key(self) -> u64 {
        self.0.0
    }

    /// Where.
    #[inline]
    pub fn device(self) -> DeviceRequest {
        device_from(self.0.get(DEVICE).unwrap_or(0))
    }

    /// What if not there.
    pub fn fallback(self) -> Fallback {
        decode(self.0.get(FALLBACK).unwrap_or(0))
    }

    /// With which arithmetic.
    pub fn math(self) -> Math {
        decode(self.0.get(MATH).unwrap_or(0))
    }

    /// When to wait.
    pub fn sync(self) -> SyncMode {
        decode(self.0.get(SYNC).unwrap_or(0))
    }

    /// Whether sync boundaries appear on the trace.
    pub fn trace_sync_boundary(self) -> bool {
        self.0.get(BOUNDARY) == Some(1)
    }

    /// Whether to tune.
    pub fn tune(self) -> TuneMode {
        decode(self.0.get(TUNE).unwrap_or(0))
    }

    /// Milliseconds that tuning may take for one key.
    pub fn tune_ms(self) -> u16 {
        self.0.get(TUNE_MS).unwrap_or(0) as u16
    }

    /// Whether input `i` is copied to the device. Inputs past the fourth always are.
    #[inline]
    pub fn upload(self, i: usize) -> bool {
        i >= MAX_IO_INPUTS || self.0.get(UPLOAD[i]) != Some(0)
    }

    /// Whether result `i` is copied back. Results past the second always are.
    #[inline]
    pub fn download(self, i: usize) -> bool {
        i >= MAX_IO_OUTPUTS || self.0.get(DOWNLOAD[i]) != Some(0)
    }

    /// Whether every input is uploaded and every result downloaded.
    #[inline]
    pub fn copies_everything(self) -> bool {
        // A flag that is off is stored as 1: its low bit set and its high bit clear.
        const LOW: u64 = 0b0101_0101_0101 << UPLOAD[0].shift;
        self.0.0 & !(self.0.0 >> 1) & LOW == 0
    }

    /// Whether the call waits at its end even if nothing is copied back.
    #[inline]
    pub fn synchronize(self) -> bool {
        self.0.get(SYNCHRONIZE) != Some(0)
    }

    /// Every field, set.
    pub fn policy(self) -> Policy {
        Policy::unpack(self.0)
    }
}

static PROCESS: AtomicU64 = AtomicU64::new(0);

/// The process level.
pub fn process() -> Policy {
    EffectivePolicy::of_process(PackedPolicy::UNSET).policy()
}

/// Sets the fields of the process level that `policy` sets.
pub fn set_process(policy: &Policy) {
    init_process();
    let packed = policy.pack();
    // A lost race means another thread's fields went in between: lay ours over those again.
    let _ = PROCESS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some(packed.over(PackedPolicy(old)).0));
}

/// Gives every field of the process level a value. A runtime does this before its first call.
pub fn init_process() {
    let _ = PROCESS.compare_exchange(0, Policy::process_default().pack().0, Ordering::Relaxed, Ordering::Relaxed);
}

/// Lays a policy over this thread's current scope and returns what to give to [`restore_scope`] at its end.
pub fn enter_scope(policy: &Policy) -> PackedPolicy {
    Local::with(|local| {
        let before = local.scope.get();
        local.scope.set(policy.pack().over(before));
        before
    })
}

/// Ends a scope: this thread's scope is again what it was before [`enter_scope`].
pub fn restore_scope(before: PackedPolicy) {
    Local::with(|local| local.scope.set(before));
}

/// Runs `f` with `policy` in scope on this thread; the scope ends also if `f` panics.
pub fn scoped<R>(policy: &Policy, f: impl FnOnce() -> R) -> R {
    struct Restore(PackedPolicy);
    impl Drop for Restore {
        fn drop(&mut self) {
            restore_scope(self.0);
        }
    }
    let _restore = Restore(enter_scope(policy));
    f()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_policy() -> impl Strategy<Value = Policy> {
        let device = prop_oneof![
            Just(None),
            Just(Some(DeviceRequest::Auto)),
            (0..DeviceKind::ALL.len()).prop_map(|i| Some(DeviceRequest::Is(DeviceKind::ALL[i]))),
        ];
        fn pick<T: Named + std::fmt::Debug>() -> impl Strategy<Value = Option<T>> {
            (0..=T::NAMES.len()).prop_map(|i| T::NAMES.get(i).map(|(_, v)| *v))
        }
        let flag = || proptest::option::of(any::<bool>());
        let io = (proptest::array::uniform4(flag()), proptest::array::uniform2(flag()), flag());
        let heads = (device, pick::<Fallback>(), pick::<Math>(), pick::<SyncMode>(), pick::<TuneMode>());
        (heads, io, flag(), proptest::option::of(0..u16::MAX)).prop_map(
            |((device, fallback, math, sync, tune), (upload, download, synchronize), boundary, tune_ms)| Policy {
                device,
                fallback,
                math,
                io: Io { upload, download, synchronize },
                sync,
                trace_sync_boundary: boundary,
                tune,
                tune_ms,
            },
        )
    }

    proptest! {
        #[test]
        fn packing_loses_nothing(policy in any_policy()) {
            prop_assert_eq!(Policy::unpack(policy.pack()), policy);
        }

        #[test]
        fn the_upper_level_wins_field_by_field(upper in any_policy(), lower in any_policy()) {
            let both = Policy::unpack(upper.pack().over(lower.pack()));
            prop_assert_eq!(both.device, upper.device.or(lower.device));
            prop_assert_eq!(both.fallback, upper.fallback.or(lower.fallback));
            prop_assert_eq!(both.math, upper.math.or(lower.math));
            prop_assert_eq!(both.sync, upper.sync.or(lower.sync));
            prop_assert_eq!(both.tune, upper.tune.or(lower.tune));
            prop_assert_eq!(both.tune_ms, upper.tune_ms.or(lower.tune_ms));
            prop_assert_eq!(both.io.synchronize, upper.io.synchronize.or(lower.io.synchronize));
            for i in 0..MAX_IO_INPUTS {
                prop_assert_eq!(both.io.upload[i], upper.io.upload[i].or(lower.io.upload[i]));
            }
        }
    }

    #[test]
    fn call_over_scope_over_session_over_process() {
        init_process();
        let on = |kind| Policy { device: Some(DeviceRequest::Is(kind)), ..Policy::default() };
        let session = on(DeviceKind::Cuda).pack();
        assert_eq!(EffectivePolicy::of(PackedPolicy::UNSET, session).device().name(), "cuda");
        scoped(&on(DeviceKind::Metal), || {
            assert_eq!(EffectivePolicy::of(PackedPolicy::UNSET, session).device().name(), "metal");
            let call = on(DeviceKind::Cpu).pack();
            assert_eq!(EffectivePolicy::of(call, session).device().name(), "cpu");
        });
        assert_eq!(EffectivePolicy::of(PackedPolicy::UNSET, PackedPolicy::UNSET).device().name(), "auto");
    }

    proptest! {
        #[test]
        fn copies_everything_is_all_flags(policy in any_policy()) {
            init_process();
            let effective = EffectivePolicy::of_process(policy.pack());
            let each = (0..MAX_IO_INPUTS).all(|i| effective.upload(i))
                && (0..MAX_IO_OUTPUTS).all(|i| effective.download(i));
            prop_assert_eq!(effective.copies_everything(), each);
        }
    }

    #[test]
    fn scopes_nest_and_end_with_a_panic() {
        let deny = Policy { fallback: Some(Fallback::Deny), ..Policy::default() };
        let cpu = Policy { device: Some(DeviceRequest::Is(DeviceKind::Cpu)), ..Policy::default() };
        scoped(&deny, || {
            let caught = std::panic::catch_unwind(|| scoped(&cpu, || panic!("inside a scope")));
            assert!(caught.is_err());
            let now = EffectivePolicy::of(PackedPolicy::UNSET, PackedPolicy::UNSET);
            assert_eq!((now.device().name(), now.fallback()), ("auto", Fallback::Deny));
        });
    }
}
