//! Products with few rows (m ≤ 4): every element of B is used once or a few times, so the work is to read B at the
//! speed of memory, in the order in which it lies there, without packing it.

use super::GemmFloat;
use super::drive::{self, Product};
use super::micro::MAX_TILE;
use super::workspace;
use crate::math::MathFloat;
use crate::pool;
use crate::simd::{Kernel, Simd, Vector, dispatch};
use crate::view::Mat;
use std::ops::Range;

/// The most rows that go this way.
pub const MAX_ROWS: usize = 4;

/// Bytes of B that are worth a second thread.
const WORTH: usize = 256 << 10;

/// A few rows of A against some columns of B; the sums go to `y`, `y_row` elements from one row to the next.
pub struct Strip<T> {
    a: Mat<T>,
    b: Mat<T>,
    y: *mut T,
    y_row: usize,
}

/// # Safety
/// The views are valid, `y` holds a row of `b.cols` for every row of A, and the processor has the instruction set.
pub type StripFn<T> = unsafe fn(&Strip<T>);

/// Whether a product goes this way.
pub fn fits<T>(a: Mat<T>, b: Mat<T>, lanes: usize) -> bool {
    let by_dots = b.row_stride == 1 && a.col_stride == 1;
    let by_rows = b.col_stride == 1 && b.cols >= 8 * lanes;
    a.rows <= MAX_ROWS && a.cols >= lanes && (by_dots || by_rows)
}

/// # Safety
/// As [`drive::run`], for a product that [`fits`].
pub unsafe fn run<T: GemmFloat>(p: &Product<'_, T>, b: Mat<T>, threads: usize) {
    let line = 64 / size_of::<T>();
    let bytes = p.k.saturating_mul(p.n).saturating_mul(size_of::<T>());
    let parts = threads.min(bytes / WORTH + 1).min(p.n.div_ceil(4 * line));
    let per_part = p.n.div_ceil(parts).next_multiple_of(line);
    pool::run_on(threads, p.n.div_ceil(per_part), &|part| {
        // SAFETY: parts do not overlap.
        unsafe { columns(p, b, part * per_part..((part + 1) * per_part).min(p.n)) };
    });
}

/// # Safety
/// As [`run`]; nobody else writes to the columns.
unsafe fn columns<T: GemmFloat>(p: &Product<'_, T>, b: Mat<T>, cols: Range<usize>) {
    // The sums of a chunk stay in the first-level cache while B streams past.
    let chunk = (16 << 10) / size_of::<T>() / p.m;
    let strip = if b.row_stride == 1 && p.a.col_stride == 1 { p.micro.dots } else { p.micro.rows_of_b };
    let width = p.micro.cols().min(MAX_TILE);
    workspace::with(p.m * chunk * size_of::<T>(), |memory| {
        let y = memory.cast::<T>();
        for start in cols.clone().step_by(chunk) {
            let part = start..(start + chunk).min(cols.end);
            let b = Mat { ptr: b.at(0, part.start), cols: part.len(), ..b };
            let a = Mat { rows: p.m, cols: p.k, ..p.a };
            // SAFETY: the buffer holds a chunk for every row. The epilogue works on the buffer, since the residual may
            // be C.
            unsafe {
                strip(&Strip { a, b, y, y_row: chunk });
                if !p.epilogue.is_identity() {
                    for left in part.clone().step_by(width) {
                        let right = (left + width).min(part.end);
                        drive::finish_in(p, y.add(left - part.start), chunk as isize, 0..p.m, left..right);
                    }
                }
                for i in 0..p.m {
                    let c = p.c.wrapping_offset(i as isize * p.c_row).wrapping_add(part.start);
                    std::ptr::copy_nonoverlapping(y.add(i * chunk), c, part.len());
                }
            }
        }
    });
}

/// For a B with unit stride along its rows: four rows at a time are added to the sums.
///
/// # Safety
/// As [`StripFn`].
pub unsafe fn rows_entry<T: MathFloat, S: Simd>(strip: &Strip<T>) {
    dispatch(S::ISA, Rows(strip));
}

/// For a B with unit stride along its columns: four columns at a time are multiplied with the rows of A.
///
/// # Safety
/// As [`StripFn`].
pub unsafe fn dots_entry<T: MathFloat, S: Simd>(strip: &Strip<T>) {
    dispatch(S::ISA, Dots(strip));
}

struct Rows<'a, T>(&'a Strip<T>);

impl<T: MathFloat> Kernel for Rows<'_, T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller vouches for the strip.
        unsafe {
            let (k, n) = (self.0.a.cols, self.0.b.cols);
            for i in 0..self.0.a.rows {
                std::slice::from_raw_parts_mut(self.0.y.add(i * self.0.y_row), n).fill(T::ZERO);
            }
            let mut at = 0;
            while at + 4 <= k {
                self.step::<S, 4>(at);
                at += 4;
            }
            while at < k {
                self.step::<S, 1>(at);
                at += 1;
            }
        }
    }
}

impl<T: MathFloat> Rows<'_, T> {
    /// Adds `N` rows of B to the sums, in order.
    ///
    /// # Safety
    /// As [`StripFn`]; the rows exist.
    #[inline(always)]
    unsafe fn step<S: Simd, const N: usize>(&self, at: usize) {
        let s = self.0;
        let (n, lanes) = (s.b.cols, <T::V<S> as Vector>::LANES);
        for i in 0..s.a.rows {
            // SAFETY: as above.
            unsafe {
                let y = s.y.add(i * s.y_row);
                let x: [T::V<S>; N] = std::array::from_fn(|r| T::V::<S>::splat(*s.a.at(i, at + r)));
                let rows: [*const T; N] = std::array::from_fn(|r| s.b.at(at + r, 0));
                let mut j = 0;
                while j + lanes <= n {
                    let mut sum = T::V::<S>::load(y.add(j));
                    for r in 0..N {
                        sum = x[r].mul_add(T::V::<S>::load(rows[r].add(j)), sum);
                    }
                    sum.store(y.add(j));
                    j += lanes;
                }
                if j < n {
                    let mut sum = T::V::<S>::load_n(y.add(j), n - j);
                    for r in 0..N {
                        sum = x[r].mul_add(T::V::<S>::load_n(rows[r].add(j), n - j), sum);
                    }
                    sum.store_n(y.add(j), n - j);
                }
            }
        }
    }
}

struct Dots<'a, T>(&'a Strip<T>);

impl<T: MathFloat> Kernel for Dots<'_, T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let s = self.0;
        for i in 0..s.a.rows {
            let mut j = 0;
            // SAFETY: the columns exist.
            unsafe {
                while j + 4 <= s.b.cols {
                    self.group::<S, 4>(i, j);
                    j += 4;
                }
                while j < s.b.cols {
                    self.group::<S, 1>(i, j);
                    j += 1;
                }
            }
        }
    }
}

impl<T: MathFloat> Dots<'_, T> {
    /// Row `i` of A with `N` columns of B. The grouping of a sum does not depend on `N`.
    ///
    /// # Safety
    /// As [`StripFn`]; row and columns exist.
    #[inline(always)]
    unsafe fn group<S: Simd, const N: usize>(&self, i: usize, j: usize) {
        let s = self.0;
        let (k, lanes) = (s.a.cols, <T::V<S> as Vector>::LANES);
        // SAFETY: as above. A has unit stride along its rows.
        unsafe {
            let a = s.a.at(i, 0);
            let cols: [*const T; N] = std::array::from_fn(|c| s.b.at(0, j + c));
            let mut even = [T::V::<S>::zero(); N];
            let mut odd = [T::V::<S>::zero(); N];
            let mut at = 0;
            while at + 2 * lanes <= k {
                let (x0, x1) = (T::V::<S>::load(a.add(at)), T::V::<S>::load(a.add(at + lanes)));
                for c in 0..N {
                    even[c] = x0.mul_add(T::V::<S>::load(cols[c].add(at)), even[c]);
                    odd[c] = x1.mul_add(T::V::<S>::load(cols[c].add(at + lanes)), odd[c]);
                }
                at += 2 * lanes;
            }
            while at < k {
                let n = lanes.min(k - at);
                let part = |p: *const T| if n == lanes { T::V::<S>::load(p) } else { T::V::<S>::load_n(p, n) };
                let x = part(a.add(at));
                for c in 0..N {
                    even[c] = x.mul_add(part(cols[c].add(at)), even[c]);
                }
                at += n;
            }
            for c in 0..N {
                *s.y.add(i * s.y_row + j + c) = even[c].add(odd[c]).sum();
            }
        }
    }
}
