//! The ops that the device runs, one file each.

mod elementwise;

use crate::launch::Kernel;
use crate::shader::Shader;

/// Every kernel, best first among those of one op.
pub static ALL: &[&Kernel] = &[&elementwise::ADD, &elementwise::SUB, &elementwise::MUL, &elementwise::DIV];

/// Every shader with the sets of constants that it is used with: what tests translate to MSL and compare with what was
/// reviewed.
pub static SHADERS: &[(&Shader, &[&[(&str, f64)]])] = &[(&elementwise::SHADER, elementwise::VARIANTS)];
