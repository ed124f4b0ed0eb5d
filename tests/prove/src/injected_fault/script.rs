//! What is done while calls fail: a token, uploads of each kind, manifests, a moved tag, reading, deleting.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use harness::archive::digest;
use harness::layout::{IMAGE_CONFIG, IMAGE_MANIFEST, LAYER_GZIP};
use harness::server::{Account, Server};
use http::Method;
use serde_json::json;

use super::trial::{Answer, Request, Trial, ask};
use crate::{Random, Verdict};

/// The server that is asked, and an image that lies in it already.
pub(super) struct Ground {
    http: reqwest::Client,
    base: String,
    service: String,
    account: Account,
    mounted: Blob,
}

#[derive(Debug, Clone)]
struct Blob {
    bytes: Bytes,
    digest: String,
}

/// What a trial's acknowledgements promise.
pub(super) struct Kept {
    repository: String,
    refresh_token: String,
    blobs: Vec<Blob>,
    tag: (String, String),
    referrer: (String, String),
    gone: Vec<String>,
}

impl Blob {
    fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            digest: digest(&bytes),
            bytes,
        }
    }
}

impl Ground {
    pub(super) fn prepare(server: &Server) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let account = server.admin()?;
        let mounted = Blob::new(Random::new(0).bytes(9_000));
        server
            .api(&account)?
            .push_blob("admin/ground", mounted.bytes.clone())?;
        Ok(Self {
            http,
            base: server.url(),
            service: server.host(),
            account,
            mounted,
        })
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// `GET /token` with a password.
    pub(super) fn login(&self, account: &Account, scope: &str) -> Request {
        let query = format!(
            "service={}&client_id=prove&offline_token=true&scope={scope}",
            self.service
        );
        Request {
            method: Method::GET,
            url: format!("{}/token?{query}", self.base),
            headers: vec![("authorization", account.basic())],
            body: Bytes::new(),
        }
    }

    /// `POST /token` with a refresh token.
    pub(super) fn refresh(&self, refresh_token: &str) -> Request {
        let form = format!(
            "grant_type=refresh_token&client_id=prove&service={}&refresh_token={refresh_token}",
            self.service
        );
        Request {
            method: Method::POST,
            url: format!("{}/token", self.base),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: form.into(),
        }
    }

    fn scope(repository: &str) -> String {
        format!("repository:{repository}:pull,push,delete&scope=repository:admin/ground:pull")
    }
}

/// The requests of one trial about one repository.
struct Caller<'a> {
    ground: &'a Ground,
    repository: String,
    token: String,
}

impl Caller<'_> {
    fn request(&self, method: Method, path: &str, body: Bytes) -> Request {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else if path.starts_with('/') {
            format!("{}{path}", self.ground.base)
        } else {
            format!("{}/v2/{}/{path}", self.ground.base, self.repository)
        };
        Request {
            method,
            url,
            headers: vec![
                ("authorization", format!("Bearer {}", self.token)),
                ("content-type", "application/octet-stream".to_owned()),
            ],
            body,
        }
    }

    fn ask(
        &self,
        trial: &mut Trial<'_>,
        method: Method,
        path: &str,
        body: Bytes,
        status: u16,
    ) -> Result<Option<Answer>> {
        trial.ask(&self.ground.http, &self.request(method, path, body), status)
    }

    fn plain(
        &self,
        trial: &mut Trial<'_>,
        method: &Method,
        path: &str,
        status: u16,
    ) -> Result<Option<Answer>> {
        trial.step(&format!("{method} {path}"), |trial| {
            self.ask(trial, method.clone(), path, Bytes::new(), status)
        })
    }

    fn begin(&self, trial: &mut Trial<'_>) -> Result<Option<String>> {
        let begun = self.ask(trial, Method::POST, "blobs/uploads/", Bytes::new(), 202)?;
        Ok(begun.and_then(|answer| answer.header("location").map(str::to_owned)))
    }

    /// POST, a PATCH for each third, PUT. An attempt that fails begins anew.
    fn push_in_pieces(&self, trial: &mut Trial<'_>, blob: &Blob) -> Result<Option<Answer>> {
        trial.step("an upload in pieces", |trial| {
            let Some(mut location) = self.begin(trial)? else {
                return Ok(None);
            };
            let third = blob.bytes.len() / 3;
            for piece in [0..third, third..2 * third] {
                let body = blob.bytes.slice(piece);
                let Some(answer) = self.ask(trial, Method::PATCH, &location, body, 202)? else {
                    return Ok(None);
                };
                answer
                    .header("location")
                    .context("no location")?
                    .clone_into(&mut location);
            }
            let path = with_digest(&location, blob);
            self.ask(trial, Method::PUT, &path, blob.bytes.slice(2 * third..), 201)
        })
    }

    fn push_whole(&self, trial: &mut Trial<'_>, blob: &Blob) -> Result<Option<Answer>> {
        trial.step("an upload with POST and PUT", |trial| {
            let Some(location) = self.begin(trial)? else {
                return Ok(None);
            };
            let path = with_digest(&location, blob);
            self.ask(trial, Method::PUT, &path, blob.bytes.clone(), 201)
        })
    }

    fn push_at_once(&self, trial: &mut Trial<'_>, blob: &Blob) -> Result<Option<Answer>> {
        let path = with_digest("blobs/uploads/", blob);
        trial.step("an upload with POST alone", |trial| {
            self.ask(trial, Method::POST, &path, blob.bytes.clone(), 201)
        })
    }

    fn put_manifest(
        &self,
        trial: &mut Trial<'_>,
        reference: &str,
        manifest: &Blob,
    ) -> Result<Option<Answer>> {
        let path = format!("manifests/{reference}");
        let mut request = self.request(Method::PUT, &path, manifest.bytes.clone());
        request.headers.retain(|(name, _)| *name != "content-type");
        request.headers.push(("content-type", IMAGE_MANIFEST.to_owned()));
        trial.step(&format!("PUT {path}"), |trial| {
            trial.ask(&self.ground.http, &request, 201)
        })
    }

    fn read(
        &self,
        trial: &mut Trial<'_>,
        path: &str,
        holds: impl Fn(&Answer) -> bool,
    ) -> Result<Option<Answer>> {
        let answer = self.plain(trial, &Method::GET, path, 200)?;
        if answer.as_ref().is_some_and(|answer| !holds(answer)) {
            trial.violation(&format!("GET {path} answers something else than was stored"))?;
        }
        Ok(answer)
    }
}

fn with_digest(location: &str, blob: &Blob) -> String {
    let join = if location.contains('?') { '&' } else { '?' };
    format!("{location}{join}digest={}", blob.digest)
}

fn manifest(config: &Blob, layers: &[&Blob], note: &str, subject: Option<&Blob>) -> Result<Blob> {
    let descriptor = |media_type: &str, blob: &Blob| json!({ "mediaType": media_type, "digest": blob.digest, "size": blob.bytes.len() });
    let layers: Vec<_> = layers.iter().map(|layer| descriptor(LAYER_GZIP, layer)).collect();
    let mut text = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "config": descriptor(IMAGE_CONFIG, config),
        "layers": layers,
        "annotations": { "note": note },
    });
    if let Some(subject) = subject {
        text["subject"] = descriptor(IMAGE_MANIFEST, subject);
    }
    Ok(Blob::new(serde_json::to_vec(&text)?))
}

/// Plays the whole script in a repository of this number. `None`: a step could not be done at all.
pub(super) fn play(ground: &Ground, trial: &mut Trial<'_>, number: usize) -> Result<Option<Kept>> {
    let repository = format!("admin/r{number}");
    let mut random = Random::new(1_000_000 + number as u64);
    let (first, second) = (
        // Its thirds are long enough to be written past the page cache.
        Blob::new(random.bytes(500_000)),
        Blob::new(random.bytes(70_000)),
    );
    let config = Blob::new(format!("{{\"number\":{number}}}"));
    let spare = Blob::new(random.bytes(3_000));

    let login = ground.login(&ground.account, &Ground::scope(&repository));
    let Some(token) = trial.step("a login", |trial| trial.ask(&ground.http, &login, 200))? else {
        return Ok(None);
    };
    let token = token.json();
    let text = |name: &str| token[name].as_str().unwrap_or_default().to_owned();
    let caller = Caller {
        ground,
        repository: repository.clone(),
        token: text("token"),
    };
    let refresh_token = text("refresh_token");
    ensure!(!refresh_token.is_empty(), "no refresh token: {token}");

    let old = manifest(&config, &[&first], "old", None)?;
    let new = manifest(&config, &[&first, &second, &ground.mounted], "new", None)?;
    let about = manifest(&config, &[&second], "about the new one", Some(&new))?;
    let mut done = || -> Result<Option<()>> {
        macro_rules! must {
            ($step:expr) => {
                if $step?.is_none() {
                    return Ok(None);
                }
            };
        }
        must!(caller.push_in_pieces(trial, &first));
        must!(caller.push_whole(trial, &second));
        must!(caller.push_at_once(trial, &config));
        must!(caller.push_at_once(trial, &spare));
        let mount = format!("blobs/uploads/?mount={}&from=admin/ground", ground.mounted.digest);
        must!(caller.plain(trial, &Method::POST, &mount, 201));
        must!(caller.put_manifest(trial, "moved", &old));
        must!(caller.put_manifest(trial, "moved", &new));
        must!(caller.put_manifest(trial, "deleted", &old));
        must!(caller.put_manifest(trial, &about.digest, &about));
        must!(caller.read(trial, "manifests/moved", |answer| answer.body == new.bytes));
        must!(
            caller.read(trial, &format!("blobs/{}", first.digest), |answer| answer.body
                == first.bytes)
        );
        must!(caller.plain(trial, &Method::HEAD, &format!("blobs/{}", second.digest), 200));
        must!(caller.read(trial, "tags/list", |answer| answer.json()["tags"]
            == json!(["deleted", "moved"])));
        must!(
            caller.read(trial, &format!("referrers/{}", new.digest), |answer| {
                answer.json()["manifests"][0]["digest"] == about.digest.as_str()
            })
        );
        let cancelled = trial.step("an upload that is cancelled", |trial| {
            let Some(location) = caller.begin(trial)? else {
                return Ok(None);
            };
            caller.ask(trial, Method::DELETE, &location, Bytes::new(), 204)
        });
        must!(cancelled);
        must!(deleted(&caller, trial, "manifests/deleted"));
        must!(deleted(&caller, trial, &format!("manifests/{}", old.digest)));
        must!(deleted(&caller, trial, &format!("blobs/{}", spare.digest)));
        let refresh = ground.refresh(&refresh_token);
        must!(trial.step("a refresh", |trial| trial.ask(&ground.http, &refresh, 200)));
        Ok(Some(()))
    };
    if done()?.is_none() {
        return Ok(None);
    }
    Ok(Some(Kept {
        gone: vec![
            "manifests/deleted".to_owned(),
            format!("manifests/{}", old.digest),
            format!("blobs/{}", spare.digest),
        ],
        tag: ("moved".to_owned(), new.digest.clone()),
        referrer: (new.digest, about.digest),
        blobs: vec![first, second, config, ground.mounted.clone()],
        repository,
        refresh_token,
    }))
}

/// A deletion; one whose first attempt failed may have happened all the same, so that the second finds nothing.
fn deleted(caller: &Caller<'_>, trial: &mut Trial<'_>, path: &str) -> Result<Option<()>> {
    let mut attempts = 0;
    trial.step(&format!("DELETE {path}"), |trial| {
        attempts += 1;
        if attempts > 1 {
            let request = caller.request(Method::DELETE, path, Bytes::new());
            return Ok(matches!(ask(&caller.ground.http, &request)?.status, 202 | 404).then_some(()));
        }
        let answer = caller.ask(trial, Method::DELETE, path, Bytes::new(), 202)?;
        Ok(answer.map(drop))
    })
}

impl Kept {
    /// Everything that was acknowledged is there, and what was deleted is not.
    pub(super) fn verify(&self, ground: &Ground, verdict: &mut Verdict) -> Result<()> {
        let token = ask(&ground.http, &ground.refresh(&self.refresh_token))?;
        verdict.require(token.status == 200, || {
            format!("the refresh token is lost: {}", token.status)
        });
        let login = ground.login(&ground.account, &Ground::scope(&self.repository));
        let token = ask(&ground.http, &login)?.json();
        let caller = Caller {
            ground,
            repository: self.repository.clone(),
            token: token["token"].as_str().unwrap_or_default().to_owned(),
        };
        let get = |path: &str| ask(&ground.http, &caller.request(Method::GET, path, Bytes::new()));
        for blob in &self.blobs {
            let answer = get(&format!("blobs/{}", blob.digest))?;
            verdict.require(answer.status == 200 && answer.body == blob.bytes, || {
                format!(
                    "{}: the blob {} is lost: {}",
                    self.repository, blob.digest, answer.status
                )
            });
        }
        let (tag, digest) = &self.tag;
        let answer = get(&format!("manifests/{tag}"))?;
        verdict.require(
            answer.header("docker-content-digest") == Some(digest.as_str()),
            || format!("{}: the tag does not point to {digest}", self.repository),
        );
        let (subject, referrer) = &self.referrer;
        let list = get(&format!("referrers/{subject}"))?.json();
        verdict.require(list["manifests"][0]["digest"] == referrer.as_str(), || {
            format!("{}: the referrer is lost", self.repository)
        });
        let tags = get("tags/list")?.json();
        verdict.require(tags["tags"] == json!([tag]), || {
            format!("{}: tags: {tags}", self.repository)
        });
        for path in &self.gone {
            let answer = get(path)?;
            verdict.require(answer.status == 404, || {
                format!("{}: {path} is back: {}", self.repository, answer.status)
            });
        }
        verdict.count(
            "acknowledgements_checked_after_a_restart",
            4 + (self.blobs.len() + self.gone.len()) as u64,
        );
        Ok(())
    }
}
