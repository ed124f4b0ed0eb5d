//! The audit log: every change of permission, credential, visibility and membership is written down in the transaction
//! that makes it, so that neither is there without the other.

mod sign_in;
mod upkeep;

pub(super) use sign_in::SignIns;
pub(super) use upkeep::Written;
pub use upkeep::{AuditSettings, AuditSink};

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::App;
use super::caller::{Caller, Client};
use super::error::AppError;
use super::login::Login;
use crate::domain::{
    Account, Actor, ActorKind, AuditAction, AuditEvent, AuditFilter, AuditTarget, EventId, NamespaceFacts,
    NamespaceName, NamespaceOwner, OrganisationId, OrganisationRole, Principal, TargetKind,
};
use crate::store::{Tx, audit, organisation};

/// Longest text of one state that is kept, in bytes of JSON.
const MAX_STATE: usize = 4096;

/// Who is answerable for a change.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// Whoever uses the API.
    Caller(&'a Caller),
    /// A command on the machine that holds the data.
    Machine,
    /// The service itself: something fell due.
    Service,
    /// An account, by what the registry tells of it.
    Account(&'a Account),
    /// The same of a robot: its name.
    Robot(&'a str),
}

impl By<'_> {
    fn actor(&self) -> Actor {
        match self {
            Self::Caller(caller) => caller.actor(),
            Self::Machine => nobody(ActorKind::Machine, &Client::default()),
            Self::Service => nobody(ActorKind::Service, &Client::default()),
            Self::Account(account) => Actor {
                id: Some(account.account_id.as_i64()),
                name: account.username.to_string(),
                ..nobody(ActorKind::Account, &Client::default())
            },
            Self::Robot(name) => Actor {
                name: (*name).to_owned(),
                ..nobody(ActorKind::Robot, &Client::default())
            },
        }
    }
}

/// What is written down of a change.
#[derive(Debug, Clone)]
pub struct Change {
    action: AuditAction,
    target: AuditTarget,
    organisation_id: Option<OrganisationId>,
    before: Option<Value>,
    after: Option<Value>,
}

impl Change {
    /// Something happened to something, which is called `name` now.
    pub fn new(action: AuditAction, kind: TargetKind, name: &(impl ToString + ?Sized)) -> Self {
        Self {
            action,
            target: AuditTarget {
                kind,
                id: None,
                name: name.to_string(),
            },
            organisation_id: None,
            before: None,
            after: None,
        }
    }

    /// The target has this id.
    #[must_use]
    pub fn id(mut self, id: i64) -> Self {
        self.target.id = Some(id);
        self
    }

    /// The owners of this organisation may read of it.
    #[must_use]
    pub fn of(mut self, organisation_id: OrganisationId) -> Self {
        self.organisation_id = Some(organisation_id);
        self
    }

    /// The owners of the organisation that has this namespace, if one has it, may read of it.
    #[must_use]
    pub fn within(mut self, namespace: &NamespaceFacts) -> Self {
        if let NamespaceOwner::Organisation(organisation_id) = namespace.owner {
            self.organisation_id = Some(organisation_id);
        }
        self
    }

    /// What was so before: small, and never a secret or the hash of one.
    #[must_use]
    pub fn before(mut self, state: Value) -> Self {
        self.before = Some(state);
        self
    }

    /// What is so from now on: small, and never a secret or the hash of one.
    #[must_use]
    pub fn after(mut self, state: Value) -> Self {
        self.after = Some(state);
        self
    }
}

impl Caller {
    fn actor(&self) -> Actor {
        actor(&self.login, &self.client)
    }
}

/// Who somebody is in the log.
fn actor(login: &Login, client: &Client) -> Actor {
    let (kind, id) = match login.principal() {
        Principal::Account(account) => (ActorKind::Account, Some(account.account_id.as_i64())),
        Principal::Machine(_) => (
            ActorKind::Robot,
            login.robot().map(|robot| robot.robot_id.as_i64()),
        ),
        Principal::Anonymous => (ActorKind::Anonymous, None),
    };
    Actor {
        id,
        name: login.subject(),
        credential: login.actor(),
        ..nobody(kind, client)
    }
}

fn nobody(kind: ActorKind, client: &Client) -> Actor {
    Actor {
        kind,
        id: None,
        name: String::new(),
        credential: None,
        address: client.address_text(),
        client: client.program.clone(),
        request_id: client.request_id.clone(),
    }
}

impl App {
    /// Writes a change down, in the transaction that makes it.
    pub(super) async fn audit(&self, tx: &mut Tx, by: By<'_>, change: Change) -> Result<(), AppError> {
        self.write_event(tx, by.actor(), change).await
    }

    /// The same for whoever signed in at the token endpoint.
    pub(super) async fn audit_login(
        &self,
        tx: &mut Tx,
        login: &Login,
        client: &Client,
        change: Change,
    ) -> Result<(), AppError> {
        self.write_event(tx, actor(login, client), change).await
    }

    async fn write_event(&self, tx: &mut Tx, actor: Actor, change: Change) -> Result<(), AppError> {
        let event = AuditEvent {
            event_id: self.new_id(EventId::new),
            created_at: self.clock.now_ms(),
            action: change.action,
            actor,
            target: change.target,
            organisation_id: change.organisation_id,
            before: change.before.as_ref().map(state),
            after: change.after.as_ref().map(state),
        };
        Ok(audit::add_event(tx, &event).await?)
    }

    /// At most `limit` events that pass the filter, the newest first, those older than `after`: of the whole site for its
    /// administrators, and of an organisation for its owners, which the filter then names by its id.
    pub async fn list_audit(
        &self,
        caller: &Caller,
        organisation: Option<&NamespaceName>,
        filter: &AuditFilter,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, AppError> {
        let account = caller.unlimited_account()?;
        let mut tx = self.store.read().await?;
        let mut filter = filter.clone();
        filter.organisation_id = match organisation {
            Some(name) => Some(self.readable_organisation(&mut tx, account, name).await?),
            None if account.is_admin => None,
            None => {
                return Err(AppError::Forbidden(
                    "the whole log is for administrators of the site; name an organisation that you own",
                ));
            }
        };
        Ok(audit::list_events(&mut tx, &filter, after, limit).await?)
    }

    /// The organisation of this name, whose part of the log the account may read.
    async fn readable_organisation(
        &self,
        tx: &mut Tx,
        account: &Account,
        name: &NamespaceName,
    ) -> Result<OrganisationId, AppError> {
        let not_found = || AppError::NotFound(format!("there is no organisation {name}"));
        let found = organisation::find_organisation(tx, name)
            .await?
            .ok_or_else(not_found)?;
        if account.is_admin {
            return Ok(found.organisation_id);
        }
        let membership = organisation::find_membership(tx, found.organisation_id, account.account_id).await?;
        let now = self.clock.now_ms();
        match membership.filter(|membership| membership.is_live(now)) {
            Some(membership) if membership.role == OrganisationRole::Owner => Ok(found.organisation_id),
            Some(_) => Err(AppError::Forbidden("an organisation's log is for its owners")),
            None => Err(not_found()),
        }
    }
}

/// A time (milliseconds since 1970) as text, in UTC.
pub fn rfc3339(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// JSON that is kept: whole, or that it was too long.
fn state(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= MAX_STATE {
        return text;
    }
    serde_json::json!({ "too_long": text.len() }).to_string()
}

#[cfg(test)]
#[path = "audit/tests.rs"]
mod tests;
