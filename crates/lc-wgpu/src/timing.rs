//! Times of launches on the device's own clock, taken while the trace is on.
//!
//! Each dispatch is a pass of its own then, with a timestamp at either end: what every device with timestamps has, Apple's
//! included. The clock of the device is not the host's: an event is placed so that the last one of its submission ends
//! when the wait that saw it returned, and its duration is what the device measured.

use lc_core::DeviceKind;
use lc_core::intern::Name;
use lc_core::trace::{self, Event, EventType};
use std::collections::VecDeque;
use wgpu::{Buffer, BufferUsages};

/// Dispatches of a submission that are timed; one more starts a new submission.
const CAPACITY: u32 = 256;
/// Durations kept for [`Timing::take`].
const KEPT: usize = 4096;
const BYTES: u64 = CAPACITY as u64 * 2 * wgpu::QUERY_SIZE as u64;

/// What a launch is called on the trace.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// The op's name there.
    pub op: Name,
    /// The kernel's.
    pub kernel: Name,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    label: Label,
    first: u32,
    last: u32,
}

/// The times of one submission.
#[derive(Debug)]
pub struct Timed {
    buffer: Buffer,
    spans: Vec<Span>,
    queries: u32,
}

/// Queries, and the durations that they gave.
#[derive(Debug)]
pub struct Timing {
    device: wgpu::Device,
    kind: DeviceKind,
    period: f64,
    queries: Option<(wgpu::QuerySet, Buffer)>,
    free: Vec<Buffer>,
    used: u32,
    spans: Vec<Span>,
    label: Option<Label>,
    durations: VecDeque<u64>,
}

impl Timing {
    /// For a device with timestamps of `period` nanoseconds. Makes nothing before the first launch that is timed.
    pub fn new(device: &wgpu::Device, kind: DeviceKind, period: f32) -> Timing {
        Timing {
            device: device.clone(),
            kind,
            period: f64::from(period),
            queries: None,
            free: Vec::new(),
            used: 0,
            spans: Vec::new(),
            label: None,
            durations: VecDeque::new(),
        }
    }

    /// The dispatches to come belong to a launch of this name.
    pub fn launch(&mut self, label: Label) {
        self.label = Some(label);
    }

    /// Whether the submission must go before another dispatch can be timed.
    pub fn full(&self) -> bool {
        self.used == CAPACITY
    }

    /// Where the next dispatch writes its times: the set, and the query at its start; the one at its end follows.
    pub fn next(&mut self) -> (&wgpu::QuerySet, u32) {
        let at = self.used * 2;
        self.used += 1;
        match (self.label.take(), self.spans.last_mut()) {
            (Some(label), _) => self.spans.push(Span { label, first: at, last: at + 1 }),
            (None, Some(span)) => span.last = at + 1,
            // The rest of a launch whose first dispatches went with the submission before.
            (None, None) => self.spans.push(Span {
                label: Label { op: Name::of("device"), kernel: Name::EMPTY },
                first: at,
                last: at + 1,
            }),
        }
        let device = &self.device;
        let (set, _) = self.queries.get_or_insert_with(|| {
            let count = CAPACITY * 2;
            let set = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count,
            });
            let usage = BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC;
            let descriptor = wgpu::BufferDescriptor { label: None, size: BYTES, usage, mapped_at_creation: false };
            (set, device.create_buffer(&descriptor))
        });
        (set, at)
    }

    /// Encodes the copy of a submission's times to where the host can read them.
    pub fn resolve(&mut self, encoder: &mut wgpu::CommandEncoder) -> Option<Timed> {
        let queries = std::mem::take(&mut self.used) * 2;
        let spans = std::mem::take(&mut self.spans);
        let (set, resolved) = self.queries.as_ref().filter(|_| queries > 0)?;
        let device = &self.device;
        let buffer = self.free.pop().unwrap_or_else(|| {
            let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
            device.create_buffer(&wgpu::BufferDescriptor { label: None, size: BYTES, usage, mapped_at_creation: false })
        });
        encoder.resolve_query_set(set, 0..queries, resolved, 0);
        encoder.copy_buffer_to_buffer(resolved, 0, &buffer, 0, BYTES);
        Some(Timed { buffer, spans, queries })
    }

    /// Asks for the times of a submission that was just made.
    pub fn submitted(timed: &Timed) {
        timed.buffer.map_async(wgpu::MapMode::Read, .., |_| ());
    }

    /// Takes the times of a submission that is done.
    pub fn done(&mut self, timed: Timed) {
        // A lost device maps nothing; then there are no times.
        let Ok(view) = timed.buffer.get_mapped_range(..) else { return };
        let at = |query: u32| {
            let start = query as usize * wgpu::QUERY_SIZE as usize;
            let bytes = view.get(start..start + 8).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u64::from_ne_bytes)
        };
        let ns = |ticks: u64| (ticks as f64 * self.period) as u64;
        let end = (0..timed.queries).map(at).max().unwrap_or(0);
        let now = trace::now_ns();
        for span in &timed.spans {
            let duration = ns(at(span.last).saturating_sub(at(span.first)));
            if self.durations.len() == KEPT {
                self.durations.pop_front();
            }
            self.durations.push_back(duration);
            trace::record(&Event {
                start_ns: now.saturating_sub(ns(end.saturating_sub(at(span.first)))),
                duration_ns: duration,
                op: span.label.op,
                kernel: span.label.kernel,
                selected: Some(self.kind),
                // Threads count from one: this row of the timeline is the device's.
                thread: 0,
                ..Event::new(EventType::DeviceWork)
            });
        }
        drop(view);
        timed.buffer.unmap();
        self.free.push(timed.buffer);
    }

    /// Nanoseconds of the launches since the last call, oldest first.
    pub fn take(&mut self) -> Vec<u64> {
        self.durations.drain(..).collect()
    }
}
