//! Every finding of validation: where it points, and that the graph is sound once its hint is followed.

mod common;

use common::{assert_close, feeds, host, naive, views, with_gpu};
use lc_core::{DType, DeviceKind, ErrorKind, Runtime, Shape};
use lc_graph::validate::PASSES;
use lc_graph::{Graph, Issue, NodeOptions, Passes, PlanOptions, Runner, TensorId, schema, validate};
use lc_ops::REGISTRY;

fn node(graph: &mut Graph, op: &str, inputs: &[TensorId], outputs: &[TensorId]) {
    let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
    graph.add_node(&REGISTRY, op, &inputs, outputs, &NodeOptions::default()).unwrap();
}

/// Tensor 2 is 0 · 1, tensor 4 is 2 + 3.
fn chain() -> Graph {
    let mut graph = Graph::new();
    let ids: Vec<_> = (0..5).map(|_| graph.tensor(&[2, 2]).unwrap()).collect();
    node(&mut graph, "matmul", &[ids[0], ids[1]], &[ids[2]]);
    node(&mut graph, "vector_add", &[ids[2], ids[3]], &[ids[4]]);
    graph
}

/// A fault, the finding that it must give, and what its hint says to do.
struct Case {
    pass: &'static str,
    status: Option<ErrorKind>,
    node: Option<usize>,
    tensor: Option<usize>,
    hint: &'static str,
    fault: fn(&mut Graph),
    cure: fn(&mut Graph, &Issue),
}

const INVALID: Option<ErrorKind> = Some(ErrorKind::InvalidValue);

fn cases() -> Vec<Case> {
    vec![
        Case {
            pass: "tensor_spec",
            status: INVALID,
            node: None,
            tensor: Some(3),
            hint: "give every dimension an extent of at least 1",
            fault: |g| g.tensors[3].spec.shape = Shape::of([0, 2]),
            cure: |g, issue| g.tensors[issue.tensor.unwrap()].spec.shape = Shape::of([2, 2]),
        },
        Case {
            pass: "schema_arity",
            status: INVALID,
            node: Some(0),
            tensor: None,
            hint: "pass as many tensors as the op's schema says",
            fault: |g| {
                g.nodes[0].inputs.pop();
            },
            cure: |g, issue| {
                let node = &mut g.nodes[issue.node.unwrap()];
                node.inputs.resize(node.schema.min_inputs, Some(1));
            },
        },
        Case {
            pass: "tensor_reference",
            status: INVALID,
            node: Some(0),
            tensor: Some(9),
            hint: "use a number that add_tensor returned",
            fault: |g| g.nodes[0].inputs[1] = Some(9),
            cure: |g, issue| {
                let wrong = issue.tensor;
                let input = g.nodes[issue.node.unwrap()].inputs.iter_mut().find(|id| **id == wrong).unwrap();
                *input = Some(1);
            },
        },
        Case {
            pass: "control_dependency",
            status: INVALID,
            node: Some(0),
            tensor: None,
            hint: "let a node wait only for nodes added before it",
            fault: |g| g.nodes[0].control_deps = vec![1],
            cure: |g, issue| {
                let id = issue.node.unwrap();
                g.nodes[id].control_deps.retain(|dep| *dep < id);
            },
        },
        Case {
            pass: "shape_inference",
            status: INVALID,
            node: Some(0),
            tensor: Some(2),
            hint: "declare the output as float32 [2, 2]",
            fault: |g| g.tensors[2].spec.shape = Shape::of([4, 1]),
            cure: |g, issue| g.tensors[issue.tensor.unwrap()].spec.shape = Shape::of([2, 2]),
        },
        Case {
            pass: "shape_inference",
            status: INVALID,
            node: Some(0),
            tensor: Some(0),
            hint: "declare tensors with the shapes and dtypes that the op takes",
            fault: |g| g.tensors[1].spec.dtype = DType::F64,
            cure: |g, _| g.tensors[1].spec.dtype = DType::F32,
        },
        Case {
            pass: "data_flow",
            status: INVALID,
            node: Some(1),
            tensor: Some(2),
            hint: "give every node an output tensor of its own",
            fault: |g| {
                g.nodes[1].outputs[0] = 2;
                g.nodes[1].inputs[0] = Some(1);
            },
            cure: |g, issue| {
                let own = g.tensors.len();
                g.tensors.push(g.tensors[issue.tensor.unwrap()].clone());
                g.nodes[issue.node.unwrap()].outputs[0] = own;
            },
        },
        Case {
            pass: "data_flow",
            status: INVALID,
            node: Some(0),
            tensor: Some(2),
            hint: "feed constants; declare results without constant",
            fault: |g| g.tensors[2].constant = true,
            cure: |g, issue| g.tensors[issue.tensor.unwrap()].constant = false,
        },
        Case {
            pass: "data_flow",
            status: INVALID,
            node: Some(0),
            tensor: None,
            hint: "break the cycle: one of its tensors must be fed",
            fault: |g| g.nodes[0].inputs[0] = Some(4),
            cure: |g, issue| g.nodes[issue.node.unwrap()].inputs[0] = Some(0),
        },
        Case {
            pass: "data_flow",
            status: INVALID,
            node: Some(0),
            tensor: Some(2),
            hint: "add the node that makes a tensor first",
            fault: |g| g.nodes.swap(0, 1),
            cure: |g, _| g.nodes.swap(0, 1),
        },
        Case {
            pass: "aliasing",
            status: INVALID,
            node: Some(1),
            tensor: Some(3),
            hint: "write results to tensors of their own",
            fault: |g| g.nodes[1].outputs[0] = 3,
            cure: |g, issue| g.nodes[issue.node.unwrap()].outputs[0] = 4,
        },
        Case {
            pass: "dead_tensor",
            status: None,
            node: None,
            tensor: Some(5),
            hint: "leave the tensor out",
            fault: |g| {
                g.tensor(&[7]).unwrap();
            },
            cure: |g, issue| {
                g.tensors.remove(issue.tensor.unwrap());
            },
        },
    ]
}

fn runs(graph: &Graph, runtime: &Runtime) {
    let fed = feeds(graph, 17);
    let want = naive(graph, &fed);
    let mut runner = Runner::new(graph.clone());
    let (options, passes) = (PlanOptions::default(), Passes::all());
    let done = runner.execute::<f32>(runtime, &views(graph, &fed), None, &options, &passes).unwrap();
    for (id, value) in &done.values {
        assert_close(value, &want[id], 1e-6, "cured");
    }
}

#[test]
fn every_hint_cures_what_it_is_about() {
    let runtime = host();
    let mut seen = Vec::new();
    for case in cases() {
        let mut graph = chain();
        (case.fault)(&mut graph);
        let report = validate(&graph, &runtime);
        let found = report.issues.iter().find(|issue| issue.pass == case.pass && issue.hint == case.hint);
        let issue = found.unwrap_or_else(|| panic!("{}, {}: {:?}", case.pass, case.hint, report.issues)).clone();
        assert_eq!((issue.status, issue.node, issue.tensor), (case.status, case.node, case.tensor), "{issue:?}");
        assert!(!issue.message.is_empty());
        if case.status.is_some() {
            assert!(!report.ok(), "{issue:?}");
            let error = issue.error();
            assert!(error.hint_text() == case.hint && error.to_string().contains(case.pass), "{error}");
        }
        (case.cure)(&mut graph, &issue);
        let report = validate(&graph, &runtime);
        assert!(report.ok() && report.issues.iter().all(|left| left.pass != case.pass), "{:?}", report.issues);
        runs(&graph, &runtime);
        seen.push(case.pass);
    }
    // What needs another runtime is below.
    for pass in PASSES.iter().filter(|pass| **pass != "backend_capability") {
        assert!(seen.contains(pass), "{pass}");
    }
}

#[test]
fn a_missing_kernel_is_cured_by_another_dtype_or_another_build() {
    // Recording devices have float32 kernels only.
    let (both, _) = with_gpu(DeviceKind::Metal);
    let lonely = Runtime::new(REGISTRY, vec![both.backend(DeviceKind::Metal).unwrap().clone()]);
    let mut graph = chain();
    for tensor in &mut graph.tensors {
        tensor.spec.dtype = DType::F64;
    }
    let report = validate(&graph, &lonely);
    let issue = &report.issues[0];
    assert_eq!((issue.pass, issue.status, issue.node), ("backend_capability", Some(ErrorKind::NotSupported), Some(0)));
    assert!(issue.hint.contains("another dtype") && issue.hint.contains("a device with a kernel"), "{}", issue.hint);
    assert!(validate(&graph, &both).issues.is_empty(), "another build");
    for tensor in &mut graph.tensors {
        tensor.spec.dtype = DType::F32;
    }
    assert!(validate(&graph, &lonely).issues.is_empty(), "another dtype");
}

#[test]
fn an_op_that_the_runtime_lacks_is_cured_by_one_that_it_lists() {
    static FEW: [&lc_core::OpDef; 2] = [&lc_ops::MATMUL, &lc_ops::ADD];
    let few = lc_core::Registry::new(&FEW);
    let runtime = Runtime::new(few, vec![common::Reference::new()]);
    let mut graph = chain();
    // The schema of an op of another build.
    graph.nodes[1].schema = schema::find(&REGISTRY, "sub").unwrap();
    let report = validate(&graph, &runtime);
    let issue = &report.issues[0];
    assert_eq!((issue.pass, issue.status, issue.node), ("schema_arity", Some(ErrorKind::NotSupported), Some(1)));
    assert!(issue.hint.contains("graph_registry_schemas lists"), "{}", issue.hint);
    assert!(!schema::schemas(&few).iter().any(|s| s.name == "sub"));
    graph.nodes[1].schema = schema::find(&few, "add").unwrap();
    assert!(validate(&graph, &runtime).issues.is_empty());
    runs(&graph, &runtime);
}
