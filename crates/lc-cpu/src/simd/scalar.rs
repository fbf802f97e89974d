//! One float at a time: runs everywhere, and is the vector of last resort.
#![allow(clippy::undocumented_unsafe_blocks)] // pointers come from the caller, under the trait's contract

use super::{Kernel, Simd, Vector};
use crate::isa::Isa;

/// Vectors of one lane.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    const ISA: Isa = Isa::Scalar;
    type F32 = f32;
    type F64 = f64;
}

/// Runs a kernel; a function of its own as those of the other sets are.
///
/// # Safety
/// As [`Kernel::run`], of which every processor has the instruction set.
#[inline(never)]
pub unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    unsafe { kernel.run::<Scalar>() }
}

// SAFETY: plain arithmetic; only the pointers' validity is the caller's.
unsafe impl Vector for f32 {
    type Elem = f32;
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        x
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        0.0
    }
    #[inline(always)]
    unsafe fn load(ptr: *const f32) -> Self {
        unsafe { *ptr }
    }
    #[inline(always)]
    unsafe fn load_n(_: *const f32, _: usize) -> Self {
        0.0
    }
    #[inline(always)]
    unsafe fn store(self, ptr: *mut f32) {
        unsafe { *ptr = self }
    }
    #[inline(always)]
    unsafe fn store_n(self, _: *mut f32, _: usize) {}
    #[inline(always)]
    unsafe fn stream(self, ptr: *mut f32) {
        unsafe { *ptr = self }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self - other
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self * other
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self / other
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // Without the instruction a fused multiply-add is a slow library call, so this one rounds twice.
        self * b + c
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        f32::round_ties_even(self)
    }
    #[inline(always)]
    unsafe fn fraction(self) -> Self {
        self - self.floor()
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        self * f32::from_bits((((n as i32) + 127) as u32) << 23)
    }
    #[inline(always)]
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        if a < b { x } else { y }
    }
    #[inline(always)]
    unsafe fn copysign(self, sign: Self) -> Self {
        f32::copysign(self, sign)
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        self
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f32 {
        self
    }
}

// SAFETY: plain arithmetic; only the pointers' validity is the caller's.
unsafe impl Vector for f64 {
    type Elem = f64;
    const LANES: usize = 1;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        x
    }
    #[inline(always)]
    unsafe fn zero() -> Self {
        0.0
    }
    #[inline(always)]
    unsafe fn load(ptr: *const f64) -> Self {
        unsafe { *ptr }
    }
    #[inline(always)]
    unsafe fn load_n(_: *const f64, _: usize) -> Self {
        0.0
    }
    #[inline(always)]
    unsafe fn store(self, ptr: *mut f64) {
        unsafe { *ptr = self }
    }
    #[inline(always)]
    unsafe fn store_n(self, _: *mut f64, _: usize) {}
    #[inline(always)]
    unsafe fn stream(self, ptr: *mut f64) {
        unsafe { *ptr = self }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        self + other
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        self - other
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        self * other
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        self / other
    }
    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        // Without the instruction a fused multiply-add is a slow library call, so this one rounds twice.
        self * b + c
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    unsafe fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    unsafe fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    unsafe fn round(self) -> Self {
        f64::round_ties_even(self)
    }
    #[inline(always)]
    unsafe fn fraction(self) -> Self {
        self - self.floor()
    }
    #[inline(always)]
    unsafe fn scale(self, n: Self) -> Self {
        self * f64::from_bits((((n as i64) + 1023) as u64) << 52)
    }
    #[inline(always)]
    unsafe fn select_lt(a: Self, b: Self, x: Self, y: Self) -> Self {
        if a < b { x } else { y }
    }
    #[inline(always)]
    unsafe fn copysign(self, sign: Self) -> Self {
        f64::copysign(self, sign)
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        self
    }
    #[inline(always)]
    unsafe fn max_lane(self) -> f64 {
        self
    }
}
