//! x·wᵀ + bias with the weight stored (outputs, inputs), one-shot; throughput in floating-point operations.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_ops::{LINEAR, LinearAttrs};

fn rows(c: &mut Criterion) {
    let row = |batch: usize, inputs: usize, outputs: usize| {
        let name = format!("{batch}x{inputs}x{outputs}");
        Row::of(name, LinearAttrs::default(), &[&[batch, inputs], &[outputs, inputs], &[outputs]])
    };
    bench(c, &LINEAR, Rate::Flops, &[row(1, 1024, 1024), row(16, 64, 64), row(1024, 1024, 512), row(2048, 1024, 512)]);
}

criterion_group!(benches, rows);
criterion_main!(benches);
