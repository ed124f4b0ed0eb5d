//! The end of an account: told before, refused while others depend on it, and leaving nothing personal behind.

use super::App;
use super::audit::By;
use super::caller::Caller;
use super::error::AppError;
use super::profile::{event, find, keep_an_administrator, lock_site, still};
use crate::domain::departure::Listed;
use crate::domain::{AuditAction, NamespaceName, Profile};
use crate::store::{Tx, account, departure, device, member, namespace, profile};

/// What ends with an account.
#[derive(Debug)]
pub struct AccountEnd {
    /// Why it cannot be deleted yet, and what to do first.
    pub obstacles: Vec<String>,
    /// Repositories of its namespace, which must be deleted or moved first.
    pub repositories: Listed,
    /// Organisations that it would leave.
    pub organisations: Listed,
    /// Rules about it on other people's repositories, which would go.
    pub rules: Listed,
    /// Robots of its namespace, which would stop.
    pub robots: Listed,
    /// How many access tokens would stop.
    pub tokens: i64,
    /// How many devices would be signed out.
    pub devices: i64,
}

impl App {
    /// What would end with an account; for itself and for administrators.
    pub async fn account_end(&self, caller: &Caller, username: &str) -> Result<AccountEnd, AppError> {
        let mut tx = self.store.read().await?;
        let profile = find(&mut tx, username).await?;
        may_end(caller, &profile)?;
        self.end_of_account(&mut tx, &profile).await
    }

    async fn end_of_account(&self, tx: &mut Tx, profile: &Profile) -> Result<AccountEnd, AppError> {
        let id = profile.account_id;
        let namespace = namespace::find_namespace(tx, &NamespaceName::from(&profile.username)).await?;
        let (repositories, robots) = match namespace {
            Some(namespace) => (
                departure::list_repositories_in(tx, namespace.namespace_id).await?,
                departure::list_robots_in(tx, namespace.namespace_id).await?.0,
            ),
            None => (Listed::default(), Listed::default()),
        };
        let owned = Listed::from(departure::list_last_owned(tx, id).await?);
        let (tokens, devices) = departure::count_credentials(tx, id, self.clock.now_ms()).await?;
        let mut obstacles = Vec::new();
        if repositories.count > 0 {
            obstacles.push(repositories.first("delete or transfer its repositories first"));
        }
        if owned.count > 0 {
            obstacles.push(
                owned.first("make somebody else an owner of these organisations first, or delete them"),
            );
        }
        match keep_an_administrator(tx, profile).await {
            Err(AppError::Conflict(why)) => obstacles.push(why),
            other => other?,
        }
        Ok(AccountEnd {
            obstacles,
            repositories,
            organisations: departure::list_organisation_names_of(tx, id).await?,
            rules: departure::list_rules_about_account(tx, id).await?,
            robots,
            tokens,
            devices,
        })
    }

    /// Deletes an account: the account itself, or an administrator. Its credentials stop, memberships and rules about it
    /// end, what is personal is removed; the name is never given again.
    pub async fn delete_account(&self, caller: &Caller, username: &str) -> Result<(), AppError> {
        let mut tx = self.store.read().await?;
        may_end(caller, &find(&mut tx, username).await?)?;
        drop(tx);
        // Nobody knows it, so that a login costs and says what it does for a name that never was.
        let nobodys = self.passwords.hash(self.random_password()).await?;
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        lock_site(&mut tx).await?;
        let profile = find(&mut tx, username).await?;
        let own = still(&mut tx, caller.unlimited_account()?).await?;
        if own.account_id != profile.account_id && !own.is_admin {
            return Err(NOT_YOURS);
        }
        let id = profile.account_id;
        member::lock_organisations_of(&mut tx, id).await?;
        // Whoever makes it a member of one more organisation waits here, and finds it gone.
        account::lock_account(&mut tx, id).await?;
        let namespace = namespace::find_namespace(&mut tx, &NamespaceName::from(&profile.username)).await?;
        let end = self.end_of_account(&mut tx, &profile).await?;
        if !end.obstacles.is_empty() {
            return Err(AppError::Conflict(end.obstacles.join("; ")));
        }
        let namespace_id = namespace.map(|namespace| namespace.namespace_id);
        departure::end_account(&mut tx, id, namespace_id, now).await?;
        device::prune_devices(&mut tx, id, now, now, 0).await?;
        profile::scrub_account(&mut tx, id, &nobodys, now).await?;
        self.audit(
            &mut tx,
            By::Caller(caller),
            event(AuditAction::AccountDelete, &profile),
        )
        .await?;
        tx.commit().await?;
        if profile.username.as_str() == super::account::ADMIN {
            self.forget_initial_password()?;
        }
        Ok(())
    }
}

const NOT_YOURS: AppError =
    AppError::Forbidden("this is for the account itself and for administrators of the site");

fn may_end(caller: &Caller, profile: &Profile) -> Result<(), AppError> {
    let own = caller.unlimited_account()?;
    if own.account_id == profile.account_id || own.is_admin {
        return Ok(());
    }
    Err(NOT_YOURS)
}
