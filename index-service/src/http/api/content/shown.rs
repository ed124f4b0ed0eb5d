//! Content as the API shows it.

use serde::Serialize;
use serde_json::Value;
use time::{Date, Duration, Month};
use utoipa::ToSchema;

use crate::app::content::shown::{Counts, KnownManifest};
use crate::app::content::{Attachment, Differences, ManifestNode, TagPageItem};
use crate::domain::content::{Part, Role};
use crate::http::api::instant::Instant;

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tag {
    /// Its name.
    pub(super) name: String,
    /// The manifest that it points to.
    pub(super) digest: String,
    /// Since when.
    pub(super) updated_at: Instant,
    /// The manifest's media type, once it is known.
    pub(super) media_type: Option<String>,
    /// Of an image: `os/architecture` or `os/architecture/variant`.
    pub(super) platform: Option<String>,
    /// Bytes of an image with its layers; of an index, those of its images together.
    pub(super) size: Option<i64>,
    /// Requests for manifests by this tag.
    pub(super) pull_count: i64,
    /// Pushes of this tag.
    pub(super) push_count: i64,
    /// The last of each.
    pub(super) last_pulled_at: Option<Instant>,
    pub(super) last_pushed_at: Option<Instant>,
    /// Who pushed it last.
    pub(super) last_pushed_by: Option<String>,
}

/// A tag with its manifest.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TagDetail {
    /// The tag.
    pub(super) tag: Tag,
    /// Its manifest, and what that leads to; absent until the index has heard of it.
    pub(super) manifest: Option<Manifest>,
}

/// A manifest: an image, an index of images, or an artifact.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Manifest {
    /// Its digest.
    pub(super) digest: String,
    /// Its media type.
    pub(super) media_type: String,
    /// Its own size in bytes.
    pub(super) size: i64,
    /// The same with its configuration and layers; absent of an index.
    pub(super) content_size: Option<i64>,
    /// What an artifact calls itself.
    pub(super) artifact_type: Option<String>,
    /// The manifest that it refers to.
    pub(super) subject: Option<String>,
    /// Of an image: `os/architecture` or `os/architecture/variant`.
    pub(super) platform: Option<String>,
    /// What the configuration of an image says: `entrypoint`, `cmd`, `env_names`, `labels` and so on.
    #[schema(value_type = Option<Object>)]
    pub(super) config: Option<Value>,
    /// Its annotations.
    #[schema(value_type = Option<Object>)]
    pub(super) annotations: Option<Value>,
    /// Whether the index has read it; until then there is no more than digest, media type and size.
    pub(super) is_read: bool,
    /// Its layers in their order.
    pub(super) layers: Vec<Layer>,
    /// Of an index: its manifests, whether the repository has them or not.
    pub(super) references: Vec<Reference>,
    /// Of an index: its manifests, as far as the repository has them.
    #[schema(no_recursion)]
    pub(super) manifests: Vec<Manifest>,
    /// Signatures, bills of material and the like that refer to it.
    pub(super) referrers: Vec<Referrer>,
    /// Requests for it by its digest or by a tag.
    pub(super) pull_count: i64,
    /// The last of them.
    pub(super) last_pulled_at: Option<Instant>,
    pub(super) last_pushed_at: Option<Instant>,
    /// Who pushed it last.
    pub(super) last_pushed_by: Option<String>,
}

/// A layer of an image, or a blob of an artifact.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Layer {
    /// Its digest.
    pub(super) digest: String,
    /// Its media type.
    pub(super) media_type: String,
    /// Its size in bytes.
    pub(super) size: i64,
    /// What made it, as the configuration tells.
    pub(super) command: Option<String>,
}

/// A manifest of an index.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reference {
    /// Its digest.
    pub(super) digest: String,
    /// Its media type.
    pub(super) media_type: String,
    /// Its own size in bytes.
    pub(super) size: i64,
    /// For which platform.
    pub(super) platform: Option<String>,
}

/// A manifest that refers to another, or that a tag is named after which points to it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Referrer {
    /// Its digest.
    pub(super) digest: String,
    /// `signature`, `attestation`, `sbom` or `other`.
    pub(super) kind: &'static str,
    /// The tag that is named after the manifest, as cosign names them; absent of what refers to it.
    pub(super) tag: Option<String>,
    /// What it calls itself.
    pub(super) artifact_type: Option<String>,
    /// Its own size in bytes.
    pub(super) size: i64,
    /// Its annotations.
    #[schema(value_type = Option<Object>)]
    pub(super) annotations: Option<Value>,
}

/// A change of a tag.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TagChange {
    /// What it pointed to; absent for a new tag, or where that is not known.
    pub(super) digest_before: Option<String>,
    /// What it points to since; absent where it was deleted.
    pub(super) digest_after: Option<String>,
    /// When.
    pub(super) changed_at: Instant,
    /// Who did it.
    pub(super) changed_by: Option<String>,
    /// With what kind of client.
    pub(super) client: Option<String>,
}

/// What deleting a tag would free.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TagDeletion {
    /// Bytes that the repository would hold less: what nothing else in it needs.
    pub(super) bytes: i64,
    /// Of these, bytes that no other repository holds.
    pub(super) storage_bytes: i64,
    /// Manifests to which nothing else leads.
    pub(super) manifests: Vec<String>,
}

/// How much there is, each blob once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Size {
    /// Bytes of blobs and manifests.
    pub(super) bytes: i64,
    /// How many they are.
    pub(super) blobs: i64,
}

/// Pulls and pushes of the last days.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RepositoryActivity {
    /// Pulls since the beginning: of images, each once, whether through an index or not.
    pub(super) pull_count: i64,
    /// Pushes of tags since the beginning.
    pub(super) push_count: i64,
    /// The last of each.
    pub(super) last_pulled_at: Option<Instant>,
    pub(super) last_pushed_at: Option<Instant>,
    /// Days on which there was something.
    pub(super) days: Vec<ActivityDay>,
    /// Whether there was more than is listed.
    pub(super) is_cut: bool,
}

/// Pulls and pushes of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActivityDay {
    /// The day (UTC), as `2027-01-15`.
    pub(super) day: String,
    /// The tag, digest, platform or client; empty for the repository as a whole.
    pub(super) value: String,
    /// Pulls.
    pub(super) pull_count: i64,
    /// Pushes.
    pub(super) push_count: i64,
}

/// What differed between the registry and what the index knew.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Comparison {
    /// Whether it is done; otherwise it will be, in the background.
    pub(super) is_done: bool,
    /// Tags and manifests that were compared.
    pub(super) compared: u64,
    /// How many differed; all of them are repaired now, unless that was not wished for.
    pub(super) differences: u64,
    pub(super) tags_missing: u64,
    pub(super) tags_moved: u64,
    pub(super) tags_gone: u64,
    pub(super) manifests_missing: u64,
    pub(super) manifests_different: u64,
    pub(super) manifests_gone: u64,
    /// The first of them, in words.
    pub(super) examples: Vec<String>,
}

/// Repositories that will be read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Queued {
    /// How many.
    pub(super) repositories: u64,
}

pub(super) fn show_known_tag(tag: TagPageItem) -> Tag {
    Tag {
        name: tag.name,
        digest: tag.digest,
        updated_at: Instant(tag.updated_at),
        media_type: tag.media_type,
        platform: tag.platform,
        size: tag.content_size.or(tag.children_size),
        pull_count: tag.pull_count.unwrap_or_default(),
        push_count: tag.push_count.unwrap_or_default(),
        last_pulled_at: tag.last_pulled_at.map(Instant),
        last_pushed_at: tag.last_pushed_at.map(Instant),
        last_pushed_by: tag.last_pushed_by,
    }
}

pub(super) fn show_node(node: ManifestNode) -> Manifest {
    let referrers = node.attachments().map(show_attachment).collect();
    let KnownManifest {
        digest,
        description,
        is_read,
    } = node.manifest;
    let last_pushed_by = node.total.as_ref().and_then(|total| total.last_pushed_by.clone());
    let counts = counts(node.total);
    let (mut layers, mut references) = (Vec::new(), Vec::new());
    for part in description.parts {
        let Part {
            role,
            digest,
            media_type,
            size,
            platform,
            command,
        } = part;
        match role {
            Role::Config => {}
            Role::Layer => layers.push(Layer {
                digest,
                media_type,
                size,
                command,
            }),
            Role::Manifest => references.push(Reference {
                digest,
                media_type,
                size,
                platform,
            }),
        }
    }
    Manifest {
        digest,
        media_type: description.media_type,
        size: description.size,
        content_size: description.content_size,
        artifact_type: description.artifact_type,
        subject: description.subject,
        platform: description.platform,
        config: json(description.config.as_deref()),
        annotations: json(description.annotations.as_deref()),
        is_read,
        layers,
        references,
        manifests: node.children.into_iter().map(show_node).collect(),
        referrers,
        pull_count: counts.0,
        last_pulled_at: counts.2,
        last_pushed_at: counts.3,
        last_pushed_by,
    }
}

fn show_attachment(attachment: Attachment<'_>) -> Referrer {
    let said = &attachment.manifest.description;
    Referrer {
        digest: attachment.manifest.digest.clone(),
        kind: attachment.kind.as_str(),
        tag: attachment.tag.map(str::to_owned),
        artifact_type: said.artifact_type.clone(),
        size: said.size,
        annotations: json(said.annotations.as_deref()),
    }
}

pub(super) fn show_differences(found: Differences, is_done: bool) -> Comparison {
    Comparison {
        is_done,
        compared: found.compared,
        differences: found.count(),
        tags_missing: found.tags_missing,
        tags_moved: found.tags_moved,
        tags_gone: found.tags_gone,
        manifests_missing: found.manifests_missing,
        manifests_different: found.manifests_different,
        manifests_gone: found.manifests_gone,
        examples: found.examples,
    }
}

/// Pulls, pushes, and the last of each.
pub(super) fn counts(total: Option<Counts>) -> (i64, i64, Option<Instant>, Option<Instant>) {
    total.map_or((0, 0, None, None), |total| {
        let (pulled, pushed) = (total.last_pulled_at, total.last_pushed_at);
        (
            total.pull_count,
            total.push_count,
            pulled.map(Instant),
            pushed.map(Instant),
        )
    })
}

/// What is kept as JSON.
fn json(text: Option<&str>) -> Option<Value> {
    text.and_then(|text| serde_json::from_str(text).ok())
}

/// `2027-01-15`
pub(super) fn date(day: i64) -> String {
    let first = Date::from_calendar_date(1970, Month::January, 1).ok();
    let date = first.and_then(|first| first.checked_add(Duration::days(day)));
    date.map(|date| {
        format!(
            "{:04}-{:02}-{:02}",
            date.year(),
            u8::from(date.month()),
            date.day()
        )
    })
    .unwrap_or_default()
}
