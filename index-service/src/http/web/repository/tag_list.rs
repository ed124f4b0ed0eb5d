//! The tags of a repository.

use askama::Template;
use axum::response::Response;

use super::Wish;
use super::head::Head;
use crate::app::hub::{HubTag, HubTagOrder};
use crate::app::repository_page::RepositoryHead;
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
    pub(super) digest: String,
    pub(super) updated_at: i64,
    pub(super) pushed_by: Option<String>,
    pub(super) size: Option<i64>,
    pub(super) platforms: Vec<String>,
    /// How many more there are.
    pub(super) more_platforms: usize,
    pub(super) pulls: i64,
    pub(super) last_pulled_at: Option<i64>,
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
        name: one.tag.name.clone(),
        digest: one.tag.digest.clone(),
        updated_at: one.tag.updated_at,
        pushed_by: one.tag.last_pushed_by.clone(),
        size: one.tag.content_size.or(one.tag.children_size),
        platforms,
        more_platforms,
        pulls: one.tag.pull_count.unwrap_or_default(),
        last_pulled_at: one.tag.last_pulled_at,
    }
}

#[derive(Template)]
#[template(path = "repository/tags.html")]
struct TagList {
    view: View,
    head: Head,
    part: String,
    is_by_name: bool,
    count: usize,
    tags: Vec<TagRow>,
    previous: String,
    next: String,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    head: &RepositoryHead,
    wish: &Wish,
) -> Result<Response, PageError> {
    let is_by_name = wish.order.as_deref() == Some("name");
    let order = if is_by_name {
        HubTagOrder::Name
    } else {
        HubTagOrder::Updated
    };
    let (part, page) = (wish.part(), wish.page());
    let (_, count, tags) = state
        .app
        .list_hub_tags(
            &visitor.caller,
            &head.facts().name,
            part,
            (order, false),
            (page * PAGE, PAGE),
        )
        .await?;
    let head = Head::new(head, "tags");
    let address = |page: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !part.is_empty() {
            query.append_pair("q", part);
        }
        if is_by_name {
            query.append_pair("order", "name");
        }
        query.append_pair("page", &(page + 1).to_string());
        format!("{}?{}", head.page("tags"), query.finish())
    };
    Ok(render(&TagList {
        part: part.to_owned(),
        is_by_name,
        previous: (page > 0).then(|| address(page - 1)).unwrap_or_default(),
        next: ((page + 1) * PAGE < count).then(|| address(page + 1)).unwrap_or_default(),
        count,
        tags: rows(&tags),
        view: visitor.view,
        head,
    }))
}
