//! What a request may do that may be served.

use shared::oci::RepositoryName;
use shared::token::Action;
use shared::token::rates::Rates;

use super::Authorized;
use crate::auth::allowed_tags::AllowedTags;
use crate::auth::listed::{Listed, Pullable};
use crate::auth::terms_of::TermsOf;
use crate::auth::verifier::VerifiedClaims;
use crate::endpoint::Endpoint;

impl Authorized {
    /// What was asked.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The name under which the registry keeps `name`, the repository of the endpoint.
    pub fn stored_as<'a>(&'a self, name: &'a RepositoryName) -> &'a RepositoryName {
        self.stored_as.as_ref().unwrap_or(name)
    }

    /// The user name; empty for anonymous, and when nobody is asked who they are.
    pub fn subject(&self) -> &str {
        let account = self.account.as_deref().unwrap_or_default();
        self.claims.as_deref().map_or(account, VerifiedClaims::subject)
    }

    /// The stored names of the repositories that a mount may take the blob from, those more likely first.
    pub fn mount_sources(&self) -> &[RepositoryName] {
        &self.mount_sources
    }

    /// Whether content of this class may be pushed to `name`. A token says so; where there is none everything may.
    pub fn allows_class(&self, name: &RepositoryName, class: &str) -> bool {
        let claims = self.claims.as_deref();
        claims.is_none_or(|claims| claims.allows_class(name, class))
    }

    /// Which tags of `name` may be pushed or deleted. A token says so; where there is none every tag may.
    pub fn allowed_tags(&self, name: &RepositoryName, action: Action) -> AllowedTags {
        match self.claims.as_deref() {
            Some(claims) => claims.allowed_tags(name, action),
            None => AllowedTags::every(),
        }
    }

    /// What pushes to `name` and deletions there keep to. A token says so; where there is none, nothing.
    pub fn terms(&self, name: &RepositoryName) -> TermsOf {
        let claims = self.claims.as_deref();
        TermsOf::new(claims.map_or_else(Vec::new, |claims| claims.terms(name)))
    }

    /// How often the caller may ask. A token says so; where there is none, as often as they like.
    pub fn rates(&self) -> Option<&Rates> {
        self.claims.as_deref().and_then(VerifiedClaims::rates)
    }

    /// Which repositories the catalog may list.
    pub fn listed(&self) -> Listed {
        if let Some(policy) = &self.listed_by {
            return Listed::ByPolicy(Pullable::new(policy, self.account.as_deref()));
        }
        let Some(claims) = self.claims.as_deref().filter(|claims| !claims.lists_everything()) else {
            return Listed::Everything;
        };
        let mut names: Vec<_> = claims
            .pullable()
            .map(|(name, stored_as)| (name.clone(), stored_as.clone()))
            .collect();
        names.sort();
        names.dedup_by(|a, b| a.0 == b.0);
        Listed::Only(names)
    }
}
