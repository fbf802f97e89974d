//! Policies, plans, receipts and traces.

mod activation;

pub use activation::Activation;
