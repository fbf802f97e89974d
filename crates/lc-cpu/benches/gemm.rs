//! Matrix products, interleaved with the crate `gemm`.
//!
//! `cargo bench -p lc-cpu --bench gemm` runs criterion over the usual sizes. With `LC_BENCH_TABLE=1` it prints a
//! table instead: every row measured in turn with its peer (A B A B), medians, and the share of the peak that the
//! core reaches in plain multiply-adds just before and after the row. `LC_BENCH_SIZES=64,512,2048x128x512` (n, or
//! m x n x k) and `LC_BENCH_SECONDS` (a row) narrow it.
#![allow(missing_docs)]
#![allow(clippy::undocumented_unsafe_blocks)] // every view is of a vector that outlives the call

use criterion::{BenchmarkId, Criterion, Throughput};
use lc_cpu::Isa;
use lc_cpu::gemm::{Epilogue, GemmFloat, PackedB, gemm, gemm_packed};
use lc_cpu::machine::{add_bandwidth, peak_flops};
use lc_cpu::view::{Mat, MatMut};
use std::hint::black_box;
use std::time::Instant;

fn data<T: GemmFloat>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            T::of((state >> 40) as f64 / (1u64 << 23) as f64 - 1.0)
        })
        .collect()
}

struct Operands<T> {
    m: usize,
    n: usize,
    k: usize,
    a: Vec<T>,
    b: Vec<T>,
    c: Vec<T>,
    packed: PackedB<T>,
}

impl<T: GemmFloat> Operands<T> {
    fn new(m: usize, n: usize, k: usize) -> Self {
        let (a, b, c) = (data(m * k, 1), data(k * n, 2), vec![T::ZERO; m * n]);
        let packed = unsafe { PackedB::new(Isa::active(), Mat::of(&b, k, n)) };
        Operands { m, n, k, a, b, c, packed }
    }
    fn ours(&mut self, threads: usize) {
        let (a, b) = (Mat::of(&self.a, self.m, self.k), Mat::of(&self.b, self.k, self.n));
        let c = MatMut::of(&mut self.c, self.m, self.n);
        unsafe { gemm(Isa::active(), threads, a, b, c, &Epilogue::default()) }
    }
    fn ours_b_transposed(&mut self, threads: usize) {
        let (a, b) = (Mat::of(&self.a, self.m, self.k), Mat::of(&self.b, self.n, self.k).t());
        let c = MatMut::of(&mut self.c, self.m, self.n);
        unsafe { gemm(Isa::active(), threads, a, b, c, &Epilogue::default()) }
    }
    fn ours_packed(&mut self, threads: usize) {
        let a = Mat::of(&self.a, self.m, self.k);
        let c = MatMut::of(&mut self.c, self.m, self.n);
        unsafe { gemm_packed(Isa::active(), threads, a, &self.packed, c, &Epilogue::default()) }
    }
    fn peer(&mut self, threads: usize) {
        let (m, n, k) = (self.m, self.n, self.k);
        let parallelism = if threads == 1 { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(threads) };
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                self.c.as_mut_ptr(),
                1,
                n as isize,
                false,
                self.a.as_ptr(),
                1,
                k as isize,
                self.b.as_ptr(),
                1,
                n as isize,
                T::ZERO,
                T::ONE,
                false,
                false,
                false,
                parallelism,
            )
        }
    }
    fn flops(&self) -> f64 {
        2.0 * self.m as f64 * self.n as f64 * self.k as f64
    }
}

fn sizes() -> Vec<(usize, usize, usize)> {
    let wanted = std::env::var("LC_BENCH_SIZES").unwrap_or_else(|_| "64,256,512,1024".into());
    wanted
        .split(',')
        .map(|s| {
            let d: Vec<usize> = s.split('x').map(|x| x.trim().parse().expect("a size")).collect();
            if let [m, n, k] = d[..] { (m, n, k) } else { (d[0], d[0], d[0]) }
        })
        .collect()
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

type Row<T> = (&'static str, fn(&mut Operands<T>, usize), usize);

fn table<T: GemmFloat>(name: &str, lanes_scale: f64) {
    let seconds = std::env::var("LC_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let rows: [Row<T>; 7] = [
        ("lc 1t", Operands::ours, 1),
        ("lc packed 1t", Operands::ours_packed, 1),
        ("lc B^T 1t", Operands::ours_b_transposed, 1),
        ("gemm 1t", Operands::peer, 1),
        ("lc 2t", Operands::ours, 2),
        ("lc packed 2t", Operands::ours_packed, 2),
        ("gemm 2t", Operands::peer, 2),
    ];
    for (m, n, k) in sizes() {
        let mut x = Operands::<T>::new(m, n, k);
        let mut times = vec![Vec::new(); rows.len()];
        let mut peaks = Vec::new();
        let repeat = (2e6 / x.flops()).ceil() as usize;
        let begin = Instant::now();
        let mut shots = 0;
        while begin.elapsed().as_secs_f64() < seconds || shots < 5 {
            for ((_, run, threads), times) in rows.iter().zip(&mut times) {
                // Once untimed, so that each starts with its own data near and its own threads awake.
                run(&mut x, *threads);
                let start = Instant::now();
                for _ in 0..repeat {
                    run(black_box(&mut x), *threads);
                }
                times.push(start.elapsed().as_secs_f64() / repeat as f64);
            }
            if shots % 8 == 0 {
                peaks.push(peak_flops(Isa::active(), 1) / lanes_scale);
            }
            shots += 1;
        }
        let peak = median(&mut peaks);
        println!("{name} {m}x{n}x{k}: peak {:.1} GFLOP/s, {shots} rounds", peak / 1e9);
        for ((label, _, threads), times) in rows.iter().zip(&mut times) {
            let t = median(times);
            let best = times[times.len() / 10];
            println!(
                "  {label:14} {:10.1} us  {:6.1} GFLOP/s  {:5.1} % of peak, p10 {:5.1} %",
                t * 1e6,
                x.flops() / t / 1e9,
                100.0 * x.flops() / t / (peak * *threads as f64),
                100.0 * x.flops() / best / (peak * *threads as f64),
            );
        }
    }
}

fn criterion_rows(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("gemm f32, {threads} threads"));
        for (m, n, k) in sizes() {
            let mut x = Operands::<f32>::new(m, n, k);
            let id = format!("{m}x{n}x{k}");
            group.throughput(Throughput::Elements(x.flops() as u64));
            group.bench_function(BenchmarkId::new("lc", &id), |b| b.iter(|| x.ours(threads)));
            group.bench_function(BenchmarkId::new("lc packed", &id), |b| b.iter(|| x.ours_packed(threads)));
            group.bench_function(BenchmarkId::new("gemm", &id), |b| b.iter(|| x.peer(threads)));
        }
        group.finish();
    }
}

fn main() {
    if std::env::var_os("LC_BENCH_TABLE").is_some() {
        for size in [16 << 10, 256 << 10, 4 << 20, 256 << 20] {
            println!("a + b of {:6} KiB: {:6.1} GB/s", size >> 10, add_bandwidth(Isa::active(), size, 1) / 1e9);
        }
        table::<f32>("f32", 1.0);
        if std::env::var_os("LC_BENCH_F64").is_some() {
            table::<f64>("f64", 2.0);
        }
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    criterion_rows(&mut criterion);
    criterion.final_summary();
}
