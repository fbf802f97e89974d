//! Convolution with bias and ReLU; throughput in FLOP (two for each tap inside or outside of the image).

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lc_core::Activation;
use lc_cpu::ops::conv2d::{Conv2d, conv2d};
use lc_cpu::{Isa, pool};
use std::time::Duration;

/// (batch, input channels, rows and columns, output channels, filter, stride, groups); the padding is half the filter.
const ROWS: [(usize, usize, usize, usize, usize, usize, usize); 14] = [
    (1, 3, 8, 16, 3, 1, 1),
    (1, 3, 16, 16, 3, 1, 1),
    (1, 3, 24, 16, 3, 1, 1),
    (2, 3, 16, 16, 3, 1, 1),
    (1, 3, 28, 16, 3, 1, 1),
    (1, 3, 32, 16, 3, 1, 1),
    (2, 3, 32, 16, 3, 1, 1),
    (1, 64, 56, 64, 3, 1, 1),
    (1, 64, 56, 256, 1, 1, 1),
    (1, 256, 14, 256, 3, 1, 1),
    (1, 512, 7, 512, 3, 1, 1),
    (1, 3, 224, 64, 7, 2, 1),
    (1, 128, 28, 128, 3, 2, 1),
    (1, 128, 56, 128, 3, 1, 128),
];

fn bench(c: &mut Criterion) {
    let mut group = c.benchmark_group("conv2d");
    group.warm_up_time(Duration::from_millis(150)).measurement_time(Duration::from_millis(500)).sample_size(20);
    for (n, ci, hw, co, k, s, g) in ROWS {
        let out_hw = Conv2d::out_extent(hw, k, s, k / 2, 1).expect("the filter fits");
        let p = Conv2d {
            batch: n,
            in_channels: ci,
            in_h: hw,
            in_w: hw,
            out_channels: co,
            kernel_h: k,
            kernel_w: k,
            stride_h: s,
            stride_w: s,
            pad_h: k / 2,
            pad_w: k / 2,
            dilation_h: 1,
            dilation_w: 1,
            groups: g,
            out_h: out_hw,
            out_w: out_hw,
        };
        let fill = |n: usize| (0..n).map(|i| (i * 37 % 101) as f32 / 101.0 - 0.5).collect::<Vec<f32>>();
        let (x, w, bias) = (fill(n * ci * hw * hw), fill(co * p.taps()), fill(co));
        let mut out = vec![0f32; p.out_len()];
        let strides = |[_, b, c, d]: [usize; 4]| [(b * c * d) as isize, (c * d) as isize, d as isize, 1];
        let (xs, ws) = (strides([n, ci, hw, hw]), strides([co, ci / g, k, k]));
        group.throughput(Throughput::Elements(2 * (p.out_len() * p.taps()) as u64));
        for threads in [1, pool::threads()] {
            let name = format!("{n}x{ci}x{hw}x{hw}->{co} k{k} s{s} g{g}");
            group.bench_function(BenchmarkId::new(name, threads), |b| {
                b.iter(|| {
                    let bias = Some((bias.as_ptr(), 1));
                    // SAFETY: the slices have the sizes that `p` says.
                    unsafe {
                        conv2d(
                            Isa::active(),
                            threads,
                            &p,
                            x.as_ptr(),
                            xs,
                            w.as_ptr(),
                            ws,
                            bias,
                            out.as_mut_ptr(),
                            Activation::Relu,
                        )
                    }
                })
            });
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
