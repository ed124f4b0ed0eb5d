//! Webhooks of a repository or a namespace: who is told what, and what became of it.

mod log;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::secret::Secret;
use shared::token::TagSet;

use super::access::tags;
use super::fields::{Draft, Fields};
use super::place::{At, Place, Subject, nothing};
use super::secret::{Of, show_once};
use crate::app::AppError;
use crate::app::webhook::{DEFAULT_OVERLAP_HOURS, HookWish, ShownHook};
use crate::domain::webhook::DisabledBecause;
use crate::domain::{DeliveryId, EventKind, HookFormat, WebhookId};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// A place has at most so many.
const MOST: u32 = 20;

#[derive(Template)]
#[template(path = "settings/webhooks.html")]
struct Webhooks {
    view: View,
    place: Place,
    draft: Draft,
    hooks: Vec<Hook>,
    events: Vec<Event>,
    formats: Vec<Format>,
}

#[derive(Template)]
#[template(path = "settings/webhook.html")]
struct OneWebhook {
    view: View,
    place: Place,
    draft: Draft,
    hook: Hook,
    events: Vec<Event>,
    formats: Vec<Format>,
    deliveries: Vec<log::Line>,
    next: Option<String>,
}

/// A webhook.
struct Hook {
    id: String,
    name: String,
    url: String,
    format: &'static str,
    events: Vec<&'static str>,
    tags: String,
    is_enabled: bool,
    /// Why not.
    off_key: Option<&'static str>,
    failures: i64,
    attempted_at: Option<i64>,
    delivered_at: Option<i64>,
    former_secret_until: Option<i64>,
    secret_set_at: Option<i64>,
    is_signed: bool,
    takes_secret: bool,
    keeper: String,
}

/// Something that a webhook can be told of.
struct Event {
    word: &'static str,
    key: String,
    is_chosen: bool,
}

/// A form in which a webhook can be told.
struct Format {
    word: &'static str,
    key: String,
    is_chosen: bool,
}

pub(in crate::http::web) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

/// What becomes of a form.
enum Next {
    /// It is shown what was done, here.
    To(String, &'static str),
    /// A secret is shown, this once.
    Secret(Secret<String>, String),
}

pub(in crate::http::web) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok(Next::To(path, note)) => Ok(done(&at.view, &path, note)),
        Ok(Next::Secret(secret, back)) => Ok(show_once(at, Of::Webhook, &secret, None, back)),
        Err(error) => {
            let form = match fields.get("do") {
                "create" => "create",
                "change" => "change",
                _ => "other",
            };
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<Next, AppError> {
    let (app, caller, scope) = (&state.app, &at.caller, at.hooks());
    let id = || fields.id("webhook").map(WebhookId::from_i64).ok_or_else(nothing);
    let own = |id: WebhookId| format!("{}?webhook={id}", at.place.here());
    Ok(match fields.get("do") {
        "create" => {
            let (made, secret) = app.create_webhook(caller, &scope, wish(fields, true)?).await?;
            let back = own(made.webhook.webhook_id);
            match secret {
                Some(secret) => Next::Secret(secret, back),
                None => Next::To(back, "settings-done-webhook-created"),
            }
        }
        "change" => {
            let id = id()?;
            app.change_webhook(caller, &scope, id, wish(fields, false)?)
                .await?;
            Next::To(own(id), "settings-done-saved")
        }
        "enable" | "disable" => {
            let id = id()?;
            let wish = HookWish {
                is_enabled: Some(fields.get("do") == "enable"),
                ..HookWish::default()
            };
            app.change_webhook(caller, &scope, id, wish).await?;
            Next::To(own(id), "settings-done-saved")
        }
        "remove" => {
            app.remove_webhook(caller, &scope, id()?).await?;
            Next::To(at.place.here(), "settings-done-webhook-removed")
        }
        "ping" => {
            let id = id()?;
            let sent = app.ping_webhook(caller, &scope, id).await?;
            Next::To(
                format!("{}&delivery={}", own(id), sent.delivery_id),
                "settings-done-pinged",
            )
        }
        "rotate" => {
            let id = id()?;
            let overlap = fields.number("overlap_hours")?.unwrap_or(DEFAULT_OVERLAP_HOURS);
            let (_, secret) = app.rotate_webhook(caller, &scope, id, overlap).await?;
            Next::Secret(secret, own(id))
        }
        "redeliver" => {
            let (id, delivery) = (id()?, fields.id("delivery").ok_or_else(nothing)?);
            let again = app
                .redeliver(caller, &scope, id, DeliveryId::from_i64(delivery))
                .await?;
            Next::To(
                format!("{}&delivery={}", own(id), again.delivery_id),
                "settings-done-redelivered",
            )
        }
        _ => return Err(nothing()),
    })
}

/// What a form asks for. An address or a secret that is left empty stays as it is.
fn wish(fields: &Fields, is_new: bool) -> Result<HookWish, AppError> {
    let events: Result<Vec<EventKind>, _> = fields.all("event").map(str::parse).collect();
    Ok(HookWish {
        label: Some(fields.get("label").trim().to_owned()),
        url: fields.some("url").map(|url| Secret::new(url.to_owned())),
        format: fields.parse::<HookFormat>("format")?,
        events: Some(events.map_err(|error| AppError::Invalid(error.to_string()))?),
        tags: Some(tags(fields, "tags")?),
        secret: fields.some("secret").map(|secret| Secret::new(secret.to_owned())),
        is_enabled: is_new.then_some(true),
    })
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let Some(id) = draft.fields.id("webhook").map(WebhookId::from_i64) else {
        return list(state, at, draft).await;
    };
    if let Some(delivery) = draft.fields.id("delivery").map(DeliveryId::from_i64) {
        return log::page(state, at, draft, id, delivery).await;
    }
    let scope = at.hooks();
    let hook = Hook::from(state.app.show_webhook(&at.caller, &scope, id).await?);
    let address = format!("{}?webhook={id}", at.place.here());
    let (deliveries, next) = log::list(state, &at, id, &draft.fields, &address).await?;
    let events = events(&at.place, &draft, "change", &hook.events);
    let formats = formats(&draft, "change", hook.format);
    let status = draft.status();
    let page = OneWebhook {
        view: at.view,
        place: at.place,
        draft,
        hook,
        events,
        formats,
        deliveries,
        next,
    };
    Ok(render_with(status, &page))
}

async fn list(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let hooks = state
        .app
        .list_webhooks(&at.caller, &at.hooks(), i64::MIN, MOST)
        .await?;
    let page = Webhooks {
        hooks: hooks.into_iter().map(Hook::from).collect(),
        events: events(&at.place, &draft, "create", &[EventKind::Push.as_str()]),
        formats: formats(&draft, "create", HookFormat::DockerHub.as_str()),
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

fn events(place: &Place, draft: &Draft, form: &str, present: &[&str]) -> Vec<Event> {
    let chosen = EventKind::EVERY.iter().filter(|kind| kind.is_chosen());
    chosen
        // A repository hears nothing of its namespace's quota.
        .filter(|kind| **kind != EventKind::Quota || matches!(place.subject, Subject::Namespace(_)))
        .map(|kind| Event {
            word: kind.as_str(),
            key: format!("settings-event-{}", kind.as_str().replace('.', "-")),
            is_chosen: draft.ticked(form, "event", kind.as_str(), present.contains(&kind.as_str())),
        })
        .collect()
}

fn formats(draft: &Draft, form: &str, present: &str) -> Vec<Format> {
    let chosen = draft.text(form, "format", present);
    let every = HookFormat::EVERY.iter().map(|format| format.as_str());
    every
        .map(|word| Format {
            word,
            key: format!("settings-format-{}", word.replace('_', "-")),
            is_chosen: word == chosen,
        })
        .collect()
}

impl From<ShownHook> for Hook {
    fn from(shown: ShownHook) -> Self {
        let ShownHook { webhook, keeper } = shown;
        Self {
            id: webhook.webhook_id.to_string(),
            name: webhook.label,
            url: webhook.shown_url,
            format: webhook.format.as_str(),
            events: webhook.filter.events.iter().map(|kind| kind.as_str()).collect(),
            tags: match &webhook.filter.tags {
                TagSet::Every => String::new(),
                only @ TagSet::Only(_) => only.to_text().unwrap_or_default(),
            },
            is_enabled: webhook.is_enabled,
            off_key: webhook.disabled_because.map(|because| match because {
                DisabledBecause::Asked => "settings-hook-off-asked",
                DisabledBecause::Failing => "settings-hook-off-failing",
                DisabledBecause::Gone => "settings-hook-off-gone",
                DisabledBecause::Permission => "settings-hook-off-permission",
            }),
            failures: webhook.failures,
            attempted_at: webhook.attempted_at,
            delivered_at: webhook.delivered_at,
            former_secret_until: webhook.former_secret_until,
            secret_set_at: webhook.secret_set_at,
            is_signed: webhook.format.is_signed(),
            takes_secret: webhook.format.takes_secret(),
            keeper: keeper.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Keys that are put together from words.
    pub(in crate::http::web::settings) fn keys() -> Vec<String> {
        let events = EventKind::EVERY
            .iter()
            .filter(|kind| kind.is_chosen() || **kind == EventKind::Ping);
        let events = events.map(|kind| format!("settings-event-{}", kind.as_str().replace('.', "-")));
        let formats = HookFormat::EVERY.iter();
        let formats = formats.map(|one| format!("settings-format-{}", one.as_str().replace('_', "-")));
        events.chain(formats).collect()
    }
}
