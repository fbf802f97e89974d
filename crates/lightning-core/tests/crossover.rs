//! The crossover with a device that is there: measured costs of the CPU and of the GPU, whichever adapter that is, decide
//! where a one-shot call runs, and its receipt says so. Skipped where there is no adapter.
#![cfg(feature = "wgpu")]

use lc_cpu::{CpuBackend, Isa};
use lc_wgpu::{Adapter, Options, WgpuBackend};
use lightning_core::backend::Backend;
use lightning_core::tune::cost::{Point, fit_record, measure_transfer};
use lightning_core::tune::{Book, FitRecord, Record, Store, TransferRecord, search};
use lightning_core::{
    Attrs, DType, DeviceKind, DeviceRequest, Fallback, Policy, Reason, Receipt, Runtime, Shape, TensorMut, TensorRef,
    TensorSpec,
};
use std::sync::Arc;
use std::time::Duration;

/// A runtime of the CPU, first, and the GPU, with an empty store.
fn runtime() -> Option<(Runtime, Arc<Store>)> {
    let gpu = match WgpuBackend::open(&Options { cache_dir: None, ..Options::from_env() }) {
        Ok(gpu) => gpu,
        Err(error) => {
            let required = std::env::var("LC_REQUIRE_GPU").is_ok_and(|value| !value.is_empty() && value != "0");
            assert!(!required, "a GPU is required: {error}");
            println!("SKIPPED: {error}");
            return None;
        }
    };
    let backends: Vec<Arc<dyn Backend>> = vec![CpuBackend::new(Isa::active()), gpu];
    let store = Arc::new(Store::in_memory(Book::default()));
    Some((Runtime::new(lc_ops::REGISTRY, backends).with_store(store.clone()), store))
}

fn square(n: usize) -> [Option<TensorSpec>; 2] {
    [Some(TensorSpec::new(DType::F32, Shape::new(&[n, n]).expect("small"))); 2]
}

/// Times products on a device and fits their cost, as `lc tune` does.
fn measure(runtime: &Runtime, backend: usize) -> FitRecord {
    let device = &runtime.backends()[backend];
    let kernel = device.kernels().iter().find(|k| k.op == &lc_ops::MATMUL).expect("a product");
    let attrs = Attrs::defaults(lc_ops::MATMUL.attrs);
    let point = |n: usize| {
        let inputs = square(n);
        let outputs = lc_ops::MATMUL.check(&attrs, &inputs).expect("a product");
        let budget = Duration::from_millis(5);
        let ns = search::time(&**device, kernel, &attrs, &inputs, budget).expect("it runs");
        Point { cost: (lc_ops::MATMUL.cost)(&attrs, &inputs, &outputs), ns: ns as f64 }
    };
    let points: Vec<_> = [8, 32, 96, 192].into_iter().map(point).collect();
    fit_record(&runtime.device_id(backend), &lc_ops::MATMUL, &points).expect("four sizes determine it")
}

/// A one-shot product of matrices of ones, whose result is checked.
fn multiply(runtime: &Runtime, n: usize, fallback: Fallback) -> Receipt {
    let ones = vec![1.0f32; n * n];
    let mut out = vec![0.0f32; n * n];
    let dims = [n, n];
    let a = Some(TensorRef::new(&ones, &dims).expect("dense"));
    let policy =
        Policy { device: Some(DeviceRequest::Is(Adapter::KIND)), fallback: Some(fallback), ..Policy::default() };
    let attrs = Attrs::defaults(lc_ops::MATMUL.attrs);
    let mut results = [TensorMut::new(&mut out, &dims).expect("dense")];
    let receipt = runtime.call(&lc_ops::MATMUL, &attrs, &[a, a], &mut results, policy.pack()).expect("it runs");
    assert!(out.iter().all(|x| *x == n as f32), "{n} on {:?}", receipt.selected);
    receipt
}

#[test]
fn small_work_leaves_for_the_cpu_by_measured_times_and_large_work_stays() {
    let Some((runtime, store)) = runtime() else { return };
    // Nothing measured, nothing moves.
    let before = multiply(&runtime, 8, Fallback::Warn);
    assert_eq!((before.selected, before.reason), (Adapter::KIND, Reason::Requested));

    let (cpu, gpu) = (measure(&runtime, 0), measure(&runtime, 1));
    let copies = measure_transfer(&*runtime.backends()[1], &runtime.device_id(1)).expect("copies");
    assert!(gpu.launch_ns > cpu.launch_ns, "a launch and a wait of {} ns, a call of {}", gpu.launch_ns, cpu.launch_ns);
    let put = |fit: FitRecord, copies: TransferRecord| {
        store.put([Record::Fit(fit), Record::Transfer(copies)]).expect("a store in memory");
        lightning_core::runtime::forget_plans();
    };
    store.put([Record::Fit(cpu)]).expect("a store in memory");
    put(gpu.clone(), copies.clone());
    for fallback in [Fallback::Warn, Fallback::Allow] {
        let small = multiply(&runtime, 8, fallback);
        assert_eq!((small.selected, small.reason, small.fallback), (DeviceKind::Cpu, Reason::Crossover, true));
        assert!(small.kernel.contains("cpu."), "{}", small.kernel);
        assert_eq!((small.bytes_uploaded, small.bytes_downloaded), (0, 0));
    }
    let denied = multiply(&runtime, 8, Fallback::Deny);
    assert_eq!((denied.selected, denied.reason), (Adapter::KIND, Reason::Requested));

    // A device whose arithmetic and copies cost nothing beside its measured launch: what an adapter in software is not.
    // Work that takes the CPU longer than that stays, and smaller work still leaves.
    let measured = gpu.measured + 1;
    let free = FitRecord { measured, ns_per_flop: 0.0, ns_per_byte: 0.0, launch_ns: 100_000.0, ..gpu };
    put(
        free,
        TransferRecord {
            measured,
            upload_ns_per_byte: 0.0,
            download_ns_per_byte: 0.0,
            upload_ns: 1.0,
            download_ns: 1.0,
            ..copies
        },
    );
    let large = multiply(&runtime, 768, Fallback::Warn);
    assert_eq!((large.selected, large.reason, large.fallback), (Adapter::KIND, Reason::Requested, false));
    assert_eq!(multiply(&runtime, 8, Fallback::Warn).selected, DeviceKind::Cpu);
}
