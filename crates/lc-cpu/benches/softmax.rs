//! Softmax along the last axis and along the first; throughput in bytes read and written.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_ops::{SOFTMAX, SoftmaxAttrs};

fn rows(c: &mut Criterion) {
    let mut rows = Vec::new();
    for [m, n] in [[8, 8], [64, 1024], [1024, 1024], [4096, 1024], [8, 32_000]] {
        for axis in [-1, 0] {
            rows.push(Row::of(format!("{m}x{n} axis {axis}"), SoftmaxAttrs { axis }, &[&[m, n]]));
        }
    }
    bench(c, &SOFTMAX, Rate::Bytes, &rows);
}

criterion_group!(benches, rows);
criterion_main!(benches);
