//! An activation of every element.

use crate::math::activate;
use crate::util::{activation_at, activation_attr, case, cost, need, product, tensor};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs};
use lc_core::{Activation, AttrSpec, AttrValue, Attrs, InputSpec, OpDef, RefTensor, Result};

const NAME: &str = "activation";
const INPUTS: &[InputSpec] = &[InputSpec::required("x")];
const ATTRS: &[AttrSpec] = &[activation_attr("kind", Activation::Relu)];

/// `act(x)` of every element, in the shape of `x`.
pub static ACTIVATION: OpDef = OpDef {
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

/// Attributes of [`ACTIVATION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationAttrs {
    /// Which one. The default is ReLU.
    pub kind: Activation,
}

impl Default for ActivationAttrs {
    fn default() -> ActivationAttrs {
        ActivationAttrs { kind: Activation::Relu }
    }
}

impl ActivationAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> ActivationAttrs {
        ActivationAttrs { kind: activation_at(attrs, 0) }
    }
}

impl From<ActivationAttrs> for Attrs {
    fn from(attrs: ActivationAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(attrs.kind as u8)])
    }
}

fn infer(_: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    Ok(OutputSpecs::one(need(inputs, 0)))
}

/// A transcendental function counts as one operation.
fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let elements = product(outputs.first().shape.dims());
    cost(elements, elements, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let x = tensor(inputs, 0);
    let kind = ActivationAttrs::from_attrs(attrs).kind;
    vec![RefTensor { shape: x.shape, data: x.data.iter().map(|x| activate(kind, *x)).collect() }]
}

fn cases() -> Vec<Case> {
    let shapes: [(&str, &[usize]); 5] = [
        ("scalar", &[]),
        ("one element", &[1]),
        ("odd", &[7, 33]),
        ("four dimensions", &[2, 3, 1, 5]),
        ("large", &[20_011]),
    ];
    let one = |kind: Activation, name: &str, dims: &[usize]| {
        case(&format!("{}, {name}", kind.name()), ActivationAttrs { kind }, &[Some(dims)])
    };
    Activation::ALL.into_iter().flat_map(|kind| shapes.map(|(name, dims)| one(kind, name, dims))).collect()
}
