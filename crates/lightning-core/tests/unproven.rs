//! Kernels that only the user's machine can prove: what they must show before they run, and what happens if they do not.

mod common;

use common::{
    BLIND, Behaviour, Bench, FAILING, PLAIN, SLOW, WRONG, add, empty, forced, proven, runtime_of, spec, tuned,
    unproven, why,
};
use lightning_core::backend::Backend;
use lightning_core::registry::OpDef;
use lightning_core::runtime::forget_plans;
use lightning_core::tune::{Record, Store};
use lightning_core::{
    Attrs, DeviceKind, DeviceRequest, EffectivePolicy, ErrorKind, Fallback, Policy, Reason, Receipt, Result, Runtime,
    TensorMut, TensorRef, TuneMode,
};
use std::path::PathBuf;
use std::sync::Arc;

fn bench(op: &'static OpDef, kernels: &[Behaviour]) -> Arc<Bench> {
    Bench::with_kind(DeviceKind::Cpu, op, kernels)
}

/// A library that is right and faster, first in the table, and the kernel that is always there.
const LIBRARY: [Behaviour; 2] = [unproven("library", PLAIN), proven("portable", SLOW)];
/// A library that is fast and wrong.
const BROKEN: [Behaviour; 2] = [unproven("library", WRONG), proven("portable", SLOW)];

/// A store in a file of its own.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> File {
        File(std::env::temp_dir().join(format!("lc-unproven-{name}-{}.jsonl", std::process::id())))
    }

    /// What a process that starts now knows: the file, and nothing of what kernels showed to others.
    fn process(&self, bench: &Arc<Bench>) -> Runtime {
        runtime_of(bench.clone(), &Arc::new(Store::at(&self.0)))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_file(self.0.with_extension("lock"));
    }
}

#[test]
fn nothing_unproven_runs_before_it_was_measured() {
    let bench = bench(&lc_ops::ADD, &LIBRARY);
    let runtime = runtime_of(bench.clone(), &empty());
    for mode in [TuneMode::Off, TuneMode::ReadOnly] {
        assert_eq!(add(&runtime, 100, mode), ("portable", Reason::Best));
    }
    assert_eq!(bench.launches(), 2, "nor is it tried");
    assert_eq!(add(&runtime, 100, TuneMode::On), ("library", Reason::Tuned));
    assert_eq!(add(&runtime, 100, TuneMode::ReadOnly), ("library", Reason::Tuned));
    assert_eq!(add(&runtime, 100, TuneMode::Off), ("portable", Reason::Best));
    // Other extents are another question.
    assert_eq!(add(&runtime, 1000, TuneMode::ReadOnly), ("portable", Reason::Best));
}

#[test]
fn what_is_right_and_slower_does_not_win() {
    let bench = bench(&lc_ops::ADD, &[unproven("library", SLOW), proven("portable", PLAIN)]);
    let store = empty();
    assert_eq!(add(&runtime_of(bench, &store), 100, TuneMode::On), ("portable", Reason::Tuned));
    let entry = store.book().choices().next().unwrap().clone();
    assert!(why(&entry, "library").starts_with("slower by "), "{entry:?}");
}

#[test]
fn a_stored_win_is_compared_once_in_each_process() {
    let (file, bench) = (File::new("win"), bench(&lc_ops::ADD, &LIBRARY));
    assert_eq!(add(&file.process(&bench), 100, TuneMode::On), ("library", Reason::Tuned));
    bench.launches();
    let next = file.process(&bench);
    assert_eq!(add(&next, 100, TuneMode::ReadOnly), ("library", Reason::Tuned));
    let compared = bench.launches() - 1;
    assert!((1..10).contains(&compared), "compared, not measured: {compared}");
    forget_plans();
    assert_eq!(add(&next, 100, TuneMode::ReadOnly), ("library", Reason::Tuned));
    assert_eq!(add(&next, 101, TuneMode::ReadOnly), ("library", Reason::Tuned));
    assert_eq!(bench.launches(), 2, "once");
}

#[test]
fn wrong_numbers_reject_it_for_good() {
    let (file, bench) = (File::new("wrong"), bench(&lc_ops::ADD, &BROKEN));
    assert_eq!(add(&file.process(&bench), 100, TuneMode::On), ("portable", Reason::Tuned));
    let next = file.process(&bench);
    let entry = next.store().book().choices().next().unwrap().clone();
    assert!(next.store().is_rejected(&entry.key, "library"));
    assert!(why(&entry, "library").starts_with("numbers differ: max error"), "{entry:?}");
    bench.launches();
    assert_eq!(add(&next, 100, TuneMode::ReadOnly), ("portable", Reason::Tuned));
    assert_eq!(bench.launches(), 1, "it is not tried again");
    // Nor where other extents are measured.
    assert_eq!(add(&next, 1000, TuneMode::On), ("portable", Reason::Tuned));
    let known = "numbers differ: found in an earlier measurement";
    assert!(next.store().book().choices().all(|e| e.key == entry.key || why(e, "library") == known));
}

#[test]
fn what_is_right_on_dense_operands_alone_is_wrong() {
    let bench = bench(&lc_ops::MATMUL, &[proven("portable", SLOW), unproven("library", BLIND)]);
    let runtime = runtime_of(bench, &empty());
    let inputs = [spec(&[24, 16]), spec(&[16, 20])];
    let policy = EffectivePolicy::of_process(tuned(TuneMode::Off));
    let entry = runtime.tune(&lc_ops::MATMUL, &lc_ops::MatmulAttrs::default().into(), &inputs, policy).unwrap();
    assert_eq!(entry.winner(), Some("portable"));
    assert!(why(&entry, "library").contains("float64 on transposed operands"), "{}", why(&entry, "library"));
    assert!(runtime.store().is_rejected(&entry.key, "library"));
}

#[test]
fn the_word_of_a_forged_store_is_not_enough() {
    for (kernels, wrong) in [(BROKEN, true), (LIBRARY, false)] {
        let (file, bench) = (File::new("forged"), bench(&lc_ops::ADD, &kernels));
        let runtime = file.process(&bench);
        let entry = forced(&runtime, &lc_ops::ADD, &Attrs::NONE, &[spec(&[64]), spec(&[64])], "library");
        runtime.store().put([Record::Choice(entry.clone())]).unwrap();
        let next = file.process(&bench);
        // `add` also compares the sum.
        let (kernel, reason) = add(&next, 64, TuneMode::ReadOnly);
        let want = if wrong { ("portable", Reason::Best) } else { ("library", Reason::Tuned) };
        assert_eq!((kernel, reason), want);
        assert_eq!(next.store().is_rejected(&entry.key, "library"), wrong);
        assert_eq!(Store::at(&file.0).is_rejected(&entry.key, "library"), wrong, "and others learn of it");
    }
}

#[test]
fn one_that_fails_loses_and_may_try_again() {
    let bench = bench(&lc_ops::ADD, &[unproven("library", FAILING), proven("portable", PLAIN)]);
    let runtime = runtime_of(bench, &empty());
    assert_eq!(add(&runtime, 100, TuneMode::On), ("portable", Reason::Tuned));
    let entry = runtime.store().book().choices().next().unwrap().clone();
    assert!(why(&entry, "library").starts_with("failed: driver error"), "{entry:?}");
    assert!(!runtime.store().is_rejected(&entry.key, "library"));
    // A store that says it has won does not make it run either.
    runtime.store().clear().unwrap();
    let entry = forced(&runtime, &lc_ops::ADD, &Attrs::NONE, &[spec(&[100]), spec(&[100])], "library");
    runtime.store().put([Record::Choice(entry)]).unwrap();
    forget_plans();
    assert_eq!(add(&runtime, 100, TuneMode::ReadOnly), ("portable", Reason::Best));
}

/// A policy that names Metal.
fn metal(fallback: Fallback, tune: TuneMode) -> Policy {
    let device = Some(DeviceRequest::Is(DeviceKind::Metal));
    Policy { device, fallback: Some(fallback), tune: Some(tune), tune_ms: Some(20), ..Policy::default() }
}

fn call(runtime: &Runtime, policy: Policy) -> Result<Receipt> {
    let a = [1.0f32, 2.0, 3.0];
    let mut out = [0.0f32; 3];
    let x = Some(TensorRef::new(&a, &[3]).unwrap());
    let mut results = [TensorMut::new(&mut out, &[3]).unwrap()];
    let receipt = runtime.call(&lc_ops::ADD, &Attrs::NONE, &[x, x], &mut results, policy.pack())?;
    assert_eq!(out, [2.0, 4.0, 6.0], "{receipt:?}");
    Ok(receipt)
}

/// Metal with these kernels, and a CPU beside it or not.
fn beside(kernels: &[Behaviour], cpu: bool) -> Runtime {
    let metal: Arc<dyn Backend> = Bench::with_kind(DeviceKind::Metal, &lc_ops::ADD, kernels);
    let mut backends = vec![metal];
    if cpu {
        backends.push(lc_cpu::CpuBackend::new(lc_cpu::Isa::active()));
    }
    Runtime::new(lc_ops::REGISTRY, backends).with_store(empty())
}

#[test]
fn a_device_whose_only_kernel_is_unproven_lacks_the_op() {
    for mode in [TuneMode::Off, TuneMode::ReadOnly, TuneMode::On] {
        let runtime = beside(&[unproven("library", PLAIN)], true);
        let receipt = call(&runtime, metal(Fallback::Warn, mode)).unwrap();
        assert_eq!((receipt.selected, receipt.fallback), (DeviceKind::Cpu, true));
        assert_eq!(receipt.reason, Reason::NoKernel);
        let error = call(&runtime, metal(Fallback::Deny, mode)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        let error = call(&beside(&[unproven("library", PLAIN)], false), metal(Fallback::Allow, mode)).unwrap_err();
        assert!(error.to_string().contains("a device with a kernel for it"), "{error}");
    }
    let runtime = beside(&[unproven("library", PLAIN)], true);
    let inputs = [spec(&[3]), spec(&[3])];
    let policy = EffectivePolicy::of_process(metal(Fallback::Deny, TuneMode::On).pack());
    assert!(runtime.tune(&lc_ops::ADD, &Attrs::NONE, &inputs, policy).is_err(), "there is nothing to compare it with");
}

#[test]
fn a_device_whose_kernels_were_all_rejected_is_passed_over() {
    let kernels = [proven("portable", WRONG), unproven("library", WRONG)];
    let runtime = beside(&kernels, true);
    // Measured at the first call, which then runs elsewhere.
    let receipt = call(&runtime, metal(Fallback::Warn, TuneMode::On)).unwrap();
    assert_eq!((receipt.selected, receipt.reason), (DeviceKind::Cpu, Reason::Rejected));
    assert!(receipt.fallback && receipt.warn);
    let receipt = call(&runtime, metal(Fallback::Allow, TuneMode::ReadOnly)).unwrap();
    assert_eq!((receipt.selected, receipt.reason), (DeviceKind::Cpu, Reason::Rejected));
    let auto = Policy { tune: Some(TuneMode::ReadOnly), ..Policy::default() };
    assert_eq!(call(&runtime, auto).unwrap().selected, DeviceKind::Cpu);
    let error = call(&runtime, metal(Fallback::Deny, TuneMode::ReadOnly)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("measured to be wrong") && text.contains("lc tune --clear"), "{text}");
    let alone = beside(&kernels, false);
    for mode in [TuneMode::On, TuneMode::ReadOnly] {
        let error = call(&alone, metal(Fallback::Allow, mode)).unwrap_err();
        assert!(error.to_string().contains("measured to be wrong here"), "{error}");
    }
}
