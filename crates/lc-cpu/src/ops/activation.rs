//! `out = activation(x)`, element by element.

use crate::isa::Isa;
use crate::math::{MathFloat, activate};
use crate::ops::elementwise::{Pointwise, map};
use crate::simd::Simd;
use lc_core::Activation;

/// `out[i] = act(x[i])` for a view `x` of `shape` with strides in elements; `out` is C-contiguous.
///
/// `out` may be the memory of `x` if that is C-contiguous. `threads` bounds how many threads work on it; the result does
/// not depend on it.
///
/// # Safety
/// Every element that the view reaches must be readable, `out` must be writable for the product of `shape`, and `isa`
/// must be available.
pub unsafe fn activation<T: MathFloat>(
    isa: Isa,
    threads: usize,
    act: Activation,
    shape: &[usize],
    x: *const T,
    strides: &[isize],
    out: *mut T,
) {
    // The function is a constant of each loop, or it would be chosen again for every vector.
    // SAFETY: the caller's contract is the one of `map`.
    unsafe {
        match act {
            Activation::Identity => map(isa, threads, Act::<0>, shape, [x], [strides], out),
            Activation::Relu => map(isa, threads, Act::<1>, shape, [x], [strides], out),
            Activation::Gelu => map(isa, threads, Act::<2>, shape, [x], [strides], out),
            Activation::GeluTanh => map(isa, threads, Act::<3>, shape, [x], [strides], out),
            Activation::Silu => map(isa, threads, Act::<4>, shape, [x], [strides], out),
        }
    }
}

/// The activation at this place of [`Activation::ALL`].
#[derive(Clone, Copy)]
pub(super) struct Act<const INDEX: usize>;

impl<T: MathFloat, const INDEX: usize> Pointwise<T, 1> for Act<INDEX> {
    #[inline(always)]
    unsafe fn apply<S: Simd>(self, [x]: [T::V<S>; 1]) -> T::V<S> {
        // SAFETY: inside `Kernel::run`, by the trait's contract.
        unsafe { activate::<T, S>(x, Activation::ALL[INDEX]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::layouts::Sample;

    /// In float64; erf by its series and continued fraction is tested with the kernel itself, here a long series is
    /// enough for |x| < 4.
    fn reference(act: Activation, x: f64) -> f64 {
        match act {
            Activation::Identity => x,
            Activation::Relu => x.max(0.0),
            Activation::Gelu => {
                let z = x / std::f64::consts::SQRT_2;
                let (mut term, mut sum) = (z, z);
                for n in 1..200 {
                    term *= -z * z / n as f64;
                    sum += term / (2 * n + 1) as f64;
                }
                x * 0.5 * (1.0 + sum * std::f64::consts::FRAC_2_SQRT_PI)
            }
            Activation::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Activation::Silu => x / (1.0 + (-x).exp()),
        }
    }

    fn check<T: MathFloat>(tolerance: f64) {
        for shape in [&[3usize, 37][..], &[1, 1], &[5, 18, 7]] {
            for x in Sample::<T>::all(shape, 3) {
                for (isa, act) in Isa::available().flat_map(|isa| Activation::ALL.map(|act| (isa, act))) {
                    let values = x.values();
                    let mut out = vec![T::ZERO; values.len()];
                    // SAFETY: `x` is a view of `shape`, `out` has its size.
                    unsafe { activation(isa, 2, act, shape, x.ptr(), &x.strides, out.as_mut_ptr()) };
                    for (x, got) in values.into_iter().zip(out) {
                        let want = reference(act, x.to_f64());
                        assert!(
                            (got.to_f64() - want).abs() <= tolerance,
                            "{isa:?} {act:?}({x:?}) = {got:?}, not {want}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_layout_agrees_with_float64() {
        check::<f32>(3e-7);
        check::<f64>(1e-14);
    }

    #[test]
    fn nan_stays_nan() {
        for (isa, act) in Isa::available().flat_map(|isa| Activation::ALL.map(|act| (isa, act))) {
            let x = [f32::NAN; 19];
            let mut out = [0.0f32; 19];
            // SAFETY: both have 19 elements.
            unsafe { activation(isa, 1, act, &[19], x.as_ptr(), &[1], out.as_mut_ptr()) };
            assert!(out.iter().all(|x| x.is_nan()), "{isa:?} {act:?}");
        }
    }
}
