//! Keeps workers off the core of the thread that they help.
//!
//! After both cores were busy the scheduler of Linux may wake a worker in the queue of its caller's core while another
//! core idles, and takes milliseconds to notice: until then two threads share one core. The caller knows better, so it
//! looks where each worker was last, and takes its own core out of the worker's set if that is the same.

use std::sync::atomic::{AtomicU32, Ordering};

/// No thread, and no core.
const NONE: u32 = u32::MAX;

/// Which thread a worker is, on which core it was when it last looked, and which core it was sent away from since.
pub struct Seat {
    thread: AtomicU32,
    core: AtomicU32,
    left: AtomicU32,
}

impl Seat {
    pub const fn new() -> Seat {
        Seat { thread: AtomicU32::new(NONE), core: AtomicU32::new(NONE), left: AtomicU32::new(NONE) }
    }

    /// Called by the worker itself, once.
    pub fn sit(&self) {
        if let Some(thread) = system::thread() {
            self.note();
            self.thread.store(thread, Ordering::Release);
        }
    }

    /// Called by the worker before it waits. Writes only what changed: callers read all seats.
    #[inline]
    pub fn note(&self) {
        let core = system::core();
        if self.core.load(Ordering::Relaxed) != core {
            self.core.store(core, Ordering::Relaxed);
        }
    }
}

/// Moves those workers away that were last on the core of the caller, or may be there again: one that was sent away from
/// another core and has not looked since.
#[inline]
pub fn part(seats: &[Seat]) {
    let core = system::core();
    if core == NONE {
        return;
    }
    for seat in seats {
        let at = seat.core.load(Ordering::Relaxed);
        if at == core || (at == NONE && seat.left.load(Ordering::Relaxed) != core) {
            send_away(seat, core);
        }
    }
}

#[cold]
fn send_away(seat: &Seat, core: u32) {
    let thread = seat.thread.load(Ordering::Acquire);
    if thread != NONE && system::keep_off(thread, core) {
        // It says where it is when it next looks.
        seat.core.store(NONE, Ordering::Relaxed);
        seat.left.store(core, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use super::NONE;
    use std::mem::{size_of, zeroed};

    pub fn thread() -> Option<u32> {
        // SAFETY: takes nothing and cannot fail.
        u32::try_from(unsafe { libc::gettid() }).ok()
    }

    #[inline]
    pub fn core() -> u32 {
        // SAFETY: takes nothing; a kernel without the call gives -1.
        u32::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(NONE)
    }

    /// Gives `thread` the caller's cores except `core`; tells whether any are left and the system agreed.
    pub fn keep_off(thread: u32, core: u32) -> bool {
        // SAFETY: a set of bits, for which zero is a value; the two calls get its size. `core` comes from the system and is
        // below the size of the set, which is checked, as beyond it CPU_CLR would panic.
        unsafe {
            let mut set: libc::cpu_set_t = zeroed();
            if core as usize >= 8 * size_of::<libc::cpu_set_t>()
                || libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) != 0
            {
                return false;
            }
            libc::CPU_CLR(core as usize, &mut set);
            libc::CPU_COUNT(&set) > 0 && libc::sched_setaffinity(thread as i32, size_of::<libc::cpu_set_t>(), &set) == 0
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn thread() -> Option<u32> {
        None
    }

    pub fn core() -> u32 {
        super::NONE
    }

    pub fn keep_off(_thread: u32, _core: u32) -> bool {
        false
    }
}
