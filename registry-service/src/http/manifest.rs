//! Manifests: end-3, end-7 and end-9 of the distribution-spec.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use shared::oci::{Algorithm, Digest, ErrorCode, ReceivedManifest, Reference, RepositoryName, Tag};
use shared::token::Action;
use tracing::Instrument as _;

use super::dispatch::Asked;
use super::error::Error;
use super::{ManifestPushed, Service, answer, header, rate};
use crate::auth::TermsOf;
use crate::endpoint::query;
use crate::registry::{Registry, RegistryError, TagCondition};
use crate::trace;

/// Most `tag` parameters of one push.
const MAX_TAGS: usize = 64;
/// A manifest over this many bytes is read on a thread of its own, so that nobody waits for it.
const LARGE: usize = 64 << 10;

/// `GET`, `HEAD`: the bytes as they were pushed. The answer to `HEAD` loses its body on the way out.
pub(super) async fn read(
    asked: &Asked<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Error> {
    let stored_as = asked.authorized.stored_as(name);
    let stored = asked.service.registry.get_manifest(stored_as, reference).await?;
    let known = asked.parts.headers.get(IF_NONE_MATCH);
    let is_known = known.is_some_and(|list| header::matches_etag(list, &stored.digest));
    let counted = asked.count_pull(&stored, is_known).await?;
    if !is_known {
        asked.manifest_pulled(name, reference, &stored);
    }
    let length = stored.bytes.len();
    let (status, body) = if is_known {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(stored.bytes))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(stored.media_type.as_str()));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::DOCKER_CONTENT_DIGEST, header::digest(&stored.digest));
    headers.insert(ETAG, header::etag(&stored.digest));
    rate::tell_of(counted, &mut response);
    Ok(response)
}

/// `PUT`: by tag, or by digest with any number of `tag` parameters.
pub(super) async fn put(
    asked: &Asked<'_>,
    name: &RepositoryName,
    reference: &Reference,
    body: Body,
) -> Result<Response, Error> {
    let tags = tags(reference, asked.query())?;
    check_tags(asked, name, &tags, Action::Push, "pushed")?;
    let condition = condition(&asked.parts.headers)?;
    let length = answer::content_length(&asked.parts.headers);
    let limit = asked.service.registry.manifest_limit();
    let _room = asked.admission.manifest(length, limit).await?;
    let bytes = receive(length, limit, body).await?;
    let received = parse(&asked.parts.headers, bytes, reference).await?;
    if let Some(class) = asked.service.registry.class_of(received.view())?
        && !asked.authorized.allows_class(name, class.as_str())
    {
        return Err(Error::OtherClass(class.as_str()));
    }
    let subject = received.view().subject().map(|subject| subject.digest.clone());
    let pushed = ManifestPushed {
        repository: name.clone(),
        digest: received.digest().clone(),
        tags,
        stored_as: asked.authorized.stored_as(name).clone(),
        subject: asked.authorized.subject().to_owned(),
    };
    let quota = asked.quota(name);
    let taken = asked
        .take_manifest(
            quota.as_ref(),
            name,
            (received.digest(), received.bytes().len()),
            received.view(),
            &pushed.tags,
        )
        .await?;
    let mut response = stored(asked, &pushed, subject.as_ref(), reference);
    let service = Arc::clone(asked.service);
    let announcing = match asked.registry(name) {
        Cow::Owned(registry) => Some(registry),
        Cow::Borrowed(_) => None,
    };
    let terms = asked.authorized.terms(name);
    let storing = store_and_tell(service, announcing, received, condition, terms, pushed);
    // A task of its own: a client that goes away now does not keep anybody from being told.
    match tokio::spawn(trace::in_current(storing.in_current_span())).await {
        Ok(done) => done?,
        Err(_) => return Err(Error::Panicked),
    }
    if let Some(taken) = taken {
        taken.keep();
    }
    asked.warn_of(quota.as_ref(), &mut response);
    Ok(response)
}

async fn store_and_tell(
    service: Arc<Service>,
    announcing: Option<Registry>,
    received: ReceivedManifest<Bytes>,
    condition: TagCondition,
    terms: TermsOf,
    pushed: ManifestPushed,
) -> Result<(), Error> {
    let registry = announcing.as_ref().unwrap_or(&service.registry);
    let is_kept = |tag: &Tag| terms.kept(tag).is_some();
    registry
        .put_manifest_keeping(&pushed.stored_as, received, &pushed.tags, &condition, &is_kept)
        .await
        .map_err(|error| kept_tag(error, &terms))?;
    if let Some(tell) = &service.on_manifest_pushed {
        tell(pushed).await.map_err(Error::NotTold)?;
    }
    Ok(())
}

/// `DELETE`: by digest the manifest and every tag of it, by tag the tag alone, with `If-Match` as long as it points there.
pub(super) async fn delete(
    asked: &Asked<'_>,
    name: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Error> {
    let stored_as = asked.authorized.stored_as(name);
    let registry = asked.registry(name);
    let terms = asked.authorized.terms(name);
    match reference {
        Reference::Tag(tag) => {
            check_tags(asked, name, std::slice::from_ref(tag), Action::Delete, "deleted")?;
            if let Some(rule) = terms.kept(tag) {
                return Err(Error::TagStays {
                    tag: tag.clone(),
                    rule,
                });
            }
            let condition = match asked.parts.headers.get(IF_MATCH) {
                Some(_) => condition(&asked.parts.headers)?,
                None => TagCondition::Any,
            };
            registry.delete_tag(stored_as, tag, &condition).await?;
        }
        Reference::Digest(digest) => {
            let allowed = asked.authorized.allowed_tags(name, Action::Delete);
            if allowed.is_every() && !terms.keep_tags() {
                registry.delete_manifest(stored_as, digest).await?;
            } else {
                check_content(asked, name, digest, &terms).await?;
                let may_go = |tag: &Tag| allowed.allow(tag) && terms.kept(tag).is_none();
                registry
                    .delete_manifest_of_tags(stored_as, digest, &may_go)
                    .await
                    .map_err(|error| kept_tag(error, &terms))?;
            }
        }
    }
    Ok(answer::empty(StatusCode::ACCEPTED))
}

/// Whether content may be deleted: not while a tag that stays what it is leads to it.
pub(super) async fn check_content(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
    terms: &TermsOf,
) -> Result<(), Error> {
    if !terms.keep_tags() {
        return Ok(());
    }
    let stored_as = asked.authorized.stored_as(name);
    let is_kept = |tag: &Tag| terms.kept(tag).is_some();
    let keeper = asked
        .service
        .registry
        .find_keeper(stored_as, digest, &is_kept)
        .await?;
    match keeper.and_then(|tag| terms.kept(&tag).map(|rule| (tag, rule))) {
        Some((tag, rule)) => Err(Error::TagStays { tag, rule }),
        None => Ok(()),
    }
}

/// The refusal with the rule that it follows from.
fn kept_tag(error: RegistryError, terms: &TermsOf) -> Error {
    match error {
        RegistryError::TagImmutable { tag, digest } => match terms.kept(&tag) {
            Some(rule) => Error::TagImmutable { tag, digest, rule },
            None => RegistryError::TagImmutable { tag, digest }.into(),
        },
        RegistryError::TagMustStay { tag } => match terms.kept(&tag) {
            Some(rule) => Error::TagStays { tag, rule },
            None => RegistryError::TagMustStay { tag }.into(),
        },
        other => other.into(),
    }
}

/// Whether the caller may push, or delete, each of the tags.
fn check_tags(
    asked: &Asked<'_>,
    name: &RepositoryName,
    tags: &[Tag],
    action: Action,
    doing: &'static str,
) -> Result<(), Error> {
    let allowed = asked.authorized.allowed_tags(name, action);
    match tags.iter().find(|tag| !allowed.allow(tag)) {
        Some(tag) => Err(Error::TagNotAllowed {
            doing,
            tag: tag.clone(),
            allowed,
        }),
        None => Ok(()),
    }
}

/// The tags that the manifest shall have.
fn tags(reference: &Reference, query: &str) -> Result<Vec<Tag>, Error> {
    let invalid = |text| Error::Parameter(ErrorCode::TagInvalid, text);
    let mut tags = Vec::new();
    for text in query::all(query, "tag") {
        let tag = text
            .parse()
            .map_err(|_| invalid("a tag parameter is not a valid tag"))?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > MAX_TAGS {
            return Err(invalid("at most 64 tags can be set at once"));
        }
    }
    match reference {
        Reference::Digest(_) => Ok(tags),
        Reference::Tag(_) if !tags.is_empty() => Err(invalid(
            "tag parameters go with a manifest that is pushed by digest",
        )),
        Reference::Tag(tag) => Ok(vec![tag.clone()]),
    }
}

/// What must hold for the tags (RFC 9110, section 13.1): `If-None-Match: *` or `If-Match: "<digest>"`.
fn condition(headers: &HeaderMap) -> Result<TagCondition, Error> {
    let malformed = || {
        Error::Parameter(
            ErrorCode::DigestInvalid,
            "a request can be bound by If-None-Match: * or by If-Match: \"<digest>\" alone",
        )
    };
    match (headers.get(IF_MATCH), headers.get(IF_NONE_MATCH)) {
        (None, None) => Ok(TagCondition::Any),
        (None, Some(star)) if star == "*" => Ok(TagCondition::Absent),
        (Some(tag), None) => {
            let text = tag.to_str().map_err(|_| malformed())?.trim_matches('"');
            text.parse().map(TagCondition::Is).map_err(|_| malformed())
        }
        _ => Err(malformed()),
    }
}

/// The body, when it is no longer than a manifest may be.
async fn receive(length: Option<u64>, limit: u64, body: Body) -> Result<Bytes, Error> {
    let too_large = || Error::BodyTooLarge { limit };
    if length.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        let is_limit = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
        if is_limit {
            too_large()
        } else {
            Error::BodyInterrupted
        }
    })
}

/// The manifest of a body; a digest in the path must be its own.
async fn parse(
    headers: &HeaderMap,
    bytes: Bytes,
    reference: &Reference,
) -> Result<ReceivedManifest<Bytes>, Error> {
    let algorithm = match reference {
        Reference::Digest(digest) => digest.algorithm(),
        Reference::Tag(_) => Algorithm::Sha256,
    };
    let content_type = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let length = bytes.len();
    let read = move || ReceivedManifest::parse(bytes, content_type.as_deref(), algorithm);
    let received = if length > LARGE {
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| Error::Panicked)??
    } else {
        read()?
    };
    match reference {
        Reference::Digest(expected) if expected != received.digest() => Err(Error::OtherDigest {
            expected: expected.clone(),
            computed: received.digest().clone(),
        }),
        _ => Ok(received),
    }
}

fn stored(
    asked: &Asked<'_>,
    pushed: &ManifestPushed,
    subject: Option<&Digest>,
    reference: &Reference,
) -> Response {
    let ManifestPushed {
        repository, digest, ..
    } = pushed;
    let location = format!("{}/v2/{repository}/manifests/{digest}", asked.base_url());
    let mut response = answer::empty(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header::value(location));
    headers.insert(header::DOCKER_CONTENT_DIGEST, header::digest(digest));
    if let Some(subject) = subject {
        headers.insert(header::OCI_SUBJECT, header::digest(subject));
    }
    if matches!(reference, Reference::Digest(_)) {
        for tag in &pushed.tags {
            headers.append(header::OCI_TAG, header::value(tag.to_string()));
        }
    }
    response
}
