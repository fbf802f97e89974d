//! Prints the adapter that would be used, what it has, and its kernels: `cargo run -p lc-wgpu --example adapter`.

use lc_core::backend::Backend;
use lc_wgpu::{Options, WgpuBackend};

fn main() -> lc_core::Result<()> {
    let backend = WgpuBackend::open(&Options::from_env())?;
    let adapter = backend.adapter();
    println!("{:#?}", adapter.info);
    println!("features: {:?}", adapter.features);
    println!("{:#?}", adapter.limits);
    for shape in &adapter.cooperative {
        println!("{shape:?}");
    }
    for kernel in backend.kernels() {
        println!("{:24} {} {:?} {}", kernel.op.name, kernel.name, kernel.dtypes, kernel.math.name());
    }
    Ok(())
}
