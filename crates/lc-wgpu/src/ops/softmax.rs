//! Softmax along one dimension.

use super::dense::{dense, required};
use super::rows::{Family, Rows, Variants, needs, source};
use crate::launch::{Inputs, Kernel, Launch, Outputs};
use crate::shader::Shader;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::SoftmaxAttrs;

const fn shader(name: &'static str, source: &'static str, subgroups: bool, half: bool) -> Shader {
    Shader { name, source, bindings: 3, params: 5, needs: needs(subgroups, half) }
}

macro_rules! family {
    ($name:ident, $element:literal, $team:literal, $suffix:literal, $subgroups:literal, $half:literal) => {
        /// The shaders of one type of elements and one way to add up.
        pub static $name: Family = Family {
            rows_4: &shader(
                concat!("softmax.rows_4", $suffix),
                source!($element, "width_4", $team, "rows_4", "softmax"),
                $subgroups,
                $half,
            ),
            rows_4_apart: None,
            lanes_1: &shader(
                concat!("softmax.lanes_1", $suffix),
                source!($element, "width_1", $team, "lanes", "softmax"),
                $subgroups,
                $half,
            ),
            lanes_4: Some(&shader(
                concat!("softmax.lanes_4", $suffix),
                source!($element, "width_4", $team, "lanes", "softmax"),
                $subgroups,
                $half,
            )),
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
        &[("TEAM", 4.0), ("HOLD", 4.0), ("EDGE", 0.0)],
        &[("TEAM", 256.0), ("HOLD", 4.0), ("EDGE", 1.0)],
        &[("TEAM", 256.0), ("HOLD", 16.0), ("EDGE", 2.0), ("LONG", 1.0)],
    ],
    lanes: &[
        &[("TEAM", 32.0), ("STEP", 8.0), ("HOLD", 8.0)],
        &[("TEAM", 128.0), ("STEP", 2.0), ("EDGE", 1.0), ("LONG", 1.0)],
    ],
};

const fn kernel(name: &'static str, dtypes: &'static [DType], subgroups: bool, half: bool, launch: Encode) -> Kernel {
    let needs = needs(subgroups, half);
    Kernel { op: &lc_ops::SOFTMAX, name, dtypes, math: Math::IeeeF32, needs, accepts: |_, _| true, launch }
}

type Encode = fn(&mut Launch<'_>, &Attrs, Inputs<'_>, Outputs<'_>) -> Result<()>;

/// `softmax(x)`.
pub static SOFTMAX: Kernel = kernel("softmax", &[DType::F32], false, false, |l, a, i, o| launch(l, a, i, o, &PORTABLE));
/// The same of float16 tensors, in float32.
pub static HALF: Kernel =
    kernel("softmax.half", &[DType::F16], false, true, |l, a, i, o| launch(l, a, i, o, &PORTABLE_F16));
/// The same by subgroups.
pub static SOFTMAX_SUBGROUP: Kernel =
    kernel("softmax.subgroup", &[DType::F32], true, false, |l, a, i, o| launch(l, a, i, o, &SUBGROUP));
/// The same of float16 tensors by subgroups.
pub static HALF_SUBGROUP: Kernel =
    kernel("softmax.subgroup_half", &[DType::F16], true, true, |l, a, i, o| launch(l, a, i, o, &SUBGROUP_F16));

fn launch(
    launch: &mut Launch<'_>,
    attrs: &Attrs,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    family: &Family,
) -> Result<()> {
    let x = required(inputs, 0)?;
    let source = dense(launch, x, 1)?;
    let (from, to) = (source.bound(), launch.bind(&outputs[0])?);
    let dims = x.spec.shape.dims();
    let axis = SoftmaxAttrs::from_attrs(attrs).axis_of(dims.len());
    let inner: usize = dims[axis + 1..].iter().product();
    let count = dims[..axis].iter().product::<usize>() * inner;
    let rows = Rows { count, extent: dims[axis], inner, first_x: from.first, first_out: to.first };
    rows.dispatch(launch, family, true, |_| [], &[from.binding, to.binding, to.binding], &[])
}
