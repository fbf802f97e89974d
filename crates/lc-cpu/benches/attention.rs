//! Attention against the peak of the core: `cargo bench -p lc-cpu --bench attention [rounds]`.
//!
//! Rows are interleaved, round after round, and each prints its median with the 10th and 90th percentile, and its share
//! of the FMA rate that the same core reaches in the same run. A causal row counts half of the products.

use lc_cpu::Isa;
use lc_cpu::math;
use lc_cpu::ops::attention::{Attention, Heads, HeadsMut, attention};
use lc_cpu::pool;
use lc_cpu::simd::{Kernel, Simd, Vector, dispatch};
use std::hint::black_box;
use std::time::Instant;

/// Independent chains of fused multiply-adds: what the core can do at most.
struct Peak;

impl Kernel for Peak {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        const ROUNDS: usize = 20_000;
        // SAFETY: arithmetic only.
        unsafe {
            let x = S::F32::splat(black_box(0.999));
            let mut sum = [S::F32::splat(1.0); 12];
            let start = Instant::now();
            for _ in 0..ROUNDS {
                for s in &mut sum {
                    *s = s.mul_add(x, x);
                }
            }
            let seconds = start.elapsed().as_secs_f64();
            black_box(sum.map(|s| s.sum()));
            (2 * 12 * ROUNDS * S::F32::LANES) as f64 / seconds / 1e9
        }
    }
}

/// Exponentials of numbers in L1, in nanoseconds for each.
struct Exponentials<'a>(&'a mut [f32]);

impl Kernel for Exponentials<'_> {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        let start = Instant::now();
        for i in (0..self.0.len()).step_by(S::F32::LANES) {
            // SAFETY: the slice's length is a multiple of every vector's.
            unsafe {
                let p = self.0.as_mut_ptr().add(i);
                math::exp2_nonpositive::<f32, S>(S::F32::load(p)).store(p);
            }
        }
        start.elapsed().as_secs_f64() * 1e9 / self.0.len() as f64
    }
}

struct Row {
    s: usize,
    d: usize,
    threads: usize,
    causal: bool,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    out: Vec<f32>,
    seconds: Vec<f64>,
}

impl Row {
    fn new(s: usize, d: usize, threads: usize, causal: bool) -> Row {
        let fill = |seed: usize| (0..s * d).map(|i| ((i * 7919 + seed) % 1009) as f32 / 504.5 - 1.0).collect();
        Row { s, d, threads, causal, q: fill(1), k: fill(2), v: fill(3), out: vec![0.0; s * d], seconds: Vec::new() }
    }

    fn flops(&self) -> f64 {
        let pairs = if self.causal { self.s * (self.s + 1) / 2 } else { self.s * self.s };
        (4 * pairs * self.d) as f64
    }

    fn call(&mut self) {
        let (shape, strides) = ([1, 1, self.s, self.d], [0, 0, self.d as isize, 1]);
        let view = |x: &[f32]| Heads { ptr: x.as_ptr(), shape, strides };
        let out = HeadsMut { ptr: self.out.as_mut_ptr(), shape, strides };
        let how = Attention { causal: self.causal, ..Attention::plain(self.d) };
        // SAFETY: every vector has s × d elements.
        unsafe { attention(Isa::active(), self.threads, view(&self.q), view(&self.k), view(&self.v), out, &how) };
    }

    fn measure(&mut self) {
        // About a millisecond, after one call that wakes the pool: the state of a program that calls again and again.
        let calls = (1e8 / self.flops()).ceil().max(2.0) as usize;
        self.call();
        let start = Instant::now();
        for _ in 0..calls {
            black_box(&mut *self).call();
        }
        self.seconds.push(start.elapsed().as_secs_f64() / calls as f64);
    }

    /// The largest difference from float64.
    fn error(&self) -> f64 {
        let (s, d) = (self.s, self.d);
        let mut worst = 0f64;
        for i in (0..s).step_by(s.div_ceil(16)) {
            let end = if self.causal { i + 1 } else { s };
            let dot = |j: usize| (0..d).map(|c| self.q[i * d + c] as f64 * self.k[j * d + c] as f64).sum::<f64>();
            let weights: Vec<f64> = (0..end).map(|j| (dot(j) / (d as f64).sqrt()).exp()).collect();
            let total: f64 = weights.iter().sum();
            for c in 0..d {
                let want: f64 = (0..end).map(|j| weights[j] / total * self.v[j * d + c] as f64).sum();
                worst = worst.max((want - f64::from(self.out[i * d + c])).abs());
            }
        }
        worst
    }
}

fn main() {
    let rounds = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(60);
    let threads = pool::threads();
    let mut rows = Vec::new();
    for (s, d) in [(8, 16), (8, 32), (12, 12), (48, 48), (96, 48), (192, 48), (192, 8)] {
        rows.push(Row::new(s, d, 1, false));
        if s >= 96 && threads > 1 {
            rows.push(Row::new(s, d, threads, false));
        }
    }
    for s in [256, 512, 1024] {
        for causal in [false, true] {
            rows.push(Row::new(s, 64, 1, causal));
            if threads > 1 {
                rows.push(Row::new(s, 64, threads, causal));
            }
        }
    }
    let (mut peaks, mut exps) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        peaks.push(dispatch(Isa::active(), Peak));
        let mut numbers: Vec<f32> = (0..4096).map(|i| -(i as f32) / 200.0).collect();
        exps.push(dispatch(Isa::active(), Exponentials(&mut numbers)));
        rows.iter_mut().for_each(Row::measure);
    }
    peaks.sort_by(f64::total_cmp);
    exps.sort_by(f64::total_cmp);
    let peak = peaks[rounds / 2];
    println!("{} {peak:.0} GFLOP/s FMA on one thread; exp2 {:.3} ns", Isa::active().name(), exps[rounds / 2]);
    println!("   S   D thr causal   median us [    p10     p90]  GFLOP/s  share   error");
    for row in &mut rows {
        row.seconds.sort_by(f64::total_cmp);
        let at = |q: usize| row.seconds[(row.seconds.len() - 1) * q / 100];
        let rate = row.flops() / at(50) / 1e9;
        println!(
            "{:4} {:3} {:3} {:6} {:11.3} [{:7.3} {:7.3}] {:8.1} {:5.1}% {:7.1e}",
            row.s,
            row.d,
            row.threads,
            row.causal,
            at(50) * 1e6,
            at(10) * 1e6,
            at(90) * 1e6,
            rate,
            100.0 * rate / (peak * row.threads as f64),
            row.error()
        );
        assert!(row.error() < 1e-5);
    }
}
