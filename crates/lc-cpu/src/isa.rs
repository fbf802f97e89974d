//! The instruction sets that kernels are written for, and which one this process uses.

use std::sync::atomic::{AtomicU8, Ordering};

/// An instruction set with a full set of kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Isa {
    /// Plain Rust, whatever the processor.
    Scalar = 1,
    /// AVX2 with FMA (x86-64).
    Avx2 = 2,
    /// AVX-512 F, BW, DQ and VL (x86-64).
    Avx512 = 3,
    /// NEON (AArch64).
    Neon = 4,
}

static ACTIVE: AtomicU8 = AtomicU8::new(0);

impl Isa {
    const ALL: [Isa; 4] = [Isa::Scalar, Isa::Avx2, Isa::Avx512, Isa::Neon];

    /// The name that `LC_CPU_ISA` takes and that receipts show.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
            Isa::Neon => "neon",
        }
    }

    /// Whether this processor can run the kernels of this set.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => true,
            _ => false,
        }
    }

    /// The sets that this processor can run, slowest first: what a test forces in turn.
    pub fn available() -> impl Iterator<Item = Isa> {
        Isa::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The set in use: the best available, or the one that `LC_CPU_ISA` named when the process first asked.
    ///
    /// A name that is unknown or that this processor cannot run is ignored, since a library must not end the process;
    /// [`Isa::requested`] tells a front end about it.
    #[inline]
    pub fn active() -> Isa {
        match ACTIVE.load(Ordering::Relaxed) {
            1 => Isa::Scalar,
            2 => Isa::Avx2,
            3 => Isa::Avx512,
            4 => Isa::Neon,
            _ => Isa::choose(),
        }
    }

    /// What `LC_CPU_ISA` asks for: `Ok(None)` if unset, `Err` with its value if it cannot be had here.
    pub fn requested() -> Result<Option<Isa>, String> {
        let Ok(name) = std::env::var("LC_CPU_ISA") else { return Ok(None) };
        let found = Isa::ALL.into_iter().find(|isa| isa.name() == name && isa.is_available());
        found.map(Some).ok_or(name)
    }

    #[cold]
    fn choose() -> Isa {
        let best = Isa::available().last().unwrap_or(Isa::Scalar);
        let isa = Isa::requested().ok().flatten().unwrap_or(best);
        ACTIVE.store(isa as u8, Ordering::Relaxed);
        isa
    }
}
