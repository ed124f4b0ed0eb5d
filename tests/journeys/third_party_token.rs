//! Tokens of somebody else's server: made by openssl and PyJWT, judged by distribution and by ours.

use std::path::Path;

use harness::api::{Answer, Api};
use harness::command::RUNTIME;
use harness::open_registry::{Choices, OpenRegistry};
use harness::peer::{Auth, DockerRegistry};
use harness::{Context, Journey, Need, Result, Suite, ensure};
use http::Method;
use serde::Deserialize;

const SERVICE: &str = "registry.example";
const ISSUER: &str = "a token server";
const REALM: &str = "https://auth.example/token";

pub(crate) fn add(suite: &mut Suite) {
    let python = &[Need::Portolan, Need::Openssl, Need::PythonJwt];
    let both = &[
        Need::Portolan,
        Need::Openssl,
        Need::PythonJwt,
        Need::DockerRegistry,
    ];
    suite.add(
        "third_party_token",
        "tokens_of_openssl_and_pyjwt_are_judged_as_distribution_judges_them",
        both,
        beside_distribution,
    );
    suite.add(
        "third_party_token",
        "an_algorithm_that_is_not_listed_opens_nothing",
        python,
        allow_list,
    );
    suite.add(
        "third_party_token",
        "the_challenge_follows_the_request_when_it_shall",
        both,
        auto_redirect,
    );
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    good: bool,
    both: bool,
    token: String,
}

/// Makes keys and tokens in a folder.
fn vectors(journey: &Journey, folder: &Path) -> Result<Vec<Vector>> {
    let script = folder.join("third_party_token.py");
    std::fs::write(&script, include_str!("third_party_token.py"))?;
    let python = harness::need::python().map_err(harness::Error::msg)?;
    journey.command(python).arg(&script).arg(folder).succeeds()?;
    let text = std::fs::read_to_string(folder.join("tokens.json"))?;
    serde_json::from_str(&text).context("tokens.json")
}

fn config(folder: &Path, more: &str) -> String {
    let folder = folder.display();
    format!(
        "auth:\n  token:\n    realm: {REALM}\n    service: {SERVICE}\n    issuer: {ISSUER}\n    rootcertbundle: \
         {folder}/bundle.pem\n    jwks: {folder}/keys.json\n{more}"
    )
}

fn ours(journey: &Journey, folder: &Path, more: &str) -> Result<OpenRegistry> {
    let choices = Choices {
        config: config(folder, more),
        ..Choices::default()
    };
    OpenRegistry::start(journey, &journey.subfolder("store")?, &choices)
}

fn peer(journey: &Journey, folder: &Path) -> Result<DockerRegistry> {
    let auth = Auth::Token {
        realm: REALM.to_owned(),
        service: SERVICE.to_owned(),
        issuer: ISSUER.to_owned(),
        bundle: folder.join("bundle.pem"),
    };
    DockerRegistry::start(
        &journey.subfolder("peer")?,
        &journey.subfolder("peer-store")?,
        &auth,
    )
}

fn ask(api: &Api, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    RUNTIME.block_on(api.once(Method::GET, path, headers, bytes::Bytes::new()))
}

fn ask_with(api: &Api, path: &str, token: &str) -> Result<Answer> {
    ask(api, path, &[("authorization", &format!("Bearer {token}"))])
}

fn challenge(answer: &Answer) -> String {
    let value = answer.headers.get("www-authenticate");
    value.map_or(String::new(), |value| format!("{value:?}"))
}

fn beside_distribution(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("tokens")?;
    let vectors = vectors(journey, &folder)?;
    let (ours, peer) = (ours(journey, &folder, "")?, peer(journey, &folder)?);
    let (ours, theirs) = (ours.api()?, Api::new(&peer.url(), None)?);
    let mut deviations = Vec::new();
    let mut asked_both = 0;
    for vector in &vectors {
        for path in ["/v2/", "/v2/a/b/tags/list"] {
            let mine = ask_with(&ours, path, &vector.token)?;
            // The repository does not exist: whoever may pull learns that.
            let is_open = matches!(mine.status, 200 | 404);
            if path != "/v2/" && is_open != vector.good {
                deviations.push(format!("{}: {mine}", vector.name));
            }
            if !vector.both {
                continue;
            }
            asked_both += 1;
            let other = ask_with(&theirs, path, &vector.token)?;
            if (mine.status, challenge(&mine)) != (other.status, challenge(&other)) {
                deviations.push(format!("{path} {}: {mine} and distribution {other}", vector.name));
            }
        }
    }
    ensure!(asked_both > 60, "only {asked_both} questions were asked of both");
    ensure!(deviations.is_empty(), "{}", deviations.join("\n"));
    Ok(())
}

fn allow_list(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("tokens")?;
    let vectors = vectors(journey, &folder)?;
    let listed = ours(journey, &folder, "    signingalgorithms: [ES512, HS384]\n")?;
    let api = listed.api()?;
    let mut opened = 0;
    for vector in &vectors {
        let status = ask_with(&api, "/v2/a/b/tags/list", &vector.token)?.status;
        let is_listed = ["ES512", "HS384", "P-521"]
            .iter()
            .any(|alg| vector.name.contains(alg));
        let expected = if vector.good && is_listed { 404 } else { 401 };
        ensure!(status == expected, "{}: {status}, not {expected}", vector.name);
        opened += u32::from(status == 404);
    }
    ensure!(opened == 4, "{opened} tokens opened the registry");
    Ok(())
}

fn auto_redirect(journey: &Journey) -> Result<()> {
    let folder = journey.subfolder("tokens")?;
    vectors(journey, &folder)?;
    for (more, path) in [
        ("    autoredirect: true\n", "/auth/token"),
        (
            "    autoredirect: true\n    autoredirectpath: /somewhere/else\n",
            "/somewhere/else",
        ),
    ] {
        let registry = ours(journey, &folder, more)?;
        let api = registry.api()?;
        for (headers, origin) in [
            (vec![("host", "r.example:5000")], "https://r.example:5000"),
            (
                vec![("host", "r.example"), ("x-forwarded-proto", "http")],
                "http://r.example",
            ),
        ] {
            let answer = ask(&api, "/v2/", &headers)?;
            let expected = format!("\"Bearer realm=\\\"{origin}{path}\\\",service=\\\"{SERVICE}\\\"\"");
            ensure!(
                challenge(&answer) == expected,
                "{} is not {expected}",
                challenge(&answer)
            );
        }
    }
    Ok(())
}
