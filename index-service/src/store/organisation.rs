//! Organisations and who is in them.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{AccountId, Membership, NamespaceName, Organisation, OrganisationId, OrganisationRole};

statements! {
    CREATE_ORGANISATION = "insert into organisation (organisation_id, name, display_name, description, created_by,
        created_at, updated_at) values ($1, $2, $3, '', $4, $5, $5) on conflict (name) do nothing";
    FIND_ORGANISATION = "select organisation_id, name, display_name, description, created_at, deleted_at
        from organisation where name = $1";
    FIND_ORGANISATION_BY_ID = "select organisation_id, name, display_name, description, created_at, deleted_at
        from organisation where organisation_id = $1";
    LOCK_ORGANISATION = "update organisation set updated_at = updated_at where organisation_id = $1";
    LIST_ORGANISATIONS_OF = "select m.role, m.expires_at, o.organisation_id, o.name, o.display_name, o.description, o.created_at,
        o.deleted_at from member m join organisation o on o.organisation_id = m.organisation_id
        where m.account_id = $1 and m.organisation_id > $2 and (m.expires_at is null or m.expires_at > $3)
        order by m.organisation_id limit $4";
    CHANGE_ORGANISATION = "update organisation set display_name = $2, description = $3, updated_at = $4
        where organisation_id = $1";
    DELETE_ORGANISATION = "update organisation set deleted_at = $2, updated_at = $2, description = ''
        where organisation_id = $1 and deleted_at is null";
    FIND_MEMBERSHIP = "select organisation_id, role, expires_at from member
        where organisation_id = $1 and account_id = $2";
    PUT_MEMBER = "insert into member (organisation_id, account_id, role, expires_at, created_at) values ($1, $2, $3, $4, $5)
        on conflict (organisation_id, account_id) do update set role = excluded.role, expires_at = excluded.expires_at";
}

row! {
struct OrganisationRow {
    organisation_id: i64,
    name: String,
    display_name: String,
    description: String,
    created_at: i64,
    deleted_at: Option<i64>,
}
}

impl OrganisationRow {
    fn into_organisation(self) -> Result<Organisation, StoreError> {
        Ok(Organisation {
            organisation_id: OrganisationId::from_i64(self.organisation_id),
            name: self.name.parse().map_err(unreadable("organisation name"))?,
            display_name: self.display_name,
            description: self.description,
            created_at: self.created_at,
            deleted_at: self.deleted_at,
        })
    }
}

row! {
struct MembershipRow {
    organisation_id: i64,
    role: String,
    expires_at: Option<i64>,
}
}

impl MembershipRow {
    fn into_membership(self) -> Result<Membership, StoreError> {
        Ok(Membership {
            organisation_id: OrganisationId::from_i64(self.organisation_id),
            role: self.role.parse().map_err(unreadable("role"))?,
            expires_at: self.expires_at,
        })
    }
}

/// Creates an organisation; [`StoreError::Conflict`] when the name is or was another's.
pub async fn create_organisation(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    name: &NamespaceName,
    display_name: &str,
    created_by: Option<AccountId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let created = on!(tx, c => sqlx::query(CREATE_ORGANISATION)
        .bind(organisation_id.as_i64()).bind(name.as_str()).bind(display_name)
        .bind(created_by.map(AccountId::as_i64)).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("organisation"))?;
    if created == 0 {
        return Err(StoreError::Conflict("organisation"));
    }
    Ok(())
}

/// The organisation of a name, deleted ones too.
pub async fn find_organisation(
    tx: &mut Tx,
    name: &NamespaceName,
) -> Result<Option<Organisation>, StoreError> {
    find!(
        "organisation",
        tx,
        OrganisationRow,
        FIND_ORGANISATION,
        name.as_str()
    )?
    .map(OrganisationRow::into_organisation)
    .transpose()
}

/// The organisation of an id, deleted ones too.
pub async fn find_organisation_by_id(
    tx: &mut Tx,
    organisation_id: OrganisationId,
) -> Result<Option<Organisation>, StoreError> {
    find!(
        "organisation",
        tx,
        OrganisationRow,
        FIND_ORGANISATION_BY_ID,
        organisation_id.as_i64()
    )?
    .map(OrganisationRow::into_organisation)
    .transpose()
}

row! {
struct OrganisationOfRow {
    role: String,
    expires_at: Option<i64>,
    organisation_id: i64,
    name: String,
    display_name: String,
    description: String,
    created_at: i64,
    deleted_at: Option<i64>,
}
}

/// At most `limit` organisations that an account is in at `now_ms`, in the order of their ids, those behind `after`.
pub async fn list_organisations_of(
    tx: &mut Tx,
    account_id: AccountId,
    after: i64,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<(Organisation, Membership)>, StoreError> {
    list!(
        "organisations",
        tx,
        OrganisationOfRow,
        LIST_ORGANISATIONS_OF,
        account_id.as_i64(),
        after,
        now_ms,
        i64::from(limit)
    )?
    .into_iter()
    .map(|row| {
        let membership = MembershipRow {
            organisation_id: row.organisation_id,
            role: row.role,
            expires_at: row.expires_at,
        };
        let organisation = OrganisationRow {
            organisation_id: row.organisation_id,
            name: row.name,
            display_name: row.display_name,
            description: row.description,
            created_at: row.created_at,
            deleted_at: row.deleted_at,
        };
        Ok((organisation.into_organisation()?, membership.into_membership()?))
    })
    .collect()
}

/// Makes other transactions that lock the same organisation wait for this one: who is in it changes one at a time.
pub async fn lock_organisation(tx: &mut Tx, organisation_id: OrganisationId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LOCK_ORGANISATION).bind(organisation_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("organisation"))
}

/// Changes what is said about an organisation.
pub async fn change_organisation(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    display_name: &str,
    description: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CHANGE_ORGANISATION)
        .bind(organisation_id.as_i64()).bind(display_name).bind(description).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("organisation"))
}

/// Marks an organisation as deleted, which keeps its name; says whether it was there. Who and what is in it is ended by
/// [`super::departure::end_organisation`].
pub async fn delete_organisation(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(DELETE_ORGANISATION).bind(organisation_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("organisation"))
}

/// An account's place in an organisation, whether it still counts or not.
pub async fn find_membership(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
) -> Result<Option<Membership>, StoreError> {
    find!(
        "membership",
        tx,
        MembershipRow,
        FIND_MEMBERSHIP,
        organisation_id.as_i64(),
        account_id.as_i64()
    )?
    .map(MembershipRow::into_membership)
    .transpose()
}

/// Makes an account a member, or changes what it is.
pub async fn put_member(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
    role: OrganisationRole,
    expires_at: Option<i64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_MEMBER)
        .bind(organisation_id.as_i64()).bind(account_id.as_i64()).bind(role.as_str()).bind(expires_at).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("member"))
}
