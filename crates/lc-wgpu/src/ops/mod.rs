//! The ops that the device runs, one file each.

mod elementwise;

use crate::launch::Kernel;
use crate::shader::Shader;

/// Every kernel, best first among those of one op.
pub static ALL: &[&Kernel] = &[&elementwise::ADD, &elementwise::SUB, &elementwise::MUL, &elementwise::DIV];

/// A shader, and the sets of constants that it is used with.
pub type Variants = (&'static Shader, &'static [&'static [(&'static str, f64)]]);

/// Every shader with the sets of constants that it is used with: what tests translate to MSL and compare with what was
/// reviewed.
pub static SHADERS: &[Variants] = &[(&elementwise::SHADER, elementwise::VARIANTS)];
