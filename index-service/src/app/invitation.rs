//! Invitations by link: made by who may appoint, taken by whoever holds the link.

use shared::secret::Secret;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::member::{check_end, end_remains};
use super::sign_up::SignUp;
use super::standing::hidden;
use super::team::find_team;
use crate::domain::invitation::{MAX_LIFE_DAYS, MAX_USES, Offer};
use crate::domain::{
    Account, AuditAction, Ended, Invitation, InvitationId, Organisation, OrganisationId, OrganisationRole,
    SecretKind, SecretToken, TargetKind, Team,
};
use crate::store::{Tx, account, invitation, organisation, team};

const DAY_MS: i64 = 86_400_000;
/// How long an invitation that is over is shown, in milliseconds: 30 days.
const KEPT_MS: i64 = 30 * DAY_MS;
/// Most invitations of one organisation, those that are over and still shown included.
const MAX_INVITATIONS: i64 = 1000;

/// What a new invitation is to offer.
#[derive(Debug)]
pub struct InvitationWish {
    /// What one becomes in the organisation; `None` for an invitation to the site.
    pub role: Option<OrganisationRole>,
    /// A team that one is put into.
    pub team: Option<String>,
    /// When a guest's time ends, in milliseconds since 1970.
    pub guest_until: Option<i64>,
    /// How long the link is open, 1 to [`MAX_LIFE_DAYS`] days.
    pub life_days: u16,
    /// How many it lets in, 1 to [`MAX_USES`].
    pub uses: u16,
}

/// An invitation as whoever holds the link sees it.
#[derive(Debug)]
pub struct InvitationView {
    /// The invitation.
    pub invitation: Invitation,
    /// The organisation that it is to; `None` for the site.
    pub organisation: Option<Organisation>,
    /// The team that it is to.
    pub team: Option<Team>,
    /// Whether somebody without an account may make one with it.
    pub makes_account: bool,
}

impl App {
    /// Makes an invitation to an organisation, or (`None`) to the site, and returns its secret, which is not kept.
    pub async fn create_invitation(
        &self,
        caller: &Caller,
        organisation: Option<&str>,
        wish: &InvitationWish,
    ) -> Result<(Invitation, Secret<String>), AppError> {
        check_wish(wish)?;
        let now = self.clock.now_ms();
        let secret = SecretToken::new(SecretKind::Invitation, self.random.bytes());
        let mut tx = self.store.write().await?;
        let offer = match organisation {
            Some(name) => Some(self.offer(&mut tx, caller, name, wish).await?),
            None => None,
        };
        let maker = match offer {
            Some(_) => caller.account()?,
            None => caller.administrator()?,
        };
        let invitation = Invitation {
            invitation_id: self.new_id(InvitationId::new),
            last_four: secret.last_four().to_owned(),
            offer,
            uses_left: i64::from(wish.uses),
            created_by: maker.account_id,
            inviter: maker.username.clone(),
            created_at: now,
            expires_at: now + i64::from(wish.life_days) * DAY_MS,
            revoked_at: None,
            revoked_because: None,
        };
        invitation::create_invitation(&mut tx, &invitation, secret.hash()).await?;
        let change =
            event(AuditAction::InvitationCreate, organisation, &invitation).after(serde_json::json!({
                "role": offer.map(|offer| offer.role.as_str()), "team": wish.team, "uses": wish.uses,
                "last_four": invitation.last_four,
            }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok((invitation, secret.into_secret()))
    }

    async fn offer(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &str,
        wish: &InvitationWish,
    ) -> Result<Offer, AppError> {
        let standing = self.locked_standing(tx, caller, name).await?;
        let own = standing.administers()?;
        let organisation_id = standing.organisation.organisation_id;
        let role = wish
            .role
            .ok_or_else(|| AppError::Invalid("an invitation to an organisation needs a role".to_owned()))?;
        if role == OrganisationRole::Owner {
            return Err(AppError::Invalid(
                "owners are appointed by name: a link may come into wrong hands".to_owned(),
            ));
        }
        if !own.may_appoint(role) {
            return Err(AppError::Forbidden("your role does not appoint to this one"));
        }
        check_end(role, wish.guest_until, self.clock.now_ms())?;
        if invitation::count_invitations(tx, organisation_id).await? >= MAX_INVITATIONS {
            return Err(AppError::Conflict(
                "the organisation has a thousand invitations; wait until some are over".to_owned(),
            ));
        }
        let team_id = match &wish.team {
            Some(team) => Some(find_team(tx, caller, &standing, team).await?.team_id),
            None => None,
        };
        Ok(Offer {
            organisation_id,
            role,
            team_id,
            guest_until: wish.guest_until,
        })
    }

    /// At most `limit` invitations to an organisation, or (`None`) to the site, the oldest first, those behind `after`.
    pub async fn list_invitations(
        &self,
        caller: &Caller,
        organisation: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Invitation>, AppError> {
        let mut tx = self.store.read().await?;
        let organisation_id = self.inviting(&mut tx, caller, organisation, false).await?;
        Ok(invitation::list_invitations(&mut tx, organisation_id, after, limit).await?)
    }

    /// Withdraws an invitation.
    pub async fn revoke_invitation(
        &self,
        caller: &Caller,
        organisation: Option<&str>,
        invitation_id: InvitationId,
    ) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let organisation_id = self.inviting(&mut tx, caller, organisation, true).await?;
        let now = self.clock.now_ms();
        if !invitation::revoke_invitation(&mut tx, organisation_id, invitation_id, Ended::Revoked, now)
            .await?
        {
            return Err(AppError::NotFound(
                "there is no such invitation, or it was withdrawn before".to_owned(),
            ));
        }
        let mut change = Change::new(
            AuditAction::InvitationRevoke,
            TargetKind::Invitation,
            organisation.unwrap_or_default(),
        )
        .id(invitation_id.as_i64());
        if let Some(organisation_id) = organisation_id {
            change = change.of(organisation_id);
        }
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }

    /// The organisation whose invitations the caller looks after; `None` for those of the site.
    async fn inviting(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        organisation: Option<&str>,
        locks: bool,
    ) -> Result<Option<OrganisationId>, AppError> {
        let Some(name) = organisation else {
            caller.administrator()?;
            return Ok(None);
        };
        let standing = if locks {
            self.locked_standing(tx, caller, name).await?
        } else {
            self.standing(tx, caller, name)
                .await?
                .ok_or_else(|| hidden(name))?
        };
        standing.administers()?;
        Ok(Some(standing.organisation.organisation_id))
    }

    /// What an open invitation offers, to whoever holds its link.
    pub async fn invitation(&self, link: &str) -> Result<InvitationView, AppError> {
        let mut tx = self.store.read().await?;
        let invitation = self.find_open(&mut tx, link).await?;
        let (organisation, team) = match invitation.offer {
            Some(offer) => (
                organisation::find_organisation_by_id(&mut tx, offer.organisation_id).await?,
                match offer.team_id {
                    Some(id) => team::find_team_by_id(&mut tx, id).await?,
                    None => None,
                },
            ),
            None => (None, None),
        };
        let makes_account = match self.sign_up_mode() {
            SignUp::Open => true,
            SignUp::Invitation => self.makes_accounts(&mut tx, &invitation).await?,
            SignUp::Closed => false,
        };
        Ok(InvitationView {
            invitation,
            organisation,
            team,
            makes_account,
        })
    }

    /// Takes an invitation to an organisation, which the caller is in from now on.
    pub async fn accept_invitation(&self, caller: &Caller, link: &str) -> Result<Organisation, AppError> {
        let account = caller.unlimited_account()?;
        let mut tx = self.store.write().await?;
        let invitation = self.find_open(&mut tx, link).await?;
        if invitation.offer.is_none() {
            return Err(AppError::Conflict(
                "this invitation makes an account, and you have one".to_owned(),
            ));
        }
        let joined = self
            .let_in(&mut tx, By::Caller(caller), account, &invitation)
            .await?;
        tx.commit().await?;
        joined.ok_or(UNKNOWN.into())
    }

    /// An open invitation whose maker may still make it.
    pub(super) async fn find_open(&self, tx: &mut Tx, link: &str) -> Result<Invitation, AppError> {
        let unknown = || AppError::from(UNKNOWN);
        let secret = SecretToken::find(secret_of(link))
            .and_then(Result::ok)
            .filter(|secret| secret.kind() == SecretKind::Invitation)
            .ok_or_else(unknown)?;
        let now = self.clock.now_ms();
        let invitation = invitation::find_invitation(tx, secret.hash())
            .await?
            .filter(|invitation| invitation.is_open(now))
            .ok_or_else(unknown)?;
        if self.may_still_invite(tx, &invitation).await? {
            return Ok(invitation);
        }
        Err(unknown())
    }

    /// Whether whoever made an invitation could make it now.
    async fn may_still_invite(&self, tx: &mut Tx, invitation: &Invitation) -> Result<bool, AppError> {
        let maker = account::find_account_by_id(tx, invitation.created_by).await?;
        let Some(maker) = maker.filter(|maker| maker.disabled_at.is_none()) else {
            return Ok(false);
        };
        let Some(offer) = invitation.offer else {
            return Ok(maker.is_admin);
        };
        let membership = organisation::find_membership(tx, offer.organisation_id, maker.account_id).await?;
        let now = self.clock.now_ms();
        Ok(membership
            .is_some_and(|membership| membership.is_live(now) && membership.role.may_appoint(offer.role)))
    }

    /// Whether a new account may be made with an invitation: one to the site, or one to an organisation that an
    /// administrator of the site made.
    pub(super) async fn makes_accounts(
        &self,
        tx: &mut Tx,
        invitation: &Invitation,
    ) -> Result<bool, AppError> {
        let maker = account::find_account_by_id(tx, invitation.created_by).await?;
        Ok(maker.is_some_and(|maker| maker.is_admin))
    }

    /// Uses an invitation for an account; returns the organisation that it is in from then on. Whether the maker may still
    /// invite is asked again under the organisation's lock.
    pub(super) async fn let_in(
        &self,
        tx: &mut Tx,
        by: By<'_>,
        account: &Account,
        invitation: &Invitation,
    ) -> Result<Option<Organisation>, AppError> {
        let now = self.clock.now_ms();
        if let Some(offer) = invitation.offer {
            organisation::lock_organisation(tx, offer.organisation_id).await?;
            account::lock_account(tx, account.account_id).await?;
            let before = organisation::find_membership(tx, offer.organisation_id, account.account_id).await?;
            let before = before.filter(|membership| membership.is_live(now));
            if before.is_some_and(|membership| membership.role >= offer.role) {
                return Err(AppError::Conflict(
                    "you are in this organisation already".to_owned(),
                ));
            }
            if before.is_none() {
                end_remains(tx, offer.organisation_id, account.account_id).await?;
            }
        }
        if !self.may_still_invite(tx, invitation).await?
            || !invitation::use_invitation(tx, invitation.invitation_id, now).await?
        {
            return Err(UNKNOWN.into());
        }
        let joined = match invitation.offer {
            Some(offer) => Some(self.join(tx, account, &offer).await?),
            None => None,
        };
        let name = joined.as_ref().map(|organisation| organisation.name.to_string());
        let change =
            event(AuditAction::InvitationAccept, name.as_deref(), invitation).after(serde_json::json!({
                "account": account.username.as_str(),
                "role": invitation.offer.map(|offer| offer.role.as_str()),
            }));
        self.audit(tx, by, change).await?;
        Ok(joined)
    }

    async fn join(&self, tx: &mut Tx, account: &Account, offer: &Offer) -> Result<Organisation, AppError> {
        let now = self.clock.now_ms();
        let id = offer.organisation_id;
        let organisation = organisation::find_organisation_by_id(tx, id)
            .await?
            .filter(|organisation| organisation.deleted_at.is_none())
            .ok_or_else(|| AppError::from(UNKNOWN))?;
        organisation::put_member(tx, id, account.account_id, offer.role, offer.guest_until, now).await?;
        if let Some(team_id) = offer.team_id {
            team::put_team_member(tx, team_id, account.account_id, now).await?;
        }
        Ok(organisation)
    }

    /// Forgets invitations that were over a month ago; says how many.
    pub async fn prune_invitations(&self) -> Result<u64, AppError> {
        let mut tx = self.store.write().await?;
        let forgotten = invitation::prune_invitations(&mut tx, self.clock.now_ms() - KEPT_MS).await?;
        tx.commit().await?;
        Ok(forgotten)
    }
}

/// Said of every invitation that lets nobody in, whatever it is about it.
#[derive(Debug, Clone, Copy)]
struct UnknownInvitation;

const UNKNOWN: UnknownInvitation = UnknownInvitation;

impl From<UnknownInvitation> for AppError {
    fn from(_: UnknownInvitation) -> Self {
        Self::NotFound("this invitation is unknown, used up, withdrawn or over".to_owned())
    }
}

/// The secret of a link, or the secret itself.
fn secret_of(link: &str) -> &str {
    let link = link.trim();
    link.rsplit_once('#').map_or(link, |(_, secret)| secret)
}

fn check_wish(wish: &InvitationWish) -> Result<(), AppError> {
    let refused = if !(1..=MAX_LIFE_DAYS).contains(&wish.life_days) {
        format!("an invitation is open for 1 to {MAX_LIFE_DAYS} days")
    } else if !(1..=MAX_USES).contains(&wish.uses) {
        format!("an invitation lets 1 to {MAX_USES} people in")
    } else {
        return Ok(());
    };
    Err(AppError::Invalid(refused))
}

/// What is written down about an invitation.
pub(super) fn event(action: AuditAction, organisation: Option<&str>, invitation: &Invitation) -> Change {
    let change = Change::new(action, TargetKind::Invitation, organisation.unwrap_or_default())
        .id(invitation.invitation_id.as_i64());
    match invitation.offer {
        Some(offer) => change.of(offer.organisation_id),
        None => change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_its_secret_are_the_same() {
        for link in [
            "ptl_inv_x",
            " ptl_inv_x ",
            "https://hub.example.com/invitation#ptl_inv_x",
        ] {
            assert_eq!(secret_of(link), "ptl_inv_x");
        }
    }
}
