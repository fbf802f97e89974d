//! What the tests share: a host backend that computes every op by its float64 reference, feeds, and a naive executor.

#![allow(dead_code, unused_imports)]

mod random;

pub use random::{act, add, random_graphs};

use lc_core::attrs::Attrs;
use lc_core::backend::{
    Args, Backend, BackendDescriptor, Buffer, Compute, KernelEntry, Memory, Profile, Synchronize, gather,
};
use lc_core::null::NullBackend;
use lc_core::{DType, DeviceKind, Math, RefTensor, Result, Runtime, TensorMut, TensorRef};
use lc_graph::schema::Target;
use lc_graph::{Graph, TensorId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A host device whose kernels are the ops' float64 references.
pub struct Reference {
    descriptor: BackendDescriptor,
    kernels: &'static [KernelEntry],
    /// An op whose results are off by one.
    wrong: Option<&'static lc_core::OpDef>,
}

impl Reference {
    pub fn new() -> Arc<Reference> {
        Reference::with_fault(None)
    }

    pub fn with_fault(wrong: Option<&'static lc_core::OpDef>) -> Arc<Reference> {
        let kernels = lc_ops::ALL.iter().map(|op| KernelEntry {
            op,
            name: "reference",
            dtypes: &[DType::F32, DType::F64],
            math: Math::IeeeF32,
            accepts: |_, _| true,
            unproven: false,
            code: 0,
        });
        let descriptor = BackendDescriptor {
            kind: DeviceKind::Cpu,
            name: "reference".into(),
            host_memory: true,
            asynchronous: false,
            software: false,
            device_timestamps: false,
        };
        // A few entries a test: tables live as long as the process.
        Arc::new(Reference { descriptor, kernels: kernels.collect::<Vec<_>>().leak(), wrong })
    }
}

#[derive(Clone)]
#[repr(align(64))]
struct Line([u8; 64]);

impl Memory for Reference {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        let mut lines = vec![Line([0; 64]); bytes.div_ceil(64).max(1)].into_boxed_slice();
        let ptr = lines.as_mut_ptr().cast();
        // SAFETY: the lines are 64-byte aligned, at least `bytes` long, and live as long as the box.
        Ok(unsafe { Buffer::with_host(bytes, ptr, Box::new(lines)) })
    }
    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        let bytes = source.spec().bytes();
        let to = target.host().unwrap().wrapping_add(offset);
        assert!(offset + bytes <= target.bytes());
        // SAFETY: checked to lie in the buffer.
        gather(source, unsafe { std::slice::from_raw_parts_mut(to, bytes) })
    }
    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        let bytes = target.spec().bytes();
        assert!(offset + bytes <= source.bytes());
        let from = source.host().unwrap().wrapping_add(offset);
        // SAFETY: checked to lie in the buffer; the target holds as many bytes.
        unsafe { std::ptr::copy_nonoverlapping(from, target.ptr(), bytes) };
        Ok(())
    }
    fn bytes_in_use(&self) -> u64 {
        0
    }
}

fn reference(tensor: &TensorRef<'_>) -> RefTensor {
    let mut data = Vec::new();
    tensor.for_each(|x| data.push(x));
    RefTensor { shape: *tensor.shape(), data }
}

impl Compute for Reference {
    fn launch(&self, kernel: &KernelEntry, attrs: &Attrs, args: Args<'_>) -> Result<()> {
        let Args::Host { inputs, outputs, .. } = args else { panic!("device memory") };
        let inputs: Vec<_> = inputs.iter().map(|t| t.as_ref().map(reference)).collect();
        for (result, out) in (kernel.op.reference)(attrs, &inputs).iter().zip(outputs) {
            assert_eq!(result.shape, out.spec().shape, "{}", kernel.op.name);
            let fault = if self.wrong == Some(kernel.op) { 1.0 } else { 0.0 };
            for (i, x) in result.data.iter().map(|x| x + fault).enumerate() {
                // SAFETY: the result is dense with as many elements as the reference.
                unsafe {
                    match out.spec().dtype {
                        DType::F32 => *out.ptr().cast::<f32>().add(i) = x as f32,
                        DType::F64 => *out.ptr().cast::<f64>().add(i) = x,
                        DType::F16 => *out.ptr().cast::<half::f16>().add(i) = half::f16::from_f64(x),
                    }
                }
            }
        }
        Ok(())
    }
}

impl Synchronize for Reference {
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
}
impl Profile for Reference {}
impl Backend for Reference {
    fn descriptor(&self) -> &BackendDescriptor {
        &self.descriptor
    }
    fn memory(&self) -> &dyn Memory {
        self
    }
    fn compute(&self) -> &dyn Compute {
        self
    }
    fn sync(&self) -> &dyn Synchronize {
        self
    }
    fn profile(&self) -> &dyn Profile {
        self
    }
    fn kernels(&self) -> &'static [KernelEntry] {
        self.kernels
    }
}

/// A runtime with nothing but the reference device.
pub fn host() -> Runtime {
    Runtime::new(lc_ops::REGISTRY, vec![Reference::new()])
}

/// A runtime with a recording GPU of a kind beside the reference device.
pub fn with_gpu(kind: DeviceKind) -> (Runtime, Arc<NullBackend>) {
    let gpu = NullBackend::with_kind(kind, &lc_ops::REGISTRY);
    (Runtime::new(lc_ops::REGISTRY, vec![gpu.clone(), Reference::new()]), gpu)
}

/// Numbers between −1 and 1 from a seed (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn values(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| ((self.next() >> 40) as f32 / (1u64 << 23) as f32) - 1.0).collect()
    }
}

/// Random values for every tensor that no node makes and that has no value.
pub fn feeds(graph: &Graph, seed: u64) -> BTreeMap<TensorId, Vec<f32>> {
    let mut random = Random(seed);
    let producers = graph.producers();
    let fed = (0..graph.tensors.len()).filter(|id| producers[*id].is_none() && graph.tensors[*id].value.is_none());
    fed.map(|id| (id, random.values(graph.tensors[id].spec.shape.numel()))).collect()
}

/// The feeds as tensors.
pub fn views<'a>(graph: &Graph, feeds: &'a BTreeMap<TensorId, Vec<f32>>) -> Vec<(TensorId, TensorRef<'a>)> {
    let view = |(id, data): (&TensorId, &'a Vec<f32>)| {
        (*id, TensorRef::new(data, graph.tensors[*id].spec.shape.dims()).unwrap())
    };
    feeds.iter().map(view).collect()
}

/// Every tensor, node by node, in float64: what a graph means.
pub fn naive(graph: &Graph, feeds: &BTreeMap<TensorId, Vec<f32>>) -> BTreeMap<TensorId, Vec<f64>> {
    let mut values: BTreeMap<TensorId, Vec<f64>> =
        feeds.iter().map(|(id, data)| (*id, data.iter().map(|x| f64::from(*x)).collect())).collect();
    for (id, tensor) in graph.tensors.iter().enumerate() {
        if let Some(constant) = &tensor.value {
            let mut data = Vec::new();
            constant.tensor().for_each(|x| data.push(x));
            values.insert(id, data);
        }
    }
    for node in &graph.nodes {
        let shape = |id: TensorId| graph.tensors[id].spec.shape;
        let input = |id: TensorId| RefTensor { shape: shape(id), data: values[&id].clone() };
        let inputs: Vec<_> = node.inputs.iter().map(|id| id.map(input)).collect();
        let first = inputs[0].as_ref().unwrap();
        let results = match node.schema.target {
            Target::View => {
                let start = node.attrs.size(0);
                vec![first.data[start..start + shape(node.outputs[0]).numel()].to_vec()]
            }
            Target::Transpose => {
                let dims = first.shape.dims();
                let (rows, columns) = (dims[dims.len() - 2], dims[dims.len() - 1]);
                let at = |i: usize| {
                    let (block, rest) = (i / (rows * columns), i % (rows * columns));
                    block * rows * columns + rest % rows * columns + rest / rows
                };
                vec![(0..first.data.len()).map(|i| first.data[at(i)]).collect()]
            }
            Target::VectorAdd => {
                let second = inputs[1].as_ref().unwrap();
                vec![first.data.iter().zip(&second.data).map(|(a, b)| a + b).collect()]
            }
            _ => {
                let op = node.schema.op().unwrap();
                (op.reference)(&node.attrs, &inputs).into_iter().map(|t| t.data).collect()
            }
        };
        for (id, data) in node.outputs.iter().zip(results) {
            values.insert(*id, data);
        }
    }
    values
}

/// Asserts that values are close to a reference.
pub fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let diff = (f64::from(*got) - want).abs();
        assert!(diff <= tolerance * (1.0 + want.abs()), "{what}: element {i} is {got}, not {want}");
    }
}
