//! The index as it is seen from outside.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use harness::Account;
use harness::api::{Answer, Api};
use harness::command::RUNTIME;
use http::Method;

use super::person::{Thing, there};
use crate::crash::State;

/// The index as one sees it until its next start.
#[derive(Debug)]
pub(super) struct Index {
    /// `http://127.0.0.1:PORT`
    pub(super) url: String,
    /// What tokens are for.
    pub(super) service: String,
    /// Who owns the repositories.
    pub(super) owner: Account,
}

impl Index {
    /// Whether the thing is there.
    pub(super) fn look(&self, thing: &Thing) -> Result<State> {
        let is_there = match thing {
            Thing::Login(name, secret) | Thing::AccessToken(name, secret) => {
                accepted(&self.get("", Some((name, secret)))?)?
            }
            Thing::Device(_, secret) => accepted(&self.refresh(secret)?)?,
            Thing::Public(name) => {
                let wish = format!("repository:{name}:pull");
                let answer = self.get(&format!("scope={wish}"), None)?.expect(200)?.json()?;
                answer["scope"]
                    .as_str()
                    .is_some_and(|granted| granted.contains(&wish))
            }
            Thing::Repository(owner, password, name) => self.catalog(owner, password)?.contains(name),
        };
        Ok(is_there.then(there))
    }

    /// A token request with this query.
    pub(super) fn get(&self, query: &str, account: Option<(&str, &str)>) -> Result<Answer> {
        let api = Api::new(&self.url, None)?;
        let path = format!("/token?service={}&{query}", self.service);
        let basic = account.map(|(name, secret)| basic(name, secret));
        let headers: Vec<_> = basic
            .iter()
            .map(|basic| ("authorization", basic.as_str()))
            .collect();
        RUNTIME.block_on(api.once(Method::GET, &path, &headers, Bytes::new()))
    }

    fn refresh(&self, secret: &str) -> Result<Answer> {
        let api = Api::new(&self.url, None)?;
        let form = format!(
            "grant_type=refresh_token&refresh_token={secret}&service={}&client_id=prove",
            self.service
        );
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        RUNTIME.block_on(api.once(Method::POST, "/token", &headers, form.into()))
    }

    /// All repositories that the owner sees.
    fn catalog(&self, owner: &str, password: &str) -> Result<Vec<String>> {
        let api = Api::new(&self.url, None)?;
        let basic = basic(owner, password);
        let headers = [("authorization", basic.as_str())];
        let mut names: Vec<String> = Vec::new();
        loop {
            let last = names.last().map_or("", String::as_str);
            let path = format!("/v2/_catalog?n=1000&last={last}");
            let answer = RUNTIME.block_on(api.once(Method::GET, &path, &headers, Bytes::new()))?;
            let page = answer.expect(200)?.json()?;
            let page = page["repositories"].as_array().context("no repositories")?;
            names.extend(page.iter().filter_map(|name| Some(name.as_str()?.to_owned())));
            if page.len() < 1000 {
                return Ok(names);
            }
        }
    }

    /// Waits for nothing: one answer tells that the index works.
    pub(super) fn check(&self) -> Result<()> {
        let health = Api::new(&self.url, None)?.get("/readyz")?;
        ensure!(health.status == 200, "not ready: {health}");
        Ok(())
    }
}

fn accepted(answer: &Answer) -> Result<bool> {
    match answer.status {
        200 => Ok(true),
        // A refresh token that ended is `invalid_grant` (RFC 6749, section 5.2).
        400 | 401 => Ok(false),
        _ => bail!("{answer}"),
    }
}

fn basic(name: &str, secret: &str) -> String {
    let account = Account {
        name: name.to_owned(),
        password: secret.to_owned(),
    };
    account.basic()
}
