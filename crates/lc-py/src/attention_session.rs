//! `AttentionSession`: attention of one shape, forward and training, with operands that stay on the device.

use crate::args::{Int, Switch};
use crate::array::{self, Inputs, TO_F32};
use crate::call::{self, OutShape, Site, level};
use crate::io_policy::{self, AttentionIoPolicy, PostProcess};
use crate::policy;
use crate::session::{is_short, keep, lock, locked, operand, resolve, spec};
use lc_core::{
    Attrs, EffectivePolicy, PackedPolicy, Receipt, ResolvedCall, Result, Session, Shape, TensorMut, TensorRef,
    TensorSpec,
};
use lc_ops::{ATTENTION, ATTENTION_TRAIN, AttentionAttrs, AttentionTrainAttrs};
use pyo3::prelude::*;
use std::sync::{Arc, Mutex};

const NAME: &str = "AttentionSession";

/// What a call does besides the arithmetic.
#[derive(Clone, Copy)]
struct Settings {
    level: PackedPolicy,
    post: Option<PostProcess>,
    /// Training steps from one loss to the next; 0 leaves it to the shape.
    loss_every: u64,
}

impl Settings {
    const PLAIN: Settings = Settings { level: PackedPolicy::UNSET, post: None, loss_every: 1 };

    /// Those of an `AttentionIoPolicy`, or of any other policy.
    fn of(obj: &Bound<'_, PyAny>) -> PyResult<Settings> {
        let level = policy::packed(NAME, obj)?;
        let loss_every = match obj.cast::<AttentionIoPolicy>() {
            Ok(policy) => policy.get().fields().loss_cadence(),
            Err(_) => 1,
        };
        Ok(Settings { level, post: io_policy::of(obj).and_then(|(_, post)| post), loss_every })
    }
}

/// Steps from one loss to the next that suit a shape, by the original's table: a loss costs least beside long steps.
fn automatic_cadence(shape: &Shape) -> u64 {
    match shape.dims() {
        [256, 64] => 32,
        [256, 128] => 16,
        [512 | 1024, 64 | 128] => 8,
        _ => 4,
    }
}

struct State {
    default: Settings,
    forward: Option<Session>,
    train: Option<Session>,
    /// Training steps that succeeded.
    steps: u64,
    loss: f32,
    /// The step, counted from 1, that computed `loss`; 0 while none has.
    loss_step: u64,
}

/// Attention of one head, softmax(q·kᵀ/√D)·v in float32, with operands that stay on the device, and training of `v`.
///
/// Parameters
/// ----------
/// seq_len, head_dim : int
///     S and D, at least 1. Every array has S·D elements, whatever its shape.
/// causal : bool
///     Whether row i sees only rows 0 to i of k and v.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : AttentionIoPolicy or Policy, optional
///     The session's level: below scopes, above the process default. An `AttentionIoPolicy` is its default policy too.
///
/// Notes
/// -----
/// An operand whose upload is off may be None and is the one that the session holds: `forward` and training hold their own.
/// With a download off, the returned list is zeros, or the `v` that was passed for the updated values, and an `out` array
/// stays as it is. Training updates the resident `v` in place, so that a step without uploads goes on from the last one.
/// Several threads may use one session: its calls take turns, and those of other sessions do not wait for them.
#[pyclass(frozen, module = "lightning_core")]
pub struct AttentionSession {
    spec: TensorSpec,
    causal: bool,
    level: PackedPolicy,
    forward: Arc<ResolvedCall>,
    train: Arc<ResolvedCall>,
    state: Mutex<State>,
}

/// Runs one step of a session that is made by the first.
fn step(
    session: &mut Option<Session>,
    call: &Arc<ResolvedCall>,
    level: PackedPolicy,
    attrs: &Attrs,
    inputs: &[Option<TensorRef<'_>>],
    outputs: &mut [TensorMut<'_>],
    policy: PackedPolicy,
) -> Result<Receipt> {
    if session.is_none() {
        *session = Some(Session::new(call.clone(), level)?);
    }
    let session = session.as_mut().expect("made above");
    session.set_attrs(attrs)?;
    session.step(inputs, outputs, policy)
}

impl AttentionSession {
    /// Operands: read if their upload is on, else only checked.
    fn operands<'a, 'py, const N: usize>(
        &self,
        arguments: [(&'static str, Option<&'a Bound<'py, PyAny>>); N],
        policy: EffectivePolicy,
    ) -> PyResult<Inputs<'a, 'py, N>> {
        let mut given = Inputs::new();
        for (i, (argument, obj)) in arguments.into_iter().enumerate() {
            operand(&mut given, i, (NAME, argument), obj, &self.spec.shape, policy.upload(i))?;
        }
        Ok(given)
    }

    fn settings(&self, policy: Option<&Bound<'_, PyAny>>) -> PyResult<Settings> {
        match policy {
            Some(policy) => Settings::of(policy),
            None => Ok(lock(&self.state).default),
        }
    }

    fn effective(&self, settings: Settings) -> EffectivePolicy {
        EffectivePolicy::of(settings.level, self.level)
    }

    fn run_forward(
        &self,
        py: Python<'_>,
        [q, k, v]: [Option<&Bound<'_, PyAny>>; 3],
        settings: Settings,
        out: TensorMut<'_>,
    ) -> PyResult<()> {
        let policy = self.effective(settings);
        let given = self.operands([("q", q), ("k", k), ("v", v)], policy)?;
        let inputs = given.tensors();
        let mut attrs = AttentionAttrs { causal: self.causal, ..AttentionAttrs::default() };
        if let Some(post) = settings.post {
            attrs.output_scale = post.scale;
            attrs.output_bias = post.bias;
            attrs.output_relu = post.relu;
        }
        let result = locked(py, &self.state, is_short(&self.forward), |state| {
            let outputs = &mut [out];
            step(&mut state.forward, &self.forward, self.level, &attrs.into(), inputs, outputs, settings.level)
        });
        keep(py, NAME, result)
    }

    fn forward_list<'py>(
        &self,
        py: Python<'py>,
        qkv: [Option<&Bound<'py, PyAny>>; 3],
        policy: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let settings = self.settings(policy)?;
        let (array, out) = zeros(py, &self.spec)?;
        self.run_forward(py, qkv, settings, out)?;
        array.call_method0("tolist")
    }

    fn forward_write(
        &self,
        py: Python<'_>,
        qkv: [Option<&Bound<'_, PyAny>>; 3],
        out: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let settings = self.settings(policy)?;
        let mut target = array::output(NAME, "out", out)?;
        if *target.spec() != self.spec {
            call::adopt(Site { op: &ATTENTION, name: NAME }, &mut target, &self.spec, OutShape::Any)?;
        }
        self.run_forward(py, qkv, settings, target.tensor_mut())
    }

    fn run_train<'py>(
        &self,
        py: Python<'py>,
        operands: [Option<&Bound<'py, PyAny>>; 4],
        learning_rate: f64,
        policy: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        let settings = self.settings(policy)?;
        let policy = self.effective(settings);
        let [q, k, v, target] = operands;
        let given = self.operands([("q", q), ("k", k), ("v", v), ("target", target)], policy)?;
        let inputs = given.tensors();
        let (out_array, out) = zeros(py, &self.spec)?;
        let (v_array, new_v) = zeros(py, &self.spec)?;
        if !policy.download(1)
            && let Some(v) = v
        {
            let v = array::shaped(NAME, "v", v, TO_F32, self.spec.shape)?;
            // SAFETY: the array is new and `v` is dense with as many elements.
            unsafe { std::ptr::copy_nonoverlapping(v.tensor().ptr(), new_v.ptr(), self.spec.bytes()) };
        }
        let every = match settings.loss_every {
            0 => automatic_cadence(&self.spec.shape),
            every => every,
        };
        let downloads = policy.download(0) || policy.download(1);
        let result = locked(py, &self.state, is_short(&self.train), |state| {
            let compute_loss = state.steps.is_multiple_of(every);
            let attrs = AttentionTrainAttrs { learning_rate, causal: self.causal, compute_loss };
            let mut loss = [0.0f32];
            let mut all = [out, new_v, TensorMut::new(&mut loss, &[])?];
            // Without results to read, not even the loss, the step need not wait.
            let outputs = if downloads || compute_loss { &mut all[..] } else { &mut [] };
            let attrs = attrs.into();
            let receipt = step(&mut state.train, &self.train, self.level, &attrs, inputs, outputs, settings.level)?;
            if let Some(session) = &mut state.train {
                session.feed_back(1, 2)?;
            }
            state.steps += 1;
            if compute_loss {
                (state.loss, state.loss_step) = (loss[0], state.steps);
            }
            Ok((receipt, state.loss))
        });
        let (receipt, loss) = match result {
            Ok((receipt, loss)) => (Ok(receipt), loss),
            Err(error) => (Err(error), 0.0),
        };
        keep(py, NAME, receipt)?;
        Ok((out_array.call_method0("tolist")?, v_array.call_method0("tolist")?, loss.into()))
    }
}

/// A new flat array of zeros, and the tensor to write it through.
fn zeros<'py>(py: Python<'py>, spec: &TensorSpec) -> PyResult<(Bound<'py, PyAny>, TensorMut<'py>)> {
    let (array, out) = array::new_array_as(py, NAME, spec, &[spec.shape.numel()])?;
    // SAFETY: the array is new and has this many bytes.
    unsafe { out.ptr().write_bytes(0, spec.bytes()) };
    Ok((array, out))
}

#[pymethods]
impl AttentionSession {
    #[new]
    #[pyo3(signature = (seq_len, head_dim, causal=Switch(false), device="auto", *, policy=None),
        text_signature = "(seq_len, head_dim, causal=False, device='auto', *, policy=None)")]
    fn new(
        seq_len: Int,
        head_dim: Int,
        causal: Switch,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let head = spec(NAME, &[seq_len.size(NAME, "seq_len", 1)?, head_dim.size(NAME, "head_dim", 1)?])?;
        let level = level(NAME, device, policy)?;
        let default = match policy {
            Some(policy) => Settings { level: PackedPolicy::UNSET, ..Settings::of(policy)? },
            None => Settings::PLAIN,
        };
        let attrs = AttentionAttrs { causal: causal.0, ..AttentionAttrs::default() };
        // Every step sets its own learning rate; the rule wants one that is above zero.
        let train = AttentionTrainAttrs { learning_rate: 1.0, causal: causal.0, compute_loss: true };
        Ok(AttentionSession {
            spec: head,
            causal: causal.0,
            level,
            forward: resolve(NAME, &ATTENTION, &attrs.into(), &[Some(head); 3], level)?,
            train: resolve(NAME, &ATTENTION_TRAIN, &train.into(), &[Some(head); 4], level)?,
            state: Mutex::new(State { default, forward: None, train: None, steps: 0, loss: 0.0, loss_step: 0 }),
        })
    }

    /// The device that `forward` runs on.
    #[getter]
    fn device(&self) -> &'static str {
        self.forward.receipt().selected.name()
    }

    /// S.
    #[getter]
    fn seq_len(&self) -> usize {
        self.spec.shape[0]
    }

    /// D.
    #[getter]
    fn head_dim(&self) -> usize {
        self.spec.shape[1]
    }

    /// Training steps so far.
    #[getter]
    fn steps(&self) -> u64 {
        lock(&self.state).steps
    }

    /// The training step, counted from 1, that computed the loss which the last step returned; 0 before the first.
    #[getter]
    fn last_loss_step(&self) -> u64 {
        lock(&self.state).loss_step
    }

    /// Bytes that the session holds on its device: none before the first step.
    #[getter]
    fn resident_bytes(&self) -> usize {
        let state = lock(&self.state);
        [&state.forward, &state.train].into_iter().flatten().map(Session::bytes).sum()
    }

    fn __repr__(&self) -> String {
        let causal = if self.causal { "True" } else { "False" };
        let [rows, dim] = [self.seq_len(), self.head_dim()];
        format!("AttentionSession(seq_len={rows}, head_dim={dim}, causal={causal}, device='{}')", self.device())
    }

    /// Sets the policy of the methods that take none, from a copy of its fields.
    #[pyo3(signature = (policy, /))]
    fn set_default_policy(&self, policy: &Bound<'_, PyAny>) -> PyResult<()> {
        let settings = Settings::of(policy)?;
        lock(&self.state).default = settings;
        Ok(())
    }

    /// Attention as a list of S·D floats, under the default policy.
    #[pyo3(signature = (q, k, v, /))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        q: Option<&Bound<'py, PyAny>>,
        k: Option<&Bound<'py, PyAny>>,
        v: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.forward_list(py, [q, k, v], None)
    }

    /// Attention as a list of S·D floats, under a policy.
    #[pyo3(signature = (q, k, v, policy, /))]
    fn forward_with_policy<'py>(
        &self,
        py: Python<'py>,
        q: Option<&Bound<'py, PyAny>>,
        k: Option<&Bound<'py, PyAny>>,
        v: Option<&Bound<'py, PyAny>>,
        policy: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.forward_list(py, [q, k, v], Some(policy))
    }

    /// Attention into `out`, a float32 array of S·D elements, under the default policy.
    #[pyo3(signature = (q, k, v, out, /))]
    fn forward_into(
        &self,
        q: Option<&Bound<'_, PyAny>>,
        k: Option<&Bound<'_, PyAny>>,
        v: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.forward_write(out.py(), [q, k, v], out, None)
    }

    /// Attention into `out`, a float32 array of S·D elements, under a policy.
    #[pyo3(signature = (q, k, v, out, policy, /))]
    fn forward_with_policy_into(
        &self,
        q: Option<&Bound<'_, PyAny>>,
        k: Option<&Bound<'_, PyAny>>,
        v: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
        policy: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.forward_write(out.py(), [q, k, v], out, Some(policy))
    }

    /// One step of gradient descent on v for the loss mean((out - target)²), under the default policy.
    ///
    /// Returns
    /// -------
    /// out, new_v : list of float
    ///     Attention with the old v, and the new v. The arrays passed in stay as they are.
    /// loss : float
    ///     Before the step; of the last step that computed one if the policy's `loss_every` skips this one.
    #[pyo3(signature = (q, k, v, target, learning_rate, /))]
    fn train_step<'py>(
        &self,
        py: Python<'py>,
        q: Option<&Bound<'py, PyAny>>,
        k: Option<&Bound<'py, PyAny>>,
        v: Option<&Bound<'py, PyAny>>,
        target: Option<&Bound<'py, PyAny>>,
        learning_rate: f64,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        self.run_train(py, [q, k, v, target], learning_rate, None)
    }

    /// As `train_step`, under a policy.
    #[pyo3(signature = (q, k, v, target, learning_rate, policy, /))]
    fn train_step_with_policy<'py>(
        &self,
        py: Python<'py>,
        q: Option<&Bound<'py, PyAny>>,
        k: Option<&Bound<'py, PyAny>>,
        v: Option<&Bound<'py, PyAny>>,
        target: Option<&Bound<'py, PyAny>>,
        learning_rate: f64,
        policy: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        self.run_train(py, [q, k, v, target], learning_rate, Some(policy))
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<AttentionSession>()
}
