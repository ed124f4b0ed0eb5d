//! Repositories that a registry holds from before it had this index.

use shared::oci::RepositoryName;

use super::App;
use super::audit::{By, Change};
use super::error::AppError;
use super::overview::want_reading;
use crate::domain::{AuditAction, NamespaceName, NamespaceOwner, RepositoryId, TargetKind, Visibility};
use crate::store::repository::Stored;
use crate::store::{namespace, repository};

/// The namespace whose names are storage names of the index's own choosing.
const OWN: &str = "portolan";

/// What becomes of a repository that is to be adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// It was taken in, or would be.
    Adopted,
    /// The index has it under this name already.
    There,
    /// Its content is that of a repository of another name, perhaps a deleted one.
    Taken,
    /// Another repository has the name.
    NameTaken,
    /// Nobody owns the namespace of the name.
    NoNamespace,
    /// Content is kept there for repositories whose names were used before.
    Reserved,
}

impl App {
    /// Takes in a repository whose content lies under `stored_as` already, private and called `name`; pulls by the name from
    /// before go on, unless a repository has it. By whoever administers the machine. With `is_rehearsal` nothing changes.
    pub async fn adopt_repository(
        &self,
        stored_as: &RepositoryName,
        name: &RepositoryName,
        is_rehearsal: bool,
    ) -> Result<Adoption, AppError> {
        if stored_as.namespace() == OWN {
            return Ok(Adoption::Reserved);
        }
        let now = self.clock.now_ms();
        let mut tx = self.store.write().await?;
        let named = repository::find_repository(&mut tx, name).await?;
        if repository::find_stored(&mut tx, stored_as).await? != Stored::Unknown {
            let is_same = named.is_some_and(|facts| facts.stored_as == *stored_as);
            return Ok(if is_same { Adoption::There } else { Adoption::Taken });
        }
        if named.is_some() {
            return Ok(Adoption::NameTaken);
        }
        let Some(namespace) = namespace::find_namespace(&mut tx, &NamespaceName::from(name)).await? else {
            return Ok(Adoption::NoNamespace);
        };
        if is_rehearsal {
            return Ok(Adoption::Adopted);
        }
        let new = repository::NewRepository {
            repository_id: self.new_id(RepositoryId::new),
            namespace_id: namespace.namespace_id,
            name,
            stored_as,
            // Who could pull so far is not known here.
            visibility: Visibility::Private,
            created_by: None,
        };
        repository::create_active_repository(&mut tx, &new, now).await?;
        repository::remove_alias(&mut tx, name).await?;
        if name != stored_as && repository::find_repository(&mut tx, stored_as).await?.is_none() {
            repository::put_alias(&mut tx, stored_as, new.repository_id, now).await?;
        }
        // Nothing tells of what was pushed before.
        want_reading(&mut tx, new.repository_id, now).await?;
        let change = Change::new(AuditAction::RepositoryCreate, TargetKind::Repository, name)
            .id(new.repository_id.as_i64())
            .within(&namespace)
            .after(serde_json::json!({
                "visibility": new.visibility.as_str(),
                "stored_as": stored_as.as_str(),
            }));
        self.audit(&mut tx, By::Machine, change).await?;
        tx.commit().await?;
        Ok(Adoption::Adopted)
    }

    /// Who owns a namespace; nobody, when there is none.
    pub async fn owner_of(&self, name: &NamespaceName) -> Result<Option<NamespaceOwner>, AppError> {
        let mut tx = self.store.read().await?;
        Ok(namespace::find_namespace(&mut tx, name)
            .await?
            .map(|facts| facts.owner))
    }
}

#[cfg(test)]
mod tests;
