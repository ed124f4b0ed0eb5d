//! A small client of the registry's HTTP interface, for what no command-line client can be made to send.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::archive::digest;
use crate::command::RUNTIME;
use crate::server::Account;

/// A caller of one server, with or without an account.
#[derive(Debug)]
pub struct Api {
    base: String,
    account: Option<Account>,
    http: reqwest::Client,
    authorization: Mutex<Option<String>>,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub request: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Api {
    /// `base` is an URL without a path.
    pub fn new(base: &str, account: Option<Account>) -> Result<Self> {
        Self::build(base, account, reqwest::Client::builder())
    }

    /// The same over TLS, trusting these certificates (PEM) and nothing else.
    pub fn trusting(base: &str, account: Option<Account>, pem: &[u8]) -> Result<Self> {
        let roots = reqwest::Certificate::from_pem_bundle(pem).context("read the certificate")?;
        Self::build(base, account, reqwest::Client::builder().tls_certs_only(roots))
    }

    /// The same, and whatever name the URL has leads to this address.
    pub fn trusting_at(base: &str, account: Option<Account>, pem: &[u8], address: &str) -> Result<Self> {
        let roots = reqwest::Certificate::from_pem_bundle(pem).context("read the certificate")?;
        let mut http = reqwest::Client::builder().tls_certs_only(roots);
        let url: reqwest::Url = base.parse().context("read the URL")?;
        if let Some(name) = url.domain() {
            let address: std::net::IpAddr = address.parse().context("read the address")?;
            // The port is the URL's.
            http = http.resolve(name, (address, 0).into());
        }
        Self::build(base, account, http)
    }

    fn build(base: &str, account: Option<Account>, http: reqwest::ClientBuilder) -> Result<Self> {
        let http = http
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_mins(5))
            .build()
            .context("build the HTTP client")?;
        Ok(Self {
            base: base.to_owned(),
            account,
            http,
            authorization: Mutex::default(),
        })
    }

    /// The HTTP client below, for requests that this type does not make.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[], Bytes::new())
    }

    pub fn head(&self, path: &str) -> Result<Answer> {
        self.send(Method::HEAD, path, &[], Bytes::new())
    }

    pub fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, &[], Bytes::new())
    }

    /// One request, answered. A 401 with a challenge is followed by a token request and a second try.
    pub fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Answer> {
        RUNTIME.block_on(self.exchange(method, path, headers, body))
    }

    /// See [`Self::send`].
    pub async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let first = self.once(method.clone(), path, headers, body.clone()).await?;
        if first.status != 401 {
            return Ok(first);
        }
        let challenge = first.header("www-authenticate")?.to_owned();
        let Some(authorization) = self.answer(&challenge).await? else {
            return Ok(first);
        };
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(authorization);
        self.once(method, path, headers, body).await
    }

    /// One request with what authorization there is, never repeated.
    pub async fn once(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer> {
        let url = self.url(path);
        let mut request = self.http.request(method.clone(), &url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let authorization = self
            .authorization
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = request.send().await.with_context(|| format!("{method} {url}"))?;
        Ok(Answer {
            request: format!("{method} {url}"),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response
                .bytes()
                .await
                .with_context(|| format!("{method} {url}: read the body"))?,
        })
    }

    /// The `Authorization` value for a scope, for requests made past this type.
    pub fn authorization_for(&self, scope: &str) -> Result<String> {
        let probe = RUNTIME.block_on(self.once(Method::GET, "/v2/", &[], Bytes::new()))?;
        if probe.status == 200 {
            return self
                .authorization
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
                .ok_or_else(|| anyhow!("the server wants no authorization"));
        }
        let challenge = format!("{},scope=\"{scope}\"", probe.header("www-authenticate")?);
        let answer = RUNTIME.block_on(self.answer(&challenge))?;
        answer.ok_or_else(|| anyhow!("no account to get a token with"))
    }

    /// Fetches a token for the scopes (`GET <realm>` with Basic), as JSON.
    pub fn token(&self, realm: &str, service: &str, scopes: &[&str]) -> Result<Answer> {
        RUNTIME.block_on(self.token_answer(realm, service, scopes))
    }

    async fn token_answer(&self, realm: &str, service: &str, scopes: &[&str]) -> Result<Answer> {
        let mut query = vec![("service", service)];
        query.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let mut request = self.http.get(realm).query(&query);
        if let Some(account) = &self.account {
            request = request.basic_auth(&account.name, Some(&account.password));
        }
        let response = request.send().await.context("fetch a token")?;
        Ok(Answer {
            request: format!("GET {realm} {scopes:?}"),
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.context("read a token")?,
        })
    }

    async fn answer(&self, challenge: &str) -> Result<Option<String>> {
        let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            let Some(account) = &self.account else {
                return Ok(None);
            };
            return Ok(Some(account.basic()));
        }
        let parameter = |name: &str| {
            let start = parameters.find(&format!("{name}=\""))? + name.len() + 2;
            parameters.get(start..)?.split('"').next()
        };
        let realm = parameter("realm").ok_or_else(|| anyhow!("no realm in {challenge}"))?;
        let scopes: Vec<&str> = parameter("scope").into_iter().collect();
        let answer = self
            .token_answer(realm, parameter("service").unwrap_or_default(), &scopes)
            .await?;
        if answer.status == 401 {
            return Ok(None);
        }
        let json = answer.expect(200)?.json()?;
        let token = json["token"]
            .as_str()
            .ok_or_else(|| anyhow!("no token in {json}"))?;
        Ok(Some(format!("Bearer {token}")))
    }

    /// A path of this server or a `Location`, relative or absolute, as an URL.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            path.to_owned()
        }
    }

    /// Begins an upload session and returns its `Location`.
    pub fn begin_upload(&self, repository: &str) -> Result<String> {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.send(Method::POST, &path, &[], Bytes::new())?.expect(202)?;
        Ok(answer.header("location")?.to_owned())
    }

    /// Uploads a blob with POST and one PUT and returns its digest.
    pub fn push_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Result<String> {
        let bytes = bytes.into();
        let digest = digest(&bytes);
        let location = self.begin_upload(repository)?;
        self.finish_upload(&location, &digest, bytes)?.expect(201)?;
        Ok(digest)
    }

    /// Ends an upload session with its last bytes.
    pub fn finish_upload(&self, location: &str, digest: &str, rest: Bytes) -> Result<Answer> {
        let join = if location.contains('?') { '&' } else { '?' };
        let path = format!("{location}{join}digest={}", digest.replace(':', "%3A"));
        self.send(
            Method::PUT,
            &path,
            &[("content-type", "application/octet-stream")],
            rest,
        )
    }

    /// Stores a manifest under a tag or digest and returns its digest.
    pub fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Result<String> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.send(Method::PUT, &path, &[("content-type", media_type)], bytes.into())?;
        Ok(answer.expect(201)?.header("docker-content-digest")?.to_owned())
    }

    /// Reads a manifest of any kind that clients ask for.
    pub fn manifest(&self, repository: &str, reference: &str) -> Result<Answer> {
        let accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json, \
                      application/vnd.docker.distribution.manifest.v2+json";
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send(Method::GET, &path, &[("accept", accept)], Bytes::new())
    }

    /// Pushes a small image made of `text` and returns the manifest's digest.
    pub fn push_small_image(&self, repository: &str, tag: &str, text: &str) -> Result<String> {
        let config = self.push_blob(repository, Bytes::from_static(b"{}"))?;
        let layer = self.push_blob(repository, text.to_owned())?;
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": crate::layout::IMAGE_MANIFEST,
            "config": { "mediaType": crate::layout::IMAGE_CONFIG, "digest": config, "size": 2 },
            "layers": [{ "mediaType": crate::layout::LAYER_GZIP, "digest": layer, "size": text.len() }],
        });
        self.push_manifest(
            repository,
            tag,
            crate::layout::IMAGE_MANIFEST,
            serde_json::to_vec(&manifest)?,
        )
    }
}

impl Answer {
    /// Holds the status to this one.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "should have been {status}: {self}");
        Ok(self)
    }

    pub fn header(&self, name: &str) -> Result<&str> {
        let Some(value) = self.headers.get(name) else {
            bail!("no header {name}: {self}")
        };
        value.to_str().with_context(|| format!("header {name}"))
    }

    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {self}"))
    }

    /// The code of the first error in the body.
    pub fn error_code(&self) -> Result<String> {
        let json = self.json()?;
        let code = json["errors"][0]["code"].as_str();
        Ok(code.ok_or_else(|| anyhow!("no error code: {self}"))?.to_owned())
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(1000)]).into_owned();
        write!(f, "{} → {} {:?}\n{text}", self.request, self.status, self.headers)
    }
}
