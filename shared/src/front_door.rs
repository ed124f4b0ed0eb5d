//! The path table of the one front door: which service answers which path.
//!
//! Clients insist on one host name for both services, so whatever stands in front (the `portolan` command, nginx, a load
//! balancer) sends each path one way or the other by this table and no other rule.

/// Who answers a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// People and permission, pages, tokens, Docker Hub's API.
    Index,
    /// Content.
    Registry,
}

/// A row of the table. Rows are tried in order; paths are compared as sent, without decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// This path and nothing below it.
    Exact(&'static str),
    /// This path, and everything below it.
    Tree(&'static str),
}

impl Rule {
    /// Whether the row decides `path`, the path of a request without its query.
    pub fn matches(self, path: &str) -> bool {
        match self {
            Self::Exact(own) => path == own,
            Self::Tree(own) => path
                .strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        }
    }
}

/// First segments below `/v2/` that Docker Hub's API uses. No account, organisation or repository may be called so,
/// else its paths would be ambiguous.
pub const RESERVED_NAMESPACES: [&str; 14] = [
    "access-tokens",
    "api_tokens",
    "auditlogs",
    "auth",
    "categories",
    "invites",
    "namespaces",
    "orgs",
    "repositories",
    "scim",
    "search",
    "token",
    "user",
    "users",
];

/// The table. What no row decides goes to the index.
pub const TABLE: [(Rule, Service); 16] = [
    // The index lists what the caller may see; the registry alone would list everything.
    (Rule::Exact("/v2/_catalog"), Service::Index),
    (Rule::Tree("/v2/access-tokens"), Service::Index),
    (Rule::Tree("/v2/api_tokens"), Service::Index),
    (Rule::Tree("/v2/auditlogs"), Service::Index),
    (Rule::Tree("/v2/auth"), Service::Index),
    (Rule::Tree("/v2/categories"), Service::Index),
    (Rule::Tree("/v2/invites"), Service::Index),
    (Rule::Tree("/v2/namespaces"), Service::Index),
    (Rule::Tree("/v2/orgs"), Service::Index),
    (Rule::Tree("/v2/repositories"), Service::Index),
    (Rule::Tree("/v2/scim"), Service::Index),
    (Rule::Tree("/v2/search"), Service::Index),
    (Rule::Tree("/v2/token"), Service::Index),
    (Rule::Tree("/v2/user"), Service::Index),
    (Rule::Tree("/v2/users"), Service::Index),
    (Rule::Tree("/v2"), Service::Registry),
];

/// Who answers `path`, the path of a request without its query, as sent.
pub fn route(path: &str) -> Service {
    TABLE
        .iter()
        .find(|(rule, _)| rule.matches(path))
        .map_or(Service::Index, |(_, service)| *service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_goes_to_the_registry_and_everything_else_to_the_index() {
        for path in [
            "/v2",
            "/v2/",
            "/v2/a/b/manifests/latest",
            "/v2/centos/tags/list",
            "/v2/usersx/app/tags/list",
            "/v2/team/users/tags/list",
            "/v2/_catalog/x",
            "/v2/_portolan/x",
            "/v2/a/_portolan/purge",
        ] {
            assert_eq!(route(path), Service::Registry, "{path}");
        }
        for path in [
            "/",
            "/token",
            "/token/",
            "/auth/token",
            "/v1/_ping",
            "/v1/search",
            "/v2/_catalog",
            "/v2/token",
            "/v2/users/login",
            "/v2/users/",
            "/v2/user",
            "/v2/repositories/team/app/tags",
            "/v22/",
            "/.well-known/jwks.json",
            "/V2/",
        ] {
            assert_eq!(route(path), Service::Index, "{path}");
        }
    }

    #[test]
    fn every_reserved_namespace_has_its_row() {
        for name in RESERVED_NAMESPACES {
            let tree = format!("/v2/{name}");
            assert!(TABLE.iter().any(|(rule, service)| {
                matches!(rule, Rule::Tree(own) if *own == tree) && *service == Service::Index
            }));
        }
        assert_eq!(TABLE.len(), RESERVED_NAMESPACES.len() + 2);
    }
}
