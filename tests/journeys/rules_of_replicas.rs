//! Rate limits and quotas where several registries serve one storage.

use harness::api::{Answer, Api};
use harness::{Context as _, Journey, Need, Result, Suite, ensure};

use crate::apart::Apart;
use crate::redis_cache::Redis;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "rules_of_replicas",
        "registries_that_share_redis_count_together_and_each_for_itself_without_it",
        &[Need::Portolan, Need::Nginx, Need::Redis],
        rate,
    );
    suite.add(
        "rules_of_replicas",
        "a_strict_quota_holds_against_pushes_to_two_registries_at_once",
        &[Need::Portolan, Need::Nginx],
        quota,
    );
}

/// Pulls of a limit.
const LIMIT: u64 = 6;

fn rate(journey: &Journey) -> Result<()> {
    let mut redis = Redis::start(journey.folder(), &[])?;
    let mut apart = Apart::prepare(journey)?;
    apart.start_index_with(&format!("rate_limits:\n  pulls_anonymous: {LIMIT}/1h\n"))?;
    let more = format!("{}redis: {{addr: '127.0.0.1:{}'}}\n", apart.events(), redis.port);
    apart.start_registry_with(&more)?;
    let second = apart.start_another_registry(&more)?;
    apart.start_nginx()?;
    let ada = apart.account("ada")?;
    let own = Api::new(&apart.registry(), Some(ada))?;
    own.push_small_image("ada/app", "1", "counted")?;
    apart.set_public_once_confirmed("ada/app")?;
    // Anonymous clients of one address are one, whatever they are called.
    let clients = [Api::new(&apart.registry(), None)?, Api::new(&second, None)?];
    for pull in 0..LIMIT {
        let client = &clients[usize::try_from(pull % 2)?];
        let answer = client.manifest("ada/app", "1")?.expect(200)?;
        ensure!(remaining(&answer)? == LIMIT - 1 - pull, "pull {pull}: {answer}");
    }
    for client in &clients {
        let refused = client.manifest("ada/app", "1")?.expect(429)?;
        ensure!(refused.error_code()? == "TOOMANYREQUESTS", "{refused}");
        let wait: u64 = refused.header("retry-after")?.parse()?;
        ensure!((1..=3_600).contains(&wait), "{refused}");
    }
    // Who signs in is counted apart; here not at all.
    own.manifest("ada/app", "1")?.expect(200)?;
    // Without redis each counts for itself, and nobody fails.
    redis.daemon.kill();
    for client in &clients {
        let answer = client.manifest("ada/app", "1")?.expect(200)?;
        ensure!(remaining(&answer)? < LIMIT, "{answer}");
    }
    Ok(())
}

/// What is left, as the answer says.
fn remaining(answer: &Answer) -> Result<u64> {
    let text = answer.header("ratelimit-remaining")?;
    let (number, _) = text.split_once(';').context("a window")?;
    Ok(number.parse()?)
}

/// Tags of a quota, and clients that each push one.
const TAGS: usize = 5;
const CLIENTS: usize = 16;

fn quota(journey: &Journey) -> Result<()> {
    let mut apart = Apart::prepare(journey)?;
    apart.start_index()?;
    let more = apart.events();
    apart.start_registry_with(&more)?;
    let second = apart.start_another_registry(&more)?;
    apart.start_nginx()?;
    let ada = apart.account("ada")?;
    let tags = TAGS.to_string();
    let words = ["quota", "set", "ada", "--tags", &tags, "--strict", "yes"];
    apart.administer(&words, "")?;
    let registries = [apart.registry(), second];
    let pushed: Vec<Result<String>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (base, account) = (&registries[number % 2], ada.clone());
                scope.spawn(move || {
                    let tag = format!("t{number}");
                    Api::new(base, Some(account))?.push_small_image("ada/app", &tag, &tag)
                })
            })
            .collect();
        let joined = clients.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .map(|pushed| pushed.unwrap_or_else(|_| Err(harness::anyhow!("a client panicked"))))
            .collect()
    });
    let refusals: Vec<String> = pushed
        .iter()
        .filter_map(|pushed| pushed.as_ref().err().map(|error| format!("{error:#}")))
        .collect();
    ensure!(
        refusals.iter().all(|text| text.contains("of its quota of 5")),
        "{refusals:?}"
    );
    let held = pushed.len() - refusals.len();
    ensure!(held == TAGS, "{held} were pushed: {refusals:?}");
    let api = Api::new(&registries[0], Some(ada))?;
    let listed = api.get("/v2/ada/app/tags/list")?.expect(200)?.json()?;
    let listed = listed["tags"].as_array().context("tags")?.len();
    ensure!(listed == TAGS, "{listed} tags are there");
    Ok(())
}
