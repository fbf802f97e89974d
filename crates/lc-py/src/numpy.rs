//! The part of NumPy's C interface that the bindings use: the fields of an array, and its constructor.
//!
//! Reading the fields of an exact `ndarray` costs a few nanoseconds; the buffer protocol costs fifty or more. The layouts
//! below and the table positions are those of NumPy 1.22 to 2.x, whose ABI promises them.

use lc_core::DType;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

/// `NPY_FLOAT`.
pub const FLOAT32: c_int = 11;
/// `NPY_DOUBLE`.
pub const FLOAT64: c_int = 12;
/// `NPY_HALF`.
pub const FLOAT16: c_int = 23;
/// `NPY_ARRAY_C_CONTIGUOUS`.
pub const C_CONTIGUOUS: c_int = 0x0001;
/// `NPY_ARRAY_ALIGNED`.
pub const ALIGNED: c_int = 0x0100;
/// `NPY_ARRAY_WRITEABLE`.
pub const WRITEABLE: c_int = 0x0400;

/// The head of `PyArray_Descr`, equal in NumPy 1.x and 2.x.
#[repr(C)]
pub struct Descr {
    head: ffi::PyObject,
    scalar_type: *mut ffi::PyTypeObject,
    /// Kind of the type, such as `f`.
    pub kind: c_char,
    letter: c_char,
    /// `=` native, `<` little, `>` big, `|` not applicable.
    pub byteorder: c_char,
    former_flags: c_char,
    /// The type's number.
    pub type_num: c_int,
}

/// The head of `PyArrayObject_fields`.
#[repr(C)]
pub struct Array {
    head: ffi::PyObject,
    /// Address of element `[0, 0, …]`.
    pub data: *mut u8,
    /// Number of dimensions.
    pub nd: c_int,
    /// Extents.
    pub dimensions: *mut isize,
    /// Strides in bytes.
    pub strides: *mut isize,
    base: *mut ffi::PyObject,
    /// Element type.
    pub descr: *mut Descr,
    /// `NPY_ARRAY_*` bits.
    pub flags: c_int,
}

type NewFromDescr = unsafe extern "C" fn(
    *mut ffi::PyTypeObject,
    *mut Descr,
    c_int,
    *const isize,
    *const isize,
    *mut c_void,
    c_int,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;

struct Api {
    array_type: *mut ffi::PyTypeObject,
    new_from_descr: NewFromDescr,
    /// The native descriptors of the types of [`DType`], by its discriminant; NumPy never frees them.
    descr: [*mut Descr; 3],
}

// SAFETY: the pointers are to objects of NumPy that live as long as the process and are not changed.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

static API: OnceLock<Api> = OnceLock::new();

/// `numpy.ndarray`, once [`init`] ran: apart from [`API`], so that to ask for an object's type is one load and one compare.
static ARRAY_TYPE: AtomicPtr<ffi::PyTypeObject> = AtomicPtr::new(std::ptr::null_mut());

#[inline]
fn api() -> &'static Api {
    // The module's initialiser ran `init` before any of its functions could be called.
    API.get().expect("NumPy's interface is loaded with the module")
}

/// Loads NumPy's table of functions; called once when the module is imported.
pub fn init(py: Python<'_>) -> PyResult<()> {
    if API.get().is_some() {
        return Ok(());
    }
    let module = py.import("numpy._core.multiarray").or_else(|_| py.import("numpy.core.multiarray"))?;
    let capsule = module.getattr("_ARRAY_API")?.cast_into::<PyCapsule>()?;
    let table = capsule.pointer_checked(None)?.cast::<*mut c_void>().as_ptr();
    // SAFETY: `_ARRAY_API` is NumPy's table of functions. Positions 2, 45 and 94 have held the array type,
    // `PyArray_DescrFromType` and `PyArray_NewFromDescr` since NumPy 1.0, and the ABI keeps them.
    let api = unsafe {
        let descr_from_type: unsafe extern "C" fn(c_int) -> *mut Descr = std::mem::transmute(*table.add(45));
        Api {
            array_type: (*table.add(2)).cast(),
            new_from_descr: std::mem::transmute::<*mut c_void, NewFromDescr>(*table.add(94)),
            descr: [descr_from_type(FLOAT32), descr_from_type(FLOAT64), descr_from_type(FLOAT16)],
        }
    };
    if api.descr.iter().any(|d| d.is_null()) {
        return Err(PyImportError::new_err("NumPy has no descriptor for float32, float64 or float16"));
    }
    ARRAY_TYPE.store(api.array_type, Ordering::Release);
    let _ = API.set(api);
    Ok(())
}

/// The fields of `obj` if its type is exactly `numpy.ndarray`.
#[inline]
pub fn exact<'a>(obj: &'a Bound<'_, PyAny>) -> Option<&'a Array> {
    // SAFETY: `obj` is a live object.
    let is_array = unsafe { ffi::Py_TYPE(obj.as_ptr()) } == ARRAY_TYPE.load(Ordering::Relaxed);
    // SAFETY: the type is `ndarray`, so the object starts with these fields; `obj` keeps it alive for `'a`.
    is_array.then(|| unsafe { &*obj.as_ptr().cast::<Array>() })
}

/// The fields of `obj` if it is a `numpy.ndarray` or an instance of a subclass.
pub fn any<'a>(obj: &'a Bound<'_, PyAny>) -> Option<&'a Array> {
    // SAFETY: both are live objects.
    let is_array = unsafe { ffi::PyObject_TypeCheck(obj.as_ptr(), api().array_type) } != 0;
    // SAFETY: instances of subclasses start with the fields of `ndarray`.
    is_array.then(|| unsafe { &*obj.as_ptr().cast::<Array>() })
}

/// A new, uninitialised, C-contiguous array that owns its memory.
///
/// # Errors
/// `MemoryError`.
#[inline]
pub fn empty<'py>(py: Python<'py>, dtype: DType, dims: &[usize]) -> PyResult<Bound<'py, PyAny>> {
    let api = api();
    let descr = api.descr[dtype as usize];
    // SAFETY: the constructor steals a reference to the descriptor, which the increment provides. `dims` holds `dims.len()`
    // extents, each at most `isize::MAX` as a `Shape` guarantees, so they read as `isize`. A null result has set the
    // exception that `from_owned_ptr_or_err` fetches.
    unsafe {
        ffi::Py_INCREF(descr.cast());
        let none = std::ptr::null_mut();
        let dims_ptr = dims.as_ptr().cast::<isize>();
        let array = (api.new_from_descr)(
            api.array_type,
            descr,
            dims.len() as c_int,
            dims_ptr,
            std::ptr::null(),
            none,
            0,
            std::ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, array)
    }
}

/// Address of the first element of an array that [`empty`] made.
#[inline]
pub fn data(array: &Bound<'_, PyAny>) -> *mut u8 {
    // SAFETY: as the function's contract says, the object is an exact `ndarray`.
    unsafe { (*array.as_ptr().cast::<Array>()).data }
}
