//! NEON: 4 `f32` or 2 `f64`; it has no masked access, so tails go through a small array.
#![allow(clippy::undocumented_unsafe_blocks)] // one intrinsic each; see the `SAFETY` line of the impl

use super::{Kernel, Simd, Vector};
use crate::isa::Isa;
use std::arch::aarch64::*;

/// The vectors of NEON.
#[derive(Clone, Copy)]
pub struct Neon;

impl Simd for Neon {
    const ISA: Isa = Isa::Neon;
    type F32 = F32x4;
    type F64 = F64x2;
}

/// # Safety
/// The processor must have NEON.
#[target_feature(enable = "neon")]
pub unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    unsafe { kernel.run::<Neon>() }
}

/// 4 `f32`.
#[derive(Clone, Copy)]
pub struct F32x4(float32x4_t);

// SAFETY: each method is its intrinsic; the trait's contract gives the instruction set.
unsafe impl Vector for F32x4 {
    type Elem = f32;
    const LANES: usize = 4;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { Self(vdupq_n_f32(x)) }
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { Self(vdupq_n_f32(0.0)) }
    }
    #[inline(always)]
    unsafe fn load(ptr: *const f32) -> Self {
        unsafe { Self(vld1q_f32(ptr)) }
    }
    #[inline(always)]
    unsafe fn load_n(ptr: *const f32, n: usize) -> Self {
        let mut lanes = [0.0; 4];
        unsafe {
            std::ptr::copy_nonoverlapping(ptr, lanes.as_mut_ptr(), n);
            Self::load(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store(self, ptr: *mut f32) {
        unsafe { vst1q_f32(ptr, self.0) }
    }
    #[inline(always)]
    unsafe fn store_n(self, ptr: *mut f32, n: usize) {
        let mut lanes = [0.0; 4];
        unsafe {
            self.store(lanes.as_mut_ptr());
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), ptr, n);
        }
    }
    #[inline(always)]
    unsafe fn stream(self, ptr: *mut f32) {
        // NEON has no vector store past the caches that Rust exposes; a plain store is right, only slower.
        unsafe { self.store(ptr) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(vaddq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(vsubq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { Self(vmulq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { Self(vdivq_f32(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { Self(vfmaq_f32(c.0, self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // NEON's own maximum propagates NaN from either side; the contract takes `other`.
        unsafe { Self(vbslq_f32(vcgtq_f32(self.0, other.0), self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { Self(vbslq_f32(vcltq_f32(self.0, other.0), self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Self(vabsq_f32(self.0)) }
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        unsafe { Self(vsqrtq_f32(self.0)) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { Self(vrndnq_f32(self.0)) }
    }
    #[inline(always)]
    unsafe fn fraction(self) -> Self {
        unsafe { Self(vsubq_f32(self.0, vrndmq_f32(self.0))) }
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        // The exponent field of a float is its integer shifted: build 2^n and multiply.
        unsafe {
            let bits = vshlq_n_s32::<23>(vaddq_s32(vcvtq_s32_f32(n.0), vdupq_n_s32(127)));
            Self(vmulq_f32(self.0, vreinterpretq_f32_s32(bits)))
        }
    }
    #[inline(always)]
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        unsafe { Self(vbslq_f32(vcltq_f32(a.0, b.0), x.0, y.0)) }
    }
    #[inline(always)]
    unsafe fn copysign(self, sign: Self) -> Self {
        unsafe { Self(vbslq_f32(vdupq_n_u32(1 << 31), sign.0, self.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        unsafe { vaddvq_f32(self.0) }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        unsafe { vmaxnmvq_f32(self.0) }
    }
}

/// 2 `f64`.
#[derive(Clone, Copy)]
pub struct F64x2(float64x2_t);

// SAFETY: each method is its intrinsic; the trait's contract gives the instruction set.
unsafe impl Vector for F64x2 {
    type Elem = f64;
    const LANES: usize = 2;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        unsafe { Self(vdupq_n_f64(x)) }
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        unsafe { Self(vdupq_n_f64(0.0)) }
    }
    #[inline(always)]
    unsafe fn load(ptr: *const f64) -> Self {
        unsafe { Self(vld1q_f64(ptr)) }
    }
    #[inline(always)]
    unsafe fn load_n(ptr: *const f64, n: usize) -> Self {
        let mut lanes = [0.0; 2];
        unsafe {
            std::ptr::copy_nonoverlapping(ptr, lanes.as_mut_ptr(), n);
            Self::load(lanes.as_ptr())
        }
    }
    #[inline(always)]
    unsafe fn store(self, ptr: *mut f64) {
        unsafe { vst1q_f64(ptr, self.0) }
    }
    #[inline(always)]
    unsafe fn store_n(self, ptr: *mut f64, n: usize) {
        let mut lanes = [0.0; 2];
        unsafe {
            self.store(lanes.as_mut_ptr());
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), ptr, n);
        }
    }
    #[inline(always)]
    unsafe fn stream(self, ptr: *mut f64) {
        // NEON has no vector store past the caches that Rust exposes; a plain store is right, only slower.
        unsafe { self.store(ptr) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        unsafe { Self(vaddq_f64(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        unsafe { Self(vsubq_f64(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        unsafe { Self(vmulq_f64(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        unsafe { Self(vdivq_f64(self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        unsafe { Self(vfmaq_f64(c.0, self.0, b.0)) }
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // NEON's own maximum propagates NaN from either side; the contract takes `other`.
        unsafe { Self(vbslq_f64(vcgtq_f64(self.0, other.0), self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        unsafe { Self(vbslq_f64(vcltq_f64(self.0, other.0), self.0, other.0)) }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        unsafe { Self(vabsq_f64(self.0)) }
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        unsafe { Self(vsqrtq_f64(self.0)) }
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        unsafe { Self(vrndnq_f64(self.0)) }
    }
    #[inline(always)]
    unsafe fn fraction(self) -> Self {
        unsafe { Self(vsubq_f64(self.0, vrndmq_f64(self.0))) }
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        // The exponent field of a float is its integer shifted: build 2^n and multiply.
        unsafe {
            let bits = vshlq_n_s64::<52>(vaddq_s64(vcvtq_s64_f64(n.0), vdupq_n_s64(1023)));
            Self(vmulq_f64(self.0, vreinterpretq_f64_s64(bits)))
        }
    }
    #[inline(always)]
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        unsafe { Self(vbslq_f64(vcltq_f64(a.0, b.0), x.0, y.0)) }
    }
    #[inline(always)]
    unsafe fn copysign(self, sign: Self) -> Self {
        unsafe { Self(vbslq_f64(vdupq_n_u64(1 << 63), sign.0, self.0)) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        unsafe { vaddvq_f64(self.0) }
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f64 {
        unsafe { vmaxnmvq_f64(self.0) }
    }
}
