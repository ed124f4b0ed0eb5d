//! What every page of a repository begins with: its name, what may be done with it, and its pages.

use super::path_of;
use crate::app::repository_page::{DAYS, RepositoryHead};
use crate::domain::{Right, Visibility};
use crate::http::web::spark::Spark;
use crate::http::web::view::View;

/// The head of a repository's pages.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a page asks each of them alone")]
pub(super) struct Head {
    pub(super) name: String,
    /// The first segment, and what follows it.
    pub(super) namespace: String,
    pub(super) rest: String,
    /// The address of its page.
    pub(super) path: String,
    /// What clients call it, behind the host.
    pub(super) pulled_as: String,
    pub(super) visibility: &'static str,
    pub(super) is_public: bool,
    pub(super) is_official: bool,
    pub(super) is_verified: bool,
    pub(super) summary: String,
    pub(super) stars: i64,
    pub(super) has_star: bool,
    pub(super) has_bookmark: bool,
    pub(super) tag_count: i64,
    pub(super) has_comments: bool,
    pub(super) may_push: bool,
    pub(super) may_manage: bool,
    pub(super) may_administer: bool,
    /// Pulls of the last days.
    pub(super) spark: Spark,
    /// Which of the pages this is.
    pub(super) here: &'static str,
}

impl Head {
    pub(super) fn new(head: &RepositoryHead, here: &'static str) -> Self {
        let facts = head.facts();
        let name = facts.name.as_str();
        let rest = name.split_once('/').map_or(name, |(_, rest)| rest);
        Self {
            name: name.to_owned(),
            namespace: facts.name.namespace().to_owned(),
            rest: rest.to_owned(),
            path: path_of(name),
            pulled_as: head.pulled_as().to_owned(),
            visibility: match facts.visibility {
                Visibility::Public => "repository-public",
                Visibility::Internal => "repository-internal",
                Visibility::Private => "repository-private",
            },
            is_public: facts.visibility == Visibility::Public,
            is_official: head.described.is_official,
            is_verified: head.described.is_verified,
            summary: head.described.shown_summary().0,
            stars: head.details.star_count,
            has_star: head.described.has_star,
            has_bookmark: head.has_bookmark,
            tag_count: head.tag_count,
            has_comments: head.has_comments,
            may_push: head.rights.contains(Right::Push),
            may_manage: head.rights.contains(Right::Manage),
            may_administer: head.rights.contains(Right::Administer),
            spark: Spark::new(&head.days, head.today, DAYS),
            here,
        }
    }

    /// What a client types to get it.
    pub(super) fn pull(&self, view: &View) -> String {
        format!("docker pull {}/{}", view.host, self.pulled_as)
    }

    /// What a client types to get a tag.
    pub(super) fn pull_tag(&self, view: &View, tag: &str) -> String {
        format!("{}:{tag}", self.pull(view))
    }

    /// What a client types to get a manifest.
    pub(super) fn pull_digest(&self, view: &View, digest: &str) -> String {
        format!("{}@{digest}", self.pull(view))
    }

    /// What whoever pushes first types: who they are,
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the head"
    )]
    pub(super) fn login(&self, view: &View) -> String {
        // The reader's own name where it is known.
        format!("docker login -u {} {}", view.you(), view.host)
    }

    /// the name of the image,
    pub(super) fn naming(&self, view: &View) -> String {
        format!("docker tag IMAGE {}/{}:latest", view.host, self.pulled_as)
    }

    /// and that it goes there.
    pub(super) fn push(&self, view: &View) -> String {
        format!("docker push {}/{}:latest", view.host, self.pulled_as)
    }

    /// The address of one of its pages.
    pub(super) fn page(&self, page: &str) -> String {
        format!("{}/-/{page}", self.path)
    }
}
