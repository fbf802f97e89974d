//! Matmul, convolution and attention for C: float32, dense row-major arrays.

use crate::{device_from, guard, lcError_t, null};
use lc_ops::{ATTENTION, AttentionAttrs, CONV2D, Conv2dAttrs, MATMUL, MatmulAttrs};
use lightning_core::{
    Activation, DType, DeviceRequest, OpDef, PackedPolicy, Result, Shape, TensorMut, TensorRef, TensorSpec, runtime,
};
use std::ffi::c_int;

/// A dense float32 argument.
///
/// # Safety
/// `ptr` is null or valid for reads of as many floats as `dims` has.
unsafe fn input<'a>(op: &'static str, name: &'static str, ptr: *const f32, dims: &[usize]) -> Result<TensorRef<'a>> {
    if ptr.is_null() {
        return Err(null(op, name));
    }
    let shape = Shape::new(dims).map_err(|e| e.in_op(op).argument(name))?;
    let spec = TensorSpec::new(DType::F32, shape);
    // SAFETY: the caller's contract.
    Ok(unsafe { TensorRef::from_raw(ptr.cast(), spec, shape.contiguous_strides()) })
}

/// A dense float32 result.
///
/// # Safety
/// `ptr` is null or valid for writes of as many floats as `spec` has.
unsafe fn output<'a>(op: &'static str, ptr: *mut f32, spec: TensorSpec) -> Result<TensorMut<'a>> {
    if ptr.is_null() {
        return Err(null(op, "out"));
    }
    // SAFETY: the caller's contract.
    Ok(unsafe { TensorMut::from_raw(ptr.cast(), spec) })
}

/// Runs an op on checked inputs.
///
/// # Safety
/// `out` is null or valid for writes of the op's result.
unsafe fn run(
    name: &'static str,
    op: &'static OpDef,
    attrs: &lightning_core::Attrs,
    inputs: &[Option<TensorRef<'_>>],
    out: *mut f32,
    device: c_int,
) -> Result<()> {
    let policy = PackedPolicy::device(DeviceRequest::Is(device_from(name, device)?));
    let specs: Vec<_> = inputs.iter().map(|t| t.as_ref().map(|t| *t.spec())).collect();
    let spec = *op.check(attrs, &specs).map_err(|e| e.in_op(name))?.first();
    // SAFETY: the caller's contract.
    let target = unsafe { output(name, out, spec)? };
    runtime().call(op, attrs, inputs, &mut [target], policy).map_err(|e| e.in_op(name))?;
    Ok(())
}

/// `out[m, n] = a[m, k] · b[k, n]`. `device` is a value of `lcDeviceKind`; where it is absent the process's fallback
/// policy decides.
///
/// # Safety
/// `a`, `b` and `out` are valid for `m·k`, `k·n` and `m·n` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcMatmul(
    a: *const f32,
    b: *const f32,
    out: *mut f32,
    m: usize,
    k: usize,
    n: usize,
    device: c_int,
) -> lcError_t {
    guard(|| {
        // SAFETY: the caller's contract.
        unsafe {
            let inputs = [Some(input("lcMatmul", "a", a, &[m, k])?), Some(input("lcMatmul", "b", b, &[k, n])?)];
            run("lcMatmul", &MATMUL, &MatmulAttrs::default().into(), &inputs, out, device)
        }
    })
}

/// A convolution's extents and steps.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(non_camel_case_types)]
pub struct lcConv2dShape {
    /// Images.
    pub batch: usize,
    /// Input channels.
    pub in_channels: usize,
    /// Input rows.
    pub in_h: usize,
    /// Input columns.
    pub in_w: usize,
    /// Output channels.
    pub out_channels: usize,
    /// Filter rows.
    pub kernel_h: usize,
    /// Filter columns.
    pub kernel_w: usize,
    /// Rows from one output to the next.
    pub stride_h: usize,
    /// Columns from one output to the next.
    pub stride_w: usize,
    /// Zero rows above and below.
    pub pad_h: usize,
    /// Zero columns left and right.
    pub pad_w: usize,
}

/// NCHW cross-correlation with zero padding: `out[n, o, y, x]`, with `bias[o]` added unless `bias` is null, and
/// `max(0, ·)` taken if `apply_relu` is not 0. `out` has `(in_h + 2·pad_h − kernel_h) / stride_h + 1` rows, and columns
/// alike.
///
/// # Safety
/// `shape` is null or valid; `x`, `weight` (`[out_channels, in_channels, kernel_h, kernel_w]`), `bias` and `out` are valid
/// for their floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcConv2d(
    x: *const f32,
    weight: *const f32,
    bias: *const f32,
    out: *mut f32,
    shape: *const lcConv2dShape,
    apply_relu: c_int,
    device: c_int,
) -> lcError_t {
    guard(|| {
        // SAFETY: null or valid by the caller's contract.
        let Some(s) = (unsafe { shape.as_ref() }) else { return Err(null("lcConv2d", "shape")) };
        let attrs = Conv2dAttrs {
            stride_h: s.stride_h,
            stride_w: s.stride_w,
            pad_h: s.pad_h,
            pad_w: s.pad_w,
            activation: if apply_relu != 0 { Activation::Relu } else { Activation::Identity },
            ..Conv2dAttrs::default()
        };
        // SAFETY: the caller's contract.
        unsafe {
            let inputs = [
                Some(input("lcConv2d", "x", x, &[s.batch, s.in_channels, s.in_h, s.in_w])?),
                Some(input("lcConv2d", "weight", weight, &[s.out_channels, s.in_channels, s.kernel_h, s.kernel_w])?),
                (!bias.is_null()).then(|| input("lcConv2d", "bias", bias, &[s.out_channels])).transpose()?,
            ];
            run("lcConv2d", &CONV2D, &attrs.into(), &inputs, out, device)
        }
    })
}

/// Attention of one head: `out = softmax(q·kᵀ / sqrt(head_dim)) · v`, all `[seq_len, head_dim]`; row `i` sees only rows up
/// to `i` if `causal` is not 0.
///
/// # Safety
/// `q`, `k`, `v` and `out` are valid for `seq_len · head_dim` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lcAttention(
    q: *const f32,
    k: *const f32,
    v: *const f32,
    out: *mut f32,
    seq_len: usize,
    head_dim: usize,
    causal: c_int,
    device: c_int,
) -> lcError_t {
    guard(|| {
        let attrs = AttentionAttrs { causal: causal != 0, ..AttentionAttrs::default() };
        let dims = [seq_len, head_dim];
        // SAFETY: the caller's contract.
        unsafe {
            let inputs = [
                Some(input("lcAttention", "q", q, &dims)?),
                Some(input("lcAttention", "k", k, &dims)?),
                Some(input("lcAttention", "v", v, &dims)?),
            ];
            run("lcAttention", &ATTENTION, &attrs.into(), &inputs, out, device)
        }
    })
}
