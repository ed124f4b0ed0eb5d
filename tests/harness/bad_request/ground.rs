//! A server of the test's own with one good image, and what must still hold after everything that was done to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::api::Api;
use crate::archive::digest;
use crate::server::Options;
use crate::{Account, Context as _, Journey, Result, Server, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::wire::{Reply, Request};

/// A server, an account, and its one repository `<account>/kept` with the tag `good`.
#[derive(Debug)]
pub struct Ground {
    pub server: Server,
    pub account: Account,
    /// Allows everything on [`Self::repository`].
    pub token: String,
    /// The digest of the good manifest.
    pub manifest: String,
    /// The digest of its layer, whose content is [`LAYER`].
    pub layer: String,
    before: BTreeMap<PathBuf, String>,
}

pub const LAYER: &str = "the one good layer";

impl Ground {
    pub fn prepare(journey: &Journey) -> Result<Self> {
        Self::prepare_with(journey, Options::default())
    }

    pub fn prepare_with(journey: &Journey, options: Options) -> Result<Self> {
        let server = Server::own(journey, options)?;
        let account = server.account(journey, "ground")?;
        let api = server.api(&account)?;
        let repository = format!("{}/kept", account.name);
        let manifest = api.push_small_image(&repository, "good", LAYER)?;
        let token = token(
            &api,
            &server,
            &[&format!("repository:{repository}:pull,push,delete")],
        )?;
        // A session that was begun and cancelled leaves whatever folders sessions need.
        let location = api.begin_upload(&repository)?;
        api.send(http::Method::PATCH, &location, &[], "begun".into())?
            .expect(202)?;
        api.delete(&location)?.expect(204)?;
        let layer = digest(LAYER.as_bytes());
        let before = tree(server.data())?;
        ensure!(
            before.len() > 10,
            "an empty data folder proves nothing: {before:?}"
        );
        Ok(Self {
            server,
            account,
            token,
            manifest,
            layer,
            before,
        })
    }

    pub fn repository(&self) -> String {
        format!("{}/kept", self.account.name)
    }

    /// Sends a request with the token that allows everything on the repository.
    pub fn send(&self, request: Request) -> Result<Reply> {
        request.bearer(&self.token).send(self.server.port())
    }

    /// Sends a request without any token.
    pub fn send_bare(&self, request: &Request) -> Result<Reply> {
        request.send(self.server.port())
    }

    /// A token of the index for this account and these scopes.
    pub fn token_for(&self, scopes: &[&str]) -> Result<String> {
        token(&self.server.api(&self.account)?, &self.server, scopes)
    }

    /// The bytes of the good manifest.
    pub fn good_manifest(&self) -> Result<Vec<u8>> {
        let target = format!("/v2/{}/manifests/good", self.repository());
        let reply = self.send(Request::new("GET", target).header("Accept", "*/*"))?;
        ensure!(reply.status == 200, "should have been 200: {reply}");
        Ok(reply.body)
    }

    /// Begins an upload session in the repository and gives its location.
    pub fn begin(&self) -> Result<String> {
        let path = format!("/v2/{}/blobs/uploads/", self.repository());
        let reply = self.send(Request::new("POST", path))?;
        ensure!(reply.status == 202, "should have been 202: {reply}");
        Ok(reply.header("location").context("no location")?.to_owned())
    }

    /// Ends an upload session, so that nothing of the test's own is left.
    pub fn cancel(&self, location: &str) -> Result<()> {
        let reply = self.send(Request::new("DELETE", location))?;
        ensure!(reply.status == 204, "should have been 204: {reply}");
        Ok(())
    }

    /// That the server lives, did not panic, still gives the good image, and keeps on disk what it kept before and
    /// nothing more.
    pub fn is_unharmed(&self) -> Result<()> {
        self.serves_well()?;
        let after = tree(self.server.data())?;
        let mut differences: Vec<String> = Vec::new();
        for path in self.before.keys().chain(after.keys()) {
            if self.before.get(path) != after.get(path) {
                let change = match (self.before.contains_key(path), after.contains_key(path)) {
                    (true, true) => "changed",
                    (true, false) => "gone",
                    _ => "left behind",
                };
                differences.push(format!("{change}: {}", path.display()));
            }
        }
        ensure!(
            differences.is_empty(),
            "the data folder is another:\n{}",
            differences.join("\n")
        );
        Ok(())
    }

    /// That the server lives, did not panic and still gives the good image.
    pub fn serves_well(&self) -> Result<()> {
        self.no_panic()?;
        let api = self.server.api(&self.account)?;
        let manifest = api.manifest(&self.repository(), "good")?.expect(200)?;
        ensure!(
            manifest.header("docker-content-digest")? == self.manifest,
            "the tag moved: {manifest}"
        );
        let layer = api
            .get(&format!("/v2/{}/blobs/{}", self.repository(), self.layer))?
            .expect(200)?;
        ensure!(layer.body == LAYER.as_bytes(), "other bytes: {layer}");
        Ok(())
    }

    /// That the server lives and did not panic.
    pub fn no_panic(&self) -> Result<()> {
        ensure!(self.server.ended()?.is_none(), "the server ended");
        let log = std::fs::read(self.server.log()).context("read the log")?;
        let log = String::from_utf8_lossy(&log);
        let fault = log
            .lines()
            .find(|line| line.contains("panicked") || line.contains("panic.location"));
        ensure!(fault.is_none(), "a panic: {}", fault.unwrap_or_default());
        Ok(())
    }
}

fn token(api: &Api, server: &Server, scopes: &[&str]) -> Result<String> {
    let answer = api
        .token(&format!("{}/token", server.url()), &server.host(), scopes)?
        .expect(200)?;
    let json = answer.json()?;
    Ok(json["token"]
        .as_str()
        .with_context(|| format!("no token: {answer}"))?
        .to_owned())
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Result<Value> {
    let payload = token.split('.').nth(1).context("not a token")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?)
}

/// Every file below a folder with the digest of its content; empty folders too. Left out is what changes by itself: the
/// pages of the database, files that are only there to be locked, and what waits to be told to the index or has been.
fn tree(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries = std::fs::read_dir(&folder)
            .with_context(|| format!("list {}", folder.display()))?
            .peekable();
        // The folder of the states of uploads comes with the first upload that needs it, and stays.
        if entries.peek().is_none() && !folder.ends_with("portolan/uploads") {
            found.insert(
                folder.strip_prefix(root)?.to_owned(),
                "an empty folder".to_owned(),
            );
        }
        for entry in entries {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type()?.is_dir() {
                if !["locks", "events", "trash"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if !name.starts_with("index.db") && !name.starts_with("lease-") {
                let content = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
                found.insert(path.strip_prefix(root)?.to_owned(), digest(&content));
            }
        }
    }
    Ok(found)
}
