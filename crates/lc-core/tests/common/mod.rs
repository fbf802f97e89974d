//! Ops without arithmetic and a runtime whose only device is the NULL backend.
#![allow(dead_code, reason = "every test binary uses another part")]

use lc_core::attrs::{AttrKind, AttrSpec, AttrValue};
use lc_core::backend::Backend;
use lc_core::null::NullBackend;
use lc_core::registry::rule;
use lc_core::registry::{Cost, InputSpec, OpDef, OutputSpecs, Registry};
use lc_core::{Attrs, DType, DeviceKind, DeviceRequest, Fallback, Io, Policy, Runtime, Shape, TensorSpec};
use std::sync::{Arc, Mutex, MutexGuard};

/// `out[n] = a[n] ∘ b[n]`, whatever ∘ is; `c` is optional.
pub static ZIP: OpDef = OpDef {
    name: "zip",
    trace_name: "zip_traced",
    inputs: &[InputSpec::required("a"), InputSpec::required("b"), InputSpec::optional("c")],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "kind", kind: AttrKind::Int(0, 9), default: AttrValue::Int(0) }],
    infer: |_, inputs| {
        let dtype = rule::same_dtype("zip", ZIP.inputs, inputs)?;
        let a = rule::input(inputs, 0).unwrap_or(TensorSpec::new(dtype, Shape::of([1])));
        let same = [Some(a.shape[0])];
        rule::rank("zip", "a", &a, 1)?;
        if let Some(b) = rule::input(inputs, 1) {
            rule::shape("zip", "b", &b, &same, ", as `a`")?;
        }
        Ok(OutputSpecs::one(a))
    },
    cost: |_, inputs, outputs| Cost {
        flops: 1,
        bytes_read: inputs.iter().flatten().map(|s| s.bytes() as u64).sum(),
        bytes_written: outputs.first().bytes() as u64,
        work: outputs.first().shape.numel() as u64,
    },
    reference: |_, inputs| inputs[..1].iter().flatten().cloned().collect(),
    cases: Vec::new,
};

/// One input, two results of its extents.
pub static SPLIT: OpDef = OpDef {
    name: "split",
    trace_name: "split",
    inputs: &[InputSpec::required("x")],
    outputs: &["left", "right"],
    attrs: &[],
    infer: |_, inputs| {
        let x = rule::input(inputs, 0).unwrap_or(TensorSpec::new(DType::F32, Shape::of([1])));
        Ok(OutputSpecs::two(x, x))
    },
    cost: |_, _, _| Cost::default(),
    reference: |_, inputs| inputs.iter().flatten().cloned().collect(),
    cases: Vec::new,
};

/// Two inputs of one shape without attributes, as elementwise ops are.
pub static ZIP_ANY: OpDef = OpDef {
    name: "zip_any",
    trace_name: "zip_any",
    inputs: &[InputSpec::required("a"), InputSpec::required("b")],
    outputs: &["out"],
    attrs: &[],
    infer: |_, inputs| {
        let a = rule::input(inputs, 0).unwrap_or(TensorSpec::new(DType::F32, Shape::of([1])));
        Ok(OutputSpecs::one(a))
    },
    cost: |_, _, _| Cost::default(),
    reference: |_, inputs| inputs[..1].iter().flatten().cloned().collect(),
    cases: Vec::new,
};

static OPS: [&OpDef; 3] = [&ZIP, &SPLIT, &ZIP_ANY];
pub const REGISTRY: Registry = Registry::new(&OPS);

/// A runtime with one NULL backend, and the backend.
pub fn null() -> (Runtime, Arc<NullBackend>) {
    let backend = NullBackend::new(&REGISTRY);
    (Runtime::new(REGISTRY, vec![backend.clone()]), backend)
}

/// A runtime with a NULL backend under the name of each kind.
pub fn devices<const N: usize>(kinds: [DeviceKind; N]) -> (Runtime, [Arc<NullBackend>; N]) {
    let backends = kinds.map(|kind| NullBackend::with_kind(kind, &REGISTRY));
    let list = backends.iter().map(|b| b.clone() as Arc<dyn Backend>).collect();
    (Runtime::new(REGISTRY, list), backends)
}

pub fn spec(n: usize) -> Option<TensorSpec> {
    Some(TensorSpec::new(DType::F32, Shape::of([n])))
}

pub fn zip_attrs() -> Attrs {
    Attrs::defaults(ZIP.attrs)
}

pub fn on(kind: DeviceKind, fallback: Fallback) -> Policy {
    Policy { device: Some(DeviceRequest::Is(kind)), fallback: Some(fallback), ..Policy::default() }
}

/// A policy that only says what is copied and whether to wait; `None` leaves a field to the level below.
pub fn io(upload: &[bool], download: &[bool], synchronize: bool) -> Policy {
    let mut io = Io { synchronize: Some(synchronize), ..Io::default() };
    for (field, value) in io.upload.iter_mut().zip(upload) {
        *field = Some(*value);
    }
    for (field, value) in io.download.iter_mut().zip(download) {
        *field = Some(*value);
    }
    Policy { io, ..Policy::default() }
}

/// Process-wide state (the trace, the process policy): tests that change it take turns.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|e| e.into_inner())
}
