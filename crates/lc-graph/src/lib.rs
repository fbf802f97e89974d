//! Graphs: chains of operations as one plan.
//!
//! A [`Graph`] is built from tensors and nodes, [`validate`](validate::validate) says everything that is wrong with it,
//! and [`compile`](compile::compile) turns it into one [`Plan`](lc_core::Plan): passes over memory and launches saved
//! where a fusion applies, intermediate values in one arena a device, copies only where a device changes, waits only
//! where the options say so.

pub mod ab;
pub mod build;
pub mod compile;
pub mod conv_attention;
pub mod eager;
pub mod exec;
pub mod ir;
pub mod lower;
mod measure;
pub mod memory;
pub mod passes;
pub mod plan;
pub mod program;
mod race;
pub mod report;
pub mod schema;
pub mod validate;

pub use build::NodeOptions;
pub use compile::{Compiled, compile};
pub use exec::{Runner, Values};
pub use ir::{Graph, Layout, Node, NodeId, Tensor, TensorId};
pub use passes::Passes;
pub use plan::{Group, PlanOptions, Unit};
pub use schema::{Schema, schemas};
pub use validate::{Issue, Report, validate};
