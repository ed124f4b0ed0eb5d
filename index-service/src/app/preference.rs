//! The language and the colours of pages that an account chose.

use super::App;
use super::caller::Caller;
use super::error::AppError;
use crate::domain::preference::{InvalidPageLanguage, InvalidPageTheme};
use crate::domain::{AccountId, PageLanguage, PageTheme};
use crate::store::{StoreError, Tx, profile};

/// What becomes of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewChoice<T> {
    /// It stays.
    #[default]
    Same,
    /// It is left to the browser.
    Browsers,
    /// This is chosen.
    Is(T),
}

impl<T: Copy> NewChoice<T> {
    fn is_other(self) -> bool {
        !matches!(self, Self::Same)
    }

    fn chosen(self) -> Option<T> {
        match self {
            Self::Same | Self::Browsers => None,
            Self::Is(chosen) => Some(chosen),
        }
    }
}

/// What is to change about the choices of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PreferenceChange {
    /// The language.
    pub language: NewChoice<PageLanguage>,
    /// The colours.
    pub theme: NewChoice<PageTheme>,
}

impl PreferenceChange {
    /// A change in words: an empty one leaves the choice to the browser, and so does `system`.
    pub fn read(language: Option<&str>, theme: Option<&str>) -> Result<Self, AppError> {
        let language: NewChoice<PageLanguage> = match language {
            None => NewChoice::Same,
            Some("") => NewChoice::Browsers,
            Some(word) => NewChoice::Is(word.parse()?),
        };
        let theme: NewChoice<PageTheme> = match theme {
            None => NewChoice::Same,
            Some("" | "system") => NewChoice::Browsers,
            Some(word) => NewChoice::Is(word.parse()?),
        };
        Ok(Self { language, theme })
    }

    /// The names of what changes.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let language = self.language.is_other().then_some("language");
        let theme = self.theme.is_other().then_some("theme");
        language.into_iter().chain(theme)
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
        if change.language.is_other() {
            profile::set_language(tx, account_id, change.language.chosen(), now).await?;
        }
        if change.theme.is_other() {
            profile::set_theme(tx, account_id, change.theme.chosen(), now).await?;
        }
        Ok(())
    }
}
