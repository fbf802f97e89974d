//! Measuring this machine: which kernel is fastest for the usual sizes of an op, and what the op costs on a device.
//!
//! What is measured goes to [`store`], and the router reads it there. [`crate::tune`] has the parts.

use crate::runtime;
use lc_core::registry::{OpDef, Registry};
use lc_core::runtime::forget_plans;
use lc_core::tune::cost::{Point, fit_record, measure_transfer};
use lc_core::tune::{Entry, FitRecord, Record, Store, TransferRecord, search};
use lc_core::{
    Activation, AttrValue, Attrs, DType, DeviceKind, DeviceRequest, EffectivePolicy, Error, Fallback, PackedPolicy,
    Policy, Result, Shape, TensorSpec,
};
use lc_ops::{CHAIN_OPERANDS, ChainAttrs, ChainOp, ChainStep, ConvAttentionAttrs};
use std::sync::Arc;
use std::time::Duration;

/// A call without its values.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Attributes.
    pub attrs: Attrs,
    /// Inputs; `None` where an optional one is absent.
    pub inputs: Vec<Option<TensorSpec>>,
}

/// The store that the process's runtime reads.
pub fn store() -> &'static Arc<Store> {
    runtime().store()
}

/// The ops of the registry.
pub fn registry() -> &'static Registry {
    runtime().registry()
}

/// The position of a device among the runtime's.
fn position(kind: DeviceKind) -> Result<usize> {
    // Opens it, if it is one that is opened at first use.
    runtime().backend(kind);
    let backends = runtime().backends();
    backends.iter().position(|b| b.descriptor().kind == kind).ok_or_else(|| {
        let names: Vec<_> = backends.iter().map(|b| b.descriptor().kind.name()).collect();
        Error::unsupported("tune", format!("one of the devices {names:?}"), format!("{:?}", kind.name()))
    })
}

/// The device and nothing else, with a budget a key.
fn only(kind: DeviceKind, budget_ms: u16) -> EffectivePolicy {
    let device = Some(DeviceRequest::Is(kind));
    let policy = Policy { device, fallback: Some(Fallback::Deny), tune_ms: Some(budget_ms), ..Policy::default() };
    EffectivePolicy::of(policy.pack(), PackedPolicy::UNSET)
}

/// Measures the kernels that a device has for a call and keeps the choice; see [`Runtime::tune`](lc_core::Runtime::tune).
///
/// # Errors
/// A device that is not there; what the op's rule refuses; no kernel for the call there; a store that cannot be written.
pub fn tune(op: &'static OpDef, sample: &Sample, kind: DeviceKind, budget_ms: u16) -> Result<Entry> {
    position(kind)?;
    runtime().tune(op, &sample.attrs, &sample.inputs, only(kind, budget_ms))
}

/// Measures an op on a device at the sizes of [`samples`], fits its cost and keeps it; `None` if the device lacks the op.
///
/// # Errors
/// A device that is not there; a failure of the device; a store that cannot be written.
pub fn fit(op: &'static OpDef, kind: DeviceKind, budget_ms: u16) -> Result<Option<FitRecord>> {
    let on = runtime().device_id(position(kind)?);
    let mut points = Vec::new();
    let all = samples(op, DType::F32);
    let budget = Duration::from_millis(budget_ms.into()) / all.len().max(1) as u32;
    for Sample { attrs, inputs } in &all {
        let Ok(call) = runtime().resolve(op, attrs, inputs, only(kind, budget_ms)) else { continue };
        let ns = search::time(&*call.backend, call.kernel(), attrs, inputs, budget)?;
        points.push(Point { cost: call.cost, ns: ns as f64 });
    }
    let record = fit_record(&on, op, &points);
    if let Some(record) = &record {
        store().put([Record::Fit(record.clone())])?;
        forget_plans();
    }
    Ok(record)
}

/// Measures copies to and from a device and keeps their cost; `None` for a device that works on host memory.
///
/// # Errors
/// As [`fit`].
pub fn fit_transfer(kind: DeviceKind) -> Result<Option<TransferRecord>> {
    let position = position(kind)?;
    let backend = &runtime().backends()[position];
    if backend.descriptor().host_memory {
        return Ok(None);
    }
    let record = measure_transfer(&**backend, &runtime().device_id(position))?;
    store().put([Record::Transfer(record.clone())])?;
    forget_plans();
    Ok(Some(record))
}

/// Forgets everything that was measured.
///
/// # Errors
/// The file cannot be removed.
pub fn clear() -> Result<()> {
    let result = store().clear();
    forget_plans();
    result
}

/// Calls of an op over the sizes that it is used at, small to large. An op that this does not know has its test cases.
pub fn samples(op: &OpDef, dtype: DType) -> Vec<Sample> {
    let defaults = Attrs::defaults(op.attrs);
    let plain = |shapes: Vec<Vec<usize>>| -> Option<Sample> {
        let spec = |dims: Vec<usize>| Some(TensorSpec::new(dtype, Shape::new(&dims).ok()?));
        Some(Sample { attrs: defaults, inputs: shapes.into_iter().map(spec).collect() })
    };
    let each = |sizes: &[usize], shapes: &dyn Fn(usize) -> Vec<Vec<usize>>| -> Vec<Sample> {
        sizes.iter().filter_map(|size| plain(shapes(*size))).collect()
    };
    const LENGTHS: [usize; 6] = [1 << 6, 1 << 9, 1 << 12, 1 << 15, 1 << 18, 1 << 21];
    const ROWS: [usize; 5] = [1, 8, 64, 512, 4096];
    let found = match op.name {
        "add" | "sub" | "mul" | "div" => each(&LENGTHS, &|n| vec![vec![n], vec![n]]),
        "activation" => each(&LENGTHS, &|n| vec![vec![n]]),
        "softmax" | "rms_norm" | "layer_norm" => each(&ROWS, &|rows| vec![vec![rows, 512]]),
        "matmul" => {
            let square = each(&[8, 32, 64, 128, 256, 512], &|n| vec![vec![n, n], vec![n, n]]);
            let one_row = each(&[64, 256, 1024], &|n| vec![vec![1, n], vec![n, n]]);
            square.into_iter().chain(one_row).collect()
        }
        "linear" => {
            let batch = each(&[32, 64, 128, 256, 512], &|n| vec![vec![64, n], vec![n, n], vec![n]]);
            let one_row = each(&[64, 256, 1024], &|n| vec![vec![1, n], vec![n, n], vec![n]]);
            batch.into_iter().chain(one_row).collect()
        }
        "elementwise_chain" => {
            let step = |op, a, b| ChainStep { op, a, b };
            // relu(a·b + c)
            let steps = [
                step(ChainOp::Mul, 0, 1),
                step(ChainOp::Add, CHAIN_OPERANDS as u8, 2),
                step(ChainOp::Activate(Activation::Relu), CHAIN_OPERANDS as u8 + 1, 0),
            ];
            let attrs = ChainAttrs::new(&steps).map_or(defaults, Attrs::from);
            each(&LENGTHS, &|n| vec![vec![n]; 3]).into_iter().map(|call| Sample { attrs, ..call }).collect()
        }
        "pack" => {
            let sized = |n: usize| {
                let length = defaults.with(op.name, op.attrs, "length", AttrValue::Int(n as i64)).ok()?;
                Some(Sample { attrs: length, ..plain(vec![vec![n]])? })
            };
            LENGTHS.into_iter().filter_map(sized).collect()
        }
        "conv_attention" => {
            let sizes = [(8, 48, 8), (8, 48, 48), (16, 96, 48), (32, 192, 48), (32, 256, 64)];
            let calls = sizes.into_iter().filter_map(|(edge, seq_len, head_dim)| {
                let attrs = ConvAttentionAttrs { pad_h: 1, pad_w: 1, ..ConvAttentionAttrs::new(seq_len, head_dim) };
                let call = plain(vec![vec![1, 3, edge, edge], vec![16, 3, 3, 3], vec![16]])?;
                Some(Sample { attrs: attrs.into(), ..call })
            });
            calls.collect()
        }
        // As many rows as the other products have: whether a fusion pays is a comparison of fits.
        "ffn" => each(&[32, 64, 128, 256, 384], &|n| vec![vec![64, n], vec![4 * n, n], vec![n, 4 * n]]),
        "layer_norm_projection" => each(&[32, 64, 128, 256, 512], &|n| vec![vec![64, n], vec![n, n]]),
        "attention" => each(&[16, 64, 128, 256, 512], &|n| vec![vec![n, 64]; 3]),
        "attention_train" => {
            let rate = |attrs: Attrs| attrs.with(op.name, op.attrs, "learning_rate", AttrValue::Float(0.1));
            let calls = each(&[16, 64, 128, 256], &|n| vec![vec![n, 64]; 4]).into_iter();
            calls.filter_map(|call| Some(Sample { attrs: rate(call.attrs).ok()?, ..call })).collect()
        }
        "conv2d" => {
            let padded = |attrs: Attrs| {
                let one = AttrValue::Int(1);
                attrs.with(op.name, op.attrs, "pad_h", one)?.with(op.name, op.attrs, "pad_w", one)
            };
            let sizes = [(3, 8, 8), (8, 16, 16), (16, 16, 32), (32, 32, 32), (64, 64, 56)];
            let calls = sizes.into_iter().filter_map(|(from, to, edge)| {
                let call = plain(vec![vec![1, from, edge, edge], vec![to, from, 3, 3], vec![to]])?;
                Some(Sample { attrs: padded(call.attrs).ok()?, ..call })
            });
            calls.collect()
        }
        _ => Vec::new(),
    };
    if !found.is_empty() {
        return found;
    }
    let of_case = |case: lc_core::Case| {
        let inputs = case.inputs.iter().map(|shape| shape.map(|shape| TensorSpec::new(dtype, shape))).collect();
        Sample { attrs: case.attrs, inputs }
    };
    (op.cases)().into_iter().map(of_case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_a_legal_call_and_sizes_differ() {
        for op in registry().ops() {
            for dtype in [DType::F32, DType::F64] {
                let all = samples(op, dtype);
                assert!(all.len() >= 3, "{}", op.name);
                let work = all.iter().map(|sample| {
                    let outputs = op.check(&sample.attrs, &sample.inputs).unwrap_or_else(|e| panic!("{e}"));
                    let cost = (op.cost)(&sample.attrs, &sample.inputs, &outputs);
                    cost.flops + cost.bytes_read
                });
                let work: Vec<_> = work.collect();
                assert!(work.iter().max() > work.iter().min(), "{}: {work:?}", op.name);
            }
        }
    }
}
