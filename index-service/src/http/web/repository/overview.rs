//! The page of a repository.

use askama::Template;
use axum::response::Response;
use shared::oci::RepositoryName;

use super::chart::DayChart;
use super::head::Head;
use super::moved;
use super::tag_list::{TagRow, rows};
use crate::app::content::shown::Measure;
use crate::app::content::{Base, Descendant};
use crate::app::repository_page::{DAYS, RepositoryOverview};
use crate::http::State;
use crate::http::markdown::render_below;
use crate::http::web::fault::PageError;
use crate::http::web::page::render;
use crate::http::web::view::View;
use crate::http::web::visitor::Visitor;

/// Platforms whose pulls are shown.
const MOST_PLATFORMS: usize = 8;

/// Pulls of a platform.
#[derive(Debug)]
struct PlatformPulls {
    platform: String,
    pulls: i64,
}

/// An image elsewhere.
#[derive(Debug)]
pub(super) struct Elsewhere {
    pub(super) name: String,
    pub(super) tags: Vec<String>,
    pub(super) digest: String,
    /// A tag that led there and leads elsewhere by now.
    pub(super) newer: Option<String>,
}

impl From<&Base> for Elsewhere {
    fn from(base: &Base) -> Self {
        Self {
            name: base.repository.name.to_string(),
            tags: base.tags.iter().take(3).cloned().collect(),
            digest: base.digest.clone(),
            newer: base.moved.first().map(|moved| moved.name.clone()),
        }
    }
}

impl From<&Descendant> for Elsewhere {
    fn from(one: &Descendant) -> Self {
        Self {
            name: one.repository.name.to_string(),
            tags: one.tags.iter().take(3).cloned().collect(),
            digest: one.digest.clone(),
            newer: None,
        }
    }
}

#[derive(Template)]
#[template(path = "repository/overview.html")]
struct Overview {
    view: View,
    head: Head,
    /// The description as HTML in which nothing runs.
    description: String,
    is_description_of_image: bool,
    topics: Vec<String>,
    categories: Vec<String>,
    platforms: Vec<String>,
    licenses: Option<String>,
    pull_tag: Option<String>,
    tags: Vec<TagRow>,
    chart: DayChart,
    days: i64,
    platform_pulls: Vec<PlatformPulls>,
    most_platform_pulls: i64,
    pull_count: i64,
    size: Measure,
    last_pushed_at: Option<i64>,
    bases: Vec<Elsewhere>,
    descendants: Vec<Elsewhere>,
}

pub(super) async fn show(
    state: &State,
    visitor: Visitor,
    name: &RepositoryName,
) -> Result<Response, PageError> {
    let found = state.app.repository_overview(&visitor.caller, name).await?;
    if let Some(moved) = moved(&found.head, name, &visitor) {
        return Ok(moved);
    }
    Ok(render(&Overview::new(visitor.view, found)))
}

impl Overview {
    fn new(view: View, found: RepositoryOverview) -> Self {
        let described = &found.head.described;
        let (markdown, is_of_image) = described.shown_description();
        let showcase = described.showcase.as_ref();
        let said = |what: &str| {
            let said = showcase?.sayings.get(what)?.as_str()?;
            Some(said.to_owned())
        };
        let platform_pulls: Vec<PlatformPulls> = found
            .platforms
            .into_iter()
            .take(MOST_PLATFORMS)
            .map(|(platform, pulls)| PlatformPulls { platform, pulls })
            .collect();
        Self {
            head: Head::new(&found.head, "overview"),
            description: render_below(&markdown, 2),
            is_description_of_image: is_of_image,
            topics: described.profile.topics.iter().map(ToString::to_string).collect(),
            categories: described
                .profile
                .categories
                .iter()
                .map(|category| category.name.clone())
                .collect(),
            platforms: showcase.map(|one| one.platforms.clone()).unwrap_or_default(),
            licenses: said("licenses"),
            // What clients pull when no tag is said.
            pull_tag: showcase.map(|one| one.tag.clone()).filter(|tag| tag != "latest"),
            tags: rows(&found.tags),
            chart: DayChart::new(&found.head.days, found.head.today, DAYS),
            days: DAYS,
            most_platform_pulls: platform_pulls.iter().map(|one| one.pulls).max().unwrap_or(0),
            platform_pulls,
            pull_count: found.head.details.pull_count,
            last_pushed_at: found.head.details.last_pushed_at,
            size: found.size,
            bases: found.lineage.bases.iter().map(Elsewhere::from).collect(),
            descendants: found.lineage.descendants.iter().map(Elsewhere::from).collect(),
            view,
        }
    }
}
