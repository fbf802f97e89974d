//! Copies of blocks whose rows do not have unit stride.

use super::copy::Block;
use crate::isa::Isa;
use crate::simd::{Float, Simd};

/// Copies a block of any strides; fast where the source has `src_row == 1`, as a transposed operand has.
///
/// # Safety
/// As [`super::copy::CopyFn`].
pub unsafe fn entry<T: Float, S: Simd>(block: &Block<T>) {
    let (mut rows, mut cols) = (0, 0);
    if cfg!(target_arch = "x86_64") && matches!(S::ISA, Isa::Avx2 | Isa::Avx512) && block.src_row == 1 {
        // SAFETY: both sets include AVX; the part that is done lies inside the block.
        unsafe { (rows, cols) = x86::whole_squares(block) };
    }
    // SAFETY: parts of the block.
    unsafe {
        plain(block, 0..rows, cols..block.width);
        plain(block, rows..block.rows, 0..block.width);
        for row in 0..block.rows {
            for j in block.width..block.padded {
                *block.dst.add(row * block.dst_row + j) = T::ZERO;
            }
        }
    }
}

/// # Safety
/// As [`super::copy::CopyFn`], for the part.
unsafe fn plain<T: Float>(block: &Block<T>, rows: std::ops::Range<usize>, cols: std::ops::Range<usize>) {
    for j in cols {
        let src = block.src.wrapping_offset(j as isize * block.src_col);
        for row in rows.clone() {
            // SAFETY: inside the block.
            unsafe { *block.dst.add(row * block.dst_row + j) = *src.offset(row as isize * block.src_row) };
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(clippy::undocumented_unsafe_blocks)] // shuffles; see the functions' contracts

    use super::Block;
    use std::arch::x86_64::*;

    /// Transposes as many whole squares as fit and tells how many rows and columns of the block that is.
    ///
    /// # Safety
    /// The block is valid and has `src_row == 1`; the processor has AVX.
    pub unsafe fn whole_squares<T>(block: &Block<T>) -> (usize, usize) {
        let side = 32 / size_of::<T>();
        if block.rows < side || block.width < side {
            return (0, 0);
        }
        // The last squares lie over those before them where the block is no multiple of a square.
        let (rows, cols) = (block.rows, block.width);
        let mut row = 0;
        loop {
            let mut j = 0;
            loop {
                let src = block.src.wrapping_add(row).wrapping_offset(j as isize * block.src_col);
                unsafe {
                    let dst = block.dst.add(row * block.dst_row + j);
                    match size_of::<T>() {
                        4 => square_f32(src.cast(), block.src_col, dst.cast(), block.dst_row),
                        _ => square_f64(src.cast(), block.src_col, dst.cast(), block.dst_row),
                    }
                }
                if j + side >= cols {
                    break;
                }
                j = (j + side).min(cols - side);
            }
            if row + side >= rows {
                break;
            }
            row = (row + side).min(rows - side);
        }
        (rows, cols)
    }

    /// Eight runs of eight, `from` elements apart, become eight rows.
    ///
    /// # Safety
    /// Both squares are valid; the processor has AVX.
    #[target_feature(enable = "avx")]
    unsafe fn square_f32(src: *const f32, from: isize, dst: *mut f32, to: usize) {
        for half in 0..2 {
            // Runs i and i + 4 share a register, so that each half of it is a 4 × 4 square.
            let pair = |i: isize| unsafe {
                let run = src.offset(i * from).add(4 * half);
                let low = _mm256_castps128_ps256(_mm_loadu_ps(run));
                _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(run.offset(4 * from)))
            };
            let (a, b, c, d) = (pair(0), pair(1), pair(2), pair(3));
            let (ab_low, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            let (cd_low, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
            unsafe {
                let dst = dst.add(4 * half * to);
                _mm256_storeu_ps(dst, _mm256_shuffle_ps::<0x44>(ab_low, cd_low));
                _mm256_storeu_ps(dst.add(to), _mm256_shuffle_ps::<0xEE>(ab_low, cd_low));
                _mm256_storeu_ps(dst.add(2 * to), _mm256_shuffle_ps::<0x44>(ab_high, cd_high));
                _mm256_storeu_ps(dst.add(3 * to), _mm256_shuffle_ps::<0xEE>(ab_high, cd_high));
            }
        }
    }

    /// Four runs of four, `from` elements apart, become four rows.
    ///
    /// # Safety
    /// Both squares are valid; the processor has AVX.
    #[target_feature(enable = "avx")]
    unsafe fn square_f64(src: *const f64, from: isize, dst: *mut f64, to: usize) {
        for half in 0..2 {
            let pair = |i: isize| unsafe {
                let run = src.offset(i * from).add(2 * half);
                let low = _mm256_castpd128_pd256(_mm_loadu_pd(run));
                _mm256_insertf128_pd::<1>(low, _mm_loadu_pd(run.offset(2 * from)))
            };
            let (a, b) = (pair(0), pair(1));
            unsafe {
                let dst = dst.add(2 * half * to);
                _mm256_storeu_pd(dst, _mm256_unpacklo_pd(a, b));
                _mm256_storeu_pd(dst.add(to), _mm256_unpackhi_pd(a, b));
            }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod x86 {
    pub unsafe fn whole_squares<T>(_: &super::Block<T>) -> (usize, usize) {
        (0, 0)
    }
}
