//! RMS norm of rows, with weight; throughput in bytes read and written.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_ops::{RMS_NORM, RmsNormAttrs};

fn rows(c: &mut Criterion) {
    let row = |m: usize, n: usize| Row::of(format!("{m}x{n}"), RmsNormAttrs::default(), &[&[m, n], &[n]]);
    bench(c, &RMS_NORM, Rate::Bytes, &[row(8, 64), row(64, 768), row(512, 768), row(1024, 1024), row(4096, 1024)]);
}

criterion_group!(benches, rows);
criterion_main!(benches);
