//! What every op refuses, and what its error says.

use lc_core::{Attrs, Blame, DType, Error, OpDef, Shape, TensorSpec};
use lc_ops::*;

fn specs(shapes: &[&[usize]]) -> Vec<Option<TensorSpec>> {
    shapes.iter().map(|dims| Some(TensorSpec::new(DType::F32, Shape::new(dims).unwrap()))).collect()
}

fn refused(op: &'static OpDef, attrs: impl Into<Attrs>, shapes: &[&[usize]]) -> Error {
    refused_with(op, attrs, &specs(shapes))
}

fn refused_with(op: &'static OpDef, attrs: impl Into<Attrs>, inputs: &[Option<TensorSpec>]) -> Error {
    let error = op.check(&attrs.into(), inputs).expect_err("the call is bad");
    assert_eq!(error.op(), op.name, "{error}");
    assert!(!error.argument_name().is_empty() && !error.expected_text().is_empty(), "{error}");
    assert!(!error.got_text().is_empty(), "{error}");
    error
}

fn accepted(op: &'static OpDef, attrs: impl Into<Attrs>, shapes: &[&[usize]]) -> Vec<Vec<usize>> {
    let outputs = op.check(&attrs.into(), &specs(shapes)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outputs.len(), op.outputs.len());
    outputs.iter().map(|spec| spec.shape.dims().to_vec()).collect()
}

#[test]
fn schemas_are_consistent() {
    for op in ALL {
        assert_eq!(REGISTRY.find(op.name).unwrap(), op);
        assert!(op.inputs.is_sorted_by_key(|input| input.optional), "{}: required inputs come first", op.name);
        let mut names: Vec<_> = op.inputs.iter().map(|i| i.name).chain(op.attrs.iter().map(|a| a.name)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), op.inputs.len() + op.attrs.len(), "{}: keyword arguments are distinct", op.name);
    }
}

#[test]
fn attributes_keep_their_values_and_defaults() {
    fn defaults<A: Default + Into<Attrs>>(op: &OpDef) {
        assert_eq!(A::default().into(), Attrs::defaults(op.attrs), "{}", op.name);
    }
    defaults::<MatmulAttrs>(&MATMUL);
    defaults::<LinearAttrs>(&LINEAR);
    defaults::<Conv2dAttrs>(&CONV2D);
    defaults::<AttentionAttrs>(&ATTENTION);
    defaults::<AttentionTrainAttrs>(&ATTENTION_TRAIN);
    defaults::<SoftmaxAttrs>(&SOFTMAX);
    defaults::<LayerNormAttrs>(&LAYER_NORM);
    defaults::<RmsNormAttrs>(&RMS_NORM);
    defaults::<ActivationAttrs>(&ACTIVATION);
    defaults::<FfnAttrs>(&FFN);
    defaults::<LayerNormProjectionAttrs>(&LAYER_NORM_PROJECTION);
    defaults::<ConvAttentionAttrs>(&CONV_ATTENTION);

    // Every field distinct, so that a swap of two shows.
    let conv = Conv2dAttrs {
        stride_h: 1,
        stride_w: 2,
        pad_h: 3,
        pad_w: 4,
        dilation_h: 5,
        dilation_w: 6,
        groups: 7,
        activation: lc_core::Activation::Silu,
    };
    assert_eq!(Conv2dAttrs::from_attrs(&conv.into()), conv);
    let attention =
        AttentionAttrs { causal: true, scale: 0.25, output_scale: -2.0, output_bias: 3.0, output_relu: false };
    assert_eq!(AttentionAttrs::from_attrs(&attention.into()), attention);
    let train = AttentionTrainAttrs { learning_rate: 0.5, causal: true, compute_loss: false };
    assert_eq!(AttentionTrainAttrs::from_attrs(&train.into()), train);
    let both = ConvAttentionAttrs { seq_len: 1, head_dim: 2, stride_h: 3, stride_w: 4, pad_h: 5, pad_w: 6 };
    assert_eq!(ConvAttentionAttrs::from_attrs(&both.into()), both);
}

#[test]
fn every_op_refuses_zero_extents_missing_inputs_and_mixed_dtypes() {
    for op in ALL {
        for case in (op.cases)() {
            let inputs: Vec<_> =
                case.inputs.iter().map(|shape| shape.map(|s| TensorSpec::new(DType::F64, s))).collect();
            let outputs = op.check(&case.attrs, &inputs).unwrap_or_else(|e| panic!("{}: {e}", case.name));
            assert!(outputs.iter().all(|spec| spec.dtype == DType::F64));
            let cost = (op.cost)(&case.attrs, &inputs, &outputs);
            assert!((cost.flops > 0) == (op.name != "pack"), "{}", case.name);
            assert!(cost.work > 0 && cost.bytes_read > 0 && cost.bytes_written > 0, "{}", case.name);

            for (index, declared) in op.inputs.iter().enumerate().take(inputs.len()) {
                let Some(spec) = inputs[index] else { continue };
                let mut bad = inputs.clone();
                bad[index] = Some(TensorSpec::new(DType::F32, spec.shape));
                if inputs.iter().flatten().count() > 1 {
                    let error = refused_with(op, case.attrs, &bad);
                    assert_eq!(error.blame(), Blame::Type, "{error}");
                }
                for axis in 0..spec.shape.rank() {
                    let mut dims = spec.shape.dims().to_vec();
                    dims[axis] = 0;
                    bad[index] = Some(TensorSpec::new(DType::F64, Shape::new(&dims).unwrap()));
                    assert_eq!(refused_with(op, case.attrs, &bad).argument_name(), declared.name);
                }
                if !declared.optional {
                    bad[index] = None;
                    assert_eq!(refused_with(op, case.attrs, &bad).argument_name(), declared.name);
                }
            }
            refused_with(op, case.attrs, &[]);
            let mut many = inputs.clone();
            many.resize(op.inputs.len() + 1, inputs[0]);
            refused_with(op, case.attrs, &many);
        }
    }
}

#[test]
fn matmul() {
    let how = MatmulAttrs::default();
    assert_eq!(accepted(&MATMUL, how, &[&[2, 1, 5, 6], &[3, 6, 7]]), [[2, 3, 5, 7]]);
    assert_eq!(refused(&MATMUL, how, &[&[3], &[3, 2]]).argument_name(), "a");
    assert_eq!(refused(&MATMUL, how, &[&[2, 3], &[3]]).argument_name(), "b");
    let error = refused(&MATMUL, how, &[&[2, 3], &[4, 3]]);
    assert_eq!(
        error.to_string(),
        "invalid value: matmul: argument `b`: expected shape [.., 3, n], as `a` is [2, 3], got [4, 3] (hint: swap the \
         last two dimensions of `b`)"
    );
    // What the hint says works.
    accepted(&MATMUL, how, &[&[2, 3], &[3, 4]]);
    assert_eq!(refused(&MATMUL, how, &[&[2, 4, 5], &[3, 5, 6]]).argument_name(), "b");
    assert_eq!(refused(&MATMUL, how, &[&[2, 3], &[3, 4], &[3]]).argument_name(), "bias");
    assert_eq!(refused(&MATMUL, how, &[&[2, 3], &[3, 4], &[4], &[4]]).argument_name(), "residual");
    // 2³¹ × 2³¹ results.
    let big = 1 << 31;
    assert_eq!(refused(&MATMUL, how, &[&[big, 1], &[1, big]]).argument_name(), "out");
    let attrs = Attrs::of([lc_core::AttrValue::Choice(5)]);
    assert_eq!(refused(&MATMUL, attrs, &[&[2, 3], &[3, 4]]).argument_name(), "activation");
    assert_eq!(refused(&MATMUL, Attrs::NONE, &[&[2, 3], &[3, 4]]).argument_name(), "attributes");
}

#[test]
fn linear_and_ffn() {
    let how = LinearAttrs::default();
    assert_eq!(accepted(&LINEAR, how, &[&[2, 5, 3], &[4, 3], &[4]]), [[2, 5, 4]]);
    assert_eq!(refused(&LINEAR, how, &[&[], &[4, 3]]).argument_name(), "x");
    assert_eq!(refused(&LINEAR, how, &[&[3], &[3]]).argument_name(), "weight");
    assert!(refused(&LINEAR, how, &[&[2, 3], &[3, 4]]).hint_text().contains("transpose"));
    assert_eq!(refused(&LINEAR, how, &[&[2, 3], &[4, 3], &[3]]).argument_name(), "bias");
    assert_eq!(refused(&LINEAR, how, &[&[1 << 31, 1], &[1 << 31, 1]]).argument_name(), "out");

    let how = FfnAttrs::default();
    assert_eq!(accepted(&FFN, how, &[&[5, 3], &[8, 3], &[4, 8], &[8], &[4]]), [[5, 4]]);
    assert_eq!(refused(&FFN, how, &[&[5, 3], &[8, 4], &[4, 8]]).argument_name(), "w1");
    assert_eq!(refused(&FFN, how, &[&[5, 3], &[8, 3], &[4, 7]]).argument_name(), "w2");
    assert_eq!(refused(&FFN, how, &[&[5, 3], &[8, 3], &[4, 8], &[4]]).argument_name(), "b1");
    assert_eq!(refused(&FFN, how, &[&[5, 3], &[8, 3], &[4, 8], &[8], &[8]]).argument_name(), "b2");
    // The hidden rows would not fit, though the result would.
    assert_eq!(refused(&FFN, how, &[&[1 << 31, 1], &[1 << 31, 1], &[1, 1 << 31]]).argument_name(), "w1");
}

#[test]
fn elementwise_and_activation() {
    for op in [&ADD, &SUB, &MUL, &DIV] {
        assert_eq!(accepted(op, Attrs::NONE, &[&[3, 1], &[4]]), [[3, 4]]);
        assert_eq!(refused(op, Attrs::NONE, &[&[3], &[4]]).argument_name(), "b");
        assert_eq!(refused(op, Attrs::NONE, &[&[1 << 31, 1], &[1, 1 << 31]]).argument_name(), "b");
    }
    assert_eq!(accepted(&ACTIVATION, ActivationAttrs::default(), &[&[2, 3]]), [[2, 3]]);
}

#[test]
fn conv2d() {
    let plain = Conv2dAttrs::default();
    let image: &[usize] = &[1, 4, 5, 6];
    let with = |change: fn(&mut Conv2dAttrs)| {
        let mut how = plain;
        change(&mut how);
        how
    };
    let same = with(|how| (how.pad_h, how.pad_w) = (1, 1));
    assert_eq!(accepted(&CONV2D, same, &[image, &[8, 4, 3, 3], &[8]]), [[1, 8, 5, 6]]);
    assert_eq!(accepted(&CONV2D, with(|h| h.stride_h = 2), &[image, &[8, 4, 3, 3]]), [[1, 8, 2, 4]]);
    assert_eq!(accepted(&CONV2D, with(|h| h.dilation_w = 2), &[image, &[8, 4, 3, 3]]), [[1, 8, 3, 2]]);
    assert_eq!(accepted(&CONV2D, with(|h| h.groups = 2), &[image, &[8, 2, 3, 3]]), [[1, 8, 3, 4]]);

    assert_eq!(refused(&CONV2D, plain, &[&[4, 5, 6], &[8, 4, 3, 3]]).argument_name(), "x");
    assert_eq!(refused(&CONV2D, plain, &[image, &[4, 3, 3]]).argument_name(), "w");
    assert_eq!(refused(&CONV2D, plain, &[image, &[8, 3, 3, 3]]).argument_name(), "w");
    assert_eq!(refused(&CONV2D, plain, &[image, &[8, 4, 3, 3], &[4]]).argument_name(), "bias");
    assert_eq!(refused(&CONV2D, with(|h| h.groups = 3), &[image, &[9, 1, 3, 3]]).argument_name(), "groups");
    assert_eq!(refused(&CONV2D, with(|h| h.groups = 4), &[image, &[6, 1, 3, 3]]).argument_name(), "groups");
    for (name, change) in [
        ("stride_h", (|h| h.stride_h = 0) as fn(&mut Conv2dAttrs)),
        ("stride_w", |h| h.stride_w = 0),
        ("dilation_h", |h| h.dilation_h = 0),
        ("dilation_w", |h| h.dilation_w = 0),
        ("groups", |h| h.groups = 0),
        ("pad_h", |h| h.pad_h = usize::MAX),
        ("pad_w", |h| h.pad_w = usize::MAX / 2),
        ("pad_h", |h| h.pad_h = isize::MAX as usize / 2),
        ("dilation_h", |h| h.dilation_h = usize::MAX),
        ("out", |h| h.pad_h = 1 << 61),
    ] {
        let error = refused(&CONV2D, with(change), &[image, &[8, 4, 3, 3]]);
        assert_eq!(error.argument_name(), name, "{error}");
    }
    // Negative values as the Python layer would pass them.
    let negative = Attrs::from(plain);
    let negative = negative.with("conv2d", CONV2D.attrs, "pad_h", lc_core::AttrValue::Int(-1));
    assert_eq!(negative.unwrap_err().argument_name(), "pad_h");

    let error = refused(&CONV2D, plain, &[image, &[8, 4, 9, 3]]);
    assert_eq!(error.hint_text(), "use a smaller filter, or pad_h of at least 2");
    accepted(&CONV2D, with(|h| h.pad_h = 2), &[image, &[8, 4, 9, 3]]);
    refused(&CONV2D, with(|h| h.pad_h = 1), &[image, &[8, 4, 9, 3]]);
    refused(&CONV2D, with(|h| h.dilation_w = 3), &[image, &[8, 4, 3, 3]]);
}

#[test]
fn attention() {
    let how = AttentionAttrs::default();
    let three = |q: &[usize], k: &[usize], v: &[usize]| refused(&ATTENTION, how, &[q, k, v]).argument_name().to_owned();
    assert_eq!(accepted(&ATTENTION, how, &[&[2, 6, 5, 8], &[2, 3, 7, 8], &[2, 3, 7, 9]]), [[2, 6, 5, 9]]);
    assert_eq!(three(&[8], &[8], &[8]), "q");
    assert_eq!(three(&[1, 1, 1, 2, 8], &[2, 8], &[2, 8]), "q");
    assert_eq!(three(&[2, 8], &[1, 2, 8], &[2, 8]), "k");
    assert_eq!(three(&[2, 8], &[2, 8], &[1, 2, 8]), "v");
    assert_eq!(three(&[2, 8], &[2, 7], &[2, 8]), "k");
    assert_eq!(three(&[2, 8], &[3, 8], &[2, 8]), "v");
    assert_eq!(three(&[4, 2, 8], &[3, 2, 8], &[3, 2, 8]), "k");
    assert_eq!(three(&[4, 2, 8], &[2, 2, 8], &[4, 2, 8]), "v");
    assert_eq!(three(&[2, 4, 2, 8], &[1, 4, 2, 8], &[1, 4, 2, 8]), "k");
    for mask in [&[3, 7][..], &[5, 6], &[1, 1, 5, 7], &[0; 0][..]] {
        let result = ATTENTION.check(&how.into(), &specs(&[&[5, 8], &[7, 8], &[7, 8], mask]));
        // A scalar broadcasts; a mask of more dimensions than the scores does not.
        assert_eq!(result.is_ok(), mask.is_empty());
        assert!(result.err().is_none_or(|error| error.argument_name() == "mask"));
    }
    let infinite = AttentionAttrs { scale: f64::INFINITY, ..how };
    assert_eq!(refused(&ATTENTION, infinite, &[&[2, 8][..]; 3]).argument_name(), "scale");
    let nan = AttentionAttrs { output_bias: f64::NAN, ..how };
    assert_eq!(refused(&ATTENTION, nan, &[&[2, 8][..]; 3]).argument_name(), "output_bias");
    let big: &[usize] = &[1 << 31, 1];
    assert_eq!(three(big, big, big), "out");

    let how = AttentionTrainAttrs { learning_rate: 0.1, ..AttentionTrainAttrs::default() };
    assert_eq!(accepted(&ATTENTION_TRAIN, how, &[&[5, 8][..]; 4]), [vec![5, 8], vec![5, 8], vec![]]);
    for learning_rate in [0.0, -0.1, f64::INFINITY, f64::NAN] {
        let how = AttentionTrainAttrs { learning_rate, ..how };
        assert_eq!(refused(&ATTENTION_TRAIN, how, &[&[5, 8][..]; 4]).argument_name(), "learning_rate");
    }
    assert_eq!(refused(&ATTENTION_TRAIN, how, &[&[1, 5, 8][..]; 4]).argument_name(), "q");
    for (index, name) in [(1, "k"), (2, "v"), (3, "target")] {
        let mut shapes: [&[usize]; 4] = [&[5, 8]; 4];
        shapes[index] = &[5, 7];
        assert_eq!(refused(&ATTENTION_TRAIN, how, &shapes).argument_name(), name);
    }
}

#[test]
fn rows() {
    for (axis, good) in [(-3, false), (-2, true), (1, true), (2, false), (9, false), (i64::MIN, false)] {
        let result = SOFTMAX.check(&SoftmaxAttrs { axis }.into(), &specs(&[&[2, 3]]));
        assert_eq!(result.is_ok(), good);
        assert!(result.err().is_none_or(|error| error.argument_name() == "axis"));
    }
    assert_eq!(refused(&SOFTMAX, SoftmaxAttrs::default(), &[&[]]).argument_name(), "x");
    for op in [&LAYER_NORM, &RMS_NORM] {
        let eps = |eps: f64| Attrs::of([lc_core::AttrValue::Float(eps)]);
        assert_eq!(accepted(op, eps(0.0), &[&[2, 3], &[3]]), [[2, 3]]);
        assert_eq!(refused(op, eps(1e-5), &[&[]]).argument_name(), "x");
        assert_eq!(refused(op, eps(1e-5), &[&[2, 3], &[2]]).argument_name(), "weight");
        assert_eq!(refused(op, eps(1e-5), &[&[2, 3], &[1, 3]]).argument_name(), "weight");
        for bad in [-1e-5, f64::INFINITY, f64::NAN] {
            assert_eq!(refused(op, eps(bad), &[&[2, 3]]).argument_name(), "eps");
        }
    }
    assert_eq!(refused(&LAYER_NORM, LayerNormAttrs::default(), &[&[2, 3], &[3], &[2]]).argument_name(), "bias");

    let how = LayerNormProjectionAttrs::default();
    assert_eq!(accepted(&LAYER_NORM_PROJECTION, how, &[&[2, 3], &[5, 3], &[3], &[3], &[5]]), [[2, 5]]);
    let bad = |shapes: &[&[usize]]| refused(&LAYER_NORM_PROJECTION, how, shapes).argument_name().to_owned();
    assert_eq!(bad(&[&[], &[5, 3]]), "x");
    assert_eq!(bad(&[&[2, 3], &[3, 5]]), "weight");
    assert_eq!(bad(&[&[2, 3], &[5, 3], &[5]]), "norm_weight");
    assert_eq!(bad(&[&[2, 3], &[5, 3], &[3], &[5]]), "norm_bias");
    assert_eq!(bad(&[&[2, 3], &[5, 3], &[3], &[3], &[3]]), "bias");
}

#[test]
fn conv_attention() {
    let how = ConvAttentionAttrs::new(7, 5);
    let (x, w): (&[usize], &[usize]) = (&[1, 3, 8, 8], &[4, 3, 3, 3]);
    assert_eq!(accepted(&CONV_ATTENTION, how, &[x, w, &[4]]), [[7, 5]]);
    assert_eq!(refused(&CONV_ATTENTION, how, &[&[3, 8, 8], w]).argument_name(), "x");
    assert_eq!(refused(&CONV_ATTENTION, how, &[x, &[4, 2, 3, 3]]).argument_name(), "w");
    assert_eq!(refused(&CONV_ATTENTION, how, &[x, &[4, 3, 9, 3]]).argument_name(), "w");
    assert_eq!(refused(&CONV_ATTENTION, how, &[x, w, &[3]]).argument_name(), "bias");
    for (name, how) in [
        ("seq_len", ConvAttentionAttrs::new(0, 5)),
        ("head_dim", ConvAttentionAttrs::new(7, 0)),
        ("seq_len", ConvAttentionAttrs::new(1 << 40, 1 << 40)),
        ("seq_len", ConvAttentionAttrs::new(usize::MAX, 1)),
        ("seq_len", ConvAttentionAttrs::new(1 << 59, 1)),
        ("stride_h", ConvAttentionAttrs { stride_h: 0, ..how }),
        ("pad_w", ConvAttentionAttrs { pad_w: usize::MAX, ..how }),
    ] {
        assert_eq!(refused(&CONV_ATTENTION, how, &[x, w]).argument_name(), name);
    }
}
