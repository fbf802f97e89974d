//! Every kernel of the matrix product by itself, on shapes and orders of operands that its tiles, splits and vectors meet
//! an edge in, against float64. Skipped where there is no adapter.

use half::f16;
use lc_core::backend::{Args, Backend, Buffer, DeviceTensor, KernelEntry};
use lc_core::{Activation, DType, Element, ErrorKind, Math, Shape, Strides, TensorMut, TensorRef, TensorSpec};
use lc_ops::MatmulAttrs;
use lc_wgpu::{Options, WgpuBackend};
use std::sync::Arc;

fn device() -> Option<Arc<WgpuBackend>> {
    let opened = WgpuBackend::open(&Options::from_env());
    match opened {
        Ok(device) => Some(device),
        Err(error) => {
            assert!(std::env::var_os("LC_REQUIRE_GPU").is_none(), "a GPU is required: {error}");
            println!("SKIPPED: {error}");
            None
        }
    }
}

/// Values of mean zero whose sums of k products are of order one.
fn values(count: usize, seed: u32, scale: f64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1 << 24) - 0.5) * scale
    };
    (0..count).map(|_| next() as f32).collect()
}

struct Case {
    batch: usize,
    m: usize,
    n: usize,
    k: usize,
    a_along_k: bool,
    b_along_k: bool,
    extras: bool,
}

struct Operand {
    buffer: Buffer,
    spec: TensorSpec,
    strides: Strides,
}

impl Operand {
    fn view(&self) -> DeviceTensor<'_> {
        DeviceTensor { buffer: &self.buffer, offset: 0, spec: self.spec, strides: self.strides }
    }
}

fn operand(device: &WgpuBackend, dtype: DType, data: &[f32], dims: &[usize], strides: &[isize]) -> Operand {
    let buffer = device.memory().allocate(dtype.size() * data.len()).expect("memory");
    match dtype {
        DType::F16 => {
            let narrow: Vec<f16> = data.iter().map(|x| f16::from_f32(*x)).collect();
            upload(device, &narrow, &buffer);
        }
        _ => upload(device, data, &buffer),
    }
    let spec = TensorSpec::new(dtype, Shape::new(dims).expect("a shape"));
    Operand { buffer, spec, strides: Strides::new(strides).expect("strides") }
}

fn upload<T: Element>(device: &WgpuBackend, data: &[T], buffer: &Buffer) {
    let flat = TensorRef::new(data, &[data.len()]).expect("dense");
    device.memory().upload(&flat, buffer, 0).expect("copied");
}

fn download(device: &WgpuBackend, from: &Operand, what: &str) -> Vec<f64> {
    fn get<T: Element>(device: &WgpuBackend, from: &Operand, what: &str) -> Vec<f64> {
        let mut got = vec![T::default(); from.spec.shape.numel()];
        let count = got.len();
        let mut target = TensorMut::new(&mut got, &[count]).expect("dense");
        device.memory().download(&from.buffer, 0, &mut target).unwrap_or_else(|e| panic!("{what}: {e}"));
        got.into_iter().map(T::to_f64).collect()
    }
    if from.spec.dtype == DType::F16 { get::<f16>(device, from, what) } else { get::<f32>(device, from, what) }
}

fn strides(rows: usize, columns: usize, along_columns: bool) -> [isize; 3] {
    let [down, across] = if along_columns { [columns, 1] } else { [1, rows] };
    [(rows * columns) as isize, down as isize, across as isize]
}

fn check(device: &WgpuBackend, kernel: &KernelEntry, case: &Case) {
    let Case { batch, m, n, k, a_along_k, b_along_k, extras } = *case;
    let dtype = kernel.dtypes[0];
    // Operands that float16 holds exactly, where the kernel rounds to it: what is left is the error of the sums.
    let rounds = dtype == DType::F16 || kernel.math == Math::F16;
    let values = |count, seed, scale| {
        let mut values = values(count, seed, scale);
        if rounds {
            values.iter_mut().for_each(|x| *x = f16::from_f32(*x).to_f32());
        }
        values
    };
    let tolerance = if dtype == DType::F16 { 4e-3 } else { 2e-5 };
    let scale = 3.0 / (k as f64).sqrt();
    let (a, b) = (values(batch * m * k, 1, 2.0), values(batch * k * n, 2, scale));
    let (bias, residual) = (values(n, 3, 2.0), values(batch * m * n, 4, 2.0));
    let (sa, sb) = (strides(m, k, a_along_k), strides(k, n, !b_along_k));
    let inputs = [
        Some(operand(device, dtype, &a, &[batch, m, k], &sa)),
        Some(operand(device, dtype, &b, &[batch, k, n], &sb)),
        extras.then(|| operand(device, dtype, &bias, &[n], &[1])),
        extras.then(|| operand(device, dtype, &residual, &[batch, m, n], &strides(m, n, true))),
    ];
    let out = operand(device, dtype, &vec![f32::NAN; batch * m * n], &[batch, m, n], &strides(m, n, true));
    let activation = if extras { Activation::Silu } else { Activation::Identity };
    let views: Vec<_> = inputs.iter().map(|t| t.as_ref().map(Operand::view)).collect();
    let args = Args::Device { inputs: &views, outputs: &[out.view()] };
    let what = format!("{} {dtype} {batch}x{m}x{n}x{k} {a_along_k} {b_along_k} {extras}", kernel.name);
    match device.compute().launch(kernel, &MatmulAttrs { activation }.into(), args) {
        // Matrix units of another size.
        Err(error) if error.kind() == ErrorKind::NotSupported => return println!("SKIPPED: {what}: {error}"),
        launched => launched.unwrap_or_else(|e| panic!("{what}: {e}")),
    }
    let got = download(device, &out, &what);
    let at = |data: &[f32], s: &[isize; 3], i: usize, j: usize, l: usize| {
        f64::from(data[i * s[0] as usize + j * s[1] as usize + l * s[2] as usize])
    };
    for z in 0..batch {
        for i in 0..m {
            for j in 0..n {
                let mut want: f64 = (0..k).map(|l| at(&a, &sa, z, i, l) * at(&b, &sb, z, l, j)).sum();
                let index = (z * m + i) * n + j;
                if extras {
                    want += f64::from(bias[j]) + f64::from(residual[index]);
                    want /= 1.0 + (-want).exp();
                }
                let error = (got[index] - want).abs();
                assert!(error < tolerance, "{what}: at {z}, {i}, {j} {} is not {want}", got[index]);
            }
        }
    }
}

/// Products of this backend. Those of Apple's library may be wrong, and are then rejected by the tuner.
fn own(kernel: &KernelEntry) -> bool {
    kernel.op == &lc_ops::MATMUL && !kernel.name.contains(".mps")
}

fn every_shape(kernel: usize, few: bool) {
    let Some(device) = device() else { return };
    let kernels: Vec<_> = device.kernels().iter().filter(|k| own(k)).collect();
    let Some(kernel) = kernels.get(kernel) else { return };
    let case = |batch, [m, n, k]: [usize; 3], a_along_k, b_along_k, extras| Case {
        batch,
        m,
        n,
        k,
        a_along_k,
        b_along_k,
        extras,
    };
    // Multiples of four with every edge, and nothing that is a multiple of anything. Few of each: a software device takes
    // seconds to compile one.
    check(&device, kernel, &case(2, [132, 68, 36], true, false, false));
    if !few {
        check(&device, kernel, &case(2, [35, 67, 29], true, false, false));
        check(&device, kernel, &case(1, [36, 132, 516], false, true, true));
    }
    check(&device, kernel, &case(1, [37, 33, 1030], false, true, true));
}

#[test]
fn the_chosen_kernel() {
    every_shape(0, false);
}

/// A few rows or columns, each operand dense either way, aligned or not, deep enough to be split or not.
#[test]
fn thin_products() {
    let Some(device) = device() else { return };
    for kernel in device.kernels().iter().filter(|k| k.op == &lc_ops::MATMUL && k.name.ends_with(".matmul")) {
        for (m, n, k) in [(1, 260, 516), (4, 36, 1028), (261, 2, 70), (3, 37, 1031), (40, 1, 2052)] {
            for (b_along_k, extras) in [(true, false), (false, true)] {
                let case = Case { batch: 2, m, n, k, a_along_k: true, b_along_k, extras };
                check(&device, kernel, &case);
            }
        }
    }
}

/// Tiles that are moved inwards at the last rows and columns, a first tile that is the part of one, and splits, with each
/// operand dense either way.
#[test]
fn whole_tiles_on_matrix_units() {
    let Some(device) = device() else { return };
    let kernels: Vec<_> = device.kernels().iter().filter(|k| k.name.ends_with("matrix16.whole")).collect();
    if kernels.is_empty() {
        println!("SKIPPED: no matrix units");
    }
    for kernel in kernels {
        for (a_along_k, b_along_k) in [(true, false), (true, true), (false, false), (false, true)] {
            for (m, n, k) in [(296, 152, 104), (264, 136, 2088), (260, 132, 36), (256, 128, 64)] {
                check(&device, kernel, &Case { batch: 2, m, n, k, a_along_k, b_along_k, extras: m == 264 });
            }
        }
        let odd = Case { batch: 1, m: 264, n: 136, k: 37, a_along_k: false, b_along_k: false, extras: true };
        check(&device, kernel, &odd);
    }
}

#[test]
fn each_other_kernel() {
    let Some(device) = device() else { return };
    let count = device.kernels().iter().filter(|k| own(k)).count();
    assert!(count > 1, "a table of kernels to choose from");
    for kernel in 1..count {
        every_shape(kernel, true);
    }
}
