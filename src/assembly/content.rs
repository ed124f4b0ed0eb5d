//! The registry tells the index of content, and the index asks the registry, in one process: by the envelopes and the API that
//! they use over HTTP too.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{Request, StatusCode};
use index_service::App;
use index_service::app::AppError;
use index_service::registry_client::{self, Question, RegistryClient, RegistryError, Reply};
use registry_service::Builder;
use registry_service::notification::{Endpoint, Notifications, Options, Receive, Version};
use registry_service::permit::{Permit, Permits};
use tower::ServiceExt as _;

/// The index as an endpoint of the registry's notifications.
pub(super) fn tell(builder: &Builder, index: &Arc<App>) -> anyhow::Result<Option<Notifications>> {
    let endpoint = Endpoint {
        name: "index".to_owned(),
        // Never asked: envelopes are given to the index directly.
        url: "http://index.invalid/events/registry"
            .parse()
            .context("the index's address")?,
        headers: Vec::new(),
        timeout: Duration::from_secs(30),
        threshold: 3,
        backoff: Duration::from_secs(1),
        // The index reads of blobs in manifests.
        ignored_media_types: vec!["application/octet-stream".to_owned()],
        ignored_actions: vec!["mount".to_owned()],
        version: Version::V2,
        batch: 100,
        max_events: 100_000,
        max_age: Duration::from_hours(7 * 24),
        max_dead_letters: 100,
        max_pulls: 10_000,
        is_index: true,
    };
    let index = Arc::downgrade(index);
    let receive = Receive::new(move |body| {
        let index = index.clone();
        Box::pin(async move {
            let Some(index) = index.upgrade() else {
                return StatusCode::SERVICE_UNAVAILABLE;
            };
            match index.receive_events(&body).await {
                Ok(_) => StatusCode::NO_CONTENT,
                Err(AppError::Invalid(_) | AppError::Conflict(_)) => StatusCode::BAD_REQUEST,
                Err(error) => {
                    tracing::debug!(%error, "the index could not take events; they wait");
                    StatusCode::SERVICE_UNAVAILABLE
                }
            }
        })
    });
    let options = Options {
        within: Some((endpoint, receive)),
        ..Options::default()
    };
    Ok(Notifications::start(
        &builder.storage,
        &builder.clock,
        &builder.random,
        options,
    )?)
}

/// The index as the registry asks it about strict quotas.
pub(super) fn permits(index: &Arc<App>) -> Permits {
    let index = Arc::downgrade(index);
    Permits::new(move |question| {
        let index = index.clone();
        Box::pin(async move {
            let index = index.upgrade().ok_or("the index has ended")?;
            let refusal = index.permit_push(&question).await?;
            Ok(Permit { refusal })
        })
    })
}

/// The registry as the index asks it.
pub(super) fn read(index: &Arc<App>, registry: Router) {
    index.read_with(RegistryClient::within(move |question| {
        let registry = registry.clone();
        Box::pin(ask(registry, question))
    }));
}

async fn ask(registry: Router, question: Question) -> Result<Reply, RegistryError> {
    let within = |error: Box<dyn std::error::Error + Send + Sync>| RegistryError::Within(error);
    let mut request = Request::builder()
        .method(question.method)
        .uri(&question.path)
        .header(USER_AGENT, registry_client::USER_AGENT)
        .header(AUTHORIZATION, format!("Bearer {}", question.token));
    if let Some(accept) = question.accept {
        request = request.header(ACCEPT, accept);
    }
    for (name, value) in &question.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Body::from(question.body))
        .map_err(|error| within(error.into()))?;
    let asked = async {
        let response = registry
            .oneshot(request)
            .await
            .map_err(|error| within(error.into()))?;
        let (parts, body) = response.into_parts();
        Ok(Reply {
            status: parts.status,
            headers: parts.headers,
            // What is longer than wanted is none, as over HTTP.
            body: to_bytes(body, question.longest).await.ok().map(Into::into),
        })
    };
    match tokio::time::timeout(question.patience, asked).await {
        Ok(replied) => replied,
        Err(late) => Err(within(late.into())),
    }
}
