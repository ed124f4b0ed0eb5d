//! Where repositories are copied to: a running server, through its public address.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use http::Method;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use shared::oci::name::LIBRARY;
use shared::runtime::clock::Clock;
use shared::secret::Secret;

use super::endpoint::{Endpoint, read, said};
use super::name_map::Pair;
use super::sign_in::Account;
use crate::import::telling::{Listener, Report};
use crate::password;

/// Longest answer of the API that is read, in bytes.
const MOST: usize = 1 << 20;

#[derive(Debug, Args)]
pub(crate) struct Server {
    /// The server's address.
    #[arg(long = "server", value_name = "URL", env = "PORTOLAN_SERVER")]
    url: String,
    /// An access token, of an account or a robot that may push.
    #[arg(long, value_name = "TOKEN", env = "PORTOLAN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Sign in as this account; its password is read from standard input, unless there is a token.
    #[arg(long = "user", value_name = "NAME", required_unless_present = "token")]
    sign_in: Option<String>,
    /// Trust this certificate besides those of the system (PEM).
    #[arg(long, value_name = "FILE", env = "PORTOLAN_CA")]
    ca: Option<PathBuf>,
}

impl Server {
    pub(super) async fn connect(&self, clock: Clock) -> anyhow::Result<Endpoint> {
        let secret = match &self.token {
            Some(token) => Secret::new(token.clone()),
            None => password::read()?,
        };
        let name = match &self.sign_in {
            Some(name) => name.clone(),
            None => self.name_of(&secret, clock.clone()).await?,
        };
        Endpoint::new(
            &self.url,
            Some(Account { name, secret }),
            Vec::new(),
            self.ca.as_deref(),
            clock,
        )
    }

    /// Whose token it is: the registry's token endpoint wants both.
    async fn name_of(&self, token: &Secret<String>, clock: Clock) -> anyhow::Result<String> {
        let endpoint = Endpoint::new(&self.url, None, Vec::new(), self.ca.as_deref(), clock)?;
        let request = endpoint.api(Method::GET, "/account")?.bearer_auth(token.expose());
        let answer = ask(&endpoint, request).await?;
        let name = answer.1["name"].as_str().filter(|_| answer.0.is_success());
        name.map(str::to_owned)
            .with_context(|| format!("{} does not know this token", endpoint.host()))
    }
}

/// Makes an organisation for each namespace that has no owner yet.
pub(super) async fn create_organisations(target: &Endpoint, pairs: &[Pair]) -> anyhow::Result<()> {
    let account = target.account().context("nobody has signed in")?;
    let namespaces: BTreeSet<&str> = pairs
        .iter()
        .map(|pair| pair.target.namespace())
        .filter(|name| *name != LIBRARY)
        .collect();
    for name in namespaces {
        let request = target
            .api(Method::POST, "/organisations")?
            .basic_auth(&account.name, Some(account.secret.expose()))
            .header(CONTENT_TYPE, "application/json")
            .body(json!({"name": name}).to_string());
        let (status, answer) = ask(target, request).await?;
        let is_there = status == http::StatusCode::CONFLICT;
        anyhow::ensure!(
            status.is_success() || is_there,
            "the organisation {name}: {} ({status})",
            answer["detail"].as_str().unwrap_or("the answer says no more")
        );
    }
    Ok(())
}

async fn ask(
    endpoint: &Endpoint,
    request: reqwest::RequestBuilder,
) -> anyhow::Result<(http::StatusCode, Value)> {
    let response = request
        .send()
        .await
        .with_context(|| format!("asking {}", endpoint.host()))?;
    let status = response.status();
    let body = read(response, MOST, &endpoint.host()).await?;
    let answer = serde_json::from_slice(&body).unwrap_or_else(|_| json!({"detail": said(&body)}));
    Ok((status, answer))
}

impl Listener for Endpoint {
    async fn hear(&self, report: &Report<'_>) -> Result<(), String> {
        let account = self.account().ok_or("nobody has signed in")?;
        let request = self
            .api(Method::PUT, &format!("/work/{}", report.run))
            .map_err(|fault| fault.to_string())?
            .basic_auth(&account.name, Some(account.secret.expose()))
            .header(CONTENT_TYPE, "application/json")
            .body(told(report).to_string());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(answer.status().to_string()),
            Err(error) => Err(shared::causes::in_one_line(&error.without_url())),
        }
    }

    fn name(&self) -> String {
        self.host()
    }
}

fn told(report: &Report<'_>) -> Value {
    let mut told = json!({
        "sequence": report.sequence,
        "elapsed_ms": report.elapsed_ms,
        "about": report.subject.about,
        "subject": report.subject.source,
        "phase": report.phase,
        "unit": "repositories",
        "done": report.done,
        "total": report.total,
        "bytes": report.bytes,
        "is_dry_run": report.subject.is_rehearsal,
    });
    if let Some((outcome, message)) = report.end {
        told["outcome"] = outcome.into();
        told["message"] = message.into();
    }
    told
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::extract::State;
    use axum::routing::put;
    use http::StatusCode;

    use super::*;
    use crate::import::telling::Subject;

    type Heard = Arc<Mutex<Vec<Value>>>;

    async fn take(State(heard): State<Heard>, body: String) -> StatusCode {
        heard.lock().unwrap().push(serde_json::from_str(&body).unwrap());
        StatusCode::NO_CONTENT
    }

    async fn server(router: Router) -> Endpoint {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (clock, _) = Clock::fixed(1_700_000_000_000);
        let account = Account {
            name: "ada".to_owned(),
            secret: Secret::new("secret".to_owned()),
        };
        Endpoint::new(&url, Some(account), Vec::new(), None, clock).unwrap()
    }

    #[tokio::test]
    async fn a_server_is_told_how_far_an_import_is_unless_it_does_not_know_that() {
        let subject = Subject {
            source: "harbor.example".to_owned(),
            about: Some("team".to_owned()),
            is_rehearsal: true,
        };
        let report = Report {
            run: "0a",
            sequence: 2,
            elapsed_ms: 1_000,
            subject: &subject,
            phase: "copying",
            done: 1,
            total: 3,
            bytes: Some(12),
            end: Some(("failed", "1 of 3 repositories is not whole")),
        };
        let heard = Heard::default();
        let router = Router::new()
            .route("/api/v1/work/0a", put(take))
            .with_state(Arc::clone(&heard));
        server(router).await.hear(&report).await.unwrap();
        let expected = json!({"sequence": 2, "elapsed_ms": 1_000, "about": "team", "subject": "harbor.example",
            "phase": "copying", "unit": "repositories", "done": 1, "total": 3, "bytes": 12, "is_dry_run": true,
            "outcome": "failed", "message": "1 of 3 repositories is not whole"});
        assert_eq!(*heard.lock().unwrap(), [expected]);
        let older = server(Router::new()).await;
        assert!(older.hear(&report).await.unwrap_err().contains("404"));
    }
}
