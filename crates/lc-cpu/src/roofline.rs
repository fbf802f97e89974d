//! What all cores together can do at most: the limits that measured times are held against.
//!
//! Rates are the best of several runs on warm data, so that a time that beats them is a mistake of its measurement and
//! no fast kernel.

use crate::isa::Isa;
use crate::machine::measure_peak_flops;
use crate::pool::MAX_THREADS;
use crate::simd::{Kernel, Simd, Vector, dispatch, fence};
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

/// `f32` operations a second that `threads` cores do together in multiply-adds of `isa`; one multiply-add is two.
pub fn peak_flops(isa: Isa, threads: usize) -> f64 {
    let threads = threads.clamp(1, MAX_THREADS);
    let barrier = Barrier::new(threads);
    let rate = || {
        barrier.wait();
        measure_peak_flops(isa)
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(rate)).collect();
        rate() + others.into_iter().map(|other| other.join().unwrap_or(0.0)).sum::<f64>()
    })
}

/// Bytes a second of `c = a + b` on `threads` cores together, `bytes` bytes of `f32` in all three arrays of all threads;
/// each byte is counted once. The better of plain and streaming stores: the first wins while the data stays in the
/// caches, the second above, where a plain store also reads the line that it writes.
pub fn add_bandwidth(isa: Isa, bytes: usize, threads: usize) -> f64 {
    let threads = threads.clamp(1, MAX_THREADS);
    // Whole cache lines, and at least one.
    let len = (bytes / (12 * threads)).next_multiple_of(LINE).max(LINE);
    [false, true].into_iter().map(|streaming| together(isa, len, threads, streaming)).fold(0.0, f64::max)
}

/// Floats in a cache line; a multiple of every vector's lanes.
const LINE: usize = 16;
/// Runs whose best counts.
const RUNS: usize = 6;

fn together(isa: Isa, len: usize, threads: usize, streaming: bool) -> f64 {
    let barrier = Barrier::new(threads);
    let rates = || {
        let (a, b, mut c) = (aligned(len), aligned(len), aligned(len));
        // About 2 ms a run at 20 GB/s.
        let passes = (40_000_000 / (12 * len)).max(1);
        let mut rates = [0.0; RUNS];
        for rate in &mut rates {
            // Every run starts on all cores at once: the level that they share is then shared in every number.
            barrier.wait();
            let start = Instant::now();
            dispatch(isa, Add { a: a.floats(), b: b.floats(), c: c.floats_mut(), passes, streaming });
            *rate = (12 * len * passes) as f64 / start.elapsed().as_secs_f64();
        }
        black_box(c.floats()[len - 1]);
        rates
    };
    let all: Vec<[f64; RUNS]> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(rates)).collect();
        let mine = rates();
        others.into_iter().filter_map(|other| other.join().ok()).chain([mine]).collect()
    });
    (0..RUNS).map(|run| all.iter().map(|rates| rates[run]).sum::<f64>()).fold(0.0, f64::max)
}

/// Floats that start at a cache line.
struct Aligned {
    memory: Vec<f32>,
    start: usize,
    len: usize,
}

fn aligned(len: usize) -> Aligned {
    let memory = vec![1.0f32; len + LINE];
    // `align_offset` may decline; unaligned data is then only slower, and never streamed to.
    let start = memory.as_ptr().align_offset(64).min(LINE);
    Aligned { memory, start, len }
}

impl Aligned {
    fn floats(&self) -> &[f32] {
        &self.memory[self.start..self.start + self.len]
    }
    fn floats_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

struct Add<'a> {
    a: &'a [f32],
    b: &'a [f32],
    c: &'a mut [f32],
    passes: usize,
    streaming: bool,
}

impl Kernel for Add<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let lanes = S::F32::LANES;
        let len = self.a.len().min(self.b.len()).min(self.c.len()) / LINE * LINE;
        let streaming = self.streaming && self.c.as_ptr().addr().is_multiple_of(64);
        for _ in 0..self.passes {
            let (a, b, c) =
                (black_box(self.a).as_ptr(), black_box(self.b).as_ptr(), black_box(&mut *self.c).as_mut_ptr());
            let mut i = 0;
            while i < len {
                let mut j = 0;
                while j < LINE {
                    // SAFETY: `i + j + lanes <= len`, since `LINE` divides `len` and `lanes` divides `LINE`; streamed
                    // to only where `c` is aligned to a cache line. The set `S` is available inside `run`.
                    unsafe {
                        let sum = S::F32::load(a.add(i + j)).add(S::F32::load(b.add(i + j)));
                        if streaming { sum.stream(c.add(i + j)) } else { sum.store(c.add(i + j)) }
                    }
                    j += lanes;
                }
                i += LINE;
            }
            if streaming {
                fence();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_plausible() {
        for isa in Isa::available() {
            let (one, two) = (peak_flops(isa, 1), peak_flops(isa, 2));
            assert!(one > 1e6 && two > 1e6 && two.is_finite(), "{isa:?}: {one} {two}");
            for bytes in [0, 1 << 14, 1 << 20] {
                let rate = add_bandwidth(isa, bytes, 2);
                assert!(rate > 1e6 && rate.is_finite(), "{isa:?} {bytes}: {rate}");
            }
        }
    }

    #[test]
    fn adds_what_it_times() {
        for isa in Isa::available() {
            for streaming in [false, true] {
                let (a, b, mut c) = (aligned(48), aligned(48), aligned(48));
                dispatch(isa, Add { a: a.floats(), b: b.floats(), c: c.floats_mut(), passes: 1, streaming });
                assert!(c.floats().iter().all(|&x| x == 2.0), "{isa:?} {streaming}");
            }
        }
    }
}
