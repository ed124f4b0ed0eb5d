//! What both services say alike.
//!
//! Without features this crate is vocabulary: the names of the OCI distribution and image specifications
//! ([`oci`]), the Docker token specification ([`token`]) and the paths of the one front door
//! ([`front_door`]). The feature `runtime` adds process plumbing that holds no policy of either side.
#![warn(missing_docs)]

pub mod front_door;
pub mod oci;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod sabotage;
pub mod secret;
pub mod token;
