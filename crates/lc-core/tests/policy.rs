//! Policies: who wins, what falls back, what a one-shot call copies.
//!
//! One test changes the process level, so all take turns.
#![allow(missing_docs)]

mod common;

use common::{ZIP, devices, io, null, on, spec, turn, zip_attrs};
use lc_core::DeviceKind::{Cpu, Cuda, Metal, Null, Vulkan};
use lc_core::null::Action::{Allocate, Download, Launch, Synchronize, Upload};
use lc_core::policy::{self, scoped};
use lc_core::{
    Blame, DeviceKind, EffectivePolicy, ErrorKind, Fallback, PackedPolicy, Policy, Reason, Receipt, Result, Runtime,
    TensorMut, TensorRef, last_receipt,
};

const A: [f32; 2] = [1.0, 2.0];

fn call(runtime: &Runtime, policy: Policy) -> Result<Receipt> {
    let a = TensorRef::new(&A, &[2])?;
    let mut out = [0.0f32; 2];
    let mut results = [TensorMut::new(&mut out, &[2])?];
    runtime.call(&ZIP, &zip_attrs(), &[Some(a), Some(a)], &mut results, policy.pack())
}

#[test]
fn call_over_scope_over_session_over_process() {
    let _turn = turn();
    let (runtime, _) = devices([Cpu, Cuda, Metal, Vulkan]);
    let chosen = |policy: Policy| call(&runtime, policy).unwrap().selected;
    let device = |kind| on(kind, Fallback::Deny);
    assert_eq!(chosen(Policy::default()), Metal, "\"auto\" prefers Metal");
    let before = policy::process();
    policy::set_process(&device(Vulkan));
    assert_eq!(chosen(Policy::default()), Vulkan);
    let session_on = |policy: Policy| {
        let specs = [spec(2), spec(2)];
        runtime.session(&ZIP, &zip_attrs(), &specs, policy.pack()).unwrap().call().receipt().selected
    };
    assert_eq!(session_on(Policy::default()), Vulkan);
    assert_eq!(session_on(device(Cuda)), Cuda, "session over process");
    scoped(&device(Cpu), || {
        assert_eq!(session_on(device(Cuda)), Cpu, "scope over session");
        assert_eq!(chosen(Policy::default()), Cpu, "scope over process");
        assert_eq!(chosen(device(Cuda)), Cuda, "call over scope");
    });
    policy::set_process(&before);
    assert_eq!(chosen(Policy::default()), Metal);
}

#[test]
fn a_call_s_policy_lies_over_the_session_s() {
    let _turn = turn();
    let (runtime, device) = null();
    let quiet = io(&[true, true], &[false], false);
    let mut session = runtime.session(&ZIP, &zip_attrs(), &[spec(2), spec(2)], quiet.pack()).unwrap();
    device.take_log();
    let a = Some(TensorRef::new(&A, &[2]).unwrap());
    let mut out = [3.0f32; 2];
    session.step(&[a, a], &mut [TensorMut::new(&mut out, &[2]).unwrap()], PackedPolicy::UNSET).unwrap();
    assert_eq!(device.take_log(), [Upload(8), Upload(8), Launch("zip")]);
    let loud = io(&[false, false], &[true], true);
    session.step(&[a, a], &mut [TensorMut::new(&mut out, &[2]).unwrap()], loud.pack()).unwrap();
    assert_eq!(device.take_log(), [Launch("zip"), Synchronize(2), Download(8)]);
}

#[test]
fn fallback_deny_is_a_typed_error_with_a_hint_that_works() {
    let _turn = turn();
    let (runtime, [cpu]) = devices([Cpu]);
    let error = call(&runtime, on(Metal, Fallback::Deny)).unwrap_err();
    assert_eq!((error.kind(), error.blame()), (ErrorKind::NotSupported, Blame::Runtime));
    assert_eq!(error.op(), "zip");
    assert!(error.expected_text().contains("metal"), "{error}");
    assert!(error.hint_text().contains("\"cpu\""), "{error}");
    assert!(cpu.take_log().is_empty(), "a refused call does nothing");
    call(&runtime, on(Cpu, Fallback::Deny)).unwrap();
    call(&runtime, on(Metal, Fallback::Allow)).unwrap();
}

#[test]
fn fallback_warns_once_per_op_and_device_and_always_leaves_a_receipt() {
    let _turn = turn();
    let (runtime, _) = devices([Cpu]);
    let receipts: Vec<_> = (0..3).map(|_| call(&runtime, on(Metal, Fallback::Warn)).unwrap()).collect();
    assert_eq!(receipts.iter().map(|r| r.warn).collect::<Vec<_>>(), [true, false, false]);
    for receipt in &receipts {
        assert_eq!((receipt.selected, receipt.fallback), (Cpu, true));
        assert_eq!((receipt.requested.name(), receipt.reason), ("metal", Reason::Unavailable));
    }
    assert!(call(&runtime, on(Cuda, Fallback::Warn)).unwrap().warn, "another device, another warning");
    assert!(!call(&runtime, on(Vulkan, Fallback::Allow)).unwrap().warn);
    assert!(call(&runtime, on(Vulkan, Fallback::Warn)).unwrap().warn, "\"allow\" has used nobody's warning up");
    assert_eq!(last_receipt().unwrap().requested.name(), "vulkan");
}

#[test]
fn only_one_thread_gets_the_warning() {
    let _turn = turn();
    let (runtime, _) = devices([Cpu]);
    let warned: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..8).filter(|_| call(&runtime, on(Metal, Fallback::Warn)).unwrap().warn).count()))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(warned, 1);
}

#[test]
fn a_device_without_a_kernel_for_the_type_falls_back_for_that_reason() {
    let _turn = turn();
    // The NULL backend has float32 kernels only: float64 has nowhere to go, and says so.
    let (runtime, _) = devices([Cpu, Metal]);
    let wide = [1.0f64, 2.0];
    let a = Some(TensorRef::new(&wide, &[2]).unwrap());
    let mut out = [0.0f64; 2];
    let mut results = [TensorMut::new(&mut out, &[2]).unwrap()];
    let policy = on(Metal, Fallback::Warn).pack();
    let error = runtime.call(&ZIP, &zip_attrs(), &[a, a], &mut results, policy).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
}

#[test]
fn software_devices_and_vulkan_are_never_taken_silently() {
    let _turn = turn();
    let (runtime, _) = devices([Vulkan, Cpu]);
    assert_eq!(call(&runtime, Policy::default()).unwrap().selected, Cpu);
    assert_eq!(call(&runtime, on(Metal, Fallback::Allow)).unwrap().selected, Cpu);
    assert_eq!(call(&runtime, on(Vulkan, Fallback::Deny)).unwrap().selected, Vulkan);
}

#[test]
fn a_one_shot_call_uploads_launches_waits_downloads() {
    let _turn = turn();
    let (runtime, device) = null();
    let receipt = call(&runtime, Policy::default()).unwrap();
    let log = device.take_log();
    assert!(
        matches!(log[..], [Allocate(_), Upload(8), Upload(8), Launch("zip"), Synchronize(1), Download(8)]),
        "{log:?}"
    );
    assert_eq!((receipt.selected, receipt.launches, receipt.waits), (Null, 1, 1));
    assert_eq!((receipt.bytes_uploaded, receipt.bytes_downloaded), (16, 8));
    assert_eq!(receipt.duration_ns, None, "nothing is timed while the trace is off");
}

#[test]
fn a_one_shot_call_without_an_upload_is_an_error_that_names_the_operand() {
    let _turn = turn();
    let (runtime, device) = null();
    for (flags, name) in [([false, true], "a"), ([true, false], "b")] {
        let error = call(&runtime, io(&flags, &[true], true)).unwrap_err();
        assert_eq!((error.kind(), error.argument_name()), (ErrorKind::NotInitialized, name));
        assert!(error.hint_text().contains("session"), "{error}");
    }
    assert!(!device.take_log().iter().any(|action| matches!(action, Launch(_))));
    assert_eq!(lc_core::backend::Memory::bytes_in_use(&*device), 0);
}

#[test]
fn a_one_shot_call_without_a_download_writes_nothing() {
    let _turn = turn();
    let (runtime, device) = null();
    let receipt = call(&runtime, io(&[true, true], &[false], true)).unwrap();
    assert_eq!((receipt.bytes_downloaded, receipt.waits), (0, 1));
    assert!(!device.take_log().iter().any(|action| matches!(action, Download(_))));
}

#[test]
fn memoised_plans_are_told_apart_by_policy() {
    let _turn = turn();
    let (runtime, _) = devices([Cpu, Metal]);
    let kinds: Vec<DeviceKind> = [Cpu, Metal, Cpu, Metal]
        .into_iter()
        .map(|kind| call(&runtime, on(kind, Fallback::Deny)).unwrap().selected)
        .collect();
    assert_eq!(kinds, [Cpu, Metal, Cpu, Metal]);
    let effective = EffectivePolicy::of(on(Cpu, Fallback::Deny).pack(), PackedPolicy::UNSET);
    assert_eq!((effective.device().name(), effective.fallback()), ("cpu", Fallback::Deny));
}
