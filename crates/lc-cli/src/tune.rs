//! `lc tune`.

use crate::{Outcome, args};
use lexopt::ValueExt;
use lexopt::prelude::Long;
use lightning_core::tune::{Book, Entry};
use lightning_core::{DType, DeviceKind, tuning};
use std::path::PathBuf;

pub fn command(mut parser: lexopt::Parser) -> Outcome {
    let mut device = DeviceKind::Cpu;
    let mut ops = None;
    let mut budget: u16 = 50;
    let (mut export, mut merge): (Option<PathBuf>, Option<PathBuf>) = (None, None);
    let (mut show, mut clear) = (false, false);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("device") => device = args::device(&mut parser)?,
            Long("ops") => ops = Some(args::ops(&mut parser)?),
            Long("budget-ms") => budget = parser.value()?.parse()?,
            Long("export") => export = Some(parser.value()?.into()),
            Long("merge") => merge = Some(parser.value()?.into()),
            Long("show") => show = true,
            Long("clear") => clear = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let handled = show || clear || export.is_some() || merge.is_some();
    if clear {
        tuning::clear()?;
        println!("cleared");
    }
    if let Some(from) = merge {
        let (taken, ignored) = tuning::store().merge(&from)?;
        println!("merged {taken} records of {}, {ignored} lines ignored", from.display());
    }
    if let Some(to) = export {
        tuning::store().export(&to)?;
        println!("exported {} records to {}", tuning::store().book().records().count(), to.display());
    }
    if show {
        print_book(&tuning::store().book());
    }
    if handled {
        return Ok(());
    }
    for op in ops.unwrap_or_else(args::all_ops) {
        for sample in tuning::samples(op, DType::F32) {
            match tuning::tune(op, &sample, device, budget) {
                Ok(entry) => print_entry(&entry),
                Err(error) => println!("{:<22} {error}", op.name),
            }
        }
        match tuning::fit(op, device, budget)? {
            Some(fit) => println!(
                "{:<22} launch {}, {:.1} GFLOP/s, {:.1} GB/s, off by {:.0} %",
                op.name,
                args::time(fit.launch_ns),
                1.0 / fit.ns_per_flop,
                1.0 / fit.ns_per_byte,
                100.0 * fit.error
            ),
            None => println!("{:<22} not fitted", op.name),
        }
    }
    if let Some(copies) = tuning::fit_transfer(device)? {
        let (up, down) = (1.0 / copies.upload_ns_per_byte, 1.0 / copies.download_ns_per_byte);
        println!("copies                 {up:.1} GB/s up, {down:.1} GB/s down");
    }
    match tuning::store().path() {
        Some(path) => println!("kept in {}", path.display()),
        None => println!("not kept: there is no cache directory"),
    }
    Ok(())
}

fn print_book(book: &Book) {
    book.choices().for_each(print_entry);
    for fit in book.fits() {
        let (device, launch) = (&fit.on.device, args::time(fit.launch_ns));
        let error = 100.0 * fit.error;
        println!("{:<22} {device}: launch {launch}, {} sizes fitted, off by {error:.0} %", fit.op, fit.samples);
    }
    for copies in book.transfers() {
        println!("copies                 {}: {} sizes fitted", copies.on.device, copies.samples);
    }
}

fn print_entry(entry: &Entry) {
    let key = &entry.key;
    println!("{:<22} {} on {}, {}, {}", key.op, key.bucket, key.on.device, key.dtype, key.math);
    for candidate in &entry.candidates {
        let mark = if candidate.won { '*' } else { ' ' };
        let time = candidate.median_ns.map_or("-".into(), |ns| args::time(ns as f64));
        println!("  {mark} {:<34} {time:>10}  {}", candidate.kernel, candidate.why);
    }
}
