//! The layouts in which every kernel must read its inputs.

/// How the elements of a tensor lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Dense and row-major.
    Contiguous,
    /// Dense, with the last two dimensions swapped in memory.
    Transposed,
    /// A block inside a larger row-major tensor.
    Sliced,
    /// Dense and row-major, from an odd offset.
    Offset,
    /// Every dimension runs backwards.
    NegativeStride,
    /// The first dimension longer than one stands still, so that its values repeat. One that a normalisation runs along
    /// is left dense: there the op amplifies rounding without bound.
    ZeroStride,
    /// A view of a one-dimensional buffer of which each third element counts.
    OneDimensional,
    /// Dense and column-major.
    Fortran,
}

/// Where a layout puts a tensor.
pub(super) struct Placed {
    /// Elements of the memory.
    pub len: usize,
    /// The first element.
    pub offset: usize,
    /// Steps in elements.
    pub strides: Vec<isize>,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Layout; 8] = [
        Layout::Contiguous,
        Layout::Transposed,
        Layout::Sliced,
        Layout::Offset,
        Layout::NegativeStride,
        Layout::ZeroStride,
        Layout::OneDimensional,
        Layout::Fortran,
    ];

    /// The layout's name, for messages.
    pub const fn name(self) -> &'static str {
        match self {
            Layout::Contiguous => "contiguous",
            Layout::Transposed => "transposed",
            Layout::Sliced => "sliced",
            Layout::Offset => "offset",
            Layout::NegativeStride => "negative stride",
            Layout::ZeroStride => "zero stride",
            Layout::OneDimensional => "1-D of n-D",
            Layout::Fortran => "Fortran",
        }
    }

    /// Where a tensor of these extents lies. `normalised` says that the op divides by the spread of the last dimension.
    pub(super) fn place(self, dims: &[usize], normalised: bool) -> Placed {
        let rank = dims.len();
        let count: usize = dims.iter().product();
        // Steps of a dense tensor whose dimensions vary slowest first in the given order, and its size.
        let dense = |order: &mut dyn DoubleEndedIterator<Item = usize>, margin: usize| {
            let (mut strides, mut step) = (vec![0isize; rank], 1usize);
            for axis in order.rev() {
                strides[axis] = step as isize;
                step *= dims[axis] + margin;
            }
            (strides, step)
        };
        let (mut strides, mut len) = dense(&mut (0..rank), 0);
        let mut offset = 0;
        match self {
            Layout::Contiguous => {}
            Layout::Transposed => {
                let mut order: Vec<usize> = (0..rank).collect();
                if rank >= 2 {
                    order.swap(rank - 2, rank - 1);
                }
                (strides, len) = dense(&mut order.into_iter(), 0);
            }
            Layout::Sliced => {
                (strides, len) = dense(&mut (0..rank), 3);
                offset = strides.iter().sum::<isize>() as usize;
            }
            Layout::Offset => {
                offset = 7;
                len = count + 12;
            }
            Layout::NegativeStride => {
                offset = count - 1;
                strides.iter_mut().for_each(|step| *step = -*step);
            }
            Layout::ZeroStride => {
                let still = dims.iter().position(|d| *d > 1);
                if let Some(axis) = still.filter(|axis| !(normalised && axis + 1 == rank)) {
                    strides[axis] = 0;
                }
            }
            Layout::OneDimensional => {
                offset = 2;
                len = 3 * count + 2;
                strides.iter_mut().for_each(|step| *step *= 3);
            }
            Layout::Fortran => (strides, len) = dense(&mut (0..rank).rev(), 0),
        }
        Placed { len, offset, strides }
    }
}
