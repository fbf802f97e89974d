//! The pool of threads: every task once, whoever calls and whatever the tasks do.
#![allow(missing_docs)]

use lc_cpu::pool;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The number of threads is one setting of the whole process: tests that set it take turns.
static TURN: Mutex<()> = Mutex::new(());

fn with_threads(n: usize, f: impl FnOnce()) {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    pool::set_threads(n);
    f();
}

fn count(tasks: usize) {
    let hits: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
    pool::run(tasks, &|i| {
        hits[i].fetch_add(1, Ordering::Relaxed);
    });
    assert!(hits.iter().all(|h| h.load(Ordering::Relaxed) == 1), "{tasks} tasks");
}

#[test]
fn every_task_runs_once() {
    for threads in [1, 2, 3, 8] {
        with_threads(threads, || (0..300).for_each(|n| count(n % 50)));
    }
}

#[test]
fn tasks_run_side_by_side() {
    with_threads(3, || {
        let inside = AtomicUsize::new(0);
        // Nobody leaves before all three are in: only three threads can do this.
        pool::run(3, &|_| {
            inside.fetch_add(1, Ordering::SeqCst);
            let start = Instant::now();
            while inside.load(Ordering::SeqCst) < 3 {
                assert!(start.elapsed() < Duration::from_secs(20), "a task waits for a thread that never comes");
                std::thread::yield_now();
            }
        });
    });
}

#[test]
fn sleeping_workers_wake() {
    with_threads(2, || {
        for _ in 0..20 {
            count(9);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
}

#[test]
fn caller_sleeps_until_a_slow_worker_is_done() {
    with_threads(2, || {
        let done = AtomicUsize::new(0);
        pool::run(2, &|_| {
            std::thread::sleep(Duration::from_millis(if done.fetch_add(1, Ordering::SeqCst) == 0 { 1 } else { 5 }));
            done.fetch_add(10, Ordering::SeqCst);
        });
        assert_eq!(done.load(Ordering::SeqCst), 22);
    });
}

#[test]
fn whoever_is_free_does_what_nobody_has_taken() {
    with_threads(2, || {
        for _ in 0..50 {
            let done = AtomicUsize::new(0);
            // The first task ends when all others have: the thread that does not have it must do them, whichever that is.
            pool::run(40, &|i| {
                let start = Instant::now();
                while i == 0 && done.load(Ordering::SeqCst) < 39 {
                    assert!(start.elapsed() < Duration::from_secs(20), "tasks wait for a thread that is busy");
                    std::thread::yield_now();
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
            assert_eq!(done.load(Ordering::SeqCst), 40);
        }
    });
}

#[test]
fn more_busy_threads_than_cores_do_not_stop_a_run() {
    with_threads(2, || {
        let stop = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 * std::thread::available_parallelism().map_or(2, |n| n.get()) {
                scope.spawn(|| {
                    while stop.load(Ordering::Relaxed) == 0 {
                        std::hint::spin_loop();
                    }
                });
            }
            (0..200).for_each(|n| count(n % 9));
            stop.store(1, Ordering::Relaxed);
        });
    });
}

#[test]
fn nested_runs_stay_on_their_thread() {
    with_threads(4, || {
        let total = AtomicUsize::new(0);
        pool::run(8, &|_| {
            let me = std::thread::current().id();
            pool::run(5, &|_| {
                assert_eq!(std::thread::current().id(), me);
                total.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(total.load(Ordering::Relaxed), 40);
    });
}

#[test]
fn callers_do_not_wait_for_each_other() {
    with_threads(2, || {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..200).for_each(|n| count(n % 7)));
            }
        });
    });
}

#[test]
fn a_panic_reaches_the_caller_and_leaves_the_pool_in_order() {
    with_threads(3, || {
        for bad in [0, 5, 99] {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                pool::run(100, &|i| {
                    if i == bad {
                        std::panic::panic_any(i);
                    }
                });
            }));
            let payload = caught.expect_err("the panic of a task reaches the caller");
            assert_eq!(payload.downcast_ref::<usize>(), Some(&bad));
            count(100);
        }
        let all = catch_unwind(|| pool::run(50, &|_| std::panic::panic_any("every task")));
        assert!(all.is_err());
        count(50);
    });
}

#[test]
fn the_number_of_threads_is_kept_in_range() {
    with_threads(0, || {
        assert_eq!(pool::threads(), 1);
        pool::set_threads(usize::MAX);
        assert_eq!(pool::threads(), pool::MAX_THREADS);
        pool::set_threads(5);
        assert_eq!(pool::threads(), 5);
        count(20);
        pool::set_threads(1);
        let me = std::thread::current().id();
        pool::run(20, &|_| assert_eq!(std::thread::current().id(), me));
    });
}

#[test]
fn a_limit_counts_the_caller() {
    with_threads(4, || {
        let me = std::thread::current().id();
        pool::run_on(1, 20, &|_| assert_eq!(std::thread::current().id(), me));
        let threads = Mutex::new(std::collections::HashSet::new());
        pool::run_on(2, 200, &|_| {
            threads.lock().unwrap().insert(std::thread::current().id());
        });
        assert!(threads.lock().unwrap().len() <= 2);
    });
}

#[cfg(unix)]
#[test]
fn a_child_process_starts_its_own_workers() {
    unsafe extern "C" {
        fn fork() -> i32;
        fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
        fn _exit(code: i32) -> !;
        fn alarm(seconds: u32) -> u32;
    }
    with_threads(3, || {
        count(30);
        // SAFETY: the child uses the pool and ends at once; no other test holds a lock that it needs.
        unsafe {
            let pid = fork();
            assert!(pid >= 0);
            if pid == 0 {
                alarm(20);
                let ok = catch_unwind(|| (0..50).for_each(count)).is_ok();
                _exit(if ok { 0 } else { 1 });
            }
            let mut status = -1;
            assert_eq!(waitpid(pid, &mut status, 0), pid);
            assert_eq!(status, 0, "the child hung or failed");
        }
        count(30);
    });
}
