//! Attention: one dispatch for every shape, and a second one that adds up where few rows meet many keys.

use super::dense::{Dense, dense, optional, required};
use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, folded, whole};
use crate::shader::Shader;
use crate::stream::Binding;
use lc_core::backend::DeviceTensor;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::AttentionAttrs;
use wgpu::Features;

const fn shader(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 6, params: 32, needs }
}

/// Operands of any extents.
pub static TILES_1: Shader = shader(
    "attention.1",
    concat!(
        include_str!("../kernels/element_f32.wgsl"),
        include_str!("../kernels/attention_read_1.wgsl"),
        include_str!("../kernels/attention.wgsl")
    ),
    Features::empty(),
);
/// Operands whose extents and addresses are multiples of four.
pub static TILES_4: Shader = shader(
    "attention.4",
    concat!(
        include_str!("../kernels/element_f32.wgsl"),
        include_str!("../kernels/attention_read_4.wgsl"),
        include_str!("../kernels/attention.wgsl")
    ),
    Features::empty(),
);
/// [`TILES_1`] in float16.
pub static TILES_1_F16: Shader = shader(
    "attention.1_f16",
    concat!(
        include_str!("../kernels/element_f16.wgsl"),
        include_str!("../kernels/attention_read_1.wgsl"),
        include_str!("../kernels/attention.wgsl")
    ),
    Features::SHADER_F16,
);
/// [`TILES_4`] in float16.
pub static TILES_4_F16: Shader = shader(
    "attention.4_f16",
    concat!(
        include_str!("../kernels/element_f16.wgsl"),
        include_str!("../kernels/attention_read_4.wgsl"),
        include_str!("../kernels/attention.wgsl")
    ),
    Features::SHADER_F16,
);
/// Adds up parts of the keys.
pub static MERGE: Shader = Shader {
    name: "attention.merge",
    source: include_str!("../kernels/attention_merge.wgsl"),
    bindings: 3,
    params: 7,
    needs: Features::empty(),
};

/// Some of the constants that tiles are used with.
pub const VARIANTS: &[&[(&str, f64)]] = &[
    &[("CHUNK", 64.0), ("BLOCKS", 1.0), ("MODE", 0.0)],
    &[("CHUNK", 32.0), ("BLOCKS", 1.0), ("MODE", 1.0)],
    &[("CHUNK", 64.0), ("BLOCKS", 2.0), ("MODE", 2.0)],
    &[("CHUNK", 64.0), ("BLOCKS", 1.0), ("MODE", 3.0)],
];

/// Rows and keys of a tile.
const ROWS: usize = 64;
const KEYS: usize = 32;
/// Workgroups that keep a large device busy, and the fewest tiles of a part that are worth adding up.
const ENOUGH: usize = 528;
const TILES: usize = 4;

const fn kernel(dtypes: &'static [DType], needs: Features) -> Kernel {
    Kernel {
        op: &lc_ops::ATTENTION,
        name: "attention.tiled",
        dtypes,
        math: Math::IeeeF32,
        needs,
        accepts: |_, _| true,
        launch,
    }
}

/// Scaled dot-product attention.
pub static ATTENTION: Kernel = kernel(&[DType::F32], Features::empty());
/// The same in float16.
pub static ATTENTION_F16: Kernel = kernel(&[DType::F16], Features::SHADER_F16);

/// A tensor as the kernel reads it: its first element, and the strides of batch, head and row.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// What to bind.
    pub binding: Binding<'a>,
    /// First element and strides.
    pub steps: [u32; 4],
}

impl<'a> Operand<'a> {
    /// A dense matrix of rows of `columns` elements.
    pub fn matrix(bound: Bound<'a>, columns: usize) -> Operand<'a> {
        Operand { binding: bound.binding, steps: [bound.first, 0, 0, columns as u32] }
    }

    fn aligned(&self) -> bool {
        self.steps.iter().all(|step| step.is_multiple_of(4))
    }
}

/// What a dispatch computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The result.
    Forward = 0,
    /// The result, and each row's maximum and reciprocal sum.
    Keep = 1,
    /// Rows are keys and keys are rows, whose maxima and sums are known.
    Backward = 2,
    /// The sums of one part of the keys.
    Part = 3,
}

/// One attention.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Type of every operand.
    pub dtype: DType,
    pub q: Operand<'a>,
    pub k: Operand<'a>,
    pub v: Operand<'a>,
    /// Binding, first element, strides of batch, head, row and key; absent or read as [`Mode`] says.
    pub mask: (Bound<'a>, [u32; 4], bool),
    pub out: Bound<'a>,
    pub batch: usize,
    pub heads: usize,
    pub groups: usize,
    pub rows: usize,
    pub keys: usize,
    pub dim: usize,
    pub value_dim: usize,
    pub causal: bool,
    pub scale: f64,
    pub output_scale: f64,
    pub output_bias: f64,
    pub output_relu: bool,
}

impl Problem<'_> {
    /// Encodes the dispatch. `part` is how many keys a part has, all of them but in [`Mode::Part`].
    ///
    /// # Errors
    /// As [`Launch::dispatch`].
    pub fn encode(&self, launch: &mut Launch<'_>, mode: Mode, stats: Binding<'_>, part: usize) -> Result<()> {
        let chunk = if self.dim.max(self.value_dim) <= 32 { 32 } else { 64 };
        let blocks = if self.value_dim > chunk { 2 } else { 1 };
        let columns = self.value_dim.div_ceil(chunk * blocks);
        let parts = self.keys.div_ceil(part);
        let others = self.batch * self.heads * columns * parts;
        let groups = others * self.rows.div_ceil(ROWS);
        let constants = [("CHUNK", chunk as f64), ("BLOCKS", blocks as f64), ("MODE", f64::from(mode as u8))];
        let wide = [self.dim, self.value_dim].iter().all(|d| d.is_multiple_of(4))
            && [self.q, self.k, self.v].iter().all(Operand::aligned);
        let mut params = [0u32; 32];
        let extents = [
            self.rows,
            self.keys,
            self.dim,
            self.value_dim,
            self.batch * self.heads,
            self.heads,
            self.heads / self.groups,
            part,
        ];
        for (word, extent) in params.iter_mut().zip(extents) {
            *word = extent as u32;
        }
        for (i, steps) in [self.q.steps, self.k.steps, self.v.steps, self.mask.1].iter().enumerate() {
            params[8 + 4 * i..12 + 4 * i].copy_from_slice(steps);
        }
        params[24] = self.mask.0.first;
        params[25] = self.out.first;
        params[26] = u32::from(self.causal) | u32::from(self.mask.2) << 1 | u32::from(self.output_relu) << 2;
        params[27] = (self.scale as f32).to_bits();
        params[28] = (self.output_scale as f32).to_bits();
        params[29] = (self.output_bias as f32).to_bits();
        let bindings = [self.q.binding, self.k.binding, self.v.binding, self.mask.0.binding, self.out.binding, stats];
        let shader = match (self.dtype == DType::F16, wide) {
            (false, false) => &TILES_1,
            (false, true) => &TILES_4,
            (true, false) => &TILES_1_F16,
            (true, true) => &TILES_4_F16,
        };
        launch.dispatch(shader, &constants, &bindings, &params, folded(groups as u64))
    }

    /// Encodes the whole attention, in parts if that fills the device better.
    ///
    /// # Errors
    /// Out of memory; as [`Launch::dispatch`].
    pub fn run(&self, launch: &mut Launch<'_>) -> Result<()> {
        let tiles = self.batch * self.heads * self.rows.div_ceil(ROWS) * self.value_dim.div_ceil(128);
        // Parts long enough that adding them up costs little.
        let parts = (ENOUGH / tiles).min(self.keys.div_ceil(TILES * KEYS)).max(1);
        let part = self.keys.div_ceil(parts).next_multiple_of(KEYS);
        let parts = self.keys.div_ceil(part);
        let rows = self.batch * self.heads * self.rows;
        // Sums are counted in 32 bits, and parts are float32.
        if parts == 1 || self.dtype == DType::F16 || parts * rows * self.value_dim > u32::MAX as usize / 4 {
            let nothing = launch.absent().binding;
            return self.encode(launch, Mode::Forward, nothing, self.keys.next_multiple_of(KEYS));
        }
        let sums = launch.scratch(parts * rows * self.value_dim * 4)?;
        let stats = launch.scratch(parts * rows * 8)?;
        let partial = Problem { out: Bound { binding: whole(&sums), first: 0 }, ..*self };
        partial.encode(launch, Mode::Part, whole(&stats), part)?;
        let params = [
            rows as u32,
            self.value_dim as u32,
            parts as u32,
            self.out.first,
            u32::from(self.output_relu),
            (self.output_scale as f32).to_bits(),
            (self.output_bias as f32).to_bits(),
        ];
        let bindings = [whole(&sums), whole(&stats), self.out.binding];
        let groups = folded((rows * self.value_dim).div_ceil(256) as u64);
        launch.dispatch(&MERGE, &[], &bindings, &params, groups)
    }
}

/// Extents and strides of the four dimensions batch, head, row and column; those that a tensor lacks are 1 and 0.
fn four(tensor: &DeviceTensor<'_>) -> [(usize, u32); 4] {
    let dims = tensor.spec.shape.dims();
    let mut out = [(1, 0); 4];
    for (d, extent) in dims.iter().enumerate() {
        // A dimension of one is never stepped along: broadcasting, for a mask.
        let stride = if *extent == 1 { 0 } else { tensor.strides[d] as u32 };
        out[4 - dims.len() + d] = (*extent, stride);
    }
    out
}

/// An operand with rows of neighbouring elements: its own memory, or a dense copy and its strides.
fn operand<'t>(launch: &mut Launch<'_>, tensor: &DeviceTensor<'t>) -> Result<(Dense<'t>, [u32; 4])> {
    let [batch, head, row, column] = four(tensor);
    if column.1 == 1 || column.0 == 1 {
        let bound = launch.bind(tensor)?;
        return Ok((Dense::Own(bound), [bound.first, batch.1, head.1, row.1]));
    }
    let copy = dense(launch, tensor, 1)?;
    let step = |n: usize| n as u32;
    let steps = [copy.bound().first, step(head.0 * row.0 * column.0), step(row.0 * column.0), step(column.0)];
    Ok((copy, steps))
}

fn launch(launch: &mut Launch<'_>, attrs: &Attrs, inputs: Inputs<'_>, outputs: Outputs<'_>) -> Result<()> {
    let how = AttentionAttrs::from_attrs(attrs);
    let [q, k, v] = [required(inputs, 0)?, required(inputs, 1)?, required(inputs, 2)?];
    let mask = optional(inputs, 3);
    let [batch, heads, rows, dim] = four(q).map(|d| d.0);
    let [_, groups, keys, value_dim] = four(v).map(|d| d.0);
    let own = [operand(launch, q)?, operand(launch, k)?, operand(launch, v)?];
    let [q, k, v] = own.each_ref().map(|(tensor, steps)| Operand { binding: tensor.bound().binding, steps: *steps });
    let mask = match mask {
        Some(mask) => (launch.bind(mask)?, four(mask).map(|d| d.1), true),
        None => (launch.absent(), [0; 4], false),
    };
    let problem = Problem {
        dtype: outputs[0].spec.dtype,
        q,
        k,
        v,
        mask,
        out: launch.bind(&outputs[0])?,
        batch,
        heads,
        groups,
        rows,
        keys,
        dim,
        value_dim,
        causal: how.causal,
        scale: how.scale_for(dim),
        output_scale: how.output_scale,
        output_bias: how.output_bias,
        output_relu: how.output_relu,
    };
    problem.run(launch)
}
