//! Matrix products: what `matmul`, `linear`, `ffn` and `layer_norm_projection` are made of.
//!
//! A [`Product`] says what is to be computed; [`encode`] chooses kernels for it and encodes them. `product/plan.rs` has the
//! choice, `product/shaders.rs` the kernels.

mod plan;
mod proof;
mod shaders;

pub use plan::Variant;
pub use proof::{Proofs, reported};
pub use shaders::SHADERS;
/// What kernels on matrix units need.
pub const MATRIX: wgpu::Features = shaders::MATRIX;

use crate::launch::{Bound, Launch, folded, whole};
use crate::pool::Pooled;
use crate::shader::Shader;
use crate::stream::Binding;
use lc_core::backend::DeviceTensor;
use lc_core::{Activation, DType, Result};
use plan::Plan;
use proof::matrix_units;

/// An operand: where it is bound, and its strides in elements along its two dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// Memory and first element.
    pub bound: Bound<'a>,
    /// Elements from one row to the next.
    pub down: usize,
    /// Elements from one column to the next.
    pub across: usize,
}

impl<'a> Matrix<'a> {
    /// The last two dimensions of a bound tensor; one dimension is one row.
    pub fn of(bound: Bound<'a>, tensor: &DeviceTensor<'_>) -> Matrix<'a> {
        let steps = tensor.strides.steps();
        let rank = tensor.spec.shape.rank();
        let step = |from_last: usize| rank.checked_sub(from_last).map_or(0, |d| steps[d].unsigned_abs());
        Matrix { bound, down: step(2), across: step(1) }
    }

    /// Rows and columns swapped.
    pub fn transposed(self) -> Matrix<'a> {
        Matrix { down: self.across, across: self.down, ..self }
    }
}

/// A dimension of a batch: its extent, and what it adds to the offsets of A, B and the residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many products.
    pub extent: usize,
    /// Strides in elements; 0 where the operand is the same for all.
    pub strides: [usize; 3],
}

/// `act(A·B + bias + residual)` for each product of a batch.
#[derive(Clone, Debug)]
pub struct Product<'a> {
    /// Type of every operand.
    pub dtype: DType,
    /// Rows of A and the result.
    pub m: usize,
    /// Columns of B and the result.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// `[m, k]`.
    pub a: Matrix<'a>,
    /// `[k, n]`.
    pub b: Matrix<'a>,
    /// `[.., m, n]`, dense.
    pub out: Bound<'a>,
    /// `[n]`, and its stride.
    pub bias: Option<(Bound<'a>, usize)>,
    /// `[m, n]`.
    pub residual: Option<Matrix<'a>>,
    /// Applied last.
    pub activation: Activation,
    /// Outermost dimension first; empty for one product.
    pub batch: Vec<Batch>,
    /// Whether rows and columns were swapped: the result is written column by column.
    pub turned: bool,
}

impl Product<'_> {
    /// Makes the batch as small as its strides allow: dimensions of one go, neighbours that one stride walks become one,
    /// and where B is the same for all, products become rows of one.
    fn fold(&mut self) {
        let mut folded: Vec<Batch> = Vec::with_capacity(self.batch.len());
        for next in self.batch.iter().filter(|b| b.extent != 1) {
            match folded.last_mut() {
                Some(last) if (0..3).all(|i| last.strides[i] == next.strides[i] * next.extent) => {
                    *last = Batch { extent: last.extent * next.extent, strides: next.strides };
                }
                _ => folded.push(*next),
            }
        }
        while let Some(Batch { extent, strides: [a, 0, r] }) = folded.last().copied() {
            let residual = self.residual.map_or(0, |t| t.down);
            let walks = self.m == 1 || (a == self.m * self.a.down && r == self.m * residual);
            if !walks {
                break;
            }
            if self.m == 1 {
                self.a.down = a;
                if let Some(residual) = &mut self.residual {
                    residual.down = r;
                }
            }
            self.m *= extent;
            folded.pop();
        }
        self.batch = folded;
    }

    /// Strides of dimensions of one element say nothing: zero, so that they are multiples of anything.
    fn settle(&mut self) {
        let Product { m, n, k, a, b, residual, .. } = self;
        let zero = |extent: usize, stride: &mut usize| {
            if extent == 1 {
                *stride = 0;
            }
        };
        zero(*m, &mut a.down);
        zero(*k, &mut a.across);
        zero(*k, &mut b.down);
        zero(*n, &mut b.across);
        if let Some(residual) = residual {
            zero(*m, &mut residual.down);
            zero(*n, &mut residual.across);
        }
    }

    /// The transposed product, `Bᵀ·Aᵀ`, into the same memory.
    fn turn(&mut self) {
        let Product { m, n, a, b, residual, batch, .. } = self;
        std::mem::swap(m, n);
        (*a, *b) = (b.transposed(), a.transposed());
        *residual = residual.map(Matrix::transposed);
        batch.iter_mut().for_each(|batch| batch.strides.swap(0, 1));
        self.turned = !self.turned;
    }

    /// How many products.
    fn count(&self) -> usize {
        self.batch.iter().map(|b| b.extent).product()
    }

    fn epilogue(&self) -> bool {
        self.bias.is_some() || self.residual.is_some() || self.activation != Activation::Identity
    }
}

/// Words of parameters of every kernel of this family: `Params` in `kernels/product.wgsl`.
const PARAMS: usize = 29;

/// Which kernels may compute a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Those that round nothing but sums.
    Portable,
    /// Also those on matrix units, where they have proven themselves: operands are rounded to float16.
    MatrixUnits,
    /// This one, where it can.
    Only(Variant),
}

/// Encodes a product, with the kernels that suit its extents among those that may.
///
/// # Errors
/// Out of memory; a failure of the device.
pub fn encode(launch: &mut Launch<'_>, mut product: Product<'_>, kernels: Kernels) -> Result<()> {
    product.fold();
    product.settle();
    let variant = match kernels {
        Kernels::Portable => None,
        Kernels::Only(variant) => Some(variant),
        Kernels::MatrixUnits if plan::fills_matrix_units(&product) => matrix_units(launch, product.dtype)?,
        Kernels::MatrixUnits => None,
    };
    if variant.is_none() && product.n <= plan::THIN && product.m > plan::THIN {
        product.turn();
    }
    let plan = Plan::of(&product, variant);
    // Kernels count through two dimensions of a batch; the rest is counted here.
    let outer = product.batch.len().saturating_sub(2);
    let counted: Vec<Batch> = product.batch.drain(..outer).collect();
    let [first, second] = match product.batch.as_slice() {
        [] => [None, None],
        [one] => [None, Some(*one)],
        [two @ .., last] => [two.first().copied(), Some(*last)],
    };
    let none = Batch { extent: 1, strides: [0; 3] };
    let inner = [first.unwrap_or(none), second.unwrap_or(none)];
    for index in 0..counted.iter().map(|b| b.extent).product::<usize>() {
        let (mut rest, mut offsets) = (index, [0; 3]);
        for dimension in counted.iter().rev() {
            let at = rest % dimension.extent;
            rest /= dimension.extent;
            (0..3).for_each(|i| offsets[i] += at * dimension.strides[i]);
        }
        let mut part = product.clone();
        part.a.bound.first += offsets[0] as u32;
        part.b.bound.first += offsets[1] as u32;
        if let Some(residual) = &mut part.residual {
            residual.bound.first += offsets[2] as u32;
        }
        let products = inner[0].extent * inner[1].extent;
        part.out.first += (index * products * product.m * product.n) as u32;
        encode_part(launch, &part, inner, &plan)?;
    }
    Ok(())
}

/// Encodes the products of two dimensions of a batch.
fn encode_part(launch: &mut Launch<'_>, product: &Product<'_>, batch: [Batch; 2], plan: &Plan) -> Result<()> {
    let count = batch[0].extent * batch[1].extent;
    let (m, n) = (product.m, product.n);
    // The third dimension of a grid holds 65535 workgroups.
    let most = (65_535 / plan.splits).max(1);
    let scratch = match plan.splits {
        1 => None,
        splits => Some(launch.scratch(4 * splits * m * n * count.min(most))?),
    };
    let absent = launch.absent();
    let partial = scratch.as_ref().map_or(absent.binding, |s: &Pooled| whole(s));
    let mut params = parameters(product, batch, plan);
    let bias = product.bias.map_or(absent.binding, |(bound, _)| bound.binding);
    let residual = product.residual.map_or(absent.binding, |t| t.bound.binding);
    let (a, b, out) = (product.a.bound.binding, product.b.bound.binding, product.out.binding);
    // A buffer has one kind of use in a dispatch, and bias and residual are bound like what is written.
    let written = [bias, residual, out, partial];
    let apart = [a, b].iter().all(|x| written.iter().all(|y| x.buffer.id != y.buffer.id));
    let shader = plan.apart.filter(|_| apart).unwrap_or(plan.shader);
    for first in (0..count).step_by(most) {
        let now = most.min(count - first);
        params[6] = first as u32;
        let [x, y, _] = folded(plan.groups as u64);
        let bindings = [bias, residual, a, b, out, partial];
        launch.dispatch(shader, &plan.constants, &bindings, &params, [x, y, (now * plan.splits) as u32])?;
        if scratch.is_some() {
            let [x, y, _] = folded((m * n).div_ceil(256) as u64);
            let bindings: [Binding<'_>; 4] = [bias, residual, out, partial];
            launch.dispatch(plan.reduce, &[], &bindings, &params, [x, y, now as u32])?;
        }
    }
    Ok(())
}

fn parameters(product: &Product<'_>, batch: [Batch; 2], plan: &Plan) -> [u32; PARAMS] {
    let Product { m, n, k, a, b, out, bias, residual, activation, .. } = product;
    let flags = *activation as usize + if bias.is_some() { 256 } else { 0 } + if residual.is_some() { 512 } else { 0 };
    let (first_bias, bias_n) = bias.map_or((0, 0), |(bound, stride)| (bound.first as usize, stride));
    let (first_residual, down, across) = residual.map_or((0, 0, 0), |t| (t.bound.first as usize, t.down, t.across));
    let (out_m, out_n, bias_m, bias_n) = if product.turned { (1, *m, bias_n, 0) } else { (*n, 1, 0, bias_n) };
    let [outer, inner] = batch.map(|b| b.strides);
    let words = [
        *m,
        *n,
        *k,
        plan.chunk,
        plan.splits,
        batch[1].extent,
        0,
        flags,
        a.bound.first as usize,
        a.down,
        a.across,
        outer[0],
        inner[0],
        b.bound.first as usize,
        b.down,
        b.across,
        outer[1],
        inner[1],
        out.first as usize,
        out_m,
        out_n,
        first_bias,
        bias_m,
        bias_n,
        first_residual,
        down,
        across,
        outer[2],
        inner[2],
    ];
    words.map(|word| word as u32)
}

/// Asserts at compile time that the words fit the shaders'.
const _: () = assert!(PARAMS <= crate::shader::MAX_PARAMS);

/// A shader of this family: six bindings, [`PARAMS`] words.
const fn shader(name: &'static str, source: &'static str, bindings: u32, needs: wgpu::Features) -> Shader {
    Shader { name, source, bindings, params: PARAMS as u32, needs }
}
