//! Owned tensors with a place, and the contracts of views on them.
//!
//! A [`DenseTensor`] owns row-major storage on a device, zero-filled from the start. A [`ViewContract`] is a way to read
//! such storage: extents, strides and an offset, but no data and no reference to any. It may be applied to every tensor
//! of its type and device whose storage it fits into, and is checked each time.

use crate::attrs::Attrs;
use crate::backend::{Args, Backend, Buffer, DeviceTensor};
use crate::device::{DeviceKind, DeviceRequest};
use crate::dtype::{DType, Element};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::{Plan, ResolvedCall};
use crate::policy::{EffectivePolicy, Fallback, PackedPolicy};
use crate::registry::OpDef;
use crate::runtime::{Runtime, set_last_receipt};
use crate::shape::{self, Shape, Strides};
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace::{self, Event, EventType};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// How a view's elements lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Row-major without gaps.
    Contiguous,
    /// At any positive strides.
    Strided,
}

impl Layout {
    /// The name in Python.
    pub const fn name(self) -> &'static str {
        match self {
            Layout::Contiguous => "contiguous",
            Layout::Strided => "strided",
        }
    }
}

/// Extents as a tensor takes them: at least one, none below 1.
///
/// # Errors
/// No extents, or one below 1; more than [`shape::MAX_RANK`]; more elements than memory holds.
pub fn checked_dims(op: &'static str, dims: &[i64]) -> Result<Shape> {
    let sizes: Option<Vec<usize>> = dims.iter().map(|d| usize::try_from(*d).ok().filter(|d| *d > 0)).collect();
    match sizes {
        Some(sizes) if !sizes.is_empty() => Shape::new(&sizes).map_err(|e| e.in_op(op)),
        _ => Err(Error::invalid(op, "shape", "at least one extent, and each at least 1", format!("{dims:?}"))),
    }
}

/// Extents of as many elements as `numel`, one of which may be −1 and is then what is left over.
///
/// # Errors
/// As [`checked_dims`]; more than one −1; another number of elements.
pub fn inferred_dims(op: &'static str, dims: &[i64], numel: usize) -> Result<Shape> {
    let other = || format!("{dims:?}");
    let mut known = dims.to_vec();
    if let Some(hole) = dims.iter().position(|d| *d == -1) {
        known[hole] = 1;
        let rest = checked_dims(op, &known).map(|s| s.numel());
        known[hole] = match rest {
            Ok(rest) if numel.is_multiple_of(rest) => (numel / rest) as i64,
            _ => {
                let expected = format!("extents whose product divides {numel}, and at most one -1");
                return Err(Error::invalid(op, "shape", expected, other()));
            }
        };
    }
    let shape = checked_dims(op, &known)?;
    if shape.numel() != numel {
        return Err(Error::invalid(op, "shape", format!("{numel} elements"), other()));
    }
    Ok(shape)
}

/// How to read storage: extents, strides and offset in elements. Holds no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewContract {
    spec: TensorSpec,
    strides: Strides,
    offset: usize,
    layout: Layout,
    device: DeviceKind,
}

impl ViewContract {
    /// Type and extents.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Extents.
    pub fn shape(&self) -> &Shape {
        &self.spec.shape
    }

    /// Strides in elements.
    pub fn strides(&self) -> &Strides {
        &self.strides
    }

    /// Element at which the view starts.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What the view was made as: a slice is strided even where its elements happen to be dense.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The device of the tensor that it was made from.
    pub fn device(&self) -> DeviceKind {
        self.device
    }

    /// Checks the view itself: extents and strides at least 1, as many of the one as of the other, and the strides of a
    /// contiguous layout those of its extents. Views that tensors make always pass.
    ///
    /// # Errors
    /// What is not so.
    pub fn validate(&self) -> Result<()> {
        let shape = &self.spec.shape;
        let fail =
            |argument, expected: &'static str, got: String| Err(Error::invalid("tensor view", argument, expected, got));
        if shape.rank() == 0 || shape.numel() == 0 {
            return fail("shape", "at least one extent, and each at least 1", shape.to_string());
        }
        let steps = self.strides.steps();
        if steps.len() != shape.rank() || steps.iter().any(|s| *s < 1) {
            return fail("strides", "one stride of at least 1 for each extent", format!("{steps:?}"));
        }
        if self.layout == Layout::Contiguous && self.strides != shape.contiguous_strides() {
            return fail("strides", "those of a dense tensor", format!("{steps:?}"));
        }
        Ok(())
    }

    /// Checks that every element lies inside storage of `numel` elements.
    ///
    /// # Errors
    /// As [`ViewContract::validate`]; an element outside.
    pub fn validate_for(&self, numel: usize) -> Result<()> {
        self.validate()?;
        let last = shape::reach(&self.spec.shape, &self.strides)
            .and_then(|(_, high)| usize::try_from(high).ok()?.checked_add(self.offset));
        match last {
            Some(last) if last < numel => Ok(()),
            _ => {
                let got = format!("shape {}, strides {:?}, offset {}", self.spec.shape, self.strides, self.offset);
                Err(Error::invalid("tensor view", "view", format!("a view inside {numel} elements"), got))
            }
        }
    }
}

/// A row-major tensor that owns its storage on a device.
pub struct DenseTensor<T> {
    backend: Arc<dyn Backend>,
    buffer: Buffer,
    shape: Shape,
    element: PhantomData<T>,
}

impl<T> fmt::Debug for DenseTensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DenseTensor({} on {})", self.shape, self.backend.descriptor().kind)
    }
}

/// The device on which a tensor can be, and whether it is another than the one that the policy names.
///
/// # Errors
/// The device is not there and the policy does not let it be replaced.
pub fn place(runtime: &Runtime, policy: EffectivePolicy) -> Result<(Arc<dyn Backend>, bool)> {
    let best = || {
        let found = runtime.backend(runtime.preferred());
        found.cloned().ok_or_else(|| Error::unsupported("tensor", "a device", "none"))
    };
    let DeviceRequest::Is(kind) = policy.device() else { return Ok((best()?, false)) };
    if let Some(backend) = runtime.backend_under(kind, policy) {
        return Ok((backend.clone(), false));
    }
    if policy.fallback() == Fallback::Deny {
        let got = "a machine without it, fallback \"deny\"";
        let error = Error::unsupported("tensor", format!("device \"{kind}\""), got)
            .argument("device")
            .hint("use device \"cpu\", or a policy with fallback \"warn\" or \"allow\"");
        return Err(runtime.explain(error, policy));
    }
    Ok((best()?, true))
}

impl<T: Element> DenseTensor<T> {
    /// A tensor of zeros on the device that [`place`] gives.
    ///
    /// # Errors
    /// As [`checked_dims`]; out of memory.
    pub fn zeros(backend: Arc<dyn Backend>, dims: &[i64]) -> Result<DenseTensor<T>> {
        DenseTensor::of_shape(backend, checked_dims("tensor", dims)?)
    }

    fn of_shape(backend: Arc<dyn Backend>, shape: Shape) -> Result<DenseTensor<T>> {
        let bytes = TensorSpec::new(T::DTYPE, shape).bytes();
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = backend.memory().allocate(bytes);
        note(EventType::MallocDevice, start, bytes, &*backend, result.as_ref().err().map(Error::kind));
        Ok(DenseTensor { buffer: result?, backend, shape, element: PhantomData })
    }

    /// Extents.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Strides in elements: those of a dense tensor, always.
    pub fn strides(&self) -> Strides {
        self.shape.contiguous_strides()
    }

    /// Number of elements, which is that of the storage too.
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        T::DTYPE
    }

    /// Where the storage is.
    pub fn device(&self) -> DeviceKind {
        self.backend.descriptor().kind
    }

    /// Type and extents.
    pub fn spec(&self) -> TensorSpec {
        TensorSpec::new(T::DTYPE, self.shape)
    }

    /// Address of the first element, if the host can reach it.
    pub fn host(&self) -> Option<*mut u8> {
        self.buffer.host()
    }

    /// Overwrites every element, in row-major order; the source may have any shape and strides.
    ///
    /// # Errors
    /// Another type or number of elements; a failure of the device.
    pub fn fill_from(&mut self, values: &TensorRef<'_>) -> Result<()> {
        if values.dtype() != T::DTYPE {
            return Err(Error::wrong_type("tensor", "values", T::DTYPE.name(), values.dtype().name()));
        }
        if values.shape().numel() != self.numel() {
            let got = format!("{} (shape {})", values.shape().numel(), values.shape());
            return Err(Error::invalid("tensor", "values", format!("{} elements", self.numel()), got));
        }
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.memory().upload(values, &self.buffer, 0);
        note(EventType::Upload, start, self.spec().bytes(), &*self.backend, result.as_ref().err().map(Error::kind));
        result
    }

    /// Every element in row-major order.
    ///
    /// # Errors
    /// A failure of the device.
    pub fn to_vec(&self) -> Result<Vec<T>> {
        let mut out = reserve(self.numel())?;
        out.resize(self.numel(), T::default());
        let mut target = TensorMut::new(&mut out, &[self.numel()])?;
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.memory().download(&self.buffer, 0, &mut target);
        note(EventType::Download, start, self.spec().bytes(), &*self.backend, result.as_ref().err().map(Error::kind));
        result.map(|()| out)
    }

    /// Changes the extents in place; one of them may be −1.
    ///
    /// # Errors
    /// As [`inferred_dims`]; the tensor stays as it was.
    pub fn reshape(&mut self, dims: &[i64]) -> Result<()> {
        self.shape = inferred_dims("reshape", dims, self.numel())?;
        Ok(())
    }

    /// A dense view of all elements under other extents, one of which may be −1.
    ///
    /// # Errors
    /// As [`inferred_dims`].
    pub fn view(&self, dims: &[i64]) -> Result<ViewContract> {
        let shape = inferred_dims("view", dims, self.numel())?;
        Ok(ViewContract {
            spec: TensorSpec::new(T::DTYPE, shape),
            strides: shape.contiguous_strides(),
            offset: 0,
            layout: Layout::Contiguous,
            device: self.device(),
        })
    }

    /// The view of indices `start..end` along one dimension.
    ///
    /// # Errors
    /// No such dimension; `start..end` empty, reversed or past the extent.
    pub fn slice(&self, axis: usize, start: usize, end: usize) -> Result<ViewContract> {
        let rank = self.shape.rank();
        if axis >= rank {
            return Err(Error::invalid("slice", "axis", format!("an axis below {rank}"), axis.to_string()));
        }
        if start >= end || end > self.shape[axis] {
            let expected = format!("0 <= start < end <= {}", self.shape[axis]);
            return Err(Error::invalid("slice", "range", expected, format!("start {start}, end {end}")));
        }
        let mut dims = self.shape.dims().to_vec();
        dims[axis] = end - start;
        let strides = self.strides();
        let offset = start * strides[axis] as usize;
        let spec = TensorSpec::new(T::DTYPE, Shape::new(&dims)?);
        Ok(ViewContract { spec, strides, offset, layout: Layout::Strided, device: self.device() })
    }

    /// Checks that a view can be applied to this tensor.
    ///
    /// # Errors
    /// Another type or device; an element outside the storage.
    pub fn validate_view(&self, view: &ViewContract) -> Result<()> {
        if view.spec.dtype != T::DTYPE {
            return Err(Error::wrong_type("tensor", "view", T::DTYPE.name(), view.spec.dtype.name()));
        }
        if view.device != self.device() {
            let expected = format!("a view of device \"{}\"", self.device());
            return Err(Error::invalid("tensor", "view", expected, format!("\"{}\"", view.device)));
        }
        view.validate_for(self.numel())
    }

    /// The elements of a view, in its row-major order.
    ///
    /// # Errors
    /// As [`DenseTensor::validate_view`]; a failure of the device.
    pub fn gather(&self, view: &ViewContract) -> Result<Vec<T>> {
        self.validate_view(view)?;
        let all;
        let storage = match self.host() {
            Some(host) => host.cast::<T>().cast_const(),
            None => {
                all = self.to_vec()?;
                all.as_ptr()
            }
        };
        let shape = view.spec.shape;
        // Strides below the extents read elements several times, so this may be far more than the storage.
        let mut out = reserve(shape.numel())?;
        crate::tensor::walk(&shape, &view.strides, |at| {
            // SAFETY: `validate_view` found every element of the view inside the `numel` elements of the storage. Raw reads,
            // since Python may hold a writable array on the same memory.
            out.push(unsafe { storage.add(view.offset).offset(at).read() });
        });
        Ok(out)
    }

    /// The elements at `offset + Σ index·stride`, for every index below `dims`.
    ///
    /// # Errors
    /// Extents or strides below 1, or not as many of the one as of the other; an element outside the storage.
    pub fn read_strided(&self, dims: &[i64], strides: &[i64], offset: usize) -> Result<Vec<T>> {
        let shape = checked_dims("read_strided", dims)?;
        let steps: Option<Vec<isize>> = strides.iter().map(|s| isize::try_from(*s).ok().filter(|s| *s > 0)).collect();
        let steps = steps.filter(|steps| steps.len() == shape.rank()).ok_or_else(|| {
            let expected = format!("{} strides of at least 1", shape.rank());
            Error::invalid("read_strided", "source_strides", expected, format!("{strides:?}"))
        })?;
        let view = ViewContract {
            spec: TensorSpec::new(T::DTYPE, shape),
            strides: Strides::new(&steps)?,
            offset,
            layout: Layout::Strided,
            device: self.device(),
        };
        self.gather(&view).map_err(|e| e.in_op("read_strided"))
    }

    /// Checks what holds by construction: a shape with elements, and storage for all of them.
    ///
    /// # Errors
    /// Storage that is too small, which would be a fault of the backend.
    pub fn validate(&self) -> Result<()> {
        let contract = self.view(&[self.numel() as i64])?;
        contract.validate_for(self.buffer.bytes() / T::DTYPE.size())
    }

    /// Runs an op with one result of this tensor's extents on `self` and `other`, elementwise and where they are: neither
    /// is copied if their device has a kernel for it.
    ///
    /// # Errors
    /// Another number of elements or another device; what the op's rule refuses; out of memory; a failure of the device.
    pub fn zip_with(&self, runtime: &Runtime, op: &'static OpDef, other: &DenseTensor<T>) -> Result<DenseTensor<T>> {
        if other.numel() != self.numel() {
            let expected = format!("{} elements", self.numel());
            return Err(Error::invalid(op.name, "other", expected, format!("shape {}", other.shape)));
        }
        if other.device() != self.device() {
            let expected = format!("a tensor on \"{}\"", self.device());
            return Err(Error::invalid(op.name, "other", expected, format!("one on \"{}\"", other.device())));
        }
        let spec = self.spec();
        let request = PackedPolicy::device(DeviceRequest::Is(self.device()));
        let policy = EffectivePolicy::of(request, PackedPolicy::UNSET);
        let call = runtime.resolve(op, &Attrs::NONE, &[Some(spec), Some(spec)], policy)?;
        let mut out = DenseTensor::of_shape(self.backend.clone(), self.shape)?;
        if let (Some(a), Some(b), Some(c), true) = (self.host(), other.host(), out.host(), call.on_host()) {
            let strides = self.strides();
            // SAFETY: the buffers hold dense tensors of this spec and outlive the call; `out` is new, so nothing else
            // reads or writes it.
            let (a, b, c) = unsafe {
                let dense = |ptr| TensorRef::from_raw(ptr, spec, strides);
                (dense(a.cast_const()), dense(b.cast_const()), TensorMut::from_raw(c, spec))
            };
            let receipt = Plan::of_call(call).run_one(&[Some(a), Some(b)], &mut [c], policy)?;
            set_last_receipt(receipt);
        } else if Arc::ptr_eq(&call.backend, &self.backend) {
            out.launch_resident(&call, self, other)?;
        } else {
            // No kernel where the tensors are: through the host.
            let (a, b) = (self.to_vec()?, other.to_vec()?);
            let mut values = reserve(self.numel())?;
            values.resize(self.numel(), T::default());
            let dims = self.shape.dims();
            let inputs = [Some(TensorRef::new(&a, dims)?), Some(TensorRef::new(&b, dims)?)];
            let receipt = Plan::of_call(call).run_one(&inputs, &mut [TensorMut::new(&mut values, dims)?], policy)?;
            set_last_receipt(receipt);
            out.fill_from(&TensorRef::new(&values, dims)?)?;
        }
        Ok(out)
    }

    fn launch_resident(&mut self, call: &ResolvedCall, a: &DenseTensor<T>, b: &DenseTensor<T>) -> Result<()> {
        let (spec, strides) = (self.spec(), self.strides());
        let tensor = |buffer| DeviceTensor { buffer, offset: 0, spec, strides };
        let mut receipt = call.open_receipt();
        receipt.launches = 1;
        let inputs = [Some(tensor(&a.buffer)), Some(tensor(&b.buffer))];
        call.launch(Args::Device { inputs: &inputs, outputs: &[tensor(&self.buffer)] })?;
        call.wait(&mut receipt)?;
        set_last_receipt(receipt);
        Ok(())
    }
}

impl<T> Drop for DenseTensor<T> {
    fn drop(&mut self) {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        note(EventType::FreeDevice, start, self.buffer.bytes(), &*self.backend, None);
    }
}

/// Room for `count` elements, or an error where a plain `Vec` would end the process.
fn reserve<T>(count: usize) -> Result<Vec<T>> {
    let mut out = Vec::new();
    match out.try_reserve_exact(count) {
        Ok(()) => Ok(out),
        Err(_) => Err(Error::new(ErrorKind::OutOfMemory, "tensor").got(format!("{count} elements to allocate"))),
    }
}

/// Records what happened to device memory. Tensors in host memory are silent: nothing is transferred.
fn note(kind: EventType, start: u64, bytes: usize, backend: &dyn Backend, status: Option<ErrorKind>) {
    if trace::enabled() && !backend.descriptor().host_memory {
        trace::record(&Event {
            status,
            start_ns: start,
            duration_ns: trace::now_ns().saturating_sub(start),
            bytes: bytes as u64,
            selected: Some(backend.descriptor().kind),
            ..Event::new(kind)
        });
    }
}
