//! Settings that the service keeps for itself.

use super::dialect::{Tx, on, statements};
use super::error::{StoreError, reading, writing};

statements! {
    FIND_SETTING = "select value from setting where key = $1";
    PUT_SETTING = "insert into setting (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value";
}

/// The value under a key.
pub async fn find_setting(tx: &mut Tx, key: &str) -> Result<Option<String>, StoreError> {
    on!(tx, c => sqlx::query_scalar(FIND_SETTING).bind(key).fetch_optional(c).await)
        .map_err(reading("setting"))
}

/// Sets the value under a key.
pub async fn put_setting(tx: &mut Tx, key: &str, value: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(PUT_SETTING).bind(key).bind(value).execute(c).await.map(drop))
        .map_err(writing("setting"))
}
