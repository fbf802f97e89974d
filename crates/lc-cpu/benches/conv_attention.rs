//! Convolution → attention as one kernel; throughput in floating-point operations.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_ops::{CONV_ATTENTION, ConvAttentionAttrs};

fn rows(c: &mut Criterion) {
    let row = |seq_len: usize, head_dim: usize| {
        let attrs = ConvAttentionAttrs { seq_len, head_dim, stride_h: 1, stride_w: 1, pad_h: 1, pad_w: 1 };
        Row::of(format!("{seq_len}x{head_dim}"), attrs, &[&[1, 3, 8, 8], &[16, 3, 3, 3], &[16]])
    };
    bench(c, &CONV_ATTENTION, Rate::Flops, &[row(48, 48), row(192, 48), row(192, 8), row(96, 48)]);
}

criterion_group!(benches, rows);
criterion_main!(benches);
