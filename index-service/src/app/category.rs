//! What administrators of the site sort repositories by.

use serde_json::json;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::free_text::DISPLAY_NAME;
use crate::domain::topic::InvalidTopic;
use crate::domain::{AuditAction, CategoryId, TargetKind, Topic};
use crate::store::category;
pub use crate::store::category::Category;

impl App {
    /// At most `limit` categories behind `after`, in the order of their slugs.
    pub async fn list_categories(&self, after: &str, limit: u32) -> Result<Vec<Category>, AppError> {
        let mut tx = self.store.read().await?;
        Ok(category::list_categories(&mut tx, after, limit).await?)
    }

    /// Makes a category, or gives one another name. By administrators of the site.
    pub async fn put_category(&self, caller: &Caller, slug: &str, name: &str) -> Result<Category, AppError> {
        caller.administrator()?;
        let slug = parse(slug)?;
        let name = DISPLAY_NAME
            .check(name)
            .ok()
            .filter(|name| !name.is_empty())
            .ok_or_else(|| AppError::Invalid("a category has a name of at most 100 characters".to_owned()))?;
        let mut tx = self.store.write().await?;
        let before = category::find_category(&mut tx, &slug).await?;
        let put = Category {
            category_id: match &before {
                Some(before) => before.category_id,
                None => self.new_id(CategoryId::new),
            },
            slug,
            name,
        };
        if before.as_ref() != Some(&put) {
            category::put_category(&mut tx, &put, self.clock.now_ms()).await?;
            let change = Change::new(AuditAction::CategoryPut, TargetKind::Site, &put.slug)
                .id(put.category_id.as_i64())
                .after(json!({"slug": put.slug.as_str(), "name": put.name}));
            self.audit(&mut tx, By::Caller(caller), change).await?;
        }
        tx.commit().await?;
        Ok(put)
    }

    /// Removes a category that no repository is in. By administrators of the site.
    pub async fn remove_category(&self, caller: &Caller, slug: &str) -> Result<(), AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let slug = parse(slug)?;
        let Some(found) = category::find_category(&mut tx, &slug).await? else {
            return Err(AppError::NotFound(format!("there is no category {slug}")));
        };
        if !category::remove_category(&mut tx, found.category_id).await? {
            return Err(AppError::Conflict(format!(
                "there are repositories in the category {slug}"
            )));
        }
        let change = Change::new(AuditAction::CategoryRemove, TargetKind::Site, &slug)
            .id(found.category_id.as_i64())
            .before(json!({"slug": slug.as_str(), "name": found.name}));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        Ok(tx.commit().await?)
    }
}

fn parse(slug: &str) -> Result<Topic, AppError> {
    slug.parse().map_err(|_: InvalidTopic| {
        AppError::Invalid("a category is called as a topic is: letters, digits, hyphens".to_owned())
    })
}
