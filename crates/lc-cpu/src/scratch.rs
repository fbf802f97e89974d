//! Memory for intermediate results of one call: one block a thread, kept from call to call.
//!
//! A fresh allocation of megabytes comes as pages that are cleared at their first touch, in every call.

use crate::machine::caches;
use std::cell::Cell;
use std::mem::MaybeUninit;

/// A block that is larger than this goes back to the system after the call that needed it.
const KEEP: usize = 32 << 20;

/// Bytes that the rows of a block between two parts of a pipeline may take: they are in the last cache when the second part
/// reads them, beside the weights, which every block reads again.
pub fn block_bytes() -> usize {
    (caches().l3 / 2).max(4 << 20)
}

/// A cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "only its size and alignment count")] MaybeUninit<[u8; 64]>);

thread_local! {
    static KEPT: Cell<Vec<Line>> = const { Cell::new(Vec::new()) };
}

/// Calls `f` with uninitialised room for so many elements, aligned to a cache line. Allocates only if this thread has not had
/// as large a block before, or is inside another `with`.
pub fn with<T: Copy, R>(elements: usize, f: impl FnOnce(*mut T) -> R) -> R {
    let lines = elements.saturating_mul(size_of::<T>()).div_ceil(size_of::<Line>());
    let mut block = KEPT.try_with(Cell::take).unwrap_or_default();
    if block.capacity() < lines {
        block = Vec::with_capacity(lines);
    }
    let result = f(block.as_mut_ptr().cast());
    if block.capacity() <= KEEP / size_of::<Line>() {
        // A thread that is ending has no place to keep it.
        let _ = KEPT.try_with(|kept| kept.set(block));
    }
    result
}
