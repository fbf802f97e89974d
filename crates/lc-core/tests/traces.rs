//! What calls and sessions leave on the trace.
#![allow(missing_docs)]

mod common;

use common::{ZIP, devices, null, on, spec, turn, zip_attrs};
use lc_core::trace::timeline::{TimelineOptions, timeline};
use lc_core::trace::{self, Event, EventType};
use lc_core::{DeviceKind, ErrorKind, Fallback, PackedPolicy, Reason, Result, TensorMut, TensorRef};

const A: [f32; 4] = [1.0; 4];

/// The events of `f` on this thread.
fn record<R>(f: impl FnOnce() -> R) -> (R, Vec<Event>) {
    let me = Event::new(EventType::Sync).thread;
    trace::enable(true);
    trace::clear();
    let result = f();
    let events = trace::events().into_iter().filter(|e| e.thread == me).collect();
    trace::enable(false);
    (result, events)
}

fn kinds(events: &[Event]) -> Vec<EventType> {
    events.iter().map(|e| e.kind).collect()
}

#[test]
fn a_one_shot_call_leaves_one_event_for_each_thing_it_did() {
    let _turn = turn();
    let (runtime, _) = null();
    let a = Some(TensorRef::new(&A, &[4]).unwrap());
    let mut out = [0.0f32; 4];
    let mut results = [TensorMut::new(&mut out, &[4]).unwrap()];
    let (receipt, events) =
        record(|| runtime.call(&ZIP, &zip_attrs(), &[a, a], &mut results, PackedPolicy::UNSET).unwrap());
    use EventType::{Download, OpDispatch, Sync, Upload};
    assert_eq!(kinds(&events), [Upload, Upload, OpDispatch, Sync, Download]);
    let bytes: Vec<_> = events.iter().map(|e| (e.bytes, e.detail0)).collect();
    assert_eq!(bytes, [(16, 0), (16, 1), (48, 4), (0, 0), (16, 0)], "bytes; operand or work");
    for event in &events {
        assert_eq!((event.op.text(), event.kernel.text()), ("zip_traced", "null"));
        assert_eq!((event.selected, event.fallback), (Some(DeviceKind::Null), false));
        assert_eq!(event.status, None);
    }
    let end = |e: &Event| e.start_ns + e.duration_ns;
    assert!(events.windows(2).all(|w| end(&w[0]) <= w[1].start_ns), "each began when the one before had ended");
    let spent: u64 = events.iter().map(|e| e.duration_ns).sum();
    let whole = receipt.duration_ns.expect("measured while the trace is on");
    assert!(whole >= spent && whole >= end(&events[4]) - events[0].start_ns);
}

#[test]
fn sessions_are_on_the_trace_too() {
    let _turn = turn();
    let (runtime, _) = null();
    let a = Some(TensorRef::new(&A, &[4]).unwrap());
    let mut session = runtime.session(&ZIP, &zip_attrs(), &[spec(4), spec(4)], PackedPolicy::UNSET).unwrap();
    let ((), events) = record(|| {
        session.start(&[a, a]).unwrap();
        session.run_batch(3).unwrap();
    });
    let dispatches = events.iter().filter(|e| e.kind == EventType::OpDispatch).count();
    assert_eq!((dispatches, events.len()), (4, 7), "two uploads, four launches, one wait");
}

#[test]
fn a_fallback_is_one_event_with_its_reason() {
    let _turn = turn();
    let (runtime, _) = devices([DeviceKind::Cpu]);
    let a = Some(TensorRef::new(&A, &[4]).unwrap());
    let mut out = [0.0f32; 4];
    let mut results = [TensorMut::new(&mut out, &[4]).unwrap()];
    let policy = on(DeviceKind::Metal, Fallback::Allow).pack();
    let (_, events) = record(|| runtime.call(&ZIP, &zip_attrs(), &[a, a], &mut results, policy).unwrap());
    let dispatches: Vec<_> = events.iter().filter(|e| e.kind == EventType::OpDispatch).collect();
    assert_eq!(dispatches.len(), 1);
    let event = dispatches[0];
    assert_eq!((event.requested.unwrap().name(), event.selected), ("metal", Some(DeviceKind::Cpu)));
    assert_eq!((event.fallback, event.reason), (true, Some(Reason::Unavailable)));
    let t = timeline(&events, TimelineOptions::default().group("op_path", "count", true).unwrap());
    assert!(t.groups.iter().any(|g| g.key == "zip_traced|cpu|fallback" && g.count == 1));
}

#[test]
fn a_failure_has_its_status() {
    let _turn = turn();
    let (runtime, device) = null();
    let a = Some(TensorRef::new(&A, &[4]).unwrap());
    let mut session = runtime.session(&ZIP, &zip_attrs(), &[spec(4), spec(4)], PackedPolicy::UNSET).unwrap();
    device.fail_next_launch();
    let (result, events): (Result<_>, _) = record(|| session.start(&[a, a]));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::DriverError);
    let last = events.last().unwrap();
    assert_eq!((last.kind, last.status_text()), (EventType::OpDispatch, "driver error"));
}

#[test]
fn nothing_is_recorded_while_the_trace_is_off() {
    let _turn = turn();
    let (runtime, _) = null();
    trace::enable(false);
    trace::clear();
    let a = Some(TensorRef::new(&A, &[4]).unwrap());
    let mut out = [0.0f32; 4];
    let mut results = [TensorMut::new(&mut out, &[4]).unwrap()];
    runtime.call(&ZIP, &zip_attrs(), &[a, a], &mut results, PackedPolicy::UNSET).unwrap();
    assert!(trace::events().is_empty());
}
