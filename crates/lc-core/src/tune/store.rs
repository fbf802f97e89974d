//! The records of this user on this machine, in a file that many processes share.
//!
//! The file is only ever replaced as a whole: a writer takes the lock, reads what is there, adds its records, writes a
//! temporary file beside it and renames that. So a reader sees either the old or the new file, needs no lock, and no
//! writer's records are lost. Nothing in the file is trusted: see [`Book::parse`], and the router, which takes a kernel
//! only if it is in the backend's table and accepts the call.

use super::key::Key;
use super::record::{Book, Entry, Record, Rejected};
use crate::error::{Error, ErrorKind, Result};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

/// The file's name in the cache directory; another schema has another file.
const FILE: &str = "tuning.v1.jsonl";
/// A larger file is no store of ours.
const MAX_BYTES: u64 = 64 << 20;
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(10);

static WARNING: OnceLock<String> = OnceLock::new();

/// What this process warned of first, if it did: it warns once, on standard error.
pub fn first_warning() -> Option<&'static str> {
    WARNING.get().map(String::as_str)
}

/// Warns on standard error, unless this process has warned before.
pub fn warn_once(text: impl FnOnce() -> String) {
    WARNING.get_or_init(|| {
        let text = text();
        eprintln!("lightning_core: {text}");
        text
    });
}

/// Where stores are kept: `LC_CACHE_DIR` if it is an absolute path, else `lightning_core` in the user's cache directory,
/// which is `XDG_CACHE_HOME` or `~/.cache` on Linux, `~/Library/Caches` on macOS, `%LOCALAPPDATA%` on Windows. `None`
/// where there is no such directory: nothing is then kept beyond the process.
pub fn cache_dir() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(dir) = absolute("LC_CACHE_DIR") {
        return Some(dir);
    }
    if let Some(name) = std::env::var_os("LC_CACHE_DIR").filter(|name| !name.is_empty()) {
        warn_once(|| format!("LC_CACHE_DIR={name:?} is ignored: it is not an absolute path"));
    }
    let home = || absolute("HOME");
    let base = if cfg!(target_os = "windows") {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| home().map(|home| home.join(".cache")))
    };
    Some(base?.join("lightning_core"))
}

/// Records in memory, and in a file if there is one.
#[derive(Debug)]
pub struct Store {
    path: Option<PathBuf>,
    state: Mutex<State>,
    /// Goes up with every change in memory; zero while nothing was read.
    revision: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    loaded: bool,
    book: Book,
    rejected: Rejected,
}

impl Store {
    /// A store in a file, which need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Store {
        Store { path: Some(path.into()), state: Mutex::default(), revision: AtomicU64::new(0) }
    }

    /// A store that ends with the process.
    pub fn in_memory(book: Book) -> Store {
        let rejected = book.rejected();
        let state = State { loaded: true, book, rejected };
        Store { path: None, state: Mutex::new(state), revision: AtomicU64::new(1) }
    }

    /// The user's store, in [`cache_dir`] as it was when this was first asked.
    pub fn global() -> &'static Arc<Store> {
        static GLOBAL: OnceLock<Arc<Store>> = OnceLock::new();
        GLOBAL.get_or_init(|| {
            Arc::new(match cache_dir() {
                Some(dir) => Store::at(dir.join(FILE)),
                None => Store::in_memory(Book::default()),
            })
        })
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// A number that is another after every change that this process made or read.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if !state.loaded {
            state.loaded = true;
            if let Some(path) = &self.path {
                let book = read(path);
                self.replace(&mut state, book);
            }
        }
        state
    }

    fn replace(&self, state: &mut State, book: Book) {
        state.rejected = book.rejected();
        state.book = book;
        self.revision.fetch_add(1, Ordering::Release);
    }

    /// A copy of everything.
    pub fn book(&self) -> Book {
        self.state().book.clone()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.state().book.is_empty()
    }

    /// The choice for a key.
    pub fn choice(&self, key: &Key) -> Option<Entry> {
        self.state().book.choice(key).cloned()
    }

    /// Whether any kernel's numbers were wrong.
    pub fn rejects(&self) -> bool {
        !self.state().rejected.is_empty()
    }

    /// Whether a kernel's numbers were wrong in any call of the key's op, type and math on the key's device.
    pub fn is_rejected(&self, key: &Key, kernel: &str) -> bool {
        let state = self.state();
        // Nearly always: do not make a key of five strings for nothing.
        if state.rejected.is_empty() {
            return false;
        }
        let Key { on, op, dtype, math, .. } = key.clone();
        state.rejected.contains(&(on, op, dtype, math, kernel.into()))
    }

    /// Adds records here and in the file, with what other processes wrote there meanwhile.
    ///
    /// # Errors
    /// The file cannot be written; the records are kept in memory all the same.
    pub fn put(&self, records: impl IntoIterator<Item = Record>) -> Result<()> {
        let mut new = Book::default();
        for record in records {
            new.insert(record);
        }
        self.learn(new.clone());
        let Some(path) = &self.path else { return Ok(()) };
        // Only the new records go to the file: what another process cleared does not come back. Nobody who only reads
        // waits meanwhile.
        let written = locked(path, || {
            let mut all = read(path);
            all.merge(new);
            remove_leftovers(path);
            write(path, &all)?;
            Ok(all)
        });
        self.learn(written.map_err(|error| failed("write", path, &error))?);
        Ok(())
    }

    /// Adds records in memory.
    fn learn(&self, more: Book) {
        let mut state = self.state();
        let mut book = std::mem::take(&mut state.book);
        book.merge(more);
        self.replace(&mut state, book);
    }

    /// Reads the file again, which other processes may have written.
    pub fn reload(&self) {
        if let Some(path) = &self.path {
            self.learn(read(path));
        }
    }

    /// Writes everything to a file of the same format.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn export(&self, to: &Path) -> Result<()> {
        self.reload();
        write(to, &self.book()).map_err(|e| failed("export", to, &e))
    }

    /// Adds the records of another file and says how many of its lines it took and how many it ignored.
    ///
    /// # Errors
    /// The other file cannot be read, or the store's not be written.
    pub fn merge(&self, from: &Path) -> Result<(usize, usize)> {
        let bytes = fs::read(from).map_err(|e| failed("merge", from, &e))?;
        let (book, ignored) = Book::parse(&bytes);
        let taken = book.records().count();
        self.put(book.records())?;
        Ok((taken, ignored))
    }

    /// Forgets everything, rejections too, and removes the file.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn clear(&self) -> Result<()> {
        self.replace(&mut self.state(), Book::default());
        let Some(path) = self.path.as_deref().filter(|path| path.exists()) else { return Ok(()) };
        locked(path, || fs::remove_file(path)).map_err(|e| failed("clear", path, &e))
    }
}

fn failed(what: &'static str, path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Unknown, "tuning").argument(what).got(format!("{}: {error}", path.display()))
}

/// The records of a file; none if it is missing. Warns of lines that are none.
fn read(path: &Path) -> Book {
    let bytes = match fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_BYTES => {
            warn_once(|| format!("{}: too large for a tuning store, ignored", path.display()));
            return Book::default();
        }
        Ok(_) => fs::read(path),
        Err(error) => Err(error),
    };
    match bytes {
        Ok(bytes) => {
            let (book, ignored) = Book::parse(&bytes);
            if ignored > 0 {
                warn_once(|| {
                    let path = path.display();
                    format!("{path}: {ignored} damaged or foreign lines ignored; the next write leaves them out")
                });
            }
            book
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Book::default(),
        Err(error) => {
            warn_once(|| format!("{}: {error}; nothing is read from it", path.display()));
            Book::default()
        }
    }
}

/// Runs `f` while no other process, and no other store of this one, writes beside `path`.
fn locked<R>(path: &Path, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    if let Some(dir) = dir {
        fs::create_dir_all(dir)?;
    }
    // The lock file stays: removing it would let two writers hold locks on two files of one name.
    let lock = File::options().create(true).truncate(false).write(true).open(path.with_extension("lock"))?;
    let start = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds the lock"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    // Closing the file frees the lock, also if `f` panics or the process dies.
    f()
}

/// Removes temporary files of writers that died. Only the holder of the lock makes any.
fn remove_leftovers(path: &Path) {
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return };
    let start = format!(".{}.", name.to_string_lossy());
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let file = entry.file_name();
        let file = file.to_string_lossy();
        if file.starts_with(&start) && file.ends_with(".tmp") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Replaces a file as a whole.
fn write(path: &Path, book: &Book) -> io::Result<()> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.{number}.tmp", std::process::id()));
    let result = File::create(&temporary).and_then(|mut file| {
        file.write_all(book.to_text().as_bytes())?;
        // Without this, a crash of the system could leave an empty file under the new name.
        file.sync_data()
    });
    let result = result.and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result
}
