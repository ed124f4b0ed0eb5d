//! Members of an organisation, as they are listed.

use super::account::Username;
use super::id::AccountId;
use super::organisation::OrganisationRole;

/// An account in an organisation, with what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub username: Username,
    /// The name of the person; perhaps empty.
    pub full_name: String,
    /// What it is in the organisation.
    pub role: OrganisationRole,
    /// When it ends, in milliseconds since 1970: guests alone.
    pub expires_at: Option<i64>,
    /// Since when it is in the organisation, or in the team that is asked about.
    pub created_at: i64,
}
