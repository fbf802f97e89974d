//! One event, and its form in the ring.

use crate::device::{DeviceKind, DeviceRequest};
use crate::error::ErrorKind;
use crate::intern::Name;
use crate::receipt::Reason;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventType {
    /// Device memory was allocated.
    MallocDevice = 0,
    /// Device memory was freed.
    FreeDevice = 1,
    /// A copy through the C API; `detail0` is its direction.
    Memcpy = 2,
    /// A wait through the C API.
    DeviceSynchronize = 3,
    /// A sync policy was applied; `detail0` is its mode, `detail1` whether it marks boundaries.
    ApplySyncPolicy = 4,
    /// Devices were counted; `detail0` is the count.
    GetDeviceCount = 5,
    /// CUDA was asked for; `detail0` is the answer.
    IsCudaAvailable = 6,
    /// Metal was asked for; `detail0` is the answer.
    IsMetalAvailable = 7,
    /// The best device was asked for; `detail0` is the kind of workload, `detail1` the device.
    PreferredDeviceFor = 8,
    /// The backend's name was asked for.
    BackendName = 9,
    /// A kernel ran, or was launched on an asynchronous device; `detail0` is the call's work in multiply-adds or elements.
    OpDispatch = 10,
    /// Host data was copied to a device; `detail0` is the operand's position.
    Upload = 11,
    /// Device data was copied to the host; `detail0` is the result's position.
    Download = 12,
    /// The caller waited for a device.
    Sync = 13,
    /// A launch ran on a device with a clock of its own, which measured the duration; the start is worked out from the wait
    /// that saw it end.
    DeviceWork = 14,
}

impl EventType {
    /// Every type, in the order of its discriminant.
    pub const ALL: [EventType; 15] = [
        EventType::MallocDevice,
        EventType::FreeDevice,
        EventType::Memcpy,
        EventType::DeviceSynchronize,
        EventType::ApplySyncPolicy,
        EventType::GetDeviceCount,
        EventType::IsCudaAvailable,
        EventType::IsMetalAvailable,
        EventType::PreferredDeviceFor,
        EventType::BackendName,
        EventType::OpDispatch,
        EventType::Upload,
        EventType::Download,
        EventType::Sync,
        EventType::DeviceWork,
    ];

    /// The name on event rows.
    pub const fn name(self) -> &'static str {
        match self {
            EventType::MallocDevice => "malloc_device",
            EventType::FreeDevice => "free_device",
            EventType::Memcpy => "memcpy",
            EventType::DeviceSynchronize => "device_synchronize",
            EventType::ApplySyncPolicy => "apply_sync_policy",
            EventType::GetDeviceCount => "get_device_count",
            EventType::IsCudaAvailable => "is_cuda_available",
            EventType::IsMetalAvailable => "is_metal_available",
            EventType::PreferredDeviceFor => "preferred_device_for",
            EventType::BackendName => "backend_name",
            EventType::OpDispatch => "op_dispatch",
            EventType::Upload => "upload",
            EventType::Download => "download",
            EventType::Sync => "sync",
            EventType::DeviceWork => "device_work",
        }
    }
}

/// Words of an event in the ring.
pub(super) const WORDS: usize = 7;

/// One thing that the runtime did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// What it is about.
    pub kind: EventType,
    /// How it failed, if it did.
    pub status: Option<ErrorKind>,
    /// When it began, on the clock of [`now_ns`](super::now_ns).
    pub start_ns: u64,
    /// How long it took; zero for a query.
    pub duration_ns: u64,
    /// Bytes read, written or moved.
    pub bytes: u64,
    /// See [`EventType`].
    pub detail0: u64,
    /// See [`EventType`].
    pub detail1: u64,
    /// The op's name on traces; empty if the event has none.
    pub op: Name,
    /// The kernel's name; empty if the event has none.
    pub kernel: Name,
    /// What the policy asked for.
    pub requested: Option<DeviceRequest>,
    /// Where it ran.
    pub selected: Option<DeviceKind>,
    /// Whether that is another device than the one that was named.
    pub fallback: bool,
    /// Why it ran there.
    pub reason: Option<Reason>,
    /// A small number for the thread that recorded it.
    pub thread: u16,
}

impl Event {
    /// An event of a type, everything else empty.
    pub fn new(kind: EventType) -> Event {
        Event {
            kind,
            status: None,
            start_ns: 0,
            duration_ns: 0,
            bytes: 0,
            detail0: 0,
            detail1: 0,
            op: Name::EMPTY,
            kernel: Name::EMPTY,
            requested: None,
            selected: None,
            fallback: false,
            reason: None,
            thread: thread_number(),
        }
    }

    /// The status token.
    pub fn status_text(&self) -> &'static str {
        self.status.map_or("success", ErrorKind::token)
    }

    pub(super) fn pack(&self) -> [u64; WORDS] {
        let requested = match self.requested {
            None => 0,
            Some(DeviceRequest::Auto) => 1,
            Some(DeviceRequest::Is(kind)) => kind as u64 + 2,
        };
        let small = self.kind as u64
            | self.status.map_or(0, |s| s as u64) << 8
            | requested << 16
            | self.selected.map_or(0, |d| d as u64 + 1) << 24
            | u64::from(self.fallback) << 32
            | self.reason.map_or(0, |r| r as u64 + 1) << 40
            | u64::from(self.thread) << 48;
        let names = u64::from(self.op.id()) | u64::from(self.kernel.id()) << 32;
        [small, names, self.start_ns, self.duration_ns, self.bytes, self.detail0, self.detail1]
    }

    pub(super) fn unpack(words: [u64; WORDS]) -> Event {
        const STATUS: [ErrorKind; 6] = [
            ErrorKind::NotInitialized,
            ErrorKind::InvalidValue,
            ErrorKind::OutOfMemory,
            ErrorKind::NotSupported,
            ErrorKind::DriverError,
            ErrorKind::Unknown,
        ];
        let byte = |shift: u32| ((words[0] >> shift) & 0xff) as usize;
        Event {
            kind: EventType::ALL[byte(0).min(EventType::ALL.len() - 1)],
            status: byte(8).checked_sub(1).and_then(|i| STATUS.get(i).copied()),
            requested: match byte(16) {
                0 => None,
                1 => Some(DeviceRequest::Auto),
                i => DeviceKind::ALL.get(i - 2).map(|kind| DeviceRequest::Is(*kind)),
            },
            selected: byte(24).checked_sub(1).and_then(|i| DeviceKind::ALL.get(i).copied()),
            fallback: byte(32) != 0,
            reason: byte(40).checked_sub(1).and_then(|i| Reason::ALL.get(i).copied()),
            thread: (words[0] >> 48) as u16,
            op: Name::from_id(words[1] as u32),
            kernel: Name::from_id((words[1] >> 32) as u32),
            start_ns: words[2],
            duration_ns: words[3],
            bytes: words[4],
            detail0: words[5],
            detail1: words[6],
        }
    }
}

fn thread_number() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(1);
    thread_local! {
        static NUMBER: u16 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|n| *n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing() {
        for (i, kind) in EventType::ALL.into_iter().enumerate() {
            let event = Event {
                status: [None, Some(ErrorKind::NotSupported)][i % 2],
                start_ns: 1 << 60,
                duration_ns: 17,
                bytes: u64::MAX,
                detail0: 3,
                detail1: 4,
                op: Name::of("matmul"),
                kernel: Name::of("cpu.gemm.test"),
                requested: [None, Some(DeviceRequest::Auto), Some(DeviceRequest::Is(DeviceKind::Vulkan))][i % 3],
                selected: [None, Some(DeviceKind::Null)][i % 2],
                fallback: i % 2 == 0,
                reason: [None, Some(Reason::Crossover)][i % 2],
                ..Event::new(kind)
            };
            assert_eq!(Event::unpack(event.pack()), event);
        }
    }
}
