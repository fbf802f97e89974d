//! Operations, one file each.

pub mod activation;
pub mod conv2d;
pub mod elementwise;
pub mod layer_norm;
#[cfg(test)]
pub(crate) mod layouts;
pub mod rms_norm;
pub(crate) mod rows;
