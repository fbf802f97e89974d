//! conv → attention as a graph: convolution with ReLU, its feature map read as queries, keys and values, attention.
//!
//! The maths are those of the op [`CONV_ATTENTION`](lc_ops::CONV_ATTENTION), for any kernel, stride and padding. Where the
//! map is long enough, the three slabs are views of it; where it is shorter it is repeated by a `pack` node first.

use crate::build::NodeOptions;
use crate::compile::{Compiled, compile};
use crate::ir::{Graph, Layout, TensorId};
use crate::passes::Passes;
use crate::plan::PlanOptions;
use lc_core::plan::PlanReceipt;
use lc_core::runtime::plan_epoch;
use lc_core::{AttrValue, Attrs, Error, Registry, Result, Runtime, TensorMut, TensorRef, TensorSpec};
use lc_ops::ConvAttentionAttrs;
use std::sync::{Arc, Mutex};

/// The graph, with its tensors `x`, `w`, `bias` and the result.
///
/// # Errors
/// Shapes that convolution or attention refuse; sizes that overflow.
pub fn conv_attention_graph(
    registry: &Registry,
    x: &TensorSpec,
    w: &TensorSpec,
    bias: Option<&TensorSpec>,
    attrs: &ConvAttentionAttrs,
) -> Result<(Graph, TensorId)> {
    let mut graph = Graph::new();
    let mut fed = |spec: &TensorSpec, name| {
        graph.add_tensor(spec.shape.dims(), spec.dtype, Layout::Strided, name, false).map_err(|e| e.argument(name))
    };
    let (x, w) = (fed(x, "x")?, fed(w, "w")?);
    let bias = bias.map(|bias| fed(bias, "bias")).transpose()?;
    let size = |value: usize| AttrValue::Int(i64::try_from(value).unwrap_or(i64::MAX));
    let conv = [
        ("stride_h", size(attrs.stride_h)),
        ("stride_w", size(attrs.stride_w)),
        ("pad_h", size(attrs.pad_h)),
        ("pad_w", size(attrs.pad_w)),
        ("activation", choice(&lc_ops::CONV2D, "activation", "relu")?),
    ];
    let mut map = graph.add(registry, "conv2d", &[Some(x), Some(w), bias], &named("conv", &conv))?[0];
    let (rows, columns) = (attrs.seq_len, attrs.head_dim);
    let slab =
        rows.checked_mul(columns).filter(|slab| *slab > 0 && slab.checked_mul(3).is_some()).ok_or_else(|| {
            let got = format!("seq_len {rows} and head_dim {columns}");
            Error::invalid("conv_attention", "seq_len", "extents of at least 1 that fit in memory", got)
        })?;
    if graph.tensors[map].spec.shape.numel() < 3 * slab {
        let length = [("length", size(3 * slab))];
        map = graph.add(registry, "pack", &[Some(map)], &named("pack", &length))?[0];
    }
    let mut parts = [None; 3];
    for (i, part) in parts.iter_mut().enumerate() {
        *part = Some(graph.view(registry, map, i * slab, &[rows, columns])?);
    }
    let out = graph.add(registry, "attention", &parts, &named("attention", &[]))?[0];
    Ok((graph, out))
}

fn named<'a>(name: &'a str, attrs: &'a [(&'a str, AttrValue)]) -> NodeOptions<'a> {
    NodeOptions { attrs, name, ..NodeOptions::default() }
}

fn choice(op: &lc_core::OpDef, attr: &str, value: &str) -> Result<AttrValue> {
    let spec = op.attrs.iter().find(|spec| spec.name == attr).map(|spec| spec.kind);
    let position = match spec {
        Some(lc_core::AttrKind::Choice(names)) => names.iter().position(|name| *name == value),
        _ => None,
    };
    position
        .map(|position| AttrValue::Choice(position as u8))
        .ok_or_else(|| Error::invalid(op.name, attr.to_owned(), "a choice that the op has", value.to_owned()))
}

/// What a cached plan was made for.
#[derive(PartialEq)]
struct Key {
    runtime: usize,
    specs: [Option<TensorSpec>; 3],
    attrs: Attrs,
    options: PlanOptions,
    policy: u64,
    epoch: u64,
}

/// Plans that are kept, the least recently used one goes first.
const MAX_PLANS: usize = 32;
static PLANS: Mutex<Vec<(Key, Arc<Compiled>)>> = Mutex::new(Vec::new());

/// Forgets every kept plan.
pub fn clear_cache() {
    PLANS.lock().unwrap_or_else(|e| e.into_inner()).clear();
}

/// Runs conv → attention as one planned graph. `out` is any tensor of `seq_len·head_dim` elements.
///
/// # Errors
/// As [`conv_attention_graph`] and [`compile`]; a result of another size or type, or one that overlaps an input; a
/// failure of the device.
pub fn conv_attention(
    runtime: &Runtime,
    x: &TensorRef<'_>,
    w: &TensorRef<'_>,
    bias: Option<&TensorRef<'_>>,
    attrs: &ConvAttentionAttrs,
    out: &mut TensorMut<'_>,
    options: &PlanOptions,
) -> Result<PlanReceipt> {
    let specs = [Some(*x.spec()), Some(*w.spec()), bias.map(|bias| *bias.spec())];
    let plan = plan(runtime, specs, attrs, options)?;
    let spec = plan.outputs()[0];
    if out.spec().dtype != spec.dtype || out.spec().shape.numel() != spec.shape.numel() {
        let expected = format!("{} elements of {}", spec.shape.numel(), spec.dtype);
        let got = format!("{} {}", out.spec().dtype, out.spec().shape);
        return Err(Error::invalid("conv_attention", "out", expected, got));
    }
    // SAFETY: as many elements of the same type as `out`, which is borrowed for the whole run.
    let target = unsafe { TensorMut::from_raw(out.ptr(), spec) };
    let feeds = [Some(*x), Some(*w), bias.copied()];
    let feeds: Vec<_> = feeds.into_iter().flatten().collect();
    plan.run(&feeds, &mut [target])
}

/// The kept plan, or a new one.
///
/// # Errors
/// As [`conv_attention_graph`] and [`compile`].
pub fn plan(
    runtime: &Runtime,
    specs: [Option<TensorSpec>; 3],
    attrs: &ConvAttentionAttrs,
    options: &PlanOptions,
) -> Result<Arc<Compiled>> {
    let key = Key {
        runtime: std::ptr::from_ref(runtime) as usize,
        specs,
        attrs: (*attrs).into(),
        options: *options,
        policy: options.policy(None).key(),
        epoch: plan_epoch(),
    };
    {
        let mut plans = PLANS.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(at) = plans.iter().position(|(known, _)| *known == key) {
            let entry = plans.remove(at);
            let plan = entry.1.clone();
            plans.push(entry);
            return Ok(plan);
        }
    }
    let [Some(x), Some(w), bias] = specs else {
        return Err(Error::invalid("conv_attention", "inputs", "`x` and `w`", "none"));
    };
    let (graph, out) = conv_attention_graph(runtime.registry(), &x, &w, bias.as_ref(), attrs)?;
    let plan = Arc::new(compile(&graph, runtime, Some(&[out]), options, &Passes::all())?);
    let mut plans = PLANS.lock().unwrap_or_else(|e| e.into_inner());
    plans.retain(|(known, _)| known.epoch == key.epoch);
    if plans.len() >= MAX_PLANS {
        plans.remove(0);
    }
    plans.push((key, plan.clone()));
    Ok(plan)
}
