//! What the cases of the ops do not reach: the variants for large extents, views of operands, and values that are no
//! numbers. Skipped where there is no adapter.

use lc_core::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry};
use lc_core::{Attrs, DType, Math, OpDef, RefTensor, Shape, Strides, TensorMut, TensorRef, TensorSpec};
use lc_ops::{ActivationAttrs, AttentionAttrs, AttentionTrainAttrs, Conv2dAttrs, LayerNormAttrs, SoftmaxAttrs};
use lc_wgpu::{Options, WgpuBackend};
use std::sync::{Arc, OnceLock};

fn device() -> Option<&'static Arc<WgpuBackend>> {
    static DEVICE: OnceLock<Option<Arc<WgpuBackend>>> = OnceLock::new();
    let open = || match WgpuBackend::open(&Options::from_env()) {
        Ok(device) => Some(device),
        Err(error) => {
            assert!(std::env::var_os("LC_REQUIRE_GPU").is_none(), "a GPU is required: {error}");
            println!("SKIPPED: {error}");
            None
        }
    };
    DEVICE.get_or_init(open).as_ref()
}

/// An operand: memory, and a view of it.
#[derive(Clone)]
struct Operand {
    memory: Vec<f32>,
    dims: Vec<usize>,
    offset: usize,
    strides: Vec<isize>,
}

impl Operand {
    fn dense(dims: &[usize], memory: Vec<f32>) -> Operand {
        let shape = Shape::new(dims).expect("small");
        assert_eq!(shape.numel(), memory.len());
        Operand { memory, dims: dims.to_vec(), offset: 0, strides: shape.contiguous_strides().steps().to_vec() }
    }

    fn noise(dims: &[usize], seed: u32) -> Operand {
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as f32 / u32::MAX as f32 * 2.0 - 1.0
        };
        Operand::dense(dims, (0..dims.iter().product()).map(|_| next()).collect())
    }

    /// Dimensions in another order.
    fn permuted(mut self, order: &[usize]) -> Operand {
        self.dims = order.iter().map(|d| self.dims[*d]).collect();
        self.strides = order.iter().map(|d| self.strides[*d]).collect();
        self
    }

    fn spec(&self) -> TensorSpec {
        TensorSpec::new(DType::F32, Shape::new(&self.dims).expect("small"))
    }

    fn widened(&self) -> RefTensor {
        let view = TensorRef::strided(&self.memory, self.offset, &self.dims, &self.strides).expect("inside its memory");
        let mut data = Vec::new();
        view.for_each(|x| data.push(x));
        RefTensor { shape: self.spec().shape, data }
    }
}

/// The results of a kernel, and those of the reference.
fn run(
    device: &WgpuBackend,
    kernel: &KernelEntry,
    attrs: Attrs,
    operands: &[Operand],
) -> (Vec<Vec<f32>>, Vec<RefTensor>) {
    let op = kernel.op;
    let memory = device.memory();
    let specs: Vec<_> = operands.iter().map(|o| Some(o.spec())).collect();
    let results = op.check(&attrs, &specs).expect("a call that the rule accepts");
    let upload = |values: &[f32]| {
        let buffer = memory.allocate(values.len() * 4).expect("memory");
        let view = TensorRef::new(values, &[values.len()]).expect("dense");
        memory.upload(&view, &buffer, 0).expect("uploads");
        buffer
    };
    let buffers: Vec<Buffer> = operands.iter().map(|o| upload(&o.memory)).collect();
    let inputs: Vec<_> = operands
        .iter()
        .zip(&buffers)
        .map(|(o, buffer)| {
            let strides = Strides::new(&o.strides).expect("few dimensions");
            Some(DeviceTensor { buffer, offset: o.offset * 4, spec: o.spec(), strides })
        })
        .collect();
    let room: Vec<_> = results.iter().map(|spec| upload(&vec![-777.25; spec.shape.numel()])).collect();
    let outputs: Vec<_> = results
        .iter()
        .zip(&room)
        .map(|(spec, buffer)| DeviceTensor { buffer, offset: 0, spec: *spec, strides: spec.shape.contiguous_strides() })
        .collect();
    device.compute().launch(kernel, &attrs, Args::Device { inputs: &inputs, outputs: &outputs }).expect("launches");
    let mut got = Vec::new();
    for (spec, buffer) in results.iter().zip(&room) {
        let mut data = vec![0.0f32; spec.shape.numel()];
        let mut view = TensorMut::new(&mut data, spec.shape.dims()).expect("sized by its shape");
        memory.download(buffer, 0, &mut view).expect("downloads");
        got.push(data);
    }
    let widened: Vec<_> = operands.iter().map(|o| Some(o.widened())).collect();
    (got, (op.reference)(&attrs, &widened))
}

/// Every float32 kernel of an op, those that run untuned and those that a tuner may choose.
fn kernels(device: &WgpuBackend, op: &'static OpDef) -> Vec<&'static KernelEntry> {
    let own = |k: &&KernelEntry| k.op == op && k.dtypes.contains(&DType::F32) && k.math == Math::IeeeF32;
    let found: Vec<_> = device.kernels().iter().filter(own).collect();
    assert!(!found.is_empty(), "{} has no kernel", op.name);
    found
}

/// Compares every kernel with the reference: NaN with NaN, the rest within `tolerance` of the largest magnitude.
fn agree(op: &'static OpDef, attrs: Attrs, operands: &[Operand], tolerance: f64) {
    let Some(device) = device() else { return };
    for kernel in kernels(device, op) {
        let (got, want) = run(device, kernel, attrs, operands);
        compare(kernel, &got, &want, tolerance);
    }
}

fn compare(kernel: &KernelEntry, got: &[Vec<f32>], want: &[RefTensor], tolerance: f64) {
    for (got, want) in got.iter().zip(want) {
        let largest = want.data.iter().filter(|x| x.is_finite()).fold(0.0f64, |n, x| n.max(x.abs()));
        for (i, (got, want)) in got.iter().zip(&want.data).enumerate() {
            let near = (f64::from(*got) - want).abs() <= tolerance * largest;
            let same = near || (got.is_nan() && want.is_nan()) || f64::from(*got) == *want;
            assert!(same, "{}: at {i} expected {want:e}, got {got:e}", kernel.name);
        }
    }
}

fn attention(causal: bool) -> Attrs {
    AttentionAttrs { causal, ..AttentionAttrs::default() }.into()
}

#[test]
fn attentions_of_many_tiles() {
    for causal in [false, true] {
        let shape = [2, 128, 130, 4];
        let operands = [1, 2, 3].map(|seed| Operand::noise(&shape, seed));
        agree(&lc_ops::ATTENTION, attention(causal), &operands, 1e-5);
    }
}

/// Enough rows, keys and heads for the larger tiles, with edges everywhere.
#[test]
fn attentions_that_fill_a_device() {
    for (dim, values, keys) in [(33, 70, 150), (20, 36, 530)] {
        for causal in [false, true] {
            let (q, k) = (Operand::noise(&[3, 12, 131, dim], 1), Operand::noise(&[3, 6, keys, dim], 2));
            let v = Operand::noise(&[3, 6, keys, values], 3);
            agree(&lc_ops::ATTENTION, attention(causal), &[q, k, v], 1e-5);
        }
    }
}

#[test]
fn large_tiles_keep_nan_where_it_is_seen() {
    let (q, k) = (Operand::noise(&[34, 131, 8], 1), Operand::noise(&[34, 135, 8], 2));
    let mut v = Operand::noise(&[34, 135, 36], 3);
    let mut mask = Operand::noise(&[131, 135], 4);
    mask.memory[2 * 135..4 * 135].fill(f32::NEG_INFINITY);
    mask.memory[70 * 135..70 * 135 + 40].fill(f32::NEG_INFINITY);
    v.memory[100 * 36 + 5] = f32::NAN;
    v.memory[134 * 36] = f32::INFINITY;
    for causal in [false, true] {
        agree(&lc_ops::ATTENTION, attention(causal), &[q.clone(), k.clone(), v.clone(), mask.clone()], 1e-5);
    }
}

#[test]
fn attentions_of_wide_heads() {
    for (dim, values) in [(64, 64), (96, 128), (130, 72), (128, 200), (33, 300)] {
        for (rows, causal) in [(37, false), (37, true), (2, false)] {
            let (q, k) = (Operand::noise(&[2, rows, dim], 1), Operand::noise(&[2, 45, dim], 2));
            agree(&lc_ops::ATTENTION, attention(causal), &[q, k, Operand::noise(&[2, 45, values], 3)], 1e-5);
        }
    }
}

#[test]
fn few_rows_and_many_keys() {
    for (rows, causal) in [(1, false), (3, true), (40, false), (600, true)] {
        let (q, k) = (Operand::noise(&[2, rows, 20], 1), Operand::noise(&[1, 1500, 20], 2));
        let v = Operand::noise(&[1, 1500, 12], 3);
        agree(&lc_ops::ATTENTION, attention(causal), &[q.clone(), k.clone(), v.clone()], 1e-5);
        let mut mask = Operand::noise(&[1500], 4);
        mask.memory[..900].fill(f32::NEG_INFINITY);
        let how =
            AttentionAttrs { causal, output_bias: 0.25, output_scale: -2.0, output_relu: true, ..Default::default() };
        agree(&lc_ops::ATTENTION, how.into(), &[q, k, v, mask], 1e-5);
    }
}

#[test]
fn heads_beside_each_other_are_no_copy_and_no_other_result() {
    // [batch, rows, heads, dim], as a projection leaves it.
    let view = |seed| Operand::noise(&[2, 19, 3, 8], seed).permuted(&[0, 2, 1, 3]);
    agree(&lc_ops::ATTENTION, attention(true), &[view(1), view(2), view(3)], 1e-5);
    // Columns that are not neighbours: copied first.
    let turned = |seed| Operand::noise(&[8, 19], seed).permuted(&[1, 0]);
    agree(&lc_ops::ATTENTION, attention(false), &[turned(1), turned(2), turned(3)], 1e-5);
    agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), &[turned(1)], 1e-6);
    agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[turned(1)], 1e-5);
    agree(&lc_ops::ADD, Attrs::NONE, &[turned(1), turned(2)], 1e-6);
    agree(&lc_ops::ACTIVATION, ActivationAttrs::default().into(), &[turned(1)], 1e-6);
    let step = Operand { dims: vec![4, 8], strides: vec![16, 1], offset: 3, ..Operand::noise(&[67], 5) };
    agree(&lc_ops::ACTIVATION, ActivationAttrs::default().into(), std::slice::from_ref(&step), 1e-6);
    agree(&lc_ops::MUL, Attrs::NONE, &[step.clone(), step.clone()], 1e-6);
    agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), &[step], 1e-6);
}

#[test]
fn rows_that_see_nothing_are_zero_and_nan_stays() {
    for rows in [8, 9] {
        let (q, k, v) = (Operand::noise(&[rows, 8], 1), Operand::noise(&[70, 8], 2), Operand::noise(&[70, 8], 3));
        let mut mask = Operand::noise(&[rows, 70], 4);
        mask.memory[2 * 70..4 * 70].fill(f32::NEG_INFINITY);
        mask.memory[5 * 70..5 * 70 + 40].fill(f32::NEG_INFINITY);
        agree(&lc_ops::ATTENTION, attention(false), &[q.clone(), k.clone(), v.clone(), mask.clone()], 1e-5);
        // The lowest number is no minus infinity: such keys share a row evenly.
        mask.memory[7 * 70..8 * 70].fill(f32::MIN);
        if let Some(device) = device() {
            let operands = [q.clone(), k.clone(), v.clone(), mask.clone()];
            let kernel = kernels(device, &lc_ops::ATTENTION)[0];
            let (got, _) = run(device, kernel, attention(false), &operands);
            assert!(got[0].iter().all(|x| x.is_finite()));
        }
        mask.memory[7 * 70..8 * 70].fill(0.0);
        for place in 0..3 {
            let mut operands = [q.clone(), k.clone(), v.clone(), mask.clone()];
            operands[place].memory[19] = f32::NAN;
            agree(&lc_ops::ATTENTION, attention(false), &operands, 1e-5);
            agree(&lc_ops::ATTENTION, attention(true), &operands, 1e-5);
        }
    }
    let mut row = Operand::noise(&[3, 40], 5);
    row.memory[50] = f32::NAN;
    row.memory[80..].fill(f32::NEG_INFINITY);
    agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), &[row.clone()], 1e-6);
    agree(&lc_ops::SOFTMAX, SoftmaxAttrs { axis: 0 }.into(), &[row.clone()], 1e-6);
    agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[row.clone()], 1e-5);
    for kind in lc_core::Activation::ALL {
        agree(
            &lc_ops::ACTIVATION,
            ActivationAttrs { kind }.into(),
            &[Operand { dims: vec![2, 40], ..row.clone() }],
            1e-6,
        );
    }
}

#[test]
fn a_key_that_a_training_row_may_not_see_takes_no_part() {
    let how = AttentionTrainAttrs { learning_rate: 3.0, causal: true, compute_loss: true };
    let mut operands = [1, 2, 3, 4].map(|seed| Operand::noise(&[70, 8], seed));
    agree(&lc_ops::ATTENTION_TRAIN, how.into(), &operands, 1e-5);
    operands[2].memory[50 * 8 + 3] = f32::NAN;
    agree(&lc_ops::ATTENTION_TRAIN, how.into(), &operands, 1e-5);
    // Enough elements that the loss is summed by several workgroups.
    let operands = [1, 2, 3, 4].map(|seed| Operand::noise(&[150, 70], seed));
    agree(&lc_ops::ATTENTION_TRAIN, AttentionTrainAttrs { causal: false, ..how }.into(), &operands, 1e-5);
}

/// Rows that end at every place in a vector of four and in the slots of a team, behind rows of the same kind.
#[test]
fn rows_of_every_width() {
    for extent in [1, 2, 3, 4, 5, 7, 9, 14, 16, 33, 64, 131, 258, 511, 1027] {
        let x = Operand::noise(&[9, extent], 1);
        let vector = |seed| Operand::noise(&[extent], seed);
        agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), std::slice::from_ref(&x), 1e-6);
        agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[x.clone(), vector(2), vector(3)], 1e-5);
        if extent % 3 == 0 {
            agree(&lc_ops::RMS_NORM, lc_ops::RmsNormAttrs::default().into(), &[x, vector(2)], 1e-5);
        }
    }
}

/// Views that begin anywhere, so that operand and result lie differently to a vector of four.
#[test]
fn rows_that_begin_anywhere() {
    for (extent, offset) in [(12, 1), (12, 4), (13, 2), (13, 4), (1030, 1)] {
        let dims = vec![5, extent];
        let strides = vec![extent as isize, 1];
        let x = Operand { dims, strides, offset, ..Operand::noise(&[5 * extent + 8], 1) };
        let vector =
            |seed| Operand { dims: vec![extent], strides: vec![1], offset, ..Operand::noise(&[extent + 8], seed) };
        agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), std::slice::from_ref(&x), 1e-6);
        agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[x.clone(), vector(2), vector(3)], 1e-5);
        agree(&lc_ops::RMS_NORM, lc_ops::RmsNormAttrs::default().into(), &[x, vector(2)], 1e-5);
    }
}

/// Lanes by vectors across and by element, that fit in registers and that do not.
#[test]
fn softmax_along_any_dimension() {
    let dims: [&[usize]; 7] =
        [&[3, 5, 8], &[2, 64, 4], &[2, 300, 12], &[3, 1025, 20], &[2, 9000, 4], &[3, 70, 7], &[1, 9001, 3]];
    for dims in dims {
        let x = Operand::noise(dims, 1);
        agree(&lc_ops::SOFTMAX, SoftmaxAttrs { axis: 1 }.into(), &[x], 1e-5);
    }
}

/// One element decides the row, wherever it lies: what is read twice and what is held must agree on the maximum.
#[test]
fn one_large_element_decides_a_row() {
    for extent in [100, 40_001] {
        for at in [0, extent / 2, extent - 1] {
            let mut x = Operand::noise(&[2, extent], 1);
            x.memory[at] = 60.0;
            x.memory[extent + at] = -1e30;
            agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), std::slice::from_ref(&x), 1e-5);
            x.memory[extent + at] = 500.0;
            agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[x], 1e-4);
        }
    }
}

#[test]
fn rows_too_long_for_registers() {
    for extent in [2049, 8196, 20_001, 24_580, 70_003, 70_004] {
        let x = Operand::noise(&[3, extent], 1);
        let vector = |seed| Operand::noise(&[extent], seed);
        agree(&lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), std::slice::from_ref(&x), 1e-5);
        agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[x.clone(), vector(2), vector(3)], 1e-5);
        agree(&lc_ops::RMS_NORM, lc_ops::RmsNormAttrs::default().into(), &[x, vector(2)], 1e-5);
    }
}

#[test]
fn means_far_from_zero_lose_nothing_but_their_digits() {
    let mut x = Operand::noise(&[5, 1000], 1);
    x.memory.iter_mut().for_each(|x| *x += 100.0);
    agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[x], 1e-4);
    let mut x = Operand::noise(&[2, 70_001], 1);
    x.memory.iter_mut().for_each(|x| *x += 100.0);
    agree(&lc_ops::LAYER_NORM, LayerNormAttrs::default().into(), &[x], 1e-4);
}

#[test]
fn convolutions_of_many_tiles() {
    let how = Conv2dAttrs { pad_h: 1, pad_w: 1, ..Conv2dAttrs::default() };
    for channels in [20, 70] {
        let (x, w) = (Operand::noise(&[2, 2, 131, 133], 1), Operand::noise(&[channels, 2, 3, 3], 2));
        agree(&lc_ops::CONV2D, how.into(), &[x, w, Operand::noise(&[channels], 3)], 1e-5);
    }
    let grouped = Conv2dAttrs { groups: 2, stride_w: 2, ..how };
    let (x, w) = (Operand::noise(&[2, 6, 9, 11], 1), Operand::noise(&[30, 3, 3, 3], 2));
    agree(&lc_ops::CONV2D, grouped.into(), &[x.clone(), w.clone(), Operand::noise(&[30], 3)], 1e-5);
    let turned = x.permuted(&[0, 1, 3, 2]);
    agree(&lc_ops::CONV2D, grouped.into(), &[turned, w, Operand::noise(&[30], 3)], 1e-5);
}
