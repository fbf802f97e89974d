//! Owned tensors in the memory of a device that the host cannot address.
#![allow(missing_docs)]

mod common;

use common::{REGISTRY, ZIP, ZIP_ANY, devices, null, on, turn};
use lc_core::backend::{Backend, Memory};
use lc_core::dense::{self, DenseTensor, Layout};
use lc_core::null::{Action, NullBackend};
use lc_core::trace::{self, EventType};
use lc_core::{Blame, DeviceKind, EffectivePolicy, ErrorKind, Fallback, PackedPolicy, TensorRef};
use std::sync::Arc;

fn device() -> (Arc<dyn Backend>, Arc<NullBackend>) {
    let backend = NullBackend::new(&REGISTRY);
    (backend.clone(), backend)
}

fn filled(dims: &[i64]) -> DenseTensor<f32> {
    let mut tensor = DenseTensor::zeros(device().0, dims).unwrap();
    let values: Vec<f32> = (1..=tensor.numel()).map(|i| i as f32).collect();
    tensor.fill_from(&TensorRef::new(&values, &[values.len()]).unwrap()).unwrap();
    tensor
}

#[test]
fn storage_starts_as_zeros_and_ends_with_the_tensor() {
    let (backend, null) = device();
    let tensor = DenseTensor::<f64>::zeros(backend, &[3, 5]).unwrap();
    assert_eq!(tensor.to_vec().unwrap(), vec![0.0; 15]);
    assert_eq!(null.bytes_in_use(), 120);
    tensor.validate().unwrap();
    drop(tensor);
    assert_eq!(null.bytes_in_use(), 0);
}

#[test]
fn bad_shapes_are_refused_at_construction() {
    let (backend, null) = device();
    let bad: [&[i64]; 7] = [&[], &[0], &[2, 0], &[-1], &[i64::MIN, 2], &[i64::MAX, i64::MAX], &[1; 9]];
    for dims in bad {
        let error = DenseTensor::<f32>::zeros(backend.clone(), dims).unwrap_err();
        assert_eq!((error.kind(), error.blame()), (ErrorKind::InvalidValue, Blame::Value), "{dims:?}: {error}");
    }
    assert_eq!(null.bytes_in_use(), 0);
}

#[test]
fn an_absent_device_follows_the_fallback_policy() {
    let (runtime, _) = devices([DeviceKind::Cpu]);
    let place = |fallback| {
        let policy = EffectivePolicy::of(on(DeviceKind::Metal, fallback).pack(), PackedPolicy::UNSET);
        dense::place(&runtime, policy)
    };
    let error = place(Fallback::Deny).err().unwrap();
    assert_eq!((error.kind(), error.argument_name()), (ErrorKind::NotSupported, "device"));
    for fallback in [Fallback::Allow, Fallback::Warn] {
        let (backend, other) = place(fallback).unwrap();
        let tensor = DenseTensor::<f32>::zeros(backend, &[2]).unwrap();
        assert_eq!((tensor.device(), other), (DeviceKind::Cpu, true), "the tensor says where it really is");
    }
    let policy = EffectivePolicy::of(on(DeviceKind::Cpu, Fallback::Deny).pack(), PackedPolicy::UNSET);
    assert!(!dense::place(&runtime, policy).unwrap().1);
}

#[test]
fn reshape_and_view_infer_one_extent() {
    let mut tensor = filled(&[2, 3]);
    tensor.reshape(&[3, -1]).unwrap();
    assert_eq!(tensor.shape().dims(), [3, 2]);
    assert_eq!(tensor.view(&[-1]).unwrap().shape().dims(), [6]);
    for bad in [&[4, -1][..], &[-1, -1], &[-2, 3], &[7], &[], &[0, -1], &[i64::MAX, -1], &[-1, i64::MAX, 2]] {
        assert!(tensor.reshape(bad).is_err(), "{bad:?}");
        assert!(tensor.view(bad).is_err(), "{bad:?}");
        assert_eq!(tensor.shape().dims(), [3, 2]);
    }
    let view = tensor.view(&[6]).unwrap();
    assert_eq!((view.layout(), view.offset()), (Layout::Contiguous, 0));
    view.validate_for(6).unwrap();
    assert!(view.validate_for(2).is_err() && view.validate_for(0).is_err());
}

#[test]
fn slices_gather_what_they_name() {
    let tensor = filled(&[2, 2]);
    let row = tensor.slice(0, 0, 1).unwrap();
    assert_eq!((row.shape().dims(), row.offset()), (&[1, 2][..], 0));
    assert_eq!(tensor.gather(&row).unwrap(), [1.0, 2.0]);
    let column = tensor.slice(1, 0, 1).unwrap();
    assert_eq!(tensor.gather(&column).unwrap(), [1.0, 3.0]);
    assert_eq!(tensor.slice(0, 0, 2).unwrap().layout(), Layout::Strided, "a full slice is a slice");
    for (axis, start, end) in [(2, 0, 1), (0, 1, 1), (0, 1, 0), (0, 1, 3), (usize::MAX, 0, 1), (0, 0, usize::MAX)] {
        assert!(tensor.slice(axis, start, end).is_err(), "{axis} {start}..{end}");
    }
}

#[test]
fn strided_reads_stay_inside() {
    let tensor = filled(&[2, 2]);
    assert_eq!(tensor.read_strided(&[2], &[2], 0).unwrap(), [1.0, 3.0]);
    assert_eq!(tensor.read_strided(&[2, 2], &[1, 2], 0).unwrap(), [1.0, 3.0, 2.0, 4.0]);
    let bad: [(&[i64], &[i64], usize); 9] = [
        (&[2], &[2], 3),
        (&[2], &[4], 0),
        (&[2], &[0], 0),
        (&[2], &[-1], 1),
        (&[2, 2], &[1], 0),
        (&[0], &[1], 0),
        (&[], &[], 0),
        (&[2], &[i64::MAX], 0),
        (&[1], &[1], usize::MAX),
    ];
    for (dims, strides, offset) in bad {
        let error = tensor.read_strided(dims, strides, offset).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue, "{dims:?} {strides:?} {offset}: {error}");
    }
}

#[test]
fn a_view_is_checked_against_every_tensor_that_it_is_applied_to() {
    let tensor = filled(&[4, 4]);
    let view = tensor.slice(0, 2, 4).unwrap();
    drop(tensor);
    assert_eq!(filled(&[16]).gather(&view).unwrap()[0], 9.0, "metadata outlives its tensor");
    assert!(filled(&[15]).gather(&view).is_err());
    let wide = DenseTensor::<f64>::zeros(device().0, &[16]).unwrap();
    assert_eq!(wide.gather(&view).unwrap_err().blame(), Blame::Type);
    let elsewhere = NullBackend::with_kind(DeviceKind::Cuda, &REGISTRY);
    assert!(DenseTensor::<f32>::zeros(elsewhere, &[16]).unwrap().gather(&view).is_err());
}

#[test]
fn elementwise_ops_run_where_the_tensors_are() {
    let (runtime, null) = null();
    let backend: Arc<dyn Backend> = runtime.backend(DeviceKind::Null).unwrap().clone();
    let a = DenseTensor::<f32>::zeros(backend.clone(), &[2, 2]).unwrap();
    let b = DenseTensor::<f32>::zeros(backend.clone(), &[4]).unwrap();
    null.take_log();
    let sum = a.zip_with(&runtime, &ZIP_ANY, &b).unwrap();
    assert_eq!(sum.shape().dims(), [2, 2]);
    assert_eq!(null.take_log(), [Action::Allocate(16), Action::Launch("zip_any"), Action::Synchronize(1)]);
    assert_eq!(lc_core::last_receipt().unwrap().op, "zip_any");
    let short = DenseTensor::<f32>::zeros(backend, &[3]).unwrap();
    assert!(a.zip_with(&runtime, &ZIP_ANY, &short).is_err());
    assert!(a.zip_with(&runtime, &ZIP, &b).is_err(), "the op's own rule still holds");
}

#[test]
fn device_memory_is_on_the_trace() {
    let _turn = turn();
    let (backend, _) = device();
    let me = trace::Event::new(EventType::Sync).thread;
    trace::enable(true);
    trace::clear();
    let tensor = DenseTensor::<f32>::zeros(backend, &[8]).unwrap();
    let _ = tensor.to_vec().unwrap();
    drop(tensor);
    let events: Vec<_> = trace::events().into_iter().filter(|e| e.thread == me).map(|e| (e.kind, e.bytes)).collect();
    trace::enable(false);
    use EventType::{Download, FreeDevice, MallocDevice};
    assert_eq!(events, [(MallocDevice, 32), (Download, 32), (FreeDevice, 32)]);
}
