//! The micro-kernel: a tile of C of a few rows by a few vectors, kept in registers over a whole block of k.
//!
//! One step of k loads a row of the tile's part of B (`NV` vectors) and broadcasts `MR` elements of A, each used in
//! `NV` multiply-adds. The heights and widths below fill the register file of each instruction set: accumulators, one
//! row of B and one broadcast.
//!
//! | set | registers | tile (f32) | tile (f64) |
//! | --- | ---: | --- | --- |
//! | AVX-512 | 32 | 14 × 32 | 14 × 16 |
//! | AVX2 | 16 | 6 × 16 | 6 × 8 |
//! | NEON | 32 | 8 × 12 | 8 × 6 |
//! | scalar | – | 4 × 4 | 4 × 4 |
//!
//! Every height from one row up has its own kernel, so that an edge costs what its rows cost.

use super::{copy, gemv, transpose};
use crate::isa::Isa;
use crate::math::{self, MathFloat};
use crate::simd::{Kernel, Simd, Vector, dispatch, prefetch};
use lc_core::Activation;
use std::marker::PhantomData;

/// The tallest tile of any instruction set.
pub const MAX_ROWS: usize = 14;
/// The most vectors a row of a tile has in any instruction set.
pub const MAX_VECTORS: usize = 4;
/// The most elements a tile has: 14 × 32 `f32` of AVX-512.
pub const MAX_TILE: usize = 14 * 32;

const fn rows_of(isa: Isa) -> usize {
    match isa {
        Isa::Avx512 => 14,
        Isa::Avx2 => 6,
        Isa::Neon => 8,
        Isa::Scalar => 4,
    }
}

const fn vectors_of(isa: Isa) -> usize {
    match isa {
        Isa::Avx512 | Isa::Avx2 => 2,
        Isa::Neon => 3,
        Isa::Scalar => 4,
    }
}

/// What is left to do to a tile once its last block of k is summed.
#[derive(Clone, Copy)]
pub struct Finish<T> {
    pub scale: T,
    /// One element a column, unit stride; null if there is none.
    pub col_bias: *const T,
    /// One element a row; null if there is none.
    pub row_bias: *const T,
    pub row_bias_stride: isize,
    /// Unit stride along a row; null if there is none.
    pub residual: *const T,
    pub residual_row: isize,
    pub relu: bool,
}

/// One call of a micro-kernel. The height and the number of vectors choose the function.
#[derive(Clone, Copy)]
pub struct Tile<'a, T> {
    pub k: usize,
    pub a: *const T,
    pub a_row: isize,
    pub a_col: isize,
    /// Unit stride along a row.
    pub b: *const T,
    pub b_row: isize,
    /// Whether B ends with the tile's last column, so that its last vector must be read in part.
    pub b_ends: bool,
    /// Unit stride along a row.
    pub c: *mut T,
    pub c_row: isize,
    /// How many lanes of the last vector of a row belong to C, 1 to `LANES`.
    pub tail: usize,
    /// Adds to what C holds (a later block of k) instead of writing over it.
    pub accumulate: bool,
    /// Only with the last block of k.
    pub finish: Option<&'a Finish<T>>,
    /// What to bring into the second-level cache meanwhile.
    pub ahead: [Ahead<T>; 2],
}

/// Memory that is needed soon: with every cache line's length of k, `count` runs of `lines` lines, `stride` elements
/// apart, then on by `step` elements. Any address is fine.
pub struct Ahead<T> {
    pub ptr: *const T,
    pub step: isize,
    pub stride: isize,
    pub count: usize,
    pub lines: usize,
}

impl<T> Clone for Ahead<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Ahead<T> {}

impl<T> Ahead<T> {
    /// No memory.
    pub const NOTHING: Ahead<T> = Ahead { ptr: std::ptr::null(), step: 0, stride: 0, count: 0, lines: 0 };
    /// How many elements a cache line holds: the length of k between two rounds.
    pub const LINE: usize = 64 / size_of::<T>();
}

/// # Safety
/// The pointers of the tile are valid for its extents and the processor has the function's instruction set.
pub type TileFn<T> = unsafe fn(&Tile<'_, T>);

/// Applies an activation in place to `rows` rows of `cols` elements, `stride` apart.
pub type ActivateFn<T> = unsafe fn(c: *mut T, stride: isize, rows: usize, cols: usize, activation: Activation);

/// The kernels of one instruction set for one type.
pub struct Micro<T: 'static> {
    /// Rows of the tallest tile.
    pub rows: usize,
    /// Vectors of the widest tile.
    pub vectors: usize,
    /// Elements of a vector.
    pub lanes: usize,
    tiles: [[TileFn<T>; MAX_ROWS]; MAX_VECTORS],
    pub activate: ActivateFn<T>,
    pub copy: copy::CopyFn<T>,
    pub transpose: copy::CopyFn<T>,
    pub rows_of_b: gemv::StripFn<T>,
    pub dots: gemv::StripFn<T>,
}

impl<T: MathFloat> Micro<T> {
    /// The kernels of `isa`.
    #[inline]
    pub fn of(isa: Isa) -> &'static Micro<T> {
        struct Find<T>(PhantomData<T>);
        impl<T: MathFloat> Kernel for Find<T> {
            type Output = &'static Micro<T>;
            #[inline(always)]
            unsafe fn run<S: Simd>(self) -> &'static Micro<T> {
                Made::<T, S>::MICRO
            }
        }
        dispatch(isa, Find(PhantomData))
    }

    /// Columns of the widest tile: the width of a packed panel of B.
    #[inline]
    pub fn cols(&self) -> usize {
        self.vectors * self.lanes
    }

    /// The kernel for a tile of `rows` by `vectors`.
    #[inline]
    pub fn tile(&self, rows: usize, vectors: usize) -> TileFn<T> {
        debug_assert!(rows <= self.rows && vectors <= self.vectors);
        self.tiles[vectors - 1][rows - 1]
    }
}

struct Made<T, S>(PhantomData<(T, S)>);

impl<T: MathFloat, S: Simd> Made<T, S> {
    const MICRO: &'static Micro<T> = &Micro {
        rows: rows_of(S::ISA),
        vectors: vectors_of(S::ISA),
        lanes: <T::V<S> as Vector>::LANES,
        tiles: [Self::heights::<1>(), Self::heights::<2>(), Self::heights::<3>(), Self::heights::<4>()],
        activate: activate_entry::<T, S>,
        copy: copy::copy_entry::<T, S>,
        transpose: transpose::entry::<T, S>,
        rows_of_b: gemv::rows_entry::<T, S>,
        dots: gemv::dots_entry::<T, S>,
    };

    const fn heights<const NV: usize>() -> [TileFn<T>; MAX_ROWS] {
        [
            tile_entry::<T, S, 1, NV>,
            tile_entry::<T, S, 2, NV>,
            tile_entry::<T, S, 3, NV>,
            tile_entry::<T, S, 4, NV>,
            tile_entry::<T, S, 5, NV>,
            tile_entry::<T, S, 6, NV>,
            tile_entry::<T, S, 7, NV>,
            tile_entry::<T, S, 8, NV>,
            tile_entry::<T, S, 9, NV>,
            tile_entry::<T, S, 10, NV>,
            tile_entry::<T, S, 11, NV>,
            tile_entry::<T, S, 12, NV>,
            tile_entry::<T, S, 13, NV>,
            tile_entry::<T, S, 14, NV>,
        ]
    }
}

/// # Safety
/// As [`TileFn`].
unsafe fn tile_entry<T: MathFloat, S: Simd, const MR: usize, const NV: usize>(tile: &Tile<'_, T>) {
    if MR > rows_of(S::ISA) || NV > vectors_of(S::ISA) {
        unreachable!("no tile of {MR} by {NV} vectors for {:?}", S::ISA);
    }
    dispatch(S::ISA, TileKernel::<T, S, MR, NV>(tile, PhantomData));
}

struct TileKernel<'a, T, S, const MR: usize, const NV: usize>(&'a Tile<'a, T>, PhantomData<S>);

/// Asks for the cache line of `ptr` in the second-level cache. Any address is fine.
#[inline(always)]
fn prefetch_far<T>(ptr: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is only a hint.
    unsafe {
        std::arch::x86_64::_mm_prefetch(ptr.cast(), std::arch::x86_64::_MM_HINT_T1)
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = ptr;
}

/// The first `n` lanes at `ptr`.
#[inline(always)]
unsafe fn load_upto<V: Vector>(ptr: *const V::Elem, n: usize) -> V {
    // SAFETY: the caller vouches for `n` elements.
    unsafe { if n == V::LANES { V::load(ptr) } else { V::load_n(ptr, n) } }
}

impl<T: MathFloat, S: Simd, const MR: usize, const NV: usize> Kernel for TileKernel<'_, T, S, MR, NV> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<R: Simd>(self) {
        // `dispatch` compiles this for every set; only that of `S` is reached, and the others fold to nothing.
        if R::ISA as u8 != S::ISA as u8 || MR > rows_of(R::ISA) || NV > vectors_of(R::ISA) {
            unreachable!();
        }
        // SAFETY: the caller of the tile function vouches for all addresses formed from the tile.
        unsafe {
            self.store::<R>(self.sums::<R>());
        }
    }
}

impl<T: MathFloat, S: Simd, const MR: usize, const NV: usize> TileKernel<'_, T, S, MR, NV> {
    /// The product of the tile's parts of A and B.
    ///
    /// # Safety
    /// As [`TileFn`].
    #[inline(always)]
    unsafe fn sums<R: Simd>(&self) -> [[T::V<R>; NV]; MR] {
        let t = self.0;
        let lanes = <T::V<R> as Vector>::LANES;
        // SAFETY: as above.
        unsafe {
            let mut acc = [[T::V::<R>::zero(); NV]; MR];
            let mut a = t.a;
            let mut b = t.b;
            let b_tail = if t.b_ends { t.tail } else { lanes };
            let mut ahead = t.ahead;
            // The lines of C, a few rows at a time and all before k ends: at once they would take every buffer that a core
            // has for misses, and the loads of A and B would wait behind them.
            let rows_of_c = MR.div_ceil((t.k / Ahead::<T>::LINE).max(1));
            let mut c = t.c.cast_const();
            let mut c_left = MR;
            let mut left = t.k;
            while left > 0 {
                for ahead in &mut ahead {
                    for i in 0..ahead.count {
                        let run = ahead.ptr.wrapping_offset(i as isize * ahead.stride);
                        for j in 0..ahead.lines {
                            prefetch_far(run.wrapping_add(j * Ahead::<T>::LINE));
                        }
                    }
                    ahead.ptr = ahead.ptr.wrapping_offset(ahead.step);
                }
                for _ in 0..rows_of_c.min(c_left) {
                    for j in 0..NV {
                        prefetch(c.wrapping_add(j * lanes));
                    }
                    c = c.wrapping_offset(t.c_row);
                    c_left -= 1;
                }
                let steps = left.min(Ahead::<T>::LINE);
                left -= steps;
                for _ in 0..steps {
                    let mut row = [T::V::<R>::zero(); NV];
                    for j in 0..NV - 1 {
                        row[j] = T::V::<R>::load(b.add(j * lanes));
                    }
                    row[NV - 1] = load_upto(b.add((NV - 1) * lanes), b_tail);
                    for i in 0..MR {
                        let x = T::V::<R>::splat(*a.wrapping_offset(i as isize * t.a_row));
                        for j in 0..NV {
                            acc[i][j] = x.mul_add(row[j], acc[i][j]);
                        }
                    }
                    a = a.wrapping_offset(t.a_col);
                    b = b.wrapping_offset(t.b_row);
                }
            }
            acc
        }
    }

    /// Adds what C holds if asked to, finishes and writes.
    ///
    /// # Safety
    /// As [`TileFn`].
    #[inline(always)]
    unsafe fn store<R: Simd>(&self, mut acc: [[T::V<R>; NV]; MR]) {
        let t = self.0;
        let lanes = <T::V<R> as Vector>::LANES;
        let upto = |j: usize| if j == NV - 1 { t.tail } else { lanes };
        // SAFETY: as above.
        unsafe {
            if t.accumulate {
                for i in 0..MR {
                    for j in 0..NV {
                        let old: T::V<R> = load_upto(t.c.offset(i as isize * t.c_row).add(j * lanes), upto(j));
                        acc[i][j] = old.add(acc[i][j]);
                    }
                }
            }
            if let Some(f) = t.finish {
                if f.scale != T::ONE {
                    let scale = T::V::<R>::splat(f.scale);
                    acc = acc.map(|row| row.map(|x| x.mul(scale)));
                }
                if !f.col_bias.is_null() {
                    let mut bias = [T::V::<R>::zero(); NV];
                    for (j, bias) in bias.iter_mut().enumerate() {
                        *bias = load_upto(f.col_bias.add(j * lanes), upto(j));
                    }
                    for row in acc.iter_mut() {
                        for j in 0..NV {
                            row[j] = row[j].add(bias[j]);
                        }
                    }
                }
                if !f.row_bias.is_null() {
                    for (i, row) in acc.iter_mut().enumerate() {
                        let bias = T::V::<R>::splat(*f.row_bias.offset(i as isize * f.row_bias_stride));
                        *row = row.map(|x| x.add(bias));
                    }
                }
                if !f.residual.is_null() {
                    for (i, row) in acc.iter_mut().enumerate() {
                        let residual = f.residual.offset(i as isize * f.residual_row);
                        for (j, x) in row.iter_mut().enumerate() {
                            *x = x.add(load_upto(residual.add(j * lanes), upto(j)));
                        }
                    }
                }
                if f.relu {
                    let zero = T::V::<R>::zero();
                    acc = acc.map(|row| row.map(|x| zero.max(x)));
                }
            }
            for (i, row) in acc.iter().enumerate() {
                let c = t.c.offset(i as isize * t.c_row);
                for j in 0..NV - 1 {
                    row[j].store(c.add(j * lanes));
                }
                if t.tail == lanes {
                    row[NV - 1].store(c.add((NV - 1) * lanes));
                } else {
                    row[NV - 1].store_n(c.add((NV - 1) * lanes), t.tail);
                }
            }
        }
    }
}

/// # Safety
/// As [`ActivateFn`]: the rows are valid and the processor has the set `S`.
unsafe fn activate_entry<T: MathFloat, S: Simd>(
    c: *mut T,
    stride: isize,
    rows: usize,
    cols: usize,
    activation: Activation,
) {
    dispatch(S::ISA, Activate { c, stride, rows, cols, activation });
}

struct Activate<T> {
    c: *mut T,
    stride: isize,
    rows: usize,
    cols: usize,
    activation: Activation,
}

impl<T: MathFloat> Kernel for Activate<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller vouches for the rows.
        unsafe {
            match self.activation {
                Activation::Identity => {}
                // A loop each, so that the choice is made once.
                Activation::Relu => self.each::<S, { Activation::Relu as u8 }>(),
                Activation::Gelu => self.each::<S, { Activation::Gelu as u8 }>(),
                Activation::GeluTanh => self.each::<S, { Activation::GeluTanh as u8 }>(),
                Activation::Silu => self.each::<S, { Activation::Silu as u8 }>(),
            }
        }
    }
}

impl<T: MathFloat> Activate<T> {
    /// The activation is a constant and not a closure: a large closure is not inlined, and outside of the function with
    /// the target features every intrinsic of it is a call.
    ///
    /// # Safety
    /// As [`ActivateFn`].
    #[inline(always)]
    unsafe fn each<S: Simd, const ACTIVATION: u8>(&self) {
        let act = Activation::ALL[ACTIVATION as usize];
        let lanes = <T::V<S> as Vector>::LANES;
        for i in 0..self.rows {
            let row = self.c.wrapping_offset(i as isize * self.stride);
            let mut j = 0;
            // SAFETY: `j` stays inside the row.
            unsafe {
                while j + lanes <= self.cols {
                    math::activate::<T, S>(T::V::<S>::load(row.add(j)), act).store(row.add(j));
                    j += lanes;
                }
                if j < self.cols {
                    let rest = self.cols - j;
                    math::activate::<T, S>(T::V::<S>::load_n(row.add(j), rest), act).store_n(row.add(j), rest);
                }
            }
        }
    }
}
