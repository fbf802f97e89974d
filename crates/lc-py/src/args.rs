//! Arguments that are not arrays: sizes, switches, names.

use crate::error::raise;
use lc_core::{Activation, AttrKind, AttrSpec, AttrValue, Error};
use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyString};

/// A Python integer of any size; floats are refused with a `TypeError`.
#[derive(Clone, Copy, Debug)]
pub enum Int {
    /// It fits.
    Fits(i64),
    /// It does not: no size or count is that large.
    Huge,
}

impl<'py> FromPyObject<'_, 'py> for Int {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Int> {
        match obj.extract::<i64>() {
            Ok(value) => Ok(Int::Fits(value)),
            Err(error) if error.is_instance_of::<PyOverflowError>(obj.py()) => Ok(Int::Huge),
            Err(error) => Err(error),
        }
    }
}

impl Int {
    /// The integer as a size of at least `least`.
    ///
    /// # Errors
    /// `ValueError` naming `op` and the argument `name`.
    pub fn size(self, op: &'static str, name: &'static str, least: usize) -> PyResult<usize> {
        match self {
            Int::Fits(value) if value >= 0 && value as usize >= least => Ok(value as usize),
            Int::Fits(value) => Err(raise(Error::invalid(op, name, at_least(least), value.to_string()))),
            Int::Huge => Err(raise(Error::invalid(op, name, "a size that fits in memory", "a larger number"))),
        }
    }

    /// The integer with its sign.
    ///
    /// # Errors
    /// `ValueError` naming `op` and the argument `name`.
    pub fn value(self, op: &'static str, name: &'static str) -> PyResult<i64> {
        match self {
            Int::Fits(value) => Ok(value),
            Int::Huge => Err(raise(Error::invalid(op, name, "a 64-bit integer", "a larger number"))),
        }
    }
}

fn at_least(least: usize) -> String {
    format!("an integer of at least {least}")
}

/// The product of sizes that name one flat extent.
///
/// # Errors
/// `ValueError` if it overflows.
pub fn product(op: &'static str, name: &'static str, sizes: &[usize]) -> PyResult<usize> {
    let all = sizes.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|n| *n <= isize::MAX as usize / 8);
    all.ok_or_else(|| raise(Error::invalid(op, name, "a size that fits in memory", format!("{sizes:?}"))))
}

/// A switch: a `bool`, or an integer or NumPy boolean that stands for one.
#[derive(Clone, Copy, Debug)]
pub struct Switch(pub bool);

impl<'py> FromPyObject<'_, 'py> for Switch {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Switch> {
        if obj.is_instance_of::<PyInt>() {
            return obj.is_truthy().map(Switch);
        }
        obj.extract::<bool>().map(Switch)
    }
}

/// One size for both directions, or a pair for height and width.
#[derive(Clone, Copy, Debug)]
pub struct Pair(Int, Int);

impl Pair {
    /// The same in both directions.
    pub const fn both(value: i64) -> Pair {
        Pair(Int::Fits(value), Int::Fits(value))
    }

    /// Of a height and a width.
    pub const fn of(height: Int, width: Int) -> Pair {
        Pair(height, width)
    }

    /// Height and width, each at least `least`.
    ///
    /// # Errors
    /// `ValueError` naming `op` and the argument `name`.
    pub fn sizes(self, op: &'static str, name: &'static str, least: usize) -> PyResult<(usize, usize)> {
        Ok((self.0.size(op, name, least)?, self.1.size(op, name, least)?))
    }
}

impl<'py> FromPyObject<'_, 'py> for Pair {
    type Error = PyErr;

    fn extract(obj: Borrowed<'_, 'py, PyAny>) -> PyResult<Pair> {
        if let Ok(both) = obj.extract::<Int>() {
            return Ok(Pair(both, both));
        }
        let (height, width) = obj.extract::<(Int, Int)>()?;
        Ok(Pair(height, width))
    }
}

/// The activation of that name.
///
/// # Errors
/// `ValueError` for any other name.
pub fn activation(op: &'static str, name: &str) -> PyResult<Activation> {
    Activation::from_name(name).ok_or_else(|| {
        let names: Vec<_> = Activation::ALL.iter().map(|a| a.name()).collect();
        raise(Error::invalid(op, "activation", format!("one of {names:?}"), format!("{name:?}")))
    })
}

/// A Python value as an attribute of the schema's type.
///
/// # Errors
/// `TypeError` or `ValueError` naming `op` and the attribute.
pub fn attr(op: &'static str, spec: &AttrSpec, value: &Bound<'_, PyAny>) -> PyResult<AttrValue> {
    let refuse = |expected: String| raise(Error::wrong_type(op, spec.name, expected, value.get_type().to_string()));
    match spec.kind {
        AttrKind::Int(..) if value.is_instance_of::<PyBool>() => Err(refuse("an integer".into())),
        AttrKind::Int(..) => Ok(AttrValue::Int(value.extract::<Int>()?.value(op, spec.name)?)),
        AttrKind::Float if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() => {
            Ok(AttrValue::Float(value.extract()?))
        }
        AttrKind::Float => Err(refuse("a number".into())),
        AttrKind::Bool => value.extract().map(AttrValue::Bool).map_err(|_| refuse("a bool".into())),
        AttrKind::Choice(names) => {
            let text = value.cast::<PyString>().map_err(|_| refuse(format!("one of {names:?}")))?.to_string();
            names
                .iter()
                .position(|name| *name == text)
                .map(|at| AttrValue::Choice(at as u8))
                .ok_or_else(|| raise(Error::invalid(op, spec.name, format!("one of {names:?}"), format!("{text:?}"))))
        }
    }
}
