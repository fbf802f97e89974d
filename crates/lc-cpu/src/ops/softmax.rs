//! Softmax over one axis.
//!
//! A tensor is seen as outer × axis × inner: the axes before the softmax axis, it, and the axes after it. [`softmax`]
//! is the case without inner axes, one row an outer index; [`softmax_axis`] is the general one. A tensor whose outer
//! (or inner) axes do not collapse into one stride is called slice by slice.
//!
//! A row with NaN or +∞ gives NaN, and so does a row of nothing but −∞, as in PyTorch and NumPy.

use super::attention::{Shared, parallel};
use crate::isa::Isa;
use crate::math::{self, MathFloat};
use crate::simd::{Kernel, Simd, Vector, dispatch};

/// Elements below which a second thread costs more than it brings.
const SPLIT: usize = 1 << 15;

/// Softmax of every row of a strided matrix, into row-major `out`.
///
/// # Safety
/// Every element of `x` (rows × cols, strides in elements) and of `out` is in memory that is valid for the call. `out`
/// may be `x` itself if that is row-major; otherwise they do not overlap.
pub unsafe fn softmax<T: MathFloat>(
    isa: Isa,
    threads: usize,
    rows: usize,
    cols: usize,
    x: *const T,
    x_row_stride: isize,
    x_col_stride: isize,
    out: *mut T,
) {
    // SAFETY: passed on.
    unsafe { softmax_axis(isa, threads, [rows, cols, 1], x, [x_row_stride, x_col_stride, 1], out) }
}

/// Softmax over the middle one of three axes, into row-major `out`: vectors run along the inner axis, or along the
/// softmax axis where there is no inner one.
///
/// # Safety
/// Every element of `x` (by `shape` and `strides`, in elements) and of `out` is in memory that is valid for the call.
/// `out` may be `x` itself if that is row-major; otherwise they do not overlap.
pub unsafe fn softmax_axis<T: MathFloat>(
    isa: Isa,
    threads: usize,
    shape: [usize; 3],
    x: *const T,
    strides: [isize; 3],
    out: *mut T,
) {
    let [outer, axis, inner] = shape;
    let slice = axis * inner;
    if outer * slice == 0 {
        return;
    }
    // About sixteen thousand elements a task: big enough to hide the hand-off, small enough to share out evenly. Slices
    // larger than that are cut along the inner axis, in whole cache lines so that no two tasks write to one.
    let threads = if outer * slice < SPLIT { 1 } else { threads };
    let chunk = (SPLIT / 2).div_ceil(slice).min(outer);
    let line = 64 / size_of::<T>();
    let width = match threads {
        1 => inner,
        _ => (SPLIT / 2).div_ceil(axis).next_multiple_of(line).min(inner),
    };
    let across = inner.div_ceil(width);
    let (from, to) = (Shared(x), Shared(out));
    parallel(threads, outer.div_ceil(chunk) * across, &|index| {
        let (first, left) = (index / across * chunk, index % across * width);
        let start = first as isize * strides[0] + left as isize * strides[2];
        let part = Slices {
            x: from.get().wrapping_offset(start),
            strides,
            // SAFETY: in `out`; tasks write disjoint columns of slices.
            out: unsafe { to.get().add(first * slice + left) },
            shape: [chunk.min(outer - first), axis, width.min(inner - left)],
            inner,
        };
        dispatch(isa, part);
    });
}

/// Some columns of some slices.
struct Slices<T> {
    x: *const T,
    strides: [isize; 3],
    out: *mut T,
    /// Slices, elements along the softmax axis, columns.
    shape: [usize; 3],
    /// Columns of a whole slice.
    inner: usize,
}

impl<T: MathFloat> Kernel for Slices<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [outer, axis, width] = self.shape;
        let inner = self.inner;
        // SAFETY: all inside `x` and `out`, by the contract of `softmax_axis`.
        unsafe {
            for o in 0..outer {
                let mut x = self.x.wrapping_offset(o as isize * self.strides[0]);
                let out = self.out.add(o * axis * inner);
                let mut row = self.strides[1];
                let unit = if inner == 1 { row == 1 } else { self.strides[2] == 1 };
                if !unit {
                    for a in 0..axis {
                        for i in 0..width {
                            let at = a as isize * self.strides[1] + i as isize * self.strides[2];
                            *out.add(a * inner + i) = *x.wrapping_offset(at);
                        }
                    }
                    (x, row) = (out, inner as isize);
                }
                if inner == 1 {
                    one_row::<T, S>(axis, x, out);
                } else {
                    columns::<T, S>(axis, width, x, row, out, inner);
                }
            }
        }
    }
}

/// A row of `n` contiguous elements. `x` may be `out`.
#[inline(always)]
unsafe fn one_row<T: MathFloat, S: Simd>(n: usize, x: *const T, out: *mut T) {
    let lanes = T::V::<S>::LANES;
    let whole = n / lanes * lanes;
    let tail = n - whole;
    // SAFETY: `x` and `out` have n elements.
    unsafe {
        let lowest = T::V::<S>::splat(T::NEG_INFINITY);
        let mut top = lowest;
        for i in (0..whole).step_by(lanes) {
            top = T::V::<S>::load(x.add(i)).max(top);
        }
        let mut largest = top.max_lane();
        for i in whole..n {
            let v = *x.add(i);
            largest = if v > largest { v } else { largest };
        }
        let shift = T::V::<S>::splat(largest);
        let mut sum = T::V::<S>::zero();
        for i in (0..whole).step_by(lanes) {
            let e = math::exp_nonpositive::<T, S>(T::V::<S>::load(x.add(i)).sub(shift));
            e.store(out.add(i));
            sum = sum.add(e);
        }
        let mut total = sum.sum();
        if tail > 0 {
            let e = math::exp_nonpositive::<T, S>(T::V::<S>::load_n(x.add(whole), tail).sub(shift));
            e.store_n(out.add(whole), tail);
            for i in whole..n {
                total += *out.add(i);
            }
        }
        let inverse = T::V::<S>::splat(T::ONE / total);
        for i in (0..whole).step_by(lanes) {
            T::V::<S>::load(out.add(i)).mul(inverse).store(out.add(i));
        }
        if tail > 0 {
            T::V::<S>::load_n(out.add(whole), tail).mul(inverse).store_n(out.add(whole), tail);
        }
    }
}

/// The first `n` lanes, all of them or fewer. A function and not a closure: see [`crate::simd`] on inlining.
#[inline(always)]
unsafe fn load<T: MathFloat, S: Simd>(p: *const T, n: usize) -> T::V<S> {
    // SAFETY: the caller vouches for n elements.
    unsafe { if n == T::V::<S>::LANES { T::V::<S>::load(p) } else { T::V::<S>::load_n(p, n) } }
}

/// The counterpart of [`load`].
#[inline(always)]
unsafe fn store<T: MathFloat, S: Simd>(v: T::V<S>, p: *mut T, n: usize) {
    // SAFETY: the caller vouches for n elements.
    unsafe { if n == T::V::<S>::LANES { v.store(p) } else { v.store_n(p, n) } }
}

/// `width` columns of `axis` elements, a vector of columns at a time; rows of `out` are `inner` elements apart. `x` may be
/// `out`.
#[inline(always)]
unsafe fn columns<T: MathFloat, S: Simd>(
    axis: usize,
    width: usize,
    x: *const T,
    row: isize,
    out: *mut T,
    inner: usize,
) {
    let lanes = T::V::<S>::LANES;
    let mut i = 0;
    while i < width {
        let n = lanes.min(width - i);
        // SAFETY: columns i..i + n are inside `x` and `out`.
        unsafe {
            let at = |a: usize| x.wrapping_offset(a as isize * row + i as isize);
            let mut top = T::V::<S>::splat(T::NEG_INFINITY);
            for a in 0..axis {
                top = load::<T, S>(at(a), n).max(top);
            }
            let mut sum = T::V::<S>::zero();
            for a in 0..axis {
                let e = math::exp_nonpositive::<T, S>(load::<T, S>(at(a), n).sub(top));
                sum = sum.add(e);
                store::<T, S>(e, out.add(a * inner + i), n);
            }
            let inverse = T::V::<S>::splat(T::ONE).div(sum);
            for a in 0..axis {
                let cell = out.add(a * inner + i);
                store::<T, S>(load::<T, S>(cell, n).mul(inverse), cell, n);
            }
        }
        i += n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(shape: [usize; 3], get: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
        let [outer, axis, inner] = shape;
        let mut want = vec![0.0; outer * axis * inner];
        for o in 0..outer {
            for i in 0..inner {
                let top = (0..axis).map(|a| get(o, a, i)).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = (0..axis).map(|a| (get(o, a, i) - top).exp()).sum();
                for a in 0..axis {
                    want[(o * axis + a) * inner + i] = (get(o, a, i) - top).exp() / sum;
                }
            }
        }
        want
    }

    fn check<T: MathFloat>(tolerance: f64) {
        for isa in Isa::available() {
            for shape in [
                [1, 1, 1],
                [3, 7, 1],
                [5, 33, 1],
                [2, 5, 3],
                [3, 9, 17],
                [700, 50, 1],
                [40, 30, 40],
                [1, 40, 1001],
                [2, 9, 2500],
            ] {
                let [outer, axis, inner] = shape;
                let (a, i) = (axis as isize, inner as isize);
                let layouts = [[a * i, i, 1], [1, outer as isize, outer as isize * a], [a * i, -i, 1], [0, i, 1]];
                for strides in layouts {
                    let data: Vec<T> =
                        (0..outer * axis * inner).map(|n| T::of((n * 37 % 101) as f64 * 0.3 - 15.0)).collect();
                    let base = if strides[1] < 0 { (a - 1) * i } else { 0 };
                    let at = |o: usize, a: usize, i: usize| {
                        base + o as isize * strides[0] + a as isize * strides[1] + i as isize * strides[2]
                    };
                    let want = reference(shape, |o, a, i| data[at(o, a, i) as usize].to_f64());
                    let mut last: Option<Vec<T>> = None;
                    for threads in [1, 3] {
                        let mut out = vec![T::of(9.0); want.len()];
                        // SAFETY: every index of the shape is inside `data`, as the reference above has just proven.
                        unsafe {
                            let x = data.as_ptr().offset(base);
                            softmax_axis(isa, threads, shape, x, strides, out.as_mut_ptr());
                        }
                        for (got, want) in out.iter().zip(&want) {
                            assert!((got.to_f64() - want).abs() <= tolerance, "{isa:?} {shape:?} {strides:?}");
                        }
                        assert!(last.is_none_or(|last| last == out), "{isa:?} {shape:?}: threads change the result");
                        last = Some(out);
                    }
                }
            }
        }
    }

    #[test]
    fn any_axis_and_stride_matches_float64() {
        check::<f32>(3e-7);
        check::<f64>(1e-15);
    }

    #[test]
    fn nan_and_infinity_stay_in_their_row() {
        for isa in Isa::available() {
            for (cols, poison) in [(5, f32::NAN), (40, f32::NAN), (40, f32::INFINITY), (40, f32::NEG_INFINITY)] {
                let mut x = vec![0.5f32; 3 * cols];
                if poison == f32::NEG_INFINITY {
                    x[cols..2 * cols].fill(poison);
                } else {
                    x[2 * cols - 1] = poison;
                }
                let mut out = vec![0.0; x.len()];
                // SAFETY: both have 3 × cols elements.
                unsafe { softmax(isa, 1, 3, cols, x.as_ptr(), cols as isize, 1, out.as_mut_ptr()) };
                assert!(out[cols..2 * cols].iter().all(|x| x.is_nan()), "{isa:?} {cols} {poison}");
                let others = out[..cols].iter().chain(&out[2 * cols..]);
                assert!(others.into_iter().all(|x| (x - 1.0 / cols as f32).abs() < 1e-6), "{isa:?} {cols} {poison}");
                // SAFETY: in place, row-major.
                unsafe { softmax(isa, 1, 3, cols, x.as_ptr(), cols as isize, 1, x.as_mut_ptr()) };
                assert!(x.iter().zip(&out).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()));
            }
        }
    }
}
