//! Dense forms of operands, which several ops want.

use crate::launch::{Bound, Inputs, Launch, folded, whole};
use crate::pool::Pooled;
use crate::shader::Shader;
use lc_core::backend::DeviceTensor;
use lc_core::tensor::is_contiguous;
use lc_core::{DType, Error, ErrorKind, Result};
use wgpu::Features;

const RANK: usize = 8;
const GROUP: u64 = 256;

/// `out[i] = act(x[i mod numel(x)])` for `x` of any strides.
pub static COPY: Shader = Shader {
    name: "copy",
    source: concat!(
        include_str!("../kernels/element_f32.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/copy.wgsl")
    ),
    bindings: 2,
    params: 4 + 2 * RANK as u32,
    needs: Features::empty(),
};
/// The same in float16.
pub static COPY_F16: Shader = Shader {
    name: "copy_f16",
    source: concat!(
        include_str!("../kernels/element_f16.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/copy.wgsl")
    ),
    bindings: 2,
    params: 4 + 2 * RANK as u32,
    needs: Features::SHADER_F16,
};

/// A copy, then the activations by number.
pub const COPY_VARIANTS: &[&[(&str, f64)]] =
    &[&[("KIND", 0.0)], &[("KIND", 1.0)], &[("KIND", 2.0)], &[("KIND", 3.0)], &[("KIND", 4.0)]];

/// An operand that may be absent; calls leave out the last ones.
pub fn optional<'a>(inputs: Inputs<'a>, index: usize) -> Option<&'a DeviceTensor<'a>> {
    inputs.get(index).and_then(Option::as_ref)
}

/// An operand that every call has.
///
/// # Errors
/// It is absent.
pub fn required<'a>(inputs: Inputs<'a>, index: usize) -> Result<&'a DeviceTensor<'a>> {
    optional(inputs, index).ok_or_else(|| Error::new(ErrorKind::Unknown, "gpu").got(format!("no operand {index}")))
}

/// Whether the tensor's elements lie one behind the other.
pub fn contiguous(tensor: &DeviceTensor<'_>) -> bool {
    is_contiguous(&tensor.spec.shape, &tensor.strides)
}

/// An operand in dense memory: its own, or a copy.
pub enum Dense<'t> {
    /// It was dense.
    Own(Bound<'t>),
    /// A copy for this call.
    Copy(Pooled),
}

impl Dense<'_> {
    /// What to bind.
    pub fn bound(&self) -> Bound<'_> {
        match self {
            Dense::Own(bound) => *bound,
            Dense::Copy(scratch) => Bound { binding: whole(scratch), first: 0 },
        }
    }
}

/// The operand, copied if it is not dense or does not start at a multiple of `align` elements.
///
/// # Errors
/// Out of memory; as [`Launch::bind`].
pub fn dense<'t>(launch: &mut Launch<'_>, tensor: &DeviceTensor<'t>, align: u32) -> Result<Dense<'t>> {
    let bound = launch.bind(tensor)?;
    if contiguous(tensor) && bound.first.is_multiple_of(align) {
        return Ok(Dense::Own(bound));
    }
    let scratch = launch.scratch(tensor.spec.bytes())?;
    let to = Bound { binding: whole(&scratch), first: 0 };
    copy(launch, tensor, bound, to, tensor.spec.shape.numel(), 0)?;
    Ok(Dense::Copy(scratch))
}

/// [`dense`] of an operand that may be absent.
///
/// # Errors
/// As [`dense`].
pub fn dense_optional<'a, 't>(
    launch: &mut Launch<'a>,
    tensor: Option<&DeviceTensor<'t>>,
    align: u32,
) -> Result<Dense<'t>>
where
    'a: 't,
{
    match tensor {
        Some(tensor) => dense(launch, tensor, align),
        None => Ok(Dense::Own(launch.absent())),
    }
}

/// Encodes `out[i] = act(tensor[i mod numel])` for `count` elements.
///
/// # Errors
/// As [`Launch::dispatch`].
pub fn copy(
    launch: &mut Launch<'_>,
    tensor: &DeviceTensor<'_>,
    from: Bound<'_>,
    to: Bound<'_>,
    count: usize,
    kind: usize,
) -> Result<()> {
    let dims = tensor.spec.shape.dims();
    let mut params = [1u32; COPY.params as usize];
    params[..4].copy_from_slice(&[count as u32, tensor.spec.shape.numel() as u32, from.first, to.first]);
    for (d, extent) in dims.iter().enumerate() {
        let at = RANK - dims.len() + d;
        params[4 + at] = *extent as u32;
        params[4 + RANK + at] = tensor.strides[d] as u32;
    }
    let groups = folded((count as u64).div_ceil(GROUP));
    let shader = if tensor.spec.dtype == DType::F16 { &COPY_F16 } else { &COPY };
    launch.dispatch(shader, COPY_VARIANTS[kind], &[from.binding, to.binding], &params, groups)
}

/// Encodes `to[i] = from[i mod numel]` for `count` elements of scratch memory.
///
/// # Errors
/// As [`Launch::dispatch`].
pub fn repeat(launch: &mut Launch<'_>, from: &Pooled, numel: usize, to: &Pooled, count: usize) -> Result<()> {
    let mut params = [1u32; COPY.params as usize];
    params[..4].copy_from_slice(&[count as u32, numel as u32, 0, 0]);
    params[3 + RANK] = numel as u32;
    let groups = folded((count as u64).div_ceil(GROUP));
    launch.dispatch(&COPY, COPY_VARIANTS[0], &[whole(from), whole(to)], &params, groups)
}
