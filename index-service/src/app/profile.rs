//! Accounts as people see them: their profiles, and what administrators decide about them.

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::preference::PreferenceChange;
use crate::domain::email::InvalidEmail;
use crate::domain::free_text::{BIOGRAPHY, FULL_NAME, InvalidWebsite, LOCATION, check_website};
use crate::domain::{Account, AuditAction, EmailAddress, NamespaceName, Profile, TargetKind, Username};
use crate::store::{Tx, account, departure, device, member, namespace, profile};

const LAST_ADMINISTRATOR: &str =
    "the site would be left without an administrator; make somebody else one first";

/// What is to change about an account; `None` stays.
#[derive(Debug, Default)]
pub struct ProfileChange {
    /// The name of the person.
    pub full_name: Option<String>,
    /// What the person says about themselves.
    pub biography: Option<String>,
    /// Where the person is.
    pub location: Option<String>,
    /// A page of the person.
    pub website: Option<String>,
    /// The address; an empty one is none.
    pub email: Option<String>,
    /// What it chose for pages.
    pub preferences: PreferenceChange,
    /// Whether it administers the site; decided by administrators.
    pub is_admin: Option<bool>,
    /// Whether it may do nothing until further notice; decided by administrators.
    pub is_suspended: Option<bool>,
}

/// A profile as a caller sees it.
#[derive(Debug)]
pub struct ProfileView {
    /// The profile.
    pub profile: Profile,
    /// Whether the caller may see the address and the state: the account itself, and administrators.
    pub is_private: bool,
    /// Whether the caller is told that the address is another account's: administrators.
    pub is_admins: bool,
}

impl App {
    /// The profile of an account.
    pub async fn profile(&self, caller: &Caller, username: &str) -> Result<ProfileView, AppError> {
        let mut tx = self.store.read().await?;
        view(&mut tx, caller, username).await
    }

    /// At most `limit` accounts whose names begin with `prefix`, in the order of their names, those behind `after`; for
    /// administrators.
    pub async fn list_profiles(
        &self,
        caller: &Caller,
        prefix: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Profile>, AppError> {
        caller.administrator()?;
        let mut tx = self.store.read().await?;
        let prefix = prefix.to_ascii_lowercase();
        Ok(profile::list_profiles(&mut tx, &prefix, after, limit).await?)
    }

    /// Changes a profile: its own account, and administrators, who alone suspend, resume and appoint administrators.
    pub async fn change_profile(
        &self,
        caller: &Caller,
        username: &str,
        change: &ProfileChange,
    ) -> Result<ProfileView, AppError> {
        let mut tx = self.store.write().await?;
        lock_site(&mut tx).await?;
        let own = still(&mut tx, caller.unlimited_account()?).await?;
        let mut profile = find(&mut tx, username).await?;
        if own.account_id != profile.account_id && !own.is_admin {
            return Err(AppError::Forbidden(
                "this is for the account itself and for administrators of the site",
            ));
        }
        self.change_texts(&mut tx, caller, &mut profile, change).await?;
        if let Some(is_admin) = change.is_admin.filter(|wish| *wish != profile.is_admin) {
            self.appoint(&mut tx, caller, &own, &profile, is_admin).await?;
        }
        let is_suspended = profile.disabled_at.is_some();
        if let Some(wish) = change.is_suspended.filter(|wish| *wish != is_suspended) {
            self.suspend(&mut tx, caller, &own, &profile, wish).await?;
        }
        let view = view(&mut tx, caller, username).await?;
        tx.commit().await?;
        Ok(view)
    }

    async fn change_texts(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        profile: &mut Profile,
        change: &ProfileChange,
    ) -> Result<(), AppError> {
        // The log tells what was changed; what people say of themselves, they can take back.
        let mut changed = Vec::new();
        let texts = [
            ("full_name", &change.full_name, &mut profile.full_name, FULL_NAME),
            ("biography", &change.biography, &mut profile.biography, BIOGRAPHY),
            ("location", &change.location, &mut profile.location, LOCATION),
        ];
        for (name, wish, text, rule) in texts {
            if let Some(wish) = wish {
                *text = rule.check(wish)?;
                changed.push(name);
            }
        }
        if let Some(wish) = &change.website {
            profile.website = check_website(wish)?;
            changed.push("website");
        }
        let now = self.clock.now_ms();
        if !changed.is_empty() {
            profile::change_profile(tx, profile, now).await?;
        }
        if let Some(wish) = &change.email {
            let email = parse_email(wish)?;
            profile::set_email(tx, profile.account_id, email.as_ref(), now).await?;
            changed.push("email");
        }
        self.put_preferences(tx, profile.account_id, change.preferences)
            .await?;
        changed.extend(change.preferences.names());
        if changed.is_empty() {
            return Ok(());
        }
        let event =
            event(AuditAction::AccountUpdate, profile).after(serde_json::json!({ "changed": changed }));
        self.audit(tx, By::Caller(caller), event).await
    }

    async fn appoint(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        own: &Account,
        profile: &Profile,
        is_admin: bool,
    ) -> Result<(), AppError> {
        administrates(own)?;
        if !is_admin {
            keep_an_administrator(tx, profile).await?;
        }
        profile::set_admin(tx, profile.account_id, is_admin, self.clock.now_ms()).await?;
        let event = event(AuditAction::AccountAdmin, profile)
            .before(serde_json::json!({ "is_admin": profile.is_admin }))
            .after(serde_json::json!({ "is_admin": is_admin }));
        self.audit(tx, By::Caller(caller), event).await
    }

    /// A suspended account may do nothing, and its devices have to log in again when it is resumed. One that others in an
    /// organisation depend on is not suspended before they have another owner.
    async fn suspend(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        own: &Account,
        profile: &Profile,
        is_suspended: bool,
    ) -> Result<(), AppError> {
        administrates(own)?;
        let now = self.clock.now_ms();
        if !is_suspended {
            account::set_disabled(tx, profile.account_id, None, now).await?;
            return self
                .audit(tx, By::Caller(caller), event(AuditAction::AccountResume, profile))
                .await;
        }
        if own.account_id == profile.account_id {
            return Err(AppError::Conflict("nobody suspends themselves".to_owned()));
        }
        member::lock_organisations_of(tx, profile.account_id).await?;
        let owned = departure::list_last_owned_with_others(tx, profile.account_id).await?;
        if !owned.is_empty() {
            return Err(AppError::Conflict(crate::domain::departure::Listed::from(owned).first(
                "others depend on it as the last owner; make one of them an owner of these organisations first",
            )));
        }
        account::set_disabled(tx, profile.account_id, Some(now), now).await?;
        device::revoke_devices(tx, profile.account_id, now).await?;
        self.audit(
            tx,
            By::Caller(caller),
            event(AuditAction::AccountSuspend, profile),
        )
        .await
    }
}

/// What is written down about an account.
pub(super) fn event(action: AuditAction, profile: &Profile) -> Change {
    Change::new(action, TargetKind::Account, &profile.username).id(profile.account_id.as_i64())
}

async fn view(tx: &mut Tx, caller: &Caller, username: &str) -> Result<ProfileView, AppError> {
    let profile = find(tx, username).await?;
    let own = caller.unlimited_account().ok();
    Ok(ProfileView {
        is_private: own.is_some_and(|own| own.is_admin || own.account_id == profile.account_id),
        is_admins: own.is_some_and(|own| own.is_admin),
        profile,
    })
}

pub(super) async fn find(tx: &mut Tx, username: &str) -> Result<Profile, AppError> {
    let unknown = || AppError::NotFound(format!("there is no account {username}"));
    let name: Username = username.parse().map_err(|_| unknown())?;
    profile::find_profile(tx, &name).await?.ok_or_else(unknown)
}

/// The caller's account as it is now, under the lock that this transaction holds.
pub(super) async fn still(tx: &mut Tx, caller: &Account) -> Result<Account, AppError> {
    account::find_account_by_id(tx, caller.account_id)
        .await?
        .filter(|account| account.disabled_at.is_none())
        .ok_or(AppError::Forbidden("this account is disabled"))
}

fn administrates(own: &Account) -> Result<(), AppError> {
    if own.is_admin {
        return Ok(());
    }
    Err(AppError::Forbidden("this is for administrators of the site"))
}

/// Refuses to take the last administrator from the site; asked under its lock.
pub(super) async fn keep_an_administrator(tx: &mut Tx, profile: &Profile) -> Result<(), AppError> {
    if !profile.is_admin || profile::has_other_admin(tx, profile.account_id).await? {
        return Ok(());
    }
    Err(AppError::Conflict(LAST_ADMINISTRATOR.to_owned()))
}

/// Makes others wait who change administrators or e-mail addresses: they hold the lock of `library`, which belongs to
/// the administrators.
pub(super) async fn lock_site(tx: &mut Tx) -> Result<(), AppError> {
    if let Some(library) = namespace::find_namespace(tx, &NamespaceName::library()).await? {
        namespace::lock_namespace(tx, library.namespace_id).await?;
    }
    Ok(())
}

/// An address as a person typed it; an empty text is none.
pub(super) fn parse_email(text: &str) -> Result<Option<EmailAddress>, AppError> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let parsed = text.parse();
    parsed
        .map(Some)
        .map_err(|error: InvalidEmail| AppError::Invalid(error.to_string()))
}

impl From<InvalidWebsite> for AppError {
    fn from(error: InvalidWebsite) -> Self {
        Self::Invalid(error.to_string())
    }
}
