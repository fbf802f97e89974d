//! Layer normalisation into scratch memory, then the product.

use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, folded, whole};
use crate::ops::dense::{optional, required};
use crate::ops::linear::Rows;
use crate::ops::product::{Kernels, MATRIX, encode};
use crate::shader::Shader;
use lc_core::{Activation, Attrs, DType, Math, Result};
use lc_ops::LayerNormProjectionAttrs;
use wgpu::Features;

/// Dimensions of rows that the kernel counts through: a tensor has no more beside its last.
const RANK: usize = 7;

/// Rows, normalised.
pub static SHADER: Shader = shader(
    "normalise_rows",
    concat!(include_str!("../kernels/element_f32.wgsl"), include_str!("../kernels/normalise_rows.wgsl")),
    Features::empty(),
);
/// Rows of float16, normalised in float32.
pub static SHADER_F16: Shader = shader(
    "normalise_rows_f16",
    concat!(include_str!("../kernels/element_f16.wgsl"), include_str!("../kernels/normalise_rows.wgsl")),
    Features::SHADER_F16,
);

const fn shader(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 4, params: 10 + 2 * RANK as u32, needs }
}

const fn kernel(
    name: &'static str,
    dtypes: &'static [DType],
    math: Math,
    needs: Features,
    launch: fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>,
) -> Kernel {
    Kernel { op: &lc_ops::LAYER_NORM_PROJECTION, name, dtypes, math, needs, accepts: |_, _| true, launch }
}

/// The normalisation and the linear layer.
pub static LAYER_NORM_PROJECTION: Kernel =
    kernel("layer_norm_projection", &[DType::F32], Math::IeeeF32, Features::empty(), |l, a, i, o| {
        launch(l, a, i, o, Kernels::Portable)
    });
/// The same of float16 tensors, on matrix units where they have proven themselves.
pub static HALF: Kernel =
    kernel("layer_norm_projection.half", &[DType::F16], Math::IeeeF32, Features::SHADER_F16, |l, a, i, o| {
        launch(l, a, i, o, Kernels::MatrixUnits)
    });
/// The same with operands rounded to float16, on matrix units where they have proven themselves.
pub static ROUNDED: Kernel = kernel("layer_norm_projection.f16", &[DType::F32], Math::F16, MATRIX, |l, a, i, o| {
    launch(l, a, i, o, Kernels::MatrixUnits)
});

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    kernels: Kernels,
) -> Result<()> {
    let (x, weight) = (required(inputs, 0)?, required(inputs, 1)?);
    let (norm_weight, norm_bias, bias) = (optional(inputs, 2), optional(inputs, 3), optional(inputs, 4));
    let dims = x.spec.shape.dims();
    let (d, outer) = (dims[dims.len() - 1], &dims[..dims.len() - 1]);
    let rows: usize = outer.iter().product();
    let scratch = launch.scratch(rows * d * x.spec.dtype.size())?;
    let normal = Bound { binding: whole(&scratch), first: 0 };

    let step = |t: Option<&lc_core::backend::DeviceTensor<'_>>| t.map_or(0, |t| t.strides[0] as u32);
    let (bound, scale, shift) = (launch.bind(x)?, launch.bind_optional(norm_weight)?, launch.bind_optional(norm_bias)?);
    let mut params = [0; 10 + 2 * RANK];
    params[..10].copy_from_slice(&[
        rows as u32,
        d as u32,
        bound.first,
        x.strides[outer.len()] as u32,
        scale.first,
        step(norm_weight),
        shift.first,
        step(norm_bias),
        u32::from(norm_weight.is_some()) + 2 * u32::from(norm_bias.is_some()),
        (LayerNormProjectionAttrs::from_attrs(attrs).eps as f32).to_bits(),
    ]);
    let missing = RANK - outer.len();
    for i in 0..RANK {
        let own = i.checked_sub(missing);
        params[10 + i] = own.map_or(1, |i| outer[i] as u32);
        params[10 + RANK + i] = own.map_or(0, |i| x.strides[i] as u32);
    }
    let bindings = [bound.binding, scale.binding, shift.binding, normal.binding];
    let shader = if x.spec.dtype == DType::F16 { &SHADER_F16 } else { &SHADER };
    launch.dispatch(shader, &[], &bindings, &params, folded(rows as u64))?;

    let out = launch.bind(&outputs[0])?;
    let product =
        Rows::dense(x.spec.dtype, normal, rows, d).project(launch, weight, bias, out, Activation::Identity)?;
    encode(launch, product, kernels)
}
