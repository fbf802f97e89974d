//! AVX2 with FMA: 8 `f32` or 4 `f64`, tails by mask.
#![allow(clippy::undocumented_unsafe_blocks)] // one intrinsic each; see the `SAFETY` line of the impl

use super::{Kernel, Simd, Vector};
use crate::isa::Isa;
use std::arch::x86_64::*;

/// The vectors of AVX2.
#[derive(Clone, Copy)]
pub struct Avx2;

impl Simd for Avx2 {
    const ISA: Isa = Isa::Avx2;
    type F32 = F32x8;
    type F64 = F64x4;
}

/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    unsafe { kernel.run::<Avx2>() }
}

/// 8 `f32`.
#[derive(Clone, Copy)]
pub struct F32x8(__m256);

impl F32x8 {
    /// Lanes below `n` set, for masked loads and stores: a window into a run of ones and a run of zeros.
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        const TABLE: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        debug_assert!(n < 8);
        unsafe { _mm256_loadu_si256(TABLE.as_ptr().add(8 - n).cast()) }
    }
}

// SAFETY: each method is its intrinsic; the trait's contract gives the instruction set.
unsafe impl Vector for F32x8 {
    type Elem = f32;
    const LANES: usize = 8;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { Self(_mm256_set1_ps(x)) }
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { Self(_mm256_setzero_ps()) }
    }
    #[inline(always)]
    unsafe fn load(ptr: *const f32) -> Self {
        unsafe { Self(_mm256_loadu_ps(ptr)) }
    }
    #[inline(always)]
    unsafe fn load_n(ptr: *const f32, n: usize) -> Self {
        unsafe { Self(_mm256_maskload_ps(ptr, Self::mask(n))) }
    }
    #[inline(always)]
    unsafe fn store(self, ptr: *mut f32) {
        unsafe { _mm256_storeu_ps(ptr, self.0) }
    }
    #[inline(always)]
    unsafe fn store_n(self, ptr: *mut f32, n: usize) {
        unsafe { _mm256_maskstore_ps(ptr, Self::mask(n), self.0) }
    }
    #[inline(always)]
    unsafe fn stream(self, ptr: *mut f32) {
        unsafe { _mm256_stream_ps(ptr, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { Self(_mm256_div_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { Self(_mm256_fmadd_ps(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { Self(_mm256_max_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { Self(_mm256_min_ps(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Self(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)) }
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        unsafe { Self(_mm256_sqrt_ps(self.0)) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { Self(_mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    unsafe fn fraction(self) -> Self {
        unsafe { Self(_mm256_sub_ps(self.0, _mm256_floor_ps(self.0))) }
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        // The exponent field of a float is its integer shifted by 23: build 2^n and multiply.
        unsafe {
            let bits = _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n.0), _mm256_set1_epi32(127)));
            Self(_mm256_mul_ps(self.0, _mm256_castsi256_ps(bits)))
        }
    }
    #[inline(always)]
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        unsafe { Self(_mm256_blendv_ps(y.0, x.0, _mm256_cmp_ps::<_CMP_LT_OQ>(a.0, b.0))) }
    }
    #[inline(always)]
    unsafe fn copysign(self, sign: Self) -> Self {
        unsafe {
            let bit = _mm256_set1_ps(-0.0);
            Self(_mm256_or_ps(_mm256_and_ps(bit, sign.0), _mm256_andnot_ps(bit, self.0)))
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe {
            let half = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_add_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
        }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        unsafe {
            let half = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let pair = _mm_max_ps(half, _mm_movehl_ps(half, half));
            _mm_cvtss_f32(_mm_max_ss(pair, _mm_shuffle_ps::<1>(pair, pair)))
        }
    }
}

/// 4 `f64`.
#[derive(Clone, Copy)]
pub struct F64x4(__m256d);

impl F64x4 {
    /// Lanes below `n` set, for masked loads and stores: a window into a run of ones and a run of zeros.
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        const TABLE: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
        debug_assert!(n < 4);
        unsafe { _mm256_loadu_si256(TABLE.as_ptr().add(4 - n).cast()) }
    }
}

// SAFETY: each method is its intrinsic; the trait's contract gives the instruction set.
unsafe impl Vector for F64x4 {
    type Elem = f64;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        unsafe { Self(_mm256_set1_pd(x)) }
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { Self(_mm256_setzero_pd()) }
    }
    #[inline(always)]
    unsafe fn load(ptr: *const f64) -> Self {
        unsafe { Self(_mm256_loadu_pd(ptr)) }
    }
    #[inline(always)]
    unsafe fn load_n(ptr: *const f64, n: usize) -> Self {
        unsafe { Self(_mm256_maskload_pd(ptr, Self::mask(n))) }
    }
    #[inline(always)]
    unsafe fn store(self, ptr: *mut f64) {
        unsafe { _mm256_storeu_pd(ptr, self.0) }
    }
    #[inline(always)]
    unsafe fn store_n(self, ptr: *mut f64, n: usize) {
        unsafe { _mm256_maskstore_pd(ptr, Self::mask(n), self.0) }
    }
    #[inline(always)]
    unsafe fn stream(self, ptr: *mut f64) {
        unsafe { _mm256_stream_pd(ptr, self.0) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_pd(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_pd(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_pd(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { Self(_mm256_div_pd(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { Self(_mm256_fmadd_pd(self.0, b.0, c.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        unsafe { Self(_mm256_max_pd(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { Self(_mm256_min_pd(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Self(_mm256_andnot_pd(_mm256_set1_pd(-0.0), self.0)) }
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        unsafe { Self(_mm256_sqrt_pd(self.0)) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { Self(_mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0)) }
    }
    #[inline(always)]
    unsafe fn fraction(self) -> Self {
        unsafe { Self(_mm256_sub_pd(self.0, _mm256_floor_pd(self.0))) }
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        // As for f32, with 52 bits of fraction; the low halves of the 64-bit lanes hold the integers.
        unsafe {
            let n = _mm256_cvtepi32_epi64(_mm256_cvtpd_epi32(n.0));
            let bits = _mm256_slli_epi64::<52>(_mm256_add_epi64(n, _mm256_set1_epi64x(1023)));
            Self(_mm256_mul_pd(self.0, _mm256_castsi256_pd(bits)))
        }
    }
    #[inline(always)]
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        unsafe { Self(_mm256_blendv_pd(y.0, x.0, _mm256_cmp_pd::<_CMP_LT_OQ>(a.0, b.0))) }
    }
    #[inline(always)]
    unsafe fn copysign(self, sign: Self) -> Self {
        unsafe {
            let bit = _mm256_set1_pd(-0.0);
            Self(_mm256_or_pd(_mm256_and_pd(bit, sign.0), _mm256_andnot_pd(bit, self.0)))
        }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        unsafe {
            let half = _mm_add_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)))
        }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f64 {
        unsafe {
            let half = _mm_max_pd(_mm256_castpd256_pd128(self.0), _mm256_extractf128_pd::<1>(self.0));
            _mm_cvtsd_f64(_mm_max_sd(half, _mm_unpackhi_pd(half, half)))
        }
    }
}
