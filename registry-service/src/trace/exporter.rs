//! Sending spans, in batches, to a collector that may be slow or away.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use shared::runtime::tls;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::protobuf;
use super::settings::Settings;
use super::span::Span;
use crate::metrics::{TRACE_DROPPED, TRACE_SENT};

/// How often a collector that cannot be reached is told of.
const TELL: Duration = Duration::from_mins(1);
/// Time for what is left when the process ends.
const LAST: Duration = Duration::from_secs(5);

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file of `OTEL_EXPORTER_OTLP_CERTIFICATE` cannot be used.
    #[error("cannot take the authorities of OTEL_EXPORTER_OTLP_CERTIFICATE")]
    Certificate(#[from] tls::TlsError),
    /// The HTTP client cannot be set up.
    #[error("cannot set up the client that sends traces")]
    Client(#[source] reqwest::Error),
    /// The process traces already.
    #[error("traces are set up twice")]
    Twice,
}

/// What sends the spans.
#[derive(Debug)]
pub struct Exporter {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Exporter {
    pub(super) fn start(settings: Settings, spans: mpsc::Receiver<Span>) -> Result<Self, TraceError> {
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(settings.timeout);
        if let Some(path) = &settings.certificate {
            client = client.tls_backend_preconfigured(tls::trusting(path)?);
        } else if settings.endpoint.scheme() == "http" {
            // No certificate is looked at, so a machine without any authority will do.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(TraceError::Client)?;
        let (stop, stopped) = oneshot::channel();
        let sending = Sending {
            settings,
            client,
            spans,
            told: None,
        };
        let task = tokio::spawn(sending.run(stopped));
        Ok(Self { stop, task })
    }

    /// Sends what is left, for a few seconds at most.
    pub async fn end(self) {
        // A task that has ended has nothing left.
        let _ = self.stop.send(());
        let _ = timeout(LAST, self.task).await;
    }
}

struct Sending {
    settings: Settings,
    client: reqwest::Client,
    spans: mpsc::Receiver<Span>,
    told: Option<Instant>,
}

impl Sending {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => break,
                first = self.spans.recv() => batch.extend(first),
            }
            let until = Instant::now() + self.settings.delay;
            let fill = async {
                while batch.len() < self.settings.batch {
                    let Some(span) = self.spans.recv().await else {
                        break;
                    };
                    batch.push(span);
                }
            };
            let is_last = tokio::select! {
                biased;
                _ = &mut stopped => true,
                _ = timeout_at(until, fill) => false,
            };
            self.send(&mut batch).await;
            if is_last {
                break;
            }
        }
        self.spans.close();
        while let Ok(span) = self.spans.try_recv() {
            batch.push(span);
            if batch.len() == self.settings.batch {
                self.send(&mut batch).await;
            }
        }
        self.send(&mut batch).await;
    }

    /// Sends a batch once. What the collector does not take is lost: it must not be waited for.
    async fn send(&mut self, batch: &mut Vec<Span>) {
        if batch.is_empty() {
            return;
        }
        let body = protobuf::request(&self.settings.resource, batch);
        let count = batch.len() as u64;
        batch.clear();
        let mut request = self.client.post(self.settings.endpoint.clone());
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        let request = request.header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let failure = match request.send().await {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("status {}", answer.status().as_u16())),
            // The URL may hold a password.
            Err(error) => Some(error.without_url().to_string()),
        };
        let Some(failure) = failure else {
            TRACE_SENT.add(count);
            return;
        };
        TRACE_DROPPED.add(count);
        if self.told.is_none_or(|at| at.elapsed() > TELL) {
            self.told = Some(Instant::now());
            tracing::warn!(
                failure,
                "the collector does not take traces; they are dropped and counted"
            );
        }
    }
}
