//! One op call with its device and kernel chosen.

use crate::attrs::Attrs;
use crate::backend::{Args, Backend, Buffer, KernelEntry};
use crate::device::DeviceKind;
use crate::error::{Error, Result};
use crate::intern::Name;
use crate::receipt::{Reason, Receipt};
use crate::registry::{Cost, OpDef, OutputSpecs};
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use crate::trace::{self, Event, EventType};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One op call with its device and kernel chosen.
pub struct ResolvedCall {
    /// The op.
    pub op: &'static OpDef,
    /// Its attributes.
    pub attrs: Attrs,
    /// Type and extents of its inputs.
    pub inputs: Vec<Option<TensorSpec>>,
    /// Type and extents of its results.
    pub outputs: OutputSpecs,
    /// What it costs.
    pub cost: Cost,
    /// The device.
    pub backend: Arc<dyn Backend>,
    /// The kernel.
    pub(crate) kernel: &'static KernelEntry,
    /// A receipt with everything that does not change from call to call.
    pub(crate) template: Receipt,
    pub(crate) op_name: Name,
    pub(crate) kernel_name: Name,
    /// Set while nobody has been told about this fallback.
    pub(crate) unwarned: AtomicBool,
}

impl std::fmt::Debug for ResolvedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} by {}", self.op.name, self.template.selected, self.template.kernel)
    }
}

impl ResolvedCall {
    /// The kernel.
    #[inline]
    pub fn kernel(&self) -> &'static KernelEntry {
        self.kernel
    }

    /// The receipt of a call that has not run.
    pub fn receipt(&self) -> Receipt {
        self.template
    }

    /// Whether it runs on another device than the policy names.
    #[inline]
    pub fn is_fallback(&self) -> bool {
        self.template.fallback
    }

    /// Whether the kernel works on host memory.
    pub fn on_host(&self) -> bool {
        self.backend.descriptor().host_memory
    }

    /// A receipt to fill in; claims the one-time warning.
    #[inline]
    pub(crate) fn open_receipt(&self) -> Receipt {
        Receipt { warn: self.claim_warning(), ..self.template }
    }

    /// Whether this is the call to warn about a fallback; only one is.
    #[inline(always)]
    pub(crate) fn claim_warning(&self) -> bool {
        self.template.fallback && self.unwarned.load(Ordering::Relaxed) && self.unwarned.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn event(&self, kind: EventType, start_ns: u64, bytes: u64) -> Event {
        Event {
            start_ns,
            duration_ns: trace::now_ns().saturating_sub(start_ns),
            bytes,
            op: self.op_name,
            kernel: self.kernel_name,
            requested: Some(self.template.requested),
            selected: Some(self.template.selected),
            fallback: self.template.fallback,
            reason: Some(self.template.reason),
            ..Event::new(kind)
        }
    }

    /// Launches, and records it when the trace is on.
    #[inline]
    pub(crate) fn launch(&self, args: Args<'_>) -> Result<()> {
        if !trace::enabled() {
            return self.backend.compute().launch(self.kernel(), &self.attrs, args);
        }
        let start = trace::now_ns();
        let result = self.backend.compute().launch(self.kernel(), &self.attrs, args);
        trace::record(&Event {
            status: result.as_ref().err().map(Error::kind),
            detail0: self.cost.work,
            ..self.event(EventType::OpDispatch, start, self.cost.bytes_read + self.cost.bytes_written)
        });
        result
    }

    /// Waits for everything launched on the call's device.
    pub(crate) fn wait(&self, receipt: &mut Receipt) -> Result<()> {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.sync().synchronize();
        receipt.waits += 1;
        if trace::enabled() {
            trace::record(&Event {
                status: result.as_ref().err().map(Error::kind),
                ..self.event(EventType::Sync, start, 0)
            });
        }
        result
    }

    pub(crate) fn upload(
        &self,
        index: usize,
        source: &TensorRef<'_>,
        target: &Buffer,
        offset: usize,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.memory().upload(source, target, offset);
        let bytes = source.spec().bytes() as u64;
        receipt.bytes_uploaded += bytes;
        if trace::enabled() {
            trace::record(&Event {
                status: result.as_ref().err().map(Error::kind),
                detail0: index as u64,
                ..self.event(EventType::Upload, start, bytes)
            });
        }
        result
    }

    pub(crate) fn download(
        &self,
        index: usize,
        source: &Buffer,
        offset: usize,
        target: &mut TensorMut<'_>,
        receipt: &mut Receipt,
    ) -> Result<()> {
        let start = if trace::enabled() { trace::now_ns() } else { 0 };
        let result = self.backend.memory().download(source, offset, target);
        let bytes = target.spec().bytes() as u64;
        receipt.bytes_downloaded += bytes;
        if trace::enabled() {
            trace::record(&Event {
                status: result.as_ref().err().map(Error::kind),
                detail0: index as u64,
                ..self.event(EventType::Download, start, bytes)
            });
        }
        result
    }

    /// Checks that the caller's tensors are those that the call was resolved for.
    pub(crate) fn check_inputs(&self, inputs: &[Option<TensorRef<'_>>]) -> Result<()> {
        for i in 0..self.inputs.len().max(inputs.len()) {
            let got = inputs.get(i).and_then(|t| t.as_ref()).map(|t| *t.spec());
            let want = self.inputs.get(i).copied().flatten();
            if got != want {
                return Err(self.other_input(i, got));
            }
        }
        Ok(())
    }

    /// The error for input `i` being other than what the call was resolved for.
    pub(crate) fn other_input(&self, i: usize, got: Option<TensorSpec>) -> Error {
        let text = |s: Option<TensorSpec>| s.map_or("none".into(), |s| format!("{} {}", s.dtype, s.shape));
        let name = self.op.inputs.get(i).map_or("inputs", |input| input.name);
        Error::invalid(self.op.name, name, text(self.inputs.get(i).copied().flatten()), text(got))
    }

    /// The same call with other attributes, which its op and kernel take and which leave its results' types and extents.
    pub(crate) fn with_attrs(&self, attrs: &Attrs) -> ResolvedCall {
        ResolvedCall {
            op: self.op,
            attrs: *attrs,
            inputs: self.inputs.clone(),
            outputs: self.outputs,
            cost: (self.op.cost)(attrs, &self.inputs, &self.outputs),
            backend: self.backend.clone(),
            kernel: self.kernel,
            template: self.template,
            op_name: self.op_name,
            kernel_name: self.kernel_name,
            unwarned: AtomicBool::new(self.unwarned.swap(false, Ordering::Relaxed)),
        }
    }

    /// Checks that the caller's results have the right type and extents and share no memory with an input.
    #[inline]
    pub(crate) fn check_outputs(&self, inputs: &[Option<TensorRef<'_>>], outputs: &[TensorMut<'_>]) -> Result<()> {
        if outputs.len() != self.outputs.len() {
            return Err(self.other_count(outputs.len()));
        }
        for (i, out) in outputs.iter().enumerate() {
            if self.outputs.get(i) != Some(out.spec()) {
                return Err(self.other_output(i, out.spec()));
            }
            let (start, end) = out.byte_range();
            let inside = |(low, high): (usize, usize)| low < end && start < high;
            for (j, input) in inputs.iter().enumerate() {
                if let Some(input) = input
                    && inside(input.byte_range())
                {
                    return Err(overlap(self.op, i, self.op.inputs.get(j).map_or("inputs", |input| input.name)));
                }
            }
            for (j, other) in outputs[..i].iter().enumerate() {
                if inside(other.byte_range()) {
                    return Err(overlap(self.op, i, self.op.outputs[j]));
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn other_count(&self, got: usize) -> Error {
        let expected = format!("{} results", self.outputs.len());
        Error::invalid(self.op.name, "outputs", expected, format!("{got}"))
    }

    #[cold]
    fn other_output(&self, i: usize, got: &TensorSpec) -> Error {
        let text = |s: &TensorSpec| format!("{} {}", s.dtype, s.shape);
        let expected = self.outputs.get(i).map_or("none".into(), text);
        Error::invalid(self.op.name, self.op.outputs[i], expected, text(got))
    }
}

#[cold]
fn overlap(op: &'static OpDef, output: usize, other: &'static str) -> Error {
    Error::invalid(op.name, op.outputs[output], "memory of its own", format!("memory that overlaps `{other}`"))
        .hint("pass a separate array, or copy the input first")
}

/// Everything of a receipt that is known when a call is resolved.
pub(crate) fn template(
    op: &'static OpDef,
    requested: crate::device::DeviceRequest,
    selected: DeviceKind,
    kernel: &KernelEntry,
    dtype: crate::dtype::DType,
    fallback: bool,
    reason: Reason,
) -> Receipt {
    Receipt {
        op: op.name,
        requested,
        selected,
        kernel: kernel.name,
        dtype,
        math: kernel.math,
        fallback,
        reason,
        launches: 0,
        waits: 0,
        bytes_uploaded: 0,
        bytes_downloaded: 0,
        duration_ns: None,
        warn: false,
    }
}
