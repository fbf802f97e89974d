//! What a measurement is valid for.

use crate::attrs::{AttrKind, AttrSpec, AttrValue, Attrs};
use crate::backend::Backend;
use crate::dtype::DType;
use crate::policy::Math;
use crate::registry::{InputSpecs, OpDef};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A device as far as measured times go: another driver or another set of kernels is another device.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeviceId {
    /// The kind's name.
    pub device: String,
    /// The adapter's name.
    pub adapter: String,
    /// See [`Backend::driver`]; on macOS the build of the system too, whose libraries and drivers come with it.
    pub driver: String,
    /// See [`kernel_set`].
    pub kernels: String,
}

impl DeviceId {
    /// The identity of a backend whose [`kernel_set`] is known.
    pub fn new(backend: &dyn Backend, kernels: &str) -> DeviceId {
        let descriptor = backend.descriptor();
        DeviceId {
            device: descriptor.kind.name().into(),
            adapter: descriptor.name.clone(),
            driver: [backend.driver(), system().into()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
            kernels: kernels.into(),
        }
    }

    /// The identity of a backend.
    pub fn of(backend: &dyn Backend) -> DeviceId {
        DeviceId::new(backend, &kernel_set(backend))
    }
}

/// The build of the system where its libraries and GPU drivers have no version of their own; else nothing.
fn system() -> &'static str {
    static BUILD: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BUILD.get_or_init(|| {
        let known = cfg!(target_os = "macos").then(|| "/System/Library/CoreServices/SystemVersion.plist");
        let text = known.and_then(|path| std::fs::read_to_string(path).ok());
        text.as_deref().and_then(build).map_or_else(String::new, |build| format!("macOS build {build}"))
    })
}

/// The build that a `SystemVersion.plist` names.
fn build(plist: &str) -> Option<&str> {
    let (_, rest) = plist.split_once("<key>ProductBuildVersion</key>")?;
    let (_, rest) = rest.split_once("<string>")?;
    rest.split_once("</string>").map(|(build, _)| build.trim())
}

/// The version of a backend's kernels: the crate's version and a hash of every kernel's op and name. Times of other
/// kernels say nothing about these.
pub fn kernel_set(backend: &dyn Backend) -> String {
    let mut hash = Fnv::default();
    for kernel in backend.kernels() {
        hash.write(kernel.op.name.as_bytes());
        hash.write(b"/");
        hash.write(kernel.name.as_bytes());
        hash.write(b"\n");
    }
    format!("{}-{:08x}", env!("CARGO_PKG_VERSION"), hash.0 as u32)
}

/// What one choice among kernels is valid for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Where.
    pub on: DeviceId,
    /// The op's name.
    pub op: String,
    /// Extents and attributes, as [`bucket`] writes them.
    pub bucket: String,
    /// Element type.
    pub dtype: String,
    /// The policy's math.
    pub math: String,
}

impl Key {
    /// The key of a call.
    pub fn new(on: DeviceId, op: &OpDef, attrs: &Attrs, inputs: InputSpecs, dtype: DType, math: Math) -> Key {
        Key {
            on,
            op: op.name.into(),
            bucket: bucket(op.attrs, attrs, inputs),
            dtype: dtype.name().into(),
            math: math.name().into(),
        }
    }
}

/// Calls that share a choice: each extent above 8 counts as the next of 12, 16, 24, 32, 48, …; an absent input is `-`.
/// Switches, choices and whole numbers among the attributes count exactly, floats not at all: no kernel is faster for
/// another scale.
pub fn bucket(schema: &[AttrSpec], attrs: &Attrs, inputs: InputSpecs) -> String {
    let mut text = String::new();
    for (i, input) in inputs.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        match input {
            None => text.push('-'),
            Some(spec) if spec.shape.rank() == 0 => text.push('1'),
            Some(spec) => {
                for (axis, extent) in spec.shape.dims().iter().enumerate() {
                    let x = if axis > 0 { "x" } else { "" };
                    let _ = write!(text, "{x}{}", rounded(*extent));
                }
            }
        }
    }
    for (spec, (name, value)) in schema.iter().zip(attrs.entries(schema)) {
        let number = match (spec.kind, value) {
            (AttrKind::Float, _) | (_, AttrValue::Float(_)) => continue,
            (_, AttrValue::Int(x)) => x,
            (_, AttrValue::Bool(x)) => x.into(),
            (_, AttrValue::Choice(x)) => x.into(),
        };
        let _ = write!(text, ";{name}={number}");
    }
    text
}

fn rounded(extent: usize) -> usize {
    if extent <= 8 {
        return extent;
    }
    let Some(power) = extent.checked_next_power_of_two() else { return extent };
    let between = power / 4 * 3;
    if extent <= between { between } else { power }
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo). Any one changed byte changes it, which is what a checksum of lines needs.
pub(crate) struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;
    use crate::tensor::TensorSpec;

    #[test]
    fn extents_round_up_to_halves_of_an_octave() {
        let pairs = [(1, 1), (8, 8), (9, 12), (12, 12), (13, 16), (17, 24), (25, 32), (1000, 1024), (700, 768)];
        for (extent, want) in pairs {
            assert_eq!(rounded(extent), want, "{extent}");
        }
        assert_eq!(rounded(usize::MAX), usize::MAX);
    }

    #[test]
    fn the_build_of_the_system_is_read() {
        let plist = "<dict>\n\t<key>ProductBuildVersion</key>\n\t<string>24F74</string>\n\t<key>ProductName</key>\n\
                     \t<string>macOS</string>\n</dict>";
        assert_eq!(build(plist), Some("24F74"));
        assert_eq!(build("<dict></dict>"), None);
        assert_eq!(system().is_empty(), !cfg!(target_os = "macos"));
    }

    #[test]
    fn buckets_name_extents_and_exact_attributes() {
        let schema = [
            AttrSpec { name: "axis", kind: AttrKind::Int(-8, 7), default: AttrValue::Int(-1) },
            AttrSpec { name: "scale", kind: AttrKind::Float, default: AttrValue::Float(1.0) },
            AttrSpec { name: "causal", kind: AttrKind::Bool, default: AttrValue::Bool(false) },
        ];
        let attrs = Attrs::of([AttrValue::Int(-1), AttrValue::Float(0.5), AttrValue::Bool(true)]);
        let spec = |dims: &[usize]| Some(TensorSpec::new(DType::F32, Shape::new(dims).unwrap()));
        let text = bucket(&schema, &attrs, &[spec(&[3, 100]), None, spec(&[])]);
        assert_eq!(text, "3x128,-,1;axis=-1;causal=1");
    }
}
