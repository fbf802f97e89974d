//! ReLU, GELU and SiLU; throughput in bytes read and written.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_core::Activation;
use lc_ops::{ACTIVATION, ActivationAttrs};

fn rows(c: &mut Criterion) {
    let mut rows = Vec::new();
    for kind in [Activation::Relu, Activation::Gelu, Activation::Silu] {
        for n in [64, 4096, 65_536, 1 << 20, 1 << 22] {
            rows.push(Row::of(format!("{} {n}", kind.name()), ActivationAttrs { kind }, &[&[n]]));
        }
    }
    bench(c, &ACTIVATION, Rate::Bytes, &rows);
}

criterion_group!(benches, rows);
criterion_main!(benches);
