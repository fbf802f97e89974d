//! The ops: for each its schema, rule for shapes and dtypes, cost, float64 reference and test cases. Nothing here knows a
//! device; a backend has a file of the same name for each op that it runs.
//!
//! An op's attributes have a struct with named fields, which converts into [`lc_core::Attrs`] and is read back from them
//! by `from_attrs`. Every op takes float32 and float64; the tensors of one call have one dtype.

mod activation;
mod attention;
mod attention_train;
mod conv2d;
mod conv_attention;
mod elementwise;
mod elementwise_chain;
mod ffn;
mod layer_norm;
mod layer_norm_projection;
mod linear;
mod math;
mod matmul;
mod pack;
pub mod parity;
mod rms_norm;
mod softmax;
mod util;

pub use activation::{ACTIVATION, ActivationAttrs};
pub use attention::{ATTENTION, AttentionAttrs};
pub use attention_train::{ATTENTION_TRAIN, AttentionTrainAttrs};
pub use conv_attention::{CONV_ATTENTION, ConvAttentionAttrs};
pub use conv2d::{CONV2D, Conv2dAttrs};
pub use elementwise::{ADD, DIV, MUL, SUB};
pub use elementwise_chain::{CHAIN_OPERANDS, CHAIN_STEPS, ChainAttrs, ChainOp, ChainStep, ELEMENTWISE_CHAIN};
pub use ffn::{FFN, FfnAttrs};
pub use layer_norm::{LAYER_NORM, LayerNormAttrs};
pub use layer_norm_projection::{LAYER_NORM_PROJECTION, LayerNormProjectionAttrs};
pub use linear::{LINEAR, LinearAttrs};
pub use math::activate;
pub use matmul::{MATMUL, MatmulAttrs};
pub use pack::{PACK, PackAttrs};
pub use rms_norm::{RMS_NORM, RmsNormAttrs};
pub use softmax::{SOFTMAX, SoftmaxAttrs};

use lc_core::{OpDef, Registry};

/// Every op.
pub static ALL: [&OpDef; 18] = [
    &MATMUL,
    &LINEAR,
    &ADD,
    &SUB,
    &MUL,
    &DIV,
    &CONV2D,
    &ATTENTION,
    &ATTENTION_TRAIN,
    &SOFTMAX,
    &LAYER_NORM,
    &RMS_NORM,
    &ACTIVATION,
    &FFN,
    &LAYER_NORM_PROJECTION,
    &CONV_ATTENTION,
    &PACK,
    &ELEMENTWISE_CHAIN,
];

/// The registry of every op.
pub const REGISTRY: Registry = Registry::new(&ALL);
