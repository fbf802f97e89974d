//! The tuning store: what survives, what is merged, what damage does.
#![allow(missing_docs)]

use lc_core::tune::{Book, Candidate, DeviceId, Entry, FitRecord, Key, Record, Store, TransferRecord, first_warning};
use proptest::prelude::*;
use std::path::PathBuf;
use std::process::Command;

/// A directory that is removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("lc-store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }
    fn file(&self) -> PathBuf {
        self.0.join("tuning.v1.jsonl")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn device() -> DeviceId {
    let text = |s: &str| s.to_owned();
    DeviceId { device: text("cpu"), adapter: text("a processor"), driver: text("2 threads"), kernels: text("1-abc") }
}

fn key(bucket: &str) -> Key {
    Key { on: device(), op: "matmul".into(), bucket: bucket.into(), dtype: "float32".into(), math: "ieee_f32".into() }
}

fn candidate(kernel: &str, ns: u64, won: bool, rejected: bool) -> Candidate {
    Candidate {
        kernel: kernel.into(),
        median_ns: Some(ns),
        p10_ns: Some(ns - ns / 10),
        p90_ns: Some(ns + ns / 10),
        samples: 7,
        max_error: Some(0.1 + 0.2),
        rejected,
        won,
        why: "because \"…\"\n".into(),
    }
}

fn entry(bucket: &str, measured: u64, candidates: &[Candidate]) -> Entry {
    Entry {
        key: key(bucket),
        measured,
        samples: 7 * candidates.len() as u64,
        budget_ms: 50,
        candidates: candidates.to_vec(),
    }
}

fn choice(bucket: &str, measured: u64, winner: &str) -> Record {
    Record::Choice(entry(bucket, measured, &[candidate(winner, 1000, true, false)]))
}

fn fit() -> Record {
    let (on, op) = (device(), "add".to_owned());
    Record::Fit(FitRecord {
        on,
        op,
        measured: 3,
        samples: 9,
        launch_ns: 312.062_500_000_1,
        ns_per_flop: 0.1,
        ns_per_byte: 1e-9,
        error: 0.07,
    })
}

fn transfer() -> Record {
    Record::Transfer(TransferRecord {
        on: device(),
        measured: 3,
        samples: 7,
        upload_ns: 9000.0,
        upload_ns_per_byte: 0.1,
        download_ns: 8000.0,
        download_ns_per_byte: 0.3,
    })
}

#[test]
fn what_is_put_is_read_by_the_next_process() {
    let dir = Dir::new("put");
    let records = [choice("8x8", 5, "fast"), fit(), transfer()];
    let store = Store::at(dir.file());
    assert!(store.is_empty() && store.choice(&key("8x8")).is_none());
    store.put(records.clone()).unwrap();
    let other = Store::at(dir.file());
    assert_eq!(other.book().records().collect::<Vec<_>>(), records);
    assert_eq!(other.choice(&key("8x8")).unwrap().winner(), Some("fast"));
    assert_eq!(other.choice(&key("8x9")), None);
    let names: Vec<_> = std::fs::read_dir(&dir.0).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the file and its lock, no temporary: {names:?}");
}

#[test]
fn the_newer_choice_wins_and_a_rejection_is_for_good() {
    let dir = Dir::new("newer");
    let store = Store::at(dir.file());
    store.put([choice("8", 5, "old"), choice("8", 7, "new"), choice("8", 6, "between")]).unwrap();
    assert_eq!(store.choice(&key("8")).unwrap().winner(), Some("new"));
    let wrong = entry("9", 1, &[candidate("right", 9, true, false), candidate("wrong", 1, false, true)]);
    store.put([Record::Choice(wrong)]).unwrap();
    assert!(store.is_rejected(&key("8"), "wrong"), "in every bucket");
    assert!(!store.is_rejected(&key("8"), "right"));
    assert!(!store.is_rejected(&Key { dtype: "float64".into(), ..key("8") }, "wrong"));
    // Measured again, and this time it would have won.
    store.put([Record::Choice(entry("9", 2, &[candidate("wrong", 1, true, false)]))]).unwrap();
    let now = store.choice(&key("9")).unwrap();
    assert_eq!((now.measured, now.winner()), (2, None));
    assert!(Store::at(dir.file()).is_rejected(&key("9"), "wrong"));
}

#[test]
fn damaged_lines_are_ignored_with_one_warning_and_left_out_of_the_next_write() {
    let dir = Dir::new("damage");
    let good = Book::line(&choice("1", 1, "kept"));
    let other = Book::line(&choice("2", 1, "lost"));
    let older = other.replace(r#""schema":1"#, r#""schema":0"#);
    let changed = other.replace("lost", "lust");
    let cut = &other[..other.len() / 2];
    let infinite = Book::line(&fit()).replace("0.1", "1e999");
    let text = format!("{older}\n{good}\n{changed}\n\u{0}\u{1}\n{{}}\n[]\n{infinite}\n\"x\"\n{cut}");
    let mut bytes = text.into_bytes();
    bytes.extend([0xff, 0xfe, b'\n']);
    std::fs::write(dir.file(), &bytes).unwrap();
    assert_eq!(Book::parse(&bytes).1, 8);
    let store = Store::at(dir.file());
    assert_eq!(store.book().records().collect::<Vec<_>>(), [choice("1", 1, "kept")]);
    let warning = first_warning().unwrap().to_owned();
    assert!(warning.contains("8 damaged or foreign lines"), "{warning}");
    assert!(Store::at(dir.file()).choice(&key("2")).is_none());
    assert_eq!(first_warning(), Some(warning.as_str()), "once a process");
    store.put([choice("3", 1, "new")]).unwrap();
    let (book, ignored) = Book::parse(&std::fs::read(dir.file()).unwrap());
    assert_eq!((book.records().count(), ignored), (2, 0));
}

#[test]
fn export_merge_and_clear() {
    let dir = Dir::new("export");
    let store = Store::at(dir.file());
    store.put([choice("1", 1, "a"), fit()]).unwrap();
    let exported = dir.0.join("shared.jsonl");
    store.export(&exported).unwrap();
    store.clear().unwrap();
    assert!(store.is_empty() && !dir.file().exists());
    store.put([choice("1", 2, "newer")]).unwrap();
    let mut bytes = std::fs::read(&exported).unwrap();
    bytes.extend(b"no line\n");
    std::fs::write(&exported, bytes).unwrap();
    assert_eq!(store.merge(&exported).unwrap(), (2, 1));
    assert_eq!(store.choice(&key("1")).unwrap().winner(), Some("newer"));
    assert_eq!(store.book().fits().count(), 1);
    assert!(store.merge(&dir.0.join("missing")).unwrap_err().to_string().contains("missing"));
    // What another process cleared does not come back with what this one knows.
    Store::at(dir.file()).clear().unwrap();
    store.put([choice("5", 1, "a")]).unwrap();
    assert_eq!(Store::at(dir.file()).book().records().count(), 1);
}

#[test]
fn what_cannot_be_written_is_an_error_and_still_known() {
    let dir = Dir::new("unwritable");
    let blocked = dir.0.join("file");
    std::fs::write(&blocked, "no directory").unwrap();
    let store = Store::at(blocked.join("tuning.v1.jsonl"));
    assert!(store.put([choice("1", 1, "a")]).is_err());
    assert_eq!(store.choice(&key("1")).unwrap().winner(), Some("a"));
}

const WRITERS: usize = 6;
const WRITES: usize = 15;

/// The body of the processes that [`many_processes_lose_nothing`] starts.
#[test]
#[ignore = "run by many_processes_lose_nothing"]
fn child_writes() {
    let Ok(path) = std::env::var("LC_TEST_STORE") else { return };
    let writer = std::env::var("LC_TEST_WRITER").unwrap();
    for i in 0..WRITES {
        // A new handle for each write, and a choice that all of them fight for.
        let store = Store::at(&path);
        store.put([choice(&format!("{writer}x{i}"), 1, "own"), choice("shared", i as u64, "best")]).unwrap();
    }
}

#[test]
fn many_processes_lose_nothing() {
    let dir = Dir::new("many");
    // What a writer that died left behind.
    let leftover = dir.0.join(".tuning.v1.jsonl.1.0.tmp");
    std::fs::write(&leftover, "half").unwrap();
    let children: Vec<_> = (0..WRITERS)
        .map(|writer| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "child_writes", "--ignored"])
                .env("LC_TEST_STORE", dir.file())
                .env("LC_TEST_WRITER", writer.to_string())
                .output_in_background()
        })
        .collect();
    for mut child in children {
        // Readers see a whole file at any time.
        while child.try_wait().unwrap().is_none() {
            if let Ok(bytes) = std::fs::read(dir.file()) {
                assert_eq!(Book::parse(&bytes).1, 0, "a reader saw a part of a file");
            }
        }
        assert!(child.wait().unwrap().success());
    }
    let book = Store::at(dir.file()).book();
    assert_eq!(book.choices().count(), WRITERS * WRITES + 1);
    assert_eq!(book.choice(&key("shared")).unwrap().measured, WRITES as u64 - 1);
    assert!(!leftover.exists());
}

trait InBackground {
    fn output_in_background(&mut self) -> std::process::Child;
}

impl InBackground for Command {
    fn output_in_background(&mut self) -> std::process::Child {
        self.stdout(std::process::Stdio::null()).spawn().unwrap()
    }
}

#[test]
#[ignore = "run by the_cache_directory_follows_the_environment"]
fn child_tells_its_directory() {
    println!("directory={:?}", lc_core::tune::cache_dir());
    println!("warned={}", first_warning().is_some());
}

#[test]
#[cfg(target_os = "linux")]
fn the_cache_directory_follows_the_environment() {
    let tell = |variables: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "child_tells_its_directory", "--ignored", "--nocapture"]);
        for name in ["LC_CACHE_DIR", "XDG_CACHE_HOME", "HOME"] {
            command.env_remove(name);
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let field = |name: &str| text.split(&format!("{name}=")).nth(1).unwrap().lines().next().unwrap().to_owned();
        (field("directory"), field("warned"))
    };
    let known = |path: &str| (format!("Some({path:?})"), "false".to_owned());
    assert_eq!(tell(&[("HOME", "/h")]), known("/h/.cache/lightning_core"));
    assert_eq!(tell(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]), known("/x/lightning_core"));
    assert_eq!(tell(&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")]), known("/h/.cache/lightning_core"));
    assert_eq!(tell(&[("HOME", "/h"), ("LC_CACHE_DIR", "/own")]), known("/own"));
    assert_eq!(tell(&[("HOME", "/h"), ("LC_CACHE_DIR", "")]), known("/h/.cache/lightning_core"));
    // Never below the current directory, and the user is told.
    let relative = tell(&[("HOME", "/h"), ("LC_CACHE_DIR", "own")]);
    assert_eq!(relative, ("Some(\"/h/.cache/lightning_core\")".to_owned(), "true".to_owned()));
    assert_eq!(tell(&[]), ("None".to_owned(), "false".to_owned()));
}

fn any_record() -> impl Strategy<Value = Record> {
    let candidate = (0..4u8, 1..9u64, any::<bool>()).prop_map(|(name, ns, rejected)| {
        let name = ["a", "b", "c", "d"][name as usize];
        candidate(name, ns, false, rejected)
    });
    (0..3u8, 0..3u64, proptest::collection::vec(candidate, 0..4)).prop_map(|(bucket, measured, mut candidates)| {
        candidates.sort_by(|a, b| a.kernel.cmp(&b.kernel));
        candidates.dedup_by(|a, b| a.kernel == b.kernel);
        Record::Choice(entry(&bucket.to_string(), measured, &candidates))
    })
}

fn book_of(records: Vec<Record>) -> Book {
    let mut book = Book::default();
    records.into_iter().for_each(|r| book.insert(r));
    book
}

/// What is chosen and what is rejected; the texts beside a rejection may be those of either side.
fn meaning(book: &Book) -> Vec<String> {
    let kernels = |e: &Entry| {
        let mut all: Vec<_> = e.candidates.iter().map(|c| (c.kernel.clone(), c.rejected)).collect();
        all.sort();
        all
    };
    book.choices().map(|e| format!("{:?} {} {:?}", e.key, e.measured, kernels(e))).collect()
}

proptest! {
    #[test]
    fn text_and_back_changes_nothing(records in proptest::collection::vec(any_record(), 0..9)) {
        let book = book_of(records);
        prop_assert_eq!(Book::parse(book.to_text().as_bytes()), (book, 0));
    }

    #[test]
    fn merging_twice_is_merging_once_and_no_rejection_is_lost(
        a in proptest::collection::vec(any_record(), 0..9),
        b in proptest::collection::vec(any_record(), 0..9),
    ) {
        let (a, b) = (book_of(a), book_of(b));
        let mut both = a.clone();
        both.merge(b.clone());
        let mut again = both.clone();
        again.merge(b.clone());
        prop_assert_eq!(meaning(&again), meaning(&both));
        let wrong = |book: &Book| {
            let of = |e: &Entry| e.candidates.iter().filter(|c| c.rejected).map(|c| (e.key.clone(), c.kernel.clone())).collect::<Vec<_>>();
            book.choices().flat_map(of).collect::<std::collections::BTreeSet<_>>()
        };
        prop_assert!(wrong(&a).is_subset(&wrong(&both)) && wrong(&b).is_subset(&wrong(&both)));
    }
}
