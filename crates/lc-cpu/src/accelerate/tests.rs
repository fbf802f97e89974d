//! The calls that are made of a BLAS, with a model of one that refuses what the standard forbids.

use super::cblas::{Gemm, Library, layout};
use super::of;
use crate::backend::CpuBackend;
use crate::bind::Real;
use crate::isa::Isa;
use crate::view::Mat;
use lc_core::backend::{Args, Backend, Compute};
use lc_core::tune::{Book, DeviceId, Record, Store};
use lc_core::{Case, EffectivePolicy, Element, OpDef, PackedPolicy, Policy, Reason, Runtime, TensorMut, TuneMode};
use lc_ops::parity::{Inputs, Layout, compare};
use std::cell::Cell;
use std::sync::Arc;

/// Row-major `cblas_?gemm` as the reference BLAS defines it (netlib.org/blas), in float64.
struct Model;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

fn wide<T: Element>(x: T) -> f64 {
    x.to_f64()
}

unsafe fn model<T: Real>(call: &Gemm<T>) {
    CALLS.set(CALLS.get() + 1);
    let [m, n, k] = call.sizes.map(|size| usize::try_from(size).expect("a size of at least 0"));
    let [ta, tb] = call.transposed;
    let (lda, ldb, ldc) = (call.a.1 as usize, call.b.1 as usize, call.c.1 as usize);
    // What xerbla ends the program for.
    assert!(call.a.1 as i64 >= (if ta { m } else { k }).max(1) as i64, "lda {lda} of {m}x{k}, transposed: {ta}");
    assert!(call.b.1 as i64 >= (if tb { k } else { n }).max(1) as i64, "ldb {ldb} of {k}x{n}, transposed: {tb}");
    assert!(call.c.1 as i64 >= n.max(1) as i64, "ldc {ldc} of {n}");
    for i in 0..m {
        for j in 0..n {
            // SAFETY: by the contract of the library, these are elements of the operands.
            unsafe {
                let at = |start: *const T, ld: usize, row: usize, col: usize, transposed: bool| {
                    wide(*start.add(if transposed { col * ld + row } else { row * ld + col }))
                };
                let sum: f64 = (0..k).map(|l| at(call.a.0, lda, i, l, ta) * at(call.b.0, ldb, l, j, tb)).sum();
                let c = call.c.0.add(i * ldc + j);
                let kept = if call.beta == T::ZERO { 0.0 } else { wide(call.beta) * wide(*c) };
                *c = Element::from_f64(wide(call.alpha) * sum + kept);
            }
        }
    }
}

impl Library for Model {
    unsafe fn sgemm(call: &Gemm<f32>) {
        // SAFETY: the caller's contract.
        unsafe { model(call) }
    }
    unsafe fn dgemm(call: &Gemm<f64>) {
        // SAFETY: the caller's contract.
        unsafe { model(call) }
    }
}

fn mat(rows: usize, cols: usize, row_stride: isize, col_stride: isize) -> Mat<f32> {
    Mat { ptr: std::ptr::NonNull::dangling().as_ptr(), rows, cols, row_stride, col_stride }
}

#[test]
fn strides_become_transposition_and_leading_dimension() {
    let cases = [
        (mat(3, 5, 5, 1), Some((false, 5)), "dense"),
        (mat(3, 5, 9, 1), Some((false, 9)), "rows apart"),
        (mat(3, 5, 1, 3), Some((true, 3)), "transposed"),
        (mat(3, 5, 1, 8), Some((true, 8)), "transposed, rows apart"),
        (mat(3, 5, 4, 1), None, "rows that overlap"),
        (mat(3, 5, 10, 2), None, "both longer than one"),
        (mat(3, 5, 0, 1), None, "one row repeated"),
        (mat(3, 5, 1, 0), None, "one column repeated"),
        (mat(3, 5, -5, 1), None, "rows backwards"),
        (mat(3, 5, 5, -1), None, "columns backwards"),
        (mat(1, 5, 0, 1), Some((false, 5)), "one row"),
        (mat(1, 5, -7, 2), Some((true, 2)), "one row with gaps is a column"),
        (mat(5, 1, 1, 0), Some((false, 1)), "one column"),
        (mat(5, 1, 4, -3), Some((false, 4)), "one column with gaps"),
        (mat(1, 1, -2, 0), Some((false, 1)), "one element"),
        (mat(2, 2, 1, 1), None, "a diagonal"),
        (mat(2, 3, i64::from(i32::MAX) as isize + 1, 1), None, "a step of more than 32 bits"),
    ];
    for (m, want, what) in cases {
        assert_eq!(layout(&m), want, "{what}");
    }
}

/// A backend whose table has the model as a candidate.
fn backend() -> Arc<CpuBackend> {
    CpuBackend::with_libraries(Isa::active(), &of::<Model>())
}

fn every_case<T: Element>(op: &'static OpDef) {
    let backend = backend();
    let kernel = backend.kernels().iter().find(|k| k.op == op && k.unproven).expect("a candidate");
    for case in (op.cases)() {
        for layout in Layout::ALL {
            let inputs = Inputs::generate::<T>(op, &case, layout, 7);
            let outputs = op.check(&case.attrs, &inputs.specs()).expect("a legal call");
            let dims = outputs.first().shape.dims().to_vec();
            let mut out = vec![T::from_f64(f64::NAN); outputs.first().shape.numel()];
            CALLS.set(0);
            let views = inputs.refs();
            let outputs = [TensorMut::new(&mut out, &dims).expect("sized by its shape")];
            let args = Args::Host { inputs: &views, prepared: &[], outputs: &outputs };
            backend.launch(kernel, &case.attrs, args).expect("runs");
            assert!(CALLS.get() > 0, "{} {layout:?}: the library is what runs", case.name);
            let want = &inputs.reference(op, &case.attrs)[0];
            compare(op, &case, want, &out).unwrap_or_else(|r| panic!("{} {layout:?}: {r}", case.name));
        }
    }
}

#[test]
fn matmul_in_every_layout() {
    every_case::<f32>(&lc_ops::MATMUL);
    every_case::<f64>(&lc_ops::MATMUL);
}

#[test]
fn linear_in_every_layout() {
    every_case::<f32>(&lc_ops::LINEAR);
    every_case::<f64>(&lc_ops::LINEAR);
}

fn case_called(op: &OpDef, name: &str) -> Case {
    (op.cases)().into_iter().find(|case| case.name == name).expect("a case of that name")
}

#[test]
fn one_b_for_a_batch_is_one_call() {
    let (op, backend) = (&lc_ops::MATMUL, backend());
    let kernel = backend.kernels().iter().find(|k| k.op == op && k.unproven).expect("a candidate");
    for (name, calls) in [("batch of a only", 1), ("batched", 5), ("batches broadcast", 6)] {
        let case = case_called(op, name);
        let inputs = Inputs::generate::<f32>(op, &case, Layout::Contiguous, 7);
        let shape = op.check(&case.attrs, &inputs.specs()).expect("a legal call").first().shape;
        let mut out = vec![0f32; shape.numel()];
        CALLS.set(0);
        let outputs = [TensorMut::new(&mut out, shape.dims()).expect("sized by its shape")];
        let args = Args::Host { inputs: &inputs.refs(), prepared: &[], outputs: &outputs };
        backend.launch(kernel, &case.attrs, args).expect("runs");
        assert_eq!(CALLS.get(), calls, "{name}");
    }
}

#[test]
fn nothing_and_nan_are_multiplied_as_elsewhere() {
    let (op, backend) = (&lc_ops::MATMUL, backend());
    let kernel = backend.kernels().iter().find(|k| k.op == op && k.unproven).expect("a candidate");
    let run = |a: &[f32], [m, k, n]: [usize; 3]| {
        let b = vec![1f32; k * n];
        let mut out = vec![f32::NAN; m * n];
        let inputs = [lc_core::TensorRef::new(a, &[m, k]).ok(), lc_core::TensorRef::new(&b, &[k, n]).ok()];
        let outputs = [TensorMut::new(&mut out, &[m, n]).expect("sized by its shape")];
        let args = Args::Host { inputs: &inputs, prepared: &[], outputs: &outputs };
        backend.launch(kernel, &lc_ops::MatmulAttrs::default().into(), args).expect("runs");
        out
    };
    assert_eq!(run(&[], [2, 0, 3]), [0.0; 6], "a sum over nothing");
    assert!(run(&[], [0, 4, 3]).is_empty());
    // What the result held before is not read, what the operands hold is.
    assert_eq!(run(&[1.0, 2.0], [1, 2, 2]), [3.0; 2]);
    assert!(run(&[1.0, f32::NAN], [1, 2, 2]).iter().all(|x| x.is_nan()));
}

#[test]
fn it_runs_where_it_was_measured_and_nowhere_else() {
    let (op, backend) = (&lc_ops::MATMUL, backend());
    let case = case_called(op, "square");
    let inputs = Inputs::generate::<f32>(op, &case, Layout::Contiguous, 7);
    let store = Arc::new(Store::in_memory(Book::default()));
    let runtime = Runtime::new(lc_ops::REGISTRY, vec![backend.clone()]).with_store(store.clone());
    let policy = |mode| {
        let policy = Policy { tune: Some(mode), ..Policy::default() };
        EffectivePolicy::of(policy.pack(), PackedPolicy::UNSET)
    };
    let chosen = |mode| {
        let call = runtime.resolve(op, &case.attrs, &inputs.specs(), policy(mode)).expect("a device");
        (call.kernel().unproven, call.receipt().reason)
    };
    assert_eq!(chosen(TuneMode::ReadOnly), (false, Reason::Best));
    let mut entry = runtime.tune(op, &case.attrs, &inputs.specs(), policy(TuneMode::Off)).expect("measured");
    let found = entry.candidates.iter().find(|c| c.kernel == "cpu.gemm.accelerate").expect("it was compared");
    assert!(!found.rejected && found.max_error.is_some_and(|e| e < 1e-5), "{found:?}");
    assert_eq!(chosen(TuneMode::ReadOnly), (false, Reason::Tuned), "a model is slow");
    // As if it had been fast.
    entry.measured += 1;
    for candidate in &mut entry.candidates {
        candidate.won = candidate.kernel == "cpu.gemm.accelerate";
    }
    assert_eq!(entry.key.on, DeviceId::of(&*backend));
    store.put([Record::Choice(entry)]).expect("kept");
    assert_eq!(chosen(TuneMode::ReadOnly), (true, Reason::Tuned));
    assert_eq!(chosen(TuneMode::Off), (false, Reason::Best));
}
