//! People and permission as pure values: no I/O, no clock, no randomness.

pub mod access_token;
pub mod account;
pub mod credential;
pub mod device;
pub mod id;
pub mod namespace;
pub mod pattern;
pub mod permission;
pub mod repository;
pub mod secret_token;

pub use access_token::AccessToken;
pub use account::{Account, Username};
pub use credential::{Ceiling, PasswordHash, SecretHash, TokenLabel};
pub use device::Device;
pub use id::{AccountId, DeviceId, NamespaceId, RepositoryId, TokenId};
pub use namespace::{NamespaceFacts, NamespaceName, NamespaceOwner};
pub use pattern::RepositoryPattern;
pub use permission::{AccountPrincipal, Decision, Principal, decide, decide_catalog};
pub use repository::{RepositoryFacts, RepositoryState, Visibility};
pub use secret_token::{SecretKind, SecretToken};
