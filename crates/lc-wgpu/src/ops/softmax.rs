//! Softmax along one dimension: rows that fit in registers in one pass over memory, everything else in two.

use super::dense::{dense, required, teams};
use crate::launch::{Inputs, Kernel, Launch, Outputs, folded};
use crate::shader::Shader;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::SoftmaxAttrs;
use wgpu::Features;

const fn rows(name: &'static str, source: &'static str) -> Shader {
    Shader { name, source, bindings: 2, params: 4, needs: Features::empty() }
}

/// Rows that fit, by element.
pub static ROWS_1: Shader = rows(
    "softmax.rows.1",
    concat!(
        include_str!("../kernels/width_1.wgsl"),
        include_str!("../kernels/team.wgsl"),
        include_str!("../kernels/softmax.wgsl")
    ),
);
/// Rows that fit, by vectors of four.
pub static ROWS_4: Shader = rows(
    "softmax.rows.4",
    concat!(
        include_str!("../kernels/width_4.wgsl"),
        include_str!("../kernels/team.wgsl"),
        include_str!("../kernels/softmax.wgsl")
    ),
);
/// Any dimension, any extent.
pub static LANES: Shader = Shader {
    name: "softmax.lanes",
    source: include_str!("../kernels/softmax_lanes.wgsl"),
    bindings: 2,
    params: 5,
    needs: Features::empty(),
};

/// Vectors that a thread may hold.
const MOST: usize = 32;

/// Some of the constants that rows are used with.
pub const ROWS_VARIANTS: &[&[(&str, f64)]] =
    &[&[("TEAM", 1.0), ("HOLD", 4.0)], &[("TEAM", 32.0), ("HOLD", 4.0)], &[("TEAM", 256.0), ("HOLD", 8.0)]];
/// Some of the constants that lanes are used with.
pub const LANES_VARIANTS: &[&[(&str, f64)]] = &[&[("COLUMNS", 1.0)], &[("COLUMNS", 32.0)]];

/// `softmax(x)`.
pub static SOFTMAX: Kernel = Kernel {
    op: &lc_ops::SOFTMAX,
    name: "softmax",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let x = required(inputs, 0)?;
    let source = dense(launch, x, 1)?;
    let (from, to) = (source.bound(), launch.bind(&outputs[0])?);
    let dims = x.spec.shape.dims();
    let axis = SoftmaxAttrs::from_attrs(attrs).axis_of(dims.len());
    let outer: usize = dims[..axis].iter().product();
    let inner: usize = dims[axis + 1..].iter().product();
    let extent = dims[axis];
    let bindings = [from.binding, to.binding];
    let wide = extent.is_multiple_of(4) && (from.first | to.first).is_multiple_of(4);
    let (shader, width) = if wide { (&ROWS_4, 4) } else { (&ROWS_1, 1) };
    if inner == 1
        && let Some(teams) = teams(extent / width, MOST)
    {
        let groups = folded((outer as u64).div_ceil(teams.rows));
        let constants = [("TEAM", f64::from(teams.team)), ("HOLD", f64::from(teams.hold))];
        let width = width as u32;
        let params = [outer as u32, extent as u32 / width, from.first / width, to.first / width];
        return launch.dispatch(shader, &constants, &bindings, &params, groups);
    }
    // Enough neighbouring lanes for whole lines of memory; the rest of the workgroup shares each.
    let columns = inner.next_power_of_two().min(32);
    let params = [outer as u32, extent as u32, inner as u32, from.first, to.first];
    let groups = folded(((outer * inner) as u64).div_ceil(columns as u64));
    launch.dispatch(&LANES, &[("COLUMNS", columns as f64)], &bindings, &params, groups)
}
