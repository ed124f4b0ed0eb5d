//! `auth.policy`: ours; distribution lets in or not, and knows no more.

use shared::runtime::config::Faults;
use shared::token::{Action, Actions};

use super::Section;
use super::key::{Key, Kind, key};
use crate::auth::AccessPolicy;
use crate::auth::glob::Glob;
use crate::auth::policy::{Rule, Users};

#[rustfmt::skip]
pub(super) const KEYS: &[Key] = &[
    key("auth.policy[].users", Kind::Texts, "", "Ours: to whom the rule gives. `anonymous` is everybody, with an account or without; anything else is a pattern of account names, `*` all accounts. Rules add up, and what none gives nobody has. Without `auth.policy` accounts may do everything, and nobody else anything."),
    key("auth.policy[].repositories", Kind::Texts, "(all)", "Ours: on which repositories. `*` stands for any text within a part of a name, `**` for any text, `?` for one character."),
    key("auth.policy[].actions", Kind::Texts, "", "Ours: `pull`, `push`, `delete`, or `*` for all. To push takes `pull` and `push`."),
];

/// What everybody may be called in a rule.
const ANYBODY: &str = "anonymous";

/// The rules; none when the key is not there.
pub(super) fn check(faults: &mut Faults, root: &Section<'_>) -> Option<AccessPolicy> {
    if !root.has("auth.policy") {
        return None;
    }
    let items = root.items("auth.policy");
    if items.is_empty() {
        root.refuse(faults, "auth.policy", "a list of rules");
    }
    let rules = items.iter().map(|item| rule(faults, item)).collect();
    Some(AccessPolicy { rules })
}

fn rule(faults: &mut Faults, item: &Section<'_>) -> Rule {
    let users = item.texts("users");
    if users.is_empty() {
        item.refuse(faults, "users", "names of accounts, or anonymous");
    }
    let users = users.into_iter().filter_map(|users| {
        if users == ANYBODY {
            return Some(Users::Anybody);
        }
        pattern(faults, item, "users", &users).map(Users::Accounts)
    });
    let users = users.collect();
    let repositories = if item.has("repositories") {
        item.texts("repositories")
    } else {
        vec!["**".to_owned()]
    };
    let repositories = repositories
        .iter()
        .filter_map(|names| pattern(faults, item, "repositories", names))
        .collect();
    let words = item.texts("actions");
    let mut actions = Actions::NONE;
    for word in &words {
        match Action::find(word).filter(|action| *action != Action::Search) {
            Some(action) => actions = actions.with(action),
            None => faults.push(item.full("actions"), "pull, push, delete or *", word),
        }
    }
    if words.is_empty() {
        item.refuse(faults, "actions", "pull, push, delete or *");
    }
    Rule {
        users,
        repositories,
        actions,
    }
}

fn pattern(faults: &mut Faults, item: &Section<'_>, key: &str, text: &str) -> Option<Glob> {
    let parsed = text.parse();
    if parsed.is_err() {
        faults.push(item.full(key), "patterns of 1 to 512 bytes", text);
    }
    parsed.ok()
}
