//! Whether a kernel's numbers are right.

use crate::dtype::DType;
use crate::policy::Math;

/// The largest error relative to the size of the results, and whether it is within the tolerance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The error.
    pub error: f64,
    /// Whether it is within the tolerance.
    pub ok: bool,
}

/// Roundings of one unit that an error may have beside those of its chain of sums: the tails of a random walk, another
/// order of summation, an exponential.
const SLACK: f64 = 32.0;

/// The unit roundoff of an arithmetic.
fn unit(dtype: DType, math: Math) -> f64 {
    let bits = match (math, dtype) {
        (Math::IeeeF32, DType::F64) => 53,
        (Math::IeeeF32, DType::F32) => 24,
        (Math::F32x3, DType::F32 | DType::F64) => 22,
        // Float16 results are rounded to 11 bits whatever the arithmetic.
        (Math::Tf32 | Math::F16, _) | (Math::IeeeF32 | Math::F32x3, DType::F16) => 11,
        (Math::Bf16, _) => 8,
    };
    0.5f64.powi(bits)
}

/// What error is still right where each result sums `depth` terms: roundings are as good as independent, so that their
/// sum grows as a random walk (Higham and Mary, 2019).
pub fn tolerance(dtype: DType, math: Math, depth: f64) -> f64 {
    unit(dtype, math) * (SLACK + 4.0 * depth.max(1.0).sqrt())
}

/// Results beyond this many are compared at places spread evenly.
const PLACES: usize = 1 << 20;

/// Compares results with the right ones. An error counts relative to its own result or to the upper quartile of all,
/// whichever is larger: a sum that cancels has the error of its terms. NaN equals NaN, an infinity only itself.
pub fn compare(got: &[Vec<f64>], want: &[Vec<f64>], tolerance: f64) -> Verdict {
    let wrong = Verdict { error: f64::INFINITY, ok: false };
    if got.len() != want.len() {
        return wrong;
    }
    let mut worst = 0f64;
    for (got, want) in got.iter().zip(want) {
        if got.len() != want.len() {
            return wrong;
        }
        let typical = upper_quartile(want);
        // Odd, so that it meets every column of rows whose length is a power of two.
        let step = (want.len() / PLACES).max(1) | 1;
        for (got, want) in got.iter().zip(want).step_by(step) {
            if got == want || (got.is_nan() && want.is_nan()) {
                continue;
            }
            let error = (got - want).abs() / want.abs().max(typical);
            // Also where one of them is NaN or infinite.
            if !error.is_finite() {
                return wrong;
            }
            worst = worst.max(error);
        }
    }
    Verdict { error: worst, ok: worst <= tolerance }
}

/// The magnitude that three quarters of the finite values stay below, from at most 4096 of them; at least the smallest
/// normal number.
fn upper_quartile(values: &[f64]) -> f64 {
    let step = (values.len() / 4096).max(1) | 1;
    let mut sizes: Vec<f64> = values.iter().step_by(step).map(|x| x.abs()).filter(|x| x.is_finite()).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.get(sizes.len() * 3 / 4).copied().unwrap_or(0.0).max(f64::from(f32::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(got: &[f64], want: &[f64]) -> Verdict {
        compare(&[got.to_vec()], &[want.to_vec()], tolerance(DType::F32, Math::IeeeF32, 16.0))
    }

    #[test]
    fn rounding_is_right_and_anything_else_is_wrong() {
        let want: Vec<f64> = (1..100).map(|i| f64::from(i) / 7.0).collect();
        let rounded: Vec<f64> = want.iter().map(|x| f64::from(*x as f32)).collect();
        assert!(verdict(&rounded, &want).ok);
        let mut swapped = rounded.clone();
        swapped.swap(3, 4);
        assert!(!verdict(&swapped, &want).ok);
        let mut lost = rounded.clone();
        lost[50] = f64::NAN;
        assert_eq!(verdict(&lost, &want), Verdict { error: f64::INFINITY, ok: false });
        assert!(!verdict(&rounded[1..], &want).ok);
        // Ten bits of fraction pass only where they were asked for.
        let short: Vec<f64> = want.iter().map(|x| f64::from(f32::from_bits((*x as f32).to_bits() & !0x1fff))).collect();
        assert!(!verdict(&short, &want).ok);
        assert!(compare(&[short], &[want], tolerance(DType::F32, Math::Tf32, 16.0)).ok);
    }

    #[test]
    fn special_values_equal_only_themselves() {
        let want = [f64::NAN, f64::INFINITY, 1.0];
        assert!(verdict(&want, &want).ok);
        assert!(!verdict(&[f64::NAN, f64::NEG_INFINITY, 1.0], &want).ok);
        assert!(!verdict(&[0.0, f64::INFINITY, 1.0], &want).ok);
    }
}
