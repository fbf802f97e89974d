//! Memory for intermediate results of one call: one block a thread, kept from call to call.
//!
//! A fresh allocation of megabytes comes as pages that are cleared at their first touch, in every call.

use crate::gemm::workspace::Buffer;
use crate::machine::caches;
use std::cell::Cell;

/// A block that is larger than this goes back to the system after the call that needed it.
const KEEP: usize = 32 << 20;

/// Bytes that the rows of a block between two parts of a pipeline may take: they are in the last cache when the second part
/// reads them, beside the weights, which every block reads again.
pub fn block_bytes() -> usize {
    (caches().l3 / 2).max(4 << 20)
}

thread_local! {
    static KEPT: Cell<Option<Buffer>> = const { Cell::new(None) };
}

/// Calls `f` with uninitialised room for so many elements, aligned to a page. Allocates only if this thread has not had as
/// large a block before, or is inside another `with`.
pub fn with<T: Copy, R>(elements: usize, f: impl FnOnce(*mut T) -> R) -> R {
    let bytes = elements.saturating_mul(size_of::<T>());
    let kept = KEPT.try_with(Cell::take).ok().flatten();
    let block = kept.filter(|block| block.bytes() >= bytes).unwrap_or_else(|| Buffer::new(bytes));
    let result = f(block.ptr());
    if block.bytes() <= KEEP {
        // A thread that is ending has no place to keep it.
        let _ = KEPT.try_with(|kept| kept.set(Some(block)));
    }
    result
}
