//! Sum, difference, product and quotient, with NumPy's broadcasting: by vectors where memory is dense, else one thread an
//! element, by strides.

use super::dense::contiguous;
use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, folded};
use crate::shader::Shader;
use lc_core::backend::DeviceTensor;
use lc_core::{Attrs, DType, Error, ErrorKind, Math, OpDef, Result};
use wgpu::Features;

/// Most dimensions that the kernel counts through; a tensor has no more.
const RANK: usize = 8;
const GROUP: u64 = 256;

const fn strided(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 3, params: 4 + 3 * RANK as u32, needs }
}

const fn dense(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 3, params: 6, needs }
}

/// `out = a OP b`.
pub static SHADER: Shader = strided(
    "elementwise",
    concat!(include_str!("../kernels/element_f32.wgsl"), include_str!("../kernels/elementwise.wgsl")),
    Features::empty(),
);
/// The same in float16.
pub static SHADER_F16: Shader = strided(
    "elementwise_f16",
    concat!(include_str!("../kernels/element_f16.wgsl"), include_str!("../kernels/elementwise.wgsl")),
    Features::SHADER_F16,
);
/// `out = a OP b` over dense memory.
pub static DENSE: Shader = dense(
    "elementwise.dense",
    concat!(include_str!("../kernels/element_f32.wgsl"), include_str!("../kernels/elementwise_dense.wgsl")),
    Features::empty(),
);
/// The same in float16.
pub static DENSE_F16: Shader = dense(
    "elementwise.dense_f16",
    concat!(include_str!("../kernels/element_f16.wgsl"), include_str!("../kernels/elementwise_dense.wgsl")),
    Features::SHADER_F16,
);
/// Elements of a workgroup of [`DENSE`].
const BLOCK: u64 = 4096;

/// The constants that both are used with.
pub const VARIANTS: &[&[(&str, f64)]] = &[&[("OP", 0.0)], &[("OP", 1.0)], &[("OP", 2.0)], &[("OP", 3.0)]];

type Encode = fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>;

const fn kernel(op: &'static OpDef, launch: Encode) -> Kernel {
    Kernel {
        op,
        name: "elementwise",
        dtypes: &[DType::F32],
        math: Math::IeeeF32,
        needs: Features::empty(),
        accepts: |_, _| true,
        launch,
    }
}

const fn half(op: &'static OpDef, launch: Encode) -> Kernel {
    Kernel { dtypes: &[DType::F16], needs: Features::SHADER_F16, ..kernel(op, launch) }
}

/// `a + b`.
pub static ADD: Kernel = kernel(&lc_ops::ADD, |l, _, i, o| launch(l, 0, i, o));
/// `a − b`.
pub static SUB: Kernel = kernel(&lc_ops::SUB, |l, _, i, o| launch(l, 1, i, o));
/// `a · b`.
pub static MUL: Kernel = kernel(&lc_ops::MUL, |l, _, i, o| launch(l, 2, i, o));
/// `a / b`.
pub static DIV: Kernel = kernel(&lc_ops::DIV, |l, _, i, o| launch(l, 3, i, o));
/// `a + b` in float16.
pub static ADD_F16: Kernel = half(&lc_ops::ADD, |l, _, i, o| launch(l, 0, i, o));
/// `a − b` in float16.
pub static SUB_F16: Kernel = half(&lc_ops::SUB, |l, _, i, o| launch(l, 1, i, o));
/// `a · b` in float16.
pub static MUL_F16: Kernel = half(&lc_ops::MUL, |l, _, i, o| launch(l, 2, i, o));
/// `a / b` in float16.
pub static DIV_F16: Kernel = half(&lc_ops::DIV, |l, _, i, o| launch(l, 3, i, o));

/// Where an operand starts and after how many vectors it repeats, for [`DENSE`]; `None` if it is not of that form.
fn periodic(operand: &DeviceTensor<'_>, bound: Bound<'_>, out: &DeviceTensor<'_>) -> Option<(u32, u32)> {
    let shape = operand.spec.shape;
    if shape.numel() == 1 {
        return Some((bound.first, 0));
    }
    let ones = shape.dims().iter().take_while(|d| **d == 1).count();
    let row = &shape.dims()[ones..];
    let full = shape.numel() == out.spec.shape.numel();
    let dense = contiguous(operand) && bound.first.is_multiple_of(4) && out.spec.shape.dims().ends_with(row);
    let period = shape.numel().div_ceil(4) as u32;
    (dense && (full || shape.numel().is_multiple_of(4))).then_some((bound.first / 4, period))
}

fn launch(launch: &mut Launch<'_>, op: usize, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let [Some(a), Some(b)] = inputs else {
        return Err(Error::new(ErrorKind::Unknown, "elementwise").expected("two operands"));
    };
    let out = &outputs[0];
    let (strided, dense) = if out.spec.dtype == DType::F16 { (&SHADER_F16, &DENSE_F16) } else { (&SHADER, &DENSE) };
    let all = out.spec.shape.dims();
    let dims = &all[all.len().saturating_sub(RANK)..];
    let rank = dims.len();
    let (bound_a, bound_b, bound_out) = (launch.bind(a)?, launch.bind(b)?, launch.bind(out)?);
    let count = out.spec.shape.numel();
    if bound_out.first.is_multiple_of(4)
        && let (Some(own_a), Some(own_b)) = (periodic(a, bound_a, out), periodic(b, bound_b, out))
    {
        let params = [count as u32, own_a.0, own_b.0, bound_out.first / 4, own_a.1, own_b.1];
        let bindings = [bound_a.binding, bound_b.binding, bound_out.binding];
        return launch.dispatch(dense, VARIANTS[op], &bindings, &params, folded((count as u64).div_ceil(BLOCK)));
    }
    let mut params = vec![0u32; SHADER.params as usize];
    params[0] = count as u32;
    params[1] = bound_a.first;
    params[2] = bound_b.first;
    params[3] = bound_out.first;
    for (d, extent) in dims.iter().enumerate() {
        // Right-aligned, so that the innermost dimension is always the last.
        let at = RANK - rank + d;
        params[4 + at] = *extent as u32;
        for (k, operand) in [a, b].into_iter().enumerate() {
            let own = operand.spec.shape.dims();
            // A dimension that the operand lacks, or has once, is read again and again.
            let missing = all.len() - own.len();
            let index = (all.len() - rank + d).checked_sub(missing);
            let stride = index.filter(|i| own[*i] != 1).map_or(0, |i| operand.strides[i]);
            params[4 + RANK * (k + 1) + at] = stride as u32;
        }
    }
    for extent in &mut params[4..4 + RANK - rank] {
        *extent = 1;
    }
    let bindings = [bound_a.binding, bound_b.binding, bound_out.binding];
    launch.dispatch(strided, VARIANTS[op], &bindings, &params, folded((count as u64).div_ceil(GROUP)))
}
