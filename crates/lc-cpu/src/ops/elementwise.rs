//! `out = f(inputs…)`, element by element, over any strides.
//!
//! Every operand is read once and the result is written once. What limits the speed is the level of memory that the
//! operands live in, so the only decisions here are how many threads share the work and whether the result goes past the
//! caches (see [`Plan::of`]).

use crate::isa::Isa;
use crate::machine;
use crate::pool;
use crate::simd::{Float, Kernel, Simd, Vector, dispatch, fence};

/// A binary operation of IEEE 754 arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`: `x / 0` is ±∞ and `0 / 0` is NaN.
    Div,
}

/// `out[i] = a[i] op b[i]`
///
/// `a` and `b` are views of `shape` with strides in elements (zero and negative ones included); `out` is C-contiguous.
/// `out` may be the very memory of an input that is C-contiguous itself; any other overlap gives unspecified values.
/// `threads` bounds how many threads work on it; the result does not depend on it.
///
/// # Safety
/// Every element that a view reaches must be readable, `out` must be writable for the product of `shape`, and `isa` must
/// be available.
pub unsafe fn binary<T: Float>(
    isa: Isa,
    threads: usize,
    op: BinaryOp,
    shape: &[usize],
    a: *const T,
    a_strides: &[isize],
    b: *const T,
    b_strides: &[isize],
    out: *mut T,
) {
    let (inputs, strides) = ([a, b], [a_strides, b_strides]);
    // SAFETY: the caller's contract is the one of `map`.
    unsafe {
        match op {
            BinaryOp::Add => map(isa, threads, Add, shape, inputs, strides, out),
            BinaryOp::Sub => map(isa, threads, Sub, shape, inputs, strides, out),
            BinaryOp::Mul => map(isa, threads, Mul, shape, inputs, strides, out),
            BinaryOp::Div => map(isa, threads, Div, shape, inputs, strides, out),
        }
    }
}

/// A function of `N` numbers that is applied lane by lane.
pub(crate) trait Pointwise<T: Float, const N: usize>: Copy + Sync {
    /// The function. Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// Only inside [`Kernel::run`] of the instruction set `S`.
    unsafe fn apply<S: Simd>(self, x: [T::V<S>; N]) -> T::V<S>;
}

#[derive(Clone, Copy)]
pub(super) struct Add;
#[derive(Clone, Copy)]
pub(super) struct Sub;
#[derive(Clone, Copy)]
pub(super) struct Mul;
#[derive(Clone, Copy)]
pub(super) struct Div;

impl<T: Float> Pointwise<T, 2> for Add {
    #[inline(always)]
    unsafe fn apply<S: Simd>(self, [a, b]: [T::V<S>; 2]) -> T::V<S> {
        // SAFETY: inside `Kernel::run`, by the trait's contract.
        unsafe { a.add(b) }
    }
}

impl<T: Float> Pointwise<T, 2> for Sub {
    #[inline(always)]
    unsafe fn apply<S: Simd>(self, [a, b]: [T::V<S>; 2]) -> T::V<S> {
        // SAFETY: inside `Kernel::run`, by the trait's contract.
        unsafe { a.sub(b) }
    }
}

impl<T: Float> Pointwise<T, 2> for Mul {
    #[inline(always)]
    unsafe fn apply<S: Simd>(self, [a, b]: [T::V<S>; 2]) -> T::V<S> {
        // SAFETY: inside `Kernel::run`, by the trait's contract.
        unsafe { a.mul(b) }
    }
}

impl<T: Float> Pointwise<T, 2> for Div {
    #[inline(always)]
    unsafe fn apply<S: Simd>(self, [a, b]: [T::V<S>; 2]) -> T::V<S> {
        // SAFETY: inside `Kernel::run`, by the trait's contract.
        unsafe { a.div(b) }
    }
}

/// Bytes read and written below which a second thread costs more than it saves.
const PARALLEL_BYTES: usize = 384 << 10;

/// How a run of memory is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// Operands fit the caches: nothing but loads and stores, which the hardware prefetches better than software.
    Near,
    /// They come from memory: write the result past the caches.
    Stream,
}

/// How one call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Threads that share the work.
    pub(super) tasks: usize,
    pub(super) pass: Pass,
}

impl Plan {
    /// The plan for a call that touches `bytes` in all.
    ///
    /// A plain store of a line that is in no cache first reads it and later writes it back, so it costs twice its size; a
    /// streaming store writes it once, but to memory. While the operands fit the last level, plain stores stay inside of
    /// it and leave the result where its reader finds it. Once they do not, the result would be evicted anyway.
    #[inline]
    pub(super) fn of(bytes: usize, threads: usize) -> Plan {
        if bytes < PARALLEL_BYTES {
            return Plan { tasks: 1, pass: Pass::Near };
        }
        let pass = if bytes > machine::caches().l3 { Pass::Stream } else { Pass::Near };
        Plan { tasks: threads.max(1), pass }
    }
}

/// `out = f(inputs…)` over `shape`: the engine of every element-wise op.
///
/// # Safety
/// As [`binary`], for each input.
#[inline]
pub(crate) unsafe fn map<T: Float, F: Pointwise<T, N>, const N: usize>(
    isa: Isa,
    threads: usize,
    f: F,
    shape: &[usize],
    inputs: [*const T; N],
    strides: [&[isize]; N],
    out: *mut T,
) {
    let total: usize = shape.iter().product();
    if total == 0 {
        return;
    }
    if strides.iter().all(|s| is_contiguous(shape, s)) {
        let plan = Plan::of((N + 1).saturating_mul(total).saturating_mul(size_of::<T>()), threads);
        if plan.tasks == 1 {
            dispatch(isa, Span::<T, F, N> { f, inputs, out, len: total, pass: plan.pass });
            return;
        }
        // Chunks are whole cache lines of an aligned result, so that no two threads write to one line.
        let chunk = total.div_ceil(plan.tasks).next_multiple_of(LINE / size_of::<T>());
        let (inputs, out) = (inputs.map(Shared::new), Shared::new(out));
        pool::run(plan.tasks, &|task| {
            let start = (task * chunk).min(total);
            let len = chunk.min(total - start);
            let inputs = inputs.map(|p| p.ptr().wrapping_add(start).cast_const());
            let out = out.ptr().wrapping_add(start);
            dispatch(isa, Span::<T, F, N> { f, inputs, out, len, pass: plan.pass });
        });
        return;
    }
    let loops = Loops::new(shape, inputs, strides, out);
    let rows = total / loops.cols();
    let plan = Plan::of((N + 1).saturating_mul(total).saturating_mul(size_of::<T>()), threads);
    let tasks = plan.tasks.min(rows);
    if tasks == 1 {
        dispatch(isa, Strided { f, loops: &loops, rows: 0..rows, pass: plan.pass });
        return;
    }
    let chunk = rows.div_ceil(tasks).next_multiple_of(TILE_ROWS);
    pool::run(tasks, &|task| {
        let start = (task * chunk).min(rows);
        let rows = start..(start + chunk).min(rows);
        dispatch(isa, Strided { f, loops: &loops, rows, pass: plan.pass });
    });
}

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// A pointer that tasks on several threads hold. Who dereferences it vouches that no two tasks write to one element.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(*mut T);

// SAFETY: it is only an address; see the type.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    #[inline(always)]
    pub(crate) fn new(ptr: impl IntoMutPtr<T>) -> Shared<T> {
        Shared(ptr.into_mut_ptr())
    }

    #[inline(always)]
    pub(crate) fn ptr(self) -> *mut T {
        self.0
    }
}

/// Either kind of raw pointer.
pub(crate) trait IntoMutPtr<T> {
    fn into_mut_ptr(self) -> *mut T;
}

impl<T> IntoMutPtr<T> for *const T {
    #[inline(always)]
    fn into_mut_ptr(self) -> *mut T {
        self.cast_mut()
    }
}

impl<T> IntoMutPtr<T> for *mut T {
    #[inline(always)]
    fn into_mut_ptr(self) -> *mut T {
        self
    }
}

/// Whether a view of `shape` with these strides is C-contiguous; the stride of an extent of 1 does not matter.
pub(crate) fn is_contiguous(shape: &[usize], strides: &[isize]) -> bool {
    let mut expected = 1isize;
    for (&extent, &stride) in shape.iter().zip(strides).rev() {
        if extent != 1 && stride != expected {
            return false;
        }
        expected = expected.wrapping_mul(extent as isize);
    }
    true
}

/// One contiguous run.
struct Span<T, F, const N: usize> {
    f: F,
    inputs: [*const T; N],
    out: *mut T,
    len: usize,
    pass: Pass,
}

impl<T: Float, F: Pointwise<T, N>, const N: usize> Kernel for Span<T, F, N> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Span { f, inputs, out, len, pass } = self;
        // SAFETY: inside `Kernel::run`; the pointers are valid for `len` elements by the contract of `map`.
        unsafe {
            match pass {
                Pass::Near => span::<S, T, F, N, NEAR>(f, inputs, [false; N], out, len),
                Pass::Stream => {
                    span::<S, T, F, N, STREAM>(f, inputs, [false; N], out, len);
                    fence();
                }
            }
        }
    }
}

// The passes as constants of `span`.
const NEAR: u8 = Pass::Near as u8;
pub(super) const STREAM: u8 = Pass::Stream as u8;

/// `out[i] = f(inputs[i]…)` for `len` elements; an input with `fixed` has one element that serves all.
///
/// # Safety
/// Inside [`Kernel::run`]; the pointers must be valid for that many elements.
#[inline(always)]
pub(super) unsafe fn span<S: Simd, T: Float, F: Pointwise<T, N>, const N: usize, const PASS: u8>(
    f: F,
    inputs: [*const T; N],
    fixed: [bool; N],
    out: *mut T,
    len: usize,
) {
    let lanes = T::V::<S>::LANES;
    // SAFETY: every access below is at an index less than `len`, or of the single element of a fixed input.
    unsafe {
        let mut splats = [T::V::<S>::zero(); N];
        for k in 0..N {
            if fixed[k] {
                splats[k] = T::V::<S>::splat(*inputs[k]);
            }
        }
        let mut head = 0;
        let mut stream = false;
        if PASS == STREAM {
            // A streaming store wants an aligned address: the elements before it are stored plainly.
            let align = lanes * size_of::<T>();
            head = out.align_offset(align).min(len);
            if head >= lanes {
                head = 0;
            }
            stream = out.add(head).addr() % align == 0;
            if head > 0 {
                let y = values::<S, T, F, N>(f, inputs, fixed, splats, 0, head);
                y.store_n(out, head);
            }
        }
        let block = 4 * lanes;
        let blocks = (len - head) / block;
        let mut i = head;
        for _ in 0..blocks {
            let y = [
                values::<S, T, F, N>(f, inputs, fixed, splats, i, lanes),
                values::<S, T, F, N>(f, inputs, fixed, splats, i + lanes, lanes),
                values::<S, T, F, N>(f, inputs, fixed, splats, i + 2 * lanes, lanes),
                values::<S, T, F, N>(f, inputs, fixed, splats, i + 3 * lanes, lanes),
            ];
            for (u, y) in y.into_iter().enumerate() {
                if PASS == STREAM && stream {
                    y.stream(out.add(i + u * lanes));
                } else {
                    y.store(out.add(i + u * lanes));
                }
            }
            i += block;
        }
        while i + lanes <= len {
            values::<S, T, F, N>(f, inputs, fixed, splats, i, lanes).store(out.add(i));
            i += lanes;
        }
        if i < len {
            let rest = len - i;
            values::<S, T, F, N>(f, inputs, fixed, splats, i, rest).store_n(out.add(i), rest);
        }
    }
}

/// `f` of the elements from `i` on: a vector of them, or the `count` first.
///
/// A function and no closure of `span`: a large closure is not inlined, and outside of the function with the target
/// features every intrinsic of it is a call.
///
/// # Safety
/// As [`span`], with `i + count` at most its length.
#[inline(always)]
unsafe fn values<S: Simd, T: Float, F: Pointwise<T, N>, const N: usize>(
    f: F,
    inputs: [*const T; N],
    fixed: [bool; N],
    splats: [T::V<S>; N],
    i: usize,
    count: usize,
) -> T::V<S> {
    let lanes = T::V::<S>::LANES;
    let mut x = splats;
    for k in 0..N {
        if !fixed[k] {
            // SAFETY: the caller's contract.
            x[k] = unsafe {
                if count == lanes {
                    T::V::<S>::load(inputs[k].add(i))
                } else {
                    T::V::<S>::load_n(inputs[k].add(i), count)
                }
            };
        }
    }
    // SAFETY: inside `Kernel::run`, by the caller's contract.
    unsafe { f.apply::<S>(x) }
}

/// One loop of a nest, outermost first: its extent, and what one step of it moves each input.
#[derive(Clone, Copy)]
pub(super) struct Loop<const N: usize> {
    pub(super) extent: usize,
    pub(super) strides: [isize; N],
}

/// The nest of loops over a view, with extents of 1 dropped and neighbours merged where all strides allow.
pub(super) struct Loops<T, const N: usize> {
    pub(super) inputs: [*const T; N],
    pub(super) out: *mut T,
    pub(super) nest: Vec<Loop<N>>,
}

// SAFETY: addresses only; tasks write disjoint rows of `out`.
unsafe impl<T: Send, const N: usize> Sync for Loops<T, N> {}

impl<T, const N: usize> Loops<T, N> {
    pub(super) fn new(shape: &[usize], inputs: [*const T; N], strides: [&[isize]; N], out: *mut T) -> Self {
        let mut nest: Vec<Loop<N>> = Vec::with_capacity(shape.len().max(2));
        for (d, &extent) in shape.iter().enumerate() {
            if extent == 1 {
                continue;
            }
            let inner = Loop { extent, strides: std::array::from_fn(|k| strides[k][d]) };
            match nest.last_mut() {
                Some(outer) if (0..N).all(|k| outer.strides[k] == inner.strides[k].wrapping_mul(extent as isize)) => {
                    *outer = Loop { extent: outer.extent * extent, strides: inner.strides };
                }
                _ => nest.push(inner),
            }
        }
        while nest.len() < 2 {
            nest.insert(0, Loop { extent: 1, strides: [0; N] });
        }
        Loops { inputs, out, nest }
    }

    pub(super) fn cols(&self) -> usize {
        self.nest[self.nest.len() - 1].extent
    }
}

/// Rows and columns of the block that is made contiguous where an input has no unit stride along the columns.
pub(super) const TILE_ROWS: usize = 16;
pub(super) const TILE_COLS: usize = 64;

/// The rows `rows` of a nest, counted over all its loops but the innermost.
struct Strided<'a, T, F, const N: usize> {
    f: F,
    loops: &'a Loops<T, N>,
    rows: std::ops::Range<usize>,
    pass: Pass,
}

impl<T: Float, F: Pointwise<T, N>, const N: usize> Kernel for Strided<'_, T, F, N> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Strided { f, loops, rows, pass } = self;
        let (outer, plane) = loops.nest.split_at(loops.nest.len() - 2);
        let (height, cols) = (plane[0].extent, plane[1].extent);
        let (row_strides, col_strides) = (plane[0].strides, plane[1].strides);
        let mut row = rows.start;
        while row < rows.end {
            // The plane that `row` is in, and how many of its rows are this task's.
            let first = row % height;
            let count = (height - first).min(rows.end - row);
            let mut rest = row / height;
            let mut offsets: [isize; N] = std::array::from_fn(|k| first as isize * row_strides[k]);
            for dim in outer.iter().rev() {
                let index = (rest % dim.extent) as isize;
                rest /= dim.extent;
                for k in 0..N {
                    offsets[k] += index * dim.strides[k];
                }
            }
            let inputs: [*const T; N] = std::array::from_fn(|k| loops.inputs[k].wrapping_offset(offsets[k]));
            let out = loops.out.wrapping_add(row * cols);
            // SAFETY: inside `Kernel::run`; the rows are part of the views that `map` was given.
            unsafe {
                if col_strides.iter().all(|&s| s == 0 || s == 1) {
                    rows_of::<S, T, F, N>(f, inputs, row_strides, col_strides, out, count, cols, pass);
                } else {
                    tiles_of::<S, T, F, N>(f, inputs, row_strides, col_strides, out, count, cols);
                }
            }
            row += count;
        }
        if pass == Pass::Stream {
            fence();
        }
    }
}

/// Rows whose inputs are contiguous or constant along the columns.
///
/// # Safety
/// As [`Strided::run`].
#[inline(always)]
unsafe fn rows_of<S: Simd, T: Float, F: Pointwise<T, N>, const N: usize>(
    f: F,
    inputs: [*const T; N],
    row_strides: [isize; N],
    col_strides: [isize; N],
    out: *mut T,
    rows: usize,
    cols: usize,
    pass: Pass,
) {
    let fixed = col_strides.map(|s| s == 0);
    for row in 0..rows {
        let inputs = std::array::from_fn(|k| inputs[k].wrapping_offset(row as isize * row_strides[k]));
        let out = out.wrapping_add(row * cols);
        // SAFETY: the caller's contract.
        unsafe {
            match pass {
                Pass::Stream => span::<S, T, F, N, STREAM>(f, inputs, fixed, out, cols),
                _ => span::<S, T, F, N, NEAR>(f, inputs, fixed, out, cols),
            }
        }
    }
}

/// A plane with an input of any stride along the columns, block by block through contiguous copies.
///
/// # Safety
/// As [`Strided::run`].
#[inline(always)]
unsafe fn tiles_of<S: Simd, T: Float, F: Pointwise<T, N>, const N: usize>(
    f: F,
    inputs: [*const T; N],
    row_strides: [isize; N],
    col_strides: [isize; N],
    out: *mut T,
    rows: usize,
    cols: usize,
) {
    let mut copies = [[T::ZERO; TILE_ROWS * TILE_COLS]; N];
    for first_row in (0..rows).step_by(TILE_ROWS) {
        let height = TILE_ROWS.min(rows - first_row);
        for first_col in (0..cols).step_by(TILE_COLS) {
            let width = TILE_COLS.min(cols - first_col);
            let mut at = [std::ptr::null(); N];
            let mut pitch = [0isize; N];
            let mut fixed = [false; N];
            for k in 0..N {
                let (rs, cs) = (row_strides[k], col_strides[k]);
                let corner = inputs[k].wrapping_offset(first_row as isize * rs + first_col as isize * cs);
                if cs == 0 || cs == 1 {
                    (at[k], pitch[k], fixed[k]) = (corner, rs, cs == 0);
                } else {
                    // SAFETY: the block is part of the view; the copy holds TILE_ROWS rows of TILE_COLS.
                    unsafe { copy_block(corner, rs, cs, copies[k].as_mut_ptr(), TILE_COLS, height, width) };
                    (at[k], pitch[k]) = (copies[k].as_ptr(), TILE_COLS as isize);
                }
            }
            for row in 0..height {
                let inputs = std::array::from_fn(|k| at[k].wrapping_offset(row as isize * pitch[k]));
                let out = out.wrapping_add((first_row + row) * cols + first_col);
                // SAFETY: rows of the block, in the view or in its copy.
                unsafe { span::<S, T, F, N, NEAR>(f, inputs, fixed, out, width) };
            }
        }
    }
}

/// Copies a block of a strided matrix into rows of `pitch` elements, reading along its shorter stride.
///
/// # Safety
/// The block must be readable and `to` writable for `rows` rows of `cols` elements.
#[inline(always)]
pub(crate) unsafe fn copy_block<T: Copy>(
    from: *const T,
    row_stride: isize,
    col_stride: isize,
    to: *mut T,
    pitch: usize,
    rows: usize,
    cols: usize,
) {
    let by_rows = col_stride.unsigned_abs() <= row_stride.unsigned_abs();
    let (outer, inner) = if by_rows { (rows, cols) } else { (cols, rows) };
    let (from_outer, from_inner) = if by_rows { (row_stride, col_stride) } else { (col_stride, row_stride) };
    let (to_outer, to_inner) = if by_rows { (pitch, 1) } else { (1, pitch) };
    for i in 0..outer {
        let from = from.wrapping_offset(i as isize * from_outer);
        let to = to.wrapping_add(i * to_outer);
        for j in 0..inner {
            // SAFETY: (i, j) is an element of the block.
            unsafe { *to.add(j * to_inner) = *from.wrapping_offset(j as isize * from_inner) };
        }
    }
}

#[cfg(test)]
mod tests;
