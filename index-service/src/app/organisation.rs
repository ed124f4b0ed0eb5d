//! Organisations: made by accounts, changed and ended by their owners.

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::standing::{Standing, unknown};
use crate::domain::departure::Listed;
use crate::domain::free_text::{DESCRIPTION, DISPLAY_NAME, InvalidFreeText};
use crate::domain::{
    AuditAction, Membership, NamespaceFacts, NamespaceId, NamespaceName, Organisation, OrganisationId,
    OrganisationRole, TargetKind, Username, Visibility,
};
use crate::store::{Tx, departure, namespace, organisation};

/// Who may make organisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganisationMakers {
    /// Every account.
    #[default]
    Everyone,
    /// Administrators of the site.
    Admins,
}

/// A word does not say who may make organisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("organisations are made by everyone or by admins")]
pub struct InvalidOrganisationMakers;

impl OrganisationMakers {
    /// The words of a configuration.
    pub const WORDS: [&str; 2] = ["everyone", "admins"];

    /// The word of this one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Admins => "admins",
        }
    }
}

impl std::str::FromStr for OrganisationMakers {
    type Err = InvalidOrganisationMakers;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "everyone" => Ok(Self::Everyone),
            "admins" => Ok(Self::Admins),
            _ => Err(InvalidOrganisationMakers),
        }
    }
}

/// What a new organisation begins with.
#[derive(Debug)]
pub struct NewOrganisation {
    /// Its name, in any case.
    pub name: String,
    /// Its name as people write it; `None` takes the name.
    pub display_name: Option<String>,
    /// What it is.
    pub description: String,
}

/// What is to change about an organisation; `None` stays.
#[derive(Debug, Default)]
pub struct OrganisationChange {
    /// Its name as people write it.
    pub display_name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Who may see repositories that are made from now on.
    pub default_visibility: Option<Visibility>,
}

/// An organisation as a caller sees it.
#[derive(Debug)]
pub struct OrganisationView {
    /// The organisation.
    pub organisation: Organisation,
    /// What the caller is in it.
    pub membership: Option<Membership>,
    /// Who may see new repositories; for members.
    pub default_visibility: Option<Visibility>,
}

/// What ends with an organisation.
#[derive(Debug)]
pub struct OrganisationEnd {
    /// Repositories, which must be deleted or moved first.
    pub repositories: Listed,
    /// How many are in it.
    pub members: i64,
    /// How many teams it has.
    pub teams: i64,
    /// Its robots and access tokens, which would stop.
    pub robots: Listed,
    /// Rules of other namespaces about its robots, which would go.
    pub rules: Listed,
}

impl App {
    /// Makes an organisation with the namespace of its name; whoever makes it owns it.
    pub async fn create_organisation(
        &self,
        caller: &Caller,
        new: &NewOrganisation,
    ) -> Result<OrganisationView, AppError> {
        let owner = match self.current().organisation_makers {
            OrganisationMakers::Everyone => caller.unlimited_account()?,
            OrganisationMakers::Admins => caller.administrator()?,
        };
        let name = super::account::parse_username(&new.name)?;
        let display_name = new.display_name.as_deref().unwrap_or(name.display_name());
        let display_name = DISPLAY_NAME.check(display_name)?;
        let description = DESCRIPTION.check(&new.description)?;
        let now = self.clock.now_ms();
        let organisation_id = self.new_id(OrganisationId::new);
        let mut tx = self.store.write().await?;
        let taken = || AppError::Conflict(format!("the name {name} is taken"));
        let namespace_name = NamespaceName::from(&name);
        if is_taken(&mut tx, &name, &namespace_name).await? {
            return Err(taken());
        }
        organisation::create_organisation(
            &mut tx,
            organisation_id,
            &namespace_name,
            &display_name,
            Some(owner.account_id),
            now,
        )
        .await?;
        namespace::create_organisation_namespace(
            &mut tx,
            self.new_id(NamespaceId::new),
            &namespace_name,
            organisation_id,
            now,
        )
        .await?;
        organisation::change_organisation(&mut tx, organisation_id, &display_name, &description, now).await?;
        organisation::put_member(
            &mut tx,
            organisation_id,
            owner.account_id,
            OrganisationRole::Owner,
            None,
            now,
        )
        .await?;
        let view = self.view(&mut tx, caller, &new.name).await?;
        let change = event(AuditAction::OrganisationCreate, &view.organisation);
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// An organisation as anybody may see it; members see more.
    pub async fn organisation(&self, caller: &Caller, name: &str) -> Result<OrganisationView, AppError> {
        let mut tx = self.store.read().await?;
        self.view(&mut tx, caller, name).await
    }

    async fn view(&self, tx: &mut Tx, caller: &Caller, name: &str) -> Result<OrganisationView, AppError> {
        let standing = self
            .standing(tx, caller, name)
            .await?
            .ok_or_else(|| unknown(name))?;
        let is_seen = standing.member().is_ok();
        let namespace = namespace_of(tx, &standing.organisation).await?;
        Ok(OrganisationView {
            default_visibility: is_seen.then_some(namespace.default_visibility),
            membership: standing.membership.filter(|_| is_seen),
            organisation: standing.organisation,
        })
    }

    /// At most `limit` organisations that the caller is in, in the order in which they were made, those behind `after`.
    pub async fn list_organisations(
        &self,
        caller: &Caller,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(Organisation, Membership)>, AppError> {
        let account_id = caller.account()?.account_id;
        let mut tx = self.store.read().await?;
        let now = self.clock.now_ms();
        Ok(organisation::list_organisations_of(&mut tx, account_id, after, now, limit).await?)
    }

    /// Changes what is said about an organisation, and who may see new repositories of its namespace.
    pub async fn change_organisation(
        &self,
        caller: &Caller,
        name: &str,
        change: &OrganisationChange,
    ) -> Result<OrganisationView, AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, name).await?;
        standing.administers()?;
        let known = &standing.organisation;
        let display_name = match &change.display_name {
            Some(text) => DISPLAY_NAME.check(text)?,
            None => known.display_name.clone(),
        };
        let description = match &change.description {
            Some(text) => DESCRIPTION.check(text)?,
            None => known.description.clone(),
        };
        organisation::change_organisation(
            &mut tx,
            known.organisation_id,
            &display_name,
            &description,
            self.clock.now_ms(),
        )
        .await?;
        if let Some(visibility) = change.default_visibility {
            let namespace = namespace_of(&mut tx, known).await?;
            namespace::set_default_visibility(&mut tx, namespace.namespace_id, visibility).await?;
            let change = Change::new(
                AuditAction::NamespaceVisibility,
                TargetKind::Namespace,
                &namespace.name,
            )
            .within(&namespace)
            .before(serde_json::json!({ "default_visibility": namespace.default_visibility.as_str() }))
            .after(serde_json::json!({ "default_visibility": visibility.as_str() }));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        let view = self.view(&mut tx, caller, name).await?;
        if change.display_name.is_some() || change.description.is_some() {
            let told = |organisation: &Organisation| {
                serde_json::json!({
                    "display_name": organisation.display_name, "description": organisation.description,
                })
            };
            let change = event(AuditAction::OrganisationUpdate, known)
                .before(told(known))
                .after(told(&view.organisation));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        tx.commit().await?;
        Ok(view)
    }

    /// What would end with an organisation.
    pub async fn organisation_end(&self, caller: &Caller, name: &str) -> Result<OrganisationEnd, AppError> {
        let mut tx = self.store.read().await?;
        let standing = self.standing_of_member(&mut tx, caller, name).await?;
        standing.owns()?;
        self.end_of(&mut tx, &standing).await
    }

    async fn end_of(&self, tx: &mut Tx, standing: &Standing) -> Result<OrganisationEnd, AppError> {
        let namespace = namespace_of(tx, &standing.organisation).await?;
        let id = standing.organisation.organisation_id;
        let (robots, rules) = departure::list_robots_in(tx, namespace.namespace_id).await?;
        Ok(OrganisationEnd {
            robots,
            rules,
            repositories: departure::list_repositories_in(tx, namespace.namespace_id).await?,
            members: departure::count_members(tx, id, self.clock.now_ms()).await?,
            teams: departure::count_teams(tx, id).await?,
        })
    }

    /// Ends an organisation that has no repositories any more, with all that it holds. Its name is never given again.
    pub async fn delete_organisation(&self, caller: &Caller, name: &str) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        let standing = self.locked_standing(&mut tx, caller, name).await?;
        standing.owns()?;
        let organisation = &standing.organisation;
        let namespace = namespace_of(&mut tx, organisation).await?;
        namespace::lock_namespace(&mut tx, namespace.namespace_id).await?;
        let end = self.end_of(&mut tx, &standing).await?;
        if end.repositories.count > 0 {
            return Err(AppError::Conflict(
                end.repositories
                    .first("delete or transfer its repositories first"),
            ));
        }
        let now = self.clock.now_ms();
        let id = organisation.organisation_id;
        departure::end_organisation(&mut tx, id, namespace.namespace_id, now).await?;
        organisation::delete_organisation(&mut tx, id, now).await?;
        let change = event(AuditAction::OrganisationDelete, organisation);
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }
}

/// What is written down about an organisation.
fn event(action: AuditAction, organisation: &Organisation) -> Change {
    Change::new(action, TargetKind::Organisation, &organisation.name)
        .id(organisation.organisation_id.as_i64())
        .of(organisation.organisation_id)
}

/// Whether the name is or was that of an account, an organisation or a namespace.
async fn is_taken(tx: &mut Tx, username: &Username, name: &NamespaceName) -> Result<bool, AppError> {
    Ok(crate::store::account::find_account(tx, username).await?.is_some()
        || namespace::find_namespace(tx, name).await?.is_some())
}

/// The namespace of an organisation: made with it, and there for ever.
pub(super) async fn namespace_of(
    tx: &mut Tx,
    organisation: &Organisation,
) -> Result<NamespaceFacts, AppError> {
    namespace::find_namespace(tx, &organisation.name)
        .await?
        .ok_or_else(|| unknown(organisation.name.as_str()))
}

impl From<InvalidFreeText> for AppError {
    fn from(error: InvalidFreeText) -> Self {
        Self::Invalid(error.to_string())
    }
}
