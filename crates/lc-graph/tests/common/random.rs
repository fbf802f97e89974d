//! Random graphs.

use super::{Random, assert_close, feeds, naive, views};
use lc_core::{Activation, AttrValue, Runtime};
use lc_graph::{Graph, NodeOptions, Passes, PlanOptions, Runner, TensorId};
use lc_ops::REGISTRY;

pub fn add(graph: &mut Graph, op: &str, inputs: &[TensorId], attrs: &[(&str, AttrValue)]) -> TensorId {
    let inputs: Vec<_> = inputs.iter().copied().map(Some).collect();
    graph.add(&REGISTRY, op, &inputs, &NodeOptions { attrs, ..NodeOptions::default() }).unwrap()[0]
}

pub fn act(kind: Activation) -> AttrValue {
    AttrValue::Choice(kind as u8)
}

/// A graph of up to 14 nodes whose patterns often fuse; all tensors float32.
fn random_graph(random: &mut Random) -> (Graph, Vec<TensorId>) {
    let mut g = Graph::new();
    let extents = [1, 2, 3, 5, 8];
    let extent = |random: &mut Random| extents[random.below(extents.len())];
    let mut pool: Vec<TensorId> = Vec::new();
    for _ in 0..2 {
        let dims = [extent(random), extent(random)];
        pool.push(g.tensor(&dims).unwrap());
    }
    let kinds = [Activation::Relu, Activation::Gelu, Activation::GeluTanh, Activation::Silu];
    for _ in 0..1 + random.below(14) {
        // The newest tensor often goes on, so that chains come about.
        let x = if random.below(3) > 0 { pool[pool.len() - 1] } else { pool[random.below(pool.len())] };
        let dims = g.tensors[x].spec.shape.dims().to_vec();
        let (rows, columns) = (dims[0], dims[1]);
        let fed = |g: &mut Graph, dims: &[usize]| g.tensor(dims).unwrap();
        let made = match random.below(13) {
            0 | 1 => {
                let w = fed(&mut g, &[columns, extent(random)]);
                add(&mut g, "matmul", &[x, w], &[])
            }
            2 | 3 => {
                let w = fed(&mut g, &[extent(random), columns]);
                add(&mut g, "linear", &[x, w], &[])
            }
            4 | 5 => {
                let b = fed(&mut g, if random.below(2) == 0 { &dims[1..] } else { &dims });
                if random.below(2) == 0 { add(&mut g, "add", &[x, b], &[]) } else { add(&mut g, "sub", &[b, x], &[]) }
            }
            6 | 7 => add(&mut g, "activation", &[x], &[("kind", act(kinds[random.below(4)]))]),
            8 => {
                let (gamma, beta) = (fed(&mut g, &[columns]), fed(&mut g, &[columns]));
                add(&mut g, "layer_norm", &[x, gamma, beta], &[])
            }
            9 => {
                let axis = AttrValue::Int(random.below(2) as i64 - 1);
                add(&mut g, "softmax", &[x], &[("axis", axis)])
            }
            10 => {
                let (k, v) = (fed(&mut g, &[extent(random), columns]), extent(random));
                let keys = g.tensors[k].spec.shape[0];
                let v = fed(&mut g, &[keys, v]);
                let kt = add(&mut g, "transpose", &[k], &[]);
                let scores = add(&mut g, "matmul", &[x, kt], &[]);
                let p = add(&mut g, "softmax", &[scores], &[]);
                add(&mut g, "matmul", &[p, v], &[])
            }
            11 => {
                let length = rows * columns + random.below(7);
                let flat = add(&mut g, "pack", &[x], &[("length", AttrValue::Int(length as i64))]);
                let from = random.below(length - rows * columns + 1);
                g.view(&REGISTRY, flat, from, &[columns, rows]).unwrap()
            }
            _ => {
                let image = g.view(&REGISTRY, x, 0, &[1, 1, rows, columns]);
                // A transposed tensor has no flat view: an op between makes it dense, so skip it here.
                let Ok(image) = image else { continue };
                let strided = g.nodes.iter().any(|n| n.outputs == [x] && n.schema.name == "transpose");
                if strided {
                    g.nodes.pop();
                    g.tensors.pop();
                    continue;
                }
                let w = fed(&mut g, &[2, 1, 1, 1]);
                let b = fed(&mut g, &[2, 1, 1]);
                let map = add(&mut g, "conv2d", &[image, w], &[]);
                let sum = add(&mut g, "add", &[map, b], &[]);
                let map = add(&mut g, "activation", &[sum], &[]);
                g.view(&REGISTRY, map, 0, &[2 * rows, columns]).unwrap()
            }
        };
        pool.push(made);
    }
    let mut wanted = vec![pool[pool.len() - 1]];
    for id in pool {
        if random.below(8) == 0 && !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    (g, wanted)
}

/// Runs so many random graphs fused and unfused, and compares with float64.
pub fn random_graphs(runtime: &Runtime, options: &PlanOptions, count: u64) {
    let mut random = Random(2026);
    let (mut before, mut after) = (0, 0);
    for case in 0..count {
        let (graph, wanted) = random_graph(&mut random);
        let fed = feeds(&graph, case);
        let want = naive(&graph, &fed);
        for passes in [Passes::all(), Passes::none()] {
            let mut runner = Runner::new(graph.clone());
            let done = runner
                .execute::<f32>(runtime, &views(&graph, &fed), Some(&wanted), options, &passes)
                .unwrap_or_else(|e| panic!("case {case}: {e}"));
            for id in &wanted {
                assert_close(&done.values[id], &want[id], 2e-4, &format!("case {case}, tensor {id}"));
            }
            *if passes.fuse { &mut after } else { &mut before } += done.receipt.launches.len();
        }
    }
    println!("{count} graphs: {before} launches, {after} fused");
    assert!(after * 100 < before * 80, "{before} launches became {after}");
}
