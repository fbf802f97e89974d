//! A convolution whose feature map is read as the queries, keys and values of an attention.

use crate::attention::{AttentionAttrs, attend};
use crate::conv2d::{Conv2dAttrs, convolve, multiply_adds, output};
use crate::util::{case, cost, need, optional, output_shape, product, size_attr, size_value, tensor, vector};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{Activation, AttrSpec, Attrs, Error, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec};

const NAME: &str = "conv_attention";
const INPUTS: &[InputSpec] = &[InputSpec::required("x"), InputSpec::required("w"), InputSpec::optional("bias")];
// No extent of an attention fits every feature map, so that the defaults of the first two are ones that are refused.
const ATTRS: &[AttrSpec] = &[
    size_attr("seq_len", 1, 0),
    size_attr("head_dim", 1, 0),
    size_attr("stride_h", 1, 1),
    size_attr("stride_w", 1, 1),
    size_attr("pad_h", 0, 0),
    size_attr("pad_w", 0, 0),
];

/// Convolution, ReLU and attention: `x` `[n, c, h, w]`, `w` `[o, c, kh, kw]`, `bias` `[o]`; result `[seq_len, head_dim]`.
///
/// The rectified map, flat in NCHW order, is repeated from its start or cut to `3·seq_len·head_dim` elements. The first
/// third is `q`, the second `k`, the last `v`, each `[seq_len, head_dim]`; the attention is not causal.
pub static CONV_ATTENTION: OpDef = OpDef {
    name: NAME,
    trace_name: NAME,
    inputs: INPUTS,
    outputs: &["out"],
    attrs: ATTRS,
    infer,
    cost: costs,
    reference,
    cases,
};

/// Attributes of [`CONV_ATTENTION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvAttentionAttrs {
    /// Rows of the attention, at least 1.
    pub seq_len: usize,
    /// Columns of the attention, at least 1.
    pub head_dim: usize,
    /// Rows from one result of the convolution to the next, at least 1.
    pub stride_h: usize,
    /// Columns from one result of the convolution to the next, at least 1.
    pub stride_w: usize,
    /// Rows of zeros above and below.
    pub pad_h: usize,
    /// Columns of zeros at the left and right.
    pub pad_w: usize,
}

/// Stride 1 and no padding. `seq_len` and `head_dim` are 0, which a call refuses: set them.
impl Default for ConvAttentionAttrs {
    fn default() -> ConvAttentionAttrs {
        ConvAttentionAttrs::new(0, 0)
    }
}

impl ConvAttentionAttrs {
    /// An attention of that extent, with a convolution of stride 1 and no padding.
    pub fn new(seq_len: usize, head_dim: usize) -> ConvAttentionAttrs {
        ConvAttentionAttrs { seq_len, head_dim, stride_h: 1, stride_w: 1, pad_h: 0, pad_w: 0 }
    }

    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> ConvAttentionAttrs {
        ConvAttentionAttrs {
            seq_len: attrs.size(0),
            head_dim: attrs.size(1),
            stride_h: attrs.size(2),
            stride_w: attrs.size(3),
            pad_h: attrs.size(4),
            pad_w: attrs.size(5),
        }
    }

    /// The convolution's attributes, ReLU included.
    pub fn conv2d(&self) -> Conv2dAttrs {
        Conv2dAttrs {
            stride_h: self.stride_h,
            stride_w: self.stride_w,
            pad_h: self.pad_h,
            pad_w: self.pad_w,
            activation: Activation::Relu,
            ..Conv2dAttrs::default()
        }
    }
}

impl From<ConvAttentionAttrs> for Attrs {
    fn from(attrs: ConvAttentionAttrs) -> Attrs {
        Attrs::of([
            size_value(attrs.seq_len),
            size_value(attrs.head_dim),
            size_value(attrs.stride_h),
            size_value(attrs.stride_w),
            size_value(attrs.pad_h),
            size_value(attrs.pad_w),
        ])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let how = ConvAttentionAttrs::from_attrs(attrs);
    let w = need(inputs, 1);
    output(NAME, &how.conv2d(), &need(inputs, 0), &w)?;
    vector(NAME, INPUTS, inputs, 2, w.shape[0], ", one element for each output channel")?;
    // Queries, keys and values are one buffer.
    if Shape::new(&[3, how.seq_len, how.head_dim]).is_err() {
        let got = format!("{} with head_dim {}", how.seq_len, how.head_dim);
        return Err(Error::invalid(NAME, "seq_len", "3·seq_len·head_dim elements that fit in memory", got));
    }
    Ok(OutputSpecs::one(TensorSpec::new(dtype, output_shape(NAME, &[how.seq_len, how.head_dim])?)))
}

/// The work is the multiply-adds of the convolution and of the scores.
fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let how = ConvAttentionAttrs::from_attrs(attrs);
    let (x, w) = (need(inputs, 0), need(inputs, 1));
    let map = output(NAME, &how.conv2d(), &x, &w).expect("the rule accepted the shapes");
    let conv = multiply_adds(&map, &w.shape);
    let scores = product(&[how.seq_len, how.seq_len, how.head_dim]);
    let extra = product(&[map.numel(), 1 + usize::from(rule::input(inputs, 2).is_some())]);
    let softmax = product(&[4, how.seq_len, how.seq_len]);
    let flops =
        [scores.saturating_mul(4), softmax, extra].into_iter().fold(conv.saturating_mul(2), u64::saturating_add);
    cost(flops, conv.saturating_add(scores), inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let how = ConvAttentionAttrs::from_attrs(attrs);
    let map = convolve(&how.conv2d(), tensor(inputs, 0), tensor(inputs, 1), optional(inputs, 2)).data;
    let shape = Shape::new(&[how.seq_len, how.head_dim]).expect("the rule accepted the extents");
    let slab = |index: usize| RefTensor {
        shape,
        data: (0..shape.numel()).map(|t| map[(index * shape.numel() + t) % map.len()]).collect(),
    };
    vec![attend(&AttentionAttrs::default(), &slab(0), &slab(1), &slab(2), None)]
}

fn cases() -> Vec<Case> {
    let plain = ConvAttentionAttrs::new;
    let same = |s, d| ConvAttentionAttrs { pad_h: 1, pad_w: 1, ..plain(s, d) };
    let stepped = ConvAttentionAttrs { stride_h: 2, stride_w: 3, pad_h: 2, pad_w: 0, ..plain(9, 5) };
    vec![
        case("one by one", plain(1, 1), &[Some(&[1, 1, 1, 1]), Some(&[1, 1, 1, 1]), Some(&[1])]),
        case("map repeats", same(48, 48), &[Some(&[1, 3, 8, 8]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case("map is cut", same(5, 7), &[Some(&[1, 3, 8, 8]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case("map fits", same(8, 6), &[Some(&[1, 2, 6, 6]), Some(&[4, 2, 3, 3]), Some(&[4])]),
        case("map of one element", plain(4, 3), &[Some(&[1, 2, 3, 3]), Some(&[1, 2, 3, 3])]),
        case("repeats within a slab", plain(13, 11), &[Some(&[1, 2, 4, 5]), Some(&[3, 2, 3, 3])]),
        case("batch", same(17, 9), &[Some(&[3, 2, 5, 7]), Some(&[5, 2, 3, 3]), Some(&[5])]),
        case("no bias", same(12, 8), &[Some(&[1, 3, 8, 8]), Some(&[16, 3, 3, 3])]),
        case("steps", stepped, &[Some(&[2, 2, 9, 11]), Some(&[3, 2, 4, 3]), Some(&[3])]),
        case("long", same(96, 16), &[Some(&[1, 3, 8, 8]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case("rows repeat", same(192, 48), &[Some(&[1, 3, 8, 8]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case("some rows repeat", same(96, 48), &[Some(&[1, 3, 8, 8]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case("no row repeats", same(40, 24), &[Some(&[1, 2, 12, 16]), Some(&[16, 2, 3, 3]), Some(&[16])]),
    ]
}
