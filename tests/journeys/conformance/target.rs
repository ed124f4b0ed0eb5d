//! What a check runs against: the registry alone without authentication, or all of Portolan with tokens.

use std::sync::{Mutex, PoisonError};

use harness::api::{Answer, Api};
use harness::journey::unique;
use harness::{Account, Context as _, Journey, Result, Server, ensure};
use http::Method;
use sha2::{Digest as _, Sha256, Sha512};

use super::open_registry::OpenRegistry;
use super::warning;

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub(super) const OCTETS: (&str, &str) = ("content-type", "application/octet-stream");

/// The digest algorithms of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    pub(super) fn of(self, bytes: &[u8]) -> String {
        let hash = match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        };
        let hex: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}:{}", self.name(), hex.concat())
    }
}

/// A registry as one caller sees it, who may push below one prefix, and the digest algorithm that the check uses.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) api: Api,
    pub(super) algorithm: Algorithm,
    prefix: String,
}

/// The account that checks with tokens use now, and how many have used it. An account may have 50 repositories that wait
/// for their first manifest, and a password costs time to hash: so some checks share an account, but not all.
static PUSHER: Mutex<Option<(Account, u32)>> = Mutex::new(None);
const CHECKS_PER_ACCOUNT: u32 = 10;

impl Target {
    /// The registry alone.
    pub(super) fn open(journey: &Journey) -> Result<Self> {
        let registry = OpenRegistry::shared(journey)?;
        let prefix = "conformance".to_owned();
        Ok(Self {
            api: Api::new(&registry.url(), None)?,
            algorithm: Algorithm::Sha256,
            prefix,
        })
    }

    /// The registry alone, with sha512 wherever a check names content.
    pub(super) fn open_sha512(journey: &Journey) -> Result<Self> {
        Ok(Self {
            algorithm: Algorithm::Sha512,
            ..Self::open(journey)?
        })
    }

    /// Both services behind one front door, as an account that owns its namespace.
    pub(super) fn tokens(journey: &Journey) -> Result<Self> {
        let server = Server::shared(journey)?;
        let mut known = PUSHER.lock().unwrap_or_else(PoisonError::into_inner);
        let (account, used) = match known.take().filter(|(_, used)| *used < CHECKS_PER_ACCOUNT) {
            Some(known) => known,
            None => (server.account(journey, "conformance")?, 0),
        };
        *known = Some((account.clone(), used + 1));
        drop(known);
        Ok(Self {
            api: server.api(&account)?,
            algorithm: Algorithm::Sha256,
            prefix: account.name,
        })
    }

    /// The name of a repository that nobody has used yet.
    pub(super) fn repository(&self) -> String {
        format!("{}/r{}/image", self.prefix, unique())
    }

    /// One request. Whatever the answer: its headers are held to what every answer must keep.
    pub(super) fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let answer = self
            .api
            .send(method, path, headers, bytes::Bytes::copy_from_slice(body))?;
        warning::check(&answer)?;
        Ok(answer)
    }

    pub(super) fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, &[], &[])
    }

    pub(super) fn head(&self, path: &str) -> Result<Answer> {
        self.send(Method::HEAD, path, &[], &[])
    }

    pub(super) fn post(&self, path: &str) -> Result<Answer> {
        self.send(Method::POST, path, &[("content-length", "0")], &[])
    }

    pub(super) fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, &[], &[])
    }

    pub(super) fn digest(&self, bytes: &[u8]) -> String {
        self.algorithm.of(bytes)
    }

    /// Begins an upload session (end-4a) and gives its `Location`.
    pub(super) fn begin(&self, repository: &str) -> Result<String> {
        let answer = self
            .post(&format!("/v2/{repository}/blobs/uploads/"))?
            .expect(202)?;
        Ok(answer.header("location")?.to_owned())
    }

    /// Sends a chunk with its place (end-5).
    pub(super) fn chunk(&self, location: &str, start: usize, bytes: &[u8]) -> Result<Answer> {
        let range = format!("{start}-{}", start + bytes.len() - 1);
        self.send(
            Method::PATCH,
            location,
            &[OCTETS, ("content-range", &range)],
            bytes,
        )
    }

    /// Closes a session (end-6), with the rest of the content or none.
    pub(super) fn finish(&self, location: &str, digest: &str, rest: &[u8]) -> Result<Answer> {
        self.send(
            Method::PUT,
            &with_query(location, &format!("digest={digest}")),
            &[OCTETS],
            rest,
        )
    }

    /// Pushes a blob with POST and PUT and gives its digest.
    pub(super) fn push(&self, repository: &str, bytes: &[u8]) -> Result<String> {
        let digest = self.digest(bytes);
        self.finish(&self.begin(repository)?, &digest, bytes)?
            .expect(201)?;
        Ok(digest)
    }

    /// A manifest is put (end-7) under a tag or digest, with a query such as `?tag=a` when needed.
    pub(super) fn put(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<Answer> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send(Method::PUT, &path, &[("content-type", media_type)], body)
    }

    /// A manifest as clients ask for it (end-3).
    pub(super) fn manifest(&self, method: Method, repository: &str, reference: &str) -> Result<Answer> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.send(method, &path, &[("accept", INDEX), ("accept", MANIFEST)], &[])
    }

    /// The content of a blob as the registry gives it.
    pub(super) fn blob(&self, repository: &str, digest: &str) -> Result<Answer> {
        self.get(&format!("/v2/{repository}/blobs/{digest}"))
    }

    /// That a repository holds this blob, by HEAD and by GET.
    pub(super) fn holds(&self, repository: &str, digest: &str, bytes: &[u8]) -> Result<()> {
        let head = self
            .head(&format!("/v2/{repository}/blobs/{digest}"))?
            .expect(200)?;
        ensure!(
            head.header("content-length")? == bytes.len().to_string(),
            "wrong length: {head}"
        );
        ensure!(
            head.header("docker-content-digest")? == digest,
            "wrong digest: {head}"
        );
        ensure!(head.body.is_empty(), "a body in the answer to HEAD: {head}");
        let got = self.blob(repository, digest)?.expect(200)?;
        ensure!(
            got.header("content-length")? == bytes.len().to_string(),
            "wrong length: {got}"
        );
        ensure!(
            got.header("docker-content-digest")? == digest,
            "wrong digest: {got}"
        );
        ensure!(got.body == bytes, "other bytes than were pushed: {got}");
        Ok(())
    }

    /// That a repository does not hold this blob, by HEAD and by GET.
    pub(super) fn lacks(&self, repository: &str, digest: &str) -> Result<()> {
        let head = self
            .head(&format!("/v2/{repository}/blobs/{digest}"))?
            .expect(404)?;
        ensure!(head.body.is_empty(), "a body in the answer to HEAD: {head}");
        refused(&self.blob(repository, digest)?, 404, "BLOB_UNKNOWN")
    }

    /// That this manifest is there under this reference, by HEAD and by GET, byte for byte.
    pub(super) fn shows(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<()> {
        // Clients compute the digest by the algorithm that they asked with, else the registry's own is shown.
        let digest = match reference.split_once(':') {
            Some(_) => reference.to_owned(),
            None => String::new(),
        };
        for method in [Method::HEAD, Method::GET] {
            let answer = self
                .manifest(method.clone(), repository, reference)?
                .expect(200)?;
            ensure!(
                answer.header("content-type")? == media_type,
                "wrong type: {answer}"
            );
            ensure!(
                answer.header("content-length")? == body.len().to_string(),
                "wrong length: {answer}"
            );
            let shown = answer.header("docker-content-digest")?;
            let agrees = shown == Algorithm::Sha256.of(body) || shown == Algorithm::Sha512.of(body);
            ensure!(
                agrees && (digest.is_empty() || shown == digest),
                "wrong digest: {answer}"
            );
            let wanted = if method == Method::HEAD { &[] } else { body };
            ensure!(answer.body == wanted, "other bytes than were put: {answer}");
        }
        Ok(())
    }

    /// Puts a manifest that must be accepted and gives its digest.
    pub(super) fn accepts(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        body: &[u8],
    ) -> Result<String> {
        let answer = self.put(repository, reference, media_type, body)?.expect(201)?;
        let digest = answer.header("docker-content-digest")?.to_owned();
        let algorithm = digest.split(':').next().unwrap_or_default();
        let wanted = if algorithm == "sha512" {
            Algorithm::Sha512
        } else {
            Algorithm::Sha256
        }
        .of(body);
        ensure!(digest == wanted, "wrong digest: {answer}");
        Ok(digest)
    }

    /// The tags of a repository in one page.
    pub(super) fn tags(&self, repository: &str) -> Result<Vec<String>> {
        tags_of(&self.get(&format!("/v2/{repository}/tags/list"))?.expect(200)?)
    }
}

/// The tags in an answer of end-8.
pub(super) fn tags_of(answer: &Answer) -> Result<Vec<String>> {
    let json = answer.json()?;
    serde_json::from_value(json["tags"].clone()).with_context(|| format!("no list of tags: {answer}"))
}

/// A location with one more parameter in its query.
pub(super) fn with_query(location: &str, parameter: &str) -> String {
    let join = if location.contains('?') { '&' } else { '?' };
    format!("{location}{join}{parameter}")
}

/// Content that no other check has: `length` bytes from a small generator.
pub(super) fn noise(length: usize) -> Vec<u8> {
    let mut state = (u64::from(unique()) << 32) ^ 0x9e37_79b9_7f4a_7c15;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(length.div_ceil(8)).flatten().take(length).collect()
}

/// That a request was refused with this status and an error body of the specification's form with this code.
pub(super) fn refused(answer: &Answer, status: u16, code: &str) -> Result<()> {
    refused_with_one_of(answer, &[status], &[code])
}

/// The same where more than one answer is legal.
pub(super) fn refused_with_one_of(answer: &Answer, statuses: &[u16], codes: &[&str]) -> Result<()> {
    ensure!(
        statuses.contains(&answer.status),
        "should have been one of {statuses:?}: {answer}"
    );
    let found = error_code(answer)?;
    ensure!(
        codes.contains(&found.as_str()),
        "should have been one of {codes:?}: {answer}"
    );
    Ok(())
}

/// The code in an error body, whose form is held to the specification ("Error Codes").
pub(super) fn error_code(answer: &Answer) -> Result<String> {
    let media_type = answer.header("content-type")?;
    ensure!(
        media_type.starts_with("application/json"),
        "an error that is not JSON: {answer}"
    );
    let json = answer.json()?;
    let errors = json["errors"].as_array().filter(|errors| !errors.is_empty());
    let errors = errors.with_context(|| format!("no list of errors: {answer}"))?;
    for error in errors {
        let code = error["code"].as_str().unwrap_or_default();
        let upper = code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        ensure!(!code.is_empty() && upper, "not an error code: {answer}");
        let message = error["message"].as_str().unwrap_or_default();
        ensure!(!message.is_empty(), "an error without a sentence: {answer}");
    }
    Ok(errors[0]["code"].as_str().unwrap_or_default().to_owned())
}
