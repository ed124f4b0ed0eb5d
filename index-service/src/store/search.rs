//! Repositories by their words, as far as somebody may see them.
//!
//! Lists ([`super::posting`]) are read from their beginning, so many places and no further: however many repositories
//! a word has, the cost of asking for it is bounded.

mod beginning;
mod sieve;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::access::Surroundings;
use super::dialect::{Tx, list, statements};
use super::error::{StoreError, unreadable};
use super::posting::places;
use super::row::row;
use super::value::{Kind, Value, ask};
use crate::domain::search::{EVERYTHING, Term};
use crate::domain::{
    Ceiling, NamespaceId, Principal, Reach, RepositoryFacts, RepositoryId, RepositoryState, Right, Rights,
    RobotId, SearchFilter, Topic, Visibility, decide, permission,
};
use beginning::{Candidate, Group, candidates, read};
use sieve::Sieve;

statements! {
    /// The beginnings of [`BRANCHES`] lists.
    WALK = "select * from (select cast(0 as bigint) as branch, place, repository_id from search_posting
          where word = $1 and reach = $2 order by place, repository_id limit $3) as walk
        union all select * from (select cast(1 as bigint) as branch, place, repository_id from search_posting
          where word = $4 and reach = $5 order by place, repository_id limit $3) as walk
        union all select * from (select cast(2 as bigint) as branch, place, repository_id from search_posting
          where word = $6 and reach = $7 order by place, repository_id limit $3) as walk
        union all select * from (select cast(3 as bigint) as branch, place, repository_id from search_posting
          where word = $8 and reach = $9 order by place, repository_id limit $3) as walk
        union all select * from (select cast(4 as bigint) as branch, place, repository_id from search_posting
          where word = $10 and reach = $11 order by place, repository_id limit $3) as walk
        union all select * from (select cast(5 as bigint) as branch, place, repository_id from search_posting
          where word = $12 and reach = $13 order by place, repository_id limit $3) as walk
        union all select * from (select cast(6 as bigint) as branch, place, repository_id from search_posting
          where word = $14 and reach = $15 order by place, repository_id limit $3) as walk
        union all select * from (select cast(7 as bigint) as branch, place, repository_id from search_posting
          where word = $16 and reach = $17 order by place, repository_id limit $3) as walk";
    LIST_WORDS = "select word from search_word where word >= $1 and word < $2 order by word limit $3";
    /// [`LOOKS`] repositories.
    LOOK = "select r.repository_id, r.namespace_id, r.name, r.stored_as, r.visibility,
        case when coalesce(p.summary, '') <> '' then p.summary else coalesce(s.summary, '') end as summary,
        coalesce(p.star_count, 0) as star_count, coalesce(p.updated_at, r.created_at) as updated_at, n.is_verified, d.postings,
        coalesce(t.pull_count, 0) as pull_count from repository r join namespace n on n.namespace_id = r.namespace_id
        join search_document d on d.repository_id = r.repository_id
        left join repository_profile p on p.repository_id = r.repository_id
        left join repository_showcase s on s.repository_id = r.repository_id
        left join content_total t on t.repository_id = r.repository_id and t.dimension = 'repository' and t.value = ''
        where r.state = 'active' and r.repository_id in ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
          $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)";
    /// What [`SIFTS`] repositories are found by.
    SIFT = "select repository_id, postings from search_document where repository_id in (
          $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
          $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42,
          $43, $44, $45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62,
          $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82,
          $83, $84, $85, $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98, $99, $100, $101,
          $102, $103, $104, $105, $106, $107, $108, $109, $110, $111, $112, $113, $114, $115, $116, $117,
          $118, $119, $120, $121, $122, $123, $124, $125, $126, $127, $128)";
    LIST_OWN = "select namespace_id from namespace where account_id = $1";
    LIST_JOINED = "select n.namespace_id from member m join namespace n on n.organisation_id = m.organisation_id
        where m.account_id = $1 order by m.organisation_id limit $2";
    LIST_RULED = "select namespace_id from access_rule where subject_kind = $1 and subject_id = $2
        order by rule_id limit $3";
    LIST_RULED_FOR_TEAMS = "select a.namespace_id from team_member t cross join access_rule a
        where t.account_id = $1 and a.subject_kind = 'team' and a.subject_id = t.team_id order by t.team_id limit $2";
}

/// Lists that are read at once.
const BRANCHES: usize = 8;
/// Repositories that are looked at at once.
const LOOKS: usize = 32;
/// Repositories whose words are read at once.
const SIFTS: usize = 128;
/// How much of each list is read at first, and where that was not enough.
const PASSES: [usize; 2] = [1_000, 10_000];
/// Most repositories that are looked at one by one.
const MAX_LOOKED: usize = 2_048;
/// Most repositories whose words are read because the beginnings of lists do not say whether they have all.
const MAX_SIFTED: usize = 2_048;
/// Most repositories that are found.
pub const MAX_FOUND: usize = 1_000;
/// Most words that an unfinished one may become.
const MAX_WORDS: usize = 32;
/// What it counts against a word that only begins as what is looked for.
const FOR_UNFINISHED: i64 = 6;
/// Most namespaces in which somebody's private repositories are looked for.
const MAX_REACHES: usize = 100;
/// Most rules that are read to find out which.
const MAX_RULES: i64 = 1_000;

row! {
struct WordRow {
    word: String,
}
}

row! {
struct ReachRow {
    namespace_id: i64,
}
}

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What is found has all of these words; none for everything.
    pub terms: &'a [Term],
    /// And is so.
    pub filter: &'a SearchFilter,
    /// How many of the first are left out.
    pub offset: usize,
    /// How many are wished for.
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The page, the best first.
    pub hits: Vec<Hit>,
    /// How many there are, up to [`MAX_FOUND`].
    pub total: usize,
    /// Whether there may be more than that.
    pub is_more: bool,
}

/// A repository that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The repository.
    pub facts: RepositoryFacts,
    /// Its short description.
    pub summary: String,
    /// Its topics.
    pub topics: Vec<String>,
    /// How many accounts gave it a star.
    pub star_count: i64,
    /// How often it was pulled.
    pub pull_count: i64,
    /// Whether its namespace is whose it claims to be.
    pub is_verified: bool,
    /// When what is said about it was changed last, in milliseconds since 1970.
    pub updated_at: i64,
}

/// What `principal` may pull of what is looked for.
pub async fn search(
    tx: &mut Tx,
    principal: &Principal,
    wanted: &Wanted<'_>,
    now_ms: i64,
) -> Result<Found, StoreError> {
    let reaches = list_reaches(tx, principal).await?;
    let mut groups = Vec::new();
    for term in wanted.terms {
        groups.push(expand(tx, term).await?);
    }
    groups.extend(wanted.filter.lists().into_iter().map(Group::of));
    if groups.is_empty() {
        groups.push(Group::of(EVERYTHING.to_owned()));
    }
    let mut search = Search {
        principal,
        wanted,
        now_ms,
        groups: &groups,
        sieve: Sieve::new(&groups),
        looked: 0,
        known: HashMap::new(),
    };
    let mut found = Found::default();
    for depth in PASSES {
        found = search.pass(tx, &reaches, depth).await?;
        if !found.is_more || found.hits.len() == wanted.limit || search.looked >= MAX_LOOKED {
            break;
        }
    }
    Ok(found)
}

/// Where `principal` may see something.
async fn list_reaches(tx: &mut Tx, principal: &Principal) -> Result<Vec<Reach>, StoreError> {
    let mut reaches = vec![Reach::Everybody];
    let mut namespaces = Vec::new();
    let mut subjects = vec![("anyone", 0)];
    match principal {
        Principal::Anonymous => {}
        Principal::Account(account) if account.is_disabled => return Ok(Vec::new()),
        Principal::Machine(machine) if machine.is_disabled => return Ok(Vec::new()),
        Principal::Account(account) => {
            let id = account.account_id.as_i64();
            reaches.push(Reach::Accounts);
            namespaces.extend(list!("namespaces", tx, ReachRow, LIST_OWN, id)?);
            namespaces.extend(list!("namespaces", tx, ReachRow, LIST_JOINED, id, MAX_RULES)?);
            namespaces.extend(list!("rules", tx, ReachRow, LIST_RULED_FOR_TEAMS, id, MAX_RULES)?);
            if account.is_admin {
                namespaces.push(ReachRow {
                    namespace_id: LIBRARY,
                });
            }
            subjects.extend([("account", id), ("signed_in", 0)]);
        }
        Principal::Machine(machine) => {
            namespaces.push(ReachRow {
                namespace_id: machine.namespace_id.as_i64(),
            });
            subjects.extend(machine.robot_id.map(|id| ("robot", RobotId::as_i64(id))));
        }
    }
    for (kind, id) in subjects.into_iter().rev() {
        namespaces.extend(list!("rules", tx, ReachRow, LIST_RULED, kind, id, MAX_RULES)?);
    }
    let mut seen = BTreeSet::new();
    let distinct = namespaces
        .into_iter()
        .filter(|row| seen.insert(row.namespace_id))
        .take(MAX_REACHES)
        .map(|row| Reach::Namespace(NamespaceId::from_i64(row.namespace_id)));
    reaches.extend(distinct);
    Ok(reaches)
}

/// The namespace that the first migration makes.
const LIBRARY: i64 = 1;

/// A word with those that it may become when it is unfinished.
async fn expand(tx: &mut Tx, term: &Term) -> Result<Group, StoreError> {
    if !term.is_prefix {
        return Ok(Group::of(term.word.clone()));
    }
    let before = format!("{}\u{10ffff}", term.word);
    let rows = list!(
        "words",
        tx,
        WordRow,
        LIST_WORDS,
        term.word.as_str(),
        before.as_str(),
        i64::try_from(MAX_WORDS).unwrap_or(i64::MAX)
    )?;
    let count = |word: &str| if word == term.word { 0 } else { FOR_UNFINISHED };
    Ok(Group {
        unfinished: (rows.len() >= MAX_WORDS).then(|| term.word.clone()),
        words: rows
            .into_iter()
            .map(|row| (count(&row.word), row.word))
            .map(|(count, word)| (word, count))
            .collect(),
    })
}

struct Search<'a> {
    principal: &'a Principal,
    wanted: &'a Wanted<'a>,
    now_ms: i64,
    groups: &'a [Group],
    sieve: Sieve<'a>,
    /// How many repositories were looked at.
    looked: usize,
    /// What was read about namespaces, each once.
    known: HashMap<NamespaceId, Surroundings>,
}

impl Search<'_> {
    async fn pass(&mut self, tx: &mut Tx, reaches: &[Reach], depth: usize) -> Result<Found, StoreError> {
        let mut beginnings = Vec::new();
        for group in self.groups {
            beginnings.push(read(tx, group, reaches, depth).await?);
        }
        let (candidates, is_whole) = candidates(&beginnings);
        let (candidates, is_sifted) = self.sieve.sift(tx, candidates).await?;
        let mut found = Found {
            is_more: !is_whole || !is_sifted,
            ..Found::default()
        };
        for chunk in candidates.chunks(LOOKS) {
            if found.total >= MAX_FOUND || self.looked >= MAX_LOOKED {
                found.is_more = true;
                break;
            }
            // Of those that are shown for sure only the page is looked at.
            let is_past =
                found.hits.len() == self.wanted.limit || found.total + chunk.len() <= self.wanted.offset;
            if is_past && chunk.iter().all(|candidate| self.is_sure(candidate)) {
                found.total += chunk.len();
                continue;
            }
            for hit in self.look(tx, chunk).await? {
                found.total += 1;
                if found.total > self.wanted.offset && found.hits.len() < self.wanted.limit {
                    found.hits.push(hit);
                }
            }
        }
        if found.total > MAX_FOUND {
            found.total = MAX_FOUND;
            found.is_more = true;
        }
        Ok(found)
    }

    /// Whether it is shown, whatever else there is to read about it.
    fn is_sure(&self, candidate: &Candidate) -> bool {
        let filter = self.wanted.filter;
        candidate.is_open
            && filter.min_stars <= 0
            && filter.updated_since.is_none()
            && matches!(permission::ceiling(self.principal), None | Some(Ceiling::Full))
    }

    /// Those of the candidates that are shown, in their order.
    async fn look(&mut self, tx: &mut Tx, candidates: &[Candidate]) -> Result<Vec<Hit>, StoreError> {
        use Kind::{Boolean, Integer, Text};
        const KINDS: [Kind; 11] = [
            Integer, Integer, Text, Text, Text, Text, Integer, Integer, Boolean, Text, Integer,
        ];
        self.looked += candidates.len();
        // No repository has the id -1.
        let ids = candidates.iter().map(|candidate| candidate.id);
        let values: Vec<Value> = ids
            .chain(std::iter::repeat(-1))
            .take(LOOKS)
            .map(|id| Value::Integer(Some(id)))
            .collect();
        let rows = ask(tx, LOOK, &values, &KINDS).await?;
        let mut by_id: HashMap<i64, Vec<Value>> =
            rows.into_iter().map(|row| (row[0].integer(), row)).collect();
        let mut hits = Vec::new();
        for candidate in candidates {
            let Some(row) = by_id.remove(&candidate.id) else {
                continue;
            };
            if let Some(hit) = self.passing(hit(&row)?)
                && self.may_pull(tx, &hit.facts).await?
            {
                hits.push(hit);
            }
        }
        Ok(hits)
    }

    fn passing(&self, hit: Hit) -> Option<Hit> {
        let filter = self.wanted.filter;
        let is_recent = filter.updated_since.is_none_or(|since| hit.updated_at >= since);
        (hit.star_count >= filter.min_stars && is_recent).then_some(hit)
    }

    async fn may_pull(&mut self, tx: &mut Tx, facts: &RepositoryFacts) -> Result<bool, StoreError> {
        if permission::lets_pull(facts.visibility, self.principal, &facts.name) {
            return Ok(true);
        }
        let surroundings = match self.known.entry(facts.namespace_id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                entry.insert(Surroundings::of_namespace(tx, self.principal, facts.namespace_id).await?)
            }
        };
        let around = surroundings.facts(Some(facts), self.now_ms);
        let decision = decide(self.principal, &around, &facts.name, Rights::READ);
        Ok(decision.granted.contains(Right::Pull))
    }
}

fn hit(row: &[Value]) -> Result<Hit, StoreError> {
    let visibility: Visibility = row[4].text().parse().map_err(unreadable("visibility"))?;
    let topics = places(row[9].text()).filter_map(|(word, _)| word.strip_prefix('#'));
    let topics = topics.filter(|topic| topic.parse::<Topic>().is_ok());
    Ok(Hit {
        facts: RepositoryFacts {
            repository_id: RepositoryId::from_i64(row[0].integer()),
            namespace_id: NamespaceId::from_i64(row[1].integer()),
            name: row[2].text().parse().map_err(unreadable("repository name"))?,
            stored_as: row[3].text().parse().map_err(unreadable("storage name"))?,
            visibility,
            state: RepositoryState::Active,
        },
        summary: row[5].text().to_owned(),
        topics: topics.map(str::to_owned).collect(),
        star_count: row[6].integer(),
        pull_count: row[10].integer(),
        is_verified: row[8] == Value::Boolean(Some(true)),
        updated_at: row[7].integer(),
    })
}
