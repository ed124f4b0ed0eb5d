//! Tokens out of a large database: how much CPU the index takes for them, how long clients wait, on SQLite and PostgreSQL.

mod database;
mod population;
mod round;
mod table;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use harness::command::RUNTIME;
use harness::process::{Daemon, free_port};
use harness::{Journey, binaries};

use crate::client::{Body, Client, Endpoint};
use crate::server::{basic, start};
use crate::usage;
use crate::work::Work;
pub(crate) use database::{Database, Kind};
use population::Population;
use round::Figures;
pub(crate) use table::markdown;

/// The account that asks for tokens.
const ADMIN: &str = "admin";

/// What a registry shows when it delivers events.
pub(crate) const EVENTS_SECRET: &str = "what-the-registry-shows-to-the-index-0123456789";

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The share of the full population, 0 to 1.
    pub(crate) scale: f64,
    pub(crate) rounds: usize,
    /// Seconds of a round.
    pub(crate) seconds: f64,
}

/// Everything measured on one database.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Report {
    pub(crate) database: &'static str,
    pub(crate) accounts: u64,
    pub(crate) repositories: u64,
    pub(crate) teams: u64,
    /// Resident memory of the index after all cases, bytes.
    pub(crate) memory: u64,
    pub(crate) cases: Vec<Figures>,
}

/// What a client asks for.
struct Case {
    id: &'static str,
    method: &'static str,
    path: String,
    authorization: String,
    form: String,
    /// CPU seconds for 1,000 tokens, where there is a target.
    target: Option<f64>,
}

/// Measures one database after the other.
pub(crate) fn run(journey: &Journey, kinds: &[Kind], plan: Plan) -> Result<Vec<Report>> {
    kinds.iter().map(|kind| measure(journey, *kind, plan)).collect()
}

fn measure(journey: &Journey, kind: Kind, plan: Plan) -> Result<Report> {
    let folder = journey.subfolder(kind.name())?;
    let database = Database::make(journey, kind, &folder)?;
    let port = free_port()?;
    let first = index(journey, &database, &folder, port)?;
    // The administrator's own credentials, as a person gets them from an empty database.
    let password =
        std::fs::read_to_string(folder.join("first-password")).context("read the first password")?;
    let password = basic(ADMIN, password.trim());
    let account = RUNTIME.block_on(access_token(port, &password))?;
    let refresh = RUNTIME.block_on(refresh_token(port, &password))?;
    drop(first);
    let population = Population::of(plan.scale);
    eprintln!("{}: {population}", kind.name());
    database.fill(|series| population.statements(series))?;
    let daemon = index(journey, &database, &folder, port)?;
    let mut cases = Vec::new();
    for mut case in cases_of(&account, &refresh, &population) {
        // The target is that of the database that needs no server.
        case.target = case.target.filter(|_| kind == Kind::Sqlite);
        let figures = RUNTIME.block_on(measure_case(port, &daemon, &database, &case, plan))?;
        eprintln!("{}: {figures}", kind.name());
        cases.push(figures);
    }
    for figures in RUNTIME.block_on(beside_logins(port, &daemon, &database, &account, &cases, plan))? {
        eprintln!("{}: {figures}", kind.name());
        cases.push(figures);
    }
    Ok(Report {
        database: kind.name(),
        accounts: population.accounts,
        repositories: population.repositories,
        teams: population.teams,
        memory: usage::resident(&[daemon.pid()])?,
        cases,
    })
}

pub(crate) fn index(journey: &Journey, database: &Database, folder: &Path, port: u16) -> Result<Daemon> {
    let at = folder.display();
    let text = format!(
        "listen: 127.0.0.1:{port}\npublic_url: http://localhost:{port}\ndatabase: {}\nkeys_dir: {at}/keys\n\
         initial_password_file: {at}/first-password\nregistry:\n  service: bench\n  events_secret: {EVENTS_SECRET}\nlog:\n  level: error\n\
         limits:\n  max_connections_per_address: 1024\n",
        database.url
    );
    let program = binaries::path_of("index-service")?;
    start(
        journey,
        "index",
        &program,
        &text,
        &[],
        &format!("http://127.0.0.1:{port}/readyz"),
    )
}

fn cases_of(account: &str, refresh: &str, population: &Population) -> Vec<Case> {
    let path = |scopes: &[String]| {
        let scopes = scopes.join("&scope=repository:");
        format!("/token?service=bench&scope=repository:{scopes}")
    };
    let own = |i: u64| format!("{ADMIN}/app-{i}:pull,push");
    let case = |id, path, authorization: &str, target| Case {
        id,
        method: "GET",
        path,
        authorization: authorization.to_owned(),
        form: String::new(),
        target,
    };
    let ten: Vec<String> = (0..10).map(own).collect();
    vec![
        case("access token, one scope", path(&[own(0)]), account, Some(0.15)),
        case("access token, ten scopes", path(&ten), account, None),
        case(
            "access token, through a team",
            path(&[format!("{}:pull,push", population.team_repository())]),
            account,
            None,
        ),
        case(
            "anonymous",
            path(&[format!("{}:pull", Population::PUBLIC_REPOSITORY)]),
            "",
            None,
        ),
        Case {
            id: "refresh token",
            method: "POST",
            path: "/token".to_owned(),
            authorization: String::new(),
            form: format!(
                "grant_type=refresh_token&service=bench&client_id=bench&refresh_token={refresh}&scope=repository:{}",
                own(0)
            ),
            target: None,
        },
    ]
}

impl Case {
    fn endpoint(&self, port: u16) -> Arc<Endpoint> {
        Arc::new(Endpoint {
            port,
            authorization: self.authorization.clone(),
            tls: None,
            fresh: false,
        })
    }

    fn request(&self, endpoint: &Endpoint) -> Vec<u8> {
        let headers = match self.form.len() {
            0 => String::new(),
            length => {
                format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n")
            }
        };
        let mut request = endpoint.prepare(self.method, &self.path, &headers);
        request.extend_from_slice(self.form.as_bytes());
        request
    }
}

async fn measure_case(
    port: u16,
    daemon: &Daemon,
    database: &Database,
    case: &Case,
    plan: Plan,
) -> Result<Figures> {
    let endpoint = case.endpoint(port);
    let request = case.request(&endpoint);
    // What is granted is told once, so that nobody measures refusals.
    let answer = Client::new(Arc::clone(&endpoint))
        .fetch(&request, Body::None)
        .await?;
    let body: serde_json::Value = serde_json::from_slice(&answer.body).context("read a token")?;
    let granted = body["scope"].as_str().unwrap_or_default();
    ensure!(
        granted.contains("repository:"),
        "{}: nothing is granted: {body}",
        case.id
    );
    let work = Arc::new(Work::Read(vec![request]));
    round::measure(
        case.id,
        &endpoint,
        &work,
        daemon.pid(),
        database.pid(),
        plan,
        case.target,
    )
    .await
}

/// Tokens for an access token at half load, in turn alone and while 64 clients log in with passwords that have to be hashed.
async fn beside_logins(
    port: u16,
    daemon: &Daemon,
    database: &Database,
    account: &str,
    cases: &[Figures],
    plan: Plan,
) -> Result<[Figures; 2]> {
    let case = Case {
        id: "access token",
        method: "GET",
        path: format!("/token?service=bench&scope=repository:{ADMIN}/app-0:pull,push"),
        authorization: account.to_owned(),
        form: String::new(),
        target: None,
    };
    let endpoint = case.endpoint(port);
    let work = Arc::new(Work::Read(vec![case.request(&endpoint)]));
    let rate = cases.first().map_or(1000.0, |figures| figures.rate / 2.0);
    round::beside_logins(
        [
            "access token at half load, without logins",
            "access token beside 64 password logins",
        ],
        &endpoint,
        &work,
        port,
        (daemon.pid(), database.pid()),
        rate,
        plan,
    )
    .await
}

async fn refresh_token(port: u16, password: &str) -> Result<String> {
    let path = "/token?service=bench&offline_token=true&client_id=bench";
    let body = ask(port, password, "GET", path, "").await?;
    let token = body["refresh_token"].as_str();
    token.map(str::to_owned).context("no refresh token")
}

/// `Authorization` of an access token for everything.
async fn access_token(port: u16, password: &str) -> Result<String> {
    let wish = r#"{"label":"bench","limits":[{"rights":["pull","push","delete"],"pattern":"*"}],"expires_in_days":30}"#;
    let body = ask(port, password, "POST", "/api/v1/access-tokens", wish).await?;
    let secret = body["secret"]
        .as_str()
        .with_context(|| format!("no secret in {body}"))?;
    Ok(basic(ADMIN, secret))
}

async fn ask(
    port: u16,
    authorization: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<serde_json::Value> {
    let endpoint = Arc::new(Endpoint {
        port,
        authorization: authorization.to_owned(),
        tls: None,
        fresh: true,
    });
    let headers = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    let request = endpoint.prepare(method, path, &headers);
    let answer = Client::new(endpoint)
        .fetch(&request, Body::Bytes(body.as_bytes()))
        .await?;
    serde_json::from_slice(&answer.body).with_context(|| format!("read the answer of {path}"))
}
