//! Metal Performance Shaders as a candidate for matrix products.
//!
//! They could not be run where this was written, so their kernels are unproven: one runs only where the tuner found it
//! right and fastest on the machine itself ([`KernelEntry::unproven`](lc_core::backend::KernelEntry::unproven)). Nothing of
//! the portable kernels depends on them.
//!
//! wgpu does not give out the Metal buffer behind a buffer of its own, but takes one that it is given. So products work in
//! scratch memory that this module makes and lends to wgpu: operands are copied there, which makes them dense whatever
//! their strides, and the result is copied to where it belongs, which is where the activation is applied. The copies are
//! dispatches like others. What they cost is part of what the tuner measures.
//!
//! | file | what |
//! | --- | --- |
//! | `matmul` | which calls are one batch of products, and the copies around it |
//! | `encode` | the memory and the product, through Metal; Apple's machines only |
//! | `tests` | the same with a plain kernel in Metal's place, on any adapter |

#[cfg(target_vendor = "apple")]
mod encode;
mod matmul;
#[cfg(test)]
mod tests;

#[cfg(target_vendor = "apple")]
pub use encode::Scratch;

use crate::launch::Kernel;

/// The kernels of this module, and in its tests the same calls with another product.
pub static KERNELS: &[&Kernel] = &[
    #[cfg(target_vendor = "apple")]
    &encode::MATMUL,
    #[cfg(target_vendor = "apple")]
    &encode::MATMUL_F16,
    #[cfg(test)]
    &tests::MATMUL,
    #[cfg(test)]
    &tests::MATMUL_F16,
];
