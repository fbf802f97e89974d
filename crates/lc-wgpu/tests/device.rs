//! Memory, submission, waiting, failure: what the backend promises apart from its kernels.

mod common;

use common::{assert_no_messages, open, options, strict, values};
use lc_core::backend::{Backend, Memory};
use lc_core::null::NullBackend;
use lc_core::trace::{self, EventType};
use lc_core::{
    Attrs, DType, DeviceKind, ErrorKind, LazyBackend, Reason, Runtime, Session, Shape, TensorMut, TensorRef, TensorSpec,
};
use lc_wgpu::{Adapter, Options, WgpuBackend};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn runtime(device: &Arc<WgpuBackend>) -> Runtime {
    Runtime::new(lc_ops::REGISTRY, vec![device.clone() as Arc<dyn Backend>])
}

/// A stand-in for the processor: these tests look at where calls go, not at what they compute there.
fn processor() -> Arc<dyn Backend> {
    NullBackend::with_kind(DeviceKind::Cpu, &lc_ops::REGISTRY)
}

fn spec(dims: &[usize]) -> Option<TensorSpec> {
    Some(TensorSpec::new(DType::F32, Shape::new(dims).unwrap()))
}

/// A started session that adds vectors of `count` elements.
fn adder(runtime: &Runtime, count: usize) -> lc_core::Result<Session> {
    let mut session = runtime.session(&lc_ops::ADD, &Attrs::NONE, &[spec(&[count]), spec(&[count])], strict())?;
    let (a, b) = (values(1, count), values(2, count));
    session.start(&[Some(TensorRef::new(&a, &[count])?), Some(TensorRef::new(&b, &[count])?)])?;
    Ok(session)
}

fn assert_sum(session: &mut Session, count: usize) {
    let mut out = vec![0f32; count];
    session.finish(&mut [TensorMut::new(&mut out, &[count]).unwrap()]).expect("finishes");
    for ((got, a), b) in out.iter().zip(values(1, count)).zip(values(2, count)) {
        assert_eq!(*got, a + b);
    }
}

#[test]
fn copies_bring_back_what_they_took_whatever_the_size_and_layout() {
    for in_place in [true, false] {
        let Some(device) = open(&Options { in_place, ..options() }) else { return };
        // From one element to several pieces, the last one odd.
        for count in [1usize, 3, 1000, (1 << 20) + 1, (9 << 20) + 5] {
            let data = values(count as u64, count);
            let buffer = device.allocate(count * 4 + 512).expect("memory");
            for offset in [0, 256] {
                device.upload(&TensorRef::new(&data, &[count]).unwrap(), &buffer, offset).expect("uploads");
                let mut back = vec![0f32; count];
                let mut view = TensorMut::new(&mut back, &[count]).unwrap();
                device.download(&buffer, offset, &mut view).expect("downloads");
                assert!(back == data, "{count} elements at {offset}, in place: {in_place}");
            }
        }
        let (rows, columns) = (1500usize, 2003usize);
        let data = values(7, rows * columns);
        let buffer = device.allocate(rows * columns * 4).expect("memory");
        let layouts: [(&str, usize, [usize; 2], [isize; 2]); 4] = [
            ("transposed", 0, [columns, rows], [1, columns as isize]),
            ("reversed", (rows - 1) * columns, [rows, columns], [-(columns as isize), 1]),
            ("every other column", 1, [rows, columns / 2], [columns as isize, 2]),
            ("one row again and again", 0, [rows, columns], [0, 1]),
        ];
        for (name, first, dims, strides) in layouts {
            let view = TensorRef::strided(&data, first, &dims, &strides).unwrap();
            device.upload(&view, &buffer, 0).expect("uploads");
            let mut back = vec![0f32; dims[0] * dims[1]];
            device.download(&buffer, 0, &mut TensorMut::new(&mut back, &dims).unwrap()).expect("downloads");
            for i in 0..dims[0] {
                for j in 0..dims[1] {
                    let at = first as isize + i as isize * strides[0] + j as isize * strides[1];
                    assert_eq!(back[i * dims[1] + j], data[at as usize], "{name} [{i}, {j}], in place: {in_place}");
                }
            }
        }
        let too_long = TensorRef::new(&data, &[rows * columns]).unwrap();
        assert_eq!(device.upload(&too_long, &buffer, 4).expect_err("no room").kind(), ErrorKind::InvalidValue);
        assert_no_messages();
    }
}

#[test]
fn uploads_reuse_a_few_chunks() {
    let Some(device) = open(&Options { in_place: false, ..options() }) else { return };
    let data = values(3, 6 << 20);
    let buffer = device.allocate(data.len() * 4).expect("memory");
    for _ in 0..8 {
        device.upload(&TensorRef::new(&data, &[data.len()]).unwrap(), &buffer, 0).expect("uploads");
    }
    device.sync().synchronize().expect("waits");
    assert!(device.stream().chunks() <= 12, "{} chunks for 192 MiB", device.stream().chunks());
}

#[test]
fn a_resident_step_is_one_dispatch_and_allocates_nothing() {
    let Some(device) = open(&options()) else { return };
    let runtime = runtime(&device);
    let mut session = adder(&runtime, 1000).expect("a session");
    session.sync().expect("waits");
    let counts = || {
        let stream = device.stream();
        (stream.counts().1, stream.compiled(), stream.bind_groups(), stream.chunks(), device.pool().made())
    };
    let before = counts();
    for _ in 0..300 {
        session.run().expect("runs");
    }
    session.sync().expect("waits");
    let after = counts();
    assert_eq!(after.0 - before.0, 300, "dispatches");
    assert_eq!((after.1, after.2, after.3, after.4), (before.1, before.2, before.3, before.4), "something was made");
    assert_sum(&mut session, 1000);
    assert_no_messages();
}

/// Resident memory of this process, where the system tells.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split_whitespace().nth(1)?.parse::<u64>().ok()? * 4096)
}

#[test]
fn ten_thousand_submissions_grow_nothing() {
    // Without the layers, which keep records of their own.
    let Some(device) = open(&Options { validation: false, ..options() }) else { return };
    let runtime = runtime(&device);
    let mut session = adder(&runtime, 64).expect("a session");
    let mut step = |count: usize| {
        for _ in 0..count {
            session.run().expect("runs");
            session.sync().expect("waits");
        }
    };
    step(1000);
    let (submissions, _) = device.stream().counts();
    let (groups, made, resident) = (device.stream().bind_groups(), device.pool().made(), resident_bytes());
    step(10_000);
    assert!(device.stream().counts().0 - submissions >= 10_000, "each wait is a submission");
    assert_eq!((device.stream().bind_groups(), device.pool().made()), (groups, made));
    assert_eq!(device.stream().outstanding(), 0);
    if let (Some(before), Some(after)) = (resident, resident_bytes()) {
        assert!(after < before + (8 << 20), "{} KiB more", (after - before) >> 10);
    }
    assert_sum(&mut session, 64);
}

#[test]
fn one_shot_calls_return_what_they_took() {
    let Some(device) = open(&options()) else { return };
    let runtime = runtime(&device);
    let (a, b) = (values(1, 5000), values(2, 5000));
    let mut out = vec![0f32; 5000];
    let mut call = || {
        let inputs = [Some(TensorRef::new(&a, &[5000]).unwrap()), Some(TensorRef::new(&b, &[5000]).unwrap())];
        let mut results = [TensorMut::new(&mut out, &[5000]).unwrap()];
        runtime.call(&lc_ops::ADD, &Attrs::NONE, &inputs, &mut results, strict()).expect("runs")
    };
    let receipt = call();
    assert_eq!((receipt.launches, receipt.bytes_uploaded, receipt.bytes_downloaded), (1, 40_000, 20_000));
    let before = (device.pool().in_use(), device.pool().made(), device.stream().bind_groups());
    for _ in 0..200 {
        call();
    }
    assert_eq!((device.pool().in_use(), device.pool().made(), device.stream().bind_groups()), before);
    assert!(out.iter().zip(a.iter().zip(&b)).all(|(x, (a, b))| *x == a + b));
    assert_no_messages();
}

#[test]
fn a_small_limit_makes_many_submissions_and_few_are_outstanding() {
    let count = 1 << 18;
    let Some(device) = open(&Options { max_ms_per_submit: 1, in_flight: 3, ..options() }) else { return };
    let runtime = runtime(&device);
    let mut session = adder(&runtime, count).expect("a session");
    let before = device.stream().counts().0;
    let submissions = || device.stream().counts().0 - before;
    // A fast adapter takes many of these for one limit.
    let mut runs = 0;
    while submissions() < 4 && runs < 100_000 {
        session.run().expect("runs");
        runs += 1;
        assert!(device.stream().outstanding() <= 3);
    }
    session.sync().expect("waits");
    assert!(submissions() >= 4, "{} submissions of {runs} runs", submissions());
    assert_sum(&mut session, count);

    let Some(device) = open(&Options { max_ms_per_submit: 60_000, ..options() }) else { return };
    let runtime = self::runtime(&device);
    let mut session = adder(&runtime, 64).expect("a session");
    let (before, _) = device.stream().counts();
    for _ in 0..200 {
        session.run().expect("runs");
    }
    session.sync().expect("waits");
    assert_eq!(device.stream().counts().0 - before, 1, "small work goes together");
}

#[test]
fn too_much_memory_is_an_error_and_nothing_else() {
    let Some(device) = open(&options()) else { return };
    let runtime = runtime(&device);
    let mut session = adder(&runtime, 100).expect("a session");
    for bytes in [1usize << 50, usize::MAX] {
        let error = device.allocate(bytes).expect_err("no such memory");
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
    }
    let huge = [spec(&[1 << 24, 1 << 24]), spec(&[1 << 24, 1 << 24])];
    let error = runtime.session(&lc_ops::ADD, &Attrs::NONE, &huge, strict()).expect_err("no such memory");
    assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
    session.run().expect("the other session works");
    assert_sum(&mut session, 100);
    assert_no_messages();
}

#[test]
fn a_lost_device_poisons_its_sessions_and_is_opened_again() {
    static OPENED: Mutex<Vec<Arc<WgpuBackend>>> = Mutex::new(Vec::new());
    let how = || {
        let device = WgpuBackend::open(&options())?;
        OPENED.lock().unwrap().push(device.clone());
        Ok(device as Arc<dyn Backend>)
    };
    if open(&options()).is_none() {
        return;
    }
    let lazy = LazyBackend { kind: Adapter::KIND, open: how };
    let runtime = Runtime::with_lazy(lc_ops::REGISTRY, vec![processor()], vec![lazy]);
    // Without a name a software adapter needs leave: this policy gives it.
    let allow = lc_core::Policy {
        device: Some(lc_core::DeviceRequest::Is(Adapter::KIND)),
        fallback: Some(lc_core::Fallback::Allow),
        ..lc_core::Policy::default()
    };
    let data = values(1, 100);
    let input = || Some(TensorRef::new(&data, &[100]).unwrap());
    let make = || runtime.session(&lc_ops::ADD, &Attrs::NONE, &[spec(&[100]), spec(&[100])], allow.pack());
    let mut session = make().expect("a session");
    let mut other = make().expect("a session");
    session.start(&[input(), input()]).expect("starts");
    other.start(&[input(), input()]).expect("starts");
    session.sync().expect("waits");
    OPENED.lock().unwrap()[0].adapter().device.destroy();
    let failed = (0..3).find_map(|_| session.run().and_then(|_| session.sync()).err()).expect("the device is gone");
    assert_eq!(failed.kind(), ErrorKind::DriverError, "{failed}");
    assert!(session.run().is_err() && session.sync().is_err(), "poisoned for good");
    assert!(other.run().and_then(|_| other.sync()).is_err(), "its device is gone as well");

    let mut fresh = make().expect("a session on a fresh device");
    assert_eq!(fresh.call().receipt().selected, Adapter::KIND);
    assert_eq!(OPENED.lock().unwrap().len(), 2);
    fresh.start(&[input(), input()]).expect("starts");
    let mut out = vec![0f32; 100];
    fresh.finish(&mut [TensorMut::new(&mut out, &[100]).unwrap()]).expect("finishes");
    assert!(out.iter().zip(&data).all(|(x, a)| *x == a + a));
    drop((session, other));
}

#[test]
fn a_software_adapter_that_nobody_named_says_so_and_needs_leave() {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    let how = || {
        OPENED.fetch_add(1, Ordering::Relaxed);
        Ok(WgpuBackend::open(&Options { adapter: None, ..options() })? as Arc<dyn Backend>)
    };
    let Some(device) = open(&Options { adapter: None, ..options() }) else { return };
    let lazy = LazyBackend { kind: Adapter::KIND, open: how };
    let cpu = processor();
    let runtime = Runtime::with_lazy(lc_ops::REGISTRY, vec![cpu], vec![lazy]);
    let inputs = [spec(&[8]), spec(&[8])];
    let resolve = |device: &str, fallback: lc_core::Fallback| {
        let device = Some(lc_core::DeviceRequest::from_name(device).unwrap());
        let policy = lc_core::Policy { device, fallback: Some(fallback), ..lc_core::Policy::default() };
        let policy = lc_core::EffectivePolicy::of(policy.pack(), lc_core::PackedPolicy::UNSET);
        runtime.resolve(&lc_ops::ADD, &Attrs::NONE, &inputs, policy)
    };
    let kind = Adapter::KIND.name();
    let auto = resolve("auto", lc_core::Fallback::Deny).expect("something runs it");
    if Adapter::KIND == DeviceKind::Vulkan {
        assert_eq!(auto.receipt().selected.name(), "cpu");
        assert_eq!(OPENED.load(Ordering::Relaxed), 0, "nobody asked for it");
    }
    let allowed = resolve(kind, lc_core::Fallback::Allow).expect("runs").receipt();
    assert_eq!(allowed.selected, Adapter::KIND);
    let denied = resolve(kind, lc_core::Fallback::Deny);
    if device.adapter().software() {
        assert_eq!((allowed.reason, allowed.fallback), (Reason::Software, false));
        let error = denied.expect_err("nobody named it");
        assert_eq!(error.kind(), ErrorKind::NotSupported);
        assert!(error.hint_text().contains("LC_VULKAN_ADAPTER"), "{error}");
        assert!(error.hint_text().contains(&device.adapter().info.name), "{error}");
    } else {
        assert_eq!(allowed.reason, Reason::Requested);
        assert_eq!(denied.expect("the real thing").receipt().selected, Adapter::KIND);
    }
    assert!(OPENED.load(Ordering::Relaxed) <= 1);
}

#[test]
fn an_adapter_that_is_not_there_is_named_in_the_error() {
    let how = || {
        Ok(WgpuBackend::open(&Options { adapter: Some("no such adapter".into()), ..options() })? as Arc<dyn Backend>)
    };
    let cpu = processor();
    let lazy = LazyBackend { kind: Adapter::KIND, open: how };
    let runtime = Runtime::with_lazy(lc_ops::REGISTRY, vec![cpu], vec![lazy]);
    let error = runtime
        .session(&lc_ops::ADD, &Attrs::NONE, &[spec(&[8]), spec(&[8])], strict())
        .expect_err("there is no such adapter");
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(
        error.hint_text().contains("no such adapter") && error.hint_text().contains("LC_VULKAN_ADAPTER"),
        "{error}"
    );
    assert!(runtime.open_failure(Adapter::KIND).is_some());
}

#[test]
fn eight_threads_have_sessions_of_their_own() {
    let Some(device) = open(&options()) else { return };
    let runtime = runtime(&device);
    std::thread::scope(|scope| {
        for thread in 0..8usize {
            let runtime = &runtime;
            scope.spawn(move || {
                let count = 100 + 1000 * thread;
                for round in 0..6 {
                    let mut session = adder(runtime, count).expect("a session");
                    for _ in 0..20 {
                        session.run().expect("runs");
                        if round % 2 == 0 {
                            session.sync().expect("waits");
                        }
                    }
                    assert_sum(&mut session, count);
                }
            });
        }
    });
    assert_no_messages();
}

#[test]
fn launches_are_timed_by_the_device_while_the_trace_is_on() {
    let Some(device) = open(&options()) else { return };
    let runtime = runtime(&device);
    let mut session = adder(&runtime, 1 << 14).expect("a session");
    session.sync().expect("waits");
    assert!(device.profile().take_durations().is_empty(), "the trace is off");
    trace::enable(true);
    trace::clear();
    // More than a submission can time.
    for _ in 0..300 {
        session.run().expect("runs");
    }
    session.sync().expect("waits");
    trace::enable(false);
    let durations = device.profile().take_durations();
    let events: Vec<_> = trace::events().into_iter().filter(|e| e.kind == EventType::DeviceWork).collect();
    if !device.descriptor().device_timestamps {
        assert!(durations.is_empty() && events.is_empty());
        return;
    }
    assert_eq!((durations.len(), events.len()), (300, 300));
    assert!(durations.iter().any(|ns| *ns > 0), "additions take time");
    for (event, ns) in events.iter().zip(&durations) {
        assert_eq!((event.duration_ns, event.selected), (*ns, Some(Adapter::KIND)));
        assert!(event.kernel.text().contains("elementwise"), "{:?}", event.kernel.text());
    }
    assert!(device.profile().take_durations().is_empty(), "they are taken once");
    session.run().expect("runs without the trace again");
    assert_sum(&mut session, 1 << 14);
    assert_no_messages();
}

#[test]
fn compiled_kernels_are_kept_on_disk_and_a_spoiled_file_is_ignored() {
    let directory = std::env::temp_dir().join(format!("lc-wgpu-cache-{}", std::process::id()));
    let with_cache = || open(&Options { cache_dir: Some(directory.clone()), ..options() });
    let use_it = |device: &Arc<WgpuBackend>| {
        let runtime = runtime(device);
        let mut session = adder(&runtime, 100).expect("a session");
        assert_sum(&mut session, 100);
    };
    let Some(first) = with_cache() else { return };
    assert!(!first.stream().cache_loaded());
    use_it(&first);
    if !first.adapter().features.contains(wgpu::Features::PIPELINE_CACHE) {
        return;
    }
    let files = || {
        let entries = std::fs::read_dir(&directory).expect("a directory");
        entries.map(|entry| entry.expect("an entry").path()).collect::<Vec<_>>()
    };
    let file = files().pop().expect("a file");
    assert_eq!(files().len(), 1, "{:?}", files());
    let second = with_cache().expect("opens");
    assert!(second.stream().cache_loaded());
    use_it(&second);

    let sound = std::fs::read(&file).expect("reads");
    let mut flipped = sound.clone();
    *flipped.last_mut().expect("data") ^= 1;
    for (what, bytes) in [("flipped", &flipped[..]), ("cut", &sound[..sound.len() / 2]), ("empty", &[])] {
        std::fs::write(&file, bytes).expect("writes");
        let device = with_cache().expect("opens");
        assert!(!device.stream().cache_loaded(), "{what}");
        use_it(&device);
        assert!(std::fs::read(&file).expect("reads").len() > 32, "{what}: written anew");
    }
    std::fs::remove_dir_all(&directory).expect("removes");
    assert_no_messages();
}
