//! Devices by name.

use crate::error::{Error, Result};
use std::fmt;

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DeviceKind {
    /// The host's processor; always there.
    Cpu = 0,
    /// An NVIDIA GPU through CUDA.
    Cuda = 1,
    /// An Apple GPU.
    Metal = 2,
    /// A GPU through Vulkan.
    Vulkan = 3,
    /// The backend that records and computes nothing; only tests have it.
    Null = 4,
}

impl DeviceKind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: [DeviceKind; 5] =
        [DeviceKind::Cpu, DeviceKind::Cuda, DeviceKind::Metal, DeviceKind::Vulkan, DeviceKind::Null];

    /// The name used in Python, traces and receipts.
    pub const fn name(self) -> &'static str {
        match self {
            DeviceKind::Cpu => "cpu",
            DeviceKind::Cuda => "cuda",
            DeviceKind::Metal => "metal",
            DeviceKind::Vulkan => "vulkan",
            DeviceKind::Null => "null",
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a caller asks for: one kind, or the best that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceRequest {
    /// Metal, else CUDA, else the CPU.
    Auto,
    /// This kind.
    Is(DeviceKind),
}

impl DeviceRequest {
    /// The name: a device's, or "auto".
    pub const fn name(self) -> &'static str {
        match self {
            DeviceRequest::Auto => "auto",
            DeviceRequest::Is(kind) => kind.name(),
        }
    }

    /// The request of that name, exactly as spelled; "null" is for tests and is not one.
    ///
    /// # Errors
    /// Any other name.
    pub fn from_name(name: &str) -> Result<DeviceRequest> {
        match name {
            "auto" => Ok(DeviceRequest::Auto),
            "cpu" => Ok(DeviceRequest::Is(DeviceKind::Cpu)),
            "cuda" => Ok(DeviceRequest::Is(DeviceKind::Cuda)),
            "metal" => Ok(DeviceRequest::Is(DeviceKind::Metal)),
            "vulkan" => Ok(DeviceRequest::Is(DeviceKind::Vulkan)),
            _ => Err(Error::invalid(
                "device",
                "device",
                "one of \"auto\", \"cpu\", \"cuda\", \"metal\", \"vulkan\"",
                format!("{name:?}"),
            )),
        }
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
