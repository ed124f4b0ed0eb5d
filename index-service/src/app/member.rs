//! Who is in an organisation: appointed by owners and managers, ended by them, by themselves, or by a guest's date.

use super::App;
use super::audit::{By, Change, rfc3339};
use super::caller::Caller;
use super::error::AppError;
use super::notice::News;
use super::organisation::namespace_of;
use super::standing::Standing;
use crate::domain::departure::{Listed, MAX_NAMES};
use crate::domain::{
    AccountId, AuditAction, Member, NoticeKind, OrganisationId, OrganisationRole, TargetKind, Username,
};
use crate::store::{Tx, account, departure, member, organisation, team};

/// Guests whose time is over that are seen out in one transaction.
const GUESTS_AT_ONCE: u32 = 100;

const LAST_OWNER: &str =
    "the organisation would be left without an owner; make somebody else an owner first, or delete it";
const ABOVE: AppError = AppError::Forbidden("owners alone appoint and remove owners");

/// What ends with a membership.
#[derive(Debug)]
pub struct MembershipEnd {
    /// Why the account cannot leave yet.
    pub obstacle: Option<&'static str>,
    /// Teams that it would be taken out of.
    pub teams: Vec<String>,
    /// Rules of the organisation's namespace about it, which would go.
    pub rules: Listed,
    /// Its access tokens, which reach the organisation's repositories no more; told to itself alone.
    pub tokens: Option<i64>,
}

impl App {
    /// At most `limit` accounts of an organisation, in the order of their ids, those behind `after`. Guests see
    /// themselves alone.
    pub async fn list_members(
        &self,
        caller: &Caller,
        name: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Member>, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, name).await?;
        let id = standing.organisation.organisation_id;
        let now = self.clock.now_ms();
        if standing.member()? == OrganisationRole::Guest {
            let own = caller.account()?.account_id;
            let found = member::find_member(&mut tx, id, own, now).await?;
            return Ok(found.into_iter().filter(|_| own.as_i64() > after).collect());
        }
        Ok(member::list_members(&mut tx, id, after, now, limit).await?)
    }

    /// An account's place in an organisation.
    pub async fn member(&self, caller: &Caller, name: &str, username: &str) -> Result<Member, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, name).await?;
        self.find_member(&mut tx, caller, &standing, username).await
    }

    /// A member that the caller may see.
    pub(super) async fn find_member(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        standing: &Standing,
        username: &str,
    ) -> Result<Member, AppError> {
        let missing = || not_in(username, standing.organisation.name.as_str());
        let wanted = username.parse().map_err(|_| missing())?;
        let account = account::find_account(tx, &wanted).await?.ok_or_else(missing)?;
        if standing.member()? == OrganisationRole::Guest && caller.account()?.account_id != account.account_id
        {
            return Err(missing());
        }
        let id = standing.organisation.organisation_id;
        member::find_member(tx, id, account.account_id, self.clock.now_ms())
            .await?
            .ok_or_else(missing)
    }

    /// Makes an account a member, or changes what it is. Guests, and only they, have an end. An administrator of the site
    /// may make a member an owner, so that an organisation whose owners are gone can be helped.
    pub async fn put_member(
        &self,
        caller: &Caller,
        name: &str,
        username: &str,
        role: OrganisationRole,
        expires_at: Option<i64>,
    ) -> Result<Member, AppError> {
        check_end(role, expires_at, self.clock.now_ms())?;
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, name).await?;
        let organisation_id = standing.organisation.organisation_id;
        let appointer = match standing.administers() {
            Ok(role) => Some(role),
            Err(_) if caller.is_admin() && role == OrganisationRole::Owner => None,
            Err(refused) => return Err(refused),
        };
        let account = self.locked_account(&mut tx, username).await?;
        let now = self.clock.now_ms();
        let before = member::find_member(&mut tx, organisation_id, account.account_id, now)
            .await?
            .map(|member| member.role);
        match appointer {
            Some(appointer) => {
                if !appointer.may_appoint(role) || before.is_some_and(|before| !appointer.may_appoint(before))
                {
                    return Err(ABOVE);
                }
            }
            None if before.is_some_and(|before| before > OrganisationRole::Guest)
                && caller.account()?.account_id != account.account_id => {}
            None => {
                return Err(AppError::Conflict(
                    "an administrator of the site makes nobody an owner but another member".to_owned(),
                ));
            }
        }
        if before == Some(OrganisationRole::Owner) && role != OrganisationRole::Owner {
            keep_an_owner(&mut tx, organisation_id, account.account_id).await?;
        }
        if before.is_none() {
            end_remains(&mut tx, organisation_id, account.account_id).await?;
        }
        organisation::put_member(
            &mut tx,
            organisation_id,
            account.account_id,
            role,
            expires_at,
            now,
        )
        .await?;
        let member = member::find_member(&mut tx, organisation_id, account.account_id, now)
            .await?
            .ok_or_else(|| not_in(username, name))?;
        let change = event(
            AuditAction::MemberPut,
            organisation_id,
            &account.username,
            account.account_id,
        )
        .before(serde_json::json!({ "role": before.map(OrganisationRole::as_str) }))
        .after(serde_json::json!({ "role": role.as_str(), "expires_at": expires_at.map(rfc3339) }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        if before.is_none() {
            let news = News {
                kind: NoticeKind::Member,
                subject: standing.organisation.name.as_str(),
                subject_id: Some(organisation_id.as_i64()),
                actor: caller.principal().account_id(),
                detail: role.as_str(),
            };
            self.notify(&mut tx, [account.account_id], news).await?;
        }
        tx.commit().await?;
        Ok(member)
    }

    /// What would end with a membership; for the account itself, owners and managers.
    pub async fn membership_end(
        &self,
        caller: &Caller,
        name: &str,
        username: &str,
    ) -> Result<MembershipEnd, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, name).await?;
        let member = self.find_member(&mut tx, caller, &standing, username).await?;
        let is_own = caller.principal().account_id() == Some(member.account_id);
        if !is_own {
            standing.administers()?;
        }
        let id = standing.organisation.organisation_id;
        let namespace = namespace_of(&mut tx, &standing.organisation).await?;
        let is_last = member.role == OrganisationRole::Owner
            && !member::has_other_owner(&mut tx, id, member.account_id).await?;
        let teams = team::list_teams_of(&mut tx, id, member.account_id, i64::MIN, MAX_NAMES).await?;
        let now = self.clock.now_ms();
        let tokens = if is_own {
            let (tokens, _) = departure::count_credentials(&mut tx, member.account_id, now).await?;
            Some(tokens)
        } else {
            None
        };
        Ok(MembershipEnd {
            obstacle: is_last.then_some(LAST_OWNER),
            teams: teams.into_iter().map(|team| team.name.to_string()).collect(),
            rules: departure::list_rules_about_account_in(&mut tx, namespace.namespace_id, member.account_id)
                .await?,
            tokens,
        })
    }

    /// Ends a membership, with places in teams and the rules about the account: whoever may appoint the role, and the
    /// account itself.
    pub async fn remove_member(&self, caller: &Caller, name: &str, username: &str) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, name).await?;
        let member = self.find_member(&mut tx, caller, &standing, username).await?;
        let organisation_id = standing.organisation.organisation_id;
        let is_own = caller.principal().account_id() == Some(member.account_id);
        if is_own {
            caller.unlimited_account()?;
        } else if !standing.administers()?.may_appoint(member.role) {
            return Err(ABOVE);
        }
        if member.role == OrganisationRole::Owner {
            keep_an_owner(&mut tx, organisation_id, member.account_id).await?;
        }
        member::remove_member(&mut tx, organisation_id, member.account_id).await?;
        let action = if is_own {
            AuditAction::MemberLeave
        } else {
            AuditAction::MemberRemove
        };
        let change = event(action, organisation_id, &member.username, member.account_id)
            .before(serde_json::json!({ "role": member.role.as_str() }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// Ends the memberships of guests whose time is over; says how many. They counted for nothing since.
    pub async fn end_guests(&self) -> Result<u64, AppError> {
        let mut ended = 0;
        loop {
            let now = self.clock.now_ms();
            let mut tx = self.store.write().await?;
            let mut guests = member::list_ended_guests(&mut tx, now, GUESTS_AT_ONCE).await?;
            if guests.is_empty() {
                return Ok(ended);
            }
            // Organisations are locked in the order of their ids.
            guests.sort();
            for (organisation_id, account_id) in guests {
                organisation::lock_organisation(&mut tx, organisation_id).await?;
                ended += u64::from(self.end_guest(&mut tx, organisation_id, account_id).await?);
            }
            tx.commit().await?;
        }
    }

    /// Ends a guest's membership if its time is over, under the organisation's lock, before which somebody may have prolonged
    /// it; says whether it was.
    pub(super) async fn end_guest(
        &self,
        tx: &mut Tx,
        organisation_id: OrganisationId,
        account_id: AccountId,
    ) -> Result<bool, AppError> {
        let membership = organisation::find_membership(tx, organisation_id, account_id).await?;
        let now = self.clock.now_ms();
        if membership.is_none_or(|membership| membership.is_live(now)) {
            return Ok(false);
        }
        member::remove_member(tx, organisation_id, account_id).await?;
        if let Some(account) = account::find_account_by_id(tx, account_id).await? {
            let change = event(
                AuditAction::MemberExpire,
                organisation_id,
                &account.username,
                account_id,
            );
            self.audit(tx, By::Service, change).await?;
        }
        Ok(true)
    }
}

/// What is written down about a member.
fn event(
    action: AuditAction,
    organisation_id: OrganisationId,
    username: &Username,
    account_id: AccountId,
) -> Change {
    Change::new(action, TargetKind::Account, username)
        .id(account_id.as_i64())
        .of(organisation_id)
}

/// Ends what is left of a time as a guest that is over, so that it does not come back with a new membership.
pub(super) async fn end_remains(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
) -> Result<(), AppError> {
    if organisation::find_membership(tx, organisation_id, account_id)
        .await?
        .is_some()
    {
        member::remove_member(tx, organisation_id, account_id).await?;
    }
    Ok(())
}

/// Refuses to take the last owner who can log in from an organisation; asked under its lock.
pub(super) async fn keep_an_owner(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    account_id: AccountId,
) -> Result<(), AppError> {
    if member::has_other_owner(tx, organisation_id, account_id).await? {
        return Ok(());
    }
    Err(AppError::Conflict(LAST_OWNER.to_owned()))
}

/// That guests, and only they, have an end, and that it is to come.
pub(super) fn check_end(
    role: OrganisationRole,
    expires_at: Option<i64>,
    now_ms: i64,
) -> Result<(), AppError> {
    let refused = match (role == OrganisationRole::Guest, expires_at) {
        (true, None) => "a guest needs an end: expires_at",
        (true, Some(end)) if end <= now_ms => "the end of a guest's time is over already",
        (false, Some(_)) => "guests alone have an end: leave expires_at out",
        _ => return Ok(()),
    };
    Err(AppError::Invalid(refused.to_owned()))
}

fn not_in(username: &str, organisation: &str) -> AppError {
    AppError::NotFound(format!("{username} is not in the organisation {organisation}"))
}

#[cfg(test)]
#[path = "member/tests.rs"]
mod tests;
