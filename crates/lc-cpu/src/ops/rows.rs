//! Functions of whole rows: each row of a strided matrix becomes a row of a C-contiguous one.

use crate::isa::Isa;
use crate::ops::elementwise::{Shared, copy_block};
use crate::pool;
use crate::simd::{Float, Kernel, Simd, Vector, dispatch};

/// What is done to a row.
pub(crate) trait RowFunction<T: Float>: Sync {
    /// Writes the `cols` results of the row `x`; `out` may be `x`. Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// Only inside [`Kernel::run`] of `S`; both must be valid for `cols` elements.
    unsafe fn row<S: Simd>(&self, x: *const T, out: *mut T, cols: usize);
}

/// Elements below which a second thread costs more than it saves.
const PARALLEL_ELEMENTS: usize = 24 << 10;

/// Rows that are made contiguous together, so that a transposed matrix is read by whole cache lines.
const BLOCK_ROWS: usize = 16;

/// Applies `f` to every row.
///
/// # Safety
/// Every element of the `rows` × `cols` view must be readable, `out` writable for as many and disjoint from the view
/// unless they are the same contiguous memory, and `isa` available.
pub(crate) unsafe fn each_row<T: Float>(
    isa: Isa,
    threads: usize,
    f: &impl RowFunction<T>,
    rows: usize,
    cols: usize,
    x: *const T,
    row_stride: isize,
    col_stride: isize,
    out: *mut T,
) {
    if rows == 0 || cols == 0 {
        return;
    }
    let (x, out) = (Shared::new(x), Shared::new(out));
    let part = |first: usize, count: usize| {
        let x = x.ptr().cast_const().wrapping_offset(first as isize * row_stride);
        let out = out.ptr().wrapping_add(first * cols);
        dispatch(isa, Part { f, rows: count, cols, x, row_stride, col_stride, out });
    };
    let tasks = if rows.saturating_mul(cols) < PARALLEL_ELEMENTS { 1 } else { threads.clamp(1, rows) };
    if tasks == 1 {
        return part(0, rows);
    }
    let chunk = rows.div_ceil(tasks);
    pool::run(tasks, &|task| {
        let first = (task * chunk).min(rows);
        part(first, chunk.min(rows - first));
    });
}

struct Part<'a, T, F> {
    f: &'a F,
    rows: usize,
    cols: usize,
    x: *const T,
    row_stride: isize,
    col_stride: isize,
    out: *mut T,
}

impl<T: Float, F: RowFunction<T>> Kernel for Part<'_, T, F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Part { f, rows, cols, x, row_stride, col_stride, out } = self;
        for first in (0..rows).step_by(BLOCK_ROWS) {
            let count = BLOCK_ROWS.min(rows - first);
            let mut from = x.wrapping_offset(first as isize * row_stride);
            let mut step = row_stride;
            let to = out.wrapping_add(first * cols);
            // SAFETY: inside `Kernel::run`; these rows are part of the view and of the result, by the contract of
            // `each_row`. Rows that are not contiguous are first copied to where their results go.
            unsafe {
                if col_stride != 1 && cols > 1 {
                    copy_block(from, row_stride, col_stride, to, cols, count, cols);
                    (from, step) = (to.cast_const(), cols as isize);
                }
                for row in 0..count {
                    f.row::<S>(from.wrapping_offset(row as isize * step), to.add(row * cols), cols);
                }
            }
        }
    }
}

/// A vector of parameters, one a column, as contiguous memory: the caller's if it is, else a copy.
pub(crate) struct Columns<T> {
    ptr: *const T,
    _copy: Option<Vec<T>>,
}

// SAFETY: an address of elements that are only read, and what owns them.
unsafe impl<T: Sync> Sync for Columns<T> {}

impl<T: Float> Columns<T> {
    /// # Safety
    /// The `n` elements must be readable while this lives.
    pub(crate) unsafe fn new((ptr, stride): (*const T, isize), n: usize) -> Columns<T> {
        if stride == 1 || n <= 1 {
            return Columns { ptr, _copy: None };
        }
        // SAFETY: the caller's contract.
        let copy: Vec<T> = (0..n).map(|i| unsafe { *ptr.wrapping_offset(i as isize * stride) }).collect();
        Columns { ptr: copy.as_ptr(), _copy: Some(copy) }
    }

    pub(crate) fn ptr(&self) -> *const T {
        self.ptr
    }
}

/// Calls `step` for the whole vectors of `n` elements, four at a time and numbered so, and for the rest.
///
/// `step(i, u, part)`: the elements from `i` on; `u < 4` tells sums apart that may run side by side; `part` is how many
/// elements there are if fewer than a vector, else 0.
#[inline(always)]
pub(crate) fn each_vector(lanes: usize, n: usize, mut step: impl FnMut(usize, usize, usize)) {
    let mut i = 0;
    while i + 4 * lanes <= n {
        step(i, 0, 0);
        step(i + lanes, 1, 0);
        step(i + 2 * lanes, 2, 0);
        step(i + 3 * lanes, 3, 0);
        i += 4 * lanes;
    }
    while i + lanes <= n {
        step(i, 0, 0);
        i += lanes;
    }
    if i < n {
        step(i, 1, n - i);
    }
}

/// The elements from `ptr` on: a vector, or `part` of one and zeros.
///
/// # Safety
/// Only inside [`Kernel::run`] of `S`; the elements must be readable.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd, T: Float>(ptr: *const T, part: usize) -> T::V<S> {
    // SAFETY: the caller's contract.
    unsafe { if part == 0 { T::V::<S>::load(ptr) } else { T::V::<S>::load_n(ptr, part) } }
}

/// Writes a vector, or `part` of one.
///
/// # Safety
/// Only inside [`Kernel::run`] of `S`; the elements must be writable.
#[inline(always)]
pub(crate) unsafe fn store<S: Simd, T: Float>(x: T::V<S>, ptr: *mut T, part: usize) {
    // SAFETY: the caller's contract.
    unsafe { if part == 0 { x.store(ptr) } else { x.store_n(ptr, part) } }
}

/// The sum of four vectors of sums.
///
/// # Safety
/// Only inside [`Kernel::run`] of `S`.
#[inline(always)]
pub(crate) unsafe fn total<S: Simd, T: Float>([a, b, c, d]: [T::V<S>; 4]) -> f64 {
    // SAFETY: arithmetic only.
    unsafe { a.add(b).add(c.add(d)).sum().to_f64() }
}
