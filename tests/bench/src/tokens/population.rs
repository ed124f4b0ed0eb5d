//! Who and what is in the database: one text of SQL for both, made by the database itself.

use std::fmt;

/// How many of each there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population {
    pub(crate) accounts: u64,
    pub(crate) organisations: u64,
    pub(crate) teams: u64,
    pub(crate) repositories: u64,
}

/// Ids of what is made here begin here, out of the way of what the service made.
const FIRST: u64 = 1_000_000_000;
/// When everything was made, in milliseconds since 1970.
const NOW: u64 = 1_700_000_000_000;

impl Population {
    /// A share of 100,000 accounts, 1,000 organisations with 10 teams each, and 1,000,000 repositories.
    pub(crate) fn of(scale: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small number"
        )]
        let share = |whole: f64| (whole * scale) as u64;
        let organisations = share(1_000.0).max(2);
        Self {
            accounts: share(100_000.0).max(100),
            organisations,
            teams: organisations * 10,
            repositories: share(1_000_000.0).max(1_000),
        }
    }

    /// A repository that the measured account reaches through a team alone.
    pub(crate) fn team_repository(&self) -> String {
        format!("org1/r{}", self.organisations + 1)
    }

    /// A public repository of somebody else.
    pub(crate) const PUBLIC_REPOSITORY: &'static str = "u2/r0";

    /// The statements that make everything; `series` is a table of one column `i` that counts from 0 to below a number.
    pub(crate) fn statements(&self, series: fn(u64) -> String) -> Vec<String> {
        let (accounts, organisations, teams) = (self.accounts, self.organisations, self.teams);
        let half = self.repositories / 2;
        let of = series;
        vec![
            format!(
                "insert into account (account_id, username, display_name, password_hash, password_version, is_admin, created_at, \
                 updated_at) select {FIRST} + n.i, 'u' || n.i, 'u' || n.i, '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', 1, \
                 {no}, {NOW}, {NOW} from {n}",
                no = "(1 = 0)",
                n = of(accounts)
            ),
            format!(
                "insert into namespace (namespace_id, name, account_id, created_at) select {FIRST} + n.i, 'u' || n.i, {FIRST} + n.i, \
                 {NOW} from {}",
                of(accounts)
            ),
            format!(
                "insert into organisation (organisation_id, name, display_name, description, created_at, updated_at) \
                 select {FIRST} + n.i, 'org' || n.i, 'Organisation ' || n.i, '', {NOW}, {NOW} from {}",
                of(organisations)
            ),
            format!(
                "insert into namespace (namespace_id, name, organisation_id, created_at) select {base} + n.i, 'org' || n.i, \
                 {FIRST} + n.i, {NOW} from {}",
                of(organisations),
                base = 2 * FIRST
            ),
            // Every account is a member of one organisation and of two of its teams.
            format!(
                "insert into member (organisation_id, account_id, role, created_at) select {FIRST} + n.i % {organisations}, \
                 {FIRST} + n.i, case when n.i < {organisations} then 'owner' else 'member' end, {NOW} from {}",
                of(accounts)
            ),
            format!(
                "insert into team (team_id, organisation_id, name, description, created_at, updated_at) select {FIRST} + n.i, \
                 {FIRST} + n.i % {organisations}, 'team' || n.i, '', {NOW}, {NOW} from {}",
                of(teams)
            ),
            format!(
                "insert into team_member (team_id, account_id, created_at) select {FIRST} + n.i % {teams}, {FIRST} + n.i, {NOW} \
                 from {}",
                of(accounts)
            ),
            format!(
                "insert into team_member (team_id, account_id, created_at) select {FIRST} + (n.i + {organisations}) % {teams}, \
                 {FIRST} + n.i, {NOW} from {}",
                of(accounts)
            ),
            // Each team writes to names of its own and reads all of its organisation.
            rule(
                "'team'",
                "'org' || (n.i % {o}) || '/t' || n.i || '-'",
                "pull,push",
                organisations,
                0,
                &of(teams),
            ),
            rule(
                "'team'",
                "'org' || (n.i % {o}) || '/'",
                "pull",
                organisations,
                teams,
                &of(teams),
            ),
            format!(
                "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at) \
                 select {FIRST} + n.i, {FIRST} + n.i % {accounts}, 'u' || (n.i % {accounts}) || '/r' || (n.i / {accounts}), \
                 'u' || (n.i % {accounts}) || '/r' || (n.i / {accounts}), \
                 case when n.i % {accounts} % 10 = 2 then 'public' else 'private' end, 'active', {NOW}, {NOW} from {}",
                of(half)
            ),
            format!(
                "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at) \
                 select {base} + n.i, {base} + n.i % {organisations}, 'org' || (n.i % {organisations}) || '/r' || n.i, \
                 'org' || (n.i % {organisations}) || '/r' || n.i, 'private', 'active', {NOW}, {NOW} from {}",
                of(half),
                base = 2 * FIRST
            ),
            measured(),
            // No walk through all repositories at every start.
            "insert into setting (key, value) values ('search_listed', '1') on conflict (key) do update set value = '1'".to_owned(),
            "analyze".to_owned(),
        ]
    }
}

/// What the measured account has of its own: ten repositories, and a place in a team of `org1`.
fn measured() -> String {
    let own: Vec<String> = (0..10)
        .map(|i| {
            format!(
                "insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at) \
                 select {id}, namespace_id, 'admin/app-{i}', 'admin/app-{i}', 'private', 'active', {NOW}, {NOW} from namespace \
                 where name = 'admin';\n",
                id = 10 + i
            )
        })
        .collect();
    let team = FIRST + 1;
    format!(
        "{}insert into member (organisation_id, account_id, role, created_at) select {org}, account_id, 'member', {NOW} \
         from account where username = 'admin';\n\
         insert into team_member (team_id, account_id, created_at) select {team}, account_id, {NOW} from account \
         where username = 'admin';\n\
         insert into access_rule (rule_id, namespace_id, subject_kind, subject_id, pattern, name_from, name_before, rights, created_at) \
         values (7, {namespace}, 'team', {team}, 'org1/r*', 'org1/r', 'org1/r~', 'pull,push', {NOW})",
        own.concat(),
        org = FIRST + 1,
        namespace = 2 * FIRST + 1,
    )
}

fn rule(kind: &str, names: &str, rights: &str, organisations: u64, offset: u64, series: &str) -> String {
    let names = names.replace("{o}", &organisations.to_string());
    format!(
        "insert into access_rule (rule_id, namespace_id, subject_kind, subject_id, pattern, name_from, name_before, rights, created_at) \
         select {first} + n.i, {base} + n.i % {organisations}, {kind}, {FIRST} + n.i, {names} || '*', {names}, {names} || '~', \
         '{rights}', {NOW} from {series}",
        first = FIRST + offset,
        base = 2 * FIRST,
    )
}

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} accounts, {} repositories, {} teams in {} organisations",
            self.accounts, self.repositories, self.teams, self.organisations
        )
    }
}
