use super::*;
use crate::ops::layouts::{Random, Sample};

const OPS: [BinaryOp; 4] = [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div];

fn scalar<T: Float>(op: BinaryOp, a: T, b: T) -> T {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
    }
}

/// The bits, with every NaN the same.
fn bits<T: Float>(x: T) -> u64 {
    let x = x.to_f64();
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

fn run<T: Float>(isa: Isa, threads: usize, op: BinaryOp, a: &Sample<T>, b: &Sample<T>) -> Vec<T> {
    let n: usize = a.shape.iter().product();
    let mut out = vec![T::of(f64::NAN); n + 1];
    // SAFETY: both samples are views of one shape, `out` holds an element more than it.
    unsafe { binary(isa, threads, op, &a.shape, a.ptr(), &a.strides, b.ptr(), &b.strides, out.as_mut_ptr()) };
    assert!(out.pop().is_some_and(|x| x.to_f64().is_nan()), "wrote past the end");
    out
}

fn check<T: Float>(isa: Isa, threads: usize, op: BinaryOp, a: &Sample<T>, b: &Sample<T>) {
    let got = run(isa, threads, op, a, b);
    for (i, ((x, y), got)) in a.values().into_iter().zip(b.values()).zip(got).enumerate() {
        let want = scalar(op, x, y);
        let (la, lb) = (a.layout, b.layout);
        assert_eq!(bits(got), bits(want), "{isa:?} {op:?} {:?} {la}/{lb} [{i}]: {x:?} {y:?}", a.shape);
    }
}

fn layouts<T: Float>() {
    let shapes: [&[usize]; 9] =
        [&[], &[1], &[7], &[33], &[3, 5], &[17, 65], &[2, 1, 19], &[3, 18, 70], &[2, 3, 4, 5, 1, 2, 3, 2, 2]];
    for (seed, shape) in shapes.into_iter().enumerate() {
        for a in Sample::<T>::all(shape, seed as u64) {
            for b in Sample::<T>::all(shape, seed as u64 + 50) {
                for isa in Isa::available() {
                    check(isa, 1, OPS[seed % 4], &a, &b);
                }
            }
        }
    }
}

#[test]
fn every_pair_of_layouts_equals_scalar_arithmetic() {
    layouts::<f32>();
    layouts::<f64>();
}

#[test]
fn every_length_up_to_two_unrolled_steps() {
    for n in 0..140 {
        let (a, b) = (Sample::<f32>::new("offset", &[n], 1), Sample::new("contiguous", &[n], 2));
        for isa in Isa::available() {
            OPS.into_iter().for_each(|op| check(isa, 2, op, &a, &b));
        }
    }
}

#[test]
fn division_follows_ieee() {
    let cases = [0.0, -0.0, 1.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MIN_POSITIVE, f32::MAX, 1e-45];
    let n = cases.len();
    let (mut a, mut b) = (Sample::<f32>::new("contiguous", &[n * n], 0), Sample::new("contiguous", &[n * n], 0));
    for i in 0..n * n {
        a.set(i, cases[i / n]);
        b.set(i, cases[i % n]);
    }
    for isa in Isa::available() {
        OPS.into_iter().for_each(|op| check(isa, 1, op, &a, &b));
    }
}

/// Above the caches the result is streamed and the threads share the work: the same bits at any misalignment.
#[test]
fn large_results_do_not_depend_on_threads() {
    let n = 3 * l2_bytes() / 4 / 2 + 12_345;
    let mut random = Random::new(5);
    let (a, b): (Vec<f32>, Vec<f32>) = (random.vec(n), random.vec(n));
    for isa in Isa::available() {
        for shift in [0, 1, 7] {
            for threads in [1, 2, 3] {
                let mut out = vec![7.0f32; n + shift + 1];
                assert!(Plan::of(12 * n, 1).stream);
                // SAFETY: the slices hold `n` elements, `out` more.
                unsafe {
                    let to = out.as_mut_ptr().add(shift);
                    binary(isa, threads, BinaryOp::Sub, &[n], a.as_ptr(), &[1], b.as_ptr(), &[1], to);
                }
                assert_eq!(out[n + shift], 7.0);
                let ok = out[shift..].iter().zip(a.iter().zip(&b)).all(|(o, (x, y))| o.to_bits() == (x - y).to_bits());
                assert!(ok, "{isa:?} shift {shift} threads {threads}");
            }
        }
    }
}

#[test]
fn large_broadcasts_and_transposes_do_not_depend_on_threads() {
    let shape = [1031, 517];
    for (x, y) in [("zero", "contiguous"), ("transposed", "contiguous"), ("contiguous", "fortran"), ("column", "zero")]
    {
        let (a, b) = (Sample::<f32>::new(x, &shape, 4), Sample::new(y, &shape, 5));
        for isa in Isa::available() {
            let one = run(isa, 1, BinaryOp::Mul, &a, &b);
            assert!(one.iter().zip(run(isa, 3, BinaryOp::Mul, &a, &b)).all(|(p, q)| p.to_bits() == q.to_bits()));
            check(isa, 2, BinaryOp::Add, &a, &b);
        }
    }
}

#[test]
fn in_place_on_contiguous_memory() {
    let a: Vec<f64> = Random::new(9).vec(1003);
    for isa in Isa::available() {
        let mut x = a.clone();
        let p = x.as_mut_ptr();
        // SAFETY: `x` holds the elements; input and output are the same contiguous memory.
        unsafe { binary(isa, 2, BinaryOp::Add, &[17, 59], p, &[59, 1], p, &[59, 1], p) };
        assert!(x.iter().zip(&a).all(|(got, a)| *got == a + a));
    }
}
