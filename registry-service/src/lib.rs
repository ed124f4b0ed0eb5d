//! The content half of Portolan: blobs, manifests, tags and referrers of the OCI distribution specification, over
//! `storage`. It keeps nothing of people and believes only a signed token.

pub mod endpoint;
pub mod registry;
pub mod storage;
