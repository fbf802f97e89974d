//! Copies of blocks into the order that the micro-kernels read.

use crate::simd::{Float, Kernel, Simd, Vector, dispatch};

/// A block of `rows` rows of `width` elements, and where it goes. Rows of the copy are contiguous.
#[derive(Clone, Copy)]
pub struct Block<T> {
    pub src: *const T,
    /// Elements from one row of the source to the next.
    pub src_row: isize,
    /// Elements from one column of the source to the next.
    pub src_col: isize,
    pub dst: *mut T,
    pub dst_row: usize,
    pub rows: usize,
    pub width: usize,
    /// Width that is written: the elements past `width` become zero.
    pub padded: usize,
}

/// # Safety
/// Source and destination are valid for the block and do not overlap, and the processor has the instruction set.
pub type CopyFn<T> = unsafe fn(&Block<T>);

/// Copies a block with `src_col == 1`.
///
/// # Safety
/// As [`CopyFn`].
pub unsafe fn copy_entry<T: Float, S: Simd>(block: &Block<T>) {
    debug_assert!(block.src_col == 1);
    dispatch(S::ISA, Copy(block));
}

struct Copy<'a, T>(&'a Block<T>);

impl<T: Float> Kernel for Copy<'_, T> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let block = self.0;
        let lanes = <T::V<S> as Vector>::LANES;
        let tail = block.width % lanes;
        for row in 0..block.rows {
            let src = block.src.wrapping_offset(row as isize * block.src_row);
            // SAFETY: the caller vouches for both sides; `j` stays below `width`, then below `padded`.
            unsafe {
                let dst = block.dst.add(row * block.dst_row);
                let mut j = 0;
                while j + lanes <= block.width {
                    T::V::<S>::load(src.add(j)).store(dst.add(j));
                    j += lanes;
                }
                if tail > 0 {
                    let last = T::V::<S>::load_n(src.add(j), tail);
                    if j + lanes <= block.padded {
                        last.store(dst.add(j));
                        j += lanes;
                    } else {
                        last.store_n(dst.add(j), tail);
                        j += tail;
                    }
                }
                while j < block.padded {
                    *dst.add(j) = T::ZERO;
                    j += 1;
                }
            }
        }
    }
}
