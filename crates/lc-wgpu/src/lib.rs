//! The GPU backend: Metal on Apple machines, Vulkan elsewhere. One host code path and one set of WGSL kernels serve both,
//! through [wgpu](https://docs.rs/wgpu), so that what runs on Metal can be proven on any machine with a Vulkan driver, a
//! software one included.
//!
//! | file | what |
//! | --- | --- |
//! | `adapter` | which GPU, its features and limits |
//! | `pool` | buffers, by size class, with a cap |
//! | `stream`, `failure` | encoding, submission, waiting: many dispatches in one pass and one submit |
//! | `staging` | host memory on its way to the device |
//! | `timing` | times on the device's own clock, while the trace is on |
//! | `pipeline`, `cache` | compiled kernels, made once for each shader and set of constants, and kept on disk |
//! | `launch` | what an op's code says to the rest: bind, scratch, dispatch |
//! | `mps` | products by Metal Performance Shaders, on Apple's machines |
//! | `ops/<op>` | which kernels an op has, and how a call becomes dispatches |
//! | `kernels/<op>.wgsl` | the kernels |

mod adapter;
mod backend;
mod cache;
mod failure;
mod keys;
pub mod launch;
mod memory;
#[cfg(any(test, target_vendor = "apple"))]
mod mps;
pub mod ops;
mod pipeline;
mod pool;
pub mod shader;
mod staging;
mod stream;
mod timing;

pub use adapter::{Adapter, Options};
pub use backend::WgpuBackend;
