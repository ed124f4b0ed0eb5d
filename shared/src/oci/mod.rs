//! Vocabulary of the OCI distribution and image specifications: parsed once at the edge, passed as types.

pub mod descriptor;
pub mod digest;
pub mod error;
pub mod manifest;
pub mod media_type;
pub mod name;
pub mod object;
pub mod reference;
mod strict_json;
pub mod tag;
mod text;

pub use descriptor::Descriptor;
pub use digest::{Algorithm, Digest};
pub use error::{ErrorBody, ErrorCode};
pub use manifest::{InvalidManifest, Manifest, ReceivedManifest};
pub use media_type::MediaType;
pub use name::RepositoryName;
pub use object::Object;
pub use reference::Reference;
pub use tag::Tag;
