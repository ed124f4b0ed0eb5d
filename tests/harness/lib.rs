//! Harness of the black-box tests: real processes on free ports, real clients, HTTP.
//!
//! It depends on no crate of Portolan; what it knows of the servers is their command line, their files and
//! the protocols. A test is a *journey*: a function over a [`Journey`], which gives it a folder of its own,
//! runs commands for it and keeps the transcript that is shown when it fails.
//!
//! | Variable | Meaning |
//! |---|---|
//! | `PORTOLAN_TEST_NOTHING_SKIPPED=1` | a missing tool is a failure instead of a skipped test |
//! | `PORTOLAN_TEST_BIN_DIR` | folder of the binaries under test, instead of building them |
//! | `PORTOLAN_TEST_SERVER=docker-registry` | run what can be run against Debian's registry (checks the harness) |
//! | `PORTOLAN_TEST_PYTHON` | interpreter that has the `docker` package from PyPI |
//! | `PORTOLAN_TEST_BROWSER` | folder of the packages that `tests/browser` names, as `npm ci` installed them |
//! | `PORTOLAN_SCREENSHOTS` | folder for pictures of every page |
//! | `PORTOLAN_CONFORMANCE` | path of the compiled OCI conformance suite |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test harness speaks to the terminal"
)]

pub mod administration;
pub mod api;
pub mod archive;
pub mod bad_request;
pub mod binaries;
pub mod browser;
pub mod canary;
pub mod certificate;
pub mod cgroup;
pub mod command;
pub mod disk;
pub mod engine;
pub mod environment;
pub mod image;
pub mod journey;
pub mod layout;
pub mod machine;
pub mod meter;
pub mod need;
pub mod netns;
pub mod nginx;
pub mod open_registry;
pub mod peer;
pub mod postgres;
pub mod process;
pub mod receiver;
pub mod run;
pub mod scratch;
pub mod server;
pub mod stand_in;
pub mod volume;

pub use anyhow::{Context, Error, Result, anyhow, bail, ensure};
pub use journey::Journey;
pub use need::Need;
pub use run::{Suite, run};
pub use server::{Account, Server};
