//! The world that the matrix is asked about: an organisation with all kinds of people and machines in it, and a repository for each
//! visibility and rule.

use std::time::Duration;

use harness::api::Api;
use harness::command::RUNTIME;
use harness::process::wait_for;
use harness::server::Server;
use harness::{Account, Context as _, Journey, Result, ensure};
use http::Method;
use serde_json::{Value, json};

/// Somebody who asks.
pub(super) struct Principal {
    /// As the policy calls it.
    pub(super) name: &'static str,
    /// `anonymous`, `account` or `machine`.
    pub(super) kind: &'static str,
    pub(super) credentials: Vec<Credential>,
}

/// One way to ask as somebody.
pub(super) struct Credential {
    /// As the policy calls it.
    pub(super) kind: &'static str,
    pub(super) shown: Shown,
}

/// What is shown to the token endpoint.
#[derive(Clone)]
pub(super) enum Shown {
    Nothing,
    Basic(Account),
    Refresh(String),
}

/// A repository name.
pub(super) struct Resource {
    pub(super) name: String,
    /// As the policy calls it.
    pub(super) namespace: &'static str,
    /// `None` for a name without a repository.
    pub(super) visibility: Option<&'static str>,
    /// Subject and role of the one rule about it.
    pub(super) rule: Option<(&'static str, &'static str)>,
}

pub(super) struct World {
    pub(super) principals: Vec<Principal>,
    pub(super) resources: Vec<Resource>,
}

const VISIBILITIES: [&str; 3] = ["public", "internal", "private"];
const ROLES: [&str; 4] = ["read", "write", "maintain", "admin"];
const ORG: &str = "crew";
const OTHER_ORG: &str = "others";

/// Everything through the API, as its users would.
struct Builder<'a> {
    journey: &'a Journey,
    server: &'a Server,
    http: reqwest::Client,
}

impl World {
    pub(super) fn build(journey: &Journey, server: &Server) -> Result<Self> {
        let builder = Builder {
            journey,
            server,
            http: Api::new(&server.url(), None)?.http().clone(),
        };
        let admin = server.admin()?;
        let mut people = Vec::new();
        for name in [
            "stranger",
            "owner",
            "org-owner",
            "org-manager",
            "org-member",
            "team-member",
            "team-guest",
            "ended-guest",
            "left-member",
            "collaborator",
            "suspended",
        ] {
            people.push((name, server.account(journey, name)?));
        }
        people.push(("admin", admin.clone()));
        let find = |name: &str| -> Result<&Account> {
            people
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, account)| account)
                .context("a person of the world")
        };
        let boss = find("org-owner")?;
        builder.organisation(boss, &find)?;
        let other_boss = find("stranger")?;
        builder.post(other_boss, "/organisations", &json!({"name": OTHER_ORG}))?;
        let mut principals = vec![Principal {
            name: "anonymous",
            kind: "anonymous",
            credentials: vec![Credential {
                kind: "nothing",
                shown: Shown::Nothing,
            }],
        }];
        for (name, account) in &people {
            principals.push(Principal {
                name,
                kind: "account",
                credentials: builder.credentials(account, find("owner")?)?,
            });
        }
        principals.extend(builder.machines(boss, other_boss)?);
        let resources = builder.repositories(&find, &admin)?;
        builder.after(boss, &find, &admin)?;
        Ok(Self {
            principals,
            resources,
        })
    }
}

impl Builder<'_> {
    fn organisation<'p>(&self, boss: &Account, find: &impl Fn(&str) -> Result<&'p Account>) -> Result<()> {
        self.post(boss, "/organisations", &json!({"name": ORG}))?;
        self.post(
            boss,
            &format!("/organisations/{ORG}/teams"),
            &json!({"name": "builders"}),
        )?;
        let soon = time::OffsetDateTime::now_utc() + Duration::from_secs(4);
        let later = soon + Duration::from_hours(24);
        for (name, role, until) in [
            ("org-manager", "manager", None),
            ("org-member", "member", None),
            ("team-member", "member", None),
            ("left-member", "member", None),
            ("team-guest", "guest", Some(later)),
            ("ended-guest", "guest", Some(soon)),
        ] {
            let account = find(name)?;
            let mut body = json!({"role": role});
            if let Some(until) = until {
                body["expires_at"] = until
                    .format(&time::format_description::well_known::Rfc3339)?
                    .into();
            }
            self.put(
                boss,
                &format!("/organisations/{ORG}/members/{}", account.name),
                &body,
            )?;
            if matches!(name, "team-member" | "left-member" | "team-guest" | "ended-guest") {
                let path = format!("/organisations/{ORG}/teams/builders/members/{}", account.name);
                self.put(boss, &path, &json!({}))?;
            }
        }
        Ok(())
    }

    /// Each way in which an account can ask.
    fn credentials(&self, account: &Account, owner: &Account) -> Result<Vec<Credential>> {
        let mut credentials = vec![
            Credential {
                kind: "password",
                shown: Shown::Basic(account.clone()),
            },
            Credential {
                kind: "device",
                shown: Shown::Refresh(self.refresh_token(account)?),
            },
        ];
        let all = ["pull", "push", "delete", "manage", "administer"];
        for (kind, rights, pattern) in [
            ("token-all", &all[..], "*".to_owned()),
            ("token-pull", &all[..1], "*".to_owned()),
            ("token-write", &all[..2], format!("{ORG}/*")),
            ("token-elsewhere", &all[..], format!("{}/*", owner.name)),
        ] {
            let body = json!({"label": kind, "limits": [{"rights": rights, "pattern": pattern}]});
            let made = self.post(account, "/access-tokens", &body)?;
            credentials.push(Credential {
                kind,
                shown: secret(&account.name, &made)?,
            });
        }
        Ok(credentials)
    }

    fn refresh_token(&self, account: &Account) -> Result<String> {
        let path = format!(
            "/token?service={}&offline_token=true&client_id=docker",
            self.server.host()
        );
        let answer = self.send(&Method::GET, &path, account, None)?;
        let token = answer["refresh_token"].as_str().context("no refresh token")?;
        Ok(token.to_owned())
    }

    /// Robots of the organisation and of another one, and an access token of the organisation itself.
    fn machines(&self, boss: &Account, other_boss: &Account) -> Result<Vec<Principal>> {
        let limits = |rights: &[&str], pattern: &str| json!([{"rights": rights, "pattern": pattern}]);
        let robot = |by: &Account, namespace: &str, name: &str, limits: Value| {
            self.post(
                by,
                "/robots",
                &json!({"namespace": namespace, "name": name, "limits": limits}),
            )
        };
        let mut machines = Vec::new();
        let wide = ["pull", "push", "administer"];
        let parent = robot(boss, ORG, "parent", limits(&wide, &format!("{ORG}/*")))?;
        let child = {
            let Shown::Basic(by) = secret(&format!("{ORG}+parent"), &parent)? else {
                unreachable!("a robot has a secret")
            };
            robot(&by, ORG, "child", limits(&["pull"], &format!("{ORG}/*")))?
        };
        for (name, username, made, by) in [
            (
                "robot",
                format!("{ORG}+ci"),
                robot(boss, ORG, "ci", limits(&["pull", "push"], &format!("{ORG}/*")))?,
                boss,
            ),
            ("child-robot", format!("{ORG}+child"), child, boss),
            (
                "foreign-robot",
                format!("{OTHER_ORG}+ci"),
                robot(
                    other_boss,
                    OTHER_ORG,
                    "ci",
                    limits(&["pull", "push"], &format!("{OTHER_ORG}/*")),
                )?,
                other_boss,
            ),
            (
                "suspended-robot",
                format!("{ORG}+off"),
                robot(boss, ORG, "off", limits(&["pull"], &format!("{ORG}/*")))?,
                boss,
            ),
        ] {
            let id = made["id"].as_str().context("a robot without an id")?;
            let second = self.post(by, &format!("/robots/{id}/secrets"), &json!({}))?;
            machines.push(Principal {
                name,
                kind: "machine",
                credentials: vec![
                    Credential {
                        kind: "secret",
                        shown: secret(&username, &made)?,
                    },
                    Credential {
                        kind: "second-secret",
                        shown: secret(&username, &second)?,
                    },
                ],
            });
            if name == "suspended-robot" {
                self.ask(
                    &Method::PATCH,
                    &format!("/robots/{id}"),
                    by,
                    Some(&json!({"suspended": true})),
                )?;
            }
        }
        for (name, rights) in [("org-token", &["pull"][..]), ("org-admin-token", &["*"])] {
            let limits = limits(rights, &format!("{ORG}/*"));
            let body = json!({"organisation": ORG, "label": name, "limits": limits});
            let made = self.post(boss, "/organisation-tokens", &body)?;
            machines.push(Principal {
                name,
                kind: "machine",
                credentials: vec![Credential {
                    kind: "secret",
                    shown: secret(ORG, &made)?,
                }],
            });
        }
        Ok(machines)
    }

    /// A repository for each visibility and each rule, one with an image in each of the other namespaces, and names without one.
    fn repositories<'p>(
        &self,
        find: &impl Fn(&str) -> Result<&'p Account>,
        admin: &Account,
    ) -> Result<Vec<Resource>> {
        let (boss, owner) = (find("org-owner")?, find("owner")?);
        let mut resources = Vec::new();
        let mut rules: Vec<Option<(&str, &str)>> = vec![None];
        for subject in ["account", "team", "robot", "members"] {
            rules.extend(ROLES.map(|role| Some((subject, role))));
        }
        rules.extend([Some(("signed_in", "read")), Some(("anyone", "read"))]);
        for visibility in VISIBILITIES {
            for rule in &rules {
                let (subject, role) = rule.unwrap_or(("no", "rule"));
                let name = format!("{ORG}/{visibility}-{subject}-{role}").replace('_', "-");
                self.repository(boss, &name, visibility)?;
                if let Some((subject, role)) = rule {
                    self.rule(boss, find, &name, subject, role)?;
                }
                resources.push(Resource {
                    name,
                    namespace: "team",
                    visibility: Some(visibility),
                    rule: *rule,
                });
            }
            for (by, name, namespace) in [
                (owner, format!("{}/{visibility}", owner.name), "own"),
                (admin, format!("lib-{visibility}"), "library"),
            ] {
                self.repository(by, &name, visibility)?;
                resources.push(Resource {
                    name,
                    namespace,
                    visibility: Some(visibility),
                    rule: None,
                });
            }
        }
        for (name, namespace) in [
            (format!("{ORG}/missing"), "team"),
            (format!("{}/missing", owner.name), "own"),
            ("lib-missing".to_owned(), "library"),
        ] {
            resources.push(Resource {
                name,
                namespace,
                visibility: None,
                rule: None,
            });
        }
        Ok(resources)
    }

    fn repository(&self, by: &Account, name: &str, visibility: &str) -> Result<()> {
        let api = Api::new(&self.server.url(), Some(by.clone()))?;
        api.push_small_image(name, "1", name)?;
        let found = self.ask(&Method::GET, &format!("/repositories?name={name}"), by, None)?;
        let id = found["items"][0]["id"]
            .as_str()
            .with_context(|| format!("{name} is not found: {found}"))?;
        let path = format!("/repositories/{id}");
        self.ask(
            &Method::PATCH,
            &path,
            by,
            Some(&json!({"visibility": visibility})),
        )?;
        Ok(())
    }

    fn rule<'p>(
        &self,
        boss: &Account,
        find: &impl Fn(&str) -> Result<&'p Account>,
        repository: &str,
        subject: &str,
        role: &str,
    ) -> Result<()> {
        let subject = match subject {
            "account" => json!({"kind": subject, "name": find("collaborator")?.name}),
            "team" => json!({"kind": subject, "name": "builders"}),
            "robot" => json!({"kind": subject, "name": format!("{OTHER_ORG}+ci")}),
            other => json!({"kind": other}),
        };
        self.post(
            boss,
            "/rules",
            &json!({"subject": subject, "repository": repository, "role": role}),
        )?;
        Ok(())
    }

    /// What happens once everybody has their credentials: somebody leaves, somebody's time ends, somebody is suspended.
    fn after<'p>(
        &self,
        boss: &Account,
        find: &impl Fn(&str) -> Result<&'p Account>,
        admin: &Account,
    ) -> Result<()> {
        let left = &find("left-member")?.name;
        self.ask(
            &Method::DELETE,
            &format!("/organisations/{ORG}/members/{left}"),
            boss,
            None,
        )?;
        let suspended = &find("suspended")?.name;
        self.ask(
            &Method::PATCH,
            &format!("/accounts/{suspended}"),
            admin,
            Some(&json!({"is_suspended": true})),
        )?;
        let guest = find("ended-guest")?;
        wait_for("the guest's time to end", Duration::from_mins(1), || {
            let path = format!("/organisations/{ORG}/members");
            Ok(self.ask(&Method::GET, &path, guest, None).is_err().then_some(()))
        })?;
        self.journey.note("the world is built");
        Ok(())
    }

    fn post(&self, by: &Account, path: &str, body: &Value) -> Result<Value> {
        self.ask(&Method::POST, path, by, Some(body))
    }

    fn put(&self, by: &Account, path: &str, body: &Value) -> Result<Value> {
        self.ask(&Method::PUT, path, by, Some(body))
    }

    fn ask(&self, method: &Method, path: &str, by: &Account, body: Option<&Value>) -> Result<Value> {
        self.send(method, &format!("/api/v1{path}"), by, body)
    }

    fn send(&self, method: &Method, path: &str, by: &Account, body: Option<&Value>) -> Result<Value> {
        RUNTIME.block_on(async {
            let url = format!("{}{path}", self.server.url());
            let mut request = self
                .http
                .request(method.clone(), &url)
                .header("authorization", by.basic());
            if let Some(body) = body {
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            let response = request.send().await?;
            let status = response.status();
            let text = response.text().await?;
            ensure!(
                status.is_success(),
                "{method} {path} by {}: {status} {text}",
                by.name
            );
            Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
        })
    }
}

fn secret(username: &str, made: &Value) -> Result<Shown> {
    let secret = made["secret"]
        .as_str()
        .with_context(|| format!("no secret in {made}"))?;
    Ok(Shown::Basic(Account {
        name: username.to_owned(),
        password: secret.to_owned(),
    }))
}
