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
    source: concat!(include_str!("../kernels/activation.wgsl"), include_str!("../kernels/activation_dense.wgsl")),
    bindings: 2,
    params: 3,
    needs: Features::empty(),
};

/// The constants that it is used with.
pub const VARIANTS: &[&[(&str, f64)]] = super::dense::COPY_VARIANTS;

/// Elements of a workgroup.
const BLOCK: u64 = 4096;

/// `act(x)`.
pub static ACTIVATION: Kernel = Kernel {
    op: &lc_ops::ACTIVATION,
    name: "activation",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

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
    launch.dispatch(&SHADER, VARIANTS[kind], &[from.binding, to.binding], &params, groups)
}
