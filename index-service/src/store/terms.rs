//! What pushes to a repository and deletions there keep to, read in one statement.

use shared::token::ImmutableTags;

use super::dialect::{Tx, find, statements};
use super::error::StoreError;
use super::immutability::parse;
use super::row::row;
use crate::domain::quota::{Decided, NamespaceQuota, PerResource};
use crate::domain::{NamespaceId, RepositoryId};

statements! {
    FIND_TERMS = "select i.tags as own_tags, i.exceptions as own_exceptions, m.tags as namespace_tags,
        m.exceptions as namespace_exceptions, q.bytes, q.storage_bytes, q.repositories, q.tags, q.is_strict from namespace n
        left join repository_immutability i on i.repository_id = $1
        left join namespace_immutability m on m.namespace_id = n.namespace_id
        left join namespace_quota q on q.namespace_id = n.namespace_id
        where n.namespace_id = $2";
}

row! {
struct FoundRow {
    own_tags: Option<String>,
    own_exceptions: Option<String>,
    namespace_tags: Option<String>,
    namespace_exceptions: Option<String>,
    bytes: Option<i64>,
    storage_bytes: Option<i64>,
    repositories: Option<i64>,
    tags: Option<i64>,
    is_strict: Option<bool>,
}
}

/// What stands about a repository and its namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundTerms {
    /// Tags that stay what they are by the repository's rule.
    pub repository: ImmutableTags,
    /// Those by the namespace's.
    pub namespace: ImmutableTags,
    /// What was decided about how much the namespace may hold.
    pub quota: NamespaceQuota,
}

/// What stands about a repository, or about a name that has none yet, in a namespace.
pub async fn find_terms(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    repository_id: Option<RepositoryId>,
) -> Result<FoundTerms, StoreError> {
    // No repository has this id.
    let repository = repository_id.map_or(-1, RepositoryId::as_i64);
    let Some(row) = find!(
        "terms",
        tx,
        FoundRow,
        FIND_TERMS,
        repository,
        namespace_id.as_i64()
    )?
    else {
        return Ok(FoundTerms::default());
    };
    let tags = |tags: Option<String>, exceptions: Option<String>| match (tags, exceptions) {
        (Some(tags), Some(exceptions)) => parse(&tags, &exceptions),
        _ => Ok(ImmutableTags::default()),
    };
    Ok(FoundTerms {
        repository: tags(row.own_tags, row.own_exceptions)?,
        namespace: tags(row.namespace_tags, row.namespace_exceptions)?,
        quota: NamespaceQuota {
            decided: PerResource {
                bytes: Decided::of_stored(row.bytes),
                storage_bytes: Decided::of_stored(row.storage_bytes),
                repositories: Decided::of_stored(row.repositories),
                tags: Decided::of_stored(row.tags),
            },
            is_strict: row.is_strict,
        },
    })
}
