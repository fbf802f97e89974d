//! Vector exponential, error function, hyperbolic tangent, sigmoid, and the activations built on them.
//!
//! Every polynomial is a weighted minimax fit of its own (relative error, coefficients rounded from the lowest up);
//! none is taken from a library. Errors quoted in ulp are measured by the tests below over the ranges they name, on
//! every instruction set; without a fused multiply-add ([`Isa::Scalar`]) up to twice as large.

use crate::isa::Isa;
use crate::simd::{Float, Simd, Vector};
use lc_core::Activation;

/// `f32` or `f64` with the constants that the functions of this module need.
pub trait MathFloat: Float {
    /// log₂ e
    const LOG2_E: Self;
    /// ln 2, high part: few enough bits that its product with an exponent is exact.
    const LN2_HI: Self;
    /// ln 2 minus [`MathFloat::LN2_HI`].
    const LN2_LO: Self;
    /// Below this, e^x rounds to zero.
    const EXP_LOW: Self;
    /// Above this, e^x is infinite.
    const EXP_HIGH: Self;
    /// Smallest exponent of a normal number.
    const MIN_EXPONENT: Self;
    /// Below this, 2^x rounds to zero.
    const EXP2_LOW: Self;
    /// Coefficients of e^r, |r| ≤ ln 2 / 2, lowest first.
    const EXP: &'static [Self];
    /// Coefficients of 2^r, |r| ≤ 1/2, lowest first.
    const EXP2: &'static [Self];
    /// Coefficients of 2^r, 0 ≤ r ≤ 1, lowest first, for sets that split off such a fraction in one instruction; or none.
    const EXP2_FRACTION: &'static [Self];
    /// Coefficients of tanh(x)/x in x², |x| ≤ 0.6, lowest first.
    const TANH: &'static [Self];
    /// Coefficients of erf(x)/x − 1 in x², |x| ≤ 1, lowest first.
    const ERF: &'static [Self];
    /// `k` of the map t = (x − k)/(x + k) under [`MathFloat::TAIL`].
    const TAIL_CENTRE: Self;
    /// Coefficients in t of e^(x²/2) · Φ(−x) for 0 ≤ x ≤ [`MathFloat::TAIL_END`], lowest first.
    const TAIL: &'static [Self];
    /// Beyond this, Φ(−x) rounds to zero.
    const TAIL_END: Self;
}

impl MathFloat for f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HI: f32 = 0.693_359_4;
    const LN2_LO: f32 = -2.121_944_4e-4;
    const EXP_LOW: f32 = -104.0;
    const EXP_HIGH: f32 = 89.0;
    const MIN_EXPONENT: f32 = -126.0;
    const EXP2_LOW: f32 = -151.0;
    const EXP: &'static [f32] = &[1.0, 1.0, 0.499_999_94, 0.166_665_2, 0.041_668_24, 0.008_368_824, 0.001_382_321_4];
    const EXP2: &'static [f32] =
        &[1.0, 0.693_147_2, 0.240_226_43, 0.055_503_584, 0.009_618_997, 0.001_339_149_5, 0.000_151_993_88];
    const EXP2_FRACTION: &'static [f32] =
        &[1.0, 0.693_147_06, 0.240_229_3, 0.055_485_282, 0.009_675_448, 0.001_246_788, 0.000_216_128];
    const TANH: &'static [f32] =
        &[1.0, -0.333_333_3, 0.133_332_34, -0.053_950_977, 0.021_726_897, -0.008_249_388, 0.002_215_332_6];
    const ERF: &'static [f32] =
        &[0.128_379_17, -0.376_126_26, 0.112_835_854, -0.026_853_811, 0.005_188_325, -0.000_801_016_8, 7.853_776e-5];
    const TAIL_CENTRE: f32 = 3.0;
    const TAIL: &'static [f32] = &[
        0.121_513_95,
        -0.206_402_63,
        0.123_225_056,
        -0.046_213_124,
        0.006_131_716_5,
        0.002_903_729_2,
        -0.000_982_469_3,
        -0.000_337_671_5,
        0.000_114_148_44,
        5.208_613_2e-5,
    ];
    const TAIL_END: f32 = 15.0;
}

impl MathFloat for f64 {
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const LN2_HI: f64 = 6.931_471_803_691_238e-1;
    const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
    const EXP_LOW: f64 = -746.0;
    const EXP_HIGH: f64 = 710.0;
    const MIN_EXPONENT: f64 = -1022.0;
    const EXP2_LOW: f64 = -1076.0;
    const EXP: &'static [f64] = &[
        1.0,
        1.0,
        0.500_000_000_000_001_1,
        0.166_666_666_666_664_27,
        0.041_666_666_666_526_65,
        0.008_333_333_333_485_241,
        0.001_388_888_894_448_550_6,
        0.000_198_412_695_266_467_14,
        2.480_149_225_202_543e-5,
        2.755_756_821_712_885e-6,
        2.763_054_201_205_735e-7,
        2.500_591_045_579_45e-8,
    ];
    const EXP2: &'static [f64] = &[
        1.0,
        0.693_147_180_559_945_3,
        0.240_226_506_959_101_33,
        0.055_504_108_664_822_305,
        0.009_618_129_107_593_404,
        0.001_333_355_814_636_819_4,
        0.000_154_035_304_579_624,
        1.525_273_381_835_472_8e-5,
        1.321_543_487_316_109_8e-6,
        1.017_808_125_464_513_5e-7,
        7.073_852_085_368_592e-9,
        4.450_801_243_464_772e-10,
    ];
    const EXP2_FRACTION: &'static [f64] = &[];
    const TANH: &'static [f64] = &[
        1.0,
        -0.333_333_333_333_333_26,
        0.133_333_333_333_318_68,
        -0.053_968_253_967_260_33,
        0.021_869_488_502_596_25,
        -0.008_863_234_867_083_5,
        0.003_592_119_697_734_703_7,
        -0.001_455_764_242_787_427_3,
        0.000_589_622_694_253_778_1,
        -0.000_237_513_666_906_175_05,
        9.249_067_669_219_317e-5,
        -3.117_962_332_046_427e-5,
        6.503_769_413_204_603e-6,
    ];
    const ERF: &'static [f64] = &[
        0.128_379_167_095_512_6,
        -0.376_126_389_031_837_5,
        0.112_837_916_709_548_57,
        -0.026_866_170_645_072_87,
        0.005_223_977_624_780_598,
        -0.000_854_832_697_872_709_5,
        0.000_120_553_310_363_597_49,
        -1.492_559_349_417_819_7e-5,
        1.646_097_261_718_587_3e-6,
        -1.635_002_314_634_952_6e-7,
        1.465_786_615_488_652_2e-8,
        -1.136_561_410_672_524e-9,
        5.945_175_767_062_544e-11,
    ];
    const TAIL_CENTRE: f64 = 4.0;
    const TAIL: &'static [f64] = &[
        0.094_410_641_301_968_94,
        -0.170_397_721_548_455_4,
        0.124_379_255_339_263,
        -0.071_707_407_337_740_81,
        0.030_864_804_106_340_023,
        -0.008_492_095_481_977_95,
        0.000_507_562_074_562_711,
        0.000_638_813_849_618_523_7,
        -0.000_187_184_264_052_668,
        -4.555_487_632_024_145e-5,
        2.864_830_790_663_067e-5,
        4.631_463_862_804_411e-6,
        -4.303_399_635_220_589e-6,
        -8.290_829_023_202_229e-7,
        6.610_750_923_133_962e-7,
        2.052_297_277_946_412_7e-7,
        -9.343_114_046_969_81e-8,
        -5.158_858_119_638_233e-8,
        8.599_155_815_781_125e-9,
        1.066_082_104_298_193_2e-8,
        5.941_235_154_002_535e-10,
        -1.288_744_319_611_124_9e-9,
        -3.042_766_409_854_422_7e-10,
    ];
    const TAIL_END: f64 = 39.0;
}

/// `c[0] + x·(c[1] + x·(…))`, by Horner's rule.
///
/// # Safety
/// The instruction set `S` must be available.
#[inline(always)]
unsafe fn polynomial<T: MathFloat, S: Simd>(x: T::V<S>, c: &'static [T]) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let mut sum = T::V::<S>::splat(c[c.len() - 1]);
        for &coefficient in c[..c.len() - 1].iter().rev() {
            sum = sum.mul_add(x, T::V::<S>::splat(coefficient));
        }
        sum
    }
}

/// `p · 2^n` for an integer `n` that may be too large or too small for one normal power of two.
#[inline(always)]
unsafe fn scale_wide<T: MathFloat, S: Simd>(p: T::V<S>, n: T::V<S>) -> T::V<S> {
    // SAFETY: as for `polynomial`. Each half of `n` is in the range of `scale`, and only the second product rounds.
    unsafe {
        if S::ISA == Isa::Avx512 {
            return p.scale(n); // one instruction that takes any exponent and rounds once
        }
        let half = n.mul(T::V::<S>::splat(T::of(0.5))).round();
        p.scale(half).scale(n.sub(half))
    }
}

/// e^x: at most 1.5 ulp (f64: 2 ulp) from the exact value for normal results, correct to half a unit of the smallest subnormal below
/// that (gradual underflow). e^−∞ is exactly 0, e^0 exactly 1, overflow gives ∞, NaN stays NaN.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn exp<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        // The constant comes first in `min` and `max`, so that NaN passes.
        let x = T::V::<S>::splat(T::EXP_LOW).max(T::V::<S>::splat(T::EXP_HIGH).min(x));
        let n = x.mul(T::V::<S>::splat(T::LOG2_E)).round();
        let r = n.mul_add(T::V::<S>::splat(-T::LN2_HI), x);
        let r = n.mul_add(T::V::<S>::splat(-T::LN2_LO), r);
        scale_wide::<T, S>(polynomial::<T, S>(r, T::EXP), n)
    }
}

/// 2^x for x ≤ 0, the form that softmax wants: at most 1.5 ulp (f64: 2 ulp) from the exact value for normal results; results below the
/// smallest normal number may be flushed to zero. 2^−∞ is exactly 0, 2^0 exactly 1, NaN stays NaN.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn exp2_nonpositive<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        if S::ISA == Isa::Avx512 {
            if !T::EXP2_FRACTION.is_empty() {
                // The fraction of −∞ is 0 here, and `scale` takes ⌊x⌋ by itself: no clamp, no rounding.
                return polynomial::<T, S>(x.fraction(), T::EXP2_FRACTION).scale(x);
            }
            let x = T::V::<S>::splat(T::EXP2_LOW).max(x);
            let n = x.round();
            return polynomial::<T, S>(x.sub(n), T::EXP2).scale(n);
        }
        let low = T::V::<S>::splat(T::MIN_EXPONENT);
        let clamped = low.max(x);
        let n = clamped.round();
        let y = polynomial::<T, S>(clamped.sub(n), T::EXP2).scale(n);
        T::V::<S>::select_lt(x, low, T::V::<S>::zero(), y)
    }
}

/// e^x for x ≤ 0; see [`exp2_nonpositive`] for what it gives up. At most 1.5 ulp (f64: 2 ulp) for normal results.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn exp_nonpositive<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        if S::ISA == Isa::Avx512 {
            let x = T::V::<S>::splat(T::EXP_LOW).max(x);
            let n = x.mul(T::V::<S>::splat(T::LOG2_E)).round();
            let r = n.mul_add(T::V::<S>::splat(-T::LN2_HI), x);
            let r = n.mul_add(T::V::<S>::splat(-T::LN2_LO), r);
            return polynomial::<T, S>(r, T::EXP).scale(n);
        }
        // n ≥ MIN_EXPONENT wherever the result is not flushed, so that one `scale` does.
        let low = T::V::<S>::splat(T::MIN_EXPONENT * T::LN2_HI);
        let clamped = low.max(x);
        let n = T::V::<S>::splat(T::MIN_EXPONENT).max(clamped.mul(T::V::<S>::splat(T::LOG2_E)).round());
        let r = n.mul_add(T::V::<S>::splat(-T::LN2_HI), clamped);
        let r = n.mul_add(T::V::<S>::splat(-T::LN2_LO), r);
        let y = polynomial::<T, S>(r, T::EXP).scale(n);
        T::V::<S>::select_lt(x, low, T::V::<S>::zero(), y)
    }
}

/// Φ(−|x|), the lower tail of the normal distribution, with small relative error down to underflow.
#[inline(always)]
unsafe fn normal_tail<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let x = T::V::<S>::splat(T::TAIL_END).min(x.abs());
        let k = T::V::<S>::splat(T::TAIL_CENTRE);
        let t = x.sub(k).div(x.add(k));
        // e^(−x²/2) with the rounding error of x² put back: without it the relative error grows with x².
        let square = x.mul(x);
        let error = x.mul_add(x, T::V::<S>::zero().sub(square));
        let half = T::V::<S>::splat(T::of(-0.5));
        let bell = exp::<T, S>(square.mul(half));
        let bell = bell.mul_add(error.mul(half), bell);
        bell.mul(polynomial::<T, S>(t, T::TAIL))
    }
}

/// The error function: at most 3 ulp. erf(±∞) = ±1, NaN stays NaN.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn erf<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let one = T::V::<S>::splat(T::ONE);
        let small = x.mul(polynomial::<T, S>(x.mul(x), T::ERF)).add(x);
        // erf(x) = 1 − 2·Φ(−x·√2)
        let tail = normal_tail::<T, S>(x.mul(T::V::<S>::splat(T::of(std::f64::consts::SQRT_2))));
        let large = T::V::<S>::splat(T::of(-2.0)).mul_add(tail, one).copysign(x);
        T::V::<S>::select_lt(x.abs(), one, small, large)
    }
}

/// The hyperbolic tangent: at most 2 ulp. tanh(±∞) = ±1, NaN stays NaN.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn tanh<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let small = x.mul(polynomial::<T, S>(x.mul(x), T::TANH));
        // 1 − 2/(e^(2|x|) + 1) loses nothing to cancellation once tanh is past one half.
        let one = T::V::<S>::splat(T::ONE);
        let two = T::V::<S>::splat(T::of(2.0));
        let large = one.sub(two.div(exp::<T, S>(x.abs().mul(two)).add(one))).copysign(x);
        T::V::<S>::select_lt(x.abs(), T::V::<S>::splat(T::of(0.6)), small, large)
    }
}

/// 1/(1 + e^−x): at most 3 ulp for normal results, on both sides of zero. NaN stays NaN.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn sigmoid<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let zero = T::V::<S>::zero();
        let one = T::V::<S>::splat(T::ONE);
        // e^−|x| cannot overflow; for negative x the fraction is multiplied through by e^x.
        let e = exp::<T, S>(zero.sub(x.abs()));
        T::V::<S>::select_lt(x, zero, e, one).div(one.add(e))
    }
}

/// `act(x)`. NaN stays NaN. At −∞ the smooth activations give NaN (−∞ · 0), as PyTorch's do.
///
/// `act` decides which code runs, not data: keep it outside of inner loops, or let the compiler move it there.
///
/// # Safety
/// The instruction set `S` must be available: call it from [`crate::simd::Kernel::run`].
#[inline(always)]
pub unsafe fn activate<T: MathFloat, S: Simd>(x: T::V<S>, act: Activation) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        match act {
            Activation::Identity => x,
            Activation::Relu => T::V::<S>::zero().max(x),
            Activation::Gelu => gelu::<T, S>(x),
            Activation::GeluTanh => gelu_tanh::<T, S>(x),
            Activation::Silu => x.mul(sigmoid::<T, S>(x)),
        }
    }
}

/// x·Φ(x), with small relative error in the negative tail too: no 1 + erf, which cancels there.
#[inline(always)]
unsafe fn gelu<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let tail = normal_tail::<T, S>(x);
        let upper = T::V::<S>::splat(T::ONE).sub(tail);
        x.mul(T::V::<S>::select_lt(x, T::V::<S>::zero(), tail, upper))
    }
}

/// x·½(1 + tanh u) = x·sigmoid(2u), with u = √(2/π)·(x + 0.044715·x³).
#[inline(always)]
unsafe fn gelu_tanh<T: MathFloat, S: Simd>(x: T::V<S>) -> T::V<S> {
    // SAFETY: arithmetic only; the caller vouches for the instruction set.
    unsafe {
        let two_root = 2.0 * (2.0 / std::f64::consts::PI).sqrt();
        let cubic = T::V::<S>::splat(T::of(two_root * 0.044715));
        let linear = T::V::<S>::splat(T::of(two_root));
        let u = x.mul(x.mul(x).mul_add(cubic, linear));
        x.mul(sigmoid::<T, S>(u))
    }
}

#[cfg(test)]
mod tests;
