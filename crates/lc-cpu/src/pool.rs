//! One pool of threads for the whole process.

/// How many threads a kernel may use, the caller's own included.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Runs `task(0)`, `task(1)`, … `task(tasks - 1)`, each once, and returns when all are done.
pub fn run(tasks: usize, task: &(dyn Fn(usize) + Sync)) {
    for index in 0..tasks {
        task(index);
    }
}
