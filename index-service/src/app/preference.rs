//! The language and the colours of pages that an account chose.

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::preference::{InvalidPageLanguage, InvalidPageTheme};
use crate::domain::{AccountId, PageLanguage, PageTheme};
use crate::store::{StoreError, Tx, profile};

/// What is to change about the choices of an account; the outer `None` stays, the inner one leaves it to the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PreferenceChange {
    /// The language.
    pub language: Option<Option<PageLanguage>>,
    /// The colours.
    pub theme: Option<Option<PageTheme>>,
}

impl PreferenceChange {
    /// A change in words: an empty one leaves the choice to the browser, and so does `system`.
    pub fn read(language: Option<&str>, theme: Option<&str>) -> Result<Self, AppError> {
        let language = match language {
            None => None,
            Some("") => Some(None),
            Some(word) => Some(Some(word.parse()?)),
        };
        let theme = match theme {
            None => None,
            Some("" | "system") => Some(None),
            Some(word) => Some(Some(word.parse()?)),
        };
        Ok(Self { language, theme })
    }

    /// The names of what changes.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let language = self.language.map(|_| "language");
        language.into_iter().chain(self.theme.map(|_| "theme"))
    }
}

impl From<InvalidPageLanguage> for AppError {
    fn from(error: InvalidPageLanguage) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<InvalidPageTheme> for AppError {
    fn from(error: InvalidPageTheme) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl App {
    /// Keeps what whoever asks chose for pages. It is nobody else's business, and no event of the log.
    pub async fn keep_preferences(&self, caller: &Caller, change: PreferenceChange) -> Result<(), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        self.put_preferences(&mut tx, account_id, change).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn put_preferences(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        change: PreferenceChange,
    ) -> Result<(), StoreError> {
        let now = self.clock.now_ms();
        if let Some(language) = change.language {
            profile::set_language(tx, account_id, language, now).await?;
        }
        if let Some(theme) = change.theme {
            profile::set_theme(tx, account_id, theme, now).await?;
        }
        Ok(())
    }
}
