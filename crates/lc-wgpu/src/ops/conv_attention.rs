//! A convolution whose map is read as queries, keys and values: the convolution, a repetition where the map is shorter
//! than those, and the attention, with the map in scratch memory.

use super::attention::{Operand, Problem};
use super::conv2d::Convolution;
use super::dense::{dense, dense_optional, optional, repeat, required};
use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, whole};
use lc_core::registry::OutputSpecs;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::{AttentionAttrs, CONV2D, ConvAttentionAttrs};
use wgpu::Features;

/// Convolution, ReLU and attention.
pub static CONV_ATTENTION: Kernel = Kernel {
    op: &lc_ops::CONV_ATTENTION,
    name: "conv_attention",
    dtypes: &[DType::F32],
    math: Math::IeeeF32,
    needs: Features::empty(),
    accepts: |_, _| true,
    launch,
};

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let how = ConvAttentionAttrs::from_attrs(attrs);
    let (x, w, bias) = (required(inputs, 0)?, required(inputs, 1)?, optional(inputs, 2));
    let [own_x, own_w] = [dense(launch, x, 1)?, dense(launch, w, 1)?];
    let own_bias = dense_optional(launch, bias, 1)?;
    // The map has the shape of the convolution's result.
    let specs = [Some(x.spec), Some(w.spec), bias.map(|b| b.spec)];
    let results: OutputSpecs = CONV2D.check(&how.conv2d().into(), &specs)?;
    let shape = results.first().shape;
    let map = launch.scratch(results.first().bytes())?;
    let convolution = Convolution {
        dtype: DType::F32,
        how: how.conv2d(),
        x: (own_x.bound(), x.spec.shape),
        w: (own_w.bound(), w.spec.shape),
        bias: bias.map(|_| own_bias.bound()),
        out: (Bound { binding: whole(&map), first: 0 }, shape),
    };
    convolution.encode(launch)?;

    let (rows, dim) = (how.seq_len, how.head_dim);
    let slab = rows * dim;
    let repeated = match shape.numel() < 3 * slab {
        true => {
            let scratch = launch.scratch(3 * slab * 4)?;
            repeat(launch, &map, shape.numel(), &scratch, 3 * slab)?;
            Some(scratch)
        }
        false => None,
    };
    let binding = whole(repeated.as_ref().unwrap_or(&map));
    let part = |index: usize| Operand::matrix(Bound { binding, first: (index * slab) as u32 }, dim);
    let attention = Problem {
        dtype: DType::F32,
        q: part(0),
        k: part(1),
        v: part(2),
        mask: (launch.absent(), [0; 4], false),
        out: launch.bind(&outputs[0])?,
        batch: 1,
        heads: 1,
        groups: 1,
        rows,
        keys: rows,
        dim,
        value_dim: dim,
        causal: false,
        scale: AttentionAttrs::default().scale_for(dim),
        output_scale: 1.0,
        output_bias: 0.0,
        output_relu: false,
    };
    attention.run(launch)
}
