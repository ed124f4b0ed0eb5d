//! Tags of a repository by pages. Where a part of their names is looked for, so many are looked at for a page and no more: who
//! asked goes on behind them.

use std::fmt;
use std::str::FromStr;

use crate::app::App;
use crate::app::caller::Caller;
use crate::app::error::AppError;
use crate::app::hub::HubTag;
use crate::domain::RepositoryId;
use crate::store::Tx;
use crate::store::hub::find_tags;
use crate::store::tag::{self, KnownTag, Pointer};

/// Most tags that are looked at for a page.
const MOST_LOOKED_AT: u32 = 2_000;
/// Longest text of a place.
const LONGEST_PLACE: usize = 300;

/// A tag of a list.
pub type TagPageItem = KnownTag;

/// In which order tags are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TagOrder {
    /// By name.
    #[default]
    Name,
    /// Those that moved last first.
    Updated,
}

/// Behind which tag a list goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPlace {
    /// When it moved last, in milliseconds since 1970.
    pub at: i64,
    /// Its name.
    pub name: String,
}

impl TagPlace {
    /// Before the first tag.
    pub fn beginning() -> Self {
        Self {
            at: i64::MAX,
            name: String::new(),
        }
    }
}

impl From<&Pointer> for TagPlace {
    fn from(pointer: &Pointer) -> Self {
        Self {
            at: pointer.updated_at,
            name: pointer.name.clone(),
        }
    }
}

impl fmt::Display for TagPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.name)
    }
}

/// A text that describes no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a place in a list of tags is a time and a name")]
pub struct InvalidPlace;

impl FromStr for TagPlace {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        // PostgreSQL takes no text with a NUL.
        if text.len() > LONGEST_PLACE || text.contains('\0') {
            return Err(InvalidPlace);
        }
        let (at, name) = text.split_once(' ').ok_or(InvalidPlace)?;
        Ok(Self {
            at: at.parse().map_err(|_| InvalidPlace)?,
            name: name.to_owned(),
        })
    }
}

/// A page of tags.
#[derive(Debug)]
pub struct TagsListed {
    /// The tags in their order; where a part of their names is looked for, perhaps none though there are more.
    pub tags: Vec<TagPageItem>,
    /// Where the list goes on.
    pub next: Option<TagPlace>,
}

/// What was found among so many tags.
#[derive(Debug)]
pub struct TagsFound {
    /// How many were looked at.
    pub looked_at: usize,
    /// How many of them are what is looked for.
    pub count: usize,
    /// A page of these.
    pub tags: Vec<HubTag>,
    /// Behind what nobody looked yet.
    pub next: Option<TagPlace>,
}

impl App {
    /// At most `limit` tags whose names hold `part`, behind the one at `after`.
    pub async fn list_tags(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        (order, part): (TagOrder, &str),
        after: &TagPlace,
        limit: u32,
    ) -> Result<TagsListed, AppError> {
        let mut tx = self.store.read().await?;
        self.see_content(&mut tx, caller, repository_id).await?;
        if part.is_empty() {
            return every_tag(&mut tx, repository_id, order, after, limit).await;
        }
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let (pointers, mut next) = look(&mut tx, repository_id, order, after, MOST_LOOKED_AT).await?;
        let mut names: Vec<String> = Vec::new();
        let count = pointers.len();
        for (number, pointer) in pointers.into_iter().enumerate() {
            if !pointer.name.contains(part) {
                continue;
            }
            let is_full = names.len() + 1 >= wanted;
            if is_full && (number + 1 < count || next.is_some()) {
                next = Some(TagPlace::from(&pointer));
            }
            names.push(pointer.name);
            if is_full {
                break;
            }
        }
        let mut known = find_tags(&mut tx, repository_id, &names).await?;
        Ok(TagsListed {
            tags: names.iter().filter_map(|name| known.remove(name)).collect(),
            next,
        })
    }

    /// The tags whose names hold `part` among the first 2,000 behind `after`: how many, and at most `limit` behind the first
    /// `offset` of them.
    pub async fn find_tags(
        &self,
        caller: &Caller,
        repository_id: RepositoryId,
        (order, part): (TagOrder, &str),
        after: &TagPlace,
        (offset, limit): (usize, usize),
    ) -> Result<TagsFound, AppError> {
        let mut tx = self.store.read().await?;
        let seen = self.see_content(&mut tx, caller, repository_id).await?;
        let (mut pointers, next) = look(&mut tx, repository_id, order, after, MOST_LOOKED_AT).await?;
        let looked_at = pointers.len();
        pointers.retain(|pointer| pointer.name.contains(part));
        let count = pointers.len();
        let page = pointers.into_iter().skip(offset).take(limit);
        let names: Vec<String> = page.map(|pointer| pointer.name).collect();
        Ok(TagsFound {
            looked_at,
            count,
            tags: self.hub_tags(&mut tx, &seen.facts, &names).await?,
            next,
        })
    }
}

/// At most `limit` tags behind a place, whatever they are called.
async fn every_tag(
    tx: &mut Tx,
    id: RepositoryId,
    order: TagOrder,
    after: &TagPlace,
    limit: u32,
) -> Result<TagsListed, AppError> {
    let read = limit.saturating_add(1);
    let mut tags = match order {
        TagOrder::Name => tag::list_tags(tx, id, &after.name, read).await?,
        TagOrder::Updated => tag::list_tags_by_time(tx, id, (after.at, &after.name), read).await?,
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = tags.len() > most;
    tags.truncate(most);
    let next = tags.last().filter(|_| is_more).map(|last| TagPlace {
        at: last.updated_at,
        name: last.name.clone(),
    });
    Ok(TagsListed { tags, next })
}

/// What at most `limit` tags behind a place point to, and where it goes on if there are more.
async fn look(
    tx: &mut Tx,
    id: RepositoryId,
    order: TagOrder,
    after: &TagPlace,
    limit: u32,
) -> Result<(Vec<Pointer>, Option<TagPlace>), AppError> {
    // One more tells whether there are more.
    let read = limit.saturating_add(1);
    let mut pointers = match order {
        TagOrder::Name => tag::list_pointers(tx, id, &after.name, read).await?,
        TagOrder::Updated => tag::list_pointers_by_time(tx, id, (after.at, &after.name), read).await?,
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = pointers.len() > most;
    pointers.truncate(most);
    let next = pointers.last().filter(|_| is_more).map(TagPlace::from);
    Ok((pointers, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for (at, name) in [(0, "latest"), (i64::MIN, ""), (i64::MAX, "v1.0")] {
            let place = TagPlace {
                at,
                name: name.to_owned(),
            };
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "7", "x latest", "7 \0", &format!("7 {}", "a".repeat(300))] {
            assert_eq!(text.parse::<TagPlace>(), Err(InvalidPlace), "{text}");
        }
    }
}
