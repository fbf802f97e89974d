//! Borrowed views of host memory, as ops take them.

use crate::dtype::{DType, Element};
use crate::error::{Error, Result};
use crate::shape::{self, Shape, Strides};
use std::marker::PhantomData;

/// What a tensor is, without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorSpec {
    /// Element type.
    pub dtype: DType,
    /// Extents.
    pub shape: Shape,
}

impl TensorSpec {
    /// A spec of the given type and extents.
    pub fn new(dtype: DType, shape: Shape) -> TensorSpec {
        TensorSpec { dtype, shape }
    }

    /// Bytes of a dense tensor of this spec.
    pub fn bytes(&self) -> usize {
        self.shape.numel() * self.dtype.size()
    }
}

/// A read-only strided view of host memory that lives at least as long as `'a`.
#[derive(Clone, Copy, Debug)]
pub struct TensorRef<'a> {
    ptr: *const u8,
    spec: TensorSpec,
    strides: Strides,
    life: PhantomData<&'a [u8]>,
}

/// A writable, dense, row-major view of host memory: what an op stores its result in.
#[derive(Debug)]
pub struct TensorMut<'a> {
    ptr: *mut u8,
    spec: TensorSpec,
    life: PhantomData<&'a mut [u8]>,
}

// SAFETY: a view is a borrow of plain floats: sharing it is sharing `&[T]`.
unsafe impl Send for TensorRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for TensorRef<'_> {}
// SAFETY: a `&mut [T]` of plain floats may move to another thread.
unsafe impl Send for TensorMut<'_> {}
// SAFETY: a shared `TensorMut` gives no write access.
unsafe impl Sync for TensorMut<'_> {}

impl<'a> TensorRef<'a> {
    /// A dense row-major view of a slice.
    ///
    /// # Errors
    /// When the slice has another number of elements than the shape.
    pub fn new<T: Element>(data: &'a [T], dims: &[usize]) -> Result<TensorRef<'a>> {
        let shape = Shape::new(dims)?;
        if data.len() != shape.numel() {
            let got = format!("{} elements", data.len());
            return Err(Error::invalid("tensor", "data", format!("{} elements for shape {shape}", shape.numel()), got));
        }
        // SAFETY: the slice holds exactly the elements that the dense view reaches.
        Ok(unsafe {
            TensorRef::from_raw(data.as_ptr().cast(), TensorSpec::new(T::DTYPE, shape), shape.contiguous_strides())
        })
    }

    /// A strided view into a slice: element `[i, j, …]` is `data[offset + i·strides[0] + j·strides[1] + …]`.
    ///
    /// # Errors
    /// When any element of the view would lie outside the slice.
    pub fn strided<T: Element>(
        data: &'a [T],
        offset: usize,
        dims: &[usize],
        strides: &[isize],
    ) -> Result<TensorRef<'a>> {
        let shape = Shape::new(dims)?;
        let steps = Strides::new(strides)?;
        if steps.steps().len() != shape.rank() {
            let got = format!("{} strides", strides.len());
            return Err(Error::invalid("tensor", "strides", format!("{} strides", shape.rank()), got));
        }
        if shape.numel() > 0 {
            let inside = shape::reach(&shape, &steps).and_then(|(low, high)| {
                let first = isize::try_from(offset).ok()?.checked_add(low)?;
                let last = isize::try_from(offset).ok()?.checked_add(high)?;
                (first >= 0 && (last as usize) < data.len()).then_some(())
            });
            if inside.is_none() {
                let got = format!("shape {shape} with strides {strides:?} at offset {offset}");
                return Err(Error::invalid("tensor", "strides", format!("a view inside {} elements", data.len()), got));
            }
        }
        let ptr = data.as_ptr().wrapping_add(offset).cast();
        // SAFETY: every element of the view lies inside the slice, as just checked.
        Ok(unsafe { TensorRef::from_raw(ptr, TensorSpec::new(T::DTYPE, shape), steps) })
    }

    /// A view of memory that the caller vouches for.
    ///
    /// # Safety
    /// `ptr` is aligned to the element, and every element that `spec` and `strides` reach from it can be read for `'a`
    /// and is not written meanwhile.
    #[inline]
    pub unsafe fn from_raw(ptr: *const u8, spec: TensorSpec, strides: Strides) -> TensorRef<'a> {
        TensorRef { ptr, spec, strides, life: PhantomData }
    }

    /// Sets `slot` to a dense row-major view of memory that the caller vouches for; to `None` for more dimensions than
    /// [`shape::MAX_RANK`] or more elements than memory holds. A view is 160 bytes: to write it where it is read, and not
    /// to move it there, is what makes this the way of every call from Python.
    ///
    /// # Safety
    /// As [`TensorRef::from_raw`].
    #[inline(always)]
    pub unsafe fn put_dense(slot: &mut Option<TensorRef<'a>>, ptr: *const u8, dtype: DType, dims: &[usize]) {
        let view = slot.insert(TensorRef {
            ptr,
            spec: TensorSpec { dtype, shape: Shape::default() },
            strides: Strides::default(),
            life: PhantomData,
        });
        if !shape::set_dense(&mut view.spec.shape, &mut view.strides, dims) {
            *slot = None;
        }
    }

    /// The address of element `[0, 0, …]`.
    #[inline]
    pub fn ptr(&self) -> *const u8 {
        self.ptr
    }

    /// Type and extents.
    #[inline]
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.spec.dtype
    }

    /// Extents.
    #[inline]
    pub fn shape(&self) -> &Shape {
        &self.spec.shape
    }

    /// Strides in elements.
    #[inline]
    pub fn strides(&self) -> &Strides {
        &self.strides
    }

    /// Whether the view is dense and row-major. Strides along extents of 0 or 1 do not matter.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        is_contiguous(&self.spec.shape, &self.strides)
    }

    /// The same data with its dimensions in another order: dimension `i` of the result is `axes[i]` of this view.
    ///
    /// # Errors
    /// When `axes` is not a permutation of `0..rank`.
    pub fn permute(&self, axes: &[usize]) -> Result<TensorRef<'a>> {
        let rank = self.shape().rank();
        let mut seen = [false; shape::MAX_RANK];
        let ok = axes.len() == rank && axes.iter().all(|&a| a < rank && !std::mem::replace(&mut seen[a], true));
        if !ok {
            return Err(Error::invalid("permute", "axes", format!("a permutation of 0..{rank}"), format!("{axes:?}")));
        }
        let mut dims = [0; shape::MAX_RANK];
        let mut steps = [0; shape::MAX_RANK];
        for (i, &axis) in axes.iter().enumerate() {
            dims[i] = self.shape()[axis];
            steps[i] = self.strides[axis];
        }
        let spec = TensorSpec::new(self.dtype(), Shape::new(&dims[..rank])?);
        Ok(TensorRef { spec, strides: Strides::new(&steps[..rank])?, ..*self })
    }

    /// The view of the same elements, in row-major order, under another shape; only for dense views.
    ///
    /// # Errors
    /// When the view is not dense, or the shape has another number of elements.
    pub fn reshape(&self, dims: &[usize]) -> Result<TensorRef<'a>> {
        let shape = Shape::new(dims)?;
        if !self.is_contiguous() || shape.numel() != self.shape().numel() {
            let expected = format!("{} elements in a dense view", self.shape().numel());
            let got = format!("shape {shape}{}", if self.is_contiguous() { "" } else { " of a strided view" });
            return Err(Error::invalid("reshape", "shape", expected, got));
        }
        let spec = TensorSpec::new(self.dtype(), shape);
        Ok(TensorRef { spec, strides: shape.contiguous_strides(), ..*self })
    }

    /// The view stretched to `shape` by NumPy's broadcasting: stretched dimensions have stride 0.
    ///
    /// # Errors
    /// When an extent is neither 1 nor the target's.
    pub fn broadcast_to(&self, shape: &Shape) -> Result<TensorRef<'a>> {
        let (from, to) = (self.shape().rank(), shape.rank());
        let mut steps = [0; shape::MAX_RANK];
        let mut fits = from <= to;
        for i in 0..from.min(to) {
            let (dim, want) = (self.shape()[from - 1 - i], shape[to - 1 - i]);
            fits &= dim == want || dim == 1;
            steps[to - 1 - i] = if dim == want { self.strides[from - 1 - i] } else { 0 };
        }
        if !fits {
            let got = format!("{}", self.shape());
            return Err(Error::invalid("broadcast", "shape", format!("a shape that broadcasts to {shape}"), got));
        }
        let spec = TensorSpec::new(self.dtype(), *shape);
        Ok(TensorRef { spec, strides: Strides::new(&steps[..to])?, ..*self })
    }

    /// Calls `f` with every element in row-major order, widened to `f64`. For tests, references and gathers.
    pub fn for_each(&self, mut f: impl FnMut(f64)) {
        walk(&self.spec.shape, &self.strides, |offset| {
            // SAFETY: the offset is that of an element of the view, which can be read by the invariant of the type.
            let x = unsafe {
                match self.spec.dtype {
                    DType::F32 => f64::from(self.ptr.cast::<f32>().wrapping_offset(offset).read()),
                    DType::F64 => self.ptr.cast::<f64>().wrapping_offset(offset).read(),
                    DType::F16 => self.ptr.cast::<half::f16>().wrapping_offset(offset).read().to_f64(),
                }
            };
            f(x);
        });
    }

    /// The lowest and one past the highest address that the view reaches; equal if it is empty.
    #[inline]
    pub fn byte_range(&self) -> (usize, usize) {
        let base = self.ptr as usize;
        let size = self.spec.dtype.size() as isize;
        match shape::wrapping_reach(&self.spec.shape, &self.strides) {
            None => (base, base),
            // Nothing wraps: the elements of a view lie in memory, so their distances in bytes fit.
            Some((low, high)) => {
                let start = base.wrapping_add_signed(low.wrapping_mul(size));
                (start, base.wrapping_add_signed(high.wrapping_add(1).wrapping_mul(size)))
            }
        }
    }
}

impl<'a> TensorMut<'a> {
    /// A dense row-major view of a slice.
    ///
    /// # Errors
    /// When the slice has another number of elements than the shape.
    pub fn new<T: Element>(data: &'a mut [T], dims: &[usize]) -> Result<TensorMut<'a>> {
        let spec = *TensorRef::new(data, dims)?.spec();
        // SAFETY: the slice holds exactly the elements of the dense view.
        Ok(unsafe { TensorMut::from_raw(data.as_mut_ptr().cast(), spec) })
    }

    /// A view of memory that the caller vouches for.
    ///
    /// # Safety
    /// `ptr` is aligned to the element, and the `spec.bytes()` bytes from it can be written for `'a` and are not
    /// accessed otherwise meanwhile.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut u8, spec: TensorSpec) -> TensorMut<'a> {
        TensorMut { ptr, spec, life: PhantomData }
    }

    /// The address of the first element.
    #[inline]
    pub fn ptr(&self) -> *mut u8 {
        self.ptr
    }

    /// Type and extents.
    #[inline]
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// A read-only view of the same elements.
    pub fn as_ref(&self) -> TensorRef<'_> {
        TensorRef { ptr: self.ptr, spec: self.spec, strides: self.spec.shape.contiguous_strides(), life: PhantomData }
    }

    /// The lowest and one past the highest address of the view.
    #[inline]
    pub fn byte_range(&self) -> (usize, usize) {
        let start = self.ptr as usize;
        (start, start + self.spec.bytes())
    }

    /// Whether this and a view share any address. Interleaved strided views may be called overlapping though no
    /// element is shared: the test is by range.
    #[inline]
    pub fn overlaps(&self, other: &TensorRef<'_>) -> bool {
        let ((start, end), (low, high)) = (self.byte_range(), other.byte_range());
        low < end && start < high
    }
}

/// Whether strides are those of a dense row-major tensor, extents of 0 and 1 aside.
#[inline]
pub fn is_contiguous(shape: &Shape, strides: &Strides) -> bool {
    let mut step = 1isize;
    for (&dim, &stride) in shape.dims().iter().zip(strides.steps()).rev() {
        if dim != 1 && stride != step {
            return shape.numel() == 0;
        }
        step = step.wrapping_mul(dim as isize);
    }
    true
}

/// Calls `f` with the element offset of every index in row-major order.
pub fn walk(shape: &Shape, strides: &Strides, mut f: impl FnMut(isize)) {
    let rank = shape.rank();
    if shape.numel() == 0 {
        return;
    }
    let mut index = [0usize; shape::MAX_RANK];
    let mut offset = 0isize;
    loop {
        f(offset);
        let mut axis = rank;
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            index[axis] += 1;
            offset = offset.wrapping_add(strides[axis]);
            if index[axis] < shape[axis] {
                break;
            }
            offset = offset.wrapping_sub(strides[axis].wrapping_mul(index[axis] as isize));
            index[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(t: &TensorRef) -> Vec<f64> {
        let mut out = Vec::new();
        t.for_each(|x| out.push(x));
        out
    }

    #[test]
    fn views_stay_inside_their_slice() {
        let data: Vec<f32> = (0..12).map(|i| i as f32).collect();
        assert!(TensorRef::new(&data, &[3, 5]).is_err());
        assert!(TensorRef::strided(&data, 1, &[3, 4], &[4, 1]).is_err());
        assert!(TensorRef::strided(&data, 0, &[2], &[-1]).is_err());
        assert!(TensorRef::strided(&data, 0, &[2], &[isize::MAX]).is_err());
        assert!(TensorRef::strided(&data, usize::MAX, &[1], &[1]).is_err());
        let back = TensorRef::strided(&data, 11, &[3], &[-4]).unwrap();
        assert_eq!(values(&back), [11.0, 7.0, 3.0]);
        let zero = TensorRef::strided(&data, 2, &[2, 2], &[0, 1]).unwrap();
        assert_eq!(values(&zero), [2.0, 3.0, 2.0, 3.0]);
    }

    #[test]
    fn views_of_views() {
        let data: Vec<f64> = (0..6).map(f64::from).collect();
        let t = TensorRef::new(&data, &[2, 3]).unwrap();
        let transposed = t.permute(&[1, 0]).unwrap();
        assert_eq!(values(&transposed), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
        assert!(!transposed.is_contiguous() && t.is_contiguous());
        assert!(transposed.reshape(&[6]).is_err());
        assert_eq!(t.reshape(&[3, 2]).unwrap().shape().dims(), [3, 2]);
        assert!(t.permute(&[0, 0]).is_err());
        let row = TensorRef::new(&data[..3], &[3]).unwrap();
        assert_eq!(values(&row.broadcast_to(&Shape::of([2, 3])).unwrap()), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
        assert!(row.broadcast_to(&Shape::of([2, 4])).is_err());
    }

    #[test]
    fn overlap_is_by_address_range() {
        let mut data = vec![0f32; 8];
        let base = data.as_mut_ptr();
        let spec = TensorSpec::new(DType::F32, Shape::of([4]));
        // SAFETY: both views lie inside `data`; nothing is read or written through them.
        let (out, other, apart) = unsafe {
            (
                TensorMut::from_raw(base.cast(), spec),
                TensorRef::from_raw(base.add(3).cast(), spec, spec.shape.contiguous_strides()),
                TensorRef::from_raw(base.add(4).cast(), spec, spec.shape.contiguous_strides()),
            )
        };
        assert!(out.overlaps(&other));
        assert!(!out.overlaps(&apart));
    }
}
