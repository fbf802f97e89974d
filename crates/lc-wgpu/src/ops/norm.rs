//! Normalisation of rows, which layer and root-mean-square norm share.

use super::dense::{Teams, dense, dense_optional, teams};
use crate::launch::{Launch, Outputs, folded};
use crate::shader::Shader;
use lc_core::Result;
use lc_core::backend::DeviceTensor;
use wgpu::Features;

const fn shader(name: &'static str, source: &'static str) -> Shader {
    Shader { name, source, bindings: 4, params: 9, needs: Features::empty() }
}

/// By element.
pub static NORM_1: Shader = shader(
    "norm.1",
    concat!(
        include_str!("../kernels/width_1.wgsl"),
        include_str!("../kernels/team.wgsl"),
        include_str!("../kernels/norm.wgsl")
    ),
);
/// By vectors of four.
pub static NORM_4: Shader = shader(
    "norm.4",
    concat!(
        include_str!("../kernels/width_4.wgsl"),
        include_str!("../kernels/team.wgsl"),
        include_str!("../kernels/norm.wgsl")
    ),
);

/// Vectors that a thread may hold.
const MOST: usize = 16;
/// Workgroups that fill a large device.
const ENOUGH: u64 = 1056;

/// Some of the constants that they are used with.
pub const VARIANTS: &[&[(&str, f64)]] = &[
    &[("TEAM", 32.0), ("HOLD", 4.0), ("CENTRED", 1.0)],
    &[("TEAM", 256.0), ("HOLD", 8.0), ("CENTRED", 0.0)],
    &[("TEAM", 256.0), ("HOLD", 0.0), ("CENTRED", 1.0)],
];

/// What a normalisation takes besides its rows.
pub struct How<'t> {
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Added to the variance or mean square.
    pub eps: f64,
    /// Factor of each column.
    pub weight: Option<&'t DeviceTensor<'t>>,
    /// Added to each column.
    pub bias: Option<&'t DeviceTensor<'t>>,
}

/// Encodes the normalisation of the rows of `x`.
///
/// # Errors
/// Out of memory; as [`Launch::dispatch`].
pub fn normalise<'a: 't, 't>(
    launch: &mut Launch<'a>,
    how: &How<'t>,
    x: &DeviceTensor<'_>,
    outputs: Outputs<'_>,
) -> Result<()> {
    let source = dense(launch, x, 1)?;
    let (weight, bias) = (dense_optional(launch, how.weight, 1)?, dense_optional(launch, how.bias, 1)?);
    let [from, weight, bias] = [&source, &weight, &bias].map(|t| t.bound());
    let to = launch.bind(&outputs[0])?;
    let dims = x.spec.shape.dims();
    let extent = dims[dims.len() - 1];
    let rows: usize = dims[..dims.len() - 1].iter().product();
    let wide = extent.is_multiple_of(4) && (from.first | weight.first | bias.first | to.first).is_multiple_of(4);
    let (shader, width) = if wide { (&NORM_4, 4) } else { (&NORM_1, 1) };
    let streamed = Teams { team: 256, hold: 0, rows: 1 };
    let teams = teams(extent / width as usize, MOST).unwrap_or(streamed);
    // Several rows one after the other, where enough workgroups are left to fill a device.
    let turns = (rows as u64 / teams.rows / ENOUGH).clamp(1, 16);
    let groups = folded((rows as u64).div_ceil(teams.rows * turns));
    let constants = [
        ("TEAM", f64::from(teams.team)),
        ("HOLD", f64::from(teams.hold)),
        ("CENTRED", f64::from(u8::from(how.centred))),
    ];
    let has = u32::from(how.weight.is_some()) | u32::from(how.bias.is_some()) << 1;
    let params = [
        rows as u32,
        extent as u32 / width,
        from.first / width,
        weight.first / width,
        bias.first / width,
        to.first / width,
        has,
        (how.eps as f32).to_bits(),
        turns as u32,
    ];
    let bindings = [from.binding, weight.binding, bias.binding, to.binding];
    launch.dispatch(shader, &constants, &bindings, &params, groups)
}
