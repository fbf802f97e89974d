//! The scratch tile of a strip of output rows: what the micro-kernel reads instead of the image.

use super::Conv2d;
use crate::simd::{Float, Simd, Vector};
use std::cell::Cell;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gather {
    /// The rows of the image with their borders, the columns sorted by their remainder of the stride. A vector of outputs
    /// lies within one output row.
    Rows,
    /// For every column of the filter the image as that column meets it, with a border above and below only: one output row
    /// follows the other without a gap, so that vectors run on from row to row and none is part empty but the last. Takes a
    /// copy of the image for each column of the filter.
    Columns,
    /// For every tap the row of its values at all outputs: the panel of an implicit GEMM.
    Patches,
}

impl Gather {
    /// The cheapest, by the vectors that each computes and those that each gathers.
    pub(super) fn choose(p: &Conv2d, lanes: usize) -> Gather {
        let vectors = |n: usize| n.div_ceil(lanes);
        // One or two vectors are multiplied and added a cycle.
        let compute = |vectors: usize| vectors * p.taps() * p.group_out();
        // Gathering a row takes a load and a store for each vector, and something for its ends; element by element where the
        // columns are strided.
        let row = if p.stride_w == 1 { 4 + 4 * vectors(p.out_w) } else { 8 + 4 * p.out_w };
        let heights = input_rows(p, p.out_h) * p.group_in();
        let rows = compute(p.out_h * vectors(p.out_w)) + heights * row;
        let flat = compute(vectors(p.out_h * p.out_w));
        let columns = if p.stride_h == 1 { flat + heights * p.kernel_w * row } else { usize::MAX };
        let patches = flat + p.out_h * p.taps() * row;
        if rows <= columns && rows <= patches {
            Gather::Rows
        } else if columns <= patches {
            Gather::Columns
        } else {
            Gather::Patches
        }
    }
}

/// Columns of the padded image that an output row reads.
fn span(p: &Conv2d) -> usize {
    (p.out_w - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1
}

/// Elements from one row of a tile of rows to the next.
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
    pub(super) taps: usize,
    pub(super) rows: usize,
    pub(super) out_w: usize,
    /// Elements of a tile row.
    pitch: usize,
    step: usize,
    kernel: usize,
}

/// The sizes of a tile, in elements.
struct Sizes {
    /// From one row to the next.
    pitch: usize,
    /// From one channel, or of columns one copy of it, to the next.
    channel: usize,
    data: usize,
}

impl Sizes {
    fn of(p: &Conv2d, gather: Gather, channels: usize, rows: usize, lanes: usize) -> Sizes {
        let kernel = p.kernel_h * p.kernel_w;
        match gather {
            Gather::Patches => {
                let pitch = (rows * p.out_w).next_multiple_of(lanes);
                Sizes { pitch, channel: kernel * pitch, data: channels * kernel * pitch + lanes }
            }
            Gather::Columns => {
                let channel = input_rows(p, rows) * p.out_w;
                // The last vectors read on past the last row.
                Sizes { pitch: p.out_w, channel, data: channels * p.kernel_w * channel + 2 * lanes }
            }
            Gather::Rows => {
                let pitch = row_pitch(p);
                let channel = input_rows(p, rows) * pitch;
                // The last vectors read on past the last row: past the columns in use, and by the zeros right of it.
                Sizes { pitch, channel, data: channels * channel + pitch + 2 * lanes + span(p) }
            }
        }
    }
}

impl<T: Float> Tile<T> {
    /// Bytes of a tile, without offsets.
    pub(super) fn bytes(p: &Conv2d, gather: Gather, channels: usize, rows: usize, lanes: usize) -> usize {
        Sizes::of(p, gather, channels, rows, lanes).data * size_of::<T>()
    }

    /// A tile for up to `channels` input channels and `rows` output rows.
    pub(super) fn new(p: &Conv2d, gather: Gather, channels: usize, rows: usize, lanes: usize) -> Self {
        let sizes = Sizes::of(p, gather, channels, rows, lanes);
        let kernel = p.kernel_h * p.kernel_w;
        let lines = |bytes: usize| bytes.div_ceil(size_of::<Line>());
        let offset_lines = lines(channels * kernel * size_of::<usize>());
        let total = offset_lines + lines(sizes.data * size_of::<T>());
        let mut scratch = SCRATCH.take();
        if scratch.len() < total {
            scratch.resize(total, Line([0; 64]));
        }
        let base = scratch.as_mut_ptr();
        let offsets: *mut usize = base.cast();
        let data: *mut T = base.wrapping_add(offset_lines).cast();
        let mut tap = 0;
        for c in 0..channels {
            for i in 0..p.kernel_h {
                for j in 0..p.kernel_w {
                    let column = j * p.dilation_w;
                    let below = i * p.dilation_h * sizes.pitch;
                    let offset = match gather {
                        Gather::Patches => tap * sizes.pitch,
                        Gather::Columns => (c * p.kernel_w + j) * sizes.channel + below,
                        Gather::Rows if p.stride_w == 1 => c * sizes.channel + below + column,
                        Gather::Rows => {
                            let run = sizes.pitch / p.stride_w;
                            c * sizes.channel + below + column % p.stride_w * run + column / p.stride_w
                        }
                    };
                    // SAFETY: the scratch begins with one offset for each tap.
                    unsafe { offsets.add(tap).write(offset) };
                    tap += 1;
                }
            }
        }
        Tile {
            gather,
            scratch,
            data,
            offsets,
            taps: 0,
            rows,
            out_w: p.out_w,
            pitch: sizes.pitch,
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
            match self.gather {
                Gather::Patches => self.fill_patches::<S>(p, x, strides, channels, first_row),
                Gather::Columns => self.fill_columns::<S>(p, x, strides, channels, first_row),
                Gather::Rows if p.stride_w == 1 => self.fill_rows::<S>(p, x, strides, channels, first_row),
                Gather::Rows => self.fill_runs::<S>(p, x, strides, channels, first_row),
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
    unsafe fn fill_columns<S: Simd>(
        &mut self,
        p: &Conv2d,
        x: *const T,
        [channel_stride, row_stride, col_stride]: [isize; 3],
        channels: usize,
        first_row: usize,
    ) {
        let height = input_rows(p, self.rows);
        let top = first_row as isize - p.pad_h as isize;
        let dense = col_stride == 1 && p.stride_w == 1 && row_stride == p.out_w as isize && p.in_w == p.out_w;
        // SAFETY: as `fill_rows`.
        unsafe {
            let mut to = self.data;
            for c in 0..channels {
                let x = x.wrapping_offset(c as isize * channel_stride);
                for j in 0..p.kernel_w {
                    let tap = j * p.dilation_w;
                    let (first, count) = inside(tap, p.stride_w, p.pad_w, p.in_w, p.out_w);
                    let column = (tap + first * p.stride_w) as isize - p.pad_w as isize;
                    // The rows that are in the image, of those of the tile.
                    let (above, inner) =
                        inside(0, 1, (-top).max(0) as usize, (p.in_h as isize - top.max(0)) as usize, height);
                    let start = x.wrapping_offset((top + above as isize) * row_stride + column * col_stride);
                    zeros::<S, T>(to, above * p.out_w);
                    to = to.add(above * p.out_w);
                    let border = p.out_w - count;
                    if dense && border <= 2 && count > 0 && inner > 0 {
                        // One run of memory, and what belongs to the rows before and after becomes border.
                        copy::<S, T>(start, 1, to.add(first), inner * p.out_w - border);
                        for k in (0..first).chain(first + count..p.out_w) {
                            for r in 0..inner {
                                *to.add(r * p.out_w + k) = T::ZERO;
                            }
                        }
                    } else {
                        for r in 0..inner {
                            let to = to.add(r * p.out_w);
                            zeros::<S, T>(to, first);
                            let from = start.wrapping_offset(r as isize * row_stride);
                            copy::<S, T>(from, col_stride * p.stride_w as isize, to.add(first), count);
                            zeros::<S, T>(to.add(first + count), border - first);
                        }
                    }
                    to = to.add(inner * p.out_w);
                    let below = height - above - inner;
                    zeros::<S, T>(to, below * p.out_w);
                    to = to.add(below * p.out_w);
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
#[inline]
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
