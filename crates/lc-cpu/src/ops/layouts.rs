//! Test data in the layouts that a view can have.

use crate::simd::Float;

/// A pseudo-random sequence of numbers in [-1, 1): xorshift64* (Vigna, 2016).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.bits() >> 33) as usize % n
    }

    pub(crate) fn number(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub(crate) fn vec<T: Float>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::of(self.number())).collect()
    }
}

/// A view of `shape` in memory that holds NaN wherever the view does not reach.
pub(crate) struct Sample<T> {
    pub(crate) layout: &'static str,
    pub(crate) shape: Vec<usize>,
    pub(crate) strides: Vec<isize>,
    memory: Vec<T>,
    offset: usize,
}

pub(crate) const LAYOUTS: [&str; 8] =
    ["contiguous", "transposed", "sliced", "offset", "negative", "zero", "column", "fortran"];

impl<T: Float> Sample<T> {
    pub(crate) fn new(layout: &'static str, shape: &[usize], seed: u64) -> Sample<T> {
        let rank = shape.len();
        // Strides of an array of `shape` whose extents lie in memory in `order`, outermost first, each `step` apart.
        let packed = |order: &[usize], step: usize, last: usize| {
            let mut strides = vec![0isize; rank];
            let mut next = last;
            for &d in order.iter().rev() {
                strides[d] = (next * step) as isize;
                next *= shape[d] * step;
            }
            strides
        };
        let forward: Vec<usize> = (0..rank).collect();
        let backward: Vec<usize> = (0..rank).rev().collect();
        let mut swapped = forward.clone();
        if rank > 1 {
            swapped.swap(rank - 1, rank - 2);
        }
        let mut strides = match layout {
            "transposed" => packed(&swapped, 1, 1),
            "sliced" => packed(&forward, 2, 1),
            "column" => packed(&forward, 1, 5),
            "fortran" => packed(&backward, 1, 1),
            _ => packed(&forward, 1, 1),
        };
        match layout {
            "negative" => strides.iter_mut().for_each(|s| *s = -*s),
            "zero" if rank > 0 => strides[(seed as usize) % rank] = 0,
            _ => {}
        }
        let reach = |s: &isize, n: &usize| s * (*n as isize - 1).max(0);
        let below: isize = strides.iter().zip(shape).map(|(s, n)| reach(s, n).min(0)).sum();
        let above: isize = strides.iter().zip(shape).map(|(s, n)| reach(s, n).max(0)).sum();
        let offset = below.unsigned_abs() + if layout == "offset" { 3 } else { 0 };
        let mut memory = vec![T::of(f64::NAN); offset + above as usize + 1];
        let mut random = Random::new(seed + 1);
        let sample = Sample { layout, shape: shape.to_vec(), strides, memory: Vec::new(), offset };
        sample.each(|_, at| memory[at] = T::of(random.number()));
        Sample { memory, ..sample }
    }

    pub(crate) fn all(shape: &[usize], seed: u64) -> Vec<Sample<T>> {
        LAYOUTS.iter().map(|layout| Sample::new(layout, shape, seed)).collect()
    }

    pub(crate) fn ptr(&self) -> *const T {
        self.memory[self.offset..].as_ptr()
    }

    /// Calls `f` with the C-order index and the place in memory of every element.
    fn each(&self, mut f: impl FnMut(usize, usize)) {
        for i in 0..self.shape.iter().product() {
            let (mut rest, mut at) = (i, self.offset as isize);
            for (&n, &s) in self.shape.iter().zip(&self.strides).rev() {
                at += (rest % n) as isize * s;
                rest /= n;
            }
            f(i, at as usize);
        }
    }

    /// The elements in C order.
    pub(crate) fn values(&self) -> Vec<T> {
        let mut out = Vec::new();
        self.each(|_, at| out.push(self.memory[at]));
        out
    }

    /// Changes an element, by its C-order index.
    pub(crate) fn set(&mut self, index: usize, value: T) {
        let mut place = 0;
        self.each(|i, at| {
            if i == index {
                place = at;
            }
        });
        self.memory[place] = value;
    }
}
