//! The journeys: what a person does with Portolan, done with real clients against real processes.
//!
//! `cargo test -p portolan-tests` runs all that the machine can run and says what it skipped and why;
//! `cargo test -p portolan-tests -- login` runs what has `login` in its name.

use std::process::ExitCode;

mod conformance;
mod login;
mod permission;
mod push;
mod skopeo;

fn main() -> ExitCode {
    harness::run(|suite| {
        conformance::add(suite);
        login::add(suite);
        push::add(suite);
        permission::add(suite);
        skopeo::add(suite);
    })
}
