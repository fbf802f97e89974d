//! Measuring a plan on data of its own.

use crate::compile::Compiled;
use lc_core::plan::Workspace;
use lc_core::{DType, Result, TensorMut, TensorRef, TensorSpec};

/// Signed numbers below one (xorshift; Marsaglia, 2003).
pub struct Random(u64);

impl Default for Random {
    fn default() -> Random {
        Random(0x9e37_79b9_7f4a_7c15)
    }
}

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f64 / f64::from(1u32 << 23) - 1.0
    }

    /// The elements of a dense tensor, in words that are aligned for any type.
    pub fn elements(&mut self, spec: &TensorSpec) -> Vec<u64> {
        let mut words = blank(spec);
        for i in 0..spec.shape.numel() {
            let at = words.as_mut_ptr().cast::<u8>().wrapping_add(i * spec.dtype.size());
            // SAFETY: the words hold `numel` elements, and are aligned for every type.
            unsafe {
                match spec.dtype {
                    DType::F32 => at.cast::<f32>().write(self.next() as f32),
                    DType::F64 => at.cast::<f64>().write(self.next()),
                    DType::F16 => at.cast::<half::f16>().write(half::f16::from_f64(self.next())),
                }
            }
        }
        words
    }
}

/// Room for the elements of a dense tensor.
pub fn blank(spec: &TensorSpec) -> Vec<u64> {
    vec![0; spec.bytes().div_ceil(8)]
}

impl Compiled {
    /// Median times of the launches in nanoseconds, in order, over `repeat` runs after one that is not counted, on feeds
    /// of random signed numbers and results of its own.
    ///
    /// # Errors
    /// As [`Compiled::run`].
    pub fn measure(&self, repeat: usize) -> Result<Vec<u64>> {
        let mut random = Random::default();
        let feeds: Vec<Vec<u64>> = self.feeds().iter().map(|feed| random.elements(&feed.spec)).collect();
        let tensors = self.feeds().iter().zip(&feeds).map(|(feed, words)| {
            let strides = feed.spec.shape.contiguous_strides();
            // SAFETY: the words hold the elements of the spec, dense, and live until the end of this function.
            Some(unsafe { TensorRef::from_raw(words.as_ptr().cast(), feed.spec, strides) })
        });
        let tensors: Vec<_> = tensors.collect();
        let mut results: Vec<Vec<u64>> = self.outputs().iter().map(blank).collect();
        let workspace = Workspace::new(self.plan())?;
        let mut times: Vec<Vec<u64>> = Vec::new();
        for turn in 0..=repeat.max(1) {
            let targets = results.iter_mut().zip(self.outputs());
            // SAFETY: the words hold the elements of the spec, and nothing else refers to them during the run.
            let targets = targets.map(|(w, spec)| unsafe { TensorMut::from_raw(w.as_mut_ptr().cast(), *spec) });
            let mut targets: Vec<_> = targets.collect();
            let receipt = self.plan().run_timed(&workspace, &tensors, &mut targets, self.policy())?;
            times.resize(receipt.launches.len(), Vec::new());
            for (times, launch) in times.iter_mut().zip(&receipt.launches) {
                if turn > 0 {
                    times.push(launch.duration_ns.unwrap_or(0));
                }
            }
        }
        let median = |mut times: Vec<u64>| {
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or(0)
        };
        Ok(times.into_iter().map(median).collect())
    }
}
