//! What a resident step costs the caller: `run()` without a wait over a small op, per dispatch, submission included.
//!
//!     cargo run --release -p lc-wgpu --example encode_cost

use lc_core::backend::Backend;
use lc_core::{Attrs, DType, DeviceRequest, Fallback, Policy, Runtime, Shape, TensorRef, TensorSpec};
use lc_wgpu::{Adapter, Options, WgpuBackend};
use std::sync::Arc;
use std::time::Instant;

fn main() -> lc_core::Result<()> {
    let device = WgpuBackend::open(&Options { validation: false, ..Options::from_env() })?;
    println!("{} ({})", device.adapter().info.name, device.adapter().info.driver_info);
    let runtime = Runtime::new(lc_ops::REGISTRY, vec![device.clone() as Arc<dyn Backend>]);
    let policy =
        Policy { device: Some(DeviceRequest::Is(Adapter::KIND)), fallback: Some(Fallback::Deny), ..Policy::default() };
    let spec = Some(TensorSpec::new(DType::F32, Shape::new(&[64])?));
    let mut session = runtime.session(&lc_ops::ADD, &Attrs::NONE, &[spec, spec], policy.pack())?;
    let data = vec![1f32; 64];
    let input = Some(TensorRef::new(&data, &[64])?);
    session.start(&[input, input])?;
    session.sync()?;
    let rounds = 200;
    // Below the number at which a session waits by itself.
    let launches = 200;
    let (mut encode, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..launches {
            session.run()?;
        }
        encode.push(start.elapsed().as_nanos() as f64 / f64::from(launches));
        session.sync()?;
        whole.push(start.elapsed().as_nanos() as f64 / f64::from(launches));
    }
    for (name, times) in [("encode", &mut encode), ("encode, submit, run and wait", &mut whole)] {
        times.sort_by(f64::total_cmp);
        let at = |part: usize| times[times.len() * part / 100];
        println!("{name}: median {:.0} ns a launch (10 % {:.0}, 90 % {:.0})", at(50), at(10), at(90));
    }
    Ok(())
}
