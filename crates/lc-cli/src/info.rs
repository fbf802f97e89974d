//! `lc info`.

use crate::Outcome;
use lightning_core::{DeviceKind, cpu_isa, device, num_threads, runtime, tune, tuning};

pub fn command(mut parser: lexopt::Parser) -> Outcome {
    if let Some(other) = parser.next()? {
        return Err(other.unexpected().into());
    }
    let threads = num_threads();
    println!("lightning_core {}", env!("CARGO_PKG_VERSION"));
    println!("instruction set  {}", cpu_isa());
    println!("threads          {threads}");
    println!("preferred device {}", runtime().preferred());
    match tune::cache_dir() {
        Some(dir) => println!("cache directory  {}", dir.display()),
        None => println!("cache directory  none: nothing is kept"),
    }
    let book = tuning::store().book();
    let (choices, fits) = (book.choices().count(), book.fits().count());
    println!("tuning store     {choices} choices, {fits} fitted costs");
    println!("peak             {:.1} GFLOP/s, measured", lightning_core::measure_peak_flops(threads) / 1e9);
    let rate = lightning_core::measure_bandwidth(256 << 20, threads)?;
    println!("memory           {:.1} GB/s, measured", rate / 1e9);
    println!();
    println!("device  available  memory  sync   profiling  adapter");
    for kind in [DeviceKind::Cpu, DeviceKind::Cuda, DeviceKind::Metal, DeviceKind::Vulkan] {
        let it = device::capabilities(kind);
        let adapter = runtime().backend(kind).map_or_else(String::new, |backend| {
            let driver = backend.driver();
            let name = &backend.descriptor().name;
            if driver.is_empty() { name.clone() } else { format!("{name}; {driver}") }
        });
        let [available, memory, sync, profiling] =
            [it.available, it.memory_surface, it.sync_surface, it.profiling_surface]
                .map(|x| if x { "yes" } else { "no" });
        println!("{:<7} {available:<10} {memory:<7} {sync:<6} {profiling:<10} {adapter}", kind.name());
    }
    Ok(())
}
