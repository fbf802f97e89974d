//! Raw device memory by address, for the C API.
//!
//! Addresses are given out for devices whose memory the host can address, which is what a C program with one pointer type
//! can use. Every allocation is remembered, so that freeing an unknown address, or copying past the end of a known one,
//! is an error and not a crash.

use crate::runtime;
use lc_core::backend::Buffer;
use lc_core::trace::{self, Event, EventType};
use lc_core::{DeviceKind, Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The direction of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Direction {
    /// Host to host.
    HostToHost = 0,
    /// Host to device.
    HostToDevice = 1,
    /// Device to host.
    DeviceToHost = 2,
    /// Device to device.
    DeviceToDevice = 3,
}

static LIVE: Mutex<BTreeMap<usize, Buffer>> = Mutex::new(BTreeMap::new());

fn live() -> std::sync::MutexGuard<'static, BTreeMap<usize, Buffer>> {
    LIVE.lock().unwrap_or_else(|e| e.into_inner())
}

fn note(kind: EventType, start: u64, bytes: u64, detail0: u64, result: Result<()>) -> Result<()> {
    if trace::enabled() {
        trace::record(&Event {
            status: result.as_ref().err().map(|e| e.kind()),
            start_ns: start,
            duration_ns: trace::now_ns().saturating_sub(start),
            bytes,
            detail0,
            ..Event::new(kind)
        });
    }
    result
}

fn start() -> u64 {
    if trace::enabled() { trace::now_ns() } else { 0 }
}

/// Allocates zero-filled memory that the CPU's kernels can use and returns its address.
///
/// # Errors
/// Zero bytes; out of memory.
pub fn malloc(bytes: usize) -> Result<*mut u8> {
    let begin = start();
    let result = if bytes == 0 {
        Err(Error::invalid("malloc", "bytes", "at least 1", "0"))
    } else {
        let cpu = runtime().backend(DeviceKind::Cpu);
        let memory = cpu.ok_or_else(|| Error::unsupported("malloc", "a device with host-addressable memory", "none"));
        memory.and_then(|backend| backend.memory().allocate(bytes)).and_then(|buffer| {
            let host = buffer.host().ok_or_else(|| Error::new(ErrorKind::Unknown, "malloc"))?;
            live().insert(host as usize, buffer);
            Ok(host)
        })
    };
    let status = result.as_ref().map(|_| ()).map_err(Clone::clone);
    note(EventType::MallocDevice, begin, bytes as u64, 0, status)?;
    result
}

/// Frees memory of [`malloc`]; null is fine.
///
/// # Errors
/// An address that is not a live allocation's.
pub fn free(address: *mut u8) -> Result<()> {
    let begin = start();
    let known = address.is_null() || live().remove(&(address as usize)).is_some();
    let result = known
        .then_some(())
        .ok_or_else(|| Error::invalid("free", "address", "a live allocation", format!("{address:p}")));
    note(EventType::FreeDevice, begin, 0, 0, result)
}

/// The bytes from `address` to the end of its allocation; `None` if it lies in none.
fn room(address: usize) -> Option<usize> {
    let live = live();
    let (base, buffer) = live.range(..=address).next_back()?;
    (base + buffer.bytes()).checked_sub(address).filter(|room| *room > 0)
}

/// Copies bytes. A side that the direction calls a device's must lie inside an allocation of [`malloc`].
///
/// # Errors
/// A null address; a device side that is outside every allocation or too short.
///
/// # Safety
/// A host side must be valid for `bytes` bytes. The two sides must not overlap unless they are equal.
pub unsafe fn memcpy(target: *mut u8, source: *const u8, bytes: usize, direction: Direction) -> Result<()> {
    let begin = start();
    let check = |name: &'static str, address: usize, device: bool| {
        if address == 0 {
            return Err(Error::invalid("memcpy", name, "an address", "null"));
        }
        let short = if device { room(address).is_none_or(|room| room < bytes) } else { false };
        match short {
            false => Ok(()),
            true => {
                let expected = format!("{bytes} bytes inside an allocation");
                Err(Error::invalid("memcpy", name, expected, format!("{:?} bytes", room(address).unwrap_or(0))))
            }
        }
    };
    use Direction::{DeviceToDevice, DeviceToHost, HostToDevice};
    let result = check("target", target as usize, matches!(direction, HostToDevice | DeviceToDevice))
        .and_then(|()| check("source", source as usize, matches!(direction, DeviceToHost | DeviceToDevice)));
    if result.is_ok() {
        // SAFETY: device sides were checked against their allocations, host sides are the caller's promise; `copy`
        // allows equal or overlapping sides.
        unsafe { std::ptr::copy(source, target, bytes) };
    }
    note(EventType::Memcpy, begin, bytes as u64, direction as u64, result)
}
