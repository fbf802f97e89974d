//! Products of every layout, epilogue, type and instruction set against sums in float64.
#![allow(missing_docs)]
#![allow(clippy::undocumented_unsafe_blocks)] // every view is of a vector that outlives the call

use lc_core::Activation;
use lc_cpu::Isa;
use lc_cpu::gemm::{Bias, Epilogue, GemmFloat, PackedB, gemm, gemm_batched, gemm_packed};
use lc_cpu::simd::Float;
use lc_cpu::view::{Mat, MatMut};

/// SplitMix64: the same numbers in every run.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn unit<T: Float>(&mut self) -> T {
        T::of((self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
    }
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    Contiguous,
    Fortran,
    Sliced,
    Offset,
    NegativeRows,
    NegativeCols,
    EverySecond,
    ZeroRows,
    ZeroCols,
}

use Layout::*;
const READ: [Layout; 9] =
    [Contiguous, Fortran, Sliced, Offset, NegativeRows, NegativeCols, EverySecond, ZeroRows, ZeroCols];
const WRITE: [Layout; 7] = [Contiguous, Fortran, Sliced, Offset, NegativeRows, NegativeCols, EverySecond];

/// Memory with a matrix in it and guard values around its elements.
struct Held<T> {
    data: Vec<T>,
    start: usize,
    rows: usize,
    cols: usize,
    strides: (isize, isize),
}

impl<T: Float> Held<T> {
    fn new(layout: Layout, rows: usize, cols: usize, rng: &mut Rng) -> Self {
        let (r, c) = (rows as isize, cols as isize);
        let (strides, start, len) = match layout {
            Contiguous => ((c, 1), 0, r * c),
            Fortran => ((1, r), 0, r * c),
            Sliced => ((c + 5, 1), 0, r * (c + 5)),
            Offset => ((c, 1), 3, r * c + 3),
            NegativeRows => ((-c, 1), (r - 1).max(0) * c, r * c),
            NegativeCols => ((c, -1), (c - 1).max(0), r * c),
            EverySecond => ((2 * c + 2, 2), 1, r * (2 * c + 2) + 1),
            ZeroRows => ((0, 1), 0, c),
            ZeroCols => ((1, 0), 0, r),
        };
        let data = (0..len).map(|_| rng.unit()).collect();
        Held { data, start: start as usize, rows, cols, strides }
    }
    fn mat(&self) -> Mat<T> {
        let ptr = self.data.as_ptr().wrapping_add(self.start);
        Mat { ptr, rows: self.rows, cols: self.cols, row_stride: self.strides.0, col_stride: self.strides.1 }
    }
    fn mat_mut(&mut self) -> MatMut<T> {
        let ptr = self.data.as_mut_ptr().wrapping_add(self.start);
        MatMut { ptr, rows: self.rows, cols: self.cols, row_stride: self.strides.0, col_stride: self.strides.1 }
    }
    fn index(&self, i: usize, j: usize) -> usize {
        (self.start as isize + i as isize * self.strides.0 + j as isize * self.strides.1) as usize
    }
    fn get(&self, i: usize, j: usize) -> f64 {
        self.data[self.index(i, j)].to_f64()
    }
    fn fill(&mut self, x: T) {
        self.data.fill(x);
    }
}

/// The error function, from the series whose terms all have one sign (Abramowitz and Stegun, 7.1.6).
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= 2.0 * x * x / (2 * n + 1) as f64;
        sum += term;
    }
    sum * (-x * x).exp() * 2.0 / std::f64::consts::PI.sqrt()
}

fn activate(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / 2f64.sqrt())),
        Activation::GeluTanh => {
            0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }
        Activation::Silu => x / (1.0 + (-x).exp()),
    }
}

/// One product and all that goes with it.
struct Case<T> {
    a: Held<T>,
    b: Held<T>,
    c: Held<T>,
    bias: Vec<T>,
    bias_kind: usize,
    residual: Option<Held<T>>,
    scale: T,
    activation: Activation,
}

impl<T: GemmFloat> Case<T> {
    fn plain(m: usize, n: usize, k: usize, layouts: (Layout, Layout, Layout), rng: &mut Rng) -> Self {
        Case {
            a: Held::new(layouts.0, m, k, rng),
            b: Held::new(layouts.1, k, n, rng),
            c: Held::new(layouts.2, m, n, rng),
            bias: (0..2 * m.max(n)).map(|_| rng.unit()).collect(),
            bias_kind: 0,
            residual: None,
            scale: T::ONE,
            activation: Activation::Identity,
        }
    }
    fn epilogue(&self) -> Epilogue<T> {
        let ptr = self.bias.as_ptr();
        Epilogue {
            scale: self.scale,
            bias: match self.bias_kind {
                0 => None,
                1 => Some(Bias::PerColumn { ptr, stride: 1 }),
                2 => Some(Bias::PerColumn { ptr, stride: 2 }),
                3 => Some(Bias::PerRow { ptr, stride: 1 }),
                _ => Some(Bias::PerRow { ptr, stride: 2 }),
            },
            residual: self.residual.as_ref().map(Held::mat),
            activation: self.activation,
        }
    }
    fn run(&mut self, isa: Isa, threads: usize) -> Vec<T> {
        self.c.fill(T::of(f64::NAN));
        let (e, a, b) = (self.epilogue(), self.a.mat(), self.b.mat());
        unsafe { gemm(isa, threads, a, b, self.c.mat_mut(), &e) };
        self.c.data.clone()
    }
    fn run_packed(&mut self, isa: Isa, threads: usize) -> Vec<T> {
        self.c.fill(T::of(f64::NAN));
        let e = self.epilogue();
        let packed = unsafe { PackedB::new(isa, self.b.mat()) };
        unsafe { gemm_packed(isa, threads, self.a.mat(), &packed, self.c.mat_mut(), &e) };
        self.c.data.clone()
    }
    /// Checks C against float64, and that what lies between its elements is as it was.
    fn check(&self, what: &str) {
        let (m, n, k) = (self.c.rows, self.c.cols, self.a.cols);
        let eps = if size_of::<T>() == 4 { f32::EPSILON as f64 } else { f64::EPSILON };
        let mut ours = vec![false; self.c.data.len()];
        for i in 0..m {
            for j in 0..n {
                ours[self.c.index(i, j)] = true;
                let (mut sum, mut size) = (0.0, 0.0);
                for p in 0..k {
                    let term = self.a.get(i, p) * self.b.get(p, j);
                    sum += term;
                    size += term.abs();
                }
                let mut want = sum * self.scale.to_f64();
                size *= self.scale.to_f64().abs();
                let bias = match self.bias_kind {
                    0 => 0.0,
                    1 | 2 => self.bias[j * self.bias_kind].to_f64(),
                    kind => self.bias[i * (kind - 2)].to_f64(),
                };
                want += bias + self.residual.as_ref().map_or(0.0, |r| r.get(i, j));
                want = activate(want, self.activation);
                let got = self.c.get(i, j);
                let bound = eps * ((k as f64).sqrt() + 8.0) * (size + 2.0);
                assert!((got - want).abs() <= bound, "{what}: [{i}, {j}] of {m}x{n}x{k}: {got}, expected {want}");
            }
        }
        for (x, ours) in self.c.data.iter().zip(ours) {
            assert!(ours || x.to_f64().is_nan(), "{what}: wrote between the elements of C");
        }
    }
}

fn bits<T: Float>(data: &[T]) -> Vec<u64> {
    data.iter().map(|x| x.to_f64().to_bits()).collect()
}

fn each_isa(f: impl Fn(Isa, &mut Rng)) {
    for isa in Isa::available() {
        f(isa, &mut Rng(isa as u64));
    }
}

fn odd_sizes<T: GemmFloat>() {
    each_isa(|isa, rng| {
        for round in 0..150 {
            let (m, n, k) = (1 + rng.below(70), 1 + rng.below(70), 1 + rng.below(70));
            let layouts = (READ[rng.below(9)], READ[rng.below(9)], WRITE[rng.below(7)]);
            let mut case = Case::<T>::plain(m, n, k, layouts, rng);
            case.run(isa, 1);
            case.check(&format!("{isa:?} {layouts:?} round {round}"));
        }
    });
}

#[test]
fn odd_sizes_f32() {
    odd_sizes::<f32>();
}

#[test]
fn odd_sizes_f64() {
    odd_sizes::<f64>();
}

fn layouts<T: GemmFloat>() {
    each_isa(|isa, rng| {
        for la in READ {
            for lb in READ {
                for lc in WRITE {
                    for (m, n, k) in [(17, 35, 19), (3, 41, 21), (37, 2, 23)] {
                        let mut case = Case::<T>::plain(m, n, k, (la, lb, lc), rng);
                        case.run(isa, 1);
                        case.check(&format!("{isa:?} {la:?} {lb:?} {lc:?}"));
                    }
                }
            }
        }
    });
}

#[test]
fn every_layout_of_every_operand_f32() {
    layouts::<f32>();
}

#[test]
fn every_layout_of_every_operand_f64() {
    layouts::<f64>();
}

#[test]
fn every_size_up_to_two_tiles() {
    each_isa(|isa, rng| {
        for m in 1..30 {
            for n in (1..70).step_by(3) {
                let mut case = Case::<f32>::plain(m, n, 5, (Contiguous, Contiguous, Sliced), rng);
                case.run(isa, 1);
                case.check(&format!("{isa:?}"));
            }
        }
    });
}

fn epilogues<T: GemmFloat>(activations: &[Activation]) {
    each_isa(|isa, rng| {
        for &activation in activations {
            for bias_kind in 0..5 {
                for residual in [None, Some(Contiguous), Some(Fortran), Some(ZeroRows), Some(NegativeCols)] {
                    for (lc, scale) in [(Contiguous, 1.0), (Fortran, -0.75), (EverySecond, 0.5)] {
                        for (m, n, k) in [(15, 37, 9), (2, 50, 40), (40, 1, 33), (5, 6, 0)] {
                            let mut case = Case::<T>::plain(m, n, k, (Contiguous, Contiguous, lc), rng);
                            case.scale = T::of(scale);
                            case.bias_kind = bias_kind;
                            case.activation = activation;
                            case.residual = residual.map(|layout| Held::new(layout, m, n, rng));
                            case.run(isa, 1);
                            case.check(&format!("{isa:?} {activation:?} bias {bias_kind} {residual:?} {lc:?}"));
                            case.run_packed(isa, 1);
                            case.check(&format!("packed {isa:?} {activation:?} bias {bias_kind} {residual:?} {lc:?}"));
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn epilogues_f32() {
    epilogues::<f32>(&Activation::ALL);
}

#[test]
fn epilogues_f64() {
    epilogues::<f64>(&Activation::ALL);
}

/// Longer than a block in every direction; split over threads; from panels: the same bits each time.
fn blocks<T: GemmFloat>() {
    each_isa(|isa, rng| {
        for (m, n, k) in
            [(65, 333, 1100), (150, 700, 130), (40, 1500, 900), (5, 100, 2100), (300, 33, 600), (130, 130, 130)]
        {
            for layouts in
                [(Contiguous, Contiguous, Contiguous), (Fortran, Fortran, Fortran), (Sliced, Fortran, Contiguous)]
            {
                let mut case = Case::<T>::plain(m, n, k, layouts, rng);
                case.bias_kind = 1;
                case.activation = Activation::Relu;
                let one = bits(&case.run(isa, 1));
                case.check(&format!("{isa:?} {layouts:?}"));
                for threads in [2, 3, 7] {
                    assert_eq!(one, bits(&case.run(isa, threads)), "{isa:?} {layouts:?} {threads} threads {m}x{n}x{k}");
                }
                if layouts.2 != Fortran {
                    assert_eq!(one, bits(&case.run_packed(isa, 1)), "{isa:?} {layouts:?} packed");
                    assert_eq!(one, bits(&case.run_packed(isa, 2)), "{isa:?} {layouts:?} packed, 2 threads");
                } else {
                    case.run_packed(isa, 2);
                    case.check(&format!("{isa:?} {layouts:?} packed"));
                }
            }
        }
    });
}

/// A B of 12 MiB, which threads that share rows pack together, in several blocks of k.
#[test]
fn a_large_b_is_packed_together() {
    lc_cpu::pool::set_threads(7);
    each_isa(|isa, rng| {
        for layouts in [(Contiguous, Contiguous, Contiguous), (Contiguous, Fortran, Sliced)] {
            let mut case = Case::<f32>::plain(70, 2001, 1601, layouts, rng);
            case.bias_kind = 1;
            let one = bits(&case.run(isa, 1));
            for threads in [2, 5] {
                assert_eq!(one, bits(&case.run(isa, threads)), "{isa:?} {layouts:?} {threads} threads");
            }
            case.check(&format!("{isa:?} {layouts:?}"));
        }
    });
}

#[test]
fn blocks_and_threads_f32() {
    lc_cpu::pool::set_threads(7);
    blocks::<f32>();
}

#[test]
fn blocks_and_threads_f64() {
    lc_cpu::pool::set_threads(7);
    blocks::<f64>();
}

/// More rows than one block of them holds, and more columns than one slice, in 512-bit vectors.
#[test]
fn blocks_of_rows() {
    lc_cpu::pool::set_threads(7);
    each_isa(|isa, rng| {
        for layouts in [(Contiguous, Contiguous, Contiguous), (Sliced, Fortran, Contiguous)] {
            let mut case = Case::<f32>::plain(1400, 200, 768, layouts, rng);
            let one = bits(&case.run(isa, 1));
            case.check(&format!("{isa:?} {layouts:?}"));
            assert_eq!(one, bits(&case.run(isa, 2)), "{isa:?} {layouts:?} 2 threads");
            assert_eq!(one, bits(&case.run_packed(isa, 1)), "{isa:?} {layouts:?} packed");
        }
    });
}

#[test]
fn few_rows_or_columns() {
    lc_cpu::pool::set_threads(7);
    each_isa(|isa, rng| {
        for (m, n, k) in [(1, 9000, 70), (3, 700, 701), (4, 130, 2000), (2, 5, 3000), (900, 1, 800), (900, 3, 33)] {
            for layouts in [
                (Contiguous, Contiguous, Contiguous),
                (Contiguous, Fortran, Contiguous),
                (Fortran, Contiguous, Fortran),
                (Sliced, NegativeRows, Fortran),
            ] {
                let mut case = Case::<f32>::plain(m, n, k, layouts, rng);
                case.bias_kind = 3;
                case.activation = Activation::Gelu;
                case.residual = Some(Held::new(Contiguous, m, n, rng));
                let one = bits(&case.run(isa, 1));
                case.check(&format!("{isa:?} {layouts:?}"));
                assert_eq!(one, bits(&case.run(isa, 5)), "{isa:?} {layouts:?} {m}x{n}x{k} on 5 threads");
            }
        }
    });
}

#[test]
fn residual_may_be_the_output() {
    each_isa(|isa, rng| {
        // The last has several blocks of k.
        for (m, n, k) in [(33, 65, 40), (2, 400, 40), (33, 65, 1700)] {
            let mut case = Case::<f32>::plain(m, n, k, (Contiguous, Contiguous, Contiguous), rng);
            let old = Held::<f32>::new(Contiguous, m, n, rng);
            case.c.data.copy_from_slice(&old.data);
            let c = case.c.mat_mut();
            let same = Mat { ptr: c.ptr.cast_const(), rows: m, cols: n, row_stride: n as isize, col_stride: 1 };
            let e = Epilogue { residual: Some(same), ..Epilogue::default() };
            unsafe { gemm(isa, 1, case.a.mat(), case.b.mat(), c, &e) };
            case.residual = Some(old);
            case.check("in place");
        }
    });
}

#[test]
fn nan_and_infinity_reach_their_row_and_column() {
    each_isa(|isa, rng| {
        for (m, n, k) in [(20, 40, 30), (2, 40, 30), (40, 2, 30), (90, 90, 90)] {
            for layouts in [(Contiguous, Contiguous, Contiguous), (Fortran, Fortran, Contiguous)] {
                let mut case = Case::<f32>::plain(m, n, k, layouts, rng);
                let at = case.a.index(1, 7);
                case.a.data[at] = f32::NAN;
                let at = case.b.index(9, 1);
                case.b.data[at] = f32::INFINITY;
                case.run(isa, 1);
                for i in 0..m {
                    for j in 0..n {
                        let x = case.c.get(i, j);
                        let expected = if i == 1 {
                            x.is_nan()
                        } else if j == 1 {
                            x.is_infinite()
                        } else {
                            x.is_finite()
                        };
                        assert!(expected, "{isa:?} {layouts:?} [{i}, {j}] is {x}");
                    }
                }
            }
        }
    });
}

#[test]
fn relu_keeps_nan() {
    each_isa(|isa, rng| {
        let mut case = Case::<f64>::plain(3, 20, 4, (Contiguous, Contiguous, Contiguous), rng);
        case.a.data[0] = f64::NAN;
        case.activation = Activation::Relu;
        case.run(isa, 1);
        assert!((0..20).all(|j| case.c.get(0, j).is_nan()));
    });
}

#[test]
fn batches() {
    lc_cpu::pool::set_threads(3);
    each_isa(|isa, rng| {
        for (count, m, n, k) in [(1, 9, 9, 9), (5, 17, 33, 8), (40, 40, 40, 40), (3, 0, 4, 4), (2, 150, 150, 150)] {
            let mut cases: Vec<_> =
                (0..count).map(|_| Case::<f32>::plain(m, n, k, (Contiguous, Fortran, Contiguous), rng)).collect();
            for threads in [1, 3] {
                let c: Vec<_> = cases
                    .iter_mut()
                    .map(|case| {
                        case.c.fill(f32::NAN);
                        case.c.mat_mut()
                    })
                    .collect();
                let a: Vec<_> = cases.iter().map(|case| case.a.mat()).collect();
                let b: Vec<_> = cases.iter().map(|case| case.b.mat()).collect();
                unsafe {
                    gemm_batched(isa, threads, count, |i| a[i], |i| b[i], |i| c[i], &Epilogue::default());
                }
                for case in &cases {
                    case.check(&format!("{isa:?} {threads} threads"));
                }
            }
        }
    });
}
