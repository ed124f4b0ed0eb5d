//! Tags that stay what they are, by rules of repositories and of namespaces.

use shared::token::{ImmutableTags, TagPattern};

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{NamespaceId, RepositoryId};

statements! {
    FIND_OF_NAMESPACE = "select tags, exceptions from namespace_immutability where namespace_id = $1";
    FIND_OF_REPOSITORY = "select tags, exceptions from repository_immutability where repository_id = $1";
    PUT_OF_NAMESPACE = "insert into namespace_immutability (namespace_id, tags, exceptions) values ($1, $2, $3)
        on conflict (namespace_id) do update set tags = excluded.tags, exceptions = excluded.exceptions";
    PUT_OF_REPOSITORY = "insert into repository_immutability (repository_id, tags, exceptions) values ($1, $2, $3)
        on conflict (repository_id) do update set tags = excluded.tags, exceptions = excluded.exceptions";
    REMOVE_OF_NAMESPACE = "delete from namespace_immutability where namespace_id = $1";
    REMOVE_OF_REPOSITORY = "delete from repository_immutability where repository_id = $1";
}

row! {
struct TagsRow {
    tags: String,
    exceptions: String,
}
}

/// Whose rule it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One of a namespace, for every repository in it.
    Namespace(NamespaceId),
    /// One of a repository.
    Repository(RepositoryId),
}

impl Place {
    fn id(self) -> i64 {
        match self {
            Self::Namespace(id) => id.as_i64(),
            Self::Repository(id) => id.as_i64(),
        }
    }
}

/// The tags that stay what they are by the rule of a place; none where there is no rule.
pub async fn find_immutable_tags(tx: &mut Tx, place: Place) -> Result<ImmutableTags, StoreError> {
    let row = match place {
        Place::Namespace(_) => find!("immutable tags", tx, TagsRow, FIND_OF_NAMESPACE, place.id())?,
        Place::Repository(_) => find!("immutable tags", tx, TagsRow, FIND_OF_REPOSITORY, place.id())?,
    };
    row.map_or_else(
        || Ok(ImmutableTags::default()),
        |row| parse(&row.tags, &row.exceptions),
    )
}

/// Makes the rule of a place, or ends it when no tag shall stay.
pub async fn put_immutable_tags(tx: &mut Tx, place: Place, tags: &ImmutableTags) -> Result<(), StoreError> {
    if tags.is_empty() {
        let text = match place {
            Place::Namespace(_) => REMOVE_OF_NAMESPACE,
            Place::Repository(_) => REMOVE_OF_REPOSITORY,
        };
        return on!(tx, c => sqlx::query(text).bind(place.id()).execute(c).await.map(drop))
            .map_err(writing("immutable tags"));
    }
    let text = match place {
        Place::Namespace(_) => PUT_OF_NAMESPACE,
        Place::Repository(_) => PUT_OF_REPOSITORY,
    };
    let (patterns, exceptions) = (join(tags.patterns()), join(tags.exceptions()));
    on!(tx, c => sqlx::query(text).bind(place.id()).bind(&patterns).bind(&exceptions).execute(c).await.map(drop))
        .map_err(writing("immutable tags"))
}

fn join(patterns: &[TagPattern]) -> String {
    let texts: Vec<_> = patterns.iter().map(TagPattern::as_str).collect();
    texts.join(" ")
}

/// What [`put_immutable_tags`] writes.
pub(super) fn parse(tags: &str, exceptions: &str) -> Result<ImmutableTags, StoreError> {
    let read = |text: &str| {
        let patterns = text.split_ascii_whitespace().map(str::parse::<TagPattern>);
        patterns.collect::<Result<Vec<_>, _>>()
    };
    let parsed = (|| ImmutableTags::new(read(tags)?, read(exceptions)?))();
    parsed.map_err(unreadable("immutable tags"))
}
