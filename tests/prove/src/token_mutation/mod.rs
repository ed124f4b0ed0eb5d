//! S2: tokens that are one change away from a good one, shown to a registry.

mod certificate;
mod claim;
mod endpoint;
mod header;
mod oracle;
mod signer;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures_util::StreamExt as _;
use harness::api::{Answer, Api};
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use serde_json::json;

use certificate::Authority;
use endpoint::{ENDPOINTS, Endpoint};
use oracle::{ISSUER, Outcome, SERVICE};
use signer::Signer;

use crate::{Proof, Run, Verdict};

/// See `docs/proofs.md`.
pub(crate) const PROOF: Proof = Proof {
    id: "S2",
    promise: "a token opens exactly the endpoints that it should, whatever is changed in its header, claims or signature",
    needs: &[harness::Need::Portolan],
    control: "the registry takes tokens for other services",
    run,
};

/// Requests at once.
const AT_ONCE: usize = 24;
/// How old tokens may be before they are made anew.
const FRESH: Duration = Duration::from_secs(30);

/// A token and what must come of it.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    token: String,
    outcome: Outcome,
}

/// Who signs.
struct Keys {
    /// In the registry's key set.
    known: Vec<Signer>,
    /// Of the same kinds, and nobody knows them.
    strange: Vec<Signer>,
    /// Certified by the authority that the registry trusts, or not, and in no key set.
    certified: Vec<Signer>,
    trusted: Authority,
    untrusted: Authority,
    /// A certificate that hangs on nothing.
    stray_certificate: String,
}

fn run(run: &mut Run<'_>) -> Result<Verdict> {
    let keys = Keys::new()?;
    let registry = start(run, &keys)?;
    let api = registry.api()?;
    let mut verdict = Verdict::default();
    // Each endpoint is shown a part of the mutations, and in the full form each mutation at several endpoints.
    let parts = run.choose(60, 6);
    let (mut cases, mut made) = (Vec::new(), None::<Instant>);
    for (number, endpoint) in ENDPOINTS.iter().enumerate() {
        run.progress(&format!("endpoint {number} of {}", ENDPOINTS.len()));
        // Made anew now and then, so that their times stay near the edges.
        if made.is_none_or(|made| made.elapsed() > FRESH) {
            cases = keys.cases(now_s()?)?;
            made = Some(Instant::now());
        }
        verdict.figure("mutations", cases.len());
        let first = (usize::try_from(run.seed % 60)? + number) % parts;
        let shown = cases.iter().skip(first).step_by(parts).cloned().collect();
        RUNTIME.block_on(show(&api, endpoint, shown, &mut verdict))?;
    }
    verdict.figure("endpoints", ENDPOINTS.len());
    for both in ["believed", "refused"] {
        let seen = verdict.figures.get(both).and_then(serde_json::Value::as_u64);
        verdict.require(seen.is_some_and(|seen| seen > 100), || {
            format!("hardly any token was to be {both}")
        });
    }
    Ok(verdict)
}

impl Keys {
    fn new() -> Result<Self> {
        let strange = Signer::every_kind("stranger")?;
        let mut certified = Signer::every_kind("certified")?;
        certified.truncate(1);
        let mut others = Signer::every_kind("other")?;
        others.truncate(1);
        certified.append(&mut others);
        Ok(Self {
            known: Signer::every_kind("key")?,
            stray_certificate: certificate::self_signed(&strange[0])?,
            strange,
            certified,
            trusted: Authority::new()?,
            untrusted: Authority::new()?,
        })
    }

    fn cases(&self, now_s: i64) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for signer in &self.known {
            claim::cases(signer, now_s, &mut cases)?;
            header::cases(signer, self, now_s, &mut cases)?;
        }
        let [signer, other] = self.certified.as_slice() else {
            bail!("two keys are certified")
        };
        certificate::cases(signer, other, &self.trusted, &self.untrusted, now_s, &mut cases)?;
        Ok(cases)
    }
}

fn now_s() -> Result<i64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the registry that is asked lives by the same clock"
    )]
    let now = SystemTime::now();
    Ok(i64::try_from(now.duration_since(UNIX_EPOCH)?.as_secs())?)
}

/// A registry that believes the known keys and the trusted authority.
fn start(run: &Run<'_>, keys: &Keys) -> Result<OpenRegistry> {
    let (set, bundle) = (run.folder().join("keys.json"), run.folder().join("roots.pem"));
    let jwks: Vec<_> = keys.known.iter().map(Signer::jwk).collect();
    std::fs::write(&set, json!({"keys": jwks}).to_string()).context("write the key set")?;
    std::fs::write(&bundle, keys.trusted.pem()).context("write the bundle")?;
    let choices = Choices {
        sabotage: if run.control { "skip-audience" } else { "" }.into(),
        config: format!(
            "auth:\n  token:\n    realm: http://127.0.0.1:1/token\n    service: {SERVICE}\n    issuer: {ISSUER}\n    jwks: {}\n    \
             rootcertbundle: {}\n",
            set.display(),
            bundle.display()
        ),
        ..Choices::default()
    };
    OpenRegistry::start(run.journey, &run.folder().join("storage"), &choices)
}

/// Shows every token at the endpoint, and judges the answers.
async fn show(api: &Api, endpoint: &Endpoint, cases: Vec<Case>, verdict: &mut Verdict) -> Result<()> {
    let path = endpoint.path();
    let method: http::Method = endpoint.method.parse()?;
    let ask = |case: Case| {
        let (path, method) = (&path, method.clone());
        async move {
            let authorization = format!("Bearer {}", case.token);
            let answer = api
                .once(method, path, &[("authorization", &authorization)], Bytes::new())
                .await;
            (case, answer)
        }
    };
    let mut answers = futures_util::stream::iter(cases)
        .map(ask)
        .buffer_unordered(AT_ONCE);
    while let Some((case, answer)) = answers.next().await {
        let answer = answer.with_context(|| case.name.clone())?;
        verdict.count("requests", 1);
        verdict.count(
            if case.outcome.is_some() {
                "believed"
            } else {
                "refused"
            },
            1,
        );
        if let Some(fault) = fault(endpoint, &case, &answer) {
            verdict.violation(format!(
                "{} at {} {path}: {fault}: {}",
                case.name, endpoint.method, case.token
            ));
        }
    }
    Ok(())
}

/// What is wrong with an answer, if anything.
fn fault(endpoint: &Endpoint, case: &Case, answer: &Answer) -> Option<String> {
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    let said = || Some(format!("{} {challenge:?}", answer.status));
    match &case.outcome {
        None if answer.status == 401 && challenge.ends_with("error=\"invalid_token\"") => None,
        // Longer than any header may be.
        None if answer.status == 431 && case.token.len() > 8 << 10 => None,
        None => said().map(|said| format!("not refused: {said}")),
        Some(held) if endpoint.opens_to(held) => match answer.status {
            401 | 403 | 431 | 500.. => said().map(|said| format!("refused: {said}")),
            _ => None,
        },
        Some(_) if answer.status == 401 && challenge.ends_with("error=\"insufficient_scope\"") => None,
        Some(_) => said().map(|said| format!("allowed too much, or refused for another reason: {said}")),
    }
}
