//! Layer normalisation (Ba, Kiros and Hinton, 2016) of the rows of a matrix.

use crate::isa::Isa;
use crate::ops::rows::{Columns, RowFunction, each_row, each_vector, load, store, total};
use crate::simd::{Float, Simd, Vector};

/// `out[r, c] = (x[r, c] − mean_r) / √(var_r + eps) · weight[c] + bias[c]`, with the population variance of row `r`.
///
/// `x` is a view of `rows` × `cols`; `weight` and `bias` are the first of `cols` elements and their stride; all strides
/// are in elements and may be zero or negative. `out` is C-contiguous and may be `x` if that is too. `threads` bounds how
/// many threads work on it; the result does not depend on it.
///
/// The variance is the mean of squared differences from the mean, not a difference of means, so a large common offset
/// costs no accuracy. Memory is read once: a row stays in the caches while it is summed, centred and scaled.
///
/// # Safety
/// Every element that the views reach must be readable, `out` writable for `rows * cols` elements, and `isa` available.
pub unsafe fn layer_norm<T: Float>(
    isa: Isa,
    threads: usize,
    rows: usize,
    cols: usize,
    x: *const T,
    row_stride: isize,
    col_stride: isize,
    weight: Option<(*const T, isize)>,
    bias: Option<(*const T, isize)>,
    eps: T,
    out: *mut T,
) {
    // SAFETY: the caller's contract.
    unsafe {
        let f = LayerNorm {
            weight: weight.map(|w| Columns::new(w, cols)),
            bias: bias.map(|b| Columns::new(b, cols)),
            eps: eps.to_f64(),
        };
        each_row(isa, threads, &f, rows, cols, x, row_stride, col_stride, out);
    }
}

struct LayerNorm<T> {
    weight: Option<Columns<T>>,
    bias: Option<Columns<T>>,
    eps: f64,
}

impl<T: Float> RowFunction<T> for LayerNorm<T> {
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, x: *const T, out: *mut T, cols: usize) {
        let lanes = T::V::<S>::LANES;
        // SAFETY: inside `Kernel::run`; every access is of `cols` elements.
        unsafe {
            let zero = T::V::<S>::zero();
            let mut sums = [zero; 4];
            each_vector(lanes, cols, |i, u, part| sums[u] = sums[u].add(load::<S, T>(x.add(i), part)));
            let mean = T::of(total::<S, T>(sums) / cols as f64);
            let center = T::V::<S>::splat(mean);

            // The differences from the rounded mean do not quite sum to zero. What they sum to corrects the mean.
            let (mut first, mut second) = ([zero; 4], [zero; 4]);
            let ones = [T::ONE; 16];
            // Loops and no closures from here on: a large closure is not inlined, and outside of the function with the
            // target features every intrinsic of it is a call.
            let mut i = 0;
            while i + 4 * lanes <= cols {
                for u in 0..4 {
                    let d = T::V::<S>::load(x.add(i + u * lanes)).sub(center);
                    first[u] = first[u].add(d);
                    second[u] = d.mul_add(d, second[u]);
                }
                i += 4 * lanes;
            }
            while i < cols {
                let part = if i + lanes <= cols { 0 } else { cols - i };
                let mut d = load::<S, T>(x.add(i), part).sub(center);
                if part > 0 {
                    d = d.mul(T::V::<S>::load_n(ones.as_ptr(), part));
                }
                first[0] = first[0].add(d);
                second[0] = d.mul_add(d, second[0]);
                i += lanes;
            }
            let rest = total::<S, T>(first) / cols as f64;
            let variance = total::<S, T>(second) / cols as f64 - rest * rest;
            // Not `max`, which would turn NaN into 0.
            let variance = if variance < 0.0 { 0.0 } else { variance };
            let rest = T::V::<S>::splat(T::of(rest));
            let scale = T::V::<S>::splat(T::of(1.0 / (variance + self.eps).sqrt()));

            let mut i = 0;
            while i < cols {
                let part = if i + lanes <= cols { 0 } else { cols - i };
                let mut y = load::<S, T>(x.add(i), part).sub(center).sub(rest).mul(scale);
                match (&self.weight, &self.bias) {
                    (Some(w), Some(b)) => {
                        y = y.mul_add(load::<S, T>(w.ptr().add(i), part), load::<S, T>(b.ptr().add(i), part));
                    }
                    (Some(w), None) => y = y.mul(load::<S, T>(w.ptr().add(i), part)),
                    (None, Some(b)) => y = y.add(load::<S, T>(b.ptr().add(i), part)),
                    (None, None) => {}
                }
                store::<S, T>(y, out.add(i), part);
                i += lanes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::layouts::Sample;

    fn reference<T: Float>(x: &[T], weight: Option<&[T]>, bias: Option<&[T]>, eps: f64) -> Vec<f64> {
        let n = x.len() as f64;
        let mean = x.iter().map(|x| x.to_f64()).sum::<f64>() / n;
        let variance = x.iter().map(|x| (x.to_f64() - mean).powi(2)).sum::<f64>() / n;
        let value = |(i, x): (usize, &T)| {
            let y = (x.to_f64() - mean) / (variance + eps).sqrt();
            y * weight.map_or(1.0, |w| w[i].to_f64()) + bias.map_or(0.0, |b| b[i].to_f64())
        };
        x.iter().enumerate().map(value).collect()
    }

    fn run<T: Float>(
        isa: Isa,
        threads: usize,
        x: &Sample<T>,
        weight: Option<&Sample<T>>,
        bias: Option<&Sample<T>>,
    ) -> Vec<T> {
        let (rows, cols) = (x.shape[0], x.shape[1]);
        let mut out = vec![T::of(f64::NAN); rows * cols + 1];
        let view = |s: &Sample<T>| (s.ptr(), s.strides[0]);
        let (weight, bias, to) = (weight.map(view), bias.map(view), out.as_mut_ptr());
        let (rs, cs) = (x.strides[0], x.strides[1]);
        // SAFETY: the samples are views of the shapes, `out` holds an element more.
        unsafe { layer_norm(isa, threads, rows, cols, x.ptr(), rs, cs, weight, bias, T::of(1e-5), to) };
        assert!(out.pop().is_some_and(|x| x.to_f64().is_nan()), "wrote past the end");
        out
    }

    fn check<T: Float>(tolerance: f64) {
        for [rows, cols] in [[1, 1], [3, 7], [18, 16], [17, 65], [2, 1000], [40, 777]] {
            for (seed, x) in Sample::<T>::all(&[rows, cols], 4).into_iter().enumerate() {
                let weight = Sample::new(x.layout, &[cols], 7);
                let bias = Sample::new("negative", &[cols], 8);
                let (weight, bias) = ((seed % 4 < 2).then_some(&weight), (seed % 2 == 0).then_some(&bias));
                let (wv, bv) = (weight.map(|w| w.values()), bias.map(|b| b.values()));
                for isa in Isa::available() {
                    let got = run(isa, 1, &x, weight, bias);
                    for (row, got) in x.values().chunks(cols).zip(got.chunks(cols)) {
                        let want = reference(row, wv.as_deref(), bv.as_deref(), T::of(1e-5).to_f64());
                        for (got, want) in got.iter().zip(want) {
                            let near = (got.to_f64() - want).abs() <= tolerance * (1.0 + want.abs());
                            assert!(near, "{isa:?} {} {rows}x{cols}: {got:?}, not {want}", x.layout);
                        }
                    }
                    assert_eq!(got, run(isa, 2, &x, weight, bias));
                }
            }
        }
    }

    #[test]
    fn every_layout_agrees_with_float64() {
        check::<f32>(3e-6);
        check::<f64>(1e-13);
    }

    #[test]
    fn a_large_offset_costs_no_accuracy() {
        let mut x = Sample::<f32>::new("contiguous", &[1, 3001], 4);
        for (i, v) in x.values().into_iter().enumerate() {
            x.set(i, 20_000.0 + v);
        }
        for isa in Isa::available() {
            let want = reference(&x.values(), None, None, 1e-5);
            let off =
                run(isa, 1, &x, None, None).iter().zip(want).map(|(g, w)| (*g as f64 - w).abs()).fold(0.0, f64::max);
            assert!(off < 1e-5, "{isa:?}: {off}");
        }
    }

    #[test]
    fn nan_stays_in_its_row() {
        let mut x = Sample::<f32>::new("contiguous", &[3, 21], 4);
        x.set(30, f32::NAN);
        for isa in Isa::available() {
            let got = run(isa, 1, &x, None, None);
            assert!(got.iter().enumerate().all(|(i, y)| y.is_nan() == (i / 21 == 1)));
        }
    }
}
