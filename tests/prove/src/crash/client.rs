//! A client that changes a registry at random, and knows what it was promised.

use anyhow::Result;
use harness::archive::digest;
use harness::layout::IMAGE_MANIFEST;
use http::Method;

use super::image::{Image, manifest};
use super::ledger::{Change, Key, Ledger};
use super::service::Access;
use super::session::{Content, Session, Trouble, expect};
use crate::Random;

/// Tags of one client in one repository.
pub(super) const TAGS: u64 = 12;
/// Things that a client remembers in order to use or delete them later.
const REMEMBERED: usize = 100;
/// Sessions of one client that wait to be resumed.
const WAITING: usize = 4;

/// One client. Its things are its own: no other client changes them.
#[derive(Debug)]
pub(crate) struct Client {
    name: String,
    pub(super) random: Random,
    pub(super) repositories: Vec<String>,
    /// Blobs that no manifest names, and where they are.
    pub(super) loose: Vec<(String, Content)>,
    pub(super) images: Vec<Image>,
    pub(super) sessions: Vec<Session>,
    made: u64,
}

/// What came of the sessions that a crash had cut off.
#[derive(Debug, Default)]
pub(crate) struct Resumption {
    pub(crate) resumable: u64,
    pub(crate) gone: u64,
    pub(crate) broken: Vec<String>,
}

impl Client {
    pub(crate) fn new(number: usize, repositories: Vec<String>, random: Random) -> Self {
        Self {
            name: format!("c{number}"),
            random,
            repositories,
            loose: Vec::new(),
            images: Vec::new(),
            sessions: Vec::new(),
            made: 0,
        }
    }

    /// Changes things until the ledger says stop, or the only server is gone.
    pub(crate) async fn work(&mut self, access: &Access, ledger: &Ledger) {
        while !ledger.is_stopped() {
            let server = self.pick(access.servers());
            match self.step(access, server, ledger).await {
                Ok(()) => {}
                Err(Trouble::Cut) if access.servers() == 1 => return,
                // Another server takes the next request.
                Err(Trouble::Cut) => tokio::task::yield_now().await,
                Err(Trouble::Refused(what)) => ledger.unexpected(what),
            }
        }
    }

    async fn step(&mut self, access: &Access, server: usize, ledger: &Ledger) -> Result<(), Trouble> {
        if let Some(session) = self.sessions.pop_if(|_| true) {
            return self.continue_session(session, access, server, ledger).await;
        }
        match self.random.below(100) {
            0..22 => self.push_at_once(access, server, ledger).await.map(drop),
            22..46 => self.push_in_session(access, server, ledger).await,
            46..56 => self.mount(access, server, ledger).await,
            56..82 => self.push_image(access, server, ledger, 1).await,
            82..88 => self.push_image(access, server, ledger, 3).await,
            88..93 => self.delete_tag(access, server, ledger).await,
            93..96 => self.delete_manifest(access, server, ledger).await,
            96..99 => self.delete_blob(access, server, ledger).await,
            _ => self.cancel(access, server, ledger).await,
        }
    }

    /// After a crash: looks at each session that it cut off, and takes up those that are gone anew.
    pub(crate) async fn resume(&mut self, access: &Access, ledger: &Ledger, chunks_last: bool) -> Resumption {
        let mut found = Resumption::default();
        let mut kept = Vec::new();
        for mut session in std::mem::take(&mut self.sessions) {
            match session.find(access, 0, chunks_last).await {
                Ok(true) => {
                    found.resumable += 1;
                    kept.push(session);
                }
                Ok(false) => {
                    found.gone += 1;
                    let again = self.push_again(&session, access, ledger).await;
                    found.broken.extend(
                        again
                            .err()
                            .map(|why| format!("{session} can not be begun again: {why}")),
                    );
                }
                Err(broken) => found.broken.push(format!("{broken:#}")),
            }
        }
        kept.truncate(WAITING);
        self.sessions = kept;
        found
    }

    /// Ends all sessions that wait.
    pub(crate) async fn finish(&mut self, access: &Access, ledger: &Ledger) -> Vec<String> {
        let mut broken = Vec::new();
        while let Some(session) = self.sessions.pop() {
            let shown = session.to_string();
            match self.continue_session(session, access, 0, ledger).await {
                Ok(()) => {}
                Err(Trouble::Cut) => broken.push(format!("{shown}: no answer")),
                Err(Trouble::Refused(what)) => broken.push(format!("{shown}: {what}")),
            }
        }
        broken
    }

    async fn push_image(
        &mut self,
        access: &Access,
        server: usize,
        ledger: &Ledger,
        tags: usize,
    ) -> Result<(), Trouble> {
        let repository = self.repository();
        let mut contents = Vec::new();
        for length in [self.random.below(200), self.random.below(20_000)] {
            let length = usize::try_from(length + 1).unwrap_or(1);
            let content = Content::new(&mut self.random, length);
            self.post(access, server, &repository, &content, ledger).await?;
            contents.push(content);
        }
        // What a manifest names is deleted no more.
        let named = |content: &Content| contents.iter().any(|it| it.digest == content.digest);
        self.loose.retain(|(_, content)| !named(content));
        self.made += 1;
        let name = format!("{} {} {}", self.name, self.made, self.random.next());
        // Some are signatures or the like of an image, which may be gone.
        let subject = match self.random.below(3) {
            0 => self.pick_from(&self.images.clone()),
            _ => None,
        };
        let subject = subject.filter(|image| image.repository == repository);
        let bytes = manifest(&name, &contents[0], &contents[1..], subject.as_ref());
        let size = bytes.len();
        let digest = digest(&bytes);
        let mut changes = vec![(
            Key::Manifest(repository.clone(), digest.clone()),
            Some(digest.clone()),
        )];
        let mut path = format!("/v2/{repository}/manifests/");
        let chosen: Vec<String> = (0..tags).map(|_| self.tag()).collect();
        match chosen.as_slice() {
            [tag] => path += tag,
            several => {
                path += &digest;
                path += "?tag=";
                path += &several.join("&tag=");
            }
        }
        for tag in chosen {
            changes.push((Key::Tag(repository.clone(), tag), Some(digest.clone())));
        }
        ledger.intend(&changes);
        let headers = [("content-type", IMAGE_MANIFEST)];
        let answer = access
            .send(server, Method::PUT, &path, &headers, bytes.into())
            .await;
        expect(answer, 201)?;
        ledger.acknowledge("manifests", &changes[..1]);
        ledger.acknowledge("tag_moves", &changes[1..]);
        let image = Image {
            repository,
            digest,
            size,
        };
        remember(&mut self.images, image);
        Ok(())
    }

    pub(super) fn keep(&mut self, repository: &str, content: &Content) {
        remember(&mut self.loose, (repository.to_owned(), content.clone()));
    }

    /// A blob of ours that is there for certain.
    pub(super) fn choose_loose(&mut self, ledger: &Ledger) -> Option<(String, Content)> {
        let (repository, content) = self.pick_from(&self.loose.clone())?;
        let (key, _) = blob(&repository, &content);
        matches!(ledger.certain(&key), Some(Some(_))).then_some((repository, content))
    }

    pub(super) fn repository(&mut self) -> String {
        let chosen = self.pick(self.repositories.len());
        self.repositories[chosen].clone()
    }

    pub(super) fn tag(&mut self) -> String {
        let number = self.random.below(TAGS);
        self.tag_named(number)
    }

    pub(super) fn tag_named(&self, number: u64) -> String {
        format!("{}-{number}", self.name)
    }

    /// Mostly small, sometimes large enough that the state of the hash is stored too.
    pub(super) fn length(&mut self) -> usize {
        let length = match self.random.below(100) {
            0..70 => 2 + self.random.below(4 << 10),
            70..97 => 2 + self.random.below(64 << 10),
            _ => (1 << 20) + self.random.below(1 << 20),
        };
        usize::try_from(length).unwrap_or(2)
    }

    pub(super) fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.random.below(count as u64)).unwrap_or_default()
    }

    pub(super) fn pick_from<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let chosen = self.pick(from.len());
        from.get(chosen).cloned()
    }
}

pub(super) fn blob(repository: &str, content: &Content) -> Change {
    let key = Key::Blob(repository.to_owned(), content.digest.clone());
    (key, Some(content.digest.clone()))
}

fn remember<T>(things: &mut Vec<T>, thing: T) {
    if things.len() >= REMEMBERED {
        things.remove(0);
    }
    things.push(thing);
}
