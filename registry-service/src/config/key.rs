//! One key of `config.yml`: how it is written, what it says when it is not, and what this version makes of it.
//!
//! Each section's file has a table of its keys. The tables are what is checked, what the variables are laid over by,
//! and what the reference in `docs/configuration.md` is made from: a new key is one line.

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its full path; `*` stands for any key of a map, `[]` for any item of a list.
    pub path: &'static str,
    /// What may stand there.
    pub kind: Kind,
    /// What holds when nothing stands there; in round brackets what cannot be written, empty for nothing.
    pub default: &'static str,
    /// What it says, for the reference.
    pub says: &'static str,
    /// What this version makes of it.
    pub standing: Standing,
}

/// What may stand at a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text; numbers and switches as they are written.
    Text,
    /// A text that is never shown.
    Secret,
    /// `true` or `false`; also in quotes.
    Switch,
    /// A whole number, perhaps below zero; also in quotes.
    Integer,
    /// A whole number from zero; also in quotes.
    Count,
    /// Go's duration, or nanoseconds as a number.
    Duration,
    /// Go's duration as a text alone.
    DurationText,
    /// Bytes, such as `10GiB`.
    Size,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A map from header names to lists of texts.
    Headers,
    /// The same, their values never shown.
    SecretHeaders,
    /// A map, or nothing: its keys have lines of their own.
    Section,
    /// The same as one of Go's maps: a variable may make any key in it.
    Map,
    /// Anything.
    Any,
    /// Anything, never shown.
    AnySecret,
}

impl Kind {
    /// Whether its value is never shown.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::AnySecret | Self::SecretHeaders)
    }

    /// Whether its keys have lines of their own.
    pub const fn is_map(self) -> bool {
        matches!(self, Self::Section | Self::Map)
    }
}

/// What this version makes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// What it says.
    Acts,
    /// It is read and needs no effect: nobody misses it.
    Quiet,
    /// It is checked, has no effect, and the start says so.
    NotYet,
    /// The start is refused when it is there: ignoring it would be wrong.
    Stops,
}

/// A key that acts.
pub const fn key(path: &'static str, kind: Kind, default: &'static str, says: &'static str) -> Key {
    let standing = Standing::Acts;
    Key {
        path,
        kind,
        default,
        says,
        standing,
    }
}

impl Key {
    /// Read, and without effect.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.standing = Standing::Quiet;
        self
    }

    /// Checked, and named at the start as without effect.
    #[must_use]
    pub const fn not_yet(mut self) -> Self {
        self.standing = Standing::NotYet;
        self
    }

    /// Refused.
    #[must_use]
    pub const fn stops(mut self) -> Self {
        self.standing = Standing::Stops;
        self
    }

    /// The default as it would be written; `None` for one that cannot be.
    pub fn written_default(&self) -> Option<&'static str> {
        (!self.default.is_empty() && !self.default.starts_with('(')).then_some(self.default)
    }
}
