//! `portolan import volume`: what a registry has kept so far, without an index, gets owners.

mod index;
mod owner;
mod tree;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use index_service::App;
use index_service::app::AppError;
use index_service::app::adoption::Adoption;
use index_service::app::organisation::NewOrganisation;
use index_service::domain::{NamespaceName, NamespaceOwner};
use index_service::random::Random;
use serde_json::{Value, json};
use shared::oci::RepositoryName;

use super::telling::{Subject, Telling};
use crate::cli::Place;
use crate::data::DataFolder;
use crate::place;
use crate::remote::{Column, Output, column};
use owner::{Kind, Owner, Plan, Rule};

#[derive(Debug, Args)]
pub(crate) struct Volume {
    /// The volume: what `rootdirectory` of config.yml names, with docker/registry/v2 in it.
    folder: PathBuf,
    /// Who gets the repositories of a pattern, in which `*` stands for any text, such as `team-*=org:team`. The first rule
    /// that reaches a repository counts. OWNER is `org:NAME` (made if missing), `user:NAME`, `same` (whoever has the first part of the
    /// name, and an organisation of it if nobody has) or `skip`; `org:NAME/PART` says the new name too.
    #[arg(long = "owner", value_name = "PATTERN=OWNER")]
    rules: Vec<Rule>,
    /// Who gets what no rule reaches. Without it that is asked on a terminal, and elsewhere nothing is done.
    #[arg(long, value_name = "OWNER")]
    otherwise: Option<Owner>,
    /// The account that owns organisations that are made.
    #[arg(long = "as", value_name = "NAME", default_value = "admin")]
    operator: String,
    /// Say what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

const COLUMNS: [Column; 5] = [
    column("IN THE VOLUME", "/stored_as"),
    column("NAME", "/name"),
    column("OWNER", "/owner"),
    column("RESULT", "/result"),
    column("WHY", "/why"),
];

/// `portolan import volume …`
pub(super) async fn run(command: Volume, variables: Vec<(String, String)>) -> anyhow::Result<()> {
    let found = tree::repositories(&command.folder)?;
    anyhow::ensure!(
        !found.is_empty(),
        "{} holds no repositories with a manifest",
        command.folder.display()
    );
    let plans = plans(&command, &found)?;
    let app = place::open(&command.place, variables).await?;
    let done = carry_out(&app, &command, &plans).await;
    app.close().await;
    let (rows, fault) = done?;
    Output::new(command.json).list(&rows, &COLUMNS);
    hint(&command)?;
    match fault {
        None => Ok(()),
        Some(fault) => anyhow::bail!(fault),
    }
}

/// Adopts everything, and has the index know how far it is; gives back what was done, and what is wrong with it.
async fn carry_out(
    app: &Arc<App>,
    command: &Volume,
    plans: &[Plan],
) -> anyhow::Result<(Vec<Value>, Option<String>)> {
    let folder = std::path::absolute(&command.folder).unwrap_or_else(|_| command.folder.clone());
    let subject = Subject {
        source: folder.display().to_string(),
        about: about(plans),
        is_rehearsal: command.dry_run,
    };
    let telling = Telling::new(app.as_ref(), subject, None, Random::system().bytes());
    telling.step("adopting", plans.len());
    // On the heap: it is large.
    let work = Box::pin(adopt_all(app, command, plans, &telling));
    let done = telling.of(work).await?;
    let fault = match &done {
        Ok(rows) => refusals(rows),
        Err(error) => Some(format!("{error:#}")),
    };
    let end = fault.as_deref().map_or(("done", ""), |fault| ("failed", fault));
    telling.end(end).await;
    Ok((done?, fault))
}

/// The namespace that everything goes to, where it is one.
fn about(plans: &[Plan]) -> Option<String> {
    let mut namespaces = plans
        .iter()
        .filter(|plan| plan.owner.kind != Kind::Skip)
        .filter_map(|plan| plan.name.as_ref().ok().map(RepositoryName::namespace));
    let first = namespaces.next()?;
    namespaces.all(|other| other == first).then(|| first.to_owned())
}

fn refusals(rows: &[Value]) -> Option<String> {
    let refused = rows.iter().filter(|row| row["result"] == "refused").count();
    (refused > 0).then(|| format!("{refused} of {} repositories were refused", rows.len()))
}

/// Whose each repository becomes, and under which name.
fn plans(command: &Volume, found: &[RepositoryName]) -> anyhow::Result<Vec<Plan>> {
    let ruled = |name: &RepositoryName| command.rules.iter().find_map(|rule| rule.plan(name));
    let (mut plans, mut left) = (Vec::new(), Vec::new());
    for name in found {
        match ruled(name).or_else(|| command.otherwise.as_ref().map(|owner| owner.plan(name, None))) {
            Some(plan) => plans.push(plan),
            None => left.push(name),
        }
    }
    if left.is_empty() {
        return Ok(plans);
    }
    anyhow::ensure!(
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        "nobody is said to own {}; nothing is done: say --owner 'PATTERN=OWNER' or --otherwise OWNER",
        left.iter()
            .map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    let mut answer: Option<(String, Owner)> = None;
    for name in left {
        let group = name
            .as_str()
            .split_once('/')
            .map_or("", |(first, _)| first)
            .to_owned();
        let owner = match &answer {
            Some((known, owner)) if *known == group => owner.clone(),
            _ => ask(&group, name)?,
        };
        plans.push(owner.plan(name, None));
        answer = Some((group, owner));
    }
    plans.sort_by(|a, b| a.stored_as.cmp(&b.stored_as));
    Ok(plans)
}

/// Asks on the terminal, once for all that begins the same.
fn ask(group: &str, example: &RepositoryName) -> anyhow::Result<Owner> {
    let mut terminal = std::io::stderr();
    let what = if group.is_empty() {
        format!("names of one part, such as {example}")
    } else {
        format!("{group}/…, such as {example}")
    };
    loop {
        write!(
            terminal,
            "Who owns {what}? org:NAME, user:NAME, same or skip [same]: "
        )?;
        terminal.flush()?;
        let mut line = String::new();
        anyhow::ensure!(
            std::io::stdin().lock().read_line(&mut line)? > 0,
            "no answer; nothing is done"
        );
        let line = line.trim();
        match (if line.is_empty() { "same" } else { line }).parse() {
            Ok(owner) => return Ok(owner),
            Err(error) => writeln!(terminal, "{error}")?,
        }
    }
}

async fn adopt_all(
    app: &Arc<App>,
    command: &Volume,
    plans: &[Plan],
    telling: &Telling<'_, App>,
) -> anyhow::Result<Vec<Value>> {
    let mut rows = Vec::new();
    // In a dry run an organisation that would be made for one repository is there for the next.
    let mut made: Vec<String> = Vec::new();
    for plan in plans {
        let (result, why) = match adopt(app, command, plan, &mut made).await? {
            Ok(result) => (result, String::new()),
            Err(why) => ("refused", why),
        };
        rows.push(json!({
            "stored_as": plan.stored_as.as_str(),
            "name": plan.name.as_ref().ok().map(RepositoryName::as_str),
            "owner": plan.owner.to_string(),
            "result": result,
            "why": why,
        }));
        telling.one();
    }
    Ok(rows)
}

/// What was done with one repository, or why nothing could be.
async fn adopt(
    app: &Arc<App>,
    command: &Volume,
    plan: &Plan,
    made: &mut Vec<String>,
) -> anyhow::Result<Result<&'static str, String>> {
    if plan.owner.kind == Kind::Skip {
        return Ok(Ok("skipped"));
    }
    let name = match &plan.name {
        Ok(name) => name,
        Err(why) => return Ok(Err(why.clone())),
    };
    let namespace = NamespaceName::from(name);
    let owner = app.owner_of(&namespace).await?;
    let must_be_made = match (&plan.owner.kind, owner) {
        (Kind::Organisation, Some(NamespaceOwner::Account(_))) => {
            return Ok(Err(format!("{namespace} is an account and no organisation")));
        }
        (Kind::Account, Some(NamespaceOwner::Organisation(_))) => {
            return Ok(Err(format!("{namespace} is an organisation and no account")));
        }
        (Kind::Account, None) => return Ok(Err(format!("there is no account {namespace}"))),
        (_, None) => true,
        (_, Some(_)) => false,
    };
    if must_be_made && command.dry_run {
        if !made.contains(&namespace.to_string()) {
            made.push(namespace.to_string());
        }
        return Ok(Ok("would be adopted, into a new organisation"));
    }
    if must_be_made && let Err(why) = organisation(app, command, &namespace).await? {
        return Ok(Err(why));
    }
    let adoption = app
        .adopt_repository(&plan.stored_as, name, command.dry_run)
        .await?;
    Ok(match adoption {
        Adoption::Adopted if command.dry_run => Ok("would be adopted"),
        Adoption::Adopted => Ok("adopted"),
        Adoption::There => Ok("there"),
        Adoption::Taken => Err("its content is that of another repository, perhaps a deleted one".to_owned()),
        Adoption::NameTaken => Err(format!("another repository is called {name}")),
        Adoption::NoNamespace => Err(format!("nobody owns {namespace}")),
        Adoption::Reserved => Err("the index keeps content of its own there".to_owned()),
    })
}

async fn organisation(
    app: &Arc<App>,
    command: &Volume,
    namespace: &NamespaceName,
) -> anyhow::Result<Result<(), String>> {
    let operator = app.operator(&command.operator).await?;
    let new = NewOrganisation {
        name: namespace.to_string(),
        display_name: None,
        description: String::new(),
    };
    match app.create_organisation(&operator, &new).await {
        Ok(_) => Ok(Ok(())),
        Err(error @ (AppError::Invalid(_) | AppError::Conflict(_) | AppError::Forbidden(_))) => {
            Ok(Err(format!("the organisation {namespace}: {error}")))
        }
        Err(error) => Err(error).with_context(|| format!("making the organisation {namespace}")),
    }
}

/// A server of a data folder serves what lies in it.
#[expect(clippy::print_stderr, reason = "advice beside the answer")]
fn hint(command: &Volume) -> anyhow::Result<()> {
    let data = &command.place.data;
    if command.place.config.is_some() {
        return Ok(());
    }
    let served = DataFolder::find(&data.dir)?.registry();
    let volume = command.folder.canonicalize()?;
    if served.canonicalize().ok().as_ref() != Some(&volume) {
        eprintln!(
            "portolan: this index is served with {}, and the volume is {}. Stop the server, move that folder away, and type: ln -s {} {}",
            served.display(),
            volume.display(),
            volume.display(),
            served.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
