//! Access tokens: made, rotated, revoked; their secrets are shown once.

use askama::Template;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use shared::network::Network;
use shared::secret::Secret;

use crate::app::AppError;
use crate::app::access_token::{AccessTokenDetails, AccessTokenWish, DEFAULT_LIFE_DAYS};
use crate::app::caller::Caller;
use crate::app::secret::DEFAULT_OVERLAP_HOURS;
use crate::domain::credential::InvalidLabel;
use crate::domain::{AllowedNetworks, Ceiling, Limit, SecretId, TokenId};
use crate::http::State;
use crate::http::web::fault::PageError;
use crate::http::web::frame::{Frame, PAGE, Paged, Place, problem};
use crate::http::web::page::{done, render, render_with};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;
use crate::http::web::visitor::{Confirmed, SignedIn};

/// Rights that the form offers, each as the word of its text and what a limit is made of.
const OFFERED: [(&str, &str); 5] = [
    ("pull", "pull"),
    ("push", "pull,push"),
    ("delete", "pull,push,delete"),
    ("manage", "pull,push,delete,manage"),
    ("all", "*"),
];
/// Days that the form offers.
const LIVES: [u16; 5] = [7, 30, 90, 180, 365];

/// One limit as it is shown.
struct Reach {
    pattern: String,
    rights: String,
    tags: String,
}

/// A secret as it is shown.
struct Part {
    id: String,
    last_four: String,
    created_at: i64,
    ends_at: Option<i64>,
    is_live: bool,
}

/// A token as it is shown.
struct Row {
    id: String,
    label: String,
    reach: Vec<Reach>,
    networks: String,
    created_at: i64,
    expires_at: Option<i64>,
    state: &'static str,
    used_at: Option<i64>,
    used_from: String,
    used_by: String,
    refused: i64,
    parts: Vec<Part>,
}

impl Row {
    fn new(details: AccessTokenDetails, now_ms: i64) -> Self {
        let token = details.token;
        let state = if token.is_live(now_ms) {
            "live"
        } else if token.revoked_at.is_some() {
            "revoked"
        } else {
            "expired"
        };
        let last = token.last_use.as_ref();
        Self {
            id: token.token_id.to_string(),
            label: token.label.to_string(),
            reach: reach(&token.ceiling),
            networks: token.networks.to_string(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            state,
            used_at: last.map(|last| last.at),
            used_from: last.and_then(|last| last.address.clone()).unwrap_or_default(),
            used_by: last.map(|last| last.client.clone()).unwrap_or_default(),
            refused: token.refused.as_ref().map_or(0, |refused| refused.count),
            parts: details
                .secrets
                .into_iter()
                .map(|secret| Part {
                    id: secret.secret_id.to_string(),
                    is_live: secret.is_live(now_ms),
                    last_four: secret.last_four,
                    created_at: secret.created_at,
                    ends_at: secret.ends_at,
                })
                .collect(),
        }
    }

    fn is_live(&self) -> bool {
        self.state == "live"
    }

    fn state_key(&self) -> &'static str {
        match self.state {
            "revoked" => "account-token-revoked",
            _ => "account-token-expired",
        }
    }
}

fn reach(ceiling: &Ceiling) -> Vec<Reach> {
    let Ceiling::Limited(limits) = ceiling else {
        return vec![Reach {
            pattern: "*".to_owned(),
            rights: "*".to_owned(),
            tags: String::new(),
        }];
    };
    let shown = |limit: &Limit| {
        let text = limit.to_string();
        let mut words = text.split(' ');
        Reach {
            rights: words.next().unwrap_or_default().replace(',', ", "),
            pattern: words.next().unwrap_or_default().to_owned(),
            tags: words.collect::<Vec<_>>().join(" "),
        }
    };
    limits.iter().map(shown).collect()
}

#[derive(Template)]
#[template(path = "account/tokens.html")]
struct TokensPage {
    view: View,
    frame: Frame,
    tokens: Paged<Row>,
    typed: Typed,
    offered: [(&'static str, &'static str); 5],
    lives: [u16; 5],
}

#[derive(Template)]
#[template(path = "account/token.html")]
struct TokenPage {
    view: View,
    frame: Frame,
    token: Row,
    overlap: u16,
}

#[derive(Template)]
#[template(path = "account/secret.html")]
struct SecretPage {
    view: View,
    frame: Frame,
    token: Row,
    secret: String,
    is_new: bool,
}

/// What was typed.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    label: String,
    pattern_1: String,
    rights_1: String,
    pattern_2: String,
    rights_2: String,
    pattern_3: String,
    rights_3: String,
    push_tags: String,
    networks: String,
    days: u16,
}

impl Default for Typed {
    fn default() -> Self {
        let rights = || "pull".to_owned();
        Self {
            label: String::new(),
            pattern_1: String::new(),
            rights_1: rights(),
            pattern_2: String::new(),
            rights_2: rights(),
            pattern_3: String::new(),
            rights_3: rights(),
            push_tags: String::new(),
            networks: String::new(),
            days: DEFAULT_LIFE_DAYS,
        }
    }
}

impl Typed {
    /// Whether something was typed where it is not seen at first.
    fn has_more(&self) -> bool {
        [&self.pattern_2, &self.pattern_3, &self.push_tags, &self.networks]
            .iter()
            .any(|text| !text.is_empty())
    }

    fn wish(&self) -> Result<AccessTokenWish, AppError> {
        let invalid = |error: &dyn std::fmt::Display| AppError::Invalid(error.to_string());
        let tags: Vec<&str> = self
            .push_tags
            .split([' ', ','])
            .filter(|tag| !tag.is_empty())
            .collect();
        let mut limits = Vec::new();
        for (pattern, rights) in [
            (&self.pattern_1, &self.rights_1),
            (&self.pattern_2, &self.rights_2),
            (&self.pattern_3, &self.rights_3),
        ] {
            let pattern = pattern.trim();
            if pattern.is_empty() {
                continue;
            }
            let bound = if tags.is_empty() || rights == "pull" {
                String::new()
            } else {
                format!(" push:{}", tags.join(","))
            };
            let limit: Result<Limit, _> = format!("{rights} {pattern}{bound}").parse();
            limits.push(limit.map_err(|error| invalid(&error))?);
        }
        if limits.is_empty() {
            return Err(AppError::Invalid(
                "an access token reaches something: name repositories".to_owned(),
            ));
        }
        let networks: Result<Vec<Network>, _> = self
            .networks
            .split([' ', ',', '\n', '\r'])
            .filter(|text| !text.is_empty())
            .map(str::parse)
            .collect();
        let networks = networks.map_err(|error| invalid(&error))?;
        Ok(AccessTokenWish {
            label: self.label.trim().parse().map_err(|error| invalid(&error))?,
            ceiling: Ceiling::Limited(limits.into()),
            networks: AllowedNetworks::new(networks).map_err(|error| invalid(&error))?,
            life_days: self.days,
        })
    }
}

pub(super) async fn list(
    Shared(state): Shared<State>,
    Confirmed { caller, view }: Confirmed,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let typed = Typed {
        pattern_1: format!("{}/*", caller.name()),
        ..Typed::default()
    };
    page(
        &state,
        &caller,
        view,
        (StatusCode::OK, String::new()),
        &place,
        typed,
    )
    .await
}

pub(super) async fn create(
    Shared(state): Shared<State>,
    Confirmed { caller, view }: Confirmed,
    Submitted(typed): Submitted<Typed>,
) -> Result<Response, PageError> {
    let made = match typed.wish() {
        Ok(wish) => state.app.create_own_access_token(&caller, &wish).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((details, secret)) => Ok(shown_once(view, details, &secret, true)),
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            page(&state, &caller, view, (status, text), &Place::default(), typed).await
        }
    }
}

pub(super) async fn show(
    Shared(state): Shared<State>,
    Confirmed { caller, view }: Confirmed,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    one(
        &state,
        &caller,
        view,
        token_id(&id)?,
        (StatusCode::OK, String::new()),
    )
    .await
}

/// Another label.
#[derive(Debug, Deserialize)]
pub(super) struct Label {
    #[serde(default)]
    label: String,
}

pub(super) async fn rename(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Path(id): Path<String>,
    Submitted(typed): Submitted<Label>,
) -> Result<Response, PageError> {
    let token_id = token_id(&id)?;
    let renamed = match typed.label.trim().parse() {
        Ok(label) => state
            .app
            .rename_own_access_token(&caller, token_id, &label)
            .await
            .map(drop),
        Err(error @ InvalidLabel) => Err(AppError::Invalid(error.to_string())),
    };
    match renamed {
        Ok(()) => Ok(done(
            &view,
            &format!("/account/tokens/{token_id}"),
            "account-done-saved",
        )),
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            one(&state, &caller, view, token_id, (status, text)).await
        }
    }
}

/// How one secret takes the place of another.
#[derive(Debug, Deserialize)]
pub(super) struct Rotation {
    #[serde(default)]
    overlap: u16,
}

pub(super) async fn rotate(
    Shared(state): Shared<State>,
    Confirmed { caller, view }: Confirmed,
    Path(id): Path<String>,
    Submitted(rotation): Submitted<Rotation>,
) -> Result<Response, PageError> {
    let token_id = token_id(&id)?;
    let rotated = state
        .app
        .rotate_own_access_token(&caller, token_id, rotation.overlap)
        .await;
    match rotated {
        Ok((details, secret)) => Ok(shown_once(view, details, &secret, false)),
        Err(error) => {
            let (status, text) = problem(error, &view)?;
            one(&state, &caller, view, token_id, (status, text)).await
        }
    }
}

/// Nothing but the form itself.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn revoke(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Path(id): Path<String>,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    state.app.revoke_own_access_token(&caller, token_id(&id)?).await?;
    Ok(done(&view, "/account/tokens", "account-done-revoked"))
}

pub(super) async fn end_secret(
    Shared(state): Shared<State>,
    SignedIn { caller, view }: SignedIn,
    Path((id, secret)): Path<(String, String)>,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let token_id = token_id(&id)?;
    let secret = secret.parse().map_err(|_| PageError::not_found())?;
    state
        .app
        .end_own_access_token_secret(&caller, token_id, SecretId::from_i64(secret))
        .await?;
    Ok(done(
        &view,
        &format!("/account/tokens/{token_id}"),
        "account-done-secret",
    ))
}

fn token_id(text: &str) -> Result<TokenId, PageError> {
    text.parse()
        .map(TokenId::from_i64)
        .map_err(|_| PageError::not_found())
}

async fn page(
    state: &State,
    caller: &Caller,
    view: View,
    (status, problem): (StatusCode, String),
    place: &Place,
    typed: Typed,
) -> Result<Response, PageError> {
    let read = state
        .app
        .list_own_access_tokens(caller, place.after_id(), PAGE + 1)
        .await?;
    let rows = read
        .into_iter()
        .map(|details| Row::new(details, view.now_ms))
        .collect();
    let page = TokensPage {
        tokens: Paged::new(place, "/account/tokens", rows, PAGE, |row: &Row| row.id.clone()),
        frame: Frame {
            problem,
            ..Frame::of("tokens")
        },
        typed,
        offered: OFFERED,
        lives: LIVES,
        view,
    };
    Ok(render_with(status, &page))
}

async fn one(
    state: &State,
    caller: &Caller,
    view: View,
    token_id: TokenId,
    (status, problem): (StatusCode, String),
) -> Result<Response, PageError> {
    let details = state.app.find_own_access_token(caller, token_id).await?;
    let page = TokenPage {
        token: Row::new(details, view.now_ms),
        frame: Frame {
            problem,
            ..Frame::of("tokens")
        },
        overlap: DEFAULT_OVERLAP_HOURS,
        view,
    };
    Ok(render_with(status, &page))
}

/// A page that no cache keeps: what follows a form is kept by none.
fn shown_once(view: View, details: AccessTokenDetails, secret: &Secret<String>, is_new: bool) -> Response {
    render(&SecretPage {
        token: Row::new(details, view.now_ms),
        frame: Frame::of("tokens"),
        secret: secret.expose().clone(),
        is_new,
        view,
    })
}
