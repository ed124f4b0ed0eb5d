//! What hangs on an account, a membership or an organisation: listed before it ends, and ended with it.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use crate::domain::departure::{Listed, MAX_NAMES};
use crate::domain::{AccountId, NamespaceId, OrganisationId};

statements! {
    COUNT_REPOSITORIES_IN = "select count(*) as number from repository where namespace_id = $1 and state <> 'deleted'";
    LIST_REPOSITORY_NAMES = "select name as label from repository where namespace_id = $1 and state <> 'deleted'
        order by name limit $2";
    COUNT_MEMBERS = "select count(*) as number from member where organisation_id = $1
        and (expires_at is null or expires_at > $2)";
    COUNT_TEAMS = "select count(*) as number from team where organisation_id = $1";
    COUNT_RULES_OF_ACCOUNT = "select count(*) as number from access_rule where subject_kind = 'account' and subject_id = $1";
    LIST_RULES_ABOUT_ACCOUNT = "select r.rights || ' on ' || coalesce(p.name, r.pattern, '') as label from access_rule r
        left join repository p on p.repository_id = r.repository_id
        where r.subject_kind = 'account' and r.subject_id = $1 order by r.rule_id limit $2";
    COUNT_RULES_OF_ACCOUNT_IN = "select count(*) as number from access_rule
        where namespace_id = $1 and subject_kind = 'account' and subject_id = $2";
    LIST_RULES_ABOUT_ACCOUNT_IN = "select r.rights || ' on ' || coalesce(p.name, r.pattern, '') as label from access_rule r
        left join repository p on p.repository_id = r.repository_id
        where r.namespace_id = $1 and r.subject_kind = 'account' and r.subject_id = $2 order by r.rule_id limit $3";
    COUNT_TOKENS = "select count(*) as number from access_token where account_id = $1 and revoked_at is null
        and (expires_at is null or expires_at > $2)";
    COUNT_DEVICES = "select count(*) as number from device where account_id = $1 and revoked_at is null and expires_at > $2";
    COUNT_ORGANISATIONS_OF = "select count(*) as number from member where account_id = $1";
    LIST_ORGANISATION_NAMES_OF = "select o.name as label from member m join organisation o
        on o.organisation_id = m.organisation_id where m.account_id = $1 order by m.organisation_id limit $2";
    LIST_LAST_OWNED = "select o.name as label from member m join organisation o on o.organisation_id = m.organisation_id
        where m.account_id = $1 and m.role = 'owner' and not exists (select 1 from member x
          join account a on a.account_id = x.account_id where x.organisation_id = m.organisation_id and x.role = 'owner'
          and x.account_id <> $1 and a.disabled_at is null)
        order by m.organisation_id limit $2";
    LIST_LAST_OWNED_WITH_OTHERS = "select o.name as label from member m
        join organisation o on o.organisation_id = m.organisation_id
        where m.account_id = $1 and m.role = 'owner' and not exists (select 1 from member x
          join account a on a.account_id = x.account_id where x.organisation_id = m.organisation_id and x.role = 'owner'
          and x.account_id <> $1 and a.disabled_at is null)
        and exists (select 1 from member x join account a on a.account_id = x.account_id
          where x.organisation_id = m.organisation_id and x.account_id <> $1 and a.disabled_at is null)
        order by m.organisation_id limit $2";
    COUNT_ROBOTS_IN = "select count(*) as number from robot where namespace_id = $1 and deleted_at is null";
    LIST_ROBOT_NAMES = "select case when b.name is null then b.label else n.name || '+' || b.name end as label
        from robot b join namespace n on n.namespace_id = b.namespace_id
        where b.namespace_id = $1 and b.deleted_at is null order by b.robot_id limit $2";
    COUNT_RULES_ABOUT_ROBOTS = "select count(*) as number from robot b cross join access_rule r
        where b.namespace_id = $1 and b.deleted_at is null and r.subject_kind = 'robot' and r.subject_id = b.robot_id
        and r.namespace_id <> $1";
    LIST_RULES_ABOUT_ROBOTS = "select r.rights || ' on ' || coalesce(p.name, r.pattern, '') as label
        from robot b cross join access_rule r left join repository p on p.repository_id = r.repository_id
        where b.namespace_id = $1 and b.deleted_at is null and r.subject_kind = 'robot' and r.subject_id = b.robot_id
        and r.namespace_id <> $1 order by b.robot_id limit $2";
    END_RULES_ABOUT_ROBOTS = "delete from access_rule where subject_kind = 'robot'
        and subject_id in (select robot_id from robot where namespace_id = $1)";
    END_ROBOTS = "update robot set deleted_at = $2 where namespace_id = $1 and deleted_at is null";
    END_RULES_IN = "delete from access_rule where namespace_id = $1";
    END_RETENTION_IN = "delete from retention_policy where namespace_id = $1";
    END_INVITATIONS = "update invitation set team_id = null, revoked_at = coalesce(revoked_at, $2) where organisation_id = $1";
    END_TEAM_MEMBERS = "delete from team_member where team_id in (select team_id from team where organisation_id = $1)";
    END_TEAMS = "delete from team where organisation_id = $1";
    END_MEMBERS = "delete from member where organisation_id = $1";
    END_RULES_ABOUT_ACCOUNT = "delete from access_rule where subject_kind = 'account' and subject_id = $1";
    END_PLACES_IN_TEAMS = "delete from team_member where account_id = $1";
    END_MEMBERSHIPS = "delete from member where account_id = $1";
    UNCOUNT_STARS = "update repository_profile set star_count = star_count - 1
        where repository_id in (select repository_id from star where account_id = $1)";
    END_COMMENT_REPORTS = "delete from comment_report where account_id = $1";
    /// Their places in threads stay.
    END_COMMENTS = "update comment set text = '', state = 'deleted', reports = 0 where account_id = $1";
    END_NOTICES = "delete from notice where account_id = $1";
    END_NOTICES_OFF = "delete from notice_off where account_id = $1";
    END_BOOKMARKS = "delete from bookmark where account_id = $1";
    END_STARS = "delete from star where account_id = $1";
    END_PASSWORD_RESETS = "delete from password_reset where account_id = $1";
    /// Labels, addresses and programs are personal.
    END_TOKENS = "update access_token set revoked_at = coalesce(revoked_at, $2), label = 'deleted', last_address = null,
        last_client = null, refused_network = null where account_id = $1";
}

row! {
struct NumberRow {
    number: i64,
}
}

row! {
struct LabelRow {
    label: String,
}
}

fn listed(count: Option<NumberRow>, names: Vec<LabelRow>) -> Listed {
    Listed {
        count: number(count),
        names: names.into_iter().map(|row| row.label).collect(),
    }
}

fn number(row: Option<NumberRow>) -> i64 {
    row.map_or(0, |row| row.number)
}

/// The repositories of a namespace that are not deleted, reserved names too.
pub async fn list_repositories_in(tx: &mut Tx, namespace_id: NamespaceId) -> Result<Listed, StoreError> {
    let id = namespace_id.as_i64();
    Ok(listed(
        find!("repositories", tx, NumberRow, COUNT_REPOSITORIES_IN, id)?,
        list!(
            "repositories",
            tx,
            LabelRow,
            LIST_REPOSITORY_NAMES,
            id,
            i64::from(MAX_NAMES)
        )?,
    ))
}

/// The robots of a namespace and its access tokens, which stop with its owner, and the rules of other namespaces about
/// those robots.
pub async fn list_robots_in(tx: &mut Tx, namespace_id: NamespaceId) -> Result<(Listed, Listed), StoreError> {
    let (id, most) = (namespace_id.as_i64(), i64::from(MAX_NAMES));
    let robots = listed(
        find!("robots", tx, NumberRow, COUNT_ROBOTS_IN, id)?,
        list!("robots", tx, LabelRow, LIST_ROBOT_NAMES, id, most)?,
    );
    let rules = listed(
        find!("rules", tx, NumberRow, COUNT_RULES_ABOUT_ROBOTS, id)?,
        list!("rules", tx, LabelRow, LIST_RULES_ABOUT_ROBOTS, id, most)?,
    );
    Ok((robots, rules))
}

/// How many are in an organisation at `now_ms`.
pub async fn count_members(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let id = organisation_id.as_i64();
    Ok(number(find!(
        "members",
        tx,
        NumberRow,
        COUNT_MEMBERS,
        id,
        now_ms
    )?))
}

/// How many teams an organisation has.
pub async fn count_teams(tx: &mut Tx, organisation_id: OrganisationId) -> Result<i64, StoreError> {
    let id = organisation_id.as_i64();
    Ok(number(find!("teams", tx, NumberRow, COUNT_TEAMS, id)?))
}

/// The rules about an account, wherever they are.
pub async fn list_rules_about_account(tx: &mut Tx, account_id: AccountId) -> Result<Listed, StoreError> {
    let id = account_id.as_i64();
    Ok(listed(
        find!("rules", tx, NumberRow, COUNT_RULES_OF_ACCOUNT, id)?,
        list!(
            "rules",
            tx,
            LabelRow,
            LIST_RULES_ABOUT_ACCOUNT,
            id,
            i64::from(MAX_NAMES)
        )?,
    ))
}

/// The rules of a namespace about an account.
pub async fn list_rules_about_account_in(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    account_id: AccountId,
) -> Result<Listed, StoreError> {
    let (namespace_id, id) = (namespace_id.as_i64(), account_id.as_i64());
    Ok(listed(
        find!(
            "rules",
            tx,
            NumberRow,
            COUNT_RULES_OF_ACCOUNT_IN,
            namespace_id,
            id
        )?,
        list!(
            "rules",
            tx,
            LabelRow,
            LIST_RULES_ABOUT_ACCOUNT_IN,
            namespace_id,
            id,
            i64::from(MAX_NAMES)
        )?,
    ))
}

/// How many access tokens and how many devices of an account live at `now_ms`.
pub async fn count_credentials(
    tx: &mut Tx,
    account_id: AccountId,
    now_ms: i64,
) -> Result<(i64, i64), StoreError> {
    let id = account_id.as_i64();
    let tokens = find!("access tokens", tx, NumberRow, COUNT_TOKENS, id, now_ms)?;
    let devices = find!("devices", tx, NumberRow, COUNT_DEVICES, id, now_ms)?;
    Ok((number(tokens), number(devices)))
}

/// The organisations that an account is in, guests whose time is over included.
pub async fn list_organisation_names_of(tx: &mut Tx, account_id: AccountId) -> Result<Listed, StoreError> {
    let id = account_id.as_i64();
    Ok(listed(
        find!("organisations", tx, NumberRow, COUNT_ORGANISATIONS_OF, id)?,
        list!(
            "organisations",
            tx,
            LabelRow,
            LIST_ORGANISATION_NAMES_OF,
            id,
            i64::from(MAX_NAMES)
        )?,
    ))
}

/// The first [`MAX_NAMES`] organisations that nobody who can log in would own without this account.
pub async fn list_last_owned(tx: &mut Tx, account_id: AccountId) -> Result<Vec<String>, StoreError> {
    let rows = list!(
        "organisations",
        tx,
        LabelRow,
        LIST_LAST_OWNED,
        account_id.as_i64(),
        i64::from(MAX_NAMES)
    )?;
    Ok(rows.into_iter().map(|row| row.label).collect())
}

/// Those of [`list_last_owned`] that somebody else who can log in is in.
pub async fn list_last_owned_with_others(
    tx: &mut Tx,
    account_id: AccountId,
) -> Result<Vec<String>, StoreError> {
    let rows = list!(
        "organisations",
        tx,
        LabelRow,
        LIST_LAST_OWNED_WITH_OTHERS,
        account_id.as_i64(),
        i64::from(MAX_NAMES)
    )?;
    Ok(rows.into_iter().map(|row| row.label).collect())
}

/// Ends what a namespace holds besides repositories: its rules, its policy of retention, its robots and the rules about them.
async fn end_namespace(tx: &mut Tx, namespace_id: NamespaceId, now_ms: i64) -> Result<(), StoreError> {
    let id = namespace_id.as_i64();
    for text in [END_RULES_IN, END_RULES_ABOUT_ROBOTS, END_RETENTION_IN] {
        on!(tx, c => sqlx::query(text).bind(id).execute(c).await.map(drop)).map_err(writing("rules"))?;
    }
    on!(tx, c => sqlx::query(END_ROBOTS).bind(id).bind(now_ms).execute(c).await.map(drop))
        .map_err(writing("robots"))
}

/// Ends all that an organisation holds: the rules and robots of its namespace, invitations, teams, memberships.
pub async fn end_organisation(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    namespace_id: NamespaceId,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = organisation_id.as_i64();
    end_namespace(tx, namespace_id, now_ms).await?;
    on!(tx, c => sqlx::query(END_INVITATIONS).bind(id).bind(now_ms).execute(c).await.map(drop))
        .map_err(writing("invitations"))?;
    for text in [END_TEAM_MEMBERS, END_TEAMS, END_MEMBERS] {
        on!(tx, c => sqlx::query(text).bind(id).execute(c).await.map(drop))
            .map_err(writing("organisation"))?;
    }
    Ok(())
}

/// Ends all that an account holds: rules about it, the rules and robots of its namespace, places in teams, memberships,
/// access tokens. Its devices are [`super::device`]'s.
pub async fn end_account(
    tx: &mut Tx,
    account_id: AccountId,
    namespace_id: Option<NamespaceId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let id = account_id.as_i64();
    if let Some(namespace_id) = namespace_id {
        end_namespace(tx, namespace_id, now_ms).await?;
    }
    for text in [
        END_RULES_ABOUT_ACCOUNT,
        END_PLACES_IN_TEAMS,
        END_MEMBERSHIPS,
        // Where those repositories stand in lists is mended with time.
        UNCOUNT_STARS,
        END_STARS,
        END_BOOKMARKS,
        END_NOTICES,
        END_NOTICES_OFF,
        END_COMMENT_REPORTS,
        END_COMMENTS,
        END_PASSWORD_RESETS,
    ] {
        on!(tx, c => sqlx::query(text).bind(id).execute(c).await.map(drop)).map_err(writing("account"))?;
    }
    on!(tx, c => sqlx::query(END_TOKENS).bind(id).bind(now_ms).execute(c).await.map(drop))
        .map_err(writing("access tokens"))
}
