//! `/api/v1/accounts`.

use crate::http::api::described::{ApiRouter, routes};
use axum::extract::{Path, Query, State as Shared};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::secret::Secret;
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::caller::{Anyone, SignedIn};
use super::idempotency::{Claimed, ShowsSecret};
use super::instant::Instant;
use super::organisation::Listing;
use super::page::{Page, Wish};
use super::problem::Problem;
use crate::app::departure::AccountEnd;
use crate::app::preference::PreferenceChange;
use crate::app::profile::{ProfileChange, ProfileView};
use crate::app::sign_up::{NewPerson, Once, SignedUp};
use crate::domain::{PageLanguage, PageTheme, Preferences, Profile};

pub(super) fn routes() -> ApiRouter {
    ApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
        .routes(routes!(deletion))
}

/// An account, as the caller may see it.
#[derive(Debug, Serialize, ToSchema)]
struct ShownProfile {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The name as its owner writes it.
    display_name: String,
    /// The name of the person.
    full_name: String,
    /// What the person says about themselves.
    biography: String,
    /// Where the person is.
    location: String,
    /// A page of the person.
    website: String,
    /// When it was made.
    created_at: Instant,
    /// The address; for the account itself and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The language of pages that it chose, `en` or `zh-CN`; for the account itself and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    /// The colours of pages that it chose, `light` or `dark`; for the account itself and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<&'static str>,
    /// Whether another account gave the same address before; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_email_of_another: Option<bool>,
    /// Whether it administers the site; for the account itself and administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    is_admin: Option<bool>,
    /// Since when it is suspended; for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<Instant>,
}

impl From<ProfileView> for ShownProfile {
    fn from(view: ProfileView) -> Self {
        let profile = view.profile;
        let preferences = if view.is_private {
            profile.preferences
        } else {
            Preferences::default()
        };
        let is_email_of_another = profile.email.as_ref().map(|_| !profile.owns_email);
        Self {
            id: profile.account_id.to_string(),
            name: profile.username.to_string(),
            display_name: profile.username.display_name().to_owned(),
            full_name: profile.full_name,
            biography: profile.biography,
            location: profile.location,
            website: profile.website,
            created_at: Instant(profile.created_at),
            email: profile.email.filter(|_| view.is_private),
            language: preferences.language.map(PageLanguage::as_str),
            theme: preferences.theme.map(PageTheme::as_str),
            is_email_of_another: is_email_of_another.filter(|_| view.is_admins),
            is_admin: view.is_private.then_some(profile.is_admin),
            suspended_at: profile.disabled_at.filter(|_| view.is_admins).map(Instant),
        }
    }
}

impl From<Profile> for ShownProfile {
    /// For administrators.
    fn from(profile: Profile) -> Self {
        ProfileView {
            profile,
            is_private: true,
            is_admins: true,
        }
        .into()
    }
}

/// Which accounts are looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// What their names begin with.
    #[param(max_length = 64)]
    #[serde(default)]
    prefix: String,
}

/// A new account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountCreation {
    /// Its name: letters a to z and digits, joined by `.`, `_`, `__` or dashes; upper case is kept for show.
    #[schema(max_length = 64)]
    name: String,
    /// Its password, 12 to 256 characters. Administrators may leave it out: one is made, and shown once.
    #[schema(format = Password, max_length = 256)]
    password: Option<String>,
    /// Its address.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The name of the person.
    #[serde(default)]
    #[schema(max_length = 100)]
    full_name: String,
    /// The link of an invitation, or its secret.
    #[schema(max_length = 500)]
    invitation: Option<String>,
}

/// An account that was made.
#[derive(Serialize, ToSchema)]
struct CreatedAccount {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// The password, when it was made here; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// The organisation that the invitation let it into.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
}

impl From<&SignedUp> for CreatedAccount {
    fn from(made: &SignedUp) -> Self {
        Self {
            id: made.account.account_id.to_string(),
            name: made.account.username.to_string(),
            password: made.password.as_ref().map(|password| password.expose().clone()),
            organisation: made
                .organisation
                .as_ref()
                .map(|organisation| organisation.name.to_string()),
        }
    }
}

/// What is to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountPatch {
    /// The name of the person.
    #[schema(max_length = 100)]
    full_name: Option<String>,
    /// What the person says about themselves.
    #[schema(max_length = 1000)]
    biography: Option<String>,
    /// Where the person is.
    #[schema(max_length = 100)]
    location: Option<String>,
    /// A page of the person: `https://…`.
    #[schema(max_length = 200)]
    website: Option<String>,
    /// The address; an empty text removes it.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The language of pages, `en` or `zh-CN`; an empty text leaves it to the browser.
    #[schema(max_length = 10)]
    language: Option<String>,
    /// The colours of pages, `light` or `dark`; an empty text leaves them to the system.
    #[schema(max_length = 10)]
    theme: Option<String>,
    /// Whether it administers the site; decided by administrators.
    is_admin: Option<bool>,
    /// Whether it may do nothing until further notice; decided by administrators.
    is_suspended: Option<bool>,
}

/// What would end with an account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountDeletion {
    /// Why it cannot be deleted yet, and what to do first.
    obstacles: Vec<String>,
    /// Repositories of its namespace.
    repositories: Listing,
    /// Organisations that it would leave.
    organisations: Listing,
    /// Rules about it on other people's repositories; they would go.
    rules: Listing,
    /// Robots of its namespace, which would stop.
    robots: Listing,
    /// How many access tokens would stop.
    tokens: i64,
    /// How many devices would be signed out.
    devices: i64,
}

impl From<AccountEnd> for AccountDeletion {
    fn from(end: AccountEnd) -> Self {
        Self {
            obstacles: end.obstacles,
            repositories: end.repositories.into(),
            organisations: end.organisations.into(),
            rules: end.rules.into(),
            robots: end.robots.into(),
            tokens: end.tokens,
            devices: end.devices,
        }
    }
}

/// Accounts by their names, for administrators
#[utoipa::path(get, path = "/accounts", operation_id = "list_accounts", tag = "accounts", params(Search, Wish),
    responses((status = 200, body = Page<ShownProfile>), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn list(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Query(search): Query<Search>,
    Query(wish): Query<Wish>,
) -> Result<Json<Page<ShownProfile>>, Problem> {
    let read = state
        .app
        .list_profiles(&caller, &search.prefix, wish.after(), wish.limit() + 1)
        .await?;
    Ok(Json(Page::new(
        &wish,
        read,
        |profile| profile.username.to_string(),
        ShownProfile::from,
    )))
}

/// Makes an account: administrators for others, people for themselves where the site lets them
#[utoipa::path(post, path = "/accounts", operation_id = "create_account", tag = "accounts", request_body = AccountCreation,
    responses((status = 201, body = CreatedAccount), (status = 400, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem, description = "the invitation lets nobody in"),
    (status = 409, body = Problem, description = "the name is taken"),
    (status = 429, body = Problem, description = "too many accounts were made within the hour")))]
async fn create(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    claimed: Option<Extension<Claimed>>,
    Json(body): Json<AccountCreation>,
) -> Result<Response, Problem> {
    let new = NewPerson {
        username: body.name,
        password: body.password.map(Secret::new),
        email: body.email,
        full_name: body.full_name,
        invitation: body.invitation,
        once: claimed.map(|Extension(Claimed(claim))| Once {
            claim,
            answer: |made| serde_json::to_string(&CreatedAccount::from(made)).unwrap_or_default(),
        }),
    };
    let created = CreatedAccount::from(&state.app.sign_up(&caller, &new).await?);
    let is_secret = created.password.is_some();
    let mut response = (StatusCode::CREATED, Json(created)).into_response();
    if is_secret {
        response.extensions_mut().insert(ShowsSecret);
    }
    Ok(response)
}

/// The profile of an account
#[utoipa::path(get, path = "/accounts/{account}", operation_id = "show_account", tag = "accounts",
    params(("account" = String, Path)), responses((status = 200, body = ShownProfile), (status = 404, body = Problem)))]
async fn show(
    Shared(state): Shared<State>,
    Anyone(caller): Anyone,
    Path(account): Path<String>,
) -> Result<Json<ShownProfile>, Problem> {
    Ok(Json(state.app.profile(&caller, &account).await?.into()))
}

/// Changes an account: its own profile; administrators also suspend, resume, and appoint administrators
#[utoipa::path(patch, path = "/accounts/{account}", operation_id = "change_account", tag = "accounts",
    params(("account" = String, Path)), request_body = AccountPatch, responses((status = 200, body = ShownProfile),
    (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem, description = "the last owner or administrator")))]
async fn change(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(account): Path<String>,
    Json(body): Json<AccountPatch>,
) -> Result<Json<ShownProfile>, Problem> {
    let change = ProfileChange {
        full_name: body.full_name,
        biography: body.biography,
        location: body.location,
        website: body.website,
        email: body.email,
        preferences: PreferenceChange::read(body.language.as_deref(), body.theme.as_deref())?,
        is_admin: body.is_admin,
        is_suspended: body.is_suspended,
    };
    let view = state.app.change_profile(&caller, &account, &change).await?;
    Ok(Json(view.into()))
}

/// Deletes an account: its own, or by an administrator; its name is never given again
#[utoipa::path(delete, path = "/accounts/{account}", operation_id = "delete_account", tag = "accounts",
    params(("account" = String, Path)), responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 409, body = Problem, description = "others depend on it")))]
async fn delete(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(account): Path<String>,
) -> Result<StatusCode, Problem> {
    state.app.delete_account(&caller, &account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What would end with an account
#[utoipa::path(get, path = "/accounts/{account}/deletion", operation_id = "show_account_deletion", tag = "accounts",
    params(("account" = String, Path)), responses((status = 200, body = AccountDeletion), (status = 401, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn deletion(
    Shared(state): Shared<State>,
    SignedIn(caller): SignedIn,
    Path(account): Path<String>,
) -> Result<Json<AccountDeletion>, Problem> {
    Ok(Json(state.app.account_end(&caller, &account).await?.into()))
}

#[cfg(test)]
#[path = "profile/tests.rs"]
mod tests;
