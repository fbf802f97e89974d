//! What went wrong on the device, kept until somebody asks.
//!
//! wgpu reports errors to a callback, after the call that made them. The first one is kept; every later launch, copy or
//! wait returns it, so that a session that depends on the lost work is poisoned. A lost device stays lost.

use lc_core::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The first error since the last report, and whether the device is gone.
#[derive(Debug, Default)]
pub struct Failure {
    raised: AtomicBool,
    lost: AtomicBool,
    first: Mutex<Option<Error>>,
}

/// The error of a device that is gone.
pub fn lost(got: String) -> Error {
    Error::new(ErrorKind::DriverError, "device")
        .expected("a working device")
        .got(got)
        .hint("make new sessions and tensors, for which the device is opened again, or use \"cpu\"")
}

impl Failure {
    /// Listens to a device.
    pub fn watch(device: &wgpu::Device) -> Arc<Failure> {
        let failure = Arc::new(Failure::default());
        let errors = failure.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| errors.raise(&error)));
        let watched = failure.clone();
        device.set_device_lost_callback(move |reason, message| {
            let gone = match reason {
                wgpu::DeviceLostReason::Destroyed => "a destroyed one".into(),
                wgpu::DeviceLostReason::Unknown => format!("a lost one: {message}"),
            };
            watched.lose(lost(gone));
        });
        failure
    }

    /// The device is gone: every later call gives this error. Plans that run on it are forgotten, so that the next call
    /// opens the device again.
    pub fn lose(&self, error: Error) {
        if self.lost.swap(true, Ordering::AcqRel) {
            return;
        }
        *self.first.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
        self.raised.store(true, Ordering::Release);
        lc_core::runtime::forget_plans();
    }

    /// Whether the device is gone.
    pub fn lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    fn raise(&self, error: &wgpu::Error) {
        let (kind, hint) = match error {
            wgpu::Error::OutOfMemory { .. } => {
                (ErrorKind::OutOfMemory, "free sessions and plans, or use smaller inputs")
            }
            wgpu::Error::Validation { .. } => (ErrorKind::Unknown, "this is a bug of a kernel: please report it"),
            wgpu::Error::Internal { .. } => (ErrorKind::DriverError, "make a new session"),
        };
        if self.lost() {
            // What follows from that says nothing new.
            return;
        }
        self.keep(Error::new(kind, "device").got(error.to_string()).hint(hint));
    }

    fn keep(&self, error: Error) {
        self.first.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(error);
        self.raised.store(true, Ordering::Release);
    }

    /// The error that is waiting, if any. A lost device gives its error each time.
    ///
    /// # Errors
    /// That one.
    pub fn check(&self) -> Result<()> {
        if !self.raised.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut first = self.first.lock().unwrap_or_else(|e| e.into_inner());
        if self.lost.load(Ordering::Acquire) {
            return first.clone().map_or(Ok(()), Err);
        }
        self.raised.store(false, Ordering::Release);
        first.take().map_or(Ok(()), Err)
    }
}
