//! Tuning with real kernels: who may win, what a call then says, and what a damaged store can do to results: nothing.

mod common;

use common::{Bench, FAILING, IDLE, PLAIN, SLOW, WRONG, add, empty, forced, runtime_of, spec, tuned, why};
use lc_cpu::{CpuBackend, Isa};
use lc_ops::parity::{Inputs, Layout, compare};
use lightning_core::backend::Backend;
use lightning_core::plan::Plan;
use lightning_core::registry::{Case, OpDef};
use lightning_core::tune::{Book, DeviceId, Entry, Record, Store, search};
use lightning_core::{Attrs, DType, EffectivePolicy, Math, Policy, Reason, Runtime, TensorMut, TensorSpec, TuneMode};
use std::sync::Arc;
use std::time::Duration;

#[test]
fn a_candidate_earns_its_place_or_says_why_not() {
    let kernels =
        [("slow", SLOW), ("wrong", WRONG), ("idle", IDLE), ("failing", FAILING), ("fast", PLAIN), ("fast", PLAIN)];
    let bench = Bench::new(&lc_ops::ADD, &kernels);
    let store = empty();
    let runtime = runtime_of(bench.clone(), &store);
    assert_eq!(add(&runtime, 100, TuneMode::Off), ("slow", Reason::Best));
    assert_eq!(add(&runtime, 100, TuneMode::ReadOnly), ("slow", Reason::Best), "nothing is stored");
    assert_eq!(bench.launches(), 2, "neither mode measures");
    assert_eq!(add(&runtime, 100, TuneMode::On), ("fast", Reason::Tuned));
    assert!(bench.launches() > 10);
    assert_eq!(add(&runtime, 100, TuneMode::On), ("fast", Reason::Tuned));
    assert_eq!(add(&runtime, 101, TuneMode::On), ("fast", Reason::Tuned));
    assert_eq!(bench.launches(), 2, "the same bucket is not measured again");
    assert_eq!(add(&runtime, 100, TuneMode::ReadOnly), ("fast", Reason::Tuned));
    assert_eq!(add(&runtime, 100, TuneMode::Off), ("slow", Reason::Best), "off ignores what is stored");

    let book = store.book();
    let entry = book.choices().next().unwrap();
    assert_eq!((entry.candidates.len(), entry.winner()), (5, Some("fast")));
    assert!(why(entry, "slow").starts_with("slower by "), "{}", why(entry, "slow"));
    assert!(why(entry, "wrong").starts_with("numbers differ: max error"), "{}", why(entry, "wrong"));
    assert!(why(entry, "idle").starts_with("numbers differ"), "{}", why(entry, "idle"));
    assert!(why(entry, "failing").starts_with("failed: driver error"), "{}", why(entry, "failing"));
    assert_eq!(why(entry, "fast"), "fastest");
    let fast = entry.candidates.iter().find(|c| c.won).unwrap();
    assert!(fast.p10_ns <= fast.median_ns && fast.median_ns <= fast.p90_ns && fast.samples >= 3, "{fast:?}");
    assert!(fast.max_error.is_some_and(|e| e < 1e-6));
    for wrong in ["wrong", "idle"] {
        assert!(store.is_rejected(&entry.key, wrong), "{wrong}");
    }
    assert!(!store.is_rejected(&entry.key, "failing"), "a failure may pass");
}

#[test]
fn a_wrong_kernel_is_avoided_even_where_nothing_was_measured() {
    let store = empty();
    let runtime = runtime_of(Bench::new(&lc_ops::ADD, &[("wrong", WRONG), ("right", SLOW)]), &store);
    assert_eq!(add(&runtime, 64, TuneMode::On), ("right", Reason::Tuned));
    // Another bucket: the choice is the first kernel that is not known to be wrong.
    assert_eq!(add(&runtime, 7, TuneMode::ReadOnly), ("right", Reason::Best));
}

#[test]
fn tuning_on_request_measures_again_and_memoised_plans_see_it() {
    let store = empty();
    let runtime = runtime_of(Bench::new(&lc_ops::ADD, &[("slow", SLOW), ("fast", PLAIN)]), &store);
    assert_eq!(add(&runtime, 50, TuneMode::ReadOnly), ("slow", Reason::Best));
    let policy = EffectivePolicy::of_process(tuned(TuneMode::Off));
    let entry = runtime.tune(&lc_ops::ADD, &Attrs::NONE, &[spec(&[50]), spec(&[50])], policy).unwrap();
    assert_eq!((entry.winner(), entry.budget_ms), (Some("fast"), 20));
    assert_eq!(add(&runtime, 50, TuneMode::ReadOnly), ("fast", Reason::Tuned));
    let error = runtime.tune(&lc_ops::ADD, &Attrs::NONE, &[spec(&[50]), None], policy).unwrap_err();
    assert!(error.to_string().contains("argument `b`"), "{error}");
}

#[test]
fn a_stored_winner_counts_only_where_it_takes_the_call() {
    let store = empty();
    let runtime = runtime_of(Bench::new(&lc_ops::ADD, &[("slow", SLOW), ("fast", PLAIN)]), &store);
    add(&runtime, 16, TuneMode::On);
    assert_eq!(add(&runtime, 16, TuneMode::ReadOnly).1, Reason::Tuned);
    // Thirteen is of the same bucket, but no kernel here takes it.
    assert!(runtime.resolve(&lc_ops::ADD, &Attrs::NONE, &[spec(&[13]), spec(&[13])], policy()).is_err());
    let mut entry = store.book().choices().next().unwrap().clone();
    entry.measured += 1;
    entry.candidates.iter_mut().for_each(|c| c.kernel.push('?'));
    store.put([Record::Choice(entry)]).unwrap();
    lightning_core::runtime::forget_plans();
    assert_eq!(add(&runtime, 16, TuneMode::ReadOnly), ("slow", Reason::Best), "no such kernel");
}

fn policy() -> EffectivePolicy {
    EffectivePolicy::of_process(tuned(TuneMode::ReadOnly))
}

#[test]
fn a_budget_that_is_spent_leaves_the_untuned_kernel() {
    let store = empty();
    let bench = Bench::new(&lc_ops::MATMUL, &[("first", SLOW), ("second", SLOW)]);
    let runtime = runtime_of(bench, &store);
    let none = Policy { tune_ms: Some(0), ..Policy::default() }.pack();
    let attrs = lc_ops::MatmulAttrs::default().into();
    let inputs = [spec(&[300, 200]), spec(&[200, 100])];
    let entry = runtime.tune(&lc_ops::MATMUL, &attrs, &inputs, EffectivePolicy::of_process(none)).unwrap();
    let samples: u32 = entry.candidates.iter().map(|c| c.samples).sum();
    assert!(samples <= 2, "{entry:?}");
    assert_eq!(entry.winner(), Some("first"));
}

#[test]
fn every_kernel_of_the_cpu_has_right_numbers_and_a_time() {
    let cpu = CpuBackend::new(Isa::active());
    let on = DeviceId::of(&*cpu);
    for op in lc_ops::ALL {
        let cases = (op.cases)();
        for (number, case) in cases.iter().enumerate().filter(|(i, _)| i % (cases.len() / 3).max(1) == 0) {
            let dtype = [DType::F32, DType::F64][number % 2];
            let inputs: Vec<_> = case.inputs.iter().map(|s| s.map(|s| TensorSpec::new(dtype, s))).collect();
            let entry = search::tune(&search::Request {
                backend: &*cpu,
                on: on.clone(),
                op,
                attrs: &case.attrs,
                inputs: &inputs,
                dtype,
                math: Math::IeeeF32,
                budget: Duration::from_millis(4),
                rejected: &|_| false,
            })
            .unwrap_or_else(|e| panic!("{} {}: {e}", op.name, case.name));
            let wrong: Vec<_> = entry.candidates.iter().filter(|c| c.rejected || c.why.starts_with("failed")).collect();
            assert!(wrong.is_empty(), "{} {}: {wrong:?}", op.name, case.name);
            assert!(entry.winner().is_some(), "{} {}: {entry:?}", op.name, case.name);
        }
    }
}

#[test]
fn candidates_that_win_compute_the_same_one_shot_and_resident() {
    let cpu = CpuBackend::new(Isa::active());
    for op in [&lc_ops::MATMUL, &lc_ops::CONV2D, &lc_ops::LINEAR] {
        let case = &(op.cases)()[1];
        let inputs = Inputs::generate::<f32>(op, case, Layout::Contiguous, 9);
        let specs = inputs.specs();
        let names: Vec<_> = cpu.kernels().iter().filter(|k| k.op == op).map(|k| k.name).collect();
        assert!(names.len() >= 2, "{names:?}");
        for winner in names {
            let store = empty();
            let runtime = runtime_of(cpu.clone(), &store);
            store.put([Record::Choice(forced(&runtime, op, &case.attrs, &specs, winner))]).unwrap();
            let serial_alone = winner.ends_with(".serial") && lc_cpu::pool::threads() == 1;
            let outputs = op.check(&case.attrs, &specs).unwrap();
            let mut out = vec![0.0f32; outputs.first().shape.numel()];
            let dims = outputs.first().shape.dims().to_vec();
            let mut session = runtime.session(op, &case.attrs, &specs, tuned(TuneMode::ReadOnly)).unwrap();
            assert!(serial_alone || session.call().kernel().name == winner);
            session.start(&inputs.refs()).unwrap();
            session.finish(&mut [TensorMut::new(&mut out, &dims).unwrap()]).unwrap();
            compare(op, case, &inputs.reference(op, &case.attrs)[0], &out).unwrap_or_else(|r| panic!("{winner}: {r}"));
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

/// Damages the bytes of a store in one of the ways that disks, editors and other programs have.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    let lines = |bytes: &[u8]| bytes.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    match random.below(7) {
        0 => {
            let at = random.below(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => bytes.truncate(random.below(bytes.len())),
        2 if !bytes.is_empty() => {
            let (a, b) = (random.below(bytes.len()), random.below(bytes.len()));
            bytes.swap(a, b);
        }
        3 => {
            let mut all = lines(bytes);
            let line = all.get(random.below(all.len())).cloned().unwrap_or_default();
            let at = random.below(all.len() + 1);
            all.insert(at, line);
            *bytes = all.concat();
        }
        4 => {
            let at = random.below(bytes.len() + 1);
            let junk: Vec<u8> = (0..random.below(40)).map(|_| random.below(256) as u8).collect();
            bytes.splice(at..at, junk);
        }
        5 => {
            let mut all = lines(bytes);
            let (a, b) = (random.below(all.len()), random.below(all.len()));
            if !all.is_empty() {
                all.swap(a, b);
            }
            *bytes = all.concat();
        }
        _ => {
            let (from, len) = (random.below(bytes.len()), random.below(60));
            let to = (from + len).min(bytes.len());
            bytes.drain(from..to);
        }
    }
}

/// Gives damaged records valid checksums again, so that they get past them: as if the damage came before the write.
fn resealed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        let text = String::from_utf8_lossy(line);
        if let Some((_, record)) = text.split_once(r#""record":"#)
            && let Ok(record) = serde_json::from_str::<Record>(record.strip_suffix('}').unwrap_or(record))
        {
            out.extend(Book::line(&record).into_bytes());
            out.push(b'\n');
        }
    }
    out
}

#[test]
fn ten_thousand_damaged_stores_change_no_result() {
    let cpu = CpuBackend::new(Isa::active());
    let scratch = runtime_of(cpu.clone(), &empty());
    let cases: Vec<(&'static OpDef, Case)> = [&lc_ops::MATMUL, &lc_ops::ADD, &lc_ops::SOFTMAX]
        .map(|op: &'static OpDef| (op, (op.cases)()[1].clone()))
        .into();
    let calls: Vec<_> = cases
        .iter()
        .map(|(op, case)| {
            let inputs = Inputs::generate::<f32>(op, case, Layout::Contiguous, 4);
            let want = inputs.reference(op, &case.attrs).remove(0);
            (*op, case, inputs, want)
        })
        .collect();
    let mut valid = Book::default();
    for (op, case, inputs, _) in &calls {
        for (i, kernel) in cpu.kernels().iter().filter(|k| k.op == *op).enumerate() {
            // Some for these very calls, some for others.
            let mut entry = forced(&scratch, op, &case.attrs, &inputs.specs(), kernel.name);
            if i > 0 {
                entry.key.bucket.push_str(";x=1");
            }
            valid.insert(Record::Choice(entry));
        }
    }
    valid.insert(Record::Choice(scratch_choice(&scratch)));
    let valid = valid.to_text().into_bytes();
    let mut random = Random(20_250_101);
    let (mut used, mut survived) = (0, 0);
    for round in 0..10_000 {
        let mut bytes = valid.clone();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, &mut random);
        }
        if round % 2 == 1 {
            bytes = resealed(&bytes);
        }
        let (book, _) = Book::parse(&bytes);
        survived += book.choices().count();
        let runtime = runtime_of(cpu.clone(), &Arc::new(Store::in_memory(book)));
        let (op, case, inputs, want) = &calls[round % calls.len()];
        let call = runtime.resolve(op, &case.attrs, &inputs.specs(), policy()).expect("a damaged store stops no call");
        let kernel = call.kernel();
        assert!(kernel.op == *op && (kernel.accepts)(&case.attrs, &inputs.specs()));
        used += usize::from(call.receipt().reason == Reason::Tuned);
        let mut out = vec![f32::NAN; want.data.len()];
        let mut results = [TensorMut::new(&mut out, want.shape.dims()).unwrap()];
        Plan::of_call(call).run_one(&inputs.refs(), &mut results, policy()).unwrap();
        compare(op, case, want, &out).unwrap_or_else(|report| panic!("round {round}: {report}"));
    }
    assert!(used > 3000, "most stores still held a choice that counts: {used}");
    assert!(survived > 10_000, "{survived}");
}

/// A choice for another op whose kernels have names of their own.
fn scratch_choice(runtime: &Runtime) -> Entry {
    let inputs = [spec(&[64, 64])];
    forced(runtime, &lc_ops::SOFTMAX, &lc_ops::SoftmaxAttrs::default().into(), &inputs, "cpu.gemm.avx2")
}
