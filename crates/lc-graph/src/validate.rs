//! Finds what is wrong with a graph before it is planned: every issue at once, each with what to do about it.
//!
//! The first five passes and their order are those of the first release. The others find at validation what used to fail,
//! or to compute something else, at execution.

use crate::ir::{Graph, NodeId, TensorId};
use lc_core::ErrorKind::{InvalidValue, NotSupported};
use lc_core::policy::Fallback;
use lc_core::{DeviceRequest, EffectivePolicy, Error, ErrorKind, PackedPolicy, Policy, Result, Runtime, TensorSpec};

/// The passes, in order.
pub const PASSES: [&str; 9] = [
    "tensor_spec",
    "schema_arity",
    "tensor_reference",
    "control_dependency",
    "backend_capability",
    "shape_inference",
    "data_flow",
    "aliasing",
    "dead_tensor",
];

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The pass that found it.
    pub pass: &'static str,
    /// How an execution would fail; `None` for a warning, which fails nothing.
    pub status: Option<ErrorKind>,
    /// The node that it is about.
    pub node: Option<NodeId>,
    /// The tensor that it is about.
    pub tensor: Option<TensorId>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Issue {
    /// The status token, or "warning".
    pub fn status_text(&self) -> &'static str {
        self.status.map_or("warning", ErrorKind::token)
    }

    /// The finding as an error.
    pub fn error(&self) -> Error {
        let at = match (self.node, self.tensor) {
            (Some(node), Some(tensor)) => format!("{}: node {node}, tensor {tensor}", self.pass),
            (Some(node), None) => format!("{}: node {node}", self.pass),
            (None, Some(tensor)) => format!("{}: tensor {tensor}", self.pass),
            (None, None) => self.pass.to_owned(),
        };
        let kind = self.status.unwrap_or(ErrorKind::InvalidValue);
        Error::new(kind, "graph").argument(at).got(self.message.clone()).hint(self.hint.clone())
    }
}

/// Every finding about a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Findings, in the order of the passes' visits.
    pub issues: Vec<Issue>,
}

impl Report {
    /// Whether the graph can be planned: there may be warnings.
    pub fn ok(&self) -> bool {
        self.status().is_none()
    }

    /// "not supported" if any issue says so, else the status of the first one that is no warning.
    pub fn status(&self) -> Option<ErrorKind> {
        let mut found = self.issues.iter().filter_map(|issue| issue.status);
        let unsupported = self.issues.iter().any(|issue| issue.status == Some(ErrorKind::NotSupported));
        if unsupported { Some(ErrorKind::NotSupported) } else { found.next() }
    }

    /// The status token, or "success".
    pub fn status_text(&self) -> &'static str {
        self.status().map_or("success", ErrorKind::token)
    }

    /// Nothing, or the first issue of the report's status as an error.
    ///
    /// # Errors
    /// Any issue that is no warning.
    pub fn into_result(&self) -> Result<()> {
        let Some(status) = self.status() else { return Ok(()) };
        let first = self.issues.iter().find(|issue| issue.status == Some(status));
        Err(first.map_or_else(|| Error::new(status, "graph"), Issue::error))
    }

    fn add(
        &mut self,
        pass: usize,
        status: ErrorKind,
        node: impl Into<Option<NodeId>>,
        tensor: impl Into<Option<TensorId>>,
        message: String,
        hint: impl Into<String>,
    ) {
        let (node, tensor) = (node.into(), tensor.into());
        self.issues.push(Issue { pass: PASSES[pass], status: Some(status), node, tensor, message, hint: hint.into() });
    }
}

const TENSOR_SPEC: usize = 0;
const ARITY: usize = 1;
const REFERENCE: usize = 2;
const CONTROL: usize = 3;
const CAPABILITY: usize = 4;
const INFERENCE: usize = 5;
const DATA_FLOW: usize = 6;
const ALIASING: usize = 7;
const DEAD: usize = 8;

/// Every finding about a graph that is to run on the devices of `runtime`.
pub fn validate(graph: &Graph, runtime: &Runtime) -> Report {
    let mut report = Report::default();
    tensors(graph, &mut report);
    for id in 0..graph.nodes.len() {
        node(graph, runtime, id, &mut report);
    }
    flow(graph, &mut report);
    aliasing(graph, &mut report);
    dead(graph, &mut report);
    report
}

fn tensors(graph: &Graph, report: &mut Report) {
    for (id, tensor) in graph.tensors.iter().enumerate() {
        if tensor.spec.shape.numel() == 0 {
            let message = format!("{} has shape {}", graph.tensor_label(id), tensor.spec.shape);
            report.add(TENSOR_SPEC, InvalidValue, None, id, message, "give every dimension an extent of at least 1");
        }
    }
}

fn node(graph: &Graph, runtime: &Runtime, id: NodeId, report: &mut Report) {
    let node = &graph.nodes[id];
    let schema = &node.schema;
    let label = graph.node_label(id);
    let known = schema.op().is_none_or(|op| runtime.registry().ops().contains(&op));
    if !known {
        let message = format!("{label}: this runtime has no op for it");
        report.add(ARITY, NotSupported, id, None, message, "use an op that graph_registry_schemas lists");
        return;
    }
    let present = node.inputs.iter().take(schema.min_inputs).flatten().count();
    if present < schema.min_inputs || node.inputs.len() > schema.max_inputs || node.outputs.len() != schema.outputs {
        let message = format!(
            "{label} has {} inputs and {} outputs, not {} to {} and {}",
            node.inputs.len(),
            node.outputs.len(),
            schema.min_inputs,
            schema.max_inputs,
            schema.outputs
        );
        report.add(ARITY, InvalidValue, id, None, message, "pass as many tensors as the op's schema says");
    }
    let mut complete = true;
    for tensor in node.inputs.iter().flatten().chain(&node.outputs) {
        if *tensor >= graph.tensors.len() {
            let message = format!("{label} names tensor {tensor} of {}", graph.tensors.len());
            report.add(REFERENCE, InvalidValue, id, *tensor, message, "use a number that add_tensor returned");
            complete = false;
        }
    }
    for dep in &node.control_deps {
        if *dep >= id {
            let message = format!("{label} waits for node {dep}, which is not before it");
            report.add(CONTROL, InvalidValue, id, None, message, "let a node wait only for nodes added before it");
        }
    }
    if !complete || present < schema.min_inputs || node.inputs.len() > schema.max_inputs {
        return;
    }
    inference(graph, runtime, id, &label, report);
}

/// Shapes, dtypes, and whether any device has a kernel for exactly this call.
fn inference(graph: &Graph, runtime: &Runtime, id: NodeId, label: &str, report: &mut Report) {
    let node = &graph.nodes[id];
    let spec = |tensor: &TensorId| graph.tensors[*tensor].spec;
    let inputs: Vec<Option<TensorSpec>> = node.inputs.iter().map(|t| t.as_ref().map(spec)).collect();
    let declared: Vec<TensorSpec> = node.outputs.iter().map(spec).collect();
    let inferred = match node.schema.infer(&node.attrs, &inputs, Some(&declared)) {
        Ok(inferred) => inferred,
        Err(error) => {
            let hint = match error.hint_text() {
                "" => "declare tensors with the shapes and dtypes that the op takes",
                hint => hint,
            };
            let message = format!("{label}: {error}");
            return report.add(INFERENCE, error.kind(), id, node.inputs[0], message, hint.to_owned());
        }
    };
    for ((got, want), tensor) in declared.iter().zip(&inferred).zip(&node.outputs) {
        if got != want {
            let message = format!(
                "{label} makes {} {}, but {} is declared as {} {}",
                want.dtype,
                want.shape,
                graph.tensor_label(*tensor),
                got.dtype,
                got.shape
            );
            let hint = format!("declare the output as {} {}", want.dtype, want.shape);
            report.add(INFERENCE, InvalidValue, id, *tensor, message, hint);
        }
    }
    // A name of the first release may stand for another form of its inputs; whether a kernel exists depends on the op
    // and the dtype, so the inputs that the op's own rule takes decide.
    let Some(op) = node.schema.op() else { return };
    let allow = Policy { device: Some(DeviceRequest::Auto), fallback: Some(Fallback::Allow), ..Policy::default() };
    let policy = EffectivePolicy::of(allow.pack(), PackedPolicy::UNSET);
    if op.check(&node.attrs, &inputs).is_ok()
        && let Err(error) = runtime.resolve(op, &node.attrs, &inputs, policy)
    {
        let hint = "use another dtype or other attributes, or a build that has a device with a kernel for this call";
        report.add(CAPABILITY, error.kind(), id, None, format!("{label}: {error}"), hint);
    }
}

/// Several producers, use before definition, cycles.
fn flow(graph: &Graph, report: &mut Report) {
    let count = graph.tensors.len();
    let mut producers: Vec<Vec<NodeId>> = vec![Vec::new(); count];
    for (id, node) in graph.nodes.iter().enumerate() {
        for tensor in &node.outputs {
            if let Some(list) = producers.get_mut(*tensor)
                && list.last() != Some(&id)
            {
                list.push(id);
            }
        }
    }
    for (tensor, list) in producers.iter().enumerate() {
        if let [first, .., last] = list[..] {
            let message = format!("{} is made by nodes {first} and {last}", graph.tensor_label(tensor));
            report.add(DATA_FLOW, InvalidValue, last, tensor, message, "give every node an output tensor of its own");
        }
        if let (Some(node), true) = (list.first(), graph.tensors[tensor].constant) {
            let message = format!("{} is constant, but node {node} makes it", graph.tensor_label(tensor));
            report.add(
                DATA_FLOW,
                InvalidValue,
                *node,
                tensor,
                message,
                "feed constants; declare results without constant",
            );
        }
    }
    let cyclic = in_cycles(graph, &producers);
    for (id, node) in graph.nodes.iter().enumerate() {
        if cyclic[id] {
            let message = format!("{} depends on its own result", graph.node_label(id));
            report.add(DATA_FLOW, InvalidValue, id, None, message, "break the cycle: one of its tensors must be fed");
            continue;
        }
        for tensor in node.inputs.iter().flatten() {
            let later = producers.get(*tensor).and_then(|list| list.iter().find(|p| **p > id));
            if let Some(later) = later {
                let label = graph.tensor_label(*tensor);
                let message = format!("{} reads {label}, which node {later} makes after it", graph.node_label(id));
                report.add(DATA_FLOW, InvalidValue, id, *tensor, message, "add the node that makes a tensor first");
            }
        }
    }
}

/// The nodes that no order can serve: those left when nodes without unmet needs are taken away again and again, except
/// for nodes that only come after a cycle.
fn in_cycles(graph: &Graph, producers: &[Vec<NodeId>]) -> Vec<bool> {
    let nodes = graph.nodes.len();
    let needs = |id: NodeId| -> Vec<NodeId> {
        let data = graph.nodes[id].inputs.iter().flatten().filter_map(|t| producers.get(*t)).flatten().copied();
        data.chain(graph.nodes[id].control_deps.iter().copied().filter(|dep| *dep < nodes)).collect()
    };
    let all: Vec<Vec<NodeId>> = (0..nodes).map(needs).collect();
    let mut left = vec![true; nodes];
    // Forwards takes away what a cycle needs, backwards what needs it: the cycles stay.
    for backwards in [false, true] {
        let mut edges = vec![Vec::new(); nodes];
        let mut degree = vec![0usize; nodes];
        for (id, list) in all.iter().enumerate().filter(|(id, _)| left[*id]) {
            for need in list.iter().filter(|need| left[**need]) {
                let (from, to) = if backwards { (id, *need) } else { (*need, id) };
                edges[from].push(to);
                degree[to] += 1;
            }
        }
        let mut free: Vec<NodeId> = (0..nodes).filter(|id| left[*id] && degree[*id] == 0).collect();
        while let Some(id) = free.pop() {
            left[id] = false;
            for to in &edges[id] {
                degree[*to] -= 1;
                if degree[*to] == 0 {
                    free.push(*to);
                }
            }
        }
    }
    left
}

fn aliasing(graph: &Graph, report: &mut Report) {
    for (id, node) in graph.nodes.iter().enumerate() {
        for (i, tensor) in node.outputs.iter().enumerate() {
            let own_input = node.inputs.contains(&Some(*tensor));
            if own_input || node.outputs[..i].contains(tensor) {
                let what = if own_input { "one of its inputs" } else { "another of its outputs" };
                let message = format!("{}: output {tensor} is also {what}", graph.node_label(id));
                report.add(ALIASING, InvalidValue, id, *tensor, message, "write results to tensors of their own");
            }
        }
    }
}

fn dead(graph: &Graph, report: &mut Report) {
    let mut used = vec![false; graph.tensors.len()];
    for node in &graph.nodes {
        for tensor in node.inputs.iter().flatten().chain(&node.outputs) {
            if let Some(used) = used.get_mut(*tensor) {
                *used = true;
            }
        }
    }
    for tensor in (0..used.len()).filter(|tensor| !used[*tensor]) {
        report.issues.push(Issue {
            pass: PASSES[DEAD],
            status: None,
            node: None,
            tensor: Some(tensor),
            message: format!("no node reads or makes {}", graph.tensor_label(tensor)),
            hint: "leave the tensor out".to_owned(),
        });
    }
}
