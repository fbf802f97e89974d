//! Memory for packed operands: a thread keeps one buffer of its own and one that it shares from call to call.

use crate::memory::{HUGE, advise_huge};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;

/// A buffer that is larger than this goes back to the system after the call that needed it.
const KEEP: usize = 64 << 20;
const PAGE: usize = 4096;

/// Bytes that start on a page, or on a huge page where the size makes that worth while.
pub struct Buffer {
    ptr: NonNull<u8>,
    layout: Layout,
}

// SAFETY: plain memory, owned.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer only gives its address.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Uninitialised memory of at least `bytes` bytes.
    ///
    /// # Panics
    /// When `bytes` is near the size of the address space.
    pub fn new(bytes: usize) -> Buffer {
        let align = if bytes >= HUGE { HUGE } else { PAGE };
        let size = bytes.max(1).checked_next_multiple_of(align);
        let layout = size.and_then(|size| Layout::from_size_align(size, align).ok());
        let layout = layout.expect("a buffer is smaller than the address space");
        // SAFETY: the size is not zero.
        let ptr = unsafe { alloc(layout) };
        let Some(ptr) = NonNull::new(ptr) else { handle_alloc_error(layout) };
        if align == HUGE {
            advise_huge(ptr.as_ptr(), size.unwrap_or(0));
        }
        Buffer { ptr, layout }
    }

    /// The first byte.
    #[inline]
    pub fn ptr<T>(&self) -> *mut T {
        self.ptr.as_ptr().cast()
    }

    /// How many bytes there are.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.ptr.as_ptr(), self.layout) }
    }
}

type Slot = std::thread::LocalKey<Cell<Option<Buffer>>>;

thread_local! {
    static KEPT: Cell<Option<Buffer>> = const { Cell::new(None) };
    static SHARED: Cell<Option<Buffer>> = const { Cell::new(None) };
}

/// Calls `f` with uninitialised memory of at least `bytes` bytes, aligned to a page. Allocates only if this thread has
/// not had a buffer of that size before, or is inside another `with`.
#[inline]
pub fn with<R>(bytes: usize, f: impl FnOnce(*mut u8) -> R) -> R {
    with_slot(&KEPT, bytes, f)
}

/// As [`with`], for what the threads of one product share: inside of it each of them may use [`with`].
#[inline]
pub fn shared<R>(bytes: usize, f: impl FnOnce(*mut u8) -> R) -> R {
    with_slot(&SHARED, bytes, f)
}

#[inline]
fn with_slot<R>(slot: &'static Slot, bytes: usize, f: impl FnOnce(*mut u8) -> R) -> R {
    let kept = slot.try_with(Cell::take).ok().flatten();
    let buffer = match kept {
        Some(buffer) if buffer.bytes() >= bytes => buffer,
        _ => Buffer::new(bytes),
    };
    let result = f(buffer.ptr());
    if buffer.bytes() <= KEEP {
        // A thread that is ending has no place to keep it.
        let _ = slot.try_with(|kept| kept.set(Some(buffer)));
    }
    result
}
