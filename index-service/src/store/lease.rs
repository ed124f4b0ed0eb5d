//! Leases: what one replica does for all of them.

use super::dialect::{Tx, on, statements};
use super::error::{StoreError, writing};

statements! {
    TAKE_LEASE = "insert into lease (name, holder, held_until) values ($1, $2, $3) on conflict (name) do update
        set holder = excluded.holder, held_until = excluded.held_until
        where lease.holder = excluded.holder or lease.held_until <= $4";
    END_LEASE = "update lease set held_until = 0 where name = $1 and holder = $2";
}

/// Takes a lease, or goes on holding it, until `until_ms`; says whether `holder` holds it. Another's lasts until its end.
pub async fn take_lease(
    tx: &mut Tx,
    name: &str,
    holder: &str,
    until_ms: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    on!(tx, c => sqlx::query(TAKE_LEASE).bind(name).bind(holder).bind(until_ms).bind(now_ms)
        .execute(c).await.map(|done| done.rows_affected() > 0))
    .map_err(writing("lease"))
}

/// Gives a lease up, so that another need not wait for its end.
pub async fn end_lease(tx: &mut Tx, name: &str, holder: &str) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(END_LEASE).bind(name).bind(holder).execute(c).await.map(drop))
        .map_err(writing("lease"))
}
