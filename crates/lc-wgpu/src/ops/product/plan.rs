//! Which kernels compute a product.
//!
//! 0. At most [`THIN`] rows or columns: no tiles, since each element of the larger operand counts once for each of them.
//!    Columns become rows by turning the product over. Whichever dimension of the larger operand is dense, neighbouring
//!    threads read along it.
//! 1. The tile: 64 by 64 where its edges waste no more than half again, 32 by 32 elsewhere. Eight by eight results a
//!    thread where there are many tiles; four by four, which needs four times the threads, where they are [`ENOUGH`] to
//!    give all units of a large device work.
//! 2. The split: where even so there are fewer than [`ENOUGH`] workgroups and k is deep, several sum a part of k each, and
//!    a second pass adds the parts in their order. The same call always gives the same bits.
//! 3. Vectors of four, where every operand has a dense dimension of a multiple of four and is aligned.

use super::Product;
use super::shaders::Family;
use crate::shader::Shader;
use lc_core::DType;

/// The most rows or columns of a product that is not tiled.
pub(super) const THIN: usize = 4;
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
    /// 128 by 128, sixteen by eight a thread, 8 deep.
    Large128,
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
    /// 128 by 128, or 256 by 128 of float32, on matrix units of 16, four by four of them a subgroup, every tile whole.
    Matrix16Whole,
    /// 64 by 64 on matrix units of 8.
    Matrix8,
}

impl Variant {
    /// Rows and columns of a tile.
    fn tile(self, dtype: DType) -> [usize; 2] {
        match self {
            Variant::Matrix16Whole if dtype == DType::F32 => [256, 128],
            Variant::Wide128 | Variant::Large128 => [128; 2],
            Variant::Matrix16 | Variant::Matrix16Half | Variant::Matrix16Whole => [128; 2],
            Variant::Narrow32 => [32; 2],
            _ => [64; 2],
        }
    }

    fn depth(self) -> usize {
        match self {
            Variant::Wide128 | Variant::Narrow32 => 16,
            Variant::Wide64 | Variant::Large128 => 8,
            _ => 32,
        }
    }

    /// Whether operands are rounded to float16 and multiplied on matrix units.
    pub fn rounds(self) -> bool {
        matches!(self, Variant::Matrix8) || self.of_16()
    }

    /// Whether it takes matrix units of 16.
    pub fn of_16(self) -> bool {
        matches!(self, Variant::Matrix16 | Variant::Matrix16Half | Variant::Matrix16Whole)
    }

    /// The one that computes a product of these elements where this one cannot.
    pub(super) fn fallback(self, dtype: DType) -> Variant {
        match (self, dtype) {
            // Operands that are rounded on the way take more registers: on an H100 the smaller share a subgroup is half as
            // fast again for float32 tensors, and two thirds as fast for float16 ones (docs/perf/gpu.md).
            (Variant::Matrix16Whole, DType::F32) => Variant::Matrix16Half,
            (Variant::Matrix16Whole, _) => Variant::Matrix16,
            _ => self,
        }
    }

    fn tiles(self, product: &Product<'_>) -> usize {
        let [rows, columns] = self.tile(product.dtype);
        product.m.div_ceil(rows) * product.n.div_ceil(columns)
    }
}

/// What is dispatched.
pub(super) struct Plan {
    pub shader: &'static Shader,
    /// The same kernel for operands that share no buffer with what is written, where there is one.
    pub apart: Option<&'static Shader>,
    pub reduce: &'static Shader,
    /// Workgroups for one part of one product.
    pub groups: usize,
    pub splits: usize,
    /// The part of k that a split sums.
    pub chunk: usize,
    /// Values of the shader's constants.
    pub constants: Vec<(&'static str, f64)>,
}

impl Plan {
    /// The kernels of a folded and settled product, or those of `variant` where they can compute it.
    pub fn of(product: &Product<'_>, variant: Option<Variant>) -> Plan {
        let vectors = vectors(product, 4);
        // Matrix units are fed in vectors only; other operands take the portable kernel, which rounds less.
        let variant = variant.filter(|v| !v.rounds() || vectors.is_some()).map(|v| match v {
            Variant::Matrix16Whole if !whole(product) => v.fallback(product.dtype),
            _ => v,
        });
        match variant {
            None if product.m <= THIN => Plan::thin(product),
            None => Plan::tiled(product, choose(product), vectors),
            Some(variant) => Plan::tiled(product, variant, vectors),
        }
    }

    fn tiled(product: &Product<'_>, variant: Variant, vectors: Option<[bool; 2]>) -> Plan {
        let groups = variant.tiles(product);
        let (splits, chunk) = split(product.k, groups * product.count(), ENOUGH, variant.depth());
        let family = Family::of(product.dtype);
        let shader = match (variant, vectors) {
            (Variant::Matrix16, _) => family.coop16,
            (Variant::Matrix16Half, _) => family.coop16_half,
            (Variant::Matrix16Whole, _) => family.coop16_whole,
            (Variant::Matrix8, _) => family.coop8,
            (Variant::Large128, Some(_)) => family.vec16x8,
            (Variant::Large128, None) => family.scalar16x8,
            (Variant::Narrow64 | Variant::Narrow32, Some(_)) => family.vec4,
            (Variant::Narrow64 | Variant::Narrow32, None) => family.scalar4,
            (_, Some(_)) => family.vec8,
            (_, None) => family.scalar8,
        };
        let apart = match (variant, vectors) {
            (Variant::Large128, Some(_)) => Some(family.vec16x8_read),
            (Variant::Wide128 | Variant::Wide64, Some(_)) => Some(family.vec8_read),
            _ => None,
        };
        let (a, b) = (&product.a, &product.b);
        let along_k = vectors.unwrap_or([nearer(a.across, a.down), nearer(b.down, b.across)]);
        let mode = if splits > 1 { 2 } else { u8::from(product.epilogue()) };
        let mut constants = vec![
            ("MODE", f64::from(mode)),
            ("A_ALONG_K", f64::from(u8::from(along_k[0]))),
            ("B_ALONG_K", f64::from(u8::from(along_k[1]))),
        ];
        if !variant.rounds() {
            let (tile, depth) = (variant.tile(product.dtype)[0] as f64, variant.depth() as f64);
            constants.extend([("T", tile), ("TK", depth)]);
        }
        Plan { shader, apart, reduce: family.reduce, groups, splits, chunk, constants }
    }

    fn thin(product: &Product<'_>) -> Plan {
        let Product { n, k, b, batch, .. } = product;
        let aligned = four(b.bound.first as usize) && batch.iter().all(|b| four(b.strides[1]));
        let dense = if aligned { dense(b.down, *k, b.across, *n, 4) } else { None };
        let across = dense.unwrap_or_else(|| nearer(b.down, b.across));
        let family = Family::of(product.dtype);
        let (shader, columns) = match (across, dense) {
            (true, Some(_)) => (family.across_vec4, 4),
            (true, None) => (family.across_scalar, 4),
            (false, Some(_)) => (family.down_vec4, 128),
            (false, None) => (family.down_scalar, 128),
        };
        let groups = n.div_ceil(columns);
        // These workgroups do little each: more of them keep as many loads under way.
        let (splits, chunk) = split(*k, groups * product.count(), 4 * ENOUGH, 4);
        let constants = vec![("M", product.m as f64)];
        Plan { shader, apart: None, reduce: family.reduce, groups, splits, chunk, constants }
    }
}

fn choose(product: &Product<'_>) -> Variant {
    let exact = product.m * product.n;
    let groups = |variant: Variant| variant.tiles(product) * product.count();
    let fits = |variant: Variant| {
        let computed = variant.tiles(product) * variant.tile(product.dtype).into_iter().product::<usize>();
        computed <= exact + exact / 2
    };
    // On an H100 1024 by 1024, which is split in four, runs at 27 TFLOP/s in large tiles and at 23 in narrow ones; 1536 by 1536,
    // which is not, at 20 in large, 25 in wide and 21 in narrow ones.
    let splits = product.k >= 4 * DEEP && (ENOUGH / 2..ENOUGH).contains(&groups(Variant::Large128));
    let large = splits || groups(Variant::Large128) >= 2 * ENOUGH;
    match () {
        () if fits(Variant::Large128) && large => Variant::Large128,
        () if fits(Variant::Wide64) && groups(Variant::Wide64) >= 4 * ENOUGH => Variant::Wide64,
        () if fits(Variant::Narrow64) && groups(Variant::Narrow64) >= ENOUGH => Variant::Narrow64,
        () => Variant::Narrow32,
    }
}

/// Whether tiles for matrix units would be half full at least.
pub(super) fn fills_matrix_units(product: &Product<'_>) -> bool {
    product.m >= 32 && product.n >= 32 && vectors(product, 4).is_some()
}

/// How many sum parts of k, and how long a part is: a multiple of `depth`.
fn split(k: usize, groups: usize, enough: usize, depth: usize) -> (usize, usize) {
    let splits = match groups {
        few if few < enough => (2 * enough).div_ceil(few).min(k / DEEP).clamp(1, MOST_SPLITS),
        _ => 1,
    };
    let chunk = k.div_ceil(splits).next_multiple_of(depth);
    (k.div_ceil(chunk), chunk)
}

/// Whether a product has the rows and columns of a whole tile, and operands that are read sixteen bytes at a time.
fn whole(product: &Product<'_>) -> bool {
    let [rows, columns] = Variant::Matrix16Whole.tile(product.dtype);
    product.m >= rows && product.n >= columns && vectors(product, 16 / product.dtype.size()).is_some()
}

fn four(x: usize) -> bool {
    x.is_multiple_of(4)
}

/// Whether neighbours along k are nearer than those along the other dimension. A stride of 0 is one of a single element
/// or of one that repeats.
fn nearer(along_k: usize, other: usize) -> bool {
    along_k != 0 && (other == 0 || along_k <= other)
}

/// Whether an operand is read in vectors of so many elements along k, if it can be read in vectors at all.
fn dense(k_stride: usize, k: usize, other_stride: usize, other: usize, width: usize) -> Option<bool> {
    let vector = |x: usize| x.is_multiple_of(width);
    if k_stride == 1 && vector(k) && vector(other_stride) {
        Some(true)
    } else if other_stride == 1 && vector(other) && vector(k_stride) {
        Some(false)
    } else {
        None
    }
}

/// Whether each operand is read in vectors along k, if all can be read in vectors of so many elements at all. Results are
/// written in vectors of four.
fn vectors(product: &Product<'_>, width: usize) -> Option<[bool; 2]> {
    let Product { m, n, k, a, b, out, batch, .. } = product;
    let vector = |x: usize| x.is_multiple_of(width);
    let aligned = vector(a.bound.first as usize)
        && vector(b.bound.first as usize)
        && four(out.first as usize)
        && four(*n)
        && batch.iter().all(|b| vector(b.strides[0]) && vector(b.strides[1]));
    match aligned {
        true => Some([dense(a.across, *k, a.down, *m, width)?, dense(b.down, *k, b.across, *n, width)?]),
        false => None,
    }
}
