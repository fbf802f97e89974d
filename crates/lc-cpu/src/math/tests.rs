use super::*;
use crate::simd::{Kernel, dispatch};

/// The functions under test, so that one kernel serves them all.
#[derive(Clone, Copy, Debug, PartialEq)]
enum F {
    Exp,
    ExpNonpositive,
    Exp2Nonpositive,
    Erf,
    Tanh,
    Sigmoid,
    Act(Activation),
}

struct Map<'a, T> {
    f: F,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: MathFloat> Kernel for Map<'_, T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let n = T::V::<S>::LANES;
        assert_eq!(self.x.len() % n, 0);
        for i in (0..self.x.len()).step_by(n) {
            // SAFETY: the slices have the same length, a multiple of the vector's.
            unsafe {
                let x = T::V::<S>::load(self.x.as_ptr().add(i));
                let y = match self.f {
                    F::Exp => exp::<T, S>(x),
                    F::ExpNonpositive => exp_nonpositive::<T, S>(x),
                    F::Exp2Nonpositive => exp2_nonpositive::<T, S>(x),
                    F::Erf => erf::<T, S>(x),
                    F::Tanh => tanh::<T, S>(x),
                    F::Sigmoid => sigmoid::<T, S>(x),
                    F::Act(act) => activate::<T, S>(x, act),
                };
                y.store(self.y.as_mut_ptr().add(i));
            }
        }
    }
}

fn map<T: MathFloat>(isa: Isa, f: F, x: &[T]) -> Vec<T> {
    let mut padded = x.to_vec();
    padded.resize(x.len().next_multiple_of(16), T::ZERO);
    let mut y = padded.clone();
    dispatch(isa, Map { f, x: &padded, y: &mut y });
    y.truncate(x.len());
    y
}

/// Size of one unit in the last place of a normal number `y` with `bits` bits of significand.
fn ulp(y: f64, bits: i32, min_exponent: i32) -> f64 {
    let exponent = if y == 0.0 { min_exponent } else { (y.abs().log2().floor() as i32).max(min_exponent) };
    f64::exp2((exponent + 1 - bits) as f64)
}

/// Evenly spaced points, with both ends, and a fine grid around zero.
fn grid<T: MathFloat>(low: f64, high: f64, n: usize) -> Vec<T> {
    let wide = (0..=n).map(|i| T::of(low + (high - low) * i as f64 / n as f64));
    let fine = (0..=n / 8).map(|i| T::of(low.max(-1.0) + (high.min(1.0) - low.max(-1.0)) * i as f64 / (n / 8) as f64));
    wide.chain(fine).collect()
}

/// erf by its Taylor series: every term is below e^(x²), so good to about 1e-15 for |x| < 1.5.
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for k in 1..80 {
        term *= -x * x / k as f64;
        sum += term / (2 * k + 1) as f64;
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

/// Φ(x) to about 1e-14 relative: the series near zero, Laplace's continued fraction in the tails.
fn phi(x: f64) -> f64 {
    if x.abs() < 1.5 {
        return 0.5 * (1.0 + erf_series(x / std::f64::consts::SQRT_2));
    }
    let z = x.abs();
    let fraction = (1..400).rev().fold(z, |below, k| z + k as f64 / below);
    let tail = (-0.5 * z * z).exp() / (fraction * (2.0 * std::f64::consts::PI).sqrt());
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn exact(f: F, x: f64) -> f64 {
    let sigmoid = |x: f64| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) };
    match f {
        F::Exp | F::ExpNonpositive => x.exp(),
        F::Exp2Nonpositive => x.exp2(),
        F::Erf if x.abs() < 1.0 => erf_series(x),
        F::Erf => 2.0 * phi(x * std::f64::consts::SQRT_2) - 1.0,
        F::Tanh => x.tanh(),
        F::Sigmoid => sigmoid(x),
        F::Act(Activation::Identity) => x,
        F::Act(Activation::Relu) => x.max(0.0),
        F::Act(Activation::Gelu) => x * phi(x),
        F::Act(Activation::GeluTanh) => {
            x * sigmoid(2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x))
        }
        F::Act(Activation::Silu) => x * sigmoid(x),
    }
}

/// The largest error in ulp over a grid, results below the smallest normal number aside.
fn worst<T: MathFloat>(isa: Isa, f: F, low: f64, high: f64, bits: i32, min_exponent: i32) -> (f64, f64) {
    let x = grid::<T>(low, high, 40_000);
    let y = map(isa, f, &x);
    let smallest = 2f64.powi(min_exponent);
    x.iter().zip(&y).fold((0.0, 0.0), |top, (x, y)| {
        let want = exact(f, x.to_f64());
        if want.abs() < 2.0 * smallest {
            assert!((y.to_f64() - want).abs() <= 2.0 * smallest, "{isa:?} {f:?}({x:?}) = {y:?}, expected {want}");
            return top;
        }
        let error = (y.to_f64() - want).abs() / ulp(want, bits, min_exponent);
        if error > top.0 || error.is_nan() { (error, x.to_f64()) } else { top }
    })
}

fn check<T: MathFloat>(bits: i32, min_exponent: i32, rows: &[(F, f64, f64, f64)]) {
    for isa in Isa::available() {
        for &(f, low, high, bound) in rows {
            let (error, at) = worst::<T>(isa, f, low, high, bits, min_exponent);
            println!("{isa:?} {bits} {f:?} [{low}, {high}]: {error:.2} ulp at {at}");
            // Twice as much where every multiply-add rounds twice.
            let bound = if isa == Isa::Scalar { 2.0 * bound } else { bound };
            assert!(error <= bound, "{isa:?} {f:?}: {error:.2} ulp at {at}, at most {bound} allowed");
        }
    }
}

#[test]
fn f32_errors_stay_within_their_bounds() {
    let gelu = F::Act(Activation::Gelu);
    let gelu_tanh = F::Act(Activation::GeluTanh);
    let silu = F::Act(Activation::Silu);
    check::<f32>(
        24,
        -126,
        &[
            (F::Exp, -104.0, 88.72, 1.5),
            (F::Exp, -1e-3, 1e-3, 1.5),
            (F::ExpNonpositive, -87.0, 0.0, 1.5),
            (F::Exp2Nonpositive, -125.9, 0.0, 1.5),
            (F::Erf, -6.0, 6.0, 3.0),
            (F::Tanh, -10.0, 10.0, 2.0),
            (F::Sigmoid, -87.0, 100.0, 3.0),
            (gelu, -5.0, 20.0, 8.0),
            (gelu_tanh, -2.0, 20.0, 8.0),
            (silu, -87.0, 100.0, 4.0),
            (F::Act(Activation::Relu), -9.0, 9.0, 0.0),
            (F::Act(Activation::Identity), -9.0, 9.0, 0.0),
        ],
    );
}

#[test]
fn f64_errors_stay_within_their_bounds() {
    check::<f64>(
        53,
        -1022,
        &[
            (F::Exp, -745.0, 709.7, 2.0),
            (F::ExpNonpositive, -707.0, 0.0, 2.0),
            (F::Exp2Nonpositive, -1021.9, 0.0, 2.0),
            (F::Tanh, -20.0, 20.0, 3.0),
            (F::Sigmoid, -700.0, 100.0, 4.0),
            (F::Act(Activation::Silu), -700.0, 100.0, 5.0),
            // The reference itself is only good to about 1e-14 here; the table below is exact.
            (F::Erf, -6.0, 6.0, 40.0),
            (F::Act(Activation::Gelu), -5.0, 20.0, 100.0),
            (F::Act(Activation::GeluTanh), -2.0, 20.0, 10.0),
        ],
    );
}

/// x, erf x, x·Φ(x), computed with 40 digits by mpmath.
#[rustfmt::skip]
const TABLE: [(f64, f64, f64); 30] = [
    (-37.5, -1.0, -1.7270073785932332e-306),
    (-30.25, -1.0, -7.891136864367313e-200),
    (-20.0, -1.0, -5.507248237212468e-88),
    (-12.5, -1.0, -4.665705373597142e-35),
    (-8.0, -1.0, -4.976768459417427e-15),
    (-5.5, -0.9999999999999927, -1.0444259356238245e-07),
    (-4.0, -0.9999999845827421, -0.0001266849673324797),
    (-3.25, -0.9999956972205363, -0.0018753313877699928),
    (-2.5, -0.999593047982555, -0.015524163314440337),
    (-2.0, -0.9953222650189527, -0.04550026389635842),
    (-1.5, -0.9661051464753108, -0.1002108019032871),
    (-1.0, -0.8427007929497149, -0.15865525393145705),
    (-0.75, -0.7111556336535151, -0.16997051428265114),
    (-0.5, -0.5204998778130465, -0.15426876936299344),
    (-0.125, -0.1403162048013338, -0.056282721896235885),
    (-0.0009765625, -0.0011019324300718147, -0.00048790078905392527),
    (0.0009765625, 0.0011019324300718147, 0.0004886617109460747),
    (0.125, 0.1403162048013338, 0.06871727810376412),
    (0.5, 0.5204998778130465, 0.34573123063700656),
    (0.84375, 0.7672256612323416, 0.6755024021022792),
    (1.0, 0.8427007929497149, 0.8413447460685429),
    (1.25, 0.9229001282564583, 1.117937782916431),
    (1.5, 0.9661051464753108, 1.399789198096713),
    (2.0, 0.9953222650189527, 1.9544997361036416),
    (2.5, 0.999593047982555, 2.4844758366855597),
    (3.0, 0.9999779095030014, 2.99595030590511),
    (4.0, 0.9999999845827421, 3.9998733150326675),
    (5.5, 0.9999999999999927, 5.499999895557407),
    (8.0, 1.0, 7.999999999999995),
    (20.0, 1.0, 20.0),
];

#[test]
fn f64_erf_and_gelu_match_a_table_of_high_precision() {
    let x: Vec<f64> = TABLE.iter().map(|row| row.0).collect();
    for isa in Isa::available() {
        // Without a fused multiply-add the rounding error of x² cannot be put back.
        let bound = |x: f64| if isa == Isa::Scalar { 6.0 + x * x } else { 6.0 };
        let erfs = map(isa, F::Erf, &x);
        let gelus = map(isa, F::Act(Activation::Gelu), &x);
        for ((&(x, erf, gelu), got_erf), got_gelu) in TABLE.iter().zip(erfs).zip(gelus) {
            let error = (got_erf - erf).abs() / ulp(erf, 53, -1022);
            assert!(error <= 3.0, "{isa:?} erf({x}): {error} ulp");
            let error = (got_gelu - gelu).abs() / ulp(gelu, 53, -1022);
            assert!(error <= bound(x), "{isa:?} gelu({x}): {error} ulp");
        }
    }
}

fn edges<T: MathFloat>() {
    let inf = -T::NEG_INFINITY;
    let nan = T::of(f64::NAN);
    let huge = T::of(1e30);
    for isa in Isa::available() {
        let one = |f: F, x: T| map(isa, f, &[x])[0].to_f64();
        for f in [F::Exp, F::ExpNonpositive, F::Exp2Nonpositive] {
            assert_eq!(one(f, T::NEG_INFINITY), 0.0, "{isa:?} {f:?}");
            assert_eq!(one(f, -huge), 0.0, "{isa:?} {f:?}");
            assert_eq!(one(f, T::of(-2000.0)), 0.0, "{isa:?} {f:?}");
            assert_eq!(one(f, T::ZERO), 1.0, "{isa:?} {f:?}");
        }
        assert_eq!(one(F::Exp, inf), f64::INFINITY);
        assert_eq!(one(F::Exp, T::EXP_HIGH), f64::INFINITY);
        assert_eq!(one(F::Exp, huge), f64::INFINITY);
        for (f, sign) in [(F::Erf, -1.0), (F::Tanh, -1.0), (F::Sigmoid, 0.0)] {
            assert_eq!(one(f, inf), 1.0, "{isa:?} {f:?}");
            assert_eq!(one(f, T::NEG_INFINITY), sign, "{isa:?} {f:?}");
            assert_eq!(one(f, huge), 1.0, "{isa:?} {f:?}");
            assert_eq!(one(f, -huge), sign, "{isa:?} {f:?}");
        }
        for act in Activation::ALL {
            assert_eq!(one(F::Act(act), inf), f64::INFINITY, "{isa:?} {act:?}");
            assert_eq!(one(F::Act(act), huge), huge.to_f64(), "{isa:?} {act:?}");
            if act != Activation::Identity {
                assert_eq!(one(F::Act(act), -huge), 0.0, "{isa:?} {act:?}");
            }
        }
        let all = [F::Exp, F::ExpNonpositive, F::Exp2Nonpositive, F::Erf, F::Tanh, F::Sigmoid];
        for f in all.into_iter().chain(Activation::ALL.map(F::Act)) {
            assert!(one(f, nan).is_nan(), "{isa:?} {f:?}(NaN)");
        }
        // Odd functions keep the sign of zero.
        for f in [F::Erf, F::Tanh] {
            assert!(one(f, T::of(-0.0)).is_sign_negative() && one(f, T::ZERO).is_sign_positive(), "{isa:?} {f:?}");
        }
    }
}

#[test]
fn infinities_nan_and_zero_are_exact() {
    edges::<f32>();
    edges::<f64>();
}
