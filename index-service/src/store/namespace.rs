//! Namespaces.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{
    AccountId, NamespaceFacts, NamespaceId, NamespaceName, NamespaceOwner, OrganisationId, Visibility,
};

statements! {
    CREATE_NAMESPACE = "insert into namespace (namespace_id, name, account_id, created_at) values ($1, $2, $3, $4)
        on conflict (name) do nothing";
    CREATE_NAMESPACE_OF_ORGANISATION = "insert into namespace (namespace_id, name, organisation_id, created_at)
        values ($1, $2, $3, $4) on conflict (name) do nothing";
    FIND_NAMESPACE = "select namespace_id, name, account_id, organisation_id, default_visibility from namespace
        where name = $1";
    FIND_NAMESPACE_BY_ID = "select namespace_id, name, account_id, organisation_id, default_visibility from namespace
        where namespace_id = $1";
    LOCK_NAMESPACE = "update namespace set created_at = created_at where namespace_id = $1";
    SET_DEFAULT_VISIBILITY = "update namespace set default_visibility = $2 where namespace_id = $1";
}

row! {
/// A row of `namespace`.
pub(super) struct NamespaceRow {
    namespace_id: i64,
    name: String,
    account_id: Option<i64>,
    organisation_id: Option<i64>,
    default_visibility: String,
}
}

impl NamespaceRow {
    pub(super) fn into_facts(self) -> Result<NamespaceFacts, StoreError> {
        Ok(NamespaceFacts {
            namespace_id: NamespaceId::from_i64(self.namespace_id),
            name: self.name.parse().map_err(unreadable("namespace name"))?,
            owner: match (self.account_id, self.organisation_id) {
                (Some(id), _) => NamespaceOwner::Account(AccountId::from_i64(id)),
                (None, Some(id)) => NamespaceOwner::Organisation(OrganisationId::from_i64(id)),
                (None, None) => NamespaceOwner::Administrators,
            },
            default_visibility: self
                .default_visibility
                .parse()
                .map_err(unreadable("visibility"))?,
        })
    }
}

/// Creates the namespace of an account; [`StoreError::Conflict`] when the name is taken.
pub async fn create_namespace(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    name: &NamespaceName,
    owner: AccountId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let created = on!(tx, c => sqlx::query(CREATE_NAMESPACE)
        .bind(namespace_id.as_i64()).bind(name.as_str()).bind(owner.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("namespace"))?;
    if created == 0 {
        return Err(StoreError::Conflict("namespace"));
    }
    Ok(())
}

/// The namespace of a name.
pub async fn find_namespace(tx: &mut Tx, name: &NamespaceName) -> Result<Option<NamespaceFacts>, StoreError> {
    find!("namespace", tx, NamespaceRow, FIND_NAMESPACE, name.as_str())?
        .map(NamespaceRow::into_facts)
        .transpose()
}

/// Creates the namespace of an organisation; [`StoreError::Conflict`] when the name is taken.
pub async fn create_organisation_namespace(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    name: &NamespaceName,
    owner: OrganisationId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let created = on!(tx, c => sqlx::query(CREATE_NAMESPACE_OF_ORGANISATION)
        .bind(namespace_id.as_i64()).bind(name.as_str()).bind(owner.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("namespace"))?;
    if created == 0 {
        return Err(StoreError::Conflict("namespace"));
    }
    Ok(())
}

/// The namespace of an id.
pub async fn find_namespace_by_id(
    tx: &mut Tx,
    namespace_id: NamespaceId,
) -> Result<Option<NamespaceFacts>, StoreError> {
    find!(
        "namespace",
        tx,
        NamespaceRow,
        FIND_NAMESPACE_BY_ID,
        namespace_id.as_i64()
    )?
    .map(NamespaceRow::into_facts)
    .transpose()
}

/// Decides who may see repositories that are made in it from now on; says whether there is such a namespace.
pub async fn set_default_visibility(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    visibility: Visibility,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(SET_DEFAULT_VISIBILITY).bind(namespace_id.as_i64()).bind(visibility.as_str())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("namespace"))
}

/// Makes other transactions that lock the same namespace wait for this one.
pub async fn lock_namespace(tx: &mut Tx, namespace_id: NamespaceId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LOCK_NAMESPACE).bind(namespace_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("namespace"))
}
