//! Ops, devices and the memo of plans: what a call goes through.

use crate::attrs::Attrs;
use crate::backend::Backend;
use crate::device::{DeviceKind, DeviceRequest};
use crate::devices::{Devices, LazyBackend};
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::intern::Name;
use crate::memo::{self, Key, Local};
use crate::plan::{self, Plan, ResolvedCall};
use crate::policy::{self, EffectivePolicy, Fallback, PackedPolicy};
use crate::receipt::{Reason, Receipt};
use crate::registry::{OpDef, OutputSpecs, Registry};
use crate::router::{Routed, Router};
use crate::session::Session;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::tune::{self, CostModel, DeviceId, Proven, Record, Store};
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

pub use crate::memo::{forget_plans, last_receipt, plan_epoch, set_last_receipt};

/// A registry of ops and the devices that run them.
pub struct Runtime {
    id: u64,
    registry: Registry,
    devices: Devices,
    /// Fallbacks that somebody was told about.
    warned: Mutex<HashSet<(&'static str, DeviceKind)>>,
    store: Arc<Store>,
    model: Mutex<Model>,
    proven: Proven,
}

/// The cost model, and the revision of the store that it was made from; `None` if it is not the store's.
struct Model {
    revision: Option<u64>,
    model: Arc<CostModel>,
}

/// Runs a plan of one call; its receipt becomes this thread's last one.
///
/// # Errors
/// As [`Plan::run_one`].
#[inline]
pub fn run_plan(
    plan: &Plan,
    inputs: &[Option<TensorRef<'_>>],
    outputs: &mut [TensorMut<'_>],
    policy: EffectivePolicy,
) -> Result<()> {
    Local::with(|local| plan.run_one_into(inputs, outputs, policy, &mut local.last.borrow_mut()))
}

/// The plan of a call, under the policy that it was made for.
#[derive(Clone, Copy)]
pub struct Planned<'a> {
    /// The plan.
    pub plan: &'a Arc<Plan>,
    /// The policy.
    pub policy: EffectivePolicy,
    last: &'a RefCell<Receipt>,
}

impl Planned<'_> {
    /// [`run_plan`], on the thread that looked the plan up.
    ///
    /// # Errors
    /// As [`Plan::run_one`].
    #[inline(always)]
    pub fn run(&self, inputs: &[Option<TensorRef<'_>>], outputs: &mut [TensorMut<'_>]) -> Result<()> {
        self.plan.run_one_into(inputs, outputs, self.policy, &mut self.last.borrow_mut())
    }
}

impl Runtime {
    /// A runtime of these ops and devices.
    pub fn new(registry: Registry, backends: Vec<Arc<dyn Backend>>) -> Runtime {
        Runtime::with_lazy(registry, backends, Vec::new())
    }

    /// A runtime of these ops and devices, and of devices that it opens when they are first asked for.
    pub fn with_lazy(registry: Registry, backends: Vec<Arc<dyn Backend>>, lazy: Vec<LazyBackend>) -> Runtime {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        policy::init_process();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let store = Store::global().clone();
        let model = Mutex::new(Model { revision: Some(0), model: Arc::default() });
        let (warned, proven) = (Mutex::default(), Proven::default());
        Runtime { id, registry, devices: Devices::new(backends, lazy), warned, store, model, proven }
    }

    /// The same runtime with a store of its own in place of the user's.
    pub fn with_store(self, store: Arc<Store>) -> Runtime {
        Runtime { store, ..self }
    }

    /// The same runtime with a cost model that the store does not change.
    pub fn with_cost_model(self, model: CostModel) -> Runtime {
        Runtime { model: Mutex::new(Model { revision: None, model: Arc::new(model) }), ..self }
    }

    /// What was measured on this machine before. Who changes it calls [`forget_plans`], so that calls whose plans are
    /// memoised see it.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The cost of ops on the runtime's devices, as far as it was measured.
    pub fn cost_model(&self) -> Arc<CostModel> {
        // Asking for emptiness reads the file if that was not done yet, which changes the revision.
        let empty = self.store.is_empty();
        let revision = self.store.revision();
        let mut cached = self.model.lock().unwrap_or_else(|e| e.into_inner());
        if cached.revision.is_some_and(|known| known != revision) {
            let model = match empty {
                true => CostModel::new(),
                false => {
                    let open = self.devices.open();
                    CostModel::of_book(&self.store.book(), open.iter().map(|b| (&**b, DeviceId::of(&**b))))
                }
            };
            *cached = Model { revision: Some(revision), model: Arc::new(model) };
        }
        cached.model.clone()
    }

    /// The identity of an open device, by its position in [`Runtime::backends`], for records of measurements.
    pub fn device_id(&self, backend: usize) -> DeviceId {
        DeviceId::of(&*self.devices.open()[backend])
    }

    /// Calls `f` with the router of the devices that the policy allows.
    fn routed<R>(&self, policy: EffectivePolicy, f: impl FnOnce(&Router<'_>) -> Result<R>) -> Result<R> {
        let backends = self.devices.candidates(policy);
        let model = || self.cost_model();
        f(&Router { backends: &backends, store: &self.store, model: &model, proven_here: &self.proven })
            .map_err(|error| self.devices.explain(error, policy))
    }

    /// Measures the kernels that the policy's device has for a call, within the policy's `tune_ms`, and keeps the choice
    /// in the store, whatever the policy's tune mode and whatever is stored already. Plans are made anew after that.
    ///
    /// # Errors
    /// As [`Runtime::resolve`]; operands that are too large to copy; a store that cannot be written.
    pub fn tune(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorSpec>],
        policy: EffectivePolicy,
    ) -> Result<tune::Entry> {
        let outputs = op.check(attrs, inputs)?;
        let call = routed(op, attrs, inputs, &outputs, policy, false);
        let entry = self.routed(policy, |router| {
            let backend = router.device(&call)?.backend;
            let on = DeviceId::of(&*router.backends[backend]);
            let key = tune::Key::new(on, op, attrs, inputs, call.dtype, policy.math());
            router.search(&call, backend, &key)
        })?;
        let kept = self.store.put([Record::Choice(entry.clone())]);
        forget_plans();
        kept.map(|()| entry)
    }

    /// Its ops.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The devices that are open: those that it was given, and those that were asked for.
    pub fn backends(&self) -> Vec<Arc<dyn Backend>> {
        self.devices.open()
    }

    /// Every device that is here; opens those that are not open.
    pub fn every_backend(&self) -> Vec<Arc<dyn Backend>> {
        self.devices.every()
    }

    /// The device of that kind, if it is there; opens it if it is not open.
    pub fn backend(&self, kind: DeviceKind) -> Option<&Arc<dyn Backend>> {
        self.devices.get(kind)
    }

    /// [`Runtime::backend`], unless it is a software stand-in and the policy's fallback is "deny".
    pub fn backend_under(&self, kind: DeviceKind, policy: EffectivePolicy) -> Option<&Arc<dyn Backend>> {
        self.devices.get_under(kind, policy)
    }

    /// Why the device of that kind is not here, if opening it failed.
    pub fn open_failure(&self, kind: DeviceKind) -> Option<&Error> {
        self.devices.failure(kind)
    }

    /// Adds to an error's hint why the device that the policy names cannot be used.
    pub fn explain(&self, error: Error, policy: EffectivePolicy) -> Error {
        self.devices.explain(error, policy)
    }

    /// The device that "auto" prefers: Metal, else CUDA, else the CPU; what is there of them.
    pub fn preferred(&self) -> DeviceKind {
        [DeviceKind::Metal, DeviceKind::Cuda]
            .into_iter()
            .find(|kind| self.backend(*kind).is_some())
            .unwrap_or(DeviceKind::Cpu)
    }

    /// Chooses device and kernel for a call, without running it and without the memo. Its operands may be resident, so
    /// it stays on the device that the policy allows.
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
        self.resolve_call(op, attrs, inputs, policy, Operands::There)
    }

    /// [`Runtime::resolve`] on a device that measured times prefer to the policy's own. The receipt has
    /// [`Reason::Crossover`], and is a fallback if the policy names another device; nobody is warned.
    ///
    /// # Errors
    /// As [`Runtime::resolve`]; no kernel on that device.
    pub fn resolve_on(
        &self,
        kind: DeviceKind,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorSpec>],
        policy: EffectivePolicy,
    ) -> Result<Arc<ResolvedCall>> {
        self.resolve_call(op, attrs, inputs, policy, Operands::MovedTo(kind))
    }

    /// [`Runtime::resolve`]; a one-shot call may change its device for its copies' sake.
    fn resolve_call(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorSpec>],
        policy: EffectivePolicy,
        operands: Operands,
    ) -> Result<Arc<ResolvedCall>> {
        let outputs = op.check(attrs, inputs)?;
        let asked = match operands {
            Operands::MovedTo(kind) => policy.on(kind),
            _ => policy,
        };
        let call = routed(op, attrs, inputs, &outputs, asked, operands == Operands::FromHost);
        let (dtype, cost) = (call.dtype, call.cost);
        let (mut choice, backend) = self.routed(asked, |router| {
            let choice = router.choose(&call)?;
            let backend = router.backends[choice.backend].clone();
            Ok((choice, backend))
        })?;
        if choice.reason == Reason::Requested && backend.stand_in().is_some() {
            choice.reason = Reason::Software;
        }
        if let Operands::MovedTo(kind) = operands {
            if backend.descriptor().kind != kind {
                return Err(Error::unsupported(
                    op.name,
                    format!("a kernel on device \"{kind}\""),
                    "none for this call",
                ));
            }
            choice.reason = Reason::Crossover;
            choice.fallback = policy.device() != DeviceRequest::Auto;
        }
        let kernel = &backend.kernels()[choice.kernel];
        let kind = backend.descriptor().kind;
        let template = plan::template(op, policy.device(), kind, kernel, dtype, choice.fallback, choice.reason);
        let kernel_name = Name::of(kernel.name);
        // A crossover is a choice, and no surprise to warn of; the receipt tells of it.
        let surprise = choice.fallback && choice.reason != Reason::Crossover;
        let unwarned = surprise && policy.fallback() == Fallback::Warn && self.first_warning(op, policy);
        Ok(Arc::new(ResolvedCall {
            op,
            attrs: *attrs,
            inputs: inputs.to_vec(),
            cost,
            outputs,
            kernel,
            backend,
            template,
            op_name: Name::of(op.trace_name),
            kernel_name,
            unwarned: AtomicBool::new(unwarned),
        }))
    }

    fn first_warning(&self, op: &'static OpDef, policy: EffectivePolicy) -> bool {
        let DeviceRequest::Is(kind) = policy.device() else { return false };
        self.warned.lock().unwrap_or_else(|e| e.into_inner()).insert((op.name, kind))
    }

    /// Calls `f` with the plan of a call under the policy that its level gives: from this thread's memo, or made and
    /// memoised. A call inside `f` that misses the memo is not memoised.
    ///
    /// # Errors
    /// As [`Runtime::resolve`], and those of `f`.
    #[inline(always)]
    pub fn with_plan<R>(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        level: PackedPolicy,
        f: impl FnOnce(Planned<'_>) -> Result<R>,
    ) -> Result<R> {
        Local::with(|local| {
            let policy = EffectivePolicy::within(local.scope.get(), level, PackedPolicy::UNSET);
            let key = Key { runtime: self.id, op, attrs, inputs, policy };
            let slot = key.slot();
            // The memo stays borrowed while `f` runs, which saves a reference count on every call.
            let memo = local.memo.borrow();
            if let Some(plan) = memo.find(slot, &key) {
                return f(Planned { plan, policy, last: &local.last });
            }
            drop(memo);
            self.with_new_plan(local, slot, &key, f)
        })
    }

    #[cold]
    #[inline(never)]
    fn with_new_plan<R>(
        &self,
        local: &Local,
        slot: usize,
        key: &Key<'_>,
        f: impl FnOnce(Planned<'_>) -> Result<R>,
    ) -> Result<R> {
        f(Planned { plan: &self.plan_anew(local, slot, key)?, policy: key.policy, last: &local.last })
    }

    /// The plan of a call, shared.
    ///
    /// # Errors
    /// As [`Runtime::resolve`].
    pub fn plan(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        level: PackedPolicy,
    ) -> Result<Arc<Plan>> {
        self.with_plan(op, attrs, inputs, level, |call| Ok(call.plan.clone()))
    }

    fn plan_anew(&self, local: &Local, slot: usize, key: &Key<'_>) -> Result<Arc<Plan>> {
        let epoch = memo::plan_epoch();
        let specs: Vec<_> = key.inputs.iter().map(|t| t.as_ref().map(|t| *t.spec())).collect();
        let resolved = self.resolve_call(key.op, key.attrs, &specs, key.policy, Operands::FromHost)?;
        let plan = Arc::new(Plan::of_call(resolved));
        if let Ok(mut memo) = local.memo.try_borrow_mut() {
            memo.keep(slot, key, epoch, plan.clone());
        }
        Ok(plan)
    }

    /// Runs an op: finds its plan and runs it. The receipt is then this thread's last one.
    ///
    /// # Errors
    /// As [`Runtime::resolve`] and [`Plan::run_one`].
    #[inline]
    pub fn run(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        call_policy: PackedPolicy,
    ) -> Result<()> {
        self.with_plan(op, attrs, inputs, call_policy, |call| call.run(inputs, outputs))
    }

    /// [`Runtime::run`], and the receipt.
    ///
    /// # Errors
    /// As [`Runtime::run`].
    pub fn call(
        &self,
        op: &'static OpDef,
        attrs: &Attrs,
        inputs: &[Option<TensorRef<'_>>],
        outputs: &mut [TensorMut<'_>],
        call_policy: PackedPolicy,
    ) -> Result<Receipt> {
        self.run(op, attrs, inputs, outputs, call_policy)?;
        Ok(last_receipt().expect("a call that succeeds leaves a receipt"))
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

/// Where the operands of a call are when its device is chosen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operands {
    /// Wherever the call goes.
    There,
    /// On the host, where its results go, too: one call by itself.
    FromHost,
    /// On this device, for which the call was taken from its policy's.
    MovedTo(DeviceKind),
}

fn routed<'a>(
    op: &'static OpDef,
    attrs: &'a Attrs,
    inputs: &'a [Option<TensorSpec>],
    outputs: &OutputSpecs,
    policy: EffectivePolicy,
    one_shot: bool,
) -> Routed<'a> {
    let dtype = inputs.first().copied().flatten().map_or(DType::F32, |spec| spec.dtype);
    Routed { op, attrs, inputs, dtype, cost: (op.cost)(attrs, inputs, outputs), policy, one_shot }
}
