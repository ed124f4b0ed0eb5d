//! Who may do what: a token is verified, then compared with the access that the endpoint needs.
//!
//! Two proofs leave this module: [`VerifiedClaims`], made by the verifier alone, and [`Authorized`], made by
//! [`authorize`] alone; the dispatcher takes nothing else.

pub mod algorithm;
pub mod authorize;
mod caller;
mod certificate;
mod foreign;
mod htpasswd;
pub mod jwks;
pub mod key;
pub mod key_ring;
pub mod key_source;
mod realm;
pub mod verifier;

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod mutations;
#[cfg(test)]
pub(crate) mod test_token;
#[cfg(test)]
mod tests;

pub use authorize::{Authenticator, Authorized, Denial, Listed, Refusal, TokenAuthority};
pub use caller::Caller;
pub use htpasswd::Htpasswd;
pub use key_ring::KeyRing;
pub use key_source::KeySource;
pub use realm::Realm;
pub use verifier::{InvalidToken, Rules, VerifiedClaims, Verifier};
