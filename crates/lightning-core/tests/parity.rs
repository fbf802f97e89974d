//! Every op against its float64 reference: every case of the op, eight layouts, both types, every instruction set of this
//! processor, one thread and several, one-shot and through a session with packed operands.

use lc_cpu::{CpuBackend, Isa};
use lc_ops::parity::{Inputs, Layout, compare};
use lightning_core::backend::Backend;
use lightning_core::policy::PackedPolicy;
use lightning_core::registry::{Case, OpDef};
use lightning_core::{DeviceKind, DeviceRequest, Element, Fallback, Policy, Runtime, Shape, TensorMut};
use std::sync::Arc;

/// The CPU, or an error: no test may pass on another device.
fn only_cpu() -> PackedPolicy {
    let device = Some(DeviceRequest::Is(DeviceKind::Cpu));
    Policy { device, fallback: Some(Fallback::Deny), ..Policy::default() }.pack()
}

/// Storage for the results of a call, filled with what a kernel that skips an element would leave behind.
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

fn one_shot<T: Element>(runtime: &Runtime, op: &'static OpDef, case: &Case, layout: Layout, how: &str) -> Vec<Vec<T>> {
    let inputs = Inputs::generate::<T>(op, case, layout, 0x51ed);
    let mut results = storage::<T>(op, case, &inputs);
    let receipt = runtime
        .call(op, &case.attrs, &inputs.refs(), &mut views(&mut results), only_cpu())
        .unwrap_or_else(|e| panic!("{} {} ({how}): {e}", op.name, case.name));
    assert_eq!(receipt.selected, DeviceKind::Cpu);
    judge(op, case, &inputs, &results, how);
    results.into_iter().map(|(_, data)| data).collect()
}

fn through_a_session<T: Element>(runtime: &Runtime, op: &'static OpDef, case: &Case, how: &str) -> Vec<Vec<T>> {
    let inputs = Inputs::generate::<T>(op, case, Layout::ALL[0], 0x51ed);
    let mut results = storage::<T>(op, case, &inputs);
    let mut session = runtime.session(op, &case.attrs, &inputs.specs(), only_cpu()).expect("a session");
    session.start(&inputs.refs()).expect("starts");
    session.run_batch(2).expect("runs");
    session.finish(&mut views(&mut results)).expect("finishes");
    judge(op, case, &inputs, &results, how);
    results.into_iter().map(|(_, data)| data).collect()
}

fn runtime_of(isa: Isa) -> Runtime {
    let cpu: Arc<dyn Backend> = CpuBackend::new(isa);
    Runtime::new(lc_ops::REGISTRY, vec![cpu])
}

/// The work of a case that also runs on the slow instruction sets and through sessions.
const SMALL: u64 = 3_000_000;

fn every_case<T: Element>(op: &'static OpDef) {
    let cases = (op.cases)();
    assert!(!cases.is_empty(), "{} has no cases", op.name);
    for isa in Isa::available() {
        let runtime = runtime_of(isa);
        let fastest = isa == Isa::active();
        for case in &cases {
            let inputs = Inputs::generate::<T>(op, case, Layout::ALL[0], 1);
            let outputs = op.check(&case.attrs, &inputs.specs()).expect("a case is a legal call");
            let small = (op.cost)(&case.attrs, &inputs.specs(), &outputs).flops < SMALL;
            if !fastest && !small {
                continue;
            }
            for layout in Layout::ALL {
                if !small && layout != Layout::ALL[0] && layout != Layout::ALL[1] {
                    continue;
                }
                one_shot::<T>(&runtime, op, case, layout, &format!("{} {layout:?}", isa.name()));
            }
            through_a_session::<T>(&runtime, op, case, &format!("{} session", isa.name()));
        }
    }
}

fn both_types(op: &'static OpDef) {
    every_case::<f32>(op);
    every_case::<f64>(op);
}

#[test]
fn matmul() {
    both_types(&lc_ops::MATMUL);
}

#[test]
fn linear() {
    both_types(&lc_ops::LINEAR);
}

#[test]
fn elementwise() {
    for op in [&lc_ops::ADD, &lc_ops::SUB, &lc_ops::MUL, &lc_ops::DIV] {
        both_types(op);
    }
}

#[test]
fn elementwise_chain() {
    both_types(&lc_ops::ELEMENTWISE_CHAIN);
}

#[test]
fn conv2d() {
    both_types(&lc_ops::CONV2D);
}

#[test]
fn attention() {
    both_types(&lc_ops::ATTENTION);
}

#[test]
fn attention_train() {
    both_types(&lc_ops::ATTENTION_TRAIN);
}

#[test]
fn softmax() {
    both_types(&lc_ops::SOFTMAX);
}

#[test]
fn layer_norm() {
    both_types(&lc_ops::LAYER_NORM);
}

#[test]
fn rms_norm() {
    both_types(&lc_ops::RMS_NORM);
}

#[test]
fn activation() {
    both_types(&lc_ops::ACTIVATION);
}

#[test]
fn ffn() {
    both_types(&lc_ops::FFN);
}

#[test]
fn layer_norm_projection() {
    both_types(&lc_ops::LAYER_NORM_PROJECTION);
}

#[test]
fn conv_attention() {
    both_types(&lc_ops::CONV_ATTENTION);
}

#[test]
fn every_op_of_the_registry_is_tested_and_has_a_kernel_of_its_own() {
    let backend = CpuBackend::new(Isa::active());
    for op in lc_ops::ALL {
        let kernel = backend.kernels().iter().find(|kernel| kernel.op == op);
        let kernel = kernel.unwrap_or_else(|| panic!("{} has no kernel", op.name));
        assert_ne!(kernel.name, "cpu.reference", "{} runs by its reference", op.name);
        for case in (op.cases)() {
            one_shot::<f32>(&runtime_of(Isa::active()), op, &case, Layout::ALL[0], "registry");
        }
    }
}

/// The number of threads belongs to the process, so this is the only test that sets it.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let runtime = runtime_of(Isa::active());
    let before = lightning_core::num_threads();
    for op in lc_ops::ALL {
        for case in (op.cases)() {
            lightning_core::set_num_threads(1).expect("one thread");
            let single = one_shot::<f32>(&runtime, op, &case, Layout::ALL[1], "1 thread");
            lightning_core::set_num_threads(3).expect("three threads");
            let several = one_shot::<f32>(&runtime, op, &case, Layout::ALL[1], "3 threads");
            let same = single.iter().flatten().zip(several.iter().flatten()).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{} {} differs between one and three threads", op.name, case.name);
        }
    }
    lightning_core::set_num_threads(before).expect("as before");
}
