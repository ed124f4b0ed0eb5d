//! `/api/v1/search`.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Query, State as Shared};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::caller::Anyone;
use super::instant::Instant;
use super::page::Wish;
use super::problem::Problem;
use crate::app::AppError;
use crate::app::search::SearchWish;
use crate::domain::search::is_official;
use crate::domain::topic::InvalidTopic;
use crate::domain::{SearchFilter, SearchOrder};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(search))
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Question {
    /// Words that a repository has all of, in its name, its topics or its short description; the last may be unfinished.
    /// Absent for everything.
    #[serde(default)]
    #[param(max_length = 200)]
    q: String,
    /// Only official repositories.
    #[serde(default)]
    official: bool,
    /// With at least so many stars.
    #[serde(default)]
    #[param(minimum = 0)]
    stars: i64,
    /// With this topic.
    topic: Option<String>,
    /// In the category of this slug.
    category: Option<String>,
    /// With images for this platform: `linux/arm64/v8`, `linux/arm64`, `linux` or `arm64`.
    #[param(max_length = 100)]
    platform: Option<String>,
    /// With images of this label: `maintainer` or `maintainer=team`.
    #[param(max_length = 200)]
    label: Option<String>,
    /// In which order: `best` (the default), `stars`, `pulls`, `updated` or `name`.
    #[param(max_length = 20)]
    ordering: Option<String>,
    /// Of which something else was said at this time or later, or that were made then.
    updated_since: Option<Instant>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
struct SearchAnswer {
    /// The best first.
    items: Vec<FoundRepository>,
    /// What `after` takes for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// How many there are, up to 1,000.
    total: usize,
    /// Whether there may be more than `total`.
    more: bool,
}

/// A repository that was found.
#[derive(Debug, Serialize, ToSchema)]
struct FoundRepository {
    /// The id.
    id: String,
    /// The name.
    name: String,
    /// Who may pull: `public`, `internal` (every account) or `private`.
    visibility: &'static str,
    /// Its short description.
    summary: String,
    /// Its topics.
    topics: Vec<String>,
    /// How many accounts gave it a star.
    stars: i64,
    /// How often it was pulled.
    pulls: i64,
    /// Whether it is the site's own.
    official: bool,
    /// Whether its namespace is whose it claims to be.
    verified: bool,
    /// When something else was said about it, or it was made.
    updated_at: Instant,
}

/// Search repositories
///
/// Those that the caller may pull, the best first: by where the words stand, official ones first, by stars. Of the first
/// 1,000 every page can be asked for.
#[utoipa::path(get, path = "/search", tag = "search", params(Question, Wish), responses(
    (status = 200, body = SearchAnswer), (status = 400, body = Problem), (status = 401, body = Problem)))]
async fn search(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Query(question): Query<Question>,
    Query(wish): Query<Wish>,
) -> Result<Json<SearchAnswer>, Problem> {
    let facet = |text: Option<String>| {
        let parsed = text.as_deref().map(str::parse).transpose();
        parsed.map_err(|error: InvalidTopic| AppError::Invalid(error.to_string()))
    };
    let offset = wish.after().parse().unwrap_or(0);
    let limit = usize::try_from(wish.limit()).unwrap_or(usize::MAX);
    let wish = SearchWish {
        query: question.q,
        filter: SearchFilter {
            is_official: question.official,
            min_stars: question.stars,
            topic: facet(question.topic)?,
            category: facet(question.category)?,
            platform: question.platform.filter(|text| !text.is_empty()),
            label: question.label.filter(|text| !text.is_empty()),
            updated_since: question.updated_since.map(|instant| instant.0),
        },
        order: ordering(question.ordering.as_deref().unwrap_or("best"))?,
        offset,
        limit,
    };
    let found = state.app.search(&caller, &wish).await?;
    let end = offset.saturating_add(limit);
    Ok(Json(SearchAnswer {
        next: (found.total > end).then(|| end.to_string()),
        total: found.total,
        more: found.is_more,
        items: found
            .hits
            .into_iter()
            .map(|hit| FoundRepository {
                id: hit.facts.repository_id.to_string(),
                official: is_official(&hit.facts.name),
                name: hit.facts.name.to_string(),
                visibility: hit.facts.visibility.as_str(),
                summary: hit.summary,
                topics: hit.topics,
                stars: hit.star_count,
                pulls: hit.pull_count,
                verified: hit.is_verified,
                updated_at: Instant(hit.updated_at),
            })
            .collect(),
    }))
}

fn ordering(word: &str) -> Result<SearchOrder, AppError> {
    Ok(match word {
        "best" => SearchOrder::Best,
        "stars" => SearchOrder::Stars,
        "pulls" => SearchOrder::Pulls,
        "updated" => SearchOrder::Updated,
        "name" => SearchOrder::Name,
        _ => {
            return Err(AppError::Invalid(
                "ordering is best, stars, pulls, updated or name".to_owned(),
            ));
        }
    })
}
