//! The matrix of permission: subjects × credentials × repositories × actions, asked of the real token endpoint, the real registry and the
//! API, and held against a policy that is written by hand.

mod observation;
mod policy;
mod world;

use harness::server::{Options, Server};
use harness::{Journey, Need, Result, Suite, ensure};

use observation::{Cells, observe};
use policy::{Place, Policy, RIGHTS};
use world::World;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "matrix",
        "every_cell_is_as_the_policy_says_and_no_row_of_it_can_be_flipped_unnoticed",
        &[Need::Portolan],
        matrix,
    );
}

/// At least so many answers are held against the policy.
const LEAST: usize = 16_000;

fn matrix(journey: &Journey) -> Result<()> {
    let server = Server::own(journey, Options::default())?;
    let policy = Policy::read()?;
    let world = World::build(journey, &server)?;
    let cells = observe(&server, &world)?;
    let judged = judge(&policy, &world, &cells);
    journey.say(&format!(
        "{} cells: {} principals, {} credentials, {} names, {} actions; {} by tokens, {} by the registry, {} by the API",
        judged.checked,
        world.principals.len(),
        world.principals.iter().map(|who| who.credentials.len()).sum::<usize>(),
        world.resources.len(),
        RIGHTS.len(),
        cells.by_token,
        cells.by_registry,
        cells.by_api,
    ));
    ensure!(
        judged.wrong.is_empty(),
        "{} of {} cells are not as the policy says:\n{}",
        judged.wrong.len(),
        judged.checked,
        judged
            .wrong
            .iter()
            .take(40)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    );
    ensure!(
        judged.checked >= LEAST,
        "only {} cells were checked",
        judged.checked
    );
    every_flip_is_noticed(journey, &policy, &world, &cells)
}

/// With any single value of the table turned round, some cell must deviate; else the matrix would not see that mistake.
fn every_flip_is_noticed(journey: &Journey, policy: &Policy, world: &World, cells: &Cells) -> Result<()> {
    let principals: Vec<&str> = world.principals.iter().map(|who| who.name).collect();
    let flips = policy.flips(&principals)?;
    let mut wrong = Vec::new();
    for flip in &flips {
        let is_noticed = !judge(&flip.table, world, cells).wrong.is_empty();
        if is_noticed == flip.is_moot {
            wrong.push(flip.what.as_str());
        }
    }
    let moot = flips.iter().filter(|flip| flip.is_moot).count();
    journey.say(&format!(
        "{} values of {} rows turned round one by one: each of {} is noticed, {moot} cannot matter",
        flips.len(),
        policy.rows(),
        flips.len() - moot,
    ));
    ensure!(
        wrong.is_empty(),
        "not noticed though it matters, or noticed though it should not: {}",
        wrong.join("; ")
    );
    Ok(())
}

struct Judgement {
    checked: usize,
    wrong: Vec<String>,
}

fn judge(policy: &Policy, world: &World, cells: &Cells) -> Judgement {
    let mut judgement = Judgement {
        checked: 0,
        wrong: Vec::new(),
    };
    for cell in &cells.seen {
        let who = &world.principals[cell.principal];
        let resource = &world.resources[cell.resource];
        let place = Place {
            principal: who.name,
            kind: who.kind,
            credential: who.credentials[cell.credential].kind,
            namespace: resource.namespace,
            visibility: resource.visibility,
            rule: resource.rule,
        };
        let action = RIGHTS[cell.action];
        judgement.checked += 1;
        if policy.allows(&place, action) != cell.allowed {
            let verb = if cell.allowed { "may" } else { "may not" };
            judgement.wrong.push(format!(
                "{} with {} {verb} {action} {} ({}, rule {:?}) by {}",
                place.principal,
                place.credential,
                resource.name,
                resource.visibility.unwrap_or("no repository"),
                resource.rule,
                cell.way,
            ));
        }
    }
    judgement
}
