//! The order of everything on the device: dispatches are encoded into one open pass and submitted together, when somebody
//! waits or reads, or when enough of them are pending.

use crate::adapter::{Adapter, Options};
use crate::failure::{Failure, lost};
use crate::keys::FastMap;
use crate::pipeline::{Constants, Pipelines};
use crate::pool::GpuBuffer;
use crate::shader::{MAX_BINDINGS, MAX_PARAMS, Shader};
use crate::staging::Belt;
use crate::timing::{Label, Timed, Timing};
use lc_core::{Error, ErrorKind, Result, trace};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wgpu::Features;

/// Dispatches of one submission at most: a submission costs some tens of microseconds, encoding one about one.
const MAX_PENDING: u32 = 512;
/// Bind groups kept; past it all are forgotten, so that those of freed buffers go too.
const MAX_GROUPS: usize = 4096;
/// How long a wait may take before the device counts as hung.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Command buffers that wait for the submission of a later one at most.
const MAX_AHEAD: usize = 64;
/// While the device has next to nothing to do, this many nanoseconds of work are submitted without waiting for more.
const FEED_NS: f64 = 1e6;

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

/// The layout's number, and each binding's buffer, first byte and bytes.
type GroupKey = (usize, [(u64, u64, u64); MAX_BINDINGS]);

/// A submission that somebody may wait for.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Submissions are numbered from one on.
    pub number: u64,
    index: wgpu::SubmissionIndex,
}

#[derive(Debug)]
struct Submission {
    ticket: Ticket,
    work: u64,
    since: Instant,
    timed: Option<Timed>,
}

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
    /// Finished ones, submitted before what the encoder holds.
    ahead: Vec<wgpu::CommandBuffer>,
    pending: u32,
    pending_work: u64,
    pipeline: usize,
    group: GroupKey,
    groups: FastMap<GroupKey, wgpu::BindGroup>,
    groups_made: u64,
    belt: Belt,
    timing: Option<Timing>,
    in_flight: VecDeque<Submission>,
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
        let timed = adapter.features.contains(Features::TIMESTAMP_QUERY);
        Stream {
            device: adapter.device.clone(),
            queue: adapter.queue.clone(),
            failure,
            pipelines: Pipelines::new(adapter, options),
            pass: None,
            encoder: None,
            ahead: Vec::new(),
            pending: 0,
            pending_work: 0,
            pipeline: 0,
            group: GroupKey::default(),
            groups: FastMap::default(),
            groups_made: 0,
            belt: Belt::new(&adapter.device),
            timing: timed.then(|| Timing::new(&adapter.device, Adapter::KIND, adapter.queue.get_timestamp_period())),
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

    /// Whether compiled kernels were found on disk.
    pub fn cache_loaded(&self) -> bool {
        self.pipelines.cache_loaded()
    }

    /// Bind groups that are kept, and how many were made so far.
    pub fn bind_groups(&self) -> (usize, u64) {
        (self.groups.len(), self.groups_made)
    }

    /// Submissions that may still run.
    pub fn outstanding(&self) -> usize {
        self.in_flight.len()
    }

    /// Chunks made so far to stage uploads in.
    pub fn chunks(&self) -> u64 {
        self.belt.made()
    }

    /// Names the launch that the dispatches to come belong to, where they will be timed.
    pub fn begin_launch(&mut self, label: impl FnOnce() -> Label) {
        if trace::enabled()
            && let Some(timing) = &mut self.timing
        {
            timing.launch(label());
        }
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
        let timed = trace::enabled() && self.timing.is_some();
        if timed && self.timing.as_ref().is_some_and(Timing::full) {
            self.flush()?;
        }
        let id = self.pipelines.find(shader, constants);
        let mut key = GroupKey::default();
        key.0 = self.pipelines.layout_of(id);
        for (slot, binding) in key.1.iter_mut().zip(bindings) {
            *slot = (binding.buffer.id, binding.offset, binding.size);
        }
        let fresh = timed || self.pass.is_none();
        if fresh {
            self.begin_pass(timed);
        }
        let Some(pass) = &mut self.pass else { return self.failure.check() };
        if fresh || self.pipeline != id {
            pass.set_pipeline(self.pipelines.raw(id));
            self.pipeline = id;
        }
        if fresh || self.group != key {
            if !self.groups.contains_key(&key) {
                if self.groups.len() >= MAX_GROUPS {
                    self.groups.clear();
                }
                self.groups.insert(key, make_group(&self.device, self.pipelines.group_layout(key.0), bindings));
                self.groups_made += 1;
            }
            pass.set_bind_group(0, self.groups.get(&key), &[]);
            self.group = key;
        }
        let mut bytes = [0u8; MAX_PARAMS * 4];
        for (chunk, word) in bytes.chunks_exact_mut(4).zip(params) {
            chunk.copy_from_slice(&word.to_ne_bytes());
        }
        if !params.is_empty() {
            pass.set_immediates(0, &bytes[..params.len() * 4]);
        }
        pass.dispatch_workgroups(groups[0], groups[1], groups[2]);
        if timed {
            self.pass = None;
        }
        self.pending += 1;
        self.pending_work += work;
        self.dispatches += 1;
        let ns = self.pending_work as f64 / self.rate;
        if self.pending >= MAX_PENDING || ns > self.max_ns as f64 || (ns > FEED_NS && self.in_flight.len() < 2) {
            self.flush()?;
        }
        Ok(())
    }

    fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        let device = &self.device;
        self.encoder
            .get_or_insert_with(|| device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None }))
    }

    fn begin_pass(&mut self, timed: bool) {
        self.pass = None;
        self.encoder();
        let (Some(encoder), timing) = (&mut self.encoder, &mut self.timing) else { return };
        let timestamp_writes = timing.as_mut().filter(|_| timed).map(|timing| {
            let (query_set, at) = timing.next();
            wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(at),
                end_of_pass_write_index: Some(at + 1),
            }
        });
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
        self.pass = Some(encoder.begin_compute_pass(&descriptor).forget_lifetime());
    }

    /// Encodes a copy.
    pub fn copy(&mut self, from: (&wgpu::Buffer, u64), to: (&wgpu::Buffer, u64), bytes: u64) {
        self.pass = None;
        self.encoder().copy_buffer_to_buffer(from.0, from.1, to.0, to.1, bytes);
        self.pending += 1;
        self.pending_work += bytes;
    }

    /// Encodes `work` units into a command buffer of their own, in the order of everything else: what goes through the
    /// device's raw API, which wgpu refuses to mix with its own in one encoder. It knows nothing of what `encode` reads and
    /// writes there, so dispatches of this stream write what is read and read what is written.
    ///
    /// # Errors
    /// What `encode` returns, and then nothing of it runs; an earlier failure of the device.
    #[cfg_attr(not(any(test, target_vendor = "apple")), expect(dead_code, reason = "only Metal has such kernels"))]
    pub(crate) fn apart(
        &mut self,
        work: u64,
        encode: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<()>,
    ) -> Result<()> {
        self.failure.check()?;
        if self.ahead.len() >= MAX_AHEAD {
            self.flush()?;
        }
        let descriptor = wgpu::CommandEncoderDescriptor { label: None };
        let mut own = self.device.create_command_encoder(&descriptor);
        encode(&mut own)?;
        self.pass = None;
        self.ahead.extend(self.encoder.take().map(wgpu::CommandEncoder::finish));
        self.ahead.push(own.finish());
        self.pending += 1;
        self.pending_work += work;
        Ok(())
    }

    /// Encodes a copy to `buffer` of bytes that `write` puts where it is told: a multiple of four of them, at most
    /// [`CHUNK`](crate::staging::CHUNK).
    ///
    /// # Errors
    /// Out of memory; a failure of the device; what `write` returns.
    pub fn stage(
        &mut self,
        buffer: &wgpu::Buffer,
        offset: u64,
        bytes: u64,
        write: impl FnOnce(*mut u8) -> Result<()>,
    ) -> Result<()> {
        if self.belt.full(bytes) {
            // The device copies this chunk while the host fills the next.
            self.flush()?;
        }
        let mut place = self.belt.reserve(bytes).or_else(|error| self.failure.check().and(Err(error)))?;
        write(place.view.slice(..).as_raw_element_ptr().as_ptr())?;
        drop(place.view);
        self.copy((&place.buffer, place.offset), (buffer, offset), bytes);
        Ok(())
    }

    /// Writes to a buffer after everything encoded before, from memory of any size: wgpu makes a copy for it.
    ///
    /// # Errors
    /// As [`Stream::flush`].
    pub fn write(&mut self, buffer: &wgpu::Buffer, offset: u64, bytes: &[u8]) -> Result<()> {
        // A write takes effect at the start of the next submission: what is pending must not see it.
        self.flush()?;
        self.queue.write_buffer(buffer, offset, bytes);
        self.failure.check()
    }

    /// Submits what is pending.
    ///
    /// # Errors
    /// A failure of the device, which may be that of an earlier submission.
    pub fn flush(&mut self) -> Result<()> {
        self.pass = None;
        self.pipeline = 0;
        if !self.ahead.is_empty() {
            // Times are read in the last one.
            self.encoder();
        }
        if let Some(mut encoder) = self.encoder.take() {
            let ahead = std::mem::take(&mut self.ahead);
            while self.in_flight.len() >= self.max_in_flight {
                self.wait_oldest()?;
            }
            let timed = self.timing.as_mut().and_then(|timing| timing.resolve(&mut encoder));
            self.belt.close();
            let index = self.queue.submit(ahead.into_iter().chain([encoder.finish()]));
            self.belt.recall();
            if let Some(timed) = &timed {
                Timing::submitted(timed);
            }
            self.submissions += 1;
            let ticket = Ticket { number: self.submissions, index };
            let since = Instant::now();
            self.in_flight.push_back(Submission { ticket, work: self.pending_work, since, timed });
            self.pending = 0;
            self.pending_work = 0;
        }
        self.failure.check()
    }

    /// Whether nothing is encoded and nothing runs.
    pub fn idle(&self) -> bool {
        self.encoder.is_none() && self.ahead.is_empty() && self.in_flight.is_empty()
    }

    /// The last submission that may still run.
    pub fn last(&self) -> Option<Ticket> {
        self.in_flight.back().map(|submission| submission.ticket.clone())
    }

    fn wait_oldest(&mut self) -> Result<()> {
        let Some(ticket) = self.in_flight.front().map(|submission| submission.ticket.clone()) else { return Ok(()) };
        let result = wait_for(&self.device, &self.failure, &ticket);
        self.retire(ticket.number);
        result
    }

    /// Forgets submissions up to a number, after a wait for it.
    pub fn retire(&mut self, number: u64) {
        while self.in_flight.front().is_some_and(|submission| submission.ticket.number <= number) {
            let Some(done) = self.in_flight.pop_front() else { break };
            let ns = done.since.elapsed().as_nanos() as f64;
            // Short submissions say more about latency than about the rate.
            if ns > 1e6 && self.in_flight.is_empty() {
                self.rate = (0.5 * self.rate + 0.5 * done.work as f64 / ns).max(1e-3);
            }
            if let (Some(timed), Some(timing)) = (done.timed, &mut self.timing) {
                timing.done(timed);
            }
        }
        self.pipelines.persist();
    }

    /// Submits what is pending and waits for everything.
    ///
    /// # Errors
    /// As [`Stream::flush`]; a device that does not finish.
    pub fn wait(&mut self) -> Result<()> {
        self.flush()?;
        if let Some(ticket) = self.last() {
            let result = wait_for(&self.device, &self.failure, &ticket);
            self.retire(ticket.number);
            result?;
        }
        self.failure.check()
    }

    /// Nanoseconds that launches took on the device since the last call, oldest first.
    pub fn take_durations(&mut self) -> Vec<u64> {
        self.timing.as_mut().map_or_else(Vec::new, Timing::take)
    }
}

fn make_group(device: &wgpu::Device, layout: &wgpu::BindGroupLayout, bindings: &[Binding<'_>]) -> wgpu::BindGroup {
    let mut entries = Vec::with_capacity(bindings.len());
    for (i, b) in bindings.iter().enumerate() {
        let size = std::num::NonZeroU64::new(b.size);
        let range = wgpu::BufferBinding { buffer: &b.buffer.raw, offset: b.offset, size };
        entries.push(wgpu::BindGroupEntry { binding: i as u32, resource: wgpu::BindingResource::Buffer(range) });
    }
    device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}

/// Waits for a submission, without the stream: other threads go on encoding.
///
/// # Errors
/// A failure of the device; one that does not finish.
pub fn wait_for(device: &wgpu::Device, failure: &Failure, ticket: &Ticket) -> Result<()> {
    let what = wgpu::PollType::Wait { submission_index: Some(ticket.index.clone()), timeout: Some(TIMEOUT) };
    match device.poll(what) {
        Ok(_) => failure.check(),
        Err(wgpu::PollError::WrongSubmissionIndex(..)) => {
            // A submission that the device never took: it was gone by then.
            let _ = device.poll(wgpu::PollType::Poll);
            failure.lose(lost("one that takes no work".into()));
            failure.check()
        }
        Err(cause) => {
            failure.check()?;
            Err(Error::new(ErrorKind::DriverError, "synchronize")
                .expected(format!("the device to finish in {} s", TIMEOUT.as_secs()))
                .got(cause.to_string())
                .hint("lower LC_MAX_MS_PER_SUBMIT, or run on \"cpu\""))
        }
    }
}

/// Waits for the answer to a request to map a buffer, after a wait for the work that uses it.
///
/// # Errors
/// The device did not map it.
pub fn mapped(answer: &std::sync::mpsc::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>) -> Result<()> {
    let failed =
        |got: String| Error::new(ErrorKind::DriverError, "download").expected("memory that can be read").got(got);
    // Another thread's wait may be the one that delivers it.
    match answer.recv_timeout(TIMEOUT) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(cause)) => Err(failed(cause.to_string())),
        Err(cause) => Err(failed(cause.to_string())),
    }
}
