//! What this processor can do: sizes of caches, and the measured limits that kernels are judged by.

use crate::isa::Isa;
use crate::simd::{Kernel, Simd, Vector, dispatch};
use std::hint::black_box;
use std::sync::OnceLock;
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

/// The `f32` operations a second that this core does in multiply-adds of `isa`: the best of a few runs of about a
/// millisecond each. A kernel's share of it is what its loads, stores and bookkeeping leave.
pub fn measure_peak_flops(isa: Isa) -> f64 {
    // The first run wakes the wide units.
    (0..8)
        .map(|_| {
            let start = Instant::now();
            let flops = dispatch(isa, FmaLoop { rounds: 300_000 });
            flops / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

/// Bytes a second that this core reads and writes when it copies `bytes` bytes again and again, counted once each:
/// with a size inside a cache that cache's rate, with a size well above the last level the memory's. The best of a few
/// runs.
pub fn measure_copy_bandwidth(bytes: usize) -> f64 {
    let bytes = bytes.max(64);
    let from = vec![1u8; bytes];
    let mut to = vec![0u8; bytes];
    let times = ((16 << 20) / bytes).max(1);
    (0..8)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..times {
                to.copy_from_slice(black_box(&from));
                black_box(&mut to);
            }
            (2 * bytes * times) as f64 / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_plausible() {
        let caches = caches();
        assert!(caches.l1 >= 8 << 10 && caches.l1 <= caches.l2 && caches.l2 >= 64 << 10);
        assert!(measure_copy_bandwidth(16 << 10) > 1e6);
        for isa in Isa::available() {
            let peak = measure_peak_flops(isa);
            assert!(peak.is_finite() && peak > 1e6, "{isa:?}: {peak}");
        }
    }
}
