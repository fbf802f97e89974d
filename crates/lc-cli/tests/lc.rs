//! The command itself, run as a user runs it, with a cache directory of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory that is removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("lc-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Dir(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn lc(cache: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lc")).args(args).env("LC_CACHE_DIR", cache).output().unwrap()
}

fn ok(cache: &Path, args: &[&str]) -> String {
    let output = lc(cache, args);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "lc {args:?}: {error}");
    assert_eq!(error, "", "lc {args:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn fails(cache: &Path, args: &[&str]) -> String {
    let output = lc(cache, args);
    assert_eq!(output.status.code(), Some(1), "lc {args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn info_tells_what_is_here() {
    let dir = Dir::new("info");
    let text = ok(&dir.0, &["info"]);
    assert!(text.contains(&format!("cache directory  {}", dir.0.display())), "{text}");
    assert!(text.lines().any(|line| line.starts_with("cpu     yes")), "{text}");
    assert!(text.contains("GFLOP/s, measured") && text.contains("0 choices"), "{text}");
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0, "looking writes nothing");
}

#[test]
fn what_is_tuned_is_used_shown_exported_merged_and_cleared() {
    let dir = Dir::new("tune");
    let text = ok(&dir.0, &["tune", "--ops", "add,softmax", "--budget-ms", "5"]);
    assert!(text.contains("fastest") && text.contains("kept in"), "{text}");
    assert!(text.contains("launch "), "fitted: {text}");
    let run = ["run", "add", "--shape", "4096,4096"];
    assert!(ok(&dir.0, &run).contains("kernel measured to be the fastest"));
    assert!(ok(&dir.0, &[&run[..], &["--tune", "off"]].concat()).contains("best available device"));
    let shown = ok(&dir.0, &["tune", "--show"]);
    assert!(shown.contains("add") && shown.contains("sizes fitted"), "{shown}");
    let file = dir.0.join("shared.jsonl");
    let file = file.to_str().unwrap();
    assert!(ok(&dir.0, &["tune", "--export", file]).contains("exported"));
    assert!(ok(&dir.0, &["tune", "--clear"]).contains("cleared"));
    assert_eq!(ok(&dir.0, &["tune", "--show"]), "");
    assert!(ok(&dir.0, &["tune", "--merge", file]).contains("0 lines ignored"));
    assert_eq!(ok(&dir.0, &["tune", "--show"]), shown);
    assert!(fails(&dir.0, &["tune", "--merge", "/nowhere/at/all"]).contains("/nowhere/at/all"));
}

#[test]
fn run_checks_every_op_against_float64() {
    let dir = Dir::new("run");
    for op in lightning_core::tuning::registry().ops() {
        let text = ok(&dir.0, &["run", op.name]);
        assert!(text.contains("right: "), "{}: {text}", op.name);
    }
    let text =
        ok(&dir.0, &["run", "matmul", "--shape", "33x17,17x9,9", "--attr", "activation=relu", "--dtype", "float64"]);
    assert!(text.contains("297 elements") && text.contains("float64"), "{text}");
}

#[test]
fn a_trace_is_one_that_perfetto_reads() {
    let dir = Dir::new("trace");
    let file = dir.0.join("trace.json");
    let text = ok(&dir.0, &["trace", "matmul", "--out", file.to_str().unwrap()]);
    assert!(text.contains("time  "), "{text}");
    let trace: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    assert!(events.iter().any(|event| event["name"] == "matmul" || event["args"]["op"] == "matmul"), "{trace}");
}

#[test]
fn bench_prints_a_row_for_each_size() {
    let dir = Dir::new("bench");
    let text = ok(&dir.0, &["bench", "--ops", "matmul,add"]);
    assert_eq!(
        text.lines().filter(|line| line.starts_with("matmul ") || line.starts_with("add ")).count(),
        4,
        "{text}"
    );
    assert!(text.contains(" %"), "{text}");
}

#[test]
fn mistakes_are_told_and_end_with_a_failure() {
    let dir = Dir::new("mistakes");
    assert!(fails(&dir.0, &["tone"]).contains("unknown command"));
    assert!(fails(&dir.0, &["run"]).contains("which op"));
    assert!(fails(&dir.0, &["run", "matmull"]).contains("matmul"));
    assert!(fails(&dir.0, &["run", "matmul", "--shape", "3x4,5x6"]).contains("argument `b`"));
    assert!(fails(&dir.0, &["run", "matmul", "--device", "gpu"]).contains("auto"));
    assert!(fails(&dir.0, &["tune", "--budget-ms", "many"]).contains("many"));
    assert!(fails(&dir.0, &["info", "--loud"]).contains("--loud"));
    assert!(ok(&dir.0, &["--help"]).contains("usage: lc COMMAND"));
    assert!(ok(&dir.0, &["--version"]).starts_with("lc "));
}

#[test]
fn variables_of_the_original_are_warned_of() {
    let dir = Dir::new("legacy");
    let output = Command::new(env!("CARGO_BIN_EXE_lc"))
        .args(["run", "add"])
        .env("LC_CACHE_DIR", &dir.0)
        .env("CJ_MATMUL_TUNE_CACHE_FILE", "x.csv")
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && error.contains("CJ_MATMUL_TUNE_CACHE_FILE is ignored"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}
