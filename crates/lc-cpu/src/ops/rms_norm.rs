//! Root-mean-square normalisation (Zhang and Sennrich, 2019) of the rows of a matrix.

use crate::isa::Isa;
use crate::ops::rows::{Columns, RowFunction, each_row, each_vector, load, store, total};
use crate::simd::{Float, Simd, Vector};

/// `out[r, c] = x[r, c] / √(mean of x[r, ·]² + eps) · weight[c]`
///
/// `x` is a view of `rows` × `cols`; `weight` is the first of `cols` elements and their stride; all strides are in
/// elements and may be zero or negative. `out` is C-contiguous and may be `x` if that is too. `threads` bounds how many
/// threads work on it; the result does not depend on it.
///
/// # Safety
/// Every element that the views reach must be readable, `out` writable for `rows * cols` elements, and `isa` available.
pub unsafe fn rms_norm<T: Float>(
    isa: Isa,
    threads: usize,
    rows: usize,
    cols: usize,
    x: *const T,
    row_stride: isize,
    col_stride: isize,
    weight: Option<(*const T, isize)>,
    eps: T,
    out: *mut T,
) {
    // SAFETY: the caller's contract.
    unsafe {
        let f = RmsNorm { weight: weight.map(|w| Columns::new(w, cols)), eps: eps.to_f64() };
        each_row(isa, threads, &f, rows, cols, x, row_stride, col_stride, out);
    }
}

struct RmsNorm<T> {
    weight: Option<Columns<T>>,
    eps: f64,
}

impl<T: Float> RowFunction<T> for RmsNorm<T> {
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, x: *const T, out: *mut T, cols: usize) {
        let lanes = T::V::<S>::LANES;
        // SAFETY: inside `Kernel::run`; every access is of `cols` elements.
        unsafe {
            let mut squares = [T::V::<S>::zero(); 4];
            each_vector(lanes, cols, |i, u, part| {
                let v = load::<S, T>(x.add(i), part);
                squares[u] = v.mul_add(v, squares[u]);
            });
            let mean = total::<S, T>(squares) / cols as f64;
            let scale = T::V::<S>::splat(T::of(1.0 / (mean + self.eps).sqrt()));
            each_vector(lanes, cols, |i, _, part| {
                let mut y = load::<S, T>(x.add(i), part).mul(scale);
                if let Some(w) = &self.weight {
                    y = y.mul(load::<S, T>(w.ptr().add(i), part));
                }
                store::<S, T>(y, out.add(i), part);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::layouts::Sample;

    fn run<T: Float>(isa: Isa, threads: usize, x: &Sample<T>, weight: Option<&Sample<T>>) -> Vec<T> {
        let (rows, cols) = (x.shape[0], x.shape[1]);
        let mut out = vec![T::of(f64::NAN); rows * cols + 1];
        let (weight, to) = (weight.map(|s| (s.ptr(), s.strides[0])), out.as_mut_ptr());
        let (rs, cs) = (x.strides[0], x.strides[1]);
        // SAFETY: the samples are views of the shapes, `out` holds an element more.
        unsafe { rms_norm(isa, threads, rows, cols, x.ptr(), rs, cs, weight, T::of(1e-6), to) };
        assert!(out.pop().is_some_and(|x| x.to_f64().is_nan()), "wrote past the end");
        out
    }

    fn check<T: Float>(tolerance: f64) {
        for [rows, cols] in [[1, 1], [3, 7], [18, 16], [17, 65], [2, 1000], [40, 777]] {
            for (seed, x) in Sample::<T>::all(&[rows, cols], 4).into_iter().enumerate() {
                let weight = Sample::new(x.layout, &[cols], 7);
                let weight = (seed % 2 == 0).then_some(&weight);
                let wv = weight.map(|w| w.values());
                for isa in Isa::available() {
                    let got = run(isa, 1, &x, weight);
                    for (row, got) in x.values().chunks(cols).zip(got.chunks(cols)) {
                        let mean = row.iter().map(|x| x.to_f64().powi(2)).sum::<f64>() / cols as f64;
                        for (i, got) in got.iter().enumerate() {
                            let w = wv.as_ref().map_or(1.0, |w| w[i].to_f64());
                            let want = row[i].to_f64() / (mean + T::of(1e-6).to_f64()).sqrt() * w;
                            let near = (got.to_f64() - want).abs() <= tolerance * (1.0 + want.abs());
                            assert!(near, "{isa:?} {} {rows}x{cols}: {got:?}, not {want}", x.layout);
                        }
                    }
                    assert_eq!(got, run(isa, 2, &x, weight));
                }
            }
        }
    }

    #[test]
    fn every_layout_agrees_with_float64() {
        check::<f32>(1e-6);
        check::<f64>(1e-14);
    }

    #[test]
    fn nan_stays_in_its_row() {
        let mut x = Sample::<f64>::new("transposed", &[3, 21], 4);
        x.set(30, f64::NAN);
        for isa in Isa::available() {
            let got = run(isa, 1, &x, None);
            assert!(got.iter().enumerate().all(|(i, y)| y.is_nan() == (i / 21 == 1)));
        }
    }
}
