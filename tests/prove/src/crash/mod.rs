//! What the proofs of crashes share: clients that change a registry at random and remember what they were promised,
//! and an audit that holds the registry to it.

mod audit;
mod client;
mod deletion;
mod image;
mod ledger;
mod load;
mod service;
mod session;
mod tree;
mod upload;

pub(crate) use audit::judge;
pub(crate) use ledger::{Ledger, State};
pub(crate) use load::Load;
pub(crate) use service::{Access, Running, Service};
pub(crate) use tree::check_tree;
