//! What the store keeps, and its lines.
//!
//! A line is `{"schema":1,"check":"<16 hex digits>","record":{…}}`. The check is the FNV-1a hash of the record's own
//! text, so that a line that was cut, mixed with another or changed by a byte is known for what it is.

use super::key::{DeviceId, Fnv, Key};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the lines. A line of another version is ignored.
pub const SCHEMA: u32 = 1;

/// Choices that are kept at most; the oldest go first.
const MAX_CHOICES: usize = 4096;

/// One kernel's part in a measurement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name.
    pub kernel: String,
    /// The median time of a launch in nanoseconds; `None` if it was never timed.
    pub median_ns: Option<u64>,
    /// The time that a tenth of the launches beat.
    pub p10_ns: Option<u64>,
    /// The time that nine tenths of the launches beat.
    pub p90_ns: Option<u64>,
    /// Samples behind these.
    pub samples: u32,
    /// The largest error against the reference, relative to the size of the results; `None` if it was never compared or
    /// is not finite.
    pub max_error: Option<f64>,
    /// Whether its numbers are wrong. It is then never chosen again for this op, type and math on this device.
    pub rejected: bool,
    /// Whether it is the choice.
    pub won: bool,
    /// Why it is, or why not.
    pub why: String,
}

/// The measured choice for a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is valid for.
    pub key: Key,
    /// When, in milliseconds since 1970.
    pub measured: u64,
    /// Samples of all candidates together.
    pub samples: u64,
    /// Milliseconds that the measurement could take.
    pub budget_ms: u64,
    /// Every kernel that takes the call, in the backend's order.
    pub candidates: Vec<Candidate>,
}

impl Entry {
    /// The name of the kernel that won.
    pub fn winner(&self) -> Option<&str> {
        self.candidates.iter().find(|c| c.won && !c.rejected).map(|c| c.kernel.as_str())
    }

    /// Takes over what `other` knows to be wrong: that does not become right by measuring again.
    fn take_rejections(&mut self, other: &Entry) {
        for theirs in other.candidates.iter().filter(|c| c.rejected) {
            match self.candidates.iter_mut().find(|c| c.kernel == theirs.kernel) {
                Some(mine) if !mine.rejected => *mine = theirs.clone(),
                Some(_) => {}
                None => self.candidates.push(theirs.clone()),
            }
        }
    }
}

/// The fitted cost of an op on a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FitRecord {
    /// Where.
    pub on: DeviceId,
    /// The op's name.
    pub op: String,
    /// When, in milliseconds since 1970.
    pub measured: u64,
    /// Sizes that were measured.
    pub samples: u32,
    /// Nanoseconds of a launch without work.
    pub launch_ns: f64,
    /// Nanoseconds of a floating-point operation.
    pub ns_per_flop: f64,
    /// Nanoseconds of a byte that is read or written.
    pub ns_per_byte: f64,
    /// See [`Fit::error`](super::Fit::error). Records of before it was kept have a cautious one.
    #[serde(default = "cautious")]
    pub error: f64,
}

fn cautious() -> f64 {
    0.3
}

/// The fitted cost of copies to and from a device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferRecord {
    /// Where.
    pub on: DeviceId,
    /// When, in milliseconds since 1970.
    pub measured: u64,
    /// Sizes that were measured.
    pub samples: u32,
    /// Nanoseconds of an upload without data.
    pub upload_ns: f64,
    /// Nanoseconds of a byte of an upload.
    pub upload_ns_per_byte: f64,
    /// Nanoseconds of a download without data.
    pub download_ns: f64,
    /// Nanoseconds of a byte of a download.
    pub download_ns_per_byte: f64,
}

/// Anything that the store keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// A choice among kernels.
    Choice(Entry),
    /// The cost of an op.
    Fit(FitRecord),
    /// The cost of copies.
    Transfer(TransferRecord),
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    schema: u32,
    check: &'a str,
    #[serde(borrow)]
    record: &'a RawValue,
}

fn check(record: &str) -> String {
    let mut hash = Fnv::default();
    hash.write(record.as_bytes());
    format!("{:016x}", hash.0)
}

/// Whether every number of a record is one that a measurement can give.
fn sane(record: &Record) -> bool {
    let rate = |x: f64| x.is_finite() && x >= 0.0;
    match record {
        Record::Choice(entry) => entry.candidates.iter().filter(|c| c.won).count() <= 1,
        Record::Fit(fit) => [fit.launch_ns, fit.ns_per_flop, fit.ns_per_byte, fit.error].into_iter().all(rate),
        Record::Transfer(t) => {
            [t.upload_ns, t.upload_ns_per_byte, t.download_ns, t.download_ns_per_byte].into_iter().all(rate)
        }
    }
}

/// Everything in a store, one record a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    choices: BTreeMap<Key, Entry>,
    fits: BTreeMap<(DeviceId, String), FitRecord>,
    transfers: BTreeMap<DeviceId, TransferRecord>,
}

/// Kernels whose numbers are wrong: where, op, type, math, kernel.
pub(crate) type Rejected = BTreeSet<(DeviceId, String, String, String, String)>;

impl Book {
    /// Reads the lines of a store, and counts those that are none: cut, changed, foreign, or of another version.
    pub fn parse(bytes: &[u8]) -> (Book, usize) {
        let mut book = Book::default();
        let mut ignored = 0;
        for line in bytes.split(|b| *b == b'\n') {
            if line.is_empty() {
                continue;
            }
            match Book::parse_line(line) {
                Some(record) => book.insert(record),
                None => ignored += 1,
            }
        }
        (book, ignored)
    }

    fn parse_line(line: &[u8]) -> Option<Record> {
        let line: Line<'_> = serde_json::from_str(std::str::from_utf8(line).ok()?).ok()?;
        if line.schema != SCHEMA || check(line.record.get()) != line.check {
            return None;
        }
        serde_json::from_str(line.record.get()).ok().filter(sane)
    }

    /// The line of a record, without its end.
    ///
    /// # Panics
    /// Never: records hold only text and numbers.
    pub fn line(record: &Record) -> String {
        let text = serde_json::to_string(record).expect("a record is plain data");
        format!(r#"{{"schema":{SCHEMA},"check":"{}","record":{text}}}"#, check(&text))
    }

    /// The lines of everything, in the order of the keys.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for record in self.records() {
            text.push_str(&Book::line(&record));
            text.push('\n');
        }
        text
    }

    /// Everything, in the order of the keys.
    pub fn records(&self) -> impl Iterator<Item = Record> + '_ {
        let choices = self.choices.values().cloned().map(Record::Choice);
        let fits = self.fits.values().cloned().map(Record::Fit);
        choices.chain(fits).chain(self.transfers.values().cloned().map(Record::Transfer))
    }

    /// Adds a record. Of two for one key the newer stays, of two as old the one with more samples; what either of them
    /// rejects stays rejected.
    pub fn insert(&mut self, record: Record) {
        match record {
            Record::Choice(new) => self.insert_choice(new),
            Record::Fit(new) => {
                let old = self.fits.entry((new.on.clone(), new.op.clone())).or_insert_with(|| new.clone());
                let rank = |r: &FitRecord| (r.measured, r.samples);
                if rank(&new) > rank(old) {
                    *old = new;
                }
            }
            Record::Transfer(new) => {
                let old = self.transfers.entry(new.on.clone()).or_insert_with(|| new.clone());
                let rank = |r: &TransferRecord| (r.measured, r.samples);
                if rank(&new) > rank(old) {
                    *old = new;
                }
            }
        }
    }

    fn insert_choice(&mut self, mut new: Entry) {
        let Some(old) = self.choices.get_mut(&new.key) else {
            self.choices.insert(new.key.clone(), new);
            self.prune();
            return;
        };
        // Nothing that a merge changes counts: else merging again could decide otherwise.
        let rank = |e: &Entry| (e.measured, e.samples);
        if rank(&new) > rank(old) {
            std::mem::swap(old, &mut new);
        }
        old.take_rejections(&new);
    }

    fn prune(&mut self) {
        while self.choices.len() > MAX_CHOICES {
            let oldest = self.choices.values().min_by_key(|e| (e.candidates.iter().any(|c| c.rejected), e.measured));
            let Some(key) = oldest.map(|e| e.key.clone()) else { return };
            self.choices.remove(&key);
        }
    }

    /// Adds every record of another book.
    pub fn merge(&mut self, other: Book) {
        for record in other.records() {
            self.insert(record);
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty() && self.fits.is_empty() && self.transfers.is_empty()
    }

    /// The choices.
    pub fn choices(&self) -> impl Iterator<Item = &Entry> {
        self.choices.values()
    }

    /// The choice for a key.
    pub fn choice(&self, key: &Key) -> Option<&Entry> {
        self.choices.get(key)
    }

    /// The fitted costs of ops.
    pub fn fits(&self) -> impl Iterator<Item = &FitRecord> {
        self.fits.values()
    }

    /// The fitted costs of copies.
    pub fn transfers(&self) -> impl Iterator<Item = &TransferRecord> {
        self.transfers.values()
    }

    pub(crate) fn rejected(&self) -> Rejected {
        let mut all = Rejected::new();
        for entry in self.choices.values() {
            for candidate in entry.candidates.iter().filter(|c| c.rejected) {
                let Key { on, op, dtype, math, .. } = entry.key.clone();
                all.insert((on, op, dtype, math, candidate.kernel.clone()));
            }
        }
        all
    }
}
