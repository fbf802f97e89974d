//! Attention: by tiles of rows and keys, or row by row where there are few, and a second dispatch that adds up where few
//! rows meet many keys. Measured on an H100; see `docs/perf/gpu.md`.

use super::Variants;
use super::dense::{Dense, dense, optional, required};
use crate::launch::{Bound, Inputs, Kernel, Launch, Outputs, folded, whole};
use crate::shader::Shader;
use crate::stream::Binding;
use lc_core::backend::DeviceTensor;
use lc_core::{Attrs, DType, Math, Result};
use lc_ops::AttentionAttrs;
use wgpu::{DeviceType, Features};

const fn shader(name: &'static str, source: &'static str, bindings: u32, needs: Features) -> Shader {
    Shader { name, source, bindings, params: 32, needs }
}

/// A kernel's source for operands of one type and one way to read them.
macro_rules! source {
    ($element:literal, $read:literal, $($kernel:literal),+) => {
        concat!(
            include_str!(concat!("../kernels/element_", $element, ".wgsl")),
            include_str!(concat!("../kernels/attention_read_", $read, ".wgsl")),
            include_str!("../kernels/attention_params.wgsl"),
            $(include_str!(concat!("../kernels/", $kernel, ".wgsl"))),+
        )
    };
}

/// The shaders of one kernel.
#[derive(Debug)]
pub struct Family {
    /// Operands of any extents: float32, float16.
    pub any: [Shader; 2],
    /// Operands whose extents and addresses are multiples of four: float32, float16.
    pub by_4: [Shader; 2],
}

const HALF: Features = Features::SHADER_F16;

/// Rows and keys by tiles.
pub static TILES: Family = Family {
    any: [
        shader("attention.1", source!("f32", "1", "attention_tiles", "attention"), 6, Features::empty()),
        shader("attention.1_f16", source!("f16", "1", "attention_tiles", "attention"), 6, HALF),
    ],
    by_4: [
        shader("attention.4", source!("f32", "4", "attention_tiles", "attention"), 6, Features::empty()),
        shader("attention.4_f16", source!("f16", "4", "attention_tiles", "attention"), 6, HALF),
    ],
};
/// By larger tiles.
pub static WIDE: Family = Family {
    any: [
        shader("attention.wide_1", source!("f32", "1", "attention_tiles", "attention_wide"), 6, Features::empty()),
        shader("attention.wide_1_f16", source!("f16", "1", "attention_tiles", "attention_wide"), 6, HALF),
    ],
    by_4: [
        shader("attention.wide_4", source!("f32", "4", "attention_tiles", "attention_wide"), 6, Features::empty()),
        shader("attention.wide_4_f16", source!("f16", "4", "attention_tiles", "attention_wide"), 6, HALF),
    ],
};
/// Row by row.
pub static FEW: Family = Family {
    any: [
        shader("attention.few_1", source!("f32", "1", "attention_few"), 7, Features::empty()),
        shader("attention.few_1_f16", source!("f16", "1", "attention_few"), 7, HALF),
    ],
    by_4: [
        shader("attention.few_4", source!("f32", "4", "attention_few"), 7, Features::empty()),
        shader("attention.few_4_f16", source!("f16", "4", "attention_few"), 7, HALF),
    ],
};

const fn merge(name: &'static str, source: &'static str, needs: Features) -> Shader {
    Shader { name, source, bindings: 3, params: 7, needs }
}

/// Adds up parts of the keys: for float32, float16.
pub static MERGE: [Shader; 2] = [
    merge(
        "attention.merge",
        concat!(include_str!("../kernels/element_f32.wgsl"), include_str!("../kernels/attention_merge.wgsl")),
        Features::empty(),
    ),
    merge(
        "attention.merge_f16",
        concat!(include_str!("../kernels/element_f16.wgsl"), include_str!("../kernels/attention_merge.wgsl")),
        HALF,
    ),
];

/// Some of the constants that [`TILES`] are used with.
pub const VARIANTS: Variants = &[
    &[("CHUNK", 64.0), ("BLOCKS", 1.0), ("MODE", 0.0)],
    &[("CHUNK", 32.0), ("BLOCKS", 1.0), ("MODE", 1.0)],
    &[("CHUNK", 64.0), ("BLOCKS", 2.0), ("MODE", 2.0)],
    &[("CHUNK", 64.0), ("BLOCKS", 1.0), ("MODE", 3.0)],
];
/// And [`WIDE`].
pub const WIDE_VARIANTS: Variants = &[&[("BLOCKS", 1.0), ("MODE", 0.0)], &[("BLOCKS", 2.0), ("MODE", 3.0)]];
/// And [`FEW`].
pub const FEW_VARIANTS: Variants = &[&[("COLUMNS", 16.0), ("MODE", 0.0)], &[("COLUMNS", 32.0), ("MODE", 3.0)]];

/// How rows and keys are shared out among workgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Tiles of 64 rows and 32 keys.
    Tiles,
    /// Tiles of 128 rows and 64 keys.
    Wide,
    /// One row, whose keys and values are read as they come.
    Few,
}

/// Rows that are better off one by one than in a tile, and the longest that fit workgroup memory then.
const FEW_ROWS: usize = 8;
const FEW_ELEMENTS: usize = 1024;

impl Form {
    /// Rows of a workgroup.
    fn rows(self) -> usize {
        match self {
            Form::Tiles => 64,
            Form::Wide => 128,
            Form::Few => 1,
        }
    }

    /// Keys that it takes at a time.
    fn keys(self) -> usize {
        match self {
            Form::Tiles => 32,
            Form::Wide => 64,
            Form::Few => 256,
        }
    }

    /// Workgroups that keep a large device busy, and the fewest times [`Form::keys`] of a part that are worth adding up.
    fn enough(self) -> (usize, usize) {
        match self {
            Form::Tiles => (528, 4),
            Form::Wide => (264, 4),
            Form::Few => (1056, 1),
        }
    }

    fn family(self) -> &'static Family {
        match self {
            Form::Tiles => &TILES,
            Form::Wide => &WIDE,
            Form::Few => &FEW,
        }
    }
}

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
    /// The form for a mode: the same for [`Mode::Forward`] and [`Mode::Part`].
    fn form(&self, mode: Mode) -> Form {
        let summed = matches!(mode, Mode::Forward | Mode::Part);
        if summed && self.rows <= FEW_ROWS && self.dim.max(self.value_dim) <= FEW_ELEMENTS {
            return Form::Few;
        }
        // Large tiles that fill half of a large device, with all the parts that their keys can have.
        let tiles = self.batch * self.heads * self.rows.div_ceil(Form::Wide.rows());
        let (enough, few) = Form::Wide.enough();
        let parts = match self.dtype {
            DType::F32 => self.keys.div_ceil(few * Form::Wide.keys()),
            _ => 1,
        };
        let filled = tiles * parts >= enough / 4;
        match summed && filled && self.rows > Form::Tiles.rows() && self.value_dim > 32 {
            true => Form::Wide,
            false => Form::Tiles,
        }
    }

    /// Columns of the result that a workgroup computes: of a chunk, and chunks.
    fn columns(&self, form: Form) -> (usize, usize) {
        let chunk = match form {
            Form::Few => return (self.value_dim, 1),
            Form::Tiles if self.dim.max(self.value_dim) <= 32 => 32,
            _ => 64,
        };
        (chunk, if self.value_dim > chunk { 2 } else { 1 })
    }

    /// Encodes the dispatch. `part` is how many keys a part has, all of them but in [`Mode::Part`].
    ///
    /// # Errors
    /// As [`Launch::dispatch`].
    pub fn encode(&self, launch: &mut Launch<'_>, mode: Mode, stats: Binding<'_>, part: usize) -> Result<()> {
        let form = self.form(mode);
        let (chunk, blocks) = self.columns(form);
        let parts = self.keys.div_ceil(part);
        let others = self.batch * self.heads * self.value_dim.div_ceil(chunk * blocks) * parts;
        let groups = others * self.rows.div_ceil(form.rows());
        let vectors = self.value_dim.div_ceil(4).next_power_of_two();
        let mode = ("MODE", f64::from(mode as u8));
        let software = launch.backend().adapter().info.device_type == DeviceType::Cpu;
        let constants: &[_] = match form {
            Form::Tiles => &[("CHUNK", chunk as f64), ("BLOCKS", blocks as f64), mode],
            Form::Wide => &[("BLOCKS", blocks as f64), mode, ("WRITTEN_OUT", f64::from(u8::from(!software)))],
            Form::Few => &[("COLUMNS", vectors as f64), mode],
        };
        let by_4 = [self.dim, self.value_dim].iter().all(|d| d.is_multiple_of(4))
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
        // The result again: of a part it is float32, whatever the operands are.
        let out = self.out.binding;
        let bindings = [self.q.binding, self.k.binding, self.v.binding, self.mask.0.binding, out, stats, out];
        let family = form.family();
        let shader = &if by_4 { &family.by_4 } else { &family.any }[usize::from(self.dtype == DType::F16)];
        launch.dispatch(shader, constants, &bindings[..shader.bindings as usize], &params, folded(groups as u64))
    }

    /// Encodes the whole attention, in parts if that fills the device better.
    ///
    /// # Errors
    /// Out of memory; as [`Launch::dispatch`].
    pub fn run(&self, launch: &mut Launch<'_>) -> Result<()> {
        let form = self.form(Mode::Forward);
        let (chunk, blocks) = self.columns(form);
        let rows = self.batch * self.heads * self.rows;
        let groups =
            self.batch * self.heads * self.rows.div_ceil(form.rows()) * self.value_dim.div_ceil(chunk * blocks);
        let (enough, few) = form.enough();
        // Parts long enough that adding them up costs little.
        let parts = (enough / groups).min(self.keys.div_ceil(few * form.keys())).max(1);
        let part = self.keys.div_ceil(parts).next_multiple_of(form.keys());
        let parts = self.keys.div_ceil(part);
        let half = self.dtype == DType::F16;
        // Sums are counted in 32 bits, and parts are float32.
        if parts == 1 || half && form != Form::Few || parts * rows * self.value_dim > u32::MAX as usize / 4 {
            let nothing = launch.absent().binding;
            return self.encode(launch, Mode::Forward, nothing, self.keys.next_multiple_of(form.keys()));
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
        launch.dispatch(&MERGE[usize::from(half)], &[], &bindings, &params, groups)
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
