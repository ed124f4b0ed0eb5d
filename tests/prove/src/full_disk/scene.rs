//! A server on a small disk, and what is done while that is full.

use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use harness::api::{Answer, Api};
use harness::archive::digest;
use harness::layout::IMAGE_MANIFEST;
use harness::process::wait_for;
use harness::server::{Options, Server};
use harness::volume::Volume;
use http::Method;

use crate::image::{Image, Puller};
use crate::{Random, Run, Verdict};

/// Most uploads until the disk must be full.
const UPLOADS: usize = 200;
/// Longest wait for what is done in the background.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where blobs go while the disk fills.
const FILLED: &str = "admin/filled";

/// Everything is on the one volume: content, accounts, keys.
pub(super) struct Scene {
    volume: Volume,
    server: Server,
    name: &'static str,
    random: Random,
    kept: Arc<Image>,
    /// Digests of what was acknowledged, with seed and length of the bytes.
    acknowledged: Vec<(String, u64, usize)>,
    deleted: Vec<String>,
}

impl Scene {
    pub(super) fn prepare(run: &mut Run<'_>, volume: Volume, name: &'static str) -> Result<Self> {
        let sabotage = if run.control {
            vec!["env".to_owned(), "PORTOLAN_SABOTAGE=ignore-full-disk".to_owned()]
        } else {
            Vec::new()
        };
        let options = Options {
            data: Some(volume.path().join("data")),
            launcher: sabotage,
            ..Options::default()
        };
        let server = Server::own(run.journey, options)?;
        let mut random = run.random.fork();
        let api = server.api(&server.admin()?)?;
        let kept = Image::push(&api, "admin/kept", "latest", &mut random, &[1 << 20, 40_000])?;
        api.push_blob(FILLED, "the repository exists")?;
        Ok(Self {
            volume,
            server,
            name,
            random,
            kept: Arc::new(kept),
            acknowledged: Vec::new(),
            deleted: Vec::new(),
        })
    }

    /// A caller who has to log in first.
    fn api(&self) -> Result<Api> {
        self.server.api(&self.server.admin()?)
    }

    pub(super) fn fill_and_free(&mut self, cycle: usize, starts: bool, verdict: &mut Verdict) -> Result<()> {
        let api = self.api()?;
        let victim = Image::push(
            &api,
            "admin/victim",
            &format!("v{cycle}"),
            &mut self.random,
            &[3_000],
        )?;
        let puller = Puller::start(self.api()?, Arc::clone(&self.kept));
        let room = 64 << 10 | self.random.below(512 << 10);
        self.volume.leave(room)?;
        self.upload_until_full(&api, verdict)?;
        self.volume.fill()?;
        self.write_to_the_full(&api, cycle, verdict)?;
        self.delete(&victim, verdict)?;
        self.nothing_is_left(verdict)?;
        if starts {
            end(puller, verdict)?;
            self.volume.fill()?;
            // After an orderly end SQLite has to make its log anew.
            if self.random.below(2) == 0 {
                self.server.kill();
            } else {
                self.server.stop()?;
            }
            if let Err(error) = self.server.start_again() {
                verdict.violation(format!("{}: no start on a full disk: {error:#}", self.name));
                self.volume.free()?;
                return self.server.start_again();
            }
            verdict.count("starts_while_full", 1);
            self.still_pulls(verdict)?;
        } else {
            self.still_pulls(verdict)?;
            end(puller, verdict)?;
        }
        self.recover(verdict)
    }

    /// How the server ended, if it has by itself.
    pub(super) fn ended(&self) -> Result<Option<ExitStatus>> {
        self.server.ended()
    }

    /// Uploads of every form; each is refused or is there.
    fn upload_until_full(&mut self, api: &Api, verdict: &mut Verdict) -> Result<()> {
        for number in 0..UPLOADS {
            if !self.upload(api, number, verdict)? {
                return Ok(());
            }
        }
        verdict.violation(format!("{}: a full disk takes all uploads", self.name));
        Ok(())
    }

    /// Whether an upload was acknowledged.
    fn upload(&mut self, api: &Api, form: usize, verdict: &mut Verdict) -> Result<bool> {
        let seed = self.random.next();
        let length = usize::try_from(10_000 + self.random.below(300_000))?;
        let bytes = Bytes::from(Random::new(seed).bytes(length));
        let digest = digest(&bytes);
        let answer = match form % 3 {
            0 => {
                let path = format!("/v2/{FILLED}/blobs/uploads/?digest={digest}");
                api.send(Method::POST, &path, &[], bytes.clone())?
            }
            1 => whole(api, &bytes, &digest)?,
            _ => in_pieces(api, &bytes, &digest)?,
        };
        if answer.status != 201 {
            refused(&answer, self.name, verdict);
            return Ok(false);
        }
        verdict.count("uploads_acknowledged", 1);
        let back = api.get(&format!("/v2/{FILLED}/blobs/{digest}"))?;
        verdict.require(back.status == 200 && back.body == bytes, || {
            format!(
                "{}: a blob of {length} bytes was acknowledged and is not there: {} with {} bytes",
                self.name,
                back.status,
                back.body.len()
            )
        });
        self.acknowledged.push((digest, seed, length));
        Ok(true)
    }

    /// Everything that writes, with not a byte left: each is refused clearly, or holds.
    fn write_to_the_full(&mut self, api: &Api, cycle: usize, verdict: &mut Verdict) -> Result<()> {
        for form in 0..3 {
            self.upload(api, form, verdict)?;
        }
        let text = String::from_utf8_lossy(&self.kept.manifest).into_owned();
        let other = text.replacen('{', &format!("{{\"annotations\":{{\"cycle\":\"{cycle}\"}},"), 1);
        let path = format!("/v2/{}/manifests/full{cycle}", self.kept.repository);
        let answer = api.send(
            Method::PUT,
            &path,
            &[("content-type", IMAGE_MANIFEST)],
            other.into(),
        )?;
        if answer.status == 201 {
            let back = api.get(&path)?.status;
            verdict.require(back == 200, || {
                format!("{}: {path} was acknowledged, then {back}", self.name)
            });
        } else {
            refused(&answer, self.name, verdict);
        }
        Ok(())
    }

    /// Deletes work: nobody who is out of room can make room otherwise.
    fn delete(&mut self, victim: &Image, verdict: &mut Verdict) -> Result<()> {
        let api = self.api()?;
        for (path, _) in victim.paths() {
            let answer = api.delete(&path)?;
            if answer.status != 202 {
                verdict.violation(format!("{}: a delete on the full disk: {answer}", self.name));
                continue;
            }
            verdict.count("deletes_while_full", 1);
            let after = api.get(&path)?.status;
            verdict.require(after == 404, || {
                format!("{}: {path} was deleted, then {after}", self.name)
            });
            self.deleted.push(path);
        }
        Ok(())
    }

    /// The space of what was refused is given back.
    fn nothing_is_left(&self, verdict: &mut Verdict) -> Result<()> {
        let area = self.server.storage().join("portolan");
        for folder in ["staging", "tmp", "trash"] {
            let what = format!("the end of the files in {folder}");
            let emptied = wait_for(&what, PATIENCE, || {
                Ok((entries(&area.join(folder))? == 0).then_some(()))
            });
            if emptied.is_err() {
                verdict.violation(format!(
                    "{}: {folder} keeps {} files",
                    self.name,
                    entries(&area.join(folder))?
                ));
            }
        }
        Ok(())
    }

    /// With a login of its own, for which the index needs no room.
    fn still_pulls(&self, verdict: &mut Verdict) -> Result<()> {
        match self.kept.pull(&self.api()?) {
            Ok(()) => verdict.count("pulls_with_a_login_while_full", 1),
            Err(error) => verdict.violation(format!("{}: a pull on the full disk: {error:#}", self.name)),
        }
        Ok(())
    }

    /// Room again: the very first upload succeeds, without a restart.
    fn recover(&mut self, verdict: &mut Verdict) -> Result<()> {
        let api = self.api()?;
        self.volume.free()?;
        let begun = Instant::now();
        let first = self.upload(&api, 2, verdict)?;
        let took = u64::try_from(begun.elapsed().as_millis())?;
        verdict.require(first, || {
            format!("{}: refused though there is room again", self.name)
        });
        let longest = verdict
            .figures
            .get("longest_first_upload_with_room_ms")
            .and_then(serde_json::Value::as_u64);
        verdict.figure(
            "longest_first_upload_with_room_ms",
            longest.unwrap_or_default().max(took),
        );
        Ok(())
    }

    /// After a `kill -9`: what was acknowledged is there, what was deleted is not.
    pub(super) fn audit(&mut self, verdict: &mut Verdict) -> Result<()> {
        self.server.kill();
        self.server.start_again()?;
        let api = self.api()?;
        self.kept.pull(&api)?;
        for (digest, seed, length) in &self.acknowledged {
            let back = api.get(&format!("/v2/{FILLED}/blobs/{digest}"))?;
            let bytes = Random::new(*seed).bytes(*length);
            verdict.require(back.status == 200 && back.body == bytes, || {
                format!("{}: the blob {digest} is lost: {}", self.name, back.status)
            });
        }
        for path in &self.deleted {
            let status = api.get(path)?.status;
            verdict.require(status == 404, || {
                format!("{}: {path} is back: {status}", self.name)
            });
        }
        let log = std::fs::read_to_string(self.server.log())?;
        ensure!(!log.contains("panicked"), "a panic in the log");
        verdict.count(
            "looked_at_in_the_end",
            (self.acknowledged.len() + self.deleted.len()) as u64,
        );
        Ok(())
    }
}

fn whole(api: &Api, bytes: &Bytes, digest: &str) -> Result<Answer> {
    let begun = begin(api)?;
    if begun.status != 202 {
        return Ok(begun);
    }
    api.finish_upload(begun.header("location")?, digest, bytes.clone())
}

fn in_pieces(api: &Api, bytes: &Bytes, digest: &str) -> Result<Answer> {
    let begun = begin(api)?;
    if begun.status != 202 {
        return Ok(begun);
    }
    let half = bytes.len() / 2;
    let patched = api.send(Method::PATCH, begun.header("location")?, &[], bytes.slice(..half))?;
    if patched.status != 202 {
        return Ok(patched);
    }
    api.finish_upload(patched.header("location")?, digest, bytes.slice(half..))
}

fn begin(api: &Api) -> Result<Answer> {
    api.send(
        Method::POST,
        &format!("/v2/{FILLED}/blobs/uploads/"),
        &[],
        Bytes::new(),
    )
}

/// 507 with a body that says what is the matter.
fn refused(answer: &Answer, name: &str, verdict: &mut Verdict) {
    verdict.count("refused_with_507", 1);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let is_clear = answer.error_code().is_ok() && text.contains("full");
    verdict.require(answer.status == 507 && is_clear, || {
        format!("{name}: not clear: {answer}")
    });
}

fn end(puller: Puller, verdict: &mut Verdict) -> Result<()> {
    let (pulls, faults) = puller.end()?;
    verdict.count("pulls_beside", pulls);
    for fault in faults {
        verdict.violation(fault);
    }
    Ok(())
}

/// Files of a folder, without those that are only there to be locked.
fn entries(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        count += usize::from(!entry?.file_name().to_string_lossy().starts_with("lease-"));
    }
    Ok(count)
}
