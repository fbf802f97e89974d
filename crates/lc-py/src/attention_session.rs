//! Attention sessions: forward and training steps on operands that stay resident.
//!
//! A session object holds one forward and one training session of its own, made when first used. Nothing is shared between
//! objects; calls of several threads on one object take turns.

use crate::args::{Int, Switch};
use crate::array::{self, Input};
use crate::call::{self, level};
use crate::error::raise;
use crate::io_policy::{self, AttentionIoPolicy, PostProcess};
use crate::session::{is_short, keep, locked, operand, resolve, spec, tensors};
use lc_core::{Attrs, Error, PackedPolicy, Receipt, Result, Session, TensorMut, TensorSpec};
use lc_ops::{ATTENTION, ATTENTION_TRAIN, AttentionAttrs, AttentionTrainAttrs};
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Steps from one loss to the next where the policy leaves it to the shape: the original's table.
fn automatic_cadence(rows: usize, dim: usize) -> u64 {
    match (rows, dim) {
        (256, 64) => 32,
        (256, 128) => 16,
        (512 | 1024, 64 | 128) => 8,
        _ => 4,
    }
}

/// What a session does unless a call brings a policy.
#[derive(Clone, Copy)]
struct Defaults {
    io: PackedPolicy,
    post: PostProcess,
    /// 0 leaves it to the shape.
    loss_every: u64,
}

impl Defaults {
    fn of(policy: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Defaults> {
        let expected = || raise(Error::wrong_type(name, "policy", "an AttentionIoPolicy", type_name(policy)));
        let loss_every = policy.cast::<AttentionIoPolicy>().map_err(|_| expected())?.borrow().loss_cadence();
        let (io, post) = io_policy::of(policy).ok_or_else(expected)?;
        let post = post.unwrap_or(PLAIN);
        Ok(Defaults { io: io.pack(), post, loss_every })
    }
}

const PLAIN: PostProcess = PostProcess { scale: 1.0, bias: 0.0, relu: false };

fn type_name(obj: &Bound<'_, PyAny>) -> String {
    obj.get_type().fully_qualified_name().map_or_else(|_| "an object".into(), |n| n.to_string())
}

/// What turns are taken for.
#[derive(Default)]
struct State {
    forward: Option<(Attrs, Session)>,
    train: Option<(Attrs, Session)>,
    /// Successful training steps.
    steps: u64,
    loss: f32,
    /// The step, counted from 1, that computed `loss`; 0 while none has.
    loss_step: u64,
}

/// Attention of one head on float32 [seq_len, head_dim], with operands that stay resident.
///
/// Parameters
/// ----------
/// seq_len, head_dim : int
///     Extents, at least 1.
/// causal : bool
///     Whether row i sees only rows 0 to i.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The session's level of the policy: below a call's and a scope's.
///
/// Under a policy with an upload off the operand of an earlier call is used; without one that is a NotInitializedError. With
/// a download off nothing is written: returned values are zeros (the updated V: the given one).
#[pyclass(frozen, module = "lightning_core")]
pub struct AttentionSession {
    rows: usize,
    dim: usize,
    causal: bool,
    level: PackedPolicy,
    spec: TensorSpec,
    defaults: Mutex<Defaults>,
    state: Mutex<State>,
}

type Three<'a, 'py> = [&'a Bound<'py, PyAny>; 3];

impl AttentionSession {
    fn defaults(&self) -> Defaults {
        *self.defaults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Q, K and V with the session's number of elements each.
    fn operands<'a, 'py>(&self, name: &'static str, qkv: Three<'a, 'py>) -> PyResult<[Option<Input<'a, 'py>>; 3]> {
        let [q, k, v] = qkv;
        Ok([
            operand(name, "q", Some(q), self.spec.shape, true)?,
            operand(name, "k", Some(k), self.spec.shape, true)?,
            operand(name, "v", Some(v), self.spec.shape, true)?,
        ])
    }

    fn forward_attrs(&self, post: PostProcess) -> Attrs {
        AttentionAttrs {
            causal: self.causal,
            output_scale: post.scale,
            output_bias: post.bias,
            output_relu: post.relu,
            ..AttentionAttrs::default()
        }
        .into()
    }

    fn run_forward(
        &self,
        py: Python<'_>,
        name: &'static str,
        qkv: Three<'_, '_>,
        out: TensorMut<'_>,
        how: Defaults,
    ) -> PyResult<()> {
        let given = self.operands(name, qkv)?;
        let inputs = tensors(&given);
        let attrs = self.forward_attrs(how.post);
        let call = resolve(name, &ATTENTION, &attrs, &[Some(self.spec); 3], self.level)?;
        let short = is_short(&call);
        let result = locked(py, &self.state, short, |state| {
            let session = prepared(&mut state.forward, attrs, || Session::new(call, self.level))?;
            session.step(&inputs, &mut [out], how.io)
        });
        keep(py, name, result)
    }

    fn forward_list<'py>(
        &self,
        py: Python<'py>,
        name: &'static str,
        qkv: Three<'_, 'py>,
        how: Defaults,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (array, out) = array::new_array_as(py, name, &self.spec, &[self.rows * self.dim])?;
        // With the download off nothing is written, and what was in this memory before is nobody's business.
        // SAFETY: the array is new and has this many bytes.
        unsafe { out.ptr().write_bytes(0, self.spec.bytes()) };
        self.run_forward(py, name, qkv, out, how)?;
        array.call_method0("tolist")
    }

    fn forward_array(
        &self,
        py: Python<'_>,
        name: &'static str,
        qkv: Three<'_, '_>,
        out: &Bound<'_, PyAny>,
        how: Defaults,
    ) -> PyResult<()> {
        let mut target = array::output(name, "out", out)?;
        if target.spec() != &self.spec {
            let site = call::Site { op: &ATTENTION, name };
            call::adopt(site, &mut target, &self.spec, call::OutShape::Any)?;
        }
        self.run_forward(py, name, qkv, target.tensor_mut(), how)
    }

    fn train<'py>(
        &self,
        py: Python<'py>,
        name: &'static str,
        qkv: Three<'_, 'py>,
        target: &Bound<'py, PyAny>,
        learning_rate: f64,
        how: Defaults,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        let [q, k, v] = self.operands(name, qkv)?;
        let target = operand(name, "target", Some(target), self.spec.shape, true)?;
        let given = [q, k, v, target];
        let inputs = tensors(&given);
        let attrs =
            |compute_loss| -> Attrs { AttentionTrainAttrs { learning_rate, causal: self.causal, compute_loss }.into() };
        let call = resolve(name, &ATTENTION_TRAIN, &attrs(true), &[Some(self.spec); 4], self.level)?;
        let short = is_short(&call);
        let len = self.rows * self.dim;
        let (out_array, mut out) = array::new_array_as(py, name, &self.spec, &[len])?;
        let (v_array, mut new_v) = array::new_array_as(py, name, &self.spec, &[len])?;
        // What the policy does not download: zeros, and the V that was given.
        // SAFETY: the array is new and has this many bytes.
        unsafe { out.ptr().write_bytes(0, self.spec.bytes()) };
        if let Some(v) = &inputs[2] {
            // SAFETY: the array is new, has this many bytes, and nothing else refers to it.
            let bytes = unsafe { std::slice::from_raw_parts_mut(new_v.ptr(), self.spec.bytes()) };
            lc_core::backend::gather(v, bytes).map_err(|e| raise(e.in_op(name)))?;
        }
        let cadence = if how.loss_every == 0 { automatic_cadence(self.rows, self.dim) } else { how.loss_every };
        let result = locked(py, &self.state, short, |state| {
            let sampled = state.steps % cadence == 0;
            let attrs = attrs(sampled);
            let session = prepared(&mut state.train, attrs, || Session::new(call, self.level))?;
            let mut loss = [0f32];
            let scalar = TensorMut::new(&mut loss, &[])?;
            let receipt = session.step(&inputs, &mut [reborrow(&mut out), reborrow(&mut new_v), scalar], how.io)?;
            state.steps += 1;
            if sampled {
                (state.loss, state.loss_step) = (loss[0], state.steps);
            }
            Ok((receipt, state.loss))
        });
        let (receipt, loss): (Result<Receipt>, f32) = match result {
            Ok((receipt, loss)) => (Ok(receipt), loss),
            Err(error) => (Err(error), 0.0),
        };
        keep(py, name, receipt)?;
        Ok((out_array.call_method0("tolist")?, v_array.call_method0("tolist")?, f64::from(loss)))
    }
}

/// The same result under a shorter borrow.
fn reborrow<'a>(tensor: &'a mut TensorMut<'_>) -> TensorMut<'a> {
    // SAFETY: the same memory, borrowed from the exclusive borrow of the first view.
    unsafe { TensorMut::from_raw(tensor.ptr(), *tensor.spec()) }
}

/// The session of a slot under these attributes, made by `make` if there is none.
fn prepared(
    slot: &mut Option<(Attrs, Session)>,
    attrs: Attrs,
    make: impl FnOnce() -> Result<Session>,
) -> Result<&mut Session> {
    if slot.is_none() {
        *slot = Some((attrs, make()?));
    }
    let (now, session) = slot.as_mut().expect("just filled");
    if *now != attrs {
        session.set_attrs(&attrs)?;
        *now = attrs;
    }
    Ok(session)
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
    ) -> PyResult<AttentionSession> {
        const NAME: &str = "AttentionSession";
        let (rows, dim) = (seq_len.size(NAME, "seq_len", 1)?, head_dim.size(NAME, "head_dim", 1)?);
        let spec = spec(NAME, &[rows, dim])?;
        let level = level(NAME, device, policy)?;
        // Refuses here what no call could serve.
        resolve(NAME, &ATTENTION, &AttentionAttrs::default().into(), &[Some(spec); 3], level)?;
        let defaults = Defaults { io: PackedPolicy::UNSET, post: PLAIN, loss_every: 1 };
        Ok(AttentionSession {
            rows,
            dim,
            causal: causal.0,
            level,
            spec,
            defaults: Mutex::new(defaults),
            state: Mutex::default(),
        })
    }

    /// Copies an `AttentionIoPolicy`, which calls without one of their own follow from now on.
    #[pyo3(signature = (policy, /))]
    fn set_default_policy(&self, policy: &Bound<'_, PyAny>) -> PyResult<()> {
        let defaults = Defaults::of(policy, "set_default_policy")?;
        *self.defaults.lock().unwrap_or_else(PoisonError::into_inner) = defaults;
        Ok(())
    }

    /// softmax(q·kᵀ/√head_dim)·v as a flat list of seq_len·head_dim floats.
    #[pyo3(signature = (q, k, v, /))]
    fn forward<'py>(
        &self,
        q: &Bound<'py, PyAny>,
        k: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.forward_list(q.py(), "forward", [q, k, v], self.defaults())
    }

    /// As `forward`, under an `AttentionIoPolicy`.
    #[pyo3(signature = (q, k, v, policy, /))]
    fn forward_with_policy<'py>(
        &self,
        q: &Bound<'py, PyAny>,
        k: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
        policy: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        const NAME: &str = "forward_with_policy";
        self.forward_list(q.py(), NAME, [q, k, v], Defaults::of(policy, NAME)?)
    }

    /// As `forward`, into `out`, a writable float32 array with seq_len·head_dim elements.
    #[pyo3(signature = (q, k, v, out, /))]
    fn forward_into(
        &self,
        q: &Bound<'_, PyAny>,
        k: &Bound<'_, PyAny>,
        v: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.forward_array(q.py(), "forward_into", [q, k, v], out, self.defaults())
    }

    /// As `forward_into`, under an `AttentionIoPolicy`.
    #[pyo3(signature = (q, k, v, out, policy, /))]
    fn forward_with_policy_into(
        &self,
        q: &Bound<'_, PyAny>,
        k: &Bound<'_, PyAny>,
        v: &Bound<'_, PyAny>,
        out: &Bound<'_, PyAny>,
        policy: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        const NAME: &str = "forward_with_policy_into";
        self.forward_array(q.py(), NAME, [q, k, v], out, Defaults::of(policy, NAME)?)
    }

    /// One step of gradient descent on V for the mean squared error against `target`.
    ///
    /// Returns the result before the step, the updated V, and the loss before the step; `v` itself is not changed. A
    /// policy with `loss_every` of L computes the loss in every L-th step, 0 leaves L to the shape; other steps return the
    /// last one computed, and `last_loss_step` tells which step that was.
    #[pyo3(signature = (q, k, v, target, learning_rate, /))]
    fn train_step<'py>(
        &self,
        q: &Bound<'py, PyAny>,
        k: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        learning_rate: f64,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        self.train(q.py(), "train_step", [q, k, v], target, learning_rate, self.defaults())
    }

    /// As `train_step`, under an `AttentionIoPolicy`.
    #[pyo3(signature = (q, k, v, target, learning_rate, policy, /))]
    fn train_step_with_policy<'py>(
        &self,
        q: &Bound<'py, PyAny>,
        k: &Bound<'py, PyAny>,
        v: &Bound<'py, PyAny>,
        target: &Bound<'py, PyAny>,
        learning_rate: f64,
        policy: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>, f64)> {
        const NAME: &str = "train_step_with_policy";
        self.train(q.py(), NAME, [q, k, v], target, learning_rate, Defaults::of(policy, NAME)?)
    }

    /// The training step, counted from 1, that computed the last loss; 0 before the first.
    #[getter]
    fn last_loss_step(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).loss_step
    }

    /// Rows of an operand.
    #[getter]
    fn seq_len(&self) -> usize {
        self.rows
    }

    /// Columns of an operand.
    #[getter]
    fn head_dim(&self) -> usize {
        self.dim
    }

    /// Bytes that the session holds on its device.
    #[getter]
    fn resident_bytes(&self) -> usize {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        [&state.forward, &state.train].into_iter().flatten().map(|(_, session)| session.bytes()).sum()
    }

    fn __repr__(&self) -> String {
        format!("AttentionSession(seq_len={}, head_dim={}, causal={})", self.rows, self.dim, self.causal)
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<AttentionSession>()
}
