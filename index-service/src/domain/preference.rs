//! What an account chose for pages, wherever it signs in.

use std::str::FromStr;

/// A language of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageLanguage {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

/// A text is no language of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pages are in en or zh-CN; an empty text leaves it to the browser")]
pub struct InvalidPageLanguage;

impl PageLanguage {
    /// Its tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

impl FromStr for PageLanguage {
    type Err = InvalidPageLanguage;

    fn from_str(text: &str) -> Result<Self, InvalidPageLanguage> {
        [Self::English, Self::Chinese]
            .into_iter()
            .find(|language| language.as_str() == text)
            .ok_or(InvalidPageLanguage)
    }
}

/// The colours of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageTheme {
    /// Light ones.
    Light,
    /// Dark ones.
    Dark,
}

/// A text is no theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("pages are light or dark; an empty text leaves it to the system")]
pub struct InvalidPageTheme;

impl PageTheme {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl FromStr for PageTheme {
    type Err = InvalidPageTheme;

    fn from_str(text: &str) -> Result<Self, InvalidPageTheme> {
        [Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.as_str() == text)
            .ok_or(InvalidPageTheme)
    }
}

/// What an account chose; `None` for what it leaves to the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// The language.
    pub language: Option<PageLanguage>,
    /// The colours.
    pub theme: Option<PageTheme>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_choices_are_read_back() {
        for language in [PageLanguage::English, PageLanguage::Chinese] {
            assert_eq!(language.as_str().parse(), Ok(language));
        }
        for theme in [PageTheme::Light, PageTheme::Dark] {
            assert_eq!(theme.as_str().parse(), Ok(theme));
        }
        assert_eq!("de".parse::<PageLanguage>(), Err(InvalidPageLanguage));
        assert_eq!("system".parse::<PageTheme>(), Err(InvalidPageTheme));
    }
}
