//! When the CPU may take work from a GPU: only by measured times, never from who said no, and never unsaid.
#![allow(missing_docs)]

mod common;

use common::{ZIP, devices, on, spec, zip_attrs};
use lc_core::DeviceKind::{Cpu, Cuda, Metal};
use lc_core::tune::{Book, CostModel, Fit, FitRecord, Record, Store, Transfer, TransferRecord};
use lc_core::{DeviceKind, DeviceRequest, Fallback, Policy, Reason, Receipt, Runtime, TensorMut, TensorRef, TuneMode};
use std::sync::Arc;

fn model() -> CostModel {
    let mut model = CostModel::new();
    // By bytes: the CPU wins below about 10 000 of them.
    model.set(Cpu, "zip", Fit { launch_ns: 100.0, ns_per_flop: 0.0, ns_per_byte: 1.0, error: 0.0 });
    model.set(Cuda, "zip", Fit { launch_ns: 5_000.0, ns_per_flop: 0.0, ns_per_byte: 0.01, error: 0.0 });
    let copies =
        Transfer { upload_ns: 2_000.0, upload_ns_per_byte: 0.1, download_ns: 2_000.0, download_ns_per_byte: 0.1 };
    model.set_transfer(Cuda, copies);
    model
}

fn runtime(model: CostModel) -> Runtime {
    let store = Arc::new(Store::in_memory(Book::default()));
    devices([Cpu, Cuda]).0.with_store(store).with_cost_model(model)
}

fn call(runtime: &Runtime, n: usize, policy: Policy) -> Receipt {
    let a = vec![1.0f32; n];
    let mut out = vec![0.0f32; n];
    let a = Some(TensorRef::new(&a, &[n]).unwrap());
    let mut results = [TensorMut::new(&mut out, &[n]).unwrap()];
    runtime.call(&ZIP, &zip_attrs(), &[a, a], &mut results, policy.pack()).unwrap()
}

const TINY: usize = 16;
const LARGE: usize = 1 << 20;

#[test]
fn tiny_work_goes_where_it_is_done_first_and_the_receipt_says_so() {
    let runtime = runtime(model());
    let tiny = call(&runtime, TINY, Policy::default());
    assert_eq!((tiny.selected, tiny.reason, tiny.fallback), (Cpu, Reason::Crossover, false));
    let large = call(&runtime, LARGE, Policy::default());
    assert_eq!((large.selected, large.reason), (Cuda, Reason::Best));
    for fallback in [Fallback::Warn, Fallback::Allow] {
        let tiny = call(&runtime, TINY, on(Cuda, fallback));
        assert_eq!((tiny.selected, tiny.reason), (Cpu, Reason::Crossover));
        assert_eq!((tiny.requested, tiny.fallback, tiny.warn), (DeviceRequest::Is(Cuda), true, false));
        assert_eq!(call(&runtime, LARGE, on(Cuda, fallback)).reason, Reason::Requested);
    }
}

#[test]
fn who_says_no_keeps_the_device() {
    let runtime = runtime(model());
    let denied = call(&runtime, TINY, on(Cuda, Fallback::Deny));
    assert_eq!((denied.selected, denied.reason), (Cuda, Reason::Requested));
    let off = Policy { tune: Some(TuneMode::Off), ..Policy::default() };
    assert_eq!((call(&runtime, TINY, off).selected, call(&runtime, TINY, off).reason), (Cuda, Reason::Best));
    // The CPU is never left for a GPU.
    assert_eq!(call(&runtime, LARGE, on(Cpu, Fallback::Warn)).selected, Cpu);
}

#[test]
fn a_guess_moves_nothing() {
    let without = |change: fn(&mut CostModel)| {
        let mut model = CostModel::new();
        change(&mut model);
        let runtime = runtime(model);
        let chosen = |policy| call(&runtime, TINY, policy).selected;
        (chosen(Policy::default()), chosen(on(Cuda, Fallback::Warn)))
    };
    assert_eq!(without(|_| {}), (Cuda, Cuda), "only priors");
    assert_eq!(without(|m| constant(m, Cpu, 1.0)), (Cuda, Cuda), "the GPU was never measured");
    let no_copies = |m: &mut CostModel| {
        constant(m, Cpu, 1.0);
        constant(m, Cuda, 9_000.0);
    };
    assert_eq!(without(no_copies), (Cuda, Cuda), "its copies were never measured");
    let close = |m: &mut CostModel| {
        constant(m, Cpu, 900.0);
        constant(m, Cuda, 1_000.0);
        m.set_transfer(Cuda, Transfer::NONE);
    };
    assert_eq!(without(close), (Cuda, Cuda), "ten per cent are within the error of a fit");
}

fn constant(model: &mut CostModel, device: DeviceKind, launch_ns: f64) {
    model.set(device, "zip", Fit { launch_ns, ns_per_flop: 0.0, ns_per_byte: 0.0, error: 0.0 });
}

#[test]
fn resident_work_stays() {
    let runtime = runtime(model());
    let session = runtime.session(&ZIP, &zip_attrs(), &[spec(TINY), spec(TINY)], Policy::default().pack()).unwrap();
    assert_eq!((session.call().receipt().selected, session.call().receipt().reason), (Cuda, Reason::Best));
}

#[test]
fn the_store_s_fits_are_the_model_and_count_only_for_their_device() {
    let store = Arc::new(Store::in_memory(Book::default()));
    let runtime = devices([Cpu, Cuda, Metal]).0.with_store(store.clone());
    assert!(runtime.cost_model().is_empty());
    let fit = |backend: usize, launch_ns: f64| {
        let (on, op) = (runtime.device_id(backend), "zip".to_owned());
        Record::Fit(FitRecord {
            on,
            op,
            measured: 1,
            samples: 5,
            launch_ns,
            ns_per_flop: 0.0,
            ns_per_byte: 0.0,
            error: 0.0,
        })
    };
    let transfer = |backend: usize, driver: &str| {
        let mut on = runtime.device_id(backend);
        on.driver.push_str(driver);
        Record::Transfer(TransferRecord {
            on,
            measured: 1,
            samples: 5,
            upload_ns: 1.0,
            upload_ns_per_byte: 0.0,
            download_ns: 1.0,
            download_ns_per_byte: 0.0,
        })
    };
    let cuda = || on(Cuda, Fallback::Warn);
    store.put([fit(0, 10.0), fit(1, 1000.0), transfer(1, "of last year")]).unwrap();
    assert_eq!(call(&runtime, TINY, cuda()).selected, Cuda, "the copies are those of another driver");
    store.put([transfer(1, "")]).unwrap();
    lc_core::runtime::forget_plans();
    assert_eq!(call(&runtime, TINY, cuda()).selected, Cpu);
    let model = runtime.cost_model();
    let cost = lc_core::Cost::default();
    assert_eq!(model.measured(Cuda, "zip", &cost, 4, 4), Some(1002.0));
    assert_eq!(model.measured(Metal, "zip", &cost, 4, 4), None);
    assert!(Arc::ptr_eq(&model, &runtime.cost_model()), "made once for each change");
}
