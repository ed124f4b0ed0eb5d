//! Repositories and tags as Docker Hub shows them.

use serde_json::{Value, json};
use shared::oci::RepositoryName;

use super::error::HubError;
use crate::app::AppError;
use crate::app::audit::rfc3339;
use crate::app::hub::shown::TagImage;
use crate::app::hub::{HubRepository, HubTag};
use crate::domain::{NamespaceName, RepositoryId, Right, Visibility};

/// The name of a repository out of its two halves; a slash in the second is written as `%2F`.
pub(super) fn repository_name(namespace: &str, repository: &str) -> Result<RepositoryName, HubError> {
    let text = format!("{namespace}/{repository}");
    // A name that can be none is one that no repository has.
    text.parse()
        .map_err(|_| AppError::NotFound(format!("there is no repository {text}")).into())
}

/// A name that can be none is one that no namespace has.
pub(super) fn namespace_name(text: &str) -> Result<NamespaceName, HubError> {
    text.parse()
        .map_err(|_| AppError::NotFound(format!("there is no namespace {text}")).into())
}

/// The halves of a name; those of one segment belong to `library`.
fn halves(name: &RepositoryName) -> (&str, &str) {
    name.as_str()
        .split_once('/')
        .unwrap_or((shared::oci::name::LIBRARY, name.as_str()))
}

/// A repository of a list.
pub(super) fn listed(repository: &HubRepository) -> Value {
    let HubRepository {
        facts,
        details,
        rights,
        ..
    } = repository;
    let (namespace, name) = halves(&facts.name);
    let updated = rfc3339(details.last_updated());
    json!({
        "id": facts.repository_id.as_i64(),
        "name": name,
        "namespace": namespace,
        "user": namespace,
        "repository_type": "image",
        "status": 1,
        "status_description": "active",
        "description": details.summary,
        "is_private": facts.visibility != Visibility::Public,
        "is_automated": false,
        "is_migrated": false,
        "can_edit": rights.contains(Right::Manage),
        "star_count": details.star_count,
        "pull_count": details.pull_count,
        "collaborator_count": 0,
        "last_updated": updated,
        "last_modified": updated,
        "date_registered": rfc3339(details.created_at),
        "affiliation": "",
        "hub_user": namespace,
        "media_types": [],
        "content_types": ["image"],
        "categories": [],
        "is_official": repository.is_official,
    })
}

/// A repository at length.
pub(super) fn repository(repository: &HubRepository) -> Value {
    let mut shown = listed(repository);
    let rights = repository.rights;
    // As it was written, byte for byte: clients compare.
    shown["full_description"] = repository.details.description.clone().into();
    shown["has_starred"] = repository.has_star.into();
    shown["permissions"] = json!({
        "read": rights.contains(Right::Pull),
        "write": rights.contains(Right::Push),
        "admin": rights.contains(Right::Administer),
    });
    shown["source"] = Value::Null;
    shown
}

/// A tag. Numbers of people are not told; clients want one all the same.
pub(super) fn tag(repository_id: RepositoryId, tag: &HubTag) -> Value {
    let HubTag { tag, images } = tag;
    let pusher = tag.last_pushed_by.as_deref().unwrap_or_default();
    let updated = rfc3339(tag.updated_at);
    json!({
        "id": number_of(repository_id, &tag.name),
        "name": tag.name,
        "repository": repository_id.as_i64(),
        "digest": tag.digest,
        "media_type": tag.media_type.as_deref().unwrap_or_default(),
        "content_type": "image",
        "full_size": tag.content_size.or(tag.children_size).unwrap_or_default(),
        "last_updated": updated,
        "creator": 0,
        "last_updater": 0,
        "last_updater_username": pusher,
        "image_id": Value::Null,
        "v2": true,
        "tag_status": "active",
        "tag_last_pushed": tag.last_pushed_at.map_or(updated.clone(), rfc3339),
        "tag_last_pulled": tag.last_pulled_at.map(rfc3339),
        "images": images.iter().map(|image| self::image(image, &updated)).collect::<Vec<_>>(),
    })
}

/// An image of a tag.
pub(super) fn image(image: &TagImage, updated: &str) -> Value {
    let mut platform = image.platform.as_deref().unwrap_or("unknown/unknown").split('/');
    let (os, architecture) = (platform.next(), platform.next());
    json!({
        "architecture": architecture.unwrap_or("unknown"),
        "features": "",
        "variant": platform.next(),
        "digest": image.digest,
        "os": os.unwrap_or("unknown"),
        "os_features": "",
        "os_version": Value::Null,
        "size": image.size,
        "status": "active",
        "last_pulled": image.last_pulled_at.map(rfc3339),
        "last_pushed": image.last_pushed_at.map_or(updated.to_owned(), rfc3339),
    })
}

/// A number for a tag, which has none with us: the same for the same name, as long as its repository lives.
fn number_of(repository_id: RepositoryId, name: &str) -> i64 {
    // FNV-1a; clients take it for a key, and few numbers are enough for the tags of one repository.
    let bytes = repository_id.as_i64().to_be_bytes();
    let hash = bytes
        .iter()
        .chain(name.as_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    // Below 2^53, which is as far as numbers of JavaScript are exact.
    (hash >> 11).cast_signed()
}
