//! Clients at work, what they were promised, and whether it was kept.

use std::sync::Arc;

use anyhow::Result;
use harness::command::RUNTIME;

use super::audit::{Audit, newest};
use super::client::Client;
use super::ledger::{Key, Ledger};
use super::service::Access;
use crate::{Random, Verdict};

/// The clients and what they were promised.
#[derive(Debug)]
pub(crate) struct Load {
    ledger: Arc<Ledger>,
    clients: Vec<Client>,
    repositories: Vec<String>,
    chunks_last: bool,
}

impl Load {
    /// Clients that share one repository of the namespace and have one each. `chunks_last`: whether an acknowledged
    /// chunk of an upload survives this kind of crash.
    pub(crate) fn new(random: &mut Random, namespace: &str, clients: usize, chunks_last: bool) -> Self {
        let shared = format!("{namespace}/shared");
        let own = |number| format!("{namespace}/own{number}");
        let made = (0..clients).map(|number| {
            let repositories = vec![shared.clone(), own(number)];
            Client::new(number, repositories, random.fork())
        });
        Self {
            ledger: Arc::default(),
            clients: made.collect(),
            repositories: (0..clients).map(own).chain([shared.clone()]).collect(),
            chunks_last,
        }
    }

    /// The repositories that the clients change.
    pub(crate) fn repositories(&self) -> &[String] {
        &self.repositories
    }

    /// What is in doubt and what was acknowledged last, and the sessions that were cut off.
    pub(crate) fn check(&mut self, access: &Access, verdict: &mut Verdict) -> Result<()> {
        self.check_these(access, newest(&self.ledger), verdict)
    }

    fn check_these(&mut self, access: &Access, keys: Vec<Key>, verdict: &mut Verdict) -> Result<()> {
        verdict.count("in_doubt", self.ledger.doubts() as u64);
        RUNTIME.block_on(async {
            let ledger = &*self.ledger;
            Audit { access, ledger }.check(keys, verdict).await;
            for client in &mut self.clients {
                let resumed = client.resume(access, ledger, self.chunks_last).await;
                verdict.count("uploads_resumable", resumed.resumable);
                verdict.count("uploads_gone", resumed.gone);
                for broken in resumed.broken {
                    verdict.violation(broken);
                }
            }
            Ok(())
        })
    }

    /// Lets the clients work while `strike` waits and strikes; then they end after their current request.
    pub(crate) fn work_until(
        &mut self,
        access: &Arc<Access>,
        strike: impl FnOnce(&Ledger) -> Result<()>,
    ) -> Result<()> {
        self.ledger.reopen();
        let tasks: Vec<_> = std::mem::take(&mut self.clients)
            .into_iter()
            .map(|mut client| {
                let (access, ledger) = (Arc::clone(access), Arc::clone(&self.ledger));
                RUNTIME.spawn(async move {
                    client.work(&access, &ledger).await;
                    client
                })
            })
            .collect();
        let struck = strike(&self.ledger);
        self.ledger.stop();
        for task in tasks {
            self.clients.push(RUNTIME.block_on(task)?);
        }
        struck
    }

    /// Ends all uploads that wait, and looks at everything.
    pub(crate) fn audit_all(&mut self, access: &Access, verdict: &mut Verdict) -> Result<()> {
        self.check(access, verdict)?;
        let ledger = Arc::clone(&self.ledger);
        let finish = async {
            let mut broken = Vec::new();
            for client in &mut self.clients {
                broken.extend(client.finish(access, &ledger).await);
            }
            broken
        };
        for broken in RUNTIME.block_on(finish) {
            verdict.violation(broken);
        }
        self.check_these(access, ledger.all(), verdict)?;
        let ledger = &*ledger;
        let audit = Audit { access, ledger };
        RUNTIME.block_on(audit.check_referrers(verdict))?;
        RUNTIME.block_on(audit.check_lists(&self.repositories, verdict))
    }

    /// A control breaks more than it should: only what is lost counts there.
    pub(crate) fn unexpected(&self, control: bool, verdict: &mut Verdict) {
        for answer in self.ledger.take_unexpected() {
            verdict.count("unexpected_answers", 1);
            if !control {
                verdict.violation(answer);
            }
        }
    }

    /// What was acknowledged; the figures' names begin with `prefix`.
    pub(crate) fn figures(&self, prefix: &str, verdict: &mut Verdict) {
        for (what, count) in self.ledger.acknowledged() {
            verdict.count(&format!("{prefix}acknowledged_{what}"), count);
        }
        verdict.count(&format!("{prefix}acknowledged"), self.ledger.total());
    }
}
