//! The session for differences and quotients of matrices.

use super::{Act, Binary, resolve, spec};
use crate::args::Int;
use crate::call::{Site, level};
use lc_core::{Attrs, Error, ErrorKind, ResolvedCall, Result, Session};
use lc_ops::{DIV, SUB};
use pyo3::prelude::*;
use std::sync::Arc;

/// Differences and quotients of two matrices of float32 elements with operands that stay on the device.
///
/// `sub` and `div` work on the same operands: `div_run` after `sub_start` divides what `sub_start` uploaded. Methods mean
/// what they mean in `MatMulMetalResidentSession`; `sub` and `div` themselves do everything at once. Division is IEEE's:
/// x/0 is ±inf and 0/0 is NaN.
#[pyclass(frozen, module = "lightning_core")]
pub struct MatrixElemwiseMetalResidentSession {
    both: Binary,
    sub: Arc<ResolvedCall>,
    div: Arc<ResolvedCall>,
}

impl MatrixElemwiseMetalResidentSession {
    /// Makes the next launch one of this op; a finish must follow a launch of its own op.
    fn choose(&self, divide: bool, act: Act) -> impl FnOnce(&mut Session) -> Result<()> + Send + use<'_> {
        let call = if divide { &self.div } else { &self.sub };
        move |session| {
            if !matches!(act, Act::Finish) {
                return session.set_call(call.clone());
            }
            let last = session.call().op;
            if last != call.op {
                let error = Error::new(ErrorKind::NotInitialized, call.op.name);
                let expected = format!("a launch of `{}`", call.op.name);
                return Err(error.expected(expected).got(format!("`{}` as the last one", last.name)));
            }
            Ok(())
        }
    }

    fn list<'py>(
        &self,
        py: Python<'py>,
        divide: bool,
        act: Act,
        operands: (Option<&Bound<'py, PyAny>>, Option<&Bound<'py, PyAny>>),
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.both.list(py, act, self.choose(divide, act), operands, out_size)
    }

    fn into(
        &self,
        divide: bool,
        act: Act,
        operands: (Option<&Bound<'_, PyAny>>, Option<&Bound<'_, PyAny>>),
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.both.write(out.py(), act, self.choose(divide, act), operands, out, matches!(act, Act::Finish))
    }
}

#[pymethods]
impl MatrixElemwiseMetalResidentSession {
    #[new]
    #[pyo3(signature = (rows, cols, *, device="auto", policy=None))]
    fn new(rows: Int, cols: Int, device: &str, policy: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        const NAME: &str = "MatrixElemwiseMetalResidentSession";
        let matrix = spec(NAME, &[rows.size(NAME, "rows", 1)?, cols.size(NAME, "cols", 1)?])?;
        let both = Binary::new(Site { op: &SUB, name: NAME }, &Attrs::NONE, [matrix; 2], device, policy)?;
        let level = level(NAME, device, policy)?;
        let call = |op| resolve(NAME, op, &Attrs::NONE, &[Some(matrix); 2], level);
        Ok(Self { both, sub: call(&SUB)?, div: call(&DIV)? })
    }

    /// The device that it runs on.
    #[getter]
    fn device(&self) -> &'static str {
        self.both.device()
    }

    /// Bytes that it holds there.
    #[getter]
    fn resident_bytes(&self) -> usize {
        self.both.bytes()
    }

    /// Uploads `a` and `b`, launches, waits, and returns a - b as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn sub<'py>(&self, a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>, out_size: Int) -> PyResult<Bound<'py, PyAny>> {
        self.list(a.py(), false, Act::Start, (Some(a), Some(b)), out_size)
    }

    /// Uploads `a` and `b`, launches, waits, and returns a / b as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn div<'py>(&self, a: &Bound<'py, PyAny>, b: &Bound<'py, PyAny>, out_size: Int) -> PyResult<Bound<'py, PyAny>> {
        self.list(a.py(), true, Act::Start, (Some(a), Some(b)), out_size)
    }

    /// Uploads `a` and `b`, launches a subtraction, waits, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn sub_start<'py>(
        &self,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.list(a.py(), false, Act::Start, (Some(a), Some(b)), out_size)
    }

    /// Launches a subtraction on what is resident, waits, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn sub_run<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.list(py, false, Act::Run, (a, b), out_size)
    }

    /// Waits, and returns the result of the last launch, a subtraction, as a list. Launches nothing.
    #[pyo3(signature = (a, b, out_size, /))]
    fn sub_finish<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.list(py, false, Act::Finish, (a, b), out_size)
    }

    /// Uploads `a` and `b`, launches a division, waits, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn div_start<'py>(
        &self,
        a: &Bound<'py, PyAny>,
        b: &Bound<'py, PyAny>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.list(a.py(), true, Act::Start, (Some(a), Some(b)), out_size)
    }

    /// Launches a division on what is resident, waits, and returns the result as a list.
    #[pyo3(signature = (a, b, out_size, /))]
    fn div_run<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.list(py, true, Act::Run, (a, b), out_size)
    }

    /// Waits, and returns the result of the last launch, a division, as a list. Launches nothing.
    #[pyo3(signature = (a, b, out_size, /))]
    fn div_finish<'py>(
        &self,
        py: Python<'py>,
        a: Option<&Bound<'py, PyAny>>,
        b: Option<&Bound<'py, PyAny>>,
        out_size: Int,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.list(py, true, Act::Finish, (a, b), out_size)
    }

    /// Uploads `a` and `b` and launches a subtraction. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, /))]
    fn sub_start_into(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, out: &Bound<'_, PyAny>) -> PyResult<()> {
        self.into(false, Act::Start, (Some(a), Some(b)), out)
    }

    /// Launches a subtraction on what is resident. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, /))]
    fn sub_run_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.into(false, Act::Run, (a, b), out)
    }

    /// Waits, and writes the result of the last launch, a subtraction, to `out`. Launches nothing.
    #[pyo3(signature = (a, b, out, /))]
    fn sub_finish_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.into(false, Act::Finish, (a, b), out)
    }

    /// Uploads `a` and `b` and launches a division. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, /))]
    fn div_start_into(&self, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, out: &Bound<'_, PyAny>) -> PyResult<()> {
        self.into(true, Act::Start, (Some(a), Some(b)), out)
    }

    /// Launches a division on what is resident. Does not write `out`, which is checked.
    #[pyo3(signature = (a, b, out, /))]
    fn div_run_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.into(true, Act::Run, (a, b), out)
    }

    /// Waits, and writes the result of the last launch, a division, to `out`. Launches nothing.
    #[pyo3(signature = (a, b, out, /))]
    fn div_finish_into(
        &self,
        a: Option<&Bound<'_, PyAny>>,
        b: Option<&Bound<'_, PyAny>>,
        out: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.into(true, Act::Finish, (a, b), out)
    }
}
