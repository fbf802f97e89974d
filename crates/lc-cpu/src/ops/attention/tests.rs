use super::*;
use crate::view::Mat;

/// Reproducible numbers in [−1, 1).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

const LAYOUTS: usize = 8;

/// Heads in memory: batch × heads × sequence × dimension, in one of eight layouts.
struct Tensor<T> {
    data: Vec<T>,
    base: usize,
    shape: [usize; 4],
    strides: [isize; 4],
}

impl<T: MathFloat> Tensor<T> {
    fn new(shape: [usize; 4], layout: usize, random: &mut Random) -> Self {
        let [b, h, s, d] = shape.map(|n| n as isize);
        let (base, strides) = match layout {
            0 => (0, [h * s * d, s * d, d, 1]),
            1 => (0, [h * s * d, s * d, 1, s]),             // transposed
            2 => (0, [h * s * 2 * d, s * 2 * d, 2 * d, 1]), // sliced
            3 => (5, [h * s * d, s * d, d, 1]),             // offset
            4 => ((s - 1) * d, [h * s * d, s * d, -d, 1]),  // sequence backwards
            5 => (d - 1, [h * s * d, s * d, d, -1]),        // dimension backwards
            6 => (0, [s * h * d, d, h * d, 1]),             // heads inside the sequence
            _ => (0, [1, b, b * h, b * h * s]),             // Fortran order
        };
        let len = 2 * shape.iter().product::<usize>() + 8;
        let data = (0..len).map(|_| T::of(random.next())).collect();
        Tensor { data, base: base.max(0) as usize, shape, strides }
    }

    fn at(&self, i: [usize; 4]) -> usize {
        let offset: isize = i.iter().zip(self.strides).map(|(&i, s)| i as isize * s).sum();
        (self.base as isize + offset) as usize
    }

    fn get(&self, i: [usize; 4]) -> f64 {
        self.data[self.at(i)].to_f64()
    }

    fn view(&self) -> Heads<T> {
        Heads { ptr: self.data[self.base..].as_ptr(), shape: self.shape, strides: self.strides }
    }

    fn view_mut(&mut self) -> HeadsMut<T> {
        // From the whole vector, since strides may lead before the base.
        let ptr = self.data.as_mut_ptr().wrapping_add(self.base);
        HeadsMut { ptr, shape: self.shape, strides: self.strides }
    }
}

/// Output, and for each query how many keys it sees, in float64, by the definition.
fn reference<T: MathFloat>(
    q: &Tensor<T>,
    k: &Tensor<T>,
    v: &Tensor<T>,
    mask: Option<&Tensor<T>>,
    how: &Attention<T>,
) -> Vec<f64> {
    let [batch, heads, queries, dim] = q.shape;
    let (keys, value_dim, group) = (k.shape[2], v.shape[3], heads / k.shape[1]);
    let mut out = Vec::new();
    for b in 0..batch {
        for h in 0..heads {
            for i in 0..queries {
                let end = if how.causal { keys.min(i + 1) } else { keys };
                let scores: Vec<f64> = (0..end)
                    .map(|j| {
                        let dot: f64 = (0..dim).map(|d| q.get([b, h, i, d]) * k.get([b, h / group, j, d])).sum();
                        dot * how.scale.to_f64() + mask.map_or(0.0, |m| m.get([b, h, i, j]))
                    })
                    .collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let weights: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
                let total: f64 = weights.iter().sum();
                for d in 0..value_dim {
                    let mut o: f64 = (0..end).map(|j| weights[j] / total * v.get([b, h / group, j, d])).sum();
                    if top == f64::NEG_INFINITY && !scores.iter().any(|s| s.is_nan()) {
                        o = 0.0;
                    }
                    o = o * how.output_scale.to_f64() + how.output_bias.to_f64();
                    out.push(if how.output_relu && o < 0.0 { 0.0 } else { o });
                }
            }
        }
    }
    out
}

struct Case {
    q: [usize; 4],
    kv_heads: usize,
    keys: usize,
    value_dim: usize,
    layout: usize,
    causal: bool,
    mask: usize,
    post: bool,
}

/// Makes the tensors of a case, runs it on every instruction set with one thread and several, and compares.
fn check<T: MathFloat>(case: &Case, seed: u64, tolerance: f64) {
    let random = &mut Random(seed);
    let [batch, heads, queries, dim] = case.q;
    let l = case.layout;
    let q = Tensor::<T>::new(case.q, l, random);
    let k = Tensor::<T>::new([batch, case.kv_heads, case.keys, dim], (l + 3 * (l / 4)) % LAYOUTS, random);
    let v = Tensor::<T>::new([batch, case.kv_heads, case.keys, case.value_dim], (l + l / 2) % LAYOUTS, random);
    let mut mask = Tensor::<T>::new([batch, heads, queries, case.keys], case.mask % LAYOUTS, random);
    for (i, x) in mask.data.iter_mut().enumerate() {
        if i * 7 % 11 < 3 {
            *x = T::NEG_INFINITY;
        }
    }
    if case.mask == 2 {
        // One row for all heads and batches, and its first query fully masked.
        mask.strides = [0, 0, mask.strides[2], mask.strides[3]];
        for j in 0..case.keys {
            let at = mask.at([0, 0, 0, j]);
            mask.data[at] = T::NEG_INFINITY;
        }
    }
    let mut how = Attention::<T>::plain(dim.max(1));
    how.causal = case.causal;
    if case.mask > 0 {
        how.mask = Some(Mask { ptr: mask.view().ptr, strides: mask.strides });
    }
    if case.post {
        (how.output_scale, how.output_bias, how.output_relu) = (T::of(1.5), T::of(-0.125), true);
    }
    let want = reference(&q, &k, &v, (case.mask > 0).then_some(&mask), &how);
    for isa in Isa::available() {
        let mut last: Option<Vec<f64>> = None;
        for threads in [1, 2, 5] {
            let mut out = Tensor::<T>::new([batch, heads, queries, case.value_dim], l, random);
            // SAFETY: the views are of vectors that have room for every index of their shapes.
            unsafe { attention(isa, threads, q.view(), k.view(), v.view(), out.view_mut(), &how) };
            let mut got = Vec::new();
            for b in 0..batch {
                for h in 0..heads {
                    for i in 0..queries {
                        got.extend((0..case.value_dim).map(|d| out.get([b, h, i, d])));
                    }
                }
            }
            for (n, (got, want)) in got.iter().zip(&want).enumerate() {
                let near = (got - want).abs() <= tolerance || got.is_nan() && want.is_nan();
                assert!(
                    near,
                    "{isa:?} q {:?} kv heads {} keys {} layout {l} causal {} mask {}: element {n} is {got}, not {want}",
                    case.q, case.kv_heads, case.keys, case.causal, case.mask
                );
            }
            let bits: Vec<u64> = got.iter().map(|x| x.to_bits()).collect();
            if let Some(last) = last {
                let last: Vec<u64> = last.iter().map(|x| x.to_bits()).collect();
                assert!(last == bits, "{isa:?} {:?}: {threads} threads change the result", case.q);
            }
            last = Some(got);
        }
    }
}

fn case(q: [usize; 4], keys: usize, value_dim: usize) -> Case {
    Case { q, kv_heads: q[1], keys, value_dim, layout: 0, causal: false, mask: 0, post: false }
}

#[test]
fn odd_sizes_match_float64() {
    let sizes = [1, 2, 3, 7, 8, 12, 15, 16, 17, 31, 48, 49, 63, 65, 97];
    for (n, &s) in sizes.iter().enumerate() {
        for (m, &d) in [1, 5, 8, 12, 16, 33, 64].iter().enumerate() {
            for causal in [false, true] {
                let keys = if (n + m) % 3 == 0 { sizes[(n + m) % sizes.len()] } else { s };
                let value_dim = if (n + m) % 4 == 0 { d + 3 } else { d };
                let case = Case { causal, post: m % 3 == 1, ..case([1, 1, s, d], keys, value_dim) };
                check::<f32>(&case, (n * 10 + m) as u64, 2e-6);
                check::<f64>(&case, (n * 10 + m) as u64, 4e-15);
            }
        }
    }
}

#[test]
fn layouts_heads_and_masks_match_float64() {
    for layout in 0..LAYOUTS {
        for causal in [false, true] {
            for mask in 0..3 {
                let mut case = Case { layout, causal, mask, ..case([2, 4, 37, 20], 53, 13) };
                case.kv_heads = [4, 2, 1][mask];
                check::<f32>(&case, layout as u64, 2e-6);
                check::<f64>(&case, layout as u64, 4e-15);
            }
        }
    }
}

#[test]
fn work_that_is_split_over_threads_matches_float64() {
    for causal in [false, true] {
        check::<f32>(&Case { causal, ..case([1, 1, 257, 64], 257, 64) }, 1, 2e-6);
        check::<f32>(&Case { causal, ..case([1, 3, 130, 48], 200, 48) }, 2, 2e-6);
    }
}

#[test]
fn keys_of_several_steps_match_float64() {
    for mask in 0..3 {
        for layout in [0, 1, 4] {
            check::<f32>(&Case { layout, mask, ..case([1, 2, 37, 20], 2 * flash::STEP + 18, 13) }, 5, 2e-6);
        }
        let causal = case([1, 1, 2 * flash::STEP + 30, 12], 2 * flash::STEP + 30, 7);
        check::<f32>(&Case { causal: true, mask, ..causal }, 6, 2e-6);
    }
    // The largest score of a query comes in the last step, so that earlier ones are scaled to almost nothing.
    let (s, d) = (flash::STEP + 40, 4);
    let q = vec![1f32; s * d];
    let k: Vec<f32> = (0..s * d).map(|i| (i / d) as f32).collect();
    for isa in Isa::available() {
        let out = run(isa, s, d, &q, &k, &k, &Attention { scale: 1.0, ..Attention::plain(d) });
        // Neighbouring scores are 4 apart: a geometric series below the last key.
        let below = 1.0 / (4f64.exp() - 1.0);
        assert!(out.iter().all(|&o| (f64::from(o) - ((s - 1) as f64 - below)).abs() < 1e-3), "{isa:?} {}", out[0]);
    }
}

#[test]
fn empty_sizes_are_legal() {
    for (s, keys, d, value_dim) in [(0, 3, 4, 4), (3, 0, 4, 4), (3, 5, 0, 4), (3, 5, 4, 0)] {
        check::<f32>(&Case { post: true, ..case([1, 2, s, d], keys, value_dim) }, 3, 2e-6);
    }
}

/// A contiguous single head.
fn run(isa: Isa, s: usize, d: usize, q: &[f32], k: &[f32], v: &[f32], how: &Attention<f32>) -> Vec<f32> {
    let mut out = vec![7.0; s * d];
    let strides = [0, 0, d as isize, 1];
    let view = |x: &[f32]| Heads { ptr: x.as_ptr(), shape: [1, 1, s, d], strides };
    let to = HeadsMut { ptr: out.as_mut_ptr(), shape: [1, 1, s, d], strides };
    // SAFETY: every slice has s × d elements.
    unsafe { attention(isa, 1, view(q), view(k), view(v), to, how) };
    out
}

#[test]
fn large_scores_do_not_overflow() {
    let (s, d) = (60, 8);
    let mut random = Random(9);
    let q: Vec<f32> = (0..s * d).map(|_| (random.next() * 1e4) as f32).collect();
    let v: Vec<f32> = (0..s * d).map(|_| random.next() as f32).collect();
    for isa in Isa::available() {
        // Each query is its own best key by far more than the largest exponent, in either direction of the scale.
        let out = run(isa, s, d, &q, &q, &v, &Attention { scale: 1.0, ..Attention::plain(d) });
        let k: Vec<f32> = q.iter().map(|x| -x).collect();
        let turned = run(isa, s, d, &q, &k, &v, &Attention { scale: -1.0, ..Attention::plain(d) });
        for (i, row) in out.chunks(d).enumerate() {
            let dot = |j: usize| (0..d).map(|c| q[i * d + c] as f64 * q[j * d + c] as f64).sum::<f64>();
            let best = (0..s).max_by(|&a, &b| dot(a).total_cmp(&dot(b))).unwrap();
            assert_eq!(row, &v[best * d..(best + 1) * d], "{isa:?} row {i}");
        }
        assert_eq!(out, turned, "{isa:?}");
    }
}

#[test]
fn hidden_keys_and_values_do_not_reach_a_row() {
    let (s, d) = (70, 5);
    let mut random = Random(4);
    let mut x = || (0..s * d).map(|_| random.next() as f32).collect::<Vec<_>>();
    let (q, k, v) = (x(), x(), x());
    let how = Attention { causal: true, ..Attention::plain(d) };
    for isa in Isa::available() {
        let clean = run(isa, s, d, &q, &k, &v, &how);
        for bad in [f32::NAN, f32::INFINITY] {
            for at in [0, 20, 47, 48, 69] {
                let (mut bad_k, mut bad_v, mut bad_q) = (k.clone(), v.clone(), q.clone());
                bad_k[at * d..][..d].fill(bad);
                bad_v[at * d..][..d].fill(bad);
                bad_q[at * d..][..d].fill(f32::NAN);
                let out = run(isa, s, d, &q, &bad_k, &bad_v, &how);
                assert_eq!(out[..at * d], clean[..at * d], "{isa:?} {bad} at {at}");
                let touched = &out[at * d..];
                assert!(touched.iter().all(|x| !x.is_finite()) || bad == f32::INFINITY, "{isa:?} {bad} at {at}");
                assert!(touched.iter().any(|x| x.is_nan()), "{isa:?} {bad} at {at}");
                let out = run(isa, s, d, &bad_q, &k, &v, &how);
                for (i, (row, clean)) in out.chunks(d).zip(clean.chunks(d)).enumerate() {
                    assert!(if i == at { row.iter().all(|x| x.is_nan()) } else { row == clean }, "{isa:?} row {i}");
                }
            }
        }
    }
}

#[test]
fn a_mask_of_the_lowest_finite_number_averages() {
    // Only −∞ hides a key: equal finite scores, however low, weigh the same.
    let (s, d) = (20, 4);
    let v: Vec<f32> = (0..s * d).map(|i| i as f32).collect();
    let q = vec![0.0; s * d];
    let low = f32::MIN;
    let how = Attention { mask: Some(Mask { ptr: &low, strides: [0; 4] }), ..Attention::plain(d) };
    for isa in Isa::available() {
        let out = run(isa, s, d, &q, &q, &v, &how);
        for (i, x) in out.iter().enumerate() {
            assert!((x - (38.0 + (i % d) as f32)).abs() < 1e-4, "{isa:?}: {x}");
        }
    }
}

fn train<T: MathFloat>(s: usize, keys: usize, d: usize, causal: bool, layout: usize, tolerance: f64) {
    let random = &mut Random((s * d) as u64);
    let q = Tensor::<T>::new([1, 1, s, d], layout, random);
    let k = Tensor::<T>::new([1, 1, keys, d], layout, random);
    let v = Tensor::<T>::new([1, 1, keys, d], layout, random);
    let target = Tensor::<T>::new([1, 1, s, d], layout, random);
    let how = Attention { causal, ..Attention::<T>::plain(d) };
    let mat = |t: &Tensor<T>| Mat {
        ptr: t.data.as_ptr().wrapping_add(t.base),
        rows: t.shape[2],
        cols: t.shape[3],
        row_stride: t.strides[2],
        col_stride: t.strides[3],
    };
    let rate = 3.0;
    let want_out = reference(&q, &k, &v, None, &how);
    let error: Vec<f64> = (0..s * d).map(|n| want_out[n] - target.get([0, 0, n / d, n % d])).collect();
    let want_loss = error.iter().map(|e| e * e).sum::<f64>() / (s * d) as f64;
    let mut want_v: Vec<f64> = (0..keys * d).map(|n| v.get([0, 0, n / d, n % d])).collect();
    for i in 0..s {
        let end = if causal { keys.min(i + 1) } else { keys };
        let score = |j: usize| {
            let dot: f64 = (0..d).map(|c| q.get([0, 0, i, c]) * k.get([0, 0, j, c])).sum();
            (dot * how.scale.to_f64()).exp()
        };
        let total: f64 = (0..end).map(score).sum();
        for j in 0..end {
            for c in 0..d {
                want_v[j * d + c] -= rate * score(j) / total * 2.0 * error[i * d + c] / (s * d) as f64;
            }
        }
    }
    for isa in Isa::available() {
        let mut last: Option<Vec<T>> = None;
        for threads in [1, 3] {
            let mut out = vec![T::ZERO; s * d];
            let mut new_v = vec![T::ZERO; keys * d];
            // SAFETY: the views are of vectors with room for their shapes; `out` and `new_v` are apart.
            let loss = unsafe {
                attention_train_step(
                    isa,
                    threads,
                    mat(&q),
                    mat(&k),
                    mat(&v),
                    mat(&target),
                    T::of(rate),
                    causal,
                    how.scale,
                    out.as_mut_ptr(),
                    new_v.as_mut_ptr(),
                    threads == 1,
                )
            };
            assert_eq!(loss.is_some(), threads == 1);
            let near = |got: &T, want: &f64| (got.to_f64() - want).abs() <= tolerance;
            assert!(loss.is_none_or(|loss| near(&loss, &want_loss)), "{isa:?} loss {loss:?}, not {want_loss}");
            assert!(out.iter().zip(&want_out).all(|(a, b)| near(a, b)), "{isa:?} {s} {d} out");
            assert!(new_v.iter().zip(&want_v).all(|(a, b)| near(a, b)), "{isa:?} {s} {keys} {d} {causal} new_v");
            assert!(last.is_none_or(|last| last == new_v), "{isa:?}: threads change the result");
            last = Some(new_v);
        }
    }
}

#[test]
fn training_step_matches_float64() {
    for causal in [false, true] {
        for (s, keys, d) in
            [(1, 1, 1), (2, 2, 2), (16, 16, 32), (49, 49, 7), (65, 30, 17), (30, 100, 40), (130, 130, 64)]
        {
            for layout in [0, 1, 4] {
                train::<f32>(s, keys, d, causal, layout, 3e-6);
                train::<f64>(s, keys, d, causal, layout, 1e-14);
            }
        }
    }
}
