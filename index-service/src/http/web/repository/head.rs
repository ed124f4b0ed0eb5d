//! What every page of a repository begins with: its name, what may be done with it, and its pages.

use super::path_of;
use crate::app::repository_page::RepositoryHead;
use crate::domain::{Right, Visibility};

/// The head of a repository's pages.
#[derive(Debug)]
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
            here,
        }
    }

    /// The address of one of its pages.
    pub(super) fn page(&self, page: &str) -> String {
        format!("{}/-/{page}", self.path)
    }
}
