//! Vocabulary of the Docker token specification: what a client asks for, what a token holds, how a registry
//! challenges. Signing belongs to the index, verification to the registry.

pub mod access;
pub mod challenge;
pub mod claims;
pub mod key_id;
pub mod quota;
pub mod rates;
pub mod scope;
pub mod tag_pattern;
pub mod terms;

pub use access::{AccessEntry, Action, Actions, ResourceType};
pub use challenge::{Challenge, ChallengeError};
pub use claims::{Claims, Note};
pub use quota::Quota;
pub use scope::Scope;
pub use tag_pattern::{TagLimits, TagPattern, TagSet};
pub use terms::{ImmutableTags, Kept, Terms};
