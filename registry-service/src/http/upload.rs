//! Uploads: end-4, end-5, end-6, end-11, end-13 and end-14 of the distribution-spec.

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use http::header::{CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderMap, StatusCode};
use shared::oci::{Algorithm, Digest, ErrorCode, RepositoryName};

use super::dispatch::Asked;
use super::error::Error;
use super::{answer, header, range};
use crate::endpoint::{InvalidRequest, Mount, UploadText, query};
use crate::registry::{Chunk, RegistryError, UploadId};

/// `POST`: take the blob over from another repository, or take it from the body, or begin a session.
pub(super) async fn start(
    asked: &Asked<'_>,
    name: &RepositoryName,
    mount: Option<&Mount>,
    body: Body,
) -> Result<Response, Error> {
    let quota = asked.quota(name);
    if let Some(mount) = mount {
        let taken = asked
            .take_mount(quota.as_ref(), name, mount.from.as_ref(), &mount.digest)
            .await?;
        let (stored_as, sources) = (asked.authorized.stored_as(name), asked.authorized.mount_sources());
        if asked
            .registry(name)
            .mount_blob(stored_as, sources, &mount.digest)
            .await?
        {
            if let Some(taken) = taken {
                taken.keep();
            }
            return Ok(created(asked, name, &mount.digest));
        }
    } else if let Some(digest) = find_digest(asked)? {
        return put_whole(asked, name, &digest, body).await;
    }
    asked.check_room(quota.as_ref(), 0)?;
    let algorithm = match query::find(asked.query(), "digest-algorithm") {
        Some(text) => text.parse().map_err(InvalidRequest::Digest)?,
        None => Algorithm::Sha256,
    };
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    let id = asked
        .service
        .registry
        .start_upload(stored_as, owner, algorithm)
        .await?;
    Ok(session(asked, name, &id, 0, StatusCode::ACCEPTED))
}

/// `POST ?digest=`: the whole blob in one request.
async fn put_whole(
    asked: &Asked<'_>,
    name: &RepositoryName,
    digest: &Digest,
    body: Body,
) -> Result<Response, Error> {
    let _turn = asked.admission.upload(asked.authorized.subject()).await?;
    let length = answer::content_length(&asked.parts.headers);
    let quota = asked.quota(name);
    let taken = asked
        .take_blob(quota.as_ref(), name, digest, length.unwrap_or(0))
        .await?;
    let chunk = Chunk {
        offset: None,
        length,
        // Of what is counted already.
        room: asked.room(quota.as_ref()).filter(|_| length.is_none()),
        body: body.into_data_stream(),
    };
    let stored_as = asked.authorized.stored_as(name);
    let size = asked
        .registry(name)
        .put_blob_of(stored_as, digest, chunk)
        .await
        .map_err(|error| asked.upload_error(quota.as_ref(), error))?;
    asked.keep_blob(quota.as_ref(), taken, size.saturating_sub(length.unwrap_or(0)));
    Ok(created(asked, name, digest))
}

/// `GET`: how far it is.
pub(super) async fn status(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &UploadText,
) -> Result<Response, Error> {
    let id = parse_id(id)?;
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    let offset = asked
        .service
        .registry
        .upload_status(stored_as, owner, &id)
        .await?;
    Ok(session(asked, name, &id, offset, StatusCode::NO_CONTENT))
}

/// `PATCH`: the next chunk.
pub(super) async fn append(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &UploadText,
    body: Body,
) -> Result<Response, Error> {
    let id = checked_id(asked, name, id)?;
    let mut chunk = chunk(&asked.parts.headers, body)?;
    let quota = asked.quota(name);
    chunk.room = asked.room(quota.as_ref());
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    let _turn = asked.admission.upload(owner).await?;
    let offset = asked
        .service
        .registry
        .append_upload(stored_as, owner, &id, chunk)
        .await
        .map_err(|error| asked.upload_error(quota.as_ref(), error))?;
    Ok(session(asked, name, &id, offset, StatusCode::ACCEPTED))
}

/// `PUT ?digest=`: the last chunk, which may be empty.
pub(super) async fn finish(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &UploadText,
    body: Body,
) -> Result<Response, Error> {
    let id = checked_id(asked, name, id)?;
    let digest = find_digest(asked)?
        .ok_or_else(|| Error::Digest("the digest of the blob must be given as ?digest=".to_owned()))?;
    let mut chunk = chunk(&asked.parts.headers, body)?;
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    let _turn = asked.admission.upload(owner).await?;
    let quota = asked.quota(name);
    let said = match &quota {
        Some(_) => stored_size(asked, name, &id).await? + chunk.length.unwrap_or(0),
        None => 0,
    };
    let taken = match asked.take_blob(quota.as_ref(), name, &digest, said).await {
        Ok(taken) => taken,
        Err(error) => {
            // Nobody can go on with it while there is no room.
            let _ = asked.service.registry.cancel_upload(stored_as, owner, &id).await;
            return Err(error);
        }
    };
    if chunk.length.is_none() {
        let room = asked.room(quota.as_ref());
        chunk.room = room.map(|room| said.saturating_add(room));
    }
    let size = asked
        .registry(name)
        .finish_upload(stored_as, owner, &id, chunk, &digest)
        .await
        .map_err(|error| asked.upload_error(quota.as_ref(), error))?;
    asked.keep_blob(quota.as_ref(), taken, size.saturating_sub(said));
    Ok(created(asked, name, &digest))
}

/// `DELETE`: it is given up.
pub(super) async fn cancel(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &UploadText,
) -> Result<Response, Error> {
    let id = checked_id(asked, name, id)?;
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    asked
        .service
        .registry
        .cancel_upload(stored_as, owner, &id)
        .await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// How many bytes of a session are stored; none of one that is finished.
async fn stored_size(asked: &Asked<'_>, name: &RepositoryName, id: &UploadId) -> Result<u64, Error> {
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    match asked.service.registry.upload_status(stored_as, owner, id).await {
        Ok(size) => Ok(size),
        Err(RegistryError::BlobUploadUnknown) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn parse_id(id: &UploadText) -> Result<UploadId, Error> {
    id.as_str()
        .parse()
        .map_err(|_| InvalidRequest::UploadUnknown.into())
}

/// The id of an upload that is to be changed: its `_state`, when one is given, must be its own.
fn checked_id(asked: &Asked<'_>, name: &RepositoryName, id: &UploadText) -> Result<UploadId, Error> {
    if let Some(state) = query::find(asked.query(), "_state") {
        let (states, owner) = (&asked.service.upload_states, asked.authorized.subject());
        if !states.verify(&state, asked.authorized.stored_as(name), id.as_str(), owner) {
            return Err(InvalidRequest::UploadUnknown.into());
        }
    }
    parse_id(id)
}

fn find_digest(asked: &Asked<'_>) -> Result<Option<Digest>, Error> {
    let digest = query::find(asked.query(), "digest");
    digest
        .map(|text| text.parse().map_err(|e| InvalidRequest::Digest(e).into()))
        .transpose()
}

/// A chunk with what its headers say of it; both must agree.
fn chunk(headers: &HeaderMap, body: Body) -> Result<Chunk<BodyDataStream>, Error> {
    let length = answer::content_length(headers);
    let Some(value) = headers.get(CONTENT_RANGE) else {
        return Ok(Chunk {
            offset: None,
            length,
            room: None,
            body: body.into_data_stream(),
        });
    };
    let range = value.to_str().ok().and_then(range::parse_chunk);
    let range = range.ok_or(Error::ChunkRange)?;
    let said = range.end - range.start;
    if length.is_some_and(|length| length != said) {
        return Err(Error::Parameter(
            ErrorCode::SizeInvalid,
            "Content-Range and Content-Length say different sizes",
        ));
    }
    Ok(Chunk {
        offset: Some(range.start),
        length: Some(said),
        room: None,
        body: body.into_data_stream(),
    })
}

/// An upload as it stands: `offset` bytes are stored.
fn session(
    asked: &Asked<'_>,
    name: &RepositoryName,
    id: &UploadId,
    offset: u64,
    status: StatusCode,
) -> Response {
    let id = id.to_string();
    let (stored_as, owner) = (asked.authorized.stored_as(name), asked.authorized.subject());
    let state = asked.service.upload_states.sign(stored_as, &id, owner);
    let location = format!("{}/v2/{name}/blobs/uploads/{id}?_state={state}", asked.base_url());
    let mut response = answer::empty(status);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header::value(location));
    // An empty upload has the range 0-0 too: clients know it so from distribution.
    headers.insert(RANGE, header::value(format!("0-{}", offset.saturating_sub(1))));
    headers.insert(header::DOCKER_UPLOAD_UUID, header::value(id));
    response
}

fn created(asked: &Asked<'_>, name: &RepositoryName, digest: &Digest) -> Response {
    let location = format!("{}/v2/{name}/blobs/{digest}", asked.base_url());
    let mut response = answer::empty(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(LOCATION, header::value(location));
    headers.insert(header::DOCKER_CONTENT_DIGEST, header::digest(digest));
    response
}
