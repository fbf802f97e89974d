//! Outputs that reach over the border of the image, for filters with infinities or NaN.
//!
//! A tile has zeros where the image ends. Zero times a finite weight leaves the sum as it is, but zero times infinity is
//! NaN, and a tap that is outside of the image is no term of the sum at all.

use super::{Conv2d, Operands};
use crate::isa::Isa;
use crate::math::MathFloat;
use crate::ops::activation::activation;

/// Computes again, without the taps outside of the image, the outputs that have such taps and a filter that is not
/// finite. A filter like that is a fault or a test, so this is not fast.
///
/// # Safety
/// As [`super::conv2d`], with the filter contiguous.
#[cold]
pub(super) unsafe fn redo<T: MathFloat>(p: &Conv2d, operands: &Operands<T>) {
    let taps = p.taps();
    for channel in 0..p.out_channels {
        // SAFETY: the filter has this many elements.
        let filter = unsafe { std::slice::from_raw_parts(operands.w.add(channel * taps), taps) };
        if filter.iter().all(|w| w.to_f64().is_finite()) {
            continue;
        }
        for image in 0..p.batch {
            for y in 0..p.out_h {
                for x in 0..p.out_w {
                    if (0..p.kernel_h).all(|i| row(p, y, i).is_some())
                        && (0..p.kernel_w).all(|j| column(p, x, j).is_some())
                    {
                        continue;
                    }
                    // SAFETY: an output of the result.
                    unsafe { one(p, operands, filter, image, channel, y, x) };
                }
            }
        }
    }
}

fn row(p: &Conv2d, y: usize, i: usize) -> Option<usize> {
    (y * p.stride_h + i * p.dilation_h).checked_sub(p.pad_h).filter(|&row| row < p.in_h)
}

fn column(p: &Conv2d, x: usize, j: usize) -> Option<usize> {
    (x * p.stride_w + j * p.dilation_w).checked_sub(p.pad_w).filter(|&column| column < p.in_w)
}

/// # Safety
/// As [`redo`]; the indices must be inside of the result.
unsafe fn one<T: MathFloat>(
    p: &Conv2d,
    operands: &Operands<T>,
    filter: &[T],
    image: usize,
    channel: usize,
    y: usize,
    x: usize,
) {
    let [image_stride, channel_stride, row_stride, col_stride] = operands.x_strides;
    let first = channel / p.group_out() * p.group_in();
    // SAFETY: only taps inside of the image are read; the output is one of the result.
    unsafe {
        let mut sum = operands.bias.map_or(T::ZERO, |(b, stride)| *b.wrapping_offset(channel as isize * stride));
        for c in 0..p.group_in() {
            for i in 0..p.kernel_h {
                for j in 0..p.kernel_w {
                    let (Some(row), Some(column)) = (row(p, y, i), column(p, x, j)) else { continue };
                    let at = image as isize * image_stride
                        + (first + c) as isize * channel_stride
                        + row as isize * row_stride
                        + column as isize * col_stride;
                    sum += filter[(c * p.kernel_h + i) * p.kernel_w + j] * *operands.x.wrapping_offset(at);
                }
            }
        }
        let out = operands.out.add(((image * p.out_channels + channel) * p.out_h + y) * p.out_w + x);
        activation(Isa::Scalar, 1, operands.act, &[], &sum, &[], out);
    }
}
