//! `out = a + b` into one buffer again and again; throughput in bytes read and written.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lc_cpu::ops::elementwise::{BinaryOp, binary};
use lc_cpu::{Isa, pool};
use std::time::Duration;

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("add");
    group.warm_up_time(Duration::from_millis(150)).measurement_time(Duration::from_millis(500)).sample_size(20);
    for n in [8, 1024, 16384, 32768, 65536, 131_072, 262_144, 524_288, 1 << 20, 1 << 21, 1 << 22] {
        let (a, b, mut out) = (vec![1f32; n], vec![2f32; n], vec![0f32; n]);
        group.throughput(Throughput::Bytes(12 * n as u64));
        for threads in [1, pool::threads()] {
            group.bench_function(BenchmarkId::new(n.to_string(), threads), |bench| {
                bench.iter(|| {
                    // SAFETY: the slices hold `n` elements.
                    unsafe {
                        binary(
                            Isa::active(),
                            threads,
                            BinaryOp::Add,
                            &[n],
                            a.as_ptr(),
                            &[1],
                            b.as_ptr(),
                            &[1],
                            out.as_mut_ptr(),
                        )
                    }
                })
            });
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
