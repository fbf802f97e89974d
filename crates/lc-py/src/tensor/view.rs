//! Views of tensors: how to read one, without its data.

use crate::args::Int;
use crate::error::raise;
use lc_core::dense::{Layout, ViewContract};
use lc_core::{DType, Error};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Shape, strides and what follows from them, in the order of the original's contracts.
pub(super) fn describe<'py>(py: Python<'py>, view: &ViewContract) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("shape", view.shape().dims())?;
    dict.set_item("strides", view.strides().steps())?;
    dict.set_item("rank", view.shape().rank())?;
    dict.set_item("numel", view.shape().numel())?;
    Ok(dict)
}

/// A way to read a tensor: extents, strides and an offset in elements, without data and without a hold on any tensor.
///
/// Tensors make views with `view` and `slice`. A view may be applied to any tensor of its dtype and device whose storage
/// it fits into, and is checked each time.
#[pyclass(frozen, subclass, module = "lightning_core", name = "_View")]
pub struct BaseView(ViewContract);

#[pymethods]
impl BaseView {
    /// Extents.
    fn shape(&self) -> Vec<usize> {
        self.0.shape().dims().to_vec()
    }

    /// Strides in elements.
    fn strides(&self) -> Vec<isize> {
        self.0.strides().steps().to_vec()
    }

    /// Number of dimensions.
    fn rank(&self) -> usize {
        self.0.shape().rank()
    }

    /// Number of elements.
    fn numel(&self) -> usize {
        self.0.shape().numel()
    }

    /// Whether the layout is "contiguous".
    fn is_contiguous(&self) -> bool {
        self.0.layout() == Layout::Contiguous
    }

    /// "contiguous" for a view of all elements, "strided" for a slice.
    fn layout(&self) -> &'static str {
        self.0.layout().name()
    }

    /// "float32" or "float64".
    fn dtype(&self) -> &'static str {
        self.0.spec().dtype.name()
    }

    /// Element at which the view starts.
    fn offset_elements(&self) -> usize {
        self.0.offset()
    }

    /// Device of the tensor that made it.
    fn device(&self) -> &'static str {
        self.0.device().name()
    }

    /// Checks the view itself; raises InvalidValueError if something is wrong.
    fn validate_contract(&self) -> PyResult<()> {
        self.0.validate().map_err(raise)
    }

    /// Checks that every element lies inside storage of so many elements; raises InvalidValueError if not.
    #[pyo3(signature = (storage_numel, /))]
    fn validate_contract_for_storage(&self, storage_numel: Int) -> PyResult<()> {
        let numel = storage_numel.size("validate_contract_for_storage", "storage_numel", 1)?;
        self.0.validate_for(numel).map_err(raise)
    }

    /// All of the above as a dict.
    fn contract<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = describe(py, &self.0)?;
        dict.set_item("is_contiguous", self.is_contiguous())?;
        dict.set_item("layout", self.layout())?;
        dict.set_item("dtype", self.dtype())?;
        dict.set_item("offset_elements", self.offset_elements())?;
        dict.set_item("device", self.device())?;
        Ok(dict)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let it = slf.get();
        Ok(format!(
            "{}(shape={}, strides={:?}, offset_elements={}, device='{}')",
            slf.get_type().name()?,
            it.0.shape(),
            it.0.strides(),
            it.0.offset(),
            it.0.device()
        ))
    }
}

/// A view of a `Tensor`; see `Tensor.view` and `Tensor.slice`.
#[pyclass(frozen, extends = BaseView, module = "lightning_core")]
pub struct TensorView;

/// A view of a `Tensor64`; see `Tensor64.view` and `Tensor64.slice`.
#[pyclass(frozen, extends = BaseView, module = "lightning_core")]
pub struct Tensor64View;

pub(super) fn view_object(py: Python<'_>, view: ViewContract) -> PyResult<Py<PyAny>> {
    let base = PyClassInitializer::from(BaseView(view));
    Ok(match view.spec().dtype {
        DType::F32 => Py::new(py, base.add_subclass(TensorView))?.into_any(),
        DType::F64 => Py::new(py, base.add_subclass(Tensor64View))?.into_any(),
        // Tensors are of the other two types, and views are of tensors.
        DType::F16 => return Err(raise(lc_core::Error::unsupported("view", "float32 or float64", "float16"))),
    })
}

pub(super) fn view_of(op: &'static str, obj: &Bound<'_, PyAny>) -> PyResult<ViewContract> {
    match obj.cast::<BaseView>() {
        Ok(view) => Ok(view.get().0),
        Err(_) => {
            let got = obj.get_type().fully_qualified_name()?.to_string();
            Err(raise(Error::wrong_type(op, "view", "a TensorView or Tensor64View", got)))
        }
    }
}
