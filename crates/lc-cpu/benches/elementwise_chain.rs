//! relu(x·s + t) as one pass over memory; throughput in bytes read and written.

mod common;

use common::{Rate, Row, bench};
use criterion::{Criterion, criterion_group, criterion_main};
use lc_core::Activation;
use lc_ops::{CHAIN_OPERANDS, ChainAttrs, ChainOp, ChainStep, ELEMENTWISE_CHAIN};

fn rows(c: &mut Criterion) {
    let first = CHAIN_OPERANDS as u8;
    let chain = ChainAttrs::new(&[
        ChainStep { op: ChainOp::Mul, a: 0, b: 1 },
        ChainStep { op: ChainOp::Add, a: first, b: 2 },
        ChainStep { op: ChainOp::Activate(Activation::Relu), a: first + 1, b: 0 },
    ])
    .expect("three steps");
    // Scale and shift of a row are read again for each row; those of an element are as large as x.
    let by_row = |m: usize, n: usize| Row::of(format!("{m}x{n} by row"), chain, &[&[m, n], &[n], &[n]]);
    let by_element = |m: usize, n: usize| Row::of(format!("{m}x{n} by element"), chain, &[&[m, n][..]; 3]);
    let rows = [by_row(8, 8), by_row(256, 256), by_row(2048, 2048), by_element(256, 256), by_element(2048, 2048)];
    bench(c, &ELEMENTWISE_CHAIN, Rate::Bytes, &rows);
}

criterion_group!(benches, rows);
criterion_main!(benches);
