//! Strided views that kernels take: a pointer, extents and strides in elements.
//!
//! A view carries no lifetime: it is made at the edge of the crate from a checked `TensorRef` and does not outlive the
//! call. Strides may be zero or negative.

/// A read-only matrix.
#[derive(Clone, Copy, Debug)]
pub struct Mat<T> {
    /// Element (0, 0).
    pub ptr: *const T,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Elements from one row to the next.
    pub row_stride: isize,
    /// Elements from one column to the next.
    pub col_stride: isize,
}

/// A writable matrix; no two of its elements share an address.
#[derive(Clone, Copy, Debug)]
pub struct MatMut<T> {
    /// Element (0, 0).
    pub ptr: *mut T,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Elements from one row to the next.
    pub row_stride: isize,
    /// Elements from one column to the next.
    pub col_stride: isize,
}

// SAFETY: a view is an address and extents; who uses it in a kernel vouches that the memory outlives the call and that
// tasks which write touch disjoint elements.
unsafe impl<T: Sync> Send for Mat<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Mat<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for MatMut<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for MatMut<T> {}

impl<T> Mat<T> {
    /// A row-major view of a slice, for tests and benches.
    ///
    /// # Panics
    /// When the slice is shorter than `rows * cols`.
    pub fn of(data: &[T], rows: usize, cols: usize) -> Self {
        assert!(data.len() >= rows * cols);
        Mat { ptr: data.as_ptr(), rows, cols, row_stride: cols as isize, col_stride: 1 }
    }

    /// The transposed view.
    pub fn t(self) -> Self {
        Mat {
            ptr: self.ptr,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    /// The address of an element; in bounds only if `row < rows` and `col < cols`.
    #[inline(always)]
    pub fn at(&self, row: usize, col: usize) -> *const T {
        self.ptr.wrapping_offset(row as isize * self.row_stride + col as isize * self.col_stride)
    }
}

impl<T> MatMut<T> {
    /// A row-major view of a slice, for tests and benches.
    ///
    /// # Panics
    /// When the slice is shorter than `rows * cols`.
    pub fn of(data: &mut [T], rows: usize, cols: usize) -> Self {
        assert!(data.len() >= rows * cols);
        MatMut { ptr: data.as_mut_ptr(), rows, cols, row_stride: cols as isize, col_stride: 1 }
    }

    /// The address of an element; in bounds only if `row < rows` and `col < cols`.
    #[inline(always)]
    pub fn at(&self, row: usize, col: usize) -> *mut T {
        self.ptr.wrapping_offset(row as isize * self.row_stride + col as isize * self.col_stride)
    }
}
