//! What every page is given: the reader's language, and how texts, numbers and times are shown in it.

use fluent_bundle::FluentArgs;

use super::asset;
use super::figure::{self, Figure};
use super::language::Language;
use crate::domain::PageTheme;

/// Whoever reads.
#[derive(Debug, Clone)]
pub(in crate::http) struct Reader {
    /// The name of the account.
    pub(in crate::http) username: String,
    /// Whether it administers the site.
    pub(in crate::http) is_admin: bool,
}

/// The colours that were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::http) enum Theme {
    /// Those of the system.
    #[default]
    System,
    /// Light ones.
    Light,
    /// Dark ones.
    Dark,
}

impl Theme {
    /// Its word in cookies and forms.
    pub(in crate::http) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme that an account chose.
    pub(in crate::http) fn of(chosen: PageTheme) -> Self {
        match chosen {
            PageTheme::Light => Self::Light,
            PageTheme::Dark => Self::Dark,
        }
    }

    /// The theme of a word.
    pub(in crate::http) fn find(word: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.word() == word)
    }
}

/// What every page is given.
#[derive(Debug, Clone)]
pub(in crate::http) struct View {
    /// The language.
    pub(in crate::http) language: Language,
    /// The colours.
    pub(in crate::http) theme: Theme,
    /// Whoever is signed in.
    pub(in crate::http) reader: Option<Reader>,
    /// What forms show so that no other site can send them; empty for a browser without a session.
    pub(in crate::http) csrf: String,
    /// What clients log in to.
    pub(in crate::http) host: String,
    /// What the site is called.
    pub(in crate::http) site: String,
    /// The page, with its query: what is come back to.
    pub(in crate::http) path: String,
    /// Now, in milliseconds since 1970.
    pub(in crate::http) now_ms: i64,
    /// The key of what was just done, which the page says once.
    pub(in crate::http) done: Option<String>,
    /// What administrators tell everybody: whether it warns, and its text.
    pub(in crate::http) announced: Vec<(bool, String)>,
    /// How much the reader was told and has not read.
    pub(in crate::http) unread: i64,
    /// What stands in the search box of the page's head.
    pub(in crate::http) sought: String,
}

impl View {
    /// The text of a key.
    pub(in crate::http) fn t(&self, key: &str) -> String {
        self.language.text(key, None)
    }

    /// The text of a key with a number, `{$n}`.
    pub(in crate::http) fn tn(&self, key: &str, n: impl Figure) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("n", n.figure());
        self.language.text(key, Some(&arguments))
    }

    /// The text of a key with named values.
    pub(in crate::http) fn ta<V: AsRef<str>>(&self, key: &str, values: &[(&str, V)]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, value) in values {
            arguments.set((*name).to_owned(), value.as_ref().to_owned());
        }
        self.language.text(key, Some(&arguments))
    }

    /// The text of a key with a number, `{$n}`, and named values.
    pub(in crate::http) fn tna<V: AsRef<str>>(
        &self,
        key: &str,
        n: impl Figure,
        values: &[(&str, V)],
    ) -> String {
        let mut arguments = FluentArgs::new();
        arguments.set("n", n.figure());
        for (name, value) in values {
            arguments.set((*name).to_owned(), value.as_ref().to_owned());
        }
        self.language.text(key, Some(&arguments))
    }

    /// Bytes.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn size(&self, bytes: impl Figure) -> String {
        figure::size(bytes.figure())
    }

    /// A number.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn number(&self, n: impl Figure) -> String {
        figure::grouped(n.figure())
    }

    /// A number in little space.
    pub(in crate::http) fn short(&self, n: impl Figure) -> String {
        figure::short(n.figure(), self.language)
    }

    /// How much of the whole a part is, in percent, 0 to 100.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn percent(&self, part: impl Figure, whole: impl Figure) -> i64 {
        let (part, whole) = (i128::from(part.figure()), i128::from(whole.figure()));
        if whole <= 0 {
            return 0;
        }
        i64::try_from((part * 100 / whole).clamp(0, 100)).unwrap_or(0)
    }

    /// A day.
    pub(in crate::http) fn date(&self, ms: impl Figure) -> String {
        figure::date(ms.figure(), self.language)
    }

    /// The month of a time.
    pub(in crate::http) fn month(&self, ms: impl Figure) -> String {
        figure::month(ms.figure(), self.language)
    }

    /// A time to the second.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn exact(&self, ms: impl Figure) -> String {
        figure::exact(ms.figure())
    }

    /// A time as machines read it.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn machine(&self, ms: impl Figure) -> String {
        figure::machine(ms.figure())
    }

    /// How long ago a time is, or in how long it comes.
    pub(in crate::http) fn ago(&self, ms: impl Figure) -> String {
        let apart = self.now_ms.saturating_sub(ms.figure());
        let (unit, n) = figure::distance(apart);
        let way = if apart < 0 { "in" } else { "ago" };
        self.tn(&format!("base-{way}-{unit}"), n)
    }

    /// A digest by its first twelve digits.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn short_digest<'a>(&self, digest: &'a str) -> &'a str {
        let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
        hex.get(..12).unwrap_or(hex)
    }

    /// Whether the reader is signed in.
    pub(in crate::http) fn is_signed_in(&self) -> bool {
        self.reader.is_some()
    }

    /// How much the reader has not read, in little space.
    pub(in crate::http) fn unread_count(&self) -> String {
        if self.unread > 99 {
            return "99+".to_owned();
        }
        self.unread.to_string()
    }

    /// Whether the reader administers the site.
    pub(in crate::http) fn is_admin(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.is_admin)
    }

    /// The name of whoever is signed in; empty for nobody.
    pub(in crate::http) fn username(&self) -> &str {
        self.reader.as_ref().map_or("", |reader| reader.username.as_str())
    }

    /// The name of whoever is signed in, or a word in its place, for commands to copy.
    pub(in crate::http) fn you(&self) -> &str {
        self.reader
            .as_ref()
            .map_or("USER", |reader| reader.username.as_str())
    }

    /// The path without its query.
    pub(in crate::http) fn place(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Whether the page is at this path or below.
    pub(in crate::http) fn is_at(&self, path: &str) -> bool {
        let rest = self.place().strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The first letter of the reader's name.
    pub(in crate::http) fn initial(&self) -> String {
        let first = self.username().chars().next();
        first
            .map(|letter| letter.to_uppercase().to_string())
            .unwrap_or_default()
    }

    /// Whether somebody named the site.
    pub(in crate::http) fn is_named(&self) -> bool {
        self.site != crate::domain::Site::NAME
    }

    /// The page, as an address names where to go on.
    pub(in crate::http) fn next(&self) -> String {
        // Whoever is at the door already goes on where that leads.
        let path = if self.is_at("/sign-in") || self.is_at("/sign-up") {
            "/"
        } else {
            &self.path
        };
        form_urlencoded::byte_serialize(path.as_bytes()).collect()
    }

    /// A visibility in words.
    pub(in crate::http) fn visibility(&self, word: &str) -> String {
        self.t(match word {
            "public" => "base-public",
            "internal" => "base-internal",
            _ => "base-private",
        })
    }

    /// Whether these colours were chosen.
    pub(in crate::http) fn has_theme(&self, word: &str) -> bool {
        self.theme.word() == word
    }

    /// The name of colours.
    pub(in crate::http) fn theme_name(&self, word: &str) -> String {
        self.t(match word {
            "light" => "base-theme-light",
            "dark" => "base-theme-dark",
            _ => "base-theme-system",
        })
    }

    /// The command that logs in.
    pub(in crate::http) fn command_login(&self) -> String {
        match &self.reader {
            Some(reader) => format!("docker login -u {} {}", reader.username, self.host),
            None => format!("docker login {}", self.host),
        }
    }

    /// The command that names an image for a push.
    pub(in crate::http) fn command_tag(&self) -> String {
        format!("docker tag IMAGE {}/{}/IMAGE", self.host, self.you())
    }

    /// The command that pushes it.
    pub(in crate::http) fn command_push(&self) -> String {
        format!("docker push {}/{}/IMAGE", self.host, self.you())
    }

    /// The command that pulls it.
    pub(in crate::http) fn command_pull(&self) -> String {
        format!("docker pull {}/{}/IMAGE", self.host, self.you())
    }

    /// The command that searches here.
    pub(in crate::http) fn command_search(&self) -> String {
        format!("docker search {}/WORD", self.host)
    }

    /// The page in the other language.
    pub(in crate::http) fn is_chinese(&self) -> bool {
        self.language == Language::Chinese
    }

    /// The address of the style.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn style_address(&self) -> &'static str {
        asset::style_address()
    }

    /// The address of the script.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn script_address(&self) -> &'static str {
        asset::script_address()
    }

    /// Where a segment of an address needs it, percent-encoded; slashes stay.
    #[expect(
        clippy::unused_self,
        reason = "templates reach what there is through the view"
    )]
    pub(in crate::http) fn in_path(&self, text: &str) -> String {
        super::in_path(text)
    }
}

#[cfg(test)]
pub(in crate::http) mod testing {
    use super::{Language, Theme, View};

    /// A view in English, for nobody known, at the beginning of 1970.
    pub(in crate::http) fn view() -> View {
        View {
            language: Language::English,
            theme: Theme::default(),
            reader: None,
            csrf: String::new(),
            host: "localhost:5000".to_owned(),
            path: "/".to_owned(),
            now_ms: 0,
            done: None,
            announced: Vec::new(),
            sought: String::new(),
            site: crate::domain::Site::NAME.to_owned(),
            unread: 0,
        }
    }
}
