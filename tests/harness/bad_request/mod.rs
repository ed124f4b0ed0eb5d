//! Requests that are wrong in some way: written by hand, sent to a server with one good image, which must be unharmed.

mod ground;
mod maker;
mod random;
mod wire;

pub use ground::{Ground, LAYER, claims};
pub use maker::{Line, Maker};
pub use random::Random;
pub use wire::{HANG, Reply, Request, exchange, exchange_on, read_reply};
