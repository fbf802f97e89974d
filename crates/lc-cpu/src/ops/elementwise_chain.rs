//! A program of element-wise steps in one pass over memory.
//!
//! The program runs block by block: each step goes over a block that fits the first-level cache a few times over, from
//! its operands, or the results of earlier steps in scratch, to scratch. So memory sees each operand read once and the
//! result written once, and a step costs what it costs on cached data. Each step rounds as the op that it stands for, so
//! that the bits are those of the ops one by one.

use crate::isa::Isa;
use crate::math::MathFloat;
use crate::ops::activation::Act;
use crate::ops::elementwise::{
    Add, BinaryOp, Div, LINE, Loops, Mul, Pass, Plan, Pointwise, STREAM, Sub, TILE_COLS, TILE_ROWS, copy_block, span,
};
use crate::pool;
use crate::simd::{Kernel, Simd, Vector, dispatch, fence};
use lc_core::Activation;
use std::mem::MaybeUninit;
use std::ops::Range;

/// The most operands of a program.
pub const OPERANDS: usize = 6;
/// The most steps of a program.
pub const STEPS: usize = 8;
/// Elements of a block: what scratch of [`STEPS`] blocks of `f32` and a block of each operand leave of a small first-level
/// cache.
const BLOCK: usize = 512;

/// What a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// An operand of the program, by position.
    Input(usize),
    /// The result of an earlier step.
    Step(usize),
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `a op b`
    Binary(BinaryOp, Operand, Operand),
    /// `act(a)`
    Activate(Activation, Operand),
}

/// Steps, the last of which makes the result, with the scratch block that each writes.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    steps: [(Step, usize); STEPS],
    len: usize,
}

impl Program {
    /// A program of one to [`STEPS`] steps.
    ///
    /// # Panics
    /// Another number of steps, a step that reads itself or a later one, an operand past [`OPERANDS`].
    pub fn new(steps: &[Step]) -> Program {
        assert!((1..=STEPS).contains(&steps.len()));
        let reads = |step: Step| match step {
            Step::Binary(_, a, b) => [a, b],
            Step::Activate(_, a) => [a, a],
        };
        let mut made = [(steps[0], 0); STEPS];
        for (i, step) in steps.iter().enumerate() {
            assert!(reads(*step).iter().all(|operand| match operand {
                Operand::Input(k) => *k < OPERANDS,
                Operand::Step(j) => *j < i,
            }));
            // A step may write over what it reads itself: element for element, after it has read it.
            let alive = |j: usize| steps[i + 1..].iter().any(|later| reads(*later).contains(&Operand::Step(j)));
            let taken = |block: usize| (0..i).any(|j| made[j].1 == block && alive(j));
            let block = (0..STEPS).find(|block| !taken(*block)).unwrap_or(i);
            made[i] = (*step, block);
        }
        Program { steps: made, len: steps.len() }
    }
}

/// `out = program(inputs…)` over `shape`; `out` is C-contiguous and overlaps no input.
///
/// An input is a pointer and its strides in elements, one for each dimension of `shape`: zero where it broadcasts. Inputs
/// that the program does not read may be null, with strides of zero. `threads` bounds how many threads work on it; the
/// result does not depend on it.
///
/// # Safety
/// Every element that a read input reaches must be readable, `out` must be writable for the product of `shape`, and
/// `isa` must be available.
pub unsafe fn elementwise_chain<T: MathFloat>(
    isa: Isa,
    threads: usize,
    program: &Program,
    shape: &[usize],
    inputs: [(*const T, &[isize]); OPERANDS],
    out: *mut T,
) {
    let total: usize = shape.iter().product();
    if total == 0 {
        return;
    }
    let loops = Loops::new(shape, inputs.map(|x| x.0), inputs.map(|x| x.1), out);
    let cols = loops.cols();
    let rows = total / cols;
    // What an input's strides reach, each element once.
    let reached = |strides: &[isize]| -> usize {
        shape.iter().zip(strides).map(|(extent, stride)| if *stride == 0 { 1 } else { *extent }).product()
    };
    let elements = inputs.iter().fold(total, |sum, (_, strides)| sum.saturating_add(reached(strides)));
    let plan = Plan::of(elements.saturating_mul(size_of::<T>()), threads);
    let (loops, pass) = (&loops, plan.pass);
    if plan.tasks == 1 {
        dispatch(isa, Part { program, loops, rows: 0..rows, cols: 0..cols, pass });
    } else if rows >= plan.tasks * TILE_ROWS {
        let chunk = rows.div_ceil(plan.tasks).next_multiple_of(TILE_ROWS);
        pool::run(plan.tasks, &|task| {
            let start = (task * chunk).min(rows);
            dispatch(isa, Part { program, loops, rows: start..(start + chunk).min(rows), cols: 0..cols, pass });
        });
    } else {
        let chunk = cols.div_ceil(plan.tasks).next_multiple_of(LINE / size_of::<T>());
        pool::run(plan.tasks, &|task| {
            let start = (task * chunk).min(cols);
            dispatch(isa, Part { program, loops, rows: 0..rows, cols: start..(start + chunk).min(cols), pass });
        });
    }
}

/// The elements of one task: some rows, counted over all loops but the innermost, and some columns.
struct Part<'a, T> {
    program: &'a Program,
    loops: &'a Loops<T, OPERANDS>,
    rows: Range<usize>,
    cols: Range<usize>,
    pass: Pass,
}

/// Uninitialised memory for `N` elements that starts at a cache line.
#[repr(align(64))]
struct Room<T, const N: usize>(MaybeUninit<[T; N]>);

impl<T: MathFloat> Kernel for Part<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Part { program, loops, rows, cols, pass } = self;
        let mut scratch = Room::<T, { STEPS * BLOCK }>(MaybeUninit::uninit());
        let mut copies = Room::<T, { OPERANDS * TILE_ROWS * TILE_COLS }>(MaybeUninit::uninit());
        let (scratch, copies): (*mut T, *mut T) = (scratch.0.as_mut_ptr().cast(), copies.0.as_mut_ptr().cast());
        let (outer, plane) = loops.nest.split_at(loops.nest.len() - 2);
        let (height, pitch) = (plane[0].extent, plane[1].extent);
        let (row_strides, col_strides) = (plane[0].strides, plane[1].strides);
        let unit = col_strides.iter().all(|s| *s == 0 || *s == 1);
        // Short rows, dense or the same for every row: a block takes several of them, so that what a block costs beside its
        // elements is paid less often.
        let several = (0..OPERANDS).all(|k| match (col_strides[k], row_strides[k]) {
            (1, stride) => stride == 0 || stride == pitch as isize,
            strides => strides == (0, 0),
        });
        let lines = if several && cols == (0..pitch) { BLOCK / pitch } else { 0 };
        let (tile_rows, tile_cols) = match (unit, lines) {
            (true, 2..) => (lines, BLOCK),
            (true, _) => (1, BLOCK),
            _ => (TILE_ROWS, TILE_COLS),
        };
        // The plane whose rows that are the same for every row were copied, as often as a block has rows.
        let mut copied = None;
        let mut row = rows.start;
        while row < rows.end {
            // The rows of a tile are in one plane.
            let first = row % height;
            let count = tile_rows.min(height - first).min(rows.end - row);
            let mut rest = row / height;
            let mut offsets: [isize; OPERANDS] = std::array::from_fn(|k| first as isize * row_strides[k]);
            for dim in outer.iter().rev() {
                let index = (rest % dim.extent) as isize;
                rest /= dim.extent;
                for k in 0..OPERANDS {
                    offsets[k] += index * dim.strides[k];
                }
            }
            if lines > 1 {
                let fresh = copied.replace(row / height) != Some(row / height);
                let mut inputs: [*const T; OPERANDS] =
                    std::array::from_fn(|k| loops.inputs[k].wrapping_offset(offsets[k]));
                for k in (0..OPERANDS).filter(|k| col_strides[*k] == 1 && row_strides[*k] == 0) {
                    let to = copies.wrapping_add(k * TILE_ROWS * TILE_COLS);
                    if fresh {
                        for line in 0..lines {
                            // SAFETY: the row is part of the view; `lines` of them are no more than a block, for which
                            // there is room.
                            unsafe { std::ptr::copy_nonoverlapping(inputs[k], to.wrapping_add(line * pitch), pitch) };
                        }
                    }
                    inputs[k] = to.cast_const();
                }
                let fixed = col_strides.map(|stride| stride == 0);
                let out = loops.out.wrapping_add(row * pitch);
                // SAFETY: inside `Kernel::run`; the rows are part of the views, and follow one another in each.
                unsafe { block::<S, T>(program, inputs, fixed, scratch, out, count * pitch, pass == Pass::Stream) };
                row += count;
                continue;
            }
            let mut col = cols.start;
            while col < cols.end {
                let width = tile_cols.min(cols.end - col);
                let mut at = [std::ptr::null(); OPERANDS];
                let mut steps = row_strides;
                let mut fixed = [false; OPERANDS];
                for k in 0..OPERANDS {
                    let corner = loops.inputs[k].wrapping_offset(offsets[k] + col as isize * col_strides[k]);
                    (at[k], fixed[k]) = (corner, col_strides[k] == 0);
                    if col_strides[k] != 0 && col_strides[k] != 1 {
                        let to = copies.wrapping_add(k * TILE_ROWS * TILE_COLS);
                        // SAFETY: the tile is part of the view; the copy holds TILE_ROWS rows of TILE_COLS.
                        unsafe { copy_block(corner, row_strides[k], col_strides[k], to, TILE_COLS, count, width) };
                        (at[k], steps[k]) = (to.cast_const(), TILE_COLS as isize);
                    }
                }
                for r in 0..count {
                    let inputs = std::array::from_fn(|k| at[k].wrapping_offset(r as isize * steps[k]));
                    let out = loops.out.wrapping_add((row + r) * pitch + col);
                    // SAFETY: inside `Kernel::run`; the elements are part of the views that the caller gave.
                    unsafe { block::<S, T>(program, inputs, fixed, scratch, out, width, pass == Pass::Stream) };
                }
                col += width;
            }
            row += count;
        }
        if pass == Pass::Stream {
            fence();
        }
    }
}

/// The program on up to [`BLOCK`] elements.
///
/// # Safety
/// Inside [`Kernel::run`]; what the program reads must be readable for `len` elements, or for one if `fixed`; `out` must
/// be writable for them, and `scratch` for [`STEPS`] blocks.
#[inline(always)]
unsafe fn block<S: Simd, T: MathFloat>(
    program: &Program,
    inputs: [*const T; OPERANDS],
    fixed: [bool; OPERANDS],
    scratch: *mut T,
    out: *mut T,
    len: usize,
    stream: bool,
) {
    let lanes = T::V::<S>::LANES;
    // An input that stands still is read from a vector of it, so that one loop serves every step.
    let mut still = Room::<T, { OPERANDS * MAX_LANES }>(MaybeUninit::uninit());
    let still: *mut T = still.0.as_mut_ptr().cast();
    let mut from = inputs;
    for k in 0..OPERANDS {
        if fixed[k] && !inputs[k].is_null() {
            let splat = still.wrapping_add(k * lanes);
            // SAFETY: the input has an element; the room has a vector for each operand.
            unsafe { T::V::<S>::splat(*inputs[k]).store(splat) };
            from[k] = splat.cast_const();
        }
    }
    let scratch_of = |step: usize| scratch.wrapping_add(program.steps[step].1 * BLOCK);
    let place = |operand: Operand| match operand {
        Operand::Input(k) => (from[k], usize::from(!fixed[k])),
        Operand::Step(j) => (scratch_of(j).cast_const(), 1),
    };
    for i in 0..program.len {
        let to = if i + 1 == program.len && !stream { out } else { scratch_of(i) };
        // SAFETY: the caller's contract; scratch was written by the steps that are read.
        unsafe {
            match program.steps[i].0 {
                Step::Binary(op, a, b) => {
                    let (a, b) = (place(a), place(b));
                    let (from, moves) = ([a.0, b.0], [a.1, b.1]);
                    match op {
                        BinaryOp::Add => apply::<S, T, Add, 2, 4>(Add, from, moves, to, len),
                        BinaryOp::Sub => apply::<S, T, Sub, 2, 4>(Sub, from, moves, to, len),
                        BinaryOp::Mul => apply::<S, T, Mul, 2, 4>(Mul, from, moves, to, len),
                        BinaryOp::Div => apply::<S, T, Div, 2, 4>(Div, from, moves, to, len),
                    }
                }
                Step::Activate(kind, a) => {
                    let a = place(a);
                    let (from, moves) = ([a.0], [a.1]);
                    match kind {
                        Activation::Identity => apply::<S, T, Act<0>, 1, 1>(Act, from, moves, to, len),
                        Activation::Relu => apply::<S, T, Act<1>, 1, 4>(Act, from, moves, to, len),
                        Activation::Gelu => apply::<S, T, Act<2>, 1, 1>(Act, from, moves, to, len),
                        Activation::GeluTanh => apply::<S, T, Act<3>, 1, 1>(Act, from, moves, to, len),
                        Activation::Silu => apply::<S, T, Act<4>, 1, 1>(Act, from, moves, to, len),
                    }
                }
            }
        }
    }
    if stream {
        let last = scratch_of(program.len - 1).cast_const();
        // SAFETY: the last step wrote its block of scratch; the rest is the caller's contract.
        unsafe { span::<S, T, Act<0>, 1, STREAM>(Act, [last], [false], out, len) };
    }
}

/// Lanes of the widest vector: sixteen `f32`.
const MAX_LANES: usize = 16;

/// One step. What it reads moves on with it by one element an element, or stands still at a vector.
///
/// `UNROLL` vectors a turn: more than one where the arithmetic is so little that the loop itself would cost as much.
///
/// # Safety
/// As [`block`].
#[inline(always)]
unsafe fn apply<S: Simd, T: MathFloat, F: Pointwise<T, N>, const N: usize, const UNROLL: usize>(
    f: F,
    mut from: [*const T; N],
    moves: [usize; N],
    to: *mut T,
    len: usize,
) {
    let lanes = T::V::<S>::LANES;
    let ahead = moves.map(|moves| moves * lanes);
    let mut i = 0;
    // SAFETY: elements below `len` of what moves, a vector of what stands still; inside `Kernel::run`.
    unsafe {
        let mut x = [T::V::<S>::zero(); N];
        while i + UNROLL * lanes <= len {
            for u in 0..UNROLL {
                for k in 0..N {
                    x[k] = T::V::<S>::load(from[k]);
                    from[k] = from[k].wrapping_add(ahead[k]);
                }
                f.apply::<S>(x).store(to.add(i + u * lanes));
            }
            i += UNROLL * lanes;
        }
        while i < len {
            let count = lanes.min(len - i);
            for k in 0..N {
                x[k] = match count == lanes {
                    true => T::V::<S>::load(from[k]),
                    false => T::V::<S>::load_n(from[k], count),
                };
                from[k] = from[k].wrapping_add(ahead[k]);
            }
            let y = f.apply::<S>(x);
            match count == lanes {
                true => y.store(to.add(i)),
                false => y.store_n(to.add(i), count),
            }
            i += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine;
    use crate::ops::activation::activation;
    use crate::ops::elementwise::binary;
    use crate::ops::layouts::{Random, Sample};
    use Operand::{Input, Step as Result};

    fn long() -> [Step; 8] {
        [
            Step::Binary(BinaryOp::Sub, Input(0), Input(1)),
            Step::Binary(BinaryOp::Mul, Result(0), Input(2)),
            Step::Activate(Activation::Gelu, Result(1)),
            Step::Binary(BinaryOp::Add, Result(2), Result(0)),
            Step::Binary(BinaryOp::Div, Input(3), Result(3)),
            Step::Activate(Activation::Silu, Result(4)),
            Step::Binary(BinaryOp::Add, Result(5), Result(1)),
            Step::Activate(Activation::Relu, Result(6)),
        ]
    }

    /// The steps one by one, each over whole dense arrays.
    fn one_by_one<T: MathFloat>(isa: Isa, steps: &[Step], inputs: &[Vec<T>]) -> Vec<T> {
        let mut results: Vec<Vec<T>> = Vec::new();
        for step in steps {
            let n = inputs[0].len();
            let mut out = vec![T::ZERO; n];
            let at = |operand: Operand| match operand {
                Input(k) => inputs[k].as_ptr(),
                Result(j) => results[j].as_ptr(),
            };
            // SAFETY: all arrays are dense and of `n` elements.
            unsafe {
                match *step {
                    Step::Binary(op, a, b) => binary(isa, 1, op, &[n], at(a), &[1], at(b), &[1], out.as_mut_ptr()),
                    Step::Activate(kind, a) => activation(isa, 1, kind, &[n], at(a), &[1], out.as_mut_ptr()),
                }
            }
            results.push(out);
        }
        results.pop().unwrap_or_default()
    }

    fn bits<T: MathFloat>(x: T) -> u64 {
        let x = x.to_f64();
        if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
    }

    fn check<T: MathFloat>(isa: Isa, threads: usize, steps: &[Step], inputs: &[Sample<T>]) {
        let shape = &inputs[0].shape;
        let zeros = vec![0isize; shape.len()];
        let mut views = [(std::ptr::null(), &zeros[..]); OPERANDS];
        for (view, input) in views.iter_mut().zip(inputs) {
            *view = (input.ptr(), &input.strides[..]);
        }
        let n: usize = shape.iter().product();
        let mut out = vec![T::of(f64::NAN); n + 1];
        // SAFETY: all inputs are views of `shape`, and `out` holds an element more.
        unsafe { elementwise_chain(isa, threads, &Program::new(steps), shape, views, out.as_mut_ptr()) };
        assert!(out.pop().is_some_and(|x| x.to_f64().is_nan()), "wrote past the end");
        let dense: Vec<Vec<T>> = inputs.iter().map(Sample::values).collect();
        let want = one_by_one(isa, steps, &dense);
        let names: Vec<_> = inputs.iter().map(|input| input.layout).collect();
        for (i, (got, want)) in out.iter().zip(&want).enumerate() {
            assert_eq!(bits(*got), bits(*want), "{isa:?} {shape:?} {names:?} [{i}]: {got:?}, not {want:?}");
        }
    }

    fn layouts<T: MathFloat>() {
        // With rows that are shorter than half a block, too.
        let shapes: [&[usize]; 8] =
            [&[], &[1], &[7], &[1030], &[3, 5], &[17, 65], &[3, 18, 70], &[2, 3, 4, 5, 1, 2, 3, 2, 2]];
        for (seed, shape) in shapes.into_iter().enumerate() {
            let mut samples: Vec<_> = (0..4).map(|k| Sample::<T>::all(shape, (10 * seed + k) as u64)).collect();
            for turn in 0..samples[0].len() {
                // Every layout in every position, in other company each time.
                for (k, all) in samples.iter_mut().enumerate() {
                    let by = if turn % 2 == 0 { 1 } else { k };
                    all.rotate_left(by);
                }
                let inputs: Vec<Sample<T>> = samples.iter_mut().map(|all| all.remove(0)).collect();
                for isa in Isa::available() {
                    check(isa, 1, &long(), &inputs);
                    check(isa, 2, &long()[..3], &inputs[..3]);
                }
                for (all, used) in samples.iter_mut().zip(inputs) {
                    all.push(used);
                }
            }
        }
    }

    #[test]
    fn every_layout_equals_the_steps_one_by_one() {
        layouts::<f32>();
        layouts::<f64>();
    }

    #[test]
    fn short_rows_share_blocks() {
        fn rows<T: MathFloat>(shape: &[usize]) {
            // A row that is the same for every row: no stride along the dimension before the last.
            let repeated = shape.len() as u64 - 2;
            let layouts = [("contiguous", 1), ("zero", repeated), ("contiguous", 2), ("zero", repeated)];
            let inputs = layouts.map(|(layout, seed)| Sample::<T>::new(layout, shape, seed));
            for isa in Isa::available() {
                for threads in 1..=3 {
                    check(isa, threads, &long(), &inputs);
                }
            }
        }
        let shapes: [&[usize]; 6] = [&[17, 65], &[700, 3], &[3, 18, 70], &[2, 3, 40, 256], &[5, 257], &[90, 1]];
        for shape in shapes {
            rows::<f32>(shape);
            rows::<f64>(shape);
        }
    }

    #[test]
    fn every_length_around_the_blocks() {
        for n in (0..70).chain([BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17]) {
            let inputs: Vec<_> = (0..4).map(|k| Sample::<f32>::new("offset", &[n], k)).collect();
            for isa in Isa::available() {
                check(isa, 2, &long(), &inputs);
            }
        }
    }

    #[test]
    fn large_and_streamed_results_do_not_depend_on_threads() {
        let n = machine::caches().l3 / 12 + 1234;
        let inputs: Vec<_> = (0..3).map(|k| Sample::<f32>::new("offset", &[n], k)).collect();
        for threads in [1, 2, 3] {
            check(Isa::active(), threads, &long()[..3], &inputs);
        }
        for (shape, layout) in [([1031, 517], "transposed"), ([3, 300_007], "column")] {
            let inputs: Vec<_> = ["contiguous", layout, "zero"].map(|l| Sample::<f32>::new(l, &shape, 3)).into();
            for threads in [1, 3] {
                check(Isa::active(), threads, &long()[..3], &inputs);
            }
        }
    }

    #[test]
    fn scratch_is_used_again() {
        let blocks = |steps: &[Step]| Program::new(steps).steps[..steps.len()].iter().map(|s| s.1).max();
        let line = (0..8).map(|i| Step::Activate(Activation::Relu, if i == 0 { Input(0) } else { Result(i - 1) }));
        let line: Vec<_> = line.collect();
        assert_eq!(blocks(&line), Some(0));
        assert_eq!(blocks(&long()), Some(2));
        // Random programs, whose values live as long as it comes.
        let mut random = Random::new(8);
        for seed in 0..200 {
            let count = 1 + random.below(STEPS);
            let steps: Vec<_> = (0..count)
                .map(|i| {
                    let mut operand = || match random.below(3) {
                        0 if i > 0 => Result(i - 1),
                        1 if i > 0 => Result(random.below(i)),
                        _ => Input(random.below(3)),
                    };
                    let (a, b) = (operand(), operand());
                    match random.below(4) {
                        0 => Step::Activate(Activation::ALL[1 + random.below(4)], a),
                        1 => Step::Binary(BinaryOp::Sub, a, b),
                        2 => Step::Binary(BinaryOp::Mul, a, b),
                        _ => Step::Binary(BinaryOp::Add, a, b),
                    }
                })
                .collect();
            let inputs: Vec<_> = (0..3).map(|k| Sample::<f32>::new("contiguous", &[61], seed + k)).collect();
            check(Isa::active(), 1, &steps, &inputs);
        }
    }
}
