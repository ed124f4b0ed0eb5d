//! The deployment of `compose.yaml` on a real engine: first push, hardening, replicas, faults under load, a full disk, backup
//! and restore, upgrades, certificates and keys that take turns, and what it costs.
//!
//! Nothing is pulled: our images are built by `deploy/Dockerfile` from the binaries under test, those of others are
//! stand-ins (`harness::stand_in`).

mod backup;
mod certificate;
mod fault;
mod first_push;
mod group;
mod hardening;
mod load;
mod moving_in;
mod project;
mod recovery;
mod redis;
mod soak;
mod upgrade;

use harness::{Need, Suite};

/// What every journey here needs.
pub(crate) const NEEDS: [Need; 7] = [
    Need::Portolan,
    Need::NetworkNamespace,
    Need::Docker,
    Need::Compose,
    Need::Nginx,
    Need::Postgres,
    Need::Curl,
];

pub(crate) fn add(suite: &mut Suite) {
    first_push::add(suite);
    fault::add(suite);
    backup::add(suite);
    certificate::add(suite);
    moving_in::add(suite);
    recovery::add(suite);
    redis::add(suite);
    soak::add(suite);
    upgrade::add(suite);
}
