//! conv → attention: the rectified feature map is Q, K and V in three slabs of rows, repeated from its start where it is too
//! short.
//!
//! A map that repeats makes rows that repeat: row i of a slab is row i + L/gcd(L, D) for a map of L elements and rows of
//! D. Equal queries have equal results, and a key that comes m times counts m times in every sum. So each distinct row is
//! computed once: of 192 rows of 48 over a map of 1024 there are 64, a ninth of the products. Where the rows are all
//! different, this is an attention like any other.
//!
//! Convolution and attention are tasks of one run of the pool; a thread that comes to the attention waits for what others
//! still do of the convolution.

use super::attention::{self, Attention, Blocks, Heads, HeadsMut};
use super::conv2d::{Conv2d, Operands, Work, with_filter};
use crate::isa::Isa;
use crate::math::MathFloat;
use lc_core::Activation;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Attention over `rows` rows of `dim` elements, into `out`, of the slabs of the rectified convolution of `x` with `w`.
///
/// The result does not depend on `threads`, which bounds how many work on it.
///
/// # Safety
/// As [`super::conv2d::conv2d`] for `x`, `w` and `bias`; `out` is writable for rows × dim elements, both at least 1, and
/// disjoint from the inputs.
pub unsafe fn conv_attention<T: MathFloat>(
    isa: Isa,
    threads: usize,
    p: &Conv2d,
    x: *const T,
    x_strides: [isize; 4],
    w: *const T,
    w_strides: [isize; 4],
    bias: Option<(*const T, isize)>,
    rows: usize,
    dim: usize,
    out: *mut T,
) {
    let slabs = Slabs::of(p.out_len(), rows, dim);
    let run = |map: *mut T| {
        let operands = |w| Operands { x, x_strides, w, bias, out: map, act: Activation::Relu };
        let head = |start: usize| Heads {
            ptr: map.wrapping_add(start).cast_const(),
            shape: [1, 1, slabs.distinct, dim],
            strides: [0, 0, dim as isize, 1],
        };
        let [q, k, v] = slabs.starts.map(head);
        let target = HeadsMut { ptr: out, shape: q.shape, strides: q.strides };
        let params = Attention::plain(dim);
        let mut blocks = Blocks::of(isa, threads, q, k, v, target, &params);
        (blocks.repeated, blocks.extra) = (slabs.repeated, T::of(slabs.extra));
        // SAFETY: the caller's contract; the map has room for what the slabs reach.
        unsafe {
            with_filter(isa, p, w, w_strides, |w, finite| {
                // If one half is worth more threads, they serve the other too.
                let workers = blocks.threads.max(p.worth(threads));
                let conv = Work::of(isa, workers, p, operands(w), finite);
                let (left, open) = (AtomicUsize::new(conv.tasks()), AtomicBool::new(false));
                Both { conv, blocks, slabs: &slabs, map, out, rows, dim, left, open }.run_all(workers);
            });
        }
    };
    attention::with_scratch_in(&MAP, slabs.needed, run);
}

thread_local! {
    /// The feature maps of this thread; attention has scratch of its own meanwhile.
    static MAP: attention::Scratch = const { attention::Scratch::new(Vec::new()) };
}

/// Where the slabs lie in a map of `length` elements that is repeated up to `needed`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slabs {
    length: usize,
    needed: usize,
    /// Element (0, 0) of Q, K and V.
    starts: [usize; 3],
    /// Rows that differ: the others repeat these, in order.
    distinct: usize,
    /// So many of the first distinct keys come once more than the others,
    repeated: usize,
    /// which is 2^`extra` times as often.
    extra: f64,
}

impl Slabs {
    fn of(length: usize, rows: usize, dim: usize) -> Slabs {
        let distinct = rows.min(length / gcd(length, dim));
        let slab = rows * dim;
        let starts = [0, slab % length, 2 * slab % length];
        let needed = length.max(starts[1].max(starts[2]) + distinct * dim);
        let (times, repeated) = (rows / distinct, rows % distinct);
        Slabs { length, needed, starts, distinct, repeated, extra: ((times + 1) as f64 / times as f64).log2() }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Both halves of a call.
struct Both<'a, T> {
    conv: Work<'a, T>,
    blocks: Blocks<T>,
    slabs: &'a Slabs,
    map: *mut T,
    out: *mut T,
    rows: usize,
    dim: usize,
    /// Parts of the convolution that are not done.
    left: AtomicUsize,
    /// Whether the map is there.
    open: AtomicBool,
}

// SAFETY: addresses; tasks write disjoint parts of the map and of the result, and read the map when it is finished.
unsafe impl<T: Send> Sync for Both<'_, T> {}

impl<T: MathFloat> Both<'_, T> {
    /// Does everything, on up to `workers` threads.
    ///
    /// # Safety
    /// As [`conv_attention`].
    unsafe fn run_all(&self, workers: usize) {
        let parts = self.conv.tasks();
        // Tasks begin in order, so that a part of the convolution that somebody waits for is one that a thread works on.
        attention::parallel(workers, parts + self.blocks.tasks(), &|index| {
            // SAFETY: the caller's contract; each task is done once.
            unsafe {
                if index < parts {
                    self.convolve(index);
                } else {
                    self.attend(index - parts);
                }
            }
        });
    }

    /// # Safety
    /// As [`conv_attention`]; no two threads do the same part.
    unsafe fn convolve(&self, part: usize) {
        let _part = Part(self);
        // SAFETY: the caller's contract.
        unsafe { self.conv.run(part) };
    }

    /// # Safety
    /// As [`conv_attention`]; all parts of the convolution are done.
    unsafe fn repeat(&self) {
        let Slabs { length, needed, .. } = *self.slabs;
        // SAFETY: the map has `needed` elements, of which the first `length` are written.
        unsafe {
            self.conv.finish();
            let mut filled = length;
            while filled < needed {
                // What is filled is a whole number of maps, so its start continues it.
                let count = filled.min(needed - filled);
                self.map.copy_to_nonoverlapping(self.map.add(filled), count);
                filled += count;
            }
        }
    }

    /// # Safety
    /// As [`conv_attention`]; no two threads do the same block.
    unsafe fn attend(&self, block: usize) {
        let mut spins = 0;
        while !self.open.load(Ordering::Acquire) {
            spins += 1;
            // The thread that convolves may have to run on this core.
            if spins % 1024 == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        // SAFETY: the map is finished; rows of the result that no other block writes, first the distinct ones.
        unsafe {
            self.blocks.run(block);
            let (first, end) = self.blocks.queries(block);
            let from = self.out.add(first * self.dim);
            for row in (first + self.slabs.distinct..self.rows).step_by(self.slabs.distinct) {
                let count = (end - first).min(self.rows - row);
                from.copy_to_nonoverlapping(self.out.add(row * self.dim), count * self.dim);
            }
        }
    }
}

/// A part of the convolution in progress. The last to end finishes the map and lets the attention begin; so does one that
/// panics, since the call fails anyway and nobody may wait for ever.
struct Part<'a, 'b, T: MathFloat>(&'a Both<'b, T>);

impl<T: MathFloat> Drop for Part<'_, '_, T> {
    fn drop(&mut self) {
        let both = self.0;
        let last = both.left.fetch_sub(1, Ordering::AcqRel) == 1;
        if last && !std::thread::panicking() {
            // SAFETY: all parts are done.
            unsafe { both.repeat() };
        }
        if last || std::thread::panicking() {
            both.open.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_repeat_are_found() {
        for (length, rows, dim) in
            [(1024, 48, 48), (1024, 96, 48), (1024, 192, 48), (1024, 192, 8), (1, 4, 3), (7, 20, 14)]
        {
            let slabs = Slabs::of(length, rows, dim);
            let element = |slab: usize, row: usize, column: usize| ((slab * rows + row) * dim + column) % length;
            let mut times = vec![0usize; slabs.distinct];
            for row in 0..rows {
                let same = row % slabs.distinct;
                times[same] += 1;
                for (slab, start) in slabs.starts.into_iter().enumerate() {
                    for column in 0..dim {
                        let at = start + same * dim + column;
                        assert!(at < slabs.needed, "{slabs:?}");
                        assert_eq!(at % length, element(slab, row, column), "{slabs:?} {slab} {row} {column}");
                    }
                }
            }
            for (key, &count) in times.iter().enumerate() {
                let base = times[slabs.distinct - 1];
                let want = if key < slabs.repeated { base as f64 * slabs.extra.exp2() } else { base as f64 };
                assert!((count as f64 - want).abs() < 1e-9, "{slabs:?} {key}");
            }
        }
        assert_eq!(Slabs::of(1024, 192, 48).distinct, 64);
        assert_eq!(Slabs::of(1 << 20, 192, 48).distinct, 192);
    }
}
