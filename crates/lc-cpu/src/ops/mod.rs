//! The kernels of the ops, one file or folder each. They take checked sizes and raw strided memory.

pub mod activation;
pub mod attention;
pub mod conv2d;
pub mod conv_attention;
pub mod elementwise;
pub mod elementwise_chain;
pub mod layer_norm;
#[cfg(test)]
pub(crate) mod layouts;
pub mod rms_norm;
pub(crate) mod rows;
pub mod softmax;
