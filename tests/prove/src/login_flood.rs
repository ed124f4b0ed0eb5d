//! F30: many password logins at once, while tokens are issued.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use harness::Server;
use harness::cgroup::{peak_resident, resident};
use harness::command::RUNTIME;
use harness::process::wait_for;
use harness::server::{Account, Options};
use reqwest::Client;
use tokio::task::JoinSet;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "F30",
    promise: "64 password logins at once delay no token, stay within their memory, and are all answered",
    needs: &[harness::Need::Portolan],
    control: "every login is hashed at once",
    run,
};

/// Clients that log in again and again.
const FLOOD: usize = 64;
/// Clients with access tokens.
const ISSUERS: usize = 4;
/// What one hash fills.
const HASH_BYTES: u64 = 19 << 20;
/// Most that the flood may take besides.
const REST_BYTES: u64 = 32 << 20;
/// A p99 under this is no delay, whatever it was before the flood.
const UNNOTICED: Duration = Duration::from_millis(200);
/// By how much the p99 may grow beyond that: what a machine with other work does by itself.
const GROWTH: u32 = 10;
/// How often a delay is measured before it is believed: what else the machine does changes from one second to the next.
const MEASURED: usize = 3;

/// Where tokens are asked for, and with what.
struct Endpoint {
    http: Client,
    url: String,
    with_token: String,
    /// Right passwords and wrong ones, of accounts and of nobody.
    passwords: Vec<(String, bool)>,
}

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let sabotage = if run.control { "unbounded-hashing" } else { "" };
    let options = Options {
        launcher: vec!["env".into(), format!("PORTOLAN_SABOTAGE={sabotage}")],
        ..Options::default()
    };
    let server = Server::own(run.journey, options)?;
    let endpoint = Arc::new(endpoint(run, &server)?);
    let mut verdict = Verdict::default();
    let tokens = run.choose(1_000, 5_000);
    // Against a broken promise tokens may take seconds each.
    let (flooded_tokens, logins) = if run.control {
        (12, FLOOD)
    } else {
        (tokens, run.choose(3, 30) * FLOOD)
    };

    RUNTIME.block_on(issue(&endpoint, tokens / 4))?;
    let pid = server.pid()?;
    let before = resident(pid)?;
    let mut answers = Vec::new();
    for measured in 1..=if run.control { 1 } else { MEASURED } {
        let quiet = RUNTIME.block_on(issue(&endpoint, tokens))?;
        run.progress("the flood begins");
        let (flooded, logins) = RUNTIME.block_on(flood(&endpoint, flooded_tokens, logins))?;
        answers.extend(logins);
        let (usual, under_flood) = (p99(quiet), p99(flooded));
        let most = UNNOTICED.max(usual * GROWTH);
        if under_flood > most && !run.control && measured < MEASURED {
            continue;
        }
        verdict.figure("measured", measured);
        verdict.figure("p99_usual_ms", milliseconds(usual));
        verdict.figure("p99_under_flood_ms", milliseconds(under_flood));
        verdict.require(under_flood <= most, || {
            format!("a token takes {under_flood:?} instead of {usual:?} (p99)")
        });
        break;
    }

    for (status, should_succeed) in answers {
        verdict.count(&format!("answered_{status}"), 1);
        let expected = match status {
            200 => should_succeed,
            401 => !should_succeed,
            429 | 503 => true,
            _ => false,
        };
        verdict.require(expected, || {
            let password = if should_succeed { "right" } else { "wrong" };
            format!("a {password} password was answered with {status}")
        });
    }

    let threads = std::thread::available_parallelism()?.get().clamp(1, 8) as u64;
    let grown = peak_resident(pid)?.saturating_sub(before);
    verdict.figure("memory_grown_mib", grown >> 20);
    verdict.require(grown <= threads * HASH_BYTES + REST_BYTES, || {
        format!("the flood took {} MiB", grown >> 20)
    });
    let given_back = wait_for("the memory to be given back", Duration::from_mins(1), || {
        let now = resident(pid)?;
        Ok((now <= before + HASH_BYTES).then_some(now.saturating_sub(before)))
    });
    match given_back {
        Ok(kept) => verdict.figure("memory_kept_mib", kept >> 20),
        Err(error) => verdict.violation(error.to_string()),
    }
    Ok(verdict)
}

fn endpoint(run: &Run<'_>, server: &Server) -> Result<Endpoint> {
    let owner = server.account(run.journey, "issuer")?;
    let words = ["token", "create", &owner.name, "--name", "flood"];
    let secret = server.administer(run.journey, &words, "")?;
    let secret = secret
        .split_whitespace()
        .find(|word| word.starts_with("ptl_pat_"))
        .context("no access token was made")?;
    let basic = |name: &str, password: &str| {
        Account {
            name: name.to_owned(),
            password: password.to_owned(),
        }
        .basic()
    };
    let mut passwords = Vec::new();
    for _ in 0..run.choose(2, 8) {
        let account = server.account(run.journey, "flooding")?;
        passwords.push((account.basic(), true));
        passwords.push((basic(&account.name, "correct horse, wrong battery"), false));
        passwords.push((basic("nobody-at-all", "correct horse, no account"), false));
    }
    Ok(Endpoint {
        http: Client::builder()
            .no_proxy()
            .timeout(Duration::from_mins(2))
            .build()?,
        url: format!(
            "{}/token?service={}&scope=repository:{}/app:pull,push",
            server.url(),
            server.host(),
            owner.name
        ),
        with_token: basic(&owner.name, secret),
        passwords,
    })
}

/// Asks once; the status.
async fn ask(endpoint: &Endpoint, authorization: &str) -> Result<u16> {
    let request = endpoint.http.get(&endpoint.url);
    let answer = request.header("authorization", authorization).send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    Ok(status)
}

/// Issues so many tokens; how long each took.
async fn issue(endpoint: &Arc<Endpoint>, tokens: usize) -> Result<Vec<Duration>> {
    let mut issuers = JoinSet::new();
    for _ in 0..ISSUERS {
        let endpoint = Arc::clone(endpoint);
        issuers.spawn(async move {
            let mut times = Vec::new();
            for _ in 0..tokens / ISSUERS {
                let begun = Instant::now();
                let status = ask(&endpoint, &endpoint.with_token).await?;
                ensure!(status == 200, "an access token was answered with {status}");
                times.push(begun.elapsed());
            }
            Ok(times)
        });
    }
    let mut all = Vec::new();
    while let Some(times) = issuers.join_next().await {
        all.extend(times.context("an issuer")??);
    }
    Ok(all)
}

/// Status of a login, and whether its password was right.
type Login = (u16, bool);

/// The same while [`FLOOD`] clients log in; ends when both have had enough.
async fn flood(
    endpoint: &Arc<Endpoint>,
    tokens: usize,
    logins: usize,
) -> Result<(Vec<Duration>, Vec<Login>)> {
    let issued = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for number in 0..FLOOD {
        let (endpoint, issued) = (Arc::clone(endpoint), Arc::clone(&issued));
        clients.spawn(async move {
            let mut answers = Vec::new();
            // Whoever is refused would wait before trying again; this one does not.
            while answers.len() < logins / FLOOD || !issued.load(Ordering::Relaxed) {
                let place = (number + answers.len()) % endpoint.passwords.len();
                let (authorization, is_right) = &endpoint.passwords[place];
                answers.push((ask(&endpoint, authorization).await?, *is_right));
            }
            Ok::<_, anyhow::Error>(answers)
        });
    }
    let times = issue(endpoint, tokens).await;
    issued.store(true, Ordering::Relaxed);
    let mut answers = Vec::new();
    while let Some(client) = clients.join_next().await {
        answers.extend(client.context("a login")??);
    }
    Ok((times?, answers))
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
