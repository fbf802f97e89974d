//! Measured choices: which kernel is fastest for a kind of call here, and what work costs on a device.
//!
//! [`search`] runs the kernels of a device against each other on buffers of its own and refuses every one whose numbers
//! are wrong. [`Store`] keeps what it found, for this machine and for every process of the user. [`CostModel`] predicts
//! the time of a call from times that were measured. The router asks all three when a plan is made, never when it runs.

pub mod cost;
mod key;
mod operands;
mod proven;
mod record;
pub mod search;
mod store;
pub mod verify;

pub use cost::{CostModel, Estimate, Fit, Source, Transfer};
pub use key::{DeviceId, Key, bucket, kernel_set};
pub(crate) use proven::Proven;
pub use record::{Book, Candidate, Entry, FitRecord, Record, SCHEMA, TransferRecord};
pub use store::{Store, cache_dir, first_warning, warn_once};
