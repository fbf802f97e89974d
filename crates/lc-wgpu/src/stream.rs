//! The order of everything on the device: dispatches are encoded into one open pass and submitted together, when somebody
//! waits or reads, or when enough of them are pending.

use crate::adapter::{Adapter, Options};
use crate::failure::Failure;
use crate::pipeline::{Constants, Pipelines};
use crate::pool::GpuBuffer;
use crate::shader::{MAX_BINDINGS, Shader};
use lc_core::{Error, ErrorKind, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Dispatches of one submission at most: a submission costs some tens of microseconds, encoding one about one.
const MAX_PENDING: u32 = 512;
/// Bind groups kept; past it all are forgotten, so that those of freed buffers go too.
const MAX_GROUPS: usize = 4096;
/// How long a wait may take before the device counts as hung.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A range of a buffer, as a kernel sees it.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The buffer.
    pub buffer: &'a GpuBuffer,
    /// First byte; a multiple of 256.
    pub offset: u64,
    /// Bytes; a multiple of 4.
    pub size: u64,
}

type GroupKey = [(u64, u64, u64); MAX_BINDINGS];

/// What is being encoded, and what was submitted.
#[derive(Debug)]
pub struct Stream {
    device: wgpu::Device,
    queue: wgpu::Queue,
    failure: Arc<Failure>,
    pipelines: Pipelines,
    // The pass borrows from the encoder in wgpu's own book-keeping: it is dropped before the encoder is finished.
    pass: Option<wgpu::ComputePass<'static>>,
    encoder: Option<wgpu::CommandEncoder>,
    pending: u32,
    pending_work: u64,
    pipeline: usize,
    group: (usize, GroupKey),
    groups: HashMap<(usize, GroupKey), wgpu::BindGroup>,
    in_flight: VecDeque<(wgpu::SubmissionIndex, u64, Instant)>,
    max_in_flight: usize,
    max_ns: u64,
    /// Units of work that the device does in a nanosecond, as far as waits have shown.
    rate: f64,
    submissions: u64,
    dispatches: u64,
}

impl Stream {
    /// An idle stream.
    pub fn new(adapter: &Adapter, options: &Options, failure: Arc<Failure>) -> Stream {
        Stream {
            device: adapter.device.clone(),
            queue: adapter.queue.clone(),
            failure,
            pipelines: Pipelines::new(adapter, options.validation),
            pass: None,
            encoder: None,
            pending: 0,
            pending_work: 0,
            pipeline: 0,
            group: (0, GroupKey::default()),
            groups: HashMap::new(),
            in_flight: VecDeque::new(),
            max_in_flight: options.in_flight.max(1),
            max_ns: u64::from(options.max_ms_per_submit) * 1_000_000,
            // Low guesses: the first long submissions are short rather than too long.
            rate: if adapter.software() { 1.0 } else { 500.0 },
            submissions: 0,
            dispatches: 0,
        }
    }

    /// Submissions and dispatches so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.submissions, self.dispatches)
    }

    /// Kernels compiled so far.
    pub fn compiled(&self) -> usize {
        self.pipelines.len()
    }

    /// Encodes a dispatch of `work` units (multiply-adds or bytes, whichever are more).
    ///
    /// # Errors
    /// More workgroups than the device takes; an earlier failure of the device.
    pub fn dispatch(
        &mut self,
        shader: &'static Shader,
        constants: Constants<'_>,
        bindings: &[Binding<'_>],
        params: &[u32],
        groups: [u32; 3],
        work: u64,
    ) -> Result<()> {
        debug_assert_eq!(bindings.len(), shader.bindings as usize, "{}", shader.name);
        debug_assert_eq!(params.len(), shader.params as usize, "{}", shader.name);
        self.failure.check()?;
        if groups.iter().any(|n| *n > 65_535) {
            let got = format!("{groups:?} workgroups of {}", shader.name);
            return Err(Error::new(ErrorKind::NotSupported, "dispatch").expected("at most 65535 a dimension").got(got));
        }
        let pipeline = self.pipelines.get(shader, constants);
        let mut key = GroupKey::default();
        for (slot, binding) in key.iter_mut().zip(bindings) {
            *slot = (binding.buffer.id, binding.offset, binding.size);
        }
        let key = (bindings.len(), key);
        if !self.groups.contains_key(&key) {
            if self.groups.len() >= MAX_GROUPS {
                self.groups.clear();
            }
            let group = self.make_group(bindings);
            self.groups.insert(key, group);
        }
        let fresh = self.pass.is_none();
        let pass = match &mut self.pass {
            Some(pass) => pass,
            none => {
                let encoder = self.encoder.get_or_insert_with(|| {
                    self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None })
                });
                none.insert(encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()).forget_lifetime())
            }
        };
        if fresh || self.pipeline != pipeline.id {
            pass.set_pipeline(&pipeline.raw);
            self.pipeline = pipeline.id;
        }
        if fresh || self.group != key {
            pass.set_bind_group(0, self.groups.get(&key), &[]);
            self.group = key;
        }
        let mut bytes = [0u8; crate::shader::MAX_PARAMS * 4];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(params) {
            chunk.copy_from_slice(&word.to_ne_bytes());
        }
        if !params.is_empty() {
            pass.set_immediates(0, &bytes[..params.len() * 4]);
        }
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
        self.pending += 1;
        self.pending_work += work;
        self.dispatches += 1;
        if self.pending >= MAX_PENDING || self.pending_work as f64 > self.rate * self.max_ns as f64 {
            self.flush()?;
        }
        Ok(())
    }

    fn make_group(&self, bindings: &[Binding<'_>]) -> wgpu::BindGroup {
        let mut entries = Vec::with_capacity(bindings.len());
        for (i, b) in bindings.iter().enumerate() {
            let size = std::num::NonZeroU64::new(b.size);
            let range = wgpu::BufferBinding { buffer: &b.buffer.raw, offset: b.offset, size };
            entries.push(wgpu::BindGroupEntry { binding: i as u32, resource: wgpu::BindingResource::Buffer(range) });
        }
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: self.pipelines.group_layout(bindings.len()),
            entries: &entries,
        })
    }

    /// Encodes a copy.
    pub fn copy(&mut self, from: (&wgpu::Buffer, u64), to: (&wgpu::Buffer, u64), bytes: u64) {
        self.pass = None;
        let encoder = self
            .encoder
            .get_or_insert_with(|| self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None }));
        encoder.copy_buffer_to_buffer(from.0, from.1, to.0, to.1, bytes);
        self.pending += 1;
        self.pending_work += bytes;
    }

    /// Submits what is pending.
    ///
    /// # Errors
    /// A failure of the device, which may be that of an earlier submission.
    pub fn flush(&mut self) -> Result<()> {
        self.pass = None;
        self.pipeline = 0;
        if let Some(encoder) = self.encoder.take() {
            while self.in_flight.len() >= self.max_in_flight {
                self.wait_oldest()?;
            }
            let index = self.queue.submit([encoder.finish()]);
            self.in_flight.push_back((index, self.pending_work, Instant::now()));
            self.pending = 0;
            self.pending_work = 0;
            self.submissions += 1;
        }
        self.failure.check()
    }

    /// Writes to a buffer, after everything encoded before.
    ///
    /// # Errors
    /// As [`Stream::flush`].
    pub fn write(&mut self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) -> Result<()> {
        // A write takes effect at the start of the next submission: what is pending must not see it.
        self.flush()?;
        self.queue.write_buffer(buffer, offset, bytes);
        self.failure.check()
    }

    fn wait_oldest(&mut self) -> Result<()> {
        let Some((index, work, since)) = self.in_flight.pop_front() else { return Ok(()) };
        self.poll(wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(TIMEOUT) })?;
        let ns = since.elapsed().as_nanos() as f64;
        // Short submissions say more about latency than about the rate.
        if ns > 1e6 && self.in_flight.is_empty() {
            self.rate = (0.5 * self.rate + 0.5 * work as f64 / ns).max(1e-3);
        }
        Ok(())
    }

    fn poll(&self, what: wgpu::PollType) -> Result<()> {
        match self.device.poll(what) {
            Ok(_) => self.failure.check(),
            Err(cause) => {
                self.failure.check()?;
                Err(Error::new(ErrorKind::DriverError, "synchronize")
                    .expected(format!("the device to finish in {} s", TIMEOUT.as_secs()))
                    .got(cause.to_string())
                    .hint("lower LC_MAX_MS_PER_SUBMIT, or run on \"cpu\""))
            }
        }
    }

    /// Submits what is pending and waits for everything.
    ///
    /// # Errors
    /// As [`Stream::flush`]; a device that does not finish.
    pub fn wait(&mut self) -> Result<()> {
        self.flush()?;
        while !self.in_flight.is_empty() {
            self.wait_oldest()?;
        }
        self.failure.check()
    }

    /// Waits until `buffer` is mapped for reading, and gives its first `bytes` bytes from `offset` on to `read`.
    ///
    /// # Errors
    /// As [`Stream::wait`].
    pub fn read(&mut self, buffer: &wgpu::Buffer, offset: u64, bytes: u64, read: impl FnOnce(&[u8])) -> Result<()> {
        self.flush()?;
        let slice = buffer.slice(offset..offset + bytes);
        let (send, receive) = std::sync::mpsc::channel();
        slice.map_async(wgpu::MapMode::Read, move |result| {
            // The receiver waits below; it is gone only if that wait failed, and then nobody wants the answer.
            let _ = send.send(result);
        });
        self.wait()?;
        self.poll(wgpu::PollType::Poll)?;
        let failed = |got: String| Error::new(ErrorKind::DriverError, "download").expected("a mapped buffer").got(got);
        match receive.try_recv() {
            Ok(Ok(())) => {
                let view = slice.get_mapped_range().map_err(|cause| failed(cause.to_string()))?;
                read(&view);
                drop(view);
                buffer.unmap();
                Ok(())
            }
            Ok(Err(cause)) => Err(failed(cause.to_string())),
            Err(_) => Err(failed("one that the device never mapped".into())),
        }
    }
}
