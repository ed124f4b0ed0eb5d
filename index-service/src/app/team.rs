//! Teams: made and filled by owners and managers of their organisation.

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::standing::Standing;
use crate::domain::free_text::DESCRIPTION;
use crate::domain::organisation::{InvalidTeamName, parse_team_name};
use crate::domain::{
    AuditAction, Member, NamespaceName, Organisation, OrganisationRole, TargetKind, Team, TeamId,
};
use crate::store::{StoreError, Tx, team};

/// What is to change about a team; `None` stays.
#[derive(Debug, Default)]
pub struct TeamChange {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl App {
    /// Makes a team.
    pub async fn create_team(
        &self,
        caller: &Caller,
        organisation: &str,
        name: &str,
        description: &str,
    ) -> Result<Team, AppError> {
        let name = parse_team_name(name)?;
        let description = DESCRIPTION.check(description)?;
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, organisation).await?;
        standing.administers()?;
        let team = Team {
            team_id: self.new_id(TeamId::new),
            organisation_id: standing.organisation.organisation_id,
            name,
            description,
            created_at: self.clock.now_ms(),
        };
        match team::create_team(&mut tx, &team).await {
            Err(StoreError::Conflict(_)) => return Err(taken(&team.name)),
            done => done?,
        }
        let change = event(AuditAction::TeamCreate, &standing.organisation, &team);
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(team)
    }

    /// At most `limit` teams of an organisation in the order of their names, those behind `after`. Guests see those that
    /// they are in.
    pub async fn list_teams(
        &self,
        caller: &Caller,
        organisation: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Team>, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, organisation).await?;
        let id = standing.organisation.organisation_id;
        if standing.member()? > OrganisationRole::Guest {
            return Ok(team::list_teams(&mut tx, id, after, limit).await?);
        }
        let own = caller.account()?.account_id;
        let mut teams = team::list_teams_of(&mut tx, id, own, i64::MIN, MAX_TEAMS_OF_GUEST).await?;
        teams.retain(|team| team.name.as_str() > after);
        teams.sort_by(|one, other| one.name.cmp(&other.name));
        teams.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(teams)
    }

    /// A team.
    pub async fn team(&self, caller: &Caller, organisation: &str, name: &str) -> Result<Team, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, organisation).await?;
        find_team(&mut tx, caller, &standing, name).await
    }

    /// Changes a team's name or description. Rules about it stay.
    pub async fn change_team(
        &self,
        caller: &Caller,
        organisation: &str,
        name: &str,
        change: &TeamChange,
    ) -> Result<Team, AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, organisation).await?;
        standing.administers()?;
        let mut found = find_team(&mut tx, caller, &standing, name).await?;
        let change_of = event(AuditAction::TeamUpdate, &standing.organisation, &found);
        if let Some(text) = &change.name {
            let name = parse_team_name(text)?;
            let other = team::find_team(&mut tx, found.organisation_id, &name).await?;
            if other.is_some_and(|other| other.team_id != found.team_id) {
                return Err(taken(&name));
            }
            found.name = name;
        }
        if let Some(text) = &change.description {
            found.description = DESCRIPTION.check(text)?;
        }
        team::change_team(
            &mut tx,
            found.team_id,
            &found.name,
            &found.description,
            self.clock.now_ms(),
        )
        .await?;
        let told = serde_json::json!({ "name": found.name.as_str(), "description": found.description });
        self.audit(&mut tx, By::Caller(caller), change_of.after(told))
            .await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Deletes a team, the rules about it and the invitations to it.
    pub async fn delete_team(&self, caller: &Caller, organisation: &str, name: &str) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, organisation).await?;
        standing.administers()?;
        let team = find_team(&mut tx, caller, &standing, name).await?;
        team::delete_team(&mut tx, team.team_id, self.clock.now_ms()).await?;
        let change = event(AuditAction::TeamDelete, &standing.organisation, &team);
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// At most `limit` accounts of a team, in the order of their ids, those behind `after`.
    pub async fn list_team_members(
        &self,
        caller: &Caller,
        organisation: &str,
        name: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Member>, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, organisation).await?;
        let team = find_team(&mut tx, caller, &standing, name).await?;
        Ok(team::list_team_members(&mut tx, &team, after, self.clock.now_ms(), limit).await?)
    }

    /// Puts somebody who is in the organisation into a team of it.
    pub async fn put_team_member(
        &self,
        caller: &Caller,
        organisation: &str,
        name: &str,
        username: &str,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, organisation).await?;
        standing.administers()?;
        let team = find_team(&mut tx, caller, &standing, name).await?;
        let member = self.find_member(&mut tx, caller, &standing, username).await?;
        let is_new =
            team::put_team_member(&mut tx, team.team_id, member.account_id, self.clock.now_ms()).await?;
        if is_new {
            let change = event(AuditAction::TeamMemberAdd, &standing.organisation, &team)
                .after(serde_json::json!({ "account": member.username.as_str() }));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes an account out of a team: whoever administers the organisation, and the account itself.
    pub async fn remove_team_member(
        &self,
        caller: &Caller,
        organisation: &str,
        name: &str,
        username: &str,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, organisation).await?;
        let team = find_team(&mut tx, caller, &standing, name).await?;
        let member = self.find_member(&mut tx, caller, &standing, username).await?;
        if caller.principal().account_id() == Some(member.account_id) {
            caller.unlimited_account()?;
        } else {
            standing.administers()?;
        }
        if !team::remove_team_member(&mut tx, team.team_id, member.account_id).await? {
            return Err(AppError::NotFound(format!(
                "{username} is not in the team {}",
                team.name
            )));
        }
        let change = event(AuditAction::TeamMemberRemove, &standing.organisation, &team)
            .before(serde_json::json!({ "account": member.username.as_str() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }
}

/// Teams of one guest that are read at most.
const MAX_TEAMS_OF_GUEST: u32 = 1000;

/// A team that the caller may see.
pub(super) async fn find_team(
    tx: &mut Tx,
    caller: &Caller,
    standing: &Standing,
    name: &str,
) -> Result<Team, AppError> {
    let organisation = &standing.organisation;
    let missing = || AppError::NotFound(format!("{} has no team {name}", organisation.name));
    let parsed = parse_team_name(name).map_err(|_| missing())?;
    let found = team::find_team(tx, organisation.organisation_id, &parsed)
        .await?
        .ok_or_else(missing)?;
    if standing.member()? == OrganisationRole::Guest
        && !team::is_team_member(tx, found.team_id, caller.account()?.account_id).await?
    {
        return Err(missing());
    }
    Ok(found)
}

/// What is written down about a team.
fn event(action: AuditAction, organisation: &Organisation, team: &Team) -> Change {
    let name = format!("{}/{}", organisation.name, team.name);
    Change::new(action, TargetKind::Team, &name)
        .id(team.team_id.as_i64())
        .of(organisation.organisation_id)
}

fn taken(name: &NamespaceName) -> AppError {
    AppError::Conflict(format!("the organisation has a team {name} already"))
}

impl From<InvalidTeamName> for AppError {
    fn from(error: InvalidTeamName) -> Self {
        Self::Invalid(error.to_string())
    }
}
