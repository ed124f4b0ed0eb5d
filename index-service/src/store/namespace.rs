//! Namespaces.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{AccountId, NamespaceFacts, NamespaceId, NamespaceName, NamespaceOwner};

statements! {
    CREATE_NAMESPACE = "insert into namespace (namespace_id, name, account_id, created_at) values ($1, $2, $3, $4)
        on conflict (name) do nothing";
    FIND_NAMESPACE = "select namespace_id, name, account_id from namespace where name = $1";
}

row! {
struct NamespaceRow {
    namespace_id: i64,
    name: String,
    account_id: Option<i64>,
}
}

impl NamespaceRow {
    fn into_facts(self) -> Result<NamespaceFacts, StoreError> {
        Ok(NamespaceFacts {
            namespace_id: NamespaceId::from_i64(self.namespace_id),
            name: self.name.parse().map_err(unreadable("namespace name"))?,
            owner: self.account_id.map_or(NamespaceOwner::Administrators, |id| {
                NamespaceOwner::Account(AccountId::from_i64(id))
            }),
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
