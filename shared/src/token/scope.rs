//! The scope grammar (Docker token authentication specification, "Token Scope"):
//! `type[(class)]:name:action[,action]*`, several separated by spaces.

use std::fmt;

use super::access::{Action, Actions, Resource};

/// One resource that a client asks access to, and the actions it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Which resource.
    pub resource: Resource,
    /// Which actions; unknown words are dropped, so this may be empty.
    pub actions: Actions,
}

impl Scope {
    /// A scope of a repository.
    pub fn repository(name: crate::oci::RepositoryName, actions: Actions) -> Self {
        Self {
            resource: Resource::Repository(name),
            actions,
        }
    }

    /// `registry:catalog:*`
    pub fn catalog() -> Self {
        Self {
            resource: Resource::Catalog,
            actions: Actions::NONE.with(Action::All),
        }
    }

    /// One item. `None` for what names no resource of ours: clients ask for vendors' scopes too, which grant nothing
    /// and must not fail the rest.
    pub fn find(item: &str) -> Option<Self> {
        // A name may hold one colon (host:port), so the type ends at the first colon and the actions begin after the last.
        let (head, actions) = item.rsplit_once(':')?;
        let (resource_type, name) = head.split_once(':')?;
        // The class, `repository(plugin)`, is deprecated: read and ignored.
        let resource_type = match resource_type.split_once('(') {
            Some((bare, class)) if class.ends_with(')') => bare,
            Some(_) => return None,
            None => resource_type,
        };
        let resource = Resource::find(resource_type, name)?;
        Some(Self {
            resource,
            actions: actions.split(',').filter_map(Action::find).collect(),
        })
    }

    /// Every item of the given texts in their order, each resource once with all the actions asked for it, at most
    /// `limit` resources: those asked for first are kept.
    pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<Self> {
        let mut scopes: Vec<Self> = Vec::new();
        for scope in texts
            .into_iter()
            .flat_map(|text| text.split(' '))
            .filter_map(Self::find)
        {
            if let Some(same) = scopes.iter_mut().find(|s| s.resource == scope.resource) {
                same.actions = same.actions.union(scope.actions);
            } else if scopes.len() < limit {
                scopes.push(scope);
            }
        }
        scopes
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.resource.resource_type().as_str(),
            self.resource.name(),
            self.actions
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<String> {
        Scope::parse_all([text], 50)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn scopes_of_every_client_are_read() {
        for (text, read) in [
            ("repository:a/b:pull", vec!["repository:a/b:pull"]),
            ("repository:a/b:push,pull", vec!["repository:a/b:pull,push"]),
            (
                "repository:a/b:pull repository:a/b:pull,push",
                vec!["repository:a/b:pull,push"],
            ),
            (
                "repository:a/b:pull,push repository:c:pull",
                vec!["repository:a/b:pull,push", "repository:c:pull"],
            ),
            ("repository(plugin):a/b:pull", vec!["repository:a/b:pull"]),
            ("repository:a/b:*", vec!["repository:a/b:*"]),
            ("repository:a/b:pull,metadata_read", vec!["repository:a/b:pull"]),
            ("registry:catalog:*", vec!["registry:catalog:*"]),
            ("registry:catalog:search", vec!["registry:catalog:search"]),
            ("  repository:a/b:pull  ", vec!["repository:a/b:pull"]),
        ] {
            assert_eq!(parse(text), read, "{text}");
        }
    }

    #[test]
    fn malformed_items_are_ignored_and_the_rest_stands() {
        for item in [
            "",
            "repository",
            "repository:a/b",
            "repository:A:pull",
            "repository(x:a:pull",
            "x:y:z",
            "::",
            ":::",
        ] {
            assert_eq!(
                parse(&format!("{item} repository:a/b:pull")),
                ["repository:a/b:pull"],
                "{item}"
            );
        }
    }

    #[test]
    fn resources_asked_for_first_are_kept() {
        let texts: Vec<String> = (0..60).map(|i| format!("repository:a/r{i}:pull")).collect();
        let scopes = Scope::parse_all(texts.iter().map(String::as_str), 50);
        assert_eq!(scopes.len(), 50);
        assert_eq!(scopes[49].resource.name(), "a/r49");
    }
}
