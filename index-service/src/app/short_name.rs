//! `/r/NS/REPO` and `/_/REPO`: what a person types to look at a repository, with `:TAG` or `@DIGEST` behind it, which may be
//! the beginning of one.

use shared::oci::RepositoryName;
use shared::oci::name::LIBRARY;

use super::App;
use super::access::no_repository;
use super::caller::Caller;
use super::error::AppError;
use super::hub::{HubRepository, HubTag, HubTagOrder};
use super::repository_profile::Described;

/// Tags that are shown.
const TAGS: usize = 20;

/// What a short name leads to.
#[derive(Debug)]
pub struct ShortName {
    /// The repository.
    pub repository: HubRepository,
    /// What is said about it.
    pub described: Described,
    /// How many tags it has.
    pub tag_count: usize,
    /// Those that moved last.
    pub tags: Vec<HubTag>,
    /// The tag or digest that was asked for.
    pub reference: Option<Reference>,
}

/// What of a repository was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The tag, when it was one.
    pub tag: Option<String>,
    /// The digest, whole.
    pub digest: String,
}

impl ShortName {
    /// What a client pulls, behind the host.
    pub fn pulled_as(&self) -> String {
        let name = &self.repository.facts.name;
        match &self.reference {
            Some(Reference { tag: Some(tag), .. }) => format!("{name}:{tag}"),
            Some(Reference { digest, .. }) => format!("{name}@{digest}"),
            None => name.to_string(),
        }
    }
}

impl App {
    /// What a short name leads to, for whoever may pull it. Of an official one the namespace is left out.
    pub async fn resolve_short_name(
        &self,
        caller: &Caller,
        text: &str,
        is_official: bool,
    ) -> Result<ShortName, AppError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) => (name, Some(tag)),
            None => (name, None),
        };
        let name = if is_official {
            format!("{LIBRARY}/{name}")
        } else {
            name.to_owned()
        };
        let name: RepositoryName = name.parse().map_err(|_| no_repository(&name))?;
        let repository = self.show_hub_repository(caller, &name).await?;
        let id = repository.facts.repository_id;
        let reference = match (digest, tag) {
            (Some(digest), _) => {
                let node = self.show_manifest(caller, id, digest).await?;
                let digest = node.manifest.digest;
                Some(Reference { tag: None, digest })
            }
            (None, Some(tag)) => {
                let (_, found) = self.show_hub_tag(caller, &name, tag).await?;
                Some(Reference {
                    tag: Some(found.tag.name),
                    digest: found.tag.digest,
                })
            }
            (None, None) => None,
        };
        let order = (HubTagOrder::Updated, false);
        let (_, tag_count, tags) = self.list_hub_tags(caller, &name, "", order, (0, TAGS)).await?;
        Ok(ShortName {
            described: self.show_description(caller, id).await?,
            repository,
            tag_count,
            tags,
            reference,
        })
    }
}
