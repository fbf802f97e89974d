//! CPU backend: SIMD kernels chosen at run time, one pool of threads.

pub mod isa;
pub mod math;
pub mod ops;
pub mod pool;
pub mod simd;
pub mod view;

pub use isa::Isa;
