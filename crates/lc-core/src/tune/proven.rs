//! What unproven kernels showed to this process.

use super::key::Key;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

/// Whether unproven kernels gave right numbers in this process, by what the answer is valid for.
///
/// A stored win says that some process found the kernel right and fastest. The file may have been written by hand, merged
/// from another machine, or be older than the library that such a kernel calls: before one runs on the store's word, it is
/// compared anew on a small call, once a process.
#[derive(Debug, Default)]
pub(crate) struct Proven(Mutex<HashMap<(Key, &'static str), bool>>);

impl Proven {
    fn map(&self) -> MutexGuard<'_, HashMap<(Key, &'static str), bool>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// What is known of a kernel.
    pub(crate) fn get(&self, key: &Key, kernel: &'static str) -> Option<bool> {
        self.map().get(&(key.clone(), kernel)).copied()
    }

    /// Keeps what a comparison showed.
    pub(crate) fn set(&self, key: &Key, kernel: &'static str, right: bool) {
        self.map().insert((key.clone(), kernel), right);
    }
}
