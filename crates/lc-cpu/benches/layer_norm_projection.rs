//! Layer norm and the projection after it as one kernel, one-shot; throughput in floating-point operations.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_ops::{LAYER_NORM_PROJECTION, LayerNormProjectionAttrs};

fn rows(c: &mut Criterion) {
    let row = |batch: usize, model: usize, outputs: usize| {
        let inputs: [&[usize]; 5] = [&[batch, model], &[outputs, model], &[model], &[model], &[outputs]];
        Row::of(format!("{batch}x{model}x{outputs}"), LayerNormProjectionAttrs::default(), &inputs)
    };
    bench(c, &LAYER_NORM_PROJECTION, Rate::Flops, &[row(8, 64, 64), row(1024, 1024, 1024), row(2048, 1024, 1024)]);
}

criterion_group!(benches, rows);
criterion_main!(benches);
