//! What a call costs beside its kernel: plan look-up, checks, receipt and trace check, on eight floats.
//!
//! `cargo bench -p lightning-core --bench call_overhead`

use criterion::{Criterion, criterion_group, criterion_main};
use lightning_core::{Attrs, PackedPolicy, Tensor, ops, ops::registry::ADD, policy, runtime, trace};
use std::hint::black_box;

fn add_of_eight(c: &mut Criterion) {
    let a = Tensor::from_vec(vec![1.0f32; 8], &[8]).expect("eight");
    let b = Tensor::from_vec(vec![2.0f32; 8], &[8]).expect("eight");
    let mut out = Tensor::<f32>::zeros(&[8]).expect("eight");
    let mut group = c.benchmark_group("add of 8 float32");
    group.bench_function("whole call into a result", |bencher| {
        bencher.iter(|| {
            let inputs = [Some(a.view()), Some(b.view())];
            let unset = PackedPolicy::UNSET;
            runtime().run(&ADD, &Attrs::NONE, black_box(&inputs), &mut [out.view_mut()], unset).expect("adds")
        });
    });
    group.bench_function("whole call, new tensor", |bencher| {
        bencher.iter(|| ops::add(black_box(&a), black_box(&b)).expect("adds"));
    });
    group.bench_function("plan look-up alone", |bencher| {
        let inputs = [Some(a.view()), Some(b.view())];
        bencher.iter(|| runtime().plan(&ADD, &Attrs::NONE, black_box(&inputs), PackedPolicy::UNSET).expect("plans"));
    });
    group.bench_function("whole call, trace on", |bencher| {
        trace::enable(true);
        bencher.iter(|| {
            let inputs = [Some(a.view()), Some(b.view())];
            let unset = PackedPolicy::UNSET;
            runtime().run(&ADD, &Attrs::NONE, black_box(&inputs), &mut [out.view_mut()], unset).expect("adds")
        });
        trace::enable(false);
    });
    group.bench_function("policy scope, entered and left", |bencher| {
        let deny = lightning_core::Policy {
            fallback: Some(lightning_core::Fallback::Deny),
            ..lightning_core::Policy::default()
        };
        bencher.iter(|| policy::restore_scope(policy::enter_scope(black_box(&deny))));
    });
    group.finish();
}

criterion_group!(benches, add_of_eight);
criterion_main!(benches);
