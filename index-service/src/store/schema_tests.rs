//! What both schemas, and every statement on them, must have in common.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{AssertSqlSafe, Executor as _, Row as _, SqlSafeStr as _};

use super::dialect::Pools;
use super::migration::MIGRATIONS;
use super::{Store, access_token, device, postgres_server, robot};

/// One line for each module, in the order of their names.
pub(super) const MODULES: &[&[(&str, &str)]] = &[
    super::access::STATEMENTS,
    super::access_token::STATEMENTS,
    super::account::STATEMENTS,
    super::ancestry::STATEMENTS,
    super::announcement::STATEMENTS,
    super::audit::STATEMENTS,
    super::bookmark::STATEMENTS,
    super::category::STATEMENTS,
    super::comment::STATEMENTS,
    super::content_count::STATEMENTS,
    super::content_deletion::STATEMENTS,
    super::content_feed::STATEMENTS,
    super::deletion::STATEMENTS,
    super::departure::STATEMENTS,
    super::device::STATEMENTS,
    super::family::STATEMENTS,
    super::hub::STATEMENTS,
    super::idempotency::STATEMENTS,
    super::immutability::STATEMENTS,
    super::invitation::STATEMENTS,
    super::lease::STATEMENTS,
    super::lineage::STATEMENTS,
    super::listing::STATEMENTS,
    super::manifest::STATEMENTS,
    super::manifest_work::STATEMENTS,
    super::member::STATEMENTS,
    super::namespace::STATEMENTS,
    super::notice::STATEMENTS,
    super::organisation::STATEMENTS,
    super::overview::STATEMENTS,
    super::password_reset::STATEMENTS,
    super::posting::STATEMENTS,
    super::profile::STATEMENTS,
    super::quota::STATEMENTS,
    super::quota_hold::STATEMENTS,
    super::repository::STATEMENTS,
    super::repository_profile::STATEMENTS,
    super::retained::STATEMENTS,
    super::retention_policy::STATEMENTS,
    super::retention_run::STATEMENTS,
    super::robot::STATEMENTS,
    super::rule::STATEMENTS,
    super::search::STATEMENTS,
    super::secret::STATEMENTS,
    super::setting::STATEMENTS,
    super::showcase::STATEMENTS,
    super::sign_up::STATEMENTS,
    super::signing_key::STATEMENTS,
    super::tag::STATEMENTS,
    super::team::STATEMENTS,
    super::terms::STATEMENTS,
    super::webhook::STATEMENTS,
    super::webhook_delivery::STATEMENTS,
    super::work::STATEMENTS,
    super::wrong_secret::STATEMENTS,
];

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let Pools::Sqlite { writer, .. } = &store.pools else {
        unreachable!("the address says SQLite")
    };
    for (name, text) in MODULES.concat() {
        if let Err(error) = writer.prepare(text.into_sql_str()).await {
            panic!("{name}: {error}");
        }
    }
}

#[tokio::test]
async fn every_statement_prepares_on_postgresql() {
    let Some(store) = postgres_server::new_store().await else {
        return;
    };
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    for (name, text) in MODULES.concat() {
        if let Err(error) = pool.prepare(text.into_sql_str()).await {
            panic!("{name}: {error}");
        }
    }
    store.close().await;
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let Pools::Sqlite { writer, .. } = &store.pools else {
        unreachable!("the address says SQLite")
    };
    for (name, text) in MODULES.concat() {
        let plan = AssertSqlSafe(format!("explain query plan {text}"));
        for row in sqlx::query(plan).fetch_all(writer).await.unwrap() {
            let step: String = row.get("detail");
            // An index of the pending repositories alone may be walked from end to end: they are few.
            let walks_pending = name.starts_with("EXPIRE_") && step.contains("USING INDEX repository_");
            // The rows of a subquery that ends after so many, or of the statement itself.
            let are_values = step.ends_with("-ROW VALUES CLAUSE") || step.ends_with(" CONSTANT ROWS");
            let walks_rows = step == "SCAN walk" || are_values;
            let walks_all = step.starts_with("SCAN") && !walks_pending && !walks_rows;
            assert!(!walks_all && !step.contains("TEMP B-TREE"), "{name}: {step}");
        }
    }
    for (text, index) in [
        (access_token::STATEMENTS[1], "credential_secret_hash"),
        (device::STATEMENTS[1], "device_secret"),
        (robot::STATEMENTS[1], "credential_secret_hash"),
    ] {
        let plan = AssertSqlSafe(format!("explain query plan {}", text.1));
        let steps: Vec<String> = sqlx::query(plan)
            .fetch_all(writer)
            .await
            .unwrap()
            .iter()
            .map(|row| row.get("detail"))
            .collect();
        assert!(
            steps[0].contains(index) && steps[1..].iter().all(|step| step.contains("PRIMARY KEY")),
            "{}: {steps:?}",
            text.0
        );
    }
}

#[test]
fn every_module_with_statements_is_prepared_and_every_statement_is_in_the_shared_subset() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut with_statements = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = if path.is_file() {
            std::fs::read_to_string(&path).unwrap()
        } else {
            continue;
        };
        with_statements += usize::from(text.contains("\nstatements! {"));
    }
    assert_eq!(with_statements, MODULES.len());
    for (name, text) in MODULES.concat() {
        for banned in [
            "now()", "?", "ilike", "serial", "datetime", "strftime", "::", "->", "any(", "current_",
        ] {
            assert!(!text.contains(banned), "{name} uses {banned}");
        }
        assert_eq!(text, text.to_lowercase(), "{name} is in lower case");
    }
}

#[test]
fn the_audit_log_is_only_added_to_read_and_dropped_by_its_age() {
    let mut drops = 0;
    for (name, text) in MODULES.concat() {
        assert!(
            !text.contains("update audit_event"),
            "{name} changes what was written"
        );
        if text.contains("audit_event") {
            let adds = text.starts_with("insert into audit_event") && !text.contains("on conflict");
            let drop = text.starts_with("delete from audit_event");
            assert!(adds || drop || text.starts_with("select "), "{name}");
            drops += usize::from(drop);
        }
    }
    assert_eq!(drops, 1, "there is one statement that drops events");
}

#[test]
fn both_folders_hold_the_same_migrations_and_the_program_holds_them_all() {
    let listed: Vec<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
    for folder in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(folder);
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, listed);
    }
    assert!(
        MIGRATIONS
            .windows(2)
            .all(|pair| pair[0].version < pair[1].version)
    );
    for migration in MIGRATIONS {
        assert!(
            migration.name.starts_with(&format!("{:04}_", migration.version)),
            "{}",
            migration.name
        );
    }
}

/// `table.column type nullness` and `index on table (columns)` of each schema, types in PostgreSQL's words.
type Shape = BTreeSet<String>;

#[tokio::test]
async fn both_databases_end_with_the_same_tables_columns_and_indexes() {
    let sqlite = Store::open("sqlite::memory:").await.unwrap();
    let Some(postgres) = postgres_server::new_store().await else {
        return;
    };
    let (sqlite_shape, postgres_shape) = (shape_of_sqlite(&sqlite).await, shape_of_postgres(&postgres).await);
    assert!(sqlite_shape.len() > 50, "{sqlite_shape:#?}");
    let only = |a: &Shape, b: &Shape| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!(
        (
            only(&sqlite_shape, &postgres_shape),
            only(&postgres_shape, &sqlite_shape)
        ),
        (vec![], vec![])
    );
    postgres.close().await;
}

async fn shape_of_sqlite(store: &Store) -> Shape {
    let Pools::Sqlite { writer, .. } = &store.pools else {
        unreachable!("the address says SQLite")
    };
    let mut shape = Shape::new();
    let tables: Vec<(String, i64)> = sqlx::query_as(
        "select name, strict from pragma_table_list where type = 'table' and name not like 'sqlite_%'",
    )
    .fetch_all(writer)
    .await
    .unwrap();
    for (table, strict) in tables {
        assert_eq!(strict, 1, "{table} is strict");
        let columns = format!("select name, type, \"notnull\", pk from pragma_table_info('{table}')");
        for row in sqlx::query(AssertSqlSafe(columns))
            .fetch_all(writer)
            .await
            .unwrap()
        {
            let (name, not_null): (String, bool) =
                (row.get(0), row.get::<i64, _>(2) + row.get::<i64, _>(3) > 0);
            let kind = match row.get::<String, _>(1).to_lowercase().as_str() {
                // STRICT knows no boolean: such a column is an integer that a check holds to 0 and 1.
                "integer" if name.starts_with("is_") => "boolean",
                "integer" => "bigint",
                "text" => "text",
                other => panic!("{table}.{name} is {other}"),
            };
            shape.insert(format!(
                "{table}.{name} {kind}{}",
                if not_null { "" } else { " null" }
            ));
        }
        let indexes =
            format!("select name, \"unique\", partial from pragma_index_list('{table}') where origin = 'c'");
        for row in sqlx::query(AssertSqlSafe(indexes))
            .fetch_all(writer)
            .await
            .unwrap()
        {
            let (index, unique, partial): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
            let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
                "select name from pragma_index_info('{index}') order by seqno"
            )))
            .fetch_all(writer)
            .await
            .unwrap();
            shape.insert(index_line(&table, &index, unique, partial, &columns.join(", ")));
        }
    }
    shape
}

async fn shape_of_postgres(store: &Store) -> Shape {
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    let columns: Vec<(String, String, String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text, data_type::text, is_nullable::text
         from information_schema.columns where table_schema = current_schema()",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let indexes: Vec<(String, String, bool, bool, String)> = sqlx::query_as(
        "select t.relname::text, i.relname::text, x.indisunique, x.indpred is not null,
                (select string_agg(a.attname, ', ' order by k.position)
                 from unnest(x.indkey) with ordinality k (number, position)
                 join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number)
         from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
         where t.relnamespace = current_schema()::regnamespace and not x.indisprimary",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    columns
        .into_iter()
        .map(|(table, name, kind, nullable)| {
            format!(
                "{table}.{name} {kind}{}",
                if nullable == "NO" { "" } else { " null" }
            )
        })
        .chain(
            indexes
                .into_iter()
                .map(|(table, index, unique, partial, columns)| {
                    index_line(&table, &index, unique, partial, &columns)
                }),
        )
        .collect()
}

fn index_line(table: &str, index: &str, unique: bool, partial: bool, columns: &str) -> String {
    let (unique, partial) = (
        if unique { "unique " } else { "" },
        if partial { " partial" } else { "" },
    );
    format!("{unique}index {index} on {table} ({columns}){partial}")
}

#[tokio::test]
async fn text_columns_that_are_compared_order_by_bytes_on_postgresql() {
    let Some(store) = postgres_server::new_store().await else {
        return;
    };
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    let indexed: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "select t.relname::text, a.attname::text, c.collname::text
         from pg_index x join pg_class t on t.oid = x.indrelid
         join pg_attribute a on a.attrelid = t.oid and a.attnum = any (x.indkey)
         join pg_collation c on c.oid = a.attcollation
         where t.relnamespace = current_schema()::regnamespace",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(indexed.len() >= 6, "{indexed:?}");
    for (table, column, collation) in indexed {
        assert_eq!(collation.as_deref(), Some("C"), "{table}.{column}");
    }
    store.close().await;
}
