//! Convolution: a matrix product that gathers its second operand from the image, or one thread a result where groups have
//! few output channels.

use super::dense::{dense, dense_optional, optional, required};
use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, folded};
use crate::shader::Shader;
use lc_core::{Attrs, DType, Error, ErrorKind, Math, Result, Shape};
use lc_ops::Conv2dAttrs;
use wgpu::Features;

const fn shader(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 4, params: 22, needs }
}

/// Tiles.
pub static TILES: Shader = shader(
    "conv2d.tiles",
    concat!(
        include_str!("../kernels/element_f32.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/conv2d_image.wgsl"),
        include_str!("../kernels/conv2d.wgsl")
    ),
    Features::empty(),
);
/// The same in float16.
pub static TILES_F16: Shader = shader(
    "conv2d.tiles_f16",
    concat!(
        include_str!("../kernels/element_f16.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/conv2d_image.wgsl"),
        include_str!("../kernels/conv2d.wgsl")
    ),
    Features::SHADER_F16,
);
/// One thread a result.
pub static DIRECT: Shader = shader(
    "conv2d.direct",
    concat!(
        include_str!("../kernels/element_f32.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/conv2d_image.wgsl"),
        include_str!("../kernels/conv2d_direct.wgsl")
    ),
    Features::empty(),
);
/// The same in float16.
pub static DIRECT_F16: Shader = shader(
    "conv2d.direct_f16",
    concat!(
        include_str!("../kernels/element_f16.wgsl"),
        include_str!("../kernels/activation.wgsl"),
        include_str!("../kernels/conv2d_image.wgsl"),
        include_str!("../kernels/conv2d_direct.wgsl")
    ),
    Features::SHADER_F16,
);

/// Some of the constants that tiles are used with.
pub const TILES_VARIANTS: &[&[(&str, f64)]] = &[
    &[("DOWN", 8.0), ("ACROSS", 32.0), ("KIND", 0.0)],
    &[("DOWN", 8.0), ("ACROSS", 16.0), ("KIND", 2.0)],
    &[("DOWN", 4.0), ("ACROSS", 32.0), ("KIND", 1.0)],
];
/// Some of the constants that one thread a result is used with.
pub const DIRECT_VARIANTS: &[&[(&str, f64)]] = &[&[("KIND", 0.0)], &[("KIND", 1.0)]];

/// Output channels of a group from which tiles are worth their padding.
const TILED: usize = 12;
/// Parameters that count rows and columns.
const STEPS: std::ops::Range<usize> = 6..17;
/// Workgroups that fill a large device.
const ENOUGH: usize = 264;

const fn kernel(dtypes: &'static [DType], needs: Features) -> Kernel {
    Kernel { op: &lc_ops::CONV2D, name: "conv2d", dtypes, math: Math::IeeeF32, needs, accepts: |_, _| true, launch }
}

/// Convolution, bias and activation.
pub static CONV2D: Kernel = kernel(&[DType::F32], Features::empty());
/// The same in float16.
pub static CONV2D_F16: Kernel = kernel(&[DType::F16], Features::SHADER_F16);

/// A convolution of dense operands.
#[derive(Clone, Copy, Debug)]
pub struct Convolution<'a> {
    /// Type of every operand.
    pub dtype: DType,
    /// Steps, padding, groups and activation.
    pub how: Conv2dAttrs,
    /// `[n, c, h, w]`.
    pub x: (Bound<'a>, Shape),
    /// `[o, c / groups, kh, kw]`.
    pub w: (Bound<'a>, Shape),
    /// `[o]`.
    pub bias: Option<Bound<'a>>,
    /// `[n, o, oh, ow]`.
    pub out: (Bound<'a>, Shape),
}

impl Convolution<'_> {
    /// Encodes it.
    ///
    /// # Errors
    /// A number beyond 32 bits; as [`Launch::dispatch`].
    pub fn encode(&self, launch: &mut Launch<'_>) -> Result<()> {
        let (how, x, w, out) = (&self.how, &self.x.1, &self.w.1, &self.out.1);
        let pixels = out[0] * out[2] * out[3];
        let channels = w[0] / how.groups;
        let bias = self.bias.unwrap_or_else(|| launch.absent());
        let numbers = [
            pixels,
            out[2] * out[3],
            out[3],
            channels,
            how.groups,
            w[1] * w[2] * w[3],
            w[2] * w[3],
            w[3],
            w[1],
            x[2],
            x[3],
            how.stride_h,
            how.stride_w,
            how.pad_h,
            how.pad_w,
            how.dilation_h,
            how.dilation_w,
            self.x.0.first as usize,
            self.w.0.first as usize,
            bias.first as usize,
            self.out.0.first as usize,
            usize::from(self.bias.is_some()),
        ];
        let mut params = [0u32; 22];
        for (i, (word, number)) in params.iter_mut().zip(numbers).enumerate() {
            // Rows and columns in the padding wrap below zero, and what lies past the last product is far below the image.
            let most = if STEPS.contains(&i) { 1 << 29 } else { u32::MAX as usize };
            if number >= most {
                let expected = format!("extents and steps below {most}");
                return Err(Error::new(ErrorKind::NotSupported, "conv2d").expected(expected).got(number.to_string()));
            }
            *word = number as u32;
        }
        let bindings = [self.x.0.binding, self.w.0.binding, bias.binding, self.out.0.binding];
        let kind = ("KIND", f64::from(how.activation as u8));
        let (tiled, direct) = if self.dtype == DType::F16 { (&TILES_F16, &DIRECT_F16) } else { (&TILES, &DIRECT) };
        if channels < TILED {
            let groups = folded((pixels.div_ceil(256) * w[0]) as u64);
            return launch.dispatch(direct, &[kind], &bindings, &params, groups);
        }
        let tiles = |down: usize, across: usize| channels.div_ceil(8 * down) * pixels.div_ceil(4 * across) * how.groups;
        let down = if channels <= 32 { 4 } else { 8 };
        let across = if tiles(down, 32) < ENOUGH { 16 } else { 32 };
        let constants = [("DOWN", down as f64), ("ACROSS", across as f64), kind];
        launch.dispatch(tiled, &constants, &bindings, &params, folded(tiles(down, across) as u64))
    }
}

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let (x, w, bias) = (required(inputs, 0)?, required(inputs, 1)?, optional(inputs, 2));
    let [own_x, own_w] = [dense(launch, x, 1)?, dense(launch, w, 1)?];
    let own_bias = dense_optional(launch, bias, 1)?;
    let convolution = Convolution {
        dtype: x.spec.dtype,
        how: Conv2dAttrs::from_attrs(attrs),
        x: (own_x.bound(), x.spec.shape),
        w: (own_w.bound(), w.spec.shape),
        bias: bias.map(|_| own_bias.bound()),
        out: (launch.bind(&outputs[0])?, outputs[0].spec.shape),
    };
    convolution.encode(launch)
}
