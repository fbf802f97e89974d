//! Products through the C interface of a BLAS: which strides it can express, and what runs around it.

use crate::bind::Real;
use crate::gemm::{Epilogue, GemmFloat, gemm};
use crate::isa::Isa;
use crate::view::{Mat, MatMut};
use lc_core::{Activation, Error, ErrorKind, Result};
use std::ffi::c_int;

/// `C = alpha · op(A)·op(B) + beta · C` on row-major matrices, as `cblas_sgemm` and `cblas_dgemm` take it.
#[derive(Clone, Copy, Debug)]
pub struct Gemm<T> {
    /// Whether A and B are stored transposed.
    pub transposed: [bool; 2],
    /// Rows of C, columns of C, columns of op(A).
    pub sizes: [c_int; 3],
    /// Multiplies the product.
    pub alpha: T,
    /// A, and the elements from one stored row to the next.
    pub a: (*const T, c_int),
    /// B, likewise.
    pub b: (*const T, c_int),
    /// Multiplies what C held; 0 means that C is not read.
    pub beta: T,
    /// C, likewise.
    pub c: (*mut T, c_int),
}

/// A library with the C interface of BLAS.
pub trait Library: 'static {
    /// `cblas_sgemm`.
    ///
    /// # Safety
    /// The matrices are readable, C is writable and overlaps neither of the others, and each leading dimension is at least
    /// the length of a stored row.
    unsafe fn sgemm(call: &Gemm<f32>);
    /// `cblas_dgemm`.
    ///
    /// # Safety
    /// As [`Library::sgemm`].
    unsafe fn dgemm(call: &Gemm<f64>);
}

/// An element type that a BLAS multiplies.
pub trait BlasFloat: Real + GemmFloat {
    /// The product of this type.
    ///
    /// # Safety
    /// As [`Library::sgemm`].
    unsafe fn gemm<L: Library>(call: &Gemm<Self>);
}

impl BlasFloat for f32 {
    unsafe fn gemm<L: Library>(call: &Gemm<f32>) {
        // SAFETY: the caller's contract.
        unsafe { L::sgemm(call) }
    }
}

impl BlasFloat for f64 {
    unsafe fn gemm<L: Library>(call: &Gemm<f64>) {
        // SAFETY: the caller's contract.
        unsafe { L::dgemm(call) }
    }
}

/// What `cblas.h` calls row-major order, and the two ways to read a matrix of reals.
#[cfg(target_os = "macos")]
const ROW_MAJOR: c_int = 101;
#[cfg(target_os = "macos")]
const NO_TRANS: c_int = 111;
#[cfg(target_os = "macos")]
const TRANS: c_int = 112;

/// The library of macOS. The symbols are those that every version of the system has, with sizes of 32 bits.
#[cfg(target_os = "macos")]
pub struct Accelerate;

#[cfg(target_os = "macos")]
#[link(name = "Accelerate", kind = "framework")]
unsafe extern "C" {
    fn cblas_sgemm(
        order: c_int,
        trans_a: c_int,
        trans_b: c_int,
        m: c_int,
        n: c_int,
        k: c_int,
        alpha: f32,
        a: *const f32,
        lda: c_int,
        b: *const f32,
        ldb: c_int,
        beta: f32,
        c: *mut f32,
        ldc: c_int,
    );
    fn cblas_dgemm(
        order: c_int,
        trans_a: c_int,
        trans_b: c_int,
        m: c_int,
        n: c_int,
        k: c_int,
        alpha: f64,
        a: *const f64,
        lda: c_int,
        b: *const f64,
        ldb: c_int,
        beta: f64,
        c: *mut f64,
        ldc: c_int,
    );
}

#[cfg(target_os = "macos")]
impl Library for Accelerate {
    unsafe fn sgemm(call: &Gemm<f32>) {
        let Gemm { transposed, sizes: [m, n, k], alpha, a, b, beta, c } = *call;
        let [ta, tb] = transposed.map(|transposed| if transposed { TRANS } else { NO_TRANS });
        // SAFETY: the caller's contract is the function's.
        unsafe { cblas_sgemm(ROW_MAJOR, ta, tb, m, n, k, alpha, a.0, a.1, b.0, b.1, beta, c.0, c.1) }
    }

    unsafe fn dgemm(call: &Gemm<f64>) {
        let Gemm { transposed, sizes: [m, n, k], alpha, a, b, beta, c } = *call;
        let [ta, tb] = transposed.map(|transposed| if transposed { TRANS } else { NO_TRANS });
        // SAFETY: the caller's contract is the function's.
        unsafe { cblas_dgemm(ROW_MAJOR, ta, tb, m, n, k, alpha, a.0, a.1, b.0, b.1, beta, c.0, c.1) }
    }
}

/// Whether a matrix is stored transposed, and the elements from one stored row to the next; `None` for strides that a BLAS
/// cannot express: both longer than one, negative, zero, or rows that overlap. No dimension is empty.
pub fn layout<T>(m: &Mat<T>) -> Option<(bool, c_int)> {
    // `along` walks a stored row of `len`, `step` from one of `count` such rows to the next.
    let stored = |len: usize, along: isize, count: usize, step: isize| {
        // The stride of a single element or row says nothing.
        let dense = len == 1 || along == 1;
        let step = if count == 1 { len as isize } else { step };
        c_int::try_from(step).ok().filter(|step| dense && *step > 0 && *step as usize >= len)
    };
    let plain = stored(m.cols, m.col_stride, m.rows, m.row_stride).map(|ld| (false, ld));
    plain.or_else(|| stored(m.rows, m.row_stride, m.cols, m.col_stride).map(|ld| (true, ld)))
}

/// A matrix as the library reads it: in place, or a row-major copy that lives as long as this.
struct Operand<T> {
    transposed: bool,
    start: *const T,
    leading: c_int,
    _copy: Vec<T>,
}

impl<T: BlasFloat> Operand<T> {
    /// # Safety
    /// Every element of the view can be read; no dimension is empty, and each fits into a `c_int`.
    unsafe fn of(m: Mat<T>) -> Result<Operand<T>> {
        if let Some((transposed, leading)) = layout(&m) {
            return Ok(Operand { transposed, start: m.ptr, leading, _copy: Vec::new() });
        }
        let failed = || {
            let got = format!("a copy of {} by {} elements", m.rows, m.cols);
            Error::new(ErrorKind::OutOfMemory, "accelerate")
                .got(got)
                .hint("make the operand dense, or use tune \"off\"")
        };
        let count = m.rows.checked_mul(m.cols).ok_or_else(failed)?;
        let mut copy = Vec::new();
        copy.try_reserve_exact(count).map_err(|_| failed())?;
        for row in 0..m.rows {
            // SAFETY: elements of the view.
            copy.extend((0..m.cols).map(|col| unsafe { *m.at(row, col) }));
        }
        let start = copy.as_ptr();
        Ok(Operand { transposed: false, start, leading: m.cols as c_int, _copy: copy })
    }
}

/// `C = activation(scale · A·B + bias + residual)`, as [`gemm`] has it, with the product by the library. `isa` and `threads`
/// are for the rest.
///
/// # Errors
/// Out of memory for a copy of an operand whose strides the library cannot express.
///
/// # Safety
/// As [`gemm`]; the rows of C are dense and follow each other, and the residual is not C.
pub unsafe fn product<L: Library, T: BlasFloat>(
    isa: Isa,
    threads: usize,
    a: Mat<T>,
    b: Mat<T>,
    c: MatMut<T>,
    epilogue: &Epilogue<T>,
) -> Result<()> {
    let sizes = [c.rows, c.cols, a.cols].map(|size| c_int::try_from(size).unwrap_or(0));
    if sizes.contains(&0) {
        // Nothing to multiply, or more than the interface counts.
        // SAFETY: the caller's contract.
        unsafe { gemm(isa, threads, a, b, c, epilogue) };
        return Ok(());
    }
    // A product over nothing: bias, residual and activation alone, by the kernel that has them all.
    let nothing =
        |rows, cols| Mat { ptr: std::ptr::NonNull::dangling().as_ptr(), rows, cols, row_stride: 0, col_stride: 0 };
    let pass = |epilogue: &Epilogue<T>| {
        // SAFETY: operands without elements, and C and the epilogue as the caller vouches.
        unsafe { gemm(isa, threads, nothing(c.rows, 0), nothing(0, c.cols), c, epilogue) };
    };
    // SAFETY: the caller's views are readable; sizes are checked above.
    let (a, b) = unsafe { (Operand::of(a)?, Operand::of(b)?) };
    let beta = match epilogue.residual {
        None => T::ZERO,
        Some(residual) => {
            pass(&Epilogue { residual: Some(residual), ..Epilogue::default() });
            T::ONE
        }
    };
    let call = Gemm {
        transposed: [a.transposed, b.transposed],
        sizes,
        alpha: epilogue.scale,
        a: (a.start, a.leading),
        b: (b.start, b.leading),
        beta,
        c: (c.ptr, sizes[1]),
    };
    // SAFETY: the operands are the caller's or copies that live on; `layout` made the leading dimensions long enough.
    unsafe { T::gemm::<L>(&call) };
    if epilogue.bias.is_some() || epilogue.activation != Activation::Identity {
        let MatMut { ptr, rows, cols, row_stride, col_stride } = c;
        let own = Mat { ptr: ptr.cast_const(), rows, cols, row_stride, col_stride };
        pass(&Epilogue { scale: T::ONE, residual: Some(own), ..*epilogue });
    }
    Ok(())
}
