//! The loops around the micro-kernel.
//!
//! C is cut into blocks of rows and columns, one task each; a task does all of k, so the split over threads never
//! changes a sum. Inside a task, from outside in: a block of rows, a block of k (A's part of both, copied, stays in the
//! last-level cache), a slice of columns (its part of B, packed, fills most of the second level), a tile's height of
//! rows, the panels of B (each streams through the first level once a tile). The first tile of a slice packs B panel by
//! panel, the first slice copies A tile by tile; what the next tile and the next panel need is fetched meanwhile.

use super::copy::Block;
use super::micro::{Ahead, Finish, MAX_ROWS, MAX_TILE, Micro, Tile};
use super::{GemmFloat, Plain};
use super::{gemv, parts, workspace};
use crate::machine::caches;
use crate::view::Mat;
use lc_core::Activation;
use std::ops::Range;

/// Where the micro-kernel finds B.
#[derive(Clone, Copy)]
pub enum Source<T> {
    /// As it came; packed on the way if need be.
    Strided(Mat<T>),
    /// Panels of [`super::PackedB`].
    Panels(*const T),
}

/// A product in the form that the loops take: C has unit stride along its rows, as has everything that is added to it.
pub struct Product<'a, T: 'static> {
    pub micro: &'static Micro<T>,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: Mat<T>,
    pub b: Source<T>,
    pub c: *mut T,
    pub c_row: isize,
    pub epilogue: &'a Plain<T>,
}

// SAFETY: tasks read the operands and write disjoint blocks of C.
unsafe impl<T: Sync> Sync for Product<'_, T> {}

/// Sizes of blocks. `k` must depend on nothing but the instruction set, the type and the length of k, since it decides
/// how sums are grouped.
#[derive(Clone, Copy, Debug)]
pub struct Blocking {
    /// Length of a block of k.
    pub k: usize,
    /// Columns of a slice, a multiple of the panel's width.
    pub cols: usize,
    /// The most rows of a block.
    pub rows: usize,
}

/// Bytes of the copy of A's part of a block of rows, which is to stay in the last-level cache. Each block packs B anew,
/// so that it should not be small.
const ROWS_BYTES: usize = 4 << 20;

impl Blocking {
    /// For a product of `n` columns and `k` terms.
    pub fn of<T>(micro: &Micro<T>, n: usize, k: usize) -> Blocking {
        let tall = size_of::<T>() * micro.lanes > 32;
        // Measured, in bytes of a row of A: longer blocks pass over C less often, and leave the second level fewer columns
        // of B. Constants, because the grouping of sums must not change from one machine to the next.
        let longest = if tall { 3072 } else { 2048 } / size_of::<T>();
        let kc = even(k, longest).next_multiple_of(8).min(k).max(1);
        let width = size_of::<T>() * micro.lanes * micro.vectors;
        // The share of the second level that was measured best: 256-bit tiles on half a megabyte, 512-bit ones on a whole.
        let l2 = if tall { caches().l2 / 2 } else { caches().l2 / 4 * 3 };
        let panels = (l2 / (kc * width)).max(1);
        let cols = panels * micro.lanes * micro.vectors;
        let rows = (ROWS_BYTES / (padded_k(kc) * size_of::<T>())).max(micro.rows);
        Blocking { k: kc, cols: even(n, cols).next_multiple_of(micro.lanes * micro.vectors), rows }
    }
}

/// The size of the parts when `whole` is cut into as few parts of at most `most` as it takes, all alike.
fn even(whole: usize, most: usize) -> usize {
    whole.div_ceil(whole.div_ceil(most).max(1))
}

/// A tile's part of A is copied with this many elements between its rows: enough to keep rows that are a power of two
/// apart from meeting in the same cache sets.
fn padded_k(kc: usize) -> usize {
    kc.next_multiple_of(16) + 16
}

/// Runs a product on up to `threads` threads.
///
/// # Safety
/// The views are valid, C overlaps nothing, and the micro-kernels are of a set that this processor has.
pub unsafe fn run<T: GemmFloat>(p: &Product<'_, T>, threads: usize) {
    if p.m == 0 || p.n == 0 {
        return;
    }
    if let Source::Strided(b) = p.b
        && gemv::fits(p.a, b, p.micro.lanes)
    {
        // SAFETY: by contract.
        return unsafe { gemv::run(p, b, threads) };
    }
    let blocking = Blocking::of(p.micro, p.n, p.k);
    if let Some(residual) = p.epilogue.residual
        && residual.ptr == p.c.cast_const()
        && p.k > blocking.k
    {
        // SAFETY: by contract; with the copy the residual is not C.
        return unsafe { with_copied_residual(p, residual, |p| run(p, threads)) };
    }
    // SAFETY: by contract.
    unsafe { parts::run(p, blocking, threads) }
}

/// Calls `f` with a product whose residual is a copy: the blocks of k before the last write their sums to C.
///
/// # Safety
/// The residual is valid, with unit stride along its rows or one column.
unsafe fn with_copied_residual<T: GemmFloat>(p: &Product<'_, T>, residual: Mat<T>, f: impl FnOnce(&Product<'_, T>)) {
    let (rows, cols) = (residual.rows, residual.cols);
    let copy = workspace::Buffer::new(rows * cols * size_of::<T>());
    for i in 0..rows {
        // SAFETY: row `i` of both.
        unsafe { std::ptr::copy_nonoverlapping(residual.at(i, 0), copy.ptr::<T>().add(i * cols), cols) };
    }
    let residual = Mat { ptr: copy.ptr::<T>().cast_const(), row_stride: cols as isize, col_stride: 1, ..residual };
    f(&Product { epilogue: &Plain { residual: Some(residual), ..*p.epilogue }, ..*p });
}

/// Whether a part of `rows` rows reads B best as it is.
pub(super) fn in_place<T: GemmFloat>(p: &Product<'_, T>, b: Mat<T>, rows: usize) -> bool {
    let near = p.k.saturating_mul(p.n) * size_of::<T>() <= caches().l1 / 2;
    b.col_stride == 1 && (near || rows <= 2 * p.micro.rows)
}

/// Computes the terms `depth` of one block of C.
///
/// # Safety
/// As [`parts::run_parts`]; nobody else writes to the block.
pub(super) unsafe fn block<T: GemmFloat>(
    p: &Product<'_, T>,
    blocking: Blocking,
    rows: Range<usize>,
    cols: Range<usize>,
    depth: Range<usize>,
) {
    let micro = p.micro;
    let width = micro.cols();
    let slice = blocking.cols.min(cols.len().next_multiple_of(width));
    let in_place = match p.b {
        Source::Panels(_) => true,
        Source::Strided(b) => in_place(p, b, rows.len()),
    };
    let b_elems = if in_place { 0 } else { slice * blocking.k };
    let many = cols.len() > slice;
    let height = even(rows.len(), blocking.rows);
    let a_tile = micro.rows * padded_k(blocking.k);
    // What later slices use again has a place for every tile.
    let a_elems = if many { height.div_ceil(micro.rows) * a_tile } else { a_tile };
    workspace::with((b_elems + a_elems + 64) * size_of::<T>(), |memory| {
        let b_space = memory.cast::<T>();
        // SAFETY: the buffer has room for a slice of B and the tiles of A.
        let a_space = unsafe { b_space.add(b_elems) };
        let mut top = rows.start;
        while top < rows.end {
            let band = top..(top + height).min(rows.end);
            let mut at = depth.start;
            loop {
                let terms = at..(at + blocking.k).min(depth.end);
                let mut start = cols.start;
                while start < cols.end {
                    let part = start..(start + slice).min(cols.end);
                    let place = Place {
                        b_in_place: in_place,
                        b: b_space,
                        a: a_space,
                        a_tile: if many { a_tile } else { 0 },
                        a_is_there: many && start > cols.start,
                        a_is_reused: cols.len() > width,
                    };
                    // SAFETY: the ranges are inside the product.
                    unsafe { slab(p, &band, &part, &terms, &place) };
                    start = part.end;
                }
                at = terms.end;
                // Once even for k = 0, which writes the epilogue of zero.
                if at >= depth.end {
                    break;
                }
            }
            top = band.end;
        }
    });
}

/// Where a slab finds or puts its copies.
struct Place<T> {
    /// B is read as it is.
    b_in_place: bool,
    /// Room for a packed slice of B.
    b: *mut T,
    /// Room for the copies of tiles of A.
    a: *mut T,
    /// From one tile's copy to the next; 0 if all take turns in one place.
    a_tile: usize,
    /// An earlier slice has made the copies.
    a_is_there: bool,
    /// More than one panel reads A.
    a_is_reused: bool,
}

/// One slice of columns with one block of k.
///
/// # Safety
/// As [`block`]; the place has room.
unsafe fn slab<T: GemmFloat>(
    p: &Product<'_, T>,
    rows: &Range<usize>,
    cols: &Range<usize>,
    depth: &Range<usize>,
    place: &Place<T>,
) {
    let micro = p.micro;
    let width = micro.cols();
    let kc = depth.len();
    // Panel 0 of the slice, the distance between panels, between rows of a panel, and what is still to be packed.
    let (b, b_panel, b_row, unpacked) = match p.b {
        Source::Panels(panels) => {
            // A block of k holds all panels of all columns.
            let first = depth.start * p.n.next_multiple_of(width) + cols.start * kc;
            (panels.wrapping_add(first), width * kc, width as isize, None)
        }
        Source::Strided(b) if place.b_in_place => (b.at(depth.start, cols.start), width, b.row_stride, None),
        Source::Strided(b) => {
            let part = Mat { ptr: b.at(depth.start, cols.start), rows: kc, cols: cols.len(), ..b };
            (place.b.cast_const(), width * kc, width as isize, Some(part))
        }
    };
    let b_ends = place.b_in_place && matches!(p.b, Source::Strided(_));
    let last = depth.end == p.k;
    let tiles = rows.len().div_ceil(micro.rows);
    for tile in 0..tiles {
        let top = rows.start + tile * rows.len() / tiles;
        let height = rows.start + (tile + 1) * rows.len() / tiles - top;
        let a_view = Mat { ptr: p.a.at(top, depth.start), rows: height, cols: kc, ..p.a };
        // SAFETY: the place holds the tiles.
        let space = unsafe { place.a.add(tile * place.a_tile) };
        let (a, a_row, a_col) = match layout(a_view, place.a_is_reused) {
            None => (a_view.ptr, a_view.row_stride, a_view.col_stride),
            Some((row, col)) => {
                if !place.a_is_there {
                    // SAFETY: the space is that of a tile.
                    unsafe { bring(micro, a_view, (row, col), space) };
                }
                (space.cast_const(), row, col)
            }
        };
        // The next tile's rows, a part with each panel; after the last tile those of the next block of k.
        let panels = cols.len().div_ceil(width);
        let next = if tile + 1 == tiles {
            Mat { ptr: p.a.at(rows.start, depth.end), ..a_view }
        } else if place.a_is_there && a == space.cast_const() {
            Mat { ptr: space.wrapping_add(place.a_tile), row_stride: a_row, col_stride: a_col, ..a_view }
        } else {
            Mat { ptr: p.a.at(top + height, depth.start), ..a_view }
        };
        let ahead = Lookahead::of(next, panels);
        let mut left = cols.start;
        let mut panel = b;
        while left < cols.end {
            let wide = width.min(cols.end - left);
            let vectors = wide.div_ceil(micro.lanes);
            let c = p.c.wrapping_offset(top as isize * p.c_row).wrapping_add(left);
            let mut b_ahead = Ahead::NOTHING;
            if tile == 0
                && let Some(b) = unpacked
            {
                let at = left - cols.start;
                let part = Mat { ptr: b.at(0, at), cols: wide, ..b };
                // SAFETY: the place holds the slice.
                unsafe { pack_panels(micro, part, panel.cast_mut()) };
                if left + wide < cols.end {
                    b_ahead = next_panel(Mat { ptr: b.at(0, at + width), ..part });
                }
            }
            let mut tile = Tile {
                k: kc,
                a,
                a_row,
                a_col,
                b: panel,
                b_row,
                b_ends,
                c,
                c_row: p.c_row,
                tail: wide - (vectors - 1) * micro.lanes,
                accumulate: depth.start > 0,
                finish: None,
                ahead: [ahead.part((left - cols.start) / width), b_ahead],
            };
            let kernel = micro.tile(height, vectors);
            // SAFETY: the tile lies in the block, and its operands in the views or in the packed copies.
            unsafe {
                if last && !p.epilogue.is_identity() {
                    finish(p, &mut tile, kernel, top..top + height, left..left + wide);
                } else {
                    kernel(&tile);
                }
            }
            left += wide;
            panel = panel.wrapping_add(b_panel);
        }
    }
}

/// The lines of a tile's part of A, shared out to the panels of the tile before it.
struct Lookahead<T> {
    /// Of the first panel.
    first: Ahead<T>,
    /// Elements from one panel's part to the next's.
    stride: isize,
}

impl<T> Lookahead<T> {
    fn of(a: Mat<T>, panels: usize) -> Lookahead<T> {
        let line = Ahead::<T>::LINE as isize;
        if a.col_stride == 1 {
            // A few rows a panel; along each a line with every line's length of k.
            let count = a.rows.div_ceil(panels);
            let first = Ahead { ptr: a.ptr, step: line, stride: a.row_stride, count, lines: 1 };
            Lookahead { first, stride: count as isize * a.row_stride }
        } else {
            // A stretch of k a panel, one line each: a column of a tile is no longer than that.
            let count = Ahead::<T>::LINE.div_ceil(panels);
            let first =
                Ahead { ptr: a.ptr, step: count as isize * a.col_stride, stride: a.col_stride, count, lines: 1 };
            Lookahead { first, stride: (a.cols.div_ceil(Ahead::<T>::LINE) * count) as isize * a.col_stride }
        }
    }

    fn part(&self, panel: usize) -> Ahead<T> {
        Ahead { ptr: self.first.ptr.wrapping_offset(panel as isize * self.stride), ..self.first }
    }
}

/// The lines of a panel of B that is not packed yet.
fn next_panel<T>(b: Mat<T>) -> Ahead<T> {
    let line = Ahead::<T>::LINE;
    if b.col_stride == 1 {
        // With every line's length of k as many rows, each a few lines wide.
        let (step, stride) = (line as isize * b.row_stride, b.row_stride);
        Ahead { ptr: b.ptr, step, stride, count: line, lines: b.cols.div_ceil(line) }
    } else {
        Ahead { ptr: b.ptr, step: line as isize * b.row_stride, stride: b.col_stride, count: b.cols, lines: 1 }
    }
}

/// Applies the epilogue to the sums of a tile, `stride` elements from one row to the next.
///
/// # Safety
/// As [`block`]; the ranges are a tile's, and `sums` is valid for them.
pub unsafe fn finish_in<T: GemmFloat>(
    p: &Product<'_, T>,
    sums: *mut T,
    stride: isize,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    let vectors = cols.len().div_ceil(p.micro.lanes);
    // A product of no terms, added to what is there.
    let mut tile = Tile {
        k: 0,
        a: sums,
        a_row: 0,
        a_col: 0,
        b: sums,
        b_row: 0,
        b_ends: true,
        c: sums,
        c_row: stride,
        tail: cols.len() - (vectors - 1) * p.micro.lanes,
        accumulate: true,
        finish: None,
        ahead: [Ahead::NOTHING; 2],
    };
    // SAFETY: by contract.
    unsafe { finish(p, &mut tile, p.micro.tile(rows.len(), vectors), rows, cols) }
}

/// Runs a tile with the epilogue of its place.
///
/// # Safety
/// As [`block`]; the ranges are the tile's.
unsafe fn finish<T: GemmFloat>(
    p: &Product<'_, T>,
    tile: &mut Tile<'_, T>,
    kernel: super::micro::TileFn<T>,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    let e = p.epilogue;
    let mut bias_copy = [T::ZERO; MAX_TILE / MAX_ROWS];
    let mut residual_copy;
    // SAFETY: rows and columns are inside C, which the bias and the residual match in shape.
    unsafe {
        let mut col_bias = e.col_bias;
        if !col_bias.is_null() {
            col_bias = col_bias.offset(cols.start as isize * e.col_bias_stride);
            if e.col_bias_stride != 1 {
                for (j, to) in bias_copy.iter_mut().enumerate().take(cols.len()) {
                    *to = *col_bias.offset(j as isize * e.col_bias_stride);
                }
                col_bias = bias_copy.as_ptr();
            }
        }
        let mut row_bias = e.row_bias;
        if !row_bias.is_null() {
            row_bias = row_bias.offset(rows.start as isize * e.row_bias_stride);
        }
        let (mut residual, mut residual_row) = (std::ptr::null(), 0);
        if let Some(r) = e.residual {
            residual = r.at(rows.start, cols.start);
            residual_row = r.row_stride;
            if r.col_stride != 1 {
                residual_copy = [T::ZERO; MAX_TILE];
                for i in 0..rows.len() {
                    for j in 0..cols.len() {
                        residual_copy[i * cols.len() + j] = *r.at(rows.start + i, cols.start + j);
                    }
                }
                residual = residual_copy.as_ptr();
                residual_row = cols.len() as isize;
            }
        }
        let finish = Finish {
            scale: e.scale,
            col_bias,
            row_bias,
            row_bias_stride: e.row_bias_stride,
            residual,
            residual_row,
            relu: e.activation == Activation::Relu,
        };
        kernel(&Tile { finish: Some(&finish), ..*tile });
        if !matches!(e.activation, Activation::Identity | Activation::Relu) {
            // The tile is still in the first-level cache.
            (p.micro.activate)(tile.c, tile.c_row, rows.len(), cols.len(), e.activation);
        }
    }
}

/// The strides along rows and k of the copy of a tile's part of A; none if it is best read in place.
fn layout<T>(a: Mat<T>, reused: bool) -> Option<(isize, isize)> {
    if !reused || a.cols == 0 {
        return None;
    }
    if a.col_stride == 1 {
        // Rows one after the other, or so close that they share pages, do not fall into the same cache sets.
        if a.row_stride.unsigned_abs() * size_of::<T>() <= 1024 || a.row_stride == a.cols as isize {
            return None;
        }
        return Some((padded_k(a.cols) as isize, 1));
    }
    Some((1, a.rows as isize))
}

/// Copies a tile's part of A to `space`, with the strides that [`layout`] gave.
///
/// # Safety
/// The view is valid and `space` holds `micro.rows * padded_k(a.cols)` elements.
unsafe fn bring<T: GemmFloat>(micro: &Micro<T>, a: Mat<T>, (row, col): (isize, isize), space: *mut T) {
    // Rows of the copy are contiguous, be they those of A or its columns.
    let a = if col == 1 { a } else { a.t() };
    let block = Block {
        src: a.ptr,
        src_row: a.row_stride,
        src_col: a.col_stride,
        dst: space,
        dst_row: row.max(col) as usize,
        rows: a.rows,
        width: a.cols,
        padded: a.cols,
    };
    // SAFETY: by contract.
    unsafe { if a.col_stride == 1 { (micro.copy)(&block) } else { (micro.transpose)(&block) } };
}

/// Packs a part of B into panels, each `b.rows` rows of the panel's width, the last filled up with zeros.
///
/// # Safety
/// The view is valid and `space` holds `b.rows` times the columns rounded up to whole panels.
pub unsafe fn pack_panels<T: GemmFloat>(micro: &Micro<T>, b: Mat<T>, space: *mut T) {
    let width = micro.cols();
    // Rows in groups, so that a row of the source is read over all panels while its page is near.
    const GROUP: usize = 16;
    for row in (0..b.rows).step_by(GROUP) {
        let rows = GROUP.min(b.rows - row);
        for (panel, col) in (0..b.cols).step_by(width).enumerate() {
            let block = Block {
                src: b.at(row, col),
                src_row: b.row_stride,
                src_col: b.col_stride,
                // SAFETY: inside the space, by contract.
                dst: unsafe { space.add(panel * width * b.rows + row * width) },
                dst_row: width,
                rows,
                width: width.min(b.cols - col),
                padded: width,
            };
            // SAFETY: by contract.
            unsafe { if b.col_stride == 1 { (micro.copy)(&block) } else { (micro.transpose)(&block) } };
        }
    }
}
