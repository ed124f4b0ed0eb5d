//! Sign-ins and refusals. The first of a name from an address is written within a second; the same again within a round is
//! gathered in memory, since a client with a password signs in for every token, and is one event that says how often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::{App, AppError, Change, Client, actor, nobody};
use crate::app::login::Login;
use crate::app::token::Credential;
use crate::domain::{Actor, ActorKind, AuditAction, TargetKind, Username};
use crate::store::account;

/// Different ones of a round; of those that do not fit it is written how many they were.
const MAX_WAITING: usize = 1000;
/// Between two transactions with new ones: a crowd of them costs no more than that.
const PAUSE: Duration = Duration::from_secs(1);

/// What happened in this round.
#[derive(Debug, Default)]
pub(in crate::app) struct SignIns {
    waiting: Mutex<Waiting>,
    /// There is a new one.
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    seen: HashMap<Which, Seen>,
    omitted: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Which {
    action: AuditAction,
    /// What was typed as a name, when it can be one.
    name: Option<String>,
    address: Option<IpAddr>,
}

#[derive(Debug, Clone)]
struct Seen {
    actor: Actor,
    /// How often since it was written.
    times: u64,
    /// It was never written.
    is_new: bool,
}

/// What is to be written.
#[derive(Debug)]
struct Batch {
    seen: Vec<(Which, Seen)>,
    omitted: u64,
}

impl SignIns {
    fn note(&self, which: Which, actor: Actor) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = waiting.seen.get_mut(&which) {
            seen.times += 1;
        } else if waiting.seen.len() < MAX_WAITING {
            let (times, is_new) = (1, true);
            waiting.seen.insert(which, Seen { actor, times, is_new });
            self.news.notify_one();
        } else {
            waiting.omitted += 1;
        }
    }

    /// Those that were never written; what comes of them from now on is a repetition.
    fn take_new(&self) -> Batch {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = waiting.seen.iter_mut().filter(|(_, seen)| seen.is_new);
        let seen = seen.map(|(which, seen)| (which.clone(), seen.take())).collect();
        Batch { seen, omitted: 0 }
    }

    /// Everything that was not written: a round ends. What was not seen in it is forgotten.
    fn take_all(&self) -> Batch {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.seen.retain(|_, seen| seen.times > 0);
        let seen = waiting.seen.iter_mut();
        let seen = seen.map(|(which, seen)| (which.clone(), seen.take())).collect();
        let omitted = std::mem::take(&mut waiting.omitted);
        Batch { seen, omitted }
    }

    /// What could not be written waits for the end of the round.
    fn put_back(&self, batch: Batch) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.omitted += batch.omitted;
        for (which, seen) in batch.seen {
            if let Some(again) = waiting.seen.get_mut(&which) {
                again.times += seen.times;
            } else if waiting.seen.len() < MAX_WAITING {
                waiting.seen.insert(which, seen);
            } else {
                waiting.omitted += seen.times;
            }
        }
    }
}

#[cfg(test)]
impl SignIns {
    pub(in crate::app) fn is_forgotten(&self) -> bool {
        self.waiting.lock().unwrap().seen.is_empty()
    }
}

impl Seen {
    fn take(&mut self) -> Self {
        let taken = self.clone();
        (self.times, self.is_new) = (0, false);
        taken
    }
}

impl App {
    /// Remembers how a login ended: with a password well, or in any way badly. An access token that is right is no event.
    pub(in crate::app) fn note_sign_in(
        &self,
        credential: &Credential,
        client: &Client,
        ended: Result<&Login, &AppError>,
    ) {
        let (action, actor, name) = match ended {
            Ok(login @ Login::Password(account)) => {
                let name = account.username.as_str().to_owned();
                (AuditAction::SignIn, actor(login, client), Some(name))
            }
            Err(AppError::Unauthenticated(_) | AppError::Forbidden(_)) => {
                let typed = match credential {
                    Credential::Password { username, .. } => username.parse::<Username>().ok(),
                    _ => None,
                };
                let name = typed.map(|name| name.as_str().to_owned());
                (
                    AuditAction::SignInRefused,
                    nobody(ActorKind::Anonymous, client),
                    name,
                )
            }
            _ => return,
        };
        let which = Which {
            action,
            name,
            address: client.address,
        };
        self.sign_ins.note(which, actor);
    }

    /// Writes down who signed in and who was refused, repetitions too.
    pub(in crate::app) async fn flush_sign_ins(&self) {
        self.keep_sign_ins(self.sign_ins.take_all()).await;
    }

    /// Writes down what is new as it comes, at most once a second, until `ended` has no sender.
    pub(in crate::app) async fn follow_sign_ins(&self, mut ended: watch::Receiver<()>) {
        loop {
            tokio::select! {
                _ = ended.changed() => return,
                () = self.sign_ins.news.notified() => {}
            }
            self.keep_sign_ins(self.sign_ins.take_new()).await;
            tokio::select! {
                _ = ended.changed() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn keep_sign_ins(&self, batch: Batch) {
        if batch.seen.is_empty() && batch.omitted == 0 {
            return;
        }
        if let Err(error) = self.write_sign_ins(&batch).await {
            tracing::warn!(%error, "could not write down who signed in; it is tried again");
            self.sign_ins.put_back(batch);
        }
    }

    async fn write_sign_ins(&self, batch: &Batch) -> Result<(), AppError> {
        let mut tx = self.store.write().await?;
        for (which, seen) in &batch.seen {
            // A name that no account has may be a password that was typed in the wrong place.
            let username = which.name.as_ref().and_then(|name| name.parse::<Username>().ok());
            let known = match username {
                Some(username) => account::find_account(&mut tx, &username).await?,
                None => None,
            };
            let change = match &known {
                Some(account) => Change::new(which.action, TargetKind::Account, &account.username)
                    .id(account.account_id.as_i64()),
                None => Change::new(which.action, TargetKind::Account, ""),
            };
            let change = change.after(serde_json::json!({ "times": seen.times }));
            self.write_event(&mut tx, seen.actor.clone(), change).await?;
        }
        if batch.omitted > 0 {
            let change = Change::new(AuditAction::SignInOmitted, TargetKind::Site, "")
                .after(serde_json::json!({ "times": batch.omitted }));
            self.write_event(&mut tx, nobody(ActorKind::Service, &Client::default()), change)
                .await?;
        }
        Ok(tx.commit().await?)
    }
}
