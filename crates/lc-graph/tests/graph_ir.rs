//! Building, validating, planning and running graphs, with the cases of the first release's test.

mod common;

use common::{assert_close, feeds, host, naive, views, with_gpu};
use lc_core::null::Action;
use lc_core::{
    AttrValue, DType, DeviceKind, DeviceRequest, ErrorKind, Fallback, Policy, Shape, SyncMode, TensorRef, TensorSpec,
    policy,
};
use lc_graph::validate::PASSES;
use lc_graph::{Graph, Layout, NodeOptions, Passes, PlanOptions, Runner, TensorId, compile, schema, schemas, validate};
use lc_ops::{ConvAttentionAttrs, REGISTRY};

fn some(ids: &[TensorId]) -> Vec<Option<TensorId>> {
    ids.iter().copied().map(Some).collect()
}

fn node(graph: &mut Graph, op: &str, inputs: &[TensorId], outputs: &[TensorId]) -> usize {
    graph.add_node(&REGISTRY, op, &some(inputs), outputs, &NodeOptions::default()).unwrap()
}

fn on(kind: DeviceKind) -> PlanOptions {
    PlanOptions { preferred: Some(DeviceRequest::Is(kind)), ..PlanOptions::default() }
}

fn allow<R>(run: impl FnOnce() -> R) -> R {
    policy::scoped(&Policy { fallback: Some(Fallback::Allow), ..Policy::default() }, run)
}

/// matmul of two 2×2 matrices, then vector_add.
fn chain() -> Graph {
    let mut graph = Graph::new();
    let ids: Vec<_> = (0..5).map(|_| graph.tensor(&[2, 2]).unwrap()).collect();
    node(&mut graph, "matmul", &[ids[0], ids[1]], &[ids[2]]);
    node(&mut graph, "vector_add", &[ids[2], ids[3]], &[ids[4]]);
    graph
}

#[test]
fn schemas_start_with_the_first_releases() {
    let all = schemas(&REGISTRY);
    let names: Vec<_> = all.iter().map(|s| s.name).collect();
    let first = ["matmul", "vector_add", "matrix_sub", "matrix_div", "attention_forward", "conv2d_nchw3x3s1p1"];
    assert_eq!(names[..6], first);
    for op in REGISTRY.ops() {
        assert!(names.contains(&op.name), "{}", op.name);
    }
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len());
    assert_eq!(schema::find(&REGISTRY, "conv3d").unwrap_err().kind(), ErrorKind::InvalidValue);
    let conv = schema::find(&REGISTRY, "conv2d_nchw3x3s1p1").unwrap();
    assert_eq!((conv.min_inputs, conv.max_inputs, conv.outputs), (2, 3, 1));
}

#[test]
fn the_chain_of_the_first_release() {
    let runtime = host();
    let graph = chain();
    assert!(validate(&graph, &runtime).issues.is_empty());
    let a = [1.0f32, 2.0, 3.0, 4.0];
    let b = [5.0f32, 6.0, 7.0, 8.0];
    let c = [1.0f32, 2.0, 3.0, 4.0];
    let mut runner = Runner::new(graph);
    let fed: Vec<_> = [(0, &a), (1, &b), (3, &c)].map(|(id, d)| (id, TensorRef::new(d, &[2, 2]).unwrap())).to_vec();
    let done = runner.execute::<f32>(&runtime, &fed, None, &PlanOptions::default(), &Passes::none()).unwrap();
    assert_eq!(done.values[&4], [20.0, 24.0, 46.0, 54.0]);
    assert_eq!(done.values.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(done.receipt.launches.len(), 2);
    // The plan is kept until the graph changes.
    let again = runner.execute::<f32>(&runtime, &fed, None, &PlanOptions::default(), &Passes::none()).unwrap();
    assert!(std::sync::Arc::ptr_eq(&done.compiled, &again.compiled));
}

#[test]
fn building_refuses_what_it_can_see() {
    let mut graph = Graph::new();
    assert!(graph.tensor(&[]).is_err());
    assert!(graph.tensor(&[2, 0]).is_err());
    assert!(graph.tensor(&[usize::MAX, 2]).is_err());
    let a = graph.tensor(&[2, 2]).unwrap();
    let add = |graph: &mut Graph, op: &str, inputs: &[Option<TensorId>], outputs: &[TensorId], deps: &[usize]| {
        let options = NodeOptions { control_deps: deps, ..NodeOptions::default() };
        graph.add_node(&REGISTRY, op, inputs, outputs, &options).map(drop)
    };
    assert!(add(&mut graph, "matmul", &[Some(a)], &[a], &[]).is_err());
    assert!(add(&mut graph, "matmul", &[Some(a), None], &[a], &[]).is_err());
    assert!(add(&mut graph, "matmul", &[Some(a); 5], &[a], &[]).is_err());
    assert!(add(&mut graph, "matmul", &[Some(a), Some(a)], &[], &[]).is_err());
    assert!(add(&mut graph, "matmul", &[Some(a), Some(7)], &[a], &[]).is_err());
    assert!(add(&mut graph, "matmul", &[Some(a), Some(a)], &[a], &[0]).is_err());
    assert!(add(&mut graph, "softmax", &[Some(a)], &[a], &[3]).is_err());
    let options = NodeOptions { attrs: &[("stride", AttrValue::Int(1))], ..NodeOptions::default() };
    assert!(graph.add_node(&REGISTRY, "matmul", &[Some(a), Some(a)], &[a], &options).is_err());
    assert!(graph.nodes.is_empty());
    // The builder that infers.
    let b = graph.tensor(&[3, 5]).unwrap();
    let before = graph.tensors.len();
    assert!(graph.add(&REGISTRY, "matmul", &[Some(a), Some(b)], &NodeOptions::default()).is_err());
    assert!(graph.view(&REGISTRY, b, 10, &[6]).is_err());
    assert_eq!((graph.tensors.len(), graph.nodes.len()), (before, 0));
    let tail = graph.view(&REGISTRY, b, 9, &[2, 3]).unwrap();
    let out = graph.add(&REGISTRY, "matmul", &[Some(a), Some(tail)], &NodeOptions::default()).unwrap();
    assert_eq!(graph.tensors[out[0]].spec.shape.dims(), [2, 3]);
}

fn issues(graph: &Graph) -> Vec<(&'static str, Option<usize>, Option<usize>)> {
    let report = validate(graph, &host());
    for issue in &report.issues {
        assert!(!issue.message.is_empty() && !issue.hint.is_empty());
    }
    report.issues.iter().map(|i| (i.pass, i.node, i.tensor)).collect()
}

#[test]
fn validation_finds_each_kind_of_fault() {
    assert_eq!(
        PASSES[..5],
        ["tensor_spec", "schema_arity", "tensor_reference", "control_dependency", "backend_capability"]
    );
    // D1: shapes are checked before execution.
    let mut graph = chain();
    graph.tensors[4].spec.shape = Shape::of([3]);
    assert_eq!(issues(&graph), [("shape_inference", Some(1), Some(2))]);
    let mut graph = chain();
    graph.tensors[2].spec.shape = Shape::of([4, 1]);
    assert_eq!(issues(&graph), [("shape_inference", Some(0), Some(2))]);
    let mut graph = chain();
    graph.tensors[1].spec.dtype = DType::F64;
    assert_eq!(issues(&graph), [("shape_inference", Some(0), Some(0))]);
    let mut graph = chain();
    graph.tensors[0].spec.shape = Shape::of([0, 2]);
    assert_eq!(issues(&graph)[0], ("tensor_spec", None, Some(0)));
    let mut graph = chain();
    graph.nodes[0].inputs.pop();
    assert_eq!(issues(&graph), [("schema_arity", Some(0), None), ("dead_tensor", None, Some(1))]);
    let mut graph = chain();
    graph.nodes[0].inputs[1] = Some(9);
    assert_eq!(issues(&graph)[0], ("tensor_reference", Some(0), Some(9)));
    let mut graph = chain();
    graph.nodes[0].control_deps = vec![1];
    assert_eq!(issues(&graph)[0], ("control_dependency", Some(0), None));
    // Two producers.
    let mut graph = chain();
    graph.nodes[1].outputs[0] = 2;
    graph.nodes[1].inputs[0] = Some(4);
    assert_eq!(issues(&graph), [("data_flow", Some(1), Some(2))]);
    // Use before definition.
    let mut graph = chain();
    graph.nodes.swap(0, 1);
    assert_eq!(issues(&graph), [("data_flow", Some(0), Some(2))]);
    // A cycle, and a node behind it that is in none.
    let mut graph = chain();
    graph.nodes[0].inputs[0] = Some(4);
    let (tail, zero) = (graph.tensor(&[2, 2]).unwrap(), 0);
    node(&mut graph, "vector_add", &[4, zero], &[tail]);
    assert_eq!(issues(&graph), [("data_flow", Some(0), None), ("data_flow", Some(1), None)]);
    // In place.
    let mut graph = chain();
    graph.nodes[1].outputs[0] = 3;
    let found = issues(&graph);
    assert!(found.contains(&("aliasing", Some(1), Some(3))), "{found:?}");
    // A constant that is made.
    let mut graph = chain();
    graph.tensors[2].constant = true;
    assert_eq!(issues(&graph), [("data_flow", Some(0), Some(2))]);
    // A warning leaves the graph sound.
    let mut graph = chain();
    graph.tensor(&[7]).unwrap();
    let report = validate(&graph, &host());
    assert!(report.ok() && report.issues[0].pass == "dead_tensor" && report.issues[0].status_text() == "warning");
    // A flat part of a transposed tensor has no strides.
    let mut graph = Graph::new();
    let x = graph.tensor(&[2, 3]).unwrap();
    let t = graph.add(&REGISTRY, "transpose", &[Some(x)], &NodeOptions::default()).unwrap()[0];
    graph.view(&REGISTRY, t, 0, &[6]).unwrap();
    let error = compile(&graph, &host(), None, &PlanOptions::default(), &Passes::none()).unwrap_err();
    assert!(error.hint_text().contains("pack"), "{error}");
}

#[test]
fn a_device_that_lacks_the_op_is_a_capability_issue() {
    // Recording devices have float32 kernels only.
    let (runtime, _) = with_gpu(DeviceKind::Metal);
    let lonely = lc_core::Runtime::new(REGISTRY, vec![runtime.backend(DeviceKind::Metal).unwrap().clone()]);
    let mut graph = chain();
    for tensor in &mut graph.tensors {
        tensor.spec.dtype = DType::F64;
    }
    let report = validate(&graph, &lonely);
    assert_eq!(report.status(), Some(ErrorKind::NotSupported));
    assert!(report.issues.iter().all(|i| i.pass == "backend_capability"));
    assert_eq!(report.into_result().unwrap_err().kind(), ErrorKind::NotSupported);
    assert!(validate(&graph, &runtime).ok());
}

#[test]
fn d7_conv_runs_on_the_cpu_with_any_padding_and_preferred_cpu_is_cpu() {
    let runtime = host();
    for (op, pad) in [("conv2d_nchw3x3s1p1", 1), ("conv2d", 0)] {
        let mut graph = Graph::new();
        let x = graph.tensor(&[1, 2, 5, 4]).unwrap();
        let w = graph.tensor(&[3, 2, 3, 3]).unwrap();
        let b = graph.tensor(&[3]).unwrap();
        let out = graph.tensor(&[1, 3, 3 + 2 * pad, 2 + 2 * pad]).unwrap();
        node(&mut graph, op, &[x, w, b], &[out]);
        assert!(validate(&graph, &runtime).issues.is_empty());
        let plan = compile(&graph, &runtime, None, &on(DeviceKind::Cpu), &Passes::none()).unwrap();
        assert_eq!((plan.units()[0].device, plan.units()[0].fallback), (DeviceKind::Cpu, false));
        let fed = feeds(&graph, 7);
        let want = naive(&graph, &fed);
        let mut runner = Runner::new(graph.clone());
        let options = on(DeviceKind::Cpu);
        let got = runner.execute::<f32>(&runtime, &views(&graph, &fed), None, &options, &Passes::none()).unwrap();
        assert_close(&got.values[&out], &want[&out], 1e-6, op);
    }
    // The legacy name keeps its meaning.
    let conv = schema::find(&REGISTRY, "conv2d_nchw3x3s1p1").unwrap();
    assert!(conv.with_attrs(&[("stride_h", AttrValue::Int(2))]).unwrap_err().hint_text().contains("conv2d"));
    assert!(conv.with_attrs(&[("activation", AttrValue::Choice(1))]).is_ok());
}

#[test]
fn an_absent_device_falls_back_and_says_so() {
    let runtime = host();
    allow(|| {
        let plan = compile(&chain(), &runtime, None, &on(DeviceKind::Metal), &Passes::none()).unwrap();
        assert!(plan.units().iter().all(|u| u.device == DeviceKind::Cpu && u.fallback));
        assert_eq!(plan.groups().len(), 1);
        let always = PlanOptions { sync: SyncMode::Always, ..on(DeviceKind::Cuda) };
        let plan = compile(&chain(), &runtime, None, &always, &Passes::none()).unwrap();
        assert_eq!(plan.groups().len(), 2);
        assert!(plan.groups().iter().all(|g| g.sync_after));
    });
    let deny = Policy { fallback: Some(Fallback::Deny), ..Policy::default() };
    let denied = policy::scoped(&deny, || compile(&chain(), &runtime, None, &on(DeviceKind::Metal), &Passes::none()));
    assert_eq!(denied.unwrap_err().kind(), ErrorKind::NotSupported);
}

/// How often the recording device launched, waited, took and gave data.
fn counts(log: &[Action]) -> [usize; 4] {
    let count = |f: fn(&Action) -> bool| log.iter().filter(|a| f(a)).count();
    [
        count(|a| matches!(a, Action::Launch(_))),
        count(|a| matches!(a, Action::Synchronize(_))),
        count(|a| matches!(a, Action::Upload(_))),
        count(|a| matches!(a, Action::Download(_))),
    ]
}

/// Runs on a recording GPU, with float64 nodes falling to the reference device.
fn record(graph: &Graph, wanted: Option<&[TensorId]>, options: &PlanOptions) -> Vec<Action> {
    let (runtime, gpu) = with_gpu(DeviceKind::Metal);
    let fed = feeds(graph, 3);
    let mut runner = Runner::new(graph.clone());
    allow(|| runner.execute::<f32>(&runtime, &views(graph, &fed), wanted, options, &Passes::none())).unwrap();
    gpu.take_log()
}

/// Three additions, one after the other; the middle one pinned to a device.
fn three(middle: Option<DeviceKind>) -> Graph {
    let mut graph = Graph::new();
    let ids: Vec<_> = (0..5).map(|_| graph.tensor(&[4]).unwrap()).collect();
    for (i, pinned) in [None, middle, None].into_iter().enumerate() {
        let (a, out) = if i == 0 { (0, 2) } else { (i + 1, i + 2) };
        let options = NodeOptions { device: pinned.map(DeviceRequest::Is), ..NodeOptions::default() };
        graph.add_node(&REGISTRY, "add", &some(&[ids[a], ids[1]]), &[ids[out]], &options).unwrap();
    }
    graph
}

#[test]
fn d3_boundaries_wait_by_sync_mode() {
    let gpu = on(DeviceKind::Metal);
    let with = |sync| PlanOptions { sync, ..gpu };
    // One upload each for two feeds, one download for the wanted result.
    assert_eq!(counts(&record(&three(None), Some(&[4]), &with(SyncMode::Auto))), [3, 1, 2, 1]);
    assert_eq!(counts(&record(&three(None), Some(&[4]), &with(SyncMode::Never))), [3, 1, 2, 1]);
    assert_eq!(counts(&record(&three(None), Some(&[4]), &with(SyncMode::Always))), [3, 3, 2, 1]);
    // All values wanted: three downloads after one wait.
    assert_eq!(counts(&record(&three(None), None, &with(SyncMode::Auto))), [3, 1, 2, 3]);
    // The middle node on the CPU: its operand comes back, its result goes there again.
    let mixed = three(Some(DeviceKind::Cpu));
    assert_eq!(counts(&record(&mixed, Some(&[4]), &with(SyncMode::Auto))), [2, 2, 3, 2]);
    assert_eq!(counts(&record(&mixed, Some(&[4]), &with(SyncMode::Never))), [2, 1, 3, 2]);
    let log = record(&mixed, Some(&[4]), &with(SyncMode::Auto));
    let wait = log.iter().position(|a| matches!(a, Action::Synchronize(1))).unwrap();
    let back = log.iter().position(|a| matches!(a, Action::Download(_))).unwrap();
    assert!(wait < back, "{log:?}");
    // A value that comes back in the middle and is wanted comes back once.
    assert_eq!(counts(&record(&mixed, Some(&[2, 4]), &with(SyncMode::Auto)))[3], 2);
}

#[test]
fn d1_every_option_of_the_planner_has_an_effect() {
    let gpu = on(DeviceKind::Metal);
    let mixed = three(Some(DeviceKind::Cpu));
    // insert_sync_on_device_change
    let off = PlanOptions { insert_sync_on_device_change: false, ..gpu };
    assert_eq!(counts(&record(&mixed, Some(&[4]), &off))[1], 1);
    assert_eq!(counts(&record(&mixed, Some(&[4]), &gpu))[1], 2);
    let (runtime, _) = with_gpu(DeviceKind::Metal);
    let groups = |graph: &Graph, runtime: &lc_core::Runtime, options: &PlanOptions| {
        allow(|| compile(graph, runtime, None, options, &Passes::none())).unwrap().groups().to_vec()
    };
    let flags = |options: &PlanOptions| -> Vec<_> {
        groups(&mixed, &runtime, options).iter().map(|g| (g.sync_before, g.sync_after)).collect()
    };
    assert_eq!(flags(&gpu), [(false, true), (true, true), (true, false)]);
    assert_eq!(flags(&off), [(false, false); 3]);
    // trace_sync_boundary
    let traced = PlanOptions { trace_sync_boundary: true, ..off };
    assert_eq!(flags(&traced), [(false, true), (true, true), (true, true)]);
    assert_eq!(flags(&PlanOptions { sync: SyncMode::Never, ..traced }), [(false, false); 3]);
    // separate_fallback_segments: the pinned node runs on the CPU by its own wish, its neighbours because there is no CUDA.
    let host = host();
    let cuda = on(DeviceKind::Cuda);
    assert_eq!(groups(&mixed, &host, &cuda).len(), 3);
    let joined = groups(&mixed, &host, &PlanOptions { separate_fallback_segments: false, ..cuda });
    assert_eq!((joined.len(), joined[0].fallback, joined[0].nodes.clone()), (1, true, vec![0, 1, 2]));
}

#[test]
fn d1_control_dependencies_order_devices() {
    // A node on the GPU, and one on the CPU that shares no data with it.
    let build = |deps: &[usize]| {
        let mut graph = Graph::new();
        let ids: Vec<_> = (0..4).map(|_| graph.tensor(&[4]).unwrap()).collect();
        node(&mut graph, "add", &[ids[0], ids[1]], &[ids[2]]);
        let device = Some(DeviceRequest::Is(DeviceKind::Cpu));
        let options = NodeOptions { control_deps: deps, device, ..NodeOptions::default() };
        graph.add_node(&REGISTRY, "mul", &some(&[ids[0], ids[1]]), &[ids[3]], &options).unwrap();
        graph
    };
    let gpu = PlanOptions { insert_sync_on_device_change: false, ..on(DeviceKind::Metal) };
    let steps = |graph: &Graph| {
        let (runtime, _) = with_gpu(DeviceKind::Metal);
        let plan = compile(graph, &runtime, Some(&[2, 3]), &gpu, &Passes::all()).unwrap();
        format!("{:?}", plan.plan().steps.iter().map(|s| format!("{s:?}")[..4].to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(steps(&build(&[])), r#"["Uplo", "Uplo", "Laun", "Laun", "Wait", "Down"]"#);
    assert_eq!(steps(&build(&[0])), r#"["Uplo", "Uplo", "Laun", "Wait", "Laun", "Down"]"#);
    // A dependency keeps a node alive whose result nobody wants.
    let (runtime, _) = with_gpu(DeviceKind::Metal);
    let calls =
        |deps: &[usize]| compile(&build(deps), &runtime, Some(&[3]), &gpu, &Passes::all()).unwrap().program().len();
    assert_eq!((calls(&[]), calls(&[0])), (1, 2));
}

#[test]
fn d1_layout_constant_and_name_have_meaning() {
    let runtime = host();
    let mut graph = Graph::new();
    let x = graph.add_tensor(&[2, 3], DType::F32, Layout::Strided, "x", false).unwrap();
    let w = graph.add_tensor(&[3, 2], DType::F32, Layout::Contiguous, "weight", true).unwrap();
    let out = graph.add(&REGISTRY, "matmul", &some(&[x, w]), &NodeOptions::default()).unwrap()[0];
    let mut runner = Runner::new(graph);
    let data = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
    let weight = [1.0f32, 0.0, 0.0, 1.0, 1.0, 1.0];
    let strided = TensorRef::strided(&data, 0, &[2, 3], &[1, 2]).unwrap();
    let passes = Passes::all();
    let options = PlanOptions::default();
    let missing = runner.execute::<f32>(&runtime, &[(x, strided)], Some(&[out]), &options, &passes).unwrap_err();
    assert!(missing.to_string().contains("weight"), "{missing}");
    let weight = TensorRef::new(&weight, &[3, 2]).unwrap();
    let first = runner.execute::<f32>(&runtime, &[(x, strided), (w, weight)], Some(&[out]), &options, &passes).unwrap();
    // [1 3 5; 2 4 6] · w
    assert_eq!(first.values[&out], [6.0, 8.0, 8.0, 10.0]);
    let second = runner.execute::<f32>(&runtime, &[(x, strided)], Some(&[out]), &options, &passes).unwrap();
    assert_eq!(second.values[&out], first.values[&out]);
}

#[test]
fn bad_feeds_are_typed_errors() {
    let runtime = host();
    let graph = chain();
    let four = [0.0f32; 4];
    let five = [0.0f32; 5];
    let double = [0.0f64; 4];
    let ok = TensorRef::new(&four, &[2, 2]).unwrap();
    let mut runner = Runner::new(graph);
    let mut run = |feeds: &[(TensorId, TensorRef<'_>)]| {
        runner.execute::<f32>(&runtime, feeds, None, &PlanOptions::default(), &Passes::none()).map(|v| v.values.len())
    };
    assert!(run(&[(0, ok), (1, ok)]).unwrap_err().to_string().contains("tensor 3"));
    assert!(run(&[(0, ok), (1, ok), (3, TensorRef::new(&five, &[5]).unwrap())]).is_err());
    assert!(run(&[(0, ok), (1, ok), (3, TensorRef::new(&double, &[2, 2]).unwrap())]).is_err());
    assert!(run(&[(0, ok), (1, ok), (3, ok), (9, ok)]).is_err());
    // Another shape of as many elements is fine, and so is a fed intermediate, which its node makes anew.
    let flat = TensorRef::new(&four, &[4]).unwrap();
    assert_eq!(run(&[(0, ok), (1, flat), (3, ok), (2, ok)]).unwrap(), 5);
    let mut doubles = Runner::new(chain());
    let error = doubles.execute::<f64>(&runtime, &[], None, &PlanOptions::default(), &Passes::none()).unwrap_err();
    assert!(error.to_string().contains("float64"), "{error}");
}

#[test]
fn views_share_memory_and_wanted_views_are_right() {
    let runtime = host();
    let mut graph = Graph::new();
    let x = graph.tensor(&[4, 6]).unwrap();
    let y = graph.add(&REGISTRY, "activation", &[Some(x)], &NodeOptions::default()).unwrap()[0];
    let part = graph.view(&REGISTRY, y, 5, &[3, 4]).unwrap();
    let turned = graph.add(&REGISTRY, "transpose", &[Some(part)], &NodeOptions::default()).unwrap()[0];
    let product = graph.add(&REGISTRY, "matmul", &some(&[part, turned]), &NodeOptions::default()).unwrap()[0];
    let of_feed = graph.view(&REGISTRY, x, 20, &[2, 2]).unwrap();
    let fed = feeds(&graph, 11);
    let want = naive(&graph, &fed);
    for passes in [Passes::none(), Passes::all()] {
        let mut runner = Runner::new(graph.clone());
        let wanted = [part, turned, product, of_feed];
        let done = runner
            .execute::<f32>(&runtime, &views(&graph, &fed), Some(&wanted), &PlanOptions::default(), &passes)
            .unwrap();
        for id in wanted {
            assert_close(&done.values[&id], &want[&id], 1e-6, "view");
        }
        assert_eq!(done.receipt.launches.len(), 2);
    }
    // A feed that is read in parts may still be strided: it is gathered first.
    let columns: Vec<f32> = (0..24).map(|i| fed[&x][i % 4 * 6 + i / 4]).collect();
    let strided = TensorRef::strided(&columns, 0, &[4, 6], &[1, 4]).unwrap();
    let mut runner = Runner::new(graph);
    let done = runner
        .execute::<f32>(&runtime, &[(x, strided)], Some(&[of_feed, product]), &PlanOptions::default(), &Passes::all())
        .unwrap();
    assert_close(&done.values[&of_feed], &want[&of_feed], 0.0, "view of a strided feed");
    assert_close(&done.values[&product], &want[&product], 1e-6, "product");
}

#[test]
fn intermediates_share_an_arena() {
    let runtime = host();
    let mut graph = Graph::new();
    let mut last = graph.tensor(&[1024]).unwrap();
    for _ in 0..10 {
        last = graph.add(&REGISTRY, "activation", &[Some(last)], &NodeOptions::default()).unwrap()[0];
    }
    let plan = |passes: &Passes| compile(&graph, &runtime, Some(&[last]), &PlanOptions::default(), passes).unwrap();
    let apart = || Passes::all().without("elementwise_chain").unwrap();
    let shared = plan(&apart()).memory().clone();
    assert_eq!((shared.peak(), shared.live, shared.without_sharing), (2 * 4096, 2 * 4096, 9 * 4096));
    assert_eq!(plan(&apart().without("lower").unwrap()).memory().peak(), 9 * 4096);
    assert!(Passes::all().without("magic").is_err());
}

#[test]
fn empty_graphs_and_lone_feeds_run() {
    let runtime = host();
    let done = Runner::new(Graph::new())
        .execute::<f32>(&runtime, &[], None, &PlanOptions::default(), &Passes::none())
        .unwrap();
    assert!(done.values.is_empty());
    let mut graph = Graph::new();
    let x = graph.tensor(&[2]).unwrap();
    let data = [1.0f32, 2.0];
    let fed = [(x, TensorRef::new(&data, &[2]).unwrap())];
    let done =
        Runner::new(graph).execute::<f32>(&runtime, &fed, None, &PlanOptions::default(), &Passes::none()).unwrap();
    assert_eq!(done.values[&x], data);
}

#[test]
fn b2_conv_attention_graph_rectifies_and_packs_as_eager_does() {
    let runtime = host();
    let plain = |s, d| ConvAttentionAttrs { pad_h: 1, pad_w: 1, ..ConvAttentionAttrs::new(s, d) };
    let cases = [
        (plain(48, 48), [1, 3, 8, 8], [16, 3, 3, 3], true),
        (plain(5, 7), [1, 3, 8, 8], [16, 3, 3, 3], true),
        (plain(9, 5), [2, 2, 6, 5], [4, 2, 3, 3], false),
        (ConvAttentionAttrs { stride_h: 2, ..ConvAttentionAttrs::new(6, 4) }, [1, 2, 9, 7], [3, 2, 5, 2], true),
    ];
    for (attrs, x, w, bias) in cases {
        let spec = |dims: &[usize]| TensorSpec::new(DType::F32, Shape::new(dims).unwrap());
        let mut random = common::Random(attrs.seq_len as u64);
        let (xs, ws) = (spec(&x), spec(&w));
        let data = random.values(xs.shape.numel());
        let filter = random.values(ws.shape.numel());
        let offset = random.values(w[0]);
        let inputs = [
            Some(TensorRef::new(&data, &x).unwrap()),
            Some(TensorRef::new(&filter, &w).unwrap()),
            bias.then(|| TensorRef::new(&offset, &w[..1]).unwrap()),
        ];
        let widened: Vec<_> = inputs
            .iter()
            .map(|t| {
                t.as_ref().map(|t| {
                    let mut values = Vec::new();
                    t.for_each(|v| values.push(v));
                    lc_core::RefTensor { shape: *t.shape(), data: values }
                })
            })
            .collect();
        let want = (lc_ops::CONV_ATTENTION.reference)(&attrs.into(), &widened).remove(0).data;
        let mut out = vec![0f32; attrs.seq_len * attrs.head_dim];
        let len = out.len();
        let mut target = lc_core::TensorMut::new(&mut out, &[len]).unwrap();
        let (x, w, b) = (inputs[0].unwrap(), inputs[1].unwrap(), inputs[2]);
        let options = on(DeviceKind::Cpu);
        lc_graph::conv_attention::conv_attention(&runtime, &x, &w, b.as_ref(), &attrs, &mut target, &options).unwrap();
        assert_close(&out, &want, 1e-5, "conv attention");
        // Node by node, too.
        let specs = (x.spec(), w.spec(), b.as_ref().map(|b| b.spec()));
        let (graph, result) =
            lc_graph::conv_attention::conv_attention_graph(&REGISTRY, specs.0, specs.1, specs.2, &attrs).unwrap();
        let fed: Vec<_> = [Some(x), Some(w), b].into_iter().flatten().enumerate().collect();
        let done = Runner::new(graph)
            .execute::<f32>(&runtime, &fed, Some(&[result]), &PlanOptions::default(), &Passes::none())
            .unwrap();
        assert_close(&done.values[&result], &want, 1e-5, "conv attention, node by node");
    }
    lc_graph::conv_attention::clear_cache();
}

#[test]
fn ab_report_compares_and_refuses_bad_options() {
    use lc_graph::ab::{AbOptions, compare};
    let fill = |x: f32| {
        move |out: &mut [f32]| {
            out.fill(x);
            Ok(())
        }
    };
    let options = AbOptions { repeat: 2, ..AbOptions::default() };
    let report = compare(3, &options, fill(2.0), fill(2.0)).unwrap();
    assert!(report.allclose && report.max_abs_diff == 0.0);
    let report = compare(3, &options, fill(2.0), fill(2.5)).unwrap();
    assert!(!report.allclose && report.max_abs_diff == 0.5 && report.mean_abs_diff == 0.5);
    assert!((report.max_rel_diff - 0.25).abs() < 1e-9);
    assert!(!compare(1, &options, fill(f32::NAN), fill(1.0)).unwrap().allclose);
    assert!(compare(1, &options, fill(f32::NAN), fill(f32::NAN)).unwrap().allclose);
    assert!(compare(1, &AbOptions { repeat: 0, ..options }, fill(1.0), fill(1.0)).is_err());
    assert!(compare(1, &AbOptions { atol: -1.0, ..options }, fill(1.0), fill(1.0)).is_err());
    assert!(compare(1, &AbOptions { rtol: f64::NAN, ..options }, fill(1.0), fill(1.0)).is_err());
}
