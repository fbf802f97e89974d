//! Scaled dot-product attention, forward, and the training step of its values.

mod flash;
#[cfg(test)]
mod tests;
mod tile;
mod train;

pub use train::attention_train_step;

use crate::isa::Isa;
use crate::math::MathFloat;
use crate::pool;
use crate::simd::dispatch;
use flash::{QueryBlock, Strided};
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::LocalKey;

/// A read-only tensor of heads: batch × heads × sequence × dimension. Strides are in elements; zero and negative ones
/// are legal.
#[derive(Clone, Copy, Debug)]
pub struct Heads<T> {
    /// Element (0, 0, 0, 0).
    pub ptr: *const T,
    /// Batch, heads, sequence, dimension.
    pub shape: [usize; 4],
    /// Elements from one index to the next, axis by axis.
    pub strides: [isize; 4],
}

/// A writable tensor of heads; no two of its elements share an address.
#[derive(Clone, Copy, Debug)]
pub struct HeadsMut<T> {
    /// Element (0, 0, 0, 0).
    pub ptr: *mut T,
    /// Batch, heads, sequence, dimension.
    pub shape: [usize; 4],
    /// Elements from one index to the next, axis by axis.
    pub strides: [isize; 4],
}

/// Numbers added to the scores: batch × query heads × queries × keys, broadcast by strides of zero.
#[derive(Clone, Copy, Debug)]
pub struct Mask<T> {
    /// Element (0, 0, 0, 0).
    pub ptr: *const T,
    /// Elements from one index to the next, axis by axis.
    pub strides: [isize; 4],
}

/// What attention computes around its two products.
#[derive(Clone, Copy, Debug)]
pub struct Attention<T> {
    /// Factor of the scores, as a rule 1/√dimension.
    pub scale: T,
    /// Query i sees only keys j ≤ i, counted from the first of each, whatever the two lengths.
    pub causal: bool,
    /// Added to the scaled scores.
    pub mask: Option<Mask<T>>,
    /// The result is multiplied by this,
    pub output_scale: T,
    /// then this is added,
    pub output_bias: T,
    /// then negative numbers become zero, if set.
    pub output_relu: bool,
}

impl<T: MathFloat> Attention<T> {
    /// Scores times 1/√`dim`, nothing else.
    pub fn plain(dim: usize) -> Self {
        Attention {
            scale: T::of(1.0 / (dim as f64).sqrt()),
            causal: false,
            mask: None,
            output_scale: T::ONE,
            output_bias: T::ZERO,
            output_relu: false,
        }
    }
}

/// Multiplications and additions below which a second thread costs more than it brings: some microseconds of one.
const SPLIT_FLOPS: usize = 400_000;

/// A raw address that tasks on other threads may hold.
#[derive(Clone, Copy)]
pub(super) struct Shared<T>(pub T);
// SAFETY: tasks only read through shared addresses or write disjoint elements, and end before the call that made them.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T: Copy> Shared<T> {
    /// The address. A method, so that a closure captures the wrapper and not the raw pointer in it.
    pub(super) fn get(&self) -> T {
        self.0
    }
}

/// `softmax(scale·q·kᵀ + mask)·v` for every head.
///
/// `q` is B × Hq × Sq × D, `k` is B × Hkv × Sk × D, `v` is B × Hkv × Sk × Dv and `out` is B × Hq × Sq × Dv, with Hq a
/// multiple of Hkv (query head h reads key head h·Hkv/Hq). A row whose keys are all hidden gives zeros (before the
/// output's scale, bias and ReLU). NaN and infinity follow IEEE arithmetic and reach only the rows that they take part
/// in: causally hidden keys and values take no part, keys masked by −∞ do. The result does not depend on `threads`.
/// At most `threads` threads work, the caller's included; small work stays on the caller's, and work whose block fits
/// 2048 elements of scratch allocates nothing.
///
/// # Safety
/// Every element of the four tensors and the mask, by shape and strides, is in memory that is valid for the call;
/// `out` overlaps none of the others; shapes agree as above.
pub unsafe fn attention<T: MathFloat>(
    isa: Isa,
    threads: usize,
    q: Heads<T>,
    k: Heads<T>,
    v: Heads<T>,
    out: HeadsMut<T>,
    how: &Attention<T>,
) {
    // SAFETY: passed on; no statistics are asked for.
    unsafe { forward(isa, threads, q, k, v, out, how, std::ptr::null_mut(), std::ptr::null_mut()) }
}

/// [`attention`] that also leaves the statistics of [`QueryBlock`] for each query of the first head, unless null.
pub(super) unsafe fn forward<T: MathFloat>(
    isa: Isa,
    threads: usize,
    q: Heads<T>,
    k: Heads<T>,
    v: Heads<T>,
    out: HeadsMut<T>,
    how: &Attention<T>,
    maximum: *mut T,
    inverse_sum: *mut T,
) {
    let [batch, heads, queries, dim] = q.shape;
    let (keys, value_dim) = (k.shape[2], v.shape[3]);
    debug_assert!(k.shape[0] == batch && v.shape[0] == batch && k.shape[1] == v.shape[1] && v.shape[2] == keys);
    debug_assert!(k.shape[3] == dim && out.shape == [batch, heads, queries, value_dim]);
    if batch * heads == 0 || queries == 0 || value_dim == 0 {
        return;
    }
    let work = Blocks { maximum, inverse_sum, ..Blocks::of(isa, threads, q, k, v, out, how) };
    let tasks = work.tasks();
    if tasks == 1 || work.threads == 1 {
        // SAFETY: the caller's contract.
        (0..tasks).for_each(|index| unsafe { work.run(index) });
    } else {
        let work = Shared(&raw const work);
        // SAFETY: `work` outlives `parallel`, which returns when every task is done; what it holds is shared as the
        // contract of this function allows.
        parallel(threads, tasks, &|index| unsafe { (*work.get()).run(index) });
    }
}

/// A call cut into blocks of queries, each of which any thread may do.
pub(super) struct Blocks<T> {
    isa: Isa,
    lanes: usize,
    /// Threads that are worth their cost.
    pub threads: usize,
    /// Blocks of each head.
    blocks: usize,
    q: Heads<T>,
    k: Heads<T>,
    v: Heads<T>,
    out: HeadsMut<T>,
    how: Attention<T>,
    /// So many of the first keys count 2^`extra` times; see [`QueryBlock`].
    pub repeated: usize,
    pub extra: T,
    maximum: *mut T,
    inverse_sum: *mut T,
}

impl<T: MathFloat> Blocks<T> {
    /// The blocks of a call whose extents are not zero.
    pub fn of(
        isa: Isa,
        threads: usize,
        q: Heads<T>,
        k: Heads<T>,
        v: Heads<T>,
        out: HeadsMut<T>,
        how: &Attention<T>,
    ) -> Self {
        let [batch, heads, queries, dim] = q.shape;
        let (all_heads, keys, value_dim) = (batch * heads, k.shape[2], v.shape[3]);
        // Half of a wide vector would compute nothing.
        let isa = if isa == Isa::Avx512 && queries <= lanes::<T>(Isa::Avx2) { Isa::Avx2 } else { isa };
        let lanes = lanes::<T>(isa);
        let vectors = queries.div_ceil(lanes);
        let flops = 2usize.saturating_mul(all_heads * queries).saturating_mul(keys).saturating_mul(dim + value_dim);
        let threads = if flops < SPLIT_FLOPS { 1 } else { threads.max(1) };
        let blocks = block_count(vectors, flash::max_vectors(isa), all_heads, threads);
        let null = std::ptr::null_mut();
        let (maximum, inverse_sum) = (null, null);
        let (repeated, extra) = (0, T::ZERO);
        Blocks { isa, lanes, threads, blocks, q, k, v, out, how: *how, repeated, extra, maximum, inverse_sum }
    }

    /// The queries of the tasks that come at place `index` for each head, from the first to before the second. Later blocks
    /// come first: with a causal mask they are the long ones, which must not come last.
    pub fn queries(&self, index: usize) -> (usize, usize) {
        let queries = self.q.shape[2];
        let block = self.blocks - 1 - index;
        let edge = |block: usize| block * queries.div_ceil(self.lanes) / self.blocks * self.lanes;
        (edge(block), edge(block + 1).min(queries))
    }

    /// How many tasks there are.
    pub fn tasks(&self) -> usize {
        self.blocks * self.q.shape[0] * self.q.shape[1]
    }

    /// Does task `index`.
    ///
    /// # Safety
    /// The contract of [`attention`]; no two threads do the same task.
    pub unsafe fn run(&self, index: usize) {
        let Blocks { q, k, v, out, how, lanes, .. } = self;
        let [batch, heads, _, dim] = q.shape;
        let all_heads = batch * heads;
        let (first, end) = self.queries(index / all_heads);
        let (b, h) = (index % all_heads / heads, index % all_heads % heads);
        let at = |strides: [isize; 4], h: usize, row: usize| {
            b as isize * strides[0] + h as isize * strides[1] + row as isize * strides[2]
        };
        let head = |x: &Heads<T>, h: usize, row: usize| Strided {
            ptr: x.ptr.wrapping_offset(at(x.strides, h, row)),
            row: x.strides[2],
            col: x.strides[3],
        };
        let group = heads / k.shape[1];
        let statistic = |x: *mut T| if x.is_null() { x } else { x.wrapping_add(first) };
        let part = QueryBlock {
            q: head(q, h, first),
            k: head(k, h / group, 0),
            v: head(v, h / group, 0),
            out: Strided {
                ptr: out.ptr.wrapping_offset(at(out.strides, h, first)),
                row: out.strides[2],
                col: out.strides[3],
            },
            mask: how.mask.map(|mask| Strided {
                ptr: mask.ptr.wrapping_offset(at(mask.strides, h, first)),
                row: mask.strides[2],
                col: mask.strides[3],
            }),
            first,
            rows: end - first,
            keys: k.shape[2],
            dim,
            value_dim: v.shape[3],
            scale: how.scale,
            causal: how.causal,
            repeated: self.repeated,
            extra: self.extra,
            output_scale: how.output_scale,
            output_bias: how.output_bias,
            output_relu: how.output_relu,
            maximum: statistic(self.maximum),
            inverse_sum: statistic(self.inverse_sum),
            scratch: std::ptr::null_mut(),
        };
        run_block(self.isa, *lanes, part);
    }
}

/// How many blocks to cut the queries of a head into: no more than needed, but so that all threads get as many.
fn block_count(vectors: usize, most: usize, heads: usize, threads: usize) -> usize {
    let least = vectors.div_ceil(most);
    (least..=(2 * least).max(threads).min(vectors)).find(|n| (n * heads).is_multiple_of(threads)).unwrap_or(least)
}

/// Lanes of a vector of `T`.
pub(super) fn lanes<T>(isa: Isa) -> usize {
    let bytes = match isa {
        Isa::Avx512 => 64,
        Isa::Avx2 => 32,
        Isa::Neon => 16,
        Isa::Scalar => size_of::<T>(),
    };
    bytes / size_of::<T>()
}

/// Runs `task` for every index on at most `threads` threads. Which thread runs which index is not fixed.
pub(super) fn parallel(threads: usize, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
    if threads <= 1 || tasks <= 1 {
        return (0..tasks).for_each(task);
    }
    let next = AtomicUsize::new(0);
    pool::run(threads.min(tasks), &|_| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= tasks {
                return;
            }
            task(index);
        }
    });
}

/// Elements of scratch that live on the stack.
const STACK: usize = 2048;

#[repr(align(64))]
struct Aligned<T>(MaybeUninit<[T; STACK]>);

fn run_block<T: MathFloat>(isa: Isa, lanes: usize, block: QueryBlock<T>) {
    let len = block.scratch_len(lanes);
    if len <= STACK {
        run_on_stack(isa, block);
    } else {
        with_scratch(len, |scratch| dispatch(isa, QueryBlock { scratch, ..block }));
    }
}

/// Apart, so that only small work pays for the room on the stack.
#[inline(never)]
fn run_on_stack<T: MathFloat>(isa: Isa, block: QueryBlock<T>) {
    let mut room = Aligned(MaybeUninit::<[T; STACK]>::uninit());
    dispatch(isa, QueryBlock { scratch: room.0.as_mut_ptr().cast(), ..block });
}

/// A cache line, the unit of heap scratch.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Line(#[expect(dead_code, reason = "only its size and alignment count")] [u8; 64]);

/// Scratch that a thread keeps between calls, in lines: up to 4 MiB.
const KEPT_LINES: usize = 1 << 16;

/// Memory that a thread keeps.
pub(super) type Scratch = Cell<Vec<Line>>;

thread_local! {
    static SCRATCH: Scratch = const { Scratch::new(Vec::new()) };
}

/// Calls `f` with `len` uninitialised elements, aligned to 64 bytes, that no one else holds. The thread keeps the
/// memory for its next call; a call inside a call gets memory of its own.
pub(super) fn with_scratch<T, R>(len: usize, f: impl FnOnce(*mut T) -> R) -> R {
    with_scratch_in(&SCRATCH, len, f)
}

/// [`with_scratch`] with memory of another owner.
pub(super) fn with_scratch_in<T, R>(kept: &'static LocalKey<Scratch>, len: usize, f: impl FnOnce(*mut T) -> R) -> R {
    let lines = (len * size_of::<T>()).div_ceil(size_of::<Line>());
    let mut memory = kept.take();
    if memory.capacity() < lines {
        memory = Vec::with_capacity(lines);
    }
    let result = f(memory.as_mut_ptr().cast());
    if memory.capacity() <= KEPT_LINES {
        kept.set(memory);
    }
    result
}
