//! Invitations.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::invitation::Offer;
use crate::domain::{
    AccountId, Ended, Invitation, InvitationId, OrganisationId, SecretHash, TeamId, Username,
};

statements! {
    CREATE_INVITATION = "insert into invitation (invitation_id, secret_hash, last_four, organisation_id, role, team_id,
        guest_until, uses_left, created_by, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FIND_INVITATION = "select i.invitation_id, i.last_four, i.organisation_id, i.role, i.team_id, i.guest_until, i.uses_left,
        i.created_by, a.username, a.display_name, i.created_at, i.expires_at, i.revoked_at, i.revoked_because
        from invitation i join account a on a.account_id = i.created_by where i.secret_hash = $1";
    LIST_INVITATIONS = "select i.invitation_id, i.last_four, i.organisation_id, i.role, i.team_id, i.guest_until, i.uses_left,
        i.created_by, a.username, a.display_name, i.created_at, i.expires_at, i.revoked_at, i.revoked_because
        from invitation i join account a on a.account_id = i.created_by
        where i.organisation_id = $1 and i.invitation_id > $2 order by i.invitation_id limit $3";
    LIST_SITE_INVITATIONS = "select i.invitation_id, i.last_four, i.organisation_id, i.role, i.team_id, i.guest_until,
        i.uses_left, i.created_by, a.username, a.display_name, i.created_at, i.expires_at, i.revoked_at, i.revoked_because
        from invitation i join account a on a.account_id = i.created_by
        where i.organisation_id is null and i.invitation_id > $1 order by i.invitation_id limit $2";
    COUNT_INVITATIONS = "select count(*) as number from invitation where organisation_id = $1";
    USE_INVITATION = "update invitation set uses_left = uses_left - 1 where invitation_id = $1 and uses_left > 0
        and revoked_at is null and expires_at > $2";
    REVOKE_INVITATION = "update invitation set revoked_at = $3, revoked_because = $4 where invitation_id = $1
        and revoked_at is null and organisation_id = $2";
    REVOKE_SITE_INVITATION = "update invitation set revoked_at = $2, revoked_because = $3 where invitation_id = $1
        and revoked_at is null and organisation_id is null";
    PRUNE_INVITATIONS = "delete from invitation where expires_at < $1";
}

row! {
struct InvitationRow {
    invitation_id: i64,
    last_four: String,
    organisation_id: Option<i64>,
    role: Option<String>,
    team_id: Option<i64>,
    guest_until: Option<i64>,
    uses_left: i64,
    created_by: i64,
    username: String,
    display_name: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    revoked_because: Option<String>,
}
}

row! {
struct NumberRow {
    number: i64,
}
}

impl InvitationRow {
    fn into_invitation(self) -> Result<Invitation, StoreError> {
        let offer = match (self.organisation_id, self.role) {
            (Some(id), Some(role)) => Some(Offer {
                organisation_id: OrganisationId::from_i64(id),
                role: role.parse().map_err(unreadable("role"))?,
                team_id: self.team_id.map(TeamId::from_i64),
                guest_until: self.guest_until,
            }),
            _ => None,
        };
        Ok(Invitation {
            invitation_id: InvitationId::from_i64(self.invitation_id),
            last_four: self.last_four,
            offer,
            uses_left: self.uses_left,
            created_by: AccountId::from_i64(self.created_by),
            inviter: Username::stored(&self.username, &self.display_name).map_err(unreadable("user name"))?,
            created_at: self.created_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            revoked_because: self.revoked_because.as_deref().and_then(Ended::find),
        })
    }
}

/// Creates an invitation.
pub async fn create_invitation(
    tx: &mut Tx,
    invitation: &Invitation,
    secret_hash: SecretHash,
) -> Result<(), StoreError> {
    let offer = invitation.offer;
    on!(tx, c => sqlx::query(CREATE_INVITATION)
        .bind(invitation.invitation_id.as_i64())
        .bind(secret_hash.to_hex())
        .bind(&invitation.last_four)
        .bind(offer.map(|offer| offer.organisation_id.as_i64()))
        .bind(offer.map(|offer| offer.role.as_str()))
        .bind(offer.and_then(|offer| offer.team_id).map(TeamId::as_i64))
        .bind(offer.and_then(|offer| offer.guest_until))
        .bind(invitation.uses_left)
        .bind(invitation.created_by.as_i64())
        .bind(invitation.created_at)
        .bind(invitation.expires_at)
        .execute(c).await.map(drop))
    .map_err(writing("invitation"))
}

/// The invitation of a secret, open or not.
pub async fn find_invitation(tx: &mut Tx, secret_hash: SecretHash) -> Result<Option<Invitation>, StoreError> {
    find!(
        "invitation",
        tx,
        InvitationRow,
        FIND_INVITATION,
        secret_hash.to_hex()
    )?
    .map(InvitationRow::into_invitation)
    .transpose()
}

/// At most `limit` invitations to an organisation, or (`None`) to the site, the oldest first, those behind `after`.
pub async fn list_invitations(
    tx: &mut Tx,
    organisation_id: Option<OrganisationId>,
    after: i64,
    limit: u32,
) -> Result<Vec<Invitation>, StoreError> {
    let limit = i64::from(limit);
    let rows = if let Some(id) = organisation_id {
        let id = id.as_i64();
        list!(
            "invitations",
            tx,
            InvitationRow,
            LIST_INVITATIONS,
            id,
            after,
            limit
        )
    } else {
        list!(
            "invitations",
            tx,
            InvitationRow,
            LIST_SITE_INVITATIONS,
            after,
            limit
        )
    }?;
    rows.into_iter().map(InvitationRow::into_invitation).collect()
}

/// How many invitations to an organisation are kept, open or not.
pub async fn count_invitations(tx: &mut Tx, organisation_id: OrganisationId) -> Result<i64, StoreError> {
    let found = find!(
        "invitations",
        tx,
        NumberRow,
        COUNT_INVITATIONS,
        organisation_id.as_i64()
    )?;
    Ok(found.map_or(0, |row| row.number))
}

/// Uses an invitation once at `now_ms`; says whether it still let anybody in. Of two that use its last place at once, one
/// gets it.
pub async fn use_invitation(
    tx: &mut Tx,
    invitation_id: InvitationId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(USE_INVITATION).bind(invitation_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("invitation"))
}

/// Withdraws an invitation to an organisation, or (`None`) to the site; says whether there was one to withdraw.
pub async fn revoke_invitation(
    tx: &mut Tx,
    organisation_id: Option<OrganisationId>,
    invitation_id: InvitationId,
    because: Ended,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let revoked = match organisation_id {
        Some(id) => on!(tx, c => sqlx::query(REVOKE_INVITATION)
            .bind(invitation_id.as_i64()).bind(id.as_i64()).bind(now_ms).bind(because.as_str())
            .execute(c).await.map(|done| done.rows_affected())),
        None => on!(tx, c => sqlx::query(REVOKE_SITE_INVITATION)
            .bind(invitation_id.as_i64()).bind(now_ms).bind(because.as_str())
            .execute(c).await.map(|done| done.rows_affected())),
    };
    Ok(revoked.map_err(writing("invitation"))? > 0)
}

/// Forgets invitations that ended before a time; says how many.
pub async fn prune_invitations(tx: &mut Tx, before: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(PRUNE_INVITATIONS).bind(before).execute(c).await.map(|done| done.rows_affected()))
        .map_err(writing("invitations"))
}
