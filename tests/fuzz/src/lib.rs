//! Fuzz targets: functions that take any bytes and panic when a promise is broken. What they hold the code to is more
//! than not to panic: round trips, the specification's grammar, and answers worked out another way.
//!
//! `.ci/fuzz` runs them under libFuzzer; `cargo test -p portolan-fuzz` replays what was found worth keeping.
#![expect(clippy::expect_used, reason = "a target tells what it found by panicking")]

mod challenge;
mod claims;
mod configuration;
mod digest;
mod endpoint;
mod grammar;
mod hash_state;
mod input;
mod key;
mod manifest;
mod name;
mod range;
mod reference;
mod scope;

/// One thing that reads bytes from outside.
#[derive(Debug)]
pub struct Target {
    /// Its name, and that of its folder in `corpus`.
    pub name: &'static str,
    /// Panics when the bytes break a promise.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 11] = [
    Target {
        name: "endpoint",
        run: endpoint::run,
    },
    Target {
        name: "name",
        run: name::run,
    },
    Target {
        name: "reference",
        run: reference::run,
    },
    Target {
        name: "digest",
        run: digest::run,
    },
    Target {
        name: "range",
        run: range::run,
    },
    Target {
        name: "scope",
        run: scope::run,
    },
    Target {
        name: "challenge",
        run: challenge::run,
    },
    Target {
        name: "claims",
        run: claims::run,
    },
    Target {
        name: "manifest",
        run: manifest::run,
    },
    Target {
        name: "hash_state",
        run: hash_state::run,
    },
    Target {
        name: "configuration",
        run: configuration::run,
    },
];
