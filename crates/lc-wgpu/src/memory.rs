//! Allocation and copies.

use crate::backend::WgpuBackend;
use crate::pool::{GpuBuffer, Pooled};
use lc_core::backend::{Buffer, Memory, gather};
use lc_core::{Error, ErrorKind, Result, TensorMut, TensorRef};

/// Sizes of copies are multiples of four bytes.
const COPY: u64 = 4;

/// The device's form of a buffer.
///
/// # Errors
/// A buffer of another backend.
pub(crate) fn gpu(buffer: &Buffer) -> Result<&GpuBuffer> {
    let own = buffer.inner::<Pooled>();
    own.map(Pooled::get).ok_or_else(|| Error::new(ErrorKind::Unknown, "gpu").got("another backend's buffer"))
}

impl Memory for WgpuBackend {
    fn allocate(&self, bytes: usize) -> Result<Buffer> {
        let pooled = Pooled::take(self.pool(), bytes.max(1) as u64)?;
        Ok(Buffer::new(bytes, Box::new(pooled)))
    }

    fn upload(&self, source: &TensorRef<'_>, target: &Buffer, offset: usize) -> Result<()> {
        let bytes = source.spec().bytes();
        let raw = &gpu(target)?.raw;
        if offset + bytes > target.bytes() {
            let got = format!("{} bytes at {offset}", target.bytes());
            return Err(Error::new(ErrorKind::InvalidValue, "upload").expected(format!("{bytes} bytes")).got(got));
        }
        let mut stream = self.stream();
        if source.is_contiguous() && (bytes as u64).is_multiple_of(COPY) {
            // SAFETY: a dense view is `bytes` bytes long and can be read.
            let dense = unsafe { std::slice::from_raw_parts(source.ptr(), bytes) };
            return stream.write(raw, offset as u64, dense);
        }
        let mut dense = vec![0; bytes.next_multiple_of(COPY as usize)];
        gather(source, &mut dense)?;
        stream.write(raw, offset as u64, &dense)
    }

    fn download(&self, source: &Buffer, offset: usize, target: &mut TensorMut<'_>) -> Result<()> {
        let bytes = target.spec().bytes();
        let from = gpu(source)?;
        if offset + bytes > source.bytes() {
            let got = format!("{} bytes", source.bytes());
            return Err(Error::invalid("gpu", "download", format!("{bytes} bytes at {offset}"), got));
        }
        let padded = (bytes as u64).next_multiple_of(COPY);
        let ptr = target.ptr();
        let copy = |data: &[u8]| {
            // SAFETY: `target` can be written for `bytes` bytes, and mapped device memory is no part of it.
            unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), ptr, bytes) };
        };
        let mut stream = self.stream();
        if self.adapter().unified() && (offset as u64).is_multiple_of(wgpu::MAP_ALIGNMENT) {
            return stream.read(&from.raw, offset as u64, padded, copy);
        }
        let staging = Pooled::take(self.staging(), padded)?;
        stream.copy((&from.raw, offset as u64), (&staging.get().raw, 0), padded);
        stream.read(&staging.get().raw, 0, padded, copy)
    }

    fn bytes_in_use(&self) -> u64 {
        self.pool().in_use()
    }
}
