//! The environment variables of lightning_core 0.1.8.

use super::{Math, Policy};

/// Variables whose meaning a policy has, if they switch something off.
const PRECISION: [&str; 2] = ["CJ_MATMUL_ALLOW_REDUCED_PRECISION", "CJ_MATMUL_BATCH_FP16"];

/// Variables that mean nothing now, and what does their work.
const GONE: [(&str, &str); 20] = [
    ("CJ_MATMUL_TUNE_CACHE_FILE", STORE),
    ("CJ_MATMUL_SMALL_TUNE_CACHE_FILE", STORE),
    ("CJ_MATMUL_SMALL_TUNE_PROFILE", STORE),
    ("CJ_ATTN_TUNE_CACHE_FILE", STORE),
    ("CJ_GRAPH_POLICY_CACHE_FILE", STORE),
    ("CJ_MATMUL_DISABLE_PROMOTED_BUCKETS", MEASURED),
    ("CJ_MATMUL_MLE2_KERNEL", MEASURED),
    ("CJ_MATMUL_MLE2_HYST_PCT", MEASURED),
    ("CJ_MATMUL_MPS_HYST_PCT", MEASURED),
    ("CJ_MATMUL_PREFER_MPS_ON_LARGE", MEASURED),
    ("CJ_MATMUL_TRY_KERNEL_ON_LARGE", MEASURED),
    ("CJ_MATMUL_LARGE_OPS_THRESHOLD", MEASURED),
    ("CJ_MATMUL_SKIP_API_VALIDATION", "arguments are always checked"),
    ("CJ_VECTORADD_CPU_CROSSOVER_N", CROSSOVER),
    ("CJ_VECTORADD_CPU_CROSSOVER_DYNAMIC", CROSSOVER),
    ("CJ_CONV2D_CPU_CROSSOVER_MACS", CROSSOVER),
    ("CJ_CONV2D_CPU_CROSSOVER_DYNAMIC", CROSSOVER),
    ("CJ_ATTN_METAL_ONESHOT_CPU_CROSSOVER_OPS", CROSSOVER),
    ("CJ_RUNTIME_PROFILE_ENV_FILE", "pass a Policy, or make one the process default"),
    ("CJ_RUNTIME_PROFILE_AUTOLOAD", "no file is loaded at start any more"),
];

const STORE: &str = "the tuning store lies in the user's cache directory, or in LC_CACHE_DIR";
const MEASURED: &str = "kernels are chosen by measurement: see `lc tune` and Policy's tune and tune_ms";
const CROSSOVER: &str =
    "the crossover is measured by `lc tune`; Policy's fallback \"deny\" keeps work on the named device";

/// As 0.1.8 read its switches.
fn is_off(value: &str) -> bool {
    matches!(value, "0" | "false" | "off")
}

/// What the variables of lightning_core 0.1.8 ask for, as far as a policy can say it, and a warning for each variable that
/// is set. The environment is read at the time of the call.
///
/// Reduced precision that is switched off is [`Math::IeeeF32`], which is also the default now. Switched on it is not
/// applied: it was a property of one path of one op there, and here the caller says it of a call, by [`Policy::math`].
pub fn from_legacy_environment() -> (Policy, Vec<String>) {
    read(|name| std::env::var(name).ok())
}

fn read(variable: impl Fn(&str) -> Option<String>) -> (Policy, Vec<String>) {
    let mut policy = Policy::default();
    let mut warnings = Vec::new();
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    for name in PRECISION {
        let Some(value) = set(name) else { continue };
        let meaning = if is_off(&value) {
            policy.math = Some(Math::IeeeF32);
            "read as Policy(math=\"ieee_f32\")"
        } else {
            "not applied: ask for it where it is wanted, as Policy(math=\"f16\")"
        };
        warnings.push(format!("{name} is deprecated, {meaning}"));
    }
    for (name, instead) in GONE {
        if set(name).is_some() {
            warnings.push(format!("{name} is ignored: {instead}"));
        }
    }
    (policy, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> (Policy, Vec<String>) {
        read(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn what_a_policy_can_say_is_applied_and_everything_set_is_warned_of() {
        assert_eq!(of(&[]), (Policy::default(), Vec::new()));
        assert_eq!(of(&[("CJ_MATMUL_BATCH_FP16", "")]).1.len(), 0, "empty is unset, as before");
        for off in ["0", "false", "off"] {
            let (policy, warnings) = of(&[("CJ_MATMUL_ALLOW_REDUCED_PRECISION", off)]);
            assert_eq!(policy, Policy { math: Some(Math::IeeeF32), ..Policy::default() });
            assert!(warnings[0].contains("math=\"ieee_f32\""), "{warnings:?}");
        }
        let (policy, warnings) = of(&[("CJ_MATMUL_BATCH_FP16", "1"), ("CJ_MATMUL_TUNE_CACHE_FILE", "x.csv")]);
        assert_eq!(policy, Policy::default(), "no precision is lost by a variable");
        assert_eq!(warnings.len(), 2);
        assert!(warnings[1].contains("LC_CACHE_DIR"), "{warnings:?}");
    }

    #[test]
    fn every_variable_of_the_first_release_is_named_once_with_what_to_do_instead() {
        let names = PRECISION.into_iter().chain(GONE.into_iter().map(|(name, _)| name));
        let set: Vec<_> = names.map(|name| (name, "1")).collect();
        let (policy, warnings) = of(&set);
        assert_eq!((policy, warnings.len()), (Policy::default(), set.len()));
        for ((name, _), warning) in set.iter().zip(&warnings) {
            let instead = warning.strip_prefix(name).unwrap_or_else(|| panic!("{name}: {warning}"));
            assert!(instead.contains(": ") && instead.len() > 30, "{warning}");
        }
    }
}
