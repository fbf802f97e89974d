//! One step of gradient descent on the values of an attention.

use crate::attention::{AttentionAttrs, pairs, softmax_or_zero};
use crate::util::{case, cost, float_attr, need, product, switch_attr, tensor};
use lc_core::registry::{Case, Cost, InputSpecs, OutputSpecs, rule};
use lc_core::{AttrKind, AttrSpec, AttrValue, Attrs, Error, InputSpec, OpDef, RefTensor, Result, Shape, TensorSpec};

const NAME: &str = "attention_train";
const INPUTS: &[InputSpec] =
    &[InputSpec::required("q"), InputSpec::required("k"), InputSpec::required("v"), InputSpec::required("target")];
// No learning rate fits every problem, so that the default is one that the rule refuses.
const ATTRS: &[AttrSpec] = &[
    float_attr("learning_rate", 0.0),
    switch_attr("causal"),
    AttrSpec { name: "compute_loss", kind: AttrKind::Bool, default: AttrValue::Bool(true) },
];

/// `out = P·v` with `P = softmax(q·kᵀ / sqrt(d))`, `loss = mean((out − target)²)` before the step, and
/// `new_v = v − learning_rate · ∂loss/∂v` where `∂loss/∂v = Pᵀ·2(out − target) / (s·d)`. All tensors are `[s, d]`, but
/// `loss` is a scalar.
pub static ATTENTION_TRAIN: OpDef = OpDef {
    name: NAME,
    trace_name: NAME,
    inputs: INPUTS,
    outputs: &["out", "new_v", "loss"],
    attrs: ATTRS,
    infer,
    cost: costs,
    reference,
    cases,
};

/// Attributes of [`ATTENTION_TRAIN`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionTrainAttrs {
    /// The step along the gradient; finite and above zero.
    pub learning_rate: f64,
    /// Whether row `i` sees keys `j ≤ i` only.
    pub causal: bool,
    /// Whether the loss is wanted; else it is 0.
    pub compute_loss: bool,
}

/// Not causal, with the loss. The learning rate is 0, which a call refuses: set it.
impl Default for AttentionTrainAttrs {
    fn default() -> AttentionTrainAttrs {
        AttentionTrainAttrs { learning_rate: 0.0, causal: false, compute_loss: true }
    }
}

impl AttentionTrainAttrs {
    /// The named form of validated attributes.
    pub fn from_attrs(attrs: &Attrs) -> AttentionTrainAttrs {
        AttentionTrainAttrs { learning_rate: attrs.float(0), causal: attrs.bool(1), compute_loss: attrs.bool(2) }
    }
}

impl From<AttentionTrainAttrs> for Attrs {
    fn from(attrs: AttentionTrainAttrs) -> Attrs {
        Attrs::of([
            AttrValue::Float(attrs.learning_rate),
            AttrValue::Bool(attrs.causal),
            AttrValue::Bool(attrs.compute_loss),
        ])
    }
}

fn infer(attrs: &Attrs, inputs: InputSpecs) -> Result<OutputSpecs> {
    let dtype = rule::same_dtype(NAME, INPUTS, inputs)?;
    let rate = AttentionTrainAttrs::from_attrs(attrs).learning_rate;
    if !(rate.is_finite() && rate > 0.0) {
        return Err(Error::invalid(NAME, "learning_rate", "a finite number > 0", rate.to_string()));
    }
    let q = need(inputs, 0);
    rule::rank(NAME, "q", &q, 2).map_err(|e| e.hint("take one head at a time, as [rows, d]"))?;
    let wanted = [Some(q.shape[0]), Some(q.shape[1])];
    for (index, input) in INPUTS.iter().enumerate().skip(1) {
        rule::shape(NAME, input.name, &need(inputs, index), &wanted, ", that of `q`")?;
    }
    let scalar = TensorSpec::new(dtype, Shape::of([]));
    Ok(OutputSpecs::three(q, q, scalar))
}

/// Attention, a third product for the gradient, and about three operations an element for residual and update.
fn costs(attrs: &Attrs, inputs: InputSpecs, outputs: &OutputSpecs) -> Cost {
    let how = AttentionTrainAttrs::from_attrs(attrs);
    let shape = need(inputs, 0).shape;
    let (rows, dim) = (shape[0], shape[1]);
    let each = product(&[6, dim]).saturating_add(4);
    let update = product(&[if how.compute_loss { 6 } else { 4 }, rows, dim]);
    let flops = pairs(rows, rows, how.causal).saturating_mul(each).saturating_add(update);
    cost(flops, product(&[rows, rows, dim]), inputs, outputs)
}

fn reference(attrs: &Attrs, inputs: &[Option<RefTensor>]) -> Vec<RefTensor> {
    let how = AttentionTrainAttrs::from_attrs(attrs);
    let [q, k, v, target] = [0, 1, 2, 3].map(|i| tensor(inputs, i));
    let (s, d) = (q.shape[0], q.shape[1]);
    let scale = AttentionAttrs::default().scale_for(d);
    let mut p = vec![0.0; s * s];
    for i in 0..s {
        let row = &mut p[i * s..(i + 1) * s];
        for (j, score) in row.iter_mut().enumerate() {
            let dot: f64 = (0..d).map(|l| q.data[i * d + l] * k.data[j * d + l]).sum();
            *score = if how.causal && j > i { f64::NEG_INFINITY } else { dot * scale };
        }
        softmax_or_zero(row);
    }
    // A key that a row may not see takes no part, even where it holds NaN.
    let first = |j: usize| if how.causal { j } else { 0 };
    let seen = |i: usize| if how.causal { i + 1 } else { s };
    let mut out = vec![0.0; s * d];
    for i in 0..s {
        for c in 0..d {
            out[i * d + c] = (0..seen(i)).map(|j| p[i * s + j] * v.data[j * d + c]).sum();
        }
    }
    let error: Vec<f64> = out.iter().zip(&target.data).map(|(out, target)| out - target).collect();
    let count = (s * d) as f64;
    let loss = if how.compute_loss { error.iter().map(|e| e * e).sum::<f64>() / count } else { 0.0 };
    let mut new_v = v.data.clone();
    for j in 0..s {
        for c in 0..d {
            let gradient: f64 = (first(j)..s).map(|i| p[i * s + j] * 2.0 * error[i * d + c] / count).sum();
            new_v[j * d + c] -= how.learning_rate * gradient;
        }
    }
    vec![
        RefTensor { shape: q.shape, data: out },
        RefTensor { shape: q.shape, data: new_v },
        RefTensor { shape: Shape::of([]), data: vec![loss] },
    ]
}

fn cases() -> Vec<Case> {
    let one = |name: &str, dims: &[usize], learning_rate, causal, compute_loss| {
        let how = AttentionTrainAttrs { learning_rate, causal, compute_loss };
        case(name, how, &[Some(dims); 4])
    };
    vec![
        one("one by one", &[1, 1], 0.5, false, true),
        one("one row", &[1, 17], 0.1, false, true),
        one("head of one", &[9, 1], 0.1, false, true),
        one("odd", &[13, 7], 1.0, false, true),
        one("odd, causal", &[13, 7], 1.0, true, true),
        one("no loss", &[16, 8], 0.5, false, false),
        one("large step", &[19, 5], 100.0, true, true),
        one("past a block", &[131, 33], 50.0, false, true),
        one("past a block, causal", &[129, 16], 50.0, true, true),
    ]
}
