//! What is known of an account as a person.

use super::account::Username;
use super::id::AccountId;
use super::preference::Preferences;

/// An account as people see it. Address and state are not for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub username: Username,
    /// The name of the person.
    pub full_name: String,
    /// What the person says about themselves.
    pub biography: String,
    /// Where the person is.
    pub location: String,
    /// A page of the person.
    pub website: String,
    /// The address that the person gave.
    pub email: Option<String>,
    /// Whether it is this account's alone: no other gave it before.
    pub owns_email: bool,
    /// What it chose for pages.
    pub preferences: Preferences,
    /// Whether it administers the site.
    pub is_admin: bool,
    /// Since when it is disabled, in milliseconds since 1970.
    pub disabled_at: Option<i64>,
    /// When it was created, in milliseconds since 1970.
    pub created_at: i64,
}
