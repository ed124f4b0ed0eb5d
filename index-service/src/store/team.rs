//! Teams of organisations.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::member::MemberRow;
use super::row::row;
use crate::domain::{AccountId, Member, NamespaceName, OrganisationId, Team, TeamId};

statements! {
    CREATE_TEAM = "insert into team (team_id, organisation_id, name, description, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5) on conflict (organisation_id, name) do nothing";
    FIND_TEAM = "select team_id, organisation_id, name, description, created_at from team
        where organisation_id = $1 and name = $2";
    FIND_TEAM_BY_ID = "select team_id, organisation_id, name, description, created_at from team where team_id = $1";
    LIST_TEAMS = "select team_id, organisation_id, name, description, created_at from team
        where organisation_id = $1 and name > $2 order by name limit $3";
    LIST_TEAMS_OF = "select t.team_id, t.organisation_id, t.name, t.description, t.created_at
        from team_member m join team t on t.team_id = m.team_id
        where m.account_id = $1 and m.team_id > $2 and t.organisation_id = $3 order by m.team_id limit $4";
    CHANGE_TEAM = "update team set name = $2, description = $3, updated_at = $4 where team_id = $1";
    DELETE_TEAM = "delete from team where team_id = $1";
    REMOVE_TEAM_MEMBERS = "delete from team_member where team_id = $1";
    REMOVE_RULES_OF_TEAM = "delete from access_rule where subject_kind = 'team' and subject_id = $1";
    REVOKE_INVITATIONS_TO_TEAM = "update invitation set team_id = null, revoked_at = coalesce(revoked_at, $2)
        where team_id = $1";
    PUT_TEAM_MEMBER = "insert into team_member (team_id, account_id, created_at) values ($1, $2, $3)
        on conflict (team_id, account_id) do nothing";
    REMOVE_TEAM_MEMBER = "delete from team_member where team_id = $1 and account_id = $2";
    FIND_TEAM_MEMBER = "select account_id from team_member where team_id = $1 and account_id = $2";
    LIST_TEAM_MEMBERS = "select t.account_id, a.username, a.display_name, a.full_name, m.role, m.expires_at, t.created_at
        from team_member t join account a on a.account_id = t.account_id
        join member m on m.organisation_id = $1 and m.account_id = t.account_id
        where t.team_id = $2 and t.account_id > $3 and (m.expires_at is null or m.expires_at > $4)
        order by t.account_id limit $5";
}

row! {
struct TeamRow {
    team_id: i64,
    organisation_id: i64,
    name: String,
    description: String,
    created_at: i64,
}
}

impl TeamRow {
    fn into_team(self) -> Result<Team, StoreError> {
        Ok(Team {
            team_id: TeamId::from_i64(self.team_id),
            organisation_id: OrganisationId::from_i64(self.organisation_id),
            name: self.name.parse().map_err(unreadable("team name"))?,
            description: self.description,
            created_at: self.created_at,
        })
    }
}

row! {
struct AccountIdRow {
    account_id: i64,
}
}

/// Creates a team; [`StoreError::Conflict`] when the organisation has one of that name.
pub async fn create_team(tx: &mut Tx, team: &Team) -> Result<(), StoreError> {
    let created = on!(tx, c => sqlx::query(CREATE_TEAM)
        .bind(team.team_id.as_i64()).bind(team.organisation_id.as_i64()).bind(team.name.as_str())
        .bind(&team.description).bind(team.created_at)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("team"))?;
    if created == 0 {
        return Err(StoreError::Conflict("team"));
    }
    Ok(())
}

/// The team of a name in an organisation.
pub async fn find_team(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    name: &NamespaceName,
) -> Result<Option<Team>, StoreError> {
    find!(
        "team",
        tx,
        TeamRow,
        FIND_TEAM,
        organisation_id.as_i64(),
        name.as_str()
    )?
    .map(TeamRow::into_team)
    .transpose()
}

/// The team of an id.
pub async fn find_team_by_id(tx: &mut Tx, team_id: TeamId) -> Result<Option<Team>, StoreError> {
    find!("team", tx, TeamRow, FIND_TEAM_BY_ID, team_id.as_i64())?
        .map(TeamRow::into_team)
        .transpose()
}

/// At most `limit` teams of an organisation in the order of their names, those behind `after`.
pub async fn list_teams(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    after: &str,
    limit: u32,
) -> Result<Vec<Team>, StoreError> {
    list!(
        "teams",
        tx,
        TeamRow,
        LIST_TEAMS,
        organisation_id.as_i64(),
        after,
        i64::from(limit)
    )?
    .into_iter()
    .map(TeamRow::into_team)
    .collect()
}

/// At most `limit` teams of an organisation that an account is in, in the order of their ids, those behind `after`.
pub async fn list_teams_of(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
    after: i64,
    limit: u32,
) -> Result<Vec<Team>, StoreError> {
    list!(
        "teams",
        tx,
        TeamRow,
        LIST_TEAMS_OF,
        account_id.as_i64(),
        after,
        organisation_id.as_i64(),
        i64::from(limit)
    )?
    .into_iter()
    .map(TeamRow::into_team)
    .collect()
}

/// Changes a team's name and description. That no other team of the organisation has the name is the caller's to see to,
/// under the organisation's lock.
pub async fn change_team(
    tx: &mut Tx,
    team_id: TeamId,
    name: &NamespaceName,
    description: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CHANGE_TEAM)
        .bind(team_id.as_i64()).bind(name.as_str()).bind(description).bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("team"))
}

/// Deletes a team with its members' places in it, the rules about it and the invitations to it; says whether there was
/// such a team.
pub async fn delete_team(tx: &mut Tx, team_id: TeamId, now_ms: i64) -> Result<bool, StoreError> {
    for text in [REMOVE_RULES_OF_TEAM, REMOVE_TEAM_MEMBERS] {
        on!(tx, c => sqlx::query(text).bind(team_id.as_i64()).execute(c).await.map(drop))
            .map_err(writing("team"))?;
    }
    on!(tx, c => sqlx::query(REVOKE_INVITATIONS_TO_TEAM).bind(team_id.as_i64()).bind(now_ms).execute(c).await.map(drop))
        .map_err(writing("team"))?;
    on!(tx, c => sqlx::query(DELETE_TEAM).bind(team_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("team"))
}

/// Puts a member of the organisation into a team of it; says whether it was not there before.
pub async fn put_team_member(
    tx: &mut Tx,
    team_id: TeamId,
    account_id: AccountId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(PUT_TEAM_MEMBER).bind(team_id.as_i64()).bind(account_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("team member"))
}

/// Takes an account out of a team; says whether it was there.
pub async fn remove_team_member(
    tx: &mut Tx,
    team_id: TeamId,
    account_id: AccountId,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_TEAM_MEMBER).bind(team_id.as_i64()).bind(account_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("team member"))
}

/// Whether an account has a place in a team. It counts while the account is in the organisation.
pub async fn is_team_member(tx: &mut Tx, team_id: TeamId, account_id: AccountId) -> Result<bool, StoreError> {
    Ok(find!(
        "team member",
        tx,
        AccountIdRow,
        FIND_TEAM_MEMBER,
        team_id.as_i64(),
        account_id.as_i64()
    )?
    .is_some_and(|row| row.account_id == account_id.as_i64()))
}

/// At most `limit` accounts of a team that are in its organisation at `now_ms`, in the order of their ids, those behind
/// `after`. Role and end are those in the organisation.
pub async fn list_team_members(
    tx: &mut Tx,
    team: &Team,
    after: i64,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<Member>, StoreError> {
    list!(
        "team members",
        tx,
        MemberRow,
        LIST_TEAM_MEMBERS,
        team.organisation_id.as_i64(),
        team.team_id.as_i64(),
        after,
        now_ms,
        i64::from(limit)
    )?
    .into_iter()
    .map(MemberRow::into_member)
    .collect()
}
