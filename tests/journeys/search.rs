//! `docker search` and `podman search` at the front door: what somebody may pull is found, and nothing else.

use bytes::Bytes;
use harness::api::Answer;
use harness::engine::Docker;
use harness::{Account, Journey, Need, Result, Server, Suite, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::podman::podman;

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "search",
        "docker_finds_what_its_user_may_pull",
        &[Need::Portolan, Need::Docker],
        docker,
    );
    suite.add(
        "search",
        "podman_finds_what_everybody_may_pull",
        &[Need::Portolan, Need::Podman],
        podman_search,
    );
    suite.add(
        "search",
        "what_one_may_not_pull_is_in_no_answer_of_a_search",
        &[Need::Portolan],
        invisible,
    );
    suite.add(
        "search",
        "an_official_image_is_pulled_by_its_short_name",
        &[Need::Portolan, Need::Docker],
        official,
    );
}

/// `word` with letters of the account's own, so that no other test finds it.
fn own(account: &Account, word: &str) -> String {
    let own: String = account.name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{word}{own}")
}

/// Two repositories whose names have the word: one for everybody, one for its owner alone.
fn open_and_closed(
    journey: &Journey,
    server: &Server,
    owner: &Account,
    word: &str,
) -> Result<(String, String)> {
    let (open, closed) = (
        format!("{}/open-{word}", owner.name),
        format!("{}/closed-{word}", owner.name),
    );
    for repository in [&open, &closed] {
        server.api(owner)?.push_small_image(repository, "1", "searched")?;
    }
    server.set_public(journey, &open)?;
    Ok((open, closed))
}

/// With the password from the beginning: what shows something to everybody asks for none.
fn get(server: &Server, by: Option<&Account>, path: &str) -> Result<Answer> {
    let basic = by.map(Account::basic);
    let headers: Vec<(&str, &str)> = basic
        .iter()
        .map(|basic| ("authorization", basic.as_str()))
        .collect();
    server
        .anonymous()?
        .send(Method::GET, path, &headers, Bytes::new())
}

fn id_of(server: &Server, by: &Account, repository: &str) -> Result<String> {
    let path = format!("/api/v1/repositories?name={repository}");
    let found = get(server, Some(by), &path)?.expect(200)?.json()?;
    Ok(found["items"][0]["id"].as_str().unwrap_or_default().to_owned())
}

fn patch(server: &Server, by: &Account, path: &str, body: &Value) -> Result<()> {
    let headers = [
        ("authorization", &*by.basic()),
        ("content-type", "application/json"),
    ];
    let body = Bytes::from(body.to_string());
    server
        .anonymous()?
        .send(Method::PATCH, path, &headers, body)?
        .expect(200)
        .map(drop)
}

fn docker(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let word = own(&alice, "proxy");
    let (open, closed) = open_and_closed(journey, &server, &alice, &word)?;
    let id = id_of(&server, &alice, &open)?;
    let path = format!("/api/v1/repositories/{id}/description");
    patch(
        &server,
        &alice,
        &path,
        &json!({"summary": "一个代理 for everybody"}),
    )?;
    let term = format!("{}/{word}", server.host());
    let client = Docker::new(journey)?;
    let search = |words: &[&str]| -> Result<String> {
        Ok(client
            .line([&["search", "--no-trunc"], words].concat())
            .succeeds()?
            .stdout)
    };
    let anonymous = search(&[&term])?;
    ensure!(
        anonymous.contains(&open) && anonymous.contains("一个代理") && !anonymous.contains(&closed),
        "{anonymous}"
    );
    client.login(&server.host(), &bob).succeeds()?;
    let others = search(&[&term])?;
    ensure!(others.contains(&open) && !others.contains(&closed), "{others}");
    client.login(&server.host(), &alice).succeeds()?;
    let hers = search(&[&term])?;
    ensure!(hers.contains(&open) && hers.contains(&closed), "{hers}");
    let one = search(&["--limit", "1", &term])?;
    ensure!(one.lines().count() == 2, "{one}");
    let starred = search(&["--filter", "stars=1", &term])?;
    ensure!(!starred.contains(&open), "{starred}");
    // By the beginning of a word, and by the first letters of its pinyin.
    let unfinished = search(&[&term[..term.len() - 2]])?;
    ensure!(unfinished.contains(&open), "{unfinished}");
    let pinyin = search(&[
        "--limit",
        "100",
        &format!("{}/ygdl {}", server.host(), alice.name),
    ])?;
    ensure!(pinyin.contains(&open) && !pinyin.contains(&closed), "{pinyin}");
    Ok(())
}

fn podman_search(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let alice = server.account(journey, "alice")?;
    let word = own(&alice, "tool");
    let (open, closed) = open_and_closed(journey, &server, &alice, &word)?;
    let found = podman(journey, "storage")?
        .args(["search", "--tls-verify=false", "--no-trunc"])
        .arg(format!("{}/{word}", server.host()))
        .succeeds()?
        .stdout;
    ensure!(found.contains(&open) && !found.contains(&closed), "{found}");
    let tags = podman(journey, "storage")?
        .args(["search", "--tls-verify=false", "--list-tags"])
        .arg(format!("{}/{open}", server.host()))
        .succeeds()?
        .stdout;
    ensure!(tags.contains('1'), "{tags}");
    Ok(())
}

fn invisible(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let (alice, bob) = (server.account(journey, "alice")?, server.account(journey, "bob")?);
    let admin = server.admin()?;
    let word = own(&alice, "secret");
    let closed = format!("{}/{word}", alice.name);
    server
        .api(&alice)?
        .push_small_image(&closed, "1", "for alice alone")?;
    let id = id_of(&server, &alice, &closed)?;
    let path = format!("/api/v1/repositories/{id}/description");
    patch(
        &server,
        &alice,
        &path,
        &json!({"summary": format!("{word} 密密"), "topics": [word]}),
    )?;
    let hers = get(&server, Some(&alice), &format!("/v1/search?q={word}"))?
        .expect(200)?
        .json()?;
    ensure!(hers["num_results"] == 1, "{hers}");
    for caller in [Some(&bob), Some(&admin), None] {
        for query in [
            word.clone(),
            word[..word.len() - 2].to_owned(),
            alice.name.clone(),
            "%E5%AF%86".to_owned(),
        ] {
            for path in [
                format!("/v1/search?n=100&q={query}"),
                format!("/api/v1/search?limit=200&q={query}"),
            ] {
                let answer = get(&server, caller, &path)?.expect(200)?.json()?;
                ensure!(!answer.to_string().contains(&closed), "{path}: {answer}");
            }
        }
        let facet = get(&server, caller, &format!("/api/v1/search?topic={word}"))?
            .expect(200)?
            .json()?;
        ensure!(facet["total"] == 0 && facet["items"] == json!([]), "{facet}");
        let described = get(&server, caller, &path)?;
        ensure!(matches!(described.status, 401 | 404), "{described}");
    }
    // As soon as it is for everybody, and only as long.
    for (visibility, total) in [("public", 1), ("private", 0)] {
        patch(
            &server,
            &alice,
            &format!("/api/v1/repositories/{id}"),
            &json!({"visibility": visibility}),
        )?;
        let found = get(&server, None, &format!("/v1/search?q={word}"))?
            .expect(200)?
            .json()?;
        ensure!(found["num_results"] == total, "{found}");
    }
    Ok(())
}

fn official(journey: &Journey) -> Result<()> {
    let server = Server::shared(journey)?;
    let admin = server.admin()?;
    let alice = server.account(journey, "alice")?;
    let name = own(&alice, "web");
    let (long, short) = (
        format!("{}/library/{name}:1", server.host()),
        format!("{}/{name}:1", server.host()),
    );
    let client = Docker::new(journey)?;
    client.login(&server.host(), &admin).succeeds()?;
    client.import(&long, "an official image")?;
    client.line(["push", &long]).succeeds()?;
    client.forget(&[&long])?;
    let anonymous = Docker::new(journey)?;
    anonymous.line(["pull", &short]).fails()?.says("denied")?;
    server.set_public(journey, &format!("library/{name}"))?;
    anonymous.line(["pull", &short]).succeeds()?;
    ensure!(anonymous.run(&short)? == "an official image\n", "another image");
    anonymous.line(["push", &short]).fails()?.says("denied")?;
    let found = anonymous
        .line([
            "search",
            "--filter",
            "is-official=true",
            &format!("{}/{name}", server.host()),
        ])
        .succeeds()?
        .stdout;
    ensure!(found.contains(&format!("library/{name}")), "{found}");
    client.forget(&[&short])
}
