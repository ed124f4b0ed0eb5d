//! Addresses of a repository's pages: `NAME`, and `NAME/-/PAGE`, which no repository's name can hold.

use crate::domain::CommentId;

/// What stands between a repository's name and its page.
const MARK: &str = "/-/";

/// A page of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Overview,
    Tags,
    Tag(&'a str),
    /// Where a tag is deleted.
    Deletion(&'a str),
    Manifest(&'a str),
    Compare,
    Activity,
    Comments,
}

/// What a form of these pages does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed<'a> {
    Star,
    Bookmark,
    RestoreTag(&'a str),
    DeleteTag(&'a str),
    WriteComment,
    Comment(CommentId, CommentDeed),
}

/// What is done to a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommentDeed {
    Edit,
    Delete,
    Report,
    Show,
    Hide,
    Lock,
    Unlock,
}

/// The name and the page of a path behind `/r/`; none where there is no such page.
pub(super) fn place(path: &str) -> Option<(&str, Place<'_>)> {
    let path = path.trim_end_matches('/');
    let Some((name, rest)) = path.split_once(MARK) else {
        return Some((path, Place::Overview));
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let place = match parts[..] {
        ["tags"] => Place::Tags,
        ["tags", tag] => Place::Tag(tag),
        ["tags", tag, "delete"] => Place::Deletion(tag),
        ["manifests", digest] => Place::Manifest(digest),
        ["compare"] => Place::Compare,
        ["activity"] => Place::Activity,
        ["comments"] => Place::Comments,
        _ => return None,
    };
    Some((name, place))
}

/// The name, and what is done, of a path that a form is sent to.
pub(super) fn deed(path: &str) -> Option<(&str, Deed<'_>)> {
    let (name, rest) = path.split_once(MARK)?;
    let parts: Vec<&str> = rest.split('/').collect();
    let deed = match parts[..] {
        ["star"] => Deed::Star,
        ["bookmark"] => Deed::Bookmark,
        ["tags", tag, "restore"] => Deed::RestoreTag(tag),
        ["tags", tag, "delete"] => Deed::DeleteTag(tag),
        ["comments"] => Deed::WriteComment,
        ["comments", id, word] => {
            let deed = match word {
                "edit" => CommentDeed::Edit,
                "delete" => CommentDeed::Delete,
                "report" => CommentDeed::Report,
                "show" => CommentDeed::Show,
                "hide" => CommentDeed::Hide,
                "lock" => CommentDeed::Lock,
                "unlock" => CommentDeed::Unlock,
                _ => return None,
            };
            Deed::Comment(CommentId::from_i64(id.parse().ok()?), deed)
        }
        _ => return None,
    };
    Some((name, deed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_repository_stand_behind_what_no_name_holds() {
        let digest = "sha256:ab";
        for (path, expected) in [
            ("team/app", Some(("team/app", Place::Overview))),
            ("team/app/", Some(("team/app", Place::Overview))),
            ("team/app:v1", Some(("team/app:v1", Place::Overview))),
            ("team/tags/-/tags", Some(("team/tags", Place::Tags))),
            ("web/-/tags/", Some(("web", Place::Tags))),
            ("team/app/-/tags/v1", Some(("team/app", Place::Tag("v1")))),
            (
                "team/app/-/tags/delete/delete",
                Some(("team/app", Place::Deletion("delete"))),
            ),
            (
                "a/b/-/manifests/sha256:ab",
                Some(("a/b", Place::Manifest(digest))),
            ),
            ("a/b/-/compare", Some(("a/b", Place::Compare))),
            ("a/b/-/activity", Some(("a/b", Place::Activity))),
            ("a/b/-/comments", Some(("a/b", Place::Comments))),
            ("a/b/-/", Some(("a/b/-", Place::Overview))),
            ("a/b/-/nothing", None),
            ("a/b/-/tags/a/b/c", None),
        ] {
            assert_eq!(place(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_done_is_one_of_a_few_things() {
        let comment = |deed| Some(("a/b", Deed::Comment(CommentId::from_i64(7), deed)));
        for (path, expected) in [
            ("a/b/-/star", Some(("a/b", Deed::Star))),
            ("a/b/-/bookmark", Some(("a/b", Deed::Bookmark))),
            ("a/b/-/tags/v1/restore", Some(("a/b", Deed::RestoreTag("v1")))),
            ("a/b/-/tags/v1/delete", Some(("a/b", Deed::DeleteTag("v1")))),
            ("a/b/-/comments", Some(("a/b", Deed::WriteComment))),
            ("a/b/-/comments/7/edit", comment(CommentDeed::Edit)),
            ("a/b/-/comments/7/unlock", comment(CommentDeed::Unlock)),
            ("a/b/-/comments/x/edit", None),
            ("a/b/-/comments/7/praise", None),
            ("a/b/-/tags/v1", None),
            ("a/b", None),
        ] {
            assert_eq!(deed(path), expected, "{path}");
        }
    }
}
