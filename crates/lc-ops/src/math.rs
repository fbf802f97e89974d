//! Activations in float64, accurate to a few units in the last place, for references.

use lc_core::Activation;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// An activation in float64.
///
/// The tails of GELU and SiLU are computed without cancellation, so that the result is accurate relative to itself and not
/// only to its argument.
pub fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        // Not `f64::max`, which would turn NaN into zero.
        Activation::Relu => {
            if x < 0.0 {
                0.0
            } else {
                x
            }
        }
        Activation::Gelu => 0.5 * x * erfc(-x * FRAC_1_SQRT_2),
        // 1 + tanh(u) = 2 · sigmoid(2u)
        Activation::GeluTanh => x * sigmoid(2.0 * (2.0 / PI).sqrt() * (x + 0.044715 * x * x * x)),
        Activation::Silu => x * sigmoid(x),
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The complementary error function: Abramowitz and Stegun 7.1.6 (a series of positive terms) near zero and 7.1.14 (a
/// continued fraction) in the tail.
fn erfc(x: f64) -> f64 {
    const TAIL: f64 = 2.0;
    if x.is_nan() {
        return x;
    }
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < TAIL {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term > sum * f64::EPSILON / 4.0 {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        return 1.0 - FRAC_2_SQRT_PI * (-x * x).exp() * sum;
    }
    // The fraction's 120th convergent is exact to float64 from x = 2 on.
    let fraction = (1..=120).rev().fold(x, |rest, n| x + 0.5 * f64::from(n) / rest);
    0.5 * FRAC_2_SQRT_PI * (-x * x).exp() / fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erfc_agrees_with_tables() {
        // From the C library's erfc.
        let table = [
            (0.0, 1.0),
            (0.5, 0.4795001221869535),
            (1.0, 0.15729920705028513),
            (1.9999, 0.004679802092970608),
            (2.0, 0.004677734981047265),
            (3.0, 2.2090496998585438e-05),
            (-1.0, 1.842700792949715),
            (6.0, 2.1519736712498916e-17),
            (26.0, 5.663192408856143e-296),
        ];
        for (x, want) in table {
            let got = erfc(x);
            assert!((got - want).abs() <= 1e-13 * want, "erfc({x}) = {got:e}, not {want:e}");
        }
        assert_eq!(erfc(40.0), 0.0);
        assert!(erfc(f64::NAN).is_nan());
    }

    #[test]
    fn activations_have_known_values_and_keep_nan() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        near(activate(Activation::Gelu, 1.0), 0.8413447460685429);
        near(activate(Activation::Gelu, -1.0), -0.15865525393145705);
        near(activate(Activation::GeluTanh, 1.0), 0.8411919906082764);
        near(activate(Activation::Silu, 1.0), 0.7310585786300049);
        near(activate(Activation::Silu, -1000.0), 0.0);
        assert_eq!(activate(Activation::Relu, -3.0), 0.0);
        assert_eq!(activate(Activation::Identity, -3.0), -3.0);
        for activation in Activation::ALL {
            assert!(activate(activation, f64::NAN).is_nan(), "{}", activation.name());
            assert_eq!(activate(activation, 0.0), 0.0);
        }
    }
}
