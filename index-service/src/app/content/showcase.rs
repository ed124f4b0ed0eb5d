//! Which image stands for a repository, and what it says about it.

use crate::app::error::AppError;
use crate::domain::content::Role;
use crate::domain::{RepositoryId, Showcase};
use crate::store::{Tx, manifest, showcase, tag};

/// The tag that stands for a repository where there is one; otherwise the one that moved last.
const LATEST: &str = "latest";

/// Brings what is shown of a repository in line with its tags and what was read of their manifests.
pub(super) async fn refresh_showcase(tx: &mut Tx, id: RepositoryId) -> Result<(), AppError> {
    let pointer = match tag::find_pointer(tx, id, LATEST).await? {
        Some(pointer) => Some(pointer),
        None => showcase::find_newest_tag(tx, id).await?,
    };
    let Some(pointer) = pointer else {
        return Ok(showcase::put_showcase(tx, id, None).await?);
    };
    let Some(mut known) = manifest::find_manifest(tx, id, &pointer.digest).await? else {
        return Ok(());
    };
    if !known.is_read {
        // It is read soon; until then what was shown stays.
        return Ok(());
    }
    known.description.parts = manifest::list_parts(tx, id, &known.digest).await?;
    let mut parts = known.description.parts.iter();
    let first = parts.find(|part| part.role == Role::Manifest);
    let image = match first {
        Some(part) => manifest::find_manifest(tx, id, &part.digest).await?,
        None => None,
    };
    let image = image.map(|image| image.description);
    let shown = Showcase::new(&pointer.name, &known.description, image.as_ref());
    Ok(showcase::put_showcase(tx, id, Some(&shown)).await?)
}
