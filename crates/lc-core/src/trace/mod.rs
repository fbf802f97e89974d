//! The trace: a fixed ring of events, one schema for every device.
//!
//! Off, it costs one relaxed load a call. On, an event is written without a lock: the writer takes a ticket, claims the
//! ticket's slot by a compare-and-swap on the slot's sequence number, and publishes it. A reader copies a slot and keeps
//! the copy only if the sequence number did not change meanwhile. When the ring is full the oldest event is overwritten;
//! a writer that finds its slot still being written by one 4096 events behind drops its event and counts it.

pub mod chrome;
mod event;
mod ring;
pub mod timeline;

pub use event::{Event, EventType};
pub use ring::CAPACITY;

use ring::Ring;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

static ENABLED: AtomicBool = AtomicBool::new(false);
static RING: OnceLock<Ring> = OnceLock::new();
static START: OnceLock<Instant> = OnceLock::new();

/// Whether events are recorded.
#[inline]
pub fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Switches recording on or off. Recorded events stay.
pub fn enable(on: bool) {
    if on {
        RING.get_or_init(Ring::new);
        now_ns();
    }
    ENABLED.store(on, Ordering::Relaxed);
}

/// Forgets every event.
pub fn clear() {
    if let Some(ring) = RING.get() {
        ring.clear();
    }
}

/// Nanoseconds on a clock that never goes back; zero is the first time that anyone asked.
pub fn now_ns() -> u64 {
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// Records an event if the trace is on.
#[inline]
pub fn record(event: &Event) {
    if enabled()
        && let Some(ring) = RING.get()
    {
        ring.push(event);
    }
}

/// Records an event without a duration, such as a query, if the trace is on.
#[inline]
pub fn mark(kind: EventType, bytes: u64, detail0: u64, detail1: u64) {
    if enabled() {
        record(&Event { start_ns: now_ns(), bytes, detail0, detail1, ..Event::new(kind) });
    }
}

/// The recorded events, oldest first.
pub fn events() -> Vec<Event> {
    RING.get().map_or_else(Vec::new, Ring::snapshot)
}

/// Events lost because their slot was still being written. Zero unless threads are stopped for very long.
pub fn dropped() -> u64 {
    RING.get().map_or(0, Ring::dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    // The trace is the process's: tests that use it take turns.
    static TURN: Mutex<()> = Mutex::new(());

    #[test]
    fn off_records_nothing_and_enabling_keeps_events() {
        let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
        enable(false);
        clear();
        mark(EventType::BackendName, 0, 0, 0);
        assert!(events().is_empty());
        enable(true);
        mark(EventType::BackendName, 0, 1, 2);
        enable(false);
        enable(true);
        let seen = events();
        enable(false);
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].kind, seen[0].detail0, seen[0].detail1), (EventType::BackendName, 1, 2));
    }

    #[test]
    fn a_full_ring_keeps_the_newest_and_survives_many_writers() {
        let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
        enable(true);
        clear();
        std::thread::scope(|scope| {
            for writer in 0..4u64 {
                scope.spawn(move || {
                    for i in 0..5000 {
                        mark(EventType::Upload, writer, i, i.wrapping_mul(31) ^ writer);
                    }
                });
            }
        });
        enable(false);
        let seen = events();
        assert!(seen.len() as u64 + dropped() >= CAPACITY as u64, "{} of {CAPACITY}", seen.len());
        for event in &seen {
            assert_eq!(event.detail1, event.detail0.wrapping_mul(31) ^ event.bytes, "a torn event was read");
        }
    }
}
