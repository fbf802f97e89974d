//! An activation of every element: by vectors where memory is dense, else one thread an element.

use super::dense::{contiguous, copy, required};
use crate::launch::{Inputs, Kernel, Launch, Outputs, folded};
use crate::shader::Shader;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::ActivationAttrs;
use wgpu::Features;

/// Dense memory.
pub static SHADER: Shader = Shader {
    name: "activation.dense",
    source: concat!(
        include_str!("../kernels/element_f32.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/activation_dense.wgsl")
    ),
    bindings: 2,
    params: 3,
    needs: Features::empty(),
};
/// The same in float16.
pub static SHADER_F16: Shader = Shader {
    name: "activation.dense_f16",
    source: concat!(
        include_str!("../kernels/element_f16.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/activation_dense.wgsl")
    ),
    bindings: 2,
    params: 3,
    needs: Features::SHADER_F16,
};

/// The constants that it is used with.
pub const VARIANTS: &[&[(&str, f64)]] = super::dense::COPY_VARIANTS;

/// Elements of a workgroup.
const BLOCK: u64 = 4096;

const fn kernel(dtypes: &'static [DType], needs: Features) -> Kernel {
    Kernel {
        op: &lc_ops::ACTIVATION,
        name: "activation",
        dtypes,
        math: Math::IeeeF32,
        needs,
        accepts: |_, _| true,
        launch,
    }
}

/// `act(x)`.
pub static ACTIVATION: Kernel = kernel(&[DType::F32], Features::empty());
/// `act(x)` in float16.
pub static ACTIVATION_F16: Kernel = kernel(&[DType::F16], Features::SHADER_F16);

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let x = required(inputs, 0)?;
    let kind = ActivationAttrs::from_attrs(attrs).kind as usize;
    let (from, to) = (launch.bind(x)?, launch.bind(&outputs[0])?);
    let count = x.spec.shape.numel();
    if !contiguous(x) || !(from.first | to.first).is_multiple_of(4) {
        return copy(launch, x, from, to, count, kind);
    }
    let params = [count as u32, from.first / 4, to.first / 4];
    let groups = folded((count as u64).div_ceil(BLOCK));
    let shader = if x.spec.dtype == DType::F16 { &SHADER_F16 } else { &SHADER };
    launch.dispatch(shader, VARIANTS[kind], &[from.binding, to.binding], &params, groups)
}
