//! Two images of a repository beside each other.

use super::view::{manifest_of, node};
use super::{ManifestNode, no_tag};
use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::domain::RepositoryId;
use crate::domain::comparison::Comparison;
use crate::domain::content::Description;
use crate::store::Tx;
use crate::store::tag;

/// Two images beside each other.
#[derive(Debug)]
pub struct Compared {
    /// Platforms that both have; empty when one of them is no index and there is nothing to choose.
    pub platforms: Vec<String>,
    /// The one that is compared.
    pub platform: Option<String>,
    /// Digests of the two images.
    pub digests: (String, String),
    /// Their bytes with all that they consist of.
    pub sizes: (Option<i64>, Option<i64>),
    /// What differs.
    pub comparison: Comparison,
}

impl App {
    /// What differs between two references (tags or digests) of a repository, for `platform` or the first that both have.
    pub async fn compare_images(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        (from, to): (&str, &str),
        platform: Option<&str>,
    ) -> Result<Compared, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        let before = images(referred(&mut tx, repository_id, from).await?);
        let after = images(referred(&mut tx, repository_id, to).await?);
        let of = |list: &[Image], platform: &str| list.iter().any(|one| one.platform() == platform);
        let platforms: Vec<String> = before
            .iter()
            .map(|one| one.platform().to_owned())
            .filter(|platform| !platform.is_empty() && of(&after, platform))
            .collect();
        let chosen = platform
            .and_then(|wanted| platforms.iter().find(|one| *one == wanted))
            .or_else(|| platforms.iter().find(|one| *one == "linux/amd64"))
            .or(platforms.first())
            .cloned();
        let pick = |list: Vec<Image>| {
            let mut list = list.into_iter();
            match &chosen {
                Some(platform) => list.find(|one| one.platform() == platform),
                None => list.next(),
            }
        };
        let (Some(before), Some(after)) = (pick(before), pick(after)) else {
            return Err(AppError::NotFound("there is no image to compare".to_owned()));
        };
        Ok(Compared {
            comparison: Comparison::new(&before.description, &after.description),
            sizes: (before.description.content_size, after.description.content_size),
            digests: (before.digest, after.digest),
            platform: chosen,
            platforms,
        })
    }
}

struct Image {
    digest: String,
    description: Description,
}

impl Image {
    fn platform(&self) -> &str {
        self.description.platform.as_deref().unwrap_or_default()
    }
}

/// The images of an index, or the manifest itself.
fn images(node: ManifestNode) -> Vec<Image> {
    let image = |node: ManifestNode| Image {
        digest: node.manifest.digest,
        description: node.manifest.description,
    };
    if node.children.is_empty() {
        return vec![image(node)];
    }
    node.children.into_iter().map(image).collect()
}

async fn referred(tx: &mut Tx, id: RepositoryId, reference: &str) -> Result<ManifestNode, AppError> {
    // PostgreSQL takes no text with a NUL.
    if reference.contains('\0') {
        return Err(no_tag(reference));
    }
    let digest = if reference.contains(':') {
        reference.to_owned()
    } else {
        let pointer = tag::find_pointer(tx, id, reference).await?;
        pointer.ok_or_else(|| no_tag(reference))?.digest
    };
    let known = manifest_of(tx, id, &digest).await?;
    node(tx, id, known).await
}
