//! How much there is of everything, and what waits: counted up to a bound, for the pages of administrators.

use super::dialect::{Tx, find, list, statements};
use super::error::{StoreError, unreadable};
use super::row::row;
use crate::domain::webhook::HookPlace;
use crate::domain::{
    DeliveryId, EventKind, NamespaceName, Organisation, OrganisationId, RepositoryId, WebhookId,
};

statements! {
    COUNT_ACCOUNTS = "select count(*) as number from (select account_id from account
        where account_id > $1 and deleted_at is null limit $2) walk";
    COUNT_ORGANISATIONS = "select count(*) as number from (select organisation_id from organisation
        where organisation_id > $1 and deleted_at is null limit $2) walk";
    COUNT_REPOSITORIES = "select count(*) as number from (select repository_id from repository
        where repository_id > $1 and state = 'active' limit $2) walk";
    COUNT_READING = "select count(*) as number from (select due_at from manifest_work where due_at > $1 limit $2) walk";
    COUNT_WHOLE_READING = "select count(*) as number from (select repository_id from manifest_work
        where digest = '' and repository_id > $1 limit $2) walk";
    FIND_OLDEST_READING = "select due_at as number from manifest_work where due_at > $1 order by due_at limit 1";
    LIST_STUCK_READING = "select w.repository_id, r.name, w.digest, w.due_at, w.attempts from manifest_work w
        join repository r on r.repository_id = w.repository_id where w.due_at > $1 and w.attempts > $2
        order by w.due_at limit $3";
    FIND_OLDEST_TELLING = "select due_at as number from webhook where due_at > $1 order by due_at limit 1";
    COUNT_TELLING = "select count(*) as number from (select due_at from webhook where due_at > $1 limit $2) walk";
    COUNT_DEAD = "select count(*) as number from (select delivery_id from webhook_delivery
        where state = 'dead' and delivery_id > $1 limit $2) walk";
    LIST_DEAD = "select d.delivery_id, d.webhook_id, d.event, d.created_at, d.attempts, d.status, d.error, h.label,
        h.shown_url, h.place_kind, h.place_id from webhook_delivery d join webhook h on h.webhook_id = d.webhook_id
        where d.state = 'dead' and d.delivery_id < $1 order by d.delivery_id desc limit $2";
    FIND_PLACE_REPOSITORY = "select name from repository where repository_id = $1";
    FIND_PLACE_NAMESPACE = "select name from namespace where namespace_id = $1";
    LIST_EVERY_ORGANISATION = "select organisation_id, name, display_name, description, created_at, deleted_at
        from organisation where name > $1 and name >= $2 and name < $3 order by name limit $4";
    COUNT_MEMBERS = "select count(*) as number from (select account_id from member where organisation_id = $1 limit $2) walk";
    COUNT_REPOSITORIES_OF = "select count(*) as number from (select r.repository_id from namespace n
        join repository r on r.namespace_id = n.namespace_id where n.name = $1 and r.state = 'active' limit $2) walk";
    LIST_VERIFIED = "select name from namespace where is_verified = $1 and name > $2 order by name limit $3";
    FIND_FIRST_REPOSITORY = "select r.name from namespace n join repository r on r.namespace_id = n.namespace_id
        where n.name = $1 and r.state = 'active' limit 1";
}

row! {
struct NumberRow {
    number: i64,
}
}

row! {
struct NameRow {
    name: String,
}
}

row! {
struct StuckRow {
    repository_id: i64,
    name: String,
    digest: String,
    due_at: i64,
    attempts: i64,
}
}

row! {
struct DeadRow {
    delivery_id: i64,
    webhook_id: i64,
    event: String,
    created_at: i64,
    attempts: i64,
    status: Option<i64>,
    error: Option<String>,
    label: String,
    shown_url: String,
    place_kind: String,
    place_id: i64,
}
}

row! {
struct ListedRow {
    organisation_id: i64,
    name: String,
    display_name: String,
    description: String,
    created_at: i64,
    deleted_at: Option<i64>,
}
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Accounts that are not deleted.
    Accounts,
    /// Organisations that are not deleted.
    Organisations,
    /// Repositories that hold something.
    Repositories,
    /// What is to be read from the registry.
    Reading,
    /// Repositories that are to be read as a whole.
    WholeReading,
    /// Webhooks that have something to send.
    Telling,
}

/// How many there are, counted up to `limit`.
pub async fn count(tx: &mut Tx, what: Counted, limit: u32) -> Result<i64, StoreError> {
    let (after, limit) = (i64::MIN, i64::from(limit));
    let row = match what {
        Counted::Accounts => find!("accounts", tx, NumberRow, COUNT_ACCOUNTS, after, limit),
        Counted::Organisations => find!("organisations", tx, NumberRow, COUNT_ORGANISATIONS, after, limit),
        Counted::Repositories => find!("repositories", tx, NumberRow, COUNT_REPOSITORIES, after, limit),
        Counted::Reading => find!("work", tx, NumberRow, COUNT_READING, after, limit),
        Counted::WholeReading => find!("work", tx, NumberRow, COUNT_WHOLE_READING, after, limit),
        Counted::Telling => find!("webhooks", tx, NumberRow, COUNT_TELLING, after, limit),
    }?;
    Ok(row.map_or(0, |row| row.number))
}

/// How many deliveries that were given up are newer than `after`, counted up to `limit`.
pub async fn count_dead(tx: &mut Tx, after: DeliveryId, limit: u32) -> Result<i64, StoreError> {
    let row = find!(
        "deliveries",
        tx,
        NumberRow,
        COUNT_DEAD,
        after.as_i64(),
        i64::from(limit)
    )?;
    Ok(row.map_or(0, |row| row.number))
}

/// Since when something is to be read from the registry, in milliseconds since 1970.
pub async fn find_oldest_reading(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    let row = find!("work", tx, NumberRow, FIND_OLDEST_READING, i64::MIN)?;
    Ok(row.map(|row| row.number))
}

/// Since when something is to be sent to a webhook, in milliseconds since 1970.
pub async fn find_oldest_telling(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    let row = find!("webhooks", tx, NumberRow, FIND_OLDEST_TELLING, i64::MIN)?;
    Ok(row.map(|row| row.number))
}

/// Something that could not be read from the registry so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckReading {
    /// The repository.
    pub repository_id: RepositoryId,
    /// Its name.
    pub name: String,
    /// The manifest; none for the repository as a whole.
    pub digest: Option<String>,
    /// When it is tried again, in milliseconds since 1970.
    pub due_at: i64,
    /// How often it was tried.
    pub attempts: i64,
}

/// At most `limit` things that were tried more than `attempts` times, what is due first at the front.
pub async fn list_stuck_reading(
    tx: &mut Tx,
    attempts: i64,
    limit: u32,
) -> Result<Vec<StuckReading>, StoreError> {
    let rows = list!(
        "work",
        tx,
        StuckRow,
        LIST_STUCK_READING,
        i64::MIN,
        attempts,
        i64::from(limit)
    )?;
    let read = |row: StuckRow| StuckReading {
        repository_id: RepositoryId::from_i64(row.repository_id),
        name: row.name,
        digest: Some(row.digest).filter(|digest| !digest.is_empty()),
        due_at: row.due_at,
        attempts: row.attempts,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// A delivery that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadDelivery {
    /// Its id.
    pub delivery_id: DeliveryId,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// What people call it.
    pub label: String,
    /// Its address without what is secret about it.
    pub shown_url: String,
    /// Whose it is: the name of a repository or a namespace.
    pub place: Option<(HookPlace, String)>,
    /// What it was about.
    pub kind: EventKind,
    /// Since when it was to be delivered, in milliseconds since 1970.
    pub created_at: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// What the receiver answered last.
    pub status: Option<i64>,
    /// What went wrong.
    pub error: Option<String>,
}

/// At most `limit` deliveries that were given up, the newest first, those before `before`.
pub async fn list_dead(tx: &mut Tx, before: i64, limit: u32) -> Result<Vec<DeadDelivery>, StoreError> {
    let rows = list!("deliveries", tx, DeadRow, LIST_DEAD, before, i64::from(limit))?;
    let mut dead = Vec::with_capacity(rows.len());
    for row in rows {
        let place = HookPlace::of_parts(&row.place_kind, row.place_id);
        let name = match place {
            Some(HookPlace::Repository(id)) => {
                find!("repository", tx, NameRow, FIND_PLACE_REPOSITORY, id.as_i64())?
            }
            Some(HookPlace::Namespace(id)) => {
                find!("namespace", tx, NameRow, FIND_PLACE_NAMESPACE, id.as_i64())?
            }
            None => None,
        };
        dead.push(DeadDelivery {
            delivery_id: DeliveryId::from_i64(row.delivery_id),
            webhook_id: WebhookId::from_i64(row.webhook_id),
            label: row.label,
            shown_url: row.shown_url,
            place: place.zip(name.map(|row| row.name)),
            kind: row.event.parse().map_err(unreadable("delivery"))?,
            created_at: row.created_at,
            attempts: row.attempts,
            status: row.status,
            error: row.error,
        });
    }
    Ok(dead)
}

/// An organisation with how much there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedOrganisation {
    /// The organisation, which may be deleted.
    pub organisation: Organisation,
    /// Its members, guests included.
    pub members: i64,
    /// Its repositories.
    pub repositories: i64,
}

/// At most `limit` organisations whose names begin with `prefix` (up to before `end`), in the order of their names, those
/// behind `after`; deleted ones too. What they hold is counted up to `most`.
pub async fn list_every_organisation(
    tx: &mut Tx,
    (prefix, end): (&str, &str),
    after: &str,
    most: u32,
    limit: u32,
) -> Result<Vec<CountedOrganisation>, StoreError> {
    let rows = list!(
        "organisations",
        tx,
        ListedRow,
        LIST_EVERY_ORGANISATION,
        after,
        prefix,
        end,
        i64::from(limit)
    )?;
    let most = i64::from(most);
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        let members = find!("members", tx, NumberRow, COUNT_MEMBERS, row.organisation_id, most)?;
        let repositories = find!(
            "repositories",
            tx,
            NumberRow,
            COUNT_REPOSITORIES_OF,
            row.name.as_str(),
            most
        )?;
        listed.push(CountedOrganisation {
            members: members.map_or(0, |row| row.number),
            repositories: repositories.map_or(0, |row| row.number),
            organisation: Organisation {
                organisation_id: OrganisationId::from_i64(row.organisation_id),
                name: row.name.parse().map_err(unreadable("organisation name"))?,
                display_name: row.display_name,
                description: row.description,
                created_at: row.created_at,
                deleted_at: row.deleted_at,
            },
        });
    }
    Ok(listed)
}

/// At most `limit` namespaces that are whose they claim to be, in the order of their names, those behind `after`.
pub async fn list_verified(tx: &mut Tx, after: &str, limit: u32) -> Result<Vec<String>, StoreError> {
    let rows = list!(
        "namespaces",
        tx,
        NameRow,
        LIST_VERIFIED,
        true,
        after,
        i64::from(limit)
    )?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// A repository of a namespace that holds something.
pub async fn find_first_repository(
    tx: &mut Tx,
    namespace: &NamespaceName,
) -> Result<Option<String>, StoreError> {
    let row = find!(
        "repository",
        tx,
        NameRow,
        FIND_FIRST_REPOSITORY,
        namespace.as_str()
    )?;
    Ok(row.map(|row| row.name))
}
