//! Webhooks of a repository.

use super::super::repository::repository_id;
use super::place::webhooks_of;
use crate::app::AppError;
use crate::app::webhook::HookScope;

fn scope(id: &str) -> Result<HookScope, AppError> {
    Ok(HookScope::Repository(repository_id(id)?))
}

webhooks_of!(
    "repository",
    "/repositories/{id}",
    "id",
    "The repository's id",
    scope
);
