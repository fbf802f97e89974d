//! Everything but the product itself, on any adapter: a plain kernel stands in for Metal's, in a command buffer of its own
//! as that is.

use super::matmul::{Engine, Products, accepts, launch};
use crate::launch::{Inputs, Kernel, Launch, Outputs};
use crate::pool::{GpuBuffer, Pooled};
use crate::{Adapter, Options, WgpuBackend};
use lc_core::backend::{Args, Backend, Compute, DeviceTensor, KernelEntry, Memory, Synchronize};
use lc_core::tune::{DeviceId, search};
use lc_core::{Activation, Attrs, DType, Error, ErrorKind, Math, Result, Shape, TensorMut, TensorRef, TensorSpec};
use lc_ops::MatmulAttrs;
use std::sync::Arc;
use std::time::Duration;
use wgpu::Features;

const fn kernel(name: &'static str, dtypes: &'static [DType], math: Math, needs: Features) -> Kernel {
    let launch = |l: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>| {
        launch(&Model, l, attrs, inputs, outputs)
    };
    Kernel { op: &lc_ops::MATMUL, name, dtypes, math, needs, accepts, launch }
}

pub static MATMUL: Kernel = kernel("gemm.model", &[DType::F32], Math::IeeeF32, Features::empty());
pub static MATMUL_F16: Kernel = kernel("gemm.model.f16", &[DType::F16], Math::F16, Features::SHADER_F16);

const SOURCE: &str = "
@group(0) @binding(0) var<storage, read_write> a: array<Element>;
@group(0) @binding(1) var<storage, read_write> b: array<Element>;
@group(0) @binding(2) var<storage, read_write> c: array<Element>;
override M: u32;
override N: u32;
override K: u32;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) at: vec3<u32>) {
    var sum = 0.0f;
    for (var l = 0u; l < K; l++) {
        sum += f32(a[(at.z * M + at.y) * K + l]) * f32(b[(at.z * K + l) * N + at.x]);
    }
    c[(at.z * M + at.y) * N + at.x] = Element(sum);
}";

/// One thread an element, compiled at each launch.
struct Model;

impl Engine for Model {
    type Memory = Pooled;

    fn take(&self, launch: &Launch<'_>, bytes: usize) -> Result<Pooled> {
        launch.scratch(bytes)
    }

    fn buffer(memory: &Pooled) -> &GpuBuffer {
        memory.get()
    }

    fn give(&self, _: &Launch<'_>, _: Pooled) {}

    fn multiply(&self, launch: &mut Launch<'_>, products: &Products, operands: [&Pooled; 3]) -> Result<()> {
        let Products { dtype, batch, m, n, k } = *products;
        let device = launch.backend().adapter().device.clone();
        let element = if dtype == DType::F16 { "enable f16; alias Element = f16;" } else { "alias Element = f32;" };
        launch.stream().apart(1, |encoder| {
            let source = wgpu::ShaderSource::Wgsl(format!("{element}{SOURCE}").into());
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: None, source });
            let constants = [("M", m as f64), ("N", n as f64), ("K", k as f64)];
            let compilation_options = wgpu::PipelineCompilationOptions {
                constants: &constants,
                ..wgpu::PipelineCompilationOptions::default()
            };
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: None,
                layout: None,
                module: &module,
                entry_point: None,
                compilation_options,
                cache: None,
            });
            let entries: Vec<_> = (0u32..)
                .zip(operands)
                .map(|(binding, memory)| wgpu::BindGroupEntry {
                    binding,
                    resource: memory.get().raw.as_entire_binding(),
                })
                .collect();
            let layout = &pipeline.get_bind_group_layout(0);
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &group, &[]);
            pass.dispatch_workgroups(n as u32, m as u32, batch as u32);
            Ok(())
        })
    }
}

/// The device, or a skip by name; with `LC_REQUIRE_GPU` set that is a failure.
fn device() -> Option<Arc<WgpuBackend>> {
    let options = Options { cache_dir: None, ..Options::from_env() };
    WgpuBackend::open(&options)
        .inspect_err(|error| {
            let required = std::env::var("LC_REQUIRE_GPU").is_ok_and(|value| !value.is_empty() && value != "0");
            assert!(!required, "a GPU is required: {error}");
            println!("SKIPPED: {error}");
        })
        .ok()
}

fn spec(dtype: DType, dims: &[usize]) -> Option<TensorSpec> {
    Some(TensorSpec::new(dtype, Shape::new(dims).expect("few dimensions")))
}

/// What happens on the user's machine: dense, transposed and gapped operands, small and at full size, with the portable
/// kernels beside.
#[test]
fn the_tuner_finds_the_products_right() {
    let Some(device) = device() else { return };
    let on = DeviceId::of(&*device);
    let calls: [(&[usize], &[usize], Activation); 5] = [
        (&[33, 20], &[20, 17], Activation::Identity),
        (&[7, 5], &[5, 9], Activation::GeluTanh),
        (&[3, 6, 11], &[11, 4], Activation::Identity),
        (&[2, 3, 6, 11], &[2, 3, 11, 5], Activation::Relu),
        // Compared at full size with the portable kernel too.
        (&[96, 130], &[130, 70], Activation::Identity),
    ];
    let types: &[(DType, Math, &str)] =
        &[(DType::F32, Math::IeeeF32, MATMUL.name), (DType::F16, Math::F16, MATMUL_F16.name)];
    for (dtype, math, name) in types {
        if *dtype == DType::F16 && !device.adapter().features.contains(Features::SHADER_F16) {
            continue;
        }
        for (a, b, activation) in calls {
            let inputs = [spec(*dtype, a), spec(*dtype, b)];
            let name = format!("{}.{name}", Adapter::KIND.name());
            // One portable kernel is enough: a software driver takes seconds to compile all.
            let others = |kernel: &str| kernel != name && !kernel.contains(".matmul");
            let entry = search::tune(&search::Request {
                backend: &*device,
                on: on.clone(),
                op: &lc_ops::MATMUL,
                attrs: &MatmulAttrs { activation }.into(),
                inputs: &inputs,
                dtype: *dtype,
                math: *math,
                budget: Duration::from_millis(4),
                rejected: &others,
            })
            .expect("measured");
            let found =
                entry.candidates.iter().find(|c| c.kernel == name).unwrap_or_else(|| panic!("{name}: {entry:?}"));
            assert!(!found.rejected && found.max_error.is_some(), "{a:?} {b:?}: {found:?}");
            assert!(!found.why.starts_with("failed"), "{a:?} {b:?}: {found:?}");
        }
    }
}

/// Twice the product of ones, fed from and read by other kernels, with no wait between: every step sees the one before.
#[test]
fn it_keeps_its_place_among_other_work() {
    let Some(device) = device() else { return };
    const N: usize = 40;
    let dims = [N, N];
    let shape = Shape::of(dims);
    let of = |op: &str, name: &str| {
        device.kernels().iter().find(|k| k.op.name == op && k.name.ends_with(name)).expect("a kernel")
    };
    let (add, product) = (of("add", "elementwise"), of("matmul", MATMUL.name));
    let buffer = || device.allocate(N * N * 4).expect("memory");
    let (ones, twos, result) = (buffer(), buffer(), buffer());
    device.upload(&TensorRef::new(&[1.0f32; N * N], &dims).expect("a view"), &ones, 0).expect("uploaded");
    let tensor = |buffer| DeviceTensor {
        buffer,
        offset: 0,
        spec: TensorSpec::new(DType::F32, shape),
        strides: shape.contiguous_strides(),
    };
    let launch = |kernel: &KernelEntry, a, b, out| {
        let (inputs, outputs) = ([Some(tensor(a)), Some(tensor(b))], [tensor(out)]);
        let multiplies = kernel.op == &lc_ops::MATMUL;
        let attrs = if multiplies { MatmulAttrs::default().into() } else { Attrs::NONE };
        device.launch(kernel, &attrs, Args::Device { inputs: &inputs, outputs: &outputs }).expect("launched");
    };
    let before = device.stream().counts().0;
    for _ in 0..3 {
        launch(add, &ones, &ones, &twos);
        launch(product, &ones, &twos, &result);
        // What was multiplied is overwritten, and the product goes on.
        launch(add, &result, &result, &twos);
        launch(product, &ones, &twos, &result);
    }
    device.synchronize().expect("done");
    assert!(device.stream().counts().0 > before && device.stream().idle());
    let mut got = vec![0.0f32; N * N];
    device.download(&result, 0, &mut TensorMut::new(&mut got, &dims).expect("a view")).expect("downloaded");
    let want = (4 * N * N) as f32;
    assert!(got.iter().all(|x| *x == want), "{} is not {want}", got[0]);
}

#[test]
fn what_is_not_encoded_leaves_the_stream_as_it_was() {
    let Some(device) = device() else { return };
    let failed = device.stream().apart(1, |_| Err(Error::new(ErrorKind::DriverError, "mps").got("a test")));
    assert_eq!(failed.expect_err("its error").kind(), ErrorKind::DriverError);
    assert!(device.stream().idle());
    // One alone is submitted, and waited for.
    device.stream().apart(1, |_| Ok(())).expect("an empty one");
    assert!(!device.stream().idle());
    device.synchronize().expect("done");
    assert!(device.stream().idle());
    // And many do not pile up.
    for _ in 0..200 {
        device.stream().apart(1, |_| Ok(())).expect("an empty one");
    }
    assert!(device.stream().counts().0 > 2);
    device.synchronize().expect("done");
}
