//! Requests to the API, wherever it is.

use anyhow::Context as _;
use http::{Method, StatusCode};
use serde_json::Value;
use shared::secret::Secret;

use super::local::Local;
use super::{Column, Output, Target};
use crate::password;

/// Where the API is.
pub(super) const ROOT: &str = "/api/v1";
/// Items that are asked for at once.
const PAGE: &str = "limit=200";

/// The API of one index.
pub(crate) struct Client {
    way: Way,
    output: Output,
}

enum Way {
    /// Over HTTP.
    Server {
        client: reqwest::Client,
        url: String,
        credential: Option<Credential>,
    },
    /// In this process, over a data folder.
    Folder(Local),
}

enum Credential {
    Token(Secret<String>),
    Password(String, Secret<String>),
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Client {
    /// The API that the command line names.
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        let output = Output::new(target.json);
        let Some(url) = &target.server else {
            let local = Local::open(&target.data, &target.for_account).await?;
            return Ok(Self {
                way: Way::Folder(local),
                output,
            });
        };
        let credential = match (&target.token, &target.sign_in) {
            (Some(token), _) => Some(Credential::Token(Secret::new(token.clone()))),
            (None, Some(user)) => Some(Credential::Password(user.clone(), password::read()?)),
            (None, None) => None,
        };
        let mut client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_mins(1))
            .user_agent(concat!("portolan/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &target.ca {
            let pem = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            for certificate in
                reqwest::Certificate::from_pem_bundle(&pem).context("reading the certificate")?
            {
                client = client.add_root_certificate(certificate);
            }
        }
        Ok(Self {
            way: Way::Server {
                client: client.build().context("preparing requests")?,
                url: url.trim_end_matches('/').to_owned(),
                credential,
            },
            output,
        })
    }

    /// How answers are shown.
    pub(crate) fn output(&self) -> Output {
        self.output
    }

    /// A request with a query; what it answers, when it succeeds.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.ask(Method::GET, &with_query(path, query), None).await
    }

    /// Every item of a list, page after page.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            if let Some(after) = &after {
                query.push(("after", after));
            }
            let path = with_query(path, &query);
            let join = if path.contains('?') { '&' } else { '?' };
            let mut page = self
                .ask(Method::GET, &format!("{path}{join}{PAGE}"), None)
                .await?;
            if let Some(list) = page["items"].as_array_mut() {
                items.append(list);
            }
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// Creates something, or does what is written as an action.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Puts something in its place.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::PUT, path, Some(body)).await
    }

    /// Changes what the body names.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(Method::PATCH, path, Some(body)).await
    }

    /// Removes something when `is_sure`; otherwise shows what would end with it, which is at `path` + `preview`.
    pub(crate) async fn end(
        &self,
        path: &str,
        preview: &str,
        columns: &[Column],
        (is_sure, done): (bool, &str),
    ) -> anyhow::Result<()> {
        if is_sure {
            self.delete(path).await?;
            self.output.done(done);
            return Ok(());
        }
        let ends = self.get(&format!("{path}/{preview}"), &[]).await?;
        self.output.one(&ends, columns);
        self.output.done("nothing is done yet: say --yes");
        Ok(())
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.ask(Method::DELETE, path, None).await.map(drop)
    }

    /// Writes down what waits to be written.
    pub(crate) async fn close(self) {
        if let Way::Folder(local) = self.way {
            local.close().await;
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let path = format!("{ROOT}{path}");
        let answer = match &self.way {
            Way::Folder(local) => local.send(method, &path, body).await?,
            Way::Server {
                client,
                url,
                credential,
            } => {
                let mut request = client.request(method, format!("{url}{path}"));
                request = match credential {
                    Some(Credential::Token(token)) => request.bearer_auth(token.expose()),
                    Some(Credential::Password(user, password)) => {
                        request.basic_auth(user, Some(password.expose()))
                    }
                    None => request,
                };
                if let Some(body) = body {
                    request = request
                        .header(http::header::CONTENT_TYPE, "application/json")
                        .body(body.to_string());
                }
                let response = request.send().await.with_context(|| format!("asking {url}"))?;
                let status = response.status();
                let bytes = response.bytes().await.with_context(|| format!("asking {url}"))?;
                Answer {
                    status,
                    body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                }
            }
        };
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        let detail = answer.body["detail"]
            .as_str()
            .unwrap_or("the answer says no more");
        if answer.status == StatusCode::UNAUTHORIZED {
            anyhow::bail!("{detail}; give --user NAME, or --token (PORTOLAN_TOKEN)");
        }
        anyhow::bail!("{detail} ({})", answer.status);
    }
}

/// A path with a query; values are escaped.
fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut url = path.to_owned();
    for (name, value) in query {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(name);
        url.push('=');
        url.push_str(&escape(value));
    }
    url
}

/// A text as one segment of a path or one value of a query (RFC 3986, section 2.3).
pub(crate) fn escape(text: &str) -> String {
    use std::fmt::Write as _;

    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment_whatever_it_holds() {
        assert_eq!(escape("team/app 1+ü"), "team%2Fapp%201%2B%C3%BC");
        assert_eq!(with_query("/x", &[]), "/x");
        assert_eq!(
            with_query("/x", &[("name", "a/b"), ("n", "1")]),
            "/x?name=a%2Fb&n=1"
        );
    }
}
