//! Times of the GPU's kernels other than matrix products, on resident data, each checked in places against float64.
//!
//! `cargo run --release -p lc-wgpu --example gpu_ops_bench [divisor [part of names]]`: extents are divided by `divisor`,
//! for devices that are slow, and rows without that part in their name are left out. A row is the median of seven samples, each of launches enough for some tens of milliseconds and one wait;
//! the error is the largest of the checked elements relative to the largest of them.

use lc_core::backend::{Args, Backend, Buffer, DeviceTensor};
use lc_core::{Attrs, DType, OpDef, Shape, TensorMut, TensorRef, TensorSpec};
use lc_ops::{ActivationAttrs, AttentionAttrs, Conv2dAttrs, LayerNormAttrs, RmsNormAttrs, SoftmaxAttrs};
use lc_wgpu::{Options, WgpuBackend};
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

/// What the time of a row is compared with.
enum Unit {
    /// Bytes that have to move.
    Bytes,
    /// Floating-point operations.
    Flops,
}

/// The value that float64 gives for the element of the result at an index.
type Expected<'a> = &'a dyn Fn(&[Vec<f32>], usize) -> f64;

struct Bench {
    device: std::sync::Arc<WgpuBackend>,
    /// What is in the names of the rows that are wanted.
    only: String,
}

fn dense(buffer: &Buffer, shape: Shape) -> DeviceTensor<'_> {
    DeviceTensor { buffer, offset: 0, spec: TensorSpec::new(DType::F32, shape), strides: shape.contiguous_strides() }
}

fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

impl Bench {
    fn median(&self, mut run: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
        let sync = self.device.sync();
        run()?;
        sync.synchronize()?;
        let start = Instant::now();
        run()?;
        sync.synchronize()?;
        let once = start.elapsed().as_secs_f64();
        let launches = (0.03 / once).clamp(1.0, 200.0) as usize;
        let mut samples = Vec::new();
        for _ in 0..7 {
            let start = Instant::now();
            for _ in 0..launches {
                run()?;
            }
            sync.synchronize()?;
            samples.push(start.elapsed().as_secs_f64() / launches as f64);
        }
        samples.sort_by(f64::total_cmp);
        Ok(samples[3])
    }

    fn row(
        &self,
        name: &str,
        op: &'static OpDef,
        attrs: Attrs,
        shapes: &[&[usize]],
        unit: Unit,
        expected: Expected<'_>,
    ) -> Result<(), Failure> {
        if !name.contains(&self.only) {
            return Ok(());
        }
        let kernel = self.device.kernels().iter().find(|k| k.op == op).ok_or("no kernel")?;
        let shapes = shapes.iter().map(|dims| Shape::new(dims)).collect::<lc_core::Result<Vec<_>>>()?;
        let specs: Vec<_> = shapes.iter().map(|s| Some(TensorSpec::new(DType::F32, *s))).collect();
        let outputs = op.check(&attrs, &specs)?;
        let shape = outputs.first().shape;
        let data: Vec<Vec<f32>> = shapes.iter().zip(1..).map(|(s, seed)| noise(s.numel(), seed)).collect();
        let memory = self.device.memory();
        let mut buffers = Vec::new();
        for (values, shape) in data.iter().zip(&shapes) {
            let buffer = memory.allocate(values.len() * 4)?;
            memory.upload(&TensorRef::new(values, shape.dims())?, &buffer, 0)?;
            buffers.push(buffer);
        }
        let out = memory.allocate(shape.numel() * 4)?;
        let inputs: Vec<_> = buffers.iter().zip(&shapes).map(|(b, s)| Some(dense(b, *s))).collect();
        let results = [dense(&out, shape)];
        let seconds = self.median(|| {
            let args = Args::Device { inputs: &inputs, outputs: &results };
            Ok(self.device.compute().launch(kernel, &attrs, args)?)
        })?;

        let mut got = vec![0.0f32; shape.numel()];
        memory.download(&out, 0, &mut TensorMut::new(&mut got, shape.dims())?)?;
        let (mut worst, mut largest) = (0.0f64, 0.0f64);
        // The first, the last, and some between.
        for i in 0..24usize {
            let at = i * (got.len() - 1) / 23;
            let want = expected(&data, at);
            largest = largest.max(want.abs());
            let away = (f64::from(got[at]) - want).abs();
            // Not `max`, which would lose NaN.
            worst = if away <= worst { worst } else { away };
        }
        worst /= largest;
        let cost = (op.cost)(&attrs, &specs, &outputs);
        let (amount, what) = match unit {
            Unit::Bytes => ((cost.bytes_read + cost.bytes_written) as f64 / 1e9, "GB/s"),
            Unit::Flops => (cost.flops as f64 / 1e12, "TFLOP/s"),
        };
        println!(
            "{name:48} {:10.3} ms {:9.2} {what:8} error {worst:.1e}  {}",
            seconds * 1e3,
            amount / seconds,
            kernel.name
        );
        if worst > 1e-4 || worst.is_nan() {
            return Err(format!("{name}: off by {worst:e}").into());
        }
        Ok(())
    }

    fn copy(&self, bytes: u64) -> Result<(), Failure> {
        let (from, to) = (self.device.pool().take(bytes)?, self.device.pool().take(bytes)?);
        let seconds = self.median(|| {
            self.device.stream().copy((&from.raw, 0), (&to.raw, 0), bytes);
            Ok(())
        })?;
        let rate = 2.0 * bytes as f64 / 1e9 / seconds;
        println!("{:48} {:10.3} ms {rate:9.2} GB/s", format!("copy of {} MiB", bytes >> 20), seconds * 1e3);
        self.device.pool().give(from);
        self.device.pool().give(to);
        Ok(())
    }
}

fn attention_at(data: &[Vec<f32>], at: usize, rows: usize, keys: usize, d: usize, causal: bool) -> f64 {
    let (head, row, column) = (at / d / rows, at / d % rows, at % d);
    let seen = if causal { keys.min(row + 1) } else { keys };
    let scores: Vec<f64> = (0..seen)
        .map(|j| {
            let (q, k) = ((head * rows + row) * d, (head * keys + j) * d);
            let dot: f64 = (0..d).map(|c| f64::from(data[0][q + c]) * f64::from(data[1][k + c])).sum();
            dot / (d as f64).sqrt()
        })
        .collect();
    let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - top).exp()).sum();
    let value = |j: usize| f64::from(data[2][(head * keys + j) * d + column]);
    scores.iter().enumerate().map(|(j, s)| (s - top).exp() / sum * value(j)).sum()
}

fn conv_at(data: &[Vec<f32>], at: usize, x: [usize; 4], w: [usize; 4], how: &Conv2dAttrs) -> f64 {
    let oh = (x[2] + 2 * how.pad_h - w[2]) / how.stride_h + 1;
    let ow = (x[3] + 2 * how.pad_w - w[3]) / how.stride_w + 1;
    let (image, channel, row, column) = (at / ow / oh / w[0], at / ow / oh % w[0], at / ow % oh, at % ow);
    let mut sum = f64::from(data[2][channel]);
    for c in 0..w[1] {
        for i in 0..w[2] {
            for j in 0..w[3] {
                let (y, z) = ((row * how.stride_h + i).wrapping_sub(how.pad_h), column * how.stride_w + j);
                let z = z.wrapping_sub(how.pad_w);
                if y < x[2] && z < x[3] {
                    let pixel = data[0][((image * x[1] + c) * x[2] + y) * x[3] + z];
                    let weight = data[1][((channel * w[1] + c) * w[2] + i) * w[3] + j];
                    sum += f64::from(pixel) * f64::from(weight);
                }
            }
        }
    }
    sum.max(0.0)
}

/// The row of `data[0]` that an index lies in, and its place there.
fn row_of(data: &[Vec<f32>], at: usize, d: usize) -> (Vec<f64>, usize) {
    let row = at / d * d;
    (data[0][row..row + d].iter().map(|x| f64::from(*x)).collect(), at % d)
}

fn rows(bench: &Bench, elements: usize) -> Result<(), Failure> {
    let many = [elements];
    bench.row("add", &lc_ops::ADD, Attrs::NONE, &[&many, &many], Unit::Bytes, &|t, i| {
        f64::from(t[0][i]) + f64::from(t[1][i])
    })?;
    let row = [1024];
    let matrix = [elements / 1024, 1024];
    bench.row("add of a row", &lc_ops::ADD, Attrs::NONE, &[&matrix, &row], Unit::Bytes, &|t, i| {
        f64::from(t[0][i]) + f64::from(t[1][i % 1024])
    })?;
    for kind in [lc_core::Activation::Relu, lc_core::Activation::Gelu, lc_core::Activation::Silu] {
        let name = format!("activation {}", kind.name());
        bench.row(&name, &lc_ops::ACTIVATION, ActivationAttrs { kind }.into(), &[&many], Unit::Bytes, &|t, i| {
            lc_ops::activate(kind, f64::from(t[0][i]))
        })?;
    }
    for d in [64usize, 1024, 4096, 4095, 32_768] {
        let x = [elements / d, d];
        let name = format!("softmax {} x {d}", x[0]);
        bench.row(&name, &lc_ops::SOFTMAX, SoftmaxAttrs::default().into(), &[&x], Unit::Bytes, &|t, i| {
            let (row, at) = row_of(t, i, d);
            row[at].exp() / row.iter().map(|x| x.exp()).sum::<f64>()
        })?;
    }
    for inner in [16usize, 64] {
        let x = [elements / 4096 / inner, 4096, inner];
        let name = format!("softmax {} x 4096 x {inner}, middle", x[0]);
        bench.row(&name, &lc_ops::SOFTMAX, SoftmaxAttrs { axis: 1 }.into(), &[&x], Unit::Bytes, &|t, i| {
            let start = i / inner / 4096 * 4096 * inner + i % inner;
            let column = |j: usize| f64::from(t[0][start + j * inner]).exp();
            f64::from(t[0][i]).exp() / (0..4096).map(column).sum::<f64>()
        })?;
    }
    for d in [64usize, 1024, 4096, 4095, 16_384, 32_768] {
        let x = [elements / d, d];
        let vector = [d];
        let name = format!("layer_norm {} x {d}", x[0]);
        let how = LayerNormAttrs::default();
        bench.row(&name, &lc_ops::LAYER_NORM, how.into(), &[&x, &vector, &vector], Unit::Bytes, &|t, i| {
            let (row, at) = row_of(t, i, d);
            let mean = row.iter().sum::<f64>() / d as f64;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / d as f64;
            (row[at] - mean) / (variance + how.eps).sqrt() * f64::from(t[1][at]) + f64::from(t[2][at])
        })?;
    }
    for d in [4096usize, 32_768] {
        let (x, vector) = ([elements / d, d], [d]);
        let how = RmsNormAttrs::default();
        let name = format!("rms_norm {} x {d}", x[0]);
        bench.row(&name, &lc_ops::RMS_NORM, how.into(), &[&x, &vector], Unit::Bytes, &|t, i| {
            let (row, at) = row_of(t, i, d);
            let square = row.iter().map(|x| x * x).sum::<f64>() / d as f64;
            row[at] / (square + how.eps).sqrt() * f64::from(t[1][at])
        })?;
    }
    Ok(())
}

fn attentions(bench: &Bench, divisor: usize) -> Result<(), Failure> {
    let run = |batch: usize, heads: usize, rows: usize, keys: usize, d: usize, causal: bool| {
        let (rows, keys) = ((rows / divisor).max(1), (keys / divisor).max(1));
        let (q, k) = ([batch, heads, rows, d], [batch, heads, keys, d]);
        let how = AttentionAttrs { causal, ..AttentionAttrs::default() };
        let kind = if causal { ", causal" } else { "" };
        let name = format!("attention {batch} x {heads} x {rows} x {keys} x {d}{kind}");
        bench.row(&name, &lc_ops::ATTENTION, how.into(), &[&q, &k, &k], Unit::Flops, &|t, i| {
            attention_at(t, i, rows, keys, d, causal)
        })
    };
    for rows in [1024, 4096] {
        run(1, 8, rows, rows, 64, false)?;
        run(1, 8, rows, rows, 64, true)?;
    }
    run(1, 8, 4096, 4096, 128, false)?;
    run(1, 8, 4096, 4096, 32, false)?;
    run(8, 16, 1024, 1024, 64, false)?;
    run(1, 8, 128, 128, 64, false)?;
    run(1, 32, 1, 8192, 128, false)
}

fn convolutions(bench: &Bench, divisor: usize) -> Result<(), Failure> {
    let same = Conv2dAttrs { pad_h: 1, pad_w: 1, activation: lc_core::Activation::Relu, ..Conv2dAttrs::default() };
    let stem = Conv2dAttrs { stride_h: 2, stride_w: 2, pad_h: 3, pad_w: 3, ..same };
    let point = Conv2dAttrs { pad_h: 0, pad_w: 0, ..same };
    let depthwise = Conv2dAttrs { groups: 128, ..same };
    let list: [([usize; 4], [usize; 4], Conv2dAttrs); 7] = [
        ([1, 3, 224, 224], [64, 3, 7, 7], stem),
        ([32, 3, 224, 224], [64, 3, 7, 7], stem),
        ([32, 64, 56, 56], [64, 64, 3, 3], same),
        ([32, 256, 14, 14], [256, 256, 3, 3], same),
        ([32, 256, 56, 56], [64, 256, 1, 1], point),
        ([32, 128, 56, 56], [128, 1, 3, 3], depthwise),
        ([1, 16, 64, 64], [8, 16, 3, 3], same),
    ];
    for (mut x, w, how) in list {
        x[0] = (x[0] / divisor).max(1);
        let name = format!("conv2d {x:?} by {w:?}, stride {}, groups {}", how.stride_h, how.groups);
        let bias = [w[0]];
        // The check below knows no groups: each has one channel there.
        let check = |t: &[Vec<f32>], i: usize| {
            if how.groups == 1 {
                return conv_at(t, i, x, w, &how);
            }
            let plane = x[2] * x[3];
            let (all, channel) = (i / plane, i / plane % w[0]);
            let own = vec![
                t[0][all * plane..(all + 1) * plane].to_vec(),
                t[1][channel * w[2] * w[3]..(channel + 1) * w[2] * w[3]].to_vec(),
                vec![t[2][channel]],
            ];
            conv_at(&own, i % plane, [1, 1, x[2], x[3]], [1, 1, w[2], w[3]], &how)
        };
        bench.row(&name, &lc_ops::CONV2D, how.into(), &[&x, &w, &bias], Unit::Flops, &check)?;
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let divisor: usize = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let device = WgpuBackend::open(&Options::from_env())?;
    let info = &device.adapter().info;
    println!("{} ({} {})", info.name, info.driver, info.driver_info);
    let bench = Bench { device, only: std::env::args().nth(2).unwrap_or_default() };
    let elements = (64 << 20) / divisor / divisor;
    bench.copy(elements as u64 * 4)?;
    rows(&bench, elements)?;
    attentions(&bench, divisor)?;
    convolutions(&bench, divisor)
}
