//! A vector of floats, one implementation an instruction set, so that a kernel is written once.
//!
//! A kernel is a value that implements [`Kernel`]: [`dispatch`] calls its `run` with the [`Simd`] of the chosen
//! instruction set inside a function that has the set's target features switched on. `run` and everything that it calls
//! with a vector must be `#[inline(always)]`, or it is compiled without those features and every operation becomes a
//! call. The pattern is the one of the `pulp` crate.
#![allow(clippy::missing_safety_doc)] // the contract of a vector's methods is the one of its trait

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use crate::isa::Isa;

/// A fixed number of floats that are computed on together.
///
/// # Safety
/// Every method must be called where the instruction set of the implementation is available: inside [`Kernel::run`].
pub unsafe trait Vector: Copy + 'static {
    /// `f32` or `f64`.
    type Elem: Copy + Send + Sync + PartialOrd + 'static;
    /// How many elements a vector has.
    const LANES: usize;

    /// All lanes `x`.
    unsafe fn splat(x: Self::Elem) -> Self;
    /// All lanes zero.
    unsafe fn zero() -> Self;
    /// Reads `LANES` elements; no alignment needed.
    unsafe fn load(ptr: *const Self::Elem) -> Self;
    /// Reads the first `n < LANES` elements and sets the other lanes to zero. Touches no memory past them.
    unsafe fn load_n(ptr: *const Self::Elem, n: usize) -> Self;
    /// Writes `LANES` elements; no alignment needed.
    unsafe fn store(self, ptr: *mut Self::Elem);
    /// Writes the first `n < LANES` elements. Touches no memory past them.
    unsafe fn store_n(self, ptr: *mut Self::Elem, n: usize);
    /// Writes `LANES` elements past the caches; `ptr` must be aligned to the vector's size. Needs [`fence`] before
    /// another thread may read.
    unsafe fn stream(self, ptr: *mut Self::Elem);
    /// `self + other`
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * other`
    unsafe fn mul(self, other: Self) -> Self;
    /// `self / other`, correctly rounded.
    unsafe fn div(self, other: Self) -> Self;
    /// `self * b + c`, rounded once where the instruction set can.
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    /// The larger; `other` if either is NaN. So `x.max(acc)` skips a NaN in `x`, and `zero.max(x)` keeps it.
    unsafe fn max(self, other: Self) -> Self;
    /// The smaller; `other` if either is NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// Absolute value.
    unsafe fn abs(self) -> Self;
    /// Square root, correctly rounded.
    unsafe fn sqrt(self) -> Self;
    /// To the nearest integer, ties to even.
    unsafe fn round(self) -> Self;
    /// `self − ⌊self⌋`, in [0, 1]: 1 where the difference rounds up to it. Of ±∞ it is zero where one instruction does it
    /// (AVX-512), else NaN.
    unsafe fn fraction(self) -> Self;
    /// `self * 2^n` for integer lanes `n` in `[-126, 127]` (f32) or `[-1022, 1023]` (f64).
    unsafe fn scale(self, n: Self) -> Self;
    /// Lane by lane: `if a < b { x } else { y }`; false if either is NaN.
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self;
    /// The magnitude of `self` with the sign of `sign`.
    unsafe fn copysign(self, sign: Self) -> Self;
    /// Sum of the lanes.
    unsafe fn sum(self) -> Self::Elem;
    /// Largest lane; NaN lanes may be skipped.
    unsafe fn max_lane(self) -> Self::Elem;
}

/// The vectors of one instruction set.
pub trait Simd: Copy + 'static {
    /// Which set.
    const ISA: Isa;
    /// A vector of `f32`.
    type F32: Vector<Elem = f32>;
    /// A vector of `f64`.
    type F64: Vector<Elem = f64>;
}

/// `f32` or `f64`, and where its vector is in an instruction set.
pub trait Float:
    Copy
    + Send
    + Sync
    + PartialOrd
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
    + std::ops::AddAssign
    + std::ops::Neg<Output = Self>
    + 'static
{
    /// The vector of this element in the set `S`.
    type V<S: Simd>: Vector<Elem = Self>;
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// −∞
    const NEG_INFINITY: Self;
    /// Rounded from `f64`.
    fn of(x: f64) -> Self;
    /// Widened to `f64`.
    fn to_f64(self) -> f64;
}

impl Float for f32 {
    type V<S: Simd> = S::F32;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
    const NEG_INFINITY: f32 = f32::NEG_INFINITY;
    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Float for f64 {
    type V<S: Simd> = S::F64;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
    const NEG_INFINITY: f64 = f64::NEG_INFINITY;
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// Work that is written once and compiled for every instruction set.
pub trait Kernel {
    /// What `run` returns.
    type Output;
    /// Does the work with the vectors of `S`. Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// Only [`dispatch`] may call this: the processor must have the instruction set `S`.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// Runs a kernel with the vectors of `isa`.
///
/// # Panics
/// When the processor lacks `isa` (debug builds); [`Isa::active`] and [`Isa::available`] never give such a one.
// Inlined, so that a kernel's struct is built where it is read: a copy of words that were just stored one by one stalls.
#[inline(always)]
pub fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Output {
    debug_assert!(isa.is_available(), "{isa:?} is not available here");
    // SAFETY: `isa` is available on this processor, by contract and by the assertion above.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2::run(kernel),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => neon::run(kernel),
            _ => scalar::run(kernel),
        }
    }
}

/// Orders [`Vector::stream`] stores before whatever tells another thread that they are done.
#[inline(always)]
pub fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64.
    unsafe {
        std::arch::x86_64::_mm_sfence()
    }
}

/// Asks for the cache line of `ptr` ahead of its use. Any address is fine.
#[inline(always)]
pub fn prefetch<T>(ptr: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is only a hint.
    unsafe {
        std::arch::x86_64::_mm_prefetch(ptr.cast(), std::arch::x86_64::_MM_HINT_T0)
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = ptr;
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Probe<'a, T> {
        a: &'a [T],
        b: &'a [T],
        out: &'a mut Vec<(&'static str, Vec<f64>)>,
    }

    impl<T: Float> Kernel for Probe<'_, T> {
        type Output = ();
        #[inline(always)]
        unsafe fn run<S: Simd>(self) {
            type V<T, S> = <T as Float>::V<S>;
            let n = V::<T, S>::LANES;
            // SAFETY: the slices hold 16 elements, no vector has more.
            unsafe {
                let a = V::<T, S>::load(self.a.as_ptr());
                let b = V::<T, S>::load(self.b.as_ptr());
                let mut put = |name, v: V<T, S>| {
                    let mut lanes = vec![T::ZERO; n];
                    v.store(lanes.as_mut_ptr());
                    self.out.push((name, lanes.iter().map(|x| x.to_f64()).collect()));
                };
                put("add", a.add(b));
                put("sub", a.sub(b));
                put("mul", a.mul(b));
                put("div", a.div(b));
                put("max", a.max(b));
                put("min", a.min(b));
                put("abs", a.abs());
                put("sqrt", a.abs().sqrt());
                put("round", a.round());
                put("fraction", a.fraction());
                put("scale", a.scale(V::<T, S>::splat(T::of(3.0))));
                put("select", V::<T, S>::select_lt(a, b, a, V::<T, S>::zero()));
                put("copysign", b.copysign(a));
                put("mul_add", a.mul_add(b, a));
                for part in 1..n {
                    put("load_n", V::<T, S>::load_n(self.a.as_ptr(), part));
                    let mut lanes = vec![T::of(7.0); n];
                    a.store_n(lanes.as_mut_ptr(), part);
                    put("store_n", V::<T, S>::load(lanes.as_ptr()));
                }
                let sum: f64 = self.a[..n].iter().map(|x| x.to_f64()).sum();
                assert!((a.sum().to_f64() - sum).abs() < 1e-4);
                let top = self.a[..n].iter().map(|x| x.to_f64()).fold(f64::NEG_INFINITY, f64::max);
                assert_eq!(a.max_lane().to_f64(), top);
            }
        }
    }

    fn check<T: Float>() {
        let a: Vec<T> = (0..16).map(|i| T::of((i as f64 - 7.5) * 1.25)).collect();
        let b: Vec<T> = (0..16).map(|i| T::of(((i * 5) % 16) as f64 - 6.25)).collect();
        for isa in Isa::available() {
            let mut got = Vec::new();
            dispatch(isa, Probe { a: &a, b: &b, out: &mut got });
            let mut part = 0;
            for (name, lanes) in got {
                let n = lanes.len();
                if name == "load_n" {
                    part += 1;
                }
                for (i, x) in lanes.iter().enumerate() {
                    let (p, q) = (a[i].to_f64(), b[i].to_f64());
                    let want = match name {
                        "add" => p + q,
                        "sub" => p - q,
                        "mul" => p * q,
                        "div" => p / q,
                        "max" => p.max(q),
                        "min" => p.min(q),
                        "abs" => p.abs(),
                        "sqrt" => p.abs().sqrt(),
                        "round" => p.round_ties_even(),
                        "fraction" => p - p.floor(),
                        "scale" => p * 8.0,
                        "select" if p < q => p,
                        "select" => 0.0,
                        "copysign" => q.copysign(p),
                        "mul_add" => p * q + p,
                        "load_n" if i < part => p,
                        "load_n" => 0.0,
                        "store_n" if i < part => p,
                        "store_n" => 7.0,
                        _ => unreachable!(),
                    };
                    let tolerance = 1e-6 * want.abs().max(1.0);
                    assert!((x - want).abs() <= tolerance, "{isa:?} {name}[{i}] of {n}: {x}, expected {want}");
                }
            }
        }
    }

    #[test]
    fn every_isa_agrees_with_scalar_arithmetic() {
        check::<f32>();
        check::<f64>();
    }
}
