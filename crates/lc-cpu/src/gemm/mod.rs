//! Matrix product with a fused epilogue: `C = activation(scale · A·B + bias + residual)`.
//!
//! A, B and the residual may have any strides, also negative and zero; C any that keep its elements apart. C is only
//! written: what it held before does not matter, be it NaN. Sums run over k in order within blocks whose length
//! depends on k alone, so a result is the same for every number of threads.

mod copy;
mod drive;
mod gemv;
mod micro;
mod parts;
mod transpose;
pub(crate) mod workspace;

use crate::isa::Isa;
use crate::math::MathFloat;
use crate::simd::Float;
use crate::view::{Mat, MatMut};
use drive::{Blocking, Product, Source};
use lc_core::Activation;
use micro::Micro;
use workspace::Buffer;

/// The element types of a product.
pub trait GemmFloat: MathFloat {}
impl GemmFloat for f32 {}
impl GemmFloat for f64 {}

/// A vector that is added to every row or to every column of C.
#[derive(Clone, Copy, Debug)]
pub enum Bias<T> {
    /// One element a column of C (length n).
    PerColumn {
        /// Element of column 0.
        ptr: *const T,
        /// Elements from one column's to the next.
        stride: isize,
    },
    /// One element a row of C (length m).
    PerRow {
        /// Element of row 0.
        ptr: *const T,
        /// Elements from one row's to the next.
        stride: isize,
    },
}

// SAFETY: as a view, an address that the caller of a kernel vouches for.
unsafe impl<T: Sync> Send for Bias<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Bias<T> {}

/// What happens to a product before it is stored, in this order.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<T> {
    /// Multiplies the product.
    pub scale: T,
    /// Is added next.
    pub bias: Option<Bias<T>>,
    /// Is added next; of the shape of C. It may be C itself: each element is read before it is written, and by the
    /// same thread.
    pub residual: Option<Mat<T>>,
    /// Is applied last.
    pub activation: Activation,
}

impl<T: Float> Default for Epilogue<T> {
    /// The plain product.
    fn default() -> Self {
        Epilogue { scale: T::ONE, bias: None, residual: None, activation: Activation::Identity }
    }
}

/// An epilogue with the bias taken apart, as seen by a C that may be transposed.
struct Plain<T> {
    scale: T,
    col_bias: *const T,
    col_bias_stride: isize,
    row_bias: *const T,
    row_bias_stride: isize,
    residual: Option<Mat<T>>,
    activation: Activation,
}

impl<T: Float> Plain<T> {
    fn of(e: &Epilogue<T>) -> Plain<T> {
        let mut plain = Plain {
            scale: e.scale,
            col_bias: std::ptr::null(),
            col_bias_stride: 0,
            row_bias: std::ptr::null(),
            row_bias_stride: 0,
            residual: e.residual,
            activation: e.activation,
        };
        match e.bias {
            Some(Bias::PerColumn { ptr, stride }) => (plain.col_bias, plain.col_bias_stride) = (ptr, stride),
            Some(Bias::PerRow { ptr, stride }) => (plain.row_bias, plain.row_bias_stride) = (ptr, stride),
            None => {}
        }
        plain
    }

    fn t(self) -> Plain<T> {
        Plain {
            col_bias: self.row_bias,
            col_bias_stride: self.row_bias_stride,
            row_bias: self.col_bias,
            row_bias_stride: self.col_bias_stride,
            residual: self.residual.map(Mat::t),
            ..self
        }
    }

    #[inline]
    fn is_identity(&self) -> bool {
        self.scale == T::ONE
            && self.col_bias.is_null()
            && self.row_bias.is_null()
            && self.residual.is_none()
            && self.activation == Activation::Identity
    }
}

/// `C = activation(scale · A·B + bias + residual)` for A `[m, k]`, B `[k, n]`, C `[m, n]`, on up to `threads` threads.
///
/// With k = 0 the product is zero.
///
/// # Safety
/// Every element of the views, of the bias and of the residual is valid to read, those of C to write; C overlaps
/// neither A, B nor the bias, and the residual only if it is the same view; no other thread writes to any of them.
///
/// # Panics
/// When the shapes do not fit together.
pub unsafe fn gemm<T: GemmFloat>(isa: Isa, threads: usize, a: Mat<T>, b: Mat<T>, c: MatMut<T>, epilogue: &Epilogue<T>) {
    assert!(a.rows == c.rows && a.cols == b.rows && b.cols == c.cols, "shapes of a product");
    check_residual(epilogue, c);
    let micro = Micro::of(isa);
    let plain = Plain::of(epilogue);
    // SAFETY: by contract.
    unsafe {
        let column = c.cols <= gemv::MAX_ROWS && c.rows > gemv::MAX_ROWS && c.row_stride == 1;
        if (c.col_stride == 1 || c.cols == 1) && !column {
            product(micro, threads, a, Source::Strided(b), c, &plain);
        } else if c.row_stride == 1 || c.rows == 1 {
            let c = MatMut { ptr: c.ptr, rows: c.cols, cols: c.rows, row_stride: c.col_stride, col_stride: 1 };
            product(micro, threads, b.t(), Source::Strided(a.t()), c, &plain.t());
        } else {
            scattered(c, |near, rows| {
                let a = Mat { ptr: a.at(rows.start, 0), rows: rows.len(), ..a };
                product(micro, threads, a, Source::Strided(b), near, &at_row(&plain, rows.start));
            });
        }
    }
}

/// B in the order that the micro-kernels of one instruction set read, made once and used by many products.
pub struct PackedB<T> {
    isa: Isa,
    k: usize,
    n: usize,
    panels: Buffer,
    element: std::marker::PhantomData<T>,
}

impl<T: GemmFloat> PackedB<T> {
    /// Packs B `[k, n]` for `isa`.
    ///
    /// # Safety
    /// Every element of the view is valid to read.
    ///
    /// # Panics
    /// When the packed form would not fit into the address space.
    pub unsafe fn new(isa: Isa, b: Mat<T>) -> PackedB<T> {
        let micro = Micro::of(isa);
        let (k, n) = (b.rows, b.cols);
        let blocking = Blocking::of(micro, n, k);
        let padded = n.checked_next_multiple_of(micro.cols());
        let bytes = padded.and_then(|n| n.checked_mul(k)).and_then(|elems| elems.checked_mul(size_of::<T>()));
        let panels = Buffer::new(bytes.expect("a packed operand is smaller than the address space"));
        let padded = n.next_multiple_of(micro.cols());
        for start in (0..k).step_by(blocking.k) {
            let part = Mat { ptr: b.at(start, 0), rows: blocking.k.min(k - start), ..b };
            // SAFETY: the blocks of k lie one after the other, each with all columns.
            unsafe { drive::pack_panels(micro, part, panels.ptr::<T>().add(start * padded)) };
        }
        PackedB { isa, k, n, panels, element: std::marker::PhantomData }
    }

    /// The instruction set that this was packed for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Rows of B.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Columns of B.
    pub fn n(&self) -> usize {
        self.n
    }

    /// How much memory this holds.
    pub fn bytes(&self) -> usize {
        self.panels.bytes()
    }
}

/// [`gemm`] with a packed B.
///
/// # Safety
/// As [`gemm`].
///
/// # Panics
/// When the shapes do not fit together, or B was packed for another instruction set.
pub unsafe fn gemm_packed<T: GemmFloat>(
    isa: Isa,
    threads: usize,
    a: Mat<T>,
    b: &PackedB<T>,
    c: MatMut<T>,
    epilogue: &Epilogue<T>,
) {
    assert!(a.rows == c.rows && a.cols == b.k && b.n == c.cols, "shapes of a product");
    assert!(b.isa == isa, "B was packed for {:?}", b.isa);
    check_residual(epilogue, c);
    let micro = Micro::of(isa);
    let plain = Plain::of(epilogue);
    let source = Source::Panels(b.panels.ptr::<T>().cast_const());
    // SAFETY: by contract.
    unsafe {
        if c.col_stride == 1 || c.cols == 1 {
            product(micro, threads, a, source, c, &plain);
        } else {
            scattered(c, |near, rows| {
                let a = Mat { ptr: a.at(rows.start, 0), rows: rows.len(), ..a };
                product(micro, threads, a, source, near, &at_row(&plain, rows.start));
            });
        }
    }
}

/// `batch` products, `C[i] = activation(scale · A[i]·B[i] + bias + residual)`, with one epilogue, split over `threads`
/// threads by product, and within a product where they are fewer than the threads.
///
/// A bias or a residual is the same for every product.
///
/// # Safety
/// As [`gemm`] for every product; no two outputs overlap.
///
/// # Panics
/// As [`gemm`].
pub unsafe fn gemm_batched<T: GemmFloat>(
    isa: Isa,
    threads: usize,
    batch: usize,
    a: impl Fn(usize) -> Mat<T> + Sync,
    b: impl Fn(usize) -> Mat<T> + Sync,
    c: impl Fn(usize) -> MatMut<T> + Sync,
    epilogue: &Epilogue<T>,
) {
    // SAFETY: by contract.
    let one = |i: usize, threads: usize| unsafe { gemm(isa, threads, a(i), b(i), c(i), epilogue) };
    if batch == 0 {
        return;
    }
    let (m, k, n) = (c(0).rows, a(0).cols, c(0).cols);
    let each = m.saturating_mul(k.max(1)).saturating_mul(n);
    if threads <= 1 || each.saturating_mul(batch) < parts::WORTH || batch < threads {
        for i in 0..batch {
            one(i, threads);
        }
        return;
    }
    // Small products go to a thread in groups, a group being worth the hand-over.
    let group = (parts::WORTH / 4 / each.max(1)).clamp(1, batch.div_ceil(threads));
    let epilogue_ref = SyncRef(epilogue);
    let groups = batch.div_ceil(group);
    crate::pool::run_on(threads, groups, &|g| {
        let epilogue = epilogue_ref.get();
        for i in g * group..((g + 1) * group).min(batch) {
            // SAFETY: by contract.
            unsafe { gemm(isa, 1, a(i), b(i), c(i), epilogue) };
        }
    });
}

/// A reference that tasks share.
struct SyncRef<'a, T>(&'a T);

impl<'a, T> SyncRef<'a, T> {
    fn get(&self) -> &'a T {
        self.0
    }
}

// SAFETY: an epilogue holds addresses that are only read.
unsafe impl<T> Sync for SyncRef<'_, T> {}

fn check_residual<T>(epilogue: &Epilogue<T>, c: MatMut<T>) {
    if let Some(r) = &epilogue.residual {
        assert!(r.rows == c.rows && r.cols == c.cols, "shape of the residual");
    }
}

/// The epilogue of the part of C that starts at `row`.
fn at_row<T: Float>(e: &Plain<T>, row: usize) -> Plain<T> {
    Plain {
        row_bias: e.row_bias.wrapping_offset(row as isize * e.row_bias_stride),
        residual: e.residual.map(|r| Mat { ptr: r.at(row, 0), ..r }),
        ..*e
    }
}

/// # Safety
/// As [`gemm`], with `c.col_stride == 1` or one column.
unsafe fn product<T: GemmFloat>(
    micro: &'static Micro<T>,
    threads: usize,
    a: Mat<T>,
    b: Source<T>,
    c: MatMut<T>,
    epilogue: &Plain<T>,
) {
    let p = Product { micro, m: c.rows, n: c.cols, k: a.cols, a, b, c: c.ptr, c_row: c.row_stride, epilogue };
    // SAFETY: by contract.
    unsafe { drive::run(&p, threads) }
}

/// For a C without a unit stride: computes runs of rows in a buffer with `f` and copies them out.
///
/// # Safety
/// C is valid to write.
unsafe fn scattered<T: GemmFloat>(c: MatMut<T>, f: impl Fn(MatMut<T>, std::ops::Range<usize>)) {
    const ELEMS: usize = 1 << 20;
    if c.cols == 0 {
        return;
    }
    let rows = (ELEMS / c.cols).max(64).min(c.rows);
    if rows == 0 {
        return;
    }
    let buffer = Buffer::new(rows * c.cols * size_of::<T>());
    for start in (0..c.rows).step_by(rows) {
        let part = start..(start + rows).min(c.rows);
        let near = MatMut {
            ptr: buffer.ptr::<T>(),
            rows: part.len(),
            cols: c.cols,
            row_stride: c.cols as isize,
            col_stride: 1,
        };
        f(near, part.clone());
        for i in part.clone() {
            for j in 0..c.cols {
                // SAFETY: inside both.
                unsafe { *c.at(i, j) = *near.at(i - start, j) };
            }
        }
    }
}
