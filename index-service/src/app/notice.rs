//! What accounts are told: written down in the transaction in which it happens, read by themselves alone.

use std::collections::BTreeSet;
use std::net::IpAddr;

use shared::network::Network;

use super::App;
use super::caller::{Caller, Client};
use super::error::AppError;
use crate::domain::{Account, AccountId, NamespaceFacts, NamespaceOwner, Notice, NoticeId, NoticeKind};
use crate::store::device::{self, KnownPlace};
use crate::store::notice::{self, NewNotice};
use crate::store::{StoreError, Tx};

/// Most notices of an account: one more, and the oldest is gone.
pub const MAX_NOTICES: u32 = 200;
/// How long notices are kept, in milliseconds: 90 days.
const KEPT_MS: i64 = 90 * DAY_MS;
/// Notices of one kind that an account gets within a day: no chatter drives out what else there is.
const MAX_OF_A_DAY: i64 = 30;
/// Old notices that are forgotten at once.
const DROPPED_AT_ONCE: u32 = 500;
/// Most owners and managers of an organisation that are told.
const MAX_CARETAKERS: u32 = 20;
/// How long before its end the owner of an access token is told, in milliseconds: 7 days.
const ENDING_MS: i64 = 7 * DAY_MS;
/// Access tokens whose owners are told in one transaction.
const ENDING_AT_ONCE: u32 = 100;
/// Devices that are looked at for whether another is new.
const KNOWN_PLACES: u32 = 100;
/// Longest subject, in characters.
const MAX_SUBJECT: usize = 300;
const DAY_MS: i64 = 86_400_000;

/// What there is to tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct News<'a> {
    /// What kind it is.
    pub(super) kind: NoticeKind,
    /// What it is about.
    pub(super) subject: &'a str,
    /// The id of that.
    pub(super) subject_id: Option<i64>,
    /// The account that did it, which is not told.
    pub(super) actor: Option<AccountId>,
    /// What else there is to say.
    pub(super) detail: &'a str,
}

/// A kind of notice, and whether an account is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeChoice {
    /// The kind.
    pub kind: NoticeKind,
    /// Whether the account is told.
    pub is_on: bool,
}

impl App {
    /// Tells accounts something, each once: in the transaction in which it happens. Whoever did it knows already.
    pub(super) async fn notify(
        &self,
        tx: &mut Tx,
        accounts: impl IntoIterator<Item = AccountId>,
        news: News<'_>,
    ) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let yesterday = NoticeId::first_of(now - DAY_MS);
        let subject: String = news.subject.chars().take(MAX_SUBJECT).collect();
        let accounts: BTreeSet<AccountId> = accounts.into_iter().collect();
        for account_id in accounts {
            if news.actor == Some(account_id)
                || notice::is_notice_off(tx, account_id, news.kind).await?
                || notice::count_recent_notices(tx, account_id, yesterday, news.kind).await? >= MAX_OF_A_DAY
            {
                continue;
            }
            let new = NewNotice {
                notice_id: self.new_id(NoticeId::new),
                account_id,
                kind: news.kind,
                subject: &subject,
                subject_id: news.subject_id,
                actor: news.actor,
                detail: news.detail,
            };
            notice::add_notice(tx, &new, now).await?;
            notice::drop_notices_beyond(tx, account_id, MAX_NOTICES).await?;
        }
        Ok(())
    }

    /// Who looks after a namespace: its owner, or the owners and managers of its organisation.
    pub(super) async fn caretakers(
        &self,
        tx: &mut Tx,
        namespace: &NamespaceFacts,
    ) -> Result<Vec<AccountId>, StoreError> {
        match namespace.owner {
            NamespaceOwner::Account(account_id) => Ok(vec![account_id]),
            NamespaceOwner::Organisation(id) => notice::list_caretakers(tx, id, MAX_CARETAKERS).await,
            NamespaceOwner::Administrators => Ok(Vec::new()),
        }
    }

    /// Tells an account that somebody signed in as it from a network, or with a program, that none of its devices was known
    /// for. The first device of all is no news. Asked before the device is added and others are forgotten.
    pub(super) async fn notify_of_sign_in(
        &self,
        tx: &mut Tx,
        account: &Account,
        client: &Client,
    ) -> Result<(), AppError> {
        let known = device::list_places(tx, account.account_id, KNOWN_PLACES).await?;
        if known.is_empty() || is_known(&known, client) {
            return Ok(());
        }
        let news = News {
            kind: NoticeKind::SignIn,
            subject: &client.program,
            subject_id: None,
            actor: None,
            detail: &client.address_text().unwrap_or_default(),
        };
        self.notify(tx, [account.account_id], news).await
    }

    /// At most `limit` notices of whoever asks that are older than `before`, the newest first.
    pub async fn list_notices(
        &self,
        caller: &Caller,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Notice>, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.read().await?;
        Ok(notice::list_notices(&mut tx, account_id, before, limit).await?)
    }

    /// Marks a notice of whoever asks as read, and returns it.
    pub async fn read_notice(&self, caller: &Caller, notice_id: NoticeId) -> Result<Notice, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        notice::read_notice(&mut tx, account_id, notice_id, self.clock.now_ms()).await?;
        let found = notice::find_notice(&mut tx, account_id, notice_id).await?;
        tx.commit().await?;
        found.ok_or_else(no_notice)
    }

    /// Marks all notices of whoever asks as read, up to this one: what came since is not known to them.
    pub async fn read_notices(&self, caller: &Caller, up_to: Option<NoticeId>) -> Result<(), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        let up_to = up_to.map_or(i64::MAX, NoticeId::as_i64);
        notice::read_notices(&mut tx, account_id, up_to, self.clock.now_ms()).await?;
        Ok(tx.commit().await?)
    }

    /// Removes a notice of whoever asks.
    pub async fn remove_notice(&self, caller: &Caller, notice_id: NoticeId) -> Result<(), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        if !notice::remove_notice(&mut tx, account_id, notice_id).await? {
            return Err(no_notice());
        }
        Ok(tx.commit().await?)
    }

    /// Removes all notices of whoever asks, up to this one.
    pub async fn remove_notices(&self, caller: &Caller, up_to: Option<NoticeId>) -> Result<(), AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.write().await?;
        notice::remove_notices(&mut tx, account_id, up_to.map_or(i64::MAX, NoticeId::as_i64)).await?;
        Ok(tx.commit().await?)
    }

    /// Every kind of notice, and whether whoever asks is told of it.
    pub async fn notice_choices(&self, caller: &Caller) -> Result<Vec<NoticeChoice>, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let mut tx = self.store.read().await?;
        let off = notice::list_notices_off(&mut tx, account_id).await?;
        Ok(choices(&off))
    }

    /// Decides of which kinds whoever asks is not told. What they were told before stays.
    pub async fn choose_notices(
        &self,
        caller: &Caller,
        off: &[NoticeKind],
    ) -> Result<Vec<NoticeChoice>, AppError> {
        let account_id = caller.unlimited_account()?.account_id;
        let off: Vec<NoticeKind> = off.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut tx = self.store.write().await?;
        notice::put_notices_off(&mut tx, account_id, &off).await?;
        tx.commit().await?;
        Ok(choices(&off))
    }

    /// Tells the owners of access tokens that end soon; says of how many. Of one that was made for no longer than that its
    /// owner knows.
    pub async fn tell_ending_tokens(&self) -> Result<usize, AppError> {
        let mut told = 0;
        loop {
            let now = self.clock.now_ms();
            let mut tx = self.store.read().await?;
            let ending = notice::list_ending_tokens(&mut tx, now, now + ENDING_MS, ENDING_AT_ONCE).await?;
            drop(tx);
            if ending.is_empty() {
                return Ok(told);
            }
            let mut tx = self.store.write().await?;
            for token in ending {
                // Another replica may have been first.
                let is_first = notice::tell_ending_token(&mut tx, token.token_id, now).await?;
                if !is_first || token.expires_at - token.created_at <= ENDING_MS {
                    continue;
                }
                let news = News {
                    kind: NoticeKind::TokenEnding,
                    subject: &token.label,
                    subject_id: Some(token.token_id.as_i64()),
                    actor: None,
                    detail: &token.expires_at.to_string(),
                };
                self.notify(&mut tx, [token.account_id], news).await?;
                told += 1;
            }
            tx.commit().await?;
        }
    }

    /// Forgets notices that are old; says how many.
    pub async fn prune_notices(&self) -> Result<u64, AppError> {
        let before = NoticeId::first_of(self.clock.now_ms() - KEPT_MS);
        let mut dropped = 0;
        loop {
            let mut tx = self.store.write().await?;
            let count = notice::drop_old_notices(&mut tx, before, DROPPED_AT_ONCE).await?;
            tx.commit().await?;
            dropped += count;
            if count < u64::from(DROPPED_AT_ONCE) {
                return Ok(dropped);
            }
        }
    }
}

fn choices(off: &[NoticeKind]) -> Vec<NoticeChoice> {
    let choice = |kind| NoticeChoice {
        kind,
        is_on: !off.contains(&kind),
    };
    NoticeKind::EVERY.into_iter().map(choice).collect()
}

fn no_notice() -> AppError {
    AppError::NotFound("there is no such notification".to_owned())
}

/// Whether an account signed in from the client's network before, and with its program, whatever its version.
fn is_known(known: &[KnownPlace], client: &Client) -> bool {
    let program = family(&client.program);
    let network = client.address.map(Network::around);
    let is_program_known = known.iter().any(|place| family(&place.user_agent) == program);
    // Where the address is not known, nothing can be said of it.
    let is_network_known = network.is_none_or(|network| {
        let mut addresses = known.iter().flat_map(|place| &place.addresses).flatten();
        addresses.any(|text| {
            text.parse::<IpAddr>()
                .is_ok_and(|address| network.contains(address))
        })
    });
    is_program_known && is_network_known
}

/// What a program calls itself without numbers, which change with every update.
fn family(agent: &str) -> String {
    let is_kept = |letter: &char| !letter.is_ascii_digit() && *letter != '.';
    agent.chars().filter(is_kept).collect()
}

#[cfg(test)]
#[path = "notice/tests.rs"]
mod tests;
