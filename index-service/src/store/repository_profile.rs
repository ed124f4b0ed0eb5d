//! What people say about repositories, and their stars.

use super::category::{Category, list_categories_of, set_categories_of};
use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::posting::{list_topics, refresh};
use super::row::row;
use crate::domain::{AccountId, NamespaceId, RepositoryId, Topic};

statements! {
    FIND_PROFILE = "select summary, description, star_count, updated_at from repository_profile where repository_id = $1";
    PUT_PROFILE = "insert into repository_profile (repository_id, summary, description, star_count, updated_at, updated_by)
        values ($1, $2, $3, 0, $4, $5) on conflict (repository_id) do update set summary = excluded.summary,
        description = excluded.description, updated_at = excluded.updated_at, updated_by = excluded.updated_by";
    REMOVE_TOPICS = "delete from repository_topic where repository_id = $1";
    ADD_TOPIC = "insert into repository_topic (repository_id, topic) values ($1, $2) on conflict do nothing";
    ADD_STAR = "insert into star (account_id, repository_id, created_at) values ($1, $2, $3) on conflict do nothing";
    REMOVE_STAR = "delete from star where account_id = $1 and repository_id = $2";
    FIND_STAR = "select repository_id, created_at from star where account_id = $1 and repository_id = $2";
    LIST_STARS = "select repository_id, created_at from star where account_id = $1 and repository_id > $2
        order by repository_id limit $3";
    COUNT_STAR = "insert into repository_profile (repository_id, summary, description, star_count, updated_at)
        select repository_id, '', '', cast($1 as bigint), created_at from repository where repository_id = $2
        on conflict (repository_id) do update set star_count = repository_profile.star_count + excluded.star_count";
    SET_VERIFIED = "update namespace set is_verified = $2 where namespace_id = $1";
    FIND_VERIFIED = "select is_verified from namespace where namespace_id = $1";
}

row! {
struct ProfileRow {
    summary: String,
    description: String,
    star_count: i64,
    updated_at: i64,
}
}

row! {
struct StarRow {
    repository_id: i64,
    created_at: i64,
}
}

row! {
struct VerifiedRow {
    is_verified: bool,
}
}

/// What is said about a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryProfile {
    /// In one line.
    pub summary: String,
    /// At length, in Markdown, as it was written.
    pub description: String,
    /// What it is about.
    pub topics: Vec<Topic>,
    /// What administrators of the site sort it by.
    pub categories: Vec<Category>,
    /// How many accounts gave it a star.
    pub star_count: i64,
    /// When it was changed last, in milliseconds since 1970; `None` where nobody said anything.
    pub updated_at: Option<i64>,
}

/// What is said about a repository; nothing where nobody did.
pub async fn find_profile(tx: &mut Tx, repository_id: RepositoryId) -> Result<RepositoryProfile, StoreError> {
    let topics = list_topics(tx, repository_id).await?;
    let categories = list_categories_of(tx, repository_id).await?;
    let row = find!(
        "description",
        tx,
        ProfileRow,
        FIND_PROFILE,
        repository_id.as_i64()
    )?;
    Ok(match row {
        Some(row) => RepositoryProfile {
            summary: row.summary,
            description: row.description,
            topics,
            categories,
            star_count: row.star_count,
            updated_at: Some(row.updated_at),
        },
        None => RepositoryProfile {
            topics,
            categories,
            ..RepositoryProfile::default()
        },
    })
}

/// Replaces what is said about a repository; its stars stay.
pub async fn put_profile(
    tx: &mut Tx,
    repository_id: RepositoryId,
    profile: &RepositoryProfile,
    updated_by: Option<AccountId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = repository_id.as_i64();
    on!(tx, c => sqlx::query(PUT_PROFILE).bind(id).bind(&profile.summary).bind(&profile.description).bind(now_ms)
        .bind(updated_by.map(AccountId::as_i64)).execute(c).await.map(drop))
    .map_err(writing("description"))?;
    on!(tx, c => sqlx::query(REMOVE_TOPICS).bind(id).execute(c).await.map(drop))
        .map_err(writing("topics"))?;
    for topic in &profile.topics {
        on!(tx, c => sqlx::query(ADD_TOPIC).bind(id).bind(topic.as_str()).execute(c).await.map(drop))
            .map_err(writing("topics"))?;
    }
    set_categories_of(tx, repository_id, &profile.categories).await?;
    refresh(tx, repository_id).await
}

/// Gives a repository the star of an account; says whether it had none of it.
pub async fn add_star(
    tx: &mut Tx,
    account_id: AccountId,
    repository_id: RepositoryId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let is_added = on!(tx, c => sqlx::query(ADD_STAR)
        .bind(account_id.as_i64()).bind(repository_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("star"))?;
    if is_added {
        count_star(tx, repository_id, 1).await?;
    }
    Ok(is_added)
}

/// Takes the star of an account back; says whether there was one.
pub async fn remove_star(
    tx: &mut Tx,
    account_id: AccountId,
    repository_id: RepositoryId,
) -> Result<bool, StoreError> {
    let is_removed = on!(tx, c => sqlx::query(REMOVE_STAR)
        .bind(account_id.as_i64()).bind(repository_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("star"))?;
    if is_removed {
        count_star(tx, repository_id, -1).await?;
    }
    Ok(is_removed)
}

async fn count_star(tx: &mut Tx, repository_id: RepositoryId, number: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(COUNT_STAR).bind(number).bind(repository_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("star"))?;
    refresh(tx, repository_id).await
}

/// Whether an account gave a repository a star.
pub async fn has_star(
    tx: &mut Tx,
    account_id: AccountId,
    repository_id: RepositoryId,
) -> Result<bool, StoreError> {
    let row = find!(
        "star",
        tx,
        StarRow,
        FIND_STAR,
        account_id.as_i64(),
        repository_id.as_i64()
    )?;
    Ok(row.is_some())
}

/// A star of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Star {
    /// Of which repository.
    pub repository_id: RepositoryId,
    /// Since when, in milliseconds since 1970.
    pub created_at: i64,
}

/// At most `limit` stars of an account, in the order of their repositories' ids, those behind `after`.
pub async fn list_stars(
    tx: &mut Tx,
    account_id: AccountId,
    after: i64,
    limit: u32,
) -> Result<Vec<Star>, StoreError> {
    let rows = list!(
        "stars",
        tx,
        StarRow,
        LIST_STARS,
        account_id.as_i64(),
        after,
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| Star {
            repository_id: RepositoryId::from_i64(row.repository_id),
            created_at: row.created_at,
        })
        .collect())
}

/// Says that a namespace is whose it claims to be, or no longer.
pub async fn set_verified(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    is_verified: bool,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(SET_VERIFIED).bind(namespace_id.as_i64()).bind(is_verified).execute(c).await.map(drop))
        .map_err(writing("namespace"))
}

/// Whether a namespace is whose it claims to be.
pub async fn is_verified(tx: &mut Tx, namespace_id: NamespaceId) -> Result<bool, StoreError> {
    let row = find!("namespace", tx, VerifiedRow, FIND_VERIFIED, namespace_id.as_i64())?;
    Ok(row.is_some_and(|row| row.is_verified))
}
