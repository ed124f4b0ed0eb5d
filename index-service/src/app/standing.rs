//! What a caller is in an organisation, and so what of it they may see and change.

use super::App;
use super::caller::Caller;
use super::error::AppError;
use super::organisation::namespace_of;
use crate::domain::organisation::may_administer;
use crate::domain::{
    Account, Membership, NamespaceName, Organisation, OrganisationRole, Principal, Right, Rights, permission,
};
use crate::store::{Tx, organisation};

/// An organisation that is not deleted, and what the caller is in it at the moment.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) organisation: Organisation,
    /// A membership that counts.
    pub(super) membership: Option<Membership>,
    /// What the caller is there: by that membership, or as a machine of the organisation.
    role: Option<OrganisationRole>,
    /// What the caller's credential lets through for the whole namespace.
    credential: Rights,
}

impl Standing {
    /// What the caller is, when its credential lets that be seen; to everybody else there is nothing to see.
    pub(super) fn member(&self) -> Result<OrganisationRole, AppError> {
        self.role
            .filter(|_| self.credential.contains(Right::Pull))
            .ok_or_else(|| hidden(self.organisation.name.as_str()))
    }

    /// What the caller is, when that and its credential allow to administer the organisation.
    pub(super) fn administers(&self) -> Result<OrganisationRole, AppError> {
        let role = self.member()?;
        if may_administer(Some(role), self.credential) {
            return Ok(role);
        }
        Err(AppError::Forbidden(
            if self.credential.contains(Right::Administer) {
                "this is for owners and managers of the organisation"
            } else {
                "this access token does not administer the organisation; use the password, or a token that does"
            },
        ))
    }

    /// That the caller owns the organisation, and may decide about it with this credential.
    pub(super) fn owns(&self) -> Result<(), AppError> {
        match self.administers()? {
            OrganisationRole::Owner => Ok(()),
            _ => Err(AppError::Forbidden("this is for owners of the organisation")),
        }
    }
}

/// Told of an organisation that the caller is not in as of one that there is not.
pub(super) fn hidden(name: &str) -> AppError {
    AppError::NotFound(format!("there is no organisation {name} that you are in"))
}

/// Told of an organisation that there is not.
pub(super) fn unknown(name: &str) -> AppError {
    AppError::NotFound(format!("there is no organisation {name}"))
}

impl App {
    /// The organisation of a name, and what the caller is in it.
    pub(super) async fn standing(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &str,
    ) -> Result<Option<Standing>, AppError> {
        let Some(organisation) = find(tx, name).await? else {
            return Ok(None);
        };
        let principal = caller.principal();
        let membership = match &principal {
            Principal::Account(account) => {
                organisation::find_membership(tx, organisation.organisation_id, account.account_id).await?
            }
            Principal::Anonymous | Principal::Machine(_) => None,
        };
        let now = self.clock.now_ms();
        let membership = membership.filter(|membership| membership.is_live(now));
        let role = match &principal {
            Principal::Machine(_) => {
                let namespace = namespace_of(tx, &organisation).await?;
                permission::place_of_machine(&principal, &namespace)
            }
            Principal::Account(_) | Principal::Anonymous => membership.map(|membership| membership.role),
        };
        Ok(Some(Standing {
            membership,
            role,
            credential: permission::ceiling(&principal).map_or(Rights::NONE, |ceiling| {
                ceiling.namespace_rights(organisation.name.as_str())
            }),
            organisation,
        }))
    }

    /// The same to read what members alone may see.
    pub(super) async fn standing_of_member(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &str,
    ) -> Result<Standing, AppError> {
        let standing = self
            .standing(tx, caller, name)
            .await?
            .ok_or_else(|| hidden(name))?;
        standing.member()?;
        Ok(standing)
    }

    /// The same in a transaction that changes something: nobody else changes the organisation until it ends.
    pub(super) async fn locked_standing(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        name: &str,
    ) -> Result<Standing, AppError> {
        let organisation = find(tx, name).await?.ok_or_else(|| hidden(name))?;
        organisation::lock_organisation(tx, organisation.organisation_id).await?;
        // Read again: whoever held the lock before may have changed it.
        self.standing(tx, caller, name).await?.ok_or_else(|| hidden(name))
    }

    /// An account that a caller names, locked: it is not deleted while this transaction goes on.
    pub(super) async fn locked_account(&self, tx: &mut Tx, username: &str) -> Result<Account, AppError> {
        let unknown = || AppError::NotFound(format!("there is no account {username}"));
        let name = username.parse().map_err(|_| unknown())?;
        let found = crate::store::account::find_account(tx, &name)
            .await?
            .ok_or_else(unknown)?;
        crate::store::account::lock_account(tx, found.account_id).await?;
        crate::store::account::find_account_by_id(tx, found.account_id)
            .await?
            .ok_or_else(unknown)
    }
}

/// The organisation of a name in any case, unless it is deleted.
async fn find(tx: &mut Tx, name: &str) -> Result<Option<Organisation>, AppError> {
    let Ok(name) = name.to_ascii_lowercase().parse::<NamespaceName>() else {
        return Ok(None);
    };
    let found = organisation::find_organisation(tx, &name).await?;
    Ok(found.filter(|organisation| organisation.deleted_at.is_none()))
}
