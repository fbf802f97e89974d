//! A feed-forward block: two linear layers with an activation between them.

use crate::linear::{project, projection};
use crate::util::{
    activation_at, activation_attr, case, cost, last, need, optional, product, rank_at_least, rows, tensor, vector,
    with_last,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{Activation, AttrSpec, AttrValue, Attrs, InputSpec, OpDef, RefTensor, Result, TensorSpec};

const NAME: &str = "ffn";
const INPUTS: &[InputSpec] = &[
    InputSpec::required("x"),
    InputSpec::required("w1"),
    InputSpec::required("w2"),
    InputSpec::optional("b1"),
    InputSpec::optional("b2"),
];
const ATTRS: &[AttrSpec] = &[activation_attr("activation", Activation::Gelu)];

/// `act(x·W1ᵀ + b1)·W2ᵀ + b2`: `x` `[.., d_model]`, `w1` `[d_ff, d_model]`, `w2` `[d_out, d_ff]`, `b1` `[d_ff]`, `b2`
/// `[d_out]`; result `[.., d_out]`.
pub static FFN: OpDef = OpDef {
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

/// Attributes of [`FFN`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FfnAttrs {
    /// Applied between the layers. The default is GELU.
    pub activation: Activation,
}

impl Default for FfnAttrs {
    fn default() -> FfnAttrs {
        FfnAttrs { activation: Activation::Gelu }
    }
}

impl FfnAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> FfnAttrs {
        FfnAttrs { activation: activation_at(attrs, 0) }
    }
}

impl From<FfnAttrs> for Attrs {
    fn from(attrs: FfnAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(attrs.activation as u8)])
    }
}

fn infer(_: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let (x, w1, w2) = (need(inputs, 0), need(inputs, 1), need(inputs, 2));
    rank_at_least(NAME, "x", &x, 1, "give a scalar as shape [1]")?;
    let hidden = projection(NAME, "w1", &w1, last(&x.shape), "that of `x`")?;
    let out = projection(NAME, "w2", &w2, hidden, "the first of `w1`")?;
    vector(NAME, INPUTS, inputs, 3, hidden, ", one element for each row of `w1`")?;
    vector(NAME, INPUTS, inputs, 4, out, ", one element for each row of `w2`")?;
    with_last(NAME, &x.shape, hidden).map_err(|error| error.argument("w1"))?;
    Ok(OutputSpecs::one(TensorSpec::new(dtype, with_last(NAME, &x.shape, out)?)))
}

fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let (x, w2) = (need(inputs, 0).shape, need(inputs, 2).shape);
    let (outer, out, hidden) = (rows(&x), w2[0], w2[1]);
    let work = product(&[outer, hidden, last(&x).saturating_add(out)]);
    let biases = |index: usize, width: usize| match rule::input(inputs, index) {
        Some(_) => product(&[outer, width]),
        None => 0,
    };
    let flops = [product(&[outer, hidden]), biases(3, hidden), biases(4, out)]
        .into_iter()
        .fold(work.saturating_mul(2), u64::saturating_add);
    cost(flops, work, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let activation = FfnAttrs::from_attrs(attrs).activation;
    let hidden = project(tensor(inputs, 0), tensor(inputs, 1), optional(inputs, 3), activation);
    vec![project(&hidden, tensor(inputs, 2), optional(inputs, 4), Activation::Identity)]
}

fn cases() -> Vec<Case> {
    let gelu = FfnAttrs::default();
    let with = |activation| FfnAttrs { activation };
    vec![
        case("one by one", gelu, &[Some(&[1, 1]), Some(&[1, 1]), Some(&[1, 1]), Some(&[1]), Some(&[1])]),
        case("a vector", gelu, &[Some(&[19]), Some(&[37, 19]), Some(&[19, 37])]),
        case("odd", gelu, &[Some(&[7, 13]), Some(&[29, 13]), Some(&[13, 29]), Some(&[29]), Some(&[13])]),
        case("no biases", gelu, &[Some(&[7, 13]), Some(&[29, 13]), Some(&[13, 29])]),
        case("first bias", gelu, &[Some(&[7, 13]), Some(&[29, 13]), Some(&[11, 29]), Some(&[29])]),
        case("second bias", gelu, &[Some(&[7, 13]), Some(&[29, 13]), Some(&[11, 29]), None, Some(&[11])]),
        case("hidden of one", gelu, &[Some(&[5, 9]), Some(&[1, 9]), Some(&[7, 1]), Some(&[1]), Some(&[7])]),
        case("three dimensions", gelu, &[Some(&[2, 5, 16]), Some(&[64, 16]), Some(&[16, 64]), Some(&[64])]),
        case("relu", with(Activation::Relu), &[Some(&[9, 17]), Some(&[33, 17]), Some(&[17, 33]), Some(&[33])]),
        case("silu", with(Activation::Silu), &[Some(&[9, 17]), Some(&[33, 17]), Some(&[17, 33]), Some(&[33])]),
        case("gelu_tanh", with(Activation::GeluTanh), &[Some(&[9, 17]), Some(&[33, 17]), Some(&[17, 33])]),
        case("linear", with(Activation::Identity), &[Some(&[9, 17]), Some(&[33, 17]), Some(&[17, 33])]),
        case("large", gelu, &[Some(&[67, 96]), Some(&[259, 96]), Some(&[96, 259]), Some(&[259]), Some(&[96])]),
    ]
}
