//! Registry tokens: the keys that sign them and the certificates that vouch for the keys.
//!
//! Tokens are signed with ES256 through aws-lc directly, not through a JWT crate: the parsed key is kept, so that
//! a token costs one signature and no key check, and no process-wide default of a cryptographic provider is involved.
//! An independent JWT implementation verifies our tokens in the tests.

mod authority;
mod folder;
mod key_set;
mod material;
mod seal;
mod signer;

pub use folder::{KeyFolder, read_folder, write_certificate};
pub use key_set::{KeyError, KeySet};
pub use material::{AuthorityMaterial, KeyMaterial};
pub use seal::{InvalidMasterKey, MasterKey, SealError, reseal, seal, sealed_with, unseal};
pub use signer::{MAX_TOKEN_BYTES, Recipient, SignError, Signed, Signer};
