//! `Session`: any op of the registry on operands that stay on the device.

use crate::args::{Int, attr};
use crate::array::{self, Cast, Input};
use crate::call::{self, OutShape, Site, level};
use crate::error::raise;
use crate::receipt::PyReceipt;
use crate::session::{is_short, lock, locked};
use lc_core::registry::{MAX_INPUTS, MAX_OUTPUTS};
use lc_core::runtime::set_last_receipt;
use lc_core::{
    Attrs, DType, EffectivePolicy, Error, ErrorKind, OpDef, OutputSpecs, PackedPolicy, Receipt, Result, Session,
    TensorMut, TensorRef, TensorSpec,
};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Mutex;

/// What the mutex guards: nothing once the session is closed.
struct State {
    session: Option<Session>,
    receipt: Option<Receipt>,
}

/// One op on operands of fixed types and extents that stay on the device, to be run many times.
///
/// Parameters
/// ----------
/// op : str
///     The op's name: a key of `lightning_core.capabilities()["ops"]`, such as "matmul", "conv2d" or "softmax".
/// *inputs : array_like or None
///     The operands in the op's order, float32 or float64; None where an optional one is absent. They fix types and
///     extents, and are what `start()` uploads.
/// device : str
///     Where to run; "auto" leaves it to the policy in scope.
/// policy : Policy, optional
///     The session's level: below scopes, above the process default.
/// **attrs
///     The op's attributes by name; the others have their defaults.
///
/// Notes
/// -----
/// `start` uploads and launches; `run` launches on what is resident; `run_batch` launches n times and waits once; `sync`
/// waits; `finish` waits and downloads the last result, and launches nothing; `step` uploads what it is given, launches
/// and downloads. On the CPU operands are kept packed where a kernel has a packed form. A session owns its buffers:
/// what happens to the caller's arrays after an upload changes nothing, and two sessions share nothing. Several threads
/// may use one; calls take turns. As a context manager it closes itself.
///
/// Raises
/// ------
/// InvalidValueError
///     For an unknown op, attribute or device, or shapes that the op refuses.
/// InvalidTypeError
///     For operands of another dtype, or of two.
#[pyclass(frozen, module = "lightning_core", name = "Session")]
pub struct OpSession {
    op: &'static OpDef,
    level: PackedPolicy,
    inputs: [Option<TensorSpec>; MAX_INPUTS],
    count: usize,
    outputs: OutputSpecs,
    device: &'static str,
    short: bool,
    state: Mutex<State>,
    /// The constructor's arrays, until the first upload. Held for a moment only.
    first: Mutex<Option<Py<PyTuple>>>,
}

/// The caller's operands by position, borrowed or converted.
type Operands<'a, 'py> = [Option<Input<'a, 'py>>; MAX_INPUTS];

#[pymethods]
impl OpSession {
    #[new]
    #[pyo3(signature = (op, *inputs, device="auto", policy=None, **attrs))]
    fn new(
        op: &str,
        inputs: &Bound<'_, PyTuple>,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
        attrs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let op = runtime().registry().find(op).map_err(|e| raise(e.in_op("Session")))?;
        let level = level(op.name, device, policy)?;
        let attrs = attributes(op, attrs)?;
        let objects: Vec<_> = inputs.iter().collect();
        if objects.len() > op.inputs.len() {
            let expected = format!("at most {} operands", op.inputs.len());
            return Err(raise(Error::invalid(op.name, "inputs", expected, objects.len().to_string())));
        }
        let mut given = array::Inputs::<MAX_INPUTS>::new();
        let names = std::array::from_fn(|i| op.inputs.get(i).map_or("inputs", |input| input.name));
        given.read_all(op.name, names, std::array::from_fn(|i| objects.get(i).filter(|o| !o.is_none())))?;
        let specs = std::array::from_fn(|i| given.tensors()[i].as_ref().map(|t| *t.spec()));
        let count = op.inputs.len();
        let policy = EffectivePolicy::of(PackedPolicy::UNSET, level);
        let call = runtime().resolve(op, &attrs, &specs[..count], policy).map_err(|e| raise(e.in_op(op.name)))?;
        let (outputs, device, short) = (call.outputs, call.receipt().selected.name(), is_short(&call));
        let session = Session::new(call, level).map_err(|e| raise(e.in_op(op.name)))?;
        let state = State { session: Some(session), receipt: None };
        let first = Mutex::new(Some(inputs.clone().unbind()));
        Ok(OpSession { op, level, inputs: specs, count, outputs, device, short, state: Mutex::new(state), first })
    }

    /// The op.
    #[getter]
    fn op(&self) -> &'static str {
        self.op.name
    }

    /// The device that it runs on.
    #[getter]
    fn device(&self) -> &'static str {
        self.device
    }

    /// Bytes that it holds there: none once it is closed.
    #[getter]
    fn resident_bytes(&self, py: Python<'_>) -> usize {
        locked(py, &self.state, true, |state| state.session.as_ref().map_or(0, Session::bytes))
    }

    /// What the last call of this session did; None before the first.
    #[getter]
    fn receipt(&self, py: Python<'_>) -> Option<PyReceipt> {
        locked(py, &self.state, true, |state| state.receipt.map(PyReceipt))
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        locked(py, &self.state, true, |state| state.session.is_none())
    }

    /// Uploads operands and launches. Does not wait, unless the policy says "always".
    ///
    /// Parameters
    /// ----------
    /// *inputs : array_like or None
    ///     As in the constructor; none at all means the constructor's.
    #[pyo3(signature = (*inputs))]
    fn start(&self, py: Python<'_>, inputs: &Bound<'_, PyTuple>) -> PyResult<()> {
        let kept = match inputs.is_empty() {
            true => self.first(py),
            false => None,
        };
        let inputs = kept.as_ref().map_or(inputs, |kept| kept.bind(py));
        if inputs.is_empty() {
            let error = Error::new(ErrorKind::NotInitialized, self.op.name).argument("inputs");
            let hint = "pass them to start, or call run to launch on what is resident";
            return Err(raise(error.expected("operands").got("none, and the constructor's are uploaded").hint(hint)));
        }
        let objects: Vec<_> = inputs.iter().collect();
        let given = self.operands(&objects, None)?;
        let tensors = self.tensors(&given);
        let result = self.with(py, self.short, |session| session.start(&tensors[..self.count]))?;
        self.forget_first();
        self.keep(py, result)
    }

    /// Launches once on what is resident.
    fn run(&self, py: Python<'_>) -> PyResult<()> {
        let receipt = self.with(py, self.short, Session::run)?;
        self.keep(py, receipt)
    }

    /// Launches `count` times on what is resident, then waits once.
    #[pyo3(signature = (count, /))]
    fn run_batch(&self, py: Python<'_>, count: Int) -> PyResult<()> {
        let count = count.size(self.op.name, "count", 0)? as u64;
        let receipt = self.with(py, false, |session| session.run_batch(count))?;
        self.keep(py, receipt)
    }

    /// Waits for every launch of this session.
    fn sync(&self, py: Python<'_>) -> PyResult<()> {
        let receipt = self.with(py, self.short, Session::sync)?;
        self.keep(py, receipt)
    }

    /// Waits, and returns the results of the last launch. Launches nothing.
    ///
    /// Parameters
    /// ----------
    /// out : ndarray or tuple of ndarray, optional
    ///     Where to write them: one array for each result.
    ///
    /// Returns
    /// -------
    /// ndarray, or tuple of ndarray for an op with several results
    #[pyo3(signature = (out=None))]
    fn finish<'py>(&self, py: Python<'py>, out: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.write(py, out, false, |session, outputs| session.finish(outputs))
    }

    /// Uploads the operands that are given, launches once, waits, and returns the results. The other operands stay as they
    /// are, packed forms included.
    ///
    /// Parameters
    /// ----------
    /// *inputs : array_like or None
    ///     By position; None leaves an operand as it is.
    /// out : ndarray or tuple of ndarray, optional
    ///     Where to write the results.
    /// policy : Policy, optional
    ///     What is copied and when to wait. A result whose download is off is not written.
    /// **named : array_like
    ///     Operands by name.
    ///
    /// Returns
    /// -------
    /// ndarray, or tuple of ndarray for an op with several results
    ///     `out` if it was given, else new arrays; a result that is not downloaded is zero there.
    #[pyo3(signature = (*inputs, out=None, policy=None, **named))]
    fn step<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyTuple>,
        out: Option<&Bound<'py, PyAny>>,
        policy: Option<&Bound<'py, PyAny>>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let level = level(self.op.name, "auto", policy)?;
        let objects = self.by_name(inputs, named)?;
        let given = self.operands(&objects, Some(level))?;
        let tensors = self.tensors(&given);
        let Some(first) = self.first(py) else {
            return self.write(py, out, policy.is_some(), |session, outputs| {
                session.update(&tensors[..self.count], outputs, level)
            });
        };
        // Nothing was uploaded yet: what is not given now are the constructor's arrays.
        let first: Vec<_> = first.bind(py).iter().collect();
        let known = self.operands(&first, None)?;
        let mut all = self.tensors(&known);
        for (to, from) in all.iter_mut().zip(tensors) {
            *to = from.or(*to);
        }
        let result = self
            .write(py, out, policy.is_some(), |session, outputs| session.update(&all[..self.count], outputs, level))?;
        self.forget_first();
        Ok(result)
    }

    /// Frees what the session holds on its device. Later calls raise `NotInitializedError`; closing twice is no error.
    fn close(&self, py: Python<'_>) {
        let session = py.detach(|| lock(&self.state).session.take());
        drop(session);
        self.forget_first();
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> bool {
        self.close(py);
        false
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let closed = if self.closed(py) { ", closed" } else { "" };
        format!("<lightning_core.Session of {} on {}{closed}>", self.op.name, self.device)
    }
}

impl OpSession {
    /// Runs `work` on the session, unless it is closed; its receipt becomes the session's.
    fn with(
        &self,
        py: Python<'_>,
        short: bool,
        work: impl FnOnce(&mut Session) -> Result<Receipt> + Send,
    ) -> PyResult<Receipt> {
        let result = locked(py, &self.state, short, |state| {
            let session = state.session.as_mut().ok_or_else(|| {
                Error::new(ErrorKind::NotInitialized, self.op.name)
                    .expected("an open session")
                    .got("a closed one")
                    .hint("make a new session")
            })?;
            let receipt = work(session)?;
            state.receipt = Some(receipt);
            Ok(receipt)
        });
        result.map_err(|e: Error| raise(e.in_op(self.op.name)))
    }

    fn keep(&self, py: Python<'_>, receipt: Receipt) -> PyResult<()> {
        set_last_receipt(receipt);
        if receipt.warn { call::warn(py, &receipt) } else { Ok(()) }
    }

    /// The constructor's arrays, if nothing was uploaded yet.
    fn first(&self, py: Python<'_>) -> Option<Py<PyTuple>> {
        lock(&self.first).as_ref().map(|first| first.clone_ref(py))
    }

    /// Lets go of the constructor's arrays. They are dropped outside the lock, since that may run Python code.
    fn forget_first(&self) {
        let first = lock(&self.first).take();
        drop(first);
    }

    /// Reads objects as operands. With a level, those whose upload is off are not read.
    fn operands<'a, 'py>(
        &self,
        objects: &'a [Bound<'py, PyAny>],
        level: Option<PackedPolicy>,
    ) -> PyResult<Operands<'a, 'py>> {
        let mut given = [const { None }; MAX_INPUTS];
        if objects.len() > self.count {
            let expected = format!("at most {} operands", self.count);
            return Err(raise(Error::invalid(self.op.name, "inputs", expected, objects.len().to_string())));
        }
        let policy = level.map(|level| EffectivePolicy::of(level, self.level));
        for (i, object) in objects.iter().enumerate() {
            if object.is_none() || policy.is_some_and(|policy| !policy.upload(i)) {
                continue;
            }
            let dtype = self.inputs[i].map_or(DType::F32, |spec| spec.dtype);
            given[i] = Some(array::input(self.op.name, self.op.inputs[i].name, object, Cast::Keep(dtype))?);
        }
        Ok(given)
    }

    fn tensors<'a>(&self, given: &'a Operands<'_, '_>) -> [Option<TensorRef<'a>>; MAX_INPUTS] {
        std::array::from_fn(|i| given[i].as_ref().map(Input::tensor))
    }

    /// Positional and named operands by position.
    fn by_name<'py>(
        &self,
        inputs: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let py = inputs.py();
        let mut objects: Vec<_> = inputs.iter().collect();
        for (key, object) in named.into_iter().flatten() {
            let key: String = key.extract()?;
            let Some(at) = self.op.inputs.iter().position(|input| input.name == key) else {
                let names: Vec<_> = self.op.inputs.iter().map(|input| input.name).collect();
                return Err(raise(Error::invalid(self.op.name, key, format!("one of {names:?}"), "another name")));
            };
            while objects.len() <= at {
                objects.push(py.None().into_bound(py));
            }
            if !objects[at].is_none() {
                return Err(raise(Error::invalid(self.op.name, key, "one value", "a position and a name")));
            }
            objects[at] = object;
        }
        Ok(objects)
    }

    /// Runs `work` with the caller's results, or with new arrays, and returns them.
    fn write<'py>(
        &self,
        py: Python<'py>,
        out: Option<&Bound<'py, PyAny>>,
        zero: bool,
        work: impl FnOnce(&mut Session, &mut [TensorMut<'_>]) -> Result<Receipt> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (name, count) = (self.op.name, self.outputs.len());
        let arrays: Vec<Bound<'py, PyAny>> = match out {
            None => {
                let mut arrays = Vec::with_capacity(count);
                for spec in self.outputs.iter() {
                    let (array, target) = array::new_array(py, name, spec)?;
                    if zero {
                        // SAFETY: the array is new and has this many bytes.
                        unsafe { target.ptr().write_bytes(0, spec.bytes()) };
                    }
                    arrays.push(array);
                }
                arrays
            }
            Some(out) if count == 1 => vec![out.clone()],
            Some(out) => {
                let wrong = || Error::invalid(name, "out", format!("a tuple of {count} arrays"), "something else");
                let tuple = out.cast::<PyTuple>().map_err(|_| raise(wrong()))?;
                if tuple.len() != count {
                    return Err(raise(wrong().got(format!("{} arrays", tuple.len()))));
                }
                tuple.iter().collect()
            }
        };
        let site = Site { op: self.op, name };
        let mut targets = Vec::with_capacity(MAX_OUTPUTS);
        for (array, spec) in arrays.iter().zip(self.outputs.iter()) {
            let mut target = array::output(name, "out", array)?;
            if target.spec() != spec {
                call::adopt(site, &mut target, spec, OutShape::Exact)?;
            }
            targets.push(target);
        }
        let mut outputs: Vec<_> = targets.iter_mut().map(array::Output::tensor_mut).collect();
        let receipt = self.with(py, self.short, |session| work(session, &mut outputs))?;
        drop(outputs);
        drop(targets);
        self.keep(py, receipt)?;
        if count == 1 {
            return arrays.into_iter().next().ok_or_else(|| raise(Error::new(ErrorKind::Unknown, name)));
        }
        match out {
            Some(out) => Ok(out.clone()),
            None => Ok(PyTuple::new(py, arrays)?.into_any()),
        }
    }
}

/// The attributes of a call of `op`, by name.
fn attributes(op: &'static OpDef, given: Option<&Bound<'_, PyDict>>) -> PyResult<Attrs> {
    let mut attrs = Attrs::defaults(op.attrs);
    for (key, value) in given.into_iter().flatten() {
        let key: String = key.extract()?;
        let Some(spec) = op.attrs.iter().find(|spec| spec.name == key) else {
            let names: Vec<_> = op.attrs.iter().map(|spec| spec.name).collect();
            let error = Error::wrong_type(op.name, key, format!("attributes among {names:?}"), "another name");
            return Err(raise(error));
        };
        attrs = attrs.with(op.name, op.attrs, spec.name, attr(op.name, spec, &value)?).map_err(raise)?;
    }
    Ok(attrs)
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<OpSession>()
}
