//! What the original did wrong and must not come back, where it shows below Python. Tests carry the ids of
//! `docs/migration.md`; the ids that show in Python are in `tests/python`.

use lc_ops::{
    ATTENTION, ATTENTION_TRAIN, AttentionAttrs, AttentionTrainAttrs, CONV2D, Conv2dAttrs, MATMUL, MatmulAttrs,
};
use lightning_core::policy::PackedPolicy;
use lightning_core::{Activation, Attrs, OpDef, Tensor, TensorRef, ops, runtime};

/// Values in −1..1 that repeat nowhere near.
fn values(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn tensor(dims: &[usize], seed: u32) -> Tensor<f32> {
    Tensor::from_vec(values(dims.iter().product(), seed), dims).expect("sized by its shape")
}

fn refs<'a>(tensors: &[&'a Tensor<f32>]) -> Vec<Option<TensorRef<'a>>> {
    tensors.iter().map(|t| Some(t.view())).collect()
}

fn worst(op: &'static OpDef, attrs: &Attrs, inputs: &[&Tensor<f32>], got: &[&[f32]]) -> f64 {
    let want = ops::reference(op, attrs, &refs(inputs)).expect("a legal call");
    let pairs = want.iter().zip(got).flat_map(|(w, g)| w.data.iter().zip(g.iter()));
    pairs.map(|(w, g)| (w - f64::from(*g)).abs()).fold(0.0, f64::max)
}

#[test]
fn b1_weights_changed_in_place_are_read_again() {
    let x = tensor(&[1, 5, 9, 11], 1);
    let mut weight = tensor(&[7, 5, 3, 3], 2);
    let attrs = Conv2dAttrs { pad_h: 1, pad_w: 1, ..Conv2dAttrs::default() };
    let first = ops::conv2d(&x, &weight, None, attrs).expect("convolves");
    for w in weight.data_mut() {
        *w *= 3.0;
    }
    let second = ops::conv2d(&x, &weight, None, attrs).expect("convolves");
    for (a, b) in first.data().iter().zip(second.data()) {
        assert!((3.0 * a - b).abs() < 1e-4, "{a} then {b}");
    }
}

#[test]
fn b5_the_gradient_uses_probabilities_of_its_own() {
    // Forward calls of other shapes and kinds between the steps: whatever they leave behind must not matter.
    for (rows, dim, causal) in [(5, 3, false), (33, 17, true), (64, 64, false), (130, 20, true)] {
        let shape = [rows, dim];
        let (q, k, v, target) = (tensor(&shape, 3), tensor(&shape, 4), tensor(&shape, 5), tensor(&shape, 6));
        let attrs: Attrs = AttentionTrainAttrs { learning_rate: 0.5, causal, compute_loss: true }.into();
        for _ in 0..2 {
            ops::attention(&k, &q, &v, None, AttentionAttrs { causal: !causal, ..Default::default() })
                .expect("attends");
            let (mut out, mut new_v) = (Tensor::zeros(&shape).expect("zeros"), Tensor::zeros(&shape).expect("zeros"));
            let mut loss = Tensor::zeros(&[]).expect("a scalar");
            let mut results = [out.view_mut(), new_v.view_mut(), loss.view_mut()];
            let inputs = refs(&[&q, &k, &v, &target]);
            runtime().call(&ATTENTION_TRAIN, &attrs, &inputs, &mut results, PackedPolicy::UNSET).expect("steps");
            let got = [out.data(), new_v.data(), loss.data()];
            let error = worst(&ATTENTION_TRAIN, &attrs, &[&q, &k, &v, &target], &got);
            assert!(error < 1e-5, "{rows}x{dim} causal {causal}: {error}");
        }
    }
}

#[test]
fn b6_the_first_call_of_a_shape_leaves_resident_data_alone() {
    let (a, b) = (tensor(&[37, 29], 7), tensor(&[29, 41], 8));
    let attrs: Attrs = MatmulAttrs::default().into();
    let specs = [Some(a.spec()), Some(b.spec())];
    let mut session = runtime().session(&MATMUL, &attrs, &specs, PackedPolicy::UNSET).expect("a session");
    session.start(&refs(&[&a, &b])).expect("starts");
    // New shapes come in between, each for the first time.
    for n in [3, 50, 129] {
        ops::matmul(&tensor(&[n, 29], 9), &b).expect("multiplies");
    }
    session.run().expect("runs on what is resident");
    let mut out = Tensor::zeros(&[37, 41]).expect("zeros");
    session.finish(&mut [out.view_mut()]).expect("finishes");
    assert!(worst(&MATMUL, &attrs, &[&a, &b], &[out.data()]) < 1e-5);
    assert_eq!(a, tensor(&[37, 29], 7));
}

#[test]
fn b7_sessions_of_one_op_share_nothing() {
    let attrs: Attrs = MatmulAttrs::default().into();
    let shapes = [[8, 8], [64, 64], [33, 33]];
    let pairs: Vec<_> =
        shapes.iter().enumerate().map(|(i, s)| (tensor(s, i as u32), tensor(s, 50 + i as u32))).collect();
    let mut sessions: Vec<_> = pairs
        .iter()
        .map(|(a, b)| {
            let specs = [Some(a.spec()), Some(b.spec())];
            let mut session = runtime().session(&MATMUL, &attrs, &specs, PackedPolicy::UNSET).expect("a session");
            session.start(&refs(&[a, b])).expect("starts");
            session
        })
        .collect();
    ops::matmul(&pairs[1].0, &pairs[1].0).expect("a one-shot call in between");
    for (session, (a, b)) in sessions.iter_mut().zip(&pairs) {
        let mut out = Tensor::zeros(a.shape()).expect("zeros");
        session.run().expect("runs");
        session.finish(&mut [out.view_mut()]).expect("finishes");
        assert!(worst(&MATMUL, &attrs, &[a, b], &[out.data()]) < 1e-4);
    }
}

#[test]
fn b8_sizes_that_no_tile_divides() {
    for (rows, dim, causal) in [(512, 64, false), (31, 64, false), (33, 5, true), (257, 33, true), (1, 1, true)] {
        let shape = [rows, dim];
        let (q, k, v) = (tensor(&shape, 10), tensor(&shape, 11), tensor(&shape, 12));
        let attrs = AttentionAttrs { causal, ..AttentionAttrs::default() };
        let out = ops::attention(&q, &k, &v, None, attrs).expect("attends");
        let error = worst(&ATTENTION, &attrs.into(), &[&q, &k, &v], &[out.data()]);
        assert!(error < 1e-5, "{rows}x{dim} causal {causal}: {error}");
    }
    for (height, width) in [(17, 23), (16, 9), (1, 31), (24, 24)] {
        let (x, weight, bias) = (tensor(&[2, 9, height, width], 13), tensor(&[12, 9, 3, 3], 14), tensor(&[12], 15));
        let attrs = Conv2dAttrs { pad_h: 1, pad_w: 1, activation: Activation::Relu, ..Conv2dAttrs::default() };
        let out = ops::conv2d(&x, &weight, Some(&bias), attrs).expect("convolves");
        let error = worst(&CONV2D, &attrs.into(), &[&x, &weight, &bias], &[out.data()]);
        assert!(error < 1e-4, "{height}x{width}: {error}");
    }
}

#[test]
fn b10_tune_files_in_the_current_directory_are_neither_read_nor_written() {
    let folder = std::env::temp_dir().join(format!("lc-defects-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let bait = folder.join(".lightning_core_matmul_tune_cache.csv");
    std::fs::write(&bait, "64,64,64,7,0,1\n").expect("a file with a tile that no kernel has");
    let before = std::env::current_dir().expect("a current directory");
    std::env::set_current_dir(&folder).expect("changes into it");
    let (a, b) = (tensor(&[64, 64], 16), tensor(&[64, 64], 17));
    let out = ops::matmul(&a, &b);
    std::env::set_current_dir(before).expect("changes back");
    let attrs: Attrs = MatmulAttrs::default().into();
    assert!(worst(&MATMUL, &attrs, &[&a, &b], &[out.expect("multiplies").data()]) < 1e-5);
    let names: Vec<_> = std::fs::read_dir(&folder).expect("lists").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, [".lightning_core_matmul_tune_cache.csv"]);
    assert_eq!(std::fs::read_to_string(&bait).expect("reads"), "64,64,64,7,0,1\n");
    std::fs::remove_dir_all(&folder).expect("cleans up");
}

#[test]
fn b11_a_result_that_overlaps_an_input_is_refused_and_nothing_changes() {
    let mut data = values(32, 18);
    let kept = data.clone();
    let spec = Tensor::from_vec(vec![0f32; 16], &[4, 4]).expect("sixteen").spec();
    let base = data.as_mut_ptr();
    // SAFETY: both views lie inside `data`. They overlap, which is the point: the call must refuse before it touches them.
    let (input, mut output) = unsafe {
        (
            TensorRef::from_raw(base.cast(), spec, spec.shape.contiguous_strides()),
            [lightning_core::TensorMut::from_raw(base.add(8).cast(), spec)],
        )
    };
    let attrs: Attrs = MatmulAttrs::default().into();
    let error = runtime()
        .call(&MATMUL, &attrs, &[Some(input), Some(input)], &mut output, PackedPolicy::UNSET)
        .expect_err("an overlap");
    assert_eq!((error.op(), error.argument_name()), ("matmul", "out"));
    assert_eq!(data, kept);
}

#[test]
fn b12_infinities_and_masks_follow_ieee() {
    let rows = Tensor::from_vec(vec![1.0f32, -1.0, 0.0, f32::INFINITY], &[4]).expect("four");
    let zeros = Tensor::from_vec(vec![0.0f32, 0.0, 0.0, f32::INFINITY], &[4]).expect("four");
    let out = ops::div(&rows, &zeros).expect("divides");
    assert_eq!(out.data()[0], f32::INFINITY);
    assert_eq!(out.data()[1], f32::NEG_INFINITY);
    assert!(out.data()[2].is_nan() && out.data()[3].is_nan());
    // Scores far below −1e30 must not let a masked position in.
    let q = Tensor::from_vec(vec![1e20f32, 1e20], &[2, 1]).expect("two");
    let k = Tensor::from_vec(vec![-1e15f32, 1e15], &[2, 1]).expect("two");
    let v = Tensor::from_vec(vec![3.0f32, 5.0], &[2, 1]).expect("two");
    let causal = AttentionAttrs { causal: true, ..AttentionAttrs::default() };
    assert_eq!(ops::attention(&q, &k, &v, None, causal).expect("attends").data(), [3.0, 5.0]);
}

#[test]
fn b13_sizes_are_checked_without_wrapping() {
    let (x, weight) = (tensor(&[1, 1, 3, 3], 19), tensor(&[1, 1, 3, 3], 20));
    for pad in [usize::MAX, usize::MAX / 2 + 1, 1 << 62] {
        let attrs = Conv2dAttrs { pad_h: pad, ..Conv2dAttrs::default() };
        assert!(ops::conv2d(&x, &weight, None, attrs).is_err(), "pad {pad}");
    }
    assert!(Tensor::<f32>::zeros(&[usize::MAX, 2]).is_err());
}
