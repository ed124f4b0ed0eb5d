//! Robots, and access tokens of organisations. Their secrets are in [`super::secret`].

use super::access_token::{last_use, networks, refused};
use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::{Row, row};
use super::secret::SecretRow;
use crate::domain::credential::USE_INTERVAL_MS;
use crate::domain::{
    AccountId, AllowedNetworks, Ceiling, CredentialSecret, LastUse, NamespaceId, NamespaceName, RefusedUses,
    Robot, RobotId, RobotName, SecretHash, TokenLabel,
};

statements! {
    CREATE_ROBOT = "insert into robot (robot_id, namespace_id, name, parent_id, label, limits, networks, created_by, created_at,
        expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing";
    FIND_ROBOT = "select r.robot_id, r.namespace_id, n.name as namespace, r.name, r.parent_id, r.label, r.limits, r.networks,
        r.created_by, r.created_at, r.expires_at, r.suspended_at, r.deleted_at, r.last_used_at, r.last_address, r.last_client,
        r.refused_count, r.refused_at, r.refused_network, a.disabled_at as owner_disabled_at, a.deleted_at as owner_deleted_at,
        o.deleted_at as organisation_deleted_at,
        s.secret_id, s.owner_kind, s.owner_id, s.last_four, s.created_at as secret_created_at, s.ends_at, s.ended_because
        from credential_secret s join robot r on r.robot_id = s.owner_id join namespace n on n.namespace_id = r.namespace_id
        left join account a on a.account_id = n.account_id left join organisation o on o.organisation_id = n.organisation_id
        where s.secret_hash = $1 and s.owner_kind = 'robot'";
    FIND_ROBOT_BY_ID = "select r.robot_id, r.namespace_id, n.name as namespace, r.name, r.parent_id, r.label, r.limits, r.networks,
        r.created_by, r.created_at, r.expires_at, r.suspended_at, r.deleted_at, r.last_used_at, r.last_address, r.last_client,
        r.refused_count, r.refused_at, r.refused_network, a.disabled_at as owner_disabled_at, a.deleted_at as owner_deleted_at,
        o.deleted_at as organisation_deleted_at
        from robot r join namespace n on n.namespace_id = r.namespace_id
        left join account a on a.account_id = n.account_id left join organisation o on o.organisation_id = n.organisation_id
        where r.robot_id = $1";
    FIND_ROBOT_BY_NAME = "select r.robot_id, r.namespace_id, n.name as namespace, r.name, r.parent_id, r.label, r.limits, r.networks,
        r.created_by, r.created_at, r.expires_at, r.suspended_at, r.deleted_at, r.last_used_at, r.last_address, r.last_client,
        r.refused_count, r.refused_at, r.refused_network, a.disabled_at as owner_disabled_at, a.deleted_at as owner_deleted_at,
        o.deleted_at as organisation_deleted_at
        from robot r join namespace n on n.namespace_id = r.namespace_id and n.name = $1
        left join account a on a.account_id = n.account_id left join organisation o on o.organisation_id = n.organisation_id
        where r.name = $2 and r.deleted_at is null";
    LIST_ROBOTS = "select r.robot_id, r.namespace_id, n.name as namespace, r.name, r.parent_id, r.label, r.limits, r.networks,
        r.created_by, r.created_at, r.expires_at, r.suspended_at, r.deleted_at, r.last_used_at, r.last_address, r.last_client,
        r.refused_count, r.refused_at, r.refused_network, a.disabled_at as owner_disabled_at, a.deleted_at as owner_deleted_at,
        o.deleted_at as organisation_deleted_at
        from robot r join namespace n on n.namespace_id = r.namespace_id
        left join account a on a.account_id = n.account_id left join organisation o on o.organisation_id = n.organisation_id
        where r.namespace_id = $1 and r.robot_id > $2 and r.deleted_at is null and (r.name is not null) = $3
        order by r.robot_id limit $4";
    LIST_CHILDREN = "select r.robot_id, r.namespace_id, n.name as namespace, r.name, r.parent_id, r.label, r.limits, r.networks,
        r.created_by, r.created_at, r.expires_at, r.suspended_at, r.deleted_at, r.last_used_at, r.last_address, r.last_client,
        r.refused_count, r.refused_at, r.refused_network, a.disabled_at as owner_disabled_at, a.deleted_at as owner_deleted_at,
        o.deleted_at as organisation_deleted_at
        from robot r join namespace n on n.namespace_id = r.namespace_id
        left join account a on a.account_id = n.account_id left join organisation o on o.organisation_id = n.organisation_id
        where r.parent_id = $1 and r.robot_id > $2 and r.deleted_at is null order by r.robot_id limit $3";
    COUNT_ROBOTS = "select count(*) from robot where namespace_id = $1 and deleted_at is null";
    CHANGE_ROBOT = "update robot set label = $2, limits = $3, networks = $4, suspended_at = $5
        where robot_id = $1 and deleted_at is null";
    DELETE_ROBOT = "update robot set deleted_at = $2 where robot_id = $1 and deleted_at is null";
    TOUCH_ROBOT = "update robot set last_used_at = $2, last_address = $3, last_client = $4
        where robot_id = $1 and (last_used_at is null or last_used_at <= $5)";
    NOTE_REFUSED_ROBOT = "update robot set refused_count = refused_count + $2, refused_at = $3, refused_network = $4
        where robot_id = $1";
}

row! {
struct RobotRow {
    robot_id: i64,
    namespace_id: i64,
    namespace: String,
    name: Option<String>,
    parent_id: Option<i64>,
    label: String,
    limits: String,
    networks: Option<String>,
    created_by: Option<i64>,
    created_at: i64,
    expires_at: Option<i64>,
    suspended_at: Option<i64>,
    deleted_at: Option<i64>,
    last_used_at: Option<i64>,
    last_address: Option<String>,
    last_client: Option<String>,
    refused_count: i64,
    refused_at: Option<i64>,
    refused_network: Option<String>,
    owner_disabled_at: Option<i64>,
    owner_deleted_at: Option<i64>,
    organisation_deleted_at: Option<i64>,
}
}

#[derive(sqlx::FromRow)]
struct RobotOfSecretRow {
    #[sqlx(flatten)]
    robot: RobotRow,
    #[sqlx(flatten)]
    secret: SecretRow,
}

impl Row for RobotOfSecretRow {
    fn columns() -> Vec<&'static str> {
        [RobotRow::columns(), SecretRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            robot: RobotRow::read(row, place)?,
            secret: SecretRow::read(row, place)?,
        })
    }
}

impl RobotRow {
    fn into_robot(self) -> Result<Robot, StoreError> {
        Ok(Robot {
            robot_id: RobotId::from_i64(self.robot_id),
            namespace_id: NamespaceId::from_i64(self.namespace_id),
            namespace: self.namespace.parse().map_err(unreadable("namespace name"))?,
            name: self
                .name
                .map(|name| name.parse())
                .transpose()
                .map_err(unreadable("name of a robot"))?,
            parent_id: self.parent_id.map(RobotId::from_i64),
            label: self.label.parse().map_err(unreadable("label"))?,
            ceiling: Ceiling::parse(Some(&self.limits)).map_err(unreadable("limits"))?,
            networks: networks(self.networks.as_deref())?,
            created_by: self.created_by.map(AccountId::from_i64),
            created_at: self.created_at,
            expires_at: self.expires_at,
            suspended_at: self.suspended_at,
            deleted_at: self.deleted_at,
            last_use: last_use(self.last_used_at, self.last_address, self.last_client),
            refused: refused(self.refused_count, self.refused_at, self.refused_network),
            is_owner_gone: self.owner_disabled_at.is_some()
                || self.owner_deleted_at.is_some()
                || self.organisation_deleted_at.is_some(),
        })
    }
}

/// What a new robot starts with, its secret apart.
#[derive(Debug)]
pub struct NewRobot<'a> {
    /// A new id.
    pub robot_id: RobotId,
    /// Its namespace.
    pub namespace_id: NamespaceId,
    /// Its name; without one it is an access token of the organisation.
    pub name: Option<&'a RobotName>,
    /// The robot that makes it.
    pub parent_id: Option<RobotId>,
    /// What people call it.
    pub label: &'a TokenLabel,
    /// What it may reach at most.
    pub ceiling: &'a Ceiling,
    /// Where it may be used.
    pub networks: &'a AllowedNetworks,
    /// Who makes it.
    pub created_by: Option<AccountId>,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: Option<i64>,
}

/// Creates a robot without a secret; [`StoreError::Conflict`] when the namespace has one of that name.
pub async fn create_robot(tx: &mut Tx, new: &NewRobot<'_>, now_ms: i64) -> Result<(), StoreError> {
    let created = on!(tx, c => sqlx::query(CREATE_ROBOT)
        .bind(new.robot_id.as_i64())
        .bind(new.namespace_id.as_i64())
        .bind(new.name.map(RobotName::as_str))
        .bind(new.parent_id.map(RobotId::as_i64))
        .bind(new.label.as_str())
        .bind(new.ceiling.to_text().unwrap_or_default())
        .bind(new.networks.to_text())
        .bind(new.created_by.map(AccountId::as_i64))
        .bind(now_ms)
        .bind(new.expires_at)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("robot"))?;
    if created == 0 {
        return Err(StoreError::Conflict("robot"));
    }
    Ok(())
}

/// The robot of a secret, both dead or alive: one indexed read.
pub async fn find_robot(
    tx: &mut Tx,
    secret_hash: SecretHash,
) -> Result<Option<(Robot, CredentialSecret)>, StoreError> {
    find!("robot", tx, RobotOfSecretRow, FIND_ROBOT, secret_hash.to_hex())?
        .map(|row| Ok((row.robot.into_robot()?, row.secret.into_secret()?)))
        .transpose()
}

/// The robot of an id, dead or alive.
pub async fn find_robot_by_id(tx: &mut Tx, robot_id: RobotId) -> Result<Option<Robot>, StoreError> {
    find!("robot", tx, RobotRow, FIND_ROBOT_BY_ID, robot_id.as_i64())?
        .map(RobotRow::into_robot)
        .transpose()
}

/// The robot of a name in a namespace, unless it is deleted.
pub async fn find_robot_by_name(
    tx: &mut Tx,
    namespace: &NamespaceName,
    name: &RobotName,
) -> Result<Option<Robot>, StoreError> {
    find!(
        "robot",
        tx,
        RobotRow,
        FIND_ROBOT_BY_NAME,
        namespace.as_str(),
        name.as_str()
    )?
    .map(RobotRow::into_robot)
    .transpose()
}

/// At most `limit` robots of a namespace (`named`), or access tokens of its organisation, the oldest first, those behind
/// `after`. Deleted ones are left out.
pub async fn list_robots(
    tx: &mut Tx,
    namespace_id: NamespaceId,
    named: bool,
    after: i64,
    limit: u32,
) -> Result<Vec<Robot>, StoreError> {
    list!(
        "robots",
        tx,
        RobotRow,
        LIST_ROBOTS,
        namespace_id.as_i64(),
        after,
        named,
        i64::from(limit)
    )?
    .into_iter()
    .map(RobotRow::into_robot)
    .collect()
}

/// At most `limit` robots that a robot made itself, the oldest first, those behind `after`. Deleted ones are left out.
pub async fn list_children(
    tx: &mut Tx,
    parent_id: RobotId,
    after: i64,
    limit: u32,
) -> Result<Vec<Robot>, StoreError> {
    list!(
        "robots",
        tx,
        RobotRow,
        LIST_CHILDREN,
        parent_id.as_i64(),
        after,
        i64::from(limit)
    )?
    .into_iter()
    .map(RobotRow::into_robot)
    .collect()
}

/// How many robots and organisation's access tokens a namespace has.
pub async fn count_robots(tx: &mut Tx, namespace_id: NamespaceId) -> Result<i64, StoreError> {
    on!(tx, c => sqlx::query_scalar(COUNT_ROBOTS).bind(namespace_id.as_i64()).fetch_one(c).await)
        .map_err(writing("robots"))
}

/// Stores what can be changed of a robot: label, ceiling, networks, whether it is suspended.
pub async fn change_robot(tx: &mut Tx, robot: &Robot) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(CHANGE_ROBOT)
        .bind(robot.robot_id.as_i64())
        .bind(robot.label.as_str())
        .bind(robot.ceiling.to_text().unwrap_or_default())
        .bind(robot.networks.to_text())
        .bind(robot.suspended_at)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("robot"))
}

/// Deletes a robot; says whether there was one. Those that it made end with it, and are to be deleted as well.
pub async fn delete_robot(tx: &mut Tx, robot_id: RobotId, now_ms: i64) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(DELETE_ROBOT).bind(robot_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("robot"))
}

/// Writes a use down, at most once in [`USE_INTERVAL_MS`]; says whether it did.
pub async fn touch_robot(tx: &mut Tx, robot_id: RobotId, last: &LastUse) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(TOUCH_ROBOT)
        .bind(robot_id.as_i64()).bind(last.at).bind(last.address.as_deref()).bind(last.client.as_str())
        .bind(last.at - USE_INTERVAL_MS)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("robot"))
}

/// Adds refused uses to those that were counted before.
pub async fn note_refused_robot(
    tx: &mut Tx,
    robot_id: RobotId,
    refused: &RefusedUses,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(NOTE_REFUSED_ROBOT)
        .bind(robot_id.as_i64()).bind(refused.count).bind(refused.last_at).bind(refused.network.as_deref())
        .execute(c).await.map(drop))
    .map_err(writing("robot"))
}
