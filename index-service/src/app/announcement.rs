//! What administrators of the site tell everybody, on every page.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use crate::domain::free_text::ANNOUNCEMENT;
use crate::domain::{Announcement, AnnouncementId, AuditAction, TargetKind};
use crate::store::announcement;

/// Most announcements at once, those included that are yet to be shown.
pub const MAX_ANNOUNCEMENTS: u32 = 20;
/// The longest that one can be shown by itself, in hours: a year.
pub const MAX_HOURS: u32 = 24 * 365;
/// How long what was read is shown without looking again, in milliseconds.
const KEPT_MS: i64 = 15_000;
const HOUR_MS: i64 = 3_600_000;

/// What was read last, and when.
#[derive(Debug, Default)]
pub(super) struct Announced(RwLock<Option<(i64, Arc<[Announcement]>)>>);

/// What is to be told.
#[derive(Debug, Default)]
pub struct AnnouncementWish {
    /// What it says.
    pub text: String,
    /// What it says to those who read Chinese; empty for the same.
    pub text_zh: String,
    /// Whether it warns.
    pub is_warning: bool,
    /// From when on, in milliseconds since 1970; `None` for at once.
    pub starts_at: Option<i64>,
    /// For how many hours; `None` until it is taken away.
    pub hours: Option<u32>,
}

impl App {
    /// What everybody is told now. Looked up every few seconds; a store that is away tells what it told before.
    pub async fn announcements(&self) -> Vec<Announcement> {
        let now = self.clock.now_ms();
        let known = self
            .announced
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let current = match known {
            Some((read_at, known)) if now.saturating_sub(read_at) < KEPT_MS => known,
            before => match self.read_announcements().await {
                Ok(read) => {
                    let read: Arc<[Announcement]> = read.into();
                    *self.announced.0.write().unwrap_or_else(PoisonError::into_inner) =
                        Some((now, read.clone()));
                    read
                }
                Err(error) => {
                    tracing::warn!(%error, "could not read the announcements");
                    before.map_or_else(|| Vec::new().into(), |(_, known)| known)
                }
            },
        };
        current
            .iter()
            .filter(|one| one.is_current(now))
            .cloned()
            .collect()
    }

    async fn read_announcements(&self) -> Result<Vec<Announcement>, AppError> {
        let mut tx = self.store.read().await?;
        Ok(announcement::list_announcements(&mut tx, i64::MIN, MAX_ANNOUNCEMENTS).await?)
    }

    /// All announcements, those included that are over or yet to come. For administrators of the site.
    pub async fn list_announcements(&self, caller: &Caller) -> Result<Vec<Announcement>, AppError> {
        caller.administrator()?;
        self.read_announcements().await
    }

    /// Tells everybody something. By administrators of the site.
    pub async fn announce(&self, caller: &Caller, wish: &AnnouncementWish) -> Result<Announcement, AppError> {
        caller.administrator()?;
        let text = ANNOUNCEMENT.check(&wish.text)?;
        if text.is_empty() {
            return Err(AppError::Invalid("an announcement says something".to_owned()));
        }
        if wish.hours.is_some_and(|hours| !(1..=MAX_HOURS).contains(&hours)) {
            return Err(AppError::Invalid(format!(
                "an announcement is shown for 1 to {MAX_HOURS} hours"
            )));
        }
        let now = self.clock.now_ms();
        let starts_at = wish.starts_at.unwrap_or(now);
        let new = Announcement {
            announcement_id: self.new_id(AnnouncementId::new),
            is_warning: wish.is_warning,
            text,
            text_zh: ANNOUNCEMENT.check(&wish.text_zh)?,
            starts_at,
            ends_at: wish
                .hours
                .map(|hours| starts_at.saturating_add(i64::from(hours) * HOUR_MS)),
            created_at: now,
        };
        let mut tx = self.store.write().await?;
        let there = announcement::list_announcements(&mut tx, i64::MIN, MAX_ANNOUNCEMENTS).await?;
        if there.len() >= usize::try_from(MAX_ANNOUNCEMENTS).unwrap_or(usize::MAX) {
            return Err(AppError::Conflict(format!(
                "there are {MAX_ANNOUNCEMENTS} announcements already: take one away first"
            )));
        }
        announcement::add_announcement(&mut tx, &new).await?;
        let change = told(AuditAction::AnnouncementCreate, &new).after(json!({ "text": new.text }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        self.forget_announced();
        Ok(new)
    }

    /// Takes an announcement away. By administrators of the site.
    pub async fn remove_announcement(&self, caller: &Caller, id: AnnouncementId) -> Result<(), AppError> {
        caller.administrator()?;
        let mut tx = self.store.write().await?;
        let found = announcement::find_announcement(&mut tx, id)
            .await?
            .ok_or_else(|| AppError::NotFound("there is no such announcement".to_owned()))?;
        announcement::remove_announcement(&mut tx, id).await?;
        let change = told(AuditAction::AnnouncementRemove, &found).before(json!({ "text": found.text }));
        self.audit(&mut tx, By::Caller(caller), change).await?;
        tx.commit().await?;
        self.forget_announced();
        Ok(())
    }

    fn forget_announced(&self) {
        *self.announced.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn told(action: AuditAction, announcement: &Announcement) -> Change {
    Change::new(action, TargetKind::Site, "").id(announcement.announcement_id.as_i64())
}

#[cfg(test)]
mod tests {
    use shared::secret::Secret;

    use super::*;
    use crate::app::fixture::Fixture;

    async fn administrator(fixture: &Fixture) -> Caller {
        fixture.app.ensure_admin().await.unwrap();
        fixture.app.operator("admin").await.unwrap()
    }

    #[tokio::test]
    async fn what_administrators_announce_is_told_at_once_and_no_longer_than_they_said() {
        let fixture = Fixture::new().await;
        let admin = administrator(&fixture).await;
        assert!(fixture.app.announcements().await.is_empty());
        let wish = AnnouncementWish {
            text: " Maintenance tonight ".to_owned(),
            hours: Some(2),
            ..AnnouncementWish::default()
        };
        fixture.app.announce(&admin, &wish).await.unwrap();
        let told = fixture.app.announcements().await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].text, "Maintenance tonight");
        fixture.clock.advance(std::time::Duration::from_hours(2));
        assert!(fixture.app.announcements().await.is_empty());
        let kept = fixture.app.list_announcements(&admin).await.unwrap();
        fixture
            .app
            .remove_announcement(&admin, kept[0].announcement_id)
            .await
            .unwrap();
        assert!(fixture.app.list_announcements(&admin).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn nobody_but_administrators_announces_and_an_empty_or_endless_text_is_refused() {
        let fixture = Fixture::new().await;
        let admin = administrator(&fixture).await;
        let password = Secret::new("correct horse battery".to_owned());
        fixture.app.create_account("ada", password).await.unwrap();
        let ada = fixture.app.operator("ada").await.unwrap();
        let wish = |text: &str, hours| AnnouncementWish {
            text: text.to_owned(),
            hours,
            ..AnnouncementWish::default()
        };
        assert!(matches!(
            fixture.app.announce(&ada, &wish("hello", None)).await,
            Err(AppError::Forbidden(_))
        ));
        for (text, hours) in [
            ("  ", None),
            ("x", Some(0)),
            ("x", Some(MAX_HOURS + 1)),
            ("a\nb", None),
        ] {
            assert!(matches!(
                fixture.app.announce(&admin, &wish(text, hours)).await,
                Err(AppError::Invalid(_))
            ));
        }
        for _ in 0..MAX_ANNOUNCEMENTS {
            fixture.app.announce(&admin, &wish("x", None)).await.unwrap();
        }
        assert!(matches!(
            fixture.app.announce(&admin, &wish("x", None)).await,
            Err(AppError::Conflict(_))
        ));
    }
}
