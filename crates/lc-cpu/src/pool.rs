//! One pool of threads for the whole process.
//!
//! A run hands out the indices of its tasks one at a time, so an uneven machine stays busy. The caller works too, and does
//! every task that no worker has taken: it waits for those in progress and never for a worker that has yet to come.
//! Workers spin for a few tens of microseconds after a run and then sleep: a run that follows soon costs no system
//! call, and an idle process costs no processor.
//!
//! One run is served at a time. A run that starts inside a task, or while another thread has the pool, is done by its
//! caller alone: the machine is never asked for more threads than it was given, and no run waits for another.

mod placement;

use placement::Seat;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most threads that [`set_threads`] takes.
pub const MAX_THREADS: usize = 512;

/// How long an idle worker, or a caller whose workers are still busy, spins before it sleeps.
const SPIN: Duration = Duration::from_micros(40);

/// How long it does so without yielding. On a machine with more to do, the thread that it waits for may be in the queue of
/// its own core: to spin on would hold up both. On an idle core a yield returns at once.
const ALONE: Duration = Duration::from_micros(3);

/// Zero until it is first asked for.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The pool of this process. A child after `fork` has none of the workers and starts again from null.
static POOL: AtomicPtr<Pool> = AtomicPtr::new(null_mut());

thread_local! {
    /// Whether this thread is inside a task, where a run must not start another.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

/// How many threads a kernel may use, the caller's own included.
///
/// The value of [`set_threads`], else `LC_NUM_THREADS` as it was when this was first asked, else what the system
/// gives this process.
#[inline]
pub fn threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => initial_threads(),
        n => n,
    }
}

/// Sets what [`threads`] gives, between 1 and [`MAX_THREADS`]; counts from the next run on.
pub fn set_threads(n: usize) {
    THREADS.store(n.clamp(1, MAX_THREADS), Ordering::Relaxed);
}

#[cold]
fn initial_threads() -> usize {
    let wanted = std::env::var("LC_NUM_THREADS").ok().and_then(|s| s.trim().parse::<usize>().ok()).filter(|&n| n > 0);
    let n = wanted.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    // A `set_threads` that came in between stays.
    match THREADS.compare_exchange(0, n.min(MAX_THREADS), Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => n.min(MAX_THREADS),
        Err(set) => set,
    }
}

/// Runs `task(0)`, `task(1)`, … `task(tasks - 1)`, each once, on up to [`threads`] threads, and returns when all are
/// done.
///
/// Allocates nothing once the workers exist.
///
/// # Panics
/// With the payload of the first task that panicked; tasks not yet begun by then are dropped.
#[inline]
pub fn run(tasks: usize, task: &(dyn Fn(usize) + Sync)) {
    run_on(threads(), tasks, task);
}

/// [`run`] on at most `limit` threads.
///
/// # Panics
/// As [`run`].
pub fn run_on(limit: usize, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
    let helpers = limit.min(threads()).min(tasks).saturating_sub(1);
    if helpers > 0 && !IN_TASK.get() {
        let pool = Pool::get();
        if !pool.busy.swap(true, Ordering::Acquire) {
            return pool.lead(helpers, tasks, task);
        }
    }
    for index in 0..tasks {
        task(index);
    }
}

/// The task of a run, with its lifetime erased: no worker touches it after the caller's `run` returns.
#[derive(Clone, Copy)]
struct Job {
    task: *const (dyn Fn(usize) + Sync),
    tasks: usize,
    helpers: usize,
}

/// `Pool::state` holds the number of the run (upper half), whether workers may still join it, whether its caller
/// sleeps until they leave, and how many are inside.
const RUN: u64 = 1 << 32;
const OPEN: u64 = 1 << 31;
const WAITED: u64 = 1 << 30;
const INSIDE: u64 = WAITED - 1;

/// On its own cache lines (two, as processors fetch pairs).
#[repr(align(128))]
struct Line<T>(T);

struct Pool {
    /// Held by the thread whose run this is.
    busy: AtomicBool,
    state: Line<AtomicU64>,
    next: Line<AtomicUsize>,
    /// Written by the holder of `busy` while the run is closed and nobody is inside.
    job: Cell<Option<Job>>,
    /// Only the holder of `busy` counts up.
    workers: AtomicUsize,
    sleepers: AtomicUsize,
    seats: [Seat; MAX_THREADS],
    wake: Condvar,
    done: Condvar,
    /// Guards both conditions, and carries the payload of a panic.
    lock: Mutex<Option<Box<dyn Any + Send>>>,
}

// SAFETY: `job` is the only field that is not `Sync` by itself. It is written by the holder of `busy` before the
// release store that opens a run, and read by workers after they joined it with an acquire; the next write comes after
// the last of them left.
unsafe impl Sync for Pool {}

impl Pool {
    fn get() -> &'static Pool {
        let mut pool = POOL.load(Ordering::Acquire);
        if pool.is_null() {
            pool = Pool::make();
        }
        // SAFETY: never freed.
        unsafe { &*pool }
    }

    #[cold]
    fn make() -> *mut Pool {
        let pool = Box::into_raw(Box::new(Pool {
            busy: AtomicBool::new(false),
            state: Line(AtomicU64::new(0)),
            next: Line(AtomicUsize::new(0)),
            job: Cell::new(None),
            workers: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            seats: [const { Seat::new() }; MAX_THREADS],
            wake: Condvar::new(),
            done: Condvar::new(),
            lock: Mutex::new(None),
        }));
        match POOL.compare_exchange(null_mut(), pool, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                after_fork::watch();
                pool
            }
            Err(first) => {
                // SAFETY: made above and seen by nobody else.
                drop(unsafe { Box::from_raw(pool) });
                first
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        // Nothing under the lock can panic half-way through a change.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `tasks` with up to `helpers` workers. The caller holds `busy`.
    fn lead(&'static self, helpers: usize, tasks: usize, task: &(dyn Fn(usize) + Sync)) {
        self.spawn(helpers);
        placement::part(&self.seats[..helpers]);
        // SAFETY: only the lifetime changes. `lead` does not return before every worker has left the run.
        let task: *const (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(task) };
        let job = Job { task, tasks, helpers };
        self.job.set(Some(job));
        self.next.0.store(0, Ordering::Relaxed);
        let run = (self.state.0.load(Ordering::Relaxed) & !(RUN - 1)).wrapping_add(RUN);
        // Ordered with the sleepers' count: either the worker sees this run or the run sees the sleeper.
        self.state.0.store(run | OPEN, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let _guard = self.lock();
            self.wake.notify_all();
        }

        IN_TASK.set(true);
        self.work(job);
        IN_TASK.set(false);

        let payload = self.close();
        self.busy.store(false, Ordering::Release);
        if let Some(payload) = payload {
            resume_unwind(payload);
        }
    }

    /// Shuts the run to newcomers and waits for those inside.
    fn close(&self) -> Option<Box<dyn Any + Send>> {
        let state = self.state.0.fetch_and(!OPEN, Ordering::AcqRel);
        if state & INSIDE != 0 {
            spin_until(|| self.state.0.load(Ordering::Acquire) & INSIDE == 0);
            let mut guard = self.lock();
            if self.state.0.fetch_or(WAITED, Ordering::AcqRel) & INSIDE != 0 {
                while self.state.0.load(Ordering::Acquire) & INSIDE != 0 {
                    guard = self.done.wait(guard).unwrap_or_else(PoisonError::into_inner);
                }
            }
            return guard.take();
        }
        // Only a task of the caller itself can have panicked, and it left the counter past every task.
        if self.next.0.load(Ordering::Relaxed) >= PANICKED { self.lock().take() } else { None }
    }

    /// Takes tasks until there are none.
    fn work(&self, job: Job) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let index = self.next.0.fetch_add(1, Ordering::Relaxed);
                if index >= job.tasks {
                    break;
                }
                // SAFETY: the caller's `lead` keeps the closure alive while anyone is in the run.
                unsafe { (*job.task)(index) };
            }
        }));
        if let Err(payload) = result {
            self.next.0.store(PANICKED, Ordering::Relaxed);
            let mut guard = self.lock();
            if guard.is_none() {
                *guard = Some(payload);
            }
        }
    }

    fn spawn(&'static self, helpers: usize) {
        while self.workers.load(Ordering::Relaxed) < helpers {
            let rank = self.workers.load(Ordering::Relaxed);
            let name = format!("lc-cpu-{}", rank + 1);
            // Without the thread (a limit of the system) the run is done by fewer.
            if std::thread::Builder::new().name(name).spawn(move || self.serve(rank)).is_err() {
                break;
            }
            self.workers.store(rank + 1, Ordering::Relaxed);
        }
    }

    /// The life of worker number `rank`.
    fn serve(&self, rank: usize) {
        IN_TASK.set(true);
        let mut seen = 0;
        self.seats[rank].sit();
        loop {
            self.seats[rank].note();
            let state = self.next_run(seen);
            seen = state & !(RUN - 1);
            if let Some(job) = self.join(seen, rank) {
                self.work(job);
                let left = self.state.0.fetch_sub(1, Ordering::AcqRel);
                if left & WAITED != 0 && left & INSIDE == 1 {
                    let _guard = self.lock();
                    self.done.notify_one();
                }
            }
        }
    }

    /// Enters run `run` if it is still open and wants this worker.
    fn join(&self, run: u64, rank: usize) -> Option<Job> {
        let mut state = self.state.0.load(Ordering::Relaxed);
        loop {
            if state & !(RUN - 1) != run || state & OPEN == 0 {
                return None;
            }
            match self.state.0.compare_exchange_weak(state, state + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        // Inside the run its job is not changed.
        let job = self.job.get()?;
        if rank < job.helpers {
            return Some(job);
        }
        let left = self.state.0.fetch_sub(1, Ordering::AcqRel);
        if left & WAITED != 0 && left & INSIDE == 1 {
            let _guard = self.lock();
            self.done.notify_one();
        }
        None
    }

    /// Waits for a run other than `seen`.
    fn next_run(&self, seen: u64) -> u64 {
        let fresh = |state: u64| state & !(RUN - 1) != seen;
        if spin_until(|| fresh(self.state.0.load(Ordering::Acquire))) {
            return self.state.0.load(Ordering::Acquire);
        }
        let mut guard = self.lock();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        loop {
            let state = self.state.0.load(Ordering::SeqCst);
            if fresh(state) {
                self.sleepers.fetch_sub(1, Ordering::SeqCst);
                return state;
            }
            guard = self.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Where a panic puts the counter of tasks: past the last, and far from wrapping.
const PANICKED: usize = usize::MAX / 2;

/// Spins until `ready` or [`SPIN`] has passed; tells which. After [`ALONE`] it offers its core to whoever wants it.
fn spin_until(ready: impl Fn() -> bool) -> bool {
    let mut start = None;
    loop {
        for _ in 0..32 {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        let waited = start.get_or_insert_with(Instant::now).elapsed();
        if waited > SPIN {
            return ready();
        }
        if waited > ALONE {
            std::thread::yield_now();
        }
    }
}

#[cfg(unix)]
mod after_fork {
    use super::{IN_TASK, POOL};
    use std::ptr::null_mut;
    use std::sync::Once;
    use std::sync::atomic::Ordering;

    unsafe extern "C" {
        fn pthread_atfork(
            prepare: Option<unsafe extern "C" fn()>,
            parent: Option<unsafe extern "C" fn()>,
            child: Option<unsafe extern "C" fn()>,
        ) -> i32;
    }

    /// In the child: forgets the pool, whose workers and perhaps locked mutex stayed in the parent.
    unsafe extern "C" fn child() {
        POOL.store(null_mut(), Ordering::Relaxed);
        let _ = IN_TASK.try_with(|flag| flag.set(false));
    }

    pub fn watch() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            // SAFETY: the handler only stores to an atomic and to a thread-local without destructor. Should the
            // registration fail for lack of memory, a child that runs kernels would wait for its parent's workers.
            unsafe { pthread_atfork(None, None, Some(child)) };
        });
    }
}

#[cfg(not(unix))]
mod after_fork {
    pub fn watch() {}
}
