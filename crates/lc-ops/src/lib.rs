//! Op schemas.

use lc_core::attrs::{AttrKind, AttrSpec, AttrValue};
use lc_core::registry::{Cost, InputSpec, InputSpecs, OpDef, OutputSpecs, Registry, rule};
use lc_core::{Activation, Attrs, DType, Error, Result, Shape, TensorSpec};

const ACTS: &[&str] = &["none", "relu", "gelu", "gelu_tanh", "silu"];
fn act(i: u8) -> Activation {
    Activation::ALL[i as usize]
}
fn n(inputs: InputSpecs, i: usize) -> TensorSpec {
    rule::input(inputs, i).unwrap()
}
fn cost(_: &Attrs, inputs: InputSpecs, out: &OutputSpecs) -> Cost {
    let r: usize = inputs.iter().flatten().map(|s| s.bytes()).sum();
    let w: usize = out.iter().map(|s| s.bytes()).sum();
    Cost {
        flops: out.first().shape.numel() as u64,
        bytes_read: r as u64,
        bytes_written: w as u64,
        work: out.first().shape.numel() as u64,
    }
}

fn mm(op: &'static str, inputs: InputSpecs) -> Result<OutputSpecs> {
    let (a, b) = (n(inputs, 0), n(inputs, 1));
    let (ra, rb) = (a.shape.rank(), b.shape.rank());
    if ra < 2 || rb < 2 || a.shape[ra - 1] != b.shape[rb - 2] {
        return Err(Error::invalid(op, "b", format!("shape [{}, n]", a.shape[ra - 1]), format!("{}", b.shape)));
    }
    let batch = Shape::new(&a.shape.dims()[..ra - 2])?
        .broadcast(&Shape::new(&b.shape.dims()[..rb - 2])?)
        .ok_or_else(|| Error::invalid(op, "b", "broadcast", format!("{}", b.shape)))?;
    let mut d = batch.dims().to_vec();
    d.extend([a.shape[ra - 2], b.shape[rb - 1]]);
    Ok(OutputSpecs::one(TensorSpec::new(a.dtype, Shape::new(&d)?)))
}
fn ew(op: &'static str, inputs: InputSpecs) -> Result<OutputSpecs> {
    let (a, b) = (n(inputs, 0), n(inputs, 1));
    let s = a
        .shape
        .broadcast(&b.shape)
        .ok_or_else(|| Error::invalid(op, "b", format!("{}", a.shape), format!("{}", b.shape)))?;
    Ok(OutputSpecs::one(TensorSpec::new(a.dtype, s)))
}
fn last(x: TensorSpec, d: usize) -> Result<OutputSpecs> {
    let mut v = x.shape.dims().to_vec();
    *v.last_mut().unwrap() = d;
    Ok(OutputSpecs::one(TensorSpec::new(x.dtype, Shape::new(&v)?)))
}
fn dt(x: TensorSpec) -> DType {
    x.dtype
}

pub static MATMUL: OpDef = OpDef {
    name: "matmul",
    trace_name: "matmul",
    inputs: &[
        InputSpec::required("a"),
        InputSpec::required("b"),
        InputSpec::optional("bias"),
        InputSpec::optional("residual"),
    ],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "activation", kind: AttrKind::Choice(ACTS), default: AttrValue::Choice(0) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        mm("matmul", inputs)
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatmulAttrs {
    pub activation: Activation,
}
impl MatmulAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { activation: act(a.choice(0)) }
    }
}
impl Default for MatmulAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(MATMUL.attrs))
    }
}
impl From<MatmulAttrs> for Attrs {
    fn from(x: MatmulAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(x.activation as u8)])
    }
}

pub static LINEAR: OpDef = OpDef {
    name: "linear",
    trace_name: "linear",
    inputs: &[InputSpec::required("x"), InputSpec::required("weight"), InputSpec::optional("bias")],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "activation", kind: AttrKind::Choice(ACTS), default: AttrValue::Choice(0) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        last(n(inputs, 0), n(inputs, 1).shape[0])
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearAttrs {
    pub activation: Activation,
}
impl LinearAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { activation: act(a.choice(0)) }
    }
}
impl Default for LinearAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(LINEAR.attrs))
    }
}
impl From<LinearAttrs> for Attrs {
    fn from(x: LinearAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(x.activation as u8)])
    }
}

pub static ADD: OpDef = OpDef {
    name: "add",
    trace_name: "vector_add",
    inputs: &[InputSpec::required("a"), InputSpec::required("b")],
    outputs: &["out"],
    attrs: &[],
    infer: |attrs, inputs| {
        let _ = attrs;
        ew("add", inputs)
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

pub static SUB: OpDef = OpDef {
    name: "sub",
    trace_name: "matrix_sub",
    inputs: &[InputSpec::required("a"), InputSpec::required("b")],
    outputs: &["out"],
    attrs: &[],
    infer: |attrs, inputs| {
        let _ = attrs;
        ew("sub", inputs)
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

pub static MUL: OpDef = OpDef {
    name: "mul",
    trace_name: "matrix_mul",
    inputs: &[InputSpec::required("a"), InputSpec::required("b")],
    outputs: &["out"],
    attrs: &[],
    infer: |attrs, inputs| {
        let _ = attrs;
        ew("mul", inputs)
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

pub static DIV: OpDef = OpDef {
    name: "div",
    trace_name: "matrix_div",
    inputs: &[InputSpec::required("a"), InputSpec::required("b")],
    outputs: &["out"],
    attrs: &[],
    infer: |attrs, inputs| {
        let _ = attrs;
        ew("div", inputs)
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

pub static CONV2D: OpDef = OpDef {
    name: "conv2d",
    trace_name: "conv2d_nchw",
    inputs: &[InputSpec::required("x"), InputSpec::required("w"), InputSpec::optional("bias")],
    outputs: &["out"],
    attrs: &[
        AttrSpec { name: "stride_h", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "stride_w", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "pad_h", kind: AttrKind::Int(0, i64::MAX), default: AttrValue::Int(0) },
        AttrSpec { name: "pad_w", kind: AttrKind::Int(0, i64::MAX), default: AttrValue::Int(0) },
        AttrSpec { name: "dilation_h", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "dilation_w", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "groups", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "activation", kind: AttrKind::Choice(ACTS), default: AttrValue::Choice(0) },
    ],
    infer: |attrs, inputs| {
        let _ = attrs;
        let (x, w) = (n(inputs, 0), n(inputs, 1));
        let how = Conv2dAttrs::from_attrs(attrs);
        let f = |s: usize, p: usize, k: usize, d: usize, st: usize| (s + 2 * p - d * (k - 1) - 1) / st + 1;
        Ok(OutputSpecs::one(TensorSpec::new(
            x.dtype,
            Shape::of([
                x.shape[0],
                w.shape[0],
                f(x.shape[2], how.pad_h, w.shape[2], how.dilation_h, how.stride_h),
                f(x.shape[3], how.pad_w, w.shape[3], how.dilation_w, how.stride_w),
            ]),
        )))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv2dAttrs {
    pub stride_h: usize,
    pub stride_w: usize,
    pub pad_h: usize,
    pub pad_w: usize,
    pub dilation_h: usize,
    pub dilation_w: usize,
    pub groups: usize,
    pub activation: Activation,
}
impl Conv2dAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self {
            stride_h: a.size(0),
            stride_w: a.size(1),
            pad_h: a.size(2),
            pad_w: a.size(3),
            dilation_h: a.size(4),
            dilation_w: a.size(5),
            groups: a.size(6),
            activation: act(a.choice(7)),
        }
    }
}
impl Default for Conv2dAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(CONV2D.attrs))
    }
}
impl From<Conv2dAttrs> for Attrs {
    fn from(x: Conv2dAttrs) -> Attrs {
        Attrs::of([
            AttrValue::Int(x.stride_h as i64),
            AttrValue::Int(x.stride_w as i64),
            AttrValue::Int(x.pad_h as i64),
            AttrValue::Int(x.pad_w as i64),
            AttrValue::Int(x.dilation_h as i64),
            AttrValue::Int(x.dilation_w as i64),
            AttrValue::Int(x.groups as i64),
            AttrValue::Choice(x.activation as u8),
        ])
    }
}

pub static ATTENTION: OpDef = OpDef {
    name: "attention",
    trace_name: "attention_forward",
    inputs: &[
        InputSpec::required("q"),
        InputSpec::required("k"),
        InputSpec::required("v"),
        InputSpec::optional("mask"),
    ],
    outputs: &["out"],
    attrs: &[
        AttrSpec { name: "causal", kind: AttrKind::Bool, default: AttrValue::Bool(false) },
        AttrSpec { name: "scale", kind: AttrKind::Float, default: AttrValue::Float(0.0) },
        AttrSpec { name: "output_scale", kind: AttrKind::Float, default: AttrValue::Float(1.0) },
        AttrSpec { name: "output_bias", kind: AttrKind::Float, default: AttrValue::Float(0.0) },
        AttrSpec { name: "output_relu", kind: AttrKind::Bool, default: AttrValue::Bool(false) },
    ],
    infer: |attrs, inputs| {
        let _ = attrs;
        last(n(inputs, 0), *n(inputs, 2).shape.dims().last().unwrap())
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionAttrs {
    pub causal: bool,
    pub scale: f64,
    pub output_scale: f64,
    pub output_bias: f64,
    pub output_relu: bool,
}
impl AttentionAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self {
            causal: a.bool(0),
            scale: a.float(1),
            output_scale: a.float(2),
            output_bias: a.float(3),
            output_relu: a.bool(4),
        }
    }
}
impl Default for AttentionAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(ATTENTION.attrs))
    }
}
impl From<AttentionAttrs> for Attrs {
    fn from(x: AttentionAttrs) -> Attrs {
        Attrs::of([
            AttrValue::Bool(x.causal),
            AttrValue::Float(x.scale),
            AttrValue::Float(x.output_scale),
            AttrValue::Float(x.output_bias),
            AttrValue::Bool(x.output_relu),
        ])
    }
}

pub static ATTENTION_TRAIN: OpDef = OpDef {
    name: "attention_train",
    trace_name: "attention_train",
    inputs: &[
        InputSpec::required("q"),
        InputSpec::required("k"),
        InputSpec::required("v"),
        InputSpec::required("target"),
    ],
    outputs: &["out", "new_v", "loss"],
    attrs: &[
        AttrSpec { name: "learning_rate", kind: AttrKind::Float, default: AttrValue::Float(0.01) },
        AttrSpec { name: "causal", kind: AttrKind::Bool, default: AttrValue::Bool(false) },
        AttrSpec { name: "compute_loss", kind: AttrKind::Bool, default: AttrValue::Bool(true) },
    ],
    infer: |attrs, inputs| {
        let _ = attrs;
        let q = n(inputs, 0);
        Ok(OutputSpecs::three(q, q, TensorSpec::new(dt(q), Shape::of([]))))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionTrainAttrs {
    pub learning_rate: f64,
    pub causal: bool,
    pub compute_loss: bool,
}
impl AttentionTrainAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { learning_rate: a.float(0), causal: a.bool(1), compute_loss: a.bool(2) }
    }
}
impl Default for AttentionTrainAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(ATTENTION_TRAIN.attrs))
    }
}
impl From<AttentionTrainAttrs> for Attrs {
    fn from(x: AttentionTrainAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(x.learning_rate), AttrValue::Bool(x.causal), AttrValue::Bool(x.compute_loss)])
    }
}

pub static SOFTMAX: OpDef = OpDef {
    name: "softmax",
    trace_name: "softmax",
    inputs: &[InputSpec::required("x")],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "axis", kind: AttrKind::Int(-8, 7), default: AttrValue::Int(-1) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        Ok(OutputSpecs::one(n(inputs, 0)))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftmaxAttrs {
    pub axis: i64,
}
impl SoftmaxAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { axis: a.int(0) }
    }
}
impl Default for SoftmaxAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(SOFTMAX.attrs))
    }
}
impl From<SoftmaxAttrs> for Attrs {
    fn from(x: SoftmaxAttrs) -> Attrs {
        Attrs::of([AttrValue::Int(x.axis)])
    }
}

pub static LAYER_NORM: OpDef = OpDef {
    name: "layer_norm",
    trace_name: "layer_norm",
    inputs: &[InputSpec::required("x"), InputSpec::optional("weight"), InputSpec::optional("bias")],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "eps", kind: AttrKind::Float, default: AttrValue::Float(1e-05) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        Ok(OutputSpecs::one(n(inputs, 0)))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormAttrs {
    pub eps: f64,
}
impl LayerNormAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { eps: a.float(0) }
    }
}
impl Default for LayerNormAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(LAYER_NORM.attrs))
    }
}
impl From<LayerNormAttrs> for Attrs {
    fn from(x: LayerNormAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(x.eps)])
    }
}

pub static RMS_NORM: OpDef = OpDef {
    name: "rms_norm",
    trace_name: "rms_norm",
    inputs: &[InputSpec::required("x"), InputSpec::optional("weight")],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "eps", kind: AttrKind::Float, default: AttrValue::Float(1e-06) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        Ok(OutputSpecs::one(n(inputs, 0)))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsNormAttrs {
    pub eps: f64,
}
impl RmsNormAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { eps: a.float(0) }
    }
}
impl Default for RmsNormAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(RMS_NORM.attrs))
    }
}
impl From<RmsNormAttrs> for Attrs {
    fn from(x: RmsNormAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(x.eps)])
    }
}

pub static ACTIVATION: OpDef = OpDef {
    name: "activation",
    trace_name: "activation",
    inputs: &[InputSpec::required("x")],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "kind", kind: AttrKind::Choice(ACTS), default: AttrValue::Choice(1) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        Ok(OutputSpecs::one(n(inputs, 0)))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActivationAttrs {
    pub kind: Activation,
}
impl ActivationAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { kind: act(a.choice(0)) }
    }
}
impl Default for ActivationAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(ACTIVATION.attrs))
    }
}
impl From<ActivationAttrs> for Attrs {
    fn from(x: ActivationAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(x.kind as u8)])
    }
}

pub static FFN: OpDef = OpDef {
    name: "ffn",
    trace_name: "ffn",
    inputs: &[
        InputSpec::required("x"),
        InputSpec::required("w1"),
        InputSpec::required("w2"),
        InputSpec::optional("b1"),
        InputSpec::optional("b2"),
    ],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "activation", kind: AttrKind::Choice(ACTS), default: AttrValue::Choice(2) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        last(n(inputs, 0), n(inputs, 2).shape[0])
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FfnAttrs {
    pub activation: Activation,
}
impl FfnAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { activation: act(a.choice(0)) }
    }
}
impl Default for FfnAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(FFN.attrs))
    }
}
impl From<FfnAttrs> for Attrs {
    fn from(x: FfnAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(x.activation as u8)])
    }
}

pub static LAYER_NORM_PROJECTION: OpDef = OpDef {
    name: "layer_norm_projection",
    trace_name: "layer_norm_projection",
    inputs: &[
        InputSpec::required("x"),
        InputSpec::required("weight"),
        InputSpec::optional("norm_weight"),
        InputSpec::optional("norm_bias"),
        InputSpec::optional("bias"),
    ],
    outputs: &["out"],
    attrs: &[AttrSpec { name: "eps", kind: AttrKind::Float, default: AttrValue::Float(1e-05) }],
    infer: |attrs, inputs| {
        let _ = attrs;
        last(n(inputs, 0), n(inputs, 1).shape[0])
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormProjectionAttrs {
    pub eps: f64,
}
impl LayerNormProjectionAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self { eps: a.float(0) }
    }
}
impl Default for LayerNormProjectionAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(LAYER_NORM_PROJECTION.attrs))
    }
}
impl From<LayerNormProjectionAttrs> for Attrs {
    fn from(x: LayerNormProjectionAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(x.eps)])
    }
}

pub static CONV_ATTENTION: OpDef = OpDef {
    name: "conv_attention",
    trace_name: "conv_attention",
    inputs: &[InputSpec::required("x"), InputSpec::required("w"), InputSpec::optional("bias")],
    outputs: &["out"],
    attrs: &[
        AttrSpec { name: "seq_len", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "head_dim", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "stride_h", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "stride_w", kind: AttrKind::Int(1, i64::MAX), default: AttrValue::Int(1) },
        AttrSpec { name: "pad_h", kind: AttrKind::Int(0, i64::MAX), default: AttrValue::Int(0) },
        AttrSpec { name: "pad_w", kind: AttrKind::Int(0, i64::MAX), default: AttrValue::Int(0) },
    ],
    infer: |attrs, inputs| {
        let _ = attrs;
        let h = ConvAttentionAttrs::from_attrs(attrs);
        Ok(OutputSpecs::one(TensorSpec::new(n(inputs, 0).dtype, Shape::of([h.seq_len, h.head_dim]))))
    },
    cost,
    reference: |_, _| Vec::new(),
    cases: Vec::new,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvAttentionAttrs {
    pub seq_len: usize,
    pub head_dim: usize,
    pub stride_h: usize,
    pub stride_w: usize,
    pub pad_h: usize,
    pub pad_w: usize,
}
impl ConvAttentionAttrs {
    pub fn from_attrs(a: &Attrs) -> Self {
        Self {
            seq_len: a.size(0),
            head_dim: a.size(1),
            stride_h: a.size(2),
            stride_w: a.size(3),
            pad_h: a.size(4),
            pad_w: a.size(5),
        }
    }
}
impl Default for ConvAttentionAttrs {
    fn default() -> Self {
        Self::from_attrs(&Attrs::defaults(CONV_ATTENTION.attrs))
    }
}
impl From<ConvAttentionAttrs> for Attrs {
    fn from(x: ConvAttentionAttrs) -> Attrs {
        Attrs::of([
            AttrValue::Int(x.seq_len as i64),
            AttrValue::Int(x.head_dim as i64),
            AttrValue::Int(x.stride_h as i64),
            AttrValue::Int(x.stride_w as i64),
            AttrValue::Int(x.pad_h as i64),
            AttrValue::Int(x.pad_w as i64),
        ])
    }
}

pub static ALL: [&OpDef; 16] = [
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
];
pub const REGISTRY: Registry = Registry::new(&ALL);
impl SoftmaxAttrs {
    pub fn axis_of(&self, rank: usize) -> usize {
        if self.axis < 0 { (rank as i64 + self.axis) as usize } else { self.axis as usize }
    }
}
