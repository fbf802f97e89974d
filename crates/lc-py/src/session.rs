//! Resident sessions under the original's class names.
//!
//! One meaning on every device: `start` uploads and launches, `run` launches on what is resident, `run_batch` launches n
//! times and waits once, `sync` waits, `finish` waits and downloads and launches nothing. Forms that return a list also
//! wait and download, since that is what a list is for.

mod elementwise;

use crate::args::Int;
use crate::array::{self, Inputs, Output, TO_F32};
use crate::call::{self, OutShape, Site, level};
use crate::error::raise;
use lc_core::runtime::set_last_receipt;
use lc_core::{
    Attrs, DType, EffectivePolicy, Error, OpDef, PackedPolicy, Receipt, ResolvedCall, Result, Session, Shape,
    TensorMut, TensorRef, TensorSpec,
};
use lc_ops::{ADD, MATMUL, MatmulAttrs};
use lightning_core::runtime;
use pyo3::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Floating-point operations below which a session keeps the interpreter lock: some microseconds of work.
const SHORT_FLOPS: u64 = 1 << 17;

/// Runs `work` on what the mutex guards: without releasing the interpreter lock if that is short and nobody else is in.
///
/// A thread that waits for the mutex has always released the interpreter lock, and none waits for the interpreter lock
/// while it holds the mutex, so the two cannot deadlock.
pub fn locked<S: Send, R: Send>(
    py: Python<'_>,
    mutex: &Mutex<S>,
    short: bool,
    work: impl FnOnce(&mut S) -> R + Send,
) -> R {
    if short && let Ok(mut guard) = mutex.try_lock() {
        return work(&mut guard);
    }
    py.detach(|| work(&mut lock(mutex)))
}

/// The guard, also after a panic of another thread: a session that failed says so itself.
pub fn lock<S>(mutex: &Mutex<S>) -> MutexGuard<'_, S> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether one launch of a call is over before releasing the interpreter lock would pay.
pub fn is_short(call: &ResolvedCall) -> bool {
    call.on_host() && call.cost.flops < SHORT_FLOPS && call.cost.bytes_read < SHORT_FLOPS
}

/// Makes a receipt the thread's last, and gives the warning that it may carry.
pub fn keep(py: Python<'_>, name: &'static str, result: Result<Receipt>) -> PyResult<()> {
    let receipt = result.map_err(|e| raise(e.in_op(name)))?;
    set_last_receipt(receipt);
    if receipt.warn { call::warn(py, &receipt) } else { Ok(()) }
}

/// A float32 tensor of these extents.
pub fn spec(name: &'static str, dims: &[usize]) -> PyResult<TensorSpec> {
    Ok(TensorSpec::new(DType::F32, call::shape(name, dims)?))
}

/// Chooses device and kernel under the policies in force now.
pub fn resolve(
    name: &'static str,
    op: &'static OpDef,
    attrs: &Attrs,
    inputs: &[Option<TensorSpec>],
    level: PackedPolicy,
) -> PyResult<Arc<ResolvedCall>> {
    let policy = EffectivePolicy::of(PackedPolicy::UNSET, level);
    runtime().resolve(op, attrs, inputs, policy).map_err(|e| raise(e.in_op(name)))
}

/// What a method does, before the download that some forms add.
#[derive(Clone, Copy)]
pub enum Act {
    /// Uploads and launches.
    Start,
    /// Launches on what is resident.
    Run,
    /// Launches so many times and waits once.
    Batch(u64),
    /// Waits.
    Sync,
    /// Waits; the download is its point.
    Finish,
}

impl Act {
    /// A batch of so many launches.
    pub fn batch(name: &'static str, count: Int) -> PyResult<Act> {
        Ok(Act::Batch(count.size(name, "repeat_count", 0)? as u64))
    }

    /// Whether the operands are read.
    pub fn uploads(self) -> bool {
        matches!(self, Act::Start)
    }

    /// Does it, then downloads into `out` if there is one.
    pub fn perform(
        self,
        session: &mut Session,
        inputs: &[Option<TensorRef<'_>>],
        out: Option<TensorMut<'_>>,
    ) -> Result<Receipt> {
        let first = match self {
            Act::Start => session.start(inputs)?,
            Act::Run => session.run()?,
            Act::Batch(count) => session.run_batch(count)?,
            Act::Sync | Act::Finish if out.is_some() => return session.finish(&mut [out.expect("just seen")]),
            Act::Sync | Act::Finish => session.sync()?,
        };
        let Some(out) = out else { return Ok(first) };
        let second = session.finish(&mut [out])?;
        Ok(Receipt {
            waits: first.waits + second.waits,
            bytes_downloaded: first.bytes_downloaded + second.bytes_downloaded,
            ..first
        })
    }
}

/// Reads operand `i` of a session if `uploads`: as many elements as the session's, whatever their shape. Else an operand that
/// is given is only checked, and stays absent.
#[inline]
pub fn operand<'a, 'py, const N: usize>(
    given: &mut Inputs<'a, 'py, N>,
    i: usize,
    (name, argument): (&'static str, &'static str),
    obj: Option<&'a Bound<'py, PyAny>>,
    shape: &Shape,
    uploads: bool,
) -> PyResult<()> {
    match obj {
        None if uploads => Err(raise(Error::wrong_type(name, argument, "an array", "None"))),
        None => Ok(()),
        Some(obj) if uploads => given.read_as(i, name, argument, obj, TO_F32, *shape),
        // The common case needs no tensor: to build one takes longer than all else that a launch of a small session does.
        Some(obj) if array::elements(obj, DType::F32) == Some(shape.numel()) => Ok(()),
        Some(obj) => check(name, argument, obj, shape),
    }
}

#[cold]
fn check(name: &'static str, argument: &'static str, obj: &Bound<'_, PyAny>, shape: &Shape) -> PyResult<()> {
    let given = array::input(name, argument, obj, TO_F32)?;
    let got = *given.tensor().shape();
    if got.numel() == shape.numel() {
        return Ok(());
    }
    let got = format!("{} elements (shape {got})", got.numel());
    Err(raise(Error::invalid(name, argument, format!("{} elements (shape {shape})", shape.numel()), got)))
}

/// The caller's result array, under the session's shape.
pub fn target<'a, 'py>(site: Site, out: &'a Bound<'py, PyAny>, spec: &TensorSpec) -> PyResult<Output<'a, 'py>> {
    let mut target = array::output(site.name, "out", out)?;
    if target.spec() != spec {
        call::adopt(site, &mut target, spec, OutShape::Any)?;
    }
    Ok(target)
}

/// A session of an op on `a` and `b`.
struct Binary {
    site: Site,
    inputs: [Shape; 2],
    out: TensorSpec,
    short: bool,
    session: Mutex<Session>,
}

impl Binary {
    fn new(
        site: Site,
        attrs: &Attrs,
        inputs: [TensorSpec; 2],
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Binary> {
        let level = level(site.name, device, policy)?;
        let call = resolve(site.name, site.op, attrs, &inputs.map(Some), level)?;
        let (out, short) = (*call.outputs.first(), is_short(&call));
        let session = Session::new(call, level).map_err(|e| raise(e.in_op(site.name)))?;
        Ok(Binary { site, inputs: inputs.map(|s| s.shape), out, short, session: Mutex::new(session) })
    }

    fn operands<'a, 'py>(
        &self,
        act: Act,
        a: Option<&'a Bound<'py, PyAny>>,
        b: Option<&'a Bound<'py, PyAny>>,
    ) -> PyResult<Inputs<'a, 'py, 2>> {
        let mut given = Inputs::new();
        operand(&mut given, 0, (self.site.name, "a"), a, &self.inputs[0], act.uploads())?;
        operand(&mut given, 1, (self.site.name, "b"), b, &self.inputs[1], act.uploads())?;
        Ok(given)
    }

    fn perform(
        &self,
        py: Python<'_>,
        act: Act,
        before: impl FnOnce(&mut Session) -> Result<()> + Send,
        inputs: &[Option<TensorRef<'_>>; 2],
        out: Option<TensorMut<'_>>,
    ) -> PyResult<()> {
        let short = self.short && !matches!(act, Act::Batch(_));
        let result = locked(py, &self.session, short, |session| {
            before(session)?;
            act.perform(session, inputs, out)
        });
        keep(py, self.site.name, result)
    }

    /// A form that returns a list: `act`, then the result.
    fn list<'py>(
        &self,
        py: Python<'py>,
        act: Act,
        before: impl FnOnce(&mut Session) -> Result<()> + Send,
        (a, b): (Option<&Bound<'py, PyAny>>, Option<&Bound<'py, PyAny>>),
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (name, len) = (self.site.name, self.out.shape.numel());
        if out_size.size(name, "out_size", 0)? != len {
            let got = out_size.value(name, "out_size")?.to_string();
            return Err(raise(Error::invalid(name, "out_size", len.to_string(), got)));
        }
        let given = self.operands(act, a, b)?;
        let (array, out) = array::new_array_as(py, name, &self.out, &[len])?;
        self.perform(py, act, before, given.tensors(), Some(out))?;
        array.call_method0("tolist")
    }

    /// A form that takes an array, which it writes only if `downloads`.
    fn write(
        &self,
        py: Python<'_>,
        act: Act,
        before: impl FnOnce(&mut Session) -> Result<()> + Send,
        (a, b): (Option<&Bound<'_, PyAny>>, Option<&Bound<'_, PyAny>>),
        out: &Bound<'_, PyAny>,
        downloads: bool,
    ) -> PyResult<()> {
        let given = self.operands(act, a, b)?;
        let mut target = target(self.site, out, &self.out)?;
        let out = downloads.then(|| target.tensor_mut());
        self.perform(py, act, before, given.tensors(), out)
    }

    fn device(&self) -> &'static str {
        lock(&self.session).call().receipt().selected.name()
    }

    fn bytes(&self) -> usize {
        lock(&self.session).bytes()
    }
}

fn nothing(_: &mut Session) -> Result<()> {
    Ok(())
}

/// What the sessions for products and for sums of vectors have in common.
///
/// `a` and `b` may have any shape with the session's number of elements. Where a method uploads nothing they are checked
/// and otherwise unused, and may be None. Several threads may use one session; calls take turns.
#[pyclass(frozen, subclass, module = "lightning_core", name = "_ResidentSession")]
pub struct BinarySession(Binary);

#[pymethods]
impl BinarySession {
    /// The device that it runs on.
    #[getter]
    fn device(&self) -> &'static str {
        self.0.device()
    }

    /// Bytes that it holds there.
    #[getter]
    fn resident_bytes(&self) -> usize {
        self.0.bytes()
    }

    /// Uploads `a` and `b`, launches, waits, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn start<'py>(&self, a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>, out_size: Int) -> PyResult<Bound<'py, PyAny>> {
        self.0.list(a.py(), Act::Start, nothing, (Some(a), Some(b)), out_size)
    }

    /// Launches on what is resident, waits, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.list(py, Act::Run, nothing, (a, b), out_size)
    }

    /// Waits, and returns the last launch's result as a list. Launches nothing.
    #[pyo3(signature = (a, b, out_size, /))]
    fn sync<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.list(py, Act::Sync, nothing, (a, b), out_size)
    }

    /// Waits, and returns the last launch's result as a list. Launches nothing.
    #[pyo3(signature = (a, b, out_size, /))]
    fn finish<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.0.list(py, Act::Finish, nothing, (a, b), out_size)
    }

    /// Uploads `a` and `b` and launches. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, /))]
    fn start_into(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, out: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.write(a.py(), Act::Start, nothing, (Some(a), Some(b)), out, false)
    }

    /// Launches on what is resident. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, /))]
    fn run_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.write(out.py(), Act::Run, nothing, (a, b), out, false)
    }

    /// Waits. Does not write `out`, which is checked, and launches nothing.
    #[pyo3(signature = (a, b, out, /))]
    fn sync_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.write(out.py(), Act::Sync, nothing, (a, b), out, false)
    }

    /// Waits, and writes the last launch's result to `out`. Launches nothing.
    #[pyo3(signature = (a, b, out, /))]
    fn finish_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.0.write(out.py(), Act::Finish, nothing, (a, b), out, true)
    }

    /// Launches `repeat_count` times on what is resident, waits once, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, repeat_count, /))]
    fn run_batch_sync<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
        repeat_count: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        let act = Act::batch(self.0.site.name, repeat_count)?;
        self.0.list(py, act, nothing, (a, b), out_size)
    }

    /// Launches `repeat_count` times on what is resident, waits once, and writes the result to `out`.
    #[pyo3(signature = (a, b, out, repeat_count, /))]
    fn run_batch_sync_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
        repeat_count: Int,
    ) -> PyResult<()> {
        let act = Act::batch(self.0.site.name, repeat_count)?;
        self.0.write(out.py(), act, nothing, (a, b), out, true)
    }

    /// Launches `repeat_count` times on what is resident and waits once. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, repeat_count, /))]
    fn run_batch_sync_no_download_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
        repeat_count: Int,
    ) -> PyResult<()> {
        let act = Act::batch(self.0.site.name, repeat_count)?;
        self.0.write(out.py(), act, nothing, (a, b), out, false)
    }

    /// Launches `repeat_count` times on what is resident and waits once.
    #[pyo3(signature = (repeat_count, /))]
    fn run_batch_sync_cached_no_download(&self, py: Python<'_>, repeat_count: Int) -> PyResult<()> {
        let act = Act::batch(self.0.site.name, repeat_count)?;
        self.0.perform(py, act, nothing, &[None, None], None)
    }
}

/// Products of an m×k and a k×n matrix in float32 with operands that stay on the device.
///
/// Parameters
/// ----------
/// m, k, n : int
///     Extents, at least 1.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The session's level: below scopes, above the process default.
///
/// Notes
/// -----
/// `start` uploads and launches; `run` launches on what is resident; `run_batch_sync` launches n times and waits once;
/// `sync` waits; `finish` waits and downloads, and launches nothing. Forms that return a list wait and download. Of the
/// `_into` forms only `finish_into` and `run_batch_sync_into` write `out`. Before `start`, the others raise
/// `NotInitializedError`. The arithmetic is that of a one-shot call, always.
#[pyclass(frozen, extends = BinarySession, module = "lightning_core")]
pub struct MatMulMetalResidentSession;

#[pymethods]
impl MatMulMetalResidentSession {
    #[new]
    #[pyo3(signature = (m, k, n, *, device="auto", policy=None))]
    fn new(
        m: Int,
        k: Int,
        n: Int,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        const NAME: &str = "MatMulMetalResidentSession";
        let (m, k, n) = (m.size(NAME, "m", 1)?, k.size(NAME, "k", 1)?, n.size(NAME, "n", 1)?);
        let site = Site { op: &MATMUL, name: NAME };
        let inputs = [spec(NAME, &[m, k])?, spec(NAME, &[k, n])?];
        spec(NAME, &[m, n])?;
        let session = Binary::new(site, &MatmulAttrs::default().into(), inputs, device, policy)?;
        Ok(PyClassInitializer::from(BinarySession(session)).add_subclass(Self))
    }
}

/// Sums of two vectors of n float32 elements with operands that stay on the device.
///
/// Methods mean what they mean in `MatMulMetalResidentSession`; `add` does everything at once.
#[pyclass(frozen, extends = BinarySession, module = "lightning_core")]
pub struct VectorAddMetalResidentSession;

#[pymethods]
impl VectorAddMetalResidentSession {
    #[new]
    #[pyo3(signature = (n, *, device="auto", policy=None))]
    fn new(n: Int, device: &str, policy: Option<&Bound<'_, PyAny>>) -> PyResult<PyClassInitializer<Self>> {
        const NAME: &str = "VectorAddMetalResidentSession";
        let vector = spec(NAME, &[n.size(NAME, "n", 1)?])?;
        let session = Binary::new(Site { op: &ADD, name: NAME }, &Attrs::NONE, [vector; 2], device, policy)?;
        Ok(PyClassInitializer::from(BinarySession(session)).add_subclass(Self))
    }

    /// Uploads `a` and `b`, launches, waits, and returns a + b as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn add<'py>(
        slf: &Bound<'py, Self>,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.as_super().get().start(a, b, out_size)
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<MatMulMetalResidentSession>()?;
    m.add_class::<VectorAddMetalResidentSession>()?;
    m.add_class::<elementwise::MatrixElemwiseMetalResidentSession>()
}
