//! What the server answers, cell by cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::api::Api;
use harness::command::RUNTIME;
use harness::server::Server;
use harness::{Context as _, Result, ensure};
use http::Method;
use serde_json::Value;
use tokio::task::JoinSet;

use super::policy::RIGHTS;
use super::world::{Shown, World};

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) principal: usize,
    pub(super) credential: usize,
    pub(super) resource: usize,
    /// Index in [`RIGHTS`].
    pub(super) action: usize,
    pub(super) allowed: bool,
    /// Who said so.
    pub(super) way: &'static str,
}

/// All answers, and how many came which way.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) seen: Vec<Cell>,
    pub(super) by_token: usize,
    pub(super) by_registry: usize,
    pub(super) by_api: usize,
}

/// Resources that one token request names.
const TOGETHER: usize = 25;
/// Requests at once.
const PARALLEL: usize = 8;

pub(super) fn observe(server: &Server, world: &World) -> Result<Cells> {
    let asker = Arc::new(Asker {
        http: Api::new(&server.url(), None)?.http().clone(),
        url: server.url(),
        service: server.host(),
    });
    let mut jobs = Vec::new();
    for (principal, who) in world.principals.iter().enumerate() {
        for (credential, shown) in who.credentials.iter().enumerate() {
            let all: Vec<(usize, String)> = world
                .resources
                .iter()
                .map(|resource| resource.name.clone())
                .enumerate()
                .collect();
            for names in all.chunks(TOGETHER) {
                jobs.push((principal, credential, shown.shown.clone(), names.to_vec()));
            }
        }
    }
    RUNTIME.block_on(async {
        let mut cells = Cells::default();
        let mut running = JoinSet::new();
        let mut jobs = jobs.into_iter();
        loop {
            while running.len() < PARALLEL
                && let Some((principal, credential, shown, names)) = jobs.next()
            {
                let asker = Arc::clone(&asker);
                running.spawn(async move { asker.ask(principal, credential, &shown, &names).await });
            }
            let Some(done) = running.join_next().await else {
                break;
            };
            for cell in done?? {
                match cell.way {
                    "token" => cells.by_token += 1,
                    "registry" => cells.by_registry += 1,
                    _ => cells.by_api += 1,
                }
                cells.seen.push(cell);
            }
        }
        Ok(cells)
    })
}

struct Asker {
    http: reqwest::Client,
    url: String,
    service: String,
}

impl Asker {
    /// The five actions on each of the names: what a token says, what the registry does with it, what the API says.
    async fn ask(
        &self,
        principal: usize,
        credential: usize,
        shown: &Shown,
        names: &[(usize, String)],
    ) -> Result<Vec<Cell>> {
        let token = self.token(shown, names).await?;
        let granted = token
            .as_ref()
            .map(|(_, granted)| granted.clone())
            .unwrap_or_default();
        let mut cells = Vec::new();
        for (resource, name) in names {
            let mut add = |action: usize, allowed: bool, way| {
                cells.push(Cell {
                    principal,
                    credential,
                    resource: *resource,
                    action,
                    allowed,
                    way,
                });
            };
            for (action, right) in RIGHTS.iter().enumerate().take(3) {
                let allowed = granted
                    .get(name)
                    .is_some_and(|rights| rights.contains(&(*right).to_owned()));
                add(action, allowed, "token");
                if let Some((token, _)) = &token {
                    add(action, self.try_registry(token, name, right).await?, "registry");
                }
            }
            for (action, right) in RIGHTS.iter().enumerate() {
                if let Some(allowed) = self.explained(shown, name, right).await? {
                    add(action, allowed, "API");
                }
            }
        }
        Ok(cells)
    }

    /// A token with what is granted of everything on these names; `None` when the login itself is refused.
    async fn token(
        &self,
        shown: &Shown,
        names: &[(usize, String)],
    ) -> Result<Option<(String, BTreeMap<String, Vec<String>>)>> {
        let scopes: Vec<String> = names
            .iter()
            .map(|(_, name)| format!("repository:{name}:pull,push,delete"))
            .collect();
        let url = format!("{}/token", self.url);
        let request = match shown {
            Shown::Refresh(token) => {
                let form = format!(
                    "grant_type=refresh_token&client_id=docker&service={}&refresh_token={token}&scope={}",
                    self.service,
                    scopes.join("+")
                );
                self.http
                    .post(url)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(form)
            }
            Shown::Basic(account) => self
                .http
                .get(query(&url, &self.service, &scopes))
                .header("authorization", account.basic()),
            Shown::Nothing => self.http.get(query(&url, &self.service, &scopes)),
        };
        let response = request.send().await?;
        let status = response.status().as_u16();
        if matches!(status, 401 | 403) {
            return Ok(None);
        }
        let body: Value = serde_json::from_str(&response.text().await?).context("read a token")?;
        ensure!(status == 200, "the token endpoint answers {status}: {body}");
        let token = body["token"].as_str().context("no token")?.to_owned();
        let mut granted = BTreeMap::new();
        for scope in body["scope"].as_str().unwrap_or_default().split_whitespace() {
            let (head, actions) = scope.rsplit_once(':').context("a scope has three parts")?;
            let name = head
                .strip_prefix("repository:")
                .context("a scope of a repository")?;
            granted.insert(name.to_owned(), actions.split(',').map(str::to_owned).collect());
        }
        Ok(Some((token, granted)))
    }

    /// Whether the registry lets a request with this token through to the repository; none of them changes anything.
    async fn try_registry(&self, token: &str, name: &str, action: &str) -> Result<bool> {
        let (method, path, passed): (_, _, &[u16]) = match action {
            "pull" => (Method::HEAD, format!("/v2/{name}/manifests/1"), &[200, 404]),
            "push" => (Method::PUT, format!("/v2/{name}/manifests/never"), &[400]),
            _ => (Method::DELETE, format!("/v2/{name}/manifests/never"), &[404]),
        };
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.url))
            .bearer_auth(token);
        if action == "push" {
            request = request
                .header("content-type", "application/vnd.oci.image.manifest.v1+json")
                .body("{}");
        }
        let status = request.send().await?.status().as_u16();
        ensure!(
            status == 401 || passed.contains(&status),
            "{method} {path} answers {status}, which is neither a refusal nor what follows it"
        );
        Ok(status != 401)
    }

    /// What the API says of oneself; a refresh token cannot ask it.
    async fn explained(&self, shown: &Shown, name: &str, action: &str) -> Result<Option<bool>> {
        let url = format!(
            "{}/api/v1/access/explain?repository={name}&action={action}",
            self.url
        );
        let request = match shown {
            Shown::Refresh(_) => return Ok(None),
            Shown::Basic(account) => self.http.get(url).header("authorization", account.basic()),
            Shown::Nothing => self.http.get(url),
        };
        let response = request.send().await?;
        if response.status() != 200 {
            ensure!(
                matches!(response.status().as_u16(), 401 | 403 | 404),
                "explain answers {}",
                response.status()
            );
            return Ok(Some(false));
        }
        let body: Value = serde_json::from_str(&response.text().await?)?;
        Ok(Some(body["allowed"].as_bool().context("allowed is missing")?))
    }
}

fn query(url: &str, service: &str, scopes: &[String]) -> String {
    format!("{url}?service={service}&scope={}", scopes.join("&scope="))
}
