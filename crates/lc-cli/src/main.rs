//! `lc`: what devices there are, which kernel is fastest, what ops take, and what a call does.

mod args;
mod bench;
mod info;
mod run;
mod tune;

use std::process::ExitCode;

/// What a command fails with: a text for the user.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

const HELP: &str = "\
lc: Lightning Core from the command line

usage: lc COMMAND [OPTIONS]

  info                  devices, what they offer, instruction set, cache directory, measured peak
  tune                  measures the kernels of each op and what it costs, and keeps that for every later process
      --device D            cpu (default), cuda, metal or vulkan
      --ops A,B             only these ops
      --budget-ms N         milliseconds for each kind of call (default 50)
      --show                prints what is stored; measures nothing
      --export FILE         writes what is stored to a file
      --merge FILE          adds what such a file holds
      --clear               forgets everything
  bench                 a table of ops: time, GFLOP/s, GB/s, share of the measured peak
      --device D --ops A,B
  run OP                runs an op on random inputs, prints the receipt, checks the result against float64
      --shape 64x32,32x16   extents of each input, `-` for an absent one (default: a usual call of the op)
      --attr NAME=VALUE     an attribute; may be given several times
      --device D --dtype float32|float64 --math M --seed N
      --tune off|read-only|on
  trace OP              as `run`, with the trace on; writes a file for ui.perfetto.dev
      --out FILE            (default lc-trace.json)

`python -m lightning_core.bench` compares with other libraries.
";

fn dispatch() -> Outcome {
    let mut parser = lexopt::Parser::from_env();
    use lexopt::prelude::{Long, Short, Value};
    let command = match parser.next()? {
        Some(Value(command)) => command.into_string().map_err(|_| "a command that is not text")?,
        None | Some(Long("help") | Short('h')) => "help".into(),
        Some(Long("version") | Short('V')) => "version".into(),
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "info" => info::command(parser),
        "tune" => tune::command(parser),
        "bench" => bench::command(parser),
        "run" => run::command(parser, None),
        "trace" => run::command(parser, Some("lc-trace.json".into())),
        "help" => {
            print!("{HELP}");
            Ok(())
        }
        "version" => {
            println!("lc {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        other => Err(format!("unknown command {other:?}; `lc --help` lists them").into()),
    }
}

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lc: {error}");
            ExitCode::FAILURE
        }
    }
}
