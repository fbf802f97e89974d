//! Sessions on the NULL backend: what is uploaded, launched, waited for and downloaded, and in which order.
#![allow(missing_docs)]

mod common;

use common::{SPLIT, ZIP, ZIP_ANY, io, null, spec, zip_attrs};
use lc_core::backend::Memory;
use lc_core::null::Action::{self, Allocate, Download, Launch, Synchronize, Upload};
use lc_core::session::{MAX_BATCH, MAX_IN_FLIGHT};
use lc_core::{
    AttrValue, Attrs, EffectivePolicy, ErrorKind, PackedPolicy, Policy, Runtime, Session, SyncMode, TensorMut,
    TensorRef,
};

const A: [f32; 4] = [1.0, 2.0, 3.0, 4.0];
const B: [f32; 4] = [5.0, 6.0, 7.0, 8.0];
const ZIP_LAUNCH: Action = Launch("zip");

fn session(runtime: &Runtime) -> Session {
    runtime.session(&ZIP, &zip_attrs(), &[spec(4), spec(4)], PackedPolicy::UNSET).unwrap()
}

fn pair<'a>(a: &'a [f32], b: &'a [f32]) -> [Option<TensorRef<'a>>; 2] {
    [Some(TensorRef::new(a, &[a.len()]).unwrap()), Some(TensorRef::new(b, &[b.len()]).unwrap())]
}

#[test]
fn start_run_sync_finish_do_each_what_they_say() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    assert_eq!(device.take_log(), [Allocate(16), Allocate(16), Allocate(16)]);
    assert_eq!(session.bytes(), 48);

    let receipt = session.start(&pair(&A, &B)).unwrap();
    assert_eq!(device.take_log(), [Upload(16), Upload(16), ZIP_LAUNCH]);
    assert_eq!((receipt.bytes_uploaded, receipt.launches, receipt.waits), (32, 1, 0));

    let receipt = session.run().unwrap();
    assert_eq!(device.take_log(), [ZIP_LAUNCH]);
    assert_eq!((receipt.bytes_uploaded, receipt.launches, receipt.waits), (0, 1, 0));

    let receipt = session.sync().unwrap();
    assert_eq!(device.take_log(), [Synchronize(2)]);
    assert_eq!((receipt.launches, receipt.waits), (0, 1));

    session.run().unwrap();
    device.take_log();
    let mut out = [9.0f32; 4];
    let receipt = session.finish(&mut [TensorMut::new(&mut out, &[4]).unwrap()]).unwrap();
    assert_eq!(device.take_log(), [Synchronize(1), Download(16)]);
    assert_eq!((receipt.launches, receipt.waits, receipt.bytes_downloaded), (0, 1, 16));
    assert_eq!(out, [0.0; 4], "the device's memory, which no launch of this backend writes");
}

#[test]
fn a_batch_launches_n_times_and_waits_once() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    device.take_log();
    let receipt = session.run_batch(5).unwrap();
    let log = device.take_log();
    assert_eq!(log[..5], [ZIP_LAUNCH, ZIP_LAUNCH, ZIP_LAUNCH, ZIP_LAUNCH, ZIP_LAUNCH]);
    assert_eq!(log[5..], [Synchronize(6)]);
    assert_eq!((receipt.launches, receipt.waits), (5, 1));
    for count in [0, MAX_BATCH + 1, u64::MAX] {
        let error = session.run_batch(count).unwrap_err();
        assert_eq!((error.kind(), error.argument_name()), (ErrorKind::InvalidValue, "repeat_count"));
    }
    assert!(device.take_log().is_empty(), "a refused batch does nothing");
}

#[test]
fn what_was_not_started_says_so() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    device.take_log();
    let mut out = [0.0f32; 4];
    let mut results = [TensorMut::new(&mut out, &[4]).unwrap()];
    let errors = [
        session.run().unwrap_err(),
        session.run_batch(1).unwrap_err(),
        session.sync().unwrap_err(),
        session.finish(&mut results).unwrap_err(),
        session.step(&pair(&A, &B), &mut results, io(&[true, false], &[], true).pack()).unwrap_err(),
    ];
    for error in &errors {
        assert_eq!(error.kind(), ErrorKind::NotInitialized, "{error}");
        assert!(error.hint_text().contains("start"), "{error}");
    }
    assert_eq!(errors[4].argument_name(), "b");
    assert!(device.take_log().is_empty());
}

#[test]
fn launches_in_flight_are_bounded() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    device.take_log();
    for _ in 0..MAX_IN_FLIGHT - 1 {
        assert_eq!(session.run().unwrap().waits, 0);
    }
    assert!(device.take_log().iter().all(|action| *action == ZIP_LAUNCH));
    assert_eq!(session.run().unwrap().waits, 1);
    assert_eq!(device.take_log(), [Synchronize(u64::from(MAX_IN_FLIGHT)), ZIP_LAUNCH]);
    let receipt = session.run_batch(u64::from(MAX_IN_FLIGHT) * 2).unwrap();
    assert_eq!((receipt.launches, receipt.waits), (MAX_IN_FLIGHT * 2, 3));
}

#[test]
fn uploads_wait_for_launches_that_read_what_they_overwrite() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    device.take_log();
    session.start(&pair(&B, &A)).unwrap();
    assert_eq!(device.take_log(), [Synchronize(1), Upload(16), Upload(16), ZIP_LAUNCH]);
    // Nothing is uploaded: nothing to wait for.
    session.step(&[None, None], &mut [], io(&[false, false], &[false], false).pack()).unwrap();
    assert_eq!(device.take_log(), [ZIP_LAUNCH]);
}

#[test]
fn policies_steer_every_operand() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    session.sync().unwrap();
    device.take_log();
    for bits in 0..16u32 {
        let flag = |i: u32| bits >> i & 1 == 1;
        let policy = io(&[flag(0), flag(1)], &[flag(2)], flag(3));
        let mut out = [7.0f32; 4];
        session.step(&pair(&A, &B), &mut [TensorMut::new(&mut out, &[4]).unwrap()], policy.pack()).unwrap();
        let mut expected = Vec::new();
        expected.extend((0..2).filter(|i| flag(*i)).map(|_| Upload(16)));
        expected.push(ZIP_LAUNCH);
        if flag(2) || flag(3) {
            expected.push(Synchronize(1));
        }
        if flag(2) {
            expected.push(Download(16));
        }
        assert_eq!(device.take_log(), expected, "flags {bits:04b}");
        assert_eq!(out, if flag(2) { [0.0; 4] } else { [7.0; 4] }, "flags {bits:04b}");
        if !flag(2) && !flag(3) {
            session.sync().unwrap();
            device.take_log();
        }
    }
}

#[test]
fn results_are_steered_one_by_one() {
    let (runtime, device) = null();
    let mut session = runtime.session(&SPLIT, &Attrs::NONE, &[spec(4)], PackedPolicy::UNSET).unwrap();
    device.take_log();
    let (mut left, mut right) = ([1.0f32; 4], [2.0f32; 4]);
    let mut results = [TensorMut::new(&mut left, &[4]).unwrap(), TensorMut::new(&mut right, &[4]).unwrap()];
    let x = TensorRef::new(&A, &[4]).unwrap();
    session.step(&[Some(x)], &mut results, io(&[], &[false, true], false).pack()).unwrap();
    assert_eq!(device.take_log(), [Upload(16), Launch("split"), Synchronize(1), Download(16)]);
    assert_eq!((left, right), ([1.0; 4], [0.0; 4]));
}

#[test]
fn sync_always_waits_after_every_launch() {
    let (runtime, device) = null();
    let always = Policy { sync: Some(SyncMode::Always), ..Policy::default() };
    let mut session = runtime.session(&ZIP, &zip_attrs(), &[spec(4), spec(4)], always.pack()).unwrap();
    device.take_log();
    session.start(&pair(&A, &B)).unwrap();
    assert_eq!(device.take_log(), [Upload(16), Upload(16), ZIP_LAUNCH, Synchronize(1)]);
    assert_eq!(session.run().unwrap().waits, 1);
}

#[test]
fn wrong_operands_are_named_and_change_nothing() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    session.sync().unwrap();
    device.take_log();
    let short = [0.0f32; 3];
    let double = [0.0f64; 4];
    let doubles = TensorRef::new(&double, &[4]).unwrap();
    let mut all = pair(&A, &B).to_vec();
    all.push(Some(doubles));
    for (inputs, name) in [
        (pair(&short, &B).to_vec(), "a"),
        (pair(&A, &short).to_vec(), "b"),
        (vec![Some(doubles), pair(&A, &B)[1]], "a"),
        (vec![pair(&A, &B)[0]], "b"),
        (all, "c"),
    ] {
        let error = session.start(&inputs).unwrap_err();
        assert_eq!((error.kind(), error.argument_name()), (ErrorKind::InvalidValue, name), "{error}");
    }
    let mut small = [0.0f32; 3];
    let error = session.finish(&mut [TensorMut::new(&mut small, &[3]).unwrap()]).unwrap_err();
    assert_eq!(error.argument_name(), "out");
    assert!(session.finish(&mut []).is_err());
    assert!(device.take_log().is_empty());
    // And the session still works.
    session.run().unwrap();
}

#[test]
fn a_result_that_overlaps_an_input_is_refused() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    device.take_log();
    let mut data = A;
    let base = data.as_mut_ptr();
    let spec = spec(4).unwrap();
    // SAFETY: both views are of `data`, which outlives them; nothing is read or written, since the call is refused.
    let (a, mut out) = unsafe {
        (
            TensorRef::from_raw(base.cast_const().cast(), spec, spec.shape.contiguous_strides()),
            [TensorMut::from_raw(base.cast(), spec)],
        )
    };
    let b = TensorRef::new(&B, &[4]).unwrap();
    let error = session.step(&[Some(a), Some(b)], &mut out, PackedPolicy::UNSET).unwrap_err();
    assert_eq!(error.argument_name(), "out");
    assert!(device.take_log().is_empty());
}

#[test]
fn a_failed_launch_poisons_its_session_and_no_other() {
    let (runtime, device) = null();
    let (mut first, mut second) = (session(&runtime), session(&runtime));
    first.start(&pair(&A, &B)).unwrap();
    second.start(&pair(&A, &B)).unwrap();
    device.fail_next_launch();
    assert_eq!(first.run().unwrap_err().kind(), ErrorKind::DriverError);
    device.take_log();
    for error in [first.run().unwrap_err(), first.sync().unwrap_err(), first.start(&pair(&A, &B)).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::DriverError);
        assert!(error.hint_text().contains("new session"), "{error}");
    }
    assert!(device.take_log().is_empty(), "a poisoned session touches nothing");
    second.run().unwrap();
    second.sync().unwrap();
}

#[test]
fn sessions_own_their_buffers_and_give_them_back() {
    let (runtime, device) = null();
    let mut first = session(&runtime);
    let mut second = session(&runtime);
    assert_eq!(device.bytes_in_use(), 96);
    first.start(&pair(&A, &A)).unwrap();
    second.start(&pair(&B, &B)).unwrap();
    drop(first);
    assert_eq!(device.bytes_in_use(), 48);
    second.run().unwrap();
    drop(second);
    assert_eq!(device.bytes_in_use(), 0);
    // One-shot calls own their memory only while they run.
    let mut out = [0.0f32; 4];
    let mut results = [TensorMut::new(&mut out, &[4]).unwrap()];
    runtime.call(&ZIP, &zip_attrs(), &pair(&A, &B), &mut results, PackedPolicy::UNSET).unwrap();
    assert_eq!(device.bytes_in_use(), 0);
}

#[test]
fn a_result_can_be_fed_back_as_an_operand() {
    let (runtime, device) = null();
    let mut session = session(&runtime);
    assert_eq!(session.feed_back(0, 0).unwrap_err().kind(), ErrorKind::NotInitialized);
    session.start(&pair(&A, &B)).unwrap();
    session.sync().unwrap();
    assert!(session.feed_back(1, 0).is_err() && session.feed_back(0, 2).is_err());
    device.take_log();
    session.feed_back(0, 0).unwrap();
    assert!(device.take_log().is_empty(), "no copy");
    // The result's buffer is now what was uploaded as `a`.
    let mut out = [0.0f32; 4];
    session.finish(&mut [TensorMut::new(&mut out, &[4]).unwrap()]).unwrap();
    assert_eq!(out, A);
}

#[test]
fn attributes_change_between_launches_within_the_rule() {
    let (runtime, _device) = null();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    let other = zip_attrs().with("zip", ZIP.attrs, "kind", AttrValue::Int(3)).unwrap();
    session.set_attrs(&other).unwrap();
    assert_eq!(session.call().attrs, other);
    assert!(session.set_attrs(&Attrs::of([AttrValue::Int(10)])).is_err());
    assert!(session.set_attrs(&Attrs::NONE).is_err());
    assert_eq!(session.call().attrs, other);
    session.run().unwrap();
}

#[test]
fn another_op_may_run_on_the_same_operands() {
    let (runtime, device) = null();
    let specs = [spec(4), spec(4)];
    let policy = EffectivePolicy::of(PackedPolicy::UNSET, PackedPolicy::UNSET);
    let resolve = |specs: &[_]| runtime.resolve(&ZIP_ANY, &Attrs::NONE, specs, policy).unwrap();
    let mut session = session(&runtime);
    session.start(&pair(&A, &B)).unwrap();
    device.take_log();
    session.set_call(resolve(&specs)).unwrap();
    session.run().unwrap();
    assert_eq!(device.take_log(), [Launch("zip_any")]);
    assert!(session.set_call(resolve(&[spec(5), spec(5)])).is_err());
    let (elsewhere, _) = null();
    assert!(session.set_call(elsewhere.resolve(&ZIP_ANY, &Attrs::NONE, &specs, policy).unwrap()).is_err());
}
