//! What a caller's grants on a repository keep to.

use std::sync::Arc;

use shared::oci::Tag;
use shared::token::{Kept, Quota, Terms};

/// The terms of one repository: each of several holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TermsOf(Vec<Arc<Terms>>);

impl TermsOf {
    pub(super) fn new(terms: Vec<Arc<Terms>>) -> Self {
        Self(terms)
    }

    /// Whether there may be tags that stay what they are.
    pub fn keep_tags(&self) -> bool {
        self.0.iter().any(|terms| terms.keep_tags())
    }

    /// Why the tag stays what it is, if it does.
    pub fn kept(&self, tag: &Tag) -> Option<Kept> {
        self.0.iter().find_map(|terms| terms.kept(tag))
    }

    /// The quota of the repository's namespace: of several, the last look.
    pub fn quota(&self) -> Option<&Quota> {
        let quotas = self.0.iter().filter_map(|terms| terms.quota.as_ref());
        quotas.max_by_key(|quota| quota.at)
    }
}
