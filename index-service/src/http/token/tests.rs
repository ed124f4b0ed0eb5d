//! The checklists of the token protocol, line by line, over the routes.

mod abuse;
mod client;
mod credential;
mod error;
mod form;
mod grant;
mod query;
mod refresh;
mod shape;
