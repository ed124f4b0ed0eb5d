//! The languages of pages: which one a reader has, and the texts, which stand in `locales/LANGUAGE/AREA.ftl` alone.

use std::fmt::Write as _;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use super::figure::grouped;
use crate::domain::PageLanguage;

/// A language that pages speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::http) enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

/// Texts of an area in both languages.
macro_rules! areas {
    ($($area:literal),+ $(,)?) => {
        /// Every area with its texts in English and in Chinese.
        pub(super) const AREAS: &[(&str, &str, &str)] = &[$((
            $area,
            include_str!(concat!("../../../locales/en/", $area, ".ftl")),
            include_str!(concat!("../../../locales/zh-CN/", $area, ".ftl")),
        )),+];
    };
}

// In the order of the alphabet: one line for each area.
areas! {
    "account",
    "admin",
    "base",
    "comment",
    "compare",
    "entry",
    "explain",
    "help",
    "home",
    "namespace",
    "notice",
    "organisation",
    "reference",
    "refusal",
    "repository",
    "search",
    "settings",
    "tag",
    "welcome",
}

// Read when the first page in this language is: a few milliseconds, and 900 KiB that a server without readers saves.
static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::English));
static CHINESE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::Chinese));

impl Language {
    /// Every language.
    #[cfg(test)]
    pub(in crate::http) const EVERY: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag, as HTML and cookies name it.
    pub(in crate::http) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a tag, whatever the region: `zh-Hans` and `zh_TW` are Chinese.
    pub(in crate::http) fn find(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::English),
            "zh" => Some(Self::Chinese),
            _ => None,
        }
    }

    /// What comes first among the languages that the reader accepts (RFC 9110, section 12.5.4): by weight, and among
    /// equals by place.
    pub(in crate::http) fn accepted(header: &str) -> Option<Self> {
        let mut best = (0.0_f32, None);
        for range in header.split(',') {
            let mut parts = range.trim().split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let weight = parts
                .find_map(|part| part.trim().strip_prefix("q="))
                .map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
            if let Some(language) = Self::find(tag).filter(|_| weight > best.0) {
                best = (weight, Some(language));
            }
        }
        best.1
    }

    /// The language that an account chose.
    pub(in crate::http) fn of(chosen: PageLanguage) -> Self {
        match chosen {
            PageLanguage::English => Self::English,
            PageLanguage::Chinese => Self::Chinese,
        }
    }

    fn bundle(self) -> &'static FluentBundle<FluentResource> {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }

    /// Whether there is a text of this key.
    pub(in crate::http) fn has(self, key: &str) -> bool {
        self.bundle().has_message(key)
    }

    /// The text of a key; the key itself where there is none.
    pub(in crate::http) fn text(self, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
        let bundle = self.bundle();
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::warn!(key, "a page has no text of this key");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        bundle
            .format_pattern(pattern, arguments, &mut errors)
            .into_owned()
    }
}

/// The texts of a language. What does not parse is left out here, and found by the tests below.
fn bundle(language: Language) -> FluentBundle<FluentResource> {
    let identifier: LanguageIdentifier = language.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    // Isolating marks would be copied along with commands and names.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, _| match value {
        FluentValue::Number(number) if number.value.fract() == 0.0 => {
            // Counts and sizes, which are exact up to 2^53.
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number that came from an i64"
            )]
            let whole = number.value as i64;
            Some(grouped(whole))
        }
        _ => None,
    }));
    for (area, english, chinese) in AREAS {
        let text = match language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(partial, errors)| {
            tracing::error!(area, ?errors, "texts of pages do not parse");
            partial
        });
        if let Err(errors) = bundle.add_resource(resource) {
            let mut said = String::new();
            for error in errors {
                // Writing to a string cannot fail.
                let _ = write!(said, "{error}; ");
            }
            tracing::error!(area, said, "texts of pages stand there twice");
        }
    }
    bundle
}

#[cfg(test)]
mod tests;
