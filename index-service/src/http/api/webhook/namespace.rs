//! Webhooks of a namespace.

use super::super::namespace::namespace_name;
use super::place::webhooks_of;
use crate::app::AppError;
use crate::app::webhook::HookScope;

fn scope(name: &str) -> Result<HookScope, AppError> {
    Ok(HookScope::Namespace(namespace_name(name)?))
}

webhooks_of!(
    "namespace",
    "/namespaces/{name}",
    "name",
    "The namespace's name",
    scope
);
