//! What the catalog may list.

use std::sync::Arc;

use shared::oci::RepositoryName;
use shared::token::Actions;

use super::policy::AccessPolicy;

/// Which repositories a principal may see listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// All.
    Everything,
    /// These, as (name, stored name) in the order of their names.
    Only(Vec<(RepositoryName, RepositoryName)>),
    /// Those that the policy lets them pull.
    ByPolicy(Pullable),
}

/// What an account may pull by a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pullable {
    policy: Arc<AccessPolicy>,
    account: Option<String>,
}

impl Pullable {
    pub(super) fn new(policy: &Arc<AccessPolicy>, account: Option<&str>) -> Self {
        Self {
            policy: Arc::clone(policy),
            account: account.map(str::to_owned),
        }
    }

    /// Whether this repository is among it.
    pub fn holds(&self, name: &RepositoryName) -> bool {
        let held = self.policy.held(self.account.as_deref(), name);
        held.covers(Actions::PULL)
    }
}
