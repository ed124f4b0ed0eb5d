//! Clients below HTTP libraries: one connection each, nothing repeated, everything that goes wrong is told.

mod connection;
mod identity;
mod process;
mod watch;

pub(crate) use connection::{Answer, Connection, Stream};
pub(crate) use identity::Identity;
pub(crate) use process::{Process, allow_open_files};
pub(crate) use watch::Watch;
