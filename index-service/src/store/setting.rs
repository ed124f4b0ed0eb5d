//! Settings that the service keeps for itself.

use super::dialect::{Tx, find, on, statements};
use super::error::{StoreError, writing};
use super::row::row;

statements! {
    FIND_SETTING = "select value from setting where key = $1";
    PUT_SETTING = "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
}

row! {
    struct SettingRow {
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
