//! What administrators of the site sort repositories by.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use crate::domain::{CategoryId, RepositoryId, Topic};

statements! {
    PUT_CATEGORY = "insert into category (category_id, slug, name, created_at) values ($1, $2, $3, $4)
        on conflict (slug) do update set name = excluded.name";
    FIND_CATEGORY = "select category_id, slug, name from category where slug = $1";
    LIST_CATEGORIES = "select category_id, slug, name from category where slug > $1 order by slug limit $2";
    IS_USED = "select repository_id from repository_category where category_id = $1 limit 1";
    REMOVE_CATEGORY = "delete from category where category_id = $1";
    LIST_CATEGORIES_OF = "select c.category_id, c.slug, c.name from repository_category r
        join category c on c.category_id = r.category_id where r.repository_id = $1 order by r.category_id";
    REMOVE_CATEGORIES_OF = "delete from repository_category where repository_id = $1";
    ADD_CATEGORY = "insert into repository_category (repository_id, category_id) values ($1, $2) on conflict do nothing";
}

row! {
struct CategoryRow {
    category_id: i64,
    slug: String,
    name: String,
}
}

row! {
struct UserRow {
    repository_id: i64,
}
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its id.
    pub category_id: CategoryId,
    /// What it is called in addresses and filters.
    pub slug: Topic,
    /// What people read.
    pub name: String,
}

impl CategoryRow {
    fn into_category(self) -> Result<Category, StoreError> {
        Ok(Category {
            category_id: CategoryId::from_i64(self.category_id),
            slug: self.slug.parse().map_err(unreadable("category"))?,
            name: self.name,
        })
    }
}

/// Makes a category, or gives one another name.
pub async fn put_category(tx: &mut Tx, category: &Category, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_CATEGORY).bind(category.category_id.as_i64()).bind(category.slug.as_str())
        .bind(&category.name).bind(now_ms).execute(c).await.map(drop))
    .map_err(writing("category"))
}

/// The category of a slug.
pub async fn find_category(tx: &mut Tx, slug: &Topic) -> Result<Option<Category>, StoreError> {
    let row = find!("category", tx, CategoryRow, FIND_CATEGORY, slug.as_str())?;
    row.map(CategoryRow::into_category).transpose()
}

/// At most `limit` categories in the order of their slugs, those behind `after`.
pub async fn list_categories(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<Category>, StoreError> {
    list!(
        "categories",
        tx,
        CategoryRow,
        LIST_CATEGORIES,
        after,
        i64::from(limit)
    )?
    .into_iter()
    .map(CategoryRow::into_category)
    .collect()
}

/// Removes a category that no repository is in; says whether it did.
pub async fn remove_category(tx: &mut Tx, category_id: CategoryId) -> Result<bool, StoreError> {
    let id = category_id.as_i64();
    if find!("category", tx, UserRow, IS_USED, id)?.is_some_and(|row| row.repository_id != 0) {
        return Ok(false);
    }
    on!(tx, c => sqlx::query(REMOVE_CATEGORY).bind(id).execute(c).await.map(|done| done.rows_affected() > 0))
        .map_err(writing("category"))
}

/// The categories that a repository is in.
pub async fn list_categories_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
) -> Result<Vec<Category>, StoreError> {
    list!(
        "categories",
        tx,
        CategoryRow,
        LIST_CATEGORIES_OF,
        repository_id.as_i64()
    )?
    .into_iter()
    .map(CategoryRow::into_category)
    .collect()
}

/// Puts a repository into these categories and no others.
pub async fn set_categories_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
    categories: &[Category],
) -> Result<(), StoreError> {
    let id = repository_id.as_i64();
    on!(tx, c => sqlx::query(REMOVE_CATEGORIES_OF).bind(id).execute(c).await.map(drop))
        .map_err(writing("categories"))?;
    for category in categories {
        on!(tx, c => sqlx::query(ADD_CATEGORY).bind(id).bind(category.category_id.as_i64()).execute(c).await.map(drop))
            .map_err(writing("categories"))?;
    }
    Ok(())
}
