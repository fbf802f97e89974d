//! What this processor can do: sizes of caches, and the measured limits that kernels are judged by.

use std::sync::OnceLock;

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
