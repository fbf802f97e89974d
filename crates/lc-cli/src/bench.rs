//! `lc bench`: a quick look at this machine. The comparison with other libraries is in Python.

use crate::{Outcome, args};
use lexopt::prelude::Long;
use lightning_core::registry::OpDef;
use lightning_core::tuning::{Sample, registry, samples};
use lightning_core::{
    DType, DeviceKind, DeviceRequest, Fallback, Policy, Receipt, Result, TensorMut, TensorRef, measure_bandwidth,
    measure_peak_flops, num_threads, ops,
};
use std::time::{Duration, Instant};

const USUAL: [&str; 8] = ["matmul", "linear", "add", "softmax", "layer_norm", "attention", "conv2d", "ffn"];
/// Time that each row takes.
const ROW: Duration = Duration::from_millis(100);

pub fn command(mut parser: lexopt::Parser) -> Outcome {
    let mut device = DeviceKind::Cpu;
    let mut chosen = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Long("device") => device = args::device(&mut parser)?,
            Long("ops") => chosen = Some(args::ops(&mut parser)?),
            other => return Err(other.unexpected().into()),
        }
    }
    let chosen = match chosen {
        Some(ops) => ops,
        None => USUAL.into_iter().map(|name| registry().find(name)).collect::<Result<_>>()?,
    };
    let threads = num_threads();
    let peak = measure_peak_flops(threads);
    println!("{threads} threads, peak {:.1} GFLOP/s; warm calls, end to end, median", peak / 1e9);
    println!(
        "{:<22} {:<28} {:<26} {:>10} {:>9} {:>8} {:>7}",
        "op", "inputs", "kernel", "time", "GFLOP/s", "GB/s", "share"
    );
    for op in chosen {
        let all = samples(op, DType::F32);
        // The middle and the largest of the usual sizes.
        for sample in [all.len() / 2, all.len() - 1].map(|i| &all[i]) {
            row(op, sample, device, peak)?;
        }
    }
    println!(
        "share: of the time that the measured peak, or the bandwidth measured on as many bytes, allows.\n\
         `python -m lightning_core.bench` compares with other libraries."
    );
    Ok(())
}

fn row(op: &'static OpDef, sample: &Sample, device: DeviceKind, peak: f64) -> Outcome {
    let policy =
        Policy { device: Some(DeviceRequest::Is(device)), fallback: Some(Fallback::Deny), ..Policy::default() };
    let (receipt, ns) = match time(op, sample, &policy) {
        Ok(timed) => timed,
        Err(error) => {
            println!("{:<22} {error}", op.name);
            return Ok(());
        }
    };
    let outputs = op.check(&sample.attrs, &sample.inputs)?;
    let cost = (op.cost)(&sample.attrs, &sample.inputs, &outputs);
    let bytes = (cost.bytes_read + cost.bytes_written) as f64;
    let inputs: Vec<_> =
        sample.inputs.iter().map(|spec| spec.map_or("-".into(), |spec| spec.shape.to_string())).collect();
    // The limits are the processor's: they say nothing about another device.
    let share = if device == DeviceKind::Cpu {
        let bandwidth = measure_bandwidth((bytes as usize).clamp(1 << 12, 1 << 28), num_threads())?;
        let least = (cost.flops as f64 / peak).max(bytes / bandwidth) * 1e9;
        format!("{:.0} %", 100.0 * least / ns)
    } else {
        "-".into()
    };
    println!(
        "{:<22} {:<28} {:<26} {:>10} {:>9.1} {:>8.1} {share:>7}",
        op.name,
        inputs.join(" "),
        receipt.kernel,
        args::time(ns),
        cost.flops as f64 / ns,
        bytes / ns
    );
    Ok(())
}

/// The receipt of a call and its median time in nanoseconds.
fn time(op: &'static OpDef, sample: &Sample, policy: &Policy) -> Result<(Receipt, f64)> {
    let data: Vec<Option<Vec<f32>>> = sample
        .inputs
        .iter()
        .map(|spec| spec.map(|spec| (0..spec.shape.numel()).map(|i| (i % 17) as f32 / 16.0 - 0.5).collect()))
        .collect();
    let views = sample.inputs.iter().zip(&data).map(|(spec, data)| match (spec, data) {
        (Some(spec), Some(data)) => TensorRef::new(data, spec.shape.dims()).map(Some),
        _ => Ok(None),
    });
    let inputs = views.collect::<Result<Vec<_>>>()?;
    let outputs = op.check(&sample.attrs, &sample.inputs)?;
    let mut results: Vec<_> = outputs.iter().map(|s| (s.shape, vec![0.0f32; s.shape.numel()])).collect();
    let mut outputs = results.iter_mut().map(|(s, data)| TensorMut::new(data, s.dims())).collect::<Result<Vec<_>>>()?;
    let mut call = || ops::run(op, &sample.attrs, &inputs, &mut outputs, policy);
    let receipt = call()?;
    let start = Instant::now();
    call()?;
    // A sample of at least 20 us: the clock's own cost is then below a hundredth.
    let repeats = (20_000 / start.elapsed().as_nanos().max(1)).clamp(1, 1000) as u32;
    let mut times = Vec::new();
    let start = Instant::now();
    while times.len() < 5 || (start.elapsed() < ROW && times.len() < 1000) {
        let start = Instant::now();
        for _ in 0..repeats {
            call()?;
        }
        times.push(start.elapsed().as_nanos() as f64 / f64::from(repeats));
    }
    times.sort_unstable_by(f64::total_cmp);
    Ok((receipt, times[times.len() / 2]))
}
