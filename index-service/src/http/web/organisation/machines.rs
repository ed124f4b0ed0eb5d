//! Robots of a namespace, and an organisation's own access tokens: what they may, their secrets, their end.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use shared::network::Network;
use shared::secret::Secret;

use crate::app::AppError;
use crate::app::access_token::DEFAULT_LIFE_DAYS;
use crate::app::robot::{MachineKind, RobotChange, RobotDetails, RobotWish};
use crate::app::secret::DEFAULT_OVERLAP_HOURS;
use crate::domain::ceiling::Limit;
use crate::domain::{AllowedNetworks, Ceiling, Right, Rights, RobotId, SecretId};
use crate::http::State as Parts;
use crate::http::web::fault::PageError;
use crate::http::web::page::{done, render_with};
use crate::http::web::settings::access::tags;
use crate::http::web::settings::fields::{Draft, Fields};
use crate::http::web::settings::place::{At, Place, nothing};
use crate::http::web::settings::secret::{Of, show_once};
use crate::http::web::settings::section::Section;
use crate::http::web::settings::typed;
use crate::http::web::submitted::Submitted;
use crate::http::web::view::View;

/// Machines on a page.
const PAGE: u32 = 50;

#[derive(Template)]
#[template(path = "organisation/machines.html")]
struct MachinesPage {
    view: View,
    place: Place,
    draft: Draft,
    is_robots: bool,
    machines: Vec<Machine>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "organisation/machine.html")]
struct OneMachine {
    view: View,
    place: Place,
    draft: Draft,
    is_robots: bool,
    machine: Machine,
}

impl MachinesPage {
    /// What a new machine reaches, as long as nothing else was sent.
    fn first_pattern(&self) -> String {
        let whole = format!("{}/*", self.place.name());
        self.draft.text("create", "pattern_1", &whole)
    }

    /// Whether a right of a new machine is ticked.
    fn sent_right(&self, right: &str, present: bool) -> bool {
        self.draft.ticked("create", "right_1", right, present)
    }
}

/// A robot, or an access token of the organisation.
struct Machine {
    id: String,
    username: String,
    label: String,
    limits: Vec<ShownLimit>,
    networks: String,
    created_at: i64,
    expires_at: Option<i64>,
    is_over: bool,
    is_suspended: bool,
    last_use: Option<LastUse>,
    refused: Option<(i64, i64)>,
    secrets: Vec<ShownSecret>,
}

/// What it may at most with the repositories of a pattern.
struct ShownLimit {
    pattern: String,
    rights: Vec<&'static str>,
    push_tags: String,
    delete_tags: String,
}

/// Its last use.
struct LastUse {
    at: i64,
    from: String,
}

/// One of its secrets.
struct ShownSecret {
    id: String,
    last_four: String,
    created_at: i64,
    ends_at: Option<i64>,
    is_live: bool,
}

pub(super) async fn show(
    State(state): State<Parts>,
    at: At,
    Query(query): Query<Fields>,
) -> Result<Response, PageError> {
    page(&state, at, Draft::asked(query)).await
}

/// What becomes of a form.
enum Next {
    To(String, &'static str),
    Secret(Secret<String>, String, String),
}

pub(super) async fn act(
    State(state): State<Parts>,
    at: At,
    Submitted(fields): Submitted<Fields>,
) -> Result<Response, PageError> {
    match change(&state, &at, &fields).await {
        Ok(Next::To(path, note)) => Ok(done(&at.view, &path, note)),
        Ok(Next::Secret(secret, username, back)) => {
            Ok(show_once(at, Of::Machine, &secret, Some(&username), back))
        }
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

fn kind(at: &At) -> MachineKind {
    if at.place.section == Section::Robots {
        MachineKind::Robot
    } else {
        MachineKind::OrganisationToken
    }
}

async fn change(state: &Parts, at: &At, fields: &Fields) -> Result<Next, AppError> {
    let (app, caller, kind) = (&state.app, &at.caller, kind(at));
    let here = at.place.here();
    let own = |id: RobotId| format!("{here}?id={id}");
    if fields.get("do") == "create" {
        let (made, secret) = app.create_robot(caller, &wish(at, fields)?).await?;
        let back = own(made.robot.robot_id);
        return Ok(Next::Secret(secret, made.robot.username(), back));
    }
    let id = RobotId::from_i64(fields.id("id").ok_or_else(nothing)?);
    Ok(match fields.get("do") {
        "change" => {
            let change = RobotChange {
                label: fields.parse("label")?,
                ceiling: Some(ceiling(fields)?),
                networks: Some(networks(fields)?),
                is_suspended: None,
            };
            app.change_robot(caller, kind, id, change).await?;
            Next::To(own(id), "settings-done-saved")
        }
        what @ ("suspend" | "resume") => {
            let change = RobotChange {
                is_suspended: Some(what == "suspend"),
                ..RobotChange::default()
            };
            app.change_robot(caller, kind, id, change).await?;
            Next::To(own(id), "settings-done-saved")
        }
        "rotate" => {
            let overlap = fields.number("overlap_hours")?.unwrap_or(DEFAULT_OVERLAP_HOURS);
            let (found, secret) = app.rotate_robot(caller, kind, id, overlap).await?;
            Next::Secret(secret, found.robot.username(), own(id))
        }
        "end" => {
            let secret = SecretId::from_i64(fields.id("secret").ok_or_else(nothing)?);
            app.end_robot_secret(caller, kind, id, secret).await?;
            Next::To(own(id), "organisation-done-secret-ended")
        }
        "delete" => {
            let found = app.find_robot(caller, kind, id).await?;
            typed(fields, &found.robot.label.to_string())?;
            app.delete_robot(caller, kind, id).await?;
            Next::To(here, "organisation-done-machine-deleted")
        }
        _ => return Err(nothing()),
    })
}

fn wish(at: &At, fields: &Fields) -> Result<RobotWish, AppError> {
    let is_robot = kind(at) == MachineKind::Robot;
    let name = if is_robot {
        let named = fields.parse("name")?;
        Some(named.ok_or_else(|| AppError::Invalid("a robot has a name".to_owned()))?)
    } else {
        None
    };
    let label = fields.some("label").unwrap_or_else(|| fields.get("name"));
    let life_days = fields.number("days")?;
    Ok(RobotWish {
        namespace: at.namespace(),
        name,
        label: label
            .parse()
            .map_err(|error: crate::domain::credential::InvalidLabel| AppError::Invalid(error.to_string()))?,
        ceiling: ceiling(fields)?,
        networks: networks(fields)?,
        life_days: if is_robot {
            life_days
        } else {
            Some(life_days.unwrap_or(DEFAULT_LIFE_DAYS))
        },
    })
}

/// What a form lets a machine do: fields with the number of their limit behind them.
fn ceiling(fields: &Fields) -> Result<Ceiling, AppError> {
    let mut limits = Vec::new();
    for number in 1..=10 {
        let of = |name: &str| format!("{name}_{number}");
        let Some(pattern) = fields.some(&of("pattern")) else {
            continue;
        };
        let mut rights = Rights::NONE;
        for word in fields.all(&of("right")) {
            let right = Right::find(word).ok_or_else(nothing)?;
            rights = rights.with(right);
        }
        if rights.is_empty() {
            return Err(AppError::Invalid(format!("say what it may do with {pattern}")));
        }
        let parsed = pattern
            .parse()
            .map_err(|error: crate::domain::pattern::InvalidPattern| AppError::Invalid(error.to_string()))?;
        limits.push(Limit {
            push_tags: tags(fields, &of("push_tags"))?,
            delete_tags: tags(fields, &of("delete_tags"))?,
            ..Limit::new(rights, parsed)
        });
    }
    if limits.is_empty() {
        return Err(AppError::Invalid(
            "say which repositories it may reach".to_owned(),
        ));
    }
    Ok(Ceiling::Limited(limits.into()))
}

fn networks(fields: &Fields) -> Result<AllowedNetworks, AppError> {
    let words = fields.words("networks");
    let networks: Result<Vec<Network>, _> = words.iter().map(|word| word.parse()).collect();
    let networks =
        networks.map_err(|error: shared::network::InvalidNetwork| AppError::Invalid(error.to_string()))?;
    AllowedNetworks::new(networks).map_err(|error| AppError::Invalid(error.to_string()))
}

async fn page(state: &Parts, at: At, draft: Draft) -> Result<Response, PageError> {
    let kind = kind(&at);
    let is_robots = kind == MachineKind::Robot;
    let now_ms = at.view.now_ms;
    if let Some(id) = draft.fields.id("id").map(RobotId::from_i64) {
        let found = state.app.find_robot(&at.caller, kind, id).await?;
        // One of another namespace is shown where it belongs.
        if found.robot.namespace != at.namespace() {
            return Err(nothing().into());
        }
        let page = OneMachine {
            is_robots,
            machine: machine(found, now_ms),
            view: at.view,
            place: at.place,
            draft,
        };
        return Ok(render_with(page.draft.status(), &page));
    }
    let after = draft.fields.after_id();
    let mut found = state
        .app
        .list_robots(&at.caller, kind, &at.namespace(), after, PAGE + 1)
        .await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{}?after={}", at.place.here(), last.robot.robot_id));
    let page = MachinesPage {
        is_robots,
        machines: found.into_iter().map(|one| machine(one, now_ms)).collect(),
        next,
        view: at.view,
        place: at.place,
        draft,
    };
    Ok(render_with(page.draft.status(), &page))
}

fn machine(details: RobotDetails, now_ms: i64) -> Machine {
    let RobotDetails { robot, secrets } = details;
    let every = [Limit::new(Rights::ALL, crate::domain::RepositoryPattern::every())];
    let limits = match &robot.ceiling {
        Ceiling::Full => &every[..],
        Ceiling::Limited(limits) => limits,
    };
    Machine {
        id: robot.robot_id.to_string(),
        username: robot.username(),
        label: robot.label.to_string(),
        limits: limits.iter().map(limit).collect(),
        networks: robot.networks.to_text().unwrap_or_default(),
        created_at: robot.created_at,
        expires_at: robot.expires_at,
        is_over: !robot.is_live(now_ms),
        is_suspended: robot.suspended_at.is_some(),
        last_use: robot.last_use.map(|last| LastUse {
            at: last.at,
            from: last.address.unwrap_or(last.client),
        }),
        refused: robot.refused.map(|refused| (refused.count, refused.last_at)),
        secrets: secrets
            .into_iter()
            .map(|secret| ShownSecret {
                id: secret.secret_id.to_string(),
                is_live: secret.is_live(now_ms),
                last_four: secret.last_four,
                created_at: secret.created_at,
                ends_at: secret.ends_at,
            })
            .collect(),
    }
}

fn limit(limit: &Limit) -> ShownLimit {
    ShownLimit {
        pattern: limit.pattern.to_string(),
        rights: limit.rights.iter().map(Right::as_str).collect(),
        push_tags: limit.push_tags.to_text().unwrap_or_default(),
        delete_tags: limit.delete_tags.to_text().unwrap_or_default(),
    }
}
