//! The two small matrix products of attention, as one register tile, and the transposes around them.

use crate::isa::Isa;
use crate::math::MathFloat;
use crate::simd::{Simd, Vector};
use std::any::TypeId;

/// The operand whose elements are broadcast: element (m, x) is at `ptr + m·row + x·col`.
#[derive(Clone, Copy)]
pub(super) struct Broadcast<T> {
    pub ptr: *const T,
    pub row: isize,
    pub col: isize,
}

/// `c[m][n] = keep[n]·c[m][n] + Σₓ a[m][x]·b[x][n]` for `M` rows and `N` vectors of columns, accumulated in registers.
/// Without `keep`, `c` is overwritten. The sum runs over x in order, so it does not depend on the tile's shape.
#[inline(always)]
unsafe fn tile<T: MathFloat, S: Simd, const M: usize, const N: usize>(
    depth: usize,
    a: Broadcast<T>,
    b: *const T,
    b_row: usize,
    c: *mut T,
    c_row: usize,
    keep: Option<*const T>,
) {
    let lanes = T::V::<S>::LANES;
    // SAFETY: the caller vouches for M rows of `a` and `c`, `depth` columns of `a` and rows of `b`, N vectors each.
    unsafe {
        let mut sum = [[T::V::<S>::zero(); N]; M];
        if let Some(keep) = keep {
            for (m, row) in sum.iter_mut().enumerate() {
                for (n, cell) in row.iter_mut().enumerate() {
                    *cell = T::V::<S>::load(c.add(m * c_row + n * lanes)).mul(T::V::<S>::load(keep.add(n * lanes)));
                }
            }
        }
        let (mut pa, mut pb) = (a.ptr, b);
        for _ in 0..depth {
            let mut right = [T::V::<S>::zero(); N];
            for (n, cell) in right.iter_mut().enumerate() {
                *cell = T::V::<S>::load(pb.add(n * lanes));
            }
            for (m, row) in sum.iter_mut().enumerate() {
                let left = T::V::<S>::splat(*pa.wrapping_offset(m as isize * a.row));
                for (cell, &r) in row.iter_mut().zip(&right) {
                    *cell = left.mul_add(r, *cell);
                }
            }
            pa = pa.wrapping_offset(a.col);
            pb = pb.wrapping_add(b_row);
        }
        for (m, row) in sum.iter().enumerate() {
            for (n, cell) in row.iter().enumerate() {
                cell.store(c.add(m * c_row + n * lanes));
            }
        }
    }
}

/// All rows that a tile of `M` rows covers, from `*m` on.
#[inline(always)]
unsafe fn sweep<T: MathFloat, S: Simd, const M: usize, const N: usize>(
    m: &mut usize,
    rows: usize,
    depth: usize,
    a: Broadcast<T>,
    b: *const T,
    b_row: usize,
    c: *mut T,
    c_row: usize,
    keep: Option<*const T>,
) {
    while *m + M <= rows {
        let part = Broadcast { ptr: a.ptr.wrapping_offset(*m as isize * a.row), ..a };
        // SAFETY: rows `m..m + M` are inside what the caller vouches for.
        unsafe { tile::<T, S, M, N>(depth, part, b, b_row, c.add(*m * c_row), c_row, keep) };
        *m += M;
    }
}

/// [`tile`] over any number of rows: `c` is `rows` × `N` vectors.
///
/// # Safety
/// `a` has `rows` × `depth` elements, `b` has `depth` rows and `c` has `rows` rows of `N` vectors; `keep` has `N`
/// vectors; the instruction set `S` is available.
#[inline(always)]
pub(super) unsafe fn panel<T: MathFloat, S: Simd, const N: usize>(
    rows: usize,
    depth: usize,
    a: Broadcast<T>,
    b: *const T,
    b_row: usize,
    c: *mut T,
    c_row: usize,
    keep: Option<*const T>,
) {
    let m = &mut 0;
    // SAFETY: the caller's promise, passed on. The widest tile leaves a register for the broadcast and N for `b`: of 32
    // registers (AVX-512, NEON) or 16 (AVX2).
    unsafe {
        if S::ISA == Isa::Avx2 {
            if N == 1 {
                sweep::<T, S, 8, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
            }
            if N <= 3 {
                sweep::<T, S, 4, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
            }
        } else {
            if N <= 3 {
                sweep::<T, S, 8, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
            } else {
                sweep::<T, S, 6, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
            }
            sweep::<T, S, 4, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
        }
        sweep::<T, S, 2, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
        sweep::<T, S, 1, N>(m, rows, depth, a, b, b_row, c, c_row, keep);
    }
}

/// `to[c·to_row + r·to_col] = factor · from[r·from_row + c·from_col]`.
///
/// # Safety
/// Every element addressed is inside its array.
#[inline(always)]
pub(super) unsafe fn transpose<T: MathFloat>(
    rows: usize,
    cols: usize,
    from: *const T,
    from_row: isize,
    from_col: isize,
    to: *mut T,
    to_row: isize,
    to_col: isize,
    factor: T,
) {
    let (mut done_rows, mut done_cols) = (0, 0);
    if cfg!(target_arch = "x86_64") && TypeId::of::<T>() == TypeId::of::<f32>() && from_col == 1 && to_col == 1 {
        (done_rows, done_cols) = (rows / 4 * 4, cols / 4 * 4);
        // SAFETY: T is f32, and the rows and columns below are inside the caller's promise.
        unsafe {
            let factor = *(&raw const factor).cast::<f32>();
            for r in (0..done_rows).step_by(4) {
                for c in (0..done_cols).step_by(4) {
                    let from = from.wrapping_offset(r as isize * from_row + c as isize).cast::<f32>();
                    let to = to.wrapping_offset(c as isize * to_row + r as isize).cast::<f32>();
                    transpose_4x4(from, from_row, to, to_row, factor);
                }
            }
        }
    }
    for r in 0..rows {
        let start = if r < done_rows { done_cols } else { 0 };
        for c in start..cols {
            // SAFETY: inside the caller's promise.
            unsafe {
                let x = *from.wrapping_offset(r as isize * from_row + c as isize * from_col);
                *to.wrapping_offset(c as isize * to_row + r as isize * to_col) = x * factor;
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
unsafe fn transpose_4x4(_: *const f32, _: isize, _: *mut f32, _: isize, _: f32) {
    unreachable!("only called on x86-64")
}

/// Four rows of four `f32`, turned, with 128-bit shuffles, which every x86-64 has.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose_4x4(from: *const f32, from_row: isize, to: *mut f32, to_row: isize, factor: f32) {
    use std::arch::x86_64::*;
    // SAFETY: the caller vouches for four elements at each of the four rows on both sides; SSE is part of x86-64.
    unsafe {
        let f = _mm_set1_ps(factor);
        let row = |i: isize| _mm_mul_ps(_mm_loadu_ps(from.wrapping_offset(i * from_row)), f);
        let (a, b, c, d) = (row(0), row(1), row(2), row(3));
        let (ab_low, ab_high) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        let (cd_low, cd_high) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        _mm_storeu_ps(to, _mm_movelh_ps(ab_low, cd_low));
        _mm_storeu_ps(to.wrapping_offset(to_row), _mm_movehl_ps(cd_low, ab_low));
        _mm_storeu_ps(to.wrapping_offset(2 * to_row), _mm_movelh_ps(ab_high, cd_high));
        _mm_storeu_ps(to.wrapping_offset(3 * to_row), _mm_movehl_ps(cd_high, ab_high));
    }
}
