//! Devices that are opened at first use: when, how often, and what is said when that fails.

mod common;

use common::{REGISTRY, ZIP, on, spec, zip_attrs};
use lc_core::backend::Backend;
use lc_core::null::NullBackend;
use lc_core::policy::PackedPolicy;
use lc_core::{
    DeviceKind, DeviceRequest, EffectivePolicy, Error, ErrorKind, Fallback, LazyBackend, Policy, Reason, Result,
    Runtime,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn cpu() -> Vec<Arc<dyn Backend>> {
    vec![NullBackend::with_kind(DeviceKind::Cpu, &REGISTRY)]
}

fn effective(policy: &Policy) -> EffectivePolicy {
    EffectivePolicy::of(policy.pack(), PackedPolicy::UNSET)
}

fn chosen(runtime: &Runtime, policy: &Policy) -> Result<(DeviceKind, Reason)> {
    let call = runtime.resolve(&ZIP, &zip_attrs(), &[spec(4), spec(4), None], effective(policy))?;
    Ok((call.receipt().selected, call.receipt().reason))
}

fn auto() -> Policy {
    Policy { device: Some(DeviceRequest::Auto), ..Policy::default() }
}

#[test]
fn a_device_is_opened_when_it_is_asked_for_and_once() {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    let open = || {
        OPENED.fetch_add(1, Ordering::Relaxed);
        Ok(NullBackend::with_kind(DeviceKind::Vulkan, &REGISTRY) as Arc<dyn Backend>)
    };
    let runtime = Runtime::with_lazy(REGISTRY, cpu(), vec![LazyBackend { kind: DeviceKind::Vulkan, open }]);
    for policy in [auto(), on(DeviceKind::Cpu, Fallback::Deny), on(DeviceKind::Cuda, Fallback::Allow)] {
        assert_eq!(chosen(&runtime, &policy).unwrap().0, DeviceKind::Cpu);
    }
    assert_eq!(runtime.preferred(), DeviceKind::Cpu);
    assert_eq!((runtime.backends().len(), OPENED.load(Ordering::Relaxed)), (1, 0), "nobody named it");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let policy = on(DeviceKind::Vulkan, Fallback::Deny);
                assert_eq!(chosen(&runtime, &policy).unwrap(), (DeviceKind::Vulkan, Reason::Requested));
            });
        }
    });
    assert_eq!((runtime.backends().len(), OPENED.load(Ordering::Relaxed)), (2, 1));
    assert_eq!(chosen(&runtime, &auto()).unwrap().0, DeviceKind::Cpu, "open, and still never a silent choice");
}

#[test]
fn auto_opens_metal() {
    let open = || Ok(NullBackend::with_kind(DeviceKind::Metal, &REGISTRY) as Arc<dyn Backend>);
    let runtime = Runtime::with_lazy(REGISTRY, cpu(), vec![LazyBackend { kind: DeviceKind::Metal, open }]);
    assert_eq!(chosen(&runtime, &on(DeviceKind::Cpu, Fallback::Deny)).unwrap().0, DeviceKind::Cpu);
    assert_eq!(runtime.backends().len(), 1);
    assert_eq!(chosen(&runtime, &auto()).unwrap(), (DeviceKind::Metal, Reason::Best));
    assert_eq!(runtime.preferred(), DeviceKind::Metal);
}

#[test]
fn what_failed_is_kept_and_told() {
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    let open = || {
        TRIED.fetch_add(1, Ordering::Relaxed);
        Err(Error::unsupported("vulkan", "a GPU with a driver", "none"))
    };
    let runtime = Runtime::with_lazy(REGISTRY, cpu(), vec![LazyBackend { kind: DeviceKind::Vulkan, open }]);
    let error = chosen(&runtime, &on(DeviceKind::Vulkan, Fallback::Deny)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSupported);
    assert!(error.hint_text().contains("expected a GPU with a driver, got none"), "{error}");
    let fallen = chosen(&runtime, &on(DeviceKind::Vulkan, Fallback::Allow)).unwrap();
    assert_eq!(fallen, (DeviceKind::Cpu, Reason::Unavailable));
    let error = lc_core::dense::place(&runtime, effective(&on(DeviceKind::Vulkan, Fallback::Deny))).err().unwrap();
    assert!(error.hint_text().contains("a GPU with a driver"), "{error}");
    assert_eq!(TRIED.load(Ordering::Relaxed), 1, "it is not tried again and again");
}
