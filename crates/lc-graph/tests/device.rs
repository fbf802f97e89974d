//! Plans on a real GPU: same results as the CPU, copies only of feeds and results, nodes of several devices in one plan.

mod common;
#[path = "../../lc-wgpu/tests/common/mod.rs"]
mod gpu;

use common::{assert_close, feeds, naive, views};
use lc_core::plan::Step;
use lc_core::{Activation, AttrValue, DeviceKind, DeviceRequest, Fallback, Policy, Runtime};
use lc_graph::{Graph, NodeOptions, Passes, PlanOptions, Runner, TensorId};
use lc_ops::REGISTRY;
use lc_wgpu::{Adapter, WgpuBackend};
use std::sync::Arc;

fn setup() -> Option<(Arc<WgpuBackend>, Runtime, PlanOptions)> {
    let device = gpu::open(&gpu::options())?;
    let cpu = lightning_core::runtime().backend(DeviceKind::Cpu).unwrap().clone();
    let runtime = Runtime::new(REGISTRY, vec![device.clone(), cpu]);
    let level = Policy { fallback: Some(Fallback::Deny), ..Policy::default() }.pack();
    let preferred = Some(DeviceRequest::Is(Adapter::KIND));
    Some((device, runtime, PlanOptions { preferred, level, ..PlanOptions::default() }))
}

fn add(g: &mut Graph, op: &str, inputs: &[TensorId], attrs: &[(&str, AttrValue)], on: Option<DeviceKind>) -> TensorId {
    let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
    let options = NodeOptions { attrs, device: on.map(DeviceRequest::Is), ..NodeOptions::default() };
    g.add(&REGISTRY, op, &inputs, &options).unwrap()[0]
}

/// `softmax(relu(x·w + b)·v)`, and the device of the activation.
fn layers(activation: Option<DeviceKind>) -> (Graph, TensorId) {
    let mut g = Graph::new();
    let [x, w, b, v] = [&[33, 48][..], &[48, 65], &[65], &[65, 20]].map(|dims| g.tensor(dims).unwrap());
    let product = add(&mut g, "matmul", &[x, w], &[], None);
    let sum = add(&mut g, "add", &[product, b], &[], None);
    let kind = ("kind", AttrValue::Choice(Activation::Relu as u8));
    let active = add(&mut g, "activation", &[sum], &[kind], activation);
    let second = add(&mut g, "matmul", &[active, v], &[], None);
    let out = add(&mut g, "softmax", &[second], &[], None);
    (g, out)
}

fn copies(steps: &[Step]) -> (usize, usize, usize) {
    let count = |f: fn(&Step) -> bool| steps.iter().filter(|step| f(step)).count();
    (
        count(|s| matches!(s, Step::Upload { .. })),
        count(|s| matches!(s, Step::Download { .. })),
        count(|s| matches!(s, Step::Launch { .. })),
    )
}

#[test]
fn fused_and_unfused_plans_stay_on_the_device_and_copy_only_feeds_and_results() {
    let Some((device, runtime, options)) = setup() else { return };
    let (g, out) = layers(None);
    let fed = feeds(&g, 11);
    let want = naive(&g, &fed);
    let mut launches = Vec::new();
    for passes in [Passes::all(), Passes::none()] {
        let mut runner = Runner::new(g.clone());
        for _ in 0..3 {
            let made = device.pool().made();
            let done =
                runner.execute::<f32>(&runtime, &views(&g, &fed), Some(&[out]), &options, &passes).expect("runs");
            assert_close(&done.values[&out], &want[&out], 2e-5, "layers");
            assert!(done.receipt.launches.iter().all(|launch| launch.selected == Adapter::KIND));
            let (uploads, downloads, count) = copies(&done.compiled.plan().steps);
            assert_eq!((uploads, downloads), (4, 1));
            launches.push((count, device.pool().made() - made));
        }
    }
    assert!(launches[0].0 < launches[3].0, "the first is fused: {launches:?}");
    assert_eq!((launches[2].1, launches[5].1), (0, 0), "a plan keeps its arena: {launches:?}");
    gpu::assert_no_messages();
}

#[test]
fn a_node_on_the_cpu_in_the_middle_gets_its_operand_and_gives_its_result_back() {
    let Some((_device, runtime, options)) = setup() else { return };
    let (g, out) = layers(Some(DeviceKind::Cpu));
    let fed = feeds(&g, 12);
    let want = naive(&g, &fed);
    let mut runner = Runner::new(g.clone());
    let done = runner.execute::<f32>(&runtime, &views(&g, &fed), Some(&[out]), &options, &Passes::all()).expect("runs");
    assert_close(&done.values[&out], &want[&out], 2e-5, "mixed");
    let selected: Vec<_> = done.receipt.launches.iter().map(|launch| launch.selected).collect();
    assert!(selected.contains(&DeviceKind::Cpu) && selected.contains(&Adapter::KIND), "{selected:?}");
    let (uploads, downloads, _) = copies(&done.compiled.plan().steps);
    assert_eq!((uploads, downloads), (5, 2));
    gpu::assert_no_messages();
}

#[test]
fn intermediates_share_an_arena_on_the_device() {
    let Some((device, runtime, options)) = setup() else { return };
    let mut g = Graph::new();
    let (x, y) = (g.tensor(&[64, 64]).unwrap(), g.tensor(&[64, 64]).unwrap());
    let mut at = x;
    for i in 0..20 {
        at = add(&mut g, if i % 2 == 0 { "sub" } else { "mul" }, &[at, y], &[], None);
    }
    let fed = feeds(&g, 13);
    let want = naive(&g, &fed);
    let before = device.pool().in_use();
    let mut runner = Runner::new(g.clone());
    let done = runner.execute::<f32>(&runtime, &views(&g, &fed), Some(&[at]), &options, &Passes::all()).expect("runs");
    assert_close(&done.values[&at], &want[&at], 1e-5, "chain");
    // Both feeds, and two values that take turns; 20 would be as many blocks.
    let held = device.pool().in_use() - before;
    assert!(held <= 6 * 64 * 64 * 4, "{held} bytes");
    drop((done, runner));
    assert_eq!(device.pool().in_use(), before);
    gpu::assert_no_messages();
}

#[test]
fn random_graphs_on_the_device() {
    let Some((_device, runtime, options)) = setup() else { return };
    common::random_graphs(&runtime, &options, 500);
    gpu::assert_no_messages();
}
