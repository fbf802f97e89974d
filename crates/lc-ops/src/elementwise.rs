//! Sum, difference, product and quotient of two tensors, with NumPy's broadcasting.

use crate::util::{broadcast_offset, case, cost, need, product, tensor};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{Attrs, Error, InputSpec, OpDef, RefTensor, Result, TensorSpec};

const INPUTS: &[InputSpec] = &[InputSpec::required("a"), InputSpec::required("b")];

/// `a + b`.
pub static ADD: OpDef = OpDef {
    name: "add",
    trace_name: "vector_add",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: &[],
    infer: |_, inputs| infer("add", inputs),
    cost: costs,
    reference: |_, inputs| reference(inputs, |a, b| a + b),
    cases,
};

/// `a − b`.
pub static SUB: OpDef = OpDef {
    name: "sub",
    trace_name: "matrix_sub",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: &[],
    infer: |_, inputs| infer("sub", inputs),
    cost: costs,
    reference: |_, inputs| reference(inputs, |a, b| a - b),
    cases,
};

/// `a · b`, element by element.
pub static MUL: OpDef = OpDef {
    name: "mul",
    trace_name: "matrix_mul",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: &[],
    infer: |_, inputs| infer("mul", inputs),
    cost: costs,
    reference: |_, inputs| reference(inputs, |a, b| a * b),
    cases,
};

/// `a / b`; a division by zero gives an infinity or NaN as IEEE 754 says.
pub static DIV: OpDef = OpDef {
    name: "div",
    trace_name: "matrix_div",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: &[],
    infer: |_, inputs| infer("div", inputs),
    cost: costs,
    reference: |_, inputs| reference(inputs, |a, b| a / b),
    cases,
};

fn infer(op: &'static str, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(op, INPUTS, inputs)?;
    let (a, b) = (need(inputs, 0), need(inputs, 1));
    match a.shape.broadcast(&b.shape) {
        Some(shape) => Ok(OutputSpecs::one(TensorSpec::new(dtype, shape))),
        None => {
            let expected = format!("a shape that broadcasts with {}", a.shape);
            Err(Error::invalid(op, "b", expected, format!("{}", b.shape)))
        }
    }
}

fn costs(_: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let elements = product(outputs.first().shape.dims());
    cost(elements, elements, inputs, outputs)
}

fn reference(inputs: &[Option<RefTensor>], f: fn(f64, f64) -> f64) -> Vec<RefTensor> {
    let (a, b) = (tensor(inputs, 0), tensor(inputs, 1));
    let shape = a.shape.broadcast(&b.shape).expect("the rule accepted the shapes");
    let at = |t: &RefTensor, index| t.data[broadcast_offset(&t.shape, &shape, index)];
    let data = (0..shape.numel()).map(|i| f(at(a, i), at(b, i))).collect();
    vec![RefTensor { shape, data }]
}

fn cases() -> Vec<Case> {
    let two = |name: &str, a: &[usize], b: &[usize]| case(name, Attrs::NONE, &[Some(a), Some(b)]);
    vec![
        two("scalars", &[], &[]),
        two("one element", &[1], &[1]),
        two("odd vector", &[257], &[257]),
        two("shorter than a lane", &[3], &[3]),
        two("large vector", &[40_003], &[40_003]),
        two("odd matrix", &[9, 13], &[9, 13]),
        two("three dimensions", &[3, 5, 7], &[3, 5, 7]),
        two("scalar b", &[5, 7], &[]),
        two("scalar a", &[], &[5, 7]),
        two("row of b", &[17, 33], &[33]),
        two("column of b", &[17, 33], &[17, 1]),
        two("row of a", &[33], &[17, 33]),
        two("both stretch", &[17, 1], &[1, 33]),
        two("inner dimension stretches", &[4, 1, 6], &[4, 5, 6]),
        two("ranks differ", &[2, 3, 4, 5], &[3, 1, 5]),
        two("eight dimensions", &[2, 1, 2, 1, 3, 1, 2, 1], &[1, 2, 1, 2, 1, 3, 1, 2]),
    ]
}
