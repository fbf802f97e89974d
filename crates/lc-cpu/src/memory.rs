//! Host memory as the CPU backend's device memory.

use lc_core::backend::{Buffer, gather};
use lc_core::{Error, ErrorKind, Result, TensorMut, TensorRef};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Alignment of every buffer: a cache line, and the widest vector.
const ALIGN: usize = 64;

/// From this size on, memory starts on its own huge page: kernels then miss the translation buffers less, which is worth
/// 1 to 3 % of a large product.
pub const HUGE: usize = 2 << 20;

/// Asks the system for huge pages.
#[cfg(target_os = "linux")]
pub fn advise_huge(ptr: *mut u8, bytes: usize) {
    unsafe extern "C" {
        fn madvise(addr: *mut std::ffi::c_void, length: usize, advice: i32) -> i32;
    }
    const MADV_HUGEPAGE: i32 = 14;
    // SAFETY: the advice changes no contents, of whichever pages; a refusal changes nothing.
    unsafe { madvise(ptr.cast(), bytes, MADV_HUGEPAGE) };
}

/// Asks the system for huge pages.
#[cfg(not(target_os = "linux"))]
pub fn advise_huge(_: *mut u8, _: usize) {}

/// Zero-filled aligned bytes that are counted while they live.
struct Bytes {
    ptr: *mut u8,
    layout: Layout,
    in_use: Arc<AtomicU64>,
}

// SAFETY: an owned allocation; access goes through the buffer's host pointer, whose users answer for races.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.in_use.fetch_sub(self.layout.size() as u64, Ordering::Relaxed);
        // SAFETY: allocated with this layout in `allocate`, freed once.
        unsafe { dealloc(self.ptr, self.layout) };
    }
}

/// Allocates a buffer of at least one byte.
pub fn allocate(bytes: usize, in_use: &Arc<AtomicU64>) -> Result<Buffer> {
    let size = bytes.max(1);
    let failed = || Error::new(ErrorKind::OutOfMemory, "allocate").got(format!("a request for {bytes} bytes"));
    let align = if size >= 2 * HUGE { HUGE } else { ALIGN };
    let layout = Layout::from_size_align(size, align).map_err(|_| failed())?;
    // SAFETY: the layout has a size of at least one.
    let ptr = unsafe { if align == HUGE { alloc(layout) } else { alloc_zeroed(layout) } };
    if ptr.is_null() {
        return Err(failed());
    }
    if align == HUGE {
        advise_huge(ptr, size);
        // SAFETY: just allocated. Only now, since the first write to a page decides its size.
        unsafe { ptr.write_bytes(0, size) };
    }
    in_use.fetch_add(size as u64, Ordering::Relaxed);
    let inner = Box::new(Bytes { ptr, layout, in_use: in_use.clone() });
    // SAFETY: `ptr` points to `size` bytes, aligned to 64, that live as long as `inner`.
    Ok(unsafe { Buffer::with_host(size, ptr, inner) })
}

fn range(buffer: &Buffer, offset: usize, bytes: usize, what: &'static str) -> Result<*mut u8> {
    let fits = offset.checked_add(bytes).is_some_and(|end| end <= buffer.bytes());
    match buffer.host() {
        Some(host) if fits => Ok(host.wrapping_add(offset)),
        _ => Err(Error::invalid(
            what,
            "buffer",
            format!("{bytes} bytes of host memory at {offset}"),
            format!("{} bytes", buffer.bytes()),
        )),
    }
}

/// Copies a view of any strides into a buffer, dense.
pub fn upload(source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
    let bytes = source.spec().bytes();
    let to = range(target, offset, bytes, "upload")?;
    // SAFETY: `range` checked that these bytes lie in the buffer, which nothing else accesses during an upload.
    gather(source, unsafe { std::slice::from_raw_parts_mut(to, bytes) })
}

/// Copies a dense buffer out.
pub fn download(source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
    let bytes = target.spec().bytes();
    let from = range(source, offset, bytes, "download")?;
    // SAFETY: both sides hold `bytes` bytes, and a buffer is no memory of the caller's.
    unsafe { std::ptr::copy_nonoverlapping(from, target.ptr(), bytes) };
    Ok(())
}
