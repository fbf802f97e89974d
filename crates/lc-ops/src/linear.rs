//! `act(x·Wᵀ + bias)`.

use crate::math::activate;
use crate::util::{
    activation_at, activation_attr, case, cost, last, need, optional, product, rank_at_least, rows, tensor, vector,
    with_last,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{Activation, AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result, TensorSpec};

const NAME: &str = "linear";
const INPUTS: &[InputSpec] = &[InputSpec::required("x"), InputSpec::required("weight"), InputSpec::optional("bias")];
const ATTRS: &[AttrSpec] = &[activation_attr("activation", Activation::Identity)];

/// Linear layer: `x` `[.., in]`, `weight` `[out, in]` (PyTorch's order), `bias` `[out]`; result `[.., out]`.
pub static LINEAR: OpDef = OpDef {
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

/// Attributes of [`LINEAR`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinearAttrs {
    /// Applied to the sum of product and bias.
    pub activation: Activation,
}

impl LinearAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> LinearAttrs {
        LinearAttrs { activation: activation_at(attrs, 0) }
    }
}

impl From<LinearAttrs> for Attrs {
    fn from(attrs: LinearAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(attrs.activation as u8)])
    }
}

/// Checks a weight `[out, in]` against the extent that it reduces over and returns `out`.
pub(crate) fn projection(
    op: &'static str,
    argument: &'static str,
    weight: &TensorSpec,
    reduced: usize,
    of: &str,
) -> Result<usize> {
    rule::rank(op, argument, weight, 2)?;
    let [out, inner] = [weight.shape[0], weight.shape[1]];
    if inner != reduced {
        let expected = format!("shape [_, {reduced}], with {of} as its last extent");
        let error = Error::invalid(op, argument, expected, format!("{}", weight.shape));
        return Err(if out == reduced { error.hint("weights are [out, in]: transpose it") } else { error });
    }
    Ok(out)
}

fn infer(_: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let (x, weight) = (need(inputs, 0), need(inputs, 1));
    rank_at_least(NAME, "x", &x, 1, "give a scalar as shape [1]")?;
    let out = projection(NAME, "weight", &weight, last(&x.shape), "that of `x`")?;
    vector(NAME, INPUTS, inputs, 2, out, ", one element for each row of `weight`")?;
    Ok(OutputSpecs::one(TensorSpec::new(dtype, with_last(NAME, &x.shape, out)?)))
}

fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let out = outputs.first().shape.numel();
    let work = product(&[out, last(&need(inputs, 0).shape)]);
    let identity = LinearAttrs::from_attrs(attrs).activation == Activation::Identity;
    let extra = usize::from(rule::input(inputs, 2).is_some()) + usize::from(!identity);
    cost(work.saturating_mul(2).saturating_add(product(&[out, extra])), work, inputs, outputs)
}

/// `act(x·Wᵀ + bias)` in float64.
pub(crate) fn project(x: &RefTensor, weight: &RefTensor, bias: Option<&RefTensor>, how: Activation) -> RefTensor {
    let (outer, inner, out) = (rows(&x.shape), last(&x.shape), weight.shape[0]);
    let mut data = Vec::with_capacity(outer * out);
    for i in 0..outer {
        for j in 0..out {
            let sum: f64 = (0..inner).map(|l| x.data[i * inner + l] * weight.data[j * inner + l]).sum();
            data.push(activate(how, sum + bias.map_or(0.0, |t| t.data[j])));
        }
    }
    RefTensor { shape: with_last(NAME, &x.shape, out).expect("the rule accepted the shapes"), data }
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let activation = LinearAttrs::from_attrs(attrs).activation;
    vec![project(tensor(inputs, 0), tensor(inputs, 1), optional(inputs, 2), activation)]
}

fn cases() -> Vec<Case> {
    let plain = LinearAttrs::default();
    let with = |activation| LinearAttrs { activation };
    vec![
        case("one by one", plain, &[Some(&[1, 1]), Some(&[1, 1]), Some(&[1])]),
        case("a vector", plain, &[Some(&[37]), Some(&[11, 37])]),
        case("a vector with bias", plain, &[Some(&[37]), Some(&[11, 37]), Some(&[11])]),
        case("one row", plain, &[Some(&[1, 129]), Some(&[65, 129]), Some(&[65])]),
        case("one output", plain, &[Some(&[19, 33]), Some(&[1, 33]), Some(&[1])]),
        case("one input", plain, &[Some(&[19, 1]), Some(&[7, 1])]),
        case("odd", plain, &[Some(&[7, 13]), Some(&[5, 13]), Some(&[5])]),
        case("blocks and a rest", plain, &[Some(&[131, 131]), Some(&[67, 131])]),
        case("deep", plain, &[Some(&[5, 2049]), Some(&[9, 2049]), Some(&[9])]),
        case("wide", plain, &[Some(&[3, 40]), Some(&[1025, 40]), Some(&[1025])]),
        case("three dimensions", plain, &[Some(&[3, 5, 17]), Some(&[19, 17]), Some(&[19])]),
        case("four dimensions", plain, &[Some(&[2, 1, 3, 9]), Some(&[4, 9])]),
        case("relu", with(Activation::Relu), &[Some(&[9, 31]), Some(&[18, 31]), Some(&[18])]),
        case("gelu", with(Activation::Gelu), &[Some(&[9, 31]), Some(&[18, 31]), Some(&[18])]),
        case("gelu_tanh", with(Activation::GeluTanh), &[Some(&[9, 31]), Some(&[18, 31])]),
        case("silu", with(Activation::Silu), &[Some(&[2, 9, 31]), Some(&[18, 31]), Some(&[18])]),
    ]
}
