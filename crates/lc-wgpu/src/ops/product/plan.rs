//! Which kernels compute a product.
//!
//! 1. The tile: the largest of 128, 64 and 32 whose tiles are at least [`ENOUGH`] workgroups, so that a large device has
//!    work for all of its units, and of which edges waste no more than half again; 32 if none is.
//! 2. The split: where even so there are fewer than [`ENOUGH`] workgroups and k is deep, several sum a part of k each, and
//!    a second pass adds the parts in their order. The same call always gives the same bits.
//! 3. Vectors of four, where every operand has a dense dimension of a multiple of four and is aligned.

use super::Product;
use super::shaders::Family;
use crate::shader::Shader;

/// Workgroups that keep a large device busy.
const ENOUGH: usize = 128;
/// The least depth of a split: below it the second pass costs more than it saves.
const DEEP: usize = 256;
/// The most parts of a split.
const MOST_SPLITS: usize = 64;

/// A tile of the result, and the threads that compute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// 128 by 128, eight by eight a thread, 16 deep.
    Wide128,
    /// 64 by 64, eight by eight a thread, 8 deep.
    Wide64,
    /// 64 by 64, four by four a thread, 32 deep.
    Narrow64,
    /// 32 by 32, four by four a thread, 16 deep.
    Narrow32,
    /// 128 by 128 on matrix units of 16, four by four of them a subgroup.
    Matrix16,
    /// 128 by 128 on matrix units of 16, four by two of them a subgroup.
    Matrix16Half,
    /// 64 by 64 on matrix units of 8.
    Matrix8,
}

impl Variant {
    fn tile(self) -> usize {
        match self {
            Variant::Wide128 | Variant::Matrix16 | Variant::Matrix16Half => 128,
            Variant::Wide64 | Variant::Narrow64 | Variant::Matrix8 => 64,
            Variant::Narrow32 => 32,
        }
    }

    fn depth(self) -> usize {
        match self {
            Variant::Wide128 | Variant::Narrow32 => 16,
            Variant::Wide64 => 8,
            Variant::Narrow64 | Variant::Matrix16 | Variant::Matrix16Half | Variant::Matrix8 => 32,
        }
    }

    /// Whether operands are rounded to float16 and multiplied on matrix units.
    pub fn rounds(self) -> bool {
        matches!(self, Variant::Matrix16 | Variant::Matrix16Half | Variant::Matrix8)
    }

    fn tiles(self, product: &Product<'_>) -> usize {
        product.m.div_ceil(self.tile()) * product.n.div_ceil(self.tile())
    }
}

/// What is dispatched.
pub(super) struct Plan {
    pub shader: &'static Shader,
    pub reduce: &'static Shader,
    pub groups: usize,
    pub splits: usize,
    pub chunk: usize,
    variant: Variant,
    mode: u32,
    along_k: [bool; 2],
}

impl Plan {
    pub fn of(product: &Product<'_>, variant: Option<Variant>) -> Plan {
        let products: usize = product.batch.iter().map(|b| b.extent).product();
        let vectors = vectors(product);
        // Matrix units are fed in vectors only; other operands take the portable kernel, which rounds less.
        let variant = variant.filter(|v| !v.rounds() || vectors.is_some());
        let variant = variant.unwrap_or_else(|| choose(product, products));
        let groups = variant.tiles(product);
        let splits = split(product.k, groups * products);
        let chunk = product.k.div_ceil(splits).next_multiple_of(variant.depth());
        let splits = product.k.div_ceil(chunk);
        let family = Family::of(product.dtype);
        let shader = match (variant, vectors) {
            (Variant::Matrix16, _) => family.coop16,
            (Variant::Matrix16Half, _) => family.coop16_half,
            (Variant::Matrix8, _) => family.coop8,
            (Variant::Wide128 | Variant::Wide64, Some(_)) => family.vec8,
            (Variant::Wide128 | Variant::Wide64, None) => family.scalar8,
            (_, Some(_)) => family.vec4,
            (_, None) => family.scalar4,
        };
        let near = |k: usize, other: usize| k != 0 && (other == 0 || k <= other);
        let along_k =
            vectors.unwrap_or([near(product.a.across, product.a.down), near(product.b.down, product.b.across)]);
        let mode = if splits > 1 { 2 } else { u32::from(product.epilogue()) };
        Plan { shader, reduce: family.reduce, groups, splits, chunk, variant, mode, along_k }
    }

    /// Values of the shader's constants.
    pub fn constants(&self) -> Vec<(&'static str, f64)> {
        let flag = |on: bool| f64::from(u8::from(on));
        let mut constants = vec![
            ("MODE", f64::from(self.mode)),
            ("A_ALONG_K", flag(self.along_k[0])),
            ("B_ALONG_K", flag(self.along_k[1])),
        ];
        if !self.variant.rounds() {
            let (tile, depth) = (self.variant.tile() as f64, self.variant.depth() as f64);
            constants.extend([("T", tile), ("TK", depth), ("LANES", 8.0)]);
        }
        constants
    }
}

fn choose(product: &Product<'_>, products: usize) -> Variant {
    let exact = product.m * product.n;
    for variant in [Variant::Wide128, Variant::Wide64] {
        let groups = variant.tiles(product);
        let computed = groups * variant.tile() * variant.tile();
        if groups * products >= ENOUGH && computed <= exact + exact / 2 {
            return variant;
        }
    }
    Variant::Narrow32
}

fn split(k: usize, groups: usize) -> usize {
    match groups {
        ENOUGH.. => 1,
        _ => (2 * ENOUGH).div_ceil(groups).min(k / DEEP).clamp(1, MOST_SPLITS),
    }
}

/// Whether each operand is read in vectors along k, if all can be read in vectors at all.
fn vectors(product: &Product<'_>) -> Option<[bool; 2]> {
    let Product { m, n, k, a, b, out, batch, .. } = product;
    let four = |x: usize| x.is_multiple_of(4);
    let aligned = four(a.bound.first as usize)
        && four(b.bound.first as usize)
        && four(out.first as usize)
        && four(*n)
        && batch.iter().all(|b| four(b.strides[0]) && four(b.strides[1]));
    let along = |k_stride: usize, other_stride: usize, other: usize| {
        if k_stride == 1 && four(*k) && four(other_stride) {
            Some(true)
        } else if other_stride == 1 && four(other) && four(k_stride) {
            Some(false)
        } else {
            None
        }
    };
    match aligned {
        true => Some([along(a.across, a.down, *m)?, along(b.down, b.across, *n)?]),
        false => None,
    }
}
