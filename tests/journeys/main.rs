//! The journeys: what a person does with Portolan, done with real clients against real processes.
//!
//! `cargo test -p portolan-tests` runs all that the machine can run and says what it skipped and why;
//! `cargo test -p portolan-tests -- login` runs what has `login` in its name.

use std::process::ExitCode;

mod acme;
mod apart;
mod auth_policy;
mod bad_input;
mod conformance;
mod containerd;
mod crash;
mod garbage;
mod htpasswd;
mod layering;
mod login;
mod memory;
mod notification;
mod official_suite;
mod operation;
mod peer;
mod permission;
mod podman;
mod push;
mod redirect;
mod redis_cache;
mod replica;
mod same_configuration;
mod scars;
mod sdk;
mod skopeo;
mod socket;
mod there_and_back;
mod third_party_token;
mod tls;
mod tls_options;
mod traces;
mod tutorial_compose;
mod tutorial_nginx;
mod tutorial_personal;
mod tutorial_private;
mod validation;

fn main() -> ExitCode {
    harness::run(|suite| {
        acme::add(suite);
        apart::add(suite);
        auth_policy::add(suite);
        conformance::add(suite);
        bad_input::add(suite);
        layering::add(suite);
        login::add(suite);
        push::add(suite);
        permission::add(suite);
        skopeo::add(suite);
        socket::add(suite);
        podman::add(suite);
        containerd::add(suite);
        same_configuration::add(suite);
        sdk::add(suite);
        crash::add(suite);
        garbage::add(suite);
        htpasswd::add(suite);
        memory::add(suite);
        notification::add(suite);
        official_suite::add(suite);
        operation::add(suite);
        peer::add(suite);
        redirect::add(suite);
        redis_cache::add(suite);
        replica::add(suite);
        scars::add(suite);
        there_and_back::add(suite);
        third_party_token::add(suite);
        tls::add(suite);
        tls_options::add(suite);
        traces::add(suite);
        tutorial_compose::add(suite);
        tutorial_nginx::add(suite);
        tutorial_personal::add(suite);
        tutorial_private::add(suite);
        validation::add(suite);
    })
}
