//! Who is in an organisation, as what, and until when; and what ends when somebody is removed.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::app::AppError;
use crate::app::member::MembershipEnd;
use crate::domain::{Member, OrganisationRole};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields, as_day};
use crate::http::web::settings::place::{At, Place, Subject, nothing};
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Members on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "organisation/members.html")]
struct MembersPage {
    view: View,
    place: Place,
    draft: Draft,
    may_administer: bool,
    may_appoint_owners: bool,
    members: Vec<Row>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "organisation/departure.html")]
struct Departure {
    view: View,
    place: Place,
    draft: Draft,
    who: String,
    end: End,
}

/// What ends with a membership.
pub(super) struct End {
    pub(super) obstacle: Option<&'static str>,
    pub(super) teams: Vec<String>,
    pub(super) rules: Vec<String>,
    pub(super) rule_count: i64,
    pub(super) tokens: Option<i64>,
}

/// A member in a list.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) role: &'static str,
    pub(super) role_key: &'static str,
    pub(super) expires_at: Option<i64>,
    /// The same as a form takes it.
    pub(super) until: String,
    pub(super) created_at: i64,
}

pub(super) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

pub(super) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok(note) => Ok(done(&at.view, &at.place.here(), note)),
        Err(error) => {
            let form = if fields.get("do") == "add" { "add" } else { "other" };
            let draft = Draft::refused(form, fields, error, &at.view)?;
            page(&state, at, draft).await
        }
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<&'static str, AppError> {
    let (organisation, who) = (at.place.name(), fields.get("member").trim());
    match fields.get("do") {
        what @ ("add" | "change") => {
            let role = fields
                .parse::<OrganisationRole>("role")?
                .ok_or_else(|| AppError::Invalid("choose a role".to_owned()))?;
            // The field is there for whoever becomes a guest.
            let end = fields
                .end_of_day("until")?
                .filter(|_| role == OrganisationRole::Guest);
            state
                .app
                .put_member(&at.caller, &organisation, who, role, end)
                .await?;
            Ok(if what == "add" {
                "organisation-done-member-added"
            } else {
                "settings-done-saved"
            })
        }
        "remove" => {
            state.app.remove_member(&at.caller, &organisation, who).await?;
            Ok("organisation-done-member-removed")
        }
        _ => Err(nothing()),
    }
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let name = at.place.name();
    if let Some(who) = draft.fields.some("remove") {
        let end = state.app.membership_end(&at.caller, &name, who).await?;
        let page = Departure {
            who: who.to_owned(),
            end: End::from(end),
            view: at.view,
            place: at.place,
            draft,
        };
        return Ok(render_with(page.draft.status(), &page));
    }
    let after = draft.fields.after_id();
    let mut members = state.app.list_members(&at.caller, &name, after, PAGE + 1).await?;
    let more = members.len() > PAGE as usize;
    members.truncate(PAGE as usize);
    let next = members.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}", at.place.here(), last.account_id));
    let (may_administer, role) = match &at.place.subject {
        Subject::Namespace(namespace) => (namespace.is_administered, namespace.role()),
        Subject::Repository(_) => (false, None),
    };
    let page = MembersPage {
        may_administer,
        may_appoint_owners: role == Some(OrganisationRole::Owner),
        members: members.into_iter().map(Row::from).collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

/// What a role is called.
pub(super) fn role_key(role: OrganisationRole) -> &'static str {
    match role {
        OrganisationRole::Guest => "organisation-role-guest",
        OrganisationRole::Member => "organisation-role-member",
        OrganisationRole::Manager => "organisation-role-manager",
        OrganisationRole::Owner => "organisation-role-owner",
    }
}

impl From<Member> for Row {
    fn from(member: Member) -> Self {
        Self {
            name: member.username.to_string(),
            full_name: member.full_name,
            role: member.role.as_str(),
            role_key: role_key(member.role),
            until: member.expires_at.map(as_day).unwrap_or_default(),
            expires_at: member.expires_at,
            created_at: member.created_at,
        }
    }
}

impl From<MembershipEnd> for End {
    fn from(end: MembershipEnd) -> Self {
        Self {
            obstacle: end.obstacle,
            teams: end.teams,
            rule_count: end.rules.count,
            rules: end.rules.names,
            tokens: end.tokens,
        }
    }
}
