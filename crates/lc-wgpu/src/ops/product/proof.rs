//! Whether matrix units may be used: only where the adapter reports the shape and types that a kernel is written for, and
//! where that kernel gave the portable kernel's result on this very adapter.

use super::plan::Variant;
use super::{Kernels, Matrix, Product, encode};
use crate::adapter::Adapter;
use crate::launch::{Bound, Launch, whole};
use crate::pool::Pooled;
use crate::stream::mapped;
use lc_core::{Activation, DType, Error, ErrorKind, Result};
use wgpu::{CooperativeScalarType as Scalar, ErrorFilter, Features};

// Edges in every dimension: neither is a multiple of any tile.
const M: usize = 296;
const N: usize = 152;
const K: usize = 104;

/// What is known of a backend's matrix units, by type of elements.
#[derive(Debug, Default)]
pub struct Proofs([Option<Option<Variant>>; 2]);

/// The kernel on matrix units for these elements, proven now if it is the first time that somebody asks.
///
/// # Errors
/// A failure of the device that has nothing to do with matrix units.
pub fn matrix_units(launch: &mut Launch<'_>, dtype: DType) -> Result<Option<Variant>> {
    let slot = usize::from(dtype == DType::F16);
    if let Some(known) = launch.backend().proofs().0[slot] {
        return Ok(known);
    }
    let best = match reported(launch.backend().adapter()) {
        Some(Variant::Matrix16) => Some(Variant::Matrix16Whole),
        other => other,
    };
    let mut found = None;
    if let Some(best) = best {
        let fallback = best.fallback(dtype);
        found = prove(launch, dtype, fallback)?.then_some(fallback);
        if found.is_some() && best != fallback && prove(launch, dtype, best)? {
            found = Some(best);
        }
    }
    launch.backend().proofs().0[slot] = Some(found);
    Ok(found)
}

/// The kernel that the adapter says it can run.
pub fn reported(adapter: &Adapter) -> Option<Variant> {
    let needs = Features::EXPERIMENTAL_COOPERATIVE_MATRIX | Features::SHADER_F16;
    let subgroups = adapter.info.subgroup_min_size == 32 && adapter.info.subgroup_max_size == 32;
    if !adapter.features.contains(needs) || !subgroups {
        return None;
    }
    let has = |size: u32, memory: u32| {
        let shape = |p: &wgpu::CooperativeMatrixProperties| [p.m_size, p.n_size, p.k_size] == [size; 3];
        let types = |p: &wgpu::CooperativeMatrixProperties| p.ab_type == Scalar::F16 && p.cr_type == Scalar::F32;
        adapter.limits.max_compute_workgroup_storage_size >= memory
            && adapter.cooperative.iter().any(|p| shape(p) && types(p))
    };
    match () {
        () if has(16, 45_056) => Some(Variant::Matrix16),
        () if has(8, 24_576) => Some(Variant::Matrix8),
        () => None,
    }
}

/// Multiplies numbers whose products and sums both float16 operands and float32 sums hold exactly, on matrix units and on
/// the portable kernel: nothing but equality will do.
fn prove(launch: &mut Launch<'_>, dtype: DType, variant: Variant) -> Result<bool> {
    // Work of others must not share a submission with a kernel that may be refused.
    launch.stream().flush()?;
    let device = launch.backend().adapter().device.clone();
    let scopes = [
        device.push_error_scope(ErrorFilter::Validation),
        device.push_error_scope(ErrorFilter::Internal),
        device.push_error_scope(ErrorFilter::OutOfMemory),
    ];
    let equal = compare(launch, dtype, variant);
    let mut clean = true;
    for scope in scopes.into_iter().rev() {
        clean &= pollster::block_on(scope.pop()).is_none();
    }
    match equal {
        Ok(equal) => Ok(equal && clean),
        // Whatever went wrong with the new kernel is its own fault, unless the device is gone.
        Err(_) if launch.backend().check().is_ok() => Ok(false),
        Err(error) => Err(error),
    }
}

fn compare(launch: &mut Launch<'_>, dtype: DType, variant: Variant) -> Result<bool> {
    let size = dtype.size();
    let eighths = |i: usize, step: usize| ((i * step + i / 7) % 17) as i32 - 8;
    // Nothing is pending, so that what is written here comes before what is encoded next.
    let queue = launch.backend().adapter().queue.clone();
    let upload = |count: usize, step: usize| -> Result<Pooled> {
        let memory = launch.scratch(count * size)?;
        let bytes: Vec<u8> = (0..count)
            .flat_map(|i| {
                let x = eighths(i, step) as f32 / 8.0;
                match dtype {
                    DType::F16 => half::f16::from_f32(x).to_le_bytes().to_vec(),
                    _ => x.to_le_bytes().to_vec(),
                }
            })
            .collect();
        queue.write_buffer(&memory.get().raw, 0, &bytes);
        Ok(memory)
    };
    let (a, b) = (upload(M * K, 5)?, upload(K * N, 3)?);
    for turned in [false, true] {
        let mut results = Vec::new();
        for kernel in [Variant::Wide64, variant] {
            let out = launch.scratch(M * N * size)?;
            // An earlier result must not stand in for a kernel that writes nothing.
            queue.write_buffer(&out.get().raw, 0, &vec![0xff; M * N * size]);
            encode(launch, product(dtype, &a, &b, &out, turned), Kernels::Only(kernel))?;
            results.push(read(launch, &out, M * N * size)?);
        }
        if results[0] != results[1] {
            return Ok(false);
        }
    }
    Ok(true)
}

fn product<'a>(dtype: DType, a: &'a Pooled, b: &'a Pooled, out: &'a Pooled, turned: bool) -> Product<'a> {
    let bound = |memory: &'a Pooled| Bound { binding: whole(memory), first: 0 };
    let matrix = |memory: &'a Pooled, rows: usize, columns: usize| {
        let (down, across) = if turned { (1, rows) } else { (columns, 1) };
        Matrix { bound: bound(memory), down, across }
    };
    Product {
        dtype,
        m: M,
        n: N,
        k: K,
        a: matrix(a, M, K),
        b: matrix(b, K, N),
        out: bound(out),
        bias: None,
        residual: None,
        activation: Activation::Identity,
        batch: Vec::new(),
        turned: false,
    }
}

fn read(launch: &mut Launch<'_>, memory: &Pooled, bytes: usize) -> Result<Vec<u8>> {
    let staging = Pooled::take(launch.backend().staging(), bytes as u64)?;
    let raw = &staging.get().raw;
    launch.stream().copy((&memory.get().raw, 0), (raw, 0), bytes as u64);
    launch.stream().wait()?;
    let (send, answer) = std::sync::mpsc::channel();
    raw.map_async(wgpu::MapMode::Read, 0..bytes as u64, move |result| {
        // The receiver is gone only if the wait failed, and then nobody wants the answer.
        let _ = send.send(result);
    });
    launch.backend().poll()?;
    if let Err(error) = mapped(&answer) {
        // It may be mapped one day: nobody must take it from the pool.
        staging.discard();
        return Err(error);
    }
    let failed = |cause: wgpu::MapRangeError| Error::new(ErrorKind::DriverError, "gpu").got(cause.to_string());
    let data = raw.get_mapped_range(0..bytes as u64).map_err(failed)?.to_vec();
    raw.unmap();
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, WgpuBackend};

    /// The comparison itself, with kernels that every adapter has.
    #[test]
    fn portable_kernels_agree_to_the_bit() {
        let Ok(device) = WgpuBackend::open(&Options::from_env()) else { return println!("SKIPPED: no adapter") };
        let mut launch = Launch::new(&device, device.stream(), 0);
        assert!(prove(&mut launch, DType::F32, Variant::Narrow32).expect("the device works"));
    }
}
