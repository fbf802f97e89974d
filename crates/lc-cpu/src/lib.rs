//! CPU backend: SIMD kernels chosen at run time, one pool of threads.

mod backend;
mod bind;
pub mod isa;
mod memory;
pub mod ops;
pub mod pool;
pub mod simd;
pub mod view;

pub use backend::CpuBackend;
pub use isa::Isa;
