//! Administration of a server by its address, as people do it: the command line, and the API below it.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::api::Answer;
use crate::command::Line;
use crate::server::{Account, Server};
use crate::{Journey, binaries};

impl Server {
    /// `portolan` with these words at the server's address, signed in as somebody with a password or another secret.
    pub fn command<'a>(&self, journey: &'a Journey, who: &Account, words: &[&str]) -> Result<Line<'a>> {
        let line = journey.command(binaries::path_of("portolan")?).args(words);
        let line = line.args(["--server", &self.url(), "--user", &who.name]);
        Ok(line.stdin(who.password.as_str()))
    }

    /// The same with `--json`: what it prints.
    pub fn told(&self, journey: &Journey, who: &Account, words: &[&str]) -> Result<Value> {
        let done = self.command(journey, who, words)?.arg("--json").succeeds()?;
        serde_json::from_str(&done.stdout).with_context(|| format!("not JSON: {done}"))
    }

    /// A request of the API, whose body is nothing (`Value::Null`) or JSON; the path is the one behind `/api/v1`.
    pub fn ask(&self, who: &Account, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        let headers = [("content-type", "application/json")];
        let method = Method::from_bytes(method.as_bytes())?;
        self.api(who)?
            .send(method, &format!("/api/v1{path}"), &headers, body)
    }
}
