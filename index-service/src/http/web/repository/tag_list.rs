//! The tags of a repository.

use askama::Template;
use axum::response::Response;

use super::Wish;
use super::head::Head;
use crate::app::content::{TagOrder, TagPlace};
use crate::app::hub::HubTag;
use crate::app::repository_page::RepositoryHead;
use crate::domain::retention::subject_of_tag;
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Tags on a page.
const PAGE: usize = 50;
/// Platforms of a tag that a list names.
const MOST_PLATFORMS: usize = 6;
/// The platform that builders give to statements about images.
const NO_PLATFORM: &str = "unknown/unknown";

/// A tag in a list.
#[derive(Debug)]
pub(super) struct TagRow {
    pub(super) name: String,
    /// The same in little space.
    pub(super) shown: String,
    pub(super) digest: String,
    pub(super) updated_at: i64,
    pub(super) pushed_by: Option<String>,
    pub(super) size: Option<i64>,
    pub(super) platforms: Vec<String>,
    /// How many more there are.
    pub(super) more_platforms: usize,
    pub(super) pulls: i64,
}

/// Tags as lists show them.
pub(super) fn rows(tags: &[HubTag]) -> Vec<TagRow> {
    tags.iter().map(row).collect()
}

fn row(one: &HubTag) -> TagRow {
    let platforms = one.images.iter().filter_map(|image| image.platform.clone());
    let mut platforms: Vec<String> = platforms.filter(|text| text != NO_PLATFORM).collect();
    platforms.dedup();
    let more_platforms = platforms.len().saturating_sub(MOST_PLATFORMS);
    platforms.truncate(MOST_PLATFORMS);
    TagRow {
        shown: short_name(&one.tag.name),
        name: one.tag.name.clone(),
        digest: one.tag.digest.clone(),
        updated_at: one.tag.updated_at,
        pushed_by: one.tag.last_pushed_by.clone(),
        size: one.tag.content_size.or(one.tag.children_size),
        platforms,
        more_platforms,
        pulls: one.tag.pull_count.unwrap_or_default(),
    }
}

/// A tag's name; one that is named after a manifest without most of the digits.
pub(super) fn short_name(name: &str) -> String {
    match (subject_of_tag(name), name.get(..19), name.get(71..)) {
        (Some(_), Some(beginning), Some(ending)) => format!("{beginning}…{ending}"),
        _ => name.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "repository/tags.html")]
struct TagList {
    view: View,
    head: Head,
    part: String,
    is_by_name: bool,
    /// How many there are of what is looked for, as far as was looked.
    count: i64,
    /// How many were looked at, where that is not all.
    looked_at: Option<usize>,
    tags: Vec<TagRow>,
    previous: String,
    next: String,
    /// Where the search goes on, and where it begins again.
    further: String,
    again: String,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    wish: &Wish,
) -> Result<Response, PageError> {
    let is_by_name = wish.order.as_deref() == Some("name");
    let order = if is_by_name {
        TagOrder::Name
    } else {
        TagOrder::Updated
    };
    let (part, page, behind) = (wish.part(), wish.page(), wish.behind());
    let found = state
        .app
        .find_tags(
            &visitor.caller,
            head.id(),
            (order, part),
            behind.as_ref().unwrap_or(&TagPlace::beginning()),
            (page * PAGE, PAGE),
        )
        .await?;
    let tag_count = head.tag_count;
    let head = Head::new(head, "tags");
    let address = |behind: Option<&TagPlace>, page: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !part.is_empty() {
            query.append_pair("q", part);
        }
        if is_by_name {
            query.append_pair("order", "name");
        }
        if let Some(place) = behind {
            query.append_pair("behind", &place.to_string());
        }
        query.append_pair("page", &(page + 1).to_string());
        format!("{}?{}", head.page("tags"), query.finish())
    };
    let mut next = String::new();
    if (page + 1) * PAGE < found.count {
        next = address(behind.as_ref(), page + 1);
    }
    let mut further = String::new();
    if let Some(place) = &found.next {
        further = address(Some(place), 0);
    }
    let is_part = behind.is_some() || found.next.is_some();
    Ok(render(&TagList {
        part: part.to_owned(),
        is_by_name,
        previous: if page > 0 {
            address(behind.as_ref(), page - 1)
        } else {
            String::new()
        },
        next,
        again: if behind.is_some() {
            address(None, 0)
        } else {
            String::new()
        },
        further,
        count: if part.is_empty() {
            tag_count
        } else {
            i64::try_from(found.count).unwrap_or(i64::MAX)
        },
        looked_at: is_part.then_some(found.looked_at),
        tags: rows(&found.tags),
        view: visitor.view,
        head,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_are_named_after_manifests_are_shown_in_little_space() {
        let digits = "0123456789abcdef".repeat(4);
        for (name, shown) in [
            ("latest".to_owned(), "latest"),
            (format!("sha256-{digits}.sig"), "sha256-0123456789ab….sig"),
            (format!("sha256-{digits}"), "sha256-0123456789ab…"),
        ] {
            assert_eq!(short_name(&name), shown);
        }
    }
}
