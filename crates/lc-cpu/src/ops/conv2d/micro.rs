//! The register block: a few vectors of output positions by a few output channels.

use super::tile::{Gather, Tile};
use crate::isa::Isa;
use crate::simd::{Float, Simd, Vector};

/// Output channels of a register block.
pub(super) const OUTS: usize = 4;

/// Vectors of positions of a register block: with [`OUTS`] sums each, the positions themselves and one weight, what the
/// registers of the set hold.
const fn positions(isa: Isa) -> usize {
    match isa {
        Isa::Avx512 | Isa::Neon => 4,
        Isa::Avx2 => 3,
        Isa::Scalar => 2,
    }
}

/// What one pass over a tile computes.
pub(super) struct Block<T> {
    /// The weight of the first tap for the first output channel; those of its other taps follow.
    pub(super) w: *const T,
    /// Elements from one output channel's weights to the next.
    pub(super) w_stride: usize,
    /// Output channels.
    pub(super) outs: usize,
    /// The first output channel's bias, and the stride.
    pub(super) bias: Option<(*const T, isize)>,
    /// Whether the sums start from what `out` holds rather than from the bias.
    pub(super) accumulate: bool,
    /// Whether negative results become zero.
    pub(super) relu: bool,
}

/// Computes all positions of the tile for all output channels of the block. `out` is the first of the first channel, the
/// channels are `plane` elements apart.
///
/// # Safety
/// Inside [`crate::simd::Kernel::run`]; the tile must be filled for the block, and `out` writable.
#[inline(always)]
pub(super) unsafe fn block<S: Simd, T: Float>(tile: &Tile<T>, block: &Block<T>, out: *mut T, plane: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        let mut first = 0;
        while first < block.outs {
            let outs = OUTS.min(block.outs - first);
            let own = out.add(first * plane);
            match outs {
                1 => sweep::<S, T, 1>(tile, block, first, 1, own, plane),
                _ => sweep::<S, T, OUTS>(tile, block, first, outs, own, plane),
            }
            first += outs;
        }
    }
}

/// A vector of positions: where it reads, where its results go, and how many they are.
#[derive(Clone, Copy)]
struct Place<T> {
    x: *const T,
    out: *mut T,
    n: usize,
}

/// The vectors of positions of a tile, in order.
struct Places<T> {
    x: *const T,
    out: *mut T,
    lanes: usize,
    width: usize,
    x_step: usize,
    out_step: usize,
    column: usize,
    left: usize,
}

impl<T: Float> Places<T> {
    #[inline(always)]
    fn of(tile: &Tile<T>, lanes: usize, out: *mut T) -> Places<T> {
        // Where rows follow each other without a gap they are one.
        let (rows, width) = match tile.gather() {
            Gather::Rows => (tile.rows, tile.out_w),
            Gather::Columns | Gather::Patches => (1, tile.rows * tile.out_w),
        };
        let left = rows * width.div_ceil(lanes);
        Places { x: tile.data(), out, lanes, width, x_step: tile.step(), out_step: tile.out_w, column: 0, left }
    }

    #[inline(always)]
    fn next(&mut self) -> Place<T> {
        let n = self.lanes.min(self.width - self.column);
        let place = Place { x: self.x.wrapping_add(self.column), out: self.out.wrapping_add(self.column), n };
        self.left -= 1;
        self.column += self.lanes;
        if self.column >= self.width {
            self.column = 0;
            self.x = self.x.wrapping_add(self.x_step);
            self.out = self.out.wrapping_add(self.out_step);
        }
        place
    }
}

/// All positions for the channels `first..first + outs` of the block; `out` is the first one's.
///
/// # Safety
/// As [`block`]; `outs <= OB`.
#[inline(always)]
unsafe fn sweep<S: Simd, T: Float, const OB: usize>(
    tile: &Tile<T>,
    block: &Block<T>,
    first: usize,
    outs: usize,
    out: *mut T,
    plane: usize,
) {
    let mut w = [block.w; OB];
    let mut bias = [T::ZERO; OB];
    for o in 0..OB {
        // Channels past the last repeat it; their results are not stored.
        let channel = first + o.min(outs - 1);
        w[o] = block.w.wrapping_add(channel * block.w_stride);
        if let Some((b, stride)) = block.bias {
            // SAFETY: `channel < block.outs`.
            bias[o] = unsafe { *b.wrapping_offset(channel as isize * stride) };
        }
    }
    let mut places = Places::of(tile, T::V::<S>::LANES, out);
    // SAFETY: the caller's contract.
    unsafe {
        let step = positions(S::ISA);
        while places.left >= step {
            match step {
                4 => registers::<S, T, OB, 4>(tile, block, w, bias, outs, &mut places, plane),
                3 => registers::<S, T, OB, 3>(tile, block, w, bias, outs, &mut places, plane),
                _ => registers::<S, T, OB, 2>(tile, block, w, bias, outs, &mut places, plane),
            }
        }
        match places.left {
            0 => {}
            1 => registers::<S, T, OB, 1>(tile, block, w, bias, outs, &mut places, plane),
            2 => registers::<S, T, OB, 2>(tile, block, w, bias, outs, &mut places, plane),
            _ => registers::<S, T, OB, 3>(tile, block, w, bias, outs, &mut places, plane),
        }
    }
}

/// `P` vectors of positions by `OB` channels.
///
/// # Safety
/// As [`sweep`]; at least `P` places are left.
#[inline(always)]
unsafe fn registers<S: Simd, T: Float, const OB: usize, const P: usize>(
    tile: &Tile<T>,
    block: &Block<T>,
    w: [*const T; OB],
    bias: [T; OB],
    outs: usize,
    places: &mut Places<T>,
    plane: usize,
) {
    let lanes = T::V::<S>::LANES;
    // SAFETY: reads of the tile at the offsets of its taps, of the weights of the same taps, and writes of the `n`
    // results of each place.
    unsafe {
        let mut at = [Place { x: std::ptr::null(), out: std::ptr::null_mut(), n: 0 }; P];
        for place in &mut at {
            *place = places.next();
        }
        let mut sums = [[T::V::<S>::zero(); P]; OB];
        for o in 0..OB {
            for j in 0..P {
                sums[o][j] = if !block.accumulate {
                    T::V::<S>::splat(bias[o])
                } else if o >= outs {
                    T::V::<S>::zero()
                } else if at[j].n == lanes {
                    T::V::<S>::load(at[j].out.add(o * plane))
                } else {
                    T::V::<S>::load_n(at[j].out.add(o * plane), at[j].n)
                };
            }
        }
        let offsets = tile.offsets();
        for tap in 0..tile.taps {
            let offset = *offsets.add(tap);
            let mut x = [T::V::<S>::zero(); P];
            for j in 0..P {
                x[j] = T::V::<S>::load(at[j].x.add(offset));
            }
            for o in 0..OB {
                let weight = T::V::<S>::splat(*w[o].add(tap));
                for j in 0..P {
                    sums[o][j] = weight.mul_add(x[j], sums[o][j]);
                }
            }
        }
        // Loops apart, and small: each must unroll, or the sums are kept in memory.
        if block.relu {
            for o in 0..OB {
                for j in 0..P {
                    sums[o][j] = T::V::<S>::zero().max(sums[o][j]);
                }
            }
        }
        for o in 0..OB {
            if o >= outs {
                break;
            }
            for j in 0..P {
                let y = sums[o][j];
                if at[j].n == lanes {
                    y.store(at[j].out.add(o * plane));
                } else {
                    y.store_n(at[j].out.add(o * plane), at[j].n);
                }
            }
        }
    }
}
