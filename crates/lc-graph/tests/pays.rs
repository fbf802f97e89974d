//! Which fusions pay: by fitted costs, by a race, and by what the tuning store kept of one.

mod common;

use common::{Reference, feeds, naive, views};
use lc_core::tune::{Book, CostModel, Entry, Fit, Record, Store};
use lc_core::{Activation, AttrValue, DeviceKind, OpDef, Policy, Runtime, TuneMode};
use lc_graph::{Compiled, Graph, NodeOptions, Passes, PlanOptions, Runner, TensorId, compile, report};
use lc_ops::REGISTRY;
use std::sync::Arc;

fn add(graph: &mut Graph, op: &str, inputs: &[TensorId], attrs: &[(&str, AttrValue)]) -> TensorId {
    let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
    graph.add(&REGISTRY, op, &inputs, &NodeOptions { attrs, ..NodeOptions::default() }).unwrap()[0]
}

/// softmax(q kᵀ + mask) v.
fn attention() -> (Graph, TensorId) {
    let mut g = Graph::new();
    let [q, k, v] = [0; 3].map(|_| g.tensor(&[12, 8]).unwrap());
    let mask = g.tensor(&[12, 12]).unwrap();
    let kt = add(&mut g, "transpose", &[k], &[]);
    let scores = add(&mut g, "matmul", &[q, kt], &[]);
    let masked = add(&mut g, "add", &[scores, mask], &[]);
    let p = add(&mut g, "softmax", &[masked], &[]);
    let out = add(&mut g, "matmul", &[p, v], &[]);
    (g, out)
}

/// A product and its activation.
fn layer() -> (Graph, TensorId) {
    let mut g = Graph::new();
    let (x, w) = (g.tensor(&[6, 8]).unwrap(), g.tensor(&[8, 4]).unwrap());
    let product = add(&mut g, "matmul", &[x, w], &[]);
    let out = add(&mut g, "activation", &[product], &[("kind", AttrValue::Choice(Activation::Relu as u8))]);
    (g, out)
}

fn tuning(mode: TuneMode, tune_ms: u16) -> PlanOptions {
    let policy = Policy { tune: Some(mode), tune_ms: Some(tune_ms), ..Policy::default() };
    PlanOptions { level: policy.pack(), ..PlanOptions::default() }
}

fn plan(runtime: &Runtime, (graph, out): &(Graph, TensorId), options: &PlanOptions) -> Compiled {
    compile(graph, runtime, Some(&[*out]), options, &Passes::all()).unwrap()
}

fn ops(plan: &Compiled) -> Vec<&'static str> {
    plan.program().iter().map(|(_, call)| call.op.name).collect()
}

fn store() -> Arc<Store> {
    Arc::new(Store::in_memory(Book::default()))
}

fn host(wrong: Option<&'static OpDef>) -> Runtime {
    Runtime::new(REGISTRY, vec![Reference::with_fault(wrong)]).with_store(store())
}

/// A model in which a call of each op takes so many nanoseconds, with fits that are off by `error`.
fn model(times: &[(&str, f64)], error: f64) -> CostModel {
    let mut model = CostModel::new();
    for (op, ns) in times {
        model.set(DeviceKind::Cpu, op, Fit { launch_ns: *ns, ns_per_flop: 0.0, ns_per_byte: 0.0, error });
    }
    model
}

#[test]
fn fitted_costs_refuse_a_fusion_that_is_slower_than_its_parts() {
    let times = [("matmul", 100.0), ("softmax", 100.0), ("add", 100.0), ("attention", 1000.0)];
    let with = |times: &[(&str, f64)], error| host(None).with_cost_model(model(times, error));
    let (case, options) = (attention(), PlanOptions::default());
    let slow = plan(&with(&times, 0.1), &case, &options);
    // The mask goes into the product instead: the other rules are tried as ever.
    assert_eq!(ops(&slow), ["matmul", "softmax", "matmul"]);
    let text = report::text(&slow, &report::Notes::default());
    let why = "because predicted 1.00 us fused, 0.30 us apart, from fits with errors of 10 and 10 %";
    assert!(text.contains(why), "{text}");
    assert!(report::json(&slow, &report::Notes::default()).contains(r#""refused":"predicted 1.00 us fused"#));
    // As slow by fits that are off by more than the difference decides nothing.
    assert_eq!(ops(&plan(&with(&times, 0.6), &case, &options)), ["attention"]);
    // What was not measured on both sides does not, either.
    assert_eq!(ops(&plan(&with(&times[1..], 0.1), &case, &options)), ["attention"]);
    assert_eq!(ops(&plan(&with(&times, 0.1), &case, &tuning(TuneMode::Off, 50))), ["attention"]);
    // A fusion that pays says by how much.
    let fast = [("matmul", 100.0), ("softmax", 100.0), ("add", 100.0), ("attention", 150.0)];
    let taken = plan(&with(&fast, 0.1), &case, &options);
    assert_eq!(ops(&taken), ["attention"]);
    let text = report::text(&taken, &report::Notes::default());
    assert!(text.contains("fused by attention: nodes [1, 2, 3, 4], predicted 0.15 us fused, 0.30 us apart"), "{text}");
    assert!(text.contains("0.15 us predicted from measured fits, off by 10 %"), "{text}");
    // Without any measurement the prediction is the prior's, and says so.
    let unknown = plan(&host(None), &case, &options);
    assert_eq!(ops(&unknown), ["attention"]);
    assert!(report::text(&unknown, &report::Notes::default()).contains("us predicted, not all of it measured"));
    assert!(
        report::json(&unknown, &report::Notes::default())
            .contains(r#""predicted_from":"prior","predicted_error":null"#)
    );
}

/// The entries of races in a store.
fn races(runtime: &Runtime) -> Vec<Entry> {
    runtime.store().book().choices().filter(|entry| entry.key.op.starts_with("fuse.")).cloned().collect()
}

#[test]
fn a_race_is_run_once_kept_and_read_by_later_plans() {
    let cpu = lightning_core::runtime().backend(DeviceKind::Cpu).unwrap().clone();
    let runtime = Runtime::new(REGISTRY, vec![cpu.clone()]).with_store(store());
    let case = layer();
    assert_eq!(ops(&plan(&runtime, &case, &PlanOptions::default())), ["matmul"]);
    assert!(races(&runtime).is_empty(), "only \"on\" measures");
    plan(&runtime, &case, &tuning(TuneMode::On, 50));
    let found = races(&runtime);
    let [race] = &found[..] else { panic!("{found:?}") };
    assert_eq!(race.key.op, "fuse.matmul_epilogue");
    assert!(race.key.bucket.starts_with("matmul 6x8,8x4;") && race.key.bucket.contains(" of matmul 6x8,8x4;"));
    assert!(race.key.bucket.contains(" + activation 6x4;"), "{}", race.key.bucket);
    let names: Vec<_> = race.candidates.iter().map(|candidate| candidate.kernel.as_str()).collect();
    assert_eq!(names, ["fused", "apart"]);
    for candidate in &race.candidates {
        assert!(candidate.samples >= 3 && candidate.median_ns.is_some() && !candidate.rejected, "{candidate:?}");
        assert!(candidate.max_error.is_some_and(|error| error < 1e-5) && !candidate.why.is_empty());
    }
    let winner = race.winner().unwrap().to_owned();
    let fused = plan(&runtime, &case, &PlanOptions::default());
    assert_eq!(ops(&fused).len(), if winner == "fused" { 1 } else { 2 });
    assert_eq!(races(&runtime), found, "it is not run again");

    // Whoever wins decides, under "read-only", too; "off" reads nothing.
    for (wins, calls, says) in [(0, 1, ", measured "), (1, 2, "because measured ")] {
        let mut entry = race.clone();
        entry.measured += 1 + wins as u64;
        for (index, candidate) in entry.candidates.iter_mut().enumerate() {
            candidate.won = index == wins;
        }
        runtime.store().put([Record::Choice(entry)]).unwrap();
        let decided = plan(&runtime, &case, &PlanOptions::default());
        assert_eq!(ops(&decided).len(), calls);
        let text = report::text(&decided, &report::Notes::default());
        assert!(text.contains(says) && text.contains(" us apart"), "{text}");
        assert_eq!(ops(&plan(&runtime, &case, &tuning(TuneMode::Off, 50))), ["matmul"]);
    }
    // A race that came to no end decides nothing, and is not run again.
    let mut entry = race.clone();
    entry.measured += 9;
    entry.candidates.iter_mut().for_each(|candidate| candidate.won = false);
    runtime.store().put([Record::Choice(entry)]).unwrap();
    assert_eq!(ops(&plan(&runtime, &case, &tuning(TuneMode::On, 50))), ["matmul"]);
    // Nonsense in the store is as good as nothing.
    let mut entry = race.clone();
    entry.measured += 10;
    entry.candidates.retain(|candidate| candidate.kernel == "apart");
    entry.candidates[0].won = true;
    runtime.store().put([Record::Choice(entry)]).unwrap();
    assert_eq!(ops(&plan(&runtime, &case, &PlanOptions::default())), ["matmul"]);
}

#[test]
fn a_fused_form_with_wrong_numbers_is_rejected_for_good() {
    let runtime = host(Some(&lc_ops::ATTENTION));
    let case = attention();
    assert_eq!(ops(&plan(&runtime, &case, &PlanOptions::default())), ["attention"], "nobody knows yet");
    let tuned = plan(&runtime, &case, &tuning(TuneMode::On, 200));
    assert_eq!(ops(&tuned), ["matmul", "softmax", "matmul"]);
    let text = report::text(&tuned, &report::Notes::default());
    assert!(text.contains("its numbers were measured to be wrong on this device"), "{text}");
    let race = races(&runtime).into_iter().find(|race| race.key.op == "fuse.attention").unwrap();
    assert!(race.candidates[0].rejected && race.candidates[0].why.starts_with("numbers differ"), "{race:?}");
    // Another shape, without measuring.
    let mut g = Graph::new();
    let [q, k, v] = [0; 3].map(|_| g.tensor(&[5, 5]).unwrap());
    let scores = add(&mut g, "matmul", &[q, k], &[]);
    let p = add(&mut g, "softmax", &[scores], &[]);
    let out = add(&mut g, "matmul", &[p, v], &[]);
    let (fed, want) = (feeds(&g, 5), naive(&g, &feeds(&g, 5)));
    assert_eq!(ops(&plan(&runtime, &(g.clone(), out), &PlanOptions::default())).len(), 3);
    let mut runner = Runner::new(g.clone());
    let (options, passes) = (PlanOptions::default(), Passes::all());
    let done = runner.execute::<f32>(&runtime, &views(&g, &fed), Some(&[out]), &options, &passes).unwrap();
    common::assert_close(&done.values[&out], &want[&out], 1e-5, "unfused");
}

#[test]
fn a_race_without_time_decides_nothing() {
    let runtime = host(None);
    let tuned = plan(&runtime, &layer(), &tuning(TuneMode::On, 0));
    assert_eq!(ops(&tuned), ["matmul"]);
    let found = races(&runtime);
    assert!(found[0].winner().is_none() && found[0].candidates[0].why == "over budget", "{found:?}");
}

#[test]
fn constants_and_several_fusions_are_raced_as_they_run() {
    let cpu = lightning_core::runtime().backend(DeviceKind::Cpu).unwrap().clone();
    let runtime = Runtime::new(REGISTRY, vec![cpu]).with_store(store());
    let mut g = Graph::new();
    let x = g.tensor(&[9, 16]).unwrap();
    let mut random = common::Random(4);
    let mut constant = |g: &mut Graph, dims: &[usize]| {
        let data = random.values(dims.iter().product());
        g.add_constant(&lc_core::TensorRef::new(&data, dims).unwrap(), "").unwrap()
    };
    let (w1, b1) = (constant(&mut g, &[32, 16]), constant(&mut g, &[32]));
    let (w2, b2) = (constant(&mut g, &[8, 32]), constant(&mut g, &[8]));
    let hidden = add(&mut g, "linear", &[x, w1, b1], &[]);
    let gelu = add(&mut g, "activation", &[hidden], &[("kind", AttrValue::Choice(Activation::Gelu as u8))]);
    let out = add(&mut g, "linear", &[gelu, w2, b2], &[]);
    let (fed, want) = (feeds(&g, 8), naive(&g, &feeds(&g, 8)));
    let mut runner = Runner::new(g.clone());
    let (options, passes) = (tuning(TuneMode::On, 50), Passes::all());
    let done = runner.execute::<f32>(&runtime, &views(&g, &fed), Some(&[out]), &options, &passes).unwrap();
    common::assert_close(&done.values[&out], &want[&out], 1e-5, "tuned");
    let found = races(&runtime);
    let ops: Vec<_> = found.iter().map(|race| race.key.op.as_str()).collect();
    assert!(ops.contains(&"fuse.ffn") && ops.contains(&"fuse.matmul_epilogue"), "{ops:?}");
    let ffn = found.iter().find(|race| race.key.op == "fuse.ffn").unwrap();
    assert!(ffn.key.bucket.contains(";constant=1;constant=2"), "{}", ffn.key.bucket);
}
