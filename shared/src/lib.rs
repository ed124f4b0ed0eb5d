//! What both services say alike.
//!
//! Without features this crate is vocabulary: the names of the OCI distribution and image specifications
//! ([`oci`]), the Docker token specification ([`token`]), the paths of the one front door ([`front_door`]), ranges of
//! addresses ([`network`]) and the text of an error with its causes ([`causes`]). The feature `runtime` adds process plumbing that holds no policy of either side.
#![warn(missing_docs)]

pub mod causes;
pub mod front_door;
pub mod network;
pub mod oci;
#[cfg(feature = "runtime")]
pub mod runtime;
pub mod sabotage;
pub mod secret;
pub mod token;
