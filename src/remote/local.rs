//! The API in this process, over a data folder whose server runs or not: asked as the machine's administrator.

use std::sync::Arc;

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use http::{Method, Request, header};
use index_service::App;
use index_service::http::Operator;
use serde_json::Value;
use shared::runtime::serve::Readiness;
use tower::ServiceExt as _;

use super::client::Answer;
use crate::admin;
use crate::cli::Data;

/// Longest answer that is read, in bytes: a page of a list is far shorter.
const MAX_ANSWER: usize = 16 << 20;

pub(super) struct Local {
    app: Arc<App>,
    router: axum::Router,
    /// The account that the machine's administrator acts for.
    account: String,
}

impl Local {
    pub(super) async fn open(data: &Data, account: &str) -> anyhow::Result<Self> {
        let app = admin::open(data).await?;
        let router = index_service::http::router(Arc::clone(&app), Readiness::default());
        Ok(Self {
            app,
            router,
            account: account.to_owned(),
        })
    }

    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).context("making a request")?;
        request.extensions_mut().insert(Operator(self.account.clone()));
        let response = self.router.clone().oneshot(request).await?;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), MAX_ANSWER).await?;
        Ok(Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }

    pub(super) async fn close(self) {
        self.app.close().await;
    }
}
