//! What a webhook is told, whatever the form.

use serde::{Deserialize, Serialize};

use super::EventKind;

/// What happened: kept with the delivery, and the same for every form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// In which namespace.
    pub namespace: String,
    /// The repository, by its name then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The same by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<i64>,
    /// Who did it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The tag that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The manifest that it is about, or that the tag points to since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the tag pointed to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_before: Option<String>,
    /// The manifest's media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The repository's name before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_before: Option<String>,
    /// Who may pull since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<String>,
    /// Who could pull before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility_before: Option<String>,
    /// What somebody wrote, or what is to be said besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is known of the repository when it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// In one line.
    pub summary: String,
    /// At length.
    pub description: String,
    /// Stars.
    pub star_count: i64,
    /// Whether not everybody may pull.
    pub is_private: bool,
    /// Whether it is the site's own.
    pub is_official: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

/// A platform that the pushed manifest has an image for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// The image's manifest.
    pub digest: String,
    /// `os/architecture/variant`, where it is known.
    pub platform: Option<String>,
    /// The manifest's size in bytes.
    pub size: i64,
}

/// Everything that a message is made of.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The message's id, the same however often it is sent.
    pub id: &'a str,
    /// What happened.
    pub kind: EventKind,
    /// What happened, in detail.
    pub facts: &'a Facts,
    /// What is known of the repository now; none of one that is gone, or for a namespace.
    pub about: Option<&'a About>,
    /// What the pushed manifest has images for, as far as it was read.
    pub platforms: &'a [Platform],
    /// The URL under which clients reach the front door, without a slash at its end.
    pub public_url: &'a str,
}

impl Told<'_> {
    /// Host and port of the front door: what stands before the repository's name in a reference.
    pub(super) fn host(&self) -> &str {
        self.public_url
            .split_once("://")
            .map_or(self.public_url, |(_, host)| host)
    }

    /// Where people find the repository.
    pub(super) fn page(&self) -> Option<String> {
        let repository = self.facts.repository.as_deref()?;
        Some(format!("{}/r/{repository}", self.public_url))
    }

    /// What `docker pull` takes.
    pub(super) fn image(&self) -> Option<String> {
        let repository = self.facts.repository.as_deref()?;
        let host = self.host();
        Some(match (&self.facts.tag, &self.facts.digest) {
            (Some(tag), _) => format!("{host}/{repository}:{tag}"),
            (None, Some(digest)) => format!("{host}/{repository}@{digest}"),
            (None, None) => format!("{host}/{repository}"),
        })
    }
}
