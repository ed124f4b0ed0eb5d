//! People and permission: accounts, namespaces, repositories' visibility, credentials, the token endpoint.
//!
//! The layers, from the inside out: [`domain`] decides and does no I/O, [`store`] keeps rows, [`token`] and [`password`]
//! hold the cryptography, [`app`] has one function per use case, [`http`] speaks to clients.
#![warn(missing_docs)]

pub mod app;
pub mod domain;
pub mod http;
pub mod password;
pub mod random;
pub mod store;
pub mod token;
