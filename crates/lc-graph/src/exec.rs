//! Running a graph by tensor numbers: feeds in, values out, constants kept.

use crate::compile::{Compiled, Source, compile};
use crate::ir::{Constant, Graph, TensorId};
use crate::passes::Passes;
use crate::plan::PlanOptions;
use crate::program::Operand;
use lc_core::plan::PlanReceipt;
use lc_core::runtime::plan_epoch;
use lc_core::{DType, Element, Error, ErrorKind, Result, Runtime, TensorMut, TensorRef, TensorSpec};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A constant that was fed once.
#[derive(Clone, Debug)]
enum Kept {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<half::f16>),
}

/// What a cached plan was made for.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    wanted: Option<Vec<TensorId>>,
    options: PlanOptions,
    passes: Passes,
    policy: u64,
    epoch: u64,
    tensors: usize,
    nodes: usize,
}

/// Plans of one graph that are kept.
const MAX_PLANS: usize = 8;

/// A graph with its recent plans and the constants that it was fed.
#[derive(Debug, Default)]
pub struct Runner {
    graph: Graph,
    constants: BTreeMap<TensorId, Kept>,
    plans: Vec<(Key, Arc<Compiled>)>,
}

/// What an execution gives.
#[derive(Debug)]
pub struct Values<T> {
    /// Every tensor that was fed or wanted, in row-major order.
    pub values: BTreeMap<TensorId, Vec<T>>,
    /// What ran.
    pub receipt: PlanReceipt,
    /// The plan.
    pub compiled: Arc<Compiled>,
}

impl Runner {
    /// A runner of a graph.
    pub fn new(graph: Graph) -> Runner {
        Runner { graph, ..Runner::default() }
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The graph, to be changed; its plans are forgotten.
    pub fn graph_mut(&mut self) -> &mut Graph {
        self.plans.clear();
        &mut self.graph
    }

    /// The plan for these tensors and options: a recent one, or a new one.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn plan(
        &mut self,
        runtime: &Runtime,
        wanted: Option<&[TensorId]>,
        options: &PlanOptions,
        passes: &Passes,
    ) -> Result<Arc<Compiled>> {
        let key = Key {
            wanted: wanted.map(<[_]>::to_vec),
            options: *options,
            passes: passes.clone(),
            policy: options.policy(None).key(),
            epoch: plan_epoch(),
            tensors: self.graph.tensors.len(),
            nodes: self.graph.nodes.len(),
        };
        if let Some((_, plan)) = self.plans.iter().find(|(known, _)| *known == key) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(compile(&self.graph, runtime, wanted, options, passes)?);
        if self.plans.len() == MAX_PLANS {
            self.plans.remove(0);
        }
        self.plans.push((key, plan.clone()));
        Ok(plan)
    }

    /// Checks feeds and keeps those of constants.
    ///
    /// # Errors
    /// A tensor that does not exist; another dtype or number of elements than declared.
    pub fn take_feeds(&mut self, feeds: &[(TensorId, TensorRef<'_>)]) -> Result<()> {
        for (id, tensor) in feeds {
            let Some(declared) = self.graph.tensors.get(*id) else {
                let expected = format!("tensors below {}", self.graph.tensors.len());
                return Err(Error::invalid("graph", "feeds", expected, format!("{id}")));
            };
            if declared.value.is_some() {
                let label = self.graph.tensor_label(*id);
                return Err(Error::invalid("graph", "feeds", "tensors without a value of their own", label)
                    .hint("a constant that was added with its value is not fed; add a tensor to feed instead"));
            }
            if tensor.dtype() != declared.spec.dtype || tensor.shape().numel() != declared.spec.shape.numel() {
                let text = |spec: &TensorSpec| format!("{} {}", spec.dtype, spec.shape);
                let label = format!("feed of {}", self.graph.tensor_label(*id));
                return Err(Error::invalid("graph", label, text(&declared.spec), text(tensor.spec())));
            }
        }
        for (id, tensor) in feeds {
            if self.graph.tensors[*id].constant {
                let mut data = Vec::with_capacity(tensor.shape().numel());
                tensor.for_each(|x| data.push(x));
                let kept = match tensor.dtype() {
                    DType::F32 => Kept::F32(data.into_iter().map(f32::from_f64).collect()),
                    DType::F64 => Kept::F64(data),
                    DType::F16 => Kept::F16(data.into_iter().map(half::f16::from_f64).collect()),
                };
                self.constants.insert(*id, kept);
            }
        }
        Ok(())
    }

    /// The arguments of a plan, in its order: from the feeds, else from the constants.
    ///
    /// # Errors
    /// A tensor that is neither fed nor a constant that was fed before; a strided feed of another shape.
    pub fn arguments<'a>(&'a self, plan: &Compiled, feeds: &[(TensorId, TensorRef<'a>)]) -> Result<Vec<TensorRef<'a>>> {
        let argument = |feed: &crate::compile::Feed| {
            let dims = feed.spec.shape.dims();
            let kept = || match self.constants.get(&feed.tensor)? {
                Kept::F32(data) => Some(TensorRef::new(data, dims)),
                Kept::F64(data) => Some(TensorRef::new(data, dims)),
                Kept::F16(data) => Some(TensorRef::new(data, dims)),
            };
            match feeds.iter().rev().find(|(id, _)| *id == feed.tensor) {
                Some((_, tensor)) if tensor.shape() == &feed.spec.shape => Ok(*tensor),
                Some((_, tensor)) => tensor.reshape(dims).map_err(|e| e.in_op("graph")),
                None => kept().unwrap_or_else(|| {
                    Err(Error::new(ErrorKind::InvalidValue, "graph")
                        .argument("feeds")
                        .expected(format!("a value for {}, {} {}", feed.label, feed.spec.dtype, feed.spec.shape))
                        .got("none")
                        .hint("feed every tensor that a node reads and no node makes"))
                }),
            }
        };
        plan.feeds().iter().map(argument).collect()
    }

    /// The elements of a fed tensor, from the feeds or from the constants.
    fn fed<T: Element>(&self, id: TensorId, feeds: &[(TensorId, TensorRef<'_>)]) -> Result<Vec<T>> {
        let dims = self.graph.tensors[id].spec.shape;
        let kept = || match self.constants.get(&id) {
            Some(Kept::F32(data)) => TensorRef::new(data, dims.dims()).ok(),
            Some(Kept::F64(data)) => TensorRef::new(data, dims.dims()).ok(),
            Some(Kept::F16(data)) => TensorRef::new(data, dims.dims()).ok(),
            None => self.graph.tensors[id].value.as_ref().map(Constant::tensor),
        };
        let tensor = feeds.iter().rev().find(|(fed, _)| *fed == id).map(|(_, tensor)| *tensor).or_else(kept);
        let Some(tensor) = tensor else {
            let expected = format!("a value for {}", self.graph.tensor_label(id));
            return Err(Error::invalid("graph", "feeds", expected, "none"));
        };
        let mut data = Vec::with_capacity(tensor.shape().numel());
        tensor.for_each(|x| data.push(T::from_f64(x)));
        Ok(data)
    }

    /// Runs the graph on feeds of one element type and gives every fed and every wanted tensor back; `None` wants all that
    /// nodes make.
    ///
    /// # Errors
    /// As [`compile`], [`Runner::take_feeds`], [`Runner::arguments`] and [`Compiled::run`]; a tensor of another element
    /// type.
    pub fn execute<T: Element>(
        &mut self,
        runtime: &Runtime,
        feeds: &[(TensorId, TensorRef<'_>)],
        wanted: Option<&[TensorId]>,
        options: &PlanOptions,
        passes: &Passes,
    ) -> Result<Values<T>> {
        let compiled = self.plan(runtime, wanted, options, passes)?;
        self.take_feeds(feeds)?;
        let other =
            compiled.outputs().iter().chain(compiled.feeds().iter().map(|f| &f.spec)).find(|s| s.dtype != T::DTYPE);
        if let Some(other) = other {
            return Err(Error::invalid("graph", "dtype", T::DTYPE.name(), other.dtype.name()));
        }
        let arguments = self.arguments(&compiled, feeds)?;
        let mut results: Vec<Vec<T>> =
            compiled.outputs().iter().map(|spec| vec![T::default(); spec.shape.numel()]).collect();
        let mut views = Vec::with_capacity(results.len());
        for (data, spec) in results.iter_mut().zip(compiled.outputs()) {
            views.push(TensorMut::new(data, spec.shape.dims())?);
        }
        let receipt = compiled.run(&arguments, &mut views)?;
        drop(views);
        let mut values = BTreeMap::new();
        for (id, tensor) in feeds {
            let mut data = Vec::with_capacity(tensor.shape().numel());
            tensor.for_each(|x| data.push(T::from_f64(x)));
            values.insert(*id, data);
        }
        for (id, source) in compiled.wanted() {
            let data = match source {
                Source::Output(index, operand) => read(&results[*index], operand)?,
                Source::Feed(fed, operand) => read(&self.fed(*fed, feeds)?, operand)?,
            };
            values.insert(*id, data);
        }
        Ok(Values { values, receipt, compiled })
    }
}

/// What an operand shows of a value's elements.
///
/// # Errors
/// A view past the end of `data`.
pub fn read<T: Element>(data: &[T], operand: &Operand) -> Result<Vec<T>> {
    let (dims, steps) = (operand.spec.shape.dims(), operand.strides.steps());
    let view = TensorRef::strided(data, operand.offset, dims, steps)?;
    let mut out = Vec::with_capacity(operand.spec.shape.numel());
    view.for_each(|x| out.push(T::from_f64(x)));
    Ok(out)
}
