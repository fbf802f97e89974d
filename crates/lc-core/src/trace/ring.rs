//! A ring of fixed-size slots that many threads write without a lock.

use super::event::{Event, WORDS};
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Events that the ring holds.
pub const CAPACITY: usize = 4096;

/// A slot's sequence number is `2·ticket + 1` while that ticket's event is written and `2·ticket + 2` when it is whole;
/// zero means never written.
struct Slot {
    sequence: AtomicU64,
    words: [AtomicU64; WORDS],
}

pub struct Ring {
    slots: Box<[Slot]>,
    next: AtomicU64,
    /// Tickets below this one were cleared.
    first: AtomicU64,
    dropped: AtomicU64,
}

impl Ring {
    pub fn new() -> Ring {
        let slot = |_| Slot { sequence: AtomicU64::new(0), words: [const { AtomicU64::new(0) }; WORDS] };
        Ring {
            slots: (0..CAPACITY).map(slot).collect(),
            next: AtomicU64::new(0),
            first: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub fn push(&self, event: &Event) {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = &self.slots[ticket as usize % CAPACITY];
        let seen = slot.sequence.load(Ordering::Relaxed);
        // Odd: an older writer is not done. Greater: a newer one overtook us. Either way the event is lost.
        let claim = seen.is_multiple_of(2) && seen < 2 * ticket + 1;
        if !claim || slot.sequence.compare_exchange(seen, 2 * ticket + 1, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // The claim must be visible before any word changes, or a reader could take a torn event for a whole one.
        fence(Ordering::Release);
        for (word, value) in slot.words.iter().zip(event.pack()) {
            word.store(value, Ordering::Relaxed);
        }
        slot.sequence.store(2 * ticket + 2, Ordering::Release);
    }

    pub fn snapshot(&self) -> Vec<Event> {
        let end = self.next.load(Ordering::Acquire);
        let first = self.first.load(Ordering::Relaxed).max(end.saturating_sub(CAPACITY as u64));
        let mut events = Vec::with_capacity((end - first) as usize);
        for ticket in first..end {
            let slot = &self.slots[ticket as usize % CAPACITY];
            if slot.sequence.load(Ordering::Acquire) != 2 * ticket + 2 {
                continue;
            }
            let words = std::array::from_fn(|i| slot.words[i].load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            if slot.sequence.load(Ordering::Relaxed) == 2 * ticket + 2 {
                events.push(Event::unpack(words));
            }
        }
        events
    }

    pub fn clear(&self) {
        self.first.store(self.next.load(Ordering::Relaxed), Ordering::Relaxed);
        self.dropped.store(0, Ordering::Relaxed);
    }

    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
