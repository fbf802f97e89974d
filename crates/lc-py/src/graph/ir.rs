//! `GraphIR`: a graph that Python builds, validates, plans and runs.

use super::keep_receipt;
use super::schema::attr_object;
use crate::args::Int;
use crate::array::{self, Cast, Input};
use crate::error::raise;
use lc_core::backend::gather;
use lc_core::{
    AttrKind, AttrSpec, AttrValue, DType, DeviceRequest, Error, ErrorKind, Result, SyncMode, TensorRef, TensorSpec,
};
use lc_graph::compile::Source;
use lc_graph::{Compiled, Graph, Layout, NodeOptions, Passes, PlanOptions, Runner, TensorId, schema, validate};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const NAME: &str = "GraphIR";

/// A graph of operations, run as one plan.
///
/// Tensors and nodes are numbered from 0 in the order of their addition. Every op of the registry is a node under its own
/// name, with its attributes; `graph_registry_schemas` lists them.
#[pyclass(frozen, module = "lightning_core", name = "GraphIR")]
#[derive(Default)]
pub struct GraphIr {
    // Locked for work that is all Rust, and never while Python code may run: whoever waits for it may hold the
    // interpreter.
    runner: Mutex<Runner>,
    /// What constant tensors were fed last.
    constants: Mutex<BTreeMap<TensorId, Py<PyAny>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn dtype(name: &str) -> PyResult<DType> {
    DType::from_name(name).ok_or_else(|| {
        let expected = "\"float32\" or \"float64\"";
        raise(Error::invalid(NAME, "dtype", expected, format!("{name:?}")))
    })
}

fn device(name: Option<&str>) -> PyResult<Option<DeviceRequest>> {
    name.map(|name| DeviceRequest::from_name(name).map_err(|e| raise(e.in_op(NAME)))).transpose()
}

fn options(
    preferred_device: &str,
    sync_mode: &str,
    trace_sync_boundary: bool,
    separate_fallback_segments: bool,
    insert_sync_on_device_change: bool,
) -> PyResult<PlanOptions> {
    let preferred = match device(Some(preferred_device))? {
        Some(DeviceRequest::Auto) => None,
        preferred => preferred,
    };
    let sync = SyncMode::from_name(sync_mode).map_err(|e| raise(e.in_op(NAME).argument("sync_mode")))?;
    Ok(PlanOptions {
        preferred,
        sync,
        trace_sync_boundary,
        separate_fallback_segments,
        insert_sync_on_device_change,
        ..PlanOptions::default()
    })
}

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

/// The attributes of a node of `op`, by name.
fn attributes(op: &str, attrs: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<(&'static str, AttrValue)>> {
    let schema = schema::find(runtime().registry(), op).map_err(|e| raise(e.in_op(NAME)))?;
    let mut found = Vec::new();
    for (key, value) in attrs.into_iter().flatten() {
        let key: String = key.extract()?;
        let Some(spec) = schema.attrs().iter().find(|spec| spec.name == key) else {
            let names: Vec<_> = schema.attrs().iter().map(|spec| spec.name).collect();
            return Err(raise(Error::invalid(
                schema.name,
                "attrs",
                format!("names among {names:?}"),
                format!("{key:?}"),
            )));
        };
        found.push((spec.name, attr(schema.name, spec, &value)?));
    }
    Ok(found)
}

/// The numbers of a list of tensors or nodes.
fn ids(name: &'static str, list: &[Int]) -> PyResult<Vec<usize>> {
    list.iter().map(|id| id.size(NAME, name, 0)).collect()
}

fn optional_ids(name: &'static str, list: &[Option<Int>]) -> PyResult<Vec<Option<usize>>> {
    list.iter().map(|id| id.map(|id| id.size(NAME, name, 0)).transpose()).collect()
}

/// Copies any view into a new dense array of one dimension.
fn flat_copy<'py>(py: Python<'py>, tensor: &TensorRef<'_>) -> PyResult<Bound<'py, PyAny>> {
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
    fn feed_id(&self, key: &Bound<'_, PyAny>) -> PyResult<TensorId> {
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

    fn compiled(&self, wanted: Option<&[TensorId]>, options: &PlanOptions, passes: &Passes) -> Result<Arc<Compiled>> {
        locked(&self.runner).plan(runtime(), wanted, options, passes)
    }

    /// Runs the graph.
    fn execute<'py>(
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
            fed.push(self.feed(*id, object, element)?);
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
                    let tensor = by_id.get(from).ok_or_else(|| missing(&format!("tensor {from}"), &operand.spec))?;
                    let whole = flat_copy(py, tensor)?;
                    let start = crate::numpy::data(&whole).wrapping_add(operand.offset * operand.spec.dtype.size());
                    // SAFETY: operands lie inside their value, of which `whole` is a dense copy.
                    flat_copy(py, &unsafe { TensorRef::from_raw(start, operand.spec, operand.strides) })?
                }
            };
            values.set_item(id, array)?;
        }
        keep_receipt(py, &receipt.launches)?;
        let result = PyDict::new(py);
        result.set_item("values", values)?;
        result.set_item("groups", groups(py, &compiled)?)?;
        result.set_item("steps", self.steps(py, &compiled)?)?;
        Ok(result)
    }

    /// One fed array as a tensor of its declared shape; strided only if the tensor's layout says so.
    fn feed<'a, 'py>(&self, id: TensorId, object: &'a Bound<'py, PyAny>, element: DType) -> PyResult<Fed<'a, 'py>> {
        let (spec, layout, _) = self.declared(id)?;
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
            return Ok(Fed { id, input: given });
        }
        drop(given);
        Ok(Fed { id, input: array::shaped(NAME, "feeds", object, cast, spec.shape)? })
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

    fn steps<'py>(&self, py: Python<'py>, compiled: &Compiled) -> PyResult<Bound<'py, PyList>> {
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

fn groups<'py>(py: Python<'py>, compiled: &Compiled) -> PyResult<Bound<'py, PyList>> {
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

#[pymethods]
impl GraphIr {
    #[new]
    fn new() -> GraphIr {
        GraphIr::default()
    }

    /// Adds a tensor and returns its number.
    ///
    /// Parameters
    /// ----------
    /// shape : sequence of int
    ///     At least one extent, each at least 1.
    /// dtype : str
    ///     "float32" or "float64".
    /// layout : str
    ///     "contiguous": a feed with strides is gathered into a dense copy first. "strided": kernels read it where it is.
    /// name : str
    ///     Stands for the number in feeds, and appears in messages.
    /// constant : bool
    ///     No node may make it, and it keeps the value that it was fed last.
    #[pyo3(signature = (shape, dtype="float32", layout="contiguous", name="", constant=false))]
    fn add_tensor(&self, shape: Vec<Int>, dtype: &str, layout: &str, name: &str, constant: bool) -> PyResult<TensorId> {
        let dims = shape.iter().map(|dim| dim.size(NAME, "shape", 1)).collect::<PyResult<Vec<_>>>()?;
        let dtype = self::dtype(dtype)?;
        let layout = Layout::from_name(layout).ok_or_else(|| {
            let expected = "\"contiguous\" or \"strided\"";
            raise(Error::invalid(NAME, "layout", expected, format!("{layout:?}")))
        })?;
        let added = locked(&self.runner).graph_mut().add_tensor(&dims, dtype, layout, name, constant);
        added.map_err(|e| raise(e.in_op(NAME)))
    }

    /// Adds a node between tensors that are there.
    ///
    /// Parameters
    /// ----------
    /// op : str
    ///     A name that `graph_registry_schemas` lists.
    /// inputs : sequence of int or None
    ///     Tensors that it reads; None leaves an optional one out.
    /// outputs : sequence of int
    ///     Tensors that it makes. Their shapes and types are checked by `validate`.
    /// control_deps : sequence of int
    ///     Earlier nodes that must be done before it starts.
    /// name : str
    ///     For messages.
    /// attrs : dict, optional
    ///     Attributes by name; the others have their defaults.
    /// device : str, optional
    ///     The device that this node asks for, where it is another than the plan's.
    #[pyo3(signature = (op, inputs, outputs, control_deps=Vec::new(), name="", *, attrs=None, device=None),
        text_signature = "(self, op, inputs, outputs, control_deps=[], name='', *, attrs=None, device=None)")]
    fn add_node(
        &self,
        op: &str,
        inputs: Vec<Option<Int>>,
        outputs: Vec<Int>,
        control_deps: Vec<Int>,
        name: &str,
        attrs: Option<&Bound<'_, PyDict>>,
        device: Option<&str>,
    ) -> PyResult<()> {
        let (inputs, outputs) = (optional_ids("inputs", &inputs)?, ids("outputs", &outputs)?);
        let (control_deps, attrs) = (ids("control_deps", &control_deps)?, attributes(op, attrs)?);
        let device = self::device(device)?;
        let options = NodeOptions { attrs: &attrs, control_deps: &control_deps, name, device };
        let registry = runtime().registry();
        let added = locked(&self.runner).graph_mut().add_node(registry, op, &inputs, &outputs, &options);
        added.map(drop).map_err(raise)
    }

    /// Adds a node and the tensors that it makes, whose shapes and types follow from the op; returns the number of its
    /// one output tensor, or a list of several.
    #[pyo3(signature = (op, inputs, control_deps=Vec::new(), name="", *, attrs=None, device=None),
        text_signature = "(self, op, inputs, control_deps=[], name='', *, attrs=None, device=None)")]
    fn add<'py>(
        &self,
        py: Python<'py>,
        op: &str,
        inputs: Vec<Option<Int>>,
        control_deps: Vec<Int>,
        name: &str,
        attrs: Option<&Bound<'_, PyDict>>,
        device: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (inputs, control_deps) = (optional_ids("inputs", &inputs)?, ids("control_deps", &control_deps)?);
        let attrs = attributes(op, attrs)?;
        let device = self::device(device)?;
        let options = NodeOptions { attrs: &attrs, control_deps: &control_deps, name, device };
        let added = locked(&self.runner).graph_mut().add(runtime().registry(), op, &inputs, &options);
        match added.map_err(raise)?[..] {
            [id] => Ok(id.into_pyobject(py)?.into_any()),
            ref ids => Ok(PyList::new(py, ids)?.into_any()),
        }
    }

    /// Adds a view: the elements of tensor `x` from `offset` on, in row-major order, under another shape. Copies nothing.
    fn view(&self, x: Int, offset: Int, shape: Vec<Int>) -> PyResult<TensorId> {
        let dims = shape.iter().map(|dim| dim.size(NAME, "shape", 1)).collect::<PyResult<Vec<_>>>()?;
        let (x, offset) = (x.size(NAME, "x", 0)?, offset.size(NAME, "offset", 0)?);
        let added = locked(&self.runner).graph_mut().view(runtime().registry(), x, offset, &dims);
        added.map_err(raise)
    }

    /// The number of tensors.
    fn num_tensors(&self) -> usize {
        locked(&self.runner).graph().tensors.len()
    }

    /// The number of nodes.
    fn num_nodes(&self) -> usize {
        locked(&self.runner).graph().nodes.len()
    }

    /// The tensors, as dicts with `name`, `constant`, `shape`, `dtype` and `layout`.
    fn tensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let graph = self.graph();
        let list = PyList::empty(py);
        for tensor in &graph.tensors {
            let dict = PyDict::new(py);
            dict.set_item("name", &tensor.name)?;
            dict.set_item("constant", tensor.constant)?;
            dict.set_item("shape", tensor.spec.shape.dims())?;
            dict.set_item("dtype", tensor.spec.dtype.name())?;
            dict.set_item("layout", tensor.layout.name())?;
            list.append(dict)?;
        }
        Ok(list)
    }

    /// The nodes, as dicts with `id`, `op`, `name`, `inputs`, `outputs`, `control_deps`, `attributes` and `device`.
    fn nodes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let graph = self.graph();
        let list = PyList::empty(py);
        for (id, node) in graph.nodes.iter().enumerate() {
            let attrs = PyDict::new(py);
            for (spec, (name, value)) in node.schema.attrs().iter().zip(node.attrs.entries(node.schema.attrs())) {
                attrs.set_item(name, attr_object(py, spec, value)?)?;
            }
            let dict = PyDict::new(py);
            dict.set_item("id", id)?;
            dict.set_item("op", node.schema.name)?;
            dict.set_item("name", &node.name)?;
            dict.set_item("inputs", &node.inputs)?;
            dict.set_item("outputs", &node.outputs)?;
            dict.set_item("control_deps", &node.control_deps)?;
            dict.set_item("attributes", attrs)?;
            dict.set_item("device", node.device.map(|device| device.name()))?;
            list.append(dict)?;
        }
        Ok(list)
    }

    /// Nothing, or the first issue as an exception.
    fn validate(&self) -> PyResult<()> {
        validate(&self.graph(), runtime()).into_result().map_err(|e| raise(e.in_op(NAME)))
    }

    /// Every issue: a dict with `ok`, `status` and `issues`, each a dict with `pass`, `status`, `node_id` and `tensor_id`
    /// (−1 where there is none), `message` and `hint`. An issue of status "warning" leaves the graph sound.
    fn validate_report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let report = validate(&self.graph(), runtime());
        let issues = PyList::empty(py);
        let id = |id: Option<usize>| id.map_or(-1, |id| id as i64);
        for issue in &report.issues {
            let dict = PyDict::new(py);
            dict.set_item("pass", issue.pass)?;
            dict.set_item("status", issue.status_text())?;
            dict.set_item("node_id", id(issue.node))?;
            dict.set_item("tensor_id", id(issue.tensor))?;
            dict.set_item("message", &issue.message)?;
            dict.set_item("hint", &issue.hint)?;
            issues.append(dict)?;
        }
        let dict = PyDict::new(py);
        dict.set_item("ok", report.ok())?;
        dict.set_item("status", report.status_text())?;
        dict.set_item("issues", issues)?;
        Ok(dict)
    }

    /// The device of every node: a list of dicts with `node_id`, `op`, `assigned_device` and `fallback`.
    #[pyo3(signature = (preferred_device="auto"))]
    fn plan<'py>(&self, py: Python<'py>, preferred_device: &str) -> PyResult<Bound<'py, PyList>> {
        let options = options(preferred_device, "auto", false, false, true)?;
        let compiled = self.compiled(None, &options, &Passes::none()).map_err(|e| raise(e.in_op(NAME)))?;
        self.steps(py, &compiled)
    }

    /// The plan as `groups` and `steps`. A group is a run of nodes on one device without a boundary between them.
    ///
    /// Parameters
    /// ----------
    /// preferred_device : str
    ///     Where to run what has a kernel there; "auto" leaves it to the policy.
    /// sync_mode : str
    ///     "auto", "always" (a wait after every node), or "never" (a wait only where a result is read).
    /// trace_sync_boundary : bool
    ///     Every boundary waits and is marked on the trace.
    /// separate_fallback_segments : bool
    ///     Nodes that run elsewhere than they asked form groups of their own.
    /// insert_sync_on_device_change : bool
    ///     The plan waits where the device changes.
    #[pyo3(signature = (preferred_device="auto", sync_mode="auto", trace_sync_boundary=false,
        separate_fallback_segments=true, insert_sync_on_device_change=true))]
    fn plan_groups<'py>(
        &self,
        py: Python<'py>,
        preferred_device: &str,
        sync_mode: &str,
        trace_sync_boundary: bool,
        separate_fallback_segments: bool,
        insert_sync_on_device_change: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let options = options(
            preferred_device,
            sync_mode,
            trace_sync_boundary,
            separate_fallback_segments,
            insert_sync_on_device_change,
        )?;
        let compiled = self.compiled(None, &options, &Passes::none()).map_err(|e| raise(e.in_op(NAME)))?;
        let dict = PyDict::new(py);
        dict.set_item("groups", groups(py, &compiled)?)?;
        dict.set_item("steps", self.steps(py, &compiled)?)?;
        Ok(dict)
    }

    /// Runs the graph on float32 feeds and returns `values`, `groups` and `steps`.
    ///
    /// Parameters
    /// ----------
    /// feeds : dict
    ///     Array by tensor number or name. Arrays become float32; of their shape only the number of elements matters.
    /// outputs : sequence of int, optional
    ///     The tensors to give back. By default every tensor that a node makes, and every fed one, as flat arrays.
    /// optimize : bool
    ///     Whether nodes may be fused, reordered, or left out because no output needs them.
    ///
    /// The other arguments are those of `plan_groups`.
    #[pyo3(signature = (feeds, preferred_device="auto", sync_mode="auto", trace_sync_boundary=false,
        separate_fallback_segments=true, insert_sync_on_device_change=true, *, outputs=None, optimize=false))]
    fn execute_f32<'py>(
        &self,
        py: Python<'py>,
        feeds: &Bound<'py, PyDict>,
        preferred_device: &str,
        sync_mode: &str,
        trace_sync_boundary: bool,
        separate_fallback_segments: bool,
        insert_sync_on_device_change: bool,
        outputs: Option<Vec<Int>>,
        optimize: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (segments, change) = (separate_fallback_segments, insert_sync_on_device_change);
        let options = options(preferred_device, sync_mode, trace_sync_boundary, segments, change)?;
        self.execute(py, DType::F32, feeds, outputs, optimize, &options)
    }

    /// Runs the graph on float64 feeds; arguments as `execute_f32`.
    #[pyo3(signature = (feeds, preferred_device="auto", sync_mode="auto", trace_sync_boundary=false,
        separate_fallback_segments=true, insert_sync_on_device_change=true, *, outputs=None, optimize=false))]
    fn execute_f64<'py>(
        &self,
        py: Python<'py>,
        feeds: &Bound<'py, PyDict>,
        preferred_device: &str,
        sync_mode: &str,
        trace_sync_boundary: bool,
        separate_fallback_segments: bool,
        insert_sync_on_device_change: bool,
        outputs: Option<Vec<Int>>,
        optimize: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (segments, change) = (separate_fallback_segments, insert_sync_on_device_change);
        let options = options(preferred_device, sync_mode, trace_sync_boundary, segments, change)?;
        self.execute(py, DType::F64, feeds, outputs, optimize, &options)
    }

    /// What a run would do and why: launches with device and kernel, what was fused and what was not, bytes moved and
    /// memory held, before and after optimisation.
    ///
    /// Parameters
    /// ----------
    /// outputs : sequence of int, optional
    ///     The tensors that the run gives back; by default every tensor that a node makes.
    /// format : str
    ///     "text", "json", or "svg": a drawing of the graph beside the plan.
    /// preferred_device : str
    ///     As for `plan_groups`.
    /// without : sequence of str
    ///     Passes and fusion rules to leave out.
    #[pyo3(signature = (outputs=None, format="text", preferred_device="auto", without=Vec::new()),
        text_signature = "(self, outputs=None, format='text', preferred_device='auto', without=[])")]
    fn explain(
        &self,
        outputs: Option<Vec<Int>>,
        format: &str,
        preferred_device: &str,
        without: Vec<String>,
    ) -> PyResult<String> {
        let write = match format {
            "text" => lc_graph::report::text,
            "json" => lc_graph::report::json,
            "svg" => lc_graph::report::svg,
            _ => {
                let expected = "\"text\", \"json\" or \"svg\"";
                return Err(raise(Error::invalid(NAME, "format", expected, format!("{format:?}"))));
            }
        };
        let wanted = outputs.map(|list| ids("outputs", &list)).transpose()?;
        let options = options(preferred_device, "auto", false, true, true)?;
        let mut passes = Passes::all();
        for name in &without {
            passes = passes.without(name).map_err(|e| raise(e.in_op(NAME)))?;
        }
        let compiled = self.compiled(wanted.as_deref(), &options, &passes).map_err(|e| raise(e.in_op(NAME)))?;
        Ok(write(&compiled))
    }

    fn __repr__(&self) -> String {
        let graph = self.graph();
        format!("GraphIR({} tensors, {} nodes)", graph.tensors.len(), graph.nodes.len())
    }
}

impl GraphIr {
    /// A copy of the graph, to look at without the lock.
    pub fn graph(&self) -> Graph {
        locked(&self.runner).graph().clone()
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<GraphIr>()
}
