//! The feed-forward block as one kernel, one-shot; throughput in floating-point operations.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_core::Activation;
use lc_ops::{FFN, FfnAttrs};

fn rows(c: &mut Criterion) {
    let row = |batch: usize, model: usize, inner: usize, activation: Activation| {
        let name = format!("{batch}x{model}x{inner} {}", activation.name());
        let inputs: [&[usize]; 5] = [&[batch, model], &[inner, model], &[model, inner], &[inner], &[model]];
        Row::of(name, FfnAttrs { activation }, &inputs)
    };
    let rows = [
        row(8, 64, 256, Activation::Gelu),
        row(512, 768, 3072, Activation::Gelu),
        row(512, 768, 3072, Activation::Relu),
        row(1024, 768, 3072, Activation::Gelu),
    ];
    bench(c, &FFN, Rate::Flops, &rows);
}

criterion_group!(benches, rows);
criterion_main!(benches);
