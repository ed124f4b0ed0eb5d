//! How PostgreSQL carries each statement out when tables are large, whatever the values are.

use sqlx::{AssertSqlSafe, Row as _};

use super::dialect::Pools;
use super::postgres_server;
use super::schema_tests::MODULES;

/// Tables that never hold more than a few rows.
const SMALL: [&str; 3] = ["signing_key", "token_authority", "lease"];

#[tokio::test]
async fn no_statement_needs_to_read_a_whole_table_on_postgresql() {
    let Some(store) = postgres_server::new_store().await else {
        return;
    };
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    let mut connection = pool.acquire().await.unwrap();
    // A plan for any values; and a whole table is read only where no index serves.
    for setting in ["plan_cache_mode = force_generic_plan", "enable_seqscan = off"] {
        let text = AssertSqlSafe(format!("set {setting}"));
        sqlx::raw_sql(text).execute(&mut *connection).await.unwrap();
    }
    let mut looked_at = 0;
    for (name, text) in MODULES.concat() {
        let values = (1..)
            .take_while(|n| text.contains(&format!("${n}")))
            .map(|_| "null");
        let values: Vec<&str> = values.collect();
        let arguments = if values.is_empty() {
            String::new()
        } else {
            format!("({})", values.join(", "))
        };
        let script = AssertSqlSafe(format!("prepare looked_at as {text}"));
        sqlx::raw_sql(script).execute(&mut *connection).await.unwrap();
        let explain = AssertSqlSafe(format!("explain execute looked_at{arguments}"));
        let plan: Vec<String> = sqlx::raw_sql(explain)
            .fetch_all(&mut *connection)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        for step in &plan {
            let whole = step.split("Seq Scan on ").nth(1);
            let is_small = whole.is_some_and(|table| SMALL.iter().any(|small| table.starts_with(small)));
            assert!(whole.is_none() || is_small, "{name}: {plan:#?}");
        }
        sqlx::raw_sql("deallocate looked_at")
            .execute(&mut *connection)
            .await
            .unwrap();
        looked_at += 1;
    }
    assert!(looked_at > 100, "{looked_at}");
    drop(connection);
    store.close().await;
}
