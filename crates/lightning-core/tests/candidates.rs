//! The kernels of this machine that only it can prove: each is measured here, and is right or rejected, and runs only if
//! it has won. What was found is printed (`--nocapture`), so that a run on Apple hardware leaves a record.

mod common;

use common::{Bench, PLAIN, SLOW, WRONG, proven, unproven};
use lc_cpu::{CpuBackend, Isa};
use lc_ops::parity::{Inputs, Layout, compare};
use lc_ops::{LinearAttrs, MatmulAttrs};
use lightning_core::backend::{Backend, KernelEntry};
use lightning_core::registry::{Case, OpDef};
use lightning_core::tune::{Book, Store};
use lightning_core::{
    Activation, Attrs, DType, DeviceKind, DeviceRequest, EffectivePolicy, Element, Fallback, PackedPolicy, Policy,
    Reason, Runtime, Shape, TensorMut, TuneMode,
};
use std::sync::Arc;

fn case(attrs: impl Into<Attrs>, shapes: &[&[usize]]) -> Case {
    let shape = |dims: &&[usize]| Some(Shape::new(dims).expect("few dimensions"));
    Case { name: format!("{shapes:?}"), attrs: attrs.into(), inputs: shapes.iter().map(shape).collect() }
}

fn calls(op: &OpDef) -> Vec<Case> {
    let relu = Activation::Relu;
    match op.name {
        "matmul" => vec![
            case(MatmulAttrs::default(), &[&[7, 5], &[5, 9]]),
            case(MatmulAttrs::default(), &[&[64, 64], &[64, 64]]),
            case(MatmulAttrs { activation: relu }, &[&[201, 303], &[303, 99]]),
            case(MatmulAttrs::default(), &[&[3, 40, 50], &[3, 50, 60]]),
            case(MatmulAttrs::default(), &[&[5, 32, 48], &[48, 40]]),
            case(MatmulAttrs::default(), &[&[512, 512], &[512, 512]]),
        ],
        "linear" => vec![
            case(LinearAttrs::default(), &[&[1, 130], &[70, 130], &[70]]),
            case(LinearAttrs { activation: relu }, &[&[64, 256], &[128, 256], &[128]]),
        ],
        // A kernel of another op is a reason to say here what it is called with.
        name => panic!("no calls are listed for `{name}`"),
    }
}

fn policy(backend: &dyn Backend, kernel: &KernelEntry, tune: TuneMode) -> PackedPolicy {
    let device = Some(DeviceRequest::Is(backend.descriptor().kind));
    let (fallback, math) = (Some(Fallback::Deny), Some(kernel.math));
    Policy { device, fallback, math, tune: Some(tune), tune_ms: Some(40), ..Policy::default() }.pack()
}

fn check<T: Element>(runtime: &Runtime, backend: &dyn Backend, kernel: &'static KernelEntry) {
    let op = kernel.op;
    for case in calls(op) {
        let inputs = Inputs::generate::<T>(op, &case, Layout::Contiguous, 3);
        let specs = inputs.specs();
        if !(kernel.accepts)(&case.attrs, &specs) {
            continue;
        }
        let policy = |mode| EffectivePolicy::of(policy(backend, kernel, mode), PackedPolicy::UNSET);
        let entry = runtime.tune(op, &case.attrs, &specs, policy(TuneMode::Off)).expect("measured");
        let found = entry.candidates.iter().find(|c| c.kernel == kernel.name).expect("it takes the call");
        let portable = entry.candidates.iter().find(|c| c.kernel != kernel.name && c.won);
        println!(
            "{} {} {}: {} ns, max error {:?}, {}; fastest other: {:?}",
            kernel.name,
            T::DTYPE,
            case.name,
            found.median_ns.map_or("-".into(), |ns| ns.to_string()),
            found.max_error,
            found.why,
            portable.map(|c| (&c.kernel, c.median_ns)),
        );
        // Matrix units of another size, or a GPU that the library does not know.
        let lacking = found.why.starts_with("failed: not supported");
        assert!(found.rejected || found.max_error.is_some() || lacking, "neither right nor rejected: {found:?}");
        // It runs if it has won, and nothing runs that is wrong.
        let call = runtime.resolve(op, &case.attrs, &specs, policy(TuneMode::ReadOnly)).expect("a kernel");
        assert_eq!(call.kernel().name == kernel.name, found.won, "{found:?}");
        assert!(!(found.won && found.rejected));
        let untuned = runtime.resolve(op, &case.attrs, &specs, policy(TuneMode::Off)).expect("a kernel");
        assert!(!untuned.kernel().unproven);
        for layout in [Layout::Contiguous, Layout::Transposed, Layout::Sliced] {
            let inputs = Inputs::generate::<T>(op, &case, layout, 3);
            let want = inputs.reference(op, &case.attrs).remove(0);
            let mut out = vec![T::from_f64(f64::NAN); want.data.len()];
            let mut results = [TensorMut::new(&mut out, want.shape.dims()).expect("sized by its shape")];
            let mode = self::policy(backend, kernel, TuneMode::ReadOnly);
            let receipt = runtime.call(op, &case.attrs, &inputs.refs(), &mut results, mode).expect("runs");
            assert!(receipt.reason == Reason::Tuned || !found.won, "{receipt:?}");
            // Rounded operands are judged by the tuner, with the tolerance of their arithmetic.
            if kernel.math == lightning_core::Math::IeeeF32 {
                compare(op, &case, &want, &out).unwrap_or_else(|r| panic!("{} {layout:?}: {r}", receipt.kernel));
            }
        }
    }
}

fn runtime(backends: Vec<Arc<dyn Backend>>) -> Runtime {
    let store = Arc::new(Store::in_memory(Book::default()));
    Runtime::new(lc_ops::REGISTRY, backends).with_store(store)
}

/// What the test below does, on any machine: one candidate that wins and one that is wrong.
#[test]
fn the_check_tells_right_from_wrong() {
    let kernels = [proven("portable", SLOW), unproven("right", PLAIN), unproven("wrong", WRONG)];
    let bench = Bench::with_kind(DeviceKind::Cpu, &lc_ops::MATMUL, &kernels);
    let runtime = runtime(vec![bench.clone()]);
    for kernel in bench.kernels().iter().filter(|kernel| kernel.unproven) {
        check::<f32>(&runtime, &*bench, kernel);
    }
    let book = runtime.store().book();
    assert!(book.choices().count() >= 4);
    for entry in book.choices() {
        assert!(runtime.store().is_rejected(&entry.key, "wrong") && !runtime.store().is_rejected(&entry.key, "right"));
        assert_ne!(entry.winner(), Some("wrong"));
    }
    assert!(book.choices().any(|entry| entry.winner() == Some("right")));
}

#[test]
fn each_is_right_or_rejected() {
    let mut backends: Vec<Arc<dyn Backend>> = vec![CpuBackend::new(Isa::active())];
    #[cfg(feature = "wgpu")]
    match lc_wgpu::WgpuBackend::open(&lc_wgpu::Options { cache_dir: None, ..lc_wgpu::Options::from_env() }) {
        Ok(device) => backends.push(device),
        Err(error) => println!("SKIPPED on the GPU: {error}"),
    }
    let runtime = runtime(backends.clone());
    let mut count = 0;
    for backend in &backends {
        for kernel in backend.kernels().iter().filter(|kernel| kernel.unproven) {
            count += 1;
            for dtype in kernel.dtypes {
                match dtype {
                    DType::F32 => check::<f32>(&runtime, &**backend, kernel),
                    DType::F64 => check::<f64>(&runtime, &**backend, kernel),
                    DType::F16 => check::<half::f16>(&runtime, &**backend, kernel),
                }
            }
        }
    }
    if count == 0 {
        println!("SKIPPED: no kernel of this machine is unproven; macOS has some, and GPUs with matrix units");
    }
    assert!(count > 0 || !cfg!(target_os = "macos"), "macOS has Accelerate");
}
