//! What badges say: one figure about a repository.

use shared::oci::RepositoryName;

use super::App;
use super::caller::Caller;
use super::error::AppError;
use super::hub::HubRepository;
use crate::domain::version::highest;
use crate::store::{showcase, tag};

/// Most tags that a version is looked for among.
const MOST_TAGS: u32 = 20_000;

/// What a badge is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadgeKind {
    /// How often the repository was pulled.
    Pulls,
    /// How many accounts gave it a star.
    Stars,
    /// The bytes of an image.
    Size,
    /// The highest version among its tags.
    Version,
    /// How many tags it has.
    Tags,
    /// How many platforms its image is for.
    Platforms,
}

impl BadgeKind {
    /// The kind of a word.
    pub fn find(word: &str) -> Option<Self> {
        Some(match word {
            "pulls" => Self::Pulls,
            "stars" => Self::Stars,
            "size" => Self::Size,
            "version" => Self::Version,
            "tags" => Self::Tags,
            "platforms" => Self::Platforms,
            _ => return None,
        })
    }

    /// What stands at its left.
    pub fn label(self) -> &'static str {
        match self {
            Self::Pulls => "pulls",
            Self::Stars => "stars",
            Self::Size => "image size",
            Self::Version => "version",
            Self::Tags => "tags",
            Self::Platforms => "platforms",
        }
    }
}

impl App {
    /// What a badge of a repository says, for whoever may pull it. A size is that of `tag`, or of the tag that stands for the
    /// repository.
    pub async fn badge(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        kind: BadgeKind,
        tag: Option<&str>,
    ) -> Result<(HubRepository, String), AppError> {
        let repository = self.show_hub_repository(caller, name).await?;
        let id = repository.facts.repository_id;
        let mut tx = self.store.read().await?;
        let text = match kind {
            BadgeKind::Pulls => short_number(repository.details.pull_count),
            BadgeKind::Stars => short_number(repository.details.star_count),
            BadgeKind::Tags => {
                let tags = tag::list_pointers(&mut tx, id, "", MOST_TAGS).await?;
                short_number(i64::try_from(tags.len()).unwrap_or(i64::MAX))
            }
            BadgeKind::Version => {
                let tags = tag::list_pointers(&mut tx, id, "", MOST_TAGS).await?;
                match highest(tags.iter().map(|pointer| pointer.name.as_str())) {
                    Some(version) => version.to_owned(),
                    None => showcase::find_newest_tag(&mut tx, id)
                        .await?
                        .map_or_else(|| "none".to_owned(), |pointer| pointer.name),
                }
            }
            BadgeKind::Platforms => {
                let shown = showcase::find_showcase(&mut tx, id).await?;
                let number = shown.map_or(0, |shown| shown.platforms.len());
                short_number(i64::try_from(number).unwrap_or(i64::MAX))
            }
            BadgeKind::Size => {
                let shown = showcase::find_showcase(&mut tx, id).await?;
                let tag = tag.map(str::to_owned).or_else(|| shown.map(|shown| shown.tag));
                let found = match tag {
                    Some(tag) => tag::find_tag(&mut tx, id, &tag).await?,
                    None => None,
                };
                let size = found.and_then(|tag| tag.content_size.or(tag.children_size));
                size.map_or_else(|| "unknown".to_owned(), short_size)
            }
        };
        Ok((repository, text))
    }
}

/// `950`, `1.2k`, `34M`
fn short_number(number: i64) -> String {
    scaled(number, 1_000, &["", "k", "M", "G", "T"])
}

/// `950 B`, `1.2 kB`, `34 MB`
fn short_size(bytes: i64) -> String {
    scaled(bytes, 1_000, &[" B", " kB", " MB", " GB", " TB"])
}

/// Two digits at least, and never rounded up.
fn scaled(number: i64, step: i64, units: &[&str]) -> String {
    let (mut whole, mut rest, mut unit) = (number.max(0), 0, 0);
    while whole >= step && unit + 1 < units.len() {
        rest = whole % step;
        whole /= step;
        unit += 1;
    }
    let unit_text = units[unit];
    if unit == 0 || whole >= 10 {
        return format!("{whole}{unit_text}");
    }
    format!("{whole}.{}{unit_text}", rest * 10 / step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (-1, "0"),
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (1_299, "1.2k"),
            (12_900, "12k"),
            (3_400_000, "3.4M"),
            (i64::MAX, "9223372T"),
        ] {
            assert_eq!(short_number(number), text);
        }
        assert_eq!(short_size(7_340_032), "7.3 MB");
    }
}
