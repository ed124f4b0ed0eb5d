//! `DELETE _portolan/content`: an extension (distribution-spec, "Extensions") by which the index has a repository's content
//! removed.

use axum::response::Response;
use http::StatusCode;
use shared::oci::RepositoryName;
use shared::token::Action;

use super::answer;
use super::dispatch::Asked;
use super::error::Error;

/// `DELETE`: everything that the repository holds; what is gone already is no error.
pub(super) async fn purge(asked: &Asked<'_>, name: &RepositoryName) -> Result<Response, Error> {
    let allowed = asked.authorized.allowed_tags(name, Action::Delete);
    if !allowed.is_every() {
        return Err(Error::BoundToTags(allowed));
    }
    let stored_as = asked.authorized.stored_as(name);
    asked.registry(name).purge(stored_as).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}
