//! The typed op registry: what an op is, independent of any device.

use crate::attrs::{AttrSpec, Attrs};
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::TensorSpec;

/// The most inputs of an op.
pub const MAX_INPUTS: usize = 8;
/// The most results of an op.
pub const MAX_OUTPUTS: usize = 3;

/// One input of an op's schema.
#[derive(Clone, Copy, Debug)]
pub struct InputSpec {
    /// Name, as in error texts and as a keyword argument.
    pub name: &'static str,
    /// Whether the input may be absent. Optional inputs follow all required ones.
    pub optional: bool,
}

impl InputSpec {
    /// An input that must be there.
    pub const fn required(name: &'static str) -> InputSpec {
        InputSpec { name, optional: false }
    }

    /// An input that may be absent.
    pub const fn optional(name: &'static str) -> InputSpec {
        InputSpec { name, optional: true }
    }
}

/// The results that a call will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputSpecs {
    len: u8,
    specs: [Option<TensorSpec>; MAX_OUTPUTS],
}

impl OutputSpecs {
    /// One result.
    pub fn one(spec: TensorSpec) -> OutputSpecs {
        OutputSpecs { len: 1, specs: [Some(spec), None, None] }
    }

    /// Two results.
    pub fn two(first: TensorSpec, second: TensorSpec) -> OutputSpecs {
        OutputSpecs { len: 2, specs: [Some(first), Some(second), None] }
    }

    /// Three results.
    pub fn three(first: TensorSpec, second: TensorSpec, third: TensorSpec) -> OutputSpecs {
        OutputSpecs { len: 3, specs: [Some(first), Some(second), Some(third)] }
    }

    /// Result `i`, if there is one.
    #[inline]
    pub fn get(&self, i: usize) -> Option<&TensorSpec> {
        self.specs.get(i).and_then(Option::as_ref)
    }

    /// The results in order.
    pub fn iter(&self) -> impl Iterator<Item = &TensorSpec> {
        self.specs.iter().flatten()
    }

    /// How many.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Never: an op has a result.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The first result.
    #[inline]
    pub fn first(&self) -> &TensorSpec {
        self.specs[0].as_ref().expect("an op has a result")
    }
}

/// What a call costs, as the rule for it says: a property of the work, not of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point operations; a multiply-add is two.
    pub flops: u64,
    /// Bytes that must be read at least once.
    pub bytes_read: u64,
    /// Bytes that must be written.
    pub bytes_written: u64,
    /// The workload hint of trace events: multiply-adds of a product, elements of an elementwise op.
    pub work: u64,
}

/// A tensor of the float64 reference: dense, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct RefTensor {
    /// Extents.
    pub shape: Shape,
    /// Elements in row-major order.
    pub data: Vec<f64>,
}

/// One generated test case: a call, without its values.
#[derive(Clone, Debug)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// Attributes.
    pub attrs: Attrs,
    /// Extents of each input; `None` where an optional one is absent.
    pub inputs: Vec<Option<Shape>>,
}

/// The inputs of a call, by position; `None` where an optional one is absent.
pub type InputSpecs<'a> = &'a [Option<TensorSpec>];

/// An op. `lc-ops` has one file for each; nothing in it knows a device.
#[derive(Debug)]
pub struct OpDef {
    /// Name in the registry, in graphs and in error texts.
    pub name: &'static str,
    /// The name on traces, where the original had another one.
    pub trace_name: &'static str,
    /// Inputs, required ones first.
    pub inputs: &'static [InputSpec],
    /// Names of the results.
    pub outputs: &'static [&'static str],
    /// Attributes.
    pub attrs: &'static [AttrSpec],
    /// The rule for shapes and dtypes. Attributes and the number and presence of inputs are already checked.
    pub infer: fn(&Attrs, InputSpecs) -> Result<OutputSpecs>,
    /// The cost of a call that `infer` accepts.
    pub cost: fn(&Attrs, InputSpecs, &OutputSpecs) -> Cost,
    /// The result in float64, by the plainest code there is. Inputs are ones that `infer` accepts.
    pub reference: fn(&Attrs, &[Option<RefTensor>]) -> Vec<RefTensor>,
    /// Calls that every backend must get right, odd and large extents among them.
    pub cases: fn() -> Vec<Case>,
}

/// Ops are compared by identity: a registry holds each once.
impl PartialEq for OpDef {
    fn eq(&self, other: &OpDef) -> bool {
        std::ptr::eq(self, other)
    }
}

impl OpDef {
    /// The results of a call, after checking everything about it that does not depend on a device.
    ///
    /// # Errors
    /// Attributes out of bounds; too few or too many inputs, or a required one absent; an extent of zero; shapes or
    /// dtypes that the op's rule refuses. The error names op, argument, expected and got.
    pub fn check(&self, attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
        attrs.validate(self.name, self.attrs)?;
        let required = self.inputs.iter().filter(|input| !input.optional).count();
        if inputs.len() < required || inputs.len() > self.inputs.len() {
            let expected = if required == self.inputs.len() {
                format!("{required} inputs")
            } else {
                format!("{required} to {} inputs", self.inputs.len())
            };
            return Err(Error::invalid(self.name, "inputs", expected, format!("{}", inputs.len())));
        }
        for (input, spec) in self.inputs.iter().zip(inputs) {
            match spec {
                None if !input.optional => {
                    return Err(Error::invalid(self.name, input.name, "a tensor", "none"));
                }
                Some(spec) if spec.shape.numel() == 0 => {
                    return Err(Error::invalid(
                        self.name,
                        input.name,
                        "extents of at least 1",
                        format!("shape {}", spec.shape),
                    )
                    .hint("skip the call for empty data"));
                }
                _ => {}
            }
        }
        let outputs = (self.infer)(attrs, inputs)?;
        match outputs.iter().position(|spec| spec.shape.numel() == 0) {
            None => Ok(outputs),
            Some(i) => Err(Error::invalid(
                self.name,
                self.outputs[i],
                "extents of at least 1",
                format!("shape {}", outputs.specs[i].expect("position is in range").shape),
            )),
        }
    }
}

/// The ops that a runtime knows.
#[derive(Clone, Copy, Debug)]
pub struct Registry {
    ops: &'static [&'static OpDef],
}

impl Registry {
    /// A registry of these ops.
    pub const fn new(ops: &'static [&'static OpDef]) -> Registry {
        Registry { ops }
    }

    /// Every op, in the order of registration.
    pub fn ops(&self) -> &'static [&'static OpDef] {
        self.ops
    }

    /// The op of that name.
    ///
    /// # Errors
    /// Any other name.
    pub fn find(&self, name: &str) -> Result<&'static OpDef> {
        self.ops.iter().copied().find(|op| op.name == name).ok_or_else(|| {
            let names: Vec<_> = self.ops.iter().map(|op| op.name).collect();
            Error::invalid("registry", "op", format!("one of {names:?}"), format!("{name:?}"))
        })
    }
}

/// Helpers that the rules of several ops share.
pub mod rule {
    use super::*;
    use crate::dtype::DType;

    /// The input at `index`, present by [`OpDef::check`] if it is a required one.
    pub fn input(inputs: InputSpecs, index: usize) -> Option<TensorSpec> {
        inputs.get(index).copied().flatten()
    }

    /// The one dtype that all present inputs have.
    ///
    /// # Errors
    /// An input with another dtype than the first.
    pub fn same_dtype(op: &'static str, schema: &[InputSpec], inputs: InputSpecs) -> Result<DType> {
        let first = input(inputs, 0).map_or(DType::F32, |spec| spec.dtype);
        for (spec, decl) in inputs.iter().zip(schema) {
            if let Some(spec) = spec
                && spec.dtype != first
            {
                let expected = format!("{first}, as `{}`", schema[0].name);
                return Err(Error::wrong_type(op, decl.name, expected, spec.dtype.name()));
            }
        }
        Ok(first)
    }

    /// Checks the number of dimensions.
    ///
    /// # Errors
    /// Another number.
    pub fn rank(op: &'static str, argument: &'static str, spec: &TensorSpec, rank: usize) -> Result<()> {
        if spec.shape.rank() == rank {
            return Ok(());
        }
        let got = format!("{} (shape {})", spec.shape.rank(), spec.shape);
        Err(Error::invalid(op, argument, format!("{rank} dimensions"), got))
    }

    /// Checks the extents; `None` matches any.
    ///
    /// # Errors
    /// Other extents, or another number of them.
    pub fn shape(
        op: &'static str,
        argument: &'static str,
        spec: &TensorSpec,
        expected: &[Option<usize>],
        meaning: &str,
    ) -> Result<()> {
        let dims = spec.shape.dims();
        if dims.len() == expected.len() && dims.iter().zip(expected).all(|(d, e)| e.is_none_or(|e| e == *d)) {
            return Ok(());
        }
        let parts: Vec<_> = expected.iter().map(|e| e.map_or("_".into(), |e| e.to_string())).collect();
        let expected = format!("shape [{}]{meaning}", parts.join(", "));
        Err(Error::invalid(op, argument, expected, format!("{}", spec.shape)))
    }
}
