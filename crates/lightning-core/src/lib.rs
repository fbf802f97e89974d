//! Lightning Core: matmul, attention, convolution and fused inference pipelines, with execution policy as a value.
//!
//! ```
//! use lightning_core as lc;
//!
//! let a = lc::Tensor::from_vec(vec![1.0f32, 2.0, 3.0, 4.0], &[2, 2])?;
//! let b = lc::Tensor::from_vec(vec![5.0f32, 6.0, 7.0, 8.0], &[2, 2])?;
//! let c = lc::ops::matmul(&a, &b)?;
//! assert_eq!(c.data(), [19.0, 22.0, 43.0, 50.0]);
//!
//! // What ran, where, and why.
//! let receipt = lc::last_receipt().unwrap();
//! assert_eq!(receipt.selected.name(), "cpu");
//!
//! // A scope that forbids anything but the CPU.
//! let policy = lc::Policy {
//!     device: Some(lc::DeviceRequest::from_name("cpu")?),
//!     fallback: Some(lc::Fallback::Deny),
//!     ..lc::Policy::default()
//! };
//! lc::policy::scoped(&policy, || lc::ops::matmul(&a, &b))?;
//! # Ok::<(), lc::Error>(())
//! ```

pub mod device;
pub mod memory;
pub mod ops;
mod owned;
pub mod tuning;

pub use lc_core::*;
pub use owned::Tensor;

use lc_cpu::{CpuBackend, Isa};
use std::sync::OnceLock;

/// The process's runtime: every op, and every device that this build and this machine have.
#[inline]
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        for warning in legacy_warnings() {
            eprintln!("lightning_core: {warning}");
        }
        Runtime::with_lazy(lc_ops::REGISTRY, vec![CpuBackend::new(Isa::active())], lazy_backends())
    })
}

/// Applies what the environment variables of lightning_core 0.1.8 ask for to the process policy, the first time that this
/// is called, and gives the warnings about them; later calls give none. The first use of [`runtime()`] calls it and prints
/// them; a front end that has a better place for warnings calls it before.
pub fn legacy_warnings() -> Vec<String> {
    static READ: std::sync::Once = std::sync::Once::new();
    let mut warnings = Vec::new();
    READ.call_once(|| {
        let (policy, texts) = policy::from_legacy_environment();
        policy::set_process(&policy);
        warnings = texts;
    });
    warnings
}

/// The devices that are opened when they are first asked for.
#[cfg(feature = "wgpu")]
fn lazy_backends() -> Vec<LazyBackend> {
    use lc_wgpu::{Adapter, Options, WgpuBackend};
    let open = || {
        let backend = WgpuBackend::open(&Options::from_env())?;
        Ok(backend as std::sync::Arc<dyn backend::Backend>)
    };
    vec![LazyBackend { kind: Adapter::KIND, open }]
}

#[cfg(not(feature = "wgpu"))]
fn lazy_backends() -> Vec<LazyBackend> {
    Vec::new()
}

/// Threads that CPU kernels use, the caller's own included.
pub fn num_threads() -> usize {
    lc_cpu::pool::threads()
}

/// Sets the number of threads that CPU kernels use from the next call on.
///
/// # Errors
/// Zero.
pub fn set_num_threads(threads: usize) -> Result<()> {
    if threads == 0 {
        return Err(Error::invalid("set_num_threads", "threads", "at least 1", "0"));
    }
    lc_cpu::pool::set_threads(threads);
    // What is fastest depends on the number of threads.
    lc_core::runtime::forget_plans();
    Ok(())
}

/// What the processor has, whatever the kernels were told to use.
fn widest() -> Isa {
    Isa::available().max().unwrap_or(Isa::Scalar)
}

/// `f32` operations a second that `threads` cores do at most, measured with the widest instruction set; see
/// [`lc_cpu::machine`].
pub fn measure_peak_flops(threads: usize) -> f64 {
    lc_cpu::machine::peak_flops(widest(), threads)
}

/// Bytes a second at which `threads` cores add arrays of `bytes` bytes in all; see [`lc_cpu::machine`].
///
/// # Errors
/// More than 1 GiB.
pub fn measure_bandwidth(bytes: usize, threads: usize) -> Result<f64> {
    if bytes > 1 << 30 {
        return Err(Error::invalid("measure_bandwidth", "bytes", "at most 1 GiB", bytes.to_string()));
    }
    Ok(lc_cpu::machine::add_bandwidth(widest(), bytes, threads))
}

/// The instruction set of the CPU kernels in use: "avx512", "avx2", "neon" or "scalar".
pub fn cpu_isa() -> &'static str {
    Isa::active().name()
}
