//! `act(A·B + bias + residual)`, batched.

use crate::math::activate;
use crate::util::{
    activation_at, activation_attr, broadcast_offset, case, cost, need, optional, output_shape, product, rank_at_least,
    tensor, vector,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::shape::MAX_RANK;
use lc_core::{Activation, AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec};

const NAME: &str = "matmul";
const INPUTS: &[InputSpec] =
    &[InputSpec::required("a"), InputSpec::required("b"), InputSpec::optional("bias"), InputSpec::optional("residual")];
const ATTRS: &[AttrSpec] = &[activation_attr("activation", Activation::Identity)];

/// Matrix product: `a` `[.., m, k]`, `b` `[.., k, n]`, `bias` `[n]`, `residual` of the result's shape `[.., m, n]`. The
/// leading dimensions broadcast as in NumPy's `matmul`.
pub static MATMUL: OpDef = OpDef {
    name: NAME,
    trace_name: "matmul",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: ATTRS,
    infer,
    cost: costs,
    reference,
    cases,
};

/// Attributes of [`MATMUL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatmulAttrs {
    /// Applied to the sum of product, bias and residual.
    pub activation: Activation,
}

impl MatmulAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> MatmulAttrs {
        MatmulAttrs { activation: activation_at(attrs, 0) }
    }
}

impl From<MatmulAttrs> for Attrs {
    fn from(attrs: MatmulAttrs) -> Attrs {
        Attrs::of([AttrValue::Choice(attrs.activation as u8)])
    }
}

/// Batch dimensions, then `m`, `k`, `n`.
fn extents(a: &Shape, b: &Shape) -> (Shape, Shape, usize, usize, usize) {
    let (ra, rb) = (a.rank(), b.rank());
    let batch = |s: &Shape| Shape::new(&s.dims()[..s.rank() - 2]).expect("part of a shape is a shape");
    (batch(a), batch(b), a[ra - 2], a[ra - 1], b[rb - 1])
}

fn infer(_: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let (a, b) = (need(inputs, 0), need(inputs, 1));
    rank_at_least(NAME, "a", &a, 2, "give a vector as one row, of shape [1, k]")?;
    rank_at_least(NAME, "b", &b, 2, "give a vector as one column, of shape [k, 1]")?;
    let (batch_a, batch_b, m, k, n) = extents(&a.shape, &b.shape);
    if b.shape[b.shape.rank() - 2] != k {
        let (expected, got) = (format!("shape [.., {k}, n], as `a` is {}", a.shape), format!("{}", b.shape));
        let error = Error::invalid(NAME, "b", expected, got);
        return Err(if n == k { error.hint("swap the last two dimensions of `b`") } else { error });
    }
    let Some(batch) = batch_a.broadcast(&batch_b) else {
        let expected = format!("leading dimensions that broadcast with {batch_a} of `a`");
        return Err(Error::invalid(NAME, "b", expected, format!("{batch_b} (shape {})", b.shape)));
    };
    let mut dims = [0; MAX_RANK];
    let rank = batch.rank() + 2;
    dims[..batch.rank()].copy_from_slice(batch.dims());
    dims[rank - 2..rank].copy_from_slice(&[m, n]);
    let shape = output_shape(NAME, &dims[..rank])?;
    vector(NAME, INPUTS, inputs, 2, n, ", one element for each column")?;
    if let Some(residual) = rule::input(inputs, 3)
        && residual.shape != shape
    {
        let expected = format!("shape {shape}, that of the result");
        return Err(Error::invalid(NAME, "residual", expected, format!("{}", residual.shape)));
    }
    Ok(OutputSpecs::one(TensorSpec::new(dtype, shape)))
}

fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let a = need(inputs, 0).shape;
    let out = outputs.first().shape.numel();
    let work = product(&[out, a[a.rank() - 1]]);
    let identity = MatmulAttrs::from_attrs(attrs).activation == Activation::Identity;
    let extra = usize::from(rule::input(inputs, 2).is_some())
        + usize::from(rule::input(inputs, 3).is_some())
        + usize::from(!identity);
    cost(work.saturating_mul(2).saturating_add(product(&[out, extra])), work, inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let (a, b) = (tensor(inputs, 0), tensor(inputs, 1));
    let (bias, residual) = (optional(inputs, 2), optional(inputs, 3));
    let activation = MatmulAttrs::from_attrs(attrs).activation;
    let (batch_a, batch_b, m, k, n) = extents(&a.shape, &b.shape);
    let batch = batch_a.broadcast(&batch_b).expect("the rule accepted the shapes");
    let mut data = Vec::with_capacity(batch.numel() * m * n);
    for index in 0..batch.numel() {
        let a = &a.data[broadcast_offset(&batch_a, &batch, index) * m * k..];
        let b = &b.data[broadcast_offset(&batch_b, &batch, index) * k * n..];
        for i in 0..m {
            for j in 0..n {
                let mut sum: f64 = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
                sum += bias.map_or(0.0, |t| t.data[j]);
                sum += residual.map_or(0.0, |t| t.data[data.len()]);
                data.push(activate(activation, sum));
            }
        }
    }
    let mut dims = batch.dims().to_vec();
    dims.extend([m, n]);
    vec![RefTensor { shape: Shape::new(&dims).expect("the rule accepted the shapes"), data }]
}

fn cases() -> Vec<Case> {
    let plain = MatmulAttrs::default();
    let with = |activation| MatmulAttrs { activation };
    let two = |name: &str, a: &[usize], b: &[usize]| case(name, plain, &[Some(a), Some(b)]);
    vec![
        two("one by one", &[1, 1], &[1, 1]),
        two("hand-sized", &[2, 3], &[3, 2]),
        two("inner product", &[1, 67], &[67, 1]),
        two("outer product", &[33, 1], &[1, 17]),
        two("row times matrix", &[1, 129], &[129, 65]),
        two("two rows", &[2, 61], &[61, 100]),
        two("matrix times column", &[71, 53], &[53, 1]),
        two("odd", &[7, 13], &[13, 5]),
        two("past one tile", &[17, 33], &[33, 65]),
        two("blocks and a rest", &[131, 259], &[259, 67]),
        two("wide", &[3, 40], &[40, 1025]),
        two("deep", &[5, 2049], &[2049, 9]),
        two("square", &[128, 128], &[128, 128]),
        two("batched", &[5, 7, 9], &[5, 9, 11]),
        two("batch of a only", &[3, 7, 9], &[9, 11]),
        two("batch of b only", &[7, 9], &[3, 9, 11]),
        two("batches broadcast", &[2, 1, 5, 6], &[3, 6, 7]),
        two("batch of ones", &[1, 1, 4, 5], &[1, 5, 3]),
        case("bias", plain, &[Some(&[19, 23]), Some(&[23, 37]), Some(&[37])]),
        case("residual", plain, &[Some(&[19, 23]), Some(&[23, 37]), None, Some(&[19, 37])]),
        case("relu", with(Activation::Relu), &[Some(&[9, 31]), Some(&[31, 18]), Some(&[18])]),
        case("gelu", with(Activation::Gelu), &[Some(&[9, 31]), Some(&[31, 18]), Some(&[18])]),
        case("gelu_tanh", with(Activation::GeluTanh), &[Some(&[9, 31]), Some(&[31, 18])]),
        case(
            "silu, all inputs",
            with(Activation::Silu),
            &[Some(&[35, 63]), Some(&[63, 49]), Some(&[49]), Some(&[35, 49])],
        ),
        case(
            "batched, all inputs",
            with(Activation::Relu),
            &[Some(&[2, 1, 5, 6]), Some(&[3, 6, 7]), Some(&[7]), Some(&[2, 3, 5, 7])],
        ),
    ]
}
