//! `GraphIR`: a graph that Python builds, validates, plans and runs.

use super::convert::{NAME, attributes, ids, optional_ids, options, passes};
use super::explain::explain;
use super::plan::GraphPlan;
use super::run::groups;
use super::schema::attr_object;
use crate::args::Int;
use crate::array;
use crate::error::raise;
use crate::receipt::PyReceipt;
use lc_core::{DType, Error, Receipt};
use lc_graph::{Graph, Layout, NodeOptions, Passes, PlanOptions, Runner, TensorId, validate};
use lightning_core::runtime;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A graph of operations, run as one plan.
///
/// Tensors and nodes are numbered from 0 in the order of their addition. Every op of the registry is a node under its own
/// name, with its attributes; `graph_registry_schemas` lists them.
#[pyclass(frozen, module = "lightning_core", name = "GraphIR")]
#[derive(Default)]
pub struct GraphIr {
    // Locked for work that is all Rust, and never while Python code may run: whoever waits for it may hold the
    // interpreter.
    pub(super) runner: Mutex<Runner>,
    /// What constant tensors were fed last.
    pub(super) constants: Mutex<BTreeMap<TensorId, Py<PyAny>>>,
    /// One for each launch of the last run.
    pub(super) receipts: Mutex<Vec<Receipt>>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let dtype = super::convert::dtype(dtype)?;
        let layout = Layout::from_name(layout).ok_or_else(|| {
            let expected = "\"contiguous\" or \"strided\"";
            raise(Error::invalid(NAME, "layout", expected, format!("{layout:?}")))
        })?;
        let added = locked(&self.runner).graph_mut().add_tensor(&dims, dtype, layout, name, constant);
        added.map_err(|e| raise(e.in_op(NAME)))
    }

    /// Adds a constant with its value and returns its number. It is not fed: the graph keeps a copy, and a plan packs it
    /// once for the kernels that read it.
    ///
    /// Parameters
    /// ----------
    /// value : array
    ///     float32 or float64; anything else becomes float32. A number becomes one element.
    /// name : str
    ///     Appears in messages.
    #[pyo3(signature = (value, name=""))]
    fn add_constant(&self, value: &Bound<'_, PyAny>, name: &str) -> PyResult<TensorId> {
        let given = array::input(NAME, "value", value, array::KEEP)?;
        let mut tensor = given.tensor();
        if tensor.shape().rank() == 0 {
            tensor = tensor.reshape(&[1]).map_err(|e| raise(e.in_op(NAME)))?;
        }
        let added = locked(&self.runner).graph_mut().add_constant(&tensor, name);
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
        let device = super::convert::device(device)?;
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
        let device = super::convert::device(device)?;
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
    ///     "text", "json", "svg" (a drawing of the graph beside the plan), or "html" (a page with the graph before and
    ///     after).
    /// preferred_device : str
    ///     As for `plan_groups`.
    /// without : sequence of str
    ///     Passes and fusion rules to leave out.
    /// measure : bool
    ///     Whether to run the plan a few times on random data of its own and report what each launch took.
    #[pyo3(signature = (outputs=None, format="text", preferred_device="auto", without=Vec::new(), *, measure=false),
        text_signature = "(self, outputs=None, format='text', preferred_device='auto', without=[], *, measure=False)")]
    fn explain(
        &self,
        py: Python<'_>,
        outputs: Option<Vec<Int>>,
        format: &str,
        preferred_device: &str,
        without: Vec<String>,
        measure: bool,
    ) -> PyResult<String> {
        let wanted = outputs.map(|list| ids("outputs", &list)).transpose()?;
        let options = options(preferred_device, "auto", false, true, true)?;
        let passes = passes(&without)?;
        let compiled = self.compiled(wanted.as_deref(), &options, &passes).map_err(|e| raise(e.in_op(NAME)))?;
        explain(py, &compiled, format, measure)
    }

    /// The plan for these argument and result tensors, to be called with arrays.
    ///
    /// Parameters
    /// ----------
    /// inputs : sequence of int
    ///     The tensors that a call passes, in its order: all that nodes read, no node makes, and have no value.
    /// outputs : sequence of int
    ///     The tensors that a call returns.
    /// device : str
    ///     Where to run what has a kernel there; "auto" leaves it to the policy.
    /// policy : Policy, optional
    ///     The policy of every call; what it leaves unset comes from the scope.
    /// without : sequence of str
    ///     Passes and fusion rules to leave out.
    #[pyo3(signature = (inputs, outputs, device="auto", *, policy=None, without=Vec::new()),
        text_signature = "(self, inputs, outputs, device='auto', *, policy=None, without=[])")]
    fn compile(
        slf: &Bound<'_, GraphIr>,
        inputs: Vec<Int>,
        outputs: Vec<Int>,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
        without: Vec<String>,
    ) -> PyResult<GraphPlan> {
        let (inputs, outputs) = (ids("inputs", &inputs)?, ids("outputs", &outputs)?);
        let level = crate::call::level(NAME, device, policy)?;
        GraphPlan::new(slf, inputs, outputs, PlanOptions { level, ..PlanOptions::default() }, passes(&without)?)
    }

    /// Runs the graph node by node and as one plan, in turns, and compares results and times; see `ab_report`.
    #[pyo3(signature = (feeds, outputs, device="auto", *, policy=None, without=Vec::new(), warmup=Int::Fits(3),
        repeat=Int::Fits(20), atol=1e-4, rtol=1e-4), text_signature = "(self, feeds, outputs, device='auto', *, \
policy=None, without=[], warmup=3, repeat=20, atol=0.0001, rtol=0.0001)")]
    fn ab_report<'py>(
        &self,
        feeds: &Bound<'py, PyDict>,
        outputs: Vec<Int>,
        device: &str,
        policy: Option<&Bound<'_, PyAny>>,
        without: Vec<String>,
        warmup: Int,
        repeat: Int,
        atol: f64,
        rtol: f64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let outputs = ids("outputs", &outputs)?;
        let level = crate::call::level(NAME, device, policy)?;
        let plan = PlanOptions { level, ..PlanOptions::default() };
        let options = super::ab::options("ab_report", warmup, repeat, atol, rtol)?;
        super::ab::of_graph(self, feeds, &outputs, &plan, &passes(&without)?, &options)
    }

    /// A receipt for each launch of the last run of this object, in order.
    fn receipts(&self) -> Vec<PyReceipt> {
        locked(&self.receipts).iter().copied().map(PyReceipt).collect()
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

    /// Makes these the receipts of the last run.
    pub(super) fn keep_receipts(&self, receipts: Vec<Receipt>) {
        *locked(&self.receipts) = receipts;
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<GraphIr>()
}
