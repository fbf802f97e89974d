//! Ops, devices and the memo of plans: what a call goes through.

use crate::attrs::Attrs;
use crate::backend::Backend;
use crate::device::DeviceKind;
use crate::error::Result;
use crate::intern::Name;
use crate::plan::{self, Plan, ResolvedCall};
use crate::policy::{self, EffectivePolicy, Fallback, PackedPolicy};
use crate::receipt::Receipt;
use crate::registry::{MAX_INPUTS, OpDef, Registry};
use crate::router;
use crate::session::Session;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A registry of ops and the devices that run them.
pub struct Runtime {
    id: u64,
    registry: Registry,
    backends: Vec<Arc<dyn Backend>>,
    /// Fallbacks that somebody was told about.
    warned: Mutex<HashSet<(&'static str, DeviceKind)>>,
}

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

thread_local! {
    static LAST: Cell<Option<Receipt>> = const { Cell::new(None) };
    static MEMO: RefCell<Option<Box<Memo>>> = const { RefCell::new(None) };
}

/// The receipt of this thread's last successful call.
pub fn last_receipt() -> Option<Receipt> {
    LAST.get()
}

/// Makes `receipt` this thread's last one; for calls that are made of several.
#[inline]
pub fn set_last_receipt(receipt: Receipt) {
    LAST.set(Some(receipt));
}

impl Runtime {
    /// A runtime of these ops and devices.
    pub fn new(registry: Registry, backends: Vec<Arc<dyn Backend>>) -> Runtime {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        policy::init_process();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Runtime { id, registry, backends, warned: Mutex::new(HashSet::new()) }
    }

    /// Its ops.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Its devices.
    pub fn backends(&self) -> &[Arc<dyn Backend>] {
        &self.backends
    }

    /// The device of that kind, if it is there.
    pub fn backend(&self, kind: DeviceKind) -> Option<&Arc<dyn Backend>> {
        self.backends.iter().find(|b| b.descriptor().kind == kind)
    }

    /// The device that "auto" prefers: Metal, else CUDA, else the CPU; what is there of them.
    pub fn preferred(&self) -> DeviceKind {
        [DeviceKind::Metal, DeviceKind::Cuda]
            .into_iter()
            .find(|kind| self.backend(*kind).is_some())
            .unwrap_or(DeviceKind::Cpu)
    }

    /// Chooses device and kernel for a call, without running it and without the memo.
    ///
    /// # Errors
    /// What [`OpDef::check`] refuses; a device that the policy names and does not let be replaced; no kernel anywhere.
    pub fn resolve(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorSpec>],
        policy: EffectivePolicy,
    ) -> Result<Arc<ResolvedCall>> {
        let outputs = op.check(attrs, inputs)?;
        let dtype = inputs.first().copied().flatten().map_or(crate::DType::F32, |spec| spec.dtype);
        let choice = router::choose(&self.backends, op, attrs, inputs, dtype, policy)?;
        let backend = self.backends[choice.backend].clone();
        let kernel = &backend.kernels()[choice.kernel];
        let kind = backend.descriptor().kind;
        let template = plan::template(op, policy.device(), kind, kernel, dtype, choice.fallback, choice.reason);
        let kernel_name = Name::of(kernel.name);
        let unwarned = choice.fallback && policy.fallback() == Fallback::Warn && self.first_warning(op, policy);
        Ok(Arc::new(ResolvedCall {
            op,
            attrs: *attrs,
            inputs: inputs.to_vec(),
            cost: (op.cost)(attrs, inputs, &outputs),
            outputs,
            kernel: choice.kernel,
            backend,
            template,
            op_name: Name::of(op.trace_name),
            kernel_name,
            unwarned: AtomicBool::new(unwarned),
        }))
    }

    fn first_warning(&self, op: &'static OpDef, policy: EffectivePolicy) -> bool {
        let crate::DeviceRequest::Is(kind) = policy.device() else { return false };
        self.warned.lock().unwrap_or_else(|e| e.into_inner()).insert((op.name, kind))
    }

    /// The plan of a call: from this thread's memo, or made and memoised.
    ///
    /// # Errors
    /// As [`Runtime::resolve`].
    #[inline]
    pub fn plan(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        policy: EffectivePolicy,
    ) -> Result<Arc<Plan>> {
        let key = Key::new(self.id, op, attrs, inputs, policy);
        if let Some(plan) = key.as_ref().and_then(Memo::find) {
            return Ok(plan);
        }
        self.plan_anew(op, attrs, inputs, policy, key)
    }

    #[cold]
    fn plan_anew(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        policy: EffectivePolicy,
        key: Option<Key>,
    ) -> Result<Arc<Plan>> {
        let epoch = EPOCH.load(Ordering::Relaxed);
        let specs: Vec<_> = inputs.iter().map(|t| t.as_ref().map(|t| *t.spec())).collect();
        let plan = Arc::new(Plan::of_call(self.resolve(op, attrs, &specs, policy)?));
        if let Some(key) = key {
            Memo::insert(key, epoch, plan.clone());
        }
        Ok(plan)
    }

    /// Runs an op: finds its plan, runs it, keeps the receipt as this thread's last one.
    ///
    /// # Errors
    /// As [`Runtime::resolve`] and [`Plan::run_one`].
    #[inline]
    pub fn call(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        call_policy: PackedPolicy,
    ) -> Result<Receipt> {
        let policy = EffectivePolicy::of(call_policy, PackedPolicy::UNSET);
        let receipt = self.plan(op, attrs, inputs, policy)?.run_one(inputs, outputs, policy)?;
        set_last_receipt(receipt);
        Ok(receipt)
    }

    /// A session for one op on tensors of these types and extents; see [`Session`].
    ///
    /// # Errors
    /// As [`Runtime::resolve`]; out of memory.
    pub fn session(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorSpec>],
        session_policy: PackedPolicy,
    ) -> Result<Session> {
        let policy = EffectivePolicy::of(PackedPolicy::UNSET, session_policy);
        Session::new(self.resolve(op, attrs, inputs, policy)?, session_policy)
    }
}

/// Words of the longest key that is memoised: three of the call, its attributes, and header and extents of its inputs.
const KEY_WORDS: usize = 48;

/// Everything that a plan depends on, as words.
struct Key {
    len: usize,
    words: [u64; KEY_WORDS],
}

impl Key {
    /// `None` if the call is too large to memoise.
    #[inline]
    fn new(
        runtime: u64,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        policy: EffectivePolicy,
    ) -> Option<Key> {
        debug_assert!(inputs.len() <= MAX_INPUTS);
        let mut key = Key { len: 0, words: [0; KEY_WORDS] };
        let dims: usize = inputs.iter().flatten().map(|t| t.shape().rank()).sum();
        if 3 + attrs.words().len() + inputs.len() + dims > KEY_WORDS {
            return None;
        }
        let mut push = |word: u64| {
            key.words[key.len] = word;
            key.len += 1;
        };
        push(std::ptr::from_ref(op) as u64);
        push(runtime << 8 | inputs.len() as u64);
        push(policy.key());
        for word in attrs.words() {
            push(*word);
        }
        for input in inputs {
            match input {
                None => push(0),
                Some(tensor) => {
                    push(1 | (tensor.dtype() as u64) << 8 | (tensor.shape().rank() as u64) << 16);
                    for dim in tensor.shape().dims() {
                        push(*dim as u64);
                    }
                }
            }
        }
        Some(key)
    }

    #[inline]
    fn words(&self) -> &[u64] {
        &self.words[..self.len]
    }

    /// A position in the memo. Multiply-and-rotate mixes enough for a table of 64.
    #[inline]
    fn slot(&self) -> usize {
        let mix = |h: u64, w: &u64| (h.rotate_left(5) ^ w).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (self.words().iter().fold(0, mix) >> 58) as usize
    }
}

/// A thread's recent plans: direct-mapped, so that a look-up is one compare and memory is bounded.
struct Memo {
    entries: [Option<(Key, u64, Arc<Plan>)>; 64],
}

impl Memo {
    #[inline]
    fn find(key: &Key) -> Option<Arc<Plan>> {
        MEMO.with_borrow(|memo| {
            let (known, epoch, plan) = memo.as_ref()?.entries[key.slot()].as_ref()?;
            let fresh = *epoch == EPOCH.load(Ordering::Relaxed);
            (fresh && known.words() == key.words()).then(|| plan.clone())
        })
    }

    fn insert(key: Key, epoch: u64, plan: Arc<Plan>) {
        MEMO.with_borrow_mut(|memo| {
            let memo = memo.get_or_insert_with(|| Box::new(Memo { entries: [const { None }; 64] }));
            let slot = key.slot();
            memo.entries[slot] = Some((key, epoch, plan));
        });
    }
}
