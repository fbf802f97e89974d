//! `GraphPlan`: a graph with its arguments and results in an order, to be called with arrays.

use super::convert::NAME;
use super::explain::explain;
use super::ir::{GraphIr, locked};
use super::keep_receipt;
use super::run::flat_copy;
use crate::array::{self, Cast, Input, Output};
use crate::error::raise;
use crate::receipt::PyReceipt;
use lc_core::runtime::plan_epoch;
use lc_core::{DType, Error, TensorMut, TensorRef, TensorSpec};
use lc_graph::compile::Source;
use lc_graph::ir::Constant;
use lc_graph::{Compiled, Passes, PlanOptions, TensorId};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::{Arc, Mutex};

/// A graph planned for calls: `run` takes arrays in the order of the arguments and returns arrays in the order of the
/// results. `GraphIR.compile` makes one.
///
/// It plans again when the scope's policy or the devices have changed since.
#[pyclass(frozen, module = "lightning_core", name = "GraphPlan")]
pub struct GraphPlan {
    graph: Py<GraphIr>,
    inputs: Vec<(TensorId, TensorSpec)>,
    outputs: Vec<(TensorId, TensorSpec)>,
    /// Values of the wanted tensors that are constants.
    constants: Vec<(TensorId, Constant)>,
    dtype: DType,
    options: PlanOptions,
    passes: Passes,
    /// The plan of the last call, with the epoch and the policy that it was made for. Nodes that the graph gets later change
    /// nothing about tensors that it had.
    last: Mutex<Option<(u64, u64, Arc<Compiled>)>>,
}

impl GraphPlan {
    /// Checks that the arguments are enough, and plans.
    pub(super) fn new(
        graph: &Bound<'_, GraphIr>,
        inputs: Vec<TensorId>,
        outputs: Vec<TensorId>,
        options: PlanOptions,
        passes: Passes,
    ) -> PyResult<GraphPlan> {
        let ir = graph.get().graph();
        let spec = |name: &'static str, id: TensorId| match ir.tensors.get(id) {
            Some(tensor) => Ok((id, tensor.spec)),
            None => {
                let expected = format!("tensors below {}", ir.tensors.len());
                Err(raise(Error::invalid(NAME, name, expected, id.to_string())))
            }
        };
        let inputs = inputs.into_iter().map(|id| spec("inputs", id)).collect::<PyResult<Vec<_>>>()?;
        let outputs = outputs.into_iter().map(|id| spec("outputs", id)).collect::<PyResult<Vec<_>>>()?;
        if outputs.is_empty() {
            return Err(raise(Error::invalid(NAME, "outputs", "at least one tensor", "none")));
        }
        let constants = outputs.iter().filter_map(|(id, _)| Some((*id, ir.tensors[*id].value.clone()?))).collect();
        let dtype = outputs[0].1.dtype;
        if let Some((_, other)) = inputs.iter().chain(&outputs).find(|(_, spec)| spec.dtype != dtype) {
            let expected = format!("tensors of one type, {dtype}");
            return Err(raise(Error::invalid(NAME, "inputs", expected, other.dtype.to_string())));
        }
        let (graph, last) = (graph.clone().unbind(), Mutex::default());
        let plan = GraphPlan { graph, inputs, outputs, constants, dtype, options, passes, last };
        let compiled = plan.compiled()?;
        for feed in compiled.feeds() {
            if !plan.inputs.iter().any(|(id, _)| *id == feed.tensor) {
                let expected = format!("{} among the arguments", feed.label);
                let hint = "pass every tensor that a node reads, no node makes and that has no value of its own";
                return Err(raise(Error::invalid(NAME, "inputs", expected, "none").hint(hint)));
            }
        }
        Ok(plan)
    }

    /// The plan for the policy that holds now.
    fn compiled(&self) -> PyResult<Arc<Compiled>> {
        let now = (plan_epoch(), self.options.policy(None).key());
        if let Some((epoch, policy, plan)) = &*locked(&self.last)
            && (*epoch, *policy) == now
        {
            return Ok(plan.clone());
        }
        let wanted: Vec<TensorId> = self.outputs.iter().map(|(id, _)| *id).collect();
        let made = self.graph.get().compiled(Some(&wanted), &self.options, &self.passes);
        let plan = made.map_err(|e| raise(e.in_op(NAME)))?;
        *locked(&self.last) = Some((now.0, now.1, plan.clone()));
        Ok(plan)
    }

    /// One argument, of exactly the planned extents.
    fn argument<'a, 'py>(&self, position: usize, object: &'a Bound<'py, PyAny>) -> PyResult<Input<'a, 'py>> {
        let given = array::input("graph", "arguments", object, Cast::To(self.dtype))?;
        let (want, got) = (self.inputs[position].1.shape, *given.tensor().shape());
        if want != got {
            let name = format!("argument {position}");
            return Err(raise(Error::invalid("graph", name, format!("shape {want}"), format!("shape {got}"))));
        }
        Ok(given)
    }
}

/// Where the plan writes one of its results.
enum Target<'a, 'py> {
    /// The caller's array.
    Given(Output<'a, 'py>),
    /// A new one.
    New(Bound<'py, PyAny>, TensorMut<'py>),
}

#[pymethods]
impl GraphPlan {
    /// Runs the plan and returns the results as a list.
    ///
    /// Parameters
    /// ----------
    /// *arguments : array
    ///     One for each input, of its shape. Arrays of another type are converted.
    /// out : sequence of array, optional
    ///     One writable, dense array for each result, of its shape and type; they are filled and returned.
    #[pyo3(signature = (*arguments, out=None))]
    fn run<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
        out: Option<Vec<Bound<'py, PyAny>>>,
    ) -> PyResult<Bound<'py, PyList>> {
        if arguments.len() != self.inputs.len() {
            let expected = format!("{} arrays", self.inputs.len());
            return Err(raise(Error::invalid("graph", "arguments", expected, arguments.len().to_string())));
        }
        if let Some(out) = &out
            && out.len() != self.outputs.len()
        {
            let expected = format!("{} arrays", self.outputs.len());
            return Err(raise(Error::invalid("graph", "out", expected, out.len().to_string())));
        }
        let compiled = self.compiled()?;
        let objects: Vec<_> = arguments.iter().collect();
        let mut given = Vec::with_capacity(objects.len());
        for (position, object) in objects.iter().enumerate() {
            given.push(self.argument(position, object)?);
        }
        let mut feeds = Vec::with_capacity(compiled.feeds().len());
        for feed in compiled.feeds() {
            let position = self.inputs.iter().position(|(id, _)| *id == feed.tensor);
            let tensor = position
                .map(|position| given[position].tensor())
                .ok_or_else(|| raise(Error::invalid("graph", "arguments", feed.label.clone(), "none")))?;
            feeds.push(tensor);
        }
        // A result that is all of a value is written where it stays; the others are copied out of it.
        let mut targets: Vec<Target<'_, 'py>> = Vec::with_capacity(compiled.outputs().len());
        let mut owner = vec![None; self.outputs.len()];
        for (index, value) in compiled.outputs().iter().enumerate() {
            let whole = compiled.wanted().iter().position(
                |(_, source)| matches!(source, Source::Output(at, operand) if *at == index && operand.covers(value)),
            );
            let array = whole.and_then(|at| Some((at, out.as_ref()?.get(at)?)));
            targets.push(match array {
                Some((at, object)) => {
                    owner[at] = Some(index);
                    Target::Given(self.given(object, &self.outputs[at].1)?)
                }
                None => {
                    let spec = match whole {
                        Some(at) => self.outputs[at].1,
                        None => *value,
                    };
                    if let Some(at) = whole {
                        owner[at] = Some(index);
                    }
                    let (array, target) = array::new_array(py, "graph", &spec)?;
                    Target::New(array, target)
                }
            });
        }
        let mut views = Vec::with_capacity(targets.len());
        for (target, spec) in targets.iter_mut().zip(compiled.outputs()) {
            let ptr = match target {
                Target::Given(output) => output.tensor_mut().ptr(),
                Target::New(_, tensor) => tensor.ptr(),
            };
            // SAFETY: dense and of as many elements of that type; `targets` keeps it alive, and nothing else of this call
            // writes there.
            views.push(unsafe { TensorMut::from_raw(ptr, *spec) });
        }
        let receipt = py.detach(|| compiled.run(&feeds, &mut views)).map_err(|e| raise(e.in_op("graph")))?;
        let results = PyList::empty(py);
        for (at, (id, source)) in compiled.wanted().iter().enumerate() {
            let object = match (owner[at], source) {
                (Some(index), _) => match &targets[index] {
                    Target::New(array, _) => array.clone(),
                    Target::Given(_) => out.as_ref().map_or_else(|| py.None().into_bound(py), |out| out[at].clone()),
                },
                (None, source) => {
                    let (base, operand) = match source {
                        Source::Output(index, operand) => (views[*index].ptr().cast_const(), operand),
                        Source::Feed(from, operand) => {
                            let constant = self.constants.iter().find(|(known, _)| known == from);
                            let fed = || self.inputs.iter().position(|(input, _)| input == from);
                            match (constant, fed()) {
                                (Some((_, constant)), _) => (constant.tensor().ptr(), operand),
                                (None, Some(position)) => {
                                    let whole = flat_copy(py, &given[position].tensor())?;
                                    let copy = self.shaped(py, crate::numpy::data(&whole), operand, at, &out)?;
                                    results.append(copy)?;
                                    continue;
                                }
                                (None, None) => {
                                    let expected = format!("a value for tensor {id}");
                                    return Err(raise(Error::invalid("graph", "arguments", expected, "none")));
                                }
                            }
                        }
                    };
                    self.shaped(py, base, operand, at, &out)?
                }
            };
            results.append(object)?;
        }
        keep_receipt(py, &receipt.launches)?;
        self.graph.get().keep_receipts(receipt.launches);
        Ok(results)
    }

    /// A receipt for each launch of the last run, in order.
    fn receipts(&self) -> Vec<PyReceipt> {
        locked(&self.graph.get().receipts).iter().copied().map(PyReceipt).collect()
    }

    /// What a run does and why, as "text", "json", "svg" or "html"; with `measure`, what each launch takes, too.
    #[pyo3(signature = (format="text", measure=false))]
    fn explain(&self, py: Python<'_>, format: &str, measure: bool) -> PyResult<String> {
        explain(py, &*self.compiled()?, format, measure)
    }

    fn __repr__(&self) -> PyResult<String> {
        let (compiled, inputs, outputs) = (self.compiled()?, self.inputs.len(), self.outputs.len());
        Ok(format!("GraphPlan({} launches, {inputs} arguments, {outputs} results)", compiled.program().len()))
    }
}

impl GraphPlan {
    /// A caller's array for a result.
    fn given<'a, 'py>(&self, object: &'a Bound<'py, PyAny>, spec: &TensorSpec) -> PyResult<Output<'a, 'py>> {
        let output = array::output("graph", "out", object)?;
        if output.spec() != spec {
            let text = |spec: &TensorSpec| format!("{} {}", spec.dtype, spec.shape);
            return Err(raise(Error::invalid("graph", "out", text(spec), text(output.spec()))));
        }
        Ok(output)
    }

    /// A copy of what an operand shows of the value at `base`: in the caller's array, or in a new one.
    fn shaped<'py>(
        &self,
        py: Python<'py>,
        base: *const u8,
        operand: &lc_graph::program::Operand,
        at: usize,
        out: &Option<Vec<Bound<'py, PyAny>>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let start = base.wrapping_add(operand.offset * operand.spec.dtype.size());
        // SAFETY: operands lie inside their value, which is dense at `base`; the run that wrote it is over.
        let view = unsafe { TensorRef::from_raw(start, operand.spec, operand.strides) };
        let spec = self.outputs[at].1;
        let (object, mut given, fresh);
        let target = match out {
            Some(out) => {
                object = out[at].clone();
                given = self.given(&out[at], &spec)?;
                given.tensor_mut().ptr()
            }
            None => {
                (object, fresh) = array::new_array(py, "graph", &spec)?;
                fresh.ptr()
            }
        };
        // SAFETY: dense, writable, and of that size.
        if unsafe { TensorMut::from_raw(target, spec) }.overlaps(&view) {
            return Err(raise(Error::invalid("graph", "out", "memory of its own", "memory of another result")));
        }
        // SAFETY: dense, of the result's size, and apart from what is read.
        let bytes = unsafe { std::slice::from_raw_parts_mut(target, spec.bytes()) };
        lc_core::backend::gather(&view, bytes).map_err(raise)?;
        Ok(object)
    }
}

/// Adds this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<GraphPlan>()
}
