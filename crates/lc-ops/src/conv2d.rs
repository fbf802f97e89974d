//! Two-dimensional cross-correlation of NCHW images, with stride, symmetric zero padding, dilation and groups.

use crate::math::activate;
use crate::util::{
    activation_at, activation_attr, case, cost, need, optional, output_shape, product, size_attr, size_value, tensor,
    vector,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{Activation, AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec};

const NAME: &str = "conv2d";
const INPUTS: &[InputSpec] = &[InputSpec::required("x"), InputSpec::required("w"), InputSpec::optional("bias")];
const ATTRS: &[AttrSpec] = &[
    size_attr("stride_h", 1, 1),
    size_attr("stride_w", 1, 1),
    size_attr("pad_h", 0, 0),
    size_attr("pad_w", 0, 0),
    size_attr("dilation_h", 1, 1),
    size_attr("dilation_w", 1, 1),
    size_attr("groups", 1, 1),
    activation_attr("activation", Activation::Identity),
];

/// Convolution: `x` `[n, c, h, w]`, `w` `[o, c / groups, kh, kw]`, `bias` `[o]`; result `[n, o, oh, ow]`, where
/// `oh = ⌊(h + 2·pad_h − dilation_h·(kh − 1) − 1) / stride_h⌋ + 1` and `ow` likewise.
pub static CONV2D: OpDef = OpDef {
    name: NAME,
    trace_name: "conv2d_nchw",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: ATTRS,
    infer,
    cost: costs,
    reference,
    cases,
};

/// Attributes of [`CONV2D`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2dAttrs {
    /// Rows from one result to the next, at least 1.
    pub stride_h: usize,
    /// Columns from one result to the next, at least 1.
    pub stride_w: usize,
    /// Rows of zeros above and below.
    pub pad_h: usize,
    /// Columns of zeros at the left and right.
    pub pad_w: usize,
    /// Rows from one row of the filter to the next, at least 1.
    pub dilation_h: usize,
    /// Columns from one column of the filter to the next, at least 1.
    pub dilation_w: usize,
    /// Groups of channels that do not mix, at least 1.
    pub groups: usize,
    /// Applied to the sum of product and bias.
    pub activation: Activation,
}

impl Default for Conv2dAttrs {
    fn default() -> Conv2dAttrs {
        Conv2dAttrs {
            stride_h: 1,
            stride_w: 1,
            pad_h: 0,
            pad_w: 0,
            dilation_h: 1,
            dilation_w: 1,
            groups: 1,
            activation: Activation::Identity,
        }
    }
}

impl Conv2dAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> Conv2dAttrs {
        Conv2dAttrs {
            stride_h: attrs.size(0),
            stride_w: attrs.size(1),
            pad_h: attrs.size(2),
            pad_w: attrs.size(3),
            dilation_h: attrs.size(4),
            dilation_w: attrs.size(5),
            groups: attrs.size(6),
            activation: activation_at(attrs, 7),
        }
    }
}

impl From<Conv2dAttrs> for Attrs {
    fn from(attrs: Conv2dAttrs) -> Attrs {
        Attrs::of([
            size_value(attrs.stride_h),
            size_value(attrs.stride_w),
            size_value(attrs.pad_h),
            size_value(attrs.pad_w),
            size_value(attrs.dilation_h),
            size_value(attrs.dilation_w),
            size_value(attrs.groups),
            AttrValue::Choice(attrs.activation as u8),
        ])
    }
}

/// One image dimension: names for errors, extents and steps.
struct Axis {
    pad_name: &'static str,
    dilation_name: &'static str,
    letter: &'static str,
    size: usize,
    kernel: usize,
    pad: usize,
    dilation: usize,
    stride: usize,
}

impl Axis {
    /// How many results lie along the dimension.
    fn extent(&self, op: &'static str) -> Result<usize> {
        let fits = |n: Option<usize>| n.filter(|n| *n <= isize::MAX as usize);
        let padded = fits(self.pad.checked_mul(2).and_then(|pad| pad.checked_add(self.size))).ok_or_else(|| {
            Error::invalid(op, self.pad_name, "a padded extent that fits in memory", self.pad.to_string())
        })?;
        let reach =
            fits((self.kernel - 1).checked_mul(self.dilation).and_then(|n| n.checked_add(1))).ok_or_else(|| {
                Error::invalid(op, self.dilation_name, "a filter that fits in memory", self.dilation.to_string())
            })?;
        if reach > padded {
            let dilated = if self.dilation > 1 { format!(", {reach} when dilated") } else { String::new() };
            let expected = format!("a filter within the padded input's {} of {padded}", self.letter);
            let pad = self.pad + (reach - padded).div_ceil(2);
            return Err(Error::invalid(op, "w", expected, format!("{}{dilated}", self.kernel))
                .hint(format!("use a smaller filter, or {} of at least {pad}", self.pad_name)));
        }
        Ok((padded - reach) / self.stride + 1)
    }
}

/// The shape of the result, after checks of everything but the bias. `op` is the op to name in errors.
pub(crate) fn output(op: &'static str, how: &Conv2dAttrs, x: &TensorSpec, w: &TensorSpec) -> Result<Shape> {
    rule::rank(op, "x", x, 4).map_err(|e| e.hint("images are [batch, channels, height, width]"))?;
    rule::rank(op, "w", w, 4).map_err(|e| e.hint("filters are [out_channels, channels / groups, height, width]"))?;
    let (n, c, o) = (x.shape[0], x.shape[1], w.shape[0]);
    if !c.is_multiple_of(how.groups) || !o.is_multiple_of(how.groups) {
        let expected = format!("a divisor of {c} input channels and of {o} output channels");
        return Err(Error::invalid(op, "groups", expected, how.groups.to_string()));
    }
    let channels = c / how.groups;
    if w.shape[1] != channels {
        let of = if how.groups > 1 { " / groups" } else { "" };
        let meaning = format!(", with the channels of `x`{of} as its second extent");
        return rule::shape(op, "w", w, &[Some(o), Some(channels), None, None], &meaning).map(|()| x.shape);
    }
    let high = Axis {
        pad_name: "pad_h",
        dilation_name: "dilation_h",
        letter: "height",
        size: x.shape[2],
        kernel: w.shape[2],
        pad: how.pad_h,
        dilation: how.dilation_h,
        stride: how.stride_h,
    };
    let wide = Axis {
        pad_name: "pad_w",
        dilation_name: "dilation_w",
        letter: "width",
        size: x.shape[3],
        kernel: w.shape[3],
        pad: how.pad_w,
        dilation: how.dilation_w,
        stride: how.stride_w,
    };
    output_shape(op, &[n, o, high.extent(op)?, wide.extent(op)?])
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let w = need(inputs, 1);
    let shape = output(NAME, &Conv2dAttrs::from_attrs(attrs), &need(inputs, 0), &w)?;
    vector(NAME, INPUTS, inputs, 2, w.shape[0], ", one element for each output channel")?;
    Ok(OutputSpecs::one(TensorSpec::new(dtype, shape)))
}

/// Multiply-adds of a convolution with that result: zeros of the padding are counted too.
pub(crate) fn multiply_adds(out: &Shape, w: &Shape) -> u64 {
    product(&[out.numel(), w[1], w[2], w[3]])
}

fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let out = outputs.first().shape;
    let work = multiply_adds(&out, &need(inputs, 1).shape);
    let identity = Conv2dAttrs::from_attrs(attrs).activation == Activation::Identity;
    let extra = usize::from(rule::input(inputs, 2).is_some()) + usize::from(!identity);
    cost(work.saturating_mul(2).saturating_add(product(&[out.numel(), extra])), work, inputs, outputs)
}

/// The convolution in float64, by its definition.
pub(crate) fn convolve(how: &Conv2dAttrs, x: &RefTensor, w: &RefTensor, bias: Option<&RefTensor>) -> RefTensor {
    let spec = |t: &RefTensor| TensorSpec::new(lc_core::DType::F64, t.shape);
    let shape = output(NAME, how, &spec(x), &spec(w)).expect("the rule accepted the shapes");
    let [n, o, oh, ow] = [shape[0], shape[1], shape[2], shape[3]];
    let [h, wide] = [x.shape[2], x.shape[3]];
    let [channels, kh, kw] = [w.shape[1], w.shape[2], w.shape[3]];
    // The input's index, or none in the padding.
    let source = |at: usize, stride: usize, tap: usize, dilation: usize, pad: usize, size: usize| {
        (at * stride + tap * dilation).checked_sub(pad).filter(|i| *i < size)
    };
    let mut data = Vec::with_capacity(shape.numel());
    for image in 0..n {
        for channel in 0..o {
            let group = channel / (o / how.groups);
            for i in 0..oh {
                for j in 0..ow {
                    let mut sum = bias.map_or(0.0, |t| t.data[channel]);
                    for c in 0..channels {
                        for ky in 0..kh {
                            for kx in 0..kw {
                                let y = source(i, how.stride_h, ky, how.dilation_h, how.pad_h, h);
                                let z = source(j, how.stride_w, kx, how.dilation_w, how.pad_w, wide);
                                if let (Some(y), Some(z)) = (y, z) {
                                    let plane = image * x.shape[1] + group * channels + c;
                                    let tap = ((channel * channels + c) * kh + ky) * kw + kx;
                                    sum += x.data[(plane * h + y) * wide + z] * w.data[tap];
                                }
                            }
                        }
                    }
                    data.push(activate(how.activation, sum));
                }
            }
        }
    }
    RefTensor { shape, data }
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let how = Conv2dAttrs::from_attrs(attrs);
    vec![convolve(&how, tensor(inputs, 0), tensor(inputs, 1), optional(inputs, 2))]
}

fn cases() -> Vec<Case> {
    let plain = Conv2dAttrs::default();
    let same = Conv2dAttrs { pad_h: 1, pad_w: 1, ..plain };
    let relu = Conv2dAttrs { activation: Activation::Relu, ..same };
    vec![
        case("one by one", plain, &[Some(&[1, 1, 1, 1]), Some(&[1, 1, 1, 1]), Some(&[1])]),
        case("padding only around", same, &[Some(&[1, 1, 1, 1]), Some(&[1, 1, 3, 3])]),
        case("small", plain, &[Some(&[1, 1, 3, 3]), Some(&[1, 1, 2, 2])]),
        case("1x1 filter", plain, &[Some(&[2, 17, 7, 9]), Some(&[13, 17, 1, 1]), Some(&[13])]),
        case("3x3 same", same, &[Some(&[1, 3, 16, 16]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case("3x3 same, odd", same, &[Some(&[2, 5, 11, 13]), Some(&[7, 5, 3, 3]), Some(&[7])]),
        case("3x3 same, no bias", same, &[Some(&[1, 8, 9, 10]), Some(&[9, 8, 3, 3])]),
        case("3x3 relu", relu, &[Some(&[1, 3, 15, 17]), Some(&[16, 3, 3, 3]), Some(&[16])]),
        case(
            "3x3 gelu",
            Conv2dAttrs { activation: Activation::Gelu, ..same },
            &[Some(&[1, 3, 6, 7]), Some(&[5, 3, 3, 3]), Some(&[5])],
        ),
        case("3x3 many channels", same, &[Some(&[1, 33, 9, 9]), Some(&[35, 33, 3, 3]), Some(&[35])]),
        case("3x3 large image", relu, &[Some(&[1, 3, 56, 57]), Some(&[8, 3, 3, 3]), Some(&[8])]),
        case(
            "stride 2",
            Conv2dAttrs { stride_h: 2, stride_w: 2, ..same },
            &[Some(&[2, 3, 15, 16]), Some(&[8, 3, 3, 3]), Some(&[8])],
        ),
        case(
            "stem, 7x7 stride 2",
            Conv2dAttrs { stride_h: 2, stride_w: 2, pad_h: 3, pad_w: 3, ..plain },
            &[Some(&[1, 3, 29, 31]), Some(&[8, 3, 7, 7]), Some(&[8])],
        ),
        case(
            "steps differ",
            Conv2dAttrs { stride_h: 3, stride_w: 2, pad_h: 2, pad_w: 0, ..plain },
            &[Some(&[2, 2, 10, 11]), Some(&[3, 2, 5, 4]), Some(&[3])],
        ),
        case(
            "stride past the filter",
            Conv2dAttrs { stride_h: 4, stride_w: 5, ..plain },
            &[Some(&[1, 2, 13, 14]), Some(&[3, 2, 2, 1])],
        ),
        case(
            "dilated",
            Conv2dAttrs { dilation_h: 2, dilation_w: 3, pad_h: 2, pad_w: 3, ..plain },
            &[Some(&[1, 4, 11, 13]), Some(&[5, 4, 3, 3]), Some(&[5])],
        ),
        case(
            "two groups",
            Conv2dAttrs { groups: 2, ..same },
            &[Some(&[2, 6, 7, 8]), Some(&[10, 3, 3, 3]), Some(&[10])],
        ),
        case(
            "depthwise",
            Conv2dAttrs { groups: 19, ..same },
            &[Some(&[1, 19, 9, 11]), Some(&[19, 1, 3, 3]), Some(&[19])],
        ),
        case(
            "depthwise, multiplier 2",
            Conv2dAttrs { groups: 5, ..plain },
            &[Some(&[1, 5, 8, 6]), Some(&[10, 1, 3, 2])],
        ),
        case("row filter", Conv2dAttrs { pad_w: 2, ..plain }, &[Some(&[1, 3, 5, 20]), Some(&[4, 3, 1, 5])]),
        case("column filter", Conv2dAttrs { pad_h: 2, ..plain }, &[Some(&[1, 3, 20, 5]), Some(&[4, 3, 5, 1])]),
        case("filter as large as the image", plain, &[Some(&[3, 4, 5, 6]), Some(&[7, 4, 5, 6]), Some(&[7])]),
        case(
            "padding past the filter",
            Conv2dAttrs { pad_h: 4, pad_w: 5, ..plain },
            &[Some(&[1, 2, 3, 4]), Some(&[3, 2, 3, 3]), Some(&[3])],
        ),
    ]
}
