//! Arrays in and out: what a Python object is as a tensor.
//!
//! An exact `ndarray` of native float32 or float64 is read by its fields, without a copy and whatever its strides. All
//! else takes the general path: DLPack and the buffer protocol through NumPy, also without a copy where the type is
//! already right, then a conversion where the function allows one. Results are never converted: what cannot be written
//! in place is refused.

use crate::error::{raise, raise_from};
use crate::numpy::{self, Array};
use lc_core::{DType, Error, Shape, Strides, TensorMut, TensorRef, TensorSpec};
use pyo3::exceptions::{PyBufferError, PyMemoryError, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyTuple};
use std::ffi::c_int;

/// What becomes of an input that is not an array of float32 or float64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Everything becomes this type, as NumPy casts.
    To(DType),
    /// Arrays keep float32 or float64 and must have one of them; Python numbers and sequences become this type.
    Keep(DType),
}

/// The original interface's rule: everything becomes float32.
pub const TO_F32: Cast = Cast::To(DType::F32);
/// The rule of `lightning_core.api`.
pub const KEEP: Cast = Cast::Keep(DType::F32);

/// An input, borrowed or converted; the tensor lives as long as this.
pub struct Input<'a, 'py> {
    tensor: TensorRef<'a>,
    // Keeps a converted array alive; `None` when the tensor borrows the caller's object.
    _owner: Option<Bound<'py, PyAny>>,
}

impl Input<'_, '_> {
    /// The input as a tensor.
    #[inline]
    pub fn tensor(&self) -> TensorRef<'_> {
        self.tensor
    }
}

/// A result that the caller provided.
pub struct Output<'a, 'py> {
    ptr: *mut u8,
    spec: TensorSpec,
    _owner: Option<Bound<'py, PyAny>>,
    life: std::marker::PhantomData<&'a ()>,
}

impl Output<'_, '_> {
    /// Type and extents.
    #[inline]
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// The result as a tensor.
    #[inline]
    pub fn tensor_mut(&mut self) -> TensorMut<'_> {
        // SAFETY: `output` checked that the memory is writable, aligned and dense; the caller's object or `_owner` keeps it
        // alive. What else Python code may hold of it is under the lock or, as with NumPy, its own affair.
        unsafe { TensorMut::from_raw(self.ptr, self.spec) }
    }

    /// The result under another shape with as many elements.
    ///
    /// # Errors
    /// Another number of elements.
    pub fn reshape(&mut self, op: &'static str, name: &'static str, shape: Shape) -> PyResult<()> {
        if shape.numel() != self.spec.shape.numel() {
            let expected = format!("{} elements (shape {shape})", shape.numel());
            let got = format!("shape {}", self.spec.shape);
            return Err(raise(Error::invalid(op, name, expected, got)));
        }
        self.spec.shape = shape;
        Ok(())
    }
}

#[inline]
fn dtype_of(array: &Array) -> Option<DType> {
    // SAFETY: an array's descriptor is never null.
    let descr = unsafe { &*array.descr };
    let native = if cfg!(target_endian = "little") { b'<' } else { b'>' };
    let order = descr.byteorder as u8;
    if order != b'=' && order != native {
        return None;
    }
    match descr.type_num {
        numpy::FLOAT32 => Some(DType::F32),
        numpy::FLOAT64 => Some(DType::F64),
        numpy::FLOAT16 => Some(DType::F16),
        _ => None,
    }
}

#[inline]
fn extents(array: &Array) -> (&[usize], &[isize]) {
    let rank = array.nd as usize;
    if rank == 0 {
        return (&[], &[]);
    }
    // SAFETY: `dimensions` and `strides` hold `nd` values each; extents are not negative, so they read as `usize`.
    unsafe {
        (
            std::slice::from_raw_parts(array.dimensions.cast::<usize>(), rank),
            std::slice::from_raw_parts(array.strides, rank),
        )
    }
}

/// The tensor that an array is, if it is native, aligned float32 or float64 with strides in whole elements.
#[inline(always)]
fn view<'a>(array: &'a Array) -> Option<TensorRef<'a>> {
    let dtype = dtype_of(array)?;
    if array.flags & numpy::ALIGNED == 0 {
        return None;
    }
    if array.flags & numpy::C_CONTIGUOUS == 0 {
        return strided(array, dtype);
    }
    // SAFETY: NumPy's flag says that the elements lie densely in row-major order from `data`; the array is alive.
    unsafe { TensorRef::dense(array.data, dtype, extents(array).0) }
}

/// Extents as a shape. Known lengths let the compiler copy them without a call.
#[inline]
fn shape_of(dims: &[usize]) -> Option<Shape> {
    match *dims {
        [n] => Shape::new(&[n]),
        [m, n] => Shape::new(&[m, n]),
        [h, m, n] => Shape::new(&[h, m, n]),
        [b, h, m, n] => Shape::new(&[b, h, m, n]),
        _ => Shape::new(dims),
    }
    .ok()
}

fn strided<'a>(array: &'a Array, dtype: DType) -> Option<TensorRef<'a>> {
    let (dims, byte_strides) = extents(array);
    let shape = shape_of(dims)?;
    let size = dtype.size() as isize;
    let mut steps = [0isize; lc_core::shape::MAX_RANK];
    for (step, bytes) in steps.iter_mut().zip(byte_strides) {
        if bytes % size != 0 {
            return None;
        }
        *step = bytes / size;
    }
    let strides = Strides::new(&steps[..dims.len()]).ok()?;
    // SAFETY: NumPy's invariant: every index within `dims` lies at its strides inside the array's memory.
    Some(unsafe { TensorRef::from_raw(array.data, TensorSpec::new(dtype, shape), strides) })
}

/// The inputs of a call. Tensors are built where the call reads them: one is 160 bytes, and to move it about costs more
/// than to read an array's fields.
pub struct Inputs<'a, 'py, const N: usize> {
    tensors: [Option<TensorRef<'a>>; N],
    // Keep converted arrays alive; `None` where a tensor borrows the caller's object.
    owners: [Option<Bound<'py, PyAny>>; N],
}

impl<'a, 'py, const N: usize> Inputs<'a, 'py, N> {
    /// No inputs yet.
    #[inline]
    pub fn new() -> Self {
        Inputs { tensors: [const { None }; N], owners: [const { None }; N] }
    }

    /// The tensors; `None` where an optional input is absent.
    #[inline]
    pub fn tensors(&self) -> &[Option<TensorRef<'_>>; N] {
        &self.tensors
    }

    /// Sets input `i` from a Python object.
    ///
    /// # Errors
    /// As [`input`].
    #[inline(always)]
    pub fn read(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
    ) -> PyResult<()> {
        if let Some(array) = numpy::exact(obj) {
            self.tensors[i] = view(array);
            let dtype = self.tensors[i].as_ref().map(TensorRef::dtype);
            let fits = match cast {
                Cast::To(wanted) => dtype == Some(wanted),
                Cast::Keep(_) => dtype.is_some(),
            };
            if fits {
                return Ok(());
            }
        }
        let Input { tensor, _owner } = general_input(op, name, obj, cast)?;
        (self.tensors[i], self.owners[i]) = (Some(tensor), _owner);
        Ok(())
    }

    /// Sets all inputs of a call of `lightning_core.api`. Arrays keep float32 or float64; numbers and sequences take the type
    /// of the first array, or float32 if there is none.
    ///
    /// # Errors
    /// As [`input`].
    #[inline]
    pub fn read_all(
        &mut self,
        op: &'static str,
        names: [&'static str; N],
        objects: [Option<&'a Bound<'py, PyAny>>; N],
    ) -> PyResult<()> {
        let mut weak = false;
        for i in 0..N {
            let Some(obj) = objects[i] else { continue };
            if numpy::exact(obj).is_some() || !is_weak(obj) {
                self.read(i, op, names[i], obj, KEEP)?;
            } else {
                weak = true;
            }
        }
        if weak {
            let strong = self.tensors.iter().flatten().next().map_or(DType::F32, TensorRef::dtype);
            for i in 0..N {
                if let (None, Some(obj)) = (&self.tensors[i], objects[i]) {
                    self.read(i, op, names[i], obj, Cast::Keep(strong))?;
                }
            }
        }
        Ok(())
    }

    /// Sets input `i` to a dense tensor of `shape`; of the object's own shape only the number of elements matters.
    ///
    /// # Errors
    /// As [`shaped`].
    #[inline]
    pub fn read_as(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
        shape: Shape,
    ) -> PyResult<()> {
        self.read(i, op, name, obj, cast)?;
        if self.tensors[i].as_ref().is_some_and(|t| *t.shape() == shape && t.is_contiguous()) {
            return Ok(());
        }
        let Input { tensor, _owner } = shaped(op, name, obj, cast, shape)?;
        (self.tensors[i], self.owners[i]) = (Some(tensor), _owner);
        Ok(())
    }

    /// Sets input `i` to a dense tensor of one dimension.
    ///
    /// # Errors
    /// As [`input`].
    #[inline]
    pub fn read_flat(
        &mut self,
        i: usize,
        op: &'static str,
        name: &'static str,
        obj: &'a Bound<'py, PyAny>,
        cast: Cast,
    ) -> PyResult<()> {
        self.read(i, op, name, obj, cast)?;
        if self.tensors[i].as_ref().is_some_and(|t| t.shape().rank() == 1 && t.is_contiguous()) {
            return Ok(());
        }
        let Input { tensor, _owner } = flat(op, name, obj, cast)?;
        (self.tensors[i], self.owners[i]) = (Some(tensor), _owner);
        Ok(())
    }

    /// The shape of input `i`, which was read.
    #[inline]
    pub fn shape(&self, i: usize) -> Shape {
        self.tensors[i].as_ref().map_or_else(Shape::default, |t| *t.shape())
    }

    /// Checks the number of dimensions of input `i`.
    ///
    /// # Errors
    /// `ValueError` for another number.
    #[inline]
    pub fn rank(&self, i: usize, op: &'static str, name: &'static str, rank: usize) -> PyResult<()> {
        match &self.tensors[i] {
            Some(tensor) if tensor.shape().rank() != rank => Err(wrong_rank(op, name, tensor.shape(), rank)),
            _ => Ok(()),
        }
    }
}

#[cold]
fn wrong_rank(op: &'static str, name: &'static str, shape: &Shape, rank: usize) -> PyErr {
    let got = format!("{} (shape {shape})", shape.rank());
    raise(Error::invalid(op, name, format!("{rank} dimensions"), got))
}

/// The input `name` of `op` as a tensor.
///
/// # Errors
/// `TypeError` for what is no array or has a dtype that `cast` does not take; `ValueError` for ragged or non-numeric
/// data; both name op and argument.
#[inline]
pub fn input<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
) -> PyResult<Input<'a, 'py>> {
    if let Some(tensor) = numpy::exact(obj).and_then(view) {
        let fits = match cast {
            Cast::To(dtype) => tensor.dtype() == dtype,
            Cast::Keep(_) => true,
        };
        if fits {
            return Ok(Input { tensor, _owner: None });
        }
    }
    general_input(op, name, obj, cast)
}

/// The optional input `name` of `op`: `None` gives `None`.
///
/// # Errors
/// As [`input`].
pub fn optional_input<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: Option<&'a Bound<'py, PyAny>>,
    cast: Cast,
) -> PyResult<Option<Input<'a, 'py>>> {
    obj.map(|obj| input(op, name, obj, cast)).transpose()
}

/// The input `name` of `op` as a dense tensor of `shape`; of the input's own shape only the number of elements matters.
///
/// # Errors
/// As [`input`]; `ValueError` for another number of elements.
#[inline]
pub fn shaped<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
    shape: Shape,
) -> PyResult<Input<'a, 'py>> {
    let mut given = input(op, name, obj, cast)?;
    if given.tensor.shape().numel() != shape.numel() {
        let expected = format!("{} elements (shape {shape})", shape.numel());
        let got = format!("{} elements (shape {})", given.tensor.shape().numel(), given.tensor.shape());
        return Err(raise(Error::invalid(op, name, expected, got)));
    }
    if !given.tensor.is_contiguous() {
        given = dense_copy(op, name, obj, given.tensor.dtype())?;
    }
    let spec = TensorSpec::new(given.tensor.dtype(), shape);
    // SAFETY: the view is dense and has as many elements as `shape`.
    given.tensor = unsafe { TensorRef::from_raw(given.tensor.ptr(), spec, shape.contiguous_strides()) };
    Ok(given)
}

/// The input `name` of `op` as a dense tensor of one dimension.
///
/// # Errors
/// As [`input`].
#[inline]
pub fn flat<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
) -> PyResult<Input<'a, 'py>> {
    let given = input(op, name, obj, cast)?;
    if given.tensor.shape().rank() == 1 && given.tensor.is_contiguous() {
        return Ok(given);
    }
    let len = given.tensor.shape().numel();
    drop(given);
    shaped(op, name, obj, cast, Shape::new(&[len]).map_err(|e| raise(e.in_op(op)))?)
}

/// A dense copy of an input, in its row-major order.
#[cold]
fn dense_copy<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &Bound<'py, PyAny>,
    dtype: DType,
) -> PyResult<Input<'a, 'py>> {
    let py = obj.py();
    let kwargs = PyDict::new(py);
    kwargs.set_item(intern!(py, "dtype"), dtype.name())?;
    kwargs.set_item(intern!(py, "order"), "C")?;
    let array = to_ndarray(op, name, obj, Some(dtype))?;
    let array = import_numpy(py)?
        .call_method(intern!(py, "array"), (array,), Some(&kwargs))
        .map_err(|cause| conversion_error(py, op, name, obj, cause))?;
    owned(array).ok_or_else(|| not_an_array(op, name, obj))
}

/// The input that a converted array is, if it is usable as one.
fn owned<'a, 'py>(array: Bound<'py, PyAny>) -> Option<Input<'a, 'py>> {
    let view = numpy::any(&array).and_then(view)?;
    // SAFETY: the parts are those of a view of `array`, which `_owner` keeps alive.
    let tensor = unsafe { TensorRef::from_raw(view.ptr(), *view.spec(), *view.strides()) };
    Some(Input { tensor, _owner: Some(array) })
}

fn describe(obj: &Bound<'_, PyAny>) -> String {
    let name = obj.get_type().fully_qualified_name().map_or_else(|_| "an object".into(), |n| n.to_string());
    match numpy::any(obj) {
        Some(_) => {
            let dtype = obj.getattr("dtype").and_then(|d| d.str().map(|s| s.to_string())).unwrap_or_default();
            format!("{name} of {dtype}")
        }
        None => name,
    }
}

/// Whether Python has no fixed element type for the object, so that it takes the type of the call.
pub fn is_weak(obj: &Bound<'_, PyAny>) -> bool {
    obj.is_exact_instance_of::<PyFloat>()
        || obj.is_exact_instance_of::<PyInt>()
        || obj.is_exact_instance_of::<PyBool>()
        || obj.is_instance_of::<PyList>()
        || obj.is_instance_of::<PyTuple>()
}

fn import_numpy<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyModule>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || py.import("numpy").map(Bound::unbind)).map(|m| m.bind(py))
}

/// Whether the object has the buffer protocol, which the stable ABI of Python 3.10 tells only through a memoryview.
fn has_buffer(obj: &Bound<'_, PyAny>) -> bool {
    PyMemoryView::from(obj).is_ok()
}

/// DLPack's numbers of devices whose memory the host reads: `kDLCPU` and `kDLCUDAHost`.
const HOST_DEVICES: [i64; 2] = [1, 3];

/// The object as an `ndarray`, sharing memory where the object allows it; weak objects become `dtype` at once.
fn to_ndarray<'py>(
    op: &'static str,
    name: &'static str,
    obj: &Bound<'py, PyAny>,
    dtype: Option<DType>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = obj.py();
    let np = import_numpy(py)?;
    let wrap = |cause: PyErr| conversion_error(py, op, name, obj, cause);
    if numpy::any(obj).is_some() {
        return Ok(obj.clone());
    }
    if !has_buffer(obj)
        && let Ok(method) = obj.getattr(intern!(py, "__dlpack_device__"))
    {
        let (device, _): (i64, i64) = method.call0().and_then(|d| d.extract()).map_err(wrap)?;
        if !HOST_DEVICES.contains(&device) {
            let got = format!("{} on DLPack device {device}", describe(obj));
            let hint = "copy it to the host first, for instance with `.cpu()` or `numpy.asarray`";
            return Err(raise(Error::wrong_type(op, name, "an array in host memory", got).hint(hint)));
        }
        // What DLPack cannot express, such as a tensor that requires a gradient, gets NumPy's own conversion below, whose
        // error says what to do.
        if let Ok(array) = np.call_method1(intern!(py, "from_dlpack"), (obj,)) {
            return Ok(array);
        }
    }
    let kwargs = PyDict::new(py);
    if let Some(dtype) = dtype {
        kwargs.set_item(intern!(py, "dtype"), dtype.name())?;
    }
    np.call_method(intern!(py, "asarray"), (obj,), Some(&kwargs)).map_err(wrap)
}

/// An exception of NumPy's conversion as one of ours. Warnings that were turned into errors, interrupts and what else
/// is not about the argument pass unchanged.
fn conversion_error(
    py: Python<'_>,
    op: &'static str,
    name: &'static str,
    obj: &Bound<'_, PyAny>,
    cause: PyErr,
) -> PyErr {
    let expected = "an array of real numbers";
    let got = format!("{} ({})", describe(obj), cause.value(py));
    let refused = cause.is_instance_of::<PyRuntimeError>(py) || cause.is_instance_of::<PyBufferError>(py);
    if refused || cause.is_instance_of::<PyTypeError>(py) {
        raise_from(py, Error::wrong_type(op, name, expected, got), cause)
    } else if cause.is_instance_of::<PyValueError>(py) || cause.is_instance_of::<PyOverflowError>(py) {
        raise_from(py, Error::invalid(op, name, expected, got), cause)
    } else if cause.is_instance_of::<PyMemoryError>(py) {
        raise_from(py, Error::new(lc_core::ErrorKind::OutOfMemory, op).argument(name).got(got), cause)
    } else {
        cause
    }
}

#[cold]
fn general_input<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
    cast: Cast,
) -> PyResult<Input<'a, 'py>> {
    let py = obj.py();
    let (Cast::To(dtype) | Cast::Keep(dtype)) = cast;
    let weak = is_weak(obj);
    if obj.is_none() {
        return Err(raise(Error::wrong_type(op, name, "an array", "None")));
    }
    let mut array = to_ndarray(op, name, obj, (weak || matches!(cast, Cast::To(_))).then_some(dtype))?;
    let target = match cast {
        Cast::To(dtype) => dtype,
        Cast::Keep(_) => {
            let fields = numpy::any(&array).ok_or_else(|| not_an_array(op, name, obj))?;
            // SAFETY: an array's descriptor is never null.
            match unsafe { (*fields.descr).type_num } {
                numpy::FLOAT32 => DType::F32,
                numpy::FLOAT64 => DType::F64,
                numpy::FLOAT16 => DType::F16,
                _ => {
                    let hint = "convert it first, for instance with `.astype(numpy.float32)`";
                    let got = describe(&array);
                    return Err(raise(Error::wrong_type(op, name, "float32, float64 or float16", got).hint(hint)));
                }
            }
        }
    };
    if numpy::any(&array).and_then(view).is_none_or(|t| t.dtype() != target) {
        let kwargs = PyDict::new(py);
        kwargs.set_item(intern!(py, "dtype"), target.name())?;
        kwargs.set_item(intern!(py, "order"), "C")?;
        // A copy through `array` is native and aligned; `asarray` would keep misaligned data.
        array = import_numpy(py)?
            .call_method(intern!(py, "array"), (&array,), Some(&kwargs))
            .map_err(|cause| conversion_error(py, op, name, obj, cause))?;
    }
    owned(array).ok_or_else(|| not_an_array(op, name, obj))
}

#[cold]
fn not_an_array(op: &'static str, name: &'static str, obj: &Bound<'_, PyAny>) -> PyErr {
    let got = match numpy::any(obj) {
        Some(fields) if fields.nd as usize > lc_core::shape::MAX_RANK => format!("{} dimensions", fields.nd),
        _ => describe(obj),
    };
    let expected = format!("an array of at most {} dimensions", lc_core::shape::MAX_RANK);
    raise(Error::invalid(op, name, expected, got))
}

/// What [`output`] needs of an array besides its type.
const WRITABLE: c_int = numpy::C_CONTIGUOUS | numpy::ALIGNED | numpy::WRITEABLE;

/// The result that an exact array of just this type and shape is, if it can be written in place: the usual case, without
/// describing the array first.
#[inline]
pub fn fitting_output<'a>(obj: &'a Bound<'_, PyAny>, spec: &TensorSpec) -> Option<TensorMut<'a>> {
    let array = numpy::exact(obj)?;
    let fits = array.flags & WRITABLE == WRITABLE
        && dtype_of(array) == Some(spec.dtype)
        && extents(array).0 == spec.shape.dims();
    // SAFETY: the flags say that the memory is writable, aligned and dense, and type and extents are those of `spec`. The
    // array is alive.
    fits.then(|| unsafe { TensorMut::from_raw(array.data, *spec) })
}

/// The result `name` of `op`, into which the call writes.
///
/// # Errors
/// `TypeError` for what is no writable array in host memory or has another dtype than float32 or float64; `ValueError`
/// for an array that is read-only, not C-contiguous, misaligned or of foreign byte order.
#[inline]
pub fn output<'a, 'py>(op: &'static str, name: &'static str, obj: &'a Bound<'py, PyAny>) -> PyResult<Output<'a, 'py>> {
    if let Some(array) = numpy::exact(obj)
        && array.flags & WRITABLE == WRITABLE
        && let Some(dtype) = dtype_of(array)
        && let Some(shape) = shape_of(extents(array).0)
    {
        let spec = TensorSpec::new(dtype, shape);
        return Ok(Output { ptr: array.data, spec, _owner: None, life: std::marker::PhantomData });
    }
    general_output(op, name, obj)
}

#[cold]
fn general_output<'a, 'py>(
    op: &'static str,
    name: &'static str,
    obj: &'a Bound<'py, PyAny>,
) -> PyResult<Output<'a, 'py>> {
    let py = obj.py();
    let shares = numpy::any(obj).is_some() || has_buffer(obj) || obj.hasattr(intern!(py, "__dlpack_device__"))?;
    if !shares {
        let hint = "pass an array that the result can be written into; lists and numbers cannot be";
        return Err(raise(Error::wrong_type(op, name, "a writable array", describe(obj)).hint(hint)));
    }
    let array = to_ndarray(op, name, obj, None)?;
    let Some(fields) = numpy::any(&array) else { return Err(not_an_array(op, name, obj)) };
    // SAFETY: an array's descriptor is never null.
    if !matches!(unsafe { (*fields.descr).type_num }, numpy::FLOAT32 | numpy::FLOAT64 | numpy::FLOAT16) {
        return Err(raise(Error::wrong_type(op, name, "float32, float64 or float16", describe(&array))));
    }
    let refuse = |expected: &'static str, got: &'static str| Err(raise(Error::invalid(op, name, expected, got)));
    let Some(dtype) = dtype_of(fields) else { return refuse("native byte order", "foreign byte order") };
    if fields.flags & numpy::WRITEABLE == 0 {
        return refuse("a writable array", "a read-only one");
    }
    if fields.flags & numpy::C_CONTIGUOUS == 0 {
        return refuse("a C-contiguous array", "a strided one");
    }
    if fields.flags & numpy::ALIGNED == 0 {
        return refuse("an aligned array", "a misaligned one");
    }
    let shape = Shape::new(extents(fields).0).map_err(|e| raise(e.in_op(op)))?;
    let ptr = fields.data;
    Ok(Output { ptr, spec: TensorSpec::new(dtype, shape), _owner: Some(array), life: std::marker::PhantomData })
}

/// A new array for a result, and the tensor to write it through.
///
/// # Errors
/// `OutOfMemoryError`.
#[inline]
pub fn new_array<'py>(
    py: Python<'py>,
    op: &'static str,
    spec: &TensorSpec,
) -> PyResult<(Bound<'py, PyAny>, TensorMut<'py>)> {
    let array = new_shaped(py, op, spec, spec.shape.dims())?;
    let ptr = numpy::data(&array);
    // SAFETY: the array is new, dense and of this type and size; nobody else has it yet.
    Ok((array, unsafe { TensorMut::from_raw(ptr, *spec) }))
}

/// As [`new_array`], but the array has the extents `dims`, with as many elements as `spec`.
///
/// # Errors
/// `OutOfMemoryError`.
#[inline]
pub fn new_array_as<'py>(
    py: Python<'py>,
    op: &'static str,
    spec: &TensorSpec,
    dims: &[usize],
) -> PyResult<(Bound<'py, PyAny>, TensorMut<'py>)> {
    debug_assert_eq!(dims.iter().product::<usize>(), spec.shape.numel());
    let array = new_shaped(py, op, spec, dims)?;
    let ptr = numpy::data(&array);
    // SAFETY: as in `new_array`; the number of elements is the same.
    Ok((array, unsafe { TensorMut::from_raw(ptr, *spec) }))
}

#[inline]
fn new_shaped<'py>(
    py: Python<'py>,
    op: &'static str,
    spec: &TensorSpec,
    dims: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    numpy::empty(py, spec.dtype, dims).map_err(|cause| {
        let error = Error::new(lc_core::ErrorKind::OutOfMemory, op).got(format!("{} bytes to allocate", spec.bytes()));
        raise_from(py, error, cause)
    })
}

/// Whether a call of the original interface that returns flat results returns a list: all of its inputs are flat lists
/// or tuples.
pub fn returns_list(objects: &[&Bound<'_, PyAny>]) -> bool {
    objects.iter().all(|obj| {
        let first = match (obj.cast::<PyList>(), obj.cast::<PyTuple>()) {
            (Ok(list), _) => list.get_item(0),
            (_, Ok(tuple)) => tuple.get_item(0),
            _ => return false,
        };
        first.map_or(true, |x| x.is_instance_of::<PyFloat>() || x.is_instance_of::<PyInt>())
    })
}
