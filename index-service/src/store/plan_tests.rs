//! How PostgreSQL carries each statement out when tables are large, whatever the values are.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};

use super::dialect::Pools;
use super::postgres_server;
use super::schema_tests::MODULES;

/// Tables that never hold more than a few rows.
const SMALL: [&str; 3] = ["signing_key", "token_authority", "lease"];

/// What PostgreSQL says of carrying a statement out with these arguments.
async fn plan(connection: &mut PgConnection, explain: &str, text: &str, arguments: &str) -> Vec<String> {
    for script in [
        "deallocate all".to_owned(),
        format!("prepare looked_at as {text}"),
    ] {
        let script = AssertSqlSafe(script);
        sqlx::raw_sql(script).execute(&mut *connection).await.unwrap();
    }
    let explain = AssertSqlSafe(format!("{explain} execute looked_at{arguments}"));
    let plan = sqlx::raw_sql(explain).fetch_all(connection).await.unwrap();
    plan.iter().map(|row| row.get(0)).collect()
}

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
        let plan = plan(&mut connection, "explain", text, &arguments).await;
        for step in &plan {
            let whole = step.split("Seq Scan on ").nth(1);
            let is_small = whole.is_some_and(|table| SMALL.iter().any(|small| table.starts_with(small)));
            assert!(whole.is_none() || is_small, "{name}: {plan:#?}");
        }
        looked_at += 1;
    }
    assert!(looked_at > 100, "{looked_at}");
    drop(connection);
    store.close().await;
}

/// 30,000 repositories of one image of five layers with three tags, and one, the first, with 500 tags of indexes of three images
/// each: an average that says little of it.
const UNEVEN: &str = "
    insert into namespace (namespace_id, name, created_at) values (7, 'some', 0);
    insert into repository (repository_id, namespace_id, name, stored_as, visibility, state, created_at, confirmed_at, tag_changed_at)
      select i, 7, 'some/r' || i, 'some/r' || i, 'public', 'active', 0, 0, i from generate_series(1, 30001) i;
    insert into manifest (repository_id, digest, media_type, size, content_size)
      select i, 'sha256:o' || i, 'image', 1, 1 from generate_series(2, 30001) i;
    insert into manifest (repository_id, digest, media_type, size, content_size)
      select 1, 'sha256:c' || i, 'image', 1, 1 from generate_series(0, 1499) i;
    insert into manifest (repository_id, digest, media_type, size)
      select 1, 'sha256:i' || i, 'index', 1 from generate_series(0, 499) i;
    insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size)
      select i, 'sha256:o' || i, p, 'layer', 'sha256:p' || i || p, 'layer', 1 from generate_series(2, 30001) i, generate_series(0, 4) p;
    insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size)
      select 1, 'sha256:i' || i / 3, i % 3, 'manifest', 'sha256:c' || i, 'image', 1 from generate_series(0, 1499) i;
    insert into manifest_part (repository_id, manifest, position, role, digest, media_type, size)
      select 1, 'sha256:c' || i / 4, i % 4, 'layer', 'sha256:l' || i, 'layer', 1 from generate_series(0, 5999) i;
    insert into tag (repository_id, name, digest, updated_at)
      select i, 'v' || t, 'sha256:o' || i, i from generate_series(2, 30001) i, generate_series(0, 2) t;
    insert into tag (repository_id, name, digest, updated_at)
      select 1, 'v' || i, 'sha256:i' || i, i from generate_series(0, 499) i;
    insert into content_total (repository_id, dimension, value, pull_count, push_count)
      select i, 'tag', 'v' || t, 1, 1 from generate_series(2, 30001) i, generate_series(0, 2) t;
    insert into content_total (repository_id, dimension, value, pull_count, push_count)
      select 1, d, v || i, 1, 1 from generate_series(0, 499) i, (values ('tag', 'v'), ('digest', 'sha256:c')) w (d, v);
    insert into tag_change (repository_id, sequence, tag, digest_before, digest_after, changed_at)
      select 1, i, 'v' || i, 'sha256:c' || i, 'sha256:i' || i, 1 from generate_series(0, 499) i;
    insert into tag_change (repository_id, sequence, tag, digest_after, changed_at)
      select i, n, 'v' || n, 'sha256:o' || i, 1 from generate_series(2, 30001) i, generate_series(1, 4) n;
    analyze;
";

/// Rows that the steps of a plan gave or left out.
fn rows_read(plan: &[String]) -> f64 {
    let number = |text: &str, before: &str| -> Option<f64> {
        let rest = text.split(before).nth(1)?;
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    let (mut read, mut loops) = (0.0, 1.0);
    for step in plan {
        if let Some(rows) = number(step, " rows=") {
            loops = number(step, " loops=").unwrap_or(0.0);
            read += rows * loops;
        } else if step.contains("Rows Removed by ") {
            read += number(step, ": ").unwrap_or(0.0) * loops;
        }
    }
    read
}

#[tokio::test]
async fn what_a_page_of_a_large_repository_reads_is_not_all_of_it_on_postgresql() {
    let Some(store) = postgres_server::new_store().await else {
        return;
    };
    let Pools::Postgres(pool) = &store.pools else {
        unreachable!("the address says PostgreSQL")
    };
    let mut connection = pool.acquire().await.unwrap();
    for script in [UNEVEN, "set plan_cache_mode = force_generic_plan"] {
        sqlx::raw_sql(script).execute(&mut *connection).await.unwrap();
    }
    let names = |from: &str| -> String {
        let each: Vec<String> = (0..32).map(|n| format!("1, '{from}{n}'")).collect();
        each.join(", ")
    };
    let index = "1, 'sha256:i7', 100".to_owned();
    let images = (0..32).map(|n| format!("1, 'sha256:c{n}'"));
    let images = images.collect::<Vec<_>>().join(", ");
    for (name, values) in [
        ("FIND_TAG", "1, 'v7'".to_owned()),
        ("LIST_TAGS", "1, 'v7', 50".to_owned()),
        ("LIST_TAGS_BY_TIME", "1, 400, 'v7', 50".to_owned()),
        ("FIND_TAGS", names("v")),
        ("LIST_IMAGES", names("sha256:i")),
        ("LIST_CHILDREN", index.clone()),
        ("LIST_PARTS_OF_CHILDREN", index.clone()),
        ("LIST_TOTALS_OF_CHILDREN", index.clone()),
        ("LIST_REFERRERS_OF_CHILDREN", index.clone()),
        ("LIST_FOLLOWERS_OF_CHILDREN", index),
        ("LIST_FOLLOWERS", "1, 'v7', 'v70', 50".to_owned()),
        ("LIST_PARTS_OF_IMAGES", images.clone()),
        ("LIST_TAGS_OF_IMAGES", images.clone()),
        ("LIST_LEFT_OF_IMAGES", images),
        ("LIST_WITH_PART", format!("'sha256:l7', 1, 5{}", ", 9".repeat(15))),
        ("LIST_RETAINED_TAGS", "1, 'v7', 50".to_owned()),
        ("LIST_RETAINED_MANIFESTS", "1, 'sha256:c', 50".to_owned()),
    ] {
        let all = MODULES.concat();
        let (_, text) = all.iter().find(|(known, _)| *known == name).unwrap();
        let arguments = format!("({values})");
        let plan = plan(&mut connection, "explain (analyze, costs off)", text, &arguments).await;
        let read = rows_read(&plan);
        assert!(read < 1_000.0, "{name} reads {read} rows: {plan:#?}");
    }
    drop(connection);
    store.close().await;
}
