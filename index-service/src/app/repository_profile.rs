//! What people say about repositories: descriptions, topics, stars, and whose a namespace is.

use std::collections::BTreeSet;

use serde_json::json;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::free_text::SUMMARY;
use crate::domain::search::is_official;
use crate::domain::topic::{InvalidTopic, MAX_TOPICS};
use crate::domain::{
    AuditAction, EventKind, NamespaceName, RepositoryFacts, RepositoryId, Right, Showcase, TargetKind, Topic,
};
use crate::store::category::{Category, find_category};
use crate::store::repository_profile::{self, RepositoryProfile};
use crate::store::showcase::find_showcase;
use crate::store::{Tx, namespace};

/// Most bytes of a description, as Docker Hub has it.
pub const MAX_DESCRIPTION: usize = 25_000;
/// Most categories of a repository, as Docker Hub has it.
const MAX_CATEGORIES: usize = 3;

/// What shall be said otherwise; `None` stays.
#[derive(Debug, Default)]
pub struct DescriptionChange {
    /// In one line.
    pub summary: Option<String>,
    /// At length, in Markdown.
    pub description: Option<String>,
    /// What it is about.
    pub topics: Option<Vec<String>>,
    /// The slugs of the categories that it is in.
    pub categories: Option<Vec<String>>,
}

/// What is said about a repository.
#[derive(Debug)]
pub struct Described {
    /// The repository.
    pub facts: RepositoryFacts,
    /// What is said.
    pub profile: RepositoryProfile,
    /// Whether it is the site's own.
    pub is_official: bool,
    /// Whether its namespace is whose it claims to be.
    pub is_verified: bool,
    /// Whether the caller gave it a star.
    pub has_star: bool,
    /// What its image says about it.
    pub showcase: Option<Showcase>,
}

/// A repository that an account gave a star.
#[derive(Debug)]
pub struct Starred {
    /// The repository.
    pub facts: RepositoryFacts,
    /// Since when, in milliseconds since 1970.
    pub created_at: i64,
}

impl Described {
    /// What is shown in one line, and whether it is the image that says so, since nobody wrote anything.
    pub fn shown_summary(&self) -> (String, bool) {
        match &self.showcase {
            Some(showcase) if self.profile.summary.is_empty() && !showcase.summary.is_empty() => {
                (showcase.summary.clone(), true)
            }
            _ => (self.profile.summary.clone(), false),
        }
    }

    /// The same at length, as Markdown.
    pub fn shown_description(&self) -> (String, bool) {
        let text = self.showcase.as_ref().map(Showcase::text).unwrap_or_default();
        if self.profile.description.is_empty() && !text.is_empty() {
            return (text, true);
        }
        (self.profile.description.clone(), false)
    }
}

impl App {
    /// What is said about a repository, for whoever may pull it.
    pub async fn show_description(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
    ) -> Result<Described, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?;
        self.described(&mut tx, caller, seen.facts).await
    }

    pub(super) async fn described(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        facts: RepositoryFacts,
    ) -> Result<Described, AppError> {
        let has_star = match caller.principal().account_id() {
            Some(id) => repository_profile::has_star(tx, id, facts.repository_id).await?,
            None => false,
        };
        Ok(Described {
            profile: repository_profile::find_profile(tx, facts.repository_id).await?,
            is_official: is_official(&facts.name),
            is_verified: repository_profile::is_verified(tx, facts.namespace_id).await?,
            has_star,
            showcase: find_showcase(tx, facts.repository_id).await?,
            facts,
        })
    }

    /// Says something else about a repository. By whoever manages it.
    pub async fn describe(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        change: DescriptionChange,
    ) -> Result<Described, AppError> {
        let principal = caller.principal();
        let mut tx = self.store.write().await?;
        let seen = self
            .see_by_id(&mut tx, &principal, repository_id)
            .await?
            .with(Right::Manage)?;
        super::repository::active(&seen.facts)?;
        let before = repository_profile::find_profile(&mut tx, repository_id).await?;
        let mut after = before.clone();
        if let Some(text) = change.summary {
            after.summary = SUMMARY
                .check(&text)
                .map_err(|error| AppError::Invalid(error.to_string()))?;
        }
        if let Some(text) = change.description {
            after.description = description(text)?;
        }
        if let Some(list) = change.topics {
            after.topics = topics(&list)?;
        }
        if let Some(list) = change.categories {
            after.categories = categories(&mut tx, &list).await?;
        }
        if after != before {
            let (now, by) = (self.clock.now_ms(), principal.account_id());
            repository_profile::put_profile(&mut tx, repository_id, &after, by, now).await?;
            let shown = |profile: &RepositoryProfile| {
                let topics: Vec<&str> = profile.topics.iter().map(Topic::as_str).collect();
                let categories: Vec<&str> = profile.categories.iter().map(|one| one.slug.as_str()).collect();
                json!({"categories": categories, "summary": profile.summary, "description_bytes": profile.description.len(), "topics": topics})
            };
            let mut told = Change::new(
                AuditAction::RepositoryDescribe,
                TargetKind::Repository,
                &seen.facts.name,
            )
            .id(repository_id.as_i64())
            .before(shown(&before))
            .after(shown(&after));
            if let Some(namespace) = &seen.surroundings.namespace {
                told = told.within(namespace);
            }
            self.audit(&mut tx, By::Caller(caller), told).await?;
        }
        let described = self.described(&mut tx, caller, seen.facts).await?;
        tx.commit().await?;
        Ok(described)
    }

    /// Gives a repository the star of the caller's account, or takes it back. Whoever may pull it can.
    pub async fn set_star(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        is_given: bool,
    ) -> Result<(), AppError> {
        let account_id = caller.account()?.account_id;
        let mut tx = self.store.write().await?;
        let seen = self
            .see_by_id(&mut tx, &caller.principal(), repository_id)
            .await?
            .with(Right::Pull)?;
        super::repository::active(&seen.facts)?;
        if is_given {
            let is_new =
                repository_profile::add_star(&mut tx, account_id, repository_id, self.clock.now_ms()).await?;
            if is_new {
                self.tell_about(&mut tx, EventKind::Star, &seen.facts, &caller.name())
                    .await?;
            }
        } else {
            repository_profile::remove_star(&mut tx, account_id, repository_id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// At most `limit` repositories that the caller's account gave a star, behind `after`, and the id to go on behind when
    /// there are more. What it may not see any more is left out.
    pub async fn list_starred(
        &self,
        caller: &Caller,
        after: i64,
        limit: u32,
    ) -> Result<(Vec<Starred>, Option<i64>), AppError> {
        let (principal, account_id) = (caller.principal(), caller.account()?.account_id);
        let mut tx = self.store.read().await?;
        let stars =
            repository_profile::list_stars(&mut tx, account_id, after, limit.saturating_add(1)).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = stars.len() > limit;
        let (mut starred, mut last) = (Vec::new(), None);
        for star in stars.into_iter().take(limit) {
            last = Some(star.repository_id.as_i64());
            match self.see_by_id(&mut tx, &principal, star.repository_id).await {
                Ok(seen) if seen.rights().contains(Right::Pull) => starred.push(Starred {
                    facts: seen.facts,
                    created_at: star.created_at,
                }),
                Ok(_) | Err(AppError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((starred, last.filter(|_| is_more)))
    }

    /// Says that a namespace is whose it claims to be, or no longer. By administrators of the site.
    pub async fn verify_namespace(
        &self,
        caller: &Caller,
        name: &NamespaceName,
        is_verified: bool,
    ) -> Result<(), AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let namespace = namespace::find_namespace(&mut tx, name)
            .await?
            .ok_or_else(|| AppError::NotFound(format!("there is no namespace {name}")))?;
        let before = repository_profile::is_verified(&mut tx, namespace.namespace_id).await?;
        if before != is_verified {
            repository_profile::set_verified(&mut tx, namespace.namespace_id, is_verified).await?;
            let change = Change::new(AuditAction::NamespaceVerify, TargetKind::Namespace, name)
                .id(namespace.namespace_id.as_i64())
                .within(&namespace)
                .before(json!({"verified": before}))
                .after(json!({"verified": is_verified}));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Kept byte for byte.
fn description(text: String) -> Result<String, AppError> {
    if text.len() > MAX_DESCRIPTION {
        return Err(AppError::Invalid(format!(
            "a description has at most {MAX_DESCRIPTION} bytes; this one has {}",
            text.len()
        )));
    }
    if text.contains('\0') {
        return Err(AppError::Invalid(
            "a description holds no character NUL".to_owned(),
        ));
    }
    Ok(text)
}

async fn categories(tx: &mut Tx, list: &[String]) -> Result<Vec<Category>, AppError> {
    let mut categories: Vec<Category> = Vec::new();
    for slug in list {
        let found = match slug.parse() {
            Ok(slug) => find_category(tx, &slug).await?,
            Err(InvalidTopic) => None,
        };
        let found = found.ok_or_else(|| AppError::Invalid(format!("there is no category {slug}")))?;
        if !categories.contains(&found) {
            categories.push(found);
        }
    }
    if categories.len() > MAX_CATEGORIES {
        return Err(AppError::Invalid(format!(
            "a repository is in at most {MAX_CATEGORIES} categories"
        )));
    }
    categories.sort_by_key(|category| category.category_id);
    Ok(categories)
}

fn topics(list: &[String]) -> Result<Vec<Topic>, AppError> {
    let topics = list.iter().map(|topic| topic.parse());
    let topics: BTreeSet<Topic> = topics
        .collect::<Result<_, InvalidTopic>>()
        .map_err(|error| AppError::Invalid(error.to_string()))?;
    if topics.len() > MAX_TOPICS {
        return Err(AppError::Invalid(format!(
            "a repository has at most {MAX_TOPICS} topics"
        )));
    }
    Ok(topics.into_iter().collect())
}
