//! What the rules, costs and references of several ops share.

use lc_core::registry::rule;
use lc_core::registry::{Case, Cost, InputSpec, InputSpecs, OutputSpecs, RefTensor};
use lc_core::shape::MAX_RANK;
use lc_core::{Activation, AttrKind, AttrSpec, AttrValue, Attrs, Error, Result, Shape, TensorSpec};

/// The names of [`Activation::ALL`], in that order.
const ACTIVATION_NAMES: [&str; Activation::ALL.len()] = {
    let mut names = [""; Activation::ALL.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = Activation::ALL[i].name();
        i += 1;
    }
    names
};

/// An attribute that takes the name of an activation.
pub(crate) const fn activation_attr(name: &'static str, default: Activation) -> AttrSpec {
    AttrSpec { name, kind: AttrKind::Choice(&ACTIVATION_NAMES), default: AttrValue::Choice(default as u8) }
}

/// The activation at `index` of validated attributes.
pub(crate) fn activation_at(attrs: &Attrs, index: usize) -> Activation {
    Activation::ALL[attrs.choice(index) as usize]
}

/// A whole-number attribute with a lower bound.
pub(crate) const fn size_attr(name: &'static str, least: i64, default: i64) -> AttrSpec {
    AttrSpec { name, kind: AttrKind::Int(least, i64::MAX), default: AttrValue::Int(default) }
}

/// A float attribute.
pub(crate) const fn float_attr(name: &'static str, default: f64) -> AttrSpec {
    AttrSpec { name, kind: AttrKind::Float, default: AttrValue::Float(default) }
}

/// A switch that is off by default.
pub(crate) const fn switch_attr(name: &'static str) -> AttrSpec {
    AttrSpec { name, kind: AttrKind::Bool, default: AttrValue::Bool(false) }
}

/// A size as an attribute. One that no integer attribute holds becomes the largest, which every rule refuses as too big
/// for memory where it matters.
pub(crate) fn size_value(size: usize) -> AttrValue {
    AttrValue::Int(i64::try_from(size).unwrap_or(i64::MAX))
}

/// The input at `index`, which [`lc_core::OpDef::check`] found present.
pub(crate) fn need(inputs: InputSpecs, index: usize) -> TensorSpec {
    rule::input(inputs, index).expect("required inputs are present")
}

/// The input at `index` of a reference, which is a required one.
pub(crate) fn tensor(inputs: &[Option<RefTensor>], index: usize) -> &RefTensor {
    optional(inputs, index).expect("required inputs are present")
}

/// The input at `index` of a reference, if it is there.
pub(crate) fn optional(inputs: &[Option<RefTensor>], index: usize) -> Option<&RefTensor> {
    inputs.get(index).and_then(Option::as_ref)
}

/// Checks that an input has at least `least` dimensions.
pub(crate) fn rank_at_least(
    op: &'static str,
    argument: &'static str,
    spec: &TensorSpec,
    least: usize,
    hint: &'static str,
) -> Result<()> {
    let rank = spec.shape.rank();
    if rank >= least {
        return Ok(());
    }
    let plural = if least == 1 { "" } else { "s" };
    let expected = format!("at least {least} dimension{plural}");
    Err(Error::invalid(op, argument, expected, format!("{rank} (shape {})", spec.shape)).hint(hint))
}

/// Checks that the input at `index`, where it is present, is a vector of `length` elements.
pub(crate) fn vector(
    op: &'static str,
    schema: &[InputSpec],
    inputs: InputSpecs,
    index: usize,
    length: usize,
    meaning: &str,
) -> Result<()> {
    match rule::input(inputs, index) {
        Some(spec) => rule::shape(op, schema[index].name, &spec, &[Some(length)], meaning),
        None => Ok(()),
    }
}

/// The last extent of a shape of at least one dimension.
pub(crate) fn last(shape: &Shape) -> usize {
    *shape.dims().last().expect("the rule requires a dimension")
}

/// The elements before the last dimension.
pub(crate) fn rows(shape: &Shape) -> usize {
    shape.dims()[..shape.rank() - 1].iter().product()
}

/// The shape with another last extent.
///
/// # Errors
/// More elements than an address space holds.
pub(crate) fn with_last(op: &'static str, shape: &Shape, extent: usize) -> Result<Shape> {
    let mut dims = [0; MAX_RANK];
    let rank = shape.rank();
    dims[..rank].copy_from_slice(shape.dims());
    dims[rank - 1] = extent;
    output_shape(op, &dims[..rank])
}

/// The shape of a result.
///
/// # Errors
/// More dimensions than a tensor may have, or more elements than an address space holds.
pub(crate) fn output_shape(op: &'static str, dims: &[usize]) -> Result<Shape> {
    Shape::new(dims).map_err(|error| error.in_op(op).argument("out"))
}

/// Checks an epsilon: a finite number that is not negative.
pub(crate) fn epsilon(op: &'static str, eps: f64) -> Result<()> {
    if eps.is_finite() && eps >= 0.0 {
        return Ok(());
    }
    Err(Error::invalid(op, "eps", "a finite number ≥ 0", eps.to_string()).hint("a common value is 1e-5"))
}

/// A product of extents that saturates: costs are estimates, and no machine runs one that large.
pub(crate) fn product(extents: &[usize]) -> u64 {
    extents.iter().fold(1u64, |n, d| n.saturating_mul(*d as u64))
}

/// A cost of that many operations, that reads every input and writes every result once.
pub(crate) fn cost(flops: u64, work: u64, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let sum = |bytes: &mut dyn Iterator<Item = usize>| bytes.fold(0u64, |n, b| n.saturating_add(b as u64));
    Cost {
        flops,
        bytes_read: sum(&mut inputs.iter().flatten().map(TensorSpec::bytes)),
        bytes_written: sum(&mut outputs.iter().map(TensorSpec::bytes)),
        work,
    }
}

/// A test case; an empty slice of extents is a scalar.
pub(crate) fn case(name: &str, attrs: impl Into<Attrs>, inputs: &[Option<&[usize]>]) -> Case {
    let shape = |dims: &[usize]| Shape::new(dims).expect("cases are small");
    Case { name: name.to_owned(), attrs: attrs.into(), inputs: inputs.iter().map(|dims| dims.map(shape)).collect() }
}

/// The offset in a dense tensor of shape `from`, broadcast to `to`, of the element at `index` in row-major order of `to`.
pub(crate) fn broadcast_offset(from: &Shape, to: &Shape, index: usize) -> usize {
    let (mut rest, mut offset, mut step) = (index, 0, 1);
    for i in 0..to.rank() {
        let position = rest % to[to.rank() - 1 - i];
        rest /= to[to.rank() - 1 - i];
        if i < from.rank() {
            let extent = from[from.rank() - 1 - i];
            if extent > 1 {
                offset += position * step;
            }
            step *= extent;
        }
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_offsets_are_numpys() {
        let (from, to) = (Shape::of([3, 1]), Shape::of([2, 3, 2]));
        let offsets: Vec<_> = (0..12).map(|i| broadcast_offset(&from, &to, i)).collect();
        assert_eq!(offsets, [0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2]);
        assert_eq!(broadcast_offset(&Shape::of([]), &to, 7), 0);
        assert_eq!(broadcast_offset(&to, &to, 7), 7);
    }

    #[test]
    fn costs_saturate() {
        assert_eq!(product(&[usize::MAX, 2]), u64::MAX);
        assert_eq!(product(&[3, 4]), 12);
    }
}
