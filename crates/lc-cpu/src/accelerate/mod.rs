//! Accelerate, the BLAS of macOS, as a candidate for products.
//!
//! It could not be run where this was written, so its kernels are unproven: one runs only where the tuner found it right
//! and fastest on the machine itself ([`KernelEntry::unproven`](lc_core::backend::KernelEntry::unproven)). How a call
//! becomes calls of `cblas_sgemm` is tested on every machine, with a model of that function in Accelerate's place.
//!
//! Accelerate brings its own threads. The setting of the pool does not bound them; bias, activation and residual run on
//! the pool's.

mod cblas;
mod linear;
mod matmul;
#[cfg(test)]
mod tests;

use crate::bind::Binding;
use cblas::Library;

/// The ops that the system's library may compute.
#[cfg(target_os = "macos")]
pub fn bindings() -> [Binding; 2] {
    of::<cblas::Accelerate>()
}

fn of<L: Library>() -> [Binding; 2] {
    [matmul::binding::<L>(), linear::binding::<L>()]
}
