//! CPU backend: SIMD kernels chosen at run time, one pool of threads.

#[cfg(any(test, target_os = "macos"))]
mod accelerate;
mod backend;
mod bind;
pub mod gemm;
pub mod isa;
pub mod machine;
// Polynomial coefficients that happen to be near a constant are not that constant.
#[allow(clippy::approx_constant)]
pub mod math;
mod memory;
pub mod ops;
pub mod pool;
mod scratch;
pub mod simd;
pub mod view;

pub use backend::CpuBackend;
pub use isa::Isa;
