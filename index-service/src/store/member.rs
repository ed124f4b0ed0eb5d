//! Who is in an organisation.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{AccountId, Member, OrganisationId, Username};

statements! {
    LIST_MEMBERS = "select m.account_id, a.username, a.display_name, a.full_name, m.role, m.expires_at, m.created_at
        from member m join account a on a.account_id = m.account_id
        where m.organisation_id = $1 and m.account_id > $2 and (m.expires_at is null or m.expires_at > $3)
        order by m.account_id limit $4";
    FIND_MEMBER = "select m.account_id, a.username, a.display_name, a.full_name, m.role, m.expires_at, m.created_at
        from member m join account a on a.account_id = m.account_id
        where m.organisation_id = $1 and m.account_id = $2 and (m.expires_at is null or m.expires_at > $3)";
    FIND_OTHER_OWNER = "select m.account_id from member m join account a on a.account_id = m.account_id
        where m.organisation_id = $1 and m.role = 'owner' and m.account_id <> $2 and a.disabled_at is null limit 1";
    REMOVE_MEMBER = "delete from member where organisation_id = $1 and account_id = $2";
    LOCK_ORGANISATIONS_OF = "update organisation set updated_at = updated_at where organisation_id in
        (select organisation_id from member where account_id = $1)";
    REMOVE_FROM_TEAMS = "delete from team_member where account_id = $1
        and team_id in (select team_id from team where organisation_id = $2)";
    REMOVE_RULES_OF_MEMBER = "delete from access_rule where subject_kind = 'account' and subject_id = $1
        and namespace_id in (select namespace_id from namespace where organisation_id = $2)";
    LIST_ENDED_GUESTS = "select organisation_id, account_id from member where expires_at <= $1 order by expires_at limit $2";
}

row! {
/// A row of `member` or `team_member`, with its account.
pub(super) struct MemberRow {
    account_id: i64,
    username: String,
    display_name: String,
    full_name: String,
    role: String,
    expires_at: Option<i64>,
    created_at: i64,
}
}

impl MemberRow {
    pub(super) fn into_member(self) -> Result<Member, StoreError> {
        Ok(Member {
            account_id: AccountId::from_i64(self.account_id),
            username: Username::stored(&self.username, &self.display_name)
                .map_err(unreadable("user name"))?,
            full_name: self.full_name,
            role: self.role.parse().map_err(unreadable("role"))?,
            expires_at: self.expires_at,
            created_at: self.created_at,
        })
    }
}

row! {
struct AccountIdRow {
    account_id: i64,
}
}

row! {
struct EndedGuestRow {
    organisation_id: i64,
    account_id: i64,
}
}

/// At most `limit` accounts that are in an organisation at `now_ms`, in the order of their ids, those behind `after`.
pub async fn list_members(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    after: i64,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    list!(
        "members",
        tx,
        MemberRow,
        LIST_MEMBERS,
        organisation_id.as_i64(),
        after,
        now_ms,
        i64::from(limit)
    )?
    .into_iter()
    .map(MemberRow::into_member)
    .collect()
}

/// An account that is in an organisation at `now_ms`.
pub async fn find_member(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
    now_ms: i64,
) -> Result<Option<Member>, StoreError> {
    find!(
        "member",
        tx,
        MemberRow,
        FIND_MEMBER,
        organisation_id.as_i64(),
        account_id.as_i64(),
        now_ms
    )?
    .map(MemberRow::into_member)
    .transpose()
}

/// Whether somebody else than `account_id` owns an organisation and can log in.
pub async fn has_other_owner(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
) -> Result<bool, StoreError> {
    Ok(find!(
        "owners",
        tx,
        AccountIdRow,
        FIND_OTHER_OWNER,
        organisation_id.as_i64(),
        account_id.as_i64()
    )?
    .is_some_and(|row| row.account_id != account_id.as_i64()))
}

/// Locks every organisation that an account is in, as [`super::organisation::lock_organisation`] does.
pub async fn lock_organisations_of(tx: &mut Tx, account_id: AccountId) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(LOCK_ORGANISATIONS_OF).bind(account_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("organisations"))
}

/// Ends a membership with all that hangs on it: places in teams, and the rules of the organisation's namespace about
/// the account. Says whether there was one.
pub async fn remove_member(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
) -> Result<bool, StoreError> {
    for text in [REMOVE_FROM_TEAMS, REMOVE_RULES_OF_MEMBER] {
        on!(tx, c => sqlx::query(text).bind(account_id.as_i64()).bind(organisation_id.as_i64())
            .execute(c).await.map(drop))
        .map_err(writing("member"))?;
    }
    on!(tx, c => sqlx::query(REMOVE_MEMBER).bind(organisation_id.as_i64()).bind(account_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("member"))
}

/// At most `limit` guests whose time is over at `now_ms`, the longest first.
pub async fn list_ended_guests(
    tx: &mut Tx,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<(OrganisationId, AccountId)>, StoreError> {
    let rows = list!(
        "guests",
        tx,
        EndedGuestRow,
        LIST_ENDED_GUESTS,
        now_ms,
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                OrganisationId::from_i64(row.organisation_id),
                AccountId::from_i64(row.account_id),
            )
        })
        .collect())
}
