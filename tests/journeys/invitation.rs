//! The page behind an invitation's link, in a real browser, and the command that does the same.

use harness::browser::Browser;
use harness::server::{Options, Server};
use harness::{Account, Context as _, Journey, Need, Result, Suite, binaries, ensure};

pub(crate) fn add(suite: &mut Suite) {
    suite.add(
        "invitation",
        "a_link_is_opened_in_a_browser_and_taken_by_whoever_has_an_account_and_who_has_none",
        &[Need::Portolan, Need::Chromium],
        page,
    );
    suite.add(
        "invitation",
        "a_link_is_made_shown_taken_and_withdrawn_on_the_command_line",
        &[Need::Portolan],
        command_line,
    );
}

/// A server on which administrators invite, with an organisation of an administrator.
fn server(journey: &Journey) -> Result<Server> {
    let arguments = ["--sign-up", "invitation"].map(str::to_owned).to_vec();
    let options = Options {
        arguments,
        ..Options::default()
    };
    let server = Server::own(journey, options)?;
    server.administer(
        journey,
        &["org", "create", "crew", "--display-name", "The Crew <b>"],
        "",
    )?;
    Ok(server)
}

fn link(journey: &Journey, server: &Server, words: &[&str]) -> Result<String> {
    let made = server.administer(journey, &[&["invitation", "create"], words].concat(), "")?;
    let secret = made
        .trim()
        .rsplit_once('#')
        .context("the link has no secret")?
        .1
        .to_owned();
    Ok(format!("{}/invitation#{secret}", server.url()))
}

fn members(journey: &Journey, server: &Server) -> Result<String> {
    server.administer(journey, &["member", "list", "crew"], "")
}

/// What fills a form in and sends it.
fn filled(form: &str, account: &Account) -> String {
    format!(
        "(() => {{ const form = document.getElementById('{form}'); form.elements.name.value = '{}'; \
         form.elements.password.value = '{}'; form.requestSubmit(); return true; }})()",
        account.name, account.password
    )
}

fn shows(text: &str) -> String {
    format!("document.body.innerText.includes('{text}')")
}

fn page(journey: &Journey) -> Result<()> {
    let server = server(journey)?;
    let eve = server.account(journey, "eve")?;
    for (language, invited, as_member, wrong, joined, gone) in [
        (
            "en-US",
            "You have been invited.",
            "member",
            "password is wrong",
            "joined the organisation crew",
            "used up",
        ),
        (
            "zh-CN",
            "您收到一份邀请",
            "成员",
            "密码错误",
            "您已加入组织 crew",
            "已用完",
        ),
    ] {
        let mut browser = Browser::open(journey, language)?;
        let url = link(journey, &server, &["--org", "crew"])?;
        browser.visit(&url)?;
        browser.wait_for(&shows(invited))?;
        let mut papers = Vec::new();
        for scheme in ["light", "dark"] {
            browser.set_scheme(scheme)?;
            papers.push(browser.evaluate("getComputedStyle(document.body).backgroundColor")?);
            browser.picture(&journey.folder().join(format!("{language}-{scheme}.png")))?;
        }
        ensure!(papers[0] != papers[1], "dark is as light: {papers:?}");
        // What people wrote stands there as they wrote it.
        for text in ["The Crew <b> (crew)", "admin", as_member] {
            ensure!(browser.evaluate(&shows(text))? == true, "{text} is missing");
        }
        let guess = Account {
            password: "not the password".to_owned(),
            ..eve.clone()
        };
        browser.evaluate(&filled("join-form", &guess))?;
        browser.wait_for(&shows(wrong))?;
        browser.evaluate(&filled("join-form", &eve))?;
        browser.wait_for(&shows(joined))?;
        ensure!(
            browser.evaluate("location.hash")? == "",
            "the link stays in the address"
        );
        ensure!(
            members(journey, &server)?.contains(&eve.name),
            "eve is not in crew"
        );
        browser.visit(&url)?;
        browser.wait_for(&shows(gone))?;
        server.administer(journey, &["member", "remove", "crew", &eve.name, "--yes"], "")?;

        let new = Account {
            name: format!("new-{}", language.to_ascii_lowercase()),
            password: "correct horse battery of nobody".to_owned(),
        };
        browser.visit(&link(journey, &server, &["--org", "crew"])?)?;
        browser.wait_for(&shows(invited))?;
        browser.evaluate(&filled("sign-up-form", &new))?;
        browser.wait_for(&shows("docker login"))?;
        ensure!(
            members(journey, &server)?.contains(&new.name),
            "the new account is not in crew"
        );
        server.api(&new)?.get("/api/v1/account")?.expect(200)?;
    }
    Ok(())
}

fn command_line(journey: &Journey) -> Result<()> {
    let server = server(journey)?;
    let eve = server.account(journey, "eve")?;
    let at = |words: &[&str], stdin: &str| {
        let line = journey.command(binaries::path_of("portolan")?).args(words);
        let line = line.args(["--server", &server.url()]).stdin(stdin);
        Ok::<_, harness::Error>(line)
    };
    let url = link(journey, &server, &["--org", "crew", "--days", "1"])?;
    let shown = at(&["invitation", "show", &url], "")?.succeeds()?;
    shown.says("crew")?.says("member")?;
    let accept = ["invitation", "accept", &url, "--user", &eve.name];
    at(&accept, &eve.password)?.succeeds()?.says("crew")?;
    at(&accept, &eve.password)?.fails()?.says("used up")?;
    let url = link(journey, &server, &[])?;
    let accept = ["invitation", "accept", &url, "--new", "dora"];
    at(&accept, "correct horse battery of dora")?
        .succeeds()?
        .says("dora")?;
    let url = link(journey, &server, &["--org", "crew"])?;
    let listed = server.administer(journey, &["invitation", "list", "--org", "crew", "--json"], "")?;
    let listed: serde_json::Value = serde_json::from_str(&listed)?;
    let last = listed
        .as_array()
        .and_then(|list| list.iter().find(|one| one["uses_left"] == 1))
        .context("no open invitation is listed")?;
    let id = last["id"].as_str().context("it has no id")?;
    server.administer(journey, &["invitation", "revoke", id, "--org", "crew"], "")?;
    at(&["invitation", "show", &url], "")?
        .fails()?
        .says("withdrawn")?;
    Ok(())
}
