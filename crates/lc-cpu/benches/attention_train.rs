//! The training step of attention; throughput in floating-point operations.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_ops::{ATTENTION_TRAIN, AttentionTrainAttrs};

fn rows(c: &mut Criterion) {
    let row = |s: usize, d: usize, causal: bool| {
        let attrs = AttentionTrainAttrs { learning_rate: 0.01, causal, ..AttentionTrainAttrs::default() };
        Row::of(format!("{s}x{d}{}", if causal { " causal" } else { "" }), attrs, &[&[s, d][..]; 4])
    };
    bench(c, &ATTENTION_TRAIN, Rate::Flops, &[row(8, 16, false), row(256, 64, false), row(256, 64, true)]);
}

criterion_group!(benches, rows);
criterion_main!(benches);
