//! Operations, one file each.

pub mod elementwise;
#[cfg(test)]
pub(crate) mod layouts;
