//! The scratch tile of a strip of output rows: what the micro-kernel reads instead of the image.

use super::micro::OUTS;
use super::{Conv2d, block_channels};
use crate::isa::Isa;
use crate::simd::{Float, Simd, Vector};
use std::cell::Cell;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gather {
    /// The rows of the image with their borders, the columns sorted by their remainder of the stride. A vector of outputs
    /// lies within one output row.
    Rows,
    /// The same for stride 1, with vectors that run on from one output row to the next over the border between them. Less
    /// is computed in vain when the rows are not whole vectors; with a border, its lanes are squeezed out of the results, or
    /// these take a detour through scratch where that is no instruction.
    Flat,
    /// For every tap the row of its values at all outputs: the panel of an implicit GEMM.
    Patches,
}

impl Gather {
    /// The cheapest, by the vectors that each computes and the rows that each moves.
    pub(super) fn choose(p: &Conv2d, lanes: usize, isa: Isa) -> Gather {
        let vectors = |n: usize| n.div_ceil(lanes);
        // Two vectors are multiplied and added a cycle, so a vector takes half a cycle for each output channel and tap.
        let compute = |vectors: usize| vectors * p.taps() * p.group_out();
        let rows = compute(p.out_h * vectors(p.out_w));
        let moves = 2 * p.out_h * (1 + vectors(p.out_w));
        // Gathering element by element where the columns are strided.
        let copies = if p.stride_w == 1 { moves } else { p.out_h * (4 + 2 * p.out_w) };
        let patches = compute(vectors(p.out_h * p.out_w)) + 2 * copies * p.taps();
        let flat = if p.stride_w == 1 && p.stride_h == 1 {
            let pitch = row_pitch(p);
            let detour = match isa {
                _ if pitch == p.out_w => 0,
                _ if squeezes(p, isa) => 4 * vectors(p.out_h * pitch) * p.group_out(),
                _ => 2 * moves * p.group_out(),
            };
            // Sums that several blocks of channels add to are kept where they belong.
            let several = pitch != p.out_w && block_channels(p) < p.group_in();
            if several { usize::MAX } else { compute(vectors(p.out_h * pitch)) + detour }
        } else {
            usize::MAX
        };
        if rows <= flat && rows <= patches {
            Gather::Rows
        } else if flat <= patches {
            Gather::Flat
        } else {
            Gather::Patches
        }
    }
}

/// Columns of the padded image that an output row reads.
fn span(p: &Conv2d) -> usize {
    (p.out_w - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1
}

/// Elements from one row of the tile to the next.
///
/// With stride 1 the zeros right of a row are those left of the next one. Otherwise a row is `stride_w` runs, one for each
/// remainder of the column.
fn row_pitch(p: &Conv2d) -> usize {
    let span = span(p);
    if p.stride_w == 1 {
        let right = span.saturating_sub(p.pad_w + p.in_w);
        span - right.min(p.pad_w)
    } else {
        p.stride_w * span.div_ceil(p.stride_w)
    }
}

/// Image rows that `rows` output rows read.
fn input_rows(p: &Conv2d, rows: usize) -> usize {
    (rows - 1) * p.stride_h + (p.kernel_h - 1) * p.dilation_h + 1
}

/// A cache line, so that scratch starts on one.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] [u8; 64]);

thread_local! {
    /// Grows to the largest tile of this thread and stays.
    static SCRATCH: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// A tile in this thread's scratch memory.
pub(super) struct Tile<T> {
    gather: Gather,
    scratch: Vec<Line>,
    data: *mut T,
    /// One offset a tap, from the place of an output to the value that the tap multiplies there.
    offsets: *mut usize,
    /// Where results go before their rows are moved, if they do.
    detour: Option<*mut T>,
    /// By vector of a flat run, what to keep of its results; null if they are not squeezed.
    squeezed: *const Squeezed,
    pub(super) taps: usize,
    pub(super) rows: usize,
    pub(super) out_w: usize,
    /// Elements of a tile row, and of the flat run of outputs of a channel.
    pitch: usize,
    pub(super) flat: usize,
    step: usize,
    kernel: usize,
}

/// What becomes of the results of one vector of a flat run.
#[derive(Clone, Copy)]
pub(super) struct Squeezed {
    /// Where the first that is kept goes, in elements from the first result of the channel.
    pub(super) out: u32,
    /// How many are written. More than are kept, up to a whole vector, where later vectors write over the rest.
    pub(super) n: u32,
    /// The lanes that are no border.
    pub(super) keep: u32,
}

/// Whether a flat run's results are squeezed. Where the border is wide, rows overlap and nothing can be left out.
fn squeezes(p: &Conv2d, isa: Isa) -> bool {
    isa == Isa::Avx512 && row_pitch(p) > p.out_w
}

/// Fills the table for `rows` rows of `width` results, `pitch` apart, in vectors of `lanes`.
fn squeeze(table: &mut [std::mem::MaybeUninit<Squeezed>], rows: usize, width: usize, pitch: usize, lanes: usize) {
    let (mut row, mut column, mut out) = (0, 0, 0);
    for entry in table {
        let (start, mut keep) = (out, 0);
        for lane in 0..lanes {
            if row < rows && column < width {
                keep |= 1 << lane;
                out += 1;
            }
            column += 1;
            if column == pitch {
                (row, column) = (row + 1, 0);
            }
        }
        let n = if start + lanes <= rows * width { lanes } else { out - start };
        entry.write(Squeezed { out: start as u32, n: n as u32, keep });
    }
}

/// The sizes of a tile, in elements.
struct Sizes {
    pitch: usize,
    channel: usize,
    flat: usize,
    data: usize,
    detour: usize,
}

impl Sizes {
    fn of(p: &Conv2d, gather: Gather, channels: usize, rows: usize, lanes: usize) -> Sizes {
        let kernel = p.kernel_h * p.kernel_w;
        if gather == Gather::Patches {
            let flat = (rows * p.out_w).next_multiple_of(lanes);
            let data = channels * kernel * flat + lanes;
            return Sizes { pitch: flat, channel: kernel * flat, flat, data, detour: 0 };
        }
        let pitch = row_pitch(p);
        let channel = input_rows(p, rows) * pitch;
        // Up to the last output of the last row; rows may be longer than the pitch where the border is wide.
        let flat = if gather == Gather::Flat { ((rows - 1) * pitch + p.out_w).next_multiple_of(lanes) } else { 0 };
        // The last vectors read on past the last row: past the columns in use, and by the zeros right of it.
        let data = channels * channel + pitch + flat.saturating_sub(rows * pitch) + 2 * lanes + span(p);
        let detour = if gather == Gather::Flat && pitch != p.out_w { OUTS * flat } else { 0 };
        Sizes { pitch, channel, flat, data, detour }
    }
}

impl<T: Float> Tile<T> {
    /// Bytes of a tile, without offsets and detour.
    pub(super) fn bytes(p: &Conv2d, gather: Gather, channels: usize, rows: usize, lanes: usize) -> usize {
        Sizes::of(p, gather, channels, rows, lanes).data * size_of::<T>()
    }

    /// A tile for up to `channels` input channels and `rows` output rows.
    pub(super) fn new(p: &Conv2d, gather: Gather, channels: usize, rows: usize, lanes: usize, isa: Isa) -> Self {
        let sizes = Sizes::of(p, gather, channels, rows, lanes);
        let kernel = p.kernel_h * p.kernel_w;
        let lines = |bytes: usize| bytes.div_ceil(size_of::<Line>());
        let offset_lines = lines(channels * kernel * size_of::<usize>());
        let data_lines = lines(sizes.data * size_of::<T>());
        // A vector's lanes fit a mask, its place in the results an offset.
        let squeezes = sizes.detour > 0 && squeezes(p, isa) && rows * p.out_w <= u32::MAX as usize;
        let vectors = if squeezes { sizes.flat / lanes } else { 0 };
        let detour_lines =
            lines(if squeezes { vectors * size_of::<Squeezed>() } else { sizes.detour * size_of::<T>() });
        let mut scratch = SCRATCH.take();
        let total = offset_lines + data_lines + detour_lines;
        if scratch.len() < total {
            scratch.resize(total, Line([0; 64]));
        }
        let base = scratch.as_mut_ptr();
        let offsets: *mut usize = base.cast();
        let data: *mut T = base.wrapping_add(offset_lines).cast();
        let detour: *mut T = base.wrapping_add(offset_lines + data_lines).cast();
        let mut tap = 0;
        for c in 0..channels {
            for i in 0..p.kernel_h {
                for j in 0..p.kernel_w {
                    let offset = if gather == Gather::Patches {
                        tap * sizes.pitch
                    } else {
                        let column = j * p.dilation_w;
                        let within = if p.stride_w == 1 {
                            column
                        } else {
                            column % p.stride_w * (sizes.pitch / p.stride_w) + column / p.stride_w
                        };
                        c * sizes.channel + i * p.dilation_h * sizes.pitch + within
                    };
                    // SAFETY: the scratch begins with one offset for each tap.
                    unsafe { offsets.add(tap).write(offset) };
                    tap += 1;
                }
            }
        }
        let table: *mut std::mem::MaybeUninit<Squeezed> = detour.cast();
        if squeezes {
            // SAFETY: the scratch ends with an entry for each vector.
            squeeze(unsafe { std::slice::from_raw_parts_mut(table, vectors) }, rows, p.out_w, sizes.pitch, lanes);
        }
        Tile {
            gather,
            scratch,
            data,
            offsets,
            detour: (sizes.detour > 0 && !squeezes).then_some(detour),
            squeezed: if squeezes { table.cast() } else { std::ptr::null() },
            taps: 0,
            rows,
            out_w: p.out_w,
            pitch: sizes.pitch,
            flat: sizes.flat,
            step: p.stride_h * sizes.pitch,
            kernel,
        }
    }

    /// What the tile holds.
    pub(super) fn gather(&self) -> Gather {
        self.gather
    }

    pub(super) fn data(&self) -> *const T {
        self.data
    }

    pub(super) fn offsets(&self) -> *const usize {
        self.offsets
    }

    /// The scratch for the results of a register block of channels, [`Tile::flat`] apart, if they go through it.
    pub(super) fn detour(&self) -> Option<*mut T> {
        self.detour
    }

    /// By vector, what to keep of the results of a flat run over borders; null where results are not squeezed.
    pub(super) fn squeezed(&self) -> *const Squeezed {
        self.squeezed
    }

    /// Elements from the place of an output to that of the one below.
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// Gathers `channels` channels from `x` on, for the output rows from `first_row` on.
    ///
    /// # Safety
    /// Inside [`crate::simd::Kernel::run`]; `x` with the strides of channel, row and column must be readable for them.
    #[inline(always)]
    pub(super) unsafe fn fill<S: Simd>(
        &mut self,
        p: &Conv2d,
        x: *const T,
        strides: [isize; 3],
        channels: usize,
        first_row: usize,
    ) {
        self.taps = channels * self.kernel;
        // SAFETY: the caller's contract; `Sizes` covers what is written.
        unsafe {
            if self.gather == Gather::Patches {
                self.fill_patches::<S>(p, x, strides, channels, first_row);
            } else if p.stride_w == 1 {
                self.fill_rows::<S>(p, x, strides, channels, first_row);
            } else {
                self.fill_runs::<S>(p, x, strides, channels, first_row);
            }
        }
    }

    /// # Safety
    /// As [`Tile::fill`].
    #[inline(always)]
    unsafe fn fill_rows<S: Simd>(
        &mut self,
        p: &Conv2d,
        x: *const T,
        [channel_stride, row_stride, col_stride]: [isize; 3],
        channels: usize,
        first_row: usize,
    ) {
        let span = span(p);
        let left = p.pad_w.min(span);
        let width = (span - left).min(p.in_w);
        // Zeros on the right that are not the next row's on the left.
        let right = self.pitch.saturating_sub(left + width);
        let height = input_rows(p, self.rows);
        let top = (first_row * p.stride_h) as isize - p.pad_h as isize;
        // SAFETY: rows of the tile, in ascending order, each up to the place where the next begins or a few elements
        // on; the scratch has room for a vector after the last.
        unsafe {
            let mut to = self.data;
            for c in 0..channels {
                let x = x.wrapping_offset(c as isize * channel_stride);
                for r in 0..height {
                    let row = top + r as isize;
                    if row < 0 || row >= p.in_h as isize {
                        zeros::<S, T>(to, self.pitch);
                    } else {
                        zeros::<S, T>(to, left);
                        let from = x.wrapping_offset(row * row_stride);
                        copy::<S, T>(from, col_stride, to.add(left), width);
                        zeros::<S, T>(to.add(left + width), right);
                    }
                    to = to.add(self.pitch);
                }
            }
            zeros::<S, T>(to, left);
        }
    }

    /// Rows for a column stride of more than 1: the columns by their remainder.
    ///
    /// # Safety
    /// As [`Tile::fill`].
    #[inline(always)]
    unsafe fn fill_runs<S: Simd>(
        &mut self,
        p: &Conv2d,
        x: *const T,
        [channel_stride, row_stride, col_stride]: [isize; 3],
        channels: usize,
        first_row: usize,
    ) {
        let run = self.pitch / p.stride_w;
        let height = input_rows(p, self.rows);
        let top = (first_row * p.stride_h) as isize - p.pad_h as isize;
        // SAFETY: as `fill_rows`.
        unsafe {
            let mut to = self.data;
            for c in 0..channels {
                let x = x.wrapping_offset(c as isize * channel_stride);
                for r in 0..height {
                    let row = top + r as isize;
                    if row < 0 || row >= p.in_h as isize {
                        zeros::<S, T>(to, self.pitch);
                    } else {
                        let from = x.wrapping_offset(row * row_stride);
                        for remainder in 0..p.stride_w {
                            let (first, count) = inside(remainder, p.stride_w, p.pad_w, p.in_w, run);
                            let to = to.add(remainder * run);
                            zeros::<S, T>(to, first);
                            let column = (remainder + first * p.stride_w) as isize - p.pad_w as isize;
                            let from = from.wrapping_offset(column * col_stride);
                            copy::<S, T>(from, col_stride * p.stride_w as isize, to.add(first), count);
                            zeros::<S, T>(to.add(first + count), run - first - count);
                        }
                    }
                    to = to.add(self.pitch);
                }
            }
        }
    }

    /// # Safety
    /// As [`Tile::fill`].
    #[inline(always)]
    unsafe fn fill_patches<S: Simd>(
        &mut self,
        p: &Conv2d,
        x: *const T,
        [channel_stride, row_stride, col_stride]: [isize; 3],
        channels: usize,
        first_row: usize,
    ) {
        // SAFETY: as `fill_rows`; one panel row for each tap, whose tail is never stored.
        unsafe {
            let mut panel = self.data;
            for c in 0..channels {
                let x = x.wrapping_offset(c as isize * channel_stride);
                for i in 0..p.kernel_h {
                    for j in 0..p.kernel_w {
                        let tap = j * p.dilation_w;
                        let (first, count) = inside(tap, p.stride_w, p.pad_w, p.in_w, p.out_w);
                        let column = (tap + first * p.stride_w) as isize - p.pad_w as isize;
                        for y in 0..self.rows {
                            let to = panel.add(y * p.out_w);
                            let row = ((first_row + y) * p.stride_h + i * p.dilation_h) as isize - p.pad_h as isize;
                            if row < 0 || row >= p.in_h as isize || count == 0 {
                                zeros::<S, T>(to, p.out_w);
                                continue;
                            }
                            let from = x.wrapping_offset(row * row_stride + column * col_stride);
                            zeros::<S, T>(to, first);
                            copy::<S, T>(from, col_stride * p.stride_w as isize, to.add(first), count);
                            zeros::<S, T>(to.add(first + count), p.out_w - first - count);
                        }
                        panel = panel.add(self.pitch);
                    }
                }
            }
        }
    }
}

impl<T> Drop for Tile<T> {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.scratch));
    }
}

/// Of the padded columns `first + k · step`, `k < count`: the first `k` that is inside the image, and how many are.
fn inside(first: usize, step: usize, pad: usize, width: usize, count: usize) -> (usize, usize) {
    let begin = pad.saturating_sub(first).div_ceil(step).min(count);
    let end = (pad + width).saturating_sub(first).div_ceil(step).min(count);
    (begin, end.max(begin) - begin)
}

/// `n` zeros, and whatever in the rest of the last vector: tiles are filled in ascending order, and a masked store takes
/// many times as long as a whole one on some processors.
///
/// # Safety
/// Inside [`crate::simd::Kernel::run`]; `to` must be writable for `n` elements and a vector.
#[inline(always)]
unsafe fn zeros<S: Simd, T: Float>(to: *mut T, n: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        let mut i = 0;
        while i < n {
            T::V::<S>::zero().store(to.add(i));
            i += T::V::<S>::LANES;
        }
    }
}

/// As [`zeros`], with elements of `from`.
///
/// # Safety
/// Inside [`crate::simd::Kernel::run`]; `from` must be readable for `n` elements `stride` apart, `to` writable for `n` and
/// a vector.
#[inline(always)]
unsafe fn copy<S: Simd, T: Float>(from: *const T, stride: isize, to: *mut T, n: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        if stride == 1 {
            let mut i = 0;
            while i + T::V::<S>::LANES <= n {
                T::V::<S>::load(from.add(i)).store(to.add(i));
                i += T::V::<S>::LANES;
            }
            if i < n {
                T::V::<S>::load_n(from.add(i), n - i).store(to.add(i));
            }
        } else {
            for i in 0..n {
                *to.add(i) = *from.wrapping_offset(i as isize * stride);
            }
        }
    }
}
