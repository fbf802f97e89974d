//! Parity of a backend with the references: the inputs of a test case in every layout, and the comparison of a result.
//!
//! A backend's test goes over [`crate::ALL`], the cases of each op and [`Layout::ALL`], runs its kernel on
//! [`Inputs::refs`], and hands every result to [`compare`] with that of [`Inputs::reference`].

mod compare;
mod layout;

pub use compare::{Report, compare};
pub use layout::Layout;

use crate::util::product;
use lc_core::{Attrs, Case, DType, Element, OpDef, RefTensor, TensorRef, TensorSpec};

/// The inputs of a case, with the memory that they live in.
#[derive(Clone, Debug)]
pub struct Inputs {
    tensors: Vec<Option<Tensor>>,
}

#[derive(Clone, Debug)]
struct Tensor {
    spec: TensorSpec,
    memory: Memory,
    offset: usize,
    strides: Vec<isize>,
}

#[derive(Clone, Debug)]
enum Memory {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<half::f16>),
}

impl Inputs {
    /// Values for every input of a case, the same for the same arguments.
    ///
    /// They are signed and scaled so that results are of order one: see [`compare`], which relies on it. Memory that
    /// belongs to no element of a view is NaN, so that a kernel that reads it fails.
    ///
    /// # Panics
    /// A case whose shapes no memory holds.
    pub fn generate<T: Element>(op: &OpDef, case: &Case, layout: Layout, seed: u64) -> Inputs {
        let tensors = case.inputs.iter().enumerate().map(|(index, shape)| {
            let shape = (*shape)?;
            let placed = layout.place(shape.dims(), normalised(op, index));
            let mut random = Random::new(seed, index as u64);
            let mut values = vec![f64::NAN; placed.len];
            let view = lc_core::Strides::new(&placed.strides).expect("as many strides as dimensions");
            lc_core::tensor::walk(&shape, &view, |at| {
                values[placed.offset.wrapping_add_signed(at)] = value(op, case, index, &mut random);
            });
            let memory = match T::DTYPE {
                DType::F32 => Memory::F32(values.iter().map(|x| *x as f32).collect()),
                DType::F64 => Memory::F64(values),
                DType::F16 => Memory::F16(values.iter().map(|x| half::f16::from_f64(*x)).collect()),
            };
            let spec = TensorSpec::new(T::DTYPE, shape);
            Some(Tensor { spec, memory, offset: placed.offset, strides: placed.strides })
        });
        Inputs { tensors: tensors.collect() }
    }

    /// Views of the inputs, as a call takes them.
    ///
    /// # Panics
    /// Never: every view lies in its memory.
    pub fn refs(&self) -> Vec<Option<TensorRef<'_>>> {
        self.tensors.iter().map(|tensor| tensor.as_ref().map(Tensor::view)).collect()
    }

    /// Dtypes and extents of the inputs, as [`OpDef::check`] takes them.
    pub fn specs(&self) -> Vec<Option<TensorSpec>> {
        self.tensors.iter().map(|tensor| tensor.as_ref().map(|t| t.spec)).collect()
    }

    /// The inputs dense and widened to float64: the very values that a kernel sees.
    pub fn widened(&self) -> Vec<Option<RefTensor>> {
        let widen = |tensor: &Tensor| {
            let mut data = Vec::with_capacity(tensor.spec.shape.numel());
            tensor.view().for_each(|x| data.push(x));
            RefTensor { shape: tensor.spec.shape, data }
        };
        self.tensors.iter().map(|tensor| tensor.as_ref().map(widen)).collect()
    }

    /// The results of the op's reference on [`Inputs::widened`].
    pub fn reference(&self, op: &OpDef, attrs: &Attrs) -> Vec<RefTensor> {
        (op.reference)(attrs, &self.widened())
    }
}

impl Tensor {
    fn view(&self) -> TensorRef<'_> {
        let dims = self.spec.shape.dims();
        match &self.memory {
            Memory::F32(data) => TensorRef::strided(data, self.offset, dims, &self.strides),
            Memory::F64(data) => TensorRef::strided(data, self.offset, dims, &self.strides),
            Memory::F16(data) => TensorRef::strided(data, self.offset, dims, &self.strides),
        }
        .expect("a layout places every element in its memory")
    }
}

/// Whether the op divides the input by its own spread: see [`Layout::ZeroStride`].
fn normalised(op: &OpDef, index: usize) -> bool {
    index == 0 && matches!(op.name, "layer_norm" | "layer_norm_projection")
}

/// How many products one element of the input at `index` takes part in a sum with, where it is a weight.
fn reduced(op: &OpDef, case: &Case, index: usize) -> Option<u64> {
    let dims = case.inputs[index]?;
    let dims = dims.dims();
    match (op.name, index) {
        ("matmul", 1) => Some(dims[dims.len() - 2] as u64),
        ("linear" | "layer_norm_projection", 1) | ("ffn", 1 | 2) => Some(dims[1] as u64),
        ("conv2d" | "conv_attention", 1) => Some(product(&dims[1..])),
        _ => None,
    }
}

/// One value of an input.
fn value(op: &OpDef, case: &Case, index: usize, random: &mut Random) -> f64 {
    let x = random.signed();
    if let Some(terms) = reduced(op, case, index) {
        // The variance of a uniform value is 1/3, so that a sum of products with others has that variance too.
        return x * (3.0 / terms as f64).sqrt();
    }
    match (op.name, index) {
        // Away from zero: a quotient should not be an outlier.
        ("div", 1) => x + 0.5f64.copysign(x),
        ("elementwise_chain", index) if crate::elementwise_chain::divisors(&case.attrs).any(|d| d == index) => {
            x + 0.5f64.copysign(x)
        }
        // Scores of variance one: flat ones would hide an error in the softmax.
        ("attention" | "attention_train", 0) => 3.0 * x,
        // Some keys hidden. Rows that see one key or none occur in small cases.
        ("attention", 3) => {
            if random.signed() < -0.5 {
                f64::NEG_INFINITY
            } else {
                x
            }
        }
        ("softmax", 0) => 4.0 * x,
        ("activation", 0) => 6.0 * x,
        // A mean that is not zero.
        ("layer_norm" | "layer_norm_projection", 0) => x + 0.5,
        _ => x,
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough for test data.
struct Random(u64);

impl Random {
    fn new(seed: u64, stream: u64) -> Random {
        let mut random = Random(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [−1, 1).
    fn signed(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests;
