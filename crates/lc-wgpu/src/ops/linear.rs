//! `act(x·Wᵀ + bias)`: a product whose second operand is read across.

use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs};
use crate::ops::dense::{optional, required};
use crate::ops::product::{Batch, Kernels, MATRIX, Matrix, Product, encode};
use lc_core::backend::DeviceTensor;
use lc_core::{Activation, Attrs, DType, Math, Result};
use lc_ops::LinearAttrs;
use wgpu::Features;

const fn kernel(
    name: &'static str,
    dtypes: &'static [DType],
    math: Math,
    needs: Features,
    launch: fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>,
) -> Kernel {
    Kernel { op: &lc_ops::LINEAR, name, dtypes, math, needs, accepts: |_, _| true, launch }
}

/// The linear layer.
pub static LINEAR: Kernel = kernel("linear", &[DType::F32], Math::IeeeF32, Features::empty(), |l, a, i, o| {
    launch(l, a, i, o, Kernels::Portable)
});
/// The same of float16 tensors, on matrix units where they have proven themselves.
pub static HALF: Kernel = kernel("linear.half", &[DType::F16], Math::IeeeF32, Features::SHADER_F16, |l, a, i, o| {
    launch(l, a, i, o, Kernels::MatrixUnits)
});
/// The same with operands rounded to float16, on matrix units where they have proven themselves.
pub static ROUNDED: Kernel =
    kernel("linear.f16", &[DType::F32], Math::F16, MATRIX, |l, a, i, o| launch(l, a, i, o, Kernels::MatrixUnits));

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    kernels: Kernels,
) -> Result<()> {
    let (x, weight, bias) = (required(inputs, 0)?, required(inputs, 1)?, optional(inputs, 2));
    let out = launch.bind(&outputs[0])?;
    let rows = Rows::of(launch, x)?;
    let product = rows.project(launch, weight, bias, out, LinearAttrs::from_attrs(attrs).activation)?;
    encode(launch, product, kernels)
}

/// The rows of a tensor `[.., d]`: its last dimension, and the others as rows and batch.
pub(super) struct Rows<'a> {
    dtype: DType,
    matrix: Matrix<'a>,
    rows: usize,
    d: usize,
    batch: Vec<Batch>,
}

impl<'a> Rows<'a> {
    /// Those of a tensor of any strides.
    ///
    /// # Errors
    /// As [`Launch::bind`].
    pub fn of(launch: &Launch<'_>, x: &DeviceTensor<'a>) -> Result<Rows<'a>> {
        let dims = x.spec.shape.dims();
        let rank = dims.len();
        let batch = (0..rank.saturating_sub(2))
            .map(|d| Batch { extent: dims[d], strides: [x.strides[d].unsigned_abs(), 0, 0] })
            .collect();
        let rows = if rank > 1 { dims[rank - 2] } else { 1 };
        Ok(Rows { dtype: x.spec.dtype, matrix: Matrix::of(launch.bind(x)?, x), rows, d: dims[rank - 1], batch })
    }

    /// Those of a dense matrix `[rows, d]` in scratch memory.
    pub fn dense(dtype: DType, bound: Bound<'a>, rows: usize, d: usize) -> Rows<'a> {
        Rows { dtype, matrix: Matrix { bound, down: d, across: 1 }, rows, d, batch: Vec::new() }
    }

    /// The product of the rows with a weight `[out, d]`, moved by a bias and activated.
    ///
    /// # Errors
    /// As [`Launch::bind`].
    pub fn project(
        self,
        launch: &Launch<'_>,
        weight: &DeviceTensor<'a>,
        bias: Option<&DeviceTensor<'a>>,
        out: Bound<'a>,
        activation: Activation,
    ) -> Result<Product<'a>> {
        Ok(Product {
            dtype: self.dtype,
            m: self.rows,
            n: weight.spec.shape[0],
            k: self.d,
            a: self.matrix,
            b: Matrix::of(launch.bind(weight)?, weight).transposed(),
            out,
            bias: bias.map(|t| Ok((launch.bind(t)?, t.strides[0].unsigned_abs()))).transpose()?,
            residual: None,
            activation,
            batch: self.batch,
            turned: false,
        })
    }
}
