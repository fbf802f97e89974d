//! A step of gradient descent on an attention's values: the attention, its distance from the target, and a second
//! attention in which rows and keys change places. Neither scores nor probabilities are ever in memory.

use super::attention::{Mode, Operand, Problem};
use super::dense::{dense, required};
use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, whole};
use crate::shader::Shader;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::{AttentionAttrs, AttentionTrainAttrs};
use wgpu::Features;

/// The distance from the target.
pub static RESIDUAL: Shader = Shader {
    name: "attention.residual",
    source: concat!(include_str!("../kernels/team.wgsl"), include_str!("../kernels/attention_residual.wgsl")),
    bindings: 4,
    params: 7,
    needs: Features::empty(),
};
/// The sum of what the workgroups of [`RESIDUAL`] found.
pub static SUM: Shader = Shader {
    name: "sum",
    source: concat!(include_str!("../kernels/team.wgsl"), include_str!("../kernels/sum.wgsl")),
    bindings: 2,
    params: 3,
    needs: Features::empty(),
};

/// Elements that one workgroup of [`RESIDUAL`] takes before there are more of them, and how many there may be.
const BLOCK: usize = 8192;
const MOST: usize = 256;

/// `attention_train`.
pub static ATTENTION_TRAIN: Kernel = Kernel {
    op: &lc_ops::ATTENTION_TRAIN,
    name: "attention.train",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let how = AttentionTrainAttrs::from_attrs(attrs);
    let shape = required(inputs, 0)?.spec.shape;
    let (rows, dim) = (shape[0], shape[1]);
    let count = rows * dim;
    let mut own = Vec::with_capacity(4);
    for i in 0..4 {
        own.push(dense(launch, required(inputs, i)?, 1)?);
    }
    let [q, k, v, target] = [0, 1, 2, 3].map(|i| own[i].bound());
    let [out, new_v, loss] = [launch.bind(&outputs[0])?, launch.bind(&outputs[1])?, launch.bind(&outputs[2])?];
    let stats = launch.scratch(rows * 8)?;
    let error = launch.scratch(count * 4)?;
    let forward = Problem {
        dtype: DType::F32,
        q: Operand::matrix(q, dim),
        k: Operand::matrix(k, dim),
        v: Operand::matrix(v, dim),
        mask: (launch.absent(), [0; 4], false),
        out,
        batch: 1,
        heads: 1,
        groups: 1,
        rows,
        keys: rows,
        dim,
        value_dim: dim,
        causal: how.causal,
        scale: AttentionAttrs::default().scale_for(dim),
        output_scale: 1.0,
        output_bias: 0.0,
        output_relu: false,
    };
    let all = rows.next_multiple_of(32);
    forward.encode(launch, Mode::Keep, whole(&stats), all)?;

    let groups = count.div_ceil(BLOCK).min(MOST);
    let partial = launch.scratch(MOST * 4)?;
    let mean = 1.0 / count as f64;
    let factor = how.learning_rate * 2.0 * mean;
    let (sums, first, loss_factor) = match groups {
        1 => (loss.binding, loss.first, mean),
        _ => (whole(&partial), 0, 1.0),
    };
    let params = [
        count as u32,
        out.first,
        target.first,
        first,
        (factor as f32).to_bits(),
        (loss_factor as f32).to_bits(),
        u32::from(how.compute_loss),
    ];
    let bindings = [out.binding, target.binding, whole(&error), sums];
    launch.dispatch(&RESIDUAL, &[], &bindings, &params, [groups as u32, 1, 1])?;
    if groups > 1 {
        let params = [groups as u32, loss.first, (mean as f32).to_bits()];
        launch.dispatch(&SUM, &[], &[sums, loss.binding], &params, [1, 1, 1])?;
    }

    let backward = Problem {
        q: forward.k,
        k: forward.q,
        v: Operand::matrix(Bound { binding: whole(&error), first: 0 }, dim),
        mask: (v, [0, 0, dim as u32, 1], false),
        out: new_v,
        ..forward
    };
    backward.encode(launch, Mode::Backward, whole(&stats), all)
}
