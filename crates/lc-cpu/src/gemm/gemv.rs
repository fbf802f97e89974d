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
    // The sums of a chunk stay in the first-level cache while B streams past. Whole cache lines: a chunk that starts within
    // one makes every other load of B two.
    let line = 64 / size_of::<T>();
    let chunk = (16 << 10) / size_of::<T>() / p.m / line * line;
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

/// For a B with unit stride along its columns: a few columns at a time are multiplied with all rows of A.
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
        // Four rows of B at a time: two would pass over the sums twice as often, which costs more than the broadcast
        // elements of A that four rows leave no register for.
        // SAFETY: the caller vouches for the strip.
        unsafe {
            match self.0.a.rows {
                1 => self.all::<S, 1, 4>(),
                2 => self.all::<S, 2, 4>(),
                3 => self.all::<S, 3, 4>(),
                _ => self.all::<S, 4, 4>(),
            }
        }
    }
}

impl<T: MathFloat> Rows<'_, T> {
    /// # Safety
    /// As [`StripFn`], for a strip of `M` rows.
    #[inline(always)]
    unsafe fn all<S: Simd, const M: usize, const N: usize>(&self) {
        // SAFETY: as above.
        unsafe {
            for i in 0..M {
                std::slice::from_raw_parts_mut(self.0.y.add(i * self.0.y_row), self.0.b.cols).fill(T::ZERO);
            }
            let (mut at, k) = (0, self.0.a.cols);
            while at + N <= k {
                self.step::<S, M, N>(at);
                at += N;
            }
            while at < k {
                self.step::<S, M, 1>(at);
                at += 1;
            }
        }
    }

    /// Adds `N` rows of B to the sums of all `M` rows, in order: each vector of B is loaded once.
    ///
    /// # Safety
    /// As [`StripFn`]; the rows exist.
    #[inline(always)]
    unsafe fn step<S: Simd, const M: usize, const N: usize>(&self, at: usize) {
        let s = self.0;
        let (n, lanes) = (s.b.cols, <T::V<S> as Vector>::LANES);
        // SAFETY: as above.
        unsafe {
            let mut x = [[T::V::<S>::zero(); N]; M];
            for i in 0..M {
                for r in 0..N {
                    x[i][r] = T::V::<S>::splat(*s.a.at(i, at + r));
                }
            }
            let mut rows = [std::ptr::null(); N];
            for r in 0..N {
                rows[r] = s.b.at(at + r, 0);
            }
            let mut j = 0;
            while j + lanes <= n {
                let mut b = [T::V::<S>::zero(); N];
                for r in 0..N {
                    b[r] = T::V::<S>::load(rows[r].add(j));
                }
                for i in 0..M {
                    let y = s.y.add(i * s.y_row + j);
                    let mut sum = T::V::<S>::load(y);
                    for r in 0..N {
                        sum = x[i][r].mul_add(b[r], sum);
                    }
                    sum.store(y);
                }
                j += lanes;
            }
            if j < n {
                for i in 0..M {
                    let y = s.y.add(i * s.y_row + j);
                    let mut sum = T::V::<S>::load_n(y, n - j);
                    for r in 0..N {
                        sum = x[i][r].mul_add(T::V::<S>::load_n(rows[r].add(j), n - j), sum);
                    }
                    sum.store_n(y, n - j);
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
        // Columns at a time, two sums each for every row, so that the sums fit into half of sixteen registers.
        // SAFETY: the caller vouches for the strip.
        unsafe {
            match self.0.a.rows {
                1 => self.all::<S, 1, 4>(),
                2 => self.all::<S, 2, 2>(),
                3 => self.all::<S, 3, 1>(),
                _ => self.all::<S, 4, 1>(),
            }
        }
    }
}

impl<T: MathFloat> Dots<'_, T> {
    /// # Safety
    /// As [`StripFn`], for a strip of `M` rows.
    #[inline(always)]
    unsafe fn all<S: Simd, const M: usize, const N: usize>(&self) {
        let (mut j, n) = (0, self.0.b.cols);
        // SAFETY: the columns exist.
        unsafe {
            while j + N <= n {
                self.group::<S, M, N>(j);
                j += N;
            }
            while j < n {
                self.group::<S, M, 1>(j);
                j += 1;
            }
        }
    }

    /// `M` rows of A with `N` columns of B, each element of B loaded once. The grouping of a sum depends on neither.
    ///
    /// # Safety
    /// As [`StripFn`]; rows and columns exist.
    #[inline(always)]
    unsafe fn group<S: Simd, const M: usize, const N: usize>(&self, j: usize) {
        let s = self.0;
        let (k, lanes) = (s.a.cols, <T::V<S> as Vector>::LANES);
        // SAFETY: as above. A has unit stride along its rows.
        unsafe {
            let mut a = [std::ptr::null(); M];
            for i in 0..M {
                a[i] = s.a.at(i, 0);
            }
            let mut cols = [std::ptr::null(); N];
            for c in 0..N {
                cols[c] = s.b.at(0, j + c);
            }
            let mut even = [[T::V::<S>::zero(); N]; M];
            let mut odd = [[T::V::<S>::zero(); N]; M];
            let mut at = 0;
            while at + 2 * lanes <= k {
                for c in 0..N {
                    let b0 = T::V::<S>::load(cols[c].add(at));
                    let b1 = T::V::<S>::load(cols[c].add(at + lanes));
                    for i in 0..M {
                        even[i][c] = T::V::<S>::load(a[i].add(at)).mul_add(b0, even[i][c]);
                        odd[i][c] = T::V::<S>::load(a[i].add(at + lanes)).mul_add(b1, odd[i][c]);
                    }
                }
                at += 2 * lanes;
            }
            while at < k {
                let n = lanes.min(k - at);
                for c in 0..N {
                    let b = part::<T, S>(cols[c].add(at), n);
                    for i in 0..M {
                        even[i][c] = part::<T, S>(a[i].add(at), n).mul_add(b, even[i][c]);
                    }
                }
                at += n;
            }
            for i in 0..M {
                for c in 0..N {
                    *s.y.add(i * s.y_row + j + c) = even[i][c].add(odd[i][c]).sum();
                }
            }
        }
    }
}

/// The first `n` lanes, all of them or fewer.
///
/// # Safety
/// `n` elements can be read.
#[inline(always)]
unsafe fn part<T: MathFloat, S: Simd>(p: *const T, n: usize) -> T::V<S> {
    // SAFETY: by contract.
    unsafe { if n == T::V::<S>::LANES { T::V::<S>::load(p) } else { T::V::<S>::load_n(p, n) } }
}
