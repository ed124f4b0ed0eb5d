//! What Docker Hub's API asks for, in the words of the rest: sessions, repositories and tags by pages. Everything else that
//! it asks for are use cases that there are anyway.

mod repository;
mod session;
mod tag;

pub use repository::{HubRepository, RepositoryOrder};

pub(super) use repository::detailed;
pub use session::{HubSession, SessionKind};
pub use tag::{HubTag, HubTagOrder};

/// Details as they are read.
pub mod shown {
    pub use crate::store::hub::{RepositoryDetails, TagImage};
}
