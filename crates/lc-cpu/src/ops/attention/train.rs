//! One step of gradient descent on the values of a head, under mean squared error.

use super::flash::{self, MAX_QUERIES, Strided, pack_queries, power};
use super::tile::{Broadcast, panel};
use super::{Attention, Heads, HeadsMut, Shared, forward, lanes, parallel, with_scratch};
use crate::isa::Isa;
use crate::math::MathFloat;
use crate::simd::{Kernel, Simd, Vector, dispatch};
use crate::view::Mat;

/// Forward pass, loss and one update of V, of a single head:
///
/// ```text
/// out   = softmax(scale·q·kᵀ)·v               causal: key j ≤ query i
/// loss  = mean((out − target)²)               before the update
/// dV    = Pᵀ·dOut,  dOut = 2(out − target)/(Sq·Dv)
/// new_v = v − learning_rate·dV
/// ```
///
/// `q` is Sq × D, `k` is Sk × D, `v` is Sk × Dv, `target` is Sq × Dv, any strides; `out` (Sq × Dv) and `new_v`
/// (Sk × Dv) are written row-major. P is never stored whole: the backward pass computes it again, block by block, from
/// the row maxima and sums of the forward pass. Callers share nothing, and the result does not depend on `threads`.
/// The loss is summed in float64; `None` unless `want_loss`, and NaN of an empty output.
///
/// # Safety
/// Every element of the views is in memory that is valid for the call; `out` and `new_v` overlap none of the inputs and
/// not each other; shapes agree as above.
pub unsafe fn attention_train_step<T: MathFloat>(
    isa: Isa,
    threads: usize,
    q: Mat<T>,
    k: Mat<T>,
    v: Mat<T>,
    target: Mat<T>,
    learning_rate: T,
    causal: bool,
    scale: T,
    out: *mut T,
    new_v: *mut T,
    want_loss: bool,
) -> Option<T> {
    let (queries, dim, keys, value_dim) = (q.rows, q.cols, k.rows, v.cols);
    debug_assert!(k.cols == dim && v.rows == keys && target.rows == queries && target.cols == value_dim);
    let head =
        |m: &Mat<T>| Heads { ptr: m.ptr, shape: [1, 1, m.rows, m.cols], strides: [0, 0, m.row_stride, m.col_stride] };
    let mut maximum = vec![T::ZERO; queries];
    let mut inverse_sum = vec![T::ZERO; queries];
    let whole = HeadsMut { ptr: out, shape: [1, 1, queries, value_dim], strides: [0, 0, value_dim as isize, 1] };
    let how = Attention { scale, causal, ..Attention::plain(1) };
    // SAFETY: the caller's promise; the statistics have one element a query.
    unsafe {
        let (m, s) = (maximum.as_mut_ptr(), inverse_sum.as_mut_ptr());
        forward(isa, threads, head(&q), head(&k), head(&v), whole, &how, m, s);
    }

    // dOut, rows padded to whole vectors.
    let lanes = lanes::<T>(isa);
    let row = value_dim.next_multiple_of(lanes);
    let mut gradient = vec![T::ZERO; queries * row];
    let factor = T::of(2.0 / (queries as f64 * value_dim as f64));
    let mut squares = 0.0;
    for i in 0..queries {
        for d in 0..value_dim {
            // SAFETY: inside `out` and `target`.
            let error = unsafe { *out.add(i * value_dim + d) - *target.at(i, d) };
            squares += error.to_f64() * error.to_f64();
            gradient[i * row + d] = error * factor;
        }
    }

    let width = flash::max_vectors(isa) * lanes;
    let mut packed = vec![T::ZERO; queries.div_ceil(width) * width * dim];
    let k = Strided { ptr: k.ptr, row: k.row_stride, col: k.col_stride };
    let backward = Backward {
        q: Strided { ptr: q.ptr, row: q.row_stride, col: q.col_stride },
        k,
        packed: packed.as_mut_ptr(),
        gradient: gradient.as_ptr(),
        row,
        maximum: maximum.as_ptr(),
        inverse_sum: inverse_sum.as_ptr(),
        queries,
        dim,
        value_dim,
        causal,
        factor: scale * T::LOG2_E,
        v,
        new_v,
        learning_rate,
        step: Step::Pack,
    };
    dispatch(isa, backward);
    let shared = Shared(&raw const backward);
    let flops = 2usize.saturating_mul(queries * keys).saturating_mul(dim + value_dim);
    let threads = if flops < super::SPLIT_FLOPS { 1 } else { threads };
    parallel(threads, keys.div_ceil(KEYS), &|index| {
        let first = index * KEYS;
        let n = KEYS.min(keys - first);
        with_scratch(n * (width + row) + n * dim + 16, |scratch| {
            // SAFETY: `backward` outlives `parallel`; every task writes rows of `new_v` of its own.
            let backward = unsafe { *shared.get() };
            dispatch(isa, Backward { step: Step::Keys { first, n, scratch }, ..backward });
        });
    });
    want_loss.then(|| T::of(squares / (queries as f64 * value_dim as f64)))
}

/// Keys whose values one task updates.
const KEYS: usize = 48;

/// What [`Backward`] is to do.
#[derive(Clone, Copy)]
enum Step<T> {
    /// Fill `packed`.
    Pack,
    /// Update the values of keys `first..first + n`.
    Keys { first: usize, n: usize, scratch: *mut T },
}

/// The backward pass, and what its steps share.
#[derive(Clone, Copy)]
struct Backward<T> {
    q: Strided<*const T>,
    k: Strided<*const T>,
    /// Q turned and scaled, block after block of `width` queries.
    packed: *mut T,
    /// dOut, `row` elements a query.
    gradient: *const T,
    row: usize,
    maximum: *const T,
    inverse_sum: *const T,
    queries: usize,
    dim: usize,
    value_dim: usize,
    causal: bool,
    factor: T,
    v: Mat<T>,
    new_v: *mut T,
    learning_rate: T,
    step: Step<T>,
}

impl<T: MathFloat> Kernel for Backward<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: see `attention_train_step`, which made all of it.
        unsafe { if S::ISA == Isa::Avx2 { self.run_wide::<S, 3>() } else { self.run_wide::<S, 4>() } }
    }
}

impl<T: MathFloat> Backward<T> {
    #[inline(always)]
    unsafe fn run_wide<S: Simd, const N: usize>(self) {
        let width = N * T::V::<S>::LANES;
        // SAFETY: as for `run`.
        unsafe {
            match self.step {
                Step::Pack => {
                    for first in (0..self.queries).step_by(width) {
                        let q = Strided { ptr: self.q.ptr.wrapping_offset(first as isize * self.q.row), ..self.q };
                        let rows = width.min(self.queries - first);
                        let to = self.packed.add(first * self.dim);
                        pack_queries::<T, S>(q, rows, self.dim, width, self.factor, to);
                    }
                }
                Step::Keys { first, n, scratch } => self.keys::<S, N>(first, n, scratch),
            }
        }
    }

    #[inline(always)]
    unsafe fn keys<S: Simd, const N: usize>(&self, first: usize, n: usize, scratch: *mut T) {
        let lanes = T::V::<S>::LANES;
        let width = N * lanes;
        // SAFETY: `scratch` has n·(width + row) + n·dim elements.
        unsafe {
            let p = scratch;
            let dv = p.add(n * width);
            let copy = dv.add(n * self.row);
            for i in (0..n * self.row).step_by(lanes) {
                T::V::<S>::zero().store(dv.add(i));
            }
            let mut k = Strided { ptr: self.k.ptr.wrapping_offset(first as isize * self.k.row), ..self.k };
            if k.col != 1 {
                for j in 0..n {
                    for d in 0..self.dim {
                        *copy.add(j * self.dim + d) = *k.ptr.wrapping_offset(j as isize * k.row + d as isize * k.col);
                    }
                }
                k = Strided { ptr: copy, row: self.dim as isize, col: 1 };
            }
            let ones = [T::ONE; MAX_QUERIES];
            // With a causal mask, queries before the first key of the block see none of its keys.
            let begin = if self.causal { first / width * width } else { 0 };
            for start in (begin..self.queries).step_by(width) {
                let rows = width.min(self.queries - start);
                let qt = self.packed.add(start * self.dim);
                let left = Broadcast { ptr: k.ptr, row: k.row, col: 1 };
                panel::<T, S, N>(n, self.dim, left, qt, width, p, width, None);
                self.probabilities::<S, N>(first, n, start, rows, p);
                let left = Broadcast { ptr: p.cast_const(), row: width as isize, col: 1 };
                let gradient = self.gradient.add(start * self.row);
                let keep = Some(ones.as_ptr());
                let mut d = 0;
                while d + 2 * lanes <= self.row {
                    panel::<T, S, 2>(n, rows, left, gradient.add(d), self.row, dv.add(d), self.row, keep);
                    d += 2 * lanes;
                }
                if d < self.row {
                    panel::<T, S, 1>(n, rows, left, gradient.add(d), self.row, dv.add(d), self.row, keep);
                }
            }
            for j in 0..n {
                for d in 0..self.value_dim {
                    let old = *self.v.at(first + j, d);
                    let new = old - self.learning_rate * *dv.add(j * self.row + d);
                    *self.new_v.add((first + j) * self.value_dim + d) = new;
                }
            }
        }
    }

    /// Scores of `n` keys from `first` on and `rows` queries from `start` on become probabilities, in place.
    #[inline(always)]
    unsafe fn probabilities<S: Simd, const N: usize>(
        &self,
        first: usize,
        n: usize,
        start: usize,
        rows: usize,
        p: *mut T,
    ) {
        let lanes = T::V::<S>::LANES;
        let width = N * lanes;
        // SAFETY: the statistics have one element a query; lanes past the last are left alone: no one reads them.
        unsafe {
            for i in 0..rows.div_ceil(lanes) {
                let at = start + i * lanes;
                let left = rows - i * lanes;
                let (shift, inverse) = (self.maximum.add(at), self.inverse_sum.add(at));
                let (shift, inverse) = if left >= lanes {
                    (T::V::<S>::load(shift), T::V::<S>::load(inverse))
                } else {
                    (T::V::<S>::load_n(shift, left), T::V::<S>::load_n(inverse, left))
                };
                for j in 0..n {
                    let cell = p.add(j * width + i * lanes);
                    let e = power::<T, S>(T::V::<S>::load(cell).sub(shift), true);
                    e.mul(inverse).store(cell);
                }
            }
            if self.causal {
                for j in 0..n {
                    // Query `start + i` sees key `first + j` from i = first + j − start on.
                    let hidden = (first + j).saturating_sub(start).min(rows);
                    for i in 0..hidden {
                        *p.add(j * width + i) = T::ZERO;
                    }
                }
            }
        }
    }
}
