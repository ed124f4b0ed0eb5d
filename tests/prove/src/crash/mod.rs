//! What the proofs of crashes share: clients that change a registry at random and remember what they were promised,
//! and an audit that holds the registry to it.

mod audit;
mod client;
mod image;
mod ledger;
mod load;
mod service;
mod session;
mod tree;

pub(crate) use ledger::Ledger;
pub(crate) use load::Load;
pub(crate) use service::{Access, Running, Service};
pub(crate) use tree::check_tree;
