//! Resident sessions for convolution.

use crate::args::{Int, Switch};
use crate::array::Inputs;
use crate::call::{self, Site, level};
use crate::error::raise;
use crate::session::{Act, is_short, keep, lock, locked, operand, resolve, spec, target};
use lc_core::session::MAX_BATCH;
use lc_core::{Activation, Attrs, Error, ErrorKind, PackedPolicy, ResolvedCall, Result, Session, Shape, TensorSpec};
use lc_ops::{CONV2D, Conv2dAttrs};
use pyo3::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

/// A session for one shape of convolution, with or without a bias as each start says.
struct Conv {
    site: Site,
    inputs: [Shape; 3],
    out: TensorSpec,
    level: PackedPolicy,
    /// Without and with a bias.
    calls: [Arc<ResolvedCall>; 2],
    short: bool,
    session: Mutex<Option<Session>>,
}

type Operands<'a, 'py> = [Option<&'a Bound<'py, PyAny>>; 3];

impl Conv {
    fn new(name: &'static str, attrs: &Attrs, x: Shape, w: Shape, level: PackedPolicy) -> PyResult<Conv> {
        let [x, w, bias] = [spec(name, x.dims())?, spec(name, w.dims())?, spec(name, &w.dims()[..1])?];
        let calls = [
            resolve(name, &CONV2D, attrs, &[Some(x), Some(w)], level)?,
            resolve(name, &CONV2D, attrs, &[Some(x), Some(w), Some(bias)], level)?,
        ];
        Ok(Conv {
            site: Site { op: &CONV2D, name },
            inputs: [x.shape, w.shape, bias.shape],
            out: *calls[0].outputs.first(),
            level,
            short: is_short(&calls[0]),
            calls,
            session: Mutex::new(None),
        })
    }

    fn perform(
        &self,
        py: Python<'_>,
        act: Act,
        [x, w, bias]: Operands<'_, '_>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (name, up) = (self.site.name, act.uploads());
        let mut given = Inputs::<3>::new();
        operand(&mut given, 0, (name, "x"), x, &self.inputs[0], up)?;
        operand(&mut given, 1, (name, "w"), w, &self.inputs[1], up)?;
        if bias.is_some() {
            operand(&mut given, 2, (name, "bias"), bias, &self.inputs[2], up)?;
        }
        let mut target = target(self.site, out, &self.out)?;
        let out = matches!(act, Act::Finish | Act::Batch(_)).then(|| target.tensor_mut());
        let with_bias = bias.is_some();
        let inputs = &given.tensors()[..2 + usize::from(with_bias)];
        let short = self.short && !matches!(act, Act::Batch(_));
        let result = locked(py, &self.session, short, |state| {
            act.perform(self.session_for(state, act, with_bias)?, inputs, out)
        });
        keep(py, name, result)
    }

    /// The session, which a start makes anew if it has a bias and the last start had none, or the other way round.
    fn session_for<'s>(&self, state: &'s mut Option<Session>, act: Act, bias: bool) -> Result<&'s mut Session> {
        let has_bias = state.as_ref().map(|s| s.call().inputs.len() == 3);
        if act.uploads() && has_bias != Some(bias) {
            *state = Some(Session::new(self.calls[usize::from(bias)].clone(), self.level)?);
        } else if has_bias == Some(false) && bias {
            return Err(Error::new(ErrorKind::NotInitialized, self.site.name)
                .argument("bias")
                .expected("None, as at the start")
                .got("an array, which would be ignored")
                .hint("start again with the bias"));
        }
        state.as_mut().ok_or_else(|| {
            Error::new(ErrorKind::NotInitialized, self.site.name)
                .expected("a started session")
                .got("one that holds nothing")
                .hint("start first: start_into, or phase=\"start\"")
        })
    }
}

fn attrs(
    name: &'static str,
    [stride_h, stride_w]: [Int; 2],
    [pad_h, pad_w]: [Int; 2],
    relu: Switch,
) -> PyResult<Attrs> {
    Ok(Conv2dAttrs {
        stride_h: stride_h.size(name, "stride_h", 1)?,
        stride_w: stride_w.size(name, "stride_w", 1)?,
        pad_h: pad_h.size(name, "pad_h", 0)?,
        pad_w: pad_w.size(name, "pad_w", 0)?,
        activation: if relu.0 { Activation::Relu } else { Activation::Identity },
        ..Conv2dAttrs::default()
    }
    .into())
}

/// Convolutions of images in NCHW order in float32 with operands that stay on the device.
///
/// Parameters
/// ----------
/// batch, in_channels, in_h, in_w, out_channels, kernel_h, kernel_w : int
///     Extents, at least 1.
/// stride_h, stride_w : int
///     Steps, at least 1.
/// pad_h, pad_w : int
///     Zeros on both sides.
/// apply_relu : bool
///     Whether negative results become zero.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The session's level: below scopes, above the process default.
///
/// Notes
/// -----
/// Methods mean what they mean in `MatMulMetalResidentSession`. `start_into` with `bias=None` is a convolution without bias;
/// what `start_into` uploaded stays until the next one, and a `bias=None` in the other methods changes nothing.
#[pyclass(frozen, module = "lightning_core")]
pub struct Conv2dMetalResidentSession(Conv);

#[pymethods]
impl Conv2dMetalResidentSession {
    #[new]
    #[pyo3(signature = (batch, in_channels, in_h, in_w, out_channels, kernel_h, kernel_w, stride_h=Int::Fits(1),
        stride_w=Int::Fits(1), pad_h=Int::Fits(0), pad_w=Int::Fits(0), apply_relu=Switch(true), *, device="auto",
        policy=None),
        text_signature = "(batch, in_channels, in_h, in_w, out_channels, kernel_h, kernel_w, stride_h=1, stride_w=1, \
        pad_h=0, pad_w=0, apply_relu=True, *, device='auto', policy=None)")]
    fn new(
        batch: Int,
        in_channels: Int,
        in_h: Int,
        in_w: Int,
        out_channels: Int,
        kernel_h: Int,
        kernel_w: Int,
        stride_h: Int,
        stride_w: Int,
        pad_h: Int,
        pad_w: Int,
        apply_relu: Switch,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        const NAME: &str = "Conv2dMetalResidentSession";
        let size = |value: Int, name| value.size(NAME, name, 1);
        let channels = size(in_channels, "in_channels")?;
        let x = [size(batch, "batch")?, channels, size(in_h, "in_h")?, size(in_w, "in_w")?];
        let w =
            [size(out_channels, "out_channels")?, channels, size(kernel_h, "kernel_h")?, size(kernel_w, "kernel_w")?];
        let attrs = attrs(NAME, [stride_h, stride_w], [pad_h, pad_w], apply_relu)?;
        let level = level(NAME, device, policy)?;
        Ok(Self(Conv::new(NAME, &attrs, call::shape(NAME, &x)?, call::shape(NAME, &w)?, level)?))
    }

    /// The device that it runs on.
    #[getter]
    fn device(&self) -> &'static str {
        self.0.calls[0].receipt().selected.name()
    }

    /// Bytes that it holds there: none before the first start.
    #[getter]
    fn resident_bytes(&self) -> usize {
        lock(&self.0.session).as_ref().map_or(0, Session::bytes)
    }

    /// Uploads `x`, `w` and `bias`, if there is one, and launches. Does not write `out`, which is checked.
    #[pyo3(signature = (x, w, bias, out, /))]
    fn start_into(
        &self,
        x: &Bound<'_, PyAny>,
        w: &Bound<'_, PyAny>,
        bias: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.perform(out.py(), Act::Start, [Some(x), Some(w), bias], out)
    }

    /// Launches on what is resident. Does not write `out`, which is checked.
    #[pyo3(signature = (x, w, bias, out, /))]
    fn run_into(
        &self,
        x: Option<&Bound<'_, PyAny>>,
        w: Option<&Bound<'_, PyAny>>,
        bias: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.perform(out.py(), Act::Run, [x, w, bias], out)
    }

    /// Waits. Does not write `out`, which is checked, and launches nothing.
    #[pyo3(signature = (x, w, bias, out, /))]
    fn sync_into(
        &self,
        x: Option<&Bound<'_, PyAny>>,
        w: Option<&Bound<'_, PyAny>>,
        bias: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.perform(out.py(), Act::Sync, [x, w, bias], out)
    }

    /// Waits, and writes the last launch's result to `out`. Launches nothing.
    #[pyo3(signature = (x, w, bias, out, /))]
    fn finish_into(
        &self,
        x: Option<&Bound<'_, PyAny>>,
        w: Option<&Bound<'_, PyAny>>,
        bias: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.perform(out.py(), Act::Finish, [x, w, bias], out)
    }

    /// Launches `repeat_count` times on what is resident, waits once, and writes the result to `out`.
    #[pyo3(signature = (x, w, bias, out, repeat_count, /))]
    fn run_batch_sync_into(
        &self,
        x: Option<&Bound<'_, PyAny>>,
        w: Option<&Bound<'_, PyAny>>,
        bias: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
        repeat_count: Int,
    ) -> PyResult<()> {
        let act = Act::batch(self.0.site.name, repeat_count)?;
        self.0.perform(out.py(), act, [x, w, bias], out)
    }
}

/// Sessions that `conv2d_nchw_metal_resident` keeps for each thread.
const KEPT: usize = 8;

/// What tells those sessions apart.
type Key = (Shape, Shape, Attrs, PackedPolicy);

thread_local! {
    /// The most recently used last.
    static SESSIONS: RefCell<Vec<(Key, Rc<Conv>)>> = const { RefCell::new(Vec::new()) };
}

fn kept(key: &Key) -> Option<Rc<Conv>> {
    SESSIONS.with_borrow_mut(|all| {
        let found = all.iter().position(|(known, _)| known == key)?;
        let entry = all.remove(found);
        let conv = entry.1.clone();
        all.push(entry);
        Some(conv)
    })
}

/// A phase by name; `run_batch_sync` may be followed by a colon and a count in decimal digits.
fn phase_of(name: &'static str, phase: &str) -> PyResult<Act> {
    let wrong = || {
        let expected =
            format!("\"start\", \"run\", \"sync\", \"finish\", or \"run_batch_sync:N\" with N from 1 to {MAX_BATCH}");
        raise(Error::invalid(name, "phase", expected, format!("{phase:?}")))
    };
    match phase {
        "start" => Ok(Act::Start),
        "run" => Ok(Act::Run),
        "sync" => Ok(Act::Sync),
        "finish" => Ok(Act::Finish),
        "run_batch_sync" => Ok(Act::Batch(8)),
        _ => {
            let digits = phase.strip_prefix("run_batch_sync:").ok_or_else(wrong)?;
            // `parse` alone would take a plus sign.
            let plain = digits.bytes().all(|b| b.is_ascii_digit());
            let count = digits.parse::<u64>().ok().filter(|n| plain && (1..=MAX_BATCH).contains(n));
            count.map(Act::Batch).ok_or_else(wrong)
        }
    }
}

/// One phase of a resident convolution, for callers that keep no session object.
///
/// Parameters
/// ----------
/// x : array_like, shape (N, C, H, W)
/// w : array_like, shape (O, C, KH, KW)
/// bias : array_like of O elements or None
/// out : ndarray, shape (N, O, OH, OW)
///     Written by "finish" and "run_batch_sync" only; checked always.
/// stride_h, stride_w, pad_h, pad_w : int
///     As in `conv2d_nchw`.
/// phase : str
///     "start", "run", "sync", "finish", "run_batch_sync" (8 launches) or "run_batch_sync:N".
/// apply_relu : bool
///     Whether negative results become zero.
/// device, policy
///     As in `Conv2dMetalResidentSession`.
///
/// Raises
/// ------
/// NotInitializedError
///     For any other phase than "start" before a "start" with the same shapes, steps, ReLU and policy.
///
/// Notes
/// -----
/// Each thread keeps the sessions of its last eight kinds of convolution. Use `Conv2dMetalResidentSession` where two of one
/// kind are to be resident at once.
#[pyfunction]
#[pyo3(signature = (x, w, bias, out, stride_h=Int::Fits(1), stride_w=Int::Fits(1), pad_h=Int::Fits(0),
    pad_w=Int::Fits(0), phase="run", apply_relu=Switch(false), *, device="auto", policy=None),
    text_signature = "(x, w, bias, out, stride_h=1, stride_w=1, pad_h=0, pad_w=0, phase='run', apply_relu=False, *, \
    device='auto', policy=None)")]
fn conv2d_nchw_metal_resident(
    x: &Bound<'_, PyAny>,
    w: &Bound<'_, PyAny>,
    bias: Option<&Bound<'_, PyAny>>,
    out: &Bound<'_, PyAny>,
    stride_h: Int,
    stride_w: Int,
    pad_h: Int,
    pad_w: Int,
    phase: &str,
    apply_relu: Switch,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<()> {
    const NAME: &str = "conv2d_nchw_metal_resident";
    let act = phase_of(NAME, phase)?;
    let level = level(NAME, device, policy)?;
    let attrs = attrs(NAME, [stride_h, stride_w], [pad_h, pad_w], apply_relu)?;
    let shape = |argument, obj| {
        let given = crate::array::input(NAME, argument, obj, crate::array::TO_F32)?;
        let shape = *given.tensor().shape();
        if shape.rank() != 4 {
            let got = format!("{} (shape {shape})", shape.rank());
            return Err(raise(Error::invalid(NAME, argument, "4 dimensions", got)));
        }
        PyResult::Ok(shape)
    };
    let key = (shape("x", x)?, shape("w", w)?, attrs, level);
    let conv = match kept(&key) {
        Some(conv) => conv,
        None => {
            // Also for other phases than "start": the shapes are checked before anything is said about phases.
            let conv = Rc::new(Conv::new(NAME, &attrs, key.0, key.1, level)?);
            if act.uploads() {
                SESSIONS.with_borrow_mut(|all| {
                    if all.len() == KEPT {
                        all.remove(0);
                    }
                    all.push((key, conv.clone()));
                });
            }
            conv
        }
    };
    conv.perform(out.py(), act, [Some(x), Some(w), bias], out)
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Conv2dMetalResidentSession>()?;
    m.add_function(wrap_pyfunction!(conv2d_nchw_metal_resident, m)?)
}
