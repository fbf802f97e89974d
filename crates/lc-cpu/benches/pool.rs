//! What a busy second core costs a short run: two tasks of 5 us each, on one thread and on two, with the cores idle and
//! with one busy thread a core. `cargo bench -p lc-cpu --bench pool`; `LC_BENCH_SECONDS` sets the time of a figure.
#![allow(missing_docs)]

use lc_cpu::pool;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn work(rounds: u64) -> u64 {
    (0..rounds).fold(rounds | 1, |x, _| black_box(x.wrapping_mul(6364136223846793005).wrapping_add(1)))
}

/// Rounds of [`work`] that take 5 us on a core of one's own.
fn five_microseconds() -> u64 {
    let once = || {
        let start = Instant::now();
        black_box(work(1000));
        start.elapsed().as_secs_f64()
    };
    let best = (0..2000).map(|_| once()).fold(f64::INFINITY, f64::min);
    (1000.0 * 5e-6 / best) as u64
}

fn main() {
    let seconds = std::env::var("LC_BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let rounds = five_microseconds();
    let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
    for loaded in [false, true] {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..if loaded { cores } else { 0 } {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        black_box(work(1000));
                    }
                });
            }
            // Twice in turn, since what else the machine does changes.
            for threads in [1, 2, 1, 2] {
                pool::set_threads(threads);
                let (begin, mut times) = (Instant::now(), Vec::new());
                while begin.elapsed() < Duration::from_secs_f64(seconds) {
                    let start = Instant::now();
                    pool::run(2, &|_| {
                        black_box(work(rounds));
                    });
                    times.push(start.elapsed().as_secs_f64() * 1e6);
                }
                times.sort_by(f64::total_cmp);
                let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
                println!(
                    "{}, {threads} thread{}: p10 {:.1} us, median {:.1} us, p90 {:.1} us, p99 {:.1} us",
                    if loaded { "busy cores" } else { "idle cores" },
                    if threads == 1 { " " } else { "s" },
                    at(0.1),
                    at(0.5),
                    at(0.9),
                    at(0.99)
                );
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}
