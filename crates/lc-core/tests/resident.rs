//! Resident weights on the NULL backend, which has memory of its own: what is copied, when, and what is refused.
#![allow(missing_docs)]

mod common;

use common::{ZIP, devices, io, null, on, spec, turn, zip_attrs};
use lc_core::null::Action::{Allocate, Download, Launch, Synchronize, Upload};
use lc_core::{DeviceKind, ErrorKind, Fallback, PackedPolicy, Resident, Runtime, TensorMut, TensorRef, policy};

const A: [f32; 4] = [1.0, 2.0, 3.0, 4.0];
const B: [f32; 4] = [5.0, 6.0, 7.0, 8.0];

fn tensor(values: &[f32]) -> Option<TensorRef<'_>> {
    Some(TensorRef::new(values, &[values.len()]).unwrap())
}

fn resident(runtime: &Runtime) -> Resident {
    Resident::new(runtime, &ZIP, &zip_attrs(), &[None, tensor(&B)], &[spec(4)], PackedPolicy::UNSET).unwrap()
}

fn one_call(
    runtime: &Runtime,
    resident: &Resident,
    a: &[f32],
    call: PackedPolicy,
) -> lc_core::Result<lc_core::Receipt> {
    let operands = [tensor(a)];
    let ready = resident.ready(runtime, &operands)?;
    let mut out = vec![9.0f32; a.len()];
    resident.run(&ready, &operands, &mut [TensorMut::new(&mut out, &[a.len()]).unwrap()], call)
}

#[test]
fn weights_are_uploaded_once_and_operands_with_each_call() {
    let (runtime, device) = null();
    let resident = resident(&runtime);
    assert_eq!(device.take_log(), [Allocate(16), Upload(16)]);
    assert_eq!(resident.bytes(), 16);
    let receipt = one_call(&runtime, &resident, &A, PackedPolicy::UNSET).unwrap();
    assert_eq!(device.take_log(), [Allocate(512), Upload(16), Launch("zip"), Synchronize(1), Download(16)]);
    assert_eq!((receipt.bytes_uploaded, receipt.bytes_downloaded, receipt.launches, receipt.waits), (16, 16, 1, 1));
    one_call(&runtime, &resident, &A, PackedPolicy::UNSET).unwrap();
    assert_eq!(device.take_log(), [Upload(16), Launch("zip"), Synchronize(1), Download(16)], "scratch memory is kept");
    one_call(&runtime, &resident, &A, io(&[], &[false], true).pack()).unwrap();
    assert_eq!(device.take_log(), [Upload(16), Launch("zip"), Synchronize(1)]);
}

#[test]
fn other_operands_are_refused() {
    let (runtime, device) = null();
    let resident = resident(&runtime);
    device.take_log();
    assert!(resident.ready(&runtime, &[tensor(&A[..3])]).is_err(), "the rule wants equal extents");
    assert!(resident.ready(&runtime, &[tensor(&A), tensor(&B)]).is_err(), "a weight's place");
    assert!(resident.ready(&runtime, &[]).is_err());
    let ready = resident.ready(&runtime, &[tensor(&A)]).unwrap();
    let mut out = A;
    let mut run = |operands: &[Option<TensorRef<'_>>], n: usize| {
        let mut outputs = [TensorMut::new(&mut out[..n], &[n]).unwrap()];
        resident.run(&ready, operands, &mut outputs, PackedPolicy::UNSET)
    };
    assert!(run(&[tensor(&B[..3])], 4).is_err());
    assert!(run(&[tensor(&B), tensor(&B)], 4).is_err());
    assert!(run(&[], 4).is_err());
    assert!(run(&[tensor(&B)], 3).is_err());
    let error = one_call(&runtime, &resident, &A, io(&[false], &[], true).pack()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotInitialized);
    assert!(device.take_log().is_empty(), "nothing happened");
}

#[test]
fn a_position_is_a_weight_or_an_operand() {
    let (runtime, _) = null();
    let make = |weights: &[_], example: &[_]| {
        Resident::new(&runtime, &ZIP, &zip_attrs(), weights, example, PackedPolicy::UNSET).map(|_| ())
    };
    assert!(make(&[tensor(&A), tensor(&B)], &[spec(4)]).is_err());
    assert!(make(&[None, tensor(&B), None, tensor(&B)], &[spec(4)]).is_err());
    assert!(make(&[None, tensor(&B)], &[]).is_err(), "a required operand in neither");
    assert!(make(&[tensor(&A), tensor(&B)], &[]).is_ok(), "all resident");
}

#[test]
fn a_scope_moves_no_weights() {
    let _turn = turn();
    let (runtime, [cuda, vulkan]) = devices([DeviceKind::Cuda, DeviceKind::Vulkan]);
    let resident = resident(&runtime);
    cuda.take_log();
    policy::scoped(&on(DeviceKind::Vulkan, Fallback::Deny), || {
        let receipt = one_call(&runtime, &resident, &A, PackedPolicy::UNSET).unwrap();
        assert_eq!(receipt.selected, DeviceKind::Cuda);
    });
    assert!(vulkan.take_log().is_empty());
}
