//! `/api/v1/work`: what takes long, and how far it is.

use crate::http::api::described::{ApiRouter, routes};
use axum::Json;
use axum::extract::{Path, Query, State as Shared};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::caller::SignedIn;
use super::instant::Instant;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::work::WorkReport;
use crate::domain::WorkId;
use crate::domain::work::{LongWork, WorkKind, WorkPlace};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new().routes(routes!(list)).routes(routes!(report))
}

/// Work that takes long.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Work)]
struct ShownWork {
    /// Its id, in the order of time.
    id: String,
    /// `garbage_collection`, `import`, `reindex` or `retention`.
    kind: &'static str,
    /// `waiting`, `running`, `lost` (nobody has told of it for five minutes), `done`, `failed` or `stopped`.
    state: &'static str,
    /// What it is about; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<ShownPlace>,
    /// The same in words: where an import comes from (a host, or the folder of a volume), the configuration that a collection
    /// of garbage was given.
    subject: String,
    /// The account that began it; absent for the service itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    began_by: Option<String>,
    /// When it began.
    began_at: Instant,
    /// When something was heard of it last.
    told_at: Instant,
    /// When it ended, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Instant>,
    /// What is being done, or was done last: `marking`, `copying` …
    phase: &'static str,
    /// What is counted: `manifests`, `blobs`, `bytes`, `repositories` or `tags_and_manifests`.
    unit: &'static str,
    /// How many of them are done.
    done: i64,
    /// How many there are; absent while nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
    /// Bytes that were freed, or copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<i64>,
    /// Whether nothing is changed.
    is_dry_run: bool,
    /// A sentence about it; perhaps empty.
    message: String,
}

/// What work is about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkPlace)]
struct ShownPlace {
    /// `repository` or `namespace`.
    kind: &'static str,
    /// Its id.
    id: String,
    /// Its name; absent when it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// How far an import is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ImportReport)]
struct Told {
    /// The number of this report: each is greater than those before; others change nothing.
    #[schema(minimum = 0)]
    sequence: i64,
    /// For how long it goes on, in milliseconds.
    #[schema(minimum = 0)]
    elapsed_ms: i64,
    /// The name of the repository, or of the namespace, that is imported to; absent for several.
    about: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    subject: String,
    /// `looking`, `copying` or `verifying`.
    phase: String,
    /// What is counted: `repositories`, `manifests`, `blobs` or `bytes`.
    unit: String,
    /// How many of them are done.
    #[schema(minimum = 0)]
    done: i64,
    /// How many there are; absent while nobody knows.
    #[schema(minimum = 0)]
    total: Option<i64>,
    /// Bytes that were copied.
    #[schema(minimum = 0)]
    bytes: Option<i64>,
    /// Whether nothing is copied.
    #[serde(default)]
    is_dry_run: bool,
    /// `done`, `failed` or `stopped`; absent while it goes on.
    outcome: Option<String>,
    /// A sentence about it.
    #[serde(default)]
    message: String,
}

/// Work that takes long
///
/// Garbage that registries collect, imports, reading repositories as a whole, and runs of retention; the newest first. Of the
/// first two the last hundred are remembered. For administrators of the site.
#[utoipa::path(get, path = "/work", tag = "site", operation_id = "list_work", params(Wish), responses(
    (status = 200, body = Page<ShownWork>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownWork>>, Problem> {
    let before = WorkId::from_i64(wish.after().parse().unwrap_or(i64::MAX));
    let works = state.app.list_work(&caller, before, wish.limit() + 1).await?;
    let now = state.app.now_ms();
    Ok(Json(Page::new(
        &wish,
        works,
        |work| work.work_id.to_string(),
        |work| show(work, now),
    )))
}

/// Tell how far an import is
///
/// By whoever imports, every few seconds; administrators see it. The path names the import by 32 hexadecimal digits, which
/// whoever imports makes at random.
#[utoipa::path(put, path = "/work/{run}", tag = "site", operation_id = "report_work", request_body = Told,
    params(("run" = String, Path, description = "32 hexadecimal digits that name the import")), responses(
    (status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn report(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(run): Path<String>,
    Json(told): Json<Told>,
) -> Result<StatusCode, Problem> {
    let report = WorkReport {
        run,
        sequence: told.sequence,
        kind: WorkKind::Import.as_str().to_owned(),
        elapsed_ms: told.elapsed_ms,
        about: told.about,
        subject: told.subject,
        phase: told.phase,
        unit: told.unit,
        done: told.done,
        total: told.total,
        bytes: told.bytes,
        is_rehearsal: told.is_dry_run,
        outcome: told.outcome,
        message: told.message,
    };
    state.app.report_import(&caller, &report).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn show(work: LongWork, now_ms: i64) -> ShownWork {
    let place = work.place.as_ref().map(|(place, name)| {
        let (kind, id) = match place {
            WorkPlace::Repository(id) => ("repository", id.to_string()),
            WorkPlace::Namespace(id) => ("namespace", id.to_string()),
        };
        ShownPlace {
            kind,
            id,
            name: name.clone(),
        }
    });
    ShownWork {
        id: work.work_id.to_string(),
        kind: work.kind.as_str(),
        state: work.state(now_ms).as_str(),
        place,
        began_by: Some(work.began_by).filter(|name| !name.is_empty()),
        began_at: Instant(work.began_at),
        told_at: Instant(work.told_at),
        ended_at: work.ended_at.map(Instant),
        phase: work.progress.phase.as_str(),
        unit: work.progress.unit.as_str(),
        done: work.progress.done,
        total: work.progress.total,
        bytes: work.progress.bytes,
        is_dry_run: work.is_rehearsal,
        subject: work.subject,
        message: work.progress.message,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::http::testing::Front;

    fn told(sequence: u32) -> Value {
        json!({"sequence": sequence, "elapsed_ms": 1_000, "about": "ada/private", "subject": "harbor.example",
            "phase": "copying", "unit": "repositories", "done": 1, "total": 4, "bytes": 1_000_000})
    }

    #[tokio::test]
    async fn whoever_imports_tells_of_it_and_administrators_alone_read_it() {
        let front = Front::new().await;
        front.administrator("root").await;
        let path = format!("/work/{}", "a".repeat(32));
        front.api("", "PUT", &path, told(1)).await.is(401);
        front.api("ada", "PUT", &path, told(1)).await.is(204);
        front.api("eve", "PUT", &path, told(2)).await.is(404);
        front.api("", "GET", "/work", Value::Null).await.is(401);
        front.api("ada", "GET", "/work", Value::Null).await.is(403);
        let known = front.api("root", "GET", "/work?limit=1", Value::Null).await.ok();
        let one = &known["items"][0];
        assert_eq!(
            (&one["state"], &one["began_by"]),
            (&json!("running"), &json!("ada"))
        );
        assert_eq!(
            (&one["done"], &one["total"], &one["bytes"]),
            (&json!(1), &json!(4), &json!(1_000_000))
        );
        assert_eq!(
            (&one["place"]["kind"], &one["place"]["name"]),
            (&json!("repository"), &json!("ada/private"))
        );
        let mut ended = told(3);
        ended["outcome"] = json!("stopped");
        front.api("ada", "PUT", &path, ended).await.is(204);
        front.api("ada", "PUT", &path, told(4)).await.is(204);
        let known = front.api("root", "GET", "/work", Value::Null).await.ok();
        assert_eq!(known["items"][0]["state"], "stopped", "{known}");
        assert!(known["items"][0]["ended_at"].is_string());
    }

    #[tokio::test]
    async fn a_report_that_says_nothing_sensible_is_refused_with_a_sentence() {
        let front = Front::new().await;
        let path = format!("/work/{}", "a".repeat(32));
        for (path, key, value) in [
            ("/work/1", "done", json!(1)),
            (path.as_str(), "phase", json!("dancing")),
            (path.as_str(), "unit", json!("apples")),
            (path.as_str(), "outcome", json!("perhaps")),
            (path.as_str(), "done", json!(-1)),
            (path.as_str(), "total", json!(-1)),
        ] {
            let mut body = told(1);
            body[key] = value;
            let refused = front.api("ada", "PUT", path, body).await.is(400);
            assert!(
                refused["detail"].as_str().is_some_and(|text| text.len() > 10),
                "{refused}"
            );
        }
    }
}
