//! Extents and strides, inline and of bounded rank, so that describing a tensor never allocates.

use crate::error::{Error, Result};
use std::fmt;

/// The most dimensions a tensor may have.
pub const MAX_RANK: usize = 8;

/// The extents of a tensor. A rank of zero is a scalar.
#[derive(Clone, Copy, Eq, Default)]
pub struct Shape {
    rank: u8,
    dims: [usize; MAX_RANK],
}

impl PartialEq for Shape {
    // The derived one compares all eight extents by a call to `memcmp`, on the path of every op.
    #[inline]
    fn eq(&self, other: &Shape) -> bool {
        self.rank == other.rank && self.dims().iter().zip(other.dims()).all(|(a, b)| a == b)
    }
}

impl std::hash::Hash for Shape {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.dims().hash(state);
    }
}

impl Shape {
    /// A shape of the given extents.
    ///
    /// # Errors
    /// More than [`MAX_RANK`] dimensions, or more elements than an address space holds.
    #[inline]
    pub fn new(dims: &[usize]) -> Result<Shape> {
        if dims.len() > MAX_RANK {
            return Err(too_many("shape", dims.len()));
        }
        let mut shape = Shape { rank: dims.len() as u8, dims: [0; MAX_RANK] };
        // Zero extents must not hide an overflow of the others: strides are made of those.
        let mut numel = Some(1usize);
        for (own, dim) in shape.dims.iter_mut().zip(dims) {
            *own = *dim;
            numel = numel.and_then(|n| n.checked_mul((*dim).max(1)));
        }
        match numel {
            Some(n) if n <= isize::MAX as usize / 8 => Ok(shape),
            _ => Err(too_large(&shape)),
        }
    }

    /// A shape whose extents are known to be few and small.
    ///
    /// # Panics
    /// Where [`Shape::new`] fails.
    pub fn of<const N: usize>(dims: [usize; N]) -> Shape {
        Shape::new(&dims).expect("extents are few and small")
    }

    /// The extents.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank as usize]
    }

    /// The number of dimensions.
    #[inline]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// The number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.dims().iter().product()
    }

    /// The strides of a dense row-major tensor of this shape, in elements.
    #[inline]
    pub fn contiguous_strides(&self) -> Strides {
        let mut strides = Strides { rank: self.rank, steps: [0; MAX_RANK] };
        let mut step = 1isize;
        for i in (0..self.rank()).rev() {
            strides.steps[i] = step;
            step *= self.dims[i].max(1) as isize;
        }
        strides
    }

    /// The shape that two shapes broadcast to, by NumPy's rule: aligned at the right, an extent of 1 stretches.
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        let rank = self.rank().max(other.rank());
        let mut out = Shape { rank: rank as u8, dims: [0; MAX_RANK] };
        for i in 0..rank {
            let at = |s: &Shape| (i + s.rank()).checked_sub(rank).map_or(1, |j| s.dims[j]);
            out.dims[i] = match (at(self), at(other)) {
                (x, y) if x == y => x,
                (1, y) => y,
                (x, 1) => x,
                _ => return None,
            };
        }
        Shape::new(out.dims()).ok()
    }
}

impl std::ops::Index<usize> for Shape {
    type Output = usize;
    fn index(&self, axis: usize) -> &usize {
        &self.dims()[axis]
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

#[cold]
fn too_many(what: &'static str, rank: usize) -> Error {
    Error::invalid(what, "rank", format!("at most {MAX_RANK} dimensions"), format!("{rank}"))
}

#[cold]
fn too_large(shape: &Shape) -> Error {
    Error::invalid("shape", "dims", "a size that fits in memory", format!("{shape}"))
}

/// The distance in elements from one index to the next along each dimension; negative and zero are legal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Strides {
    rank: u8,
    steps: [isize; MAX_RANK],
}

impl Strides {
    /// Strides of the given steps.
    ///
    /// # Errors
    /// More than [`MAX_RANK`] dimensions.
    #[inline]
    pub fn new(steps: &[isize]) -> Result<Strides> {
        if steps.len() > MAX_RANK {
            return Err(too_many("strides", steps.len()));
        }
        let mut strides = Strides { rank: steps.len() as u8, steps: [0; MAX_RANK] };
        strides.steps[..steps.len()].copy_from_slice(steps);
        Ok(strides)
    }

    /// The steps.
    #[inline]
    pub fn steps(&self) -> &[isize] {
        &self.steps[..self.rank as usize]
    }
}

impl std::ops::Index<usize> for Strides {
    type Output = isize;
    fn index(&self, axis: usize) -> &isize {
        &self.steps()[axis]
    }
}

impl fmt::Debug for Strides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.steps())
    }
}

/// Sets shape and strides, both of rank 0 before, to those of a dense row-major tensor; false where [`Shape::new`] fails.
/// One or two dimensions, which nearly every call has, take no loop.
#[inline(always)]
pub(crate) fn set_dense(shape: &mut Shape, strides: &mut Strides, dims: &[usize]) -> bool {
    let numel = match *dims {
        [n] => {
            (shape.dims[0], strides.steps[0]) = (n, 1);
            Some(n)
        }
        [m, n] => {
            (shape.dims[0], strides.steps[0]) = (m, n.max(1) as isize);
            (shape.dims[1], strides.steps[1]) = (n, 1);
            m.max(1).checked_mul(n.max(1))
        }
        _ if dims.len() <= MAX_RANK => {
            // Strides that are too large are of no tensor: the last product overflows too.
            let mut step = Some(1usize);
            for i in (0..dims.len()).rev() {
                shape.dims[i] = dims[i];
                strides.steps[i] = step.unwrap_or(0) as isize;
                step = step.and_then(|step| step.checked_mul(dims[i].max(1)));
            }
            step
        }
        _ => None,
    };
    (shape.rank, strides.rank) = (dims.len() as u8, dims.len() as u8);
    numel.is_some_and(|n| n <= isize::MAX as usize / 8)
}

/// The lowest and highest element offset that a view reaches, or `None` if it is empty or the arithmetic overflows.
#[inline]
pub fn reach(shape: &Shape, strides: &Strides) -> Option<(isize, isize)> {
    let (mut low, mut high) = (0isize, 0isize);
    for (&dim, &step) in shape.dims().iter().zip(strides.steps()) {
        let span = isize::try_from(dim.checked_sub(1)?).ok()?.checked_mul(step)?;
        if span < 0 {
            low = low.checked_add(span)?;
        } else {
            high = high.checked_add(span)?;
        }
    }
    Some((low, high))
}

/// [`reach`] of a view that lies in memory, where nothing overflows; `None` if it is empty.
#[inline(always)]
pub(crate) fn wrapping_reach(shape: &Shape, strides: &Strides) -> Option<(isize, isize)> {
    let (mut low, mut high) = (0isize, 0isize);
    for i in 0..shape.rank().min(MAX_RANK) {
        if shape.dims[i] == 0 {
            return None;
        }
        let span = (shape.dims[i] as isize - 1).wrapping_mul(strides.steps[i]);
        low = low.wrapping_add(span.min(0));
        high = high.wrapping_add(span.max(0));
    }
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_refuse_what_memory_cannot_hold() {
        assert!(Shape::new(&[usize::MAX, 2]).is_err());
        assert!(Shape::new(&[1 << 40, 0, 1 << 40]).is_err());
        assert!(Shape::new(&[1; 9]).is_err());
        assert_eq!(Shape::of([2, 3, 4]).contiguous_strides().steps(), [12, 4, 1]);
        assert_eq!(Shape::of([]).numel(), 1);
        assert_eq!(Shape::of([3, 0]).numel(), 0);
    }

    #[test]
    fn set_dense_agrees_with_shapes_and_strides() {
        for dims in [&[][..], &[5], &[0], &[4, 5], &[4, 0], &[0, 4], &[2, 3, 4], &[3, 0, 7], &[1, 1, 1, 9], &[2; 8]] {
            let (mut shape, mut strides) = (Shape::default(), Strides::default());
            assert!(set_dense(&mut shape, &mut strides, dims));
            assert_eq!(shape, Shape::new(dims).unwrap());
            assert_eq!(strides, shape.contiguous_strides());
        }
        for dims in [&[usize::MAX, 2][..], &[1 << 40, 0, 1 << 40], &[isize::MAX as usize / 8 + 1], &[1; 9]] {
            assert!(!set_dense(&mut Shape::default(), &mut Strides::default(), dims));
            assert!(Shape::new(dims).is_err());
        }
    }

    #[test]
    fn broadcast_is_numpys() {
        let b = |a: &[usize], b: &[usize]| {
            Shape::new(a).unwrap().broadcast(&Shape::new(b).unwrap()).map(|s| s.dims().to_vec())
        };
        assert_eq!(b(&[3, 1], &[4]), Some(vec![3, 4]));
        assert_eq!(b(&[], &[2, 2]), Some(vec![2, 2]));
        assert_eq!(b(&[2], &[3]), None);
        assert_eq!(b(&[0, 1], &[1, 5]), Some(vec![0, 5]));
    }

    #[test]
    fn reach_covers_negative_strides() {
        let shape = Shape::of([2, 3]);
        assert_eq!(reach(&shape, &Strides::new(&[-3, 1]).unwrap()), Some((-3, 2)));
        assert_eq!(reach(&Shape::of([0]), &Strides::new(&[1]).unwrap()), None);
        assert_eq!(reach(&Shape::of([3]), &Strides::new(&[isize::MAX]).unwrap()), None);
    }

    #[test]
    fn wrapping_reach_agrees_with_reach() {
        for (dims, steps) in
            [(&[][..], &[][..]), (&[5], &[1]), (&[2, 3], &[-3, 1]), (&[4, 0], &[1, 1]), (&[1, 7], &[9, -2])]
        {
            let (shape, strides) = (Shape::new(dims).unwrap(), Strides::new(steps).unwrap());
            assert_eq!(wrapping_reach(&shape, &strides), reach(&shape, &strides));
        }
    }
}
