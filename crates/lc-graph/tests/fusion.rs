//! Every fusion rule against the unfused graph, every precondition, and random graphs against float64.

mod common;

use common::{act, add, assert_close, feeds, host, naive, random_graphs, views};
use lc_core::{Activation, AttrValue, DType, DeviceKind, DeviceRequest, Runtime};
use lc_graph::report::Notes;
use lc_graph::{Compiled, Graph, Layout, NodeOptions, Passes, PlanOptions, Runner, TensorId, compile};
use lc_ops::REGISTRY;

/// Plans, runs fused and unfused, compares both with float64, and gives the fused plan's ops back.
fn check(graph: &Graph, wanted: &[TensorId], runtime: &Runtime) -> (Vec<&'static str>, Compiled) {
    let fed = feeds(graph, 5);
    let want = naive(graph, &fed);
    for passes in [Passes::all(), Passes::none()] {
        let mut runner = Runner::new(graph.clone());
        let done = runner
            .execute::<f32>(runtime, &views(graph, &fed), Some(wanted), &PlanOptions::default(), &passes)
            .unwrap();
        for id in wanted {
            assert_close(&done.values[id], &want[id], 2e-5, &format!("{:?}", done.compiled.attempts()));
        }
    }
    let plan = compile(graph, runtime, Some(wanted), &PlanOptions::default(), &Passes::all()).unwrap();
    (plan.program().iter().map(|(_, call)| call.op.name).collect(), plan)
}

fn refusal<'a>(plan: &'a Compiled, rule: &str) -> &'a str {
    plan.attempts().iter().filter(|a| a.rule == rule).find_map(|a| a.refused.as_deref()).unwrap_or("")
}

#[test]
fn products_take_bias_residual_and_activation() {
    for op in ["matmul", "linear"] {
        for bias_dims in [&[5usize][..], &[1, 5]] {
            let mut g = Graph::new();
            let (x, w) =
                (g.tensor(&[4, 3]).unwrap(), g.tensor(if op == "matmul" { &[3, 5] } else { &[5, 3] }).unwrap());
            let b = g.tensor(bias_dims).unwrap();
            let product = add(&mut g, op, &[x, w], &[]);
            let sum = add(&mut g, "add", &[b, product], &[]);
            let out = add(&mut g, "activation", &[sum], &[("kind", act(Activation::Gelu))]);
            let (ops, plan) = check(&g, &[out], &host());
            assert_eq!(ops, [op]);
            assert_eq!(plan.units()[0].nodes, [0, 1, 2]);
        }
    }
    let mut g = Graph::new();
    let (x, w, r) = (g.tensor(&[4, 3]).unwrap(), g.tensor(&[3, 5]).unwrap(), g.tensor(&[4, 5]).unwrap());
    let product = add(&mut g, "matmul", &[x, w], &[]);
    let sum = add(&mut g, "add", &[product, r], &[]);
    assert_eq!(check(&g, &[sum], &host()).0, ["matmul"]);
    // What does not fit stays as it is.
    let (ops, plan) = check(&g, &[sum, product], &host());
    assert_eq!(ops, ["matmul", "add"]);
    assert!(refusal(&plan, "matmul_epilogue").contains("wanted"));
    let double = add(&mut g, "add", &[product, product], &[]);
    assert_eq!(check(&g, &[double], &host()).0, ["matmul", "add"]);
    let late = add(&mut g, "activation", &[sum], &[]);
    let after = add(&mut g, "add", &[late, r], &[]);
    assert_eq!(check(&g, &[after], &host()).0, ["matmul", "add"]);
    let column = g.tensor(&[4, 1]).unwrap();
    let wide = add(&mut g, "add", &[product, column], &[]);
    assert!(refusal(&check(&g, &[wide], &host()).1, "matmul_epilogue").contains("neither"));
}

#[test]
fn convolutions_take_bias_and_activation() {
    for dims in [&[4usize, 1, 1][..], &[1, 4, 1, 1]] {
        let mut g = Graph::new();
        let (x, w) = (g.tensor(&[2, 3, 5, 5]).unwrap(), g.tensor(&[4, 3, 3, 3]).unwrap());
        let b = g.tensor(dims).unwrap();
        let map = add(&mut g, "conv2d", &[x, w], &[("pad_h", AttrValue::Int(1))]);
        let sum = add(&mut g, "add", &[map, b], &[]);
        let out = add(&mut g, "activation", &[sum], &[("kind", act(Activation::Silu))]);
        assert_eq!(check(&g, &[out], &host()).0, ["conv2d"]);
    }
    let mut g = Graph::new();
    let (x, w, b) = (g.tensor(&[1, 2, 4, 4]).unwrap(), g.tensor(&[2, 2, 3, 3]).unwrap(), g.tensor(&[2]).unwrap());
    let map = add(&mut g, "conv2d", &[x, w], &[]);
    let sum = add(&mut g, "add", &[map, b], &[]);
    let (ops, plan) = check(&g, &[sum], &host());
    assert_eq!(ops, ["conv2d", "add"]);
    assert!(refusal(&plan, "conv_epilogue").contains("channel"));
}

#[test]
fn matmul_softmax_matmul_is_attention() {
    for batch in [&[][..], &[3], &[2, 3]] {
        let dims = |rows, columns| [batch, &[rows, columns][..]].concat();
        let mut g = Graph::new();
        let q = g.tensor(&dims(4, 6)).unwrap();
        let (k, v) = (g.tensor(&dims(5, 6)).unwrap(), g.tensor(&dims(5, 7)).unwrap());
        let kt = add(&mut g, "transpose", &[k], &[]);
        let scores = add(&mut g, "matmul", &[q, kt], &[]);
        let p = add(&mut g, "softmax", &[scores], &[]);
        let out = add(&mut g, "matmul", &[p, v], &[]);
        assert_eq!(check(&g, &[out], &host()).0, ["attention"]);
        assert_eq!(check(&g, &[out, p], &host()).0, ["matmul", "softmax", "matmul"]);
    }
    let mut g = Graph::new();
    let (q, kt, v) = (g.tensor(&[4, 4]).unwrap(), g.tensor(&[4, 4]).unwrap(), g.tensor(&[4, 4]).unwrap());
    let scores = add(&mut g, "matmul", &[q, kt], &[]);
    let p = add(&mut g, "softmax", &[scores], &[]);
    let out = add(&mut g, "matmul", &[p, v], &[]);
    assert_eq!(check(&g, &[out], &host()).0, ["attention"]);
    let turned = add(&mut g, "transpose", &[kt], &[]);
    let scores = add(&mut g, "matmul", &[q, turned], &[]);
    let p = add(&mut g, "softmax", &[scores], &[("axis", AttrValue::Int(0))]);
    let out = add(&mut g, "matmul", &[p, v], &[]);
    assert!(refusal(&check(&g, &[out], &host()).1, "attention").contains("last dimension"));
}

fn scalar(graph: &mut Graph, value: f32) -> TensorId {
    graph.add_constant(&lc_core::TensorRef::new(&[value], &[1]).unwrap(), "").unwrap()
}

#[test]
fn attention_takes_a_scale_and_a_mask() {
    for batch in [&[][..], &[3], &[2, 3]] {
        let dims = |rows, columns| [batch, &[rows, columns][..]].concat();
        // No mask; one for all scores, for keys, for rows, for one number; and one that is written as a residual.
        for mask in [None, Some(dims(4, 5)), Some(vec![4, 5]), Some(vec![5]), Some(vec![4, 1]), Some(vec![1])] {
            for how in 0..6 {
                let mut g = Graph::new();
                let mut q = g.tensor(&dims(4, 6)).unwrap();
                let v = g.tensor(&dims(5, 7)).unwrap();
                let kt = match how % 2 {
                    // Keys that lie transposed in memory, and keys behind a transposing view.
                    0 => g.tensor(&dims(6, 5)).unwrap(),
                    _ => {
                        let k = g.tensor(&dims(5, 6)).unwrap();
                        add(&mut g, "transpose", &[k], &[])
                    }
                };
                let factor = scalar(&mut g, if how == 2 { 2.5 } else { 0.4 });
                if how == 4 {
                    q = add(&mut g, "mul", &[q, factor], &[]);
                }
                let mut scores = add(&mut g, "matmul", &[q, kt], &[]);
                scores = match how {
                    1 => add(&mut g, "mul", &[scores, factor], &[]),
                    2 => add(&mut g, "div", &[scores, factor], &[]),
                    3 => add(&mut g, "mul", &[factor, scores], &[]),
                    _ => scores,
                };
                if let Some(mask) = &mask {
                    let mask = g.tensor(mask).unwrap();
                    let pair = if how % 3 == 0 { [mask, scores] } else { [scores, mask] };
                    scores = add(&mut g, "add", &pair, &[]);
                }
                let p = add(&mut g, "softmax", &[scores], &[]);
                let out = add(&mut g, "matmul", &[p, v], &[]);
                let (ops, plan) = check(&g, &[out], &host());
                assert_eq!(ops, ["attention"], "{batch:?} {mask:?} {how}: {:?}", plan.attempts());
                // The factor is in the attribute: nothing reads it.
                assert_eq!(plan.feeds().len(), 3 + usize::from(mask.is_some()));
            }
        }
    }
    let build = |factor: Option<f32>, dims: &[usize], spread: bool| {
        let mut g = Graph::new();
        let (q, kt, v) = (g.tensor(&[4, 4]).unwrap(), g.tensor(&[4, 4]).unwrap(), g.tensor(&[4, 4]).unwrap());
        let factor = match factor {
            Some(value) => scalar(&mut g, value),
            None => g.tensor(dims).unwrap(),
        };
        let scores = add(&mut g, "matmul", &[q, kt], &[]);
        let scaled = add(&mut g, "mul", &[scores, factor], &[]);
        let p = add(&mut g, "softmax", &[scaled], &[]);
        let out = add(&mut g, "matmul", &[p, v], &[]);
        let wanted = if spread { vec![out, scaled] } else { vec![out] };
        let (ops, plan) = check(&g, &wanted, &host());
        assert_eq!(ops, ["matmul", "mul", "softmax", "matmul"]);
        refusal(&plan, "attention").to_owned()
    };
    assert!(build(None, &[1], false).contains("known when"));
    assert!(build(None, &[4], false).contains("known when"));
    assert!(build(Some(0.0), &[], false).contains("zero"));
    assert!(build(Some(0.5), &[], true).contains("wanted"));
}

#[test]
fn elementwise_calls_are_one_chain() {
    let mut g = Graph::new();
    let x = g.tensor(&[6, 5]).unwrap();
    let (row, column, one) = (g.tensor(&[5]).unwrap(), g.tensor(&[6, 1]).unwrap(), scalar(&mut g, 1.5));
    let a = add(&mut g, "mul", &[x, row], &[]);
    let b = add(&mut g, "add", &[a, column], &[]);
    let c = add(&mut g, "activation", &[b], &[("kind", act(Activation::Silu))]);
    // Twice the same operand, and an operand that the producer read, too.
    let d = add(&mut g, "mul", &[c, c], &[]);
    let e = add(&mut g, "sub", &[x, d], &[]);
    let out = add(&mut g, "div", &[e, one], &[]);
    for runtime in [&host(), lightning_core::runtime()] {
        let (ops, plan) = check(&g, &[out], runtime);
        assert_eq!(ops, ["elementwise_chain"]);
        let Some((_, call)) = plan.program().iter().next() else { panic!("no call") };
        assert_eq!(call.inputs.len(), 4);
        assert!(lc_graph::report::text(&plan, &Notes::default()).contains("fused by elementwise_chain"));
    }
    // What somebody else reads or wants stays.
    let (ops, plan) = check(&g, &[out, b], &host());
    assert_eq!(ops, ["elementwise_chain", "elementwise_chain"]);
    assert!(refusal(&plan, "elementwise_chain").contains("wanted"));
    let turned = add(&mut g, "transpose", &[d], &[]);
    let flat = add(&mut g, "pack", &[turned], &[("length", AttrValue::Int(3))]);
    assert_eq!(check(&g, &[out, flat], &host()).0.len(), 3);
    let passes = Passes::all().without("elementwise_chain").unwrap();
    let plan = compile(&g, &host(), Some(&[out]), &PlanOptions::default(), &passes).unwrap();
    assert_eq!(plan.program().len(), 6);
}

#[test]
fn chains_end_where_a_precondition_fails() {
    // Eight steps are the most: eleven calls are two chains.
    let mut g = Graph::new();
    let x = g.tensor(&[7]).unwrap();
    let mut last = x;
    for i in 0..11 {
        last = match i % 3 {
            0 => add(&mut g, "add", &[last, x], &[]),
            1 => add(&mut g, "activation", &[last], &[("kind", act(Activation::Gelu))]),
            _ => add(&mut g, "mul", &[x, last], &[]),
        };
    }
    let (ops, plan) = check(&g, &[last], &host());
    assert_eq!(ops, ["elementwise_chain", "elementwise_chain"]);
    assert!(refusal(&plan, "elementwise_chain").contains("steps"));
    // Six operands are the most.
    let mut g = Graph::new();
    let mut last = g.tensor(&[7]).unwrap();
    for _ in 0..7 {
        let other = g.tensor(&[7]).unwrap();
        last = add(&mut g, "add", &[last, other], &[]);
    }
    let (ops, plan) = check(&g, &[last], &host());
    assert_eq!(ops.len(), 2);
    assert!(refusal(&plan, "elementwise_chain").contains("operands"));
    // A small result that is spread out is computed once, not for each row.
    let mut g = Graph::new();
    let (x, row) = (g.tensor(&[6, 5]).unwrap(), g.tensor(&[5]).unwrap());
    let small = add(&mut g, "activation", &[row], &[("kind", act(Activation::Gelu))]);
    let out = add(&mut g, "add", &[x, small], &[]);
    let (ops, plan) = check(&g, &[out], &host());
    assert_eq!(ops, ["activation", "add"]);
    assert!(refusal(&plan, "elementwise_chain").contains("smaller"));
    // An activation that does nothing has no step.
    let mut g = Graph::new();
    let x = g.tensor(&[5]).unwrap();
    let same = add(&mut g, "activation", &[x], &[("kind", act(Activation::Identity))]);
    let out = add(&mut g, "add", &[same, x], &[]);
    assert_eq!(check(&g, &[out], &host()).0, ["activation", "add"]);
}

#[test]
fn a_device_without_the_fused_kernel_keeps_its_calls() {
    use lc_core::Policy;
    static PARTS: [&lc_core::OpDef; 2] = [&lc_ops::ADD, &lc_ops::ACTIVATION];
    let parts = lc_core::Registry::new(&PARTS);
    let gpu = lc_core::null::NullBackend::with_kind(DeviceKind::Cuda, &parts);
    let runtime = Runtime::new(REGISTRY, vec![gpu, common::Reference::new()]);
    let mut g = Graph::new();
    let x = g.tensor(&[5]).unwrap();
    let sum = add(&mut g, "add", &[x, x], &[]);
    let out = add(&mut g, "activation", &[sum], &[]);
    let on = |device| PlanOptions { preferred: Some(DeviceRequest::Is(device)), ..PlanOptions::default() };
    let plan = compile(&g, &runtime, Some(&[out]), &on(DeviceKind::Cuda), &Passes::all()).unwrap();
    assert_eq!(plan.program().len(), 2);
    assert!(refusal(&plan, "elementwise_chain").contains("no kernel for the fused op"));
    assert!(plan.units().iter().all(|unit| unit.device == DeviceKind::Cuda && !unit.fallback));
    let plan = compile(&g, &runtime, Some(&[out]), &on(DeviceKind::Cpu), &Passes::all()).unwrap();
    assert_eq!(plan.program().len(), 1);
    // The trial of the fused op told nobody about a fallback that did not happen.
    let deny = Policy { fallback: Some(lc_core::policy::Fallback::Deny), ..Policy::default() };
    let options = PlanOptions { level: deny.pack(), ..on(DeviceKind::Cuda) };
    assert_eq!(compile(&g, &runtime, Some(&[out]), &options, &Passes::all()).unwrap().program().len(), 2);
}

#[test]
fn layer_norm_goes_into_the_projection_behind_it() {
    for op in ["matmul", "linear"] {
        let mut g = Graph::new();
        let x = g.tensor(&[2, 3, 8]).unwrap();
        let (gamma, beta, b) = (g.tensor(&[8]).unwrap(), g.tensor(&[8]).unwrap(), g.tensor(&[5]).unwrap());
        let w = g.tensor(if op == "matmul" { &[8, 5] } else { &[5, 8] }).unwrap();
        let norm = add(&mut g, "layer_norm", &[x, gamma, beta], &[("eps", AttrValue::Float(0.01))]);
        let product = add(&mut g, op, &[norm, w], &[]);
        let out = add(&mut g, "add", &[product, b], &[]);
        assert_eq!(check(&g, &[out], &host()).0, ["layer_norm_projection"]);
        assert_eq!(check(&g, &[out, norm], &host()).0, ["layer_norm", op]);
        let late = add(&mut g, "activation", &[out], &[]);
        assert!(refusal(&check(&g, &[late], &host()).1, "layer_norm_projection").contains("activation"));
    }
}

#[test]
fn two_layers_are_one_feed_forward_block() {
    for op in ["matmul", "linear"] {
        let mut g = Graph::new();
        let x = g.tensor(&[6, 4]).unwrap();
        let (w1, w2) = match op {
            "matmul" => (g.tensor(&[4, 9]).unwrap(), g.tensor(&[9, 3]).unwrap()),
            _ => (g.tensor(&[9, 4]).unwrap(), g.tensor(&[3, 9]).unwrap()),
        };
        let (b1, b2) = (g.tensor(&[9]).unwrap(), g.tensor(&[3]).unwrap());
        let hidden = add(&mut g, op, &[x, w1, b1], &[]);
        let gelu = add(&mut g, "activation", &[hidden], &[("kind", act(Activation::GeluTanh))]);
        let out = add(&mut g, op, &[gelu, w2, b2], &[]);
        assert_eq!(check(&g, &[out], &host()).0, ["ffn"]);
        assert_eq!(check(&g, &[out, gelu], &host()).0, [op, op]);
        let passes = Passes::all().without("ffn").unwrap();
        let plan = compile(&g, &host(), Some(&[out]), &PlanOptions::default(), &passes).unwrap();
        assert_eq!(plan.program().len(), 2);
        let passes = Passes::all().without("fuse").unwrap();
        let plan = compile(&g, &host(), Some(&[out]), &PlanOptions::default(), &passes).unwrap();
        assert_eq!(plan.program().len(), 3);
    }
}

#[test]
fn conv_attention_needs_no_packing_copy() {
    use lc_ops::ConvAttentionAttrs;
    for (s, d) in [(48, 48), (4, 6)] {
        let spec = |dims: &[usize]| lc_core::TensorSpec::new(DType::F32, lc_core::Shape::new(dims).unwrap());
        let attrs = ConvAttentionAttrs { pad_h: 1, ..ConvAttentionAttrs::new(s, d) };
        let (x, w, b) = (spec(&[1, 3, 6, 6]), spec(&[4, 3, 3, 3]), spec(&[4]));
        let build = lc_graph::conv_attention::conv_attention_graph;
        let (graph, out) = build(&REGISTRY, &x, &w, Some(&b), &attrs).unwrap();
        assert_eq!(check(&graph, &[out], &host()).0, ["conv_attention"]);
    }
}

#[test]
fn control_dependencies_and_devices_hold_calls_apart() {
    let build = |control: bool, device: Option<DeviceKind>| {
        let mut g = Graph::new();
        let (x, w) = (g.tensor(&[4, 3]).unwrap(), g.tensor(&[3, 5]).unwrap());
        let product = add(&mut g, "matmul", &[x, w], &[]);
        let other = add(&mut g, "activation", &[x], &[]);
        let deps: &[usize] = if control { &[0] } else { &[] };
        let options = NodeOptions { control_deps: deps, ..NodeOptions::default() };
        let late = g.add(&REGISTRY, "activation", &[Some(other)], &options).unwrap()[0];
        let pinned = NodeOptions { device: device.map(DeviceRequest::Is), ..NodeOptions::default() };
        let out = g.add(&REGISTRY, "activation", &[Some(product)], &pinned).unwrap()[0];
        (g, [late, out])
    };
    let (g, wanted) = build(false, None);
    assert_eq!(check(&g, &wanted, &host()).0.len(), 2);
    let (g, wanted) = build(true, None);
    let (ops, plan) = check(&g, &wanted, &host());
    assert_eq!(ops.len(), 3);
    assert!(refusal(&plan, "matmul_epilogue").contains("control"));
    let (g, wanted) = build(false, Some(DeviceKind::Cpu));
    assert!(refusal(&check(&g, &wanted, &host()).1, "matmul_epilogue").contains("device"));
}

#[test]
fn random_graphs_on_the_reference_device() {
    random_graphs(&host(), &PlanOptions::default(), 500);
}

#[test]
fn random_graphs_on_the_cpu() {
    random_graphs(lightning_core::runtime(), &PlanOptions::default(), 500);
}

#[test]
fn layouts_of_feeds_do_not_change_results() {
    let mut g = Graph::new();
    let x = g.add_tensor(&[4, 3], DType::F32, Layout::Strided, "", false).unwrap();
    let w = g.add_tensor(&[3, 5], DType::F32, Layout::Strided, "", false).unwrap();
    let product = add(&mut g, "matmul", &[x, w], &[]);
    let out = add(&mut g, "activation", &[product], &[]);
    check(&g, &[out], lightning_core::runtime());
}

#[test]
fn the_report_says_what_was_fused_and_why_not() {
    let mut g = Graph::new();
    let (x, w) = (g.tensor(&[4, 3]).unwrap(), g.tensor(&[3, 5]).unwrap());
    let attrs: &[(&str, AttrValue)] = &[];
    let options = NodeOptions { attrs, name: "a \"quoted\" <name>", ..NodeOptions::default() };
    let product = g.add(&REGISTRY, "matmul", &[Some(x), Some(w)], &options).unwrap()[0];
    let out = add(&mut g, "activation", &[product], &[]);
    let plan =
        |wanted: &[TensorId]| compile(&g, &host(), Some(wanted), &PlanOptions::default(), &Passes::all()).unwrap();
    let (fused, apart) = (plan(&[out]), plan(&[product, out]));
    assert!(lc_graph::report::text(&fused, &Notes::default()).contains("1 launches of 2 calls"));
    assert!(lc_graph::report::text(&fused, &Notes::default()).contains("fused by matmul_epilogue: nodes [0, 1]"));
    assert!(lc_graph::report::text(&apart, &Notes::default()).contains("because an intermediate result is wanted"));
    // 4·3, 3·5 and twice 4·5 floats; fused, the product is not written and read again.
    assert_eq!(fused.unfused(), (2, 4 * (12 + 15 + 20 + 20 + 20)));
    let json = lc_graph::report::json(&fused, &Notes::default());
    assert!(json.contains(r#""bytes":188,"unfused_bytes":348"#) && json.contains("quoted"), "{json}");
    let svg = lc_graph::report::svg(&fused);
    assert!(svg.contains("&lt;name&gt;") && svg.ends_with("</svg>"));
}

/// Prints how long planning and replaying take; asserts nothing about time.
#[test]
fn planning_and_replaying_a_long_graph() {
    use std::time::Instant;
    let mut g = Graph::new();
    let x = g.tensor(&[1]).unwrap();
    let mut last = x;
    for _ in 0..200 {
        last = add(&mut g, "add", &[last, x], &[]);
    }
    let runtime = lightning_core::runtime();
    let passes = Passes::all().without("elementwise_chain").unwrap();
    let build = || compile(&g, runtime, Some(&[last]), &PlanOptions::default(), &passes).unwrap();
    let plan = build();
    let start = Instant::now();
    build();
    let planned = start.elapsed();
    let data = [1.0f32];
    let feed = lc_core::TensorRef::new(&data, &[1]).unwrap();
    let mut out = [0f32];
    let mut run = || {
        let mut target = [lc_core::TensorMut::new(&mut out, &[1]).unwrap()];
        plan.run(&[feed], &mut target).unwrap().launches.len()
    };
    assert_eq!(run(), 200);
    let start = Instant::now();
    for _ in 0..100 {
        run();
    }
    let each = start.elapsed() / (100 * 200);
    assert_eq!(out, [201.0]);
    println!("200 nodes: planned in {planned:?}, {each:?} a node replayed");
    // With every rule, and a judge that has fits to compare.
    let mut model = lc_core::tune::CostModel::new();
    for op in ["add", "elementwise_chain"] {
        let fit = lc_core::tune::Fit { launch_ns: 100.0, ns_per_flop: 0.1, ns_per_byte: 0.1, error: 0.1 };
        model.set(DeviceKind::Cpu, op, fit);
    }
    let judged = Runtime::new(REGISTRY, vec![runtime.backend(DeviceKind::Cpu).unwrap().clone()]).with_cost_model(model);
    for (what, runtime) in [("nothing", runtime), ("everything", &judged)] {
        let start = Instant::now();
        let plan = compile(&g, runtime, Some(&[last]), &PlanOptions::default(), &Passes::all()).unwrap();
        println!("200 nodes fused to {}, {what} measured: planned in {:?}", plan.program().len(), start.elapsed());
    }
}
