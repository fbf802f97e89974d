//! Hashing of small keys on the hot path.

use std::hash::{BuildHasherDefault, Hasher};

/// Multiply and rotate: keys are numbers that this process gave out, which nobody chooses so as to collide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        // The table takes its index from the low bits and its tags from the high ones.
        self.0 ^ self.0 >> 32
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// A map with such keys.
pub type FastMap<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Mix>>;
