//! The references against values worked out by hand or from another formula.

use lc_core::{Attrs, Cost, DType, OpDef, RefTensor, Shape, TensorSpec};
use lc_ops::parity::{Inputs, Layout};
use lc_ops::*;

fn t(dims: &[usize], data: &[f64]) -> Option<RefTensor> {
    assert_eq!(dims.iter().product::<usize>(), data.len());
    Some(RefTensor { shape: Shape::new(dims).unwrap(), data: data.to_vec() })
}

fn run(op: &OpDef, attrs: impl Into<Attrs>, inputs: &[Option<RefTensor>]) -> Vec<f64> {
    (op.reference)(&attrs.into(), inputs)[0].data.clone()
}

fn near(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() <= tolerance), "{got:?} is not {want:?}");
}

#[test]
fn every_op_has_odd_and_many_cases() {
    for op in ALL {
        let cases = (op.cases)();
        assert!(cases.len() >= 6, "{}", op.name);
        let mut names: Vec<_> = cases.iter().map(|case| &case.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), cases.len(), "{}: names differ", op.name);
        let odd = |case: &lc_core::Case| case.inputs[0].is_some_and(|s| s.dims().iter().any(|d| d % 2 == 1 && *d > 1));
        assert!(cases.iter().filter(|case| odd(case)).count() >= 2, "{}", op.name);
    }
}

#[test]
fn products() {
    let (a, b) = (t(&[2, 3], &[1., 2., 3., 4., 5., 6.]), t(&[3, 2], &[7., 8., 9., 10., 11., 12.]));
    let plain = MatmulAttrs::default();
    assert_eq!(run(&MATMUL, plain, &[a.clone(), b.clone()]), [58., 64., 139., 154.]);
    let relu = MatmulAttrs { activation: lc_core::Activation::Relu };
    let all = [a.clone(), b, t(&[2], &[-60., 1.]), t(&[2, 2], &[1., 2., 3., -1000.])];
    assert_eq!(run(&MATMUL, relu, &all), [0., 67., 82., 0.]);
    let weight = t(&[2, 3], &[7., 9., 11., 8., 10., 12.]);
    assert_eq!(run(&LINEAR, LinearAttrs::default(), &[a, weight, t(&[2], &[1., 2.])]), [59., 66., 140., 156.]);
    // Two batches of a, one of b.
    let (a, b) = (t(&[2, 1, 2], &[1., 2., 3., 4.]), t(&[1, 2, 1], &[10., 1.]));
    assert_eq!(run(&MATMUL, plain, &[a, b]), [12., 34.]);
    // gelu(1) and gelu(-1), times 2 and 3, plus 1.
    let ffn = [t(&[1, 1], &[1.]), t(&[2, 1], &[1., -1.]), t(&[1, 2], &[2., 3.]), None, t(&[1], &[1.])];
    near(&run(&FFN, FfnAttrs::default(), &ffn), &[2. * 0.841344746068543 - 3. * 0.158655253931457 + 1.], 1e-12);
}

#[test]
fn elements() {
    let (a, b) = (t(&[2, 2], &[1., 2., 3., -4.]), t(&[2], &[10., 0.]));
    assert_eq!(run(&ADD, Attrs::NONE, &[a.clone(), b.clone()]), [11., 2., 13., -4.]);
    assert_eq!(run(&SUB, Attrs::NONE, &[a.clone(), b.clone()]), [-9., 2., -7., -4.]);
    assert_eq!(run(&MUL, Attrs::NONE, &[a.clone(), b.clone()]), [10., 0., 30., 0.]);
    assert_eq!(run(&DIV, Attrs::NONE, &[a, b]), [0.1, f64::INFINITY, 0.3, f64::NEG_INFINITY]);
    let kind = lc_core::Activation::Relu;
    assert_eq!(run(&ACTIVATION, ActivationAttrs { kind }, &[t(&[3], &[-1., 0., 2.])]), [0., 0., 2.]);
}

#[test]
fn convolutions() {
    let x = t(&[1, 1, 3, 3], &[1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    let w = t(&[1, 1, 2, 2], &[1., 0., 0., -1.]);
    let plain = Conv2dAttrs::default();
    // x[i, j] − x[i + 1, j + 1], not flipped.
    assert_eq!(run(&CONV2D, plain, &[x.clone(), w.clone()]), [-4.; 4]);
    assert_eq!(run(&CONV2D, plain, &[x.clone(), w.clone(), t(&[1], &[5.])]), [1.; 4]);
    let padded = Conv2dAttrs { pad_h: 1, pad_w: 1, stride_h: 3, stride_w: 3, ..plain };
    assert_eq!(run(&CONV2D, padded, &[x.clone(), w.clone()]), [-1., 0., 0., 9.]);
    let dilated = Conv2dAttrs { dilation_h: 2, dilation_w: 2, ..plain };
    assert_eq!(run(&CONV2D, dilated, &[x, w.clone()]), [-8.]);
    // Steps of rows and columns are not mixed up: a row filter over a wide image.
    let wide = t(&[1, 1, 2, 4], &[1., 2., 3., 4., 5., 6., 7., 8.]);
    let steps = Conv2dAttrs { stride_w: 2, ..plain };
    assert_eq!(run(&CONV2D, steps, &[wide, t(&[1, 1, 1, 2], &[1., 10.])]), [21., 43., 65., 87.]);
    // Each group has its own channel.
    let two = t(&[1, 2, 1, 2], &[1., 2., 3., 4.]);
    let groups = Conv2dAttrs { groups: 2, ..plain };
    assert_eq!(run(&CONV2D, groups, &[two.clone(), t(&[2, 1, 1, 1], &[10., 100.])]), [10., 20., 300., 400.]);
    assert_eq!(run(&CONV2D, plain, &[two, t(&[1, 2, 1, 1], &[10., 100.])]), [310., 420.]);
}

#[test]
fn rows() {
    let x = t(&[2, 2], &[0., 3f64.ln(), 1000., 1000.]);
    near(&run(&SOFTMAX, SoftmaxAttrs::default(), &[x]), &[0.25, 0.75, 0.5, 0.5], 1e-15);
    let x = t(&[2, 1], &[0., 3f64.ln()]);
    near(&run(&SOFTMAX, SoftmaxAttrs { axis: 0 }, &[x]), &[0.25, 0.75], 1e-15);
    // Mean 2, variance 2/3.
    let x = t(&[1, 3], &[1., 2., 3.]);
    let (w, b) = (t(&[3], &[1., 2., 3.]), t(&[3], &[0., 5., 1.]));
    let r = 1.5f64.sqrt();
    let how = LayerNormAttrs { eps: 0.0 };
    near(&run(&LAYER_NORM, how, &[x.clone(), w.clone(), b.clone()]), &[-r, 5., 3. * r + 1.], 1e-14);
    near(&run(&LAYER_NORM, LayerNormAttrs { eps: 1. / 3. }, std::slice::from_ref(&x)), &[-1., 0., 1.], 1e-14);
    let how = LayerNormProjectionAttrs { eps: 0.0 };
    let both = [x.clone(), t(&[1, 3], &[1., 1., 2.]), w.clone(), b, t(&[1], &[10.])];
    near(&run(&LAYER_NORM_PROJECTION, how, &both), &[-r + 5. + 6. * r + 2. + 10.], 1e-13);
    let s = (14f64 / 3. + 1.).sqrt();
    near(&run(&RMS_NORM, RmsNormAttrs { eps: 1.0 }, &[x, w]), &[1. / s, 4. / s, 9. / s], 1e-15);
}

#[test]
fn attention_examples() {
    let one = t(&[2, 2], &[1., 0., 0., 1.]);
    let v = t(&[2, 2], &[10., 0., 0., 20.]);
    let inputs = [one.clone(), one, v];
    let plain = AttentionAttrs::default();
    near(&run(&ATTENTION, plain, &inputs), &[6.6976, 6.6048, 3.3024, 13.3952], 1e-4);
    let moved = AttentionAttrs { output_scale: 0.5, output_bias: -2.0, output_relu: true, ..plain };
    near(&run(&ATTENTION, moved, &inputs), &[1.3488, 1.3024, 0., 4.6976], 1e-4);
    let causal = AttentionAttrs { causal: true, ..plain };
    near(&run(&ATTENTION, causal, &inputs), &[10., 0., 3.3024, 13.3952], 1e-4);
    // A scale that makes the softmax flat or a choice.
    near(&run(&ATTENTION, AttentionAttrs { scale: 1e-9, ..plain }, &inputs), &[5., 10., 5., 10.], 1e-6);
    near(&run(&ATTENTION, AttentionAttrs { scale: 1e3, ..plain }, &inputs), &[10., 0., 0., 20.], 1e-9);
}

#[test]
fn masks_hide_keys_and_whole_rows() {
    let q = t(&[2, 1], &[1., 1.]);
    let (k, v) = (t(&[3, 1], &[0., 0., 0.]), t(&[3, 1], &[1., 2., 6.]));
    let off = f64::NEG_INFINITY;
    let how = AttentionAttrs::default();
    let mask = t(&[2, 3], &[0., 0., off, off, off, off]);
    assert_eq!(run(&ATTENTION, how, &[q.clone(), k.clone(), v.clone(), mask]), [1.5, 0.]);
    near(&run(&ATTENTION, how, &[q.clone(), k.clone(), v.clone(), t(&[3], &[0., 0., 2f64.ln()])]), &[3.75; 2], 1e-12);
    let causal = AttentionAttrs { causal: true, ..how };
    // Top left: row 0 sees key 0 only, row 1 keys 0 and 1, though there are three.
    assert_eq!(run(&ATTENTION, causal, &[q.clone(), k.clone(), v]), [1., 1.5]);
    // NaN in a visible key is seen, behind the diagonal it is not, and a hidden row stays zero.
    let v = t(&[3, 1], &[1., f64::NAN, 6.]);
    let got = run(&ATTENTION, causal, &[q.clone(), k.clone(), v.clone()]);
    assert!(got[0] == 1.0 && got[1].is_nan());
    let got = run(&ATTENTION, how, &[q.clone(), k, v, t(&[2, 1], &[off, 0.])]);
    assert!(got[0] == 0.0 && got[1].is_nan());
    let k = t(&[3, 1], &[f64::NAN, 0., 0.]);
    let got = run(&ATTENTION, how, &[q, k, t(&[3, 1], &[1., 2., 6.])]);
    assert!(got.iter().all(|x| x.is_nan()));
}

#[test]
fn grouped_heads_share_keys_in_order() {
    // Four heads of queries, two of keys; one key each, so that the result is its value.
    let q = t(&[4, 1, 1], &[1., 2., 3., 4.]);
    let (k, v) = (t(&[2, 1, 1], &[1., 1.]), t(&[2, 1, 1], &[10., 20.]));
    assert_eq!(run(&ATTENTION, AttentionAttrs::default(), &[q, k, v]), [10., 10., 20., 20.]);
    let q = t(&[2, 2, 1, 1], &[1.; 4]);
    let (k, v) = (t(&[2, 1, 1, 1], &[1., 1.]), t(&[2, 1, 1, 1], &[10., 20.]));
    assert_eq!(run(&ATTENTION, AttentionAttrs::default(), &[q, k, v]), [10., 10., 20., 20.]);
}

#[test]
fn training_follows_the_gradient() {
    let learning_rate = 0.25;
    for case in (ATTENTION_TRAIN.cases)().iter().filter(|case| case.name.starts_with("odd")) {
        let causal = AttentionTrainAttrs::from_attrs(&case.attrs).causal;
        let how = AttentionTrainAttrs { learning_rate, causal, compute_loss: true };
        let inputs = Inputs::generate::<f64>(&ATTENTION_TRAIN, case, Layout::Contiguous, 4).widened();
        let results = (ATTENTION_TRAIN.reference)(&how.into(), &inputs);
        let forward = AttentionAttrs { causal, ..AttentionAttrs::default() };
        near(&results[0].data, &run(&ATTENTION, forward, &inputs[..3]), 1e-14);
        // The loss and its derivative by each value, from the forward pass alone.
        let target = &inputs[3].as_ref().unwrap().data;
        let loss = |index: usize, step: f64| {
            let mut moved = inputs.clone();
            moved[2].as_mut().unwrap().data[index] += step;
            let out = run(&ATTENTION, forward, &moved[..3]);
            out.iter().zip(target).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / out.len() as f64
        };
        near(&results[2].data, &[loss(0, 0.0)], 1e-14);
        let v = &inputs[2].as_ref().unwrap().data;
        for (index, new) in results[1].data.iter().enumerate() {
            // The loss is a square, so that the central difference is exact but for rounding.
            let slope = (loss(index, 0.5) - loss(index, -0.5)) / 1.0;
            near(&[*new], &[v[index] - learning_rate * slope], 1e-12);
        }
        let quiet = AttentionTrainAttrs { compute_loss: false, ..how };
        let quiet = (ATTENTION_TRAIN.reference)(&quiet.into(), &inputs);
        assert_eq!((&quiet[0], &quiet[1], quiet[2].data[0]), (&results[0], &results[1], 0.0));
    }
}

#[test]
fn conv_attention_reads_the_rectified_map_in_three_slabs() {
    // A 1×1 filter of −1 gives the map max(−x, 0) = [1, 0, 2, 0, 3].
    let x = t(&[1, 1, 1, 5], &[-1., 4., -2., 5., -3.]);
    let w = t(&[1, 1, 1, 1], &[-1.]);
    let got = run(&CONV_ATTENTION, ConvAttentionAttrs::new(2, 1), &[x.clone(), w.clone()]);
    // Repeated to six: q = [1, 0], k = [2, 0], v = [3, 1].
    let p = 1. / (1. + (-2f64).exp());
    near(&got, &[3. * p + (1. - p), 2.], 1e-14);
    // Cut to three.
    assert_eq!(run(&CONV_ATTENTION, ConvAttentionAttrs::new(1, 1), &[x, w]), [2.]);
    // Two images of two channels: the order is image, channel, row, column.
    let x = t(&[2, 1, 1, 1], &[1., 2.]);
    let w = t(&[2, 1, 1, 1], &[1., 10.]);
    // Map [1, 10, 2, 20]; q, k and v are 1, 10 and 2.
    assert_eq!(run(&CONV_ATTENTION, ConvAttentionAttrs::new(1, 1), &[x, w]), [2.]);
}

#[test]
fn costs_follow_their_formulas() {
    let cost = |op: &OpDef, attrs: Attrs, shapes: &[&[usize]]| -> Cost {
        let inputs: Vec<_> =
            shapes.iter().map(|dims| Some(TensorSpec::new(DType::F32, Shape::new(dims).unwrap()))).collect();
        (op.cost)(&attrs, &inputs, &op.check(&attrs, &inputs).unwrap())
    };
    let matmul = cost(&MATMUL, MatmulAttrs::default().into(), &[&[5, 2, 3], &[3, 4]]);
    assert_eq!(matmul, Cost { flops: 240, bytes_read: 4 * 42, bytes_written: 4 * 40, work: 120 });
    let conv = cost(
        &CONV2D,
        Conv2dAttrs { groups: 2, ..Conv2dAttrs::default() }.into(),
        &[&[1, 4, 5, 5], &[6, 2, 3, 3], &[6]],
    );
    assert_eq!((conv.work, conv.flops), (6 * 9 * 18, 2 * 6 * 9 * 18 + 54));
    let attention = cost(&ATTENTION, AttentionAttrs::default().into(), &[&[3, 7, 8], &[3, 9, 8], &[3, 9, 5]]);
    assert_eq!((attention.work, attention.flops), (3 * 7 * 9 * 8, 3 * 63 * (2 * 13 + 4)));
    // Of 7 × 9 pairs a causal head sees 1 + 2 + … + 7.
    let causal = AttentionAttrs { causal: true, ..AttentionAttrs::default() };
    let attention = cost(&ATTENTION, causal.into(), &[&[7, 8], &[9, 8], &[9, 5]]);
    assert_eq!((attention.work, attention.flops), (7 * 9 * 8, 28 * 30));
    assert_eq!(cost(&ADD, Attrs::NONE, &[&[3, 1], &[4]]).work, 12);
    assert_eq!(cost(&LINEAR, LinearAttrs::default().into(), &[&[2, 3, 5], &[7, 5]]).work, 210);
    assert_eq!(cost(&FFN, FfnAttrs::default().into(), &[&[2, 3], &[5, 3], &[4, 5]]).work, 2 * 5 * 7);
}
