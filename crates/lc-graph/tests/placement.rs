//! Placement by the cost model: which calls leave a device, what crossings cost, and what the report says of it.

mod common;

use common::{Random, with_gpu};
use lc_core::tune::{CostModel, Fit, Source, Transfer};
use lc_core::{DeviceKind, DeviceRequest, Fallback, Policy, Reason, Runtime, TuneMode};
use lc_graph::{Compiled, Graph, NodeOptions, Passes, PlanOptions, TensorId, compile, report};
use lc_ops::REGISTRY;

const CPU: DeviceKind = DeviceKind::Cpu;
const GPU: DeviceKind = DeviceKind::Metal;

fn fit(launch_ns: f64, ns_per_byte: f64) -> Fit {
    Fit { launch_ns, ns_per_flop: 0.0, ns_per_byte, error: 0.1 }
}

fn copies(start: f64, each: f64) -> Transfer {
    Transfer { upload_ns: start, upload_ns_per_byte: each, download_ns: 2.0 * start, download_ns_per_byte: each }
}

/// A model in which a launch on the GPU costs ten times as much as on the processor and a byte a tenth.
fn model() -> CostModel {
    let mut model = CostModel::new();
    for op in ["add", "mul", "activation", "softmax"] {
        model.set(CPU, op, fit(100.0, 1.0));
        model.set(GPU, op, fit(1000.0, 0.1));
    }
    model.set_transfer(GPU, copies(500.0, 0.05));
    model
}

fn runtime(model: CostModel) -> Runtime {
    with_gpu(GPU).0.with_cost_model(model)
}

fn add(graph: &mut Graph, op: &str, inputs: &[TensorId]) -> TensorId {
    let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
    graph.add(&REGISTRY, op, &inputs, &NodeOptions::default()).unwrap()[0]
}

/// Three calls, each on the result of the one before, on so many floats.
fn chain(len: usize) -> (Graph, TensorId) {
    let mut g = Graph::new();
    let (x, y) = (g.tensor(&[len]).unwrap(), g.tensor(&[len]).unwrap());
    let sum = add(&mut g, "add", &[x, y]);
    let product = add(&mut g, "mul", &[sum, y]);
    let out = add(&mut g, "activation", &[product]);
    (g, out)
}

fn plan(runtime: &Runtime, (graph, out): &(Graph, TensorId), options: &PlanOptions) -> Compiled {
    compile(graph, runtime, Some(&[*out]), options, &Passes { place: true, ..Passes::none() }).unwrap()
}

fn devices(plan: &Compiled) -> Vec<DeviceKind> {
    plan.units().iter().map(|unit| unit.device).collect()
}

#[test]
fn small_work_goes_to_the_processor_and_large_work_stays() {
    let runtime = runtime(model());
    let options = PlanOptions::default();
    let small = plan(&runtime, &chain(16), &options);
    assert_eq!(devices(&small), [CPU; 3]);
    for call in small.placed().iter().flatten() {
        let receipt = call.receipt();
        assert_eq!((receipt.reason, receipt.fallback), (Reason::Crossover, false));
        assert_eq!(receipt.requested, DeviceRequest::Auto);
    }
    let weighed = small.weighed().unwrap();
    assert!(weighed.taken && weighed.moved == 3 && weighed.split_ns < weighed.routed_ns, "{weighed:?}");
    // The report says so before anything has run.
    let text = report::text(&small, &report::Notes::default());
    assert!(text.contains("with 3 calls on the cpu: moved") && text.contains("measured to be faster here"), "{text}");
    assert!(report::json(&small, &report::Notes::default()).contains(r#""placement":{"device":"metal","routed_us":"#));
    let large = plan(&runtime, &chain(1 << 16), &options);
    assert_eq!(devices(&large), [GPU; 3]);
    assert!(!large.weighed().unwrap().taken);
    // Two uploads and a download, each with its start.
    let bytes = 4.0 * f64::from(1 << 16);
    let crossing = large.predicted().copies.unwrap();
    assert_eq!(crossing.source, Source::Measured);
    assert!((crossing.ns - (2.0 * 500.0 + 1000.0 + 3.0 * 0.05 * bytes)).abs() < 1e-6, "{crossing:?}");
    let launch = large.predicted().launches[2].unwrap();
    assert!((launch.ns - (1000.0 + 0.1 * 2.0 * bytes)).abs() < 1e-6, "{launch:?}");
    let total = large.predicted().total().unwrap();
    assert!((total.ns - large.weighed().unwrap().routed_ns).abs() < 1e-6);
}

#[test]
fn only_what_was_measured_moves_and_only_where_the_policy_lets_it() {
    let options = PlanOptions::default();
    let stays = |runtime: &Runtime, options: &PlanOptions| {
        let plan = plan(runtime, &chain(16), options);
        assert_eq!(devices(&plan), [GPU; 3]);
        plan.weighed().is_none()
    };
    assert!(stays(&with_gpu(GPU).0, &options), "nothing was measured");
    let mut without_copies = CostModel::new();
    without_copies.set(CPU, "add", fit(1.0, 0.0));
    without_copies.set(GPU, "add", fit(1e6, 0.0));
    assert!(stays(&runtime(without_copies), &options));
    let level = |policy: Policy| PlanOptions { level: policy.pack(), ..PlanOptions::default() };
    let off = level(Policy { tune: Some(TuneMode::Off), ..Policy::default() });
    assert!(stays(&runtime(model()), &off));
    let named = |fallback| PlanOptions {
        preferred: Some(DeviceRequest::Is(GPU)),
        ..level(Policy { fallback: Some(fallback), ..Policy::default() })
    };
    assert!(stays(&runtime(model()), &named(Fallback::Deny)));
    // A device that may be replaced is, and the receipt says that it was another that was asked for.
    let moved = plan(&runtime(model()), &chain(16), &named(Fallback::Warn));
    assert!(moved.units().iter().all(|unit| unit.device == CPU && unit.fallback));
    // A node that names its device keeps it.
    let (mut graph, out) = chain(16);
    graph.nodes[1].device = Some(DeviceRequest::Is(GPU));
    assert!(devices(&plan(&runtime(model()), &(graph, out), &options)).contains(&GPU));
}

/// A graph of up to seven calls on vectors and rows.
fn random_graph(random: &mut Random) -> (Graph, Vec<TensorId>) {
    let mut g = Graph::new();
    let len = [4, 256, 2048][random.below(3)];
    let mut pool: Vec<_> = (0..2).map(|_| g.tensor(&[len]).unwrap()).collect();
    for _ in 0..2 + random.below(6) {
        let (a, b) = (pool[random.below(pool.len())], pool[random.below(pool.len())]);
        pool.push(match random.below(4) {
            0 => add(&mut g, "add", &[a, b]),
            1 => add(&mut g, "mul", &[a, b]),
            2 => add(&mut g, "activation", &[a]),
            _ => add(&mut g, "softmax", &[a]),
        });
    }
    let mut wanted = vec![pool[pool.len() - 1]];
    wanted.extend(pool[2..pool.len() - 1].iter().copied().filter(|_| random.below(4) == 0));
    (g, wanted)
}

#[test]
fn the_split_is_the_best_of_all_assignments() {
    let mut random = Random(99);
    let mut taken = 0;
    for case in 0..60 {
        let mut model = CostModel::new();
        for op in ["add", "mul", "activation", "softmax"] {
            let mut any = |most: usize| random.below(most) as f64;
            model.set(
                CPU,
                op,
                Fit { launch_ns: any(300), ns_per_flop: 0.0, ns_per_byte: any(100) / 100.0, error: 0.1 },
            );
            model.set(GPU, op, Fit { launch_ns: any(900), ns_per_flop: 0.0, ns_per_byte: any(30) / 100.0, error: 0.1 });
        }
        model.set_transfer(GPU, copies(random.below(500) as f64, random.below(20) as f64 / 100.0));
        let runtime = runtime(model);
        let (graph, wanted) = random_graph(&mut random);
        let plan = |graph: &Graph| {
            compile(graph, &runtime, Some(&wanted), &PlanOptions::default(), &Passes { place: true, ..Passes::none() })
                .unwrap()
        };
        // Every way to pin the nodes, with the price of the plan that comes of it.
        let price = |set: usize| {
            let mut pinned = graph.clone();
            for (id, node) in pinned.nodes.iter_mut().enumerate() {
                node.device = Some(DeviceRequest::Is(if set & (1 << id) == 0 { CPU } else { GPU }));
            }
            plan(&pinned).predicted().total().unwrap().ns
        };
        let best = (0..1usize << graph.nodes.len()).map(price).fold(f64::INFINITY, f64::min);
        let free = plan(&graph);
        let weighed = free.weighed().unwrap();
        assert!((weighed.split_ns - best).abs() < 1e-3, "case {case}: {weighed:?}, but {best}");
        assert!((weighed.routed_ns - price((1 << graph.nodes.len()) - 1)).abs() < 1e-3, "case {case}");
        if weighed.taken {
            taken += 1;
            assert!((free.predicted().total().unwrap().ns - best).abs() < 1e-3, "case {case}");
        }
    }
    assert!((10..50).contains(&taken), "{taken} of 60 moved something");
}

#[test]
fn a_moved_call_computes_the_same() {
    // The recording device computes nothing: that the result is right shows that everything ran on the processor.
    let runtime = runtime(model());
    let (graph, out) = chain(16);
    let fed = common::feeds(&graph, 3);
    let want = common::naive(&graph, &fed);
    let mut runner = lc_graph::Runner::new(graph.clone());
    let (options, passes) = (PlanOptions::default(), Passes { place: true, ..Passes::none() });
    let done = runner.execute::<f32>(&runtime, &common::views(&graph, &fed), Some(&[out]), &options, &passes).unwrap();
    common::assert_close(&done.values[&out], &want[&out], 1e-6, "moved");
}
