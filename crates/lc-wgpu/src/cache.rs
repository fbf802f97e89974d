//! Compiled kernels on disk, where the driver gives them out: a file in the user's cache directory for each adapter and
//! set of kernels. It only saves time: a file that cannot be read, or is not what was written, is ignored.

use crate::adapter::Adapter;
use crate::ops;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wgpu::Features;

const MAGIC: [u8; 8] = *b"LCPIPE01";
const HEAD: usize = 32;
/// Files past this are written no more often than this.
const LARGE: usize = 1 << 20;
const PAUSE: Duration = Duration::from_secs(2);

/// FNV-1a with 64 bits.
fn hash(mut state: u64, bytes: &[u8]) -> u64 {
    for byte in bytes {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    state
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// A number that changes with any kernel and with the version of this crate.
fn kernel_set() -> u64 {
    let version = hash(SEED, env!("CARGO_PKG_VERSION").as_bytes());
    ops::shaders().fold(version, |state, (shader, _)| hash(state, shader.source.as_bytes()))
}

/// A driver's cache and its file.
#[derive(Debug)]
pub struct Cache {
    /// What pipelines are compiled with.
    pub raw: wgpu::PipelineCache,
    path: PathBuf,
    dirty: bool,
    saved: Option<(Instant, usize)>,
    loaded: bool,
}

impl Cache {
    /// The cache of an adapter in a directory, with what is there of it. `None` where the driver has none to give.
    pub fn open(adapter: &Adapter, directory: &Path) -> Option<Cache> {
        if !adapter.features.contains(Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(&adapter.info)?;
        let path = directory.join(format!("{key}_{:016x}.bin", kernel_set()));
        let data = read(&path);
        let descriptor = wgpu::PipelineCacheDescriptor { label: None, data: data.as_deref(), fallback: true };
        // SAFETY: the data is what the driver gave out: its checksum was written with it. wgpu and the driver check that
        // it was this driver.
        let raw = unsafe { adapter.device.create_pipeline_cache(&descriptor) };
        Some(Cache { raw, path, dirty: false, saved: None, loaded: data.is_some() })
    }

    /// Whether there was a file that could be used.
    pub fn loaded(&self) -> bool {
        self.loaded
    }

    /// A kernel was compiled.
    pub fn changed(&mut self) {
        self.dirty = true;
    }

    /// Writes the file if there is anything new, atomically. What fails is tried again after the next kernel.
    pub fn save(&mut self) {
        let wait = self.saved.is_some_and(|(when, bytes)| bytes > LARGE && when.elapsed() < PAUSE);
        if !self.dirty || wait {
            return;
        }
        self.dirty = false;
        let Some(data) = self.raw.get_data() else { return };
        self.saved = Some((Instant::now(), data.len()));
        // A cache that cannot be written is a slower next start and nothing else.
        let _ = write(&self.path, &data);
    }
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let file = std::fs::read(path).ok()?;
    let (head, data) = file.split_at_checked(HEAD)?;
    let word = |i: usize| head[i * 8..i * 8 + 8].try_into().map(u64::from_le_bytes).ok();
    let sound = head[..8] == MAGIC
        && word(1) == Some(kernel_set())
        && word(2) == Some(data.len() as u64)
        && word(3) == Some(hash(SEED, data));
    sound.then(|| data.to_vec())
}

fn write(path: &Path, data: &[u8]) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = MAGIC.to_vec();
    for word in [kernel_set(), data.len() as u64, hash(SEED, data)] {
        file.extend(word.to_le_bytes());
    }
    file.extend(data);
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&unfinished, file)?;
    std::fs::rename(&unfinished, path)
}
