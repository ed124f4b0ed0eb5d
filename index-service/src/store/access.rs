//! What a decision needs to know, read in one transaction.

use std::collections::HashSet;

use shared::oci::RepositoryName;
use shared::oci::name::LIBRARY;

use super::dialect::{Tx, find, list_of, statements};
use super::error::{StoreError, unreadable};
use super::namespace::NamespaceRow;
use super::repository::RepositoryRow;
use super::row::{Row, row};
use super::{namespace, organisation, repository, rule};
use crate::domain::{
    AccountId, Facts, Membership, NamespaceFacts, NamespaceId, NamespaceName, NamespaceOwner, OrganisationId,
    Principal, RepositoryFacts, RepositoryId, RepositoryState, Rule,
};

statements! {
    /// In one: each statement is an exchange with the server on PostgreSQL.
    FIND_KNOWN = "select n.namespace_id, n.name, n.account_id, n.organisation_id, n.default_visibility, m.role, m.expires_at,
        r.repository_id, r.namespace_id as repository_namespace_id, r.name as repository_name, r.stored_as, r.visibility,
        r.state, r.pending_until from namespace n
        left join member m on m.organisation_id = n.organisation_id and m.account_id = $1
        left join repository r on r.name = $2 and r.state <> 'deleted' where n.name = $3";
    /// The same of [`AT_ONCE`] repositories.
    LIST_KNOWN_BY_ID = "select n.namespace_id, n.name, n.account_id, n.organisation_id, n.default_visibility, m.role,
        m.expires_at, r.repository_id, r.namespace_id as repository_namespace_id, r.name as repository_name, r.stored_as,
        r.visibility, r.state, r.pending_until from repository r cross join namespace n
        left join member m on m.organisation_id = n.organisation_id and m.account_id = $1
        where n.namespace_id = r.namespace_id and r.state <> 'deleted' and r.repository_id in (
          $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
          $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33,
          $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49,
          $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65)";
}

/// Repositories that one statement asks about.
const AT_ONCE: usize = 64;

row! {
/// What stands beside a namespace, if anything does.
struct BesideRow {
    role: Option<String>,
    expires_at: Option<i64>,
    repository_id: Option<i64>,
    repository_namespace_id: Option<i64>,
    repository_name: Option<String>,
    stored_as: Option<String>,
    visibility: Option<String>,
    state: Option<String>,
    pending_until: Option<i64>,
}
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    #[sqlx(flatten)]
    namespace: NamespaceRow,
    #[sqlx(flatten)]
    beside: BesideRow,
}

impl Row for KnownRow {
    fn columns() -> Vec<&'static str> {
        [NamespaceRow::columns(), BesideRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            namespace: NamespaceRow::read(row, place)?,
            beside: BesideRow::read(row, place)?,
        })
    }
}

impl KnownRow {
    /// The namespace, the account's place in the organisation that owns it, and the repository, as far as there are any.
    fn into_facts(self) -> Result<(NamespaceFacts, Option<Membership>, Option<RepositoryFacts>), StoreError> {
        let namespace = self.namespace.into_facts()?;
        let membership = match namespace.owner {
            NamespaceOwner::Organisation(organisation_id) => self.beside.membership(organisation_id)?,
            NamespaceOwner::Account(_) | NamespaceOwner::Administrators => None,
        };
        Ok((namespace, membership, self.beside.into_repository()?))
    }
}

impl BesideRow {
    fn membership(&self, organisation_id: OrganisationId) -> Result<Option<Membership>, StoreError> {
        let Some(role) = &self.role else { return Ok(None) };
        Ok(Some(Membership {
            organisation_id,
            role: role.parse().map_err(unreadable("role"))?,
            expires_at: self.expires_at,
        }))
    }

    fn into_repository(self) -> Result<Option<RepositoryFacts>, StoreError> {
        let row = (|| {
            Some(RepositoryRow {
                repository_id: self.repository_id?,
                namespace_id: self.repository_namespace_id?,
                name: self.repository_name?,
                stored_as: self.stored_as?,
                visibility: self.visibility?,
                state: self.state?,
                pending_until: self.pending_until,
            })
        })();
        row.map(RepositoryRow::into_facts).transpose()
    }
}

/// The facts of a namespace that a decision about one of its repositories needs.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The namespace.
    pub namespace: Option<NamespaceFacts>,
    /// The account's place in the organisation that owns it, also one whose time is over: what it had there has ended then.
    pub membership: Option<Membership>,
    /// The rules that may be about the principal.
    pub rules: Vec<Rule>,
}

impl Surroundings {
    /// Those of the namespace of an id.
    pub async fn of_namespace(
        tx: &mut Tx,
        principal: &Principal,
        namespace_id: NamespaceId,
    ) -> Result<Self, StoreError> {
        let Some(namespace) = namespace::find_namespace_by_id(tx, namespace_id).await? else {
            return Ok(Self::default());
        };
        let membership = match (namespace.owner, principal.account_id()) {
            (NamespaceOwner::Organisation(organisation_id), Some(account_id)) => {
                organisation::find_membership(tx, organisation_id, account_id).await?
            }
            _ => None,
        };
        let rules = rule::list_rules_about(tx, namespace.namespace_id, principal).await?;
        Ok(Self {
            namespace: Some(namespace),
            membership,
            rules,
        })
    }

    /// The facts about one repository in it, or about a name that has none.
    pub fn facts<'a>(&'a self, repository: Option<&'a RepositoryFacts>, now_ms: i64) -> Facts<'a> {
        Facts {
            namespace: self.namespace.as_ref(),
            repository,
            by_former_name: false,
            membership: self.membership,
            rules: &self.rules,
            now_ms,
        }
    }

    /// The facts about a repository in it that was found by a name that it had before.
    pub fn former_facts<'a>(&'a self, repository: &'a RepositoryFacts, now_ms: i64) -> Facts<'a> {
        Facts {
            by_former_name: true,
            ..self.facts(Some(repository), now_ms)
        }
    }
}

/// A repository name as the store knows it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The repository that has the name.
    pub repository: Option<RepositoryFacts>,
    /// The namespace of the name, and the principal's place there.
    pub surroundings: Surroundings,
    /// The repository that had the name before, or has it with `library/` in front or without, with the same for its present
    /// namespace; only where none has it now.
    pub former: Option<(RepositoryFacts, Surroundings)>,
}

/// The repository that had this name before, or that has it with `library/` in front or without: an official image is pulled
/// either way.
async fn find_by_other_name(
    tx: &mut Tx,
    name: &RepositoryName,
) -> Result<Option<RepositoryFacts>, StoreError> {
    if let Some(former) = repository::find_repository_by_former_name(tx, name).await? {
        return Ok(Some(former));
    }
    let other = match name.as_str().split_once('/') {
        None => format!("{LIBRARY}/{name}").parse(),
        Some((LIBRARY, rest)) if !rest.contains('/') => rest.parse(),
        Some(_) => return Ok(None),
    };
    // What is too long to be a name, or is reserved, is the name of none.
    let Ok(other) = other else { return Ok(None) };
    let found = repository::find_repository(tx, &other).await?;
    Ok(found.filter(|facts| facts.state == RepositoryState::Active))
}

/// Everything that a decision about `name` needs.
pub async fn find_known(
    tx: &mut Tx,
    principal: &Principal,
    name: &RepositoryName,
) -> Result<Known, StoreError> {
    let found = find!(
        "namespace",
        tx,
        KnownRow,
        FIND_KNOWN,
        // No account has this id.
        principal.account_id().map_or(-1, AccountId::as_i64),
        name.as_str(),
        NamespaceName::from(name).as_str()
    )?;
    let (surroundings, repository) = match found {
        Some(row) => {
            let (namespace, membership, repository) = row.into_facts()?;
            let rules = rule::list_rules_about(tx, namespace.namespace_id, principal).await?;
            let surroundings = Surroundings {
                namespace: Some(namespace),
                membership,
                rules,
            };
            (surroundings, repository)
        }
        None => (Surroundings::default(), None),
    };
    let former = match &repository {
        Some(_) => None,
        None => match find_by_other_name(tx, name).await? {
            Some(former) => {
                let surroundings = Surroundings::of_namespace(tx, principal, former.namespace_id).await?;
                Some((former, surroundings))
            }
            None => None,
        },
    };
    Ok(Known {
        repository,
        surroundings,
        former,
    })
}

/// Everything that decisions about the repositories of these ids need, in two statements for 64 of them; those
/// that are deleted are not among them.
pub async fn list_known_by_id(
    tx: &mut Tx,
    principal: &Principal,
    ids: &[RepositoryId],
) -> Result<Vec<(RepositoryFacts, Surroundings)>, StoreError> {
    let mut found = Vec::new();
    for chunk in ids.chunks(AT_ONCE) {
        // No account and no repository has this id.
        let mut values = vec![principal.account_id().map_or(-1, AccountId::as_i64)];
        values.extend(chunk.iter().map(|id| id.as_i64()));
        values.resize(AT_ONCE + 1, -1);
        for row in list_of!("repositories", tx, KnownRow, LIST_KNOWN_BY_ID, &values)? {
            let (namespace, membership, Some(repository)) = row.into_facts()? else {
                continue;
            };
            let surroundings = Surroundings {
                namespace: Some(namespace),
                membership,
                rules: Vec::new(),
            };
            found.push((repository, surroundings));
        }
    }
    let namespaces: HashSet<NamespaceId> = found.iter().map(|(facts, _)| facts.namespace_id).collect();
    let namespaces: Vec<NamespaceId> = namespaces.into_iter().collect();
    let rules = rule::list_rules_about_in(tx, &namespaces, principal).await?;
    for (facts, surroundings) in &mut found {
        let own = rules
            .iter()
            .filter(|rule| rule.namespace_id == facts.namespace_id);
        surroundings.rules = own.cloned().collect();
    }
    Ok(found)
}
