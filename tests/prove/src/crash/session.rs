//! An upload session that may be cut off at any moment, and is then resumed.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use harness::api::Answer;
use harness::archive::digest;
use http::Method;

use super::ledger::{Key, Ledger};
use super::service::Access;
use crate::Random;

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No answer: it is not known what it did.
    Cut,
    /// An answer that was not expected.
    Refused(String),
}

/// Content that is made anew whenever it is needed.
#[derive(Debug, Clone)]
pub(super) struct Content {
    seed: u64,
    pub(super) length: usize,
    pub(super) digest: String,
}

/// A session and how far it is known to be.
#[derive(Debug)]
pub(crate) struct Session {
    repository: String,
    location: String,
    content: Content,
    /// Bytes that were acknowledged, or found after a crash.
    stored: usize,
    /// Bytes that were sent.
    sent: usize,
    /// Whether a request that ends it was sent.
    ending: bool,
}

impl Content {
    pub(super) fn new(random: &mut Random, length: usize) -> Self {
        let seed = random.next();
        let digest = digest(&Random::new(seed).bytes(length));
        Self { seed, length, digest }
    }

    pub(super) fn bytes(&self) -> Bytes {
        Random::new(self.seed).bytes(self.length).into()
    }
}

const OCTETS: (&str, &str) = ("content-type", "application/octet-stream");

impl Session {
    pub(super) async fn begin(
        access: &Access,
        server: usize,
        repository: &str,
        content: Content,
    ) -> Result<Self, Trouble> {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = access.send(server, Method::POST, &path, &[], Bytes::new()).await;
        let answer = expect(answer, 202)?;
        Ok(Self {
            repository: repository.to_owned(),
            location: header(&answer, "location")?,
            content,
            stored: 0,
            sent: 0,
            ending: false,
        })
    }

    /// Sends the next chunk of at most `chunk` bytes; the last one ends the session, which the answer tells.
    pub(super) async fn go_on(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
        chunk: usize,
    ) -> Result<bool, Trouble> {
        let all = self.content.bytes();
        let end = self.stored.saturating_add(chunk).min(all.len());
        let piece = all.slice(self.stored..end);
        let range = format!("{}-{}", self.stored, end.saturating_sub(1));
        let mut headers = vec![OCTETS];
        if !piece.is_empty() && self.stored > 0 {
            headers.push(("content-range", &range));
        }
        self.sent = end;
        if end < all.len() {
            let answer = access
                .send(server, Method::PATCH, &self.location, &headers, piece)
                .await;
            let answer = expect(answer, 202)?;
            ledger.count("chunks");
            self.stored = end;
            self.location = header(&answer, "location")?;
            return Ok(false);
        }
        self.ending = true;
        let change = [(self.key(), Some(self.content.digest.clone()))];
        ledger.intend(&change);
        let join = if self.location.contains('?') { '&' } else { '?' };
        let path = format!("{}{join}digest={}", self.location, self.content.digest);
        let answer = access.send(server, Method::PUT, &path, &headers, piece).await;
        expect(answer, 201)?;
        ledger.acknowledge("blobs", &change);
        Ok(true)
    }

    /// Ends the session without a blob.
    pub(super) async fn cancel(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
    ) -> Result<(), Trouble> {
        self.ending = true;
        let answer = access
            .send(server, Method::DELETE, &self.location, &[], Bytes::new())
            .await;
        expect(answer, 204)?;
        ledger.count("cancelled_uploads");
        Ok(())
    }

    /// Asks after a crash how far the session is; false: it is gone, and may be. `chunks_last` says whether
    /// acknowledged chunks survive this kind of crash. An error is a broken promise.
    pub(super) async fn find(&mut self, access: &Access, server: usize, chunks_last: bool) -> Result<bool> {
        let answer = access
            .send(server, Method::GET, &self.location, &[], Bytes::new())
            .await?;
        match answer.status {
            404 if self.ending || !chunks_last => Ok(false),
            404 => bail!("{self} is gone, and nothing had ended it"),
            204 => {
                let range = answer.header("range")?;
                let last: usize = range.strip_prefix("0-").context("read the range")?.parse()?;
                // Nothing and one byte look the same, and no chunk is that short (distribution-spec, "Resuming").
                let found = if last == 0 { 0 } else { last + 1 };
                let least = if chunks_last { self.stored } else { 0 };
                if found < least || found > self.sent {
                    bail!("{self} holds {found} bytes");
                }
                answer.header("location")?.clone_into(&mut self.location);
                (self.stored, self.sent, self.ending) = (found, found, false);
                Ok(true)
            }
            _ => bail!("{self}: {answer}"),
        }
    }

    /// What becomes of it.
    pub(super) fn key(&self) -> Key {
        Key::Blob(self.repository.clone(), self.content.digest.clone())
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the upload {} ({} bytes acknowledged, {} sent, of {})",
            self.location, self.stored, self.sent, self.content.length
        )
    }
}

/// The answer with this status; anything else is trouble.
pub(super) fn expect(answer: Result<Answer>, status: u16) -> Result<Answer, Trouble> {
    match answer {
        Err(_) => Err(Trouble::Cut),
        Ok(answer) if answer.status == status => Ok(answer),
        Ok(answer) => Err(Trouble::Refused(format!("should have been {status}: {answer}"))),
    }
}

fn header(answer: &Answer, name: &str) -> Result<String, Trouble> {
    let value = answer
        .header(name)
        .map_err(|error| Trouble::Refused(format!("{error:#}")))?;
    Ok(value.to_owned())
}
