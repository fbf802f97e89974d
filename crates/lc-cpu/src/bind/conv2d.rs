//! conv2d.

use super::{Binding, Call, Real, by_dtype, packed_buffer};
use crate::isa::Isa;
use crate::ops::conv2d::{Conv2d, PackedFilter, conv2d, conv2d_packed};
use lc_core::backend::Buffer;
use lc_core::{Activation, Attrs, DType, Result, TensorRef};
use lc_ops::Conv2dAttrs;

/// The binding.
pub const BINDING: Binding = Binding {
    op: &lc_ops::CONV2D,
    names: ["cpu.conv2d.scalar", "cpu.conv2d.avx2", "cpu.conv2d.avx512", "cpu.conv2d.neon"],
    run: |call| by_dtype(call, run::<f32>, run::<f64>),
    run_op: None,
    prepare: Some(prepare),
};

/// Extents and steps of a call that the op's rule accepted.
pub fn extents(how: &Conv2dAttrs, x: &TensorRef<'_>, w: &TensorRef<'_>) -> Conv2d {
    let (xs, ws) = (x.shape(), w.shape());
    // The rule checked that these neither overflow nor go below zero.
    let out = |size: usize, pad: usize, kernel: usize, dilation: usize, stride: usize| {
        (size + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1
    };
    Conv2d {
        batch: xs[0],
        in_channels: xs[1],
        in_h: xs[2],
        in_w: xs[3],
        out_channels: ws[0],
        kernel_h: ws[2],
        kernel_w: ws[3],
        stride_h: how.stride_h,
        stride_w: how.stride_w,
        pad_h: how.pad_h,
        pad_w: how.pad_w,
        dilation_h: how.dilation_h,
        dilation_w: how.dilation_w,
        groups: how.groups,
        out_h: out(xs[2], how.pad_h, ws[2], how.dilation_h, how.stride_h),
        out_w: out(xs[3], how.pad_w, ws[3], how.dilation_w, how.stride_w),
    }
}

/// Steps of batch, channel, row and column.
pub fn four(tensor: &TensorRef<'_>) -> [isize; 4] {
    tensor.strides().steps().try_into().expect("the op's rule requires four dimensions")
}

fn run<T: Real>(call: &Call<'_>) -> Result<()> {
    let how = Conv2dAttrs::from_attrs(call.attrs);
    // SAFETY: the result is dense, of the convolution's extents, and apart from the inputs.
    unsafe { convolve::<T>(call, &how, how.activation, call.out()) };
    Ok(())
}

/// Convolves inputs 0 to 2 of a call into `out`.
///
/// # Safety
/// `out` holds the dense result and overlaps no input.
pub unsafe fn convolve<T: Real>(call: &Call<'_>, how: &Conv2dAttrs, activation: Activation, out: *mut T) {
    let (x, w) = (call.input(0), call.input(1));
    let p = extents(how, x, w);
    let bias = call.vector::<T>(2);
    let threads = call.threads;
    // SAFETY: strides are those of readable views whose extents the rule checked; the rest is the caller's contract.
    unsafe {
        match call.packed::<PackedFilter<T>>(1) {
            Some(filter) => {
                conv2d_packed(call.isa, threads, &p, x.ptr().cast(), four(x), filter, bias, out, activation)
            }
            None => {
                let (xp, wp) = (x.ptr().cast(), w.ptr().cast());
                conv2d(call.isa, threads, &p, xp, four(x), wp, four(w), bias, out, activation)
            }
        }
    }
}

fn prepare(isa: Isa, attrs: &Attrs, inputs: &[Option<TensorRef<'_>>], index: usize) -> Result<Option<Buffer>> {
    let [Some(x), Some(w), ..] = inputs else { return Ok(None) };
    if index != 1 {
        return Ok(None);
    }
    let p = extents(&Conv2dAttrs::from_attrs(attrs), x, w);
    fn of<T: Real>(isa: Isa, p: &Conv2d, w: &TensorRef<'_>) -> Buffer {
        // SAFETY: strides are those of a readable view with the extents of `p`.
        let packed = unsafe { PackedFilter::<T>::new(isa, p, w.ptr().cast(), four(w)) };
        packed_buffer(w.spec().bytes(), packed)
    }
    Ok(Some(match w.dtype() {
        DType::F32 => of::<f32>(isa, &p, w),
        DType::F64 => of::<f64>(isa, &p, w),
        DType::F16 => return Ok(None),
    }))
}
