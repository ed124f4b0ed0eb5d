//! People at work: images pushed and pulled on several threads, and what of it was acknowledged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use harness::api::Api;
use harness::archive::digest;
use harness::process::wait_for;
use harness::{Account, Result, anyhow, ensure};

use super::project::{PATIENCE, Project};

/// Repositories of the load.
const REPOSITORY: &str = "admin/load";
/// After so many rounds a thread comes as somebody new: another connection, another handshake, another token.
const ROUNDS_OF_A_VISIT: u64 = 16;

/// What came of the work so far.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// How many images a thread has, which it pushes again and again; without it each is another one.
    images: Option<u64>,
    stop: AtomicBool,
    pushed: AtomicU64,
    pulled: AtomicU64,
    acknowledged: Mutex<BTreeMap<String, String>>,
    failures: Mutex<Vec<String>>,
}

impl Load {
    /// Every thread pushes so many images again and again, so that in the end nothing grows that should not.
    pub(crate) fn of_images(count: u64) -> Self {
        Self {
            images: Some(count),
            ..Self::default()
        }
    }

    /// Starts so many threads, each of which pushes an image and pulls it again, without end.
    pub(crate) fn start<'s>(
        &'s self,
        scope: &'s Scope<'s, '_>,
        project: &Project<'_>,
        account: &Account,
        threads: usize,
    ) -> Result<()> {
        let authority = project.authority()?;
        let url = format!("https://{}", project.host());
        for thread in 0..threads {
            let (url, account, authority) = (url.clone(), account.clone(), authority.clone());
            let caller = move || Api::trusting(&url, Some(account.clone()), &authority);
            let mut api = caller()?;
            scope.spawn(move || {
                for number in 0_u64.. {
                    if self.stop.load(Ordering::Relaxed) {
                        return;
                    }
                    if number > 0
                        && number % ROUNDS_OF_A_VISIT == 0
                        && let Ok(new) = caller()
                    {
                        api = new;
                    }
                    let number = self.images.map_or(number, |count| number % count);
                    self.work(&api, &format!("t{thread}-{number}"));
                }
            });
        }
        Ok(())
    }

    fn work(&self, api: &Api, tag: &str) {
        if let Err(error) = self.round(api, tag) {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push(format!("{error:#}"));
            drop(failures);
            // Nobody asks a server that is away a thousand times in a second.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// An image is pushed, and pulled as a client does that does not try again.
    fn round(&self, api: &Api, tag: &str) -> Result<()> {
        let text = format!("the image of {tag}");
        let pushed = api.push_small_image(REPOSITORY, tag, &text)?;
        self.pushed.fetch_add(1, Ordering::Relaxed);
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        acknowledged.insert(tag.to_owned(), pushed.clone());
        drop(acknowledged);
        let answer = api.manifest(REPOSITORY, tag)?.expect(200)?;
        ensure!(answer.header("docker-content-digest")? == pushed, "{answer}");
        let layer = digest(text.as_bytes());
        let answer = api.get(&format!("/v2/{REPOSITORY}/blobs/{layer}"))?.expect(200)?;
        ensure!(answer.body == text.as_bytes(), "another layer came: {answer}");
        self.pulled.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Images pushed and pulled again, whole.
    pub(crate) fn rounds(&self) -> u64 {
        self.pulled.load(Ordering::Relaxed)
    }

    /// How many attempts failed so far, and the last of them.
    pub(crate) fn failures(&self) -> (usize, String) {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        (failures.len(), failures.last().cloned().unwrap_or_default())
    }

    /// Waits until so many further images were pushed and pulled; gives how long the first of them took.
    pub(crate) fn wait_for_rounds(&self, count: u64) -> Result<Duration> {
        let (begun, before) = (Instant::now(), self.rounds());
        let more = |by: u64| Ok((self.rounds() >= before + by).then_some(()));
        let waited = wait_for("an image to be pushed and pulled", PATIENCE, || more(1));
        waited.map_err(|error| anyhow!("{error:#}; the last failure: {}", self.failures().1))?;
        let first = begun.elapsed();
        wait_for("images to be pushed and pulled", PATIENCE, || more(count))?;
        Ok(first)
    }

    /// Holds everything that was acknowledged to being there; gives how many images were.
    pub(crate) fn verify(&self, api: &Api) -> Result<u64> {
        let acknowledged = self
            .acknowledged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for (tag, digest) in &acknowledged {
            let answer = api.manifest(REPOSITORY, tag)?.expect(200)?;
            ensure!(
                answer.header("docker-content-digest")? == digest,
                "{tag}: {answer}"
            );
        }
        Ok(self.pushed.load(Ordering::Relaxed))
    }
}
