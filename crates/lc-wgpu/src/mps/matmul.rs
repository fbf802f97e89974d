//! matmul: the calls that are one batch of products of dense matrices, and what surrounds it.

use crate::launch::{Bound, Inputs, Launch, Outputs};
use crate::ops::dense::{copy, required};
use crate::pool::GpuBuffer;
use crate::stream::Binding;
use lc_core::registry::InputSpecs;
use lc_core::{Attrs, DType, Error, Result, TensorSpec};
use lc_ops::MatmulAttrs;

/// Products of dense row-major matrices that follow each other in memory: `[batch, m, k]` by `[batch, k, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Products {
    /// Type of every matrix.
    pub dtype: DType,
    /// How many.
    pub batch: usize,
    /// Rows of A and the result.
    pub m: usize,
    /// Columns of B and the result.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
}

/// What multiplies.
pub trait Engine {
    /// Memory that it can name.
    type Memory;
    /// Memory of at least so many bytes; what it holds is undefined.
    ///
    /// # Errors
    /// Out of memory; more than the device takes in one buffer.
    fn take(&self, launch: &Launch<'_>, bytes: usize) -> Result<Self::Memory>;
    /// The same memory as dispatches see it.
    fn buffer(memory: &Self::Memory) -> &GpuBuffer;
    /// Takes memory back, which what was encoded may still use.
    fn give(&self, launch: &Launch<'_>, memory: Self::Memory);
    /// Encodes the products of what the first two hold into the third.
    ///
    /// # Errors
    /// The device lacks it; a failure of the device.
    fn multiply(&self, launch: &mut Launch<'_>, products: &Products, operands: [&Self::Memory; 3]) -> Result<()>;
}

/// Whether a call is one batch of products.
pub fn accepts(_: &Attrs, inputs: InputSpecs) -> bool {
    products(inputs).is_some()
}

/// The call as one batch: products with one B are one product of more rows. `None` with bias or residual, which the
/// portable kernels fuse, for batches that broadcast otherwise, and for extents that 32 bits do not hold.
fn products(inputs: InputSpecs) -> Option<Products> {
    let [Some(a), Some(b), rest @ ..] = inputs else { return None };
    let ([outer_a @ .., m, k], [outer_b @ .., _, n]) = (a.shape.dims(), b.shape.dims()) else { return None };
    let count = outer_a.iter().product::<usize>();
    let (batch, m) = match () {
        () if outer_b.iter().all(|extent| *extent == 1) => (1, count * m),
        () if outer_a == outer_b => (count, *m),
        () => return None,
    };
    let counted = |spec: &TensorSpec| (1..=i32::MAX as usize).contains(&spec.shape.numel());
    let result = batch.checked_mul(m)?.checked_mul(*n)?;
    let fits = counted(a) && counted(b) && result <= i32::MAX as usize && rest.iter().all(Option::is_none);
    fits.then_some(Products { dtype: a.dtype, batch, m, n: *n, k: *k })
}

/// Encodes the call.
///
/// # Errors
/// As [`Engine::take`], [`Engine::multiply`] and [`Launch::bind`].
pub fn launch<E: Engine>(
    engine: &E,
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
) -> Result<()> {
    let (a, b, out) = (required(inputs, 0)?, required(inputs, 1)?, &outputs[0]);
    let specs: Vec<_> = inputs.iter().map(|input| input.map(|tensor| tensor.spec)).collect();
    let products =
        products(&specs).ok_or_else(|| Error::unsupported("gpu", "one batch of plain products", "another call"))?;
    let take = |launch: &Launch<'_>, spec: &TensorSpec| engine.take(launch, spec.bytes());
    let memory = [take(launch, &a.spec)?, take(launch, &b.spec)?, take(launch, &out.spec)?];
    for (tensor, to) in [a, b].into_iter().zip(&memory) {
        let from = launch.bind(tensor)?;
        copy(launch, tensor, from, whole(E::buffer(to)), tensor.spec.shape.numel(), 0)?;
    }
    engine.multiply(launch, &products, [&memory[0], &memory[1], &memory[2]])?;
    // The result is dense, as it is in the scratch memory: its strides serve both.
    let to = launch.bind(out)?;
    let activation = MatmulAttrs::from_attrs(attrs).activation as usize;
    copy(launch, out, whole(E::buffer(&memory[2])), to, out.spec.shape.numel(), activation)?;
    memory.into_iter().for_each(|memory| engine.give(launch, memory));
    Ok(())
}

/// A buffer from its start.
fn whole(buffer: &GpuBuffer) -> Bound<'_> {
    Bound { binding: Binding { buffer, offset: 0, size: buffer.size }, first: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lc_core::Shape;

    fn of(a: &[usize], b: &[usize], bias: Option<&[usize]>) -> Option<[usize; 4]> {
        let spec = |dims: &[usize]| TensorSpec::new(DType::F32, Shape::new(dims).expect("few dimensions"));
        products(&[Some(spec(a)), Some(spec(b)), bias.map(spec)]).map(|p| [p.batch, p.m, p.n, p.k])
    }

    #[test]
    fn calls_become_one_batch_or_are_left_alone() {
        assert_eq!(of(&[3, 4], &[4, 5], None), Some([1, 3, 5, 4]));
        assert_eq!(of(&[2, 3, 4], &[4, 5], None), Some([1, 6, 5, 4]), "one B");
        assert_eq!(of(&[3, 4], &[1, 1, 4, 5], None), Some([1, 3, 5, 4]));
        assert_eq!(of(&[2, 7, 3, 4], &[2, 7, 4, 5], None), Some([14, 3, 5, 4]));
        assert_eq!(of(&[2, 1, 3, 4], &[7, 4, 5], None), None, "a batch that broadcasts");
        assert_eq!(of(&[3, 4], &[7, 4, 5], None), None, "one A");
        assert_eq!(of(&[3, 4], &[4, 5], Some(&[5])), None, "a bias");
        assert_eq!(of(&[3, 0], &[0, 5], None), None, "nothing to sum");
        assert_eq!(of(&[0, 4], &[4, 5], None), None);
        assert_eq!(of(&[1 << 20, 1], &[1, 1 << 20], None), None, "a result that 32 bits do not count");
    }
}
