//! The elements of a tensor, repeated or cut to a length.

use crate::util::{case, cost, need, output_shape, product, size_attr, size_value, tensor};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs};
use lc_core::{AttrSpec, Attrs, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec};

const NAME: &str = "pack";
const INPUTS: &[InputSpec] = &[InputSpec::required("x")];
// A length has no default that fits every tensor: 0 is refused.
const ATTRS: &[AttrSpec] = &[size_attr("length", 1, 0)];

/// `y[t] = x[t mod numel(x)]` in row-major order, for `t` below `length`: `numpy.resize(x, length)`. With the length of `x`
/// it is a dense copy.
pub static PACK: OpDef = OpDef {
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

/// Attributes of [`PACK`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackAttrs {
    /// Elements of the result, at least 1.
    pub length: usize,
}

impl PackAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> PackAttrs {
        PackAttrs { length: attrs.size(0) }
    }
}

impl From<PackAttrs> for Attrs {
    fn from(attrs: PackAttrs) -> Attrs {
        Attrs::of([size_value(attrs.length)])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let shape = output_shape(NAME, &[PackAttrs::from_attrs(attrs).length])?;
    Ok(OutputSpecs::one(TensorSpec::new(need(inputs, 0).dtype, shape)))
}

fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    cost(0, product(outputs.first().shape.dims()), inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let x = tensor(inputs, 0);
    let length = PackAttrs::from_attrs(attrs).length;
    let shape = Shape::new(&[length]).expect("the rule accepted the length");
    vec![RefTensor { shape, data: (0..length).map(|t| x.data[t % x.data.len()]).collect() }]
}

fn cases() -> Vec<Case> {
    let one = |name: &str, length: usize, dims: &[usize]| case(name, PackAttrs { length }, &[Some(dims)]);
    vec![
        one("scalar", 3, &[]),
        one("one element", 5, &[1]),
        one("same length", 42, &[6, 7]),
        one("cut", 11, &[2, 3, 5]),
        one("once and a part", 41, &[5, 7]),
        one("many times", 1003, &[3, 4]),
        one("whole times", 96, &[2, 3, 4, 4]),
    ]
}
