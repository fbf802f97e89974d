//! The form that passes work on: calls of registry ops on views of values. Names of the first release and view nodes are
//! gone; every value is a dense block of memory that one call writes, or that the caller feeds.

use crate::ir::{Constant, NodeId, TensorId};
use lc_core::{Attrs, DeviceRequest, OpDef, Strides, TensorSpec};

/// A value's number in its program.
pub type ValueId = usize;
/// A call's number in its program.
pub type CallId = usize;

/// A dense block of memory.
#[derive(Clone, Debug)]
pub struct Value {
    /// Type and extents, as the call that writes it says; a reader may see other extents.
    pub spec: TensorSpec,
    /// The graph's tensor, if no call writes it: the caller feeds it, unless it is a constant.
    pub fed: Option<TensorId>,
    /// What it is, if that is known before a run.
    pub constant: Option<Constant>,
}

/// How a value is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operand {
    /// The value.
    pub value: ValueId,
    /// Element at which the view starts.
    pub offset: usize,
    /// Type and extents of the view.
    pub spec: TensorSpec,
    /// Strides in elements.
    pub strides: Strides,
}

impl Operand {
    /// The whole of a value.
    pub fn whole(value: ValueId, spec: TensorSpec) -> Operand {
        Operand { value, offset: 0, spec, strides: spec.shape.contiguous_strides() }
    }

    /// Whether the view is dense and row-major. Strides along extents of 1 do not matter.
    pub fn is_dense(&self) -> bool {
        let dense = self.spec.shape.contiguous_strides();
        let steps = self.strides.steps().iter().zip(dense.steps());
        self.spec.shape.dims().iter().zip(steps).all(|(dim, (got, want))| *dim == 1 || got == want)
    }

    /// Whether the view is all of a value of that spec, in its order, perhaps under other extents.
    pub fn covers(&self, value: &TensorSpec) -> bool {
        self.offset == 0 && self.is_dense() && self.spec.shape.numel() == value.shape.numel()
    }
}

/// A call of a registry op.
#[derive(Clone, Debug)]
pub struct Call {
    /// The op.
    pub op: &'static OpDef,
    /// Its attributes.
    pub attrs: Attrs,
    /// What it reads; `None` where an optional input is absent.
    pub inputs: Vec<Option<Operand>>,
    /// What it writes.
    pub outputs: Vec<ValueId>,
    /// Calls that must be done before it starts, beside those that write its inputs.
    pub after: Vec<CallId>,
    /// The nodes of the graph that it computes, in their order.
    pub nodes: Vec<NodeId>,
    /// The device that it asks for, where it is another than the plan's.
    pub device: Option<DeviceRequest>,
}

impl Call {
    /// The specs of its inputs, as the registry's rules take them.
    pub fn input_specs(&self) -> Vec<Option<TensorSpec>> {
        self.inputs.iter().map(|operand| operand.map(|operand| operand.spec)).collect()
    }

    /// An input that is there.
    pub fn input(&self, index: usize) -> Option<&Operand> {
        self.inputs.get(index).and_then(Option::as_ref)
    }
}

/// Calls in an order that meets every need.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Values by number.
    pub values: Vec<Value>,
    /// Calls by number; `None` where a pass took one away.
    pub calls: Vec<Option<Call>>,
    /// The tensors that the caller wants, and how each is read.
    pub wanted: Vec<(TensorId, Operand)>,
}

impl Program {
    /// Its calls, with their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (CallId, &Call)> {
        self.calls.iter().enumerate().filter_map(|(id, call)| call.as_ref().map(|call| (id, call)))
    }

    /// The number of calls.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether it has no call.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The call that writes each value.
    pub fn writers(&self) -> Vec<Option<CallId>> {
        let mut writers = vec![None; self.values.len()];
        for (id, call) in self.iter() {
            for value in &call.outputs {
                writers[*value] = Some(id);
            }
        }
        writers
    }

    /// For each value, how often calls read it, and whether the caller wants it.
    pub fn uses(&self) -> Vec<(usize, bool)> {
        let mut uses = vec![(0, false); self.values.len()];
        for (_, call) in self.iter() {
            for operand in call.inputs.iter().flatten() {
                uses[operand.value].0 += 1;
            }
        }
        for (_, operand) in &self.wanted {
            uses[operand.value].1 = true;
        }
        uses
    }

    /// Takes away the calls that nothing wanted needs, be it by data or by a control dependency.
    pub fn remove_dead(&mut self) -> usize {
        let writers = self.writers();
        let mut live = vec![false; self.calls.len()];
        let mut open: Vec<CallId> = self.wanted.iter().filter_map(|(_, operand)| writers[operand.value]).collect();
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut live[id], true) {
                continue;
            }
            let Some(call) = &self.calls[id] else { continue };
            open.extend(call.inputs.iter().flatten().filter_map(|operand| writers[operand.value]));
            open.extend(&call.after);
        }
        let mut removed = 0;
        for (call, live) in self.calls.iter_mut().zip(live) {
            if !live && call.take().is_some() {
                removed += 1;
            }
        }
        removed
    }
}
