//! Teams of an organisation, and who is in them.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;

use super::members::Row;
use crate::app::AppError;
use crate::app::team::TeamChange;
use crate::domain::Team;
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{At, Place, Subject, nothing};
use crate::http::web::settings::typed;
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Teams, or members of a team, on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "organisation/teams.html")]
struct TeamsPage {
    view: View,
    place: Place,
    draft: Draft,
    may_administer: bool,
    teams: Vec<Line>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "organisation/team.html")]
struct OneTeam {
    view: View,
    place: Place,
    draft: Draft,
    may_administer: bool,
    team: Line,
    members: Vec<Row>,
    next: Option<String>,
}

/// A team in a list.
struct Line {
    name: String,
    description: String,
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
        Ok((path, note)) => Ok(done(&at.view, &path, note)),
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

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<(String, &'static str), AppError> {
    let (app, caller, organisation) = (&state.app, &at.caller, at.place.name());
    let (team, here) = (fields.get("team").trim(), at.place.here());
    let own = |team: &str| format!("{here}?team={team}");
    Ok(match fields.get("do") {
        "create" => {
            let (name, description) = (fields.get("name").trim(), fields.get("description").trim());
            let made = app.create_team(caller, &organisation, name, description).await?;
            (own(made.name.as_str()), "organisation-done-team-created")
        }
        "change" => {
            let change = TeamChange {
                name: fields.some("name").map(str::to_owned),
                description: Some(fields.get("description").trim().to_owned()),
            };
            let changed = app.change_team(caller, &organisation, team, &change).await?;
            (own(changed.name.as_str()), "settings-done-saved")
        }
        "delete" => {
            typed(fields, team)?;
            app.delete_team(caller, &organisation, team).await?;
            (here, "organisation-done-team-deleted")
        }
        "add" => {
            let who = fields.get("member").trim();
            app.put_team_member(caller, &organisation, team, who).await?;
            (own(team), "organisation-done-member-added")
        }
        "remove" => {
            let who = fields.get("member").trim();
            app.remove_team_member(caller, &organisation, team, who).await?;
            (own(team), "organisation-done-member-removed")
        }
        _ => return Err(nothing()),
    })
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let organisation = at.place.name();
    let may_administer = matches!(&at.place.subject, Subject::Namespace(one) if one.is_administered);
    if let Some(name) = draft.fields.some("team") {
        let team = state.app.team(&at.caller, &organisation, name).await?;
        let after = draft.fields.after_id();
        let mut members = state
            .app
            .list_team_members(&at.caller, &organisation, name, after, PAGE + 1)
            .await?;
        let more = members.len() > PAGE as usize;
        members.truncate(PAGE as usize);
        let next = members.last().filter(|_| more);
        let next =
            next.map(|last| format!("{}?team={}&after={}", at.place.here(), team.name, last.account_id));
        let page = OneTeam {
            may_administer,
            team: Line::from(team),
            members: members.into_iter().map(Row::from).collect(),
            next,
            view: at.view,
            place: at.place,
            draft,
        };
        return Ok(render_with(page.draft.status(), &page));
    }
    let mut teams = state
        .app
        .list_teams(&at.caller, &organisation, draft.fields.after(), PAGE + 1)
        .await?;
    let more = teams.len() > PAGE as usize;
    teams.truncate(PAGE as usize);
    let next = teams.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}", at.place.here(), last.name));
    let page = TeamsPage {
        may_administer,
        teams: teams.into_iter().map(Line::from).collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

impl From<Team> for Line {
    fn from(team: Team) -> Self {
        Self {
            name: team.name.to_string(),
            description: team.description,
        }
    }
}
