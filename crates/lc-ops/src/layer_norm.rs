//! Layer normalisation over the last dimension (Ba, Kiros and Hinton, 2016).

use crate::util::{
    case, cost, epsilon, float_attr, last, need, optional, product, rank_at_least, rows, tensor, vector,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{AttrSpec, AttrValue, Attrs, InputSpec, OpDef, RefTensor, Result};

const NAME: &str = "layer_norm";
const INPUTS: &[InputSpec] = &[InputSpec::required("x"), InputSpec::optional("weight"), InputSpec::optional("bias")];
/// The default of `eps`, PyTorch's.
pub(crate) const EPS: f64 = 1e-5;
const ATTRS: &[AttrSpec] = &[float_attr("eps", EPS)];

/// `(x − mean) / sqrt(var + eps) · weight + bias` over the last dimension, with the biased variance: `x` `[.., d]`,
/// `weight` and `bias` `[d]`.
pub static LAYER_NORM: OpDef = OpDef {
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

/// Attributes of [`LAYER_NORM`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormAttrs {
    /// Added to the variance; finite and not negative. The default is 1e-5.
    pub eps: f64,
}

impl Default for LayerNormAttrs {
    fn default() -> LayerNormAttrs {
        LayerNormAttrs { eps: EPS }
    }
}

impl LayerNormAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> LayerNormAttrs {
        LayerNormAttrs { eps: attrs.float(0) }
    }
}

impl From<LayerNormAttrs> for Attrs {
    fn from(attrs: LayerNormAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(attrs.eps)])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    rule::same_dtype(NAME, INPUTS, inputs)?;
    let x = need(inputs, 0);
    rank_at_least(NAME, "x", &x, 1, "give a scalar as shape [1]")?;
    epsilon(NAME, LayerNormAttrs::from_attrs(attrs).eps)?;
    vector(NAME, INPUTS, inputs, 1, last(&x.shape), ", the last extent of `x`")?;
    vector(NAME, INPUTS, inputs, 2, last(&x.shape), ", the last extent of `x`")?;
    Ok(OutputSpecs::one(x))
}

/// An element is added, centred, squared, added and scaled, then multiplied by its weight and moved by its bias.
fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let elements = product(outputs.first().shape.dims());
    let vectors = (1..3).filter(|i| rule::input(inputs, *i).is_some()).count() as u64;
    cost(elements.saturating_mul(5 + vectors), elements, inputs, outputs)
}

/// Layer normalisation in float64, in two passes.
pub(crate) fn normalise(x: &RefTensor, weight: Option<&RefTensor>, bias: Option<&RefTensor>, eps: f64) -> RefTensor {
    let (outer, d) = (rows(&x.shape), last(&x.shape));
    let mut data = Vec::with_capacity(x.data.len());
    for i in 0..outer {
        let row = &x.data[i * d..(i + 1) * d];
        let mean = row.iter().sum::<f64>() / d as f64;
        let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / d as f64;
        for (j, x) in row.iter().enumerate() {
            let normal = (x - mean) / (variance + eps).sqrt();
            data.push(normal * weight.map_or(1.0, |t| t.data[j]) + bias.map_or(0.0, |t| t.data[j]));
        }
    }
    RefTensor { shape: x.shape, data }
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let eps = LayerNormAttrs::from_attrs(attrs).eps;
    vec![normalise(tensor(inputs, 0), optional(inputs, 1), optional(inputs, 2), eps)]
}

fn cases() -> Vec<Case> {
    let plain = LayerNormAttrs::default();
    vec![
        case("one element", plain, &[Some(&[1]), Some(&[1]), Some(&[1])]),
        case("vector", plain, &[Some(&[67])]),
        case("rows of one", plain, &[Some(&[9, 1]), None, Some(&[1])]),
        case("rows of three", plain, &[Some(&[5, 3]), Some(&[3]), Some(&[3])]),
        case("odd", plain, &[Some(&[7, 33]), Some(&[33]), Some(&[33])]),
        case("weight only", plain, &[Some(&[7, 33]), Some(&[33])]),
        case("bias only", plain, &[Some(&[7, 33]), None, Some(&[33])]),
        case("three dimensions", plain, &[Some(&[2, 5, 19]), Some(&[19]), Some(&[19])]),
        case("large eps", LayerNormAttrs { eps: 0.5 }, &[Some(&[6, 31]), Some(&[31]), Some(&[31])]),
        case("eps of zero", LayerNormAttrs { eps: 0.0 }, &[Some(&[6, 31])]),
        case("long rows", plain, &[Some(&[3, 4099]), Some(&[4099]), Some(&[4099])]),
        case("many rows", plain, &[Some(&[257, 65]), Some(&[65]), Some(&[65])]),
    ]
}
