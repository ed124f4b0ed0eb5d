//! What is sent for a delivery.

use super::work::find_living_or_deleted;
use crate::app::App;
use crate::app::error::AppError;
use crate::domain::content::Role;
use crate::domain::search::is_official;
use crate::domain::webhook::{About, HookDelivery, Platform, Told, Webhook, render};
use crate::domain::{EventKind, HookFormat, RepositoryId, Visibility};
use crate::egress::{Message, dingtalk, feishu, standard};
use crate::store::{Tx, manifest, repository_profile};

/// How long a push waits until its manifest was read, in milliseconds, so that platforms can be told: longer than a process that
/// was killed keeps its claim of a manifest.
const READING_MS: i64 = 20_000;
/// How often it is looked whether it was.
const READING_LOOK_MS: i64 = 1_000;
/// Platforms that are told.
const MOST_PLATFORMS: usize = 50;

/// How a delivery goes on.
pub(super) enum Next {
    /// It is sent.
    Send(Box<Message>),
    /// It waits.
    Later(i64),
}

impl App {
    /// What is sent for a delivery, or when to look again.
    pub(super) async fn prepare(
        &self,
        tx: &mut Tx,
        hook: &Webhook,
        delivery: &HookDelivery,
    ) -> Result<Next, AppError> {
        let now = self.clock.now_ms();
        let repository_id = delivery.facts.repository_id.map(RepositoryId::from_i64);
        let mut platforms = Vec::new();
        if let (EventKind::Push | EventKind::TagMoved, Some(id), Some(digest)) =
            (delivery.kind, repository_id, &delivery.facts.digest)
        {
            match find_platforms(tx, id, digest).await? {
                Some(found) => platforms = found,
                None if self.content_registry().is_some() && now - delivery.created_at < READING_MS => {
                    return Ok(Next::Later(now + READING_LOOK_MS));
                }
                None => {}
            }
        }
        let about = match repository_id {
            Some(id) => find_about(tx, id).await?,
            None => None,
        };
        let id = delivery.message();
        let mut body = render(
            hook.format,
            &Told {
                id: &id,
                kind: delivery.kind,
                facts: &delivery.facts,
                about: about.as_ref(),
                platforms: &platforms,
                public_url: &self.settings.public_url,
            },
        );
        let secrets = self.open_secrets(hook)?;
        let now_s = now.div_euclid(1_000);
        let mut url = secrets.url;
        let mut headers = Vec::new();
        match (hook.format, &secrets.secret) {
            (HookFormat::Feishu, Some(secret)) => {
                body["timestamp"] = now_s.to_string().into();
                body["sign"] = feishu(secret, now_s).into();
            }
            (HookFormat::DingTalk, Some(secret)) => {
                let sign = dingtalk(secret, now);
                let sign: String = form_urlencoded::byte_serialize(sign.as_bytes()).collect();
                let mark = if url.contains('?') { '&' } else { '?' };
                url = format!("{url}{mark}timestamp={now}&sign={sign}");
            }
            _ => {}
        }
        let body = body.to_string();
        if hook.format.is_signed() {
            headers.push(("webhook-id", id.clone()));
            headers.push(("webhook-timestamp", now_s.to_string()));
            let former = secrets
                .former
                .as_deref()
                .filter(|_| hook.former_secret_until.is_some_and(|until| now < until));
            let live = secrets.secret.as_deref().into_iter().chain(former);
            let signature = standard(live, &id, now_s, &body);
            if !signature.is_empty() {
                headers.push(("webhook-signature", signature));
            }
        }
        Ok(Next::Send(Box::new(Message {
            url,
            media_type: hook.format.media_type(),
            headers,
            body,
        })))
    }
}

async fn find_about(tx: &mut Tx, id: RepositoryId) -> Result<Option<About>, AppError> {
    let Some(facts) = find_living_or_deleted(tx, id).await? else {
        return Ok(None);
    };
    let profile = repository_profile::find_profile(tx, id).await?;
    Ok(Some(About {
        summary: profile.summary,
        description: profile.description,
        star_count: profile.star_count,
        is_private: facts.visibility != Visibility::Public,
        is_official: is_official(&facts.name),
        created_at: id.made_at_ms(),
    }))
}

/// What a manifest has images for; none of one that was not read yet, or is gone.
async fn find_platforms(
    tx: &mut Tx,
    id: RepositoryId,
    digest: &str,
) -> Result<Option<Vec<Platform>>, AppError> {
    let Some(known) = manifest::find_manifest(tx, id, digest).await? else {
        return Ok(Some(Vec::new()));
    };
    if !known.is_read {
        return Ok(None);
    }
    if known.description.platform.is_some() {
        return Ok(Some(vec![Platform {
            digest: known.digest,
            platform: known.description.platform,
            size: known.description.size,
        }]));
    }
    let parts = manifest::list_parts(tx, id, digest).await?;
    Ok(Some(
        parts
            .into_iter()
            // Attestations are no images.
            .filter(|part| part.role == Role::Manifest && part.platform.as_deref() != Some("unknown/unknown"))
            .take(MOST_PLATFORMS)
            .map(|part| Platform {
                digest: part.digest,
                platform: part.platform,
                size: part.size,
            })
            .collect(),
    ))
}
