//! Softmax along one dimension.

use crate::util::{case, cost, need, product, rank_at_least, tensor};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs};
use lc_core::shape::MAX_RANK;
use lc_core::{AttrKind, AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result};

const NAME: &str = "softmax";
const INPUTS: &[InputSpec] = &[InputSpec::required("x")];
const ATTRS: &[AttrSpec] = &[AttrSpec {
    name: "axis",
    kind: AttrKind::Int(-(MAX_RANK as i64), MAX_RANK as i64 - 1),
    default: AttrValue::Int(-1),
}];

/// `exp(x) / Σ exp(x)` along one dimension, with its maximum subtracted first. A lane of nothing but −∞ gives NaN, as
/// in SciPy and PyTorch.
pub static SOFTMAX: OpDef = OpDef {
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

/// Attributes of [`SOFTMAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoftmaxAttrs {
    /// The dimension to sum over; negative counts from the last. The default is −1.
    pub axis: i64,
}

impl Default for SoftmaxAttrs {
    fn default() -> SoftmaxAttrs {
        SoftmaxAttrs { axis: -1 }
    }
}

impl SoftmaxAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> SoftmaxAttrs {
        SoftmaxAttrs { axis: attrs.int(0) }
    }

    /// The dimension counted from the first, in a call that the op's rule accepts.
    pub fn axis_of(&self, rank: usize) -> usize {
        (if self.axis < 0 { self.axis + rank as i64 } else { self.axis }) as usize
    }
}

impl From<SoftmaxAttrs> for Attrs {
    fn from(attrs: SoftmaxAttrs) -> Attrs {
        Attrs::of([AttrValue::Int(attrs.axis)])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let x = need(inputs, 0);
    rank_at_least(NAME, "x", &x, 1, "give a scalar as shape [1]")?;
    let (axis, rank) = (SoftmaxAttrs::from_attrs(attrs).axis, x.shape.rank() as i64);
    if axis < -rank || axis >= rank {
        let expected = format!("an integer from {} to {}, as `x` is {}", -rank, rank - 1, x.shape);
        return Err(Error::invalid(NAME, "axis", expected, axis.to_string()).hint("-1 is the last dimension"));
    }
    Ok(OutputSpecs::one(x))
}

/// Subtract, exponential, sum, divide.
fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let elements = product(outputs.first().shape.dims());
    cost(elements.saturating_mul(4), elements, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let x = tensor(inputs, 0);
    let dims = x.shape.dims();
    let axis = SoftmaxAttrs::from_attrs(attrs).axis_of(dims.len());
    let outer: usize = dims[..axis].iter().product();
    let inner: usize = dims[axis + 1..].iter().product();
    let mut data = x.data.clone();
    for o in 0..outer {
        for i in 0..inner {
            let at = |j: usize| (o * dims[axis] + j) * inner + i;
            // NaN reaches the result through the exponentials, so that it may be lost here.
            let max = (0..dims[axis]).map(|j| x.data[at(j)]).fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = (0..dims[axis]).map(|j| (x.data[at(j)] - max).exp()).sum();
            for j in 0..dims[axis] {
                data[at(j)] = (x.data[at(j)] - max).exp() / sum;
            }
        }
    }
    vec![RefTensor { shape: x.shape, data }]
}

fn cases() -> Vec<Case> {
    let one = |name: &str, dims: &[usize], axis: i64| case(name, SoftmaxAttrs { axis }, &[Some(dims)]);
    vec![
        one("one element", &[1], -1),
        one("vector", &[67], -1),
        one("rows", &[7, 33], -1),
        one("columns", &[7, 33], 0),
        one("rows of one", &[9, 1], 1),
        one("middle dimension", &[3, 17, 5], 1),
        one("middle dimension, negative", &[3, 17, 5], -2),
        one("first of four", &[5, 2, 3, 4], -4),
        one("long rows", &[3, 4099], 1),
        one("long columns", &[1031, 5], 0),
        one("one row", &[1, 129], -1),
        one("many short rows", &[301, 3], -1),
    ]
}
