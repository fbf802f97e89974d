//! What a call keeps for its thread: the policy in scope, recent plans, the last receipt.
//!
//! They are one thread-local, and a call looks it up once: in a shared library that is a call of its own.

use crate::attrs::Attrs;
use crate::device::{DeviceKind, DeviceRequest};
use crate::dtype::DType;
use crate::plan::Plan;
use crate::policy::{EffectivePolicy, Math, PackedPolicy};
use crate::receipt::{Reason, Receipt};
use crate::registry::OpDef;
use crate::tensor::{TensorRef, TensorSpec};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Plans are memoised for one epoch: whatever changes how calls are routed starts a new one.
static EPOCH: AtomicU64 = AtomicU64::new(1);

/// Forgets every memoised plan, in all threads, from their next call on.
pub fn forget_plans() {
    EPOCH.fetch_add(1, Ordering::Relaxed);
}

/// The current epoch. Whoever keeps plans of its own makes them again when it has changed.
pub fn plan_epoch() -> u64 {
    EPOCH.load(Ordering::Relaxed)
}

/// What [`Local::last`] holds before the first call.
const NO_RECEIPT: Receipt = Receipt {
    op: "",
    requested: DeviceRequest::Auto,
    selected: DeviceKind::Cpu,
    kernel: "",
    dtype: DType::F32,
    math: Math::IeeeF32,
    fallback: false,
    reason: Reason::Best,
    launches: 0,
    waits: 0,
    bytes_uploaded: 0,
    bytes_downloaded: 0,
    duration_ns: None,
    warn: false,
};

/// One thread's state.
pub(crate) struct Local {
    /// The policy in scope.
    pub(crate) scope: Cell<PackedPolicy>,
    /// The receipt of the last successful call.
    pub(crate) last: RefCell<Receipt>,
    /// Recent plans.
    pub(crate) memo: RefCell<Memo>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            scope: Cell::new(PackedPolicy::UNSET),
            last: RefCell::new(NO_RECEIPT),
            memo: RefCell::new(Memo { entries: None }),
        }
    };
}

impl Local {
    /// Calls `f` with this thread's state.
    #[inline(always)]
    pub(crate) fn with<R>(f: impl FnOnce(&Local) -> R) -> R {
        LOCAL.with(f)
    }
}

/// The receipt of this thread's last successful call.
pub fn last_receipt() -> Option<Receipt> {
    let receipt = Local::with(|local| *local.last.borrow());
    (!receipt.op.is_empty()).then_some(receipt)
}

/// Makes `receipt` this thread's last one; for calls that are made of several.
#[inline]
pub fn set_last_receipt(receipt: Receipt) {
    Local::with(|local| *local.last.borrow_mut() = receipt);
}

/// Everything that a plan depends on.
pub(crate) struct Key<'a> {
    pub(crate) runtime: u64,
    pub(crate) op: &'static OpDef,
    pub(crate) attrs: &'a Attrs,
    pub(crate) inputs: &'a [Option<TensorRef<'a>>],
    pub(crate) policy: EffectivePolicy,
}

impl Key<'_> {
    /// The entry that may hold this key. Multiply-and-rotate mixes enough for so small a table.
    #[inline(always)]
    pub(crate) fn slot(&self) -> usize {
        let mut hash = std::ptr::from_ref(self.op) as u64 ^ self.policy.key();
        let mut mix = |word: u64| hash = (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for word in self.attrs.words() {
            mix(*word);
        }
        for input in self.inputs {
            let Some(tensor) = input else {
                mix(0);
                continue;
            };
            mix(1 | (tensor.dtype() as u64) << 8 | (tensor.shape().rank() as u64) << 16);
            for dim in tensor.shape().dims() {
                mix(*dim as u64);
            }
        }
        (hash >> 58) as usize % MEMO_SLOTS
    }

    #[inline(always)]
    fn is(&self, entry: &Entry) -> bool {
        std::ptr::eq(self.op, entry.op)
            && self.policy == entry.policy
            && self.runtime == entry.runtime
            && plan_epoch() == entry.epoch
            && self.attrs == &entry.attrs
            && self.inputs.len() == entry.inputs.len()
            && self.inputs.iter().zip(&entry.inputs).all(|(given, known)| match (given, known) {
                (Some(given), Some(known)) => given.spec() == known,
                (None, None) => true,
                _ => false,
            })
    }
}

/// Entries of a thread's memo.
const MEMO_SLOTS: usize = 64;

/// A thread's recent plans: direct-mapped, so that a look-up is one compare and memory is bounded.
pub(crate) struct Memo {
    entries: Option<Box<[Option<Entry>; MEMO_SLOTS]>>,
}

struct Entry {
    runtime: u64,
    epoch: u64,
    policy: EffectivePolicy,
    op: &'static OpDef,
    attrs: Attrs,
    inputs: Box<[Option<TensorSpec>]>,
    plan: Arc<Plan>,
}

impl Memo {
    /// The plan for this key, if `slot`, which is the key's, holds it.
    #[inline(always)]
    pub(crate) fn find(&self, slot: usize, key: &Key<'_>) -> Option<&Arc<Plan>> {
        let entry = self.entries.as_ref()?[slot].as_ref()?;
        key.is(entry).then_some(&entry.plan)
    }

    /// Keeps a plan that was made in `epoch`, in place of the one in its slot.
    pub(crate) fn keep(&mut self, slot: usize, key: &Key<'_>, epoch: u64, plan: Arc<Plan>) {
        let entries = self.entries.get_or_insert_with(|| Box::new([const { None }; MEMO_SLOTS]));
        entries[slot] = Some(Entry {
            runtime: key.runtime,
            epoch,
            policy: key.policy,
            op: key.op,
            attrs: *key.attrs,
            inputs: key.inputs.iter().map(|input| input.as_ref().map(|tensor| *tensor.spec())).collect(),
            plan,
        });
    }
}
