//! Rules about repositories.

use super::dialect::{Tx, find, list, list_of, on, statements};
use super::error::{StoreError, reading, unreadable, writing};
use super::row::{Row, row};
use crate::domain::rule::ListedRule;
use crate::domain::{AccountId, Grant, NamespaceId, Principal, RepositoryId, Rule, RuleId, Subject, Target};
use shared::token::TagSet;

/// [`NAMESPACES`] namespaces that are asked about at once; the subject stands behind them.
macro_rules! namespaces {
    () => {
        "(values (cast($1 as bigint)), (cast($2 as bigint)), (cast($3 as bigint)), (cast($4 as bigint)), (cast($5 as bigint)),
          (cast($6 as bigint)), (cast($7 as bigint)), (cast($8 as bigint)), (cast($9 as bigint)), (cast($10 as bigint)),
          (cast($11 as bigint)), (cast($12 as bigint)), (cast($13 as bigint)), (cast($14 as bigint)), (cast($15 as bigint)),
          (cast($16 as bigint)), (cast($17 as bigint)), (cast($18 as bigint)), (cast($19 as bigint)), (cast($20 as bigint)),
          (cast($21 as bigint)), (cast($22 as bigint)), (cast($23 as bigint)), (cast($24 as bigint)), (cast($25 as bigint)),
          (cast($26 as bigint)), (cast($27 as bigint)), (cast($28 as bigint)), (cast($29 as bigint)), (cast($30 as bigint)),
          (cast($31 as bigint)), (cast($32 as bigint)), (cast($33 as bigint)), (cast($34 as bigint)), (cast($35 as bigint)),
          (cast($36 as bigint)), (cast($37 as bigint)), (cast($38 as bigint)), (cast($39 as bigint)), (cast($40 as bigint)),
          (cast($41 as bigint)), (cast($42 as bigint)), (cast($43 as bigint)), (cast($44 as bigint)), (cast($45 as bigint)),
          (cast($46 as bigint)), (cast($47 as bigint)), (cast($48 as bigint)), (cast($49 as bigint)), (cast($50 as bigint)),
          (cast($51 as bigint)), (cast($52 as bigint)), (cast($53 as bigint)), (cast($54 as bigint)), (cast($55 as bigint)),
          (cast($56 as bigint)), (cast($57 as bigint)), (cast($58 as bigint)), (cast($59 as bigint)), (cast($60 as bigint)),
          (cast($61 as bigint)), (cast($62 as bigint)), (cast($63 as bigint)), (cast($64 as bigint))) as walk"
    };
}

statements! {
    CREATE_RULE = "insert into access_rule (rule_id, namespace_id, subject_kind, subject_id, repository_id, pattern,
        name_from, name_before, rights, push_tags, delete_tags, expires_at, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    /// Teams are found by the account that is in them, so that an organisation may have any number of teams.
    LIST_RULES_OF_ACCOUNT = "select rule_id, namespace_id, subject_kind, subject_id, repository_id, pattern, rights, push_tags,
        delete_tags, expires_at from access_rule where namespace_id = $1 and subject_kind = 'account' and subject_id = $2
        union all
        select rule_id, namespace_id, subject_kind, subject_id, repository_id, pattern, rights, push_tags, delete_tags,
        expires_at from access_rule where namespace_id = $1 and subject_kind in ('members', 'signed_in', 'anyone')
        and subject_id = 0
        union all
        select r.rule_id, r.namespace_id, r.subject_kind, r.subject_id, r.repository_id, r.pattern, r.rights, r.push_tags,
        r.delete_tags, r.expires_at from team_member m join access_rule r on r.namespace_id = $1
        and r.subject_kind = 'team' and r.subject_id = m.team_id where m.account_id = $2";
    LIST_RULES_OF_ROBOT = "select rule_id, namespace_id, subject_kind, subject_id, repository_id, pattern, rights, push_tags,
        delete_tags, expires_at from access_rule where namespace_id = $1 and subject_kind = 'robot' and subject_id = $2
        union all
        select rule_id, namespace_id, subject_kind, subject_id, repository_id, pattern, rights, push_tags, delete_tags,
        expires_at from access_rule where namespace_id = $1 and subject_kind = 'anyone' and subject_id = 0";
    /// The same of many namespaces.
    LIST_RULES_OF_ACCOUNT_IN = concat!(
        "select a.rule_id, a.namespace_id, a.subject_kind, a.subject_id, a.repository_id, a.pattern, a.rights,
          a.push_tags, a.delete_tags, a.expires_at from team_member m cross join ", namespaces!(), "
          cross join access_rule a where m.account_id = $65 and a.namespace_id = walk.column1
          and a.subject_kind = 'team' and a.subject_id = m.team_id
        union all
        select a.rule_id, a.namespace_id, a.subject_kind, a.subject_id, a.repository_id, a.pattern, a.rights,
          a.push_tags, a.delete_tags, a.expires_at from ", namespaces!(), "
          cross join access_rule a where a.namespace_id = walk.column1 and a.subject_kind = 'account' and a.subject_id = $65
        union all
        select a.rule_id, a.namespace_id, a.subject_kind, a.subject_id, a.repository_id, a.pattern, a.rights,
          a.push_tags, a.delete_tags, a.expires_at from ", namespaces!(), "
          cross join access_rule a where a.namespace_id = walk.column1
          and a.subject_kind in ('members', 'signed_in', 'anyone') and a.subject_id = 0"
    );
    LIST_RULES_OF_ROBOT_IN = concat!(
        "select a.rule_id, a.namespace_id, a.subject_kind, a.subject_id, a.repository_id, a.pattern, a.rights,
          a.push_tags, a.delete_tags, a.expires_at from ", namespaces!(), "
          cross join access_rule a where a.namespace_id = walk.column1 and a.subject_kind = 'robot' and a.subject_id = $65
        union all
        select a.rule_id, a.namespace_id, a.subject_kind, a.subject_id, a.repository_id, a.pattern, a.rights,
          a.push_tags, a.delete_tags, a.expires_at from ", namespaces!(), "
          cross join access_rule a where a.namespace_id = walk.column1 and a.subject_kind = 'anyone' and a.subject_id = 0"
    );
    FIND_RULE = "select r.rule_id, r.namespace_id, r.subject_kind, r.subject_id, r.repository_id, r.pattern, r.rights,
        r.push_tags, r.delete_tags, r.expires_at, n.name as namespace_name, a.username as account_name,
        t.name as team_name, bn.name as robot_namespace, b.name as robot_name, p.name as repository_name
        from access_rule r join namespace n on n.namespace_id = r.namespace_id
        left join account a on r.subject_kind = 'account' and a.account_id = r.subject_id
        left join team t on r.subject_kind = 'team' and t.team_id = r.subject_id
        left join robot b on r.subject_kind = 'robot' and b.robot_id = r.subject_id
        left join namespace bn on bn.namespace_id = b.namespace_id
        left join repository p on p.repository_id = r.repository_id and p.state <> 'deleted'
        where r.rule_id = $1";
    LIST_RULES_IN = "select r.rule_id, r.namespace_id, r.subject_kind, r.subject_id, r.repository_id, r.pattern, r.rights,
        r.push_tags, r.delete_tags, r.expires_at, n.name as namespace_name, a.username as account_name,
        t.name as team_name, bn.name as robot_namespace, b.name as robot_name, p.name as repository_name
        from access_rule r join namespace n on n.namespace_id = r.namespace_id
        left join account a on r.subject_kind = 'account' and a.account_id = r.subject_id
        left join team t on r.subject_kind = 'team' and t.team_id = r.subject_id
        left join robot b on r.subject_kind = 'robot' and b.robot_id = r.subject_id
        left join namespace bn on bn.namespace_id = b.namespace_id
        left join repository p on p.repository_id = r.repository_id and p.state <> 'deleted'
        where r.namespace_id = $1 limit $2";
    LIST_RULES_ABOUT_SUBJECT = "select r.rule_id, r.namespace_id, r.subject_kind, r.subject_id, r.repository_id, r.pattern,
        r.rights, r.push_tags, r.delete_tags, r.expires_at, n.name as namespace_name, a.username as account_name,
        t.name as team_name, bn.name as robot_namespace, b.name as robot_name, p.name as repository_name
        from access_rule r join namespace n on n.namespace_id = r.namespace_id
        left join account a on r.subject_kind = 'account' and a.account_id = r.subject_id
        left join team t on r.subject_kind = 'team' and t.team_id = r.subject_id
        left join robot b on r.subject_kind = 'robot' and b.robot_id = r.subject_id
        left join namespace bn on bn.namespace_id = b.namespace_id
        left join repository p on p.repository_id = r.repository_id and p.state <> 'deleted'
        where r.subject_kind = $1 and r.subject_id = $2 and r.rule_id > $3 order by r.rule_id limit $4";
    COUNT_RULES = "select count(*) from access_rule where namespace_id = $1";
    COUNT_RULES_OF_SUBJECT = "select count(*) from access_rule
        where namespace_id = $1 and subject_kind = $2 and subject_id = $3";
    FIND_RULE_ABOUT = "select rule_id from access_rule where namespace_id = $1 and subject_kind = $2 and subject_id = $3
        and (repository_id = $4 or pattern = $5)";
    CHANGE_RULE = "update access_rule set rights = $2, push_tags = $3, delete_tags = $4, expires_at = $5 where rule_id = $1";
    REMOVE_RULE = "delete from access_rule where rule_id = $1";
    REMOVE_RULES_OF_REPOSITORY = "delete from access_rule where repository_id = $1";
    DROP_RULES_AT_TRANSFER = "delete from access_rule
        where repository_id = $1 and subject_kind in ('team', 'members', 'robot')";
    MOVE_RULES = "update access_rule set namespace_id = $2 where repository_id = $1";
}

/// Namespaces that one statement asks about.
const NAMESPACES: usize = 64;

row! {
struct RuleRow {
    rule_id: i64,
    namespace_id: i64,
    subject_kind: String,
    subject_id: i64,
    repository_id: Option<i64>,
    pattern: Option<String>,
    rights: String,
    push_tags: Option<String>,
    delete_tags: Option<String>,
    expires_at: Option<i64>,
}
}

row! {
/// What the ids of a rule stand for.
struct NamesRow {
    namespace_name: String,
    account_name: Option<String>,
    team_name: Option<String>,
    robot_namespace: Option<String>,
    robot_name: Option<String>,
    repository_name: Option<String>,
}
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    rule: RuleRow,
    #[sqlx(flatten)]
    names: NamesRow,
}

impl Row for ListedRow {
    fn columns() -> Vec<&'static str> {
        [RuleRow::columns(), NamesRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            rule: RuleRow::read(row, place)?,
            names: NamesRow::read(row, place)?,
        })
    }
}

row! {
struct IdRow {
    rule_id: i64,
}
}

impl ListedRow {
    /// `None` for a rule about a deleted repository, which counts only when that is restored.
    fn into_listed(self) -> Result<Option<ListedRule>, StoreError> {
        let names = self.names;
        if self.rule.repository_id.is_some() && names.repository_name.is_none() {
            return Ok(None);
        }
        let repository = names.repository_name.map(|name| name.parse()).transpose();
        Ok(Some(ListedRule {
            rule: self.rule.into_rule()?,
            namespace: names
                .namespace_name
                .parse()
                .map_err(unreadable("namespace name"))?,
            subject_name: names.account_name.or(names.team_name).or_else(|| {
                let (namespace, name) = (names.robot_namespace?, names.robot_name?);
                Some(format!("{namespace}+{name}"))
            }),
            repository: repository.map_err(unreadable("repository name"))?,
        }))
    }
}

fn listed(rows: Vec<ListedRow>) -> Result<Vec<ListedRule>, StoreError> {
    rows.into_iter()
        .filter_map(|row| row.into_listed().transpose())
        .collect()
}

/// Words that no version of this program writes.
#[derive(Debug, thiserror::Error)]
#[error("a rule has a subject of a known kind, and a repository or a pattern")]
struct InvalidRow;

impl RuleRow {
    fn into_rule(self) -> Result<Rule, StoreError> {
        let invalid = || unreadable("rule")(InvalidRow);
        let target = match (self.repository_id, self.pattern) {
            (Some(id), None) => Target::Repository(RepositoryId::from_i64(id)),
            (None, Some(pattern)) => {
                Target::Pattern(pattern.parse().map_err(unreadable("repository pattern"))?)
            }
            _ => return Err(invalid()),
        };
        let tags = |text: Option<String>| TagSet::parse(text.as_deref()).map_err(unreadable("tag patterns"));
        Ok(Rule {
            rule_id: RuleId::from_i64(self.rule_id),
            namespace_id: NamespaceId::from_i64(self.namespace_id),
            subject: Subject::of_parts(&self.subject_kind, self.subject_id).ok_or_else(invalid)?,
            target,
            rights: self.rights.parse().map_err(unreadable("rights"))?,
            push_tags: tags(self.push_tags)?,
            delete_tags: tags(self.delete_tags)?,
            expires_at: self.expires_at,
        })
    }
}

/// Creates a rule.
pub async fn create_rule(
    tx: &mut Tx,
    rule: &Rule,
    created_by: Option<AccountId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (kind, subject_id) = rule.subject.to_parts();
    let (repository_id, pattern) = match &rule.target {
        Target::Repository(id) => (Some(id.as_i64()), None),
        Target::Pattern(pattern) => (None, Some(pattern)),
    };
    let names = pattern.map(|pattern| pattern.ranges().names);
    let (from, before) = names.unzip();
    on!(tx, c => sqlx::query(CREATE_RULE)
        .bind(rule.rule_id.as_i64())
        .bind(rule.namespace_id.as_i64())
        .bind(kind)
        .bind(subject_id)
        .bind(repository_id)
        .bind(pattern.map(ToString::to_string))
        .bind(from)
        .bind(before)
        .bind(rule.rights.to_string())
        .bind(rule.push_tags.to_text())
        .bind(rule.delete_tags.to_text())
        .bind(rule.expires_at)
        .bind(created_by.map(AccountId::as_i64))
        .bind(now_ms)
        .execute(c).await.map(drop))
    .map_err(writing("rule"))
}

/// The rules of a namespace that may be about a principal: those of every subject that it is or belongs to.
pub async fn list_rules_about(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    principal: &Principal,
) -> Result<Vec<Rule>, StoreError> {
    let rows = match principal {
        Principal::Account(account) => list!(
            "rules",
            tx,
            RuleRow,
            LIST_RULES_OF_ACCOUNT,
            namespace_id.as_i64(),
            account.account_id.as_i64()
        ),
        Principal::Machine(machine) => list!(
            "rules",
            tx,
            RuleRow,
            LIST_RULES_OF_ROBOT,
            namespace_id.as_i64(),
            // No robot has this id: an organisation's access token is in no rule.
            machine.robot_id.map_or(-1, crate::domain::RobotId::as_i64)
        ),
        Principal::Anonymous => list!(
            "rules",
            tx,
            RuleRow,
            LIST_RULES_OF_ROBOT,
            namespace_id.as_i64(),
            -1_i64
        ),
    }?;
    rows.into_iter().map(RuleRow::into_rule).collect()
}

/// The same of several namespaces, in one statement for 64 of them.
pub async fn list_rules_about_in(
    tx: &mut Tx,
    namespaces: &[NamespaceId],
    principal: &Principal,
) -> Result<Vec<Rule>, StoreError> {
    let mut found = Vec::new();
    for chunk in namespaces.chunks(NAMESPACES) {
        let values = |subject: i64| {
            let mut values: Vec<i64> = chunk.iter().map(|id| id.as_i64()).collect();
            values.resize(NAMESPACES, -1);
            values.push(subject);
            values
        };
        // Nobody has the id -1.
        let rows = match principal {
            Principal::Account(account) => {
                let values = values(account.account_id.as_i64());
                list_of!("rules", tx, RuleRow, LIST_RULES_OF_ACCOUNT_IN, &values)
            }
            Principal::Machine(machine) => {
                let values = values(machine.robot_id.map_or(-1, crate::domain::RobotId::as_i64));
                list_of!("rules", tx, RuleRow, LIST_RULES_OF_ROBOT_IN, &values)
            }
            Principal::Anonymous => {
                let values = values(-1);
                list_of!("rules", tx, RuleRow, LIST_RULES_OF_ROBOT_IN, &values)
            }
        }?;
        found.extend(
            rows.into_iter()
                .map(RuleRow::into_rule)
                .collect::<Result<Vec<_>, _>>()?,
        );
    }
    Ok(found)
}

/// The rule of an id.
pub async fn find_rule(tx: &mut Tx, rule_id: RuleId) -> Result<Option<ListedRule>, StoreError> {
    match find!("rule", tx, ListedRow, FIND_RULE, rule_id.as_i64())? {
        Some(row) => row.into_listed(),
        None => Ok(None),
    }
}

/// At most `limit` rules of a namespace, in no order.
pub async fn list_rules_in(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    limit: i64,
) -> Result<Vec<ListedRule>, StoreError> {
    listed(list!(
        "rules",
        tx,
        ListedRow,
        LIST_RULES_IN,
        namespace_id.as_i64(),
        limit
    )?)
}

/// At most `limit` rules about a subject, wherever they are, those behind `after` in the order of their ids.
pub async fn list_rules_about_subject(
    tx: &mut Tx,
    subject: Subject,
    after: i64,
    limit: u32,
) -> Result<Vec<ListedRule>, StoreError> {
    let (kind, subject_id) = subject.to_parts();
    listed(list!(
        "rules",
        tx,
        ListedRow,
        LIST_RULES_ABOUT_SUBJECT,
        kind,
        subject_id,
        after,
        i64::from(limit)
    )?)
}

/// How many rules a namespace has, and how many of them are about the subject.
pub async fn count_rules(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    subject: Subject,
) -> Result<(i64, i64), StoreError> {
    let (kind, subject_id) = subject.to_parts();
    let all = on!(tx, c => sqlx::query_scalar(COUNT_RULES).bind(namespace_id.as_i64()).fetch_one(c).await)
        .map_err(reading("rules"))?;
    let own = on!(tx, c => sqlx::query_scalar(COUNT_RULES_OF_SUBJECT).bind(namespace_id.as_i64()).bind(kind)
        .bind(subject_id).fetch_one(c).await)
    .map_err(reading("rules"))?;
    Ok((all, own))
}

/// Whether a namespace has a rule about this subject and this target already.
pub async fn has_rule_about(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    subject: Subject,
    target: &Target,
) -> Result<bool, StoreError> {
    let (kind, subject_id) = subject.to_parts();
    let (repository_id, pattern) = match target {
        Target::Repository(id) => (Some(id.as_i64()), None),
        Target::Pattern(pattern) => (None, Some(pattern.to_string())),
    };
    let found = find!(
        "rule",
        tx,
        IdRow,
        FIND_RULE_ABOUT,
        namespace_id.as_i64(),
        kind,
        subject_id,
        repository_id,
        pattern.as_deref()
    )?;
    Ok(found.is_some_and(|row| row.rule_id != 0))
}

/// Lets a rule give something else; says whether there is such a rule.
pub async fn change_rule(tx: &mut Tx, rule_id: RuleId, grant: &Grant) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CHANGE_RULE)
        .bind(rule_id.as_i64())
        .bind(grant.rights.to_string())
        .bind(grant.push_tags.to_text())
        .bind(grant.delete_tags.to_text())
        .bind(grant.expires_at)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("rule"))
}

/// Removes a rule; says whether there was such a rule.
pub async fn remove_rule(tx: &mut Tx, rule_id: RuleId) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_RULE).bind(rule_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("rule"))
}

/// Removes the rules about one repository.
pub async fn remove_rules_of_repository(tx: &mut Tx, repository_id: RepositoryId) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(REMOVE_RULES_OF_REPOSITORY).bind(repository_id.as_i64())
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("rules"))
}

/// Lets the rules about one repository go with it into another namespace. Those about teams, members and robots stay
/// behind: they are the other's.
pub async fn transfer_rules(
    tx: &mut Tx,
    repository_id: RepositoryId,
    namespace_id: NamespaceId,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(DROP_RULES_AT_TRANSFER).bind(repository_id.as_i64()).execute(c).await.map(drop))
        .map_err(writing("rules"))?;
    on!(tx, c => sqlx::query(MOVE_RULES).bind(repository_id.as_i64()).bind(namespace_id.as_i64())
        .execute(c).await.map(drop))
    .map_err(writing("rules"))
}
