//! Moving one blob, never holding it: mounted, or streamed from one side to the other, and gone on with after a break.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use http::header::{CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use http::{HeaderMap, Method, StatusCode};
use reqwest::Url;
use shared::oci::{Descriptor, RepositoryName};

use super::content::Place;
use super::endpoint::{Answer, Ask};
use super::fault::{Fault, Kind};
use super::retry::Attempts;
use crate::import::count::Count;

/// Up to this size a blob is sent with the request that ends its upload; broken, it is sent again.
const SMALL: u64 = 4 << 20;
/// How long nothing may move before a transfer is given up.
const STANDSTILL: Duration = Duration::from_mins(5);

/// How a blob came to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Copied,
    Mounted,
}

/// An upload under way.
struct Session {
    url: Url,
    /// Bytes that the target has.
    offset: u64,
}

/// One blob from one repository into another, which does not have it yet. `other` is a repository of the target that has
/// it. `traffic` counts what passes by.
pub(super) async fn copy(
    source: Place<'_>,
    target: Place<'_>,
    blob: &Descriptor,
    other: Option<&RepositoryName>,
    traffic: &Arc<Count>,
) -> Result<How, Fault> {
    let mut attempts = Attempts::default();
    let Some(mut session) = begin(target, blob, other).await? else {
        return Ok(How::Mounted);
    };
    loop {
        let fault = match send(source, target, blob, &mut session, traffic).await {
            Ok(()) => return Ok(How::Copied),
            Err(fault) => fault,
        };
        if let Err(fault) = target.endpoint.wait(&mut attempts, fault).await {
            let ask = Ask::new(Method::DELETE, session.url, target.scope);
            // What is left behind is given up by the registry after a while.
            drop(target.endpoint.open(&ask).await);
            return Err(fault);
        }
        match offset(target, &session.url).await {
            Ok(there) if there > 0 && there <= blob.size && blob.size > SMALL => {
                if there > session.offset {
                    attempts.begin_anew();
                }
                session.offset = there;
            }
            _ => match begin(target, blob, None).await? {
                Some(anew) => session = anew,
                None => return Ok(How::Mounted),
            },
        }
    }
}

/// Begins an upload; `None` when the blob was mounted instead.
async fn begin(
    target: Place<'_>,
    blob: &Descriptor,
    other: Option<&RepositoryName>,
) -> Result<Option<Session>, Fault> {
    let mut url = target
        .endpoint
        .url(&format!("/v2/{}/blobs/uploads/", target.name))?;
    let mut scope = target.scope.to_owned();
    if let Some(other) = other {
        url.query_pairs_mut()
            .append_pair("mount", &blob.digest.to_string())
            .append_pair("from", other.as_str());
        // Writing to a string cannot fail.
        let _ = write!(scope, " repository:{other}:pull");
    }
    let ask = Ask::new(Method::POST, url, &scope);
    let answer = target.endpoint.exchange(&ask).await?;
    if answer.status == StatusCode::CREATED {
        return Ok(None);
    }
    Ok(Some(Session {
        url: next(target, &ask.url, &answer.headers)?,
        offset: 0,
    }))
}

/// Sends what the target does not have yet, and ends the upload.
async fn send(
    source: Place<'_>,
    target: Place<'_>,
    blob: &Descriptor,
    session: &mut Session,
    traffic: &Arc<Count>,
) -> Result<(), Fault> {
    let rest = blob.size.saturating_sub(session.offset);
    if blob.size > SMALL && rest > 0 {
        let (body, offset) = open(source, blob, session.offset, traffic).await?;
        if offset != session.offset {
            // The source gives all or nothing, so what was sent before is of no use.
            let anew = begin(target, blob, None).await?;
            *session = anew.ok_or_else(|| Fault::new(Kind::Passing(None), "an upload began and did not"))?;
        }
        let range = format!("{}-{}", session.offset, blob.size - 1);
        let ask = Ask::new(Method::PATCH, session.url.clone(), target.scope)
            .header(CONTENT_TYPE, "application/octet-stream")?
            .header(CONTENT_RANGE, &range)?;
        let answer = watched(target, &ask, body, blob.size - session.offset, traffic).await?;
        session.url = next(target, &ask.url, &answer)?;
        session.offset = blob.size;
    }
    let mut url = session.url.clone();
    url.query_pairs_mut()
        .append_pair("digest", &blob.digest.to_string());
    let ask = Ask::new(Method::PUT, url, target.scope).header(CONTENT_TYPE, "application/octet-stream")?;
    let left = blob.size - session.offset;
    if left == 0 {
        return target.endpoint.open(&ask).await.map(drop);
    }
    let (body, _) = open(source, blob, 0, traffic).await?;
    watched(target, &ask, body, left, traffic).await.map(drop)
}

/// The source's bytes from an offset on, or from the beginning when it cannot do that; and where they begin.
async fn open(
    source: Place<'_>,
    blob: &Descriptor,
    offset: u64,
    traffic: &Arc<Count>,
) -> Result<(reqwest::Body, u64), Fault> {
    let url = source
        .endpoint
        .url(&format!("/v2/{}/blobs/{}", source.name, blob.digest))?;
    let mut ask = Ask::new(Method::GET, url, source.scope);
    if offset > 0 {
        ask = ask.header(RANGE, &format!("bytes={offset}-"))?;
    }
    let response = source.endpoint.open(&ask).await?;
    let offset = if response.status() == StatusCode::PARTIAL_CONTENT {
        offset
    } else {
        0
    };
    let expected = blob.size - offset;
    if response.content_length().is_some_and(|length| length != expected) {
        return Err(Fault::lasting(format!(
            "{} has {} with {} bytes, and its manifest says {}",
            source.endpoint.host(),
            blob.digest,
            response.content_length().unwrap_or_default() + offset,
            blob.size
        )));
    }
    let traffic = Arc::clone(traffic);
    let stream = response
        .bytes_stream()
        .inspect_ok(move |piece| traffic.add(piece.len() as u64));
    Ok((reqwest::Body::wrap_stream(stream), offset))
}

/// Sends a body, unless nothing moves any more; the headers of the answer.
async fn watched(
    target: Place<'_>,
    ask: &Ask<'_>,
    body: reqwest::Body,
    length: u64,
    traffic: &Count,
) -> Result<HeaderMap, Fault> {
    let standstill = async {
        let mut before = traffic.get();
        loop {
            tokio::time::sleep(STANDSTILL).await;
            let now = traffic.get();
            if now == before {
                return;
            }
            before = now;
        }
    };
    tokio::select! {
        response = target.endpoint.send(ask, body, length) => Ok(response?.headers().clone()),
        () = standstill => Err(Fault::new(Kind::Passing(None), format!("nothing moved for {} minutes", STANDSTILL.as_secs() / 60))),
    }
}

/// How many bytes the target has of an upload.
async fn offset(target: Place<'_>, session: &Url) -> Result<u64, Fault> {
    let ask = Ask::new(Method::GET, session.clone(), target.scope);
    let Answer { headers, .. } = target.endpoint.exchange(&ask).await?;
    let range = headers.get(RANGE).and_then(|value| value.to_str().ok());
    let last = range.and_then(|range| range.rsplit_once('-')?.1.trim().parse::<u64>().ok());
    // `0-0` stands for nothing and for one byte.
    Ok(last.map_or(0, |last| if last == 0 { 0 } else { last + 1 }))
}

fn next(target: Place<'_>, from: &Url, headers: &HeaderMap) -> Result<Url, Fault> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let location = location
        .ok_or_else(|| Fault::lasting(format!("{} names no place to send to", target.endpoint.host())))?;
    target.endpoint.follow_up(from, location)
}
