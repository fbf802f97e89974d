//! Host memory on its way to the device: chunks that are filled while mapped, copied from by the device, and mapped again
//! when it is done with them.

use lc_core::{Error, ErrorKind, Result};
use std::sync::mpsc::{Receiver, Sender, channel};
use wgpu::{Buffer, BufferUsages, BufferViewMut, MapMode};

/// Bytes of a chunk, and of the pieces that uploads are cut into: long enough that a submission for each costs little,
/// short enough that the device copies one while the host fills the next.
pub const CHUNK: u64 = 4 << 20;

#[derive(Debug)]
struct Chunk {
    buffer: Buffer,
    used: u64,
}

/// The chunks.
#[derive(Debug)]
pub struct Belt {
    device: wgpu::Device,
    active: Option<Chunk>,
    closed: Vec<Chunk>,
    free: Vec<Chunk>,
    made: u64,
    sender: Sender<Chunk>,
    // Behind a lock only so that the belt can be shared with the rest of the stream.
    receiver: std::sync::Mutex<Receiver<Chunk>>,
}

/// A place in a chunk, mapped. Drop the view before the next submission.
pub struct Reserved {
    /// The chunk.
    pub buffer: Buffer,
    /// Where in it.
    pub offset: u64,
    /// Its bytes, which the host writes and never reads.
    pub view: BufferViewMut,
}

impl Belt {
    /// A belt without chunks.
    pub fn new(device: &wgpu::Device) -> Belt {
        let (sender, receiver) = channel();
        let receiver = std::sync::Mutex::new(receiver);
        Belt { device: device.clone(), active: None, closed: Vec::new(), free: Vec::new(), made: 0, sender, receiver }
    }

    /// Chunks made so far.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Whether so many more bytes would start a new chunk while one is open.
    pub fn full(&self, bytes: u64) -> bool {
        self.active.as_ref().is_some_and(|chunk| chunk.used + bytes > CHUNK)
    }

    /// A place of `bytes` bytes: a multiple of four, at most [`CHUNK`].
    ///
    /// # Errors
    /// A chunk that the device does not map: it is out of memory, or lost.
    pub fn reserve(&mut self, bytes: u64) -> Result<Reserved> {
        if self.full(bytes) {
            self.closed.extend(self.active.take());
        }
        let mut chunk = match self.active.take() {
            Some(chunk) => chunk,
            None => self.fresh(),
        };
        // A mapped range begins at a multiple of eight.
        let offset = chunk.used;
        chunk.used = (offset + bytes).next_multiple_of(wgpu::MAP_ALIGNMENT);
        let view = chunk.buffer.get_mapped_range_mut(offset..offset + bytes).map_err(|cause| {
            Error::new(ErrorKind::OutOfMemory, "upload")
                .expected("memory to stage the upload in")
                .got(cause.to_string())
                .hint("free sessions and tensors, or make new ones if the device was lost")
        })?;
        let buffer = chunk.buffer.clone();
        self.active = Some(chunk);
        Ok(Reserved { buffer, offset, view })
    }

    fn fresh(&mut self) -> Chunk {
        self.receive();
        if let Some(chunk) = self.free.pop() {
            return chunk;
        }
        self.made += 1;
        let usage = BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC;
        let descriptor = wgpu::BufferDescriptor { label: None, size: CHUNK, usage, mapped_at_creation: true };
        Chunk { buffer: self.device.create_buffer(&descriptor), used: 0 }
    }

    fn receive(&mut self) {
        let receiver = self.receiver.get_mut().unwrap_or_else(|e| e.into_inner());
        while let Ok(mut chunk) = receiver.try_recv() {
            chunk.used = 0;
            self.free.push(chunk);
        }
    }

    /// To be called before the submission that copies from the chunks.
    pub fn close(&mut self) {
        self.closed.extend(self.active.take());
        for chunk in &self.closed {
            chunk.buffer.unmap();
        }
    }

    /// To be called after that submission.
    pub fn recall(&mut self) {
        for chunk in self.closed.drain(..) {
            let sender = self.sender.clone();
            chunk.buffer.clone().map_async(MapMode::Write, .., move |mapped| {
                // A chunk that cannot be mapped, or that nobody waits for any more, is dropped.
                if mapped.is_ok() {
                    let _ = sender.send(chunk);
                }
            });
        }
    }
}
