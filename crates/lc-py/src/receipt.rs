//! `Receipt`: what the last call did.

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// What one call did, and why it ran where it did.
///
/// Attributes
/// ----------
/// op : str
///     The op.
/// requested_device, selected_device : str
///     What the policy asked for, and where the call ran.
/// kernel : str
///     The kernel that ran.
/// dtype : str
///     Element type.
/// math : str
///     The arithmetic of that kernel.
/// fallback : bool
///     Whether it ran on another device than the one that was named.
/// reason : str
///     Why it ran there.
/// launches, waits : int
///     Kernel launches, and times that the caller waited for the device.
/// bytes_uploaded, bytes_downloaded : int
///     Bytes copied to the device and back.
/// duration_ns : int or None
///     Wall time; measured only while the trace is on.
#[pyclass(frozen, eq, module = "lightning_core", name = "Receipt")]
#[derive(Clone, PartialEq)]
pub struct PyReceipt(pub lc_core::Receipt);

const FIELDS: [&str; 13] = [
    "op",
    "requested_device",
    "selected_device",
    "kernel",
    "dtype",
    "math",
    "fallback",
    "reason",
    "launches",
    "waits",
    "bytes_uploaded",
    "bytes_downloaded",
    "duration_ns",
];

#[pymethods]
impl PyReceipt {
    /// The op.
    #[getter]
    fn op(&self) -> &'static str {
        self.0.op
    }

    /// What the policy asked for.
    #[getter]
    fn requested_device(&self) -> &'static str {
        self.0.requested.name()
    }

    /// Where the call ran.
    #[getter]
    fn selected_device(&self) -> &'static str {
        self.0.selected.name()
    }

    /// The kernel that ran.
    #[getter]
    fn kernel(&self) -> &'static str {
        self.0.kernel
    }

    /// Element type.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.0.dtype.name()
    }

    /// The arithmetic of the kernel that ran.
    #[getter]
    fn math(&self) -> &'static str {
        self.0.math.name()
    }

    /// Whether it ran on another device than the one that was named.
    #[getter]
    fn fallback(&self) -> bool {
        self.0.fallback
    }

    /// Why it ran there.
    #[getter]
    fn reason(&self) -> &'static str {
        self.0.reason.text()
    }

    /// Kernel launches.
    #[getter]
    fn launches(&self) -> u32 {
        self.0.launches
    }

    /// Times that the caller waited for the device.
    #[getter]
    fn waits(&self) -> u32 {
        self.0.waits
    }

    /// Bytes copied to the device.
    #[getter]
    fn bytes_uploaded(&self) -> u64 {
        self.0.bytes_uploaded
    }

    /// Bytes copied back.
    #[getter]
    fn bytes_downloaded(&self) -> u64 {
        self.0.bytes_downloaded
    }

    /// Wall time in nanoseconds, or None if the trace was off.
    #[getter]
    fn duration_ns(&self) -> Option<u64> {
        self.0.duration_ns
    }

    /// All fields as a new dict.
    fn to_dict<'py>(slf: &Bound<'py, PyReceipt>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(slf.py());
        for name in FIELDS {
            dict.set_item(name, slf.getattr(name)?)?;
        }
        Ok(dict)
    }

    fn __repr__(slf: &Bound<'_, PyReceipt>) -> PyResult<String> {
        let mut parts = Vec::new();
        for name in FIELDS {
            parts.push(format!("{name}={}", slf.getattr(name)?.repr()?));
        }
        Ok(format!("Receipt({})", parts.join(", ")))
    }
}

/// The receipt of this thread's last successful call, or None.
#[pyfunction]
fn last_receipt() -> Option<PyReceipt> {
    lc_core::last_receipt().map(PyReceipt)
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<PyReceipt>()?;
    m.add_function(wrap_pyfunction!(last_receipt, m)?)
}
