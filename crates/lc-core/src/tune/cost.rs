//! What a call costs on a device, from measured times.
//!
//! `t = launch + transfer(bytes) + work / throughput`, where the work is floating-point operations and bytes of memory,
//! each with its own throughput. A device that works on host memory transfers nothing.

use super::key::DeviceId;
use super::record::{Book, FitRecord, TransferRecord};
use super::search::now_ms;
use crate::backend::Backend;
use crate::device::DeviceKind;
use crate::dtype::DType;
use crate::error::{Error, Result};
use crate::registry::{Cost, OpDef};
use crate::shape::Shape;
use crate::tensor::{TensorMut, TensorRef, TensorSpec};
use std::collections::HashMap;
use std::time::Instant;

/// The cost of an op on a device, for operands that are there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Nanoseconds of a launch without work. A wait is spread over several launches: it is a cost of the download that
    /// needs it.
    pub launch_ns: f64,
    /// Nanoseconds of a floating-point operation.
    pub ns_per_flop: f64,
    /// Nanoseconds of a byte that is read or written.
    pub ns_per_byte: f64,
    /// How far the fit is off at the sizes that were measured: the root of the mean squared relative error.
    pub error: f64,
}

/// What a predicted time rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Times measured on this machine.
    Measured,
    /// What a usual device of the kind does.
    Prior,
}

impl Source {
    /// A word for reports.
    pub const fn name(self) -> &'static str {
        match self {
            Source::Measured => "measured",
            Source::Prior => "prior",
        }
    }
}

/// A predicted time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Nanoseconds.
    pub ns: f64,
    /// The relative error of the fit; zero for a prior, whose error nobody knows.
    pub error: f64,
    /// What it rests on.
    pub source: Source,
}

impl Estimate {
    /// One after the other: of a sum with a part that was not measured nothing is measured.
    pub fn then(self, next: Estimate) -> Estimate {
        let ns = self.ns + next.ns;
        // Errors of several fits may all point one way.
        let error = if ns > 0.0 { (self.ns * self.error + next.ns * next.error) / ns } else { 0.0 };
        let source = if self.source == Source::Measured { next.source } else { self.source };
        Estimate { ns, error, source }
    }
}

/// The cost of copies to and from a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transfer {
    /// Nanoseconds of an upload without data.
    pub upload_ns: f64,
    /// Nanoseconds of a byte of an upload.
    pub upload_ns_per_byte: f64,
    /// Nanoseconds of a download without data.
    pub download_ns: f64,
    /// Nanoseconds of a byte of a download.
    pub download_ns_per_byte: f64,
}

impl Transfer {
    /// Nothing to copy: the device works on host memory.
    pub const NONE: Transfer =
        Transfer { upload_ns: 0.0, upload_ns_per_byte: 0.0, download_ns: 0.0, download_ns_per_byte: 0.0 };

    fn ns(&self, bytes_in: u64, bytes_out: u64) -> f64 {
        let one = |bytes: u64, start: f64, each: f64| if bytes > 0 { start + bytes as f64 * each } else { 0.0 };
        one(bytes_in, self.upload_ns, self.upload_ns_per_byte)
            + one(bytes_out, self.download_ns, self.download_ns_per_byte)
    }
}

/// One measured call.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Its work.
    pub cost: Cost,
    /// Its time in nanoseconds.
    pub ns: f64,
}

impl Fit {
    /// The non-negative coefficients with the least relative squared error, so that small calls count as much as large
    /// ones; `None` without two points of different work.
    pub fn of(points: &[Point]) -> Option<Fit> {
        let bytes = |cost: &Cost| (cost.bytes_read + cost.bytes_written) as f64;
        let rows: Vec<[f64; 4]> = points
            .iter()
            .filter(|p| p.ns.is_finite() && p.ns > 0.0)
            .map(|p| [1.0, p.cost.flops as f64, bytes(&p.cost), p.ns].map(|x| x / p.ns))
            .collect();
        let first = points.first()?;
        if rows.len() < 2 || points.iter().all(|p| p.cost == first.cost) {
            return None;
        }
        let [launch_ns, ns_per_flop, ns_per_byte] = least_squares(&rows)?;
        let squares: f64 = rows
            .iter()
            .map(|row| (launch_ns * row[0] + ns_per_flop * row[1] + ns_per_byte * row[2] - row[3]).powi(2))
            .sum();
        Some(Fit { launch_ns, ns_per_flop, ns_per_byte, error: (squares / rows.len() as f64).sqrt() })
    }

    fn ns(&self, cost: &Cost) -> f64 {
        let bytes = (cost.bytes_read + cost.bytes_written) as f64;
        self.launch_ns + self.ns_per_flop * cost.flops as f64 + self.ns_per_byte * bytes
    }
}

/// The x ≥ 0 that minimises the squared error of `rows[i][..3]·x = rows[i][3]`. With three unknowns every choice of those
/// that are not zero can be tried: the minimum is the best of those that solve without a negative.
fn least_squares(rows: &[[f64; 4]]) -> Option<[f64; 3]> {
    let mut best: Option<(f64, [f64; 3])> = None;
    for set in 1u8..8 {
        let used: Vec<usize> = (0..3).filter(|i| set & (1 << i) != 0).collect();
        let Some(solution) = solve(rows, &used) else { continue };
        if solution.iter().any(|x| *x < 0.0) {
            continue;
        }
        let residual = |row: &[f64; 4]| (row[3] - (0..3).map(|i| row[i] * solution[i]).sum::<f64>()).powi(2);
        let error: f64 = rows.iter().map(residual).sum();
        // One unknown more must help: else the smaller set stays.
        if best.is_none_or(|(least, _)| error < least * (1.0 - 1e-9)) {
            best = Some((error, solution));
        }
    }
    best.map(|(_, solution)| solution)
}

/// Least squares over the columns in `used`, by the normal equations with columns scaled to length one.
fn solve(rows: &[[f64; 4]], used: &[usize]) -> Option<[f64; 3]> {
    let n = used.len();
    let length = |c: usize| rows.iter().map(|r| r[c] * r[c]).sum::<f64>().sqrt();
    let lengths: Vec<f64> = used.iter().map(|c| length(*c)).collect();
    if lengths.iter().any(|l| !l.is_finite() || *l == 0.0) {
        return None;
    }
    let mut a = [[0f64; 4]; 3];
    for (i, ci) in used.iter().enumerate() {
        for (j, cj) in used.iter().enumerate() {
            a[i][j] = rows.iter().map(|r| r[*ci] * r[*cj]).sum::<f64>() / (lengths[i] * lengths[j]);
        }
        a[i][3] = rows.iter().map(|r| r[*ci] * r[3]).sum::<f64>() / lengths[i];
    }
    for pivot in 0..n {
        let row = (pivot..n).max_by(|x, y| a[*x][pivot].abs().total_cmp(&a[*y][pivot].abs()))?;
        a.swap(pivot, row);
        // Columns as good as parallel: flops and bytes of an elementwise op. A smaller set says as much.
        if a[pivot][pivot].abs() < 1e-9 {
            return None;
        }
        for below in (0..n).filter(|i| *i != pivot) {
            let factor = a[below][pivot] / a[pivot][pivot];
            for column in 0..4 {
                a[below][column] -= factor * a[pivot][column];
            }
        }
    }
    let mut solution = [0.0; 3];
    for (i, column) in used.iter().enumerate() {
        solution[*column] = a[i][3] / a[i][i] / lengths[i];
    }
    Some(solution)
}

/// Predicts the time of calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostModel {
    fits: HashMap<(DeviceKind, String), Fit>,
    transfers: HashMap<DeviceKind, Transfer>,
}

impl CostModel {
    /// A model that has measured nothing.
    pub fn new() -> CostModel {
        CostModel::default()
    }

    /// What a store knows about these devices, whose identities are given in the same order.
    pub fn of_book<'a>(book: &Book, devices: impl IntoIterator<Item = (&'a dyn Backend, DeviceId)>) -> CostModel {
        let mut model = CostModel::new();
        for (backend, id) in devices {
            let kind = backend.descriptor().kind;
            if backend.descriptor().host_memory {
                model.set_transfer(kind, Transfer::NONE);
            }
            for fit in book.fits().filter(|fit| fit.on == id) {
                let FitRecord { launch_ns, ns_per_flop, ns_per_byte, error, .. } = *fit;
                model.fits.insert((kind, fit.op.clone()), Fit { launch_ns, ns_per_flop, ns_per_byte, error });
            }
            for transfer in book.transfers().filter(|t| t.on == id) {
                let TransferRecord { upload_ns, upload_ns_per_byte, download_ns, download_ns_per_byte, .. } = *transfer;
                let transfer = Transfer { upload_ns, upload_ns_per_byte, download_ns, download_ns_per_byte };
                model.set_transfer(kind, transfer);
            }
        }
        model
    }

    /// Sets the cost of an op.
    pub fn set(&mut self, device: DeviceKind, op: &str, fit: Fit) {
        self.fits.insert((device, op.to_owned()), fit);
    }

    /// Sets the cost of copies.
    pub fn set_transfer(&mut self, device: DeviceKind, transfer: Transfer) {
        self.transfers.insert(device, transfer);
    }

    /// Nanoseconds of a float32 call with `bytes_in` bytes to upload and `bytes_out` to download, from measured times
    /// alone; `None` where any part of it was never measured. A resident call passes zero bytes.
    pub fn measured(&self, device: DeviceKind, op: &str, cost: &Cost, bytes_in: u64, bytes_out: u64) -> Option<f64> {
        // A key of its own for each look-up: this is asked when a plan is made, not when it runs.
        let fit = self.fits.get(&(device, op.to_owned()))?;
        let transfer = match self.transfers.get(&device) {
            Some(transfer) => transfer.ns(bytes_in, bytes_out),
            None if bytes_in + bytes_out == 0 || device == DeviceKind::Cpu => 0.0,
            None => return None,
        };
        Some(fit.ns(cost) + transfer)
    }

    /// The time of a float32 call whose operands are there: by its fit, else by the prior. `None` for a device that
    /// computes nothing.
    pub fn estimate(&self, device: DeviceKind, op: &str, cost: &Cost) -> Option<Estimate> {
        if let Some(fit) = self.fits.get(&(device, op.to_owned())) {
            return Some(Estimate { ns: fit.ns(cost), error: fit.error, source: Source::Measured });
        }
        Some(Estimate { ns: prior(device)?.0.ns(cost), error: 0.0, source: Source::Prior })
    }

    /// The time of copies to and from a device, as [`CostModel::estimate`].
    pub fn copies(&self, device: DeviceKind, bytes_in: u64, bytes_out: u64) -> Option<Estimate> {
        let (transfer, source) = match self.transfers.get(&device) {
            Some(transfer) => (*transfer, Source::Measured),
            None => (prior(device)?.1, if device == DeviceKind::Cpu { Source::Measured } else { Source::Prior }),
        };
        Some(Estimate { ns: transfer.ns(bytes_in, bytes_out), error: 0.0, source })
    }

    /// Whether nothing was measured.
    pub fn is_empty(&self) -> bool {
        self.fits.is_empty()
    }
}

/// What a usual device of a kind does: a few cores, or a discrete GPU behind PCI Express.
fn prior(device: DeviceKind) -> Option<(Fit, Transfer)> {
    let fit = |launch_ns: f64, gflops: f64, gbytes: f64| Fit {
        launch_ns,
        ns_per_flop: 1.0 / gflops,
        ns_per_byte: 1.0 / gbytes,
        error: 0.0,
    };
    let copies = |ns: f64, gbytes: f64| Transfer {
        upload_ns: ns,
        upload_ns_per_byte: 1.0 / gbytes,
        download_ns: ns,
        download_ns_per_byte: 1.0 / gbytes,
    };
    Some(match device {
        DeviceKind::Cpu => (fit(300.0, 100.0, 20.0), Transfer::NONE),
        DeviceKind::Cuda => (fit(10_000.0, 10_000.0, 500.0), copies(10_000.0, 10.0)),
        DeviceKind::Metal => (fit(50_000.0, 2_000.0, 100.0), copies(5_000.0, 20.0)),
        DeviceKind::Vulkan => (fit(50_000.0, 2_000.0, 100.0), copies(20_000.0, 5.0)),
        DeviceKind::Null => return None,
    })
}

/// The fitted cost of an op from measured calls; `None` if they do not determine it.
pub fn fit_record(on: &DeviceId, op: &OpDef, points: &[Point]) -> Option<FitRecord> {
    let Fit { launch_ns, ns_per_flop, ns_per_byte, error } = Fit::of(points)?;
    let samples = points.len() as u32;
    let (on, op) = (on.clone(), op.name.to_owned());
    Some(FitRecord { on, op, measured: now_ms(), samples, launch_ns, ns_per_flop, ns_per_byte, error })
}

/// Measures copies to and from a device with memory of its own, from 4 KiB to 16 MiB.
///
/// # Errors
/// Out of memory; a failure of the device.
pub fn measure_transfer(backend: &dyn Backend, on: &DeviceId) -> Result<TransferRecord> {
    const SIZES: [usize; 7] = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22];
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for elements in SIZES {
        let spec = TensorSpec::new(DType::F32, Shape::new(&[elements])?);
        let mut data = vec![1.0f32; elements];
        let buffer = backend.memory().allocate(spec.bytes())?;
        let median = |f: &mut dyn FnMut() -> Result<()>| {
            let mut times = Vec::new();
            f()?;
            for _ in 0..7 {
                let start = Instant::now();
                f()?;
                times.push(start.elapsed().as_nanos() as f64);
            }
            times.sort_unstable_by(f64::total_cmp);
            Ok::<f64, Error>(times[times.len() / 2].max(1.0))
        };
        let cost = Cost { bytes_read: spec.bytes() as u64, ..Cost::default() };
        let ns = median(&mut || {
            backend.memory().upload(&TensorRef::new(&data, &[elements])?, &buffer, 0)?;
            backend.sync().synchronize()
        })?;
        up.push(Point { cost, ns });
        let ns = median(&mut || backend.memory().download(&buffer, 0, &mut TensorMut::new(&mut data, &[elements])?))?;
        down.push(Point { cost, ns });
    }
    let fit = |points: &[Point]| Fit::of(points).ok_or_else(|| Error::unsupported("tune", "times of copies", "none"));
    let (up, down) = (fit(&up)?, fit(&down)?);
    Ok(TransferRecord {
        on: on.clone(),
        measured: now_ms(),
        samples: SIZES.len() as u32,
        upload_ns: up.launch_ns,
        upload_ns_per_byte: up.ns_per_byte,
        download_ns: down.launch_ns,
        download_ns_per_byte: down.ns_per_byte,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(flops: u64, bytes: u64, ns: f64) -> Point {
        Point { cost: Cost { flops, bytes_read: bytes, ..Cost::default() }, ns }
    }

    #[test]
    fn a_fit_finds_the_coefficients_that_made_the_times() {
        let made = |f: u64, b: u64| point(f, b, 400.0 + 0.02 * f as f64 + 0.1 * b as f64);
        let points: Vec<_> = [(0, 100), (1000, 64), (100_000, 3000), (5_000_000, 40_000), (9_000, 900_000)]
            .map(|(f, b)| made(f, b))
            .to_vec();
        let fit = Fit::of(&points).unwrap();
        assert!((fit.launch_ns - 400.0).abs() < 0.1, "{fit:?}");
        assert!((fit.ns_per_flop - 0.02).abs() < 1e-5, "{fit:?}");
        assert!((fit.ns_per_byte - 0.1).abs() < 1e-5, "{fit:?}");
    }

    #[test]
    fn a_fit_of_parallel_columns_predicts_all_the_same_and_nothing_is_negative() {
        // Elementwise: bytes are twelve times the operations.
        let points: Vec<_> = (8..24).map(|i| point(1 << i, 12 << i, 500.0 + 0.6 * f64::from(1 << i))).collect();
        let fit = Fit::of(&points).unwrap();
        for p in &points {
            assert!((fit.ns(&p.cost) / p.ns - 1.0).abs() < 1e-6, "{fit:?}");
        }
        // Times that fall with the work would ask for a negative rate.
        let falling = [point(1000, 0, 900.0), point(2000, 0, 800.0), point(3000, 0, 700.0)];
        let fit = Fit::of(&falling).unwrap();
        assert!(fit.launch_ns >= 0.0 && fit.ns_per_flop >= 0.0 && fit.ns_per_byte >= 0.0, "{fit:?}");
        assert_eq!(Fit::of(&falling[..1]), None);
        assert_eq!(Fit::of(&[falling[0], falling[0]]), None);
    }

    #[test]
    fn what_was_never_measured_is_predicted_but_not_measured() {
        let mut model = CostModel::new();
        let cost = Cost { flops: 1000, ..Cost::default() };
        assert_eq!(model.measured(DeviceKind::Cpu, "add", &cost, 8, 8), None);
        assert!(model.estimate(DeviceKind::Cpu, "add", &cost).is_some_and(|e| e.ns > 0.0));
        let fit = Fit { launch_ns: 100.0, ns_per_flop: 1.0, ns_per_byte: 0.0, error: 0.1 };
        model.set(DeviceKind::Cuda, "add", fit);
        assert_eq!(model.measured(DeviceKind::Cuda, "add", &cost, 8, 8), None, "its copies were not");
        assert_eq!(model.measured(DeviceKind::Cuda, "add", &cost, 0, 0), Some(1100.0));
        let copies =
            Transfer { upload_ns: 10.0, upload_ns_per_byte: 1.0, download_ns: 20.0, download_ns_per_byte: 2.0 };
        model.set_transfer(DeviceKind::Cuda, copies);
        assert_eq!(model.measured(DeviceKind::Cuda, "add", &cost, 8, 4), Some(1100.0 + 18.0 + 28.0));
        assert_eq!(model.copies(DeviceKind::Cuda, 8, 4).unwrap().ns, 46.0);
    }

    #[test]
    fn estimates_say_what_they_rest_on_and_how_far_a_fit_is_off() {
        // Twice the time at one of three sizes.
        let points = [point(1000, 0, 1000.0), point(2000, 0, 4000.0), point(4000, 0, 4000.0)];
        let fit = Fit::of(&points).unwrap();
        assert!(fit.error > 0.2 && fit.error < 0.5, "{fit:?}");
        let mut model = CostModel::new();
        model.set(DeviceKind::Cpu, "add", fit);
        let cost = Cost { flops: 1000, ..Cost::default() };
        let measured = model.estimate(DeviceKind::Cpu, "add", &cost).unwrap();
        let prior = model.estimate(DeviceKind::Cpu, "mul", &cost).unwrap();
        assert_eq!((measured.source, prior.source), (Source::Measured, Source::Prior));
        let both = measured.then(prior);
        assert_eq!((both.source, both.ns), (Source::Prior, measured.ns + prior.ns));
        assert!(both.error < measured.error && both.error > 0.0);
        assert_eq!(model.copies(DeviceKind::Cpu, 8, 8).unwrap().ns, 0.0);
        assert_eq!(model.copies(DeviceKind::Cuda, 8, 8).unwrap().source, Source::Prior);
        assert_eq!(model.estimate(DeviceKind::Null, "add", &cost), None);
    }
}
