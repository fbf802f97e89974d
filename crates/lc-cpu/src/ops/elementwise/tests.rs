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

/// Calls on several threads and in both directions give the same bits.
#[test]
fn large_results_do_not_depend_on_threads() {
    let n = machine::caches().l2 / 8 + 12_345;
    let mut random = Random::new(5);
    let (a, b): (Vec<f32>, Vec<f32>) = (random.vec(n), random.vec(n));
    for isa in Isa::available() {
        for threads in [1, 2, 3, 1] {
            let mut out = vec![7.0f32; n + 1];
            // SAFETY: the slices hold `n` elements, `out` more.
            unsafe { binary(isa, threads, BinaryOp::Sub, &[n], a.as_ptr(), &[1], b.as_ptr(), &[1], out.as_mut_ptr()) };
            assert_eq!(out[n], 7.0);
            assert!(out.iter().zip(a.iter().zip(&b)).all(|(o, (x, y))| o.to_bits() == (x - y).to_bits()), "{isa:?}");
        }
    }
}

#[test]
fn every_pass_at_any_alignment() {
    let mut random = Random::new(6);
    let (a, b): (Vec<f32>, Vec<f32>) = (random.vec(1100), random.vec(1100));
    for isa in Isa::available() {
        for pass in [Pass::Near, Pass::Stream] {
            for (len, shift) in [0, 1, 5, 63, 64, 65, 127, 1000].into_iter().flat_map(|n| [0, 1, 7].map(|s| (n, s))) {
                let mut out = vec![7.0f32; len + shift + 1];
                let inputs = [a.as_ptr(), b[shift..].as_ptr()];
                dispatch(isa, Span { f: Mul, inputs, out: out[shift..].as_mut_ptr(), len, pass });
                assert_eq!((out[len + shift], &out[..shift]), (7.0, &[7.0; 7][..shift]));
                let ok = (0..len).all(|i| out[shift + i].to_bits() == (a[i] * b[shift + i]).to_bits());
                assert!(ok, "{isa:?} {pass:?} {len} elements, {shift} on");
            }
        }
    }
}

#[test]
fn the_result_is_streamed_only_when_it_cannot_stay() {
    let caches = machine::caches();
    assert_eq!(Plan::of(96, 8), Plan { tasks: 1, pass: Pass::Near });
    assert_eq!(Plan::of(2 * caches.l2, 2), Plan { tasks: 2, pass: Pass::Near });
    assert_eq!(Plan::of(2 * caches.l3, 2).pass, Pass::Stream);
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
