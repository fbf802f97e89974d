//! Scaled dot-product attention (Vaswani et al., 2017) with grouped heads (Ainslie et al., 2023).

use crate::util::{
    broadcast_offset, case, cost, float_attr, need, optional, output_shape, product, switch_attr, tensor,
};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::shape::MAX_RANK;
use lc_core::{AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec};

const NAME: &str = "attention";
const INPUTS: &[InputSpec] =
    &[InputSpec::required("q"), InputSpec::required("k"), InputSpec::required("v"), InputSpec::optional("mask")];
const ATTRS: &[AttrSpec] = &[
    switch_attr("causal"),
    float_attr("scale", 0.0),
    float_attr("output_scale", 1.0),
    float_attr("output_bias", 0.0),
    switch_attr("output_relu"),
];

/// `softmax(scale·q·kᵀ + mask)·v`: `q` `[.., hq, sq, d]`, `k` `[.., hkv, sk, d]`, `v` `[.., hkv, sk, dv]` with two, three
/// or four dimensions, and `hq` a multiple of `hkv`; result `[.., hq, sq, dv]`.
///
/// The mask is added to the scores `[.., hq, sq, sk]` and broadcasts to them. A causal row `i` sees keys `j ≤ i`, aligned
/// at the top left as in PyTorch. A row that sees no key, or whose scores are all −∞, is zero; NaN propagates.
pub static ATTENTION: OpDef = OpDef {
    name: NAME,
    trace_name: "attention_forward",
    inputs: INPUTS,
    outputs: &["out"],
    attrs: ATTRS,
    infer,
    cost: costs,
    reference,
    cases,
};

/// Attributes of [`ATTENTION`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionAttrs {
    /// Whether row `i` sees keys `j ≤ i` only.
    pub causal: bool,
    /// Factor of the scores; 0 means `1 / sqrt(d)`. Finite.
    pub scale: f64,
    /// Factor of the result.
    pub output_scale: f64,
    /// Added to the result after [`AttentionAttrs::output_scale`].
    pub output_bias: f64,
    /// Whether `max(·, 0)` is applied last.
    pub output_relu: bool,
}

impl Default for AttentionAttrs {
    fn default() -> AttentionAttrs {
        AttentionAttrs { causal: false, scale: 0.0, output_scale: 1.0, output_bias: 0.0, output_relu: false }
    }
}

impl AttentionAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> AttentionAttrs {
        AttentionAttrs {
            causal: attrs.bool(0),
            scale: attrs.float(1),
            output_scale: attrs.float(2),
            output_bias: attrs.float(3),
            output_relu: attrs.bool(4),
        }
    }

    /// The factor of the scores for that extent of a head.
    pub fn scale_for(&self, head_dim: usize) -> f64 {
        if self.scale == 0.0 { 1.0 / (head_dim as f64).sqrt() } else { self.scale }
    }
}

impl From<AttentionAttrs> for Attrs {
    fn from(attrs: AttentionAttrs) -> Attrs {
        Attrs::of([
            AttrValue::Bool(attrs.causal),
            AttrValue::Float(attrs.scale),
            AttrValue::Float(attrs.output_scale),
            AttrValue::Float(attrs.output_bias),
            AttrValue::Bool(attrs.output_relu),
        ])
    }
}

/// The shape with other last two extents.
fn with_matrix(shape: &Shape, rows: usize, columns: usize) -> Result<Shape> {
    let (rank, mut dims) = (shape.rank(), [0; MAX_RANK]);
    dims[..rank].copy_from_slice(shape.dims());
    dims[rank - 2..rank].copy_from_slice(&[rows, columns]);
    output_shape(NAME, &dims[..rank])
}

/// Batch, heads, rows and columns of a shape of two to four dimensions.
fn four(shape: &Shape) -> [usize; 4] {
    let mut out = [1; 4];
    out[4 - shape.rank()..].copy_from_slice(shape.dims());
    out
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let how = AttentionAttrs::from_attrs(attrs);
    if !how.scale.is_finite() {
        let expected = "a finite number";
        return Err(Error::invalid(NAME, "scale", expected, how.scale.to_string()).hint("0 means 1 / sqrt(head_dim)"));
    }
    let (q, k, v) = (need(inputs, 0), need(inputs, 1), need(inputs, 2));
    let rank = q.shape.rank();
    if !(2..=4).contains(&rank) {
        let expected = "[rows, d], [heads, rows, d] or [batch, heads, rows, d]";
        return Err(Error::invalid(NAME, "q", expected, format!("shape {}", q.shape)));
    }
    let [batch, heads, rows, dim] = four(&q.shape);
    for (argument, spec) in [("k", &k), ("v", &v)] {
        rule::rank(NAME, argument, spec, rank).map_err(|e| e.hint("`q`, `k` and `v` have equally many dimensions"))?;
    }
    let [_, groups, keys, _] = four(&k.shape);
    let mut wanted = [Some(batch), Some(groups), Some(keys), Some(dim)];
    rule::shape(NAME, "k", &k, &wanted[4 - rank..], ", to match `q`")?;
    wanted[3] = None;
    rule::shape(NAME, "v", &v, &wanted[4 - rank..], ", to match `k`")?;
    if !heads.is_multiple_of(groups) {
        let expected = format!("heads that divide the {heads} of `q`");
        return Err(Error::invalid(NAME, "k", expected, format!("{groups} (shape {})", k.shape)));
    }
    let scores = with_matrix(&q.shape, rows, keys)?;
    if let Some(mask) = rule::input(inputs, 3)
        && mask.shape.broadcast(&scores) != Some(scores)
    {
        let expected = format!("a shape that broadcasts to {scores}, that of the scores");
        return Err(Error::invalid(NAME, "mask", expected, format!("{}", mask.shape)));
    }
    Ok(OutputSpecs::one(TensorSpec::new(dtype, with_matrix(&q.shape, rows, four(&v.shape)[3])?)))
}

/// How many (row, key) pairs of a head have a score.
pub(crate) fn pairs(rows: usize, keys: usize, causal: bool) -> u64 {
    if !causal {
        return product(&[rows, keys]);
    }
    // Rows 0, 1, … see 1, 2, … keys until they see all.
    let growing = rows.min(keys) as u128;
    let pairs = growing * (growing + 1) / 2 + (rows as u128 - growing) * keys as u128;
    u64::try_from(pairs).unwrap_or(u64::MAX)
}

/// Two products over the pairs that count, and four operations of the softmax for each.
fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let how = AttentionAttrs::from_attrs(attrs);
    let [batch, heads, rows, dim] = four(&need(inputs, 0).shape);
    let [_, _, keys, value_dim] = four(&need(inputs, 2).shape);
    let each = product(&[2, dim.saturating_add(value_dim)]).saturating_add(4);
    let pairs = pairs(rows, keys, how.causal).saturating_mul(product(&[batch, heads]));
    cost(pairs.saturating_mul(each), product(&[batch, heads, rows, keys, dim]), inputs, outputs)
}

/// The softmax of `row` in place; zeros where every score is −∞.
pub(crate) fn softmax_or_zero(row: &mut [f64]) {
    // NaN reaches the result through the exponentials, so that it may be lost here.
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY && !row.iter().any(|x| x.is_nan()) {
        return row.fill(0.0);
    }
    row.iter_mut().for_each(|x| *x = (*x - max).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= sum);
}

/// Attention in float64, one row at a time.
pub(crate) fn attend(
    how: &AttentionAttrs,
    q: &RefTensor,
    k: &RefTensor,
    v: &RefTensor,
    mask: Option<&RefTensor>,
) -> RefTensor {
    let [batch, heads, rows, dim] = four(&q.shape);
    let [_, groups, keys, value_dim] = four(&v.shape);
    let scores = with_matrix(&q.shape, rows, keys).expect("the rule accepted the shapes");
    let shape = with_matrix(&q.shape, rows, value_dim).expect("the rule accepted the shapes");
    let scale = how.scale_for(dim);
    let mut data = Vec::with_capacity(shape.numel());
    for head in 0..batch * heads {
        let group = head / heads * groups + head % heads / (heads / groups);
        for i in 0..rows {
            // Keys that the row may not see have no score, not a small one.
            let seen = if how.causal { keys.min(i + 1) } else { keys };
            let mut row: Vec<f64> = (0..seen)
                .map(|j| {
                    let (a, b) = ((head * rows + i) * dim, (group * keys + j) * dim);
                    let dot: f64 = (0..dim).map(|d| q.data[a + d] * k.data[b + d]).sum();
                    let index = (head * rows + i) * keys + j;
                    dot * scale + mask.map_or(0.0, |m| m.data[broadcast_offset(&m.shape, &scores, index)])
                })
                .collect();
            let masked = row.iter().all(|score| *score == f64::NEG_INFINITY);
            softmax_or_zero(&mut row);
            for d in 0..value_dim {
                let value = |j: usize| v.data[(group * keys + j) * value_dim + d];
                // A row that sees nothing is zero, whatever the values hold.
                let sum: f64 = if masked { 0.0 } else { row.iter().enumerate().map(|(j, p)| p * value(j)).sum() };
                let moved = sum * how.output_scale + how.output_bias;
                data.push(if how.output_relu && moved < 0.0 { 0.0 } else { moved });
            }
        }
    }
    RefTensor { shape, data }
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let how = AttentionAttrs::from_attrs(attrs);
    vec![attend(&how, tensor(inputs, 0), tensor(inputs, 1), tensor(inputs, 2), optional(inputs, 3))]
}

fn cases() -> Vec<Case> {
    let plain = AttentionAttrs::default();
    let causal = AttentionAttrs { causal: true, ..plain };
    let same = |name: &str, how: AttentionAttrs, dims: &[usize]| case(name, how, &[Some(dims), Some(dims), Some(dims)]);
    let four = |name: &str, how, q: &[usize], k: &[usize], v: &[usize], mask: &[usize]| {
        case(name, how, &[Some(q), Some(k), Some(v), Some(mask)])
    };
    vec![
        same("one by one", plain, &[1, 1]),
        same("hand-sized", plain, &[2, 2]),
        same("one row", plain, &[1, 64]),
        same("head of one", plain, &[9, 1]),
        same("odd", plain, &[17, 13]),
        same("odd, causal", causal, &[17, 13]),
        same("wide head", plain, &[5, 131]),
        same("past a block", plain, &[131, 40]),
        same("past a block, causal", causal, &[133, 33]),
        same("heads", plain, &[3, 11, 8]),
        same("batch and heads", plain, &[2, 3, 9, 16]),
        same("batch and heads, causal", causal, &[2, 2, 19, 8]),
        case("more keys", plain, &[Some(&[7, 12]), Some(&[29, 12]), Some(&[29, 12])]),
        case("fewer keys", plain, &[Some(&[29, 12]), Some(&[7, 12]), Some(&[7, 12])]),
        case("more keys, causal", causal, &[Some(&[7, 12]), Some(&[29, 12]), Some(&[29, 12])]),
        case("fewer keys, causal", causal, &[Some(&[29, 12]), Some(&[7, 12]), Some(&[7, 12])]),
        case("one key", plain, &[Some(&[6, 5]), Some(&[1, 5]), Some(&[1, 5])]),
        case("decode", plain, &[Some(&[1, 4, 1, 32]), Some(&[1, 4, 77, 32]), Some(&[1, 4, 77, 32])]),
        case("values wider", plain, &[Some(&[9, 8]), Some(&[10, 8]), Some(&[10, 21])]),
        case("values narrower", plain, &[Some(&[2, 9, 33]), Some(&[2, 10, 33]), Some(&[2, 10, 3])]),
        case("grouped heads", plain, &[Some(&[2, 6, 9, 8]), Some(&[2, 2, 11, 8]), Some(&[2, 2, 11, 8])]),
        case("one key head", causal, &[Some(&[4, 9, 8]), Some(&[1, 9, 8]), Some(&[1, 9, 8])]),
        four("mask", plain, &[13, 8], &[15, 8], &[15, 8], &[13, 15]),
        four("mask and causal", causal, &[15, 8], &[15, 8], &[15, 8], &[15, 15]),
        four("mask of keys", plain, &[2, 3, 7, 8], &[2, 3, 9, 8], &[2, 3, 9, 8], &[2, 1, 1, 9]),
        four("mask of rows", plain, &[7, 8], &[9, 8], &[9, 8], &[7, 1]),
        four("mask for all heads", plain, &[2, 4, 7, 8], &[2, 2, 9, 8], &[2, 2, 9, 5], &[7, 9]),
        four("mask of a scalar", plain, &[5, 8], &[6, 8], &[6, 8], &[1]),
        same("scale", AttentionAttrs { scale: 0.3, ..plain }, &[11, 10]),
        same("result moved", AttentionAttrs { output_scale: 0.5, output_bias: -0.25, ..plain }, &[11, 10]),
        same("result rectified", AttentionAttrs { output_scale: 2.0, output_relu: true, ..causal }, &[11, 10]),
    ]
}
