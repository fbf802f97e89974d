//! What this processor can do: sizes of its caches, and the measured limits that times are held against.
//!
//! Rates are the best of several runs on warm data, so that a time that beats them is a mistake of its measurement and
//! no fast kernel.

use crate::isa::Isa;
use crate::pool::MAX_THREADS;
use crate::simd::{Kernel, Simd, Vector, dispatch, fence};
use std::hint::black_box;
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::Instant;

/// Sizes of the data caches of one core, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caches {
    /// First level, data.
    pub l1: usize,
    /// Second level.
    pub l2: usize,
    /// The last level, whoever shares it.
    pub l3: usize,
}

/// The caches of the processor, read once; common sizes where the system does not tell.
pub fn caches() -> Caches {
    static CACHES: OnceLock<Caches> = OnceLock::new();
    *CACHES.get_or_init(|| {
        let mut caches = Caches { l1: 32 << 10, l2: 512 << 10, l3: 8 << 20 };
        read(&mut caches);
        caches
    })
}

/// The processor's model, read once; the architecture where the system does not tell.
pub fn model() -> &'static str {
    static MODEL: OnceLock<String> = OnceLock::new();
    MODEL.get_or_init(|| read_model().unwrap_or_else(|| std::env::consts::ARCH.to_owned()))
}

#[cfg(target_os = "linux")]
fn read_model() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    // ARM kernels give numbers for the implementer and the part, and no name.
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    field("model name").or_else(|| Some(format!("{} {}", field("CPU implementer")?, field("CPU part")?)))
}

#[cfg(not(target_os = "linux"))]
fn read_model() -> Option<String> {
    // Set by Windows; elsewhere the adapter's name and the sizes of the caches must do.
    std::env::var("PROCESSOR_IDENTIFIER").ok().or_else(|| {
        let Caches { l1, l2, l3 } = caches();
        Some(format!("{} with caches of {l1}, {l2} and {l3} bytes", std::env::consts::ARCH))
    })
}

#[cfg(target_os = "linux")]
fn read(caches: &mut Caches) {
    for index in 0..8 {
        let field = |name: &str| {
            let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}");
            std::fs::read_to_string(path).map(|s| s.trim().to_owned()).unwrap_or_default()
        };
        let size = field("size");
        let unit = match size.chars().last() {
            Some('K') => 1 << 10,
            Some('M') => 1 << 20,
            _ => 1,
        };
        let Ok(count) = size.trim_end_matches(['K', 'M']).parse::<usize>() else { continue };
        match (field("level").as_str(), field("type").as_str()) {
            ("1", "Data" | "Unified") => caches.l1 = count * unit,
            ("2", "Data" | "Unified") => caches.l2 = count * unit,
            ("3", "Data" | "Unified") => caches.l3 = count * unit,
            _ => {}
        }
    }
}

#[cfg(target_os = "macos")]
fn read(caches: &mut Caches) {
    unsafe extern "C" {
        fn sysctlbyname(
            name: *const std::ffi::c_char,
            old: *mut std::ffi::c_void,
            old_len: *mut usize,
            new: *mut std::ffi::c_void,
            new_len: usize,
        ) -> i32;
    }
    let get = |name: &std::ffi::CStr| {
        let mut value = 0u64;
        let mut len = size_of::<u64>();
        // SAFETY: `value` has the length that `len` tells, and the name ends with a zero.
        let status = unsafe { sysctlbyname(name.as_ptr(), (&raw mut value).cast(), &mut len, std::ptr::null_mut(), 0) };
        (status == 0 && value > 0).then_some(value as usize)
    };
    // Level 0 are the performance cores.
    caches.l1 = get(c"hw.perflevel0.l1dcachesize").or(get(c"hw.l1dcachesize")).unwrap_or(caches.l1);
    // A cluster of cores shares its second level: count a core's part as a quarter.
    caches.l2 = get(c"hw.perflevel0.l2cachesize").or(get(c"hw.l2cachesize")).map_or(caches.l2, |n| n / 4);
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn read(_: &mut Caches) {}

/// Multiply-adds in independent chains, enough to hide the latency of any processor that has the set.
struct FmaLoop {
    rounds: usize,
}

impl Kernel for FmaLoop {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        // Four chains to spare over latency times throughput of the widest cores; fewer where registers are.
        const CHAINS: usize = 12;
        // SAFETY: arithmetic only.
        unsafe {
            let (x, y) = (S::F32::splat(black_box(0.999)), S::F32::splat(black_box(1e-3)));
            let mut acc = [S::F32::zero(); CHAINS];
            for _ in 0..self.rounds {
                for a in acc.iter_mut() {
                    *a = a.mul_add(x, y);
                }
            }
            black_box(acc.iter().map(|a| a.sum()).sum::<f32>());
            (2 * CHAINS * S::F32::LANES * self.rounds) as f64
        }
    }
}

/// What this core does alone: the best of a few runs of about a millisecond each.
fn one_core_peak(isa: Isa) -> f64 {
    // The first run wakes the wide units.
    (0..8)
        .map(|_| {
            let start = Instant::now();
            let flops = dispatch(isa, FmaLoop { rounds: 300_000 });
            flops / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

/// `f32` operations a second that `threads` cores do together in multiply-adds of `isa`; one multiply-add is two. A
/// kernel's share of it is what its loads, stores and bookkeeping leave.
pub fn peak_flops(isa: Isa, threads: usize) -> f64 {
    let threads = threads.clamp(1, MAX_THREADS);
    let barrier = Barrier::new(threads);
    let rate = || {
        barrier.wait();
        one_core_peak(isa)
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
        let caches = caches();
        assert!(caches.l1 >= 8 << 10 && caches.l1 <= caches.l2 && caches.l2 >= 64 << 10);
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
