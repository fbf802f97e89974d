//! Owned tensors and their views.
//!
//! `Tensor` and `Tensor64` are one class with two element types, and so are `TensorView` and `Tensor64View`: everything
//! but construction is in the two base classes, which are not exported.

mod view;

use crate::args::Int;
use crate::array::{self, Cast};
use crate::call::level;
use crate::error::raise;
use lc_core::dense::{self, DenseTensor, Layout, ViewContract};
use lc_core::{DType, DeviceKind, EffectivePolicy, Element, Error, Fallback, PackedPolicy, TensorRef};
use lightning_core::runtime;
use pyo3::exceptions::PyAttributeError;
use pyo3::ffi::c_str;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::ffi::CString;
use std::sync::atomic::{AtomicU8, Ordering};
use view::{Tensor64View, TensorView, describe, view_object, view_of};

/// Elements from which the interpreter lock is released for a copy or a sum.
const RELEASE_FROM: usize = 1 << 15;

/// A tensor of either element type.
enum Storage {
    F32(DenseTensor<f32>),
    F64(DenseTensor<f64>),
}

/// Runs an expression on the tensor of whichever type: a function cannot take a generic closure.
macro_rules! each {
    ($storage:expr, $tensor:ident => $body:expr) => {
        match $storage {
            Storage::F32($tensor) => $body,
            Storage::F64($tensor) => $body,
        }
    };
}

impl Storage {
    fn zeros(dtype: DType, backend: std::sync::Arc<dyn lc_core::backend::Backend>, dims: &[i64]) -> PyResult<Storage> {
        match dtype {
            DType::F32 => DenseTensor::zeros(backend, dims).map(Storage::F32),
            DType::F64 => DenseTensor::zeros(backend, dims).map(Storage::F64),
            DType::F16 => Err(lc_core::Error::unsupported("Tensor", "float32 or float64", "float16")),
        }
        .map_err(raise)
    }
}

/// Where a tensor for this request goes, after the warning that the policy asks for.
fn place(
    py: Python<'_>,
    name: &'static str,
    device: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<std::sync::Arc<dyn lc_core::backend::Backend>> {
    static WARNED: AtomicU8 = AtomicU8::new(0);
    let policy = EffectivePolicy::of(level(name, device, policy)?, PackedPolicy::UNSET);
    let (backend, elsewhere) = dense::place(runtime(), policy).map_err(|e| raise(e.in_op(name)))?;
    if elsewhere
        && policy.fallback() == Fallback::Warn
        && let lc_core::DeviceRequest::Is(kind) = policy.device()
    {
        let bit = 1u8 << kind as u8;
        if WARNED.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            let text = format!(
                "a tensor is in the memory of \"{}\" and not of \"{kind}\", which is not available. This is said once \
                 for each device; lightning_core.Policy(fallback=\"allow\") silences it, fallback=\"deny\" makes it an \
                 error.",
                backend.descriptor().kind,
            );
            let class = py.import("lightning_core.errors")?.getattr("FallbackWarning")?;
            let text = CString::new(text).unwrap_or_else(|_| c_str!("a tensor is not on the device asked for").into());
            PyErr::warn(py, &class, &text, 1)?;
        }
    }
    Ok(backend)
}

fn ints(op: &'static str, name: &'static str, values: &Bound<'_, PyAny>) -> PyResult<Vec<i64>> {
    let wrong = |_| {
        let got = values.get_type().fully_qualified_name().map_or_else(|_| "something else".into(), |n| n.to_string());
        raise(Error::wrong_type(op, name, "a sequence of integers", got))
    };
    let values: Vec<Int> = values.extract().map_err(wrong)?;
    values.into_iter().map(|value| value.value(op, name)).collect()
}

fn list_of<'py, T: Element>(py: Python<'py>, values: &[T]) -> PyResult<Bound<'py, PyList>> {
    PyList::new(py, values.iter().map(|x| x.to_f64()))
}

fn flat_array<'py, T: Element>(py: Python<'py>, op: &'static str, values: &[T]) -> PyResult<Bound<'py, PyAny>> {
    let source = TensorRef::new(values, &[values.len()]).map_err(raise)?;
    let (array, target) = array::new_array(py, op, source.spec())?;
    // SAFETY: the array is new and has as many elements of this type as `values`.
    unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), target.ptr().cast::<T>(), values.len()) };
    Ok(array)
}

/// Everything that `Tensor` and `Tensor64` have in common.
#[pyclass(subclass, module = "lightning_core", name = "_Tensor")]
pub struct BaseTensor(Storage);

impl BaseTensor {
    fn new(
        py: Python<'_>,
        name: &'static str,
        dtype: DType,
        shape: &Bound<'_, PyAny>,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<BaseTensor> {
        let dims = ints(name, "shape", shape)?;
        // The shape first: a wrong one must not cost a warning about the device.
        dense::checked_dims(name, &dims).map_err(raise)?;
        Ok(BaseTensor(Storage::zeros(dtype, place(py, name, device, policy)?, &dims)?))
    }

    fn filled(mut self, op: &'static str, values: &Bound<'_, PyAny>) -> PyResult<BaseTensor> {
        self.fill(op, values)?;
        Ok(self)
    }

    fn fill(&mut self, op: &'static str, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let given = array::input(op, "values", values, Cast::To(self.dtype_of()))?;
        let source = given.tensor();
        each!(&mut self.0, tensor => {
            match tensor.numel() < RELEASE_FROM {
                true => tensor.fill_from(&source),
                false => values.py().detach(|| tensor.fill_from(&source)),
            }
        })
        .map_err(|e| raise(e.in_op(op)))
    }

    fn dtype_of(&self) -> DType {
        each!(&self.0, tensor => tensor.dtype())
    }

    fn whole(&self) -> PyResult<ViewContract> {
        each!(&self.0, tensor => tensor.view(&dims_i64(tensor.shape().dims()))).map_err(raise)
    }

    fn device_kind(&self) -> DeviceKind {
        each!(&self.0, tensor => tensor.device())
    }

    fn host(&self) -> Option<*mut u8> {
        each!(&self.0, tensor => tensor.host())
    }
}

fn dims_i64(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|d| *d as i64).collect()
}

#[pymethods]
impl BaseTensor {
    /// Extents.
    fn shape(&self) -> Vec<usize> {
        each!(&self.0, tensor => tensor.shape().dims().to_vec())
    }

    /// Strides in elements: those of a dense row-major tensor, always.
    fn strides(&self) -> Vec<isize> {
        each!(&self.0, tensor => tensor.strides().steps().to_vec())
    }

    /// Number of dimensions.
    fn rank(&self) -> usize {
        each!(&self.0, tensor => tensor.shape().rank())
    }

    /// Number of elements.
    fn numel(&self) -> usize {
        each!(&self.0, tensor => tensor.numel())
    }

    /// Number of elements of the storage, which is `numel()`.
    fn storage_numel(&self) -> usize {
        self.numel()
    }

    /// True: a tensor owns dense storage.
    fn is_contiguous(&self) -> bool {
        true
    }

    /// "contiguous".
    fn layout(&self) -> &'static str {
        Layout::Contiguous.name()
    }

    /// "float32" or "float64".
    fn dtype(&self) -> &'static str {
        self.dtype_of().name()
    }

    /// Where the storage is, which on a machine without the device asked for is another than that.
    fn device(&self) -> &'static str {
        self.device_kind().name()
    }

    /// All of the above as a dict.
    fn contract<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = describe(py, &self.whole()?)?;
        dict.set_item("storage_numel", self.storage_numel())?;
        dict.set_item("is_contiguous", true)?;
        dict.set_item("layout", self.layout())?;
        dict.set_item("dtype", self.dtype())?;
        dict.set_item("device", self.device())?;
        Ok(dict)
    }

    /// Checks shape and storage. It never fails: a shape that could not hold is refused when the tensor is made.
    fn validate_contract(&self) -> PyResult<()> {
        each!(&self.0, tensor => tensor.validate()).map_err(raise)
    }

    /// Checks that a view can be applied to this tensor: its dtype, device, and every element it reaches.
    #[pyo3(signature = (view, /))]
    fn validate_view_contract(&self, view: &Bound<'_, PyAny>) -> PyResult<()> {
        let view = view_of("validate_view_contract", view)?;
        each!(&self.0, tensor => tensor.validate_view(&view)).map_err(raise)
    }

    /// Changes the extents in place. One of them may be -1 and is then what is left over.
    #[pyo3(signature = (shape, /))]
    fn reshape(&mut self, shape: &Bound<'_, PyAny>) -> PyResult<()> {
        let dims = ints("reshape", "shape", shape)?;
        each!(&mut self.0, tensor => tensor.reshape(&dims)).map_err(raise)
    }

    /// A view of all elements under other extents, one of which may be -1.
    #[pyo3(signature = (shape, /))]
    fn view(&self, py: Python<'_>, shape: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let dims = ints("view", "shape", shape)?;
        view_object(py, each!(&self.0, tensor => tensor.view(&dims)).map_err(raise)?)
    }

    /// A view of the indices start to end - 1 along one axis.
    #[pyo3(signature = (axis, start, end, /))]
    fn slice(&self, py: Python<'_>, axis: Int, start: Int, end: Int) -> PyResult<Py<PyAny>> {
        view_object(py, self.slice_of("slice", axis, start, end)?)
    }

    /// The elements of a view, as a flat list.
    #[pyo3(signature = (view, /))]
    fn to_host_view<'py>(&self, py: Python<'py>, view: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let view = view_of("to_host_view", view)?;
        each!(&self.0, tensor => list_of(py, &gather(py, tensor, &view)?))
    }

    /// The elements of a view, as a new array of one dimension.
    #[pyo3(signature = (view, /))]
    fn to_host_view_numpy<'py>(&self, py: Python<'py>, view: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let view = view_of("to_host_view_numpy", view)?;
        each!(&self.0, tensor => flat_array(py, "to_host_view_numpy", &gather(py, tensor, &view)?))
    }

    /// The elements of a slice, as a flat list.
    #[pyo3(signature = (axis, start, end, /))]
    fn slice_copy<'py>(&self, py: Python<'py>, axis: Int, start: Int, end: Int) -> PyResult<Bound<'py, PyList>> {
        let view = self.slice_of("slice_copy", axis, start, end)?;
        each!(&self.0, tensor => list_of(py, &gather(py, tensor, &view)?))
    }

    /// The elements of a slice, as a new array of one dimension.
    #[pyo3(signature = (axis, start, end, /))]
    fn slice_copy_numpy<'py>(&self, py: Python<'py>, axis: Int, start: Int, end: Int) -> PyResult<Bound<'py, PyAny>> {
        let view = self.slice_of("slice_copy_numpy", axis, start, end)?;
        each!(&self.0, tensor => flat_array(py, "slice_copy_numpy", &gather(py, tensor, &view)?))
    }

    /// The elements at offset_elements + sum(index · stride) for every index below out_shape, as a flat list.
    ///
    /// Parameters
    /// ----------
    /// out_shape : sequence of int
    ///     Extents, each at least 1.
    /// source_strides : sequence of int
    ///     Strides in elements, each at least 1.
    /// offset_elements : int
    ///     Element at which to start.
    #[pyo3(signature = (out_shape, source_strides, offset_elements=Int::Fits(0)),
        text_signature = "($self, out_shape, source_strides, offset_elements=0)")]
    fn read_strided<'py>(
        &self,
        py: Python<'py>,
        out_shape: &Bound<'py, PyAny>,
        source_strides: &Bound<'py, PyAny>,
        offset_elements: Int,
    ) -> PyResult<Bound<'py, PyList>> {
        const NAME: &str = "read_strided";
        let dims = ints(NAME, "out_shape", out_shape)?;
        let strides = ints(NAME, "source_strides", source_strides)?;
        let offset = offset_elements.size(NAME, "offset_elements", 0)?;
        each!(&self.0, tensor => {
            list_of(py, &tensor.read_strided(&dims, &strides, offset).map_err(raise)?)
        })
    }

    /// Overwrites every element in row-major order from any array-like with as many.
    #[allow(clippy::wrong_self_convention)] // the original's name
    #[pyo3(signature = (values, /))]
    fn from_list(&mut self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        self.fill("from_list", values)
    }

    /// Overwrites every element in row-major order from any array-like with as many.
    #[allow(clippy::wrong_self_convention)] // the original's name
    #[pyo3(signature = (values, /))]
    fn from_numpy(&mut self, values: &Bound<'_, PyAny>) -> PyResult<()> {
        self.fill("from_numpy", values)
    }

    /// Every element in row-major order, as a flat list.
    fn to_list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        each!(&self.0, tensor => list_of(py, &tensor.to_vec().map_err(raise)?))
    }

    /// Every element in row-major order, as a new array of one dimension. `numpy()` keeps the shape and copies nothing.
    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        each!(&self.0, tensor => flat_array(py, "to_numpy", &tensor.to_vec().map_err(raise)?))
    }

    /// The tensor as an array of its shape: on the tensor's own memory, which the array keeps alive, if the host can address
    /// it; else a copy.
    fn numpy<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let it = slf.try_borrow()?;
        if it.host().is_some() {
            drop(it);
            return py.import(intern!(py, "numpy"))?.call_method1(intern!(py, "asarray"), (slf,));
        }
        let flat = it.to_numpy(py)?;
        flat.call_method1(intern!(py, "reshape"), (it.shape(),))
    }

    /// The elements as nested lists, one level for each dimension.
    fn tolist<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::numpy(slf)?.call_method0(intern!(slf.py(), "tolist"))
    }

    /// Elementwise sum as a new tensor of this one's shape and device.
    ///
    /// The other tensor has the same class, device and number of elements; its shape may differ.
    #[pyo3(signature = (other, /))]
    fn add(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = slf.py();
        let wrong = || {
            let class = slf.get_type().name().map_or_else(|_| "Tensor".into(), |n| n.to_string());
            let got = other.get_type().fully_qualified_name().map_or_else(|_| "another".into(), |n| n.to_string());
            raise(Error::wrong_type("add", "other", format!("a {class}"), got))
        };
        let other = other.cast::<BaseTensor>().map_err(|_| wrong())?.try_borrow()?;
        let it = slf.try_borrow()?;
        let sum = match (&it.0, &other.0) {
            (Storage::F32(a), Storage::F32(b)) => Storage::F32(sum(py, a, b)?),
            (Storage::F64(a), Storage::F64(b)) => Storage::F64(sum(py, a, b)?),
            _ => return Err(wrong()),
        };
        tensor_object(py, sum)
    }

    fn __len__(&self) -> usize {
        each!(&self.0, tensor => tensor.shape()[0])
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let it = slf.try_borrow()?;
        let shape = it.shape();
        Ok(format!("{}(shape={shape:?}, dtype='{}', device='{}')", slf.get_type().name()?, it.dtype(), it.device()))
    }

    /// NumPy's array interface, version 3: how NumPy and others read the tensor's memory without a copy.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let Some(host) = self.host() else {
            // An attribute that is not there lets NumPy ask for `__array__`.
            return Err(PyAttributeError::new_err("the tensor is not in host memory; use numpy(), which copies"));
        };
        let dict = PyDict::new(py);
        let order = if cfg!(target_endian = "little") { '<' } else { '>' };
        dict.set_item("version", 3)?;
        dict.set_item("shape", PyTuple::new(py, self.shape())?)?;
        dict.set_item("typestr", format!("{order}f{}", self.dtype_of().size()))?;
        dict.set_item("data", (host as usize, false))?;
        Ok(dict)
    }

    /// NumPy's conversion, for tensors that are not in host memory.
    #[pyo3(signature = (dtype=None, *, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let in_place = slf.try_borrow()?.host().is_some();
        if !in_place && copy == Some(false) {
            let error = Error::invalid("__array__", "copy", "a copy", "copy=False for a tensor in device memory");
            return Err(raise(error));
        }
        let mut array = Self::numpy(slf)?;
        if in_place && copy == Some(true) {
            array = array.call_method0("copy")?;
        }
        match dtype {
            None => Ok(array),
            Some(dtype) => {
                let kwargs = PyDict::new(py);
                kwargs.set_item("copy", false)?;
                array.call_method("astype", (dtype,), Some(&kwargs))
            }
        }
    }

    /// The tensor as a DLPack capsule, on its own memory; arguments as the array API standard has them.
    #[pyo3(signature = (**kwargs))]
    fn __dlpack__<'py>(slf: &Bound<'py, Self>, kwargs: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        if slf.try_borrow()?.host().is_none() {
            let got = format!("a tensor on \"{}\"", slf.try_borrow()?.device());
            return Err(raise(Error::unsupported("__dlpack__", "a tensor in host memory", got).hint("use numpy()")));
        }
        Self::numpy(slf)?.call_method(intern!(slf.py(), "__dlpack__"), (), kwargs)
    }

    /// DLPack's device: (1, 0), the host.
    fn __dlpack_device__(&self) -> PyResult<(i32, i32)> {
        match self.host() {
            Some(_) => Ok((1, 0)),
            None => {
                let got = format!("a tensor on \"{}\"", self.device());
                Err(raise(Error::unsupported("__dlpack_device__", "a tensor in host memory", got).hint("use numpy()")))
            }
        }
    }
}

impl BaseTensor {
    fn slice_of(&self, op: &'static str, axis: Int, start: Int, end: Int) -> PyResult<ViewContract> {
        let axis = axis.size(op, "axis", 0)?;
        let (start, end) = (start.size(op, "start", 0)?, end.size(op, "end", 0)?);
        each!(&self.0, tensor => tensor.slice(axis, start, end)).map_err(|e| raise(e.in_op(op)))
    }
}

fn gather<T: Element>(py: Python<'_>, tensor: &DenseTensor<T>, view: &ViewContract) -> PyResult<Vec<T>> {
    match view.shape().numel() < RELEASE_FROM {
        true => tensor.gather(view),
        false => py.detach(|| tensor.gather(view)),
    }
    .map_err(raise)
}

fn sum<T: Element>(py: Python<'_>, a: &DenseTensor<T>, b: &DenseTensor<T>) -> PyResult<DenseTensor<T>> {
    match a.numel() < RELEASE_FROM {
        true => a.zip_with(runtime(), &lc_ops::ADD, b),
        false => py.detach(|| a.zip_with(runtime(), &lc_ops::ADD, b)),
    }
    .map_err(raise)
}

fn tensor_object(py: Python<'_>, storage: Storage) -> PyResult<Py<PyAny>> {
    let single = matches!(storage, Storage::F32(_));
    let base = PyClassInitializer::from(BaseTensor(storage));
    Ok(match single {
        true => Py::new(py, base.add_subclass(Tensor))?.into_any(),
        false => Py::new(py, base.add_subclass(Tensor64))?.into_any(),
    })
}

/// A float32 tensor that owns dense row-major storage on a device, zero-filled from the start.
///
/// Parameters
/// ----------
/// shape : sequence of int
///     Extents, at least one and each at least 1.
/// device : str
///     "cpu", "metal", "cuda", "vulkan" or "auto". If it is not there, the policy's fallback rule decides: memory elsewhere,
///     which `device()` then names, or an error.
/// policy : Policy, optional
///     How to place it.
///
/// Raises
/// ------
/// InvalidValueError
///     For a shape or a device that cannot be.
/// NotSupportedError
///     If the device is not there and the policy denies another.
/// OutOfMemoryError
///     If there is no memory for it.
#[pyclass(extends = BaseTensor, module = "lightning_core")]
pub struct Tensor;

#[pymethods]
impl Tensor {
    #[new]
    #[pyo3(signature = (shape, device="cpu", *, policy=None))]
    fn new(
        shape: &Bound<'_, PyAny>,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Tensor>> {
        let base = BaseTensor::new(shape.py(), "Tensor", DType::F32, shape, device, policy)?;
        Ok(PyClassInitializer::from(base).add_subclass(Tensor))
    }

    /// A tensor of zeros, as the constructor makes.
    #[staticmethod]
    #[pyo3(signature = (shape, device="cpu"))]
    fn zeros(shape: &Bound<'_, PyAny>, device: &str) -> PyResult<Py<PyAny>> {
        let py = shape.py();
        tensor_object(py, BaseTensor::new(py, "Tensor.zeros", DType::F32, shape, device, None)?.0)
    }

    /// A tensor of the values of any array-like with as many elements as the shape.
    #[staticmethod]
    #[pyo3(signature = (values, shape, device="cpu"))]
    fn from_numpy_array(values: &Bound<'_, PyAny>, shape: &Bound<'_, PyAny>, device: &str) -> PyResult<Py<PyAny>> {
        const NAME: &str = "Tensor.from_numpy_array";
        let tensor = BaseTensor::new(shape.py(), NAME, DType::F32, shape, device, None)?;
        tensor_object(shape.py(), tensor.filled(NAME, values)?.0)
    }
}

/// A float64 tensor; see `Tensor`.
#[pyclass(extends = BaseTensor, module = "lightning_core")]
pub struct Tensor64;

#[pymethods]
impl Tensor64 {
    #[new]
    #[pyo3(signature = (shape, device="cpu", *, policy=None))]
    fn new(
        shape: &Bound<'_, PyAny>,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Tensor64>> {
        let base = BaseTensor::new(shape.py(), "Tensor64", DType::F64, shape, device, policy)?;
        Ok(PyClassInitializer::from(base).add_subclass(Tensor64))
    }

    /// A tensor of zeros, as the constructor makes.
    #[staticmethod]
    #[pyo3(signature = (shape, device="cpu"))]
    fn zeros(shape: &Bound<'_, PyAny>, device: &str) -> PyResult<Py<PyAny>> {
        let py = shape.py();
        tensor_object(py, BaseTensor::new(py, "Tensor64.zeros", DType::F64, shape, device, None)?.0)
    }

    /// A tensor of the values of any array-like with as many elements as the shape.
    #[staticmethod]
    #[pyo3(signature = (values, shape, device="cpu"))]
    fn from_numpy_array(values: &Bound<'_, PyAny>, shape: &Bound<'_, PyAny>, device: &str) -> PyResult<Py<PyAny>> {
        const NAME: &str = "Tensor64.from_numpy_array";
        let tensor = BaseTensor::new(shape.py(), NAME, DType::F64, shape, device, None)?;
        tensor_object(shape.py(), tensor.filled(NAME, values)?.0)
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Tensor>()?;
    m.add_class::<Tensor64>()?;
    m.add_class::<TensorView>()?;
    m.add_class::<Tensor64View>()
}
