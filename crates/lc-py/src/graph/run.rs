//! Running a `GraphIR` on a dict of feeds.

use super::convert::{NAME, ids};
use super::ir::{GraphIr, locked};
use super::keep_receipt;
use crate::args::Int;
use crate::array::{self, Cast, Input};
use crate::error::raise;
use lc_core::backend::gather;
use lc_core::{DType, Error, ErrorKind, Result, TensorRef, TensorSpec};
use lc_graph::compile::Source;
use lc_graph::{Compiled, Layout, Passes, PlanOptions, TensorId};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyList, PyString};
use std::collections::HashMap;
use std::sync::Arc;

/// Copies any view into a new dense array of one dimension.
pub(super) fn flat_copy<'py>(py: Python<'py>, tensor: &TensorRef<'_>) -> PyResult<Bound<'py, PyAny>> {
    let (array, out) = array::new_array_as(py, NAME, tensor.spec(), &[tensor.shape().numel()])?;
    // SAFETY: the new array holds as many bytes, and nobody else has it yet.
    let bytes = unsafe { std::slice::from_raw_parts_mut(out.ptr(), tensor.spec().bytes()) };
    gather(tensor, bytes).map_err(raise)?;
    Ok(array)
}

/// A fed array: the number of its tensor, and its elements.
struct Fed<'a, 'py> {
    id: TensorId,
    input: Input<'a, 'py>,
}

impl GraphIr {
    /// The tensor that a key of the feeds means: its number, or its name if only one tensor has it.
    pub(super) fn feed_id(&self, key: &Bound<'_, PyAny>) -> PyResult<TensorId> {
        if let Ok(name) = key.cast::<PyString>() {
            let name = name.to_string();
            let found: Vec<TensorId> = {
                let runner = locked(&self.runner);
                let tensors = runner.graph().tensors.iter().enumerate();
                tensors.filter(|(_, tensor)| !name.is_empty() && tensor.name == name).map(|(id, _)| id).collect()
            };
            return match found[..] {
                [id] => Ok(id),
                _ => {
                    let got = format!("{name:?}, which {} tensors have", found.len());
                    Err(raise(Error::invalid(NAME, "feeds", "the number, or the unique name, of a tensor", got)))
                }
            };
        }
        if key.is_instance_of::<PyBool>() || key.extract::<Int>().is_err() {
            let got = key.get_type().to_string();
            return Err(raise(Error::wrong_type(NAME, "feeds", "keys that are tensor numbers or names", got)));
        }
        key.extract::<Int>()?.size(NAME, "feeds", 0)
    }

    /// The declared spec, layout and constness of a fed tensor.
    fn declared(&self, id: TensorId) -> PyResult<(TensorSpec, Layout, bool)> {
        let found = locked(&self.runner).graph().tensors.get(id).map(|t| (t.spec, t.layout, t.constant));
        found.ok_or_else(|| {
            let count = locked(&self.runner).graph().tensors.len();
            raise(Error::invalid(NAME, "feeds", format!("tensors below {count}"), id.to_string()))
        })
    }

    pub(super) fn compiled(
        &self,
        wanted: Option<&[TensorId]>,
        options: &PlanOptions,
        passes: &Passes,
    ) -> Result<Arc<Compiled>> {
        locked(&self.runner).plan(runtime(), wanted, options, passes)
    }

    /// Runs the graph.
    pub(super) fn execute<'py>(
        &self,
        py: Python<'py>,
        element: DType,
        feeds: &Bound<'py, PyDict>,
        outputs: Option<Vec<Int>>,
        optimize: bool,
        options: &PlanOptions,
    ) -> PyResult<Bound<'py, PyDict>> {
        let wanted = outputs.map(|list| ids("outputs", &list)).transpose()?;
        let passes = if optimize { Passes::all() } else { Passes::none() };
        let compiled = self.compiled(wanted.as_deref(), options, &passes).map_err(|e| raise(e.in_op(NAME)))?;
        let mut objects = Vec::with_capacity(feeds.len());
        for (key, value) in feeds {
            objects.push((self.feed_id(&key)?, value));
        }
        let kept: Vec<_> = locked(&self.constants).iter().map(|(id, array)| (*id, array.clone_ref(py))).collect();
        let fed_now: Vec<TensorId> = objects.iter().map(|(id, _)| *id).collect();
        for (id, array) in kept {
            if !fed_now.contains(&id) {
                objects.push((id, array.into_bound(py)));
            }
        }
        let mut fed = Vec::with_capacity(objects.len());
        for (id, object) in &objects {
            fed.push(Fed { id: *id, input: self.feed(*id, object, element)? });
        }
        for entry in fed.iter().filter(|entry| fed_now.contains(&entry.id)) {
            if self.declared(entry.id)?.2 {
                let copy = flat_copy(py, &entry.input.tensor())?.unbind();
                let old = locked(&self.constants).insert(entry.id, copy);
                drop(old);
            }
        }
        self.check_dtypes(&compiled, element)?;
        let by_id: HashMap<TensorId, TensorRef<'_>> = fed.iter().map(|f| (f.id, f.input.tensor())).collect();
        let mut arguments = Vec::with_capacity(compiled.feeds().len());
        for feed in compiled.feeds() {
            let tensor = by_id.get(&feed.tensor).ok_or_else(|| missing(&feed.label, &feed.spec))?;
            arguments.push(*tensor);
        }
        let mut arrays = Vec::with_capacity(compiled.outputs().len());
        let mut targets = Vec::with_capacity(compiled.outputs().len());
        for spec in compiled.outputs() {
            let (array, target) = array::new_array_as(py, NAME, spec, &[spec.shape.numel()])?;
            arrays.push(array);
            targets.push(target);
        }
        let receipt = py.detach(|| compiled.run(&arguments, &mut targets)).map_err(|e| raise(e.in_op(NAME)))?;
        let values = PyDict::new(py);
        for entry in fed.iter().filter(|entry| fed_now.contains(&entry.id)) {
            values.set_item(entry.id, flat_copy(py, &entry.input.tensor())?)?;
        }
        let mut given = vec![false; arrays.len()];
        for (id, source) in compiled.wanted() {
            let array = match source {
                Source::Output(index, operand) if operand.covers(&compiled.outputs()[*index]) && !given[*index] => {
                    given[*index] = true;
                    arrays[*index].clone()
                }
                Source::Output(index, operand) => {
                    let whole = &targets[*index];
                    let start = whole.ptr().wrapping_add(operand.offset * operand.spec.dtype.size());
                    // SAFETY: operands lie inside their value, which this array holds; the run that wrote it is over.
                    flat_copy(py, &unsafe { TensorRef::from_raw(start, operand.spec, operand.strides) })?
                }
                Source::Feed(from, operand) => {
                    let known = self.graph().tensors.get(*from).and_then(|tensor| tensor.value.clone());
                    let whole = match (&known, by_id.get(from)) {
                        (Some(constant), _) => flat_copy(py, &constant.tensor())?,
                        (None, Some(tensor)) => flat_copy(py, tensor)?,
                        (None, None) => return Err(missing(&format!("tensor {from}"), &operand.spec)),
                    };
                    let start = crate::numpy::data(&whole).wrapping_add(operand.offset * operand.spec.dtype.size());
                    // SAFETY: operands lie inside their value, of which `whole` is a dense copy.
                    flat_copy(py, &unsafe { TensorRef::from_raw(start, operand.spec, operand.strides) })?
                }
            };
            values.set_item(id, array)?;
        }
        keep_receipt(py, &receipt.launches)?;
        self.keep_receipts(receipt.launches);
        let result = PyDict::new(py);
        result.set_item("values", values)?;
        result.set_item("groups", groups(py, &compiled)?)?;
        result.set_item("steps", self.steps(py, &compiled)?)?;
        Ok(result)
    }

    /// One fed array as a tensor of its declared shape; strided only if the tensor's layout says so.
    pub(super) fn feed<'a, 'py>(
        &self,
        id: TensorId,
        object: &'a Bound<'py, PyAny>,
        element: DType,
    ) -> PyResult<Input<'a, 'py>> {
        let (spec, layout, _) = self.declared(id)?;
        if locked(&self.runner).graph().tensors[id].value.is_some() {
            let hint = "a constant that was added with its value is not fed";
            let label = format!("feed of tensor {id}");
            return Err(raise(Error::invalid(NAME, label, "a tensor without a value of its own", "one").hint(hint)));
        }
        let refuse =
            |expected: String, got: String| raise(Error::invalid(NAME, format!("feed of tensor {id}"), expected, got));
        if spec.dtype != element {
            return Err(refuse(format!("a tensor of {element}"), spec.dtype.to_string()));
        }
        let cast = Cast::To(element);
        let given = array::input(NAME, "feeds", object, cast)?;
        let tensor = given.tensor();
        if tensor.shape().numel() != spec.shape.numel() {
            let got = format!("{} (shape {})", tensor.shape().numel(), tensor.shape());
            return Err(refuse(format!("{} elements (shape {})", spec.shape.numel(), spec.shape), got));
        }
        let strided = layout == Layout::Strided && *tensor.shape() == spec.shape;
        if strided || (tensor.is_contiguous() && *tensor.shape() == spec.shape) {
            return Ok(given);
        }
        drop(given);
        array::shaped(NAME, "feeds", object, cast, spec.shape)
    }

    fn check_dtypes(&self, compiled: &Compiled, element: DType) -> PyResult<()> {
        let feeds = compiled.feeds().iter().map(|feed| feed.spec.dtype);
        let other = feeds.chain(compiled.outputs().iter().map(|spec| spec.dtype)).find(|dtype| *dtype != element);
        match other {
            None => Ok(()),
            Some(other) => {
                let hint = format!("call execute_{}", if other == DType::F32 { "f32" } else { "f64" });
                let got = format!("a tensor of {other}");
                Err(raise(Error::invalid(NAME, "dtype", format!("tensors of {element}"), got).hint(hint)))
            }
        }
    }

    pub(super) fn steps<'py>(&self, py: Python<'py>, compiled: &Compiled) -> PyResult<Bound<'py, PyList>> {
        let ops: Vec<&'static str> = locked(&self.runner).graph().nodes.iter().map(|node| node.schema.name).collect();
        let list = PyList::empty(py);
        for unit in compiled.units() {
            for node in &unit.nodes {
                let dict = PyDict::new(py);
                dict.set_item("node_id", node)?;
                dict.set_item("op", ops.get(*node))?;
                dict.set_item("assigned_device", unit.device.name())?;
                dict.set_item("fallback", unit.fallback)?;
                list.append(dict)?;
            }
        }
        Ok(list)
    }
}

#[cold]
fn missing(label: &str, spec: &TensorSpec) -> PyErr {
    let hint = "feed every tensor that a node reads and no node makes";
    let expected = format!("a value for {label}, {} {}", spec.dtype, spec.shape);
    raise(Error::new(ErrorKind::InvalidValue, NAME).argument("feeds").expected(expected).got("none").hint(hint))
}

pub(super) fn groups<'py>(py: Python<'py>, compiled: &Compiled) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for group in compiled.groups() {
        let dict = PyDict::new(py);
        dict.set_item("group_id", group.id)?;
        dict.set_item("assigned_device", group.device.name())?;
        dict.set_item("fallback", group.fallback)?;
        dict.set_item("sync_boundary_before", group.sync_before)?;
        dict.set_item("sync_boundary_after", group.sync_after)?;
        dict.set_item("node_ids", &group.nodes)?;
        list.append(dict)?;
    }
    Ok(list)
}
