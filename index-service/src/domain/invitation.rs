//! Invitations: links that let people into an organisation, or make an account on the site.

use super::account::Username;
use super::credential_secret::Ended;
use super::id::{AccountId, InvitationId, OrganisationId, TeamId};
use super::organisation::OrganisationRole;

/// How long an invitation is open when its maker says nothing, in days.
pub const DEFAULT_LIFE_DAYS: u16 = 7;
/// The longest time, in days.
pub const MAX_LIFE_DAYS: u16 = 30;
/// Most people that one link lets in.
pub const MAX_USES: u16 = 100;

/// What an invitation to an organisation offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// What one becomes there: never an owner.
    pub role: OrganisationRole,
    /// A team that one is put into.
    pub team_id: Option<TeamId>,
    /// When a guest's time ends, in milliseconds since 1970.
    pub guest_until: Option<i64>,
}

/// An invitation as it is stored, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub invitation_id: InvitationId,
    /// The last four characters of its secret, to tell links apart.
    pub last_four: String,
    /// What it offers; `None` invites to the site.
    pub offer: Option<Offer>,
    /// How many it still lets in.
    pub uses_left: i64,
    /// Who made it.
    pub created_by: AccountId,
    /// The maker's name.
    pub inviter: Username,
    /// When it was made, in milliseconds since 1970, as all times here.
    pub created_at: i64,
    /// From when on it lets nobody in.
    pub expires_at: i64,
    /// When it was withdrawn.
    pub revoked_at: Option<i64>,
    /// Why it was.
    pub revoked_because: Option<Ended>,
}

impl Invitation {
    /// Whether it lets somebody in at `now_ms`, as far as it is the link's to say.
    pub fn is_open(&self, now_ms: i64) -> bool {
        let is_guest_over = self
            .offer
            .and_then(|offer| offer.guest_until)
            .is_some_and(|end| end <= now_ms);
        self.revoked_at.is_none() && self.uses_left > 0 && now_ms < self.expires_at && !is_guest_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_open_until_it_is_used_up_withdrawn_or_over() {
        let invitation = Invitation {
            invitation_id: InvitationId::from_i64(1),
            last_four: "abcd".into(),
            offer: Some(Offer {
                organisation_id: OrganisationId::from_i64(1),
                role: OrganisationRole::Guest,
                team_id: None,
                guest_until: Some(90),
            }),
            uses_left: 1,
            created_by: AccountId::from_i64(1),
            inviter: "ada".parse().unwrap(),
            created_at: 0,
            expires_at: 80,
            revoked_at: None,
            revoked_because: None,
        };
        assert!(invitation.is_open(79) && !invitation.is_open(80));
        let with = |edit: fn(&mut Invitation)| {
            let mut other = invitation.clone();
            edit(&mut other);
            other.is_open(70)
        };
        assert!(with(|_| ()));
        assert!(!with(|i| i.uses_left = 0));
        assert!(!with(|i| i.revoked_at = Some(5)));
        assert!(!with(|i| i.offer.as_mut().unwrap().guest_until = Some(70)));
        assert!(with(|i| i.offer = None));
    }
}
