//! The elements of a tensor, repeated or cut to a length: one thread an element, by strides.

use crate::launch::{Inputs, Kernel, Launch, Outputs, folded};
use crate::ops::dense::required;
use crate::shader::Shader;
use lc_core::{Attrs, DType, Math, Result};
use wgpu::Features;

const RANK: usize = 8;
const GROUP: u64 = 256;

/// `out[t] = x[t mod size]`.
pub static SHADER: Shader = shader(
    "pack",
    concat!(include_str!("../kernels/element_f32.wgsl"), include_str!("../kernels/pack.wgsl")),
    Features::empty(),
);
/// The same of float16.
pub static SHADER_F16: Shader = shader(
    "pack_f16",
    concat!(include_str!("../kernels/element_f16.wgsl"), include_str!("../kernels/pack.wgsl")),
    Features::SHADER_F16,
);

const fn shader(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 2, params: 4 + 2 * RANK as u32, needs }
}

const fn kernel(name: &'static str, dtypes: &'static [DType], needs: Features) -> Kernel {
    Kernel { op: &lc_ops::PACK, name, dtypes, math: Math::IeeeF32, needs, accepts: |_, _| true, launch }
}

/// The copy.
pub static PACK: Kernel = kernel("pack", &[DType::F32], Features::empty());
/// The copy of float16.
pub static HALF: Kernel = kernel("pack.half", &[DType::F16], Features::SHADER_F16);

fn launch(launch: &mut Launch<'_>, _: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let (x, out) = (required(inputs, 0)?, &outputs[0]);
    let (bound, target) = (launch.bind(x)?, launch.bind(out)?);
    let count = out.spec.shape.numel();
    let mut params = [0; 4 + 2 * RANK];
    params[..4].copy_from_slice(&[count as u32, x.spec.shape.numel() as u32, bound.first, target.first]);
    let missing = RANK - x.spec.shape.rank();
    for d in 0..RANK {
        let own = d.checked_sub(missing);
        params[4 + d] = own.map_or(1, |d| x.spec.shape[d] as u32);
        params[4 + RANK + d] = own.map_or(0, |d| x.strides[d] as u32);
    }
    let shader = if x.spec.dtype == DType::F16 { &SHADER_F16 } else { &SHADER };
    launch.dispatch(shader, &[], &[bound.binding, target.binding], &params, folded((count as u64).div_ceil(GROUP)))
}
