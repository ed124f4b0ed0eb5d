//! Repositories in lists of words of every length: one text of SQL for both databases.

use std::fmt::Write as _;

/// How many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Population {
    pub(super) repositories: u64,
}

/// Ids of what is made here begin here, out of the way of what the service made.
const FIRST: u64 = 1_000_000_000;
/// When everything was made, in milliseconds since 1970.
const NOW: u64 = 1_700_000_000_000;
/// Repositories of an account.
const EACH: u64 = 50;
/// Nine of ten repositories are everybody's.
const REACH: &str = "case when n.i % 10 = 9 then 1000000000 + n.i / 50 else 0 end";
/// Stars and what else counts.
const PLACE: &str = "900 - n.i * 7 % 97";

impl Population {
    /// A share of 1,000,000 repositories.
    pub(super) fn of(scale: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small number"
        )]
        let repositories = (1_000_000.0 * scale) as u64;
        Self {
            repositories: repositories.max(10_000),
        }
    }

    /// The statements that make everything; `series` is a table of one column `i` that counts from 0 to below a number.
    pub(super) fn statements(self, series: fn(u64) -> String) -> Vec<String> {
        let all = series(self.repositories);
        let accounts = series(self.repositories.div_ceil(EACH));
        let mut statements = vec![
            format!(
                "insert into account (account_id, username, display_name, password_hash, password_version, is_admin, created_at, \
                 updated_at) select {FIRST} + n.i, 'u' || n.i, 'u' || n.i, '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', 1, \
                 {no}, {NOW}, {NOW} from {accounts}",
                no = "(1 = 0)",
            ),
            format!(
                "insert into namespace (namespace_id, name, account_id, created_at) select {FIRST} + n.i, 'u' || n.i, {FIRST} + n.i, \
                 {NOW} from {accounts}"
            ),
            format!(
                "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at) \
                 select {FIRST} + n.i, {FIRST} + n.i / {EACH}, 'u' || (n.i / {EACH}) || '/r' || n.i, \
                 'u' || (n.i / {EACH}) || '/r' || n.i, case when n.i % 10 = 9 then 'private' else 'public' end, 'active', {NOW}, \
                 {NOW} from {all}"
            ),
            format!(
                "insert into repository_profile (repository_id, summary, description, star_count, updated_at) \
                 select {FIRST} + n.i, 'everywhere w' || (n.i % 5000) || ' and so on, as descriptions go', '', n.i % 7, {NOW} \
                 from {all}"
            ),
            // No walk through all repositories at every start.
            "insert into setting (key, value) values ('search_listed', '1') on conflict (key) do update set value = '1'"
                .to_owned(),
        ];
        let words = [
            ("'*'", "1 = 1"),
            ("'everywhere'", "1 = 1"),
            ("'hundredth'", "n.i % 100 = 7"),
            ("'other'", "n.i % 10 = 4"),
            ("'r' || n.i", "1 = 1"),
            ("'tenth'", "n.i % 10 = 7"),
            ("'thousandth'", "n.i % 1000 = 7"),
            ("'u' || (n.i / 50)", "1 = 1"),
            ("'w' || (n.i % 5000)", "1 = 1"),
            ("'x' || (n.i * 7 % 20011)", "1 = 1"),
            ("'y' || (n.i * 13 % 50021)", "1 = 1"),
        ];
        let mut text = String::from("''");
        for (word, condition) in words {
            statements.push(format!(
                "insert into search_posting (word, reach, place, repository_id) select {word}, {REACH}, {PLACE}, {FIRST} + n.i \
                 from {all} where {condition} order by 1, 2, 3"
            ));
            if !word.starts_with("'*") {
                statements.push(format!(
                    "insert into search_word (word) select distinct {word} from {all} where {condition}"
                ));
            }
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                " || case when {condition} then {word} || ' ' || ({PLACE}) || '\n' else '' end"
            );
        }
        statements.push(format!(
            "insert into search_document (repository_id, reaches, postings) select {FIRST} + n.i, cast({REACH} as text), {text} \
             from {all}"
        ));
        statements.push("analyze".to_owned());
        statements
    }
}
