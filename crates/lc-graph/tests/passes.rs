//! Every pass and every rule can be left out: the plan is another, the results are the same.

mod common;

use common::{act, add, assert_close, feeds, host, naive, views, with_gpu};
use lc_core::tune::{CostModel, Fit, Transfer};
use lc_core::{Activation, AttrValue, DeviceKind, DeviceRequest};
use lc_graph::{Compiled, Graph, NodeOptions, Passes, PlanOptions, Runner, TensorId, compile};
use lc_ops::{ConvAttentionAttrs, REGISTRY};

fn plan(graph: &Graph, out: TensorId, passes: &Passes) -> Compiled {
    let runtime = host();
    let (fed, options) = (feeds(graph, 21), PlanOptions::default());
    let want = naive(graph, &fed);
    let mut runner = Runner::new(graph.clone());
    let done = runner.execute::<f32>(&runtime, &views(graph, &fed), Some(&[out]), &options, passes).unwrap();
    assert_close(&done.values[&out], &want[&out], 2e-5, "without a pass");
    compile(graph, &runtime, Some(&[out]), &options, passes).unwrap()
}

fn without(name: &str) -> Passes {
    Passes::all().without(name).unwrap()
}

/// Layers with a call that nobody wants.
fn layers() -> (Graph, TensorId) {
    let mut g = Graph::new();
    let (x, w) = (g.tensor(&[4, 6]).unwrap(), g.tensor(&[6, 6]).unwrap());
    let product = add(&mut g, "matmul", &[x, w], &[]);
    add(&mut g, "softmax", &[product], &[]);
    let mut last = add(&mut g, "matmul", &[x, w], &[]);
    for axis in [0, 1, 0, 1] {
        last = add(&mut g, "softmax", &[last], &[("axis", AttrValue::Int(axis))]);
    }
    let out = add(&mut g, "activation", &[last], &[("kind", act(Activation::Silu))]);
    (g, out)
}

#[test]
fn each_pass_has_an_effect_of_its_own() {
    let (g, out) = layers();
    let all = plan(&g, out, &Passes::all());
    assert_eq!((all.dead_calls(), all.program().len()), (2, 6));
    assert_eq!(plan(&g, out, &without("canonicalise")).program().len(), 8);
    assert!(plan(&g, out, &without("lower")).memory().peak() > all.memory().peak());

    let mut g = Graph::new();
    let (x, w) = (g.tensor(&[4, 6]).unwrap(), g.tensor(&[6, 6]).unwrap());
    let product = add(&mut g, "matmul", &[x, w], &[]);
    let out = add(&mut g, "activation", &[product], &[]);
    assert_eq!(plan(&g, out, &Passes::all()).program().len(), 1);
    let unfused = plan(&g, out, &without("fuse"));
    assert!(unfused.program().len() == 2 && unfused.attempts().is_empty());

    // Two chains, one on the recording device and one on the processor, whose nodes were added in turns.
    let (runtime, _) = with_gpu(DeviceKind::Metal);
    let mut g = Graph::new();
    let x = g.tensor(&[8]).unwrap();
    let mut ends = [x, x];
    for i in 0..6 {
        let device = Some(DeviceRequest::Is(if i % 2 == 0 { DeviceKind::Metal } else { DeviceKind::Cpu }));
        let options = NodeOptions { device, ..NodeOptions::default() };
        ends[i % 2] = g.add(&REGISTRY, "softmax", &[Some(ends[i % 2])], &options).unwrap()[0];
    }
    let changes = |passes: &Passes| {
        let plan = compile(&g, &runtime, Some(&ends), &PlanOptions::default(), passes).unwrap();
        plan.units().windows(2).filter(|pair| pair[0].device != pair[1].device).count()
    };
    assert_eq!((changes(&Passes::all()), changes(&without("schedule"))), (1, 5));

    let mut model = CostModel::new();
    for (kind, launch_ns) in [(DeviceKind::Cpu, 1.0), (DeviceKind::Metal, 1000.0)] {
        model.set(kind, "softmax", Fit { launch_ns, ns_per_flop: 0.0, ns_per_byte: 0.0, error: 0.0 });
    }
    let copies = Transfer { upload_ns: 9.0, upload_ns_per_byte: 0.0, download_ns: 9.0, download_ns_per_byte: 0.0 };
    model.set_transfer(DeviceKind::Metal, copies);
    let runtime = with_gpu(DeviceKind::Metal).0.with_cost_model(model);
    let mut g = Graph::new();
    let x = g.tensor(&[8]).unwrap();
    let out = add(&mut g, "softmax", &[x], &[]);
    let device = |passes: &Passes| {
        compile(&g, &runtime, Some(&[out]), &PlanOptions::default(), passes).unwrap().units()[0].device
    };
    assert_eq!((device(&Passes::all()), device(&without("place"))), (DeviceKind::Cpu, DeviceKind::Metal));
}

/// For each rule a graph that it fuses.
fn pattern(rule: &str) -> (Graph, TensorId) {
    let mut g = Graph::new();
    let out = match rule {
        "attention" => {
            let [q, kt, v] = [0; 3].map(|_| g.tensor(&[4, 4]).unwrap());
            let scores = add(&mut g, "matmul", &[q, kt], &[]);
            let p = add(&mut g, "softmax", &[scores], &[]);
            add(&mut g, "matmul", &[p, v], &[])
        }
        "matmul_epilogue" => {
            let (x, w) = (g.tensor(&[4, 6]).unwrap(), g.tensor(&[6, 5]).unwrap());
            let product = add(&mut g, "matmul", &[x, w], &[]);
            add(&mut g, "activation", &[product], &[("kind", act(Activation::Gelu))])
        }
        "conv_epilogue" => {
            let (x, w) = (g.tensor(&[1, 2, 5, 5]).unwrap(), g.tensor(&[3, 2, 3, 3]).unwrap());
            let map = add(&mut g, "conv2d", &[x, w], &[]);
            add(&mut g, "activation", &[map], &[])
        }
        "conv_attention" => {
            let spec =
                |dims: &[usize]| lc_core::TensorSpec::new(lc_core::DType::F32, lc_core::Shape::new(dims).unwrap());
            let attrs = ConvAttentionAttrs { pad_h: 1, pad_w: 1, ..ConvAttentionAttrs::new(4, 6) };
            let (x, w) = (spec(&[1, 3, 6, 6]), spec(&[4, 3, 3, 3]));
            return lc_graph::conv_attention::conv_attention_graph(&REGISTRY, &x, &w, None, &attrs).unwrap();
        }
        "layer_norm_projection" => {
            let (x, w) = (g.tensor(&[4, 6]).unwrap(), g.tensor(&[5, 6]).unwrap());
            let norm = add(&mut g, "layer_norm", &[x], &[]);
            add(&mut g, "linear", &[norm, w], &[])
        }
        "ffn" => {
            let (x, w1, w2) = (g.tensor(&[4, 6]).unwrap(), g.tensor(&[9, 6]).unwrap(), g.tensor(&[5, 9]).unwrap());
            let hidden = add(&mut g, "linear", &[x, w1], &[("activation", act(Activation::Relu))]);
            add(&mut g, "linear", &[hidden, w2], &[])
        }
        "elementwise_chain" => {
            let (x, y) = (g.tensor(&[7]).unwrap(), g.tensor(&[7]).unwrap());
            let sum = add(&mut g, "add", &[x, y], &[]);
            add(&mut g, "mul", &[sum, y], &[])
        }
        other => panic!("a rule without a pattern: {other}"),
    };
    (g, out)
}

#[test]
fn each_rule_can_be_left_out() {
    let passes = ["canonicalise", "fuse", "place", "schedule", "lower"];
    let names = Passes::names();
    assert_eq!(names[..5], passes);
    assert_eq!(names.len(), 5 + lc_graph::passes::fuse::RULES.len());
    for rule in &names[5..] {
        let (g, out) = pattern(rule);
        let fused = |plan: &Compiled| plan.attempts().iter().any(|a| a.rule == *rule && a.refused.is_none());
        let (with, apart) = (plan(&g, out, &Passes::all()), plan(&g, out, &without(rule)));
        assert!(fused(&with), "{rule}: {:?}", with.attempts());
        assert!(apart.attempts().iter().all(|attempt| attempt.rule != *rule), "{rule}");
        assert!(apart.program().len() > with.program().len(), "{rule}");
    }
    assert!(Passes::all().without("magic").is_err());
}
