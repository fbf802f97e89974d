//! Device buffers by size class: freed ones are kept, up to a cap, for the next allocation of their class.
//!
//! A buffer may be taken again while dispatches that use it are still outstanding: everything on the device runs in the
//! order of the stream.

use crate::adapter::Adapter;
use lc_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use wgpu::BufferUsages;

/// A buffer of the device.
#[derive(Clone, Debug)]
pub struct GpuBuffer {
    /// Unique in the process: what bind groups are cached under.
    pub id: u64,
    /// The buffer.
    pub raw: wgpu::Buffer,
    /// Its class's size.
    pub size: u64,
}

/// Freed buffers.
#[derive(Debug)]
pub struct Pool {
    device: wgpu::Device,
    usage: BufferUsages,
    limit: u64,
    cap: u64,
    next: AtomicU64,
    in_use: AtomicU64,
    made: AtomicU64,
    free: Mutex<Free>,
}

#[derive(Debug, Default)]
struct Free {
    by_size: BTreeMap<u64, Vec<GpuBuffer>>,
    bytes: u64,
}

/// The size of the class of `bytes`: steps of an eighth of a power of two, at least 256 bytes, so that at most an eighth
/// is wasted and sizes near each other share buffers.
fn class(bytes: u64) -> u64 {
    let bytes = bytes.max(256);
    let step = (bytes.next_power_of_two() / 16).max(256);
    bytes.next_multiple_of(step)
}

fn full(bytes: u64, got: String) -> Error {
    Error::new(ErrorKind::OutOfMemory, "allocate")
        .expected(format!("{bytes} bytes of device memory"))
        .got(got)
        .hint("free sessions and plans, or use smaller inputs")
}

impl Pool {
    /// An empty pool of buffers of one usage that keeps at most `cap` free bytes.
    pub fn new(adapter: &Adapter, usage: BufferUsages, cap: u64) -> Arc<Pool> {
        Arc::new(Pool {
            device: adapter.device.clone(),
            usage,
            limit: adapter.limits.max_buffer_size,
            cap,
            next: AtomicU64::new(1),
            in_use: AtomicU64::new(0),
            made: AtomicU64::new(0),
            free: Mutex::default(),
        })
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// A buffer of at least `bytes` bytes. A new one is zero-filled, one that was used before holds what it held.
    ///
    /// # Errors
    /// Out of memory; more than the device takes in one buffer.
    pub fn take(&self, bytes: u64) -> Result<GpuBuffer> {
        if bytes > self.limit {
            return Err(full(bytes, format!("a device that takes {} in one buffer", self.limit)));
        }
        let size = class(bytes).min(self.limit);
        let reused = {
            let mut free = self.free();
            let found = free.by_size.get_mut(&size).and_then(Vec::pop);
            if found.is_some() {
                free.bytes -= size;
            }
            found
        };
        let buffer = match reused {
            Some(buffer) => buffer,
            None => self.make(size).or_else(|_| {
                // What is free in other classes may be just what is missing.
                self.trim(0);
                self.make(size)
            })?,
        };
        self.in_use.fetch_add(size, Ordering::Relaxed);
        Ok(buffer)
    }

    fn make(&self, size: u64) -> Result<GpuBuffer> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage: self.usage, mapped_at_creation: false };
        let raw = self.device.create_buffer(&descriptor);
        if let Some(cause) = pollster::block_on(scope.pop()) {
            return Err(full(size, cause.to_string()));
        }
        self.made.fetch_add(1, Ordering::Relaxed);
        Ok(GpuBuffer { id: self.next.fetch_add(1, Ordering::Relaxed), raw, size })
    }

    /// Takes a buffer back.
    pub fn give(&self, buffer: GpuBuffer) {
        self.in_use.fetch_sub(buffer.size, Ordering::Relaxed);
        let mut free = self.free();
        free.bytes += buffer.size;
        free.by_size.entry(buffer.size).or_default().push(buffer);
        let over = free.bytes > self.cap;
        drop(free);
        if over {
            self.trim(self.cap / 2);
        }
    }

    /// Gives free buffers back to the system, largest first, until at most `keep` free bytes are left.
    pub fn trim(&self, keep: u64) {
        let mut free = self.free();
        while free.bytes > keep {
            let Some(mut entry) = free.by_size.last_entry() else { break };
            let buffer = entry.get_mut().pop();
            if entry.get().is_empty() {
                entry.remove();
            }
            if let Some(buffer) = buffer {
                free.bytes -= buffer.size;
                // Cached bind groups may hold on to it; its memory goes back once the device is done with it.
                buffer.raw.destroy();
            }
        }
    }

    /// Bytes that callers hold.
    pub fn in_use(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Bytes that are free.
    pub fn free_bytes(&self) -> u64 {
        self.free().bytes
    }

    /// Buffers made so far.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}

/// A buffer that goes back to its pool.
#[derive(Debug)]
pub struct Pooled {
    buffer: Option<GpuBuffer>,
    pool: Arc<Pool>,
}

impl Pooled {
    /// Takes one.
    ///
    /// # Errors
    /// As [`Pool::take`].
    pub fn take(pool: &Arc<Pool>, bytes: u64) -> Result<Pooled> {
        Ok(Pooled { buffer: Some(pool.take(bytes)?), pool: pool.clone() })
    }

    /// Drops the buffer instead of giving it back: the device may still do something with it.
    pub fn discard(mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.pool.in_use.fetch_sub(buffer.size, Ordering::Relaxed);
        }
    }

    /// The buffer.
    pub fn get(&self) -> &GpuBuffer {
        self.buffer.as_ref().expect("there until dropped")
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.pool.give(buffer);
        }
    }
}
