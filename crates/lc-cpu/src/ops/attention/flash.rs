//! One block of queries against all of its keys, in one pass, with a running maximum and sum.
//!
//! Online softmax is by Milakov and Gimelshein (2018), its use block by block by Dao et al. (FlashAttention, 2022).
//! The layout is turned: a vector holds one number of as many *queries* as it has lanes. Then
//! scores `Sᵀ[key][query] = K·Qᵀ` and output `Oᵀ[dim][query] = Vᵀ·Pᵀ` both broadcast elements of K and V straight
//! from where the caller has them, maxima and sums need no reduction across lanes, and only Q and the result are
//! transposed, once a block.

use super::tile::{Broadcast, panel, transpose};
use crate::isa::Isa;
use crate::math::{self, MathFloat};
use crate::simd::{Kernel, Simd, Vector};

/// Keys that are scored before the running maximum moves. The output is loaded, rescaled and stored once a step, so
/// steps are long; the probabilities of one (16 KiB for each vector of queries) are read in order, from L2 at worst.
pub(super) const STEP: usize = 256;

/// Most vectors of queries in a block: what the registers of the instruction set take (see [`panel`]).
pub(super) fn max_vectors(isa: Isa) -> usize {
    if isa == Isa::Avx2 { 3 } else { 4 }
}

/// Most queries in a block.
pub(super) const MAX_QUERIES: usize = 64;

/// A strided matrix; `rows` and `cols` are known from elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Strided<P> {
    pub ptr: P,
    pub row: isize,
    pub col: isize,
}

/// A block of queries of one head.
#[derive(Clone, Copy)]
pub(super) struct QueryBlock<T> {
    /// Element (0, 0) of the block's first query.
    pub q: Strided<*const T>,
    /// Element (0, 0) of the head.
    pub k: Strided<*const T>,
    /// Element (0, 0) of the head.
    pub v: Strided<*const T>,
    /// Element (0, 0) of the block's first query.
    pub out: Strided<*mut T>,
    /// Additive mask, row = query of the block, column = key.
    pub mask: Option<Strided<*const T>>,
    /// Index of the block's first query in its sequence.
    pub first: usize,
    /// Queries in the block: at most [`max_vectors`] vectors.
    pub rows: usize,
    /// Keys in the sequence.
    pub keys: usize,
    pub dim: usize,
    pub value_dim: usize,
    pub scale: T,
    pub causal: bool,
    /// So many of the first keys count 2^`extra` times. Only without a mask.
    pub repeated: usize,
    pub extra: T,
    pub output_scale: T,
    pub output_bias: T,
    pub output_relu: bool,
    /// Where to leave the maximum (in the units of [`scores_in_base_two`]) and one over the sum of each query, for a
    /// backward pass; or null.
    pub maximum: *mut T,
    pub inverse_sum: *mut T,
    /// [`QueryBlock::scratch_len`] elements, aligned to 64 bytes.
    pub scratch: *mut T,
}

impl<T: MathFloat> QueryBlock<T> {
    /// Keys that some query of the block may see.
    fn visible_keys(&self) -> usize {
        if self.causal { self.keys.min(self.first + self.rows) } else { self.keys }
    }

    /// Elements of scratch that the block needs with vectors of `lanes`.
    pub fn scratch_len(&self, lanes: usize) -> usize {
        let width = self.rows.next_multiple_of(lanes);
        let step = STEP.min(self.keys);
        let mut len = width * (self.dim + self.value_dim + step);
        if self.mask.is_some() {
            len += width * step;
        }
        if self.k.col != 1 {
            len += step * self.dim;
        }
        if self.v.col != 1 {
            len += step * self.value_dim;
        }
        len + 16
    }
}

impl<T: MathFloat> Kernel for QueryBlock<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `attention` made the block from sizes and strides that its caller vouches for.
        unsafe {
            match self.rows.div_ceil(T::V::<S>::LANES) {
                1 => run::<T, S, 1>(&self),
                2 => run::<T, S, 2>(&self),
                3 => run::<T, S, 3>(&self),
                _ => run::<T, S, 4>(&self),
            }
        }
    }
}

/// A block of rows with unit column stride: itself, or its copy in `scratch`.
#[inline(always)]
unsafe fn unit_columns<T: MathFloat>(
    x: Strided<*const T>,
    rows: usize,
    cols: usize,
    scratch: *mut T,
) -> Strided<*const T> {
    if x.col == 1 {
        return x;
    }
    // SAFETY: `scratch` has rows × cols elements, and `x` as many.
    unsafe {
        for r in 0..rows {
            for c in 0..cols {
                *scratch.add(r * cols + c) = *x.ptr.wrapping_offset(r as isize * x.row + c as isize * x.col);
            }
        }
    }
    Strided { ptr: scratch, row: cols as isize, col: 1 }
}

/// Whether every element of `rows` × `cols` with unit column stride is finite.
#[inline(always)]
unsafe fn all_finite<T: MathFloat, S: Simd>(x: Strided<*const T>, rows: usize, cols: usize) -> bool {
    let lanes = T::V::<S>::LANES;
    // SAFETY: inside the rows × cols elements that the caller vouches for.
    unsafe {
        let zero = T::V::<S>::zero();
        let mut sum = zero;
        for r in 0..rows {
            let row = x.ptr.wrapping_offset(r as isize * x.row);
            let mut c = 0;
            while c + lanes <= cols {
                sum = T::V::<S>::load(row.add(c)).mul_add(zero, sum);
                c += lanes;
            }
            if c < cols {
                sum = T::V::<S>::load_n(row.add(c), cols - c).mul_add(zero, sum);
            }
        }
        sum.sum() == T::ZERO
    }
}

/// `0.5, 1.5, …`: lane `i` is below `x` for exactly the integers `x > i`.
#[inline(always)]
fn lane_numbers<T: MathFloat>() -> [T; MAX_QUERIES] {
    let mut numbers = [T::ZERO; MAX_QUERIES];
    for (i, x) in numbers.iter_mut().enumerate() {
        *x = T::of(i as f64 + 0.5);
    }
    numbers
}

#[inline(always)]
unsafe fn run<T: MathFloat, S: Simd, const N: usize>(block: &QueryBlock<T>) {
    let lanes = T::V::<S>::LANES;
    let width = N * lanes;
    let step = STEP.min(block.keys);
    // SAFETY: `scratch` has `scratch_len` elements, cut up as there; the rest is inside what the caller vouches for.
    unsafe {
        let zero = T::V::<S>::zero();
        let lowest = T::V::<S>::splat(T::NEG_INFINITY);
        let qt = block.scratch;
        let ot = qt.add(block.dim * width);
        let p = ot.add(block.value_dim * width);
        let mut rest = p.add(step * width);
        let mask_t = rest;
        if block.mask.is_some() {
            rest = rest.add(step * width);
        }
        let k_copy = rest;
        let v_copy = if block.k.col == 1 { rest } else { rest.add(step * block.dim) };

        // Without a mask the exponent is in base two and its factor is part of Q; with one it stays natural, since
        // log₂e times the most negative finite number would be −∞.
        let base_two = block.mask.is_none();
        let factor = if base_two { block.scale * T::LOG2_E } else { block.scale };
        pack_queries::<T, S>(block.q, block.rows, block.dim, width, factor, qt);
        let mut maximum = [lowest; N];
        let mut sum = [zero; N];
        let mut alpha = [T::ONE; MAX_QUERIES];
        let ones = [T::ONE; MAX_QUERIES];
        let visible = block.visible_keys();
        if visible == 0 {
            clear::<T, S>(ot, block.value_dim * width);
        }
        let mut start = 0;
        while start < visible {
            let mut n = step.min(visible - start);
            let repeated = start < block.repeated;
            if repeated {
                n = n.min(block.repeated - start);
            }
            let at = |x: Strided<*const T>| Strided { ptr: x.ptr.wrapping_offset(start as isize * x.row), ..x };
            let k = unit_columns(at(block.k), n, block.dim, k_copy);
            // With a causal mask, vectors of queries drop out as keys pass the last query of each: keys
            // `from..to` below are seen by the vectors from `skip` on.
            let segment = |from: usize| {
                if !block.causal || start + from < block.first + lanes {
                    let end = if block.causal { block.first + lanes - start } else { n };
                    return (0, end.min(n));
                }
                let skip = (start + from - block.first) / lanes;
                (skip, (block.first + (skip + 1) * lanes - start).min(n))
            };
            let mut from = 0;
            while from < n {
                let (skip, to) = segment(from);
                let rows = Broadcast { ptr: k.ptr.wrapping_offset(from as isize * k.row), row: k.row, col: 1 };
                let (b, c) = (qt.add(skip * lanes), p.add(from * width + skip * lanes));
                panel_of::<T, S, N>(N - skip, to - from, block.dim, rows, b, width, c, width, None);
                from = to;
            }

            if let Some(mask) = block.mask {
                let part = mask.ptr.wrapping_offset(start as isize * mask.col);
                if block.rows < width {
                    clear::<T, S>(mask_t, n * width);
                }
                transpose(block.rows, n, part, mask.row, mask.col, mask_t, width as isize, 1, T::ONE);
                for i in (0..n * width).step_by(lanes) {
                    T::V::<S>::load(p.add(i)).add(T::V::<S>::load(mask_t.add(i))).store(p.add(i));
                }
            }
            // Keys past the first query of the block: hidden from some of its queries.
            let hidden = block.causal && start + n > block.first + 1;
            if hidden {
                let numbers = lane_numbers::<T>();
                for j in block.first.saturating_sub(start)..n {
                    let key = T::V::<S>::splat(T::of((start + j - block.first) as f64));
                    // Only one vector has both queries that see the key and queries that do not.
                    let i = (start + j - block.first) / lanes;
                    if i < N {
                        let cell = p.add(j * width + i * lanes);
                        let lane = T::V::<S>::load(numbers.as_ptr().add(i * lanes));
                        T::V::<S>::select_lt(key, lane, T::V::<S>::load(cell), lowest).store(cell);
                    }
                }
            }

            // Keys of this step that each vector of queries sees.
            let mut seen = [n; N];
            if hidden {
                for (i, seen) in seen.iter_mut().enumerate() {
                    *seen = n.min((block.first + (i + 1) * lanes).saturating_sub(start));
                }
            }
            let mut top = maximum;
            let common = seen[0];
            for j in 0..common {
                for (i, top) in top.iter_mut().enumerate() {
                    *top = T::V::<S>::load(p.add(j * width + i * lanes)).max(*top);
                }
            }
            for j in common..n {
                for i in 1..N {
                    if j < seen[i] {
                        top[i] = T::V::<S>::load(p.add(j * width + i * lanes)).max(top[i]);
                    }
                }
            }
            let mut shift = [zero; N];
            for i in 0..N {
                // A row that has seen only −∞ has nothing to subtract: its terms are e^−∞ = 0.
                shift[i] = T::V::<S>::select_lt(lowest, top[i], top[i], zero);
                if start > 0 {
                    let a = power::<T, S>(maximum[i].sub(shift[i]), base_two);
                    a.store(alpha.as_mut_ptr().add(i * lanes));
                    sum[i] = sum[i].mul(a);
                }
                maximum[i] = top[i];
                if repeated {
                    shift[i] = shift[i].sub(T::V::<S>::splat(block.extra));
                }
            }
            for j in 0..common {
                for (i, sum) in sum.iter_mut().enumerate() {
                    *sum = sum.add(term::<T, S>(p.add(j * width + i * lanes), shift[i], base_two));
                }
            }
            // Vectors in the inner loop, which unrolls: `sum` must stay in registers.
            for j in common..n {
                for i in 1..N {
                    if j < seen[i] {
                        sum[i] = sum[i].add(term::<T, S>(p.add(j * width + i * lanes), shift[i], base_two));
                    }
                }
            }

            let v = unit_columns(at(block.v), n, block.value_dim, v_copy);
            if hidden && !all_finite::<T, S>(v, n, block.value_dim) {
                if start == 0 {
                    clear::<T, S>(ot, block.value_dim * width);
                }
                accumulate_visible::<T, S, N>(block, start, n, v, p, &alpha, ot);
            } else {
                let mut from = 0;
                while from < n {
                    let (skip, to) = segment(from);
                    let vt = Broadcast { ptr: v.ptr.wrapping_offset(from as isize * v.row), row: 1, col: v.row };
                    let (b, c) = (p.add(from * width + skip * lanes), ot.add(skip * lanes));
                    // The first segment has every vector whose output changes: that is rescaled there, once, or in
                    // the first step written for the first time.
                    let keep = if from == 0 { alpha.as_ptr() } else { ones.as_ptr() };
                    let keep = (start + from > 0).then_some(keep.add(skip * lanes));
                    panel_of::<T, S, N>(N - skip, block.value_dim, to - from, vt, b, width, c, width, keep);
                    from = to;
                }
            }
            start += n;
        }
        finish::<T, S, N>(block, &maximum, &sum, ot, width);
    }
}

/// `len` zeros, a whole number of vectors.
#[inline(always)]
unsafe fn clear<T: MathFloat, S: Simd>(to: *mut T, len: usize) {
    for i in (0..len).step_by(T::V::<S>::LANES) {
        // SAFETY: the caller vouches for the elements and the instruction set.
        unsafe { T::V::<S>::zero().store(to.add(i)) };
    }
}

/// A vector of scores becomes terms of the sums, in place. A function and not a closure: see [`crate::simd`] on inlining.
#[inline(always)]
unsafe fn term<T: MathFloat, S: Simd>(cell: *mut T, shift: T::V<S>, base_two: bool) -> T::V<S> {
    // SAFETY: the caller vouches for the vector at `cell`.
    unsafe {
        let e = power::<T, S>(T::V::<S>::load(cell).sub(shift), base_two);
        e.store(cell);
        e
    }
}

/// [`panel`] of `vectors` ≤ `N` vectors, a number known only at run time.
#[inline(always)]
unsafe fn panel_of<T: MathFloat, S: Simd, const N: usize>(
    vectors: usize,
    rows: usize,
    depth: usize,
    a: Broadcast<T>,
    b: *const T,
    b_row: usize,
    c: *mut T,
    c_row: usize,
    keep: Option<*const T>,
) {
    // SAFETY: the contract of `panel`, with `vectors` for `N`.
    unsafe {
        if vectors == N {
            panel::<T, S, N>(rows, depth, a, b, b_row, c, c_row, keep);
        } else if vectors == 1 {
            panel::<T, S, 1>(rows, depth, a, b, b_row, c, c_row, keep);
        } else if N > 2 && vectors == 2 {
            panel::<T, S, 2>(rows, depth, a, b, b_row, c, c_row, keep);
        } else if N > 3 {
            panel::<T, S, 3>(rows, depth, a, b, b_row, c, c_row, keep);
        }
    }
}

/// `e^x`, or `2^x` where scores are in base two; x ≤ 0.
#[inline(always)]
pub(super) unsafe fn power<T: MathFloat, S: Simd>(x: T::V<S>, base_two: bool) -> T::V<S> {
    // SAFETY: arithmetic only.
    unsafe { if base_two { math::exp2_nonpositive::<T, S>(x) } else { math::exp_nonpositive::<T, S>(x) } }
}

/// `qt[d][i] = factor · q[i][d]`, lanes past the last query zero.
///
/// # Safety
/// `q` has rows × dim elements, `qt` dim × width, and the instruction set `S` is available.
#[inline(always)]
pub(super) unsafe fn pack_queries<T: MathFloat, S: Simd>(
    q: Strided<*const T>,
    rows: usize,
    dim: usize,
    width: usize,
    factor: T,
    qt: *mut T,
) {
    // SAFETY: as above.
    unsafe {
        if rows < width {
            clear::<T, S>(qt, dim * width);
        }
        transpose(rows, dim, q.ptr, q.row, q.col, qt, width as isize, 1, factor);
    }
}

/// The P·V step where a value that is not finite meets a key hidden from some queries: 0·∞ must not reach them.
#[inline(always)]
unsafe fn accumulate_visible<T: MathFloat, S: Simd, const N: usize>(
    block: &QueryBlock<T>,
    start: usize,
    n: usize,
    v: Strided<*const T>,
    p: *const T,
    alpha: &[T; MAX_QUERIES],
    ot: *mut T,
) {
    let lanes = T::V::<S>::LANES;
    let width = N * lanes;
    let numbers = lane_numbers::<T>();
    // SAFETY: the same elements as the panel that this replaces.
    unsafe {
        for d in 0..block.value_dim {
            for i in 0..N {
                let cell = ot.add(d * width + i * lanes);
                let lane = T::V::<S>::load(numbers.as_ptr().add(i * lanes));
                let mut o = T::V::<S>::load(cell).mul(T::V::<S>::load(alpha.as_ptr().add(i * lanes)));
                for j in 0..n {
                    let value = T::V::<S>::splat(*v.ptr.wrapping_offset(j as isize * v.row + d as isize));
                    let key = T::V::<S>::splat(T::of((start + j) as f64 - block.first as f64));
                    let with = value.mul_add(T::V::<S>::load(p.add(j * width + i * lanes)), o);
                    o = T::V::<S>::select_lt(key, lane, with, o);
                }
                o.store(cell);
            }
        }
    }
}

/// Divides by the sums, applies the output's scale, bias and ReLU, and turns the block into place.
#[inline(always)]
unsafe fn finish<T: MathFloat, S: Simd, const N: usize>(
    block: &QueryBlock<T>,
    maximum: &[T::V<S>; N],
    sum: &[T::V<S>; N],
    ot: *mut T,
    width: usize,
) {
    let lanes = T::V::<S>::LANES;
    // SAFETY: `ot` has value_dim × width elements, `out` rows × value_dim, the statistics `rows`.
    unsafe {
        let zero = T::V::<S>::zero();
        // The largest term of a sum is 1, so a sum below one half belongs to a fully masked row.
        let half = T::V::<S>::splat(T::of(0.5));
        let (scale, bias) = (T::V::<S>::splat(block.output_scale), T::V::<S>::splat(block.output_bias));
        let plain = block.output_scale == T::ONE && block.output_bias == T::ZERO;
        for i in 0..N {
            let inverse = T::V::<S>::splat(T::ONE).div(sum[i]);
            for d in 0..block.value_dim {
                let cell = ot.add(d * width + i * lanes);
                let mut o = T::V::<S>::select_lt(sum[i], half, zero, T::V::<S>::load(cell).mul(inverse));
                if !plain {
                    o = o.mul_add(scale, bias);
                }
                if block.output_relu {
                    o = zero.max(o);
                }
                o.store(cell);
            }
            if !block.maximum.is_null() {
                let lowest = T::V::<S>::splat(T::NEG_INFINITY);
                let shift = T::V::<S>::select_lt(lowest, maximum[i], maximum[i], zero);
                let inverse = T::V::<S>::select_lt(sum[i], half, zero, inverse);
                let left = block.rows - i * lanes;
                store_part::<T, S>(shift, block.maximum.add(i * lanes), left);
                store_part::<T, S>(inverse, block.inverse_sum.add(i * lanes), left);
            }
        }
        let out = block.out;
        transpose(block.value_dim, block.rows, ot, width as isize, 1, out.ptr, out.row, out.col, T::ONE);
    }
}

#[inline(always)]
unsafe fn store_part<T: MathFloat, S: Simd>(x: T::V<S>, to: *mut T, left: usize) {
    // SAFETY: `to` has `left` elements.
    unsafe { if left >= T::V::<S>::LANES { x.store(to) } else { x.store_n(to, left) } }
}
