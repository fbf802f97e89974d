//! How threads share a product out: by rows, by columns, or by both, and whether each packs the B that it reads.

use super::drive::{Blocking, Product, Source, block, in_place, pack_panels};
use super::{GemmFloat, workspace};
use crate::ops::elementwise::Shared;
use crate::pool;
use crate::view::Mat;
use std::ops::Range;

/// Work that is worth a second thread, in multiply-adds: about ten microseconds of one core.
pub const WORTH: usize = 1 << 20;

/// Bytes of B from which on the threads of a product pack it together. Below, what one has packed and the other reads costs
/// more on its way between the cores than it takes to pack it twice.
const SHARED_BYTES: usize = 12 << 20;

/// What a part spends on an element of B, in multiply-adds: where it packs it, and where it only reads it.
const STRIDED: f64 = 6.0;
const PACKED: f64 = 2.0;

/// What it costs, in multiply-adds, that a row of C passes from one part of the columns to the next: where they meet, two
/// threads write one cache line, and each fetches ahead what is the other's.
const MEETING: f64 = 4096.0;

/// Into how many parts rows and columns are cut, if a part spends `pack` on an element of B.
fn split<T: GemmFloat>(p: &Product<'_, T>, blocking: Blocking, threads: usize, pack: f64) -> (usize, usize) {
    let work = p.m.saturating_mul(p.n).saturating_mul(p.k.max(1));
    let parts = threads.min(work / WORTH + 1);
    if parts <= 1 {
        return (1, 1);
    }
    let width = p.micro.cols();
    let (panels, tiles) = (p.n.div_ceil(width), p.m.div_ceil(p.micro.rows));
    let mut best = (f64::INFINITY, (1, 1));
    for row_parts in 1..=parts.min(tiles) {
        let col_parts = (parts / row_parts).clamp(1, panels);
        let rows = p.m.div_ceil(row_parts) as f64;
        let cols = (panels.div_ceil(col_parts) * width) as f64;
        // Per step of k: a multiply-add counts one; an element of B is packed or read, and one of A copied, once a part.
        let mut cost = rows * cols + pack * cols + 4.0 * rows;
        if col_parts > 1 {
            // Once for each block of k.
            cost += rows * MEETING / blocking.k as f64;
        }
        if cost < best.0 {
            best = (cost, (row_parts, col_parts));
        }
    }
    best.1
}

/// Runs a product on up to `threads` threads.
///
/// # Safety
/// As [`super::drive::run`].
pub unsafe fn run<T: GemmFloat>(p: &Product<'_, T>, blocking: Blocking, threads: usize) {
    if let Source::Strided(b) = p.b
        && p.k.saturating_mul(p.n) * size_of::<T>() >= SHARED_BYTES
    {
        let parts = split(p, blocking, threads, PACKED);
        if parts.0 > 1 && !in_place(p, b, p.m / parts.0) {
            // SAFETY: by contract.
            return unsafe { run_shared(p, b, blocking, parts, threads) };
        }
    }
    let pack = if matches!(p.b, Source::Strided(_)) { STRIDED } else { PACKED };
    // SAFETY: by contract.
    unsafe { run_parts(p, blocking, split(p, blocking, threads, pack), threads, 0..p.k) }
}

/// Runs a product whose B all threads pack together, a block of k at a time, before they multiply with it.
///
/// # Safety
/// As [`run`].
unsafe fn run_shared<T: GemmFloat>(
    p: &Product<'_, T>,
    b: Mat<T>,
    blocking: Blocking,
    parts: (usize, usize),
    threads: usize,
) {
    let width = p.micro.cols();
    let panels = p.n.div_ceil(width);
    let padded = panels * width;
    workspace::shared(blocking.k * padded * size_of::<T>(), |memory| {
        let space = Shared::new(memory.cast::<T>());
        for start in (0..p.k).step_by(blocking.k) {
            let depth = start..(start + blocking.k).min(p.k);
            let pieces = panels.min(4 * threads);
            pool::run_on(threads, pieces, &|piece| {
                let cols = piece * panels / pieces * width..((piece + 1) * panels / pieces * width).min(p.n);
                let part = Mat { ptr: b.at(start, cols.start), rows: depth.len(), cols: cols.len(), ..b };
                // SAFETY: the memory has room for all panels of a block of k; pieces do not overlap.
                unsafe { pack_panels(p.micro, part, space.ptr().add(cols.start * depth.len())) };
            });
            // Where this block of k begins in a B whose blocks are all there.
            let panels = space.ptr().wrapping_sub(start * padded).cast_const();
            // SAFETY: by contract; of B only the panels of this depth are read.
            unsafe { run_parts(&Product { b: Source::Panels(panels), ..*p }, blocking, parts, threads, depth) };
        }
    });
}

/// Runs the terms `depth` of a product, cut into so many parts of rows and columns.
///
/// # Safety
/// As [`run`]; with a part of k, C holds the sums of the terms before it.
unsafe fn run_parts<T: GemmFloat>(
    p: &Product<'_, T>,
    blocking: Blocking,
    (row_parts, col_parts): (usize, usize),
    threads: usize,
    depth: Range<usize>,
) {
    if row_parts * col_parts == 1 {
        // SAFETY: the whole of C, by contract.
        return unsafe { block(p, blocking, 0..p.m, 0..p.n, depth) };
    }
    let width = p.micro.cols();
    let panels = p.n.div_ceil(width);
    pool::run_on(threads, row_parts * col_parts, &|task| {
        let (i, j) = (task % row_parts, task / row_parts);
        let rows = i * p.m / row_parts..(i + 1) * p.m / row_parts;
        let cols = j * panels / col_parts * width..((j + 1) * panels / col_parts * width).min(p.n);
        // SAFETY: blocks of different tasks do not overlap.
        unsafe { block(p, blocking, rows, cols, depth.clone()) };
    });
}
