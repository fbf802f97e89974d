//! What the device does: bandwidth, matrix products by kernel, other ops, and the cost of a call.
//!
//! `cargo run --release -p lc-wgpu --example gpu_bench [words]` measures on the adapter that `LC_VULKAN_ADAPTER` names;
//! with words, only rows whose names contain one of them. Every timed result is checked against float64: rows picked by
//! chance of a product, the first part of other results. Times are medians of batches of launches with one wait each.

use half::f16;
use lc_core::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry};
use lc_core::policy::PackedPolicy;
use lc_core::{
    Attrs, DType, DeviceRequest, Fallback, Math, OpDef, Policy, RefTensor, Result, Runtime, Shape, Strides, TensorMut,
    TensorRef, TensorSpec,
};
use lc_ops::MatmulAttrs;
use lc_wgpu::{Adapter, Options, WgpuBackend};
use std::sync::Arc;
use std::time::Instant;

/// The longest that the batches of one row may take.
const ROW_SECONDS: f64 = 0.25;
const BATCHES: usize = 5;

/// An op to time by the kernel that the device prefers: name, op, attributes, extents of the inputs, and how many entries
/// of each input's first dimension make the part of the result that is checked.
struct Row {
    name: &'static str,
    op: &'static OpDef,
    attrs: Attrs,
    inputs: &'static [&'static [usize]],
    checked: &'static [usize],
}

fn rows() -> Vec<Row> {
    let row = |name, op, attrs, inputs, checked| Row { name, op, attrs, inputs, checked };
    vec![
        row("add", &lc_ops::ADD, Attrs::default(), &[&[8192, 8192], &[8192, 8192]], &[2, 2]),
        row(
            "linear",
            &lc_ops::LINEAR,
            lc_ops::LinearAttrs::default().into(),
            &[&[4096, 4096], &[4096, 4096], &[4096]],
            &[1, 4096, 4096],
        ),
        row(
            "ffn gelu",
            &lc_ops::FFN,
            lc_ops::FfnAttrs::default().into(),
            &[&[2048, 1024], &[4096, 1024], &[1024, 4096], &[4096], &[1024]],
            &[2, 4096, 1024, 4096, 1024],
        ),
        row(
            "layer_norm_projection",
            &lc_ops::LAYER_NORM_PROJECTION,
            lc_ops::LayerNormProjectionAttrs::default().into(),
            &[&[2048, 1024], &[1024, 1024], &[1024], &[1024], &[1024]],
            &[2, 1024, 1024, 1024, 1024],
        ),
        row("softmax", &lc_ops::SOFTMAX, lc_ops::SoftmaxAttrs::default().into(), &[&[8192, 4096]], &[2]),
        row(
            "layer_norm",
            &lc_ops::LAYER_NORM,
            lc_ops::LayerNormAttrs::default().into(),
            &[&[8192, 4096], &[4096], &[4096]],
            &[2, 4096, 4096],
        ),
        row(
            "rms_norm",
            &lc_ops::RMS_NORM,
            lc_ops::RmsNormAttrs::default().into(),
            &[&[8192, 4096], &[4096]],
            &[2, 4096],
        ),
        row(
            "attention",
            &lc_ops::ATTENTION,
            lc_ops::AttentionAttrs::default().into(),
            &[&[64, 1024, 64], &[64, 1024, 64], &[64, 1024, 64]],
            &[1, 1, 1],
        ),
    ]
}

/// Products: m, n, k, and whether B is read across, as a linear layer's weight is.
const PRODUCTS: &[(usize, usize, usize, bool)] = &[
    (512, 512, 512, false),
    (1024, 1024, 1024, false),
    (1536, 1536, 1536, false),
    (2048, 2048, 2048, false),
    (4096, 4096, 4096, false),
    (4096, 4096, 4096, true),
    (8192, 8192, 8192, false),
    (4095, 4095, 4095, false),
    (256, 256, 16384, false),
    (64, 4096, 4096, false),
];
/// Products of a few rows or columns: bandwidth counts.
const THIN: &[(usize, usize, usize, bool)] =
    &[(1, 8192, 8192, false), (1, 8192, 8192, true), (4, 8192, 8192, true), (8192, 1, 8192, false)];

struct Bench {
    device: Arc<WgpuBackend>,
    noise: Vec<f32>,
    words: Vec<String>,
}

fn values(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    (0..count).map(|_| next()).collect()
}

struct Tensor {
    buffer: Buffer,
    spec: TensorSpec,
    strides: Strides,
    offset_in_noise: usize,
}

impl Tensor {
    fn view(&self) -> DeviceTensor<'_> {
        DeviceTensor { buffer: &self.buffer, offset: 0, spec: self.spec, strides: self.strides }
    }
}

fn dense(dims: &[usize]) -> Vec<isize> {
    let mut strides = vec![1isize; dims.len()];
    for d in (1..dims.len()).rev() {
        strides[d - 1] = strides[d] * dims[d] as isize;
    }
    strides
}

impl Bench {
    fn wanted(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    /// A tensor of noise, from a place in it that differs by input.
    fn tensor(&self, dtype: DType, dims: &[usize], input: usize) -> Result<Tensor> {
        let shape = Shape::new(dims)?;
        let count = shape.numel();
        let offset = (input * 1_000_003) % (self.noise.len() - count + 1);
        let data = &self.noise[offset..offset + count];
        let buffer = self.device.memory().allocate(count * dtype.size())?;
        match dtype {
            DType::F16 => {
                let narrow: Vec<f16> = data.iter().map(|x| f16::from_f32(*x)).collect();
                self.device.memory().upload(&TensorRef::new(&narrow, &[count])?, &buffer, 0)?;
            }
            _ => self.device.memory().upload(&TensorRef::new(data, &[count])?, &buffer, 0)?,
        }
        let strides = Strides::new(&dense(dims))?;
        Ok(Tensor { buffer, spec: TensorSpec::new(dtype, shape), strides, offset_in_noise: offset })
    }

    fn result(&self, dtype: DType, dims: &[usize]) -> Result<Tensor> {
        let shape = Shape::new(dims)?;
        let buffer = self.device.memory().allocate(shape.numel() * dtype.size())?;
        let strides = Strides::new(&dense(dims))?;
        Ok(Tensor { buffer, spec: TensorSpec::new(dtype, shape), strides, offset_in_noise: 0 })
    }

    /// Median seconds of one launch.
    fn time(&self, kernel: &KernelEntry, attrs: &Attrs, inputs: &[Tensor], out: &Tensor) -> Result<f64> {
        let views: Vec<_> = inputs.iter().map(|t| Some(t.view())).collect();
        let outputs = [out.view()];
        let batch = |count: usize| -> Result<f64> {
            let start = Instant::now();
            for _ in 0..count {
                self.device.compute().launch(kernel, attrs, Args::Device { inputs: &views, outputs: &outputs })?;
            }
            self.device.sync().synchronize()?;
            Ok(start.elapsed().as_secs_f64())
        };
        batch(1)?;
        let one = batch(1)?.min(batch(1)?);
        let count = ((ROW_SECONDS / BATCHES as f64 / one) as usize).clamp(1, 400);
        let mut times = (0..BATCHES).map(|_| batch(count)).collect::<Result<Vec<_>>>()?;
        times.sort_by(f64::total_cmp);
        Ok(times[BATCHES / 2] / count as f64)
    }

    fn download(&self, out: &Tensor, first: usize, count: usize) -> Result<Vec<f64>> {
        let memory = self.device.memory();
        match out.spec.dtype {
            DType::F16 => {
                let mut data = vec![f16::ZERO; count];
                memory.download(&out.buffer, 2 * first, &mut TensorMut::new(&mut data, &[count])?)?;
                Ok(data.iter().map(|x| x.to_f64()).collect())
            }
            _ => {
                let mut data = vec![0f32; count];
                memory.download(&out.buffer, 4 * first, &mut TensorMut::new(&mut data, &[count])?)?;
                Ok(data.iter().map(|x| f64::from(*x)).collect())
            }
        }
    }

    fn element(&self, tensor: &Tensor, index: usize) -> f64 {
        let x = self.noise[tensor.offset_in_noise + index];
        if tensor.spec.dtype == DType::F16 { f16::from_f32(x).to_f64() } else { f64::from(x) }
    }

    /// The largest error of some rows of a product, over the size of its terms' sum.
    fn product_error(&self, inputs: &[Tensor], out: &Tensor, across: bool) -> Result<f64> {
        let (m, n) = (out.spec.shape[0], out.spec.shape[1]);
        let k = inputs[0].spec.shape[1];
        let mut worst = 0f64;
        // First and last rows and columns, and some between.
        for i in [0, m / 3, m - 1] {
            // Downloads begin at whole words.
            let first = i * n / 2 * 2;
            let got = self.download(out, first, (n + 1).min(m * n - first))?;
            for j in [0, n / 5, n / 2 + 1, n.saturating_sub(2), n - 1].map(|j| j.min(n - 1)) {
                let b = |l: usize| self.element(&inputs[1], if across { j * k + l } else { l * n + j });
                let want: f64 = (0..k).map(|l| self.element(&inputs[0], i * k + l) * b(l)).sum();
                // Terms have a standard deviation of 1/12.
                let scale = (k as f64).sqrt() / 12.0;
                worst = worst.max((got[i * n % 2 + j] - want).abs() / scale);
            }
        }
        Ok(worst)
    }

    fn products(&self, list: &[(usize, usize, usize, bool)]) -> Result<()> {
        for &(m, n, k, across) in list {
            for dtype in [DType::F32, DType::F16] {
                let b = if across { "Bᵀ" } else { "B" };
                let title = |kernel: &KernelEntry| format!("{m}x{n}x{k} {b} {} {dtype}", kernel.name);
                let mut kernels: Vec<_> = self.device.kernels().iter().collect();
                // Kernels one by one where there is much to choose.
                kernels.retain(|kernel| kernel.op == &lc_ops::MATMUL && kernel.dtypes.contains(&dtype));
                kernels.retain(|kernel| {
                    !kernel.name.contains(".gemm.")
                        || [(1024, false), (1536, false), (4096, false)].contains(&(m, across))
                });
                kernels.retain(|kernel| self.wanted(&title(kernel)));
                if kernels.is_empty() {
                    continue;
                }
                let mut inputs = [self.tensor(dtype, &[m, k], 0)?, self.tensor(dtype, &[k, n], 1)?];
                if across {
                    inputs[1].strides = Strides::new(&[1, k as isize])?;
                }
                let out = self.result(dtype, &[m, n])?;
                for kernel in kernels {
                    let name = title(kernel);
                    let seconds = match self.time(kernel, &MatmulAttrs::default().into(), &inputs, &out) {
                        Ok(seconds) => seconds,
                        Err(error) => {
                            println!("{name:<56} not measured: {error}");
                            continue;
                        }
                    };
                    let error = self.product_error(&inputs, &out, across)?;
                    let rounded = kernel.math != lc_core::Math::IeeeF32 || dtype == DType::F16;
                    let good = error < if rounded { 1e-2 } else { 1e-4 };
                    let flops = 2.0 * m as f64 * n as f64 * k as f64;
                    let bytes = dtype.size() as f64 * (m * k + k * n + m * n) as f64;
                    println!(
                        "{name:<56} {:>9.1} µs {:>8.2} TFLOP/s {:>8.0} GB/s  error {error:.1e} {}",
                        seconds * 1e6,
                        flops / seconds / 1e12,
                        bytes / seconds / 1e9,
                        if good { "ok" } else { "WRONG" }
                    );
                }
            }
        }
        Ok(())
    }

    fn row(&self, row: &Row) -> Result<()> {
        let Some(kernel) = self.device.kernels().iter().find(|k| k.op == row.op && k.math == Math::IeeeF32) else {
            println!("{:<56} no kernel", row.name);
            return Ok(());
        };
        let inputs: Vec<Tensor> =
            row.inputs.iter().enumerate().map(|(i, dims)| self.tensor(DType::F32, dims, i)).collect::<Result<_>>()?;
        let specs: Vec<_> = inputs.iter().map(|t| Some(t.spec)).collect();
        let results = row.op.check(&row.attrs, &specs)?;
        let cost = (row.op.cost)(&row.attrs, &specs, &results);
        let out = self.result(DType::F32, results.first().shape.dims())?;
        let seconds = self.time(kernel, &row.attrs, &inputs, &out)?;
        let cut = |tensor: &Tensor, keep: usize| {
            let mut dims = tensor.spec.shape.dims().to_vec();
            dims[0] = keep.min(dims[0]);
            let shape = Shape::new(&dims).expect("smaller than a shape");
            Some(RefTensor { shape, data: (0..shape.numel()).map(|i| self.element(tensor, i)).collect() })
        };
        let parts: Vec<_> = inputs.iter().zip(row.checked).map(|(t, keep)| cut(t, *keep)).collect();
        let want = &(row.op.reference)(&row.attrs, &parts)[0];
        let got = self.download(&out, 0, want.data.len())?;
        let largest = want.data.iter().fold(1e-30f64, |most, x| most.max(x.abs()));
        let error = want.data.iter().zip(&got).map(|(w, g)| (w - g).abs() / largest).fold(0.0, f64::max);
        let shapes: Vec<_> = row.inputs.iter().map(|dims| format!("{dims:?}")).collect();
        println!(
            "{:<56} {:>9.1} µs {:>8.2} TFLOP/s {:>8.0} GB/s  error {error:.1e} {}",
            format!("{} {}", row.name, shapes[0]),
            seconds * 1e6,
            cost.flops as f64 / seconds / 1e12,
            (cost.bytes_read + cost.bytes_written) as f64 / seconds / 1e9,
            if error < 1e-4 { "ok" } else { "WRONG" }
        );
        Ok(())
    }

    fn calls(&self) -> Result<()> {
        let runtime = Runtime::new(lc_ops::REGISTRY, vec![self.device.clone() as Arc<dyn Backend>]);
        let device = Some(DeviceRequest::Is(Adapter::KIND));
        let policy: PackedPolicy = Policy { device, fallback: Some(Fallback::Deny), ..Policy::default() }.pack();
        let quiet = Policy { sync: Some(lc_core::SyncMode::Never), device, ..Policy::default() }.pack();
        let x = &self.noise[..256 * 256];
        let view = |side: usize| TensorRef::new(&x[..side * side], &[side, side]);
        for (name, op) in [("add", &lc_ops::ADD), ("matmul", &lc_ops::MATMUL)] {
            for side in [16, 256] {
                let inputs = [Some(view(side)?), Some(view(side)?)];
                let mut data = vec![0f32; side * side];
                let attrs = if op == &lc_ops::MATMUL { MatmulAttrs::default().into() } else { Attrs::default() };
                let mut times = Vec::new();
                for _ in 0..60 {
                    let start = Instant::now();
                    let mut out = [TensorMut::new(&mut data, &[side, side])?];
                    runtime.call(op, &attrs, &inputs, &mut out, policy)?;
                    times.push(start.elapsed().as_secs_f64() * 1e6);
                }
                times.sort_by(f64::total_cmp);
                let specs = inputs.map(|t| t.map(|t| *t.spec()));
                let mut session = runtime.session(op, &attrs, &specs, quiet)?;
                session.start(&inputs)?;
                session.sync()?;
                const RUNS: usize = 2000;
                let start = Instant::now();
                for _ in 0..RUNS {
                    session.run()?;
                }
                let encoded = start.elapsed().as_secs_f64() * 1e6;
                session.sync()?;
                let whole = start.elapsed().as_secs_f64() * 1e6;
                println!(
                    "{:<56} one-shot {:>7.1} µs; resident run {:>6.2} µs on the host, {:>6.2} µs with the device",
                    format!("{name} {side}x{side} calls"),
                    times[30],
                    encoded / RUNS as f64,
                    whole / RUNS as f64
                );
            }
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let device = WgpuBackend::open(&Options { validation: false, ..Options::from_env() })?;
    let adapter = device.adapter();
    println!("{} ({}), {:?}", adapter.info.name, adapter.info.driver_info, adapter.info.device_type);
    println!("features {:?}", adapter.features);
    println!(
        "workgroup memory {} bytes, immediates {} bytes, subgroups {} to {}",
        adapter.limits.max_compute_workgroup_storage_size,
        adapter.limits.max_immediate_size,
        adapter.info.subgroup_min_size,
        adapter.info.subgroup_max_size
    );
    for p in &adapter.cooperative {
        println!("cooperative {}x{}x{} {:?} to {:?}", p.m_size, p.n_size, p.k_size, p.ab_type, p.cr_type);
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let bench = Bench { device, noise: values(8192 * 8192 + 4_000_037), words };
    bench.products(PRODUCTS)?;
    bench.products(THIN)?;
    for row in rows().iter().filter(|row| bench.wanted(row.name)) {
        if let Err(error) = bench.row(row) {
            println!("{:<56} FAILED: {error}", row.name);
        }
    }
    if bench.wanted("calls") {
        bench.calls()?;
    }
    Ok(())
}
