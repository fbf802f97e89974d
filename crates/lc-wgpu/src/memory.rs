//! Allocation and copies.

use crate::backend::WgpuBackend;
use crate::pool::{GpuBuffer, Pooled};
use crate::staging::CHUNK;
use crate::stream::{Stream, Ticket, mapped};
use lc_core::backend::{Buffer, Memory, gather};
use lc_core::{Error, ErrorKind, Result, Shape, TensorMut, TensorRef, TensorSpec};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, channel};
use wgpu::{BufferAsyncError, MapMode};

/// Sizes of copies are multiples of four bytes.
const COPY: u64 = 4;
/// Bytes of the pieces that downloads are cut into, and how many are on their way at a time.
const PIECE: u64 = 16 << 20;
const DEPTH: usize = 3;

/// The device's form of a buffer.
///
/// # Errors
/// A buffer of another backend.
pub(crate) fn gpu(buffer: &Buffer) -> Result<&GpuBuffer> {
    let own = buffer.inner::<Pooled>();
    own.map(Pooled::get).ok_or_else(|| Error::new(ErrorKind::Unknown, "gpu").got("another backend's buffer"))
}

/// Copies a host view into mapped memory of its size, which is only written, front to back.
fn put(source: &TensorRef<'_>, to: *mut u8) -> Result<()> {
    // SAFETY: the caller mapped at least the view's bytes there, and nobody else has them.
    gather(source, unsafe { std::slice::from_raw_parts_mut(to, source.spec().bytes()) })
}

/// Stages a view in pieces of at most a chunk: halves of halves along its first extents, which are dense on the device.
fn stage(stream: &mut Stream, source: &TensorRef<'_>, raw: &wgpu::Buffer, offset: u64) -> Result<()> {
    let bytes = source.spec().bytes() as u64;
    if bytes <= CHUNK {
        return stream.stage(raw, offset, bytes.next_multiple_of(COPY), |to| put(source, to));
    }
    let dims = source.shape().dims();
    let Some(axis) = dims.iter().position(|extent| *extent > 1) else {
        return Err(Error::new(ErrorKind::Unknown, "upload").got("one element larger than a chunk"));
    };
    // Both halves begin at a whole word, also of two-byte elements.
    let half = match dims[axis] / 2 {
        1 => 1,
        half => half & !1,
    };
    let part = |first: usize, count: usize| {
        let mut extents = dims.to_vec();
        extents[axis] = count;
        let spec = TensorSpec::new(source.dtype(), Shape::new(&extents)?);
        let step = source.strides().steps()[axis] * first as isize * source.dtype().size() as isize;
        // SAFETY: some of the view's own elements, by its own strides.
        Ok::<_, Error>(unsafe { TensorRef::from_raw(source.ptr().wrapping_offset(step), spec, *source.strides()) })
    };
    let (front, back) = (part(0, half)?, part(half, dims[axis] - half)?);
    if !(front.spec().bytes() as u64).is_multiple_of(COPY) {
        // Two or three runs of an odd number of two-byte elements, each of megabytes.
        let mut dense = vec![0; bytes.next_multiple_of(COPY) as usize];
        gather(source, &mut dense)?;
        return stream.write(raw, offset, &dense);
    }
    stage(stream, &front, raw, offset)?;
    stage(stream, &back, raw, offset + front.spec().bytes() as u64)
}

/// A piece of a download on its way.
struct Piece {
    staging: Pooled,
    at: usize,
    bytes: usize,
    ticket: Option<Ticket>,
    answer: Receiver<std::result::Result<(), BufferAsyncError>>,
}

/// Asks for a buffer to be mapped for reading.
pub(crate) fn map(
    buffer: &wgpu::Buffer,
    offset: u64,
    bytes: u64,
) -> Receiver<std::result::Result<(), BufferAsyncError>> {
    let (send, receive) = channel();
    buffer.map_async(MapMode::Read, offset..offset + bytes, move |result| {
        // The receiver is gone only if the wait failed, and then nobody wants the answer.
        let _ = send.send(result);
    });
    receive
}

fn unreadable(cause: wgpu::MapRangeError) -> Error {
    Error::new(ErrorKind::DriverError, "download").expected("memory that can be read").got(cause.to_string())
}

impl WgpuBackend {
    /// Uploads into a buffer that the host can address, which nothing uses now.
    fn upload_in_place(&self, source: &TensorRef<'_>, raw: &wgpu::Buffer, offset: u64) -> Result<()> {
        let bytes = (source.spec().bytes() as u64).next_multiple_of(COPY);
        let (send, answer) = channel();
        raw.map_async(MapMode::Write, offset..offset + bytes, move |result| {
            let _ = send.send(result);
        });
        self.poll()?;
        mapped(&answer).or_else(|error| self.check().and(Err(error)))?;
        let mut view = raw.get_mapped_range_mut(offset..offset + bytes).map_err(unreadable)?;
        let result = put(source, view.slice(..).as_raw_element_ptr().as_ptr());
        drop(view);
        raw.unmap();
        result.and_then(|()| self.check())
    }

    /// Downloads from a buffer that the host can address. The stream is held, so that nobody uses the buffer meanwhile.
    fn download_in_place(&self, from: &GpuBuffer, offset: u64, bytes: usize, to: *mut u8) -> Result<()> {
        let padded = (bytes as u64).next_multiple_of(COPY);
        let mut stream = self.stream();
        stream.wait()?;
        let answer = map(&from.raw, offset, padded);
        self.poll()?;
        mapped(&answer).or_else(|error| self.check().and(Err(error)))?;
        let view = from.raw.get_mapped_range(offset..offset + padded).map_err(unreadable)?;
        // SAFETY: the target can be written for `bytes` bytes, and mapped device memory is no part of it.
        unsafe { std::ptr::copy_nonoverlapping(view.as_ptr(), to, bytes) };
        drop(view);
        from.raw.unmap();
        self.check()
    }

    fn receive(&self, piece: Piece, to: *mut u8) -> Result<()> {
        let read = || {
            if let Some(ticket) = &piece.ticket {
                self.wait_for(ticket)?;
            }
            mapped(&piece.answer).or_else(|error| self.check().and(Err(error)))?;
            let raw = &piece.staging.get().raw;
            let view = raw.get_mapped_range(..).map_err(unreadable)?;
            // SAFETY: the target can be written for the piece's bytes there, and mapped device memory is no part of it.
            unsafe { std::ptr::copy_nonoverlapping(view.as_ptr(), to.add(piece.at), piece.bytes) };
            drop(view);
            raw.unmap();
            Ok(())
        };
        let result = read();
        if result.is_err() {
            // It may be mapped one day: nobody must take it from the pool.
            piece.staging.discard();
        }
        result
    }
}

impl Memory for WgpuBackend {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        self.check()?;
        let pooled = Pooled::take(self.pool(), bytes.max(1) as u64)?;
        Ok(Buffer::new(bytes, Box::new(pooled)))
    }

    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        let bytes = source.spec().bytes();
        let raw = &gpu(target)?.raw;
        if offset.checked_add(bytes).is_none_or(|end| end > target.bytes()) {
            let got = format!("{} bytes", target.bytes());
            return Err(Error::invalid("gpu", "upload", format!("{bytes} bytes at {offset}"), got));
        }
        if bytes == 0 {
            return Ok(());
        }
        let mut stream = self.stream();
        if self.adapter().unified() && stream.idle() && (offset as u64).is_multiple_of(wgpu::MAP_ALIGNMENT) {
            return self.upload_in_place(source, raw, offset as u64);
        }
        stage(&mut stream, source, raw, offset as u64)
    }

    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        let bytes = target.spec().bytes();
        let from = gpu(source)?;
        if offset.checked_add(bytes).is_none_or(|end| end > source.bytes()) {
            let got = format!("{} bytes", source.bytes());
            return Err(Error::invalid("gpu", "download", format!("{bytes} bytes at {offset}"), got));
        }
        let to = target.ptr();
        if bytes == 0 {
            return Ok(());
        }
        if self.adapter().unified() && (offset as u64).is_multiple_of(wgpu::MAP_ALIGNMENT) {
            return self.download_in_place(from, offset as u64, bytes, to);
        }
        let mut pieces: VecDeque<Piece> = VecDeque::with_capacity(DEPTH);
        let mut at = 0;
        while at < bytes {
            if pieces.len() == DEPTH
                && let Some(piece) = pieces.pop_front()
            {
                self.receive(piece, to)?;
            }
            let count = (bytes - at).min(PIECE as usize);
            let staging = Pooled::take(self.staging(), count as u64)?;
            let mut stream = self.stream();
            let padded = (count as u64).next_multiple_of(COPY);
            stream.copy((&from.raw, (offset + at) as u64), (&staging.get().raw, 0), padded);
            stream.flush()?;
            let ticket = stream.last();
            drop(stream);
            let answer = map(&staging.get().raw, 0, staging.get().size);
            pieces.push_back(Piece { staging, at, bytes: count, ticket, answer });
            at += count;
        }
        while let Some(piece) = pieces.pop_front() {
            self.receive(piece, to)?;
        }
        Ok(())
    }

    fn bytes_in_use(&self) -> u64 {
        self.pool().in_use()
    }
}
