//! Secrets that somebody found where they should not be: they end at once.

mod signature;

use serde_json::json;
use shared::secret::Secret;

use super::App;
use super::audit::{By, Change};
use super::caller::Caller;
use super::error::AppError;
use super::invitation::event;
use super::notice::News;
use crate::domain::{AuditAction, Ended, NoticeKind, SecretKind, SecretOwner, SecretToken, TargetKind};
use crate::store::password_reset::take_password_reset;
use crate::store::secret::{end_secret, find_secret, list_secrets};
use crate::store::{Tx, access_token, device, invitation, namespace, organisation, robot};

pub use signature::{ReportSignature, SignedReport};

/// Most secrets of one report that nobody signed.
pub const MAX_REPORTED: usize = 100;

impl App {
    /// Ends every reported secret that is one of ours. Whoever reports hears how many have the form of our secrets, which
    /// they can tell themselves, and not which of them were known. A report that GitHub signed is not braked.
    pub async fn report_leaks(
        &self,
        caller: &Caller,
        reported: Vec<Secret<String>>,
        signed: Option<&SignedReport>,
    ) -> Result<usize, AppError> {
        if signed.is_none() && reported.len() > MAX_REPORTED {
            return Err(AppError::Invalid(format!(
                "a report has at most {MAX_REPORTED} secrets"
            )));
        }
        let subject = match signed {
            Some(_) => None,
            None => Some(self.check_leak_brake(&caller.client).await?),
        };
        let mut tokens: Vec<(SecretToken, Secret<String>)> = Vec::new();
        for text in reported {
            if let Some(Ok(token)) = SecretToken::find(text.expose().trim()) {
                tokens.push((token, text));
            }
        }
        if tokens.is_empty() {
            return Ok(0);
        }
        let mut tx = self.store.write().await?;
        for (token, text) in &tokens {
            let is_known = self.end_leaked(&mut tx, caller, token).await?;
            if let Some(subject) = subject.as_ref().filter(|_| !is_known) {
                self.note_unknown(&mut tx, subject, text).await?;
            }
        }
        tx.commit().await?;
        Ok(tokens.len())
    }

    /// Ends a secret; says whether it was known.
    async fn end_leaked(&self, tx: &mut Tx, caller: &Caller, token: &SecretToken) -> Result<bool, AppError> {
        let now = self.clock.now_ms();
        match token.kind() {
            SecretKind::AccessToken | SecretKind::Robot | SecretKind::OrganisationToken => {
                let Some(secret) = find_secret(tx, token.hash()).await? else {
                    return Ok(false);
                };
                if end_secret(tx, secret.secret_id, now, Ended::Leaked).await? {
                    self.tell_owner(tx, caller, secret.owner, &secret.last_four)
                        .await?;
                }
                Ok(true)
            }
            SecretKind::Refresh | SecretKind::Session => {
                let Some((device, account)) = device::find_device(tx, token.hash()).await? else {
                    return Ok(false);
                };
                device::revoke_device(tx, account.account_id, device.device_id, now).await?;
                let change = Change::new(AuditAction::DeviceEnd, TargetKind::Device, &device.client_id)
                    .id(device.device_id.as_i64())
                    .after(json!({ "account": account.username.as_str(), "because": "leaked" }));
                self.audit(tx, By::Caller(caller), change).await?;
                Ok(true)
            }
            SecretKind::PasswordReset => {
                let taken = take_password_reset(tx, token.hash(), now).await?;
                Ok(taken.is_some())
            }
            SecretKind::Invitation => self.withdraw_leaked(tx, caller, token).await,
        }
    }

    async fn withdraw_leaked(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        token: &SecretToken,
    ) -> Result<bool, AppError> {
        let Some(found) = invitation::find_invitation(tx, token.hash()).await? else {
            return Ok(false);
        };
        let organisation_id = found.offer.map(|offer| offer.organisation_id);
        let (id, now) = (found.invitation_id, self.clock.now_ms());
        if invitation::revoke_invitation(tx, organisation_id, id, Ended::Leaked, now).await? {
            let organisation = match organisation_id {
                Some(id) => organisation::find_organisation_by_id(tx, id).await?,
                None => None,
            };
            let name = organisation.map(|organisation| organisation.name.to_string());
            let change = event(AuditAction::InvitationRevoke, name.as_deref(), &found)
                .after(json!({ "because": "leaked", "last_four": found.last_four }));
            self.audit(tx, By::Caller(caller), change).await?;
        }
        Ok(true)
    }

    /// An access token without a live secret is revoked, so that its owner sees why.
    async fn tell_owner(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        owner: SecretOwner,
        last_four: &str,
    ) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let change = match owner {
            SecretOwner::AccessToken(token_id) => {
                let Some((token, account)) = access_token::find_access_token_by_id(tx, token_id).await?
                else {
                    return Ok(());
                };
                let news = News {
                    kind: NoticeKind::TokenLeaked,
                    subject: token.label.as_str(),
                    subject_id: Some(token_id.as_i64()),
                    actor: None,
                    detail: last_four,
                };
                self.notify(tx, [account.account_id], news).await?;
                let has_live = list_secrets(tx, owner)
                    .await?
                    .iter()
                    .any(|secret| secret.is_live(now));
                if !has_live {
                    let account_id = account.account_id;
                    access_token::revoke_access_token(tx, account_id, token_id, Ended::Leaked, now).await?;
                }
                Change::new(
                    AuditAction::AccessTokenLeak,
                    TargetKind::AccessToken,
                    &token.label,
                )
                .id(token_id.as_i64())
                .after(json!({ "account": account.username.as_str(), "last_four": last_four }))
            }
            SecretOwner::Robot(robot_id) => {
                let Some(robot) = robot::find_robot_by_id(tx, robot_id).await? else {
                    return Ok(());
                };
                let change = Change::new(AuditAction::RobotLeak, TargetKind::Robot, &robot.username())
                    .id(robot_id.as_i64())
                    .after(json!({ "last_four": last_four }));
                match namespace::find_namespace_by_id(tx, robot.namespace_id).await? {
                    Some(namespace) => change.within(&namespace),
                    None => change,
                }
            }
        };
        self.audit(tx, By::Caller(caller), change).await
    }
}
