//! What the benches of one op share: operands, and the kernel that an untuned call gets, launched without a plan.

use criterion::{BenchmarkId, Criterion, Throughput};
use lc_core::backend::{Args, Backend};
use lc_core::{Attrs, OpDef, Shape, TensorMut, TensorRef, TensorSpec};
use lc_cpu::{CpuBackend, Isa, pool};
use std::time::Duration;

/// What a row's rate counts.
#[derive(Clone, Copy)]
#[allow(dead_code)] // each bench uses one of them
pub enum Rate {
    /// Bytes read and written, each once.
    Bytes,
    /// Floating-point operations, a multiply-add as two; Criterion prints them as elements.
    Flops,
}

/// One row: a name, attributes, and the extents of the inputs.
pub struct Row {
    pub name: String,
    pub attrs: Attrs,
    pub inputs: Vec<Option<Vec<usize>>>,
}

impl Row {
    /// A row whose inputs are all there.
    pub fn of(name: impl Into<String>, attrs: impl Into<Attrs>, inputs: &[&[usize]]) -> Row {
        let inputs = inputs.iter().map(|dims| Some(dims.to_vec())).collect();
        Row { name: name.into(), attrs: attrs.into(), inputs }
    }
}

/// Numbers in [-1, 1) that repeat after 1009, so that no kernel meets constants.
fn values(len: usize, seed: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.5 - 1.0).collect()
}

/// Times each row in float32 on one thread and on all, one call after another on the same operands.
pub fn bench(c: &mut Criterion, op: &'static OpDef, rate: Rate, rows: &[Row]) {
    let backend = CpuBackend::new(Isa::active());
    let kernel = backend.kernels().iter().find(|kernel| kernel.op == op).expect("every op has a kernel");
    let all = pool::threads();
    let mut group = c.benchmark_group(op.name);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_millis(800)).sample_size(20);
    for row in rows {
        let data: Vec<_> = row
            .inputs
            .iter()
            .enumerate()
            .map(|(i, dims)| dims.as_ref().map(|dims| values(dims.iter().product(), i)))
            .collect();
        let inputs: Vec<_> = data
            .iter()
            .zip(&row.inputs)
            .map(|(data, dims)| Some(TensorRef::new(data.as_ref()?, dims.as_ref()?).expect("as many as the shape")))
            .collect();
        let specs: Vec<_> = inputs.iter().map(|input| input.as_ref().map(|input| *input.spec())).collect();
        let outputs = op.check(&row.attrs, &specs).expect("a call that the op's rule accepts");
        let cost = (op.cost)(&row.attrs, &specs, &outputs);
        group.throughput(match rate {
            Rate::Bytes => Throughput::Bytes(cost.bytes_read + cost.bytes_written),
            Rate::Flops => Throughput::Elements(cost.flops),
        });
        let mut results: Vec<_> = outputs.iter().map(|spec| vec![0f32; spec.shape.numel()]).collect();
        let targets: Vec<_> = results.iter_mut().zip(outputs.iter()).map(|(data, spec)| target(data, spec)).collect();
        for threads in if all > 1 { vec![1, all] } else { vec![1] } {
            pool::set_threads(threads);
            group.bench_function(BenchmarkId::new(&row.name, threads), |bench| {
                bench.iter(|| {
                    let args = Args::Host { inputs: &inputs, prepared: &[], outputs: &targets };
                    backend.compute().launch(kernel, &row.attrs, args).expect("runs")
                })
            });
        }
        pool::set_threads(all);
    }
    group.finish();
}

fn target<'a>(data: &'a mut [f32], spec: &TensorSpec) -> TensorMut<'a> {
    let shape: &Shape = &spec.shape;
    TensorMut::new(data, shape.dims()).expect("as many as the shape")
}
