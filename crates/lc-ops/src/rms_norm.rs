//! Root-mean-square normalisation over the last dimension (Zhang and Sennrich, 2019).

use crate::util::{
    case, cost, epsilon, float_attr, last, need, optional, product, rank_at_least, rows, tensor, vector,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{AttrSpec, AttrValue, Attrs, InputSpec, OpDef, RefTensor, Result};

const NAME: &str = "rms_norm";
const INPUTS: &[InputSpec] = &[InputSpec::required("x"), InputSpec::optional("weight")];
const EPS: f64 = 1e-6;
const ATTRS: &[AttrSpec] = &[float_attr("eps", EPS)];

/// `x / sqrt(mean(x²) + eps) · weight` over the last dimension: `x` `[.., d]`, `weight` `[d]`.
pub static RMS_NORM: OpDef = OpDef {
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

/// Attributes of [`RMS_NORM`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsNormAttrs {
    /// Added to the mean square; finite and not negative. The default is 1e-6.
    pub eps: f64,
}

impl Default for RmsNormAttrs {
    fn default() -> RmsNormAttrs {
        RmsNormAttrs { eps: EPS }
    }
}

impl RmsNormAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> RmsNormAttrs {
        RmsNormAttrs { eps: attrs.float(0) }
    }
}

impl From<RmsNormAttrs> for Attrs {
    fn from(attrs: RmsNormAttrs) -> Attrs {
        Attrs::of([AttrValue::Float(attrs.eps)])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    rule::same_dtype(NAME, INPUTS, inputs)?;
    let x = need(inputs, 0);
    rank_at_least(NAME, "x", &x, 1, "give a scalar as shape [1]")?;
    epsilon(NAME, RmsNormAttrs::from_attrs(attrs).eps)?;
    vector(NAME, INPUTS, inputs, 1, last(&x.shape), ", the last extent of `x`")?;
    Ok(OutputSpecs::one(x))
}

/// An element is squared, added and scaled, then multiplied by its weight.
fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let elements = product(outputs.first().shape.dims());
    let weight = u64::from(rule::input(inputs, 1).is_some());
    cost(elements.saturating_mul(3 + weight), elements, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let (x, weight) = (tensor(inputs, 0), optional(inputs, 1));
    let eps = RmsNormAttrs::from_attrs(attrs).eps;
    let (outer, d) = (rows(&x.shape), last(&x.shape));
    let mut data = Vec::with_capacity(x.data.len());
    for i in 0..outer {
        let row = &x.data[i * d..(i + 1) * d];
        let square = row.iter().map(|x| x * x).sum::<f64>() / d as f64;
        for (j, x) in row.iter().enumerate() {
            data.push(x / (square + eps).sqrt() * weight.map_or(1.0, |t| t.data[j]));
        }
    }
    vec![RefTensor { shape: x.shape, data }]
}

fn cases() -> Vec<Case> {
    let plain = RmsNormAttrs::default();
    vec![
        case("one element", plain, &[Some(&[1]), Some(&[1])]),
        case("vector", plain, &[Some(&[67])]),
        case("rows of one", plain, &[Some(&[9, 1]), Some(&[1])]),
        case("rows of three", plain, &[Some(&[5, 3]), Some(&[3])]),
        case("odd", plain, &[Some(&[7, 33]), Some(&[33])]),
        case("no weight", plain, &[Some(&[7, 33])]),
        case("three dimensions", plain, &[Some(&[2, 5, 19]), Some(&[19])]),
        case("large eps", RmsNormAttrs { eps: 0.5 }, &[Some(&[6, 31]), Some(&[31])]),
        case("long rows", plain, &[Some(&[3, 4099]), Some(&[4099])]),
        case("many rows", plain, &[Some(&[257, 65]), Some(&[65])]),
    ]
}
