//! Two-dimensional convolution (cross-correlation) of NCHW images.
//!
//! `out[n, o, y, x] = act(bias[o] + Σ w[o, c, i, j] · x[n, g·C + c, y·stride + i·dilation − pad, …])`, over the taps that
//! fall inside the image.
//!
//! There is no im2col buffer of the image. A task takes a strip of output rows and a block of input channels and gathers
//! what they need into a scratch tile (see [`tile`]): the strip of the image with its border of zeros, so that every tap of
//! the filter is a contiguous vector at a fixed offset of its output vector; where rows are no whole vectors, such a strip
//! for every column of the filter, so that vectors run on from row to row; for narrow images and strides the patches
//! themselves, as in an implicit GEMM. One micro-kernel (see [`micro`]) serves all: vectors run along
//! the output positions, a register block spans several positions and output channels, and the filter is read where it
//! is, as OIHW keeps the taps of an output channel contiguous.
//!
//! The sum of one output always runs over the taps in the same order, whatever the number of threads.

mod border;
mod micro;
mod tile;

use crate::isa::Isa;
use crate::math::MathFloat;
use crate::ops::activation::activation;
use crate::ops::elementwise::is_contiguous;
use crate::pool;
use crate::simd::{Float, Kernel, Simd, Vector, dispatch};
use lc_core::Activation;
use tile::{Gather, Tile};

/// The sizes of a convolution, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Images.
    pub batch: usize,
    /// Channels of an image, of all groups together.
    pub in_channels: usize,
    /// Rows of an image.
    pub in_h: usize,
    /// Columns of an image.
    pub in_w: usize,
    /// Channels of the result, of all groups together.
    pub out_channels: usize,
    /// Rows of the filter.
    pub kernel_h: usize,
    /// Columns of the filter.
    pub kernel_w: usize,
    /// Image rows from one output row to the next.
    pub stride_h: usize,
    /// Image columns from one output column to the next.
    pub stride_w: usize,
    /// Rows of zeros above and below the image.
    pub pad_h: usize,
    /// Columns of zeros left and right of the image.
    pub pad_w: usize,
    /// Image rows from one filter row to the next.
    pub dilation_h: usize,
    /// Image columns from one filter column to the next.
    pub dilation_w: usize,
    /// Independent parts that the channels are split into.
    pub groups: usize,
    /// Rows of the result: [`Conv2d::out_extent`] of the rows.
    pub out_h: usize,
    /// Columns of the result.
    pub out_w: usize,
}

impl Conv2d {
    /// The extent of the result along one dimension, or `None` if the filter does not fit, a stride or dilation is zero,
    /// or the sum overflows.
    pub fn out_extent(input: usize, kernel: usize, stride: usize, pad: usize, dilation: usize) -> Option<usize> {
        if kernel == 0 || dilation == 0 {
            return None;
        }
        let padded = pad.checked_mul(2)?.checked_add(input)?;
        let reach = (kernel - 1).checked_mul(dilation)?.checked_add(1)?;
        Some(padded.checked_sub(reach)?.checked_div(stride)? + 1)
    }

    /// Input channels that one output channel sees.
    pub fn group_in(&self) -> usize {
        self.in_channels / self.groups
    }

    /// Output channels of one group.
    pub fn group_out(&self) -> usize {
        self.out_channels / self.groups
    }

    /// Multiply-adds that one output takes, those on the border of zeros included.
    pub fn taps(&self) -> usize {
        self.group_in() * self.kernel_h * self.kernel_w
    }

    /// As many of `threads` as are worth their cost.
    pub(crate) fn worth(&self, threads: usize) -> usize {
        if self.out_len().saturating_mul(self.taps()) < PARALLEL_MACS { 1 } else { threads.max(1) }
    }

    /// Elements of the result.
    pub fn out_len(&self) -> usize {
        self.batch * self.out_channels * self.out_h * self.out_w
    }
}

/// A filter kept ready for many calls: contiguous in OIHW order, and known to be finite or not.
#[derive(Clone, Debug)]
pub struct PackedFilter<T> {
    data: Vec<T>,
    finite: bool,
}

impl<T: MathFloat> PackedFilter<T> {
    /// Copies the filter `w`, of shape (out_channels, in_channels / groups, kernel_h, kernel_w).
    ///
    /// # Safety
    /// Every element that the view reaches must be readable and `isa` available.
    pub unsafe fn new(isa: Isa, p: &Conv2d, w: *const T, w_strides: [isize; 4]) -> Self {
        let mut packed = PackedFilter { data: vec![T::ZERO; p.out_channels * p.taps()], finite: true };
        // SAFETY: the caller's contract.
        unsafe { packed.update(isa, p, w, w_strides) };
        packed
    }

    /// Takes the values of another filter of the same shape; allocates nothing.
    ///
    /// # Safety
    /// As [`PackedFilter::new`].
    ///
    /// # Panics
    /// If `p` has another number of weights.
    pub unsafe fn update(&mut self, isa: Isa, p: &Conv2d, w: *const T, w_strides: [isize; 4]) {
        assert_eq!(self.data.len(), p.out_channels * p.taps());
        // SAFETY: the caller's contract; `data` has the size of the shape.
        unsafe { activation(isa, 1, Activation::Identity, &filter_shape(p), w, &w_strides, self.data.as_mut_ptr()) };
        self.finite = dispatch(isa, AllFinite { ptr: self.data.as_ptr(), len: self.data.len() });
    }
}

fn filter_shape(p: &Conv2d) -> [usize; 4] {
    [p.out_channels, p.group_in(), p.kernel_h, p.kernel_w]
}

/// The convolution of `x` (batch, in_channels, in_h, in_w) with the filter `w` (out_channels, in_channels / groups,
/// kernel_h, kernel_w) into `out`, C-contiguous (batch, out_channels, out_h, out_w).
///
/// `bias` is the first of out_channels elements and their stride. Strides are in elements and may be zero or negative.
/// The filter is read at every call. `threads` bounds how many threads work on it; the result does not depend on it.
///
/// # Safety
/// Every element that the views reach must be readable, `out` writable for [`Conv2d::out_len`] elements and disjoint from
/// the inputs, the sizes consistent (groups divides both channel counts, the output extents are those of
/// [`Conv2d::out_extent`]), and `isa` available.
pub unsafe fn conv2d<T: MathFloat>(
    isa: Isa,
    threads: usize,
    p: &Conv2d,
    x: *const T,
    x_strides: [isize; 4],
    w: *const T,
    w_strides: [isize; 4],
    bias: Option<(*const T, isize)>,
    out: *mut T,
    act: Activation,
) {
    // SAFETY: the caller's contract.
    unsafe {
        with_filter(isa, p, w, w_strides, |w, finite| {
            run(isa, threads, p, x, x_strides, w, finite, bias, out, act);
        });
    }
}

/// Calls `f` with the filter in OIHW order, in place where it is so, and with whether it is finite or nothing is padded.
///
/// # Safety
/// As [`PackedFilter::new`].
pub(crate) unsafe fn with_filter<T: MathFloat>(
    isa: Isa,
    p: &Conv2d,
    w: *const T,
    w_strides: [isize; 4],
    f: impl FnOnce(*const T, bool),
) {
    if is_contiguous(&filter_shape(p), &w_strides) {
        // Only a border of zeros makes non-finite weights a special case.
        let padded = p.pad_h | p.pad_w != 0;
        let finite = !padded || dispatch(isa, AllFinite { ptr: w, len: p.out_channels * p.taps() });
        f(w, finite);
    } else {
        // SAFETY: the caller's contract.
        let packed = unsafe { PackedFilter::new(isa, p, w, w_strides) };
        f(packed.data.as_ptr(), packed.finite);
    }
}

/// [`conv2d`] with a filter that was packed for `p`.
///
/// # Safety
/// As [`conv2d`].
///
/// # Panics
/// If the filter was packed for another number of weights.
pub unsafe fn conv2d_packed<T: MathFloat>(
    isa: Isa,
    threads: usize,
    p: &Conv2d,
    x: *const T,
    x_strides: [isize; 4],
    w: &PackedFilter<T>,
    bias: Option<(*const T, isize)>,
    out: *mut T,
    act: Activation,
) {
    assert_eq!(w.data.len(), p.out_channels * p.taps());
    // SAFETY: the caller's contract.
    unsafe { run(isa, threads, p, x, x_strides, w.data.as_ptr(), w.finite, bias, out, act) }
}

/// Whether all elements are finite: `0 · x` is zero for those and NaN for the others.
struct AllFinite<T> {
    ptr: *const T,
    len: usize,
}

impl<T: Float> Kernel for AllFinite<T> {
    type Output = bool;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> bool {
        let lanes = T::V::<S>::LANES;
        // SAFETY: inside `Kernel::run`; every access is below `len`.
        unsafe {
            let zero = T::V::<S>::zero();
            let mut sums = [zero; 4];
            let mut i = 0;
            while i + 4 * lanes <= self.len {
                for (u, sum) in sums.iter_mut().enumerate() {
                    *sum = T::V::<S>::load(self.ptr.add(i + u * lanes)).mul_add(zero, *sum);
                }
                i += 4 * lanes;
            }
            while i + lanes <= self.len {
                sums[0] = T::V::<S>::load(self.ptr.add(i)).mul_add(zero, sums[0]);
                i += lanes;
            }
            if i < self.len {
                sums[1] = T::V::<S>::load_n(self.ptr.add(i), self.len - i).mul_add(zero, sums[1]);
            }
            sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum() == T::ZERO
        }
    }
}

/// Multiply-adds below which a second thread costs more than it saves.
const PARALLEL_MACS: usize = 100_000;

/// Multiply-adds of one output that a task does before it goes on to the next position: the weights of a register block
/// stay in the first-level cache for so many. It decides the order of summation, so it depends on nothing else.
const BLOCK_TAPS: usize = 512;

/// Input channels whose taps make up such a block.
fn block_channels(p: &Conv2d) -> usize {
    (BLOCK_TAPS / (p.kernel_h * p.kernel_w)).clamp(1, p.group_in().max(1))
}

/// Bytes of scratch that a strip of the image may take: half of a usual second-level cache.
const TILE_BYTES: usize = 384 << 10;

/// The filter, the image and the result of one call.
#[derive(Clone, Copy)]
pub(crate) struct Operands<T> {
    pub(crate) x: *const T,
    pub(crate) x_strides: [isize; 4],
    /// In OIHW order.
    pub(crate) w: *const T,
    pub(crate) bias: Option<(*const T, isize)>,
    pub(crate) out: *mut T,
    pub(crate) act: Activation,
}

// SAFETY: addresses only; tasks write disjoint parts of `out`.
unsafe impl<T: Send> Sync for Operands<T> {}

/// How the work is cut: units are (image, group, strip of output rows), each by parts of the output channels.
#[derive(Clone, Copy)]
struct Cut {
    gather: Gather,
    /// Input channels of a block.
    channels: usize,
    /// Output rows of a strip.
    rows: usize,
    strips: usize,
    /// Output channels of a part.
    outs: usize,
    parts: usize,
}

impl Cut {
    /// For so many threads, all of which are worth their cost.
    fn of<T: Float>(p: &Conv2d, isa: Isa, workers: usize) -> Cut {
        let lanes = dispatch(isa, LanesOf(std::marker::PhantomData::<T>));
        let gather = Gather::choose(p, lanes);
        let channels = block_channels(p);
        let images = p.batch * p.groups;
        let fits = |rows: usize| Tile::<T>::bytes(p, gather, channels, rows, lanes) <= TILE_BYTES;
        let mut rows = p.out_h;
        let mut parts = 1;
        if images < workers {
            // Threads that share channels out write memory of their own, where strips meet in a cache line of every channel.
            // But each fills the whole tile: some three cycles a vector, which then serves `reuse` multiply-adds for each of
            // its channels. Below 64 of these in all, strips are the lesser loss.
            parts = workers.div_ceil(images).min(p.group_out().div_ceil(micro::OUTS));
            let reuse = if gather == Gather::Patches { 1 } else { p.kernel_h * p.kernel_w };
            if reuse * p.group_out() < 64 * parts || !fits(rows) {
                parts = 1;
                rows = p.out_h.div_ceil(workers.div_ceil(images)).max(2);
            }
        }
        while rows > 1 && !fits(rows) {
            rows = rows.div_ceil(2);
        }
        let rows = rows.min(p.out_h);
        let strips = p.out_h.div_ceil(rows);
        if parts == 1 && images * strips < workers {
            parts = workers.div_ceil(images * strips).min(p.group_out().div_ceil(micro::OUTS));
        }
        let outs = p.group_out().div_ceil(parts).next_multiple_of(micro::OUTS).min(p.group_out());
        Cut { gather, channels, rows, strips, outs, parts: p.group_out().div_ceil(outs) }
    }
}

struct LanesOf<T>(std::marker::PhantomData<T>);

impl<T: Float> Kernel for LanesOf<T> {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        T::V::<S>::LANES
    }
}

/// # Safety
/// As [`conv2d`], with `w` contiguous.
unsafe fn run<T: MathFloat>(
    isa: Isa,
    threads: usize,
    p: &Conv2d,
    x: *const T,
    x_strides: [isize; 4],
    w: *const T,
    finite: bool,
    bias: Option<(*const T, isize)>,
    out: *mut T,
    act: Activation,
) {
    if p.out_len() == 0 {
        return;
    }
    let threads = p.worth(threads);
    let work = Work::of(isa, threads, p, Operands { x, x_strides, w, bias, out, act }, finite);
    // SAFETY: the caller's contract; every task is done once, and all of them before the end.
    unsafe {
        if threads == 1 {
            (0..work.tasks()).for_each(|index| work.run(index));
        } else {
            pool::run(work.tasks(), &|index| work.run(index));
        }
        work.finish();
    }
}

/// A convolution cut into tasks, each of which any thread may do.
pub(crate) struct Work<'a, T> {
    isa: Isa,
    p: &'a Conv2d,
    operands: Operands<T>,
    cut: Cut,
    /// Whether the filter is finite, or nothing is padded.
    finite: bool,
}

impl<'a, T: MathFloat> Work<'a, T> {
    /// The tasks for `workers` threads; `operands.w` is contiguous.
    pub(crate) fn of(isa: Isa, workers: usize, p: &'a Conv2d, operands: Operands<T>, finite: bool) -> Self {
        Work { isa, p, operands, cut: Cut::of::<T>(p, isa, workers), finite }
    }

    /// How many there are.
    pub(crate) fn tasks(&self) -> usize {
        self.p.batch * self.p.groups * self.cut.strips * self.cut.parts
    }

    /// Does task `index`.
    ///
    /// # Safety
    /// The contract of [`conv2d`] for the operands; no two threads do the same task.
    pub(crate) unsafe fn run(&self, index: usize) {
        let Work { isa, p, operands, cut, .. } = self;
        let (unit, part) = (index / cut.parts, index % cut.parts);
        let (image, strip) = (unit / cut.strips, unit % cut.strips);
        let first_row = strip * cut.rows;
        let first_out = part * cut.outs;
        let task = Task {
            isa: *isa,
            p,
            operands,
            cut,
            image: image / p.groups,
            group: image % p.groups,
            rows: first_row..(first_row + cut.rows).min(p.out_h),
            outs: first_out..(first_out + cut.outs).min(p.group_out()),
        };
        dispatch(*isa, task);
    }

    /// What is left when all tasks are done.
    ///
    /// # Safety
    /// As [`Work::run`]; all tasks are done.
    pub(crate) unsafe fn finish(&self) {
        if !self.finite {
            // SAFETY: the caller's contract.
            unsafe { border::redo(self.p, &self.operands) };
        }
    }
}

/// One part of the output channels of one strip of rows of one image.
struct Task<'a, T> {
    isa: Isa,
    p: &'a Conv2d,
    operands: &'a Operands<T>,
    cut: &'a Cut,
    image: usize,
    group: usize,
    rows: std::ops::Range<usize>,
    outs: std::ops::Range<usize>,
}

impl<T: MathFloat> Kernel for Task<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Task { isa, p, operands, cut, image, group, rows, outs } = self;
        let (group_in, taps, plane) = (p.group_in(), p.taps(), p.out_h * p.out_w);
        let first_out = group * p.group_out() + outs.start;
        let height = rows.len();
        let lanes = T::V::<S>::LANES;
        // What the micro-kernel cannot apply in its registers is applied to the finished rows, which are still near.
        let relu = operands.act == Activation::Relu;
        let later = !matches!(operands.act, Activation::Identity | Activation::Relu);
        // SAFETY: inside `Kernel::run`; the offsets are those of elements of the views and of the result.
        unsafe {
            let out = operands.out.add((image * p.out_channels + first_out) * plane + rows.start * p.out_w);
            let mut tile = Tile::<T>::new(p, cut.gather, cut.channels, height, lanes);
            let mut first_channel = 0;
            loop {
                let channels = cut.channels.min(group_in - first_channel);
                let x = operands
                    .x
                    .wrapping_offset(image as isize * operands.x_strides[0])
                    .wrapping_offset((group * group_in + first_channel) as isize * operands.x_strides[1]);
                let [_, sc, sh, sw] = operands.x_strides;
                tile.fill::<S>(p, x, [sc, sh, sw], channels, rows.start);
                let last = first_channel + channels == group_in;
                let block = micro::Block {
                    w: operands.w.wrapping_add(first_out * taps + first_channel * p.kernel_h * p.kernel_w),
                    w_stride: taps,
                    outs: outs.len(),
                    bias: operands.bias.map(|(b, s)| (b.wrapping_offset(first_out as isize * s), s)),
                    accumulate: first_channel > 0,
                    relu: relu && last,
                };
                micro::block::<S, T>(&tile, &block, out, plane);
                first_channel += channels;
                if last {
                    break;
                }
            }
            if later {
                let n = height * p.out_w;
                for o in 0..outs.len() {
                    let row = out.add(o * plane);
                    activation(isa, 1, operands.act, &[n], row.cast_const(), &[1], row);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
