//! The devices of a runtime: those that it was given, and those that it opens at first use.
//!
//! A device is opened when a call, a session or a query asks for it by name, and Metal and CUDA also when "auto" or a
//! fallback would prefer them. So a process that computes on the CPU loads no GPU driver.

use crate::backend::Backend;
use crate::device::{DeviceKind, DeviceRequest};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::{EffectivePolicy, Fallback};
use std::sync::{Arc, Mutex, OnceLock};

/// How often a device that was lost is opened again before the process gives up on it.
const REOPENINGS: usize = 8;

/// How to open a device at first use.
#[derive(Clone, Copy, Debug)]
pub struct LazyBackend {
    /// What it will be.
    pub kind: DeviceKind,
    /// Opens it. Called once, and again after the device was lost.
    pub open: fn() -> Result<Arc<dyn Backend>>,
}

/// A device that may be open.
struct Slot {
    how: LazyBackend,
    /// One after the other: each but the last was lost.
    opened: [OnceLock<Arc<dyn Backend>>; REOPENINGS],
    failure: OnceLock<Error>,
    opening: Mutex<()>,
}

impl Slot {
    fn new(how: LazyBackend) -> Slot {
        Slot { how, opened: [const { OnceLock::new() }; REOPENINGS], failure: OnceLock::new(), opening: Mutex::new(()) }
    }

    /// The device, if it is open and works.
    fn current(&self) -> Option<&Arc<dyn Backend>> {
        self.opened.iter().map_while(OnceLock::get).find(|backend| !backend.lost())
    }

    /// The device, opened now if it is not.
    fn get(&self) -> Option<&Arc<dyn Backend>> {
        if let Some(backend) = self.current() {
            return Some(backend);
        }
        let _turn = self.opening.lock().unwrap_or_else(|e| e.into_inner());
        if self.failure.get().is_some() {
            return None;
        }
        if let Some(backend) = self.current() {
            return Some(backend);
        }
        let Some(free) = self.opened.iter().find(|slot| slot.get().is_none()) else {
            let kind = self.how.kind;
            let error = Error::new(ErrorKind::DriverError, kind.name())
                .got(format!("a device that was lost {REOPENINGS} times"))
                .hint("restart the process");
            self.failure.get_or_init(|| error);
            return None;
        };
        match (self.how.open)() {
            Ok(backend) => Some(free.get_or_init(|| backend)),
            Err(error) => {
                self.failure.get_or_init(|| error);
                None
            }
        }
    }
}

/// See the module's text.
pub(crate) struct Devices {
    given: Vec<Arc<dyn Backend>>,
    slots: Vec<Slot>,
}

/// Whether "auto" and fallbacks may take a device of that kind. Vulkan is never a silent choice.
fn silent(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::Metal | DeviceKind::Cuda)
}

impl Devices {
    pub(crate) fn new(given: Vec<Arc<dyn Backend>>, lazy: Vec<LazyBackend>) -> Devices {
        Devices { given, slots: lazy.into_iter().map(Slot::new).collect() }
    }

    fn given(&self, kind: DeviceKind) -> Option<&Arc<dyn Backend>> {
        self.given.iter().find(|backend| backend.descriptor().kind == kind)
    }

    fn slot(&self, kind: DeviceKind) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.how.kind == kind)
    }

    /// The device of that kind, opened now if it is not.
    pub(crate) fn get(&self, kind: DeviceKind) -> Option<&Arc<dyn Backend>> {
        self.given(kind).or_else(|| self.slot(kind)?.get())
    }

    /// [`Devices::get`], unless it is a stand-in and the policy denies those.
    pub(crate) fn get_under(&self, kind: DeviceKind, policy: EffectivePolicy) -> Option<&Arc<dyn Backend>> {
        let stand_in = |backend: &&Arc<dyn Backend>| backend.stand_in().is_some();
        let denied = policy.fallback() == Fallback::Deny;
        self.given(kind).or_else(|| self.slot(kind)?.get().filter(|backend| !(denied && stand_in(backend))))
    }

    /// Every device that is open.
    pub(crate) fn open(&self) -> Vec<Arc<dyn Backend>> {
        self.given.iter().chain(self.slots.iter().filter_map(Slot::current)).cloned().collect()
    }

    /// Every device that is here; opens all of them.
    pub(crate) fn every(&self) -> Vec<Arc<dyn Backend>> {
        self.given.iter().chain(self.slots.iter().filter_map(Slot::get)).cloned().collect()
    }

    /// The devices that a call under a policy may run on.
    pub(crate) fn candidates(&self, policy: EffectivePolicy) -> Vec<Arc<dyn Backend>> {
        let requested = policy.device();
        let mut found = self.given.clone();
        for slot in &self.slots {
            let kind = slot.how.kind;
            let backend = match requested {
                DeviceRequest::Is(asked) if asked == kind => self.get_under(kind, policy),
                DeviceRequest::Is(DeviceKind::Cpu | DeviceKind::Null) => None,
                _ if silent(kind) => slot.get().filter(|backend| backend.stand_in().is_none()),
                _ => None,
            };
            found.extend(backend.cloned());
        }
        found
    }

    /// Why the device of that kind is not here, if opening it failed.
    pub(crate) fn failure(&self, kind: DeviceKind) -> Option<&Error> {
        let slot = self.slot(kind)?;
        if slot.current().is_some() { None } else { slot.failure.get() }
    }

    /// Why a call under the policy does not get the device that it names; `None` if it does, or if this build lacks it.
    pub(crate) fn why_not(&self, policy: EffectivePolicy) -> Option<String> {
        let DeviceRequest::Is(kind) = policy.device() else { return None };
        if let Some(failure) = self.failure(kind) {
            return Some(failure.to_string());
        }
        if self.given(kind).is_some() || policy.fallback() != Fallback::Deny {
            return None;
        }
        let backend = self.slot(kind)?.current()?;
        let how = backend.stand_in()?;
        Some(format!("the only adapter, {}, is a software one: {how}", backend.descriptor().name))
    }

    /// Adds to an error's hint why the device that the policy names is not here.
    pub(crate) fn explain(&self, error: Error, policy: EffectivePolicy) -> Error {
        if error.kind() != ErrorKind::NotSupported {
            return error;
        }
        match self.why_not(policy) {
            Some(why) if error.hint_text().is_empty() => error.hint(why),
            Some(why) => {
                let hint = format!("{why}; or {}", error.hint_text());
                error.hint(hint)
            }
            None => error,
        }
    }
}
