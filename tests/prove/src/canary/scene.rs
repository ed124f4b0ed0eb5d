//! `portolan up` at the level trace, and everything that is done with secrets: right, wrong, and in the wrong place.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::command::RUNTIME;
use harness::server::Options;
use harness::{Account, Server, binaries};

use super::{Findings, WITNESS};
use crate::{Random, Run};

const FORM: &str = "application/x-www-form-urlencoded";

struct Scene<'a, 'b> {
    run: &'a mut Run<'b>,
    server: Server,
    http: reqwest::Client,
    /// Heads and bodies of all answers that are errors.
    errors: String,
    /// The ids that the server gave to the requests: the log tells of each.
    requests: Vec<String>,
    /// What commands said, but for what they were asked to say.
    said: String,
}

/// An answer's status and body.
type Answer = (u16, String);

pub(super) fn play(run: &mut Run<'_>, findings: &mut Findings) -> Result<()> {
    let promise = if run.control { "log-secrets" } else { "" };
    let options = Options {
        arguments: vec!["--log".into(), "trace".into()],
        launcher: vec!["env".into(), format!("PORTOLAN_SABOTAGE={promise}")],
        ..Options::default()
    };
    let server = Server::own(run.journey, options)?;
    let first = server.admin()?.password;
    let mut scene = Scene {
        run,
        http: harness::api::Api::new(&server.url(), None)?.http().clone(),
        server,
        errors: String::new(),
        requests: Vec::new(),
        said: String::new(),
    };
    scene.log_in(findings)?;
    scene.misplace(findings)?;
    findings.plant("the first password", &first);
    scene.keys(findings)?;
    scene.server.stop()?;
    let log = std::fs::read(scene.server.log()).context("read the log")?;
    let log = String::from_utf8_lossy(&log).into_owned();
    ensure!(log.contains("DEBUG"), "hardly anything was logged");
    // The first password is shown once, on purpose, in the words of welcome.
    let shown = log.lines().filter(|line| line.contains(&first)).count();
    ensure!(shown <= 1, "the first password is shown {shown} times");
    let is_welcome = |line: &&str| {
        line.contains(&first)
            && !["TRACE", "DEBUG", "INFO", "WARN"]
                .iter()
                .any(|level| line.contains(level))
    };
    let kept: Vec<&str> = log.lines().filter(|line| !is_welcome(line)).collect();
    let requests = std::mem::take(&mut scene.requests);
    findings.channel_with("the log of portolan up", kept.join("\n"), requests);
    findings.channel("error answers", std::mem::take(&mut scene.errors));
    findings.channel("what commands said", std::mem::take(&mut scene.said));
    Ok(())
}

impl Scene<'_, '_> {
    fn random(&mut self) -> &mut Random {
        &mut self.run.random
    }

    /// Text that stands nowhere else, with what needs escaping in it.
    fn secret(&mut self, hint: &str) -> String {
        format!("{hint} +/\"{:016x}", self.random().next())
    }

    fn send(&mut self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let request = request.header("user-agent", format!("{WITNESS}/1"));
        let (status, headers, body) = RUNTIME.block_on(async {
            let answer = request.send().await?;
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.text().await?))
        })?;
        let id = headers
            .get("x-request-id")
            .context("an answer without X-Request-Id")?;
        self.requests.push(format!("request_id={}", id.to_str()?));
        if status >= 400 {
            let _ = writeln!(self.errors, "{status} {headers:?}\n{body}");
        }
        Ok((status, body))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(self.url(path))
    }

    fn token(&self, query: &str) -> reqwest::RequestBuilder {
        let service = self.server.host().replace(':', "%3A");
        self.get(&format!("/token?service={service}&{query}"))
    }

    fn form(&mut self, fields: &[(&str, &str)]) -> Result<Answer> {
        let (url, service) = (self.url("/token"), self.server.host());
        let mut all = vec![("service", service.as_str()), ("client_id", WITNESS)];
        all.extend_from_slice(fields);
        self.send(self.http.post(url).header("content-type", FORM).form(&all))
    }

    fn command(&mut self, words: &[&str], stdin: &str, stdout_is_secret: bool) -> Result<String> {
        let line = self
            .run
            .journey
            .command(binaries::path_of("portolan")?)
            .args(words);
        let done = line.arg("--data").arg(self.server.data()).stdin(stdin).run()?;
        let _ = writeln!(self.said, "{words:?}\n{}", done.stderr);
        if !stdout_is_secret {
            self.said += &done.stdout;
        }
        Ok(done.stdout)
    }

    /// Accounts, their passwords right and wrong, their tokens of each kind.
    fn log_in(&mut self, findings: &mut Findings) -> Result<()> {
        for number in 0..4 {
            let account = Account {
                name: format!("{WITNESS}-{number}"),
                password: self.secret("correct horse"),
            };
            findings.plant(&format!("password {number}"), &account.password);
            self.command(
                &["user", "add", &account.name, "--password-stdin"],
                &account.password,
                false,
            )?;
            self.sessions(number, &account, findings)?;
            self.access_tokens(number, &account, findings)?;
            let renewed = self.secret("another horse");
            findings.plant(&format!("new password {number}"), &renewed);
            self.command(
                &["user", "reset-password", &account.name, "--password-stdin"],
                &renewed,
                false,
            )?;
            // The old one and a guess.
            for wrong in [account.password.clone(), self.secret("a wrong guess")] {
                findings.plant(&format!("wrong password {number}"), &wrong);
                let (status, _) = self.send(self.token("").basic_auth(&account.name, Some(&wrong)))?;
                ensure!(status == 401, "a wrong password: {status}");
                self.form(&[
                    ("grant_type", "password"),
                    ("username", &account.name),
                    ("password", &wrong),
                ])?;
            }
        }
        let short = self.secret("x");
        self.command(&["user", "add", "Not A Name", "--password-stdin"], &short, false)?;
        findings.plant("the password of a refused account", &short);
        Ok(())
    }

    /// What `docker login` does, and a push with what it got.
    fn sessions(&mut self, number: usize, account: &Account, findings: &mut Findings) -> Result<()> {
        let scope = format!("scope=repository:{}/{WITNESS}:pull,push", account.name);
        let login = self.token(&format!("offline_token=true&client_id=docker&{scope}"));
        let (status, body) = self.send(login.basic_auth(&account.name, Some(&account.password)))?;
        ensure!(status == 200, "a login: {status} {body}");
        let login: serde_json::Value = serde_json::from_str(&body)?;
        let refresh = login["refresh_token"]
            .as_str()
            .context("no refresh token")?
            .to_owned();
        findings.plant(&format!("refresh token {number}"), &refresh);
        let mut tokens = vec![login["token"].as_str().context("no token")?.to_owned()];
        let scope = scope.trim_start_matches("scope=").to_owned();
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
            ("scope", &scope),
        ];
        let (status, body) = self.form(&fields)?;
        ensure!(status == 200, "a refresh: {status} {body}");
        let refreshed: serde_json::Value = serde_json::from_str(&body)?;
        tokens.push(refreshed["access_token"].as_str().context("no token")?.to_owned());
        let typo = format!("{}x", &refresh[..refresh.len() - 1]);
        self.form(&[("grant_type", "refresh_token"), ("refresh_token", &typo)])?;
        for token in &tokens {
            // The header of a token is public; what follows is not.
            let (_, secret) = token.split_once('.').context("not a token")?;
            findings.plant(&format!("a token of session {number}"), secret);
            let path = format!("/v2/{}/{WITNESS}/manifests/{WITNESS}", account.name);
            let (status, body) = self.send(self.get(&path).bearer_auth(token))?;
            ensure!(status == 404, "an absent manifest: {status} {body}");
            self.send(self.get(&path).bearer_auth(&token[..token.len() - 2]))?;
            self.send(self.get("/v2/other/one/tags/list").bearer_auth(token))?;
        }
        self.server
            .api(account)?
            .push_small_image(&format!("{}/{WITNESS}", account.name), "1", WITNESS)?;
        Ok(())
    }

    fn access_tokens(&mut self, number: usize, account: &Account, findings: &mut Findings) -> Result<()> {
        let made = self.command(&["token", "create", &account.name, "--name", WITNESS], "", true)?;
        let pat = made.trim().to_owned();
        ensure!(pat.len() > 20, "not an access token");
        findings.plant(&format!("access token {number}"), &pat);
        let (status, body) = self.send(self.token("").basic_auth(&account.name, Some(&pat)))?;
        ensure!(status == 200, "an access token: {status} {body}");
        self.send(self.token("").basic_auth(&account.name, Some(format!("{pat}x"))))?;
        self.send(self.token("").basic_auth("somebody-else", Some(&pat)))?;
        Ok(())
    }

    /// Secrets where they do not belong, on every road that a mistyped script may take.
    fn misplace(&mut self, findings: &mut Findings) -> Result<()> {
        for place in [
            "query", "bearer", "cookie", "proxy", "scheme", "json", "basic", "form", "upload",
        ] {
            let secret = format!("misplaced-{place}-{:016x}", self.random().next());
            findings.plant(&format!("a secret in {place}"), &secret);
            let requests = match place {
                "query" => vec![
                    self.token(&format!("password={secret}&account={WITNESS}")),
                    self.get(&format!("/v2/?access_token={secret}")),
                    self.get(&format!("/v2/a/b/tags/list?token={secret}")),
                ],
                "bearer" => vec![
                    self.get("/v2/").bearer_auth(&secret),
                    self.token("").bearer_auth(&secret),
                ],
                "cookie" => vec![self.get("/v2/").header("cookie", format!("session={secret}"))],
                "proxy" => vec![
                    self.get("/v2/")
                        .header("proxy-authorization", format!("Basic {secret}")),
                ],
                "scheme" => vec![
                    self.get("/v2/")
                        .header("authorization", format!("Token {secret}")),
                    self.token("").header("authorization", secret.clone()),
                ],
                "json" => vec![
                    self.http
                        .post(self.url("/token"))
                        .header("content-type", "application/json")
                        .body(format!("{{\"password\":\"{secret}\"}}")),
                ],
                "basic" => vec![
                    self.get("/v2/").basic_auth("admin", Some(&secret)),
                    self.token("")
                        .header("authorization", format!("Basic {}", STANDARD.encode(&secret))),
                ],
                "form" => vec![
                    self.http
                        .post(self.url("/token"))
                        .header("content-type", FORM)
                        .body(format!("password={secret}")),
                    self.http
                        .post(self.url("/token"))
                        .header("content-type", FORM)
                        .body(format!("grant_type={secret}&password={secret}")),
                ],
                _ => vec![
                    self.http
                        .patch(self.url(&format!("/v2/a/b/blobs/uploads/x?_state={secret}"))),
                ],
            };
            for request in requests {
                self.send(request)?;
            }
        }
        Ok(())
    }

    /// What lies in the data folder.
    fn keys(&mut self, findings: &mut Findings) -> Result<()> {
        let data = self.server.data().to_owned();
        findings.plant(
            "the secret of uploads",
            std::fs::read(data.join("upload-secret"))?,
        );
        // The private keys are texts in the database, in its file or in the log beside it.
        let mut held = std::fs::read(data.join("index.db"))?;
        held.extend(std::fs::read(data.join("index.db-wal")).unwrap_or_default());
        let held = String::from_utf8_lossy(&held).into_owned();
        let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
        let keys: BTreeSet<&str> = held
            .split(begin)
            .skip(1)
            .filter_map(|rest| rest.split_once(end).map(|(pem, _)| pem))
            .collect();
        ensure!(
            keys.len() >= 3,
            "only {} private keys are in the database",
            keys.len()
        );
        for (number_of, pem) in keys.into_iter().enumerate() {
            let name = format!("private key {number_of}");
            findings.plant(
                &format!("{name}, a line"),
                pem.trim_start().lines().next().unwrap_or_default(),
            );
            let body: String = pem.split_whitespace().collect();
            // The secret number of a PKCS#8 P-256 key follows these bytes.
            let der = STANDARD.decode(body.trim())?;
            let mark = [0x02, 0x01, 0x01, 0x04, 0x20];
            let place = der
                .windows(mark.len())
                .position(|window| window == mark)
                .context("not a P-256 key")?;
            let number = der
                .get(place + mark.len()..place + mark.len() + 32)
                .context("not a P-256 key")?;
            findings.plant(&format!("{name}, its number"), number);
        }
        Ok(())
    }
}
