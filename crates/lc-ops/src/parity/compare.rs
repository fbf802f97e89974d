//! The comparison of a result with the reference.

use super::reduced;
use crate::attention::AttentionAttrs;
use lc_core::{Case, DType, Element, OpDef, RefTensor};
use std::fmt;

/// How far a result is from the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Op, case and dtype.
    pub what: String,
    /// Elements compared.
    pub elements: usize,
    /// Elements outside the tolerance.
    pub outside: usize,
    /// The largest absolute error.
    pub max_abs: f64,
    /// The largest error relative to the reference, where that is not zero.
    pub max_rel: f64,
    /// The largest error in units in the last place of the reference, rounded to the dtype.
    pub max_ulp: f64,
    /// The largest ratio of error to tolerance; above 1 the result is wrong.
    pub max_ratio: f64,
    /// Index in row-major order, reference and result where that ratio is largest.
    pub worst: Option<(usize, f64, f64)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { what, elements, outside, max_abs, max_rel, max_ulp, max_ratio, worst } = self;
        write!(
            f,
            "{what}: {outside} of {elements} elements outside the tolerance; largest error {max_abs:.3e} absolute, \
             {max_rel:.3e} relative, {max_ulp:.1} ulp, {max_ratio:.3} of the tolerance"
        )?;
        match worst {
            Some((index, want, got)) => write!(f, "; at {index} expected {want:e}, got {got:e}"),
            None => Ok(()),
        }
    }
}

/// What error an op may have on data from [`super::Inputs::generate`].
///
/// A result that ends a chain of `depth` rounded operations on terms whose sum has the size of `scale` is off by about
/// `eps·sqrt(depth)·scale`: roundings are as good as independent and of mean zero, so that their sum grows as a random
/// walk (Higham and Mary, 2019). `SLACK` covers the tails of that walk, other orders of summation, and the few units in
/// the last place of an exponential.
struct Model {
    /// Operations in the longest chain.
    depth: f64,
    /// The least scale. Elements of the generated inputs are scaled so that sums are of order one; so a small result is
    /// one of cancellation, whose error is that of its terms. Zero where results are accurate relative to themselves.
    floor: f64,
}

const SLACK: f64 = 8.0;

fn model(op: &OpDef, case: &Case, want: &RefTensor) -> Model {
    let terms = |index: usize| reduced(op, case, index).unwrap_or(0) as f64;
    let extent = |input: usize, from_last: usize| {
        let shape = case.inputs.get(input).copied().flatten();
        shape.and_then(|s| s.dims().iter().rev().nth(from_last).copied()).unwrap_or(1) as f64
    };
    let summed = |depth: f64| Model { depth: depth + 4.0, floor: 1.0 };
    match op.name {
        // One rounding, or the few of a division that is a reciprocal and a product.
        "add" | "sub" | "mul" | "div" => Model { depth: 0.25, floor: 0.0 },
        "pack" => Model { depth: 0.0, floor: 0.0 },
        // GELU and SiLU lose digits relative to the argument in the negative tail.
        "activation" => Model { depth: 2.0, floor: 1.0 },
        // A quotient by at least a half doubles the errors before it.
        "elementwise_chain" => Model { depth: 8.0, floor: 1.0 },
        "matmul" | "linear" | "conv2d" => summed(terms(1)),
        "ffn" => summed(terms(1) + terms(2)),
        // An exponential's relative error is its argument's absolute one, here up to eps·8.
        "softmax" => {
            let rank = case.inputs[0].map_or(1, |s| s.rank());
            let axis = crate::SoftmaxAttrs::from_attrs(&case.attrs).axis_of(rank);
            Model { depth: extent(0, rank - 1 - axis) + 8.0, floor: 0.0 }
        }
        "layer_norm" => summed(2.0 * extent(0, 0)),
        "rms_norm" => summed(extent(0, 0)),
        "layer_norm_projection" => summed(3.0 * extent(0, 0)),
        "attention" => {
            let how = AttentionAttrs::from_attrs(&case.attrs);
            let depth = extent(0, 0) + extent(1, 1) + 8.0;
            Model { depth, floor: how.output_scale.abs().max(1.0) + how.output_bias.abs() }
        }
        "attention_train" => {
            let whole = if want.shape.rank() == 0 { extent(0, 0) * extent(0, 1) } else { 0.0 };
            summed(extent(0, 0) + extent(0, 1) + whole + 8.0)
        }
        "conv_attention" => {
            let how = crate::ConvAttentionAttrs::from_attrs(&case.attrs);
            summed(terms(1) + (how.seq_len + how.head_dim) as f64 + 8.0)
        }
        // An op without a model of its own: as deep as its reference is long for one element.
        _ => summed(case.inputs.iter().flatten().map(|s| s.numel() as f64).fold(0.0, f64::max)),
    }
}

/// The distance from the magnitude of `x` to the next larger one in the dtype.
fn ulp(dtype: DType, x: f64) -> f64 {
    let x = x.abs();
    match dtype {
        DType::F32 => {
            let x = (x as f32).min(f32::MAX.next_down());
            f64::from(x.next_up() - x)
        }
        DType::F64 => {
            let x = x.min(f64::MAX.next_down());
            x.next_up() - x
        }
        // 11 bits of significand, and subnormals of 2⁻²⁴.
        DType::F16 => 2f64.powf(x.max(2f64.powi(-14)).log2().floor() - 10.0),
    }
}

/// Compares a result in row-major order with the reference, for inputs from [`super::Inputs::generate`].
///
/// The tolerance of an element is `8·eps·sqrt(depth)·scale`, with the dtype's machine epsilon, the length `depth` of the
/// op's longest chain of operations, and a `scale` that is the largest magnitude of the reference and at least one for
/// ops that sum, or the element's own magnitude for ops that are accurate relative to it. NaN equals NaN, and an infinity
/// only itself.
///
/// # Errors
/// The report, where an element is outside its tolerance or the number of elements differs.
pub fn compare<T: Element>(op: &OpDef, case: &Case, want: &RefTensor, got: &[T]) -> Result<Report, Report> {
    let Model { depth, floor } = model(op, case, want);
    let eps = match T::DTYPE {
        DType::F32 => f64::from(f32::EPSILON),
        DType::F64 => f64::EPSILON,
        DType::F16 => half::f16::EPSILON.to_f64(),
    };
    let largest = want.data.iter().copied().filter(|x| x.is_finite()).fold(0.0, |m: f64, x| m.max(x.abs()));
    let mut report = Report {
        what: format!("{} ({}, {})", op.name, case.name, T::DTYPE),
        elements: got.len(),
        outside: 0,
        max_abs: 0.0,
        max_rel: 0.0,
        max_ulp: 0.0,
        max_ratio: 0.0,
        worst: None,
    };
    if got.len() != want.data.len() {
        report.outside = got.len().max(want.data.len());
        report.max_ratio = f64::INFINITY;
        return Err(report);
    }
    for (index, (&want, got)) in want.data.iter().zip(got).enumerate() {
        let got = got.to_f64();
        // Equal covers infinities of the same sign.
        if want == got || (want.is_nan() && got.is_nan()) {
            continue;
        }
        let finite = want.is_finite() && got.is_finite();
        let error = if finite { (want - got).abs() } else { f64::INFINITY };
        let scale = if floor > 0.0 { largest.max(floor) } else { want.abs() };
        // Below the normal range the spacing of numbers is all the precision there is.
        let tolerance = SLACK * eps * depth.sqrt() * scale + ulp(T::DTYPE, 0.0);
        // A tolerance made of an infinity or NaN would take anything.
        let ratio = if finite { error / tolerance } else { f64::INFINITY };
        report.max_abs = report.max_abs.max(error);
        if want != 0.0 {
            report.max_rel = report.max_rel.max(error / want.abs());
        }
        report.max_ulp = report.max_ulp.max(error / ulp(T::DTYPE, if want.is_finite() { want } else { 0.0 }));
        report.outside += usize::from(ratio > 1.0);
        if ratio > report.max_ratio {
            report.max_ratio = ratio;
            report.worst = Some((index, want, got));
        }
    }
    if report.outside == 0 { Ok(report) } else { Err(report) }
}
