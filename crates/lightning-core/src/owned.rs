//! An owned tensor, for Rust callers.

use lc_core::{Element, Error, Result, Shape, TensorMut, TensorRef, TensorSpec};

/// A dense row-major tensor that owns its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<T> {
    shape: Shape,
    data: Vec<T>,
}

impl<T: Element> Tensor<T> {
    /// A tensor of the given elements, in row-major order.
    ///
    /// # Errors
    /// When there are more or fewer elements than the shape has.
    pub fn from_vec(data: Vec<T>, dims: &[usize]) -> Result<Tensor<T>> {
        let shape = Shape::new(dims)?;
        if data.len() != shape.numel() {
            let expected = format!("{} elements for shape {shape}", shape.numel());
            return Err(Error::invalid("tensor", "data", expected, format!("{}", data.len())));
        }
        Ok(Tensor { shape, data })
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// A shape that does not fit in memory.
    pub fn zeros(dims: &[usize]) -> Result<Tensor<T>> {
        let shape = Shape::new(dims)?;
        Ok(Tensor { shape, data: vec![T::default(); shape.numel()] })
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        self.shape.dims()
    }

    /// The elements in row-major order.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The elements in row-major order.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The elements.
    pub fn into_vec(self) -> Vec<T> {
        self.data
    }

    /// Type and extents.
    pub fn spec(&self) -> TensorSpec {
        TensorSpec::new(T::DTYPE, self.shape)
    }

    /// A view of the whole tensor.
    pub fn view(&self) -> TensorRef<'_> {
        // SAFETY: the vector holds exactly the elements of the dense view.
        unsafe { TensorRef::from_raw(self.data.as_ptr().cast(), self.spec(), self.shape.contiguous_strides()) }
    }

    /// A writable view of the whole tensor.
    pub fn view_mut(&mut self) -> TensorMut<'_> {
        let spec = self.spec();
        // SAFETY: as in `view`, and the borrow is exclusive.
        unsafe { TensorMut::from_raw(self.data.as_mut_ptr().cast(), spec) }
    }
}
