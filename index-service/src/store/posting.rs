//! The lists that searches read: which words a repository is found by, kept with every change of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::category::list_categories_of;
use super::dialect::{Tx, find, list, on, statements};
use super::error::{StoreError, unreadable, writing};
use super::row::row;
use super::showcase::lines;
use super::value::{Value, run};
use crate::domain::search::Document;
use crate::domain::{NamespaceId, Reach, RepositoryId, Showcase, Topic, Visibility};

statements! {
    /// Two changes of one repository at once come one after the other.
    HOLD_DOCUMENT = "insert into search_document (repository_id, reaches, postings) values ($1, '', '')
        on conflict (repository_id) do update set reaches = search_document.reaches";
    FIND_SUBJECT = "select r.repository_id, r.namespace_id, r.name, r.visibility, r.state,
        case when coalesce(p.summary, '') <> '' then p.summary else coalesce(s.summary, '') end as summary,
        coalesce(p.star_count, 0) as star_count, coalesce(n.pull_count, 0) as pull_count,
        coalesce(s.platforms, '') as platforms, coalesce(s.labels, '') as labels,
        coalesce(d.reaches, '') as reaches, coalesce(d.postings, '') as postings from repository r
        left join repository_profile p on p.repository_id = r.repository_id
        left join repository_showcase s on s.repository_id = r.repository_id
        left join content_total n on n.repository_id = r.repository_id and n.dimension = 'repository' and n.value = ''
        left join search_document d on d.repository_id = r.repository_id where r.repository_id = $1";
    LIST_SUBJECTS = "select r.repository_id, r.namespace_id, r.name, r.visibility, r.state,
        case when coalesce(p.summary, '') <> '' then p.summary else coalesce(s.summary, '') end as summary,
        coalesce(p.star_count, 0) as star_count, coalesce(n.pull_count, 0) as pull_count,
        coalesce(s.platforms, '') as platforms, coalesce(s.labels, '') as labels,
        coalesce(d.reaches, '') as reaches, coalesce(d.postings, '') as postings from repository r
        left join repository_profile p on p.repository_id = r.repository_id
        left join repository_showcase s on s.repository_id = r.repository_id
        left join content_total n on n.repository_id = r.repository_id and n.dimension = 'repository' and n.value = ''
        left join search_document d on d.repository_id = r.repository_id
        where r.repository_id > $1 order by r.repository_id limit $2";
    LIST_TOPICS = "select topic from repository_topic where repository_id = $1 order by topic";
    KEEP_DOCUMENT = "update search_document set reaches = $2, postings = $3 where repository_id = $1";
    REMOVE_POSTING = "delete from search_posting where word = $1 and reach = $2 and place = $3 and repository_id = $4";
    ADD_POSTINGS = "insert into search_posting (word, reach, place, repository_id) values ($1, $2, $3, $4),
        ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16), ($17, $18, $19, $20), ($21, $22, $23, $24),
        ($25, $26, $27, $28), ($29, $30, $31, $32) on conflict do nothing";
    ADD_WORDS = "insert into search_word (word) values ($1), ($2), ($3), ($4), ($5), ($6), ($7), ($8)
        on conflict do nothing";
}

/// Rows of one insertion; the last is said again where there are fewer.
const ROWS: usize = 8;

row! {
struct SubjectRow {
    repository_id: i64,
    namespace_id: i64,
    name: String,
    visibility: String,
    state: String,
    summary: String,
    star_count: i64,
    pull_count: i64,
    platforms: String,
    labels: String,
    reaches: String,
    postings: String,
}
}

row! {
struct TopicRow {
    topic: String,
}
}

/// In which lists a repository stands.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lists {
    reaches: Vec<i64>,
    places: BTreeMap<String, i64>,
}

impl Lists {
    fn kept(row: &SubjectRow) -> Self {
        Self {
            reaches: row
                .reaches
                .split(' ')
                .filter_map(|reach| reach.parse().ok())
                .collect(),
            places: places(&row.postings)
                .map(|(word, place)| (word.to_owned(), place))
                .collect(),
        }
    }

    async fn wanted(tx: &mut Tx, row: &SubjectRow) -> Result<Self, StoreError> {
        if row.state != "active" {
            return Ok(Self::default());
        }
        let topics = list_topics(tx, RepositoryId::from_i64(row.repository_id)).await?;
        let categories = list_categories_of(tx, RepositoryId::from_i64(row.repository_id)).await?;
        let categories: Vec<Topic> = categories.into_iter().map(|category| category.slug).collect();
        let visibility: Visibility = row.visibility.parse().map_err(unreadable("visibility"))?;
        let showcase = Showcase {
            platforms: lines(&row.platforms),
            labels: lines(&row.labels),
            ..Showcase::default()
        };
        let document = Document {
            name: &row.name.parse().map_err(unreadable("repository name"))?,
            summary: &row.summary,
            topics: &topics,
            categories: &categories,
            star_count: row.star_count,
            pull_count: row.pull_count,
            platforms: &showcase.platform_facets(),
            labels: &showcase.label_facets(),
        };
        let reaches = Reach::of(visibility, NamespaceId::from_i64(row.namespace_id));
        Ok(Self {
            reaches: reaches.into_iter().map(Reach::as_i64).collect(),
            places: document.postings(),
        })
    }

    fn entries(&self) -> BTreeSet<(&str, i64, i64)> {
        let of = |reach: i64| {
            self.places
                .iter()
                .map(move |(word, place)| (word.as_str(), reach, *place))
        };
        self.reaches.iter().flat_map(|reach| of(*reach)).collect()
    }

    fn reaches_text(&self) -> String {
        let reaches: Vec<String> = self.reaches.iter().map(i64::to_string).collect();
        reaches.join(" ")
    }

    fn places_text(&self) -> String {
        self.places.iter().fold(String::new(), |mut text, (word, place)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{word} {place}");
            text
        })
    }
}

/// The words of a document and their places, as they are stored.
pub(super) fn places(postings: &str) -> impl Iterator<Item = (&str, i64)> {
    postings
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(word, place)| Some((word, place.parse().ok()?)))
}

/// The topics of a repository in their order.
pub async fn list_topics(tx: &mut Tx, repository_id: RepositoryId) -> Result<Vec<Topic>, StoreError> {
    list!("topics", tx, TopicRow, LIST_TOPICS, repository_id.as_i64())?
        .into_iter()
        .map(|row| row.topic.parse().map_err(unreadable("topic")))
        .collect()
}

/// Brings the lists in line with what a repository is by now. Every function of the store that changes what it is found by,
/// or by whom, calls this within the same transaction.
pub async fn refresh(tx: &mut Tx, repository_id: RepositoryId) -> Result<(), StoreError> {
    let id = repository_id.as_i64();
    on!(tx, c => sqlx::query(HOLD_DOCUMENT).bind(id).execute(c).await.map(drop))
        .map_err(writing("search"))?;
    let Some(row) = find!("repository", tx, SubjectRow, FIND_SUBJECT, id)? else {
        return Ok(());
    };
    let (kept, wanted) = (Lists::kept(&row), Lists::wanted(tx, &row).await?);
    if kept == wanted {
        return Ok(());
    }
    let (before, after) = (kept.entries(), wanted.entries());
    for (word, reach, place) in before.difference(&after) {
        on!(tx, c => sqlx::query(REMOVE_POSTING).bind(*word).bind(*reach).bind(*place).bind(id)
            .execute(c).await.map(drop))
        .map_err(writing("search"))?;
    }
    let added: Vec<Vec<Value>> = after
        .difference(&before)
        .map(|(word, reach, place)| vec![text(word), integer(*reach), integer(*place), integer(id)])
        .collect();
    add(tx, ADD_POSTINGS, &added).await?;
    let known: BTreeSet<&String> = kept.places.keys().collect();
    let words: Vec<Vec<Value>> = wanted
        .places
        .keys()
        .filter(|word| !known.contains(word) && word.starts_with(char::is_alphanumeric))
        .map(|word| vec![text(word)])
        .collect();
    add(tx, ADD_WORDS, &words).await?;
    on!(tx, c => sqlx::query(KEEP_DOCUMENT).bind(id).bind(wanted.reaches_text()).bind(wanted.places_text())
        .execute(c).await.map(drop))
    .map_err(writing("search"))
}

async fn add(tx: &mut Tx, statement: &str, rows: &[Vec<Value>]) -> Result<(), StoreError> {
    for chunk in rows.chunks(ROWS) {
        let padding = chunk.last().into_iter().cycle().take(ROWS - chunk.len());
        let values: Vec<Value> = chunk.iter().chain(padding).flatten().cloned().collect();
        run(tx, statement, &values).await?;
    }
    Ok(())
}

fn text(text: &str) -> Value {
    Value::Text(Some(text.to_owned()))
}

fn integer(number: i64) -> Value {
    Value::Integer(Some(number))
}

/// Repositories that do not stand where they should.
#[derive(Debug, Default)]
pub struct Stale {
    /// Which.
    pub repositories: Vec<RepositoryId>,
    /// The last that was looked at; `None` when there were none.
    pub last: Option<RepositoryId>,
}

/// Looks at `limit` repositories behind `after`: those that were there before there were lists, or that a program changed
/// which knows nothing of them.
pub async fn list_stale(tx: &mut Tx, after: RepositoryId, limit: u32) -> Result<Stale, StoreError> {
    let rows = list!(
        "repositories",
        tx,
        SubjectRow,
        LIST_SUBJECTS,
        after.as_i64(),
        i64::from(limit)
    )?;
    let mut stale = Stale::default();
    for row in &rows {
        let repository_id = RepositoryId::from_i64(row.repository_id);
        if Lists::kept(row) != Lists::wanted(tx, row).await? {
            stale.repositories.push(repository_id);
        }
        stale.last = Some(repository_id);
    }
    Ok(stale)
}

/// Puts repositories where they should stand.
pub async fn mend(tx: &mut Tx, repositories: &[RepositoryId]) -> Result<(), StoreError> {
    for repository_id in repositories {
        refresh(tx, *repository_id).await?;
    }
    Ok(())
}
