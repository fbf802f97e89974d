//! Layer normalisation and the linear layer after it.

use crate::layer_norm::{EPS, normalise};
use crate::linear::{project, projection};
use crate::util::{
    case, cost, epsilon, float_attr, last, need, optional, product, rank_at_least, tensor, vector, with_last,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{Activation, AttrSpec, AttrValue, Attrs, InputSpec, OpDef, RefTensor, Result, TensorSpec};

const NAME: &str = "layer_norm_projection";
const INPUTS: &[InputSpec] = &[
    InputSpec::required("x"),
    InputSpec::required("weight"),
    InputSpec::optional("norm_weight"),
    InputSpec::optional("norm_bias"),
    InputSpec::optional("bias"),
];
const ATTRS: &[AttrSpec] = &[float_attr("eps", EPS)];

/// `layer_norm(x, norm_weight, norm_bias)·Wᵀ + bias`: `x` `[.., d]`, `weight` `[out, d]`, `norm_weight` and `norm_bias`
/// `[d]`, `bias` `[out]`; result `[.., out]`.
pub static LAYER_NORM_PROJECTION: OpDef = OpDef {
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

/// Attributes of [`LAYER_NORM_PROJECTION`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormProjectionAttrs {
    /// Added to the variance; finite and not negative. The default is 1e-5.
    pub eps: f64,
}

impl Default for LayerNormProjectionAttrs {
    fn default() -> LayerNormProjectionAttrs {
        LayerNormProjectionAttrs { eps: EPS }
    }
}

impl LayerNormProjectionAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> LayerNormProjectionAttrs {
        LayerNormProjectionAttrs { eps: attrs.float(0) }
    }
}

impl From<LayerNormProjectionAttrs> for Attrs {
    fn from(attrs: LayerNormProjectionAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(attrs.eps)])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let (x, weight) = (need(inputs, 0), need(inputs, 1));
    rank_at_least(NAME, "x", &x, 1, "give a scalar as shape [1]")?;
    epsilon(NAME, LayerNormProjectionAttrs::from_attrs(attrs).eps)?;
    let d = last(&x.shape);
    let out = projection(NAME, "weight", &weight, d, "that of `x`")?;
    vector(NAME, INPUTS, inputs, 2, d, ", the last extent of `x`")?;
    vector(NAME, INPUTS, inputs, 3, d, ", the last extent of `x`")?;
    vector(NAME, INPUTS, inputs, 4, out, ", one element for each row of `weight`")?;
    Ok(OutputSpecs::one(TensorSpec::new(dtype, with_last(NAME, &x.shape, out)?)))
}

/// The work is that of the product; the normalisation counts as that of `layer_norm`.
fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let x = need(inputs, 0).shape;
    let out = outputs.first().shape.numel();
    let work = product(&[out, last(&x)]);
    let vectors = (2..4).filter(|i| rule::input(inputs, *i).is_some()).count();
    let norm = product(&[x.numel(), 5 + vectors]);
    let bias = product(&[out, usize::from(rule::input(inputs, 4).is_some())]);
    cost(work.saturating_mul(2).saturating_add(norm).saturating_add(bias), work, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let eps = LayerNormProjectionAttrs::from_attrs(attrs).eps;
    let normal = normalise(tensor(inputs, 0), optional(inputs, 2), optional(inputs, 3), eps);
    vec![project(&normal, tensor(inputs, 1), optional(inputs, 4), Activation::Identity)]
}

fn cases() -> Vec<Case> {
    let plain = LayerNormProjectionAttrs::default();
    let large = LayerNormProjectionAttrs { eps: 0.5 };
    vec![
        case("one by one", plain, &[Some(&[1, 1]), Some(&[1, 1]), Some(&[1]), Some(&[1]), Some(&[1])]),
        case("a vector", plain, &[Some(&[19]), Some(&[7, 19])]),
        case("odd", plain, &[Some(&[7, 33]), Some(&[13, 33]), Some(&[33]), Some(&[33]), Some(&[13])]),
        case("no vectors", plain, &[Some(&[7, 33]), Some(&[13, 33])]),
        case("bias only", plain, &[Some(&[7, 33]), Some(&[13, 33]), None, None, Some(&[13])]),
        case("norm weight only", plain, &[Some(&[7, 33]), Some(&[13, 33]), Some(&[33])]),
        case("norm bias only", plain, &[Some(&[7, 33]), Some(&[13, 33]), None, Some(&[33])]),
        case("one output", plain, &[Some(&[9, 31]), Some(&[1, 31]), Some(&[31]), Some(&[31]), Some(&[1])]),
        case("three dimensions", large, &[Some(&[2, 5, 17]), Some(&[19, 17]), Some(&[17]), Some(&[17])]),
        case("large", plain, &[Some(&[67, 259]), Some(&[65, 259]), Some(&[259]), Some(&[259]), Some(&[65])]),
    ]
}
