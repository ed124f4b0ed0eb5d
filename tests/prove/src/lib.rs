//! Proofs: what Portolan promises, tried by force.
//!
//! A proof drives real processes into a fault many times and counts what the promise forbids. Each has a
//! *control*: the same run against a server that breaks the promise on purpose, which must be found out.
//!
//! `just prove R1` runs one at full size and prints one line of JSON; `just prove R1 --control` shows that it can
//! fail; `cargo test -p portolan-prove` runs the short form of all, with their controls.
#![expect(
    clippy::print_stderr,
    reason = "progress of a long run is for the person who waits"
)]

mod bad_requests;
mod canary;
mod crash;
mod crowd;
mod delete_while_pulling;
mod descriptors;
mod drift;
mod events;
mod failed_sync;
mod fault;
mod full_disk;
mod idle_connections;
mod image;
mod injected_fault;
mod kill;
mod login_flood;
mod power_cut;
mod random;
mod raw;
mod read_only_disk;
mod request_flood;
mod rolling_restart;
mod run;
mod same_blob;
mod slow_disk;
mod slow_peers;
mod tag_history;
mod token_mutation;
mod verdict;

pub use random::Random;
pub use run::{Run, Size};
pub use verdict::{Verdict, tell_as_they_come};

use anyhow::Result;
use harness::Need;

/// One promise and how it is tried.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// Its number in `docs/proofs.md`, such as `R1`.
    pub id: &'static str,
    /// The promise in one sentence.
    pub promise: &'static str,
    /// What the machine must have.
    pub needs: &'static [Need],
    /// What the control breaks, in one sentence.
    pub control: &'static str,
    /// Tries it.
    pub run: fn(&mut Run<'_>) -> Result<Verdict>,
}

/// All proofs, in the order of their numbers.
pub const PROOFS: &[Proof] = &[
    kill::PROOF,
    power_cut::PROOF,
    injected_fault::PROOF,
    events::PROOF,
    drift::PROOF,
    failed_sync::PROOF,
    full_disk::PROOF,
    read_only_disk::PROOF,
    descriptors::PROOF,
    slow_disk::PROOF,
    idle_connections::PROOF,
    slow_peers::PROOF,
    request_flood::PROOF,
    login_flood::PROOF,
    same_blob::PROOF,
    tag_history::PROOF,
    delete_while_pulling::PROOF,
    rolling_restart::PROOF,
    bad_requests::PROOF,
    token_mutation::PROOF,
    canary::PROOF,
];

/// The proof of that number, whatever the case of its letters.
pub fn find(id: &str) -> Option<&'static Proof> {
    PROOFS.iter().find(|proof| proof.id.eq_ignore_ascii_case(id))
}
