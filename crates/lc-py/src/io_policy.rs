//! The four I/O policy classes of the original interface.

use crate::args::{Int, Switch};
use crate::error::raise;
use lc_core::{Error, Io, Policy};
use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::sync::{Mutex, PoisonError};

/// What an `AttentionIoPolicy` says beyond copies: the post-processing of the result.
#[derive(Clone, Copy, Debug)]
pub struct PostProcess {
    /// Factor of the result.
    pub scale: f64,
    /// Added after scaling.
    pub bias: f64,
    /// Whether negative results become zero at the end.
    pub relu: bool,
}

/// Fields that any thread may read and set at any time: an interpreter without a global lock runs setters beside calls.
pub struct Fields<T>(Mutex<T>);

impl<T: Copy> Fields<T> {
    fn new(fields: T) -> Fields<T> {
        Fields(Mutex::new(fields))
    }

    /// All of them, as of one moment.
    pub fn get(&self) -> T {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The policy that one of the I/O policy objects stands for, and its post-processing if it is an `AttentionIoPolicy`;
/// `None` if `obj` is none of the four.
pub fn of(obj: &Bound<'_, PyAny>) -> Option<(Policy, Option<PostProcess>)> {
    if let Ok(policy) = obj.cast::<BinaryIoPolicy>() {
        return Some((policy.get().0.get().policy(), None));
    }
    let fields = obj.cast::<AttentionIoPolicy>().ok()?.get().fields();
    Some((fields.policy(), Some(fields.post())))
}

/// Sets the attributes that a constructor got as keywords.
fn set_fields(obj: &Bound<'_, PyAny>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    for (name, value) in fields.into_iter().flatten() {
        let name = name.cast_into::<PyString>()?;
        if name.to_str()?.starts_with('_') || !obj.hasattr(&name)? {
            let class = obj.get_type().name()?;
            return Err(PyTypeError::new_err(format!("{class} has no field '{name}'")));
        }
        obj.setattr(name, value)?;
    }
    Ok(())
}

fn text(obj: &Bound<'_, PyAny>, fields: &[&str]) -> PyResult<String> {
    let mut parts = Vec::with_capacity(fields.len());
    for name in fields {
        parts.push(format!("{name}={}", obj.getattr(*name)?.repr()?));
    }
    Ok(format!("{}({})", obj.get_type().name()?, parts.join(", ")))
}

/// Whether two policy objects are of one class and agree in every field; other comparisons are left to Python.
fn compare(
    left: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
    how: CompareOp,
    equal: impl FnOnce() -> bool,
) -> PyResult<Py<PyAny>> {
    let py = left.py();
    let same = left.get_type().is(right.get_type()) && equal();
    match how {
        CompareOp::Eq => Ok(same.into_pyobject(py)?.to_owned().into_any().unbind()),
        CompareOp::Ne => Ok((!same).into_pyobject(py)?.to_owned().into_any().unbind()),
        _ => Ok(py.NotImplemented()),
    }
}

/// The fields of [`BinaryIoPolicy`].
#[derive(Clone, Copy, PartialEq)]
struct BinaryFields {
    upload_a: bool,
    upload_b: bool,
    download_out: bool,
    synchronize: bool,
}

impl BinaryFields {
    const ALL: BinaryFields = BinaryFields { upload_a: true, upload_b: true, download_out: true, synchronize: true };
    const NAMES: [&'static str; 4] = ["upload_a", "upload_b", "download_out", "synchronize"];

    fn policy(&self) -> Policy {
        let io = Io {
            upload: [Some(self.upload_a), Some(self.upload_b), None, None],
            download: [Some(self.download_out), None],
            synchronize: Some(self.synchronize),
        };
        Policy { io, ..Policy::default() }
    }
}

/// What is copied by an op with inputs `a` and `b`.
#[pyclass(frozen, subclass, module = "lightning_core", name = "_BinaryIoPolicy")]
pub struct BinaryIoPolicy(Fields<BinaryFields>);

#[pymethods]
impl BinaryIoPolicy {
    /// Whether `a` is copied to the device; else a session uses what it holds.
    #[getter]
    fn upload_a(&self) -> bool {
        self.0.get().upload_a
    }
    #[setter]
    fn set_upload_a(&self, on: Switch) {
        self.0.set(|fields| fields.upload_a = on.0);
    }

    /// Whether `b` is copied to the device; else a session uses what it holds.
    #[getter]
    fn upload_b(&self) -> bool {
        self.0.get().upload_b
    }
    #[setter]
    fn set_upload_b(&self, on: Switch) {
        self.0.set(|fields| fields.upload_b = on.0);
    }

    /// Whether the result is copied back, which waits for it.
    #[getter]
    fn download_out(&self) -> bool {
        self.0.get().download_out
    }
    #[setter]
    fn set_download_out(&self, on: Switch) {
        self.0.set(|fields| fields.download_out = on.0);
    }

    /// Whether the call waits at its end even if nothing is copied back.
    #[getter]
    fn synchronize(&self) -> bool {
        self.0.get().synchronize
    }
    #[setter]
    fn set_synchronize(&self, on: Switch) {
        self.0.set(|fields| fields.synchronize = on.0);
    }

    #[pyo3(signature = (**fields))]
    fn __init__(slf: &Bound<'_, Self>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        set_fields(slf.as_any(), fields)
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, how: CompareOp) -> PyResult<Py<PyAny>> {
        let equal = || other.cast::<Self>().is_ok_and(|other| slf.get().0.get() == other.get().0.get());
        compare(slf.as_any(), other, how, equal)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        text(slf.as_any(), &BinaryFields::NAMES)
    }
}

/// What a product copies and whether it waits. Honoured on every device.
///
/// Attributes
/// ----------
/// upload_a, upload_b : bool
///     Copy the input to the device, or use what a session holds. A one-shot call holds nothing: with an upload off it
///     raises `NotInitializedError`.
/// download_out : bool
///     Copy the result back. Off, the caller's array stays as it is, and a returned one is all zeros.
/// synchronize : bool
///     Wait at the end even if nothing is copied back.
#[pyclass(frozen, extends = BinaryIoPolicy, module = "lightning_core")]
pub struct MatMulIoPolicy;

#[pymethods]
impl MatMulIoPolicy {
    #[new]
    #[pyo3(signature = (**_fields))]
    fn new(_fields: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(BinaryIoPolicy(Fields::new(BinaryFields::ALL))).add_subclass(Self)
    }
}

/// What an elementwise op on matrices copies and whether it waits; fields as in `MatMulIoPolicy`.
#[pyclass(frozen, extends = BinaryIoPolicy, module = "lightning_core")]
pub struct MatrixElementwiseIoPolicy;

#[pymethods]
impl MatrixElementwiseIoPolicy {
    #[new]
    #[pyo3(signature = (**_fields))]
    fn new(_fields: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(BinaryIoPolicy(Fields::new(BinaryFields::ALL))).add_subclass(Self)
    }
}

/// What an addition of vectors copies and whether it waits; fields as in `MatMulIoPolicy`.
#[pyclass(frozen, extends = BinaryIoPolicy, module = "lightning_core")]
pub struct VectorAddIoPolicy;

#[pymethods]
impl VectorAddIoPolicy {
    #[new]
    #[pyo3(signature = (**_fields))]
    fn new(_fields: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(BinaryIoPolicy(Fields::new(BinaryFields::ALL))).add_subclass(Self)
    }
}

/// The fields of [`AttentionIoPolicy`].
#[derive(Clone, Copy, PartialEq)]
pub struct AttentionFields {
    upload: [bool; 4],
    download: [bool; 2],
    synchronize: bool,
    loss_every: i64,
    output_scale: f64,
    output_bias: f64,
    output_relu: bool,
}

impl Default for AttentionFields {
    fn default() -> AttentionFields {
        AttentionFields {
            upload: [true; 4],
            download: [true; 2],
            synchronize: true,
            loss_every: 1,
            output_scale: 1.0,
            output_bias: 0.0,
            output_relu: false,
        }
    }
}

impl AttentionFields {
    const NAMES: [&'static str; 11] = [
        "upload_q",
        "upload_k",
        "upload_v",
        "upload_target",
        "download_out",
        "download_v",
        "synchronize",
        "loss_every",
        "output_scale",
        "output_bias",
        "output_relu",
    ];

    /// Copies and waits.
    pub fn policy(&self) -> Policy {
        let io = Io {
            upload: self.upload.map(Some),
            download: self.download.map(Some),
            synchronize: Some(self.synchronize),
        };
        Policy { io, ..Policy::default() }
    }

    /// Scale, bias and ReLU.
    pub fn post(&self) -> PostProcess {
        PostProcess { scale: self.output_scale, bias: self.output_bias, relu: self.output_relu }
    }

    /// Training steps from one loss to the next; 0 leaves it to the shape.
    pub fn loss_cadence(&self) -> u64 {
        // The original took negative values for 1.
        if self.loss_every < 0 { 1 } else { self.loss_every as u64 }
    }
}

/// What attention copies, whether it waits, how often training computes the loss, and the post-processing of `forward`.
///
/// Attributes
/// ----------
/// upload_q, upload_k, upload_v, upload_target : bool
///     Copy the input to the device, or use what a session holds.
/// download_out, download_v : bool
///     Copy the result, or the updated values, back.
/// synchronize : bool
///     Wait at the end even if nothing is copied back.
/// loss_every : int
///     Compute the loss in every n-th training step only; 0 chooses n by the shape. In the steps between, the loss of the
///     last step that computed one is returned, and `AttentionSession.last_loss_step` says which that was.
/// output_scale, output_bias : float
///     `forward` returns `out · output_scale + output_bias`. Training ignores them: they are no part of its loss.
/// output_relu : bool
///     Whether `max(0, ·)` comes last.
#[pyclass(frozen, module = "lightning_core")]
pub struct AttentionIoPolicy(Fields<AttentionFields>);

impl AttentionIoPolicy {
    /// The fields, as of one moment.
    pub fn fields(&self) -> AttentionFields {
        self.0.get()
    }
}

#[pymethods]
impl AttentionIoPolicy {
    #[new]
    #[pyo3(signature = (**_fields))]
    fn new(_fields: Option<&Bound<'_, PyDict>>) -> Self {
        AttentionIoPolicy(Fields::new(AttentionFields::default()))
    }

    #[pyo3(signature = (**fields))]
    fn __init__(slf: &Bound<'_, Self>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        set_fields(slf.as_any(), fields)
    }

    /// Whether `q` is copied to the device.
    #[getter]
    fn upload_q(&self) -> bool {
        self.0.get().upload[0]
    }
    #[setter]
    fn set_upload_q(&self, on: Switch) {
        self.0.set(|fields| fields.upload[0] = on.0);
    }

    /// Whether `k` is copied to the device.
    #[getter]
    fn upload_k(&self) -> bool {
        self.0.get().upload[1]
    }
    #[setter]
    fn set_upload_k(&self, on: Switch) {
        self.0.set(|fields| fields.upload[1] = on.0);
    }

    /// Whether `v` is copied to the device.
    #[getter]
    fn upload_v(&self) -> bool {
        self.0.get().upload[2]
    }
    #[setter]
    fn set_upload_v(&self, on: Switch) {
        self.0.set(|fields| fields.upload[2] = on.0);
    }

    /// Whether the target of training is copied to the device.
    #[getter]
    fn upload_target(&self) -> bool {
        self.0.get().upload[3]
    }
    #[setter]
    fn set_upload_target(&self, on: Switch) {
        self.0.set(|fields| fields.upload[3] = on.0);
    }

    /// Whether the result is copied back.
    #[getter]
    fn download_out(&self) -> bool {
        self.0.get().download[0]
    }
    #[setter]
    fn set_download_out(&self, on: Switch) {
        self.0.set(|fields| fields.download[0] = on.0);
    }

    /// Whether the updated values are copied back.
    #[getter]
    fn download_v(&self) -> bool {
        self.0.get().download[1]
    }
    #[setter]
    fn set_download_v(&self, on: Switch) {
        self.0.set(|fields| fields.download[1] = on.0);
    }

    /// Whether the call waits at its end even if nothing is copied back.
    #[getter]
    fn synchronize(&self) -> bool {
        self.0.get().synchronize
    }
    #[setter]
    fn set_synchronize(&self, on: Switch) {
        self.0.set(|fields| fields.synchronize = on.0);
    }

    /// Training steps from one loss to the next.
    #[getter]
    fn loss_every(&self) -> i64 {
        self.0.get().loss_every
    }
    #[setter]
    fn set_loss_every(&self, steps: Int) -> PyResult<()> {
        let steps = steps.value("AttentionIoPolicy", "loss_every")?;
        self.0.set(|fields| fields.loss_every = steps);
        Ok(())
    }

    /// Factor of the result of `forward`.
    #[getter]
    fn output_scale(&self) -> f64 {
        self.0.get().output_scale
    }
    #[setter]
    fn set_output_scale(&self, scale: f64) -> PyResult<()> {
        let scale = number("output_scale", scale)?;
        self.0.set(|fields| fields.output_scale = scale);
        Ok(())
    }

    /// Added to the result of `forward` after scaling.
    #[getter]
    fn output_bias(&self) -> f64 {
        self.0.get().output_bias
    }
    #[setter]
    fn set_output_bias(&self, bias: f64) -> PyResult<()> {
        let bias = number("output_bias", bias)?;
        self.0.set(|fields| fields.output_bias = bias);
        Ok(())
    }

    /// Whether negative results of `forward` become zero at the end.
    #[getter]
    fn output_relu(&self) -> bool {
        self.0.get().output_relu
    }
    #[setter]
    fn set_output_relu(&self, on: Switch) {
        self.0.set(|fields| fields.output_relu = on.0);
    }

    fn __richcmp__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>, how: CompareOp) -> PyResult<Py<PyAny>> {
        let equal = || other.cast::<Self>().is_ok_and(|other| slf.get().fields() == other.get().fields());
        compare(slf.as_any(), other, how, equal)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        text(slf.as_any(), &AttentionFields::NAMES)
    }
}

fn number(field: &'static str, value: f64) -> PyResult<f64> {
    match value.is_nan() {
        false => Ok(value),
        true => Err(raise(Error::invalid("AttentionIoPolicy", field, "a number", "NaN"))),
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<MatMulIoPolicy>()?;
    m.add_class::<MatrixElementwiseIoPolicy>()?;
    m.add_class::<VectorAddIoPolicy>()?;
    m.add_class::<AttentionIoPolicy>()
}
