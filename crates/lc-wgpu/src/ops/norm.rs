//! Normalisation of rows, which layer and root-mean-square norm share.

use super::dense::{dense, dense_optional};
use super::rows::{Family, Held, Rows, Variants, needs, source};
use crate::launch::{Launch, Outputs};
use crate::shader::Shader;
use lc_core::Result;
use lc_core::backend::DeviceTensor;

const fn shader(name: &'static str, source: &'static str, subgroups: bool, half: bool) -> Shader {
    Shader { name, source, bindings: 7, params: 9, needs: needs(subgroups, half) }
}

macro_rules! family {
    ($name:ident, $element:literal, $team:literal, $suffix:literal, $subgroups:literal, $half:literal) => {
        /// The shaders of one type of elements and one way to add up.
        pub static $name: Family = Family {
            rows_4: &shader(
                concat!("norm.rows_4", $suffix),
                source!($element, "width_4", $team, "rows_4", "bind_weights", "weights_4", "norm"),
                $subgroups,
                $half,
            ),
            rows_4_apart: Some(&shader(
                concat!("norm.rows_4_read", $suffix),
                source!($element, "width_4", $team, "rows_4", "bind_weights_read", "weights_4", "norm"),
                $subgroups,
                $half,
            )),
            lanes_1: &shader(
                concat!("norm.lanes_1", $suffix),
                source!($element, "width_1", $team, "lanes", "weights_1", "norm"),
                $subgroups,
                $half,
            ),
            lanes_4: None,
        };
    };
}

family!(PORTABLE, "element_f32", "team_portable", "", false, false);
family!(PORTABLE_F16, "element_f16", "team_portable", "_f16", false, true);
family!(SUBGROUP, "element_f32", "team_subgroup", ".subgroup", true, false);
family!(SUBGROUP_F16, "element_f16", "team_subgroup", ".subgroup_f16", true, true);

/// Some of the constants that they are used with.
pub static VARIANTS: Variants = Variants {
    rows: &[
        &[("TEAM", 32.0), ("HOLD", 4.0), ("EDGE", 0.0), ("CENTRED", 1.0), ("AHEAD", 4.0)],
        &[("TEAM", 256.0), ("HOLD", 4.0), ("EDGE", 1.0), ("CENTRED", 0.0)],
        &[("TEAM", 256.0), ("HOLD", 16.0), ("EDGE", 2.0), ("CENTRED", 1.0), ("LONG", 1.0)],
    ],
    lanes: &[&[("TEAM", 32.0), ("HOLD", 4.0), ("EDGE", 1.0), ("CENTRED", 1.0)]],
};

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
    family: &Family,
    how: &How<'t>,
    x: &DeviceTensor<'_>,
    outputs: Outputs<'_>,
) -> Result<()> {
    let source = dense(launch, x, 1)?;
    // Vectors are read by vectors of four.
    let (weight, bias) = (dense_optional(launch, how.weight, 4)?, dense_optional(launch, how.bias, 4)?);
    let [from, weight, bias] = [&source, &weight, &bias].map(|t| t.bound());
    let to = launch.bind(&outputs[0])?;
    let dims = x.spec.shape.dims();
    let extent = dims[dims.len() - 1];
    let count = dims[..dims.len() - 1].iter().product();
    let rows = Rows { count, extent, inner: 1, first_x: from.first, first_out: to.first };
    let has = u32::from(how.weight.is_some()) | u32::from(how.bias.is_some()) << 1;
    let params = [weight.first, bias.first, has, (how.eps as f32).to_bits()];
    let bindings = [from.binding, to.binding, to.binding, weight.binding, weight.binding, bias.binding, bias.binding];
    let written = [from.binding, to.binding];
    let apart = [weight.binding, bias.binding].iter().all(|x| written.iter().all(|y| x.buffer.id != y.buffer.id));
    let more = |held: Held| {
        // With more vectors a thread than that, those of weights and biases spill; without them, compilers do not unroll
        // what writes rows that begin anywhere.
        let ahead = match held {
            Held { slots, .. } if slots <= 5 => slots,
            Held { slots, odd: true, team, .. } if team <= 512 => slots,
            Held { odd: false, team, .. } if apart && team > 512 => 3,
            _ => 0,
        };
        [("CENTRED", f64::from(u8::from(how.centred))), ("AHEAD", f64::from(ahead))]
    };
    rows.dispatch(launch, family, apart, more, &bindings, &params)
}
