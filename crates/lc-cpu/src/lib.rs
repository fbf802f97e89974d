//! CPU backend: SIMD kernels chosen at run time, one pool of threads.

pub mod gemm;
pub mod isa;
pub mod machine;
pub mod pool;
pub mod simd;
pub mod view;

pub use isa::Isa;
