//! Counts of pulls and pushes: totals, and buckets of a day. Facts of record.

use std::collections::HashMap;

use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, writing};
use super::row::row;
use super::value::{Kind, Value, ask};
use crate::domain::RepositoryId;
use crate::domain::content::Dimension;

statements! {
    ADD_TO_TOTAL = "insert into content_total (repository_id, dimension, value, pull_count, push_count, last_pulled_at,
        last_pushed_at, last_pushed_by, last_pulled_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (repository_id, dimension, value) do update set
        pull_count = content_total.pull_count + excluded.pull_count,
        push_count = content_total.push_count + excluded.push_count,
        last_pulled_by = case when excluded.last_pulled_at is not null and (content_total.last_pulled_at is null
          or excluded.last_pulled_at >= content_total.last_pulled_at) then excluded.last_pulled_by
          else content_total.last_pulled_by end,
        last_pulled_at = case when content_total.last_pulled_at is null
          or excluded.last_pulled_at > content_total.last_pulled_at then excluded.last_pulled_at
          else content_total.last_pulled_at end,
        last_pushed_by = case when excluded.last_pushed_at is not null then excluded.last_pushed_by
          else content_total.last_pushed_by end,
        last_pushed_at = case when content_total.last_pushed_at is null
          or excluded.last_pushed_at > content_total.last_pushed_at then excluded.last_pushed_at
          else content_total.last_pushed_at end";
    ADD_TO_DAY = "insert into content_day (repository_id, dimension, day, value, pull_count, push_count)
        values ($1, $2, $3, $4, $5, $6) on conflict (repository_id, dimension, day, value) do update set
        pull_count = content_day.pull_count + excluded.pull_count,
        push_count = content_day.push_count + excluded.push_count";
    FIND_TOTAL = "select value, pull_count, push_count, last_pulled_at, last_pushed_at, last_pushed_by, last_pulled_by
        from content_total
        where repository_id = $1 and dimension = $2 and value = $3";
    LIST_DAYS_OF = "select day, value, pull_count, push_count from content_day where repository_id = $1 and dimension = $2
        and day >= $3 and day <= $4 and value = $5 order by day";
    LIST_DAYS = "select day, value, pull_count, push_count from content_day where repository_id = $1 and dimension = $2
        and day >= $3 and day <= $4 order by day, value limit $5";
    /// [`AT_ONCE`] repositories as a whole.
    LIST_DAYS_OF_EACH = "select repository_id, day, pull_count, push_count from content_day
        where repository_id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
          $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
        and dimension = 'repository' and day >= $33 and day <= $34 and value = '' limit 2048";
}

/// Repositories that one statement asks for.
const AT_ONCE: usize = 32;

row! {
/// Counts of all time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// What of; empty for a repository as a whole.
    pub value: String,
    /// Pulls.
    pub pull_count: i64,
    /// Pushes.
    pub push_count: i64,
    /// The last of each, in milliseconds since 1970.
    pub last_pulled_at: Option<i64>,
    /// In milliseconds since 1970.
    pub last_pushed_at: Option<i64>,
    /// Whose push that was.
    pub last_pushed_by: Option<String>,
    /// Who pulled last, where they had signed in.
    pub last_pulled_by: Option<String>,
}
}

row! {
/// Counts of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Days since 1970, in UTC.
    pub day: i64,
    /// What of; empty for a repository as a whole.
    pub value: String,
    /// Pulls.
    pub pull_count: i64,
    /// Pushes.
    pub push_count: i64,
}
}

/// What is counted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter {
    /// The repository.
    pub repository_id: RepositoryId,
    /// In which respect.
    pub dimension: Dimension,
    /// What of; empty for the repository as a whole.
    pub value: String,
    /// The day, in days since 1970 (UTC).
    pub day: i64,
}

/// What is added to a counter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Count {
    /// Pulls.
    pub pulls: i64,
    /// Pushes.
    pub pushes: i64,
    /// The last of each, in milliseconds since 1970.
    pub last_pulled_at: Option<i64>,
    /// In milliseconds since 1970.
    pub last_pushed_at: Option<i64>,
    /// Whose push that was.
    pub last_pushed_by: Option<String>,
    /// Who pulled last, where they had signed in.
    pub last_pulled_by: Option<String>,
}

/// Adds to the total and the day of a counter. Whoever adds to several does so in their order, so that no two wait for each
/// other.
pub async fn add_count(tx: &mut Tx, counter: &Counter, count: &Count) -> Result<(), StoreError> {
    on!(tx, c => sqlx::query(ADD_TO_TOTAL)
        .bind(counter.repository_id.as_i64())
        .bind(counter.dimension.as_str())
        .bind(&counter.value)
        .bind(count.pulls)
        .bind(count.pushes)
        .bind(count.last_pulled_at)
        .bind(count.last_pushed_at)
        .bind(count.last_pushed_by.as_deref())
        .bind(count.last_pulled_by.as_deref())
        .execute(c).await.map(drop))
    .map_err(writing("counts"))?;
    if count.pulls == 0 && count.pushes == 0 {
        return Ok(());
    }
    on!(tx, c => sqlx::query(ADD_TO_DAY)
        .bind(counter.repository_id.as_i64())
        .bind(counter.dimension.as_str())
        .bind(counter.day)
        .bind(&counter.value)
        .bind(count.pulls)
        .bind(count.pushes)
        .execute(c).await.map(drop))
    .map_err(writing("counts"))
}

/// The counts of all time.
pub async fn find_total(
    tx: &mut Tx,
    repository_id: RepositoryId,
    dimension: Dimension,
    value: &str,
) -> Result<Option<Total>, StoreError> {
    find!(
        "counts",
        tx,
        Total,
        FIND_TOTAL,
        repository_id.as_i64(),
        dimension.as_str(),
        value
    )
}

/// At most `limit` counts of the days from `first` to `last`, by day and what they are of.
pub async fn list_days(
    tx: &mut Tx,
    repository_id: RepositoryId,
    dimension: Dimension,
    (first, last): (i64, i64),
    limit: u32,
) -> Result<Vec<Day>, StoreError> {
    list!(
        "counts",
        tx,
        Day,
        LIST_DAYS,
        repository_id.as_i64(),
        dimension.as_str(),
        first,
        last,
        i64::from(limit)
    )
}

/// The counts of one thing on the days from `first` to `last`, by day.
pub async fn list_days_of(
    tx: &mut Tx,
    repository_id: RepositoryId,
    (dimension, value): (Dimension, &str),
    (first, last): (i64, i64),
) -> Result<Vec<Day>, StoreError> {
    list!(
        "counts",
        tx,
        Day,
        LIST_DAYS_OF,
        repository_id.as_i64(),
        dimension.as_str(),
        first,
        last,
        value
    )
}

/// The counts of these repositories as a whole on the days from `first` to `last`, some weeks at most, by day; of those on
/// which there were any.
pub async fn list_days_of_each(
    tx: &mut Tx,
    ids: &[RepositoryId],
    (first, last): (i64, i64),
) -> Result<HashMap<RepositoryId, Vec<Day>>, StoreError> {
    const KINDS: [Kind; 4] = [Kind::Integer; 4];
    let mut found: HashMap<RepositoryId, Vec<Day>> = HashMap::new();
    for chunk in ids.chunks(AT_ONCE) {
        // No repository has the id -1.
        let ids = chunk.iter().map(|id| id.as_i64()).chain(std::iter::repeat(-1));
        let values: Vec<Value> = ids
            .take(AT_ONCE)
            .chain([first, last])
            .map(|number| Value::Integer(Some(number)))
            .collect();
        for row in ask(tx, LIST_DAYS_OF_EACH, &values, &KINDS).await? {
            let id = RepositoryId::from_i64(row[0].integer());
            found.entry(id).or_default().push(Day {
                day: row[1].integer(),
                value: String::new(),
                pull_count: row[2].integer(),
                push_count: row[3].integer(),
            });
        }
    }
    for days in found.values_mut() {
        days.sort_by_key(|day| day.day);
    }
    Ok(found)
}
