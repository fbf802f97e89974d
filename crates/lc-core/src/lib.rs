//! Execution policy, plans, receipts and traces: the part of Lightning Core that names no device.
//!
//! Five nouns carry the system. A [`Policy`] says how a call is to run. An [`OpDef`] says what an op is. A
//! [`Backend`](backend::Backend) is a device as four surfaces (memory, compute, sync, profile) and a table of kernels. A
//! [`Plan`] is one op or a whole graph with every choice made. A [`Receipt`] says what happened. Start with
//! [`runtime::Runtime`], which holds them together.

mod activation;
pub mod attrs;
pub mod backend;
pub mod dense;
pub mod device;
mod devices;
pub mod dtype;
pub mod error;
pub mod intern;
mod memo;
pub mod null;
pub mod plan;
pub mod policy;
pub mod receipt;
pub mod registry;
pub mod resident;
mod router;
pub mod runtime;
pub mod session;
pub mod shape;
pub mod tensor;
pub mod trace;
pub mod tune;

pub use activation::Activation;
pub use attrs::{AttrKind, AttrSpec, AttrValue, Attrs};
pub use dense::{DenseTensor, ViewContract};
pub use device::{DeviceKind, DeviceRequest};
pub use devices::LazyBackend;
pub use dtype::{DType, Element};
pub use error::{Blame, Error, ErrorKind, Result};
pub use plan::{Plan, PlanBuilder, ResolvedCall, Workspace};
pub use policy::{EffectivePolicy, Fallback, Io, Math, PackedPolicy, Policy, SyncMode, TuneMode};
pub use receipt::{Reason, Receipt};
pub use registry::{Case, Cost, InputSpec, OpDef, OutputSpecs, RefTensor, Registry};
pub use resident::Resident;
pub use runtime::{Runtime, last_receipt};
pub use session::Session;
pub use shape::{Shape, Strides};
pub use tensor::{TensorMut, TensorRef, TensorSpec};
