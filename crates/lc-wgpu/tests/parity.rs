//! Every op of the device against its float64 reference: every case, eight layouts, one-shot and through a session, with
//! fallback denied. Skipped, by name, where there is no adapter.

mod common;

use half::f16;
use lc_core::backend::Backend;
use lc_core::policy::PackedPolicy;
use lc_core::registry::{Case, OpDef};
use lc_core::{DType, DeviceRequest, Element, Fallback, Policy, Runtime, Shape, TensorMut};
use lc_ops::parity::{Inputs, Layout, compare};
use lc_wgpu::{Adapter, Options, WgpuBackend};
use std::sync::{Arc, OnceLock};

fn device() -> Option<&'static Arc<WgpuBackend>> {
    static DEVICE: OnceLock<Option<Arc<WgpuBackend>>> = OnceLock::new();
    DEVICE.get_or_init(|| common::open(&Options::from_env())).as_ref()
}

/// The same without subgroups: its kernels are those of adapters that have none.
fn plain() -> Option<&'static Arc<WgpuBackend>> {
    static DEVICE: OnceLock<Option<Arc<WgpuBackend>>> = OnceLock::new();
    DEVICE.get_or_init(|| common::open(&Options { subgroups: false, ..Options::from_env() })).as_ref()
}

fn policy() -> PackedPolicy {
    let device = Some(DeviceRequest::Is(Adapter::KIND));
    Policy { device, fallback: Some(Fallback::Deny), ..Policy::default() }.pack()
}

fn storage<T: Element>(op: &'static OpDef, case: &Case, inputs: &Inputs) -> Vec<(Shape, Vec<T>)> {
    let outputs = op.check(&case.attrs, &inputs.specs()).unwrap_or_else(|e| panic!("{} {}: {e}", op.name, case.name));
    outputs.iter().map(|spec| (spec.shape, vec![T::from_f64(-777.25); spec.shape.numel()])).collect()
}

fn views<T: Element>(results: &mut [(Shape, Vec<T>)]) -> Vec<TensorMut<'_>> {
    results.iter_mut().map(|(shape, data)| TensorMut::new(data, shape.dims()).expect("sized by its shape")).collect()
}

fn judge<T: Element>(op: &'static OpDef, case: &Case, inputs: &Inputs, results: &[(Shape, Vec<T>)], how: &str) {
    for (want, (_, got)) in inputs.reference(op, &case.attrs).iter().zip(results) {
        if let Err(report) = compare(op, case, want, got) {
            panic!("{} {} ({}, {how}): {report:?}", op.name, case.name, T::DTYPE);
        }
    }
}

fn every_case<T: Element>(device: &Arc<WgpuBackend>, op: &'static OpDef) {
    let runtime = Runtime::new(lc_ops::REGISTRY, vec![device.clone() as Arc<dyn Backend>]);
    for case in (op.cases)() {
        for layout in Layout::ALL {
            let inputs = Inputs::generate::<T>(op, &case, layout, 0x51ed);
            let mut results = storage::<T>(op, &case, &inputs);
            let how = format!("{layout:?}");
            let receipt = runtime
                .call(op, &case.attrs, &inputs.refs(), &mut views(&mut results), policy())
                .unwrap_or_else(|e| panic!("{} {} ({how}): {e}", op.name, case.name));
            assert_eq!(receipt.selected, Adapter::KIND);
            judge(op, &case, &inputs, &results, &how);
        }
        let inputs = Inputs::generate::<T>(op, &case, Layout::ALL[0], 0x51ed);
        let mut results = storage::<T>(op, &case, &inputs);
        let mut session = runtime.session(op, &case.attrs, &inputs.specs(), policy()).expect("a session");
        session.start(&inputs.refs()).expect("starts");
        session.run_batch(2).expect("runs");
        session.finish(&mut views(&mut results)).expect("finishes");
        judge(op, &case, &inputs, &results, "session");
    }
}

/// Whether the device has a kernel for the op at all: which ops those are is asserted in `every_op_has_a_kernel`.
fn has(device: &WgpuBackend, op: &OpDef, dtype: DType) -> bool {
    device.kernels().iter().any(|kernel| kernel.op == op && kernel.dtypes.contains(&dtype))
}

fn check(op: &'static OpDef) {
    check_on(device(), op);
}

/// On a device with subgroups and on one without, where their kernels differ.
fn check_both(op: &'static OpDef) {
    check_on(device(), op);
    let names = |device: &WgpuBackend| {
        let own = device.kernels().iter().filter(|k| k.op == op).map(|k| k.name).collect::<Vec<_>>();
        assert!(!own.is_empty(), "{} has no kernel", op.name);
        own
    };
    if let (Some(device), Some(plain)) = (device(), plain()) {
        assert!(!names(plain).iter().any(|name| name.contains("subgroup")), "{:?}", names(plain));
        if names(device) != names(plain) {
            check_on(Some(plain), op);
        }
    }
}

fn check_on(device: Option<&Arc<WgpuBackend>>, op: &'static OpDef) {
    let Some(device) = device else { return };
    if has(device, op, DType::F32) {
        every_case::<f32>(device, op);
        common::assert_no_messages();
    }
    if has(device, op, DType::F16) {
        every_case::<f16>(device, op);
        common::assert_no_messages();
    }
}

fn check_half(op: &'static OpDef) {
    let half = |device: &&Arc<WgpuBackend>| {
        device.kernels().iter().any(|kernel| kernel.op == op && kernel.dtypes.contains(&lc_core::DType::F16))
    };
    if let Some(device) = device().filter(half) {
        every_case::<half::f16>(device, op);
    }
}

#[test]
fn float16_of_elementwise_ops() {
    for op in [&lc_ops::ADD, &lc_ops::SUB, &lc_ops::MUL, &lc_ops::DIV, &lc_ops::ACTIVATION] {
        check_half(op);
    }
}

#[test]
fn float16_of_conv2d() {
    check_half(&lc_ops::CONV2D);
}

#[test]
fn float16_of_attention() {
    check_half(&lc_ops::ATTENTION);
}

macro_rules! parity {
    ($check:ident: $($name:ident: $op:ident;)*) => { $(
        #[test]
        fn $name() {
            $check(&lc_ops::$op);
        }
    )* };
}

// One test an op, so that they run side by side and a failure names its op.
parity! {
    check:
    matmul: MATMUL;
    linear: LINEAR;
    add: ADD;
    sub: SUB;
    mul: MUL;
    div: DIV;
    conv2d: CONV2D;
    attention: ATTENTION;
    attention_train: ATTENTION_TRAIN;
    activation: ACTIVATION;
    ffn: FFN;
    layer_norm_projection: LAYER_NORM_PROJECTION;
    conv_attention: CONV_ATTENTION;
    pack: PACK;
}

parity! {
    check_both:
    softmax: SOFTMAX;
    layer_norm: LAYER_NORM;
    rms_norm: RMS_NORM;
}
