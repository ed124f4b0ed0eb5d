//! Settings that the service keeps for itself.

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;

statements! {
    FIND_SETTING = "select value from setting where key = $1";
    PUT_SETTING = "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
    LIST_SETTINGS = "select key, value from setting where key >= $1 and key < $2 order by key limit $3";
    REMOVE_SETTING = "delete from setting where key = $1";
}

row! {
    struct SettingRow {
        value: String,
    }
}

row! {
    struct ListedRow {
        key: String,
        value: String,
    }
}

/// The value under a key.
pub async fn find_setting(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    Ok(find!("setting", tx, SettingRow, FIND_SETTING, key)?.map(|row| row.value))
}

/// Sets the value under a key.
pub async fn put_setting(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_SETTING).bind(key).bind(value).execute(c).await.map(drop))
        .map_err(writing("setting"))
}

/// At most `limit` keys that begin with `prefix`, and their values, in the order of the keys. Keys are ASCII.
pub async fn list_settings(
    tx: &mut Tx,
    prefix: &str,
    limit: u32,
) -> Result<Vec<(String, String)>, StoreError> {
    // Nothing that begins with the prefix comes behind it and the last character of ASCII.
    let end = format!("{prefix}\u{7f}");
    let end = end.as_str();
    let rows = list!(
        "settings",
        tx,
        ListedRow,
        LIST_SETTINGS,
        prefix,
        end,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| (row.key, row.value)).collect())
}

/// Removes the value under a key, if there is one.
pub async fn remove_setting(tx: &mut Tx, key: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(REMOVE_SETTING).bind(key).execute(c).await.map(drop)).map_err(writing("setting"))
}
