//! *Why?* The answer names the rule, the credential and what is missing, and tells strangers nothing.

use shared::oci::RepositoryName;
use shared::token::claims::MAX_NOTE_LENGTH;

use super::App;
use super::access::no_repository;
use super::caller::Caller;
use super::error::AppError;
use super::login::Login;
pub use crate::domain::explanation::Missing;
use crate::domain::explanation::explain;
use crate::domain::permission::{self, Because, Source};
use crate::domain::{Ceiling, NamespaceName, Principal, Right, Rights, Username};
use crate::store::access::{Known, find_known};
use crate::store::{Tx, account, robot, rule};

/// About whom somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inquiry {
    /// Themselves, through the credential that they show.
    Caller,
    /// An account, through a credential that is not limited.
    Account(String),
    /// A robot, as `namespace+name`.
    Robot(String),
    /// Whoever is not signed in.
    Anonymous,
}

/// What gives a right, for whoever puts it into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The account owns this namespace.
    Owner(String),
    /// The account administers the site, to which `library` belongs.
    Administrator,
    /// The account has this role in this organisation.
    Role(&'static str, String),
    /// The machine belongs to this namespace.
    Home(String),
    /// The repository is internal, for every account.
    Internal,
    /// The repository is public.
    Public,
    /// A rule.
    Rule {
        /// Its id.
        id: String,
        /// What it gives, such as `pull,push`.
        rights: String,
        /// To what kind of subject, such as `team`.
        kind: String,
        /// The subject's name, when it has one.
        name: Option<String>,
        /// Tags that it lets be pushed, where it is bound to some.
        push_tags: Option<String>,
        /// Tags that it lets be deleted, where it is bound to some.
        delete_tags: Option<String>,
    },
}

impl Reason {
    /// In English.
    pub fn text(&self) -> String {
        match self {
            Self::Owner(namespace) => format!("it owns the namespace {namespace}"),
            Self::Administrator => "it administers the site, to which library belongs".to_owned(),
            Self::Role(role, namespace) => format!("it is {role} of {namespace}"),
            Self::Home(namespace) => format!("it belongs to the namespace {namespace}"),
            Self::Internal => "the repository is internal, for every account".to_owned(),
            Self::Public => "the repository is public".to_owned(),
            Self::Rule {
                id,
                rights,
                kind,
                name,
                push_tags,
                delete_tags,
            } => {
                let whom = name
                    .as_ref()
                    .map_or(kind.clone(), |name| format!("{kind} {name}"));
                let mut text = vec![format!("rule {id} gives {rights} to {whom}")];
                for (word, tags) in [("push", push_tags), ("delete", delete_tags)] {
                    if let Some(patterns) = tags {
                        text.push(format!("{word} for the tags {patterns}"));
                    }
                }
                text.join(", ")
            }
        }
    }
}

/// An answer, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// About whom, such as `account:ada`.
    pub subject: String,
    /// Whether they may.
    pub allowed: bool,
    /// What gives the right.
    pub because: Vec<Reason>,
    /// Tags that the right reaches, where it is bound to some.
    pub tags: Option<String>,
    /// What kind of thing is missing.
    pub lack: Option<Missing>,
    /// What the repository is called now.
    pub present: String,
    /// What they come with, and how far it reaches.
    pub credential: String,
    /// What is missing.
    pub missing: Option<String>,
    /// All of it in one line.
    pub text: String,
}

/// Of what was asked for something is not granted to somebody who is signed in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lack {
    /// What is not granted.
    missing: Rights,
    /// What would be without the limits of the credential.
    held: Rights,
    /// What may be done with the credential.
    left: Rights,
}

impl App {
    /// Why somebody may do something with a repository, or not. Whoever knows nothing of the repository is told that there is
    /// none; about others are told those who administer it.
    pub async fn explain_access(
        &self,
        caller: &Caller,
        inquiry: &Inquiry,
        name: &RepositoryName,
        right: Right,
    ) -> Result<Answer, AppError> {
        let mut tx = self.store.read().await?;
        let asking = caller.principal();
        let known = find_known(&mut tx, &asking, name).await?;
        let own = self.judge(&asking, &known, name, Rights::ALL).0.granted;
        if own.is_empty() {
            return Err(no_repository(name));
        }
        let (subject, principal, credential) = match inquiry {
            Inquiry::Caller => (caller.login.who(), asking, credential_of(&caller.login)),
            _ if !own.contains(Right::Administer) => {
                return Err(AppError::Forbidden(
                    "about others are told those who administer the repository",
                ));
            }
            Inquiry::Anonymous => ("anonymous".to_owned(), Principal::Anonymous, "none".to_owned()),
            Inquiry::Account(name) => {
                let missing = || AppError::NotFound(format!("there is no account {name}"));
                let username: Username = name.parse().map_err(|_| missing())?;
                let account = account::find_account(&mut tx, &username)
                    .await?
                    .ok_or_else(missing)?;
                (
                    format!("account:{}", account.username),
                    account.principal(Ceiling::Full),
                    "one that is not limited".to_owned(),
                )
            }
            Inquiry::Robot(name) => {
                let missing = || AppError::NotFound(format!("there is no robot {name}"));
                let (home, part) = name.split_once('+').ok_or_else(missing)?;
                let home: NamespaceName = home.parse().map_err(|_| missing())?;
                let part = part.parse().map_err(|_| missing())?;
                let robot = robot::find_robot_by_name(&mut tx, &home, &part)
                    .await?
                    .ok_or_else(missing)?;
                let machine = self.machine(&mut tx, &robot).await?;
                (
                    format!("robot:{}", robot.username()),
                    Principal::Machine(machine),
                    limits_of(&robot.ceiling),
                )
            }
        };
        let known = find_known(&mut tx, &principal, name).await?;
        self.answer(&mut tx, &known, name, right, (subject, &principal, credential))
            .await
    }

    async fn answer(
        &self,
        tx: &mut Tx,
        known: &Known,
        name: &RepositoryName,
        right: Right,
        (subject, principal, credential): (String, &Principal, String),
    ) -> Result<Answer, AppError> {
        let now = self.clock.now_ms();
        let is_taken = self
            .judge(principal, known, name, right.into())
            .0
            .granted
            .contains(Right::Push);
        let (facts, present) = match &known.former {
            Some((former, around)) if !is_taken => (around.former_facts(former, now), &former.name),
            _ => (known.surroundings.facts(known.repository.as_ref(), now), name),
        };
        let explained = explain(principal, &facts, name, right);
        let mut because = Vec::new();
        for source in &explained.because {
            because.push(reason(tx, source, present).await?);
        }
        let right = right.as_str();
        let words = because.iter().map(Reason::text).collect::<Vec<_>>().join("; ");
        let lack = explained.missing;
        let missing = lack.map(|missing| match missing {
            Missing::Active => "it is disabled, or what it depends on is".to_owned(),
            Missing::PresentName => {
                format!(
                    "{name} is a former name, which is for pulls alone: the repository is called {present}"
                )
            }
            Missing::Source => format!("no role, no rule and no visibility gives {right} here"),
            Missing::Credential => format!("the credential does not reach {right} here: {credential}"),
        });
        let text = match &missing {
            None if explained.tags.is_every() => {
                format!("{subject}: {right} on {name} is allowed, since {words}")
            }
            None => format!(
                "{subject}: {right} on {name} is allowed for the tags {}, since {words}",
                explained.tags
            ),
            Some(missing) => format!("{subject}: {right} on {name} is refused: {missing}"),
        };
        Ok(Answer {
            subject,
            allowed: explained.allowed,
            because,
            tags: (!explained.tags.is_every()).then(|| explained.tags.to_string()),
            lack,
            present: present.to_string(),
            credential,
            missing,
            text,
        })
    }

    /// What somebody who is signed in lacks of what was asked for.
    pub(super) fn lack(
        &self,
        principal: &Principal,
        known: &Known,
        name: &RepositoryName,
        missing: Rights,
    ) -> Option<Lack> {
        let mut unlimited = principal.clone();
        match &mut unlimited {
            Principal::Anonymous => return None,
            Principal::Account(account) => account.ceiling = Ceiling::Full,
            Principal::Machine(machine) => machine.ceiling = Ceiling::Full,
        }
        let content = Rights::WRITE.with(Right::Delete);
        let of = |principal| self.judge(principal, known, name, content).0.granted;
        Some(Lack {
            missing,
            held: of(&unlimited),
            left: of(principal),
        })
    }
}

impl Lack {
    /// What the registry tells with its refusal. Of a repository that nothing is held on it tells what it would of one that
    /// there is not.
    pub(super) fn note(self, login: &Login) -> String {
        let who = format!("signed in as {} with {}", login.subject(), credential_name(login));
        let words = |rights: Rights| rights.to_string().replace(',', ", ");
        let note = if self.held.is_empty() {
            format!("{who}, which opens nothing here")
        } else if !self.held.covers(self.missing) {
            format!(
                "{who}: {} is not allowed here, {} is",
                words(self.missing),
                words(self.held)
            )
        } else if self.left.is_empty() {
            format!("{who}, which is not for this repository")
        } else {
            format!(
                "{who}, which is for {} here, not {}",
                words(self.left),
                words(self.missing)
            )
        };
        shortened(note)
    }
}

impl Login {
    fn who(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Robot(robot, _) => format!("robot:{}", robot.username()),
            Self::Password(_) | Self::AccessToken(..) | Self::Device(..) => {
                format!("account:{}", self.subject())
            }
        }
    }
}

/// What the credential is called.
fn credential_name(login: &Login) -> String {
    match login {
        Login::Anonymous => "nothing".to_owned(),
        Login::Password(_) => "the password".to_owned(),
        Login::AccessToken(token, _) => format!("access token '{}'", token.label),
        Login::Device(..) => "a saved login".to_owned(),
        Login::Robot(robot, _) => format!("the secret of '{}'", robot.label),
    }
}

/// What the credential is called, and how far it reaches.
fn credential_of(login: &Login) -> String {
    let name = credential_name(login);
    let principal = login.principal();
    match permission::ceiling(&principal) {
        Some(ceiling @ Ceiling::Limited(_)) => format!("{name}: {}", limits_of(ceiling)),
        _ => match login {
            Login::Robot(robot, _) => format!("{name}: {}", limits_of(&robot.ceiling)),
            _ => name,
        },
    }
}

fn limits_of(ceiling: &Ceiling) -> String {
    ceiling
        .to_text()
        .map_or_else(|| "not limited".to_owned(), |text| text.replace('\n', "; "))
}

async fn reason(tx: &mut Tx, source: &Source, name: &RepositoryName) -> Result<Reason, AppError> {
    let namespace = name.namespace().to_owned();
    Ok(match source.because {
        Because::Owner => Reason::Owner(namespace),
        Because::Administrator => Reason::Administrator,
        Because::Role(role) => Reason::Role(role.as_str(), namespace),
        Because::Home => Reason::Home(namespace),
        Because::Internal => Reason::Internal,
        Because::Public => Reason::Public,
        Because::Rule(rule_id, subject) => {
            let listed = rule::find_rule(tx, rule_id).await?;
            Reason::Rule {
                id: rule_id.to_string(),
                rights: source.rights.to_string(),
                kind: subject.to_parts().0.replace('_', " "),
                name: listed.and_then(|listed| listed.subject_name),
                push_tags: source.push_tags.to_text(),
                delete_tags: source.delete_tags.to_text(),
            }
        }
    })
}

/// A note that is not longer than a token carries.
pub(super) fn shortened(mut note: String) -> String {
    if note.len() > MAX_NOTE_LENGTH {
        let end = (0..=MAX_NOTE_LENGTH - 3)
            .rev()
            .find(|at| note.is_char_boundary(*at));
        note.truncate(end.unwrap_or_default());
        note.push_str("...");
    }
    note
}
