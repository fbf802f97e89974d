//! What the device's tests share: opening it, or skipping by name; and the validation layers' messages, of which there must
//! be none.
#![allow(dead_code, reason = "every test binary uses another part")]

use lc_core::policy::PackedPolicy;
use lc_core::{DeviceRequest, Fallback, Policy};
use lc_wgpu::{Adapter, Options, WgpuBackend};
use std::sync::{Arc, Mutex, Once};

static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps what wgpu and the validation layers have to say.
struct Collector;

impl log::Log for Collector {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("wgpu") && metadata.level() <= log::Level::Warn
    }
    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = format!("{} {}: {}", record.level(), record.target(), record.args());
            println!("{text}");
            if record.level() == log::Level::Error && record.target().starts_with("wgpu_hal") {
                MESSAGES.lock().unwrap_or_else(|e| e.into_inner()).push(text);
            }
        }
    }
    fn flush(&self) {}
}

/// Asserts that the driver and its validation layers reported no error so far.
pub fn assert_no_messages() {
    let messages = MESSAGES.lock().unwrap_or_else(|e| e.into_inner());
    assert!(messages.is_empty(), "{}", messages.join("\n"));
}

/// The device, with validation layers where they are installed. `None`, said aloud, where there is no adapter; with
/// `LC_REQUIRE_GPU` set that fails the test.
pub fn open(options: &Options) -> Option<Arc<WgpuBackend>> {
    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_max_level(log::LevelFilter::Warn);
        log::set_logger(&Collector).expect("the first logger");
    });
    match WgpuBackend::open(options) {
        Ok(device) => {
            println!("on {}, {}", device.adapter().info.name, device.adapter().info.driver_info);
            Some(device)
        }
        Err(error) => {
            let required = std::env::var("LC_REQUIRE_GPU").is_ok_and(|value| !value.is_empty() && value != "0");
            assert!(!required, "a GPU is required: {error}");
            println!("SKIPPED: {error}");
            None
        }
    }
}

/// What the environment says, without a cache on disk.
pub fn options() -> Options {
    Options { cache_dir: None, ..Options::from_env() }
}

/// This device or an error.
pub fn strict() -> PackedPolicy {
    let device = Some(DeviceRequest::Is(Adapter::KIND));
    Policy { device, fallback: Some(Fallback::Deny), ..Policy::default() }.pack()
}

/// Numbers between −1 and 1 from a seed (splitmix64).
pub fn values(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (0..count).map(|_| (next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0).collect()
}
