//! The header is what cbindgen makes of the source, and a C program built with the system's compiler works with it.

use std::path::{Path, PathBuf};
use std::process::Command;

fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_header_is_up_to_date() {
    let config = cbindgen::Config::from_file(crate_dir().join("cbindgen.toml")).expect("cbindgen.toml");
    let mut made = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(crate_dir().join("src/lib.rs"))
        .with_src(crate_dir().join("src/ops.rs"))
        .generate()
        .expect("the source parses")
        .write(&mut made);
    let path = crate_dir().join("include/lightning_core.h");
    if std::env::var_os("LC_WRITE_HEADER").is_some() {
        std::fs::write(&path, &made).expect("the header can be written");
    }
    let kept = std::fs::read(&path).unwrap_or_default();
    assert!(kept == made, "include/lightning_core.h differs from the source: run `make header`");
}

/// Builds and runs the C example against the static library, which cargo builds beside this test.
#[test]
fn the_c_example_compiles_and_runs() {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let library = find_static_library();
    let program = out.join("lightning_core_example");
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(crate_dir().join("include"))
        .arg(crate_dir().join("examples/lightning_core.c"))
        .arg(&library)
        .args(["-lpthread", "-lm", "-o"])
        .arg(&program);
    if cfg!(target_os = "linux") {
        cc.args(["-ldl"]);
    }
    let built = cc.output().expect("a C compiler");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ran = Command::new(&program).output().expect("the example runs");
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(text.ends_with("OK\n"), "{text}");
}

/// Cargo names the static library of a dependency with a hash; the newest one is this build's.
fn find_static_library() -> PathBuf {
    let test = std::env::current_exe().expect("this test's path");
    let deps = test.parent().expect("a folder");
    let candidates = [deps, deps.parent().unwrap_or(Path::new("."))];
    let mut found: Vec<_> = candidates
        .iter()
        .filter_map(|dir| std::fs::read_dir(dir).ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
            name.starts_with("liblightning_core_c") && name.ends_with(".a")
        })
        .collect();
    found.sort_by_key(|path| path.metadata().and_then(|m| m.modified()).ok());
    found.pop().expect("cargo builds the static library with the tests")
}
