//! Who may do what: a token is verified, then compared with the access that the endpoint needs.
//!
//! Two proofs leave this module: [`VerifiedClaims`], made by the verifier alone, and [`Authorized`], made by
//! [`authorize`] alone; the dispatcher takes nothing else.

pub mod algorithm;
mod allowed_tags;
pub mod authorize;
mod caller;
mod certificate;
mod chain;
mod foreign;
pub mod glob;
mod htpasswd;
pub mod jwks;
pub mod key;
pub mod key_ring;
pub mod key_source;
mod listed;
mod own_token;
pub mod policy;
mod realm;
mod terms_of;
pub mod verifier;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod policy_matrix;
#[cfg(test)]
pub(crate) mod test_token;
#[cfg(test)]
mod tests;

pub use allowed_tags::AllowedTags;
pub use authorize::{Authenticator, Authorized, Denial, Refusal, TokenAuthority};
pub use caller::Caller;
pub use chain::{Chain, Issued};
pub use htpasswd::Htpasswd;
pub use key_ring::KeyRing;
pub use key_source::KeySource;
pub use listed::{Listed, Pullable};
pub use own_token::OwnTokens;
pub use policy::AccessPolicy;
pub use realm::{Realm, is_authority};
pub use terms_of::TermsOf;
pub use verifier::{InvalidToken, Rules, VerifiedClaims, Verifier};
