//! Devices: the refresh tokens of password logins.

use super::account::AccountRow;
use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::profile::preferences;
use super::row::{Row, row};
use crate::domain::credential::USE_INTERVAL_MS;
use crate::domain::{Account, AccountId, Ceiling, Device, DeviceId, Preferences, SecretHash};

statements! {
    CREATE_DEVICE = "insert into device (device_id, account_id, secret_hash, client_id, user_agent, password_version,
        limits, created_address, last_address, created_at, last_used_at, expires_at, confirmed_at, confirmed_until)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $9, $10, $11, $12)";
    FIND_DEVICE = "select d.device_id, d.account_id, d.client_id, d.user_agent,
        d.password_version as device_password_version, d.limits, d.created_address, d.last_address,
        d.created_at as device_created_at, d.last_used_at, d.expires_at, d.revoked_at, d.confirmed_at,
        d.confirmed_until, a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at, a.created_at
        from device d join account a on a.account_id = d.account_id where d.secret_hash = $1";
    FIND_DEVICE_BY_ID = "select d.device_id, d.account_id, d.client_id, d.user_agent,
        d.password_version as device_password_version, d.limits, d.created_address, d.last_address,
        d.created_at as device_created_at, d.last_used_at, d.expires_at, d.revoked_at, d.confirmed_at,
        d.confirmed_until, a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at, a.created_at
        from device d join account a on a.account_id = d.account_id where d.device_id = $1";
    TOUCH_DEVICE = "update device set last_used_at = $2, last_address = $3 where device_id = $1 and last_used_at <= $4";
    PRUNE_DEVICES = "delete from device where account_id = $1 and device_id not in (
        select device_id from device where account_id = $1 and revoked_at is null and expires_at > $2 and last_used_at > $3
        order by last_used_at desc, device_id desc limit $4)";
    LIST_DEVICES = "select d.device_id, d.account_id, d.client_id, d.user_agent,
        d.password_version as device_password_version, d.limits, d.created_address, d.last_address,
        d.created_at as device_created_at, d.last_used_at, d.expires_at, d.revoked_at, d.confirmed_at,
        d.confirmed_until from device d
        where d.account_id = $1 and d.device_id > $2 and d.revoked_at is null and d.expires_at > $3 and d.last_used_at > $4
        and d.password_version = $5 order by d.device_id limit $6";
    REVOKE_DEVICE = "update device set revoked_at = $3 where account_id = $1 and device_id = $2 and revoked_at is null";
    REVOKE_DEVICES = "update device set revoked_at = $2 where account_id = $1 and revoked_at is null";
    /// A session of the web pages with all that each page needs.
    FIND_SESSION = "select d.device_id, d.account_id, d.client_id, d.user_agent,
        d.password_version as device_password_version, d.limits, d.created_address, d.last_address,
        d.created_at as device_created_at, d.last_used_at, d.expires_at, d.revoked_at, d.confirmed_at,
        d.confirmed_until, a.account_id, a.username, a.display_name, a.password_hash, a.password_version, a.is_admin, a.disabled_at,
        a.created_at, a.language, a.theme,
        (select count(*) from notice n where n.account_id = a.account_id and n.read_at is null) as unread
        from device d join account a on a.account_id = d.account_id where d.secret_hash = $1";
    CONFIRM_DEVICE = "update device set confirmed_at = $2, confirmed_until = $3 where device_id = $1 and revoked_at is null";
    PROLONG_CONFIRMATION = "update device set confirmed_until = $2 where device_id = $1 and confirmed_until < $2";
    LIST_PLACES = "select user_agent, created_address, last_address from device where account_id = $1
        order by device_id desc limit $2";
}

row! {
struct DeviceRow {
    device_id: i64,
    account_id: i64,
    client_id: String,
    user_agent: String,
    device_password_version: i64,
    limits: Option<String>,
    created_address: Option<String>,
    last_address: Option<String>,
    device_created_at: i64,
    last_used_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    confirmed_at: Option<i64>,
    confirmed_until: Option<i64>,
}
}

#[derive(sqlx::FromRow)]
struct DeviceOfAccountRow {
    #[sqlx(flatten)]
    device: DeviceRow,
    #[sqlx(flatten)]
    account: AccountRow,
}

impl Row for DeviceOfAccountRow {
    fn columns() -> Vec<&'static str> {
        [DeviceRow::columns(), AccountRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            device: DeviceRow::read(row, place)?,
            account: AccountRow::read(row, place)?,
        })
    }
}

impl DeviceRow {
    fn into_device(self) -> Result<Device, StoreError> {
        Ok(Device {
            device_id: DeviceId::from_i64(self.device_id),
            account_id: AccountId::from_i64(self.account_id),
            client_id: self.client_id,
            user_agent: self.user_agent,
            password_version: self.device_password_version,
            ceiling: Ceiling::parse(self.limits.as_deref()).map_err(unreadable("limits"))?,
            created_address: self.created_address,
            last_address: self.last_address,
            created_at: self.device_created_at,
            last_used_at: self.last_used_at,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            confirmed_at: self.confirmed_at,
            confirmed_until: self.confirmed_until,
        })
    }
}

row! {
struct VisitRow {
    language: Option<String>,
    theme: Option<String>,
    unread: i64,
}
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    #[sqlx(flatten)]
    device: DeviceRow,
    #[sqlx(flatten)]
    account: AccountRow,
    #[sqlx(flatten)]
    visit: VisitRow,
}

impl Row for SessionRow {
    fn columns() -> Vec<&'static str> {
        [DeviceRow::columns(), AccountRow::columns(), VisitRow::columns()].concat()
    }

    fn read(row: &rusqlite::Row<'_>, place: &mut usize) -> rusqlite::Result<Self> {
        Ok(Self {
            device: DeviceRow::read(row, place)?,
            account: AccountRow::read(row, place)?,
            visit: VisitRow::read(row, place)?,
        })
    }
}

row! {
struct PlaceRow {
    user_agent: String,
    created_address: Option<String>,
    last_address: Option<String>,
}
}

/// A session of the web pages, with what pages show of its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// The session.
    pub device: Device,
    /// Whose it is.
    pub account: Account,
    /// What the account chose for pages.
    pub preferences: Preferences,
    /// How much it was told and has not read.
    pub unread: i64,
}

/// From where an account signed in, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPlace {
    /// The `User-Agent`.
    pub user_agent: String,
    /// The addresses, the first and the last.
    pub addresses: [Option<String>; 2],
}

impl DeviceOfAccountRow {
    fn into_pair(self) -> Result<(Device, Account), StoreError> {
        Ok((self.device.into_device()?, self.account.into_account()?))
    }
}

/// What a new device starts with.
#[derive(Debug)]
pub struct NewDevice<'a> {
    /// A new id.
    pub device_id: DeviceId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The hash of its refresh token.
    pub secret_hash: SecretHash,
    /// The `client_id` that asked for it.
    pub client_id: &'a str,
    /// The `User-Agent` that asked for it.
    pub user_agent: &'a str,
    /// The version of the password that was shown.
    pub password_version: i64,
    /// What it may reach at most.
    pub ceiling: &'a Ceiling,
    /// The address that asked for it.
    pub address: Option<&'a str>,
    /// From when on it is refused, in milliseconds since 1970.
    pub expires_at: i64,
    /// Until when administration goes on without the password, which was just given; of sessions of the web pages alone.
    pub confirmed_until: Option<i64>,
}

/// Creates a device.
pub async fn create_device(tx: &mut Tx, new: &NewDevice<'_>, now_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CREATE_DEVICE)
        .bind(new.device_id.as_i64())
        .bind(new.account_id.as_i64())
        .bind(new.secret_hash.to_hex())
        .bind(new.client_id)
        .bind(new.user_agent)
        .bind(new.password_version)
        .bind(new.ceiling.to_text())
        .bind(new.address)
        .bind(now_ms)
        .bind(new.expires_at)
        .bind(new.confirmed_until.map(|_| now_ms))
        .bind(new.confirmed_until)
        .execute(c).await.map(drop))
    .map_err(writing("device"))
}

/// The device of a refresh token, dead or alive, with its account: one indexed read.
pub async fn find_device(
    tx: &mut Tx,
    secret_hash: SecretHash,
) -> Result<Option<(Device, Account)>, StoreError> {
    find!(
        "device",
        tx,
        DeviceOfAccountRow,
        FIND_DEVICE,
        secret_hash.to_hex()
    )?
    .map(DeviceOfAccountRow::into_pair)
    .transpose()
}

/// The session of a secret, dead or alive, with what pages show of its account: one statement.
pub async fn find_session(tx: &mut Tx, secret_hash: SecretHash) -> Result<Option<StoredSession>, StoreError> {
    let Some(row) = find!("session", tx, SessionRow, FIND_SESSION, secret_hash.to_hex())? else {
        return Ok(None);
    };
    Ok(Some(StoredSession {
        device: row.device.into_device()?,
        account: row.account.into_account()?,
        preferences: preferences(row.visit.language.as_deref(), row.visit.theme.as_deref()),
        unread: row.visit.unread,
    }))
}

/// Keeps that the password was given in a session, and until when that counts.
pub async fn confirm_device(
    tx: &mut Tx,
    device_id: DeviceId,
    now_ms: i64,
    until_ms: i64,
) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(CONFIRM_DEVICE).bind(device_id.as_i64()).bind(now_ms).bind(until_ms)
        .execute(c).await.map(drop))
    .map_err(writing("session"))
}

/// Keeps that a password that was given counts longer.
pub async fn prolong_confirmation(tx: &mut Tx, device_id: DeviceId, until_ms: i64) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PROLONG_CONFIRMATION).bind(device_id.as_i64()).bind(until_ms)
        .execute(c).await.map(drop))
    .map_err(writing("session"))
}

/// Where the last `limit` devices of an account signed in, dead or alive.
pub async fn list_places(
    tx: &mut Tx,
    account_id: AccountId,
    limit: u32,
) -> Result<Vec<KnownPlace>, StoreError> {
    let rows = list!(
        "devices",
        tx,
        PlaceRow,
        LIST_PLACES,
        account_id.as_i64(),
        i64::from(limit)
    )?;
    Ok(rows
        .into_iter()
        .map(|row| KnownPlace {
            user_agent: row.user_agent,
            addresses: [row.created_address, row.last_address],
        })
        .collect())
}

/// The device of an id, dead or alive, with its account: what a token says it was issued for is read again.
pub async fn find_device_by_id(
    tx: &mut Tx,
    device_id: DeviceId,
) -> Result<Option<(Device, Account)>, StoreError> {
    find!(
        "device",
        tx,
        DeviceOfAccountRow,
        FIND_DEVICE_BY_ID,
        device_id.as_i64()
    )?
    .map(DeviceOfAccountRow::into_pair)
    .transpose()
}

/// Writes a use at `now_ms` down, at most once in [`USE_INTERVAL_MS`]; says whether it did.
pub async fn touch_device(
    tx: &mut Tx,
    device_id: DeviceId,
    now_ms: i64,
    address: Option<&str>,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(TOUCH_DEVICE)
        .bind(device_id.as_i64()).bind(now_ms).bind(address).bind(now_ms - USE_INTERVAL_MS)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("device"))
}

/// Which devices of an account are asked for.
#[derive(Debug, Clone, Copy)]
pub struct LiveDevices {
    /// Those that are neither revoked nor over their end at this time, in milliseconds since 1970.
    pub now_ms: i64,
    /// Those that were used since.
    pub idle_since: i64,
    /// Those that were issued under this version of the password.
    pub password_version: i64,
}

/// At most `limit` live devices of an account, the oldest first, those behind `after`.
pub async fn list_devices(
    tx: &mut Tx,
    account_id: AccountId,
    live: LiveDevices,
    after: i64,
    limit: u32,
) -> Result<Vec<Device>, StoreError> {
    list!(
        "devices",
        tx,
        DeviceRow,
        LIST_DEVICES,
        account_id.as_i64(),
        after,
        live.now_ms,
        live.idle_since,
        live.password_version,
        i64::from(limit)
    )?
    .into_iter()
    .map(DeviceRow::into_device)
    .collect()
}

/// Revokes one device of an account; says whether there was one to revoke.
pub async fn revoke_device(
    tx: &mut Tx,
    account_id: AccountId,
    device_id: DeviceId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(REVOKE_DEVICE)
        .bind(account_id.as_i64()).bind(device_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("device"))
}

/// Revokes all devices of an account; says how many.
pub async fn revoke_devices(tx: &mut Tx, account_id: AccountId, now_ms: i64) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(REVOKE_DEVICES).bind(account_id.as_i64()).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("devices"))
}

/// Deletes an account's devices that are dead at `now_ms`, being revoked, over their end or last used at `idle_since`
/// or before, and of the others those that were used longest ago, so that `keep` are left; says how many went.
pub async fn prune_devices(
    tx: &mut Tx,
    account_id: AccountId,
    now_ms: i64,
    idle_since: i64,
    keep: u32,
) -> Result<u64, StoreError> {
    on!(tx, c => sqlx::query(PRUNE_DEVICES)
        .bind(account_id.as_i64()).bind(now_ms).bind(idle_since).bind(i64::from(keep))
        .execute(c).await.map(|done| done.rows_affected()))
    .map_err(writing("devices"))
}
