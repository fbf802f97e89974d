use super::*;
use crate::ops::layouts::{LAYOUTS, Random, Sample};

/// Sizes from batch, (channels, rows, columns), (outputs, filter rows, columns), and pairs of stride, pad, dilation.
fn sizes(
    batch: usize,
    [c, h, w]: [usize; 3],
    [o, kh, kw]: [usize; 3],
    stride: [usize; 2],
    pad: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
) -> Conv2d {
    Conv2d {
        batch,
        in_channels: c,
        in_h: h,
        in_w: w,
        out_channels: o,
        kernel_h: kh,
        kernel_w: kw,
        stride_h: stride[0],
        stride_w: stride[1],
        pad_h: pad[0],
        pad_w: pad[1],
        dilation_h: dilation[0],
        dilation_w: dilation[1],
        groups,
        out_h: Conv2d::out_extent(h, kh, stride[0], pad[0], dilation[0]).unwrap(),
        out_w: Conv2d::out_extent(w, kw, stride[1], pad[1], dilation[1]).unwrap(),
    }
}

/// The formula in float64, without the activation, and the sum of the magnitudes of its terms.
fn reference<T: Float>(p: &Conv2d, x: &[T], w: &[T], bias: Option<&[T]>) -> Vec<(f64, f64)> {
    let mut out = Vec::new();
    for n in 0..p.batch {
        for o in 0..p.out_channels {
            for oy in 0..p.out_h {
                for ox in 0..p.out_w {
                    let mut sum = bias.map_or(0.0, |b| b[o].to_f64());
                    let mut size = sum.abs();
                    for c in 0..p.group_in() {
                        let channel = o / p.group_out() * p.group_in() + c;
                        for i in 0..p.kernel_h {
                            for j in 0..p.kernel_w {
                                let y = (oy * p.stride_h + i * p.dilation_h) as isize - p.pad_h as isize;
                                let z = (ox * p.stride_w + j * p.dilation_w) as isize - p.pad_w as isize;
                                if y < 0 || y >= p.in_h as isize || z < 0 || z >= p.in_w as isize {
                                    continue;
                                }
                                let at = ((n * p.in_channels + channel) * p.in_h + y as usize) * p.in_w + z as usize;
                                let weight = w[((o * p.group_in() + c) * p.kernel_h + i) * p.kernel_w + j];
                                let term = x[at].to_f64() * weight.to_f64();
                                sum += term;
                                size += term.abs();
                            }
                        }
                    }
                    out.push((sum, size));
                }
            }
        }
    }
    out
}

struct Case<'a, T> {
    p: Conv2d,
    x: &'a Sample<T>,
    w: &'a Sample<T>,
    bias: Option<&'a Sample<T>>,
    act: Activation,
}

impl<T: MathFloat> Case<'_, T> {
    fn run(&self, isa: Isa, threads: usize, packed: bool) -> Vec<T> {
        let mut out = vec![T::of(f64::NAN); self.p.out_len() + 1];
        let strides = |s: &Sample<T>| <[isize; 4]>::try_from(s.strides.as_slice()).unwrap();
        let bias = self.bias.map(|b| (b.ptr(), b.strides[0]));
        let (x, w, act, to) = (self.x, self.w, self.act, out.as_mut_ptr());
        // SAFETY: the samples are views of the shapes of `p`, `out` has its size and one element more.
        unsafe {
            if packed {
                let filter = PackedFilter::new(isa, &self.p, w.ptr(), strides(w));
                conv2d_packed(isa, threads, &self.p, x.ptr(), strides(x), &filter, bias, to, act);
            } else {
                conv2d(isa, threads, &self.p, x.ptr(), strides(x), w.ptr(), strides(w), bias, to, act);
            }
        }
        assert!(out.pop().is_some_and(|x| x.to_f64().is_nan()), "wrote past the end");
        out
    }

    fn check(&self, epsilon: f64) {
        let bias = self.bias.map(|b| b.values());
        let want = reference(&self.p, &self.x.values(), &self.w.values(), bias.as_deref());
        for isa in Isa::available() {
            let got = self.run(isa, 1, false);
            for (i, (got, &(sum, size))) in got.iter().zip(&want).enumerate() {
                let sum = if self.act == Activation::Relu { sum.max(0.0) } else { sum };
                let bound = epsilon * (2.0 + (self.p.taps() as f64).sqrt()) * (size + f64::MIN_POSITIVE);
                let (lx, lw, p) = (self.x.layout, self.w.layout, &self.p);
                let off = (got.to_f64() - sum).abs();
                assert!(off <= bound, "{isa:?} {lx}/{lw} [{i}] {got:?}, not {sum}: {p:?}");
            }
            for (threads, packed) in [(2, false), (3, true)] {
                assert_eq!(
                    got,
                    self.run(isa, threads, packed),
                    "{isa:?} {threads} threads, packed {packed}: {:?}",
                    self.p
                );
            }
        }
    }
}

fn check<T: MathFloat>(p: Conv2d, layouts: [&'static str; 2], bias: bool, act: Activation, epsilon: f64) {
    let x = Sample::<T>::new(layouts[0], &[p.batch, p.in_channels, p.in_h, p.in_w], 1);
    let w = Sample::new(layouts[1], &filter_shape(&p), 2);
    let b = Sample::new(if layouts[0] == "contiguous" { "contiguous" } else { "negative" }, &[p.out_channels], 3);
    Case { p, x: &x, w: &w, bias: bias.then_some(&b), act }.check(epsilon);
}

const ONE: [usize; 2] = [1, 1];

fn shapes() -> Vec<Conv2d> {
    vec![
        sizes(1, [3, 16, 16], [16, 3, 3], ONE, ONE, ONE, 1),
        sizes(2, [3, 8, 8], [16, 3, 3], ONE, ONE, ONE, 1),
        sizes(1, [3, 24, 24], [16, 3, 3], ONE, ONE, ONE, 1),
        sizes(1, [3, 28, 28], [5, 3, 3], ONE, ONE, ONE, 1),
        sizes(1, [1, 1, 1], [1, 1, 1], ONE, [0, 0], ONE, 1),
        sizes(1, [1, 1, 1], [1, 3, 3], ONE, ONE, ONE, 1),
        sizes(2, [4, 7, 9], [6, 1, 1], ONE, [0, 0], ONE, 1),
        sizes(1, [2, 9, 11], [3, 1, 1], [2, 3], [2, 1], ONE, 1),
        sizes(1, [3, 19, 33], [7, 5, 3], [2, 2], [2, 1], ONE, 1),
        sizes(1, [2, 14, 37], [4, 3, 4], [1, 3], [0, 5], [2, 3], 1),
        sizes(1, [2, 14, 17], [4, 3, 2], [3, 1], [4, 0], [1, 2], 1),
        sizes(2, [6, 9, 20], [6, 3, 3], ONE, ONE, ONE, 6),
        sizes(1, [4, 11, 11], [6, 3, 3], [2, 1], [1, 2], ONE, 2),
        sizes(1, [8, 5, 3], [130, 3, 3], ONE, ONE, ONE, 1),
        sizes(1, [70, 6, 5], [66, 3, 3], ONE, ONE, ONE, 1),
        sizes(1, [70, 10, 16], [9, 3, 3], ONE, ONE, ONE, 1),
        sizes(1, [600, 3, 4], [65, 1, 1], ONE, [0, 0], ONE, 1),
        sizes(1, [3, 12, 70], [4, 7, 7], [2, 2], [3, 3], ONE, 1),
        sizes(1, [1, 3, 3], [2, 3, 3], ONE, [5, 5], ONE, 1),
        sizes(1, [1, 2, 2], [1, 1, 1], [1, 4], [0, 9], ONE, 1),
    ]
}

#[test]
fn agrees_with_float64() {
    for p in shapes() {
        for (bias, act) in [(false, Activation::Identity), (true, Activation::Relu)] {
            check::<f32>(p, ["contiguous"; 2], bias, act, f32::EPSILON as f64);
            check::<f64>(p, ["contiguous"; 2], bias, act, f64::EPSILON);
        }
    }
}

#[test]
fn every_layout_agrees_with_float64() {
    let shapes = shapes();
    for (i, x) in LAYOUTS.into_iter().enumerate() {
        for (j, w) in LAYOUTS.into_iter().enumerate() {
            let p = shapes[(i * 8 + j) % 14];
            check::<f32>(p, [x, w], true, Activation::Identity, f32::EPSILON as f64);
            check::<f64>(p, [x, w], j % 2 == 0, Activation::Relu, f64::EPSILON);
        }
    }
}

#[test]
fn random_sizes_agree_with_float64() {
    let mut random = Random::new(11);
    let mut done = 0;
    while done < 150 {
        let groups = 1 + random.below(3);
        let pair = |random: &mut Random, low: usize, n: usize| [low + random.below(n), low + random.below(n)];
        let [kh, kw] = pair(&mut random, 1, 5);
        let [h, w] = [1 + random.below(20), 1 + random.below(50)];
        let (stride, pad, dilation) = (pair(&mut random, 1, 3), pair(&mut random, 0, 4), pair(&mut random, 1, 3));
        let fits = Conv2d::out_extent(h, kh, stride[0], pad[0], dilation[0]).is_some()
            && Conv2d::out_extent(w, kw, stride[1], pad[1], dilation[1]).is_some();
        if !fits {
            continue;
        }
        let channels = groups * (1 + random.below(5));
        let outs = groups * (1 + random.below(9));
        let p = sizes(1 + random.below(2), [channels, h, w], [outs, kh, kw], stride, pad, dilation, groups);
        check::<f32>(p, ["contiguous"; 2], true, Activation::Relu, f32::EPSILON as f64);
        done += 1;
    }
}

#[test]
fn every_activation_is_applied() {
    for p in [sizes(1, [3, 9, 20], [5, 3, 3], ONE, ONE, ONE, 1), sizes(1, [70, 4, 16], [5, 3, 3], ONE, ONE, ONE, 1)] {
        let x = Sample::<f32>::new("contiguous", &[1, p.in_channels, p.in_h, p.in_w], 1);
        let w = Sample::new("contiguous", &filter_shape(&p), 2);
        let case = |act| Case { p, x: &x, w: &w, bias: None, act };
        for isa in Isa::available() {
            let plain = case(Activation::Identity).run(isa, 1, false);
            for act in Activation::ALL {
                let mut want = plain.clone();
                let n = want.len();
                // SAFETY: in place on all elements.
                unsafe { activation(isa, 1, act, &[n], want.as_ptr(), &[1], want.as_mut_ptr()) };
                assert_eq!(case(act).run(isa, 2, false), want, "{isa:?} {act:?}");
            }
        }
    }
}

/// A NaN of the image reaches the outputs whose window holds it and no other.
#[test]
fn nan_stays_in_its_windows() {
    for p in shapes().into_iter().filter(|p| p.batch == 1 && p.taps() < 200) {
        let mut x = Sample::<f32>::new("contiguous", &[1, p.in_channels, p.in_h, p.in_w], 1);
        let w = Sample::new("contiguous", &filter_shape(&p), 2);
        x.set(p.in_channels * p.in_h * p.in_w / 2, f32::NAN);
        let want = reference(&p, &x.values(), &w.values(), None);
        for isa in Isa::available() {
            let got = Case { p, x: &x, w: &w, bias: None, act: Activation::Relu }.run(isa, 2, false);
            for (i, (got, (sum, _))) in got.iter().zip(&want).enumerate() {
                assert_eq!(got.is_nan(), sum.is_nan(), "{isa:?} [{i}] {p:?}");
            }
        }
    }
}

/// A tap outside of the image is no term of the sum, even if its weight is infinite.
#[test]
fn weights_that_are_not_finite_meet_no_padding() {
    for (p, bad) in shapes().into_iter().zip([f32::INFINITY, f32::NAN, f32::NEG_INFINITY].into_iter().cycle()) {
        let x = Sample::<f32>::new("fortran", &[p.batch, p.in_channels, p.in_h, p.in_w], 1);
        let mut w = Sample::new("contiguous", &filter_shape(&p), 2);
        w.set(0, bad);
        w.set(p.out_channels * p.taps() - 1, bad);
        let want = reference(&p, &x.values(), &w.values(), None);
        for isa in Isa::available() {
            for packed in [false, true] {
                let got = Case { p, x: &x, w: &w, bias: None, act: Activation::Identity }.run(isa, 1, packed);
                for (i, (got, (sum, size))) in got.iter().zip(&want).enumerate() {
                    let near = (*got as f64 - sum).abs() <= 1e-5 * size;
                    let same = got.is_nan() == sum.is_nan() && (*got as f64 == *sum || near || sum.is_nan());
                    assert!(same, "{isa:?} [{i}] {got}, not {sum}: {p:?}");
                }
            }
        }
    }
}

#[test]
fn the_filter_is_read_at_every_call() {
    let p = sizes(1, [3, 16, 16], [16, 3, 3], ONE, ONE, ONE, 1);
    let x = Sample::<f32>::new("contiguous", &[1, 3, 16, 16], 1);
    let mut w = Sample::new("contiguous", &filter_shape(&p), 2);
    let run =
        |w: &Sample<f32>| Case { p, x: &x, w, bias: None, act: Activation::Identity }.run(Isa::active(), 1, false);
    let first = run(&w);
    for i in 0..w.values().len() {
        let twice = 2.0 * w.values()[i];
        w.set(i, twice);
    }
    assert!(run(&w).iter().zip(first).all(|(b, a)| *b == 2.0 * a));
}

#[test]
fn empty_results_and_empty_sums() {
    let x = Sample::<f32>::new("contiguous", &[1, 1, 4, 4], 1);
    let w = Sample::new("contiguous", &[2, 1, 3, 3], 2);
    let bias = Sample::new("contiguous", &[2], 3);
    for isa in Isa::available() {
        for (batch, outs) in [(0, 2), (1, 0)] {
            let p = Conv2d { batch, ..sizes(1, [1, 4, 4], [outs, 3, 3], ONE, ONE, ONE, 1) };
            assert!(Case { p, x: &x, w: &w, bias: None, act: Activation::Relu }.run(isa, 2, false).is_empty());
        }
        let p = sizes(1, [0, 4, 4], [2, 3, 3], ONE, ONE, ONE, 1);
        let none = Sample::new("contiguous", &[2, 0, 3, 3], 2);
        let got = Case { p, x: &x, w: &none, bias: Some(&bias), act: Activation::Identity }.run(isa, 1, false);
        assert!(got.iter().enumerate().all(|(i, y)| *y == bias.values()[i / 16]));
    }
}

#[test]
fn extents_of_the_result() {
    assert_eq!(Conv2d::out_extent(16, 3, 1, 1, 1), Some(16));
    assert_eq!(Conv2d::out_extent(7, 3, 2, 0, 2), Some(2));
    assert_eq!(Conv2d::out_extent(2, 3, 1, 0, 1), None);
    assert_eq!(Conv2d::out_extent(2, 0, 1, 0, 1), None);
    assert_eq!(Conv2d::out_extent(2, 2, 0, 0, 1), None);
    assert_eq!(Conv2d::out_extent(2, 2, 1, usize::MAX, 1), None);
    assert_eq!(Conv2d::out_extent(2, usize::MAX, 1, 0, 3), None);
}
