//! The kernels of the operations, one file or folder each. They take checked sizes and raw strided memory.

pub mod attention;
pub mod softmax;
